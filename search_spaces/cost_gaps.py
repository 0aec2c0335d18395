"""Comparisons of unequal cost: arms whose networks are larger or smaller than those that they are compared with."""

from collections.abc import Mapping
from dataclasses import dataclass

from search_spaces.constraints import Cost


@dataclass(frozen=True)
class CostGap:
    """An arm whose `what` (``params`` or ``flops``) is `share` above (or, negative, below) its baseline's."""

    arm: str
    baseline: str
    what: str
    value: int
    baseline_value: int
    share: float

    @property
    def text(self) -> str:
        """The gap as a sentence."""
        return f"{self.arm}: {self.value:,} {self.what}, {self.share:+.1%} of {self.baseline}'s {self.baseline_value:,}"


def unequal_costs(costs: Mapping[str, Cost], baselines: Mapping[str, str], share: float = 0.05) -> list[CostGap]:
    """Return where an arm's parameters or multiply-adds differ from its baseline's by more than `share`.

    `baselines` maps each arm that is compared to the arm it is compared with.
    """
    gaps = []
    for name, baseline in baselines.items():
        for what in ("params", "flops"):
            value, base = getattr(costs[name], what), getattr(costs[baseline], what)
            if base and abs(value / base - 1) > share:
                gaps.append(CostGap(name, baseline, what, value, base, value / base - 1))
    return gaps
