"""What replays of a search say of each sampler: how they were compared, and whether it is worth its cost."""

from collections.abc import Callable, Sequence

from reports.analysis.samplers import STARTS, Contest, Difference, SamplerComparison, Worth, comparison
from reports.findings import Findings
from reports.wording import counted, duration, listed, number, signed

_MOST_NAMED = 4


def replayed(findings: Findings) -> str | None:
    """Say which samplers are worth their cost; nothing where no search was replayed."""
    compared = comparison(findings.whole)
    if compared is None or not compared.contests:
        return None
    names = {worth: [each.name for each in compared.contests if each.worth is worth] for worth in Worth}
    parts = [_worth(worth, names[worth]) for worth in (Worth.YES, Worth.NO, Worth.OPEN) if names[worth]]
    judged = f"Against random search of equal time, {'; '.join(parts)}." if parts else ""
    same = names[Worth.SAME]
    alike = f"With every seed {listed(same, _MOST_NAMED)} found the same as random search." if same else ""
    return " ".join(filter(None, (judged, alike)))


def _worth(worth: Worth, names: Sequence[str]) -> str:
    verb, whose = ("is", "its") if len(names) == 1 else ("are", "their")
    text = f"{listed(names, _MOST_NAMED)} {verb}{' not' if worth is Worth.NO else ''} worth {whose} cost"
    return f"it is open whether {text}" if worth is Worth.OPEN else text


def method(compared: SamplerComparison) -> str:
    """Say how the samplers were compared, and where random search itself ends."""
    reference = compared.reference
    workers = f" on {compared.workers:,} simulated workers" if compared.workers > 1 else ""
    return (
        f"Every search trained {counted(compared.arms, 'arm')}{workers} and was replayed with {reference.seeds} seeds "
        f"on {counted(compared.on_record, 'arm')} that are on record, their recorded times included. Worth its cost is "
        "what ends with less error than random search does on average in as much time, proposing included; p is "
        "Student's over the seeds, or random search's exact chance where all seeds end alike, adjusted by Holm. That "
        "average of random search is exact, over all orders of the arms on record. "
        f"Over these seeds random search itself ends {number(reference.regret)} points "
        f"above the least error on record, {number(compared.least)} %, after {duration(reference.training_seconds)} of "
        "training."
    )


def judgement(each: Contest, compared: SamplerComparison) -> str:
    """Say of one sampler or scheduler whether it is worth its cost, with both comparisons, or why it cannot be said."""
    if each.worth is Worth.SAME:
        return f"{each.name}: {each.worth} with every seed{_random_start(each, compared)}."
    p = "" if each.p is None else f", p {_p(each.p)}"
    arms = number(each.random_arms, 1).removesuffix(".0")
    return (
        f"{each.name}: {each.worth}. Against the average of random search in as much time ({arms} arms) it ends "
        f"{_points(each.at_cost)}{p}; against random search with the same seeds ({compared.arms} arms), "
        f"{_points(each.at_end)}."
    )


def _random_start(each: Contest, compared: SamplerComparison) -> str:
    if each.start is None or each.start[1] < compared.arms:
        return ""
    setting, count = each.start
    return (
        f": it draws its first {count:,} {STARTS[setting]} at random ({setting}), and a search has "
        f"{counted(compared.arms, 'arm')}"
    )


def best_so_far(compared: SamplerComparison) -> str:
    """Say what the curves of the samplers are."""
    seeds = compared.reference.seeds
    text = f"The least validation error so far, mean of {seeds} seeds with its 95 % interval arm by arm."
    return " ".join(filter(None, (text, narrow(compared))))


def drawn_once(groups: Sequence[Sequence[str]]) -> str | None:
    """Say which samplers share a line, in which order their names stand at it; nothing where each has its own."""
    told = [f"that of {group[0]} is also that of {listed(group[1:])}" for group in groups if len(group) > 1]
    return f"Lines that are the same are drawn once: {'; '.join(told)}." if told else None


def table_caption(compared: SamplerComparison) -> str:
    """Say what the numbers by sampler are."""
    text = (
        f"Searches of {counted(compared.arms, 'arm')}, means over {compared.reference.seeds} seeds with 95 % "
        "intervals; errors in percentage points of validation error, less is better. Random search is that with the "
        "same seeds, its average the exact one over all orders of the arms on record."
    )
    return " ".join(filter(None, (text, narrow(compared))))


def narrow(compared: SamplerComparison) -> str | None:
    """Name the samplers whose ends are skewed over the seeds; nothing where no seed shows it."""
    marked = [each.name for each in compared.contests if each.at_end.is_skewed or each.at_cost.is_skewed]
    if not marked:
        return None
    return f"Over the seeds the ends of {listed(marked)} are skewed: their intervals may be too narrow."


def _points(difference: Difference) -> str:
    if difference.low is None:
        return f"{signed(difference.mean)} points in every seed"
    doubt = " (perhaps too narrow: skewed seeds)" if difference.is_skewed else ""
    return f"{signed(difference.mean)} [{signed(difference.low)}, {signed(difference.high)}] points{doubt}"


def _p(value: float) -> str:
    return "below 0.001" if value < 0.001 else number(value, 3)


SENTENCES: dict[str, Callable[..., str | None]] = {
    f"samplers.{sentence.__name__}": sentence
    for sentence in (method, judgement, best_so_far, drawn_once, table_caption, narrow)
}
