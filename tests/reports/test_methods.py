"""The methods in prose: what they say of seeds, fails and sizes must hold for the study at hand."""

from dataclasses import replace

import pytest

from reports.findings import find
from reports.page import environment
from reports.sections.methods import build
from reports.sentences import statistics
from reports.sentences.checklist import data_checksum
from reports.sentences.parts import split
from tests.reports import searches, small, studies
from tests.reports.small import found, near, study


def paragraph(findings, head):
    return dict(build(findings).content.paragraphs).get(head, "")


def test_who_trained_together_is_told_where_their_numbers_depend_on_it():
    whole = study(("variant",), {("a",): near(3), ("b",): near(4)})
    fused = {"fused": True, "pack_seeds": [0, 1, 2]}
    together = replace(whole, trials=tuple(replace(trial, telemetry=fused) for trial in whole.trials))
    told = paragraph(find(together), "Packs")
    assert "as one network: seeds 0–2 (6 trials)." in told
    assert "with `seeds: [0, 1, 2]` and `resources: {seeds_per_pack: 3}`" in told
    apart = replace(whole, trials=tuple(replace(trial, telemetry={**fused, "fused": False}) for trial in whole.trials))
    assert paragraph(find(apart), "Packs") == ""


def test_how_networks_computed_is_told_and_a_warning_where_they_did_not_compute_alike():
    whole = study(("variant",), {("a",): near(3), ("b",): near(4)})
    ways = ["fp32, convolutions in TF32, channels_last", "bf16, channels_last"]

    def of(count):
        trials = [replace(each, telemetry={"numerics": ways[at % count]}) for at, each in enumerate(whole.trials)]
        return paragraph(find(replace(whole, trials=tuple(trials))), "Numerics")

    assert of(1) == "Networks computed in fp32, convolutions in TF32, channels_last."
    assert of(2).startswith("Networks computed in fp32, convolutions in TF32, channels_last (3 trials); ")
    assert "bf16, channels_last (3 trials)" in of(2)
    assert "compare arms that computed in the same one" in of(2)
    assert paragraph(find(whole), "Numerics") == ""


ALL_FAIL = [(None, None, None), (80.0, 81.0, 82.0)]


@pytest.mark.parametrize("errors", ALL_FAIL, ids=["diverged", "above the limit"])
def test_arms_whose_seeds_all_failed_are_not_arms_with_one_seed(errors):
    findings = found(("variant",), {("a",): errors, ("b",): errors}, baseline={"variant": "a"})
    said = paragraph(findings, "Statistics")
    assert said.startswith("Every seed failed, so that tables give no mean, only the count of fails (n=3).")
    assert "exact sign test (1 comparison)" in said
    assert "one seed" not in said


@pytest.mark.parametrize("errors", [(3.0,), (None,)])
def test_one_seed_an_arm_has_no_statistics(errors):
    findings = found(("variant",), {("a",): errors, ("b",): (4.0,)})
    assert paragraph(findings, "Statistics").startswith(
        "With one seed an arm there is no spread, and no interval or test of a difference"
    )


def test_one_comparison_is_not_called_all():
    findings = found(("variant",), {("a",): near(3), ("b",): (4.0, 4.1, 4.3)}, baseline={"variant": "a"})
    assert "Holm" not in paragraph(findings, "Statistics")
    assert "Student's paired t (1 comparison); intervals are at 95 %." in paragraph(findings, "Statistics")


def test_sizes_are_compared_between_all_arms_where_no_level_has_several():
    plain = study(("variant", "training.lr"), {("a", 0.01): near(3), ("b", 0.1): near(4)})
    arms = (plain.arms[0], replace(plain.arms[1], params=2 * plain.arms[0].params))
    said = paragraph(find(replace(plain, arms=arms)), "Fairness")
    assert "Between arms the number of parameters differs by up to a factor of 2." in said


def test_sizes_of_a_grid_are_compared_level_by_level():
    errors = {(depth, name): near(3) for depth in (8, 14) for name in ("a", "b")}
    assert "At the same depth the number of parameters is the same." in paragraph(
        found(("depth", "variant"), errors), "Fairness"
    )


def test_a_search_is_not_said_to_tune_nothing():
    said = paragraph(find(searches.searched()), "Fairness")
    assert (
        "The search chose every arm but the baseline, by the validation error alone, on 20 % of the training images;"
        in said
    )


def test_a_design_counts_what_a_search_tried_and_the_combinations_that_a_grid_leaves_out():
    assert "in a search, which tried 40 arms; 4 were confirmed, each with 5 seeds" in paragraph(
        find(searches.searched()), "Design"
    )
    cells = {("a", 8): near(3), ("a", 14): near(3), ("b", 8): near(4)}
    holed = paragraph(found(("variant", "depth"), cells), "Design")
    assert "in 3 of the 4 combinations of a full factorial design, each with 3 seeds (0–2): 9 trials." in holed
    whole = paragraph(found(("variant", "depth"), {**cells, ("b", 14): near(4)}), "Design")
    assert "in a full factorial design of 4 arms, each" in whole


@pytest.mark.parametrize("design", ["random", {"name": "random", "arms": 2}])
def test_a_design_is_named_whether_or_not_it_has_options(design):
    whole = study(("variant",), {("a",): near(3), ("b",): near(4)})
    named = replace(whole, settings={**whole.settings, "design": design})
    assert "in a random sample of the grid of 2 arms" in paragraph(find(named), "Design")


def test_what_stands_between_backticks_is_code_and_stays_text():
    template = environment().from_string("{{ text | coded }}")
    assert template.render(text="set `a: <b>` & run") == "set <code>a: &lt;b&gt;</code> &amp; run"
    assert template.render(text="one ` alone <i>") == "one ` alone &lt;i&gt;"


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (
            {"training": 1150, "validation": 287, "test": 360},
            "Data: digits, 1,150 images for training, 287 held out of the training set and 360 for testing.",
        ),
        ({"training": 1437, "validation": 0, "test": 360}, "digits, 1,437 images for training and 360 for testing."),
        (None, "Data: digits, the sizes of its split not on record."),
    ],
)
def test_the_data_are_told_with_their_split_or_that_it_is_not_on_record(images, said):
    whole = studies.degradation()
    described = {"images": images} if images else {}
    data = {"data": {"name": "digits"}}
    arms = tuple(replace(arm, description=described, settings={**arm.settings, **data}) for arm in whole.arms)
    findings = find(replace(whole, arms=arms, settings={**whole.settings, "data": "digits"}))
    assert said in paragraph(findings, "Data and training")
    assert data_checksum(findings).startswith(said.removeprefix("Data: ").rstrip("."))


def test_a_split_that_differs_between_arms_is_said_to():
    whole = studies.degradation()
    first, *rest = (replace(arm, description={"images": {"training": 9, "test": 1}}) for arm in whole.arms)
    other = replace(first, description={"images": {"training": 8, "test": 2}})
    assert split(find(replace(whole, arms=(other, *rest)))) == "the sizes of its split differ by arm"


def test_intervals_are_spoken_of_only_where_a_difference_has_one():
    failed = small.found(("variant",), {("a",): (None,) * 3, ("b",): (None,) * 3}, baseline={"variant": "a"})
    assert statistics.tests(failed).endswith("judged with an exact sign test (1 comparison).")
    errors = {("a",): (3.0, 3.2, 3.1), ("b",): (4.0, 4.5, 4.2)}
    sound = small.found(("variant",), errors, baseline={"variant": "a"})
    assert statistics.tests(sound).endswith("; intervals are at 95 %.")
