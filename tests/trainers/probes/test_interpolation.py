"""The line between the networks of two seeds agrees with networks mixed by hand."""

import pytest
import torch
import torch.nn.functional as F

from search_spaces import build_network
from tests.trainers.probes.conftest import SEED, bench_of, weights_of
from trainers.probes import complete_probes
from trainers.probes.session import ProbeLog, ProbeSession
from trainers.probes.subject import Partner


def pair(bench):
    """Return the weights of two networks that share nothing."""
    first = weights_of(bench)
    other = bench.subject(SEED + 1, None, 0).network
    for images, _ in bench.subject(SEED, None, 0).training_images(512):
        other.train()(images)
    return first, other.state_dict()


def found(bench, first, partners, **settings):
    request = complete_probes([{"name": "interpolation", **settings}])
    session = ProbeSession(bench, request, 2, ProbeLog(None), partners)
    (measured,) = [each for each in session.conclude(SEED, first, 2) if each is not None]
    return measured.values


def by_hand(bench, first, second, share):
    network = build_network(dict(bench.task.network), bench.info.input_shape, bench.info.num_classes).eval()
    values = dict(network.named_parameters()) | dict(network.named_buffers())
    batches = bench.subject(SEED, None, 0).training_images(64)
    with torch.no_grad():
        for name, value in values.items():
            value.copy_(torch.lerp(first[name].double(), second[name].double(), share).to(value.dtype))
        logits = torch.cat([network(images) for images, _ in batches])
    labels = torch.cat([labels for _, labels in batches])
    return F.cross_entropy(logits, labels).item(), 100 * (logits.argmax(1) != labels).double().mean().item()


def test_each_network_on_the_line_is_as_mixed_by_hand():
    bench = bench_of()
    first, second = pair(bench)
    values = found(bench, first, {SEED: Partner(9, second)}, points=5, images=64)
    expected = [by_hand(bench, first, second, share) for share in (0, 0.25, 0.5, 0.75, 1)]
    assert [row["at"] for row in values["rows"]] == [{"share": at / 4, "other": 9} for at in range(5)]
    assert [row["numbers"]["loss"] for row in values["rows"]] == pytest.approx([each for each, _ in expected], rel=1e-4)
    assert [row["numbers"]["error"] for row in values["rows"]] == pytest.approx([each for _, each in expected])
    losses = torch.tensor([loss for loss, _ in expected], dtype=torch.float64)
    above = losses - torch.lerp(losses[0], losses[-1], torch.linspace(0, 1, 5, dtype=torch.float64))
    assert values["scalars"]["barrier"] == pytest.approx(above.max().item(), abs=1e-4)
    assert values["scalars"]["highest_error"] == pytest.approx(max(each for _, each in expected))


def test_a_network_has_no_barrier_to_itself():
    bench = bench_of()
    first, _ = pair(bench)
    assert abs(found(bench, first, {SEED: Partner(9, first)}, points=3)["scalars"]["barrier"]) < 1e-6


def test_a_loss_that_is_infinite_leaves_no_barrier():
    bench = bench_of()
    first, second = pair(bench)
    broken = {name: tensor * torch.inf if tensor.is_floating_point() else tensor for name, tensor in second.items()}
    values = found(bench, first, {SEED: Partner(9, broken)}, points=3, images=64)
    assert [row["numbers"]["loss"] is None for row in values["rows"]] == [False, True, True]
    assert values["scalars"]["barrier"] is None


def test_another_partner_is_another_line():
    bench = bench_of()
    first, second = pair(bench)
    log, request = ProbeLog(None), complete_probes([{"name": "interpolation", "points": 3}])
    lines = []
    for partner in (first, second):
        session = ProbeSession(bench, request, 2, log, {SEED: Partner(9, partner)})
        (measured,) = [each for each in session.conclude(SEED, first, 2) if each is not None]
        lines.append([row["numbers"]["loss"] for row in measured.values["rows"]])
    assert len(lines[0]) == len(lines[1]) == 3
    assert lines[0] != lines[1]


def test_without_a_partner_it_says_so():
    bench = bench_of()
    assert "needs the kept weights of another seed" in found(bench, pair(bench)[0], None)["failed"]
