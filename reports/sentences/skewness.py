"""Where intervals may be too narrow: what stands beside every interval whose seeds are seen to be skewed or unlike."""

from collections.abc import Callable, Iterable, Sequence

from reports.analysis.badges import NARROW, SKEWED, UNLIKE
from reports.analysis.contrasts import Contrast
from reports.analysis.verdicts import Verdict
from reports.findings import Findings
from reports.wording import counted, listed, shortened

MOST_NAMES = 4


def arms(findings: Findings) -> str | None:
    """Say that intervals may be too narrow, and of which arms; nothing where no arm is seen to be skewed."""
    if findings.skewness is not None:
        return "Over the seeds the arms are skewed: the intervals may be too narrow."
    if not findings.skewed_arms:
        return None
    names = listed([shortened(each) for each in findings.skewed_arms], MOST_NAMES)
    are, them = ("is", "it") if len(findings.skewed_arms) == 1 else ("are", "them")
    return f"Over the seeds {names} {are} skewed: intervals that rest on {them} may be too narrow."


def differences(contrasts: Iterable[Contrast]) -> str | None:
    """Say how many intervals of differences may be too narrow; nothing where none is marked."""
    shown = [each for each in contrasts if each.low is not None]
    doubted = [each for each in shown if not NARROW.isdisjoint(each.badges)]
    if not doubted:
        return None
    marked, why = len(doubted), _why(doubted)
    if marked == len(shown):
        return f"The interval{'s' if marked > 1 else ''} may be too narrow: {why}."
    count = f"Of {counted(len(shown), 'interval')}, {marked:,} may be too narrow"
    return f"{count}, since {why}; tables/differences.csv marks {'it' if marked == 1 else 'them'}."


def claims(verdicts: Sequence[Verdict]) -> str | None:
    """Name the claims whose intervals may be too narrow; nothing where none is marked."""
    doubted = [each for each in verdicts if not NARROW.isdisjoint(each.badges)]
    if not doubted:
        return None
    marked = [shortened(each.id, 40) for each in doubted]
    whose = "" if len(marked) == len(verdicts) else f" of {listed(marked, MOST_NAMES)}"
    which = f"The interval{'s' if len(marked) > 1 else ''}{whose}"
    return f"{which} may be too narrow: {_why(doubted)}."


def _why(doubted: Sequence[Contrast | Verdict]) -> str:
    """Return what is seen of the seeds behind these intervals."""
    seen = {SKEWED: "the seeds are skewed", UNLIKE: "the spreads of the arms are unlike"}
    return ", or ".join(text for mark, text in seen.items() if any(mark in each.badges for each in doubted))


SENTENCES: dict[str, Callable[..., str | None]] = {
    f"skewness.{sentence.__name__}": sentence for sentence in (arms, differences, claims)
}
