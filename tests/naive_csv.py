"""A slow, obvious reader of AIS rows in CSV: the twin of `ais.csv_rows`, for plain layouts with a comma."""

from __future__ import annotations

import csv
import datetime as dt
import math
import re

TIMES = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M")
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
STATUS = {"Under way using engine": 0, "Engaged in fishing": 7, "Unknown value": 15, "": 15}
STATIONS = {"Base Station": "base station", "AtoN": "aid to navigation"}


def microseconds(text: str) -> int | None:
    """A time in µs since 1970, None where it is in none of the forms."""
    for form in TIMES:
        try:
            moment = dt.datetime.strptime(text, form).replace(tzinfo=dt.UTC)
        except ValueError:
            continue
        return (moment - EPOCH) // dt.timedelta(microseconds=1)
    return None


def measured(text: str, below: float) -> float:
    """A value that is not negative and below a limit, else NaN."""
    value = float(text or "nan")
    return value if 0 <= value < below else math.nan


def read(data: bytes, names: dict[str, str]) -> tuple[list[tuple], dict[str, int]]:
    """(t, mmsi, lat, lon, sog, cog, heading, nav_status, offset) of each position, and the rows not used.

    `names` gives the column of each field.
    """
    fixes, counts, header, offset = [], {}, None, 0
    for line in re.findall(rb"[^\n]*\n|[^\n]+$", data):
        start, offset = offset, offset + len(line)
        row = next(csv.reader([line.decode().removeprefix("\ufeff").strip("\r\n")]), [])
        if not row:
            continue
        if header is None:
            header = row
            continue
        reason, fix = "wrong number of fields", ()
        if len(row) == len(header):
            reason, fix = one(dict(zip(header, row, strict=True)), names)
        if reason:
            counts[reason] = counts.get(reason, 0) + 1
        else:
            fixes.append((*fix, start))
    return fixes, counts


def one(row: dict[str, str], names: dict[str, str]) -> tuple[str, tuple]:
    """(reason not to use the row, fix)."""
    text = {field: row.get(name, "").strip() for field, name in names.items()}
    if station := STATIONS.get(text.get("class", "")):
        return station, ()
    t = microseconds(text["t"])
    if t is None:
        return "unreadable time" if text["t"] else "no time", ()
    if not text["lat"] or not text["lon"] or float(text["lat"]) == 91 or float(text["lon"]) == 181:
        return "no position", ()
    lat, lon = float(text["lat"]), float(text["lon"])
    if abs(lat) > 90:
        return "latitude out of range", ()
    if abs(lon) > 180:
        return "longitude out of range", ()
    status = text.get("nav_status", "")
    code = STATUS[status] if status in STATUS else int(float(status))
    limits = (("sog", 102.25), ("cog", 360), ("heading", 360))
    motion = (measured(text.get(field, ""), below) for field, below in limits)
    return "", (t, int(text["mmsi"]), lat, lon, *motion, code)
