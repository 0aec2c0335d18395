"""The contents of image folders: faults found before training, fingerprints that follow every byte, and the cache."""

import os
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from tests.trainers.data.test_folder import folder, notes, refused
from tests.trainers.data.written import write_photographs
from tests.trainers.networks import network, task
from trainers import DataError, Trainer, inspect_data
from trainers.data import load
from trainers.data.contents import examine
from trainers.data.folder_loader import FolderBatchLoader
from trainers.settings.recipe import complete_training

CPU = torch.device("cpu")


@pytest.fixture
def photographs(tmp_path):
    return write_photographs(tmp_path, {"train": 6, "val": 3})


@pytest.fixture
def one(photographs):
    return photographs / "train" / "cat" / "2.jpg"


def fingerprint(root, **changes):
    return inspect_data(folder(root, **changes)).fingerprint


def noise(path, side=40, seed=1, **options):
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)).save(path, **options)


# Faults that are found before training


@pytest.mark.parametrize("part", ["train/cat", "val/dog"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty (0 bytes)"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "it is a web page, as a failed download leaves one"),
        (b"  <HTML>", "it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n", "it is a pointer of Git LFS"),
        (b"no image", "no image starts with the bytes b'no image'"),
        (b"\xff\xd8\xff", "is not a readable image"),
    ],
)
def test_what_is_no_image_is_named_before_training(photographs, part, content, reason):
    path = photographs / part / "1.jpg"
    path.write_bytes(content)
    message = refused(photographs)
    assert message.startswith(f"{path} is not a readable image: ")
    assert reason in message


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "bmp", "ppm", "tif"])
@pytest.mark.parametrize("share", [0.3, 0.9, 0.99])
def test_a_truncated_image_is_named_before_training(photographs, ending, share):
    path = photographs / "train" / "cat" / f"cut.{ending}"
    noise(path)
    assert inspect_data(folder(photographs)).train_size == 13
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert refused(photographs).startswith(f"{path} is not a readable image: ")


def test_bytes_after_the_end_of_an_image_do_no_harm(photographs, one):
    one.write_bytes(one.read_bytes() + b"\0" * 100 + b"a camera's own data")
    assert inspect_data(folder(photographs)).train_size == 12


def test_damage_inside_an_image_is_found_where_every_pixel_is_decoded(photographs):
    path = photographs / "train" / "cat" / "torn.png"
    noise(path)
    content = bytearray(path.read_bytes())
    content[200:260] = bytes(60)
    path.write_bytes(content)
    assert inspect_data(folder(photographs)).train_size == 13
    assert refused(photographs, check="all").startswith(f"{path} is not a readable image: ")


def test_several_faults_are_counted_in_one_message(photographs):
    for name in ("0", "1", "3"):
        (photographs / "train" / "cat" / f"{name}.jpg").write_bytes(b"")
    message = refused(photographs)
    assert "cat/0.jpg is not a readable image: it is empty" in message
    assert f"(2 more files are faulty, for instance {photographs}/train/cat/1.jpg)" in message


def test_greys_of_unknown_range_are_found_before_training(photographs):
    Image.fromarray(np.ones((9, 9), np.float32)).save(photographs / "train" / "cat" / "grey.tif")
    assert "grey.tif holds grey values of unknown range" in refused(photographs)


@pytest.mark.timeout(20)
def test_what_is_no_regular_file_is_not_waited_for(photographs):
    os.mkfifo(photographs / "train" / "cat" / "pipe.png")
    assert "cat/pipe.png is no file that could hold an image" in refused(photographs)


def test_nothing_is_looked_at_where_that_is_asked_for(photographs, one):
    one.write_bytes(b"")
    assert inspect_data(folder(photographs, check="none")).train_size == 12
    assert "check: none: a file whose content changed" in notes(photographs, check="none")


# Fingerprints


def test_the_fingerprint_follows_contents_of_equal_size(photographs):
    path = photographs / "train" / "cat" / "same.bmp"
    noise(path, seed=1)
    before, size = fingerprint(photographs), path.stat().st_size
    noise(path, seed=2)
    assert path.stat().st_size == size
    assert fingerprint(photographs) != before


def test_the_fingerprint_follows_contents_whose_times_were_put_back(photographs):
    path = photographs / "train" / "cat" / "same.bmp"
    noise(path, seed=1)
    before, found = fingerprint(photographs), path.stat()
    noise(path, seed=2)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert path.stat().st_mtime_ns == found.st_mtime_ns
    assert fingerprint(photographs) != before


def test_the_fingerprint_is_of_contents_and_not_of_where_and_how_they_lie(photographs, tmp_path_factory):
    before = fingerprint(photographs)
    copy = tmp_path_factory.mktemp("elsewhere") / "copy"
    shutil.copytree(photographs, copy)
    (copy / "val").rename(copy / "test")
    assert fingerprint(copy) == fingerprint(copy, check="all", workers=2) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "train/cat/2.jpg").unlink(),
        lambda root: (root / "val/cat/2.jpg").unlink(),
        lambda root: (root / "train/cat/2.jpg").rename(root / "train/dog/moved.jpg"),
        lambda root: (root / "train/cat/2.jpg").rename(root / "val/cat/moved.jpg"),
        lambda root: (root / "train/cat/0.jpg").rename(root / "train/cat/9.jpg"),  # the order of training
    ],
)
def test_the_fingerprint_follows_what_is_trained_and_tested(photographs, change):
    before = fingerprint(photographs)
    change(photographs)
    assert fingerprint(photographs) != before


