"""What identifies a network of the user's own before it is trained."""

import random

import numpy as np
import torch
from torch import nn

from search_spaces.behaviour import behaviour_hash


def test_what_a_second_network_draws_when_it_is_built_changes_nothing_that_the_first_one_draws():
    images, built = torch.ones(2, 3), []

    def build(draws: int) -> nn.Module:
        built.append(draws)
        torch.rand(draws * (len(built) % 2 == 0))
        return nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 2))

    assert behaviour_hash(lambda: build(0), images) == behaviour_hash(lambda: build(1000), images)
    assert built == [0, 0, 1000, 1000]


def test_a_network_that_draws_from_python_or_numpy_is_the_same_each_time_and_the_caller_draws_on():
    def build() -> nn.Module:
        network = nn.Sequential(nn.Linear(3, 2))
        network[0].weight.data *= random.random() + np.random.random()
        return network

    random.seed(1)
    np.random.seed(1)
    expected = random.random(), np.random.random()
    random.seed(1)
    np.random.seed(1)
    first = behaviour_hash(build, torch.ones(2, 3))
    assert (random.random(), np.random.random()) == expected
    assert behaviour_hash(build, torch.ones(2, 3)) == first
