"""Keep the passwords of the command line out of the list of processes, which every user of a machine can read."""

import os
import sys
from collections.abc import Sequence

_VARIABLE = "PGPASSWORD"  # read by PostgreSQL's own library where a URL names no password


def hide_passwords() -> None:
    """Replace this process by one without passwords in its arguments, where there are any; its number stays.

    The password goes on in the environment, which only the same user can read.
    """
    if not any("postgres" in word.lower() and "://" in word for word in sys.argv[1:]):
        return
    words, passwords = take_out_passwords(sys.orig_argv)
    if len(passwords) == 1 and hasattr(os, "execve"):
        os.execve(sys.executable, words, {**os.environ, _VARIABLE: passwords.pop()})


def take_out_passwords(words: Sequence[str]) -> tuple[list[str], set[str]]:
    """Return the words of a command with the passwords taken out of its PostgreSQL URLs, and these passwords."""
    from orchestrator.errors import UserError
    from orchestrator.storage import database_url  # SQLAlchemy takes a moment to import

    passwords = set()
    kept = []
    for word in words:
        option, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
        if value.lower().startswith("postgres"):
            try:
                url = database_url(value)
            except UserError:
                url = None  # whoever reads the option says what is wrong with it
            if url is not None and url.password:
                passwords.add(str(url.password))
                word = f"{option}{equals}{url._replace(password=None).render_as_string(hide_password=False)}"
        kept.append(word)
    return kept, passwords
