"""The flow of signal and gradient agrees with networks that are cut open by hand."""

import pytest
import torch
import torch.nn.functional as F

from tests.trainers.probes.conftest import SEED, bench_of, weights_of
from trainers.probes import complete_probes
from trainers.probes.gradient_flow import GradientFlow
from trainers.probes.session import ProbeLog, ProbeSession
from trainers.probes.subject import Bench


def by_hand(subject, images, labels):
    """Return the deviation of each unit's input, and the gradient's norm there and at the unit's weights."""
    network = subject.network.train()
    units = [unit for stage in network.stages for unit in stage]
    found = []
    for at in range(len(units)):
        torch.manual_seed(0)
        with torch.no_grad():
            signal = network.stem(images)
            for unit in units[:at]:
                signal = unit(signal)
        signal = signal.clone().requires_grad_()
        rest = signal.clone()
        for unit in units[at:]:
            rest = unit(rest)
        if network.tail is not None:
            rest = network.tail(rest)
        loss = F.cross_entropy(network.classifier(rest.mean((2, 3))), labels)
        parameters = list(units[at].parameters())
        at_signal, *at_weights = torch.autograd.grad(loss, [signal, *parameters])
        weights = sum(each.square().sum() for each in at_weights).sqrt()
        found.append((signal.std(correction=0).item(), at_signal.norm().item(), weights.item()))
    return found


@pytest.mark.parametrize("settings", [(), (("shortcut", "none"),), (("activation", "full_preact"),)], ids=str)
def test_every_unit_is_as_computed_by_hand(settings, measured):
    bench = bench_of(("depth", 14), *settings)
    values, _ = measured("gradient_flow", bench)
    for epoch, weights in ((0, None), (2, weights_of(bench))):
        subject = bench.subject(SEED, weights, epoch)
        ((images, labels),) = subject.training_images(64)
        expected = by_hand(subject, images, labels)
        rows = [row["numbers"] for row in values["rows"] if row["epoch"] == epoch]
        found = [(row["signal_sd"], row["gradient_norm"], row["weight_gradient_norm"]) for row in rows]
        assert len(found) == 6
        for one, other in zip(found, expected, strict=True):
            assert one == pytest.approx(other, rel=1e-3)
    start = [row["numbers"]["gradient_norm"] for row in values["rows"] if row["epoch"] == 0]
    assert values["scalars"]["first_to_last"] == pytest.approx(start[0] / start[-1])


@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_the_expected_ratio_is_the_product_of_the_factors(factor, measured):
    scaled = ("shortcut", (("op", "scale"), ("shortcut", factor)))
    values, _ = measured("gradient_flow", bench_of(("depth", 14), scaled))
    scalars = values["scalars"]
    assert scalars["expected_first_to_last"] == factor**5
    assert 10 ** scalars["log10_over_expected"] == pytest.approx(scalars["first_to_last"] / factor**5)


def test_a_gate_has_no_constant_factor(measured):
    values, _ = measured("gradient_flow", bench_of(("shortcut", "exclusive_gate")))
    assert values["scalars"]["expected_first_to_last"] is None


def test_it_is_measured_at_the_start_every_other_epoch_and_at_the_end():
    (request,) = complete_probes(["gradient_flow"])
    assert request.probe.moments(5) == (0, 2, 4, 5)
    assert request.probe.moments(1) == (0, 1)


def test_watching_a_training_gives_the_rows_of_its_epochs():
    bench, requests = bench_of(), complete_probes([{"name": "gradient_flow", "every": 1}])
    session = ProbeSession(bench, requests, 2, ProbeLog(None))
    session.watch(1, {SEED: weights_of(bench)})
    (found,) = [each for each in session.conclude(SEED, weights_of(bench), 2) if each is not None]
    assert sorted({row["epoch"] for row in found.values["rows"]}) == [0, 1, 2]


def test_each_epoch_of_a_training_is_measured_as_by_itself():
    bench, requests = bench_of(), complete_probes([{"name": "gradient_flow", "every": 1}])
    trained = weights_of(bench)
    states = {epoch: {name: (1 + epoch / 10) * each for name, each in trained.items()} for epoch in (1, 2, 3)}
    together, apart = ProbeLog(None), ProbeLog(None)
    session = ProbeSession(bench, requests, 4, together)
    for epoch, state in states.items():
        session.watch(epoch, {SEED: state})
        ProbeSession(bench, requests, 4, apart).watch(epoch, {SEED: state})
    assert together.rows == apart.rows
    assert len({rows[0].numbers["gradient_norm"] for rows in together.rows.values()}) == 4  # and the start


def test_a_training_that_is_watched_makes_one_network_to_measure(monkeypatch):
    made, start = [], Bench.start
    monkeypatch.setattr(Bench, "start", lambda self, seed: made.append(seed) or start(self, seed))
    bench, requests = bench_of(), complete_probes(["gradient_flow"])
    session = ProbeSession(bench, requests, 6, ProbeLog(None))
    for epoch in range(1, 6):
        assert session.watches(epoch) == (epoch in (2, 4))
        session.watch(epoch, {SEED: weights_of(bench)})
    made.clear()
    (found,) = [each for each in session.conclude(SEED, weights_of(bench), 6) if each is not None]
    assert sorted({row["epoch"] for row in found.values["rows"]}) == [0, 2, 4, 6]
    assert made == [SEED] * 2  # of `weights_of` alone


def test_weights_that_are_not_trained_have_no_gradient():
    bench = bench_of(("depth", 14))
    whole, frozen = (bench.subject(SEED, weights_of(bench), 2) for _ in range(2))
    frozen.network.stages[1].requires_grad_(False)
    expected, found = (next(GradientFlow().measure(each, ())) for each in (whole, frozen))
    for unit, (one, other) in enumerate(zip(expected, found, strict=True)):
        numbers = {**one.numbers, "weight_gradient_norm": None} if unit in (2, 3) else one.numbers
        assert other.numbers == pytest.approx(numbers, rel=1e-6)


def test_each_seed_of_a_pack_is_measured_as_by_itself():
    bench, requests, weights = bench_of(), complete_probes(["gradient_flow"]), weights_of(bench_of())
    together, apart = ProbeLog(None), ProbeLog(None)
    ProbeSession(bench, requests, 4, together).watch(2, {SEED: weights, SEED + 1: weights})
    for seed in (SEED, SEED + 1):
        ProbeSession(bench, requests, 4, apart).watch(2, {seed: weights})
    assert together.rows == apart.rows
    assert len(together.rows) == 4
