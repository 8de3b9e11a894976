"""A yard that makes random ships which trade between the ports of an area."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.random import default_rng

from geo.sphere import NMI_M, destination, distances_m
from luxwake.simulate.fleet import KINDS, Kind, invent
from luxwake.simulate.lanes import Lanes, route_through
from luxwake.simulate.voyage import HOUR_S, Identity, Voyage, eta_code, heading_ashore

HARBOUR_KN, HARBOUR_M = 5.5, 3_000.0
_HOP_NMI = (60.0, 900.0)  # great-circle distance between two calls
_SMALL_HOP_NMI = (20.0, 220.0)


def pick(shares: Mapping[str, float], u: float) -> str:
    """The name in whose share of the sum `u` (0 to 1) falls."""
    total = sum(shares.values())
    passed = 0.0
    for name, share in shares.items():
        passed += share / total
        if u < passed:
            return name
    return next(iter(shares))


class Roads(NamedTuple):
    """A place where ships wait at anchor: a circle of `radius_m` metres around a position in degrees."""

    name: str
    lat: float
    lon: float
    radius_m: float


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """One block of random ships."""

    ships: int
    ports: tuple[str, ...]
    kinds: Mapping[str, float]
    """Shares of the kinds of ship, by name in `fleet.KINDS`."""
    roles: Mapping[str, float]
    """Shares of the roles, by number of groups of ships (see `roles`)."""
    t_start: float
    t_end: float
    days_each: tuple[float, float] | None = None
    """Days that a ship is in the area, at a random time; None: all the time."""
    call_h: tuple[float, float] = (6.0, 48.0)
    thin_factor: float = 1.0
    anchorages: tuple[Roads, ...] = ()
    """Where ships of the role `waiting` lie at anchor."""


class Yard:
    """Makes the ships of one block: who they are, where they go, and how they sail and call."""

    def __init__(self, traffic: Traffic, lanes: Lanes, seed: int, first_index: int) -> None:
        self.traffic, self.lanes, self.seed, self.index = traffic, lanes, seed, first_index
        self._near: dict[tuple[str, bool], tuple[str, ...]] = {}
        self._shore: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = {}
        self.rng = default_rng([seed, first_index])

    def span(self) -> tuple[float, float]:
        """When a ship comes into the area and when it leaves."""
        low, high, days = self.traffic.t_start, self.traffic.t_end, self.traffic.days_each
        if days is None:
            return low, high
        length = float(self.rng.uniform(*days)) * 86400.0
        start = low + float(self.rng.uniform(0.0, 1.0)) * max(0.0, high - low - length)
        return start, min(high, start + length)

    def identity(self, offset: int = 0, kind: Kind | None = None) -> tuple[Kind, Identity]:
        """A new ship of a random kind."""
        chosen = kind or KINDS[pick(self.traffic.kinds, float(self.rng.random()))]
        return chosen, invent(chosen, self.index + offset, self.rng)

    def seagoing(self) -> Kind:
        """A kind of merchant ship of the block."""
        shares = {n: s for n, s in self.traffic.kinds.items() if n not in ("small", "fishing", "tug", "ferry")}
        return KINDS[pick(shares or {"general": 1.0}, float(self.rng.random()))]

    def port(self) -> str:
        """Any port of the block."""
        return str(self.rng.choice(self.traffic.ports))

    def next_port(self, port: str, *, small: bool = False) -> str:
        """Where a ship may go from a port: one of the six nearest in reach."""
        if (port, small) not in self._near:
            here = self.lanes.berth(port)
            others = [self.lanes.berth(code) for code in self.traffic.ports if code != port]
            nmi = distances_m(here.lat, here.lon, [b.lat for b in others], [b.lon for b in others]) / NMI_M
            low, high = _SMALL_HOP_NMI if small else _HOP_NMI
            order = sorted(range(len(others)), key=lambda i: (not low <= nmi[i] <= high, nmi[i]))
            self._near[port, small] = tuple(others[i].code for i in order[: 2 if small else 6])
        return str(self.rng.choice(self._near[port, small]))

    def spot(self, a: str, b: str, shore_m: float, low: float = 0.1, high: float = 0.9) -> float | None:
        """Distance from a, in m, of a place on the way to b at least so far from shore; None where there is none."""
        from geo.coast import shore_distance_m

        if (a, b) not in self._shore:
            route = self.lanes.route(a, b)
            along = np.arange(0.0, route.length_m, 5.0 * NMI_M)
            lat, lon = np.array([route.at(float(s)) for s in along]).T
            self._shore[a, b] = along, shore_distance_m(lat, lon)
        along, shore = self._shore[a, b]
        fit = along[(shore >= shore_m) & (along >= low * along[-1]) & (along <= high * along[-1])]
        return float(self.rng.choice(fit)) if fit.size else None

    def begin(self, kind: Kind, who: Identity, port: str, t: float) -> Voyage:
        """A ship at its berth."""
        lat, lon = self.quay(port)
        bound = replace(who, destination=port)
        ship = Voyage(bound, t, lat, lon, class_b=kind.class_b, long_range=bool(self.rng.random() < 0.7))
        ship.thin_factor = self.traffic.thin_factor
        return ship

    def quay(self, port: str) -> tuple[float, float]:
        """A place within 500 m of a port's berth."""
        berth = self.lanes.berth(port)
        lat, lon = destination(berth.lat, berth.lon, float(self.rng.uniform(0, 360)), float(self.rng.uniform(0, 500)))
        return float(lat), float(lon)

    def sail(
        self,
        ship: Voyage,
        a: str,
        b: str,
        speed_kn: float,
        stop_m: float | None = None,
        stop: Callable[[], None] | None = None,
        from_m: float | None = None,
    ) -> None:
        """From port a (or a distance behind it) to the berth at b; `stop` happens at a distance from a."""
        route = self.lanes.route(a, b)
        harbour = min(HARBOUR_M, 0.1 * route.length_m)
        done = from_m if from_m is not None else harbour
        if from_m is None:
            if not ship.class_b:
                days = route.length_m / (speed_kn * NMI_M / HOUR_S)
                ship.declare(destination=b, eta=eta_code(ship.t + days))
            ship.sail(route_through([(ship.lat, ship.lon), route.at(harbour)]), HARBOUR_KN)
        if stop is not None and stop_m is not None:
            ship.sail(route.part(done, stop_m), speed_kn)
            stop()
            done = min(route.length_m - harbour, stop_m + 8_000.0)
            ship.sail(route_through([(ship.lat, ship.lon), route.at(done)]), min(speed_kn, 10.0))
        ship.sail(route.part(done, route.length_m - harbour), speed_kn)
        ship.sail(route_through([(ship.lat, ship.lon), self.quay(b)]), HARBOUR_KN)

    def call(self, ship: Voyage, port: str, hours: tuple[float, float] | None = None) -> None:
        """Lie in port, and load or discharge."""
        low, high = hours or self.traffic.call_h
        stay = float(self.rng.uniform(low, high))
        ship.moor(port, ship.t + stay * HOUR_S, heading_ashore(self.lanes.berth(port)))
        draught = ship.identity.draught_m
        if stay >= 6.0 and not ship.class_b and draught == draught and self.rng.random() < 0.6:
            change = float(self.rng.choice([-1.0, 1.0])) * float(self.rng.uniform(0.08, 0.25)) * draught
            ship.declare(draught_m=round(min(max(draught + change, 0.6 * draught), 1.4 * draught), 1))

    def trade(self, ship: Voyage, kind: Kind, port: str, until: float) -> None:
        """Go from port to port until a time."""
        while ship.t < until:
            target = self.next_port(port, small=kind.class_b)
            self.sail(ship, port, target, float(self.rng.uniform(*kind.speed_kn)))
            self.call(ship, target)
            port = target

    def approach(
        self, ship_kind: Kind, who: Identity, a: str, b: str, along_m: float, at: float, speed_kn: float, t_begin: float
    ) -> tuple[Voyage, float | None]:
        """A ship timed to be `along_m` behind port a at a time: in port until it leaves, or already under way."""
        route = self.lanes.route(a, b)
        leave = at - along_m / (speed_kn * NMI_M / HOUR_S)
        ship = self.begin(ship_kind, who, a, t_begin)
        if leave > t_begin + HOUR_S:
            ship.moor(a, leave, heading_ashore(self.lanes.berth(a)), "open at start")
            return ship, None
        behind = max(HARBOUR_M, along_m - (at - t_begin) * speed_kn * NMI_M / HOUR_S)
        behind = min(behind, along_m - 100.0)
        ship.lat, ship.lon = route.at(behind)
        ship.declare(destination=b)
        return ship, behind
