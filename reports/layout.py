"""How a study's arms are laid out: which factor runs along the axis, and which levels make a line of their own."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reports.results import Study
from reports.trials import Arm, Scalar
from reports.wording import level, shortened

Levels = tuple[Scalar | None, ...]
Grid = Mapping[tuple[Scalar | None, Levels], Arm]


@dataclass(frozen=True)
class Series:
    """The arms that differ in the axis factor alone: a row of the main table, a line of a figure.

    `slot` is its colour and marker in every figure; 0 is the baseline's where there is only one.
    """

    levels: Levels
    label: str
    slot: int
    is_baseline: bool


@dataclass(frozen=True)
class Layout:
    """The arms by series and axis level.

    `positions` are the levels of the factor `axis`, or a single None without an axis. `grid` maps a position and a
    series' levels to the arm.
    """

    axis: str | None
    positions: tuple[Scalar | None, ...]
    across: tuple[str, ...]
    series: tuple[Series, ...]
    grid: Grid

    def arm(self, position: Scalar | None, series: Series) -> Arm | None:
        """Return the arm of a series at one axis level; None when the design left it out."""
        return self.grid.get((position, series.levels))

    def arms_at(self, position: Scalar | None) -> tuple[Arm, ...]:
        """Return the arms at one axis level, in the order of their series."""
        return tuple(arm for series in self.series if (arm := self.arm(position, series)) is not None)

    def runs_along_axis(self) -> bool:
        """Whether there are several series and most hold several levels, so that arms are compared level by level."""
        held = Counter(levels for _, levels in self.grid)
        return len(held) > 1 and 2 * sum(count > 1 for count in held.values()) > len(held)


def lay_out(study: Study, axis: str | None, names: Mapping[str, str] | None = None) -> Layout:
    """Lay out the arms that the study file still asks for, with the factor `axis`, if any, along the axis.

    A series of one arm that `names` has a short name for, by the arm's own, is labelled by it.
    """
    arms = [arm for arm in study.arms if not arm.orphaned]
    across = tuple(factor for factor in study.factors if factor != axis)
    grid: dict[tuple[Scalar | None, Levels], Arm] = {}
    lines: list[Levels] = []
    for arm in arms:
        levels = tuple(arm.levels.get(factor) for factor in across)
        if levels not in lines[-1:] and levels not in lines:
            lines.append(levels)
        grid.setdefault((arm.levels.get(axis) if axis else None, levels), arm)
    used = {position for position, _ in grid}
    positions = tuple(each for each in (study.factors[axis] if axis else (None,)) if each in used)
    series = _series(lines, across, study.baseline)
    return Layout(axis, positions, across, _renamed(series, grid, names or {}), grid)


def _renamed(series: tuple[Series, ...], grid: Grid, names: Mapping[str, str]) -> tuple[Series, ...]:
    own: dict[Levels, list[str]] = {}
    for (_, levels), arm in grid.items():
        own.setdefault(levels, []).append(names.get(arm.name, ""))
    labels = {levels: mine[0] for levels, mine in own.items() if len(mine) == 1 and mine[0]}
    return tuple(replace(each, label=labels.get(each.levels, each.label)) for each in series)


MOST_COLUMNS = 8
MOST_WITH_DIFFERENCES = 3


def main_layout(study: Study, layout: Layout) -> Layout:
    """Put the axis across the page when at least half of the grid is there; of two named factors, the context."""
    if layout.axis is None and len(study.factors) == 2:
        contexts = [factor for factor in study.factors if factor not in study.baseline]
        layout = lay_out(study, axis=contexts[0] if len(contexts) == 1 else list(study.factors)[1])
    filled = len(layout.grid) / (len(layout.positions) * len(layout.series) or 1)
    most = MOST_WITH_DIFFERENCES if set(layout.across) & set(study.baseline) else MOST_COLUMNS
    if layout.axis is not None and layout.across and filled >= 0.5 and len(layout.positions) <= most:
        return layout
    return lay_out(study, axis=None)


Bundle = list[tuple[Series, Series]]


def bundles(layout: Layout, most: int) -> list[tuple[str, Bundle]]:
    """Put series together that differ in one factor alone, as the lines of one panel; none where no factor can be one.

    That factor has at most `most` levels, as many as possible. Each panel has its title, from the other factors, and
    its series, each beside what it is as a line: its level, and the slot that this level has in every panel, the
    baseline's the first.
    """
    at = _bundled_place(layout, most)
    if at is None:
        return []
    base = next((series.levels[at] for series in layout.series if series.is_baseline), None)
    values = sorted(dict.fromkeys(series.levels[at] for series in layout.series), key=lambda value: value != base)
    slots = {value: slot for slot, value in enumerate(values)}
    made: dict[Levels, Bundle] = {}
    for series in layout.series:
        value = series.levels[at]
        line = replace(series, slot=slots[value], label=name_levels([(layout.across[at], value)]))
        made.setdefault((*series.levels[:at], *series.levels[at + 1 :]), []).append((series, line))
    names = (*layout.across[:at], *layout.across[at + 1 :])
    return [(name_levels(zip(names, levels, strict=True)), bundle) for levels, bundle in made.items()]


def _bundled_place(layout: Layout, most: int) -> int | None:
    """Return the place of the factor that makes the lines of a bundle; None where no factor can."""
    counts = [len({series.levels[at] for series in layout.series}) for at in range(len(layout.across))]
    fitting = [at for at, count in enumerate(counts) if 1 < count <= most]
    return max(fitting, key=lambda place: counts[place]) if len(counts) > 1 and fitting else None


def series_levels(layout: Layout, arm: Arm) -> Levels:
    """Return the levels of the series that an arm belongs to."""
    return tuple(arm.levels.get(factor) for factor in layout.across)


def slots(layout: Layout, most: int) -> dict[Levels, int]:
    """Return the colour and marker of each series: its own, or of more than `most` that of its line in a bundle.

    Empty where neither tells them apart.
    """
    if len(layout.series) <= most:
        return {series.levels: series.slot for series in layout.series}
    return {series.levels: line.slot for _, bundle in bundles(layout, most) for series, line in bundle}


def slotted_by(layout: Layout, most: int) -> tuple[str, ...]:
    """Return the factors whose levels `slots` tells apart; none where it tells nothing apart."""
    if len(layout.series) <= most:
        return layout.across
    at = _bundled_place(layout, most)
    return () if at is None else (layout.across[at],)


def numeric_axis(study: Study) -> str | None:
    """Return the factor named depth when its levels are several numbers, else the first factor whose levels are.

    No factor is an axis of which no two arms differ in it alone, as may be in a random design: a figure along it would
    show what their other settings do.
    """
    numeric = [name for name in numeric_factors(study) if _varies_alone(study, name)]
    return "depth" if "depth" in numeric else (numeric[0] if numeric else None)


def numeric_factors(study: Study) -> list[str]:
    """Return the factors whose levels are several numbers."""
    return [name for name, levels in study.factors.items() if len(levels) > 1 and all(map(_is_number, levels))]


def _varies_alone(study: Study, factor: str) -> bool:
    """Whether two arms of the study file differ in one factor alone."""
    held: dict[Levels, Scalar | None] = {}
    for arm in study.arms:
        if not arm.orphaned:
            others = tuple(arm.levels.get(each) for each in study.factors if each != factor)
            if held.setdefault(others, arm.levels.get(factor)) != arm.levels.get(factor):
                return True
    return False


def _is_number(value: Scalar) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _series(lines: list[Levels], across: tuple[str, ...], baseline: Mapping[str, Scalar]) -> tuple[Series, ...]:
    made: list[Series] = []
    slot = 1
    pinned = [place for place, factor in enumerate(across) if factor in baseline]
    bases = [levels for levels in lines if pinned and all(levels[at] == baseline[across[at]] for at in pinned)]
    for levels in lines:
        is_first = len(bases) == 1 and levels in bases
        made.append(Series(levels, _label(levels, across), 0 if is_first else slot, levels in bases))
        slot += not is_first
    return tuple(made)


def _label(levels: Levels, across: tuple[str, ...]) -> str:
    return shortened(name_levels(zip(across, levels, strict=True)), 90) or "all arms"


def name_levels(levels: Iterable[tuple[str, Scalar | None]]) -> str:
    """Return levels as a name for what has them: each after its factor, but one word alone."""
    pairs = list(levels)
    texts = ["–" if value is None else level(value) for _, value in pairs]
    if len(pairs) == 1 and isinstance(pairs[0][1], str):
        return texts[0]
    return ", ".join(f"{factor} {text}" for (factor, _), text in zip(pairs, texts, strict=True))
