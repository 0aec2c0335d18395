"""Settings of an arm as the page tells them: each by its path, its value in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from reports.wording import level, shortened


def flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each setting by its path from the root."""
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def in_words(value: object) -> str:
    """Return the value of a setting as the page shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | str):
        return shortened(level(value), 60)
    return shortened(str(value), 60)
