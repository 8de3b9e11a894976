"""What can be heard where: messages and vessel-hours per H3 cell, from the traffic itself.

For each cell of the resolutions 5 (edge 8.5 km to 10 km) up to 1 (400 km) and each class of transponder (class B sends
with 2 W where class A has 12.5, and is heard less) a row holds the messages heard in it and the time that vessels
spent there, heard or not: the time between two fixes of a ship is laid along its way. A message counts when the last
one that counted is `DEAD_S` old: stations that hand on every message and providers that thin then say the same, and
the pass of a satellite counts once or twice. All sums are integers: they do not depend on their order.

The rate of a cell is the mean of a Gamma distribution whose prior is the rate of the next coarser cell: a cell where
nobody was yet has that of its parent, a cell where many were has its own. After Welch et al. 2022 (messages per
vessel-hour from interpolated positions, smoothed); here per cell and as the feed goes.

Memory: 32 bytes a row, at most three of four rows in use: 43 bytes for each cell and class that traffic was in and for
each of its parents, rounded up to a power of two, at most 268 MB (2.4 million cells of the resolutions 1 to 5 on
Earth, two classes). Where the number of vessels is bounded, 128 bytes for each of them: three cells. Beyond these a
cell is not learnt, and has the rate of its parent.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.cells import INDEX_RESOLUTION, cell_at, parent_of
from geo.kernel import inlined, inner, kernel
from geo.sphere import distance_m, interpolate

FINEST, COARSEST = 5, 1
"""Resolutions of the cells that have a row. Beyond 400 km reception tells nothing of here."""
DEAD_S = 600
"""A message counts when the last one of the ship that counted is this old: 6 an hour at most."""
PATH_STEP_M = 16_000.0
"""Spacing of the points at which a way is looked up: less than the width of a cell of the finest resolution."""
USED_OF_4 = 3
"""Of four rows of the table so many may be in use: a cell is found in two looks, and one that is not there in eight."""
MAX_PATH_POINTS = 64
"""Of one way, or of two hours of one: 1,000 km."""
ROOM = (MAX_PATH_POINTS + 4) * 2 * (FINEST - COARSEST + 1)
"""Rows that one fix can add to the table: its way, and its silence."""
MOST_SILENT_US = 2 * 3_600_000_000
"""Time that one silence lays at one point of its way: a ship that crosses a cell at 5 kn is in it for two hours."""
HOUR_US = 3_600_000_000

BANDS, BAND_FINER = 6, 4
"""Bands of rates, of one message an hour each; the resolution from which on class B's own cells speak."""
WEAK, BAND_MESSAGES = 0.4, 20.0
"""Rate of class B against class A before anything is known (2 W against 12.5 W: a range of 0.4), and its weight in
messages."""

CLASS_BIT = np.uint64(1 << 63)
"""Set in the key of a cell's row for class B; no H3 index uses it."""
_AREA_SHIFT = np.uint64(45 - 3 * FINEST)
_AREA_BITS = np.uint64((1 << (7 + 3 * FINEST)) - 1)
_AREA_HEAD = np.uint64(1 << 59 | FINEST << 52 | (1 << (45 - 3 * FINEST)) - 1)
"""Of an H3 index of the finest resolution only the base cell and its digits differ: 22 bits."""

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


class Trust(NamedTuple):
    """When a cell counts as known, and what its parent's rate is worth, for the kernels."""

    min_exposure_us: int
    min_visits: int
    prior_messages: float
    """Weight of the parent's rate, in messages."""
    most_cells: int = 1 << 62
    """Rows that the table may have in use; what would need more is not learnt, but counted."""


class Reception(NamedTuple):
    """All arrays of the model of reception, for the kernels."""

    table: NDArray[np.void]
    """CELL: rates."""
    near: NDArray[np.void]
    """Who was heard around, and when: see `detectors.neighbours`."""
    blocks: NDArray[np.uint8]
    used: NDArray[np.int64]
    """Rows in use of `table` and `near`, and times that a cell found no room in `table`."""
    bands: NDArray[np.int64]
    """Messages and time in ms of class B in cells of class A's bands of rates, (BANDS, 2)."""
    sums: NDArray[np.int64]
    """Promised against heard, (2, BANDS, FINEST + 1, 4): see `detectors.silence`."""
    totals: NDArray[np.int64]
    """Vessel time in ms by class, (2, 1)."""


@inner
def cell_place(table, cell):
    """The row of a cell in a table: its own, or the free one where it belongs."""
    mask = table.size - 1
    at = np.int64((cell * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)) & mask
    while table[at].cell != np.uint64(0) and table[at].cell != cell:
        at = (at + 1) & mask
    return at


@inner
def keyed(cell, resolution, class_b):
    """The key of the row for the cell of a resolution that holds `cell`, and a class of transponder."""
    coarse = parent_of(cell, resolution)
    return coarse | CLASS_BIT if class_b else coarse


@inlined
def area_of(cell):
    """The cell of the finest resolution that holds a cell, in four bytes."""
    return np.uint32((cell >> _AREA_SHIFT) & _AREA_BITS)


@inlined
def cell_of(area):
    """The cell of the finest resolution."""
    return np.uint64(area) << _AREA_SHIFT | _AREA_HEAD


