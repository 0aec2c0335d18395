"""One arm over its seeds: mean and spread of the trials that ended well, and the rate of those that failed."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reports.analysis.intervals import is_constant, mean_interval, rate_interval, standard_deviation
from reports.analysis.readings import compared, finite, grid
from reports.metrics import PRIMARY
from reports.results import Study
from reports.trials import Arm

IDENTICAL = "identical in every seed: check that the seed reaches the network"


@dataclass(frozen=True)
class Summary:
    """What the readings of one arm say; every field that cannot be had at this n is None.

    `n` counts outcomes, of which `n_ok` are numbers and `n_fail` fails; `n_missing` are trials without an outcome.
    `values` holds the numbers by seed; mean to `maximum` describe them alone, so they hold given success.
    """

    n: int
    n_ok: int
    n_fail: int
    n_missing: int
    values: Mapping[int, float]
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None
    median: float | None
    minimum: float | None
    maximum: float | None
    fail_rate: float | None
    fail_low: float | None
    fail_high: float | None
    flag: str | None
    text: str


@dataclass(frozen=True)
class ArmSummary(Summary):
    """The summary of one arm of a study; `fails` names the seeds that failed."""

    arm: Arm
    fails: tuple[int, ...]

    @property
    def is_comparable(self) -> bool:
        """Whether its mean can be ranked: several seeds and no fail."""
        return self.n_ok > 1 and not self.n_fail


def summarise(study: Study, metric: str = PRIMARY.name, level: float = 0.95) -> tuple[ArmSummary, ...]:
    """Summarise every arm, in the study's order; intervals are Student's at `level`."""
    by_arm = grid(study, metric)
    trials = Counter(trial.arm for trial in compared(study))
    return tuple(_of_arm(arm, by_arm[arm.name], trials[arm.name], level) for arm in study.arms)


def _of_arm(arm: Arm, by_seed: Mapping[int, float], trials: int, level: float) -> ArmSummary:
    summary = summarise_values(by_seed, missing=trials - len(by_seed), level=level)
    fails = tuple(seed for seed, value in by_seed.items() if not math.isfinite(value))
    return ArmSummary(**vars(summary), arm=arm, fails=fails)


def summarise_values(values: Mapping[int, float], missing: int = 0, level: float = 0.95) -> Summary:
    """Summarise readings by seed, in which infinity is a fail.

    The interval of the mean is Student's, that of the SD chi-squared, that of the fail rate Clopper and Pearson's.
    """
    good = finite(values)
    numbers = list(good.values())
    n, n_ok = len(values), len(good)
    spread = standard_deviation(numbers)
    low, high = mean_interval(numbers, level) or (None, None)
    fail_low, fail_high = rate_interval(n - n_ok, n, level) or (None, None)
    mean = float(np.mean(numbers)) if numbers else None
    return Summary(
        n=n,
        n_ok=n_ok,
        n_fail=n - n_ok,
        n_missing=missing,
        values=good,
        mean=mean,
        sd=spread,
        low=low,
        high=high,
        median=float(np.median(numbers)) if numbers else None,
        minimum=min(numbers, default=None),
        maximum=max(numbers, default=None),
        fail_rate=(n - n_ok) / n if n else None,
        fail_low=fail_low,
        fail_high=fail_high,
        flag=IDENTICAL if n_ok >= 2 and is_constant(numbers) else None,
        text=summary_text(mean, spread, n_ok, n - n_ok),
    )


def summary_text(mean: float | None, sd: float | None, n_ok: int, n_fail: int) -> str:
    """Return the table's text: the mean and one SD over the seeds, or "fail" when at least half of them failed.

    "6.61 ± 0.14", "6.61 (n=1)", "6.57 ± 0.11 (fail 1/5)", "fail (3/5)", "no result yet".
    """
    n = n_ok + n_fail
    if n == 0:
        return "no result yet"
    if 2 * n_fail >= n or mean is None:
        return f"fail ({n_fail}/{n})"
    number = f"{mean:.2f} (n=1)" if sd is None else f"{mean:.2f} ± {sd:.2f}"
    return f"{number} (fail {n_fail}/{n})" if n_fail else number
