"""The unit of every family as data, as a diagram for the terminal, and in words."""

import json
from dataclasses import asdict

import pytest

from search_spaces.drawing import ShortcutDrawing, UnitDrawing
from search_spaces.networks.families import FAMILIES, complete_network, family_of


def unit(**network):
    completed = complete_network(network)
    rest = {key: value for key, value in completed.items() if key != "family"}
    return family_of(completed["family"]).draw_unit(rest)


def test_a_gate_is_drawn_with_its_factors_on_both_paths():
    drawn = unit(depth=8, shortcut={"op": "exclusive_gate", "bias": -6})
    assert drawn.shortcut == ShortcutDrawing((), "1 − g", "g", ("1×1 conv", "sigmoid"))
    assert drawn.text().splitlines() == [
        "     x",
        "     ├──────┐",
        "  3×3 conv  │",
        "     BN     │",
        "    ReLU    │  exclusive_gate (bias -6)",
        "  3×3 conv  │  g = 1×1 conv, sigmoid of x",
        "     BN     │",
        "    × g     × 1 − g",
        "     ├─ + ──┘",
        "    ReLU",
        "     │",
    ]


def test_a_short_branch_leaves_room_for_the_notes_on_a_gate():
    assert unit(
        depth=5, block="single", activation="conv | add | relu", shortcut="shortcut_gate"
    ).text().splitlines() == [
        "     x",
        "     ├──────┐",
        "  3×3 conv  │  shortcut_gate (bias 0)",
        "     │      × 1 − g  g = 1×1 conv, sigmoid of x",
        "     ├─ + ──┘",
        "    ReLU",
        "     │",
    ]


def test_factors_of_one_are_not_drawn():
    assert unit(depth=8, shortcut={"op": "scale", "shortcut": 0.5, "residual": 1}).shortcut == ShortcutDrawing(
        (), "0.5"
    )


def test_a_lead_that_a_convolution_shares_stands_before_the_split():
    drawn = unit(depth=8, activation="full_preact", shortcut="conv1x1")
    assert drawn.before == ("BN", "ReLU")
    assert drawn.branch == ("3×3 conv", "BN", "ReLU", "3×3 conv")
    assert drawn.text().splitlines()[:4] == ["     x", "     BN", "    ReLU", "     ├──────┐"]


def test_a_projection_everywhere_is_drawn_in_front_of_the_operation():
    drawn = unit(depth=8, downsample="projection_everywhere", shortcut="dropout")
    assert drawn.shortcut.layers == ("1×1 conv", "BN", "dropout 0.5")
    assert drawn.note == "1×1 conv, BN, dropout (rate 0.5, rescale true)"
    assert unit(depth=8, downsample="projection").shortcut == ShortcutDrawing()


@pytest.mark.parametrize(
    ("block", "kernels"), [("single", ["3×3"]), ("basic", ["3×3", "3×3"]), ("bottleneck", ["1×1", "3×3", "1×1"])]
)
def test_the_convolutions_are_those_of_the_block(block, kernels):
    depth = {"single": 5, "basic": 8, "bottleneck": 11}[block]
    drawn = unit(depth=depth, block=block)
    assert [label.removesuffix(" conv") for label in drawn.branch if label.endswith(" conv")] == kernels


def test_a_dense_layer_concatenates():
    drawn = unit(family="densenet", depth=10, bottleneck=True, dropout=0.2)
    assert drawn.branch == ("BN", "ReLU", "1×1 conv", "dropout 0.2", "BN", "ReLU", "3×3 conv", "dropout 0.2")
    assert drawn.merge == "concat"
    rows = drawn.text().splitlines()
    assert len({len(row.partition("  identity")[0]) for row in rows[1:-1]}) == 1


def test_a_highway_layer_is_gated_by_a_convolution_of_its_input():
    drawn = unit(family="highway", batch_norm=True)
    assert drawn.branch == ("3×3 conv", "BN", "ReLU")
    assert drawn.shortcut == ShortcutDrawing((), "1 − T", "T", ("3×3 conv", "sigmoid"), "T")


def test_a_vgg_convolution_is_a_simple_chain():
    drawn = unit(family="vgg", batch_norm=True)
    assert drawn.text().splitlines() == ["     x", "     │", "  3×3 conv", "     BN", "    ReLU", "     │"]


def test_what_a_family_of_one_s_own_repeats_is_not_known():
    assert unit(family="tests.search_spaces.plugin_example:build") is None


@pytest.mark.parametrize("family", FAMILIES)
def test_a_drawing_survives_json(family):
    drawn = unit(family=family)
    assert UnitDrawing.from_mapping(json.loads(json.dumps(asdict(drawn)))) == drawn


@pytest.mark.parametrize(
    ("network", "sentence"),
    [
        ({"shortcut": "none"}, "3×3 conv, BN, ReLU, 3×3 conv, BN, ReLU; no shortcut."),
        (
            {"shortcut": "exclusive_gate", "activation": "full_preact"},
            "branch: BN, ReLU, 3×3 conv, BN, ReLU, 3×3 conv; shortcut: times 1 − g; residual: times g; "
            "g: 1×1 conv, sigmoid of the input; addition.",
        ),
        (
            {"shortcut": "conv1x1", "activation": "relu conv relu conv | concat | bn"},
            "before the split: ReLU; branch: 3×3 conv, ReLU, 3×3 conv; shortcut: 1×1 conv, BN; concatenation; then BN.",
        ),
    ],
)
def test_a_picture_is_put_in_words(network, sentence):
    assert unit(depth=8, **network).sentence() == sentence
