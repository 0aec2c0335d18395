"""Deleting and swapping units agree with networks that are taken apart by hand."""

import copy
from itertools import combinations
from statistics import fmean, median

import pytest
import torch
from torch import nn

from tests.trainers.probes.conftest import bench_of
from trainers.probes import Workload, complete_probes
from trainers.probes.subject import Subject


class ShortcutAlone(nn.Module):
    def __init__(self, unit):
        super().__init__()
        self.unit = unit

    def forward(self, x):
        shortcut = x if self.unit.merge.resize is None else self.unit.merge.resize(x)
        return shortcut if self.unit.after is None else self.unit.after(shortcut.clone())


def error_of(network, subject):
    with torch.no_grad():
        wrong = sum(int((network(images).argmax(1) != labels).sum()) for images, labels in subject.test_images())
    return 100 * wrong / subject.info.test_size


def place(network, index, module, each=1):
    network.stages[index // each][index % each] = module


def rows_of(values, **at):
    return [row for row in values["rows"] if all(row["at"][name] == value for name, value in at.items())]


def test_deleting_residual_units_leaves_their_shortcuts(measured):
    values, subject = measured("lesion", bench_of(("depth", 14)))
    whole = error_of(subject.network, subject)
    for row in rows_of(values, mode="delete"):
        network = copy.deepcopy(subject.network)
        for index in row["at"]["deleted"]:
            place(network, index, ShortcutAlone(network.stages[index // 2][index % 2]), 2)
        assert row["numbers"]["test_error"] == pytest.approx(error_of(network, subject))
        assert row["numbers"]["increase"] == pytest.approx(error_of(network, subject) - whole)
    single = rows_of(values, order="single")
    assert [row["at"]["deleted"] for row in single] == [[index] for index in range(6)]
    increases = [row["numbers"]["increase"] for row in single]
    assert values["scalars"]["one_unit"] == pytest.approx(median(increases))
    assert values["scalars"]["one_unit_mean"] == pytest.approx(fmean(increases))


def test_a_plain_unit_passes_its_input_on_where_shapes_allow(measured):
    values, subject = measured("lesion", bench_of(("depth", 14), ("shortcut", "none")))
    single = rows_of(values, order="single")
    assert [row["numbers"]["test_error"] is None for row in single] == [False, False, True, False, True, False]
    for row in single:
        if row["numbers"]["test_error"] is not None:
            network = copy.deepcopy(subject.network)
            place(network, row["at"]["unit"], nn.Identity(), 2)
            assert row["numbers"]["test_error"] == pytest.approx(error_of(network, subject))


def test_swapped_units_stand_in_each_others_place(measured):
    values, subject = measured("lesion", bench_of(("depth", 20)))
    swaps = rows_of(values, mode="swap")
    assert {row["at"]["count"] for row in swaps} == {1, 2, 3}
    for row in swaps:
        network, order = copy.deepcopy(subject.network), list(range(9))
        for one, other in zip(row["at"]["deleted"][::2], row["at"]["deleted"][1::2], strict=True):
            first, second = network.stages[one // 3][one % 3], network.stages[other // 3][other % 3]
            place(network, one, second, 3)
            place(network, other, first, 3)
            order[one], order[other] = order[other], order[one]
        assert row["numbers"]["test_error"] == pytest.approx(error_of(network, subject))
        inversions = sum(a > b for a, b in combinations(order, 2))
        assert row["numbers"]["rank_correlation"] == pytest.approx(1 - 2 * inversions / 36)


def test_every_number_of_units(measured):
    bench = bench_of(("depth", 20))
    values, _ = measured({"name": "lesion", "counts": "every", "draws": 2}, bench)
    chosen = [row["at"]["count"] for row in rows_of(values, mode="delete", order="random")]
    assert chosen == [count for count in range(1, 10) for _ in range(2)]
    assert [row["at"]["count"] for row in rows_of(values, mode="swap")] == [1, 1, 2, 2, 3, 3]  # pairs of equal shapes
    doubling, _ = measured({"name": "lesion", "draws": 2}, bench)
    assert [row for row in doubling["rows"] if row in values["rows"]] == doubling["rows"]


def test_a_lesion_that_is_cut_short_goes_on_behind_the_last_number_of_units(measured):
    bench, settings = bench_of(("depth", 14)), {"name": "lesion", "counts": "every", "draws": 1}
    whole, subject = measured(settings, bench)
    (request,) = complete_probes([settings])
    chunks = list(request.probe.measure(subject, ()))
    assert [len(chunk) for chunk in chunks[1:7]] == [1] * 6
    for cut in range(len(chunks)):
        done = [row for chunk in chunks[:cut] for row in chunk]
        assert list(request.probe.measure(subject, done)) == chunks[cut:]
    assert sum(len(chunk) for chunk in chunks) == len(whole["rows"])


@pytest.mark.parametrize("counts", ["doubling", "every"])
def test_the_plan_counts_the_passes(counts, measured, monkeypatch):
    settings = {"name": "lesion", "counts": counts, "tolerance": 100.0}
    passes = []
    score = Subject.score
    monkeypatch.setattr(Subject, "score", lambda *given: passes.append(1) or score(*given))
    measured(settings, bench_of(("depth", 20), ("width", 1)))
    (request,) = complete_probes([settings])
    assert request.probe.forward_passes(Workload(9, 1437, 360, 2)) == pytest.approx(360 * len(passes), rel=0.1)


def test_the_effective_depth_follows_the_tolerance(measured):
    bench = bench_of(("depth", 14))
    strict, _ = measured({"name": "lesion", "tolerance": 0.0}, bench)
    lax, _ = measured({"name": "lesion", "tolerance": 100.0}, bench)
    assert lax["scalars"]["effective_depth"] == 0
    assert lax["scalars"]["removable_share"] == 100
    assert strict["scalars"]["effective_depth"] > 0
    ordered = [row["numbers"]["increase"] for row in rows_of(strict, order="ordered")]
    gone = next(at for at, increase in enumerate(ordered) if increase > 0)
    assert strict["scalars"]["effective_depth"] == 6 - gone


def test_measuring_again_finds_the_same(measured):
    (values, _), (again, _) = (measured("lesion", bench_of(("depth", 14))) for _ in range(2))
    assert values == again


@pytest.mark.parametrize(
    ("network", "units"),
    [
        ((("family", "highway"), ("depth", 8), ("width", 4)), 4),
        ((("family", "densenet"), ("depth", 7), ("growth", 4)), 3),
        ((("family", "vgg"), ("depth", 11), ("width", 2), ("hidden", 0)), 8),
    ],
)
def test_other_families_have_units(network, units, measured):
    values, _ = measured({"name": "lesion", "swaps": False}, bench_of(*network))
    assert len(rows_of(values, order="single")) == units


def test_a_network_without_units_says_so(measured):
    values, _ = measured("lesion", bench_of(("family", "tests.trainers.probes.flat:build")))
    assert values["failed"].startswith("lesion needs units")
    assert values["rows"] == []
