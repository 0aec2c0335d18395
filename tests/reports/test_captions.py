"""What the figures' words claim: crosses only where a seed diverged, a fall only where a number falls."""

from reports.figures.figure import Figure
from reports.sections.curves import build as curves
from reports.sections.depth import build as depth
from reports.tables import Table
from tests.reports.small import found, near


def curves_caption(errors):
    return curves(found(("variant",), {("a",): near(3), ("b",): errors})).figures[0].caption


def test_the_curves_speak_of_crosses_where_a_seed_diverged():
    assert "drawn thin, one by one; a cross marks where a seed diverged." in curves_caption((3.0, 3.1, None))


def test_seeds_that_ended_above_the_limit_have_no_cross():
    text = curves_caption((3.0, 3.1, 80.0))
    assert "Failed seeds are drawn thin, one by one." in text
    assert "cross" not in text


def test_the_words_of_a_line_tell_its_ends_and_claim_no_rise():
    errors = {(8, "a"): near(3), (14, "a"): near(3.004), (8, "b"): near(4), (14, "b"): near(5)}
    described = " ".join(panel.description for panel in depth(found(("depth", "variant"), errors)).figures[0].panels)
    assert "a has a median of 3.00 % at depth 8 and of 3.00 % at 14." in described
    assert "b has a median of 4.00 % at depth 8 and of 5.00 % at 14." in described


def test_a_figure_is_called_by_the_first_sentence_of_its_caption_whatever_dots_its_names_have():
    for caption, heading in (
        ("Test error against training.lr. A point a seed.", "Test error against training.lr"),
        (
            "Each arm minus its baseline (decay 0.0001 and rate 0.1), points. n=3.",
            "Each arm minus its baseline (decay 0.0001 and rate 0.1), points",
        ),
        ("No dot", "No dot"),
    ):
        figure = Figure("one", caption, (), Table("one", "", (), ()))
        assert figure.heading == heading
