"""Run a study on a Ray cluster: the plan is a Tune searcher, the workers live long, the results stream back."""

import logging
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event as Flag
from threading import current_thread, main_thread
from typing import Any

# Ray reads these when it is imported. Tune's own loggers keep every result in the driver's memory; its experiment
# snapshots are not needed, because the results DB is what a study continues from; a trial's folder must not become
# the working directory, or relative data paths break; its new output prints in spite of verbose=0; and no message is
# to leave the machine.
# What the environment says of them would break a study, so it does not count.
os.environ |= {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "86400",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}

import ray
from ray import tune
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from orchestrator.engine.address import HINT
from orchestrator.engine.tokens import authenticated
from orchestrator.engine.worker import WorkerSettings, train_pack
from orchestrator.errors import UserError
from orchestrator.records.causes import Cause
from orchestrator.records.events import AttemptLost, Event, TrialEnded
from orchestrator.scheduling.packs import Pack, PackSource
from reports.results import State

CRASHES_PER_PACK = 2


class RayExecutor:
    """Trains packs on a Ray cluster: the one at `address`, or one started here for the duration of the study.

    Every pack asks for `cpus` and `gpus`; as many run at once as the cluster holds, at most `max_concurrent`.
    """

    def __init__(
        self,
        worker: WorkerSettings,
        *,
        cpus: float = 1,
        gpus: float = 0,
        address: str | None = None,
        max_concurrent: int | None = None,
    ) -> None:
        self._worker = worker
        self._share = {"CPU": cpus} | ({"GPU": gpus} if gpus else {})
        self._address = address
        self._max_concurrent = max_concurrent

    def execute(self, source: PackSource, sink: Callable[[Event], None], interrupted: Flag) -> None:
        """Train until the source is exhausted or `interrupted` is set; every event goes to `sink`.

        Raises UserError when the cluster cannot be reached or can never hold one pack.
        """
        relay = _Relay(source, sink, interrupted)
        with _cluster(self._address), tempfile.TemporaryDirectory(prefix="orchestrate-tune-") as folder:
            tuner = tune.Tuner(
                tune.with_resources(PackTrainable, tune.PlacementGroupFactory([self._share])),
                param_space={"worker": self._worker},
                tune_config=tune.TuneConfig(
                    search_alg=_PlanSearcher(source),
                    scheduler=_EarlyStops(relay),
                    num_samples=-1,
                    max_concurrent_trials=self._slots(),
                    reuse_actors=True,
                    trial_dirname_creator=lambda trial: str(trial.trial_id),
                ),
                run_config=tune.RunConfig(
                    storage_path=folder,
                    name="study",
                    verbose=0,
                    callbacks=[relay],
                    stop=_StopWhen(interrupted),
                    failure_config=tune.FailureConfig(max_failures=CRASHES_PER_PACK),
                    checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
                ),
            )
            logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # what it would say comes as events
            tuner.fit()
        if relay.error is not None:
            raise relay.error

    def _slots(self) -> int:
        """Return how many packs the cluster holds at once; UserError when it cannot hold a single one."""
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
        slots = sum(min(int(node.get(name, 0) / share) for name, share in self._share.items()) for node in nodes)
        if slots == 0:
            have = ", ".join(f"{node.get('CPU', 0):g} CPUs and {node.get('GPU', 0):g} GPUs" for node in nodes)
            want = f"{self._share['CPU']:g} CPUs and {self._share.get('GPU', 0):g} GPUs"
            raise UserError(
                f"resources: a pack asks for {want}, but no node of the cluster has that much (nodes: {have}); "
                "ask for less under `resources:`, or add a node"
            )
        return min(slots, self._max_concurrent or slots)


class PackTrainable(tune.Trainable):
    """Trains one pack, an epoch a step, in a process that then takes the next pack."""

    def setup(self, config: dict[str, Any]) -> None:
        """Begin with the first pack of this process."""
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin with the next pack; the data set and the imported packages stay."""
        self.cleanup()
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Train until there is news, and report it; the last report of a pack is the one without news."""
        events = next(self._steps, None)
        return {"events": events or [], "done": events is None}

    def cleanup(self) -> None:
        """Save a checkpoint when the pack is not finished."""
        self._steps.close()

    def _begin(self, config: dict[str, Any]) -> None:
        self._steps: Any = train_pack(config["pack"], config["worker"])


