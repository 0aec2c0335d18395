"""Facts that follow from the program alone, kept between processes: to work one out takes an import of torch.

They lie in the user's cache, each in a file that is named by a hash of what the fact is about, the sources of this
program, and the versions of the packages that it rests on. A change of any of them is another file.
"""

import hashlib
import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from search_spaces.arm import canonical_json

MOST_FILES = 5_000
"""So many facts are kept, some 20 MB; then the cache begins anew."""
SOURCES = ("search_spaces", "trainers", "reports", "orchestrator")
VERSIONS = ("torch", "torchvision", "numpy", "scipy", "scikit-learn")


def cached_fact(what: str, given: object, work_out: Callable[[], Any]) -> Any:
    """Return what `work_out` returns, plain JSON values, or what it returned in an earlier process.

    `what` it is, together with what was `given`, must determine it, but for the program and its packages. What names
    code of the user's own (``package.module:function``) is always worked out, as is everything in a process that has
    imported torch, which may have changed the program, too.
    """
    facts = None if names_code(given) else _fact_cache()
    return work_out() if facts is None else facts.fact(canonical_json([what, given]), work_out)


@contextmanager
def filled_by(other: Callable[[], object]) -> Iterator[None]:
    """Let `other` keep what is missing inside the block, by another process: it is called once, for the first fact."""
    facts = _fact_cache()
    if facts is None:
        yield
        return
    facts.other = other
    try:
        yield
    finally:
        facts.other = None


def cache_folder() -> Path | None:
    """Return the folder of this program in the user's cache, made where it is not there; None where it cannot be."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        folder = Path(base).expanduser() / "ablation-orchestrator"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder


class _FactCache:
    """The facts of one state of the program, in a folder that those of others may lie in, too."""

    def __init__(self, folder: Path, program: str) -> None:
        self._folder = folder
        self._program = program
        self.other: Callable[[], object] | None = None
        self._room = MOST_FILES - len(os.listdir(folder))
        if self._room <= 0:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(exist_ok=True)
            self._room = MOST_FILES

    def fact(self, about: str, work_out: Callable[[], Any]) -> Any:
        """Return the fact about something, from its file or worked out."""
        path = self._folder / _digest(f"{self._program}\n{about}")
        kept = _read(path)
        if kept is None and self.other is not None:
            other, self.other = self.other, None
            other()
            kept = _read(path)
        if kept is not None:
            return json.loads(kept)
        fact = work_out()
        self._keep(path, fact)
        return fact

    def _keep(self, path: Path, fact: Any) -> None:
        """Write a fact down, unless JSON would not give back the same."""
        text = json.dumps(fact)
        if self._room <= 0 or json.loads(text) != fact:
            return
        self._room -= 1
        part = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            part.write_text(f"{_digest(text)}\n{text}", encoding="utf-8")
            os.replace(part, path)
        except OSError:
            with suppress(OSError):
                part.unlink(missing_ok=True)


def _read(path: Path) -> str | None:
    """Return the text of a fact; None where there is none, or none that is whole."""
    try:
        digest, _, text = path.read_text(encoding="utf-8").partition("\n")
    except (OSError, ValueError):
        return None
    return text if digest == _digest(text) else None


@cache
def _fact_cache() -> _FactCache | None:
    """Return the cache of facts; None where they cannot be, and in a process that has torch when it first asks."""
    folder, program = (None, None) if "torch" in sys.modules else (cache_folder(), _program())
    if folder is None or program is None:
        return None
    try:
        (folder / "facts").mkdir(exist_ok=True)
        return _FactCache(folder / "facts", program)
    except OSError:
        return None


def _program() -> str | None:
    """Return a hash of this program's sources and of what it computes with; None where they are no files."""
    digest = hashlib.sha256(sys.version.encode() + platform.machine().encode())
    try:
        for package in SOURCES:
            for file in _sources(package):
                digest.update(f"{file}\n".encode() + file.read_bytes())
        torch = find_spec("torch")
        if torch is None or torch.origin is None:
            return None
        found = os.stat(torch.origin)
        digest.update(f"{torch.origin} {found.st_size} {found.st_mtime_ns} {_versions()}".encode())
    except (OSError, ValueError, ImportError):
        return None
    return digest.hexdigest()


def _sources(package: str) -> Iterator[Path]:
    """Yield the files of a package that decide what it does."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ImportError(package)
    for suffix in ("py", "json"):
        yield from sorted(Path(spec.origin).parent.rglob(f"*.{suffix}"))


def _versions() -> list[str]:
    found = []
    for package in VERSIONS:
        with suppress(PackageNotFoundError):
            found.append(f"{package} {version(package)}")
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def names_code(value: object) -> bool:
    """Whether any text in a value has a colon, as the names of a user's functions and classes have."""
    if isinstance(value, str):
        return ":" in value
    if isinstance(value, Mapping):
        return any(map(names_code, value.values()))
    return isinstance(value, Sequence) and any(map(names_code, value))
