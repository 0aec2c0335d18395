"""An image folder: which part is trained on, which is tested on, and the files of each with their labels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import torch

from trainers.data.class_folders import Part, Passed, Sample, class_names, is_hidden, read_part
from trainers.data.contents import Check, Photos, examine, fingerprint, in_two_classes, shared
from trainers.data.files import file_error, root_folder
from trainers.data.images import held_out
from trainers.errors import DataError
from trainers.records import DataInfo

VALIDATION_FOLDERS = ("val", "valid", "validation")


@dataclass(frozen=True)
class Folder:
    """The files of an image folder; images are read when they are needed.

    `validation` is a folder of its own until `hold_out` takes a share of the training images in its place.
    """

    is_read_when_needed: ClassVar[bool] = True

    train: Photos
    test: Photos
    validation: Photos | None
    num_classes: int
    size: int
    workers: int
    prefetch: int
    fingerprint: str
    notes: tuple[str, ...] = ()

    @property
    def info(self) -> DataInfo:
        """The facts that a plan needs."""
        shape = (3, self.size, self.size)
        sizes = len(self.train), len(self.test)
        held = 0 if self.validation is None else len(self.validation)
        return DataInfo(shape, self.num_classes, *sizes, self.fingerprint, held, self.notes)

    def hold_out(self, share: float) -> "Folder":
        """Return the folder with that share of its training images as validation images."""
        if share == 0:
            return self
        labels = torch.tensor([label for _, label in self.train.samples])
        held = held_out(labels, self.num_classes, share)
        kept, left = (self.train.take(which.nonzero().squeeze(1).tolist()) for which in (~held, held))
        return replace(self, train=kept, validation=left, notes=(*self.notes, *self._replaced(share)))

    def _replaced(self, share: float) -> list[str]:
        if self.validation is None:
            return []
        name = Path(self.validation.samples[0][0]).parents[1].name
        return [f"{name} is not validated on: validation: {share:g} holds out training images instead"]


@dataclass(frozen=True)
class Parts:
    """The folders of a data set's parts, and what was decided about them."""

    train: Path
    test: Path
    validation: Path | None
    notes: tuple[str, ...]


def read_folder(
    place: str, train: str, test: str | None, check: Check, *, size: int, workers: int, prefetch: int
) -> Folder:
    """Return the files below the folder `place`; DataError where a part is missing, or no files of one kind.

    `train` and `test` name the parts below it; without `test` it is found by its name.
    """
    root = root_folder(place)
    passed = Passed()
    parts = _choose(root, train, test)
    read = {"train": read_part(root, parts.train, passed), "test": read_part(root, parts.test, passed)}
    _check_classes(read["train"], read["test"], test)
    notes = list(parts.notes)
    if parts.validation is not None:
        validation = read_part(root, parts.validation, passed)
        if validation.classes == read["train"].classes:
            read["validation"] = validation
        else:
            notes.append(f"{parts.validation.name} is not used: it has other classes than {parts.train.name}")
    photos = _photos(root, read, check)
    notes = [_summary(read), *notes, *_shared_notes(photos), *passed.sentences()]
    if check == "none":
        notes.append("check: none: a file whose content changed at the same size is taken to be the same")
    return Folder(
        train=photos["train"],
        test=photos["test"],
        validation=photos.get("validation"),
        num_classes=len(read["train"].classes),
        size=size,
        workers=workers,
        prefetch=prefetch,
        fingerprint=fingerprint(photos, root),
        notes=tuple(notes),
    )


