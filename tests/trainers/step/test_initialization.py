import pytest
import torch
from torch import nn

from trainers.step.initialization import initialise


def layers():
    torch.manual_seed(0)
    parts = (nn.Conv2d(16, 64, 3), nn.BatchNorm2d(64), nn.Flatten(), nn.Linear(256, 500))
    return nn.Sequential(*parts).requires_grad_(False)


@pytest.mark.parametrize(("name", "deviation"), [("he_fan_in", (2 / 144) ** 0.5), ("he_fan_out", (2 / 576) ** 0.5)])
def test_he_is_normal_with_two_over_the_fan(name, deviation):
    network = layers()
    initialise(network, {"conv": name, "linear": "as_built"})
    weight = network[0].weight
    assert float(weight.std()) == pytest.approx(deviation, rel=0.03)
    assert float((weight.abs() > 2 * deviation).float().mean()) == pytest.approx(0.0455, abs=0.01)


def test_uniform_fan_in_is_torchs_own():
    network = layers()
    initialise(network, {"conv": "as_built", "linear": "uniform_fan_in"})
    weight = network[3].weight
    assert float(weight.abs().max()) <= 1 / 16
    assert float(weight.std()) == pytest.approx(1 / 16 / 3**0.5, rel=0.01)


def test_a_number_is_the_deviation_of_a_normal():
    network = layers()
    initialise(network, {"conv": "as_built", "linear": 1e-3})
    assert float(network[3].weight.std()) == pytest.approx(1e-3, rel=0.01)


def test_biases_and_what_is_as_built_stay():
    network, before = layers(), layers()
    initialise(network, {"conv": "he_fan_in", "linear": "as_built"})
    changed = {
        name
        for (name, one), (_, other) in zip(network.named_parameters(), before.named_parameters(), strict=True)
        if not torch.equal(one, other)
    }
    assert changed == {"0.weight"}
