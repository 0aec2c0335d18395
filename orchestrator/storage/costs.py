"""What training has cost so far, from which the time of a plan is estimated."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from orchestrator.storage.studies import select_trials
from orchestrator.storage.tables import arms, epochs, trials


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
    """Return the cost of every arm that has a recorded epoch, in the order of their hashes."""
    facts = select_trials(arms.c.hash, func.max(arms.c.graph).label("graph"), func.max(arms.c.flops).label("flops"))
    networks = facts.group_by(arms.c.hash).subquery()
    rows = connection.execute(
        select(
            trials.c.arm_hash,
            networks.c.graph,
            networks.c.flops,
            trials.c.device,
            func.avg(epochs.c.seconds),
            func.count(),
        )
        .join(epochs, epochs.c.trial == trials.c.id)
        .join(networks, networks.c.hash == trials.c.arm_hash)
        .where(epochs.c.seconds.is_not(None))
        .group_by(trials.c.arm_hash, networks.c.graph, networks.c.flops, trials.c.device)
        .order_by(trials.c.arm_hash, trials.c.device)
    )
    return tuple(ArmCost(*row) for row in rows)
