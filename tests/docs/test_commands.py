"""The commands that the documentation prints: their options exist, and those of shell blocks run as printed."""

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import yaml
from typer.main import get_command
from typer.testing import CliRunner

from orchestrator.cli import app
from tests.docs.test_pages import EVERYTHING, ROOT, named

FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PROGRAM = get_command(app)
PLACEHOLDERS = {"FILE": "ablation.yaml", "STUDY": "degradation"}
USAGE_ERROR = typer.BadParameter.__mro__[1]
ENDS_OF_COMMANDS = {"&&", "||", ";", "|", ">", ">>"}
GUIDES = [page for page in EVERYTHING if page.name != "log.md" and page.parent.name != "reference"]


def shell_blocks(page: Path, *, to_run: bool = False) -> list[str]:
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    return [text for words, text in found if words.split()[0] == "bash" and not (to_run and "no-run" in words.split())]


def commands(block: str) -> Iterator[list[str]]:
    """Yield the words of each command of `orchestrate`, also of one inside the quotes of another command."""
    for words in simple_commands(block):
        if words[0] == "orchestrate":
            yield words[1:]
        for word in words[1:]:
            if "orchestrate " in word and " " in word:
                yield from commands(word.replace("~/venv/bin/", ""))


def simple_commands(block: str) -> Iterator[list[str]]:
    """Yield the words of each simple command; a quoted word may go over several lines."""
    pending = ""
    for line in block.splitlines():
        pending = f"{pending}\n{line}" if pending else line
        lexer = shlex.shlex(pending, posix=True, punctuation_chars=";&|<>")
        lexer.whitespace_split = True
        try:
            words = list(lexer)
        except ValueError:  # the quotation goes on
            continue
        pending = ""
        command: list[str] = []
        for word in [*words, ";"]:
            if word not in ENDS_OF_COMMANDS:
                command.append(word)
            elif command:
                yield command
                command = []
    assert not pending, block


def parse(words: list[str]) -> None:
    """Read the words as the command line does, without doing anything; raises what it would print."""
    outer = PROGRAM.make_context("orchestrate", list(words))
    name, command, rest = PROGRAM.resolve_command(outer, list(words))
    command.make_context(name, rest, parent=outer)


def options(command: str) -> set[str]:
    return {opt for param in PROGRAM.commands[command].params for opt in param.opts} | {"--help"}


def test_a_command_may_go_over_several_lines_and_stand_inside_another() -> None:
    block = """cd x && orchestrate query "SELECT 1,
        2"  # two
    ssh host 'cd ~ && ~/venv/bin/orchestrate status a' > log"""
    assert list(commands(block)) == [["query", "SELECT 1,\n        2"], ["status", "a"]]


@pytest.mark.parametrize("words", [["run"], ["runn", "a"], ["run", "a", "--nonsense"], ["status", "--watch", "soon"]])
def test_a_wrong_command_would_be_noticed(words: list[str]) -> None:
    with pytest.raises(USAGE_ERROR):
        parse(words)


@pytest.mark.parametrize("page", EVERYTHING, ids=named)
def test_every_block_says_in_which_language_it_is(page: Path) -> None:
    assert [text for words, text in FENCE.findall(page.read_text(encoding="utf-8")) if not words] == []


@pytest.mark.parametrize("page", EVERYTHING, ids=named)
def test_the_commands_of_shell_blocks_can_be_parsed(page: Path) -> None:
    for block in shell_blocks(page):
        for words in commands(block):
            parse(words)


@pytest.mark.parametrize("page", GUIDES, ids=named)
def test_options_named_in_a_sentence_exist(page: Path) -> None:
    for span in re.findall(r"`orchestrate ([^`]+)`", FENCE.sub("", page.read_text(encoding="utf-8"))):
        name, *rest = span.split()
        assert {word.split("=")[0] for word in rest if word.startswith("--")} <= options(name), span


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which a small version of the quickstart has been run."""
    folder = tmp_path_factory.mktemp("commands")
    study = yaml.safe_load((ROOT / "ablation.yaml").read_text(encoding="utf-8"))
    small = {"factors": {**study["factors"], "depth": [20]}, "training": {"epochs": 1}, "seeds": 1, "claims": []}
    network = {**study["network"], "width": 2}
    small = {**study, **small, "network": network, "probes": ["layer_response"], "keep": "last"}
    (folder / "ablation.yaml").write_text(yaml.safe_dump(small), encoding="utf-8")
    invoke(["run", "ablation.yaml"], folder)
    return folder


def invoke(words: list[str], folder: Path) -> None:
    """Do a command in a folder, without a cluster; exit code 0 is expected."""
    words = [PLACEHOLDERS.get(word, word) for word in words]
    if words[0] in ("run", "probe") and "--executor" not in words:
        words += ["--executor", "inline"]
    before = Path.cwd()
    os.chdir(folder)
    try:
        done = CliRunner().invoke(app, words)
    finally:
        os.chdir(before)
    assert done.exit_code == 0, (words, done.output, done.exception)


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [each for each in EVERYTHING if any(map(list, map(commands, shell_blocks(each, to_run=True))))], ids=named
)
def test_the_commands_of_shell_blocks_run(page: Path, trained: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(trained, tmp_path / "folder")
    for block in shell_blocks(page, to_run=True):
        for words in commands(block):
            invoke(words, folder)
