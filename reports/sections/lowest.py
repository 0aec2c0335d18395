"""The arms with the lowest error beside the baseline, where there are too many to see all at a glance."""

from reports.analysis.arms import ArmSummary
from reports.figures.dots import Dots, dots_drawing
from reports.figures.figure import Figure, Panel
from reports.findings import Findings
from reports.metrics import PRIMARY
from reports.names import arm_names
from reports.ranking import rank
from reports.sentences import table as sentences
from reports.sentences.headline import group_of
from reports.tables import Column, Table
from reports.trials import Arm, State
from reports.wording import number

MOST = 10
"""Arms that are drawn, the baseline aside; a study with no more of them is seen whole in its main table."""


def lowest_figure(findings: Findings) -> Figure | None:
    """Return the figure of the arms that the headline ranks, the lowest mean first, and last the baseline.

    None for a study whose arms can be seen at a glance, and where no two of them can be compared.
    """
    group = group_of(findings)
    ranking = rank(group.summaries, findings.pairs, alpha=findings.alpha)
    if ranking is None or len(group.summaries) <= MOST + 1:
        return None
    names = {each.arm.name for each in group.summaries if each.is_comparable}
    sound = sorted((each for each in group.summaries if each.arm.name in names), key=lambda each: each.mean or 0.0)
    base = [each for each in sound[MOST:] if _is_baseline(findings, each.arm)]
    chosen = [*sound[:MOST], *base[:1]]
    labels = arm_names(findings, [each.arm for each in group.summaries], ", ")
    drawing = dots_drawing([_dots(findings, each, labels[each.arm.name]) for each in chosen], "lowest")
    where = f" at {group.where}" if group.where else ""
    caption = sentences.lowest_arms(len(chosen) - len(base[:1]), len(sound), where, bool(base), ranking, findings.alpha)
    ends = [chosen[0], chosen[-1]]
    described = sentences.lowest_to_highest([(each.mean, group.names[each.arm.name]) for each in ends])
    columns = (
        Column("arm", "arm"),
        Column("mean", f"mean {PRIMARY.label}", 2, is_number=True),
        Column("sd", "SD", 2, is_number=True),
        Column("n", "n", is_number=True),
    )
    rows = tuple((group.names[each.arm.name], each.mean, each.sd, each.n) for each in chosen)
    table = Table("lowest", sentences.LOWEST_TABLE, columns, rows)
    return Figure("lowest", caption, (Panel("", described, drawing),), table, columns=1)


def _is_baseline(findings: Findings, arm: Arm) -> bool:
    base = findings.study.baseline
    return bool(base) and all(arm.levels.get(factor) == value for factor, value in base.items())


def _dots(findings: Findings, summary: ArmSummary, name: str) -> Dots:
    trials = {each.seed: each.id for each in findings.trials.get(summary.arm.name, ()) if each.state is State.COMPLETE}
    seeds = sorted(summary.values)
    return Dots(
        name,
        f"{number(summary.mean)} ± {number(summary.sd)}",
        0 if _is_baseline(findings, summary.arm) else 1,
        summary.mean or 0.0,
        tuple(summary.values[seed] for seed in seeds),
        tuple(trials.get(seed, "") for seed in seeds),
    )
