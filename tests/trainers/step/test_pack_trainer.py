"""Which networks draw random numbers, and so train one after the other; how many steps an epoch takes."""

import pytest
import torch
from torch import nn

from search_spaces import build_network, complete_network
from tests.trainers.networks import TINY, network, task
from trainers import Trainer
from trainers.step import pack_trainer
from trainers.step.pack_trainer import is_random
from trainers.step.precision import Numerics, choose_numerics, in_words
from trainers.step.replica_group import ReplicaGroup
from trainers.step.stopwatch import Stopwatch


class Own(nn.Module):
    """A module of the user's own."""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, False),
        ({"family": "densenet"}, False),
        ({"shortcut": {"op": "dropout", "rate": 0.5}}, True),
        ({"shortcut": "stochastic_depth"}, True),
    ],
)
def test_networks_with_random_parts_are_told_apart(changes, expected):
    settings = complete_network(changes) if "family" in changes else network(**changes)
    assert is_random(build_network(settings, (1, 8, 8), 4)) is expected


@pytest.mark.parametrize("layer", [nn.Dropout1d(), nn.AlphaDropout(), nn.RReLU(), Own()])
def test_a_module_of_the_users_own_may_draw(layer):
    assert is_random(nn.Sequential(nn.Conv2d(1, 2, 3), layer))
    assert not is_random(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()))


def test_every_step_of_an_epoch_is_counted_once():
    trainer = Trainer(task(0, 1, data=TINY, batch_size=10, epochs=2))
    trainer.run_epoch()
    assert trainer.steps_begun == 7  # 70 images
    trainer.run_epoch()
    assert trainer.steps_begun == 14


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_the_device_computes_a_share_of_the_training_of_which_each_seed_has_its_part(seeds, monkeypatch):
    told = []

    class Meter:
        def __init__(self, device):
            pass

        def busy_share(self, seconds):
            told.append(seconds)
            return 0.25

    monkeypatch.setattr(pack_trainer, "BusyMeter", Meter)
    trainer = Trainer(task(*seeds, data=TINY, epochs=1, fuse="always"))
    results = trainer.pack.run_epoch(trainer.replicas)
    assert len(told) == 1
    assert [each.training_seconds for each in results] == pytest.approx([told[0] / len(seeds)] * len(seeds))
    assert [each.busy_seconds for each in results] == pytest.approx([told[0] / len(seeds) / 4] * len(seeds))


@pytest.mark.parametrize(
    ("device", "precision", "deterministic", "words"),
    [
        ("cuda", "fp32", True, "fp32, convolutions in TF32, channels_last"),
        ("cuda", "bf16", False, "bf16, channels_last, not repeatable bit for bit"),
        ("cpu", "fp32", False, "fp32, channels_last"),
    ],
)
def test_how_a_pack_computes_is_said_in_words(device, precision, deterministic, words):
    numerics = Numerics(torch.device(device), precision, "channels_last", deterministic=deterministic)
    assert in_words(numerics) == words


@pytest.mark.parametrize(
    ("given", "taken"), [("auto", "channels_last"), ("contiguous", "contiguous"), ("channels_last", "channels_last")]
)
def test_a_memory_format_that_is_asked_for_is_taken(given, taken):
    training = {**task(0, data=TINY).training, "memory_format": given}
    assert choose_numerics(training, torch.device("cpu")).memory_format == taken


@pytest.mark.parametrize(
    ("memory_format", "order"), [("channels_last", torch.channels_last), ("contiguous", torch.contiguous_format)]
)
def test_images_lie_in_the_memory_order_of_the_numerics(memory_format, order):
    numerics = Numerics(torch.device("cpu"), "fp32", memory_format)
    assert numerics.order is order
    assert numerics.lay_out(torch.zeros(2, 3, 4, 4)).is_contiguous(memory_format=order)


@pytest.mark.parametrize(
    ("device", "changes", "recorded"),
    [
        ("cuda", {}, True),
        ("cuda", {"cuda_graph": "auto"}, True),
        ("cuda", {"profile": True}, False),
        ("cuda", {"checkpoint_activations": True}, False),
        ("cuda", {"cuda_graph": "never"}, False),
        ("cuda", {"step": {"name": "steps:own"}}, False),
        ("cuda", {"optimizer": {"name": "adamw"}}, False),
        ("cpu", {}, False),
    ],
)
def test_steps_on_a_gpu_are_recorded_unless_something_keeps_them_from_it(device, changes, recorded, monkeypatch):
    trainer = Trainer(task(0, data=TINY))
    monkeypatch.setattr(pack_trainer, "GraphedReplicaGroup", lambda *_: "recorded")
    monkeypatch.setattr(pack_trainer, "ReplicaGroup", lambda *_: "step by step")
    numerics = Numerics(torch.device(device), "fp32", "channels_last")
    groups = pack_trainer.make_groups(
        trainer.replicas, {**trainer.task.training, **changes}, numerics, Stopwatch(numerics.device, False)
    )
    assert groups == ["recorded" if recorded else "step by step"]


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_an_epoch_ends_with_the_step_at_which_every_seed_has_diverged(seeds):
    trainer = Trainer(task(*seeds, data=TINY, batch_size=10, epochs=2, diverged_above=0.25))
    trainer.run_epoch()
    # The first loss of four classes is above log 4 = 1.39 as a rule: two steps exceed a mean of 0.25 over seven.
    assert trainer.steps_begun == 2
    assert {outcome.state for outcome in trainer.outcomes()} == {"DIVERGED"}


