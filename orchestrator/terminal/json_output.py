"""Facts as JSON on standard output, for scripts."""

import dataclasses
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from pathlib import PurePath
from typing import Any


def print_json(value: Any) -> None:
    """Print records, mappings and lists as JSON: moments as ISO 8601 in UTC, numbers that are not finite as null."""
    print(json.dumps(as_json(value), indent=2, ensure_ascii=True, allow_nan=False))


def as_json(value: Any) -> Any:
    """Return what `print_json` prints of a value, as plain values."""
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(as_json(key)): as_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_json(each) for each in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, PurePath):
        return str(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
