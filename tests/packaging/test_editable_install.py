"""The install that the README tells of, in an environment of its own that shares the libraries of this one."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
USES = """
from orchestrator import load_study, run_study
from search_spaces import build_network
from trainers import train
import trainers
print(trainers.__file__)
"""
TYPED = """
from orchestrator import RunOptions, RunResult, load_study, run_study

options = RunOptions(executor="inline")
result = run_study("study.yaml", options=options)
same = run_study({"study": "t", "network": {"depth": 8}}, show=False)
frame = load_study("t").trials()
reveal_type(result)
reveal_type(same.failed)
reveal_type(load_study)
reveal_type(frame)
run_study(3)
"""
# Libraries whose types no public name has: to read them takes a type checker three quarters of its time.
NOT_PUBLIC = "torch.*,ray.*,numpy.*,sqlalchemy.*,alembic.*,matplotlib.*,pydantic.*,optuna.*,rich.*,psycopg.*"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return the Python of an environment in which a copy of this project is installed to be edited."""
    folder = tmp_path_factory.mktemp("install")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("orchestrator", "reports", "search_spaces", "trainers"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True, timeout=120)
    python = folder / "env/bin/python"
    [site] = (folder / "env/lib").glob("python*/site-packages")
    (site / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
    options = ["-q", "--no-deps", "--no-build-isolation", "--no-index", "--ignore-installed"]
    command = [python, "-m", "pip", "install", *options, "-e", source]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return python, source


@pytest.fixture
def here(tmp_path):
    """Return a folder with folders of the user's that have the names of ours."""
    for name in ("trainers", "search_spaces"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "notes.txt").write_text("mine")
    return tmp_path


def run(python, *words, cwd):
    clean = {"PATH": "/usr/bin:/bin", "HOME": str(cwd)}
    return subprocess.run([python, *words], cwd=cwd, env=clean, capture_output=True, text=True, timeout=250)


@pytest.mark.slow
def test_folders_with_the_names_of_ours_hide_nothing(installed, here):
    python, source = installed
    (here / "mine.py").write_text(USES)
    for words in (["mine.py"], ["-c", USES]):
        done = run(python, *words, cwd=here)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == str(source / "trainers/__init__.py")
    assert run(python.with_name("orchestrate"), "--version", cwd=here).stdout.startswith("orchestrate ")


@pytest.mark.slow
def test_a_type_checker_knows_the_public_names(installed, here):
    python, _ = installed
    (here / "mine.py").write_text(TYPED)
    (here / "mypy.ini").write_text(f"[mypy]\n[mypy-{NOT_PUBLIC}]\nfollow_imports = skip\n")
    options = ["--follow-imports=silent", "--ignore-missing-imports", "--cache-dir", str(ROOT / ".mypy_cache/user")]
    done = run(python, "-m", "mypy", *options, "mine.py", cwd=here)
    lines = done.stdout.splitlines()
    said = [line.partition("mine.py:")[2] for line in lines]
    assert 'Revealed type is "orchestrator.terminal.run_result.RunResult"' in said[0], done.stdout + done.stderr
    assert 'Revealed type is "int"' in said[1]
    assert "-> orchestrator.storage.frames.StudyFrames" in said[2]
    assert "DataFrame" in said[3]
    assert 'Argument 1 to "run_study" has incompatible type "int"' in said[4]
    assert "5 errors" not in lines[-1]
