"""A user's own code, named ``package.module:function``: found, imported, called, and identified by a digest.

Whatever such code raises becomes a SettingError, also a SystemExit: it must end neither the program nor a worker. What
it prints goes to stderr, so that tables and JSON on stdout stay whole.
"""

import ast
import hashlib
import inspect
import io
import os
import signal
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any, TextIO

from search_spaces.errors import Key, SettingError, unknown

MOST_HELD = 50_000
"""How many characters a module may print before they are shown, also where its import then fails."""


def load_function(name: str, kind: str, key: Key) -> Callable[..., Any]:
    """Import the function that ``package.module:function`` names; SettingError (with `key`) says what is missing.

    `kind` says in messages what the function is for, for instance "builder".
    """
    module_name, _, attribute = name.partition(":")
    if module_name.endswith(".py"):
        raise SettingError(f'name the module, not its file: "{module_name.removesuffix(".py")}:{attribute}"', key)
    if not attribute or not all(module_name.split(".")):
        raise SettingError(f'a {kind} of your own is named "package.module:{kind}", not "{name}"', key)
    module = _import(module_name, key)
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
    """Let a user's modules be imported from `folder`, after everything that is installed."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


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


@contextmanager
def contained(name: str, key: Key, when: str = "", advice: str = "let it return or raise instead") -> Iterator[None]:
    """Keep a user's code from ending the program or printing to stdout; its exceptions stay what they are.

    SystemExit, KeyboardInterrupt and every other BaseException that the code itself raises become a SettingError. An
    interrupt that a person asked for passes.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except Exception:
        raise
    except SystemExit as error:
        said = f"sys.exit({'' if error.code is None else repr(error.code)})"
        argparse = "it reads the command line, which is that of orchestrate: " if _parses_arguments(error) else ""
        message = f"{name} ends the program{when} ({said}{place_in(error)}): {argparse}{advice}"
        raise SettingError(message, key) from error
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and _comes_from_a_signal(error):
            raise
        said = f"{type(error).__name__}{place_in(error)}"
        raise SettingError(f"{name} raises {said}{when}, which is no error: {advice}", key) from error


def code_digest(name: str) -> str:
    """Return 16 hexadecimal digits for the code of the module in `name`, ``unknown`` where it has no source.

    Comments and layout do not count.
    """
    try:
        source = inspect.getsource(import_module(name.partition(":")[0]))
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


def _import(name: str, key: Key) -> ModuleType:
    written = _Held(sys.stderr)
    advice = 'move what runs at import under `if __name__ == "__main__":`'
    try:
        with redirect_stderr(written), contained(name, key, " when it is imported", advice):
            module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            message = f"there is no module {name}: put it beside the study file, or install it"
        else:
            message = f"{name} needs a module that is not installed: {error.name}"
        raise SettingError(message, key) from error
    except SettingError:
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


def place_in(error: BaseException) -> str:
    """Return where in code outside of this program and of libraries an error began; empty where that is not known."""
    frames = [frame for frame in extract_tb(error.__traceback__) if _is_the_users(frame.filename)]
    return f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""


def _is_the_users(file: str) -> bool:
    own = (
        str(Path(__file__).parents[1] / package) + os.sep for package in ("search_spaces", "trainers", "orchestrator")
    )
    libraries = (sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    return not file.startswith(("<", *own, *libraries))


def _parses_arguments(error: SystemExit) -> bool:
    return any(Path(frame.filename).name == "argparse.py" for frame in extract_tb(error.__traceback__))


def _comes_from_a_signal(error: KeyboardInterrupt) -> bool:
    """Whether a handler of signals raised this: the command line's own raises a subclass, Python's the same class."""
    return type(error) is not KeyboardInterrupt or signal.getsignal(signal.SIGINT) is signal.default_int_handler
