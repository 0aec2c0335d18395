"""The space of a search: lists, ranges, conditions and wirings, there and back."""

import pytest

from orchestrator.scheduling.progress import Progress
from orchestrator.storage import PlanOutcome
from orchestrator.study_file.search.axes import INACTIVE
from orchestrator.study_file.search.space import CONFIRM, SEARCH
from orchestrator.terminal.tables import _beginning
from search_spaces.errors import SettingError
from tests.orchestrator.search.conftest import plan_of

BOTTLENECK = {
    "block": ["basic", "bottleneck"],
    "width": {"low": 2, "high": 4, "when": {"block": "basic"}},
    "depth": {"levels": [11, 20], "when": {"block": "bottleneck"}},
}


def test_a_list_has_the_levels_of_a_factorial_design():
    space = plan_of().space
    arm = space.arm({"shortcut": "none", "width": 3, "training.lr": 0.123456}, SEARCH)
    assert arm.levels == {"stage": "search", "shortcut": "none", "width": 3, "training.lr": 0.1235}
    assert arm.settings["network"]["shortcut"] == {"op": "none"}


def test_a_searched_arm_holds_images_out_and_its_confirmation_does_not():
    space = plan_of().space
    point = {"shortcut": "none", "width": 3, "training.lr": 0.1}
    assert space.arm(point, SEARCH).settings["data"]["validation"] == 0.2
    assert space.arm(point, CONFIRM).settings["data"]["validation"] == 0.0


def test_a_condition_leaves_the_factor_out_where_it_does_not_hold():
    space = plan_of(factors=BOTTLENECK).space
    assert space.levels({"block": "bottleneck", "depth": "11"})["width"].name == INACTIVE
    assert space.levels({"block": "basic", "width": 3})["depth"].name == INACTIVE


def test_every_point_of_a_conditional_space_is_listed_once():
    points = plan_of(factors=BOTTLENECK).space.points(100)
    assert len(points) == 3 + 2


def test_a_space_without_end_lists_nothing():
    assert plan_of().space.points(100) is None


def test_wirings_are_chosen_place_by_place():
    space = plan_of(factors={"activation": {"wirings": {}}}).space
    assert len(space.distributions()) == 4
    point = space.point({"activation": "full_preact"})
    assert set(point.values()) == {"bn relu", "nothing"}
    assert space.levels(point)["activation"].name == "full_preact"


def test_every_wiring_of_the_grammar_is_a_point():
    assert len(plan_of(factors={"activation": {"wirings": {}}}).space.points(10_000)) == 609
    both = {"activation": {"wirings": {"merges": ["add", "concat"]}}}
    assert len(plan_of(factors=both).space.points(10_000)) == 1218


def test_drawn_wirings_have_the_baseline_among_them():
    axis = plan_of(
        factors={"activation": {"wirings": {"count": 5}}}, baseline={"activation": "full_preact"}
    ).space.axes[0]
    assert len(axis.known_levels()) == 6
    assert axis.known_levels()[0] == "full_preact"


def test_a_wiring_without_relu_is_no_arm():
    space = plan_of(factors={"activation": {"wirings": {}}}).space
    with pytest.raises(SettingError, match="relu"):
        space.arm(dict.fromkeys(space.distributions(), "nothing"), SEARCH)


def test_the_baseline_has_the_networks_own_settings():
    assert plan_of().baseline == {"shortcut": "identity", "width": 2, "training.lr": 0.1}


@pytest.mark.parametrize("design", ["search", {"name": "search"}])
def test_a_run_calls_a_search_a_search_however_its_design_is_written(design):
    plan = plan_of(design=design)
    text = _beginning(Progress(), plan, PlanOutcome((), (), (), (), (), ()))
    assert text == f"hunt: a search; {len(plan.trials)} trials planned beforehand, 0 with a result"
