"""What is on record of the arms of a plan, whichever study trained them; it shows how much they vary over seeds."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, Select, and_, select

from orchestrator.storage.tables import epochs, trials
from orchestrator.storage.upsert import in_parts
from reports.trials import State, Trial

_ERRORS = ("test_error", "train_error", "test_loss", "train_loss", "val_error", "val_loss")
_FACTS = ("id", "arm_hash", "seed", "state", "seconds", "images_per_second", "finished_at", "telemetry")
OUTCOMES = tuple(state.value for state in State if state.is_outcome())


def read_outcomes(
    connection: Connection,
    arms: Mapping[str, str],
    *,
    data: Collection[str] | None = None,
    beside: Select[tuple[str]] | None = None,
) -> tuple[Trial, ...]:
    """Return every outcome of these arms with its last errors, under the name that `arms` gives to the arm's hash.

    With `data`, only those on data of these fingerprints; with `beside`, none of the trials whose ids that selects.
    """
    last = and_(epochs.c.trial == trials.c.id, epochs.c.epoch == trials.c.epochs)
    columns: list[Any] = [*(trials.c[name] for name in _FACTS), *(epochs.c[name] for name in _ERRORS)]
    ended: list[Trial] = []
    for part in in_parts(arms):
        mine = and_(trials.c.arm_hash.in_(part), trials.c.state.in_(OUTCOMES))
        if data is not None:
            mine = and_(mine, trials.c.data_fingerprint.in_(data))
        if beside is not None:
            mine = and_(mine, trials.c.id.not_in(beside))
        rows = connection.execute(select(*columns).outerjoin(epochs, last).where(mine).order_by(trials.c.id))
        ended += [
            Trial(
                id=row.id,
                arm=arms[row.arm_hash],
                seed=row.seed,
                state=State(row.state),
                seconds=row.seconds,
                images_per_second=row.images_per_second,
                finished_at=row.finished_at,
                telemetry=row.telemetry or {},
                **{name: getattr(row, name) for name in _ERRORS},
            )
            for row in rows
        ]
    return tuple(ended)
