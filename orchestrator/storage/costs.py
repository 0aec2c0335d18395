"""What training has cost so far, from which the time of a plan is estimated."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, and_, false, func, not_, select

from orchestrator.storage.studies import select_trials
from orchestrator.storage.tables import arms, epochs, trials
from reports.trials import State


@dataclass(frozen=True)
class ArmCost:
    """Mean seconds of training an epoch of one arm on one kind of device, over so many epochs.

    `arm` is the hash of the arm's settings, `graph` that of its network: the cost of an arm that was never trained is
    that of one with the same graph, or of one with similar `flops`.
    """

    arm: str
    graph: str | None
    flops: int | None
    device: str | None
    seconds: float
    epochs: int


def read_costs(connection: Connection) -> tuple[ArmCost, ...]:
    """Return the cost of every arm that has a recorded epoch, in the order of their hashes and devices.

    What a finished trial took is on record of the trial itself; of others the epochs are read.
    """
    facts = select_trials(arms.c.hash, func.max(arms.c.graph).label("graph"), func.max(arms.c.flops).label("flops"))
    networks = facts.group_by(arms.c.hash)
    known = {row.hash: row for row in connection.execute(networks)}
    is_whole = and_(trials.c.state == State.COMPLETE.value, trials.c.seconds > 0, trials.c.epochs > 0)
    whole = select(trials.c.arm_hash, trials.c.device, func.sum(trials.c.seconds), func.sum(trials.c.epochs))
    unfinished = select(trials.c.id).where(not_(func.coalesce(is_whole, false())))
    parts = (
        select(trials.c.arm_hash, trials.c.device, func.sum(epochs.c.seconds), func.count())
        .join(epochs, epochs.c.trial == trials.c.id)
        # By a list of trials: as a condition of the join, SQLite would go through the epochs of all trials.
        .where(epochs.c.trial.in_(unfinished), epochs.c.seconds.is_not(None))
    )
    seconds: dict[tuple[str, str | None], list[tuple[float, int]]] = defaultdict(list)
    for query in (whole.where(is_whole), parts):
        for arm, device, total, count in connection.execute(query.group_by(trials.c.arm_hash, trials.c.device)):
            seconds[arm, device].append((float(total), int(count)))
    return tuple(
        ArmCost(arm, known[arm].graph, known[arm].flops, device, *_mean(seconds[arm, device]))
        for arm, device in sorted(seconds, key=lambda each: (each[0], each[1] or ""))
        if arm in known
    )


def _mean(sums: Iterable[tuple[float, int]]) -> tuple[float, int]:
    totals, counts = zip(*sums, strict=True)
    return sum(totals) / sum(counts), sum(counts)