@kernel
def rebuild_cells(old, new):
    """Enter all cells of one table into an empty, larger one."""
    for at in range(old.size):
        if old[at].cell != np.uint64(0):
            row = new[cell_place(new, old[at].cell)]
            row.cell, row.messages, row.exposure_us = old[at].cell, old[at].messages, old[at].exposure_us
            row.last_slot, row.visits = old[at].last_slot, old[at].visits


@kernel
def renumber_cells(table, place):
    """Hulls have taken other slots (`ais.hulls.new_places`): none was last where one was that has gone."""
    for at in range(table.size):
        if table[at].cell != np.uint64(0) and table[at].last_slot >= 0:
            table[at].last_slot = place[table[at].last_slot]


@inner
def add_cell(r, trust, slot, cell, class_b, messages, exposure_us):
    """Add messages and time of a hull to a cell and its parents."""
    for resolution in range(COARSEST, FINEST + 1):
        key = keyed(cell, resolution, class_b)
        row = r.table[cell_place(r.table, key)]
        if row.cell == np.uint64(0):
            if r.used[0] >= trust.most_cells:
                r.used[2] += 1
                continue
            row.cell = key
            row.last_slot = -1
            r.used[0] += 1
        if slot >= 0 and row.last_slot != slot:
            row.last_slot = slot
            row.visits += 1
        row.messages += messages
        row.exposure_us += exposure_us
    if class_b:
        rate, known = chain(r.table, cell, 0, trust, COARSEST, 0.0)
        if known > 0:
            band = r.bands[min(BANDS - 1, np.int64(rate))]
            band[0] += messages
            band[1] += exposure_us // 1000


@inner
def path_points(distance):
    """At how many points a way of this length is looked up."""
    return max(1, min(MAX_PATH_POINTS, math.ceil(distance / PATH_STEP_M)))


@inner
def add_way(r, trust, slot, class_b, lat0, lon0, cell0, lat1, lon1, cell1, time_us):
    """Lay the time between two fixes along the way between them: cells without a message."""
    n = path_points(distance_m(lat0, lon0, lat1, lon1))
    if n == 1:
        add_cell(r, trust, slot, cell0, class_b, 0, time_us // 2)
        add_cell(r, trust, slot, cell1, class_b, 0, time_us - time_us // 2)
        return
    for k in range(n + 1):
        share = time_us * (k + 1) // (n + 1) - time_us * k // (n + 1)
        cell = cell0 if k == 0 else cell1
        if 0 < k < n:
            lat, lon = interpolate(lat0, lon0, lat1, lon1, (k + 0.5) / (n + 1))
            cell = cell_at(lat, lon, INDEX_RESOLUTION)
        add_cell(r, trust, slot, cell, class_b, 0, share)


@inner
def add_silence(r, trust, slot, class_b, lat0, lon0, lat1, lon1, time_us, sign):
    """Lay a gap along its way, as if the ship had crossed: at most `MOST_SILENT_US` for each point.

    Dark or not, it counts: where all ships are silent it is the receivers. A ship that waited there in the dark
    must not outweigh those that came by, hence the limit. With `sign` -1 it is taken out again.
    """
    n = path_points(distance_m(lat0, lon0, lat1, lon1))
    share = min(time_us // n, MOST_SILENT_US)
    for k in range(n):
        lat, lon = interpolate(lat0, lon0, lat1, lon1, (k + 0.5) / n)
        add_cell(r, trust, slot, cell_at(lat, lon, INDEX_RESOLUTION), class_b, 0, sign * share)


@inner
def chain(table, cell, class_b, trust, coarsest, rate):
    """From a prior rate (0 none) down to the finest cell: (messages an hour, finest resolution known or 0)."""
    known = 0
    for resolution in range(coarsest, FINEST + 1):
        row = table[cell_place(table, keyed(cell, resolution, class_b))]
        if row.cell != np.uint64(0) and row.visits >= trust.min_visits and row.exposure_us >= trust.min_exposure_us:
            known = resolution
        hours = row.exposure_us / 3.6e9
        if rate > 0.0:
            rate = (row.messages + trust.prior_messages) / (hours + trust.prior_messages / rate)
        elif known > 0:
            rate = (row.messages + 0.5) / (hours + 1.0)
    return rate, known


@inner
def rate_at(r, cell, class_b, trust):
    """Messages an hour that a ship in a cell is heard with: (rate, finest resolution that is known or 0).

    A cell is known when vessels spent at least `min_exposure_us` in it and hulls came and went at least `min_visits`
    times: what one ship alone was heard with, as it lay there, says nothing of its own silence. Class B ships are few,
    and near harbours: at sea their rate is that of class B in all cells where class A is heard as often as here.
    """
    rate, known = chain(r.table, cell, class_b, trust, COARSEST, 0.0)
    if not class_b or known == 0:
        return rate, known
    strong, there = chain(r.table, cell, 0, trust, COARSEST, 0.0)
    if there == 0:
        return rate, known
    k = min(BANDS - 1, np.int64(strong))
    weak = WEAK * (k + 0.5)
    band = (r.bands[k, 0] + BAND_MESSAGES) / (r.bands[k, 1] / 3.6e6 + BAND_MESSAGES / weak)
    rate, near = chain(r.table, cell, 1, trust, BAND_FINER, band)
    return rate, max(near, min(known, there, BAND_FINER - 1))
