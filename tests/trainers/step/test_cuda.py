"""What only a GPU can show, skipped where there is none; and what a recorded step may read, shown without one."""

import warnings
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from search_spaces import complete_network
from search_spaces.layers import _in_channels_last
from tests.trainers.networks import TINY, network, task
from tests.trainers.step.test_fusion import FUSABLE, UNFUSED, settings_of
from trainers import Trainer
from trainers.process import BrokenProcessError
from trainers.step import recording
from trainers.step.cuda_graphs import AHEAD, GraphedReplicaGroup
from trainers.step.pack_trainer import make_groups
from trainers.step.recording import WARM_UP
from trainers.step.replica import Replica
from trainers.step.replica_group import ReplicaGroup
from trainers.step.stopwatch import Stopwatch

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

UNRECORDED = 10**9  # a warm-up that no training outlasts

RECIPES = {
    "cycled momentum": {"recipe": "quick"},
    "constant momentum": {"recipe": "he2016", "momentum": 0.9},
    "caffe's momentum, a rate that drops": {
        "recipe": "he2015_cifar",
        "schedule": {"name": "step", "unit": "epochs", "drops": [2, 4], "warmup": {"lr": 0.01, "iterations": 3}},
    },
    "no momentum": {"recipe": "he2016", "momentum": 0.0},
}


def finish(trainer):
    while not trainer.finished:
        trainer.run_epoch()
    return trainer


def losses(trainer, seed=0):
    return [record.train_loss for record in trainer.records if record.seed == seed]


