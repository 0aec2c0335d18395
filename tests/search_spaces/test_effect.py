"""Networks that compute the same are told, however they are spelt; networks that differ in values are not the same."""

from itertools import groupby

import pytest
import torch

from search_spaces import build_network, complexity
from search_spaces.cost import trace_network
from search_spaces.effect import effect_hash
from search_spaces.wiring_space import wirings

RELU_LAST = "conv bn relu conv bn relu | add |"

ODD = "tests.trainers.odd_networks:"


def effect(**settings):
    return effect_hash(trace_network({"depth": 8, "width": 2, **settings}, (1, 8, 8), 3))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("conv bn relu conv bn | add | relu", "relu conv bn relu conv bn | add | relu"),
        (RELU_LAST, f"{RELU_LAST} relu"),
    ],
)
def test_a_relu_of_what_is_never_negative_changes_nothing(one, other):
    assert effect(activation=one) == effect(activation=other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"activation": "conv bn relu conv bn | add |"}, {"activation": "conv bn relu conv bn | add | relu"}),
        ({"activation": "original"}, {"activation": "full_preact"}),
        (
            {"activation": "conv bn relu conv bn relu | add |"},
            {"activation": "conv bn relu conv bn relu | add | bn relu"},
        ),
        (
            {"activation": "relu_before_add", "shortcut": {"op": "scale", "shortcut": -0.5}},
            {"activation": f"{RELU_LAST} relu", "shortcut": {"op": "scale", "shortcut": -0.5}},
        ),
    ],
)
def test_networks_that_compute_something_else_are_told_apart(one, other):
    assert effect(**one) != effect(**other)


@pytest.mark.slow
def test_all_wirings_of_one_convolution_are_told_apart_as_their_numbers_are():
    def numbers(text):
        torch.manual_seed(0)
        network = build_network({"block": "single", "depth": 8, "width": 2, "activation": text}, (1, 8, 8), 3).double()
        output = network(torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(1)).double())
        output.square().sum().backward()
        shapes = sorted(tuple(each.shape) for each in network.parameters())
        first = next(network.parameters()).grad.flatten()
        return str(
            [[round(float(each), 6) for each in values] for values in (output.detach().flatten(), first)] + shapes
        )

    texts = [wiring.text for wiring in wirings(1, ("add",))]

    def groups(key):
        return {frozenset(each) for _, each in groupby(sorted(texts, key=key), key)}

    assert groups(lambda text: effect(block="single", activation=text)) == groups(numbers)


@pytest.mark.parametrize(
    ("builder", "one", "other"),
    [
        ("filtered", {"kind": "sobel"}, {"kind": "box"}),
        ("partly_frozen", {"freeze": True}, {"freeze": False}),
        ("scaled_gradient", {"factor": 1.0}, {"factor": 2.0}),
    ],
)
def test_networks_of_the_users_own_that_differ_in_values_are_not_the_same(builder, one, other):
    found = [complexity({"family": ODD + builder, **each}, (1, 8, 8), 4).graph for each in (one, other, one)]
    assert found[0] != found[1]
    assert found[0] == found[2]


def test_telling_values_apart_leaves_the_generator_alone():
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    complexity({"family": ODD + "filtered"}, (1, 8, 8), 4)
    assert torch.rand(1) == expected
