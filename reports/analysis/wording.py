"""The verdict as a sentence: the numbers first, the seeds behind them, and what more seeds would do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.badges import FEW
from reports.analysis.claims import Claim
from reports.analysis.effects import Sign, Student
from reports.analysis.evidence import ContextResult
from reports.analysis.forecast import Forecast
from reports.analysis.outliers import LEAST_BY_T, unseen_share
from reports.analysis.threshold import decides
from reports.wording import MINUS, amount, counted, duration, level, margin_in_words, seeds

NO_READING = "No seed has a reading in all of its arms (n=0)"
"""What is said of a claim once nothing is waited for: its trials failed, or what it asks for could not be measured."""


@dataclass(frozen=True)
class Manner:
    """How a sentence is written: what it calls the arms, by their names in the DB, and how its numbers look.

    `is_typeset` numbers are those of the page, with a typographic minus; others are plain, as a terminal shows them.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    is_typeset: bool = False

    def arm(self, name: str) -> str:
        """Return what an arm is called."""
        return self.names.get(name, name)

    def typed(self, text: str) -> str:
        """Return a number that `reports.wording` has told."""
        return text if self.is_typeset else text.replace(MINUS, "-").replace("\N{NO-BREAK SPACE}", " ")

    def percent(self, share: float, form: str = ".0f") -> str:
        """Return a share in percent."""
        return f"{100 * share:{form}}{' ' if self.is_typeset else ''}%"

    def number(self, value: float | None) -> str:
        """Return an estimate or the end of an interval, which may be open."""
        return "open" if value is None else self.typed(amount(value))

    def interval(self, shown: ContextResult) -> str:
        """Return the interval of an estimate with its level."""
        return f"{self.percent(shown.level, '.4g')} interval {self.number(shown.low)} to {self.number(shown.high)}"

    def margin(self, claim: Claim) -> str:
        """Return the margin of a claim with its unit."""
        unit = " point" if claim.margin == 1 and claim.unit == "points" else _unit(claim)
        return f"{self.typed(margin_in_words(claim.margin))}{unit}"


PLAIN = Manner()
"""The names of the DB, and plain numbers."""


@dataclass(frozen=True)
class Account:
    """What a sentence is made of: the verdict on a claim, the context that decides, and what lies ahead.

    `later` is what all seeds give where the verdict rests on fewer, to which other claims have added some since;
    `whole` what all seeds on record give where the study leaves some out, `planned` what the comparisons give that were
    planned where others are made; `apart` what Welch's test gives with the further seeds of single arms that were known
    when the seeds were fixed, which `alone` counts by arm. `changes` were made after the first result.
    `withdrawn` is the verdict of an earlier look that all seeds contradict; a `fragile` one could be undone by outliers
    that its seeds would not show. `deciding` has the p without each seed that decides by itself.
    `plans` counts the plans that ask the same otherwise, this one included, `lost` the trials without a result.
    """

    claim: Claim
    verdict: str
    shown: ContextResult | None
    contexts: Sequence[ContextResult]
    waiting: int
    ahead: Forecast
    p_look: float
    p_holm: float | None
    settings: AnalysisSettings
    later: ContextResult | None = None
    whole: ContextResult | None = None
    planned: ContextResult | None = None
    apart: ContextResult | None = None
    alone: Mapping[str, int] = field(default_factory=dict)
    changes: Sequence[str] = ()
    withdrawn: str | None = None
    fragile: bool = False
    deciding: Mapping[int, float] = field(default_factory=dict)
    plans: int = 1
    lost: int = 0


def sentence(account: Account, manner: Manner = PLAIN) -> str:
    """Say what was found about a claim. It never says "proved", nor "no effect" where the data leave it open."""
    claim, shown, verdict = account.claim, account.shown, account.verdict
    if shown is None:
        return "The study has no arms that the claim speaks of."
    parts = [_finding(manner, claim, shown) if shown.n or account.waiting else f"{NO_READING}."]
    if account.withdrawn is not None and account.later is not None:
        parts.append(
            f"{_seeds(shown.n)} gave {account.withdrawn}; all {account.later.n} lean the other way, so it is "
            f"withdrawn: {_within(manner, claim, account.later)}"
        )
    elif verdict == "Supported":
        parts.append(_supported(manner, claim, account.contexts))
    elif verdict == "Refuted":
        parts.append(_refuted(manner, claim, shown))
    else:
        parts.append(_open(manner, account, shown))
    if (later := account.later) is not None and account.withdrawn is None:
        parts.append(
            f"That was decided with {_seeds(shown.n)}; with the seeds added since, {_within(manner, claim, later)}"
        )
    if account.deciding:
        parts.append(_without_one(account.deciding))
    if account.fragile:
        share = 100 * unseen_share(shown.n)
        parts.append(
            f"It assumes that no arm has rare outliers. {_seeds(shown.n)} cannot exclude them: even where {share:.0f} "
            "% of an arm's trainings are outliers, one study in twenty shows none."
        )
    if account.lost:
        parts.append(_without_result(account.lost))
    if account.whole is not None:
        parts.append(f"With all {account.whole.n} seeds on record, {_within(manner, claim, account.whole)}")
    if account.planned is not None:
        parts.append(f"With the comparisons that were planned, {_within(manner, claim, account.planned)}")
    if account.apart is not None:
        further = ", ".join(
            f"{counted(count, 'further seed')} of {manner.arm(arm)}" for arm, count in account.alone.items()
        )
        parts.append(
            f"Results of {further} were known when the seeds were fixed: with all seeds of each arm, unpaired, "
            f"{_within(manner, claim, account.apart)}"
        )
    if account.plans > 1:
        alpha = account.settings.alpha
        parts.append(
            f"Studies of this results DB planned to ask the same in {account.plans} ways, with other seeds, looks or "
            f"tests, before the first result: each has {100 * alpha / account.plans:.3g} of the {100 * alpha:.3g} %."
        )
    if account.changes:
        parts.append(f"Not as declared before the first result: {'; '.join(account.changes)}.")
    text = " ".join(parts)
    return text[:1].upper() + text[1:]


