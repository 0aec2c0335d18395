"""A plan's time: where it comes from, of which device it is, and what it does not pretend to know."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import yaml

from orchestrator.planning import estimate
from orchestrator.planning.estimate import Estimate, trial_seconds
from orchestrator.planning.plan import make_plan
from orchestrator.planning.preview import Preview, preview
from orchestrator.study_file.config import StudyConfig, check_study
from orchestrator.study_file.yaml_source import parse_yaml

FILE = {
    "study": "a",
    "data": {"name": "synthetic", "train_size": 64, "test_size": 8},
    "network": {"family": "resnet_cifar", "width": 4},
    "factors": {"depth": [8, 14]},
    "training": {"epochs": 2, "batch_size": 16},
    "seeds": 3,
}


def study(**changes: Any) -> StudyConfig:
    return check_study(parse_yaml(yaml.safe_dump(FILE | changes, sort_keys=False), "a.yaml"), Path())


def shown(tmp_path: Path, **changes: Any) -> Preview:
    return preview(study(**changes), f"sqlite:///{tmp_path}/results.db")


@pytest.fixture
def an_hour_a_trial(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let every trial take an hour on whatever device is asked for; return the packs that were asked about."""
    packs = []

    def an_hour(arms: Any, recorded: Any, device: str, pack: int) -> Estimate:
        packs.append(pack)
        return Estimate({each.arm.id: 3600.0 for each in arms}, device, "a clock")

    monkeypatch.setattr("orchestrator.planning.preview.trial_seconds", an_hour)
    return packs


def test_without_a_gpu_nobody_knows_the_time_on_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    found = shown(tmp_path, resources={"gpus": 1})
    assert (found.device, found.seconds, found.gpu_hours) == ("cpu", None, None)
    assert found.work > 0
    assert any("time: not known before a trial has run on a GPU" in line for line in found.lines())
    assert json.loads(found.to_json())["gpu_hours"] is None


@pytest.mark.parametrize(
    ("gpus", "here", "slots", "hours"), [(1, 0, 1, 6), (0.25, 0, 4, 1.5), (1, 2, 2, 6), (0.5, 8, 4, 3)]
)
def test_gpu_hours_are_those_of_the_parts_that_packs_hold(
    gpus: float, here: int, slots: int, hours: float, an_hour_a_trial: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: here)
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    found = shown(tmp_path, resources={"gpus": gpus})
    assert (found.slots, found.gpu_hours, found.seconds) == (slots, hours, max(6 / slots, 1) * 3600)


@pytest.mark.parametrize(
    ("depths", "seeds", "total"), [([8], 1, "a: 1 arm, 1 trial: 1 new"), ([8, 14], 3, "a: 2 arms, 6 trials: 6 new")]
)
def test_the_sums_are_in_words(depths: list[int], seeds: int, total: str, an_hour_a_trial: Any, tmp_path: Path) -> None:
    found = shown(tmp_path, factors={"depth": depths}, seeds=seeds)
    assert found.lines()[0] == f"{total}, 0 cached, 0 orphaned arms"
    many = replace(found, new=12_000, cached=3_000, ahead=20_000).lines()[0]
    assert "at most 20,000 trials" in many
    assert "15,000 trials: 12,000 new, 3,000 cached" in many


@pytest.mark.parametrize(
    ("seeds", "analysis", "said"),
    [
        (1, {}, "one seed shows no difference between arms, whatever its size; ask for 5 or more"),
        (2, {}, "2 seeds decide only what rare outliers could not undo, and they leave room for some in 78 %"),
        (4, {}, "in 53 % of all seeds; ask for 5 or more"),
        (3, {"alpha": 0.26}, "two arms must differ by"),
        (
            5,
            {},
            "with 5 of them, two arms must differ by 1.68 SDs of their paired differences to be told apart with 80%",
        ),
        (5, {"test": "sign"}, "5 seeds decide nothing by signs, even if they all agree; ask for 6 or more"),
    ],
)
def test_seeds_are_promised_what_the_verdicts_allow(
    seeds: int, analysis: dict[str, Any], said: str, an_hour_a_trial: Any, tmp_path: Path
) -> None:
    (found,) = shown(tmp_path, seeds=seeds, analysis=analysis).prospects
    assert said in found
    assert ("SDs" in found) is ("two arms" in said)


@pytest.mark.parametrize(
    ("looks", "said"),
    [
        ([3, 5, 8], ["looks: 3 seeds decide only", "the look spends 0.83 % of the 5 % of error: begin with 5"]),
        ([3, 4, 8], ["looks: 4 seeds decide only", "they spend 2.5 % of the 5 % of error: begin with 5"]),
        ([5, 8], []),
    ],
)
def test_looks_at_too_few_seeds_are_told_what_they_spend(
    looks: list[int], said: list[str], an_hour_a_trial: Any, tmp_path: Path
) -> None:
    claims = [{"id": "deeper", "says": "depth=8 > depth=14"}]
    found = [line for line in shown(tmp_path, seeds={"looks": looks}, claims=claims).prospects if "looks:" in line]
    assert len(found) == bool(said)
    assert all(part in line for part in said for line in found)


def test_no_more_packs_run_than_the_file_allows(an_hour_a_trial: list[int], tmp_path: Path) -> None:
    found = shown(tmp_path, resources={"max_concurrent": 1, "cpus": 0.1, "seeds_per_pack": 2})
    assert (found.slots, found.seconds) == (1, 6 * 3600)
    assert an_hour_a_trial == [2]


@pytest.mark.parametrize("work", [1e9, 1e3])
def test_what_is_not_on_record_is_timed_and_scaled_by_its_work(work: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "STEP_WORK", work)
    arms = make_plan(study()).arms
    found = trial_seconds(arms, {}, "cpu", 3)
    assert found.device == "cpu"
    assert "timed on one core of this machine" in found.basis
    assert all(0 < seconds < 60 for seconds in found.seconds.values())


def test_a_gpu_that_holds_no_trial_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_small(arm: object, device: str, pack: int) -> float:
        if device == "cuda":
            raise torch.OutOfMemoryError
        return 1.0

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr(estimate, "_timed", too_small)
    assert trial_seconds(make_plan(study()).arms, {}, "cuda", 3).device == "cpu"


def test_records_are_believed_and_nothing_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "_timed", None)
    small, large = make_plan(study()).arms
    found = trial_seconds((small, large), {small.arm.id: 10.0}, "cuda", 3)
    assert found.device == "cuda"
    assert found.basis == "1 of 2 arms have trials on record"
    ratio = found.seconds[large.arm.id] / found.seconds[small.arm.id]
    assert ratio == pytest.approx(large.flops / small.flops)


def test_no_study_is_shorter_than_its_longest_trial(
    an_hour_a_trial: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    found = shown(tmp_path)
    assert (found.slots, found.new, found.seconds) == (16, 6, 3600)


def test_the_fastest_of_the_timed_rounds_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    (arm,) = make_plan(study(factors={}, network={"family": "resnet_cifar", "width": 4, "depth": 8})).arms
    clock = iter([0.0, 5.0, 10.0, 11.0, 20.0, 23.0, *(30.0 + 9.0 * tick for tick in range(100))])
    monkeypatch.setattr(estimate, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    seconds = trial_seconds([arm], {}, "cpu", 1).seconds[arm.arm.id]
    images = 2 * 64  # two epochs of 64 images, timed at one second for STEPS batches of 16
    assert seconds == pytest.approx(images / (16 * estimate.STEPS))
