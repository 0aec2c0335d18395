"""A log file for each trial, on the driver's side: what its attempts did, and what they printed, wherever they ran."""

from collections import deque
from pathlib import Path

from orchestrator.records.events import (
    AttemptLost,
    AttemptStarted,
    EpochDone,
    Event,
    Measured,
    Notice,
    ProbesEnded,
    Resumed,
    TrialEnded,
    WeightsKept,
)
from reports.trials import Epoch

LAST_LINES = 20


class TrialLogs:
    """Writes ``<trial>.log`` files into a folder, and knows the last lines of each; without a folder only these."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._last: dict[str, deque[str]] = {}

    def note(self, event: Event) -> None:
        """Write what an event says of its trial, and forget the lines of an attempt that ended."""
        if event.trial is None:
            return
        self.write(event.trial, f"{event.at:%Y-%m-%d %H:%M:%S} {_sentence(event)}\n", printed=False)
        if isinstance(event, AttemptLost | TrialEnded):
            self._last.pop(event.trial, None)

    def write(self, trial: str, text: str, *, printed: bool = True) -> None:
        """Append text to a trial's log; a disk that cannot take it changes nothing else."""
        if not text:
            return
        if printed:
            self._last.setdefault(trial, deque(maxlen=LAST_LINES)).extend(text.splitlines())
        if self._folder is None:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / f"{trial}.log").open("a", encoding="utf-8", errors="replace") as file:
                file.write(text if text.endswith("\n") else f"{text}\n")
        except OSError:
            return

    def last_lines(self, trial: str) -> str | None:
        """Return the last lines that a trial printed; None when it printed nothing."""
        return "\n".join(self._last.get(trial, ())) or None


def _sentence(event: Event) -> str:
    if isinstance(event, AttemptStarted):
        return f"an attempt began on {event.host} ({event.device})"
    if isinstance(event, Resumed):
        return f"it continues from a checkpoint after epoch {event.epoch}"
    if isinstance(event, EpochDone):
        return _numbers(event.epoch)
    if isinstance(event, AttemptLost):
        return f"the attempt ended without a result ({event.cause}): {event.reason}{_traceback(event.traceback)}"
    if isinstance(event, TrialEnded):
        reason = f": {event.reason}" if event.reason else ""
        return f"ended as {event.state}{reason}{_traceback(event.traceback)}"
    if isinstance(event, Notice):
        return event.text
    return _of_probes(event)


def _of_probes(event: WeightsKept | Measured | ProbesEnded) -> str:
    if isinstance(event, WeightsKept):
        return f"kept the weights of epoch {event.epoch} in {event.path}"
    if isinstance(event, Measured):
        return f"measured {event.probe}"
    return f"the measuring ended: {event.reason or 'all is measured'}"


def _numbers(epoch: Epoch) -> str:
    values = {"train error": epoch.train_error, "validation error": epoch.val_error, "test error": epoch.test_error}
    errors = "".join(f", {name} {value:.2f} %" for name, value in values.items() if value is not None)
    return f"epoch {epoch.epoch}: train loss {epoch.train_loss:.4g}{errors}, {epoch.seconds:.1f} s"


def _traceback(text: str | None) -> str:
    return f"\n{text.rstrip()}" if text else ""
