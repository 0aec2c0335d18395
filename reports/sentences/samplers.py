"""What replays of a search say of each sampler: how they were compared, and whether it is worth its cost."""

from collections.abc import Callable

from reports.analysis.samplers import Contest, Difference, SamplerComparison
from reports.wording import counted, duration, listed, number, signed


def method(compared: SamplerComparison) -> str:
    """Say how the samplers were compared, and where random search itself ends."""
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


def judgement(each: Contest, compared: SamplerComparison) -> str:
    """Say of one sampler or scheduler whether it is worth its cost, with both comparisons."""
    p = "" if each.p is None else f" (p {_p(each.p)})"
    return (
        f"{each.name}: {each.worth}. It ends {_points(each.at_cost)}{p} against the {number(each.random_arms, 1)} arms "
        f"that random search trains in as much time, and {_points(each.at_end)} against {compared.arms}."
    )


def best_so_far(compared: SamplerComparison) -> str:
    """Say what the curves of the samplers are."""
    seeds = compared.reference.seeds
    text = f"The least validation error so far, mean of {seeds} seeds with its 95 % interval arm by arm."
    return " ".join(filter(None, (text, narrow(compared))))


def table_caption(compared: SamplerComparison) -> str:
    """Say what the numbers by sampler are."""
    text = (
        f"Searches of {counted(compared.arms, 'arm')}, means over {compared.reference.seeds} seeds with 95 % "
        "intervals; errors in percentage points of validation error, less is better."
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
        return f"{signed(difference.mean)} points, the same in every seed"
    doubt = " (perhaps too narrow: skewed seeds)" if difference.is_skewed else ""
    return f"{signed(difference.mean)} [{signed(difference.low)}, {signed(difference.high)}]{doubt} points"


def _p(value: float) -> str:
    return "below 0.001" if value < 0.001 else number(value, 3)


SENTENCES: dict[str, Callable[..., str | None]] = {
    f"samplers.{sentence.__name__}": sentence for sentence in (method, judgement, best_so_far, table_caption, narrow)
}
