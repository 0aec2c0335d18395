"""The units of a network: found in order, left out, swapped, and put back."""

import pytest
import torch
from torch import nn

from search_spaces import build_network
from search_spaces.units import find_units, left_out, swapped

IMAGES = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def network_of(**settings):
    torch.manual_seed(0)
    return build_network(settings, (1, 8, 8), 10).eval()


def test_a_residual_networks_units_are_its_residual_units():
    units = find_units(network_of(family="resnet_cifar", depth=14, width=4), IMAGES)
    assert [unit.name for unit in units] == [f"stages.{stage}.{at}" for stage in range(3) for at in range(2)]
    assert [unit.in_shape for unit in units[1:3]] == [(4, 8, 8), (4, 8, 8)]
    assert units[2].out_shape == (8, 4, 4)


def test_a_vgg_networks_units_are_its_convolutions_with_what_follows():
    units = find_units(network_of(family="vgg", depth=11, width=4, hidden=8, batch_norm=True), IMAGES)
    assert len(units) == 8
    assert [type(each).__name__ for each in units[0].modules] == ["Conv2d", "BatchNorm", "ReLU"]
    assert [unit.can_be_left_out for unit in units] == [False, False, False, True, False, True, True, True]


def test_a_network_of_linear_layers_has_all_but_its_classifier():
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 10))
    assert [unit.name for unit in find_units(network, IMAGES)] == ["1", "3"]


def test_torchvision_networks_have_their_blocks():
    from torchvision.models import resnet18

    units = find_units(resnet18(num_classes=10), torch.randn(2, 3, 32, 32))
    assert [unit.name for unit in units] == [f"layer{stage}.{at}" for stage in range(1, 5) for at in range(2)]
    assert units[0].branch is None


def test_where_nothing_repeats_there_are_no_units():
    assert find_units(nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), IMAGES) == ()


@pytest.mark.parametrize(
    "settings",
    [
        {"family": "resnet_cifar", "depth": 14, "width": 4},
        {"family": "resnet_cifar", "depth": 14, "width": 4, "shortcut": "none"},
        {"family": "resnet_cifar", "depth": 14, "width": 4, "activation": "bn relu conv bn relu conv | concat |"},
        {"family": "densenet", "depth": 10, "growth": 4},
        {"family": "highway", "depth": 11, "width": 4},
        {"family": "vgg", "depth": 11, "width": 4, "hidden": 0},
    ],
    ids=str,
)
def test_left_out_units_leave_no_trace(settings):
    network = network_of(**settings)
    units = [unit for unit in find_units(network, IMAGES) if unit.can_be_left_out]
    with torch.no_grad():
        before = network(IMAGES)
        with left_out(units):
            without = network(IMAGES)
        assert torch.equal(network(IMAGES), before)
    assert not torch.equal(without, before)
    assert not any("forward" in vars(module) for module in network.modules())


def test_a_layer_that_works_in_place_passes_its_input_on_untouched():
    network = nn.Sequential(*(nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.ReLU(inplace=True)) for _ in range(2)))
    units = find_units(network, IMAGES)
    with torch.no_grad(), left_out(units):
        assert torch.equal(network(IMAGES.clone()), IMAGES)


def test_a_unit_that_changes_shapes_with_nothing_to_skip_it_stays():
    units = find_units(network_of(family="resnet_cifar", depth=8, width=4, shortcut="none"), IMAGES)
    with pytest.raises(ValueError, match=r"stages\.1\.0 changes the shape"), left_out(units[1:2]):
        pass


def test_units_of_two_kinds_are_not_swapped():
    network = network_of(family="resnet_cifar", depth=8, width=4)
    one, other, _ = find_units(network, IMAGES)
    with pytest.raises(ValueError, match="cannot stand in each other's place"), swapped(network, [(one, other)]):
        pass


def test_swapped_units_come_back():
    network = network_of(family="resnet_cifar", depth=20, width=4)
    units = find_units(network, IMAGES)
    before = list(network.stages[0])
    with swapped(network, [(units[0], units[1]), (units[1], units[2])]):
        assert list(network.stages[0]) == [before[1], before[2], before[0]]
    assert list(network.stages[0]) == before
