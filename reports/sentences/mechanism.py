"""What the figures of measured networks show, and what was not measured."""

from collections.abc import Callable, Sequence

from reports.analysis.measurements import Grid, View
from reports.wording import counted, shortened, significant


def diverged(trials: int) -> str | None:
    """Say that diverged networks are not measured; nothing without one."""
    return f"{counted(trials, 'trial')} diverged; diverged networks are not measured." if trials else None


def lacking(trials: int) -> str | None:
    """Say how many networks lack a measurement; nothing where none does."""
    return f"{counted(trials, 'complete trial')} without some of the measurements." if trials else None


def refused(arm: str, reason: str) -> str:
    """Say why an arm was not measured."""
    return f'Not measured in "{arm}": {reason}.'


def lines(view: View, seeds: int) -> str:
    """Say what a line, a point and a band are; `seeds` are the most of an arm."""
    drawn_as = "a point for each choice" if view.is_scatter else "the line is the median"
    over = f" over {counted(seeds, 'seed')}" if seeds > 1 else ""
    band = ", the band goes from the least to the largest value" if seeds > 1 and not view.is_scatter else ""
    return f"{view.title}: {view.quantity} by {view.axis_labels[0]}; {drawn_as}{over}{band}."


def unchanged(medians: Sequence[tuple[str, float]], most: int) -> str | None:
    """Tell the test errors of the unchanged networks; nothing where none is known."""
    if not medians:
        return None
    told = ", ".join(f"{shortened(name, 60)} {median:.2f} %" for name, median in medians[:most])
    more = f", and {counted(len(medians) - most, 'more arm')}" if len(medians) > most else ""
    return f"Test error of the unchanged networks, median: {told}{more}."


def maps(view: View, is_first_seed: bool) -> str:
    """Say what a map shows, and that all share a scale."""
    whose = "of the first seed of each arm" if is_first_seed else "the median of the seeds"
    axes = f"{view.axis_labels[0]} and {view.axis_labels[1]}"
    return f"{view.title}: {view.quantity} by {axes}, {whose}; one scale for all arms."


def beyond_scale(largest: float, end: float) -> str | None:
    """Say that values beyond the scale have its last colour; nothing where there are none."""
    return f"All values above {significant(end, 2)} have the colour of the scale's end." if largest > end else None


def reliefs(view: View) -> str:
    """Say what the surfaces in three dimensions show."""
    return (
        f"{view.title} in three dimensions: {view.quantity} of the first seed of each arm; one scale for all arms, at "
        "whose end higher values are cut off."
    )


def measured_at(grids: Sequence[Grid]) -> str:
    """Say at how many points surfaces were measured, between which their pictures are interpolated."""
    sizes = {(len({x for x, _ in grid}), len({y for _, y in grid})) for grid in grids}
    told = " or ".join(f"{columns} × {rows}" for columns, rows in sorted(sizes))
    return f"Measured at {told} points, interpolated between them."


def ends(label: str, axis: str, points: Sequence[tuple[float, float]]) -> str:
    """Tell the first and the last value of a line, the only one where there is one."""
    (first, start), (last, end) = points[0], points[-1]
    name = f"{shortened(label, 40)}: " if label else ""
    text = f"{name}{significant(start, 3)} at {axis} {significant(first)}"
    return f"{text}." if first == last else f"{text}, {significant(end, 3)} at {significant(last)}."


def extremes(values: Sequence[float]) -> str:
    """Tell the least and the largest value of a map."""
    return f"From {significant(min(values), 3)} to {significant(max(values), 3)}."


def middle_and_edge(middle: float | None, least: float, largest: float) -> str:
    """Tell a surface's value in the middle where it has one, and those at its edge."""
    start = "" if middle is None else f"{significant(middle, 3)} in the middle, "
    return f"{start}{significant(least, 3)} to {significant(largest, 3)} at the edge."


def medians_table(view: View) -> str:
    """Say what the table under the lines has."""
    return f"{view.title}: the medians."


def scalars_table(title: str) -> str:
    """Say what the table of a probe's numbers has."""
    return f"{title} by arm."


SENTENCES: dict[str, Callable[..., str | None]] = {
    f"mechanism.{sentence.__name__}": sentence
    for sentence in (
        diverged, lacking, refused, lines, unchanged, maps, beyond_scale, reliefs, measured_at, ends, extremes,
        middle_and_edge, medians_table, scalars_table,
    )
}  # fmt: skip
