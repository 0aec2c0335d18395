"""The view of version 5: measurements, a row for each number, in the words of each database."""

_COLUMNS = "studies.name AS study, arms.name AS arm, trials.seed AS seed, measurements.kind AS kind"
_PLANNED = """
FROM arm_trials
JOIN arms ON arms.id = arm_trials.arm
JOIN studies ON studies.id = arms.study
JOIN trials ON trials.id = arm_trials.trial
JOIN measurements ON measurements.trial = trials.id
"""

VIEWS = {
    "sqlite": {
        "measurement_results": f"""
SELECT {_COLUMNS}, measurements.settings AS settings, json_extract(rows.value, '$.epoch') AS epoch,
    json_extract(rows.value, '$.at') AS at, numbers.key AS name, numbers.value AS value
{_PLANNED}
JOIN json_each(measurements.found, '$.rows') AS rows
JOIN json_each(rows.value, '$.numbers') AS numbers
WHERE NOT arm_trials.orphaned
""",
    },
    "postgresql": {
        "measurement_results": f"""
SELECT {_COLUMNS}, measurements.settings AS settings, (places.value ->> 'epoch')::integer AS epoch,
    places.value -> 'at' AS at, numbers.key AS name, numbers.value::double precision AS value
{_PLANNED}
CROSS JOIN LATERAL json_array_elements(
    CASE WHEN json_typeof(measurements.found -> 'rows') = 'array' THEN measurements.found -> 'rows' ELSE '[]' END
) AS places(value)
CROSS JOIN LATERAL json_each_text(places.value -> 'numbers') AS numbers(key, value)
WHERE NOT arm_trials.orphaned
""",
    },
}
