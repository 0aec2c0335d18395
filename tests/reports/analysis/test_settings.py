"""The analysis settings of a study file."""

import pytest

from reports.analysis.analysis_settings import AnalysisSettings, parse_analysis
from search_spaces.errors import SettingError


def test_defaults():
    assert parse_analysis(None, 3) == AnalysisSettings()


def test_looks_come_from_the_seeds():
    found = parse_analysis({}, {"looks": [3, 5, 8, 12]})
    assert found.levels == pytest.approx((0.005, 0.01, 0.015, 0.02))


@pytest.mark.parametrize(
    ("analysis", "seeds", "key"),
    [
        ({"alhpa": 0.05}, 3, ("analysis", "alhpa")),
        ({"alpha": 1.5}, 3, ("analysis", "alpha")),
        ({"alpha": True}, 3, ("analysis", "alpha")),
        ({"alpha": 1e-17}, 3, ("analysis", "alpha")),
        ({"alpha": 0.9999999999}, 3, ("analysis", "alpha")),
        ({"alpha": 10**400}, 3, ("analysis", "alpha")),
        ({"alpha": float("nan")}, 3, ("analysis", "alpha")),
        ({"power": 1e-17}, 3, ("analysis", "power")),
        ({"family": "bonferroni"}, 3, ("analysis", "family")),
        ({"test": "anova"}, 3, ("analysis", "test")),
        ({"looks": [2, 5]}, 3, ("analysis", "looks", 0)),
        ({"looks": [3, 100_001]}, 3, ("analysis", "looks", 1)),
        ({}, {"looks": [3, 3]}, ("seeds", "looks")),
        ({}, {"looks": "3, 5"}, ("seeds", "looks")),
        ({}, {"looks": []}, ("seeds", "looks")),
        ({}, {"looks": [3, 5.5]}, ("seeds", "looks", 1)),
        ({"looks": [3, 5]}, {"looks": [3, 8]}, ("analysis", "looks")),
        ("strict", 3, ("analysis",)),
    ],
)
def test_what_cannot_be_meant(analysis, seeds, key):
    with pytest.raises(SettingError) as error:
        parse_analysis(analysis, seeds)
    assert error.value.key == key