def _choose(root: Path, train: str, test: str | None) -> Parts:
    """Return which folders are trained, tested and validated on.

    Where there are both, ``test`` is tested on and ``val`` validates; ``val`` alone is tested on, as for ImageNet.
    """
    if not (root / train).is_dir():
        raise _missing(root, train, "train")
    if test is not None:
        if not (root / test).is_dir():
            raise _missing(root, test, "test")
        unused = [name for name in ("test", *VALIDATION_FOLDERS) if name != test and (root / name).is_dir()]
        validation = next((name for name in unused if name in VALIDATION_FOLDERS and test == "test"), None)
        left = [f"{name} is not used" for name in unused if name != validation]
        return Parts(root / train, root / test, root / validation if validation else None, tuple(left))
    known = set(class_names(root / train))
    held = [name for name in VALIDATION_FOLDERS if (root / name).is_dir()]
    if len(held) > 1:
        raise file_error(f"{root} has {' and '.join(held)}: say which is tested on, for instance test: {held[0]}")
    if (root / "test").is_dir() and (known & set(class_names(root / "test")) or not held):
        return Parts(root / train, root / "test", root / held[0] if held else None, ())
    if not held:
        raise file_error(f"{root} has no folder val or test: image_folder needs root/train and root/val{_hint(root)}")
    unlabelled = ("test is not used: it has no folders of the classes",) if (root / "test").is_dir() else ()
    return Parts(root / train, root / held[0], None, unlabelled)


def _missing(root: Path, name: str, setting: str) -> DataError:
    if not root.is_dir():
        return file_error(f"there is no folder {root}: set root to the folder that holds train and val")
    needed = "image_folder needs root/train and root/val (or root/test)"
    return file_error(f"{root} has no folder {name}{_hint(root)}: {needed}, or name another with {setting}:")


def _hint(root: Path) -> str:
    """Return what folders there are instead, and whether one of them looks like the root that was meant."""
    names = class_names(root)
    inner = next((name for name in names if (root / name / "train").is_dir()), None)
    if inner is not None:
        return f" (it has {inner}/train: set root to {root / inner})"
    return f" (it has {', '.join(names[:6])})" if names else ""


def _check_classes(train: Part, test: Part, setting: str | None) -> None:
    """Raise DataError unless the two parts have the same classes, two or more, and are not one folder."""
    if len(train.classes) < 2:
        inside = [name for name in class_names(train.folder / train.classes[0]) if not is_hidden(name)]
        advice = f"; are the classes the folders in {train.classes[0]} ({', '.join(inside[:3])})?" if inside else ""
        raise file_error(f"{train.folder} has one class, {train.classes[0]}: a classifier needs two or more{advice}")
    if train.classes != test.classes:
        odd = [f"{name} only in {train.folder.name}" for name in train.classes if name not in test.classes]
        odd += [f"{name} only in {test.folder.name}" for name in test.classes if name not in train.classes]
        more = f" and {len(odd) - 5} more" if len(odd) > 5 else ""
        raise file_error(f"{train.folder} and {test.folder} have different classes: {', '.join(odd[:5])}{more}")
    if setting is None and train.folder.samefile(test.folder):
        raise file_error(
            f"{test.folder} is a link to {train.folder}: a test on training images says nothing; to measure it all the "
            f"same, say so with test: {test.folder.name}"
        )


def _photos(root: Path, parts: dict[str, Part], check: Check) -> dict[str, Photos]:
    """Return the images of each part; all files are examined together."""
    samples: list[Sample] = [sample for part in parts.values() for sample in part.samples]
    whole = examine(root, samples, check)
    photos, start = {}, 0
    for role, part in parts.items():
        here = slice(start, start + len(part.samples))
        photos[role] = Photos(part.samples, whole.stamps[here], whole.digests[here])
        start = here.stop
    return photos


def _summary(parts: dict[str, Part]) -> str:
    counts = {role: f"{part.folder.name} ({_counted(part.samples)})" for role, part in parts.items()}
    text = f"trained on {counts['train']} in {len(parts['train'].classes):,} classes, tested on {counts['test']}"
    return f"{text}, validated on {counts['validation']}" if "validation" in counts else text


def _counted(samples: Sequence[Sample]) -> str:
    return f"{len(samples):,} image{'s' if len(samples) != 1 else ''}"


def _shared_notes(parts: dict[str, Photos]) -> list[str]:
    """Say how many held-out images are training images too, and how many training images lie in two classes."""
    notes = []
    if same := in_two_classes(parts["train"]):
        notes.append(
            f"{same:,} of {len(parts['train']):,} training images have the same content as one of another class"
        )
    for role, name in (("test", "test"), ("validation", "validation")):
        if role in parts and (same := shared(parts[role], parts["train"])):
            notes.append(f"{same:,} of {len(parts[role]):,} {name} images have the same content as a training image")
    return notes
