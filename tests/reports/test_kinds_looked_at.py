"""What pictures of four kinds of studies showed: a search, sixty arms, 25 variants, and one where every trial fails."""

import re
from dataclasses import replace

import pytest

from reports.figures.front import FrontPoint, front_drawing
from reports.findings import find
from reports.layout import numeric_axis
from reports.page import write_report
from reports.sections import confirmation, cost, curves, depth, effects, factors, failures, networks, search, table
from reports.sentences import confirmation as sentences
from reports.sentences import empty, statistics
from reports.tables import Column, Table, to_csv, to_markdown
from reports.wording import listed
from tests.reports import searches, small, studies
from tests.reports.pairs.searches import confirmed

SETTINGS = {"sampler": {"name": "tpe"}, "validation": 0.2, "penalty": 100.0, "confirm": {"best": 3, "seeds": 5}}


def without_searched_baseline():
    """Return the search with a constraint that keeps its baseline out, as `orchestrate run` records it."""
    whole = searches.searched()
    first, *rest = whole.search["proposals"]["search"]
    rejected = {"status": "rejected", "state": None, "values": None, "reason": "not params <= 30k", "arm": None}
    proposals = {**whole.search["proposals"], "search": [{**first, **rejected}, *rest]}
    bounded = {**whole.search["settings"], "constraints": ["params <= 30k"]}
    record = {**whole.search, "proposals": proposals, "settings": bounded, "baseline": first["arm"]}
    return replace(whole, search=record)


# ---- numbers ----


def test_counts_are_in_groups_of_three_digits_where_people_read_them():
    made = Table(
        "t",
        "",
        (Column("arm", "arm"), Column("params", "parameters", is_number=True, is_count=True)),
        (("a", 48544), ("b", 999)),
    )
    assert [row[1] for row in made.shown()] == ["48,544", "999"]
    assert "48,544" in to_markdown(made)
    assert to_csv(made).splitlines()[1] == '"a",48544'


def test_tables_of_costs_group_their_digits():
    whole = small.study(("variant",), {("a",): small.near(2), ("b",): small.near(3)})
    sizes = tuple(replace(arm, params=5000 + at, flops=1_000_000) for at, arm in enumerate(whole.arms))
    shown = cost.build(find(replace(whole, arms=sizes))).tables[0].shown()
    assert [row[1:3] for row in shown] == [["5,000", "1,000,000"], ["5,001", "1,000,000"]]


def test_sums_of_squares_have_no_more_digits_than_say_something():
    errors = {(f"v{at:02}",): (2.0 + at, 2.5 + at, 2.2 + at) for at in range(25)} | {("x",): (None, None, None)}
    (anova,) = (
        each
        for each in factors.factors_of(small.found(("v",), errors, baseline={"v": "v00"})).tables
        if each.name == "anova"
    )
    digits = [row[1] for row in anova.shown()]
    assert all(re.fullmatch(r"[\d,]+", each) for each in digits)
    assert "," in digits[0]


def test_names_with_commas_are_listed_with_semicolons():
    assert listed(["a, b", "c, d", "e"]) == "a, b; c, d; and e"
    assert listed(["a, b", "c"]) == "a, b; and c"
    assert listed(["depth (8, 14)", "lr (1)"]) == "depth (8, 14) and lr (1)"
    assert listed(["a", "b", "c"]) == "a, b and c"


# ---- figures ----


def numbers_in(front):
    """Return what numbers the points of a front, which stand in order of their cost."""
    points = [FrontPoint(f"arm {at}", error, price, 1, True) for at, (price, error) in enumerate(front)]
    drawn = front_drawing(points, "seconds", "x")
    return [text for text in re.findall(r">([\d–, ]+)</text>", drawn.svg) if re.fullmatch(r"\d+(, \d+|–\d+)?", text)]


def test_numbers_of_a_front_that_would_cover_each_other_share_a_place():
    close = [(1.0, 20.0), (2.0, 5.0), (2.04, 4.9), (2.08, 4.8), (6.0, 2.0)]
    assert {"1", "2–4", "5"} <= set(numbers_in(close))
    apart = [(1.0, 20.0), (2.0, 10.0), (4.0, 5.0)]
    assert {"1", "2", "3"} <= set(numbers_in(apart))


def test_a_line_that_every_panel_draws_is_told_once():
    figures = {figure.name: figure for figure in curves.build(find(studies.many_arms())).figures}
    shown = figures["curves"].table
    lines = [(row[1], row[2]) for row in shown.rows]
    assert len(lines) == len(set(lines))
    assert "A line that several panels draw stands in the first of them." in shown.caption


def test_no_mean_is_spoken_of_where_every_seed_failed():
    above = {("a",): (80.0, 81.0), ("b",): (82.0, 83.0)}
    (figure,) = curves.build(small.found(("variant",), above)).figures
    assert figure.caption.startswith(
        "Error by epoch: test solid, training dashed. Failed seeds are drawn thin, one by one."
    )


