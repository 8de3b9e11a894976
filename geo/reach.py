"""Reach: where could a silent ship have been?

Between the fix where a ship was last heard (time t0) and the one where it was heard again (t1) it had T = t1 - t0. With
a speed v it could have visited a place only if F + B <= T v: F the nautical miles over water from the first fix to the
place, B those from there to the second (the prism of time geography, Hagerstrand 1970, over water as in Sharma 2022).
T - (F + B) / v is the longest time that it could have stayed. Of a gap that is still open only F counts.

Speed is a distribution (`geo.speed.Speed`): what is reached is drawn at its fast speed (one such ship in twenty is
faster), and each cell and port bears the chance that the ship sustained the (F + B) / T knots that it asks for.
Reaching is necessary, never proof: a long silence makes most ports of a region reachable. Ice, draught, weather and
traffic schemes are not looked at; canals and straits are open unless closed by name.

Distances are lower bounds (`geo.reach_cells`): true in open water, and round capes at most 0.75 % too short, so that a
place is not missed. Among islands and in narrow waters that is not strict: of pairs there 0.6 to 2.8 % are over 1 nmi
too long, the worst found by 10 %. Ports within 60 km of the mask's sea are reached, straight over land where they lie
up a river; those farther inland are not, and are counted in the parameters.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.errors import UsageError
from geo.ports import ports, ports_version
from geo.reach_area import are_among, area_of
from geo.reach_cells import (
    RADIUS_NMI,
    RIVER_PORTS,
    SHORTENED,
    SeaCells,
    cells_within,
    homes,
    picked,
    point_bounds,
    port_access,
)
from geo.sea_cells import COARSEST
from geo.sea_graph import graph_digest
from geo.sea_way import DM_PER_NMI, NO_WAY, SNAP_M, Closure, Field, Way, closure, field_from, way_between
from geo.speed import Speed
from geo.sphere import NMI_M, distance_m, wrap_deg

US_PER_H = 3_600_000_000


class ReachedPort(NamedTuple):
    """A port that a silent ship could have called at; distances in nautical miles over water, times in µs UTC."""

    locode: str
    name: str
    country: str
    lat: float
    lon: float
    distance_nmi: float
    """Whole way through the port: `to_nmi` and `from_nmi`; of an open gap `to_nmi` alone."""
    to_nmi: float
    from_nmi: float
    """NaN while the gap is open."""
    earliest_us: int
    """Earliest arrival at the fast speed, t0 + F / v."""
    latest_us: int
    """Latest departure, t1 - B / v."""
    slack_h: float
    """Longest possible stay, T - (F + B) / v."""
    probability: float
    """Chance that the ship was fast enough to call there at all."""


class Silence(NamedTuple):
    """What was asked: two fixes in degrees and µs UTC (the second NaN NaN while the gap is open), speed, closures."""

    lat0: float
    lon0: float
    t0_us: int
    lat1: float
    lon1: float
    t1_us: int
    speed: Speed
    closed: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Whether the ship was not heard again."""
        return math.isnan(self.lat1)

    @property
    def hours(self) -> float:
        """How long it lasted."""
        return (self.t1_us - self.t0_us) / US_PER_H

    def fields(self, shut: Closure) -> tuple[Field, Field | None]:
        """Distances over water from the first fix and from the second, as far as the fast speed leads."""
        ends = (self.lat0, self.lon0), (self.lat1, self.lon1)
        limit = self.hours * self.speed.fast_kn + 2.0 * RADIUS_NMI[COARSEST]
        limit += 2.0 * SNAP_M / NMI_M
        limit_dm = limit / SHORTENED * DM_PER_NMI
        if self.is_open:
            return field_from(*ends[0], shut, limit_dm), None
        return field_from(*ends[0], shut, limit_dm, ends[1]), field_from(*ends[1], shut, limit_dm, ends[0])


