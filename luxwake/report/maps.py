"""The three maps of a report: the silence in detail, the whole chain, and all events.

What is on them is chosen here; how it is drawn stands in `luxwake.report.map_svg`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ais.table import Fixes
from detectors.event import KINDS, Events
from luxwake.report.map_svg import HEARD_GAP_US, MapDrawing
from luxwake.report.markup import Markup, element, join
from luxwake.report.projection import box_around
from luxwake.report.words import DAY_US, HOUR_US, count, day_span, day_time, kind_word, length_of_time, time_us

Json = Mapping[str, Any]

BEFORE_US, AFTER_US = 10 * DAY_US, 20 * DAY_US
"""How much of a ship's way before and after its events is drawn."""
TRACK_POINTS = 2_000
"""Points of one ship's way on one map."""
MAP_EVENTS = 2_000
"""Events drawn as symbols on the map of all events."""
_RANK_DARK, _RANK_CHAIN, _RANK_RISK, _RANK_EVENT, _RANK_OTHER = range(5)


def dark_event(finding: Json) -> Json | None:
    """The dark period that a finding's map and timeline are about: that of its reach, else the longest."""
    dark = [event for event in finding.get("events", ()) if event.get("kind") == "dark"]
    named = (finding.get("reach") or {}).get("event")
    dark = [event for event in dark if named and event.get("id") == named] or dark
    return max(dark, key=lambda event: (_length_us(event), str(event.get("id"))), default=None)


def _length_us(event: Json) -> int:
    start, end = time_us(event.get("t_start")), time_us(event.get("t_end"))
    return 0 if start is None or end is None else end - start


def leg_on_board(finding: Json) -> Json | None:
    """The leg during which the ship went dark: the same ship, else the last leg that departed before."""
    chain: Sequence[Json] = finding.get("chain", ())
    event = dark_event(finding) or next(iter(finding.get("events", ())), None)
    if event is None:
        return chain[-1] if chain else None
    same = [leg for leg in chain if event.get("mmsi") and (leg.get("vessel") or {}).get("mmsi") == event["mmsi"]]
    start = time_us(event.get("t_start"))
    before = [leg for leg in same or chain if (t := time_us(leg.get("t_depart"))) and start and t <= start + DAY_US]
    found = before or same or chain
    return found[-1] if found else None


def risk_ports(finding: Json) -> list[Json]:
    """Reachable ports of the countries that the run was told to watch, with time enough for a call."""
    ports = (finding.get("reach") or {}).get("ports", ())
    return [port for port in ports if port.get("risk") and _placed(port.get("lat"), port.get("lon"))]


def _placed(lat: object, lon: object) -> bool:
    return all(isinstance(v, (int, float)) and math.isfinite(v) for v in (lat, lon))


def detail_map(finding: Json, tracks: Fixes | None, name: str, budget: int) -> Markup:
    """Where the ship fell silent, where it was heard again, and what lies between."""
    dark, leg = dark_event(finding), leg_on_board(finding)
    places = [
        (e.get(a), e.get(b)) for e in finding.get("events", ()) for a, b in (("lat", "lon"), ("lat_end", "lon_end"))
    ]
    if leg is not None:
        places += [(leg.get(f"{end}_lat"), leg.get(f"{end}_lon")) for end in ("load", "discharge")]
    places += [(port["lat"], port["lon"]) for port in risk_ports(finding)]
    places = [place for place in places if _placed(*place)]
    if not places:
        return element("p", "No position is known for this finding, so there is no map.", class_="note")
    drawing = MapDrawing(
        name, box_around([p[0] for p in places], [p[1] for p in places], least_deg=2.0), height=(380, 720)
    )
    if (reach := finding.get("reach")) and reach.get("area"):
        drawing.reach(reach["area"])
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
            f"Shaded: sea that {ship} could have reached and left again in time"
            + (", as far as it was computed." if reach.get("clipped") else ".")
            + " That it could be reached does not mean that it was."
        )
    if heard is not None:
        said.append(
            f"Grey: where {count(heard, 'other ship')} {'was' if heard == 1 else 'were'} heard in the same time. "
            "Where there are none, silence may be a lack of receivers."
        )
    return " ".join(said)


def _ships(finding: Json) -> list[int]:
    """MMSIs of the ships in a finding, the one that went dark first."""
    events = sorted(finding.get("events", ()), key=lambda event: event.get("kind") != "dark")
    named = [event.get(key) for event in events for key in ("mmsi", "other")]
    named += [(leg.get("vessel") or {}).get("mmsi") for leg in finding.get("chain", ())]
    return [int(mmsi) for mmsi in dict.fromkeys(named) if mmsi]


