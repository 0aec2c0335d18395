"""`orchestrate presets` and `orchestrate describe` as a user types them."""

import json
import re
from pathlib import Path

import yaml

from tests.integration.command import Orchestrate


def test_presets_lists_the_ready_studies(orchestrate: Orchestrate) -> None:
    done = orchestrate("presets")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^identity-mappings-table-2-digits: 5 arms, \d+ trials on digits$", done.stdout, re.MULTILINE)
    assert "Which order of weights" in done.stdout


def test_a_preset_is_printed_exactly(orchestrate: Orchestrate) -> None:
    file = Path(__file__).parents[2] / "orchestrator/presets/degradation.yaml"
    assert orchestrate("presets", "degradation").stdout == file.read_text()


def test_a_preset_is_printed_as_json(orchestrate: Orchestrate) -> None:
    printed = json.loads(orchestrate("presets", "degradation", "--format", "json").stdout)
    assert printed == yaml.safe_load(orchestrate("presets", "degradation").stdout)
    assert printed["study"] == "degradation"


def test_an_unknown_preset_ends_with_exit_code_2(orchestrate: Orchestrate) -> None:
    done = orchestrate("presets", "degradatoin")
    assert done.returncode == 2
    assert 'did you mean "degradation"' in done.stderr
    assert done.stdout == ""


def test_a_study_file_is_described(small: Path, orchestrate: Orchestrate) -> None:
    done = orchestrate("describe", str(small))
    assert done.returncode == 0, done.stderr
    assert "variant=original" in done.stdout
    assert "multiply-adds" in done.stdout