@dataclass(frozen=True, slots=True)
class Reach:
    """What a silent ship could have reached: n sea cells (H3, of several resolutions), and the ports among them."""

    cells: NDArray[np.uint64]
    lat: NDArray[np.float64]
    """(n,) of the cell's node, a point at sea, or of its centre."""
    lon: NDArray[np.float64]
    to_nmi: NDArray[np.float64]
    """(n,) from the first fix."""
    from_nmi: NDArray[np.float64]
    """(n,) to the second; NaN while the gap is open."""
    earliest_us: NDArray[np.int64]
    """(n,) earliest arrival at the fast speed."""
    latest_us: NDArray[np.int64]
    """(n,) latest departure."""
    slack_h: NDArray[np.float64]
    """(n,) longest possible stay; 0 at the rim."""
    probability: NDArray[np.float64]
    """(n,) chance that the ship was fast enough."""
    ports: list[ReachedPort]
    """Sorted by code."""
    silence: Silence
    parameters: dict[str, Any]

    def ports_of_interest(
        self, countries: Collection[str] = (), codes: Collection[str] = (), least_h: float = 0.0
    ) -> list[ReachedPort]:
        """Ports of some countries (ISO 3166 alpha-2) or codes with a stay of at least `least_h`, the longest first.

        >>> silent = reach(35.0, 129.1, 0, 35.3, 129.6, 18 * 24 * US_PER_H, 10.0)
        >>> [port.name for port in silent.ports_of_interest(["KP"], least_h=300.0)[:3]]
        ['Wonsan', 'Hungnam', 'Tanchon']
        """
        wanted = [p for p in self.ports if (p.country in countries or p.locode in codes) and p.slack_h >= least_h]
        return sorted(wanted, key=lambda port: (-port.slack_h, port.locode))

    def covers(self, lat: ArrayLike, lon: ArrayLike) -> NDArray[np.bool_]:
        """Whether the ship could have been in the cells of positions (n,); land in such a cell counts too.

        >>> reach(35.0, 129.1, 0, 35.3, 129.6, 6 * US_PER_H, 10.0).covers([35.1, 37.0], [129.5, 130.0]).tolist()
        [True, False]
        """
        return are_among(np.ascontiguousarray(lat, np.float64), np.ascontiguousarray(lon, np.float64), self.cells)

    def to_geojson(self) -> dict[str, Any]:
        """The reachable sea as a GeoJSON geometry, cut at 180 degrees, rounded to 0.001 degrees; may be empty.

        >>> area = reach(35.0, 129.1, 0, 35.3, 129.6, 6 * US_PER_H, 10.0).to_geojson()
        >>> area["type"], len(area["coordinates"]) > 0
        ('MultiPolygon', True)
        """
        return area_of(self.cells, self.lat, self.lon)

    def table(self) -> list[dict[str, Any]]:
        """The ports as rows for a report, the longest possible stay first; times in ISO 8601, UTC."""
        rows = []
        for port in self.ports_of_interest([p.country for p in self.ports]):
            row = port._asdict()
            times = {key: str(np.datetime64(row.pop(f"{key}_us"), "us")) + "Z" for key in ("earliest", "latest")}
            rows.append(row | times)
        return rows

    def way_to(self, lat: float, lon: float) -> tuple[Way, Way]:
        """The shortest ways over water from the first fix to a place, and from there to the second.

        While the gap is open the second has no points and a length of infinity.

        >>> there, _ = reach(35.0, 129.1, 0, 35.3, 129.6, 96 * US_PER_H, 10.0).way_to(34.0, 126.0)
        >>> bool(there.at_sea.all()), round(there.length_nmi, -1)
        (True, 170.0)
        """
        shut = closure(self.silence.closed)
        there = field_from(float(lat), float(wrap_deg(float(lon))), shut)
        first, second = (field_from(*end, shut, 0.0) for end in (self.silence[:2], self.silence[3:5]))
        ways = way_between(there, first, shut), way_between(there, second, shut)
        return ways[0].turned(), ways[1]

    def at(
        self, cell: NDArray[np.uint64], lat: NDArray[np.float64], lon: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Nautical miles to and from points (n,) in sea cells of any resolution; infinite where there is no way."""
        shut = closure(self.silence.closed)
        start, end = self.silence.fields(shut)
        home = homes(cell)
        there = np.full(cell.size, np.inf)
        back = np.full(cell.size, np.inf)
        known = np.flatnonzero(home >= 0)
        place = home[known], np.ascontiguousarray(lat[known]), np.ascontiguousarray(lon[known])
        there[known], back[known] = (point_bounds(field, *place, shut) for field in (start, end))
        return there, back


def _as_speed(speed: Speed | float) -> Speed:
    return speed if isinstance(speed, Speed) else Speed.given(speed)


def _check(lat0: float, lon0: float, t0_us: int, lat1: float, lon1: float, t1_us: int) -> None:
    """UsageError for what cannot be meant."""
    if not (-90.0 <= lat0 <= 90.0 and math.isfinite(lon0)):
        raise UsageError(f"the ship must have been heard at a position on the globe, not at {lat0} {lon0}")
    if math.isnan(lat1) != math.isnan(lon1) or abs(lat1) > 90.0 or math.isinf(lon1):
        raise UsageError(
            f"the position at the end must be on the globe, or NaN NaN while the gap is open: {lat1} {lon1}"
        )
    if t1_us < t0_us:
        raise UsageError(f"the end of the silence, {t1_us} µs, is before its start, {t0_us} µs")


def _reached_ports(silence: Silence, start: Field, end: Field | None, shut: Closure) -> list[ReachedPort]:
    """Ports that can be called at within the time, sorted by code."""
    access = port_access()
    limit_nmi, speed_kn = silence.hours * silence.speed.fast_kn, silence.speed.fast_kn
    row = np.flatnonzero(access.home >= 0)
    place = access.home[row], access.lat[row], access.lon[row]
    river = np.array([RIVER_PORTS.get(ports()[k].locode, (0.0, 0.0, 0.0))[2] for k in row.tolist()])
    there = point_bounds(start, *place, shut, on_land=True) + river
    back = point_bounds(end, *place, shut, on_land=True) + river
    whole = there if end is None else there + back
    within = np.flatnonzero(whole <= limit_nmi)
    chance = silence.speed.chance_at_least(_needed_kn(whole[within], silence))
    found = []
    for k, likely in zip(within.tolist(), chance.tolist(), strict=True):
        earliest = silence.t0_us + round(float(there[k]) / speed_kn * US_PER_H)
        latest = silence.t1_us if end is None else silence.t1_us - round(float(back[k]) / speed_kn * US_PER_H)
        distances = float(whole[k]), float(there[k]), math.nan if end is None else float(back[k])
        slack_h = silence.hours - float(whole[k]) / speed_kn
        found.append(ReachedPort(*ports()[int(row[k])][:5], *distances, earliest, latest, slack_h, likely))
    return found


def _needed_kn(whole_nmi: NDArray[np.float64], silence: Silence) -> NDArray[np.float64]:
    """The speed that a way asks for; at the rim, where a part of a cell is nearer than its node, the fast speed."""
    if silence.hours == 0.0:
        return np.zeros(whole_nmi.size)
    return np.minimum(whole_nmi / silence.hours, silence.speed.fast_kn)


def reach(
    lat0: float,
    lon0: float,
    t0_us: int,
    lat1: float,
    lon1: float,
    t1_us: int,
    speed: Speed | float,
    *,
    closed: Iterable[str] = (),
) -> Reach:
    """Where a ship could have been between two fixes (degrees, µs since 1970 UTC) at its `speed`.

    A number is taken as a speed in knots that is known. While a gap is open `lat1` and `lon1` are NaN and `t1_us` is
    the end of the data. `closed` names straits and canals (`geo.straits.PASSAGES`) that are shut.

    Nothing is reachable when no sea is within 30 km of a fix (`parameters["start_snap_m"]` or `["end_snap_m"]` is then
    NaN) or when the way between them (`["direct_nmi"]`, infinite if not found in time) takes longer than the silence.
    Longitudes beyond 180 are wrapped.

    Raises UsageError for a time that runs backwards, a position off the globe, a speed that cannot be meant, and a
    name that is no passage.

    >>> silent = reach(35.0, 129.1, 0, 35.3, 129.6, 4 * 24 * US_PER_H, 10.0)
    >>> chongjin = next(port for port in silent.ports if port.locode == "KPCHO")
    >>> round(chongjin.distance_nmi, -1), round(chongjin.slack_h)
    (800.0, 16)
    """
    _check(lat0, lon0, t0_us, lat1, lon1, t1_us)
    shut = closure(closed)
    ends = float(lat0), float(wrap_deg(float(lon0))), int(t0_us), float(lat1), float(wrap_deg(float(lon1))), int(t1_us)
    silence = Silence(*ends, _as_speed(speed), shut.names)
    start, end = silence.fields(shut)
    direct = NO_WAY._replace(length_nmi=math.nan) if end is None else way_between(start, end, shut)
    limit_nmi = silence.hours * silence.speed.fast_kn
    least_nmi = _least_nmi(start, end, direct)
    in_time = end is None or least_nmi <= limit_nmi
    found = cells_within(start, end, limit_nmi, least_nmi, shut)
    if not in_time:
        found = picked(found, np.zeros(0, np.int64))
    parameters = {
        "speed_kn": silence.speed.fast_kn,
        "speed": silence.speed.to_dict(),
        "hours": silence.hours,
        "open": end is None,
        "closed": list(shut.names),
        "direct_nmi": direct.length_nmi,
        "direct_passages": list(direct.passages),
        "start_snap_m": start.snap_m,
        "end_snap_m": math.nan if end is None else end.snap_m,
        "sea_graph": graph_digest(),
        "ports": ports_version(),
        "ports_off_the_sea": int((port_access().home < 0).sum()),
    }
    return _answer(silence, found, _reached_ports(silence, start, end, shut) if in_time else [], parameters)


def _least_nmi(start: Field, end: Field | None, direct: Way) -> float:
    """A lower bound of the way between two fixes, not counting the miles by which they were moved; NaN without end."""
    if end is None:
        return math.nan
    straight = float(distance_m(start.lat, start.lon, end.lat, end.lon)) / NMI_M
    return max(straight, direct.length_nmi * SHORTENED - start.snap_nmi - end.snap_nmi)


def _answer(silence: Silence, found: SeaCells, called: list[ReachedPort], parameters: dict[str, Any]) -> Reach:
    """Times and chances of cells, sorted by cell."""
    found = picked(found, np.argsort(found.cell, kind="stable"))
    speed_kn = silence.speed.fast_kn
    earliest = silence.t0_us + np.rint(found.to_nmi / speed_kn * US_PER_H).astype(np.int64)
    latest = silence.t1_us - np.rint(found.from_nmi / speed_kn * US_PER_H).astype(np.int64)
    whole = found.to_nmi + found.from_nmi
    earliest = np.minimum(earliest, silence.t1_us)  # at the rim the node may lie beyond
    return Reach(
        found.cell,
        found.lat,
        found.lon,
        found.to_nmi,
        np.full(found.cell.size, np.nan) if silence.is_open else found.from_nmi,
        earliest,
        np.maximum(latest, earliest),
        np.maximum(0.0, silence.hours - whole / speed_kn),
        silence.speed.chance_at_least(_needed_kn(whole, silence)),
        called,
        silence,
        parameters,
    )
