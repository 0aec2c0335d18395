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

SECTIONS: tuple[Callable[[Findings], Section | None], ...] = (
    header.build,
    claims.build,
    confirmation.build,
    table.build,
    curves.build,
    depth.build,
    effects.build,
    search.build,
    samplers.build,
    networks.build,
    cost.build,
    paper.build,
    failures.build,
    trials.build,
    methods.build,
    provenance.build,
    data.build,
)
"""Builders by place; one that has nothing to show for a study returns None, and the page goes without it."""
