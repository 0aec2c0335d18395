"""What a published page must not tell: host names, folders of the machine it was made on, databases and passwords."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from reports.results import Study
from reports.trials import LostAttempt, Trial

Tried = TypeVar("Tried", Trial, LostAttempt)

_PATH = re.compile(
    r"""(?<![\w./:~<-])/(?:[^\s/'":,;()<>]+/)+([^\s/'":,;()<>]*)|[A-Za-z]:\\(?:[^\s\\'",;<>]+\\)+([^\s\\'",;<>]*)"""
)
_DATABASE = re.compile(r"""\b((?!https?:|file:)[a-z][a-z0-9+.-]*)://?[^\s'",;<>]*""", re.IGNORECASE)
_USER = re.compile(r"""\b(https?|ftps?)://[^\s/'"@]*@""", re.IGNORECASE)
_TOLD = ("--set",)
_REPLAY = "replay"
"""The executor that trains nothing: without it the command would do something else."""
_PERSONAL = frozenset(
    {"cwd", "env", "environ", "executable", "home", "host", "hostname", "node", "path", "prefix", "user"}
)


def without_private_facts(study: Study, *, include_host: bool = False) -> Study:
    """Return the study with hosts numbered, absolute paths cut down to their last name, and no database named.

    With `include_host` hosts and paths stay; databases and passwords never do.
    """
    hosts = {name: name for name in _hosts(study)} if include_host else _hosts(study)
    clean = without_databases if include_host else _cleaner(hosts)
    return replace(
        study,
        question=clean(study.question),
        source=_without_database_line(clean(study.source)),
        settings={key: value for key, value in _mapped(study.settings, clean).items() if key != "database"},
        command=None if study.command is None else clean(public_command(study.command)),
        notes=tuple(map(clean, study.notes)),
        user_notes=tuple(map(clean, study.user_notes)),
        arms=tuple(replace(arm, settings=_mapped(arm.settings, clean)) for arm in study.arms),
        trials=tuple(_cleaned(trial, hosts, clean) for trial in study.trials),
        lost=tuple(_cleaned(attempt, hosts, clean) for attempt in study.lost),
        environments=tuple(
            replace(
                each,
                host=hosts.get(each.host, "host"),
                facts={
                    key: _value(fact, clean)
                    for key, fact in each.facts.items()
                    if include_host or key.lower() not in _PERSONAL
                },
            )
            for each in study.environments
        ),
    )


def shorten_paths(text: str) -> str:
    """Return `text` with each absolute path of two or more parts cut down to its last name."""
    return _PATH.sub(lambda match: "…/" + (match[1] or match[2] or ""), text)


def public_command(command: str) -> str:
    """Return a command with the file's name and the changed settings alone: what can change a result.

    Where the results, the report and the cluster are is left out, and on what it trains; that it is a replay is told.
    A text that is no such command is returned as it is.
    """
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    if words[:2] != ["orchestrate", "run"]:
        return command
    rest, kept = words[2:], ["orchestrate", "run"]
    while rest:
        word = rest.pop(0)
        option, has_value, value = word.partition("=")
        if not word.startswith("-"):
            kept.append(re.split(r"[\\/]", word)[-1])
        elif option in _TOLD or (option == "--executor" and _REPLAY in (value, *rest[:1])):
            kept += [word] if has_value else [word, *rest[:1]]
        if word.startswith("-") and not has_value and word != "--no-report":
            rest = rest[1:]
    return shlex.join(kept)


def without_databases(text: str) -> str:
    """Return `text` with the URL of a database cut down to its kind, and without a user's name in any other URL."""
    return _USER.sub(r"\1://", _DATABASE.sub(r"\1://…", text))


def _without_database_line(source: str) -> str:
    return re.sub(r"(?m)^(\s*[\"']?database[\"']?\s*:).*$", r"\1 …", source)


def _hosts(study: Study) -> dict[str, str]:
    names = dict.fromkeys(each.host for each in study.environments)
    names |= dict.fromkeys(trial.host for trial in study.trials if trial.host)
    names |= dict.fromkeys(attempt.host for attempt in study.lost if attempt.host)
    return {name: f"host {number}" for number, name in enumerate(names, start=1)}


def _cleaner(hosts: Mapping[str, str]) -> Any:
    names = sorted((name for name in hosts if len(name) > 3), key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, names))) if names else None

    def clean(text: str) -> str:
        short = shorten_paths(without_databases(text))
        return pattern.sub(lambda match: hosts[match[0]], short) if pattern else short

    return clean


def _cleaned(tried: Tried, hosts: Mapping[str, str], clean: Any) -> Tried:
    return replace(
        tried,
        host=hosts.get(tried.host or ""),
        reason=None if tried.reason is None else clean(tried.reason),
        log=None if tried.log is None else clean(tried.log),
    )


def _mapped(settings: Mapping[str, Any], clean: Any) -> dict[str, Any]:
    return {key: _value(value, clean) for key, value in settings.items()}


def _value(value: Any, clean: Any) -> Any:
    if isinstance(value, Mapping):
        return _mapped(value, clean)
    if isinstance(value, list | tuple):
        return [_value(each, clean) for each in value]
    return clean(value) if isinstance(value, str) else value
