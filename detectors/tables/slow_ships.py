"""Slow ships that are made up, with what they do: the labels that the behaviour model is trained on.

Each ship sails, does one of five things for 15 minutes to 30 hours, and sails on, two or three times. It moves minute
by minute on a plane at a place of its own: a current of a mean and a tidal part, and a wind that turns and freshens.
What it sends is what a transponder would: at its own interval (2 s to 40 min), with position noise of 2 to 6 m on each
axis, courses that are noise where it hardly moves, and, of some ships, no heading, no speed, or no course. A third of
the ships send a navigational status that is wrong (`detectors.behaviour`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from geo.sphere import EARTH_RADIUS_M, KN_M_S

Vector = NDArray[np.float64]
_DEG_M = math.radians(EARTH_RADIUS_M)
_TIDE_MIN = 745.2
"""M2, the principal lunar semidiurnal tide, 12.42 h."""
INTERVALS_S = (2.0, 10.0, 60.0, 180.0, 360.0, 1200.0, 2400.0)
STATUS = {"drifting": (0, 2), "anchored": (1,), "moored": (5,), "fishing": (7,), "slow_steaming": (0, 3)}
"""What an honest ship says, ITU-R M.1371 table 45."""


class Motion(NamedTuple):
    """A stretch of a ship's life minute by minute: velocity (m/s, east and north) and heading (degrees)."""

    east: Vector
    north: Vector
    heading: Vector


class Weather(NamedTuple):
    """Current (m/s, east and north) and where the wind blows to (degrees), minute by minute."""

    east: Vector
    north: Vector
    wind: Vector
    force: Vector
    """0 to 1."""


def wobble(rng: Generator, n: int, sigma: float, minutes: float) -> Vector:
    """A quantity that wanders around 0 with a standard deviation, and forgets in some minutes."""
    keep = math.exp(-1.0 / minutes)
    steps = rng.normal(0.0, sigma * math.sqrt(1.0 - keep * keep), n)
    out = np.empty(n)
    value = rng.normal(0.0, sigma)
    for k in range(n):
        value = keep * value + steps[k]
        out[k] = value
    return out


def _weather(rng: Generator, n: int) -> Weather:
    mean, tide = rng.uniform(0.0, 0.6) * KN_M_S, rng.uniform(0.0, 1.2) * KN_M_S
    toward, axis, phase = rng.uniform(0.0, 2 * np.pi, 3)
    flow = tide * np.cos(2.0 * np.pi * np.arange(n) / _TIDE_MIN + phase)
    wind = rng.uniform(0.0, 360.0) + np.cumsum(rng.normal(0.0, 0.6, n)) + wobble(rng, n, 12.0, 90.0)
    force = np.clip(rng.uniform(0.1, 0.9) + wobble(rng, n, 0.12, 180.0), 0.0, 1.0)
    return Weather(
        mean * np.sin(toward) + flow * np.sin(axis), mean * np.cos(toward) + flow * np.cos(axis), wind, force
    )


def _under_way(speed: Vector, course: Vector, weather: Weather, leeway: float) -> Motion:
    """Through the water along the heading, carried by the current and a little by the wind."""
    angle, wind = np.radians(course), np.radians(weather.wind)
    drift = leeway * KN_M_S * weather.force
    east = speed * KN_M_S * np.sin(angle) + weather.east + drift * np.sin(wind)
    north = speed * KN_M_S * np.cos(angle) + weather.north + drift * np.cos(wind)
    return Motion(east, north, course)


def drifting(rng: Generator, n: int, length_m: float) -> Motion:
    """Without power: carried by current and wind, beam to the wind more or less."""
    weather = _weather(rng, n)
    leeway, side = rng.uniform(0.3, 2.2) * KN_M_S, rng.choice([-1.0, 1.0])
    angle = np.radians(weather.wind + wobble(rng, n, 12.0, 120.0))
    heading = weather.wind + side * rng.uniform(60.0, 115.0) + wobble(rng, n, rng.uniform(5.0, 25.0), 60.0)
    return Motion(
        weather.east + leeway * weather.force * np.sin(angle),
        weather.north + leeway * weather.force * np.cos(angle),
        heading,
    )


