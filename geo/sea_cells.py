"""The cells of the sea: coarse in the ocean, fine where land is near, and where in each its node lies.

Cells are H3, from resolution 3 (120 km from centre to centre, over 200 km from the shore) to 6 (6.5 km). A cell is
whole when it is clear of the shore, or when it is wide and all its sea is in sight of its node; else it is split. The
node is the centre, or near the shore the point that is farthest from it; a cell without a point at sea is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from geo.cell_index import cell_at
from geo.cells import centres, uncompact
from geo.coast import is_sea_at, shore_distance_at, shore_distance_m, shore_table, stays_at_sea
from geo.grid import Tell
from geo.kernel import inner, kernel
from geo.sphere import EARTH_RADIUS_M

COARSEST, FINEST = 3, 6
EDGE_M = {3: 68_979.0, 4: 26_072.0, 5: 9_854.0, 6: 3_725.0, 7: 1_406.0, 8: 531.4}
"""Average edge of a cell, h3geo.org."""
WIDEST = 1.3
"""No corner is farther from the centre than this many average edges."""
_CLEAR_M = {3: 200_000.0, 4: 50_000.0}
"""A coarse cell stays whole when its centre is this far from the shore."""
_LAND_M = 10_000.0
"""More than the error of the shore distance inland: a cell is land when its centre lies that much deeper."""
_OFF_SHORE_M = 1_500.0
"""A centre nearer to the shore than this gives way to the point of its cell that is farthest from it."""
_WIDE_M = 3_000.0
"""A cell whose node is nearer to the shore than this lies in a narrow water, and is split."""
_STEPS = 6
"""The pattern of points that are looked at: so many each way from the centre to the rim."""

Axis = NDArray[np.float64]
Cells = NDArray[np.uint64]


@inner
def sample(lat_deg, lon_deg, step_deg, r, c):
    """A point of the pattern around a centre: `r` steps north and `c` steps east."""
    return lat_deg + r * step_deg, lon_deg + c * step_deg / max(0.01, math.cos(math.radians(lat_deg)))


@kernel
def place_nodes(table, cell, resolution, lat, lon, radius_m, whole):
    """Move `lat` and `lon` of the cells near the shore to their point farthest from it; NaN where none is at sea.

    `whole` (bool) tells of each cell whether it is wide and all its sea is in sight of that point.
    """
    step_deg = math.degrees(radius_m / EARTH_RADIUS_M) / _STEPS
    for k in range(lat.size):
        best_m = shore_distance_at(table, lat[k], lon[k]) if is_sea_at(table, lat[k], lon[k]) else -math.inf
        best_lat, best_lon = lat[k], lon[k]
        if best_m < _OFF_SHORE_M:
            for r in range(-_STEPS, _STEPS + 1):
                for c in range(-_STEPS, _STEPS + 1):
                    lat_deg, lon_deg = sample(lat[k], lon[k], step_deg, r, c)
                    if abs(lat_deg) <= 90.0 and is_sea_at(table, lat_deg, lon_deg):
                        shore_m = shore_distance_at(table, lat_deg, lon_deg)
                        if shore_m > best_m and cell_at(lat_deg, lon_deg, resolution) == cell[k]:
                            best_m, best_lat, best_lon = shore_m, lat_deg, lon_deg
        whole[k] = best_m >= _WIDE_M
        for r in range(-_STEPS, _STEPS + 1, 2):
            for c in range(-_STEPS, _STEPS + 1, 2):
                lat_deg, lon_deg = sample(lat[k], lon[k], step_deg, r, c)
                if whole[k] and abs(lat_deg) <= 90.0 and is_sea_at(table, lat_deg, lon_deg):
                    seen = stays_at_sea(table, best_lat, best_lon, lat_deg, lon_deg)
                    whole[k] = seen or cell_at(lat_deg, lon_deg, resolution) != cell[k]
        lat[k] = best_lat if best_m > -math.inf else math.nan
        lon[k] = (best_lon + 180.0) % 360.0 - 180.0


def _by_resolution(tell: Tell) -> Iterator[tuple[int, Cells, Axis, Axis]]:
    """The cells of each resolution, and where their nodes are."""
    import h3.api.numpy_int as h3

    cell = np.asarray(h3.get_res0_cells(), np.uint64)
    for resolution in range(COARSEST, FINEST + 1):
        tell(0.2 * (resolution - COARSEST) / (FINEST - COARSEST))
        cell = uncompact(cell, resolution)
        lat, lon = centres(cell)
        shore_m = shore_distance_m(lat, lon)
        near = shore_m >= -WIDEST * EDGE_M[resolution] - _LAND_M
        cell, lat, lon = cell[near], lat[near], lon[near]
        whole = shore_m[near] >= _CLEAR_M.get(resolution, 0.0)
        if resolution not in _CLEAR_M:
            place_nodes(shore_table(), cell, resolution, lat, lon, WIDEST * EDGE_M[resolution], whole)
            whole = np.isfinite(lat) if resolution == FINEST else whole
        yield resolution, cell[whole], lat[whole], lon[whole]
        cell = cell[~whole]


def sea_cells(tell: Tell) -> tuple[Cells, Axis, Axis, NDArray[np.int32]]:
    """All cells, in the order of H3's hierarchy (near in it is near in space): cell, node's latitude and longitude,
    and the average distance in decimetres from centre to centre of cells of this resolution."""
    found = list(_by_resolution(tell))
    cell = np.concatenate([part[1] for part in found])
    order = np.argsort(cell & ~(np.uint64(0xF) << np.uint64(52)), kind="stable")
    lat, lon = (np.ascontiguousarray(np.concatenate([part[k] for part in found])[order]) for k in (2, 3))
    spacing = np.concatenate([np.full(part[1].size, 10.0 * math.sqrt(3.0) * EDGE_M[part[0]]) for part in found])
    return cell[order], lat, lon, spacing[order].astype(np.int32)
