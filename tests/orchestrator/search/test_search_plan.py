"""What the plan of a search says before it runs."""

import pytest

from orchestrator.planning.plan import make_plan
from orchestrator.study_file.config import read_study

FILE = {
    "study": "many",
    "data": {"name": "synthetic", "train_size": 64, "test_size": 8},
    "network": {"depth": 8, "width": 2},
    "factors": {"training.lr": {"low": 0.01, "high": 0.5, "log": True}},
    "design": "search",
    "training": {"epochs": 1, "batch_size": 8},
}


@pytest.mark.parametrize(
    ("sampler", "arms", "is_told"),
    [("tpe", 1_000, False), ("tpe", 1_001, True), ("random", 1_001, False)],
)
def test_the_growing_cost_of_proposing_many_arms_is_told(sampler: str, arms: int, is_told: bool) -> None:
    notes = make_plan(read_study({**FILE, "search": {"arms": arms, "sampler": sampler}})).notes_before_run
    assert any("tpe looks at all earlier arms" in note for note in notes) == is_told


def test_what_parts_of_a_gpu_mean_is_told_of_a_search_too() -> None:
    file = {**FILE, "search": {"arms": 10}, "resources": {"gpus": 0.5}}
    assert any(
        note.startswith("gpus: 0.5: packs that share a GPU ") for note in make_plan(read_study(file)).notes_before_run
    )
