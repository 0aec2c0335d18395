"""Passwords are found in the URLs of databases and of storages, and nothing else is taken for one."""

import pytest

from orchestrator.passwords import holds_password, without_passwords, without_passwords_in


def test_text_without_a_password_stays_as_it_is():
    for text in (
        "see https://host:80/a@b",
        "postgresql://me@host/x",
        "postgresql://[::1]:1/x?user=a@b",
        "sqlite:///a.db",
    ):
        assert without_passwords(text) == text
    assert without_passwords_in({"database": "postgresql://me:pw@h/x", "n": [1, ("a",)]}) == {
        "database": "postgresql://me:***@h/x",
        "n": [1, ["a"]],
    }


@pytest.mark.parametrize(
    ("url", "hidden"),
    [
        ("postgresql://me:1/2@h/x", "postgresql://me:***@h/x"),
        ("postgresql://me@h/x?password=1", "postgresql://me@h/x?password=***"),
        ("sftp://me:12@h/x", "sftp://me:***@h/x"),
        ("s3://key:se/cr@et@bucket/x", "s3://key:***@bucket/x"),
        ("https://:token@h/x", "https://:***@h/x"),
    ],
)
def test_what_is_hidden_is_what_counts_as_a_password(url, hidden):
    assert holds_password(url)
    assert without_passwords(f"see {url}") == f"see {hidden}"


@pytest.mark.parametrize("url", ["s3://bucket/a:b@c", "s3://h:9000/a@b", "sftp://me@h/x", "file:///a@b:c", "s3://b"])
def test_a_path_is_no_password(url):
    assert not holds_password(url)
    assert without_passwords(url) == url
