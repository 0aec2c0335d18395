"""The how-tos on one's own code: what they show passes the contract tests of its kind, and its study trains."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

from search_spaces import shortcuts
from tests.docs.test_pages import BLOCK, DOCS, ROOT, blocks
from tests.search_spaces import test_shortcuts


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "tests", "arms"),
    [("own-data", "test_mydata.py", 2), ("own-step", "test_mystep.py", 2), ("own-network", "test_mynet.py", 4)],
)
def test_the_example_passes_its_own_tests_and_trains(name: str, tests: str, arms: int, tmp_path: Path) -> None:
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
    assert f"{arms} complete" in done.stdout


def test_the_shortcut_passes_the_tests_of_every_shortcut(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (DOCS / "how-to" / "own-shortcut.md").read_text(encoding="utf-8")
    (code,) = [block for language, _, block in BLOCK.findall(text) if language == "python"]
    names = dict(vars(shortcuts))
    exec(code, names)
    monkeypatch.setitem(shortcuts.SHORTCUTS, "noisy", names["Noisy"])
    checks = test_shortcuts.TestEveryShortcut()
    ran = 0
    for name, check in inspect.getmembers(checks, inspect.ismethod):
        if name.startswith("test_") and list(inspect.signature(check).parameters) == ["op"]:
            check("noisy")
            ran += 1
    assert ran >= 4
    assert shortcuts.complete_shortcut({"op": "noisy", "sd": 0.2}) == {"op": "noisy", "sd": 0.2}
