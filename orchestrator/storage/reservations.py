"""Which driver trains a trial now, so that studies that share arms train each of them once."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.deadline import NoAnswer, within
from orchestrator.records.causes import Cause
from orchestrator.records.events import AttemptLost, EpochDone, Event, TrialEnded, now
from orchestrator.storage import process
from orchestrator.storage.database import Database
from orchestrator.storage.errors import StorageError
from orchestrator.storage.journal import PROCESS_GONE, lose
from orchestrator.storage.studies import curves_of
from orchestrator.storage.tables import attempts, events, studies, trials
from orchestrator.storage.upsert import in_parts
from reports.trials import State

RESERVED = "Claimed"
"""The kind of these events, as every results DB has it."""
SILENT_SECONDS = process.STALE_AFTER.total_seconds()
"""A driver whose heartbeat has not changed for so long holds no trial; it is watched by this process's own clock."""
SUSPECT_SECONDS = process.WATCH_SECONDS
"""The same for a driver that is out of sight and whose heartbeat was old when it was first seen."""
BUSY_SECONDS = 2.0
ANSWER_SECONDS = 20.0
PAUSE_SECONDS = 60.0


@dataclass(frozen=True)
class Reserved:
    """What became of the reservation of some trials.

    `mine` are this driver's now, `ended` have a result already, `elsewhere` names the driver that trains each other.
    """

    mine: frozenset[str]
    ended: frozenset[str] = frozenset()
    elsewhere: Mapping[str, str] = field(default_factory=dict)


class Reservations:
    """The reservations of the driver that runs a study: the trials that it trains.

    A reservation is an event of its trial. It holds until the trial has ended, or until the lease of its driver is
    given back or taken, its process is gone, or its heartbeat stands still. A database that cannot be written keeps
    nobody from training: the reservation is then left out, and for a minute no other is tried.
    """

    def __init__(self, database: Database, study: str) -> None:
        self._database = database
        self._study = study
        self._watched: dict[str, tuple[datetime, float]] = {}
        self._pause_until = 0.0

    def take(self, wanted: Collection[str]) -> Reserved:
        """Reserve those of the trials that have no result and that no other driver trains."""
        if time.monotonic() < self._pause_until:
            return Reserved(frozenset(wanted))
        try:
            return within(ANSWER_SECONDS, lambda: self._write_reservations(sorted(wanted)))
        except (SQLAlchemyError, StorageError, NoAnswer):
            self._pause_until = time.monotonic() + PAUSE_SECONDS
            return Reserved(frozenset(wanted))

    def outcomes(self, wanted: Collection[str]) -> dict[str, list[Event]]:
        """Return what would be told of those trials that have a result, had they been trained here.

        Nothing while the database cannot be read.
        """
        try:
            return within(ANSWER_SECONDS, lambda: self._read_outcomes(wanted))
        except (SQLAlchemyError, StorageError, NoAnswer):
            return {}

    def _read_outcomes(self, wanted: Collection[str]) -> dict[str, list[Event]]:
        with self._database.reading() as connection:
            return read_outcomes(connection, wanted)

    def _write_reservations(self, wanted: list[str]) -> Reserved:
        with self._database.writing_raw(durable=False, busy=BUSY_SECONDS) as connection:
            return self._take(connection, wanted)

    def _take(self, connection: Connection, wanted: list[str]) -> Reserved:
        mine, ended, elsewhere = [], set(), {}
        states: dict[str, State] = {}
        for part in in_parts(wanted):  # locked in one order, so that two drivers never wait for each other
            rows = select(trials.c.id, trials.c.state).where(trials.c.id.in_(part)).order_by(trials.c.id)
            states |= {row.id: State(row.state) for row in connection.execute(rows.with_for_update())}
        study = connection.execute(select(studies).where(studies.c.name == self._study)).one()
        living, silent = self._others(connection, study)
        reservations = _reservations(connection, states)
        for trial, state in states.items():
            if state.is_outcome():
                ended.add(trial)
            elif other := next((living[driver] for driver in reservations[trial] if driver in living), None):
                elsewhere[trial] = other
            else:
                mine.append(trial)
        self._write(connection, study, mine, {*living, *silent, study.lease_owner})
        return Reserved(frozenset(wanted) - ended - elsewhere.keys(), frozenset(ended), elsewhere)

    def _write(self, connection: Connection, study: Any, mine: list[str], present: set[str]) -> None:
        """Record reservations, and end the attempts that drivers left open which are not `present` any more."""
        if not mine:
            return
        details, moment = {"driver": study.lease_owner}, now()
        about = {"at": moment, "study": study.id, "kind": RESERVED, "applied": True, "details": details}
        connection.execute(insert(events), [{**about, "trial": trial} for trial in mine])
        left = {trial for trial, driver in _open_attempts(connection, mine) if driver not in present}
        for trial in sorted(left):
            lose(connection, AttemptLost(trial, PROCESS_GONE, Cause.INTERRUPTED), study.id)

    def _others(self, connection: Connection, study: Any) -> tuple[dict[str, str], set[str]]:
        """Return the other drivers that live, in words by their tokens, and the tokens of those that give no sign."""
        leased = select(studies).where(studies.c.id != study.id, studies.c.lease_owner.is_not(None))
        living, silent = {}, set()
        for row in connection.execute(leased):
            sign = process.sign_of(row)
            if sign is process.Liveness.GONE:
                continue
            if self._is_silent(row, sign):
                silent.add(row.lease_owner)
            else:
                living[row.lease_owner] = f'the study "{row.name}" ({process.describe(row)})'
        return living, silent

    def _is_silent(self, row: Any, sign: process.Liveness) -> bool:
        """Whether the heartbeat of a driver has stood still for long; what it says by its own clock does not matter."""
        moment = time.monotonic()
        beat, since = self._watched.get(row.lease_owner, (None, moment))
        if beat != row.lease_heartbeat:
            self._watched[row.lease_owner] = (row.lease_heartbeat, moment)
            return False
        return moment - since > (SUSPECT_SECONDS if sign is process.Liveness.UNKNOWN else SILENT_SECONDS)


