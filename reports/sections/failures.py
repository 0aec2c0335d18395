"""Trials that failed, crashed, were pruned or have not ended, and attempts that were lost: which, when, and why."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reports.findings import Findings
from reports.metrics import PRIMARY
from reports.names import arm_names
from reports.sections.section import Section
from reports.sentences import failures as sentences
from reports.sentences import said
from reports.tables import Column, Table
from reports.trials import Arm, LostAttempt, State, Trial
from reports.wording import number, shortened

MOST_ROWS = 75
"""Trials in the list; the file of the table has them all."""
MOST_CELLS, MOST_SEEDS = 900, 30
"""Cells of the fail map, and its columns; with more seeds there is no map."""
MOST_LOGS, MOST_LOST = 20, 10
LONGEST_LOG = 4000
_LIMIT = re.compile(r", above [\d.,e+]+$")
INTERRUPTED = "interrupted"
"""The cause of attempts that ended because the user ended the run; these are counted alone."""


@dataclass(frozen=True)
class Event:
    """One trial that failed, diverged, crashed or was pruned."""

    trial: str
    arm: str
    seed: int
    kind: str
    when: str
    loss: str
    reason: str
    log: str | None


@dataclass(frozen=True)
class Lost:
    """One attempt that ended without a result and was followed by another."""

    trial: str
    arm: str
    seed: int
    cause: str
    reason: str
    log: str | None


@dataclass(frozen=True)
class MapRow:
    """One arm of the fail map: a (kind, word) for each seed; None where no trial is planned."""

    arm: str
    cells: tuple[tuple[str, str] | None, ...]


@dataclass(frozen=True)
class Failures:
    """The section's content; `logs` has the first trial of each log, and how many others have the same."""

    summary: str
    seeds: tuple[int, ...]
    map_caption: str
    events_caption: str
    has_last_loss: bool
    map: tuple[MapRow, ...]
    events: tuple[Event, ...]
    logs: tuple[tuple[Event, int], ...]
    lost_summary: str | None
    lost: tuple[Lost, ...]
    notes: tuple[str, ...]


def build(findings: Findings) -> Section | None:
    """Build the list of failures; a sentence says so when there are none. Nothing for a replay without trials."""
    if findings.whole.is_replay and not findings.asked:
        return None
    failed = [
        (trial, kind)
        for arm in findings.arms
        for trial in findings.trials.get(arm.name, ())
        if (kind := kind_of(findings, trial)) and trial.state.is_finished()
    ]
    failing = {trial.arm for trial, _ in failed}
    arms = [arm for arm in findings.arms if arm.name in failing]
    names = {name: shortened(words, 90) for name, words in arm_names(findings).items()}
    limit = _shared_limit(trial for trial, _ in failed)
    events = tuple(_event(trial, kind, names, limit) for trial, kind in failed)
    seeds = findings.seeds if len(findings.seeds) <= MOST_SEEDS else ()
    mapped = arms[: MOST_CELLS // len(seeds)] if seeds else []
    rows = tuple(_map_row(findings, arm, names) for arm in mapped)
    first = {event.log: event for event in reversed(events) if event.log}
    counts = Counter(event.log for event in events)
    logs = tuple((event, counts[event.log] - 1) for event in reversed(first.values()))[:MOST_LOGS]
    notes = (
        sentences.map_cut(len(mapped), len(arms)),
        sentences.list_cut(min(MOST_ROWS, len(events)), len(events)),
    )
    lost = findings.study.lost
    content = Failures(
        said(findings, sentences.SUMMARY),
        seeds,
        sentences.MAP_CAPTION,
        sentences.events_caption(findings),
        sentences.has_last_loss(findings),
        rows,
        events[:MOST_ROWS],
        logs,
        sentences.lost_attempts(findings),
        tuple(_lost(each, names) for each in lost if each.cause != INTERRUPTED)[-MOST_LOST:],
        tuple(filter(None, notes)),
    )
    return Section("failures", "Failures", content, tables=(_table(failed),) if failed else ())


def kind_of(findings: Findings, trial: Trial) -> str | None:
    """Return in one word what befell a trial: fail, diverged, crashed, pruned; None for one that ended well."""
    if trial.state is State.COMPLETE:
        return "fail" if findings.study.is_fail(trial) else None
    words = {State.DIVERGED: "diverged", State.FAILED: "crashed", State.PRUNED: "pruned"}
    return words.get(trial.state, trial.state.value.lower())


def _lost(attempt: LostAttempt, names: Mapping[str, str]) -> Lost:
    return Lost(
        attempt.trial,
        names.get(attempt.arm, shortened(attempt.arm, 90)),
        attempt.seed,
        attempt.cause or "unknown",
        shortened(attempt.reason or "no reason recorded", 400),
        attempt.log[-LONGEST_LOG:] if attempt.log else None,
    )


def _shared_limit(trials: Iterable[Trial]) -> str:
    """Return what the reasons of all trials that say above which loss they were stopped end with; Methods tells it."""
    ends = {found[0] for trial in trials if (found := _LIMIT.search(trial.reason or ""))}
    return ends.pop() if len(ends) == 1 else ""


def _event(trial: Trial, kind: str, names: Mapping[str, str], limit: str) -> Event:
    epoch = trial.diverged_at or (trial.curve[-1].epoch if trial.curve else None)
    if kind == "fail":
        reason = f"{number(getattr(trial, PRIMARY.name))} {PRIMARY.unit} {PRIMARY.title} at the last epoch"
    else:
        reason = (trial.reason or "no reason recorded").removesuffix(limit)
    loss = number(trial.loss_before_divergence, 3) if trial.loss_before_divergence is not None else "–"
    return Event(
        trial.id,
        names.get(trial.arm, shortened(trial.arm, 90)),
        trial.seed,
        f"{kind} ({trial.cause})" if trial.cause else kind,
        "–" if epoch is None else str(epoch),
        loss,
        shortened(reason, 400),
        trial.log[-LONGEST_LOG:] if trial.log else None,
    )


def _map_row(findings: Findings, arm: Arm, names: Mapping[str, str]) -> MapRow:
    by_seed = {trial.seed: kind_of(findings, trial) or "ok" for trial in findings.trials[arm.name]}
    cells = tuple((by_seed[seed], by_seed[seed]) if seed in by_seed else None for seed in findings.seeds)
    return MapRow(names[arm.name], cells)


def _table(failed: list[tuple[Trial, str]]) -> Table:
    columns = (
        Column("trial", "trial"),
        Column("arm", "arm"),
        Column("seed", "seed", is_number=True),
        Column("kind", "what happened"),
        Column("epoch", "epoch", is_number=True),
        Column("loss_before_divergence", "last finite loss", 3, is_number=True),
        Column(PRIMARY.name, PRIMARY.label, 2, is_number=True),
        Column("cause", "cause"),
        Column("reason", "reason"),
    )
    rows = tuple(
        (
            trial.id,
            trial.arm,
            trial.seed,
            kind,
            trial.diverged_at or (trial.curve[-1].epoch if trial.curve else None),
            trial.loss_before_divergence,
            getattr(trial, PRIMARY.name),
            trial.cause,
            trial.reason,
        )
        for trial, kind in failed
    )
    return Table(
        "failures",
        "Trials that failed, diverged, crashed or were pruned.",
        columns,
        rows,
        ("arm", "seed", "kind", "epoch", "cause"),
    )
