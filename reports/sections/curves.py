"""Learning curves: test and training error by epoch, in small multiples."""

from dataclasses import replace

from reports.figures.curves import CurveScale, curves_drawing
from reports.figures.figure import Figure, Panel
from reports.figures.theme import MOST_PANELS, MOST_SERIES, is_wide, label_room
from reports.findings import Findings
from reports.layout import Layout, Series, bundles
from reports.sections.arm_curves import arms_figure
from reports.sections.curve_panels import description, facet_of, table_of
from reports.sections.panels import lowest_panels
from reports.sections.section import Notes, Section
from reports.sentences import curves as sentences
from reports.sentences.parts import bent_axis, lowest_shown
from reports.trials import Arm, Scalar, State, Trial
from reports.wording import level, shortened


def build(findings: Findings) -> Section | None:
    """Build the learning curves; nothing before the first epoch of the first trial."""
    if not findings.curve_length():
        return None
    planned = _facets(findings)
    means = {name: None if each.n_fail else each.mean for name, each in findings.summaries.items()}
    shown = lowest_panels([(panel, {arm.name: means[arm.name] for arm, _ in panel[1]}) for panel in planned])
    facets = [made for title, arms in shown if (made := facet_of(findings, title, arms)) is not None]
    if not facets:
        return None
    values = [value for facet in facets for value in facet.values()]
    labels = [line.label for facet in facets for line in facet.curves]
    room = label_room(labels + [line.label for facet in facets for line in facet.failed])
    drops = _drops(findings)
    scale = CurveScale(tuple(values), findings.curve_length(), room, drops, findings.study.fail_above)
    panels = tuple(
        Panel(
            facet.title,
            description(facet),
            curves_drawing(
                facet.curves,
                facet.failed,
                scale,
                prefix=f"curves{at}",
                has_key=at == 0,
                is_large=len(facets) == 1,
            ),
        )
        for at, facet in enumerate(facets)
    )
    chosen = arms_figure(findings, scale)
    told = (
        sentences.lines(findings),
        bent_axis(is_wide(values)),
        sentences.narrow(findings),
        sentences.failed(findings),
        sentences.drops(drops),
    )
    unseen = sum(not any(_is_drawn(trial) for trial in findings.trials.get(arm.name, ())) for arm in findings.arms)
    notes = (
        lowest_shown(len(shown), len(planned), "data/curves.csv"),
        sentences.without_epoch(unseen, len(findings.arms)),
    )
    figure = Figure("curves", " ".join(filter(None, told)), panels, table_of(facets), columns=min(3, len(panels)))
    figures = (figure,) if chosen is None else (figure, chosen) if len(planned) <= MOST_PANELS else (chosen, figure)
    return Section("curves", "Learning curves", Notes(tuple(filter(None, notes))), figures=figures)


def _is_drawn(trial: Trial) -> bool:
    """Whether a trial has a curve that counts: the epochs of an interrupted one will be told again."""
    return bool(trial.curve) and trial.state is not State.WAITING


def _facets(findings: Findings) -> list[tuple[str, list[tuple[Arm, Series]]]]:
    """A panel for each axis level while its lines can be told apart, else for fewer of them, with a line a level.

    Those are the panels in which one factor varies, where that makes fewer than one panel for each series.
    """
    layout = findings.layout
    arms = [
        (position, series, arm)
        for position in layout.positions
        for series in layout.series
        if (arm := layout.arm(position, series)) is not None
    ]
    if len(layout.series) <= MOST_SERIES:
        return [
            (_at(layout.axis, position), [(arm, series) for here, series, arm in arms if here == position])
            for position in layout.positions
        ]
    bundled = bundles(layout, MOST_SERIES)
    if bundled and len(bundled) * len(layout.positions) < len(layout.series):
        return [
            (", ".join(filter(None, (_at(layout.axis, position), title))), lines)
            for position in layout.positions
            for title, bundle in bundled
            if (lines := [(arm, line) for series, line in bundle if (arm := layout.arm(position, series)) is not None])
        ]
    if layout.axis is None:
        return [(shortened(series.label, 60), _beside_baseline(layout, series, arm)) for _, series, arm in arms]
    if len(layout.positions) <= MOST_SERIES:
        slots = {position: slot for slot, position in enumerate(layout.positions)}
        return [
            (
                shortened(series.label, 60),
                [
                    (arm, replace(series, slot=slots[position], label=_at(layout.axis, position)))
                    for position, other, arm in arms
                    if other is series
                ],
            )
            for series in layout.series
        ]
    return [(shortened(arm.name, 60), [(arm, replace(series, slot=0))]) for _, series, arm in arms]


def _beside_baseline(layout: Layout, series: Series, arm: Arm) -> list[tuple[Arm, Series]]:
    """Return the line of an arm and, in black as everywhere, that of the baseline where there is one."""
    base = next((each for each in layout.series if each.slot == 0), None)
    standard = layout.arm(None, base) if base is not None else None
    own = (arm, replace(series, slot=min(series.slot, 1), label=""))
    return (
        [own]
        if base is None or standard is None or base is series
        else [(standard, replace(base, label="baseline")), own]
    )


def _at(axis: str | None, position: Scalar | None) -> str:
    return "" if axis is None or position is None else f"{axis} {level(position)}"


def _drops(findings: Findings) -> tuple[int, ...]:
    """The first epochs after the learning rate was cut, for schedules that hold it between cuts."""
    longest = max(findings.study.trials, key=lambda trial: len(trial.curve))
    rates = [epoch.lr for epoch in longest.curve]
    if len(rates) < 4 or len(set(rates)) > max(2, len(rates) // 4):
        return ()
    pairs = zip(longest.curve, longest.curve[1:], strict=False)
    return tuple(after.epoch for before, after in pairs if after.lr < 0.6 * before.lr)
