"""The line between two networks agrees with networks mixed by hand."""

import pytest
import torch
import torch.nn.functional as F

from search_spaces import build_network
from search_spaces.errors import SettingError
from tests.trainers.probes.conftest import SEED, bench_of, weights_of
from trainers.interpolation import interpolate
from trainers.weights import Weights


def kept(bench, state, seed=SEED):
    return Weights.of(bench.task.network, bench.info, bench.loader, state, seed, 2)


def pair(bench):
    state = weights_of(bench)
    moved = {name: tensor * 1.5 if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    return kept(bench, state), kept(bench, moved)


def by_hand(first, second, share, batches):
    network = build_network(dict(first.network), first.input_shape, first.num_classes).eval()
    with torch.no_grad():
        values = dict(network.named_parameters()) | dict(network.named_buffers())
        for name, value in values.items():
            value.copy_(torch.lerp(first.state[name].double(), second.state[name].double(), share).to(value.dtype))
        logits = torch.cat([network(images) for images, _ in batches])
    labels = torch.cat([labels for _, labels in batches])
    return F.cross_entropy(logits, labels).item(), 100 * (logits.argmax(1) != labels).double().mean().item()


def test_each_point_is_as_computed_by_hand():
    bench = bench_of()
    first, second = pair(bench)
    points = interpolate(bench.task, first, second, points=5, images=64)
    assert [point.share for point in points] == [0, 0.25, 0.5, 0.75, 1]
    batches = bench.subject(SEED, None, 0).training_images(64)
    expected = [by_hand(first, second, point.share, batches) for point in points]
    assert [point.loss for point in points] == pytest.approx([loss for loss, _ in expected], rel=1e-4)
    assert [point.error for point in points] == pytest.approx([error for _, error in expected])
    middle = expected[2][0] - (expected[0][0] + expected[4][0]) / 2
    assert points[2].above_line == pytest.approx(middle, abs=1e-4)
    assert points[0].above_line == points[4].above_line == 0


def test_a_network_has_no_barrier_to_itself():
    bench = bench_of()
    first, _ = pair(bench)
    points = interpolate(bench.task, first, first, points=3, images=64)
    assert max(abs(point.above_line) for point in points) < 1e-6


def test_networks_of_other_shapes_and_too_few_points_are_refused():
    bench = bench_of()
    first, second = pair(bench)
    wider = bench_of(("width", 6))
    with pytest.raises(SettingError, match="the same names and shapes"):
        interpolate(bench.task, first, kept(wider, weights_of(wider)))
    with pytest.raises(SettingError, match="points must be at least 3"):
        interpolate(bench.task, first, second, points=2)