def _window(finding: Json) -> tuple[int, int]:
    """The time that the detail map covers: the events, and some days before and after."""
    times = [
        t for e in finding.get("events", ()) for key in ("t_start", "t_end") if (t := time_us(e.get(key))) is not None
    ]
    return (min(times) - BEFORE_US, max(times) + AFTER_US) if times else (0, 2**62)


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
    rows = (t >= start) & (t <= end) & (tracks["status"] == 0) & ~np.isin(tracks["mmsi"], _ships(finding))
    lat, lon, mmsi = tracks["lat"][rows], tracks["lon"][rows], tracks["mmsi"][rows]
    seen = drawing.sheet.shows(*drawing.sheet.xy(lat, lon))
    drawing.traffic(lat[seen], lon[seen], budget, "other ships heard in the same time")
    return int(np.unique(mmsi[seen]).size)


def _draw_tracks(drawing: MapDrawing, finding: Json, tracks: Fixes | None) -> None:
    if tracks is None:
        return
    start, end = _window(finding)
    t = tracks["t"]
    for n, mmsi in enumerate(_ships(finding)):
        rows = np.flatnonzero((tracks["mmsi"] == mmsi) & (t >= start) & (t <= end) & (tracks["status"] == 0))
        style = "ship" if n == 0 else "ship-2"
        if drawing.track(t[rows], tracks["lat"][rows], tracks["lon"][rows], style, TRACK_POINTS):
            who = ship_name(finding, mmsi) if n == 0 else "other ships of the finding"
            drawing.legend_line(style, f"{who}, solid where heard every {HEARD_GAP_US // HOUR_US} h" if n == 0 else who)


def ship_name(finding: Json, mmsi: int) -> str:
    """A ship's name as the chain gives it, else its MMSI."""
    for leg in finding.get("chain", ()):
        vessel = leg.get("vessel") or {}
        if vessel.get("mmsi") == mmsi and vessel.get("name"):
            return str(vessel["name"])
    return f"MMSI {mmsi}"


def _draw_ports(drawing: MapDrawing, finding: Json, on_board: Json | None) -> None:
    """Ports of the chain, then reachable ports; a port that is both is drawn once."""
    done: set[str] = set()
    for leg in finding.get("chain", ()):
        for end, role in (("load", "loaded"), ("discharge", "declared")):
            code = str(leg.get(f"{end}_port") or "")
            if not code or code in done or not _placed(leg.get(f"{end}_lat"), leg.get(f"{end}_lon")):
                continue
            done.add(code)
            words = [str(leg.get(f"{end}_name") or code)]
            if leg is on_board:
                words.append("declared destination" if role == "declared" else "loaded here")
            drawing.port(leg[f"{end}_lat"], leg[f"{end}_lon"], words, rank=_RANK_CHAIN)
    watched = {str(port.get("locode")) for port in risk_ports(finding)}
    for port in sorted((finding.get("reach") or {}).get("ports", ()), key=lambda p: str(p.get("locode"))):
        code = str(port.get("locode"))
        if code in done or not _placed(port.get("lat"), port.get("lon")):
            continue
        done.add(code)
        words = [str(port.get("name") or code)]
        if code in watched:
            stay = port.get("slack_h")
            words += [f"{length_of_time(int(stay * HOUR_US))} to spare"] if isinstance(stay, (int, float)) else []
            drawing.port(port["lat"], port["lon"], words, rank=_RANK_RISK, style="port-risk")
        else:
            drawing.port(port["lat"], port["lon"], words, rank=_RANK_OTHER, style="port-other")
    if watched:
        drawing.legend_port("port-risk", "reachable port of a watched country, with the longest possible stay")


def _draw_events(drawing: MapDrawing, finding: Json, dark: Json | None) -> None:
    for event in finding.get("events", ()):
        kind, place = str(event.get("kind")), (event.get("lat"), event.get("lon"))
        if not _placed(*place):
            continue
        start, end = time_us(event.get("t_start")), time_us(event.get("t_end"))
        words = f"{kind_word(kind)}, {day_time(start)} to {day_time(end)}"
        again = (event.get("lat_end"), event.get("lon_end"))
        if kind == "dark":
            drawing.legend_event("dark", "last heard, and heard again (open sign)")
            label = ("last heard", day_time(start)) if event is dark else ()
            if _placed(*again) and not event.get("open"):
                drawing.dark(*place, *again)
                next_label = ("heard again", day_time(end)) if event is dark else ()
                drawing.symbol("dark", *again, words, label=next_label, rank=_RANK_DARK, end=True)
            drawing.symbol("dark", *place, words, label=label, rank=_RANK_DARK)
        else:
            drawing.legend_event(kind, kind_word(kind).lower())
            drawing.symbol(kind, *place, words, label=(kind_word(kind).lower(), day_time(start)), rank=_RANK_EVENT)


