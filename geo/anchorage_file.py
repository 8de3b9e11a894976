"""Anchorages as GeoJSON (RFC 7946): polygons for a map, and all that is needed to read them back exactly.

The cells are the truth and the polygons their outline; a polygon across 180 degrees is cut there. Numbers are written
with all their digits, times as ISO 8601 in UTC with microseconds, what is not known as null.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.anchorages import ANCHORAGE_RESOLUTION, KINDS, Anchorage
from geo.errors import InputError, UsageError

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

FORMAT = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES = ("first_seen", "last_seen")
_NULLS = ("swing_m",)


def anchorages_text(places: Sequence[Anchorage], params: Mapping[str, Any]) -> str:
    """The FeatureCollection, one anchorage a line."""
    head = json.dumps({"luxwake_anchorages": FORMAT, "parameters": params}, sort_keys=True, separators=(",", ":"))
    lines = ",\n".join(
        json.dumps(_feature(place), ensure_ascii=False, allow_nan=False, separators=(",", ":")) for place in places
    )
    return f'{{"type":"FeatureCollection",{head[1:-1]},"features":[\n{lines}\n]}}\n'


def _feature(place: Anchorage) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for one in fields(place):
        value = getattr(place, one.name)
        if one.name in _TIMES:
            value = (_EPOCH + timedelta(microseconds=value)).isoformat(timespec="microseconds").replace("+00:00", "Z")
        elif one.name in _NULLS and math.isnan(value):
            value = None
        elif one.name == "cells":
            value = " ".join(f"{cell:x}" for cell in value)  # a list would be many lines in the table of a map
        properties[one.name] = value
    del properties["id"]
    return {"type": "Feature", "id": place.id, "geometry": _outline(place.cells), "properties": properties}


def _outline(cells: Sequence[int]) -> dict[str, Any]:
    """The outline of cells as a Polygon or MultiPolygon, cut at 180 degrees."""
    import h3.api.basic_int as h3
    from shapely.affinity import translate
    from shapely.geometry import Polygon, box, mapping
    from shapely.geometry.polygon import orient
    from shapely.ops import unary_union

    shells = []
    for polygon in _polygons(h3.cells_to_h3shape(list(cells))):
        rings = [[(lon, lat) for lat, lon in ring] for ring in (polygon.outer, *polygon.holes)]
        if any(abs(a[0] - b[0]) > 180.0 for ring in rings for a, b in pairwise(ring)):
            rings = [[(lon + 360.0 if lon < 0.0 else lon, lat) for lon, lat in ring] for ring in rings]
        shells.append(Polygon(rings[0], rings[1:]))
    whole = unary_union(shells)
    if whole.bounds[2] > 180.0:
        west = translate(whole.intersection(box(180.0, -90.0, 540.0, 90.0)), -360.0)
        whole = unary_union([whole.intersection(box(-180.0, -90.0, 180.0, 90.0)), west])
    parts = [orient(part) for part in getattr(whole, "geoms", [whole])]
    made = [_rounded(part, mapping) for part in parts]
    if len(made) == 1:
        return {"type": "Polygon", "coordinates": made[0]}
    return {"type": "MultiPolygon", "coordinates": made}


def _polygons(shape: Any) -> Sequence[Any]:
    return shape.polys if hasattr(shape, "polys") else [shape]


def _rounded(polygon: BaseGeometry, mapping: Callable[[Any], Any]) -> list[list[list[float]]]:
    """Rings with seven decimals, 1 cm."""
    return [[[round(lon, 7), round(lat, 7)] for lon, lat in ring] for ring in mapping(polygon)["coordinates"]]


def read_anchorages(path: Path) -> tuple[list[Anchorage], dict[str, Any]]:
    """The anchorages of a file and the parameters by which they were found."""
    try:
        loaded = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: not JSON; give the file that `luxwake anchorages` wrote") from None
    features = loaded.get("features") if isinstance(loaded, dict) else None
    if not isinstance(features, list) or loaded.get("luxwake_anchorages") != FORMAT:
        raise InputError(f"{path}: not the anchorages of Luxwake; give the file that `luxwake anchorages` wrote")
    params = loaded.get("parameters")
    places, seen = [], set[int]()
    for number, feature in enumerate(features, start=1):
        try:
            place = _anchorage(feature)
        except KeyError as error:
            raise InputError(f"{path}: anchorage {number} has no {error}; write the file anew") from None
        except (ValueError, TypeError, AttributeError, OverflowError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(f"{path}: anchorage {number}: {reason}; write the file anew") from None
        if twice := seen.intersection(place.cells):
            raise InputError(f"{path}: anchorage {number}: cell {min(twice):x} is in another one too; a cell has one")
        seen.update(place.cells)
        places.append(place)
    return places, params if isinstance(params, dict) else {}


def _anchorage(feature: Mapping[str, Any]) -> Anchorage:
    """One feature; ValueError, KeyError or TypeError where it is none of ours."""
    given = {**feature["properties"], "id": feature["id"]}
    values: dict[str, Any] = {}
    for one in fields(Anchorage):
        value = given[one.name]
        if one.name in _TIMES:
            value = (datetime.fromisoformat(value) - _EPOCH) // timedelta(microseconds=1)
        elif one.name == "cells":
            value = tuple(_cell(word) for word in value.split())
            if not value or list(value) != sorted(set(value)):
                raise UsageError("its cells are not a list in ascending order")
        elif value is None and one.name in _NULLS:
            value = math.nan
        elif one.type == "float":
            value = _number(one.name, value)
        elif one.type == "int" and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            raise UsageError(f"{one.name} is {value!r}, not a number from 0 on")
        elif one.type == "str" and not isinstance(value, str):
            raise UsageError(f"{one.name} is {value!r}, not a text")
        values[one.name] = value
    if values["kind"] not in KINDS:
        raise UsageError(f"kind is {values['kind']!r}, not one of {', '.join(KINDS)}")
    if abs(values["lat"]) > 90.0 or abs(values["lon"]) > 180.0:
        raise UsageError(f"{values['lat']}, {values['lon']} is no position")
    return Anchorage(**values)


def _number(name: str, value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise UsageError(f"{name} is {value!r}, not a number")
    return float(value)


def _cell(word: str) -> int:
    """A cell of the resolution of anchorages, from its hex digits."""
    import h3.api.basic_int as h3

    cell = int(word, 16)
    if not (0 < cell < 1 << 63 and h3.is_valid_cell(cell) and h3.get_resolution(cell) == ANCHORAGE_RESOLUTION):
        raise UsageError(f"{word!r} is no H3 cell of resolution {ANCHORAGE_RESOLUTION}")
    return cell
