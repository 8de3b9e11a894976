"""What of the findings has a place on a map, as features of layers: for GeoJSON (RFC 7946) and GeoPackage.

A silence is a line from where the ship was last heard to where it was heard again, a leg the line between its declared
ports: neither is the way that a ship went. `tracks` are ways between fixes, broken where the ship was not heard. Lines
are cut at 180 degrees; rings turn as RFC 7946, 3.1.6, asks. Times are ISO 8601 in UTC.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from cargo.dossier_graph import number_of, object_of, place_of, rows_of, time_of
from cargo.safe_text import safe_text
from luxwake.geojson import cut_line, iso_utc

Json = Mapping[str, Any]
Geometry = dict[str, Any]

_LINES = frozenset({"dark", "gap", "voyage"})
MAX_SILENCE_US = 3_600_000_000
"""A way is broken where no fix came for an hour: a straight line over longer is a guess."""


class Track(NamedTuple):
    """The fixes of a ship in the order of time: µs since 1970, degrees."""

    mmsi: int
    t: Sequence[int]
    lat: Sequence[float]
    lon: Sequence[float]


class Feature(NamedTuple):
    """A thing on the map: its layer, id, geometry as in GeoJSON, and properties (text, number, or None)."""

    layer: str
    id: str
    geometry: Geometry
    properties: dict[str, Any]


def features_of(findings: Sequence[Json], tracks: Sequence[Track] = ()) -> list[Feature]:
    """All features of some findings, and of the ways of their ships.

    >>> event = {"id": "e", "kind": "dark", "lat": 10.0, "lon": 179.0, "lat_end": 12.0, "lon_end": -179.0}
    >>> features_of([{"id": "f", "events": [event]}])[0].geometry["type"]
    'MultiLineString'
    """
    found: list[Feature] = []
    for finding in findings:
        about = {"finding": finding.get("id"), "rank": finding.get("rank")}
        found += [*_events(finding, about), *_legs(finding, about), *_ports(finding, about), *_reach(finding, about)]
    return found + [feature for track in tracks for feature in _track(track)]


def geojson_text(features: Sequence[Feature]) -> str:
    """A FeatureCollection, one feature a line.

    >>> geojson_text([])
    '{"type":"FeatureCollection","features":[\\n]}\\n'
    """
    lines = [
        json.dumps(
            {"type": "Feature", "id": f.id, "geometry": f.geometry, "properties": {"layer": f.layer, **f.properties}},
            ensure_ascii=False, allow_nan=False, separators=(",", ":"),
        )
        for f in features
    ]  # fmt: skip
    return '{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + ("\n" if lines else "") + "]}\n"


def _point(lat: float, lon: float) -> Geometry:
    return {"type": "Point", "coordinates": [round(lon, 7), round(lat, 7)]}


def _line(positions: Sequence[tuple[float, float]]) -> Geometry | None:
    """The line through positions (lat, lon), in pieces on both sides of 180 degrees; None for less than two places."""
    pieces: list[list[tuple[float, float]]] = []
    for start, end in pairwise(positions):
        if start == end:
            continue
        for n, piece in enumerate(cut_line(start, end)):
            if n == 0 and pieces and pieces[-1][-1] == piece[0]:
                pieces[-1].append(piece[1])
            else:
                pieces.append(list(piece))
    if not pieces:
        return None
    return {"type": "MultiLineString", "coordinates": [[[x, y] for x, y in piece] for piece in pieces]}


def _plain(item: Json, names: Sequence[str]) -> dict[str, Any]:
    """Some values of an object; what is no text, number or truth is left out."""
    return {name: item[name] if isinstance(item.get(name), str | int | float) else None for name in names}


def _events(finding: Json, about: dict[str, Any]) -> Iterator[Feature]:
    names = ("kind", "relation", "leg", "mmsi", "other", "port", "score", "coverage", "open")
    for n, event in enumerate(rows_of(finding, "events")):
        (lat, lon), (lat_end, lon_end) = place_of(event), place_of(event, "lat_end", "lon_end")
        if lat is None or lon is None:
            continue
        times = {"t_start": time_of(event.get("t_start")) or None, "t_end": time_of(event.get("t_end")) or None}
        said = {**about, **_plain(event, names), **times, "note": None}
        id_ = f"{about['finding']}:{event.get('id') or n}"
        if event.get("kind") in _LINES and lat_end is not None and lon_end is not None:
            line = _line([(lat, lon), (lat_end, lon_end)])
            if line is not None:
                said["note"] = "last heard to heard again; the way between is unknown, draw it dashed"
                yield Feature("silences", id_, line, said)
                continue
        yield Feature("events", id_, _point(lat, lon), said)


def _legs(finding: Json, about: dict[str, Any]) -> Iterator[Feature]:
    for n, leg in enumerate(rows_of(finding, "chain")):
        ends = [place_of(leg, f"{end}_lat", f"{end}_lon") for end in ("load", "discharge")]
        line = _line([(lat, lon) for lat, lon in ends if lat is not None and lon is not None])
        if line is None:
            continue
        vessel = object_of(leg, "vessel")
        said = {
            **about,
            **_plain(leg, ("leg", "load_port", "discharge_port", "shipper", "consignee", "description", "arrived_why")),
            **{f"vessel_{key}": value for key, value in _plain(vessel, ("name", "imo", "mmsi", "probability")).items()},
            "t_start": time_of(leg.get("t_depart")) or None,
            "t_end": time_of(leg.get("t_arrive")) or None,
            "note": "port to port as declared, not the way that the ship went",
        }
        yield Feature("legs", f"{about['finding']}:leg:{leg.get('leg', n + 1)}", line, said)


def _ports(finding: Json, about: dict[str, Any]) -> Iterator[Feature]:
    """Ports of the chain, then those within reach; each once."""
    done: set[object] = set()
    for leg in rows_of(finding, "chain"):
        for end, role in (("load", "declared load port"), ("discharge", "declared discharge port")):
            lat, lon = place_of(leg, f"{end}_lat", f"{end}_lon")
            code = safe_text(leg.get(f"{end}_port"))
            if lat is not None and lon is not None and (code, role) not in done:
                done.add((code, role))
                said = {**about, "code": code, "name": leg.get(f"{end}_name"), "role": role, **_NO_REACH}
                yield Feature("ports", f"{about['finding']}:{role}:{code}", _point(lat, lon), said)
    for n, port in enumerate(rows_of(object_of(finding, "reach"), "ports")):
        lat, lon = place_of(port)
        if lat is not None and lon is not None:
            said = {
                **about, "code": port.get("locode"), "name": port.get("name"),
                "role": "could have been reached; necessary for a call, not evidence of one",
                "earliest": time_of(port.get("earliest")) or None, "latest": time_of(port.get("latest")) or None,
                **{key: number_of(port.get(key)) for key in ("slack_h", "probability")},
            }  # fmt: skip
            yield Feature("ports", f"{about['finding']}:reach:{port.get('locode') or n}", _point(lat, lon), said)


_NO_REACH = {"earliest": None, "latest": None, "slack_h": None, "probability": None}


def _reach(finding: Json, about: dict[str, Any]) -> Iterator[Feature]:
    """The sea within reach by the longest stay, and where two silent ships could have been together."""
    reach = object_of(finding, "reach")
    for n, band in enumerate(rows_of(reach, "bands")):
        area = _polygons(object_of(band, "area"))
        if area is not None:
            said = {
                **about, "event": reach.get("event"), "least_stay_h": number_of(band.get("least_stay_h")),
                "area_nmi2": number_of(band.get("area_nmi2")), "speed_kn": number_of(reach.get("speed_kn")),
                "note": "could have been reached and left again in time; not where the ship was",
            }  # fmt: skip
            yield Feature("reach", f"{about['finding']}:reach:{n}", area, said)
    for n, meeting in enumerate(rows_of(reach, "meetings")):
        lat, lon = place_of(meeting)
        if lat is not None and lon is not None:
            said = {
                **about, "mmsi": meeting.get("mmsi"), "t_start": time_of(meeting.get("t_from")) or None,
                "t_end": time_of(meeting.get("t_to")) or None, "note": "both could have been here; proves no meeting",
            }  # fmt: skip
            yield Feature("meetings", f"{about['finding']}:meeting:{n}", _point(lat, lon), said)


def _polygons(area: Json) -> Geometry | None:
    """A GeoJSON polygon or several as a MultiPolygon, outer rings against the clock; None for anything else."""
    parts = area.get("coordinates")
    if area.get("type") == "Polygon":
        parts = [parts]
    if area.get("type") not in ("Polygon", "MultiPolygon") or not isinstance(parts, list):
        return None
    try:
        made = [[_ring(ring, outer=n == 0) for n, ring in enumerate(part)] for part in parts]
    except (TypeError, ValueError):
        return None
    made = [[ring for ring in part if ring] for part in made if part and part[0]]
    return {"type": "MultiPolygon", "coordinates": made} if made else None


def _ring(ring: Sequence[Sequence[float]], *, outer: bool) -> list[list[float]]:
    """A closed ring of 4 positions or more, turned as it must be; empty where it is none."""
    points = [[float(x), float(y)] for x, y in ring]
    if len(points) < 4 or points[0] != points[-1] or not all(abs(x) <= 180.0 and abs(y) <= 90.0 for x, y in points):
        return []
    twice = sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(points))
    return points if (twice > 0.0) == outer else points[::-1]


def _track(track: Track) -> Iterator[Feature]:
    """The way of a ship, a feature for each stretch on which it was heard at least every hour."""
    begin = 0
    for i in range(1, len(track.t) + 1):
        if i < len(track.t) and track.t[i] - track.t[i - 1] <= MAX_SILENCE_US:
            continue
        line = _line([(round(float(track.lat[k]), 7), round(float(track.lon[k]), 7)) for k in range(begin, i)])
        if line is not None:
            start, end = iso_utc(int(track.t[begin])), iso_utc(int(track.t[i - 1]))
            said = {"mmsi": int(track.mmsi), "t_start": start, "t_end": end, "fixes": i - begin}
            yield Feature("tracks", f"track:{track.mmsi}:{start}", line, said)
        begin = i
