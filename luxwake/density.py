"""Where positions are, in bounded memory: counts on a grid that becomes coarser when too many cells are taken."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

FINEST_BITS = 21
"""Columns of the finest grid are 360 / 2**21 degrees wide: 19 m at the equator, what a small harbour needs."""
MAX_CELLS = 1 << 20
"""More cells than a map has pixels are of no use; they take 16 MB, and twice that while they are merged."""
SHARE = 0.999
"""A map is fitted to this share of the positions, so that a few wrong ones do not make a world map of a harbour."""
MIN_SPAN_DEG = 0.5
"""No map is smaller: on a smaller one the coast (good to 1 km) would be wrong."""
_MARGIN = 0.06
_FLATTEST = 0.2
"""A degree of longitude in degrees of latitude is taken for no less, or a map of the pole would be a line."""
_LOW = np.uint64(0xFFFFFFFF)
_WAITING = 1 << 18


class Box(NamedTuple):
    """What a map shows, degrees; `lon_max` runs on over 180 where the box crosses that meridian."""

    lat_min: float
    lat_max: float
    lon_min: float
    lon_max: float

    @property
    def ratio(self) -> float:
        """Width by height on the ground, at its middle."""
        middle = math.cos(math.radians((self.lat_min + self.lat_max) / 2.0))
        return (self.lon_max - self.lon_min) * max(_FLATTEST, middle) / (self.lat_max - self.lat_min)


class Density:
    """Number of positions by cell of a square grid in degrees.

    The grid is the finest one on which all positions take at most 2**20 cells, whatever the order and the pieces in
    which they came.

    Examples
    --------
    >>> density = Density()
    >>> density.add([59.9, 59.9, -17.5], [10.7, 10.7, 179.9])
    >>> density.positions, len(density.cells()[0])
    (3, 2)
    """

    def __init__(self) -> None:
        self.level = 0
        self._keys = np.zeros(0, np.uint64)  # row << 32 | column, ascending
        self._counts = np.zeros(0, np.int64)
        self._waiting: list[tuple[NDArray[np.uint64], NDArray[np.int64]]] = []

    def add(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> None:
        """Count positions: latitudes in -90 .. 90 and longitudes, degrees."""
        cells_per_deg = (1 << FINEST_BITS) / 360.0
        row = ((np.asarray(lat_deg, np.float64) + 90.0) * cells_per_deg).astype(np.int64)
        row = np.minimum(row, (1 << FINEST_BITS - 1) - 1)  # the pole itself
        column = np.floor((np.asarray(lon_deg, np.float64) + 180.0) * cells_per_deg).astype(np.int64)
        column %= 1 << FINEST_BITS
        keys = _coarser((row << 32 | column).astype(np.uint64), self.level)
        self._put(*np.unique(keys, return_counts=True), self.level)

    def merge(self, other: Density) -> None:
        """Count the positions of another one too."""
        other._settle()
        self._put(other._keys, other._counts, other.level)

    @property
    def positions(self) -> int:
        """How many positions were counted."""
        return int(self._counts.sum()) + sum(int(counts.sum()) for _, counts in self._waiting)

    def cells(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], float]:
        """South and west edge of each cell (degrees), the positions in it, and the size of a cell (degrees)."""
        self._settle()
        size = 360.0 / (1 << FINEST_BITS - self.level)
        row, column = self._keys >> np.uint64(32), self._keys & _LOW
        south, west = row.astype(np.float64) * size - 90.0, column.astype(np.float64) * size - 180.0
        return south, west, self._counts, size

    def _put(self, keys: NDArray[np.uint64], counts: NDArray[np.int64], level: int) -> None:
        while self.level < level:
            self._settle(coarser=True)
        self._waiting.append((_coarser(keys, self.level - level), counts))
        if sum(len(one) for one, _ in self._waiting) > max(_WAITING, len(self._keys)):
            self._settle()

    def _settle(self, coarser: bool = False) -> None:
        """Count what waits; then halve the grid while it has too many cells."""
        if self._waiting or coarser:
            keys, counts = zip((self._keys, self._counts), *self._waiting, strict=True)
            self._waiting = []
            self._store(_coarser(np.concatenate(keys), int(coarser)), np.concatenate(counts))
            self.level += coarser
        while len(self._keys) > MAX_CELLS:
            self._store(_coarser(self._keys, 1), self._counts)
            self.level += 1

    def _store(self, keys: NDArray[np.uint64], counts: NDArray[np.int64]) -> None:
        order = np.argsort(keys)
        keys = keys[order]
        first = np.flatnonzero(np.diff(keys, prepend=~keys[:1]))
        self._keys = keys[first]
        self._counts = np.add.reduceat(counts[order], first) if len(first) else counts[:0]


def _coarser(keys: NDArray[np.uint64], levels: int) -> NDArray[np.uint64]:
    """The same cells on a grid with 2**levels times larger ones."""
    shift, half = np.uint64(levels), np.uint64(32)
    return (keys >> half >> shift) << half | (keys & _LOW) >> shift if levels else keys


def _shortest(at: NDArray[np.float64], counts: NDArray[np.int64], period: float = 0.0) -> tuple[float, float]:
    """The shortest stretch with SHARE of all; around the circle where there is a period."""
    at, which = np.unique(at, return_inverse=True)
    counts = np.bincount(which, counts).astype(np.int64)
    enough = math.ceil(SHARE * int(counts.sum()))
    begin = np.arange(len(at))
    if period:
        at, counts = np.concatenate([at, at + period]), np.concatenate([counts, counts])
    total = np.cumsum(counts)
    end = np.searchsorted(total, total[begin] - counts[begin] + enough)
    begin, end = begin[end < len(at)], end[end < len(at)]
    best = int(np.argmin(at[end] - at[begin]))
    return float(at[begin[best]]), float(at[end[best]])


def box_of(density: Density, narrowest: float, widest: float) -> Box:
    """The box of a map that shows nearly all positions; its `ratio` is one from `narrowest` to `widest`.

    Examples
    --------
    >>> density = Density()
    >>> density.add([-17.0, -18.0], [179.5, -179.5])
    >>> box = box_of(density, 2.0, 3.0)
    >>> box.lon_min < 179.5 and box.lon_max > 180.5, box.lat_max - box.lat_min < 3.0
    (True, True)
    """
    lat, lon, counts, size = density.cells()
    south, north = _shortest(lat, counts)
    west, east = _shortest(lon, counts, 360.0)
    stretch = max(_FLATTEST, math.cos(math.radians((south + north + size) / 2.0)))
    height = max((north + size - south) * (1.0 + 2.0 * _MARGIN), MIN_SPAN_DEG)
    width = max((east + size - west) * (1.0 + 2.0 * _MARGIN) * stretch, MIN_SPAN_DEG)
    height = min(max(height, width / widest), 180.0)
    width = min(max(width, height * narrowest) / stretch, 360.0)
    middle = min(max((south + north + size) / 2.0, height / 2.0 - 90.0), 90.0 - height / 2.0)
    lon_min = -180.0 if width == 360.0 else (west + east + size - width) / 2.0
    lon_min = (lon_min + 180.0) % 360.0 - 180.0
    return Box(middle - height / 2.0, middle + height / 2.0, lon_min, lon_min + width)


def counted(density: Density, box: Box, rows: int, columns: int) -> NDArray[np.int64]:
    """Positions by pixel of a map, the north in row 0; a cell larger than a pixel fills all those that it covers."""
    lat, lon, counts, size = density.cells()
    y_per_deg, x_per_deg = rows / (box.lat_max - box.lat_min), columns / (box.lon_max - box.lon_min)
    high, wide = max(1, math.ceil(size * y_per_deg)), max(1, math.ceil(size * x_per_deg))
    y = np.floor((box.lat_max - lat - size / 2.0) * y_per_deg).astype(np.int64)
    x = np.floor((lon + size / 2.0 - box.lon_min) % 360.0 * x_per_deg).astype(np.int64)
    pixels = np.zeros(rows * columns, np.int64)
    for dy in range(-(high // 2), high - high // 2):
        for dx in range(-(wide // 2), wide - wide // 2):
            inside = (y + dy >= 0) & (y + dy < rows) & (x + dx >= 0) & (x + dx < columns)
            at = (y[inside] + dy) * columns + x[inside] + dx
            pixels += np.bincount(at, counts[inside], rows * columns).astype(np.int64)
    return pixels.reshape(rows, columns)


def outside(density: Density, box: Box) -> int:
    """How many positions a map of the box does not show."""
    lat, lon, counts, size = density.cells()
    y, x = lat + size / 2.0, (lon + size / 2.0 - box.lon_min) % 360.0
    shown = (y >= box.lat_min) & (y <= box.lat_max) & (x <= box.lon_max - box.lon_min)
    return int(counts[~shown].sum())
