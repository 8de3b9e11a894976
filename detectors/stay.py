"""A hull as the model of reception knows it (`LAST`): its last fix, and the stay in a cell that no table holds yet."""

from __future__ import annotations

import numpy as np

from detectors.coverage import DEAD_S, add_cell, add_way, area_of, cell_of, rate_at
from detectors.neighbours import BLOCK_US, add_hull
from detectors.silence import EXPOSURE_MS, WINDOW_US, tell
from geo.cells import INDEX_RESOLUTION, cell_and_room
from geo.kernel import inlined, inner
from geo.steps import deg_of

DEAD_US = DEAD_S * 1_000_000
MOST_HEARD = 255
PARTS = 10_000
MOST_ROOM = 65_535
"""Decimetres: more than a cell of the index resolution is wide."""
LAST = np.dtype(
    [
        ("t", "i8"),
        ("evidence", "i8"),
        ("lat", "i4"),
        ("lon", "i4"),
        ("area", "u4"),  # its cell of the finest resolution
        ("alive_s", "u4"),  # for how long the feed had been heard by then
        ("since_us2", "u4"),  # see `since`: pairs of µs of its block of time
        ("wait_us", "i4"),  # from its last message on, until one counts again
        ("window_s", "f4"),  # of the time over which it is set against what was promised
        ("expected", "f4"),  # messages promised in the window
        ("n", "i4"),
        ("room", "u2"),  # decimetres that it may go and is still in that cell
        ("resolution", "u2"),  # mean of the finest known resolution over the window, in parts of `PARTS`
        ("sog", "u2"),
        ("cog", "u2"),
        ("heard", "u1"),  # messages that count and are not yet in the table
        ("window_heard", "u1"),  # messages of the window
        ("class_b", "u1"),
    ],
    align=True,
)
"""What is kept of each hull: its last fix, and what of it is not yet in the tables; see `detectors.compact`."""


@inner
def count(r, last, slot, cell, us, heard, trust):
    """A stay in a cell: into the window of the ship, then into the table, so that nothing is promised by itself."""
    if us <= 0 and heard == 0:
        return
    rate, resolution = rate_at(r, cell, last.class_b, trust)
    add_cell(r, trust, slot, cell, last.class_b, heard, us)
    r.totals[np.int64(last.class_b), EXPOSURE_MS] += us // 1000
    if resolution == 0:
        return
    promise(last, rate, resolution, us)
    last.window_heard = min(MOST_HEARD, last.window_heard + heard)
    if last.window_s >= WINDOW_US * 1e-6:
        resolution = np.int64(last.resolution / PARTS + 0.5)
        hours = last.window_s / 3600.0
        tell(r, last.class_b, resolution, hours, last.window_heard, np.float64(last.expected), 1.0)
        end_window(last)


@inner
def promise(last, rate, resolution, us):
    """Time at a known rate into the window."""
    if us <= 0:
        return
    last.window_s += us * 1e-6
    last.expected += rate * (us / 3.6e9)
    before = np.float64(last.resolution)
    last.resolution = np.int64(before + (PARTS * resolution - before) * (us * 1e-6 / last.window_s) + 0.5)


@inner
def end_window(last):
    """Begin to count anew."""
    last.window_s, last.window_heard, last.expected, last.resolution = 0.0, 0, 0.0, 0


@inlined
def block_end(t):
    """Until when a message at `t` counts as heard around (`detectors.neighbours`)."""
    return (t // BLOCK_US + 1) * BLOCK_US


@inlined
def since(last):
    """Up to when the time of a hull in its area is in the table, to 2 µs: in the same block as its last fix."""
    return last.t // BLOCK_US * BLOCK_US + 2 * np.int64(last.since_us2)


@inner
def look(last, lat, lon):
    """The cell of a position; notes how far the hull may go from there and is still in it."""
    cell, room_m = cell_and_room(deg_of(lat), deg_of(lon), INDEX_RESOLUTION)
    last.room = min(MOST_ROOM, np.int64(10.0 * max(0.0, room_m)))
    return cell


@inner
def move(r, last, slot, t, lat, lon, heard, trust):
    """The ship may be in another cell, or is in another block of time."""
    cell = look(last, lat, lon)
    area, area0 = area_of(cell), last.area
    if area == area0 and t < block_end(last.t):
        last.heard += heard
        return
    cell, cell0 = cell_of(area), cell_of(area0)
    if area == area0:
        count(r, last, slot, cell, t - since(last), last.heard + heard, trust)
        last.heard = 0
    else:
        count(r, last, slot, cell0, last.t - since(last), last.heard, trust)
        way_us = t - last.t
        rate, resolution = rate_at(r, cell, last.class_b, trust)
        if resolution > 0:
            promise(last, rate, resolution, way_us)
        r.totals[np.int64(last.class_b), EXPOSURE_MS] += way_us // 1000
        lat0, lon0 = deg_of(last.lat), deg_of(last.lon)
        add_way(r, trust, slot, last.class_b, lat0, lon0, cell0, deg_of(lat), deg_of(lon), cell, way_us)
        last.heard = heard
    last.since_us2, last.area = t % BLOCK_US // 2, area
    add_hull(r, cell, t // BLOCK_US, cell0, last.t // BLOCK_US)


@inner
def appear(r, last, t, lat, lon, class_b, heard):
    """The ship is heard for the first time, or again after a gap."""
    end_window(last)
    last.since_us2, last.wait_us, last.heard, last.class_b = t % BLOCK_US // 2, DEAD_US, heard, class_b
    cell = look(last, lat, lon)
    last.area = area_of(cell)
    add_hull(r, cell, t // BLOCK_US, np.uint64(0), -1)
