"""What the section on failures says: how many trials failed and how, and what its map and its list leave out."""

from collections import Counter
from collections.abc import Callable

from reports.findings import Findings
from reports.metrics import PRIMARY
from reports.trials import State
from reports.wording import counted, listed


def none_failed(findings: Findings) -> str | None:
    """Say that no trial failed, and how many are still to end; nothing once one failed, crashed or was pruned."""
    if _bad(findings):
        return None
    still = findings.count(State.WAITING, State.RUNNING)
    rest = f"; {counted(still, 'trial')} {'has' if still == 1 else 'have'} yet to end" if still else ""
    if findings.whole.search:
        return f"No trial of the confirmation failed, diverged, crashed or was pruned{rest}."
    return f"No trial failed, diverged, crashed or was pruned{rest}."


def some_failed(findings: Findings) -> str | None:
    """Count the trials that failed by what befell them; nothing where none did."""
    if not _bad(findings):
        return None
    diverged, asked = findings.count(State.DIVERGED), len(findings.asked)
    limit = "" if findings.study.fail_above is None else f"{findings.study.fail_above:g} {PRIMARY.unit} {PRIMARY.title}"
    counts = {
        f"ended above {limit}": findings.fails() - diverged,
        "diverged": diverged,
        "crashed (counted as missing)": findings.count(State.FAILED),
        "pruned (in no mean)": findings.count(State.PRUNED),
        "have yet to end": findings.count(State.WAITING, State.RUNNING),
    }
    for words, count in counts.items():
        if count == asked > 1:
            return f"All {counted(asked, 'trial')} {words}."
    return f"Of {counted(asked, 'trial')}, {listed(f'{count:,} {words}' for words, count in counts.items() if count)}."


MAP_CAPTION = "Arms with a trial that failed, diverged, crashed or was pruned, by seed."


def map_cut(shown: int, total: int) -> str | None:
    """Say that the map has the first arms alone; nothing where it has all or there is none."""
    if not 0 < shown < total:
        return None
    return f"The map shows the first {shown} of {total:,} arms with such a trial."


def events_caption(findings: Findings) -> str:
    """Say what the list of failed trials has: the last loss only where one diverged after a finite one."""
    loss = (
        ", at which epoch, and the last finite loss before a divergence"
        if has_last_loss(findings)
        else " and at which epoch"
    )
    return f"Trials that failed, diverged, crashed or were pruned: what happened{loss}."


def has_last_loss(findings: Findings) -> bool:
    """Whether a trial diverged whose last finite loss is on record."""
    return any(trial.loss_before_divergence is not None for trial in findings.asked)


def list_cut(shown: int, total: int) -> str | None:
    """Say that the list has the first trials alone; nothing where it has all."""
    if shown >= total:
        return None
    return f"The list shows the first {shown} of {total:,} trials; tables/failures.csv has them all."


def lost_attempts(findings: Findings) -> str | None:
    """Say how many attempts ended without a result, by cause; nothing where none did."""
    lost = findings.study.lost
    if not lost:
        return None
    causes = Counter(each.cause or "unknown" for each in lost)
    by_cause = listed([f"{count:,} {cause.replace('_', ' ')}" for cause, count in sorted(causes.items())])
    return f"{counted(len(lost), 'attempt')} ended without a result ({by_cause}), so that the trial waited again."


def _bad(findings: Findings) -> int:
    return findings.fails() + findings.count(State.FAILED, State.PRUNED)


SUMMARY = (none_failed, some_failed)

SENTENCES: dict[str, Callable[..., str | None]] = {
    f"failures.{sentence.__name__}": sentence
    for sentence in (*SUMMARY, events_caption, map_cut, list_cut, lost_attempts)
}
