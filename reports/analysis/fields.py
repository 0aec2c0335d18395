"""What a study file may say of a claim and of the analysis: every key with its form, bounds, unit and meaning."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from search_spaces.annotations import About, Length, Number, Pattern, Range, Words

TESTS = ("paired", "pooled", "welch", "sign")
FAMILIES = ("holm", "none")
MOST_SEEDS = 100_000
LEAST_ALPHA = 1e-9
"""Below it the quantiles of Student's t are no longer exact, and far below there are none."""
LARGEST = 1_000_000_000
"""No margin and no standard deviation is larger, in the unit of any metric."""
LookCounts = Annotated[list[Annotated[int, Range(3, MOST_SEEDS)]], Length(1)]
SOME_TEXT = Pattern(r"[\s\S]*\S[\s\S]*", "text that is not empty")


@dataclass(frozen=True, kw_only=True)
class PaperFields:
    """The published figure that a claim with a number is about."""

    sd: Annotated[
        Number | None, Range(0, LARGEST, open_low=True), About("its standard deviation", "units of the metric")
    ] = None
    n: Annotated[int | None, Range(1, MOST_SEEDS), About("the number of runs behind it")] = None
    ref: Annotated[Any, About("where it is published")] = None
    statistic: Annotated[str | None, About("what it is: mean, single, or the median or best of so many runs")] = None


@dataclass(frozen=True, kw_only=True)
class ClaimFields:
    """A sentence about arms that becomes a verdict."""

    id: Annotated[str, SOME_TEXT, About("a short name of its own", example="id: preact-better")]
    says: Annotated[str, SOME_TEXT, About("the sentence", example="says: preact < original")]
    title: Annotated[
        str | None, SOME_TEXT, About("what the report calls it", example="title: Pre-activation helps at depth 110")
    ] = None
    where: Annotated[
        str | None, SOME_TEXT, About("the levels of other factors for which it is said", example="where: depth >= 110")
    ] = None
    by: Annotated[
        Number | None, Range(0, LARGEST), About("the difference that is claimed at least", "units of the metric")
    ] = None
    within: Annotated[
        Number | None, Range(0, LARGEST, open_low=True), About("how far apart equals may be", "units of the metric")
    ] = None
    over: Annotated[
        Literal["every", "average", "any"], About("in which contexts, the levels of the other factors, it must hold")
    ] = "every"
    rate: Annotated[str | None, About("a sign and the share of seeds that fail", example="rate: '> 0.5'")] = None
    test: Annotated[str | None, Words(TESTS), About("the test, where it is not the study's own")] = None
    metric: Annotated[str | None, About("what the arms are judged by: a metric of trials or of a probe")] = None
    paper: Annotated[PaperFields | None, About("the published figure")] = None


@dataclass(frozen=True, kw_only=True)
class AnalysisFields:
    """How the claims are judged."""

    alpha: Annotated[
        Number, Range(LEAST_ALPHA, 1, open_high=True), About("two-sided error rate of the whole family of claims")
    ] = 0.05
    family: Annotated[str, Words(FAMILIES), About("the correction for several claims")] = "holm"
    looks: Annotated[
        LookCounts | None,
        About("numbers of seeds at which claims are judged; those of `seeds` by default", "seeds"),
    ] = None
    power: Annotated[Number, Range(0, 1, open_low=True, open_high=True), About("what enough seeds means")] = 0.8
    futility: Annotated[
        Number, Range(0, 1, open_high=True), About("the probability of a decision below which no seeds are added")
    ] = 0.1
    test: Annotated[str, Words(TESTS), About("the test of differences between arms")] = "paired"
    equivalent_within: Annotated[
        Number,
        Range(0, LARGEST, open_low=True),
        About("the difference up to which the main table may call two arms equivalent", "percentage points"),
    ] = 0.5
