"""The files beside the page, how to make it again, and how to cite it."""

from dataclasses import dataclass

from reports.findings import Findings
from reports.sections.section import Section
from reports.wording import shortened


@dataclass(frozen=True)
class Download:
    """A file beside the page, and what is in it."""

    path: str
    text: str


@dataclass(frozen=True)
class Data:
    """The section's content."""

    downloads: tuple[Download, ...]
    commands: tuple[tuple[str, str], ...]
    bibtex: str


def build(findings: Findings) -> Section:
    """Build the section with the files that every report has; the page adds its figures and tables."""
    study = findings.study
    downloads = (
        Download("data/trials.csv", "one row a trial, factors as columns"),
        Download("data/curves.csv", "one row a trial and epoch"),
        Download("study.json", "the numbers of this page, with the settings of every arm"),
    )
    commands = (
        (study.command or "orchestrate run FILE.yaml", "trains what is missing, and nothing twice"),
        (f"orchestrate report {study.name}", "makes this page again from the results database"),
        (
            f"orchestrate query \"SELECT arm, seed, test_error FROM trial_results WHERE study = '{study.name}'\"",
            "reads the results themselves",
        ),
    )
    return Section("data", "Data", Data(downloads, commands, _bibtex(findings)))


def _bibtex(findings: Findings) -> str:
    when = findings.last_result() or findings.study.planned_at
    year = [f"  year  = {{{when.year}}},"] if when else []
    plan = [f"  note  = {{Ablation report, plan {findings.study.plan_hash}}},"] if findings.study.plan_hash else []
    title = "".join(
        each for each in shortened(findings.study.question or findings.study.name, 200) if each not in "{}\\"
    )
    key = "".join(each if each.isascii() and each.isalnum() else "-" for each in findings.study.name)
    return "\n".join([f"@misc{{{key},", f"  title = {{{title}}},", *year, *plan, "}"])
