"""What an episode sums up at the ends of its slow steps, and the event that it becomes."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.compact import M_PER_STEP, offset_of, source_of, turned, way_m
from detectors.event import FACTS, LOITERING, STOP, WAITING, begin_event
from geo.anchorages import AnchorageTable, anchorage_row
from geo.cells import INDEX_RESOLUTION, cell_at
from geo.kernel import inlined, inner
from geo.sphere import EARTH_RADIUS_M, KN_M_S, cos_sin_deg, distance_m, wrap_deg
from geo.steps import deg_of

OBSERVED_US = 1_800_000_000
"""A step counts as observed up to half an hour."""
ADRIFT_KN, ADRIFT_LEAST_KN, ADRIFT_DEG = 5.0, 1.0, 45.0
"""AIS-Abnormal: drifting ships make 1 to 5 kn over ground, more than 45 degrees off their heading."""
_LEAST_COURSE_KN = 0.2
"""Below this speed the course over ground is noise."""
_DEG_M = math.radians(EARTH_RADIUS_M)
"""Metres of a degree of latitude on the sphere."""
OUTSIDE, WITHIN, NOT_ASKED = range(3)
"""Of known anchorages: only the ends of slow steps are looked up."""
NOT_SAID = 2
"""In place of the class of the transponder, where the input ends."""
ALL = 65_535
"""A share of one, in whole parts."""
MOST_S = 65_535
"""So long a drift is an event, whatever `min_drift_s`."""
FAST, SLOW, ADRIFT = range(1, 4)
"""What the speed, course and heading of one fix say."""
ANCHORED_SAID, MOORED_SAID, FISHING_SAID = 1, 5, 7
"""Navigational status, ITU-R M.1371 table 45."""

FEATURES = (
    "aspect", "said_anchored", "said_moored", "said_fishing", "class_b", "observed_h", "net_drift_kn", "swing_m",
    "heading_against_course_deg", "heading_spread_deg", "speed_spread_kn", "net_share",
)  # fmt: skip
"""What the kernel writes into `facts`, in this order; `detectors.behaviour` turns it into probabilities."""

EPISODE = np.dtype(
    [
        ("t_start", "i8"),
        ("first_origin", "i8"),
        ("last_origin", "i8"),  # of the end of the last slow step
        ("lat_start", "i4"),
        ("lon_start", "i4"),
        ("lat_slow", "i4"),  # end of the last slow step
        ("lon_slow", "i4"),
        ("away_us", "u4"),  # from there to the beginning of the current step
        ("path_m", "f4"),
        ("fast_m", "f4"),  # way of the fast steps since the last slow one
        ("extent_m", "f4"),
        ("slow_s", "f4"),
        ("observed_s", "f4"),
        ("waiting_s", "f4"),  # of the observed time, that in known anchorages
        ("lead_s", "f4"),  # by which `anchorage` leads over all others (majority vote by Boyer and Moore)
        ("named_s", "f4"),  # of `waiting_s`, spent in `anchorage` since it leads: with half of it the vote is proven
        ("y_s", "f4"),  # moments: metres from the start, times observed seconds
        ("x_s", "f4"),
        ("yy_s", "f4"),
        ("xx_s", "f4"),
        ("yx_s", "f4"),
        ("cos_s", "f4"),  # of the heading, and the seconds in which it was known
        ("sin_s", "f4"),
        ("heading_s", "f4"),
        ("off_m", "f4"),  # degrees between course and heading, times way; and the way
        ("course_m", "f4"),
        ("speed_s", "f4"),  # speed over ground in knots, and its square
        ("square_s", "f4"),
        ("anchorage", "i4"),
        ("n", "i4"),  # fixes up to the end of the last slow step
        ("n_since", "u2"),  # fixes since then
        ("adrift_s", "u2"),  # whole seconds, at most `MOST_S`
        ("anchored", "u2"),  # shares of the observed time for which the navigational status said so
        ("moored", "u2"),
        ("fishing", "u2"),
        ("ref_in", "u1"),  # whether the current step began in a known anchorage: OUTSIDE, WITHIN or NOT_ASKED
        ("class_b", "u1"),
    ],
    align=True,
)
"""The sums of an episode that goes on."""


class Limits(NamedTuple):
    """The thresholds as numbers for the kernels, the known anchorages, and the hulls by slot."""

    max_speed_kn: float
    min_duration_us: int
    min_stop_us: int
    min_drift_s: float
    max_silence_us: int
    step_us: int
    max_excursion_us: int
    min_waiting_share: float
    places: AnchorageTable
    ships: NDArray[Any]


class Fix(NamedTuple):
    """One fix, for the kernels; `lat` and `lon` in steps, `origin` as in `detectors.compact`."""

    t: int
    lat: int
    lon: int
    sog: float
    cog: float
    heading: float
    nav_status: int
    class_b: int
    origin: int


@inner
def begin_episode(s, e, n_step):
    """A slow step of `n_step` more fixes opens an episode at its first."""
    e.t_start, e.first_origin, e.lat_start, e.lon_start = s.t_ref, s.origin_ref, s.lat_ref, s.lon_ref
    e.away_us, e.n, e.n_since, e.ref_in, e.anchorage = 0, 1, n_step, NOT_ASKED, -1
    e.path_m, e.fast_m, e.extent_m, e.slow_s, e.observed_s, e.adrift_s = 0.0, 0.0, 0.0, 0.0, 0.0, 0
    e.waiting_s, e.lead_s, e.named_s = 0.0, 0.0, 0.0
    e.y_s, e.x_s, e.yy_s, e.xx_s, e.yx_s = 0.0, 0.0, 0.0, 0.0, 0.0
    e.cos_s, e.sin_s, e.heading_s, e.off_m, e.course_m = 0.0, 0.0, 0.0, 0.0, 0.0
    e.speed_s, e.square_s, e.anchored, e.moored, e.fishing = 0.0, 0.0, 0, 0, 0


@inner
def wait_episode(e, observed_s, anchorage):
    """A slow step, observed for so long, began and ended in known anchorages."""
    e.waiting_s += observed_s
    if anchorage == e.anchorage:
        e.lead_s += observed_s
        e.named_s += observed_s
    elif observed_s > e.lead_s:
        e.anchorage, e.lead_s, e.named_s = anchorage, observed_s - e.lead_s, observed_s
    else:
        e.lead_s -= observed_s


@inlined
def share_with(share, said, weight):
    """A share in whole parts of `ALL`, with one more step of this weight in which it was said (1) or not (0)."""
    return np.int64(share + (ALL * said - share) * weight + 0.5)


@inner
def describe(s, e, fix, pace, step_m, seconds, observed_s):
    """Add what the fix at the end of a slow step says of the behaviour; of speed and heading only while it is slow."""
    east = M_PER_STEP * cos_sin_deg(deg_of(e.lat_start))[0]
    lat0, lon0 = np.int64(e.lat_start), np.int64(e.lon_start)
    y0, x0 = (s.lat_ref - lat0) * M_PER_STEP, turned(s.lon_ref - lon0) * east
    y, x = (fix.lat - lat0) * M_PER_STEP, turned(fix.lon - lon0) * east
    e.y_s += 0.5 * (y0 + y) * observed_s  # integrals over a straight step
    e.x_s += 0.5 * (x0 + x) * observed_s
    e.yy_s += (y0 * y0 + y0 * y + y * y) / 3.0 * observed_s
    e.xx_s += (x0 * x0 + x0 * x + x * x) / 3.0 * observed_s
    e.yx_s += (y0 * x0 + y * x + 0.5 * (y0 * x + y * x0)) / 3.0 * observed_s
    speed_kn = step_m / seconds / KN_M_S if pace == FAST or math.isnan(fix.sog) else fix.sog
    e.speed_s += speed_kn * observed_s
    e.square_s += speed_kn * speed_kn * observed_s
    if pace != FAST and not math.isnan(fix.heading):
        cos, sin = cos_sin_deg(fix.heading)
        e.cos_s += cos * observed_s
        e.sin_s += sin * observed_s
        e.heading_s += observed_s
        off = abs(wrap_deg(np.float64(fix.cog) - fix.heading))
        if speed_kn >= _LEAST_COURSE_KN and not math.isnan(off):
            e.off_m += off * speed_kn * KN_M_S * observed_s
            e.course_m += speed_kn * KN_M_S * observed_s
            if ADRIFT_LEAST_KN <= speed_kn <= ADRIFT_KN and off > ADRIFT_DEG:
                e.adrift_s = min(MOST_S, e.adrift_s + np.int64(observed_s + 0.5))
    weight = observed_s / e.observed_s
    e.anchored = share_with(e.anchored, 1 if fix.nav_status == ANCHORED_SAID else 0, weight)
    e.moored = share_with(e.moored, 1 if fix.nav_status == MOORED_SAID else 0, weight)
    e.fishing = share_with(e.fishing, 1 if fix.nav_status == FISHING_SAID else 0, weight)


@inlined
def within(row):
    """What the row of an anchorage says of a place."""
    return WITHIN if row >= 0 else OUTSIDE


@inner
def grow_episode(s, e, fix, pace, step_m, places):
    """A slow step of `step_m` metres ends at this fix."""
    if e.ref_in == NOT_ASKED:
        e.ref_in = within(anchorage_row(places, deg_of(s.lat_ref), deg_of(s.lon_ref)))
    here = anchorage_row(places, deg_of(fix.lat), deg_of(fix.lon))
    dt = fix.t - s.t_ref
    observed_s = min(dt, OBSERVED_US) * 1e-6
    if here >= 0 and e.ref_in == WITHIN:
        wait_episode(e, observed_s, here)
    e.path_m += e.fast_m + step_m
    e.fast_m = 0.0
    e.slow_s += dt * 1e-6
    e.observed_s += observed_s
    if dt > 0:
        describe(s, e, fix, pace, step_m, dt * 1e-6, observed_s)
    e.extent_m = max(e.extent_m, way_m(np.int64(e.lat_start), np.int64(e.lon_start), fix.lat, fix.lon))
    e.lat_slow, e.lon_slow, e.last_origin, e.away_us = fix.lat, fix.lon, fix.origin, 0
    e.n += e.n_since
    e.n_since, e.ref_in = 0, within(here)
    if fix.class_b != NOT_SAID:
        e.class_b = fix.class_b


@inner
def write_features(e, duration_s, facts):
    """What tells the behaviour, in the order of `FEATURES`."""
    for k in range(FACTS):
        facts[k] = np.nan
    w = e.observed_s
    y, x = e.y_s / w, e.x_s / w
    yy, xx, yx = e.yy_s / w - y * y, e.xx_s / w - x * x, e.yx_s / w - y * x
    wide = math.sqrt(max(0.0, 0.25 * (yy - xx) * (yy - xx) + yx * yx))
    longest, shortest = max(0.0, 0.5 * (yy + xx) + wide), max(0.0, 0.5 * (yy + xx) - wide)
    facts[0] = math.sqrt(shortest / longest) if longest > 0.0 else 1.0
    facts[1], facts[2], facts[3], facts[4] = e.anchored / ALL, e.moored / ALL, e.fishing / ALL, e.class_b
    net_m = distance_m(deg_of(e.lat_start), deg_of(e.lon_start), deg_of(e.lat_slow), deg_of(e.lon_slow))
    facts[5], facts[6], facts[7] = w / 3600.0, net_m / duration_s / KN_M_S, math.sqrt(longest + shortest)
    if e.course_m > 0.0:
        facts[8] = e.off_m / e.course_m
    if e.heading_s > 0.0:
        r = min(1.0, math.sqrt(e.cos_s * e.cos_s + e.sin_s * e.sin_s) / e.heading_s)
        facts[9] = math.degrees(math.sqrt(max(0.0, -2.0 * math.log(max(r, 1e-6)))))
    mean_kn = e.speed_s / w
    facts[10] = math.sqrt(max(0.0, e.square_s / w - mean_kn * mean_kn))
    facts[11] = min(1.0, net_m / e.path_m) if e.path_m > 0.0 else 0.0


@inner
def write_episode(ship, e, t_end, still_open, limits, event):
    """The event of an episode that ends at `t_end`."""
    duration_us = t_end - e.t_start
    duration_s = duration_us * 1e-6
    speed_kn = e.path_m / duration_s / KN_M_S
    share = np.nan if limits.places.cell.size == 1 else e.waiting_s / e.observed_s
    kind = STOP
    if duration_us >= limits.min_duration_us and speed_kn < limits.max_speed_kn:
        kind = WAITING if share >= limits.min_waiting_share else LOITERING
    begin_event(event, kind, ship.mmsi, ship.hull)
    event.anchorage, event.anchorage_share = e.anchorage if 2 * e.named_s >= e.waiting_s else -1, share
    event.open, event.n = still_open, e.n
    event.t_start, event.t_end = e.t_start, t_end
    lat, lon = deg_of(e.lat_start), deg_of(e.lon_start)
    event.lat = lat + e.y_s / e.observed_s / _DEG_M
    event.lon = wrap_deg(lon + e.x_s / e.observed_s / (_DEG_M * math.cos(math.radians(lat))))
    event.lat_end, event.lon_end = deg_of(e.lat_slow), wrap_deg(deg_of(e.lon_slow))
    event.cell = cell_at(event.lat, event.lon, INDEX_RESOLUTION)
    event.score = min(1.0, e.slow_s / duration_s)
    event.coverage = min(1.0, e.observed_s / duration_s)
    event.distance_m, event.speed_kn = e.extent_m, speed_kn
    event.first_source, event.first_offset = source_of(e.first_origin), offset_of(e.first_origin)
    event.last_source, event.last_offset = source_of(e.last_origin), offset_of(e.last_origin)
    write_features(e, duration_s, event.facts)