def test_contexts_stand_in_the_order_of_the_study_also_where_the_first_of_one_is_not_drawn():
    names = [f"v{at:02}" for at in range(25)]
    errors = {(depth, name): (2.0 + at, 2.1 + 1.1 * at, 2.3 + at) for at, name in enumerate(names) for depth in (8, 14)}
    errors[8, "v01"] = errors[8, "v00"]
    section = effects.build(small.found(("depth", "variant"), errors, baseline={"variant": "v00"}))
    heads = re.findall(r">depth (\d+)<", section.figures[0].panels[0].drawing.svg)
    assert heads == ["8", "14"]


def test_fails_are_among_the_largest_differences():
    errors = {(f"v{at:02}",): (2.0 + at, 2.1 + 1.1 * at, 2.3 + at) for at in range(43)} | {("bad",): (None, None, None)}
    section = effects.build(small.found(("variant",), errors, baseline={"variant": "v00"}, fail_above=None))
    assert "fail 3/3 against 0/3" in section.figures[0].panels[0].drawing.svg
    assert "the 40 largest of 43 differences, fail rates that differ first;" in section.figures[0].caption


# ---- every trial fails, or crashes ----


def test_an_arm_whose_trials_all_crashed_awaits_no_result_and_is_compared_with_nothing():
    errors = {("base",): (None, None, None), ("crashing",): (small.CRASHED,) * 3}
    content = table.build(small.found(("variant",), errors, baseline={"variant": "base"})).content
    entry = content.lines[1].entries[0]
    assert (entry.text, entry.remarks, entry.difference) == ("no result", ("3 missing",), "")


def test_trials_that_crashed_alike_show_one_log():
    whole = small.study(("variant",), {("a",): (small.CRASHED,) * 3, ("b",): (small.CRASHED,)})
    trials = tuple(
        replace(each, log="RuntimeError: one" if "=a" in each.arm else "ValueError: two") for each in whole.trials
    )
    logs = failures.build(find(replace(whole, trials=trials))).content.logs
    assert [(event.seed, event.log, others) for event, others in logs] == [
        (0, "RuntimeError: one", 2),
        (0, "ValueError: two", 0),
    ]


def test_the_page_says_how_many_other_trials_ended_alike(tmp_path):
    whole = small.study(("variant",), {("a",): (small.CRASHED,) * 3})
    trials = tuple(replace(each, log="RuntimeError: one") for each in whole.trials)
    page = write_report(replace(whole, trials=trials), tmp_path).read_text()
    assert page.count("RuntimeError: one") == 1
    assert "2 more trials end alike" in page


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ({("a",): (None, None)}, "All 2 trials diverged."),
        ({("a",): (80.0, 80.0)}, "All 2 trials ended above 50 % test error."),
        ({("a",): (None, 3.0)}, "Of 2 trials, 1 diverged."),
        ({("a",): (None, 80.0)}, "Of 2 trials, 1 ended above 50 % test error and 1 diverged."),
    ],
)
def test_failures_that_befell_every_trial_are_said_of_all(errors, said):
    assert failures.build(small.found(("variant",), errors)).content.summary == said


def test_intervals_are_spoken_of_only_where_a_difference_has_one():
    failed = small.found(("variant",), {("a",): (None,) * 3, ("b",): (None,) * 3}, baseline={"variant": "a"})
    assert statistics.tests(failed).endswith("judged with an exact sign test (1 comparison).")
    errors = {("a",): (3.0, 3.2, 3.1), ("b",): (4.0, 4.5, 4.2)}
    sound = small.found(("variant",), errors, baseline={"variant": "a"})
    assert statistics.tests(sound).endswith("; intervals are at 95 %.")


# ---- a search ----


def test_the_arms_that_a_search_confirms_are_a_list_without_an_axis():
    findings = find(searches.searched())
    assert findings.layout.axis is None
    content = table.build(findings).content
    assert content.is_numbered
    assert [line.name for line in content.lines][:1] == ["baseline"]
    assert depth.build(findings) is None


def test_a_factor_is_no_axis_of_which_no_two_arms_differ_in_it_alone():
    apart = small.study(("lr", "variant"), {(0.1, "a"): small.near(2), (0.2, "b"): small.near(3)})
    assert numeric_axis(apart) is None
    assert depth.build(find(apart)) is None
    along = small.study(("lr", "variant"), {(0.1, "a"): small.near(2), (0.2, "a"): small.near(3)})
    assert numeric_axis(along) == "lr"


