"""Whoever plans a study without claims waits for no library that only its report needs; nothing is there for tests."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGES = ("orchestrator", "reports", "search_spaces", "trainers")


def test_importing_the_analysis_and_forecasting_needs_neither_pandas_nor_statsmodels():
    code = (
        "import sys\n"
        "from reports.analysis import adaptive, contrasts, factors, many, power, prospects\n"
        "assert power.smallest_paired(5) and many.holm([0.03]) == [0.03]\n"
        "assert not {'pandas', 'statsmodels'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_function_of_the_analysis_is_used_by_more_than_its_tests():
    trees = {
        file: ast.parse(file.read_text("utf-8")) for package in PACKAGES for file in (ROOT / package).rglob("*.py")
    }
    used = {(module, name) for file, tree in trees.items() for module, name in _used(tree, _module(file))}
    public = {
        (_module(file), each.name)
        for file, tree in trees.items()
        if file.is_relative_to(ROOT / "reports" / "analysis")
        for each in tree.body
        if isinstance(each, ast.FunctionDef | ast.ClassDef) and not each.name.startswith("_")
    }
    assert len(public) > 200
    assert public - used == set()


def _module(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _used(tree: ast.Module, module: str) -> Iterator[tuple[str, str]]:
    """Yield the names that a file takes from modules, and those of its own that it reads."""
    modules = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                modules[each.asname or each.name] = f"{node.module}.{each.name}"
                yield node.module, each.name
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield module, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield modules[node.value.id], node.attr
