"""Areas drawn by a user: polygons from GeoJSON, and which positions lie in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.errors import InputError


class Area:
    """One or more polygons; borders belong to it.

    >>> square = {"type": "Polygon", "coordinates": [[[128, 34], [130, 34], [130, 36], [128, 36], [128, 34]]]}
    >>> Area(square).contains([35.1, 35.1], [129.0, 131.0]).tolist()
    [True, False]
    """

    def __init__(self, geojson: dict[str, Any]) -> None:
        from shapely import prepare
        from shapely.geometry import shape
        from shapely.ops import unary_union

        if geojson.get("type") == "FeatureCollection":
            geometries = [feature.get("geometry") for feature in geojson.get("features", ())]
        else:
            geometries = [geojson.get("geometry") if geojson.get("type") == "Feature" else geojson]
        polygons = [shape(g) for g in geometries if g and g.get("type") in {"Polygon", "MultiPolygon"}]
        if not polygons:
            raise InputError("no Polygon or MultiPolygon in it")
        self._shape = unary_union(polygons)
        prepare(self._shape)

    @classmethod
    def from_file(cls, path: str | Path) -> Area:
        """Read a GeoJSON file; InputError names the file and what is wrong."""
        try:
            loaded = json.loads(Path(path).read_text(encoding="utf-8-sig"))
            if not isinstance(loaded, dict):
                raise InputError("not an object")
            return cls(loaded)
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from None
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(f"{path}: not a GeoJSON area ({reason}); give Polygons in WGS84 degrees") from None

    def contains(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> NDArray[np.bool_]:
        """Which positions lie in the area or on its border."""
        from shapely import intersects_xy

        return np.asarray(intersects_xy(self._shape, np.asarray(lon_deg, float), np.asarray(lat_deg, float)), np.bool_)
