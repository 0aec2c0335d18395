"""With weights copied over, networks give the outputs of torchvision's and timm's, in training and in evaluation."""

import pytest
import torch
from torch import nn

from search_spaces.networks.families import build_network

# timm and torchvision, which take seconds to import, are imported where they are needed: in one of the workers.
RESNETS = [(18, "3x3"), (34, "3x3"), (50, "3x3"), (101, "3x3"), (152, "3x3")]


def materialised(network):
    """Turn a meta network into one with random weights and statistics, none of them a default."""
    network = network.to_empty(device="cpu")
    torch.manual_seed(0)
    for name, tensor in network.state_dict().items():
        if name.endswith("num_batches_tracked"):
            tensor.zero_()
        elif name.endswith("running_var") or (tensor.ndim == 1 and name.endswith("weight")):
            tensor.uniform_(0.5, 1.5)
        elif tensor.ndim == 1:
            tensor.normal_(0, 0.1)
        else:
            tensor.normal_(0, (2 / tensor[0].numel()) ** 0.5)
    return network


def tensors(network):
    return {name: each for name, each in network.state_dict().items() if not name.endswith("num_batches_tracked")}


def pair(build_theirs, settings, names=None, classes=10):
    with torch.device("meta"):
        theirs, ours = build_theirs(), build_network(settings, (3, 64, 64), classes)
    theirs = materialised(theirs)
    given = tensors(theirs)
    order = list(given) if names is None else names(given)
    wanted = tensors(ours)
    assert len(order) == len(wanted)
    copies = {mine: given[other].clone().reshape(wanted[mine].shape) for mine, other in zip(wanted, order, strict=True)}
    counts = {name: torch.tensor(0) for name in ours.state_dict() if name not in wanted}
    ours.load_state_dict(copies | counts, assign=True)
    return theirs, ours


def assert_same(theirs, ours, size=64, dtype=torch.float64):
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1), dtype=dtype)
    for mode in (False, True):
        theirs.to(dtype).train(mode)
        ours.to(dtype).train(mode)
        for network in (theirs, ours):
            for module in network.modules():
                if isinstance(module, nn.Dropout):
                    module.eval()
        with torch.no_grad():
            torch.testing.assert_close(ours(images), theirs(images))


@pytest.mark.parametrize(("depth", "stride_in"), RESNETS)
def test_resnets_are_torchvisions(depth, stride_in):
    from torchvision import models

    settings = {"family": "resnet_imagenet", "depth": depth, "stride_in": stride_in}
    assert_same(*pair(lambda: getattr(models, f"resnet{depth}")(num_classes=10), settings))


@pytest.mark.slow
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("depth", [16, 19])
def test_vggs_are_torchvisions(depth, batch_norm):
    from torchvision import models

    name = f"vgg{depth}_bn" if batch_norm else f"vgg{depth}"
    settings = {"family": "vgg", "depth": depth, "batch_norm": batch_norm}
    theirs, ours = pair(lambda: getattr(models, name)(num_classes=10, init_weights=False), settings)
    assert_same(theirs, ours, dtype=torch.float32)


def test_densenet_121_is_torchvisions():
    from torchvision import models

    settings = {"family": "densenet", "layout": "imagenet", "depth": 121}
    assert_same(*pair(lambda: models.densenet121(num_classes=10), settings))


def timm_order(given):
    """Order timm's tensors as ours stand: the first unit's norm in the stem, shared norm, branch, projection."""
    blocks = list(
        dict.fromkeys(name.rsplit(".", 2)[0] for name in given if name.startswith("stages") and ".conv1." in name)
    )

    def of(prefix):
        return [name for name in given if name.startswith(prefix + ".")]

    order = [*of("stem"), *of(f"{blocks[0]}.norm1")]
    for block in blocks:
        order += [] if block == blocks[0] else of(f"{block}.norm1")
        for number in (1, 2, 3):
            order += [*of(f"{block}.conv{number}"), *of(f"{block}.norm{number + 1}")]
        order += of(f"{block}.downsample")
    return [*order, *of("norm"), *of("head")]


@pytest.mark.parametrize("depth", [50, 101, 152])
def test_preactivation_resnets_are_timms(depth):
    """timm pools in front of the stem's activation and strides in the 3×3; both are settings here.

    Its 18- and 34-layer networks differ: their first unit's shortcut carries the signal from before the activation,
    where arXiv:1603.05027 activates before the split.
    """
    import timm

    settings = {
        "family": "resnet_imagenet",
        "depth": depth,
        "activation": "full_preact",
        "stride_in": "3x3",
        "stem_pool": "before_activation",
    }
    assert_same(*pair(lambda: timm.create_model(f"resnetv2_{depth}", num_classes=10), settings, timm_order))


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"depth": 1202},
        {"depth": 1202, "activation": "full_preact"},
        {"depth": 1001, "block": "bottleneck"},
        {"depth": 1001, "block": "bottleneck", "activation": "full_preact"},
    ],
)
def test_the_deepest_networks_take_a_training_step(settings):
    torch.manual_seed(0)
    network = build_network(settings)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01)
    images, labels = torch.randn(2, 3, 32, 32), torch.tensor([0, 1])
    loss = nn.functional.cross_entropy(network(images), labels)
    loss.backward()
    optimiser.step()
    assert torch.isfinite(loss)
    assert all(parameter.grad is not None for parameter in network.parameters())