def test_without_contents_the_fingerprint_follows_names_and_sizes(photographs, one):
    before = fingerprint(photographs, check="none")
    assert before != fingerprint(photographs)
    one.write_bytes(one.read_bytes() + b"\0")
    assert fingerprint(photographs, check="none") != before


# The cache


def test_known_files_are_not_read_again(photographs, monkeypatch):
    monkeypatch.setattr("trainers.data.contents.YOUNG_SECONDS", -3600.0)  # a test does not wait
    before = fingerprint(photographs)
    monkeypatch.setattr("trainers.data.contents._digest", None)  # whoever reads a file fails
    assert fingerprint(photographs) == before


def test_a_file_is_read_again_once_anything_about_it_changed(photographs, one, monkeypatch):
    monkeypatch.setattr("trainers.data.contents.YOUNG_SECONDS", -3600.0)
    before = fingerprint(photographs)
    content = one.read_bytes()
    one.unlink()
    one.write_bytes(content[:-2] + b"\0\xff\xd9")
    assert fingerprint(photographs) != before
    one.write_bytes(content)
    assert fingerprint(photographs) == before


def test_a_file_that_was_written_just_now_is_not_kept(photographs, monkeypatch):
    fingerprint(photographs)
    read = []
    monkeypatch.setattr("trainers.data.contents._digest", lambda file: read.append(file.name) or b"\0" * 32)
    fingerprint(photographs)
    assert len(read) == 18


def test_every_pixel_is_decoded_although_the_header_is_known(photographs, monkeypatch):
    monkeypatch.setattr("trainers.data.contents.YOUNG_SECONDS", -3600.0)
    path = photographs / "train" / "cat" / "torn.png"
    noise(path)
    content = bytearray(path.read_bytes())
    content[200:260] = bytes(60)
    path.write_bytes(content)
    fingerprint(photographs)
    assert "torn.png is not a readable image" in refused(photographs, check="all")


@pytest.mark.parametrize("content", [b"", b"garbage", b"digests of images 1\nxx\ty", b"digests of images 9\n"])
def test_a_torn_cache_is_as_good_as_none(photographs, monkeypatch, content):
    monkeypatch.setattr("trainers.data.contents.YOUNG_SECONDS", -3600.0)
    before = fingerprint(photographs)
    (cache,) = (photographs.parent / os.environ["XDG_CACHE_HOME"] / "ablation-orchestrator").iterdir()
    cache.write_bytes(content)
    assert fingerprint(photographs) == before


def test_a_cache_that_cannot_be_written_does_no_harm(photographs, monkeypatch, tmp_path_factory):
    before = fingerprint(photographs)
    blocked = tmp_path_factory.mktemp("blocked") / "file"
    blocked.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert fingerprint(photographs) == before


# Changes in the middle of a training


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_photograph_that_changes_in_the_middle_ends_the_training(photographs, one, workers):
    data = folder(photographs, workers=workers)
    trainer = Trainer(task(0, data=data, network_settings=network(), batch_size=4, epochs=3))
    trainer.run_epoch()
    found = one.stat()
    noise(one, side=42)
    one.write_bytes(one.read_bytes()[: found.st_size].ljust(found.st_size, b"\0"))
    os.utime(one, ns=(found.st_atime_ns, found.st_mtime_ns))
    with pytest.raises(DataError, match=r"cat/2\.jpg has changed since the training was planned: run again") as raised:
        trainer.run_epoch()
    assert "\n" not in raised.value.message


def test_a_photograph_that_is_only_touched_is_the_same(photographs, one):
    data = folder(photographs)
    batches = FolderBatchLoader(load(data, CPU), complete_training({"batch_size": 5}, data), CPU)
    before = torch.cat([images for images, _ in batches.train(0, 1)])
    content = one.read_bytes()
    one.unlink()
    one.write_bytes(content)
    assert torch.equal(torch.cat([images for images, _ in batches.train(0, 1)]), before)


def test_without_contents_a_new_size_or_time_is_a_change(photographs, one):
    data = folder(photographs, check="none")
    batches = FolderBatchLoader(load(data, CPU), complete_training({"batch_size": 5}, data), CPU)
    os.utime(one)
    with pytest.raises(DataError, match="has changed since"):
        list(batches.train(0, 1))


def test_a_long_first_reading_is_told(photographs, monkeypatch, caplog):
    monkeypatch.setattr("trainers.data.contents.TOLD_BYTES", 1000)
    examine(photographs, [(str(path), 0) for path in sorted(photographs.rglob("*.jpg"))], "headers")
    assert "reading 18 images once" in caplog.text
