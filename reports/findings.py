"""Everything that the sections of a page share: the study, its layout, and the numbers of the analysis by arm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from reports.analysis.arms import ArmSummary, summarise
from reports.analysis.contrasts import Contrast, contrasts
from reports.analysis.readings import compared
from reports.analysis.search import confirmed_view
from reports.analysis.shares import Shares, study_shares
from reports.analysis.skewness import Skewness, is_skewed_sample, skewness
from reports.analysis.threshold import ALPHA
from reports.analysis.verdicts import Verdict
from reports.layout import Layout, lay_out, main_layout, numeric_axis
from reports.results import Study
from reports.search_numbers import search_numbers
from reports.trials import Arm, State, Trial


@dataclass(frozen=True)
class Findings:
    """A study with its numbers; `summaries` and `contrasts` are by the arm's name, orphaned arms left out.

    Of a search, `study` is the confirmation alone and `whole` has all of it.
    """

    study: Study
    layout: Layout
    summaries: Mapping[str, ArmSummary]
    contrasts: Mapping[str, Contrast]
    verdicts: tuple[Verdict, ...]
    trials: Mapping[str, tuple[Trial, ...]]
    whole: Study

    @cached_property
    def alpha(self) -> float:
        """The level of all comparisons with the baseline together, and of all with the lowest arm.

        Where a page makes both kinds, and not the same ones, each has half of 5 %: in a study whose arms are all alike
        the chance that any difference is named is at most 5 %.
        """
        makes_both = self._tests > 0 and self.pairs > 0
        return ALPHA / 2 if makes_both and not self._tests_are_the_pairs() else ALPHA

    def _tests_are_the_pairs(self) -> bool:
        """Whether the comparisons with the baseline are those of arms with one another: equal numbers may differ."""
        groups = [*self.columns, tuple(self.summaries.values())] if self._is_one_group else self.columns
        names = [{each.arm.name for each in group if each.is_comparable} for group in groups]
        tests = [{each.arm.name, each.baseline.name} for each in self.contrasts.values() if each.p is not None]
        return len(tests) == self.pairs and all(any(test <= group for group in names) for test in tests)

    @property
    def _tests(self) -> int:
        return sum(each.p is not None for each in self.contrasts.values())

    @cached_property
    def corrected(self) -> tuple[Contrast, ...]:
        """The contrasts that have a test, each with an interval that covers all of them together at 1 - `alpha`."""
        wide = contrasts(self.study, level=1 - self.alpha / self._tests) if self._tests else ()
        return tuple(each for each in wide if each.p is not None)

    @property
    def has_columns_by_level(self) -> bool:
        """Whether the main table has one column, while its arms are compared at each level of the axis."""
        layout = self.layout
        return main_layout(self.study, layout).axis is None and layout.axis is not None and layout.runs_along_axis()

    @cached_property
    def columns(self) -> tuple[tuple[ArmSummary, ...], ...]:
        """The arms that the main table compares: those of each column, or of each level of the axis."""
        shown = self.layout if self.has_columns_by_level else main_layout(self.study, self.layout)
        return tuple(tuple(self.summaries[arm.name] for arm in shown.arms_at(position)) for position in shown.positions)

    @cached_property
    def pairs(self) -> int:
        """How many pairs of arms are compared with one another, in the main table or in the head of the page."""
        in_columns = sum(_pairs(each) for each in self.columns)
        return max(in_columns, _pairs(tuple(self.summaries.values()))) if self._is_one_group else in_columns

    @property
    def _is_one_group(self) -> bool:
        return self.layout.axis is None or not self.layout.runs_along_axis()

    @cached_property
    def shares(self) -> Shares | None:
        """The shares of the factors in the variance of the arm means; None where the grid does not give them."""
        return study_shares(self.study)[0]

    @cached_property
    def skewness(self) -> Skewness | None:
        """The skewness over the arms without a fail, where it is clear; None where it is not."""
        over_arms = skewness({name: each.values for name, each in self.summaries.items() if not each.n_fail})
        return over_arms if over_arms is not None and over_arms.is_clear else None

    @cached_property
    def skewed_arms(self) -> tuple[str, ...]:
        """The arms whose own seeds, those that failed aside, are clearly skewed."""
        return tuple(name for name, each in self.summaries.items() if is_skewed_sample(each.values))

    @property
    def arms(self) -> tuple[Arm, ...]:
        """Return the arms that the study file still asks for."""
        return tuple(arm for arm in self.study.arms if not arm.orphaned)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Return every seed on which arms are compared, ascending."""
        return tuple(sorted({trial.seed for trial in compared(self.study)}))

    @property
    def asked(self) -> tuple[Trial, ...]:
        """Return the trials of the arms that the study file still asks for."""
        return tuple(trial for arm in self.arms for trial in self.trials.get(arm.name, ()))

    def count(self, *states: State) -> int:
        """Return how many trials are in one of these states."""
        return sum(trial.state in states for trial in self.asked)

    def fails(self) -> int:
        """Return how many trials the tables call a fail."""
        return sum(map(self.study.is_fail, self.asked))

    def last_result(self) -> datetime | None:
        """Return when the last trial ended: the moment that the page speaks of."""
        return max((trial.finished_at for trial in self.study.trials if trial.finished_at), default=None)

    def curve_length(self) -> int:
        """Return the last epoch that any trial has reached."""
        return max((trial.curve[-1].epoch for trial in self.study.trials if trial.curve), default=0)


def _pairs(group: Sequence[ArmSummary]) -> int:
    size = sum(each.is_comparable for each in group)
    return size * (size - 1) // 2


def find(study: Study, verdicts: Sequence[Verdict] = ()) -> Findings:
    """Compute what the sections share."""
    whole, study = study, confirmed_view(study)
    # The arms that a search confirms are a list: what few of them share along a factor is chance.
    layout = lay_out(study, None if whole.search else numeric_axis(study), search_numbers(whole))
    trials: dict[str, list[Trial]] = {}
    for trial in sorted(study.trials, key=lambda each: each.seed):
        trials.setdefault(trial.arm, []).append(trial)
    summaries = {each.arm.name: each for each in summarise(study) if not each.arm.orphaned}
    return Findings(
        study,
        layout,
        summaries,
        {each.arm.name: each for each in contrasts(study)},
        tuple(verdicts),
        {name: tuple(mine) for name, mine in trials.items()},
        whole,
    )
