"""Positions in Parquet, read with DuckDB: columns by their names, as in a CSV.

Needed are a time (timestamp, text, or a count of seconds, ms, µs or ns since 1970), an MMSI, a latitude and a
longitude; the names are those of `csv_names`. In GeoParquet the position may be a geometry instead: a point in
well-known binary (OGC 06-103r4). A Parquet file has no lines, so `offset` is the row number, from 0.
"""

from __future__ import annotations

import glob
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ais.csv_fields import REASONS, STATUS_CODE, STATUS_NAMES
from ais.csv_names import NEEDED, check_columns, columns_of_header
from ais.csv_static import LARGEST_IMO, SHIP_TYPES, changes_of
from ais.csv_values import FIRST_UNIX_US, LAST_UNIX_US
from ais.mmsi import AID_TO_NAVIGATION, BASE_STATION, EPIRB, MAN_OVERBOARD, SART, mmsi_class
from ais.table import FIX_DTYPES, NAT, NAV_STATUS_UNKNOWN, STATIC_DTYPES, Fixes, Static, columns_of
from geo.errors import InputError

if TYPE_CHECKING:
    import duckdb

_NUMBERS = ("lat", "lon", "sog", "cog", "heading")
_TEXTS = ("callsign", "name", "destination")
_SIZES = ("length", "width", "to_bow", "to_stern", "to_port", "to_starboard")
_SIZE_LIMITS = {"to_bow": 511, "to_stern": 511, "to_port": 63, "to_starboard": 63, "length": 1022, "width": 126}
_MEASURED = (("sog", "speed", 102.25, 102.3), ("cog", "course", 360.0, 360.0), ("heading", "heading", 360.0, 511.0))
_GEOMETRIES = ("geometry", "geom", "wkb_geometry", "wkb", "point")
_POINT = np.dtype([("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")])
_CLASSES = {"a": 1, "class a": 1, "b": 18, "class b": 18, "sar airborne": 9, "base station": 4, "aton": 21}


def read_parquet(
    path: str | Path, source: int = 0, columns: Mapping[str, str] | None = None
) -> tuple[Fixes, dict[str, int]]:
    """Positions and static reports of a Parquet file, in the order of the file.

    Parameters
    ----------
    path : a file
    source : the code of the column `source`
    columns : for some fields, the column that holds it

    Returns
    -------
    fixes : with `offset` as the row number in the file, and the static reports in `fixes.static` (one row each time
        a vessel's static values change)
    counts : rows and values that were not used, by reason

    Raises
    ------
    InputError
        If a needed column is missing, or the file is damaged.

    Examples
    --------
    >>> import duckdb, pathlib, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name, "a.parquet")
    >>> rows = "(values (timestamp '2023-01-11 00:00:01', 200000001, 55.5, 12.5), (null, 2, 0, 0)) t(t, mmsi, lat, lon)"
    >>> _ = duckdb.sql(f"copy (from {rows}) to '{path}' (format parquet)")
    >>> fixes, counts = read_parquet(path)
    >>> fixes["t"].tolist(), fixes["lat"].tolist(), counts
    ([1673395201000000], [55.5], {'no time': 1})
    >>> folder.cleanup()
    """
    import duckdb

    name = str(path)
    if not Path(path).is_file():
        raise InputError(
            f"{name}: no such file; check the path (Parquet cannot be read from standard input or inside an archive)"
        )
    settings = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    try:
        with duckdb.connect(config=settings) as connection:
            connection.execute("set timezone = 'UTC'")
            rows = connection.read_parquet(glob.escape(name), file_row_number=True)
            placed = _columns(name, rows, columns)
            counts = np.zeros(len(REASONS), np.int64)
            blocks = [_fixes(block, counts) for block in _batches(_dynamic(rows, placed))]
            static = _static(rows, placed)
    except (duckdb.Error, UnicodeDecodeError) as error:
        reason = (str(error).splitlines() or ["damaged"])[0]
        raise InputError(f"{name}: cannot be read as Parquet ({reason}); write or download it again") from None
    full = columns_of(FIX_DTYPES, 0)
    if blocks:
        full = {column: np.concatenate([block[column] for block in blocks]) for column in blocks[0]}
    full["source"] = np.full(len(full["t"]), source, FIX_DTYPES["source"])
    static["source"][:] = source
    found = {reason: int(n) for reason, n in zip(REASONS, counts, strict=True) if n}
    return Fixes(full, changes_of(Static(static)), counts=found), found


