"""Studies deleted, renamed, annotated and pruned: what another study needs stays, and nothing happens unasked."""

import re

import pytest

from orchestrator.records.events import AttemptStarted, EpochDone, TrialEnded
from orchestrator.storage import Recorder, StorageError, StudyBusy
from reports.trials import Epoch, State


@pytest.fixture
def train(store):
    """Record a plan and give every trial of it that has none a result."""

    def run(plan):
        store.record_plan(plan)
        known = store.states([trial.id for trial in plan.trials])
        with Recorder(store, plan.name) as recorder:
            for trial in plan.trials:
                if known[trial.id] is State.WAITING:
                    recorder.put(AttemptStarted(trial.id, "cpu", "here", {"torch": "2.9"}))
                    recorder.put(EpochDone(trial.id, Epoch(1, 1.0, 50.0, 1.5, 60.0 + trial.seed, 0.1, 2.0)))
                    recorder.put(TrialEnded(trial.id, State.COMPLETE, seconds=4.0))
        return plan

    return run


@pytest.fixture
def everything(rows):
    """Return every row of every table."""

    def read():
        tables = ("studies", "arms", "arm_levels", "arm_trials", "trials", "attempts", "epochs", "events", "verdicts")
        return {table: rows(f"SELECT * FROM {table}") for table in tables}

    return read


def test_nothing_changes_unless_it_is_asked_for(store, train, make_plan, everything):
    train(make_plan())
    train(make_plan(depths=(20,)))
    before = everything()
    store.delete_study("degradation", apply=False)
    store.prune(None, apply=False)
    store.rename_study("degradation", "other", apply=False)
    store.add_note("degradation", "text", apply=False)
    assert everything() == before


def test_deleting_a_study_leaves_of_it_that_it_was_seen(store, train, make_plan, everything):
    train(make_plan())
    store.save_verdicts("degradation", [{"claim": "c", "says": "a < b", "verdict": "Supported"}])
    told = store.delete_study("degradation", apply=False)
    assert (told.arms, told.trials, told.outcomes, told.seconds, told.shared) == (2, 4, 4, 16.0, 0)
    assert store.delete_study("degradation", apply=True) == told
    left = everything()
    (event,) = left.pop("events")
    assert (event["kind"], event["study"]) == ("Deleted", None)
    assert "60.0" not in str(event["details"])
    assert all(rows == [] for rows in left.values())
    with pytest.raises(StorageError, match='there is no study "degradation"'):
        store.delete_study("degradation", apply=True)


def test_a_deleted_study_that_is_run_again_keeps_its_plans(store, train, make_plan):
    train(make_plan())
    first = store.load_study("degradation").history
    store.delete_study("degradation", apply=True)
    train(make_plan(seeds=(1,)))
    history = store.load_study("degradation").history
    assert history.versions[0] == first.versions[0]
    assert [version.number for version in history.versions] == [1, 2]
    assert {(each.seed, each.finished_at is not None) for each in history.deleted} == {(0, True), (1, True)}


def test_the_plans_of_a_deleted_study_count_for_others_of_its_arms(store, train, make_plan):
    train(make_plan())
    store.delete_study("degradation", apply=True)
    train(make_plan(name="second"))
    history = store.load_study("second").history
    assert (len(history.versions), len(history.elsewhere), len(history.deleted)) == (1, 1, 4)
    train(make_plan(name="third", depths=(110,)))
    assert store.load_study("third").history.deleted == ()


def test_the_plans_of_a_deleted_study_count_where_another_keeps_its_trials(store, train, make_plan):
    train(make_plan())
    train(make_plan(name="second"))
    plans = store.load_study("second").history.elsewhere
    assert len(plans) == 1
    store.delete_study("degradation", apply=True)
    history = store.load_study("second").history
    assert (history.elsewhere, history.deleted) == (plans, ())


def test_nothing_is_left_of_a_deleted_study_without_a_result(store, make_plan, rows):
    store.record_plan(make_plan())
    store.delete_study("degradation", apply=True)
    assert rows("SELECT * FROM events") == []


def test_deleting_a_study_keeps_what_another_one_needs(store, train, make_plan):
    train(make_plan())
    train(make_plan(depths=(20,), name="second"))
    removed = store.delete_study("degradation", apply=True)
    assert (removed.trials, removed.shared, removed.users) == (2, 2, ("second",))
    second = store.load_study("second")
    assert [trial.test_error for trial in second.trials] == [60.0, 61.0]
    assert len(second.trials[0].curve) == 1


def test_a_study_that_runs_is_let_be(store, train, make_plan):
    train(make_plan())
    with store.lease("degradation"):
        for change in (
            lambda: store.delete_study("degradation", apply=True),
            lambda: store.prune("degradation", apply=True),
            lambda: store.rename_study("degradation", "other", apply=True),
        ):
            with pytest.raises(StudyBusy, match="is being run by process"):
                change()
        assert store.prune(None, apply=True).trials == 0


def test_pruning_removes_earlier_arms_and_dropped_seeds_and_nothing_else(store, train, make_plan, rows):
    train(make_plan())
    kept = train(make_plan(depths=(56,), seeds=(0,)))
    told = store.prune("degradation", apply=False)
    assert (told.arms, told.trials, told.outcomes) == (1, 3, 3)
    assert store.prune("degradation", apply=True) == told
    assert [row["id"] for row in rows("SELECT id FROM trials")] == [trial.id for trial in kept.trials]
    assert [trial.state for trial in store.load_study("degradation").trials] == [State.COMPLETE]
    assert store.prune(None, apply=True).is_empty
    assert not told.is_empty


@pytest.mark.parametrize("name", ["a--b", "a-", "1", "x" * 100])
def test_a_study_may_be_renamed_to_whatever_a_file_may_call_it(store, train, make_plan, name):
    train(make_plan())
    store.rename_study("degradation", name, apply=True)
    assert [each.name for each in store.studies()] == [name]


def test_a_renamed_study_keeps_its_results(store, train, make_plan):
    train(make_plan())
    before = store.load_study("degradation")
    store.rename_study("degradation", "new-name", apply=True)
    after = store.load_study("new-name")
    assert (after.trials, after.settings["study"]) == (before.trials, "new-name")
    assert store.record_plan(make_plan()).new == ()  # the old file asks for the same trials


@pytest.mark.parametrize("name", ["second", "New", "a b", "", "-a", "../x", "x" * 101, "a\n"])
def test_a_name_that_is_taken_or_none_is_refused(store, train, make_plan, name):
    train(make_plan())
    store.record_plan(make_plan(name="second"))
    with pytest.raises(StorageError, match=r"already|is no name"):
        store.rename_study("degradation", name, apply=True)


def test_notes_stay_when_the_study_is_planned_again(store, train, make_plan):
    train(make_plan())
    store.add_note("degradation", "The cooling\nfailed.", apply=True)
    store.record_plan(make_plan())
    study = store.load_study("degradation")
    assert study.notes == ("a note",)
    (added,) = study.user_notes
    assert re.fullmatch(r"Note of 20\d\d-\d\d-\d\d: The cooling failed\.", added)
    with pytest.raises(StorageError, match="the note is empty"):
        store.add_note("degradation", " ", apply=True)
