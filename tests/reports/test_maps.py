"""A map of cells shows every value in its colour, and the numbers of an axis fit beside it."""

import re

import pytest

from reports.figures.maps import _boxes, cells_drawing, contour_drawing
from reports.figures.scale import Scale
from reports.figures.ticks import number_text, number_texts

LABELS = ("unit", "epoch", "norm")


def test_neighbours_of_one_colour_are_one_rectangle_and_a_gap_is_none():
    boxes = list(_boxes([[1, 1, None, 2], [1, 2, 2, 2]], [0, 1, 2, 3, 4], [0, 1, 2]))
    assert [(corners[0], corners[2], band) for corners, band in boxes] == [
        ((0, 0), (2, 1), 1),
        ((3, 0), (4, 1), 2),
        ((0, 1), (1, 2), 1),
        ((1, 1), (4, 2), 2),
    ]


def test_the_least_and_the_largest_value_have_the_ends_colours():
    svg = cells_drawing(
        {(0, 0): 1.0, (1, 0): 12.0, (0, 1): 1.0, (1, 1): 1.0}, Scale(1.0, 12.0, False), LABELS, prefix="a"
    ).svg
    colours = re.findall("#440154|#fde725", svg)
    assert set(colours) == {"#440154", "#fde725"}


def test_contours_of_a_scale_that_ends_below_the_largest_value_are_drawn():
    grid = {(x / 2, y / 2): 1.0 + 10.0 ** (x * x + y * y) for x in range(-2, 3) for y in range(-2, 3)}
    svg = contour_drawing(grid, Scale(2.0, 1e4, True), LABELS, prefix="a").svg
    assert "10⁴" not in svg
    assert "10000" in svg


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [
        ([0.001, 1, 1000], ["0.001", "1", "1000"]),
        ([0.001, 1, 1e6], ["10⁻³", "10⁰", "10⁶"]),
        ([1e-16, 2e-16], ["10⁻¹⁶", "2×10⁻¹⁶"]),
        ([0, 2.5e9], ["0", "2.5×10⁹"]),
        ([-3e7], ["−3×10⁷"]),
        ([], []),
    ],
)
def test_long_numbers_of_an_axis_are_powers_of_ten(numbers, texts):
    assert number_texts(numbers) == texts


def test_a_number_alone_is_rounded():
    assert [number_text(each) for each in (4123.4, 0.00019234, 57424242.0)] == ["4120", "0.000192", "5.74×10⁷"]
