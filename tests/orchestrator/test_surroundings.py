"""What would keep a run from starting is one message before anything starts, and what is harmless is none."""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from orchestrator.errors import UserError
from orchestrator.surroundings.packages import check_workers, worker_faults

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return an empty current folder, with a home and a folder for temporary files that Ray can use."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("RAY_TMPDIR", "/tmp")
    monkeypatch.delenv("TMPDIR", raising=False)
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x = 1\n")


@pytest.mark.parametrize(
    "name",
    ["trainers.py", "search_spaces/__init__.py", "torch/__init__.py", "ray.py", "numpy/__init__.py", "queue.py"],
)
def test_a_file_that_hides_a_package_from_the_workers_is_named(folder, name):
    write(folder / name)
    top = folder / name.partition("/")[0]
    with pytest.raises(UserError, match="hides the package") as raised:
        check_workers(None)
    assert str(raised.value).startswith(f"{top} is on the import path of the workers")
    assert len(worker_faults("10.0.0.1:6379")) == 1


@pytest.mark.parametrize(
    "name",
    [
        "model.py",
        "test.py",
        "torch/notes.txt",
        "trainers/notes.txt",
        "data/a.py",
        "mynet/__init__.py",
        "sys/notes.txt",
        "time.py",
    ],
)
def test_names_that_hide_nothing_are_let_be(folder, name):
    write(folder / name)
    assert worker_faults(None) == ()


def test_the_program_may_run_from_its_own_folder(folder, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert worker_faults(None) == ()


@pytest.mark.parametrize("start", [["-m", "orchestrator"], ["-c", "from orchestrator.cli import main; main()"]])
@pytest.mark.parametrize("name", ["trainers.py", "search_spaces/__init__.py", "torch.py", "numpy/__init__.py"])
def test_a_command_that_would_import_something_else_says_so(folder, name, start):
    write(folder / name)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    command = [sys.executable, *start, "presets"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"orchestrate: {folder / name.partition('/')[0]} is on the import path")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("home", ["/proc", "/proc/nowhere"])
def test_a_home_that_cannot_be_written_is_named(folder, monkeypatch, home):
    monkeypatch.setenv("HOME", home)
    with pytest.raises(UserError, match=f"{home}/.ray, which cannot be written .*: set HOME to a folder of yours"):
        check_workers(None)
    assert worker_faults("10.0.0.1:6379") == ()  # a cluster has its own


def test_a_token_in_the_environment_needs_no_home(folder, monkeypatch):
    monkeypatch.setenv("HOME", "/proc")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "0" * 64)
    assert worker_faults(None) == ()


@pytest.mark.parametrize("variable", ["RAY_TMPDIR", "TMPDIR"])
def test_a_temporary_folder_with_too_long_a_path_is_named(folder, monkeypatch, variable):
    monkeypatch.delenv("RAY_TMPDIR")
    monkeypatch.setenv(variable, str(folder / ("x" * 90)))
    with pytest.raises(UserError, match=rf"too long for Ray's sockets \({variable}=.* at most \d+\): set RAY_TMPDIR"):
        check_workers(None)


def test_the_longest_path_that_is_let_be_is_one_that_a_socket_can_have(folder, monkeypatch):
    session = f"/ray/session_2000-01-01_00-00-00_000000_{os.getpid()}/sockets/plasma_store"
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        for length, is_fine in ((107, True), (108, False)):
            base = short + "/" + "x" * (length - len(session) - len(short) - 1)
            assert len(base + session) == length
            monkeypatch.setenv("RAY_TMPDIR", base)
            assert (worker_faults(None) == ()) is is_fine


def test_a_temporary_folder_of_another_user_is_named(folder, monkeypatch):
    monkeypatch.setenv("RAY_TMPDIR", "/proc")
    with pytest.raises(UserError, match="temporary files in /proc/ray, which cannot be written"):
        check_workers(None)


def test_a_full_disk_under_the_temporary_folder_is_named(folder, monkeypatch):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    monkeypatch.setenv("RAY_TMPDIR", "/tmp")
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))  # as a disk that has room for a folder, and no more
    try:
        (fault,) = worker_faults(None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(fault).startswith("Ray keeps temporary files in /tmp/ray, which cannot be written (File too large): set")


def test_a_current_folder_that_is_gone_is_named(folder, monkeypatch):
    (folder / "gone").mkdir()
    monkeypatch.chdir(folder / "gone")
    (folder / "gone").rmdir()
    with pytest.raises(UserError, match="the current folder no longer exists"):
        check_workers(None)


def test_a_command_from_a_folder_that_is_gone_says_so(folder):
    command = f"rmdir {folder}; exec {sys.executable} -P -m orchestrator plan study.yaml"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, env=environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "orchestrate: the current folder no longer exists: change to one that does\n"
