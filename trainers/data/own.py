"""A data set of the user's own: a function that returns images and labels, named ``package.module:function``.

    def load(*, root: str = "~/shapes", noise: float = 0.1):
        ...
        return train, test

Each of the two is a pair of images (count, channels, height, width) and labels (count), or a torch Dataset of such
pairs; a third value is the number of classes. The arguments, each with a default, are the settings of the data set.
A Dataset of more than `HELD_BYTES` is not held in memory.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset, IterableDataset

from search_spaces.errors import SettingError
from search_spaces.user_code import calling, code_digest
from trainers.data.dataset_images import DatasetImages
from trainers.data.images import AnyImages, Images, Splits
from trainers.errors import DataError

KEY = ("name",)
HELD_BYTES = 2 * 2**30
"""A Dataset with more bytes of pixels is read anew for every batch."""


def load_own(name: str, load: Callable[..., Any], settings: Mapping[str, Any]) -> Splits:
    """Call the user's function and return its splits; SettingError for whatever is wrong with them.

    What the disk refuses is a DataError: another machine, or another time, may have the files.
    """
    with calling(name, KEY):
        try:
            returned = load(**settings)
        except OSError as error:
            raise DataError(f"{name} cannot read its data: {' '.join(str(error).split())}", KEY) from error
    if not isinstance(returned, tuple | list) or len(returned) not in (2, 3):
        raise _wrong(name, f"must return train and test, and maybe the number of classes, not {_kind(returned)}")
    train, test = (_images(f"{name}: {part}", each) for part, each in zip(("train", "test"), returned, strict=False))
    if train.shape != test.shape:
        shapes = " and ".join(str([*each.shape]) for each in (train, test))
        raise _wrong(name, f"returns images of two shapes, {shapes}: they must be of one")
    if train.dtype != test.dtype:
        raise _wrong(name, "returns training and test images of two types: both must be uint8, or both floats")
    return train, test, _classes(name, train, test, returned[2] if len(returned) == 3 else None)


def own_fingerprint(content: str, name: str) -> str:
    """Return the fingerprint of a user's data set: that of its `content` and of the code that loads it."""
    return hashlib.sha256(f"{content} {code_digest(name)}".encode()).hexdigest()


def _images(part: str, given: Any) -> AnyImages:
    """Return one split from a pair of images and labels, or from a Dataset of pairs."""
    if isinstance(given, tuple | list) and len(given) == 2:
        return _checked(part, _array(part, given[0]), _array(part, given[1]))
    is_listed = hasattr(given, "__getitem__") and hasattr(given, "__len__")
    if not is_listed or isinstance(given, IterableDataset | Tensor | np.ndarray):
        raise _wrong(part, f"must be a pair of images and labels, or a Dataset with a length, not {_kind(given)}")
    if not len(given):
        raise _wrong(part, "holds no images")
    first = _read(part, given, None, [0])
    if first.pixels.nbytes * len(given) > HELD_BYTES:
        return DatasetImages.of(partial(_read, part, given, first), len(given))
    return _read(part, given, None, range(len(given)))


def _read(part: str, given: Any, first: Images | None, numbers: Sequence[int]) -> Images:
    """Return the items of a Dataset with these numbers; those of one that is not held must be like its `first`."""
    with calling(part, KEY):
        items = [given[at] for at in numbers]
    odd = next((at for at, item in enumerate(items) if not isinstance(item, tuple | list) or len(item) != 2), None)
    if odd is not None:
        raise _wrong(part, f"item {numbers[odd]} must be a pair of image and label, not {_kind(items[odd])}")
    images = [_array(part, image) for image, _ in items]
    shape = images[0].shape if first is None else first.pixels.shape[1:]
    odd = next((at for at, image in enumerate(images) if image.shape != shape), None)
    if odd is not None:
        shapes = f"image 0 has shape {[*shape]}, image {numbers[odd]} {[*images[odd].shape]}"
        raise _wrong(part, f"{shapes}: bring them to one size, or keep them in an image_folder")
    read = _checked(part, torch.stack(images), torch.stack([_array(part, label) for _, label in items]))
    if first is not None and read.dtype != first.dtype:
        raise _wrong(part, f"holds images of two types near item {numbers[0]}: all must be uint8, or all floats")
    return read


