import math
from types import SimpleNamespace

import pytest
import torch

from search_spaces.arm import settings_hash
from search_spaces.errors import SettingError
from tests.trainers.networks import TINY, network, task
from trainers import COSMETIC_SETTINGS, Trainer, complete_training
from trainers.checkpoint import load_checkpoint, save_checkpoint
from trainers.step.precision import choose_numerics
from trainers.step.replica_group import ReplicaGroup
from trainers.tuning import autotune
from trainers.tuning.dry_run import DryRun, first_batches

LONG = 10_000  # iterations, enough to autotune everything here
STEPS = 8  # of each candidate on a CPU


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch):
    monkeypatch.setattr(autotune, "_CHOSEN", {})


@pytest.fixture
def fake(monkeypatch):
    """Return a function that makes steps of the candidates that it is told cost so many seconds, those of others 1."""
    taken = []

    def told(seconds, **candidate):
        def step(dry_run, by_wall=True):
            taken.append(dry_run.numerics)
            return (
                seconds if all(getattr(dry_run.numerics, name) == value for name, value in candidate.items()) else 1.0
            )

        monkeypatch.setattr(DryRun, "step", step)
        return taken

    told(1.0)
    return told


def long_task(*seeds, **training):
    return task(*seeds, data=TINY, **{"iterations": LONG, "epochs": None, **training})


def assert_same_epoch(one, other):
    found, expected = one.run_epoch(), other.run_epoch()
    assert [{**vars(each), "seconds": None} for each in found] == [{**vars(each), "seconds": None} for each in expected]
    for replica, twin in zip(one.replicas, other.replicas, strict=True):
        state = twin.network.state_dict()
        assert all(torch.equal(value, state[name]) for name, value in replica.network.state_dict().items())


WINNERS = [
    ((0,), {}, 1, {"memory_format": "contiguous"}, {"memory_format": "contiguous"}),
    ((0, 1), {}, 1, {"fused": False}, {"fuse": "never"}),
    ((0,), {"precision": "autotune"}, 1, {"precision": "bf16"}, {"precision": "bf16"}),
    ((0,), {}, 2, {"threads": 1}, {}),
]


@pytest.mark.parametrize(("seeds", "asked", "threads", "winner", "explicit"), WINNERS)
def test_the_fastest_candidate_is_taken_and_computes_what_the_setting_would(
    fake, seeds, asked, threads, winner, explicit
):
    fake(0.5, **winner)
    tuned = Trainer(long_task(*seeds, **asked), threads=threads)
    (name, value), *_ = winner.items()
    assert getattr(tuned.numerics, name) == value
    settings = {"precision": "fp32", "memory_format": "channels_last", "fuse": "always", **explicit}
    expected = Trainer(long_task(*seeds, autotune="never", **settings), threads=winner.get("threads", threads))
    assert_same_epoch(tuned, expected)


def test_two_fields_can_both_be_changed(monkeypatch):
    def step(dry_run, by_wall=True):
        return 1.0 / (1 + (dry_run.numerics.memory_format == "contiguous") + (not dry_run.numerics.fused))

    monkeypatch.setattr(DryRun, "step", step)
    numerics = Trainer(long_task(0, 1)).numerics
    assert (numerics.memory_format, numerics.fused) == ("contiguous", False)


@pytest.mark.parametrize(("seconds", "expected"), [(1 / 1.1, "channels_last"), (1 / 1.2, "contiguous")])
def test_the_rule_stands_unless_another_candidate_is_far_faster(fake, seconds, expected):
    fake(seconds, memory_format="contiguous")
    assert Trainer(long_task(0)).numerics.memory_format == expected


@pytest.mark.parametrize(("iterations", "held"), [(2 * STEPS * 100 - 1, 0), (2 * STEPS * 100, 2 * STEPS)])
def test_autotuning_takes_at_most_a_hundredth_of_the_training(fake, iterations, held):
    taken = fake(0.5, memory_format="contiguous")
    trainer = Trainer(long_task(0, iterations=iterations))
    assert len(taken) == held
    assert (trainer.numerics.memory_format == "contiguous") == bool(held)


@pytest.mark.parametrize(
    ("settings", "threads"),
    [
        ({"memory_format": "channels_last", "fuse": "always", "precision": "auto"}, 1),
        ({"precision": "autotune", "autotune": "never"}, 4),
    ],
)
def test_what_the_settings_decide_is_not_timed(fake, settings, threads):
    taken = fake(1.0)
    trainer = Trainer(long_task(0, **settings), threads=threads)
    assert not taken
    assert trainer.numerics == choose_numerics(trainer.task.training, trainer.device, threads)


