"""What a published page must not tell: host names, and folders of the machine it was made on."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reports.results import Study

_PATH = re.compile(
    r"""(?<![\w./:~<-])/(?:[^\s/'":,;()<>]+/)+([^\s/'":,;()<>]*)|[A-Za-z]:\\(?:[^\s\\'",;<>]+\\)+([^\s\\'",;<>]*)"""
)
_PERSONAL = frozenset(
    {"cwd", "env", "environ", "executable", "home", "host", "hostname", "node", "path", "prefix", "user"}
)


def without_private_facts(study: Study) -> Study:
    """Return the study with hosts numbered and every absolute path cut down to its last name."""
    hosts = _hosts(study)
    clean = _cleaner(hosts)
    return replace(
        study,
        source=clean(study.source),
        settings=_mapped(study.settings, clean),
        command=None if study.command is None else clean(study.command),
        notes=tuple(map(clean, study.notes)),
        arms=tuple(replace(arm, settings=_mapped(arm.settings, clean)) for arm in study.arms),
        trials=tuple(
            replace(
                trial,
                host=hosts.get(trial.host or ""),
                reason=None if trial.reason is None else clean(trial.reason),
                log=None if trial.log is None else clean(trial.log),
            )
            for trial in study.trials
        ),
        environments=tuple(
            replace(
                each,
                host=hosts.get(each.host, "host"),
                facts={key: _value(fact, clean) for key, fact in each.facts.items() if key.lower() not in _PERSONAL},
            )
            for each in study.environments
        ),
    )


def shorten_paths(text: str) -> str:
    """Return `text` with each absolute path of two or more parts cut down to its last name."""
    return _PATH.sub(lambda found: "…/" + (found[1] or found[2] or ""), text)


def _hosts(study: Study) -> dict[str, str]:
    names = dict.fromkeys(each.host for each in study.environments)
    names |= dict.fromkeys(trial.host for trial in study.trials if trial.host)
    return {name: f"host {number}" for number, name in enumerate(names, start=1)}


def _cleaner(hosts: Mapping[str, str]) -> Any:
    names = sorted((name for name in hosts if len(name) > 3), key=len, reverse=True)
    found = re.compile("|".join(map(re.escape, names))) if names else None

    def clean(text: str) -> str:
        short = shorten_paths(text)
        return found.sub(lambda match: hosts[match[0]], short) if found else short

    return clean


def _mapped(settings: Mapping[str, Any], clean: Any) -> dict[str, Any]:
    return {key: _value(value, clean) for key, value in settings.items()}


def _value(value: Any, clean: Any) -> Any:
    if isinstance(value, Mapping):
        return _mapped(value, clean)
    if isinstance(value, list | tuple):
        return [_value(each, clean) for each in value]
    return clean(value) if isinstance(value, str) else value
