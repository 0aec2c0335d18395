"""A user's own code, named ``package.module:function``: found, imported, called, and identified by a digest.

Whatever such code raises becomes a SettingError, also a SystemExit: it must end neither the program nor a worker.
"""

import ast
import hashlib
import inspect
import io
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr
from functools import cache
from importlib import import_module, invalidate_caches
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

from search_spaces.containment import contained, place_in, time_limit
from search_spaces.errors import Key, SettingError, unknown

_FOLDERS: list[str] = []
"""The folders of the studies that this process has looked into, the present one last."""
IMPORT_SECONDS = 300
"""How long a module may take to be imported."""
MOST_HELD = 50_000
"""How many characters a module may print before they are shown, also where its import then fails."""


class MissingModule(SettingError):
    """A module of the user's own, or one that it needs, is not on this machine."""


def load_function(name: str, kind: str, key: Key) -> Callable[..., Any]:
    """Import the function that ``package.module:function`` names; SettingError (with `key`) says what is missing.

    `kind` says in messages what the function is for, for instance "builder".
    """
    module_name, _, attribute = name.partition(":")
    if module_name.endswith(".py"):
        raise SettingError(f'name the module, not its file: "{module_name.removesuffix(".py")}:{attribute}"', key)
    if not attribute or not all(module_name.split(".")):
        raise SettingError(f'a {kind} of your own is named "package.module:{kind}", not "{name}"', key)
    module = import_module_of(module_name, key)
    function: Callable[..., Any] | None = getattr(module, attribute, None)
    if not callable(function):
        public = [each for each, value in vars(module).items() if callable(value) and not each.startswith("_")]
        raise unknown(f"{kind} in {module_name}", attribute, public, key)
    return function


def check_signature(name: str, function: Callable[..., Any], takes: Iterable[str], key: Key) -> None:
    """Raise SettingError unless the signature of `function` can be read and it takes the arguments `takes` by name."""
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:
        raise SettingError(f"{name} has no signature that tells its settings", key) from None
    takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())
    missing = [each for each in sorted(takes) if each not in parameters]
    if missing and not takes_any:
        raise SettingError(f"{name} must take {' and '.join(missing)} as arguments", key)


def look_in(folder: Path | str) -> None:
    """Let a user's modules be imported from `folder`, after everything that is installed.

    It is absolute on the path: Python looks for ever in what a relative one meant when it was first looked into.
    It comes before the folders of earlier studies, of which a module that this folder has as well is forgotten: each
    study of a process gets its own.
    """
    absolute = str(Path(folder).absolute())
    if absolute in _FOLDERS[-1:] or (absolute in sys.path and absolute not in _FOLDERS):
        return
    earlier = [each for each in _FOLDERS if each != absolute]
    places = [sys.path.index(each) for each in _FOLDERS if each in sys.path]
    sys.path[:] = [each for each in sys.path if each != absolute]
    sys.path.insert(min(places, default=len(sys.path)), absolute)
    _FOLDERS[:] = [*earlier, absolute]
    for name in [name for name in sys.modules if _is_replaced(name.partition(".")[0], earlier, Path(absolute))]:
        del sys.modules[name]
    invalidate_caches()


def _is_replaced(top: str, earlier: Iterable[str], folder: Path) -> bool:
    """Whether a module or package was imported from the folder of an earlier study, and `folder` has it as well."""
    file = getattr(sys.modules.get(top), "__file__", None)
    if file is None or (not (folder / f"{top}.py").is_file() and not (folder / top / "__init__.py").is_file()):
        return False
    place = Path(file).parent
    return str(place.parent if Path(file).name == "__init__.py" else place) in earlier


@contextmanager
def calling(name: str, key: Key) -> Iterator[None]:
    """Make one SettingError of whatever the user's function `name` raises inside; what it prints goes to stderr."""
    try:
        with contained(name, key):
            yield
    except SettingError:
        raise
    except ValueError as error:
        raise SettingError(f"{name} refuses these settings: {line_of(error)}", key) from error
    except Exception as error:
        raise SettingError(f"{name} raised {type(error).__name__}: {line_of(error)}{place_in(error)}", key) from error


def code_digest(name: str) -> str:
    """Return the digest of the code of the module in `name`, as `module_digest` does."""
    return module_digest(import_module(name.partition(":")[0]))


@cache
def module_digest(module: ModuleType) -> str:
    """Return 16 hexadecimal digits for the code of a module as it is imported, ``unknown`` where it has no source.

    Comments and layout do not count. A module that is edited later keeps its digest: what is imported is what trains.
    """
    try:
        source = inspect.getsource(module)
    except (OSError, TypeError):
        return "unknown"
    return hashlib.sha256(ast.dump(ast.parse(source)).encode()).hexdigest()[:16]


class _Held(io.TextIOBase):
    """Holds what is written until it is released; more than `MOST_HELD` characters go on to `stream` at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._held: list[str] = []
        self._size = 0

    def write(self, text: str, /) -> int:
        """Hold the text, or hand all that is held on where it is too much."""
        self._held.append(text)
        self._size += len(text)
        if self._size > MOST_HELD:
            self.release()
        return len(text)

    def release(self) -> None:
        """Hand on what is held."""
        self._stream.write("".join(self._held))
        self._held, self._size = [], 0


def import_module_of(name: str, key: Key = ()) -> ModuleType:
    """Import the module in `name`; MissingModule where there is none, SettingError for whatever else goes wrong."""
    name = name.partition(":")[0]
    written = _Held(sys.stderr)
    advice = 'move what runs at import under `if __name__ == "__main__":`'
    try:
        with redirect_stderr(written), contained(name, key, " when it is imported", advice), time_limit(IMPORT_SECONDS):
            module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            message = f"there is no module {name}: put it beside the study file, or install it"
        else:
            message = f"{name} needs a module that is not installed: {error.name}"
        raise MissingModule(message, key) from error
    except SettingError:
        sys.modules.pop(name, None)  # the next attempt is told the same
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {line_of(error)}"
        place = "" if isinstance(error, SyntaxError) else place_in(error)
        raise SettingError(f"{name} cannot be imported: {said}{place}", key) from error
    written.release()
    return module


def line_of(error: BaseException) -> str:
    """Return what an error of a user's code says, as one line."""
    return " ".join(text_of(error).split())


def text_of(error: BaseException) -> str:
    """Return what an error of a user's code says, also where its own `__str__` fails."""
    try:
        return str(error)
    except Exception as other:
        return f"(its text cannot be had: __str__ raised {type(other).__name__})"
