"""Every family keeps the contract, the user's own included; then what each family is defined as."""

import sys
from typing import ClassVar

import pytest
import torch
from torch import nn

from search_spaces.errors import SettingError
from search_spaces.layers import BatchNorm
from search_spaces.networks.families import build_network, complete_network
from search_spaces.testing import FamilyContract


class TestResNetCifar(FamilyContract):
    network: ClassVar = {"family": "resnet_cifar", "depth": 8, "width": 4}


class TestResNetImageNet(FamilyContract):
    network: ClassVar = {"family": "resnet_imagenet", "depth": 50, "width": 4}


class TestPreactResNetImageNet(FamilyContract):
    network: ClassVar = {"family": "resnet_imagenet", "depth": 18, "width": 4, "activation": "full_preact"}


class TestVGG(FamilyContract):
    network: ClassVar = {"family": "vgg", "depth": 11, "width": 4, "hidden": 16}


class TestVGGWithoutHiddenLayers(FamilyContract):
    network: ClassVar = {"family": "vgg", "width": 4, "hidden": 0, "batch_norm": True}


class TestHighway(FamilyContract):
    network: ClassVar = {"family": "highway", "depth": 8, "width": 4}


class TestDenseNet(FamilyContract):
    network: ClassVar = {"family": "densenet", "depth": 10, "growth": 4}


class TestDenseNetBC(FamilyContract):
    network: ClassVar = {
        "family": "densenet",
        "depth": 16,
        "growth": 4,
        "bottleneck": True,
        "compression": 0.5,
        "dropout": 0.2,
    }


class TestDenseNetImageNet(FamilyContract):
    network: ClassVar = {"family": "densenet", "layout": "imagenet", "growth": 4}


class TestPlugin(FamilyContract):
    network: ClassVar = {"family": "tests.search_spaces.plugin_example:build", "depth": 2}


def refusal(**settings):
    with pytest.raises(SettingError) as caught:
        build_network(settings, (1, 8, 8), 3)
    return caught.value


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"family": "resnet_imagenet", "depth": 51},
            "18, 34 with basic blocks; 50, 101, 152, 200 with bottleneck blocks",
        ),
        ({"family": "resnet_imagenet", "depth": 50, "block": "basic"}, "cannot be built with basic blocks"),
        ({"family": "resnet_imagenet", "depth": 50, "block": "single"}, "with single blocks: there are 18"),
        ({"family": "resnet_imagenet", "depth": [18]}, "a whole number"),
        ({"family": "vgg", "depth": 17}, "known: 11, 13, 16, 19"),
        ({"family": "highway", "depth": 21}, "3n+2 layers, as 20, 23"),
        ({"family": "densenet", "depth": 41}, "3n+4 layers, as 40, 43"),
        ({"family": "densenet", "depth": 101, "bottleneck": True}, "6n+4 layers, as 100, 106"),
        ({"family": "densenet", "layout": "imagenet", "depth": 120}, "there are 121, 161"),
    ],
)
def test_impossible_depths_are_refused(settings, message):
    error = refusal(**settings)
    assert message in error.message
    assert error.key == ("depth",)


@pytest.mark.parametrize("compression", [0.01, 0.04])
def test_a_transition_that_keeps_no_channel_is_refused(compression):
    error = refusal(family="densenet", depth=10, growth=2, stem_width=4, compression=compression)
    assert "leaves none for the next block" in error.message
    assert error.key == ("compression",)
    least = float(error.message.split(": ")[-1].split()[0])
    build_network(
        {"family": "densenet", "depth": 10, "growth": 2, "stem_width": 4, "compression": 2 * least}, (1, 8, 8)
    )


def test_the_block_follows_from_the_depth():
    assert complete_network({"family": "resnet_imagenet", "depth": 34})["block"] == "basic"
    assert complete_network({"family": "resnet_imagenet", "depth": 50})["block"] == "bottleneck"


def test_the_stem_pool_may_stand_before_the_activation():
    settings = {"family": "resnet_imagenet", "depth": 18, "width": 4, "stem_pool": "before_activation"}
    assert [type(each) for each in build_network(settings).stem] == [nn.Conv2d, nn.MaxPool2d, BatchNorm, nn.ReLU]


def test_highway_gates_start_by_carrying():
    network: ClassVar = build_network({"family": "highway", "depth": 8, "gate_bias": -3})
    assert network.stages[0][0].gate.bias.eq(-3).all()


def test_a_closed_highway_gate_carries_its_input():
    layer = build_network({"family": "highway", "depth": 8, "gate_bias": -100}).stages[0][0]
    x = torch.randn(1, 16, 4, 4)
    torch.testing.assert_close(layer(x), x)


@pytest.mark.parametrize(
    ("settings", "width"), [({}, 16), ({"bottleneck": True, "compression": 0.5, "depth": 100}, 24)]
)
def test_the_first_convolution_of_a_densenet(settings, width):
    assert complete_network({"family": "densenet", **settings})["stem_width"] == width


PLUGIN = "tests.search_spaces.plugin_example"


@pytest.mark.parametrize(
    ("family", "message"),
    [
        ("no_such_module_here:build", "there is no module no_such_module_here"),
        (f"{PLUGIN}:biuld", 'did you mean "build"'),
        (f"{PLUGIN}:", "package.module:builder"),
        (f"{PLUGIN}:no_classes", "must take num_classes"),
        (f"{PLUGIN}:refuses", "an odd depth is not for me"),
        (f"{PLUGIN}:not_a_module", "must return an nn.Module, not str"),
        (3, "unknown family"),
    ],
)
def test_faulty_plugins_are_explained(family, message):
    error = refusal(family=family)
    assert message in error.message
    assert error.key == ("family",)


def test_a_setting_that_the_plugin_lacks_names_the_nearest():
    error = refusal(family=f"{PLUGIN}:build", dpeth=2)
    assert 'did you mean "depth"' in error.message
    assert error.key == ("dpeth",)


def test_a_plugin_that_cannot_be_imported_says_why(tmp_path, monkeypatch):
    (tmp_path / "broken_family.py").write_text("import no_such_thing_at_all\n")
    (tmp_path / "failing_family.py").write_text("1 / 0\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    assert "not installed: no_such_thing_at_all" in refusal(family="broken_family:build").message
    assert "ZeroDivisionError" in refusal(family="failing_family:build").message
