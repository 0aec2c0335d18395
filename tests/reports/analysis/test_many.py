"""Holm's adjustment beside statsmodels' own, to the bit."""

import random

import pytest
from statsmodels.stats.multitest import multipletests

from reports.analysis.many import holm


def test_two_comparisons_are_adjusted_as_holm_writes():
    assert holm([0.04, 0.01]) == [0.04, 0.02]
    assert holm([0.6, 0.7, 0.01]) == [1.0, 1.0, 0.03]
    assert holm([0.03]) == [0.03]
    assert holm([]) == []


@pytest.mark.parametrize("count", [2, 3, 7, 25])
def test_it_is_what_statsmodels_computes(count):
    chance = random.Random(count)
    p = [chance.choice([chance.random() ** 4, 0.05, 1.0, 0.0]) for _ in range(count)]
    assert holm(p) == list(multipletests(p, method="holm")[1])
