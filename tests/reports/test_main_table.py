"""The main table: what is bold, what its caption claims, and the n beside every number, here and in its files."""

import csv
import re
from dataclasses import replace

import pytest

from reports.findings import find
from reports.page import write_report
from reports.sections import main_table, table
from reports.sections.table import build
from reports.sentences.table import fail_rule
from tests.reports import small
from tests.reports.small import CRASHED, found, near, study


def test_a_difference_without_an_interval_says_why():
    errors = {("a",): (3.0, 4.0, 5.0), ("b",): (2.0, 3.0, 4.0), ("c",): (9.0, 7.0, 8.0)}
    lines = build(found(("variant",), errors, baseline={"variant": "a"})).content.lines
    remarks = [line.entries[0].difference_remark for line in lines]
    assert remarks[1] == "the same in every seed"
    assert remarks[2].startswith("[")


UP = (0.0, 0.1, 0.2)
DOWN = (0.2, 0.0, 0.1)


def around(error, noise=UP):
    return tuple(error + each for each in noise)


def bold(findings):
    return [[entry is not None and entry.is_best for entry in line.entries] for line in build(findings).content.lines]


def caption(findings):
    return build(findings).content.caption


def test_the_lowest_mean_alone_is_bold():
    errors = {("good",): (5.0, 5.2, 5.1), ("alike",): (5.1, 5.0, 5.3), ("worse",): (6.0, 6.1, 6.3)}
    findings = found(("variant",), errors)
    assert bold(findings) == [[True], [False], [False]]
    assert "1 of the other 2 arms cannot be told apart from the lowest" in caption(findings)


def test_an_arm_with_the_very_same_mean_is_bold_too():
    errors = {("good",): near(5), ("same",): near(5), ("worse",): near(5.3)}
    assert bold(found(("variant",), errors)) == [[True], [True], [False]]


def test_an_arm_shown_to_be_equivalent_is_marked_and_the_caption_names_the_margin():
    errors = {("good",): (5.0, 5.2, 5.1, 5.3), ("alike",): (5.02, 5.21, 5.13, 5.32), ("open",): (5.4, 4.9, 6.0, 5.2)}
    findings = found(("variant",), errors)
    marks = [line.entries[0].is_equivalent for line in build(findings).content.lines]
    assert marks == [False, True, False]
    assert "≈: shown to lie within 0.5 points of the lowest" in caption(findings)


def test_the_margin_of_equivalence_is_a_setting_of_the_analysis():
    errors = {("good",): (5.0, 5.2, 5.1, 5.3), ("alike",): (5.02, 5.21, 5.13, 5.32), ("open",): (5.4, 4.9, 6.0, 5.2)}
    marks = {}
    for within in (0.01, 0.25, 5.0):
        findings = found(("variant",), errors, settings={"analysis": {"equivalent_within": within}})
        marks[within] = [line.entries[0].is_equivalent for line in build(findings).content.lines]
    assert marks == {0.01: [False] * 3, 0.25: [False, True, False], 5.0: [False, True, True]}
    assert "within 5 points of the lowest" in caption(findings)


def test_of_two_named_factors_every_column_has_its_own_best():
    errors = {
        (name, optim): around(error + add, noise)
        for optim, add in (("small", 0), ("large", 3))
        for name, error, noise in (("good", 5, UP), ("bad", 9, UP), ("alike", 5.01, DOWN))
    }
    findings = found(("variant", "optim"), errors, baseline={"variant": "good"})
    assert build(findings).content.axis == "optim"
    assert bold(findings) == [[True, True], [False, False], [False, False]]
    assert "Bold: the lowest mean of its column." in caption(findings)


def test_with_more_depths_than_columns_the_best_is_that_of_its_depth_and_the_caption_says_so():
    errors = {
        (depth, name): around(error + depth / 10, noise)
        for depth in range(8, 63, 6)
        for name, error, noise in (("good", 5, UP), ("bad", 9, UP), ("alike", 5.01, DOWN))
    }
    findings = found(("depth", "variant"), errors)
    assert build(findings).content.axis is None
    assert bold(findings) == [[True], [False], [False]] * 10
    assert "Bold: the lowest mean at its depth." in caption(findings)


