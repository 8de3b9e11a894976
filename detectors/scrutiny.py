"""What is watched of each hull for false positions: steps, windows of them, and the cases that they open.

A window is a stretch of steps of half an hour or a little more; the next begins with its last fix. All sums are of one
window, so that they neither grow nor forget: what lasts longer is a case (`detectors.suspicion`), which goes on from
window to window. Definitions and thresholds: `detectors.false_position`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.circle import NO_CIRCLE, ROUND, add_to_circle, judge_circle
from detectors.detector import OUT_ROOM
from detectors.inland import on_waterway
from detectors.shared_mmsi import extend_stay, is_elsewhere, was_elsewhere
from detectors.stations import beyond_horizon_m
from detectors.suspicion import (
    BEYOND_HORIZON,
    CASES_OF_HULL,
    CIRCLE,
    COURSE,
    IMPOSSIBLE_SPEED,
    LOST,
    ON_LAND,
    SIMULATED,
    SPEED_CHANGE,
    close_all,
    close_case,
    drop_case,
    find_case,
    fix_of,
    good_until,
    hull_of,
    is_barred,
    note_fix,
    note_window,
    open_case,
    room,
)
from geo.coast import ShoreTable, shore_distance_at
from geo.kernel import inlined, inner, kernel
from geo.ports import PortIndex, nearest_port_at
from geo.sphere import EARTH_RADIUS_M, KN_M_S, wrap_deg

MASK_ERROR_M = 2_200.0
"""The largest error of the distance to shore within 50 km of it; beyond, less than a tenth and this
(`geo.coast.shore_distance_m`)."""
REAL_JITTER_M = 2.26
"""The least jitter of 86 half hours of real ships under way, in steps of a minute (docs/evaluation-deception.md)."""
SMOOTH_STEPS = 4
"""Steps in a window below which the jitter is a guess: half an hour at six minutes."""
LEAST_SPEED_M_S = 1.5
"""A ship slower than 3 kn has no course to keep."""


class Limits(NamedTuple):
    """The thresholds as kernels take them: µs, metres, m/s."""

    step_us: int
    window_us: int
    max_silence_us: int
    min_fixes: int
    min_duration_us: int
    min_inland_m: float
    port_m: float
    max_speed_kn: float
    speed_tolerance_m: float
    min_steps: int
    leap_kn: float
    leap_share: float
    max_step_us: int
    noise_m: float
    speed_noise_m_s: float
    min_chi2: float
    max_jitter_m: float
    min_smooth_us: int
    min_radius_m: float
    max_radius_m: float
    max_residual: float
    max_residual_m: float
    min_circle_m_s: float
    max_spread: float
    min_turns: float
    min_round: float
    max_arc_us: int
    max_switch_us: int
    min_away_us: int
    min_stay_score: float
    most_cases: int
    most_stays: int


class Places(NamedTuple):
    """What is known of the globe: land and sea, ports, waterways, stations."""

    shore: ShoreTable
    ports: PortIndex
    ways: NDArray[np.float64]
    stations: NDArray[np.float64]


GRAIN_M = 4.0
"""In which ways and misses of a window are added up: they reach 131 km either way, and noise is twice as much."""
TOLD_PER_S = 8
"""In which the time told of is added up: AIS counts whole seconds."""
CROSS_GRAIN = 201 / 65_000
"""In which squares of distances from the course are added up, of the square of `max_jitter_m`: 201 steps at the limit
are counted to the end."""
FARTHEST_FREE = 4095
"""400 km without a look at the map."""

WATCH = np.dtype(
    [
        ("t", "i8"),  # the last step
        ("fix", "i8"),  # and its row, see `row_of`
        ("first_fix", "i8"),  # that with which the window begins
        ("since_us", "u4"),  # from then to the last step
        ("lat", "i4"),  # 1e-7 degrees: 1 cm
        ("lon", "i4"),
        ("mmsi", "u4"),
        ("x_m", "f4"),  # way made in the window, east and north
        ("y_m", "f4"),
        ("half_course", "f4"),  # tangent of half the angle of the last step from east; NaN: it says nothing of jitter
        ("case", "i4"),  # head of the chain of cases; number + 1, 0 none
        ("miss_x", "i2"),  # way made, less what the reports say, where they say it, in grains
        ("miss_y", "i2"),
        ("told", "u2"),  # time for which they say it
        ("way", "u2"),  # along the track, by reported speeds, in grains
        ("most_m", "u2"),  # the largest miss of one step
        ("cross", "u2"),  # squares of the distances from the course of the step before, in grains
        ("free_hull", "u2"),  # hundreds of metres that it may go before the map must be looked at, and the hull
        ("n", "u1"),  # steps and one: 31 in half an hour of minutes, 201 at most; 0 before the first fix
        ("smooth", "u1"),  # how many are in `cross`
    ],
    align=True,
)
"""What is kept of a hull: 72 bytes."""


@inlined
def begin_window(s, fix):
    """The window begins at this fix."""
    s.first_fix, s.n, s.smooth, s.most_m, s.cross = fix, 1, 0, 0, 0
    s.x_m, s.y_m, s.miss_x, s.miss_y, s.told, s.way = 0.0, 0.0, 0, 0, 0, 0


@inlined
def set_fix(s, t, t0, fix, lat, lon):
    """This fix is the last that was looked at, of a window that began at `t0`."""
    s.t, s.since_us, s.fix = t, t - t0, fix
    s.lat, s.lon = round(lat * 1e7), round(wrap_deg(lon) * 1e7)


@inlined
def set_free(s, way_m):
    """How far the ship may go before the map must be looked at."""
    s.free_hull = min(FARTHEST_FREE, int(max(0.0, way_m) * 0.01)) << 4 | hull_of(s)


@inner
def look_inland(s, lat, lon, p, places):
    """Metres from the shore of a position where no ship can be, else 0; notes how far the next is that may be so."""
    shore_m = shore_distance_at(places.shore, lat, lon)
    set_free(s, 0.9 * (shore_m + p.min_inland_m) - MASK_ERROR_M)
    if shore_m >= -p.min_inland_m or nearest_port_at(places.ports, lat, lon, p.port_m)[0] >= 0:
        return 0.0
    return 0.0 if on_waterway(places.ways, lat, lon) else -shore_m


@inlined
def look_at_place(cases, pool, s, way_m, t, offset, source, lat, lon, p, places, out, events):
    """What the position of a fix says by itself; the number of events in `out` then."""
    depth_m, hundreds = 0.0, int(way_m * 0.01) + 1
    if s.free_hull >> 4 >= hundreds:
        s.free_hull -= hundreds << 4
    else:
        depth_m = look_inland(s, lat, lon, p, places)
    if depth_m > 0.0 or s.case != 0:
        share = 1.0 - MASK_ERROR_M / depth_m
        events += note_fix(cases, pool, s, ON_LAND, depth_m > 0.0, depth_m, share, np.nan, t, offset, source, lat, lon,
                           p, out[events])  # fmt: skip
    if places.stations.shape[0]:
        beyond_m, reach_m = beyond_horizon_m(places.stations, source, lat, lon)
        share = beyond_m / (beyond_m + reach_m)
        events += note_fix(cases, pool, s, BEYOND_HORIZON, beyond_m > 0.0, beyond_m, share, np.nan, t, offset, source,
                           lat, lon, p, out[events])  # fmt: skip
    return events


@inner
def judge_window(cases, pool, s, t, offset, source, lat, lon, p, out, events):
    """A window ends at this fix: what it says of course, jitter and circles; the number of events in `out` then."""
    span_s, told_s, way_m = (s.since_us + t - s.t) * 1e-6, s.told / TOLD_PER_S, GRAIN_M * s.way
    lat0 = lat - math.degrees(s.y_m / EARTH_RADIUS_M)
    lon0 = wrap_deg(lon - math.degrees(s.x_m / (EARTH_RADIUS_M * math.cos(math.radians(lat)))))
    net_m = math.hypot(s.x_m, s.y_m)
    miss_x, miss_y = GRAIN_M * s.miss_x, GRAIN_M * s.miss_y
    told_m = math.hypot(s.x_m - miss_x, s.y_m - miss_y)  # where the reports lead
    turning = way_m >= p.min_round * max(net_m, told_m)  # a report at the end of a step then says little of the step
    told = s.n > p.min_fixes and told_s >= 0.5 * span_s and not turning
    miss_m, drift_m = math.hypot(miss_x, miss_y), p.speed_noise_m_s * told_s
    rest_m = max(0.0, miss_m - s.most_m)  # one step may hold a turn
    chi2 = rest_m * rest_m / (2.0 * p.noise_m * p.noise_m + drift_m * drift_m)
    wrong = told and chi2 > p.min_chi2
    if wrong or s.case != 0:
        events += note_window(cases, pool, s, COURSE, wrong, miss_m / told_s / KN_M_S, 1.0 - 1.0 / chi2, lat0, lon0,
                              t, offset, source, lat, lon, p, out[events])  # fmt: skip
    cross_m2 = s.cross * CROSS_GRAIN * p.max_jitter_m * p.max_jitter_m
    jitter_m = math.sqrt(cross_m2 / s.smooth) if s.smooth >= SMOOTH_STEPS else np.inf
    even = jitter_m < p.max_jitter_m
    if even or s.case != 0:
        events += note_window(cases, pool, s, SIMULATED, even, jitter_m, 1.0 - jitter_m / REAL_JITTER_M, lat0, lon0,
                              t, offset, source, lat, lon, p, out[events])  # fmt: skip
    k = find_case(cases, s.case, CIRCLE) if s.case != 0 else -1
    if k >= 0:
        verdict = judge_circle(cases[k], p)
        if verdict == ROUND:
            good_until(cases[k], t, offset, source, cases[k].lat, cases[k].lon)
        elif verdict == NO_CIRCLE:
            events += close_case(cases, pool, s, k, 0, p, out[events])
        elif t - cases[k].t0 > p.max_arc_us:
            drop_case(cases, pool, s, k)
    elif way_m >= p.min_round * net_m and way_m >= p.min_circle_m_s * span_s and not is_barred(pool, p.most_cases):
        k = open_case(cases, pool, s, CIRCLE, t, offset, source, lat, lon)
        add_to_circle(cases[k], 0.0, np.nan, lat, lon)
    begin_window(s, fix_of(offset, source))
    return events


@inlined
def add_step(s, dx, dy, dt_s, way_m, sog_m_s, cog_deg, told, slope, p):
    """One more step of the window: way, what was told of it, and how far it leaves the course of the step before.

    A course may be kept on the chart or along a great circle, which bends as the meridians converge (by `slope`, the
    tangent of the latitude): the nearer counts.
    """
    s.n += 1
    s.x_m += dx
    s.y_m += dy
    if told:
        course = math.radians(cog_deg)
        miss_x, miss_y = dx - sog_m_s * math.sin(course) * dt_s, dy - sog_m_s * math.cos(course) * dt_s
        s.miss_x = max(-32_767, min(32_767, s.miss_x + round(miss_x / GRAIN_M)))
        s.miss_y = max(-32_767, min(32_767, s.miss_y + round(miss_y / GRAIN_M)))
        s.most_m = max(int(s.most_m), int(min(65_535.0, math.ceil(math.sqrt(miss_x * miss_x + miss_y * miss_y)))))
        s.told += int(dt_s * TOLD_PER_S + 0.5)
    s.way = min(65_535, s.way + round((sog_m_s * dt_s if sog_m_s == sog_m_s else way_m) / GRAIN_M))
    if dt_s <= p.max_step_us * 1e-6 and way_m > LEAST_SPEED_M_S * dt_s:
        half = float(s.half_course)
        if half == half:
            u = 2.0 / (1.0 + half * half)
            across = (u - 1.0) * dy - half * u * dx
            bend = dx * way_m * slope / EARTH_RADIUS_M
            across = min(abs(across), abs(across + bend)) / p.max_jitter_m
            s.cross = int(min(65_535.0, s.cross + across * across / CROSS_GRAIN + 0.5))
            s.smooth += 1
        s.half_course = dy / max(way_m + dx, 1e-12 * way_m)
    else:
        s.half_course = np.nan


@inlined
def take_step(cases, pool, s, t, offset, source, lat, lon, sog, cog, p, places, out, events):
    """One more fix of a hull after a step, or one with a speed that is to be looked at; the number of events then."""
    dt_s = (t - s.t) * 1e-6
    lat_last, lon_last = s.lat * 1e-7, s.lon * 1e-7
    middle = math.radians(0.5 * (lat + lat_last))
    narrow = math.cos(middle)
    dy = math.radians(lat - lat_last) * EARTH_RADIUS_M
    dx = math.radians(wrap_deg(lon - lon_last)) * EARTH_RADIUS_M * narrow
    t0 = s.t - s.since_us
    way_m, claimed_m = math.sqrt(dx * dx + dy * dy), sog * KN_M_S * dt_s
    leap = sog > p.leap_kn and claimed_m > p.speed_tolerance_m and way_m < p.leap_share * claimed_m
    made_kn = way_m / dt_s / KN_M_S
    if leap:
        events += note_fix(cases, pool, s, SPEED_CHANGE, True, made_kn, 1.0 - way_m / claimed_m, sog, t, offset, source,
                           lat, lon, p, out[events])  # fmt: skip
    if t - s.t < p.step_us:
        return events
    if s.case != 0 and not leap:
        events += note_fix(cases, pool, s, SPEED_CHANGE, False, 0.0, 0.0, sog, t, offset, source, lat, lon, p,
                           out[events])  # fmt: skip
    fast = way_m - p.speed_tolerance_m > p.max_speed_kn * KN_M_S * dt_s
    if fast or s.case != 0:
        events += note_fix(cases, pool, s, IMPOSSIBLE_SPEED, fast, made_kn, 1.0 - p.max_speed_kn / made_kn, sog, t,
                           offset, source, lat, lon, p, out[events])  # fmt: skip
    sog_m_s = sog * KN_M_S if not leap and t - s.t <= p.max_step_us else np.nan
    if s.case != 0:
        k = find_case(cases, s.case, CIRCLE)
        if k >= 0:
            add_to_circle(cases[k], dt_s, sog_m_s, lat, lon)
    add_step(s, dx, dy, dt_s, way_m, sog_m_s, cog, sog_m_s == sog_m_s and cog == cog, math.sin(middle) / narrow, p)
    events = look_at_place(cases, pool, s, way_m, t, offset, source, lat, lon, p, places, out, events)
    if t - t0 >= p.window_us:
        events, t0 = judge_window(cases, pool, s, t, offset, source, lat, lon, p, out, events), t
    set_fix(s, t, t0, fix_of(offset, source), lat, lon)
    return events


@inner
def begin_watch(cases, pool, s, t, offset, source, lat, lon, p, places, out, events):
    """The first fix of a hull, or the first after a silence; the number of events in `out` then."""
    events = close_all(cases, pool, s, 0, p, out, events)
    begin_window(s, fix_of(offset, source))
    set_free(s, 0.0)
    s.half_course = np.nan
    set_fix(s, t, t, fix_of(offset, source), lat, lon)
    return look_at_place(cases, pool, s, 0.0, t, offset, source, lat, lon, p, places, out, events)


@kernel
def run(states, cases, pool, stays, used, rows, begin, p, places, out):
    """Take rows from `begin` on: (row where it stopped, events written)."""
    events = 0
    for i in range(begin, rows.t.size):
        s = states[rows.slot[i]]
        t, hull = rows.t[i], rows.hull[i]
        waited = t - s.t
        if s.n and waited < p.step_us and hull == 0 and not rows.sog[i] > p.leap_kn:
            continue
        if events + OUT_ROOM > out.size or room(cases, pool) < CASES_OF_HULL or 2 * (used[0] + 1) > stays.size:
            return i, events
        lat, lon, offset, source = rows.lat[i], rows.lon[i], rows.offset[i], rows.source[i]
        if s.n and used[0]:
            events += was_elsewhere(stays, s, t, p, out[events])
        if hull > 0:
            pool[LOST] += extend_stay(stays, used, p.most_stays, rows.mmsi[i], hull, t, lat, lon, offset, source,
                                      p.max_switch_us)  # fmt: skip
        if s.n == 0 or waited > p.max_silence_us:
            s.mmsi, s.free_hull = rows.mmsi[i], hull
            events = begin_watch(cases, pool, s, t, offset, source, lat, lon, p, places, out, events)
        elif waited >= p.step_us or rows.sog[i] > p.leap_kn:
            events = take_step(cases, pool, s, t, offset, source, lat, lon, float(rows.sog[i]), float(rows.cog[i]), p,
                               places, out, events)  # fmt: skip
    return rows.t.size, events


@kernel
def flush(states, cases, pool, stays, used, now, begin, p, out):
    """What goes on when the input ends: (slot where it stopped or -1, events written)."""
    events = 0
    for k in range(begin, states.size):
        if events + OUT_ROOM > out.size:
            return k, events
        s = states[k]
        if s.n:
            events = close_all(cases, pool, s, 1 if now - s.t <= p.max_silence_us else 0, p, out, events)
            if used[0]:
                events += is_elsewhere(stays, s, now, p, out[events])
    return -1, events
