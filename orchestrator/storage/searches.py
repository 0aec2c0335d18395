"""What a search proposed, kept in order, and the record of what it showed."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from orchestrator.records.proposal import Proposal
from orchestrator.storage.studies import study_row
from orchestrator.storage.tables import arm_trials, arms, proposals, studies, trials
from reports.trials import State


def write_proposals(connection: Connection, study: str, optimization: str, made: Sequence[Proposal]) -> None:
    """Add proposals to a optimization run of a study; each is written once."""
    row = study_row(connection, study)
    rows = [{"study": row.id, "optimization": optimization, **vars(each)} for each in made]
    if rows:
        connection.execute(insert(proposals), rows)


def read_proposals(connection: Connection, study: str, optimization: str) -> tuple[Proposal, ...]:
    """Return the proposals of one optimization run in their order."""
    row = study_row(connection, study)
    mine = (proposals.c.study == row.id) & (proposals.c.optimization == optimization)
    stored = connection.execute(select(proposals).where(mine).order_by(proposals.c.number))
    return tuple(
        Proposal(each.number, each.origin, each.status, each.params, each.arm, each.reason, each.attributes)
        for each in stored
    )


def write_search(connection: Connection, study: str, record: Mapping[str, Any]) -> None:
    """Keep the record of a search in the place of the one before."""
    row = study_row(connection, study)
    connection.execute(update(studies).where(studies.c.id == row.id).values(search=record))


def read_levels(connection: Connection, factors: Sequence[str]) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Return hash and levels of every arm, of any study, whose factors are these and that has a complete trial."""
    complete = select(arm_trials.c.arm).join(trials, trials.c.id == arm_trials.c.trial)
    complete = complete.where(trials.c.state == State.COMPLETE.value)
    chosen = select(arms.c.hash, arms.c.levels).where(arms.c.id.in_(complete))
    rows = connection.execute(chosen.order_by(arms.c.id))
    return tuple((row.hash, row.levels) for row in rows if set(row.levels) == set(factors))
