"""Files of zones as they are: GeoJSON (RFC 7946), GeoPackage (OGC 12-128r19) and ESRI shapefiles.

Coordinates must be degrees of WGS84. A file that says otherwise is refused and not converted: a datum or a projection
that is guessed moves a border without a word.
"""

from __future__ import annotations

import json
import re
import sqlite3
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.errors import InputError, UsageError
from geo.shapefile import MAGIC, read_attributes, read_shapes, shapefiles

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

NAME_FIELDS = ("name", "geoname", "territory1", "title", "label", "zone")
"""Attributes that hold the name of a zone, in this order, in any case; the second and third are of Marine Regions."""
_KIND_FIELDS = ("pol_type", "kind", "zone_type", "type")
_ID_FIELDS = ("mrgid", "id", "fid")
_KINDS = {"200nm": "EEZ", "24nm": "contiguous zone", "12nm": "territorial sea"}
"""Words for the codes that Marine Regions has in POL_TYPE; its others ("Overlapping claim") are words already."""
_WGS84 = re.compile(r"(^|[^0-9])(EPSG:+4326|EPSG:+4979|CRS84h?)$|^WGS ?84$", re.IGNORECASE)
_POLYGONS = frozenset({"Polygon", "MultiPolygon"})
_TO_WGS84 = "convert it with `ogr2ogr -t_srs EPSG:4326`, or assert it with --crs EPSG:4326"


@dataclass(frozen=True, slots=True)
class Feature:
    """A zone as a file has it: its polygons as drawn, and its attributes with names in lower case."""

    shape: BaseGeometry
    attributes: Mapping[str, str]


@dataclass(slots=True)
class ZoneFile:
    """The features of a file, and remarks about it.

    `left_out` counts what has no area by what it is: points and lines, null and empty geometries.
    """

    name: str
    features: list[Feature] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def add(self, shape: BaseGeometry | None, attributes: Mapping[str, Any]) -> None:
        """One feature; only its polygons are kept."""
        import shapely

        if shape is None or shape.is_empty:
            self.left_out["null geometry" if shape is None else "empty geometry"] += 1
            return
        parts = _flat(shape)
        polygons = [part for part in parts if part.geom_type == "Polygon" and not part.is_empty]
        if not polygons:
            self.left_out[parts[0].geom_type if parts else "empty geometry"] += 1
            return
        if len(polygons) < len(parts):
            self.left_out["point or line beside polygons"] += len(parts) - len(polygons)
        texts = {str(name).lower(): str(value).strip() for name, value in attributes.items() if value is not None}
        self.features.append(Feature(shapely.MultiPolygon(polygons), texts))


def name_of(feature: Feature, number: int, name_field: str | None) -> str:
    """The name of a zone: an attribute, or its number in the file."""
    texts = feature.attributes
    for key in NAME_FIELDS if name_field is None else (name_field.lower(),):
        if texts.get(key):
            return texts[key]
    return f"zone {number + 1}"


def kind_of(feature: Feature) -> str:
    """What kind of zone it is: `EEZ`, `territorial sea`, `overlapping claim`, or the file's own word; else empty."""
    text = next((feature.attributes[key] for key in _KIND_FIELDS if feature.attributes.get(key)), "")
    return _KINDS.get(text.replace(" ", "").lower(), text.lower())


def id_of(feature: Feature) -> str:
    """The number of a zone in its own register (MRGID of Marine Regions), or what the file has; else empty."""
    text = next((feature.attributes[key] for key in _ID_FIELDS if feature.attributes.get(key)), "")
    return re.sub(r"^(\d+)\.0*$", r"\1", text)  # a table may hold 5690 as 5690.000


def read_zone_file(path: Path, layer: str | None = None, crs: str | None = None) -> ZoneFile:
    """Read a file by its content; `crs` asserts WGS84 where the file says nothing or something else.

    Raises UsageError (a CRS that is not WGS84, a layer that is not there) and InputError (unreadable, another CRS).
    """
    if crs is not None and not is_wgs84(crs):
        raise UsageError(f"--crs {crs}: only EPSG:4326 can be asserted; convert with `ogr2ogr -t_srs EPSG:4326`")
    try:
        if path.is_dir():
            return _read_shapefiles(path, crs, layer)
        with path.open("rb") as stream:
            head = stream.read(16)
        if head.startswith(b"SQLite format 3"):
            return _read_geopackage(path, crs, layer)
        if head.startswith((MAGIC, b"PK\x03\x04")):
            return _read_shapefiles(path, crs, layer)
        if layer is not None:
            raise UsageError(f"--layer {layer}: {path} is GeoJSON, which has no layers; leave --layer out")
        return _read_geojson(path, crs)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from None


