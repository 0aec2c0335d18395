"""An arm: one full assignment of levels, and the hash that identifies what it stands for."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Scalar = bool | int | float | str


@dataclass(frozen=True)
class Arm:
    """One full assignment of levels; a row of the ablation table.

    `levels` maps each factor to its level, in the factors' order; `settings` holds the complete ``data``, ``network``
    and ``training`` mappings that the levels stand for; `id` is their `settings_hash`.
    """

    name: str
    levels: Mapping[str, Scalar]
    settings: Mapping[str, Any]
    id: str


# Made once: a plan of a thousand arms writes tens of thousands of short texts.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: object) -> str:
    """Return the one JSON text of `value`: sorted keys, no spaces; TypeError for what JSON cannot hold."""
    return _ENCODER.encode(value)


# Settings that have another name today enter hashes as in the first results, whose identity stays.
_FIRST_NAMES = {"training.autotune": "race"}
_FIRST_VALUES = {("training.precision", "autotune"): "race"}


def settings_hash(settings: Mapping[str, Any], cosmetic: frozenset[str] = frozenset()) -> str:
    """Return 16 hexadecimal digits that identify `settings` without the dotted paths in `cosmetic`."""
    return _digest(canonical_json(_without(settings, cosmetic)))


def settings_hashes(
    settings: Mapping[str, Any], more: Iterable[Mapping[str, Any]], cosmetic: frozenset[str] = frozenset()
) -> list[str]:
    """Return the `settings_hash` of `settings` with each of `more` beside them, writing `settings` as text once.

    What comes with `more` has keys that are not in `settings`, and nothing cosmetic.
    """
    texts = _texts(_without(settings, cosmetic))
    return [_digest(_joined({**texts, **_texts(part)})) for part in more]


def _texts(mapping: Mapping[str, Any]) -> dict[str, str]:
    """Return each key of a mapping with what stands for it and its value in the `canonical_json` of the mapping."""
    return {key: canonical_json({key: value})[1:-1] for key, value in mapping.items()}


def _joined(texts: Mapping[str, str]) -> str:
    """Return the `canonical_json` of a mapping from what stands for each of its keys."""
    return f"{{{','.join(texts[key] for key in sorted(texts))}}}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _without(settings: Mapping[str, Any], cosmetic: frozenset[str], prefix: str = "") -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in settings.items():
        path = f"{prefix}{key}"
        if path in cosmetic:
            continue
        if isinstance(value, Mapping):
            kept[key] = _without(value, cosmetic, f"{path}.")
        else:
            kept[_FIRST_NAMES.get(path, key)] = _FIRST_VALUES.get((path, str(value)), value)
    return kept
