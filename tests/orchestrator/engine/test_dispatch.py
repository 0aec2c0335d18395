"""The dispatch loop: what follows each way in which an attempt can end, and what ends a run."""

import time
from collections import Counter
from collections.abc import Sequence
from threading import Event as Flag

import pytest

from orchestrator.engine import dispatch, retries
from orchestrator.engine.backend import ClusterLost, NoUsableNode, Report
from orchestrator.engine.dispatch import Dispatcher, Ending
from orchestrator.engine.failures import Failure
from orchestrator.engine.limits import Budget, Limits
from orchestrator.records.causes import Cause
from orchestrator.records.events import AttemptLost, Event, Notice, TrialEnded
from orchestrator.scheduling.packs import BlockSource, Pack
from reports.trials import State
from tests.orchestrator.engine.fake import NODES, FakeBackend, Script, begun, complete, epoch, failed


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "DELAYS", (0.0, 0.0, 0.0))
    monkeypatch.setattr(dispatch, "POLL_SECONDS", 0.01)


def packs(*sizes: int) -> list[Pack]:
    return [Pack({}, {seed: f"p{at}-{seed}" for seed in range(size)}, size) for at, size in enumerate(sizes)]


def run(backend: FakeBackend, block: Sequence[Pack], limits: Limits | None = None) -> tuple[Ending, list[Event]]:
    events: list[Event] = []
    ending = Dispatcher(BlockSource(block), backend, events.append, Flag(), limits or Limits()).run()
    assert backend.closed
    return ending, events


def fails(cause: Cause, times: int) -> Script:
    def script(pack: Pack, attempt: int) -> list[Report]:
        return [begun(pack), failed(cause)] if attempt <= times else complete(pack)

    return script


def ends(events: Sequence[Event]) -> list[tuple[str, Cause | None]]:
    return [(each.state.value, each.cause) for each in events if isinstance(each, TrialEnded)]


def test_everything_that_is_handed_out_ends() -> None:
    ending, events = run(FakeBackend(lambda pack, _: complete(pack), slots=2), packs(1, 2, 1))
    assert ending is Ending.DONE
    assert ends(events) == [("COMPLETE", None)] * 4


@pytest.mark.parametrize(
    ("cause", "tries"),
    [(Cause.CODE, 1), (Cause.OOM, 2), (Cause.TIMEOUT, 2), (Cause.WORKER_LOST, 3), (Cause.DATA, 4), (Cause.DISK, 4)],
)
def test_a_cause_decides_how_often_a_trial_is_tried(cause: Cause, tries: int) -> None:
    backend = FakeBackend(fails(cause, times=99))
    _, events = run(backend, packs(1))
    assert len(backend.started) == tries
    assert ends(events) == [("FAILED", cause)]
    assert [each.cause for each in events if isinstance(each, AttemptLost)] == [cause] * (tries - 1)
    assert [each.traceback for each in events if isinstance(each, TrialEnded)] == ["Traceback ..."]


@pytest.mark.parametrize("cause", [Cause.NODE_LOST, Cause.PREEMPTED])
def test_losses_from_outside_are_never_counted_against_a_trial(cause: Cause) -> None:
    backend = FakeBackend(fails(cause, times=20))
    _, events = run(backend, packs(1))
    assert len(backend.started) == 21
    assert ends(events) == [("COMPLETE", None)]


def test_crashes_with_progress_between_them_are_forgiven() -> None:
    def script(pack: Pack, attempt: int) -> list[Report]:
        going = [begun(pack), epoch(pack, attempt)]
        return [*going, failed(Cause.WORKER_LOST)] if attempt <= 10 else complete(pack)

    _, events = run(FakeBackend(script), packs(1))
    assert ends(events) == [("COMPLETE", None)]


def test_crashes_at_the_same_epoch_are_counted() -> None:
    backend = FakeBackend(lambda pack, _: [begun(pack), epoch(pack, 1), failed(Cause.WORKER_LOST)])
    run(backend, packs(1))
    assert len(backend.started) == 3


