"""Power before spending: what a study can find out with the seeds it asks for, said before the first trial."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.claims import Claim
from reports.analysis.evidence import cases, trend_weights
from reports.analysis.forecast import each_context
from reports.analysis.grammar import Factors
from reports.analysis.intervals import sd_interval
from reports.analysis.judged import claim_arms
from reports.analysis.outliers import least_seeds, too_few_for_t, unseen_share
from reports.analysis.power import seeds_for_rate, seeds_needed, smallest_paired
from reports.analysis.readings import finite, grid
from reports.analysis.skewness import are_skewed, is_skewed_sample
from reports.metrics import PRIMARY
from reports.results import Study
from reports.wording import counted


@dataclass(frozen=True)
class Spread:
    """How much one arm varies over its seeds, in the metric's units: the SD, its interval, and where it is from.

    Where the seeds are skewed the interval may be too narrow.
    """

    sd: float
    source: str
    low: float | None = None
    high: float | None = None
    is_skewed: bool = False


@dataclass(frozen=True)
class Prospect:
    """What a claim can hope for. `detectable` is the smallest distance of the true effect from the margin that is seen
    with the wanted power if this were the only claim; `in_family` the same in the worst case of Holm's correction.

    For "==" both are the smallest margin that could be supported if there were no difference. `needed` is the number of
    seeds that the declared `within` takes, `fewest` the one below which no data at all decide. `can` is False where
    the study cannot answer its question.
    """

    claim: Claim
    n: int
    spread: Spread | None
    detectable: float | None
    in_family: float | None
    needed: int | None
    fewest: int
    can: bool
    sentence: str


def claim_spreads(study: Study, claims: Sequence[Claim]) -> dict[str, Spread]:
    """Return the spread for each claim, by its id: that of its own arms, else of all that `study` has results of."""
    spreads = {}
    for claim in claims:
        mine = claim_arms(cases(study, claim))
        if spread := study_spread(study, claim.metric, mine) or study_spread(study, claim.metric):
            spreads[claim.id] = spread
    return spreads


def study_spread(study: Study, metric: str = PRIMARY.name, among: Sequence[str] | None = None) -> Spread | None:
    """Return the spread within the arms that have no fail, pooled; None when no arm has two seeds that differ.

    `among` names the arms to look at; all by default.
    """
    by_arm = _without_fails(study, metric, among)
    sound = [list(values.values()) for values in by_arm.values()]
    sd = _pooled(sound)
    if sd is None:
        return None
    low, high = sd_interval(sound) or (None, None)
    degrees = counted(sum(len(each) - 1 for each in sound), "degree of freedom", "degrees of freedom")
    is_skewed = are_skewed(by_arm) or any(map(is_skewed_sample, by_arm.values()))
    return Spread(sd, f"{counted(len(sound), 'arm')} on record, {degrees}", low, high, is_skewed)


def study_sd(study: Study) -> float | None:
    """Return the SD of `study_spread` alone, of test errors: its interval and its shape take an import of scipy."""
    return _pooled([list(values.values()) for values in _without_fails(study, PRIMARY.name).values()])


def _without_fails(study: Study, metric: str, among: Sequence[str] | None = None) -> dict[str, Mapping[int, float]]:
    return {
        arm: values
        for arm, values in grid(study, metric).items()
        if len(values) > 1 and len(finite(values)) == len(values) and (among is None or arm in among)
    }


def _pooled(arms: Sequence[Sequence[float]]) -> float | None:
    df = sum(len(each) - 1 for each in arms)
    squares = math.fsum((len(each) - 1) * float(np.var(each, ddof=1)) for each in arms)
    return math.sqrt(squares / df) if df and squares > 0 else None


@dataclass(frozen=True)
class _Asked:
    """One claim, and with what it is to be decided: n seeds, among `count` claims, in so many `contexts`.

    `sd` is that of one seed's effect, in the metric's units; None while it is not known.
    """

    claim: Claim
    n: int
    settings: AnalysisSettings
    count: int
    contexts: int
    spread: Spread | None
    sd: float | None

    @property
    def is_equality(self) -> bool:
        """Whether it says that two sides are equal."""
        return self.claim.statement.relation == "=="

    @property
    def alone(self) -> float:
        """Return its level were it the only claim."""
        return self.settings.levels[-1]

    @property
    def in_family(self) -> float:
        """Return its level in the worst case of Holm's correction."""
        return self.alone / self.count if self.settings.family == "holm" else self.alone

    @property
    def fewest(self) -> int:
        """Return the number of seeds below which no data decide."""
        if self.claim.statement.relation == "fails":
            rate = self.claim.rate[1]
            return min(seeds_for_rate(rate, self.in_family), seeds_for_rate(1 - rate, self.in_family))
        if self._is_sign:
            return seeds_for_rate(0.5, self.in_family)
        return least_seeds(self.in_family) if self.is_equality else 2

    @property
    def are_too_few_for_t(self) -> bool:
        """Whether so few seeds decide only what outliers that they would not show could not undo."""
        return not self._is_sign and too_few_for_t(self.n, self.in_family)

    @property
    def _is_sign(self) -> bool:
        return (self.claim.test or self.settings.test) == "sign"

    def smallest(self, level: float) -> float | None:
        """Return the smallest effect that is seen at that level, in SDs of one seed's effect."""
        level, power = self._each_context(level)
        return smallest_paired(self.n, level, power)  # the pooled test may turn out to be refused

    def detectable(self, level: float) -> float | None:
        """Return the same in the metric's units; None where too little is known."""
        size = None if self.are_too_few_for_t or self.sd is None else self.smallest(level)
        return None if size is None or self.sd is None else size * self.sd

    def needed(self) -> int | None:
        """Return the number of seeds that the declared `within` of an equality takes; None where it is not known."""
        if not self.is_equality or not self.sd:
            return None
        wanted = seeds_needed(self.claim.margin / self.sd, *self._each_context(self.in_family))
        return wanted and max(wanted, self.fewest)

    def _each_context(self, level: float) -> tuple[float, float]:
        """Return level and power of one test in one context."""
        level, power = each_context(self.claim.over, max(1, self.contexts), level, self.settings.power)
        return level, (1 + power) / 2 if self.is_equality else power  # both one-sided tests of an equality must pass


