"""The study file becomes typed objects, and every mistake in it is named with its line."""

from pathlib import Path

import pytest

from orchestrator.errors import UserError
from orchestrator.study_file.config import check_study, read_study
from orchestrator.study_file.yaml_source import parse_yaml


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
        ("question: why\n", 'a.yaml:1: study: the key "study" is missing, for instance `study: my-study`'),
        ("study: a/b\n", "a.yaml:1: study: study must be a name of lower-case letters, digits and dashes, not 'a/b'"),
        ("study: ../etc\n", "study must be a name"),
        ("study: A\n", "study must be a name"),
        ("study: 7\n", 'a.yaml:1: study: .*, not 7; in quotes it is text: "7"'),
        ("study: a\nseeeds: 3\n", 'a.yaml:2: seeeds: unknown key "seeeds": did you mean "seeds"'),
        ("study: a\nseeds: 0\n", "a.yaml:2: seeds: "),
        ("study: a\nseeds: []\n", "a.yaml:2: seeds: seeds must have from 1 to 100,000 values, not 0"),
        ("study: a\nseeds: [1, 2, 1]\n", r"a.yaml:2: seeds\[2\]: seed 1 stands twice"),
        ("study: a\nseeds: [-1]\n", "a.yaml:2: seeds"),
        ("study: a\nseeds: [9223372036854775808]\n", r"a.yaml:2: seeds\[0\]: .*9,223,372,036,854,775,807"),
        ("study: a\nseeds: 10000000000000000000\n", "a.yaml:2: seeds: .*100,000"),
        ("study: a\nseeds: {count: 100001}\n", r"a.yaml:2: seeds\.count: .*100,000"),
        ("study: a\nseeds: {looks: [3, 100001]}\n", r"a.yaml:2: seeds\.looks\[1\]: .*100,000"),
        ("study: a\nseeds: many\n", "a.yaml:2: seeds: .*for instance `seeds: 5` or"),
        ("study: a\nseeds: {looks: [5, 3]}\n", "looks must increase"),
        ("study: a\nnetwork: 56\n", "a.yaml:2: network: network must be a mapping, not 56; for instance"),
        ("study: a\nfactors: [1]\n", "a.yaml:2: factors: "),
        ("study: a\nfactors:\n  depth: 3\n", r"a.yaml:3: factors\.depth: "),
        (
            "study: a\nresources:\n  cpu: 1\n",
            r'a.yaml:3: resources\.cpu: unknown key of resources "cpu": did you mean "cpus"',
        ),
        ("study: a\nresources:\n  cpus: 0\n", r"a.yaml:3: resources\.cpus: "),
        ("study: a\nresources:\n  gpus: 2\n", r"a.yaml:3: resources\.gpus: .* must be a number from 0 to 1, not 2"),
        ("study: a\nfail_above: 120\n", "a.yaml:2: fail_above: "),
        (
            "study: a\nfail_above: '20'\n",
            "a.yaml:2: fail_above: .* must be a number above 0 and at most 100, not '20'",
        ),
        (
            "study: a\nfail_above: .nan\n",
            "a.yaml:2: fail_above: .* must be a number above 0 and at most 100, not nan",
        ),
        ("study: a\nfail_above: 0\n", "a.yaml:2: fail_above: fail_above must be a number above 0"),
        (
            "study: a\nfail_above: true\n",
            "a.yaml:2: fail_above: .* must be a number above 0 and at most 100, not True",
        ),
        (
            "study: a\nresources: {cpus: true}\n",
            r"a.yaml:2: resources\.cpus: .* must be a number from 0.0001 to .*, not True",
        ),
        (
            "study: a\nresources: {cpus: .inf}\n",
            r"a.yaml:2: resources\.cpus: .* must be a number from 0.0001 to .*, not inf",
        ),
        (
            "study: a\nresources: {cpus: [1]}\n",
            r"a.yaml:2: resources\.cpus: .* must be a number from 0.0001 to .*, not \[1\]",
        ),
        (
            "study: a\nresources: {gpus: .nan}\n",
            r"a.yaml:2: resources\.gpus: .* must be a number from 0 to 1, not nan",
        ),
        ("study: a\nresources: {cpus: 1.0e-320}\n", r"a.yaml:2: resources\.cpus: .* must be a number from 0.0001 to"),
        ("study: a\nresources: {gpus: 1.0e-320}\n", r"a.yaml:2: resources\.gpus: a part of a GPU is at least 0.0001"),
        (
            "study: a\nresources: {gpus: .inf}\n",
            r"a.yaml:2: resources\.gpus: .* must be a number from 0 to 1, not inf",
        ),
        ("study: a\nresources: {checkpoint_seconds: .inf}\n", r"a.yaml:2: resources\.checkpoint_seconds: .*, not inf"),
        (
            "study: a\nresources: {max_concurrent: 1.5}\n",
            r"a.yaml:2: resources\.max_concurrent: .* must be a whole number from 1",
        ),
        ("study: a\nmatch: 3\n", "a.yaml:2: match: match must be text or a mapping"),
        ("study: a\nmatch: [params]\n", "a.yaml:2: match: match must be text or a mapping"),
        ("study: a\nprobes: lesion\n", "a.yaml:2: probes: probes must be a list, not 'lesion'; for instance"),
        (
            "study: a\nresources: {gpus: 0.5, mps: nevr}\n",
            r'a.yaml:2: resources\.mps: unknown value of mps "nevr": did you mean "never"',
        ),
        ("study: a\nkeep: lats\n", 'a.yaml:2: keep: unknown value of keep "lats": did you mean "last"'),
        ("study: true\n", "a.yaml:1: study: "),
        ("study: 1.5\n", "a.yaml:1: study: .*, not 1.5; for instance `study: my-study`"),
    ],
)
def test_every_mistake_names_line_key_and_remedy(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        check(text)


def test_costs_are_matched_by_a_word_or_a_mapping() -> None:
    assert check("study: a\nmatch: params\n").file.match == "params"
    assert check("study: a\nmatch: {what: flops}\n").file.match == {"what": "flops"}


def test_a_number_stays_as_it_is_written() -> None:
    file = check("study: a\nfail_above: 20\nresources: {cpus: 0.5, gpus: 1}\n").file
    assert [repr(each) for each in (file.fail_above, file.resources.cpus, file.resources.gpus)] == ["20", "0.5", "1"]


def test_the_largest_seed_is_the_databases() -> None:
    assert check("study: a\nseeds: [9223372036854775807]\n").file.first_seeds() == (2**63 - 1,)


def test_changes_are_laid_over_the_file(tmp_path) -> None:
    (tmp_path / "a.yaml").write_text("study: a\n")
    assert read_study(tmp_path / "a.yaml", ["seeds=2", "training.epochs=1"]).file.training == {"epochs": 1}


@pytest.mark.parametrize(
    ("change", "message"), [("seeds", "write PATH=VALUE"), ("\udcff=1", "UTF-8"), ("question=\udcff", "UTF-8")]
)
def test_a_change_that_cannot_be_read_is_refused(tmp_path, change: str, message: str) -> None:
    (tmp_path / "a.yaml").write_text("study: a\n")
    with pytest.raises(UserError, match=message):
        read_study(tmp_path / "a.yaml", [change])
