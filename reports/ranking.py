"""The arm with the lowest mean of a group, which others differ from it, and which are shown to be equivalent to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.arms import ArmSummary
from reports.analysis.contrasts import two_sided
from reports.analysis.effects import Effect, differences, paired, sign
from reports.analysis.threshold import ALPHA, decides
from reports.findings import Findings
from reports.wording import shortened


@dataclass(frozen=True)
class Ranking:
    """`lowest` has the least mean of the arms with several seeds and no fail, `tied` those with exactly that mean.

    Of the `others`, `different` have more error by a paired t test, and `equivalent` lie within a margin of it by two
    one-sided tests; an arm may be both, or neither. As the lowest arm was picked from the data, every test is corrected
    (Bonferroni) for all pairs, so that the chance of any false statement is at most alpha.
    """

    lowest: ArmSummary
    tied: tuple[str, ...]
    others: tuple[str, ...]
    different: tuple[str, ...]
    equivalent: tuple[str, ...]

    @property
    def alike(self) -> int:
        """Return how many of the others cannot be told apart from the lowest."""
        return len(self.others) - len(self.different)


@dataclass(frozen=True)
class Rankings:
    """The ranking of each group of arms that the main table compares, and `where` a group stands in words."""

    groups: tuple[Ranking, ...]
    where: str


def rankings(findings: Findings) -> Rankings:
    """Rank the arms of each column of the main table, or of each level of the axis where those run down its rows."""
    within = findings.study.analysis.equivalent_within
    ranked = [rank(group, findings.pairs, within, findings.alpha) for group in findings.columns]
    where = f"at its {shortened(str(findings.layout.axis), 40)}" if findings.has_columns_by_level else "of its column"
    return Rankings(tuple(each for each in ranked if each is not None), where)


def rank(
    group: Sequence[ArmSummary],
    pairs: int | None = None,
    within: float = AnalysisSettings.equivalent_within,
    alpha: float = ALPHA,
) -> Ranking | None:
    """Rank the arms of a group; None unless two of them have several seeds and no fail.

    `pairs` is how many pairs the correction covers: by default those of this group; `alpha` is their level together.
    Arms count as equivalent up to a difference of `within` points.
    """
    sound = [each for each in group if each.is_comparable]
    if len(sound) < 2:
        return None
    lowest = min(sound, key=lambda each: each.mean or 0.0)
    alpha /= pairs or len(sound) * (len(sound) - 1) // 2
    tied = tuple(each.arm.name for each in sound if abs((each.mean or 0.0) - (lowest.mean or 0.0)) <= 1e-9)
    effects = {each.arm.name: _effect(each, lowest) for each in sound if each is not lowest}
    known = {name: effect for name, effect in effects.items() if effect is not None}
    different = tuple(name for name, effect in known.items() if decides(two_sided(effect), alpha))
    equivalent = tuple(name for name, effect in known.items() if decides(_outside(effect, within), alpha))
    return Ranking(lowest, tied, tuple(effects), different, equivalent)


def _effect(other: ArmSummary, lowest: ArmSummary) -> Effect | None:
    """The difference by seed with the paired t; with the sign test where it is the same in every seed."""
    values = {other.arm.name: other.values, lowest.arm.name: lowest.values}
    by_seed = differences(values, {other.arm.name: 1.0, lowest.arm.name: -1.0})
    return paired(by_seed) or sign(by_seed)


def _outside(effect: Effect, within: float) -> float:
    """The larger p of the two one-sided tests of "it lies outside of the margin"."""
    return max(effect.p_below(within), effect.p_above(-within))
