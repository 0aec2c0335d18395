"""How a study came to be what it is: its earlier plans, and what is on record of its arms beside its own trials."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from orchestrator.storage.deleted import deleted_outcomes, deleted_plans, deletions, plans_of
from orchestrator.storage.measurements import first_measured, read_measurements
from orchestrator.storage.outcomes import OUTCOMES, read_outcomes
from orchestrator.storage.tables import arms, studies, trials
from orchestrator.storage.upsert import in_parts
from reports.results import History, PlanVersion


def read_history(
    connection: Connection,
    study: int,
    names: Mapping[str, str],
    own: Select[tuple[str]],
    asked: Collection[str],
    probes: object,
) -> History:
    """Return the history of a study, `names` being those of its arms by hash.

    `own` selects the ids of its trials, which are `asked`; `probes` is the list of that name in its settings.
    """
    data = _data(connection, own)
    left_out = read_outcomes(connection, names, data=data, beside=own)
    name = connection.execute(select(studies.c.name).where(studies.c.id == study)).scalar_one()
    deleted = deletions(connection)
    removed = list(deleted_plans(deleted))
    earlier = [plan for of, plans in removed if of == name for plan in plans]
    return History(
        versions=tuple(_versions([*earlier, *plans_of(connection, study)])),
        left_out=left_out,
        measurements=tuple(
            measurement
            for part in in_parts(trial.id for trial in left_out)
            for measurement in read_measurements(connection, select(trials.c.id).where(trials.c.id.in_(part)), probes)
        ),
        measured=first_measured(connection, [*asked, *(trial.id for trial in left_out)]),
        elsewhere=tuple(
            version
            for plans in (
                *(plans_of(connection, other) for other in _others(connection, study, names)),
                *(plans for of, plans in removed if of != name),
            )
            for version in _versions(plans)
        ),
        deleted=deleted_outcomes(deleted, names.keys(), data),
    )


def outcomes_of(connection: Connection, hashes: Iterable[str]) -> int:
    """Return how many outcomes of these arms are on record, whichever study trained them."""
    count = 0
    for part in in_parts(hashes):
        counted = select(func.count()).where(trials.c.arm_hash.in_(part), trials.c.state.in_(OUTCOMES))
        count += int(connection.execute(counted).scalar_one())
    return count


def _versions(rows: Sequence[tuple[datetime, Mapping[str, Any]]]) -> list[PlanVersion]:
    """Return the plans of a study, each once for as long as it stayed the same.

    Programs before 0.2.0 recorded the claims alone, without a digest.
    """
    # A plan is kept with its first record; where studies were merged, another version may stand between the two.
    plans = {details["digest"]: details["plan"] for _, details in rows if "plan" in details}
    versions: list[PlanVersion] = []
    for at, details in rows:
        digest, claims = details.get("digest"), details.get("claims", [])
        last = versions[-1] if versions else None
        if last is not None and last.digest == digest and (digest or last.plan.get("claims") == claims):
            continue
        plan: Mapping[str, Any] = details.get("plan") or plans.get(digest) or {"claims": claims}
        versions.append(PlanVersion(len(versions) + 1, at, plan, digest, details.get("known")))
    return versions


def _data(connection: Connection, own: Select[tuple[str]]) -> set[str]:
    """Return the fingerprints of the data that these trials are about."""
    return set(connection.execute(select(trials.c.data_fingerprint).distinct().where(trials.c.id.in_(own))).scalars())


def _others(connection: Connection, study: int, hashes: Iterable[str]) -> list[int]:
    """Return the studies that share an arm with this one."""
    others: set[int] = set()
    for part in in_parts(hashes):
        shared = select(arms.c.study).where(arms.c.hash.in_(part), arms.c.study != study).distinct()
        others.update(connection.execute(shared).scalars())
    return sorted(others)
