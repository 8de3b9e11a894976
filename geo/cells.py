"""H3 cells of many positions, and what can be asked of a cell: parent, centre, boundary, neighbours, polygon, text.

A cell is a uint64 everywhere; 0 (H3_NULL) means "no cell", and stays 0, NaN or empty whatever is asked of it. A number
that is neither 0 nor a cell is a mistake of the caller and said. What runs once a fix is compiled (`geo.cell_index`,
equal to the `h3` library bit for bit); the rest asks that library: disks, boundaries, polygons, compact sets.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.cell_index import cell_and_room, cell_at, centre_of, disk_at, is_cell, parent_of
from geo.errors import InputError, UsageError
from geo.kernel import kernel

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

__all__ = [
    "INDEX_RESOLUTION", "MAX_CELLS", "MAX_RING", "boundaries", "cell_and_room", "cell_at", "cell_of_text",
    "cell_text", "cells", "centre_of", "centres", "check_resolution", "compact", "disk_at", "disks", "is_valid",
    "parent_of", "parents", "polygon_cells", "resolutions", "rings", "uncompact",
]  # fmt: skip

INDEX_RESOLUTION = 7
"""Resolution of `Fixes.cell`: an edge of 1.4 km on average, never under 1.0 km; a cell and its six neighbours hold
every point within 500 m (checked over 60,000 random pairs and in tests)."""

MAX_RING = 100
"""Of `disks` and `rings`: 30,301 cells a row, 240 kB."""
MAX_CELLS = 50_000_000
"""Of `polygon_cells` and `uncompact`: 400 MB."""

Cells = NDArray[np.uint64]


@kernel
def _fill_cells(lat_deg, lon_deg, resolution, out):
    for n in range(out.size):
        out[n] = cell_at(lat_deg[n], lon_deg[n], resolution)


@kernel
def _fill_valid(cells, out):
    for n in range(cells.size):
        out[n] = is_cell(cells[n])


@kernel
def _fill_centres(cells, lat_deg, lon_deg):
    for n in range(cells.size):
        lat_deg[n], lon_deg[n] = centre_of(cells[n])


@kernel
def _fill_disks(out, k, near):
    """Ring after ring: what touches the last ring, and is neither in it nor in the one before it."""
    for row in range(out.shape[0]):
        begin, end, filled = 0, 1, 1  # of the last ring
        before = 0
        resolution = (np.int64(out[row, 0]) >> 52) & 15
        for m in range(1, k + 1 if out[row, 0] != 0 else 0):
            filled = next_begin = 3 * m * (m - 1) + 1
            for n in range(begin, end):
                lat, lon = centre_of(out[row, n])
                disk_at(lat, lon, resolution, near)
                for cell in near[1:]:
                    known = False
                    for place in range(before, filled):
                        known = known or out[row, place] == cell
                    if not known:
                        out[row, filled] = cell
                        filled += 1
            before, begin, end = begin, next_begin, filled


def check_resolution(resolution: int) -> int:
    """The resolution itself when it is one of H3's 16, else a UsageError.

    >>> check_resolution(7)
    7
    """
    if not 0 <= resolution <= 15:
        raise UsageError(f"H3 resolution must be 0 to 15, not {resolution}")
    return resolution


def cells(
    lat_deg: ArrayLike, lon_deg: ArrayLike, resolution: int = INDEX_RESOLUTION, *, threads: int = 1
) -> NDArray[np.uint64]:
    """H3 cells of positions in degrees, as uint64 in their shape (a single number goes with all, and is one row).

    0 where there is no position: NaN, infinite, or a latitude beyond 90 (AIS says 91 for "not available"). Longitudes
    wrap: 181 is 179 west. More threads give the same bytes.

    >>> [f"{cell:x}" for cell in cells([35.10, float("nan")], [129.04, 0.0], 7)]
    ['8730c1688ffffff', '0']
    """
    check_resolution(resolution)
    if threads < 1:
        raise UsageError(f"threads must be 1 or more, not {threads}")
    lat, lon = (np.atleast_1d(np.asarray(part, np.float64)) for part in (lat_deg, lon_deg))
    if lat.shape != lon.shape and lat.size != 1 and lon.size != 1:
        raise UsageError(f"latitudes and longitudes must have one shape, not {lat.shape} and {lon.shape}")
    lat, lon = np.broadcast_arrays(lat, lon)
    shape = lat.shape
    lat, lon = (np.require(part, requirements=["C", "W"]).ravel() for part in (lat, lon))
    out = np.empty(lat.size, np.uint64)
    if threads == 1:
        _fill_cells(lat, lon, resolution, out)
    else:
        cuts = np.linspace(0, out.size, threads + 1).astype(int)
        parts = [slice(*pair) for pair in pairwise(cuts)]
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda part: _fill_cells(lat[part], lon[part], resolution, out[part]), parts))
    return out.reshape(shape)


def is_valid(numbers: ArrayLike) -> NDArray[np.bool_]:
    """Which numbers are H3 cells; 0 is none.

    >>> is_valid([0x8730C1688FFFFFF, 0x8730C1688FFFFFE, 0]).tolist()
    [True, False, False]
    """
    given = np.require(np.atleast_1d(np.asarray(numbers, np.uint64)), requirements=["C", "W"])
    out = np.empty(given.size, np.bool_)
    _fill_valid(given.ravel(), out)
    return out.reshape(given.shape)


def _checked(numbers: ArrayLike) -> Cells:
    """Cells and 0 as they are; a UsageError for anything else."""
    given = np.require(np.atleast_1d(np.asarray(numbers, np.uint64)), requirements=["C", "W"])
    wrong = np.flatnonzero(~is_valid(given) & (given != 0))
    if wrong.size:
        number = int(given.ravel()[wrong[0]])
        raise UsageError(f"row {wrong[0]}: {number:#x} is no H3 cell; give cells as uint64, or 0 for none")
    return given


def resolutions(numbers: ArrayLike) -> NDArray[np.int64]:
    """Resolution of each cell, 0 to 15; -1 for none.

    >>> resolutions([0x8730C1688FFFFFF, 0]).tolist()
    [7, -1]
    """
    given = _checked(numbers)
    return np.where(given == 0, -1, (given >> np.uint64(52) & np.uint64(15)).astype(np.int64))


def parents(numbers: ArrayLike, resolution: int) -> NDArray[np.uint64]:
    """The cells of a coarser resolution that hold cells by H3's own hierarchy; 0 stays 0.

    >>> cell_text(parents(cells([35.10], [129.04], 7), 5)).tolist()
    ['8530c16bfffffff']
    """
    given, own = _checked(numbers), resolutions(numbers)
    coarse = np.flatnonzero((own >= 0) & (own < check_resolution(resolution)))
    if coarse.size:
        row = coarse[0]
        raise UsageError(f"row {row}: a cell of resolution {own.ravel()[row]} has no parent of resolution {resolution}")
    unused = np.uint64((1 << (45 - 3 * resolution)) - 1)
    kept = given & ~(np.uint64(15 << 52) | unused)
    return np.where(given == 0, np.uint64(0), kept | unused | np.uint64(resolution << 52))


def centres(numbers: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitude and longitude of the centres of cells, degrees; within 1e-11 degrees of h3's. NaN for none.

    >>> lat, lon = centres(cells([35.10], [129.04], 7))
    >>> lat.round(4).tolist(), lon.round(4).tolist()
    ([35.0919], [129.0413])
    """
    given = _checked(numbers)
    lat, lon = np.empty((2, given.size))
    _fill_centres(given.ravel(), lat, lon)
    return lat.reshape(given.shape), lon.reshape(given.shape)


