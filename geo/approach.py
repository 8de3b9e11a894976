"""When two moving ships are nearest, and how near (closest point of approach, CPA).

Both keep their speed on the great circle of their course now, on the sphere of `geo.sphere`. No plane is laid, so it
holds at any distance, over the poles and across 180 degrees. A ship that holds its compass course leaves that great
circle by d² tan(lat) / 2R: 105 m after an hour at 15 kn at 60 degrees.

Looked for from now to a horizon ahead, never in the past: ships that part, or rest, are nearest now, at 0; ships that
still near each other at the end are nearest then. Of equal approaches it is the first. Ships on parallel courses at one
speed keep their distance in the plane; here they near each other slowly, as their great circles meet.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.errors import UsageError
from geo.kernel import inner, kernel
from geo.sphere import EARTH_RADIUS_M, KN_M_S, broadcast, unit_vector

_STEP_RAD = 0.1
"""Longest common way of two ships between two looks at their distance: it has one least value in each."""
_FARTHEST_RAD = 10_000.0
"""Common way of two ships that is looked through at most: 1,600 times round the Earth."""
_NEARER = 1e-15
"""A later approach counts when it is nearer by more than rounding makes (6 nm)."""


@inner
def _ship(lat_deg, lon_deg, course_deg, speed_kn):
    """(position, unit vector ahead, radians a second) of a ship; one at rest needs no course."""
    lat, lon = math.radians(lat_deg), math.radians(lon_deg)
    course = 0.0 if speed_kn == 0.0 else math.radians(course_deg)
    east, north = math.sin(course), math.cos(course)
    ahead = (
        -north * math.sin(lat) * math.cos(lon) - east * math.sin(lon),
        -north * math.sin(lat) * math.sin(lon) + east * math.cos(lon),
        north * math.cos(lat),
    )
    return unit_vector(lat_deg, lon_deg), ahead, speed_kn * KN_M_S / EARTH_RADIUS_M


@inner
def _apart(ship1, ship2, t):
    """Chord between two ships `t` seconds from now, half the first and half the second derivative of its square."""
    at1, ahead1, rate1 = ship1
    at2, ahead2, rate2 = ship2
    cos1, sin1, cos2, sin2 = math.cos(rate1 * t), math.sin(rate1 * t), math.cos(rate2 * t), math.sin(rate2 * t)
    square = slope = bend = 0.0
    for i in range(3):
        p1, v1 = at1[i] * cos1 + ahead1[i] * sin1, rate1 * (ahead1[i] * cos1 - at1[i] * sin1)
        p2, v2 = at2[i] * cos2 + ahead2[i] * sin2, rate2 * (ahead2[i] * cos2 - at2[i] * sin2)
        p, v = p2 - p1, v2 - v1
        square += p * p
        slope += p * v
        bend += v * v + p * (rate1 * rate1 * p1 - rate2 * rate2 * p2)
    return math.sqrt(square), slope, bend


@inner
def _turning(ship1, ship2, early, late):
    """When two ships that near each other at `early` and part at `late` are nearest: Newton, held in the bracket."""
    t = 0.5 * (early + late)
    for _ in range(60):
        _, slope, bend = _apart(ship1, ship2, t)
        if slope < 0.0:
            early = t
        else:
            late = t
        after = t - slope / bend
        if not early < after < late:
            after = 0.5 * (early + late)
        if abs(after - t) < 1e-9:
            return after
        t = after
    return t


@kernel
def closest_approach(lat1_deg, lon1_deg, course1_deg, speed1_kn, lat2_deg, lon2_deg, course2_deg, speed2_kn, within_s):
    """When two ships are nearest, and how near: (seconds from now, metres).

    Looked for from now to `within_s` seconds ahead. The course of a ship at rest does not matter. NaN for a negative
    speed or horizon, and for one so far that the ships would sail more than 10,000 radians.
    """
    ship1, ship2 = _ship(lat1_deg, lon1_deg, course1_deg, speed1_kn), _ship(lat2_deg, lon2_deg, course2_deg, speed2_kn)
    way = (ship1[2] + ship2[2]) * within_s
    chord, slope, _ = _apart(ship1, ship2, 0.0)
    told = speed1_kn >= 0.0 and speed2_kn >= 0.0 and within_s >= 0.0 and chord >= 0.0
    if not (told and way <= _FARTHEST_RAD):
        return math.nan, math.nan
    best_s, best = 0.0, chord
    steps = 1 + int(way / _STEP_RAD)
    for i in range(steps):
        early, late = within_s * i / steps, within_s * (i + 1) / steps
        chord, slope_late, _ = _apart(ship1, ship2, late)
        if slope < 0.0 < slope_late:
            late = _turning(ship1, ship2, early, late)
            chord = _apart(ship1, ship2, late)[0]
        if chord < best - _NEARER:
            best_s, best = late, chord
        slope = slope_late
    return best_s, 2.0 * EARTH_RADIUS_M * math.asin(min(1.0, 0.5 * best))


@kernel
def _fill_approaches(c, out):
    for i in range(out.shape[1]):
        out[0, i], out[1, i] = closest_approach(
            c[0, i], c[1, i], c[2, i], c[3, i], c[4, i], c[5, i], c[6, i], c[7, i], c[8, i]
        )


def closest_approaches(
    lat1_deg: ArrayLike,
    lon1_deg: ArrayLike,
    course1_deg: ArrayLike,
    speed1_kn: ArrayLike,
    lat2_deg: ArrayLike,
    lon2_deg: ArrayLike,
    course2_deg: ArrayLike,
    speed2_kn: ArrayLike,
    *,
    within_s: float = 86_400.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds to, and metres at, the closest approach of pairs of moving ships (see `closest_approach`).

    `within_s`: how far ahead to look. A day is the default, because no course is held much longer.

    >>> time_s, distance_m = closest_approaches(0.0, 0.0, 90.0, 10.0, 0.1, 1.0, 270.0, 10.0)
    >>> round(float(time_s) / 60.0), round(float(distance_m))
    (180, 11119)
    """
    if not 0.0 <= within_s < math.inf:
        raise UsageError(
            f"within_s is {within_s:g}; give seconds from now, 0 or more, to look for the closest approach"
        )
    columns, shape = broadcast(
        lat1_deg, lon1_deg, course1_deg, speed1_kn, lat2_deg, lon2_deg, course2_deg, speed2_kn, within_s
    )
    out = np.empty((2, columns.shape[1]))
    _fill_approaches(columns, out)
    return out[0].reshape(shape), out[1].reshape(shape)