def chain_map(finding: Json, name: str) -> Markup:
    """All ports of the chain and its legs as bows, and its short legs once more on a map of their own."""
    legs = [leg for leg in finding.get("chain", ()) if all(_placed(*_end(leg, end)) for end in ("load", "discharge"))]
    if not legs:
        return Markup("")
    caption = "Bows join the ports that the papers name. They are not the ships’ routes."
    maps = [_legs_map(finding, legs, f"{name}-all", "Map of the chain", caption)]
    degrees = [math.dist(_end(leg, "load"), _end(leg, "discharge")) for leg in legs]
    short = [leg for leg, size in zip(legs, degrees, strict=True) if size < 0.25 * max(degrees)]
    if short:
        numbers = ", ".join(str(leg.get("leg")) for leg in short)
        maps.append(_legs_map(finding, short, f"{name}-near", "Map of the short legs", f"Closer: legs {numbers}."))
    return join(maps)


def _end(leg: Json, end: str) -> tuple[Any, Any]:
    return leg.get(f"{end}_lat"), leg.get(f"{end}_lon")


def _legs_map(finding: Json, legs: Sequence[Json], name: str, title: str, caption: str) -> Markup:
    ends = [_end(leg, end) for leg in legs for end in ("load", "discharge")]
    drawing = MapDrawing(
        name, box_around([e[0] for e in ends], [e[1] for e in ends], pad=0.14, least_deg=4.0), height=(300, 460)
    )
    drawing.land()
    drawing.graticule()
    _draw_legs(drawing, legs)
    if (dark := dark_event(finding)) and _placed(dark.get("lat"), dark.get("lon")):
        drawing.symbol("dark", dark["lat"], dark["lon"], "Last heard here")
        drawing.legend_event("dark", "last heard")
    drawing.scale_bar()
    return _figure(drawing, title, caption)


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


def leg_words(leg: Json) -> str:
    """A leg in words: its ports and its days."""
    ports = " – ".join(
        str(leg.get(f"{end}_name") or leg.get(f"{end}_port") or "unknown") for end in ("load", "discharge")
    )
    return f"{ports}, {day_span(time_us(leg.get('t_depart')), time_us(leg.get('t_arrive')))}"


def events_map(events: Events, tracks: Fixes | None, name: str, budget: int) -> Markup:
    """Where all events happened, over where anyone was heard; at most `MAP_EVENTS` symbols, the longest first."""
    if not len(events):
        return element("p", "There are no events to draw.", class_="note")
    order = np.lexsort((events["id"], events["t_start"] - events["t_end"]))[:MAP_EVENTS]
    lat, lon = events["lat"][order], events["lon"][order]
    drawing = MapDrawing(name, box_around(lat, lon, pad=0.08, least_deg=2.0), height=(340, 640))
    drawing.land()
    drawing.graticule()
    if tracks is not None:
        heard = tracks["status"] == 0
        drawing.traffic(tracks["lat"][heard], tracks["lon"][heard], budget, "where ships were heard")
    for row in sorted(order.tolist(), key=lambda row: int(events["kind"][row]), reverse=True):
        kind = KINDS[int(events["kind"][row])]
        words = f"{kind_word(kind)}, MMSI {events['mmsi'][row]}, {day_time(int(events['t_start'][row]))}"
        ends = [float(events[column][row]) for column in ("lat", "lon", "lat_end", "lon_end")]
        if kind == "dark":
            drawing.dark(*ends)
            if _placed(*ends[2:]):
                drawing.symbol(kind, ends[2], ends[3], f"{words}, heard again", end=True)
        if _placed(*ends[:2]):
            drawing.symbol(kind, ends[0], ends[1], words)
            drawing.legend_event(kind, kind_word(kind).lower())
    drawing.scale_bar()
    shown = "" if len(events) <= MAP_EVENTS else f" The {MAP_EVENTS:,} longest of {len(events):,} are drawn."
    return _figure(drawing, "Map of all events", f"{count(len(events), 'event')} of all kinds.{shown}")


def _figure(drawing: MapDrawing, title: str, caption: str) -> Markup:
    svg = drawing.svg(title)
    left_out = drawing.labels.left_out
    if left_out:
        caption += f" {count(left_out, 'name')} had no room; point at a dot to read it."
    sheet = element("div", svg, class_="scroll", tabindex="0", role="group", aria_label=title)
    return element("figure", sheet, drawing.legend_list(), element("figcaption", caption))
