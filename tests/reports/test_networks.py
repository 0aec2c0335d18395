"""The section of networks: distinct units named by what their arms share, stages of distinct networks, and limits."""

from dataclasses import replace

from reports.figures.theme import MOST_PANELS
from reports.findings import find
from reports.sections import networks
from reports.sections.networks import MOST_NETWORKS, Described, units_figure
from tests.reports import studies


def arm(name, unit, **levels):
    return Described(name, levels, {"words": ["A network."], "stages": [], "unit": unit})


def unit(*branch, note=""):
    return {"branch": list(branch), "before": [], "shortcut": None, "merge": "add", "after": [], "note": note}


def titles(arms):
    return [panel.title for panel in units_figure(arms).panels]


def built(study):
    return networks.build(find(study))


def test_units_are_drawn_once_and_named_by_the_levels_that_their_arms_share():
    arms = [
        arm(f"{depth} {kind}", unit(kind), depth=depth, variant=kind)
        for depth in (20, 56)
        for kind in ("plain", "preact")
    ]
    assert titles(arms) == ["plain", "preact"]
    assert "share" not in units_figure(arms).caption


def test_levels_that_draw_the_same_are_named_together():
    arms = [arm(f"bias {bias}", unit("a", note=f"gate (bias {bias})"), bias=bias) for bias in (0, -6, -7)]
    arms.append(arm("other", unit("b"), bias=1))
    assert titles(arms) == ["bias 0, -6 and -7", "bias 1"]


def test_many_levels_that_draw_the_same_are_counted():
    arms = [arm(f"{at}", unit("a"), shortcut=f"exclusive_gate({-at})") for at in range(4)]
    arms.append(arm("other", unit("b"), shortcut="none"))
    assert titles(arms) == ["exclusive_gate(0) and 3 more", "none"]
    assert units_figure(arms).caption.endswith("Arms that share a drawing: 0, 1, 2 and 3.")


def test_one_unit_for_all_is_called_so():
    assert titles([arm("a", unit("a"), depth=20), arm("b", unit("a"), depth=56)]) == ["every arm"]


def test_groups_that_share_a_title_are_named_by_their_arms():
    arms = [arm("a", unit("a"), x=1, y=1), arm("b", unit("a"), x=2, y=2), arm("c", unit("b"), x=2, y=1)]
    arms.append(arm("d", unit("b"), x=1, y=2))
    assert titles(arms) == ["a and b", "c and d"]


def test_more_units_than_fit_are_in_the_table():
    arms = [arm(f"arm {at}", unit(f"layer {at}"), at=at) for at in range(MOST_PANELS + 3)]
    figure = units_figure(arms)
    assert len(figure.panels) == MOST_PANELS
    assert len(figure.table.rows) == MOST_PANELS + 3
    assert "3 more units" in figure.caption


def test_without_a_known_unit_there_is_no_figure():
    assert units_figure([arm("a", None, x=1)]) is None


def test_the_baseline_comes_first_in_words():
    content = built(studies.degradation()).content
    assert content.first.arms == "depth 20, original"
    assert len(content.others) == 8


def test_networks_that_agree_in_every_stage_share_a_row_with_a_column_a_stage_and_what_they_cost():
    study = studies.degradation()
    table = built(study).content.stages
    arm = next(arm for arm in study.arms if arm.name == "depth=20 variant=original")
    assert [row[0] for row in table.rows] == ["depth 20", "depth 56", "depth 110"]
    assert [column.label for column in table.columns[1:-2]] == ["stem", "stage1", "stage2", "stage3", "classifier"]
    assert table.shown()[0][-2:] == [f"{arm.params:,}", f"{arm.flops:,}"]
    assert table.rows[0][1] == "8×8×8"
    assert table.rows[2][2] == "8×8×8, 18 units"


def test_a_stage_stands_where_the_networks_that_have_it_have_it():
    study = studies.degradation()
    first, *others = study.arms
    stages = first.description["stages"]
    longer = {**first.description, "stages": [*stages[:-1], {**stages[-2], "name": "tail"}, stages[-1]]}
    arms = (first, *(replace(each, description=longer) for each in others))
    labels = [column.label for column in built(replace(study, arms=arms)).content.stages.columns]
    assert labels[-4:-2] == ["tail", "classifier"]


def test_a_network_is_named_whole_where_there_is_room():
    description = studies.degradation().arms[0].description
    levels = ("original", "bn_after_add", "relu_before_add", "full_preact")
    arms = [Described(each, {"activation": each}, description) for each in levels]
    other = {**description, "words": ["another"]}
    groups = [arms[:3], [replace(arms[3], description=other)]]
    assert networks.names_of_networks(groups, arms)[0] == "original, bn_after_add and relu_before_add"


def test_networks_beyond_the_limit_are_counted_and_stay_in_the_table():
    study = studies.large(arms=400, seeds=1)
    section = built(study)
    assert len(section.content.others) == MOST_NETWORKS - 1
    assert section.content.left_out == f"{100 - MOST_NETWORKS} more networks in the table of all arms."
    assert len({row[0] for row in section.tables[0].rows}) == 400


def test_arms_of_one_network_are_shown_once():
    study = studies.degradation()
    same = tuple(replace(each, description=study.arms[0].description) for each in study.arms)
    content = built(replace(study, arms=same)).content
    assert content.others == ()
    assert content.first.arms == "every arm"


def test_a_study_planned_before_descriptions_were_kept_has_no_such_section():
    study = studies.degradation()
    assert built(replace(study, arms=tuple(replace(each, description={}) for each in study.arms))) is None


def test_units_that_are_not_drawn_are_where_paper_leads_to_as_well():
    arms = [
        networks.Described(f"arm {at}", {"at": at}, {"words": [], "stages": [], "unit": unit(f"layer {at}")})
        for at in range(20)
    ]
    assert networks.units_figure(arms).caption.endswith("8 more units told in words in tables/units.csv.")