def _columns(name: str, rows: duckdb.DuckDBPyRelation, given: Mapping[str, str] | None) -> dict[str, tuple[str, str]]:
    """For each field that the file has, its column, quoted for SQL, and its type; "point" is that of a geometry."""
    check_columns(given)
    found: dict[str, int] = columns_of_header(rows.columns, given)
    shown = [column for column in rows.columns[:12] if column != "file_row_number"]
    listed = ", ".join(shown) + (", …" if len(rows.columns) > 13 else "")
    if absent := [field for field in (given or {}) if field not in found]:
        asked = " and ".join(f"{(given or {})[field]!r} for {field}" for field in absent)
        raise InputError(f"{name}: no column {asked}; the file has {listed}; give one of these")
    if "lat" not in found or "lon" not in found:
        for place, (column, kind) in enumerate(zip(rows.columns, map(str, rows.types), strict=True)):
            if column.lower() in _GEOMETRIES and (kind == "BLOB" or kind.startswith("GEOMETRY")):
                found["point"] = place
    if missing := [
        NEEDED[field] for field in NEEDED if field not in found and not (field[0] == "l" and "point" in found)
    ]:
        raise InputError(
            f"{name}: no column for {' and '.join(missing)}; the file has {listed}; "
            "rename the column that holds it to t, mmsi, lat or lon"
        )
    return {
        field: ('"' + rows.columns[place].replace('"', '""') + '"', str(rows.types[place]))
        for field, place in found.items()
    }


