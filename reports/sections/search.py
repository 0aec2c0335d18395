"""What a search tried and found: best so far against random search, the front, which choice matters, every arm."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from reports.analysis.search import (
    Searched,
    beats,
    best_so_far,
    changed,
    front,
    lowest,
    nearest_earlier,
    objectives,
    ranked,
    searched,
)
from reports.figures.figure import Figure, Panel
from reports.figures.parallel import OFF, ParallelAxis, level_scale, number_scale, parallel_drawing
from reports.figures.readout import Told
from reports.figures.search import Steps, best_drawing, levels_drawing, points_drawing, slice_drawing
from reports.findings import Findings
from reports.results import Study
from reports.sections.section import Section
from reports.sentences import said
from reports.sentences import search as sentences
from reports.sentences.parts import cut
from reports.sentences.search import OBJECTIVES
from reports.tables import Column, Table
from reports.trials import Scalar
from reports.wording import counted, level, magnitude, shortened

MOST_SLICES = 6
MOST_LEVELS = 12
MOST_NAMES = 3
MOST_AXES = 8
MOST_BEST = 5
FEWEST_LINES = 3
ERROR = "validation error, %"
ORDERING = "fANOVA"
"""The method by whose shares parameters are put in order."""
TITLES = {"search": "search", "control": "random control"}


@dataclass(frozen=True)
class SearchShown:
    """The section's content."""

    summary: str
    notes: tuple[str, ...]
    importance: Table
    arms: Table


def build(findings: Findings) -> Section | None:
    """Build the section; nothing for a study that is no search, or before its first arm has a result."""
    study = findings.whole
    arms = searched(study)
    if not any(arm.error is not None for arm in arms):
        return None
    importance, every = _importance(study), _arms(study, arms)
    tables = tuple(table for table in (importance, every) if table.rows)
    drawn = (_best(study), _front(study, arms), _parallel(study, arms), _slices(study, arms))
    figures = tuple(figure for figure in drawn if figure is not None)
    notes = tuple(text for sentence in sentences.NOTES if (text := sentence(study)))
    return Section(
        "search",
        "The search",
        SearchShown(said(study, sentences.SUMMARY), notes, importance, _in_page(every)),
        figures,
        tables,
    )


def _best(study: Study) -> Figure:
    lines = []
    for slot, role in enumerate(TITLES):
        arms = searched(study, role)
        if arms:
            told = tuple(_told(arm) if role == "search" else Told(sentences.words(arm)) for arm in arms)
            errors = tuple(arm.error for arm in arms)
            lines.append(Steps(TITLES[role], 1 - slot, errors, best_so_far(arms), told))
    columns = (
        Column("arms", "no.", is_number=True),
        *(
            Column(f"{line.label.replace(' ', '_')}_{key}", f"{line.label}: {label}, %", 2, True)
            for line in lines
            for key, label in (("error", "validation error"), ("best", "lowest so far"))
        ),
    )
    by_line = [list(zip_longest(line.errors, line.best)) for line in lines]
    rows = [
        (at, *(cell for pair in at_place for cell in pair))
        for at, at_place in enumerate(zip_longest(*by_line, fillvalue=(None, None)), start=1)
    ]
    ends = sentences.ends([(line.label, line.best[-1]) for line in lines])
    caption = sentences.PROGRESS_CAPTION
    table = Table("search-progress", sentences.PROGRESS_TABLE, columns, tuple(rows))
    return Figure("search-progress", caption, (Panel("", ends, best_drawing(lines, "progress")),), table, columns=1)


