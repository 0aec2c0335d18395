"""The code behind a user's own functions: their modules and what these import, so that two machines can be compared."""

import ast
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.util import resolve_name
from pathlib import Path
from types import ModuleType
from typing import Any

from search_spaces.user_code import import_module_of, module_digest

_NAME = re.compile(r"([^\W\d][\w.]*):[^\W\d]\w*")
_PROGRAM = frozenset({"orchestrator", "reports", "search_spaces", "trainers"})
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_STANDARD = Path(sysconfig.get_path("stdlib"))


def planned_code(settings: Any) -> dict[str, str]:
    """Return the digests of the code behind every ``package.module:name`` in settings whose module is imported."""
    modules = {name for name in _named(settings) if sys.modules.get(name) is not None}
    return {each: digest for name in sorted(modules) for each, digest in _digests(name).items()}


def other_code(settings: Any, planned: Mapping[str, str]) -> list[str]:
    """Import what `settings` name of the `planned` modules; return those that are other code here than planned.

    Raises MissingModule where one is not on this machine, SettingError for whatever else an import does.
    """
    others: set[str] = set()
    for name in _named(settings) & planned.keys():
        import_module_of(name)
        others |= {each for each, digest in _digests(name).items() if planned.get(each, digest) != digest}
    return sorted(others)


def _named(settings: Any) -> set[str]:
    """Return the modules of every ``package.module:name`` that stands anywhere in settings."""
    if isinstance(settings, str):
        match = _NAME.fullmatch(settings)
        return {match[1]} if match else set()
    if isinstance(settings, Mapping):
        settings = settings.values()
    if isinstance(settings, Iterable):
        return {name for each in settings for name in _named(each)}
    return set()


def _digests(first: str) -> dict[str, str]:
    """Return the digest of an imported module and of each module beside it that it imports, by their names."""
    digests: dict[str, str] = {}
    left = [first]
    while left:
        name = left.pop()
        if name not in digests:
            module = sys.modules[name]
            digests[name] = module_digest(module)
            left += [each for each in _imported(module) if each in sys.modules and _is_beside(each, first)]
    return digests


def _is_beside(name: str, other: str) -> bool:
    """Whether a module stands in the package or the folder of another that is not installed: it comes and goes with it.

    What is installed is one module alone: a package has a version for the rest.
    """
    folder = _folder_of(other)
    is_installed = folder == _STANDARD or bool(_INSTALLED & set(folder.parts))
    return folder == _folder_of(name) and not is_installed and name.partition(".")[0] not in _PROGRAM


def _folder_of(name: str) -> Path:
    """Return the folder in which Python has found the package or module at the top of a name."""
    top = sys.modules[name.partition(".")[0]]
    return Path(next(iter(getattr(top, "__path__", ())), None) or getattr(top, "__file__", None) or "").parent


@cache
def _imported(module: ModuleType) -> tuple[str, ...]:
    """Return what a module may import by its source; nothing where it has none."""
    try:
        tree = ast.parse(Path(getattr(module, "__file__", None) or "").read_bytes())
        package = getattr(module, "__package__", None) or ""
        return tuple(dict.fromkeys(name for node in ast.walk(tree) for name in _imports(node, package)))
    except (OSError, ValueError, SyntaxError):  # compiled, in an archive, or gone
        return ()


def _imports(node: ast.AST, package: str) -> Iterator[str]:
    """Yield the names that may be modules, and those of the packages around them, that a statement imports."""
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [each.name for each in node.names]
    elif isinstance(node, ast.ImportFrom):
        source = resolve_name("." * node.level + (node.module or ""), package or None)
        names = [f"{source}.{each.name}" for each in node.names]
    for name in names:
        parts = name.split(".")
        yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))
