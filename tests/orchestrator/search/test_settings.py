"""Every mistake in a search is named with its key; every sampler argument is stored."""

import math

import pytest

from orchestrator.errors import UserError
from orchestrator.study_file.search.axes import parse_interval
from orchestrator.study_file.search.samplers import SAMPLERS, make_sampler
from orchestrator.study_file.search.search_settings import parse_search
from search_spaces.errors import SettingError
from tests.orchestrator.search.conftest import plan_of


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sampler_is_stored_with_every_argument_and_can_be_made_from_them(name):
    spec = parse_search({"arms": 3, "sampler": name}).sampler
    assert spec["name"] == name
    make_sampler(spec, seed=1)


@pytest.mark.parametrize("sampler", ["nsga2", "nsga3"])
def test_a_population_has_two_arms_at_least(sampler):
    assert parse_search({"arms": 3, "sampler": {"name": sampler, "population_size": 2}}).sampler["population_size"] == 2
    with pytest.raises(SettingError, match="population_size must be a whole number at least 2, not 1"):
        parse_search({"arms": 3, "sampler": {"name": sampler, "population_size": 1}})


def test_a_gaussian_process_takes_constraints_with_one_objective_alone():
    search = {"arms": 3, "sampler": "gp", "constraints": ["params <= 3k"]}
    assert parse_search(search).sampler["name"] == "gp"
    with pytest.raises(SettingError, match="gp"):
        parse_search({**search, "objectives": ["val_error", "params"]})


def test_the_arguments_of_tpe_are_pinned():
    assert parse_search({"arms": 3}).sampler == {
        "name": "tpe",
        "n_startup_trials": 10,
        "n_ei_candidates": 24,
        "multivariate": True,
        "group": False,
        "constant_liar": True,
    }


@pytest.mark.parametrize(
    ("search", "key", "message"),
    [
        ({}, ("arms",), "missing"),
        ({"arms": 0}, ("arms",), "from 1 to 100,000"),
        ({"arms": 3, "seed": 2**32}, ("seed",), "from 0 to 4,000,000,000"),
        ({"arms": 10**12}, ("arms",), "from 1 to 100,000"),
        ({"arms": 3, "seeds_per_arm": 10**12}, ("seeds_per_arm",), "from 1 to 100,000"),
        ({"arms": 3, "confirm": {"best": 10**12}}, ("confirm", "best"), "from 1 to 100,000"),
        ({"arms": 3, "confirm": {"seeds": 10**12}}, ("confirm", "seeds"), "from 1 to 100,000"),
        ({"arms": 3, "compare": {"seeds": 10**12}}, ("compare", "seeds"), "from 2 to 100,000"),
        ({"arms": 3, "sampler": "tpa"}, ("sampler",), 'did you mean "tpe"'),
        ({"arms": 3, "sampler": {"name": "tpe", "startup": 3}}, ("sampler", "startup"), "n_startup_trials"),
        ({"arms": 3, "sampler": {"name": [1]}}, ("sampler", "name"), "unknown sampler"),
        ({"arms": 3, "scheduler": {"name": [1]}}, ("scheduler", "name"), "unknown scheduler"),
        ({"arms": 3, "scheduler": "ahsa"}, ("scheduler",), 'did you mean "asha"'),
        ({"arms": 3, "objectives": ["test_error"]}, ("objectives", 0), "val_error"),
        ({"arms": 3, "objectives": ["params"]}, ("objectives",), "val_error must be"),
        ({"arms": 3, "objectives": ["val_error", "params"], "scheduler": "asha"}, ("scheduler",), "only objective"),
        ({"arms": 3, "constraints": ["parms <= 3k"]}, ("constraints", 0), "params"),
        ({"arms": 3, "confirm": {"bets": 3}}, ("confirm", "bets"), "best"),
        ({"arms": 3, "compare": {"samplers": "tpe"}}, ("compare", "samplers"), "must be a list, not"),
        ({"arms": 3, "compare": {"samplers": ["gp", "tpa"]}}, ("compare", "samplers", 1), 'did you mean "tpe"'),
        (
            {"arms": 3, "compare": {"schedulers": [{"name": "asha", "rung": 2}]}},
            ("compare", "schedulers", 0, "rung"),
            "first_rung",
        ),
        ({"arms": 3, "compare": {"seeds": 1}}, ("compare", "seeds"), "from 2 to 100,000"),
        ({"arms": 3, "compare": ["tpe"]}, ("compare",), "must be a mapping, not"),
        (
            {"arms": 3, "objectives": ["val_error", "params"], "compare": {"samplers": ["tpe"]}},
            ("compare",),
            "only objective",
        ),
        ({"arms": 3, "validation": 0.7}, ("validation",), "0.5"),
    ],
)
def test_a_mistake_is_named_with_its_key(search, key, message):
    with pytest.raises(SettingError) as refused:
        parse_search(search)
    assert refused.value.key == key
    assert message in refused.value.message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"factors": {}}, r"hunt\.yaml:\d+: factors: .*needs factors"),
        ({"factors": {"width": {"low": 4, "high": 1}}}, r"factors\.width\.low: low must be below high"),
        ({"factors": {"width": {"low": 1, "high": math.inf}}}, r"factors\.width\.high: .*finite number, not inf"),
        ({"factors": {"width": {"low": 1, "hihg": 4}}}, r"factors\.width\.hihg: .*high"),
        ({"factors": {"shortcut": ["identity", "nonne"]}}, r"factors\.shortcut.*none"),
        ({"factors": {"stage": [1]}}, r"factors\.stage: .*taken"),
        ({"factors": {"width": {"low": 1, "high": 4, "when": {"block": "basic"}}}}, r"factors\.width\.when\.block"),
        ({"factors": {"activation": {"wirings": {"merge": "add"}}}}, r"factors\.activation\.wirings\.merge: .*merges"),
        ({"baseline": {"widht": 2}}, r"baseline\.widht"),
        ({"baseline": {"width": 9}}, r"baseline\.width: .*from 1 to 4"),
        ({"seeds": 3}, r"seeds: .*seeds_per_arm"),
        ({"claims": [{"id": "a", "says": "b"}]}, r"claims: "),
        ({"search": {"arms": 3, "samplr": "tpe"}}, r'search\.samplr: .*did you mean "sampler"'),
    ],
)
def test_a_mistake_in_the_file_is_named_with_line_and_key(changes, message):
    with pytest.raises(UserError, match=message):
        plan_of(**changes)


