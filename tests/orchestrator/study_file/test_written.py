"""A study that is given as a dict is the study that stands in its file."""

from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path

import numpy as np
import pytest

from orchestrator.errors import UserError
from orchestrator.study_file.config import read_study
from orchestrator.study_file.written import written_yaml

STUDY = {"study": "mine", "network": {"family": "resnet_cifar", "depth": 8}, "seeds": 2}


def test_a_dict_reads_as_its_file_does(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = read_study(STUDY, ["network.width=4"])
    (tmp_path / "s.yaml").write_text(config.source.text)
    assert read_study(tmp_path / "s.yaml", ["network.width=4"]).file == config.file
    assert config.folder == tmp_path


@pytest.mark.parametrize(
    "value",
    [
        "no",
        "1e5",
        "1e-3",
        "010",
        "1:30",
        "null",
        "",
        "a: b",
        "[x",
        "ä\u2028",
        0.1,
        1e-5,
        3,
        True,
        None,
        [1, "2"],
        {"a": "1.5"},
    ],
)
def test_every_value_stays_what_it_is(value):
    assert written_yaml({"key": value}).data == {"key": value}


def test_what_numpy_and_tuples_hold_is_written_as_plain_values():
    given = {"a": np.float64(0.5), "b": np.arange(2), "c": (1, 2), "d": Path("x")}
    assert written_yaml(given).data == {"a": 0.5, "b": [0, 1], "c": [1, 2], "d": "x"}


def test_enumerations_and_ranges_are_written_as_what_they_stand_for():
    recipe = Enum("recipe", {"quick": "quick"})
    assert written_yaml({"a": recipe.quick, "b": range(2), "c": IntEnum("n", {"two": 2}).two}).data == {
        "a": "quick",
        "b": [0, 1],
        "c": 2,
    }


def test_a_value_that_holds_itself_is_one_message():
    given = {"study": "mine"}
    given["network"] = given
    with pytest.raises(UserError, match="the study: network: nested more than 50 deep, or a value that holds itself"):
        written_yaml(given)


def test_what_no_file_holds_is_one_message():
    for value in (object(), 1j, Decimal("0.1"), {1, 2}, b"x", dict):
        with pytest.raises(UserError, match=r"^the study: key\[0\]: .* is of type .*: a study holds text, numbers"):
            written_yaml({"key": [value]})
    with pytest.raises(UserError, match=r"the study:\d+: sedes: .*did you mean"):
        read_study({**STUDY, "sedes": 2})


def test_more_values_than_a_file_may_hold_are_refused_before_they_are_written():
    nines = [1] * 9
    for _ in range(9):
        nines = [nines] * 9
    for given in (nines, range(10**9), np.zeros((10**4, 10))):
        with pytest.raises(UserError, match="the study: probes: a study holds no more than 20,000 values"):
            read_study({"study": "t", "probes": given})
