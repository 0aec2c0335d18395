"""The sections on a search, its confirmation, and the samplers that were replayed."""

from dataclasses import replace

from reports.analysis.badges import SKEWED
from reports.analysis.samplers import SamplerComparison, comparison
from reports.findings import find
from reports.results import Study
from reports.sentences.confirmation import ConfirmationFacts, confirmation_facts
from reports.trials import State, Trial
from tests.reports import searches, studies
from tests.reports.pairs.pair import Pairs


def with_proposals(**changes: object) -> Study:
    """The search with facts of its first proposal changed."""
    whole = searches.searched()
    first, *rest = whole.search["proposals"]["search"]
    proposals = {**whole.search["proposals"], "search": [{**first, **changes}, *rest]}
    return replace(whole, search={**whole.search, "proposals": proposals})


def without_control() -> Study:
    whole = searches.searched()
    proposals = {**whole.search["proposals"], "control": []}
    return replace(whole, search={**whole.search, "proposals": proposals})


def one_diverged() -> Study:
    whole = searches.searched()
    (first, *_) = whole.search["proposals"]["search"]
    return replace(whole, trials=(*whole.trials, Trial("d", first["arm"], 0, State.DIVERGED)))


def none_trained() -> Study:
    whole = searches.searched()
    arms = [{**each, "values": None, "state": None} for each in whole.search["proposals"]["search"]]
    return replace(whole, search={**whole.search, "proposals": {"search": arms, "control": []}})


def facts(whole: Study) -> ConfirmationFacts:
    found = confirmation_facts(find(whole))
    assert found is not None
    return found


def confirmed(*errors: float, baseline: float = 6.0, gain: bool = True, fails: bool = False) -> ConfirmationFacts:
    """The search with one confirmed arm whose seeds have these errors, the baseline's being close to `baseline`."""
    whole = searches.searched()
    bases = [arm for arm in whole.arms if arm.levels["stage"] == "confirm"]
    base, best = bases[0].name, bases[1].name
    ours = dict(zip(range(1000, 1005), errors, strict=True))
    failed = {"state": State.DIVERGED, "test_error": None} if fails else {}
    trials = [
        replace(each, **({"test_error": ours[each.seed]} | failed))
        if each.arm == best
        else replace(each, test_error=baseline + (each.seed % 3) / 10)
        for each in whole.trials
        if each.arm in (base, best)
    ]
    proposals = whole.search["proposals"]
    if not gain:
        first, *rest = proposals["search"]
        proposals = {**proposals, "search": [{**first, "values": [0.5]}, *rest]}
    arms = tuple(arm for arm in whole.arms if arm.levels["stage"] != "confirm" or arm.name in (base, best))
    return facts(replace(whole, arms=arms, trials=tuple(trials), search={**whole.search, "proposals": proposals}))


BETTER, ALIKE, WORSE = (3.0, 3.1, 3.25, 3.05, 3.12), (6.3, 5.8, 6.4, 5.7, 6.05), (9.0, 9.1, 9.25, 9.05, 9.12)


def of_three(*errors: float) -> ConfirmationFacts:
    """The search with three confirmed arms, the first with these errors and the others like the baseline."""
    whole = searches.searched()
    base, first, *_ = [arm.name for arm in whole.arms if arm.levels["stage"] == "confirm"]
    near = {base: (6.0, 6.1, 6.2, 6.05, 6.15), first: errors}
    trials = [
        replace(each, test_error=near.get(each.arm, (6.1, 6.0, 6.2, 6.15, 6.05))[each.seed - 1000])
        for each in whole.trials
    ]
    return facts(replace(whole, trials=tuple(trials)))


def compared(workers: int = 1, **changes: object) -> SamplerComparison:
    made = searches.configuration("tpe", **{"gain": 1.0, **changes})
    found = comparison(searches.replayed(made))
    assert found is not None
    return replace(found, workers=workers)


def skewed_ends(is_skewed: bool) -> SamplerComparison:
    made = compared()
    first, *others = made.contests
    return replace(made, contests=(replace(first, at_cost=replace(first.at_cost, is_skewed=is_skewed)), *others))


def replace_badges(made: ConfirmationFacts, *badges: str) -> ConfirmationFacts:
    return replace(
        made, arms=tuple(replace(each, contrast=replace(each.contrast, badges=badges)) for each in made.arms)
    )


def plain() -> Study:
    return studies.degradation()


