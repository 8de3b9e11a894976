"""Worlds of the injection benchmark beside the sweeps: all kinds together, silences, stops, ports, plain traffic."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import scenes
from benchmarks.injection import PLACES, T0_S, Hearing, Sea, World, fixes_of, joined
from benchmarks.matching import Span
from benchmarks.scenes import HOUR_S, Act, Circle, Scene, Ship, come_and_go

WELL_HEARD, SELDOM_HEARD = (10.0, 1200.0), (1200.0, 7200.0)
"""Mean intervals in s: terrestrial stations and many satellites; few satellites."""


class Size(NamedTuple):
    """How much of everything."""

    meetings: int = 30
    alike: int = 8
    loiterings: int = 24
    anchored: int = 12
    passing: int = 60
    silenced: int = 120
    stops: int = 40
    ports: int = 80
    ordinary: int = 1000
    ordinary_days: int = 40


QUICK = Size(
    meetings=3,
    alike=1,
    loiterings=3,
    anchored=2,
    passing=6,
    silenced=10,
    stops=4,
    ports=6,
    ordinary=60,
    ordinary_days=2,
)
FULL = Size()


def everything(seed: int, interval_s: tuple[float, float], size: Size) -> World:
    """Meetings of 2.5 to 12 h, drifts, anchored ships, look-alikes and passing ships at each of the places."""
    made = []
    for k, place in enumerate(PLACES):
        sea = Sea(seed + k, place, first=100_000 * k, room=144)
        for _ in range(size.meetings):
            hours = math.exp(sea.rng.uniform(math.log(2.5), math.log(12.0)))
            sea.add(scenes.meeting(sea.rng, hours, sea.rng.uniform(20.0, 300.0)))
        for scene in scenes.LOOK_ALIKES.values():
            for _ in range(size.alike):
                sea.add(scene(sea.rng))
        for _ in range(size.loiterings):
            sea.add(scenes.loitering(sea.rng))
        for _ in range(size.anchored):
            sea.add(scenes.anchored(sea.rng))
        sea.fill(size.passing)
        made.append(sea.world(Hearing(interval_s)))
    return joined(made)


def ordinary(seed: int, size: Size) -> World:
    """Ships that pass, and nothing else: every pair found is false."""
    sea = Sea(seed, days=float(size.ordinary_days))
    sea.fill(size.ordinary)
    return sea.world(Hearing(900.0))


def anchorage(seed: int, ships: int = 160) -> tuple[World, int]:
    """So many ships within 400 m of each other for five hours, and their pairs."""
    rng = np.random.default_rng(seed)
    parts = []
    for k in range(ships):
        t = T0_S + 9 * HOUR_S + np.arange(0, 5 * HOUR_S, 600.0) + rng.uniform(0, 60)
        lat, lon = 30.0 + rng.uniform(-0.0012, 0.0012), -45.0 + rng.uniform(-0.0014, 0.0014)
        one = np.ones(t.size)
        parts.append(np.vstack([t, lat * one, lon * one, 0.1 * one, one, one, one, (211_000_000 + k) * one, k * one]))
    fixes, ship = fixes_of(np.hstack(parts))
    mmsi = range(211_000_000, 211_000_000 + ships)
    world = World(fixes, ship, {}, dict.fromkeys(mmsi, 0), dict.fromkeys(mmsi, "anchorage"), {}, {0: ships * 5 / 24})
    return world, ships * (ships - 1) // 2


class Silences:
    """Which fixes are never heard: those of a ship that is silent, and those lost in a strip of poor reception.

    In the middle of the strip nobody is heard; from there to its edges the share that is lost falls evenly to none.
    """

    def __init__(self, seed: int, lon: float = 0.0, deaf_deg: float = 0.0, edge_deg: float = 0.0) -> None:
        self._rng = np.random.default_rng(seed)
        self._lon, self._deaf_deg, self._edge_deg = lon, deaf_deg, edge_deg
        self.spans: dict[int, tuple[float, float]] = {}

    def __call__(self, mmsi: int, rows: NDArray[Any]) -> NDArray[np.bool_]:
        begin, end = self.spans.get(mmsi, (0.0, 0.0))
        t, _, lon = rows
        silent = (t >= begin) & (t < end)
        if self._edge_deg == 0.0:
            return silent
        lost = (self._edge_deg - np.abs(lon - self._lon)) / (self._edge_deg - self._deaf_deg)
        return silent | (self._rng.uniform(size=t.size) < lost)


def silences(seed: int, size: Size, shared: float = 0.2) -> World:
    """Traffic of six days around a strip of poor reception, 170 km wide; some ships fall silent for 7 to 48 h.

    A share of these has its MMSI in common with a ship far away. Slow ships cross the strip too: silences that
    reception alone makes.
    """
    days = 6.0
    sea = Sea(seed, days=days, room=144)
    hidden = Silences(seed, sea.place.lon, 0.3, 0.9)
    truth = []
    sea.fill(size.silenced)
    for _ in range(size.silenced):
        scene = scenes.cruise(sea.rng, 24.0 * days, sea.rng.uniform(8, 16), sea.spread_m)
        first = sea.lay(Scene("silenced", scene.ships), float(T0_S), sea.place.lat, sea.place.lon)
        begin = T0_S + sea.rng.uniform(30.0, 24.0 * days - 60.0) * HOUR_S
        hidden.spans[first] = begin, begin + math.exp(sea.rng.uniform(math.log(7.0), math.log(48.0))) * HOUR_S
        truth.append(Span(first, *hidden.spans[first]))
    for _ in range(size.silenced // 2):
        scene = scenes.cruise(sea.rng, 24.0 * days, sea.rng.uniform(2.5, 4.0), 0.5 * sea.spread_m)
        sea.lay(Scene("slow across the strip", scene.ships), float(T0_S), sea.place.lat, sea.place.lon)
    for span in truth[: round(shared * len(truth))]:
        sea.share(int(span.who))
    world = sea.world(Hearing((60.0, 1200.0)), hidden)
    world.truth["dark"] = truth
    return world


def stops(seed: int, size: Size) -> World:
    """Ships at anchor, ships adrift, slow ships, and ships under way that are not heard for ten hours."""
    sea = Sea(seed, room=6 * size.stops)
    hidden = Silences(seed)
    for _ in range(size.stops):
        sea.add(scenes.anchored(sea.rng))
        sea.add(scenes.loitering(sea.rng))
        sea.add(scenes.slow_steaming(sea.rng))
        ship = Ship(scenes.CARGO, 150, come_and_go(sea.rng, [(0.0, 0.0, 0.0)], hours=16.0))
        start_s = sea.rng.uniform(0.0, 86_400.0)
        first = sea.add(Scene("silent under way", [ship]), start_s)
        begin = T0_S + start_s + 2.0 * HOUR_S
        hidden.spans[first] = begin, begin + 10.0 * HOUR_S
    return sea.world(Hearing(600.0), hidden)


def berth_call(rng: np.random.Generator, course: float) -> Scene:
    """A ship comes from the sea, lies within 1.5 km of the port's point for 6 to 40 h, and leaves."""
    return _harbour(rng, course, rng.uniform(0.0, 1_500.0), rng.uniform(6.0, 40.0), "port call")


