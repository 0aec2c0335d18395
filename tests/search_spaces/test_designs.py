import pytest

from search_spaces.designs import arms, resolve_baseline
from search_spaces.errors import SettingError
from search_spaces.factors import parse_factors
from search_spaces.space import Space

FACTORS = {
    "depth": [20, 56, 110],
    "variant": {"plain": {"shortcut": "none"}, "original": {}, "preact": {"activation": "p"}},
}


def space(factors=FACTORS, exclude=(), complete=lambda raw: raw):
    return Space({"network": {}}, parse_factors(factors), complete, exclude=tuple(exclude))


def names(*args, **options):
    return [arm.name for arm in arms(*args, **options)]


def refused(*args, **options):
    with pytest.raises(SettingError) as caught:
        arms(*args, **options)
    return caught.value


def test_full_factorial_crosses_all_levels_in_order():
    found = names(space())
    assert len(found) == 9
    assert found[:4] == [
        "depth=20 variant=plain",
        "depth=20 variant=original",
        "depth=20 variant=preact",
        "depth=56 variant=plain",
    ]


def test_no_factors_is_one_arm():
    assert names(space({})) == ["baseline"]


def test_one_at_a_time_changes_one_factor_of_the_baseline():
    assert names(space(), "one_at_a_time", {"depth": 56, "variant": "original"}) == [
        "depth=56 variant=original",
        "depth=20 variant=original",
        "depth=110 variant=original",
        "depth=56 variant=plain",
        "depth=56 variant=preact",
    ]


def test_one_at_a_time_is_repeated_in_every_context():
    factors = {**FACTORS, "width": [8, 16]}
    found = names(space(factors), "one_at_a_time", {"variant": "original", "width": 8})
    assert len(found) == 3 * (1 + 2 + 1)


def test_one_at_a_time_without_a_baseline_starts_from_the_first_levels():
    assert names(space(), "one_at_a_time")[0] == "depth=20 variant=plain"


def test_exclude_drops_the_arms_that_match():
    found = names(space(exclude=[{"depth": [56, 110], "variant": "plain"}]))
    assert len(found) == 7
    assert "depth=110 variant=plain" not in found


def test_excluded_arms_are_never_completed():
    def complete(raw):
        if raw["network"].get("depth") == 110:
            raise SettingError("too deep", ("network", "depth"))
        return raw

    assert len(names(space(exclude=[{"depth": 110}], complete=complete))) == 6


def test_an_exclude_that_matches_nothing_names_the_nearest():
    error = refused(
        space(exclude=[{"depth": 20, "variant": "plain"}]), "one_at_a_time", {"depth": 56, "variant": "original"}
    )
    assert 'nearest is "depth=20 variant=original"' in error.message
    assert error.key == ("exclude", 0)


def test_an_exclude_with_an_unknown_level_names_the_nearest():
    error = refused(space(exclude=[{"variant": "plan"}]))
    assert 'did you mean "plain"' in error.message
    assert error.key == ("exclude", 0, "variant")


@pytest.mark.parametrize("levels", [20, []])
def test_an_exclude_with_an_unknown_factor_is_refused(levels):
    assert refused(space(exclude=[{"dept": levels}])).key == ("exclude", 0, "dept")


def test_excluding_everything_is_refused():
    assert "nothing is left" in refused(space(exclude=[{"depth": [20, 56, 110]}])).message


def test_a_baseline_with_an_unknown_factor_is_refused():
    error = refused(space(), baseline={"varient": "plain"})
    assert 'did you mean "variant"' in error.message
    assert error.key == ("baseline", "varient")


def test_a_baseline_with_an_unknown_level_is_refused():
    assert refused(space(), baseline={"depth": 21}).key == ("baseline", "depth")


def test_a_baseline_is_returned_as_level_names_in_order():
    assert resolve_baseline(parse_factors(FACTORS), {"variant": "plain", "depth": "20"}) == {
        "depth": 20,
        "variant": "plain",
    }


def test_an_unknown_design_names_the_nearest():
    assert 'did you mean "full_factorial"' in refused(space(), "full_factorail").message


def test_arms_with_the_same_settings_are_refused():
    error = refused(space({"v": {"a": {"activation": "x"}, "b": {}}}, complete=lambda raw: {"network": "same"}))
    assert '"v=a" and "v=b"' in error.message


