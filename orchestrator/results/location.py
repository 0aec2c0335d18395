"""Where the results of studies are, and how to read them; nothing here needs torch or Ray."""

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.arguments import check_place, check_type
from orchestrator.errors import UserError
from orchestrator.home import expanded
from orchestrator.records.study_name import IN_WORDS, STUDY_NAME
from orchestrator.storage import StorageError, Store

if TYPE_CHECKING:
    from orchestrator.storage import StudyFrames
    from orchestrator.study_file.config import StudyConfig

DEFAULT_DATABASE = "sqlite:///results.db"


def load_study(name: str, db: str | None = None) -> "StudyFrames":
    """Return a study's results as pandas DataFrames; UserError when the DB has no study of that name."""
    from orchestrator.storage import StudyFrames  # not above: it imports pandas

    check_type("the name of a study", name, str)
    check_place("db", db)
    with Store.open(database(db), read_only=True) as store:
        study = store.load_study(name)
        weights = store.weights([trial.id for trial in study.trials])
        return StudyFrames(study, store.load_verdicts(name), weights)


def database(given: str | None, config: "StudyConfig | None" = None) -> str:
    """Return the results DB: what was given, else the study file's, else $ORCHESTRATE_DB, else results.db here.

    UserError with file and line for one of the study file that cannot be opened.
    """
    in_file = config.file.database if config else None
    # An empty name is a mistake, for instance of a variable that the shell does not know, and is told as one.
    if config is not None and given is None and in_file is not None:
        try:
            Store.exists(in_file)
        except StorageError as error:
            raise config.source.error(str(error), ("database",)) from None
    named = next((each for each in (given, in_file) if each is not None), None)
    return named if named is not None else os.environ.get("ORCHESTRATE_DB") or DEFAULT_DATABASE


def as_folder(study: str) -> str:
    """Return a study's name as that of its folder; UserError for one that only another program can have given it."""
    if not re.fullmatch(STUDY_NAME, study):
        raise UserError(
            f'no folder can be named after study "{ascii(study)[1:-1]}": it takes {IN_WORDS} (at most 100); '
            "`orchestrate rename` gives it one"
        )
    return study


def output_folder(study: str, given: Path | None = None) -> Path:
    """Return the folder for a study's report; UserError when it could not be written. Nothing is made yet."""
    out = expanded(given or Path("out") / as_folder(study)).resolve()
    nearest = next(each for each in (out, *out.parents) if each.exists())
    try:
        tempfile.TemporaryDirectory(dir=nearest).cleanup()
    except OSError as error:
        raise UserError(f"--out {out}: nothing can be written there ({error.strerror}); name another folder") from None
    return out
