"""What a study showed, as the HTML that a notebook displays, and whether somebody watches at all."""

import sys
from html import escape

from reports.analysis.arms import summarise
from reports.analysis.search import confirmed_view
from reports.analysis.verdicts import Verdict
from reports.metrics import PRIMARY
from reports.notebook import html_table
from reports.results import Study
from reports.trials import State
from reports.wording import counted


def is_watched() -> bool:
    """Whether standard output is a terminal, or the cell of a notebook."""
    shell = sys.modules.get("IPython")
    in_notebook = shell is not None and hasattr(shell.get_ipython(), "kernel")
    return in_notebook or bool(sys.stdout and sys.stdout.isatty())


def trial_counts(study: Study) -> str:
    """Return how many trials of a study are in each state, in words."""
    asked = {arm.name for arm in study.arms if not arm.orphaned}
    states = [trial.state for trial in study.trials if trial.arm in asked]
    counts = ", ".join(f"{states.count(state)} {state.lower()}" for state in State if state in states)
    return f"{counted(len(asked), 'arm')}, {counted(len(states), 'trial')}" + (f": {counts}" if counts else "")


def study_html(study: Study, verdicts: tuple[Verdict, ...], report: str | None) -> str:
    """Return a study as a heading, an arm a row, and a verdict a row."""
    shown = confirmed_view(study)
    factors = list(shown.factors)
    arms = [
        [*([str(each.arm.levels[factor]) for factor in factors] or [each.arm.name]), each.text, str(each.n)]
        for each in summarise(shown)
        if not each.arm.orphaned
    ]
    parts = [f"<p><b>{escape(study.name)}</b>: {escape(trial_counts(study))}</p>"]
    parts.append(html_table([*(factors or ["arm"]), f"{PRIMARY.title} {PRIMARY.unit}, ± 1 SD", "n"], arms))
    if verdicts:
        parts.append(html_table(["claim", "verdict", "evidence"], [[v.id, v.word, v.sentence] for v in verdicts]))
    if report:
        parts.append(f"<p>Report: {escape(report)}</p>")
    return "".join(parts)