def test_a_full_factorial_beyond_reason_is_refused():
    factors = {f"f{index}": list(range(10)) for index in range(6)}
    assert "1,000,000 arms" in refused(space(factors)).message


BINARY = {name: {"off": {}, "on": {name: 1}} for name in "abcde"}
OFF = dict.fromkeys("abcde", "off")
ON = dict.fromkeys("abcde", "on")


def on(names_of_arms):
    return ["".join(part[0] for part in name.split() if part.endswith("=on")) for name in names_of_arms]


def test_leave_one_out_removes_each_component_once():
    found = names(space(BINARY), "leave_one_out", ON)
    assert on(found) == ["abcde", "bcde", "acde", "abde", "abce", "abcd"]


def test_add_one_in_adds_each_component_once_and_then_all():
    assert on(names(space(BINARY), "add_one_in", OFF)) == ["", "a", "b", "c", "d", "e", "abcde"]


def test_a_path_changes_one_factor_at_a_time():
    assert on(names(space(BINARY), "path", OFF)) == ["", "a", "ab", "abc", "abcd", "abcde"]


def test_a_path_takes_the_order_asked_for():
    found = names(space(BINARY), "path", OFF, {"order": ["e", "d", "c", "b", "a"]})
    assert on(found)[1] == "e"


def test_a_path_leads_to_the_target():
    found = names(space(), "path", {"depth": 20, "variant": "plain"}, {"target": {"depth": 110, "variant": "preact"}})
    assert found == ["depth=20 variant=plain", "depth=110 variant=plain", "depth=110 variant=preact"]


def test_paths_are_walked_in_every_context():
    found = names(space(), "path", {"variant": "plain"}, {"target": {"variant": "preact"}})
    assert len(found) == 6


@pytest.mark.parametrize(
    ("design", "options", "message", "key"),
    [
        ("path", {}, "say which in target (56, 110)", ("design", "target")),
        ("path", {"target": {"dept": 1}}, 'did you mean "depth"', ("design", "target", "dept")),
        ("path", {"target": {"depth": 20, "variant": "preact"}}, "baseline's own", ("design", "target", "depth")),
        ("path", {"target": {"depth": 21}}, "unknown level", ("design", "target", "depth")),
        ("path", {"target": 3}, "is a mapping", ("design", "target")),
        ("leave_one_out", {}, "say which in without", ("design", "without")),
        ("path", {"traget": {}}, 'did you mean "target"', ("design", "traget")),
        ("full_factorial", {"arms": 3}, "unknown full_factorial option", ("design", "arms")),
        ("random", {}, '"arms" is missing', ("design", "arms")),
        ("random", {"arms": 10}, "from 1 to 9 arms", ("design", "arms")),
        ("fractional_factorial", {}, "takes factors of two levels; depth has 3", ("design",)),
    ],
)
def test_wrong_options_are_refused_at_their_key(design, options, message, key):
    baseline = None if design == "random" else {"depth": 20, "variant": "plain"}
    error = refused(space(), design, baseline, options)
    assert message in error.message
    assert error.key == key


def test_an_order_names_every_factor_once():
    target = {"target": {"depth": 56, "variant": "preact"}, "order": ["depth"]}
    assert "each of depth, variant once" in refused(space(), "path", {"depth": 20, "variant": "plain"}, target).message


def test_random_arms_are_drawn_with_the_seed_and_without_repeats():
    first = names(space(BINARY), "random", None, {"arms": 20, "seed": 1})
    assert len(set(first)) == 20
    assert first == names(space(BINARY), "random", None, {"arms": 20, "seed": 1})
    assert first != names(space(BINARY), "random", None, {"arms": 20, "seed": 2})


def test_random_can_draw_the_whole_space():
    assert len(names(space(), "random", None, {"arms": 9})) == 9


def test_random_begins_with_the_baseline_of_every_context():
    found = names(space(), "random", {"variant": "original"}, {"arms": 5})
    assert found[:3] == ["depth=20 variant=original", "depth=56 variant=original", "depth=110 variant=original"]


def test_random_copes_with_a_space_too_large_to_list():
    factors = {f"f{index}": list(range(10)) for index in range(12)}
    assert len(names(space(factors), "random", None, {"arms": 5})) == 5