class _Unsaved:
    """Keeps an object out of the snapshots that Tune pickles: the results DB knows what is left to do."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class _PlanSearcher(_Unsaved, Searcher):
    """Hands the packs of a source to Tune."""

    def __init__(self, source: PackSource) -> None:
        super().__init__()
        self._source = source

    def suggest(self, trial_id: str) -> Any:
        pack = self._source.next()
        if pack is not None:
            return {"pack": pack}
        return Searcher.FINISHED if self._source.exhausted() else None

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        pass

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        pass


class _Relay(_Unsaved, tune.Callback):
    """Passes events on. It never raises, which would end the study: it interrupts and keeps the first error."""

    def __init__(self, source: PackSource, sink: Callable[[Event], None], interrupted: Flag) -> None:
        self.error: Exception | None = None
        self._source = source
        self._sink = sink
        self._interrupted = interrupted
        self._ended: set[str] = set()

    def on_report(self, trial: Any, events: list[Event]) -> bool:
        """Pass a worker's report on; return whether its pack is to be stopped."""
        self._pass_on(events)
        ends: list[Event] = []
        try:
            ends += self._source.stopped(trial.config["pack"])
        except Exception as error:
            self._fail(error)
        self._pass_on(ends)
        return bool(ends)

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:
        self._pass_on(
            [AttemptLost(each, "the worker process died", Cause.WORKER_LOST) for each in self._unfinished(trial)]
        )

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:
        facts: Any = {"reason": f"the worker process died {CRASHES_PER_PACK + 1} times", "cause": Cause.WORKER_LOST}
        self._pass_on([TrialEnded(each, State.FAILED, **facts) for each in self._unfinished(trial)])

    def _unfinished(self, tune_trial: Any) -> list[str]:
        pack: Pack = tune_trial.config["pack"]
        return [trial for trial in pack.trials.values() if trial not in self._ended]

    def _pass_on(self, events: list[Event]) -> None:
        try:
            for event in events:
                if isinstance(event, TrialEnded):
                    self._ended.add(event.trial)
                self._sink(event)
                self._source.tell(event)
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self.error = self.error or error
        self._interrupted.set()


class _EarlyStops(_Unsaved, FIFOScheduler):
    """Hands every report to the relay, and stops the packs that the source gives up."""

    def __init__(self, relay: _Relay) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._relay = relay

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        decision = TrialScheduler.STOP if self._relay.on_report(trial, result["events"]) else TrialScheduler.CONTINUE
        return str(decision)


class _StopWhen(_Unsaved, tune.Stopper):
    """Ends the study when a flag is set."""

    def __init__(self, flag: Flag) -> None:
        self._flag = flag

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return self._flag.is_set()


@contextmanager
def _cluster(address: str | None) -> Iterator[None]:
    """Connect to the cluster at `address`, or start one here; leave what was already there as it was."""
    if ray.is_initialized():
        yield
        return
    with authenticated(address):
        _connect(address)
        try:
            yield
        finally:
            ray.shutdown()


def _connect(address: str | None) -> None:
    try:
        with _own_signals():
            ray.init(
                address=address or "local",
                include_dashboard=False if address is None else None,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
    except Exception as error:  # Ray raises a bare Exception when its processes do not start in time
        said = " ".join(str(error).split()) or type(error).__name__
        if address:
            raise UserError(f"--address: cannot use the Ray cluster at {address}: {said}; {HINT}") from None
        raise UserError(
            f"Ray cannot start on this machine: {said}; `orchestrate doctor` checks what it needs, and `--executor "
            "inline` trains without it"
        ) from None


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep the handler of SIGTERM, which Ray replaces by one that ends the process at once."""
    handler = signal.getsignal(signal.SIGTERM)
    yield
    if current_thread() is main_thread():
        signal.signal(signal.SIGTERM, handler)
