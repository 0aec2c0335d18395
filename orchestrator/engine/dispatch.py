"""The one dispatch loop: hand out the next packs, pass on what happens, stop what the source gives up."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import count
from threading import Event as Flag

from orchestrator.engine.backend import Backend, ClusterLost, Node, Report
from orchestrator.engine.failures import Failure
from orchestrator.engine.limits import Limits
from orchestrator.engine.retries import Retries
from orchestrator.engine.trial_logs import TrialLogs
from orchestrator.records.causes import Cause
from orchestrator.records.events import AttemptLost, EpochDone, Event, Notice, ProbesEnded, TrialEnded
from orchestrator.scheduling.packs import Pack, PackSource
from reports.trials import State

POLL_SECONDS = 0.5
BUSY_SECONDS = 5.0
"""A round of the loop that took longer was kept from listening: its workers are not to blame for the silence."""

UNPLACED_SECONDS = 60.0
"""When no worker has begun with any pack for so long, the user is told what the run waits for."""

WITHOUT_DATA_SECONDS = 60.0
"""How long packs avoid a node that could not read their data; then it is tried again."""

Sink = Callable[[Event], None]


class Ending(StrEnum):
    """How a dispatch ended: all is trained, the user interrupted it, its budget is used up, or the cluster is lost."""

    DONE = "done"
    INTERRUPTED = "interrupted"
    BUDGET = "budget"
    LOST = "lost"


@dataclass
class _InTraining:
    """A pack that a worker has or will have: its unfinished trials, and when it was heard of last."""

    pack: Pack
    unfinished: set[str]
    handed: float
    began: float | None = None
    heard: float = 0.0
    progressed: float = 0.0
    steps: int | None = None
    node: Node | None = None


@dataclass(frozen=True)
class _Waiting:
    """A pack that is to be tried again."""

    pack: Pack
    due: float
    avoid: frozenset[str] = frozenset()


@dataclass
class Dispatcher:
    """Trains the packs of a source on a backend; every event goes to `sink`, and to the source when it is about it.

    `begun` is told of every pack that is handed out, also for another attempt.
    """

    source: PackSource
    backend: Backend
    sink: Sink
    interrupted: Flag
    limits: Limits = field(default_factory=Limits)
    logs: TrialLogs = field(default_factory=TrialLogs)
    begun: Callable[[Pack], object] = lambda pack: None

    def __post_init__(self) -> None:
        self._in_training: dict[int, _InTraining] = {}
        self._waiting: list[_Waiting] = []
        self._retries = Retries()
        self._keys = count(1)
        self._begun = self._tick = time.monotonic()
        self._trials_begun: set[str] = set()
        self._gpu_seconds = 0.0
        self._is_cut = False
        self._told: set[str] = set()
        self._unreadable: dict[tuple[str, str | None], float] = {}

    def run(self) -> Ending:
        """Train until nothing is left, the user interrupts, or the budget is used up; ClusterLost at its end."""
        lost: ClusterLost | None = None
        try:
            while not self.interrupted.is_set() and not self._is_used_up():
                is_all_out = self._start_packs()
                if is_all_out and not self._in_training and not self._waiting and not self.source.is_waiting():
                    break
                self._take(self.backend.poll(self._patience()))
                self._watch()
        except ClusterLost as error:
            lost = error
            raise
        finally:
            self.backend.close()
            self._let_go(lost)
        return self._ending()

    def _ending(self) -> Ending:
        if self.interrupted.is_set():
            return Ending.INTERRUPTED
        is_left = self._is_cut or (
            self._are_trials_used_up() and (self.source.next() is not None or self.source.is_waiting())
        )
        return Ending.BUDGET if self._is_used_up() or is_left else Ending.DONE

    # Handing out

    def _start_packs(self) -> bool:
        """Hand out packs as long as there is room; return whether there was none left to hand out."""
        while len(self._in_training) < self.backend.slots():
            waiting = self._next()
            if waiting is None:
                return True
            key = next(self._keys)
            pack = waiting.pack
            unfinished = set(pack.trials.values())
            self._in_training[key] = _InTraining(pack, unfinished, time.monotonic())
            self._trials_begun |= unfinished
            self.begun(pack)
            self.backend.start(key, pack, waiting.avoid | self._without_data(pack))
        return False

    def _without_data(self, pack: Pack) -> frozenset[str]:
        """Return the nodes that could not read the data of a pack a short while ago."""
        moment = time.monotonic()
        return frozenset(
            node
            for (node, fingerprint), until in self._unreadable.items()
            if fingerprint == pack.fingerprint and until > moment
        )

    def _next(self) -> _Waiting | None:
        """Return the next pack: one whose time to be tried again has come, else a new one."""
        due = next((each for each in self._waiting if each.due <= time.monotonic()), None)
        if due is not None:
            self._waiting.remove(due)
            return due
        if self._are_trials_used_up():
            return None
        pack = self.source.next()
        return None if pack is None else _Waiting(self._within_budget(pack), 0.0)

    def _within_budget(self, pack: Pack) -> Pack:
        """Return a pack with as many of its trials as the budget still allows."""
        most = self.limits.budget.trials
        if most is None:
            return pack
        kept = list(pack.trials.values())[: most - len(self._trials_begun)]
        self._is_cut = self._is_cut or len(kept) < len(pack.trials)
        return pack.part(kept)

    def _are_trials_used_up(self) -> bool:
        most = self.limits.budget.trials
        return most is not None and len(self._trials_begun) >= most

    def _patience(self) -> float:
        soonest = min((each.due - time.monotonic() for each in self._waiting), default=POLL_SECONDS)
        return min(max(soonest, 0.01), POLL_SECONDS)

    # Taking in

    def _take(self, report: Report | None) -> None:
        mine = self._in_training.get(report.key) if report is not None else None
        if report is None or mine is None:
            return
        self._hear(mine, report)
        for event in report.events:
            self._pass_on(event, mine)
        if report.unfit is not None and report.node is not None:
            del self._in_training[report.key]
            self._leave_out(report.node, report.unfit, mine)
        elif report.failure is not None:
            del self._in_training[report.key]
            self._fail(mine, report.failure)
        elif report.is_over:
            del self._in_training[report.key]
        else:
            self._stop_early(report.key, mine)

    def _hear(self, mine: _InTraining, report: Report) -> None:
        moment = time.monotonic()
        mine.began = mine.began or moment
        mine.heard = moment
        if report.events or report.steps != mine.steps or not mine.progressed:
            mine.progressed = moment
        mine.steps = report.steps
        mine.node = report.node or mine.node
        for trial in mine.unfinished:
            self.logs.write(trial, report.output)

    def _pass_on(self, event: Event, mine: _InTraining | None = None) -> None:
        """Tell everyone about an event; a trial that has ended has no further ones."""
        if isinstance(event, Notice):
            if event.text not in self._told:
                self._told.add(event.text)
                self.sink(event)
            return
        if mine is not None and event.trial not in mine.unfinished:
            return
        if isinstance(event, EpochDone):
            self._retries.progressed(event.trial, event.epoch.epoch)
        elif isinstance(event, TrialEnded | ProbesEnded) and mine is not None:
            mine.unfinished.discard(event.trial)
        self.logs.note(event)
        self.sink(event)
        self.source.tell(event)

    def _stop_early(self, key: int, mine: _InTraining) -> None:
        ends = [replace(end, at=self.backend.now()) for end in self.source.stopped(mine.pack)]
        for end in ends:
            self._pass_on(end, mine)
        if ends:
            del self._in_training[key]
            self.backend.stop(key)

    # Failures

    def _fail(self, mine: _InTraining, failure: Failure) -> None:
        if not mine.unfinished:
            return
        again = self._retries.after(mine.pack, mine.unfinished, failure)
        for trial in sorted(mine.unfinished):
            if mine.pack.weights:  # it has its result, and lacks what was to be measured
                if again is None:
                    self._pass_on(ProbesEnded(trial, failure.reason))
                continue
            self._pass_on(self._end_of(trial, failure, is_final=again is None))
        if again is not None:
            avoid = frozenset({mine.node.id} if mine.node and again.elsewhere else ())
            if mine.node and failure.cause is Cause.DATA:
                self._unreadable[mine.node.id, mine.pack.fingerprint] = time.monotonic() + WITHOUT_DATA_SECONDS
                self._pass_on(
                    Notice(f"{mine.node.host} cannot read the data, so others are preferred: {failure.reason}")
                )
            due = time.monotonic() + again.delay
            self._waiting += [_Waiting(pack, due, avoid) for pack in again.packs]

    def _end_of(self, trial: str, failure: Failure, *, is_final: bool) -> TrialEnded | AttemptLost:
        """Return the event of an attempt that failed: the trial's end, or that it waits again."""
        cause, traceback, log, at = failure.cause, failure.traceback, self.logs.last_lines(trial), self.backend.now()
        if not is_final:
            return AttemptLost(trial, failure.reason, cause, traceback, log, at)
        return TrialEnded(trial, State.FAILED, failure.reason, cause=cause, traceback=traceback, log=log, at=at)

    def _leave_out(self, node: Node, reason: str, mine: _InTraining) -> None:
        """Train nothing more on a node, and the pack elsewhere; no attempt was made at it."""
        self._waiting.insert(0, _Waiting(mine.pack, 0.0))
        self._pass_on(Notice(f"{node.host} is left out: {reason}"))
        self.backend.exclude(node, reason)

    def _watch(self) -> None:
        """End the workers that give no sign or make no progress."""
        moment = time.monotonic()
        kept_away = moment - self._tick
        self._gpu_seconds += kept_away * self.limits.gpus * sum(each.began is not None for each in self._all())
        self._tick = moment
        if kept_away > BUSY_SECONDS:
            for each in self._all():
                each.heard, each.progressed = each.heard + kept_away, each.progressed + kept_away
            return
        self._tell_of_waiting(moment)
        for key, mine in list(self._in_training.items()):
            failure = self._overdue(mine, moment)
            if failure is not None:
                del self._in_training[key]
                self.backend.kill(key)
                self._fail(mine, failure)

    def _tell_of_waiting(self, moment: float) -> None:
        """Say once that no worker begins: the nodes may belong to others, which is no reason to give up."""
        packs = self._all()
        if packs and all(each.began is None and moment - each.handed > UNPLACED_SECONDS for each in packs):
            text = (
                f"no worker has begun to train within {UNPLACED_SECONDS:.0f} s: the nodes may be busy with other work "
                "or still starting; the run waits for them, at most as long as resources.budget.wall says"
            )
            self._pass_on(Notice(text))

    def _overdue(self, mine: _InTraining, moment: float) -> Failure | None:
        if mine.began is None:
            return None
        if moment - mine.heard > self.limits.silence:
            return Failure(
                Cause.WORKER_LOST, f"the worker gave no sign for {self.limits.silence:.0f} s and was ended{_at(mine)}"
            )
        timeout = self.limits.timeout
        if timeout is not None and moment - mine.progressed > timeout:
            return Failure(
                Cause.TIMEOUT, f"no news for {timeout:g} s (resources.timeout): the worker was ended{_at(mine)}"
            )
        return None

    # The end

    def _all(self) -> list[_InTraining]:
        return list(self._in_training.values())

    def _is_used_up(self) -> bool:
        budget = self.limits.budget
        if budget.seconds is not None and time.monotonic() - self._begun >= budget.seconds:
            return True
        return budget.gpu_hours is not None and self._gpu_seconds >= 3600 * budget.gpu_hours

    def _let_go(self, lost: ClusterLost | None) -> None:
        """Let the trials wait that were in training at the end."""
        reason, cause = "the run ended with an error", Cause.INTERRUPTED
        if lost is not None:
            reason, cause = str(lost), Cause.NODE_LOST
        elif self.interrupted.is_set():
            reason = "the run was interrupted"
        elif self._is_used_up():
            reason = "the budget of the run was used up"
        for mine in self._all():
            for trial in sorted(mine.unfinished):
                if mine.began is not None:
                    event = AttemptLost(trial, reason, cause, log=self.logs.last_lines(trial), at=self.backend.now())
                    self.logs.note(event)
                    self.sink(event)
        self._in_training.clear()


def _at(mine: _InTraining) -> str:
    return f" on {mine.node.host}" if mine.node else ""
