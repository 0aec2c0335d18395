"""A map of cells shows every value in its colour."""

import re

from reports.figures.maps import _boxes, cells_drawing, contour_drawing
from reports.figures.scale import PanelScale

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
        {(0, 0): 1.0, (1, 0): 12.0, (0, 1): 1.0, (1, 1): 1.0}, PanelScale(1.0, 12.0, False), LABELS, prefix="a"
    ).svg
    colours = re.findall("#440154|#fde725", svg)
    assert set(colours) == {"#440154", "#fde725"}


def test_contours_of_a_scale_that_ends_below_the_largest_value_are_drawn():
    grid = {(x / 2, y / 2): 1.0 + 10.0 ** (x * x + y * y) for x in range(-2, 3) for y in range(-2, 3)}
    svg = contour_drawing(grid, PanelScale(2.0, 1e4, True), LABELS, prefix="a").svg
    assert "10000" in svg
    assert "#ffffff" in svg  # the cross keeps its colour on a dark page, as the map does
