"""Who hears a simulated ship: coast stations, satellites, and hence where the innocent holes are.

A station hears a message with a probability that falls with distance (a logistic around its range) and whose range
changes every six hours, as propagation does; stations hear independently, so there are duplicates. Satellites fly on
circular orbits; within a footprint the probability falls with the number of ships in view, because messages collide
there. A provider thins: at most one position per ship, network and `thin_s`.

The time until the next message that is heard is drawn from the geometric distribution over the ship's own reporting
slots, so the cost is one step per message heard and not one per message sent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.kernel import inner, kernel
from geo.sphere import EARTH_RADIUS_M, NMI_M, destination, distance_m
from luxwake.simulate.motion import NAV_STATUS, move, reporting_interval_s
from luxwake.simulate.random import hashed_uniform, normal, uniform

STATION = np.dtype([("lat", "f8"), ("lon", "f8"), ("range_m", "f8"), ("reliability", "f8"), ("delay_s", "f8")])
"""A coast station: degrees, metres, probability close by, seconds by which its clock or feed is late."""

SHIP = np.dtype(
    [
        ("rng", "u8"),
        ("t", "f8"),  # s: nothing before this time is left to send
        ("t_end", "f8"),
        ("phase", "f8"),  # s: offset of the ship's reporting slots
        ("static_t", "f8"),  # s: when its static report was last heard
        ("version", "i4"),  # static version that is valid, and the one last heard
        ("heard_version", "i4"),
        ("off", "i4"),  # next dark interval
        ("class_b", "u1"),
        ("long_range", "u1"),  # sends type 27
    ],
    align=True,
)
"""State of one ship in one network."""

VERSION = np.dtype([("t", "f8"), ("mmsi", "u4"), ("report", "i4")], align=True)
"""Identity from a time on: MMSI and row of the static reports."""

DARK = np.dtype([("t_off", "f8"), ("t_on", "f8")])
"""An interval in which the transponder is off, s since 1970."""


class Ashore(NamedTuple):
    """The coast stations and how their provider thins, for the kernel."""

    stations: NDArray[np.void]
    cell_start: NDArray[np.int64]
    """First row in `cell_stations` of each one-degree cell, (180 * 360 + 1,)."""
    cell_stations: NDArray[np.int32]
    thin_s: float
    static_thin_s: float
    copies: float
    """Probability that a second, third, ... station's copy is kept."""
    noise_m: float
    chances: NDArray[np.float64]
    """Room for the chance of each station to hear one message."""


class Aloft(NamedTuple):
    """The satellites, for the kernel."""

    directions: NDArray[np.float64]
    """Unit vectors of the sub-satellite points at each minute, (minutes, satellites, 3)."""
    t_start: float
    cos_footprint: float
    crowd: NDArray[np.float32]
    """Probability that a message is heard, by one-degree cell of the ship, (180, 360)."""
    first_station: int
    """Row of the first satellite among the station names."""
    thin_s: float
    static_thin_s: float
    noise_m: float


_FADE_S = 21_600.0
_FADE = 0.15  # one standard deviation of a station's range between six-hour periods
_EDGE = 0.1  # width of the logistic, as a share of the range
_REACH = 1.8  # times its range, a station hears nothing: the logistic is below 0.04 % there
_LOOK_S = 300.0  # a ship's reception is taken as constant for so long
_STATIC_SLOT_S = 360.0  # ITU-R M.1371: static reports every 6 min
_LONG_RANGE_SLOT_S = 180.0  # ITU-R M.1371 annex 4: type 27 every 3 min
_CLASS_B_ALOFT = 0.15  # 2 W against 12.5 W
_LONG_RANGE_GAIN = 6.0  # type 27 has channels of its own and a short burst
_FOOTPRINT_M = 2.3e6
_ORBIT_S, _INCLINATION_DEG = 5_700.0, 98.0  # 95 min, sun-synchronous
_SIDEREAL_DAY_S = 86_164.1


