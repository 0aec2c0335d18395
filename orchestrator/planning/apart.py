"""Plan a study without torch in this process: what a plan needs of it is worked out by another one.

The driver of a run waits for days, and torch would be half of its memory.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.planning.plan import make_plan
from orchestrator.records.study_plan import StudyPlan
from orchestrator.study_file.config import StudyConfig
from orchestrator.study_file.written import written_yaml
from search_spaces.fact_cache import filled_by, names_code

CODE = ("data", "network", "factors", "training", "probes")
"""The keys of a study file that may name code of the user's own."""
FREEZE = (sys.executable, "-c", "from orchestrator.cli import main; main()", "freeze")
LONGEST = 600.0
"""Seconds after which this process works the facts out itself."""


def make_plan_apart(config: StudyConfig, command: str | None = None) -> StudyPlan:
    """Plan a study as `make_plan` does.

    What is not known from an earlier plan, another process works out; what it cannot, this one does. Code of the
    user's own is called in this process alone.
    """
    data = config.source.data
    if names_code([data.get(key) for key in CODE]):
        return make_plan(config, command)
    with filled_by(lambda: _plan_elsewhere(data)):
        return make_plan(config, command)


def _plan_elsewhere(data: Mapping[str, Any]) -> None:
    """Plan a study in another process, which keeps what it finds; what is wrong with it is told by this one.

    The study's database is left out: its URL may hold a password.
    """
    kept = {key: value for key, value in data.items() if key != "database"}
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "study.yaml"
            file.write_text(written_yaml(kept).text, encoding="utf-8")
            environment = {**os.environ, "PYTHONSAFEPATH": "1"}  # nothing from the working directory, as here
            subprocess.run([*FREEZE, str(file)], env=environment, capture_output=True, check=False, timeout=LONGEST)
    except (OSError, subprocess.TimeoutExpired):
        return
