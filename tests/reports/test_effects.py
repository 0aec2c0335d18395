"""What the page says of the factors and of the differences to the baseline."""

import re
from pathlib import Path

from reports.findings import find
from reports.page import write_report
from reports.sections import effects, factors
from reports.sections.effects import build
from tests.reports import small, studies
from tests.reports.analysis.build import study
from tests.reports.small import near
from tests.reports.test_evidence import rows, words

ERRORS = {"a": (5.0, 5.1, 5.3), "b": (6.0, 6.3, 6.1), "c": (7.2, 7.0, 7.4)}


def on_a_diagonal(first: str, second: str):
    """Return three arms whose wiring and rate change together, the two factors in this order."""
    rates = {"a": 0.01, "b": 0.05, "c": 0.1}
    results = [({"wiring": name, "rate": rates[name]}, values) for name, values in ERRORS.items()]
    return study([({factor: levels[factor] for factor in (first, second)}, values) for levels, values in results])


def test_factors_that_vary_together_share_a_line_of_the_analysis_of_variance(tmp_path: Path) -> None:
    shown = {}
    for order in (("wiring", "rate"), ("rate", "wiring")):
        page = write_report(on_a_diagonal(*order), tmp_path / order[0])
        joint, seed, residual = rows(page, "anova")
        assert joint["term"] == f"{order[0]} and {order[1]} together"
        assert (seed["term"], residual["term"]) == ("seed", "residual")
        assert f"{order[0]} and {order[1]} do not vary apart from one another" in words(page)
        shown[order] = (joint["f"], joint["p"], joint["df"])
    assert len(set(shown.values())) == 1


def test_factors_of_a_grid_have_a_line_each(tmp_path: Path) -> None:
    page = write_report(studies.full_grid(), tmp_path)
    assert not [each for each in rows(page, "anova") if "together" in each["term"]]
    assert "vary apart" not in words(page)


def test_an_interaction_with_joined_factors_names_them_in_brackets() -> None:
    rates = {"a": 0.01, "b": 0.05, "c": 0.1}
    arms = [
        ({"width": width, "wiring": name, "rate": rates[name]}, [each + width / each for each in values])
        for name, values in ERRORS.items()
        for width in (4, 8)
    ]
    section = build(find(study(arms)))
    assert section is not None
    (table,) = [each for each in section.tables if each.name == "anova"]
    assert "width × (wiring and rate together)" in [row[0] for row in table.rows]


def test_one_difference_is_not_said_to_be_one_of_many() -> None:
    def caption(*names: str) -> str:
        section = build(find(study([({"wiring": name}, ERRORS[name]) for name in names], baseline={"wiring": "a"})))
        assert section is not None
        return section.figures[0].caption

    assert "not adjusted for their number (2 comparisons); Holm's p stands in tables/differences.csv. n=3." in caption(
        "a", "b", "c"
    )
    alone = caption("a", "b")
    assert "1 comparison" not in alone
    assert "Holm" not in alone
    assert alone.endswith("left of zero the arm has less error. Exploratory. n=3.")


def test_only_differences_that_stay_clear_among_all_are_counted_as_clear():
    level = {("base",): (5.0, 5.1, 4.9, 5.05, 4.95)}
    far = {(f"far-{at}",): tuple(9.0 + at + 0.01 * ((7 * seed + at) % 5) for seed in range(5)) for at in range(2)}
    slight = {(f"slight-{at}",): (5.2, 5.36, 5.05, 5.21, 5.29 + 0.01 * at) for at in range(20)}
    findings = small.found(("variant",), level | far | slight, baseline={"variant": "base"})
    alone = [each for each in findings.contrasts.values() if (each.low or 0) > 0]
    clear = [each for each in alone if each.p_holm <= 0.05]
    assert 0 < len(clear) < len(alone)
    (figure, *_) = build(findings).figures
    assert figure.panels[0].description.startswith(f"22 differences; {len(clear)} are clear by Holm's p at 2.5 %. ")


def test_the_spread_between_seeds_stands_under_the_variance_that_it_is_a_share_of():
    errors = {(depth, name): near(depth / 4 + 3 * (name == "b")) for depth in (8, 14) for name in "ab"}
    figures = build(small.found(("depth", "variant"), errors)).figures
    (drawing,) = (panel.drawing for each in figures if each.name == "shares" for panel in each.panels)
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", drawing.svg)
    arms, trials = texts.index("Variance between arms"), texts.index("Variance of single trials")
    assert arms < texts.index("depth") < trials < texts.index("between the seeds of one arm")


def test_sums_of_squares_have_no_more_digits_than_say_something():
    errors = {(f"v{at:02}",): (2.0 + at, 2.5 + at, 2.2 + at) for at in range(25)} | {("x",): (None, None, None)}
    (anova,) = (
        each
        for each in factors.factors_of(small.found(("v",), errors, baseline={"v": "v00"})).tables
        if each.name == "anova"
    )
    digits = [row[1] for row in anova.shown()]
    assert all(re.fullmatch(r"[\d,]+", each) for each in digits)
    assert "," in digits[0]


def test_contexts_stand_in_the_order_of_the_study_also_where_the_first_of_one_is_not_drawn():
    names = [f"v{at:02}" for at in range(25)]
    errors = {(depth, name): (2.0 + at, 2.1 + 1.1 * at, 2.3 + at) for at, name in enumerate(names) for depth in (8, 14)}
    errors[8, "v01"] = errors[8, "v00"]
    section = effects.build(small.found(("depth", "variant"), errors, baseline={"variant": "v00"}))
    heads = re.findall(r">depth (\d+)<", section.figures[0].panels[0].drawing.svg)
    assert heads == ["8", "14"]


def test_fails_are_among_the_largest_differences():
    errors = {(f"v{at:02}",): (2.0 + at, 2.1 + 1.1 * at, 2.3 + at) for at in range(43)} | {("bad",): (None, None, None)}
    section = effects.build(small.found(("variant",), errors, baseline={"variant": "v00"}, fail_above=None))
    assert "fail 3/3 against 0/3" in section.figures[0].panels[0].drawing.svg
    assert "the 40 largest of 43 differences, fail rates that differ first;" in section.figures[0].caption
