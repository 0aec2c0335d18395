"""Everything that the sections of a page share: the study, its layout, and the numbers of the analysis by arm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reports.analysis.arms import ArmSummary, summarise
from reports.analysis.contrasts import Contrast, contrasts
from reports.analysis.effects import differences, paired
from reports.analysis.readings import compared
from reports.analysis.search import confirmed_view
from reports.analysis.verdicts import Verdict
from reports.layout import Layout, lay_out, numeric_axis
from reports.results import Arm, State, Study, Trial


@dataclass(frozen=True)
class Findings:
    """A study with its numbers; `summaries` and `contrasts` are by the arm's name, orphaned arms left out.

    `best` names the arms that cannot be told from the best one at their level of the axis. Of a search, `study` is the
    confirmation alone and `whole` has all of it.
    """

    study: Study
    layout: Layout
    summaries: Mapping[str, ArmSummary]
    contrasts: Mapping[str, Contrast]
    best: frozenset[str]
    verdicts: tuple[Verdict, ...]
    trials: Mapping[str, tuple[Trial, ...]]
    whole: Study

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


def find(study: Study, verdicts: Sequence[Verdict] = ()) -> Findings:
    """Compute what the sections share."""
    whole, study = study, confirmed_view(study)
    layout = lay_out(study, numeric_axis(study))
    trials: dict[str, list[Trial]] = {}
    for trial in sorted(study.trials, key=lambda each: each.seed):
        trials.setdefault(trial.arm, []).append(trial)
    summaries = {each.arm.name: each for each in summarise(study) if not each.arm.orphaned}
    return Findings(
        study,
        layout,
        summaries,
        {each.arm.name: each for each in contrasts(study)},
        _best(layout, summaries),
        tuple(verdicts),
        {name: tuple(found) for name, found in trials.items()},
        whole,
    )


def _best(layout: Layout, summaries: Mapping[str, ArmSummary]) -> frozenset[str]:
    best: set[str] = set()
    for position in layout.positions:
        arms = [arm for series in layout.series if (arm := layout.arm(position, series)) is not None]
        sound = [summaries[arm.name] for arm in arms if summaries[arm.name].n_ok > 1 and not summaries[arm.name].n_fail]
        if len(arms) > 1 and sound:
            first = min(sound, key=lambda each: each.mean or 0.0)
            best |= {each.arm.name for each in sound if _is_level_with(each, first)}
    return frozenset(best)


def _is_level_with(one: ArmSummary, best: ArmSummary) -> bool:
    if one is best:
        return True
    values = {one.arm.name: one.values, best.arm.name: best.values}
    effect = paired(differences(values, {one.arm.name: 1.0, best.arm.name: -1.0}))
    return effect is not None and effect.interval(0.95)[0] <= 0
