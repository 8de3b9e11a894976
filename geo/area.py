"""Areas drawn by a user: polygons from GeoJSON, and which positions lie in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.errors import InputError

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


class Area:
    """One or more polygons; borders belong to it.

    Longitudes may run past 180 degrees, so that an area across the antimeridian can be drawn in one piece.

    Raises InputError where there is no polygon, or one whose sides cross or that leaves the globe.

    >>> square = {"type": "Polygon", "coordinates": [[[128, 34], [130, 34], [130, 36], [128, 36], [128, 34]]]}
    >>> Area(square).contains([35.1, 35.1], [129.0, 131.0]).tolist()
    [True, False]
    """

    def __init__(self, geojson: Mapping[str, Any]) -> None:
        from shapely import prepare
        from shapely.errors import ShapelyError
        from shapely.geometry import shape
        from shapely.ops import unary_union

        try:
            polygons = [shape(geometry) for geometry in _polygons(geojson)]
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, ShapelyError) as error:
            raise InputError(f"coordinates that make no polygon: {_reason(error)}") from None
        if not polygons or all(polygon.is_empty for polygon in polygons):
            raise InputError("no Polygon or MultiPolygon in it")
        for polygon in polygons:
            _check(polygon)
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
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}: not a GeoJSON area ({_reason(error)}); give Polygons in WGS84 degrees") from None

    def contains(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> NDArray[np.bool_]:
        """Which positions lie in the area or on its border; a position that is not known (NaN) does not.

        Parameters
        ----------
        lat_deg, lon_deg : (n,) degrees WGS84, longitude -180 to 180

        Returns
        -------
        (n,) bool
        """
        from shapely import intersects_xy

        lat, lon = np.asarray(lat_deg, float), np.asarray(lon_deg, float)
        inside = np.asarray(intersects_xy(self._shape, lon, lat), np.bool_)
        west, _, east, _ = self._shape.bounds
        if east >= 180.0:
            inside |= intersects_xy(self._shape, lon + 360.0, lat)
        if west <= -180.0:
            inside |= intersects_xy(self._shape, lon - 360.0, lat)
        return inside


def _polygons(geojson: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The polygons of any GeoJSON object; points and lines have no inside and are passed over."""
    kind = geojson.get("type")
    if kind == "FeatureCollection":
        for feature in geojson["features"]:
            yield from _polygons(feature)
    elif kind == "Feature":
        yield from _polygons(geojson.get("geometry") or {})
    elif kind == "GeometryCollection":
        for geometry in geojson["geometries"]:
            yield from _polygons(geometry)
    elif kind in {"Polygon", "MultiPolygon"}:
        yield geojson


def _check(polygon: BaseGeometry) -> None:
    """Refuse a polygon of which nobody can say what lies in it."""
    from shapely.validation import explain_validity

    if not polygon.is_valid:
        raise InputError(f"a polygon is not simple: {explain_validity(polygon)}; draw it without crossing sides")
    west, south, east, north = polygon.bounds
    if south < -90.0 or north > 90.0:
        raise InputError(f"latitude {south if south < -90.0 else north:g} is over 90; GeoJSON has longitude first")
    if west < -360.0 or east > 360.0:
        raise InputError(f"longitude {west if west < -360.0 else east:g} is over 360")


def _reason(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
