"""The column types that SQLite and PostgreSQL must agree on: moments, numbers, JSON and text."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from sqlalchemy import JSON, DateTime, Double, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class Moment(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC. SQLite holds it as text that sorts by time and that its date functions read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn any time zone into UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give SQLite's moments their time zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Number(TypeDecorator[float]):
    """A float of 64 bits. "Not a number" is kept as NULL, as SQLite does, so that averages in SQL leave it out."""

    impl = Double()
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:
        """Turn NumPy's numbers into Python's, and NaN into NULL."""
        if value is None:
            return None
        number = float(value)
        return None if math.isnan(number) else number


class CleanText(TypeDecorator[str]):
    """Text from outside. What no database holds (NUL, half of a character) becomes a question mark."""

    impl = Text()
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace the characters that UTF-8 or PostgreSQL refuse."""
        return None if value is None else value.replace("\0", "?").encode("utf-8", "replace").decode()


class Json(TypeDecorator[Any]):
    """A JSON value as text with its keys in their order; numbers that are not finite become null."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Turn mappings, tuples and NumPy's values into plain lists, dicts and numbers."""
        return None if value is None else plain(value)


def to_json(value: Any) -> str:
    """Return the JSON text that is stored for a plain value."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text if _encodes(text) and "\0" not in text else json.dumps(value, allow_nan=False)


def plain(value: Any) -> Any:
    """Return `value` as JSON holds it; TypeError for what it cannot hold."""
    if value is None or isinstance(value, bool | int | str):
        return _base(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, PurePath):
        return str(value)
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    raise TypeError(f"{type(value).__name__} cannot be stored as JSON")


def _base(value: Any) -> Any:
    """Return the plain value of an enum's member."""
    return value.value if hasattr(value, "value") and hasattr(value, "name") else value


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
