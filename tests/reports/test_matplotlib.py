"""The figures draw with nothing that matplotlib has deprecated, so that its next versions draw them too."""

import ast
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from matplotlib import MatplotlibDeprecationWarning

from reports.figures.theme import styled

FIGURES = Path(__file__).parents[2] / "reports/figures"
IMPORTS = """
import warnings
import matplotlib, pandas, scipy.stats
warnings.simplefilter("error", matplotlib.MatplotlibDeprecationWarning)
import seaborn
from reports.figures.theme import draw
print("<path" in draw(lambda axes: None, "a", (100, 100), (10, 10, 10, 10)).svg)
"""


def test_what_matplotlib_deprecates_is_an_error_in_every_test_that_draws() -> None:
    with styled(), pytest.raises(MatplotlibDeprecationWarning):
        warnings.warn("falls away", MatplotlibDeprecationWarning, stacklevel=1)


def test_importing_seaborn_and_drawing_uses_nothing_deprecated() -> None:
    command = [sys.executable, "-c", IMPORTS]
    done = subprocess.run(command, cwd=FIGURES.parents[1], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "True"


def test_seaborn_styles_figures_and_draws_none() -> None:
    # Its functions that draw pass arguments to matplotlib that newer versions refuse (boxplot: vert).
    used = {name for file in FIGURES.rglob("*.py") for name in _of_seaborn(ast.parse(file.read_text(encoding="utf-8")))}
    assert used == {"axes_style", "despine"}


def _of_seaborn(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "seaborn":
            yield node.attr
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "seaborn":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.asname or alias.name for alias in node.names if alias.name.startswith("seaborn."))
