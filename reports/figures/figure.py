"""A figure of the page: its drawings, the words that stand for them, and the numbers behind them."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.figures.svg import Drawing, compose
from reports.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure as MatplotlibFigure


@dataclass(frozen=True)
class Panel:
    """One drawing with its heading, and what it shows in a sentence made from its numbers."""

    title: str
    description: str
    drawing: Drawing


@dataclass(frozen=True)
class Figure:
    """One or more panels under one caption. `name` is the file's; `table` holds the numbers that are drawn."""

    name: str
    caption: str
    panels: tuple[Panel, ...]
    table: Table
    columns: int = 3

    @property
    def heading(self) -> str:
        """Return the first sentence of the caption; the dot of a number or of a setting's name ends none."""
        return re.split(r"\.(?:\s|$)", self.caption, maxsplit=1)[0]

    def to_file(self) -> str:
        """Return the text of the stand-alone SVG file."""
        return compose([(panel.title, panel.drawing) for panel in self.panels], self.columns, self.caption)

    @property
    def sheets(self) -> tuple["MatplotlibFigure", ...]:
        """Return the pages of its PDF file: the sheets of its panels."""
        return tuple(panel.drawing.sheet for panel in self.panels if panel.drawing.sheet is not None)
