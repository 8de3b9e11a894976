"""shapely: zones by its STRtree, prepared polygons and `contains_xy`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from peer_points import beside, points
from peer_run import main


@cache
def polygons(path: Path) -> Any:
    """The zones, prepared, and their tree."""
    features = json.loads(path.read_text())["features"]
    shapes = np.array([shapely.from_geojson(json.dumps(feature["geometry"])) for feature in features])
    shapely.prepare(shapes)
    return shapes, shapely.STRtree(shapes)


def tree(path: str) -> int:
    """The tree's own predicate; the answer counts positions in at least one zone."""
    lat, lon = points(path)
    pairs = polygons(beside(path, "zones.geojson"))[1].query(shapely.points(lon, lat), predicate="intersects")
    return int(np.unique(pairs[0]).size)


def contains(path: str) -> int:
    """`contains_xy` of each zone on the positions in its box."""
    lat, lon = points(path)
    inside = np.zeros(lat.size, bool)
    for shape in polygons(beside(path, "zones.geojson"))[0]:
        west, south, east, north = shape.bounds
        near = np.flatnonzero((lat >= south) & (lat <= north) & (lon >= west) & (lon <= east))
        inside[near] |= shapely.contains_xy(shape, lon[near], lat[near])
    return int(np.count_nonzero(inside))


if __name__ == "__main__":
    main(shapely.__version__, {"tree": tree, "contains": contains}, lambda lines: [])
