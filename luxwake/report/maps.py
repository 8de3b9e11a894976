"""The three maps of a report: the silence in detail, the whole chain, and all events.

What is on them is chosen here; how it is drawn stands in `luxwake.report.map_svg`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ais.table import Fixes
from detectors.event import GAP, KINDS, PORT_CALL, Events
from luxwake.report.focus import (
    dark_event,
    foremost,
    leg_on_board,
    leg_words,
    near_events,
    near_ships,
    placed,
    position_of,
    risk_ports,
    ship_name,
    ships_of,
    window_of,
)
from luxwake.report.map_svg import HEARD_GAP_US, MapDrawing
from luxwake.report.markup import Markup, element, join
from luxwake.report.projection import box_around
from luxwake.report.words import DAY_US, HOUR_US, count, day_time, kind_word, length_of_time, time_us

Json = Mapping[str, Any]

TRACK_POINTS = 2_000
"""Points of one ship's way on one map."""
MAP_EVENTS = 2_000
"""Events drawn as symbols on the map of all events."""
_RANK_DARK, _RANK_CHAIN, _RANK_RISK, _RANK_EVENT, _RANK_OTHER = range(5)


def detail_map(finding: Json, tracks: Fixes | None, name: str, budget: int) -> Markup:
    """Where the ship fell silent, where it was heard again, and what lies between."""
    dark, leg = dark_event(finding), leg_on_board(finding)
    places = [position_of(e, *names) for e in near_events(finding) for names in ((), ("lat_end", "lon_end"))]
    if leg is not None:
        places += [_end(leg, end) for end in ("load", "discharge")]
    places += [(port["lat"], port["lon"]) for port in risk_ports(finding)]
    places = [place for place in places if placed(*place)]
    if not places:
        return element("p", "No position is known for this finding, so there is no map.", class_="note")
    drawing = MapDrawing(
        name, box_around([p[0] for p in places], [p[1] for p in places], least_deg=2.0), height=(380, 720)
    )
    _draw_bands(drawing, finding)
    drawing.land()
    drawing.graticule()
    heard = _draw_traffic(drawing, finding, tracks, dark, budget)
    _draw_tracks(drawing, finding, tracks)
    _draw_ports(drawing, finding, leg)
    _draw_events(drawing, finding, dark)
    drawing.scale_bar()
    title = "Map of the silence" if dark else "Map of the events"
    return _figure(drawing, title, _detail_caption(finding, dark, heard))


def _detail_caption(finding: Json, dark: Json | None, heard: int | None) -> str:
    """What the detail map shows in words, with the limits of what it can say."""
    said = []
    if dark is not None:
        said.append("The dashed line joins the last and the next position that were heard; the way between is unknown.")
    if reach := finding.get("reach"):
        speed = reach.get("speed_kn")
        ship = f"a ship at {speed:.1f} kn" if isinstance(speed, (int, float)) else "the ship"
        said.append(
            f"Shaded: sea that {ship} could have reached and left again in time, the darker the longer it could have "
            "stayed. That it could be reached does not mean that it was."
        )
    if heard is not None:
        said.append(
            f"Grey: where {count(heard, 'other ship')} {'was' if heard == 1 else 'were'} heard in the same time. "
            "Where there are none, silence may be a lack of receivers."
        )
    return " ".join(said)


def _draw_bands(drawing: MapDrawing, finding: Json) -> None:
    """The sea within reach, by the longest possible stay."""
    for n, band in enumerate((finding.get("reach") or {}).get("bands", ())):
        stay = length_of_time(round((band.get("least_stay_h") or 0.0) * HOUR_US))
        words = f"could have stayed there {stay} or longer" if n else "could be reached and left again in the dark"
        drawing.reach(band.get("area") or {}, words, n)


def _draw_traffic(
    drawing: MapDrawing, finding: Json, tracks: Fixes | None, dark: Json | None, budget: int
) -> int | None:
    """Others that were heard while the ship was silent: evidence that there was reception; the number of ships."""
    if tracks is None or dark is None:
        return None
    start, end = time_us(dark.get("t_start")), time_us(dark.get("t_end"))
    if start is None or end is None:
        return None
    t = tracks["t"]
    rows = (t >= start) & (t <= end) & (tracks["status"] == 0) & ~np.isin(tracks["mmsi"], ships_of(finding))
    lat, lon, mmsi = tracks["lat"][rows], tracks["lon"][rows], tracks["mmsi"][rows]
    seen = drawing.sheet.shows(*drawing.sheet.xy(lat, lon))
    drawing.traffic(lat[seen], lon[seen], budget, "other ships heard in the same time")
    return int(np.unique(mmsi[seen]).size)


