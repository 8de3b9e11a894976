"""The outline of cells at sea, for a map.

Cells of several sizes do not tile without slivers, and they overlap the land. So the outline is drawn on a grid of
positions, 300 rows to the area: those at sea whose cell is among the cells, joined into polygons and smoothed by half
a step.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.cells import cells, parents, resolutions
from geo.coast import is_sea
from geo.sea_cells import EDGE_M, WIDEST

_ROWS = 300
_FINEST_DEG = 0.004
_M_PER_DEG = 111_195.0

Axis = NDArray[np.float64]


def are_among(lat: Axis, lon: Axis, cell: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Whether positions (n,) lie in one of some cells of several resolutions."""
    found = np.zeros(lat.size, np.bool_)
    at = resolutions(cell)
    finest = cells(lat, lon, int(at.max()))
    for resolution in np.unique(at).tolist():
        some = np.sort(cell[at == resolution])
        above = parents(finest, resolution)
        found |= some[np.minimum(np.searchsorted(some, above), some.size - 1)] == above
    return found


def _window(cell: NDArray[np.uint64], lat: Axis, lon: Axis) -> tuple[float, float, float, float]:
    """The box around cells: south, north, west, east, which may be beyond 180 degrees."""
    wide_deg = np.array([WIDEST * EDGE_M[r] for r in range(3, 9)])[resolutions(cell) - 3] / _M_PER_DEG
    south, north = max(-90.0, float((lat - wide_deg).min())), min(90.0, float((lat + wide_deg).max()))
    across = wide_deg / np.maximum(0.02, np.cos(np.radians(np.minimum(89.0, np.abs(lat) + wide_deg))))
    turn = np.sort(lon)
    gaps = np.diff(turn, append=turn[0] + 360.0)
    west = float(turn[(np.argmax(gaps) + 1) % turn.size])
    unrolled = west + (lon - west) % 360.0
    low, high = float((unrolled - across).min()), float((unrolled + across).max())
    return (south, north, low, high) if high - low < 360.0 else (south, north, -180.0, 180.0)


def area_of(cell: NDArray[np.uint64], lat: Axis, lon: Axis) -> dict[str, Any]:
    """A GeoJSON MultiPolygon of the sea in cells (of one graph, with their nodes), cut at 180 degrees."""
    import shapely
    from shapely.geometry import mapping

    if not cell.size:
        return {"type": "MultiPolygon", "coordinates": []}
    south, north, west, east = _window(cell, lat, lon)
    step = max(_FINEST_DEG, (north - south) / _ROWS)
    stretch = 1.0 / max(0.2, float(np.cos(np.radians(0.5 * (south + north)))))
    rows = south + step * (np.arange(int((north - south) / step) + 1) + 0.5)
    columns = west + step * stretch * (np.arange(int((east - west) / (step * stretch)) + 1) + 0.5)
    rows = rows[rows < 90.0]
    grid = [np.ascontiguousarray(part.ravel()) for part in np.meshgrid(rows, columns, indexing="ij")]
    at_sea = np.flatnonzero(is_sea(*grid))
    inside = np.zeros(grid[0].size, np.int8)
    inside[at_sea] = are_among(grid[0][at_sea], grid[1][at_sea], cell)
    turns = np.diff(inside.reshape(rows.size, columns.size), prepend=0, append=0, axis=1)
    row, first = np.nonzero(turns == 1)
    after = np.nonzero(turns == -1)[1]
    boxes = shapely.box(
        west + step * stretch * first, rows[row] - step / 2, west + step * stretch * after, rows[row] + step / 2
    )
    whole = shapely.union_all(boxes).simplify(step / 2)
    parts = []
    for shift in (-360.0, 0.0, 360.0):
        cut = shapely.intersection(whole, shapely.box(-180.0 + shift, -90.0, 180.0 + shift, 90.0))
        moved = shapely.set_precision(shapely.transform(cut, lambda xy, by=shift: xy - (by, 0.0)), 0.001)
        parts += [part for part in shapely.get_parts(moved) if part.geom_type == "Polygon" and not part.is_empty]
    # the last column of a whole turn overlaps the first
    joined = shapely.get_parts(shapely.union_all(parts, grid_size=0.001))
    drawn: dict[str, Any] = mapping(shapely.orient_polygons(shapely.normalize(shapely.MultiPolygon(list(joined)))))
    return {"type": drawn["type"], "coordinates": _rounded(drawn["coordinates"])}


def _rounded(coordinates: Any) -> Any:
    """Nested coordinates as lists with three decimals."""
    if isinstance(coordinates, float):
        return round(coordinates, 3)
    return [_rounded(inner) for inner in coordinates]
