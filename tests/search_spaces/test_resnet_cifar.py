import pytest
import torch
from torch import nn

from search_spaces.cost import complexity
from search_spaces.errors import SettingError
from search_spaces.layers import BatchNorm, NarrowProjection
from search_spaces.networks.families import build_network, complete_network
from search_spaces.wiring import PLACEMENTS
from search_spaces.wiring_space import sample_wirings


def network(**settings):
    torch.manual_seed(0)
    return build_network({"depth": 8, "width": 4, **settings}, (1, 8, 8), 10)


def kinds(module):
    names = {nn.Conv2d: "conv", NarrowProjection: "conv", BatchNorm: "bn", nn.ReLU: "relu"}
    return [names[type(layer)] for layer in module.modules() if type(layer) in names]


@pytest.mark.parametrize("block", ["single", "basic", "bottleneck"])
@pytest.mark.parametrize("downsample", ["pad", "projection", "projection_everywhere"])
@pytest.mark.parametrize("activation", [*PLACEMENTS, "conv conv relu | concat | bn"])
def test_every_combination_trains(block, downsample, activation):
    if "|" in activation:
        activation = {"single": "conv relu", "basic": "conv conv relu", "bottleneck": "conv conv relu conv"}[block]
        activation += " | concat | bn"
    depth = {"single": 5, "basic": 8, "bottleneck": 11}[block]
    built = network(depth=depth, block=block, downsample=downsample, activation=activation)
    logits = built(torch.randn(4, 1, 8, 8))
    assert logits.shape == (4, 10)
    logits.square().sum().backward()
    assert all(parameter.grad is not None for parameter in built.parameters())


@pytest.mark.parametrize(
    ("depth", "block", "units"),
    [(5, "single", 1), (110, "single", 36), (8, "basic", 1), (110, "basic", 18), (11, "bottleneck", 1)],
)
def test_depth_counts_the_weighted_layers(depth, block, units):
    stages = network(depth=depth, block=block).stages
    assert [len(stage) for stage in stages] == [units] * 3


@pytest.mark.parametrize(
    ("depth", "block", "near"),
    [
        (21, "single", "3n+2 layers, for instance 17, 20, 23"),
        (21, "basic", "20, 26, 32"),
        (2, "basic", "8, 14"),
        (21, "bottleneck", "20, 29"),
    ],
)
def test_an_impossible_depth_names_those_that_exist(depth, block, near):
    with pytest.raises(SettingError) as caught:
        complete_network({"depth": depth, "block": block})
    assert near in caught.value.message
    assert caught.value.key == ("depth",)


def test_a_plain_network_is_the_same_in_units_of_one_convolution_or_of_two():
    one, two = (complexity({"depth": 14, "block": block, "shortcut": "none"}) for block in ("single", "basic"))
    assert one == two


def test_a_single_convolution_has_the_stride_and_the_new_channels():
    unit = network(depth=8, block="single").stages[1][0]
    (convolution,) = [layer for layer in unit.branch if isinstance(layer, nn.Conv2d)]
    assert (convolution.in_channels, convolution.out_channels, convolution.stride) == (4, 8, (2, 2))


def test_full_preactivation_shares_the_first_activation_and_adds_a_last_one():
    built = network(activation="full_preact")
    assert kinds(built.stem) == ["conv", "bn", "relu"]
    assert kinds(built.stages[0][0].branch) == ["conv", "bn", "relu", "conv"]
    assert kinds(built.stages[1][0].branch) == ["bn", "relu", "conv", "bn", "relu", "conv"]
    assert kinds(built.tail) == ["bn", "relu"]


def test_preactivated_projections_share_the_activation():
    built = network(activation="full_preact", downsample="projection")
    unit = built.stages[1][0]
    assert kinds(unit.shared) == ["bn", "relu"]
    assert kinds(unit.merge) == ["conv"]


def test_sharing_at_every_stage_start_is_a_setting():
    built = network(activation="full_preact", share_preactivation="stage_start")
    assert kinds(built.stages[1][0].shared) == ["bn", "relu"]
    assert built.stages[1][0].merge.resize is not None


