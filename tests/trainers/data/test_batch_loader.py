import pytest
import torch

from trainers.data import load
from trainers.data.batch_loader import MemoryBatchLoader
from trainers.settings.recipe import complete_training

CPU = torch.device("cpu")


def loader(data="digits", **training):
    return MemoryBatchLoader(load(data, CPU), complete_training(training, {"name": "digits"}), CPU)


def test_an_epoch_shows_every_image_once():
    found = loader(normalise="none")
    images = torch.cat([images for images, _ in found.train(0, 1)]).flatten(1)
    raw = found.data.train.pixels.flatten(1) * found.scale.item()
    assert torch.equal(images.sum(1).sort().values, raw.sum(1).sort().values)
    assert found.sizes == [64] * 22 + [29]


def test_the_order_is_a_function_of_seed_and_epoch():
    one, same, other = (torch.cat([labels for _, labels in loader().train(*at)]) for at in ((0, 1), (0, 1), (0, 2)))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_preparing_in_parts_changes_nothing(monkeypatch):
    training = {"augment": {"crop": 2, "flip": True}}
    whole = list(loader(**training).train(0, 1))
    monkeypatch.setattr("trainers.data.batch_loader.PREPARED", 128)
    for (images, labels), (other, other_labels) in zip(whole, loader(**training).train(0, 1), strict=True):
        assert torch.equal(images, other)
        assert torch.equal(labels, other_labels)


def test_channel_normalisation_gives_mean_0_and_deviation_1():
    images = torch.cat([images for images, _ in loader(normalise="channel").train(0, 1)])
    assert abs(float(images.mean())) < 1e-4
    assert abs(float(images.std()) - 1) < 1e-3


def test_pixel_mean_gives_every_pixel_mean_0():
    images = torch.cat([images for images, _ in loader(normalise="pixel_mean").train(0, 1)])
    assert float(images.mean(0).abs().max()) < 1e-6
    assert float(images.max()) <= 1


def test_what_normalised_the_images_can_be_told():
    digits = load("digits", CPU).train.pixels.double()
    by_channel, by_pixel, raw = (loader(normalise=kind).normalisation() for kind in ("channel", "pixel_mean", "none"))
    assert by_channel["subtracted"] == pytest.approx([float(digits.mean())])
    assert by_channel["divided_by"] == pytest.approx([float(digits.std(correction=0))])
    assert by_pixel["subtracted"] == pytest.approx([float(digits.mean())])
    assert by_pixel["divided_by"] == raw["divided_by"] == pytest.approx([16])
    assert raw == {"kind": "none", "subtracted": [0.0], "divided_by": raw["divided_by"]}


def test_a_last_batch_of_one_image_is_left_out():
    data = {"name": "synthetic", "shape": [1, 8, 8], "train_size": 65, "test_size": 5}
    found = loader(data, batch_size=64)
    assert found.sizes == [64]
    assert [len(labels) for _, labels in found.train(0, 1)] == [64]


def test_a_batch_is_never_larger_than_the_data_set():
    data = {"name": "synthetic", "shape": [1, 8, 8], "train_size": 20, "test_size": 5}
    assert loader(data, batch_size=64).sizes == [20]


def test_cropping_first_pads_in_black_and_else_with_the_mean():
    black, mean = (loader(augment={"crop": 4, "crop_first": first}, batch_size=200) for first in (True, False))
    for images, _ in mean.train(0, 1):
        assert (images == 0).flatten(1).any(1).float().mean() > 0.9
    darkest = -float(black.shift) * float(black.scale)
    for (images, _), (centred, _) in zip(black.train(0, 1), mean.train(0, 1), strict=True):
        assert not (images == 0).any()
        torch.testing.assert_close(
            torch.where(images == darkest, 0, images), torch.where(centred == darkest, 0, centred)
        )
