"""Worlds for the detectors: scenes laid out at sea, heard as AIS is heard, with the truth beside them.

Scenes stand 0.15 degrees or more apart, begin at any minute of the world's days, and ships that only pass cross all of
them. Each ship is heard at intervals of its own (exponential, as independent losses leave them, or regular), with noise
on its positions, copies of its messages, and at times another ship under its MMSI. A seed gives the same world always.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ais.table import STATIC_DTYPES, Fixes, Static, columns_of
from benchmarks.matching import Span
from benchmarks.scenes import KN_M_S, Scene, Ship, cruise

T0_S = 1_709_251_200
"""2024-03-01 00:00 UTC."""
EARTH_M = 6_371_008.8
SPACING_DEG = 0.3
STEP_S = 10.0
"""Speed and course are those of the way over the next 10 s."""
FIRST_MMSI = 211_000_000


class Place(NamedTuple):
    """The middle of a world; all are in open sea, farther than 20 nmi from any shore in every direction scenes take."""

    name: str
    lat: float
    lon: float
    columns: int = 0
    """Scenes side by side from west to east, closer from south to north; 0: as many one way as the other."""


PLACES = (
    Place("equator", 0.0, -25.0),
    Place("30 N", 30.0, -45.0),
    Place("60 N", 60.0, -30.0),
    Place("80 N", 80.0, 165.0),
    Place("antimeridian", 38.0, 180.0, columns=1),
)
OPEN_SEA = PLACES[1]


class Hearing(NamedTuple):
    """How the ships are heard."""

    interval_s: float | tuple[float, float] = 300.0
    """Mean interval; two numbers: each scene has its own, spread evenly over the logarithm between them."""
    regular: bool = False
    """Evenly spaced messages (with a tenth of jitter) in place of exponential intervals."""
    dropped: float = 0.0
    """Share of the messages that is lost."""
    noise_m: float = 8.0
    """Standard deviation of each coordinate: GNSS has 5 to 10 m."""
    copies: float = 0.0
    """Share of the messages that is there twice, half of them under another receiver's clock."""


EVEN = Hearing()


class World(NamedTuple):
    """What was heard, and what was true."""

    fixes: Fixes
    ship: NDArray[np.int64]
    """The true ship of each fix, whatever MMSI it used."""
    truth: dict[str, list[Span]]
    scene: dict[int, int]
    """MMSI to the scene that it belongs to."""
    role: dict[int, str]
    """MMSI to the role of its scene."""
    place: dict[int, str]
    vessel_days: dict[int, float]
    """Of each scene."""


