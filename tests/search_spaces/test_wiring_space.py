import pytest

from search_spaces.networks.families import complete_network
from search_spaces.wiring import PLACEMENTS, parse_wiring
from search_spaces.wiring_space import sample_wirings, wirings


@pytest.mark.parametrize(("convs", "count"), [(1, 117), (2, 609), (3, 3093)])
def test_all_wirings_are_counted(convs, count):
    assert len(list(wirings(convs, ("add",)))) == count


@pytest.mark.parametrize("merge", ["add", "concat"])
def test_every_enumerated_wiring_is_valid_and_different(merge):
    texts = [wiring.text for wiring in wirings(2, (merge,))]
    assert len(set(texts)) == len(texts)
    assert all(parse_wiring(text, 2).text == text for text in texts)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_the_named_placements_are_among_them(placement):
    assert parse_wiring(placement, 2) in set(wirings(2))


def test_samples_are_different_and_repeatable():
    first = sample_wirings(2, 50, seed=1)
    assert len({wiring.text for wiring in first}) == 50
    assert first == sample_wirings(2, 50, seed=1)
    assert first != sample_wirings(2, 50, seed=2)


def test_samples_may_be_all_there_are():
    assert {each.text for each in sample_wirings(1, 117, merges=("add",))} == {
        each.text for each in wirings(1, ("add",))
    }


def test_more_than_there_are_is_refused():
    with pytest.raises(ValueError, match="there are 609"):
        sample_wirings(2, 610, merges=("add",))


def test_samples_are_settings():
    for wiring in sample_wirings(2, 20):
        complete_network({"activation": wiring.text})
