"""A study file is plain values with known lines."""

import pytest

from orchestrator.errors import UserError
from orchestrator.study_file.changes import with_changes
from orchestrator.study_file.yaml_source import parse_value, parse_yaml, read_yaml


def test_values_and_lines_of_a_file() -> None:
    source = parse_yaml("study: a\nnetwork:\n  depth: 20\n  lrs: [0.1, 1e-4]\n", "a.yaml")
    assert source.data == {"study": "a", "network": {"depth": 20, "lrs": [0.1, 1e-4]}}
    assert source.lines["network", "depth"] == 3
    assert source.lines["network", "lrs", 1] == 4


def test_an_error_points_at_the_line_of_its_key() -> None:
    source = parse_yaml("study: a\nnetwork:\n  depth: 21\n", "a.yaml")
    assert str(source.error("no such depth", ("network", "depth"))) == "a.yaml:3: network.depth: no such depth"


def test_an_error_about_a_missing_key_points_at_what_is_around_it() -> None:
    source = parse_yaml("study: a\nnetwork:\n  depth: 21\n", "a.yaml")
    assert str(source.error("missing", ("network", "width"))) == "a.yaml:2: network.width: missing"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("# only a comment\n", "the file is empty"),
        ("- a\n- b\n", "a.yaml:1: a study file is a mapping"),
        ("study: t\na: [1, 2\nb: 3\n", "a.yaml:2: not valid YAML: the bracket is not closed"),
        ("study: {a: [1, 2}\n", "a.yaml:1: not valid YAML: the bracket is not closed"),
        ("study: 't\na: 1\nb: 2\n", "a.yaml:1: not valid YAML: the quotation marks are not closed"),
        ("study: @t\n", "a.yaml:1: not valid YAML: no value begins with the character '@'"),
        (" study: t\ndata: digits\n", "a.yaml:2: not valid YAML: the line is not indented as those around it"),
        ('study: "\\q"\n', "a.yaml:1: not valid YAML: found unknown escape character 'q'"),
        ("study: a\nstudy: b\n", "a.yaml:2: study: the key stands twice; the first is in line 1"),
        ("study: !!python/object/apply:os.system ['true']\n", "a.yaml:1: study: the tag"),
        ("study: a\nnetwork: !!python/name:os.system\n", "a.yaml:2: network: the tag"),
        ("study: \x00\n", "not valid YAML"),
        ("study: t\n\tdata: digits\n", "a.yaml:2: not valid YAML: a tab stands where only spaces may"),
        ("study: t\n---\nstudy: u\n", "a.yaml:2: not valid YAML: a second document begins here"),
        ("study: t\nquestion: depth: which?\n", "a.yaml:2: not valid YAML: no colon may stand here"),
        ("study: t\n  data: digits\n", "a.yaml:2: not valid YAML: no colon may stand here"),
        ("study: t\nseeds\ndata: digits\n", "a.yaml:2: not valid YAML: the colon behind the key is missing"),
        ("a: &x [1]\nb:\n  <<: *x\n", "a.yaml:3: b: merge keys"),
        ("a: 1\nb: !!bool abc\n", "a.yaml:2: b: not valid YAML: the value 'abc' is no bool"),
        ("a: !!timestamp abc\n", "a.yaml:1: a: not valid YAML: the value 'abc' is no date; text stands in quotes"),
        ("a: !!int ''\n", "a.yaml:1: a: not valid YAML: the value '' is no whole number"),
        ("a: !!int abc\n", "a.yaml:1: a: not valid YAML: the value 'abc' is no whole number; text stands in quotes"),
        ("a: !!float ab\n", "a.yaml:1: a: not valid YAML: the value 'ab' is no number; text stands in quotes"),
        ("a: 2024-13-45\n", "a.yaml:1: a: not valid YAML: the value '2024-13-45' is no date; text stands in quotes"),
        ("a: 1\nb: x\x1b\n", "a.yaml:2: not valid YAML: the character '\\\\x1b'; take it out"),
        ("a: 1\nb: &x [*x]\n", "a.yaml:2: b: not valid YAML for a study file: nested more than 50 deep"),
        (f"a: {'[' * 100}{']' * 100}\n", "a.yaml:1: not valid YAML for a study file: nested more than 50 deep"),
        (f"a: {'[' * 3000}{']' * 3000}\n", "not valid YAML for a study file: nested more than 50 deep"),
        ('a: 1\nb: "\\ud800"\n', r"a.yaml:2: b: not valid YAML: .*cannot be written as UTF-8"),
        ('a:\n  "\\ud800": 1\n', r"a.yaml:2: a: not valid YAML: .*cannot be written as UTF-8"),
        ('a: "\\0"\n', "a.yaml:1: a: not valid YAML: .*has the character"),
        (f"a: 1\nb: -1{'0' * 400}\n", "a.yaml:2: b: this number is too large"),
        (f"a: 0x{'f' * 5000}\n", "a.yaml:1: a: this number is too large"),
        (f"a: {'1' * 5000}\n", "a.yaml:1: a: this number is too large"),
    ],
)
def test_what_is_no_plain_mapping_is_refused(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message.replace("[", r"\[")):
        parse_yaml(text, "a.yaml")


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_yaml(tmp_path / "none.yaml")


def test_a_folder_is_no_study_file(tmp_path) -> None:
    with pytest.raises(UserError, match="is a folder"):
        read_yaml(tmp_path)


def test_a_binary_file_is_no_study_file(tmp_path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(UserError, match="UTF-8"):
        read_yaml(tmp_path / "a.yaml")


def test_a_change_replaces_one_setting_and_leaves_the_rest() -> None:
    source = parse_yaml("study: a\ntraining: {epochs: 10, lr: 0.1}\n", "a.yaml")
    assert with_changes(source, ["training.epochs=2"]).data["training"] == {"epochs": 2, "lr": 0.1}
    assert source.data["training"]["epochs"] == 10


def test_a_change_can_add_a_section() -> None:
    assert with_changes(parse_yaml("study: a\n", "a.yaml"), ["training.epochs=2"]).data["training"] == {"epochs": 2}


def test_a_change_below_a_plain_value_is_refused() -> None:
    with pytest.raises(UserError, match="study is 'a', which has no settings"):
        with_changes(parse_yaml("study: a\n", "a.yaml"), ["study.name=2"])


def test_a_part_of_a_data_set_named_by_a_word_can_be_changed() -> None:
    changed = with_changes(parse_yaml("data: cifar10\n", "a.yaml"), ["data.root=/data"])
    assert changed.data["data"] == {"name": "cifar10", "root": "/data"}


@pytest.mark.parametrize(
    ("text", "value"), [("2", 2), ("1e-4", 1e-4), ("[1, 2]", [1, 2]), ("none", "none"), ("null", None), ("true", True)]
)
def test_the_value_of_set_is_read_as_yaml(text: str, value: object) -> None:
    assert parse_value(text, "--set a=").value == value


def test_a_mistake_in_a_change_is_not_looked_for_in_the_file() -> None:
    source = with_changes(parse_yaml("study: a\ntraining:\n  epochs: 1\n", "a.yaml"), ["training.lr=-1"])
    source = with_changes(source, ["search.arms=3"])
    assert str(source.error("no", ("training", "lr"))) == "a.yaml --set: training.lr: no"
    assert str(source.error("no", ("search",))) == "a.yaml --set: search: no"
    assert str(source.error("no", ("training", "epochs"))) == "a.yaml:3: training.epochs: no"