def at(ship: Ship, t: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Metres to the east and to the north of the scene's place at times of the scene."""
    knots = np.array(ship.knots)
    c = ship.circle
    turn = c.angle + c.swing * np.sin(2 * math.pi * (t / c.period_s + c.phase))
    return (
        np.interp(t, knots[:, 0], knots[:, 1]) + c.radius_m * np.sin(turn),
        np.interp(t, knots[:, 0], knots[:, 2]) + c.radius_m * np.cos(turn),
    )


def on_globe(
    lat0: float, lon0: float, x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitude and longitude of a plane laid on the sphere at a place (azimuthal, equidistant)."""
    angle, course = np.hypot(x, y) / EARTH_M, np.arctan2(x, y)
    sin0, cos0 = math.sin(math.radians(lat0)), math.cos(math.radians(lat0))
    lat = np.arcsin(sin0 * np.cos(angle) + cos0 * np.sin(angle) * np.cos(course))
    dlon = np.arctan2(np.sin(course) * np.sin(angle) * cos0, np.cos(angle) - sin0 * np.sin(lat))
    return np.degrees(lat), (lon0 + np.degrees(dlon) + 180.0) % 360.0 - 180.0


def heard_at(rng: Generator, begin: float, end: float, mean_s: float, hearing: Hearing) -> NDArray[np.float64]:
    """Times at which a ship is heard between two times."""
    n = int((end - begin) / mean_s * 1.2) + 30
    if hearing.regular:
        t = begin + mean_s * (np.arange(n) + rng.uniform() + rng.uniform(-0.1, 0.1, n))
    else:
        t = begin + np.cumsum(rng.exponential(mean_s, n))
    t = t[(t > begin) & (t < end)]
    return t[rng.uniform(size=t.size) >= hearing.dropped] if hearing.dropped else t


class Sea:
    """A world in the making."""

    def __init__(
        self, seed: int, place: Place = OPEN_SEA, *, days: float = 2.0, first: int = 0, room: int = 200
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.place, self.days = place, days
        self._columns = place.columns or math.ceil(math.sqrt(room))
        self._rows = math.ceil(room / self._columns)
        self._free = self.rng.permutation(self._columns * self._rows).tolist()
        self._scenes: list[tuple[int, Scene, float, float, float]] = []
        self._mmsi = FIRST_MMSI + first
        self._twins: list[int] = []
        self.spread_m = 0.5 * SPACING_DEG * math.sqrt(room) * math.radians(EARTH_M)

    def add(self, scene: Scene, start_s: float | None = None) -> int:
        """Lay a scene at a free place; its time 0 is `start_s`, else any minute of the world. Its first MMSI."""
        cell = self._free.pop()
        spacing = SPACING_DEG / 2 if self.place.columns else SPACING_DEG
        east, north = (
            (k - (n - 1) / 2) * spacing + self.rng.uniform(-0.02, 0.02)
            for k, n in ((cell % self._columns, self._columns), (cell // self._columns, self._rows))
        )
        lat = self.place.lat + north
        start = self.rng.uniform(0.0, self.days * 86_400.0) if start_s is None else start_s
        return self.lay(scene, T0_S + start, lat, self.place.lon + east / math.cos(math.radians(lat)))

    def fill(self, ships: int) -> None:
        """Ships that pass through all of it at 8 to 16 kn."""
        for _ in range(ships):
            scene = cruise(self.rng, 24.0 * self.days, self.rng.uniform(8, 16), 1.1 * self.spread_m)
            self.lay(scene, float(T0_S), self.place.lat, self.place.lon)

    def share(self, mmsi: int, far_deg: float = 12.0) -> None:
        """Another ship, far to the south, uses this MMSI as well."""
        self._twins.append(len(self._scenes))
        scene = cruise(self.rng, 24.0 * self.days, 12.0, 50_000.0)
        self._scenes.append((mmsi, scene, float(T0_S), self.place.lat - far_deg, self.place.lon))

    def lay(self, scene: Scene, start: float, lat: float, lon: float) -> int:
        """A scene at this place, its time 0 at `start` (s since 1970). Its first MMSI."""
        first = self._mmsi
        self._scenes.append((first, scene, start, lat, lon))
        self._mmsi += len(scene.ships)
        return first

    def world(
        self, hearing: Hearing = EVEN, silence: Callable[[int, NDArray[Any]], NDArray[np.bool_]] | None = None
    ) -> World:
        """Hear all ships; `silence` says which fixes of an MMSI (rows of t, lat, lon) are never sent."""
        parts: list[NDArray[Any]] = []
        world = World(Fixes({}), np.zeros(0, np.int64), {}, {}, {}, {}, {})
        rows: list[dict[str, Any]] = []
        for number, (first, scene, start, lat, lon) in enumerate(self._scenes):
            mean_s = self._interval(hearing)
            for k, ship in enumerate(scene.ships):
                part = self._hear(ship, start, lat, lon, mean_s, hearing)
                mmsi = first + k
                if number not in self._twins:
                    world.scene[mmsi], world.role[mmsi], world.place[mmsi] = number, scene.role, self.place.name
                if silence is not None and number not in self._twins:
                    part = part[:, ~silence(mmsi, part[:3])]
                parts.append(np.vstack([part, np.full((2, part.shape[1]), [[mmsi], [len(parts)]])]))
                rows.append({"mmsi": mmsi, "t": ship.knots[0][0] + start, "type": ship.ship_type, "m": ship.length_m})
                days = (ship.knots[-1][0] - ship.knots[0][0]) / 86_400.0
                world.vessel_days[number] = world.vessel_days.get(number, 0.0) + days
            for act in scene.acts:
                who = tuple(first + k for k in act.ships)
                span = Span(who if len(who) > 1 else who[0], start + act.start, start + act.end)
                world.truth.setdefault(act.kind, []).append(span)
        fixes, ship_of = fixes_of(np.hstack(parts), rows)
        return world._replace(fixes=fixes, ship=ship_of)

    def _interval(self, hearing: Hearing) -> float:
        if isinstance(hearing.interval_s, tuple):
            low, high = hearing.interval_s
            return float(np.exp(self.rng.uniform(math.log(low), math.log(high))))
        return hearing.interval_s

    def _hear(self, ship: Ship, start: float, lat: float, lon: float, mean_s: float, hearing: Hearing) -> NDArray[Any]:
        """Rows t, lat, lon, sog, cog, heading, nav_status."""
        rng = self.rng
        t = heard_at(rng, ship.knots[0][0], ship.knots[-1][0], mean_s, hearing)
        (x, y), (x2, y2) = at(ship, t), at(ship, t + STEP_S)
        speed_kn = np.hypot(x2 - x, y2 - y) / STEP_S / KN_M_S
        course = np.degrees(np.arctan2(x2 - x, y2 - y)) % 360.0
        slow = speed_kn < 0.5
        cog = np.where(slow, rng.uniform(0, 360, t.size), course + rng.normal(0, 2, t.size)) % 360.0
        heading = np.round(np.where(slow, 217.0 + rng.normal(0, 8, t.size), course + rng.normal(0, 2, t.size))) % 360.0
        sog = np.round(np.abs(speed_kn + rng.normal(0, 0.1, t.size)), 1)
        noise = rng.normal(0.0, max(hearing.noise_m, 1e-9), (2, t.size))
        a, b = on_globe(lat, lon, x + noise[0], y + noise[1])
        status = np.where(speed_kn < 2.0, ship.nav_status, 0) if ship.nav_status == 1 else ship.nav_status + 0 * t
        part = np.vstack([t + start, np.round(a * 6e5) / 6e5, np.round(b * 6e5) / 6e5, sog, cog, heading, status])
        if hearing.copies:
            again = part[:, rng.uniform(size=t.size) < hearing.copies]
            again[0] += np.where(rng.uniform(size=again.shape[1]) < 0.5, 0.0, rng.uniform(1.0, 3.0, again.shape[1]))
            part = np.hstack([part, again])
        return part


def fixes_of(columns: NDArray[np.float64], ships: Sequence[dict[str, Any]] = ()) -> tuple[Fixes, NDArray[np.int64]]:
    """Fixes by time and the true ship of each; rows: t (s), lat, lon, sog, cog, heading, nav_status, MMSI, ship."""
    columns = columns[:, np.lexsort((columns[7], columns[0]))]
    t = np.round(columns[0] * 1e6).astype(np.int64)
    names = ("lat", "lon", "sog", "cog", "heading", "nav_status", "mmsi")
    given = {"t": t, "offset": np.arange(t.size) * 48, "msg_type": np.ones(t.size)}
    fixes = Fixes(given | dict(zip(names, columns[1:8], strict=True)), static_of(ships))
    return fixes, columns[8].astype(np.int64)


def static_of(ships: Sequence[dict[str, Any]]) -> Static:
    """One static report of each ship: its type and its size."""
    static = columns_of(STATIC_DTYPES, len(ships))
    for k, ship in enumerate(ships):
        static["t"][k], static["mmsi"][k], static["ship_type"][k] = round(ship["t"] * 1e6), ship["mmsi"], ship["type"]
        static["to_bow"][k] = static["to_stern"][k] = ship["m"] // 2
        static["to_port"][k] = static["to_starboard"][k] = max(2, ship["m"] // 14)
    static["msg_type"][:] = 5
    return Static({name: column[np.argsort(static["t"], kind="stable")] for name, column in static.items()})


def joined(worlds: Sequence[World]) -> World:
    """Worlds of several places as one; their MMSIs must differ."""
    shift = np.cumsum([0, *(int(w.ship.max(initial=-1)) + 1 for w in worlds)])
    columns = {name: np.concatenate([w.fixes[name] for w in worlds]) for name in worlds[0].fixes}
    order = np.lexsort((columns["mmsi"], columns["t"]))
    ship = np.concatenate([w.ship + s for w, s in zip(worlds, shift, strict=False)])[order]
    static = {name: np.concatenate([w.fixes.static[name] for w in worlds]) for name in STATIC_DTYPES}
    fixes = Fixes({name: column[order] for name, column in columns.items()}, Static(static))
    fixes.columns["offset"] = np.arange(len(fixes)) * 48
    truth: dict[str, list[Span]] = {}
    scene: dict[int, int] = {}
    for k, w in enumerate(worlds):
        scene |= {mmsi: number + 1_000_000 * k for mmsi, number in w.scene.items()}
        for kind, spans in w.truth.items():
            truth.setdefault(kind, []).extend(spans)
    role = {mmsi: word for w in worlds for mmsi, word in w.role.items()}
    place = {mmsi: word for w in worlds for mmsi, word in w.place.items()}
    days = {number + 1_000_000 * k: d for k, w in enumerate(worlds) for number, d in w.vessel_days.items()}
    return World(fixes, ship, truth, scene, role, place, days)
