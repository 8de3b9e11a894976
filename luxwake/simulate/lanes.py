"""Ports and the sea lanes between them.

Lanes come from the network of the package searoute (Apache-2.0), ports from `geo.ports` or from the scenario. A route
runs from berth to berth: the berth, the port's own approach, the nodes of the network, and the same at the other end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.errors import UsageError
from geo.sphere import bearing_deg, distances_m, interpolate, wrap_deg

_DROPPED_TURN_DEG = 100.0
"""A ship does not steam past its port and turn back: a node at the end of a lane where it would is left out."""


class Berth(NamedTuple):
    """A port as a simulated ship knows it."""

    code: str
    name: str
    lat: float
    lon: float
    approach: tuple[tuple[float, float], ...] = ()
    """(lat, lon) of the way from the berth to the open sea."""


class Route(NamedTuple):
    """A polyline of great circles; `along_m` is the distance from its start, float64 (n,)."""

    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    along_m: NDArray[np.float64]

    @property
    def length_m(self) -> float:
        """Length in metres."""
        return float(self.along_m[-1])

    def reversed(self) -> Route:
        """The same way back."""
        return Route(self.lat[::-1], self.lon[::-1], self.along_m[-1] - self.along_m[::-1])

    def at(self, along_m: float) -> tuple[float, float]:
        """Position (lat, lon) at a distance from the start, clipped to the route."""
        i = int(np.clip(np.searchsorted(self.along_m, along_m, "right") - 1, 0, len(self.along_m) - 2))
        span = self.along_m[i + 1] - self.along_m[i]
        fraction = float(np.clip((along_m - self.along_m[i]) / span, 0.0, 1.0)) if span > 0.0 else 0.0
        lat, lon = interpolate(self.lat[i], self.lon[i], self.lat[i + 1], self.lon[i + 1], fraction)
        return float(lat), float(lon)

    def part(self, from_m: float, to_m: float) -> Route:
        """The route between two distances from its start."""
        inside = (self.along_m > from_m + 1.0) & (self.along_m < to_m - 1.0)
        (lat0, lon0), (lat1, lon1) = self.at(from_m), self.at(to_m)
        lat = np.concatenate(([lat0], self.lat[inside], [lat1]))
        lon = np.concatenate(([lon0], self.lon[inside], [lon1]))
        along = np.concatenate(([from_m], self.along_m[inside], [to_m])) - from_m
        return Route(lat, lon, along)


def route_through(points: Sequence[tuple[float, float]]) -> Route:
    """A route through points (lat, lon); points that repeat are dropped."""
    kept = [points[0]]
    for point in points[1:]:
        if point != kept[-1]:
            kept.append(point)
    if len(kept) == 1:
        kept.append(kept[0])
    lat, lon = np.array(kept, np.float64).T.copy()
    steps = distances_m(lat[:-1], lon[:-1], lat[1:], lon[1:])
    return Route(lat, lon, np.concatenate(([0.0], np.cumsum(steps))))


def _turn_deg(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    """Change of course at b on the way from a to c, 0 to 180 degrees."""
    return abs(float(wrap_deg(bearing_deg(*b, *c) - bearing_deg(*a, *b))))


class Lanes:
    """Ports by UN/LOCODE and the routes between them, each found once."""

    def __init__(self, berths: Mapping[str, Berth] | None = None) -> None:
        self._berths = dict(berths or {})
        self._routes: dict[tuple[str, str], Route] = {}

    def berth(self, code: str) -> Berth:
        """The port with this UN/LOCODE; UsageError where there is none."""
        if code not in self._berths:
            from geo.ports import port_by_code

            port = port_by_code(code, imported=False)  # a world is the same for everybody
            if port is None:
                raise UsageError(f"port {code!r} is not known; give its lat and lon under [ports.{code}]")
            self._berths[code] = Berth(port.locode, port.name, port.lat, port.lon)
        return self._berths[code]

    def route(self, origin: str, destination: str) -> Route:
        """The way from berth to berth."""
        key = (origin, destination)
        if key not in self._routes:
            if (destination, origin) in self._routes:
                self._routes[key] = self._routes[destination, origin].reversed()
            else:
                a, b = self.berth(origin), self.berth(destination)
                self._routes[key] = self.route_between([(a.lat, a.lon), *a.approach], [(b.lat, b.lon), *b.approach])
        return self._routes[key]

    @staticmethod
    def route_between(start: Sequence[tuple[float, float]], end: Sequence[tuple[float, float]]) -> Route:
        """The way from one place to another, each given as (lat, lon) and the points of its approach."""
        from searoute import searoute

        (lat0, lon0), (lat1, lon1) = start[-1], end[-1]
        feature = searoute([lon0, lat0], [lon1, lat1])
        lane = [(float(lat), float(wrap_deg(lon))) for lon, lat in feature["geometry"]["coordinates"]]
        while lane and _turn_deg(start[-1], lane[0], lane[1] if len(lane) > 1 else end[-1]) > _DROPPED_TURN_DEG:
            lane.pop(0)
        while lane and _turn_deg(lane[-2] if len(lane) > 1 else start[-1], lane[-1], end[-1]) > _DROPPED_TURN_DEG:
            lane.pop()
        return route_through([*start, *lane, *reversed(list(end))])
