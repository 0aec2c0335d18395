import copy
import subprocess
import sys

import pytest
import torch
from torch import nn

from search_spaces import build_network, complete_network
from search_spaces.shortcuts import SHORTCUTS
from tests.trainers.networks import TINY, network, task
from trainers import Trainer
from trainers.records import DataInfo
from trainers.step import fusion
from trainers.step.pack_trainer import make_groups
from trainers.step.precision import choose_numerics
from trainers.step.replica import Replica
from trainers.step.stopwatch import Stopwatch

# After one step from equal weights a replica may differ from its solo run by this much: in double precision, the loss
# in single; in single precision alone, a ReLU whose input rounds to the other side of 0 hides what is tested.
STEP_TOLERANCE = 1e-6

FUSABLE = {
    "original": {},
    "plain": {"shortcut": "none"},
    "preact": {"activation": "full_preact"},
    "scale": {"shortcut": {"op": "scale", "shortcut": 0.5, "residual": 0.5}},
    "exclusive gate": {"shortcut": {"op": "exclusive_gate", "bias": -1}},
    "shortcut gate": {"shortcut": {"op": "shortcut_gate", "bias": -1}},
    "learned scalar": {"shortcut": {"op": "learned_scalar", "start": 0.5}},
    "layer scale": {"shortcut": {"op": "layer_scale", "start": 0.5}},
    **{f"{op} as it comes": {"shortcut": op} for op, kind in SHORTCUTS.items() if not kind.is_random},
    "projection": {"downsample": "projection"},
    "bottleneck": {"block": "bottleneck", "depth": 11},
    "single": {"block": "single"},
    "highway": {"family": "highway"},
    "vgg": {"family": "vgg", "depth": 11, "batch_norm": True, "hidden": 0},
}
UNFUSED = {
    "dropout": {"shortcut": {"op": "dropout", "rate": 0.5}},
    "stochastic depth": {"shortcut": "stochastic_depth"},
    "densenet": {"family": "densenet"},
}
INFO = DataInfo((1, 8, 8), 4, 70, 20, "")


def settings_of(changes):
    return complete_network(changes) if changes.get("family") == "densenet" else network(**changes)


def replicas_of(asked):
    numerics = choose_numerics(asked.training, torch.device("cpu"))
    return [Replica(asked, seed, INFO, numerics) for seed in asked.seeds], numerics


@pytest.fixture
def double_precision():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("changes", FUSABLE.values(), ids=FUSABLE)
def test_a_fused_step_equals_each_replicas_own(changes):
    asked = task(0, 1, 2, data=TINY, network_settings=settings_of(changes))
    (together, numerics), (apart, _) = replicas_of(asked), replicas_of(asked)
    watch = Stopwatch(torch.device("cpu"), False)
    (fused,) = make_groups(together, asked.training, numerics, watch)
    torch.manual_seed(0)
    for _ in range(3):
        images, labels = torch.randn(16, 3, 8, 8), torch.randint(0, 4, (3, 16))
        before = [copy.deepcopy(replica.network.state_dict()) for replica in together]
        fused.begin()
        losses = fused.step((numerics.lay_out(images), labels), 0.05, 0.05)
        fused.end()
        for at, (one, other) in enumerate(zip(together, apart, strict=True)):
            other.network.load_state_dict(before[at])
            (alone,) = make_groups([other], asked.training, numerics, watch)
            alone.begin()
            loss = alone.step((numerics.lay_out(images[:, at : at + 1]), labels[at : at + 1]), 0.05, 0.05)
            assert float(losses[at]) == pytest.approx(float(loss), rel=1e-5, abs=1e-6)
            for name, value in one.network.state_dict().items():
                expected = other.network.state_dict()[name]
                torch.testing.assert_close(value, expected, rtol=0, atol=STEP_TOLERANCE)


@pytest.mark.parametrize("changes", FUSABLE.values(), ids=FUSABLE)
def test_a_fused_network_is_scored_like_its_replicas(changes):
    nets = [build_network(settings_of(changes), (1, 8, 8), 4).eval() for _ in range(2)]
    fused = fusion.fuse(nets).eval()
    with torch.no_grad():
        fusion.load(fused, nets)
        images = torch.randn(5, 1, 8, 8)
        expected = torch.cat([net(images) for net in nets], 1)
        torch.testing.assert_close(fused(images.repeat(1, 2, 1, 1)), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("changes", UNFUSED.values(), ids=UNFUSED)
def test_what_is_random_or_unknown_is_not_fused(changes):
    nets = [build_network(settings_of(changes), (1, 8, 8), 4) for _ in range(2)]
    assert fusion.fuse(nets) is None


def test_why_networks_are_not_fused_is_said_with_the_place():
    class Own(nn.Module):
        def forward(self, x):
            return x

    nets = [nn.Sequential(nn.Conv2d(1, 2, 3), Own()) for _ in range(2)]
    assert fusion.obstacle(nets) == "1 (Own) is not known to fuse"
    assert fusion.obstacle([Own(), Own()]) == "the network (Own) is not known to fuse"
    sizes = [nn.Sequential(nn.Conv2d(1, width, 3)) for width in (2, 3)]
    assert fusion.obstacle(sizes) == "the seeds' networks have tensors of different shapes"
    assert fusion.obstacle([sizes[0], nn.Sequential(nn.Conv2d(1, 2, 3))]) is None


def replaced(module):
    module.forward = nn.ReLU.forward
    return module


def hooked(module):
    module.register_forward_hook(lambda *_: None)
    return module


def holding(module, **attributes):
    for name, value in attributes.items():
        setattr(module, name, value)
    return module


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: holding(nn.ReLU(), is_random=True), "(ReLU) draws random numbers"),
        (lambda: hooked(nn.ReLU()), "(ReLU) has hooks"),
        (lambda: replaced(nn.ReLU()), "(ReLU) has its forward pass replaced, as recomputed activations do"),
        (lambda: holding(nn.ReLU(), rule=len), "(ReLU) keeps a function of its own"),
        (lambda: nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"), "(Conv2d) pads with padding_mode='reflect'"),
        (lambda: nn.BatchNorm2d(1, track_running_stats=False), "(BatchNorm2d) keeps no running statistics"),
        (lambda: nn.BatchNorm2d(1, momentum=None), "(BatchNorm2d) averages cumulatively (momentum=None)"),
        (
            lambda: holding(nn.Conv2d(1, 1, 3), scale=nn.Parameter(torch.ones(1))),
            "(Conv2d) has tensors of its own: scale",
        ),
    ],
)
def test_what_a_layer_does_beside_its_class_keeps_it_from_being_fused(make, reason):
    assert fusion.obstacle([nn.Sequential(make()) for _ in range(2)]) == f"0 {reason}"