def test_every_number_of_threads_that_is_a_power_of_two_is_timed(fake):
    assert [each for each in Trainer(long_task(0), threads=6).choice.seconds if each.startswith("threads")] == [
        f"threads={count}" for count in (6, 1, 2, 4)
    ]


def test_networks_that_cannot_be_fused_are_not_timed_for_it(fake):
    dropout = network(shortcut={"op": "dropout", "rate": 0.5})
    trainer = Trainer(long_task(0, 1, network_settings=dropout))
    assert set(trainer.choice.seconds) == {"memory_format=channels_last", "memory_format=contiguous"}


def test_a_candidate_that_is_hopelessly_slow_leaves_early(fake):
    taken = fake(2.0, memory_format="contiguous")
    Trainer(long_task(0))
    assert [each.memory_format for each in taken].count("contiguous") == 2 + 1


@pytest.fixture
def clocks(monkeypatch):
    """Return clocks that stand still, of the wall and of the processor, in place of those that autotuning reads."""
    found = SimpleNamespace(wall=0.0, processor=0.0)
    monkeypatch.setattr("trainers.step.stopwatch.time", SimpleNamespace(perf_counter=lambda: found.wall))
    monkeypatch.setattr("trainers.tuning.dry_run.time", SimpleNamespace(process_time=lambda: found.processor))
    return found


@pytest.mark.parametrize("slow", ["channels_last", "contiguous"])
def test_steps_are_timed_by_what_they_compute(clocks, monkeypatch, slow):
    def step(group, *arguments):
        is_slow = group.numerics.memory_format == slow
        clocks.processor += 0.3 if is_slow else 0.2
        clocks.wall += 0.3 if is_slow else 0.9  # as if others had the processor

    monkeypatch.setattr(ReplicaGroup, "step", step)
    assert Trainer(long_task(0)).numerics.memory_format != slow


@pytest.mark.parametrize("slow", [1, 2])
def test_threads_are_timed_by_the_clock_on_the_wall(clocks, monkeypatch, slow):
    def step(group, *arguments):
        is_slow = group.numerics.threads == slow
        clocks.wall += 0.3 if is_slow else 0.2
        clocks.processor += 0.3 if is_slow else 0.9

    monkeypatch.setattr(ReplicaGroup, "step", step)
    assert Trainer(long_task(0, memory_format="contiguous"), threads=2).numerics.threads != slow


def test_autotuning_takes_real_steps(monkeypatch):
    seen = []
    step = ReplicaGroup.step

    def watched(group, *arguments):
        seen.append(step(group, *arguments).item())
        return torch.tensor(seen[-1:])

    monkeypatch.setattr(ReplicaGroup, "step", watched)
    trainer = Trainer(long_task(0))
    assert len(seen) >= 2 * (STEPS - autotune.ROUNDS)
    assert seen[0] == pytest.approx(math.log(4), rel=0.5)
    assert seen[1] != seen[0]
    assert all(seconds > 0 for seconds in trainer.choice.seconds.values())


def test_one_round_that_goes_the_other_way_keeps_the_rule(monkeypatch):
    steps = iter(range(10**6))

    def step(dry_run, by_wall=True):
        late = next(steps) >= 2 * STEPS - 2
        return 1.0 if late or dry_run.numerics.memory_format == "channels_last" else 0.5

    monkeypatch.setattr(DryRun, "step", step)
    trainer = Trainer(long_task(0))
    assert trainer.choice.seconds["memory_format=contiguous"] == 0.5
    assert trainer.numerics.memory_format == "channels_last"


def test_autotuning_leaves_replicas_and_generators_as_they_are(monkeypatch):
    monkeypatch.setattr(autotune, "MARGIN", 1e9)
    asked = {
        "network_settings": network(shortcut={"op": "dropout", "rate": 0.5}),
        "augment": {"crop": 1, "flip": True},
        "precision": "autotune",
    }
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    tuned = Trainer(long_task(0, **asked))
    assert torch.equal(torch.rand(3), expected)
    assert len(tuned.choice.seconds) == 4
    assert_same_epoch(tuned, Trainer(long_task(0, autotune="never", **asked)))


def test_starting_to_read_leaves_the_generator_alone():
    class Drawing:
        def train(self, seed, epoch):
            yield torch.rand(1), torch.rand(1)

    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first_batches(Drawing(), [0, 1])
    assert torch.equal(torch.rand(3), expected)


