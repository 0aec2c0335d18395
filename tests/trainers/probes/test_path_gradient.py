"""The gradient along single paths agrees with a chain of products of Jacobians, unit by unit."""

from itertools import combinations
from math import comb

import pytest
import torch
import torch.nn.functional as F

from search_spaces.shortcuts import NoShortcut
from tests.trainers.probes.conftest import SEED, bench_of, weights_of
from trainers.probes.path_gradient import PathGradient, _shares, path_gradient
from trainers.probes.probe import Row
from trainers.probes.session import _rounded

HALVED = ("shortcut", (("op", "scale"), ("shortcut", 0.5)))


def by_hand(subject, images, labels, through):
    """Return the gradient along a path, from the last unit to the first."""
    network = subject.network
    units = [unit for stage in network.stages for unit in stage]
    signals = [network.stem(images).detach()]
    for unit in units:
        signals.append(unit(signals[-1].clone()).detach())

    def head(signal):
        return F.cross_entropy(
            network.classifier((signal if network.tail is None else network.tail(signal)).mean((2, 3))), labels
        )

    last = signals[-1].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(head(last * 1), last)
    for at in reversed(range(len(units))):
        unit, signal = units[at], signals[at]

        def one_way(x, unit=unit, signal=signal, at=at):
            x, kept = x * 1, signal.clone()
            for_branch, for_shortcut = (x, kept) if at in through else (kept, x)
            if unit.shared is not None:
                for_branch, for_shortcut = unit.shared(for_branch), unit.shared(for_shortcut)
            merged = unit.merge(for_shortcut, unit.branch(for_branch.clone()))
            return merged if unit.after is None else unit.after(merged)

        _, gradient = torch.autograd.functional.vjp(one_way, signal, gradient)
    return gradient.double()


@pytest.mark.parametrize("settings", [(), (HALVED,), (("activation", "full_preact"),)], ids=str)
def test_every_path_is_as_computed_by_hand(settings, measured):
    values, subject = measured("path_gradient", bench_of(("depth", 14), *settings))
    ((images, labels),) = subject.training_images(32)
    single = [row for row in values["rows"] if row["at"]["draw"] is not None]
    assert [row["at"]["length"] for row in single] == [0, *(k for k in range(1, 6) for _ in range(3)), 6]
    for row in single:
        assert len(row["at"]["through"]) == row["at"]["length"]
        expected = by_hand(subject, images, labels, row["at"]["through"]).norm().item()
        assert row["numbers"]["gradient_norm"] == pytest.approx(expected, rel=1e-3)
    means = [
        torch.tensor([r["numbers"]["gradient_norm"] for r in single if r["at"]["length"] == k]).mean().item()
        for k in range(7)
    ]
    weights = [comb(6, k) * mean for k, mean in enumerate(means)]
    shares = [row["numbers"]["share"] for row in values["rows"] if row["at"]["draw"] is None]
    assert shares == pytest.approx([100 * weight / sum(weights) for weight in weights], rel=1e-4)
    mean = sum(k * weight for k, weight in enumerate(weights)) / sum(weights)
    assert values["scalars"]["mean_length"] == pytest.approx(mean, rel=1e-4)
    assert values["scalars"]["relative_length"] == pytest.approx(100 * mean / 6, rel=1e-4)


def test_the_paths_add_up_to_the_whole_gradient():
    bench = bench_of()
    subject = bench.subject(SEED, weights_of(bench), 2)
    batches = subject.training_images(32)
    merges = {unit.index: unit.merge for unit in subject.units}
    paths = [path for k in range(4) for path in combinations(range(3), k)]
    found = sum(path_gradient(subject, merges, path, batches) for path in paths)
    ((images, labels),) = batches
    with torch.no_grad():
        start = subject.network.stem(images)
    start.requires_grad_()
    signal = start.clone()
    for stage in subject.network.stages:
        signal = stage(signal)
    loss = F.cross_entropy(subject.network.classifier(signal.mean((2, 3))), labels)
    (whole,) = torch.autograd.grad(loss, start)
    assert torch.allclose(found, whole.double(), rtol=1e-3, atol=1e-3 * whole.abs().max().item())


def test_cut_short_anywhere_it_finds_the_same():
    bench = bench_of()
    subject, probe = bench.subject(SEED, weights_of(bench), 2), PathGradient(draws=2)
    whole = [_rounded(row, 2) for chunk in probe.measure(subject, ()) for row in chunk]
    for chunks in (1, 3, 4, 5):
        done = []
        for _, chunk in zip(range(chunks), probe.measure(subject, ()), strict=False):
            done += [_rounded(row, 2) for row in chunk]
        rest = [_rounded(row, 2) for chunk in probe.measure(subject, tuple(done)) for row in chunk]
        assert done + rest == whole


def test_a_plain_network_has_no_paths_to_choose_from(measured):
    values, subject = measured("path_gradient", bench_of(("shortcut", "none")))
    assert isinstance(subject.network.stages[0][0].merge, NoShortcut)
    assert values["failed"].startswith("path_gradient needs residual units")


def test_hundreds_of_units_overflow_nothing():
    rows = [Row({"length": k, "draw": 0, "through": []}, {"gradient_norm": 0.5**k, "share": None}) for k in range(2001)]
    shares = _shares(rows, 2000)
    assert sum(shares.values()) == pytest.approx(100)
    made = [Row({"length": k, "draw": None, "through": None}, {"share": share}) for k, share in shares.items()]
    # Binomial weights with the factor 1/2 a unit: a mean of a third of the units.
    assert PathGradient().summarise(made)["relative_length"] == pytest.approx(100 / 3, rel=1e-6)
