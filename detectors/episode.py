"""Slow episodes: what a ship does while it is slow, one record of a hull, in constant time a fix.

A ship's way is cut into steps. A step ends at the first fix ten minutes or more after its begin (`step_s`), and where
the speed over ground says that the ship became slow or fast: so an episode begins and ends at the very fix, and the
noise of positions still does not count as movement. A step is slow when its ends lie no farther apart than the speed
allows, or when the ship is adrift at its end: between that speed and 5 kn over ground, with the course more than 45
degrees off the heading (the rule of the Danish Maritime Authority's AIS-Abnormal: 1 to 5 kn, 45 degrees, 10 minutes).

An episode is a run of slow steps. What tells its behaviour is summed at the ends of its steps, each with the time for
which it counts as observed: moments of the position, headings on the circle, course against heading weighted by speed,
speeds, and what the navigational status said. So a ship that reports every two seconds and one that reports every ten
minutes are described alike, and the state stays small: 48 bytes for a ship (`STEP`), 144 more while it is slow.
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
        ("going", "i4"),  # see `number_of` and `pace_at`; 0: not seen yet
    ],
    align=True,
)
"""State of one hull: the current step and the last fix; positions and origins as in `detectors.compact`."""


@inlined
def pace_at(s):
    """FAST, SLOW or ADRIFT at the last fix: the last two bits of `going`; 0 not seen yet."""
    return np.int64(s.going & 3)


@inlined
def number_of(s):
    """The number of the episode that goes on; without one, less the fixes of the current step."""
    return np.int64(s.going >> 2)


@inlined
def go_on(s, number, pace):
    """Keep both."""
    s.going = number << 2 | pace


@inlined
def count_fix(s, episodes, pace):
    """One more fix of the current step, and its pace."""
    number = number_of(s)
    if number > 0:
        episodes[number - 1].n_since += 1
    else:
        number -= 1
    go_on(s, number, pace)


@inner
def begin_step(s, fix):
    """The next step begins at this fix."""
    go_on(s, max(0, number_of(s)), pace_at(s))
    s.t_ref, s.lat_ref, s.lon_ref, s.origin_ref = fix.t, fix.lat, fix.lon, fix.origin
    s.prev_us, s.lat_prev, s.lon_prev, s.origin_prev = 0, fix.lat, fix.lon, fix.origin


@inner
def close_episode(ship, s, episodes, pool, still_open, limits, event):
    """End the episode at its last slow step: 1 when it lasted, and stands in `event`, else 0."""
    number = number_of(s)
    e = episodes[number - 1]
    t_end = s.t_ref - e.away_us
    duration_us = t_end - e.t_start
    found = duration_us >= limits.min_stop_us or (duration_us > 0 and e.adrift_s >= limits.min_drift_s)
    if found:
        write_episode(ship, e, t_end, still_open, limits, event)
    give_back(episodes, pool, number)
    go_on(s, 0, pace_at(s))
    return 1 if found else 0


@inner
def end_step(ship, s, episodes, pool, fix, pace, limits, event):
    """The current step ends at this fix, where the next begins: 1 when that ended an event, which stands in `event`."""
    dt, found, number = fix.t - s.t_ref, 0, number_of(s)
    step_m = way_m(np.int64(s.lat_ref), np.int64(s.lon_ref), fix.lat, fix.lon)
    seconds = dt * 1e-6
    most_m = limits.max_speed_kn * KN_M_S * seconds + (NOISE_M if dt < limits.step_us else 0.0)
    slow = step_m <= most_m or (pace == ADRIFT and step_m <= ADRIFT_KN * KN_M_S * seconds)
    if dt > limits.max_silence_us:
        if number > 0:
            found = close_episode(ship, s, episodes, pool, 0, limits, event)
    elif slow:
        if number <= 0:
            n_step, number = -number, take(episodes, pool)
            begin_episode(s, episodes[number - 1], n_step)
            go_on(s, number, pace_at(s))
        grow_episode(s, episodes[number - 1], fix, pace, step_m, limits.places)
    elif number > 0:
        e = episodes[number - 1]
        if e.away_us + dt > limits.max_excursion_us:
            found = close_episode(ship, s, episodes, pool, 0, limits, event)
        else:
            e.away_us += dt
            e.fast_m += step_m
            e.ref_in = NOT_ASKED
    begin_step(s, fix)
    return found


@inlined
def pace_of(s, rows, i, lat, lon, max_speed_kn):
    """What this fix says: FAST, SLOW or ADRIFT; where it says no speed, what its way from the last fix says."""
    speed_kn = np.float64(rows.sog[i])
    if math.isnan(speed_kn):
        dt = rows.t[i] - s.t_ref - s.prev_us
        if s.going == 0 or dt < _UNSAID_US:
            return max(FAST, pace_at(s))
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
def change_pace(ship, s, episodes, pool, fix, pace, limits, event):
    """The ship became slow or fast, or was silent, before this fix.

    The way from the last fix belongs to what it is like. Returns (whether the step ends at this fix, events written).
    """
    dt = fix.t - s.t_ref - s.prev_us
    gone_m = way_m(np.int64(s.lat_prev), np.int64(s.lon_prev), fix.lat, fix.lon)
    like_before = (gone_m <= limits.max_speed_kn * KN_M_S * (dt * 1e-6) + NOISE_M) == (pace_at(s) != FAST)
    if dt <= limits.max_silence_us and like_before:
        return True, 0
    if s.prev_us == 0:
        return False, 0
    return False, end_step(ship, s, episodes, pool, last_fix(s, fix.class_b), pace_at(s), limits, event)


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
        first, before = s.going == 0, pace_at(s)
        changes = not first and ((pace == FAST) != (before == FAST) or t - s.t_ref - s.prev_us > limits.max_silence_us)
        if not (first or changes or t - s.t_ref >= limits.step_us):
            s.prev_us, s.lat_prev, s.lon_prev = t - s.t_ref, lat, lon
            s.origin_prev = origin(rows.source[i], rows.offset[i])
            count_fix(s, episodes, pace)
            continue
        fix = Fix(
            t, lat, lon, np.float64(rows.sog[i]), np.float64(rows.cog[i]), np.float64(rows.heading[i]),
            np.int64(rows.nav_status[i]), np.int64(rows.class_b[i]), origin(rows.source[i], rows.offset[i]),
        )  # fmt: skip
        if first:
            begin_step(s, fix)
        else:
            ship = limits.ships[rows.slot[i]]
            ends = False
            if changes:
                ends, found = change_pace(ship, s, episodes, pool, fix, pace, limits, out[events])
                events += found
            count_fix(s, episodes, before)
            if ends or t - s.t_ref >= limits.step_us:
                events += end_step(ship, s, episodes, pool, fix, pace, limits, out[events])
            else:
                s.prev_us, s.lat_prev, s.lon_prev, s.origin_prev = t - s.t_ref, lat, lon, fix.origin
        go_on(s, number_of(s), pace)
    return rows.t.size, events


@kernel
def flush(steps, episodes, pool, now, alive, begin, limits, out):
    """Episodes that the end of the input cuts: (slot where it stopped or -1, events written)."""
    events = 0
    for k in range(begin, steps.size):
        if events + OUT_ROOM > out.size:
            return k, events
        s = steps[k]
        if s.going == 0:
            continue
        ship = limits.ships[k]
        if s.prev_us > 0:
            fix = last_fix(s, NOT_SAID)
            events += end_step(ship, s, episodes, pool, fix, pace_at(s), limits, out[events])
        if number_of(s) > 0:
            silent_us = now - s.t_ref + episodes[number_of(s) - 1].away_us
            still_open = 1 if silent_us <= limits.max_silence_us else 0
            events += close_episode(ship, s, episodes, pool, still_open, limits, out[events])
    return -1, events
