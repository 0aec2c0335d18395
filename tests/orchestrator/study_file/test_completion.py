"""The settings of many arms: what they share is completed once, and each is what it would be alone."""

import pytest

import trainers
from orchestrator.study_file.arms import Completion, complete_settings
from search_spaces.arm import settings_hash, settings_hashes
from search_spaces.errors import SettingError

RAW = {"data": "digits", "network": {"depth": 8}, "training": {}}


def test_arms_share_what_is_equal_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = trainers.complete_data
    monkeypatch.setattr(trainers, "complete_data", lambda raw: asked.append(raw) or real(raw))
    complete = Completion()
    for depth in (8, 8.0, 14):
        for rate in (0.1, 0.2):
            raw = {"data": "digits", "network": {"depth": depth}, "training": {"lr": rate}}
            assert complete(raw) == complete_settings(raw)
    completed_alone = 6
    assert len(asked) == 1 + completed_alone
    assert complete(RAW)["network"] is complete({**RAW, "training": {"lr": 0.2}})["network"]
    assert complete({**RAW, "data": "synthetic"})["data"]["name"] == "synthetic"


def test_a_wrong_part_is_refused_every_time() -> None:
    complete = Completion()
    for raw, key in (
        ({**RAW, "network": {"depht": 8}}, ("network", "depht")),
        ({**RAW, "data": {"name": "digits", "validation": float("nan")}}, ("data", "validation")),
    ):
        for _ in range(2):
            with pytest.raises(SettingError) as caught:
                complete(raw)
            assert caught.value.key == key


def test_the_seed_of_a_split_is_part_of_the_data() -> None:
    assert Completion(splits_by_seed=True)(RAW)["data"] == {**complete_settings(RAW)["data"], "split_by_seed": True}


def test_many_hashes_are_those_of_each_alone() -> None:
    settings = complete_settings(RAW)
    more = [{"seed": seed, "fingerprint": 'ü"{}', "a": {"b": [seed]}} for seed in range(3)]
    cosmetic = trainers.COSMETIC_SETTINGS
    assert settings_hashes(settings, more, cosmetic) == [settings_hash({**settings, **each}, cosmetic) for each in more]
