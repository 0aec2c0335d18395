"""The README's `pip install -e '.[test]' && pytest` installs all that the tests import."""

import ast
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
OWN = {"benchmarks", "orchestrator", "reports", "search_spaces", "tests", "trainers"}


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the packages that a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield (node.module or "").partition(".")[0]


def installed_with(requirements: Iterable[str]) -> set[str]:
    """Return the distributions that these requirements install, and those that they require in turn."""
    known: set[str] = set()
    waiting = [Requirement(each) for each in requirements]
    while waiting:
        each = waiting.pop()
        if canonicalize_name(each.name) in known:
            continue
        known.add(canonicalize_name(each.name))
        try:
            lines = requires(each.name) or []
        except PackageNotFoundError:
            continue
        further = map(Requirement, lines)
        waiting += [one for one in further if one.marker is None or one.marker.evaluate({"extra": ""})]
    return known


def test_every_package_that_a_test_imports_comes_with_the_test_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installed = installed_with([*project["dependencies"], *project["optional-dependencies"]["test"]])
    files = (ROOT / "tests").rglob("*.py")
    names = {name for file in files for name in imported(ast.parse(file.read_text(encoding="utf-8")))}
    benchmarks = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}  # which some tests import as scripts do
    distributions = packages_distributions()
    missing = [
        name
        for name in names - OWN - benchmarks - set(sys.stdlib_module_names)
        if not {canonicalize_name(each) for each in distributions.get(name, [name])} & installed
    ]
    assert missing == []
