"""The coastline for a map: Natural Earth's land, clipped to a box. What is sea is for `geo.coast` to say."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.errors import UsageError


class _Land(NamedTuple):
    """Natural Earth's land: all rings in one (n, 2) array of degrees, lat before lon."""

    points: NDArray[np.float64]
    ring_start: NDArray[np.int64]
    polygon_start: NDArray[np.int64]  # into the rings; the first ring of a polygon is its outside
    boxes: NDArray[np.float64]  # (polygons, 4): lat_min, lat_max, lon_min, lon_max


@cache
def _land() -> _Land:
    with np.load(Path(__file__).parent / "tables" / "coastline.npz") as stored:
        steps, ring_length, rings = stored["steps"], stored["ring_length"], stored["rings_of_polygon"]
        points = np.cumsum(steps, axis=0, dtype=np.int64) / float(stored["units_per_deg"])
    ring_start = np.concatenate([[0], np.cumsum(ring_length, dtype=np.int64)])
    polygon_start = np.concatenate([[0], np.cumsum(rings, dtype=np.int64)])
    first = ring_start[polygon_start[:-1]]
    low, high = np.minimum.reduceat(points, first), np.maximum.reduceat(points, first)
    boxes = np.stack([low[:, 0], high[:, 0], low[:, 1], high[:, 1]], axis=1)
    return _Land(points, ring_start, polygon_start, boxes)


def coastline(lat_min: float, lat_max: float, lon_min: float, lon_max: float) -> list[NDArray[np.float64]]:
    """Land in a box, as closed rings (n, 2) of latitude and longitude for a map; fill them by the even-odd rule.

    Natural Earth 1:10 million (good to about 1 km), clipped to the box; the Caspian Sea is a ring of its own. A box
    across 180 degrees has `lon_max` under `lon_min`, or over 180; the longitudes of its rings then run on from
    `lon_min` without a jump.

    Raises UsageError for a box that is empty or off the globe.

    >>> rings = coastline(34.0, 36.0, 128.0, 130.0)
    >>> len(rings) > 5, bool((rings[0][0] == rings[0][-1]).all())
    (True, True)
    """
    import shapely

    if not (-90.0 <= lat_min < lat_max <= 90.0):
        raise UsageError(f"a box needs -90 <= lat_min < lat_max <= 90, not {lat_min} and {lat_max}")
    if not (-180.0 <= lon_min <= 180.0 and -180.0 <= lon_max <= 540.0 and lon_min != lon_max):
        raise UsageError(f"a box needs longitudes of -180 to 180 that differ, not {lon_min} and {lon_max}")
    east = lon_max if lon_max > lon_min else lon_max + 360.0
    east = min(east, lon_min + 360.0)
    land = _land()
    rings: list[NDArray[np.float64]] = []
    for shift in (0.0, 360.0):
        low, high = max(lon_min - shift, -180.0), min(east - shift, 180.0)
        if low >= high:
            continue
        box = land.boxes
        near = (box[:, 1] > lat_min) & (box[:, 0] < lat_max) & (box[:, 3] > low) & (box[:, 2] < high)
        for number in np.flatnonzero(near):
            bounds = land.ring_start[land.polygon_start[number] : land.polygon_start[number + 1] + 1]
            shell, *holes = [land.points[a:b, ::-1] for a, b in pairwise(bounds)]
            clipped = shapely.clip_by_rect(shapely.Polygon(shell, holes), low, lat_min, high, lat_max)
            for part in shapely.get_parts(clipped):
                if part.geom_type == "Polygon":
                    rings += [
                        np.array(ring.coords)[:, ::-1] + (0.0, shift) for ring in (part.exterior, *part.interiors)
                    ]
    return rings
