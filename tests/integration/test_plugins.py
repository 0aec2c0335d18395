"""A network of the user's own: found beside the study file, and trained anew once its code computes something else."""

import linecache
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator import RunOptions, run_study

STUDY = """
study: plug
data: {name: synthetic, shape: [1, 8, 8], classes: 2, train_size: 64, test_size: 16}
network: {family: "beside_the_file:build"}
factors: {layers: [1, 2]}
training: {epochs: 1}
seeds: 1
"""
FAMILY = """
from torch import nn

def build(*, input_shape, num_classes, layers: int = 1):
    parts = [nn.Linear(64, 64) for _ in range(layers)]
    return nn.Sequential(nn.Flatten(), *parts, nn.Linear(64, num_classes)MORE)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "plug.yaml").write_text(STUDY)
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "study"
    sys.modules.pop("beside_the_file", None)


def trained(folder: Path, more: str = "") -> dict[str, str]:
    (folder / "beside_the_file.py").write_text(FAMILY.replace("MORE", more))
    sys.modules.pop("beside_the_file", None)
    linecache.clearcache()
    study = run_study(folder / "plug.yaml", options=RunOptions(executor="inline", report=False)).study
    asked = {arm.name for arm in study.arms if not arm.orphaned}
    return {trial.id: trial.state for trial in study.trials if trial.arm in asked}


def test_a_family_beside_the_study_file_is_found_and_its_code_is_part_of_its_arms(folder: Path) -> None:
    first = trained(folder)
    assert list(first.values()) == ["COMPLETE"] * 2
    assert trained(folder, more="  ").keys() == first.keys()
    assert not trained(folder, more=", nn.Identity(), nn.Linear(num_classes, num_classes)").keys() & first.keys()


def test_a_family_that_changes_the_current_folder_moves_no_result(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (folder / "moving_net.py").write_text(
        f"import os\nfrom torch import nn\nclass Moves(nn.Module):\n    def forward(self, x):\n"
        f"        os.chdir({str(elsewhere)!r})\n        return x\n"
        "def build(*, input_shape, num_classes):\n"
        "    return nn.Sequential(Moves(), nn.Flatten(), nn.Linear(64, num_classes))\n"
    )
    (folder / "moving.yaml").write_text(
        'study: moving\ndata: digits\nnetwork: {family: "moving_net:build"}\n'
        "training: {recipe: quick, epochs: 1}\nseeds: 2\n"
    )
    result = run_study(folder / "moving.yaml", options=RunOptions(executor="inline"))
    assert [each.state for each in result.trials] == ["COMPLETE"] * 2
    assert Path("results.db").exists()
    assert list(elsewhere.iterdir()) == []
