"""What a further reading of pages as pictures showed: in a study that runs, of many claims, and of arms that fail."""

import json
import re
from dataclasses import replace

import pytest

from reports.analysis.claims import parse_claims
from reports.analysis.verdicts import judge
from reports.figures.front import FrontPoint, front_drawing
from reports.findings import find
from reports.page import write_report
from reports.search_numbers import search_numbers
from reports.sections import claims, cost, curves, failures, header, main_table, provenance, table, trials
from reports.sentences.headline import lowest
from reports.sentences.table import fail_rule
from reports.trials import State
from tests.reports import searches, small, studies
from tests.reports.pairs.made import FIVE, LESS, MORE, OPEN, declared
from tests.reports.small import WAITING, near


def running():
    """Return a study of three arms, of which one has no result yet and one has a seed to come."""
    errors = {("a",): near(3), ("b",): (4.0, 4.1, WAITING), ("c",): (WAITING, WAITING, WAITING)}
    return small.study(("variant",), errors, baseline={"variant": "a"})


def cost_table(whole):
    times = {arm.name: 1.25 + at for at, arm in enumerate(whole.arms)}
    ended = tuple(replace(each, seconds=times[each.arm]) if each.curve else each for each in whole.trials)
    arms = tuple(replace(arm, settings={"network": dict(arm.levels)}) for arm in whole.arms)
    section = cost.build(find(replace(whole, arms=arms, trials=ended)))
    return section.figures[0].table


def test_the_table_of_costs_has_every_cost_that_a_front_is_drawn_for_in_groups_of_three_digits():
    table = cost_table(running())
    cells = [dict(zip([column.key for column in table.columns], row, strict=True)) for row in table.shown()]
    assert [row["seconds"] for row in cells] == ["1.25", "2.25", "–"]
    arm = running().arms[0]
    assert cells[0]["params"] == f"{arm.params:,}"
    assert "," in cells[0]["params"]
    assert cells[0]["flops"] == f"{arm.flops:,}"


def test_trials_that_wait_are_to_come_and_not_missing():
    entries = [line.entries[0] for line in table.build(find(running())).content.lines]
    assert [entry.text for entry in entries][2] == "no result yet"
    assert [entry.remarks for entry in entries] == [(), ("1 to come",), ()]


def test_the_epochs_of_an_interrupted_training_are_no_curve():
    whole = running()
    curve = next(each.curve for each in whole.trials if each.curve)
    last = replace(whole.trials[-1], curve=curve)
    (note,) = curves.build(find(replace(whole, trials=(*whole.trials[:-1], last)))).content.notes
    assert note == "1 of 3 arms left out: no trial has ended an epoch."


def test_claims_of_few_seeds_name_the_sign_flips_also_before_they_are_judged():
    errors = {("a",): (*near(3), WAITING), ("b",): (6.0, 6.4, 5.7, WAITING)}
    whole = small.study(("variant",), errors)
    waiting = judge(whole, parse_claims([{"id": "one", "says": "a < b"}], whole.factors))
    assert waiting[0].is_pending
    said = claims.build(find(whole, waiting)).content.summary
    assert "below 5 seeds the exact sign flips must agree" in said


def test_an_arm_without_a_result_is_not_said_to_be_off_the_front():
    table = cost_table(running())
    at = [column.key for column in table.columns].index("front_seconds")
    assert [row[at] for row in table.rows] == [True, False, None]


def test_an_axis_of_nearly_equal_costs_has_a_number_at_both_ends():
    points = [FrontPoint("a", 3.0, 27.1, 0, on_front=True), FrontPoint("b", 2.0, 27.6, 1, on_front=True)]
    drawn = front_drawing(points, "seconds of training", "p").svg
    assert ">27.1<" in drawn
    assert ">27.6<" in drawn


def test_the_rank_of_arms_while_others_have_no_result_speaks_of_those_that_have_one():
    whole = running()
    trials = tuple(replace(each, state=State.WAITING) if each.state is State.RUNNING else each for each in whole.trials)
    said = lowest(find(replace(whole, trials=trials)))
    assert "the other arm with a result" in said
    alone = lowest(small.found(("variant",), {("a",): near(3), ("b",): near(4)}))
    assert "the other arm " in alone
    assert "with a result" not in alone


