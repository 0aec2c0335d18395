"""The how-tos on one's own data set and training step: the module passes the tests that are shown, the study trains."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_pages import DOCS, ROOT, blocks


@pytest.mark.slow
@pytest.mark.parametrize(("name", "tests"), [("own-data", "test_mydata.py"), ("own-step", "test_mystep.py")])
def test_the_example_passes_its_own_tests_and_trains(name: str, tests: str, tmp_path: Path) -> None:
    page = DOCS / "how-to" / f"{name}.md"
    for text in blocks(page, "python"):
        module = text.splitlines()[0].removeprefix("# ")
        (tmp_path / module).write_text(text, encoding="utf-8")
    (study,) = blocks(page, "yaml")
    (tmp_path / "study.yaml").write_text(study, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])}
    for words in (
        ("pytest", "-q", "-p", "no:cacheprovider", tests),
        ("orchestrator", "run", "study.yaml", "--set", "seeds=1", "--executor", "inline", "--no-report"),
    ):
        command = [sys.executable, "-m", *words]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=280)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "2 complete" in done.stdout