def station_cells(stations: NDArray[np.void]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Which stations can hear each one-degree cell: starts (64801,) and stations."""
    heard: list[list[int]] = [[] for _ in range(180 * 360)]
    for i, station in enumerate(stations):
        reach_deg = _REACH * float(station["range_m"]) / (60.0 * NMI_M)
        low, high = math.floor(station["lat"] - reach_deg), math.floor(station["lat"] + reach_deg)
        for lat in range(max(-90, low), min(89, high) + 1):
            widest = math.cos(math.radians(min(89.0, max(abs(lat), abs(lat + 1)))))
            span = reach_deg / widest
            for lon in range(math.floor(station["lon"] - span), math.floor(station["lon"] + span) + 1):
                heard[(lat + 90) * 360 + (lon + 180) % 360].append(i)
    start = np.concatenate(([0], np.cumsum([len(h) for h in heard]))).astype(np.int64)
    return start, np.array([i for h in heard for i in h] or [0], np.int32)


def satellite_directions(satellites: int, t_start: float, t_end: float) -> NDArray[np.float64]:
    """Unit vectors of the sub-satellite points of evenly spread orbits at each minute, (minutes, satellites, 3)."""
    t = np.arange(t_start, t_end + 60.0, 60.0)[:, None]
    k = np.arange(max(1, satellites))[None, :]
    along = 2.0 * np.pi * (t / _ORBIT_S + 0.381966 * k)  # golden section: no two satellites come together
    node = 2.0 * np.pi * (k / max(1, satellites) - (t % _SIDEREAL_DAY_S) / _SIDEREAL_DAY_S)
    tilt = math.radians(_INCLINATION_DEG)
    x, y, z = np.cos(along), np.sin(along) * math.cos(tilt), np.sin(along) * math.sin(tilt)
    vectors = np.stack((x * np.cos(node) - y * np.sin(node), x * np.sin(node) + y * np.cos(node), z), axis=-1)
    return np.ascontiguousarray(vectors if satellites else vectors[:, :0])


def crowd_grid(lat: Sequence[float], lon: Sequence[float], best: float) -> NDArray[np.float32]:
    """Probability that a satellite hears one message, by cell: it falls with the number of ports within 1,500 km.

    The simulated ships are a sample; ports stand for the traffic that is there besides them. `best` is the
    probability over an empty ocean; a quarter of it is left where 400 ports are in view.
    """
    density = np.zeros((180, 360), np.float64)
    np.add.at(density, (np.floor(lat).astype(int) + 90, (np.floor(lon).astype(int) + 180) % 360), 1.0)
    centres = np.arange(-89.5, 90.0)
    total = np.zeros_like(density)
    for row, centre in enumerate(centres):
        for other in np.flatnonzero(np.abs(centres - centre) < 13.5):
            span = math.sqrt(13.5**2 - (centres[other] - centre) ** 2) / max(0.15, math.cos(math.radians(centre)))
            width = int(min(179, span))
            ring = np.concatenate(
                (density[other][-width:], density[other], density[other][:width]) if width else (density[other],)
            )
            sums = np.cumsum(np.concatenate(([0.0], ring)))
            total[row] += sums[2 * width + 1 :] - sums[:360]
    return (best * np.exp(-total / 290.0)).astype(np.float32)


@inner
def _advance(ship, darks, versions):
    """Bring `ship` past a dark interval at its time and to the identity valid then."""
    while ship.off < darks.size and darks[ship.off].t_on <= ship.t:
        ship.off += 1
    if ship.off < darks.size and darks[ship.off].t_off <= ship.t:
        ship.t = darks[ship.off].t_on
        ship.off += 1
    while ship.version < versions.size - 1 and versions[ship.version + 1].t <= ship.t:
        ship.version += 1


@inner
def _slot(t, phase, interval_s):
    """The first reporting slot at or after a time."""
    return math.ceil((t - phase) / interval_s) * interval_s + phase


@inner
def _heard_by(station, index, lat, lon, t):
    """Probability that a station hears one message from a position."""
    distance = distance_m(station.lat, station.lon, lat, lon)
    if distance > _REACH * station.range_m:
        return 0.0
    draw = hashed_uniform(np.int64(index), np.int64(t / _FADE_S))
    range_m = station.range_m * (1.0 + _FADE * 3.464 * (draw - 0.5))  # uniform with that standard deviation
    return station.reliability / (1.0 + math.exp((distance - range_m) / (_EDGE * range_m)))


@kernel
def _write(ship, now, versions, noise_m, delay_s, station, message):
    """One position report, with receiver noise, as `station` hands it on."""
    version = versions[ship.version]
    course, range_m = 360.0 * uniform(ship), noise_m * abs(normal(ship))
    message.lat, message.lon = destination(now.lat, now.lon, course, range_m)
    message.epoch = np.int64(ship.t + delay_s)
    message.mmsi = version.mmsi
    message.report = version.report
    sog = max(0.0, now.sog + 0.08 * normal(ship))
    message.sog = sog
    message.cog = 360.0 * uniform(ship) if now.sog < 0.1 else (now.cog + 1.5 * normal(ship)) % 360.0
    message.heading = (now.heading + 0.5 * normal(ship)) % 360.0
    message.station = station
    message.msg_type = 18 if ship.class_b else (3 if now.turning else 1)
    message.part = 0
    message.nav_status = NAV_STATUS[now.mode]
    message.second = np.int64(ship.t) % 60
    message.channel = 65 if uniform(ship) < 0.5 else 66


@inner
def _copy(source, target):
    """Copy one message."""
    target.lat, target.lon = source.lat, source.lon
    target.epoch, target.mmsi, target.report = source.epoch, source.mmsi, source.report
    target.sog, target.cog, target.heading = source.sog, source.cog, source.heading
    target.station, target.msg_type, target.part = source.station, source.msg_type, source.part
    target.nav_status, target.second, target.channel = source.nav_status, source.second, source.channel


@inner
def _add_static(ship, static_thin_s, out, n):
    """After the position in row n - 1: the static report of its last slot, if it is due. Returns rows used."""
    if ship.t - ship.static_t < static_thin_s and ship.version == ship.heard_version:
        return n
    ship.static_t = ship.t
    ship.heard_version = ship.version
    _copy(out[n - 1], out[n])
    out[n].msg_type = 24 if ship.class_b else 5
    out[n].epoch += 1
    if not ship.class_b:
        return n + 1
    _copy(out[n], out[n + 1])
    out[n + 1].part = 1
    return n + 2


MOST_ROWS = 12
"""Messages that one step of a ship can add."""


@kernel
def hear_ashore(nodes, darks, versions, p, ship, now, out):
    """All that coast stations hear of a ship from `ship.t` on, until it ends or `out` is full; returns the rows."""
    n = 0
    while ship.t < ship.t_end and n + MOST_ROWS <= out.size:
        _advance(ship, darks, versions)
        move(nodes, ship.t, now)
        cell = np.int64(math.floor(now.lat) + 90) * 360 + np.int64(math.floor(now.lon) + 180) % 360
        first, last = p.cell_start[cell], p.cell_start[cell + 1]
        silent = 1.0
        for k in range(first, last):
            s = p.cell_stations[k]
            p.chances[k - first] = _heard_by(p.stations[s], s, now.lat, now.lon, ship.t)
            silent *= 1.0 - p.chances[k - first]
        if silent > 1.0 - 1e-5:
            ship.t += _LOOK_S
            continue
        interval = reporting_interval_s(now, ship.class_b)
        missed = math.floor(math.log(1.0 - uniform(ship)) / math.log(silent)) if silent > 0.0 else 0.0
        due = _slot(ship.t, ship.phase, interval) + missed * interval
        if due > ship.t + max(_LOOK_S, interval):
            ship.t += max(_LOOK_S, interval)
            continue
        if due >= ship.t_end or (ship.off < darks.size and due >= darks[ship.off].t_off):
            ship.t = due
            continue
        ship.t = due
        move(nodes, ship.t, now)
        n = _write_copies(ship, now, versions, p, first, last, p.chances, silent, out, n)
        ship.t += max(p.thin_s, interval * 0.5)
    return n


@inner
def _write_copies(ship, now, versions, p, first, last, chances, silent, out, n):
    """The message as each station that heard it hands it on, given that at least one did; returns rows used."""
    none_yet = True
    rest = silent  # probability that nobody from here on hears it
    written = 0
    for k in range(first, last):
        chance = chances[k - first]
        given = chance / (1.0 - rest) if none_yet and rest < 1.0 else chance
        rest = rest / (1.0 - chance) if chance < 1.0 else 0.0
        if uniform(ship) >= given:
            continue
        s = p.cell_stations[k]
        if none_yet:
            _write(ship, now, versions, p.noise_m, p.stations[s].delay_s, np.int64(s), out[n])
            written = n
            n = _add_static(ship, p.static_thin_s, out, n + 1)
            none_yet = False
        elif uniform(ship) < p.copies and n + 1 < out.size and n - written < MOST_ROWS - 1:
            _copy(out[written], out[n])
            out[n].station = s
            out[n].epoch = np.int64(ship.t + p.stations[s].delay_s + 1.5 * uniform(ship))
            n += 1
    return n


@kernel
def hear_aloft(nodes, darks, versions, p, ship, now, out):
    """All that satellites hear of a ship from `ship.t` on, until it ends or `out` is full; returns the rows."""
    n = 0
    while ship.t < ship.t_end and n + MOST_ROWS <= out.size:
        _advance(ship, darks, versions)
        move(nodes, ship.t, now)
        cos_lat = math.cos(math.radians(now.lat))
        x = cos_lat * math.cos(math.radians(now.lon))
        y = cos_lat * math.sin(math.radians(now.lon))
        z = math.sin(math.radians(now.lat))
        chance = p.crowd[np.int64(math.floor(now.lat)) + 90, np.int64(math.floor(now.lon) + 180) % 360]
        until = min(ship.t + 2.0 * _LOOK_S, ship.t_end)
        if ship.off < darks.size:
            until = min(until, darks[ship.off].t_off)
        heard = False
        while ship.t < until and not heard:
            minute = min(np.int64((ship.t - p.t_start) / 60.0), p.directions.shape[0] - 1)
            for k in range(p.directions.shape[1]):
                d = p.directions[minute, k]
                if d[0] * x + d[1] * y + d[2] * z > p.cos_footprint:
                    msg_type = _heard_in_minute(ship, reporting_interval_s(now, ship.class_b), chance)
                    if msg_type > 0:
                        move(nodes, ship.t, now)
                        _write(ship, now, versions, p.noise_m, 1.0, p.first_station + k, out[n])
                        if msg_type == 27:
                            out[n].msg_type = 27
                            n += 1
                        else:
                            n = _add_static(ship, p.static_thin_s, out, n + 1)
                        heard = True
                        break
            ship.t += p.thin_s if heard else 60.0
    return n


@inner
def _heard_in_minute(ship, interval_s, chance):
    """What a satellite hears first within a minute: 0 nothing, 1 a position report, 27 a long-range report."""
    if ship.class_b:
        chance *= _CLASS_B_ALOFT
    if uniform(ship) < 1.0 - (1.0 - chance) ** (60.0 / interval_s):
        return 1
    if ship.long_range and uniform(ship) < 1.0 - (1.0 - min(0.9, chance * _LONG_RANGE_GAIN)) ** (
        60.0 / _LONG_RANGE_SLOT_S
    ):
        return 27
    return 0


def footprint_cosine() -> float:
    """Cosine of the angle at the Earth's centre between a satellite and the edge of its footprint."""
    return math.cos(_FOOTPRINT_M / EARTH_RADIUS_M)
