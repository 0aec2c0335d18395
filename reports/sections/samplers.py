"""Which sampler is worth its cost: what replays of the search with many seeds say, in words, a figure and a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.analysis.samplers import Contest, Difference, SamplerComparison, comparison
from reports.figures.figure import Figure, Panel
from reports.figures.search import BestSoFar, best_so_far_drawing
from reports.figures.theme import MOST_SERIES
from reports.findings import Findings
from reports.results import Study
from reports.sections.section import Section
from reports.tables import Cell, Column, Table, p_column
from reports.wording import counted, duration, number, signed

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
    shown = SamplersShown(_method(compared), judgements(findings.whole))
    return Section("samplers", "Which sampler is worth its cost", shown, (_figure(compared),), (_table(compared),))


def judgements(study: Study) -> tuple[str, ...]:
    """Say of each sampler and scheduler whether it is worth its cost; nothing where no search was replayed."""
    compared = comparison(study)
    return () if compared is None else tuple(_sentence(each, compared) for each in compared.contests)


def _method(compared: SamplerComparison) -> str:
    reference = compared.reference
    workers = f" on {compared.workers:,} simulated workers" if compared.workers > 1 else ""
    return (
        f"Every search trained {counted(compared.arms, 'arm')}{workers} and was replayed with {reference.seeds} seeds "
        f"on {counted(compared.on_record, 'arm')} that are on record, their recorded times included. Worth its cost is "
        "what ends with less error than random search does on average in as much time, proposing included; p is "
        "Student's over the seeds, or random search's exact chance where all seeds end alike, adjusted by Holm. "
        f"Random search itself ends {number(reference.regret)} points "
        f"above the least error on record, {number(compared.least)} %, after {duration(reference.training_seconds)} of "
        "training."
    )


def _sentence(each: Contest, compared: SamplerComparison) -> str:
    p = "" if each.p is None else f" (p {_p(each.p)})"
    return (
        f"{each.name}: {each.worth}. It ends {_points(each.at_cost)}{p} against the {number(each.random_arms, 1)} arms "
        f"that random search trains in as much time, and {_points(each.at_end)} against {compared.arms}."
    )


def _points(difference: Difference) -> str:
    if difference.low is None:
        return f"{signed(difference.mean)} points, the same in every seed"
    return f"{signed(difference.mean)} [{signed(difference.low)}, {signed(difference.high)}] points"


def _p(value: float) -> str:
    return "below 0.001" if value < 0.001 else number(value, 3)


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
    seeds = compared.reference.seeds
    caption = f"The least validation error so far, mean of {seeds} seeds with its 95 % interval arm by arm."
    kinds = {title: [each for each in compared.contests if each.stops is stops] for title, stops in KINDS.items()}
    most = MOST_SERIES - 1
    groups = [(title, them[at : at + most]) for title, them in kinds.items() for at in range(0, len(them), most)]
    panels = tuple(_panel(title, compared.reference, group, at) for at, (title, group) in enumerate(groups))
    return Figure("samplers", caption, panels, Table("samplers-best-so-far", caption, columns, rows), columns=1)


def _panel(title: str, reference: Contest, group: Sequence[Contest], at: int) -> Panel:
    lines = [BestSoFar(each.name, slot, each.curve, each.band) for slot, each in enumerate((reference, *group))]
    ends = "; ".join(f"{line.label} ends at {number(line.mean[-1])} %" for line in lines)
    return Panel(title, ends, best_so_far_drawing(lines, f"samplers{at}"))


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
    caption = (
        f"Searches of {counted(compared.arms, 'arm')}, means over {compared.reference.seeds} seeds with 95 % "
        "intervals; errors in percentage points of validation error, less is better."
    )
    return Table("samplers", caption, columns, rows)


def _row(each: Contest, is_reference: bool = False) -> tuple[Cell, ...]:
    equal, cost = [
        (None, None, None) if is_reference else (difference.mean, difference.low, difference.high)
        for difference in (each.at_end, each.at_cost)
    ]
    worth = "the reference" if is_reference else str(each.worth)
    times = (each.training_seconds, each.proposing_seconds, each.random_arms)
    return (each.name, worth, each.regret, *equal, *times, *cost, None if is_reference else each.p)
