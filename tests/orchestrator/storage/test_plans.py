"""Recording plans: what is new, what is cached, what is orphaned."""

import dataclasses

import pytest

from orchestrator.records.events import AttemptStarted, EpochDone, TrialEnded
from orchestrator.records.study_plan import PlannedTrial
from orchestrator.storage import Recorder, StorageError
from orchestrator.storage.errors import unknown_name
from reports.trials import Epoch, State

EPOCH = Epoch(1, 1.0, 50.0, 1.5, 60.0, 0.1, 2.0)


def finish(store, plan, trials):
    with Recorder(store, plan.name) as recorder:
        for trial in trials:
            recorder.put(AttemptStarted(trial.id, "cpu", "here", {}))
            recorder.put(EpochDone(trial.id, EPOCH))
            recorder.put(TrialEnded(trial.id, State.COMPLETE, seconds=2.0))


def names(study):
    return [(arm.name, arm.orphaned) for arm in study.arms]


def test_a_new_plan_is_all_new(store, make_plan):
    plan = make_plan()
    outcome = store.record_plan(plan)
    assert outcome.new == tuple(trial.id for trial in plan.trials)
    assert (outcome.cached, outcome.unfinished, outcome.failed, outcome.orphaned) == ((), (), (), ())


def test_planned_trials_wait(store, make_plan):
    plan = make_plan()
    store.record_plan(plan)
    assert set(store.states(trial.id for trial in plan.trials).values()) == {State.WAITING}


def test_a_recorded_study_reads_back_as_it_was_planned(store, make_plan):
    plan = make_plan()
    store.record_plan(plan)
    study = store.load_study(plan.name)
    for name in ("name", "question", "source", "settings", "factors", "baseline", "fail_above", "plan_hash"):
        assert getattr(study, name) == getattr(plan, name)
    assert (study.command, study.git, study.notes) == (plan.command, plan.git, plan.notes)
    assert [(arm.name, arm.levels, arm.settings, arm.description) for arm in study.arms] == [
        (each.arm.name, each.arm.levels, each.arm.settings, each.description) for each in plan.arms
    ]
    assert [(trial.id, trial.seed) for trial in study.trials] == [(trial.id, trial.seed) for trial in plan.trials]


def test_a_plan_keeps_the_moment_and_the_command_of_its_first_time(store, make_plan):
    plan = make_plan(plan_hash="one")
    store.record_plan(plan)
    first = store.load_study(plan.name)
    finish(store, plan, plan.trials)
    store.record_plan(make_plan(plan_hash="one", command="orchestrate run x.yaml --out elsewhere", git="def"))
    again = store.load_study(plan.name)
    assert (again.planned_at, again.command, again.git) == (first.planned_at, first.command, first.git)


def test_another_plan_has_its_own_moment_and_command(store, make_plan):
    store.record_plan(make_plan(plan_hash="one"))
    first = store.load_study("degradation")
    store.record_plan(make_plan(plan_hash="two", command="orchestrate run other.yaml"))
    again = store.load_study("degradation")
    assert again.planned_at > first.planned_at
    assert again.command == "orchestrate run other.yaml"


def test_factors_and_levels_keep_their_order(store, make_plan):
    plan = make_plan(factors={"zeta": (3, 1, 2), "alpha": ("b", "a")})
    store.record_plan(plan)
    assert list(store.load_study(plan.name).factors.items()) == [("zeta", (3, 1, 2)), ("alpha", ("b", "a"))]


def test_levels_keep_their_types(store, make_plan):
    plan = make_plan(factors={"a": (1, 1.0, True, "1", "true")})
    store.record_plan(plan)
    assert [type(level) for level in store.load_study(plan.name).factors["a"]] == [int, float, bool, str, str]


def test_the_same_plan_twice_changes_no_row(store, make_plan, rows):
    plan = make_plan()
    tables = ("arms", "arm_levels", "trials", "arm_trials")
    store.record_plan(plan)
    before = {table: rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables}
    outcome = store.record_plan(plan)
    assert {table: rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables} == before
    assert (outcome.new, outcome.orphaned) == ((), ())
    assert len(outcome.unfinished) == len(plan.trials)


def test_finished_trials_are_cached(store, make_plan):
    plan = make_plan()
    store.record_plan(plan)
    finish(store, plan, plan.trials[:3])
    assert store.record_plan(plan).cached == tuple(trial.id for trial in plan.trials[:3])


