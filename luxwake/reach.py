"""Where silent ships could have been: `luxwake reach` for one, `luxwake meet` for two."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cargo.finding import plain
from cargo.leg import iso_time
from geo.errors import UsageError
from geo.whole_file import write_text
from luxwake.console import print_json_lines

if TYPE_CHECKING:
    from geo.reach import Reach, ReachedPort, Silence
    from geo.reach_map import Band
    from geo.sea_way import Way
    from geo.speed import Speed
    from luxwake.console import Console

SHIP_TYPES = {
    "cargo": 70,
    "tanker": 80,
    "passenger": 60,
    "fishing": 30,
    "tug": 52,
    "yacht": 37,
    "high-speed": 40,
    "government": 55,
}
"""AIS code of each word that `--type` takes."""
MOST_PORTS = 40
"""Ports printed one by one; all are in the JSON and on the map."""
MOST_WAYS = 10
"""Ports to which the map shows the way."""


class Heard(NamedTuple):
    """A position, degrees, and when a ship was heard there, µs UTC."""

    lat: float
    lon: float
    t_us: int


def parse_heard(text: str, option: str) -> Heard:
    """Position and time of a text `LAT,LON@TIME`; UsageError names the option and what to write.

    >>> parse_heard("35.2,129.4@2018-10-01T12:00", "--from")
    Heard(lat=35.2, lon=129.4, t_us=1538395200000000)
    >>> parse_heard("35.2,129.4", "--from")
    Traceback (most recent call last):
    geo.errors.UsageError: --from 35.2,129.4: no time; write LAT,LON@TIME, like 35.1,129.04@2018-10-01T12:00
    """
    from luxwake.times import parse_time
    from luxwake.zones import parse_position

    place, at, time = text.partition("@")
    if not at:
        raise UsageError(f"{option} {text}: no time; write LAT,LON@TIME, like 35.1,129.04@2018-10-01T12:00")
    return Heard(*parse_position(place, option), parse_time(time, option))


def ends_of(start: str, end: str | None, until: str | None, option: str = "--from") -> tuple[Heard, Heard]:
    """Both ends of a silence as the command line tells it, the second NaN NaN while it is open.

    Raises UsageError for a silence without an end, with two, or with one that is not after its start.
    """
    from luxwake.times import parse_time

    if (end is None) == (until is None):
        raise UsageError(
            f"{option} {start}: give where the ship was heard again (LAT,LON@TIME), or --until TIME while it is silent"
        )
    first = parse_heard(start, option)
    if end is not None:
        last = parse_heard(end, "--to" if option == "--from" else option)
    else:
        last = Heard(np.nan, np.nan, parse_time(until or "", "--until"))
    if last.t_us <= first.t_us:
        ends = f"{iso_time(last.t_us)}, not after its start, {iso_time(first.t_us)}"
        raise UsageError(f"{option} {start}: the silence ends {ends}; swap them")
    return first, last


def speed_from(knots: float | None, kind: str | None, length_m: float | None) -> Speed:
    """The speed of a ship: given, or that of its type and length; UsageError for both at once."""
    from geo.speed import Speed, speed_of

    if knots is not None and (kind or length_m):
        raise UsageError("give --speed, or --type and --length, not both")
    if knots is not None:
        return Speed.given(knots)
    if length_m is not None and (kind is None or not 0.0 < length_m <= 500.0):
        raise UsageError(f"--length {length_m:g}: give metres above 0 and at most 500, with --type")
    if kind is not None and kind not in SHIP_TYPES:
        raise UsageError(f"--type {kind}: no such type; give one of {', '.join(SHIP_TYPES)}")
    return speed_of([], [], ship_type=SHIP_TYPES.get(kind or ""), length_m=length_m)


def ports_asked(text: str | None) -> frozenset[str]:
    """Countries (two letters) and ports (UN/LOCODE) of `--ports`; UsageError for a code that no port has.

    >>> sorted(ports_asked("kp,RUVVO"))
    ['KP', 'RUVVO']
    """
    from geo.ports import ports

    asked = frozenset(part.strip().upper() for part in (text or "").split(",") if part.strip())
    known = {port.country for port in ports()} | {port.locode for port in ports()}
    for code in sorted(asked - known):
        raise UsageError(f"--ports {code}: no port has it; give countries such as KP or UN/LOCODEs such as KPCHO")
    return asked


def _wanted(found: Reach, asked: frozenset[str]) -> list[ReachedPort]:
    """The ports asked for, or all, the longest stay first."""
    chosen = [port for port in found.ports if not asked or port.country in asked or port.locode in asked]
    return sorted(chosen, key=lambda port: (-port.slack_h, port.locode))


def print_reach(found: Reach, asked: frozenset[str], out: str | None, console: Console) -> None:
    """Print ports, area and assumptions; write the map if asked."""
    from geo.reach_map import assumptions, bands_of, ways_to

    chosen = _wanted(found, asked)
    bands, notes = bands_of(found), assumptions(found)
    ways = ways_to(found, [(port.lat, port.lon) for port in chosen[:MOST_PORTS]])
    summary = _summary(found, bands, len(chosen))
    if out is not None:
        features = [*_band_features(bands), *end_features(found.silence)]
        features += [feature("Point", [p.lon, p.lat], {"what": "port", **_port(p)}) for p in chosen]
        features += _way_features(chosen, ways[:MOST_WAYS])
        write_geojson(out, features)
    if console.json:
        print_json_lines([{"type": "reach", **summary, "assumptions": notes}])
        print_json_lines({"type": "port", **_port(port)} for port in chosen)
        return
    if not console.quiet:
        console.table("What the silent ship could have reached", ("", "found"), _facts(found, summary))
        title = f"Ports within reach: {len(chosen):,}" + (f", the first {len(ways)}" if len(ways) < len(chosen) else "")
        console.table(title, _HEAD, [_row(port, *way) for port, way in zip(chosen, ways, strict=False)])
    for note in notes:
        console.note(f"assumed: {note}")


_HEAD = ("port", "code", "earliest arrival", "latest departure", "longest stay", "fast enough", "straits passed")


def _row(port: ReachedPort, there: Way, back: Way | None) -> tuple[str, ...]:
    from geo.reach_map import chance_words

    passed = dict.fromkeys([*there.passages, *(back.passages if back else ())])
    times = (minute(port.earliest_us), minute(port.latest_us))
    return (
        port.name,
        port.locode,
        *times,
        hours(port.slack_h),
        chance_words(port.probability),
        ", ".join(passed) or "none",
    )


def minute(t_us: int) -> str:
    """A time to the minute, UTC."""
    return (iso_time(t_us) or "unknown")[:16].replace("T", " ")


def hours(length_h: float) -> str:
    """A length of time in words.

    >>> hours(0.5), hours(30.0), hours(100.0)
    ('0.5 h', '30 h', '4.2 days')
    """
    if length_h >= 48.0:
        return f"{length_h / 24.0:.1f} days"
    return f"{length_h:.0f} h" if length_h >= 10.0 else f"{length_h:.1f} h"


def _port(port: ReachedPort) -> dict[str, Any]:
    kept = {key: value for key, value in port._asdict().items() if not key.endswith("_us")}
    return dict(plain(kept | {"earliest": iso_time(port.earliest_us), "latest": iso_time(port.latest_us)}))


def _summary(found: Reach, bands: Sequence[Band], ports: int) -> dict[str, Any]:
    area_nmi2, longest_h = bands[0].area_nmi2 if bands else 0.0, float(found.slack_h.max(initial=0.0))
    counts = {"cells": int(found.cells.size), "ports": ports}
    return dict(plain({**found.parameters, **counts, "area_nmi2": area_nmi2, "longest_stay_h": longest_h}))


def _facts(found: Reach, summary: dict[str, Any]) -> list[tuple[str, str]]:
    known = found.parameters
    rows = [("silent for", hours(known["hours"]))]
    if not known["open"]:
        passed = ", ".join(known["direct_passages"])
        words = f"{known['direct_nmi']:,.0f} nmi over water" + (f", through {passed}" if passed else "")
        rows.append(("shortest way from end to end", words if math.isfinite(known["direct_nmi"]) else "none in time"))
    area = float(f"{summary['area_nmi2']:.3g}")
    rows.append(("sea within reach", f"{area:,.0f} nmi², {found.cells.size:,} cells"))
    rows.append(("longest possible stay", hours(summary["longest_stay_h"])))
    return rows


def feature(kind: str, coordinates: Any, properties: dict[str, Any]) -> dict[str, Any]:
    """A GeoJSON feature."""
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties}


def _band_features(bands: Sequence[Band]) -> list[dict[str, Any]]:
    return [
        {
            "type": "Feature",
            "geometry": band.area,
            "properties": {"what": "area", "least_stay_h": band.least_stay_h, "area_nmi2": round(band.area_nmi2)},
        }
        for band in bands
    ]


def end_features(silence: Silence, more: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """The fixes at the ends of a silence, with `more` properties."""
    ends = [("last heard", silence.lat0, silence.lon0, silence.t0_us)]
    if not silence.is_open:
        ends.append(("heard again", silence.lat1, silence.lon1, silence.t1_us))
    return [
        feature("Point", [lon, lat], {"what": what, "time": iso_time(t), **(more or {})}) for what, lat, lon, t in ends
    ]


def _way_features(ports: Sequence[ReachedPort], ways: Sequence[tuple[Way, Way | None]]) -> list[dict[str, Any]]:
    """The way to each port and on; cut at 180 degrees."""
    features = []
    for port, (there, back) in zip(ports, ways, strict=False):
        for what, way in (("way to port", there), ("way from port", back)):
            if way is not None and math.isfinite(way.length_nmi):
                known = {"port": port.locode, "nmi": round(way.length_nmi, 1), "passages": list(way.passages)}
                features.append(feature("MultiLineString", _line(way.lat, way.lon), {"what": what, **known}))
    return features


def _line(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> list[list[list[float]]]:
    """A way as lines that do not cross 180 degrees."""
    parts: list[list[list[float]]] = [[]]
    for (lat0, lon0), (lat1, lon1) in pairwise(zip(lat.tolist(), lon.tolist(), strict=True)):
        parts[-1].append([round(lon0, 4), round(lat0, 4)])
        if abs(lon1 - lon0) > 180.0:
            rim = math.copysign(180.0, lon0)
            across = lon1 + 2.0 * rim - lon0
            at = lat0 + (lat1 - lat0) * (rim - lon0) / across if across else lat0
            parts[-1].append([rim, round(at, 4)])
            parts.append([[-rim, round(at, 4)]])
    parts[-1].append([round(float(lon[-1]), 4), round(float(lat[-1]), 4)])
    return parts


def write_geojson(path: str, features: Sequence[dict[str, Any]]) -> None:
    """Write features to a file in one piece; OutputError when that fails."""
    text = json.dumps({"type": "FeatureCollection", "features": list(features)}, sort_keys=True, allow_nan=False)
    write_text(path, [text, "\n"], "give -o a file in a folder that is there")
