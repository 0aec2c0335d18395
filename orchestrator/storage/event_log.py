"""One row of the table of events for what people and drivers do to a study, beside its training."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from orchestrator.records.events import now
from orchestrator.storage.tables import events


def log_event(
    connection: Connection, study: int | None, kind: str, details: Mapping[str, Any], *, at: datetime | None = None
) -> None:
    """Log what has happened to a study (None: to results of no study), now unless `at` says when."""
    row = {"at": at or now(), "study": study, "kind": kind, "applied": True, "details": details}
    connection.execute(insert(events), row)