def _without_one(deciding: Mapping[int, float]) -> str:
    """Say which seeds the verdict would not survive without."""
    if len(deciding) == 1:
        ((seed, p),) = deciding.items()
        return f"Without seed {seed} it would not be decided (p={p:.3g})."
    largest = max(deciding.values())
    return f"Without any one of the seeds {seeds(deciding)} it would not be decided (p up to {largest:.3g})."


def _without_result(count: int) -> str:
    """Say what a verdict takes for granted of trials that crashed or were stopped."""
    their = "its" if count == 1 else "their"
    return f"{count} of the trials ended without a result, for reasons taken to have nothing to do with {their} error."


def _unit(claim: Claim) -> str:
    return f" {claim.unit}" if claim.unit else ""


def _seeds(n: int) -> str:
    return f"{n} seed" if n == 1 else f"{n} seeds"


def _finding(manner: Manner, claim: Claim, shown: ContextResult) -> str:
    where = f"At {shown.words}: " if shown.words else "On average: " if claim.over == "average" else ""
    if claim.statement.relation == "fails":
        interval = f", {manner.interval(shown)}" if shown.n else ""
        return f"{where}{shown.fails} of {_seeds(shown.n)} fail{interval}."
    if not shown.n:
        return f"{where}no result yet (n=0)."
    if shown.estimate is None:
        what = _signs(manner, claim, shown) or "fails leave no number to name"
        return f"{where}{what} (n={shown.n}{_fails(shown)}).{_rates(manner, shown)}"
    what = f"{where}{_effect(claim)} {manner.number(shown.estimate)}{_unit(claim)}"
    if shown.low is not None or shown.high is not None:
        what += f", {manner.interval(shown)}"
    test = f", {shown.test} test" if shown.test else ""
    if signs := _signs(manner, claim, shown):
        what += f"; {signs}"
    return f"{what} (n={shown.n}{_fails(shown)}{test}).{_leads(manner, claim, shown)}{_rates(manner, shown)}"


def _fails(shown: ContextResult) -> str:
    return f", {counted(shown.fails, 'fail')}" if shown.fails else ""


def _within(manner: Manner, claim: Claim, shown: ContextResult) -> str:
    """Return the finding as a part of a sentence."""
    text = _finding(manner, claim, shown)
    return text[:1].lower() + text[1:]


def _leads(manner: Manner, claim: Claim, shown: ContextResult) -> str:
    """Return the lead at each level, where there are more than the two ends."""
    if len(shown.leads) < 3:
        return ""
    listed = ", ".join(f"{manner.number(lead)} at {manner.typed(level(at))}" for at, lead in shown.leads.items())
    return f" The lead is {listed}."


def _rates(manner: Manner, shown: ContextResult) -> str:
    """Return how often each arm fails, with the interval of its rate."""
    if not shown.rates:
        return ""
    parts = [
        f"{manner.arm(each.arm)} in {each.fails} of {each.n} ({100 * each.low:.0f} to {100 * each.high:.0f} %)"
        for each in shown.rates
    ]
    return f" Fails: {', '.join(parts)}."


def _signs(manner: Manner, claim: Claim, shown: ContextResult) -> str:
    if not isinstance(shown.effect, Sign) or claim.statement.relation == "==":
        return ""
    reach = f"reach {manner.margin(claim)}" if claim.margin else "go the claimed way"
    return f"{shown.effect.above(claim.margin)} of {_seeds(shown.n)} {reach}, a fail ranking last"


def _effect(claim: Claim) -> str:
    said = claim.statement
    if said.along is not None:
        grows = "grows" if said.relation == "increases" else "shrinks"
        left, right = (" ".join(map(str, (side or {}).values())) for side in (said.left, said.right))
        return f"over the levels of {said.along}, least to greatest, the lead of {left} over {right} {grows} by"
    if said.value is not None:
        return "the distance in the claimed direction is" if said.relation != "==" else "ours less theirs is"
    return "the difference is" if said.relation == "==" else "the effect is"


