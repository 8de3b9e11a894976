"""Squares of sea: whoever is within reach of a place stands in its square or in one of the eight around.

Rows of one height from pole to pole, each cut into as many columns as are wide enough at its edge nearest to a pole
and one row farther. Beside a pole a row has few columns, at the pole one. A square is kept under a hash; others may
share its place.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from geo.kernel import inner
from geo.sphere import EARTH_RADIUS_M

LEAST_SIDE_M = 500.0
"""Smaller squares would need a longer table of rows (40,000 here)."""
SPARE = 1.05
"""The angle whose sine is up to a half is at most so much longer than its sine."""


def columns_within(reach_m: float) -> NDArray[np.int32]:
    """Columns of each row, from the south to the north, for this reach.

    >>> columns_within(100_000.0)[[0, 1, 100]].tolist()
    [1, 1, 381]
    """
    side_rad = max(reach_m, LEAST_SIDE_M) / EARTH_RADIUS_M
    rows = int(math.pi / side_rad)
    edge = np.linspace(-0.5 * math.pi, 0.5 * math.pi, rows + 1)
    farthest = np.maximum(np.abs(edge[:-1]), np.abs(edge[1:])) + math.pi / rows
    sine = side_rad / np.maximum(np.cos(np.minimum(farthest, 0.5 * math.pi)), 1e-12)
    return np.where(sine < 0.5, np.maximum(1.0, 2.0 * math.pi / (SPARE * sine)), 1.0).astype(np.int32)


@inner
def row_of(columns, lat):
    """The row of a latitude."""
    return min(columns.size - 1, np.int64((lat + 90.0) * (columns.size / 180.0)))


@inner
def column_of(columns, row, lon):
    """The column of a longitude (-180 to 180) in a row."""
    n = np.int64(columns[row])
    return min(n - 1, np.int64((lon + 180.0) * (n / 360.0)))


@inner
def place_of(row, column, places):
    """Where a square stands in a table of so many places, a power of two."""
    number = np.uint64(row << 32 | column)
    return np.int64((number * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)) & (places - 1)


@inner
def asides(columns, row):
    """From which column to which beside one's own a row has neighbours, the last left out."""
    n = columns[row]
    return -1 if n > 2 else 0, 2 if n > 1 else 1