def test_runs_are_counted_so_far_while_some_are_to_come():
    def runs(whole):
        return dict(provenance.build(find(whole)).content.checklist)["Number of runs"]

    assert runs(running()) == "3 for 1 arm, 2 for 1 arm and none for 1 arm so far; the seeds 0–2 are planned"
    assert runs(small.study(("variant",), {("a",): near(3)})) == "3 an arm (seeds 0–2)"


def test_the_determinism_that_settings_leave_at_its_default_is_told():
    whole = studies.degradation()
    arms = tuple(replace(arm, settings={**arm.settings, "training": {"lr": 0.1}}) for arm in whole.arms)
    said = dict(provenance.build(find(replace(whole, arms=arms))).content.checklist)["Determinism"]
    assert "repeat themselves bit for bit" in said


def test_a_claim_that_waits_for_seeds_is_no_warning():
    found = declared("b < a", errors={"a": (*FIVE["a"], WAITING), "b": FIVE["b"]})
    (card,) = claims.build(found).content.cards
    assert (card.verdict, card.signs, card.open) == ("Not judged yet", (), "")
    waits = {"a": (*OPEN["a"], WAITING), "b": (*OPEN["b"], 5.0)}
    (card,) = claims.build(declared("b < a", errors=waits, seeds={"looks": [5, 6]})).content.cards
    assert (card.verdict, card.signs, card.open) == ("Inconclusive", (), "still running")


@pytest.mark.parametrize(
    ("seeds", "said"), [(None, "end before it is judged."), ({"looks": [6, 8]}, "end before the next look.")]
)
def test_only_a_study_with_looks_speaks_of_one(seeds, said):
    errors = {"a": (*FIVE["a"], WAITING), "b": FIVE["b"]}
    (verdict,) = declared("b < a", errors=errors, seeds=seeds).verdicts
    assert said in verdict.sentence


def test_the_table_of_contexts_leaves_marks_and_seeds_to_the_rows_of_the_claims():
    section = claims.build(declared("b < a"))
    keys = [column.key for column in section.figures[0].table.columns]
    assert not {"marks", "seeds", "fails"} & set(keys)
    (file,) = (each for each in section.tables if each.name == section.figures[0].table.name)
    assert {"marks", "seeds", "fails"} <= {column.key for column in file.columns}
    (row,) = section.figures[0].table.shown()
    assert (row[keys.index("margin")], row[keys.index("level")]) == ("0", "95.00")


def test_the_first_screen_has_the_decided_claims_where_it_has_no_room_for_all():
    found = declared(*["b < a"] * 6, "a < b", "b < a")
    verdicts = [each.verdict.value for each in found.verdicts]
    assert verdicts[6:] == ["Refuted", "Supported"]
    undecided = replace(found, verdicts=tuple(map(_open, found.verdicts[:6])) + found.verdicts[6:])
    content = header.build(undecided).content
    assert [line.verdict for line in content.claims] == ["Inconclusive"] * 4 + ["Refuted", "Supported"]
    assert content.more_claims == 2


def _open(verdict):
    return replace(verdict, verdict=type(verdict.verdict).INCONCLUSIVE)


def test_arms_of_a_sentence_have_the_names_of_the_page():
    found = declared("b < a", errors={"a": (3.0, 3.1, 2.9, 3.2, 3.0), "b": (None, 2.0, 2.1, 2.2, 2.0)})
    (card,) = claims.build(found).content.cards
    assert re.search(r"Fails: a in 0 of 5 \([^)]*\), b in 1 of 5", card.sentence)
    assert "1 fail," in card.sentence
    assert "variant=" not in card.sentence


def test_readings_are_told_in_words():
    errors = {(depth, name): by_seed for depth in (8, 14) for name, by_seed in FIVE.items()}
    whole = small.study(("depth", "variant"), errors)
    said = parse_claims([{"id": "c", "says": "b < a"}], whole.factors)
    (card,) = claims.build(find(whole, judge(whole, said))).content.cards
    assert dict(card.facts)["Readings"].startswith("in every context (declared): Supported, on average: Supported")