def test_the_reason_why_there_is_no_axis_is_the_true_one(tmp_path):
    apart = small.study(("lr", "variant"), {(0.1, "a"): small.near(2), (0.2, "b"): small.near(3)})
    assert "No two arms differ in a numeric factor alone." in write_report(apart, tmp_path / "a").read_text()
    named = small.study(("variant",), {("a",): small.near(2), ("b",): small.near(3)})
    assert "No factor of this study has several numeric levels." in write_report(named, tmp_path / "b").read_text()
    said = "The arms that a search confirms are no series along a factor."
    assert said in write_report(searches.searched(), tmp_path / "c").read_text()


def test_a_baseline_that_a_constraint_kept_out_of_the_search_is_called_by_that_word_and_has_no_gain_to_lose():
    findings = find(without_searched_baseline())
    assert table.build(findings).content.lines[0].name == "baseline"
    told = " ".join(confirmation.build(findings).content.sentences)
    assert "The search has no validation error of the baseline, so that no gain over it is known there." in told
    assert "saw no gain" not in told


def test_proposals_beyond_a_constraint_are_told_from_those_of_which_there_is_no_network():
    content = search.build(find(without_searched_baseline())).content
    assert "by the sampler tpe within params <= 30k, selected" in content.summary
    assert "1 rejected by a constraint" in content.summary
    assert "no network" not in content.summary


def test_a_parameter_with_one_value_in_all_arms_has_no_panel():
    whole = searches.searched()
    same = [{**each, "params": {**each["params"], "block": "basic"}} for each in whole.search["proposals"]["search"]]
    record = {**whole.search, "proposals": {**whole.search["proposals"], "search": same}}
    figures = {figure.name: figure for figure in search.build(find(replace(whole, search=record))).figures}
    assert "block" not in [panel.title for panel in figures["search-slices"].panels]
    assert "Left out: 1 parameter with one value in all arms." in figures["search-slices"].caption


def test_a_choice_among_numbers_is_drawn_in_their_order():
    whole = searches.searched()
    depths = ("8", "14", "20")
    drawn = [
        {**each, "params": {**each["params"], "depth": depths[at % 3]}}
        for at, each in enumerate(whole.search["proposals"]["search"])
    ]
    record = {**whole.search, "importance": [], "proposals": {**whole.search["proposals"], "search": drawn}}
    figures = {figure.name: figure for figure in search.build(find(replace(whole, search=record))).figures}
    (panel,) = (panel for panel in figures["search-slices"].panels if panel.title == "depth")
    assert ">depth</text>" in panel.drawing.svg
    assert ">validation error, %</text>" in panel.drawing.svg
    assert ">12</text>" in panel.drawing.svg, "an axis of numbers has ticks between its levels"


def test_what_is_said_of_failures_in_a_search_is_said_of_its_confirmation():
    assert failures.build(find(searches.searched())).content.summary == (
        "No trial of the confirmation failed, diverged, crashed or was pruned."
    )


def test_the_lowest_confirmed_arm_is_named_only_where_the_search_did_not_rank_it_first():
    assert sentences.least_error(confirmed(3.0, 3.1, 3.25, 3.05, 3.12)) is None


# ---- networks ----


def test_units_that_are_not_drawn_are_where_paper_leads_to_as_well():
    arms = [
        networks.Described(f"arm {at}", {"at": at}, {"words": [], "stages": [], "unit": unit(f"layer {at}")})
        for at in range(20)
    ]
    assert networks.units_figure(arms).caption.endswith("8 more units told in words in tables/units.csv.")


def unit(*branch):
    return {"branch": list(branch), "before": [], "shortcut": None, "merge": "add", "after": [], "note": ""}


# ---- looked at again ----


def test_a_panel_is_named_once_above_its_rows_and_in_each_row_of_the_file():
    figures = {figure.name: figure for figure in curves.build(find(studies.many_arms())).figures}
    shown = figures["curves"].table
    named = [row[0] for row in shown.shown()]
    assert len(set(filter(None, named))) == len(list(filter(None, named))) < len(named)
    assert all(row[0] for row in shown.rows)


def test_the_dots_of_a_search_are_dark_enough_to_be_seen():
    figures = {figure.name: figure for figure in search.build(find(searches.searched())).figures}
    drawn = figures["search-progress"].panels[0].drawing.svg
    opacities = [float(each) for each in re.findall(r'opacity="([\d.]+)"', drawn)]
    assert opacities
    assert min(opacities) >= 0.6


def test_a_replay_is_not_said_to_confirm_arms_later():
    replayed = searches.replayed(searches.configuration("tpe", gain=1.0))
    bare = replace(
        replayed,
        arms=tuple(arm for arm in replayed.arms if arm.levels["stage"] != "confirm"),
        trials=tuple(trial for trial in replayed.trials if "stage=confirm" not in trial.arm),
    )
    assert empty.table(find(bare)) == "A replay trains nothing, and no confirmation of an arm is on record."
    searching = {key: value for key, value in bare.search.items() if key != "comparison"}
    assert empty.table(find(replace(bare, search=searching))) == "No arm is confirmed yet."