def _front(study: Study, arms: Sequence[Searched]) -> Figure | None:
    names = objectives(study)
    if len(names) < 2:
        return None
    points = {arm.arm: (arm.values[1], arm.values[0]) for arm in arms if arm.values}
    best = front(study, 2)
    random = [(arm.place, arm.values) for arm in searched(study, "control") if arm.values]
    drawn = [(values[1], values[0]) for _, values in random]
    columns = (
        Column("place", "no.", is_number=True),
        *map(_objective, names[:2]),
        Column("on_front", "on the front"),
        *([Column("of", "arms of the")] if drawn else []),
    )
    places = {arm.arm: arm.place for arm in arms}
    rows = [
        (places[name], *map(_value_of, names, (point[1], point[0])), "yes" if name in best else "", TITLES["search"])
        for name, point in points.items()
    ]
    rows += [(place, *map(_value_of, names, values[:2]), "", TITLES["control"]) for place, values in random]
    labels = [OBJECTIVES[each] for each in names]
    beating = sum(any(beats(each, points[name]) for name in best) for each in drawn) if drawn else None
    caption = sentences.front_line(f"{labels[0]} against {labels[1]}", beating)
    told = {arm.arm: _told(arm, f", {_in_words(names[1], arm.values[1])}") for arm in arms if arm.values}
    drawing = points_drawing(
        points, best, (_unit(names[1]), _unit(names[0])), "front", told, drawn, is_error=names[0] == "val_error"
    )
    panel = Panel("", f"{counted(len(best), 'arm')} of {len(points)} on the front", drawing)
    shown = tuple(row[: len(columns)] for row in rows)
    return Figure("search-front", caption, (panel,), Table("search-front", caption, columns, shown), columns=1)


def _unit(objective: str) -> str:
    units = {"val_error": ", %", "seconds": ", s"}
    return f"{OBJECTIVES[objective]}{units.get(objective, '')}"


def _objective(name: str) -> Column:
    is_measured = name in ("val_error", "seconds")
    return Column(name, _unit(name), 2 if is_measured else None, True, is_count=not is_measured)


def _value_of(objective: str, value: float) -> float | int:
    """Return what the search saw of an objective: a count as a whole number."""
    return value if objective in ("val_error", "seconds") else int(value)


def _in_words(objective: str, value: float) -> str:
    return f"{magnitude(value)} {'s' if objective == 'seconds' else OBJECTIVES[objective]}"


def _importance(study: Study) -> Table:
    importance = study.search.get("importance", [])
    is_told = any(each.get("where") for each in importance)
    questions = {each["method"]: each["question"] for each in importance}
    shares: dict[tuple[str, str], dict[str, float]] = {}
    # fANOVA first: its order is that of the figures.
    for each in sorted(importance, key=lambda each: (bool(each.get("where")), each["method"] != ORDERING)):
        for name, share in sorted(each["shares"].items(), key=lambda pair: (-pair[1], pair[0])):
            shares.setdefault((_among(each), name), {})[each["method"]] = 100 * share
    rows = [
        (name, among, *(by_method.get(method) for method in questions)) for (among, name), by_method in shares.items()
    ]
    columns = (
        Column("parameter", "parameter"),
        Column("among", "among"),
        *(Column(method, f"{method}, %", 1, True) for method in questions),
    )
    caption = sentences.importance(tuple(questions.items()), is_told)
    return Table("search-importance", caption, columns, tuple(rows))


def _among(importance: Mapping[str, Any]) -> str:
    """Return over which arms an importance was computed, in words."""
    arms, where = importance.get("arms"), importance.get("where")
    count = "arms" if arms is None else counted(arms, "arm")
    return f"{count} where {where}" if where else f"all {count}"


