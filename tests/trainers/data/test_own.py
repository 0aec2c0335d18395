"""Data sets of the user's own: what they may return, what identifies them, and one message for every mistake."""

import linecache
import sys
from typing import ClassVar

import pytest
import torch

from search_spaces.errors import SettingError
from tests.trainers.networks import network, task
from trainers import DataError, Trainer, complete_data, inspect_data
from trainers.data import load, read
from trainers.testing import DataSetContract

CPU = torch.device("cpu")
HEAD = """
import sys
import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset, IterableDataset, TensorDataset

def pixels(count, *shape, seed=0):
    return torch.randint(0, 256, (count, *(shape or (2, 5, 7))), generator=torch.Generator().manual_seed(seed)).byte()

def labels(count, classes=3):
    return torch.arange(count) % classes

class Endless(IterableDataset):
    def __iter__(self):
        return iter([])

def load(*, count: int = 12, scale: float = 1.0):
    {body}
"""
PAIRS = "return (pixels(count), labels(count)), (pixels(6, seed=1), labels(6))"


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a module whose function `load` has that body, and forget what was imported of it before."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def module(body, head=HEAD):
        sys.modules.pop("data_of_mine", None)
        (tmp_path / "data_of_mine.py").write_text(head.replace("{body}", body))
        linecache.clearcache()
        return "data_of_mine:load"

    yield module
    sys.modules.pop("data_of_mine", None)


def info(name, **settings):
    return read(complete_data({"name": name, **settings})).info


class TestOwnData(DataSetContract):
    data: ClassVar = {"name": "tests.trainers.data.own_example:load", "count": 30}


class TestOwnFloats(DataSetContract):
    data: ClassVar = {"name": "tests.trainers.data.own_example:load_floats"}


@pytest.mark.parametrize(
    "body",
    [
        PAIRS,
        "return [[pixels(count), labels(count)], [pixels(6), labels(6)]]",
        "return (pixels(count).numpy(), labels(count).numpy()), (pixels(6).numpy(), labels(6).tolist())",
        "return (pixels(count).long(), labels(count).float()), (pixels(6).int(), labels(6).byte())",
        "return TensorDataset(pixels(count), labels(count)), TensorDataset(pixels(6), labels(6))",
        "return (pixels(count), labels(count)), (pixels(6), labels(6)), 3",
        "return (pixels(count), labels(count)), TensorDataset(pixels(6), labels(6)), np.int64(3)",
    ],
)
def test_whatever_holds_images_and_labels_will_do(write, body):
    name = write(body)
    found = info(name)
    assert (found.input_shape, found.num_classes, found.train_size, found.test_size) == ((2, 5, 7), 3, 12, 6)
    assert read(complete_data(name)).train.pixels.dtype == torch.uint8


def test_photographs_of_pil_become_colours_first(write):
    body = "return [[(Image.new('RGB', (7, 5), (9, 0, 0)), at % 2) for at in range(8)] for _ in range(2)]"
    found = read(complete_data(write(body)))
    assert found.info.input_shape == (3, 5, 7)
    assert found.train.pixels[0].amax((1, 2)).tolist() == [9, 0, 0]


def test_floats_are_kept_and_normalised_by_their_own_channels(write):
    name = write("x = torch.randn(count, 2, 5, 7).double() * 3 + 5\n    return (x, labels(count)), (x[:4], labels(4))")
    found = read(complete_data(name))
    assert found.train.pixels.dtype == torch.float32
    torch.testing.assert_close(found.statistics.mean.flatten(), found.train.pixels.mean((0, 2, 3)))
    assert found.statistics.peak == 1


def test_settings_are_arguments_and_can_be_wrong_where_they_stand(write):
    name = write("return (pixels(count), labels(count)), (pixels(6), labels(6))")
    assert info(name, count=24).train_size == 24
    assert complete_data(name) == {"name": name, "count": 12, "scale": 1.0, "validation": 0.0}
    with pytest.raises(SettingError, match="did you mean") as raised:
        complete_data({"name": name, "coun": 3})
    assert raised.value.key == ("coun",)
    with pytest.raises(SettingError, match="count must be a whole number") as raised:
        complete_data({"name": name, "count": "many"})
    assert raised.value.key == ("count",)