def test_failed_trials_are_neither_cached_nor_new(store, make_plan):
    plan = make_plan()
    store.record_plan(plan)
    with Recorder(store, plan.name) as recorder:
        recorder.put(TrialEnded(plan.trials[0].id, State.FAILED, "out of memory"))
    assert store.record_plan(plan).failed == (plan.trials[0].id,)


def test_another_study_shares_the_trials(store, make_plan):
    first, second = make_plan(), make_plan(name="second")
    store.record_plan(first)
    finish(store, first, first.trials)
    assert len(store.record_plan(second).cached) == len(second.trials)
    assert {trial.state for trial in store.load_study("second").trials} == {State.COMPLETE}


def test_arms_that_the_plan_leaves_out_become_orphans_and_keep_their_results(store, make_plan):
    plan = make_plan(depths=(20, 56))
    store.record_plan(plan)
    finish(store, plan, plan.trials)
    outcome = store.record_plan(make_plan(depths=(56, 110)))
    assert outcome.orphaned == ("depth=20 variant=plain",)
    study = store.load_study(plan.name)
    assert names(study) == [
        ("depth=56 variant=plain", False),
        ("depth=110 variant=plain", False),
        ("depth=20 variant=plain", True),
    ]
    assert {trial.state for trial in study.trials_of("depth=20 variant=plain")} == {State.COMPLETE}


def test_orphans_return_with_their_results(store, make_plan):
    plan = make_plan(depths=(20, 56))
    store.record_plan(plan)
    finish(store, plan, plan.trials)
    store.record_plan(make_plan(depths=(56,)))
    outcome = store.record_plan(plan)
    assert outcome.returned == ("depth=20 variant=plain",)
    assert len(outcome.cached) == len(plan.trials)
    assert names(store.load_study(plan.name)) == [("depth=20 variant=plain", False), ("depth=56 variant=plain", False)]


def test_an_orphan_never_shares_its_name_with_a_new_arm(store, make_plan):
    store.record_plan(make_plan(depths=(20,), width=8))
    store.record_plan(make_plan(depths=(20,), width=16))
    old = make_plan(depths=(20,), width=8).arms[0].arm.id
    assert names(store.load_study("degradation")) == [
        ("depth=20 variant=plain", False),
        (f"depth=20 variant=plain (earlier, {old})", True),
    ]


def test_an_arm_gets_its_own_name_back(store, make_plan):
    for width in (8, 16, 32, 8):
        store.record_plan(make_plan(depths=(20,), width=width))
    assert names(store.load_study("degradation"))[0] == ("depth=20 variant=plain", False)
    assert len(store.load_study("degradation").arms) == 3


def test_arms_may_swap_their_names(store, make_plan):
    plan = make_plan()
    store.record_plan(plan)
    first, second = plan.arms
    swapped = (
        dataclasses.replace(first, arm=dataclasses.replace(first.arm, name=second.arm.name)),
        dataclasses.replace(second, arm=dataclasses.replace(second.arm, name=first.arm.name)),
    )
    store.record_plan(dataclasses.replace(plan, arms=swapped))
    assert [arm.settings["network"]["depth"] for arm in store.load_study(plan.name).arms] == [20, 56]
    assert [arm.name for arm in store.load_study(plan.name).arms] == [
        "depth=56 variant=plain",
        "depth=20 variant=plain",
    ]


def test_seeds_that_the_plan_leaves_out_are_no_longer_results_of_the_arm(store, make_plan, rows):
    store.record_plan(make_plan(seeds=(0, 1, 2)))
    store.record_plan(make_plan(seeds=(0, 1)))
    assert {trial.seed for trial in store.load_study("degradation").trials} == {0, 1}
    assert {row["seed"] for row in rows("SELECT seed FROM trial_results")} == {0, 1}
    assert len(rows("SELECT id FROM trials")) == 6


def test_results_on_other_data_are_not_mixed(store, make_plan):
    store.record_plan(make_plan(fingerprint="old"))
    store.record_plan(make_plan(fingerprint="new"))
    assert all("new" in trial.id for trial in store.load_study("degradation").trials)


def test_a_preview_says_the_same_and_writes_nothing(store, make_plan, rows):
    store.record_plan(make_plan(depths=(20, 56)))
    edited = make_plan(depths=(56, 110))
    before = rows("SELECT count(*) AS n FROM trials"), rows("SELECT count(*) AS n FROM events")
    preview = store.preview_plan(edited)
    assert (rows("SELECT count(*) AS n FROM trials"), rows("SELECT count(*) AS n FROM events")) == before
    assert preview == store.record_plan(edited)


