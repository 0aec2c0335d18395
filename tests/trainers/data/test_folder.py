"""Image folders as real disks have them: what counts as an image of which class, and which part is measured."""

import errno
import os
import unicodedata

import pytest
import torch
from PIL import Image

from search_spaces.errors import SettingError
from tests.trainers.data.written import write_photographs
from trainers import DataError, inspect_data
from trainers.data import load
from trainers.data.folder_loader import FolderBatchLoader
from trainers.settings.recipe import complete_training

CPU = torch.device("cpu")


@pytest.fixture
def photographs(tmp_path):
    return write_photographs(tmp_path, {"train": 6, "val": 3})


def folder(root, **changes):
    return {"name": "image_folder", "root": str(root), "size": 16, "workers": 0, **changes}


def notes(root, **changes):
    return " | ".join(inspect_data(folder(root, **changes)).notes)


def refused(root, **changes):
    with pytest.raises(DataError) as raised:
        inspect_data(folder(root, **changes))
    assert raised.value.key == ("root",)
    return raised.value.message


def image(path, side=20):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (side, side), (90, 20, 50)).save(path)


# What is passed over


@pytest.mark.parametrize(
    "name",
    [
        ".ipynb_checkpoints", ".git", "@eaDir", "__MACOSX", "lost+found", ".thumbnails", "$RECYCLE.BIN", "#recycle",
        "System Volume Information", ".@__thumb", "__pycache__",
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["train", "train/cat", "val", "val/dog/"])
def test_hidden_and_system_folders_are_no_classes_and_hold_no_images(photographs, name, place):
    before = inspect_data(folder(photographs))
    image(photographs / place / name / "0.jpg")
    (photographs / place / name / "empty").mkdir()
    after = inspect_data(folder(photographs))
    assert (after.train_size, after.test_size, after.num_classes) == (12, 6, 2)
    assert after.fingerprint == before.fingerprint
    assert f"left out (hidden, or made by a system): {place.strip('/')}/{name}" in " | ".join(after.notes)


@pytest.mark.parametrize("name", ["._0.jpg", ".hidden.png", "Thumbs.db", "desktop.ini", ".DS_Store"])
def test_hidden_files_are_no_images(photographs, name):
    (photographs / "train" / "cat" / name).write_bytes(b"\0\5\x16\7")
    assert inspect_data(folder(photographs)).train_size == 12


def test_hidden_folders_at_the_root_are_no_parts(photographs):
    image(photographs / "@eaDir" / "train" / "cat" / "0.jpg")
    assert "left out" not in notes(photographs)


def test_what_is_no_image_by_its_name_is_told(photographs):
    (photographs / "train" / "cat" / "notes.txt").touch()
    image(photographs / "train" / "beside.png")
    assert "no images, by name or place): train/beside.png, train/cat/notes.txt" in notes(photographs)


def test_an_empty_folder_is_no_class_and_is_told(photographs):
    (photographs / "train" / "ant" / "inside").mkdir(parents=True)
    (photographs / "train" / "ant" / ".DS_Store").touch()
    assert inspect_data(folder(photographs)).num_classes == 2
    assert "left out (class folders without a file): train/ant" in notes(photographs)


def test_a_class_of_files_of_another_kind_is_refused(photographs):
    (photographs / "train" / "ant").mkdir()
    (photographs / "train" / "ant" / "0.heic").touch()
    assert "train/ant holds no image, but 0.heic: image_folder reads .jpg" in refused(photographs)


def test_endings_may_be_upper_case(photographs):
    (photographs / "train" / "cat" / "0.jpg").rename(photographs / "train" / "cat" / "0.JPG")
    assert inspect_data(folder(photographs)).train_size == 12


# Links


@pytest.mark.timeout(20)
@pytest.mark.parametrize("target", ["..", ".", "../..", "../../.."])
def test_a_link_to_a_folder_above_adds_nothing(photographs, target):
    (photographs / "train" / "cat" / "loop").symlink_to(target)
    info = inspect_data(folder(photographs))
    assert (info.train_size, info.num_classes) == (12, 2)


def test_a_loop_inside_a_linked_class_adds_nothing(photographs, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for part in ("train", "val"):
        image(elsewhere / part / "wolf" / "0.png")
        (photographs / part / "wolf").symlink_to(elsewhere / part / "wolf")
    (elsewhere / "train" / "wolf" / "loop").symlink_to("../..")
    assert inspect_data(folder(photographs)).train_size == 13


def test_a_link_that_leads_to_a_counted_folder_is_told(photographs):
    (photographs / "train" / "cat" / "loop").symlink_to("..")
    (photographs / "train" / "dog" / "again").symlink_to(photographs / "train" / "cat")
    told = notes(photographs)
    assert "trained on train (12 images)" in told
    assert "train/dog/again" in told


def test_a_folder_inside_one_class_is_not_counted_for_another(photographs):
    image(photographs / "train" / "dog" / "puppies" / "0.png")
    (photographs / "train" / "cat" / "kittens").symlink_to(photographs / "train" / "dog" / "puppies")
    samples = load(folder(photographs), CPU).train.samples
    assert [label for path, label in samples if "0.png" in path] == [1]


def test_links_to_each_other_end(photographs):
    (photographs / "train" / "cat" / "a").symlink_to("b")
    (photographs / "train" / "cat" / "b").symlink_to("a")
    assert inspect_data(folder(photographs)).train_size == 12


def test_a_linked_class_folder_is_a_class(photographs, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for part in ("train", "val"):
        image(elsewhere / part / "wolf" / "0.png")
        (photographs / part / "wolf").symlink_to(elsewhere / part / "wolf")
    info = inspect_data(folder(photographs))
    assert (info.train_size, info.num_classes) == (13, 3)


def test_one_folder_under_two_names_of_classes_is_refused(photographs):
    (photographs / "train" / "wolf").symlink_to(photographs / "train" / "dog")
    assert "train/wolf and " in refused(photographs)
    assert "are one folder under two names" in refused(photographs)


def test_a_broken_link_is_named(photographs):
    (photographs / "train" / "cat" / "link.png").symlink_to(photographs / "nowhere.png")
    assert "cat/link.png is missing or a broken link" in refused(photographs)


# Classes


def test_one_class_is_too_few(tmp_path):
    write_photographs(tmp_path, {"train": 3, "val": 2}, ("cat",))
    assert "has one class, cat: a classifier needs two or more" in refused(tmp_path)


def test_classes_one_folder_too_deep_are_found_out(tmp_path):
    write_photographs(tmp_path, {"train/images": 3, "val/images": 2})
    assert "are the classes the folders in images (cat, dog)?" in refused(tmp_path)


def test_class_names_are_compared_in_one_unicode_form(photographs):
    for part, form in (("train", "NFC"), ("val", "NFD")):
        image(photographs / part / unicodedata.normalize(form, "café") / "0.png")
    assert inspect_data(folder(photographs)).num_classes == 3


def test_the_unicode_form_changes_neither_order_nor_fingerprint(tmp_path):
    found = []
    for form in ("NFC", "NFD"):
        write_photographs(tmp_path / form, {"train": 2, "val": 1})
        for name in ("café", "cafz", "caff"):
            for part in ("train", "val"):
                image(tmp_path / form / part / unicodedata.normalize(form, name) / "0.png", 10 + len(name + part))
        found.append(inspect_data(folder(tmp_path / form)).fingerprint)
    assert found[0] == found[1]


def test_one_name_in_two_unicode_forms_is_refused(photographs):
    for form in ("NFC", "NFD"):
        image(photographs / "train" / unicodedata.normalize(form, "café") / "0.png")
    assert "café twice, in two Unicode forms" in refused(photographs)


def test_different_classes_are_refused_by_name_and_part(photographs):
    (photographs / "val" / "dog").rename(photographs / "val" / "wolf")
    assert "have different classes: dog only in train, wolf only in val" in refused(photographs)


# Which part is measured


@pytest.mark.parametrize(
    ("parts", "settings", "sizes", "told"),
    [
        ({"val": 3}, {}, (12, 6, 0), "tested on val (6 images)"),
        ({"test": 2}, {}, (12, 4, 0), "tested on test (4 images)"),
        ({"val": 3, "test": 2}, {}, (12, 4, 6), "tested on test (4 images), validated on val (6 images)"),
        ({"valid": 3, "test": 2}, {}, (12, 4, 6), "tested on test (4 images), validated on valid (6 images)"),
        ({"val": 3, "test": 2}, {"test": "val"}, (12, 6, 0), "tested on val (6 images) | test is not used"),
        ({"val": 3, "test": 2}, {"test": "test"}, (12, 4, 6), "tested on test (4 images), validated on val"),
        ({"holdout": 1}, {"test": "holdout"}, (12, 2, 0), "tested on holdout (2 images)"),
        ({}, {"test": "train"}, (12, 12, 0), "12 of 12 test images have the same content as a training image"),
    ],
)
def test_what_is_measured_is_told(tmp_path, parts, settings, sizes, told):
    write_photographs(tmp_path, {"train": 6, **parts})
    info = inspect_data(folder(tmp_path, **settings))
    assert (info.train_size, info.test_size, info.validation_size) == sizes
    assert told in " | ".join(info.notes)


def test_imagenets_test_images_without_labels_are_passed_over(photographs):
    image(photographs / "test" / "ILSVRC2012_test_00000001.JPEG")
    assert "tested on val (6 images) | test is not used: it has no folders of the classes" in notes(photographs)


def test_a_share_held_out_takes_the_place_of_a_validation_folder(tmp_path):
    write_photographs(tmp_path, {"train": 6, "val": 3, "test": 2})
    whole, part = inspect_data(folder(tmp_path)), inspect_data(folder(tmp_path, validation=0.34))
    assert (part.train_size, part.test_size, part.validation_size) == (8, 4, 4)
    assert part.fingerprint == whole.fingerprint
    assert "val is not validated on: validation: 0.34 holds out training images instead" in part.notes


def test_two_folders_to_validate_on_are_refused(tmp_path):
    write_photographs(tmp_path, {"train": 6, "val": 3, "valid": 2})
    assert "has val and valid: say which is tested on, for instance test: val" in refused(tmp_path)


def test_a_validation_folder_of_other_classes_is_left_out(tmp_path):
    write_photographs(tmp_path, {"train": 6, "test": 3})
    write_photographs(tmp_path, {"val": 2}, ("cat", "wolf"))
    assert "val is not used: it has other classes than train" in notes(tmp_path)


def test_the_test_set_may_not_be_a_link_to_the_training_set(tmp_path):
    write_photographs(tmp_path, {"train": 6})
    (tmp_path / "val").symlink_to("train")
    assert "val is a link to " in refused(tmp_path)
    assert inspect_data(folder(tmp_path, test="val")).test_size == 12


def test_test_images_that_are_training_images_too_are_counted(photographs):
    os.link(photographs / "train" / "cat" / "0.jpg", photographs / "val" / "cat" / "copy.jpg")
    assert "1 of 7 test images have the same content as a training image" in notes(photographs)


def test_training_images_that_lie_in_two_classes_are_counted(photographs):
    os.link(photographs / "train" / "cat" / "0.jpg", photographs / "train" / "dog" / "copy.jpg")
    assert "2 of 13 training images have the same content as one of another class" in notes(photographs)
    os.link(photographs / "train" / "cat" / "1.jpg", photographs / "train" / "cat" / "copy.jpg")
    assert "2 of 14 training images have the same content" in notes(photographs)


# What is missing


def test_a_root_that_is_nowhere_is_named_in_full(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert f"there is no folder {tmp_path}/images: set root to the folder that holds train and val" in refused("images")


@pytest.mark.parametrize(
    ("made", "settings", "part"),
    [
        ([], {}, "has no folder train: image_folder needs root/train and root/val"),
        (["Train/a", "Val/a"], {}, "has no folder train (it has Train, Val)"),
        (["set/train/a", "set/val/a"], {}, r"(it has set/train: set root to "),
        (["train/a"], {}, "has no folder val or test: image_folder needs root/train and root/val"),
        (["train/a", "val/a"], {"test": "tset"}, "has no folder tset (it has train, val)"),
        (["train", "val"], {}, "train holds no folders of classes: image_folder needs"),
    ],
)
def test_a_folder_without_parts_says_what_there_is(tmp_path, made, settings, part):
    for name in made:
        (tmp_path / name).mkdir(parents=True)
    assert part in refused(tmp_path, **settings)


def test_a_file_in_the_place_of_a_part_says_what_is_needed(photographs):
    (photographs / "train").rename(photographs / "old")
    (photographs / "train").touch()
    assert "has no folder train (it has old, val)" in refused(photographs)


def test_one_photograph_is_too_few_to_test_on_or_two_to_train_on(photographs):
    for path in (photographs / "train").rglob("[1-9].jpg"):
        path.unlink()
    assert inspect_data(folder(photographs)).train_size == 2


def test_a_folder_inside_a_class_is_not_passed_over(photographs, monkeypatch):
    inside, scandir = photographs / "train" / "cat" / "inside", os.scandir
    inside.mkdir()

    def refuse(path):
        if str(path) == str(inside):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert "cat/inside cannot be read (Permission denied)" in refused(photographs)


# Order and names


def test_images_come_in_the_order_of_torchvision(photographs):
    from torchvision.datasets import ImageFolder

    train = photographs / "train"
    for name in ("cat/B.JPG", "cat/a.png", "cat/nested/x.webp", "cat/nested.jpg", "cat/nested-on/x.png", "Ant/0.tif"):
        image(train / name)
    image(photographs / "val" / "Ant" / "0.png")
    assert list(load(folder(photographs), CPU).train.samples) == ImageFolder(str(train)).samples


def test_names_need_not_be_utf8(photographs):
    cat = os.fsencode(photographs / "train" / "cat")
    os.rename(cat + b"/0.jpg", cat + b"/\xe9.jpg")
    data = folder(photographs)
    batches = FolderBatchLoader(load(data, CPU), complete_training({"batch_size": 5}, data), CPU)
    assert sum(len(labels) for _, labels in batches.train(0, 1)) == 12


def test_the_message_on_a_name_that_is_not_utf8_can_be_printed(photographs):
    os.mkdir(os.fsencode(photographs / "train") + b"/\xe9")
    (photographs / "train" / os.fsdecode(b"\xe9") / "x.txt").touch()
    assert r"train/\udce9 holds no image" in refused(photographs)


@pytest.mark.parametrize("share", [0.01, 0.08])
def test_a_share_that_holds_out_no_photograph_is_refused(photographs, share):
    with pytest.raises(SettingError, match=r"0 of 12 training images.*set it to 0\.167 or more") as raised:
        inspect_data(folder(photographs, validation=share))
    assert raised.value.key == ("validation",)
    assert inspect_data(folder(photographs, validation=0.167)).validation_size == 2