def _harbour(rng: np.random.Generator, course: float, away_m: float, hours: float, role: str) -> Scene:
    x, y = away_m * math.sin(course), away_m * math.cos(course)
    out = [(d, x + d * math.sin(course), y + d * math.cos(course)) for d in (3_000.0, 15_000.0, 60_000.0)]
    slow_s, mid_s, fast_s = 3_000.0 / 2.6, 12_000.0 / 4.6, 45_000.0 / 6.2
    times = (slow_s, slow_s + mid_s, slow_s + mid_s + fast_s)
    stay_s = hours * HOUR_S
    before = [(-t, a, b) for t, (_, a, b) in zip(times, out, strict=True)][::-1]
    after = [(stay_s + t, a, b) for t, (_, a, b) in zip(times, out, strict=True)]
    acts = [Act("port_call", (0,), 0.0, stay_s)] if role == "port call" else []
    swing = Circle() if role == "port call" else Circle(150.0, course, 1.0)
    return Scene(role, [Ship(scenes.CARGO, 150, [*before, (0.0, x, y), (stay_s, x, y), *after], swing)], acts)


def passer(rng: np.random.Generator, course: float) -> Scene:
    """A ship goes by 2 to 6 km off the port at 10 kn and does not stop."""
    off_m, along = rng.uniform(2_000.0, 6_000.0), course + math.pi / 2
    legs = [
        (h * HOUR_S, off_m * math.sin(course) + d * math.sin(along), off_m * math.cos(course) + d * math.cos(along))
        for h, d in ((-3.0, -55_560.0), (3.0, 55_560.0))
    ]
    return Scene("passes the port", [Ship(scenes.CARGO, 150, legs)])


def roads(rng: np.random.Generator, course: float) -> Scene:
    """A ship lies at anchor 6 to 7.5 km off the port for 8 to 24 h and goes away again."""
    return _harbour(rng, course, rng.uniform(6_000.0, 7_500.0), rng.uniform(8.0, 24.0), "waits in the roads")


def ports(seed: int, size: Size) -> tuple[World, list[tuple[float, float]]]:
    """Calls, passers and waits in the roads of ports that lie alone and open to the sea; and where these ports are."""
    sea = Sea(seed, days=3.0)
    chosen = open_ports(size.ports)
    makers: tuple[Callable[[np.random.Generator, float], Scene], ...] = (berth_call, berth_call, passer, roads)
    for lat, lon, course in chosen:
        for make in makers:
            sea.lay(make(sea.rng, course), T0_S + sea.rng.uniform(0.0, 86_400.0 * sea.days), lat, lon)
    return sea.world(Hearing((60.0, 1200.0))), [(lat, lon) for lat, lon, _ in chosen]


def open_ports(number: int) -> list[tuple[float, float, float]]:
    """Ports (lat, lon) with no other within 0.5 degrees, and a course along which all is sea from 3 to 60 km out."""
    from benchmarks.injection import on_globe
    from geo.coast import is_sea
    from geo.ports import ports as all_ports

    lat, lon = (np.array([getattr(port, name) for port in all_ports()]) for name in ("lat", "lon"))
    out_m = np.arange(3_000.0, 60_001.0, 1_500.0)
    found: list[tuple[float, float, float]] = []
    for a, b in zip(lat.tolist(), lon.tolist(), strict=True):
        near = (np.abs(lat - a) < 0.5) & (np.abs((lon - b + 180.0) % 360.0 - 180.0) < 0.5 / math.cos(math.radians(a)))
        if abs(a) > 65.0 or np.count_nonzero(near) > 1:
            continue
        for course in np.arange(0.0, 2 * math.pi, math.pi / 8):
            if is_sea(*on_globe(a, b, out_m * math.sin(course), out_m * math.cos(course))).all():
                found.append((a, b, float(course)))
                break
        if len(found) == number:
            break
    return found
