"""Progress follows the events of a study and estimates the time left."""

from collections import Counter

import pytest

from orchestrator.records.events import AttemptLost, AttemptStarted, EpochDone, Resumed, TrialEnded
from orchestrator.records.study_plan import PlannedTrial
from orchestrator.scheduling.progress import Progress, duration
from reports.trials import Epoch, State
from search_spaces.arm import Arm


@pytest.fixture
def progress() -> Progress:
    clock = iter([0.0, 10.0, 10.0, 10.0])
    found = Progress(clock=lambda: next(clock))
    for trial, cost in (("a", 10.0), ("b", 30.0)):
        found.add(PlannedTrial(trial, Arm("arm", {}, {}, "x"), 0, "f"), State.WAITING, cost, epochs=2)
    return found


def epoch(number: int) -> Epoch:
    return Epoch(number, 1.0, 50.0, 1.0, 50.0, 0.1, 1.0)


def test_a_trial_goes_from_waiting_to_its_end(progress: Progress) -> None:
    progress.update(AttemptStarted("a", "cpu", "host", {}))
    assert progress.counts() == {State.RUNNING: 1, State.WAITING: 1}
    progress.update(TrialEnded("a", State.COMPLETE))
    assert progress.finished == 1


def test_a_lost_attempt_waits_again(progress: Progress) -> None:
    progress.update(AttemptStarted("a", "cpu", "host", {}))
    progress.update(AttemptLost("a", "killed"))
    assert progress.counts()[State.WAITING] == 2


def test_the_time_left_weighs_trials_by_their_cost(progress: Progress) -> None:
    progress.update(AttemptStarted("a", "cpu", "host", {}))
    progress.update(TrialEnded("a", State.COMPLETE))
    assert progress.seconds_left() == pytest.approx(30)


def test_half_a_trial_counts_half(progress: Progress) -> None:
    progress.update(AttemptStarted("b", "cpu", "host", {}))
    progress.update(EpochDone("b", epoch(1)))
    assert progress.seconds_left() == pytest.approx(10 * 25 / 15)


def test_what_a_checkpoint_brings_is_no_pace_of_this_run() -> None:
    progress = Progress(clock=iter([0.0, 10.0]).__next__)
    progress.add(PlannedTrial("a", Arm("arm", {}, {}, "x"), 0, "f"), State.WAITING, cost=10.0, epochs=10)
    progress.update(AttemptStarted("a", "cpu", "host", {}))
    progress.update(Resumed("a", 8))
    for number in range(1, 10):
        progress.update(EpochDone("a", epoch(number)))
    assert progress.seconds_left() == pytest.approx(10)  # one epoch in ten seconds, one is left


def test_epochs_of_this_run_count_also_when_another_attempt_tells_them_again() -> None:
    progress = Progress(clock=iter([0.0, 20.0]).__next__)
    progress.add(PlannedTrial("a", Arm("arm", {}, {}, "x"), 0, "f"), State.WAITING, cost=10.0, epochs=10)
    progress.update(AttemptStarted("a", "cpu", "host", {}))
    for number in range(1, 5):
        progress.update(EpochDone("a", epoch(number)))
    progress.update(AttemptLost("a", "killed"))
    progress.update(AttemptStarted("a", "cpu", "host", {}))
    progress.update(Resumed("a", 4))
    for number in range(1, 6):
        progress.update(EpochDone("a", epoch(number)))
    assert progress.seconds_left() == pytest.approx(20)


def test_there_is_no_estimate_before_there_is_a_pace(progress: Progress) -> None:
    progress.update(AttemptStarted("b", "cpu", "host", {}))
    assert progress.seconds_left() is None


def test_an_attempt_that_was_lost_is_no_pace_whatever_its_sums_round_to() -> None:
    progress = Progress(clock=iter([0.0, 10.0]).__next__)
    for trial, state, cost in (("a", State.COMPLETE, 3.1014756931933265), ("b", State.WAITING, 14.596634965202572)):
        progress.add(PlannedTrial(trial, Arm("arm", {}, {}, "x"), 0, "f"), state, cost, epochs=2)
    for event in (AttemptStarted("b", "cpu", "host", {}), EpochDone("b", epoch(1)), AttemptLost("b", "killed")):
        progress.update(event)
    assert progress.seconds_left() is None


def test_events_of_other_studies_are_ignored(progress: Progress) -> None:
    assert progress.update(TrialEnded("x", State.COMPLETE)) is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (200, "3 min 20 s"), (7500, "2 h 05 min"), (3599.7, "1 h 00 min")]
)
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_sums_that_are_kept_with_each_event_are_those_over_all_trials(progress: Progress) -> None:
    events = [
        AttemptStarted("a", "cpu", "host", {}),
        EpochDone("a", epoch(1)),
        AttemptLost("a", "killed"),
        AttemptStarted("b", "cpu", "host", {}),
        EpochDone("b", epoch(1)),
        TrialEnded("b", State.DIVERGED),
        TrialEnded("b", State.DIVERGED),
    ]
    for event in events:
        progress.update(event)
    states = [trial.state for trial in progress.trials.values()]
    assert progress.counts() == Counter(states)
    assert progress.finished == sum(state.is_finished() for state in states) == 1
    assert progress.seconds_left() == pytest.approx(10 * 10 / 30)


def test_a_trial_that_is_added_twice_counts_once(progress: Progress) -> None:
    progress.add(progress.trials["a"].planned, State.COMPLETE, 10.0, epochs=2)
    assert progress.counts() == {State.WAITING: 2}


def test_what_a_search_may_still_propose_is_part_of_the_time_that_is_left() -> None:
    progress = Progress(clock=iter([0.0, 10.0]).__next__, most=8)
    for trial in ("a", "b"):
        progress.add(PlannedTrial(trial, Arm("arm", {}, {}, "x"), 0, "f"), State.WAITING, 3.0, epochs=1)
    for event in (AttemptStarted("a", "cpu", "host", {}), TrialEnded("a", State.COMPLETE)):
        progress.update(event)
    assert progress.total == 8
    assert progress.seconds_left() == pytest.approx(70)  # seven more trials like the one of ten seconds
