"""The checkpoints of packs: written by workers so that another attempt goes on, removed by the driver at the end."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import trainers
from orchestrator.engine.shared_folder import OutOfReach, SharedFolder
from orchestrator.engine.shared_removal import SharedRemoval
from orchestrator.records.environment import host_name
from orchestrator.records.events import Event, Notice, TrialEnded
from orchestrator.scheduling.packs import Pack
from reports.trials import State

Save = Callable[[], None]
MARK = ".shared"
FETCH_PAUSES = (2.0, 8.0, 0.0)
"""Seconds after each try to read a checkpoint from a storage that may come back."""


class Checkpoints:
    """The checkpoint of one pack and the one before it, in a folder; without a folder none is kept.

    With a `shared` folder they are kept there, and here only what it does not take. A disk or a storage that cannot
    take a checkpoint never ends a training, which needs none to finish: the user gets a notice.
    """

    def __init__(self, folder: Path | None, pack: str, seconds: float, shared: SharedFolder | None = None) -> None:
        self._files: tuple[Path, ...] = ()
        if folder is not None:
            self._files = progress_files(folder, pack)
        self._shared = shared
        self._seconds = seconds
        self._saved_at = time.monotonic()
        self._is_kept = False

    def resume(self, task: trainers.Task, device: str, threads: int) -> "tuple[trainers.Trainer, list[Event]]":
        """Return a trainer that goes on from the newest checkpoint that fits, and what is to be told of the others."""
        notices = self._fetch()
        for path in self._files[:2]:
            if not path.exists():
                continue
            self._is_kept = True
            try:
                return trainers.Trainer.resume(task, path, device=device, threads=threads), notices
            except Exception as error:  # a file of another version may hold anything
                if _is_of_the_machine(error):
                    raise
                notices.append(Notice(f"the checkpoint {path.name} on {host_name()} is not used: {_first_line(error)}"))
        return trainers.Trainer(task, device=device, threads=threads), notices

    def save_if_due(self, trainer: "trainers.Trainer", also: Save) -> list[Event]:
        """Save when the last checkpoint is old enough; return what is to be told."""
        return self.save(trainer, also) if time.monotonic() - self._saved_at >= self._seconds else []

    def save_end(self, trainer: "trainers.Trainer", also: Save) -> list[Event]:
        """Save a finished training that took long, until its results are recorded; return what is to be told."""
        return self.save(trainer, also) if self._is_kept else self.save_if_due(trainer, also)

    def save(self, trainer: "trainers.Trainer", also: Save) -> list[Event]:
        """Save now, what `also` saves too, and keep the checkpoint before; return what is to be told."""
        if not self._files:
            return []
        newest, before, _ = self._files
        self._saved_at = time.monotonic()
        try:
            newest.parent.mkdir(parents=True, exist_ok=True)
            if newest.exists():
                newest.replace(before)
            trainer.save(newest)
            self._is_kept = True
            also()
        except (OSError, RuntimeError) as error:  # torch's writer raises RuntimeError for a full disk
            place = f"{newest.parent} on {host_name()}"
            text = f"checkpoints cannot be written to {place} ({_first_line(error)}); trials go on without them"
            return [Notice(text)]
        return self._send()

    def _send(self) -> list[Event]:
        """Move what was saved to the shared folder; return what is to be told where it does not take it."""
        if self._shared is None:
            return []
        newest, before, probes = self._files
        try:
            self._shared.send(newest, keep=before.name)
            if probes.exists():
                self._shared.send(probes)
        except OutOfReach as error:
            text = (
                f"checkpoints cannot be sent to {self._shared.url} ({error}) and stay on {host_name()} until they can"
            )
            return [Notice(text)]
        remove([newest, before])
        return []

    def _fetch(self) -> list[Event]:
        """Bring what the shared folder has of this pack; return what is to be told where it cannot be reached.

        A file that could not be sent from here and that is further than the shared one stays.
        """
        if self._shared is None or not self._files:
            return []
        for pause in FETCH_PAUSES:
            try:
                for path in self._files:
                    fetched = path.with_name(f"{path.name}.fetched")
                    if self._shared.fetch(path.name, fetched):
                        _keep_the_further(fetched, path)
                return []
            except OutOfReach as error:
                reason = error
                time.sleep(pause)
        text = f"checkpoints in {self._shared.url} cannot be read on {host_name()} ({reason}): trainings start over"
        return [Notice(text)]


class RecordedPacks:
    """Removes the checkpoints of a pack once the results of all its trials are in the database; a listener.

    Those in a shared folder are removed in another thread, so that no recording waits for a storage.
    """

    def __init__(self, folder: Path | None, shared: SharedFolder | None = None) -> None:
        self._folder = folder
        self._shared = None if shared is None else SharedRemoval(shared)
        self._packs: dict[str, tuple[str, set[str]]] = {}
        self._stopped: set[str] = set()

    def follow(self, pack: Pack) -> None:
        """Wait for the results of a pack's trials."""
        before = {self._packs[trial][0] for trial in pack.trials.values() if trial in self._packs}
        if pack.id in before:  # another attempt at the same pack, some of whose trials may have ended
            return
        for each in before:  # a larger pack, whose checkpoint serves no part of it
            self._remove(each)
        unfinished = set(pack.trials.values())
        for trial in unfinished:
            self._packs[trial] = (pack.id, unfinished)

    def __call__(self, event: Event) -> None:
        """Take in a recorded event."""
        if not isinstance(event, TrialEnded):
            return
        if event.state is State.PRUNED and event.trial in self._packs:
            self._stopped.add(self._packs[event.trial][0])
        if not event.state.is_outcome():
            return
        pack, unfinished = self._packs.pop(event.trial, ("", {event.trial}))
        unfinished.discard(event.trial)
        if pack and not unfinished:
            self._remove(pack)

    def close(self) -> None:
        """Remove the checkpoints of what was stopped early, and what could not be removed before."""
        for pack in sorted(self._stopped):
            self._remove(pack)
        if self._shared is not None:
            self._shared.close()

    def _remove(self, pack: str) -> None:
        if self._folder is None:
            return
        files = progress_files(self._folder, pack)
        remove(files)
        if self._shared is not None:
            self._shared.remove(file.name for file in files)


