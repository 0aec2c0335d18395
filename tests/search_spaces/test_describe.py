import json
import re

import pytest

from search_spaces.cost import complexity
from search_spaces.describe import describe_network

NETWORKS = [
    {"depth": 20},
    {"depth": 8, "shortcut": "none"},
    {"depth": 8, "activation": "conv relu conv | concat | bn"},
    {"family": "resnet_imagenet", "depth": 50, "activation": "full_preact"},
    {"family": "vgg", "hidden": 0},
    {"family": "highway", "batch_norm": True},
    {"family": "densenet"},
    {"family": "tests.search_spaces.plugin_example:build"},
]


@pytest.mark.parametrize("network", NETWORKS)
def test_the_stages_add_up_to_the_network(network):
    found = describe_network(network)
    whole = complexity(network)
    assert sum(stage.params for stage in found.stages) == whole.params == found.total.params
    assert sum(stage.flops for stage in found.stages) == whole.flops
    assert sum(stage.activations for stage in found.stages) == whole.activations


@pytest.mark.parametrize("network", NETWORKS)
def test_every_family_is_put_in_words(network):
    found = describe_network(network)
    assert all(line.endswith(".") for line in found.words)
    assert found.text()
    assert json.loads(json.dumps(found.as_mapping()))["words"] == list(found.words)


def test_stages_show_their_shapes():
    shapes = {stage.name: stage.shape for stage in describe_network({"depth": 20}).stages}
    assert shapes == {
        "stem": (16, 32, 32),
        "stage1": (16, 32, 32),
        "stage2": (32, 16, 16),
        "stage3": (64, 8, 8),
        "classifier": (10,),
    }


@pytest.mark.parametrize(
    ("network", "units"),
    [
        ({"depth": 110}, [18, 18, 18]),
        ({"depth": 110, "block": "single"}, [36, 36, 36]),
        ({"family": "resnet_imagenet", "depth": 50}, [3, 4, 6, 3]),
        ({"family": "vgg", "depth": 16}, [2, 2, 3, 3, 3]),
        ({"family": "highway", "depth": 32}, [10, 10, 10]),
        ({"family": "densenet", "depth": 100}, [32, 32, 32]),
        ({"family": "tests.search_spaces.plugin_example:build"}, []),
    ],
)
def test_stages_count_their_units(network, units):
    assert [stage.units for stage in describe_network(network).stages if stage.units is not None] == units


def test_a_unit_is_drawn_from_its_wiring():
    unit = describe_network({"depth": 8, "shortcut": {"op": "scale", "shortcut": 0.5}}).unit
    assert unit.branch == ("3×3 conv", "BN", "ReLU", "3×3 conv", "BN")
    assert unit.after == ("ReLU",)
    assert unit.note == "scale (shortcut 0.5, residual 1)"
    assert unit.shortcut.shortcut_factor == "0.5"


def test_the_diagram_of_an_original_unit():
    assert describe_network({"depth": 8}).unit.text().splitlines() == [
        "     x",
        "     ├──────┐",
        "  3×3 conv  │",
        "     BN     │",
        "    ReLU    │  identity",
        "  3×3 conv  │",
        "     BN     │",
        "     ├─ + ──┘",
        "    ReLU",
        "     │",
    ]


def test_a_plain_unit_has_no_shortcut():
    text = describe_network({"depth": 8, "shortcut": "none"}).unit.text()
    assert not re.search("[├┘+]", text)


_FULL = {"depth": 8, "activation": "full_preact"}
_AFTER = "; one more follows the last unit."


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, f"The first unit's BN and ReLU stand before its split{_AFTER}"),
        ({"activation": "relu_only_preact"}, f"The first unit's ReLU stands before its split{_AFTER}"),
        ({"shortcut": "none"}, "One more BN and ReLU follow the last unit."),
        ({"shortcut": "none", "activation": "relu_only_preact"}, "One more ReLU follows the last unit."),
        ({"shortcut": "conv1x1"}, f"Every unit's BN and ReLU stand before its split{_AFTER}"),
        (
            {"downsample": "projection"},
            f"In the first unit, and where shapes change, BN and ReLU stand before the split{_AFTER}",
        ),
        (
            {"share_preactivation": "stage_start"},
            f"In the first unit of each stage BN and ReLU stand before the split{_AFTER}",
        ),
    ],
)
def test_the_preactivation_rule_is_told_as_the_network_is_built(settings, told):
    assert describe_network(_FULL | settings).words[-1] == told


def test_a_shortcut_that_is_projected_everywhere_is_not_called_an_identity():
    words = describe_network(_FULL | {"downsample": "projection_everywhere"}).words
    assert "Shortcut: 1×1 conv." in words
    assert "Shortcut: identity." not in words
