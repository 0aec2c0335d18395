"""Learning curves of single arms in one panel: the baseline, the best and the worst, and others as a reader chooses."""

from collections.abc import Mapping
from dataclasses import replace

from reports.figures.curves import ArmChoice, CurveScale, curves_drawing
from reports.figures.figure import Figure, Panel
from reports.figures.readout import ArmCurve
from reports.figures.theme import MOST_SERIES, label_room
from reports.findings import Findings
from reports.layout import Series, series_levels, slots
from reports.names import arm_names
from reports.sections.curve_panels import description, facet_of, mean_curve, table_of
from reports.sentences import curves as sentences
from reports.trials import Arm, State
from reports.wording import shortened

MOST_POINTS = 48
"""Epochs of each arm that the page holds for a reader's choice."""
BASELINE, BEST_BASELINE = "the best arm's baseline", "the best arm, a baseline"
BEST, WORST = "the best arm", "the worst arm"
SLOTS = {BASELINE: 0, BEST_BASELINE: 0, BEST: 1, WORST: 2}
"""The colour and marker of each where the other figures tell no arms apart by them: black is a baseline."""


def arms_figure(findings: Findings, scale: CurveScale) -> Figure | None:
    """Return the figure; None where no more arms have curves than one panel of the other figure can hold."""
    names = {arm: shortened(name, 90) for arm, name in arm_names(findings, numbers_after=", ").items()}
    lines = [(arm, line) for arm in findings.arms if (line := _line(findings, arm, names[arm.name])) is not None]
    if len(lines) <= MOST_SERIES:
        return None
    roles = _roles(findings, [arm for arm, _ in lines])
    drawn = _drawn(findings, roles)
    places = {slot: next(at for at, (arm, _) in enumerate(lines) if arm is chosen) for slot, chosen in drawn.items()}
    chosen = [(arm, Series((), names[arm.name], slot, slot == 0)) for slot, arm in drawn.items()]
    facet = facet_of(findings, "", chosen)
    if facet is None:
        return None
    values = [*facet.values(), *(value for _, line in lines for value in (*line.test, *line.train))]
    room = label_room(series.label for _, series in chosen)
    scale = replace(scale, values=tuple(values), room=room)
    drawing = curves_drawing(
        facet.curves,
        facet.failed,
        scale,
        prefix="arms",
        has_key=True,
        is_large=True,
        choice=ArmChoice(tuple(line for _, line in lines), places),
    )
    named = sentences.single_arms({role: names[arm.name] for role, arm in roles.items()})
    thin = sentences.failed(findings) if facet.failed else None
    caption = " ".join(filter(None, (named, thin, sentences.narrow(findings))))
    return Figure("arms", caption, (Panel("", description(facet), drawing),), table_of([facet], "arms"), columns=1)


def _drawn(findings: Findings, roles: Mapping[str, Arm]) -> dict[int, Arm]:
    """Give each arm the colour and marker that it has in the other figures; the second of two alike gets a free one.

    That is one that no arm has there, if any is left.
    """
    known = {levels: slot % MOST_SERIES for levels, slot in slots(findings.layout, MOST_SERIES).items()}
    drawn: dict[int, Arm] = {}
    for role, arm in roles.items():
        own = known.get(series_levels(findings.layout, arm), SLOTS[role])
        free = [slot for slot in range(MOST_SERIES) if slot not in drawn]
        spare = [slot for slot in free if slot not in known.values()]
        drawn[own if own in free else (spare or free)[0]] = arm
    return drawn


def _roles(findings: Findings, arms: list[Arm]) -> dict[str, Arm]:
    """Return the best arm's baseline, the best and the worst of some arms; one that is two of them comes once."""
    ranked = sorted(arms, key=lambda arm: _rank(findings, arm))
    best, worst = ranked[0], ranked[-1]
    contrast = findings.contrasts.get(best.name)
    base = contrast.baseline.name if contrast is not None else ""
    baseline = next((arm for arm in arms if arm.name == base), None)
    if baseline is None:
        levels = findings.study.baseline
        is_baseline = bool(levels) and levels.items() <= best.levels.items()
        roles = {BEST_BASELINE if is_baseline else BEST: best}
    else:
        roles = {BASELINE: baseline, BEST: best}
    return roles if worst in roles.values() else {**roles, WORST: worst}


def _rank(findings: Findings, arm: Arm) -> tuple[float, float]:
    summary = findings.summaries[arm.name]
    return summary.n_fail / summary.n if summary.n else 0.0, 0.0 if summary.mean is None else summary.mean


def _line(findings: Findings, arm: Arm, name: str) -> ArmCurve | None:
    """Return an arm's mean and band over the seeds that did not fail, or the mean of all where every seed did."""
    trials = [trial for trial in findings.trials.get(arm.name, ()) if trial.curve and trial.state.is_outcome()]
    sound = [trial for trial in trials if trial.state is State.COMPLETE and not findings.study.is_fail(trial)]
    name = name if sound else f"{name} (every seed fails)"
    mean = mean_curve(findings.study, arm, sound or trials, Series((), name, 0, False), MOST_POINTS)
    if mean is None:
        return None
    has_band = sound and mean.low != mean.high
    return ArmCurve(name, mean.epochs, mean.test, mean.train, *((mean.low, mean.high) if has_band else ()))
