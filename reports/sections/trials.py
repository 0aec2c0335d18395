"""Every trial: a table that reads without a script, and the columns that the script sorts, filters and pages."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from reports.findings import Findings
from reports.metrics import PRIMARY
from reports.search_numbers import search_numbers
from reports.sections.arm_settings import LONGEST_ARM, shown_name
from reports.sections.failures import INTERRUPTED, kind_of
from reports.sections.section import Section
from reports.trials import Scalar, State, Trial
from reports.wording import NOTHING, counted, duration, level, number, shortened

MOST_STATIC, FIRST_STATIC = 300, 100
"""Rows that stand in the page itself: all of up to 300 trials, and the first 100 of more, which data/trials.csv has."""
SPARK = 32
SPARK_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"


@dataclass(frozen=True)
class Heading:
    """A column: `key` is its name in a filter, `kind` how the script sorts and shows it."""

    key: str
    label: str
    kind: str


@dataclass(frozen=True)
class TrialRow:
    """One trial as the page shows it; `spark` is the path of its primary metric by epoch."""

    id: str
    cells: tuple[str, ...]
    spark: str


@dataclass(frozen=True)
class Trials:
    """The section's content; `rows` are the first of `total`."""

    headings: tuple[Heading, ...]
    rows: tuple[TrialRow, ...]
    total: int
    example: str
    summary: str


def build(findings: Findings) -> Section | None:
    """Build the table of trials; nothing without one."""
    trials = _ordered(findings)
    if not trials:
        return None
    headings = _headings(findings)
    arms = {arm.name: arm.levels for arm in findings.study.arms}
    numbers = search_numbers(findings.whole)
    values = [_values(findings, trial, arms.get(trial.arm, {}), numbers) for trial in trials]
    sparks = [sparkline(trial) for trial in trials]
    static = len(trials) if len(trials) <= MOST_STATIC else FIRST_STATIC
    rows = tuple(
        TrialRow(
            trial.id,
            tuple(_text(heading.kind, value) for heading, value in zip(headings, row, strict=True)),
            spark_path(spark),
        )
        for trial, row, spark in list(zip(trials, values, sparks, strict=True))[:static]
    )
    columns = [
        {"key": heading.key, "label": heading.label, "kind": heading.kind, **_packed(heading.kind, column)}
        for heading, column in zip(headings, zip(*values, strict=True), strict=True)
    ]
    content = Trials(headings, rows, len(trials), _example(findings), counted(len(trials), "trial"))
    arms_of_trials = _packed("text", map(shown_name(findings), (trial.arm for trial in trials)), LONGEST_ARM)
    embedded = {
        "trials": {"ids": [trial.id for trial in trials], "columns": columns, "sparks": sparks, "arms": arms_of_trials}
    }
    return Section("trials", "Trials", content, embedded=embedded)


def trials_link(levels: Mapping[str, Scalar]) -> str:
    """Return the place on the page where the table shows the trials of these levels alone; empty where none can."""
    if not levels or any(re.search(r'[\s":<>=]', name) or '"' in str(value) for name, value in levels.items()):
        return ""
    filters = (
        f'{name}="{shortened(level(value)) if isinstance(value, str) else _exact(value)}"'
        for name, value in levels.items()
    )
    return f"trials?{urlencode({'q': ' '.join(filters)})}"


def _exact(value: Scalar) -> str:
    return level(value) if isinstance(value, bool) else repr(value)


def _ordered(findings: Findings) -> list[Trial]:
    names = [arm.name for arm in findings.study.arms]
    known = set(names)
    return [trial for name in names for trial in findings.trials.get(name, ())] + [
        trial for trial in findings.study.trials if trial.arm not in known
    ]


