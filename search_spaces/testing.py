"""Tests that every family of networks should pass, for authors of their own families to inherit.

from search_spaces.testing import FamilyContract

class TestMyFamily(FamilyContract):
    network = {"family": "my_package.my_module:build", "depth": 4}
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from search_spaces.arm import canonical_json
from search_spaces.cost import complexity
from search_spaces.networks.families import build_network, complete_network

Shape = tuple[int, int, int]


class FamilyContract:
    """The tests; set `network` to a small network's mapping, and the shapes that the family should take."""

    network: ClassVar[Mapping[str, Any]]
    input_shapes: ClassVar[tuple[Shape, ...]] = ((1, 8, 8), (3, 32, 32))
    num_classes: ClassVar[int] = 7
    unused: ClassVar[frozenset[str]] = frozenset()

    def build(self, input_shape: Shape, seed: int = 0) -> nn.Module:
        """Return the network, started from `seed`."""
        torch.manual_seed(seed)
        return build_network(self.network, input_shape, self.num_classes)

    def test_settings_are_complete_and_json(self) -> None:
        """Completing twice changes nothing, and the result can be stored."""
        completed = complete_network(self.network)
        assert complete_network(completed) == completed
        canonical_json(completed)

    def test_settings_are_left_alone(self) -> None:
        """Completing and building do not change the mapping that they are given."""
        before = canonical_json(self.network)
        self.build(self.input_shapes[0])
        assert canonical_json(self.network) == before

    def test_maps_images_to_one_logit_a_class(self) -> None:
        """Every shape works, in training and in evaluation."""
        for shape in self.input_shapes:
            network = self.build(shape)
            for mode in (True, False):
                logits = network.train(mode)(_images(shape))
                assert logits.shape == (4, self.num_classes), (
                    f"logits of shape {tuple(logits.shape)} for images {shape}"
                )
                assert torch.isfinite(logits).all()

    def test_every_parameter_gets_a_gradient(self) -> None:
        """What gets no gradient is not part of the network; name exceptions in `unused`."""
        network = self.build(self.input_shapes[0])
        network.train()(_images(self.input_shapes[0])).square().sum().backward()
        without = {name for name, parameter in network.named_parameters() if parameter.grad is None}
        assert without == self.unused

    def test_starts_from_the_global_generator(self) -> None:
        """The same seed starts the same network, another seed another."""
        shape = self.input_shapes[0]
        one, same, other = (list(self.build(shape, seed).state_dict().values()) for seed in (0, 0, 1))
        assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
        assert not all(torch.equal(a, b) for a, b in zip(one, other, strict=True))

    def test_evaluation_is_deterministic_and_leaves_no_trace(self) -> None:
        """A network in evaluation mode is a function of the images, one image at a time."""
        shape = self.input_shapes[0]
        network = self.build(shape).eval()
        images = _images(shape)
        with torch.no_grad():
            first, second = network(images), network(images)
            alone = torch.cat([network(image[None]) for image in images])
        assert torch.equal(first, second)
        torch.testing.assert_close(first, alone, rtol=1e-3, atol=1e-4)

    def test_continues_from_its_state(self) -> None:
        """A state dict carries everything that a checkpoint must restore."""
        shape = self.input_shapes[0]
        network, restored = self.build(shape, 0), self.build(shape, 1)
        restored.load_state_dict(network.state_dict())
        with torch.no_grad():
            assert torch.equal(network.eval()(_images(shape)), restored.eval()(_images(shape)))

    def test_is_measured_without_arithmetic(self) -> None:
        """The network runs on the meta device, so that a plan can state its cost and find identical networks."""
        shape = self.input_shapes[0]
        measured = complexity(self.network, shape, self.num_classes)
        assert measured.params == sum(parameter.numel() for parameter in self.build(shape).parameters())
        assert measured.flops > 0
        assert measured.graph == complexity(self.network, shape, self.num_classes).graph


def _images(shape: Shape) -> Tensor:
    return torch.randn(4, *shape, generator=torch.Generator().manual_seed(3))
