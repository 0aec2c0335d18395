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


def test_an_exclude_with_an_unknown_factor_is_refused():
    assert refused(space(exclude=[{"dept": 20}])).key == ("exclude", 0, "dept")


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
