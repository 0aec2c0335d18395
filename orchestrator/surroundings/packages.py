"""What can be told before anything starts: folders that hide packages, and places that Ray cannot use."""

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path

from orchestrator.errors import UserError

_OWN = ("orchestrator", "reports", "search_spaces", "trainers")
# What is imported of others, each with a part that only the real package has.
_OTHERS = {
    "jinja2": "environment.py",
    "matplotlib": "figure.py",
    "numpy": "linalg",
    "optuna": "samplers",
    "pandas": "core",
    "psutil": "_common.py",
    "ray": "tune",
    "rich": "console.py",
    "scipy": "stats",
    "seaborn": "palettes.py",
    "sklearn": "datasets",
    "sqlalchemy": "engine",
    "statsmodels": "stats",
    "torch": "nn",
    "torchvision": "transforms",
    "typer": "main.py",
    "yaml": "loader.py",
}
# The longest path of a socket, and what Ray adds to its folder: the session's name, with a date and a process number.
_SOCKET_BYTES = 103 if sys.platform == "darwin" else 107
_SESSION = "ray/session_2000-01-01_00-00-00_000000_{process}/sockets/plasma_store"
_ROOM = 2**20
"""Bytes that a Ray which starts writes at least; of a full disk it says only that a file has not come in time."""


_CURRENT = "current folder"
_PATH = "the import path (the current folder or PYTHONPATH)"
_WORKERS = "the import path of the workers, which begins with the current folder"


@dataclass(frozen=True)
class Fault:
    """One thing that would make a run fail: what it is about, what was seen, and what to do."""

    name: str
    seen: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.seen}: {self.remedy}"


def check_imports() -> None:
    """Raise UserError when this process would import another program's package in the place of ours or of a library."""
    for fault in _here():
        raise UserError(str(fault))


def check_workers(address: str | None) -> None:
    """Raise UserError for the first thing that keeps workers from starting, here or on the cluster at `address`."""
    for fault in worker_faults(address):
        raise UserError(str(fault))


def worker_faults(address: str | None) -> tuple[Fault, ...]:
    """Return everything that keeps the workers of a run from starting."""
    faults = list(_here())
    if any(fault.name == _CURRENT for fault in faults):
        return tuple(faults)
    faults += _hidden_from_workers(Path.cwd())
    if address is None:
        faults += [*_home(), *_temporary_folder()]
    return tuple(faults)


def _here() -> Iterator[Fault]:
    """Find what would mislead this process itself: a current folder that is gone, and packages that are hidden."""
    try:
        Path.cwd()
    except FileNotFoundError:
        yield Fault(_CURRENT, "the current folder no longer exists", "change to one that does")
    else:
        yield from _hidden_here()


def _hidden_here() -> Iterator[Fault]:
    """Find what the import path of this process holds in the place of our packages and of libraries."""
    ours = Path(__file__).parents[2].resolve()
    for name in _OWN[1:]:
        places = _places(find_spec(name))
        if not any(place == ours / name for place in places):
            yield _hides(name, places[0] if places else ours / name, _PATH)
    for folder in _user_folders():
        for name, part in _OTHERS.items():
            is_other = (folder / name / "__init__.py").exists() and not (folder / name / part).exists()
            if is_other or ((folder / f"{name}.py").exists() and not (folder / name).is_dir()):
                yield _hides(name, folder / name if is_other else folder / f"{name}.py", _PATH)


def _user_folders() -> Iterable[Path]:
    """Return the folders of the import path that the user chose: PYTHONPATH, and the current one where it is on it."""
    given = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    here = [each for each in sys.path[:1] if each in ("", os.getcwd())]
    return dict.fromkeys(Path(each or ".").resolve() for each in (*here, *given))


