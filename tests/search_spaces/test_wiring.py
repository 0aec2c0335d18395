import pytest

from search_spaces.errors import SettingError
from search_spaces.wiring import PLACEMENTS, parse_wiring, wiring_name


def refusal(text, convs=2):
    with pytest.raises(SettingError) as caught:
        parse_wiring(text, convs)
    return caught.value.message


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("original", "conv bn relu conv bn | add | relu"),
        ("bn_after_add", "conv bn relu conv | add | bn relu"),
        ("relu_before_add", "conv bn relu conv bn relu | add |"),
        ("relu_only_preact", "relu conv bn relu conv bn | add |"),
        ("full_preact", "bn relu conv bn relu conv | add |"),
    ],
)
def test_the_placements_of_figure_4(name, text):
    assert parse_wiring(name, 2).text == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("original", "conv bn | add | relu"),
        ("bn_after_add", "conv | add | bn relu"),
        ("relu_before_add", "conv bn relu | add |"),
        ("relu_only_preact", "relu conv bn | add |"),
        ("full_preact", "bn relu conv | add |"),
    ],
)
def test_placements_shrink_to_a_single_convolution(name, text):
    assert parse_wiring(name, 1).text == text


def test_placements_stretch_to_bottlenecks():
    assert parse_wiring("original", 3).text == "conv bn relu conv bn relu conv bn | add | relu"


@pytest.mark.parametrize("convs", [1, 2, 3])
@pytest.mark.parametrize("name", PLACEMENTS)
def test_a_placement_spelled_out_is_known_by_its_name(name, convs):
    assert wiring_name(parse_wiring(parse_wiring(name, convs).text, convs)) == name


def test_spaces_do_not_matter():
    assert wiring_name(parse_wiring("conv bn relu  conv bn|add|relu", 2)) == "original"


def test_a_wiring_of_ones_own_keeps_its_text():
    assert wiring_name(parse_wiring("bn conv relu conv | concat |", 2)) == "bn conv relu conv | concat |"


def test_a_lead_with_bn_moves_behind_the_stem_convolution():
    assert parse_wiring("full_preact", 2).stem == ("bn", "relu")


def test_a_lead_without_bn_leaves_the_stem_its_own():
    assert parse_wiring("relu_only_preact", 2).stem == ("bn", "relu")
    assert parse_wiring("relu bn conv conv | add |", 2).stem == ("relu", "bn")


def test_post_activation_units_have_no_tail():
    assert parse_wiring("original", 2).tail == ()


def test_pre_activation_units_end_with_one_more_activation():
    assert parse_wiring("full_preact", 2).tail == ("bn", "relu")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("conv bn relu conv bn", "has 0"),
        ("conv relu conv | add | bn | relu", "has 3"),
        ("conv relu conv | | bn", "not nothing"),
        ("conv relu conv | ad | bn", 'did you mean "add"'),
        ("conv rely conv | add |", 'word 2 of the wiring "rely": did you mean "relu"'),
        ("conv relu relu conv | add |", "word 3: relu right after relu changes nothing"),
        ("conv conv | add | bn relu bn bn", "word 9: bn right after bn changes nothing"),
        ("conv relu conv | add | conv", "word 7: conv cannot stand in the part after the merge"),
        ("bn relu | add |", "has no conv"),
        ("conv bn conv | add | bn", "linear"),
        ("conv relu | add |", "has 1 convolution; this block needs 2"),
        ("orginal", 'did you mean "original"'),
    ],
)
def test_refusals_name_position_and_reason(text, message):
    assert message in refusal(text)