def test_sharing_at_stage_starts_only_is_a_setting():
    both, only = (
        network(activation="full_preact", downsample="projection_everywhere", depth=14, share_preactivation=sharing)
        for sharing in ("stage_start", "stage_start_only")
    )
    assert [unit.shared is not None for unit in both.stages[1]] == [True, True]
    assert [unit.shared is not None for unit in only.stages[1]] == [True, False]
    assert kinds(only.stages[1][1].branch)[:2] == ["bn", "relu"]


def test_projections_are_normalised_where_the_branch_ends_normalised():
    assert complete_network({"activation": "original"})["projection_bn"] is True
    assert complete_network({"activation": "full_preact"})["projection_bn"] is False


def test_a_plain_network_has_no_shortcut_where_shapes_change_either():
    built = network(shortcut="none", downsample="projection")
    assert kinds(built) == ["conv", "bn", "relu"] * 7


def test_bottlenecks_project_by_default_and_basic_units_pad():
    assert complete_network({"block": "bottleneck", "depth": 164})["downsample"] == "projection"
    assert complete_network({})["downsample"] == "pad"


@pytest.mark.parametrize(("stride_in", "strides"), [("1x1", [2, 1, 1]), ("3x3", [1, 2, 1])])
def test_the_bottleneck_stride_stands_where_asked(stride_in, strides):
    unit = network(depth=11, block="bottleneck", stride_in=stride_in).stages[1][0]
    assert [layer.stride[0] for layer in unit.branch if isinstance(layer, nn.Conv2d)] == strides


def test_concat_units_grow_the_signal():
    built = network(activation="bn relu conv relu conv | concat |", growth=3)
    assert built.classifier.in_features == 4 + 3 * 3


def gradients(activation, shortcut, in_place):
    built = network(activation=activation, shortcut=shortcut).double()
    for module in built.modules():
        if isinstance(module, nn.ReLU) and not in_place:
            module.inplace = False
        if hasattr(module, "overwrite") and not in_place:
            module.overwrite = False
    torch.manual_seed(1)
    built(torch.randn(4, 1, 8, 8).double()).square().sum().backward()
    return [parameter.grad for parameter in built.parameters()]


@pytest.mark.parametrize("shortcut", ["identity", "none", "shortcut_gate", "layer_scale", "dropout"])
@pytest.mark.parametrize("activation", [*PLACEMENTS, *(each.text for each in sample_wirings(2, 8, merges=("add",)))])
def test_in_place_layers_change_no_gradient(activation, shortcut):
    pairs = zip(gradients(activation, shortcut, True), gradients(activation, shortcut, False), strict=True)
    for one, other in pairs:
        torch.testing.assert_close(one, other)


def test_convolutions_start_he_normal():
    weight = network(depth=20, width=64).stages[0][1].branch[0].weight
    assert weight.std().item() == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.02)


def test_the_global_generator_decides_the_start():
    one, other = network(), network()
    assert all(a.equal(b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 7, 9), (4, 1, 1)])
def test_any_input_size_and_channel_count(shape):
    assert build_network({"depth": 8, "width": 4}, shape, 5)(torch.randn(2, *shape)).shape == (2, 5)


def test_completing_twice_changes_nothing():
    once = complete_network({"depth": 20, "shortcut": "scale", "activation": "conv bn relu conv bn|add|relu"})
    assert once["activation"] == "original"
    assert complete_network(once) == once


@pytest.mark.parametrize(
    ("settings", "message", "key"),
    [
        ({"wdith": 8}, 'did you mean "width"', ("wdith",)),
        ({"family": "resnet_cifr"}, 'did you mean "resnet_cifar"', ("family",)),
        ({"width": 0}, "a whole number from 1 to 100,000, not 0", ("width",)),
        ({"block": "bottelneck"}, 'did you mean "bottleneck"', ("block",)),
        ({"activation": "conv relu | add |"}, "needs 2", ("activation",)),
        ({"activation": 3}, "must be text", ("activation",)),
        ({"shortcut": {"op": "scale", "x": 1}}, "unknown scale setting", ("shortcut", "x")),
        ({"shortcut": "none", "activation": "conv relu conv | concat |"}, "concat", ("shortcut",)),
        ({"growth": 3}, "concat", ("growth",)),
    ],
)
def test_wrong_settings_are_refused_at_their_key(settings, message, key):
    with pytest.raises(SettingError) as caught:
        complete_network(settings)
    assert message in caught.value.message
    assert caught.value.key == key
