"""Coast: what is sea, how far it is to the shore, and whether a way stays on the sea.

The source is GLOBE (30 arc-seconds, 0.9 km) as packed by global-land-mask. Sea or land is exactly as in that mask, at
every position. Lakes, rivers, canals and the Caspian Sea are land in it, and so is a harbour smaller than about 1 km.

Three levels (`geo.shore_grid` makes them of `tables/shore.npz`, once): tiles of half a degree, most of them all sea or
all land and content with 3 x 3 nodes between which the distance is read; in the others cells of 0.05 degrees, 6 x 6
cells of the mask, with a node each; and for the cells near a shore the mask's 36 bits, and for each of the 36 where the
nearest shore point lies.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.errors import UsageError
from geo.instructions import prefetch
from geo.kernel import inlined, inner, kernel
from geo.sphere import EARTH_RADIUS_M

MASK_PER_DEG = 120
"""Cells of the mask along a degree."""
SATURATION_M = 500_000.0
"""Distances are known up to here, at sea and on land; beyond, this value itself is given."""
ALL_SEA, ALL_LAND = -1, -2
"""In place of the number of a block: a tile or a cell without a shore."""
CORNER_M = 20.0
"""Unit of the nodes at the corners, the sides and in the middle of a tile."""
MOST_LON_DEG = 720.0
"""Longitudes may run on over 180 degrees up to here."""
WALK_M = 2_000.0
"""Near the shore a way is cut into pieces of this length, and every mask cell of a piece is looked at."""

_MASK_ROWS = 180 * MASK_PER_DEG
_CELLS_PER_DEG = 20
_AHEAD = 8
_NEAR_M = 5_000.0
_NEAR_ERROR_M = 1_800.0  # twice from a mask cell's middle to its corner, and from an edge's middle to its end
_FAR_SHARE, _FAR_ERROR_M = 0.94, 8_400.0  # rounding, and a tile's nodes; from a cell's middle to its corner, twice
_HALF_CELL_M = EARTH_RADIUS_M * math.pi / 180.0 / (2 * MASK_PER_DEG)


class ShoreTable(NamedTuple):
    """The levels as kernels take them; rows run from north to south, columns from 180 W to the east."""

    tiles: NDArray[np.int32]
    """(360 * 720 * 8): number of a tile's block of cells, or ALL_SEA, ALL_LAND; number of its block of nodes, or -1."""
    corners: NDArray[np.int16]
    """(360 * 720 * 16): the same memory; from the fifth on 3 x 3 nodes of the tile, in `CORNER_M`."""
    cells: NDArray[np.int32]
    """(blocks * 100): number of a cell near the shore; or ALL_SEA, ALL_LAND."""
    bits: NDArray[np.uint64]
    """(n,): which of a cell's 36 mask cells are sea, bit 6 row + column."""
    toward: NDArray[np.int8]
    """(n * 36 * 2): from the middle of a mask cell to the nearest shore point, rows and columns in halves of a cell."""
    nodes: NDArray[np.uint8]
    """(blocks * 144): codes of 12 x 12 nodes, those of the tile and one around."""
    cosines: NDArray[np.float32]
    """(3601,): of the latitudes of the rows of cells."""
    metres: NDArray[np.float32]
    """(256,): distance of a code."""


@inlined
def _wrapped(lon_deg):
    """A longitude as one of -180 to 180, that itself and what rounds to a whole turn not included; NaN where none."""
    if lon_deg >= -180.0 and lon_deg + 180.0 < 360.0:
        return lon_deg
    if not abs(lon_deg) <= MOST_LON_DEG:
        return math.nan
    lon_deg -= 360.0 * math.floor((lon_deg + 180.0) / 360.0)
    return max(lon_deg, -180.0) if lon_deg + 180.0 < 360.0 else -180.0


