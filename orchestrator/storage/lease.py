"""The right to run a study: one living process has it at a time, and a dead one loses it."""

import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from threading import Event as Flag
from threading import Thread
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.deadline import NoAnswer, within
from orchestrator.records.causes import Cause
from orchestrator.records.events import AttemptLost, now
from orchestrator.storage import process
from orchestrator.storage.database import Database
from orchestrator.storage.errors import StorageError, StudyBusy
from orchestrator.storage.event_log import log_event
from orchestrator.storage.journal import PROCESS_GONE, lose
from orchestrator.storage.outcomes import OUTCOMES
from orchestrator.storage.studies import select_trials
from orchestrator.storage.tables import arms, attempts, studies, trials
from orchestrator.storage.upsert import insert_new
from reports.trials import State

_HEARTBEAT_SECONDS = 10.0
_LOOK_SECONDS = 2.0
# How long the end of a run waits for a database that does not answer; a lock is given up earlier.
_ANSWER_SECONDS = 60.0


class Lease:
    """The right of this process to run one study, held from `__enter__` to `__exit__`.

    A thread says every ten seconds that the process is alive, for the eyes of other hosts. An owner out of sight whose
    last beat is old, or dated in the future, is watched for half a minute: clocks may be wrong, but a beat moves. With
    `take_over` the study is taken from whoever has it. An owner that was paused for long may find that `is_lost`.
    """

    def __init__(self, database: Database, study: str, *, take_over: bool = False) -> None:
        self._take_over = take_over
        self._lost = Flag()
        self.study = study
        self.token = uuid.uuid4().hex
        self._database = database
        self._released = Flag()
        self._thread = Thread(target=self._beat, name=f"heartbeat of {study}", daemon=True)

    def __enter__(self) -> Self:
        watched: _Beat | None = None
        while True:
            with self._database.writing() as connection:
                watched = _take(connection, self.study, self.token, watched, self._take_over)
            if watched is None:
                break
            time.sleep(_LOOK_SECONDS)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._released.set()
        self._thread.join(_ANSWER_SECONDS)
        try:
            within(_ANSWER_SECONDS, self._give_back)
        except (StorageError, NoAnswer) as unreturned:
            # The process ends soon, and a lease of an ended process counts for nothing; the first error matters more.
            if error is None:
                raise StorageError(f"the end of the run is not on record: {unreturned}") from unreturned

    def _give_back(self) -> None:
        with self._database.writing() as connection:
            _give_back(connection, self.study, self.token)

    def is_lost(self) -> bool:
        """Whether another process has taken the study meanwhile, so that this one must end."""
        return self._lost.is_set()

    def _beat(self) -> None:
        mine = update(studies).where(studies.c.name == self.study, studies.c.lease_owner == self.token)
        while not self._released.wait(_HEARTBEAT_SECONDS):
            try:
                with self._database.writing_raw() as connection:
                    if connection.execute(mine.values(lease_heartbeat=now())).rowcount == 0:
                        self._lost.set()
                        return
            except (SQLAlchemyError, StorageError):
                # Busy or out of reach for now; the next beat comes long before anybody may take the lease.
                continue


def recover(connection: Connection, study: str) -> tuple[str, ...]:
    """Let the trials wait again that a dead driver left RUNNING, and return them.

    The process that calls this holds the study's lease and trains nothing at this moment. A trial that a living
    driver of another study trains is left alone.
    """
    row = connection.execute(select(studies).where(studies.c.name == study)).one_or_none()
    if row is None:
        return ()
    others = connection.execute(select(studies).where(studies.c.id != row.id, studies.c.lease_owner.is_not(None)))
    # One whose clock seems wrong may live: should it be gone, its claim ends when this study wants the trial.
    living = [other.lease_owner for other in others if process.sign_of(other) is not process.Liveness.GONE]
    trained = select(attempts.c.trial).where(attempts.c.ended_at.is_(None), attempts.c.driver.in_(living))
    abandoned = connection.execute(
        select_trials(trials.c.id)
        .where(arms.c.study == row.id, trials.c.state == State.RUNNING.value, trials.c.id.not_in(trained))
        .distinct()
        .order_by(trials.c.id)
    )
    lost = tuple(abandoned.scalars())
    for trial in lost:
        lose(connection, AttemptLost(trial, PROCESS_GONE, Cause.INTERRUPTED), row.id)
    _end_overtaken(connection, row.id, living)
    return lost


def _end_overtaken(connection: Connection, study: int, living: list[str]) -> None:
    """End the attempts that dead drivers left open at trials which another driver has finished meanwhile."""
    finished = select_trials(trials.c.id).where(arms.c.study == study, trials.c.state.in_(OUTCOMES))
    left = update(attempts).where(
        attempts.c.ended_at.is_(None), attempts.c.driver.not_in(living), attempts.c.trial.in_(finished)
    )
    gone = {"ended_at": now(), "ending": "late", "reason": PROCESS_GONE}
    connection.execute(left.values(**gone, cause=Cause.INTERRUPTED))


@dataclass(frozen=True)
class _Beat:
    """The last heartbeat of an owner that is watched, and since when it is."""

    owner: str
    heartbeat: datetime
    since: float


def _take(connection: Connection, study: str, token: str, watched: _Beat | None, take_over: bool) -> _Beat | None:
    """Write the lease into the study's row, which may not have a plan yet.

    StudyBusy when a living process has it. Return what is to be watched when that cannot be told yet.
    """
    insert_new(connection, studies, [{"name": study}])
    row = connection.execute(select(studies).where(studies.c.name == study).with_for_update()).one()
    sign = process.Liveness.GONE if take_over else process.sign_of(row)
    if sign is process.Liveness.ALIVE or (watched and watched.heartbeat != row.lease_heartbeat and row.lease_owner):
        raise StudyBusy(_busy(row))
    if sign is process.Liveness.UNKNOWN:
        if watched is None or watched.owner != row.lease_owner:
            return _Beat(row.lease_owner, row.lease_heartbeat, time.monotonic())
        if time.monotonic() - watched.since < process.WATCH_SECONDS:
            return watched
    moment = now()
    taken = {"lease_owner": token, "lease_since": moment, "lease_heartbeat": moment, **process.here()}
    connection.execute(update(studies).where(studies.c.id == row.id).values(**taken))
    details = {"host": taken["lease_host"], "pid": taken["lease_pid"], "driver": token, "after": row.lease_owner}
    log_event(connection, row.id, "LeaseTaken", details, at=moment)
    return None


def _give_back(connection: Connection, study: str, token: str) -> None:
    """Clear the lease, and the row too when the study was never planned."""
    mine = (studies.c.name == study) & (studies.c.lease_owner == token)
    connection.execute(delete(studies).where(mine, studies.c.planned_at.is_(None)))
    number = connection.execute(select(studies.c.id).where(mine)).scalar()
    if number is None:
        return
    cleared = {column.name: None for column in studies.c if column.name.startswith("lease_")}
    connection.execute(update(studies).where(mine).values(**cleared))
    log_event(connection, number, "LeaseReturned", {"driver": token})


def _busy(row: Any) -> str:
    if process.is_in_sight(row):
        remedy = f"wait until it ends, or stop it with: kill {row.lease_pid}"
    else:
        seconds = process.STALE_AFTER.seconds
        remedy = (
            f"wait until it ends, or stop it there; if that host or container is gone, try again {seconds} seconds "
            "after it went, or take the study over with --take-over"
        )
    return f'the study "{row.name}" is being run by {process.describe(row)}: {remedy}'
