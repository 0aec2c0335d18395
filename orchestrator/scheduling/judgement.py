"""Judge the claims of a study on its results, against the plan that was made before them."""

from reports.analysis.verdicts import Verdict, judge
from reports.results import Study


def judge_study(study: Study) -> tuple[Verdict, ...]:
    """Return the verdict on every claim of the study; what was fixed after its first result is marked post hoc."""
    claims = study.claims
    return judge(study, claims) if claims else ()
