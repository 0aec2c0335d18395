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


def test_unequal_arms_of_one_size_are_told_together():
    costs = {"base": cost(), "same": cost(activation="full_preact"), "wide": cost(width=8)}
    costs |= {"wide too": costs["wide"], "wider": cost(width=10)}
    gaps = unequal_costs(costs, dict.fromkeys(("same", "wide", "wide too", "wider"), "base"))
    assert [gap.arms for gap in gaps] == [("wide", "wide too"), ("wider",)]
    more = 100 * (costs["wide"].params / costs["base"].params - 1)
    told = f'2 arms (for instance "wide") have {costs["wide"].params:,} parameters, {more:.1f} % more than the'
    assert gaps[0].text.startswith(told)
    assert gaps[0].text.endswith('of "base"')
    assert gaps[1].text.startswith('"wider" has ')


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
