"""Where the ticks of an axis stand, and which of them have room for their numbers."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports.wording import numbers_alike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STEPS = (range(1, 10), (1, 2, 5), (1, 3), (1,))
_DIGIT = 6.7  # pixels, at the size of the ticks' numbers
_GAP = 4
_MOST_TICKS = 200  # of more, only those that have a number are drawn: the others would be a black bar


def log_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers from `low` to `high`, both above 0, that a logarithmic axis has room for."""
    powers = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
    for steps in _STEPS:
        numbers = [float(f"{step}e{power}") for power in powers for step in steps]
        ticks = [number for number in numbers if low <= number <= high]
        if len(ticks) <= most:
            return ticks
    return ticks[:: math.ceil(len(ticks) / most)]


def plain_log_axis(axes: "Axes", low: float, high: float) -> None:
    """Make the horizontal axis logarithmic, with a few plain numbers and no ticks between them."""
    axes.set_xscale("log")
    ticks = log_ticks(low, high)
    axes.set_xticks(ticks, labels=numbers_alike(ticks))
    axes.minorticks_off()


def number_ticks(axes: "Axes", ticks: Sequence[float]) -> None:
    """Put ticks on the horizontal axis; a number that would touch its neighbour's or the last one's is left out."""
    places = [axes.transData.transform((tick, 1))[0] for tick in ticks]
    texts = [f"{tick:g}" for tick in ticks]
    halves = [(_DIGIT * len(text) + _GAP) / 2 for text in texts]
    last = len(texts) - 1
    free = -math.inf
    for at, (place, half) in enumerate(zip(places, halves, strict=True)):
        if at < last and (place - half < free or place + half > places[last] - halves[last]):
            texts[at] = ""
        else:
            free = place + half
    shown = [(tick, text) for tick, text in zip(ticks, texts, strict=True) if text or len(ticks) <= _MOST_TICKS]
    axes.set_xticks([tick for tick, _ in shown], labels=[text for _, text in shown])
