"""Data sets in the formats that people have on disk."""

import hashlib
import os
import pickle
import struct
import sys
import tarfile

import numpy as np
import pytest
import torch

from search_spaces.errors import SettingError
from tests.trainers.data.written import write_batch, write_cifar10, write_cifar100, write_photographs
from tests.trainers.networks import network, task
from trainers import DataError, Trainer, inspect_data
from trainers.data import load
from trainers.data.folder_loader import FolderBatchLoader
from trainers.settings.recipe import complete_training

CPU = torch.device("cpu")


@pytest.fixture
def cifar10(tmp_path):
    return write_cifar10(tmp_path)


@pytest.fixture
def cifar100(tmp_path):
    return write_cifar100(tmp_path)


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
    with pytest.raises(SettingError, match=r"data_batch_3 is missing.*download: true to fetch CIFAR-10"):
        inspect_data({"name": "cifar10", "root": str(cifar10)})


@pytest.fixture
def archived(cifar10, monkeypatch):
    """Make torchvision take the small files for CIFAR-10, with the archive of a download that was cut short."""
    from torchvision.datasets import CIFAR10

    folder, archive = cifar10 / "cifar-10-batches-py", cifar10 / CIFAR10.filename
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": ["a"] * 10}))
    with tarfile.open(archive, "w:gz") as file:
        file.add(folder, folder.name)
    sums = {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in (archive, *folder.iterdir())}
    monkeypatch.setattr(CIFAR10, "tgz_md5", sums[archive.name])
    monkeypatch.setattr(CIFAR10, "train_list", [(f"data_batch_{at}", sums[f"data_batch_{at}"]) for at in range(1, 6)])
    monkeypatch.setattr(CIFAR10, "test_list", [("test_batch", sums["test_batch"])])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": sums["batches.meta"]})
    return folder


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"torn")])
def test_a_download_mends_a_half_extracted_set(archived, damage):
    damage(archived / "test_batch")
    info = inspect_data({"name": "cifar10", "root": str(archived.parent), "download": True})
    assert (info.train_size, info.test_size) == (40, 6)


def test_a_whole_set_is_not_downloaded(cifar10, monkeypatch):
    monkeypatch.setattr("trainers.data.cifar.download_into", None)
    assert inspect_data({"name": "cifar10", "root": str(cifar10), "download": True}).train_size == 40


@pytest.mark.parametrize("damage", [lambda content: content[:1000], lambda content: b"no pickle"])
def test_a_torn_batch_is_named(cifar10, damage):
    path = cifar10 / "cifar-10-batches-py" / "data_batch_3"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(SettingError, match="data_batch_3 is not a whole batch file"):
        inspect_data({"name": "cifar10", "root": str(cifar10)})


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (lambda path: path.write_bytes(b""), "is not a whole batch file of CIFAR-10: it is empty"),
        (lambda path: path.write_bytes(pickle.dumps([1])), "it holds a list where a mapping of data and labels is due"),
        (lambda path: path.write_bytes(pickle.dumps({"x": 1})), "it has no 'data'"),
        (lambda path: (path.unlink(), path.mkdir()), r"cannot be read \(Is a directory\)"),
        (lambda path: (path.unlink(), path.symlink_to("nowhere")), "is missing or a broken link"),
        (lambda path: (path.unlink(), path.symlink_to(path)), "Too many levels of symbolic links"),
    ],
)
def test_whatever_lies_in_the_place_of_a_batch_is_told(cifar10, make, part):
    make(cifar10 / "cifar-10-batches-py" / "data_batch_3")
    with pytest.raises(DataError, match=f"data_batch_3.*{part}"):
        inspect_data({"name": "cifar10", "root": str(cifar10)})


def test_labels_outside_the_classes_are_refused(cifar10):
    write_batch(cifar10 / "cifar-10-batches-py" / "data_batch_3", 12, "labels", 12)
    with pytest.raises(SettingError, match="labels do not fit"):
        inspect_data({"name": "cifar10", "root": str(cifar10)})


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"labels": [[at] for at in range(8)]}, r"labels do not fit 8 images: their shape is \[8, 1\]"),
        ({"labels": [0.7] * 8}, "values that int64 cannot hold"),
        ({"labels": [float("nan")] * 8}, "values that int64 cannot hold"),
        ({"labels": [2**70] * 8}, "is not a whole batch file"),
        ({"data": np.full((8, 3072), -5)}, "values that uint8 cannot hold"),
        ({"data": np.full((8, 3072), 0.5)}, "values that uint8 cannot hold"),
        ({"labels": [], "data": np.zeros((0, 3072)).tolist()}, "holds no images"),
    ],
)
def test_what_is_no_image_or_no_label_is_refused(cifar10, changes, part):
    path = cifar10 / "cifar-10-batches-py" / "data_batch_3"
    path.write_bytes(pickle.dumps(pickle.loads(path.read_bytes()) | changes, protocol=2))
    with pytest.raises(SettingError, match=f"data_batch_3.*{part}"):
        inspect_data({"name": "cifar10", "root": str(cifar10)})


@pytest.mark.parametrize(
    "content",
    [
        b"cnumpy.nosuch\nndarray\n.",  # ModuleNotFoundError
        b"c_codecs\nencode\n(Vx\nVnosuch\ntR.",  # LookupError
        b"\x80\x04\x8e" + struct.pack("<Q", 2**63),  # OverflowError
        b"\x80\x04\x8e" + struct.pack("<Q", 2**62),  # MemoryError
    ],
)
def test_whatever_a_damaged_pickle_raises_is_one_message(cifar10, content):
    (cifar10 / "cifar-10-batches-py" / "data_batch_3").write_bytes(content)
    with pytest.raises(SettingError, match="data_batch_3 is not a whole batch file of CIFAR-10: "):
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
    return write_photographs(tmp_path, {"train": 6, "val": 3})


