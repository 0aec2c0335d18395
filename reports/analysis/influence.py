"""Whether a verdict rests on one seed: the seeds without any one of which it would not be reached."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf

from reports.analysis import pooled
from reports.analysis.claims import Claim
from reports.analysis.effects import Grid
from reports.analysis.evidence import Case, evaluate
from reports.analysis.power import seeds_for_rate
from reports.analysis.procedure import Procedure
from reports.analysis.threshold import decides

LEAST_LEFT = 2


def deciding_seeds(
    claim: Claim, contexts: Sequence[Case], grid: Grid, procedure: Procedure, alpha: float, *, supported: bool
) -> Mapping[int, float]:
    """Return the p without each seed that undoes a verdict by being left out, by seed; p is on the scale of `alpha`.

    The test is that of the verdict, without the stricter rule for few seeds, which every number of seeds below it would
    fail. Nothing for rates and for what is known exactly, and where the seeds that are left could decide nothing.
    """
    seeds = sorted({seed for case in contexts for arm in case.weights for seed in grid.get(arm, {})})
    left = len(seeds) - 1
    if claim.statement.relation == "fails" or claim.is_exact or left < LEAST_LEFT:
        return {}
    if procedure.test == "sign" and left < seeds_for_rate(0.5, alpha):
        return {}
    undone = {}
    for seed in seeds:
        rest = {arm: {key: value for key, value in each.items() if key != seed} for arm, each in grid.items()}
        model = pooled.fit(rest) if procedure.test == "pooled" else None
        without = evaluate(claim, contexts, rest, replace(procedure, model=model, worst=-inf))
        if any(context.test == "sign" and context.n < seeds_for_rate(0.5, alpha) for context in without.contexts):
            return {}
        p = without.support if supported else without.refute
        if not decides(p, alpha):
            undone[seed] = p
    return undone