def is_wgs84(name: str) -> bool:
    """Whether the name of a CRS is one of those of WGS84 in degrees.

    >>> [is_wgs84(name) for name in ("EPSG:4326", "urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:3857")]
    [True, True, False]
    """
    return bool(_WGS84.search(re.sub(r":[0-9.]*:", ":", name.strip())))


def _check_crs(found: str | None, name: str, crs: str | None, notes: list[str]) -> None:
    """Refuse what is not WGS84, unless the user asserts it."""
    if found is not None and is_wgs84(found):
        return
    if crs is None:
        said = "says no CRS" if found is None else f"is in {found}, not WGS84"
        raise InputError(f"{name}: {said}; {_TO_WGS84 if found else 'assert WGS84 with --crs EPSG:4326'}")
    notes.append(f"{name}: {'no CRS' if found is None else found} taken as WGS84, as asserted")


def _flat(shape: BaseGeometry) -> list[BaseGeometry]:
    """The simple parts of any geometry, of collections in collections too."""
    import shapely

    parts = [shape]
    while any(hasattr(part, "geoms") for part in parts):
        parts = shapely.get_parts(parts).tolist()
    return parts


def _read_geojson(path: Path, crs: str | None) -> ZoneFile:
    try:
        loaded = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        what = reason_of(error)
        raise InputError(f"{path}: not a GeoJSON area ({what}); give GeoJSON, GeoPackage or a shapefile") from None
    return geojson_zones(loaded, str(path), crs)


def geojson_zones(loaded: Any, name: str, crs: str | None = None) -> ZoneFile:
    """The features of a GeoJSON object of any type; InputError names the feature that makes no polygon."""
    made = ZoneFile(name)
    if not isinstance(loaded, dict):
        raise InputError(f"{name}: not a GeoJSON area (not an object); give Polygons in WGS84 degrees")
    if loaded.get("crs") is not None:  # GeoJSON of 2008; since RFC 7946 it is always WGS84
        member = loaded["crs"]
        found = member.get("properties", {}).get("name") if isinstance(member, dict) else None
        _check_crs(found if isinstance(found, str) else f"CRS {json.dumps(member)[:60]}", name, crs, made.notes)
    if loaded.get("type") == "FeatureCollection" and not isinstance(loaded.get("features"), list):
        raise InputError(f"{name}: not a GeoJSON area (a FeatureCollection without 'features'); export it again")
    for number, feature in enumerate(_features(loaded)):
        try:
            _add_geojson(made, feature)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
            what = f"coordinates that make no polygon: {reason_of(error)}"
            raise InputError(f"{name}: not a GeoJSON area (feature {number + 1}: {what}); export it again") from None
    return made


def _features(loaded: Mapping[str, Any]) -> Iterator[Any]:
    if loaded.get("type") == "FeatureCollection":
        yield from loaded["features"]
    else:
        yield loaded


def _add_geojson(made: ZoneFile, feature: Mapping[str, Any]) -> None:
    import shapely
    from shapely.geometry import shape

    is_feature = feature.get("type") == "Feature"
    geometry = feature.get("geometry") if is_feature else feature
    attributes = dict(feature.get("properties") or {}) if is_feature else {}
    if is_feature and feature.get("id") is not None:
        attributes.setdefault("id", feature["id"])
    try:
        made.add(shape(geometry) if geometry and geometry.get("type") else None, attributes)
    except shapely.errors.ShapelyError as error:
        raise ValueError(reason_of(error)) from None


