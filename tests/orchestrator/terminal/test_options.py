"""Words that options take: Markdown has two."""

import pytest
from typer.testing import CliRunner

from orchestrator.cli import app


@pytest.mark.parametrize("word", ["md", "markdown"])
@pytest.mark.parametrize("command", [["report", "missing"], ["diff", "missing", "missing"], ["query", "SELECT 1"]])
def test_markdown_has_two_names(command, word, tmp_path):
    done = CliRunner().invoke(app, [*command, "--db", str(tmp_path / "none.db"), "--format", word])
    assert "unknown choice" not in done.output


def test_md_is_no_word_where_markdown_is_none():
    done = CliRunner().invoke(app, ["status", "--format", "md"])
    assert done.exit_code == 2
    assert 'unknown choice "md": known: json, table' in done.output
