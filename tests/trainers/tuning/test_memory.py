import pytest
import torch

from tests.trainers.networks import TINY, network, task
from trainers import Trainer
from trainers.tuning import memory
from trainers.tuning.dry_run import DryRun, first_batches
from trainers.tuning.memory import available_bytes, replica_bytes

BATCH = 64


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch):
    monkeypatch.setattr(memory, "_NEEDS", {})


def need(**settings):
    """Return what one replica of a small network needs, and the network."""
    trainer = Trainer(task(0, data=TINY, batch_size=BATCH, **settings))
    batches = first_batches(trainer.loader, [0])
    dry_run = DryRun(trainer.task, trainer.info, trainer.schedule, trainer.numerics, batches)
    return replica_bytes(dry_run), trainer.replicas[0].network


def test_a_replicas_need_is_what_its_backward_pass_reads():
    found, built = need()
    # The image; of the stem and of each of the three units' convolutions the output and its batch norm's, which the
    # ReLU overwrites (the second's is the sum with the shortcut); pooled features, and the log-probabilities.
    stages = [4 * 8 * 8, 8 * 4 * 4, 16 * 2 * 2]
    activations = 1 * 8 * 8 + 2 * stages[0] + sum(4 * each for each in stages) + 16 + 4
    activations += memory.TEMPORARY * max(stages)
    weights = sum(each.numel() for each in built.parameters())
    assert found == pytest.approx(4 * (BATCH * activations + 3 * weights), rel=0.03)


def test_forgotten_activations_are_not_counted():
    assert need(checkpoint_activations=True)[0] < 0.7 * need()[0]


def test_bf16_needs_less():
    assert need(precision="bf16")[0] < 0.9 * need()[0]


@pytest.mark.parametrize(("replicas", "side_by_side"), [(0.5, 1), (1, 1), (2, 2), (3, 3), (9, 4)])
def test_as_many_train_side_by_side_as_nine_tenths_of_the_memory_hold(monkeypatch, replicas, side_by_side):
    room = replicas * need()[0] / 0.9 + 10
    monkeypatch.setattr(memory, "available_bytes", lambda device: room)
    trainer = Trainer(task(0, 1, 2, 3, data=TINY, batch_size=BATCH))
    assert trainer.pack.side_by_side == side_by_side


def test_a_part_of_the_pack_at_a_time_gives_the_same_numbers(monkeypatch):
    asked = task(0, 1, 2, data=TINY, batch_size=BATCH)
    whole = Trainer(asked).run_epoch()
    room = 2 * need()[0] / 0.9 + 10
    monkeypatch.setattr(memory, "available_bytes", lambda device: room)
    parts = Trainer(asked)
    found = parts.run_epoch()
    assert parts.pack.side_by_side == 2
    assert [each.train_loss for each in found] == pytest.approx([each.train_loss for each in whole], rel=1e-4)


def test_replicas_in_turn_need_the_room_of_one(monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda device: 1)
    assert Trainer(task(0, 1, 2, data=TINY, fuse="never")).pack.side_by_side == 3


def test_a_process_measures_a_network_once_and_a_single_seed_never(monkeypatch):
    measured = []
    monkeypatch.setattr(memory, "replica_bytes", lambda dry_run, last: measured.append(dry_run) or 1)
    Trainer(task(0, data=TINY))
    assert not measured
    Trainer(task(0, 1, data=TINY))
    Trainer(task(2, 3, 4, data=TINY, lr=0.01))
    assert len(measured) == 1
    Trainer(task(0, 1, data=TINY, network_settings=network(width=8)))
    Trainer(task(0, 1, data=TINY, batch_size=16))
    assert len(measured) == 3


def test_measuring_changes_no_number(monkeypatch):
    dropout = network(shortcut={"op": "dropout", "rate": 0.5})
    asked = task(0, 1, data=TINY, network_settings=dropout)
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    measured = Trainer(asked)
    assert torch.equal(torch.rand(3), expected)
    monkeypatch.setattr("trainers.loop.fitting", lambda *arguments: 2)
    other = Trainer(asked)
    for one, same in zip(measured.run_epoch(), other.run_epoch(), strict=True):
        assert (one.train_loss, one.test_loss) == (same.train_loss, same.test_loss)


def test_a_replica_that_does_not_fit_alone_trains_alone(monkeypatch):
    def greedy(dry_run):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(DryRun, "step", greedy)
    assert Trainer(task(0, 1, data=TINY)).pack.side_by_side == 1


def test_a_continued_pack_stays_as_narrow_as_it_was(monkeypatch, tmp_path):
    asked = task(0, 1, 2, data=TINY)
    trainer = Trainer(asked)
    trainer.pack.side_by_side = 2
    trainer.save(tmp_path / "x.ckpt")
    assert Trainer.resume(asked, tmp_path / "x.ckpt").pack.side_by_side == 2
    monkeypatch.setattr(memory, "available_bytes", lambda device: 1)
    assert Trainer.resume(asked, tmp_path / "x.ckpt").pack.side_by_side == 1


def test_the_memory_of_the_machine_is_read(monkeypatch, tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal: 9000 kB\nMemAvailable: 5000 kB\nHugePages_Total: 0\n")
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "CONTROL_GROUP", tmp_path)
    cpu = torch.device("cpu")
    assert available_bytes(cpu) == 5000 * 1024
    for name, text in (("max", "3000000"), ("current", "1000000"), ("stat", "anon 7\ninactive_file 500000\n")):
        (tmp_path / f"memory.{name}").write_text(text)
    assert available_bytes(cpu) == 2_500_000
    (tmp_path / "memory.max").write_text("max\n")
    assert available_bytes(cpu) == 5000 * 1024
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "none")
    assert available_bytes(cpu) > 2**28


def test_on_a_gpu_the_allocator_is_asked(monkeypatch):
    gigabytes = {
        "mem_get_info": (8, 16),
        "memory_reserved": 3,
        "memory_allocated": 1,
        "get_per_process_memory_fraction": 1.0,
    }
    for name, value in gigabytes.items():
        monkeypatch.setattr(f"torch.cuda.{name}", lambda device, value=value: value)
    assert available_bytes(torch.device("cuda")) == 8 + 3 - 1
    monkeypatch.setattr("torch.cuda.get_per_process_memory_fraction", lambda device: 0.25)
    assert available_bytes(torch.device("cuda")) == 16 / 4 - 1
    peaks = []
    monkeypatch.setattr("torch.cuda.reset_peak_memory_stats", lambda device: peaks.append("reset"))
    monkeypatch.setattr("torch.cuda.max_memory_allocated", lambda device: 1000)
    trainer = Trainer(task(0, data=TINY))
    dry_run = DryRun(trainer.task, trainer.info, trainer.schedule, trainer.numerics, first_batches(trainer.loader, [0]))
    dry_run.numerics = trainer.numerics.__class__(torch.device("cuda"), "fp32", "contiguous")
    monkeypatch.setattr(dry_run, "step", lambda: peaks.append("step"))
    weights = 4 * sum(each.numel() for each in trainer.replicas[0].network.parameters())
    assert replica_bytes(dry_run) == 1000 - 1 + 2 * weights
    assert peaks == ["reset", "step"]
    assert replica_bytes(dry_run, last=0.5) == int(1.5 * (1000 - 1)) + 2 * weights
