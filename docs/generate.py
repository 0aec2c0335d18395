"""Write the reference pages that are made from the code: commands, recipes, the results database.

Run it from the repository's root after changing one of them: python docs/generate.py
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Table
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.presets import preset_names, read_preset
from orchestrator.storage.tables import metadata
from trainers.settings.recipes import DEFAULTS, RECIPES

REFERENCE = Path(__file__).parent / "reference"
MADE = "<!-- Made by docs/generate.py from the code; do not edit. -->\n"


def main() -> None:
    """Write every page that differs from what the code says."""
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """Return the text of each generated page by its file name."""
    made = {"cli.md": _commands(), "recipes.md": _recipes(), "database.md": _database(), "presets.md": _presets()}
    return {name: MADE + "\n".join(lines).rstrip() + "\n" for name, lines in made.items()}


def _commands() -> Iterator[str]:
    yield "# Commands\n"
    yield "What `orchestrate COMMAND --help` prints. Exit codes: [continuous integration](../how-to/ci.md).\n"
    for name in sorted(each.name or getattr(each.callback, "__name__", "") for each in app.registered_commands):
        shown = CliRunner().invoke(app, [name, "--help"], prog_name="orchestrate", env={"COLUMNS": "110"})
        yield f"## orchestrate {name}\n"
        yield "```text\n" + "\n".join(line.rstrip() for line in shown.stdout.strip().splitlines()) + "\n```\n"


def _recipes() -> Iterator[str]:
    yield "# Recipes\n"
    yield "`training: {recipe: NAME}` takes one of these; every field can be overridden. A recipe differs from the"
    yield "defaults in the fields that are listed.\n"
    yield "## Defaults\n"
    yield from _as_yaml(DEFAULTS)
    for name, recipe in RECIPES.items():
        yield f"## {name}\n"
        yield from _as_yaml(recipe)


def _as_yaml(settings: Mapping[str, Any]) -> Iterator[str]:
    plain = yaml.safe_dump(_plain(settings), sort_keys=False, default_flow_style=None, width=110).rstrip()
    yield f"```yaml\n{plain}\n```\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _database() -> Iterator[str]:
    yield "# The results database\n"
    yield "SQLite or PostgreSQL. The views `trial_results`, `verdict_results`, `measurement_results` and `curves` are"
    yield "stable; the tables below may grow.\n"
    for table in metadata.sorted_tables:
        yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    yield f"## {table.name}\n"
    if table.comment:
        yield table.comment + "\n"
    yield "| column | type | refers to | meaning |\n|---|---|---|---|"
    for column in table.columns:
        target = ", ".join(sorted(key.target_fullname for key in column.foreign_keys))
        key = " (key)" if column.primary_key else ""
        yield f"| `{column.name}`{key} | {column.type!s} | {target} | {_cell(column.comment or '')} |"
    yield ""


def _presets() -> Iterator[str]:
    yield "# Ready studies\n"
    yield "`orchestrate presets NAME > NAME.yaml` writes one to a file.\n"
    yield "| preset | what it is | data | arms | trials |\n|---|---|---|---|---|"
    for name in preset_names():
        preset = read_preset(name)
        yield f"| `{name}` | {_cell(preset.about)} | {preset.data} | {preset.arms} | {preset.trials} |"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


if __name__ == "__main__":
    main()
