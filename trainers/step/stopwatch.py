"""Where a step's time goes: data, forward, backward, optimiser."""

import time

import torch


class Stopwatch:
    """Adds up the time between marks by name; does nothing unless `running`.

    On a GPU each mark waits for the device, so a profiled training is slower than others, and its shares are right.
    """

    def __init__(self, device: torch.device, running: bool) -> None:
        self.device = device
        self.running = running
        self.seconds: dict[str, float] = {}
        self.last = 0.0

    def start(self) -> None:
        """Start to measure."""
        if self.running:
            self.last = self._now()

    def mark(self, name: str) -> None:
        """Add the time since the last mark, or the start, to `name`."""
        if self.running:
            now = self._now()
            self.seconds[name] = self.seconds.get(name, 0.0) + now - self.last
            self.last = now

    def shares(self) -> dict[str, float]:
        """Return each name's share of the whole time."""
        whole = sum(self.seconds.values())
        return {name: seconds / whole for name, seconds in self.seconds.items()}

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()
