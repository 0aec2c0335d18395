"""The head of the page: what was asked, what came out in a sentence or two, and how far the study is."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.analysis.arms import ArmSummary
from reports.analysis.search import searched
from reports.findings import Findings
from reports.layout import name_levels
from reports.results import Arm, State
from reports.sections.claims import anchor_of, in_words
from reports.sections.margins import ICONS
from reports.sections.section import Section
from reports.wording import counted, duration, listed, magnitude, moment, number, seeds, shortened, signed

LONGEST_NAME = 120
SHORT_NAME = 40
MOST_NAMED = 4


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
    where, arms = _ranked(findings)
    found = [summary for arm in arms if (summary := findings.summaries[arm.name]).n]
    if not found:
        return (_unconfirmed(findings) or "No trial has a result yet.",)
    names = _names(arms)
    first = _ranking(where, found, names) if len(found) > 1 else _alone(found[0], names)
    return tuple(filter(None, (first, _difference(findings, where, found, names))))


def _ranked(findings: Findings) -> tuple[str, tuple[Arm, ...]]:
    """Which arms are ranked, and where they stand: the last level of the axis with several results, or "" for all.

    All arms are ranked where few lines run along the axis, or a single one reaches its end.
    """
    layout = findings.layout
    if layout.axis and layout.runs_along_axis() and len(layout.arms_at(layout.positions[-1])) > 1:
        for position in reversed(layout.positions):
            arms = layout.arms_at(position)
            if sum(findings.summaries[arm.name].n > 0 for arm in arms) > 1:
                return shortened(name_levels([(layout.axis, position)]), SHORT_NAME), arms
    return "", findings.arms


def _names(arms: Sequence[Arm]) -> dict[str, str]:
    """Name each arm by the levels in which these arms differ, in full where shortened names would be the same."""
    factors = dict.fromkeys(factor for arm in arms for factor in arm.levels)
    varying = [factor for factor in factors if len({arm.levels.get(factor) for arm in arms}) > 1]
    names = {
        arm.name: name_levels((factor, arm.levels[factor]) for factor in varying if factor in arm.levels) or arm.name
        for arm in arms
    }
    short = {arm: shortened(name, LONGEST_NAME) for arm, name in names.items()}
    is_plain = len(set(short.values())) == len(short)
    return short if is_plain else {arm: shortened(name, len(name)) for arm, name in names.items()}


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


def _alone(summary: ArmSummary, names: Mapping[str, str]) -> str:
    """Say what the only arm with a result has."""
    name = "The only arm" if len(names) == 1 else f"The only arm with a result so far, {names[summary.arm.name]},"
    if summary.n_fail:
        return f"{name} {_fails(summary)}."
    return f"{name} has a test error of {_error(summary)}."


def _ranking(where: str, found: list[ArmSummary], names: Mapping[str, str]) -> str:
    """Rank the arms without a fail, then name the others with their fails: survivors flatter an arm."""
    most = MOST_NAMED if all(len(name) <= SHORT_NAME for name in names.values()) else 2
    sound = sorted((each for each in found if not each.n_fail), key=lambda each: each.mean or 0.0)
    failing = sorted(
        (each for each in found if each.n_fail), key=lambda each: (each.fail_rate or 0.0, each.mean or 0.0)
    )
    parts = []
    if sound:
        parts.append(_least(sound, failing, names))
    if len(sound) > 1:
        parts.append("followed by " + listed(f"{names[each.arm.name]} with {_error(each)}" for each in sound[1:most]))
    if len(sound) > most:
        parts.append(f"and {counted(len(sound) - most, 'other')}")
    fails = listed((f"{names[each.arm.name]} {_fails(each)}" for each in failing), most) if failing else ""
    text = "; ".join(filter(None, (", ".join(parts), fails)))
    if where:
        return f"At {where}, {text}."
    return f"{text[0].upper()}{text[1:]}." if sound else f"{text}."


def _least(sound: list[ArmSummary], failing: list[ArmSummary], names: Mapping[str, str]) -> str:
    first = f"{names[sound[0].arm.name]}, {_error(sound[0])}"
    if all(map(_is_fail, failing)):
        return f"the least test error is that of {first}"
    if len(sound) == 1:
        return f"the only arm without a fail is {first}"
    return f"the least test error of the arms without a fail is that of {first}"


def _error(summary: ArmSummary) -> str:
    return f"{_mean(summary)} (n={summary.n_ok})"


def _mean(summary: ArmSummary) -> str:
    spread = "" if summary.sd is None else f" ± {number(summary.sd)}"
    return f"{number(summary.mean)}{spread} %"


def _fails(summary: ArmSummary) -> str:
    text = f"fails in {summary.n_fail} of {counted(summary.n, 'seed')}"
    return text if _is_fail(summary) else f"{text} ({_mean(summary)} in the other {summary.n_ok})"


def _is_fail(summary: ArmSummary) -> bool:
    """Whether so many seeds failed that no mean is given."""
    return summary.mean is None or 2 * summary.n_fail >= summary.n


def _difference(findings: Findings, where: str, found: list[ArmSummary], names: Mapping[str, str]) -> str:
    """The largest difference to the baseline there whose interval leaves zero out, or the largest at all."""
    known = [
        each
        for summary in found
        if (each := findings.contrasts.get(summary.arm.name)) is not None
        and each.estimate is not None
        and each.low is not None
        and each.high is not None
    ]
    if not known:
        return ""
    clear = [each for each in known if (each.low or 0.0) > 0 or (each.high or 0.0) < 0]
    largest = max(clear or known, key=lambda each: abs(each.estimate or 0.0))
    there = " there" if where else ""
    fails = f", {largest.fails} of them with a fail" if largest.fails else ""
    interval = f"{signed(largest.low)} to {signed(largest.high)}"
    return (
        f"Against {_baseline(findings)}, {names[largest.arm.name]} changes the error{there} by "
        f"{signed(largest.estimate)} percentage points (95 % interval {interval}, n={largest.n}{fails})."
    )


def _baseline(findings: Findings) -> str:
    """The baseline by its levels of the factors that vary, where they are short enough for a sentence."""
    study = findings.study
    name = name_levels((key, value) for key, value in study.baseline.items() if len(study.factors.get(key, ())) > 1)
    return f"{shortened(name, SHORT_NAME)}, the baseline" if 0 < len(name) <= SHORT_NAME else "the baseline"


def _facts(findings: Findings) -> tuple[tuple[str, str], ...]:
    study = findings.study
    data = study.settings.get("data")
    named = data.get("name") if isinstance(data, Mapping) else data
    params = [arm.params for arm in findings.arms if arm.params is not None]
    spent = sum(trial.seconds or 0.0 for trial in findings.whole.trials)
    facts = [
        ("Data", shortened(str(named), 60) if named else ""),
        ("Arms", f"{len(findings.arms):,}{_product(findings)}"),
        ("Searched", counted(len(searched(findings.whole)), "arm") if findings.whole.search else ""),
        ("Seeds", f"{len(findings.seeds)} ({seeds(findings.seeds)})" if findings.seeds else ""),
        ("Parameters", _range(params)),
        ("Training time", duration(spent) if spent else ""),
        ("Last result", moment(findings.last_result()) if findings.last_result() else ""),
    ]
    return tuple((label, value) for label, value in facts if value)


def _product(findings: Findings) -> str:
    """Say of which factors the arms are all combinations; nothing where they are but some."""
    factors = findings.study.factors
    if not findings.arms or not factors or math.prod(map(len, factors.values())) != len(findings.arms):
        return ""
    return f" ({' × '.join(f'{len(levels)} {shortened(name, 30)}' for name, levels in factors.items())})"


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
