"""What the figures of error against cost show, and which arms they leave out."""

from collections.abc import Callable, Sequence

from reports.findings import Findings
from reports.metrics import PRIMARY
from reports.wording import counted, listed, number, shortened

TABLE = "Error and cost of each arm, and the Pareto front; arms with fails have no mean."


def axes(costs: Sequence[str]) -> str:
    """Say what is drawn against which of the costs "params", "flops" and "seconds"."""
    parts = (["size"] if set(costs) & {"params", "flops"} else []) + (
        ["mean training time"] if "seconds" in costs else []
    )
    return f"Mean {PRIMARY.title} against {listed(parts)}."


def marks(on_front: Sequence[int], slotted_by: Sequence[str]) -> str | None:
    """Say what the line joins and how points are marked; nothing without an arm on a front.

    `on_front` counts the arms on each front; `slotted_by` are the factors whose levels the marks tell apart.
    """
    if not any(on_front):
        return None
    joined = "The line joins the arms" if max(on_front) > 1 else "Filled is the arm"
    several = max(on_front) > 1
    told = "They are numbered, and named below the axis." if several else "It is named below the axis."
    kinds = f"; shapes and colours tell {listed(slotted_by)} apart, as in the other figures" if slotted_by else ""
    return (
        f"{joined} on the Pareto front: no other arm is as good in both error and cost and better in one. {told} "
        f"Hollow points are beaten by another arm{kinds}."
    )


def probability(findings: Findings, has_times: bool) -> str | None:
    """Say what P is; nothing where no arm has two seeds with an error, so that there is none."""
    if not any(summary.n_ok > 1 for summary in findings.summaries.values()):
        return None
    of = "of its mean error and its mean time" if has_times else "of its mean error"
    return f"P is the probability that an arm is on the front, over what its seeds leave open {of}."


def left_out(arms: Sequence[str]) -> str | None:
    """Name the arms that have fails and are left out; nothing without one."""
    if not arms:
        return None
    names = listed(shortened(each, 90) for each in arms)
    return f"{counted(len(arms), 'arm')} with fails left out, as their mean would leave out the worst: {names}."


def front(cost: str, arms: Sequence[tuple[str, float | None]]) -> str:
    """Name the arms on the front with their errors, the smallest first."""
    words = [f"{shortened(name, 90)} with {number(mean)} %" for name, mean in arms]
    return f"On the front of error and {cost}, from the smallest: {listed(words)}."


SENTENCES: dict[str, Callable[..., str | None]] = {
    f"cost.{sentence.__name__}": sentence for sentence in (axes, marks, probability, left_out, front)
}
