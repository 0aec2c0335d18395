"""The range of values that the panels of a figure share, and its division into the colours of a map."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

STEPS = 12
"""Colours of a map."""
REACH = 10
"""How many times the smallest of the panels' largest values a logarithmic scale of contours reaches."""


@dataclass(frozen=True)
class PanelScale:
    """What panels of one figure share: the range of their values, and whether it is logarithmic."""

    low: float
    high: float
    is_log: bool

    def height(self, value: float) -> float:
        """Return a value's place on the scale: 0 at its low end, 1 at its high one, beyond them outside."""
        if self.high <= self.low:
            return 0.0
        if self.is_log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def bounds(self) -> list[float]:
        """Return the ends of the colours' bands, in order."""
        low, high = self.low, self.high
        if high <= low:
            high = low + (abs(low) or 1.0)
        if self.is_log:
            ratio = math.log(high / low)
            return [low * math.exp(ratio * at / STEPS) for at in range(STEPS + 1)]
        return [low + (high - low) * at / STEPS for at in range(STEPS + 1)]


def scale_of(values: Sequence[float], is_log: bool) -> PanelScale:
    """Return the range of all values; a logarithmic one is linear after all where it spans less than a factor of 10."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    return PanelScale(low, high, is_log and low > 0 and high > 10 * low)


def contour_scale(panels: Sequence[Sequence[float]], is_log: bool) -> PanelScale:
    """Return the range of the panels' values; a logarithmic one ends at `REACH` times the flattest panel's largest.

    Where one network's loss grows without bound, the scale would otherwise leave the others a single band.
    """
    whole = scale_of([value for values in panels for value in values], is_log)
    if not whole.is_log:
        return whole
    return replace(whole, high=min(whole.high, REACH * max(whole.low, min(max(values) for values in panels))))
