"""One section of the page: what its template shows, and what it leaves beside the page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reports.figures.figure import Figure
from reports.tables import Table


@dataclass(frozen=True)
class Notes:
    """The content of a section without a template of its own: sentences below its figures and tables."""

    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A section under its stable anchor.

    `templates/sections/<anchor>.html` shows it; where there is none, its figures and tables stand below each other, and
    `content` is `Notes`. `figures` and `tables` are also written as files beside the page. `files` are further texts by
    their path beside the page. `embedded` goes into the page's JSON block for its script. `brief` is a figure for the
    first screen alone, where those of the section are too tall for it. An `is_empty` section shows its content, a line
    of text.
    """

    anchor: str
    title: str
    content: object
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    embedded: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    brief: Figure | None = None
    is_empty: bool = False
