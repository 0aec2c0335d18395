"""The cost of every named network, held against a file and against what the papers state.

After an intended change, `python -m tests.search_spaces.test_gold` writes the file anew.
"""

import json
from pathlib import Path

import pytest

from search_spaces.cost import complexity

GOLD = Path(__file__).parent.parent / "gold" / "networks.json"
CIFAR, IMAGENET = ((3, 32, 32), 10), ((3, 224, 224), 1000)
BC = {"bottleneck": True, "compression": 0.5}

# Parameters in millions as published: arXiv:1512.03385 table 6, 1603.05027 table 4, 1608.06993 table 2 and figure 3,
# 1605.07146 table 4; of VGG, arXiv:1409.1556 table 2.
PUBLISHED = {
    "resnet-20": 0.27,
    "resnet-32": 0.46,
    "resnet-44": 0.66,
    "resnet-56": 0.85,
    "resnet-110": 1.7,
    "resnet-1202": 19.4,
    "resnet-164": 1.7,
    "preact-resnet-164": 1.7,
    "densenet-40-k12": 1.0,
    "densenet-100-k12": 7.0,
    "densenet-100-k24": 27.2,
    "densenet-bc-100-k12": 0.8,
    "densenet-bc-250-k24": 15.3,
    "densenet-bc-190-k40": 25.6,
    "wide-resnet-28-10": 36.5,
    "vgg-16": 138,
    "vgg-19": 144,
}


def named_networks():
    resnets = {f"resnet-{depth}": {"depth": depth} for depth in (20, 32, 44, 56, 110, 1202)}
    resnets |= {f"resnet-{depth}": {"depth": depth, "block": "bottleneck"} for depth in (164, 1001)}
    resnets["resnet-110-single"] = {"depth": 110, "block": "single"}
    cifar = dict(resnets)
    cifar |= {f"preact-{name}": {**settings, "activation": "full_preact"} for name, settings in resnets.items()}
    cifar |= {name.replace("resnet", "plain"): {**settings, "shortcut": "none"} for name, settings in resnets.items()}
    for activation in ("bn_after_add", "relu_before_add", "relu_only_preact"):
        cifar[f"resnet-110-{activation}"] = {"depth": 110, "activation": activation}
    for shortcut in ("scale", "exclusive_gate", "shortcut_gate", "conv1x1", "dropout", "learned_scalar", "layer_scale"):
        cifar[f"resnet-110-{shortcut}"] = {"depth": 110, "shortcut": shortcut}
    for downsample in ("projection", "projection_everywhere"):
        cifar[f"resnet-110-{downsample}"] = {"depth": 110, "downsample": downsample}
    wide = {"depth": 26, "width": 160, "stem_width": 16, "activation": "full_preact", "downsample": "projection"}
    cifar["wide-resnet-28-10"] = wide
    cifar |= {f"highway-{depth}": {"family": "highway", "depth": depth} for depth in (20, 32, 56, 110)}
    for depth, growth in ((40, 12), (100, 12), (100, 24)):
        cifar[f"densenet-{depth}-k{growth}"] = {"family": "densenet", "depth": depth, "growth": growth}
    for depth, growth in ((100, 12), (250, 24), (190, 40)):
        cifar[f"densenet-bc-{depth}-k{growth}"] = {"family": "densenet", "depth": depth, "growth": growth, **BC}
    for depth in (16, 19):
        cifar[f"vgg-{depth}-bn-small"] = {"family": "vgg", "depth": depth, "batch_norm": True, "hidden": 0}
    large = {}
    for depth in (18, 34, 50, 101, 152, 200):
        settings = {"family": "resnet_imagenet", "depth": depth}
        large[f"resnet-{depth}-imagenet"] = settings
        large[f"preact-resnet-{depth}-imagenet"] = {**settings, "activation": "full_preact"}
    for depth in (18, 34):
        large[f"plain-{depth}-imagenet"] = {"family": "resnet_imagenet", "depth": depth, "shortcut": "none"}
    for depth in (50, 101, 152):
        large[f"resnet-{depth}-torchvision"] = {"family": "resnet_imagenet", "depth": depth, "stride_in": "3x3"}
    for depth in (16, 19):
        large[f"vgg-{depth}"] = {"family": "vgg", "depth": depth}
        large[f"vgg-{depth}-bn"] = {"family": "vgg", "depth": depth, "batch_norm": True}
    for depth in (121, 161, 169, 201, 264):
        large[f"densenet-{depth}"] = {"family": "densenet", "layout": "imagenet", "depth": depth}
    return {name: (settings, *CIFAR) for name, settings in cifar.items()} | {
        name: (settings, *IMAGENET) for name, settings in large.items()
    }


NETWORKS = named_networks()


def measured(name):
    found = complexity(*NETWORKS[name])
    return {"params": found.params, "flops": found.flops, "activations": found.activations}


def is_deep(name):
    return any(part in ("1001", "1202", "250", "190", "264") for part in name.split("-"))


@pytest.fixture(scope="module")
def gold():
    return json.loads(GOLD.read_text())


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if is_deep(name) else ()) for name in NETWORKS]
)
def test_cost_is_that_of_the_gold_file(name, gold):
    assert measured(name) == {key: gold[name][key] for key in ("params", "flops", "activations")}


def test_the_gold_file_has_every_named_network(gold):
    assert set(gold) == set(NETWORKS)


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_those_published(name, gold):
    stated = PUBLISHED[name]
    digits = len(str(stated).partition(".")[2])
    assert round(gold[name]["params"] / 1e6, digits) == stated


def test_units_of_one_convolution_have_the_parameters_of_units_of_two(gold):
    """arXiv:1603.05027 prints no size for its 1-layer skips; as many convolutions of the same shapes are the same."""
    for name in ("resnet-110", "preact-resnet-110"):
        assert gold[f"{name}-single"]["params"] == gold[name]["params"]


def test_the_1001_layer_networks_are_those_of_the_released_code(gold):
    """The paper prints 10.2 M; its released code, layer by layer, has 10.3 M (10,327,706 in 10 classes)."""
    assert gold["preact-resnet-1001"]["params"] == 10_327_706


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("resnet-18-imagenet", 1.8),
        ("resnet-34-imagenet", 3.6),
        ("resnet-50-imagenet", 3.8),
        ("resnet-101-imagenet", 7.6),
        ("resnet-152-imagenet", 11.3),
        ("vgg-19", 19.6),
    ],
)
def test_multiply_adds_are_those_published(name, billions, gold):
    """arXiv:1512.03385, table 1 and figure 3; the table truncates 34 layers and counts a little less than all."""
    assert gold[name]["flops"] / 1e9 == pytest.approx(billions, rel=0.025)


if __name__ == "__main__":
    rows = {
        name: {"network": NETWORKS[name][0], "input_shape": NETWORKS[name][1], "num_classes": NETWORKS[name][2]}
        | measured(name)
        for name in sorted(NETWORKS)
    }
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
    GOLD.write_text("{\n" + lines + "\n}\n")
