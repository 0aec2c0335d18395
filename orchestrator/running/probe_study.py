"""Measure the finished networks of a study from their kept weights, by the same workers that train."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.engine.backend import Backend
from orchestrator.engine.dispatch import Dispatcher
from orchestrator.errors import UserError
from orchestrator.records.events import Event, Measured, ProbesEnded
from orchestrator.results.location import database, output_folder
from orchestrator.running.executors import check_executor, inline_backend, own_code, ray_backend, worker_settings
from orchestrator.running.signals import interruptible
from orchestrator.scheduling.measuring import measuring_packs, unmeasurable
from orchestrator.scheduling.packs import BlockSource
from orchestrator.storage import Recorder, Store
from orchestrator.study_file.sections import Resources
from reports.results import Study
from reports.trials import State, Trial
from reports.wording import counted
from search_spaces.errors import SettingError
from search_spaces.user_code import look_in
from trainers.probes import PROBES, ProbeRequest, complete_probes, probe_kind

Say = Callable[[str], object]


@dataclass(frozen=True)
class ProbeResult:
    """How measuring ended: how many measurements were made and how many failed, and whether it was interrupted."""

    made: int
    failed: int
    interrupted: bool


def probe_study(
    name: str,
    db: str | None = None,
    kinds: Sequence[str] = (),
    *,
    address: str | None = None,
    out: Path | None = None,
    executor: str = "ray",
    say: Say = lambda line: None,
) -> ProbeResult:
    """Make the measurements that a study lacks: of the probes that its file asks for, or of these `kinds`.

    Probes that the file does not name have their default settings. Every measurement is recorded as it comes; one that
    is cut short goes on the next time. UserError for an unknown study or probe, and where no weights are kept.
    """
    check_executor(executor, address, known=("ray", "inline"))
    with Store.open_existing(database(db)) as store:
        study = store.load_study(name)
        requests = _requests(study, kinds)
        asked = _asked(study)
        with store.lease(study.name):
            packs = measuring_packs(store, study, asked, requests, again=True)
            _say_what_is_missing(store, asked, bool(packs), say)
            if not packs:
                return ProbeResult(0, 0, interrupted=False)
            names = {trial.id: f"{trial.arm} seed={trial.seed}" for trial in asked}
            follower = _Follower(names, say)
            checkpoints = output_folder(study.name, out) / "checkpoints"
            with interruptible() as interrupted, Recorder(store, study.name, listeners=(follower,)) as recorder:
                backend = _backend(study, requests, checkpoints, executor, address)
                Dispatcher(BlockSource(packs), backend, recorder.put, interrupted).run()
            return ProbeResult(follower.made, follower.failed, interrupted.is_set())


def _requests(study: Study, kinds: Sequence[str]) -> tuple[ProbeRequest, ...]:
    """Return the probes of a study's file, or those of these kinds; UserError for unknown ones, or for none at all."""
    listed = study.settings.get("probes") or []
    in_file = {probe_kind(each if isinstance(each, str) else each["name"]): each for each in listed}
    if not kinds and not in_file:
        raise UserError(
            f"{study.name} asks for no probe: name one, for instance `orchestrate probe {study.name} --kind "
            f"lesion` (there are {', '.join(PROBES)}), or list some under `probes:` in its file"
        )
    look_in(_folder_of(study))  # where probes of the user's own are looked for
    try:
        return complete_probes([in_file.get(probe_kind(kind), kind) for kind in dict.fromkeys(kinds or in_file)])
    except SettingError as error:
        raise UserError(f"--kind: {error.message}" if kinds else f"{study.name}: {error.message}") from None


def _asked(study: Study) -> tuple[Trial, ...]:
    """Return the trials of arms that the study file still has."""
    arms = {arm.name for arm in study.arms if not arm.orphaned}
    return tuple(trial for trial in study.trials if trial.arm in arms)


def _say_what_is_missing(store: Store, asked: Sequence[Trial], has_work: bool, say: Say) -> None:
    """Say which trials cannot be measured; UserError when nothing can because no weights are kept."""
    complete = [trial for trial in asked if trial.state is State.COMPLETE]
    without = unmeasurable(store, asked)
    if without and len(without) == len(complete):
        raise UserError(
            "no weights are kept that could be measured: `keep: last` in the study file keeps those of trials to come"
        )
    if without:
        say(f"not measured: {counted(len(without), 'complete trial')} whose weights were not kept")
    if diverged := sum(trial.state is State.DIVERGED for trial in asked):
        say(f"not measured: {counted(diverged, 'diverged trial')}")
    if not has_work:
        say("nothing is left to measure")


class _Follower:
    """Says what each probe found as it is recorded, and counts."""

    def __init__(self, names: dict[str, str], say: Say) -> None:
        self.made = 0
        self.failed = 0
        self._names = names
        self._say = say

    def __call__(self, event: Event) -> None:
        if isinstance(event, Measured):
            reason = event.found.get("failed")
            scalars = event.found.get("scalars", {})
            values = ", ".join(f"{name} {value:.4g}" for name, value in scalars.items() if value is not None)
            self.made, self.failed = self.made + (reason is None), self.failed + (reason is not None)
            self._say(f"{self._names[event.trial]}: {event.probe}: {reason or values or 'done'}")
        elif isinstance(event, ProbesEnded) and event.reason is not None:
            self.failed += 1
            self._say(f"{self._names[event.trial]}: not measured: {event.reason}")


def _folder_of(study: Study) -> Path:
    """Return the folder of the study file that the recorded command names, with the user's code beside it.

    The working directory is the answer where there is no such file any more.
    """
    try:
        words = shlex.split(study.command or "")
    except ValueError:
        words = []
    files = [Path(word) for word in words if Path(word).suffix in (".yaml", ".yml") and Path(word).is_file()]
    return files[0].resolve().parent if files else Path.cwd()


def _backend(
    study: Study, requests: Sequence[ProbeRequest], checkpoints: Path, executor: str, address: str | None
) -> Backend:
    resources = _resources(study)
    modules = own_code({**study.settings, "probes": [request.name for request in requests]})
    worker = replace(worker_settings(resources, checkpoints, _folder_of(study)), modules=modules)
    return inline_backend(worker, resources) if executor == "inline" else ray_backend(worker, resources, address)


def _resources(study: Study) -> Resources:
    """Return what the study file gives a pack."""
    given = study.settings.get("resources") or {}
    names = ("cpus", "gpus", "mps", "max_concurrent")
    return Resources(**{name: given[name] for name in names if given.get(name) is not None})
