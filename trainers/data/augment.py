"""Random crops and mirror images, for whole batches at a time, on whatever device the images are."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from trainers.seeding import generator


@dataclass(frozen=True)
class AugmentationDraws:
    """What chance decided for each image of an epoch, in the order of training: offsets in pixels, and mirroring."""

    top: Tensor
    left: Tensor
    mirror: Tensor

    def take(self, part: slice) -> "AugmentationDraws":
        """Return the draws of some of the images."""
        return AugmentationDraws(self.top[part], self.left[part], self.mirror[part])


def draw(count: int, crop: int, flip: bool, seed: int, epoch: int, device: torch.device) -> AugmentationDraws:
    """Return the draws of one epoch, a function of the trial's seed and the epoch alone."""
    source = generator(seed, "augment", epoch)
    top = torch.randint(0, 2 * crop + 1, (count,), generator=source)
    left = torch.randint(0, 2 * crop + 1, (count,), generator=source)
    mirror = torch.rand(count, generator=source) < 0.5 if flip else torch.zeros(count, dtype=torch.bool)
    return AugmentationDraws(top.to(device), left.to(device), mirror.to(device))


def crop_and_flip(images: Tensor, crop: int, draws: AugmentationDraws) -> Tensor:
    """Pad every image by `crop` zeros a side, cut its own window out, and mirror it where drawn.

    `images` is (count, channels, height, width): normalised ones, so that a padded pixel is a mean pixel
    (arXiv:1512.03385 section 4.2), or raw ones, so that it is black.
    """
    count, channels, height, width = images.shape
    padded = functional.pad(images, (crop,) * 4)
    rows = torch.arange(height, device=images.device) + draws.top[:, None]
    columns = torch.arange(width, device=images.device) + draws.left[:, None]
    columns = torch.where(draws.mirror[:, None], columns.flip(1), columns)
    tall = padded.gather(2, rows[:, None, :, None].expand(count, channels, height, width + 2 * crop))
    return tall.gather(3, columns[:, None, None, :].expand(count, channels, height, width))
