"""Which sampler is worth its cost: what replays of the search with many seeds say, in words, a figure and a table."""

from collections.abc import Sequence
from dataclasses import dataclass

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
    return Section("samplers", "Which sampler is worth its cost", shown, (_figure(compared),), (_table(compared),))


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
    caption = sentences.best_so_far(compared)
    kinds = {title: [each for each in compared.contests if each.stops is stops] for title, stops in KINDS.items()}
    most = MOST_SERIES - 1
    groups = [(title, them[at : at + most]) for title, them in kinds.items() for at in range(0, len(them), most)]
    panels = tuple(_panel(title, compared.reference, group, at) for at, (title, group) in enumerate(groups))
    return Figure("samplers", caption, panels, Table("samplers-best-so-far", caption, columns, rows), columns=1)


def _panel(title: str, reference: Contest, group: Sequence[Contest], at: int) -> Panel:
    lines = [BestSoFar(each.name, slot, each.curve, each.band) for slot, each in enumerate((reference, *group))]
    told = ends([(line.label, line.mean[-1]) for line in lines])
    return Panel(title, told, best_so_far_drawing(lines, f"samplers{at}"))


def _table(compared: SamplerComparison) -> Table:
    columns = (
        Column("name", "sampler"),
        Column("worth", "verdict"),
        Column("regret", "above the least on record", 2, True),
        Column("difference", "against as many random arms", 2, True),
        Column("low", "low", 2, True),
        Column("high", "high", 2, True),
        Column("training", "training, s", 1, True),
        Column("proposing", "proposing, s", 2, True),
        Column("random_arms", "random arms in as much time", 1, True),
        Column("at_cost", "against those", 2, True),
        Column("at_cost_low", "low", 2, True),
        Column("at_cost_high", "high", 2, True),
        p_column("p", "p, Holm", 3),
    )
    rows = (_row(compared.reference, is_reference=True), *map(_row, compared.contests))
    return Table("samplers", sentences.table_caption(compared), columns, rows)


def _row(each: Contest, is_reference: bool = False) -> tuple[Cell, ...]:
    equal, cost = [
        (None, None, None) if is_reference else (difference.mean, difference.low, difference.high)
        for difference in (each.at_end, each.at_cost)
    ]
    worth = "the reference" if is_reference else str(each.worth)
    times = (each.training_seconds, each.proposing_seconds, each.random_arms)
    return (each.name, worth, each.regret, *equal, *times, *cost, None if is_reference else each.p)
