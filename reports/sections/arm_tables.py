"""Every number of the arms and of their differences to the baseline, a row each, for the files beside the page."""

from collections.abc import Sequence

from reports.analysis.arms import ArmSummary
from reports.analysis.badges import SKEWED
from reports.analysis.contrasts import Contrast
from reports.columns import factor_columns
from reports.findings import Findings
from reports.sentences import skewness
from reports.sentences.differences import ARMS_TABLE, DIFFERENCES_TABLE, survivors
from reports.tables import Column, Table, p_column
from reports.wording import bracketed, signed

_ARM_NUMBERS = (
    ("n", "n", None),
    ("n_ok", "ok", None),
    ("n_fail", "fail", None),
    ("n_missing", "missing", None),
    ("fail_rate", "fail rate", 2),
    ("fail_low", "rate low", 2),
    ("fail_high", "rate high", 2),
    ("mean", "mean", 2),
    ("sd", "SD", 2),
    ("low", "low", 2),
    ("high", "high", 2),
    ("median", "median", 2),
    ("minimum", "min", 2),
    ("maximum", "max", 2),
)


def interval(contrast: Contrast) -> str:
    """Return the interval of a contrast in brackets, with a leading space; empty where both ends are open."""
    text = bracketed(contrast.low, contrast.high, signed)
    return f" {text}" if text else ""


def arms_table(findings: Findings) -> Table:
    """Return one row an arm with every number of its summary."""
    factors = list(findings.study.factors)
    keys = factor_columns(factors)
    columns = (
        Column("arm", "arm"),
        *(Column(key, factor) for key, factor in zip(keys, factors, strict=True)),
        *(Column(key, label, digits, is_number=True) for key, label, digits in _ARM_NUMBERS),
        Column("params", "params", is_number=True, is_count=True),
        Column("flops", "FLOPs", is_number=True, is_count=True),
        Column("note", "note"),
    )
    rows = []
    for arm in findings.arms:
        summary = findings.summaries[arm.name]
        numbers = (getattr(summary, key) for key, *_ in _ARM_NUMBERS)
        levels = (arm.levels.get(factor) for factor in factors)
        rows.append((arm.name, *levels, *numbers, arm.params, arm.flops, _note(findings, summary)))
    caption = " ".join(filter(None, (ARMS_TABLE, survivors(findings), skewness.arms(findings))))
    in_paper = ("n", "n_fail", "mean", "sd", "low", "high", "params", "flops")
    return Table("arms", caption, columns, tuple(rows), (*(keys or ["arm"]), *in_paper))


def _note(findings: Findings, summary: ArmSummary) -> str | None:
    """What is to be known of the arm's interval: that its own seeds are skewed, or those of the arms in all."""
    if summary.flag or summary.low is None:
        return summary.flag
    if summary.arm.name in findings.skewed_arms:
        return f"its seeds are {SKEWED}"
    return SKEWED if findings.skewness is not None and not summary.n_fail else None


def contrasts_table(contrasts: Sequence[Contrast]) -> Table:
    """Return one row a difference to the baseline."""
    columns = (
        Column("arm", "arm"),
        Column("baseline", "baseline"),
        Column("n", "n", is_number=True),
        Column("fails", "fails", is_number=True),
        Column("estimate", "difference", 2, is_number=True),
        Column("low", "low", 2, is_number=True),
        Column("high", "high", 2, is_number=True),
        p_column("p", "p"),
        p_column("p_holm", "p (Holm)"),
        p_column("smallest_p", "smallest exact p"),
        Column("test", "test"),
        Column("note", "note"),
    )
    rows = tuple(
        (
            each.arm.name,
            each.baseline.name,
            each.n,
            each.fails,
            each.estimate,
            each.low,
            each.high,
            each.p,
            each.p_holm,
            each.smallest_p,
            each.test,
            "; ".join(filter(None, (each.note, *each.badges))) or None,
        )
        for each in contrasts
    )
    caption = " ".join(filter(None, (DIFFERENCES_TABLE, skewness.differences(contrasts))))
    return Table("differences", caption, columns, rows, ("arm", "n", "estimate", "low", "high", "p_holm", "test"))
