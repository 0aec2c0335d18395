"""Ray Tune's folder goes with its run, or with the next one after a kill, and never while it is in use."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from orchestrator.engine.tune_folder import FOLDER, remove_left_folders, tune_folder

HOLDS = """
from orchestrator.engine.tune_folder import tune_folder
with tune_folder() as folder:
    print(folder, flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_the_folder_goes_with_its_run(temporary: Path) -> None:
    with tune_folder() as folder:
        assert folder.parent == temporary
    assert list(temporary.iterdir()) == []


def test_a_folder_in_use_stays_and_that_of_a_killed_process_goes() -> None:
    words = [sys.executable, "-c", HOLDS]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().strip())
        remove_left_folders()
        assert theirs.is_dir()
        other.kill()
        other.wait()
        remove_left_folders()
        assert not theirs.exists()


def test_a_folder_of_an_earlier_version_goes_when_its_process_is_gone(temporary: Path) -> None:
    left = temporary / f"{FOLDER}{2**22 + 1}-abc"
    left.mkdir()
    remove_left_folders()
    assert not left.exists()
