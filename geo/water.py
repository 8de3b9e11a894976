"""Water: a grid of sea cells, and distances over water between them.

Distances run along 32 directions and not over land (islands and capes a few kilometres wide may be cut: they are below
the accuracy of the shore table). In open water they are 0.4 % too long on average (measured), at most 1.3 % near the
middle latitude of a window, where cells are square, and 2.1 % far north or south of it. Rivers and canals are land:
Suez and Panama are closed.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.coast import shore_distance_at, shore_distance_m, shore_table
from geo.kernel import inner, kernel
from geo.sphere import EARTH_RADIUS_M, NMI_M, distance_m, wrap_deg

SNAP_M = 30_000.0
"""A position on land is moved to the nearest sea cell within this distance."""
GATE_SNAP_M = 20_000.0
"""The ends of a gate are tied to the nearest sea cell within this distance."""
SHORE_TOLERANCE_M = -500.0
"""Water reaches up to here. The shore table is wrong by 0.3 km near the shore (median): at 0 Nampo is shut off from the
sea, at -1,000 twice as many steps cut capes and islands (46 against 21 of 57,000 around Korea go more than 3 km deep
into Natural Earth's land; none goes 5 km at either)."""
_PUDDLE_CELLS = 20  # open cells that hang together in fewer than this are artefacts of the grid


def _directions() -> NDArray[np.int64]:
    """32 steps (rows, columns) to all cells in sight within three: 16 forward ones, then the same backward."""
    forward = [(1, 0), (0, 1)]
    forward += [(a * s, b) for a, b in ((1, 1), (2, 1), (1, 2), (3, 1), (1, 3), (3, 2), (2, 3)) for s in (1, -1)]
    return np.array(forward + [(-r, -c) for r, c in forward])


STEPS = _directions()

GATES: tuple[tuple[str, tuple[tuple[float, float], ...]], ...] = (
    ("Kanmon", ((34.01, 130.82), (33.925, 130.905), (33.962, 130.962), (33.93, 131.10))),
    ("Kurushima", ((34.08, 132.80), (34.118, 132.985), (34.10, 133.15))),
    ("Bisan Seto", ((34.30, 133.55), (34.375, 133.80), (34.37, 134.05), (34.45, 134.30))),
    ("Akashi", ((34.58, 134.82), (34.617, 135.02), (34.57, 135.17))),
    ("Dardanelles", ((40.02, 26.10), (40.21, 26.40), (40.43, 26.75))),
    ("Bosporus", ((40.92, 28.92), (41.04, 29.02), (41.13, 29.07), (41.27, 29.14))),
)
"""Straits too narrow for the grid, as ways (latitude, longitude) from open water to open water."""


@kernel
def fill_shore(table, lat, lon, shore):
    """Distance to shore at the middle of each cell of a window."""
    for r in range(lat.size):
        for c in range(lon.size):
            shore[r, c] = shore_distance_at(table, lat[r], lon[c])


@kernel
def is_clear(table, lat1, lon1, lat2, lon2):
    """Whether the straight way between two positions stays on water.

    Looks at least every kilometre near the shore, and far from it as often as the distance to the shore asks for.
    """
    length_m = distance_m(lat1, lon1, lat2, lon2)
    run_m = 0.0
    while run_m < length_m:
        part = run_m / length_m
        shore_m = shore_distance_at(table, lat1 + part * (lat2 - lat1), lon1 + part * (lon2 - lon1))
        if shore_m < SHORE_TOLERANCE_M:
            return False
        run_m += max(1_000.0, 0.8 * shore_m)
    return shore_distance_at(table, lat2, lon2) >= SHORE_TOLERANCE_M


@kernel
def fill_ways(table, lat, lon, shore, ways):
    """Set in `ways` (int64 bits, one a direction of `STEPS`) which neighbours a ship can reach from each cell."""
    half = STEPS.shape[0] // 2
    far_m = 5.0 * 111_200.0 * (lat[1] - lat[0])  # longer than any step: 3.6 cells, which are wider in the south
    for r in range(lat.size):
        for c in range(lon.size):
            if shore[r, c] < SHORE_TOLERANCE_M:
                continue
            for k in range(half):
                r2, c2 = r + STEPS[k, 0], c + STEPS[k, 1]
                if r2 < 0 or r2 >= lat.size or c2 >= lon.size or shore[r2, c2] < SHORE_TOLERANCE_M:
                    continue
                open_sea = max(shore[r, c], shore[r2, c2]) > far_m
                if open_sea or is_clear(table, lat[r], lon[c], lat[r2], lon[c2]):
                    ways[r, c] |= 1 << k
                    ways[r2, c2] |= 1 << (k + half)


@kernel
def remove_puddles(ways, sea, stack):
    """Mark in `sea` (bool) the cells of every connected water of at least `_PUDDLE_CELLS` cells.

    `stack` (int64, one place a cell) is scratch; in the end it is worthless.
    """
    rows, columns = ways.shape
    for start in range(rows * columns):
        if sea[start // columns, start % columns] or ways[start // columns, start % columns] == 0:
            continue
        stack[0] = start
        sea[start // columns, start % columns] = True
        filled, done = 1, 0
        while done < filled:
            r, c = stack[done] // columns, stack[done] % columns
            done += 1
            for k in range(STEPS.shape[0]):
                if ways[r, c] >> k & 1:
                    r2, c2 = r + STEPS[k, 0], c + STEPS[k, 1]
                    if not sea[r2, c2]:
                        sea[r2, c2] = True
                        stack[filled] = r2 * columns + c2
                        filled += 1
        if filled < _PUDDLE_CELLS:
            for k in range(filled):
                r, c = stack[k] // columns, stack[k] % columns
                ways[r, c] = 0
                sea[r, c] = False


@kernel
def nearest_sea(sea, lat, lon, lat_deg, lon_deg, within_m):
    """The sea cell nearest to a position: (row, column, metres); (-1, -1, NaN) when none is within `within_m`."""
    best_r, best_c, best_m = -1, -1, math.nan
    reach_deg = within_m / 111_000.0
    for r in range(lat.size):
        if abs(lat[r] - lat_deg) <= reach_deg:
            for c in range(lon.size):
                if sea[r, c] and abs(lon[c] - lon_deg) * math.cos(math.radians(lat[r])) <= 1.1 * reach_deg:
                    metres = distance_m(lat_deg, lon_deg, lat[r], lon[c])
                    if metres <= within_m and not metres >= best_m:
                        best_r, best_c, best_m = r, c, metres
    return best_r, best_c, best_m


@inner
def sift_up(heap, place, cost, k):
    """Move the entry at place k of the heap towards the top until its parent is not dearer."""
    cell = heap[k]
    while k > 0:
        parent = (k - 1) >> 1
        if cost[heap[parent]] <= cost[cell]:
            break
        heap[k] = heap[parent]
        place[heap[k]] = k
        k = parent
    heap[k] = cell
    place[cell] = k


@inner
def sift_down(heap, place, cost, size):
    """Move the entry at the top of the heap down until no child is cheaper."""
    cell, k = heap[0], 0
    while 2 * k + 1 < size:
        child = 2 * k + 1
        if child + 1 < size and cost[heap[child + 1]] < cost[heap[child]]:
            child += 1
        if cost[heap[child]] >= cost[cell]:
            break
        heap[k] = heap[child]
        place[heap[k]] = k
        k = child
    heap[k] = cell
    place[cell] = k


@inner
def offer_way(heap, place, cost, size, cell, length_nmi):
    """Lower the cost of a cell when this way is shorter; returns the size of the heap."""
    if not length_nmi < cost[cell]:
        return size
    cost[cell] = length_nmi
    if place[cell] < 0:
        heap[size] = cell
        place[cell] = size
        size += 1
    sift_up(heap, place, cost, place[cell])
    return size


@kernel
def spread(ways, step_nmi, gates, gate_nmi, cost, heap, place, limit_nmi):
    """Dijkstra: lower `cost` (nautical miles, flat) from the cells that have one to all within `limit_nmi`.

    `step_nmi` (rows, 32) is the length of each step; `heap` and `place` (int64, one a cell, place -1) are scratch.
    """
    columns = ways.shape[1]
    size = 0
    for cell in range(cost.size):
        if cost[cell] <= limit_nmi:
            heap[size] = cell
            sift_up(heap, place, cost, size)
            size += 1
    while size > 0:
        cell = heap[0]
        size -= 1
        place[cell] = -1
        if size > 0:
            heap[0] = heap[size]
            sift_down(heap, place, cost, size)
        r, c = cell // columns, cell % columns
        for k in range(STEPS.shape[0]):
            if ways[r, c] >> k & 1:
                length = cost[cell] + step_nmi[r, k]
                if length <= limit_nmi:
                    other = cell + STEPS[k, 0] * columns + STEPS[k, 1]
                    size = offer_way(heap, place, cost, size, other, length)
        for g in range(gates.shape[0]):
            if gates[g, 0] == cell and cost[cell] + gate_nmi[g] <= limit_nmi:
                size = offer_way(heap, place, cost, size, gates[g, 1], cost[cell] + gate_nmi[g])


Axis = NDArray[np.floating]


class SeaGrid(NamedTuple):
    """A window of sea cells: middles, which are water, the ways out of each, and the length of each step by row.

    `gates` (n, 2) are further ways, from one flat cell number to another, `gate_nmi` long.
    """

    lat: Axis
    lon: Axis
    """May run on beyond 180 degrees."""
    sea: NDArray[np.bool_]
    ways: NDArray[np.int64]
    step_nmi: NDArray[np.float64]
    gates: NDArray[np.int64]
    gate_nmi: NDArray[np.float64]


def unroll(lon_deg: float, near_deg: float) -> float:
    """The longitude, plus or minus whole turns, within half a turn of another.

    >>> unroll(-170.0, 175.0)
    190.0
    """
    return near_deg + float(wrap_deg(lon_deg - near_deg))


def sea_grid(lat_min: float, lat_max: float, lon_min: float, lon_max: float, resolution_deg: float) -> SeaGrid:
    """The sea cells of a window; cells are `resolution_deg` high and about as wide at its middle latitude.

    >>> grid = sea_grid(34.0, 36.0, 128.0, 130.0, 0.1)
    >>> grid.sea.shape, bool(grid.sea[0, -1]), bool(grid.sea[-1, 0])
    ((20, 17), True, False)
    """
    lat_min, lat_max = max(lat_min, -89.9), min(lat_max, 89.9)
    stretch = 1.0 / max(math.cos(math.radians((lat_min + lat_max) / 2.0)), 0.05)
    lat = lat_min + resolution_deg * (np.arange(max(2, math.ceil((lat_max - lat_min) / resolution_deg))) + 0.5)
    lon_step = resolution_deg * stretch
    lon = lon_min + lon_step * (np.arange(max(2, math.ceil((lon_max - lon_min) / lon_step))) + 0.5)
    shore = np.empty((lat.size, lon.size))
    fill_shore(shore_table(), lat, lon, shore)
    ways = np.zeros((lat.size, lon.size), np.int64)
    fill_ways(shore_table(), lat, lon, shore, ways)
    sea = np.zeros(ways.shape, np.bool_)
    remove_puddles(ways, sea, np.empty(ways.size, np.int64))
    north = STEPS[:, 0] * resolution_deg
    phi, phi2 = np.radians(lat)[:, None], np.radians(np.clip(lat[:, None] + north, -90.0, 90.0))
    half_chord = np.sin((phi2 - phi) / 2) ** 2 + np.cos(phi) * np.cos(phi2) * (
        np.sin(np.radians(STEPS[:, 1] * lon_step) / 2) ** 2
    )
    step_nmi = 2.0 * EARTH_RADIUS_M / NMI_M * np.arcsin(np.sqrt(half_chord))
    return SeaGrid(lat, lon, sea, ways, np.ascontiguousarray(step_nmi), *_gates(sea, lat, lon))


def _gates(sea: NDArray[np.bool_], lat: Axis, lon: Axis) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The gates of a window, each from both sides, and their lengths; a gate whose ends are not both on it is left."""
    pairs, lengths = [], []
    for _, way in GATES:
        way = tuple((point[0], unroll(point[1], 0.5 * (lon[0] + lon[-1]))) for point in way)
        (r1, c1, snap1), (r2, c2, snap2) = (
            nearest_sea(sea, lat, lon, *end, GATE_SNAP_M) if covers(lat, lon, *end) else (-1, -1, 0.0)
            for end in (way[0], way[-1])
        )
        if r1 >= 0 and r2 >= 0:
            legs = [distance_m(*a, *b) for a, b in pairwise(way)]
            pairs += [(r1 * lon.size + c1, r2 * lon.size + c2), (r2 * lon.size + c2, r1 * lon.size + c1)]
            lengths += [(snap1 + sum(legs) + snap2) / NMI_M] * 2
    return np.array(pairs, np.int64).reshape(-1, 2), np.array(lengths, np.float64)


def covers(lat: Axis, lon: Axis, lat_deg: float, lon_deg: float) -> bool:
    """Whether a position lies inside a window."""
    return bool(lat[0] <= lat_deg <= lat[-1] and lon[0] <= lon_deg <= lon[-1])


def cost_from(grid: SeaGrid, lat_deg: float, lon_deg: float, limit_nmi: float) -> tuple[NDArray[np.float64], float]:
    """Nautical miles over water from a position to each cell, infinite beyond the limit, and the metres of its snap.

    A position on water starts to all cells in sight within three steps, so that no part of a cell is lost; one on land
    starts from the nearest sea cell. Without sea within `SNAP_M` every cell is infinite and the snap is NaN.

    >>> grid = sea_grid(34.0, 36.0, 128.0, 130.0, 0.1)
    >>> cost, snap_m = cost_from(grid, 34.05, 129.9, 1_000.0)
    >>> round(float(cost[0, 0])), snap_m  # to the south-western corner of the window
    (91, 0.0)
    """
    lat_deg, lon_deg = float(lat_deg), float(lon_deg)  # kernels are compiled for float64 alone
    cost = np.full(grid.sea.shape, np.inf)
    step = grid.lat[1] - grid.lat[0], grid.lon[1] - grid.lon[0]
    row, column = (lat_deg - grid.lat[0]) / step[0], (lon_deg - grid.lon[0]) / step[1]
    snap_m = 0.0
    if shore_distance_m([lat_deg], [lon_deg])[0] >= SHORE_TOLERANCE_M:
        for r in range(max(0, math.floor(row) - 2), min(grid.lat.size, math.floor(row) + 4)):
            for c in range(max(0, math.floor(column) - 2), min(grid.lon.size, math.floor(column) + 4)):
                if grid.sea[r, c] and is_clear(shore_table(), lat_deg, lon_deg, grid.lat[r], grid.lon[c]):
                    cost[r, c] = distance_m(lat_deg, lon_deg, grid.lat[r], grid.lon[c]) / NMI_M
    if not np.isfinite(cost).any():
        r, c, snap_m = nearest_sea(grid.sea, grid.lat, grid.lon, lat_deg, lon_deg, SNAP_M)
        if r < 0:
            return cost, math.nan
        cost[r, c] = snap_m / NMI_M
    flat = cost.ravel()
    flat[flat > limit_nmi] = np.inf
    heap, place = np.empty(flat.size, np.int64), np.full(flat.size, -1, np.int64)
    spread(grid.ways, grid.step_nmi, grid.gates, grid.gate_nmi, flat, heap, place, limit_nmi)
    return cost, snap_m
