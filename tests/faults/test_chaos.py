"""A few random disturbances on two nodes change no number; `tests/faults/chaos.py` does many by hand."""

from pathlib import Path

import pytest

from tests.faults.chaos import disturb


@pytest.mark.fault
@pytest.mark.cluster
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.xdist_group("nodes")
def test_a_study_that_is_disturbed_at_random_gives_the_numbers_of_an_undisturbed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ORCHESTRATE_DB", raising=False)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    done = disturb(tmp_path, seed=20, disturbances=5, patience=500, count=2, pace=0.4)
    assert sum(done.values()) == 5
