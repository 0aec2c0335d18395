"""Events that the database could not take, kept in a file until the next run records them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from orchestrator.records.causes import Cause
from orchestrator.records.events import Event, Measured
from orchestrator.storage.columns import plain
from reports.trials import Epoch, State

KINDS = {kind.__name__: kind for kind in get_args(Event)}
_FORMER_NAMES = {"last_sound_loss": "loss_before_divergence"}  # of files that an earlier version left


@dataclass(frozen=True)
class Spool:
    """The events of one driver, in their order."""

    driver: str
    events: tuple[Event, ...]


def write_spool(path: Path, driver: str, events: Sequence[Event]) -> None:
    """Keep events in a file, a line each; OSError when it cannot be written."""
    lines = [json.dumps({"driver": driver}), *(json.dumps(event_mapping(event)) for event in events)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_spool(path: Path) -> Spool | None:
    """Return the events kept in a file, as far as it is whole; None when there is no such file."""
    try:
        first, *lines = path.read_text(encoding="utf-8").splitlines()
        driver = str(json.loads(first)["driver"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    events: list[Event] = []
    for line in lines:
        try:
            events.append(_event(json.loads(line)))
        except (ValueError, KeyError, TypeError):
            break
    return Spool(driver, tuple(events))


def event_mapping(event: Event) -> dict[str, Any]:
    """Return an event as plain values, with its `kind`."""
    known = {field.name: getattr(event, field.name) for field in fields(event)}
    values = {name: _value(value) for name, value in known.items()}
    return {"kind": type(event).__name__, **values}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Epoch):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return plain(value)


def _event(stored: dict[str, Any]) -> Event:
    stored = {_FORMER_NAMES.get(name, name): value for name, value in stored.items()}
    kind = stored.pop("kind")
    if kind not in KINDS and "found" in stored:  # an earlier version wrote the probe's name over the event's
        kind, stored["probe"] = Measured.__name__, kind
    readers = {"at": datetime.fromisoformat, "epoch": _epoch, "state": State, "cause": Cause}
    values = {
        name: readers[name](value) if name in readers and value is not None else value for name, value in stored.items()
    }
    event: Event = KINDS[kind](**values)
    return event


def _epoch(value: Any) -> Any:
    return Epoch(**value) if isinstance(value, dict) else value