def prospects(
    claims: Sequence[Claim],
    factors: Factors,
    n: int,
    settings: AnalysisSettings,
    *,
    spread: Spread | Mapping[str, Spread] | None = None,
    correlation: float = 0.0,
) -> tuple[Prospect, ...]:
    """Say for every claim what n seeds can decide.

    `spread` is that of one arm over its seeds, for all claims alike or by the claim's id.
    `correlation` is that of two arms over the seeds they share; across architectures it is often near 0. With looks, n
    is the last look and its level counts.
    """
    known = spread if isinstance(spread, Mapping) else dict.fromkeys((claim.id for claim in claims), spread)
    ahead = []
    for claim in claims:
        mine = known.get(claim.id)
        contexts = sum(1 for _ in claim.contexts(factors)) if claim.over != "average" else 1
        is_rate = claim.statement.relation == "fails"
        sd = None if mine is None or is_rate else _scale(claim, factors, correlation) * mine.sd
        ahead.append(_prospect(_Asked(claim, n, settings, len(claims), contexts, mine, sd)))
    return tuple(ahead)


def _prospect(asked: _Asked) -> Prospect:
    claim, n, fewest = asked.claim, asked.n, asked.fewest
    if claim.statement.relation == "fails":
        return Prospect(claim, n, None, None, None, None, fewest, n >= fewest, _about_rate(claim, n, fewest))
    alone, in_family = asked.detectable(asked.alone), asked.detectable(asked.in_family)
    can = n >= fewest and not (asked.is_equality and in_family is not None and in_family > claim.margin)
    if n < fewest:
        text = f"{_seeds(n)} {'decides' if n == 1 else 'decide'} nothing: it takes at least {fewest}."
    elif asked.are_too_few_for_t:
        text = _about_few(n, asked.in_family)
    elif asked.spread is None or alone is None or in_family is None:
        text = _about_unknown_spread(asked)
    else:
        text = _about_effect(asked, asked.spread, alone, in_family)
    return Prospect(claim, n, asked.spread, alone, in_family, asked.needed(), fewest, can, text)


