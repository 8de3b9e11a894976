"""What could be reached, for maps and reports: areas by the longest stay, the ways to places, and what is assumed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from geo.reach import Reach
from geo.reach_area import area_of
from geo.reach_cells import SHORTENED
from geo.sea_way import Way, closure, field_from, way_between
from geo.zone_shapes import area_nmi2

if TYPE_CHECKING:
    from shapely.geometry import MultiPolygon

_PARTS = (0.5, 0.9)
"""Bands begin at these parts of the longest stay: the far half of the sea, and what lies about the two fixes."""


class Band(NamedTuple):
    """The sea where a ship could have stayed for at least `least_stay_h`; each band lies within the one before."""

    least_stay_h: float
    area: dict[str, Any]
    """A GeoJSON MultiPolygon."""
    area_nmi2: float


def least_stays(longest_h: float) -> tuple[float, ...]:
    """Hours of stay that bound the bands: none, and round ones under a half and nine tenths of the longest.

    >>> least_stays(430.0), least_stays(9.0), least_stays(0.2)
    ((0.0, 192.0, 384.0), (0.0, 4.0, 8.0), (0.0,))
    """
    rounded = {0.0}
    for hours in (part * longest_h for part in _PARTS):
        step = 24.0 if hours >= 96.0 else 1.0 if hours >= 4.0 else 0.25
        rounded.add(hours // step * step)
    return tuple(sorted(rounded))


def bands_of(found: Reach, *, coarse: bool = False) -> list[Band]:
    """The reachable sea by the longest stay: two or three bands, the largest first; none where nothing is reached.

    The outlines are those of `geo.reach_area`; `coarse` ones are for a page, where land is drawn over them. The areas
    are of the outlines before that, on the sphere.

    >>> from geo.reach import US_PER_H, reach
    >>> silent = reach(35.0, 129.1, 0, 35.3, 129.6, 36 * US_PER_H, 10.0)
    >>> [band.least_stay_h for band in bands_of(silent)]
    [0.0, 16.0, 29.0]
    """
    from shapely.geometry import shape

    bands = []
    for least_h in least_stays(float(found.slack_h.max(initial=0.0))):
        held = found.slack_h >= least_h
        area = area_of(found.cells[held], found.lat[held], found.lon[held])
        if area["coordinates"]:
            whole = shape(area)
            bands.append(Band(least_h, _coarse(whole) if coarse else area, area_nmi2(whole)))
    return bands


def _coarse(area: MultiPolygon) -> dict[str, Any]:
    """An outline with fewer points, and none of small islands, as GeoJSON rounded to what that leaves.

    It is grown over the steps that a coast makes in it, by 0.3 % of its height: a map draws its land on top.
    """
    import shapely

    _, south, _, north = area.bounds
    step = (north - south) / 250.0
    grown = area.buffer(0.8 * step, join_style="mitre").simplify(0.5 * step)
    whole = shapely.intersection(grown, shapely.box(-180.0, -90.0, 180.0, 90.0))
    drawn = shapely.transform(whole, lambda xy: xy.round(2 if step >= 0.05 else 3))
    parts = []
    for part in shapely.get_parts(drawn):
        if part.area > step * step:
            holes = [ring for ring in part.interiors if shapely.Polygon(ring).area > 9.0 * step * step]
            parts.append([[list(point) for point in ring.coords] for ring in (part.exterior, *holes)])
    return {"type": "MultiPolygon", "coordinates": parts}


def ways_to(found: Reach, places: Iterable[tuple[float, float]]) -> list[tuple[Way, Way | None]]:
    """The shortest ways from the first fix to each place (degrees), and on to the second; None while it is open.

    >>> from geo.reach import US_PER_H, reach
    >>> silent = reach(35.3, 129.6, 0, 35.3, 129.6, 144 * US_PER_H, 10.0)
    >>> [there.passages for there, back in ways_to(silent, [(41.7, 129.9), (34.0, 127.0), (42.0, 141.5)])]
    [(), ('Korea',), ('Tsugaru',)]
    """
    shut = closure(found.silence.closed)
    start, end = found.silence.fields(shut)
    made = []
    for lat, lon in places:
        there = field_from(lat, lon, shut, 0.0)
        back = None if end is None else way_between(end, there, shut).turned()
        made.append((way_between(start, there, shut), back))
    return made


def assumptions(found: Reach) -> list[str]:
    """What an answer rests on, each in one sentence without its full stop."""
    speed, known = found.silence.speed, found.parameters
    said = [f"speed {speed.fast_kn:.1f} kn ({speed.source})"]
    if speed.cap_kn > speed.fast_kn:
        said = [
            f"speed over the whole silence: usually {speed.usual_kn:.1f} kn, over {speed.fast_kn:.1f} kn with a chance "
            f"of 5 %, never over {speed.cap_kn:.1f} kn ({speed.source})",
            f"times, stays and area are those at {speed.fast_kn:.1f} kn",
        ]
    shut = ", ".join(known["closed"])
    said.append(f"closed: {shut}; all other straits and canals open" if shut else "all straits and canals are open")
    said.append(
        f"distances round capes are up to {1.0 - SHORTENED:.2%} too short; among islands and in narrow waters some are "
        "1 % too long, few up to 10 %: a place barely out of reach there may have been reached"
    )
    said.append("ice, weather, draught and traffic schemes are not looked at")
    for what, metres in (("first", known["start_snap_m"]), ("second", known["end_snap_m"])):
        if math.isnan(metres) and not (what == "second" and known["open"]):
            said.append(f"no sea is known within 30 km of the {what} position: nothing can be said of what was reached")
        elif metres > 0.0:
            said.append(f"the {what} position has no open water around it: moved {metres / 1000.0:.1f} km")
    if known["ports_off_the_sea"]:
        said.append(
            f"{known['ports_off_the_sea']:,} ports more than 60 km from the sea are left out; the way up a river is "
            "counted straight"
        )
    said.append("what could be reached was not therefore visited: reach is necessary, never proof")
    return said


def chance_words(share: float) -> str:
    """A chance in words that never round to a certainty.

    >>> chance_words(0.9999), chance_words(0.42), chance_words(0.0)
    ('over 99 %', '42 %', 'under 1 %')
    """
    return "over 99 %" if share > 0.99 else "under 1 %" if share < 0.01 else f"{100.0 * share:.0f} %"
