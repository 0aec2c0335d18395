import math

import pytest
import torch

import trainers
from search_spaces.errors import SettingError
from tests.trainers.networks import TINY, network, task
from trainers import CheckpointError, Trainer, train


def finish(trainer):
    while not trainer.finished:
        trainer.run_epoch()
    return trainer


def numbers(trainer):
    """Everything that must repeat: the records without their times, and the weights."""
    records = [{**vars(record), "seconds": None} for record in trainer.records]
    return records, [replica.network.state_dict() for replica in trainer.replicas]


def assert_same(one, other):
    (records, networks), (other_records, other_networks) = numbers(one), numbers(other)
    assert records == other_records
    for state, other_state in zip(networks, other_networks, strict=True):
        assert all(torch.equal(state[name], other_state[name]) for name in state)


def dropout_network():
    return network(shortcut={"op": "dropout", "rate": 0.5})


def test_a_small_network_learns_the_digits():
    result = train({"family": "resnet_cifar", "depth": 8, "width": 8}, "digits", {"epochs": 4})
    assert result.outcome.state == "COMPLETE"
    assert result.records[-1].test_error < 10
    assert [record.epoch for record in result.records] == [1, 2, 3, 4]


def test_every_epoch_is_told_as_it_ends():
    seen = []
    result = train(network(), TINY, {"epochs": 2}, on_epoch=seen.append)
    assert seen == list(result.records)


def test_the_outcome_counts_epochs_and_time():
    outcome = train(network(), TINY, {"epochs": 2}).outcome
    assert (outcome.epochs, outcome.diverged_at, outcome.reason) == (2, None, None)
    assert outcome.images_per_second > 0
    assert outcome.seconds > 0


def test_the_seed_decides_everything():
    one, same, other = (finish(Trainer(task(seed, data=TINY))) for seed in (1, 1, 2))
    assert_same(one, same)
    assert numbers(one)[0][0]["train_loss"] != numbers(other)[0][0]["train_loss"]


def test_a_reused_process_gives_the_numbers_of_a_fresh_one():
    asked = task(0, data=TINY, network_settings=dropout_network())
    fresh = finish(Trainer(asked))
    torch.manual_seed(99)
    finish(Trainer(task(5, data=TINY, network_settings=network(width=6), lr=0.5)))
    torch.rand(17)
    assert_same(fresh, finish(Trainer(asked)))


def test_the_callers_process_is_left_as_it_was():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    finish(Trainer(task(0, data=TINY, network_settings=dropout_network())))
    assert torch.equal(torch.rand(2), expected)


def test_a_pack_replica_equals_the_solo_run():
    pack = finish(Trainer(task(0, 1, data=TINY, network_settings=dropout_network())))
    for at, seed in enumerate((0, 1)):
        solo = finish(Trainer(task(seed, data=TINY, network_settings=dropout_network())))
        own = [{**vars(record), "seconds": None} for record in pack.records if record.seed == seed]
        assert own == numbers(solo)[0]
        state, theirs = pack.replicas[at].network.state_dict(), solo.replicas[0].network.state_dict()
        assert all(torch.equal(state[name], theirs[name]) for name in state)


@pytest.mark.parametrize("stop", [1, 2])
def test_continuing_gives_the_numbers_of_never_stopping(tmp_path, stop):
    asked = task(
        0,
        1,
        data=TINY,
        network_settings=dropout_network(),
        epochs=3,
        augment={"crop": 1, "flip": True},
        schedule={"name": "step", "unit": "iterations", "drops": [3], "warmup": {"iterations": 2}},
    )
    whole = finish(Trainer(asked))
    first = Trainer(asked)
    for _ in range(stop):
        first.run_epoch()
    first.save(tmp_path / "x.ckpt")
    torch.rand(5)
    assert_same(whole, finish(Trainer.resume(asked, tmp_path / "x.ckpt")))


def test_train_goes_on_from_its_checkpoint(tmp_path):
    path = tmp_path / "x.ckpt"

    class Stop(Exception):
        pass

    def stop(record):
        if record.epoch == 3:
            raise Stop

    with pytest.raises(Stop):
        train(network(), TINY, {"epochs": 4}, checkpoint=path, on_epoch=stop)
    seen = []
    result = train(network(), TINY, {"epochs": 4}, checkpoint=path, on_epoch=seen.append)
    assert [record.epoch for record in seen] == [3, 4]
    whole = train(network(), TINY, {"epochs": 4})
    assert [record.train_loss for record in result.records] == [record.train_loss for record in whole.records]


def test_a_checkpoint_of_another_task_is_refused(tmp_path):
    trainer = Trainer(task(0, data=TINY))
    trainer.save(tmp_path / "x.ckpt")
    with pytest.raises(CheckpointError, match="another task"):
        Trainer.resume(task(1, data=TINY), tmp_path / "x.ckpt")


