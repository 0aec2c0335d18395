"""What a section says that has nothing to show: one line with the reason."""

from collections.abc import Callable

from reports.findings import Findings
from reports.layout import numeric_factors
from reports.trials import State

REPLAYED = "A replay trains nothing, and no confirmation of an arm is on record."


def _has_results(findings: Findings) -> bool:
    return any(summary.n for summary in findings.summaries.values())


def _no_result(findings: Findings) -> str:
    return REPLAYED if findings.whole.is_replay else "No trial has a result yet."


def claims(findings: Findings) -> str:
    """Say why there are no claims."""
    return "The study file declares no claims."


def table(findings: Findings) -> str:
    """Say why there is no table."""
    if findings.whole.is_replay:
        return REPLAYED
    return "No arm is confirmed yet." if findings.whole.search else "The study has no arms."


def curves(findings: Findings) -> str:
    """Say why there are no curves."""
    if findings.whole.is_replay:
        return REPLAYED
    if findings.count(State.WAITING, State.RUNNING) or not findings.asked:
        return "No trial has finished an epoch yet."
    return "No trial finished an epoch."


def depth(findings: Findings) -> str:
    """Say why there is no figure of the error along a factor."""
    if not _has_results(findings):
        return _no_result(findings)
    if findings.layout.axis is None:
        if findings.whole.search:
            return "The arms that a search confirms are no series along a factor."
        if numeric_factors(findings.study):
            return "No two arms differ in a numeric factor alone."
        return "No factor of this study has several numeric levels."
    return f"Fewer than two levels of {findings.layout.axis} have a trial with a finite error."


def effects(findings: Findings) -> str:
    """Say why there are no differences."""
    if not findings.study.baseline:
        return "The study file names no baseline."
    if not _has_results(findings):
        return _no_result(findings)
    if not any(summary.n_ok for summary in findings.summaries.values()):
        return "Every seed failed, so that no difference has an interval."
    return "No arm and its baseline share two seeds with a result, so that no difference has an interval."


def mechanism(findings: Findings) -> str:
    """Say why there is nothing on the trained networks."""
    return "No probe has measured a network of this study."


def cost(findings: Findings) -> str:
    """Say why there is no front of error and cost."""
    if not any(summary.n_ok for summary in findings.summaries.values()):
        return (
            _no_result(findings)
            if not _has_results(findings)
            else "Every seed failed, so that no arm has a mean error."
        )
    return "Fewer than two arms have a result without a fail, or all cost the same."


def paper(findings: Findings) -> str:
    """Say why nothing is compared with published numbers."""
    return "No claim names a published number."


def trials(findings: Findings) -> str:
    """Say why there are no trials."""
    return REPLAYED if findings.whole.is_replay else "No trial is planned."


def failures(findings: Findings) -> str:
    """Say why there are no failures where there are no trials."""
    return trials(findings)


EMPTY: dict[str, tuple[str, Callable[[Findings], str]]] = {
    "claims": ("Claims", claims),
    "table": ("Test error by arm", table),
    "curves": ("Learning curves", curves),
    "depth": ("Error against a factor", depth),
    "effects": ("Differences to the baseline", effects),
    "mechanism": ("Mechanism", mechanism),
    "cost": ("Cost", cost),
    "paper": ("Published numbers and ours", paper),
    "failures": ("Failures", failures),
    "trials": ("Trials", trials),
}
"""The title and the line of each section that a page always has, by its anchor."""
