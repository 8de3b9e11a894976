"""What a finding is about: its silence, the leg on board, the events and ships near it, the ports that matter.

Plain choices over the JSON of a finding, shared by its maps, its timeline and its text; and the order of all events.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.event import DARK, GAP, KINDS, LOITERING, PORT_CALL, RENDEZVOUS, WAITING, Events
from luxwake.report.words import DAY_US, day_span, time_us

Json = Mapping[str, Any]

BEFORE_US, AFTER_US = 10 * DAY_US, 20 * DAY_US
"""How much of a ship's way before and after its events is drawn."""


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
    """The leg during which it happened: that of the event, else the same ship's, else the last that departed before."""
    chain: Sequence[Json] = finding.get("chain", ())
    event = dark_event(finding) or next((e for e in finding.get("events", ()) if e.get("kind") != "port_call"), None)
    if event is None:
        return chain[-1] if chain else None
    numbered = [leg for leg in chain if event.get("leg") and leg.get("leg") == event["leg"]]
    if numbered:
        return numbered[0]
    ships = {event[key] for key in ("mmsi", "other") if event.get(key)}
    same = [leg for leg in chain if (leg.get("vessel") or {}).get("mmsi") in ships]
    start = time_us(event.get("t_start"))
    before = [leg for leg in same or chain if (t := time_us(leg.get("t_depart"))) and start and t <= start + DAY_US]
    found = before or same or chain
    return found[-1] if found else None


def near_events(finding: Json) -> list[Json]:
    """Events that belong on the map of the silence: those of the same ships, some days around it; gaps are left out."""
    events: Sequence[Json] = finding.get("events", ())
    dark = dark_event(finding)
    about = (
        [dark] if dark is not None else [e for e in events if e.get("kind") in ("rendezvous", "loitering")] or events
    )
    times = [t for e in about for key in ("t_start", "t_end") if (t := time_us(e.get(key))) is not None]
    if not times:
        return [event for event in events if event.get("kind") != "gap"]
    ships = {event.get(key) for event in about for key in ("mmsi", "other")} - {None, 0}
    low, high = min(times) - BEFORE_US, max(times) + AFTER_US
    return [
        event
        for event in events
        if event.get("kind") != "gap"
        and ships & {event.get("mmsi"), event.get("other")}
        and (time_us(event.get("t_end")) or low) >= low
        and (time_us(event.get("t_start")) or high) <= high
    ]


def risk_ports(finding: Json) -> list[Json]:
    """Reachable ports of the countries that the run was told to watch, with time enough for a call."""
    ports = (finding.get("reach") or {}).get("ports", ())
    return [port for port in ports if port.get("risk") and placed(port.get("lat"), port.get("lon"))]


def position_of(item: Json, lat: str = "lat", lon: str = "lon") -> tuple[Any, Any]:
    """A position as (lat, lon), each None where it is not known."""
    return item.get(lat), item.get(lon)


def placed(lat: object, lon: object) -> bool:
    """Whether a position is known."""
    return all(isinstance(v, (int, float)) and math.isfinite(v) for v in (lat, lon))


def ships_of(finding: Json) -> list[int]:
    """MMSIs of the ships in a finding, the one that went dark first."""
    events = sorted(finding.get("events", ()), key=lambda event: event.get("kind") != "dark")
    named = [event.get(key) for event in events for key in ("mmsi", "other")]
    named += [(leg.get("vessel") or {}).get("mmsi") for leg in finding.get("chain", ())]
    return [int(mmsi) for mmsi in dict.fromkeys(named) if mmsi]


def near_ships(finding: Json) -> list[int]:
    """MMSIs of the ships of `near_events`, the one that went dark first; of a finding without events all its ships."""
    near = {event.get(key) for event in near_events(finding) for key in ("mmsi", "other")}
    return [mmsi for mmsi in ships_of(finding) if mmsi in near] or ships_of(finding)


def window_of(finding: Json) -> tuple[int, int]:
    """The time that the detail map covers: the events, and some days before and after."""
    times = [t for e in near_events(finding) for key in ("t_start", "t_end") if (t := time_us(e.get(key))) is not None]
    return (min(times) - BEFORE_US, max(times) + AFTER_US) if times else (0, 2**62)


def ship_name(finding: Json, mmsi: int) -> str:
    """A ship's name as the chain gives it, else its MMSI."""
    for leg in finding.get("chain", ()):
        vessel = leg.get("vessel") or {}
        if vessel.get("mmsi") == mmsi and vessel.get("name"):
            return str(vessel["name"])
    return f"MMSI {mmsi}"


def leg_words(leg: Json) -> str:
    """A leg in words: its ports and its days."""
    ports = " – ".join(
        str(leg.get(f"{end}_name") or leg.get(f"{end}_port") or "unknown") for end in ("load", "discharge")
    )
    return f"{ports}, {day_span(time_us(leg.get('t_depart')), time_us(leg.get('t_arrive')))}"


def foremost(events: Events) -> NDArray[np.intp]:
    """Rows of a table: dark, rendezvous, loitering, waiting, port call, gap, others; of each the longest first."""
    order = np.arange(len(KINDS)) + 6
    order[[DARK, RENDEZVOUS, LOITERING, WAITING, PORT_CALL, GAP]] = np.arange(6)
    return np.lexsort((events["id"], events["t_start"] - events["t_end"], order[events["kind"]]))
