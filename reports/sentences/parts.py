"""What the page says of things that it shows only the first of."""

from collections.abc import Callable


def cut(shown: int, total: int, noun: str, where: str = "") -> str | None:
    """Say how many are shown and where the others are; nothing where all are shown."""
    if shown >= total:
        return None
    rest = f"; {where} has them all" if where else ""
    return f"The first {shown:,} of {total:,} {noun}{rest}."


SENTENCES: dict[str, Callable[..., str | None]] = {"parts.cut": cut}
