"""What an arm sets otherwise than its baseline."""

from dataclasses import replace

from reports.findings import find
from reports.sections import methods, trials
from reports.sections.arm_settings import arm_settings, differing
from reports.trials import Arm
from tests.reports import searches, studies


def test_every_setting_that_differs_is_named_by_its_path_with_both_values():
    base = Arm("base", {}, {"network": {"depth": 20, "shortcut": {"op": "identity"}}, "training": {"nesterov": True}})
    other = Arm(
        "other", {}, {"network": {"depth": 20, "shortcut": {"op": "scale", "by": 0.5}}, "training": {"nesterov": False}}
    )
    assert list(differing(base, other)) == [
        ("network.shortcut.op", "identity", "scale"),
        ("training.nesterov", "yes", "no"),
        ("network.shortcut.by", "not set", "0.5"),
    ]


def test_an_arm_is_held_against_the_baseline_of_its_own_context():
    rows = arm_settings(find(studies.degradation())).rows
    assert {row[0] for row in rows} == {
        f"depth={depth} variant={name}" for depth in (20, 56, 110) for name in ("plain", "preact")
    }
    assert {row[1:] for row in rows if "preact" in row[0]} == {("network.activation", "original", "full_preact")}


def test_the_page_calls_an_arm_of_a_search_by_its_number_and_the_file_by_its_settings():
    study = searches.searched()
    arms = tuple(replace(each, settings={"network": dict(each.levels)}) for each in study.arms)
    found = find(replace(study, arms=arms))
    section = methods.build(found)
    assert {row[0][0] for row in section.content.by_arm.rows} == {"#"}
    assert all(row[0].startswith("activation") for row in section.tables[0].rows)
    known = trials.build(found).embedded["trials"]["arms"]["words"]
    assert set(section.embedded["armSettings"]["arms"]) <= set(known)