def test_the_choice_is_in_the_telemetry(fake):
    fake(0.5, memory_format="contiguous")
    trainer = Trainer(long_task(0, 1))
    telemetry = trainer._telemetry(trainer.replicas[0])
    assert (telemetry["memory_format"], telemetry["fused"], telemetry["threads"]) == ("contiguous", True, 1)
    assert telemetry["autotune"] == {
        "memory_format=channels_last": 1.0,
        "memory_format=contiguous": 0.5,
        "fused=True": 0.5,
        "fused=False": 0.5,
    }
    assert "autotune" not in Trainer(long_task(0, autotune="never"))._telemetry(trainer.replicas[0])


def test_a_process_times_a_network_once(fake):
    taken = fake(0.5, memory_format="contiguous")
    Trainer(long_task(0))
    before = len(taken)
    again = Trainer(long_task(1, lr=0.05))
    assert len(taken) == before
    assert again.numerics.memory_format == "contiguous"
    for other in (
        long_task(0, network_settings=network(width=8)),
        long_task(0, batch_size=32),
        long_task(0, 1),
        long_task(0, precision="bf16"),
    ):
        before = len(taken)
        Trainer(other)
        assert len(taken) > before


def test_a_continued_training_keeps_its_choice_without_timing_again(fake, monkeypatch, tmp_path):
    fake(0.5, memory_format="contiguous")
    asked = long_task(0, 1)
    first, whole = Trainer(asked), Trainer(asked)
    first.run_epoch()
    whole.run_epoch()
    first.save(tmp_path / "x.ckpt")
    monkeypatch.setattr(autotune, "_CHOSEN", {})
    taken = fake(0.5, fused=False)
    taken.clear()
    monkeypatch.setattr("trainers.loop.fitting", lambda *arguments: 2)  # which takes a step of its own
    second = Trainer.resume(asked, tmp_path / "x.ckpt")
    assert not taken
    assert second.choice == first.choice
    assert_same_epoch(second, whole)


def test_a_continued_training_takes_no_more_threads_than_it_is_given(fake, tmp_path):
    trainer = Trainer(long_task(0), threads=4)
    trainer.save(tmp_path / "x.ckpt")
    assert Trainer.resume(trainer.task, tmp_path / "x.ckpt", threads=2).numerics.threads == 2
    assert Trainer.resume(trainer.task, tmp_path / "x.ckpt", threads=8).numerics.threads == 4


def test_a_checkpoint_from_before_there_was_autotuning_follows_the_rule(fake, tmp_path):
    fake(0.5, memory_format="contiguous")
    trainer = Trainer(long_task(0))
    trainer.save(tmp_path / "x.ckpt")
    state = load_checkpoint(tmp_path / "x.ckpt")
    old = {name: value for name, value in state.items() if name not in ("choice", "side_by_side")}
    save_checkpoint(tmp_path / "x.ckpt", old)
    assert Trainer.resume(trainer.task, tmp_path / "x.ckpt").numerics.memory_format == "channels_last"


def test_autotuning_that_runs_out_of_memory_decides_nothing(fake, monkeypatch):
    def greedy(dry_run, by_wall=True):
        if dry_run.numerics.memory_format == "contiguous":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return 1.0

    monkeypatch.setattr(DryRun, "step", greedy)
    trainer = Trainer(long_task(0))
    assert (trainer.numerics.memory_format, trainer.choice.seconds) == ("channels_last", {})


def test_another_error_while_autotuning_is_told(fake, monkeypatch):
    def broken(dry_run, by_wall=True):
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(DryRun, "step", broken)
    with pytest.raises(RuntimeError, match="do not fit"):
        Trainer(long_task(0))


def test_the_hashes_of_trials_from_before_there_was_autotuning_stay():
    plain, auto = (complete_training(given, {"name": "digits"}) for given in ({}, {"autotune": "auto"}))
    assert settings_hash({"training": plain}, COSMETIC_SETTINGS) == "f947b8b3f5306778"
    assert auto == plain


@pytest.mark.parametrize(
    "given", [{"race": "never", "precision": "race"}, {"autotune": "never", "precision": "autotune"}]
)
def test_the_former_name_and_todays_are_one_setting_with_the_former_hash(given):
    completed = complete_training(given, {"name": "digits"})
    assert (completed["autotune"], completed["precision"]) == ("never", "autotune")
    assert settings_hash({"training": completed}, COSMETIC_SETTINGS) == "a6aa7aafbac0e040"


def test_the_former_name_beside_todays_is_refused():
    with pytest.raises(SettingError, match="give autotune alone"):
        complete_training({"race": "never", "autotune": "auto"}, {"name": "digits"})
