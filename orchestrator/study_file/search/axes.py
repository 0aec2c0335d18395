"""The axes of a search space: each factor as the parameters that a sampler chooses, and back to a level."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, Protocol

from search_spaces.arm import Scalar
from search_spaces.errors import Key, SettingError, shown
from search_spaces.factors import Factor, Level, full_path, level_text
from search_spaces.wiring import MERGES, Tokens, Wiring, parse_wiring, wiring_name
from search_spaces.wiring_space import SLOT

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Params = Mapping[str, Any]
LEAST_DIGITS = 4
INACTIVE = "-"
"""The level of a factor whose condition does not hold: the study's own setting stays."""


class Axis(Protocol):
    """One factor of a search."""

    @property
    def name(self) -> str:
        """The factor's name."""

    def distributions(self) -> Mapping[str, "BaseDistribution"]:
        """Return the parameters that a sampler chooses, with what each may be."""

    def level(self, params: Params) -> Level:
        """Return the level that chosen parameters stand for; SettingError when they are no level."""

    def params(self, level: object) -> Params:
        """Return the parameters that stand for a level; SettingError when the axis has no such level."""

    def points(self) -> Iterator[Params] | None:
        """Return every choice in order; None when there is no end of them."""

    def known_levels(self) -> tuple[Scalar, ...]:
        """Return the levels that are known beforehand; none for a range."""


@dataclass(frozen=True)
class Choices:
    """A list or named bundles: the levels of a factorial design, as one unordered choice."""

    factor: Factor

    @property
    def name(self) -> str:
        """The factor's name."""
        return self.factor.name

    def distributions(self) -> Mapping[str, "BaseDistribution"]:
        """Return one choice among the levels' texts."""
        from optuna.distributions import CategoricalDistribution

        return {self.name: CategoricalDistribution([level.text for level in self.factor.levels])}

    def level(self, params: Params) -> Level:
        """Return the level of that text."""
        return self.factor.level(params[self.name])

    def params(self, level: object) -> Params:
        """Return the level's text."""
        return {self.name: self.factor.level(level).text}

    def points(self) -> Iterator[Params]:
        """Return every level in the file's order."""
        return ({self.name: level.text} for level in self.factor.levels)

    def known_levels(self) -> tuple[Scalar, ...]:
        """Return the levels' names."""
        return tuple(level.name for level in self.factor.levels)


@dataclass(frozen=True)
class Interval:
    """A range of numbers, on a logarithmic scale if `log`, its bounds included.

    Without a `step` a float is rounded to 4 significant digits, to more where the range is too narrow for them.
    """

    name: str
    low: int | float
    high: int | float
    step: int | float | None = None
    log: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether the numbers are whole."""
        return all(isinstance(each, int) for each in (self.low, self.high, self.step or 1))

    def distributions(self) -> Mapping[str, "BaseDistribution"]:
        """Return one number of the range."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.is_whole:
            whole = IntDistribution(int(self.low), int(self.high), log=self.log, step=int(self.step or 1))
            return {self.name: whole}
        return {self.name: FloatDistribution(float(self.low), float(self.high), log=self.log, step=self.step)}

    def level(self, params: Params) -> Level:
        """Return the number as a level."""
        number = params[self.name]
        value = int(number) if self.is_whole else self._rounded(number)
        path = full_path(self.name)
        return Level(value, {path: value}, {path: (self.name,)})

    def _rounded(self, number: float) -> float:
        """Return a number as it stands in the name of an arm, never outside the range."""
        if self.step is not None:
            return float(Decimal(str(self.low)) + round((number - self.low) / self.step) * Decimal(str(self.step)))
        if number in (self.low, self.high):
            return float(number)
        digits = LEAST_DIGITS
        while digits < 17 and 10.0 ** (1 - digits) * max(abs(self.low), abs(self.high)) > (self.high - self.low) / 10:
            digits += 1
        return min(max(float(f"{number:.{digits}g}"), float(self.low)), float(self.high))

    def params(self, level: object) -> Params:
        """Return a number of the range."""
        if isinstance(level, int | float) and not isinstance(level, bool) and self.low <= level <= self.high:
            if not self.is_whole and self._rounded(level) == level:
                return {self.name: float(level)}
            if self.is_whole and level == int(level):
                return {self.name: int(level)}
            if not self.is_whole:
                raise SettingError(f"{self._text}; {level_text(level)} would become {self._rounded(level)}: write that")
        raise SettingError(f"{self._text}; {level_text(level)} is not there")

    @property
    def _text(self) -> str:
        steps = f" in steps of {self.step}" if self.step is not None else ""
        return f"{self.name} goes from {self.low} to {self.high}{steps}"

    def points(self) -> Iterator[Params] | None:
        """Return every number of a stepped range."""
        if self.log or (self.step is None and not self.is_whole):
            return None
        step = self.step or 1
        count = int((self.high - self.low) / step + 1e-9) + 1
        return ({self.name: self.low + at * step} for at in range(count))

    def known_levels(self) -> tuple[Scalar, ...]:
        """Return nothing: a level is known once it is chosen."""
        return ()


