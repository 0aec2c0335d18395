"""The drawings of a figure as one PDF file for a paper: each panel is a page, and all pages share their fonts."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports.figures.theme import styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The same bytes whenever it is made.
_UNDATED = {"CreationDate": None, "Creator": None, "Producer": None}


def to_pdf(sheets: Sequence["Figure"]) -> bytes:
    """Return a file with a page for each of matplotlib's figures, with the letters as text."""
    from matplotlib.backends.backend_pdf import PdfPages

    buffer = io.BytesIO()
    with styled(), PdfPages(buffer, metadata=_UNDATED) as pages:
        for sheet in sheets:
            pages.savefig(sheet)
    return buffer.getvalue()