@pytest.mark.parametrize(("bad", "has_loss"), [((80.0, 81.0, 82.0), False), ((None, 81.0, 82.0), True)])
def test_a_list_of_fails_has_a_last_loss_only_where_a_trial_diverged(tmp_path, bad, has_loss):
    page = write_report(small.study(("variant",), {("a",): near(3), ("b",): bad}), tmp_path).read_text()
    assert ("last finite loss</th>" in page) is has_loss
    assert failures.build(find(small.study(("variant",), {("a",): near(3), ("b",): bad}))) is not None


def test_a_count_of_fails_beside_another_is_explained():
    found = small.found(("variant",), {("a",): near(3), ("b",): (None, 4.0, 4.1)}, baseline={"variant": "a"})
    (line,) = (each for each in main_table.main_table(found, found.layout).lines if each.entries[0].difference)
    assert line.entries[0].difference == "1/3 vs 0/3"
    assert "Δ then has its count against the baseline's, with Fisher's exact p" in fail_rule(found)
    assert "Fisher" not in fail_rule(small.found(("variant",), {("a",): near(3), ("b",): (None, 4.0, 4.1)}))


def test_a_page_of_a_study_in_training_has_its_summary_beside_it_until_the_last(tmp_path):
    write_report(running(), tmp_path, is_last=False)
    assert not (tmp_path / "study.json").exists()
    assert json.loads((tmp_path / "live.json").read_text())["study"] == running().name
    page = (tmp_path / "index.html").read_text()
    assert '<a href="live.json">' in page
    assert '<a href="study.json">' not in page
    write_report(running(), tmp_path)
    assert '<a href="study.json">' in (tmp_path / "index.html").read_text()
    assert (tmp_path / "study.json").exists()
    assert not (tmp_path / "live.json").exists()


def test_a_study_whose_arms_have_unlike_numbers_of_seeds_says_so_in_its_head():
    def told(**errors):
        found = small.found(("variant",), {(name,): by_seed for name, by_seed in errors.items()})
        return dict(header.build(found).content.facts)["Seeds"]

    assert told(a=near(3), b=(4.0, 4.1, 4.2, 4.3, 4.4)) == "3 to 5 an arm (0–4)"
    assert told(a=near(3), b=near(4)) == "3 (0–2)"


def test_a_rank_beside_claims_is_called_exploratory():
    assert "(exploratory, beside the claims: paired t" in lowest(declared("b < a"))
    assert "(paired t" in lowest(small.found(("variant",), {("a",): near(3), ("b",): near(4)}))


def test_p_says_whether_it_is_of_one_look_or_over_all():
    errors = {"a": (*OPEN["a"], 6.0), "b": (*OPEN["b"], 4.0)}
    (card,) = claims.build(declared("b < a", errors=errors, seeds={"looks": [5, 6]})).content.cards
    assert re.match(r"\d\.\d+ at n=6 alone, \d\.\d+ over all looks, ", dict(card.facts)["p"])
    (card,) = claims.build(declared("b < a")).content.cards
    assert " raw" in dict(card.facts)["p"]


def test_the_trials_of_a_search_have_the_numbers_of_their_arms():
    facts = find(searches.searched())
    shown = trials.build(facts).content
    assert shown.headings[0].label == "arm"
    names = search_numbers(facts.whole)
    assert {row.cells[0] for row in shown.rows} == {names[each.arm] for each in facts.study.trials}
    assert trials.build(find(running())).content.headings[0].label != "arm"


def test_the_p_of_a_look_by_sign_flips_is_named_as_such():
    errors = {"a": (*MORE, 6.05, 6.15), "b": (*LESS, 3.05, 3.12)}
    (card,) = claims.build(declared("b < a", errors=errors, seeds={"looks": [3, 5]})).content.cards
    first, second = dict(card.facts)["Looks"].split("; ")
    assert re.fullmatch(r"n=3: .*, p 0\.2500 by the exact sign flips against 0\.\d+", first)
    assert "sign flips" not in second
