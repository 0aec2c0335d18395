"""A verdict that rests on one seed says which; the others carry no such badge."""

import pytest
from scipy import stats

from reports.analysis.badges import ONE_SEED, OUTLIERS
from tests.reports.analysis.build import study
from tests.reports.analysis.claims import verdicts_of


def pair(differences):
    """Return a study of two arms, the second of which lies by these differences above the first."""
    a = [5.0 + 0.01 * seed for seed in range(len(differences))]
    return study([({"v": "a"}, a), ({"v": "b"}, [x + each for x, each in zip(a, differences, strict=True)])])


def test_a_verdict_that_one_seed_decides_names_it_with_the_p_without_it():
    differences = [0.5, 0.55, 0.6, 0.45, 0.5, 0.52, 0.48, 0.05]
    margin = 0.3
    left = [stats.ttest_1samp(differences[:at] + differences[at + 1 :], margin).pvalue for at in range(8)]
    undone = [p for p in left if p > 0.05]
    assert stats.ttest_1samp(differences, margin).pvalue < 0.05
    assert len(undone) == 7
    (found,) = verdicts_of(pair(differences), {"says": "a < b", "by": margin})
    assert (found.verdict, ONE_SEED in found.badges) == ("Supported", True)
    assert f"p up to {max(undone):.3g}" in found.sentence


def test_the_only_seed_that_decides_is_named():
    differences = [0.25, 0.3, 0.1, 0.12, 0.45, 0.9, 0.2, -0.05, 0.28, 0.31]
    left = [stats.ttest_1samp(differences[:at] + differences[at + 1 :], 0.07).pvalue for at in range(10)]
    (undone,) = [(at, p) for at, p in enumerate(left) if p > 0.05]
    (found,) = verdicts_of(pair(differences), {"says": "a < b", "by": 0.07})
    assert f"Without seed {undone[0]} it would not be decided (p={undone[1]:.3g})." in found.sentence


def test_a_clear_verdict_rests_on_no_seed_and_names_its_assumption_last():
    (found,) = verdicts_of(pair([0.5, 0.52, 0.51, 0.49, 0.5, 0.53]), {"says": "a < b"})
    assert (found.verdict, found.badges) == ("Supported", (OUTLIERS,))
    assert "Without" not in found.sentence


@pytest.mark.parametrize("n", [5, 6])
def test_the_rule_for_few_seeds_does_not_make_one_of_five_decide(n):
    """Four seeds decide nothing by t alone, which says nothing about the one that is left out."""
    (found,) = verdicts_of(pair([1.0 + 0.001 * seed for seed in range(n)]), {"says": "a < b"})
    assert (found.verdict, ONE_SEED in found.badges) == ("Supported", False)


def test_six_signs_are_not_held_against_five_which_could_decide_nothing():
    (found,) = verdicts_of(pair([0.5, 0.52, 0.51, 0.49, 0.5, 0.53]), {"says": "a < b", "test": "sign"})
    assert (found.verdict, ONE_SEED in found.badges) == ("Supported", False)
    (found,) = verdicts_of(pair([0.5] * 8 + [-0.5]), {"says": "a < b", "test": "sign"})
    assert (found.verdict, ONE_SEED in found.badges) == ("Supported", True)  # 7 of 8: p 0.07


def test_an_undecided_claim_has_no_deciding_seed():
    (found,) = verdicts_of(pair([0.5, -0.4, 0.1, 0.2, -0.3]), {"says": "a < b"})
    assert (found.verdict, ONE_SEED in found.badges) == ("Inconclusive", False)


def test_among_other_claims_a_seed_decides_at_the_level_that_they_leave():
    """Alone this verdict stands without any of its seeds; as the first of five claims it needs some of them."""
    made = pair([0.6, 1.1, 0.0, 0.9, 0.3, 1.3, 0.1, 0.8])
    claim = {"says": "a < b"}
    others = [{"says": "a < b", "by": 0.9 + 0.01 * at} for at in range(4)]
    (alone,) = verdicts_of(made, claim)
    among, *_ = verdicts_of(made, claim, *others)
    assert (alone.verdict, ONE_SEED in alone.badges) == ("Supported", False)
    assert (among.verdict, ONE_SEED in among.badges) == ("Supported", True)
