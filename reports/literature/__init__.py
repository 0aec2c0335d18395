"""Published results, for studies to be held against: `published.yaml` as typed rows, found by paper, table and row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from reports.analysis.literature import published_row
from reports.analysis.published import Published
from search_spaces.errors import unknown


@dataclass(frozen=True)
class PublishedRow:
    """One row of a published table.

    `error`, `top5`, `sd` and `mean` are per cent; `statistic` says what `error` is ("median of 5"), None where the
    paper does not. `fails`: the paper prints "fail"; `error_above`: it gives a bound alone. `network` is in the words
    of a study file, `conditions` holds what else was different. `source` says where the number was read; one that is
    not `verified` has not been checked against the paper.
    """

    paper: str
    table: str
    row: str
    where: str
    source: str
    data: str
    depth: int | None = None
    error: float | None = None
    error_above: float | None = None
    top5: float | None = None
    sd: float | None = None
    mean: float | None = None
    statistic: str | None = None
    fails: bool = False
    params: int | None = None
    network: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)
    verified: bool = True

    @property
    def reference(self) -> str:
        """Return the row's name, as `paper: {ref: ...}` of a claim has it."""
        return f"{self.paper}/{self.table}/{self.row}"

    @property
    def published(self) -> Published:
        """Return the row as the analysis compares it: the mean where the paper has one, else what it prints."""
        row = {"error_pct": self.error, "std": self.sd, "mean": self.mean, "statistic": self.statistic}
        return published_row({**row, "status": "fail" if self.fails else None, "paper": self.reference})


@cache
def published_rows() -> Mapping[str, PublishedRow]:
    """Return every published row by its reference, in the file's order."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's reader is ten times as fast, where it is there
    file = yaml.load(files(__name__).joinpath("published.yaml").read_text(encoding="utf-8"), Loader=loader)
    rows = [
        _row((paper, table, row), about["where"], shared, own, file["sources"])
        for paper, about in file["papers"].items()
        for table, shared in about["tables"].items()
        for row, own in shared["rows"].items()
    ]
    return {row.reference: row for row in rows}


def find_published(reference: str) -> PublishedRow:
    """Return the row of that reference, such as identity-mappings/table-2/original-110; SettingError if none."""
    rows = published_rows()
    if reference not in rows:
        near = [each for each in rows if each.rpartition("/")[0] == reference.rpartition("/")[0]]
        raise unknown("published row", reference, near or {each.rpartition("/")[0] for each in rows})
    return rows[reference]


def _row(
    name: tuple[str, str, str], where: str, table: Mapping[str, Any], own: Mapping[str, Any], sources: Mapping[str, str]
) -> PublishedRow:
    """Return one row, with what it does not say taken from its table."""
    given = {key: value for key, value in table.items() if key not in ("title", "rows")} | dict(own)
    for part in ("network", "conditions"):
        given[part] = {**table.get(part, {}), **own.get(part, {})}
    return PublishedRow(*name, where=where, **{**given, "source": sources[given["source"]]})
