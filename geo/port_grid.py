"""The nearest port of any position, looked up: per cell of half a degree, the few ports that can be nearest there.

A port is kept for a cell when some point of the circle round the cell is nearer to it than to the port nearest to the
cell's centre: the great circle half-way between the two cuts the circle. So none is missed, and four cells in five
keep a single port. Among those kept the straight-line distance through the sphere decides: exact, and without
trigonometry, since sine and cosine of a position follow by Taylor series from those of the middle of its cell.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.errors import UsageError
from geo.grid import Tell, open_grid
from geo.kernel import inlined, kernel
from geo.port_table import Port, ports
from geo.sphere import EARTH_RADIUS_M, bearing_deg, distances_m, unit_vectors

_PER_DEG = 2
ROWS, COLUMNS = 180 * _PER_DEG, 360 * _PER_DEG
_STEP = math.radians(1.0 / _PER_DEG)
_BLOCK_DEG = 10
"""Cells are divided block by block: what no point of a block is nearest to, no cell of it looks at."""


class PortIndex(NamedTuple):
    """Ports as arrays for kernels; rows are those of `ports()`, or of the positions that an index was made for.

    `cell` (259,200) int32 holds for each cell (row * 720 + column from 90 S, 180 W) the only port that can be nearest
    there, or else ~k: `listed[k]` is how many can, and their rows follow in rising order. `unit` (n, 3) are the ports'
    unit vectors, `row_turn` (360, 2) and `column_turn` (720, 2) the sine and cosine of the middle of rows and columns.
    """

    cell: NDArray[np.int32]
    listed: NDArray[np.int32]
    unit: NDArray[np.float64]
    row_turn: NDArray[np.float64]
    column_turn: NDArray[np.float64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]


@inlined
def unit_vector(row_turn, column_turn, row, lat_part, column, lon_part):
    """The unit vector of a place in a cell; the parts run from 0 to 1. The series are exact to 1e-18 here."""
    a, b = (lat_part - 0.5) * _STEP, (lon_part - 0.5) * _STEP
    aa, bb = a * a, b * b
    sin_a, cos_a = a * (1.0 - aa / 6.0 * (1.0 - aa / 20.0)), 1.0 - aa / 2.0 * (1.0 - aa / 12.0 * (1.0 - aa / 30.0))
    sin_b, cos_b = b * (1.0 - bb / 6.0 * (1.0 - bb / 20.0)), 1.0 - bb / 2.0 * (1.0 - bb / 12.0 * (1.0 - bb / 30.0))
    sin_lat = row_turn[row, 0] * cos_a + row_turn[row, 1] * sin_a
    cos_lat = row_turn[row, 1] * cos_a - row_turn[row, 0] * sin_a
    sin_lon = column_turn[column, 0] * cos_b + column_turn[column, 1] * sin_b
    cos_lon = column_turn[column, 1] * cos_b - column_turn[column, 0] * sin_b
    return cos_lat * cos_lon, cos_lat * sin_lon, sin_lat


@inlined
def cell_place(lat_deg, lon_deg):
    """Row and column of a position, and which part of the cell lies south and west of it."""
    y, x = (lat_deg + 90.0) * _PER_DEG, (lon_deg + 180.0) * _PER_DEG
    row = min(int(y), ROWS - 1)
    if x < 0.0 or x >= COLUMNS:
        x = ((lon_deg + 180.0) % 360.0) * _PER_DEG
    column = min(int(x), COLUMNS - 1)
    return row, y - row, column, x - column


@inlined
def nearest_in_cell(index, lat_deg, lon_deg):
    """The nearest port of a position on the globe, and the square of the straight line to it in Earth radii."""
    row, lat_part, column, lon_part = cell_place(lat_deg, lon_deg)
    x, y, z = unit_vector(index.row_turn, index.column_turn, row, lat_part, column, lon_part)
    entry = index.cell[row * COLUMNS + column]
    if entry >= 0:
        dx, dy, dz = index.unit[entry, 0] - x, index.unit[entry, 1] - y, index.unit[entry, 2] - z
        return entry, dx * dx + dy * dy + dz * dz
    best, least = -1, np.inf
    first = ~entry + 1
    for k in range(first, first + index.listed[first - 1]):
        port = index.listed[k]
        dx, dy, dz = index.unit[port, 0] - x, index.unit[port, 1] - y, index.unit[port, 2] - z
        square = dx * dx + dy * dy + dz * dz
        if square < least:
            least, best = square, port
    return best, least


@inlined
def _metres_of(square):
    return 2.0 * EARTH_RADIUS_M * math.asin(min(1.0, 0.5 * math.sqrt(square)))


@kernel
def nearest_port_at(index, lat_deg, lon_deg, within_m):
    """The nearest port of a `PortIndex` within `within_m`: (its row, metres), else (-1, NaN).

    Ports at the very same place: the first of the table. What is no position (a NaN, a latitude over 90) has none;
    a longitude may run on past 180.
    """
    if -90.0 <= lat_deg <= 90.0 and math.isfinite(lon_deg):
        port, square = nearest_in_cell(index, lat_deg, lon_deg)
        metres = _metres_of(square)
        if port >= 0 and metres <= within_m:
            return port, metres
    return -1, math.nan


@kernel
def _fill_nearest(index, lat_deg, lon_deg, within_m, out_row, out_m):
    for i in range(lat_deg.size):
        out_row[i], out_m[i] = -1, math.nan
        if -90.0 <= lat_deg[i] <= 90.0 and math.isfinite(lon_deg[i]):
            port, square = nearest_in_cell(index, lat_deg[i], lon_deg[i])
            metres = _metres_of(square)
            if port >= 0 and metres <= within_m:
                out_row[i], out_m[i] = port, metres


@kernel
def _fill_units(row_turn, column_turn, lat_deg, lon_deg, out):
    for i in range(lat_deg.size):
        row, lat_part, column, lon_part = cell_place(lat_deg[i], lon_deg[i])
        out[i] = unit_vector(row_turn, column_turn, row, lat_part, column, lon_part)


def _turns(count: int, first_deg: float) -> NDArray[np.float64]:
    """Sine and cosine of the middle of each row or column."""
    middle = np.radians(first_deg + (np.arange(count) + 0.5) / _PER_DEG)
    return np.stack([np.sin(middle), np.cos(middle)], axis=1)


def _can_be_nearest(
    unit: NDArray[np.float64], south: NDArray[np.float64], west: NDArray[np.float64], size_deg: float
) -> NDArray[np.bool_]:
    """Which ports (columns) can be nearest to some point of each square of `size_deg` (rows).

    The circle round a square goes through its farther corners. A port p can be nearest where the nearest port q of the
    middle u is, if (p - q) u > -|p - q| sin r; 1e-9 (6 mm) is left for rounding.
    """
    half = 0.5 * size_deg
    middle = unit_vectors(south + half, west + half)
    corners = [unit_vectors(edge, west) for edge in (south, south + size_deg)]
    chord = np.max([np.linalg.norm(corner - middle, axis=1) for corner in corners], axis=0)
    sine = chord * np.sqrt(1.0 - 0.25 * chord * chord)  # sin r of the chord 2 sin(r / 2)
    along = middle @ unit.T
    best = along.argmax(axis=1)
    apart = np.sqrt(np.maximum(0.0, 2.0 - 2.0 * (unit[best] @ unit.T)))
    lead = along - along[np.arange(best.size), best][:, None]
    return np.asarray(lead > -apart * sine[:, None] - 1e-9)


def _divide(unit: NDArray[np.float64], tell: Tell) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """`cell` and `listed` of a `PortIndex`."""
    blocks = [(south, west) for south in range(-90, 90, _BLOCK_DEG) for west in range(-180, 180, _BLOCK_DEG)]
    y, x = np.divmod(np.arange((_BLOCK_DEG * _PER_DEG) ** 2), _BLOCK_DEG * _PER_DEG)
    cells, rows = [], []
    for n, (south, west) in enumerate(blocks):
        here = np.flatnonzero(_can_be_nearest(unit, np.array([south + 0.0]), np.array([west + 0.0]), _BLOCK_DEG)[0])
        kept = _can_be_nearest(unit[here], south + y / _PER_DEG, west + x / _PER_DEG, 1.0 / _PER_DEG)
        square, port = np.nonzero(kept)
        cells.append(((south + 90) * _PER_DEG + y[square]) * COLUMNS + (west + 180) * _PER_DEG + x[square])
        rows.append(here[port])
        tell(n / len(blocks))
    cell, row = np.concatenate(cells), np.concatenate(rows)
    order = np.argsort(cell, kind="stable")  # rows of a cell keep their rising order
    cell, row = cell[order], row[order]
    number = np.bincount(cell, minlength=ROWS * COLUMNS)
    first = np.concatenate([[0], np.cumsum(number)[:-1]])
    several = number > 1
    start = np.cumsum(np.where(several, number + 1, 0)) - np.where(several, number + 1, 0)
    listed = np.zeros(int(np.where(several, number + 1, 0).sum()), np.int32)
    listed[start[several]] = number[several]
    among = several[cell]
    listed[(start[cell] + 1 + np.arange(cell.size) - first[cell])[among]] = row[among]
    return np.where(several, ~start, row[first]).astype(np.int32), listed


def index_of(name: str, lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64]) -> PortIndex:
    """An index of any places, kept as a grid under a name (0.6 s to build for 3,900 places; 2.0 MB).

    Raises UsageError when there is no place, or one that is not on the globe.

    >>> index = index_of("doctest", np.array([35.0, 36.0]), np.array([129.0, 129.5]))
    >>> row, metres = nearest_port_at(index, 35.9, 129.5, 20_000.0)
    >>> int(row), round(metres)
    (1, 11120)
    """
    lat, lon = (np.ascontiguousarray(degrees, np.float64) for degrees in (lat_deg, lon_deg))
    if not lat.size or not (np.abs(lat) <= 90.0).all() or not (np.abs(lon) <= 180.0).all():
        raise UsageError(f"an index needs one place or more, all within 90 and 180 degrees; got {lat.size}")

    def build(tell: Tell) -> Mapping[str, NDArray[Any]]:
        row_turn, column_turn, unit = _turns(ROWS, -90.0), _turns(COLUMNS, -180.0), np.empty((lat.size, 3))
        _fill_units(row_turn, column_turn, lat, lon, unit)
        cell, listed = _divide(unit, tell)
        return {
            "cell": cell,
            "listed": listed,
            "unit": unit,
            "row_turn": row_turn,
            "column_turn": column_turn,
            "lat": lat,
            "lon": lon,
        }

    sources: list[Path | bytes] = [Path(__file__), hashlib.blake2b(lat.tobytes() + lon.tobytes()).digest()]
    return PortIndex(**open_grid(name, sources, build))


@cache
def port_index() -> PortIndex:
    """The index of `ports()` for `nearest_port_at`.

    >>> row, metres = nearest_port_at(port_index(), 42.80, 132.90, 5_000.0)
    >>> ports()[row].locode
    'RUNJK'
    """
    return index_of("ports", np.array([port.lat for port in ports()]), np.array([port.lon for port in ports()]))


def nearest_port(
    lat_deg: ArrayLike, lon_deg: ArrayLike, within_m: float | None = None
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The nearest port of each position: its index in `ports()` and the distance in metres, -1 and NaN where none is.

    `lat_deg` and `lon_deg` have one shape; great-circle distance, so over land too. Without `within_m` a port is found
    for every position on the globe, however far. Raises UsageError for a radius that is negative or not a number.

    >>> row, metres = nearest_port([35.08, 0.0], [129.06, -30.0], 20_000.0)
    >>> ports()[row[0]].name, int(row[1]), round(float(metres[0]), -2)
    ('Busan', -1, 2700.0)
    """
    within = math.inf if within_m is None else float(within_m)
    if not within >= 0.0:
        raise UsageError(f"within_m must be 0 or more metres, not {within_m}")
    lat, lon = np.asarray(lat_deg, np.float64), np.asarray(lon_deg, np.float64)
    if lat.shape != lon.shape:
        raise UsageError(f"latitudes and longitudes must have one shape, not {lat.shape} and {lon.shape}")
    row, metres = np.empty(lat.size, np.int32), np.empty(lat.size, np.float32)
    flat = np.ascontiguousarray(lat.ravel()), np.ascontiguousarray(lon.ravel())
    _fill_nearest(port_index(), *flat, within, row, metres)
    return row.reshape(lat.shape), metres.reshape(lat.shape)


