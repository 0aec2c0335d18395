"""Reads photographs, cuts and recolours them, and makes them tensors."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageFile
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms import v2

from trainers.data.contents import Photos
from trainers.data.files import reading
from trainers.data.readable import check_greys, has_16_bits, open_image

# Mean and deviation of ImageNet's channels, as torchvision publishes them: computing one's own would read every file.
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)

# Eigenvectors (columns) and values of the colours' covariance over ImageNet, as fb.resnet.torch publishes them.
EIGENVECTORS = ((-0.5675, 0.7192, 0.4009), (-0.5808, -0.0045, -0.8140), (-0.5836, -0.6948, 0.4203))
EIGENVALUES = (0.2175, 0.0188, 0.0045)


class Photographs(Dataset[tuple[Tensor, int]]):
    """Images by (index, seed): what chance does to one is a function of that seed, in whatever process it is read."""

    def __init__(self, photos: Photos, transform: Any) -> None:
        self.photos = photos
        self.transform = transform

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor, int]:
        """Return one image (3, size, size) and its label; DataError when its file has changed or cannot be read."""
        index, seed = key
        path, label = self.photos.samples[index]
        with reading(path, "a readable image"), open(path, "rb") as file:
            self.photos.check_unchanged(index, file)
            with open_image(file) as opened:
                image = _in_colour(opened, path)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.transform(image), label


def _in_colour(file: ImageFile.ImageFile, path: str) -> Image.Image:
    """Return the opened image in 8 bits of red, green and blue; of 16 bits of grey the upper 8, as PIL does for colour.

    Raises DataError for grey values whose range nobody knows.
    """
    check_greys(file, path)
    if has_16_bits(file):
        bits = 12 if "I;12" in str(file.tile) else 16  # TIFF has both
        return Image.fromarray((np.asarray(file) >> (bits - 8)).astype(np.uint8)).convert("RGB")
    return file.convert("RGB")


class Lighting(torch.nn.Module):
    """Shift all pixels along the principal colours, each by a draw of deviation 0.1 (Krizhevsky et al., 2012)."""

    def forward(self, image: Tensor) -> Tensor:
        """Recolour one float image (3, height, width) with values from 0 to 1."""
        draws = torch.randn(3) * 0.1 * torch.tensor(EIGENVALUES)
        return image + (torch.tensor(EIGENVECTORS) @ draws)[:, None, None]


def training_transform(size: int, augment: Mapping[str, Any], normalise: str) -> Any:
    """Return what is done to a training image: the cut that ``resize`` names, mirroring, colours, normalisation.

    ``shorter_side`` scales the shorter side to 256-480 (for crops of 224, in proportion for others) and cuts anywhere
    (arXiv:1512.03385 section 3.4); ``area`` cuts 8-100 % of the area (arXiv:1409.4842); ``none`` cuts the centre.
    """
    mirror = [v2.RandomHorizontalFlip()] if augment["flip"] else []
    colour = [Lighting()] if augment["colour"] else []
    return v2.Compose([*_cut(size, augment["resize"]), *mirror, *_to_floats(), *colour, *_normalisation(normalise)])


def test_transform(size: int, normalise: str) -> Any:
    """Return what is done to a test image: shorter side scaled to 256 (for crops of 224), centre cut out."""
    return v2.Compose([*_cut(size, "none"), *_to_floats(), *_normalisation(normalise)])


def normaliser(kind: str) -> dict[str, list[float]]:
    """Return what is subtracted from an image of values from 0 to 255, and what divides the rest, by channel."""
    if kind == "channel":
        return {"subtracted": [255 * each for each in MEAN], "divided_by": [255 * each for each in DEVIATION]}
    return {"subtracted": [0.0] * 3, "divided_by": [255.0] * 3}


def _cut(size: int, resize: str) -> list[Any]:
    if resize == "shorter_side":
        low, high = round(size * 256 / 224), round(size * 480 / 224)
        return [v2.RandomResize(low, high + 1), v2.RandomCrop(size)]
    if resize == "area":
        return [v2.RandomResizedCrop(size)]
    return [v2.Resize(round(size * 256 / 224)), v2.CenterCrop(size)]


def _to_floats() -> list[Any]:
    return [v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]


def _normalisation(kind: str) -> list[Any]:
    return [v2.Normalize(MEAN, DEVIATION)] if kind == "channel" else []