@inlined
def is_sea_at(table, lat_deg, lon_deg):
    """Whether a position is sea in the mask; false where it is none."""
    lon_deg = _wrapped(lon_deg)
    if not (-90.0 <= lat_deg <= 90.0 and lon_deg >= -180.0):
        return False
    row, column = min(int((90.0 - lat_deg) * MASK_PER_DEG), _MASK_ROWS - 1), int((lon_deg + 180.0) * MASK_PER_DEG)
    number = table.tiles[8 * (row // 60 * 720 + column // 60)]
    if number >= 0:
        number = table.cells[100 * number + row // 6 % 10 * 10 + column // 6 % 10]
        if number >= 0:
            return (table.bits[number] >> np.uint64(row % 6 * 6 + column % 6)) & np.uint64(1) != 0
    return number == ALL_SEA


@inlined
def _to_shore_point(table, number, row, column, lat_deg, lon_deg):
    """Distance to the shore point that is nearest to the middle of a mask cell."""
    k = row % 6 * 6 + column % 6
    way = 2 * (36 * number + k)
    y = (90.0 - lat_deg) * (2 * MASK_PER_DEG) - (2 * row + 1 + int(table.toward[way]))
    x = (lon_deg + 180.0) * (2 * MASK_PER_DEG) - (2 * column + 1 + int(table.toward[way + 1]))
    x *= table.cosines[int((90.0 - lat_deg - y / (4 * MASK_PER_DEG)) * _CELLS_PER_DEG)]  # halfway between the two
    distance_m = _HALF_CELL_M * math.sqrt(x * x + y * y)
    return distance_m if (table.bits[number] >> np.uint64(k)) & np.uint64(1) != 0 else -distance_m


@inlined
def shore_distance_at(table, lat_deg, lon_deg):
    """Metres to the shore, positive at sea and negative on land; NaN where the position is none."""
    lon_deg = _wrapped(lon_deg)
    if not (-90.0 <= lat_deg <= 90.0 and lon_deg >= -180.0):
        return math.nan
    row, column = min(int((90.0 - lat_deg) * MASK_PER_DEG), _MASK_ROWS - 1), int((lon_deg + 180.0) * MASK_PER_DEG)
    tile = row // 60 * 720 + column // 60
    number = table.tiles[8 * tile]
    if number >= 0:
        number = table.cells[100 * number + row // 6 % 10 * 10 + column // 6 % 10]
        if number >= 0:
            return _to_shore_point(table, number, row, column, lat_deg, lon_deg)
    y = (90.0 - lat_deg) * 2.0 - row // 60  # of the tile
    x = (lon_deg + 180.0) * 2.0 - column // 60
    block = table.tiles[8 * tile + 1]
    if block < 0:
        y, x = 2.0 * y, 2.0 * x
        r, c = min(int(y), 1), min(int(x), 1)
        k = 16 * tile + 4 + 3 * r + c
        y, x = y - r, x - c
        north = table.corners[k] * (1.0 - x) + table.corners[k + 1] * x
        south = table.corners[k + 3] * (1.0 - x) + table.corners[k + 4] * x
        return CORNER_M * (north * (1.0 - y) + south * y)
    y, x = 10.0 * y + 0.5, 10.0 * x + 0.5  # nodes are the middles of cells; the block begins one before
    r, c = int(y), int(x)
    k = 144 * block + 12 * r + c
    y, x = y - r, x - c
    north = table.metres[table.nodes[k]] * (1.0 - x) + table.metres[table.nodes[k + 1]] * x
    south = table.metres[table.nodes[k + 12]] * (1.0 - x) + table.metres[table.nodes[k + 13]] * x
    return north * (1.0 - y) + south * y


@inner
def _all_sea(table, y, x, y_end, x_end):
    """Whether all cells of the mask on a straight line are sea; ends in rows and columns of the mask, with fractions.

    From cell to cell, over the side that is met first (Amanatides and Woo 1987).
    """
    row, column = int(math.floor(y)), int(math.floor(x))
    down, right = (1 if y_end >= y else -1), (1 if x_end >= x else -1)
    per_row, per_column = 1.0 / abs(y_end - y), 1.0 / abs(x_end - x)  # of the line; infinite along a row or a column
    next_row = (row + 1 - y if down > 0 else y - row) * per_row
    next_column = (column + 1 - x if right > 0 else x - column) * per_column
    sides = abs(int(math.floor(y_end)) - row) + abs(int(math.floor(x_end)) - column)
    while is_sea_at(table, 90.0 - (row + 0.5) / MASK_PER_DEG, (column + 0.5) / MASK_PER_DEG - 180.0):
        if sides <= 0:
            return True
        sides -= 1
        if next_row < next_column:
            row, next_row = row + down, next_row + per_row
        else:
            column, next_column = column + right, next_column + per_column
    return False


@kernel
def stays_at_sea(table, lat1_deg, lon1_deg, lat2_deg, lon2_deg):
    """Whether the great circle between two positions stays on the mask's sea, ends included.

    Far from the shore it goes on by steps that cannot reach it. Near it every cell of the mask on the way is looked at;
    there 2 km of the circle are taken as straight on a chart, which is at most 1 m off (0.1 m below 45 degrees).
    Positions that are none are not at sea, and between antipodes there is no single way: false.
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
    lat_deg, lon_deg, part = lat1_deg, lon1_deg, 0.0
    while part < 1.0:
        shore_m = shore_distance_at(table, lat_deg, lon_deg)
        free_m = max(min(shore_m, _NEAR_M) - _NEAR_ERROR_M, _FAR_SHARE * shore_m - _FAR_ERROR_M)
        part += max(WALK_M, free_m) * slowest
        lat, lon = lat_deg, lon_deg
        lat_deg, lon_deg = lat2_deg, lon2_deg
        if part < 1.0:
            x, y, z = x1 + part * dx, y1 + part * dy, z1 + part * dz
            lat_deg, lon_deg = math.degrees(math.atan2(z, math.sqrt(x * x + y * y))), math.degrees(math.atan2(y, x))
        if free_m < WALK_M:
            east = lon_deg - lon
            east -= 360.0 * math.floor(east / 360.0 + 0.5)
            x = (lon + 180.0) * MASK_PER_DEG
            y, y_end = (90.0 - lat) * MASK_PER_DEG, (90.0 - lat_deg) * MASK_PER_DEG
            if not _all_sea(table, y, x, y_end, x + east * MASK_PER_DEG):
                return False
    return True


@inlined
def _ask_tile(table, lat_deg, lon_deg):
    """Ask for the tile of a position that will be looked up soon."""
    if -90.0 < lat_deg <= 90.0 and -180.0 <= lon_deg < 180.0:
        prefetch(table.tiles, 8 * (int((90.0 - lat_deg) * 2.0) * 720 + int((lon_deg + 180.0) * 2.0)))


@inlined
def _ask_next(table, lat_deg, lon_deg):
    """Ask for what the tile of a position leads to."""
    if -90.0 < lat_deg <= 90.0 and -180.0 <= lon_deg < 180.0:
        row, column = int((90.0 - lat_deg) * 20.0), int((lon_deg + 180.0) * 20.0)
        tile = 8 * (row // 10 * 720 + column // 10)
        prefetch(table.nodes, 144 * max(table.tiles[tile + 1], 0) + 12 * (row % 10) + column % 10)
        prefetch(table.cells, 100 * max(table.tiles[tile], 0) + 10 * (row % 10) + column % 10)


@kernel
def _fill_shore(table, lat_deg, lon_deg, out_m):
    """Two steps ahead of each position its tile is asked for, one step ahead what the tile leads to.

    At random over the globe no level lies near the processor, and a branch that was guessed wrong waits for it: 71 ns a
    position without, 31 with.
    """
    last = out_m.size - 1
    for i in range(out_m.size):
        two, one = min(i + 2 * _AHEAD, last), min(i + _AHEAD, last)
        _ask_tile(table, lat_deg[two], lon_deg[two])
        _ask_next(table, lat_deg[one], lon_deg[one])
        out_m[i] = shore_distance_at(table, lat_deg[i], lon_deg[i])


@kernel
def _fill_sea(table, lat_deg, lon_deg, out):
    last = out.size - 1
    for i in range(out.size):
        one = min(i + _AHEAD, last)
        _ask_tile(table, lat_deg[one], lon_deg[one])
        out[i] = is_sea_at(table, lat_deg[i], lon_deg[i])


@cache
def shore_table() -> ShoreTable:
    """The table, made once for a user and mapped into memory; its arrays cannot be written.

    >>> shore_table().tiles.shape
    (2073600,)
    """
    from geo.shore_grid import open_shore

    levels = open_shore()
    return ShoreTable(**levels, corners=levels["tiles"].view(np.int16))


def _flat(lat_deg: ArrayLike, lon_deg: ArrayLike) -> tuple[tuple[int, ...], NDArray[np.float64], NDArray[np.float64]]:
    lat, lon = np.asarray(lat_deg, np.float64), np.asarray(lon_deg, np.float64)
    if lat.shape != lon.shape:
        raise UsageError(f"latitudes and longitudes must have one shape, not {lat.shape} and {lon.shape}")
    return lat.shape, np.ascontiguousarray(lat.ravel()), np.ascontiguousarray(lon.ravel())


def shore_distance_m(lat_deg: ArrayLike, lon_deg: ArrayLike) -> NDArray[np.float32]:
    """Distance to the shore in metres: positive at sea, negative on land, at most 500 km, NaN where not available.

    The shore is the set of middles of the edges between sea and land in the mask; the sign is the mask's. Error against
    the nearest of them at 100,000 random positions (`python -m geo.tables.build_shore`):

    ==================  =======  =======  =======
    distance to shore   median   95 %     largest
    ==================  =======  =======  =======
    under 5 km          0 m      0.2 km   0.7 km
    5 to 15 km          0 m      0.4 km   2.2 km
    15 to 50 km         0.2 km   0.6 km   2.2 km
    50 to 500 km        0.6 km   2.3 km   10 km
    ==================  =======  =======  =======

    From one cell of the mask to the next the distance may jump by as much. A position on the line between two cells
    is taken for one of either. Longitudes may run on to 720 degrees; beyond, a position is none.

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