@pytest.mark.parametrize("part", ["low", "high", "step"])
@pytest.mark.parametrize("value", ["2", True, math.nan, math.inf, -math.inf, 10**400])
def test_a_range_has_finite_numbers(part, value):
    with pytest.raises(SettingError, match=f"{part} is") as refused:
        parse_interval("width", {"low": 1, "high": 4, "step": 1, part: value}, ("width",))
    assert refused.value.key == ("width", part)


def test_the_mapping_search_belongs_to_the_design_search():
    from pathlib import Path

    from orchestrator.planning.plan import make_plan
    from orchestrator.study_file.config import check_study
    from orchestrator.study_file.yaml_source import parse_yaml

    text = "study: a\nfactors: {depth: [8, 14]}\nsearch: {arms: 3}\n"
    with pytest.raises(UserError, match=r"a\.yaml:3: search: only `design: search`"):
        make_plan(check_study(parse_yaml(text, "a.yaml"), Path(".")))


def test_a_plan_says_in_one_sentence_what_the_search_will_do():
    sampler = {"name": "tpe", "n_startup_trials": 3}
    small = plan_of(search={"sampler": sampler, "control": True, "arms": 1, "confirm": {"best": 1, "seeds": 1}})
    assert small.notes == (
        "search: the sampler tpe proposes 1 arm, and as many at random for comparison (2 in all); the best 1 and the "
        "baseline are confirmed with 1 fresh seed: at most 4 trials (n_startup_trials 3, n_ei_candidates 24, "
        "multivariate True, group False, constant_liar True)",
    )
    large = plan_of(search={"sampler": "random", "arms": 1000})
    assert large.notes == (
        "search: the sampler random proposes 1,000 arms; the best 2 and the baseline are confirmed with 2 fresh seeds: "
        "at most 1,006 trials",
    )


def test_the_random_control_depends_on_all_of_a_search_but_its_sampler():
    plain, other, seeded = plan_of(), plan_of(search={"sampler": "random"}), plan_of(search={"seed": 7})
    held = plan_of(search={"validation": 0.25})
    assert plain.optimization("control") == other.optimization("control")
    assert plain.optimization("search") != other.optimization("search")
    assert len({each.optimization("control") for each in (plain, seeded, held)}) == 3


@pytest.mark.parametrize(("bound", "is_told"), [("params < 1", True), ("params < 10M", False)])
def test_the_plan_says_when_a_constraint_keeps_the_baseline_out_of_the_search(bound, is_told):
    told = [note for note in plan_of(search={"constraints": [bound]}).notes if "beyond the constraint" in note]
    assert [f"beyond the constraint {bound}: it is confirmed and not searched" in note for note in told] == [
        True
    ] * is_told