def _supported(manner: Manner, claim: Claim, contexts: Sequence[ContextResult]) -> str:
    if claim.statement.relation == "fails":
        return f"The rate is {claim.rate[0]} {claim.rate[1]:g}, as claimed."
    if claim.statement.relation == "==":
        return f"They differ by less than {manner.margin(claim)}, as claimed."
    held = f"at least {manner.margin(claim)}" if claim.margin else "in the claimed direction"
    every = f" in each of {len(contexts)} contexts" if len(contexts) > 1 and claim.over == "every" else ""
    return f"The effect is {held}{every}."


_OPPOSITE = "goes in the opposite direction"


def _refuted(manner: Manner, claim: Claim, shown: ContextResult) -> str:
    if claim.statement.relation == "fails":
        return f"The rate is not {claim.rate[0]} {claim.rate[1]:g}."
    if claim.statement.relation == "==":
        return f"They differ by more than {manner.margin(claim)}."
    if isinstance(shown.effect, Sign) and shown.high is None:
        way = f"falls short of {manner.margin(claim)}" if claim.margin else _OPPOSITE
        return f"The effect {way} in {shown.effect.below(claim.margin)} of {_seeds(shown.n)}."
    if shown.high is not None and shown.high < 0:
        return f"The effect {_OPPOSITE}."
    if shown.low is not None and shown.low > 0:
        return f"The effect is smaller than {manner.margin(claim)}, but in the claimed direction."
    return f"There is no difference as large as {manner.margin(claim)}."


def _open(manner: Manner, account: Account, shown: ContextResult) -> str:
    claim, waiting, ahead, settings = account.claim, account.waiting, account.ahead, account.settings
    p_look, p_holm = account.p_look, account.p_holm
    if waiting:
        trials = "1 trial has" if waiting == 1 else f"{waiting} trials have"
        before = "the next look" if settings.looks else "it is judged"
        return f"Not judged yet: {trials} to end before {before}{_so_far(account.contexts)}."
    parts = [f"{_seeds(shown.n)} do not decide it."]
    if shown.n == 1:
        parts = ["One seed decides nothing."]
    elif shown.note and shown.test is None:
        parts = [f"No test: {shown.note}."]
    elif decides(p_look, settings.alpha) and p_holm is not None:
        parts.append(f"By itself it would be decided (p={p_look:.3g}), among all claims it is not (p={p_holm:.3g}).")
    if FEW in shown.badges and shown.effect is not None:
        n = shown.effect.n
        parts.append(
            f"Rare outliers could undo what Student's t says of so few: below {_seeds(LEAST_BY_T)} the exact sign "
            f"flips must agree, which with {n} cannot give a p below {2 * 0.5**n:.3g}."
        )
    elif shown.n < ahead.fewest:
        spread = " with such a spread" if isinstance(shown.effect, Student) else ""
        parts.append(f"Below {_seeds(ahead.fewest)} no result{spread} could.")
    if ahead.detectable is not None:
        what = "margin" if claim.statement.relation == "==" else "distance from the margin"
        size = f"{manner.number(ahead.detectable)}{_unit(claim)}"
        parts.append(
            f"The smallest {what} that {_seeds(ahead.n)} see at {manner.percent(settings.power)} power is {size}."
        )
    parts.append(_more(manner, ahead, settings))
    return " ".join(part for part in parts if part)


def _so_far(contexts: Sequence[ContextResult]) -> str:
    """Say how many contexts have a result, while some have none."""
    known = sum(each.n > 0 for each in contexts)
    return f"; {known} of {len(contexts)} contexts have a result so far" if 0 < known < len(contexts) else ""


def _more(manner: Manner, ahead: Forecast, settings: AnalysisSettings) -> str:
    if ahead.needed is None:
        return (
            "Not even 1000 seeds would decide it if the effect is what it looks like."
            if ahead.power is not None
            else ""
        )
    if not ahead.more:
        return ""
    hours = f", {manner.typed(duration(3600 * ahead.hours))} of training" if ahead.hours is not None else ""
    text = (
        f"If the effect is what it looks like, about {ahead.needed} seeds {'refute' if ahead.refutes else 'support'} "
        f"it at {manner.percent(settings.power)} power, {ahead.more} more{hours}."
    )
    if ahead.assurance is None:
        return text
    text += (
        f" The seeds so far leave other effects open: over all of them {ahead.needed} seeds decide it in "
        f"{manner.percent(ahead.assurance)} of the cases"
    )
    if ahead.needed_low == ahead.needed_high:
        return f"{text}."
    low, high = (f"{end}" if end is not None else "over 1000" for end in (ahead.needed_low, ahead.needed_high))
    return f"{text}, and in eight of ten cases it takes from {low} to {high}."
