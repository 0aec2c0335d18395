"""Tests that every data set and every training step should pass, for authors of their own to inherit.

from trainers.testing import DataSetContract, StepContract

class TestMyData(DataSetContract):
    data = {"name": "my_package.my_module:load"}

class TestMyStep(StepContract):
    step = {"name": "my_package.my_module:step"}
"""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from search_spaces import build_network
from search_spaces.arm import canonical_json
from search_spaces.errors import SettingError
from trainers import complete_data, complete_training
from trainers.data import read
from trainers.data.loaders import make_loader
from trainers.seeding import seeded
from trainers.step.own_step import load_own_step

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
        key = None
        try:
            complete_data({**self.mapping(tmp_path), "no_such_setting": 1})
        except SettingError as error:
            key = error.key
        assert key == ("no_such_setting",)

    def test_the_facts_are_those_of_the_images(self, tmp_path: Path) -> None:
        """Sizes, image shape and classes of the plan are those of the batches, for training and for testing."""
        data = read(complete_data(self.mapping(tmp_path)))
        info = data.info
        assert info.train_size >= 2
        assert info.test_size >= 1
        assert min(info.input_shape) >= 1
        batches = make_loader(data, _training(self.mapping(tmp_path)), CPU)
        for images, labels in (next(iter(batches.train(0, 1))), next(iter(batches.test(4)))):
            assert images.shape == (len(labels), *info.input_shape)
            assert images.dtype == torch.float32
            assert torch.isfinite(images).all()
            assert labels.dtype == torch.int64
            assert 0 <= int(labels.min()) <= int(labels.max()) < info.num_classes

    def test_every_test_image_is_tested_once(self, tmp_path: Path) -> None:
        """The batches hold as many test images as the facts tell."""
        data = read(complete_data(self.mapping(tmp_path)))
        batches = make_loader(data, _training(self.mapping(tmp_path)), CPU)
        assert sum(len(labels) for _, labels in batches.test(4)) == data.info.test_size

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
        data = read(complete_data(self.mapping(tmp_path)))
        told = make_loader(data, _training(self.mapping(tmp_path)), CPU).normalisation()
        assert len(told["subtracted"]) == len(told["divided_by"]) == data.info.input_shape[0]


class StepContract:
    """The tests; set `step` to a step's mapping, and network and data to what it is meant for."""

    step: ClassVar[str | Mapping[str, Any]]
    network: ClassVar[Mapping[str, Any]] = {"family": "resnet_cifar", "depth": 8, "width": 4}
    data: ClassVar[str | Mapping[str, Any]] = "digits"

    def answer(self, training: bool) -> tuple[nn.Module, Tensor, Tensor]:
        """Return a network, and the losses and errors that the step finds for four images."""
        training_settings = complete_training({"step": self.step, "batch_size": 4}, complete_data(self.data))
        data = read(complete_data(self.data))
        own = load_own_step(training_settings)
        assert own is not None
        with seeded(0, "init"):
            network = build_network(dict(self.network), data.info.input_shape, data.info.num_classes).train(training)
            images, labels = next(iter(make_loader(data, training_settings, CPU).train(0, 1)))
            return network, *own(network, images, labels)

    def test_settings_are_complete_and_json(self) -> None:
        """Completing twice changes nothing, and the result can be stored."""
        completed = complete_training({"step": self.step}, complete_data(self.data))
        assert complete_training(completed, complete_data(self.data)) == completed
        canonical_json(completed)

    def test_every_image_has_a_finite_loss_and_an_error_from_0_to_1(self) -> None:
        """So it is in training and in evaluation."""
        for training in (True, False):
            _, losses, errors = self.answer(training)
            assert torch.isfinite(losses).all()
            assert ((errors >= 0) & (errors <= 1)).all()

    def test_the_loss_moves_the_network(self) -> None:
        """Some parameter has a gradient that is not zero."""
        network, losses, _ = self.answer(training=True)
        losses.mean().backward()
        gradients = [each.grad for each in network.parameters() if each.grad is not None]
        assert any(gradient.abs().sum() > 0 for gradient in gradients)

    def test_the_same_generator_gives_the_same_answer(self) -> None:
        """Whatever the step draws, it draws from torch's own generator, so that a seed repeats a training."""
        for training in (True, False):
            (_, *first), (_, *second) = self.answer(training), self.answer(training)
            assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))

    def test_an_evaluation_leaves_no_trace(self) -> None:
        """In evaluation mode the network keeps its parameters and statistics, and its mode."""
        network, _, _ = self.answer(training=False)
        info = read(complete_data(self.data)).info
        with seeded(0, "init"):
            fresh = build_network(dict(self.network), info.input_shape, info.num_classes).state_dict()
        assert not network.training
        assert all(torch.equal(network.state_dict()[name], each) for name, each in fresh.items())


def _training(data: Mapping[str, Any]) -> dict[str, Any]:
    return complete_training({"batch_size": 4}, complete_data(data))
