import time

import pytest
from torch import nn

from search_spaces.cost import complexity
from search_spaces.trace import trace


def graph(**settings):
    return complexity({"depth": 8, **settings}, (1, 8, 8)).graph


def test_a_small_network_counted_by_hand():
    found = complexity({"depth": 8, "width": 2, "shortcut": "none"}, (1, 4, 4), num_classes=3)
    weights = 9 * (1 * 2 + 2 * 2 + 2 * 2 + 2 * 4 + 4 * 4 + 4 * 8 + 8 * 8)
    norms = 2 * (2 * 3 + 4 * 2 + 8 * 2)
    assert found.params == weights + norms + 8 * 3 + 3
    macs = 9 * (16 * (2 + 4 + 4) + 4 * (8 + 16) + 1 * (32 + 64)) + 8 * 3
    assert found.flops == macs
    assert found.activations == 16 * 6 + 4 * 8 + 16


def test_a_placement_and_its_wiring_are_one_graph():
    assert graph(activation="original") == graph(activation="conv bn relu conv bn | add | relu")


def test_conv1x1_and_option_c_are_one_graph():
    assert graph(shortcut="conv1x1") == graph(downsample="projection_everywhere")


@pytest.mark.parametrize(
    "settings",
    [
        {"activation": "full_preact"},
        {"width": 17},
        {"shortcut": "none"},
        {"shortcut": {"op": "scale", "shortcut": 0.5}},
        {"shortcut": {"op": "scale", "shortcut": 0.6}},
        {"shortcut": {"op": "dropout", "rate": 0.4}},
        {"shortcut": {"op": "exclusive_gate", "bias": 0}},
        {"shortcut": {"op": "exclusive_gate", "bias": -6}},
        {"shortcut": {"op": "learned_scalar", "start": 0.5}},
        {"shortcut": {"op": "learned_scalar", "start": 0.25}},
        {"shortcut": "stochastic_depth"},
        {"downsample": "projection"},
    ],
)
def test_wiring_shapes_and_constants_change_the_graph(settings):
    others = [graph(), graph(shortcut="shortcut_gate"), graph(shortcut={"op": "scale", "shortcut": 0.7})]
    assert graph(**settings) not in others


def test_the_start_of_a_gate_is_part_of_the_graph():
    assert graph(shortcut={"op": "shortcut_gate", "bias": 0}) != graph(shortcut={"op": "shortcut_gate", "bias": -1})


def test_the_graph_does_not_change_from_call_to_call():
    assert graph(shortcut="dropout") == graph(shortcut="dropout")


def test_the_input_shape_is_part_of_the_graph():
    assert complexity({"depth": 8}, (1, 8, 8)).graph != complexity({"depth": 8}, (1, 16, 16)).graph


def test_a_110_layer_network_is_measured_within_a_second():
    complexity({"depth": 8})
    start = time.process_time()
    complexity({"depth": 110})
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "build",
    [
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(63, 3)),
        lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(5)),
    ],
    ids=["linear", "batch norm"],
)
def test_layers_that_do_not_fit_each_other_are_no_network(build):
    with pytest.raises(RuntimeError, match=r"\b(63|4 elements not 5)\b"):
        trace(build, (1, 8, 8))