def _shares(study: Study) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Return the shares by which parameters are put in order: over all arms, and those told among some arms alone."""
    everywhere: dict[str, float] = {}
    among_some: dict[str, float] = {}
    for each in study.search.get("importance", []):
        if each["method"] == ORDERING:
            (among_some if each.get("where") else everywhere).update(each["shares"])
    return everywhere, among_some


def _by_importance(study: Study, arms: Sequence[Searched]) -> list[str]:
    """Return the parameters of the arms: the most important first, then those of some arms alone, then the rest."""
    everywhere, among_some = _shares(study)
    names = {name for arm in arms for name in arm.params}
    return sorted(names, key=lambda name: (-everywhere.get(name, 0.0), -among_some.get(name, 0.0), name))


def _parallel(study: Study, arms: Sequence[Searched]) -> Figure | None:
    known = [arm for arm in ranked(study, arms) if arm.error is not None]
    names = _by_importance(study, known)
    varied = [name for name in names if len({arm.params.get(name) for arm in known}) > 1]
    shown = varied[:MOST_AXES]
    if len(known) < FEWEST_LINES or not shown:
        return None
    errors = [arm.error or 0.0 for arm in known]
    on_front = front(study)
    best = range(len(on_front) or min(MOST_BEST, -(-len(known) // 10)))

    def scales(width: int) -> list[ParallelAxis]:
        axis = number_scale(ERROR, errors, width, log=0 < 3 * min(errors) < max(errors))
        return [axis, *(_scale(name, known, width) for name in shown)]

    said_of = "; ".join(f"{name}: {_tally(name, [known[at] for at in best])}" for name in shown)
    best_words = sentences.best_values(len(best), said_of)
    notes = (
        sentences.lines(any(_shares(study)), len(known), len(best), bool(on_front)),
        sentences.constant(len(names) - len(varied)),
        cut(len(shown), len(varied), "parameters"),
    )
    caption = " ".join(filter(None, notes))
    columns = (
        Column("place", "no.", is_number=True),
        Column("error", ERROR, 2, True),
        *(Column(f"p{at}", name) for at, name in enumerate(shown)),
    )
    rows = tuple((arm.place, arm.error, *(_value(arm.params.get(name, OFF)) for name in shown)) for arm in known)
    table = Table("search-parallel", sentences.LINES_TABLE, columns, rows)
    panel = Panel("", best_words, parallel_drawing(scales, best, "parallel"))
    return Figure("search-parallel", caption, (panel,), table, columns=1)


def _scale(name: str, arms: Sequence[Searched], width: int) -> ParallelAxis:
    """Return the axis of one parameter on a drawing so wide; the arms come with the best one first."""
    values = [arm.params.get(name) for arm in arms]
    known = [number for value in values if (number := _number(value)) is not None]
    if len(known) == sum(value is not None for value in values):
        numbers = [_number(value) for value in values]
        return number_scale(name, numbers, width, log=min(known) > 0 and max(known) > 10 * min(known))
    return level_scale(name, [None if value is None else str(value) for value in values], range(len(arms)), width)


def _number(value: Scalar | None) -> float | None:
    """Return a value as a number, also the level of a choice among numbers; None for any other."""
    if value is None or isinstance(value, bool):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _value(value: Scalar) -> str:
    """Return the value of a parameter, a drawn number in four digits, as the names of arms have it."""
    return f"{value:.4g}" if isinstance(value, float) else level(value)


def _tally(name: str, arms: Sequence[Searched]) -> str:
    """Return the values of a parameter in some arms, each with how often it comes."""
    counts = Counter(_value(arm.params.get(name, OFF)) for arm in arms)
    return ", ".join(f"{shortened(value, 40)} ({count})" for value, count in counts.most_common())


def _slices(study: Study, arms: Sequence[Searched]) -> Figure | None:
    known = [arm for arm in arms if arm.error is not None]
    every = _by_importance(study, known)
    names = [name for name in every if len({arm.params.get(name) for arm in known}) > 1]
    panels = []
    rows = []
    for at, name in enumerate(names[:MOST_SLICES]):
        having = [arm for arm in known if name in arm.params]
        points = [(arm.params[name], arm.error or 0.0) for arm in having]
        numbers = [(place, error) for value, error in points if (place := _number(value)) is not None]
        if len(numbers) == len(points):
            low, high = min(value for value, _ in numbers), max(value for value, _ in numbers)
            drawing = slice_drawing(
                numbers, name, f"slice{at}", log=low > 0 and high > 10 * low, told=[*map(_told, having)]
            )
        else:
            words = [(str(value), error) for value, error in points]
            levels = list(dict.fromkeys(sorted(value for value, _ in words)))[:MOST_LEVELS]
            drawn = [(each, _told(arm)) for each, arm in zip(words, having, strict=True) if each[0] in levels]
            drawing = levels_drawing([each for each, _ in drawn], levels, f"slice{at}", [told for _, told in drawn])
        least = lowest(having)
        values = dict.fromkeys(_value(arm.params[name]) for arm in least)
        told = sentences.lowest_at(len(points), least[0].error, name, tuple(values))
        panels.append(Panel(name, told, drawing))
        rows += [(name, _value(value), error) for value, error in points]
    if not panels:
        return None
    columns = (
        Column("parameter", "parameter"),
        Column("value", "value"),
        Column("error", "validation error, %", 2, True),
    )
    more = cut(min(MOST_SLICES, len(names)), len(names), "parameters")
    constant = sentences.constant(len(every) - len(names))
    caption = " ".join(filter(None, (sentences.slices(any(_shares(study))), constant, more)))
    table = Table("search-slices", sentences.SLICES_TABLE, columns, tuple(rows))
    return Figure("search-slices", caption, tuple(panels), table, columns=2)


def _arms(study: Study, arms: Sequence[Searched]) -> Table:
    is_evolved = any(arm.generation is not None for arm in arms)
    others = [(at, name) for at, name in enumerate(objectives(study)) if name != "val_error"]
    on_front = front(study)
    columns = (
        Column("place", "no.", is_number=True),
        Column("error", "validation error, %", 2, True),
        *(_objective(name) for _, name in others),
        *([Column("on_front", "on the front")] if on_front else []),
        Column("state", "state"),
        Column("origin", "proposed by"),
        Column("nearest", "nearest earlier, no.", is_number=True),
        Column("changed", "changed in it"),
        *([Column("generation", "generation", is_number=True)] if is_evolved else []),
        Column("arm", "settings"),
    )
    rows = []
    for arm in ranked(study, arms):
        parent = nearest_earlier(arm, arms)
        names = _listed(changed(parent.params, arm.params)) if parent else ""
        place = parent.place if parent else None
        origin = study.search["settings"]["sampler"]["name"] if arm.origin == "sampler" else arm.origin
        made_small = [_value_of(name, arm.values[at]) if arm.values else None for at, name in others]
        front_cell = ["yes" if arm.arm in on_front else ""] if on_front else []
        row = (arm.place, arm.error, *made_small, *front_cell, (arm.state or "open").lower(), origin, place, names)
        rows.append((*row, *([arm.generation] if is_evolved else []), sentences.named(arm.arm)))
    return Table("search-arms", sentences.arms_caption(study), columns, tuple(rows))


def _in_page(arms: Table) -> Table:
    """Return the table of arms as the page shows it: without what is the same in every row, which the caption says."""
    constant = []
    caption = arms.caption
    for key, say in (("state", sentences.same_state), ("origin", sentences.same_origin)):
        at = next(place for place, column in enumerate(arms.columns) if column.key == key)
        if (told := say({str(row[at]) for row in arms.rows})) is not None:
            constant.append(key)
            caption += f" {told}"
    # The page calls what stands in a column "arm" by its number: here the reader looks up what that means.
    columns = tuple(replace(each, key="settings") if each.key == "arm" else each for each in arms.columns)
    return replace(replace(arms, columns=columns).without(*constant), caption=caption)


def _told(arm: Searched, more: str = "") -> Told:
    """Return what a point says of an arm, and its row in the table of arms."""
    return Told(f"{sentences.words(arm)}{more}; {shortened(sentences.named(arm.arm), 160)}", f"search-arm-{arm.place}")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= MOST_NAMES else f"{len(names)} parameters"
