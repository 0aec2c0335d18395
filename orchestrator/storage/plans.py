"""Recording a plan: its study, arms and trials, beside what earlier versions of the study left behind."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update

from orchestrator.passwords import without_passwords, without_passwords_in
from orchestrator.records.events import now
from orchestrator.records.frozen_plan import frozen, plan_digest
from orchestrator.records.study_plan import PlannedArm, PlannedTrial, StudyPlan
from orchestrator.storage.errors import StorageError
from orchestrator.storage.event_log import log_event
from orchestrator.storage.history import outcomes_of
from orchestrator.storage.tables import arm_levels, arm_trials, arms, events, studies, trials
from orchestrator.storage.upsert import in_parts, insert_new, insert_or_update
from reports.trials import State


@dataclass(frozen=True)
class PlanOutcome:
    """What a plan means for a database: its trials by what is known of them, and the arms that come and go.

    `new` trials were never seen, `cached` ones have a result (complete or diverged), `failed` ones have none,
    `unfinished` ones were planned or begun before, or stopped early by a search. `orphaned` names every arm of an
    earlier version of the study that the plan leaves out, `returned` those that were left out before and are back.
    """

    new: tuple[str, ...]
    cached: tuple[str, ...]
    unfinished: tuple[str, ...]
    failed: tuple[str, ...]
    orphaned: tuple[str, ...]
    returned: tuple[str, ...]


def outcome_of(connection: Connection, plan: StudyPlan) -> PlanOutcome:
    """Compare a plan with what the database holds, without writing."""
    known = states_of(connection, (trial.id for trial in plan.trials))
    groups: dict[str, list[str]] = {"new": [], "cached": [], "unfinished": [], "failed": []}
    for trial in plan.trials:
        groups[_group(known.get(trial.id))].append(trial.id)
    orphaned, returned = _changed_arms(connection, plan)
    return PlanOutcome(
        **{name: tuple(dict.fromkeys(ids)) for name, ids in groups.items()}, orphaned=orphaned, returned=returned
    )


def write_plan(connection: Connection, plan: StudyPlan) -> PlanOutcome:
    """Record a plan and return what it means.

    The same plan twice changes nothing: its moment is that of the first time, and the command and the revision stay
    those that trained, unless there is more to train.
    """
    outcome = outcome_of(connection, plan)
    same = _is_same_plan(connection, plan)
    study = _write_study(connection, plan)
    if not same or outcome.new or outcome.unfinished or outcome.failed:
        command = plan.command and without_passwords(plan.command)
        origin = {"command": command, "git": plan.git, **({} if same else {"planned_at": now()})}
        connection.execute(update(studies).where(studies.c.id == study).values(**origin))
    _orphan_the_rest(connection, study, plan, keep_added=same)
    ids = _write_arms(connection, study, plan.arms, first=0, added=False)
    _orphan_trials(connection, ids, keep_added=same)
    _write_trials(connection, ids, plan.trials, added=False)
    details = {
        "new": len(outcome.new),
        "cached": len(outcome.cached),
        "orphaned": list(outcome.orphaned),
        "claims": plan.settings.get("claims", []),
        **_version(connection, study, plan),
    }
    log_event(connection, study, "Planned", details)
    return outcome


def write_extension(
    connection: Connection, study: str, more_arms: Sequence[PlannedArm], more_trials: Sequence[PlannedTrial]
) -> None:
    """Add arms and trials to a planned study, as adaptive seeds and searches do while it runs."""
    row = connection.execute(select(studies).where(studies.c.name == study)).one_or_none()
    if row is None or row.planned_at is None:
        raise StorageError(f'the study "{study}" has no plan yet that could be extended: record its plan first')
    present = connection.execute(select(arms.c.hash, arms.c.id, arms.c.orphaned).where(arms.c.study == row.id)).all()
    current = {each.hash: each.id for each in present if not each.orphaned}
    fresh = [each for each in more_arms if each.arm.id not in current]
    _free_names(connection, row.id, fresh)
    ids = {**current, **_write_arms(connection, row.id, fresh, first=len(present), added=True)}
    _write_trials(connection, ids, more_trials, added=True)


def _free_names(connection: Connection, study: int, fresh: Sequence[PlannedArm]) -> None:
    """Rename the orphans that bear the name of an arm that is added."""
    wanted = {each.arm.name: each.arm.id for each in fresh}
    orphans = connection.execute(select(arms).where(arms.c.study == study, arms.c.orphaned)).all()
    for orphan in orphans:
        if wanted.get(orphan.name, orphan.hash) != orphan.hash:
            name = f"{orphan.name} (earlier, {orphan.hash})"
            connection.execute(update(arms).where(arms.c.id == orphan.id).values(name=name))


def _version(connection: Connection, study: int, plan: StudyPlan) -> dict[str, Any]:
    """Return what the record of this planning keeps of the whole plan: its hash, and itself where it is a new one."""
    whole = frozen(plan)
    digest = plan_digest(whole)
    earlier = select(events.c.details).where(events.c.study == study, events.c.kind == "Planned")
    last = connection.execute(earlier.order_by(events.c.id.desc()).limit(1)).scalar() or {}
    kept: dict[str, Any] = {"digest": digest, "known": outcomes_of(connection, whole["arms"])}
    return kept if last.get("digest") == digest else {**kept, "plan": whole}


def states_of(connection: Connection, ids: Iterable[str]) -> dict[str, State]:
    """Return the state of each of these trials that the database knows."""
    states: dict[str, State] = {}
    for part in in_parts(ids):
        rows = connection.execute(select(trials.c.id, trials.c.state).where(trials.c.id.in_(part)))
        states.update({row.id: State(row.state) for row in rows})
    return states


def _group(state: State | None) -> str:
    if state is None:
        return "new"
    if state is State.FAILED:
        return "failed"
    return "cached" if state.is_outcome() else "unfinished"


def _is_same_plan(connection: Connection, plan: StudyPlan) -> bool:
    stored = connection.execute(select(studies.c.plan_hash).where(studies.c.name == plan.name)).scalar()
    return stored is not None and stored == plan.plan_hash


def _arms_of(connection: Connection, study: str) -> Sequence[Any]:
    columns = select(arms.c.id, arms.c.hash, arms.c.name, arms.c.added, arms.c.orphaned)
    return connection.execute(columns.join(studies).where(studies.c.name == study).order_by(arms.c.position)).all()


def _changed_arms(connection: Connection, plan: StudyPlan) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the arms that the plan leaves out, and of those that come back with it."""
    planned = {each.arm.id: each.arm.name for each in plan.arms}
    same = _is_same_plan(connection, plan)
    present = _arms_of(connection, plan.name)
    orphaned = [
        arm.name for arm in present if arm.hash not in planned and not (same and arm.added and not arm.orphaned)
    ]
    returned = [planned[arm.hash] for arm in present if arm.orphaned and arm.hash in planned]
    return tuple(orphaned), tuple(returned)


