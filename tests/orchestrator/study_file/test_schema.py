"""The JSON Schema says what the reader of study files takes, every key with a meaning."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from orchestrator.planning.plan import make_plan
from orchestrator.presets import preset_names, preset_text
from orchestrator.study_file.schema import study_schema
from orchestrator.study_file.yaml_source import parse_yaml
from tests.orchestrator.study_file.test_references import HEAD, plan


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return study_schema()


def mistakes(schema: dict[str, Any], text: str) -> list[str]:
    found = jsonschema.Draft202012Validator(schema).iter_errors(parse_yaml(text, "a.yaml").data)
    return [error.message for error in found]


def test_it_is_a_schema(schema) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema, allow_nan=False)) == schema


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_valid(schema, name: str) -> None:
    assert mistakes(schema, preset_text(name)) == []


ACCEPTED = [
    "seeds: 3.0\n",
    "seeds:\nclaims:\n",
    "seeds: {count: 3, aa: true}\nbaseline: {depth: 8}\nfactors: {depth: [8, 14]}\n",
    "factors: {f: {a: {width: 6}, b: }}\n",
    "where: [params <= 300k]\n",
    "match: params\nbaseline: {shortcut: identity}\nfactors: {shortcut: [identity, none]}\n",
    "probes: [layer_response, {name: lesion, draws: 2}]\nkeep: best\n",
    "analysis: {alpha: 0.01, test: welch}\nresources: {cpus: 0.5, budget: {trials: 3}}\n",
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_the_reader_takes_is_valid(schema, text: str) -> None:
    assert mistakes(schema, HEAD + text) == []
    assert plan(text).arms if "seeds" not in text else True


@pytest.mark.parametrize(
    "text",
    [
        "study: A\n",
        "study: a\nseeeds: 3\n",
        "study: a\nseeds: 0\n",
        "study: a\nnetwork: {width: 1000000}\n",
        "study: a\nnetwork: {wdith: 8}\n",
        "study: a\nnetwork: {shortcut: {op: dropout, rate: 2}}\n",
        "study: a\ntraining: {lr: fast}\n",
        "study: a\ntraining: {schedule: {name: step, drop: [1]}}\n",
        "study: a\nclaims: [{says: a < b}]\n",
        "study: a\nanalysis: {alpha: 2}\n",
        "study: a\ndesign: {name: random}\n",
        "study: a\nsearch: {arms: 3, sampler: tpa}\n",
        "study: a\ndata: {name: synthetic, shape: [3, 8]}\n",
        "study: a\nprobes: [lesions]\n",
        "study: a\nresources: {gpus: 2}\n",
        "study: a\nfactors: {depth: 8}\n",
    ],
)
def test_what_the_reader_refuses_is_not_valid(schema, text: str) -> None:
    assert mistakes(schema, text)


def keys(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every key of the schema with what stands there."""
    if isinstance(schema, list):
        for each in schema:
            yield from keys(each, path)
    if isinstance(schema, dict):
        for name, value in schema.get("properties", {}).items():
            yield f"{path}.{name}", value
            yield from keys(value, f"{path}.{name}")
        for name, value in schema.items():
            if name != "properties":
                yield from keys(value, path)


def test_every_key_has_a_meaning_and_every_optional_one_a_default(schema) -> None:
    found = [(path, value) for path, value in keys(schema) if "const" not in value]
    assert len(found) > 250
    assert [path for path, value in found if not value.get("description")] == []


def test_defaults_are_those_of_the_reader(schema) -> None:
    properties = schema["properties"]
    settings = make_plan_settings()
    for name in ("design", "seeds", "fail_above", "baseline", "exclude", "resources", "analysis", "question"):
        assert properties[name]["default"] == settings[name]
    (training,) = (each for each in properties["training"]["anyOf"] if each.get("properties"))
    assert training["properties"]["batch_size"]["default"] == 128


def make_plan_settings() -> dict[str, Any]:
    from pathlib import Path

    from orchestrator.study_file.config import check_study

    return dict(make_plan(check_study(parse_yaml(HEAD, "a.yaml"), Path())).settings)


def test_the_command_prints_it(schema) -> None:
    code = "import sys; sys.argv = ['orchestrate', 'schema']; from orchestrator.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert json.loads(done.stdout) == schema