@dataclass(frozen=True)
class Slots:
    """Every wiring of the block grammar, one parameter a place, so that a sampler can learn which place matters."""

    name: str
    convs: int
    merges: Tokens

    @cached_property
    def places(self) -> tuple[str, ...]:
        """The parameters' names."""
        before = [f"{self.name}: before conv {at + 1}" for at in range(self.convs)]
        return (*before, f"{self.name}: before {' or '.join(self.merges)}", f"{self.name}: after the merge")

    @property
    def _merge(self) -> str:
        return f"{self.name}: merge"

    def distributions(self) -> Mapping[str, "BaseDistribution"]:
        """Return a choice for each place, and the merge where there are two."""
        from optuna.distributions import CategoricalDistribution

        texts = [_slot_text(slot) for slot in SLOT]
        made: dict[str, BaseDistribution] = {place: CategoricalDistribution(texts) for place in self.places}
        if len(self.merges) > 1:
            made[self._merge] = CategoricalDistribution(list(self.merges))
        return made

    def level(self, params: Params) -> Level:
        """Return the wiring of the chosen places, under its name where it has one."""
        *before, behind, after = (_slot(params[place]) for place in self.places)
        branch = tuple(token for slot in before for token in (*slot, "conv"))
        wiring = Wiring((*branch, *behind), params.get(self._merge, self.merges[0]), after)
        text = wiring_name(parse_wiring(wiring.text, self.convs))
        path = full_path(self.name)
        return Level(text, {path: text}, {path: (self.name,)})

    def params(self, level: object) -> Params:
        """Return the places of a wiring."""
        wiring = parse_wiring(str(level), self.convs)
        slots = [*_between(wiring.branch), wiring.after]
        if wiring.merge not in self.merges or any(slot not in SLOT for slot in slots):
            raise SettingError(f'the wiring "{wiring.text}" is not in the searched space')
        params: dict[str, Any] = {place: _slot_text(slot) for place, slot in zip(self.places, slots, strict=True)}
        return params | ({self._merge: wiring.merge} if len(self.merges) > 1 else {})

    def points(self) -> Iterator[Params]:
        """Return every wiring that has a relu."""
        texts = [_slot_text(slot) for slot in SLOT]
        for merge in self.merges:
            for chosen in product(texts, repeat=len(self.places)):
                if any("relu" in text for text in chosen):
                    point: dict[str, Any] = dict(zip(self.places, chosen, strict=True))
                    yield point | ({self._merge: merge} if len(self.merges) > 1 else {})

    def known_levels(self) -> tuple[Scalar, ...]:
        """Return nothing: the wirings are too many to list."""
        return ()


def _slot_text(slot: Tokens) -> str:
    return " ".join(slot) or "nothing"


def _slot(text: str) -> Tokens:
    return () if text == "nothing" else tuple(text.split())


def _between(branch: Tokens) -> list[Tokens]:
    """Return what stands before each convolution of a branch, and behind the last one."""
    slots: list[list[str]] = [[]]
    for token in branch:
        if token == "conv":
            slots.append([])
        else:
            slots[-1].append(token)
    return [tuple(slot) for slot in slots]


def parse_interval(name: str, given: Mapping[str, Any], key: Key) -> Interval:
    """Read ``{low, high, step, log}``; SettingError for numbers that are no range."""
    low, high, step, log = (given.get(part) for part in ("low", "high", "step", "log"))
    for part, value in (("low", low), ("high", high), *((("step", step),) if step is not None else ())):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not abs(value) <= sys.float_info.max:
            raise SettingError(
                f"a range needs numbers, for instance {{low: 8, high: 64}}; {part} is {shown(value)}", (*key, part)
            )
    if not isinstance(log, bool | None):
        raise SettingError(f"log is true or false, not {log!r}", (*key, "log"))
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)
    if low >= high:
        raise SettingError(f"low must be below high, not {low} and {high}", (*key, "low"))
    if log and (low <= 0 or step is not None):
        raise SettingError("a logarithmic range starts above 0 and has no step", (*key, "log"))
    if step is not None and not 0 < step <= high - low:
        raise SettingError(f"step must be above 0 and at most {high - low:g}, not {step}", (*key, "step"))
    full_path(name, key)
    return Interval(name, low, high, step, bool(log))


def parse_merges(value: object, key: Key) -> Tokens:
    """Read the merges that wirings may have."""
    several: Sequence[Any] = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    if not several or any(each not in MERGES for each in several) or len(set(several)) < len(several):
        raise SettingError(f"merges are a list of {' and '.join(MERGES)}, not {value!r}", key)
    return tuple(several)
