"""What published rows say of the spread of seeds, before a study has results of its own."""

from dataclasses import replace

import pytest

from orchestrator.planning import expected_verdicts
from reports.literature import published_rows
from reports.results import Study

SETTINGS = {"data": {"name": "cifar10"}, "network": {"family": "resnet_cifar", "block": "basic"}}
CIFAR = Study("a", "", "", SETTINGS, {}, {}, None, (), ())


def row(sd: float, verified: bool = True):
    some = next(iter(published_rows().values()))
    return replace(some, data="cifar10", sd=sd, verified=verified, network={}, where="Table 1")


def test_a_row_that_nobody_checked_against_its_paper_says_nothing_of_the_spread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(expected_verdicts, "published_rows", lambda: {"a": row(0.3), "b": row(9.0, verified=False)})
    found = expected_verdicts._published_spread(CIFAR)
    assert (found.sd, found.source) == (pytest.approx(0.3), "1 published row on cifar10 (Table 1)")


def test_several_rows_give_their_root_mean_square(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expected_verdicts, "published_rows", lambda: {"a": row(3.0), "b": row(4.0)})
    assert expected_verdicts._published_spread(CIFAR).sd == pytest.approx((25 / 2) ** 0.5)
