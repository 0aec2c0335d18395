"""The files beside the page, how to make it again, and how to cite it."""

import re
from dataclasses import dataclass

from reports.data_files import has_data, has_parquet
from reports.findings import Findings
from reports.latex import escape_latex
from reports.metrics import PRIMARY
from reports.sections.section import Section
from reports.sentences import data as sentences
from reports.wording import shortened

REPORT = "REPORT-ID"
"""Stands for the report's id, which is known once all sections are."""


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
    downloads = (
        Download("data/trials.csv", sentences.trials(findings)),
        Download("data/curves.csv", sentences.CURVES),
        *([Download("data/curves.parquet", sentences.PRECISE)] if has_parquet() else []),
    )
    offered = downloads if has_data(findings) else ()
    return Section("data", "Data", Data(offered, _commands(findings), _bibtex(findings)))


def _commands(findings: Findings) -> tuple[tuple[str, str], ...]:
    """Return what makes the page again; the results database has nothing of a replay."""
    study = findings.study
    if findings.whole.is_replay:
        return ((study.command or "orchestrate run FILE.yaml --executor replay", sentences.REPLAYS),)
    return (
        (study.command or "orchestrate run FILE.yaml", sentences.TRAINS),
        (f"orchestrate report {study.name}", sentences.REPORTS),
        (
            f"orchestrate query \"SELECT arm, seed, {PRIMARY.name} FROM trial_results WHERE study = '{study.name}'\"",
            sentences.QUERIES,
        ),
    )


def _bibtex(findings: Findings) -> str:
    study = findings.study
    when = findings.last_result() or study.planned_at
    title = escape_latex(shortened(study.question or study.name, 200))
    lines = [
        f"@misc{{{re.sub(r'[^A-Za-z0-9]+', '-', study.name)},",
        "  author = {LAST NAME, FIRST NAME},",
        f"  title  = {{{{{title}}}}},",
        *([f"  year   = {{{when.year}}},"] if when else []),
        "  url    = {https://WHERE THIS PAGE IS PUBLISHED},",
        f"  note   = {{Ablation report {REPORT}"
        + (f", plan {escape_latex(study.plan_hash)}" if study.plan_hash else "")
        + "},",
        "}",
    ]
    return "\n".join(lines)
