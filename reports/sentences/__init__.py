"""Every sentence that the page can say of a study, each a function that knows when it is true.

A sentence takes the facts that it speaks of, the findings most often, and returns its text, or None where its condition
does not hold. What is said of one verdict stands in `reports.analysis.wording`: a verdict has its sentence with it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from reports.sentences import (
    changes,
    claims,
    confirmation,
    cost,
    curves,
    depth,
    differences,
    factors,
    failures,
    headline,
    mechanism,
    methods,
    networks,
    parts,
    progress,
    safeguards,
    samplers,
    search,
    skewness,
    statistics,
    table,
)

SENTENCES: Mapping[str, Callable[..., str | None]] = {
    **headline.SENTENCES,
    **statistics.SENTENCES,
    **table.SENTENCES,
    **methods.SENTENCES,
    **failures.SENTENCES,
    **progress.SENTENCES,
    **search.SENTENCES,
    **confirmation.SENTENCES,
    **samplers.SENTENCES,
    **changes.SENTENCES,
    **claims.SENTENCES,
    **curves.SENTENCES,
    **depth.SENTENCES,
    **differences.SENTENCES,
    **factors.SENTENCES,
    **mechanism.SENTENCES,
    **networks.SENTENCES,
    **cost.SENTENCES,
    **parts.SENTENCES,
    **safeguards.SENTENCES,
    **skewness.SENTENCES,
}
"""All of them by name; the tests hold each against a study where it is true and one where it must not appear."""


Facts = TypeVar("Facts")


def said(facts: Facts, sentences: Iterable[Callable[[Facts], str | None]]) -> str:
    """Return those of the sentences that are true of some facts, one after the other."""
    return " ".join(text for sentence in sentences if (text := sentence(facts)))
