"""Differences to the baseline, with their intervals, as a forest."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from reports.analysis.contrasts import Contrast
from reports.figures.figure import Figure, Panel
from reports.figures.forest import DifferenceRow, Group, forest_drawing
from reports.figures.readout import Told
from reports.figures.theme import MOST_SERIES
from reports.findings import Findings
from reports.layout import Levels, series_levels, slots
from reports.names import arm_names
from reports.search_numbers import search_numbers
from reports.sections.arm_tables import contrasts_table, interval
from reports.sections.factors import factors_of
from reports.sections.section import Section
from reports.sections.trials import trials_link
from reports.sentences import differences as sentences
from reports.sentences import skewness
from reports.sentences.table import has_fails
from reports.tables import Table
from reports.wording import level, level_owners, levels_in_words, shortened, signed

MOST_ROWS = 40


@dataclass(frozen=True)
class Effects:
    """What stands beside the figures: tables on the factors, and notes."""

    tables: tuple[Table, ...]
    notes: tuple[str, ...]


def build(findings: Findings) -> Section | None:
    """Build the forest and what the factors do; nothing while there is neither."""
    forest = _forest(findings)
    factors = factors_of(findings)
    figures = (*([forest] if forest else []), *factors.figures)
    if not figures and not factors.tables:
        return None
    title = "Differences to the baseline" if forest else "Effects of the factors"
    content = Effects(factors.tables, factors.notes)
    tables = (*(figure.table for figure in factors.figures), *factors.tables)
    return Section("effects", title, content, figures, tables)


def _forest(findings: Findings) -> Figure | None:
    known = [each for each in findings.contrasts.values() if each.n]
    measured = [each for each in known if each.estimate is not None]
    if not any(each.low is not None for each in measured):
        return None
    chosen = known
    if len(known) > MOST_ROWS:
        largest = {each.arm.name for each in sorted(known, key=lambda each: _size(findings, each))[-MOST_ROWS:]}
        chosen = [each for each in known if each.arm.name in largest]
    names = arm_names(findings)
    groups = _groups(findings, chosen, names)
    drawn = [each for each in chosen if each.estimate is not None]
    described = sentences.drawn_differences(measured, len(drawn), names, findings.alpha)
    panel = Panel("", described, forest_drawing(groups, "effects"))
    table = contrasts_table(chosen)
    marked = skewness.differences(chosen)
    told = (sentences.forest(findings, known, len(chosen)), sentences.without_interval(drawn), marked)
    caption = " ".join(filter(None, told))
    shown = table.without("baseline", "smallest_p", *([] if marked else ["note"]))
    return Figure("effects", caption, (panel,), shown, columns=1)


def _size(findings: Findings, contrast: Contrast) -> float:
    """Return how large a difference is; one between fail rates that differ is larger than any."""
    if not has_fails(findings, contrast):
        return abs(contrast.estimate or 0.0)
    mine, theirs = (findings.summaries[arm.name].fail_rate or 0.0 for arm in (contrast.arm, contrast.baseline))
    return math.inf if mine != theirs else 0.0


def _groups(findings: Findings, chosen: list[Contrast], names: Mapping[str, str]) -> tuple[Group, ...]:
    known_slots = slots(findings.layout, MOST_SERIES)
    owners = level_owners(findings.study.factors)
    grouped: dict[str, list[Contrast]] = {_context(each): [] for each in findings.contrasts.values()}
    for each in chosen:
        grouped[_context(each)].append(each)
    return tuple(
        Group(shortened(context, 70), tuple(_row(findings, each, known_slots, owners, names) for each in members))
        for context, members in grouped.items()
        if members
    )


def _context(contrast: Contrast) -> str:
    return ", ".join(f"{key} {level(value)}" for key, value in contrast.context.items())


def _row(
    findings: Findings,
    contrast: Contrast,
    known_slots: Mapping[Levels, int],
    owners: Mapping[str, int],
    names: Mapping[str, str],
) -> DifferenceRow:
    levels = contrast.arm.levels
    slot = known_slots.get(series_levels(findings.layout, contrast.arm), 1)
    changed = {factor: value for factor, value in levels.items() if value != contrast.baseline.levels.get(factor)}
    text = f"{signed(contrast.estimate)}{interval(contrast)}" if contrast.estimate is not None else ""
    is_failing = has_fails(findings, contrast)
    if is_failing:
        mine, theirs = findings.summaries[contrast.arm.name], findings.summaries[contrast.baseline.name]
        text = f"fail {mine.n_fail}/{mine.n} against {theirs.n_fail}/{theirs.n}"
    is_drawn = contrast.estimate is not None and not is_failing
    low, high = (contrast.low, contrast.high) if is_drawn else (None, None)
    told = Told(f"{shortened(names[contrast.arm.name], 80)}: {text}, n={contrast.n}", trials_link(levels))
    name = search_numbers(findings.whole).get(contrast.arm.name) or levels_in_words(changed, owners)
    return DifferenceRow(name, text, slot, contrast.estimate if is_drawn else None, low, high, told)
