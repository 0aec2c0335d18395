"""The layout: names of levels, and whether arms are compared level by level."""

import pytest

from reports.layout import lay_out, name_levels
from tests.reports.small import near, study


@pytest.mark.parametrize(
    ("levels", "name"),
    [
        ([("variant", "good")], "good"),
        ([("depth", 8)], "depth 8"),
        ([("training.augment.flip", True)], "training.augment.flip true"),
        ([("variant", "a"), ("training.lr", 0.1)], "variant a, training.lr 0.1"),
        ([("variant", "a"), ("rate", None)], "variant a, rate –"),
        ([], ""),
    ],
)
def test_a_word_names_itself_and_a_number_needs_its_factor(levels, name):
    assert name_levels(levels) == name


GRID = {(depth, name): near(3) for depth in (8, 14) for name in ("a", "b")}


@pytest.mark.parametrize(
    ("arms", "runs"),
    [
        (GRID, True),
        ({(8, "a"): near(3), (14, "b"): near(3)}, False),
        ({(8, "a"): near(3), (14, "a"): near(3)}, False),
        ({(8, "a"): near(3), (14, "a"): near(3), (8, "b"): near(3), (8, "c"): near(3)}, False),
    ],
    ids=["a grid", "an arm a level", "one line", "one line of three"],
)
def test_arms_are_compared_level_by_level_where_most_of_several_lines_hold_several(arms, runs):
    assert lay_out(study(("depth", "variant"), arms), "depth").runs_along_axis() is runs


def test_the_arms_at_a_level_come_in_the_order_of_their_lines():
    layout = lay_out(study(("depth", "variant"), GRID), "depth")
    assert [arm.levels["variant"] for arm in layout.arms_at(14)] == ["a", "b"]
