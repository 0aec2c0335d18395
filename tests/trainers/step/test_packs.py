"""Which networks draw random numbers, and so train one after the other."""

import pytest
from torch import nn

from search_spaces import build_network, complete_network
from tests.trainers.networks import network
from trainers.step.packs import is_random


class Own(nn.Module):
    """A module of the user's own."""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, False),
        ({"family": "densenet"}, False),
        ({"shortcut": {"op": "dropout", "rate": 0.5}}, True),
        ({"shortcut": "stochastic_depth"}, True),
    ],
)
def test_networks_with_random_parts_are_told_apart(changes, expected):
    settings = complete_network(changes) if "family" in changes else network(**changes)
    assert is_random(build_network(settings, (1, 8, 8), 4)) is expected


@pytest.mark.parametrize("layer", [nn.Dropout1d(), nn.AlphaDropout(), nn.RReLU(), Own()])
def test_a_module_of_the_users_own_may_draw(layer):
    assert is_random(nn.Sequential(nn.Conv2d(1, 2, 3), layer))
    assert not is_random(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()))
