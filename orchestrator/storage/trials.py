"""Whether a trial is on record."""

from sqlalchemy import Connection, select

from orchestrator.storage.errors import StorageError
from orchestrator.storage.tables import trials


def check_trial(connection: Connection, trial: str, what: str) -> None:
    """Raise StorageError where there is no such trial; `what` says what it was to be there for."""
    if connection.execute(select(trials.c.id).where(trials.c.id == trial)).one_or_none() is None:
        raise StorageError(f"there is no trial {trial} {what}")
