import pytest
import torch
from torch import nn

from search_spaces import build_network
from tests.trainers.networks import TINY, network, task
from trainers import Trainer
from trainers.step.activation_checkpoints import _frozen_statistics, checkpoint_units


@pytest.mark.parametrize(
    "changes", [{}, {"activation": "full_preact"}, {"shortcut": {"op": "dropout", "rate": 0.5}}, {"shortcut": "none"}]
)
def test_recomputing_activations_changes_no_number(changes):
    settings = network(**changes)
    plain, recomputing = (
        Trainer(task(0, data=TINY, network_settings=settings, checkpoint_activations=on)) for on in (False, True)
    )
    for _ in range(2):
        one, other = plain.run_epoch()[0], recomputing.run_epoch()[0]
        assert (one.train_loss, one.test_loss) == (other.train_loss, other.test_loss)
    state = recomputing.replicas[0].network.state_dict()
    for name, value in plain.replicas[0].network.state_dict().items():
        assert torch.equal(value, state[name])


def test_every_residual_unit_recomputes():
    assert checkpoint_units(build_network(network(depth=20))) == 9


def test_fewer_signals_are_kept():
    def kept(recompute):
        net = build_network(network(depth=20), (1, 8, 8), 4)
        if recompute:
            checkpoint_units(net)
        total = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t: total.append(t.numel()) or t, lambda t: t):
            net(torch.randn(4, 1, 8, 8)).sum()
        return sum(total)

    assert kept(True) < kept(False) / 2


def test_a_cumulative_average_counts_a_batch_once_too():
    unit = nn.Sequential(nn.BatchNorm2d(2, momentum=None)).train()
    unit(torch.randn(3, 2, 4, 4))
    before = {name: value.clone() for name, value in unit.state_dict().items()}
    with _frozen_statistics(unit):
        unit(torch.randn(3, 2, 4, 4))
    assert all(torch.equal(value, before[name]) for name, value in unit.state_dict().items())
    assert unit[0].momentum is None
