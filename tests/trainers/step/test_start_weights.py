"""The weights that a training starts from are those that are counted as shared."""

import pytest
import torch

from trainers import Task, complete_data, complete_training, inspect_data
from trainers.seeding import derive
from trainers.step.precision import choose_numerics
from trainers.step.replica import Replica
from trainers.step.start_weights import drawn_weights, start_network

NETWORK = {"family": "resnet_cifar", "depth": 8, "width": 2}


@pytest.fixture(scope="module")
def task():
    data = complete_data({"name": "synthetic", "train_size": 64, "test_size": 8})
    return Task(data, NETWORK, complete_training({"epochs": 1, "batch_size": 16}, data), (3,))


def test_a_training_starts_from_the_weights_that_are_counted(task):
    info = inspect_data(task.data)
    trained = Replica(task, 3, info, choose_numerics(task.training, torch.device("cpu"), 1)).network
    assert drawn_weights(trained) == drawn_weights(start_network(NETWORK, task.training["init"], 3, info))


def test_other_seeds_share_no_weight_and_the_callers_generator_stays(task):
    info, init = inspect_data(task.data), task.training["init"]
    torch.manual_seed(derive(0, "order"))
    before = torch.get_rng_state()
    one, other = (drawn_weights(start_network(NETWORK, init, seed, info)) for seed in (0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert one.total() == 8
    assert not one & other


def test_tensors_with_one_value_and_vectors_are_no_drawn_weights():
    network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 2))
    torch.nn.init.zeros_(network[2].weight)
    assert drawn_weights(network).total() == 1
