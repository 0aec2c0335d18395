"""The results database: the only folder that imports SQLAlchemy."""

from typing import TYPE_CHECKING, Any

from orchestrator.storage.address import database_url
from orchestrator.storage.costs import ArmCost
from orchestrator.storage.errors import StorageError, StudyBusy
from orchestrator.storage.lease import Lease
from orchestrator.storage.patience import patiently
from orchestrator.storage.plans import PlanOutcome
from orchestrator.storage.recorder import Recorder
from orchestrator.storage.reservations import Reservations, Reserved
from orchestrator.storage.store import Store
from orchestrator.storage.studies import StudySummary

if TYPE_CHECKING:
    from orchestrator.storage.frames import StudyFrames
    from orchestrator.storage.queries import query

__all__ = [
    "ArmCost",
    "Lease",
    "PlanOutcome",
    "Recorder",
    "Reservations",
    "Reserved",
    "StorageError",
    "Store",
    "StudyBusy",
    "StudyFrames",
    "StudySummary",
    "database_url",
    "patiently",
    "query",
]


def __getattr__(name: str) -> Any:
    """Import what needs pandas only when it is asked for: that takes longer than everything else here."""
    if name == "StudyFrames":
        from orchestrator.storage.frames import StudyFrames

        return StudyFrames
    if name == "query":
        from orchestrator.storage.queries import query

        return query
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
