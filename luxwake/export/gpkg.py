"""GeoPackage 1.3 by the standard library: a layer for each kind of feature, in WGS 84.

The standard (OGC 12-128r18) asks for four tables and for a header before each well-known binary; both are here. The
same features give the same bytes: the date of change is fixed.
"""

from __future__ import annotations

import sqlite3
import struct
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from luxwake.export.features import Feature

_APPLICATION_ID, _USER_VERSION = 0x47504B47, 10300  # "GPKG", 1.3.0
_CHANGED = "1970-01-01T00:00:00.000Z"
_WGS84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],'
    'UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4326"]]'
)
_TABLES = """
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '', last_change DATETIME NOT NULL, min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE,
  srs_id INTEGER REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL UNIQUE, column_name TEXT NOT NULL,
  geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
"""
_CODES = {"Point": 1, "MultiLineString": 5, "MultiPolygon": 6}
_TIMES = frozenset({"t_start", "t_end", "earliest", "latest"})
_NUMBERS = frozenset(
    {"score", "coverage", "vessel_probability", "probability", "slack_h", "least_stay_h", "area_nmi2", "speed_kn"}
)
_INTEGERS = frozenset({"rank", "mmsi", "other", "vessel_imo", "vessel_mmsi", "fixes", "open"})


def gpkg_bytes(features: Sequence[Feature]) -> bytes:
    """The features as the bytes of a GeoPackage."""
    layers: dict[str, list[Feature]] = {}
    for feature in features:
        layers.setdefault(feature.layer, []).append(feature)
    with tempfile.TemporaryDirectory(prefix="luxwake-") as folder:
        path = Path(folder) / "case.gpkg"
        database = sqlite3.connect(path)
        try:
            database.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            database.execute(f"PRAGMA user_version = {_USER_VERSION}")
            database.executescript(_TABLES)
            systems = [
                ("Undefined Cartesian", -1, "NONE", -1, "undefined", ""),
                ("Undefined geographic", 0, "NONE", 0, "undefined", ""),
                ("WGS 84 geodetic", 4326, "EPSG", 4326, _WGS84, "longitude and latitude in degrees"),
            ]
            database.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?,?,?,?,?,?)", systems)
            for name, of_layer in sorted(layers.items()):
                _write_layer(database, name, of_layer)
            database.commit()
        finally:
            database.close()
        return path.read_bytes()


def _write_layer(database: sqlite3.Connection, name: str, features: Sequence[Feature]) -> None:
    columns = list(dict.fromkeys(key for feature in features for key in feature.properties))
    declared = ", ".join(f'"{column}" {_type(column)}' for column in columns)
    database.execute(
        f'CREATE TABLE "{name}" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom BLOB, id TEXT, {declared})'
    )
    boxes = [_box(feature.geometry["coordinates"]) for feature in features]
    bounds = [min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)]
    database.execute(
        "INSERT INTO gpkg_contents VALUES (?,'features',?,?,?,?,?,?,?,4326)", (name, name, "", _CHANGED, *bounds)
    )
    kind = features[0].geometry["type"].upper()
    database.execute("INSERT INTO gpkg_geometry_columns VALUES (?,'geom',?,4326,0,0)", (name, kind))
    places = ",".join("?" * (len(columns) + 2))
    named = ", ".join(f'"{column}"' for column in ("geom", "id", *columns))
    rows = (
        (_blob(feature.geometry, box), feature.id, *(_value(c, feature.properties.get(c)) for c in columns))
        for feature, box in zip(features, boxes, strict=True)
    )
    database.executemany(f'INSERT INTO "{name}" ({named}) VALUES ({places})', rows)


def _type(column: str) -> str:
    if column in _TIMES:
        return "DATETIME"
    return "DOUBLE" if column in _NUMBERS else "INTEGER" if column in _INTEGERS else "TEXT"


def _value(column: str, value: Any) -> Any:
    """A value as its column declares it; what is of another type is null there."""
    kind = _type(column)
    if kind == "DATETIME":
        return f"{value[:10]}T{value[11:19] or '00:00:00'}.000Z" if isinstance(value, str) and value else None
    if kind == "TEXT":
        return None if value is None else str(value)
    if not isinstance(value, int | float) or not abs(value) < 2**63:
        return None
    return float(value) if kind == "DOUBLE" else int(value)


def _positions(coordinates: Any) -> Iterator[Sequence[float]]:
    if isinstance(coordinates[0], int | float):
        yield coordinates
    else:
        for part in coordinates:
            yield from _positions(part)


def _box(coordinates: Any) -> tuple[float, float, float, float]:
    x, y = zip(*((float(p[0]), float(p[1])) for p in _positions(coordinates)), strict=True)
    return min(x), min(y), max(x), max(y)


def _blob(geometry: dict[str, Any], box: tuple[float, float, float, float]) -> bytes:
    """The header (little-endian, with an envelope) and the well-known binary."""
    west, south, east, north = box
    head = b"GP" + struct.pack("<BBi4d", 0, 0b11, 4326, west, east, south, north)
    code, coordinates = _CODES[geometry["type"]], geometry["coordinates"]
    if code == 1:
        return head + struct.pack("<BI2d", 1, 1, *coordinates)
    parts = [_line(part) if code == 5 else _polygon(part) for part in coordinates]
    return head + struct.pack("<BII", 1, code, len(parts)) + b"".join(parts)


def _pairs(points: Sequence[Sequence[float]]) -> bytes:
    return struct.pack(f"<I{2 * len(points)}d", len(points), *(value for point in points for value in point))


def _line(points: Sequence[Sequence[float]]) -> bytes:
    return struct.pack("<BI", 1, 2) + _pairs(points)


def _polygon(rings: Sequence[Sequence[Sequence[float]]]) -> bytes:
    return struct.pack("<BII", 1, 3, len(rings)) + b"".join(map(_pairs, rings))
