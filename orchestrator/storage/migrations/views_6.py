"""The views of version 6: each trial with its id, moments as ISO 8601 in UTC, and marks for orphans and stages."""

_PLANNED = """
FROM arm_trials
JOIN arms ON arms.id = arm_trials.arm
JOIN studies ON studies.id = arms.study
JOIN trials ON trials.id = arm_trials.trial
"""


def _sqlite_moment(column: str) -> str:
    return f"strftime('%Y-%m-%dT%H:%M:%fZ', {column})"


def _postgresql_moment(column: str) -> str:
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""


def _views(dialect: str) -> dict[str, str]:
    moment = _sqlite_moment if dialect == "sqlite" else _postgresql_moment
    level = "json_extract(arms.levels, '$.stage')" if dialect == "sqlite" else "arms.levels ->> 'stage'"
    stage = f"CASE WHEN {level} IN ('search', 'confirm') THEN {level} END"
    return {
        "trial_results": f"""
SELECT studies.name AS study, arms.name AS arm, trials.seed AS seed, trials.state AS state, trials.reason AS reason,
    trials.epochs AS epochs, last.test_error AS test_error, last.train_error AS train_error,
    last.test_loss AS test_loss, last.train_loss AS train_loss, arms.params AS params, arms.flops AS flops,
    trials.seconds AS seconds, trials.images_per_second AS images_per_second, trials.device AS device,
    trials.host AS host, {moment("trials.started_at")} AS started_at, {moment("trials.finished_at")} AS finished_at,
    arms.levels AS factors, trials.id AS trial, arms.orphaned AS orphaned, {stage} AS stage,
    last.val_error AS val_error, last.val_loss AS val_loss, trials.cause AS cause
{_PLANNED}
LEFT JOIN epochs AS last ON last.trial = trials.id AND last.epoch = trials.epochs
WHERE NOT arm_trials.orphaned
""",
        "verdict_results": f"""
SELECT studies.name AS study, verdicts.claim AS claim, verdicts.says AS says, verdicts.verdict AS verdict,
    verdicts.estimate AS estimate, verdicts.low AS low, verdicts.high AS high, verdicts.margin AS margin,
    verdicts.n AS n, verdicts.p AS p, {moment("verdicts.decided_at")} AS decided_at
FROM verdicts
JOIN studies ON studies.id = verdicts.study
""",
        "curves": f"""
SELECT studies.name AS study, arms.name AS arm, trials.seed AS seed, epochs.epoch AS epoch,
    epochs.train_loss AS train_loss, epochs.train_error AS train_error, epochs.test_loss AS test_loss,
    epochs.test_error AS test_error, epochs.lr AS lr, epochs.seconds AS seconds, trials.id AS trial,
    arms.orphaned AS orphaned, {stage} AS stage, epochs.val_error AS val_error, epochs.val_loss AS val_loss
{_PLANNED}
JOIN epochs ON epochs.trial = trials.id
WHERE NOT arm_trials.orphaned
""",
    }


VIEWS = {dialect: _views(dialect) for dialect in ("sqlite", "postgresql")}
