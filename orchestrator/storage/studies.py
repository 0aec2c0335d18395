"""Reading studies back: the records that reports are built from, and the list of all studies."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from orchestrator.passwords import without_passwords, without_passwords_in
from orchestrator.records.probe_metrics import study_metrics
from orchestrator.storage import process
from orchestrator.storage.errors import StorageError, unknown_name
from orchestrator.storage.history import read_history
from orchestrator.storage.measurements import read_measurements
from orchestrator.storage.notes import notes_of
from orchestrator.storage.tables import arm_trials, arms, attempts, environments, epochs, studies, trials
from orchestrator.storage.tables import verdicts as verdict_rows
from reports.results import Environment, Study
from reports.trials import Arm, Epoch, LostAttempt, State, Trial

_EPOCH = (
    epochs.c.trial,
    epochs.c.epoch,
    epochs.c.train_loss,
    epochs.c.train_error,
    epochs.c.test_loss,
    epochs.c.test_error,
    epochs.c.lr,
    epochs.c.seconds,
    epochs.c.val_loss,
    epochs.c.val_error,
)


@dataclass(frozen=True)
class StudySummary:
    """One study at a glance. `states` counts its trials; `updated` is when anything of it last changed.

    `running` says whether a living process runs it now, `process` which one and since when.
    """

    name: str
    question: str
    arms: int
    orphaned: int
    states: Mapping[State, int]
    updated: datetime
    running: bool
    process: str | None


def study_row(connection: Connection, name: str) -> Any:
    """Return the row of a planned study; StorageError naming the nearest when there is none."""
    row = connection.execute(
        select(studies).where(studies.c.name == name, studies.c.planned_at.is_not(None))
    ).one_or_none()
    if row is None:
        known = connection.execute(select(studies.c.name).where(studies.c.planned_at.is_not(None))).scalars()
        is_file = name.endswith((".yaml", ".yml"))
        hint = " (its name is what stands under `study:` in its file)" if is_file else ""
        raise StorageError(f"{unknown_name('study', name, known)}{hint}")
    return row


def read_study(connection: Connection, name: str, *, curves: bool = True) -> Study:
    """Return one study with every result so far, as one moment saw it.

    Without `curves` that of a trial is its last epoch alone, which takes a hundredth of the time for a hundred epochs.
    """
    row = study_row(connection, name)
    stored = connection.execute(
        select(arms).where(arms.c.study == row.id).order_by(arms.c.orphaned, arms.c.position)
    ).all()
    planned = tuple(_arm(arm) for arm in stored)
    recorded = _trials(connection, row.id, curves)
    own = _planned(trials.c.id).where(arms.c.study == row.id)
    measurements = read_measurements(connection, own, row.settings.get("probes"))
    return Study(
        name=row.name,
        question=row.question,
        source=without_passwords(row.source),  # those that earlier versions of this program stored
        settings=without_passwords_in(row.settings),
        factors={factor: tuple(levels) for factor, levels in row.factors.items()},
        baseline=row.baseline,
        fail_above=row.fail_above,
        arms=planned,
        trials=recorded,
        measurements=measurements,
        environments=_environments(connection, {trial.environment for trial in recorded if trial.environment}),
        command=row.command and without_passwords(row.command),
        git=row.git,
        plan_hash=row.plan_hash,
        planned_at=row.planned_at,
        notes=tuple(row.notes),
        user_notes=notes_of(connection, row.id),
        search=row.search or {},
        metrics=study_metrics(row.settings, planned, measurements),
        history=read_history(
            connection,
            row.id,
            {arm.hash: arm.name for arm in stored},
            own,
            {each.id for each in recorded},
            row.settings.get("probes"),
        ),
        lost=_lost_attempts(connection, row.id),
    )


def read_summaries(connection: Connection) -> list[StudySummary]:
    """Return every planned study, the one that changed last first."""
    rows = connection.execute(select(studies).where(studies.c.planned_at.is_not(None))).all()
    counts = _counts(connection)
    arm_counts = {
        (study, orphaned): count
        for study, orphaned, count in connection.execute(
            select(arms.c.study, arms.c.orphaned, func.count()).group_by(arms.c.study, arms.c.orphaned)
        )
    }
    latest = _latest(connection)
    summaries = []
    for row in rows:
        running = process.holds(row)
        summaries.append(
            StudySummary(
                name=row.name,
                question=row.question,
                arms=arm_counts.get((row.id, False), 0),
                orphaned=arm_counts.get((row.id, True), 0),
                states=counts.get(row.id, {}),
                updated=max(moment for moment in (row.planned_at, latest.get(row.id)) if moment),
                running=running,
                process=process.describe(row) if running else None,
            )
        )
    return sorted(summaries, key=lambda each: each.updated, reverse=True)


def select_trials(*columns: Any) -> Select[Any]:
    """Select from all trials of all studies, each with its arm."""
    joined = trials.join(arm_trials, arm_trials.c.trial == trials.c.id).join(arms, arms.c.id == arm_trials.c.arm)
    return select(*columns).select_from(joined)


def _planned(*columns: Any) -> Select[Any]:
    """Select from the trials that a study asks for, its orphaned arms included, its dropped seeds not."""
    return select_trials(*columns).where(~arm_trials.c.orphaned)


def _trials(connection: Connection, study: int, with_curves: bool) -> tuple[Trial, ...]:
    curves, logs = _curves(connection, study, with_curves), _failure_logs(connection, study)
    rows = connection.execute(
        _planned(trials, arms.c.name.label("arm_name"))
        .where(arms.c.study == study)
        .order_by(arms.c.orphaned, arms.c.position, trials.c.seed)
    )
    return tuple(_trial(row, curves.get(row.id, ()), logs) for row in rows)


def _trial(row: Any, curve: Sequence[Epoch], logs: Mapping[str, str]) -> Trial:
    last = next((epoch for epoch in reversed(curve) if epoch.epoch == row.epochs), None)
    return Trial(
        id=row.id,
        arm=row.arm_name,
        seed=row.seed,
        state=State(row.state),
        reason=row.reason,
        test_error=last.test_error if last else None,
        train_error=last.train_error if last else None,
        test_loss=last.test_loss if last else None,
        train_loss=last.train_loss if last else None,
        seconds=row.seconds,
        images_per_second=row.images_per_second,
        device=row.device,
        host=row.host,
        attempts=row.attempts,
        started_at=row.started_at,
        finished_at=row.finished_at,
        diverged_at=row.diverged_at,
        loss_before_divergence=row.loss_before_divergence,
        cause=row.cause,
        log=logs.get(row.id),
        environment=row.environment,
        val_error=last.val_error if last else None,
        val_loss=last.val_loss if last else None,
        telemetry=row.telemetry or {},
        curve=tuple(curve),
    )


def _lost_attempts(connection: Connection, study: int) -> tuple[LostAttempt, ...]:
    """Return the attempts at the trials of a study that ended without a result and were followed by others."""
    rows = connection.execute(
        _planned(attempts, arms.c.name.label("arm_name"), trials.c.seed)
        .join(attempts, attempts.c.trial == trials.c.id)
        .where(arms.c.study == study, attempts.c.ending == "lost")
        .order_by(attempts.c.ended_at, attempts.c.id)
    )
    return tuple(
        LostAttempt(
            row.trial,
            row.arm_name,
            row.seed,
            row.cause,
            row.reason,
            row.host,
            row.ended_at,
            row.log or row.traceback,
        )
        for row in rows
    )


def _failure_logs(connection: Connection, study: int) -> dict[str, str]:
    """Return what is left to read of each FAILED trial: the last lines of its log, or its traceback."""
    ids = _planned(trials.c.id).where(arms.c.study == study, trials.c.state == State.FAILED.value)
    rows = connection.execute(
        select(attempts.c.trial, attempts.c.log, attempts.c.traceback)
        .where(attempts.c.trial.in_(ids))
        .order_by(attempts.c.number)
    )
    return {row.trial: row.log or row.traceback for row in rows if row.log or row.traceback}


def _curves(connection: Connection, study: int, whole: bool) -> dict[str, list[Epoch]]:
    if whole:
        return curves_of(connection, _planned(trials.c.id).where(arms.c.study == study))
    reached = _planned(trials.c.id, trials.c.epochs).where(arms.c.study == study).subquery()
    last = (epochs.c.trial == reached.c.id) & (epochs.c.epoch == reached.c.epochs)
    return _read_epochs(connection, select(*_EPOCH).select_from(reached.join(epochs, last)))


def curves_of(connection: Connection, ids: Select[Any] | Sequence[str]) -> dict[str, list[Epoch]]:
    """Return the recorded epochs of these trials, in their order."""
    query = select(*_EPOCH).where(epochs.c.trial.in_(ids)).order_by(epochs.c.trial, epochs.c.epoch)
    return _read_epochs(connection, query)


def _read_epochs(connection: Connection, query: Select[Any]) -> dict[str, list[Epoch]]:
    rows = connection.execute(query)
    curves: dict[str, list[Epoch]] = defaultdict(list)
    nan = float("nan")
    for trial, epoch, train_loss, train_error, *others in rows:
        loss = nan if train_loss is None else train_loss
        error = nan if train_error is None else train_error
        curves[trial].append(Epoch(epoch, loss, error, *others))
    return curves


def _arm(row: Any) -> Arm:
    known = (row.name, row.levels, row.settings, row.params, row.flops, row.graph, row.orphaned)
    return Arm(*known, description=row.description or {}, hash=row.hash)


def _environments(connection: Connection, used: set[str]) -> tuple[Environment, ...]:
    rows = connection.execute(select(environments).order_by(environments.c.seen_at, environments.c.id))
    return tuple(Environment(row.id, row.host, row.facts) for row in rows if row.id in used)


def _counts(connection: Connection) -> dict[int, dict[State, int]]:
    counts: dict[int, dict[State, int]] = defaultdict(dict)
    grouped = _planned(arms.c.study, trials.c.state, func.count()).where(~arms.c.orphaned)
    for study, state, count in connection.execute(grouped.group_by(arms.c.study, trials.c.state)):
        counts[study][State(state)] = count
    return counts


def _latest(connection: Connection) -> dict[int, datetime]:
    """Return when a trial of each study last began or ended, or a verdict was given."""
    moments: dict[int, list[datetime]] = defaultdict(list)
    began = _planned(arms.c.study, func.max(trials.c.started_at), func.max(trials.c.finished_at))
    for study, *instants in connection.execute(began.group_by(arms.c.study)):
        moments[study] += [moment for moment in instants if moment]
    decided = select(verdict_rows.c.study, func.max(verdict_rows.c.decided_at)).group_by(verdict_rows.c.study)
    for study, moment in connection.execute(decided):
        moments[study].append(moment)
    return {study: max(instants) for study, instants in moments.items() if instants}
