"""The errors of the results database that a person can mend, each one sentence with its remedy."""

from collections.abc import Iterable

from sqlalchemy.exc import DBAPIError, IntegrityError, TimeoutError

from orchestrator.errors import UserError
from orchestrator.passwords import without_passwords
from search_spaces.errors import enumerated, nearest


class StorageError(UserError):
    """The results database cannot do what was asked; the message says why and what to try."""


class DatabaseGone(StorageError):
    """The file of the database is no longer the one that was opened."""


class StudyBusy(StorageError):
    """Another process is running this study."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Return the sentence for a name that the database does not hold, with the nearest one that it does."""
    names = sorted(known)
    close = nearest(name, names)
    if close is not None:
        return f'there is no {kind} "{name}": did you mean "{close}"?'
    return f'there is no {kind} "{name}": known are {enumerated(names)}' if names else f'there is no {kind} "{name}"'


_TRANSIENT = (
    "database is locked",
    "database table is locked",
    "disk is full",
    "disk i/o error",
    "no space left",
    "readonly database",
    "unable to open database file",
    "connection",
    "terminating",
    "deadlock",
    "could not serialize",
)


def is_transient(error: BaseException) -> bool:
    """Whether trying again later may help: a lock, a full disk, a lost connection."""
    if isinstance(error, TimeoutError):
        return True
    if not isinstance(error, DBAPIError) or isinstance(error, IntegrityError):
        return False
    text = str(error.orig).lower()
    return error.connection_invalidated or any(sign in text for sign in _TRANSIENT)


_BROKEN = ("malformed", "is not a database", "no such table", "permission denied", "does not exist")


def is_broken(error: BaseException) -> bool:
    """Whether the database itself cannot take anything any more, which neither time nor another event mends."""
    return isinstance(error, DBAPIError) and any(sign in str(error.orig).lower() for sign in _BROKEN)


_REMEDIES = {
    "is not a database": "{where} is not a results database: name another file with --db, or move this one away",
    "malformed": "{where} is damaged ({text}): restore a copy, or name another file with --db",
    "is locked": "{where} is locked by another program: close what else writes to it, then try again",
    "disk is full": "the disk of {where} is full: free some space, then run the same command again",
    "readonly database": "{where} cannot be written: change its permissions, or name another file with --db",
    "unable to open": "{where} cannot be opened: check the permissions of the file and its folder, or name another "
    "file with --db",
    "password authentication": "{where} refuses the user or password of the URL: correct it in --db",
    'database "': "{where} cannot be used ({text}): create the database on the server, or correct the URL",
    "connection": "{where} cannot be reached ({text}): check that the server runs and that the URL is right",
}


def explain(error: Exception, where: str) -> StorageError:
    """Return the one sentence for what the database reported; `where` names the database without any password."""
    text = without_passwords(" ".join(str(getattr(error, "orig", None) or error).split()))
    for sign, remedy in _REMEDIES.items():
        if sign in text:
            return StorageError(remedy.format(where=where, text=text))
    return StorageError(f"{where} reports an error ({text}): run `orchestrate doctor`, which checks the database")
