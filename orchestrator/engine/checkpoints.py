"""The checkpoints of packs: written by workers so that another attempt goes on, removed by the driver at the end."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import trainers
from orchestrator.records.environment import host_name
from orchestrator.records.events import Event, Notice, TrialEnded
from orchestrator.scheduling.packs import Pack

Save = Callable[[], None]
MARK = ".shared"


class Checkpoints:
    """The checkpoint of one pack and the one before it, in a folder; without a folder none is kept.

    A disk that cannot take a checkpoint never ends a training, which needs none to finish: the user gets a notice.
    """

    def __init__(self, folder: Path | None, pack: str, seconds: float) -> None:
        self._path: Path | None = None
        self._before: Path | None = None
        if folder is not None:
            self._path, self._before = paths(folder, pack)
        self._seconds = seconds
        self._saved_at = time.monotonic()

    def resume(self, task: trainers.Task, device: str, threads: int) -> tuple[trainers.Trainer, list[Event]]:
        """Return a trainer that goes on from the newest checkpoint that fits, and what is to be told of the others."""
        notices: list[Event] = []
        for path in (self._path, self._before):
            if path is None or not path.exists():
                continue
            try:
                return trainers.Trainer.resume(task, path, device=device, threads=threads), notices
            except Exception as error:  # a file of another version may hold anything
                if _is_of_the_machine(error):
                    raise
                notices.append(Notice(f"the checkpoint {path.name} on {host_name()} is not used: {_first_line(error)}"))
        return trainers.Trainer(task, device=device, threads=threads), notices

    def save_if_due(self, trainer: trainers.Trainer, also: Save) -> list[Event]:
        """Save when the last checkpoint is old enough; return what is to be told."""
        return self.save(trainer, also) if time.monotonic() - self._saved_at >= self._seconds else []

    def save_end(self, trainer: trainers.Trainer, also: Save) -> list[Event]:
        """Save a finished training that took long, until its results are recorded; return what is to be told."""
        if self._path is None or not (self._path.exists() or time.monotonic() - self._saved_at >= self._seconds):
            return []
        return self.save(trainer, also)

    def save(self, trainer: trainers.Trainer, also: Save) -> list[Event]:
        """Save now, what `also` saves too, and keep the checkpoint before; return what is to be told."""
        if self._path is None or self._before is None:
            return []
        self._saved_at = time.monotonic()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.exists():
                self._path.replace(self._before)
            trainer.save(self._path)
            also()
        except (OSError, RuntimeError) as error:  # torch's writer raises RuntimeError for a full disk
            place = f"{self._path.parent} on {host_name()}"
            text = f"checkpoints cannot be written to {place} ({_first_line(error)}); trials go on without them"
            return [Notice(text)]
        return []


class RecordedPacks:
    """Removes the checkpoints of a pack once the results of all its trials are in the database; a listener."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._packs: dict[str, tuple[str, set[str]]] = {}

    def follow(self, pack: Pack) -> None:
        """Wait for the results of a pack's trials."""
        before = {self._packs[trial][0] for trial in pack.trials.values() if trial in self._packs}
        if pack.id in before:  # another attempt at the same pack, some of whose trials may have ended
            return
        if self._folder is not None:
            for each in before:  # a larger pack, whose checkpoint serves no part of it
                remove(progress_files(self._folder, each))
        unfinished = set(pack.trials.values())
        for trial in unfinished:
            self._packs[trial] = (pack.id, unfinished)

    def __call__(self, event: Event) -> None:
        """Take in a recorded event."""
        if self._folder is None or not isinstance(event, TrialEnded) or not event.state.is_outcome():
            return
        pack, unfinished = self._packs.pop(event.trial, ("", {event.trial}))
        unfinished.discard(event.trial)
        if pack and not unfinished:
            remove(progress_files(self._folder, pack))


def share(folder: Path) -> None:
    """Mark the folder of the checkpoints, so that workers on other hosts see whether it is theirs, too."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).touch()


def unshared(folder: Path | None, driver: str | None) -> list[Event]:
    """Return what is to be told when this host, another than the driver's, does not share the driver's folder."""
    if folder is None or driver in (None, host_name()) or (folder / MARK).exists():
        return []
    text = (
        f"checkpoints on {host_name()} stay there, since {folder} is no folder that all nodes share: "
        "a trial whose node is lost starts over; name one with --out"
    )
    return [Notice(text)]


def paths(folder: Path, pack: str) -> tuple[Path, Path]:
    """Return the files of a pack: its newest checkpoint, and the one before."""
    return folder / f"{pack}.pt", folder / f"{pack}.before.pt"


def progress_files(folder: Path, pack: str) -> tuple[Path, ...]:
    """Return every file that helps an attempt at a pack to go on: its checkpoints, and what its probes measured."""
    return (*paths(folder, pack), folder / f"{pack}.probes.json")


def remove(files: Iterable[Path]) -> None:
    """Remove files, as far as that can be done."""
    for file in files:
        try:
            file.unlink(missing_ok=True)
        except OSError:
            continue


def _is_of_the_machine(error: Exception) -> bool:
    from trainers.process import is_out_of_memory

    return is_out_of_memory(error)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