def _headings(findings: Findings) -> tuple[Heading, ...]:
    factors = [
        Heading(name, shortened(name, 40), "number" if all(_is_number(each) for each in levels) else "text")
        for name, levels in findings.study.factors.items()
    ]
    numbers = [Heading("arm", "arm", "arm")] if search_numbers(findings.whole) else []
    return (
        *numbers,
        *factors,
        Heading("seed", "seed", "number"),
        Heading("state", "state", "text"),
        Heading(PRIMARY.name, PRIMARY.label, "error"),
        Heading("train_error", "training error, %", "error"),
        Heading("epochs", "epochs", "number"),
        Heading("seconds", "time", "time"),
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _values(findings: Findings, trial: Trial, levels: Any, numbers: Mapping[str, str]) -> tuple[Any, ...]:
    factors = [levels.get(name) for name in findings.study.factors]
    test = getattr(trial, PRIMARY.name)
    return (
        *([numbers.get(trial.arm)] if numbers else []),
        *(each if each is None or _is_number(each) else level(each) for each in factors),
        trial.seed,
        _state(findings, trial),
        *(_rounded(each) if trial.state is not State.WAITING else None for each in (test, trial.train_error)),
        trial.curve[-1].epoch if trial.curve else None,
        _rounded(trial.seconds, 1 if (trial.seconds or 0.0) < 9.95 else 0),
    )


def _state(findings: Findings, trial: Trial) -> str:
    if trial.state is State.WAITING and trial.curve:
        return INTERRUPTED
    kind = kind_of(findings, trial)
    return "ok" if kind is None else kind


def _rounded(value: float | None, digits: int = 2) -> float | None:
    """Round to what is shown: a number that is rounded twice may end one too high."""
    return None if value is None or not math.isfinite(value) else round(value, digits)


def _text(kind: str, value: Any) -> str:
    if value is None:
        return NOTHING
    if kind == "error":
        return number(value)
    if kind == "time":
        return duration(value)
    return f"{value:g}" if kind == "number" else shortened(str(value))


def _packed(kind: str, column: Iterable[Any], most: int = 60) -> dict[str, Any]:
    """Texts as indices into a list of the distinct ones; numbers as they are."""
    values = list(column)
    if kind == "number":
        return {"values": values, **_written(values)}
    if kind not in ("text", "arm"):
        return {"values": values}
    words = list(dict.fromkeys(values))
    places = {word: at for at, word in enumerate(words)}
    return {
        "words": [NOTHING if word is None else shortened(level(word), most) for word in words],
        "values": [places[value] for value in values],
    }


def _written(values: Iterable[Any]) -> dict[str, Any]:
    """Return the numbers that a script may write otherwise than the page does, such as 1e+09, each with its text."""
    texts = {value: _text("number", value) for value in dict.fromkeys(values) if value is not None}
    other = [[value, text] for value, text in texts.items() if "e" in text or text != repr(value).removesuffix(".0")]
    return {"shown": other} if other else {}


def sparkline(trial: Trial) -> str:
    """Return the primary metric by epoch in at most 32 letters of 64 steps, on one logarithmic scale up to 100 %."""
    readings = [getattr(row, PRIMARY.name) for row in trial.curve]
    errors = [each for each in readings if each is not None and math.isfinite(each)]
    if len(errors) > SPARK:
        errors = [errors[round(at * (len(errors) - 1) / (SPARK - 1))] for at in range(SPARK)]
    return "".join(
        SPARK_LETTERS[round(63 * math.log1p(min(max(each, 0.0), 100.0)) / math.log1p(100))] for each in errors
    )


def spark_path(letters: str) -> str:
    """Return the path of a sparkline 64 wide and 16 high; the page's script draws the same."""
    if len(letters) < 2:
        return ""
    heights = [15 - round(14 * SPARK_LETTERS.index(each) / 63) for each in letters]
    points = [f"{round(64 * at / (len(heights) - 1))} {height}" for at, height in enumerate(heights)]
    return "M" + "L".join(points)


def _example(findings: Findings) -> str:
    """A filter that finds something in this study."""
    parts = []
    axis = findings.layout.axis
    if axis and " " not in axis:
        parts.append(f"{axis}>={_text('number', findings.layout.positions[-1])}")
    if findings.study.trials and findings.count(State.DIVERGED):
        parts.append("state:diverged")
    else:
        parts.append(f"{PRIMARY.name}<5")
    return " ".join(parts)
