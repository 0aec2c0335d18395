"""Named levels that hold the parts of one value, where settings belong: ``schedule: {cosine: {name: cosine}}``."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from search_spaces.errors import Key
from search_spaces.factors import ROOTS, Factor, Level

# Plain words that YAML reads as something else than text.
_NO_TEXT = frozenset(["true", "false", "null", "yes", "no", "on", "off", "y", "n"])


def meant_as_values(factor: Factor, level: Level) -> Iterator[tuple[Level, Key]]:
    """Yield what a bundle stands for if its keys are parts of the setting that its factor is named after.

    Each comes with the place of that setting. There is none for a level that is no bundle, nor for a bundle that names
    a setting by its whole path.
    """
    written = {str(key[-1]): level.settings[path] for path, key in level.keys.items() if len(key) == 3}
    if not written or len(written) < len(level.settings) or any(name.partition(".")[0] in ROOTS for name in written):
        return
    if factor.name in ROOTS:  # a whole part of the file, whose other settings stay
        yield Level(level.name, {f"{factor.name}.{name}": value for name, value in written.items()}), (factor.name,)
        return
    has_root = factor.name.partition(".")[0] in ROOTS
    for path in [factor.name] if has_root else [f"{root}.{factor.name}" for root in ("network", "training")]:
        yield Level(level.name, {path: written}), tuple(path.split("."))


def in_yaml(settings: Mapping[str, Any]) -> str:
    """Return settings as a study file may have them, on one line."""

    def bare(quoted: re.Match[str]) -> str:
        return quoted[0] if quoted[1].lower() in _NO_TEXT else quoted[1]

    return re.sub(r'"([A-Za-z_][\w.]*)"', bare, json.dumps(settings, ensure_ascii=False))
