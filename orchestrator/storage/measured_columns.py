"""The rows of a large measurement as columns, a fraction of the bytes: each name once, a grid's coordinates once.

A column of places is ``{"each": e, "values": [...]}``: row ``i`` has ``values[(i // e) % len(values)]``, so that the
51 x 51 points of a plane keep 51 numbers for each axis. It stays JSON, which the view `measurement_results` and
everybody with a SQLite shell can read; PostgreSQL compresses it besides.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from orchestrator.storage.columns import plain

MANY = 64
"""Rows from which on a measurement is kept as columns."""


def to_columns(measured: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a probe found with its ``rows`` as ``columns``, where they are many and all have the same names."""
    rows = plain(measured.get("rows"))
    if not isinstance(rows, list) or len(rows) < MANY or not _alike(rows):
        return measured
    columns = {
        "count": len(rows),
        "epoch": _factored([row["epoch"] for row in rows]),
        "at": {name: _factored([row["at"][name] for row in rows]) for name in rows[0]["at"]},
        "numbers": {name: [row["numbers"][name] for row in rows] for name in rows[0]["numbers"]},
    }
    return {key: value for key, value in measured.items() if key != "rows"} | {"columns": columns}


def to_rows(measured: Any) -> Any:
    """Return what `to_columns` was given."""
    if not isinstance(measured, Mapping) or "columns" not in measured:
        return measured
    columns = measured["columns"]
    rows = [
        {
            "at": {name: _value(column, row) for name, column in columns["at"].items()},
            "numbers": {name: values[row] for name, values in columns["numbers"].items()},
            "epoch": _value(columns["epoch"], row),
        }
        for row in range(columns["count"])
    ]
    return {key: value for key, value in measured.items() if key != "columns"} | {"rows": rows}


def _alike(rows: Sequence[Any]) -> bool:
    """Whether every row is a place and numbers, under the same names in the same order."""
    names = {
        (tuple(row), tuple(row["at"]), tuple(row["numbers"]))
        for row in rows
        if isinstance(row, Mapping) and isinstance(row.get("at"), Mapping) and isinstance(row.get("numbers"), Mapping)
    }
    return len(names) == 1 and all(set(row) == {"at", "numbers", "epoch"} for row in rows)


def _factored(values: Sequence[Any]) -> dict[str, Any]:
    """Return a column as the values that it repeats, each `each` times, over and over."""
    said = [repr(value) for value in values]  # 1, 1.0 and true are equal, but not the same
    each = next((row for row in range(1, len(said)) if said[row] != said[0]), len(said))
    if all(value == said[row - row % each] for row, value in enumerate(said)):
        heads = said[::each]
        period = next((row for row in range(1, len(heads)) if heads[row] == heads[0]), len(heads))
        if all(head == heads[row % period] for row, head in enumerate(heads)):
            return {"each": each, "values": list(islice(values, 0, each * period, each))}
    return {"each": 1, "values": list(values)}


def _value(column: Mapping[str, Any], row: int) -> Any:
    values = column["values"]
    return values[row // column["each"] % len(values)]
