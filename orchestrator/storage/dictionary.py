"""The view `data_dictionary`: what each column of each table and view means, for whoever opens the database."""

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, Table, inspect

from orchestrator.storage.tables import arms, epochs, measurements, metadata, studies, trials, verdicts
from orchestrator.storage.view_queries import is_left_out_if_diverged
from reports.metrics import METRICS, Metric

NAME = "data_dictionary"

Sources = tuple[tuple[Table, ...], Mapping[str, str | None]]

_ARM = {
    "study": studies.c.name.comment,
    "arm": arms.c.name.comment,
    "seed": trials.c.seed.comment,
    "trial": trials.c.id.comment,
    "orphaned": arms.c.orphaned.comment,
    "stage": "Of a search: search for a trial that chose an arm, confirm for one with fresh seeds; NULL otherwise",
}


def _meaning(metric: Metric) -> str:
    return f"{metric.title[0].upper()}{metric.title[1:]}{f' in {metric.unit_in_words}' if metric.unit else ''}"


def _of_metric(metric: Metric) -> str:
    if metric.is_curve:
        return f"{_meaning(metric)} of the last epoch"
    left_out = "; NULL for a trial that diverged" if is_left_out_if_diverged(metric) else ""
    return f"{_meaning(metric)}{left_out}"


_KNOWN = {*trials.c.keys(), *arms.c.keys()}


def view_sources() -> Mapping[str, Sources]:
    """Return for each view the tables that its columns are from, and what those mean that mean something else here."""
    return {
        "trial_results": (
            (trials, arms),
            {
                **_ARM,
                "epochs": "Number of the last epoch recorded",
                **{name: _of_metric(metric) for name, metric in METRICS.items() if name not in _KNOWN},
                "factors": arms.c.levels.comment,
            },
        ),
        "curves": ((epochs,), _ARM),
        "verdict_results": ((verdicts,), {"study": studies.c.name.comment}),
        "measurement_results": (
            (measurements,),
            {
                **_ARM,
                "epoch": "Epochs of training before the measurement; 0 is the initialisation",
                "at": "Where the number belongs: axis -> place",
                "name": "The name of the number",
                "value": "The number",
            },
        ),
        NAME: (
            (),
            {
                "relation": "Name of the table or view",
                "position": "Place of the column in it, from 1",
                "name": "Name of the column",
                "meaning": "What the column holds",
            },
        ),
    }


def dictionary_query(connection: Connection) -> str:
    """Return the query that says what this version of the program knows of the tables and views of this database."""
    rows = ((_quoted(relation), str(place), *map(_quoted, words)) for relation, place, *words in _rows(connection))
    values = ", ".join(f"({', '.join(row)})" for row in rows)
    return f"WITH known(relation, position, name, meaning) AS (VALUES {values}) SELECT * FROM known"


def meanings() -> Mapping[str, Mapping[str, str | None]]:
    """Return what every column means whose meaning does not depend on the database: relation -> column -> meaning."""
    tables = {table.name: {column.name: column.comment for column in table.c} for table in metadata.sorted_tables}
    return {**tables, **{relation: own for relation, (_, own) in view_sources().items()}}


def _rows(connection: Connection) -> Iterator[tuple[str, int, str, str]]:
    """Return relation, place, name and meaning of every column, the columns in the order that this database has."""
    inspector = inspect(connection)
    tables: dict[str, Sources] = {table.name: ((table,), {}) for table in metadata.sorted_tables}
    for relation, (sources, own) in {**tables, **view_sources()}.items():
        names = own if relation == NAME else [column["name"] for column in inspector.get_columns(relation)]
        for place, name in enumerate(names, start=1):
            inherited = (source.c[name].comment for source in sources if name in source.c)
            yield relation, place, name, own.get(name) or next(inherited, None) or ""


def _quoted(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"
