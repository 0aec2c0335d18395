import pytest

from search_spaces.constraints import keep_where, match_costs, parse_match, parse_where
from search_spaces.cost import complexity
from search_spaces.designs import arms
from search_spaces.errors import SettingError
from search_spaces.factors import parse_factors
from search_spaces.networks.families import complete_network
from search_spaces.space import Space


def space(factors, **network):
    base = {"network": {"depth": 8, "width": 32, **network}}
    return Space(base, parse_factors(factors), lambda raw: {"network": complete_network(raw["network"])})


def measure(arm):
    return complexity(arm.settings["network"], (1, 8, 8))


DEPTHS = space({"depth": [8, 14, 20]})
VARIANTS = space({"variant": {"plain": {"shortcut": "none"}, "gated": {"shortcut": "exclusive_gate"}}})


def kept(*conditions):
    return [arm.levels["depth"] for arm in keep_where(arms(DEPTHS), parse_where(list(conditions)), measure)]


@pytest.mark.parametrize(
    ("conditions", "depths"),
    [
        (["depth < 20"], [8, 14]),
        (["depth >= 14", "depth<=14"], [14]),
        (["params <= 0.8M"], [8, 14]),
        (["params > 400k"], [14, 20]),
        (["flops <= 4e6"], [8]),
    ],
)
def test_conditions_keep_the_arms_that_meet_them(conditions, depths):
    assert kept(*conditions) == depths


def test_a_single_condition_needs_no_list():
    assert parse_where("params <= 300k") == parse_where(["params <= 300000"])


def test_no_arm_left_is_an_error():
    with pytest.raises(SettingError, match="no arm") as caught:
        kept("depth > 1000")
    assert caught.value.key == ("where",)


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("params <= 300q", 'unknown unit "q"'),
        ("parms <= 300k", 'did you mean "params"'),
        ("params = 3", "a condition reads"),
        ("params <= 1.2.3", "a condition reads"),
        ("params <= .", "a condition reads"),
        (3, "a condition reads"),
    ],
)
def test_wrong_conditions_are_refused_at_their_place(condition, message):
    with pytest.raises(SettingError, match=message) as caught:
        parse_where(["depth > 1", condition])
    assert caught.value.key == (1,)


@pytest.mark.parametrize("what", ["params", "flops"])
def test_matched_arms_cost_what_the_baseline_costs(what):
    found = match_costs(VARIANTS, arms(VARIANTS), {"variant": "plain"}, parse_match(what), measure)
    plain, gated = (getattr(measure(arm), what) for arm in found)
    assert gated == pytest.approx(plain, rel=0.05)
    assert found[1].settings["network"]["width"] < 32
    assert found[0] == arms(VARIANTS)[0]


def test_each_context_has_its_own_reference():
    both = space(
        {"depth": [8, 14], "variant": {"plain": {"shortcut": "none"}, "gated": {"shortcut": "exclusive_gate"}}}
    )
    found = match_costs(both, arms(both), {"variant": "plain"}, parse_match("params"), measure)
    costs = [measure(arm).params for arm in found]
    assert costs[1] == pytest.approx(costs[0], rel=0.05)
    assert costs[3] == pytest.approx(costs[2], rel=0.05)


def test_an_arm_that_costs_the_same_keeps_its_width():
    same = space({"variant": {"original": {}, "preact": {"activation": "full_preact"}}})
    found = match_costs(same, arms(same), {"variant": "original"}, parse_match("params"), measure)
    assert found[1] == arms(same)[1]


def test_a_tolerance_that_no_width_meets_says_how_near_it_gets():
    match = parse_match({"what": "params", "tolerance": 0.0001})
    with pytest.raises(SettingError, match=r"the nearest, network.width 31, has [\d,]+ \([+-]\d") as caught:
        match_costs(VARIANTS, arms(VARIANTS), {"variant": "plain"}, match, measure)
    assert caught.value.key == ("match",)


def test_a_densenet_is_matched_by_its_growth():
    families = space({"v": {"resnet": {}, "dense": {"family": "densenet", "bottleneck": True}}})

    def complete(raw):
        network = dict(raw["network"])
        if network.get("family") == "densenet":
            network = {"family": "densenet", "depth": 10, "bottleneck": True, "growth": network.get("growth", 12)}
        return {"network": complete_network(network)}

    families = Space(families.base, families.factors, complete)
    found = match_costs(families, arms(families), {"v": "resnet"}, parse_match("params"), measure)
    assert measure(found[1]).params == pytest.approx(measure(found[0]).params, rel=0.05)


def test_a_width_that_is_a_factor_cannot_be_matched():
    clash = space({"width": [8, 16], "variant": {"plain": {"shortcut": "none"}, "gate": {"shortcut": "shortcut_gate"}}})
    with pytest.raises(SettingError, match="which factor width sets"):
        match_costs(clash, arms(clash), {"variant": "plain"}, parse_match("params"), measure)


def test_matching_needs_a_baseline():
    with pytest.raises(SettingError, match="needs a baseline"):
        match_costs(VARIANTS, arms(VARIANTS), {}, parse_match("params"), measure)


@pytest.mark.parametrize(
    ("value", "message", "key"),
    [
        ("parms", 'did you mean "params"', ()),
        ({"what": "params", "tolerence": 0.1}, 'did you mean "tolerance"', ("tolerence",)),
        ({"what": "params", "tolerance": 2}, "from 0 below 1", ("tolerance",)),
        (3, "match is params, flops or a mapping", ()),
    ],
)
def test_wrong_matches_are_refused(value, message, key):
    with pytest.raises(SettingError, match=message) as caught:
        parse_match(value)
    assert caught.value.key == key
