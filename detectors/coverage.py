"""What can be heard where: messages and vessel-hours per H3 cell, from the traffic itself.

For each cell (resolution 5, edge 8.5 km to 10 km) and class of transponder (class B sends with 2 W where class A has
12.5, and is heard less) the table holds the fixes heard in it and the time that vessels spent
there, heard or not: the time between two fixes of a ship, when it is not itself a gap, is laid along its way. So a cell
that ships cross without being heard has time and no messages. Both are integers: sums do not depend on their order.
After Welch et al. 2022 (messages per vessel-hour from interpolated positions); here per cell, and as the feed goes.
"""

from __future__ import annotations

import math

import numpy as np

from geo.cells import INDEX_RESOLUTION, cell_at, parent_of
from geo.kernel import inner, kernel
from geo.sphere import distance_m, interpolate

COVERAGE_RESOLUTION = 5
PATH_STEP_M = 8_000.0
"""Spacing of the points at which a way is looked up: less than a cell's width of about 17 km."""
MAX_PATH_POINTS = 64

CLASS_BIT = np.uint64(1 << 63)
"""Set in the key of a cell's row for class B; no H3 index uses it."""

CELL = np.dtype(
    [
        ("cell", "u8"),
        ("messages", "i8"),
        ("exposure_us", "i8"),
        ("last_slot", "i4"),  # hull that was here last
        ("visits", "i4"),  # how often another hull came than the one before
    ],
    align=True,
)


@inner
def cell_place(table, cell):
    """The row of a cell in the table: its own, or the free one where it belongs."""
    mask = table.size - 1
    at = np.int64((cell * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)) & mask
    while table[at].cell != np.uint64(0) and table[at].cell != cell:
        at = (at + 1) & mask
    return at


@inner
def coverage_cell(cell, class_b):
    """The key of the row for a cell of the index resolution and a class of transponder."""
    coarse = parent_of(cell, COVERAGE_RESOLUTION)
    return coarse | CLASS_BIT if class_b else coarse


@kernel
def rebuild_cells(old, new):
    """Enter all cells of one table into an empty, larger one."""
    for at in range(old.size):
        if old[at].cell != np.uint64(0):
            row = new[cell_place(new, old[at].cell)]
            row.cell, row.messages, row.exposure_us = old[at].cell, old[at].messages, old[at].exposure_us
            row.last_slot, row.visits = old[at].last_slot, old[at].visits


@inner
def add_cell(table, used, slot, cell, messages, exposure_us):
    """Add messages and time of a hull to a cell."""
    row = table[cell_place(table, cell)]
    if row.cell == np.uint64(0):
        row.cell = cell
        row.last_slot = -1
        used[0] += 1
    if row.last_slot != slot:
        row.last_slot = slot
        row.visits += 1
    row.messages += messages
    row.exposure_us += exposure_us


@inner
def path_points(distance):
    """At how many points a way of this length is looked up."""
    return max(1, min(MAX_PATH_POINTS, math.ceil(distance / PATH_STEP_M)))


@inner
def add_way(table, used, slot, class_b, lat0, lon0, cell0, lat1, lon1, cell1, dt_us):
    """Lay the time between two fixes along the way between them; the message is heard at its end."""
    coarse0, coarse1 = coverage_cell(cell0, class_b), coverage_cell(cell1, class_b)
    add_cell(table, used, slot, coarse1, 1, 0)
    if coarse0 == coarse1:
        add_cell(table, used, slot, coarse1, 0, dt_us)
        return
    n = path_points(distance_m(lat0, lon0, lat1, lon1)) + 1
    for k in range(n):
        lat, lon = interpolate(lat0, lon0, lat1, lon1, (k + 0.5) / n)
        share = dt_us * (k + 1) // n - dt_us * k // n
        add_cell(table, used, slot, coverage_cell(cell_at(lat, lon, INDEX_RESOLUTION), class_b), 0, share)


@inner
def expected_messages(table, min_exposure_us, min_visits, class_b, lat0, lon0, lat1, lon1, alive_us):
    """Messages that a ship on this way should have been heard with: (number, share of the way in known cells).

    Only the time counts for which the feed itself was heard. A cell is known when vessels spent at least
    `min_exposure_us` in it and hulls came and went at least `min_visits` times: what one ship alone was heard with, as
    it lay there, says nothing of its own silence. Half a message is added to what was heard, and an hour to the time (a
    weak Gamma prior), so that one message in a rarely visited cell does not make a rate.
    """
    n = path_points(distance_m(lat0, lon0, lat1, lon1))
    expected, known = 0.0, 0
    hours = alive_us / 3.6e9 / n
    for k in range(n):
        lat, lon = interpolate(lat0, lon0, lat1, lon1, (k + 0.5) / n)
        row = table[cell_place(table, coverage_cell(cell_at(lat, lon, INDEX_RESOLUTION), class_b))]
        if row.exposure_us >= min_exposure_us and row.visits >= min_visits:
            known += 1
            expected += hours * (row.messages + 0.5) / (row.exposure_us / 3.6e9 + 1.0)
    return expected, known / n
