"""The networks that were compared: the unit that each repeats as a diagram, and what each stage puts out and costs."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reports.figures.figure import Figure, Panel
from reports.figures.theme import MOST_PANELS
from reports.figures.units import unit_drawings
from reports.findings import Findings
from reports.names import arm_names
from reports.search_numbers import search_numbers
from reports.sections.section import Section
from reports.sentences import networks as sentences
from reports.tables import Cell, Column, Table
from reports.trials import Scalar
from reports.wording import NOTHING, counted, level, listed, shortened
from search_spaces.drawing import UnitDrawing

MOST_NETWORKS = 20
"""Networks whose stages the page shows; all of them are in the table beside it."""
LONGEST_TITLE, LONGEST_LEVELS = 40, 30
LONGEST_NETWORK = 120
"""Letters of a network's name in the table and above its words, which have more room than a drawing."""
LONGEST_NAME = 50
MOST_SHARED = 12
"""Arms that a caption names because they share a drawing."""
_STAGE = (
    Column("stage", "stage"),
    Column("output", "output"),
    Column("units", "units", is_number=True),
    Column("convolutions", "convolutions", is_number=True),
    Column("params", "parameters", is_number=True, is_count=True),
    Column("flops", "multiply-adds", is_number=True, is_count=True),
)


@dataclass(frozen=True)
class Described:
    """An arm's name and levels, and the description of its network as plain values (`search_spaces.describe`)."""

    name: str
    levels: Mapping[str, Scalar]
    description: Mapping[str, Any]


@dataclass(frozen=True)
class Network:
    """One network in words, and the arms that train it."""

    arms: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Networks:
    """The section's content: the stages of all networks, and in words the baseline's, or the first one, and others.

    `left_out` says what is missing.
    """

    stages: Table
    first: Network
    others: tuple[Network, ...]
    left_out: str


def build(findings: Findings) -> Section | None:
    """Build the section; nothing for a study that was planned before descriptions were kept."""
    baseline = findings.study.baseline
    arms = [Described(arm.name, arm.levels, arm.description) for arm in findings.arms if arm.description]
    if not arms:
        return None
    ordered = _named(findings, sorted(arms, key=lambda arm: not baseline.items() <= arm.levels.items()))
    groups = _grouped(ordered, "words")
    stages = _stages(_grouped(ordered, "stages"), ordered)
    networks = tuple(
        Network(title, tuple(group[0].description["words"]))
        for title, group in zip(names_of_networks(groups, ordered)[:MOST_NETWORKS], groups, strict=False)
    )
    rest = len(groups) - len(networks)
    left_out = sentences.more_networks(rest) or ""
    figure = units_figure(_named(findings, arms))
    return Section(
        "networks",
        "Networks",
        Networks(stages, networks[0], networks[1:], left_out),
        figures=(figure,) if figure else (),
        tables=(_all_stages(arms), stages, *((figure.table,) if figure else ())),
    )


def _named(findings: Findings, arms: Sequence[Described]) -> list[Described]:
    """Name arms in words; those of a search by their numbers in it, of which no level says more in a few words."""
    numbers = search_numbers(findings.whole)
    names = arm_names(findings)
    return [
        replace(arm, name=numbers[arm.name], levels={"arm": numbers[arm.name]})
        if arm.name in numbers
        else replace(arm, name=names.get(arm.name, arm.name))
        for arm in arms
    ]


def units_figure(arms: Sequence[Described]) -> Figure | None:
    """Return the distinct units of arms as one figure, in the arms' order; None where no unit is known."""
    drawn = [arm for arm in arms if arm.description.get("unit")]
    if not drawn:
        return None
    groups = _grouped(drawn, "unit")
    titles = _titles(groups, drawn)
    units = [UnitDrawing.from_mapping(group[0].description["unit"]) for group in groups]
    panels = tuple(
        Panel(title, sentences.unit(unit.sentence(), _names_whole(group)), drawing)
        for title, unit, group, drawing in zip(titles, units, groups, unit_drawings(units[:MOST_PANELS]), strict=False)
    )
    columns = 4 if any(unit.shortcut and unit.shortcut.gate for unit in units) else 5
    return Figure("units", _caption(titles, units, groups), panels, _units_table(titles, units, groups), columns)


def _grouped(arms: Sequence[Described], *keys: str) -> list[list[Described]]:
    """Put arms together whose descriptions agree; of units only what can be seen of them counts."""
    groups: dict[str, list[Described]] = {}
    for arm in arms:
        seen = [{**part, "note": ""} if key == "unit" else part for key in keys if (part := arm.description[key])]
        groups.setdefault(json.dumps(seen, sort_keys=True), []).append(arm)
    return list(groups.values())


def names_of_networks(groups: Sequence[Sequence[Described]], arms: Sequence[Described]) -> list[str]:
    """Name the networks of groups of arms as the page has room for."""
    return _titles(groups, arms, LONGEST_NETWORK, LONGEST_NETWORK)


