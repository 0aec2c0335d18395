"""CIFAR-100: 60,000 colour images of 32 x 32 pixels with a hundred fine labels."""

from trainers.data.cifar import Cifar, read_cifar
from trainers.data.images import Splits
from trainers.settings.data import DEFAULT_ROOT

IMAGES = (3, 32, 32), 100
FILES = Cifar("CIFAR-100", "cifar-100-python", ("train",), "test", "fine_labels", 100)


def load(*, root: str = DEFAULT_ROOT, download: bool = False) -> Splits:
    """Return CIFAR-100 with its fine labels; SettingError when its files are missing or broken.

    root: the folder that holds the data set's own folder.
    download: fetch the data set where it is not there.
    """
    return read_cifar(FILES, root, download)
