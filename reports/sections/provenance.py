"""Where the numbers come from: the study file, the command, the versions and the hardware."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from reports.findings import Findings
from reports.sections.section import Section
from reports.wording import counted, duration, level, moment, seeds


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


def build(findings: Findings) -> Section:
    """Build the provenance."""
    study = findings.study
    devices: dict[str, int] = {}
    for trial in study.trials:
        if trial.device:
            devices[trial.device] = devices.get(trial.device, 0) + 1
    facts = (
        ("Command", study.command or ""),
        ("Git revision", study.git or ""),
        ("Plan", f"{study.plan_hash or ''} {'of ' + moment(study.planned_at) if study.planned_at else ''}".strip()),
        ("Last result", moment(findings.last_result()) if findings.last_result() else ""),
        ("Seeds", f"{seeds(findings.seeds)}" if findings.seeds else ""),
        ("Devices", ", ".join(f"{name} ({counted(count, 'trial')})" for name, count in devices.items())),
        ("Training time", duration(sum(trial.seconds or 0.0 for trial in findings.whole.trials))),
        ("Attempts", _attempts(findings)),
    )
    content = Provenance(
        tuple((label, value) for label, value in facts if value),
        _hosts(findings),
        study.source,
        yaml.safe_dump(_plain(study.settings), sort_keys=False, allow_unicode=True, width=100),
    )
    return Section("provenance", "Provenance", content)


def _attempts(findings: Findings) -> str:
    again = sum(trial.attempts > 1 for trial in findings.study.trials)
    total = sum(trial.attempts for trial in findings.study.trials)
    return f"{total:,}, {counted(again, 'trial')} tried more than once" if again else ""


def _hosts(findings: Findings) -> tuple[Host, ...]:
    study = findings.study
    return tuple(
        Host(
            each.host,
            counted(sum(trial.environment == each.id for trial in study.trials), "trial"),
            tuple(sorted(_facts(each.facts))),
        )
        for each in study.environments
    )


def _facts(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(key.replace("_", " "), _words(value)) for key, value in facts.items() if value not in (None, "")]


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
