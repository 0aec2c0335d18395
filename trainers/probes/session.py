"""Measure the networks of a task with probes: during its training, at its end, or later from kept weights."""

import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from search_spaces.errors import SettingError
from search_spaces.user_code import line_of
from trainers.probes import ProbeRequest, Row
from trainers.probes.declaration import check_rows, check_scalars
from trainers.probes.subject import Bench, Partner, Subject

DIGITS = 8


@dataclass(frozen=True)
class Found:
    """What one probe found in one network: rows and scalars with their declaration, or why there is nothing."""

    request: ProbeRequest
    seed: int
    values: Mapping[str, Any]


@dataclass
class ProbeLog:
    """The rows measured so far, by seed, probe and epoch, so that a measurement that was cut short goes on.

    `path` is the file that keeps them; None keeps nothing. `notes` are plain values that whoever measures wants to find
    again.
    """

    path: Path | None
    rows: dict[str, list[Row]] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)
    notes: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path | None) -> "ProbeLog":
        """Return the log kept at `path`; an empty one where the file is missing or torn."""
        try:
            stored = json.loads(path.read_text(encoding="utf-8")) if path is not None else {}
            rows = {key: [Row(**row) for row in part] for key, part in stored.get("rows", {}).items()}
            return cls(path, rows, set(stored.get("finished", ())), dict(stored.get("notes", {})))
        except (OSError, ValueError, TypeError, AttributeError):
            return cls(path)

    def save(self) -> None:
        """Keep what is there, in one step; a full disk costs a repetition and nothing else."""
        if self.path is None:
            return
        stored = {
            "rows": {key: [asdict(row) for row in part] for key, part in self.rows.items()},
            "finished": sorted(self.finished),
            "notes": self.notes,
        }
        beside = self.path.with_name(f"{self.path.name}.{os.getpid()}.tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(json.dumps(stored), encoding="utf-8")
            beside.replace(self.path)
        except OSError:
            with suppress(OSError):  # on a read-only disk this fails as well
                beside.unlink(missing_ok=True)

    def drop(self, keys: Iterable[str]) -> None:
        """Forget the rows under these keys."""
        for key in tuple(keys):
            del self.rows[key]
            self.finished.discard(key)

    def remove(self) -> None:
        """Remove the file, when everything is handed on."""
        if self.path is not None:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)


