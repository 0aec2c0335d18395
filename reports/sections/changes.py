"""What moved since the last report of this study in the same folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.diff import compare
from reports.sections.section import Section
from reports.sentences.changes import FIRST, NOTHING_MOVED, sentences_of


@dataclass(frozen=True)
class Changes:
    """The id of the report that this one follows, None for the first, and what moved since, a sentence each."""

    since: str | None = None
    sentences: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """Return what `study.json` keeps of it."""
        return {"since": self.since, "sentences": list(self.sentences)}


@dataclass(frozen=True)
class ChangesShown:
    """The section's content: what the page says, and the id of the report that this one follows."""

    since: str | None
    sentences: tuple[str, ...]


def changes_since(before: Mapping[str, Any] | None, summary: Mapping[str, Any], report_id: str) -> Changes:
    """Compare with the `study.json` of the folder; the same report again keeps the changes that it told."""
    if before is None or before.get("study") != summary["study"]:
        return Changes()
    if before.get("report") == report_id:
        told = before.get("changes") or {}
        return Changes(told.get("since"), tuple(map(str, told.get("sentences", ()))))
    try:
        sentences = sentences_of(compare(before, summary))
    except ValueError:
        return Changes()
    return Changes(str(before.get("report")), sentences)


def build(changes: Changes) -> Section:
    """Build the section."""
    told = changes.sentences if changes.since is None else changes.sentences or (NOTHING_MOVED,)
    return Section("changes", "Changes", ChangesShown(changes.since, told or (FIRST,)))
