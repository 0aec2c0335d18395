"""Comparisons of unequal cost: arms whose networks are larger or smaller than those that they are compared with."""

from collections.abc import Mapping
from dataclasses import dataclass

from search_spaces.constraints import Cost

_COSTS = {"params": "parameters", "flops": "multiply-adds"}


@dataclass(frozen=True)
class CostGap:
    """Arms of one size whose networks cost more, or less, than those of another size that they are compared with.

    `cost` and `baseline_cost` are what a network of either size costs, by ``params`` and ``flops``, as far as the two
    are unequal in it. `baselines` are the arms that the `arms` are compared with, each once.
    """

    arms: tuple[str, ...]
    baselines: tuple[str, ...]
    cost: Mapping[str, int]
    baseline_cost: Mapping[str, int]

    @property
    def text(self) -> str:
        """The gap as a sentence without its full stop."""
        costs = " and ".join(self._compared(what) for what in self.cost)
        verb = "has" if len(self.arms) == 1 else "have"
        return f"{_named(self.arms, 'arms')} {verb} {costs} of {_named(self.baselines, 'baselines')}"

    def _compared(self, what: str) -> str:
        value, base = self.cost[what], self.baseline_cost[what]
        than = "more" if value > base else "less"
        return f"{value:,} {_COSTS[what]}, {100 * abs(value / base - 1):.1f} % {than} than the {base:,}"


def _named(names: tuple[str, ...], noun: str) -> str:
    return f'"{names[0]}"' if len(names) == 1 else f'{len(names):,} {noun} (for instance "{names[0]}")'


def unequal_costs(costs: Mapping[str, Cost], baselines: Mapping[str, str], share: float = 0.05) -> list[CostGap]:
    """Return where arms' parameters or multiply-adds differ from their baseline's by more than `share`, by size.

    `baselines` maps each arm that is compared to the arm it is compared with.
    """
    sizes: dict[tuple[tuple[str, int, int], ...], list[str]] = {}
    for name, baseline in baselines.items():
        pairs = [(what, getattr(costs[name], what), getattr(costs[baseline], what)) for what in _COSTS]
        unequal = tuple((what, value, base) for what, value, base in pairs if base and abs(value / base - 1) > share)
        if unequal:
            sizes.setdefault(unequal, []).append(name)
    return [
        CostGap(
            tuple(arms),
            tuple(dict.fromkeys(baselines[arm] for arm in arms)),
            {what: value for what, value, _ in size},
            {what: base for what, _, base in size},
        )
        for size, arms in sizes.items()
    ]
