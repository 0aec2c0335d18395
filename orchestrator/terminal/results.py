"""Print what a study showed to the terminal: its arms, its verdicts, and where the report is."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from orchestrator.terminal.console import name_table, print_table, say
from orchestrator.terminal.troubles import failure_lines, lost_lines
from orchestrator.terminal.verdict_lines import verdict_line
from reports.analysis.arms import ArmSummary, summarise
from reports.analysis.search import confirmed_view
from reports.analysis.verdicts import Verdict
from reports.findings import find
from reports.metrics import PRIMARY
from reports.results import Study
from reports.sections.confirmation import conclusions
from reports.sections.samplers import judgements
from reports.sentences.safeguards import machine_sentences, noise_sentences
from reports.sentences.statistics import seeds_saved, seeds_so_far

if TYPE_CHECKING:
    from orchestrator.terminal.run_result import RunResult


def print_result(console: Console, result: "RunResult") -> None:
    """Print the arm table, what went wrong, the verdicts, and last where the report is."""
    study = result.study
    shown = confirmed_view(study)
    print_arms(console, summarise(shown), list(shown.factors))
    counts = Counter(trial.state for trial in result.trials)
    say(console, ", ".join(f"{count} {state.lower()}" for state, count in sorted(counts.items())))
    for line in (*failure_lines(result.trials), *lost_lines(study)):
        say(console, line)
    if result.budget_used:
        say(console, "the budget of this run is used up (resources.budget); run the same command again to continue")
    for sentence in (*conclusions(find(study)), *judgements(study)):
        say(console, sentence)
    print_verdicts(console, study, result.verdicts)
    if result.report:
        say(console, f"report: {result.report}")


def print_arms(console: Console, summaries: tuple[ArmSummary, ...], factors: Sequence[str]) -> None:
    """Print an arm a row: mean ± SD of the test error over its seeds, or "fail" as the papers print it."""
    if not summaries:
        return
    first, *others = factors or ["arm"]
    table = name_table(escape(first))
    for factor in others:
        table.add_column(escape(factor), overflow="fold")
    for column in (f"{PRIMARY.title} {PRIMARY.unit}, ± 1 SD", "n", "parameters"):
        table.add_column(column, justify="right", no_wrap=True)
    for summary in summaries:
        arm = summary.arm
        if not arm.orphaned:
            levels = [str(arm.levels[factor]) for factor in factors] or [arm.name]
            params = "" if arm.params is None else f"{arm.params:,}"
            table.add_row(*map(escape, levels), escape(summary.text), str(summary.n), params)
    print_table(console, table)


def print_verdicts(console: Console, study: Study, verdicts: Sequence[Verdict]) -> None:
    """Print what guards the numbers, then each claim in two lines at most; the page has the whole sentences."""
    findings = find(study, verdicts)
    steps = filter(None, (seeds_saved(findings), seeds_so_far(findings)))
    for line in (*noise_sentences(study), *machine_sentences(study), *steps):
        say(console, line)
    for verdict in verdicts:
        say(console, verdict_line(verdict, console.width))
