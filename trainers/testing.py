"""Tests that every data set should pass, for authors of their own data sets to inherit.

from trainers.testing import DataSetContract

class TestMyData(DataSetContract):
    data = {"name": "my_package.my_module:load"}
"""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import torch

from search_spaces.arm import canonical_json
from search_spaces.errors import SettingError
from trainers import complete_data, complete_training
from trainers.data import read
from trainers.data.loaders import make_loader

CPU = torch.device("cpu")


class DataSetContract:
    """The tests; set `data` to a small data set's mapping, or override `mapping` where files must be made first."""

    data: ClassVar[Mapping[str, Any]]
    share: ClassVar[float] = 0.3

    def mapping(self, folder: Path) -> Mapping[str, Any]:
        """Return the ``data:`` mapping; `folder` is empty and may be filled with files."""
        return self.data

    def test_settings_are_complete_and_json(self, tmp_path: Path) -> None:
        """Completing twice changes nothing, and the result can be stored."""
        completed = complete_data(self.mapping(tmp_path))
        assert complete_data(completed) == completed
        canonical_json(completed)

    def test_an_unknown_setting_is_refused_by_name(self, tmp_path: Path) -> None:
        """A setting that the loader does not take is a mistake of the file, told with its key."""
        found = None
        try:
            complete_data({**self.mapping(tmp_path), "no_such_setting": 1})
        except SettingError as error:
            found = error.key
        assert found == ("no_such_setting",)

    def test_the_facts_are_those_of_the_images(self, tmp_path: Path) -> None:
        """Sizes, image shape and classes of the plan are those of the batches, for training and for testing."""
        found = read(complete_data(self.mapping(tmp_path)))
        info = found.info
        assert info.train_size >= 2
        assert info.test_size >= 1
        assert min(info.input_shape) >= 1
        batches = make_loader(found, _training(self.mapping(tmp_path)), CPU)
        for images, labels in (next(iter(batches.train(0, 1))), next(iter(batches.test(4)))):
            assert images.shape == (len(labels), *info.input_shape)
            assert images.dtype == torch.float32
            assert torch.isfinite(images).all()
            assert labels.dtype == torch.int64
            assert 0 <= int(labels.min()) <= int(labels.max()) < info.num_classes

    def test_every_test_image_is_tested_once(self, tmp_path: Path) -> None:
        """The batches hold as many test images as the facts tell."""
        found = read(complete_data(self.mapping(tmp_path)))
        batches = make_loader(found, _training(self.mapping(tmp_path)), CPU)
        assert sum(len(labels) for _, labels in batches.test(4)) == found.info.test_size

    def test_reading_twice_gives_the_same(self, tmp_path: Path) -> None:
        """Another process, another day: the same fingerprint, and the same batches for the same seed and epoch."""
        settings = complete_data(self.mapping(tmp_path))
        one, two = read(settings), read(settings)
        assert one.fingerprint == two.fingerprint
        assert one.info == two.info
        training = _training(settings)
        for (first, labels), (second, others) in zip(
            islice(make_loader(one, training, CPU).train(1, 2), 3),
            islice(make_loader(two, training, CPU).train(1, 2), 3),
            strict=True,
        ):
            assert torch.equal(first, second)
            assert torch.equal(labels, others)

    def test_validation_images_come_out_of_the_training_images(self, tmp_path: Path) -> None:
        """A share that is held out shows in the sizes, and leaves test set and fingerprint as they are."""
        mapping = self.mapping(tmp_path)
        whole = read(complete_data(mapping)).info
        part = read(complete_data({**mapping, "validation": self.share})).info
        assert part.validation_size > 0
        assert part.train_size + part.validation_size == whole.train_size
        assert (part.test_size, part.fingerprint) == (whole.test_size, whole.fingerprint)

    def test_what_normalises_the_images_can_be_told(self, tmp_path: Path) -> None:
        """A trained network is of use only with what was subtracted from its images and what divided them."""
        found = read(complete_data(self.mapping(tmp_path)))
        told = make_loader(found, _training(self.mapping(tmp_path)), CPU).normalisation()
        assert len(told["subtracted"]) == len(told["divided_by"]) == found.info.input_shape[0]


def _training(data: Mapping[str, Any]) -> dict[str, Any]:
    return complete_training({"batch_size": 4}, complete_data(data))
