import gzip
import struct

import numpy as np
import pytest
import torch

from search_spaces.errors import SettingError
from trainers import complete_data, inspect_data
from trainers.data import load
from trainers.data.images import Images, hold_out, statistics

CPU = torch.device("cpu")


def write_idx(path, array):
    header = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(f">{array.ndim}i", *array.shape)
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wb") as file:
        file.write(header + array.astype(np.uint8).tobytes())


@pytest.fixture(params=["", ".gz"])
def fashion(request, tmp_path):
    folder = tmp_path / "FashionMNIST" / "raw"
    folder.mkdir(parents=True)
    for part, count in (("train", 12), ("t10k", 6)):
        images = np.arange(count * 28 * 28).reshape(count, 28, 28) % 251
        write_idx(folder / f"{part}-images-idx3-ubyte{request.param}", images)
        write_idx(folder / f"{part}-labels-idx1-ubyte{request.param}", np.arange(count) % 10)
    return tmp_path


def test_digits_are_split_once_and_for_all():
    data = load("digits", CPU)
    assert (len(data.train), len(data.test), data.num_classes) == (1437, 360, 10)
    assert data.train.pixels.dtype == torch.uint8
    assert data.fingerprint == "c32f945d517e1fe0fdedda83d86fbea372fbcf63b7445ff87fe4ba4a9fe23c3b"


def test_digits_hold_every_class_in_proportion():
    data = load("digits", CPU)
    share = torch.bincount(data.test.labels) / torch.bincount(torch.cat([data.train.labels, data.test.labels]))
    assert torch.all((share - 0.2).abs() < 0.01)


def test_inspecting_needs_no_more_than_a_name():
    info = inspect_data("digits")
    assert (info.input_shape, info.num_classes, info.train_size, info.test_size) == ((1, 8, 8), 10, 1437, 360)


def test_a_data_set_is_read_once_a_process():
    assert load("digits", CPU) is load({"name": "digits"}, CPU)


def test_fashion_mnist_is_read_in_torchvisions_format(fashion):
    data = load({"name": "fashion_mnist", "root": str(fashion)}, CPU)
    assert data.train.pixels.shape == (12, 1, 28, 28)
    assert data.test.labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert int(data.train.pixels[0, 0, 0, 7]) == 7


def test_a_torn_file_is_one_clear_message(fashion):
    path = next((fashion / "FashionMNIST" / "raw").glob("train-images*"))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SettingError, match=f"{path.name} is not a whole idx file") as raised:
        inspect_data({"name": "fashion_mnist", "root": str(fashion)})
    assert raised.value.key == ("root",)


def test_missing_files_say_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr("trainers.data.fashion_mnist.DEBIAN", tmp_path / "nowhere")
    with pytest.raises(SettingError, match="download: true"):
        inspect_data({"name": "fashion_mnist", "root": str(tmp_path)})


def test_synthetic_images_are_the_same_for_the_same_settings():
    one, same, other = (
        inspect_data({"name": "synthetic", "train_size": 20, "test_size": 5, "seed": seed}) for seed in (0, 0, 1)
    )
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert one.input_shape == (3, 32, 32)


def test_statistics_are_those_of_the_training_images():
    pixels = torch.randint(0, 256, (30, 3, 5, 5), dtype=torch.uint8)
    found = statistics(Images(pixels, torch.zeros(30, dtype=torch.int64)))
    torch.testing.assert_close(found.mean.flatten(), pixels.float().mean((0, 2, 3)))
    torch.testing.assert_close(found.deviation.flatten(), pixels.float().std((0, 2, 3), correction=0))
    torch.testing.assert_close(found.pixel_mean, pixels.float().mean(0))
    assert found.peak == int(pixels.max())


def test_validation_images_are_held_out_of_the_training_set_by_class():
    labels = torch.arange(100) % 4
    images = Images(torch.arange(100, dtype=torch.uint8)[:, None, None, None], labels)
    train, held = hold_out(images, 4, 0.2)
    assert torch.bincount(held.labels).tolist() == [5, 5, 5, 5]
    both = torch.cat([train.pixels, held.pixels]).flatten().sort().values
    assert torch.equal(both, torch.arange(100, dtype=torch.uint8))


def test_holding_out_shows_in_the_sizes_and_not_in_the_fingerprint():
    whole, split = inspect_data("digits"), inspect_data({"name": "digits", "validation": 0.2})
    assert split.train_size + split.validation_size == whole.train_size
    assert split.fingerprint == whole.fingerprint


@pytest.mark.parametrize(
    ("data", "key", "part"),
    [
        ("digit", ("name",), 'did you mean "digits"'),
        ({"root": "x"}, (), "data needs a name"),
        ({"name": "digits", "root": "x"}, ("root",), "known: name, validation"),
        ({"name": "cifar10", "download": "yes"}, ("download",), "true or false"),
        ({"name": "cifar10", "validation": 0.9}, ("validation",), "at most 0.5"),
        ({"name": "synthetic", "shape": [3, 32]}, ("shape",), "channels, height, width"),
        (7, (), "mapping"),
    ],
)
def test_wrong_data_is_refused_where_it_stands(data, key, part):
    with pytest.raises(SettingError, match=part) as raised:
        complete_data(data)
    assert raised.value.key == key
