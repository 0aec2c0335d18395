"""What a section says that has nothing to show, and captions that name what stands in a table of failures."""

from dataclasses import replace

from reports.findings import find
from reports.sections import curves, depth, effects, failures
from reports.sentences import empty
from reports.trials import State
from tests.reports import studies
from tests.reports.small import CRASHED, WAITING, found, near


def test_curves_that_are_missing_may_come_only_while_a_trial_has_not_ended():
    ended = studies.all_fail()
    ended = replace(ended, trials=tuple(replace(each, curve=()) for each in ended.trials))
    assert empty.curves(find(ended)) == "No trial finished an epoch."
    assert empty.curves(find(studies.without_results())) == "No trial has finished an epoch yet."


def test_differences_that_are_missing_have_the_reason_of_their_study():
    base = {"baseline": {"variant": "a"}}
    failed = found(("variant",), {("a",): (None, None), ("b",): (None, None)}, **base)
    apart = found(("variant",), {("a",): (2.0, CRASHED), ("b",): (CRASHED, 3.0)}, **base)
    assert empty.effects(failed) == "Every seed failed, so that no difference has an interval."
    assert empty.effects(apart).startswith("No arm and its baseline share two seeds with a result")
    assert "yet" in empty.effects(found(("variant",), {("a",): (WAITING,), ("b",): (WAITING,)}, **base))


def test_arms_whose_trials_only_wait_are_no_failures():
    content = failures.build(
        found(("variant",), {("a",): (2.0, None, WAITING), ("b",): (2.0, WAITING, WAITING)})
    ).content
    assert [row.arm for row in content.map] == ["a"]
    assert content.map_caption == "Arms with a trial that failed, diverged, crashed or was pruned, by seed."


def test_failures_name_an_arm_by_the_levels_in_which_arms_differ():
    study = studies.troubled()
    content = failures.build(find(study)).content
    assert "plain at depth 56" in {row.arm for row in content.map} | {event.arm for event in content.events}
    trial = next(each for each in study.trials if each.state is State.FAILED)
    assert next(event for event in content.events if event.trial == trial.id).arm == "original at depth 110"


def test_a_line_runs_from_the_lowest_level_whatever_the_order_in_the_file():
    errors = {(rate, name): near(error) for name in "ab" for rate, error in ((0.1, 9.0), (0.02, 37.0))}
    study = found(("training.lr", "variant"), errors, baseline={"variant": "a"})
    section = depth.build(study)
    told = section.figures[0].panels[0].description
    assert told.startswith("a has a median of 37.00 % at training.lr 0.02 and of 9.00 % at 0.1.")
    assert [row[1] for row in section.figures[0].table.rows] == ["0.02", "0.1"] * 2


def test_a_panel_for_each_arm_has_the_baseline_beside_it_in_its_own_colour():
    figures = {figure.name: figure for figure in curves.build(find(studies.many_arms())).figures}
    panels = figures["curves"].panels
    assert {tuple(panel.drawing.readout.names.items()) for panel in panels} == {((0, "baseline"), (1, ""))}
    alone = replace(studies.many_arms(), baseline={})
    figures = {figure.name: figure for figure in curves.build(find(alone)).figures}
    assert dict(figures["curves"].panels[0].drawing.readout.names) == {1: ""}


def test_the_figure_of_the_largest_differences_says_itself_that_it_has_not_all():
    errors = {(f"v{at:02}",): (2.0 + at, 2.1 + 1.1 * at, 2.3 + at) for at in range(43)}
    section = effects.build(found(("variant",), errors, baseline={"variant": "v00"}))
    assert "Shown are the 40 largest of 42 differences; the file has them all." in section.figures[0].caption
    assert not any("largest" in note for note in section.content.notes)


def test_a_limit_that_all_diverged_trials_share_is_left_to_methods():
    def reasons(*limits):
        whole = found(("variant",), {("a",): (None,) * len(limits), ("b",): (3.0,) * len(limits)}).study
        diverged = iter(limits)
        trials = tuple(
            replace(each, reason=f"the training loss exploded to 3e+04, above {next(diverged)}")
            if each.state is State.DIVERGED
            else each
            for each in whole.trials
        )
        return [event.reason for event in failures.build(find(replace(whole, trials=trials))).content.events]

    assert reasons("10,000", "10,000") == ["the training loss exploded to 3e+04"] * 2
    assert [reason[-9:] for reason in reasons("10,000", "500")] == ["ve 10,000", "above 500"]
