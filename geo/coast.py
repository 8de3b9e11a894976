"""Coast: what is sea, how far it is to the shore, and whether a way stays on the sea.

The source is GLOBE (30 arc-seconds, 0.9 km) as packed by global-land-mask. Sea or land is exactly as in that mask, at
every position. Lakes, rivers, canals and the Caspian Sea are land in it, and so is a harbour smaller than about 1 km.

Three levels (`geo.shore_grid` makes them of `tables/shore.npz`, once): tiles of half a degree, most of which are all
sea or all land; in the others cells of 0.05 degrees, 6 x 6 cells of the mask; and for the cells near a shore the mask's
36 bits, and for each of the 36 where the nearest shore point lies. Far from the shore the distance is read between the
nodes of a grid of 0.05 degrees.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.errors import UsageError
from geo.instructions import prefetch
from geo.kernel import inlined, kernel
from geo.sphere import EARTH_RADIUS_M

MASK_PER_DEG = 120
"""Cells of the mask along a degree."""
SATURATION_M = 500_000.0
"""Distances are known up to here, at sea and on land; beyond, this value itself is given."""
ALL_SEA, ALL_LAND = -1, -2
"""In place of the number of a block: a tile or a cell without a shore."""
UNKNOWN_WAY = -128
"""In place of the way to a shore point that is too far to be told: near the poles."""
SAMPLE_M = 100.0
"""Near the shore a way is looked at this often; what it crosses of a mask cell's corner may be up to that long."""

_MASK_ROWS, _MASK_COLUMNS = 180 * MASK_PER_DEG, 360 * MASK_PER_DEG
_AHEAD = 12
_HALF_CELL_M = EARTH_RADIUS_M * math.pi / 180.0 / (2 * MASK_PER_DEG)
_EDGE_M = 1_000.0  # the middle of an edge of the mask is at most 464 m from its ends; with a margin
_FAR_ERROR_M = 9_000.0  # the largest error of the nodes 50 km and more from shore (8.5 km), see shore_distance_m
_MID_ERROR_M = 3_000.0  # the same for less than 50 km (2.5 km)


class ShoreTable(NamedTuple):
    """The levels as kernels take them; rows run from north to south, columns from 180 W to the east."""

    tiles: NDArray[np.int32]
    """(360 * 720 * 2): number of a tile's block of cells, and of its block of nodes; or ALL_SEA, ALL_LAND."""
    cells: NDArray[np.int32]
    """(blocks * 100): number of a cell near the shore; or ALL_SEA, ALL_LAND."""
    bits: NDArray[np.uint64]
    """(n,): which of a cell's 36 mask cells are sea, bit 6 row + column."""
    toward: NDArray[np.int8]
    """(n * 36 * 2): from the middle of a mask cell to the nearest shore point, rows and columns in halves of a cell."""
    nodes: NDArray[np.uint8]
    """(blocks * 144): codes of 12 x 12 nodes, those of the tile and one around."""
    metres: NDArray[np.float32]
    """(256,): distance of a code."""


@inlined
def mask_row(lat_deg):
    """The row of the mask that holds a latitude."""
    return min(int((90.0 - lat_deg) * MASK_PER_DEG), _MASK_ROWS - 1)


@inlined
def mask_column(lon_deg):
    """The column of the mask that holds a longitude, which may run on beyond 180 degrees."""
    column = int(math.floor((lon_deg + 180.0) * MASK_PER_DEG))
    if column < 0 or column >= _MASK_COLUMNS:
        column %= _MASK_COLUMNS
    return column


