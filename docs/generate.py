"""Write the reference pages that are made from the code and the benchmarks' results.

Run it from the repository's root after changing one of them: python docs/generate.py
"""

from collections.abc import Iterator, Mapping
from inspect import signature
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from sqlalchemy import Table
from typer.main import get_group
from typer.testing import CliRunner

from benchmarks.page import lines as benchmark_lines
from orchestrator.cli import app
from orchestrator.presets import GROUPS, preset_names, read_preset
from orchestrator.storage import Store, query
from orchestrator.storage.dictionary import view_sources
from orchestrator.storage.tables import metadata
from orchestrator.study_file.schema import study_schema
from reports.metrics import METRICS, PRIMARY, REACHING, Diverged
from trainers.probes import PROBES
from trainers.settings.recipes import DEFAULTS, RECIPES

REFERENCE = Path(__file__).parent / "reference"
MADE = "<!-- Made by docs/generate.py from the code; do not edit. -->\n"


def main() -> None:
    """Write every page that differs from what the code says."""
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


def pages(*names: str) -> dict[str, str]:
    """Return the text of each generated page by its file name, or of those with these names alone."""
    return {name: MADE + "\n".join(_PAGES[name]()).rstrip() + "\n" for name in names or _PAGES}


def _commands() -> Iterator[str]:
    yield "# Commands\n"
    yield "What `orchestrate COMMAND --help` prints. Exit codes: [continuous integration](../how-to/ci.md).\n"
    commands = dict(sorted(get_group(app).commands.items()))
    yield "| command | does |\n|---|---|"
    for name, command in commands.items():
        about = " ".join((command.help or "").partition("\n\n")[0].split())
        yield f"| [`orchestrate {name}`](#orchestrate-{name}) | {_cell(about)} |"
    yield ""
    for name in commands:
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
    yield "stable; the tables below may grow. The view `data_dictionary` holds what this page says.\n"
    yield from _views()
    for table in metadata.sorted_tables:
        yield from _table(table)


def _views() -> Iterator[str]:
    with TemporaryDirectory() as folder:
        Store.open(f"{folder}/new.db").close()
        known = query(f"{folder}/new.db", "SELECT * FROM data_dictionary ORDER BY relation, position")
    for view in view_sources():
        yield f"## {view}\n"
        yield "| column | meaning |\n|---|---|"
        for name, meaning in known[known["relation"] == view][["name", "meaning"]].values.tolist():
            yield f"| `{name}` | {_cell(meaning)} |"
        yield ""


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
    yield "`orchestrate run NAME` runs one; `orchestrate presets NAME > NAME.yaml` writes it to a file.\n"
    for group, names in GROUPS.items():
        listed = ", ".join(f"`{name}`" for name in names)
        yield f"`orchestrate run {group}` runs a group of them one after the other: {listed}.\n"
    yield "| preset | what it is | data | arms | trials |\n|---|---|---|---|---|"
    for name in preset_names():
        preset = read_preset(name)
        yield f"| `{name}` | {_cell(preset.about)} | {preset.data} | {preset.arms} | {preset.trials} |"


def _study_file() -> Iterator[str]:
    yield "# The study file\n"
    yield "Every key, as `orchestrate schema` has it for editors. A key without a value counts as absent; whole numbers"
    yield "may be written as 32 or 32.0; text is never a number. `--set PATH=VALUE` changes any of them.\n"
    schema = study_schema()
    yield from _settings(schema)
    for name, each in schema["properties"].items():
        parts = list(_parts(each))
        if parts:
            yield f"## {name}\n"
            yield f"{_sentence(each['description'])}\n"
        for title, part in parts:
            yield from [f"### {title}\n"] if title else []
            yield from [f"{part['description']}\n"] if part.get("description") else []
            yield from _settings(part)


