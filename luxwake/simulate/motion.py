"""Where a simulated ship is at a time, how it moves and how often it reports.

A ship's way is a list of nodes: between two nodes it follows a great circle at constant speed. Reporting intervals
are those of ITU-R M.1371-5, Annex 1, table 1 (class A) and table 2 (class B, carrier-sense).
"""

from __future__ import annotations

import math

import numpy as np

from geo.kernel import inner, kernel
from geo.sphere import KN_M_S, bearing_deg, destination, distance_m, interpolate, wrap_deg

UNDER_WAY, MOORED, ANCHORED, DRIFTING, FISHING = range(5)
NAV_STATUS = np.array([0, 5, 1, 0, 7], np.uint8)
"""Navigational status that each mode reports, ITU-R M.1371 table 49."""

NODE = np.dtype(
    [
        ("t", "f8"),  # s since 1970 UTC
        ("lat", "f8"),  # degrees
        ("lon", "f8"),
        ("heading", "f4"),  # degrees true; NaN: along the course
        ("swing_m", "f4"),  # radius of the circle around the anchor
        ("mode", "u1"),  # of the stretch that begins here
    ],
    align=True,
)
"""A node of a ship's way."""

MOTION = np.dtype(
    [
        ("lat", "f8"),
        ("lon", "f8"),
        ("sog", "f8"),  # kn
        ("cog", "f8"),  # degrees true
        ("heading", "f8"),  # degrees true
        ("turning", "u1"),
        ("mode", "u1"),
        ("node", "i4"),  # the stretch that it is on: times only go forward
    ],
    align=True,
)
"""Where a ship is and how it moves."""

_TIDE_S = 44_714.0  # principal lunar semidiurnal tide M2, 12.42 h: an anchored ship swings with it
_SWING_DEG = 110.0
_TURN_S = 60.0  # a change of course takes about a minute on each side of a node
_TURN_DEG = 5.0


@kernel
def move(nodes, t, now):
    """Set `now` to the motion at time `t`; times must not go back between calls."""
    i = now.node
    while i < nodes.size - 2 and nodes[i + 1].t <= t:
        i += 1
    now.node = i
    a, b = nodes[i], nodes[i + 1]
    span = b.t - a.t
    fraction = min(1.0, max(0.0, (t - a.t) / span)) if span > 0.0 else 0.0
    now.lat, now.lon = interpolate(a.lat, a.lon, b.lat, b.lon, fraction)
    now.sog = distance_m(a.lat, a.lon, b.lat, b.lon) / span / KN_M_S if span > 0.0 else 0.0
    now.cog = bearing_deg(now.lat, now.lon, b.lat, b.lon) if fraction < 1.0 else bearing_deg(a.lat, a.lon, b.lat, b.lon)
    now.mode = a.mode
    now.heading = now.cog if math.isnan(a.heading) else a.heading
    now.turning = 0
    if a.mode == ANCHORED:
        swing = a.heading + _SWING_DEG * math.sin(2.0 * math.pi * t / _TIDE_S)
        now.lat, now.lon = destination(now.lat, now.lon, swing, np.float64(a.swing_m))
        now.heading = (swing + 180.0) % 360.0
    elif a.mode == UNDER_WAY and now.sog > 3.0:
        now.turning = _is_turning(nodes, i, t)


@inner
def _is_turning(nodes, i, t):
    """Whether the ship changes course at the node before or after the stretch `i`."""
    for k in (i, i + 1):
        if k == 0 or k >= nodes.size - 1 or abs(t - nodes[k].t) > _TURN_S:
            continue
        before = bearing_deg(nodes[k - 1].lat, nodes[k - 1].lon, nodes[k].lat, nodes[k].lon)
        after = bearing_deg(nodes[k].lat, nodes[k].lon, nodes[k + 1].lat, nodes[k + 1].lon)
        if abs(wrap_deg(after - before)) > _TURN_DEG:
            return 1
    return 0


@kernel
def reporting_interval_s(now, class_b):
    """Seconds between two position reports."""
    if class_b:
        return 180.0 if now.sog <= 2.0 else 30.0
    if (now.mode == MOORED or now.mode == ANCHORED) and now.sog <= 3.0:
        return 180.0
    if now.sog <= 14.0:
        return 10.0 / 3.0 if now.turning else 10.0
    if now.sog <= 23.0:
        return 2.0 if now.turning else 6.0
    return 2.0
