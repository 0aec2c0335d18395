"""Every arm against the baseline arm of its context, paired by seed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import scipy

from reports.analysis import pooled
from reports.analysis.badges import SKEWED, UNLIKE
from reports.analysis.effects import (
    Effect,
    Grid,
    Student,
    differences,
    paired,
    sign,
    smallest_p,
    welch,
)
from reports.analysis.intervals import is_constant, standard_deviation
from reports.analysis.many import holm
from reports.analysis.procedure import Procedure
from reports.analysis.readings import grid
from reports.analysis.skewness import SURE, are_skewed, is_skewed_sample
from reports.analysis.threshold import decides
from reports.metrics import PRIMARY, find_metric
from reports.results import Study
from reports.trials import Arm, Scalar

NOT_WIRED = "identical in every seed: check that the seed reaches the network"


@dataclass(frozen=True)
class Contrast:
    """One arm minus its baseline, in units of the metric: below zero the arm is better than the baseline.

    `context` holds the levels that both share because the study's baseline leaves those factors open. `n` counts the
    seeds both have, `fails` those where one or both failed. `differences` is by seed: infinity when only the arm
    failed, minus infinity when only the baseline did, nan when both did. `test` is the one behind low, high and p
    ("paired", "pooled", "welch", "sign"), or None with the reason in `note`. `p_holm` is adjusted over all contrasts
    of the study that have a p.
    """

    arm: Arm
    baseline: Arm
    context: Mapping[str, Scalar]
    n: int
    fails: int
    differences: Mapping[int, float]
    test: str | None
    estimate: float | None
    low: float | None
    high: float | None
    sd: float | None
    p: float | None
    p_holm: float | None
    badges: tuple[str, ...]
    note: str | None

    @property
    def smallest_p(self) -> float:
        """The smallest p that any exact test can reach with these seeds."""
        return smallest_p(self.n)


def contrasts(
    study: Study, metric: str = PRIMARY.name, test: str = "paired", level: float = 0.95
) -> tuple[Contrast, ...]:
    """Compare every arm with the baseline arm of its context, in the study's order; orphaned arms are left out.

    `test` is the declared one; a fail in either arm calls for the sign test with fails ranking worst instead.
    """
    readings = grid(study, metric)
    live = [arm for arm in study.arms if not arm.orphaned]
    procedure = Procedure(test, level, pooled.fit({arm.name: readings[arm.name] for arm in live}))
    resolution = find_metric(metric, study.metrics).resolution
    skewed = are_skewed({arm.name: readings[arm.name] for arm in live})
    by_levels = {frozenset(arm.levels.items()): arm for arm in live}
    made = []
    for arm in live:
        baseline = by_levels.get(frozenset({**arm.levels, **study.baseline}.items()))
        if baseline is not None and baseline is not arm and study.baseline:
            context = {factor: level for factor, level in arm.levels.items() if factor not in study.baseline}
            contrast = _contrast(arm, baseline, context, readings, procedure, resolution)
            doubtful = skewed and contrast.test not in (None, "sign") and SKEWED not in contrast.badges
            made.append(replace(contrast, badges=(*contrast.badges, SKEWED)) if doubtful else contrast)
    return _with_holm(made)


def _contrast(
    arm: Arm, baseline: Arm, context: Mapping[str, Scalar], readings: Grid, procedure: Procedure, resolution: float
) -> Contrast:
    pair = {arm.name: 1.0, baseline.name: -1.0}
    by_seed = differences(readings, pair)
    effect, note = choose(readings, pair, by_seed, procedure, resolution)
    low, high = effect.interval(procedure.level) if effect else (None, None)
    numbers = [value for value in by_seed.values() if math.isfinite(value)]
    clean = len(numbers) == len(by_seed)
    spread = standard_deviation(numbers) if clean else None
    mean = float(np.mean(numbers)) if numbers and clean else None
    is_t = isinstance(effect, Student)
    return Contrast(
        arm=arm,
        baseline=baseline,
        context=context,
        n=len(by_seed),
        fails=len(by_seed) - len(numbers),
        differences=by_seed,
        test=effect.test if effect else None,
        estimate=effect.estimate if effect else mean,
        low=low,
        high=high,
        sd=spread,
        p=two_sided(effect) if effect else None,
        p_holm=None,
        badges=(
            *((UNLIKE,) if is_t and has_unlike_spreads(readings, pair) else ()),
            *((SKEWED,) if is_t and is_skewed_sample(by_seed) else ()),
        ),
        note=note,
    )


def choose(
    readings: Grid,
    weights: Mapping[str, float],
    by_seed: Mapping[int, float],
    procedure: Procedure,
    resolution: float = 0.0,
) -> tuple[Effect | None, str | None]:
    """Return the effect by the declared test, or by the one that the data call for, and the reason when it differs.

    A fail calls for the sign test; so do differences that are the same in every seed. Arms whose seeds all gave the
    same number get no test: their seeds are no repetitions.
    """
    test, model = procedure.test, procedure.model
    every = [value for arm in weights for value in readings.get(arm, {}).values()]
    if not all(map(math.isfinite, every)):
        return sign(by_seed, resolution), "fails rank behind every number: exact sign test"
    if test == "welch":
        if (apart := welch(readings, weights)) is not None:
            return apart, None
        return None, "fewer than two seeds in an arm" if min(
            len(readings.get(arm, {})) for arm in weights
        ) < 2 else NOT_WIRED
    if len(by_seed) < 2:
        return None, "one seed: no interval, no test" if by_seed else "no seed that all arms have"
    if all(is_constant(list(readings[arm].values())) for arm in weights):
        return None, NOT_WIRED
    if test == "sign":
        return sign(by_seed, resolution), None
    effect = paired(by_seed, resolution)
    shared = model.effect(weights) if test == "pooled" and model is not None else None
    refusal = model.unlike(shared, effect) if model is not None and shared is not None else "no pooled model: paired t"
    if shared is not None and refusal is None:
        return shared, None
    if effect is None:
        return sign(by_seed, resolution), "the same difference in every seed: exact sign test"
    return effect, refusal if test == "pooled" else None


def two_sided(effect: Effect, margin: float = 0.0) -> float:
    """Return the two-sided p of "theta equals `margin`"."""
    return min(1.0, 2 * min(effect.p_above(margin), effect.p_below(margin)))


def has_unlike_spreads(readings: Grid, weights: Mapping[str, float]) -> bool:
    """Whether a t interval is in doubt: a fail, or spreads that differ by more than a factor of 3, and by more than
    normal noise gives in one study of a hundred (the F test of the largest and the least variance).
    """
    groups = [list(readings.get(arm, {}).values()) for arm in weights]
    if not all(math.isfinite(value) for values in groups for value in values):
        return True
    spreads = sorted((sd, len(values)) for values in groups if (sd := standard_deviation(values)) is not None)
    if len(spreads) < 2 or spreads[-1][0] <= 3 * spreads[0][0]:
        return False
    (least, few), (most, many) = spreads[0], spreads[-1]
    if least == 0:
        return True
    pairs = len(spreads) * (len(spreads) - 1) / 2
    return decides(2 * pairs * float(scipy.special.fdtrc(many - 1, few - 1, (most / least) ** 2)), SURE)


def _with_holm(made: list[Contrast]) -> tuple[Contrast, ...]:
    known = [each.p for each in made if each.p is not None]
    adjusted = iter(holm(known))
    return tuple(each if each.p is None else replace(each, p_holm=next(adjusted)) for each in made)