def folder(root, **changes):
    return {"name": "image_folder", "root": str(root), "size": 16, "workers": 0, **changes}


def loader(root, epoch=1, **training):
    data = folder(root)
    return FolderBatchLoader(load(data, CPU), complete_training({"batch_size": 5, **training}, data), CPU)


def test_an_image_folder_is_inspected(photographs):
    info = inspect_data(folder(photographs))
    assert (info.input_shape, info.num_classes, info.train_size, info.test_size) == ((3, 16, 16), 2, 12, 6)


@pytest.mark.parametrize("resize", ["none", "shorter_side", "area"])
def test_photographs_come_in_batches_of_one_shape(photographs, resize):
    found = loader(photographs, augment={"resize": resize, "flip": True, "colour": True})
    shapes = [tuple(images.shape) for images, _ in found.train(0, 1)]
    assert shapes == [(5, 3, 16, 16), (5, 3, 16, 16), (2, 3, 16, 16)]
    assert found.sizes == [5, 5, 2]


def test_what_normalises_photographs_can_be_told(photographs):
    (images, _), *_ = loader(photographs, normalise="none").test(6)
    found, plain = (loader(photographs, normalise=kind) for kind in ("channel", "none"))
    (expected, _), *_ = found.test(6)
    told = found.normalisation()
    mean, deviation = (torch.tensor(told[key])[:, None, None] for key in ("subtracted", "divided_by"))
    torch.testing.assert_close((255 * images - mean) / deviation, expected)
    assert plain.normalisation() == {"kind": "none", "subtracted": [0.0] * 3, "divided_by": [255.0] * 3}


def test_what_chance_does_to_a_photograph_is_a_function_of_seed_and_epoch(photographs):
    found = loader(photographs, augment={"resize": "area", "flip": True, "colour": True})
    one, same, other = (torch.cat([images for images, _ in found.train(*at)]) for at in ((0, 1), (0, 1), (0, 2)))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.slow
def test_worker_processes_read_the_same_photographs(photographs):
    data = folder(photographs, workers=2)
    training = complete_training({"batch_size": 5, "augment": {"resize": "area"}}, data)
    ahead = FolderBatchLoader(load(data, CPU), training, CPU)
    here = loader(photographs, augment={"resize": "area"})
    for (images, labels), (others, other_labels) in zip(ahead.train(0, 1), here.train(0, 1), strict=True):
        assert torch.equal(images, others)
        assert torch.equal(labels, other_labels)


def test_an_image_folder_trains_and_validates(photographs):
    asked = task(0, data=folder(photographs, validation=0.34), network_settings=network(), batch_size=4, epochs=1)
    record = Trainer(asked).run_epoch()[0]
    assert record.test_error is not None
    assert record.val_error is not None


@pytest.mark.parametrize("workers", [0, 1])
def test_photographs_leave_the_callers_random_numbers_alone(photographs, workers):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    data = folder(photographs, workers=workers)
    Trainer(task(0, data=data, network_settings=network(), batch_size=4, epochs=1)).run_epoch()
    assert torch.equal(torch.get_rng_state(), before)


FILE_SETS = ("cifar10", "fashion_mnist", "image_folder")


@pytest.mark.parametrize("name", FILE_SETS)
def test_the_home_of_an_unknown_user_is_refused(name):
    with pytest.raises(SettingError, match="~nosuchuser/x starts with a home that nobody has") as raised:
        inspect_data({"name": name, "root": "~nosuchuser/x"})
    assert raised.value.key == ("root",)


@pytest.mark.parametrize("name", FILE_SETS)
@pytest.mark.parametrize(("root", "part"), [("", "not ''"), (" ", "not ' '"), ("a\0b", "root must be a folder")])
def test_a_root_that_no_folder_can_have_is_refused(name, root, part):
    with pytest.raises(DataError, match=part) as raised:
        inspect_data({"name": name, "root": root})
    assert raised.value.key == ("root",)


@pytest.mark.parametrize("name", FILE_SETS)
def test_a_file_in_the_place_of_the_root_is_told(name, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="file is a file: set root to the folder that holds the data set"):
        inspect_data({"name": name, "root": str(tmp_path / "file")})


@pytest.mark.parametrize("name", FILE_SETS)
def test_a_root_that_is_too_long_is_one_message(name):
    with pytest.raises(SettingError, match="a" * 5000) as raised:
        inspect_data({"name": name, "root": "a" * 5000})
    assert raised.value.key == ("root",)


@pytest.fixture
def closed(tmp_path):
    """Return a folder that may not be opened; the rights of root, who may open every folder, are given up."""
    before = os.geteuid()
    tmp_path.chmod(0)
    try:
        if before == 0:
            os.seteuid(65534)
    except OSError:
        pytest.skip("this machine does not let root become another user")
    yield tmp_path
    os.seteuid(before)
    tmp_path.chmod(0o700)


@pytest.mark.parametrize("name", FILE_SETS)
def test_a_folder_without_permission_is_one_message(closed, name):
    with pytest.raises(SettingError, match=str(closed)) as raised:
        inspect_data({"name": name, "root": str(closed)})
    assert raised.value.key == ("root",)
