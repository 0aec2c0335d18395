"""A surface in three dimensions keeps its values' order, hides what is behind, and leaves out what has no value."""

import re

import pytest

from reports.figures.measured import Scale
from reports.figures.relief import MOST_CELLS, _cells, relief_drawing

LABELS = ("first", "second", "loss")


def bowl(side):
    return {(x / side, y / side): 1.0 + x * x + y * y for x in range(-side, side + 1) for y in range(-side, side + 1)}


def test_a_higher_value_stands_higher_and_what_is_above_the_scale_is_cut_off():
    flat = dict.fromkeys(bowl(1), 1.0)
    scale = Scale(1.0, 3.0, False)
    bases, risen, above = (_cells({**flat, (0.0, 0.0): value}, scale)[0][0] for value in (1.0, 2.0, 3.0))
    rises = [max(one[1] - base[1] for one, base in zip(cell, bases, strict=True)) for cell in (risen, above)]
    assert rises[1] == pytest.approx(2 * rises[0])
    assert _cells({**flat, (0.0, 0.0): 99.0}, scale) == _cells({**flat, (0.0, 0.0): 3.0}, scale)


def test_equal_factors_are_equal_steps_on_a_logarithmic_scale():
    flat = dict.fromkeys(bowl(1), 1.0)
    scale = Scale(1.0, 100.0, True)
    cells = [_cells({**flat, (0.0, 0.0): value}, scale)[0][0] for value in (1.0, 10.0, 100.0)]
    rises = [max(one[1] - base[1] for one, base in zip(cell, cells[0], strict=True)) for cell in cells[1:]]
    assert rises[1] == pytest.approx(2 * rises[0])


def test_near_cells_are_drawn_over_far_ones():
    cells = _cells(dict.fromkeys(bowl(3), 1.0), Scale(1.0, 2.0, False))
    feet = [sum(y for _, y in corners) for corners, _ in cells]
    assert feet == sorted(feet, reverse=True)


def test_a_fine_grid_is_thinned_out_and_keeps_its_ends():
    fine, coarse = (_cells(bowl(side), Scale(1.0, 1e4, False)) for side in (25, 10))
    assert len(fine) == len(coarse) == MOST_CELLS**2
    widths = [max(x for corners, _ in cells for x, _ in corners) for cells in (fine, coarse)]
    assert widths[0] == pytest.approx(widths[1])


def test_cells_without_a_value_are_left_out():
    grid = bowl(2)
    del grid[0.5, 0.5]
    assert len(_cells(grid, Scale(1.0, 9.0, False))) == 12


def test_the_drawing_holds_a_polygon_a_cell_and_no_style():
    drawing = relief_drawing(bowl(2), Scale(1.0, 9.0, True), LABELS, prefix="a")
    assert "style=" not in drawing.svg
    assert all(label in drawing.svg for label in LABELS)
    assert len(re.findall("<path", drawing.svg)) >= 16


def test_a_flat_surface_is_drawn():
    relief_drawing(dict.fromkeys(bowl(1), 1.0), Scale(1.0, 1.0, True), LABELS, prefix="a")
