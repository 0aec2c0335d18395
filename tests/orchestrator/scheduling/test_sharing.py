"""Two studies that share trials: each trial is trained once, and both learn of its result."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import pytest

from orchestrator.engine import dispatch
from orchestrator.engine.dispatch import Dispatcher, Ending
from orchestrator.engine.limits import Budget, Limits
from orchestrator.records.events import AttemptStarted, EpochDone, Event, TrialEnded
from orchestrator.scheduling import sharing
from orchestrator.scheduling.packs import BlockSource, Pack
from orchestrator.scheduling.sharing import SharedTrials
from orchestrator.storage import Recorder, Reservations, Store
from reports.trials import Epoch, State
from tests.orchestrator.engine.fake import FakeBackend, complete
from tests.orchestrator.storage.conftest import plan_of

TRIALS = [trial.id for trial in plan_of().trials]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(sharing, "LOOK_SECONDS", 0.01)


@dataclass
class Second:
    """The second of two studies with the same trials, run by a driver of its own."""

    store: Store
    told: list[Event] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    backend: FakeBackend = field(default_factory=lambda: FakeBackend(lambda pack, _: complete(pack)))
    interrupted: Flag = field(default_factory=Flag)
    asked_for_more: list[int] = field(default_factory=list)

    def source(self, packs: list[Pack], more: list[Pack]) -> SharedTrials:
        def following() -> list[Pack]:
            self.asked_for_more.append(1)
            return more if len(self.asked_for_more) == 1 else []

        inner = BlockSource(packs, following)
        return SharedTrials(inner, self.store, "second", self.told.append, self.notices.append)

    def run(self, packs: list[Pack], limits: Limits | None = None, more: tuple[Pack, ...] = ()) -> Ending:
        source = self.source(packs, list(more))
        with self.store.lease("second"), Recorder(self.store, "second") as recorder:
            return Dispatcher(source, self.backend, recorder.put, self.interrupted, limits or Limits()).run()


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Second]:
    with Store.open(tmp_path / "results.db") as store:
        store.record_plan(plan_of())
        store.record_plan(plan_of(name="second"))
        yield Second(store)


def wait_for_notice(second: Second, thread: Thread) -> None:
    while not second.notices:
        assert thread.is_alive()
        thread.join(0.01)


def test_the_result_of_another_driver_is_taken_and_its_pack_is_cut(second: Second) -> None:
    mine, theirs = TRIALS[0], TRIALS[1]
    following = Pack({}, {0: TRIALS[2]})
    pack, endings = Pack({}, {0: mine, 1: theirs}, cost=2), []
    with second.store.lease("degradation"):
        second.store.reservations("degradation").take([theirs])
        thread = Thread(target=lambda: endings.append(second.run([pack], more=(following,))))
        thread.start()
        wait_for_notice(second, thread)
        with Recorder(second.store, "degradation") as recorder:
            recorder.put(AttemptStarted(theirs, "cpu", "here", {}))
            recorder.put(EpochDone(theirs, Epoch(1, 1.0, 50.0, 1.5, 60.0, 0.1, 2.0)))
            recorder.put(TrialEnded(theirs, State.COMPLETE, seconds=2.0))
        thread.join()
    assert endings == [Ending.DONE]
    assert [seeds for seeds, _ in second.backend.started] == [(0,), (0,)]  # its own trial, then that of the next block
    assert [(type(event), event.trial) for event in second.told] == [(EpochDone, theirs), (TrialEnded, theirs)]
    assert set(second.store.states(TRIALS[:3]).values()) == {State.COMPLETE}
    assert len(second.notices) == 1
    assert 'are being trained by the study "degradation" (process' in second.notices[0]


def test_a_result_that_cannot_be_read_now_is_read_later(second: Second, monkeypatch: pytest.MonkeyPatch) -> None:
    read, tries = Reservations.outcomes, []

    def at_the_second_try(self: Reservations, wanted: Collection[str]) -> dict[str, list[Event]]:
        tries.append(wanted)
        return read(self, wanted) if len(tries) > 1 else {}

    with second.store.lease("degradation"), Recorder(second.store, "degradation") as recorder:
        recorder.put(TrialEnded(TRIALS[0], State.COMPLETE))
    monkeypatch.setattr(Reservations, "outcomes", at_the_second_try)
    assert second.run([Pack({}, {0: TRIALS[0]})]) is Ending.DONE
    assert [event.trial for event in second.told] == [TRIALS[0]]
    assert second.backend.started == []


def test_what_another_driver_gives_up_is_trained_here(second: Second) -> None:
    endings: list[Ending] = []
    with second.store.lease("degradation"):
        second.store.reservations("degradation").take(TRIALS)
        thread = Thread(target=lambda: endings.append(second.run([Pack({}, {0: trial}) for trial in TRIALS])))
        thread.start()
        wait_for_notice(second, thread)
        assert second.backend.started == []
    thread.join()
    assert endings == [Ending.DONE]
    assert len(second.backend.started) == len(TRIALS)
    assert second.told == []


def test_a_driver_that_waits_for_another_can_be_interrupted(second: Second) -> None:
    endings: list[Ending] = []
    with second.store.lease("degradation"):
        second.store.reservations("degradation").take(TRIALS)
        thread = Thread(target=lambda: endings.append(second.run([Pack({}, {0: TRIALS[0]})])))
        thread.start()
        wait_for_notice(second, thread)
        second.interrupted.set()
        thread.join()
    assert endings == [Ending.INTERRUPTED]


def test_a_budget_of_time_ends_the_wait_for_another_driver(second: Second) -> None:
    with second.store.lease("degradation"):
        second.store.reservations("degradation").take(TRIALS)
        ending = second.run([Pack({}, {0: TRIALS[0]})], Limits(budget=Budget(seconds=0.05)))
    assert ending is Ending.BUDGET


def test_networks_that_are_only_measured_are_not_waited_for(second: Second) -> None:
    pack = Pack({}, {0: TRIALS[0]}, weights={0: "file"})
    with second.store.lease("degradation"):
        second.store.reservations("degradation").take(TRIALS)
        assert second.source([pack], []).next() is pack
