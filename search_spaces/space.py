"""The space of arms: a baseline's settings, the factors laid over them, and the arm that each assignment stands for."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from search_spaces.arm import Arm, Scalar, settings_hash
from search_spaces.errors import Key, SettingError
from search_spaces.factors import Factor, Level, level_text
from search_spaces.value_bundles import in_yaml, meant_as_values

Levels = Mapping[str, Scalar]
Complete = Callable[[dict[str, Any]], dict[str, Any]]

# Settings that may be written as one word, and the key that the word stands for once a part of it is set.
_SHORTHAND = {("data",): "name", ("network", "shortcut"): "op"}


@dataclass(frozen=True)
class Space:
    """Everything that a study could run: `base` settings as the user wrote them, and the factors that vary them.

    `base` holds the raw ``data``, ``network`` and ``training`` of the study file. `complete` validates a raw mapping
    and fills every default in; it raises SettingError with the path of the wrong setting. `cosmetic` lists the dotted
    paths that cannot change a result. `exclude` lists partial assignments (factor to level, or to a list of levels)
    that must not run.
    """

    base: Mapping[str, Any]
    factors: tuple[Factor, ...]
    complete: Complete
    cosmetic: frozenset[str] = frozenset()
    exclude: tuple[Mapping[str, Any], ...] = ()

    def factor(self, name: str) -> Factor:
        """Return the factor of that name; KeyError when there is none."""
        for factor in self.factors:
            if factor.name == name:
                return factor
        raise KeyError(name)

    def arm(self, levels: Levels, overrides: Mapping[str, Any] | None = None) -> Arm:
        """Return the arm of a full assignment of levels, completed; `overrides` (dotted paths) come last.

        A SettingError about a setting that a level brought points at that level in the study file.
        """
        chosen = [factor.level(levels[factor.name]) for factor in self.factors]
        raw = self.raw(chosen, overrides)
        try:
            settings = self.complete(raw)
        except SettingError as error:
            raise self._at_its_level(error, chosen) from None
        named = {factor.name: level.name for factor, level in zip(self.factors, chosen, strict=True)}
        return Arm(arm_name(named), named, settings, settings_hash(settings, self.cosmetic))

    def raw(self, chosen: list[Level], overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the base settings with the chosen levels laid over them, whole settings before their parts."""
        changes = {
            path: (value, level.keys.get(path, ())) for level in chosen for path, value in level.settings.items()
        }
        changes.update({path: (value, ()) for path, value in (overrides or {}).items()})
        settings = deepcopy(dict(self.base))
        for path in sorted(changes, key=lambda each: each.count(".")):
            value, key = changes[path]
            try:
                _assign(settings, tuple(path.split(".")), deepcopy(value))
            except SettingError as error:
                raise SettingError(error.message, ("factors", *key)) from None
        return settings

    def _at_its_level(self, error: SettingError, chosen: list[Level]) -> SettingError:
        """Return the error with the place of the level that brought the setting, and with what was probably meant."""
        parts = [str(part) for part in error.key]
        for length in range(len(parts), 0, -1):
            path = ".".join(parts[:length])
            for place, level in enumerate(chosen):
                if path in level.settings and path in level.keys:
                    key = ("factors", *level.keys[path], *error.key[length:])
                    return SettingError(self._correction(path, place, chosen) or error.message, key)
        return self._at_a_part(error, ".".join(parts), chosen)

    def _at_a_part(self, error: SettingError, path: str, chosen: list[Level]) -> SettingError:
        """Return the error with the place of the level that set a part of that setting, if all is right without it."""
        for place, level in enumerate(chosen):
            keys = [key for part, key in level.keys.items() if part.startswith(f"{path}.")]
            if keys and self._are_right([*chosen[:place], *chosen[place + 1 :]]):
                return SettingError(error.message, ("factors", *keys[0]))
        return error

    def _are_right(self, chosen: list[Level]) -> bool:
        """Whether these levels make settings that can be."""
        try:
            self.complete(self.raw(chosen))
        except SettingError:
            return False
        return True

    def _correction(self, path: str, place: int, chosen: list[Level]) -> str | None:
        """Say how a level is written whose bundle holds the parts of one value; None where it does not."""
        factor, level = self.factors[place], chosen[place]
        for meant, key in meant_as_values(factor, level):
            if self._takes([*chosen[:place], meant, *chosen[place + 1 :]], key):
                return (
                    f"level {level.text} of factor {factor.name} is a bundle of settings, in which "
                    f"{path.rpartition('.')[2]} means {path}; did you mean {level.text}: {in_yaml(meant.settings)}?"
                )
        return None

    def _takes(self, chosen: list[Level], key: Key) -> bool:
        """Whether the setting at `key` is known, and its value right but for something inside of it."""
        try:
            self.complete(self.raw(chosen))
        except SettingError as error:
            return len(error.key) > len(key) and error.key[: len(key)] == key
        return True


def arm_name(levels: Levels) -> str:
    """Return the name of the arm with these levels: ``depth=110 variant=plain``, or ``baseline`` without factors."""
    return " ".join(f"{factor}={level_text(level)}" for factor, level in levels.items()) or "baseline"


def _assign(settings: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    inner: dict[str, Any] = settings
    for depth, part in enumerate(path[:-1], start=1):
        held = inner.get(part)
        word = _SHORTHAND.get(path[:depth])
        if held is None:
            held = {}
        elif isinstance(held, str) and word is not None:
            held = {word: held}
        elif not isinstance(held, Mapping):
            raise SettingError(f"{'.'.join(path)} cannot be set: {'.'.join(path[:depth])} is {held!r}, not a mapping")
        inner[part] = dict(held)
        inner = inner[part]
    inner[path[-1]] = value