class NearPort(NamedTuple):
    """A port seen from a position: great-circle distance, and initial bearing in degrees true."""

    port: Port
    distance_m: float
    bearing_deg: float


def ports_near(lat_deg: float, lon_deg: float, limit: int = 5, within_m: float | None = None) -> list[NearPort]:
    """The nearest ports of one position, the nearest first; over land too.

    Raises UsageError for a position that is not on the globe, and for a limit or a radius that cannot be meant.

    >>> [(near.port.name, round(near.distance_m), round(near.bearing_deg)) for near in ports_near(35.2, 129.4, 2)]
    [('Onsan', 26335, 350), ('Ulsan', 33053, 358)]
    """
    for name, value, most in (("latitude", lat_deg, 90), ("longitude", lon_deg, 180)):
        if not -most <= value <= most:
            raise UsageError(f"{name} {value} is not on the globe: -{most} to {most} degrees")
    if limit < 1 or not (within_m is None or within_m >= 0.0):
        raise UsageError(f"limit must be 1 or more and within_m 0 or more metres, not {limit} and {within_m}")
    index = port_index()
    metres = distances_m(np.full(index.lat.size, lat_deg), np.full(index.lat.size, lon_deg), index.lat, index.lon)
    rows = [
        int(row) for row in np.argsort(metres, kind="stable")[:limit] if within_m is None or metres[row] <= within_m
    ]
    return [
        NearPort(ports()[row], float(metres[row]), float(bearing_deg(lat_deg, lon_deg, index.lat[row], index.lon[row])))
        for row in rows
    ]
