"""What a search will cost, as far as that can be known before its sampler has proposed anything: from a sample."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from orchestrator.records.study_plan import PlannedArm
from orchestrator.scheduling.arm_facts import plan_arm, trial_cost
from orchestrator.search.optimization import OptimizationRun
from orchestrator.search.search_plan import SearchPlan
from orchestrator.study_file.search.search_settings import SearchSettings
from reports.wording import counted

SAMPLED = 20


@dataclass(frozen=True)
class ExpectedCost:
    """Different arms drawn at random from the space, and how many trials a search and its confirmation have at most.

    `seeds` are those of an arm in the search, which train together; `longer` is how much more a trial of the
    confirmation costs, which holds no images out.
    """

    sample: tuple[PlannedArm, ...]
    seeds: int
    searched: int
    confirmed: int
    longer: float

    def seconds(self, of_trial: Mapping[str, float]) -> float:
        """Return the seconds that all trials take one after the other, given those of one trial by arm id."""
        mean = fmean(of_trial[each.arm.id] for each in self.sample)
        return mean * (self.searched + self.longer * self.confirmed)

    @property
    def sentence(self) -> str:
        """What this rests on."""
        flops = sorted(each.flops / 1e6 for each in self.sample)
        return (
            f"the time is for {self.searched} trials of the search and {self.confirmed} of the confirmation, all of "
            f"which train to their end, at the mean of {counted(len(self.sample), 'arm')} drawn at random from the "
            f"space ({flops[0]:,.2f} to {flops[-1]:,.2f} MFLOPs); arms on record and arms stopped early take less"
        )


def expected_cost(plan: SearchPlan) -> ExpectedCost:
    """Draw the sample, within the bounds that the search sets; the same file gives the same sample."""
    optimization = OptimizationRun(plan.space, plan.search, {"name": "random"}, "sample", plan_arm)
    sample: list[PlannedArm] = []
    while len(sample) < min(SAMPLED, plan.search.arms) and (arm := optimization.ask().arm) is not None:
        sample.append(arm)
    search, confirm = (trial_cost(each.arm) for each in plan.arms)
    arms = tuple(sample) or plan.arms[:1]
    return ExpectedCost(arms, plan.search.seeds_per_arm, *_trials(plan.search), confirm / search)


def _trials(settings: SearchSettings) -> tuple[int, int]:
    confirmed = (settings.confirm.best + 1) * settings.confirm.seeds
    return settings.most_trials - confirmed, confirmed
