"""The options that several commands share."""

from enum import StrEnum
from typing import Annotated

import typer


class OutputFormat(StrEnum):
    """How facts are printed."""

    table = "table"
    json = "json"


Database = Annotated[
    str | None, typer.Option("--db", metavar="URL", help="The results DB: a file, or an SQLAlchemy URL")
]
Format = Annotated[OutputFormat, typer.Option(help="How to print it")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without this, only say what would be done")]
