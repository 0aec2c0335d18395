"""CIFAR-10: 60,000 colour images of 32 x 32 pixels in 10 classes."""

from trainers.data.cifar import Cifar, read_cifar
from trainers.data.images import Splits
from trainers.settings.data import DEFAULT_ROOT

IMAGES = (3, 32, 32), 10
FILES = Cifar(
    "CIFAR-10", "cifar-10-batches-py", tuple(f"data_batch_{at}" for at in range(1, 6)), "test_batch", "labels", 10
)


def load(*, root: str = DEFAULT_ROOT, download: bool = False) -> Splits:
    """Return CIFAR-10; SettingError when its files are missing or broken.

    root: the folder that holds the data set's own folder.
    download: fetch the data set where it is not there.
    """
    return read_cifar(FILES, root, download)
