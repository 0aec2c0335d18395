"""The queries of the views that people read: one row a trial, verdict, epoch or measured number.

They may grow columns, never lose one: `views.py` brings the views of a database up to them whenever it is opened for
writing, so that a change here needs no migration.
"""

from collections.abc import Mapping

from orchestrator.storage.tables import trials
from reports.metrics import METRICS, Diverged, Metric
from reports.recorded import Computed, Expression, Recorded, Source

_PLANNED = """FROM arm_trials
JOIN arms ON arms.id = arm_trials.arm
JOIN studies ON studies.id = arms.study
JOIN trials ON trials.id = arm_trials.trial"""

# Metrics whose columns have their fixed places among the others; the rest follow them, in the order of the registry.
_PLACED = (
    *("test_error", "train_error", "test_loss", "train_loss", "params", "flops", "seconds", "images_per_second"),
    *("val_error", "val_loss"),
)


def view_queries(dialect: str) -> Mapping[str, str]:
    """Return the query of each view by its name, in the SQL of "sqlite" or "postgresql"."""
    return {
        "trial_results": _trial_results(dialect),
        "verdict_results": f"""
SELECT studies.name AS study, verdicts.claim AS claim, verdicts.says AS says, verdicts.verdict AS verdict,
    verdicts.estimate AS estimate, verdicts.low AS low, verdicts.high AS high, verdicts.margin AS margin,
    verdicts.n AS n, verdicts.p AS p, {_moment("verdicts.decided_at", dialect)} AS decided_at
FROM verdicts
JOIN studies ON studies.id = verdicts.study
""",
        "curves": f"""
SELECT studies.name AS study, arms.name AS arm, trials.seed AS seed, epochs.epoch AS epoch,
    epochs.train_loss AS train_loss, epochs.train_error AS train_error, epochs.test_loss AS test_loss,
    epochs.test_error AS test_error, epochs.lr AS lr, epochs.seconds AS seconds, trials.id AS trial,
    arms.orphaned AS orphaned, {_stage(dialect)} AS stage, epochs.val_error AS val_error, epochs.val_loss AS val_loss
{_PLANNED}
JOIN epochs ON epochs.trial = trials.id
WHERE NOT arm_trials.orphaned
""",
        "measurement_results": _measurement_results(dialect),
    }


def is_left_out_if_diverged(metric: Metric) -> bool:
    """Whether trial_results has NULL in the column of a metric for a trial that diverged."""
    return isinstance(metric.read, Computed) and metric.diverged is Diverged.NO_READING


def _trial_results(dialect: str) -> str:
    more = ",\n    ".join(
        f"{_column(metric, dialect)} AS {name}"
        for name, metric in METRICS.items()
        if name not in _PLACED and isinstance(metric.read, Expression)
    )
    return f"""
SELECT studies.name AS study, arms.name AS arm, trials.seed AS seed, trials.state AS state, trials.reason AS reason,
    trials.epochs AS epochs, last.test_error AS test_error, last.train_error AS train_error,
    last.test_loss AS test_loss, last.train_loss AS train_loss, arms.params AS params, arms.flops AS flops,
    trials.seconds AS seconds, trials.images_per_second AS images_per_second, trials.device AS device,
    trials.host AS host, {_moment("trials.started_at", dialect)} AS started_at,
    {_moment("trials.finished_at", dialect)} AS finished_at, arms.levels AS factors, trials.id AS trial,
    arms.orphaned AS orphaned, {_stage(dialect)} AS stage, last.val_error AS val_error, last.val_loss AS val_loss,
    trials.cause AS cause,
    {more}
{_PLANNED}
LEFT JOIN epochs AS last ON last.trial = trials.id AND last.epoch = trials.epochs
WHERE NOT arm_trials.orphaned
"""


def _measurement_results(dialect: str) -> str:
    """Return the numbers that are kept as rows, and those kept as columns (`orchestrator.storage.measured_columns`)."""
    kept = {"sqlite": (_SQLITE_ROWS, _SQLITE_COLUMNS), "postgresql": (_POSTGRESQL_ROWS, _POSTGRESQL_COLUMNS)}[dialect]
    return "UNION ALL".join(
        f"""
SELECT studies.name AS study, arms.name AS arm, trials.seed AS seed, measurements.kind AS kind,
    measurements.settings AS settings, {columns}
{_PLANNED}
JOIN measurements ON measurements.trial = trials.id
{numbers}
WHERE NOT arm_trials.orphaned
"""
        for columns, numbers in kept
    )


_SQLITE_ROWS = (
    "json_extract(places.value, '$.epoch') AS epoch, json_extract(places.value, '$.at') AS at, "
    "numbers.key AS name, numbers.value AS value",
    """JOIN json_each(measurements.found, '$.rows') AS places
JOIN json_each(places.value, '$.numbers') AS numbers""",
)