def test_out_of_memory_halves_the_pack_before_it_counts() -> None:
    def script(pack: Pack, attempt: int) -> list[Report]:
        return complete(pack) if len(pack.trials) == 1 else [begun(pack), failed(Cause.OOM)]

    backend = FakeBackend(script)
    _, events = run(backend, packs(4))
    assert [seeds for seeds, _ in backend.started] == [(0, 1, 2, 3), (0, 1), (2, 3), (0,), (1,), (2,), (3,)]
    assert ends(events) == [("COMPLETE", None)] * 4


def test_a_step_that_could_not_be_recorded_is_trained_without_a_graph() -> None:
    recorded: list[str] = []

    def script(pack: Pack, attempt: int) -> list[Report]:
        recorded.append(pack.settings["training"]["cuda_graph"])
        failure = Failure(Cause.WORKER_LOST, "recording a step failed", in_graph=True)
        return [begun(pack), Report(is_over=True, failure=failure)] if recorded[-1] == "auto" else complete(pack)

    arm = {"training": {"cuda_graph": "auto", "epochs": 2}}
    _, events = run(FakeBackend(script), [Pack(arm, {0: "p0"})])
    assert recorded == ["auto", "never"]
    assert ends(events) == [("COMPLETE", None)]
    assert arm["training"]["cuda_graph"] == "auto"


def test_a_fault_of_the_data_is_tried_again_elsewhere() -> None:
    backend = FakeBackend(fails(Cause.DATA, times=1))
    run(backend, packs(1))
    assert [avoid for _, avoid in backend.started] == [frozenset(), frozenset({NODES[0].id})]


def test_other_packs_of_the_same_data_avoid_a_node_that_cannot_read_them() -> None:
    backend = FakeBackend(lambda pack, attempt: fails(Cause.DATA, times=1)(pack, attempt))
    block = [Pack({}, {0: f"p{at}"}, cost=9 - at, fingerprint=data) for at, data in enumerate("xxy")]
    _, events = run(backend, block)
    assert [avoid for _, avoid in backend.started[1:3]] == [{NODES[0].id}] * 2
    assert sum(isinstance(each, Notice) for each in events) == 1


def test_an_unfit_node_is_left_out_and_named_and_costs_no_attempt() -> None:
    def script(pack: Pack, attempt: int) -> list[Report]:
        return [Report(is_over=True, unfit="other code", node=NODES[0])] if attempt == 1 else complete(pack)

    backend = FakeBackend(script)
    _, events = run(backend, packs(1))
    assert backend.excluded == ["a"]
    assert [each.text for each in events if isinstance(each, Notice)] == ["host-a is left out: other code"]
    assert not [each for each in events if isinstance(each, AttemptLost)]
    assert ends(events) == [("COMPLETE", None)]


def test_a_run_without_a_fit_node_ends_with_their_reasons() -> None:
    nodes = iter(NODES)
    backend = FakeBackend(lambda pack, _: [Report(is_over=True, unfit="other code", node=next(nodes))])
    with pytest.raises(NoUsableNode, match="host-b: other code"):
        run(backend, packs(1))
    assert backend.closed


def test_a_worker_without_a_sign_is_ended_and_its_pack_tried_again() -> None:
    backend = FakeBackend(lambda pack, attempt: [begun(pack)] if attempt == 1 else complete(pack))
    _, events = run(backend, packs(1), Limits(silence=0.05))
    assert backend.killed == [1]
    (lost,) = [each for each in events if isinstance(each, AttemptLost)]
    assert (lost.cause, ends(events)) == (Cause.WORKER_LOST, [("COMPLETE", None)])


def test_a_trial_without_progress_is_ended_for_its_timeout() -> None:
    class Alive(FakeBackend):
        def poll(self, timeout: float) -> Report | None:
            return super().poll(timeout) or Report(key=len(self.started), steps=7)

    backend = Alive(lambda pack, _: [begun(pack)])
    _, events = run(backend, packs(1), Limits(timeout=0.05))
    assert backend.killed == [1, 2]
    assert ends(events) == [("FAILED", Cause.TIMEOUT)]