def test_train_starts_afresh_from_a_torn_checkpoint(tmp_path):
    (tmp_path / "x.ckpt").write_bytes(b"ablation trainers")
    assert len(train(network(), TINY, {"epochs": 1}, checkpoint=tmp_path / "x.ckpt").records) == 1


def test_iterations_may_end_within_an_epoch():
    trainer = finish(Trainer(task(data=TINY, batch_size=20, iterations=6, epochs=None)))
    assert [record.epoch for record in trainer.records] == [1, 2]
    assert trainer.replicas[0].images == 70 + 40
    assert trainer.records[-1].lr == pytest.approx(0.1 * 4e-6)


def test_the_running_means_are_over_the_images_of_the_epoch():
    trainer = Trainer(task(data=TINY, lr=1e-12, batch_size=20))
    record = trainer.run_epoch()[0]
    replica, losses, wrong = trainer.replicas[0], 0.0, 0
    with torch.no_grad():
        for images, labels in trainer.loader.train(0, 1):
            logits = replica.network.train()(images)
            losses += float(torch.nn.functional.cross_entropy(logits, labels, reduction="sum"))
            wrong += int((logits.argmax(1) != labels).sum())
    assert record.train_loss == pytest.approx(losses / 70, rel=1e-4)
    assert record.train_error == pytest.approx(100 * wrong / 70)


def test_the_test_set_is_measured_when_asked_and_at_the_end():
    trainer = finish(Trainer(task(data=TINY, epochs=5, evaluate_every=2)))
    assert [record.test_error is not None for record in trainer.records] == [False, True, False, True, True]


def test_validation_is_measured_where_it_is_held_out():
    record = Trainer(task(data={**TINY, "validation": 0.25})).run_epoch()[0]
    assert record.val_error is not None
    assert Trainer(task(data=TINY)).run_epoch()[0].val_error is None


def test_an_exploding_loss_is_an_outcome():
    trainer = finish(Trainer(task(0, 1, data=TINY, lr=1e6, epochs=4, diverged_above=50, batch_size=10)))
    for outcome in trainer.outcomes():
        assert outcome.state == "DIVERGED"
        assert outcome.diverged_at == outcome.epochs + 1
        assert "training loss" in outcome.reason
        assert outcome.loss_before_divergence is None or outcome.loss_before_divergence <= 50


def test_a_diverged_replica_stays_diverged_when_continued(tmp_path):
    asked = task(0, data=TINY, lr=1e6, epochs=4, diverged_above=50, batch_size=10)
    trainer = finish(Trainer(asked))
    trainer.save(tmp_path / "x.ckpt")
    assert Trainer.resume(asked, tmp_path / "x.ckpt").outcomes() == trainer.outcomes()


def test_losses_in_records_are_finite_or_none():
    trainer = finish(Trainer(task(data=TINY, lr=1e6, epochs=3, diverged_above=1e30)))
    for record in trainer.records:
        assert math.isfinite(record.train_loss)
        assert record.test_loss is None or math.isfinite(record.test_loss)


def test_outcomes_wait_for_the_end():
    with pytest.raises(ValueError, match="not finished"):
        Trainer(task(data=TINY)).outcomes()


def test_a_task_needs_different_seeds():
    with pytest.raises(ValueError, match="different seeds"):
        task(1, 1)


def test_an_unknown_setting_is_refused_by_train():
    with pytest.raises(SettingError, match="epochs"):
        train(network(), TINY, {"epoch": 1})


def test_the_public_names_are_all_there():
    assert all(getattr(trainers, name) is not None for name in trainers.__all__)


def test_the_public_names_are_one_list():
    assert set(trainers.__all__) == {
        "COSMETIC_SETTINGS",
        "RECIPES",
        "CheckpointError",
        "DataError",
        "DataInfo",
        "EpochRecord",
        "Outcome",
        "Task",
        "TrainResult",
        "Trainer",
        "check_batch_size",
        "complete_data",
        "complete_training",
        "inspect_data",
        "known_images",
        "take_share",
        "train",
    }


def test_a_file_that_is_no_checkpoint_is_not_written_over(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(SettingError, match="no checkpoint of this program"):
        train(network(), TINY, {"epochs": 1}, checkpoint=path)
    assert path.read_text() == "mine"


def test_a_network_that_its_last_step_destroys_has_diverged():
    trainer = Trainer(task(0, data=TINY, epochs=1, batch_size=70, lr=1e40, schedule="constant"))
    assert trainer.run_epoch() == []
    (outcome,) = trainer.outcomes()
    assert (outcome.state, outcome.diverged_at) == ("DIVERGED", 1)
    assert "held-out images" in outcome.reason
