"""Factors and their levels: what varies in a study, and the settings that each choice stands for."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeGuard

from search_spaces.arm import Scalar, canonical_json
from search_spaces.errors import Key, SettingError, shown, unknown
from search_spaces.settings import plain

ROOTS = ("data", "network", "training")
JOINERS = "\u200d\ufe0f"
"""What joins and colours emoji."""
_RESULTLESS = frozenset(
    [
        "study",
        "question",
        "design",
        "baseline",
        "exclude",
        "where",
        "match",
        "factors",
        "seeds",
        "fail_above",
        "claims",
        "analysis",
        "search",
        "keep",
        "probes",
        "resources",
        "database",
    ]
)


@dataclass(frozen=True)
class Level:
    """One value of a factor: its name, and the settings (dotted path to value) that it stands for.

    `keys` says where each of those settings stands in the mapping that was parsed, so that an error about a setting
    can point at the line of the level that brought it.
    """

    name: Scalar
    settings: Mapping[str, Any]
    keys: Mapping[str, Key] = field(default_factory=dict, compare=False)

    @property
    def text(self) -> str:
        """The level's name as it appears in the name of an arm."""
        return level_text(self.name)


@dataclass(frozen=True)
class Factor:
    """One thing that varies, and its levels in the order of the study file."""

    name: str
    levels: tuple[Level, ...]

    @cached_property
    def _by_text(self) -> dict[str, int]:
        """The place of each level by its text: a factor may have thousands, and each arm asks."""
        return {level.text: place for place, level in reversed(list(enumerate(self.levels)))}

    @cached_property
    def _by_number(self) -> dict[float, int]:
        numbers = [(place, level.name) for place, level in enumerate(self.levels)]
        return {number: place for place, number in reversed(numbers) if _is_number(number)}

    def level(self, name: object) -> Level:
        """Return the level that `name` (a name, its text, or the value that it stands for) means; SettingError if none.

        The error's key is empty: the caller knows where the name was written.
        """
        if name is None and all(None not in level.settings.values() for level in self.levels):
            raise SettingError(f"no level of factor {self.name} is named here: {self._names()}")
        by_number = self._by_number.get(name) if _is_number(name) else None
        wanted = level_text(name)
        places = [place for place in (self._by_text.get(wanted), by_number) if place is not None]
        if places:
            return self.levels[min(places)]
        if isinstance(name, Mapping):
            for level in self.levels:
                if list(level.settings.values()) == [name] or _bundle_of(name) == dict(level.settings):
                    return level
        raise unknown(f"level of factor {self.name}", wanted, (level.text for level in self.levels))

    def _names(self) -> str:
        return f"it has {', '.join(level.text for level in self.levels[:12])}{', ...' if len(self.levels) > 12 else ''}"

    @property
    def paths(self) -> frozenset[str]:
        """Every dotted path that some level of this factor sets."""
        return frozenset(path for level in self.levels for path in level.settings)


def parse_factors(mapping: Mapping[str, Any]) -> tuple[Factor, ...]:
    """Turn the `factors:` mapping of a study file into factors.

    A list holds the levels of the setting that the factor is named after (``depth`` means ``network.depth``; a path
    that starts with data, network or training is taken as it is). A mapping holds named bundles of settings. Raises
    SettingError for empty or doubled levels, and for paths that cannot change a result.
    """
    if not isinstance(mapping, Mapping):
        raise SettingError(f"factors are a mapping of names to levels, not {_kind(mapping)}")
    factors = tuple(_parse_factor(_label(name, "factor", ()), levels) for name, levels in mapping.items())
    _refuse_shared_paths(factors)
    return factors


def is_bundles(levels: object) -> bool:
    """Whether levels are a mapping of named bundles: each of its values is a mapping, or nothing."""
    return isinstance(levels, Mapping) and all(isinstance(each, Mapping | None) for each in levels.values())


def full_path(key: str, where: Key = ()) -> str:
    """Return the dotted path that `key` means as a factor or inside a bundle; SettingError for a foreign root."""
    root, _, rest = key.partition(".")
    if "" in (parts := key.split(".")):
        meant = ".".join(part for part in parts if part)
        hint = f": did you mean {shown(meant)}?" if meant else ""
        raise SettingError(f"{shown(key)} has an empty part between its dots{hint}", where)
    if root in ROOTS:
        return key
    if root in _RESULTLESS:
        raise SettingError(
            f"{key} is no setting of a single arm, so it cannot be a factor: factors vary {_listed(ROOTS)}", where
        )
    if rest:
        raise SettingError(f"{key} starts with none of {', '.join(ROOTS)}: did you mean network.{key}?", where)
    return f"network.{key}"


