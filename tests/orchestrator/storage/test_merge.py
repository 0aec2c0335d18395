"""Studies copied between databases, files and servers alike: nothing is doubled and no result changes."""

from dataclasses import replace

import pytest

from orchestrator.records.events import AttemptStarted, EpochDone, TrialEnded
from orchestrator.storage import Recorder, Store
from reports.results import Measurement
from reports.trials import Epoch, State
from tests.orchestrator.storage.conftest import plan_of, save_measurement

PLAN = plan_of()


def record(store, plan, trials, error=60.0):
    with Recorder(store, plan.name) as recorder:
        for trial in trials:
            recorder.put(AttemptStarted(trial.id, "cpu", "here", {"torch": "2.9"}))
            recorder.put(EpochDone(trial.id, Epoch(1, 1.0, 50.0, 1.5, error + 5, 0.1, 2.0)))
            recorder.put(EpochDone(trial.id, Epoch(2, 1.0, 50.0, 1.5, error, 0.1, 2.0)))
            recorder.put(TrialEnded(trial.id, State.COMPLETE, seconds=4.0))


@pytest.fixture
def source(tmp_path):
    """Return a database with a study of which three trials have a result and one is being trained."""
    with Store.open(tmp_path / "source.db") as store:
        store.record_plan(PLAN)
        record(store, PLAN, PLAN.trials[:3])
        with Recorder(store, PLAN.name) as recorder:
            recorder.put(AttemptStarted(PLAN.trials[3].id, "cpu", "here", {"torch": "2.9"}))
        store.save_verdicts(PLAN.name, [{"claim": "c", "says": "a < b", "verdict": "Supported", "estimate": 1.5}])
        yield store


def read(store):
    study = store.load_study(PLAN.name)
    trials = [replace(trial, state=State.WAITING) if trial.state is State.RUNNING else trial for trial in study.trials]
    lost = tuple(each for each in study.lost if each.trial != PLAN.trials[3].id)  # where it is copied it does not go on
    return replace(study, trials=tuple(trials), lost=lost, metrics={}), store.load_verdicts(PLAN.name)


def counts(store):
    tables = ("studies", "arms", "arm_levels", "arm_trials", "trials", "attempts", "epochs", "events", "environments")
    with store.database.reading() as connection:
        return {table: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() for table in tables}


def test_a_copy_reads_as_the_original_and_a_second_one_adds_nothing(source, store):
    merged = store.merge(source, PLAN.name, apply=True)
    assert (merged.known, merged.arms, merged.trials) == (False, 2, 4)
    assert read(store) == read(source)
    assert counts(store) == counts(source)
    again = store.merge(source, PLAN.name, apply=True)
    assert (again.known, again.arms, again.trials, again.completed, again.same) == (True, 0, 0, 0, 3)
    assert counts(store) == counts(source)
    assert read(store) == read(source)


def test_a_merge_that_is_only_told_writes_nothing(source, store):
    before = counts(store)
    assert store.merge(source, PLAN.name, apply=False).trials == 4
    assert counts(store) == before


def test_two_halves_become_one_study(source, store):
    store.record_plan(PLAN)
    record(store, PLAN, PLAN.trials[2:], error=70.0)
    merged = store.merge(source, PLAN.name, apply=True)
    assert (merged.trials, merged.completed, merged.same, merged.different) == (0, 2, 1, 1)
    found = store.load_study(PLAN.name).trials
    assert [trial.test_error for trial in found] == [60.0, 60.0, 70.0, 70.0]
    assert [len(trial.curve) for trial in found] == [2, 2, 2, 2]
    assert [trial.attempts for trial in found] == [1, 1, 1, 1]


def test_another_plan_stays_and_the_copys_arms_are_those_of_an_earlier_version(source, store):
    mine = plan_of(depths=(20, 110))
    store.record_plan(mine)
    merged = store.merge(source, PLAN.name, apply=True)
    assert (merged.other_plan, merged.arms, merged.trials) == (True, 1, 2)
    study = store.load_study(PLAN.name)
    assert {arm.levels["depth"]: arm.orphaned for arm in study.arms} == {20: False, 110: False, 56: True}
    assert study.plan_hash == mine.plan_hash
    states = {(trial.arm, trial.seed): trial.state for trial in study.trials}
    assert states["depth=20 variant=plain", 0] is State.COMPLETE
    assert states["depth=110 variant=plain", 0] is State.WAITING


def test_a_trial_of_another_study_is_shared(source, store):
    other = plan_of(depths=(20,), name="other")
    store.record_plan(other)
    store.merge(source, PLAN.name, apply=True)
    assert [trial.state for trial in store.load_study("other").trials] == [State.COMPLETE] * 2


def test_measurements_come_along_once(source, store):
    trial = PLAN.trials[0].id
    save_measurement(source, Measurement(trial, "lesion", {"rows": []}))
    for _ in range(2):
        store.merge(source, PLAN.name, apply=True)
    assert [each.kind for each in store.load_study(PLAN.name).measurements] == ["lesion"]


@pytest.mark.parametrize("failed", ["here", "there", "twice"])
def test_what_a_probe_found_takes_the_place_of_its_failure_and_not_the_other_way_round(failed, source, store):
    trial = PLAN.trials[0].id
    store.merge(source, PLAN.name, apply=True)
    found, vain = ({"rows": [], "scalars": {"mean": 1.0}}, {"failed": "out of memory", "rows": []})
    here, there = {"here": (vain, found), "there": (found, vain), "twice": (vain, vain)}[failed]
    save_measurement(store, Measurement(trial, "lesion", here))
    save_measurement(source, Measurement(trial, "lesion", there))
    store.merge(source, PLAN.name, apply=True)
    assert [each.values for each in store.load_study(PLAN.name).measurements] == [vain if failed == "twice" else found]


def test_the_plan_here_stays_in_force_after_a_copy_with_another(source, store):
    here = plan_of(fail_above=70.0, plan_hash="another")
    store.record_plan(here)
    before = [each.digest for each in store.load_study(PLAN.name).history.versions]
    assert store.merge(source, PLAN.name, apply=True).other_plan
    versions = store.load_study(PLAN.name).history.versions
    assert len(versions) == 3
    assert [versions[0].digest, versions[2].digest] == before * 2
    assert versions[1].digest not in before
    assert versions[2].plan["fail_above"] == 70.0
    rows = counts(store)
    store.merge(source, PLAN.name, apply=True)
    assert counts(store) == rows


def test_that_results_were_deleted_comes_along_once(source, store):
    source.delete_study(PLAN.name, apply=True)
    source.record_plan(PLAN)
    for _ in range(2):
        store.merge(source, PLAN.name, apply=True)
    history = store.load_study(PLAN.name).history
    assert len(history.deleted) == 3
    assert history == source.load_study(PLAN.name).history
