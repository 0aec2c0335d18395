"""A figure of surfaces in three dimensions, a panel for each arm."""

from reports.analysis.measurements import Grid, Probed, View
from reports.figures.figure import Figure, Panel
from reports.figures.relief import relief_drawing
from reports.figures.scale import contour_scale
from reports.findings import Findings
from reports.names import arm_names
from reports.sentences import mechanism as sentences
from reports.sentences.parts import cut
from reports.tables import Column, Table
from reports.wording import shortened

MOST_RELIEFS = 6
"""Panels of one figure: each holds hundreds of polygons."""


def relief(findings: Findings, probe: Probed, view: View, name: str) -> Figure | None:
    """Return the surface of each arm's first seed, with the scale of the contours; None where no arm has one."""
    names = arm_names(findings)
    named = [(shortened(names[arm.name], 60), probe.grid(view, arm.name)) for arm in findings.arms]
    panels = [(title, grid) for title, grid in named if len({x for x, _ in grid}) > 1 and len({y for _, y in grid}) > 1]
    if not panels:
        return None
    scale = contour_scale([list(grid.values()) for _, grid in panels], view.is_log)
    labels = (view.axis_labels[0], view.axis_labels[1], view.label)
    drawn = tuple(
        Panel(
            title,
            sentences.middle_and_edge(*_numbers(grid)),
            relief_drawing(grid, scale, labels, prefix=f"{name}-{at}"),
        )
        for at, (title, grid) in enumerate(panels[:MOST_RELIEFS])
    )
    told = (
        sentences.reliefs(view),
        sentences.measured_at([grid for _, grid in panels]),
        cut(min(MOST_RELIEFS, len(panels)), len(panels), "panels"),
    )
    caption = " ".join(filter(None, told))
    columns = (
        Column("arm", "arm"),
        Column("middle", "in the middle", is_number=True),
        Column("least", "least at the edge", is_number=True),
        Column("largest", "largest at the edge", is_number=True),
    )
    rows = tuple((title, *_numbers(grid)) for title, grid in panels)
    table = Table(name, "The values in the middle of each arm's surface and at its edge.", columns, rows)
    return Figure(name, caption, drawn, table, columns=min(3, len(drawn)))


def _numbers(grid: Grid) -> tuple[float | None, float, float]:
    """Return the value at the centre, None where it has none, and the least and largest at the edge."""
    ends = [{min(places), max(places)} for places in ([x for x, _ in grid], [y for _, y in grid])]
    edge = [value for (x, y), value in grid.items() if x in ends[0] or y in ends[1]]
    return grid.get((0.0, 0.0)), min(edge), max(edge)
