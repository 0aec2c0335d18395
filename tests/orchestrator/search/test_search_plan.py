"""What the plan of a search says before it runs."""

import pytest

from orchestrator.planning.plan import make_plan
from orchestrator.study_file.config import read_study


@pytest.mark.parametrize(
    ("sampler", "arms", "is_told"),
    [("tpe", 1_000, False), ("tpe", 1_001, True), ("random", 1_001, False)],
)
def test_the_growing_cost_of_proposing_many_arms_is_told(sampler: str, arms: int, is_told: bool) -> None:
    file = {
        "study": "many",
        "data": {"name": "synthetic", "train_size": 64, "test_size": 8},
        "network": {"depth": 8, "width": 2},
        "factors": {"training.lr": {"low": 0.01, "high": 0.5, "log": True}},
        "design": "search",
        "search": {"arms": arms, "sampler": sampler},
        "training": {"epochs": 1, "batch_size": 8},
    }
    notes = make_plan(read_study(file)).notes_before_run
    assert any("tpe looks at all earlier arms" in note for note in notes) == is_told
