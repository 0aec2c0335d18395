"""What only a GPU can show; skipped where there is none."""

import pytest
import torch

from tests.trainers.networks import TINY, network, task
from trainers import Trainer
from trainers.cuda_graphs import WARM_UP, GraphedLane
from trainers.lane import Lane
from trainers.packs import make_lanes
from trainers.stopwatch import Stopwatch

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def test_a_cpu_steps_without_graphs():
    trainer = Trainer(task(0, 1, data=TINY))
    watch = Stopwatch(trainer.device, False)
    lanes = make_lanes(trainer.members, trainer.task.training, trainer.numerics, watch)
    assert [type(lane) for lane in lanes] == [Lane]


@needs_gpu
@pytest.mark.parametrize("changes", [{}, {"shortcut": {"op": "dropout", "rate": 0.5}}])
def test_a_replayed_step_equals_an_eager_one(changes, monkeypatch):
    asked = task(0, data=TINY, network_settings=network(**changes), epochs=8, batch_size=10)
    graphed = Trainer(asked, device="cuda")
    while not graphed.finished:
        graphed.run_epoch()
    monkeypatch.setattr("trainers.cuda_graphs.WARM_UP", 10**9)
    eager = Trainer(asked, device="cuda")
    while not eager.finished:
        eager.run_epoch()
    assert [record.train_loss for record in graphed.records] == pytest.approx(
        [record.train_loss for record in eager.records], rel=1e-4
    )


@needs_gpu
def test_every_lane_records_its_step():
    trainer = Trainer(task(0, 1, data=TINY, epochs=WARM_UP + 2), device="cuda")
    while not trainer.finished:
        trainer.run_epoch()
    assert all(isinstance(lane, GraphedLane) and lane.recorded for lane in trainer.pack._lanes)


@needs_gpu
def test_a_pack_on_streams_equals_solo_runs():
    pack = Trainer(task(0, 1, data=TINY, epochs=3), device="cuda")
    while not pack.finished:
        pack.run_epoch()
    for seed in (0, 1):
        solo = Trainer(task(seed, data=TINY, epochs=3), device="cuda")
        while not solo.finished:
            solo.run_epoch()
        own = [record.train_loss for record in pack.records if record.seed == seed]
        assert own == pytest.approx([record.train_loss for record in solo.records], rel=1e-4)


@needs_gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16", "auto"])
def test_every_precision_trains(precision):
    trainer = Trainer(task(0, data=TINY, precision=precision), device="cuda")
    assert trainer.run_epoch()[0].test_error is not None