def boundaries(numbers: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Corners of cells, counter-clockwise and not closed: latitudes, longitudes (degrees) and where each cell begins.

    The corners of cell n are `lat[first[n]:first[n + 1]]`: six, for a pentagon five, and those where a border crosses
    an edge of the icosahedron and bends; none for 0.

    >>> lat, lon, first = boundaries(cells([35.10, float("nan")], [129.04, 0.0], 7))
    >>> first.tolist(), lat[:2].round(3).tolist()
    ([0, 6, 6], [35.094, 35.085])
    """
    import h3.api.numpy_int as h3

    rings = [h3.cell_to_boundary(cell) if cell else () for cell in _checked(numbers).ravel().tolist()]
    first = np.concatenate([[0], np.cumsum([len(ring) for ring in rings], dtype=np.int64)])
    corners = np.array([corner for ring in rings for corner in ring], np.float64).reshape(-1, 2)
    return corners[:, 0].copy(), corners[:, 1].copy(), first.astype(np.int64)


def _check_ring(k: int) -> int:
    if not 0 <= k <= MAX_RING:
        raise UsageError(f"a disk must have 0 to {MAX_RING} rings, not {k}; take a coarser resolution for a wider one")
    return k


def disks(numbers: ArrayLike, k: int) -> NDArray[np.uint64]:
    """Each cell and all within k steps, ring after ring: (n, 3 k (k + 1) + 1), 0 where a pentagon leaves gaps.

    The cells of ring m stand in columns 3 m (m - 1) + 1 to 3 m (m + 1), ascending, gaps last.

    >>> cell = cells([35.10], [129.04], 7)
    >>> found = disks(cell, 2)
    >>> found.shape, bool(found[0, 0] == cell[0])
    ((1, 19), True)
    """
    given = _checked(numbers).ravel()
    out = np.zeros((given.size, 3 * _check_ring(k) * (k + 1) + 1), np.uint64)
    out[:, 0] = given
    _fill_disks(out, k, np.empty(7, np.uint64))
    for m in range(1, k + 1):
        ring = out[:, 3 * m * (m - 1) + 1 : 3 * m * (m + 1) + 1]
        ring[:] = np.sort(ring - np.uint64(1)) + np.uint64(1)  # 0 - 1 is the greatest number
    return out


def rings(numbers: ArrayLike, k: int) -> NDArray[np.uint64]:
    """The cells k steps away from each cell: (n, 6 k) or (n, 1) for k = 0, ascending, 0 where a pentagon leaves gaps.

    >>> rings(cells([35.10], [129.04], 7), 1).shape
    (1, 6)
    """
    return disks(numbers, k)[:, 3 * k * (k - 1) + 1 if k else 0 :].copy()


def polygon_cells(polygon: BaseGeometry, resolution: int) -> NDArray[np.uint64]:
    """The cells whose centre lies in a shapely Polygon or MultiPolygon of longitudes and latitudes, ascending.

    The polygon is taken as it lies on a flat map, as GeoJSON means it: an edge from 170 to -170 goes through 0, one
    from 170 to 190 over the antimeridian.

    >>> from shapely.geometry import box
    >>> polygon_cells(box(129.0, 35.0, 129.1, 35.1), 6).size
    4
    """
    import h3.api.numpy_int as h3
    import shapely

    check_resolution(resolution)
    if polygon.geom_type not in ("Polygon", "MultiPolygon"):
        raise UsageError(f"cells fill a Polygon or a MultiPolygon, not a {polygon.geom_type}; give an area")
    if polygon.is_empty:
        return np.zeros(0, np.uint64)
    points = shapely.get_coordinates(polygon)
    wrong = np.flatnonzero(~(np.isfinite(points).all(axis=1) & (np.abs(points[:, 1]) <= 90.0)))
    if wrong.size:
        lon, lat = points[wrong[0]]
        raise UsageError(f"corner {wrong[0]} of the polygon: latitude {lat}, longitude {lon}; latitudes go to 90")
    if not polygon.is_valid:
        raise UsageError(f"the polygon is not valid ({shapely.is_valid_reason(polygon)}); mend it with make_valid")
    count = _box_m2(polygon.bounds) / h3.average_hexagon_area(resolution, unit="m^2")
    _check_count(count, resolution)
    found = [h3.h3shape_to_cells_experimental(h3.geo_to_h3shape(part), resolution) for part in _narrow_parts(polygon)]
    return np.unique(np.concatenate(found))


def _narrow_parts(polygon: BaseGeometry) -> list[Any]:
    """Parts of a polygon that h3 takes as they are: between 180 west and east, no edge of 180 degrees or more."""
    import shapely

    west, _, east, _ = polygon.bounds
    if west >= -180.0 and east <= 180.0 and east - west < 180.0:
        return [polygon]
    parts = []
    for first in range(math.floor(west / 90.0) * 90, math.ceil(east), 90):
        strip = shapely.box(first, -90.0, first + 90.0 + 1e-9, 90.0)  # a centre on a seam is in both, and counted once
        turns = (first + 180) // 360
        found = shapely.get_parts(shapely.intersection(polygon, strip))
        parts += [
            shapely.transform(part, lambda at, by=turns: at - (360.0 * by, 0.0)) for part in found if part.area > 0
        ]
    return parts


def _box_m2(bounds: tuple[float, float, float, float]) -> float:
    """Area of the box around a polygon: what h3 makes room for."""
    west, south, east, north = np.radians(bounds)
    return float(6_371_008.8**2 * min(east - west, 2.0 * math.pi) * (np.sin(north) - np.sin(south)))


def _check_count(count: float, resolution: int) -> None:
    if count > MAX_CELLS:
        raise UsageError(
            f"{count:,.0f} cells of resolution {resolution}: the limit is {MAX_CELLS:,}; take a coarser one"
        )


def compact(numbers: ArrayLike) -> NDArray[np.uint64]:
    """The fewest cells, of mixed resolutions, that hold the same area by H3's hierarchy; ascending.

    `numbers` are cells of one resolution; repeated ones and 0 count once and never.

    >>> compact(uncompact(cells([35.10], [129.04], 5), 7)).size
    1
    """
    import h3.api.numpy_int as h3

    given = np.unique(_checked(numbers))
    given = given[given != 0]
    found = np.unique(resolutions(given))
    if found.size > 1:
        raise UsageError(f"cells of resolutions {found.tolist()} cannot be compacted together; uncompact them to one")
    return np.unique(h3.compact_cells(given)) if given.size else given


def uncompact(numbers: ArrayLike, resolution: int) -> NDArray[np.uint64]:
    """All cells of a resolution beneath cells of it or of coarser ones; ascending, each once.

    >>> uncompact(cells([35.10], [129.04], 5), 7).size
    49
    """
    import h3.api.numpy_int as h3

    given = np.unique(_checked(numbers))
    given = given[given != 0]
    own = resolutions(given)
    if own.size and own.max() > check_resolution(resolution):
        raise UsageError(f"a cell of resolution {own.max()} holds none of resolution {resolution}; take a finer one")
    _check_count(float((7.0 ** (resolution - own)).sum()), resolution)
    return np.unique(h3.uncompact_cells(given, resolution)) if given.size else given


def cell_text(numbers: ArrayLike) -> NDArray[np.str_]:
    """Cells as H3 writes them, 15 hexadecimal digits; "0" for none.

    >>> cell_text([0x8730C1688FFFFFF, 0]).tolist()
    ['8730c1688ffffff', '0']
    """
    given = _checked(numbers)
    return np.array([f"{cell:x}" for cell in given.ravel().tolist()], "<U15").reshape(given.shape)


def cell_of_text(texts: str | Iterable[str]) -> NDArray[np.uint64]:
    """Cells from their texts; 0 for "0" and for an empty text. An InputError names a text that is no cell.

    >>> cell_of_text(["8730c1688ffffff", "0"]).tolist() == [0x8730C1688FFFFFF, 0]
    True
    """
    given = [texts] if isinstance(texts, str) else list(texts)
    out = np.zeros(len(given), np.uint64)
    for row, text in enumerate(given):
        digits = text.strip().lower().removeprefix("0x")
        plain = len(digits) <= 16 and set(digits) <= set("0123456789abcdef")
        out[row] = int(digits, 16) if digits and plain else 0
        if digits.strip("0") and not is_valid(out[row])[0]:
            raise InputError(
                f"row {row}: {text!r} is no H3 cell; a cell is 15 hexadecimal digits such as 8730c1688ffffff"
            )
    return out
