"""How long a run waits for news of its workers, and what it may use up before it ends by itself."""

from dataclasses import dataclass, field

SILENCE_SECONDS = 60.0
"""A worker that gives no sign for so long is taken for stopped; it gives one every few seconds."""


@dataclass(frozen=True)
class Budget:
    """What one run may use up: trained trials, seconds of wall time, GPU-hours; None: no bound."""

    trials: int | None = None
    seconds: float | None = None
    gpu_hours: float | None = None


@dataclass(frozen=True)
class Limits:
    """The limits of one run. A trial without an epoch for `timeout` seconds hangs (None: never)."""

    silence: float = field(default_factory=lambda: SILENCE_SECONDS)
    timeout: float | None = None
    budget: Budget = Budget()
    gpus: float = 0.0
