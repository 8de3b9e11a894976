"""What a simulated ship does: a way of nodes, its identities, when its transponder is off, and the truth about it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ais.transmit import REPORT
from geo.errors import UsageError
from geo.sphere import KN_M_S, NMI_M, bearing_deg, destination, distance_m, interpolate
from luxwake.simulate.lanes import Berth, Route
from luxwake.simulate.motion import ANCHORED, DRIFTING, MOORED, NODE, UNDER_WAY
from luxwake.simulate.reception import DARK, VERSION

HOUR_S = 3600.0
_LEASH_M = 10.0 * NMI_M
TRUTH_KINDS = ("loitering", "dark", "rendezvous", "port_call", "anchor", "drift", "identity", "draught", "hole")


class Truth(NamedTuple):
    """One thing that a ship did, or that happened to its reception."""

    kind: str
    mmsi: int
    other: int
    t_start: float
    """s since 1970 UTC."""
    t_end: float
    lat: float
    lon: float
    note: str


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What a ship says about itself."""

    mmsi: int
    imo: int = 0
    name: str = ""
    callsign: str = ""
    ship_type: int = 70
    length_m: int = 100
    beam_m: int = 16
    draught_m: float = math.nan
    destination: str = ""
    eta: int = 0
    """month << 16 | day << 11 | hour << 6 | minute, 0 not available."""

    def report(self) -> tuple[object, ...]:
        """This identity as a row of `REPORT`; the antenna stands at 30 % of the length from the stern."""
        to_stern, to_port = round(0.3 * self.length_m), self.beam_m // 2
        size = (self.length_m - to_stern, to_stern, to_port, self.beam_m - to_port)
        texts = (self.callsign.encode("ascii"), self.name.encode("ascii"), self.destination.encode("ascii"))
        return (self.imo, self.eta, self.draught_m, *size, self.ship_type, *texts)


def eta_code(t: float) -> int:
    """A time (s since 1970) as type 5 sends an expected arrival."""
    moment = np.datetime64(int(t), "s").item()
    return int(moment.month << 16 | moment.day << 11 | moment.hour << 6 | moment.minute)


@dataclass
class Call:
    """One stay at a berth, for the shipments that were loaded and discharged there."""

    code: str
    t_arrive: float
    t_depart: float
    unheard: bool = False
    """The ship was dark: nobody writes an ordinary import manifest that gives its call away."""


