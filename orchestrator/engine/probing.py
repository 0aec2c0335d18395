"""Keep the weights of trained networks and measure them, on the worker that trains them or later from the files."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

import trainers
from orchestrator.engine.failures import failure_of
from orchestrator.records.events import Event, Measured, ProbesEnded, WeightsKept
from orchestrator.scheduling.packs import Pack
from trainers.probes.session import Found, ProbeLog, ProbeSession
from trainers.probes.subject import Bench, Partner
from trainers.weights import Weights, WeightsError, load_weights, save_weights

PAUSE = 1.0  # seconds between two looks at whether the measuring is to stop


@dataclass(frozen=True)
class Keeping:
    """Which weights of a trial are kept, and in which folder: ``none``, ``last``, ``best`` or ``all``."""

    which: str = "none"
    folder: Path | None = None


class PackProbing:
    """Follows the training of a pack: keeps weights as they come, and measures the networks.

    `log` is the file of what is measured so far; None keeps nothing, and a measurement that is cut short begins anew.
    """

    def __init__(self, pack: Pack, keeping: Keeping, trainer: trainers.Trainer, log: Path | None) -> None:
        self.pack = pack
        self.keeping = keeping
        self.trainer = trainer
        self.has_work = bool(pack.probes) or keeping.which != "none"
        """Whether there is anything to do when the training is over."""
        self._log = ProbeLog.open(log if self.has_work else None)
        bench = Bench(trainer.task, trainer.info, trainer.loader, trainer.numerics)
        schedule = trainer.schedule
        epochs = math.ceil(schedule.total / len(schedule.batches))
        self._session = ProbeSession(bench, pack.probes, epochs, self._log)
        self._superseded: list[str] = []

    def after_epoch(self, records: Sequence[trainers.EpochRecord]) -> list[Event]:
        """Keep and measure what this epoch's end asks for."""
        if records and self._session.watches(records[0].epoch):
            weights = {record.seed: self._state(record.seed) for record in records}
            self._session.watch(records[0].epoch, weights)
        if self.keeping.which == "all":
            return [event for record in records if (event := self._keep(record.seed, record.epoch))]
        if self.keeping.which == "best":
            for record in records:
                self._follow_best(record)
        return []

    def conclude(self) -> Iterator[list[Event]]:
        """Keep and measure the networks that are trained; yield the events, and nothing now and then."""
        done = [outcome for outcome in self.trainer.outcomes() if outcome.state == "COMPLETE"]
        for outcome in done:
            if self.keeping.which == "last":
                yield [event for event in [self._keep(outcome.seed, outcome.epochs)] if event]
            best = self._log.notes.get(f"best {outcome.seed}")
            if best is not None:
                yield [WeightsKept(self.pack.trials[outcome.seed], *best[1:])]
        for outcome in done:
            trial, state = self.pack.trials[outcome.seed], self._state(outcome.seed)
            yield from measure(self._session, trial, outcome.seed, state, outcome.epochs)

    def save(self) -> None:
        """Keep what is measured so far."""
        self._log.save()
        for path in self._superseded:  # only now that no file says they are the best
            with suppress(OSError):
                Path(path).unlink()
        self._superseded.clear()

    def remove(self) -> None:
        """Remove what was kept of unfinished measurements."""
        self.save()
        self._log.remove()

    def _state(self, seed: int) -> Mapping[str, Tensor]:
        return next(each.network.state_dict() for each in self.trainer.replicas if each.seed == seed)

    def _keep(self, seed: int, epoch: int) -> WeightsKept | None:
        """Write the weights of one seed; a full disk must not end the training, and leaves none."""
        if self.keeping.folder is None:
            return None
        trainer = self.trainer
        weights = Weights.of(trainer.task.network, trainer.info, trainer.loader, self._state(seed), seed, epoch)
        try:
            path, size = save_weights(self.keeping.folder, weights)
        except OSError:
            return None
        return WeightsKept(self.pack.trials[seed], epoch, path.stem, size, str(path))

    def _follow_best(self, record: trainers.EpochRecord) -> None:
        """Keep the weights of the epoch with the least error on held-out images, or on the test set without any."""
        error = record.test_error if record.val_error is None else record.val_error
        before = self._log.notes.get(f"best {record.seed}")
        if error is None or (before is not None and error >= before[0]):
            return
        if (kept := self._keep(record.seed, record.epoch)) is not None:
            self._log.notes[f"best {record.seed}"] = [error, kept.epoch, kept.digest, kept.bytes, kept.path]
            if before is not None and before[4] != kept.path:
                self._superseded.append(before[4])


def measure_pack(pack: Pack, device: str, threads: int, log: Path | None) -> Iterator[list[Event]]:
    """Measure the networks of a pack from their kept weights; yield what was found, and when a trial is done."""
    task = trainers.Task(**pack.settings, seeds=tuple(pack.trials), fingerprint=pack.fingerprint)
    progress = ProbeLog.open(log)
    for seed, trial in pack.trials.items():
        reason = None
        try:
            weights = load_weights(Path(pack.weights[seed]))
            bench = Bench.of(task, device, threads)
            session = ProbeSession(bench, pack.probes, weights.epoch, progress, _partner(pack, seed))
            yield from measure(session, trial, seed, weights.state, weights.epoch)
        except GeneratorExit:
            progress.save()
            raise
        except WeightsError as error:
            reason = str(error)
        except Exception as error:
            reason = failure_of(error).reason
        yield [ProbesEnded(trial, reason)]
    progress.remove()


def _partner(pack: Pack, seed: int) -> dict[int, Partner]:
    """Return the network that some probe needs beside that of a seed; nothing where no probe does, or it is gone."""
    if seed not in pack.partners or not any(request.probe.needs_partner for request in pack.probes):
        return {}
    try:
        weights = load_weights(Path(pack.partners[seed]))
    except WeightsError:
        return {}
    return {seed: Partner(weights.seed, weights.state)}


def measure(
    session: ProbeSession, trial: str, seed: int, state: Mapping[str, Tensor], epoch: int
) -> Iterator[list[Event]]:
    """Run every probe of a session on one network; yield each one's findings, and nothing now and then on the way."""
    began = paused = time.monotonic()
    for outcome in session.conclude(seed, state, epoch):
        if isinstance(outcome, Found):
            seconds, began = time.monotonic() - began, time.monotonic()
            request = outcome.request
            yield [Measured(trial, request.kind, request.key, request.settings, outcome.values, seconds)]
        elif time.monotonic() - paused >= PAUSE:
            session.log.save()
            paused = time.monotonic()
            yield []