@inlined
def is_sea_at(table, lat_deg, lon_deg):
    """Whether a position is sea in the mask; false where it is none."""
    if not (-90.0 <= lat_deg <= 90.0 and math.isfinite(lon_deg)):
        return False
    row, column = mask_row(lat_deg), mask_column(lon_deg)
    number = table.tiles[2 * (row // 60 * 720 + column // 60)]
    if number >= 0:
        number = table.cells[100 * number + row // 6 % 10 * 10 + column // 6 % 10]
        if number >= 0:
            return (table.bits[number] >> np.uint64(row % 6 * 6 + column % 6)) & np.uint64(1) != 0
    return number == ALL_SEA


@inlined
def _between_nodes(table, number, lat_deg, lon_deg, row, column):
    """Distance between the four nodes of a block around a position."""
    y = (90.0 - lat_deg) * 20.0 - row // 60 * 10 + 0.5  # nodes are the middles of cells; the block begins one before
    x = (lon_deg + 180.0) * 20.0
    x = x - math.floor((x - column // 60 * 10) / 7200.0 + 0.5) * 7200.0 - column // 60 * 10 + 0.5
    r, c = int(y), int(x)
    fy, fx = y - r, x - c
    k = 144 * number + 12 * r + c
    nodes = table.nodes
    north = table.metres[nodes[k]] * (1.0 - fx) + table.metres[nodes[k + 1]] * fx
    south = table.metres[nodes[k + 12]] * (1.0 - fx) + table.metres[nodes[k + 13]] * fx
    return north * (1.0 - fy) + south * fy


@inlined
def shore_distance_at(table, lat_deg, lon_deg):
    """Metres to the shore, positive at sea and negative on land; NaN where the position is none."""
    if not (-90.0 <= lat_deg <= 90.0 and math.isfinite(lon_deg)):
        return math.nan
    row, column = mask_row(lat_deg), mask_column(lon_deg)
    tile = 2 * (row // 60 * 720 + column // 60)
    number = table.tiles[tile]
    if number >= 0:
        number = table.cells[100 * number + row // 6 % 10 * 10 + column // 6 % 10]
        if number >= 0:
            k = row % 6 * 6 + column % 6
            sign = 1.0 if (table.bits[number] >> np.uint64(k)) & np.uint64(1) != 0 else -1.0
            way = 2 * (36 * number + k)
            down, right = int(table.toward[way]), int(table.toward[way + 1])
            if down != UNKNOWN_WAY:
                y = (90.0 - lat_deg) * (2 * MASK_PER_DEG) - (2 * row + 1 + down)
                x = (lon_deg + 180.0) * (2 * MASK_PER_DEG)
                x = x - math.floor(x / (2 * _MASK_COLUMNS)) * (2 * _MASK_COLUMNS) - (2 * column + 1 + right)
                x *= math.cos(math.radians(lat_deg + y / (4 * MASK_PER_DEG)))  # at the latitude between the two
                return sign * _HALF_CELL_M * math.sqrt(x * x + y * y)
    block = table.tiles[tile + 1]
    if block < 0:
        return SATURATION_M if block == ALL_SEA else -SATURATION_M
    return _between_nodes(table, block, lat_deg, lon_deg, row, column)


@kernel
def stays_at_sea(table, lat1_deg, lon1_deg, lat2_deg, lon2_deg):
    """Whether the great circle between two positions stays on the mask's sea, ends included.

    Far from the shore it goes on by steps that cannot reach it, near it by `SAMPLE_M`: of the corner of a mask cell it
    may cut that much unseen. Positions that are none are not at sea; antipodes have no single way: not at sea.
    """
    if not (is_sea_at(table, lat1_deg, lon1_deg) and is_sea_at(table, lat2_deg, lon2_deg)):
        return False
    lat1, lon1, lat2, lon2 = (
        math.radians(lat1_deg),
        math.radians(lon1_deg),
        math.radians(lat2_deg),
        math.radians(lon2_deg),
    )
    x1, y1, z1 = math.cos(lat1) * math.cos(lon1), math.cos(lat1) * math.sin(lon1), math.sin(lat1)
    dx = math.cos(lat2) * math.cos(lon2) - x1
    dy = math.cos(lat2) * math.sin(lon2) - y1
    dz = math.sin(lat2) - z1
    chord = math.sqrt(dx * dx + dy * dy + dz * dz)
    if chord > 1.999:
        return False
    slowest = math.sqrt(1.0 - 0.25 * chord * chord) / (EARTH_RADIUS_M * max(chord, 1e-12))  # of the chord a metre
    part = 0.0
    while part < 1.0:
        x, y, z = x1 + part * dx, y1 + part * dy, z1 + part * dz
        lat_deg, lon_deg = math.degrees(math.atan2(z, math.sqrt(x * x + y * y))), math.degrees(math.atan2(y, x))
        shore_m = shore_distance_at(table, lat_deg, lon_deg)
        if shore_m < 20_000.0 and not is_sea_at(table, lat_deg, lon_deg):
            return False
        free_m = shore_m - (_EDGE_M if shore_m < 5_000.0 else _MID_ERROR_M if shore_m < 50_000.0 else _FAR_ERROR_M)
        part += max(SAMPLE_M, free_m) * slowest
    return True


@inlined
def _bring_near(table, lat_deg, lon_deg):
    """Ask for the memory of a position that will be looked up some 100 ns later."""
    if -90.0 <= lat_deg <= 90.0 and -180.0 <= lon_deg < 180.0:
        row, column = mask_row(lat_deg), mask_column(lon_deg)
        tile = 2 * (row // 60 * 720 + column // 60)
        if table.tiles[tile] >= 0:
            prefetch(table.cells, 100 * table.tiles[tile] + row // 6 % 10 * 10 + column // 6 % 10)
        if table.tiles[tile + 1] >= 0:
            prefetch(table.nodes, 144 * table.tiles[tile + 1] + row // 6 % 10 * 12 + column // 6 % 10)


@kernel
def _fill_shore(table, lat_deg, lon_deg, out_m):
    for i in range(out_m.size):
        if i + _AHEAD < out_m.size:
            _bring_near(table, lat_deg[i + _AHEAD], lon_deg[i + _AHEAD])
        out_m[i] = shore_distance_at(table, lat_deg[i], lon_deg[i])


@kernel
def _fill_sea(table, lat_deg, lon_deg, out):
    for i in range(out.size):
        out[i] = is_sea_at(table, lat_deg[i], lon_deg[i])


@cache
def shore_table() -> ShoreTable:
    """The table, made once for a user and mapped into memory; its arrays cannot be written.

    >>> shore_table().tiles.shape
    (518400,)
    """
    from geo.shore_grid import open_shore

    return ShoreTable(**open_shore())


def _flat(lat_deg: ArrayLike, lon_deg: ArrayLike) -> tuple[tuple[int, ...], NDArray[np.float64], NDArray[np.float64]]:
    lat, lon = np.asarray(lat_deg, np.float64), np.asarray(lon_deg, np.float64)
    if lat.shape != lon.shape:
        raise UsageError(f"latitudes and longitudes must have one shape, not {lat.shape} and {lon.shape}")
    return lat.shape, np.ascontiguousarray(lat.ravel()), np.ascontiguousarray(lon.ravel())


def shore_distance_m(lat_deg: ArrayLike, lon_deg: ArrayLike) -> NDArray[np.float32]:
    """Distance to the shore in metres: positive at sea, negative on land, at most 500 km, NaN where not available.

    The shore is the set of middles of the edges between sea and land in the mask; the sign is the mask's. Error against
    the nearest of them, at 100,000 random positions (median, 95 %, largest): 0, 0.2, 0.7 km within 5 km of the shore;
    0, 0.4 and 2.2 km from 5 to 15 km; 0.2, 0.7 and 2.2 km from 15 to 50 km; 1.0, 4.0 and 8.5 km beyond. Where a
    position passes from one cell of the mask to the next the distance may jump by as much.

    Raises UsageError when the shapes differ.

    >>> shore_distance_m([37.0, 37.0, float("nan")], [131.5, 128.0, 0.0]).round(-4).tolist()
    [40000.0, -80000.0, nan]
    """
    shape, lat, lon = _flat(lat_deg, lon_deg)
    out = np.empty(lat.size, np.float32)
    _fill_shore(shore_table(), lat, lon, out)
    return out.reshape(shape)


def is_sea(lat_deg: ArrayLike, lon_deg: ArrayLike) -> NDArray[np.bool_]:
    """Whether positions are at sea, exactly as in the mask; false where a position is not available.

    Raises UsageError when the shapes differ.

    >>> is_sea([40.0, 51.5], [135.0, 10.0]).tolist()
    [True, False]
    """
    shape, lat, lon = _flat(lat_deg, lon_deg)
    out = np.empty(lat.size, np.bool_)
    _fill_sea(shore_table(), lat, lon, out)
    return out.reshape(shape)
