"""The worked cases as data, and the studies that they are made of."""

import math
from pathlib import Path

import pytest
import yaml

from tests.reports.analysis.build import study

CASES = yaml.safe_load((Path(__file__).parents[2] / "gold" / "statistics.yaml").read_text(encoding="utf-8"))
GRID = {tuple(name.split("@")): values for name, values in CASES["F01"]["inputs"]["data"].items()}


def near(code, value, expected):
    within = CASES[code].get("within", {"abs": 0})
    assert value == pytest.approx(expected, rel=within.get("rel", 0), abs=within.get("abs", 1e-12))


def numbers(values):
    return [math.inf if value in ("fail", None) else value for value in values]


def by_seed(values):
    return dict(enumerate(numbers(values)))


def pair(code):
    inputs = CASES[code]["inputs"]
    first = inputs.get("B", inputs.get("B_original"))
    second = inputs.get("A", inputs.get("A_full_preact"))
    return {"B": by_seed(first), "A": by_seed(second)}


B_MINUS_A = {"B": 1.0, "A": -1.0}


def grid_study(drop=()):
    return study(
        [
            (
                {"variant": variant, "depth": int(depth)},
                {s: v for s, v in enumerate(values) if (variant, depth, s) not in drop},
            )
            for (variant, depth), values in GRID.items()
        ],
        baseline={"variant": "original"},
    )
