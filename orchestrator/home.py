"""Paths that begin with ``~``: a shell expands them in few places, and a study file or a notebook in none."""

from pathlib import Path

from orchestrator.errors import UserError


def expanded(path: str | Path) -> Path:
    """Return a path as its user meant it: ``~`` and ``~name`` stand for homes; UserError for one that nobody has."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise UserError(f"{path} starts with a home that nobody has here: write the folder out") from None
