"""The head of the page: what was asked, what came out in a sentence or two, and how far the study is."""

from collections.abc import Mapping
from dataclasses import dataclass

from reports.analysis.arms import ArmSummary
from reports.analysis.search import searched
from reports.findings import Findings
from reports.layout import Series
from reports.results import Scalar, State
from reports.sections.claims import anchor_of, in_words
from reports.sections.margins import ICONS
from reports.sections.section import Section
from reports.wording import counted, duration, level, listed, magnitude, moment, number, seeds, shortened, signed


@dataclass(frozen=True)
class Share:
    """A part of the trials: its name, how many, and its place on the bar in per cent."""

    name: str
    word: str
    count: int
    start: float
    width: float


@dataclass(frozen=True)
class ClaimLine:
    """A claim and its verdict in a line, with a link to its card."""

    anchor: str
    verdict: str
    icon: str
    says: str


@dataclass(frozen=True)
class Header:
    """The head's content."""

    name: str
    question: str
    brief: tuple[str, ...]
    claims: tuple[ClaimLine, ...]
    facts: tuple[tuple[str, str], ...]
    shares: tuple[Share, ...]
    progress: str
    notes: tuple[str, ...]


def build(findings: Findings) -> Section:
    """Build the header."""
    study = findings.study
    claims = tuple(
        ClaimLine(anchor_of(place, each), each.verdict.value, ICONS[each.verdict], in_words(each))
        for place, each in enumerate(findings.verdicts, start=1)
    )
    content = Header(
        study.name,
        study.question,
        _brief(findings),
        claims,
        _facts(findings),
        _shares(findings),
        _progress(findings),
        study.notes,
    )
    return Section("top", study.name, content)


def _brief(findings: Findings) -> tuple[str, ...]:
    layout = findings.layout
    for position in reversed(layout.positions):
        found = [
            (series, findings.summaries[arm.name])
            for series in layout.series
            if (arm := layout.arm(position, series)) is not None and findings.summaries[arm.name].n
        ]
        if found:
            return tuple(filter(None, (_ranking(findings, position, found), _difference(findings, found))))
    return (_unconfirmed(findings) or "No trial has a result yet.",)


def _unconfirmed(findings: Findings) -> str:
    """Say what a search saw so far, none of whose arms is confirmed; nothing before its first result."""
    arms = searched(findings.whole)
    errors = [arm.error for arm in arms if arm.error is not None]
    if not errors:
        return ""
    return (
        f"The search has tried {counted(len(arms), 'arm')}, of which the best has {number(min(errors))} % validation "
        "error; no arm is confirmed on the test set."
    )


def _ranking(findings: Findings, position: Scalar | None, found: list[tuple[Series, ArmSummary]]) -> str:
    sound = sorted((each for each in found if not _is_fail(each[1])), key=lambda each: each[1].mean or 0.0)
    failed = [each for each in found if _is_fail(each[1])]
    axis = findings.layout.axis
    where = f"At {axis} {level(position)}, " if axis and position is not None else ""
    parts = []
    if sound:
        first, summary = sound[0]
        parts.append(f"the least test error is that of {shortened(first.label, 40)}, {_error(summary)}")
    if len(sound) > 1:
        parts.append(
            "followed by " + listed([f"{shortened(one.label, 40)} with {_error(each)}" for one, each in sound[1:4]])
        )
    if len(sound) > 4:
        parts.append(f"and {counted(len(sound) - 4, 'other')}")
    text = ", ".join(parts)
    if failed:
        names = [
            f"{shortened(one.label, 40)} fails in {each.n_fail} of {counted(each.n, 'seed')}" for one, each in failed
        ]
        text += ("; " if text else "") + listed(names, 4)
    sentence = where + text + "."
    return sentence[0].upper() + sentence[1:]


def _error(summary: ArmSummary) -> str:
    spread = "" if summary.sd is None else f" ± {number(summary.sd)}"
    return f"{number(summary.mean)}{spread} % (n={summary.n_ok})"


def _is_fail(summary: ArmSummary) -> bool:
    return summary.mean is None or 2 * summary.n_fail >= summary.n


def _difference(findings: Findings, found: list[tuple[Series, ArmSummary]]) -> str:
    """The largest difference to the baseline there whose interval leaves zero out, or the largest at all."""
    known = [
        (series, each)
        for series, summary in found
        if (each := findings.contrasts.get(summary.arm.name)) is not None
        and each.estimate is not None
        and each.low is not None
        and each.high is not None
    ]
    if not known:
        return ""
    clear = [pair for pair in known if (pair[1].low or 0.0) > 0 or (pair[1].high or 0.0) < 0]
    series, contrast = max(clear or known, key=lambda pair: abs(pair[1].estimate or 0.0))
    there = " there" if findings.layout.axis else ""
    base = listed([f"{level(value)}" for factor, value in findings.study.baseline.items()])
    interval = f"{signed(contrast.low)} to {signed(contrast.high)}"
    return (
        f"Against {shortened(base, 40)}, the baseline, {shortened(series.label, 40)} changes the error{there} by "
        f"{signed(contrast.estimate)} percentage points (95 % interval {interval}, n={contrast.n})."
    )


def _facts(findings: Findings) -> tuple[tuple[str, str], ...]:
    study = findings.study
    data = study.settings.get("data")
    named = data.get("name") if isinstance(data, Mapping) else data
    params = [arm.params for arm in findings.arms if arm.params is not None]
    spent = sum(trial.seconds or 0.0 for trial in study.trials)
    factors = " × ".join(f"{len(levels)} {shortened(name, 30)}" for name, levels in study.factors.items())
    facts = [
        ("Data", shortened(str(named), 60) if named else ""),
        ("Arms", f"{len(findings.arms):,}" + (f" ({factors})" if factors and findings.arms else "")),
        ("Searched", counted(len(searched(findings.whole)), "arm") if findings.whole.search else ""),
        ("Seeds", f"{len(findings.seeds)} ({seeds(findings.seeds)})" if findings.seeds else ""),
        ("Parameters", _range(params)),
        ("Training time", duration(spent) if spent else ""),
        ("Last result", moment(findings.last_result()) if findings.last_result() else ""),
    ]
    return tuple((label, value) for label, value in facts if value)


def _range(values: list[int]) -> str:
    if not values:
        return ""
    low, high = magnitude(min(values)), magnitude(max(values))
    return low if low == high else f"{low} to {high}"


def _shares(findings: Findings) -> tuple[Share, ...]:
    fails = findings.fails()
    counts = (
        ("ok", "sound", findings.count(State.COMPLETE, State.DIVERGED) - fails),
        ("fail", "fail", fails),
        ("failed", "crashed", findings.count(State.FAILED)),
        ("pruned", "pruned", findings.count(State.PRUNED)),
        ("running", "running", findings.count(State.RUNNING)),
        ("waiting", "waiting", findings.count(State.WAITING)),
    )
    total = len(findings.asked) or 1
    made, start = [], 0.0
    for name, word, count in counts:
        if count:
            width = 100 * count / total
            made.append(Share(name, word, count, round(start, 3), round(width, 3)))
            start += width
    return tuple(made)


def _progress(findings: Findings) -> str:
    total = len(findings.asked)
    outcomes = findings.count(State.COMPLETE, State.DIVERGED)
    if not total:
        return "No trial of a confirmation is planned." if findings.whole.search else "No trial is planned."
    if outcomes == total:
        return f"All {counted(total, 'trial')} have a result."
    return f"{outcomes:,} of {counted(total, 'trial')} have a result."
