"""Two drivers of two studies with the same trials: none is trained twice, and the death of one holds up nobody."""

import sqlite3
from pathlib import Path

import pytest

from tests.faults.held import hold, let_go
from tests.faults.test_killed import start, wait_for_an_epoch

pytestmark = [pytest.mark.fault, pytest.mark.slow]


def attempts_by_trial() -> list[list[str]]:
    """Return how each attempt ended, trial by trial."""
    endings: dict[str, list[str]] = {}
    with sqlite3.connect("results.db") as db:
        for trial, ending in db.execute("SELECT trial, ending FROM attempts ORDER BY trial, number"):
            endings.setdefault(trial, []).append(ending)
    return sorted(endings.values())


@pytest.mark.timeout(120)
def test_each_trial_is_trained_once_and_that_of_a_killed_driver_by_the_other(small: Path) -> None:
    hold(small, seeds_per_pack=1)
    other = small.with_name("other.yaml")
    other.write_text(small.read_text().replace("study: small", "study: other"))
    first = start(small, "--executor", "inline")
    wait_for_an_epoch(first)
    second = start(other, "--executor", "inline")
    wait_for_an_epoch(second, trials=2)
    first.kill()
    let_go(small)
    output, errors = second.communicate(timeout=90)
    assert second.returncode == 0, errors
    assert "4 complete" in output
    first.communicate(timeout=30)
    assert attempts_by_trial() == [["COMPLETE"], ["COMPLETE"], ["COMPLETE"], ["lost", "COMPLETE"]]
