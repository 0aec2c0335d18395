"""Where a step's time goes: data, forward, backward, optimiser."""

import time

import torch


class Stopwatch:
    """Adds up the time between laps by name; does nothing unless `running`.

    On a GPU each lap waits for the device, so a profiled training is slower than others, and its shares are right.
    """

    def __init__(self, device: torch.device, running: bool) -> None:
        self.device = device
        self.running = running
        self.seconds: dict[str, float] = {}
        self.last = 0.0

    def start(self) -> None:
        """Start the first lap."""
        if self.running:
            self.last = self._now()

    def lap(self, name: str) -> None:
        """End a lap and begin the next."""
        if self.running:
            now = self._now()
            self.seconds[name] = self.seconds.get(name, 0.0) + now - self.last
            self.last = now

    def shares(self) -> dict[str, float]:
        """Return each name's share of all laps."""
        whole = sum(self.seconds.values())
        return {name: seconds / whole for name, seconds in self.seconds.items()}

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()