def level_text(value: object, keywords: bool = False) -> str:
    """Return short text for a level: ``20``, ``scale(0.5, 0.5)``, with `keywords` ``scale(shortcut=0.5)``."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return _mapping_text(value, keywords)
    if isinstance(value, list | tuple):
        return f"[{', '.join(level_text(each, keywords) for each in value)}]"
    return str(value)


def _mapping_text(value: Mapping[str, Any], keywords: bool) -> str:
    head = next((key for key in ("op", "name", "recipe", "family") if key in value), None)
    rest = {key: each for key, each in value.items() if key != head}
    named = keywords or head is None
    parts = ", ".join(
        f"{key}={level_text(each, keywords)}" if named else level_text(each) for key, each in rest.items()
    )
    if head is None:
        return f"({parts})"
    return f"{value[head]}({parts})" if parts else str(value[head])


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}"


def _label(label: object, what: str, where: Key) -> str:
    """Return a name as text; SettingError for one that a reader of a table could not tell from another."""
    text = level_text(label)
    if not text.strip():
        raise SettingError(f"a {what} has a blank name: give it one that can be read", (*where, text))
    if text != text.strip():
        raise SettingError(
            f"the name {shown(text)} of a {what} begins or ends with a blank: take it off", (*where, text)
        )
    bad = unseen_character(text)
    if bad is not None:
        raise SettingError(f"the name {shown(text)} of a {what} has {bad} in it", (*where, text))
    return text


def unseen_character(text: str) -> str | None:
    """Return what to call the first character of a name that no reader sees, or that ends its line; None without."""
    unseen = (each for each in text if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp"))
    bad = next((each for each in unseen if each not in JOINERS), None)
    return None if bad is None else f"the control character {bad!a}"


def _parse_factor(name: str, levels: object) -> Factor:
    if levels is None:
        raise SettingError(f"factor {name} has no levels: name at least one", (name,))
    if isinstance(levels, Mapping):
        _refuse_range(name, levels)
        parsed = [_bundle(name, label, settings) for label, settings in levels.items()]
    elif isinstance(levels, list | tuple):
        parsed = _values(name, levels)
    else:
        raise SettingError(
            f"factor {name} needs a list of levels ({name}: [...]) or a mapping of named bundles "
            f"({name}: {{label: {{...}}}}), not {_kind(levels)}",
            (name,),
        )
    if not parsed:
        raise SettingError(f"factor {name} has no levels: name at least one", (name,))
    _refuse_doubles(name, parsed)
    return Factor(name, tuple(parsed))


# How other tools write a range or a list of values.
_LOW = frozenset(["low", "min", "minimum", "lower", "from", "start"])
_HIGH = frozenset(["high", "max", "maximum", "upper", "to", "stop", "end"])
_VALUES = frozenset(["values", "value", "choices", "options", "grid", "levels", "list"])


def _refuse_range(name: str, levels: Mapping[str, Any]) -> None:
    """Raise SettingError for a range, or for what stands for one or for a list in other tools."""
    if is_bundles(levels):
        return
    keys = {str(key).lower(): value for key, value in levels.items()}
    low, high = (next((keys[key] for key in keys if key in names), None) for names in (_LOW, _HIGH))
    if low is not None or high is not None:
        right = f"{{low: {shown(low)}, high: {shown(high)}}}" if None not in (low, high) else "{low: 8, high: 64}"
        raise SettingError(
            f"a range of numbers is written {name}: {right}, and only `design: search` takes one; "
            f"every other design takes a list, {name}: [...]",
            (name,),
        )
    values = next((keys[key] for key in keys if key in _VALUES), None)
    if isinstance(values, list | tuple):
        raise SettingError(f"levels are written as a list: {name}: {shown(list(values))}", (name,))


def _values(name: str, values: Iterable[Any]) -> list[Level]:
    path = full_path(name, (name,))
    items = [plain(value, f"a level of factor {name}", (name, at)) for at, value in enumerate(values)]
    texts = [level_text(each) for each in items]
    levels = []
    for index, value in enumerate(items):
        text = level_text(value, keywords=texts.count(texts[index]) > 1)
        if isinstance(value, str):
            _label(value, f"level of factor {name}", (name, index))
        named = value if isinstance(value, bool | int | float | str) else text
        levels.append(Level(named, {path: value}, {path: (name, index)}))
    return levels


def _bundle(name: str, given: object, settings: object) -> Level:
    if not isinstance(given, bool | int | float | str):
        raise SettingError(f"a level of factor {name} has no name: found {shown(given)}", (name,))
    label: Scalar = plain(given, f"the name of a level of factor {name}", (name,))
    _label(label, f"level of factor {name}", (name,))
    if settings is None:
        settings = {}
    if not isinstance(settings, Mapping):
        raise SettingError(
            f"level {level_text(label)} of factor {name} needs a mapping of settings, not {_kind(settings)}; "
            f"plain values are written as a list: {name}: [...]",
            (name, level_text(label)),
        )
    key = label if isinstance(label, str | int) and not isinstance(label, bool) else level_text(label)
    keys: dict[str, Key] = {}
    values = {}
    for setting, value in settings.items():
        where = (name, key, str(setting))
        path = full_path(str(setting), where)
        if path in values:
            raise SettingError(f"level {key} of factor {name} sets {path} twice", where)
        values[path], keys[path] = plain(value, str(setting), where), where
    return Level(label, values, keys)


def _bundle_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key if key.split(".")[0] in ROOTS else f"network.{key}": value for key, value in settings.items()}


def _refuse_doubles(name: str, levels: list[Level]) -> None:
    names: set[object] = set()
    settings: dict[str, Level] = {}
    for index, level in enumerate(levels):
        text = unicodedata.normalize("NFC", level.text)
        if text in names or (_is_number(level.name) and level.name in names):
            raise SettingError(f"factor {name} has the level {level.text} twice", (name, index))
        names |= {text, level.name} if _is_number(level.name) else {text}
        earlier = settings.setdefault(canonical_json(dict(level.settings)), level)
        if earlier is not level:
            raise SettingError(
                f"levels {earlier.text} and {level.text} of factor {name} have the same settings",
                (name, level.text),
            )


def _refuse_shared_paths(factors: tuple[Factor, ...]) -> None:
    owners: dict[str, str] = {}
    for factor in factors:
        for path in sorted(factor.paths):
            if path in owners:
                raise SettingError(
                    f"factors {owners[path]} and {factor.name} both set {path}: one would overwrite the other",
                    (factor.name,),
                )
            owners[path] = factor.name


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(value: object) -> str:
    return "nothing" if value is None else shown(value)
