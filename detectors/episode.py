"""Slow episodes: what a ship does while it is slow, one record of a hull, in constant time a fix.

A ship's way is cut into steps. A step ends at the first fix ten minutes or more after its begin (`step_s`), and where
the speed over ground says that the ship became slow or fast: so an episode begins and ends at the very fix, and the
noise of positions still does not count as movement. A step is slow when its ends lie no farther apart than the speed
allows, or when the ship is adrift at its end: between that speed and 5 kn over ground, with the course more than 45
degrees off the heading (the rule of the Danish Maritime Authority's AIS-Abnormal: 1 to 5 kn, 45 degrees, 10 minutes).

An episode is a run of slow steps. What tells its behaviour is summed at the ends of its steps, each with the time for
which it counts as observed: moments of the position, headings on the circle, course against heading weighted by speed,
speeds, and what the navigational status said. So a ship that reports every two seconds and one that reports every ten
minutes are described alike, and the record stays small (`EPISODE.itemsize`: 240 bytes).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from detectors.detector import OUT_ROOM
from detectors.event import FACTS, LOITERING, STOP, WAITING, begin_event
from geo.anchorages import AnchorageTable, anchorage_row
from geo.cells import INDEX_RESOLUTION, cell_at
from geo.kernel import inlined, inner, kernel
from geo.sphere import EARTH_RADIUS_M, KN_M_S, distance_m, wrap_deg

OBSERVED_US = 1_800_000_000
"""A step counts as observed up to half an hour."""
NOISE_M = 30.0
"""A step shorter than `step_s` may be so much longer than the speed allows: three times a position noise of 10 m."""
ADRIFT_KN, ADRIFT_LEAST_KN, ADRIFT_DEG = 5.0, 1.0, 45.0
"""AIS-Abnormal: drifting ships make 1 to 5 kn over ground, more than 45 degrees off their heading."""
_LEAST_COURSE_KN = 0.2
"""Below this speed the course over ground is noise."""
_UNSAID_US = 60_000_000
"""Where no speed is sent, that between two fixes stands for it from a minute on: 10 m of noise are 0.3 kn."""
_DEG_M = math.radians(EARTH_RADIUS_M)
"""Metres of a degree of latitude on the sphere."""
NOT_ASKED = -2
"""In place of the row of an anchorage: only the ends of slow steps are looked up."""
FAST, SLOW, ADRIFT = range(3)
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
        ("t_ref", "i8"),  # the fix at which the current step began
        ("lat_ref", "f8"),
        ("lon_ref", "f8"),
        ("offset_ref", "i8"),
        ("t_prev", "i8"),  # the last fix of the current step
        ("offset_prev", "i8"),
        ("t_start", "i8"),
        ("lat_start", "f8"),
        ("lon_start", "f8"),
        ("first_offset", "i8"),
        ("t_slow", "i8"),  # end of the last slow step
        ("last_offset", "i8"),
        ("dlat_prev", "f4"),  # degrees from the reference
        ("dlon_prev", "f4"),
        ("dlat_slow", "f4"),  # degrees from the start
        ("dlon_slow", "f4"),
        ("path_m", "f4"),
        ("fast_m", "f4"),  # way of the fast steps since the last slow one
        ("extent_m", "f4"),
        ("slow_s", "f4"),
        ("observed_s", "f4"),
        ("waiting_s", "f4"),  # of the observed time, that in known anchorages
        ("lead_s", "f4"),  # by which `anchorage` leads over all others (majority vote by Boyer and Moore)
        ("named_s", "f4"),  # of `waiting_s`, spent in `anchorage` since it leads: with half of it the vote is proven
        ("adrift_s", "f4"),
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
        ("anchored_s", "f4"),  # seconds for which the navigational status said so
        ("moored_s", "f4"),
        ("fishing_s", "f4"),
        ("anchorage", "i4"),
        ("anchorage_ref", "i4"),  # row in which the current step began, -1 none, or NOT_ASKED
        ("mmsi", "u4"),  # 0: not seen yet
        ("n", "i4"),  # fixes up to the end of the last slow step
        ("n_step", "u2"),  # fixes of the current step, of the fast steps since the last slow one
        ("n_fast", "u2"),
        ("source_ref", "u2"),
        ("source_prev", "u2"),
        ("first_source", "u2"),
        ("last_source", "u2"),
        ("hull", "u1"),
        ("going", "u1"),
        ("pace", "u1"),  # FAST, SLOW or ADRIFT at the last fix
        ("class_b", "u1"),
    ],
    align=True,
)
"""State of one hull: the current step, the last fix, and the sums of the episode that goes on."""


class Limits(NamedTuple):
    """The thresholds as numbers, for the kernels."""

    max_speed_kn: float
    min_duration_us: int
    min_stop_us: int
    min_drift_s: float
    max_silence_us: int
    step_us: int
    max_excursion_us: int
    min_waiting_share: float
    places: AnchorageTable


class Fix(NamedTuple):
    """One fix, for the kernels."""

    t: int
    lat: float
    lon: float
    sog: float
    cog: float
    heading: float
    nav_status: int
    offset: int
    source: int


@inner
def begin_step(s, fix, anchorage):
    """The next step begins at this fix."""
    s.t_ref, s.lat_ref, s.lon_ref, s.offset_ref, s.source_ref = fix.t, fix.lat, fix.lon, fix.offset, fix.source
    s.t_prev, s.dlat_prev, s.dlon_prev, s.offset_prev, s.source_prev = fix.t, 0.0, 0.0, fix.offset, fix.source
    s.anchorage_ref = anchorage
    s.n_step = 0


@inner
def begin_episode(s):
    """A slow step opens an episode at its first fix."""
    s.going, s.t_start, s.t_slow, s.n, s.n_fast = 1, s.t_ref, s.t_ref, 1, 0
    s.lat_start, s.lon_start, s.first_offset, s.first_source = s.lat_ref, s.lon_ref, s.offset_ref, s.source_ref
    s.path_m, s.fast_m, s.extent_m, s.slow_s, s.observed_s, s.adrift_s = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    s.waiting_s, s.lead_s, s.named_s, s.anchorage = 0.0, 0.0, 0.0, -1
    s.y_s, s.x_s, s.yy_s, s.xx_s, s.yx_s = 0.0, 0.0, 0.0, 0.0, 0.0
    s.cos_s, s.sin_s, s.heading_s, s.off_m, s.course_m = 0.0, 0.0, 0.0, 0.0, 0.0
    s.speed_s, s.square_s, s.anchored_s, s.moored_s, s.fishing_s = 0.0, 0.0, 0.0, 0.0, 0.0


@inner
def wait_episode(s, observed_s, anchorage):
    """A slow step, observed for so long, began and ended in known anchorages."""
    s.waiting_s += observed_s
    if anchorage == s.anchorage:
        s.lead_s += observed_s
        s.named_s += observed_s
    elif observed_s > s.lead_s:
        s.anchorage, s.lead_s, s.named_s = anchorage, observed_s - s.lead_s, observed_s
    else:
        s.lead_s -= observed_s


@inner
def describe(s, fix, pace, way_m, seconds, observed_s):
    """Add what the fix at the end of a slow step says of the behaviour; of speed and heading only while it is slow."""
    east = _DEG_M * math.cos(math.radians(s.lat_start))
    y0, x0 = (s.lat_ref - s.lat_start) * _DEG_M, wrap_deg(s.lon_ref - s.lon_start) * east
    y, x = (fix.lat - s.lat_start) * _DEG_M, wrap_deg(fix.lon - s.lon_start) * east
    s.y_s += 0.5 * (y0 + y) * observed_s  # integrals over a straight step
    s.x_s += 0.5 * (x0 + x) * observed_s
    s.yy_s += (y0 * y0 + y0 * y + y * y) / 3.0 * observed_s
    s.xx_s += (x0 * x0 + x0 * x + x * x) / 3.0 * observed_s
    s.yx_s += (y0 * x0 + y * x + 0.5 * (y0 * x + y * x0)) / 3.0 * observed_s
    speed_kn = way_m / seconds / KN_M_S if pace == FAST or math.isnan(fix.sog) else fix.sog
    s.speed_s += speed_kn * observed_s
    s.square_s += speed_kn * speed_kn * observed_s
    if pace != FAST and not math.isnan(fix.heading):
        s.cos_s += math.cos(math.radians(fix.heading)) * observed_s
        s.sin_s += math.sin(math.radians(fix.heading)) * observed_s
        s.heading_s += observed_s
        off = abs(wrap_deg(np.float64(fix.cog) - fix.heading))
        if speed_kn >= _LEAST_COURSE_KN and not math.isnan(off):
            s.off_m += off * speed_kn * KN_M_S * observed_s
            s.course_m += speed_kn * KN_M_S * observed_s
            if ADRIFT_LEAST_KN <= speed_kn <= ADRIFT_KN and off > ADRIFT_DEG:
                s.adrift_s += observed_s
    if fix.nav_status == ANCHORED_SAID:
        s.anchored_s += observed_s
    elif fix.nav_status == MOORED_SAID:
        s.moored_s += observed_s
    elif fix.nav_status == FISHING_SAID:
        s.fishing_s += observed_s


@inner
def grow_episode(s, fix, pace, way_m, places):
    """A slow step of `way_m` metres ends at this fix; the row of the anchorage that it lies in, -1 none."""
    if s.anchorage_ref == NOT_ASKED:
        s.anchorage_ref = anchorage_row(places, s.lat_ref, s.lon_ref)
    here = anchorage_row(places, fix.lat, fix.lon)
    dt = fix.t - s.t_ref
    observed_s = min(dt, OBSERVED_US) * 1e-6
    if here >= 0 and s.anchorage_ref >= 0:
        wait_episode(s, observed_s, here)
    s.path_m += s.fast_m + way_m
    s.fast_m = 0.0
    s.slow_s += dt * 1e-6
    s.observed_s += observed_s
    if dt > 0:
        describe(s, fix, pace, way_m, dt * 1e-6, observed_s)
    s.extent_m = max(s.extent_m, distance_m(s.lat_start, s.lon_start, fix.lat, fix.lon))
    s.dlat_slow, s.dlon_slow = fix.lat - s.lat_start, wrap_deg(fix.lon - s.lon_start)
    s.t_slow, s.last_offset, s.last_source = fix.t, fix.offset, fix.source
    s.n += s.n_fast + s.n_step
    s.n_fast = 0
    return here


@inner
def write_features(s, duration_s, facts):
    """What tells the behaviour, in the order of `FEATURES`."""
    for k in range(FACTS):
        facts[k] = np.nan
    w = s.observed_s
    y, x = s.y_s / w, s.x_s / w
    yy, xx, yx = s.yy_s / w - y * y, s.xx_s / w - x * x, s.yx_s / w - y * x
    wide = math.sqrt(max(0.0, 0.25 * (yy - xx) * (yy - xx) + yx * yx))
    longest, shortest = max(0.0, 0.5 * (yy + xx) + wide), max(0.0, 0.5 * (yy + xx) - wide)
    facts[0] = math.sqrt(shortest / longest) if longest > 0.0 else 1.0
    facts[1], facts[2], facts[3], facts[4] = s.anchored_s / w, s.moored_s / w, s.fishing_s / w, s.class_b
    net_m = distance_m(s.lat_start, s.lon_start, s.lat_start + s.dlat_slow, s.lon_start + s.dlon_slow)
    facts[5], facts[6], facts[7] = w / 3600.0, net_m / duration_s / KN_M_S, math.sqrt(longest + shortest)
    if s.course_m > 0.0:
        facts[8] = s.off_m / s.course_m
    if s.heading_s > 0.0:
        r = min(1.0, math.sqrt(s.cos_s * s.cos_s + s.sin_s * s.sin_s) / s.heading_s)
        facts[9] = math.degrees(math.sqrt(max(0.0, -2.0 * math.log(max(r, 1e-6)))))
    mean_kn = s.speed_s / w
    facts[10] = math.sqrt(max(0.0, s.square_s / w - mean_kn * mean_kn))
    facts[11] = min(1.0, net_m / s.path_m) if s.path_m > 0.0 else 0.0


@inner
def close_episode(s, still_open, limits, event):
    """End the episode at its last slow step: 1 when it lasted, and stands in `event`, else 0."""
    s.going = 0
    duration_us = s.t_slow - s.t_start
    if duration_us <= 0 or (duration_us < limits.min_stop_us and s.adrift_s < limits.min_drift_s):
        return 0
    duration_s = duration_us * 1e-6
    speed_kn = s.path_m / duration_s / KN_M_S
    share = np.nan if limits.places.cell.size == 1 else s.waiting_s / s.observed_s
    kind = STOP
    if duration_us >= limits.min_duration_us and speed_kn < limits.max_speed_kn:
        kind = WAITING if share >= limits.min_waiting_share else LOITERING
    begin_event(event, kind, s.mmsi, s.hull)
    event.anchorage, event.anchorage_share = s.anchorage if 2 * s.named_s >= s.waiting_s else -1, share
    event.open, event.n = still_open, s.n
    event.t_start, event.t_end = s.t_start, s.t_slow
    event.lat = s.lat_start + s.y_s / s.observed_s / _DEG_M
    event.lon = wrap_deg(s.lon_start + s.x_s / s.observed_s / (_DEG_M * math.cos(math.radians(s.lat_start))))
    event.lat_end, event.lon_end = s.lat_start + s.dlat_slow, wrap_deg(s.lon_start + s.dlon_slow)
    event.cell = cell_at(event.lat, event.lon, INDEX_RESOLUTION)
    event.score = min(1.0, s.slow_s / duration_s)
    event.coverage = min(1.0, s.observed_s / duration_s)
    event.distance_m, event.speed_kn = s.extent_m, speed_kn
    event.first_source, event.first_offset = s.first_source, s.first_offset
    event.last_source, event.last_offset = s.last_source, s.last_offset
    write_features(s, duration_s, event.facts)
    return 1


@inner
def end_step(s, fix, pace, limits, event):
    """The current step ends at this fix, where the next begins: 1 when that ended an event, which stands in `event`."""
    dt, here, found = fix.t - s.t_ref, NOT_ASKED, 0
    way_m = distance_m(s.lat_ref, s.lon_ref, fix.lat, fix.lon)
    seconds = dt * 1e-6
    most_m = limits.max_speed_kn * KN_M_S * seconds + (NOISE_M if dt < limits.step_us else 0.0)
    slow = way_m <= most_m or (pace == ADRIFT and way_m <= ADRIFT_KN * KN_M_S * seconds)
    if dt > limits.max_silence_us:
        if s.going:
            found = close_episode(s, 0, limits, event)
    elif slow:
        if not s.going:
            begin_episode(s)
        here = grow_episode(s, fix, pace, way_m, limits.places)
    elif s.going:
        s.fast_m += way_m
        s.n_fast += s.n_step
        if fix.t - s.t_slow > limits.max_excursion_us:
            found = close_episode(s, 0, limits, event)
    begin_step(s, fix, here)
    return found


@inlined
def pace_of(s, rows, i, max_speed_kn):
    """What this fix says: FAST, SLOW or ADRIFT; where it says no speed, what its way from the last fix says."""
    speed_kn = np.float64(rows.sog[i])
    if math.isnan(speed_kn):
        dt = rows.t[i] - s.t_prev
        if s.mmsi == 0 or dt < _UNSAID_US:
            return np.int64(s.pace)
        way_m = distance_m(s.lat_ref + s.dlat_prev, s.lon_ref + s.dlon_prev, rows.lat[i], rows.lon[i])
        speed_kn = way_m / (dt * 1e-6) / KN_M_S
    if speed_kn <= max_speed_kn:
        return np.int64(SLOW)
    if speed_kn <= ADRIFT_KN and abs(wrap_deg(np.float64(rows.cog[i]) - rows.heading[i])) > ADRIFT_DEG:
        return np.int64(ADRIFT)
    return np.int64(FAST)


@inner
def last_fix(s):
    """The last fix of the current step, as far as it is kept: what it said of speed, course and status is not."""
    lon = wrap_deg(s.lon_ref + s.dlon_prev)
    nothing = np.float64(np.nan)
    return Fix(
        s.t_prev, s.lat_ref + s.dlat_prev, lon, nothing, nothing, nothing, np.int64(15), s.offset_prev,
        np.int64(s.source_prev),
    )  # fmt: skip


@inner
def change_pace(s, rows, i, pace, limits, event):
    """The ship became slow or fast, or was silent, before this fix.

    The way from the last fix belongs to what it is like. Returns (whether the step ends at this fix, events written).
    """
    dt = rows.t[i] - s.t_prev
    way_m = distance_m(s.lat_ref + s.dlat_prev, s.lon_ref + s.dlon_prev, rows.lat[i], rows.lon[i])
    like_before = (way_m <= limits.max_speed_kn * KN_M_S * (dt * 1e-6) + NOISE_M) == (s.pace != FAST)
    if dt <= limits.max_silence_us and like_before:
        return True, 0
    return False, end_step(s, last_fix(s), s.pace, limits, event) if s.t_prev > s.t_ref else 0


@kernel
def run(states, rows, begin, limits, out):
    """Take rows from `begin` on: (row where it stopped, events written)."""
    events = 0
    for i in range(begin, rows.t.size):
        if events + OUT_ROOM > out.size:
            return i, events
        s = states[rows.slot[i]]
        pace = pace_of(s, rows, i, limits.max_speed_kn)
        ends = s.mmsi == 0
        if not ends:
            if (pace == FAST) != (s.pace == FAST) or rows.t[i] - s.t_prev > limits.max_silence_us:
                ends, found = change_pace(s, rows, i, pace, limits, out[events])
                events += found
            s.n_step += 1
            ends = ends or rows.t[i] - s.t_ref >= limits.step_us
        if ends:
            fix = Fix(
                rows.t[i], rows.lat[i], rows.lon[i], np.float64(rows.sog[i]), np.float64(rows.cog[i]),
                np.float64(rows.heading[i]), np.int64(rows.nav_status[i]), rows.offset[i], np.int64(rows.source[i]),
            )  # fmt: skip
            if s.mmsi == 0:
                s.mmsi, s.hull = rows.mmsi[i], rows.hull[i]
                begin_step(s, fix, NOT_ASKED)
            else:
                s.class_b = rows.class_b[i]
                events += end_step(s, fix, pace, limits, out[events])
        else:
            s.t_prev, s.offset_prev, s.source_prev = rows.t[i], rows.offset[i], rows.source[i]
            s.dlat_prev, s.dlon_prev = rows.lat[i] - s.lat_ref, wrap_deg(rows.lon[i] - s.lon_ref)
        s.pace = pace
    return rows.t.size, events


@kernel
def flush(states, now, alive, begin, limits, out):
    """Episodes that the end of the input cuts: (slot where it stopped or -1, events written)."""
    events = 0
    for k in range(begin, states.size):
        if events + OUT_ROOM > out.size:
            return k, events
        s = states[k]
        if s.mmsi != 0 and s.t_prev > s.t_ref:
            events += end_step(s, last_fix(s), s.pace, limits, out[events])
        if s.going:
            events += close_episode(s, 1 if now - s.t_slow <= limits.max_silence_us else 0, limits, out[events])
    return -1, events
