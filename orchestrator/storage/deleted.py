"""What is remembered of deleted results: that they were seen, under which plans, and when; not what they were.

Whoever deletes a study and runs another on the same arms has seen results, and claims made then are no predictions.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from orchestrator.storage.event_log import log_event
from orchestrator.storage.measurements import first_measured
from orchestrator.storage.outcomes import OUTCOMES
from orchestrator.storage.tables import events, trials
from orchestrator.storage.upsert import in_parts
from reports.results import DeletedOutcome

DELETED = "Deleted"
"""The kind of the event, which belongs to no study, so that it stays when the study goes."""


def plans_of(connection: Connection, study: int) -> list[tuple[datetime, Mapping[str, Any]]]:
    """Return when a study was planned, and the details of each plan, in the order of their record."""
    planned = select(events.c.at, events.c.details).where(events.c.study == study, events.c.kind == "Planned")
    return [(at, details) for at, details in connection.execute(planned.order_by(events.c.id))]


def remember(connection: Connection, ids: Sequence[str], study: str | None, plans: Sequence[Any] = ()) -> None:
    """Record that these trials go, before they do, and the plans of the study that goes with them, if one does."""
    rows: list[Any] = []
    for part in in_parts(ids):
        mine = select(trials).where(trials.c.id.in_(part), trials.c.state.in_(OUTCOMES))
        rows += connection.execute(mine.order_by(trials.c.id)).all()
    if not rows and not plans:
        return
    measured: dict[str, dict[str, str]] = {}
    for probe, moments in first_measured(connection, [row.id for row in rows]).items():
        for trial, at in moments.items():
            measured.setdefault(trial, {})[probe] = at.isoformat()
    outcomes = [
        {
            "arm": row.arm_hash,
            "data": row.data_fingerprint,
            "seed": row.seed,
            "finished_at": row.finished_at and row.finished_at.isoformat(),
            "measured": measured.get(row.id, {}),
        }
        for row in rows
    ]
    kept = [[at.isoformat(), details] for at, details in plans]
    details = {"study": study, "plans": kept, "outcomes": outcomes}
    log_event(connection, None, DELETED, details)


def deletions(connection: Connection) -> Sequence[Mapping[str, Any]]:
    """Return what is remembered of each deletion, in the order of their record."""
    chosen = select(events.c.details).where(events.c.study.is_(None), events.c.kind == DELETED)
    return connection.execute(chosen.order_by(events.c.id)).scalars().all()


def deleted_outcomes(
    deletions: Iterable[Mapping[str, Any]], hashes: Collection[str], data: Collection[str]
) -> tuple[DeletedOutcome, ...]:
    """Return the outcomes of these arms on these data that were deleted."""
    return tuple(
        DeletedOutcome(
            each["arm"],
            each["seed"],
            each["finished_at"] and datetime.fromisoformat(each["finished_at"]),
            {probe: datetime.fromisoformat(at) for probe, at in each["measured"].items()},
        )
        for details in deletions
        for each in details["outcomes"]
        if each["arm"] in hashes and each["data"] in data
    )


def deleted_plans(
    deletions: Iterable[Mapping[str, Any]],
) -> Iterator[tuple[str | None, list[tuple[datetime, Mapping[str, Any]]]]]:
    """Return by the name of each deleted study when it was planned, and the details of each plan."""
    for details in deletions:
        yield details["study"], [(datetime.fromisoformat(at), plan) for at, plan in details["plans"]]


def records_about(connection: Connection, study: str, hashes: Collection[str]) -> list[dict[str, Any]]:
    """Return the rows of the events that tell of deleted results of a study of this name, or of these arms."""
    chosen = select(events).where(events.c.study.is_(None), events.c.kind == DELETED).order_by(events.c.id)
    return [
        dict(row)
        for row in connection.execute(chosen).mappings()
        if row["details"]["study"] == study or any(each["arm"] in hashes for each in row["details"]["outcomes"])
    ]
