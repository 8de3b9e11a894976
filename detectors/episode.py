"""Slow episodes: what a ship does while it is slow, one record of a hull, in constant time a fix.

A ship's way is cut into steps. A step ends at the first fix ten minutes or more after its begin (`step_s`), and where
the speed over ground says that the ship became slow or fast: so an episode begins and ends at the very fix, and the
noise of positions still does not count as movement. A step is slow when its ends lie no farther apart than the speed
allows, or when the ship is adrift at its end: between that speed and 5 kn over ground, with the course more than 45
degrees off the heading (the rule of the Danish Maritime Authority's AIS-Abnormal: 1 to 5 kn, 45 degrees, 10 minutes).

An episode is a run of slow steps. What tells its behaviour is summed at the ends of its steps, each with the time for
which it counts as observed: moments of the position, headings on the circle, course against heading weighted by speed,
speeds, and what the navigational status said. So a ship that reports every two seconds and one that reports every ten
minutes are described alike, and the state stays small: 56 bytes for a ship (`STEP`), 144 more while it is slow.
"""

from __future__ import annotations

import math

import numpy as np

from detectors.compact import origin, way_m
from detectors.detector import OUT_ROOM
from detectors.episode_sums import (
    ADRIFT,
    ADRIFT_DEG,
    ADRIFT_KN,
    FAST,
    NOT_ASKED,
    NOT_SAID,
    SLOW,
    Fix,
    begin_episode,
    grow_episode,
    write_episode,
)
from detectors.pool import give_back, is_full, take
from geo.kernel import inlined, inner, kernel
from geo.sphere import KN_M_S, wrap_deg
from geo.steps import steps_of

NOISE_M = 30.0
"""A step shorter than `step_s` may be so much longer than the speed allows: three times a position noise of 10 m."""
_UNSAID_US = 60_000_000
"""Where no speed is sent, that between two fixes stands for it from a minute on: 10 m of noise are 0.3 kn."""
STEP = np.dtype(
    [
        ("t_ref", "i8"),  # the fix at which the current step began
        ("origin_ref", "i8"),
        ("origin_prev", "i8"),  # the last fix of the current step
        ("lat_ref", "i4"),
        ("lon_ref", "i4"),
        ("lat_prev", "i4"),
        ("lon_prev", "i4"),
        ("prev_us", "u4"),  # from the first to the last fix of the current step
        ("mmsi", "u4"),  # 0: not seen yet
        ("episode", "i4"),  # the number of the episode that goes on, 0 none
        ("n_step", "u2"),  # fixes of the current step
        ("hull", "u1"),
        ("pace", "u1"),  # FAST, SLOW or ADRIFT at the last fix
    ],
    align=True,
)
"""State of one hull: the current step and the last fix; positions and origins as in `detectors.compact`."""


@inner
def begin_step(s, fix):
    """The next step begins at this fix."""
    s.t_ref, s.lat_ref, s.lon_ref, s.origin_ref = fix.t, fix.lat, fix.lon, fix.origin
    s.prev_us, s.lat_prev, s.lon_prev, s.origin_prev = 0, fix.lat, fix.lon, fix.origin
    s.n_step = 0


@inner
def close_episode(s, episodes, pool, still_open, limits, event):
    """End the episode at its last slow step: 1 when it lasted, and stands in `event`, else 0."""
    e = episodes[s.episode - 1]
    t_end = s.t_ref - e.away_us
    duration_us = t_end - e.t_start
    found = duration_us >= limits.min_stop_us or (duration_us > 0 and e.adrift_s >= limits.min_drift_s)
    if found:
        write_episode(s, e, t_end, still_open, limits, event)
    give_back(episodes, pool, s.episode)
    s.episode = 0
    return 1 if found else 0


@inner
def end_step(s, episodes, pool, fix, pace, limits, event):
    """The current step ends at this fix, where the next begins: 1 when that ended an event, which stands in `event`."""
    dt, found = fix.t - s.t_ref, 0
    step_m = way_m(np.int64(s.lat_ref), np.int64(s.lon_ref), fix.lat, fix.lon)
    seconds = dt * 1e-6
    most_m = limits.max_speed_kn * KN_M_S * seconds + (NOISE_M if dt < limits.step_us else 0.0)
    slow = step_m <= most_m or (pace == ADRIFT and step_m <= ADRIFT_KN * KN_M_S * seconds)
    if dt > limits.max_silence_us:
        if s.episode:
            found = close_episode(s, episodes, pool, 0, limits, event)
    elif slow:
        if s.episode == 0:
            s.episode = take(episodes, pool)
            begin_episode(s, episodes[s.episode - 1])
        grow_episode(s, episodes[s.episode - 1], fix, pace, step_m, limits.places)
    elif s.episode:
        e = episodes[s.episode - 1]
        if e.away_us + dt > limits.max_excursion_us:
            found = close_episode(s, episodes, pool, 0, limits, event)
        else:
            e.away_us += dt
            e.fast_m += step_m
            e.n_fast += s.n_step
            e.ref_in = NOT_ASKED
    begin_step(s, fix)
    return found


