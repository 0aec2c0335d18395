"""The distance of a unit from the identity agrees with a unit that is run alone."""

import pytest
import torch

from tests.trainers.probes.conftest import bench_of


def test_every_unit_is_as_computed_by_hand(measured):
    values, subject = measured({"name": "identity_distance", "images": 64}, bench_of(("depth", 14)))
    signal = torch.cat([images for images, _ in subject.training_images(64)])
    expected = []
    with torch.no_grad():
        signal = subject.network.stem(signal)
        for unit in (unit for stage in subject.network.stages for unit in stage):
            before, signal = signal.clone(), unit(signal)
            same = before.shape == signal.shape
            expected.append(((signal - before).norm() / before.norm()).item() if same else None)
    found = [row["numbers"]["distance"] for row in values["rows"]]
    assert [each is None for each in found] == [False, False, True, False, True, False]
    assert [each for each in found if each] == pytest.approx([each for each in expected if each], rel=1e-4)


def test_a_unit_that_is_left_as_it_was_has_no_distance(measured):
    start = ("shortcut", (("op", "learned_scalar"), ("start", 0.0)))
    values, subject = measured({"name": "identity_distance", "images": 64}, bench_of(start))
    with torch.no_grad():
        factor = subject.network.stages[0][0].merge.factor.item()
    assert values["rows"][0]["numbers"]["distance"] == pytest.approx(abs(factor), abs=0.05)
    assert values["scalars"]["worth"] is None


def test_the_worth_is_measured_after_an_epoch_without_the_unit(measured):
    values, _ = measured({"name": "identity_distance", "images": 64, "retrain": 2}, bench_of())
    worths = [row["numbers"]["worth"] for row in values["rows"]]
    assert [each is None for each in worths] == [False, True, False]
    again, _ = measured({"name": "identity_distance", "images": 64, "retrain": 2}, bench_of())
    assert values == again
