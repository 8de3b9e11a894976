"""Events as GeoJSON (RFC 7946), for the map of any tool.

A loitering, a rendezvous, a port call is a point, a voyage the line from port to port. A dark period is the line from
where the ship was last heard to where it was heard again: not the way that it went, so draw it dashed. A line across
180 degrees is cut there into a MultiLineString (RFC 7946, 3.1.9). Times are ISO 8601 in UTC; what is not known is null;
an H3 cell is its hex text, because it does not fit into a JSON number.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from ais.table import NAT
from detectors.event import Events
from geo.whole_file import write_text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LINES = frozenset({"dark", "gap", "voyage"})
_NOT_PROPERTIES = frozenset({"id", "lat", "lon", "lat_end", "lon_end"})
_SOURCES = frozenset({"first_source", "last_source", "other_first_source", "other_last_source"})
AT_ONCE = 1024
"""Events that are words and texts at a time, 10 kB each."""
_SOURCE_OFFSETS = {"other_first_source": "other_first_offset", "other_last_source": "other_last_offset"}
_DEGREE_DIGITS = 7
"""1e-7 degrees is 1 cm, finer than any position that AIS sends."""


def iso_utc(us: int | None) -> str | None:
    """A time in µs since 1970 as ISO 8601 in UTC; None where it is not known.

    >>> iso_utc(1538352000000000), iso_utc(1538352000500000), iso_utc(None)
    ('2018-10-01T00:00:00Z', '2018-10-01T00:00:00.500000Z', None)
    """
    if us is None or us == NAT:
        return None
    try:
        moment = _EPOCH + timedelta(microseconds=us)
    except OverflowError:
        return None
    return moment.replace(tzinfo=None).isoformat() + "Z"


def event_properties(events: Events) -> Iterator[dict[str, Any]]:
    """Each event as a dict that JSON can hold: words for codes, ISO times, null for what is not known.

    All columns are in it, in their order; `first_source` and its kin are the names of the inputs.
    """
    for begin in range(0, len(events), AT_ONCE):
        part = events.take(slice(begin, begin + AT_ONCE))
        columns = {name: _values(part, name) for name in part}
        for row in zip(*columns.values(), strict=True):
            made = dict(zip(columns, row, strict=True))
            if not made.get("other", True):
                made["other_hull"] = None
            yield made


def _values(events: Events, name: str) -> list[Any]:
    """A column as JSON can hold it."""
    column, words = events[name], type(events).words
    values = column.tolist()
    if name in words:
        said = [word or None for word in words[name]]
        return [said[value] for value in values]
    if name in Events.times:
        return [iso_utc(value) for value in values]
    if name in _SOURCES:
        return _sources(events, name, values)
    if column.dtype.kind == "f":
        made, short = list[float | None]([None] * len(values)), column.dtype == "f4"
        for k in np.flatnonzero(np.isfinite(column)).tolist():  # few: most columns are of a few kinds of events
            made[k] = _number(values[k], short=short)
        return made
    if name == "cell":
        return [f"{value:x}" if value else None for value in values]
    if name == "open":
        return [bool(value) for value in values]
    if column.dtype.kind == "S":
        return [value.decode("utf-8", "replace") or None for value in values]
    if column.dtype.kind == "U":
        return [value or None for value in values]
    null = type(events).nulls.get(name)
    return values if null is None else [None if value == null else value for value in values]


def _sources(events: Events, name: str, codes: list[int]) -> list[str | None]:
    """The names of inputs; None where there is none, as for the partner of an event that has no partner."""
    known, beside = len(events.sources), _SOURCE_OFFSETS.get(name, "")
    offsets = events[beside].tolist() if beside in list(events) else [0] * len(codes)
    return [
        events.sources[code] if code < known and offset >= 0 else None
        for code, offset in zip(codes, offsets, strict=True)
    ]


def _number(value: float, *, short: bool) -> float | None:
    """A float; NaN and infinities, which JSON has not, are None; a float32 has the digits that it holds.

    >>> _number(float("nan"), short=False), _number(0.10000000149011612, short=True)
    (None, 0.1)
    """
    if not math.isfinite(value):
        return None
    return float(f"{value:.7g}") if short else value


def cut_line(start: tuple[float, float], end: tuple[float, float]) -> list[list[tuple[float, float]]]:
    """The short line between two positions (lat, lon), as one line of (lon, lat), or as two cut at 180 degrees.

    >>> cut_line((10.0, 170.0), (12.0, 175.0))
    [[(170.0, 10.0), (175.0, 12.0)]]
    >>> cut_line((10.0, 179.0), (12.0, -179.0))
    [[(179.0, 10.0), (180.0, 11.0)], [(-180.0, 11.0), (-179.0, 12.0)]]
    """
    (lat1, lon1), (lat2, lon2) = start, end
    if abs(lon2 - lon1) <= 180.0:
        return [[(lon1, lat1), (lon2, lat2)]]
    edge = math.copysign(180.0, lon1)
    to_edge, beyond = abs(edge - lon1), abs(-edge - lon2)
    across = to_edge + beyond
    lat = round(lat1 + (lat2 - lat1) * (to_edge / across if across > 0.0 else 0.0), _DEGREE_DIGITS)
    pieces = [[(lon1, lat1), (edge, lat)], [(-edge, lat), (lon2, lat2)]]
    return [piece for piece in pieces if piece[0] != piece[1]] or pieces[:1]


def _geometry(event: dict[str, Any]) -> dict[str, Any] | None:
    """A point, or for a silence with both ends a line; None where no position is known."""
    lat, lon, lat_end, lon_end = (event.get(name) for name in ("lat", "lon", "lat_end", "lon_end"))
    if lat is None or lon is None:
        return None
    start = round(lat, _DEGREE_DIGITS), _longitude(lon)
    if event.get("kind") not in _LINES or lat_end is None or lon_end is None:
        return {"type": "Point", "coordinates": [start[1], start[0]]}
    lines = cut_line(start, (round(lat_end, _DEGREE_DIGITS), _longitude(lon_end)))
    if len(lines) == 1:
        return {"type": "LineString", "coordinates": lines[0]}
    return {"type": "MultiLineString", "coordinates": lines}


def _longitude(lon_deg: float) -> float:
    """A longitude in -180 to 180, rounded."""
    within = lon_deg if -180.0 <= lon_deg <= 180.0 else (lon_deg + 180.0) % 360.0 - 180.0
    return round(within, _DEGREE_DIGITS)


def events_geojson(events: Events) -> Iterator[str]:
    """The events as the lines of one GeoJSON FeatureCollection, one event a line; the same events give the same text.

    >>> from detectors.event import Events
    >>> "".join(events_geojson(Events({})))
    '{"type":"FeatureCollection","features":[\\n]}\\n'
    """
    yield '{"type":"FeatureCollection","features":[\n'
    separator = ""
    for event in event_properties(events):
        properties = {name: value for name, value in event.items() if name not in _NOT_PROPERTIES}
        if event.get("kind") in ("dark", "gap"):
            properties["line"] = "last heard to heard again; the way between is unknown, draw it dashed"
        feature = {"type": "Feature", "id": event.get("id"), "geometry": _geometry(event), "properties": properties}
        yield separator + json.dumps(feature, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        separator = ",\n"
    yield ("\n" if separator else "") + "]}\n"


def write_events_geojson(events: Events, path: str | os.PathLike[str]) -> Path:
    """Write the events as GeoJSON to `path`, whole or not at all; OutputError where that is not possible."""
    return write_text(path, events_geojson(events))
