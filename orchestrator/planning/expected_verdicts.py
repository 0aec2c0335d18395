"""What is known of a study before it runs: earlier trials of its arms, in whatever study, and published spreads."""

import math
from collections.abc import Sequence

from orchestrator.records.study_plan import StudyPlan
from orchestrator.storage import Store
from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.claims import Claim
from reports.analysis.forecast import Forecast
from reports.analysis.judged import Conclusion
from reports.analysis.prospects import Spread, claim_spreads
from reports.analysis.verdicts import Verdict, judge
from reports.literature import published_rows
from reports.metrics import PRIMARY
from reports.results import Study
from reports.trials import Arm
from reports.wording import counted


def study_on_record(store: Store | None, plan: StudyPlan) -> Study:
    """Return the plan as a study whose trials are those on record for its arms; without a `store` it has none."""
    names = {each.arm.id: each.arm.name for each in plan.arms}
    return Study(
        name=plan.name,
        question=plan.question,
        source=plan.source,
        settings={**plan.settings, "seeds": None},
        factors=plan.factors,
        baseline=plan.baseline,
        fail_above=plan.fail_above,
        arms=tuple(Arm(each.arm.name, each.arm.levels, each.arm.settings) for each in plan.arms),
        trials=store.outcomes(names) if store else (),
    )


def spreads(on_record: Study, claims: Sequence[Claim]) -> dict[str, Spread]:
    """Return how much the arms of each claim vary over their seeds, by its id: on record, else as published."""
    known = claim_spreads(on_record, claims)
    unknown = [claim.id for claim in claims if claim.id not in known and claim.metric == PRIMARY.name]
    published = _published_spread(on_record) if unknown else None
    return known if published is None else known | dict.fromkeys(unknown, published)


def expected_verdicts(
    on_record: Study, claims: Sequence[Claim], settings: AnalysisSettings, seeds: int
) -> dict[str, str]:
    """Say, by claim, what the trials on record let one expect of that many seeds; nothing where they show no effect."""
    every = AnalysisSettings(settings.alpha, settings.family, (), settings.power, settings.futility, settings.test)
    return {each.id: text for each in judge(on_record, claims, every) if (text := _expected(each, settings, seeds))}


def _expected(verdict: Verdict, settings: AnalysisSettings, seeds: int) -> str:
    ahead = verdict.forecast
    if verdict.n < 2 or verdict.verdict is not Conclusion.INCONCLUSIVE or verdict.estimate is None:
        return ""
    text = f"On record the effect is {verdict.estimate:.2f} (n={verdict.n})"
    if ahead.needed is None:
        return f"{text}: if it is so, no affordable number of seeds decides the claim."
    if ahead.needed > seeds:
        return (
            f"{text}: if it is so, {counted(seeds, 'seed')} will probably leave the claim open; "
            f"about {ahead.needed} would decide it with {settings.power:.0%} power{_range(ahead)}."
        )
    return f"{text}: if it is so, about {ahead.needed} seeds decide the claim{_range(ahead)}."


def _range(ahead: Forecast) -> str:
    """Say what the trials on record leave open of the number of seeds."""
    if ahead.assurance is None:
        return ""
    low, high = (f"{end}" if end is not None else "over 1000" for end in (ahead.needed_low, ahead.needed_high))
    span = low if low == high else f"{low} to {high}"
    return f" (it may be {span}; over all that the record leaves open they decide it in {ahead.assurance:.0%})"


def _published_spread(on_record: Study) -> Spread | None:
    """Return the spread that papers print for such networks on the same data, the root mean square over their rows."""
    data, network = on_record.settings["data"]["name"], on_record.settings["network"]
    alike = {"family": network["family"], "block": network.get("block")}
    rows = [
        row
        for row in published_rows().values()
        if row.data == data
        and row.sd is not None
        and row.verified
        and all(row.network.get(key, value) == value for key, value in alike.items())
    ]
    if not rows:
        return None
    sd = math.sqrt(math.fsum((row.sd or 0.0) ** 2 for row in rows) / len(rows))
    papers = list(dict.fromkeys(row.where for row in rows))
    count = counted(len(rows), "published row")
    return Spread(sd, f"{count} on {data} ({', '.join(papers)})")
