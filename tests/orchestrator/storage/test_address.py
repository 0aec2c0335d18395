"""What people write for a database."""

from pathlib import Path

import pytest

from orchestrator.passwords import without_passwords
from orchestrator.storage import StorageError, database_url
from orchestrator.storage.address import describe, file_of


@pytest.mark.parametrize(
    "text", ["results.db", "sqlite:///results.db", "./results.db", " results.db ", Path("results.db")]
)
def test_a_file_may_be_a_path_or_a_url(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert file_of(database_url(text)) == tmp_path / "results.db"


def test_a_path_does_not_follow_a_later_change_of_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    url = database_url("results.db")
    monkeypatch.chdir("/")
    assert file_of(url) == tmp_path / "results.db"


def test_home_is_expanded(monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    assert (
        file_of(database_url("sqlite:///~/results.db"))
        == file_of(database_url("~/results.db"))
        == Path("/somewhere/results.db")
    )


@pytest.mark.parametrize("name", ["100%.db", "what?.db", "a#b.db", "with space.db", "ü.db"])
def test_a_path_may_hold_any_character(name, tmp_path):
    assert file_of(database_url(str(tmp_path / name))) == tmp_path / name


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_uses_psycopg(scheme):
    assert database_url(f"{scheme}://me@host/results").drivername == "postgresql+psycopg"


def test_a_password_is_never_shown():
    assert describe(database_url("postgresql://me:secret@host/results")) == "postgresql+psycopg://me:***@host/results"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the database has no name: give a file or a URL, for instance sqlite:///results.db"),
        ("mysql://host/x", '"mysql" is no database that results can be kept in: use SQLite or PostgreSQL'),
        ("sqlite://", '"sqlite://" names no file: results must outlive the command'),
        ("sqlite:///:memory:", "names no file"),
        (":memory:", "names no file"),
        ("postgresql://host:port/x", "the database's URL cannot be read: write it as sqlite:///results.db"),
        ("postgresql://me@host", "the database's URL names no database"),
    ],
)
def test_anything_else_is_refused_with_an_example(text, message):
    with pytest.raises(StorageError) as refused:
        database_url(text)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "password", "host"),
    [
        ("postgres://me:p@ss@localhost:1/x", "p@ss", "localhost"),
        ("postgresql://me:p%ss@host/x", "p%ss", "host"),
        ("postgresql://me:p%40ss@host/x", "p@ss", "host"),
        ("postgresql://me:p:s/s?s@host/x", "p:s/s?s", "host"),
        ("postgresql://me@host/x?password=p@ss", "p@ss", "host"),
        ("postgresql://me:other@host/x?sslmode=require&password=p@ss", "p@ss", "host"),
    ],
)
def test_a_password_may_hold_any_character_and_no_part_of_it_is_shown(text, password, host):
    url = database_url(text)
    assert (url.username, url.password, url.host, url.database) == ("me", password, host, "x")
    for shown in (describe(url), without_passwords(text), without_passwords(f"orchestrate run s.yaml --db '{text}'")):
        assert "***" in shown
        assert "ss" not in shown.replace("password", "").replace("sslmode", "")


@pytest.mark.parametrize(
    "text",
    [
        "mysql://me:secret@host/x",
        "postgrse://me:secret@host/x",
        "postgresql:me:secret@host/x",
        "postgresql://me:secret@host",
        "postgresql://me:secret@host:port/x",
        "host=localhost password=secret dbname=x",
    ],
)
def test_no_refusal_shows_a_password(text):
    with pytest.raises(StorageError) as refused:
        database_url(text)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("text", ["sqlite:results.db", "SQLITE:results.db", "sqlite:///results.db?cache=shared"])
def test_other_spellings_of_a_file(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert file_of(database_url(text)) == tmp_path / "results.db"


def test_two_slashes_are_told_apart_from_three():
    with pytest.raises(StorageError, match="write sqlite:///results"):
        database_url("sqlite://results.db")
