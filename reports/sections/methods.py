"""Methods in prose, written from the study's own settings and numbers, and what differs between the arms."""

from dataclasses import dataclass
from typing import Any

from reports.findings import Findings
from reports.flat_settings import flat, in_words
from reports.sections.arm_settings import arm_settings, shown_name
from reports.sections.section import Section
from reports.sentences import methods, said
from reports.sentences.parts import cut
from reports.sentences.safeguards import (
    machine_sentences,
    noise_sentences,
    numerics_sentences,
    pack_sentences,
)
from reports.sentences.statistics import STATISTICS, seeds_saved, seeds_so_far
from reports.tables import Column, Table
from reports.wording import counted, listed, shortened

MOST_ROWS = 60


@dataclass(frozen=True)
class Methods:
    """Paragraphs, each with a short heading, and the table of what differs between arms."""

    paragraphs: tuple[tuple[str, str], ...]
    differing: Table
    by_arm: Table
    notes: tuple[str, ...]
    plan_notes: tuple[str, ...]


def build(findings: Findings) -> Section:
    """Build the methods."""
    table = _differing(findings)
    note = cut(min(MOST_ROWS, len(table.rows)), len(table.rows), "settings", "study.json")
    shown = Table(table.name, table.caption, table.columns, table.rows[:MOST_ROWS])
    by_arm = arm_settings(findings, shown_name(findings))
    paragraphs = (
        ("Design", said(findings, methods.DESIGN)),
        ("Data and training", said(findings, methods.TRAINING)),
        ("Measure", said(findings, methods.MEASURE)),
        ("Statistics", said(findings, STATISTICS)),
        ("Claims", said(findings, (*methods.CLAIMS, seeds_saved, seeds_so_far))),
        ("Noise floor", " ".join(noise_sentences(findings.study))),
        ("Numerics", " ".join(numerics_sentences(findings.study))),
        ("Packs", " ".join(pack_sentences(findings.study))),
        ("Machines", " ".join(machine_sentences(findings.study))),
        ("Fairness", said(findings, methods.FAIRNESS)),
    )
    told = tuple((head, text) for head, text in paragraphs if text)
    return Section(
        "methods",
        "Methods",
        Methods(told, shown, by_arm, (note,) if note else (), findings.study.notes),
        tables=(arm_settings(findings),) if by_arm.rows else (),
        embedded={"armSettings": _by_arm(by_arm)} if by_arm.rows else {},
    )


def _by_arm(table: Table) -> dict[str, Any]:
    """Return the settings by arm as the page's script reads them, the name of each arm once."""
    arms = list(dict.fromkeys(str(row[0]) for row in table.rows))
    places = {arm: at for at, arm in enumerate(arms)}
    return {"arms": arms, "rows": [[places[str(row[0])], *row[1:]] for row in table.rows]}


def _differing(findings: Findings) -> Table:
    every = [(arm, dict(flat(arm.settings))) for arm in findings.arms]
    keys = dict.fromkeys(key for _, settings in every for key in settings)
    rows = []
    for key in keys:
        groups: dict[str, int] = {}
        for _, settings in every:
            text = in_words(settings[key]) if key in settings else "not set"
            groups[text] = groups.get(text, 0) + 1
        if len(groups) > 1:
            values = [f"{shortened(text, 40)} ({counted(count, 'arm')})" for text, count in groups.items()]
            rows.append((key, listed(values, 8)))
    return Table(
        "settings",
        "Settings in which arms differ.",
        (Column("setting", "setting"), Column("values", "values")),
        tuple(rows),
    )