class Tape(TorchDispatchMode):
    """Stands in for a CUDA graph: a list of calls on fixed tensors, made again by `replay` with nothing read anew."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def __torch_dispatch__(self, function, types, arguments=(), settings=None):
        found = function(*arguments, **(settings or {}))
        self.calls.append((function, arguments, settings or {}, found))
        return found

    def pool(self):
        return None

    @torch.no_grad()
    def replay(self):
        for function, arguments, settings, first in self.calls:
            again = function(*arguments, **settings)
            for old, new in zip(tree_leaves(first), tree_leaves(again), strict=True):
                if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
                    old.detach().copy_(new)


class End:
    """Stands in for the event that ends a step, and counts how many of them the host has not waited for."""

    waiting = most = 0

    def __init__(self, blocking):
        self.recorded = False

    def record(self, stream):
        assert not self.recorded
        self.recorded = True
        End.waiting += 1
        End.most = max(End.most, End.waiting)

    def synchronize(self):
        End.waiting -= self.recorded
        self.recorded = False


@pytest.fixture
def recorded_on_a_cpu(monkeypatch):
    """Let every group record its steps, on a tape."""
    groups = []

    def graphed(replicas, training, numerics, watch):
        groups.extend(GraphedReplicaGroup([each], each.network, training, numerics, watch) for each in replicas)
        return groups[-len(replicas) :]

    @contextmanager
    def recording(tape, pool, stream, capture_error_mode):
        changing = [value for replica in groups[-1].replicas for value in values(replica)]
        before = [value.clone() for value in changing]
        with tape:
            yield
        for value, old in zip(changing, before, strict=True):
            value.copy_(old)  # recording computes nothing

    def values(replica):
        return [each.detach() for each in replica.network.state_dict().values()] + replica.optimiser.velocities

    stream = SimpleNamespace(wait_stream=lambda other: None)
    monkeypatch.setattr("trainers.step.pack_trainer.make_groups", graphed)
    monkeypatch.setattr(torch.cuda, "Stream", lambda device: stream)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: None)
    monkeypatch.setattr(torch.cuda, "Event", End)
    monkeypatch.setattr(End, "waiting", 0)
    monkeypatch.setattr(End, "most", 0)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Tape)
    monkeypatch.setattr(torch.cuda, "graph", recording)
    monkeypatch.setattr(torch.Tensor, "record_stream", lambda tensor, stream: None)
    monkeypatch.setattr(torch.cuda, "get_sync_debug_mode", lambda: 0)
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", lambda mode: None)
    return groups


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recorded_step_reads_anew_whatever_changes_between_steps(recipe, recorded_on_a_cpu, monkeypatch):
    asked = task(0, data=TINY, epochs=6, batch_size=20, **RECIPES[recipe])
    recorded = finish(Trainer(asked))
    assert {shape[0] for shape in recorded_on_a_cpu[0].steps.recorded} == {20, 10}
    monkeypatch.undo()
    assert losses(recorded) == pytest.approx(losses(finish(Trainer(asked))), rel=1e-4)


def scores(trainer):
    return [(record.test_loss, record.test_error) for record in trainer.records]


def test_a_recorded_evaluation_scores_each_epochs_weights(recorded_on_a_cpu, monkeypatch):
    asked = task(0, data=TINY, epochs=WARM_UP + 4, batch_size=35)
    recorded = finish(Trainer(asked))
    assert recorded_on_a_cpu[0].evaluations.recorded
    monkeypatch.undo()
    expected = scores(finish(Trainer(asked)))
    assert len(set(expected)) == len(expected)
    assert scores(recorded) == [pytest.approx(each, rel=1e-4) for each in expected]


def test_an_evaluation_that_draws_random_numbers_is_not_recorded_while_steps_are(recorded_on_a_cpu):
    odd_one = odd("draws_in_evaluation")
    trainer = finish(Trainer(task(0, data=TINY, network_settings=odd_one, epochs=WARM_UP + 2, batch_size=35)))
    assert recorded_on_a_cpu[0].steps.recorded
    assert not recorded_on_a_cpu[0].evaluations.recorded
    assert trainer.outcomes()[0].telemetry["not_recorded_because"] == "an evaluation draws random numbers"


@pytest.mark.parametrize(("batch_size", "most"), [(2, AHEAD), (10, 7)])
def test_the_host_is_never_far_ahead_of_the_device(batch_size, most, recorded_on_a_cpu):
    Trainer(task(0, data=TINY, epochs=1, batch_size=batch_size)).run_epoch()
    assert End.most == most


# What makes the host wait for a GPU, or copies from its memory: a recorded step may do neither.
WAITING = {"_local_scalar_dense", "nonzero", "masked_select", "_unique2", "equal", "is_nonzero", "lift_fresh"}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("changes", [*FUSABLE.values(), *UNFUSED.values()], ids=[*FUSABLE, *UNFUSED])
def test_no_step_waits_for_the_device(changes, precision):
    asked = task(0, 1, data=TINY, network_settings=settings_of(changes), precision=precision, batch_size=10)
    trainer = Trainer(asked)
    for group in make_groups(trainer.replicas, asked.training, trainer.numerics, Stopwatch(trainer.device, False)):
        batch = group.join([next(iter(trainer.loader.train(0, 1))) for _ in group.replicas])
        rate = torch.tensor(0.1)
        with Tape() as tape:
            group.compute(*batch, rate)
        called = {function.overloadpacket.__name__ for function, *_ in tape.calls}
        assert "_fused_sgd_" in called
        assert not called & WAITING


@pytest.mark.usefixtures("recorded_on_a_cpu")
def test_of_each_shape_the_second_call_is_watched_and_the_fourth_recorded(monkeypatch):
    called, watched = [], []

    class Watch(recording.StepWatch):
        def __init__(self, network):
            super().__init__(network)
            watched.append(len(called) + 1)

    def doubled(images, labels):
        called.append(len(images))
        return (2 * images,)

    monkeypatch.setattr(recording, "StepWatch", Watch)
    monkeypatch.setattr(torch.cuda, "graph", lambda tape, **settings: tape)
    call = recording.Recording("a call", doubled, torch.nn.Linear(1, 1), None, [])
    for number, size in enumerate((4, 4, 3, 4, 3, 4, 4, 3, 3)):
        images = torch.full((size, 1), float(number))
        (result,) = call(images, torch.zeros(size))
        assert torch.equal(result, 2 * images)
    assert called == [4, 4, 3, 4, 3, 4, 3, 3], "the fifth call of four images is a replay"
    assert watched == [2, 5]


def test_running_out_of_memory_while_recording_is_not_hidden_by_the_end_of_the_recording(
    recorded_on_a_cpu, monkeypatch
):
    @contextmanager
    def failing(*arguments, **settings):
        try:
            raise torch.OutOfMemoryError("out of memory")
        finally:
            raise RuntimeError("operation failed due to a previous error during capture")
        yield

    monkeypatch.setattr(torch.cuda, "graph", failing)
    with pytest.raises(torch.OutOfMemoryError):
        finish(Trainer(task(0, data=TINY, epochs=WARM_UP + 1)))


def odd(builder):
    return complete_network({"family": f"tests.trainers.odd_networks:{builder}"})


@pytest.mark.parametrize(
    ("builder", "reason"),
    [
        ("draws_from_python", "draws random numbers"),
        ("draws_from_torch", "draws random numbers"),
        ("python_state", "changes attributes"),
    ],
)
def test_a_step_that_is_more_than_its_kernels_is_not_recorded(builder, reason, recorded_on_a_cpu):
    trainer = finish(Trainer(task(0, data=TINY, network_settings=odd(builder), epochs=WARM_UP + 2, batch_size=35)))
    assert not recorded_on_a_cpu[0].steps.recorded
    assert reason in trainer.outcomes()[0].telemetry["not_recorded_because"]


def test_a_step_that_waits_for_the_gpu_is_not_recorded_and_trains_as_it_would(recorded_on_a_cpu, monkeypatch):
    compute = GraphedReplicaGroup.compute

    def waiting(group, *arguments):
        warnings.warn("called a synchronizing CUDA operation", UserWarning, stacklevel=1)
        return compute(group, *arguments)

    asked = task(0, data=TINY, epochs=WARM_UP + 2, batch_size=35)
    expected = losses(finish(Trainer(asked)))
    with monkeypatch.context() as patch:
        patch.setattr(GraphedReplicaGroup, "compute", waiting)
        patch.setattr("trainers.step.recording.WARM_UP", 2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trainer = finish(Trainer(asked))
    assert "synchronizing" in trainer.outcomes()[0].telemetry["not_recorded_because"]
    assert losses(trainer) == pytest.approx(expected, rel=1e-6)


@pytest.fixture
def recording_fails(recorded_on_a_cpu, monkeypatch):
    @contextmanager
    def failing(*arguments, **settings):
        raise RuntimeError("operation not permitted when stream is capturing")
        yield

    monkeypatch.setattr(torch.cuda, "graph", failing)


@pytest.mark.usefixtures("recording_fails")
def test_a_recording_that_fails_is_done_without():
    trainer = finish(Trainer(task(0, data=TINY, epochs=WARM_UP + 2, batch_size=35)))
    assert "recording a step failed: RuntimeError" in trainer.outcomes()[0].telemetry["not_recorded_because"]


@pytest.mark.usefixtures("recording_fails")
def test_a_torch_that_cannot_go_on_after_it_says_that_the_process_is_broken(monkeypatch):
    monkeypatch.setattr(torch, "__version__", "2.11.0+cu130")
    with pytest.raises(BrokenProcessError, match="cuda_graph: never"):
        finish(Trainer(task(0, data=TINY, epochs=WARM_UP + 2, batch_size=35)))


@pytest.mark.parametrize(
    "error",
    [RuntimeError("not permitted"), torch.OutOfMemoryError("none left"), RuntimeError("CUDA error: out of memory")],
    ids=str,
)
def test_a_generator_that_is_left_recording_breaks_the_process(error, recorded_on_a_cpu, monkeypatch):
    def unfit(tensor, *arguments, **settings):
        raise RuntimeError("Offset increment outside graph capture encountered unexpectedly.")

    @contextmanager
    def failing(*arguments, **settings):
        monkeypatch.setattr(torch.Tensor, "uniform_", unfit)
        raise error
        yield

    monkeypatch.setattr(torch.cuda, "graph", failing)
    with pytest.raises(BrokenProcessError, match="cuda_graph: never"):
        finish(Trainer(task(0, data=TINY, epochs=WARM_UP + 2, batch_size=35)))


@pytest.mark.usefixtures("recording_fails")
def test_finding_out_whether_the_process_goes_on_draws_nothing(monkeypatch):
    states = []
    goes_on = recording._goes_on

    def noted(device):
        states.append(torch.get_rng_state())
        found = goes_on(device)
        states.append(torch.get_rng_state())
        return found

    monkeypatch.setattr(recording, "_goes_on", noted)
    finish(Trainer(task(0, data=TINY, epochs=WARM_UP + 2, batch_size=35)))
    before, after, *_ = states
    assert torch.equal(before, after)


@pytest.mark.usefixtures("recorded_on_a_cpu")
def test_memory_may_run_out_in_the_first_evaluation_long_after_the_steps_are_recorded():
    trainer = Trainer(task(0, 1, data=TINY, epochs=WARM_UP + 2, batch_size=10, evaluate_every=WARM_UP + 2))
    for _ in range(WARM_UP + 1):
        trainer.run_epoch()
    assert all(group.steps.recorded and not group.evaluations.seen for group in trainer.pack._groups)
    assert trainer.pack._may_shrink(trainer.replicas)


@pytest.mark.parametrize("batch_size", [70, 10])  # the steps are recorded with the evaluations, or epochs before them
def test_replicas_are_copied_only_until_steps_and_evaluations_are_recorded(batch_size, recorded_on_a_cpu, monkeypatch):
    copied = []
    copy_state = Replica.copy_state
    monkeypatch.setattr(Replica, "copy_state", lambda replica: copied.append(replica) or copy_state(replica))
    trainer = Trainer(task(0, 1, data=TINY, epochs=WARM_UP + 4, batch_size=batch_size))
    counts = []
    while not trainer.finished:
        trainer.run_epoch()
        counts.append(len(copied))
    assert counts[:WARM_UP] == [2, 4, 6]
    assert counts[-1] == counts[WARM_UP]


def test_what_a_gpu_keeps_in_memory_order_has_the_same_values():
    x = torch.randn(4, 6, 8, 8).to(memory_format=torch.channels_last).requires_grad_()
    sliced, averaged = x[:, :, ::2, ::2], torch.nn.functional.avg_pool2d(x, 1, 2)
    assert torch.equal(sliced, averaged)
    gradient = torch.randn_like(sliced)
    one, other = (torch.autograd.grad(each, x, gradient)[0] for each in (sliced, averaged))
    assert torch.equal(one, other)
    assert _in_channels_last(one).is_contiguous(memory_format=torch.channels_last)


def test_a_cpu_steps_without_graphs():
    trainer = Trainer(task(0, 1, data=TINY))
    watch = Stopwatch(trainer.device, False)
    groups = make_groups(trainer.replicas, trainer.task.training, trainer.numerics, watch)
    assert [type(group) for group in groups] == [ReplicaGroup]


@needs_gpu
@pytest.mark.parametrize("fuse", ["never", "always"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_every_group_records_its_step(recipe, fuse):
    epochs = WARM_UP + 2
    trainer = finish(Trainer(task(0, 1, data=TINY, fuse=fuse, epochs=epochs, **RECIPES[recipe]), device="cuda"))
    assert all(isinstance(group, GraphedReplicaGroup) and group.steps.recorded for group in trainer.pack._groups)


@needs_gpu
@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_recorded_steps_equal_unrecorded_ones(recipe, precision, monkeypatch):
    settings = {"epochs": 6, "batch_size": 20, "precision": precision, **RECIPES[recipe]}
    asked = task(0, data=TINY, **settings)
    recorded = finish(Trainer(asked, device="cuda"))
    monkeypatch.setattr("trainers.step.recording.WARM_UP", UNRECORDED)
    assert losses(recorded) == pytest.approx(losses(finish(Trainer(asked, device="cuda"))), rel=1e-4)


@needs_gpu
@pytest.mark.parametrize("recipe", RECIPES)
def test_recorded_steps_equal_those_of_a_group_that_is_given_plain_numbers(recipe, monkeypatch):
    asked = task(0, data=TINY, epochs=6, batch_size=20, precision="fp32", **RECIPES[recipe])
    recorded = finish(Trainer(asked, device="cuda"))
    monkeypatch.setattr("trainers.step.pack_trainer.GraphedReplicaGroup", ReplicaGroup)
    assert losses(recorded) == pytest.approx(losses(finish(Trainer(asked, device="cuda"))), rel=2e-3)


@needs_gpu
def test_a_replayed_step_draws_its_dropout_as_an_unrecorded_one(monkeypatch):
    dropping = network(shortcut={"op": "dropout", "rate": 0.5})
    asked = task(0, data=TINY, network_settings=dropping, epochs=8, batch_size=10)
    recorded = finish(Trainer(asked, device="cuda"))
    monkeypatch.setattr("trainers.step.recording.WARM_UP", UNRECORDED)
    assert losses(recorded) == pytest.approx(losses(finish(Trainer(asked, device="cuda"))), rel=1e-4)


@needs_gpu
def test_a_stochastic_branch_is_drawn_anew_by_every_replay():
    dropping = network(shortcut={"op": "stochastic_depth", "survival": 0.5})
    asked = task(0, data=TINY, network_settings=dropping, epochs=WARM_UP + 6, batch_size=70, lr=1e-12)
    found = losses(finish(Trainer(asked, device="cuda")))[WARM_UP:]
    assert len({round(loss, 3) for loss in found}) > 1


@needs_gpu
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_pack_on_streams_equals_solo_runs(recipe):
    settings = {"data": TINY, "epochs": 5, "batch_size": 20, **RECIPES[recipe]}
    pack = finish(Trainer(task(0, 1, 2, **settings), device="cuda"))
    for seed in (0, 1, 2):
        solo = finish(Trainer(task(seed, **settings), device="cuda"))
        assert losses(pack, seed) == pytest.approx(losses(solo, seed), rel=1e-4)


@needs_gpu
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_resumed_training_records_again_and_goes_on(recipe, tmp_path):
    asked = task(0, 1, data=TINY, epochs=8, batch_size=20, **RECIPES[recipe])
    whole = finish(Trainer(asked, device="cuda"))
    part = Trainer(asked, device="cuda")
    for _ in range(4):
        part.run_epoch()
    part.save(tmp_path / "state")
    rest = finish(Trainer.resume(asked, tmp_path / "state", device="cuda"))
    assert losses(rest, 1) == pytest.approx(losses(whole, 1), rel=1e-4)


@needs_gpu
def test_a_gpus_training_is_a_cpus_up_to_rounding():
    asked = task(0, data=TINY, epochs=2, precision="fp32", memory_format="contiguous", batch_size=70)
    gpu, cpu = finish(Trainer(asked, device="cuda")), finish(Trainer(asked))
    assert losses(gpu) == pytest.approx(losses(cpu), rel=1e-2)


@needs_gpu
def test_running_out_of_memory_while_recording_halves_the_pack(monkeypatch):
    asked = task(0, 1, data=TINY, epochs=WARM_UP + 2, batch_size=70)
    expected = losses(finish(Trainer(asked, device="cuda")), 1)
    compute, failed = GraphedReplicaGroup.compute, []

    def once(group, *arguments):
        results = compute(group, *arguments)
        if torch.cuda.is_current_stream_capturing() and not failed:
            failed.append(group)  # after something was recorded: torch warns of an empty graph
            raise torch.OutOfMemoryError("pretended")
        return results

    monkeypatch.setattr(GraphedReplicaGroup, "compute", once)
    pack = finish(Trainer(asked, device="cuda"))
    assert failed
    assert pack.pack.side_by_side == 1
    assert losses(pack, 1) == pytest.approx(expected, rel=1e-4)


@needs_gpu
@pytest.mark.parametrize("changes", [{"checkpoint_activations": True}, {"profile": True}, {"cuda_graph": "never"}])
def test_what_cannot_be_recorded_trains_step_by_step(changes):
    trainer = finish(Trainer(task(0, data=TINY, epochs=WARM_UP + 2, **changes), device="cuda"))
    assert [type(group) for group in trainer.pack._groups] == [ReplicaGroup]


@needs_gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16", "auto"])
def test_every_precision_trains(precision):
    trainer = Trainer(task(0, data=TINY, precision=precision), device="cuda")
    assert trainer.run_epoch()[0].test_error is not None


@needs_gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("changes", [{}, {"activation": "full_preact"}, {"downsample": "projection"}], ids=str)
def test_a_pack_in_tritons_convolutions_trains_as_on_streams(changes, precision):
    settings = {"data": TINY, "network_settings": network(**changes), "epochs": WARM_UP + 3, "batch_size": 70}
    streams = finish(Trainer(task(0, 1, 2, precision=precision, **settings), device="cuda"))
    triton = finish(Trainer(task(0, 1, 2, precision=precision, fused_conv="auto", **settings), device="cuda"))
    assert triton.numerics.triton == "conv"
    assert triton.numerics.fused
    assert all(group.steps.recorded for group in triton.pack._groups)
    for seed in (0, 1, 2):
        assert losses(triton, seed) == pytest.approx(losses(streams, seed), rel=5e-2 if precision == "bf16" else 1e-2)


@needs_gpu
def test_tritons_convolutions_repeat_bit_for_bit():
    asked = task(0, 1, data=TINY, epochs=3, batch_size=70, precision="bf16", fused_conv="auto")
    assert losses(finish(Trainer(asked, device="cuda"))) == losses(finish(Trainer(asked, device="cuda")))
