"""The headline, the statistics and the main table."""

from reports.findings import Findings, find
from tests.reports import searches
from tests.reports.pairs.made import (
    FAR,
    FIVE,
    FLAT,
    LESS,
    MORE,
    NOISY,
    OPEN,
    OTHER,
    declared,
    grid,
    orphaned,
    unconfirmed,
    unsized,
    variants,
    waiting,
)
from tests.reports.pairs.pair import Pairs
from tests.reports.small import WAITING, found, near


def by_depth(step: float) -> Findings:
    """Return a grid in which a greater depth adds so many points."""
    errors = {(8, "a"): (3.0, 3.2, 2.9), (8, "b"): (3.1, 3.0, 3.3)}
    deeper = {(14, name): tuple(reversed([each + step for each in mine])) for (_, name), mine in errors.items()}
    return found(("depth", "variant"), errors | deeper)


PAIRS: Pairs = {
    "unfinished": (
        lambda: variants(a=MORE, b=(*LESS[:2], WAITING)),
        "5 of 6 trials have a result.",
        lambda: variants(a=MORE, b=LESS),
    ),
    "left_open": (
        lambda: declared("b < a", "a < b", errors={"a": MORE, "b": LESS}),
        "Both inconclusive claims have too few seeds for a t test alone.",
        lambda: declared("b < a"),
    ),
    "factor": (
        lambda: by_depth(5.0),
        "The largest share of the variance between arms is that of depth, ",
        lambda: by_depth(0.5),
    ),
    "lowest_of_all": (
        lambda: found(("depth", "variant"), {(8, "a"): LESS, (8, "b"): NOISY, (14, "a"): MORE, (14, "b"): NOISY}),
        "Of all 4 arms the lowest mean is that of a at depth 8, 3.10 ± 0.10 % (n=3).",
        lambda: found(("depth", "variant"), {(8, "a"): MORE, (8, "b"): NOISY, (14, "a"): LESS, (14, "b"): NOISY}),
    ),
    "claims": (lambda: declared("b < a", "b > a"), "Of 2 declared claims, 1 is supported and 1 is refuted.", grid),
    "no_result": (waiting, "No trial has a result yet.", lambda: variants(a=(3.0,))),
    "tried": (unconfirmed, "No arm is confirmed on the test set.", lambda: find(searches.searched())),
    "front_ends": (
        lambda: find(searches.with_sizes()),
        "The search's Pareto front of validation error and parameters has ",
        lambda: find(searches.searched()),
    ),
    "replayed": (
        lambda: find(searches.replayed(searches.configuration("tpe", 1.0), searches.configuration("late", -1.0))),
        "Against random search of equal time, tpe is worth its cost; late is not worth its cost.",
        lambda: find(searches.searched()),
    ),
    "only_arm": (
        lambda: variants(a=near(3)),
        "The only arm has a test error of 3.00 ± 0.10 % (n=3).",
        lambda: variants(a=(None, 3.0)),
    ),
    "better": (lambda: variants(a=MORE, b=LESS), "b has less error: −3.00", lambda: variants(a=NOISY, b=OTHER)),
    "worse": (lambda: variants(a=LESS, b=MORE), "b has more error: +3.00", lambda: variants(a=NOISY, b=OTHER)),
    "none_clear": (lambda: variants(a=NOISY, b=OTHER), "No difference", lambda: variants(a=MORE, b=LESS)),
    "lowest": (lambda: variants(a=MORE, b=LESS), "is that of b, 3.10", lambda: variants(a=MORE, b=(1.0, 1.1, None))),
    "one_seed": (
        lambda: variants(a=(3.0,), b=(4.0,)),
        "cannot be told what is chance",
        lambda: variants(a=MORE, b=LESS),
    ),
    "few_seeds": (
        lambda: variants(a=MORE, b=LESS),
        "no arm has rare outliers, which 3 seeds would not show",
        lambda: variants(**FIVE),
    ),
    "fails": (lambda: variants(a=MORE, b=(None, 2.0)), "b fails in 1 of 2 seeds", lambda: variants(a=MORE, b=LESS)),
    "statistics.one_seed": (
        lambda: variants(a=(3.0,), b=(4.0,)),
        "no interval or test",
        lambda: variants(a=MORE, b=LESS),
    ),
    "mean_and_spread": (lambda: variants(a=MORE, b=LESS), "± one standard", lambda: variants(a=(3.0,), b=(4.0,))),
    "survivors": (
        lambda: variants(a=MORE, b=(None, 2.0)),
        "leaves out the worst",
        lambda: variants(a=MORE, b=(None, None)),
    ),
    "every_seed_failed": (lambda: variants(a=(None, None)), "Every seed failed", lambda: variants(a=(None, 3.0))),
    "tests": (
        lambda: variants(a=MORE, b=LESS, c=NOISY),
        "covers both comparisons",
        lambda: variants(a=(3.0,), b=(4.0,)),
    ),
    "outliers": (
        lambda: declared("b < a"),
        "with 5 seeds one study in twenty shows none even where 45 % of an arm's trainings are outliers",
        lambda: variants(a=MORE, b=(None, 2.0, 3.0)),
    ),
    "skewed": (
        lambda: variants(**dict.fromkeys("abc", (3.0, 3.1, 2.9, 3.05, 2.95, 3.0, 3.02, 9.0))),
        "skewed (mean skewness 2.82 over 3 arms",
        lambda: variants(**dict.fromkeys("abc", (3.0, 3.1, 2.9, 3.05, 2.95, 3.0, 3.02, 3.15))),
    ),
    "narrow": (
        lambda: variants(a=[30 + each for each in FLAT], b=[20 + each for each in FLAT], c=FAR),
        "The seeds of these arms are skewed or unlike in spread",
        lambda: variants(a=[30 + each for each in FLAT], b=[20 + each for each in FLAT], c=FLAT),
    ),
    "sign_test": (lambda: variants(a=MORE, b=(None, 2.0, 3.0)), "a p below 0.2500", lambda: variants(a=MORE, b=LESS)),
    "fishers_test": (
        lambda: variants(a=MORE, b=(None, 2.0, 3.0)),
        "Fisher's exact p that their fail rates are equal",
        lambda: variants(a=MORE, b=LESS),
    ),
    "seeds_saved": (
        lambda: declared("b < a", seeds={"looks": [5, 8]}),
        "10 trials instead of 16, 6 saved",
        lambda: declared("b < a", errors=OPEN, seeds={"looks": [5, 8]}),
    ),
    "seeds_so_far": (
        lambda: declared("b < a", errors=OPEN, seeds={"looks": [5, 8]}),
        "so far 10 of at most 16 trials are planned, and 1 claim is undecided",
        lambda: declared("b < a", seeds={"looks": [5, 8]}),
    ),
    "table.no_result": (waiting, "No trial has a result yet", lambda: variants(a=(3.0,))),
    "table.one_seed": (lambda: variants(a=(3.0,), b=(4.0,)), "no spread", lambda: variants(a=MORE)),
    "table.mean_and_spread": (lambda: variants(a=MORE), "1 SD over the seeds (n=3", lambda: variants(a=(3.0,))),
    "table.every_seed_failed": (lambda: variants(a=(None, None)), "no arm has a mean", lambda: variants(a=(None, 3.0))),
    "table.difference": (
        lambda: variants(a=MORE, b=LESS),
        "Δ is the difference",
        lambda: variants(a=MORE, b=(None, 2.0)),
    ),
    "table.narrow": (
        lambda: variants(a=FLAT, b=FAR, c=FLAT[::-1]),
        "Over the seeds variant=b is skewed: intervals that rest on it may be too narrow.",
        lambda: variants(a=FLAT, b=FLAT[::-1]),
    ),
    "table.bold_rule": (lambda: variants(a=MORE, b=LESS), "Bold: the lowest", lambda: variants(a=MORE, b=(3.0,))),
    "table.undecided": (lambda: variants(a=NOISY, b=OTHER), "The other arm cannot", lambda: variants(a=MORE, b=LESS)),
    "table.equivalent": (
        lambda: variants(a=(5.0, 5.2, 5.1), b=(5.02, 5.21, 5.13)),
        "within 0.5 points",
        lambda: variants(a=NOISY, b=OTHER),
    ),
    "table.fail_rule": (lambda: variants(a=MORE, b=(None, 2.0)), "k of n seeds", lambda: variants(a=MORE, b=LESS)),
    "table.below_fails": (
        lambda: variants(a=MORE, b=(None, None)),
        "Below a fail rate stands its 95 % interval.",
        lambda: variants(a=MORE, b=LESS),
    ),
    "table.flops": (lambda: variants(a=MORE), "multiply-adds", lambda: unsized()),
    "table.orphans": (orphaned, "1 arm no longer in the study file", lambda: variants(a=MORE)),
}