def anchored(rng: Generator, n: int, length_m: float) -> Motion:
    """On a chain: downstream of the anchor, yawing, head to what pulls."""
    weather = _weather(rng, n)
    windage = rng.uniform(0.1, 1.2)
    pull_x = weather.east + windage * weather.force * np.sin(np.radians(weather.wind))
    pull_y = weather.north + windage * weather.force * np.cos(np.radians(weather.wind))
    toward = np.unwrap(np.arctan2(pull_x, pull_y))
    bearing, follow = np.empty(n), 1.0 / rng.uniform(8.0, 25.0)
    value = toward[0]
    for k in range(n):
        value += follow * float(np.clip(toward[k] - value, -0.6, 0.6))
        bearing[k] = value
    yaw = math.radians(rng.uniform(3.0, 25.0)) * np.sin(2 * np.pi * np.arange(n) / rng.uniform(8.0, 25.0))
    chain = rng.uniform(1.2, 3.0) * length_m * (0.85 + 0.15 * weather.force)
    x, y = chain * np.sin(bearing + yaw), chain * np.cos(bearing + yaw)
    heading = np.degrees(bearing + 1.6 * yaw) + 180.0 + wobble(rng, n, 3.0, 10.0)
    return Motion(np.diff(x, append=x[-1]) / 60.0, np.diff(y, append=y[-1]) / 60.0, heading)


def moored(rng: Generator, n: int, length_m: float) -> Motion:
    """At a berth: nothing moves but the noise; a few shift along the quay once."""
    east, north = np.zeros(n), np.zeros(n)
    heading = np.full(n, rng.uniform(0.0, 360.0)) + wobble(rng, n, 0.4, 30.0)
    if rng.random() < 0.1 and n > 120:
        k = int(rng.integers(30, n - 30))
        angle = math.radians(float(heading[0]))
        east[k : k + 10], north[k : k + 10] = 0.25 * math.sin(angle), 0.25 * math.cos(angle)
    return Motion(east, north, heading)


def fishing(rng: Generator, n: int, length_m: float) -> Motion:
    """Trawling with hauls between, or hauling a line or pots: slow, powered, turning often."""
    weather = _weather(rng, n)
    speed, course = np.empty(n), np.empty(n)
    trawler, k, along = rng.random() < 0.55, 0, rng.uniform(0.0, 360.0)
    while k < n:
        if trawler and rng.random() < 0.55:
            span, pace, turn = int(rng.uniform(30, 150)), rng.uniform(2.2, 4.2), 4.0
        elif trawler:
            span, pace, turn = int(rng.uniform(20, 70)), rng.uniform(0.2, 1.6), 12.0
        else:
            span, pace, turn = int(rng.uniform(60, 300)), rng.uniform(0.5, 2.2), rng.uniform(5.0, 14.0)
        end = min(n, k + span)
        speed[k:end] = np.maximum(0.1, pace + wobble(rng, end - k, 0.35, 8.0))
        along += rng.normal(0.0, 80.0)
        course[k:end] = along + np.cumsum(rng.normal(0.0, turn, end - k)) * 0.4 + wobble(rng, end - k, 15.0, 6.0)
        along, k = float(course[end - 1]), end
    return _under_way(speed, course, weather, 0.5)


def slow_steaming(rng: Generator, n: int, length_m: float) -> Motion:
    """Under power with time to lose: straight legs at one speed, turning rarely; or head to the weather, holding on."""
    weather = _weather(rng, n)
    pace, legs = rng.uniform(0.7, 2.3), max(1, round(n / rng.uniform(45.0, 400.0)))
    turns = np.sort(rng.integers(0, n, legs - 1))
    courses = rng.uniform(0.0, 360.0) + np.cumsum([0.0, *rng.choice([180.0, 90.0, -90.0, 40.0, -40.0], legs - 1)])
    course = np.repeat(courses, np.diff([0, *turns, n])) + wobble(rng, n, 3.0, 15.0)
    if rng.random() < 0.25:
        course = weather.wind + 180.0 + wobble(rng, n, 6.0, 30.0)
    speed = np.maximum(0.1, pace + wobble(rng, n, 0.12, 30.0))
    return _under_way(speed, course, weather._replace(east=0.6 * weather.east, north=0.6 * weather.north), 0.2)


MAKERS = {
    "drifting": drifting, "anchored": anchored, "moored": moored, "fishing": fishing, "slow_steaming": slow_steaming,
}  # fmt: skip
SHORE_KM = {
    "drifting": (0.5, 300.0), "anchored": (0.3, 60.0), "moored": (0.05, 0.8), "fishing": (1.0, 300.0),
    "slow_steaming": (0.5, 300.0),
}  # fmt: skip
"""Between these, evenly by logarithm; berths reach into the sea of the coarse mask of the shore."""


