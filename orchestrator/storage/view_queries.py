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
    columns, rows = {
        "sqlite": (
            "json_extract(places.value, '$.epoch') AS epoch, json_extract(places.value, '$.at') AS at, "
            "numbers.key AS name, numbers.value AS value",
            """JOIN json_each(measurements.found, '$.rows') AS places
JOIN json_each(places.value, '$.numbers') AS numbers""",
        ),
        "postgresql": (
            "(places.value ->> 'epoch')::integer AS epoch, places.value -> 'at' AS at, "
            "numbers.key AS name, numbers.value::double precision AS value",
            """CROSS JOIN LATERAL json_array_elements(
    CASE WHEN json_typeof(measurements.found -> 'rows') = 'array' THEN measurements.found -> 'rows' ELSE '[]' END
) AS places(value)
CROSS JOIN LATERAL json_each_text(places.value -> 'numbers') AS numbers(key, value)""",
        ),
    }[dialect]
    return f"""
SELECT studies.name AS study, arms.name AS arm, trials.seed AS seed, measurements.kind AS kind,
    measurements.settings AS settings, {columns}
{_PLANNED}
JOIN measurements ON measurements.trial = trials.id
{rows}
WHERE NOT arm_trials.orphaned
"""


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
    if isinstance(metric.read, Computed) and metric.diverged is Diverged.NO_READING:
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