def _write_study(connection: Connection, plan: StudyPlan) -> int:
    row = {
        "name": plan.name,
        "question": plan.question,
        "source": without_passwords(plan.source),
        "settings": without_passwords_in(plan.settings),
        "factors": plan.factors,
        "baseline": plan.baseline,
        "fail_above": plan.fail_above,
        "plan_hash": plan.plan_hash,
        "notes": list(plan.notes),
    }
    insert_or_update(connection, studies, [row], key=["name"])
    return int(connection.execute(select(studies.c.id).where(studies.c.name == plan.name)).scalar_one())


def _orphan_the_rest(connection: Connection, study: int, plan: StudyPlan, *, keep_added: bool) -> None:
    """Mark the arms that the plan leaves out, and clear the names that the planned arms need."""
    planned = {each.arm.id: each.arm.name for each in plan.arms}
    taken = set(planned.values())
    for arm in _arms_of(connection, plan.name):
        kept = arm.hash in planned or (keep_added and arm.added and not arm.orphaned)
        wanted = planned.get(arm.hash, arm.name)
        if arm.name in taken and wanted == arm.name and arm.hash in planned:
            continue
        # Two arms may swap names between versions of a file: the name of their hash stands in until all are free.
        clashes = arm.hash in planned or arm.name in taken
        name = f"{arm.name} (earlier, {arm.hash})" if clashes else arm.name
        connection.execute(update(arms).where(arms.c.id == arm.id).values(name=name, orphaned=not kept))


def _write_arms(
    connection: Connection, study: int, planned: Sequence[PlannedArm], *, first: int, added: bool
) -> dict[str, int]:
    """Write arms in their order and return their numbers by hash."""
    rows = [
        {
            "study": study,
            "hash": each.arm.id,
            "name": each.arm.name,
            "position": first + place,
            "levels": each.arm.levels,
            "settings": each.arm.settings,
            "params": each.params,
            "flops": each.flops,
            "graph": each.graph,
            "description": each.description or None,
            "added": added,
            "orphaned": False,
        }
        for place, each in enumerate(planned)
    ]
    insert_or_update(connection, arms, rows, key=["study", "hash"])
    numbers = {
        row.hash: row.id for row in connection.execute(select(arms.c.hash, arms.c.id).where(arms.c.study == study))
    }
    ids = {each.arm.id: numbers[each.arm.id] for each in planned}
    for part in in_parts(str(number) for number in ids.values()):
        connection.execute(delete(arm_levels).where(arm_levels.c.arm.in_([int(number) for number in part])))
    insert_new(connection, arm_levels, [_level(ids, each, factor) for each in planned for factor in each.arm.levels])
    return ids


def _level(ids: Mapping[str, int], planned: PlannedArm, factor: str) -> dict[str, Any]:
    level = planned.arm.levels[factor]
    text = str(level).lower() if isinstance(level, bool) else str(level)
    return {"arm": ids[planned.arm.id], "factor": factor, "level": text}


def _orphan_trials(connection: Connection, ids: Mapping[str, int], *, keep_added: bool) -> None:
    """Mark every trial of the planned arms; writing the planned ones afterwards takes their mark away."""
    marked = update(arm_trials).where(arm_trials.c.arm.in_(ids.values()))
    if keep_added:
        marked = marked.where(~arm_trials.c.added)
    connection.execute(marked.values(orphaned=True))


def _write_trials(
    connection: Connection, ids: Mapping[str, int], planned: Sequence[PlannedTrial], *, added: bool
) -> None:
    rows = [
        {
            "id": each.id,
            "arm_hash": each.arm.id,
            "data_fingerprint": each.fingerprint,
            "seed": each.seed,
            "state": State.WAITING.value,
            "telemetry": {},
        }
        # In the order of their ids: two processes that plan the same trials must not wait for each other in a ring.
        for each in sorted(planned, key=lambda each: each.id)
    ]
    insert_new(connection, trials, rows)
    links = [{"arm": ids[each.arm.id], "trial": each.id, "added": added, "orphaned": False} for each in planned]
    insert_or_update(connection, arm_trials, links, key=["arm", "trial"])