def _array(part: str, given: object) -> Tensor:
    """Return anything that is a tensor, an array, a list of numbers, a number or a PIL image as a tensor."""
    if isinstance(given, Tensor):
        return given.detach().cpu()
    if isinstance(given, Image.Image):
        pixels = np.asarray(given)
        return torch.from_numpy(np.array(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)))
    try:
        return torch.from_numpy(np.array(given))
    except (TypeError, ValueError):
        raise _wrong(part, f"holds {_kind(given)} where a tensor or an array of numbers is due") from None


def _checked(part: str, pixels: Tensor, labels: Tensor) -> Images:
    """Return images and labels in the types that are trained on; SettingError for what they cannot be."""
    shape = [*pixels.shape]
    if pixels.ndim != 4:
        advice = "; images[:, None] adds a channel" if pixels.ndim == 3 else ""
        raise _wrong(part, f"images must have shape (count, channels, height, width), not {shape}{advice}")
    if min(shape) < 1:
        raise _wrong(part, f"holds no images: their shape is {shape}")
    if shape[1] == shape[2] and shape[1] > 4 and shape[3] in (1, 3, 4):
        raise _wrong(part, f"images have shape {shape}: channels come first, as images.permute(0, 3, 1, 2) puts them")
    if labels.shape != (shape[0],):
        advice = "; argmax(1) makes class numbers of one-hot rows" if labels.ndim == 2 else ""
        raise _wrong(part, f"labels must have shape [{shape[0]}], one for each image, not {[*labels.shape]}{advice}")
    return Images(_pixels(part, pixels), _labels(part, labels))


def _pixels(part: str, pixels: Tensor) -> Tensor:
    """Return uint8 for whole numbers from 0 to 255, and float32 for all other real numbers."""
    if pixels.dtype == torch.uint8:
        return pixels.contiguous()
    if pixels.is_complex():
        raise _wrong(part, "images must be real numbers, not complex ones")
    if not pixels.is_floating_point():
        low, high = int(pixels.min()), int(pixels.max())
        return pixels.to(torch.uint8 if low >= 0 and high <= 255 else torch.float32).contiguous()
    real = pixels.to(torch.float32).contiguous()
    finite = real.isfinite().flatten(1).all(1)
    if not finite.all():
        odd = (~finite).nonzero().flatten().tolist()
        count = f"{len(odd):,} of {len(real):,} images"
        raise _wrong(part, f"{count} hold NaN or infinite values, the first is image {odd[0]}")
    return real


def _labels(part: str, labels: Tensor) -> Tensor:
    whole = labels.to(torch.int64) if not labels.is_complex() else torch.zeros(len(labels), dtype=torch.int64)
    odd = (whole.to(labels.dtype) != labels).nonzero().flatten()
    if len(odd):
        raise _wrong(part, f"label {int(odd[0])} is {labels[odd[0]].item()}: labels are whole numbers from 0 on")
    if int(whole.min()) < 0:
        at = int(whole.argmin())
        raise _wrong(part, f"label {at} is {int(whole[at])}: labels are whole numbers from 0 on")
    return whole


def _classes(name: str, train: AnyImages, test: AnyImages, given: object) -> int:
    """Return the number of classes, as given or as the training labels tell."""
    if given is not None and (isinstance(given, bool) or not isinstance(given, int | np.integer) or given < 2):
        raise _wrong(name, f"must return a number of classes of 2 or more as its third value, not {given!r}")
    counts = train.labels.bincount()
    classes = len(counts) if given is None else int(given)
    if classes < 2:
        raise _wrong(name, "returns training images of one class: a classifier needs two or more")
    for part, each in (("train", train), ("test", test)):
        if int(each.labels.max()) >= classes:
            at = int(each.labels.argmax())
            where = f"label {at} of {part} is {int(each.labels[at])}"
            raise _wrong(name, f"{where}: there are {classes} classes, from 0 to {classes - 1}")
    if given is None and int(counts.min()) == 0:
        empty = int(counts.argmin())
        raise _wrong(
            name, f"no training image has label {empty}: count classes from 0, or return their number as a third value"
        )
    return classes


def _wrong(where: str, what: str) -> SettingError:
    return SettingError(f"{where} {what}" if ": " not in where else f"{where}: {what}", KEY)


def _kind(value: object) -> str:
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}" if isinstance(value, Dataset) or value is not None else "nothing"
