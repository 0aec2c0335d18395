"""Small trained networks on digits, and their findings."""

from functools import cache

import pytest
import torch

from search_spaces import complete_network
from trainers.probes import complete_probes
from trainers.probes.session import ProbeLog, ProbeSession
from trainers.probes.subject import Bench
from trainers.records import Task
from trainers.settings.data import complete_data
from trainers.settings.recipe import complete_training

SEED = 3


@cache
def bench_of(*network):
    """Return the bench of a network, given as (setting, value) pairs; pairs as a value are a mapping."""
    data = complete_data("digits")
    given = {name: dict(value) if isinstance(value, tuple) else value for name, value in network}
    settings = given if "family" in given else {"family": "resnet_cifar", "depth": 8, "width": 4, **given}
    training = complete_training({"epochs": 2}, data)
    return Bench.of(Task(data, complete_network(settings), training, (SEED,)), "cpu", 1)


def weights_of(bench):
    """Return weights as after some training: those of the start, moved, with statistics of some batches."""
    network = bench.subject(SEED, None, 0).network
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.1 * parameter.std(correction=0) * torch.randn_like(parameter)
        for images, _ in bench.subject(SEED, None, 0).training_images(512):
            network.train()(images)
    return network.state_dict()


@pytest.fixture
def measured():
    """Measure a network with one probe: return its findings and the network."""

    def measure(probe, bench, log=None):
        weights = weights_of(bench)
        session = ProbeSession(bench, complete_probes([probe]), 2, log or ProbeLog(None))
        (found,) = [each for each in session.conclude(SEED, weights, 2) if each is not None]
        return found.values, bench.subject(SEED, weights, 2)

    return measure
