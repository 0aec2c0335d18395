"""Which weights of which trials are kept, and in which files."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from orchestrator.records.events import WeightsKept
from orchestrator.storage.tables import weights
from orchestrator.storage.trials import check_trial
from orchestrator.storage.upsert import in_parts, insert_or_update


@dataclass(frozen=True)
class KeptWeights:
    """A file with the weights of a trial after some epoch; `digest` is the SHA-256 of the file."""

    trial: str
    epoch: int
    digest: str
    bytes: int
    path: str


def list_weights(connection: Connection, event: WeightsKept) -> None:
    """Note a file of weights, in the place of an earlier one of the same trial and epoch."""
    check_trial(connection, event.trial, "whose weights could be kept")
    row = {
        "trial": event.trial,
        "epoch": event.epoch,
        "digest": event.digest,
        "bytes": event.bytes,
        "path": event.path,
        "kept_at": event.at,
    }
    insert_or_update(connection, weights, [row], key=["trial", "epoch"])


def read_weights(connection: Connection, trial_ids: Iterable[str]) -> dict[str, list[KeptWeights]]:
    """Return the files of each of these trials, the earliest epoch first; trials without any are left out."""
    kept_by_trial: dict[str, list[KeptWeights]] = {}
    for part in in_parts(trial_ids):
        rows = connection.execute(select(weights).where(weights.c.trial.in_(part)).order_by(weights.c.epoch))
        for row in rows:
            kept = KeptWeights(row.trial, row.epoch, row.digest, row.bytes, row.path)
            kept_by_trial.setdefault(row.trial, []).append(kept)
    return kept_by_trial
