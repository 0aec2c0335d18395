"""A user's own code, named ``package.module:function``: found, imported, called, and identified by a digest.

Whatever such code raises becomes a SettingError, also a SystemExit: it must end neither the program nor a worker. What
it prints goes to stderr, so that tables and JSON on stdout stay whole.
"""

import ast
import hashlib
import inspect
import io
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from search_spaces.errors import Key, SettingError, unknown


def load_function(name: str, kind: str, key: Key) -> Callable[..., Any]:
    """Import the function that ``package.module:function`` names; SettingError (with `key`) says what is missing.

    `kind` says in messages what the function is for, for instance "builder".
    """
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
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


@contextmanager
def calling(name: str, key: Key) -> Iterator[None]:
    """Make one SettingError of whatever the user's function `name` raises inside; what it prints goes to stderr."""
    try:
        with redirect_stdout(sys.stderr):
            yield
    except SettingError:
        raise
    except ValueError as error:
        raise SettingError(f"{name} refuses these settings: {error}", key) from error
    except SystemExit as error:
        raise SettingError(f"{name} ends the program ({_exit(error)}): let it return or raise instead", key) from error
    except Exception as error:
        raise SettingError(f"{name} raised {type(error).__name__}: {error}", key) from error


def code_digest(name: str) -> str:
    """Return 16 hexadecimal digits for the code of the module in `name`, ``unknown`` where it has no source.

    Comments and layout do not count.
    """
    try:
        source = inspect.getsource(import_module(name.partition(":")[0]))
    except (OSError, TypeError):
        return "unknown"
    return hashlib.sha256(ast.dump(ast.parse(source)).encode()).hexdigest()[:16]


def _import(name: str, key: Key) -> ModuleType:
    written = io.StringIO()
    try:
        with redirect_stdout(written), redirect_stderr(written):
            module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            message = f"there is no module {name}: put it beside the study file, or install it"
        else:
            message = f"{name} needs a module that is not installed: {error.name}"
        raise SettingError(message, key) from error
    except SystemExit as error:
        advice = 'move what runs at import under `if __name__ == "__main__":`'
        raise SettingError(f"{name} ends the program when it is imported ({_exit(error)}): {advice}", key) from error
    except Exception as error:
        raise SettingError(f"{name} cannot be imported: {_where(error)}{type(error).__name__}: {error}", key) from error
    sys.stderr.write(written.getvalue())
    return module


def _exit(error: SystemExit) -> str:
    return "sys.exit()" if error.code is None else f"sys.exit({error.code!r})"


def _where(error: Exception) -> str:
    """Return the file and line of a module that raised `error` while it was imported, empty where they are not told."""
    if isinstance(error, SyntaxError) or error.__traceback__ is None:
        return ""
    last = error.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    return f"{Path(last.tb_frame.f_code.co_filename).name}, line {last.tb_lineno}: "
