"""Data sets in the formats that people have on disk."""

import pickle
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from search_spaces.errors import SettingError
from tests.trainers.networks import network, task
from trainers import Trainer, inspect_data
from trainers.data import load
from trainers.folder_feed import FolderFeed
from trainers.recipe import complete_training

CPU = torch.device("cpu")


def write_batch(path, count, key, classes):
    rows = (np.arange(count * 3072) % 251).astype(np.uint8).reshape(count, 3072)
    batch = {"data": rows, key: [at % classes for at in range(count)], "batch_label": "made here"}
    path.write_bytes(pickle.dumps(batch, protocol=2))


@pytest.fixture
def cifar10(tmp_path):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for at in range(1, 6):
        write_batch(folder / f"data_batch_{at}", 8, "labels", 10)
    write_batch(folder / "test_batch", 6, "labels", 10)
    return tmp_path


@pytest.fixture
def cifar100(tmp_path):
    folder = tmp_path / "cifar-100-python"
    folder.mkdir()
    write_batch(folder / "train", 12, "fine_labels", 100)
    write_batch(folder / "test", 5, "fine_labels", 100)
    return tmp_path


def test_cifar10_is_read_in_torchvisions_format(cifar10):
    data = load({"name": "cifar10", "root": str(cifar10)}, CPU)
    assert data.train.pixels.shape == (40, 3, 32, 32)
    assert data.test.labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert int(data.train.pixels[0, 1, 0, 3]) == (1024 + 3) % 251
    assert data.num_classes == 10


def test_cifar100_has_its_fine_labels(cifar100):
    info = inspect_data({"name": "cifar100", "root": str(cifar100)})
    assert (info.num_classes, info.train_size, info.test_size) == (100, 12, 5)


def test_cifar10_trains_with_its_recipe(cifar10):
    asked = task(0, data={"name": "cifar10", "root": str(cifar10)}, recipe="he2016", epochs=1)
    assert Trainer(asked).run_epoch()[0].test_error is not None


def test_a_missing_data_set_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(SettingError, match=r"cifar-10-batches-py.*download: true") as raised:
        inspect_data({"name": "cifar10", "root": str(tmp_path)})
    assert raised.value.key == ("root",)


def test_a_missing_batch_is_named(cifar10):
    (cifar10 / "cifar-10-batches-py" / "data_batch_3").unlink()
    with pytest.raises(SettingError, match="data_batch_3 is missing"):
        inspect_data({"name": "cifar10", "root": str(cifar10)})


@pytest.mark.parametrize("damage", [lambda content: content[:1000], lambda content: b"no pickle"])
def test_a_torn_batch_is_named(cifar10, damage):
    path = cifar10 / "cifar-10-batches-py" / "data_batch_3"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(SettingError, match="data_batch_3 is not a whole batch file"):
        inspect_data({"name": "cifar10", "root": str(cifar10)})


def test_labels_outside_the_classes_are_refused(cifar10):
    write_batch(cifar10 / "cifar-10-batches-py" / "data_batch_3", 12, "labels", 12)
    with pytest.raises(SettingError, match="labels do not fit"):
        inspect_data({"name": "cifar10", "root": str(cifar10)})


def test_a_data_file_cannot_run_code(cifar10):
    class Evil:
        def __reduce__(self):
            return sys.exit, (3,)

    (cifar10 / "cifar-10-batches-py" / "data_batch_1").write_bytes(pickle.dumps({"data": Evil()}))
    with pytest.raises(SettingError, match=r"sys\.exit"):
        inspect_data({"name": "cifar10", "root": str(cifar10)})


