"""Which sampler is worth its cost: what replays of the search with many seeds say, in words, a figure and a table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reports.analysis.samplers import Contest, SamplerComparison, comparison
from reports.figures.figure import Figure, Panel
from reports.figures.search import BestSoFar, best_so_far_drawing
from reports.figures.theme import MOST_SERIES
from reports.findings import Findings
from reports.results import Study
from reports.sections.section import Section
from reports.sentences import samplers as sentences
from reports.sentences.search import ends
from reports.tables import Cell, Column, Table, p_column

LONGEST_LABEL = 20
KINDS = {"Samplers": False, "With early stopping": True}


@dataclass(frozen=True)
class SamplersShown:
    """The section's content: how it was compared, then a sentence on each."""

    method: str
    verdicts: tuple[str, ...]


def build(findings: Findings) -> Section | None:
    """Build the section; nothing for a study that is no replayed search."""
    compared = comparison(findings.whole)
    if compared is None:
        return None
    shown = SamplersShown(sentences.method(compared), judgements(findings.whole))
    figure = _figure(compared)
    return Section(
        "samplers",
        "Which sampler is worth its cost",
        shown,
        (figure,),
        (_table(compared),),
        brief=replace(figure, panels=figure.panels[:1]),
    )


def judgements(study: Study) -> tuple[str, ...]:
    """Say of each sampler and scheduler whether it is worth its cost; nothing where no search was replayed."""
    compared = comparison(study)
    return () if compared is None else tuple(sentences.judgement(each, compared) for each in compared.contests)


def _figure(compared: SamplerComparison) -> Figure:
    everyone = (compared.reference, *compared.contests)
    rows = tuple(
        (each.name, at, mean, low, high)
        for each in everyone
        for at, (mean, (low, high)) in enumerate(zip(each.curve, each.band, strict=True), start=1)
    )
    columns = (
        Column("name", "sampler"),
        Column("arms", "arms", is_number=True),
        Column("best", "least validation error so far, %", 2, True),
        Column("low", "low", 2, True),
        Column("high", "high", 2, True),
    )
    kinds = {title: [each for each in compared.contests if each.stops is stops] for title, stops in KINDS.items()}
    most = MOST_SERIES - 1
    groups = [(title, them[at : at + most]) for title, them in kinds.items() for at in range(0, len(them), most)]
    drawn = [(title, _alike((compared.reference, *group))) for title, group in groups]
    shared = dict.fromkeys(tuple(each.name for each in alike) for _, every in drawn for alike in every)
    caption = " ".join(filter(None, (sentences.best_so_far(compared), sentences.drawn_once(list(shared)))))
    panels = tuple(_panel(title, every, at) for at, (title, every) in enumerate(drawn))
    return Figure("samplers", caption, panels, Table("samplers-best-so-far", caption, columns, rows), columns=1)


def _alike(every: Sequence[Contest]) -> list[list[Contest]]:
    """Put together those whose line and band are the same."""
    groups: dict[object, list[Contest]] = {}
    for each in every:
        groups.setdefault((each.curve, each.band), []).append(each)
    return list(groups.values())


def _label(alike: Sequence[Contest]) -> str:
    """Return the names of those who share a line, as far as they find room beside it."""
    names = ", ".join(each.name for each in alike)
    return names if len(names) <= LONGEST_LABEL else alike[0].name


def _panel(title: str, every: Sequence[Sequence[Contest]], at: int) -> Panel:
    lines = [BestSoFar(_label(alike), slot, alike[0].curve, alike[0].band) for slot, alike in enumerate(every)]
    told = ends([(each.name, each.curve[-1]) for alike in every for each in alike])
    return Panel(title, told, best_so_far_drawing(lines, f"samplers{at}"))


def _table(compared: SamplerComparison) -> Table:
    columns = (
        Column("name", "sampler"),
        Column("worth", "verdict"),
        Column("regret", "above the least on record", 2, True),
        Column("difference", "against random search", 2, True),
        Column("low", "low", 2, True),
        Column("high", "high", 2, True),
        Column("training", "training, s", 1, True),
        Column("proposing", "proposing, s", 2, True),
        Column("random_arms", "random arms in as much time", 1, True),
        Column("at_cost", "against their average", 2, True),
        Column("at_cost_low", "low", 2, True),
        Column("at_cost_high", "high", 2, True),
        p_column("p", "p, Holm", 3),
    )
    rows = (_row(compared.reference, is_reference=True), *map(_row, compared.contests))
    return Table("samplers", sentences.table_caption(compared), columns, rows)


def _row(each: Contest, is_reference: bool = False) -> tuple[Cell, ...]:
    equal, cost = [
        (None, None, None) if is_left_out else (difference.mean, difference.low, difference.high)
        for difference, is_left_out in ((each.at_end, is_reference), (each.at_cost, is_reference or each.is_same))
    ]
    worth = "the reference" if is_reference else str(each.worth)
    times = (each.training_seconds, each.proposing_seconds, each.random_arms)
    return (each.name, worth, each.regret, *equal, *times, *cost, None if is_reference else each.p)
