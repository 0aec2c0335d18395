"""Examine the surroundings that a study needs, and say what to do about each fault."""

import importlib
import os
import shutil
import sys
from pathlib import Path

from orchestrator.errors import UserError
from orchestrator.presets import study_paths
from orchestrator.records.environment import package_versions
from orchestrator.study_file.config import StudyConfig, read_study
from orchestrator.surroundings.packages import worker_faults
from orchestrator.terminal.findings import Finding
from reports.wording import counted

PYTHON = (3, 11)
ENOUGH_DISK_GIB = 2.0


def examine(file: Path | None = None, db: str | None = None, address: str | None = None) -> list[Finding]:
    """Look at everything that running a study needs; with a `file`, also at what each study that it means asks for."""
    findings = [_python(), _packages(), _torch(), _devices(), *_ray(address), _disk()]
    configs: list[StudyConfig | None] = []
    try:
        paths = study_paths(file) if file is not None else ()
    except UserError as error:
        findings.append(Finding("study file", False, str(error), "name another file"))
        paths = ()
    for path in paths:
        try:
            config = read_study(path)
        except UserError as error:
            findings.append(Finding("study file", False, str(error), "mend the file"))
            continue
        configs.append(config)
        findings += [_study(config), _resources(config)]
    return [*findings, *dict.fromkeys(_database(db, config) for config in configs or [None])]


def _python() -> Finding:
    seen = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= PYTHON, seen, "install Python 3.11 or newer")


def _packages() -> Finding:
    names = ("ray", "torch", "torchvision", "optuna", "pandas", "seaborn", "sqlalchemy", "statsmodels", "scipy")
    missing = [name for name in names if not _found(name)]
    versions = ", ".join(f"{name} {version}" for name, version in package_versions().items())
    if missing:
        return Finding("packages", False, f"missing: {', '.join(missing)}", "pip install -e . in the project's folder")
    return Finding("packages", True, versions)


def _found(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _torch() -> Finding:
    try:
        importlib.import_module("torchvision.ops")
    except (ImportError, RuntimeError) as error:
        remedy = "torch and torchvision do not match: pip install --upgrade torch torchvision, both together"
        return Finding("torch", False, str(error).splitlines()[0], remedy)
    return Finding("torch", True, "torch and torchvision match")


def _devices() -> Finding:
    import torch

    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return Finding(
        "devices", True, f"{counted(os.cpu_count() or 1, 'CPU core')}, {', '.join([counted(len(gpus), 'GPU'), *gpus])}"
    )


def _ray(address: str | None) -> list[Finding]:
    from orchestrator.engine.address import check_reachable

    faults = [Finding(f"Ray: {each.name}", False, each.seen, each.remedy) for each in worker_faults(address)]
    if faults:
        return faults
    try:
        if address is not None:
            check_reachable(address)
    except UserError as error:
        return [Finding("Ray", False, str(error), "start a cluster with `ray start --head`")]
    seen = f"a cluster answers at {address}" if address else "a run starts a cluster on this machine"
    return [Finding("Ray", True, seen)]


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    return Finding(
        "disk", free >= ENOUGH_DISK_GIB, f"{free:.1f} GiB free here", "free some space, or use --out and --db"
    )


def _study(config: StudyConfig) -> Finding:
    """Plan the study: data, networks, training and claims are all checked on the way."""
    from orchestrator.planning.plan import make_plan

    try:
        plan = make_plan(config)
    except UserError as error:
        return Finding("study file", False, str(error), "mend the file")
    size = f"{counted(len(plan.arms), 'arm')}, {counted(len(plan.trials), 'trial')}"
    return Finding("study file", True, f"{plan.name}: {size}, data readable")


def _resources(config: StudyConfig) -> Finding:
    import torch

    resources = config.file.resources
    cores = os.cpu_count() or 1
    asked = f"a pack asks for {counted(resources.cpus, 'CPU')} and {counted(resources.gpus, 'GPU')}"
    if resources.gpus and not torch.cuda.is_available():
        return Finding("resources", False, f"{asked}; there is no GPU here",
                       "run on a cluster with GPUs (--address), or set resources.gpus to 0")  # fmt: skip
    if resources.cpus > cores:
        return Finding("resources", False, f"{asked}; this machine has {counted(cores, 'CPU')}",
                       "run on a cluster (--address), or ask for fewer")  # fmt: skip
    return Finding("resources", True, f"{asked}, which fits here")


def _database(db: str | None, config: StudyConfig | None) -> Finding:
    from orchestrator.passwords import without_passwords
    from orchestrator.results.location import database
    from orchestrator.storage import Store

    try:
        url = database(db, config)
        if not Store.exists(url):
            return Finding("results DB", True, f"{without_passwords(url)}: the first run creates it")
        with Store.open(url, read_only=True) as store:
            return Finding("results DB", True, f"{store.where}: {counted(len(store.studies()), 'study', 'studies')}")
    except UserError as error:
        return Finding("results DB", False, str(error), "name another DB with --db")
