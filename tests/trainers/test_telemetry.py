import pytest
import torch

from tests.trainers.networks import TINY, network, task
from trainers import Trainer
from trainers.settings.recipe import complete_training
from trainers.step.precision import choose_numerics


def finished(*seeds, **training):
    trainer = Trainer(task(*seeds, data=TINY, **training))
    while not trainer.finished:
        trainer.run_epoch()
    return trainer


def test_an_outcome_tells_how_it_was_computed():
    telemetry = finished(0).outcomes()[0].telemetry
    assert telemetry["step_ms"] > 0
    assert telemetry["peak_memory_mib"] > 1
    assert (telemetry["precision"], telemetry["memory_format"]) == ("fp32", "channels_last")
    assert (telemetry["threads"], telemetry["pack"], telemetry["side_by_side"]) == (1, 1, 1)
    assert 0 < telemetry["utilisation"] <= 1.5
    assert telemetry["normalisation"]["kind"] == "channel"


def test_a_small_training_after_a_large_one_has_a_peak_of_its_own():
    def peak(**settings):
        data = TINY | {"shape": [3, 32, 32], "train_size": 512}
        trainer = Trainer(task(0, data=data, batch_size=512, epochs=1, **settings))
        trainer.run_epoch()
        return trainer.outcomes()[0].telemetry["peak_memory_mib"]

    large = peak(network_settings=network(width=16))
    assert peak(network_settings=network(width=1)) < large - 100


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_a_profiled_training_shows_where_its_time_went(seeds):
    shares = finished(*seeds, profile=True).outcomes()[0].telemetry["shares"]
    assert set(shares) == {"data", "forward", "backward", "optimiser"}
    assert sum(shares.values()) == pytest.approx(1)


def test_profiling_changes_no_number():
    one, other = finished(0), finished(0, profile=True)
    assert [record.train_loss for record in one.records] == [record.train_loss for record in other.records]


def test_without_profile_there_are_no_shares():
    assert "shares" not in finished(0).outcomes()[0].telemetry


@pytest.mark.parametrize(
    ("asked", "device", "expected"),
    [
        ({}, "cpu", ("fp32", "channels_last")),
        ({}, "cuda", ("fp32", "channels_last")),
        ({"precision": "auto"}, "cpu", ("fp32", "channels_last")),
        ({"precision": "auto"}, "cuda", ("bf16", "channels_last")),
        ({"precision": "bf16", "memory_format": "contiguous"}, "cpu", ("bf16", "contiguous")),
    ],
)
def test_auto_is_a_rule(asked, device, expected):
    found = choose_numerics(complete_training(asked, {"name": "digits"}), torch.device(device))
    assert (found.precision, found.memory_format) == expected


def test_bf16_trains_close_to_fp32():
    whole, half = finished(0).records[-1], finished(0, precision="bf16").records[-1]
    assert half.train_loss == pytest.approx(whole.train_loss, rel=0.2)


def test_a_batch_is_laid_out_even_with_one_channel():
    numerics = choose_numerics(complete_training({}, {"name": "digits"}), torch.device("cpu"))
    assert numerics.lay_out(torch.zeros(4, 1, 8, 8)).stride() == (64, 1, 8, 1)


def test_every_step_is_counted_once():
    trainer = Trainer(task(0, 1, data=TINY, network_settings=network(depth=8), epochs=2, batch_size=32))
    for epoch in (1, 2):
        trainer.run_epoch()
        assert [replica.steps for replica in trainer.replicas] == [epoch * 3] * 2
        assert [replica.images for replica in trainer.replicas] == [epoch * 70] * 2
