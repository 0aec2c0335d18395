"""Between the measured points of a surface nothing is invented: it passes through them and overshoots none."""

import math

import numpy as np
import pytest

from reports.figures.scale import PanelScale
from reports.figures.surface import surface_of

LINEAR = PanelScale(0.0, 8.0, False)


def grid_of(function, side=2):
    places = [at / side for at in range(-side, side + 1)]
    return {(x, y): function(x, y) for y in places for x in places}


def test_measured_points_keep_their_values():
    grid = grid_of(lambda x, y: 2 + 3 * x * x + y)
    surface = surface_of(grid, LINEAR, 40)
    for (x, y), value in grid.items():
        row, column = surface.rows.index(y), surface.columns.index(x)
        assert 8 * surface.heights[row, column] == pytest.approx(value)


def test_between_two_points_lies_nothing_beyond_them():
    cliff = grid_of(lambda x, y: 8.0 if x > 0 else 1.0)
    heights = surface_of(cliff, PanelScale(0.0, 10.0, False), 40).heights
    assert heights.min() == pytest.approx(0.1)
    assert heights.max() == pytest.approx(0.8)
    assert (np.diff(heights, axis=1) >= -1e-12).all()


def test_on_a_logarithmic_scale_powers_are_even_steps():
    surface = surface_of(grid_of(lambda x, y: 10.0 ** (2 * x)), PanelScale(0.01, 100.0, True), 8)
    assert surface.heights[0] == pytest.approx(np.linspace(0, 1, 9))


def test_heights_end_with_the_scale_where_the_values_do_not():
    surface = surface_of(grid_of(lambda x, y: 1e9 if x == y == 0 else 1.0), LINEAR, 4)
    assert surface.heights[2, 2] == 1.0
    assert surface.heights[0, 0] == 1 / 8


def test_a_grid_with_a_gap_is_not_interpolated():
    grid = grid_of(lambda x, y: 1.0)
    del grid[0.5, 0.5]
    surface = surface_of(grid, LINEAR, 40)
    assert surface.columns == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert [tuple(place) for place in np.argwhere(np.isnan(surface.heights))] == [(3, 3)]


def test_a_finer_grid_with_a_gap_is_thinned_out_and_keeps_its_ends():
    grid = grid_of(lambda x, y: 1.0, 25)
    del grid[-1.0, -1.0]
    surface = surface_of(grid, LINEAR, 20)
    assert len(surface.columns) == len(surface.rows) == 21
    assert (surface.columns[0], surface.columns[-1]) == (-1.0, 1.0)
    assert math.isnan(surface.heights[0, 0])
