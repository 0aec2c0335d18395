"""Verdicts: what was concluded about a study."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from orchestrator.records.events import now
from orchestrator.storage.columns import plain
from orchestrator.storage.studies import study_row
from orchestrator.storage.tables import verdicts

_COLUMNS = ("claim", "says", "verdict", "estimate", "low", "high", "margin", "n", "p")


def write_verdicts(connection: Connection, study: str, given: Iterable[Mapping[str, Any]]) -> None:
    """Make these the verdicts of a study. One that says what the stored one said keeps its moment.

    Each mapping has at least `claim`, `says` and `verdict`; all it holds is kept as evidence.
    """
    row = study_row(connection, study)
    before = {each.claim: each for each in connection.execute(select(verdicts).where(verdicts.c.study == row.id))}
    moment = now()
    rows = []
    for position, verdict in enumerate(given):
        evidence = plain(verdict)
        same = before.get(verdict["claim"])
        unchanged = same is not None and same.evidence == evidence and same.plan_hash == row.plan_hash
        rows.append(
            {
                "study": row.id,
                "position": position,
                **{name: evidence.get(name) for name in _COLUMNS},
                "evidence": evidence,
                "plan_hash": row.plan_hash,
                "decided_at": same.decided_at if same is not None and unchanged else moment,
            }
        )
    connection.execute(delete(verdicts).where(verdicts.c.study == row.id))
    if rows:
        connection.execute(insert(verdicts), rows)


def read_verdicts(connection: Connection, study: str) -> tuple[dict[str, Any], ...]:
    """Return the verdicts of a study in its order: the evidence as it was given, `plan_hash` and `decided_at`."""
    row = study_row(connection, study)
    stored = connection.execute(select(verdicts).where(verdicts.c.study == row.id).order_by(verdicts.c.position))
    return tuple({**each.evidence, "plan_hash": each.plan_hash, "decided_at": each.decided_at} for each in stored)
