"""Changes that people make to what is stored: studies deleted, renamed, annotated, and pruned."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from orchestrator.records.study_name import IN_WORDS, STUDY_NAME
from orchestrator.storage import process
from orchestrator.storage.deleted import plans_of, remember
from orchestrator.storage.errors import StorageError, StudyBusy
from orchestrator.storage.event_log import log_event
from orchestrator.storage.history import outcomes_of
from orchestrator.storage.notes import NOTE
from orchestrator.storage.outcomes import OUTCOMES
from orchestrator.storage.studies import study_row
from orchestrator.storage.tables import arm_trials, arms, studies, trials, weights
from orchestrator.storage.upsert import in_parts


@dataclass(frozen=True)
class Removal:
    """What goes: studies, arms and trials with their results, the seconds these took, and files of weights.

    `shared` trials stay, because the studies `users` need them too.
    """

    studies: tuple[str, ...]
    arms: int
    trials: int
    outcomes: int
    seconds: float
    shared: int
    users: tuple[str, ...]
    files: tuple[str, ...]
    bytes: int

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remove, not even a trial's link to an arm."""
        return not (self.arms or self.trials or self.shared)


def delete_study(connection: Connection, name: str) -> Removal:
    """Delete a study and every trial that no other study needs; StudyBusy while a process runs it."""
    row = _not_running(connection, name)
    hashes = connection.execute(select(arms.c.hash).where(arms.c.study == row.id)).scalars()
    # What was claimed counts where a result could be seen, also one that another study keeps.
    plans = plans_of(connection, row.id) if outcomes_of(connection, hashes) else []
    removed = _remove_arms(connection, select(arms.c.id).where(arms.c.study == row.id), [name], plans=plans)
    connection.execute(delete(studies).where(studies.c.id == row.id))
    return removed


def prune(connection: Connection, name: str | None) -> Removal:
    """Remove what no study file asks for any more, of one study or of all that do not run.

    These are arms of earlier versions of a file and dropped seeds; without a name also trials that no study has.
    """
    if name is not None:
        rows: Sequence[Any] = [_not_running(connection, name)]
    else:
        rows = [row for row in connection.execute(select(studies)) if not process.holds(row)]
    ids = [row.id for row in rows]
    names = [row.name for row in rows]
    of_these = arms.c.study.in_(ids)
    dropped = arm_trials.c.orphaned & arm_trials.c.arm.in_(select(arms.c.id).where(of_these, ~arms.c.orphaned))
    seeds = set(connection.execute(select(arm_trials.c.trial).where(dropped)).scalars())
    if name is None:
        known = select(arm_trials.c.trial)
        seeds |= set(connection.execute(select(trials.c.id).where(trials.c.id.not_in(known))).scalars())
    connection.execute(delete(arm_trials).where(dropped))
    return _remove_arms(connection, select(arms.c.id).where(of_these, arms.c.orphaned), names, seeds)


def rename_study(connection: Connection, name: str, new: str) -> None:
    """Give a study another name; StorageError when that is no name, or taken."""
    row = _not_running(connection, name)
    if not re.fullmatch(STUDY_NAME, new):
        raise StorageError(f'"{new}" is no name of a study: {IN_WORDS} (at most 100), such as my-study')
    if connection.execute(select(studies.c.id).where(studies.c.name == new)).one_or_none() is not None:
        raise StorageError(f'there is a study "{new}" already: choose another name, or delete that one first')
    settings = {**row.settings, "study": new} if "study" in row.settings else row.settings
    connection.execute(update(studies).where(studies.c.id == row.id).values(name=new, settings=settings))
    log_event(connection, row.id, "Renamed", {"before": name, "after": new})


def add_note(connection: Connection, name: str, text: str) -> None:
    """Keep a note on a study, which its report shows; notes are only ever added to."""
    row = study_row(connection, name)
    if not text.strip():
        raise StorageError("the note is empty: write what should be known about the study")
    log_event(connection, row.id, NOTE, {"text": " ".join(text.split())})


def _not_running(connection: Connection, name: str) -> Any:
    row = study_row(connection, name)
    if process.holds(row):
        raise StudyBusy(f'the study "{name}" is being run by {process.describe(row)}: wait until it ends')
    return row


def _remove_arms(
    connection: Connection, chosen: Any, names: Sequence[str], extra: Iterable[str] = (), *, plans: Sequence[Any] = ()
) -> Removal:
    """Delete the chosen arms, then their trials and `extra` ones, as far as no other arm has them.

    That there were results is remembered, and the `plans` of a study that goes.
    """
    numbers = list(connection.execute(chosen).scalars())
    candidates = set(extra)
    for part in in_parts(numbers):
        of_part = arm_trials.c.arm.in_(part)
        candidates |= set(connection.execute(select(arm_trials.c.trial).where(of_part)).scalars())
        connection.execute(delete(arms).where(arms.c.id.in_(part)))
    used: set[str] = set()
    users: set[str] = set()
    for part in in_parts(sorted(candidates)):
        joined = arm_trials.join(arms, arms.c.id == arm_trials.c.arm).join(studies, studies.c.id == arms.c.study)
        rows = connection.execute(
            select(arm_trials.c.trial, studies.c.name).select_from(joined).where(arm_trials.c.trial.in_(part))
        )
        for trial, study in rows:
            used.add(trial)
            users.add(study)
    gone = sorted(candidates - used)
    outcomes, seconds = _results(connection, gone)
    files = _files(connection, gone)
    remember(connection, gone, names[0] if len(names) == 1 else None, plans)
    for part in in_parts(gone):
        connection.execute(delete(trials).where(trials.c.id.in_(part)))
    return Removal(
        studies=tuple(names),
        arms=len(numbers),
        trials=len(gone),
        outcomes=outcomes,
        seconds=seconds,
        shared=len(used),
        users=tuple(sorted(users)),
        files=tuple(files),
        bytes=sum(files.values()),
    )


def _results(connection: Connection, ids: Iterable[str]) -> tuple[int, float]:
    """Return how many of these trials have a result, and the seconds that all of them took."""
    outcomes, seconds = 0, 0.0
    for part in in_parts(ids):
        mine = trials.c.id.in_(part)
        outcomes += connection.execute(select(func.count()).where(mine, trials.c.state.in_(OUTCOMES))).scalar() or 0
        seconds += connection.execute(select(func.sum(trials.c.seconds)).where(mine)).scalar() or 0.0
    return outcomes, seconds


def _files(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """Return the files of weights that only these trials have, with their sizes."""
    sizes: dict[str, int] = {}
    for part in in_parts(ids):
        rows = connection.execute(select(weights.c.path, weights.c.bytes).where(weights.c.trial.in_(part)))
        sizes.update({row.path: row.bytes for row in rows})
    going = set(ids)
    for part in in_parts(sorted(sizes)):
        rows = connection.execute(select(weights.c.path, weights.c.trial).where(weights.c.path.in_(part)))
        for path, trial in rows.all():
            if trial not in going:
                sizes.pop(path, None)
    return sizes