def test_each_step_is_told_its_rate_and_that_of_the_step_before(monkeypatch):
    told, step = [], ReplicaGroup.step
    monkeypatch.setattr(ReplicaGroup, "step", lambda group, *given: told.append(given[1:]) or step(group, *given))
    trainer = Trainer(task(0, data=TINY, batch_size=10, epochs=2, recipe="quick"))
    trainer.run_epoch()
    trainer.run_epoch()
    rate = trainer.pack.schedule.lr
    assert len({rate(each) for each in range(14)}) > 10
    assert told == [(rate(each), rate(max(each - 1, 0))) for each in range(14)]


def test_a_pack_that_runs_out_of_memory_is_halved_until_it_fits(monkeypatch):
    trainer = Trainer(task(*range(7), data=TINY, epochs=1, fuse="never"))
    tried, train = [], trainer.pack._train

    def short_of_memory(replicas):
        tried.append([each.seed for each in replicas])
        if len(replicas) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return train(replicas)

    monkeypatch.setattr(trainer.pack, "_train", short_of_memory)
    results = trainer.pack.run_epoch(trainer.replicas)
    assert tried == [[0, 1, 2, 3, 4, 5, 6], [0, 1, 2], [3, 4, 5], [6]]
    assert [each.replica.seed for each in results] == list(range(7))
    assert trainer.pack.side_by_side == 3


def test_what_a_replica_has_cost_adds_up():
    (replica,) = Trainer(task(0, data=TINY)).replicas
    replica.count(images=10, steps=1, seconds=8.0, training=4.0, busy=2.0, joules=16.0)
    replica.count(images=20, steps=2, seconds=80.0, training=40.0, busy=20.0, joules=160.0)
    names = ("images", "steps", "seconds", "training_seconds", "busy_seconds", "joules")
    assert [replica.state()[name] for name in names] == [30, 3, 88.0, 44.0, 22.0, 176.0]


def test_a_stopwatch_adds_up_the_time_before_each_mark(monkeypatch):
    times = iter([1.0, 3.0, 4.5, 5.0])
    monkeypatch.setattr("trainers.step.stopwatch.time.perf_counter", lambda: next(times))
    watch, still = Stopwatch(torch.device("cpu"), True), Stopwatch(torch.device("cpu"), False)
    for each in (watch, still):
        each.start()
        for name in ("data", "forward", "data"):
            each.mark(name)
    assert (watch.seconds, still.seconds) == ({"data": 2.5, "forward": 1.5}, {})
    assert watch.shares() == {"data": 0.625, "forward": 0.375}


@pytest.mark.parametrize(
    ("device", "changes", "is_told"),
    [
        ("cuda", {"step": {"name": "steps:own"}}, True),
        ("cuda", {"step": {"name": "steps:own"}, "cuda_graph": "auto"}, True),
        ("cuda", {"step": {"name": "steps:own"}, "cuda_graph": "never"}, False),
        ("cuda", {}, False),
        ("cpu", {"step": {"name": "steps:own"}}, False),
    ],
)
def test_a_step_of_the_users_own_is_told_as_not_recorded_where_it_might_have_been(device, changes, is_told):
    trainer = Trainer(task(0, data=TINY))
    trainer.pack.device = torch.device(device)
    trainer.pack.training = {**trainer.pack.training, **changes}
    told = trainer.pack.unrecorded(trainer.replicas[0])
    assert told == ("the training step is the user's own, and may do whatever Python allows" if is_told else None)


def test_the_energy_of_an_epoch_is_shared_among_its_seeds(monkeypatch):
    class Meter:
        def __init__(self, device):
            pass

        def joules(self):
            return 12.0

    monkeypatch.setattr(pack_trainer, "EnergyMeter", Meter)
    trainer = Trainer(task(0, 1, 2, data=TINY, epochs=1, fuse="always"))
    assert [each.joules for each in trainer.pack.run_epoch(trainer.replicas)] == [4.0, 4.0, 4.0]


def test_a_checkpoint_of_before_energy_was_measured_has_none():
    (replica,) = Trainer(task(0, data=TINY)).replicas
    replica.count(images=10, steps=1, seconds=8.0, training=4.0, busy=2.0, joules=16.0)
    replica.load_state({name: value for name, value in replica.copy_state().items() if name != "joules"})
    assert (replica.joules, replica.seconds) == (0.0, 8.0)
