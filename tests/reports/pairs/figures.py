"""The captions of figures and tables, and the descriptions of their panels."""

from dataclasses import replace

from reports.analysis.badges import POST_HOC, SKEWED
from reports.analysis.contrasts import Contrast
from reports.analysis.factors import Anova, study_anova
from reports.analysis.measurements import View
from reports.analysis.shares import Shares
from reports.analysis.verdicts import Verdict
from reports.findings import Findings
from reports.names import arm_names
from reports.ranking import Ranking, rank
from search_spaces.drawing import UnitDrawing
from tests.reports.pairs.made import FAR, FIVE, FLAT, LESS, MORE, NOISY, OTHER, declared, grid, variants
from tests.reports.pairs.pair import Pairs
from tests.reports.small import found, near
from tests.reports.studies import description

ABOVE = (None, 80.0, 3.0)


def drawn(*, alike: bool = False, arms: int = 1) -> tuple[list[Contrast], int, dict[str, str], float]:
    others = dict.fromkeys("bcd"[:arms], OTHER if alike else LESS)
    findings = variants(a=NOISY if alike else MORE, **others)
    return [each for each in findings.contrasts.values() if each.n], arms, arm_names(findings), findings.alpha


def forest(arms: int, drawn_arms: int) -> tuple[Findings, list[Contrast], int]:
    findings = variants(a=MORE, **dict.fromkeys("bcd"[:arms], LESS))
    return findings, [each for each in findings.contrasts.values() if each.n], drawn_arms


def shares(seed_share: float | None = 0.1, interval: str | None = "seeds resampled") -> Shares:
    return Shares((), seed_share, 3, interval)


def anova(**changes: object) -> Anova:
    made = study_anova(grid(0, 0.5, 1.1).study)
    assert made is not None
    return replace(made, **changes)


def one_term() -> Anova:
    made = anova(joined={"depth": ("depth", "variant")})
    return replace(made, effects=tuple(each for each in made.effects if each.term in (("depth",), ("seed",))))


def verdicts(*says: str) -> list[Verdict]:
    return list(declared(*says, errors=FIVE).verdicts)


def ranking() -> Ranking:
    findings = variants(a=NOISY, b=OTHER, c=(90.0, 91.0, 92.0))
    made = rank(tuple(findings.summaries.values()))
    assert made is not None
    return made


def view(is_scatter: bool = False) -> View:
    return View("p", "By unit", "size", "size", "nats", False, ("unit",), ("unit", "epoch"), (False,), is_scatter, {})


def unit(shortcut: str) -> UnitDrawing:
    return UnitDrawing.from_mapping(description(20, "original", shortcut)["unit"])


def three_factors() -> tuple[Findings, tuple[str, str]]:
    errors = {(depth, name, rate): near(3) for depth in (8, 14) for name in "ab" for rate in (0.1, 0.2)}
    return found(("depth", "variant", "lr"), errors), ("depth", "variant")


def two_factors() -> tuple[Findings, tuple[str, str]]:
    return grid(0, 1), ("depth", "variant")


SQUARE = {(x, y): 1.0 for x in (0.0, 1.0) for y in (0.0, 1.0)}
WIDE = {(x, y): 1.0 for x in (0.0, 1.0, 2.0) for y in (0.0, 1.0)}


def marked(*badges: tuple[str, ...]) -> list[Verdict]:
    """Verdicts c0, c1 and on with these badges."""
    found = verdicts(*["b < a"] * len(badges))
    return [replace(each, badges=mine) for each, mine in zip(found, badges, strict=True)]


