"""The view trial_results of version 9: with the gap between test and training error, and the peak of memory."""

from orchestrator.storage.migrations.views_6 import VIEWS as BEFORE

_COLUMNS = "trials.cause AS cause\n"
_GAP = "CASE WHEN trials.state <> 'DIVERGED' THEN last.test_error - last.train_error END"
_PEAK_MEMORY = {
    "sqlite": """CASE WHEN json_type(trials.telemetry, '$.peak_memory_mib') IN ('integer', 'real')
    THEN json_extract(trials.telemetry, '$.peak_memory_mib') END""",
    "postgresql": """CASE WHEN json_typeof(trials.telemetry -> 'peak_memory_mib') = 'number'
    THEN (trials.telemetry ->> 'peak_memory_mib')::double precision END""",
}


def _trial_results(dialect: str) -> str:
    more = f"{_COLUMNS.rstrip()},\n    {_GAP} AS gap,\n    {_PEAK_MEMORY[dialect]} AS peak_memory\n"
    return BEFORE[dialect]["trial_results"].replace(_COLUMNS, more)


VIEWS = {dialect: {"trial_results": _trial_results(dialect)} for dialect in BEFORE}
