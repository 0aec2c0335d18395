"""`orchestrate publish` and `orchestrate diff` on a results DB, from the command line."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator import RunOptions, run_study
from orchestrator.cli import app
from orchestrator.errors import UserError
from tests.integration.made_up import MadeUp

FILE = """\
study: made-up
network: {family: resnet_cifar, width: 2, depth: 8}
factors: {shortcut: {identity: {}, scaled: {shortcut: {op: scale, shortcut: 0.5, residual: 0.5}}}}
training: {recipe: quick, epochs: 1}
seeds: 3
claims: [{id: it, says: scaled < identity}]
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    (folder / "made-up.yaml").write_text(FILE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("orchestrator.study.make_backend", lambda *_: MadeUp(lambda _, seed: 5 + 0.1 * seed))
        options = RunOptions(executor="inline", db=f"sqlite:///{folder}/results.db", report=False)
        run_study(folder / "made-up.yaml", options=options)
    return folder / "results.db"


@pytest.fixture(autouse=True)
def here(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORCHESTRATE_DB", f"sqlite:///{database}")


def told(*words: str) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == 0, done.exception
    return done.stdout


def test_publishing_tells_what_it_would_write_writes_it_and_then_nothing() -> None:
    planned = told("publish", "--to", "site", "--dry-run")
    assert not Path("site").exists()
    paths = {line.split()[1] for line in planned.splitlines()[:-1]}
    said = told("publish", "--to", "site")
    assert paths == {each.relative_to("site").as_posix() for each in Path("site").rglob("*") if each.is_file()}
    assert planned.splitlines()[-1] == said.strip().replace("bytes written", "bytes would be written")
    assert told("publish", "--to", "site") == "0 files, 0 bytes written to site\n"


def test_a_published_report_verifies() -> None:
    told("publish", "--to", "site")
    version = json.loads(Path("site/studies/made-up/latest/study.json").read_text())["report"]
    for name in ("latest", version):
        assert told("verify", f"site/studies/made-up/{name}") == "The report is what the results give.\n"


def test_a_place_without_its_library_and_an_unknown_study_are_mistakes() -> None:
    for words, said in ((["--to", "nosuch://x"], "nosuch"), (["--to", "site", "made-uq"], "made-up")):
        done = CliRunner().invoke(app, ["publish", *words])
        assert isinstance(done.exception, UserError)
        assert said in str(done.exception)
    assert not Path("site").exists()


def test_a_tilde_stands_for_the_home_wherever_a_path_is_given(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "made-up.yaml").write_text(FILE)
    monkeypatch.setenv("HOME", str(home))
    told("plan", "~/made-up.yaml", "--db", "~/plan.db")
    told("describe", "~/made-up.yaml", "--svg", "~/units")
    told("report", "made-up", "--out", "~/report")
    told("publish", "--to", "~/site")
    told("export", "made-up", "--to", "db", "--out", "~/copy.db")
    told("export", "made-up", "--to", "tensorboard", "--out", "~/board")
    assert told("verify", "~/report") == "The report is what the results give.\n"
    assert told("diff", "~/report", "made-up") == "Nothing differs.\n"
    assert {"units", "report", "site", "copy.db", "board"} <= {each.name for each in home.iterdir()}
    assert [each.name for each in tmp_path.iterdir()] == ["home"]
    nobody = "~nobody-of-this-name/x"
    for words in (["plan", nobody], ["status", "--db", nobody], ["publish", "--to", nobody], ["serve", nobody]):
        done = CliRunner().invoke(app, words)
        assert isinstance(done.exception, UserError)
        assert str(done.exception) == f"{nobody} starts with a home that nobody has here: write the folder out"


@pytest.mark.parametrize("name", ["..", "../../outside", "a/b", "Made-Up", "index.html", "e\u0301", "x" * 101, ""])
def test_a_study_whose_name_another_program_wrote_is_put_in_no_folder(name: str, database: Path) -> None:
    shutil.copy(database, "odd.db")
    with closing(sqlite3.connect("odd.db")) as connection, connection:
        connection.execute("UPDATE studies SET name = ?", (name,))
    for words in (["publish", "--to", "deep/site"], ["report", "--", name]):
        done = CliRunner().invoke(app, [*words[:1], "--db", "sqlite:///odd.db", *words[1:]])
        assert isinstance(done.exception, UserError)
        assert "lower-case letters, digits and dashes" in str(done.exception)
    assert all(each.name.startswith("odd.db") for each in Path().rglob("*"))  # SQLite has files of its own beside it


@pytest.mark.parametrize("to", ["x" * 300, "site/" + "y" * 300])
def test_a_site_that_no_file_system_has_room_for_is_told(to: str) -> None:
    done = CliRunner().invoke(app, ["publish", "--to", to])
    assert isinstance(done.exception, UserError)
    assert "File name too long" in str(done.exception)


@pytest.mark.parametrize("to", ["", " ", "there.txt"])
def test_a_site_is_a_folder(to: str) -> None:
    Path("there.txt").touch()
    done = CliRunner().invoke(app, ["publish", "--to", to])
    assert isinstance(done.exception, UserError)
    assert "name a folder" in str(done.exception)
    assert [each.name for each in Path().iterdir()] == ["there.txt"]


@pytest.mark.parametrize("format", ["table", "markdown", "html", "json"])
def test_a_published_report_is_compared_with_the_study_in_the_db(format: str) -> None:
    told("report", "made-up", "--out", "before")
    found = json.loads(Path("before/study.json").read_text())
    found["verdicts"][0]["verdict"] = "Supported"
    Path("before/study.json").write_text(json.dumps(found))
    done = CliRunner().invoke(app, ["diff", "before", "made-up", "--format", format])
    assert done.exit_code == 1
    assert "Supported" in done.stdout