PAIRS: Pairs = {
    "skewness.arms": (
        lambda: variants(a=FLAT, b=FAR, c=FLAT[::-1]),
        "Over the seeds variant=b is skewed",
        lambda: variants(a=FLAT, b=FAR[:7], c=FLAT[::-1]),
    ),
    "skewness.differences": (
        lambda: list(variants(a=FLAT, b=FAR, c=FLAT[::-1]).contrasts.values()),
        "Of 2 intervals, 1 may be too narrow",
        lambda: list(variants(a=FLAT, b=FLAT[::-1]).contrasts.values()),
    ),
    "skewness.claims": (
        lambda: marked((SKEWED,), ()),
        "The interval of c0 may be too narrow",
        lambda: marked((POST_HOC,), ()),
    ),
    "parts.cut": (lambda: (60, 100, "settings", "study.json"), "The first 60 of 100", lambda: (60, 60, "settings", "")),
    "parts.lowest_shown": (
        lambda: (12, 25, "data/curves.csv"),
        "12 of 25 panels, those with the lowest errors",
        lambda: (12, 12, "data/curves.csv"),
    ),
    "parts.bent_axis": (lambda: True, "even up to 1 % and logarithmic above.", lambda: False),
    "parts.without_result": (lambda: (2, 8), "2 of 8 arms left out: no result.", lambda: (0, 8)),
    "table.lowest_arms": (
        lambda: (11, 25, "", True, ranking(), 0.05),
        "the 11 lowest of 25 arms, and the baseline. ",
        lambda: (24, 25, "", True, ranking(), 0.05),
    ),
    "table.lowest_to_highest": (
        lambda: [(1.0, "a"), (2.0, "b")],
        "From 1.00 % of a to 2.00 % of b.",
        lambda: [(1, "b")],
    ),
    "table.paper_difference": (
        lambda: (variants(a=MORE, b=LESS), True),
        "to the baseline (a)",
        lambda: (variants(a=MORE), False),
    ),
    "curves.lines": (
        lambda: variants(a=MORE),
        "in a band from the lowest seed to the highest",
        lambda: variants(a=(3.0,)),
    ),
    "curves.narrow": (
        lambda: variants(a=FLAT, b=FAR, c=FLAT[::-1]),
        "variant=b is skewed",
        lambda: variants(a=FLAT[:5], b=FAR[3:]),
    ),
    "curves.failed": (lambda: variants(a=ABOVE), "a cross marks where a seed", lambda: variants(a=(80.0, 3.0))),
    "curves.without_epoch": (lambda: (2, 8), "2 of 8 arms left out: no trial has ended", lambda: (0, 8)),
    "curves.drops": (lambda: ((5, 8),), "the learning rate drops (epoch 5 and 8)", lambda: ((),)),
    "curves.single_arms": (
        lambda: {"the best arm": "a", "the worst arm": "b"},
        "the best arm (a) and the worst arm (b)",
        lambda: {"the best arm": "a"},
    ),
    "curves.ends": (
        lambda: ([("a", 3.0, 1.0, 10)], ["b", "b"]),
        "a ends at 3.00 % test and 1.00 % training error after 10 epochs; 2 failed seeds of b.",
        lambda: ([("a", 3.0, 1.0, 10)], []),
    ),
    "depth.points": (lambda: ("depth", 9), "9 quantiles of the seeds", lambda: ("depth", None)),
    "depth.medians": (
        lambda: (variants(a=(None, 3.0)), True),
        "joins the medians, a diverged seed ranking last",
        lambda: (variants(a=MORE), True),
    ),
    "depth.course": (
        lambda: ("a", "depth", [(8, 3.0), (14, 4.0)], 1, 6),
        "a has a median of 3.00 % at depth 8 and of 4.00 % at 14, and diverges in 1 of 6 trials.",
        lambda: ("a", "depth", [(8, 3.0), (14, 3.001)]),
    ),
    "depth.table_caption": (lambda: "depth", "by depth.", lambda: "width"),
    "differences.forest": (
        lambda: forest(2, 2),
        "the intervals are not adjusted for their number (2 comparisons)",
        lambda: forest(1, 1),
    ),
    "differences.drawn_differences": (
        lambda: drawn(arms=2),
        "2 differences; both are clear by Holm's p at 2.5 %, by t tests of few seeds, which take it for granted",
        lambda: drawn(arms=2, alike=True),
    ),
    "differences.without_interval": (
        lambda: list(variants(a=MORE, b=tuple(each + 1 for each in MORE)).contrasts.values()),
        "1 of the differences has no interval: it is the same in every seed.",
        lambda: list(variants(a=MORE, b=LESS).contrasts.values()),
    ),
    "differences.survivors": (lambda: variants(a=ABOVE), "leave out the worst", lambda: variants(a=MORE)),
    "factors.no_shares": (
        lambda: "an arm has fails",
        "No shares of the variance are given, since an arm",
        lambda: None,
    ),
    "factors.shares": (shares, "(n=3)", lambda: replace(shares(), n=5)),
    "factors.share_intervals": (shares, "Intervals at 95 %, seeds resampled.", lambda: shares(interval=None)),
    "factors.seed_share": (
        shares,
        "seed and residual together, is 10.0 % of the variance",
        lambda: shares(seed_share=None),
    ),
    "factors.largest_share": (
        lambda: [("depth", 70.0, 60.0, 80.0), ("variant", 30.0, 20.0, 40.0)],
        "its interval lies above those of all others",
        lambda: [("depth", 70.0, 60.0, 80.0), ("variant", 55.0, 20.0, 61.0)],
    ),
    "factors.anova": (lambda: anova(ranked=True), "ranks of the test error, a fail last", anova),
    "factors.of_ranks": (lambda: anova(failed=("a",)), "Seeds fail in 1 arm: a.", anova),
    "factors.joined": (lambda: anova(joined={"x": ("depth", "lr")}), "depth and lr do not vary apart", anova),
    "factors.one_test": (one_term, "It is one test of whether the arms differ at all", anova),
    "factors.dropped": (lambda: anova(dropped=(("depth",),)), "cannot estimate depth.", anova),
    "factors.error_terms": (lambda: anova(error_terms=(("depth", "lr"),)), "depth × lr stands in for the error", anova),
    "factors.interaction": (three_factors, "averaged over lr; of all pairs", two_factors),
    "factors.means": (lambda: ("a", [("8", 3.0)]), "a: 3.00 % at 8.", lambda: ("a", [("14", 3.0)])),
    "factors.cut_at_zero": (lambda: [-0.2, 1.0], "1 interval cut at 0, below which it goes on.", lambda: [0.0, 1.0]),
    "factors.interaction_table": (
        lambda: (("depth", "variant"),),
        "by depth and variant",
        lambda: (("variant", "depth"),),
    ),
    "claims.judged": (
        lambda: ("1 claim: 1 inconclusive", declared("b < a", errors={"a": ABOVE, "b": LESS}).verdicts),
        "against its margin; where seeds fail, or the claim asks for it, by an exact sign test.",
        lambda: ("2 claims: 2 supported", verdicts("b < a", "b > a")),
    ),
    "claims.table_on_page": (
        lambda: verdicts("b < a", "b > a"),
        "p is corrected for the other claims (by Holm).",
        lambda: verdicts("b < a"),
    ),
    "claims.marks": (
        lambda: verdicts("b < a", "b > a"),
        "Marks: assumes no rare outliers (all).",
        lambda: [replace(each, badges=()) for each in verdicts("b < a")],
    ),
    "claims.intervals": (
        lambda: (0, (0.95, 0.9667)),
        "its interval at 95 and 96.67 %, the level of its look; the bar across",
        lambda: (0, (0.95,)),
    ),
    "claims.further": (lambda: (1, "fail rates"), "The claims about fail rates", lambda: (0, "fail rates")),
    "claims.left_open": (
        lambda: verdicts("b < a", "b > a"),
        "Holm's correction over the claims may leave open what an interval alone would decide.",
        lambda: verdicts("b < a"),
    ),
    "claims.so_far": (
        lambda: ((3, 6), (9, 26)),
        "Those with a result: 3 of 6 claims and 9 of 26 contexts.",
        lambda: ((6, 6), (26, 26)),
    ),
    "claims.first_contexts": (lambda: (40, 50), "The first 40 of 50 contexts.", lambda: (40, 40)),
    "claims.deciding": (
        lambda: (3, 4, "those in points", True, False),
        "3 of 4 claims, those in points, each in the context on which its verdict turns",
        lambda: (3, 4, "those in points", True, True),
    ),
    "claims.against_margin": (
        lambda: ("c", "depth 8", "1.00", "0.5", "supported"),
        "c at depth 8: 1.00 against a margin of 0.5, supported.",
        lambda: ("c", "", "1.00", "0.5", "supported"),
    ),
    "claims.by_context": (lambda: "points", "in points", lambda: "images a second"),
    "cost.axes": (lambda: (("flops", "seconds"),), "size and mean training time", lambda: (("seconds",),)),
    "cost.marks": (
        lambda: ([1, 2], ["unit"]),
        "The line joins the arms on the Pareto front",
        lambda: ([1, 1], ["unit"]),
    ),
    "cost.probability": (
        lambda: (variants(a=MORE), True),
        "leave open of its mean error and its mean time.",
        lambda: (variants(a=MORE), False),
    ),
    "cost.left_out": (lambda: (["a"],), "1 arm with fails left out", lambda: ([],)),
    "cost.front": (
        lambda: ("parameters", [("a", 3.0), ("b", 2.0)]),
        "from the smallest: a with 3.00 % and b with 2.00 %.",
        lambda: ("parameters", [("b", 2.0)]),
    ),
    "mechanism.diverged": (lambda: 2, "2 trials diverged; diverged networks are not measured.", lambda: 0),
    "mechanism.lacking": (lambda: 2, "2 complete trials without some", lambda: 0),
    "mechanism.refused": (lambda: ("a", "no units"), 'Not measured in "a": no units.', lambda: ("b", "no units")),
    "mechanism.lines": (
        lambda: (view(), 3),
        "the line is the median over 3 seeds, the band goes",
        lambda: (view(is_scatter=True), 3),
    ),
    "mechanism.unchanged": (
        lambda: ([("a", 3.0), ("b", 4.0)], 1),
        "median: a 3.00 %, and 1 more arm.",
        lambda: ([], 1),
    ),
    "mechanism.maps": (lambda: (view(), True), "of the first seed of each arm", lambda: (view(), False)),
    "mechanism.beyond_scale": (lambda: (10.0, 5.0), "All values above 5 have", lambda: (5.0, 5.0)),
    "mechanism.reliefs": (view, "By unit in three dimensions: size", lambda: replace(view(), title="Else")),
    "mechanism.measured_at": (lambda: ([SQUARE, WIDE],), "at 2 × 2 or 3 × 2 points", lambda: ([SQUARE],)),
    "mechanism.ends": (
        lambda: ("a", "epoch", [(0, 1.0), (2, 4.0)]),
        "a: 1 at epoch 0, 4 at 2.",
        lambda: ("a", "epoch", [(0, 1.0)]),
    ),
    "mechanism.extremes": (lambda: [3.0, 1.0, 2.0], "From 1 to 3.", lambda: [3.0, 2.0]),
    "mechanism.middle_and_edge": (lambda: (1.0, 2.0, 3.0), "1 in the middle, 2 to 3", lambda: (None, 2.0, 3.0)),
    "mechanism.medians_table": (view, "By unit: the medians.", lambda: replace(view(), title="Else")),
    "mechanism.scalars_table": (lambda: "A probe", "A probe by arm.", lambda: "Another"),
    "networks.units": (lambda: ([unit("identity")],), "The unit that each network repeats", lambda: ([],)),
    "networks.outlines": (
        lambda: ([unit("conv1x1")],),
        "Heavy outlines mark",
        lambda: ([unit("identity"), unit("none")],),
    ),
    "networks.shared": (
        lambda: (["a and b"], True),
        "Arms that share a drawing: a and b.",
        lambda: (["a and b"], False),
    ),
    "networks.more_units": (lambda: 2, "2 more units told in words in tables/units.csv.", lambda: 0),
    "networks.more_networks": (lambda: 2, "2 more networks in the table of all arms", lambda: 0),
    "networks.unit": (lambda: ("3×3 conv, add.", "a"), "3×3 conv, add. In a.", lambda: ("3×3 conv, add.", "b")),
}
