"""What the trials at hand say about one claim: each context by itself, and all of them together."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from reports.analysis import literature
from reports.analysis.badges import FAILS_MORE, FEW, NOT_MONOTONE, SKEWED, UNLIKE
from reports.analysis.claims import Claim
from reports.analysis.contrasts import NOT_WIRED, choose, has_unlike_spreads
from reports.analysis.effects import Effect, Exact, Grid, Sign, Student, Weights, differences, exact
from reports.analysis.intervals import is_constant, rate_interval
from reports.analysis.looks import e_value
from reports.analysis.outliers import could_undo, with_sign_flips
from reports.analysis.procedure import Procedure
from reports.analysis.rates import P_RATE, p_rate_above, p_rate_below
from reports.analysis.threshold import decides
from reports.results import Study
from reports.trials import Scalar
from reports.wording import level_owners, levels_in_words

Levels = Mapping[str, Scalar]


@dataclass(frozen=True)
class Case:
    """A claim in one context: the effect is the weighted sum of the arms, less `constant`.

    It counts in the claimed direction; that of an equality is its left side less its right, as Δ in the table of arms.
    `words` tell the context, "" where there is only one. Of a trend, `leads` names each level with the two arms whose
    lead is followed, `towards` is -1 where it is to fall.
    """

    context: Levels
    words: str
    weights: Weights
    constant: float = 0.0
    leads: tuple[tuple[Scalar, str, str], ...] = ()
    towards: float = 1.0


@dataclass(frozen=True)
class FailRate:
    """How many of an arm's seeds fail, with Clopper and Pearson's interval of the rate."""

    arm: str
    fails: int
    n: int
    low: float
    high: float


@dataclass(frozen=True)
class ContextResult:
    """The claim in one context. `estimate`, `low` and `high` are the effect, above the margin when the claim holds.

    `n` counts the seeds that all arms have, `fails` the failed trials among them. `p_support` and `p_refute` are
    one-sided: small values speak for and against the claim. `differences` by seed is infinite where one side failed
    and nan where both did; for "fails" it is 1 for a fail and 0 for none. `leads` are the mean leads of a trend by
    level, `rates` how often each arm fails, where one does, `weights` those of the arms in the effect. `fragile` says
    whether rare outliers that these seeds would not show could undo a support, and a refutation, `by_flips` whether its
    p is that of the exact sign flips for it.
    """

    context: Levels
    words: str
    arms: tuple[str, ...]
    n: int
    fails: int
    differences: Mapping[int, float]
    effect: Effect | None
    test: str | None
    estimate: float | None
    low: float | None
    high: float | None
    level: float
    p_support: float
    p_refute: float
    badges: tuple[str, ...] = ()
    note: str | None = None
    leads: Mapping[Scalar, float] = field(default_factory=dict)
    rates: tuple[FailRate, ...] = ()
    weights: Weights = field(default_factory=dict)
    fragile: tuple[bool, bool] = (False, False)
    by_flips: tuple[bool, bool] = (False, False)

    @property
    def settings(self) -> str:
        """Return the context as settings, "depth=110 unit=preact"; "" where there is only one."""
        return " ".join(f"{factor}={level}" for factor, level in self.context.items())


@dataclass(frozen=True)
class Evidence:
    """A claim on one set of seeds. `support` and `refute` are p on the scale of alpha: at most alpha decides.

    `by_flips` says of each whether it is that of the exact sign flips, in the context that decides.
    """

    contexts: tuple[ContextResult, ...]
    support: float
    refute: float
    by_flips: tuple[bool, bool] = (False, False)


def cases(study: Study, claim: Claim) -> tuple[Case, ...]:
    """Return the contexts whose arms the study has; orphaned arms do not count."""
    names = {frozenset(arm.levels.items()): arm.name for arm in study.arms if not arm.orphaned}
    owners = level_owners(study.factors)
    every = (
        _case(study, claim, context, levels_in_words(context, owners), names)
        for context in claim.contexts(study.factors)
    )
    return tuple(each for each in every if each is not None)


def _case(
    study: Study, claim: Claim, context: Levels, words: str, names: Mapping[frozenset[tuple[str, Scalar]], str]
) -> Case | None:
    said = claim.statement

    def arm(pins: Levels | None, **along: Scalar) -> str | None:
        return names.get(frozenset({**context, **(pins or {}), **along}.items()))

    if said.along is not None:
        pairs = {
            level: (first, second)
            for level in claim.levels(said.along, study.factors)
            if (first := arm(said.left, **{said.along: level})) and (second := arm(said.right, **{said.along: level}))
        }
        return _trend(context, words, pairs, said.relation) if len(pairs) > 1 else None
    left, right = arm(said.left), arm(said.right)
    if left is None or (said.right is not None and right is None):
        return None
    if said.relation == "fails":
        return Case(context, words, {left: 1.0})
    if right is None or said.value is not None:
        towards = -1.0 if said.relation == "<" else 1.0
        return Case(context, words, {left: towards}, towards * (said.value or 0.0))
    return Case(context, words, {right: 1.0, left: -1.0} if said.relation == "<" else {left: 1.0, right: -1.0})


def _trend(context: Levels, words: str, pairs: Mapping[Scalar, tuple[str, str]], relation: str) -> Case:
    """Return how much the lead b - a grows from the least level to the greatest by its slope over all levels."""
    levels = sorted(pairs, key=float)
    towards = 1.0 if relation == "increases" else -1.0
    weights: dict[str, float] = {}
    for level, weight in zip(levels, trend_weights(levels), strict=True):
        if weight:
            first, second = pairs[level]
            weights |= {second: towards * weight, first: -towards * weight}
    return Case(context, words, weights, leads=tuple((level, *pairs[level]) for level in levels), towards=towards)


def trend_weights(levels: Sequence[Scalar]) -> tuple[float, ...]:
    """Return the weights of the least-squares slope over these numbers, times their range; -1 and 1 for two of them."""
    numbers = [float(level) for level in levels]
    centre = math.fsum(numbers) / len(numbers)
    squares = math.fsum((number - centre) ** 2 for number in numbers)
    reach = max(numbers) - min(numbers)
    return tuple((number - centre) * reach / squares for number in numbers)


def evaluate(
    claim: Claim, contexts: Sequence[Case], grid: Grid, procedure: Procedure, *, over: str | None = None
) -> Evidence:
    """Judge one claim on the readings in `grid`, over its contexts as it says or as `over` does."""
    over = claim.over if over is None else over
    if over == "average" and len(contexts) > 1:
        contexts = (_average(contexts),)
    results = tuple(_context(claim, case, grid, procedure) for case in contexts)
    if not results:
        return Evidence((), 1.0, 1.0)
    tails = [_by_e_value(claim, each) if procedure.unplanned else _on_alpha(each) for each in results]
    support, refute = [each[0] for each in tails], [each[1] for each in tails]
    count = len(results)
    by_flips = (False, False) if procedure.unplanned else _by_flips(results, support, refute, over)
    if over == "any":
        return Evidence(results, min(1.0, count * min(support)), max(refute), by_flips)
    return Evidence(results, max(support), min(1.0, count * min(refute)), by_flips)


def _by_flips(
    results: Sequence[ContextResult], support: Sequence[float], refute: Sequence[float], over: str
) -> tuple[bool, bool]:
    one, other = (min, max) if over == "any" else (max, min)
    return results[support.index(one(support))].by_flips[0], results[refute.index(other(refute))].by_flips[1]


def _average(contexts: Sequence[Case]) -> Case:
    weights: dict[str, float] = {}
    for case in contexts:
        for arm, weight in case.weights.items():
            weights[arm] = weights.get(arm, 0.0) + weight / len(contexts)
    return Case({}, "", weights, math.fsum(case.constant for case in contexts) / len(contexts))


def _on_alpha(result: ContextResult) -> tuple[float, float]:
    """Return both p on the scale of alpha, half of which goes to supporting a claim and half to refuting it."""
    return min(1.0, 2 * result.p_support), min(1.0, 2 * result.p_refute)


def _by_e_value(claim: Claim, result: ContextResult) -> tuple[float, float]:
    effect = result.effect
    if not isinstance(effect, Student) or effect.n < 2:
        return 1.0, 1.0

    def against(margin: float) -> tuple[float, float]:
        distance = (effect.estimate - margin) / effect.se
        p = min(1.0, 1 / e_value(distance, effect.n))
        return (p, 1.0) if distance > 0 else (1.0, p)

    if claim.statement.relation == "==":
        (above, far_below), (far_above, below) = against(-claim.margin), against(claim.margin)
        return max(above, below), min(far_above, far_below)
    return against(claim.margin)


def _context(claim: Claim, case: Case, grid: Grid, procedure: Procedure) -> ContextResult:
    level = procedure.level
    if claim.statement.relation == "fails":
        return _rate(claim, case, grid, level)
    by_seed = differences(grid, case.weights, case.constant)
    effect, note = _effect(claim, case, grid, by_seed, procedure)
    low, high = effect.interval(level) if effect else (None, None)
    numbers = [value for value in by_seed.values() if math.isfinite(value)]
    mean = math.fsum(numbers) / len(numbers) if numbers and len(numbers) == len(by_seed) else None
    p_support, p_refute = by_t = _tails(claim, effect)
    fragile = (False, False)
    if isinstance(effect, Student):
        fragile = could_undo(claim, case.weights, grid, (low, high), procedure.worst)
        p_support, p_refute = with_sign_flips(by_t, fragile, effect.n, by_seed.values(), claim)
    leads, rates = _leads(case, grid), _fail_rates(case, grid, level)
    by_student = isinstance(effect, Student)
    return ContextResult(
        context=case.context,
        words=case.words,
        arms=tuple(case.weights),
        n=len(by_seed),
        fails=sum(not math.isfinite(grid[arm][seed]) for arm in case.weights for seed in by_seed),
        differences=by_seed,
        effect=effect,
        test=effect.test if effect else None,
        estimate=effect.estimate if effect else mean,
        low=low,
        high=high,
        level=level,
        p_support=p_support,
        p_refute=p_refute,
        badges=(
            *((SKEWED,) if by_student and claim.paper is not None else ()),
            *((UNLIKE,) if by_student and has_unlike_spreads(grid, case.weights) else ()),
            *((FEW,) if _decides_alone(by_t, (p_support, p_refute), level) else ()),
            *_direction_badges(leads, case.towards),
            *fails_badge(claim, rates),
        ),
        note=note,
        leads=leads,
        rates=rates,
        weights=case.weights,
        fragile=fragile,
        by_flips=(p_support > by_t[0], p_refute > by_t[1]),
    )


def _decides_alone(by_t: tuple[float, float], told: tuple[float, float], level: float) -> bool:
    """Whether Student's t decides by itself what the claim's own p leave open."""
    return decides(2 * min(by_t), 1 - level) and not decides(2 * min(told), 1 - level)


def _leads(case: Case, grid: Grid) -> dict[Scalar, float]:
    """Return the mean lead at each level of a trend, where all its seeds have a number."""
    leads = {}
    for level, first, second in case.leads:
        values = list(differences(grid, {second: 1.0, first: -1.0}).values())
        if values and all(map(math.isfinite, values)):
            leads[level] = math.fsum(values) / len(values)
    return leads


def _direction_badges(leads: Mapping[Scalar, float], towards: float) -> tuple[str, ...]:
    steps = [after - before for before, after in pairwise(leads.values())]
    return (NOT_MONOTONE,) if len({step * towards > 0 for step in steps}) > 1 else ()


def _fail_rates(case: Case, grid: Grid, level: float) -> tuple[FailRate, ...]:
    """Return the fail rate of each arm; nothing where none fails."""
    if all(math.isfinite(value) for arm in case.weights for value in grid.get(arm, {}).values()):
        return ()
    rates = []
    for arm in case.weights:
        values = grid.get(arm, {}).values()
        fails = sum(not math.isfinite(value) for value in values)
        interval = rate_interval(fails, len(values), level)
        if interval is not None:
            rates.append(FailRate(arm, fails, len(values), *interval))
    return tuple(rates)


def fails_badge(claim: Claim, rates: Sequence[FailRate]) -> tuple[str, ...]:
    """Return the badge where the arm that is claimed to be the better one fails in more seeds than the other."""
    said = claim.statement
    if said.relation not in ("<", ">") or said.right is None or len(rates) != 2:
        return ()
    worse, better = rates  # a weight of 1 comes first: the arm that should have the larger number
    return (FAILS_MORE,) if better.fails * worse.n > worse.fails * better.n else ()


def _tails(claim: Claim, effect: Effect | None) -> tuple[float, float]:
    if effect is None:
        return 1.0, 1.0
    margin = claim.margin
    if claim.statement.relation == "==" and isinstance(effect, Exact):
        return (0.0, 1.0) if abs(effect.estimate) <= margin else (1.0, 0.0)
    if claim.statement.relation == "==" and isinstance(effect, Sign):
        return effect.p_within(margin), effect.p_beyond(margin)
    if claim.statement.relation == "==":
        inside = max(effect.p_above(-margin), effect.p_below(margin))
        return inside, min(effect.p_above(margin), effect.p_below(-margin))
    return effect.p_above(margin), effect.p_below(margin)


def _effect(
    claim: Claim, case: Case, grid: Grid, by_seed: Mapping[int, float], procedure: Procedure
) -> tuple[Effect | None, str | None]:
    if claim.is_exact:
        return exact(by_seed), None if by_seed else "no outcome yet"
    paper, numbers = claim.paper, list(by_seed.values())
    if paper is None or len(case.weights) > 1 or not all(map(math.isfinite, numbers)) or procedure.test == "sign":
        return choose(grid, case.weights, by_seed, procedure, claim.resolution)
    ((arm, towards),) = case.weights.items()
    values = list(grid.get(arm, {}).values())
    if len(values) < 2:
        return choose(grid, case.weights, by_seed, procedure, claim.resolution)
    if is_constant(values):
        return None, NOT_WIRED
    effect, _, note = literature.published_effect(values, paper)
    if effect is None:
        return None, note
    return Student(effect.test, effect.n, towards * effect.estimate, effect.se, effect.df), note


def _rate(claim: Claim, case: Case, grid: Grid, level: float) -> ContextResult:
    (arm,) = case.weights
    values = grid.get(arm, {})
    fails, n = sum(not math.isfinite(value) for value in values.values()), len(values)
    sign, rate = claim.rate
    low, high = rate_interval(fails, n, level) or (None, None)
    against = p_rate_below if sign in (">", ">=") else p_rate_above
    return ContextResult(
        context=case.context,
        words=case.words,
        arms=(arm,),
        n=n,
        fails=fails,
        differences={seed: float(not math.isfinite(value)) for seed, value in values.items()},
        effect=None,
        test="exact rate" if n else None,
        estimate=fails / n if n else None,
        low=low,
        high=high,
        level=level,
        p_support=P_RATE[sign](fails, n, rate) if n else 1.0,
        p_refute=against(fails, n, rate) if n else 1.0,
        note=None if n else "no outcome yet",
    )


def alternatives(claim: Claim, contexts: Sequence[Case], grid: Grid, procedure: Procedure) -> dict[str, Evidence]:
    """Judge the claim by every other test that applies; for the panel beside the verdict, never for the verdict."""
    if claim.statement.relation == "fails":
        return {}
    tests = ["paired", "sign"]
    if claim.paper is None:
        tests += ["welch", *(["pooled"] if procedure.model is not None else [])]
    made = {test: evaluate(claim, contexts, grid, replace(procedure, test=test)) for test in tests}
    return {name: each for name, each in made.items() if any(context.test == name for context in each.contexts)}
