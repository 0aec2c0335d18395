"""How the claims are judged: the error rate, the family, the looks and the test, as the study file declares them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from reports.analysis.looks import alpha_spending
from search_spaces.errors import SettingError, unknown

TESTS = ("paired", "pooled", "welch", "sign")
FAMILIES = ("holm", "none")
SEEDS = 3
"""How many seeds a study has that does not say."""
MOST_SEEDS = 100_000
LEAST_ALPHA = 1e-9
"""Below it the quantiles of Student's t are no longer exact, and far below there are none."""
_KEYS = ("alpha", "family", "looks", "power", "futility", "test")


@dataclass(frozen=True)
class AnalysisSettings:
    """`alpha` is the two-sided error rate of the whole family of claims, spent over `looks` (numbers of seeds).

    Without looks there is one: the seeds that the study asks for. `power` is what "enough seeds" means, `futility` the
    chance of a decision below which no more seeds are spent on a claim.
    """

    alpha: float = 0.05
    family: str = "holm"
    looks: tuple[int, ...] = ()
    power: float = 0.8
    futility: float = 0.1
    test: str = "paired"

    @property
    def levels(self) -> tuple[float, ...]:
        """Return the level of each look; they add up to alpha."""
        return alpha_spending(self.looks, self.alpha) if self.looks else (self.alpha,)


def parse_analysis(analysis: Mapping[str, Any] | None, seeds: object = None) -> AnalysisSettings:
    """Read the study file's `analysis:` mapping and the looks of its `seeds:`.

    Raises SettingError, whose key starts with "analysis" or "seeds", for unknown keys and impossible values.
    """
    given = {} if analysis is None else analysis
    if not isinstance(given, Mapping):
        raise SettingError(f"analysis must be a mapping, for instance {{alpha: 0.05}}, not {given!r}", ("analysis",))
    for key in given:
        if key not in _KEYS:
            raise unknown("setting", key, _KEYS, ("analysis", str(key)))
    asked = seeds.get("looks") if isinstance(seeds, Mapping) else None
    if "looks" in given and asked is not None and given["looks"] != asked:
        raise SettingError("the looks are given twice and differ: keep those of seeds", ("analysis", "looks"))
    looks: tuple[int, ...] = ()
    if isinstance(seeds, Mapping) and asked is not None:
        looks = parse_looks(asked, ("seeds", "looks"))
    elif "looks" in given:
        looks = parse_looks(given["looks"], ("analysis", "looks"))
    alpha, power = _share(given, "alpha", 0.05), _share(given, "power", 0.8)
    if alpha < LEAST_ALPHA:
        raise SettingError(f"alpha must be at least {LEAST_ALPHA:g}, not {alpha!r}", ("analysis", "alpha"))
    if power <= alpha:
        key = "power" if "power" in given else "alpha"
        raise SettingError(
            f"power must be above alpha, not {power!r} with an alpha of {alpha!r}: chance alone decides as often",
            ("analysis", key),
        )
    return AnalysisSettings(
        alpha=alpha,
        family=_word(given, "family", FAMILIES),
        looks=looks,
        power=power,
        futility=_share(given, "futility", 0.1, zero=True),
        test=_word(given, "test", TESTS),
    )


def repeats_from(seeds: object) -> int | None:
    """Return the first seed of the A/A repetition, which the baseline arms alone have; None without ``aa: true``.

    It lies behind every seed on which a claim may rest, so that the two never share one.
    """
    if not isinstance(seeds, Mapping) or not seeds.get("aa"):
        return None
    looks = seeds.get("looks")
    return int(looks[-1] if looks else seeds.get("count") or SEEDS)


def parse_looks(value: object, key: tuple[str | int, ...] = ("looks",)) -> tuple[int, ...]:
    """Return the numbers of seeds at which the claims are judged: 3 or more, each larger than the one before."""
    right = f"looks are numbers of seeds that grow, from 3 to {MOST_SEEDS:,}, for instance [3, 5, 8, 12]"
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        raise SettingError(f"{right}; not {value!r}", key)
    if not all(isinstance(each, int) and not isinstance(each, bool) for each in value):
        raise SettingError(f"{right}; not {list(value)}", key)
    if value[0] < 3 or value[-1] > MOST_SEEDS or any(after <= before for before, after in pairwise(value)):
        raise SettingError(f"{right}; not {list(value)}", key)
    return tuple(value)


def _share(given: Mapping[str, Any], key: str, default: float, zero: bool = False) -> float:
    value = given.get(key, default)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not (0 <= value < 1 if zero else 0 < value < 1):
        raise SettingError(f"{key} must be a number between 0 and 1, not {value!r}", ("analysis", key))
    return float(value)


def _word(given: Mapping[str, Any], key: str, known: tuple[str, ...]) -> str:
    value = given.get(key, known[0])
    if value not in known:
        raise unknown(key, value, known, ("analysis", key))
    return str(value)