def share(folder: Path) -> None:
    """Mark the folder of the checkpoints, so that workers on other hosts see whether it is theirs, too."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).touch()


def unshared(folder: Path | None, driver: str | None, shared: SharedFolder | None = None) -> list[Event]:
    """Return what is to be told when this host, another than the driver's, does not share the driver's folder."""
    if folder is None or driver in (None, host_name()):
        return []
    if shared is not None:
        with suppress(OutOfReach):  # what cannot be reached now was told when the checkpoint was looked for
            if not shared.has(MARK):
                return [Notice(_alone(f"{shared.url} is another place there", "resources.checkpoints"))]
        return []
    if (folder / MARK).exists():
        return []
    return [Notice(_alone(f"{folder} is no folder that all nodes share", "--out, or a URL with resources.checkpoints"))]


def _alone(why: str, remedy: str) -> str:
    return (
        f"checkpoints on {host_name()} stay there, since {why}: a trial whose node is lost starts over; "
        f"name one that all nodes share with {remedy}"
    )


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


def _keep_the_further(fetched: Path, path: Path) -> None:
    """Put a file in the place of another unless that one holds more of the training."""
    if path.exists() and _progress(path) >= _progress(fetched):
        fetched.unlink()
    else:
        fetched.replace(path)


def _progress(path: Path) -> int:
    """Return how far a file of a pack is: a checkpoint in epochs, what was measured by its size."""
    from trainers.checkpoint import epochs_in  # imports torch, which the driver does not need

    return epochs_in(path) if ".pt" in path.suffixes else path.stat().st_size


def _is_of_the_machine(error: Exception) -> bool:
    from trainers.process import is_out_of_memory

    return is_out_of_memory(error)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
