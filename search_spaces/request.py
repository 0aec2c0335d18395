"""What a design is asked for: the factors, the baseline, and the contexts that the baseline leaves open."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from search_spaces.arm import Scalar
from search_spaces.errors import SettingError, unknown
from search_spaces.factors import Factor
from search_spaces.space import Levels


@dataclass(frozen=True)
class Request:
    """The factors and the baseline as level names; factors that the baseline leaves out are contexts."""

    factors: tuple[Factor, ...]
    baseline: Levels

    @property
    def contexts(self) -> tuple[Factor, ...]:
        """The factors that the baseline leaves out: every comparison is repeated at each of their levels."""
        return tuple(factor for factor in self.factors if factor.name not in self.baseline)

    @property
    def varied(self) -> tuple[Factor, ...]:
        """The factors that the baseline names."""
        return tuple(factor for factor in self.factors if factor.name in self.baseline)

    def in_every_context(self, parts: Iterable[Levels]) -> list[Levels]:
        """Cross assignments of the varied factors with the contexts; contexts vary slowest."""
        parts = list(parts)
        return [self._ordered({**context, **part}) for context in assignments(self.contexts) for part in parts]

    def other_levels(self, given: object, option: str) -> dict[str, Scalar]:
        """Return the level that each varied factor changes to: as `given`, else the other one of its two.

        Factors with one level do not change. Raises SettingError (key `option`) for names that are not there, for the
        baseline's own level, and for factors of three or more levels that `given` leaves open.
        """
        if given is not None and not isinstance(given, Mapping):
            raise SettingError(f"{option} is a mapping of factors to levels, not {given!r}", (option,))
        wanted = {str(name): level for name, level in (given or {}).items()}
        for name in wanted:
            if name not in self.baseline:
                raise unknown(f"factor in {option}", name, self.baseline, (option, name))
        changes = {}
        for factor in self.varied:
            base = self.baseline[factor.name]
            others = [level.name for level in factor.levels if level.name != base]
            if factor.name in wanted:
                changes[factor.name] = self._changed(factor, wanted[factor.name], option)
            elif len(others) > 1:
                choices = ", ".join(str(each) for each in others)
                message = f"factor {factor.name} has several other levels: say which in {option} ({choices})"
                raise SettingError(message, (option,))
            elif others:
                changes[factor.name] = others[0]
        return changes

    def _changed(self, factor: Factor, level: object, option: str) -> Scalar:
        try:
            name = factor.level(level).name
        except SettingError as error:
            raise SettingError(error.message, (option, factor.name)) from None
        if name == self.baseline[factor.name]:
            raise SettingError(f"{option} gives {factor.name} the baseline's own level {name}", (option, factor.name))
        return name

    def _ordered(self, levels: Levels) -> Levels:
        return {factor.name: levels[factor.name] for factor in self.factors}


def assignments(factors: tuple[Factor, ...]) -> Iterator[dict[str, Scalar]]:
    """Yield every full assignment of the factors' levels; the last factor varies fastest."""
    for chosen in product(*(factor.levels for factor in factors)):
        yield {factor.name: level.name for factor, level in zip(factors, chosen, strict=True)}
