"""How far a study is."""

from collections.abc import Callable

from reports.findings import Findings
from reports.results import Study
from reports.trials import State
from reports.wording import counted, duration


def none_planned(findings: Findings) -> str | None:
    """Say that no trial is planned; nothing where one is, or where none is to be."""
    if findings.asked or findings.whole.is_replay:
        return None
    return "No trial of a confirmation is planned." if findings.whole.search else "No trial is planned."


def all_done(findings: Findings) -> str | None:
    """Say that all trials have a result; nothing while one has none."""
    total = len(findings.asked)
    return f"All {counted(total, 'trial')} have a result." if total and _done(findings) == total else None


def some_done(findings: Findings) -> str | None:
    """Say how many trials have a result while not all have."""
    total, done = len(findings.asked), _done(findings)
    return f"{done:,} of {counted(total, 'trial')} have a result." if done < total else None


def training_time(findings: Findings) -> str | None:
    """Tell how long all trials trained, those of a search among them; nothing before the first time."""
    whole = _spent(findings.whole)
    if not whole:
        return None
    if findings.whole.is_replay:
        return f"{duration(whole)} on record"
    confirming = _spent(findings.study)
    return duration(whole) + (f", of which {duration(confirming)} in the confirmation" if confirming < whole else "")


def _spent(study: Study) -> float:
    return sum(trial.seconds or 0.0 for trial in study.trials)


def _done(findings: Findings) -> int:
    return findings.count(State.COMPLETE, State.DIVERGED)


PROGRESS = (none_planned, all_done, some_done)

SENTENCES: dict[str, Callable[[Findings], str | None]] = {
    f"progress.{sentence.__name__}": sentence for sentence in PROGRESS
}