def _read_shapefiles(path: Path, crs: str | None, layer: str | None) -> ZoneFile:
    made = ZoneFile(str(path))
    found = shapefiles(path)
    names = [Path(name).stem for name, _ in found]
    _check_layer(layer, names, path)
    for name, files in found:
        if layer is not None and Path(name).stem != layer:
            continue
        label = str(path) if path.name == name else f"{path}: {name}"
        prj = files.get(".prj")
        _check_crs(None if prj is None else _crs_of_wkt(prj.decode("latin-1")), label, crs, made.notes)
        encoding = files.get(".cpg", b"utf-8").decode("latin-1").strip() or "utf-8"
        rows = read_attributes(files[".dbf"], label, encoding) if ".dbf" in files else []
        for number, shape in enumerate(read_shapes(files[".shp"], label)):
            made.add(shape, rows[number] if number < len(rows) else {})
    return made


def _crs_of_wkt(wkt: str) -> str:
    """The name of the CRS that a `.prj` describes; `EPSG:4326` where it is WGS84 in degrees."""
    name = re.match(r'\s*(\w+)\s*\[\s*"([^"]*)"', wkt)
    if name is None:
        return f"an unknown CRS ({wkt[:40]!r})"
    geographic = name[1].upper() in {"GEOGCS", "GEOGCRS", "GEODCRS", "GEOGRAPHICCRS"}
    wgs84 = re.sub(r"[^A-Z0-9]", "", name[2].upper()) in {"GCSWGS1984", "WGS84", "WGS1984"}
    degrees = re.search(r'"degree"|0\.01745329', wkt, re.IGNORECASE)
    return "EPSG:4326" if geographic and wgs84 and degrees else name[2]


def _check_layer(layer: str | None, names: list[str], path: Path) -> None:
    if layer is not None and layer not in names:
        raise UsageError(f"--layer {layer}: not in {path}; it has {', '.join(names) or 'none'}")


def _read_geopackage(path: Path, crs: str | None, layer: str | None) -> ZoneFile:
    made = ZoneFile(str(path))
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            layers = database.execute(
                "select c.table_name, g.column_name, g.srs_id, s.organization, s.organization_coordsys_id"
                " from gpkg_contents c join gpkg_geometry_columns g using (table_name)"
                " left join gpkg_spatial_ref_sys s on s.srs_id = g.srs_id"
                " where c.data_type = 'features' order by c.table_name"
            ).fetchall()
            _check_layer(layer, [row[0] for row in layers], path)
            if not layers:
                raise InputError(f"{path}: no layer of features in it; export the zones again")
            for name, column, srs, organization, code in layers:
                if layer in (None, name):
                    known = srs not in (None, 0, -1) and organization is not None
                    label = f"{path}: layer {name}"
                    _check_crs(f"{organization}:{code}".upper() if known else None, label, crs, made.notes)
                    _read_layer(database, name, column, made, label)
    except sqlite3.Error as error:
        raise InputError(f"{path}: not a GeoPackage, or damaged ({error}); export it again") from None
    return made


def _read_layer(database: sqlite3.Connection, name: str, column: str, made: ZoneFile, label: str) -> None:
    import shapely

    quoted = '"' + name.replace('"', '""') + '"'
    rows = database.execute(f"select * from {quoted}")
    names = [entry[0] for entry in rows.description]
    place = names.index(column)
    for number, row in enumerate(rows):
        attributes = {key: value for key, value in zip(names, row, strict=True) if not isinstance(value, bytes)}
        try:
            made.add(_geometry_of(row[place]), attributes)
        except (ValueError, struct.error, shapely.errors.ShapelyError) as error:
            what = reason_of(error)
            raise InputError(
                f"{label}: geometry of row {number + 1} cannot be read ({what}); export it again"
            ) from None


_ENVELOPE_BYTES = (0, 32, 48, 48, 64)


def _geometry_of(blob: object) -> BaseGeometry | None:
    """The geometry of a GeoPackageBinary: a header of 8 bytes, an envelope, then WKB."""
    import shapely

    if blob is None:
        return None
    if not isinstance(blob, bytes) or len(blob) < 8 or blob[:2] != b"GP":
        raise ValueError("no GeoPackageBinary")
    envelope = blob[3] >> 1 & 7
    if envelope >= len(_ENVELOPE_BYTES):
        raise ValueError("an envelope of an unknown kind")
    made: BaseGeometry = shapely.from_wkb(blob[8 + _ENVELOPE_BYTES[envelope] :])
    return made


def reason_of(error: BaseException) -> str:
    """The first line of an error, or its kind."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__
