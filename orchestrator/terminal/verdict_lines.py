"""A verdict in two lines of a terminal: the claim, its effect with the interval, the seeds; the page says the rest."""

from reports.analysis.badges import POST_HOC
from reports.analysis.claims import Claim
from reports.analysis.verdicts import Verdict
from reports.analysis.wording import NO_READING
from reports.wording import MINUS, amount, counted, shortened

LINES = 2
WIDTH = 80
"""Columns of a terminal that is not narrower; a file or a pipe counts as one of these."""
ID_WIDTH = 40


def verdict_line(verdict: Verdict, width: int = WIDTH) -> str:
    """Return verdict, claim id, effect with its interval, n and badges, in two lines of `width` at most."""
    most = LINES * min(width, WIDTH)
    name = shortened(verdict.id, ID_WIDTH)
    short = f"{verdict.word:12}  {name}: {_finding(verdict)}"
    whole = f"{short}{_context(verdict)}"
    badges = sorted(verdict.badges, key=lambda badge: badge != POST_HOC)
    for text in dict.fromkeys((whole, short)) if badges else ():
        for shown in range(len(badges), 0, -1):
            more = [f"{len(badges) - shown} more on the page"] if shown < len(badges) else []
            if len(marked := f"{text} [{', '.join([*badges[:shown], *more])}]") <= most:
                return marked
    marks = f" [{POST_HOC}]" if POST_HOC in badges else ""
    return f"{whole}{marks}" if len(whole) + len(marks) <= most else f"{whole[: most - 1 - len(marks)]}…{marks}"


def _finding(verdict: Verdict) -> str:
    claim, unit = verdict.claim, f" {verdict.claim.unit}" if verdict.claim.unit else ""
    fails = f", {counted(verdict.fails, 'fail')}" if verdict.fails else ""
    if not verdict.contexts:
        return "the study has no arms that it speaks of"
    if not verdict.n:
        return "no result yet (n=0)" if verdict.waiting else NO_READING[:1].lower() + NO_READING[1:]
    if claim.statement.relation == "fails":
        return f"{verdict.fails} of {counted(verdict.n, 'seed')} fail{_interval(verdict)} (n={verdict.n})"
    if verdict.estimate is None:
        return f"no mean (n={verdict.n}{fails})"
    return f"{_effect(claim)} {_number(verdict.estimate)}{unit}{_interval(verdict)} (n={verdict.n}{fails})"


def _effect(claim: Claim) -> str:
    said = claim.statement
    if said.along is not None:
        return "lead grows by" if said.relation == "increases" else "lead shrinks by"
    if said.value is not None:
        return "distance"
    return "difference" if said.relation == "==" else "effect"


def _interval(verdict: Verdict) -> str:
    if verdict.low is None and verdict.high is None:
        return ""
    return f", {100 * verdict.level:.4g}% interval {_number(verdict.low)} to {_number(verdict.high)}"


def _context(verdict: Verdict) -> str:
    count = len(verdict.contexts)
    if count < 2 or verdict.claim.over == "average":
        return ""
    return (
        f", in one of {count} contexts so far"
        if verdict.is_pending
        else f", in the one of {count} contexts on which it turns"
    )


def _number(value: float | None) -> str:
    return "open" if value is None else amount(value).replace(MINUS, "-").replace("\N{NO-BREAK SPACE}", " ")
