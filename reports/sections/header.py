"""The head of the page: what was asked, what came out in a sentence or two, and how far the study is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from reports.analysis.verdicts import Verdict
from reports.findings import Findings
from reports.metrics import PRIMARY, find_metric
from reports.sections.claims import MOST_CLAIMS, anchor_of, first_claims, in_words
from reports.sections.margins import icon_of
from reports.sections.section import Section
from reports.sentences import said
from reports.sentences.headline import headline
from reports.sentences.progress import PROGRESS, training_time
from reports.sentences.search import searched_arms
from reports.trials import State
from reports.wording import magnitude, moment, seeds, shortened

LONGEST_CLAIM = 160
"""Letters of a claim there; its own row has it whole."""


@dataclass(frozen=True)
class BarSegment:
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
    shares: tuple[BarSegment, ...]
    progress: str
    is_missing: bool
    latest: str
    more_claims: int
    notes: tuple[str, ...]


def build(findings: Findings) -> Section:
    """Build the header."""
    study = findings.study
    claims = tuple(
        ClaimLine(anchor_of(place, each), each.word, icon_of(each), _cut(_told(findings, each)))
        for place, each in enumerate(findings.verdicts, start=1)
    )
    progress = said(findings, PROGRESS)
    content = Header(
        study.name,
        study.question,
        tuple(sentence for sentence in headline(findings) if sentence != progress),
        tuple(claims[place] for place in first_claims(findings.verdicts)),
        _facts(findings),
        _shares(findings),
        progress,
        _is_missing(findings),
        latest.isoformat() if (latest := findings.last_result()) else "",
        max(0, len(claims) - MOST_CLAIMS),
        study.user_notes,
    )
    return Section("top", study.name, content)


def _is_missing(findings: Findings) -> bool:
    """Whether trials have yet to end, or there is none; a replay plans none that are not on record."""
    if not findings.asked:
        return not findings.whole.is_replay
    return findings.count(State.COMPLETE, State.DIVERGED) < len(findings.asked)


def _told(findings: Findings, verdict: Verdict) -> str:
    """Return the claim's title, with its metric where it is not the measure of the study; or its sentence."""
    claim = verdict.claim
    if claim.title is None or claim.metric == PRIMARY.name:
        return claim.title or in_words(verdict)
    return f"{claim.title} ({find_metric(claim.metric, findings.study.metrics).title})"


def _cut(claim: str) -> str:
    return claim if len(claim) <= LONGEST_CLAIM else shortened(claim, LONGEST_CLAIM)


def _facts(findings: Findings) -> tuple[tuple[str, str], ...]:
    study = findings.study
    data = study.settings.get("data")
    named = data.get("name") if isinstance(data, Mapping) else data
    params = [arm.params for arm in findings.arms if arm.params is not None]
    facts = [
        ("Data", shortened(str(named), 60) if named else ""),
        ("Searched", searched_arms(findings.whole) or ""),
        ("Confirmed arms" if findings.whole.search else "Arms", _arms(findings)),
        ("Their trials" if findings.whole.search else "Trials", _trials(findings)),
        ("Seeds", _seeds(findings)),
        ("Parameters", _range(params)),
        ("Training time", training_time(findings) or ""),
        ("Last result", moment(findings.last_result()) if findings.last_result() else ""),
    ]
    return tuple((label, value) for label, value in facts if value)


def _arms(findings: Findings) -> str:
    return f"{len(findings.arms):,}{_product(findings)}" if findings.arms or not findings.whole.search else ""


def _trials(findings: Findings) -> str:
    return f"{len(findings.asked):,}{_failed(findings)}" if findings.asked else ""


def _seeds(findings: Findings) -> str:
    """How many seeds an arm has, and which all arms have together."""
    if not findings.seeds:
        return ""
    fewest = min((count for arm in findings.arms if (count := len(findings.trials.get(arm.name, ())))), default=0)
    most = len(findings.seeds)
    return f"{f'{fewest} to {most} an arm' if 0 < fewest < most else most} ({seeds(findings.seeds)})"


def _failed(findings: Findings) -> str:
    fails = findings.fails()
    return f", {fails:,} fail" if fails else ""


def _product(findings: Findings) -> str:
    """Say of which factors the arms are all combinations; nothing where they are but some, or of one."""
    factors = {name: levels for name, levels in findings.study.factors.items() if len(levels) > 1}
    if not findings.arms or len(factors) < 2 or math.prod(map(len, factors.values())) != len(findings.arms):
        return ""
    return f" ({' × '.join(f'{len(levels)} {shortened(name, 30)}' for name, levels in factors.items())})"


def _range(values: list[int]) -> str:
    if not values:
        return ""
    low, high = magnitude(min(values)), magnitude(max(values))
    return low if low == high else f"{low} to {high}"


def _shares(findings: Findings) -> tuple[BarSegment, ...]:
    fails = findings.fails()
    counts = (
        ("ok", "ok", findings.count(State.COMPLETE, State.DIVERGED) - fails),
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
            made.append(BarSegment(name, word, count, round(start, 3), round(width, 3)))
            start += width
    return tuple(made)