def test_seeds_and_arms_can_be_added_while_a_study_runs(store, make_plan):
    plan = make_plan(depths=(20,), seeds=(0,))
    more = make_plan(depths=(20, 56), seeds=(0, 1))
    store.record_plan(plan)
    store.extend_plan(plan.name, more.arms, more.trials)
    study = store.load_study(plan.name)
    assert [arm.name for arm in study.arms] == ["depth=20 variant=plain", "depth=56 variant=plain"]
    assert len(study.trials) == 4


def test_what_was_added_stays_when_the_same_plan_is_recorded_again(store, make_plan):
    plan = make_plan(depths=(20,), seeds=(0,))
    more = make_plan(depths=(20, 56), seeds=(0, 1))
    store.record_plan(plan)
    store.extend_plan(plan.name, more.arms, more.trials)
    assert store.record_plan(plan).orphaned == ()
    assert len(store.load_study(plan.name).trials) == 4


def test_what_was_added_goes_when_the_plan_changes(store, make_plan):
    plan = make_plan(depths=(20,), seeds=(0,))
    more = make_plan(depths=(20, 56), seeds=(0, 1))
    store.record_plan(plan)
    store.extend_plan(plan.name, more.arms, more.trials)
    assert store.record_plan(dataclasses.replace(plan, plan_hash="another")).orphaned == ("depth=56 variant=plain",)
    assert [trial.seed for trial in store.load_study(plan.name).trials_of("depth=20 variant=plain")] == [0]


def test_a_study_without_a_plan_cannot_be_extended(store):
    with pytest.raises(StorageError, match='the study "unplanned" has no plan yet'):
        store.extend_plan("unplanned", (), ())


def test_a_plan_that_cannot_be_written_leaves_nothing_behind(store, make_plan, rows):
    plan = make_plan()
    stranger = make_plan(depths=(110,)).arms[0].arm
    broken = dataclasses.replace(plan, trials=(*plan.trials, PlannedTrial("x", stranger, 0, "digits")))
    with pytest.raises(KeyError):
        store.record_plan(broken)
    assert rows("SELECT id FROM studies") == rows("SELECT id FROM trials") == []


def test_unknown_trials_have_no_state(store):
    assert store.states(["unknown"]) == {}


@pytest.mark.parametrize("given", ["degradatoin", "DEGRADATION"])
def test_an_unknown_study_names_the_nearest(store, make_plan, given):
    store.record_plan(make_plan())
    with pytest.raises(StorageError, match=f'there is no study "{given}": did you mean "degradation"'):
        store.load_study(given)


def test_a_file_in_the_place_of_a_study_is_told_where_the_name_stands(store, make_plan):
    store.record_plan(make_plan())
    with pytest.raises(StorageError, match=r'no study "ablation.yaml": .*degradation.* under `study:` in its file'):
        store.load_study("ablation.yaml")


def test_of_very_many_names_the_first_are_listed():
    names = [f"net-{number:03d}" for number in range(500)]
    text = unknown_name("arm", "zzz", names)
    assert text.startswith('there is no arm "zzz": known are net-000, net-001, ')
    assert text.endswith("net-029 and 470 more")


def test_hostile_names_come_back_as_they_were(store, make_plan, rows):
    name = "x'); DROP TABLE trials; -- \"`% :a {b} \n\t ünïcödé 😀 \\u0000"
    plan = make_plan(depths=(20,), factors={name: (name,)}, baseline={name: name}, question=name, source=name)
    arm = dataclasses.replace(plan.arms[0].arm, name=name, levels={name: name}, settings={name: [name, None, 1.5]})
    plan = dataclasses.replace(
        plan,
        arms=(dataclasses.replace(plan.arms[0], arm=arm),),
        trials=tuple(dataclasses.replace(trial, arm=arm) for trial in plan.trials),
    )
    store.record_plan(plan)
    study = store.load_study(plan.name)
    assert (study.question, study.source, study.baseline) == (name, name, {name: name})
    assert (study.arms[0].name, study.arms[0].levels, study.arms[0].settings) == (name, arm.levels, arm.settings)
    assert rows("SELECT factor, level FROM arm_levels") == [{"factor": name, "level": name}]
