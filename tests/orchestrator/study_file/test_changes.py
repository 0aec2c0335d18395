"""``--set`` finds the longest key that is there, and says where it would change nothing."""

import pytest

from orchestrator.errors import UserError
from orchestrator.study_file.changes import with_changes
from orchestrator.study_file.yaml_source import parse_yaml
from tests.orchestrator.study_file.test_references import plan

TEXT = """study: t
factors:
  training.lr: [0.1, 0.05]
  variant:
    v1.2: {shortcut: none, training.lr: 0.3}
    v1: {}
baseline: {variant: v1}
claims: [{id: a, says: b}]
design: random
"""


@pytest.mark.parametrize(
    ("change", "key", "value"),
    [
        ("factors.training.lr=[0.2, 0.3]", ("factors", "training.lr"), [0.2, 0.3]),
        ("factors.training.momentum=[0.8, 0.9]", ("factors", "training.momentum"), [0.8, 0.9]),
        ("factors.training.lr[1]=0.7", ("factors", "training.lr", 1), 0.7),
        ("factors.training.lr.1=0.7", ("factors", "training.lr", 1), 0.7),
        ("factors.variant.v1.2.shortcut=identity", ("factors", "variant", "v1.2", "shortcut"), "identity"),
        ("factors.variant.v1.2.shortcut.op=scale", ("factors", "variant", "v1.2", "shortcut", "op"), "scale"),
        ("factors.variant.v1.2.training.lr=1", ("factors", "variant", "v1.2", "training.lr"), 1),
        ("factors.variant.v1.training.epochs=2", ("factors", "variant", "v1", "training.epochs"), 2),
        ("factors.variant.new={width: 4}", ("factors", "variant", "new"), {"width": 4}),
        ("baseline.training.lr=0.05", ("baseline", "training.lr"), 0.05),
        ("claims[0].says=c", ("claims", 0, "says"), "c"),
        ("design.arms=4", ("design", "arms"), 4),
        ("training.schedule.warmup=0.1", ("training", "schedule", "warmup"), 0.1),
    ],
)
def test_a_path_finds_its_setting(change, key, value) -> None:
    found = with_changes(parse_yaml(TEXT, "a.yaml"), [change]).data
    for part in key:
        found = found[part]
    assert found == value


def test_null_takes_a_setting_out() -> None:
    assert "training.lr" not in with_changes(parse_yaml(TEXT, "a.yaml"), ["factors.training.lr=null"]).data["factors"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("training.epochs=", "--set training.epochs=: there is no value; write training.epochs=null to take"),
        ("training.epochs=  # nothing", "there is no value"),
        ("training..epochs=2", "a part of the path is empty"),
        (f"training{'.a' * 10_000}=1", "--set training.a.a.a.a.a.a.a.a.a.a.a...: a setting stands at most 50 deep"),
        (f"claims{'[0]' * 10_000}=1", "a setting stands at most 50 deep"),
        ("probes[0].name=x", r"probes is no list in the file; set the whole of it, --set 'probes=\[\.\.\.\]'"),
        ("factors.width[0]=x", "factors.width is no list in the file"),
        ("training[0]=x", "training is no list in the file"),
        (".training=2", "a part of the path is empty"),
        ("training.=2", "a part of the path is empty"),
        ("training.lr.=2", "a part of the path is empty"),
        ("factors.training.lr.=[2]", "a part of the path is empty"),
        ("claims[1].says=c", r"claims is a list that holds 0 to 0, for instance claims\[0\]"),
        ("claims.says=c", "claims is a list"),
        ("study.name=c", "study is 't', which has no settings"),
        ("study[0]=c", "study is 't', which has no settings"),
        ("study=a\nseeds: 3", "not valid YAML"),
        ("training={lr: 1", "not valid YAML"),
        (f"training={'{a: ' * 10_000}1{'}' * 10_000}", "nested more than 50 deep"),
        (f"training=[{'1,' * 30_000}]", "more than 20,000 values"),
        ("training=!!python/name:os.system", "the tag"),
        ('study="\\x1b[31m"', "has the character"),
    ],
    ids=lambda each: each[:60],
)
def test_a_change_that_cannot_be_is_refused(change: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        with_changes(parse_yaml(TEXT, "a.yaml"), [change])


@pytest.mark.parametrize("change", ["training.lr=1e-3", "training.lr=null"])
def test_a_setting_that_a_factor_sets_in_every_arm_is_refused(change: str) -> None:
    with pytest.raises(UserError, match=r"a.yaml --set: training.lr: this changes nothing: the factor"):
        plan("factors: {training.lr: [0.1, 0.05]}\n", change)


def test_a_part_of_a_setting_that_a_factor_sets_is_refused() -> None:
    with pytest.raises(UserError, match=r"network.shortcut.rate: this changes nothing: the factor shortcut"):
        plan("factors: {shortcut: [none, {op: dropout}]}\n", "network.shortcut.rate=0.1")


def test_a_setting_that_some_levels_set_may_be_changed() -> None:
    text = "factors: {f: {a: {}, b: {training.lr: 0.2}}}\n"
    rates = [each.arm.settings["training"]["lr"] for each in plan(text, "training.lr=0.3").arms]
    assert rates == [0.3, 0.2]


def test_a_mistake_in_a_replaced_part_is_not_looked_for_in_the_file() -> None:
    source = with_changes(
        parse_yaml("study: a\nnetwork:\n  shortcut: {op: none}\n", "a.yaml"), ["network.shortcut={op: x}"]
    )
    assert str(source.error("no", ("network", "shortcut", "op"))) == "a.yaml --set: network.shortcut.op: no"
