import pytest

from search_spaces.designs import arms, design_notes
from search_spaces.factors import parse_factors
from search_spaces.fractional import _fraction, resolution
from search_spaces.space import Space


def space(count, **more):
    factors = {name: {"off": {}, "on": {name: 1}} for name in "abcdefghijklmnop"[:count]}
    return Space({"network": {}}, parse_factors({**factors, **more}), lambda raw: raw)


@pytest.mark.parametrize(
    ("factors", "runs"), [(1, 2), (2, 4), (3, 8), (4, 8), (5, 16), (6, 16), (7, 16), (8, 16), (9, 32)]
)
def test_fractions_are_as_small_as_the_tables_of_box_and_hunter(factors, runs):
    assert len(arms(space(factors), "fractional_factorial")) == runs


@pytest.mark.parametrize("factors", range(4, 13))
def test_no_three_columns_are_confounded(factors):
    assert resolution(_fraction(factors), at_most=3) is None


@pytest.mark.parametrize("factors", range(1, 13))
def test_every_level_runs_equally_often(factors):
    rows = _fraction(factors)
    assert all(sum(row[column] for row in rows) == 0 for column in range(factors))


def test_the_baseline_is_the_first_arm():
    found = arms(space(5), "fractional_factorial", dict.fromkeys("abcde", "on"))
    assert set(found[0].levels.values()) == {"on"}


def test_factors_outside_the_baseline_are_contexts():
    found = arms(space(4, depth=[20, 56, 110]), "fractional_factorial", dict.fromkeys("abcd", "off"))
    assert len(found) == 3 * 8


def test_aliasing_is_told():
    notes = design_notes(space(4), "fractional_factorial")
    assert notes[0].startswith("8 of 16 combinations, resolution IV")
    assert notes[1:] == ["a × b = c × d", "a × c = b × d", "a × d = b × c"]


def test_five_factors_resolve_every_pair():
    (note,) = design_notes(space(5), "fractional_factorial")
    assert note.startswith("16 of 32 combinations, resolution V: ")


def test_a_full_set_has_no_aliasing():
    assert design_notes(space(3), "fractional_factorial") == ["all 8 combinations run: no effect is confounded"]


def test_other_designs_have_no_notes():
    assert design_notes(space(3)) == []


def test_resolution_of_a_known_design():
    half = [(a, b, a * b) for a in (-1, 1) for b in (-1, 1)]
    assert resolution(half, at_most=3) == 3
