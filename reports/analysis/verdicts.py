"""The verdict on every claim: Supported, Refuted or Inconclusive, with all that it rests on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.claims import Claim
from reports.analysis.decisions import decide, live_grids, trials_by_arm
from reports.analysis.evidence import ContextResult
from reports.analysis.forecast import Forecast
from reports.analysis.grounds import Grounds, badges_of
from reports.analysis.judged import Conclusion, Look, decisive
from reports.analysis.registration import Registration
from reports.analysis.skewness import are_skewed
from reports.analysis.wording import PLAIN, Account, Manner, sentence
from reports.notebook import html_table
from reports.results import Study

NOT_JUDGED = "Not judged yet"


@dataclass(frozen=True, repr=False)
class Verdict:
    """The judgement of one claim.

    `shown` is the context that decides (the weakest one for "every"; None where the study has no such arms), and
    `estimate`, `low`, `high`, `level`, `n` and `fails` are its; `contexts` has them all. They rest on the seeds of the
    last look that is complete, or on all seeds when none is; for a claim that is decided, on those of the look that
    says it most clearly, since other claims may have added seeds since. `p` is that look's, on the scale of alpha;
    `p_look` is adjusted for the looks, `p_holm` for the other claims too (None for a claim that is in no family).
    `decided_at_look`, from 1, is the first look at which the claim was decided among the other claims. `waiting` trials
    stand between the claim and its next look. `other_tests` and `other_readings` are the verdicts by other tests and by
    the other meanings of `over`, neither corrected for the family of claims. `missing` names trials that ended without
    an outcome, with their reasons. `changes` says what was fixed after the first result, in a sentence each, against
    the version of the plan in `registration`.
    """

    claim: Claim
    verdict: Conclusion
    shown: ContextResult | None
    level: float
    p: float
    p_look: float
    p_holm: float | None
    contexts: tuple[ContextResult, ...]
    looks: tuple[Look, ...]
    decided_at_look: int | None
    waiting: int
    missing: Mapping[str, str]
    forecast: Forecast
    other_tests: Mapping[str, Conclusion]
    other_readings: Mapping[str, Conclusion]
    badges: tuple[str, ...]
    changes: tuple[str, ...]
    registration: Registration
    account: Account
    trials: tuple[str, ...]
    decided_at: datetime | None

    def __repr__(self) -> str:
        """Return the claim's id and its verdict."""
        return f"<Verdict {self.id}: {self.word}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the verdict and what it rests on."""
        return html_table(["claim", "verdict", "evidence"], [[self.id, self.word, self.sentence]])

    @property
    def id(self) -> str:
        """Return the claim's id."""
        return self.claim.id

    @property
    def estimate(self) -> float | None:
        """Return the effect; None where no number can be named."""
        return self.shown.estimate if self.shown else None

    @property
    def low(self) -> float | None:
        """Return the lower end of its interval; None where that is open."""
        return self.shown.low if self.shown else None

    @property
    def high(self) -> float | None:
        """Return the upper end of its interval; None where that is open."""
        return self.shown.high if self.shown else None

    @property
    def margin(self) -> float:
        """Return the margin that the effect is held against."""
        return self.claim.margin

    @property
    def n(self) -> int:
        """Return the number of seeds that all arms have."""
        return self.shown.n if self.shown else 0

    @property
    def fails(self) -> int:
        """Return the number of failed trials among them."""
        return self.shown.fails if self.shown else 0

    @property
    def is_pending(self) -> bool:
        """Whether it waits for the trials of its first look, so that nothing is decided nor left open by them."""
        return bool(self.waiting) and not self.looks and self.verdict is Conclusion.INCONCLUSIVE

    @property
    def word(self) -> str:
        """Return the verdict as a reader is told it: a claim whose first look is incomplete is not judged yet."""
        return NOT_JUDGED if self.is_pending else self.verdict.value

    @property
    def post_hoc(self) -> str | None:
        """Return in words what was fixed after the first result; None for a claim that stands as declared."""
        return "; ".join(self.changes) or None

    @property
    def sentence(self) -> str:
        """Return in words what was found, with the names of arms that the DB has."""
        return self.told(PLAIN)

    def told(self, manner: Manner) -> str:
        """Return in words what was found, in this manner."""
        return sentence(self.account, manner)

    @property
    def says(self) -> str:
        """Return the claim's sentence as the study file has it."""
        return self.claim.says


