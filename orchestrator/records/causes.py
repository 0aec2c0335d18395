"""Why an attempt at a trial ended without a result, in one word that decides what is done next."""

from enum import StrEnum


class Cause(StrEnum):
    """What ended an attempt without a result."""

    OOM = "oom"
    TIMEOUT = "timeout"
    WORKER_LOST = "worker_lost"
    NODE_LOST = "node_lost"
    PREEMPTED = "preempted"
    DATA = "data"
    DISK = "disk"
    CODE = "code"
    INTERRUPTED = "interrupted"

    def is_loss(self) -> bool:
        """Whether the attempt was taken from outside, which says nothing about the trial."""
        return self in (Cause.NODE_LOST, Cause.PREEMPTED, Cause.INTERRUPTED)
