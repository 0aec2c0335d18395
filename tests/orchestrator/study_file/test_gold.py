"""The ids of arms and trials, and the hash of a plan, are those of the first versions: results stay where they are."""

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.planning.plan import checked_arms, make_plan, study_space
from orchestrator.presets import preset_text
from orchestrator.study_file.config import check_study
from orchestrator.study_file.yaml_source import parse_yaml

GOLD: dict[str, dict[str, Any]] = json.loads((Path(__file__).parents[2] / "gold/study_files.json").read_text())


@pytest.mark.parametrize("name", GOLD)
def test_ids_are_as_recorded(name: str) -> None:
    gold = GOLD[name]
    config = check_study(parse_yaml(gold.get("source") or preset_text(name), f"{name}.yaml"), Path())
    if "trials" not in gold:
        assert [arm.id for arm in checked_arms(config, study_space(config))[1]] == gold["arms"]
        return
    plan = make_plan(config)
    assert [each.arm.id for each in plan.arms] == gold["arms"]
    assert [trial.id for trial in plan.trials] == gold["trials"]
    assert plan.plan_hash == gold.get("plan", plan.plan_hash)