def word_counts(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Count the verdicts by their word in a sentence, in the order of the outcomes; those not judged yet come last."""
    words = [each.word.lower() for each in verdicts]
    known = [*(outcome.value.lower() for outcome in Conclusion), NOT_JUDGED.lower()]
    return {word: words.count(word) for word in known if word in words}


def judge(
    study: Study,
    claims: Sequence[Claim],
    settings: AnalysisSettings | None = None,
) -> tuple[Verdict, ...]:
    """Judge every claim on the study as it stands, in the claims' order.

    A claim is judged at complete looks only: all trials of its arms with the look's seeds have ended. Without declared
    looks the one look is at all seeds of its arms; until then it is Inconclusive, and its numbers are provisional.
    `settings` default to those of the study file.

    Claims that stand as they did before their first result form one family, with those of the plan that are no longer
    made. A claim of which anything was changed since is judged among all claims that were ever made on its trials.
    """
    if settings is None:
        settings = study.analysis
    grids = live_grids(study, claims)
    skewed = {metric for metric, readings in grids.items() if are_skewed(readings)}
    trials = trials_by_arm(study)
    verdicts = []
    for decision in decide(study, claims, settings):
        metric = decision.judged.claim.metric
        verdicts.append(_verdict(Grounds(study, decision, grids[metric], trials, settings), metric in skewed))
    return tuple(verdicts)


def judge_study(study: Study) -> tuple[Verdict, ...]:
    """Return the verdict on every claim of the study; what was fixed after its first result is marked post hoc."""
    return judge(study, study.claims) if study.claims else ()


def _verdict(grounds: Grounds, skewed: bool) -> Verdict:
    judged, shown, decision = grounds.judged, grounds.shown, grounds.decision
    claim, now, registration = judged.claim, judged.now, decision.registration
    reasons = {each.id: each.reason or each.state for each in grounds.lost}
    ends = [each.finished_at for each in grounds.trials if each.finished_at is not None]
    return Verdict(
        claim=claim,
        verdict=decision.outcome,
        shown=shown,
        level=shown.level if shown else judged.level,
        p=now.support if judged.direction is Conclusion.SUPPORTED else now.refute,
        p_look=judged.p,
        p_holm=decision.p_holm,
        contexts=now.contexts,
        looks=judged.looks,
        decided_at_look=decision.decided_at_look if grounds.is_decided else None,
        waiting=judged.waiting,
        missing={**reasons, **dict.fromkeys(grounds.unmeasured, "not measured")},
        forecast=grounds.ahead,
        other_tests=grounds.other_tests,
        other_readings=grounds.other_readings,
        badges=badges_of(grounds, skewed),
        changes=registration.changes,
        registration=registration,
        account=_account(grounds),
        trials=tuple(each.id for each in grounds.trials),
        decided_at=max(ends, default=None),
    )


def _account(grounds: Grounds) -> Account:
    judged, decision = grounds.judged, grounds.decision
    return Account(
        claim=judged.claim,
        verdict=str(decision.outcome),
        shown=grounds.shown,
        contexts=judged.now.contexts,
        waiting=judged.waiting,
        ahead=grounds.ahead,
        p_look=judged.p,
        p_holm=decision.p_holm,
        settings=grounds.settings,
        later=grounds.later,
        whole=decisive(judged.claim, judged.whole, judged.direction) if judged.whole else None,
        planned=decisive(judged.claim, judged.planned, judged.direction) if judged.planned else None,
        apart=decisive(judged.claim, judged.apart, judged.direction) if judged.apart else None,
        alone={arm: len(each) for arm, each in decision.registration.alone.items()},
        changes=decision.registration.changes,
        withdrawn=str(judged.direction) if decision.withdrawn else None,
        fragile=grounds.is_fragile,
        deciding=grounds.deciding,
        plans=decision.registration.plans,
        lost=len(grounds.lost),
    )
