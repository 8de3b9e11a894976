"""Zones as GeoJSON, for several test modules."""

from __future__ import annotations

from typing import Any

from shapely.geometry import mapping

import luxwake as lw

SQUARE = [[128, 34], [130, 34], [130, 36], [128, 36], [128, 34]]
HOLE = [[128.5, 34.5], [129.5, 34.5], [129.5, 35.5], [128.5, 35.5], [128.5, 34.5]]


def polygon(*corners: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(corner) for corner in (*corners, corners[0])]]}


def collection(*shapes: Any, **columns: list[Any]) -> dict[str, Any]:
    """GeoJSON of shapely or GeoJSON geometries; `columns` are their attributes."""
    features = []
    for n, shape in enumerate(shapes):
        geometry = shape if shape is None or isinstance(shape, dict) else mapping(shape)
        values = {key: column[n] for key, column in columns.items()}
        features.append({"type": "Feature", "properties": values, "geometry": geometry})
    return {"type": "FeatureCollection", "features": features}


def sets_of(zones: lw.Zones, lat: Any, lon: Any) -> list[set[int]]:
    return [set(zones.sets[number]) for number in zones.of(lat, lon).tolist()]