class ProbeSession:
    """Measures the networks of one task.

    `weights_of` gives the weights of a seed after an epoch, None where they are not there any more; those at epoch 0
    are made again from the seed. `epochs` is how long the training is. `partners` are the networks of another seed
    that some probes need, by the seed measured.
    """

    def __init__(
        self,
        bench: Bench,
        requests: Sequence[ProbeRequest],
        epochs: int,
        log: ProbeLog,
        partners: Mapping[int, Partner] | None = None,
    ) -> None:
        self.bench = bench
        self.requests = tuple(requests)
        self.epochs = epochs
        self.log = log
        self.partners = partners or {}
        self._subjects: dict[str, Subject] = {}

    def watches(self, epoch: int) -> bool:
        """Whether a probe measures the networks after this epoch, in the middle of their training."""
        return any(self._wants(request, epoch) for request in self.requests)

    def watch(self, epoch: int, weights: Mapping[int, Mapping[str, Tensor]]) -> None:
        """Measure the networks of these seeds in the middle of their training, where a probe wants that epoch.

        An error ends no training: the probe meets it again at the end, and says so.
        """
        for request in self.requests:
            if not self._wants(request, epoch):
                continue
            for seed, state in weights.items():
                with suppress(Exception, SystemExit):
                    if 0 in request.probe.moments(self.epochs):  # now, since the network is made with those weights
                        list(self._measure(request, seed, None, 0))
                    list(self._measure(request, seed, state, epoch))

    def conclude(self, seed: int, weights: Mapping[str, Tensor], epoch: int) -> Iterator[Found | None]:
        """Measure a trained network; yield each probe's findings, and None after each chunk on the way to them.

        A probe that cannot measure this network gives its reason as a finding.
        """
        for request in self.requests:
            try:
                if 0 in request.probe.moments(self.epochs):
                    yield from self._measure(request, seed, None, 0)
                yield from self._measure(request, seed, weights, epoch)
                yield Found(request, seed, self._values(request, seed))
            except SettingError as error:
                yield Found(request, seed, failure(request, error.message))
            except SystemExit as error:
                yield Found(
                    request, seed, failure(request, f"the probe asked Python to exit (SystemExit: {error.code})")
                )
            except Exception as error:
                yield Found(request, seed, failure(request, f"{type(error).__name__}: {line_of(error)}"))

    def _wants(self, request: ProbeRequest, epoch: int) -> bool:
        return epoch != self.epochs and epoch in request.probe.moments(self.epochs)

    def _measure(
        self, request: ProbeRequest, seed: int, weights: Mapping[str, Tensor] | None, epoch: int
    ) -> Iterator[None]:
        place = f"{seed}/{request.key}/{epoch}/"
        partner = self.partners.get(seed) if request.probe.needs_partner else None
        key = place + _digest(weights) + (_digest(partner.state) if partner else "")
        # What was measured on other weights, before a training that was done again, does not go on.
        self.log.drop(each for each in self.log.rows if each.startswith(place) and each != key)
        if key in self.log.finished:
            return
        subject = self._subject(request, seed, weights, epoch, partner)
        done = self.log.rows.setdefault(key, [])
        try:
            with subject.computing():
                if request.probe.needs_units and not subject.units:
                    raise SettingError(needs_units(request.kind))
                for chunk in request.probe.measure(subject, tuple(done)):
                    done += [_rounded(row, epoch) for row in check_rows(request.kind, request.probe, chunk)]
                    yield None
        except BaseException:
            self._subjects.pop(request.key, None)  # a measurement that was cut short may leave its network changed
            raise
        self.log.finished.add(key)

    def _subject(
        self,
        request: ProbeRequest,
        seed: int,
        weights: Mapping[str, Tensor] | None,
        epoch: int,
        partner: Partner | None,
    ) -> Subject:
        """Return the network to measure; a probe that measures during the training has one for all its epochs."""
        if partner is not None or len(request.probe.moments(self.epochs)) < 2:
            return self.bench.subject(seed, weights, epoch, partner)
        if (subject := self._subjects.get(request.key)) is not None:
            subject.take(seed, self.bench.start(seed).state_dict() if weights is None else weights, epoch)
            return subject
        return self._subjects.setdefault(request.key, self.bench.subject(seed, weights, epoch))

    def _values(self, request: ProbeRequest, seed: int) -> dict[str, Any]:
        prefix = f"{seed}/{request.key}/"
        parts = [rows for key, rows in self.log.rows.items() if key.startswith(prefix)]
        return findings(request, sorted((row for rows in parts for row in rows), key=lambda row: row.epoch or 0))


def _digest(weights: Mapping[str, Tensor] | None) -> str:
    """Return 16 hexadecimal digits that identify weights; a word for those that a network starts from."""
    if weights is None:
        return "start"
    digest = hashlib.sha256()
    for tensor in weights.values():
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def findings(request: ProbeRequest, rows: Sequence[Row]) -> dict[str, Any]:
    """Return what is kept of a measurement: the rows, the scalars, and the probe's declaration."""
    scalars = check_scalars(request.kind, request.probe, request.probe.summarise(rows))
    return {
        "probe": request.probe.declaration(),
        "rows": [asdict(row) for row in rows],
        "scalars": {name: None if value is None else _round(value) for name, value in scalars.items()},
    }


def failure(request: ProbeRequest, reason: str) -> dict[str, Any]:
    """Return what is kept of a measurement that could not be made."""
    return {"probe": request.probe.declaration(), "rows": [], "scalars": {}, "failed": reason}


def needs_units(kind: str) -> str:
    """Say that a network has no units to measure."""
    return f"{kind} needs units, parts of one class that stand in a Sequential or ModuleList; this network has none"


def _rounded(row: Row, epoch: int) -> Row:
    numbers = {name: None if value is None else _round(value) for name, value in row.numbers.items()}
    return Row(row.at, numbers, row.epoch if row.epoch is not None else epoch)


def _round(value: float) -> float | None:
    """Return the number in as many digits as single precision has; None for what is not finite."""
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