def _titles(
    groups: Sequence[Sequence[Described]],
    arms: Sequence[Described],
    longest: int = LONGEST_TITLE,
    longest_levels: int = LONGEST_LEVELS,
) -> list[str]:
    """Name each group by the levels that its arms have and not all arms have; by its arms where that is ambiguous."""
    every = {factor: {arm.levels.get(factor) for arm in arms} for factor in arms[0].levels}
    titles = [", ".join(_own_levels(group, every, longest_levels)) or _names(group) for group in groups]
    titles = [title if titles.count(title) == 1 else _names(group) for title, group in zip(titles, groups, strict=True)]
    return [shortened(title, longest) for title in titles] if len(groups) > 1 else ["every arm"]


def _own_levels(group: Sequence[Described], every: Mapping[str, set[Scalar | None]], longest: int) -> list[str]:
    words = []
    for factor, among in every.items():
        own = list(dict.fromkeys(arm.levels.get(factor) for arm in group))
        if set(own) != among and None not in own:
            texts = [level(each) for each in own if each is not None]
            several = listed(texts, len(texts))
            text = several if len(several) <= longest else f"{texts[0]} and {len(texts) - 1} more"
            words.append(text if isinstance(own[0], str) else f"{factor} {text}")
    return words


def _names(group: Sequence[Described]) -> str:
    return listed((shortened(arm.name, LONGEST_NAME) for arm in group), 4)


def _names_whole(group: Sequence[Described]) -> str:
    """Name the arms, or count them where a name would be cut."""
    return _names(group) if all(len(arm.name) <= LONGEST_NAME for arm in group) else counted(len(group), "arm")


def _caption(titles: Sequence[str], units: Sequence[UnitDrawing], groups: Sequence[Sequence[Described]]) -> str:
    shared = [
        _names(group)
        for title, group in zip(titles[:MOST_PANELS], groups, strict=False)
        if len(group) > 1 and not _is_whole(title)
    ]
    is_short = sum(len(group) for group in groups if len(group) > 1) <= MOST_SHARED
    told = (
        sentences.units(units),
        sentences.outlines(units),
        sentences.shared(shared if len(groups) > 1 else (), is_short),
        sentences.more_units(len(groups) - MOST_PANELS),
    )
    return " ".join(filter(None, told))


def _is_whole(title: str) -> bool:
    """Whether a panel's title names all levels of its arms, so that the caption need not."""
    return not title.endswith("…") and not re.search(r" and \d+ more\b", title)


def _units_table(titles: Sequence[str], units: Sequence[UnitDrawing], groups: Sequence[Sequence[Described]]) -> Table:
    columns = (Column("unit", "unit"), Column("wiring", "wiring"), Column("arms", "arms", is_number=True))
    rows = [(title, unit.sentence(), len(group)) for title, unit, group in zip(titles, units, groups, strict=True)]
    return Table("units", "The units in words, and how many arms have them.", columns, tuple(rows))


def _stages(groups: Sequence[Sequence[Described]], arms: Sequence[Described]) -> Table:
    """Return a row for each network that differs in a stage, a column a stage, and what the whole network costs."""
    described = [{stage["name"]: stage for stage in group[0].description["stages"]} for group in groups]
    names = _in_order(described)
    columns = (
        Column("network", "network"),
        *(Column(f"stage{at}", shortened(name, 30)) for at, name in enumerate(names)),
        Column("params", "parameters", is_number=True, is_count=True),
        Column("flops", "multiply-adds", is_number=True, is_count=True),
    )
    rows = []
    for title, stages in zip(names_of_networks(groups, arms), described, strict=True):
        costs = (sum(stage[key] for stage in stages.values()) for key in ("params", "flops"))
        rows.append((title, *(_stage(stages[name]) if name in stages else NOTHING for name in names), *costs))
    return Table("stages", sentences.STAGES, columns, tuple(rows))


def _in_order(networks: Sequence[Iterable[str]]) -> list[str]:
    """Return the stages of all networks, each before those that follow it in the network that has it."""
    names: list[str] = []
    for network in networks:
        at = 0
        for name in network:
            if name not in names:
                names.insert(at, name)
            at = names.index(name) + 1
    return names


def _stage(stage: Mapping[str, Any]) -> str:
    shape = "×".join(map(str, stage["shape"]))
    return f"{shape}, {counted(stage['units'], 'unit')}" if stage["units"] else shape


def _row(stage: Mapping[str, Any]) -> tuple[Cell, ...]:
    shape = "×".join(map(str, stage["shape"]))
    return (stage["name"], shape, stage["units"], stage["convolutions"], stage["params"], stage["flops"])


def _all_stages(arms: Sequence[Described]) -> Table:
    rows = tuple((arm.name, *_row(stage)) for arm in arms for stage in arm.description["stages"])
    return Table("networks", sentences.ALL_STAGES, (Column("arm", "arm"), *_STAGE), rows)