def test_a_data_set_of_ones_own_trains(write):
    name = write(PAIRS)
    data = {"name": name, "count": 20, "validation": 0.3}
    record = Trainer(task(0, data=data, network_settings=network(), batch_size=4, epochs=1)).run_epoch()[0]
    assert record.test_error is not None
    assert record.val_error is not None


def test_crops_and_mirrors_work_for_any_shape(write):
    name = write(PAIRS.replace("seed=1", "seed=2"))
    asked = task(0, data={"name": name}, network_settings=network(), batch_size=4, epochs=1, augment={"crop": 2})
    assert Trainer(asked).run_epoch()


# What identifies it


def test_the_fingerprint_follows_contents_and_code(write):
    first = info(write(PAIRS)).fingerprint
    assert info(write(f"# a remark\n    {PAIRS}")).fingerprint == first
    assert info(write(PAIRS.replace("seed=1", "seed=2"))).fingerprint != first
    assert info(write(f"scale = 2 * scale\n    {PAIRS}")).fingerprint != first


def test_floats_and_bytes_of_one_value_are_two_data_sets(write):
    body = "x = torch.zeros(count, 1, 2, 2, dtype={}); x[0] = 1\n    return (x, labels(count)), (x, labels(count))"
    assert info(write(body.format("torch.uint8"))).fingerprint != info(write(body.format("torch.float"))).fingerprint


def test_a_loader_that_draws_without_a_seed_is_found_out(write):
    name = write("x = torch.rand(count, 1, 4, 4)\n    return (x, labels(count)), (x, labels(count))")
    planned = info(name).fingerprint
    asked = task(0, data={"name": name}, network_settings=network(), batch_size=4, epochs=1)
    with pytest.raises(DataError, match="a loader that draws random numbers must seed them"):
        Trainer(type(asked)(**{**vars(asked), "fingerprint": planned}))


