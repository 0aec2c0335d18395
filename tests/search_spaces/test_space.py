import pytest

from search_spaces.errors import SettingError
from search_spaces.factors import parse_factors
from search_spaces.space import Space, arm_name

BASE = {"data": "digits", "network": {"depth": 20, "shortcut": "exclusive_gate"}, "training": {"lr": 0.1}}


def space(factors, complete=lambda raw: raw, base=BASE, **more):
    return Space(base, parse_factors(factors), complete, **more)


def test_an_arm_is_named_after_its_levels_in_the_factors_order():
    arm = space({"depth": [20, 110], "variant": {"plain": {"shortcut": "none"}}}).arm(
        {"variant": "plain", "depth": 110}
    )
    assert arm.name == "depth=110 variant=plain"


def test_without_factors_the_arm_is_the_baseline():
    assert space({}).arm({}).name == arm_name({}) == "baseline"


def test_levels_are_laid_over_the_raw_settings_before_completion():
    seen = []
    space({"training.recipe": ["quick"]}, lambda raw: seen.append(raw) or raw).arm({"training.recipe": "quick"})
    assert seen[0]["training"] == {"lr": 0.1, "recipe": "quick"}


def test_the_base_settings_are_left_alone():
    space({"depth": [56]}).arm({"depth": 56})
    assert BASE["network"]["depth"] == 20


def test_a_word_becomes_a_mapping_when_a_part_of_it_is_set():
    arm = space({"network.shortcut.bias": [-6], "data.root": ["x"]}).arm(
        {"network.shortcut.bias": -6, "data.root": "x"}
    )
    assert arm.settings["network"]["shortcut"] == {"op": "exclusive_gate", "bias": -6}
    assert arm.settings["data"] == {"name": "digits", "root": "x"}


def test_a_whole_setting_is_laid_before_its_parts():
    factors = {"network.shortcut.bias": [-6], "shortcut": ["shortcut_gate"]}
    arm = space(factors).arm({"network.shortcut.bias": -6, "shortcut": "shortcut_gate"})
    assert arm.settings["network"]["shortcut"] == {"op": "shortcut_gate", "bias": -6}


def test_a_part_of_a_number_cannot_be_set():
    with pytest.raises(SettingError, match="not a mapping") as caught:
        space({"network.depth.x": [1]}).arm({"network.depth.x": 1})
    assert caught.value.key == ("factors", "network.depth.x", 0)


def fail_at(*key):
    def complete(raw):
        raise SettingError("wrong", key)

    return complete


def test_an_error_about_a_list_level_points_at_it():
    with pytest.raises(SettingError) as caught:
        space({"depth": [20, 21]}, fail_at("network", "depth")).arm({"depth": 21})
    assert caught.value.key == ("factors", "depth", 1)


def test_an_error_about_a_part_of_a_bundle_points_at_the_part():
    factors = {"variant": {"gate": {"shortcut": {"op": "scale", "x": 1}}}}
    with pytest.raises(SettingError) as caught:
        space(factors, fail_at("network", "shortcut", "x")).arm({"variant": "gate"})
    assert caught.value.key == ("factors", "variant", "gate", "shortcut", "x")


def test_an_error_about_the_base_settings_keeps_its_key():
    with pytest.raises(SettingError) as caught:
        space({"depth": [20]}, fail_at("training", "lr")).arm({"depth": 20})
    assert caught.value.key == ("training", "lr")


def test_cosmetic_settings_do_not_change_the_identity():
    spaces = [space({}, base={**BASE, "data": {"root": root}}, cosmetic=frozenset({"data.root"})) for root in "ab"]
    assert spaces[0].arm({}).id == spaces[1].arm({}).id


def only(part, *known):
    """Return a completion that knows these settings of a part of the file and no others."""

    def complete(raw):
        for name in ("network", "training"):
            for setting in raw[name]:
                if setting not in ({"depth", "shortcut", "lr"} | (set(known) if name == part else set())):
                    raise SettingError(f"unknown {setting}", (name, setting))
        return raw

    return complete


@pytest.mark.parametrize(
    ("factors", "part", "right"),
    [
        (
            {"training.schedule": {"cosine": {"name": "cosine", "end": 0.0}}},
            "training",
            "cosine: {training.schedule: {name: cosine, end: 0.0}}",
        ),
        ({"shortcut": {"gate": {"op": "no", "bias": -6}}}, "network", 'gate: {network.shortcut: {op: "no", bias: -6}}'),
        ({"schedule": {"cosine": {"name": "cosine"}}}, "training", "cosine: {training.schedule: {name: cosine}}"),
        ({"training": {"long": {"epochs": 20}}}, "training", "long: {training.epochs: 20}"),
    ],
)
def test_a_bundle_of_parts_of_its_factors_setting_is_told_how_it_is_written(factors, part, right):
    ((name, levels),) = factors.items()
    ((label, bundle),) = levels.items()
    first = next(iter(bundle))
    with pytest.raises(SettingError) as caught:
        space(factors, only(part, "schedule", "epochs")).arm({name: label})
    assert caught.value.message == (
        f"level {label} of factor {name} is a bundle of settings, in which {first} means network.{first}; "
        f"did you mean {right}?"
    )
    assert caught.value.key == ("factors", name, label, first)


@pytest.mark.parametrize("name", ["variant", "my.own", "seeds"])
def test_a_bundle_that_would_be_wrong_as_a_value_too_keeps_its_error(name):
    with pytest.raises(SettingError, match=r"^unknown dept$"):
        space({name: {"deep": {"dept": 110}}}, only("network")).arm({name: "deep"})
