"""What is told of the code that a study ran from."""

import hashlib
import subprocess

import pytest

from orchestrator.records.environment import git_revision


@pytest.fixture
def repository(tmp_path):
    def git(*words):
        name = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
        return subprocess.run(["git", *name, *words], cwd=tmp_path, check=True, capture_output=True).stdout

    git("init", "-q")
    (tmp_path / "code.py").write_text("a = 1\n")
    git("add", "code.py")
    git("commit", "-qm", "x")
    (tmp_path / "below").mkdir()
    return tmp_path, git


def test_changes_that_are_not_committed_have_a_hash_of_their_own(repository):
    folder, git = repository
    revision = git("rev-parse", "HEAD").decode()[:12]
    assert git_revision(folder) == revision
    (folder / "code.py").write_text("a = 2\n")
    digest = hashlib.sha256(git("diff", "HEAD", "--binary", "--full-index")).hexdigest()[:12]
    assert git_revision(folder / "below") == f"{revision}+changes.{digest}"
    git("add", "code.py")
    assert git_revision(folder) == f"{revision}+changes.{digest}"
    (folder / "code.py").write_bytes(b"\xff\x00")
    assert git_revision(folder) not in (revision, f"{revision}+changes.{digest}")
    (folder / "code.py").write_text("a = 1\n")
    git("add", "code.py")
    (folder / "untracked").write_text("x")
    assert git_revision(folder) == revision


def test_a_folder_outside_of_git_has_no_revision(tmp_path):
    assert git_revision(tmp_path) is None
