"""A user's Dataset that does not fit into memory: a batch at a time is held, and the numbers stay."""

import weakref

import pytest
import torch
from torch.utils.data import Dataset

from search_spaces.errors import SettingError
from tests.trainers.networks import task
from trainers import Trainer, complete_data
from trainers.data import dataset_images, own, read
from trainers.testing import DataSetContract

NAME = f"{__name__}:load"
COUNT, CHUNK = 150, 20


class Counted(Dataset):
    """Makes an image when it is asked for one, and counts those that are still there."""

    alive = 0
    most = 0

    def __init__(self, count, kind, odd=None):
        self.count, self.kind, self.odd = count, kind, odd

    def __len__(self):
        return self.count

    def __getitem__(self, at):
        image = torch.randint(0, 256, (1, 8, 8), generator=torch.Generator().manual_seed(at)).byte()
        image[:, : 4 if at % 2 else 8] //= 2
        if self.kind == "floats" or at == self.odd:
            image = image.float() / 7
        Counted.alive += 1
        Counted.most = max(Counted.most, Counted.alive)
        weakref.finalize(image, Counted.gone)
        return image, at % 2

    @staticmethod
    def gone():
        Counted.alive -= 1


def load(*, kind: str = "bytes", odd: int = -1):
    return Counted(COUNT, kind, odd), Counted(31, kind)


@pytest.fixture
def unheld(monkeypatch):
    monkeypatch.setattr(own, "HELD_BYTES", 1000)
    monkeypatch.setattr(dataset_images, "CHUNK", CHUNK)
    Counted.alive = Counted.most = 0


@pytest.mark.usefixtures("unheld")
class TestUnheld(DataSetContract):
    data = NAME

    def mapping(self, folder):
        return {"name": NAME, "kind": "bytes"}


def records(**changes):
    settings = {"name": NAME, "validation": 0.2, **changes}
    trainer = Trainer(task(0, data=settings, batch_size=16, epochs=1, augment={"crop": 1, "flip": True}))
    trainer.run_epoch()
    (record,) = trainer.records
    return [record.train_loss, record.train_error, record.test_loss, record.val_loss], trainer


@pytest.mark.parametrize("kind", ["bytes", "floats"])
def test_a_batch_at_a_time_is_held_and_trains_to_the_same_numbers(kind, request):
    from trainers.data import _in_memory

    held, whole = records(kind=kind)
    assert not isinstance(whole.loader.data.train, dataset_images.DatasetImages)
    _in_memory.cache_clear()
    request.getfixturevalue("unheld")
    unheld, part = records(kind=kind)
    _in_memory.cache_clear()
    assert isinstance(part.loader.data.train, dataset_images.DatasetImages)
    assert 0 < Counted.most <= CHUNK + 1
    assert part.info == whole.info
    assert part.fingerprint == whole.fingerprint
    assert unheld == pytest.approx(held, rel=1e-5)


@pytest.mark.usefixtures("unheld")
def test_images_of_two_types_are_refused():
    with pytest.raises(SettingError, match="images of two types near item 60: all must be uint8, or all floats"):
        read(complete_data({"name": NAME, "odd": 70}))


@pytest.mark.usefixtures("unheld")
def test_test_images_cannot_be_drawn_by_seed():
    with pytest.raises(SettingError, match="split_by_seed") as error:
        read(complete_data({"name": NAME, "split_by_seed": True}), seed=3)
    assert error.value.key == ("split_by_seed",)
