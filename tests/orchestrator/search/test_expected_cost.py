"""The plan of a search says what it will cost: from arms drawn from its space, not from the baseline alone."""

import json
from pathlib import Path

import pytest
import yaml

from orchestrator.planning.estimate import Estimate
from orchestrator.planning.preview import preview
from orchestrator.search.expected_cost import SAMPLED, expected_cost
from orchestrator.search.search_plan import plan_search
from orchestrator.study_file.config import check_study
from orchestrator.study_file.yaml_source import parse_yaml
from tests.orchestrator.search.conftest import FILE

SEARCH = {"arms": 30, "seeds_per_arm": 2, "control": True, "confirm": {"best": 3, "seeds": 5}}


@pytest.fixture
def config():
    """The baseline is the smallest network of the space."""
    factors = {"width": {"low": 1, "high": 24}}
    file = {**FILE, "factors": factors, "baseline": {"width": 1}, "search": SEARCH}
    return check_study(parse_yaml(yaml.safe_dump(file, sort_keys=False), "hunt.yaml"), Path("."))


def test_the_time_of_a_search_is_that_of_arms_from_its_whole_space(config):
    ahead = expected_cost(plan_search(config))
    assert len({each.arm.id for each in ahead.sample}) == SAMPLED
    of_trial = {each.arm.id: float(each.flops) for each in ahead.sample}
    mean = sum(of_trial.values()) / SAMPLED
    assert (ahead.searched, ahead.confirmed) == (2 * 30 * 2, 4 * 5)
    assert ahead.longer == pytest.approx(1 / 0.8, rel=0.01)
    assert ahead.seconds(of_trial) == pytest.approx(mean * (120 + 25), rel=0.01)


def test_the_same_file_gives_the_same_sample(config):
    first, second = expected_cost(plan_search(config)), expected_cost(plan_search(config))
    assert [each.arm.id for each in first.sample] == [each.arm.id for each in second.sample]


def test_a_small_space_is_taken_whole(config):
    config.file.factors["width"] = [1, 2, 3]
    assert len(expected_cost(plan_search(config)).sample) == 3


def test_the_plan_of_a_search_says_how_many_trials_at_most_and_what_their_time_rests_on(config, tmp_path, monkeypatch):
    def seconds(arms, recorded, device, pack):
        assert pack == 2
        return Estimate({each.arm.id: each.flops / 1e3 for each in arms}, device, "thin air")

    monkeypatch.setattr("orchestrator.planning.preview.trial_seconds", seconds)
    shown = preview(config, f"sqlite:///{tmp_path}/results.db")
    text = "\n".join(shown.lines())
    assert "at most 140 trials" in text
    assert "time: at most about" in text
    assert "20 arms drawn at random from the space" in text
    assert "seeds: with 5 of them" in text
    baseline = shown.arms[0].seconds * 120 / shown.slots
    assert shown.seconds > 10 * baseline
    assert json.loads(shown.to_json())["ahead"] == 140
