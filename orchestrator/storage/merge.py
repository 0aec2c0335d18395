"""Copying studies from one database to another: what is there already is not doubled, and no result is changed."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from orchestrator.records.events import now
from orchestrator.storage.columns import plain
from orchestrator.storage.deleted import records_about
from orchestrator.storage.event_log import log_event
from orchestrator.storage.measurements import measured_keys
from orchestrator.storage.studies import study_row
from orchestrator.storage.tables import (
    arm_levels,
    arm_trials,
    arms,
    attempts,
    environments,
    epochs,
    events,
    measurements,
    proposals,
    studies,
    trials,
    verdicts,
    weights,
)
from orchestrator.storage.upsert import in_parts, insert_new
from reports.trials import State

_OF_A_TRIAL = (attempts, epochs, measurements, weights)


@dataclass(frozen=True)
class Merged:
    """What copying one study did: whether it was `known` before, and how many arms and trials came with it.

    `completed` trials were known without a result and have one now; `same` ones had one before, and of these
    `different` end with another test error than the copy, which is not taken. `other_plan` says that the study is
    planned otherwise here: what only the copy has counts as an earlier version.
    """

    study: str
    known: bool
    other_plan: bool
    arms: int
    trials: int
    completed: int
    same: int
    different: int


def merge_study(source: Connection, target: Connection, name: str) -> Merged:
    """Copy one study, whatever it needs, and its record into another database."""
    theirs = study_row(source, name)
    mine = target.execute(select(studies).where(studies.c.name == name)).one_or_none()
    known = mine is not None and mine.planned_at is not None
    other_plan = known and mine is not None and mine.plan_hash != theirs.plan_hash
    number = _study(target, theirs, mine, known)
    numbers, new_arms = _arms(source, target, theirs.id, number, other_plan)
    links = list(_of(source, arm_trials, arm_trials.c.arm, numbers))
    added, completed, same, different = _trials(source, target, [link["trial"] for link in links])
    placed = [{**link, "arm": numbers[link["arm"]]} for link in links]
    insert_new(target, arm_trials, [{**link, "orphaned": True} if other_plan else link for link in placed])
    _record(source, target, theirs.id, number, known)
    _deletions(source, target, theirs)
    return Merged(name, known, other_plan, new_arms, added, completed, same, different)


def _study(target: Connection, theirs: Any, mine: Any, known: bool) -> int:
    """Write the study's row unless it has a plan here, and return its number."""
    if known:
        return int(mine.id)
    row = {key: value for key, value in theirs._mapping.items() if key != "id" and not key.startswith("lease_")}
    if mine is not None:
        target.execute(update(studies).where(studies.c.id == mine.id).values(**row))
    else:
        target.execute(insert(studies).values(**row))
    return int(target.execute(select(studies.c.id).where(studies.c.name == row["name"])).scalar_one())


def _arms(
    source: Connection, target: Connection, theirs: int, mine: int, other_plan: bool
) -> tuple[dict[int, int], int]:
    """Copy the arms that are missing; return the number here of each arm there, and how many came."""
    present = target.execute(select(arms.c.hash, arms.c.id, arms.c.name).where(arms.c.study == mine)).all()
    ids = {each.hash: each.id for each in present}
    names = {each.name for each in present}
    numbers, new = {}, 0
    for row in source.execute(select(arms).where(arms.c.study == theirs).order_by(arms.c.position)).mappings():
        if row["hash"] not in ids:
            name = row["name"] if row["name"] not in names else f"{row['name']} (imported, {row['hash']})"
            values = {key: value for key, value in row.items() if key != "id"}
            values |= {"study": mine, "name": name, "orphaned": row["orphaned"] or other_plan}
            target.execute(insert(arms).values(**values))
            selected = target.execute(select(arms.c.id).where(arms.c.study == mine, arms.c.hash == row["hash"]))
            ids[row["hash"]] = selected.scalar_one()
            names.add(name)
            new += 1
        numbers[row["id"]] = ids[row["hash"]]
    levels = [{**level, "arm": numbers[level["arm"]]} for level in _of(source, arm_levels, arm_levels.c.arm, numbers)]
    insert_new(target, arm_levels, levels)
    return numbers, new


