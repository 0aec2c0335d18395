"""A small study of four trials that trains in seconds, in a folder of its own."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.command import Ended, Orchestrate

SMALL = """\
study: small
question: Does it run?
data: digits
network: {family: resnet_cifar, width: 2, depth: 8}
factors:
  variant:
    plain: {shortcut: none}
    original: {}
baseline: {variant: original}
training: {recipe: quick, epochs: 2}
seeds: 2
fail_above: 95
"""


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield the study file, with its folder as the working directory and no results DB from outside.

    Modules of the folder are forgotten with it: another test may have some of the same names.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ORCHESTRATE_DB", raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)
    yield file
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def orchestrate(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], main: Callable[..., None]
) -> Orchestrate:
    """Run a command in the folder of the small study as its own process would."""
    monkeypatch.setenv("COLUMNS", "160")

    def run(*words: str) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(*words)
        output, errors = capsys.readouterr()
        assert end.value.code is None or isinstance(end.value.code, int)
        return Ended(end.value.code or 0, output, errors)

    return run