@inlined
def pace_of(s, rows, i, lat, lon, max_speed_kn):
    """What this fix says: FAST, SLOW or ADRIFT; where it says no speed, what its way from the last fix says."""
    speed_kn = np.float64(rows.sog[i])
    if math.isnan(speed_kn):
        dt = rows.t[i] - s.t_ref - s.prev_us
        if s.mmsi == 0 or dt < _UNSAID_US:
            return np.int64(s.pace)
        speed_kn = way_m(np.int64(s.lat_prev), np.int64(s.lon_prev), lat, lon) / (dt * 1e-6) / KN_M_S
    if speed_kn <= max_speed_kn:
        return np.int64(SLOW)
    if speed_kn <= ADRIFT_KN and abs(wrap_deg(np.float64(rows.cog[i]) - rows.heading[i])) > ADRIFT_DEG:
        return np.int64(ADRIFT)
    return np.int64(FAST)


@inner
def last_fix(s, class_b):
    """The last fix of the current step, as far as it is kept: what it said of speed, course and status is not."""
    nothing = np.float64(np.nan)
    return Fix(
        s.t_ref + s.prev_us, np.int64(s.lat_prev), np.int64(s.lon_prev), nothing, nothing, nothing, np.int64(15),
        np.int64(class_b), s.origin_prev,
    )  # fmt: skip


@inner
def change_pace(s, episodes, pool, fix, pace, limits, event):
    """The ship became slow or fast, or was silent, before this fix.

    The way from the last fix belongs to what it is like. Returns (whether the step ends at this fix, events written).
    """
    dt = fix.t - s.t_ref - s.prev_us
    gone_m = way_m(np.int64(s.lat_prev), np.int64(s.lon_prev), fix.lat, fix.lon)
    like_before = (gone_m <= limits.max_speed_kn * KN_M_S * (dt * 1e-6) + NOISE_M) == (s.pace != FAST)
    if dt <= limits.max_silence_us and like_before:
        return True, 0
    if s.prev_us == 0:
        return False, 0
    return False, end_step(s, episodes, pool, last_fix(s, fix.class_b), s.pace, limits, event)


@kernel
def run(steps, episodes, pool, rows, begin, limits, out):
    """Take rows from `begin` on: (row where it stopped, events written)."""
    events = 0
    for i in range(begin, rows.t.size):
        if events + OUT_ROOM > out.size or is_full(episodes, pool):
            return i, events
        s = steps[rows.slot[i]]
        t, lat, lon = rows.t[i], steps_of(rows.lat[i]), steps_of(rows.lon[i])
        pace = pace_of(s, rows, i, lat, lon, limits.max_speed_kn)
        first = s.mmsi == 0
        changes = not first and ((pace == FAST) != (s.pace == FAST) or t - s.t_ref - s.prev_us > limits.max_silence_us)
        if not (first or changes or t - s.t_ref >= limits.step_us):
            s.prev_us, s.lat_prev, s.lon_prev = t - s.t_ref, lat, lon
            s.origin_prev = origin(rows.source[i], rows.offset[i])
            s.n_step += 1
            s.pace = pace
            continue
        fix = Fix(
            t, lat, lon, np.float64(rows.sog[i]), np.float64(rows.cog[i]), np.float64(rows.heading[i]),
            np.int64(rows.nav_status[i]), np.int64(rows.class_b[i]), origin(rows.source[i], rows.offset[i]),
        )  # fmt: skip
        if first:
            s.mmsi, s.hull = rows.mmsi[i], rows.hull[i]
            begin_step(s, fix)
        else:
            ends = False
            if changes:
                ends, found = change_pace(s, episodes, pool, fix, pace, limits, out[events])
                events += found
            s.n_step += 1
            if ends or t - s.t_ref >= limits.step_us:
                events += end_step(s, episodes, pool, fix, pace, limits, out[events])
            else:
                s.prev_us, s.lat_prev, s.lon_prev, s.origin_prev = t - s.t_ref, lat, lon, fix.origin
        s.pace = pace
    return rows.t.size, events


@kernel
def flush(steps, episodes, pool, now, alive, begin, limits, out):
    """Episodes that the end of the input cuts: (slot where it stopped or -1, events written)."""
    events = 0
    for k in range(begin, steps.size):
        if events + OUT_ROOM > out.size:
            return k, events
        s = steps[k]
        if s.mmsi != 0 and s.prev_us > 0:
            fix = last_fix(s, NOT_SAID)
            events += end_step(s, episodes, pool, fix, s.pace, limits, out[events])
        if s.episode:
            silent_us = now - s.t_ref + episodes[s.episode - 1].away_us
            still_open = 1 if silent_us <= limits.max_silence_us else 0
            events += close_episode(s, episodes, pool, still_open, limits, out[events])
    return -1, events
