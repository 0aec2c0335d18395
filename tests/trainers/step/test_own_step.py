"""A training step of the user's own: what it minimises and counts is what is trained and recorded."""

import sys
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from search_spaces.arm import settings_hash
from search_spaces.errors import SettingError
from tests.trainers.networks import TINY, task
from trainers import Trainer, train
from trainers.probes import PROBES
from trainers.probes.subject import Bench
from trainers.settings.recipe import complete_training
from trainers.step.divergence import LossWatch
from trainers.testing import StepContract

HERE = "tests.trainers.step.step_example"
DIGITS = {"name": "digits"}
SMALL = {"family": "resnet_cifar", "depth": 8, "width": 4}


class TestSmoothed(StepContract):
    step: ClassVar = {"name": f"{HERE}:smoothed", "smoothing": 0.1}
    data = TINY


class TestTurned(StepContract):
    step = f"{HERE}:turned"
    data = TINY


def trained(step, *seeds, **training):
    trainer = Trainer(task(*(seeds or (0,)), data=TINY, batch_size=32, **({"step": step} if step else {}), **training))
    while not trainer.finished:
        trainer.run_epoch()
    return trainer


def numbers(trainer):
    names = ("seed", "train_loss", "train_error", "test_loss", "test_error")
    return [[getattr(record, name) for name in names] for record in trainer.records]


def test_cross_entropy_written_by_hand_trains_as_the_built_in_one():
    assert numbers(trained(f"{HERE}:smoothed")) == numbers(trained(None))


def test_another_loss_trains_another_network_and_is_evaluated_by_itself():
    plain, smoothed = trained(None), trained({"name": f"{HERE}:smoothed", "smoothing": 0.3})
    assert smoothed.records[0].train_loss > plain.records[0].train_loss
    assert smoothed.records[-1].test_loss != plain.records[-1].test_loss


def test_seeds_of_a_pack_train_as_they_do_alone_and_the_reason_is_told():
    together = trained(f"{HERE}:turned", 0, 1, fuse="always")
    alone = [record for seed in (0, 1) for record in numbers(trained(f"{HERE}:turned", seed))]
    assert sorted(numbers(together)) == sorted(alone)
    assert "user's own" in together.outcomes()[0].telemetry["not_fused_because"]


def test_a_training_that_was_cut_short_goes_on_to_the_same_numbers(tmp_path):
    given = task(data=TINY, batch_size=32, step=f"{HERE}:turned")
    first = Trainer(given)
    first.run_epoch()
    first.save(tmp_path / "state")
    second = Trainer.resume(given, tmp_path / "state")
    second.run_epoch()
    assert numbers(second) == numbers(trained(f"{HERE}:turned"))


def test_scores_do_not_depend_on_the_generator_of_the_process():
    torch.manual_seed(1)
    one = numbers(trained(f"{HERE}:turned"))
    torch.manual_seed(2)
    assert numbers(trained(f"{HERE}:turned")) == one


def test_probes_measure_the_loss_that_was_trained():
    step = {"name": f"{HERE}:smoothed", "smoothing": 0.3}
    subjects = [
        Bench.of(task(data=TINY, batch_size=32, **own), "cpu", 1).subject(0, None, 0) for own in ({"step": step}, {})
    ]
    losses = []
    for subject in subjects:
        images, labels = subject.training_images(8)[0]
        subject.network.train()
        losses.append(subject.loss(images, labels).item())
        subject.network.eval()
    assert losses[0] != losses[1]
    assert subjects[0].score(subjects[0].test_images()) == pytest.approx(subjects[1].score(subjects[1].test_images()))


GRADIENTS = {"path_gradient": "gradient_norm", "gradient_flow": "gradient_norm", "sharpness": "eigenvalue"}


@pytest.mark.parametrize("kind", GRADIENTS)
def test_a_probe_of_gradients_measures_those_of_the_loss_that_was_trained(kind):
    found = []
    for own in ({"step": f"{HERE}:doubled"}, {}):
        bench = Bench.of(task(data=TINY, batch_size=32, network_settings=SMALL, **own), "cpu", 1)
        subject = bench.subject(0, None, 0)
        with subject.computing():
            rows = [row for chunk in PROBES[kind]().measure(subject, []) for row in chunk]
        found.append([value for row in rows if (value := row.numbers[GRADIENTS[kind]]) is not None])
    doubled, plain = found
    assert doubled == pytest.approx([2 * value for value in plain], rel=1e-3)
    assert max(plain) > 0


def test_without_a_step_the_settings_are_as_ever():
    assert "step" not in complete_training({}, DIGITS)
    assert complete_training({"step": None}, DIGITS) == complete_training({}, DIGITS)


def test_the_code_of_a_step_is_part_of_the_identity(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    text = "def step(network, images, labels, *, share: float = {}):\n    return images.mean((1, 2, 3)), labels > 0\n"

    def completed(share):
        Path(tmp_path, "my_step.py").write_text(text.format(share), encoding="utf-8")
        sys.modules.pop("my_step", None)
        sys.path_importer_cache.clear()
        return complete_training({"step": {"name": "my_step:step", "share": 0.5}}, DIGITS)

    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    first, second = completed(0.1), completed(0.25)
    assert first["step"]["share"] == second["step"]["share"] == 0.5
    assert settings_hash(first) != settings_hash(second)
    with pytest.raises(SettingError, match="my_step:step has changed"):
        complete_training({"step": first["step"]}, DIGITS)
    sys.modules.pop("my_step", None)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (f"{HERE}:smothed", 'did you mean "smoothed"'),
        ("smoothed", "package.module:function"),
        (3, "package.module:function"),
        ({"smoothing": 0.1}, "package.module:function"),
        ({"name": f"{HERE}:smoothed", "smooting": 0.1}, 'did you mean "smoothing"'),
        ({"name": f"{HERE}:smoothed", "smoothing": "much"}, "smoothing must be a number"),
        (f"{HERE}:without_labels", "must take labels"),
    ],
)
def test_a_wrong_step_is_one_message_with_its_key(step, message):
    with pytest.raises(SettingError, match=message) as error:
        complete_training({"step": step}, DIGITS)
    assert error.value.key[0] == "step"


@pytest.mark.parametrize(("name", "message"), [("averaged", r'one an image.*reduction="none"'), ("counting", "0 to 1")])
def test_a_wrong_answer_says_what_is_due(name, message):
    with pytest.raises(SettingError, match=message):
        train(SMALL, TINY, {"epochs": 1, "step": f"{HERE}:{name}"})


@pytest.mark.parametrize("loss", [float("-inf"), float("inf"), float("nan")])
def test_a_loss_that_is_not_finite_diverges_also_below_zero(loss):
    assert LossWatch(1e4, 100).add(loss, 10)


def test_a_negative_loss_does_not_diverge():
    assert not LossWatch(1e4, 100).add(-5.0, 10)
