"""What each event does to the tables. Results never change, and asking twice does no harm."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from orchestrator.records.events import (
    AttemptLost,
    AttemptStarted,
    EpochDone,
    Event,
    Measured,
    Notice,
    ProbesEnded,
    Resumed,
    TrialEnded,
    WeightsKept,
)
from orchestrator.storage.columns import plain
from orchestrator.storage.errors import StorageError
from orchestrator.storage.measurements import keep_measurement
from orchestrator.storage.tables import attempts, environments, epochs, events, trials
from orchestrator.storage.upsert import insert_new, insert_or_update
from orchestrator.storage.weights import list_weights
from reports.trials import Epoch, State
from search_spaces.arm import canonical_json

PROCESS_GONE = "the process that trained it is gone"
_FINISHED = [state.value for state in State if state.is_finished()]

# Built once: they run for each epoch or attempt of each trial, and to build one takes longer than to execute it. What
# an UPDATE sets is given with its execution. An epoch that comes after the result leaves no trace.
_THE_TRIAL = trials.c.id == bindparam("the_trial")
_STANDING = select(trials.c.state, trials.c.attempts).where(_THE_TRIAL)
_SET_TRIAL = update(trials).where(_THE_TRIAL)
_SET_FIRST_START = update(trials).where(_THE_TRIAL, trials.c.started_at.is_(None))
_SET_RESULT = update(trials).where(_THE_TRIAL, trials.c.state.not_in(_FINISHED))
_OPEN = (attempts.c.trial == bindparam("the_trial")) & attempts.c.ended_at.is_(None)
_OWN = _OPEN & (attempts.c.driver == bindparam("the_driver"))
_LAST_EPOCH = {
    own: select(attempts.c.last_epoch).where(_OWN if own else _OPEN).order_by(attempts.c.number.desc())
    for own in (True, False)
}
_END_ATTEMPTS = {own: update(attempts).where(_OWN if own else _OPEN) for own in (True, False)}
_FORGET_LATER = delete(epochs).where(epochs.c.trial == bindparam("the_trial"), epochs.c.epoch > bindparam("the_epoch"))
_SET_EPOCH = (
    update(trials)
    .where(trials.c.id == bindparam("the_trial"), trials.c.state.not_in(_FINISHED))
    .values(epochs=bindparam("the_epoch"))
)
_SET_LAST_EPOCH = (
    update(attempts)
    .where(
        attempts.c.trial == bindparam("the_trial"),
        attempts.c.driver == bindparam("the_driver"),
        attempts.c.ended_at.is_(None),
    )
    .values(last_epoch=bindparam("the_epoch"))
)
_EPOCH_COLUMNS = [field.name for field in fields(Epoch)]


def record(connection: Connection, event: Event, driver: str, study: int | None) -> bool:
    """Record one event and return whether it changed the trial; False when it came after the trial's result.

    `driver` is the token of the process that trains. Raises StorageError for a trial that no plan holds.
    """
    if isinstance(event, Notice | Resumed | ProbesEnded):
        applied = True
    elif isinstance(event, EpochDone):
        applied = _epoch_done(connection, event, driver)
        if applied:
            return True
    elif isinstance(event, AttemptStarted):
        applied = _attempt_started(connection, event, driver)
    elif isinstance(event, TrialEnded):
        applied = _trial_ended(connection, event, driver)
    elif isinstance(event, WeightsKept):
        list_weights(connection, event)
        applied = True
    elif isinstance(event, Measured):
        keep_measurement(connection, event)
        applied = True
    else:
        applied = _attempt_lost(connection, event, driver)
    _log(connection, event, study, applied)
    return applied


def lose(connection: Connection, event: AttemptLost, study: int) -> None:
    """End every open attempt of a trial, whoever began it, and let the trial wait unless it is finished."""
    _log(connection, event, study, _attempt_lost(connection, event, None))


def _attempt_lost(connection: Connection, event: AttemptLost, driver: str | None) -> bool:
    _end_attempts(connection, event.trial, driver, event, "lost")
    others = select(attempts.c.trial).where(attempts.c.trial == event.trial, attempts.c.ended_at.is_(None))
    waiting = (
        update(trials)
        .where(trials.c.id == event.trial, trials.c.state == State.RUNNING.value, ~others.exists())
        .values(state=State.WAITING.value)
    )
    changed = connection.execute(waiting).rowcount > 0
    return changed or _must_exist(connection, event.trial)


def _attempt_started(connection: Connection, event: AttemptStarted, driver: str) -> bool:
    place = {"the_trial": event.trial}
    trial = connection.execute(_STANDING, place).one_or_none()
    if trial is None:
        return _must_exist(connection, event.trial)
    if State(trial.state).is_outcome() or (trial.state == State.PRUNED and _was_begun_by(connection, event, driver)):
        return False
    _end_attempts(connection, event.trial, driver, event, "lost")
    facts = dict(event.environment)
    environment = _environment_id(event.host, facts)
    row = {"id": environment, "host": event.host, "facts": facts, "seen_at": event.at}
    insert_new(connection, environments, [row])
    number = trial.attempts + 1
    worker = {"host": event.host, "device": event.device, "environment": environment}
    begun = {"trial": event.trial, "number": number, "driver": driver, "started_at": event.at}
    connection.execute(insert(attempts), begun | worker)
    running = {
        "state": State.RUNNING.value,
        "reason": None,
        "cause": None,
        "finished_at": None,
        "attempts": number,
        **worker,
    }
    connection.execute(_SET_FIRST_START, place | {"started_at": event.at})
    connection.execute(_SET_TRIAL, place | running)
    return True


def _was_begun_by(connection: Connection, event: AttemptStarted, driver: str) -> bool:
    """Whether this driver trained the trial before: what it stopped early stays so, but others may want the result."""
    theirs = (attempts.c.trial == event.trial) & (attempts.c.driver == driver)
    return connection.execute(select(attempts.c.trial).where(theirs).limit(1)).one_or_none() is not None


def _epoch_done(connection: Connection, event: EpochDone, driver: str) -> bool:
    place = {"the_trial": event.trial, "the_epoch": event.epoch.epoch, "the_driver": driver}
    if connection.execute(_SET_EPOCH, place).rowcount == 0:
        return _must_exist(connection, event.trial)
    row = {"trial": event.trial, **{name: getattr(event.epoch, name) for name in _EPOCH_COLUMNS}}
    insert_or_update(connection, epochs, [row], key=["trial", "epoch"])
    connection.execute(_SET_LAST_EPOCH, place)
    return True


def _trial_ended(connection: Connection, event: TrialEnded, driver: str) -> bool:
    if not event.state.is_finished():
        raise StorageError(f"trial {event.trial} cannot end as {event.state}, which is no finished state")
    ended = {
        "state": event.state.value,
        "reason": event.reason,
        "seconds": event.seconds,
        "images_per_second": event.images_per_second,
        "diverged_at": event.diverged_at,
        "loss_before_divergence": event.loss_before_divergence,
        "telemetry": event.telemetry,
        "cause": event.cause,
        "finished_at": event.at,
    }
    place = {"the_trial": event.trial}
    change = _SET_RESULT
    if event.state is State.PRUNED:  # another study may be training it for its result
        theirs = (attempts.c.trial == event.trial) & attempts.c.ended_at.is_(None) & (attempts.c.driver != driver)
        change = change.where(~select(attempts.c.trial).where(theirs).exists())
    applied = connection.execute(change, place | ended).rowcount > 0
    if not applied:
        _must_exist(connection, event.trial)
    last = _end_attempts(connection, event.trial, driver, event, event.state.value if applied else "late")
    if applied and last is not None:
        # An earlier attempt may have come further, on hardware that rounds differently, before it was lost.
        connection.execute(_FORGET_LATER, place | {"the_epoch": last})
        connection.execute(_SET_TRIAL, place | {"epochs": last})
    return applied


def _end_attempts(connection: Connection, trial: str, driver: str | None, event: Event, ending: str) -> int | None:
    """End the open attempts of a trial and return the last epoch that they reported."""
    own = driver is not None
    theirs = {"the_trial": trial} | ({"the_driver": driver} if own else {})
    last: int | None = connection.execute(_LAST_EPOCH[own], theirs).scalar()
    reason = getattr(event, "reason", None) or (None if isinstance(event, TrialEnded) else "another attempt began")
    facts = {name: getattr(event, name, None) for name in ("cause", "traceback", "log")}
    ended = {"ended_at": event.at, "ending": ending, "reason": reason} | facts
    connection.execute(_END_ATTEMPTS[own], theirs | ended)
    return last


def _must_exist(connection: Connection, trial: str) -> bool:
    """Return False for a trial that the database holds: the event came too late. Raise StorageError for others."""
    if connection.execute(select(trials.c.id).where(trials.c.id == trial)).one_or_none() is None:
        raise StorageError(f"there is no trial {trial} in the plan of any study: record the plan first")
    return False


def _environment_id(host: str, facts: Mapping[str, Any]) -> str:
    text = canonical_json({"host": host, "facts": plain(facts)})
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def _log(connection: Connection, event: Event, study: int | None, applied: bool) -> None:
    known = {field.name: getattr(event, field.name) for field in fields(event)}
    if isinstance(event, AttemptStarted):
        known["environment"] = _environment_id(event.host, event.environment)
    elif isinstance(event, EpochDone):
        known["epoch"] = {name: getattr(event.epoch, name) for name in _EPOCH_COLUMNS}
    trial, at = known.pop("trial"), known.pop("at")
    for name in ("traceback", "log", "found"):  # the attempt keeps them, and the measurement
        known.pop(name, None)
    details = {name: value for name, value in known.items() if value not in (None, {})}
    kind = type(event).__name__
    row = {"at": at, "study": study, "trial": trial, "kind": kind, "applied": applied, "details": details}
    connection.execute(insert(events), row)
