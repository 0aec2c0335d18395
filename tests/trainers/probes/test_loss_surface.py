"""The loss surface agrees with networks moved by hand, and its numbers with surfaces that are known."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F

from tests.trainers.probes.conftest import SEED, bench_of, weights_of
from trainers.probes import complete_probes
from trainers.probes.loss_surface import LossSurface
from trainers.probes.probe import Row
from trainers.probes.session import ProbeLog, ProbeSession
from trainers.probes.subject import Subject

SMALL = {"name": "loss_surface", "points": 5, "images": 64, "radius": 0.5}


def by_hand(subject, x, y, images):
    network = copy.deepcopy(subject.network)
    generators = [subject.generator(1), subject.generator(2)]
    batches = subject.training_images(images)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            drawn = [torch.randn(parameter.shape, generator=generator) for generator in generators]
            if "weight" in name and parameter.dim() > 1:
                own = parameter.clone()
                for at in range(len(parameter)):
                    for factor, direction in zip((x, y), drawn, strict=True):
                        parameter[at] += factor * direction[at] / direction[at].norm() * own[at].norm()
        logits = torch.cat([network(inputs) for inputs, _ in batches])
        labels = torch.cat([labels for _, labels in batches])
    return F.cross_entropy(logits, labels).item(), 100 * (logits.argmax(1) != labels).double().mean().item()


def test_the_grid_is_as_computed_by_hand(measured):
    values, subject = measured(SMALL, bench_of())
    rows = {(row["at"]["x"], row["at"]["y"]): row["numbers"] for row in values["rows"]}
    assert len(rows) == 25
    for x, y in ((-0.5, -0.5), (0.25, 0.5), (0.0, 0.0), (-0.25, 0.0)):
        loss, error = by_hand(subject, x, y, 64)
        assert rows[x, y]["loss"] == pytest.approx(loss, rel=1e-4)
        assert rows[x, y]["error"] == pytest.approx(error)


def test_a_line_has_no_second_direction(measured):
    values, subject = measured({**SMALL, "dimensions": 1}, bench_of())
    assert [row["at"]["y"] for row in values["rows"]] == [None] * 5
    assert values["rows"][3]["numbers"]["loss"] == pytest.approx(by_hand(subject, 0.25, 0.0, 64)[0], rel=1e-4)


def surface(function, points=9, radius=1.0, dimensions=2):
    probe = LossSurface(points=points, radius=radius, dimensions=dimensions)
    steps = [round(2 * radius * at / (points - 1) - radius, 12) for at in range(points)]
    lines = steps if dimensions == 2 else [None]
    rows = [Row({"x": x, "y": y}, {"loss": function(x, y or 0.0), "error": 0.0}) for y in lines for x in steps]
    return probe.summarise(rows)


def test_a_bowl_is_convex():
    found = surface(lambda x, y: 1 + 3 * x**2 + y**2)
    assert found["nonconvex_share"] == 0
    assert found["slope"] == pytest.approx(math.hypot(6 * 0.75, 2 * 0.75))
    assert found["radius"] == pytest.approx(math.hypot(0.5, 0.5))


def test_a_saddle_is_nowhere_convex():
    assert surface(lambda x, y: 5 + x * y)["nonconvex_share"] == 100


def test_half_a_wave_is_not_convex():
    found = surface(lambda x, y: 3 - math.cos(math.pi * x), dimensions=1, points=41)
    assert found["nonconvex_share"] == pytest.approx(100 * 19 / 39, abs=6)
    assert found["radius"] == pytest.approx(1.0, abs=0.05)


def test_a_flat_surface_keeps_its_whole_radius():
    assert surface(lambda x, y: 1.0) == {"nonconvex_share": 0, "slope": 0, "radius": 1.0}


def test_points_without_a_loss_are_left_out():
    found = surface(lambda x, y: None if x == 1.0 else 1 + x**2 + y**2)
    assert found["nonconvex_share"] == 0


def test_a_surface_that_is_cut_short_goes_on(tmp_path, monkeypatch):
    bench, requests = bench_of(), complete_probes([SMALL])
    whole = ProbeSession(bench, requests, 2, ProbeLog(None))
    (expected,) = [each for each in whole.conclude(SEED, weights_of(bench), 2) if each is not None]
    first = ProbeSession(bench, requests, 2, ProbeLog.open(tmp_path / "log.json"))
    steps = first.conclude(SEED, weights_of(bench), 2)
    assert [next(steps), next(steps)] == [None, None]
    first.log.save()
    steps.close()
    scores, score = [], Subject.score
    monkeypatch.setattr(Subject, "score", lambda self, batches: scores.append(1) or score(self, batches))
    again = ProbeSession(bench, requests, 2, ProbeLog.open(tmp_path / "log.json"))
    (found,) = [each for each in again.conclude(SEED, weights_of(bench), 2) if each is not None]
    assert len(scores) == 15
    assert found.values == expected.values


def test_rows_of_other_weights_are_not_gone_on_with(tmp_path):
    bench, requests, weights = bench_of(), complete_probes([SMALL]), weights_of(bench_of())
    first = ProbeSession(bench, requests, 2, ProbeLog.open(tmp_path / "log.json"))
    steps = first.conclude(SEED, {name: each + 0.01 for name, each in weights.items()}, 2)
    assert [next(steps), next(steps)] == [None, None]
    first.log.save()
    steps.close()
    again = ProbeSession(bench, requests, 2, ProbeLog.open(tmp_path / "log.json"))
    whole = ProbeSession(bench, requests, 2, ProbeLog(None))
    found, expected = ([each for each in one.conclude(SEED, weights, 2) if each] for one in (again, whole))
    assert found[0].values == expected[0].values