def test_a_concatenating_wiring_is_not_fused():
    settings = network(activation="bn relu conv bn relu conv | concat |")
    assert fusion.fuse([build_network(settings, (1, 8, 8), 4) for _ in range(2)]) is None


def test_fusing_leaves_the_callers_generator_alone():
    nets = [build_network(network(), (1, 8, 8), 4) for _ in range(2)]
    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    fusion.fuse(nets)
    assert torch.equal(torch.rand(2), expected)


def test_storing_what_was_loaded_changes_nothing():
    nets = [build_network(network(), (1, 8, 8), 4) for _ in range(3)]
    before = [copy.deepcopy(net.state_dict()) for net in nets]
    fused = fusion.fuse(nets)
    with torch.no_grad():
        fusion.load(fused, nets)
        fusion.store(fused, nets)
    for net, state in zip(nets, before, strict=True):
        assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())


def test_a_fused_pack_learns_as_solo_runs_do():
    pack = Trainer(task(0, 1, data="digits", epochs=1))
    fused = pack.run_epoch()
    for record in fused:
        solo = Trainer(task(record.seed, data="digits", epochs=1)).run_epoch()[0]
        assert record.train_loss == pytest.approx(solo.train_loss, rel=0.02)


def test_a_replica_that_diverges_does_not_disturb_the_others(monkeypatch):
    asked = task(0, 1, data=TINY, epochs=3)
    pack = Trainer(asked)
    with torch.no_grad():
        next(pack.replicas[0].network.parameters()).fill_(float("nan"))
    while not pack.finished:
        pack.run_epoch()
    assert [outcome.state for outcome in pack.outcomes()] == ["DIVERGED", "COMPLETE"]
    assert pack.replicas[1].epoch == 3


def test_a_fused_pack_continues_bit_for_bit(tmp_path):
    asked = task(0, 1, 2, data=TINY, epochs=3)
    whole, first = Trainer(asked), Trainer(asked)
    while not whole.finished:
        whole.run_epoch()
    first.run_epoch()
    first.save(tmp_path / "x.ckpt")
    second = Trainer.resume(asked, tmp_path / "x.ckpt")
    while not second.finished:
        second.run_epoch()
    for one, other in zip(whole.replicas, second.replicas, strict=True):
        state = other.network.state_dict()
        assert all(torch.equal(value, state[name]) for name, value in one.network.state_dict().items())


def test_fuse_never_gives_exactly_the_solo_runs(tmp_path):
    pack = Trainer(task(0, 1, data=TINY, fuse="never"))
    record = pack.run_epoch()[1]
    assert record.train_loss == Trainer(task(1, data=TINY, fuse="never")).run_epoch()[0].train_loss


def test_out_of_memory_halves_the_pack_and_changes_nothing(monkeypatch):
    asked = task(0, 1, 2, 3, data=TINY, fuse="never", epochs=2)
    expected = Trainer(asked)
    found = Trainer(asked)
    original, tried = found.pack._train, []

    def scarce(replicas):
        tried.append(len(replicas))
        if len(replicas) > 1:
            original(replicas[:1])
            raise torch.OutOfMemoryError("CUDA out of memory")
        return original(replicas)

    monkeypatch.setattr(found.pack, "_train", scarce)
    one, other = expected.run_epoch(), found.run_epoch()
    assert [record.train_loss for record in one] == [record.train_loss for record in other]
    assert found.pack.side_by_side == 1
    assert tried == [4, 2, 1, 1, 1, 1]


def test_another_error_is_not_taken_for_scarce_memory(monkeypatch):
    trainer = Trainer(task(0, 1, data=TINY))

    def broken(replicas):
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(trainer.pack, "_train", broken)
    with pytest.raises(RuntimeError, match="do not fit"):
        trainer.run_epoch()


def test_fusing_networks_does_not_import_sympy():
    code = (
        "import sys\n"
        "from search_spaces import build_network\n"
        "from trainers.step.fusion import fuse\n"
        "fused = fuse([build_network({'depth': 8, 'width': 4}) for _ in range(2)])\n"
        "assert all(each.device.type == 'cpu' for each in fused.state_dict().values())\n"
        "assert 'sympy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