def _sqlite_index(column: str, path: str = "$") -> str:
    """Return the index of a row's value in a column of places, which is at a path of a JSON value."""
    each, count = f"json_extract({column}, '{path}.each')", f"json_array_length({column}, '{path}.values')"
    return f"(numbers.key / {each} % {count})"


_SQLITE_COLUMNS = (
    f"""json_extract(kept.value, '$[0].values[' || {_sqlite_index("kept.value", "$[0]")} || ']') AS epoch,
    (SELECT json_group_object(place.key, place.value -> ('$.values[' || {_sqlite_index("place.value")} || ']'))
        FROM json_each(kept.value, '$[1]') AS place) AS at,
    outputs.key AS name, numbers.value AS value""",
    # A table of one row: with the small columns apart, the large ones are not parsed again for each number.
    """JOIN json_each(json_array(json_extract(measurements.found, '$.columns.epoch', '$.columns.at'))) AS kept
JOIN json_each(measurements.found, '$.columns.numbers') AS outputs
JOIN json_each(outputs.value) AS numbers""",
)

_POSTGRESQL_ROWS = (
    "(places.value ->> 'epoch')::integer AS epoch, places.value -> 'at' AS at, "
    "numbers.key AS name, numbers.value::double precision AS value",
    """CROSS JOIN LATERAL json_array_elements(
    CASE WHEN json_typeof(measurements.found -> 'rows') = 'array' THEN measurements.found -> 'rows' ELSE '[]' END
) AS places(value)
CROSS JOIN LATERAL json_each_text(places.value -> 'numbers') AS numbers(key, value)""",
)


def _postgresql_value(column: str, access: str) -> str:
    """Return a row's value in a column of places."""
    each, count = f"({column} ->> 'each')::bigint", f"jsonb_array_length({column} -> 'values')"
    return f"{column} -> 'values' {access} (((numbers.position - 1) / {each}) % {count})::integer"


_POSTGRESQL_COLUMNS = (
    f"""({_postgresql_value("kept.epoch", "->>")})::integer AS epoch,
    (SELECT COALESCE(json_object_agg(place.key, {_postgresql_value("place.value", "->")}), '{{}}')
        FROM jsonb_each(kept.at) AS place(key, value)) AS at,
    outputs.key AS name, numbers.value::double precision AS value""",
    # OFFSET 0: the columns are parsed once for each measurement, not for each number.
    """CROSS JOIN LATERAL (
    SELECT (measurements.found #> '{columns,epoch}')::jsonb AS epoch,
        (measurements.found #> '{columns,at}')::jsonb AS at
    OFFSET 0
) AS kept
CROSS JOIN LATERAL jsonb_each((measurements.found #> '{columns,numbers}')::jsonb) AS outputs(key, value)
CROSS JOIN LATERAL jsonb_array_elements_text(outputs.value) WITH ORDINALITY AS numbers(value, position)""",
)


def _moment(column: str, dialect: str) -> str:
    """Return a moment as ISO 8601 in UTC."""
    if dialect == "sqlite":
        return f"strftime('%Y-%m-%dT%H:%M:%fZ', {column})"
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""


def _stage(dialect: str) -> str:
    level = "json_extract(arms.levels, '$.stage')" if dialect == "sqlite" else "arms.levels ->> 'stage'"
    return f"CASE WHEN {level} IN ('search', 'confirm') THEN {level} END"


def _column(metric: Metric, dialect: str) -> str:
    """Return the value of a metric in one trial. What is on record is shown as it is, also of a trial that diverged."""
    assert isinstance(metric.read, Expression)
    value = _sql(metric.read, dialect)
    if is_left_out_if_diverged(metric):
        return f"CASE WHEN trials.state <> 'DIVERGED' THEN {value} END"
    return value


def _sql(value: Expression, dialect: str) -> str:
    match value:
        case Recorded(Source.TELEMETRY, name):
            return _telemetry(name, dialect)
        case Recorded(Source.ARM, name):
            return f"arms.{name}"
        case Recorded(Source.TRIAL, name):
            return f"trials.{name}" if name in trials.c else f"last.{name}"
        case Computed("/", left, right):
            # As floats: SQL divides whole numbers without a rest.
            return f"(CAST({_sql(left, dialect)} AS DOUBLE PRECISION) / NULLIF({_sql(right, dialect)}, 0))"
        case Computed(sign, left, right):
            return f"({_sql(left, dialect)} {sign} {_sql(right, dialect)})"
    raise TypeError(f"{type(value).__name__} has no SQL")


def _telemetry(name: str, dialect: str) -> str:
    if dialect == "sqlite":
        path = f"trials.telemetry, '$.{name}'"
        return f"CASE WHEN json_type({path}) IN ('integer', 'real') THEN json_extract({path}) END"
    return (
        f"CASE WHEN json_typeof(trials.telemetry -> '{name}') = 'number' "
        f"THEN (trials.telemetry ->> '{name}')::double precision END"
    )
