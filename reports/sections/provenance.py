"""Where the numbers come from: the study file, the command, the versions and the hardware."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from reports.findings import Findings
from reports.results import Study
from reports.sections.section import Section
from reports.sentences.checklist import UNKNOWN, checklist
from reports.trials import Trial
from reports.wording import counted, level, moment, seeds


@dataclass(frozen=True)
class Host:
    """One environment that trained trials of this study, with its facts as text."""

    name: str
    trials: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Provenance:
    """The section's content; `source` is the study file as written, `settings` with every default filled in."""

    facts: tuple[tuple[str, str], ...]
    hosts: tuple[Host, ...]
    source: str
    settings: str
    checklist: tuple[tuple[str, str], ...]


def build(findings: Findings) -> Section:
    """Build the provenance."""
    study = findings.study
    facts = (
        ("Command", study.command or ""),
        ("Git revision", study.git or ""),
        ("Plan", f"{study.plan_hash or ''} {'of ' + moment(study.planned_at) if study.planned_at else ''}".strip()),
        ("Last result", moment(findings.last_result()) if findings.last_result() else ""),
        ("Seeds", f"{seeds(findings.seeds)}" if findings.seeds else ""),
        ("Devices", _devices(findings)),
        ("Attempts", _attempts(findings)),
        ("Whole plan", _digest(findings)),
        ("Results", f"sha256 {results_hash(findings.whole)}"),
    )
    content = Provenance(
        tuple((label, value) for label, value in facts if value and value != UNKNOWN),
        _hosts(findings),
        study.source,
        yaml.safe_dump(_plain(study.settings), sort_keys=False, allow_unicode=True, width=100),
        checklist(findings),
    )
    return Section("provenance", "Provenance", content)


def results_hash(study: Study) -> str:
    """Return a hash of every result that the page rests on: each trial's state and its curve, in the order of ids."""
    digest = hashlib.sha256()
    for trial in sorted(study.trials, key=lambda each: (each.id, each.arm)):
        if trial.state.is_finished():
            rows = [(row.epoch, row.train_error, row.test_error, row.train_loss, row.test_loss) for row in trial.curve]
            digest.update(repr((trial.id, trial.seed, trial.state.value, trial.test_error, rows)).encode())
    return digest.hexdigest()[:16]


def _digest(findings: Findings) -> str:
    """The hash that freezing the study file printed before the first result, and how many versions came before."""
    versions = findings.study.history.versions
    if not versions or versions[-1].digest is None:
        return ""
    earlier = len(versions) - 1
    return versions[-1].digest + (
        f", after {counted(earlier, 'earlier version')}" if earlier else " (the only version)"
    )


def _attempts(findings: Findings) -> str:
    again = sum(trial.attempts > 1 for trial in findings.whole.trials)
    total = sum(trial.attempts for trial in findings.whole.trials)
    return f"{total:,}, {counted(again, 'trial')} tried more than once" if again else ""


def _ended(findings: Findings) -> list[Trial]:
    """The trials that have ended, those of a search among them: an attempt that was interrupted is no trial yet."""
    return [trial for trial in findings.whole.trials if trial.state.is_finished()]


def _devices(findings: Findings) -> str:
    """How many of the trials each device trained; a replay trains none."""
    if findings.whole.is_replay:
        return ""
    counts = Counter(trial.device for trial in _ended(findings) if trial.device)
    return ", ".join(f"{name} ({counted(count, 'trial')})" for name, count in counts.items())


def _hosts(findings: Findings) -> tuple[Host, ...]:
    """The environments of which anything is known."""
    counts = Counter(trial.environment for trial in _ended(findings))
    return tuple(
        Host(each.host, counted(counts[each.id], "trial"), tuple(sorted(_facts(each.facts))))
        for each in findings.study.environments
        if each.facts
    )


def _facts(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(_label(key), _words(value)) for key, value in facts.items() if value not in (None, "")]


def _label(key: str) -> str:
    """Return the name of a fact, its unit after a comma: "memory, GiB"."""
    return re.sub("_gib$", ", GiB", key).replace("_", " ")


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_words(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    return level(value) if isinstance(value, bool) else str(value)


def _plain(value: Any) -> Any:
    """The same with plain mappings, lists and scalars only, as YAML's safe writer wants them."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    if value is None or type(value) in (bool, int, float, str):
        return value
    return str(value)
