"""Measurements: what probes found in the trained networks of a study."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from orchestrator.records.events import Measured
from orchestrator.storage.measured_columns import to_columns, to_rows
from orchestrator.storage.tables import measurements
from orchestrator.storage.trials import check_trial
from orchestrator.storage.upsert import in_parts, insert_or_update
from reports.results import Measurement
from trainers.probes import measurement_key, probe_kind


def keep_measurement(connection: Connection, event: Measured) -> None:
    """Keep what a probe found, in the place of what it found before with the same settings.

    Measuring again does not make it younger: from the first time on the result was known. Nor does a failure take away
    what was found before. StorageError where there is no such trial.
    """
    check_trial(connection, event.trial, "that could have been measured")
    earlier = _measured_at(connection, event)
    if earlier is not None and "failed" in event.found:
        return
    row = {
        "trial": event.trial,
        "kind": event.probe,
        "key": event.key,
        "settings": event.settings,
        "found": to_columns(event.found),
        "seconds": event.seconds,
        "measured_at": min(event.at, earlier or event.at),
    }
    insert_or_update(connection, measurements, [row], key=["trial", "kind", "key"])


def _measured_at(connection: Connection, event: Measured) -> datetime | None:
    """Return when the same was measured before; None where it was not, or failed."""
    mine = (measurements.c.trial == event.trial, measurements.c.kind == event.probe, measurements.c.key == event.key)
    row = connection.execute(select(measurements.c.measured_at, measurements.c.found["failed"]).where(*mine)).first()
    return row[0] if row is not None and row[1] is None else None


def first_measured(connection: Connection, ids: Iterable[str]) -> dict[str, dict[str, datetime]]:
    """Return by probe and trial when it was first measured, with any settings; what failed shows nothing."""
    first: dict[str, dict[str, datetime]] = {}
    columns = (measurements.c.trial, measurements.c.kind, measurements.c.measured_at, measurements.c.found["failed"])
    for part in in_parts(ids):
        for trial, kind, at, failed in connection.execute(select(*columns).where(measurements.c.trial.in_(part))):
            if failed is None:
                of_kind = first.setdefault(kind, {})
                of_kind[trial] = min(at, of_kind.get(trial, at))
    return first


def read_measurements(connection: Connection, ids: Select[Any], asked: object) -> tuple[Measurement, ...]:
    """Return the measurements of these trials, one for each probe: with the settings `asked` for, else the newest.

    `asked` is the list ``probes`` of a study's settings, complete.
    """
    keys = asked_keys(asked)
    rows = connection.execute(
        select(measurements)
        .where(measurements.c.trial.in_(ids))
        .order_by(measurements.c.kind, measurements.c.trial, measurements.c.measured_at, measurements.c.key)
    )
    newest: dict[tuple[str, str], Measurement] = {}
    for row in rows:
        if row.kind not in keys or row.key == keys[row.kind]:
            newest[row.kind, row.trial] = Measurement(row.trial, row.kind, to_rows(row.found), row.settings)
    return tuple(newest.values())


def asked_keys(asked: object) -> dict[str, str]:
    """Return the hash of each probe's settings by its name, from the list ``probes`` of a study's settings."""
    entries = asked if isinstance(asked, list) else []
    return {
        probe_kind(each["name"]): measurement_key(each["name"], {key: each[key] for key in each if key != "name"})
        for each in entries
        if isinstance(each, Mapping) and "name" in each
    }


def measured_keys(
    connection: Connection, trial_ids: Iterable[str], *, with_failed: bool = False
) -> dict[str, set[str]]:
    """Return ``probe/key`` of what was measured in each of these trials, of failed measurements too where asked."""
    keys: dict[str, set[str]] = {}
    columns = (measurements.c.trial, measurements.c.kind, measurements.c.key, measurements.c.found["failed"])
    for part in in_parts(trial_ids):
        for trial, kind, key, failed in connection.execute(select(*columns).where(measurements.c.trial.in_(part))):
            if failed is None or with_failed:
                keys.setdefault(trial, set()).add(f"{kind}/{key}")
    return keys