def test_where_each_level_has_one_arm_the_whole_column_is_compared():
    errors = {("a", 0.01): near(3), ("b", 0.05): near(4), ("c", 0.1): near(5)}
    findings = found(("variant", "training.lr"), errors)
    assert bold(findings) == [[True], [False], [False]]


def test_of_one_numeric_factor_the_whole_column_is_compared():
    findings = found(("depth",), {(8,): near(5), (14,): near(4), (20,): near(4.5)})
    assert bold(findings) == [[False], [True], [False]]


def test_an_arm_with_fails_is_shown_by_its_rate_and_its_survivors_in_small_print():
    errors = {("good",): (3.0, 3.2, 3.1), ("alike",): (2.3, 2.7, None)}
    line = build(found(("variant",), errors, baseline={"variant": "good"})).content.lines[1]
    assert line.entries[0].text == "fail (1/3)"
    assert line.entries[0].remarks == ("1 to 91 %", "other 2: 2.50 ± 0.28")
    assert line.entries[0].difference == "1/3 vs 0/3"
    assert line.entries[0].difference_remark == "Fisher p=1.0000"


@pytest.mark.parametrize("errors", [{("a",): near(3)}, {("a",): (3.0,), ("b",): (4.0,)}])
def test_nothing_is_bold_where_nothing_can_be_compared_and_the_caption_is_silent(errors):
    findings = found(("variant",), errors)
    assert not any(map(any, bold(findings)))
    assert "Bold" not in caption(findings)


def test_arms_with_a_fail_or_one_seed_are_never_bold_and_the_caption_says_so():
    errors = {("a",): (5.0, 5.2, 5.1), ("d",): near(9), ("b",): (4.0, 4.1, None), ("c",): (3.0, CRASHED, CRASHED)}
    findings = found(("variant",), errors)
    assert bold(findings) == [[True], [False], [False], [False]]
    assert "Bold: the lowest mean of its column of those with several seeds and no fail." in caption(findings)


MISSING = {("good",): (5.0, 5.2, 5.1), ("bad",): (6.0, CRASHED, 6.2), ("alike",): (CRASHED, 4.8, CRASHED)}


def test_one_seed_is_claimed_only_where_every_arm_has_one():
    findings = found(("variant",), MISSING, baseline={"variant": "good"})
    for text in (caption(findings), build(findings).files["tables/main.md"].replace("\\", "")):
        assert "(n=3 unless stated)" in text
        assert "hence no spread" not in text
    assert "hence no spread" in caption(found(("variant",), {("a",): (5.0,), ("b",): (6.0,)}))


def test_most_arms_with_one_seed_do_not_take_the_spread_from_the_others():
    errors = {("a",): (5.0, 5.2, 5.1), ("b",): (6.0, CRASHED, CRASHED), ("c",): (7.0, CRASHED, CRASHED)}
    assert "± is 1 SD over the seeds (n=3 unless stated)" in caption(found(("variant",), errors))


def test_every_file_of_the_main_table_states_an_n_that_is_not_the_usual_one(tmp_path):
    page = write_report(study(("variant",), MISSING, baseline={"variant": "good"}), tmp_path).read_text()
    files = {kind: (tmp_path / f"tables/main.{kind}").read_text() for kind in ("md", "tex", "csv")}
    assert r"| bad | 6.10 ± 0.14 \(n=2\) |" in files["md"]
    assert r"bad & 6.10 & 0.14 (n=2)" in files["tex"]
    for text in (files["md"], files["tex"]):
        assert len(re.findall(r"\(n=1", text)) == 1
        assert "n=3" not in text.split("5.10")[1]
    assert "<small>n=2</small><small>1 missing</small>" in page
    rows = {row["variant"]: row for row in csv.DictReader(files["csv"].splitlines())}
    assert (float(rows["bad"]["mean"]), rows["bad"]["n"]) == (pytest.approx(6.1), "2")
    assert float(rows["bad"]["difference"]) == pytest.approx(1.05)


def test_the_csv_of_the_main_table_gives_no_mean_to_an_arm_with_fails(tmp_path):
    errors = {("good",): (5.0, 5.2, 5.1), ("bad",): (2.0, None, 2.2)}
    write_report(study(("variant",), errors, baseline={"variant": "good"}), tmp_path)
    rows = list(csv.DictReader((tmp_path / "tables/main.csv").read_text().splitlines()))
    assert (rows[1]["mean"], rows[1]["n"], rows[1]["fails"], rows[1]["difference"]) == ("", "3", "1", "")


