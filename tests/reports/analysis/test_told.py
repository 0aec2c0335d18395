"""What is told of a verdict: the context that stands for all, what waits until it is judged, the seeds ahead."""

from reports.analysis.badges import DEPENDS, FEW, OPEN
from reports.trials import State
from tests.reports.analysis.build import study
from tests.reports.analysis.claims import verdicts_of

WAITING = [State.WAITING] * 3


def at_depths(*pairs):
    arms = []
    for depth, (good, bad) in zip((8, 14, 20), pairs, strict=False):
        arms += [({"depth": depth, "variant": "good"}, good), ({"depth": depth, "variant": "bad"}, bad)]
    return study(arms)


CLEAR = ([5.0, 5.1, 4.9], [7.0, 7.2, 7.0])
WEAK = ([5.0, 5.1, 4.9], [5.9, 8.0, 5.5])
BETTER = {"says": "good < bad"}


def test_of_contexts_with_one_p_the_one_with_the_weakest_interval_is_told():
    (found,) = verdicts_of(at_depths(CLEAR, WEAK, CLEAR), BETTER)
    assert len({each.p_support for each in found.contexts}) == 1
    assert found.shown.context == {"depth": 14}
    assert found.low < 0 < min(each.low for each in found.contexts if each.context != {"depth": 14})
    (some,) = verdicts_of(at_depths(WEAK, CLEAR, WEAK), {**BETTER, "over": "any"})
    assert some.shown.context == {"depth": 14}


def test_of_an_equality_and_of_a_rate_the_interval_tells_as_well():
    (equal,) = verdicts_of(at_depths(CLEAR, WEAK, CLEAR), {"says": "good == bad", "within": 9})
    assert equal.shown.context == {"depth": 14}
    made = at_depths(([5.0] * 3, [5.0] * 3), ([None, None, 5.0], [5.0] * 3))
    (rate,) = verdicts_of(made, {"says": "good fails", "rate": "< 0.9"})
    assert rate.shown.context == {"depth": 14}


def test_before_a_claim_is_judged_a_context_with_results_is_told_and_nothing_is_said_of_its_verdict():
    (found,) = verdicts_of(at_depths((WAITING, WAITING), CLEAR), BETTER)
    assert (found.word, found.n, found.shown.context) == ("Not judged yet", 3, {"depth": 14})
    assert "6 trials have to end before it is judged; 1 of 2 contexts have a result so far." in found.sentence
    assert OPEN in found.badges
    assert not {FEW, DEPENDS} & set(found.badges)
    assert sorted(found.trials) == sorted(
        f"depth=14 variant={name}/{seed}" for name in ("good", "bad") for seed in range(3)
    )


def test_too_few_seeds_for_a_t_test_are_named_only_where_it_would_decide():
    (clear,) = verdicts_of(at_depths(CLEAR), BETTER)
    assert FEW in clear.badges
    assert "flips must agree, which with 3 cannot give a p below 0.25." in clear.sentence
    (open_,) = verdicts_of(at_depths(([5.0, 5.1, 4.9], [4.0, 6.9, 5.0])), BETTER)
    assert FEW not in open_.badges
    assert "Rare outliers" not in open_.sentence
    assert "Below 5 seeds no result with such a spread could." in open_.sentence


def test_the_seeds_ahead_say_which_way_they_would_decide():
    good, bad = [5.0, 5.6, 4.6, 5.1, 5.2, 4.9], [5.1, 4.4, 5.3, 4.2, 5.4, 4.5]
    (against,) = verdicts_of(at_depths((good, bad)), BETTER)
    (towards,) = verdicts_of(at_depths((bad, good)), BETTER)
    assert (against.forecast.refutes, towards.forecast.refutes) == (True, False)
    assert f"about {against.forecast.needed} seeds refute it at 80% power" in against.sentence
    assert f"about {towards.forecast.needed} seeds support it at 80% power" in towards.sentence


def test_an_effect_against_the_claim_is_no_advantage():
    (found,) = verdicts_of(at_depths(CLEAR[::-1]), BETTER)
    assert found.sentence.startswith("At depth 8: the effect is -2.07 points")
