"""A level is meant by the text that stands in the file, whatever YAML 1.1 makes of it."""

from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import UserError
from orchestrator.planning.plan import make_plan
from orchestrator.records.study_plan import StudyPlan
from orchestrator.study_file.changes import with_changes
from orchestrator.study_file.config import check_study
from orchestrator.study_file.yaml_source import parse_yaml

HEAD = """study: t
data: {name: synthetic, shape: [3, 8, 8], classes: 3, train_size: 64, test_size: 32}
network: {family: resnet_cifar, depth: 8, width: 4}
training: {epochs: 1}
"""


def plan(text: str, *changes: str, seeds: int = 1) -> StudyPlan:
    source = parse_yaml(f"{HEAD}seeds: {seeds}\n{text}", "a.yaml")
    return make_plan(check_study(with_changes(source, changes), Path()))


def factor(first: str, second: str) -> str:
    return f"factors:\n  f:\n    {first}: {{shortcut: none}}\n    {second}: {{}}\n"


@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        ("no", "yes", "yes"),
        ("on", "off", "off"),
        ("True", "False", "False"),
        ("null", "id", "null"),
        ("~", "id", "~"),
        ("1e-1", "1e-2", "1e-1"),
        ("0.10", "0.05", "0.10"),
        ("008", "014", "014"),
        ("1:30", "2:00", "1:30"),
        ("1_000", "2", "1_000"),
        ("2020-01-01", "b", "2020-01-01"),
        ("'1e5'", "b", "1e5"),
        (".inf", "b", ".inf"),
        ("0x10", "b", "0x10"),
        ("=", "b", "="),
    ],
)
def test_a_baseline_names_a_bundle_by_its_text(first: str, second: str, name: str) -> None:
    text = first if first.strip("'") == name else second
    assert plan(f"{factor(first, second)}baseline: {{f: {text}}}\n").baseline == {"f": name}
    assert plan(factor(first, second), f"baseline.f={text}").baseline == {"f": name}


def test_an_exclude_and_a_claim_name_levels_by_their_text() -> None:
    text = (
        factor("off", "on") + "  depth: [8, 14]\nexclude: [{depth: 14, f: off}]\n"
        "claims: [{id: a, says: 'depth=8 < depth=14', where: f == on}, {id: b, says: off < on, where: depth == 8}]\n"
    )
    assert len(plan(text, seeds=3).arms) == 3


@pytest.mark.parametrize("word", ["on", "yes", "true", "True"])
def test_a_claim_names_a_listed_switch_as_yaml_does(word: str) -> None:
    claim = f"claims: [{{id: a, says: depth=8 < depth=14, where: training.nesterov == {word}}}]\n"
    assert plan(f"factors: {{training.nesterov: [on, off], depth: [8, 14]}}\n{claim}", seeds=3).arms


def test_a_name_that_is_no_level_is_shown_as_it_stands() -> None:
    with pytest.raises(UserError, match=r'a.yaml:10: baseline.f: unknown level of factor f "yes": .*known: off, on'):
        plan(f"{factor('off', 'on')}baseline: {{f: yes}}\n")


def test_an_empty_reference_names_no_level() -> None:
    with pytest.raises(UserError, match=r"a.yaml:10: baseline.f: "):
        plan(f"{factor('none', 'on')}baseline: {{f: }}\n")


@pytest.mark.parametrize(("text", "value"), [("010", 8), ("1:30", 90), ("-012", -10), ("1:30.5", 90.5)])
def test_a_number_that_yaml_reads_otherwise_is_refused(text: str, value: Any) -> None:
    with pytest.raises(UserError, match=f"a.yaml:6: seeds: YAML reads {text} as the number {value}: write that, or"):
        check_study(parse_yaml(f"{HEAD}\nseeds: {text}\n", "a.yaml"), Path())


def test_a_quoted_number_is_text() -> None:
    with pytest.raises(UserError, match=r"training.lr: lr must be a number above 0, not '1e-1'"):
        plan("", "training.lr='1e-1'")


def test_when_names_levels_by_their_text() -> None:
    text = """study: t
data: {name: synthetic, shape: [3, 8, 8], classes: 3, train_size: 64, test_size: 32}
network: {family: resnet_cifar, depth: 8, width: 4}
design: search
factors:
  nest:
    off: {training.nesterov: false}
    on: {training.nesterov: true}
  training.momentum: {low: 0.5, high: 0.9, when: {nest: on}}
baseline: {nest: off}
search: {arms: 2}
"""
    found = make_plan(check_study(parse_yaml(text, "a.yaml"), Path()))
    assert found.baseline == {"nest": "off", "training.momentum": "-"}