@dataclass
class Voyage:
    """A ship's life in the scenario, written from its beginning to its end."""

    identity: Identity
    t: float
    lat: float
    lon: float
    class_b: bool = False
    long_range: bool = True
    thin_factor: float = 1.0
    """Times the scenario's thinning, for ships that a provider samples less or more."""
    calls: list[Call] = field(default_factory=list)
    truth: list[Truth] = field(default_factory=list)
    darks: list[tuple[float, float]] = field(default_factory=list)
    _blocks: list[NDArray[np.void]] = field(default_factory=list)
    _versions: list[tuple[float, Identity]] = field(default_factory=list)
    _off_since: float | None = None

    def __post_init__(self) -> None:
        self.t_begin = self.t
        self._versions.append((self.t, self.identity))

    def _add(
        self,
        t: NDArray[np.float64],
        lat: object,
        lon: object,
        mode: int,
        heading: float = math.nan,
        swing_m: float = 0.0,
    ) -> None:
        block = np.zeros(len(t), NODE)
        block["t"], block["lat"], block["lon"] = t, lat, lon
        block["mode"], block["heading"], block["swing_m"] = mode, heading, swing_m
        self._blocks.append(block)

    def note(
        self, kind: str, t_start: float, t_end: float, lat: float, lon: float, note: str = "", other: int = 0
    ) -> None:
        """Add a row of truth about this ship."""
        self.truth.append(Truth(kind, self.identity.mmsi, other, t_start, t_end, lat, lon, note))

    def sail(self, route: Route, speed_kn: float, *, mode: int = UNDER_WAY) -> None:
        """Follow a route from where the ship is (its first point)."""
        if speed_kn <= 0.0:
            raise UsageError(f"a speed of {speed_kn} kn leads nowhere; it must be above 0")
        t = self.t + route.along_m / (speed_kn * KN_M_S)
        self._add(t, route.lat, route.lon, mode)
        self.t, self.lat, self.lon = float(t[-1]), float(route.lat[-1]), float(route.lon[-1])

    def stay(self, until: float, mode: int, heading: float, swing_m: float = 0.0) -> None:
        """Keep the place until a time."""
        if until <= self.t:
            return
        self._add(np.array([self.t, until]), self.lat, self.lon, mode, heading, swing_m)
        self.t = until

    def moor(self, code: str, until: float, heading: float = 90.0, note: str = "") -> None:
        """Lie at the berth of a port until a time: a port call."""
        start = self.t
        self.stay(until, MOORED, heading)
        unheard = self._off_since is not None or any(off <= start and self.t <= on for off, on in self.darks)
        self.calls.append(Call(code, start, self.t, unheard))
        text = " ".join(word for word in (code, note, "unheard: dark" if unheard else "") if word)
        self.note("port_call", start, self.t, self.lat, self.lon, text)

    def anchor(self, hours: float, rng: Generator, note: str = "") -> None:
        """Lie at anchor; the ship swings with the tide on 4 to 6 times its length of chain."""
        start = self.t
        swing_m = float(rng.uniform(1.5, 2.5)) * self.identity.length_m
        self.stay(self.t + hours * HOUR_S, ANCHORED, float(rng.uniform(0.0, 360.0)), swing_m)
        self.note("anchor", start, self.t, self.lat, self.lon, note)

    def wander(
        self, hours: float, speed_kn: float, rng: Generator, *, mode: int = DRIFTING, kind: str = "", note: str = ""
    ) -> None:
        """Go slowly without an aim: a new course every 40 min, and back once it is 10 nmi from where it began."""
        start, lat0, lon0 = self.t, self.lat, self.lon
        steps = max(1, round(hours * 1.5))
        course = float(rng.uniform(0.0, 360.0))
        heading = (course + float(rng.choice([-90.0, 90.0]))) % 360.0 if mode == DRIFTING else math.nan
        spread = 25.0 if mode == DRIFTING else 70.0
        t = np.linspace(self.t, self.t + hours * HOUR_S, steps + 1)
        lat, lon = np.empty(steps + 1), np.empty(steps + 1)
        lat[0], lon[0] = self.lat, self.lon
        for i in range(steps):
            if distance_m(lat0, lon0, lat[i], lon[i]) > _LEASH_M:
                course = bearing_deg(lat[i], lon[i], lat0, lon0)
            course = (course + float(rng.normal(0.0, spread))) % 360.0
            step_m = speed_kn * KN_M_S * (t[i + 1] - t[i]) * float(rng.uniform(0.6, 1.0))
            lat[i + 1], lon[i + 1] = destination(lat[i], lon[i], course, step_m)
        self._add(t, lat, lon, mode, heading)
        self.t, self.lat, self.lon = float(t[-1]), float(lat[-1]), float(lon[-1])
        if kind:
            middle = interpolate(lat0, lon0, self.lat, self.lon, 0.5)
            self.note(kind, start, self.t, float(middle[0]), float(middle[1]), note)

    def beside(self, other: Voyage, since: float, bearing: float, range_m: float) -> None:
        """Repeat the other ship's way from a time on, at a fixed bearing and distance from it."""
        nodes = other.nodes()
        first = int(np.searchsorted(nodes["t"], since, "left"))
        block = nodes[first:].copy()
        for node in block:
            node["lat"], node["lon"] = destination(node["lat"], node["lon"], bearing, range_m)
        self._blocks.append(block)
        self.t, self.lat, self.lon = float(block["t"][-1]), float(block["lat"][-1]), float(block["lon"][-1])

    def switch_off(self) -> None:
        """The transponder goes off now."""
        self._off_since = self.t
        self._off_place = (self.lat, self.lon)

    def switch_on(self, note: str = "") -> None:
        """The transponder comes back now: a dark period."""
        if self._off_since is None:
            raise UsageError(f"ship {self.identity.name or self.identity.mmsi}: on without off before it")
        self.dark(self._off_since, self.t, note, self._off_place)
        self._off_since = None

    def dark(self, t_off: float, t_on: float, note: str = "", place: tuple[float, float] | None = None) -> None:
        """The transponder is off between two times; `place` is where it went off, by default where the way leads."""
        if place is None:
            nodes = self.nodes()
            place = (
                float(np.interp(t_off, nodes["t"], nodes["lat"])),
                float(np.interp(t_off, nodes["t"], nodes["lon"])),
            )
        self.darks.append((t_off, t_on))
        self.note("dark", t_off, t_on, *place, note)

    def declare(self, note: str = "", **changes: object) -> None:
        """Change what the ship says about itself, from now on; a new MMSI, name or draught is a row of truth."""
        before = self.identity
        self.identity = after = replace(before, **changes)  # type: ignore[arg-type]
        self._versions.append((self.t, after))
        if after.mmsi != before.mmsi or after.name != before.name:
            text = f"{before.mmsi} {before.name} -> {after.mmsi} {after.name}" + (f"; {note}" if note else "")
            self.truth.append(Truth("identity", before.mmsi, after.mmsi, self.t, self.t, self.lat, self.lon, text))
        elif before.draught_m == before.draught_m and after.draught_m != before.draught_m:
            text = f"{before.draught_m:.1f} -> {after.draught_m:.1f} m" + (f"; {note}" if note else "")
            self.note("draught", self.t, self.t, self.lat, self.lon, text)

    def nodes(self) -> NDArray[np.void]:
        """The way as `NODE` records, times not decreasing."""
        if not self._blocks:
            self._add(np.array([self.t, self.t]), self.lat, self.lon, MOORED, 0.0)
        return np.concatenate(self._blocks)

    def dark_records(self, t_end: float) -> NDArray[np.void]:
        """Dark intervals as `DARK` records in order; one that is still open ends at `t_end`."""
        open_end = [(self._off_since, t_end)] if self._off_since is not None else []
        return np.array(sorted([*self.darks, *open_end]), DARK)

    def versions(self, add_report: Callable[[Identity], int]) -> NDArray[np.void]:
        """Identities as `VERSION` records; `add_report` keeps a static report and tells its row."""
        return np.array([(t, who.mmsi, add_report(who)) for t, who in self._versions], VERSION)


def as_reports(identities: list[Identity]) -> NDArray[np.void]:
    """Static reports as `REPORT` records."""
    return np.array([who.report() for who in identities], REPORT)


def heading_ashore(berth: Berth) -> float:
    """Heading of a ship at a berth: along the quay, taken as across the approach."""
    if not berth.approach:
        return 90.0
    return float((bearing_deg(berth.lat, berth.lon, *berth.approach[0]) + 90.0) % 360.0)
