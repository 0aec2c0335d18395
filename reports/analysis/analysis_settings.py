"""How the claims are judged: the error rate, the family, the looks and the test, as the study file declares them."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from reports.analysis.fields import AnalysisFields, LookCounts
from reports.analysis.looks import alpha_spending
from search_spaces.errors import Key, SettingError
from search_spaces.settings import check, read_settings

SEEDS = 3
"""How many seeds a study has that does not say."""


@dataclass(frozen=True)
class AnalysisSettings:
    """`alpha` is the two-sided error rate of the whole family of claims, spent over `looks` (numbers of seeds).

    Without looks there is one: the seeds that the study asks for. `power` is what "enough seeds" means, `futility` the
    probability of a decision below which no more seeds are spent on a claim. `equivalent_within` is the difference
    up to which the main table may call two arms equivalent.
    """

    alpha: float = 0.05
    family: str = "holm"
    looks: tuple[int, ...] = ()
    power: float = 0.8
    futility: float = 0.1
    test: str = "paired"
    equivalent_within: float = 0.5

    @property
    def levels(self) -> tuple[float, ...]:
        """Return the level of each look; they add up to alpha."""
        return alpha_spending(self.looks, self.alpha) if self.looks else (self.alpha,)


def parse_analysis(analysis: Mapping[str, Any] | None, seeds: object = None) -> AnalysisSettings:
    """Read the study file's `analysis:` mapping and the looks of its `seeds:`.

    Raises SettingError, whose key starts with "analysis" or "seeds", for unknown keys and impossible values.
    """
    given = {} if analysis is None else analysis
    try:
        read = AnalysisFields(**read_settings(AnalysisFields, given, "setting of the analysis"))
        if read.power <= read.alpha:
            key = "power" if given.get("power") is not None else "alpha"
            wrong = f"not {read.power:g} with an alpha of {read.alpha:g}: chance alone decides as often"
            raise SettingError(f"power must be above alpha, {wrong}", (key,))
        own = None if read.looks is None else read_looks(read.looks, ("looks",))
    except SettingError as error:
        raise error.under("analysis") from None
    given_with_seeds = seeds.get("looks") if isinstance(seeds, Mapping) else None
    asked = None if given_with_seeds is None else read_looks(given_with_seeds, ("seeds", "looks"))
    if own is not None and asked is not None and own != asked:
        raise SettingError("the looks are given twice and differ: keep those of seeds", ("analysis", "looks"))
    return AnalysisSettings(
        alpha=float(read.alpha),
        family=read.family,
        looks=own or asked or (),
        power=float(read.power),
        futility=float(read.futility),
        test=read.test,
        equivalent_within=float(read.equivalent_within),
    )


def repeats_from(seeds: object) -> int | None:
    """Return the first seed of the A/A repetition, which the baseline arms alone have; None without ``aa: true``.

    It lies behind every seed on which a claim may rest, so that the two never share one.
    """
    if not isinstance(seeds, Mapping) or not seeds.get("aa"):
        return None
    looks = seeds.get("looks")
    return int(looks[-1] if looks else seeds.get("count") or SEEDS)


def read_looks(given: object, key: Key) -> tuple[int, ...]:
    """Return the numbers of seeds at which the claims are judged: 3 or more, each larger than the one before."""
    looks = check(given, LookCounts, "looks", key)
    if any(later <= earlier for earlier, later in pairwise(looks)):
        raise SettingError(f"looks must increase, for instance [5, 8, 12], not {looks}", key)
    return tuple(looks)