def _decode_points(rows: dict[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Put the points of a batch into `lat` and `lon`, NaN for an empty one; returns which geometries are no points.

    A point is 21 bytes, or 5 and two floats: 1 for little-endian, 1 for a point, x, y.
    """
    shapes = rows["point"]
    text = b"".join(shape if len(shape) == _POINT.itemsize else bytes(_POINT.itemsize) for shape in shapes)
    points = np.frombuffer(text, _POINT)
    absent = np.array([not shape for shape in shapes], bool)
    sound = (points["order"] == 1) & (points["kind"] == 1)
    rows["lat"] = np.where(sound, points["y"], np.nan)
    rows["lon"] = np.where(sound, points["x"], np.nan)
    return np.asarray(~sound & ~absent)


def _time(column: str, kind: str) -> str:
    """SQL for a time in µs since 1970, null where it cannot be read; the unit of a count follows from its size."""
    if kind.startswith("TIMESTAMP"):
        return f"epoch_us({column}::timestamptz)"
    if kind == "VARCHAR":
        return f"epoch_us(try_cast({column} as timestamptz))"
    counted = f"try_cast({column} as {'double' if kind in ('DOUBLE', 'FLOAT') else 'hugeint'})"
    return (
        f"try_cast(case when abs({counted}) < 1e11 then round({counted} * 1000000) "
        f"when abs({counted}) < 1e14 then round({counted} * 1000) "
        f"when abs({counted}) < 1e17 then {counted} else {counted} // 1000 end as bigint)"
    )


def _nav_status(column: str, kind: str) -> str:
    """SQL for the code of a navigational status, from its number or its words; -1 for unknown words."""
    number = f"try_cast(try_cast({column} as double) as int)"
    if kind != "VARCHAR":
        return f"coalesce({number}, {NAV_STATUS_UNKNOWN})"
    word = f"{_sql_list(STATUS_CODE.tolist())}[list_position({_sql_list(STATUS_NAMES)}, lower(trim({column})))]"
    absent = f"case when coalesce(trim({column}), '') = '' then {NAV_STATUS_UNKNOWN} else -1 end"
    return f"coalesce({number}, {word}, {absent})"


def _sql_list(values: Any) -> str:
    return "[" + ", ".join(repr(value) for value in values) + "]"


def _dynamic(rows: duckdb.DuckDBPyRelation, columns: dict[str, tuple[str, str]]) -> duckdb.DuckDBPyRelation:
    """The columns of a fix without nulls: NAT, NaN, -1 for an MMSI, 0 for a message type."""
    time_column, time_kind = columns["t"]
    select = [
        f"coalesce({_time(time_column, time_kind)}, {NAT}) as t",
        f"{time_column} is null as no_time",
        f"coalesce(try_cast({columns['mmsi'][0]} as bigint), -1) as mmsi",
        f"{columns['mmsi'][0]} is null as no_mmsi",
        "file_row_number::bigint as at_row",
    ]
    for field in _NUMBERS:
        value = f"try_cast({columns[field][0]} as double)" if field in columns else "null::double"
        select.append(f"coalesce({value}, 'nan'::double) as {field}")
    msg_type = f"try_cast({columns['msg_type'][0]} as int)" if "msg_type" in columns else "null"
    if "class" in columns:
        listed = f"list_position({_sql_list(_CLASSES)}, lower(trim({columns['class'][0]}::varchar)))"
        msg_type = f"coalesce({msg_type}, {_sql_list(_CLASSES.values())}[{listed}])"
    select.append(f"coalesce({msg_type}, 0)::int as msg_type")
    if "point" in columns:
        select.append(f"coalesce({columns['point'][0]}::blob, ''::blob) as point")
    status = _nav_status(*columns["nav_status"]) if "nav_status" in columns else str(NAV_STATUS_UNKNOWN)
    select.append(f"({status})::int as nav_status")
    return rows.select(", ".join(select))


def _batches(rows: duckdb.DuckDBPyRelation) -> Any:
    """The rows in batches of numpy columns, so that the whole file is never held as Arrow."""
    from arro3.core import RecordBatchReader

    for batch in RecordBatchReader.from_arrow(rows):
        yield {name: batch.column(name).to_numpy() for name in batch.schema.names}


def _fixes(rows: dict[str, NDArray[Any]], counts: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """The rows that are positions of vessels; the others are counted by reason, in the order of the tests."""
    shapeless = _decode_points(rows) if "point" in rows else np.zeros(len(rows["t"]), bool)
    t, mmsi, lat, lon = rows["t"], rows["mmsi"], rows["lat"], rows["lon"]
    kind = mmsi_class(mmsi)
    untold = rows["msg_type"] == 0
    timed = (t >= FIRST_UNIX_US) & (t < LAST_UNIX_US)
    tests = (
        ("base station", (rows["msg_type"] == 4) | (untold & (kind == BASE_STATION))),
        ("aid to navigation", (rows["msg_type"] == 21) | (untold & (kind == AID_TO_NAVIGATION))),
        ("no time", rows["no_time"]),
        ("unreadable time", ~timed),
        ("no MMSI", rows["no_mmsi"]),
        ("unreadable MMSI", mmsi == -1),
        ("MMSI out of range", (mmsi < 1) | (mmsi > 999_999_999)),
        ("distress transmitter", np.isin(kind, (SART, MAN_OVERBOARD, EPIRB))),
        ("unreadable position", shapeless),
        ("no position", np.isnan(lat) | np.isnan(lon) | (lat == 91.0) | (lon == 181.0)),
        ("latitude out of range", np.abs(lat) > 90.0),
        ("longitude out of range", np.abs(lon) > 180.0),
    )
    used = np.ones(len(t), bool)
    for reason, fault in tests:
        counts[REASONS.index(reason)] += int(np.count_nonzero(used & fault))
        used &= ~fault
    fixes = {name: rows[name][used] for name in ("t", "mmsi", "lat", "lon", "msg_type")}
    fixes["offset"] = rows["at_row"][used]
    fixes["msg_type"] = np.where((fixes["msg_type"] < 0) | (fixes["msg_type"] > 27), 0, fixes["msg_type"])
    for name, word, below, absent in _MEASURED:
        value = rows[name][used]
        outside = ~((value >= 0.0) & (value < below)) & ~np.isnan(value)
        faults = outside & (np.abs(value - absent) > 1e-4) & (value != 511.0)  # 102.3 may have passed through float32
        reason = f"{word} out of range, taken as not available"
        counts[REASONS.index(reason)] += int(np.count_nonzero(faults))
        fixes[name] = np.where(outside, np.nan, value)
    status = rows["nav_status"][used]
    unknown = (status < 0) | (status > NAV_STATUS_UNKNOWN)
    reason = "unknown navigational status, taken as not available"
    counts[REASONS.index(reason)] += int(np.count_nonzero(unknown))
    fixes["nav_status"] = np.where(unknown, NAV_STATUS_UNKNOWN, status)
    return {name: column.astype(FIX_DTYPES[name]) for name, column in fixes.items()}


def _static(rows: duckdb.DuckDBPyRelation, columns: dict[str, tuple[str, str]]) -> dict[str, NDArray[Any]]:
    """The rows in which a vessel's static values differ from those that it had before."""
    fields = {}
    for field in _TEXTS:
        if field in columns:
            fields[field] = f"coalesce(rtrim(split_part(trim({columns[field][0]}::varchar), '@', 1)), '')"
    if "imo" in columns:
        digits = (
            f"try_cast(regexp_replace({columns['imo'][0]}::varchar, '^\\s*(?i:imo)?\\s*|\\.0$', '', 'g') as bigint)"
        )
        fields["imo"] = _within(digits, int(LARGEST_IMO))
    if "ship_type" in columns:
        text = f"{columns['ship_type'][0]}::varchar"
        place = f"list_position({_sql_list(SHIP_TYPES)}, lower(trim(split_part({text}, ',', 1))))"
        code = f"coalesce(try_cast({text} as double)::bigint, {_sql_list(SHIP_TYPES.values())}[{place}])"
        fields["ship_type"] = _within(code, 255)
    for field in _SIZES:
        if field in columns:
            fields[field] = _within(f"round(try_cast({columns[field][0]} as double))::bigint", _SIZE_LIMITS[field])
    if "draught" in columns:
        value = f"try_cast({columns['draught'][0]} as double)"
        fields["draught"] = f"case when {value} > 0 and {value} <= 25.5 then {value} else 0 end"
    if not fields:
        return columns_of(STATIC_DTYPES, 0)
    time, mmsi = _time(*columns["t"]), f"try_cast({columns['mmsi'][0]} as bigint)"
    said = " or ".join(f"{field} != {repr('') if field in _TEXTS else 0}" for field in fields)
    listed = ", ".join(f"{value} as {field}" for field, value in fields.items())
    packed = "struct_pack(" + ", ".join(f"{field} := {field}" for field in fields) + ")"
    found = (
        rows.select(f"{time} as t, {mmsi} as mmsi, file_row_number::bigint as at_row, {listed}")
        .filter(f"({said}) and mmsi between 1 and 999999999 and t >= {FIRST_UNIX_US} and t < {LAST_UNIX_US}")
        .select(f"*, lag({packed}) over (partition by mmsi order by at_row) is distinct from {packed} as changed")
        .filter("changed")
        .order("at_row")
        .fetchnumpy()
    )
    static = columns_of(STATIC_DTYPES, len(found["t"]))
    static["offset"][:] = np.ma.getdata(found["at_row"])
    for field in ("t", "mmsi", *(field for field in fields if field not in ("length", "width"))):
        values = np.ma.getdata(found[field])
        static[field][:] = [text.encode() for text in values] if field in _TEXTS else values
    static["draught"][static["draught"] == 0] = np.nan
    for size, near, far in (("length", "to_bow", "to_stern"), ("width", "to_port", "to_starboard")):
        if size in fields:
            unsaid = (static[near] == 0) & (static[far] == 0)
            static[far][unsaid] = np.ma.getdata(found[size])[unsaid]
    return static


def _within(value: str, most: int) -> str:
    """SQL for a whole number, 0 where it is null, negative or over `most`."""
    return f"case when {value} between 0 and {most} then {value} else 0 end"