def _parts(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each mapping with settings of its own that may stand here, with the name that asks for it."""
    for each in schema.get("anyOf", [schema]):
        inner = each.get("items") if each.get("type") == "array" else each
        for form in (inner or {}).get("anyOf", [inner or {}]):
            settings = form.get("properties", {})
            names = [f"{key}: {value['const']}" for key, value in settings.items() if "const" in value]
            if {key for key, value in settings.items() if value.get("pattern", "").startswith("^[\\w.]+:")}:
                continue
            if settings:
                yield (names[0] if names else ""), form
    extra = schema.get("additionalProperties")
    if isinstance(extra, Mapping):
        yield from ((f"a factor: {each['description']}", each) for each in extra["anyOf"] if "properties" in each)


def _settings(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the table of a mapping's settings, and after it those of the mappings within."""
    own = {key: value for key, value in schema["properties"].items() if "const" not in value}
    if not own:
        return
    yield "| key | what it may be | default | unit | meaning |\n|---|---|---|---|---|"
    for key, value in own.items():
        default = "required" if key in schema.get("required", ()) else _default(value.get("default"))
        meaning = _sentence(value.get("description", ""))
        example = "".join(f" `{each}`" for each in value.get("examples", ()) if "`" not in each)
        cells = (f"`{key}`", _kind(value), default, value.get("unit", ""), f"{meaning}{example}")
        yield "| " + " | ".join(_cell(each) for each in cells) + " |"
    yield ""
    if schema.get("title"):
        return
    for key, value in own.items():
        for title, part in _parts(value):
            yield f"`{key}`{f', `{title}`' if title else ''}:\n"
            yield from (
                _settings(part)
                if any("const" not in each for each in part["properties"].values())
                else [f"{part.get('description', '')}\n"]
            )


def _kind(schema: Mapping[str, Any]) -> str:
    """Return what a value may be, in words."""
    forms = schema.get("anyOf", [schema])
    kinds = [_form(each) for each in forms if each.get("type") != "null" and "not" not in each]
    return " or ".join(dict.fromkeys(kinds)) or "any value"


def _form(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    if "pattern" in schema:
        return "`package.module:function`" if ":" in schema["pattern"] else f"text `{schema['pattern']}`"
    names = {
        "integer": "whole number",
        "number": "number",
        "array": "list",
        "object": "mapping",
        "boolean": "true or false",
    }
    low, high = (
        schema.get("minimum", schema.get("exclusiveMinimum")),
        schema.get("maximum", schema.get("exclusiveMaximum")),
    )
    text = names.get(str(schema.get("type")), "text" if schema.get("type") == "string" else "any value")
    if low is not None:
        text += f" {'above' if 'exclusiveMinimum' in schema else 'from'} {low:,}"
    if high is not None:
        text += f" {'below' if 'exclusiveMaximum' in schema else 'to'} {high:,}"
    return text


def _default(value: Any) -> str:
    if value is None or value in ([], {}, ""):
        return ""
    text = yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("...\n").strip()
    return f"`{text}`" if len(text) <= 60 else "see below"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}" if text else ""


def _metrics() -> Iterator[str]:
    yield "# Metrics\n"
    yield "What `metric:` of a claim may name, beside the [scalars of probes](probes.md). `load_study(NAME).trials()`"
    yield f"and `data/trials.csv` have a column for each. Tables, figures and `fail_above` use `{PRIMARY.name}`.\n"
    yield "| metric | what it is | unit | better | a diverged trial counts as | in `objectives` of a search |"
    yield "|---|---|---|---|---|---|"
    for name, each in METRICS.items():
        diverged = "the worst of all" if each.diverged is Diverged.WORST else "no reading"
        objective = "yes" if each.is_objective else ""
        cells = (f"`{name}`", each.title, each.unit, each.better.value, diverged, objective)
        yield "| " + " | ".join(_cell(cell) for cell in cells) + " |"
    yield ""
    yield f"`{REACHING[0]}` and `{REACHING[1]}`, with any number of per cent in the place of 5, are how long a"
    yield "training takes to the first epoch whose training error is at most that. One that never comes so far counts"
    yield "as the worst of all, as one that diverges does. They are metrics of claims alone, and have no columns."


def _probes() -> Iterator[str]:
    yield "# Probes\n"
    yield "A study file asks for probes by name or with settings: `probes: [lesion, {name: loss_surface, points: 51}]`."
    yield "Claims use their scalars as `metric: PROBE.SCALAR`. [What each explains](../explanation/probes.md).\n"
    for name, probe in PROBES.items():
        settings = signature(probe).parameters.values()
        yield f"## {name}\n"
        yield f"{probe.title} ({probe.source}).\n"
        yield "Settings: " + ", ".join(f"`{each.name}: {_as_setting(each.default)}`" for each in settings) + ".\n"
        yield "| scalar | what it is | unit | better |\n|---|---|---|---|"
        for each in probe.scalars:
            yield f"| `{name}.{each.name}` | {_cell(each.label)} | {each.unit} | {each.better or ''} |"
        yield ""


def _as_setting(value: object) -> str:
    return yaml.safe_dump(_plain(value), default_flow_style=True).removesuffix("...\n").strip()


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


_PAGES = {
    "cli.md": _commands,
    "recipes.md": _recipes,
    "database.md": _database,
    "presets.md": _presets,
    "metrics.md": _metrics,
    "probes.md": _probes,
    "study-file.md": _study_file,
    "benchmarks.md": benchmark_lines,
}


if __name__ == "__main__":
    main()
