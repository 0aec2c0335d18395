import math

from trainers.step.divergence import LossWatch, judge


def test_finite_losses_are_no_divergence():
    assert judge([2.3, 2.0], [64, 64], 100.0, 1, None) is None


def test_a_mean_loss_at_the_limit_is_no_divergence_and_one_above_it_is():
    assert judge([2.0, 2.0], [4, 4], 2.0, 1, None) is None
    watch = LossWatch(2.0, 8)
    assert [watch.add(2.0, 4), watch.add(2.0, 4), watch.add(0.25, 1)] == [False, False, True]


def test_one_odd_batch_is_no_divergence():
    assert judge([2.0, 150.0, 2.0], [64, 64, 64], 100.0, 1, None) is None


def test_a_loss_that_is_no_number_gives_epoch_and_the_loss_before_it():
    found = judge([2.3, 1.9, math.nan], [64, 64, 64], 100.0, 3, 2.5)
    assert (found.epoch, found.loss_before_divergence) == (3, 1.9)
    assert "not a finite number" in found.reason


def test_a_finite_explosion_is_a_divergence():
    found = judge([2.3, 1e13], [64, 64], 1e4, 2, None)
    assert (found.epoch, found.loss_before_divergence) == (2, 2.3)
    assert "1e+13" in found.reason


def test_the_first_batch_can_diverge():
    assert judge([math.inf], [64, 64], 1e4, 2, 0.7).loss_before_divergence == 0.7


def test_stopping_early_gives_the_verdict_of_the_whole_epoch():
    losses, sizes = [2.0, 1e9, 3.0, math.nan], [8, 8, 8, 4]
    watch = LossWatch(1e4, sum(sizes))
    seen = []
    for loss, size in zip(losses, sizes, strict=True):
        seen.append(loss)
        if watch.add(loss, size):
            break
    assert len(seen) == 2
    assert judge(seen, sizes, 1e4, 1, None) == judge(losses, sizes, 1e4, 1, None)