def _scale(claim: Claim, factors: Factors, correlation: float) -> float:
    """Return the SD of one seed's effect in SDs of one arm."""
    said = claim.statement
    squares = 1.0 if said.value is not None else 2.0
    if said.along is not None:
        squares *= sum(weight**2 for weight in trend_weights(claim.levels(said.along, factors)))
    if claim.over == "average":
        squares /= max(1, sum(1 for _ in claim.contexts(factors)))
    shared = 0.0 if said.value is not None else correlation
    return math.sqrt(squares * (1 - shared))


def _seeds(n: int) -> str:
    return f"{n} seed" if n == 1 else f"{n} seeds"


def _about_rate(claim: Claim, n: int, fewest: int) -> str:
    what = f"a fail rate {claim.rate[0]} {claim.rate[1]:g}"
    if n < fewest:
        return f"{_seeds(n)} cannot decide {what}: it takes {fewest}, even if they all agree."
    return f"{_seeds(n)} can decide {what} if they all agree, from {fewest} on."


def few_seeds(n: int) -> str:
    """Say what seeds decide that are too few for a t test alone, without a full stop."""
    return (
        f"{_seeds(n)} decide only what rare outliers could not undo, and they leave room for some in "
        f"{100 * unseen_share(n):.0f} % of all seeds"
    )


def _about_few(n: int, alpha: float) -> str:
    return f"{few_seeds(n)}: any smaller effect takes {_seeds(least_seeds(alpha))}."


def _about_unknown_spread(asked: _Asked) -> str:
    unknown = "how much the arms vary over their seeds is not known yet: a pilot of three seeds would tell."
    relative = asked.smallest(asked.alone) if asked.spread is None else None
    if relative is None:
        return f"{_seeds(asked.n)}; {unknown}"
    sees = "support a margin" if asked.is_equality else "see an effect"
    return f"{_seeds(asked.n)} {sees} of {relative:.2f} SDs of the differences by seed or more; {unknown}"


def _about_effect(asked: _Asked, spread: Spread, alone: float, in_family: float) -> str:
    claim, seeds, needed = asked.claim, _seeds(asked.n), asked.needed()
    doubt = "perhaps too narrow: the seeds are skewed" if spread.is_skewed else "if the noise has no heavy tails"
    around = "" if spread.low is None or spread.high is None else f" [{spread.low:.2g}, {spread.high:.2g}; {doubt}]"
    basis = f"{asked.settings.power:.0%} power, SD {spread.sd:.2g}{around} from {spread.source}"
    is_corrected = asked.count > 1 and asked.settings.family == "holm"
    many = f" ({in_family:.2g} among {asked.count} claims)" if is_corrected else ""
    if asked.is_equality:
        more = ""
        if needed is not None and needed > asked.n:
            more = f" If there is no difference and the SD is this one, it takes about {_seeds(needed)}."
        cannot = "cannot support" if in_family > claim.margin else "can support"
        return f"{seeds} {cannot} within {claim.margin:g}: they reach {alone:.2g}{many}; {basis}.{more}"
    beyond = f" beyond the {claim.margin:g} claimed" if claim.margin else ""
    beyond += f" in each of {asked.contexts} contexts" if asked.contexts > 1 and claim.over == "every" else ""
    return f"{seeds} see an effect of {alone:.2g}{many}{beyond} or more; {basis}. Smaller ones stay open."
