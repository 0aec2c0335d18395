"""Every sentence that the page can say of a study's results, each a function that knows when it is true.

A sentence takes the findings and returns its text, or None where its condition does not hold.
"""

from collections.abc import Callable, Iterable, Mapping

from reports.findings import Findings
from reports.sentences import headline, methods, statistics, table

Sentence = Callable[[Findings], str | None]

SENTENCES: Mapping[str, Sentence] = headline.SENTENCES | statistics.SENTENCES | table.SENTENCES | methods.SENTENCES
"""All of them by name; the tests hold each against a study where it is true and one where it must not appear."""


def said(findings: Findings, sentences: Iterable[Sentence]) -> str:
    """Return those of the sentences that are true, one after the other."""
    return " ".join(text for sentence in sentences if (text := sentence(findings)))
