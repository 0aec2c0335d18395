"""What Ray Tune calls in the driver: for the next pack, with every report, and at the end of a process."""

import threading
from typing import Any, Protocol

import orchestrator.engine.cluster  # noqa: F401 (sets what Ray reads at import)

# isort: split
from ray import tune
from ray.tune.schedulers import FIFOScheduler
from ray.tune.search import Searcher

from orchestrator.engine.backend import Report


class TuneClient(Protocol):
    """Where the hooks get their packs and hand on what Tune tells them."""

    def next_pack(self) -> dict[str, Any] | None:
        """Return the configuration of the next Tune trial; None when no pack waits."""

    def is_closing(self) -> bool:
        """Whether nothing more is to be trained."""

    def begun(self, trial: Any) -> None:
        """Note which Tune trial trains its first pack."""

    def reported(self, trial: Any, report: Report) -> str:
        """Pass a report on and return whether the worker goes on."""

    def failed(self, trial: Any) -> None:
        """Report that the process of a pack is gone."""


class _Unsaved:
    """Keeps an object out of the snapshots that Tune pickles: the results DB knows what is left to do."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class PlanSearcher(_Unsaved, Searcher):
    """Hands the packs that wait to Tune."""

    def __init__(self, client: TuneClient) -> None:
        super().__init__()
        self._client = client

    def suggest(self, trial_id: str) -> Any:
        """Return the configuration of the next trial."""
        if self._client.is_closing():
            return Searcher.FINISHED
        return self._client.next_pack()

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Do nothing: the reports tell it."""

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Save nothing: the results DB knows what is left to do."""


class ReportScheduler(_Unsaved, FIFOScheduler):
    """Hands every report to the client, and stops the workers that it does not need."""

    def __init__(self, client: TuneClient) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Ray's own, without types
        self._client = client

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Return whether the trial goes on."""
        return self._client.reported(trial, result["report"])


class TrialCallback(_Unsaved, tune.Callback):
    """Tells the client which process trains a pack, and when that process is gone."""

    def __init__(self, client: TuneClient) -> None:
        self._client = client

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:
        """Tell which trial has begun."""
        self._client.begun(trial)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:
        """Tell which trial has lost its process."""
        self._client.failed(trial)


class StopWhen(_Unsaved, tune.Stopper):
    """Ends Tune when a flag is set."""

    def __init__(self, flag: threading.Event) -> None:
        self._flag = flag

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Let every trial go on."""
        return False

    def stop_all(self) -> bool:
        """Return whether all is to end."""
        return self._flag.is_set()