def _reservations(connection: Connection, wanted: Collection[str]) -> dict[str, set[str]]:
    """Return by trial the drivers that hold it: the last one to say so, and those whose attempts are open."""
    reservations: dict[str, set[str]] = {trial: set() for trial in wanted}
    for part in in_parts(wanted):
        told = select(events.c.trial, events.c.kind, events.c.details).where(
            events.c.trial.in_(part), events.c.kind.in_([RESERVED, "TrialEnded"]), events.c.applied
        )
        for row in connection.execute(told.order_by(events.c.id)):
            reservations[row.trial] = {row.details["driver"]} if row.kind == RESERVED else set()
    for trial, driver in _open_attempts(connection, wanted):
        reservations[trial].add(driver)
    return reservations


def _open_attempts(connection: Connection, wanted: Collection[str]) -> list[tuple[str, str]]:
    """Return the trial and the driver of every attempt that goes on."""
    drivers: list[tuple[str, str]] = []
    for part in in_parts(wanted):
        going = (attempts.c.trial.in_(part), attempts.c.ended_at.is_(None))
        rows = connection.execute(select(attempts.c.trial, attempts.c.driver).where(*going))
        drivers += [(row.trial, row.driver) for row in rows]
    return drivers


def read_outcomes(connection: Connection, wanted: Collection[str]) -> dict[str, list[Event]]:
    """Return what would be told of trials that have a result, had they been trained here, by their ids."""
    told: dict[str, list[Event]] = {}
    for part in in_parts(wanted):
        curves = curves_of(connection, part)
        for row in connection.execute(select(trials).where(trials.c.id.in_(part))):
            state = State(row.state)
            if not state.is_outcome():
                continue
            facts = (state, row.reason, row.seconds, row.images_per_second, row.diverged_at, row.loss_before_divergence)
            ended = TrialEnded(row.id, *facts, row.telemetry or {}, at=row.finished_at)
            told[row.id] = [*(EpochDone(row.id, epoch, row.finished_at) for epoch in curves.get(row.id, ())), ended]
    return told
