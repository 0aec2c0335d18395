"""What clearly differs from the baseline, as the headline says it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean

from reports.analysis.contrasts import Contrast
from reports.analysis.power import smallest_paired
from reports.analysis.threshold import ALPHA, decides
from reports.findings import Findings
from reports.metrics import PRIMARY
from reports.names import arm_names
from reports.sentences.parts import all_fail, named_baseline
from reports.wording import counted, number, p_in_words, percent, signed

LARGEST = 100
"""Points between the lowest and the highest error that there can be."""


@dataclass(frozen=True)
class Compared:
    """The comparisons that have a test, with intervals that cover all of them together, and what arms are called.

    `alpha` is their level together. A difference is clear by Holm's p; the one that is named by its interval, too.
    """

    every: tuple[Contrast, ...]
    names: Mapping[str, str]
    alpha: float

    @property
    def better(self) -> list[Contrast]:
        """Return the arms that clearly have less error, the one to be named first; nothing where none can be named."""
        return self._clear(-1)

    @property
    def worse(self) -> list[Contrast]:
        """Return the arms that clearly have more error, the one to be named first; nothing where none can be named."""
        return self._clear(1)

    def _clear(self, side: int) -> list[Contrast]:
        """Return the differences on one side, those with a clear interval first, the largest of them in front."""
        clear = [each for each in self.every if decides(each.p_holm, self.alpha) and side * _direction(each) > 0]
        ordered = sorted(clear, key=lambda each: (not _excludes_zero(each), -side * (each.estimate or 0.0)))
        return ordered if ordered and _excludes_zero(ordered[0]) else []


def _excludes_zero(contrast: Contrast) -> bool:
    return (contrast.low is not None and contrast.low > 0) or (contrast.high is not None and contrast.high < 0)


def _direction(contrast: Contrast) -> float:
    """Return a number with the sign of the difference; where fails leave no mean, by most of the seeds."""
    if contrast.estimate is not None:
        return contrast.estimate
    return float(sum((each > 0) - (each < 0) for each in contrast.differences.values()))


def compared(findings: Findings) -> Compared | None:
    """Return the comparisons with the baseline; None where none has a test."""
    return Compared(findings.corrected, arm_names(findings), findings.alpha) if findings.corrected else None


def better(findings: Findings) -> str | None:
    """Name the arm with the largest clear gain over the baseline; nothing where no gain is clear."""
    known = compared(findings)
    return _largest(findings, known, known.better, "less") if known else None


def worse(findings: Findings) -> str | None:
    """Name the arm with the largest clear loss against the baseline; nothing where none is clear."""
    known = compared(findings)
    return _largest(findings, known, known.worse, "more") if known else None


def _largest(findings: Findings, known: Compared, clear: Sequence[Contrast], side: str) -> str | None:
    """Name the first of the clear differences, which is the largest, and count the others on its side."""
    if not clear:
        return None
    first, rest = clear[0], len(clear) - 1
    others = f"; {counted(rest, 'more arm')} also {'has' if rest == 1 else 'have'} {side}" if rest else ""
    name = known.names[first.arm.name]
    return (
        f"Against the baseline{named_baseline(findings)}, {name} has {side} error: {_difference(known, first)}{others}."
    )


def none_clear(findings: Findings) -> str | None:
    """Say that no difference to the baseline is clear and which one would be; nothing where one is."""
    known = compared(findings)
    if known is None or known.better or known.worse or all_fail(findings):
        return None
    text = f"No difference in {PRIMARY.title} to the baseline{named_baseline(findings)} is clear ({_correction(known)})"
    smallest = _smallest(findings, known.alpha / len(known.every))
    if smallest is None:
        return f"{text}."
    if smallest >= LARGEST:
        return f"{text}; these seeds are too few to detect any, however large, with 80 % power."
    return f"{text}; the smallest that these seeds detect, with 80 % power, is about {number(smallest)} points."


def _smallest(findings: Findings, alpha: float) -> float | None:
    """The difference that the median number of seeds detects with 80 % power at the corrected level."""
    known = [(each.n, each.sd) for each in findings.contrasts.values() if each.sd and not each.fails]
    if not known:
        return None
    seeds = sorted(n for n, _ in known)[len(known) // 2]
    in_spreads = smallest_paired(seeds, alpha)
    return None if in_spreads is None else in_spreads * sqrt(fmean(sd**2 for _, sd in known))


def _correction(known: Compared) -> str:
    tests = len(known.every)
    if tests == 1:
        return f"one comparison, {percent(1 - known.alpha)} interval"
    least = min(each.p_holm for each in known.every if each.p_holm is not None)
    half = "" if known.alpha == ALPHA else ", as the comparisons with the lowest arm have the other half of 5 %"
    return f"{tests:,} comparisons, the smallest Holm's p {p_in_words(least)} against {percent(known.alpha)}{half}"


def _difference(known: Compared, contrast: Contrast) -> str:
    tests = len(known.every)
    low = "−∞" if contrast.low is None else signed(contrast.low)
    high = "∞" if contrast.high is None else signed(contrast.high)
    every = "" if tests == 1 else f" over {'both' if tests == 2 else f'all {tests:,}'} comparisons"
    over = f"{percent(1 - known.alpha)} interval{every}"
    fails = f", {contrast.fails} of them with a fail" if contrast.fails else ""
    size = f"{signed(contrast.estimate)} {PRIMARY.difference_unit_in_words}"
    return f"{size} ({over} {low} to {high}, n={contrast.n}{fails})"
