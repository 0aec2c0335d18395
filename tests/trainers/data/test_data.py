import gzip
import struct

import numpy as np
import pytest
import torch

from search_spaces.errors import SettingError
from tests.trainers.data.written import write_fashion_mnist, write_idx
from trainers import complete_data, inspect_data
from trainers.data import load
from trainers.data.images import Images, held_out, hold_out, statistics

CPU = torch.device("cpu")


@pytest.fixture(params=["", ".gz"])
def fashion(request, tmp_path):
    return write_fashion_mnist(tmp_path, request.param)


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


@pytest.mark.parametrize(
    ("name", "array", "kind", "part"),
    [
        ("train-labels-idx1", np.arange(12), 8, "its labels do not fit 10 classes: they go from 0 to 11"),
        ("train-labels-idx1", np.arange(9), 8, r"its labels do not fit 12 images: their shape is \[9\]"),
        ("train-images-idx3", np.zeros((0, 28, 28)), 8, r"sizes of \[0, 28, 28\]"),
        ("t10k-images-idx3", np.zeros((0, 28, 28)), 8, r"sizes of \[0, 28, 28\]"),
        ("t10k-images-idx3", np.zeros((6, 28, 20)), 8, r"of size \[28, 20\], the training set of \[28, 28\]"),
        ("train-images-idx3", np.zeros((12, 28, 28)), 12, r"bytes \[0, 0, 12, 3\] and not with \[0, 0, 8, 3\]"),
        ("train-images-idx3", np.zeros(12 * 28 * 28), 8, r"bytes \[0, 0, 8, 1\] and not with \[0, 0, 8, 3\]"),
    ],
)
def test_files_that_mean_no_images_with_labels_are_named(fashion, name, array, kind, part):
    path = next((fashion / "FashionMNIST" / "raw").glob(f"{name}*"))
    write_idx(path, array, kind)
    with pytest.raises(SettingError, match=f"{name}.*{part}") as raised:
        inspect_data({"name": "fashion_mnist", "root": str(fashion)})
    assert raised.value.key == ("root",)


@pytest.mark.parametrize("size", [-1, 2**31 - 1])
def test_a_nonsensical_size_is_named(fashion, size):
    path = next((fashion / "FashionMNIST" / "raw").glob("train-images*"))
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        content = file.read()
    with opener(path, "wb") as file:
        file.write(content[:4] + struct.pack(">i", size) + content[8:])
    with pytest.raises(SettingError, match=f"{path.name} is not a whole idx file"):
        inspect_data({"name": "fashion_mnist", "root": str(fashion)})


def test_images_that_are_all_black_are_refused(fashion):
    path = next((fashion / "FashionMNIST" / "raw").glob("train-images*"))
    write_idx(path, np.zeros((12, 28, 28)))
    with pytest.raises(SettingError, match=f"fashion_mnist in {fashion} is all black"):
        inspect_data({"name": "fashion_mnist", "root": str(fashion)})


def test_one_image_is_too_few_to_train_on(fashion):
    folder = fashion / "FashionMNIST" / "raw"
    write_idx(next(folder.glob("train-images*")), np.ones((1, 28, 28)))
    write_idx(next(folder.glob("train-labels*")), np.zeros(1))
    with pytest.raises(SettingError, match=f"fashion_mnist in {fashion} has 1 training and 6 test images"):
        inspect_data({"name": "fashion_mnist", "root": str(fashion)})


def test_a_file_in_the_way_of_a_download_is_one_clear_message(fashion):
    for path in (fashion / "FashionMNIST" / "raw").iterdir():
        path.with_suffix("").write_bytes(b"torn")
    with pytest.raises(SettingError, match=r"could not be downloaded into .*delete what is broken") as raised:
        inspect_data({"name": "fashion_mnist", "root": str(fashion), "download": True})
    assert raised.value.key == ("download",)


def test_missing_files_say_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr("trainers.data.sets.fashion_mnist.DEBIAN", tmp_path / "nowhere")
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
    ("data", "part"),
    [
        ({"name": "digits", "validation": 0.003}, "0 of 1,437 training images.*set it to 0.007 or more"),
        ({"name": "synthetic", "train_size": 2, "test_size": 1, "validation": 0.5}, "0 of 2 training.*: leave it out"),
        ({"name": "synthetic", "classes": 2, "train_size": 4, "validation": 0.2}, "set it to 0.5 or more"),
    ],
)
def test_a_share_that_holds_out_no_image_is_refused(data, part):
    with pytest.raises(SettingError, match=part) as raised:
        inspect_data(data)
    assert raised.value.key == ("validation",)


@pytest.mark.parametrize("largest", [2, 3, 7, 146, 999, 6001])
def test_the_share_that_is_advised_holds_out_an_image(largest):
    images = Images(torch.zeros(largest, 1, 1, 1), torch.zeros(largest, dtype=torch.int64))
    with pytest.raises(SettingError) as raised:
        hold_out(images, 1, 1e-9)
    advised = float(raised.value.message.partition("set it to ")[2].split()[0])
    assert advised <= 0.5
    assert held_out(torch.zeros(largest + 2, dtype=torch.int64), 1, advised).any()


def test_a_share_that_leaves_one_image_to_train_on_is_refused():
    images = Images(torch.ones(3, 1, 1, 1), torch.zeros(3, dtype=torch.int64))
    with pytest.raises(SettingError, match="leaves 1 image to train on"):
        hold_out(images, 1, 0.5)


@pytest.mark.parametrize(
    ("data", "key", "part"),
    [
        ("digit", ("name",), 'did you mean "digits"'),
        ({"root": "x"}, (), "data needs a name"),
        ({"name": "digits", "root": "x"}, ("root",), "known: name, split_by_seed, validation"),
        ({"name": "cifar10", "download": "yes"}, ("download",), "true or false"),
        ({"name": "cifar10", "validation": 0.9}, ("validation",), "from 0 to 0.5"),
        ({"name": "synthetic", "shape": [3, 32]}, ("shape",), "a list of 3 values"),
        (7, (), "mapping"),
    ],
)
def test_wrong_data_is_refused_where_it_stands(data, key, part):
    with pytest.raises(SettingError, match=part) as raised:
        complete_data(data)
    assert raised.value.key == key
