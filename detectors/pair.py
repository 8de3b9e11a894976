"""What two ships do while they are close: one record for each pair, grown stretch by stretch, and its end, an event."""

from __future__ import annotations

import math

import numpy as np

from detectors.compact import of_hundredths, offset_of, source_of
from detectors.event import RENDEZVOUS, begin_event
from detectors.piece import ANCHORED
from geo.cells import INDEX_RESOLUTION, cell_at
from geo.kernel import inner
from geo.sphere import EARTH_RADIUS_M, KN_M_S, wrap_deg

PAIR = np.dtype(
    [
        ("key", "i8"),  # slot of one << 32 | slot of the other, + 1; 0: free
        ("t_start", "i8"),
        ("t_end", "i8"),
        ("near_from", "i8"),  # the present stretch within the nearer distance, and the longest
        ("near_to", "i8"),
        ("longest_from", "i8"),
        ("longest_to", "i8"),
        ("lat", "f8"),  # half way between both at the start
        ("lon", "f8"),
        ("lat_end", "f8"),
        ("lon_end", "f8"),
        ("first_a", "i8"),  # evidence of first and last fix, of the one and the other
        ("last_a", "i8"),
        ("first_b", "i8"),
        ("last_b", "i8"),
        ("together_s", "f8"),
        ("dlat", "f8"),  # sums over the time together; places relative to the first
        ("dlon", "f8"),
        ("sum_m", "f8"),
        ("sum_m_s", "f8"),
        ("sum_kn", "f8"),
        ("sum_kn_s", "f8"),  # time for which a speed was reported
        ("sum_relative_m_s", "f8"),
        ("sum_heard_s", "f8"),
        ("sum_anchored_s", "f8"),
        ("sum_chance_s", "f8"),
        ("drift_m", "f4"),
        ("least_m", "f4"),
        ("bearing_deg", "f4"),  # of the other, where they are nearest
        ("heading_a", "f4"),
        ("heading_b", "f4"),
        ("start_error_s", "f4"),
        ("end_error_s", "f4"),
        ("n", "i4"),
    ],
    align=True,
)
FACTS = (
    "hull_gap_m", "mean_distance_m", "relative_speed_kn", "sog_kn", "heading_deg", "other_heading_deg", "bearing_deg",
    "heading_difference_deg", "drift_m", "at_anchor_share", "together_s", "port_m",
)  # fmt: skip
"""Facts of a rendezvous, in their order: all but the first and the last are written here."""
HEARD_S = 3600.0
"""Of a longer way between two fixes so much counts as heard: Global Fishing Watch joins no fixes farther apart."""
NOISE_M = 20.0
"""90 % of the distances between two antennas are right to this: AIS positions are good to 10 m (ITU-R M.1371, 5.3)."""
PER_SIGMA = 1.6449
"""Standard deviations of the normal distribution in the half width of its 90 % interval."""


@inner
def chance_below(limit, value, half_width):
    """Chance that a normal quantity is below a limit; `half_width` of its 90 % interval may be 0."""
    if half_width <= 0.0:
        return 1.0 if value <= limit else 0.0
    return 0.5 * (1.0 + math.erf((limit - value) * PER_SIGMA / half_width / math.sqrt(2.0)))


@inner
def begin_pair(p, x, y, t_start, error_s, lat, lon):
    """They come close."""
    p.t_start, p.t_end, p.start_error_s, p.end_error_s = t_start, t_start, error_s, np.nan
    p.near_from, p.near_to, p.longest_from, p.longest_to = 0, -1, 0, 0
    p.lat, p.lon, p.dlat, p.dlon = lat, lon, 0.0, 0.0
    p.together_s, p.sum_m, p.sum_m_s, p.sum_kn, p.sum_kn_s, p.sum_relative_m_s = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    p.sum_heard_s, p.sum_anchored_s, p.sum_chance_s, p.drift_m, p.least_m = 0.0, 0.0, 0.0, 0.0, np.inf
    p.first_a, p.first_b = x.evidence0, y.evidence0


@inner
def grow_near(p, near_from, near_to):
    """They are within the nearer distance."""
    if near_from > p.near_to:
        p.near_from = near_from
    p.near_to = max(p.near_to, near_to)
    if p.near_to - p.near_from > p.longest_to - p.longest_from:
        p.longest_from, p.longest_to = p.near_from, p.near_to


@inner
def nearest_yet(p, x, y, north_m, east_m):
    """Keep how the other lies where they are nearest."""
    metres = math.sqrt(north_m * north_m + east_m * east_m)
    if metres < p.least_m:
        p.least_m, p.heading_a, p.heading_b = metres, of_hundredths(x.heading), of_hundredths(y.heading)
        p.bearing_deg = math.degrees(math.atan2(east_m, north_m)) % 360.0


