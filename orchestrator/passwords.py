"""Passwords in URLs, of databases and of other things: found however they are written, and never shown."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

HIDDEN = "***"

_URL = re.compile(r"(?<![\w+.-])([A-Za-z][A-Za-z0-9+.-]*)://([^\s\"'<>`]+)")
_HOST = re.compile(r"(?:\[[^\]]*\]|[^/:@]*)(?::\d+)?/")
_SECRET_OPTION = re.compile(r"(?i)((?:ssl)?password|passwd|pwd)=[^&\s\"']*")
_PORT = re.compile(r"\d+/")
_DATABASES = ("postgres", "mysql", "mariadb", "mssql", "oracle", "cockroach", "redis", "mongodb")


@dataclass(frozen=True)
class UrlParts:
    """The rest of a URL after its ``scheme://``, taken apart without decoding: user, password, and all that follows."""

    user: str | None
    password: str | None
    rest: str


def take_apart(text: str) -> UrlParts:
    """Take apart what follows ``scheme://``, where people write passwords with @, : / and ? as they are.

    The host begins after the last @ that can end a user and a password.
    """
    before, _, _ = text.partition("?")
    if "@" in before:
        account, _, host = before.rpartition("@")
        rest = host + text[len(before) :]
    elif "@" in text and not _HOST.match(before):  # the password holds a question mark
        account, _, rest = text.rpartition("@")
    else:
        return UrlParts(None, None, text)
    user, colon, password = account.partition(":")
    return UrlParts(user, password if colon else None, rest)


def without_passwords(text: str) -> str:
    """Return `text` with the password of every URL in it replaced by asterisks."""
    return _SECRET_OPTION.sub(rf"\1={HIDDEN}", _URL.sub(_hidden, text))


def without_passwords_in(value: Any) -> Any:
    """Return plain data, such as the settings of a study, with the passwords in its texts replaced by asterisks."""
    if isinstance(value, str):
        return without_passwords(value)
    if isinstance(value, Mapping):
        return {key: without_passwords_in(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_passwords_in(each) for each in value]
    return value


def holds_password(url: str) -> bool:
    """Whether there is a password in the URL of a database, of a storage, or of anything else."""
    scheme, _, following = url.partition("://")
    return _is_password(scheme, take_apart(following)) or _SECRET_OPTION.search(url) is not None


def _hidden(match: re.Match[str]) -> str:
    scheme, parts = match[1], take_apart(match[2])
    return f"{scheme}://{parts.user}:{HIDDEN}@{parts.rest}" if _is_password(scheme, parts) else match[0]


def _is_password(scheme: str, parts: UrlParts) -> bool:
    """Whether what was taken for a password is one, and no path of a URL that names nobody."""
    if parts.password is None:
        return False
    is_database = scheme.lower().startswith(_DATABASES)
    return is_database or not ("/" in (parts.user or "") or _PORT.match(parts.password))
