"""Lines on what went wrong in a study: failed trials and lost attempts, by cause, with the last lines of their logs."""

from collections import Counter
from collections.abc import Iterable, Iterator

from reports.results import Study
from reports.trials import LostAttempt, State, Trial
from reports.wording import counted

INTERRUPTED = "interrupted"
"""The cause of attempts that ended because the user ended the run; these are counted alone."""
LOG_LINES = 5
MOST_LOGS = 5
"""So many logs are shown; all of them are in the report and in the folder of the logs."""


def failure_lines(trials: Iterable[Trial]) -> Iterator[str]:
    """Yield a line for each kind of failure among `trials`, followed by the last lines of one log of that kind."""
    failed = [trial for trial in trials if trial.state is State.FAILED]
    kinds = Counter((trial.cause, trial.reason) for trial in failed)
    for place, ((cause, reason), count) in enumerate(kinds.items()):
        first = next(trial for trial in failed if (trial.cause, trial.reason) == (cause, reason))
        others = f" and {count - 1} more" if count > 1 else ""
        named = f" ({cause})" if cause else ""
        yield f"FAILED{named}: {first.arm} seed={first.seed}{others}: {reason}; the next run tries again"
        if place < MOST_LOGS:
            yield from log_lines(first.log)


def lost_lines(study: Study) -> Iterator[str]:
    """Yield how many attempts were lost, by cause, and the newest of each cause with the last lines of its log."""
    if not study.lost:
        return
    causes = Counter(_cause(each) for each in study.lost)
    by_cause = ", ".join(f"{count} {cause}" for cause, count in sorted(causes.items()))
    yield f"{counted(len(study.lost), 'attempt')} ended without a result and had to be repeated: {by_cause}"
    newest = {_cause(each): each for each in study.lost}
    newest.pop(INTERRUPTED, None)
    for cause, each in sorted(newest.items()):
        yield f"last {cause}: {each.arm} seed={each.seed}: {each.reason or 'no reason recorded'}"
        yield from log_lines(each.log)


def log_lines(log: str | None) -> Iterator[str]:
    """Yield the last lines of a log, indented; nothing where there is none."""
    for line in (log or "").splitlines()[-LOG_LINES:]:
        yield f"    {line}"


def _cause(attempt: LostAttempt) -> str:
    return attempt.cause or "unknown"
