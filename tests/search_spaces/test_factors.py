import pytest

from search_spaces.errors import SettingError
from search_spaces.factors import level_text, parse_factors


def only(mapping):
    (factor,) = parse_factors(mapping)
    return factor


def refused(mapping):
    with pytest.raises(SettingError) as caught:
        parse_factors(mapping)
    return caught.value


def test_a_list_varies_the_network_setting_of_that_name():
    assert [level.settings for level in only({"depth": [20, 56]}).levels] == [
        {"network.depth": 20},
        {"network.depth": 56},
    ]


def test_a_dotted_path_is_taken_as_it_is():
    assert only({"training.lr": [0.1]}).levels[0].settings == {"training.lr": 0.1}


def test_data_itself_can_be_a_factor():
    assert only({"data": ["digits"]}).levels[0].settings == {"data": "digits"}


def test_bundles_keep_their_names_and_expand_their_keys():
    factor = only({"variant": {"plain": {"shortcut": "none", "training.lr": 1}, "original": {}}})
    assert [level.name for level in factor.levels] == ["plain", "original"]
    assert factor.levels[0].settings == {"network.shortcut": "none", "training.lr": 1}


def test_a_bundle_without_settings_may_be_left_blank():
    assert only({"variant": {"original": None}}).levels[0].settings == {}


def test_mapping_levels_get_short_names():
    factor = only({"shortcut": ["identity", {"op": "scale", "shortcut": 0.5, "residual": 0.5}]})
    assert [level.name for level in factor.levels] == ["identity", "scale(0.5, 0.5)"]


def test_mapping_levels_that_would_share_a_short_name_spell_their_keys():
    factor = only({"shortcut": [{"op": "scale", "shortcut": 0.5}, {"op": "scale", "residual": 0.5}]})
    assert [level.name for level in factor.levels] == ["scale(shortcut=0.5)", "scale(residual=0.5)"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (None, "none"), (0.5, "0.5"), ([1, 2], "[1, 2]"), ({"a": 1}, "(a=1)"), ({"op": "none"}, "none")],
)
def test_level_text(value, text):
    assert level_text(value) == text


def test_levels_are_found_by_name_text_and_value():
    gate = {"op": "exclusive_gate", "bias": -6}
    factor = only({"shortcut": [20, gate]})
    assert factor.level("20").name == factor.level(20.0).name == 20
    assert factor.level(gate).name == factor.level("exclusive_gate(-6)").name == "exclusive_gate(-6)"


def test_an_unknown_level_names_the_nearest():
    with pytest.raises(SettingError, match='did you mean "original"'):
        only({"variant": {"original": {}, "plain": {"depth": 20}}}).level("orginal")


@pytest.mark.parametrize("levels", [[], {}])
def test_a_factor_without_levels_is_refused(levels):
    assert refused({"depth": levels}).key == ("depth",)


@pytest.mark.parametrize("levels", [[20, 20], [20, "20"], [1, 1.0]])
def test_doubled_levels_are_refused(levels):
    error = refused({"depth": levels})
    assert "twice" in error.message
    assert error.key == ("depth", 1)


def test_bundles_with_the_same_settings_are_refused():
    assert "same settings" in refused({"v": {"a": {"depth": 20}, "b": {"depth": 20}}}).message


def test_a_single_level_is_fine():
    assert len(only({"depth": [20]}).levels) == 1


def test_what_cannot_change_a_result_cannot_be_a_factor():
    message = refused({"resources.cpus": [1, 2]}).message
    assert message.startswith("resources.cpus is no setting of a single arm, so it cannot be a factor")
    assert refused({"analysis.alpha": [0.05, 0.01]}).message.startswith("analysis.alpha is no setting of a single arm")


def test_a_path_without_its_root_is_told_the_root():
    error = refused({"v": {"a": {"shortcut.bias": 1}}})
    assert "network.shortcut.bias" in error.message
    assert error.key == ("v", "a", "shortcut.bias")


def test_two_factors_must_not_set_the_same_path():
    error = refused({"depth": [20], "size": {"big": {"depth": 110}}})
    assert "both set network.depth" in error.message


@pytest.mark.parametrize("levels", [3, "depth", None])
def test_a_factor_that_is_neither_list_nor_mapping_is_refused(levels):
    assert refused({"depth": levels}).key == ("depth",)


def test_a_bundle_level_that_is_no_mapping_is_told_the_list_form():
    assert "as a list" in refused({"variant": {"plain": 3}}).message


@pytest.mark.parametrize(
    ("name", "said"), [("training..lr", r"its dots: did you mean 'training\.lr'\?$"), ("..", "between its dots$")]
)
def test_a_name_with_an_empty_part_is_told_what_it_may_mean(name, said):
    with pytest.raises(SettingError, match=said):
        parse_factors({name: [1, 2]})
