"""The versions that `.ci/lowest` installs are the lowest that pyproject.toml allows."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
HEAVY = {"ray", "torch", "torchvision"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# `.ci/lowest` installs the extra `postgres` too.
BOUNDS = map(Requirement, [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["postgres"]])
ALLOWED = {each.name: each for each in BOUNDS if each.name not in HEAVY}
LOWEST = dict(
    line.split("==") for line in (ROOT / ".ci/lowest.txt").read_text(encoding="utf-8").splitlines() if "==" in line
)


def test_every_light_dependency_has_a_lowest_version() -> None:
    assert set(LOWEST) == set(ALLOWED)


@pytest.mark.parametrize("name", ALLOWED)
def test_it_is_allowed_and_begins_with_the_bound(name: str) -> None:
    assert LOWEST[name] in ALLOWED[name].specifier
    (bound,) = [each.version for each in ALLOWED[name].specifier if each.operator == ">="]
    length = len(Version(bound).release)
    assert Version(LOWEST[name]).release[:length] == Version(bound).release
