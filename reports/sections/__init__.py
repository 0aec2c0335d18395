"""The sections of the page, in their order on it."""

from collections.abc import Callable

from reports.findings import Findings
from reports.sections import (
    claims,
    confirmation,
    cost,
    curves,
    data,
    depth,
    effects,
    failures,
    header,
    mechanism,
    methods,
    networks,
    paper,
    provenance,
    samplers,
    search,
    table,
    trials,
)
from reports.sections.section import Section
from reports.sentences.empty import EMPTY

Builder = Callable[[Findings], Section | None]

_BUILDERS: tuple[tuple[str, Builder], ...] = (
    ("top", header.build),
    ("claims", claims.build),
    ("confirmation", confirmation.build),
    ("table", table.build),
    ("curves", curves.build),
    ("depth", depth.build),
    ("effects", effects.build),
    ("samplers", samplers.build),
    ("search", search.build),
    ("mechanism", mechanism.build),
    ("networks", networks.build),
    ("cost", cost.build),
    ("paper", paper.build),
    ("failures", failures.build),
    ("trials", trials.build),
    ("methods", methods.build),
    ("provenance", provenance.build),
    ("data", data.build),
)


def sections_of(findings: Findings) -> tuple[Section, ...]:
    """Return the sections of a page in their order.

    A section with a stable anchor that has nothing to show says so in a line; any other is left out.
    """
    return tuple(section for anchor, build in _BUILDERS if (section := _built(findings, anchor, build)) is not None)


def _built(findings: Findings, anchor: str, build: Builder) -> Section | None:
    section = build(findings)
    if section is not None or anchor not in EMPTY:
        return section
    title, say = EMPTY[anchor]
    return Section(anchor, title, say(findings), is_empty=True)