@inner
def add_stretch(p, x, y, seconds, metres, relative_m_s, lat, lon, limit_m):
    """A stretch of their time together; `metres` apart on the mean, and half way between them at (lat, lon)."""
    p.n += 1
    p.together_s += seconds
    dlat, dlon = lat - p.lat, wrap_deg(lon - p.lon)
    p.dlat += dlat * seconds
    p.dlon += dlon * seconds
    east = dlon * math.cos(math.radians(p.lat))
    p.drift_m = max(p.drift_m, math.radians(math.sqrt(dlat * dlat + east * east)) * EARTH_RADIUS_M)
    p.sum_m += metres * seconds
    p.sum_relative_m_s += relative_m_s * seconds
    p.sum_m_s += 0.5 * (x.m_s + y.m_s) * seconds
    sog_kn = 0.5 * (of_hundredths(x.sog) + of_hundredths(y.sog))
    if sog_kn >= 0.0:
        p.sum_kn += sog_kn * seconds
        p.sum_kn_s += seconds
    p.sum_heard_s += seconds * min(1.0, HEARD_S / max(x.leg_s, y.leg_s))
    if x.flags & y.flags & ANCHORED:
        p.sum_anchored_s += seconds
    p.sum_chance_s += seconds * chance_below(limit_m, metres, NOISE_M + x.spread_m + y.spread_m)


@inner
def duration_chance(p, limits):
    """Chance that they were together for as long as is asked for."""
    square = 0.0
    if p.start_error_s == p.start_error_s:
        square += p.start_error_s * p.start_error_s
    if p.end_error_s == p.end_error_s:
        square += p.end_error_s * p.end_error_s
    return 1.0 - chance_below(limits.min_duration_us * 1e-6, p.together_s, math.sqrt(square))


@inner
def write_facts(p, swap, event):
    """The facts that the rows tell, for the ship with the smaller MMSI first."""
    facts, bearing = event.facts, p.bearing_deg
    difference = abs(wrap_deg(p.heading_a - p.heading_b))
    facts[1], facts[2] = p.sum_m / p.together_s, p.sum_relative_m_s / p.together_s / KN_M_S
    facts[3] = p.sum_kn / p.sum_kn_s if p.sum_kn_s > 0.0 else np.nan
    facts[4], facts[5] = (p.heading_b, p.heading_a) if swap else (p.heading_a, p.heading_b)
    facts[6], facts[7] = (bearing + 180.0) % 360.0 if swap else bearing, difference
    facts[8], facts[9], facts[10] = p.drift_m, p.sum_anchored_s / p.together_s, p.together_s


@inner
def write_evidence(p, swap, event):
    """First and last fix of both."""
    first, last, other_first, other_last = p.first_a, p.last_a, p.first_b, p.last_b
    if swap:
        first, last, other_first, other_last = other_first, other_last, first, last
    event.first_source, event.first_offset = source_of(first), offset_of(first)
    event.last_source, event.last_offset = source_of(last), offset_of(last)
    event.other_first_source, event.other_first_offset = source_of(other_first), offset_of(other_first)
    event.other_last_source, event.other_last_offset = source_of(other_last), offset_of(other_last)


@inner
def close_pair(p, now, limits, event):
    """End a meeting: 1 when it was a rendezvous and stands in `event`, else 0. `now` < 0: it is over."""
    n = p.n
    p.n = 0
    together_us = p.together_s * 1e6
    long = together_us >= limits.min_duration_us and 2.0 * together_us >= p.t_end - p.t_start
    near = limits.near_distance_m > 0.0 and p.longest_to - p.longest_from >= limits.near_duration_us
    speed_kn = p.sum_m_s / p.together_s / KN_M_S
    if not (long or near) or speed_kn >= limits.max_speed_kn:
        return 0
    key = p.key - 1
    a, b = limits.ships[key >> 32], limits.ships[key & 0xFFFFFFFF]
    swap = b.mmsi < a.mmsi or (b.mmsi == a.mmsi and b.hull < a.hull)
    if swap:
        a, b = b, a
    begin_event(event, RENDEZVOUS, a.mmsi, a.hull)
    event.open = 1 if now >= 0 and now - p.t_end <= limits.max_break_us else 0
    event.other, event.other_hull, event.n = b.mmsi, b.hull, n
    event.t_start, event.t_end = p.t_start, p.t_end
    event.start_error_s, event.end_error_s = p.start_error_s, p.end_error_s
    event.lat, event.lon = p.lat + p.dlat / p.together_s, wrap_deg(p.lon + p.dlon / p.together_s)
    event.lat_end, event.lon_end = p.lat_end, p.lon_end
    event.cell = cell_at(event.lat, event.lon, INDEX_RESOLUTION)
    event.coverage = min(1.0, p.sum_heard_s / p.together_s)
    event.distance_m, event.speed_kn = p.least_m, speed_kn
    event.score = p.sum_chance_s / p.together_s * (1.0 if near else duration_chance(p, limits))
    if not long:
        event.t_start, event.t_end = p.longest_from, p.longest_to
    write_facts(p, swap, event)
    write_evidence(p, swap, event)
    return 1
