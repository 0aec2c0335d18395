"""A study that still trains: what is to come is told from what is missing, and the page from the last one."""

import json
from dataclasses import replace

from reports.findings import find
from reports.page import write_report
from reports.sections import curves, provenance, table
from reports.sentences.headline import lowest
from reports.trials import State
from tests.reports import small
from tests.reports.small import near, running


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