class Ship(NamedTuple):
    """What one ship sent, and what it did: rows (name, first and last second, km from shore)."""

    columns: dict[str, Vector]
    did: list[tuple[str, float, float, float]]


def _life(rng: Generator, length_m: float) -> tuple[Motion, list[tuple[str, int, int]]]:
    """Two or three things that a ship does, with passages of an hour or two between them."""
    parts, did, at = [], [], 0
    course = rng.uniform(0.0, 360.0)
    for k in range(int(rng.integers(2, 4))):
        for passage in (True, False):
            n = int(rng.uniform(60, 120)) if passage else int(60.0 * 10.0 ** rng.uniform(-0.6, 1.5))
            name = str(rng.choice(list(MAKERS)))
            if passage:
                speed, angle = rng.uniform(7.0, 14.0) * KN_M_S, math.radians(course)
                heading = np.full(n, course) + wobble(rng, n, 1.0, 10.0)
                parts.append(Motion(np.full(n, speed * math.sin(angle)), np.full(n, speed * math.cos(angle)), heading))
                course += rng.normal(0.0, 60.0)
            else:
                parts.append(MAKERS[name](rng, n, length_m))
                did.append((name, at, at + n))
            at += n
        if k == 2:
            break
    n = 60
    east, north = (np.full(n, 10.0 * KN_M_S * f(math.radians(course))) for f in (math.sin, math.cos))
    parts.append(Motion(east, north, np.full(n, course)))
    return Motion(*(np.concatenate(column) for column in zip(*parts, strict=True))), did


def ship(seed: int) -> Ship:
    """The ship of a seed: columns t (s), lat, lon, sog, cog, heading, nav_status, class_b, in time order."""
    rng = np.random.default_rng([5501, seed])
    length_m = 10.0 ** rng.uniform(1.2, 2.5)
    motion, did = _life(rng, length_m)
    n = motion.east.size
    minutes = np.arange(n + 1, dtype=np.float64)
    x, y = (np.concatenate(([0.0], np.cumsum(v) * 60.0)) for v in (motion.east, motion.north))
    interval_s = float(rng.choice(INTERVALS_S))
    many = int(n * 60 / interval_s)
    gaps = np.ones(many) if interval_s < 600.0 else rng.exponential(1.0, many)  # a satellite hears now and then
    t = np.cumsum(np.maximum(1.0, interval_s * gaps))
    t = t[t < n * 60.0]
    now = np.minimum(n - 1, (t / 60.0).astype(np.int64))
    east, north = motion.east[now], motion.north[now]
    lat0, lon0 = rng.uniform(-65.0, 75.0), rng.uniform(-180.0, 180.0)
    noise = rng.uniform(2.0, 6.0)
    lat = lat0 + (np.interp(t / 60.0, minutes, y) + rng.normal(0.0, noise, t.size)) / _DEG_M
    east_m = np.interp(t / 60.0, minutes, x) + rng.normal(0.0, noise, t.size)
    lon = lon0 + east_m / (_DEG_M * np.cos(np.radians(lat0)))
    speed = np.hypot(east, north) / KN_M_S
    cog = np.degrees(np.arctan2(east + rng.normal(0, 0.04, t.size), north + rng.normal(0, 0.04, t.size))) % 360.0
    class_b = float(rng.random() < 0.1)
    says = {name: rng.random() >= share for name, share in (("heading", 0.15 + class_b), ("sog", 0.05), ("cog", 0.05))}
    nothing = np.full(t.size, np.nan)
    status = np.full(t.size, 15.0 if class_b else 0.0)
    wrong = rng.random() < 1.0 / 3.0
    for name, first, last in did:
        word = int(rng.choice((0, 1, 5, 7, 15))) if wrong else int(rng.choice(STATUS[name]))
        status[(now >= first) & (now < last)] = 15.0 if class_b else word
    columns = {
        "t": t,
        "lat": lat,
        "lon": (lon + 180.0) % 360.0 - 180.0,
        "sog": np.maximum(0.0, np.round(speed + rng.normal(0.0, 0.06, t.size), 1)) if says["sog"] else nothing,
        "cog": cog if says["cog"] else nothing,
        "heading": np.round(motion.heading[now] + rng.normal(0.0, 0.5, t.size)) % 360.0 if says["heading"] else nothing,
        "nav_status": status,
        "class_b": np.full(t.size, class_b),
    }
    shore = {name: 10.0 ** rng.uniform(*np.log10(SHORE_KM[name])) for name, _, _ in did}
    return Ship(columns, [(name, first * 60.0, last * 60.0, shore[name]) for name, first, last in did])
