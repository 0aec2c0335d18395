"""The study file becomes typed objects, and every mistake in it is named with its line."""

from pathlib import Path

import pytest

from orchestrator.config import check_study, read_study
from orchestrator.errors import UserError
from orchestrator.yaml_source import parse_yaml


def check(text: str):
    return check_study(parse_yaml(text, "a.yaml"), Path())


def test_a_number_of_seeds_counts_from_zero() -> None:
    assert check("study: a\nseeds: 3\n").file.first_seeds() == (0, 1, 2)


def test_listed_seeds_are_taken_as_they_are() -> None:
    assert check("study: a\nseeds: [5, 2]\n").file.first_seeds() == (5, 2)


def test_looks_begin_with_the_first_look() -> None:
    assert check("study: a\nseeds: {looks: [3, 5]}\n").file.first_seeds() == (0, 1, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("question: why\n", 'a.yaml:1: study: the key "study" is missing'),
        ("study: a/b\n", "a.yaml:1: study: 'a/b' is no name"),
        ("study: ../etc\n", "is no name"),
        ("study: A\n", "is no name"),
        ("study: 7\n", "a.yaml:1: study: .*write a name"),
        ("study: a\nseeeds: 3\n", 'a.yaml:2: seeeds: unknown key "seeeds": did you mean "seeds"'),
        ("study: a\nseeds: 0\n", "a.yaml:2: seeds: "),
        ("study: a\nseeds: []\n", "a.yaml:2: seeds: no seeds"),
        ("study: a\nseeds: [1, 2, 1]\n", "a.yaml:2: seeds: seed 1 stands twice"),
        ("study: a\nseeds: [-1]\n", "a.yaml:2: seeds"),
        ("study: a\nseeds: many\n", "a.yaml:2: seeds: .*write a number"),
        ("study: a\nseeds: {looks: [5, 3]}\n", "looks must increase"),
        ("study: a\nnetwork: 56\n", "a.yaml:2: network: .*write a mapping"),
        ("study: a\nfactors: [1]\n", "a.yaml:2: factors: "),
        ("study: a\nfactors:\n  depth: 3\n", r"a.yaml:3: factors\.depth: "),
        ("study: a\nresources:\n  cpu: 1\n", r'a.yaml:3: resources\.cpu: unknown key "cpu": did you mean "cpus"'),
        ("study: a\nresources:\n  cpus: 0\n", r"a.yaml:3: resources\.cpus: "),
        ("study: a\nresources:\n  gpus: 2\n", r"a.yaml:3: resources\.gpus: a pack trains on one GPU"),
        ("study: a\nfail_above: 120\n", "a.yaml:2: fail_above: "),
        ("study: a\nprobes: [lesion]\n", "a.yaml:2: probes: this version"),
        ("study: true\n", "a.yaml:1: study: "),
    ],
)
def test_every_mistake_names_line_key_and_remedy(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        check(text)


def test_changes_are_laid_over_the_file(tmp_path) -> None:
    (tmp_path / "a.yaml").write_text("study: a\n")
    assert read_study(tmp_path / "a.yaml", ["seeds=2", "training.epochs=1"]).file.training == {"epochs": 1}


def test_a_change_without_a_value_is_refused(tmp_path) -> None:
    (tmp_path / "a.yaml").write_text("study: a\n")
    with pytest.raises(UserError, match="write PATH=VALUE"):
        read_study(tmp_path / "a.yaml", ["seeds"])