@pytest.fixture
def photographs(tmp_path):
    source = np.random.default_rng(0)
    for part, count in (("train", 6), ("val", 3)):
        for label in ("cat", "dog"):
            folder = tmp_path / part / label
            folder.mkdir(parents=True)
            for at in range(count):
                pixels = source.integers(0, 256, (40 + at, 60, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{at}.jpg")
    return tmp_path


def folder(root, **changes):
    return {"name": "image_folder", "root": str(root), "size": 16, "workers": 0, **changes}


def feed(root, epoch=1, **training):
    data = folder(root)
    return FolderFeed(load(data, CPU), complete_training({"batch_size": 5, **training}, data), CPU)


def test_an_image_folder_is_inspected(photographs):
    info = inspect_data(folder(photographs))
    assert (info.input_shape, info.num_classes, info.train_size, info.test_size) == ((3, 16, 16), 2, 12, 6)


@pytest.mark.parametrize("resize", ["none", "shorter_side", "area"])
def test_photographs_come_in_batches_of_one_shape(photographs, resize):
    found = feed(photographs, augment={"resize": resize, "flip": True, "colour": True})
    shapes = [tuple(images.shape) for images, _ in found.train(0, 1)]
    assert shapes == [(5, 3, 16, 16), (5, 3, 16, 16), (2, 3, 16, 16)]
    assert found.sizes == [5, 5, 2]


def test_what_normalises_photographs_can_be_told(photographs):
    (images, _), *_ = feed(photographs, normalise="none").test(6)
    found, plain = (feed(photographs, normalise=kind) for kind in ("channel", "none"))
    (expected, _), *_ = found.test(6)
    told = found.normalisation()
    mean, deviation = (torch.tensor(told[key])[:, None, None] for key in ("subtracted", "divided_by"))
    torch.testing.assert_close((255 * images - mean) / deviation, expected)
    assert plain.normalisation() == {"kind": "none", "subtracted": [0.0] * 3, "divided_by": [255.0] * 3}


def test_what_chance_does_to_a_photograph_is_a_function_of_seed_and_epoch(photographs):
    found = feed(photographs, augment={"resize": "area", "flip": True, "colour": True})
    one, same, other = (torch.cat([images for images, _ in found.train(*at)]) for at in ((0, 1), (0, 1), (0, 2)))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.slow
def test_worker_processes_read_the_same_photographs(photographs):
    data = folder(photographs, workers=2)
    training = complete_training({"batch_size": 5, "augment": {"resize": "area"}}, data)
    ahead = FolderFeed(load(data, CPU), training, CPU)
    here = feed(photographs, augment={"resize": "area"})
    for (images, labels), (others, other_labels) in zip(ahead.train(0, 1), here.train(0, 1), strict=True):
        assert torch.equal(images, others)
        assert torch.equal(labels, other_labels)


def test_an_image_folder_trains_and_validates(photographs):
    asked = task(0, data=folder(photographs, validation=0.34), network_settings=network(), batch_size=4, epochs=1)
    record = Trainer(asked).run_epoch()[0]
    assert record.test_error is not None
    assert record.val_error is not None


def test_a_folder_without_parts_says_what_is_needed(tmp_path):
    with pytest.raises(SettingError, match="needs root/train and root/val"):
        inspect_data(folder(tmp_path))


def test_a_part_without_classes_says_what_is_needed(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "val").mkdir()
    with pytest.raises(SettingError, match="<class>/<image>"):
        inspect_data(folder(tmp_path))


def test_different_classes_are_refused(photographs):
    (photographs / "val" / "dog").rename(photographs / "val" / "wolf")
    with pytest.raises(SettingError, match="different classes: dog, wolf"):
        inspect_data(folder(photographs))


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 1])
def test_a_broken_photograph_is_named(photographs, workers):
    broken = photographs / "train" / "cat" / "2.jpg"
    broken.write_bytes(b"no image")
    data = folder(photographs, workers=workers)
    reading = FolderFeed(load(data, CPU), complete_training({"batch_size": 5}, data), CPU)
    with pytest.raises(SettingError) as raised:
        list(reading.train(0, 1))
    assert raised.value.message.startswith(f"{broken} is not a readable image: ")
    assert "\n" not in raised.value.message


def test_the_fingerprint_follows_names_and_sizes(photographs):
    before = inspect_data(folder(photographs)).fingerprint
    assert inspect_data(folder(photographs)).fingerprint == before
    (photographs / "train" / "cat" / "0.jpg").unlink()
    assert inspect_data(folder(photographs)).fingerprint != before
