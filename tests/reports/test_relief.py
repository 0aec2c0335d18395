"""A surface in three dimensions keeps its values' order, hides what is behind, and leaves out what has no value."""

import re

import pytest

from reports.figures.relief import _cells, relief_drawing
from reports.figures.scale import PanelScale
from reports.figures.surface import surface_of

LABELS = ("first", "second", "loss")


def bowl(side):
    return {(x / side, y / side): 1.0 + x * x + y * y for x in range(-side, side + 1) for y in range(-side, side + 1)}


def cells_of(grid, scale, cells=2):
    return _cells(surface_of(grid, scale, cells))


def test_a_higher_value_stands_higher_and_what_is_above_the_scale_is_cut_off():
    flat = dict.fromkeys(bowl(1), 1.0)
    scale = PanelScale(1.0, 3.0, False)
    bases, risen, above = (cells_of({**flat, (0.0, 0.0): value}, scale)[0][0] for value in (1.0, 2.0, 3.0))
    rises = [max(one[1] - base[1] for one, base in zip(cell, bases, strict=True)) for cell in (risen, above)]
    assert rises[1] == pytest.approx(2 * rises[0])
    assert cells_of({**flat, (0.0, 0.0): 99.0}, scale) == cells_of({**flat, (0.0, 0.0): 3.0}, scale)


def test_equal_factors_are_equal_steps_on_a_logarithmic_scale():
    flat = dict.fromkeys(bowl(1), 1.0)
    scale = PanelScale(1.0, 100.0, True)
    cells = [cells_of({**flat, (0.0, 0.0): value}, scale)[0][0] for value in (1.0, 10.0, 100.0)]
    rises = [max(one[1] - base[1] for one, base in zip(cell, cells[0], strict=True)) for cell in cells[1:]]
    assert rises[1] == pytest.approx(2 * rises[0])


def test_near_cells_are_drawn_over_far_ones():
    cells = cells_of(dict.fromkeys(bowl(3), 1.0), PanelScale(1.0, 2.0, False), 6)
    feet = [sum(y for _, y in corners) for corners, _ in cells]
    assert feet == sorted(feet, reverse=True)


def test_cells_without_a_value_are_left_out():
    grid = bowl(2)
    del grid[0.5, 0.5]
    assert len(cells_of(grid, PanelScale(1.0, 9.0, False), 20)) == 12


def test_the_drawing_holds_a_polygon_a_cell_and_no_style():
    drawing = relief_drawing(bowl(2), PanelScale(1.0, 9.0, True), LABELS, prefix="a")
    assert "style=" not in drawing.svg
    assert all(label in drawing.svg for label in LABELS)
    assert len(re.findall("<path", drawing.svg)) >= 16


def test_a_flat_surface_is_drawn():
    drawing = relief_drawing(dict.fromkeys(bowl(1), 1.0), PanelScale(1.0, 1.0, True), LABELS, prefix="a")
    assert len(re.findall("<path", drawing.svg)) >= 16
    assert "nan" not in drawing.svg.lower()
