import pytest
from torch import nn

from search_spaces.checks import identical_graphs, parameters_without_gradient, without_gradient
from search_spaces.cost import complexity
from search_spaces.cost_gaps import unequal_costs
from search_spaces.shortcuts import SHORTCUTS
from search_spaces.trace import trace


def cost(**settings):
    return complexity({"depth": 8, "width": 4, **settings}, (1, 8, 8))


def test_identical_networks_are_named():
    spelled = "conv bn relu conv bn | add | relu"
    costs = {"a": cost(), "b": cost(activation="full_preact"), "c": cost(activation=spelled)}
    assert identical_graphs(costs) == [("a", "c")]


def test_different_networks_are_not_identical():
    assert identical_graphs({"a": cost(), "b": cost(width=5)}) == []


def test_an_unequal_arm_is_named_with_its_share():
    costs = {"base": cost(), "same": cost(activation="full_preact"), "wide": cost(width=8)}
    gaps = unequal_costs(costs, {"same": "base", "wide": "base"})
    assert [(gap.arm, gap.what) for gap in gaps] == [("wide", "params"), ("wide", "flops")]
    assert gaps[0].share == pytest.approx(costs["wide"].params / costs["base"].params - 1)
    assert "params" in gaps[0].text


@pytest.mark.parametrize("op", SHORTCUTS)
def test_every_parameter_of_a_sound_network_gets_a_gradient(op):
    assert without_gradient({"depth": 8, "width": 4, "shortcut": op}, (1, 8, 8)) == ()


def test_a_residual_times_zero_gets_no_gradient():
    unused = without_gradient({"depth": 8, "shortcut": {"op": "scale", "shortcut": 1, "residual": 0}}, (1, 8, 8))
    assert "stages.0.0.branch.0.weight" in unused
    assert "stem.0.weight" not in unused


class Faulty(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last, self.unused = nn.Linear(4, 4), nn.Linear(4, 2), nn.Linear(2, 2)

    def forward(self, x):
        return self.last(self.first(x.mean((2, 3))).detach())


def test_unused_and_detached_parameters_are_named():
    unused = parameters_without_gradient(trace(Faulty, (4, 3, 3)))
    assert unused == ("first.weight", "first.bias", "unused.weight", "unused.bias")
