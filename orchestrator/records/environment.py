"""The facts of this machine and its software that belong to every result."""

import hashlib
import os
import platform
import socket
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from orchestrator.version import VERSION

PROGRAM = "ablation-orchestrator"
PACKAGES = (
    "torch", "torchvision", "ray", "optuna", "numpy", "pandas", "scipy", "statsmodels",
    "seaborn", "sqlalchemy", "scikit-learn",
)  # fmt: skip

NUMERIC_PACKAGES = ("torch", "torchvision", "numpy")
"""Those that compute: where nodes have different versions, the seeds of one arm are no longer one sample."""


@cache
def host_name() -> str:
    """Return this machine's name."""
    return socket.gethostname()


@cache
def environment_facts(device: str, threads: int) -> Mapping[str, Any]:
    """Return what trained: processor or GPU, memory, operating system, Python and package versions, threads."""
    import torch

    facts: dict[str, Any] = {
        "host": host_name(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "device": device,
        "threads": threads,
        "packages": package_versions(),
    }
    if device.startswith("cuda"):
        properties = torch.cuda.get_device_properties(device)
        facts |= {
            "gpu": properties.name,
            "gpu_memory_gib": round(properties.total_memory / 2**30, 1),
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
            "tf32": torch.backends.cuda.matmul.allow_tf32,
        }
    return facts


@cache
def package_versions() -> Mapping[str, str]:
    """Return this program's version and the installed ones of the packages that can change a result or a page."""
    versions = {PROGRAM: VERSION}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def numeric_versions() -> Mapping[str, str]:
    """Return the installed versions of the packages that compute, without the device that a build is for (+cu128)."""
    known = package_versions()
    return {name: known[name].partition("+")[0] for name in NUMERIC_PACKAGES if name in known}


def git_revision(folder: Path) -> str | None:
    """Return the commit that `folder` is at; None outside of git.

    Where tracked files differ from it, "+changes." and the beginning of a SHA-256 of the differences follow:
    ``git diff HEAD --binary --full-index`` prints what was hashed.
    """
    try:
        revision = _git(folder, "rev-parse", "HEAD").decode().strip()[:12]
        words = ("--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv", "--src-prefix=a/")
        changes = _git(folder, "diff", "HEAD", *words, "--dst-prefix=b/")
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{revision}+changes.{hashlib.sha256(changes).hexdigest()[:12]}" if changes else revision


def _git(folder: Path, *words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, timeout=10, check=True).stdout


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
