"""Test images that each seed draws for itself: from all images, in proportion, and by nothing but the seed."""

import pytest
import torch

from search_spaces.errors import SettingError
from trainers import train
from trainers.data import load
from trainers.settings.data import complete_data

CPU = torch.device("cpu")
BY_SEED = {"name": "digits", "split_by_seed": True}


def rows(images):
    return sorted(bytes(pixels.flatten().tolist()) for pixels in images.pixels)


def test_a_seed_draws_its_test_images_from_all_and_the_classes_keep_their_counts():
    fixed, first, second = load("digits", CPU), load(BY_SEED, CPU, [0]), load(BY_SEED, CPU, [1])
    whole = sorted(rows(fixed.train) + rows(fixed.test))
    for drawn in (first, second):
        assert sorted(rows(drawn.train) + rows(drawn.test)) == whole
        assert torch.equal(drawn.test.labels.bincount(), fixed.test.labels.bincount())
        assert drawn.fingerprint == fixed.fingerprint  # the same data, however it is split
    assert rows(first.test) != rows(second.test)
    assert rows(first.test) == rows(load(BY_SEED, CPU, [0]).test)


def test_without_a_seed_the_sizes_are_known():
    assert load(BY_SEED, CPU).info == load("digits", CPU).info


def test_validation_images_are_held_out_of_what_the_seed_trains_on():
    drawn = load(BY_SEED | {"validation": 0.2}, CPU, [3])
    fixed = load({"name": "digits", "validation": 0.2}, CPU)
    assert drawn.info == fixed.info
    assert sorted(rows(drawn.train) + rows(drawn.validation)) == rows(load(BY_SEED, CPU, [3]).train)


def test_settings_that_do_not_ask_for_it_stay_as_they_were():
    assert "split_by_seed" not in complete_data("digits")
    assert complete_data({"name": "digits", "split_by_seed": False}) == complete_data("digits")
    assert complete_data(BY_SEED)["split_by_seed"] is True


def test_photographs_cannot_be_split_anew(tmp_path):
    with pytest.raises(SettingError, match="stay split into the folders") as caught:
        complete_data({"name": "image_folder", "root": str(tmp_path), "split_by_seed": True})
    assert caught.value.key == ("split_by_seed",)


def test_seeds_with_images_of_their_own_do_not_train_side_by_side():
    with pytest.raises(ValueError, match="2 seeds cannot train side by side"):
        load(BY_SEED, CPU, [0, 1])


def test_two_arms_of_one_seed_share_its_test_images_and_the_error_is_that_on_them():
    small = {"family": "resnet_cifar", "depth": 8, "width": 2}
    training = {"recipe": "quick", "epochs": 1}
    by_seed, fixed = (train(small, data, training, seed=4).records[-1] for data in (BY_SEED, "digits"))
    assert by_seed.test_error != fixed.test_error
    assert by_seed.test_error * 360 / 100 == pytest.approx(round(by_seed.test_error * 360 / 100), abs=1e-3)