def _draw_tracks(drawing: MapDrawing, finding: Json, tracks: Fixes | None) -> None:
    if tracks is None:
        return
    start, end = window_of(finding)
    t = tracks["t"]
    for n, mmsi in enumerate(near_ships(finding)):
        rows = np.flatnonzero((tracks["mmsi"] == mmsi) & (t >= start) & (t <= end) & (tracks["status"] == 0))
        style = "ship" if n == 0 else "ship-2"
        if drawing.track(t[rows], tracks["lat"][rows], tracks["lon"][rows], style, TRACK_POINTS):
            who = ship_name(finding, mmsi) if n == 0 else "other ships of the finding"
            drawing.legend_line(style, f"{who}, solid where heard every {HEARD_GAP_US // HOUR_US} h" if n == 0 else who)


def _draw_ports(drawing: MapDrawing, finding: Json, on_board: Json | None) -> None:
    """Ports of the chain, those of the leg on board with their part in it; then what could be reached."""
    parts = {}
    if on_board is not None:
        parts = {on_board.get("load_port"): "loaded here", on_board.get("discharge_port"): "declared destination"}
    done: set[str] = set()
    for leg in finding.get("chain", ()):
        for end in ("load", "discharge"):
            code = str(leg.get(f"{end}_port") or "")
            if code and code not in done and placed(*_end(leg, end)):
                words = [str(leg.get(f"{end}_name") or code), *([parts[code]] if code in parts else [])]
                drawing.port(*_end(leg, end), words, rank=_RANK_CHAIN)
                done.add(code)
    _draw_reached(drawing, finding, done, str((on_board or {}).get("discharge_port") or "")[:2])


def _draw_reached(drawing: MapDrawing, finding: Json, done: set[str], declared_country: str) -> None:
    """Reachable ports: of watched countries with the time to spare, of the declared country by name, others as dots."""
    watched = {str(port.get("locode")) for port in risk_ports(finding)}
    others = 0
    for port in sorted((finding.get("reach") or {}).get("ports", ()), key=lambda p: str(p.get("locode"))):
        code = str(port.get("locode"))
        if code in done or not placed(port.get("lat"), port.get("lon")):
            continue
        words = [str(port.get("name") or code)]
        if code in watched:
            stay = port.get("slack_h")
            words += [f"{length_of_time(int(stay * HOUR_US))} to spare"] if isinstance(stay, (int, float)) else []
            drawing.port(port["lat"], port["lon"], words, rank=_RANK_RISK, style="port-risk")
        else:
            others += 1
            rank = _RANK_OTHER if code[:2] == declared_country else None
            drawing.port(port["lat"], port["lon"], words, rank=rank, style="port-other")
    if watched:
        drawing.legend_port("port-risk", "reachable port of a watched country, and the longest possible stay")
    if others:
        drawing.legend_port("port-other", "other reachable port")


def _draw_events(drawing: MapDrawing, finding: Json, dark: Json | None) -> None:
    for event in near_events(finding):
        kind, place = str(event.get("kind")), position_of(event)
        if not placed(*place):
            continue
        start, end = time_us(event.get("t_start")), time_us(event.get("t_end"))
        words = f"{kind_word(kind)}, {day_time(start)} to {day_time(end)}"
        again = position_of(event, "lat_end", "lon_end")
        if kind == "dark":
            drawing.legend_event("dark", "last heard, and heard again (open sign)")
            label = ("last heard", day_time(start)) if event is dark else ()
            if placed(*again) and not event.get("open"):
                drawing.dark(*place, *again)
                next_label = ("heard again", day_time(end)) if event is dark else ()
                drawing.symbol("dark", *again, words, label=next_label, rank=_RANK_DARK, end=True)
            drawing.symbol("dark", *place, words, label=label, rank=_RANK_DARK)
        else:
            drawing.legend_event(kind, kind_word(kind).lower())
            drawing.symbol(kind, *place, words, label=(kind_word(kind).lower(), day_time(start)), rank=_RANK_EVENT)


def chain_map(finding: Json, tracks: Fixes | None, name: str) -> Markup:
    """All ports of the chain, its legs as bows, and where their ships were heard; short legs once more, closer."""
    legs = [leg for leg in finding.get("chain", ()) if all(placed(*_end(leg, end)) for end in ("load", "discharge"))]
    if not legs:
        return Markup("")
    caption = "Bows join the ports that the papers name. They are not the ships’ routes."
    maps = [_legs_map(finding, legs, tracks, f"{name}-all", "Map of the chain", caption)]
    degrees = [math.dist(_end(leg, "load"), _end(leg, "discharge")) for leg in legs]
    short = [leg for leg, size in zip(legs, degrees, strict=True) if size < 0.25 * max(degrees)]
    if short:
        numbers = ", ".join(str(leg.get("leg")) for leg in short)
        maps.append(
            _legs_map(finding, short, tracks, f"{name}-near", "Map of the short legs", f"Closer: legs {numbers}.")
        )
    return join(maps)


def _end(leg: Json, end: str) -> tuple[Any, Any]:
    return position_of(leg, f"{end}_lat", f"{end}_lon")


