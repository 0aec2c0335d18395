"""A distribution says where its repository is published, when it is built where that is known."""

import os
import runpy
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
SETUP = runpy.run_path(str(ROOT / "setup.py"))
BUILD = "from setuptools import build_meta; import sys; print(getattr(build_meta, 'build_' + sys.argv[1])(sys.argv[2]))"


def git(folder: Path, *words: str) -> str:
    name = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    return subprocess.run(["git", *name, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """Return a repository with all that the metadata are made of, and of each package its first file."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in (
        "orchestrator/version.py",
        *(f"{each}/__init__.py" for each in ("reports", "search_spaces", "trainers")),
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / "orchestrator/__init__.py").touch()
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "All")
    return folder


def build(folder: Path, kind: str, **environment: str) -> Path:
    """Build an sdist or a wheel of a folder, and return its file."""
    clean = {name: value for name, value in os.environ.items() if name != "PROJECT_URL"} | environment
    command = [sys.executable, "-c", BUILD, kind, str(folder.parent)]
    done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder.parent / done.stdout.splitlines()[-1]


def metadata(wheel: Path) -> Message:
    with ZipFile(wheel) as archive:
        (name,) = [each for each in archive.namelist() if each.endswith(".dist-info/METADATA")]
        return message_from_bytes(archive.read(name))


def urls(message: Message) -> dict[str, str]:
    return dict(line.split(", ") for line in message.get_all("Project-URL", []))


def text(message: Message) -> str:
    return message.get_payload(decode=True).decode()  # type: ignore[union-attr]


def test_a_wheel_from_an_sdist_from_a_clone_has_the_address_of_its_remote(project: Path) -> None:
    git(project, "remote", "add", "origin", "git@example.org:owner/name.git")
    revision = git(project, "rev-parse", "HEAD")
    with tarfile.open(build(project, "sdist")) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.4 and later have one
        archive.extractall(project.parent)
    (unpacked,) = [each for each in project.parent.glob("ablation_orchestrator-*") if each.is_dir()]
    found = metadata(build(unpacked, "wheel"))
    assert urls(found) == {
        "Source": "https://example.org/owner/name",
        "Documentation": f"https://example.org/owner/name/blob/{revision}/docs/index.md",
        "Changelog": f"https://example.org/owner/name/blob/{revision}/CHANGELOG.md",
        "Issues": "https://example.org/owner/name/issues",
    }
    assert found["Description-Content-Type"] == "text/markdown"
    assert f"](https://example.org/owner/name/raw/{revision}/docs/report.png)" in text(found)
    assert f"](https://example.org/owner/name/blob/{revision}/docs/tutorial.md)" in text(found)
    assert "](docs/" not in text(found)


def test_without_an_address_the_text_is_the_readme_and_there_are_no_urls(project: Path) -> None:
    found = metadata(build(project, "wheel"))
    assert urls(found) == {}
    assert text(found).strip() == (ROOT / "README.md").read_text(encoding="utf-8").strip()


def test_the_environment_names_the_address_before_the_remote_does(project: Path) -> None:
    git(project, "remote", "add", "origin", "/srv/mirror.git")
    found = metadata(build(project, "wheel", PROJECT_URL="https://gitlab.example.org/group/name/"))
    revision = git(project, "rev-parse", "HEAD")
    assert urls(found)["Source"] == "https://gitlab.example.org/group/name"
    assert urls(found)["Issues"] == "https://gitlab.example.org/group/name/-/issues"
    assert f"](https://gitlab.example.org/group/name/-/raw/{revision}/docs/report.png)" in text(found)


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://example.org/owner/name.git", "https://example.org/owner/name"),
        ("https://user:token@example.org:8443/owner/name", "https://example.org:8443/owner/name"),
        ("git@example.org:owner/name.git", "https://example.org/owner/name"),
        ("ssh://git@example.org:2222/owner/name.git", "https://example.org/owner/name"),
        ("git://example.org/owner/name", "https://example.org/owner/name"),
        ("/srv/git/name.git", None),
        ("../name", None),
        ("file:///srv/git/name.git", None),
        ("C:/git/name", None),
        ("https://example.org/", None),
        ("", None),
    ],
)
def test_the_address_of_a_remote(remote: str, address: str | None) -> None:
    assert SETUP["public_address"](remote) == address


def test_links_that_lead_elsewhere_stay() -> None:
    links = "[a](#more) [b](https://example.org/x.png) [c](mailto:a@example.org) [![d](docs/d.png)](docs/d.md)"
    made = SETUP["with_absolute_links"](links, "https://p/", "https://r/")
    assert made == (
        "[a](#more) [b](https://example.org/x.png) [c](mailto:a@example.org) [![d](https://r/docs/d.png)](https://p/docs/d.md)"
    )
