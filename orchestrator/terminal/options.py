"""The options that several commands share."""

from enum import StrEnum
from typing import Annotated, Any, TypeVar

import typer

Choice = TypeVar("Choice", bound=StrEnum)


def choice(kinds: type[Choice], help: str, *names: str) -> Any:
    """Return an option that takes one of `kinds`; a mistake names the one that was probably meant.

    Where "markdown" is one, "md" is understood too.
    """

    def parse(given: str) -> Choice:
        try:
            return kinds("markdown" if given == "md" else given)
        except ValueError:
            from search_spaces.errors import unknown

            raise typer.BadParameter(unknown("choice", given, kinds).message) from None

    def completed(begun: str) -> list[str]:
        return [each.value for each in kinds if each.startswith(begun)]

    metavar = f"<{'|'.join(kinds)}>"
    return typer.Option(*names, parser=parse, metavar=metavar, autocompletion=completed, help=help)


class OutputFormat(StrEnum):
    """How facts are printed."""

    table = "table"
    json = "json"


Database = Annotated[
    str | None, typer.Option("--db", metavar="URL", help="The results DB: a file, or an SQLAlchemy URL")
]
Format = Annotated[OutputFormat, choice(OutputFormat, "How to print it")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without this, only say what would be done")]
