"""Motion between two fixes: straight, or at rest for a part of the time and under way for the other.

Fixes of a ship can lie hours apart, and a straight line between a fix at 9 kn and one at 0.3 kn puts it at neither
place. So what it said of its speed decides (SOG, COG):

* slow at one fix, under way at the other: it lay (or drifted) at the slow one, and went the rest of the way straight
  at the speed of the other. Time at rest t and travel are all the time between, L: with the way R from one fix to the
  other, drift w and cruising speed v, |R - w t| = v (L - t), which has one solution;
* slow at both, and farther apart than it can have drifted: it lay at the first, went at its last cruising speed, and
  lay at the second. When it left is not known: the middle of the possible times is taken;
* under way at both, and less than half as far apart as these speeds: it stopped somewhere, unseen. Nothing is said;
* else straight at constant speed: between fixes that are near in time, at drift, at cruise, or of unknown speed.

A change from one to the other comes with the half width of its 90 % interval: `WAY_SHARE` of the time under way (ships
do not sail quite straight, nor at constant speed) and seven minutes (they need some to stop or start).

Positions are metres north and east on the plane at a fix, times seconds.
"""

from __future__ import annotations

import math

from geo.kernel import inner
from geo.sphere import KN_M_S

SLOW_KN = 3.0
"""A ship that reports less is at rest, adrift or at work beside another; under way at more."""
DRIFT_KN = 0.5
"""Below, a course over ground is noise: the ship lies."""
SPREAD_KN = 1.0
"""So much more than its reported speed a drifting ship may have gone on the mean."""
WORKING_KN = 5.0
"""Trawlers turn while they tow at 2.5 to 5 kn: their way is shorter than their speed tells without a stop."""
WAY_SHARE = 0.25
"""90 % half width of a time under way, of that time: measured in docs/evaluation.md."""
LEAST_ERROR_S = 420.0


@inner
def drift_m_s(sog_kn, cog_deg):
    """(north, east) metres a second of a slow ship; 0 where its course is noise or not known."""
    if sog_kn >= DRIFT_KN and cog_deg >= 0.0:
        course = math.radians(cog_deg)
        return sog_kn * KN_M_S * math.cos(course), sog_kn * KN_M_S * math.sin(course)
    return 0.0, 0.0


@inner
def rest_s(seconds, north_m, east_m, drift_north_m_s, drift_east_m_s, cruise_m_s):
    """The time t at rest or adrift with |R - w t| = v (L - t); -1 where the way is longer than v L."""
    v2 = cruise_m_s * cruise_m_s
    c = north_m * north_m + east_m * east_m - v2 * seconds * seconds
    if c >= 0.0:
        return -1.0
    a = drift_north_m_s * drift_north_m_s + drift_east_m_s * drift_east_m_s - v2
    b = north_m * drift_north_m_s + east_m * drift_east_m_s - v2 * seconds
    return min(seconds, c / (b - math.sqrt(max(0.0, b * b - a * c))))


@inner
def way_error_s(seconds, way_s):
    """Half width of the 90 % interval of the moment at which a ship stops or starts, `way_s` of `seconds` under way."""
    return min(LEAST_ERROR_S + WAY_SHARE * way_s, 0.5 * seconds)


@inner
def phases(seconds, north_m, east_m, sog0_kn, cog0_deg, sog1_kn, cog1_deg, cruise_kn):
    """How a ship came from one fix to another, (north_m, east_m) away, in `seconds`.

    (s1, north1, east1, s2, north2, east2, error_s, known): slow until `s1`, straight on from there until `s2`, slow to
    the end; a way that is straight throughout has s1 = 0 and s2 = `seconds`. `error_s` belongs to s1 and s2 where
    they lie between the fixes. `known` is False where nothing can be said.
    """
    way_m = math.sqrt(north_m * north_m + east_m * east_m)
    straight = (0.0, 0.0, 0.0, seconds, north_m, east_m, 0.0, True)
    if math.isnan(sog0_kn) or math.isnan(sog1_kn):
        return straight
    if sog0_kn > SLOW_KN and sog1_kn > SLOW_KN:
        least_kn = min(sog0_kn, sog1_kn)
        known = least_kn <= WORKING_KN or 2.0 * way_m >= least_kn * KN_M_S * seconds
        return (0.0, 0.0, 0.0, seconds, north_m, east_m, 0.0, known)
    if sog0_kn > SLOW_KN:
        drift_north, drift_east = drift_m_s(sog1_kn, cog1_deg)
        rest = rest_s(seconds, north_m, east_m, drift_north, drift_east, sog0_kn * KN_M_S)
        if rest < 0.0:
            return straight
        error_s = way_error_s(seconds, seconds - rest)
        north2, east2 = north_m - drift_north * rest, east_m - drift_east * rest
        return (0.0, 0.0, 0.0, seconds - rest, north2, east2, error_s, True)
    if sog1_kn > SLOW_KN:
        drift_north, drift_east = drift_m_s(sog0_kn, cog0_deg)
        rest = rest_s(seconds, north_m, east_m, drift_north, drift_east, sog1_kn * KN_M_S)
        if rest < 0.0:
            return straight
        error_s = way_error_s(seconds, seconds - rest)
        return (rest, drift_north * rest, drift_east * rest, seconds, north_m, east_m, error_s, True)
    under_way_s = way_m / (cruise_kn * KN_M_S)
    if way_m <= (max(sog0_kn, sog1_kn) + SPREAD_KN) * KN_M_S * seconds or not under_way_s < seconds:
        return straight
    rest = 0.5 * (seconds - under_way_s)
    error_s = min(0.9 * rest + way_error_s(seconds, under_way_s), 0.5 * seconds)
    return (rest, 0.0, 0.0, rest + under_way_s, north_m, east_m, error_s, True)


@inner
def close_between(north_m, east_m, north_m_s, east_m_s, seconds, limit_m):
    """When two straight motions are within `limit_m`: (from_s, to_s, nearest_s), of 0 to `seconds`; to < from: never.

    (north_m, east_m) is where one is from the other at 0, (north_m_s, east_m_s) how that changes; the distance is a
    square root of a quadratic, so that both moments are exact.
    """
    a = north_m_s * north_m_s + east_m_s * east_m_s
    b = north_m * north_m_s + east_m * east_m_s
    c = north_m * north_m + east_m * east_m - limit_m * limit_m
    if a < 1e-12:  # a micrometre a second: as good as at rest to each other
        return (0.0, seconds, 0.0) if c <= 0.0 else (0.0, -1.0, 0.0)
    nearest_s = min(seconds, max(0.0, -b / a))
    square = b * b - a * c
    if square < 0.0:
        return 0.0, -1.0, nearest_s
    root = math.sqrt(square)
    return max(0.0, (-b - root) / a), min(seconds, (-b + root) / a), nearest_s
