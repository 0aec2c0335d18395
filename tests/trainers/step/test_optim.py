import copy
from functools import partial

import pytest
import torch
from torch import nn

from trainers.settings.recipe import complete_training
from trainers.step.optim import SGD, weight_decays


def settings(**changes):
    return complete_training({"recipe": "he2016", **changes}, {"name": "cifar10"})


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(72, 3))


def decaying(network, **changes):
    named = dict(network.named_parameters())
    decays = weight_decays(named.values(), settings(**changes))
    return {name for name, decay in zip(named, decays, strict=True) if decay}


def test_decay_all_takes_biases_and_batch_norms_too(network):
    assert decaying(network, decay="all") == {name for name, _ in network.named_parameters()}


def test_decay_weights_takes_convolutions_and_linear_layers_only(network):
    assert decaying(network, decay="weights") == {"0.weight", "3.weight"}


def gradients(network, at):
    torch.manual_seed(at)
    loss = network(torch.randn(4, 1, 8, 8)).square().sum()
    return torch.autograd.grad(loss, list(network.parameters()))


def train(network, rates, **changes):
    optimiser = SGD(network, settings(**changes))
    before = rates[0]
    for at, lr in enumerate(rates):
        optimiser.change_rate(before, lr)
        before = lr
        optimiser.step(gradients(network, at), lr)
    return [parameter.detach().clone() for parameter in network.parameters()]


@pytest.mark.parametrize(
    "changes",
    [
        {"momentum": 0.9},
        {"momentum": 0.9, "nesterov": True, "momentum_form": "torch"},
        {"momentum": 0.0},
        {"weight_decay": 0.1},
    ],
)
def test_the_update_is_torchs(network, changes):
    other = copy.deepcopy(network)
    found = settings(**changes)
    theirs = torch.optim.SGD(
        other.parameters(),
        lr=0.001,
        momentum=found["momentum"],
        nesterov=found["nesterov"],
        weight_decay=found["weight_decay"],
    )
    for at in range(4):
        for parameter, gradient in zip(other.parameters(), gradients(other, at), strict=True):
            parameter.grad = gradient
        theirs.step()
    for ours, expected in zip(train(network, [0.001] * 4, **changes), other.parameters(), strict=True):
        torch.testing.assert_close(ours, expected)


def test_a_gradient_in_another_memory_order_is_applied_element_by_element(network):
    weight = network[0].weight
    gradient = torch.randn_like(weight).to(memory_format=torch.channels_last)
    gradient = gradient.as_strided(weight.shape, (9, 9, 1, 3), 0)
    before = weight.detach().clone()
    others = [None] * (len(list(network.parameters())) - 1)
    SGD(network, settings(momentum=0, weight_decay=0)).step([gradient, *others], 1.0)
    torch.testing.assert_close(weight.detach(), before - gradient)


def test_a_gradient_whose_strides_differ_in_dimensions_of_size_1_alone_is_not_copied(monkeypatch):
    layer = nn.Conv2d(3, 2, 1, bias=False)
    gradient = torch.randn_like(layer.weight)
    renamed = gradient.as_strided(layer.weight.shape, (3, 1, 3, 3))
    before = layer.weight.detach().clone()
    monkeypatch.setattr(torch, "empty_like", None)
    SGD(layer, settings(momentum=0, weight_decay=0)).step([renamed], 1.0)
    torch.testing.assert_close(layer.weight.detach(), before - gradient)


def cycling(network, rates, momenta, device, **changes):
    """Train with another momentum at every step: a number for the kernel, or read from the device."""
    optimiser = SGD(network, settings(**changes))
    optimiser.cycled_momentum = torch.zeros((), dtype=torch.float64) if device else None
    before = rates[0]
    for at, (lr, momentum) in enumerate(zip(rates, momenta, strict=True)):
        optimiser.change_rate(before, lr)
        before, optimiser.momentum = lr, momentum
        if optimiser.cycled_momentum is not None:
            optimiser.cycled_momentum.fill_(momentum)
        optimiser.step(gradients(network, at), torch.tensor(lr, dtype=torch.float64) if device else lr)
    return [*network.parameters(), *optimiser.velocities]


@pytest.mark.parametrize("decay", ["all", "weights"])
@pytest.mark.parametrize("form", [{"nesterov": True}, {"nesterov": False}, {"momentum_form": "caffe"}])
def test_a_momentum_read_from_the_device_gives_the_kernels_update(form, decay, monkeypatch):
    monkeypatch.setattr(torch, "randn", partial(torch.randn, dtype=torch.float64))
    torch.manual_seed(0)
    one = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(72, 3)).double()
    other = copy.deepcopy(one)
    changes = {"momentum_form": "torch", "decay": decay, "weight_decay": 0.1, **form}
    rates, momenta = [0.01, 0.02, 0.02, 0.01], [0.95, 0.9, 0.85, 0.9]
    expected = cycling(one, rates, momenta, False, **changes)
    for ours, theirs in zip(cycling(other, rates, momenta, True, **changes), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)


def test_a_parameter_without_a_gradient_stays(network):
    optimiser = SGD(network, settings())
    before = network[3].weight.detach().clone()
    found = list(gradients(network, 0))
    found[4] = None
    optimiser.step(found, 0.1)
    assert torch.equal(network[3].weight, before)


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
    for ours, theirs in zip(train(network, rates, momentum_form="caffe"), caffe_by_hand(other, rates), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_the_two_forms_agree_while_the_rate_stays(network):
    other = copy.deepcopy(network)
    one, two = train(network, [0.001] * 4, momentum_form="torch"), train(other, [0.001] * 4, momentum_form="caffe")
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_the_two_forms_differ_where_the_rate_drops(network):
    other = copy.deepcopy(network)
    rates = [0.01, 0.01, 0.001, 0.001]
    one, two = train(network, rates, momentum_form="torch"), train(other, rates, momentum_form="caffe")
    assert not torch.allclose(one[0], two[0])
