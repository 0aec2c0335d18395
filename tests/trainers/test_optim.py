import copy

import pytest
import torch
from torch import nn

from trainers.optim import build_optimiser, parameter_groups, set_learning_rate
from trainers.recipe import complete_training


def settings(**changes):
    return complete_training({"recipe": "he2016", **changes}, {"name": "cifar10"})


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(72, 3))


def decaying(network, **changes):
    groups = parameter_groups(network.named_parameters(), settings(**changes))
    kept = {id(each) for group in groups if group["weight_decay"] for each in group["params"]}
    return {name for name, parameter in network.named_parameters() if id(parameter) in kept}


def test_decay_all_takes_biases_and_batch_norms_too(network):
    assert decaying(network, decay="all") == {name for name, _ in network.named_parameters()}


def test_decay_weights_takes_convolutions_and_linear_layers_only(network):
    assert decaying(network, decay="weights") == {"0.weight", "3.weight"}


def train(network, rates, *, form, momentum=0.9):
    optimiser = build_optimiser(network, settings(momentum_form=form, momentum=momentum))
    before = rates[0]
    for at, lr in enumerate(rates):
        set_learning_rate(optimiser, lr, before, form)
        before = lr
        optimiser.zero_grad()
        torch.manual_seed(at)
        network(torch.randn(4, 1, 8, 8)).square().sum().backward()
        optimiser.step()
    return [parameter.detach().clone() for parameter in network.parameters()]


def caffe_by_hand(network, rates):
    velocities = [torch.zeros_like(parameter) for parameter in network.parameters()]
    for at, lr in enumerate(rates):
        network.zero_grad()
        torch.manual_seed(at)
        network(torch.randn(4, 1, 8, 8)).square().sum().backward()
        with torch.no_grad():
            for parameter, velocity in zip(network.parameters(), velocities, strict=True):
                velocity.mul_(0.9).add_(lr * (parameter.grad + 1e-4 * parameter))
                parameter.sub_(velocity)
    return list(network.parameters())


def test_caffes_momentum_keeps_its_velocity_when_the_rate_drops(network):
    rates = [0.001, 0.001, 0.01, 0.001, 0.001]
    other = copy.deepcopy(network)
    for ours, theirs in zip(train(network, rates, form="caffe"), caffe_by_hand(other, rates), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_the_two_forms_agree_while_the_rate_stays(network):
    other = copy.deepcopy(network)
    one, two = train(network, [0.001] * 4, form="torch"), train(other, [0.001] * 4, form="caffe")
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_the_two_forms_differ_where_the_rate_drops(network):
    other = copy.deepcopy(network)
    rates = [0.01, 0.01, 0.001, 0.001]
    one, two = train(network, rates, form="torch"), train(other, rates, form="caffe")
    assert not torch.allclose(one[0], two[0])