def test_arms_that_fail_do_not_set_the_usual_n():
    errors = {
        ("a", 8): (3.0, 3.2, 3.1, 3.3, 3.4),
        ("a", 14): (4.0, CRASHED, 4.1, 4.2, 4.3),
        ("b", 8): (None, None, None, None, CRASHED),
        ("b", 14): (None, None, None, None, CRASHED),
    }
    section = build(found(("variant", "depth"), errors))
    assert "(n=5 unless stated)" in section.content.caption
    shown = [[(entry.text, entry.n) for entry in line.entries] for line in section.content.lines]
    assert shown == [[("3.20 ± 0.16", ""), ("4.15 ± 0.13", "n=4")], [("fail (4/4)", ""), ("fail (4/4)", "")]]


def test_a_difference_over_fewer_seeds_than_usual_states_them():
    errors = {("a",): (5.0, 5.2, 5.1), ("b",): (6.0, CRASHED, 6.3), ("c",): (7.0, 7.3, 7.1)}
    lines = build(found(("variant",), errors, baseline={"variant": "a"})).content.lines
    assert [line.entries[0].difference_remark for line in lines] == ["", "[−0.17, +2.37], n=2", "[+1.89, +2.18]"]


def test_the_caption_explains_no_difference_that_is_not_shown():
    errors = {("a",): (None, None), ("b",): (None, None)}
    assert "Δ" not in caption(found(("variant",), errors, baseline={"variant": "a"}))
    assert "Δ is the difference" in caption(found(("variant",), MISSING, baseline={"variant": "good"}))


def test_the_row_of_a_single_arm_is_not_named_all_arms():
    assert build(found((), {(): near(3)})).content.lines[0].levels == (("the only arm", 1),)


def test_a_count_of_fails_beside_another_is_explained():
    found = small.found(("variant",), {("a",): near(3), ("b",): (None, 4.0, 4.1)}, baseline={"variant": "a"})
    (line,) = (each for each in main_table.main_table(found, found.layout).lines if each.entries[0].difference)
    assert line.entries[0].difference == "1/3 vs 0/3"
    assert "Δ then has its count against the baseline's, with Fisher's exact p" in fail_rule(found)
    assert "Fisher" not in fail_rule(small.found(("variant",), {("a",): near(3), ("b",): (None, 4.0, 4.1)}))


def sized():
    """Return arms at two depths whose networks differ in size, so that the main table has a column of each."""
    whole = small.study(
        ("depth", "variant"), {(d, v): near(3) for d in (8, 14) for v in "ab"}, baseline={"variant": "a"}
    )
    arms = [replace(arm, params=20_000 + 900 * at, flops=None) for at, arm in enumerate(whole.arms)]
    return replace(whole, arms=tuple(arms))


def test_a_size_that_differs_by_depth_may_stand_in_two_lines():
    found = find(sized())
    lines = main_table.main_table(found, found.layout).lines
    assert lines[0].cost == ("20.0\N{NO-BREAK SPACE}k to\N{NO-BREAK SPACE}21.8\N{NO-BREAK SPACE}k", "")


def test_only_the_last_heading_of_the_main_table_stands_at_its_edge(tmp_path):
    page = write_report(sized(), tmp_path / "sized").read_text()
    assert page.count('class="number inner">Δ</th>') == 1
    whole = small.study(
        ("depth", "variant"), {(d, v): near(3) for d in (8, 14) for v in "ab"}, baseline={"variant": "a"}
    )
    assert 'class="number inner"' not in write_report(whole, tmp_path / "plain").read_text()


def test_an_arm_whose_trials_all_crashed_awaits_no_result_and_is_compared_with_nothing():
    errors = {("base",): (None, None, None), ("crashing",): (small.CRASHED,) * 3}
    content = table.build(small.found(("variant",), errors, baseline={"variant": "base"})).content
    entry = content.lines[1].entries[0]
    assert (entry.text, entry.remarks, entry.difference) == ("no result", ("3 missing",), "")