def _legs_map(finding: Json, legs: Sequence[Json], tracks: Fixes | None, name: str, title: str, caption: str) -> Markup:
    heard = [_heard_during(leg, tracks) for leg in legs] if tracks is not None else []
    ends = [_end(leg, end) for leg in legs for end in ("load", "discharge")]
    lat = np.concatenate([[e[0] for e in ends], *(way[1] for way in heard)])
    lon = np.concatenate([[e[1] for e in ends], *(way[2] for way in heard)])
    drawing = MapDrawing(name, box_around(lat, lon, pad=0.1, least_deg=4.0), height=(300, 560))
    drawing.land()
    drawing.graticule()
    for way in heard:
        if drawing.track(*way, "ship", TRACK_POINTS):
            drawing.legend_line("ship", "ship of a leg, solid where heard")
    _draw_legs(drawing, legs)
    if (dark := dark_event(finding)) and placed(*position_of(dark)):
        drawing.symbol("dark", *position_of(dark), "Last heard here")
        drawing.legend_event("dark", "last heard")
    drawing.scale_bar()
    return _figure(drawing, title, caption)


def _heard_during(leg: Json, tracks: Fixes) -> tuple[Any, Any, Any]:
    """Times and positions at which the ship of a leg was heard, from a day before departure to a day after arrival."""
    mmsi, start, end = (leg.get("vessel") or {}).get("mmsi"), time_us(leg.get("t_depart")), time_us(leg.get("t_arrive"))
    rows = np.empty(0, np.int64)
    if mmsi and start is not None and end is not None:
        t = tracks["t"]
        during = (t >= start - DAY_US) & (t <= end + DAY_US)
        rows = np.flatnonzero(during & (tracks["mmsi"] == mmsi) & (tracks["status"] == 0))
    return tracks["t"][rows], tracks["lat"][rows], tracks["lon"][rows]


def _draw_legs(drawing: MapDrawing, legs: Sequence[Json]) -> None:
    """Ports first, so that their names are placed before the numbers of the legs."""
    done: set[str] = set()
    for n, leg in enumerate(legs):
        for end in ("load", "discharge"):
            code = str(leg.get(f"{end}_port"))
            if code not in done:
                drawing.port(*_end(leg, end), [str(leg.get(f"{end}_name") or code)], rank=n)
            done.add(code)
        drawing.arc(_end(leg, "load"), _end(leg, "discharge"), str(leg.get("leg", n + 1)), leg_words(leg))


def events_map(events: Events, tracks: Fixes | None, name: str, budget: int) -> Markup:
    """Events over where anyone was heard, the foremost `MAP_EVENTS` of them; framed by what is not routine."""
    if not len(events):
        return element("p", "There are no events to draw.", class_="note")
    order = foremost(events)[:MAP_EVENTS]
    framing = order[np.isin(events["kind"][order], (PORT_CALL, GAP), invert=True)]
    framing = framing if framing.size else order
    lat, lon = (np.append(events[a][framing], events[b][framing]) for a, b in (("lat", "lat_end"), ("lon", "lon_end")))
    drawing = MapDrawing(name, box_around(lat, lon, pad=0.15, least_deg=2.0), height=(340, 640))
    drawing.land()
    drawing.graticule()
    if tracks is not None:
        heard = tracks["status"] == 0
        drawing.traffic(tracks["lat"][heard], tracks["lon"][heard], budget, "where ships were heard")
    for row in order[::-1].tolist():
        _draw_event(drawing, events, row)
    drawing.scale_bar()
    inside = int(drawing.sheet.shows(*drawing.sheet.xy(events["lat"][order], events["lon"][order])).sum())
    caption = f"{count(inside, 'event')} on this map"
    caption += f", of {len(events):,} in all. The table counts them all." if inside < len(events) else "."
    return _figure(drawing, "Map of all events", caption)


def _draw_event(drawing: MapDrawing, events: Events, row: int) -> None:
    """One event of the table of events with its kind's sign."""
    kind = KINDS[int(events["kind"][row])]
    words = f"{kind_word(kind)}, MMSI {events['mmsi'][row]}, {day_time(int(events['t_start'][row]))}"
    ends = [float(events[column][row]) for column in ("lat", "lon", "lat_end", "lon_end")]
    if kind == "dark" and not events["open"][row]:
        drawing.dark(*ends)
        if placed(*ends[2:]):
            drawing.symbol(kind, ends[2], ends[3], f"{words}, heard again", end=True)
    if placed(*ends[:2]):
        drawing.symbol(kind, ends[0], ends[1], words)
        drawing.legend_event(kind, kind_word(kind).lower())


def _figure(drawing: MapDrawing, title: str, caption: str) -> Markup:
    svg = drawing.svg(title)
    left_out = drawing.labels.left_out
    if left_out:
        caption += f" {count(left_out, 'name')} had no room; point at a dot to read it."
    sheet = element("div", svg, class_="scroll", tabindex="0", role="group", aria_label=title)
    return element("figure", sheet, drawing.legend_list(), element("figcaption", caption))