def _trials(source: Connection, target: Connection, ids: Sequence[str]) -> tuple[int, int, int, int]:
    """Copy the trials that are missing, and those that have a result only there."""
    there = {row["id"]: row for row in _of(source, trials, trials.c.id, ids)}
    here = {row["id"]: row for row in _of(target, trials, trials.c.id, ids)}
    fresh = [each for each in there if each not in here]
    better = [each for each in here if _has_result(there[each]) and not _has_result(here[each])]
    both = [each for each in here if _has_result(there[each]) and _has_result(here[each])]
    wanted = {row["environment"] for row in there.values()}
    wanted |= {row["environment"] for row in _of(source, attempts, attempts.c.trial, [*fresh, *better])}
    insert_new(target, environments, list(_of(source, environments, environments.c.id, wanted - {None})))
    insert_new(target, trials, [_at_rest(there[each]) for each in fresh])
    for trial in better:
        target.execute(update(trials).where(trials.c.id == trial).values(**_at_rest(there[trial])))
        for table in _OF_A_TRIAL:
            target.execute(delete(table).where(table.c.trial == trial))
    for table in _OF_A_TRIAL:
        rows = [_closed(table, row) for row in _of(source, table, table.c.trial, [*fresh, *better])]
        if rows:
            target.execute(insert(table), rows)
    _drop_failures(source, target, both)
    for table in (measurements, weights):
        insert_new(target, table, list(_of(source, table, table.c.trial, both)))
    theirs, mine = _last_errors(source, both, there), _last_errors(target, both, here)
    return len(fresh), len(better), len(both), sum(theirs[each] != mine[each] for each in both)


def _drop_failures(source: Connection, target: Connection, both: Sequence[str]) -> None:
    """Delete the measurements of these trials that failed here and succeeded there."""
    rows = select(measurements.c.trial, measurements.c.kind, measurements.c.key)
    failed = rows.where(measurements.c.found["failed"].as_string().is_not(None))
    here = [row for part in in_parts(both) for row in target.execute(failed.where(measurements.c.trial.in_(part)))]
    there = measured_keys(source, {row.trial for row in here})
    for row in here:
        if f"{row.kind}/{row.key}" in there.get(row.trial, ()):
            same = (measurements.c.trial == row.trial, measurements.c.kind == row.kind, measurements.c.key == row.key)
            target.execute(delete(measurements).where(*same))


def _record(source: Connection, target: Connection, theirs: int, mine: int, known: bool) -> None:
    """Copy the proposals of a search, the verdicts of a study that was not known, and the events that are missing."""
    proposed = source.execute(select(proposals).where(proposals.c.study == theirs)).mappings()
    insert_new(target, proposals, [{**row, "study": mine} for row in proposed])
    if not known:
        rows = source.execute(select(verdicts).where(verdicts.c.study == theirs)).mappings()
        insert_new(target, verdicts, [{**row, "study": mine} for row in rows])
    present = {_face(row) for row in _of(target, events, events.c.study, [mine])}
    told = [row for row in _of(source, events, events.c.study, [theirs]) if _face(row) not in present]
    copies = [{**{key: value for key, value in row.items() if key != "id"}, "study": mine} for row in told]
    before = _last_plan(target, mine)
    if copies:
        target.execute(insert(events), copies)
    after = _last_plan(target, mine)
    if known and before and after and before.get("digest") != after.get("digest"):
        # The plan here stays in force, so it is also the last one on record.
        log_event(target, mine, "Planned", before)


def _deletions(source: Connection, target: Connection, theirs: Any) -> None:
    """Copy what is remembered of deleted results of the study and its arms."""
    hashes = set(source.execute(select(arms.c.hash).where(arms.c.study == theirs.id)).scalars())
    present = {_face(row) for row in records_about(target, theirs.name, hashes)}
    told = [row for row in records_about(source, theirs.name, hashes) if _face(row) not in present]
    if told:
        target.execute(insert(events), [{key: value for key, value in row.items() if key != "id"} for row in told])


def _last_plan(connection: Connection, study: int) -> Mapping[str, Any] | None:
    """Return the details of a study's last planning."""
    planned = select(events.c.details).where(events.c.study == study, events.c.kind == "Planned")
    return connection.execute(planned.order_by(events.c.id.desc()).limit(1)).scalar()


def _of(connection: Connection, table: Table, column: Any, keys: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Return the rows of a table whose `column` is one of `keys`, in a fixed order."""
    for part in in_parts(keys):
        chosen = select(table).where(column.in_(part)).order_by(*table.primary_key.columns)
        yield from (dict(row) for row in connection.execute(chosen).mappings())


def _has_result(row: Mapping[str, Any]) -> bool:
    return State(row["state"]).is_outcome()


def _at_rest(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a trial, waiting where it runs there: nobody trains it here."""
    return {**row, "state": State.WAITING.value} if row["state"] == State.RUNNING.value else dict(row)


def _closed(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of a trial for another database: attempts get a number of its own, and none goes on."""
    if table is not attempts:
        return row
    del row["id"]
    if row["ended_at"] is None:
        row |= {"ended_at": now(), "ending": "lost", "reason": "it went on elsewhere when the study was copied"}
    return row


def _last_errors(connection: Connection, ids: Sequence[str], rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the test error of each trial's last epoch."""
    errors: dict[str, Any] = dict.fromkeys(ids)
    for row in _of(connection, epochs, epochs.c.trial, ids):
        if row["epoch"] == rows[row["trial"]]["epochs"]:
            errors[row["trial"]] = row["test_error"]
    return errors


def _face(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what makes an event itself."""
    return row["at"], row["kind"], row["trial"], json.dumps(plain(row["details"]), sort_keys=True)
