"""Which panels of a figure the page shows where there are more than it has room for."""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from reports.figures.theme import MOST_PANELS

Panel = TypeVar("Panel")


def lowest_panels(panels: Sequence[tuple[Panel, Mapping[Hashable, float | None]]]) -> list[Panel]:
    """Return the panels with the lowest errors, as many as the page shows, in the order given.

    Each comes with the error of each of its lines, None where it has none; a line of all panels does not count.
    """
    shared = set.intersection(*(set(errors) for _, errors in panels)) if len(panels) > 1 else set()

    def lowest(at: int) -> float:
        own = [error for line, error in panels[at][1].items() if line not in shared and error is not None]
        return min(own, default=math.inf)

    kept = sorted(sorted(range(len(panels)), key=lowest)[:MOST_PANELS])
    return [panels[at][0] for at in kept]