# Mistakes


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("sys.exit(3)", r"load ends the program \(sys\.exit\(3\) in data_of_mine\.py, line 19\)"),
        ("import argparse; argparse.ArgumentParser().parse_args(['--x'])", r"ends the program"),
        ("return 1 / 0", "load raised ZeroDivisionError: division by zero"),
        ("raise ValueError('no such thing')", "load refuses these settings: no such thing"),
        ("return None", "must return train and test, and maybe the number of classes, not nothing"),
        ("return pixels(9), labels(9), pixels(9), labels(9)", "must return train and test.* not a tuple of 4"),
        ("return pixels(9), labels(9)", "train: must be a pair of images and labels, or a Dataset"),
        ("return 5, 6", "train: must be a pair of images and labels, or a Dataset with a length, not a int"),
        (
            "class I(IterableDataset):\n        def __iter__(self): return iter([])\n    return I(), I()",
            "a Dataset with a length, not a I",
        ),
        ("return [(1, 2, 3)] * 3, [(1, 2)] * 3", "train: item 0 must be a pair of image and label, not a tuple of 3"),
        ("return [], []", "train: holds no images"),
        ("return ((pixels(8), labels(8)), (pixels(0), labels(0)))", r"test: holds no images: their shape is \[0, 2"),
        ("return [(np.ones((1, 2, at)), 0) for at in (3, 4, 5)], []", r"image 1 \[1, 2, 4\]: bring them to one size"),
        ("return ('ab', [0]), ([1], [0])", "train: holds a str where a tensor or an array of numbers is due"),
        ("return ([[1, 2], [3]], [0]), ([1], [0])", "train: holds a list of 2 where a tensor"),
        ("return (pixels(8, 5, 7), labels(8)), 0", r"not \[8, 5, 7\]; images\[:, None\] adds a channel"),
        ("return (pixels(8, 9), labels(8)), 0", r"\(count, channels, height, width\), not \[8, 9\]"),
        ("return (pixels(8, 9, 9, 3), labels(8)), 0", "channels come first"),
        ("return (pixels(8), labels(7)), 0", r"labels must have shape \[8\], one for each image, not \[7\]"),
        ("return (pixels(8), torch.eye(8)), 0", r"not \[8, 8\]; argmax\(1\) makes class numbers"),
        ("return (pixels(8), labels(8) + 0.5), 0", "label 0 is 0.5: labels are whole numbers from 0 on"),
        ("return (pixels(8), labels(8) / 0), 0", "label 0 is nan: labels are whole numbers"),
        ("return (pixels(8), labels(8) - 1), 0", "label 0 is -1: labels are whole numbers from 0 on"),
        ("x = pixels(8) / 9; x[3] = np.nan\n    return (x, labels(8)), 0", "1 of 8 images hold NaN.* image 3"),
        ("x = pixels(8) / 9; x[3] = np.inf\n    return (x, labels(8)), 0", "1 of 8 images hold NaN or infinite"),
        ("return (pixels(8) * 1j, labels(8)), 0", "must be real numbers, not complex"),
        ("return (pixels(8), labels(8)), (pixels(8, 2, 5, 8), labels(8))", r"two shapes, \[2, 5, 7\] and \[2, 5, 8\]"),
        ("return (pixels(8), labels(8)), (pixels(8) / 255, labels(8))", "of two types: both must be uint8"),
        ("return (pixels(8), labels(8)), (pixels(8), labels(8, 5))", "label 4 of test is 4: there are 3 classes"),
        ("return (pixels(8), labels(8)), (pixels(8), labels(8)), 2", "label 2 of train is 2: there are 2 classes"),
        ("return (pixels(8), labels(8) + 1), (pixels(8), labels(8) + 1)", "no training image has label 0: count"),
        ("return (pixels(8), 0 * labels(8)), (pixels(8), 0 * labels(8))", "training images of one class"),
        ("return (pixels(8), labels(8)), (pixels(8), labels(8)), 'ten'", "number of classes of 2 or more.*not 'ten'"),
        ("return (0 * pixels(8), labels(8)), (pixels(8), labels(8))", "data_of_mine:load is all black"),
        ("return (pixels(1), labels(1)), (pixels(8), labels(8)), 3", "has 1 training and 8 test images"),
    ],
)
def test_every_mistake_is_one_message(write, capfd, body, message):
    with pytest.raises(SettingError, match=message) as raised:
        info(write(body))
    assert raised.value.key == ("name",)
    assert "data_of_mine:load" in raised.value.message
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("def load(*, name: str = 'x'): {body}", "cannot have a setting name: every data set has one"),
        ("def load(*, validation: float = 0.1): {body}", "cannot have a setting validation"),
        ("def load(*, count: nothing = 1): {body}", "NameError: name 'nothing' is not defined"),
        ("def load(*, count: 'Nothing' = 1): {body}", "raised NameError: name 'Nothing' is not defined"),
        ("def load(count): {body}", 'setting of data_of_mine:load "count" is missing'),
        ("def load(*, thing=object()): {body}", "cannot be written as JSON"),
        ("load = dict", "has no signature"),
        ("def loads(): {body}", 'unknown loader in data_of_mine "load": did you mean "loads"'),
        ("print('hello'); raise SystemExit(2)", "ends the program when it is imported"),
    ],
)
def test_mistakes_of_the_function_itself(write, capfd, head, message):
    name = write("return 0", head)
    with pytest.raises(SettingError, match=message):
        complete_data(name)
    assert capfd.readouterr().out == ""


def test_what_the_disk_refuses_may_pass(write):
    with pytest.raises(DataError, match=r"load cannot read its data: .*nowhere\.npy"):
        info(write("return np.load('nowhere.npy'), 0"))


def test_what_it_prints_leaves_stdout_alone(write, capfd):
    inspect_data(write(f"print('reading')\n    {PAIRS}"))
    written = capfd.readouterr()
    assert (written.out, written.err.strip()) == ("", "reading")


def test_it_is_read_once_a_process(write):
    name = write(f"print('reading', file=sys.stderr)\n    {PAIRS}")
    assert load(name, CPU) is load({"name": name}, CPU)