def _hidden_from_workers(folder: Path) -> Iterator[Fault]:
    """Find what the workers, which look into the driver's folder first, would import from there instead."""
    rest = [each for each in sys.path if each and Path(each).resolve() != folder.resolve()]
    standard = sys.stdlib_module_names - set(sys.builtin_module_names)  # no folder can hide what is built in: /sys
    known = {*_OWN, *_OTHERS, *(name for name in standard if name in sys.modules)}
    here = {each.name.partition(".")[0] for each in folder.iterdir() if each.is_dir() or each.suffix in (".py", ".so")}
    for name in sorted(known & here):
        theirs = _places(PathFinder.find_spec(name, [str(folder), *rest]))
        inside = [place for place in theirs if place.parent == folder.resolve()]
        if inside and not _is_ours(name, inside[0]):
            yield _hides(name, inside[0], _WORKERS)


def _is_ours(name: str, place: Path) -> bool:
    """Whether a place is where this process has its own copy of a package from."""
    module = sys.modules.get(name)
    loaded = [module.__file__] if module is not None and getattr(module, "__file__", None) else []
    mine = [Path(__file__).parents[2] / name] if name in _OWN else [Path(str(each)) for each in loaded]
    return any(place in (each.resolve(), each.resolve().parent) for each in mine)


def _places(spec: object) -> list[Path]:
    """Return the folder of a package, the file of a module; the folders of a package without an __init__.py."""
    origin, folders = getattr(spec, "origin", None), getattr(spec, "submodule_search_locations", None)
    if origin and Path(origin).exists():
        file = Path(origin).resolve()
        return [file.parent if file.name.startswith("__init__.") else file]
    return [Path(each).resolve() for each in folders or ()]


def _hides(name: str, place: Path, where: str) -> Fault:
    whose = "of this program" if name in _OWN else "that this program needs"
    seen = f"{place} is on {where}, and hides the package {name} {whose}"
    return Fault("imports", seen, "rename it, or run the command from another folder")


def _home() -> Iterator[Fault]:
    """Find a home folder in which Ray cannot keep the token of its cluster."""
    if "RAY_AUTH_TOKEN" in os.environ or "RAY_AUTH_TOKEN_PATH" in os.environ:
        return
    try:
        home = Path.home()
    except RuntimeError:
        yield Fault("home", "there is no home folder, in which Ray keeps files", "set HOME to a folder of yours")
        return
    folder = home / ".ray"
    if (folder / "auth_token").exists() and os.access(folder / "auth_token", os.R_OK):
        return
    problem = _why_not_writable(folder)
    if problem:
        yield Fault(
            "home", f"Ray keeps files in {folder}, which cannot be written ({problem})", "set HOME to a folder of yours"
        )


def _temporary_folder() -> Iterator[Fault]:
    """Find a folder for temporary files that Ray cannot write, or whose path is too long for its sockets."""
    variable = next((each for each in ("RAY_TMPDIR", "TMPDIR") if os.environ.get(each)), None)
    base = Path(os.environ[variable] if variable else "/tmp")
    remedy = "set RAY_TMPDIR to another folder of yours, with a short path"
    said = f"{variable}={base}" if variable else str(base)
    path = base / _SESSION.format(process=os.getpid())
    if os.name == "posix" and len(os.fsencode(path.absolute())) > _SOCKET_BYTES:
        most = _SOCKET_BYTES - len(_SESSION.format(process=os.getpid())) - 1
        yield Fault(
            "temporary files",
            f"the path of the folder for temporary files is too long for Ray's sockets ({said}: "
            f"{len(os.fsencode(base.absolute()))} bytes, at most {most})",
            remedy,
        )
        return
    folder = base / "ray"
    problem = _why_not_writable(folder, _ROOM)
    if problem:
        seen = f"Ray keeps temporary files in {folder}, which cannot be written ({problem})"
        yield Fault("temporary files", seen, remedy)


def _why_not_writable(folder: Path, room: int = 1) -> str | None:
    """Return why so many bytes cannot be written in `folder`, or in the nearest one above it; None if they can."""
    try:
        nearest = next(each for each in (folder, *folder.parents) if each.exists())
        with tempfile.NamedTemporaryFile(dir=nearest) as file:
            file.write(bytes(room))
    except (OSError, StopIteration) as error:
        return getattr(error, "strerror", None) or str(error)
    return None