def test_steps_are_progress() -> None:
    class Busy(FakeBackend):
        polls = 0

        def poll(self, timeout: float) -> Report | None:
            self.polls += 1
            time.sleep(0.01)
            if self.polls < 150:
                return super().poll(timeout) or Report(key=1, steps=self.polls)
            return Report(key=1, events=[TrialEnded("p0-0", State.COMPLETE)], is_over=True)

    backend = Busy(lambda pack, _: [begun(pack)])
    _, events = run(backend, packs(1), Limits(timeout=1.0, silence=60))
    assert ends(events) == [("COMPLETE", None)]


def test_a_budget_of_trials_trains_exactly_so_many() -> None:
    ending, events = run(FakeBackend(lambda pack, _: complete(pack)), packs(2, 2, 2), Limits(budget=Budget(trials=3)))
    assert ending is Ending.BUDGET
    assert len(ends(events)) == 3


def test_a_budget_that_is_just_enough_is_not_used_up() -> None:
    ending, _ = run(FakeBackend(lambda pack, _: complete(pack)), packs(1, 2), Limits(budget=Budget(trials=3)))
    assert ending is Ending.DONE


def test_a_budget_of_time_lets_what_is_in_training_wait() -> None:
    ending, events = run(FakeBackend(lambda pack, _: [begun(pack)]), packs(1), Limits(budget=Budget(seconds=0.05)))
    assert ending is Ending.BUDGET
    assert [each.cause for each in events if isinstance(each, AttemptLost)] == [Cause.INTERRUPTED]


def test_a_budget_of_gpu_hours_counts_the_gpus_of_what_is_in_training() -> None:
    limits = Limits(gpus=2.0, budget=Budget(gpu_hours=0.2 / 3600))
    started = time.monotonic()
    ending, events = run(FakeBackend(lambda pack, _: [begun(pack)]), packs(1), limits)
    assert ending is Ending.BUDGET
    assert [each.cause for each in events if isinstance(each, AttemptLost)] == [Cause.INTERRUPTED]
    assert time.monotonic() - started >= 0.1  # two GPUs use up 0.2 s in half the time, and no sooner


def test_a_lost_cluster_lets_what_is_in_training_wait() -> None:
    class Lost(FakeBackend):
        def poll(self, timeout: float) -> Report | None:
            report = super().poll(timeout)
            if report is None:
                raise ClusterLost("the head is gone")
            return report

    backend, events = Lost(lambda pack, _: [begun(pack)], slots=2), []
    with pytest.raises(ClusterLost):
        Dispatcher(BlockSource(packs(1, 1)), backend, events.append, Flag()).run()
    causes = Counter((each.cause, each.reason) for each in events if isinstance(each, AttemptLost))
    assert causes == {(Cause.NODE_LOST, "the head is gone"): 2}
    assert backend.closed


def test_the_last_lines_that_a_trial_printed_are_kept_with_its_failure() -> None:
    text = "".join(f"line {number}\n" for number in range(50))
    backend = FakeBackend(lambda pack, _: [begun(pack), Report(output=text), failed(Cause.CODE)])
    _, events = run(backend, packs(1))
    log = events[-1].log
    assert log.splitlines() == [f"line {number}" for number in range(30, 50)]


def test_a_run_that_waits_for_its_first_worker_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "UNPLACED_SECONDS", 0.0)

    class Busy(FakeBackend):
        """Starts a pack after a few polls."""

        polls = 0

        def poll(self, timeout: float) -> Report | None:
            self.polls += 1
            return None if self.polls < 5 else super().poll(timeout)

    _, events = run(Busy(lambda pack, _: complete(pack), slots=2), packs(1, 1))
    (notice,) = [each for each in events if isinstance(each, Notice)]
    assert notice.text.startswith("no worker has begun to train within")
    assert len(ends(events)) == 2
