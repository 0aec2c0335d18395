"""How far a study is, what failed, and what moved since another report."""

from dataclasses import replace

from reports.diff import ArmChange, Differences
from reports.findings import Findings, find
from reports.trials import LostAttempt
from tests.reports.pairs.made import LESS, MORE, unconfirmed, variants, waiting
from tests.reports.pairs.pair import Pairs
from tests.reports.small import WAITING

EMPTY = Differences((), (), (), (), (), ())
SAME = ArmChange("a", 3.0, 3.0, 3, 3, 0, 0, 0.0, None, None, True)
MOVED = replace(SAME, second=4.0, difference=1.0, same=False)


def differing(**changes: object) -> Differences:
    return replace(EMPTY, **changes)


def lost() -> Findings:
    attempt = LostAttempt("t", "a", 0, "node_lost", "gone")
    return find(replace(variants(a=MORE).study, lost=(attempt,)))


PAIRS: Pairs = {
    "progress.none_planned": (unconfirmed, "No trial of a confirmation is planned.", lambda: variants(a=MORE)),
    "progress.all_done": (lambda: variants(a=MORE), "All 3 trials have a result.", lambda: variants(a=(3.0, WAITING))),
    "progress.some_done": (
        lambda: variants(a=(3.0, WAITING)),
        "1 of 2 trials have a result.",
        lambda: variants(a=MORE),
    ),
    "failures.none_failed": (
        waiting,
        "No trial failed, diverged, crashed or was pruned; 2 trials",
        lambda: variants(a=(None,)),
    ),
    "failures.some_failed": (lambda: variants(a=(None, 80.0)), "1 ended above 50 % test error and 1 diverged", waiting),
    "failures.events_caption": (
        lambda: variants(a=(None, 80.0)),
        "and the last finite loss before a divergence.",
        lambda: variants(a=(80.0, 81.0)),
    ),
    "failures.map_cut": (lambda: (30, 40), "the first 30 of 40 arms", lambda: (40, 40)),
    "failures.list_cut": (lambda: (75, 80), "the first 75 of 80 trials", lambda: (75, 75)),
    "failures.lost_attempts": (lost, "1 attempt ended without a result", lambda: variants(a=LESS)),
    "changes.moved_verdicts": (
        lambda: differing(verdicts=(("c1", "supported", "refuted"),)),
        "The verdict on c1 moved from supported to refuted.",
        lambda: EMPTY,
    ),
    "changes.changed_settings": (
        lambda: differing(settings=tuple((f"s{at}", "1", "2") for at in range(14))),
        "s0 was 1 and is 2. ",
        lambda: EMPTY,
    ),
    "changes.other_arms": (lambda: differing(removed=("b",)), "1 arm left out: b.", lambda: differing(added=("b",))),
    "changes.other_results": (
        lambda: differing(arms=(MOVED,)),
        "a: 4.00 %, before 3.00 % (+1.00, n=3).",
        lambda: differing(arms=(SAME,)),
    ),
    "changes.counts": (
        lambda: EMPTY,
        "No verdict moved.",
        lambda: differing(verdicts=(("c1", "supported", "refuted"),)),
    ),
}