PAIRS: Pairs = {
    "search.found": (
        searches.searched,
        "The baseline and 39 arms by the sampler tpe, selected by the validation error alone, on 20 % of the training ",
        none_trained,
    ),
    "search.on_front": (
        searches.with_sizes,
        "on the Pareto front of validation error and",
        searches.searched,
    ),
    "search.not_trained": (
        lambda: with_proposals(status="rejected"),
        "1 rejected",
        searches.searched,
    ),
    "search.penalty": (one_diverged, "counts as 100 % error for the sampler", searches.searched),
    "search.not_told": (lambda: with_proposals(state="FAILED"), "is not told to the sampler", searches.searched),
    "search.control": (searches.searched, "As many arms drawn at random", without_control),
    "search.importance": (
        lambda: ((("fANOVA", "what?"),), True),
        "What only some arms have",
        lambda: ((("fANOVA", "what?"),), False),
    ),
    "search.front_line": (
        lambda: ("error against FLOPs", 2),
        "2 arms drawn at random are as good in both and better in one than one on the line.",
        lambda: ("error against FLOPs", None),
    ),
    "search.lines": (
        lambda: (True, 40, 4, False),
        "first. Thick lines are the 4 arms with the lowest error of 40 arms with a result, the thickest the lowest.",
        lambda: (True, 40, 4, True),
    ),
    "search.arms_caption": (searches.with_sizes, "those of the Pareto front first", searches.searched),
    "search.constant": (lambda: 2, "2 parameters with one value", lambda: 0),
    "search.best_values": (lambda: (3, "lr: 0.1 (3)"), "The 3 thick lines: lr: 0.1 (3).", lambda: (1, "lr: 0.1 (1)")),
    "search.slices": (lambda: True, "the most important ones by fANOVA first", lambda: False),
    "search.lowest_at": (
        lambda: (30, 2.44, "width", ("8", "6")),
        "The lowest of 30 arms, 2.44 %, is at width 8 and 6.",
        lambda: (30, 2.44, "width", ("8",)),
    ),
    "search.same_state": (lambda: {"complete"}, "All are complete.", lambda: {"complete", "pruned"}),
    "search.same_origin": (lambda: {"tpe"}, "All are proposed by tpe.", lambda: {"tpe", "baseline"}),
    "search.ends": (lambda: [("search", 1.234)], "search ends at 1.23 %", lambda: [("search", 1.25)]),
    "confirmation.method": (
        lambda: confirmed(*BETTER),
        "The arm of the search with the lowest validation error and the baseline",
        lambda: facts(searches.searched()),
    ),
    "confirmation.first_ranked": (
        lambda: confirmed(*BETTER),
        "has less test error than the baseline",
        lambda: confirmed(*ALIKE),
    ),
    "confirmation.told_apart_alone": (
        lambda: of_three(5.6, 5.2, 6.1, 5.1, 5.7),
        "Alone it would be told apart",
        lambda: of_three(3.0, 3.1, 3.2, 3.05, 3.15),
    ),
    "confirmation.no_gain_searched": (
        lambda: confirmed(*BETTER, gain=False),
        "saw no gain over the baseline",
        lambda: confirmed(*BETTER),
    ),
    "confirmation.baseline_not_searched": (
        lambda: facts(with_proposals(status="rejected", values=None, arm=None)),
        "The search has no validation error of the baseline",
        lambda: confirmed(*BETTER, gain=False),
    ),
    "confirmation.gain_unknown": (
        lambda: confirmed(*BETTER, fails=True),
        "nothing can be said on the test set",
        lambda: confirmed(*BETTER),
    ),
    "confirmation.gain_lost": (
        lambda: confirmed(*WORSE),
        "nothing of that gain survived",
        lambda: confirmed(*BETTER),
    ),
    "confirmation.gain_survived": (
        lambda: confirmed(*ALIKE, baseline=6.2),
        "by the estimate alone",
        lambda: confirmed(*BETTER),
    ),
    "confirmation.all_arms": (
        lambda: confirmed(*BETTER),
        "The confirmed arm is shown to have less test error than the baseline (told apart where p is",
        lambda: confirmed(*ALIKE),
    ),
    "confirmation.least_error": (
        lambda: of_three(9.0, 9.1, 9.25, 9.05, 9.12),
        "has the lowest error: ",
        lambda: of_three(3.0, 3.1, 3.2, 3.05, 3.15),
    ),
    "confirmation.narrow": (
        lambda: replace_badges(confirmed(*BETTER), SKEWED),
        "The interval may be too narrow",
        lambda: replace_badges(confirmed(*BETTER)),
    ),
    "confirmation.table_caption": (lambda: find(searches.searched()), "each for its arm alone", lambda: find(plain())),
    "samplers.method": (lambda: compared(workers=4), "on 4 simulated workers", compared),
    "samplers.judgement": (
        lambda: ((found := compared()).contests[0], found),
        "tpe: worth its cost.",
        lambda: ((found := compared(gain=0.0, proposing=3000.0)).contests[0], found),
    ),
    "samplers.drawn_once": (
        lambda: ((("random", "tpe", "gp"),),),
        "that of random is also that of tpe and gp",
        lambda: ((("random",),),),
    ),
    "samplers.best_so_far": (
        compared,
        "mean of 20 seeds",
        lambda: comparison(searches.replayed(searches.configuration("tpe", 1.0), seeds=5)),
    ),
    "samplers.narrow": (
        lambda: skewed_ends(True),
        "Over the seeds the ends of tpe are skewed",
        lambda: skewed_ends(False),
    ),
    "samplers.table_caption": (
        compared,
        "means over 20 seeds",
        lambda: comparison(searches.replayed(searches.configuration("tpe", 1.0), seeds=5)),
    ),
}
