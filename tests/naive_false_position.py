"""The slow, obvious twin of false positions: plain Python over lists, one ship at a time, only the definitions.

A row is (t in µs, mmsi, lat, lon, sog, cog), in time order; every ship has one hull. Stays elsewhere are looked for in
the rows of hulls: (t, hull).
"""

import math
from itertools import groupby, pairwise

import numpy as np

from geo.coast import shore_distance_m
from geo.ports import nearest_port
from tests.naive import KN_M_S, by_ship

R = 6_371_008.8


def steps(track, step_us):
    """The fixes that are looked at: the first, and each at least a step after the last of them."""
    chosen = [track[0]]
    for row in track[1:]:
        if row[0] - chosen[-1][0] >= step_us:
            chosen.append(row)
    return chosen


def stretches(points, silence_us):
    """Fixes between silences."""
    parts = [[points[0]]]
    for a, b in pairwise(points):
        parts.append([b]) if b[0] - a[0] > silence_us else parts[-1].append(b)
    return parts


def windows(part, window_us):
    """Fixes of each window; the last of one is the first of the next."""
    begin = 0
    for k in range(len(part)):
        if part[k][0] - part[begin][0] >= window_us:
            yield part[begin : k + 1]
            begin = k


def way(a, b):
    """East and north in metres from one fix to another."""
    middle = math.radians(0.5 * (a[2] + b[2]))
    east = math.radians((b[3] - a[3] + 180) % 360 - 180) * R * math.cos(middle)
    return np.array([east, math.radians(b[2] - a[2]) * R])


def reported(a, b, p):
    """East and north in metres that the later fix reports of the step; None where it does not say."""
    speed, dt = b[4] * KN_M_S, (b[0] - a[0]) * 1e-6
    if b[0] - a[0] > p.max_step_s * 1_000_000 or math.isnan(b[4]) or leaps(a, b, p):
        return None
    return speed * dt * np.array([math.sin(math.radians(b[5])), math.cos(math.radians(b[5]))])


def leaps(a, b, p):
    """Does the fix claim a speed that the ship did not make since the other?"""
    claimed = b[4] * KN_M_S * (b[0] - a[0]) * 1e-6
    made = np.hypot(*way(a, b))
    return b[4] > p.leap_kn and claimed > p.speed_tolerance_m and made < p.leap_share * claimed


def off_course(window, p):
    """Do the reports of a window lead elsewhere than the ship went?"""
    miss, told, told_s, claimed, made = [], np.zeros(2), 0.0, 0.0, np.zeros(2)
    for a, b in pairwise(window):
        made = made + way(a, b)
        said = reported(a, b, p)
        if said is None:
            claimed += np.hypot(*way(a, b))
            told = told + way(a, b)
            continue
        miss.append(way(a, b) - said)
        told, told_s, claimed = told + said, told_s + (b[0] - a[0]) * 1e-6, claimed + np.hypot(*said)
    span_s = (window[-1][0] - window[0][0]) * 1e-6
    if len(window) <= p.min_fixes or told_s < 0.5 * span_s:
        return False
    if claimed >= p.min_round * max(np.hypot(*made), np.hypot(*told)):
        return False
    largest = max(math.ceil(np.hypot(*m)) for m in miss)
    rest = max(0.0, np.hypot(*np.sum(miss, axis=0)) - largest)
    return rest**2 > p.min_chi2 * (2 * p.noise_m**2 + (p.speed_noise_kn * KN_M_S * told_s) ** 2)


def crossings(part, p):
    """For each fix of a stretch, how far it lies from the course of the step before, or None."""
    out = [None, None]
    for a, b, c in zip(part, part[1:], part[2:], strict=False):
        first, second = way(a, b), way(b, c)
        dts = [(y[0] - x[0]) * 1e-6 for x, y in ((a, b), (b, c))]
        fits = all(dt <= p.max_step_s and np.hypot(*m) > 1.5 * dt for dt, m in zip(dts, (first, second), strict=True))
        if not fits:
            out.append(None)
            continue
        across = (first[0] * second[1] - first[1] * second[0]) / np.hypot(*first)
        bend = second[0] * np.hypot(*second) * math.tan(math.radians(0.5 * (b[2] + c[2]))) / R
        out.append(min(abs(across), abs(across + bend)))
    return out


def runs_of(flags):
    """(first, last) of each run of true flags."""
    at = 0
    for flag, group in groupby(flags):
        n = len(list(group))
        if flag:
            yield at, at + n - 1
        at += n


def on_land(part, p, on_waterway):
    """Stays far inland: (first, last) fix."""
    lat, lon = np.array([row[2] for row in part]), np.array([row[3] for row in part])
    near = nearest_port(lat, lon, p.port_m)[0] >= 0
    inland = (shore_distance_m(lat, lon) < -p.min_inland_m) & ~near
    for k in np.flatnonzero(inland):
        inland[k] = not on_waterway(lat[k], lon[k])
    for a, b in runs_of(inland.tolist()):
        if b - a + 1 >= p.min_fixes and part[b][0] - part[a][0] >= p.min_duration_s * 1_000_000:
            yield part[a], part[b]


def too_fast(part, p):
    """Runs of steps that no ship makes: (first, last) fix."""
    fast = [
        np.hypot(*way(a, b)) - p.speed_tolerance_m > p.max_speed_kn * KN_M_S * (b[0] - a[0]) * 1e-6
        for a, b in pairwise(part)
    ]
    for a, b in runs_of(fast):
        if b - a + 1 >= p.min_steps:
            yield part[a], part[b + 1]


def circles(part, p):
    """Circles gone round often enough, by a fit of all positions at the end of each window: (first, last) fix."""
    case, last = None, None
    for window in windows(part, p.window_s * 1_000_000):
        if case is not None:
            case += window[1:]
            verdict = fitted(case, p)
            if verdict is None:
                if last is not None:
                    yield case[0], last
                case, last = None, None
            elif verdict >= p.min_turns:
                last = case[-1]
            elif case[-1][0] - case[0][0] > p.max_arc_s * 1_000_000:
                case = None
            continue
        span_s = (window[-1][0] - window[0][0]) * 1e-6
        claimed = sum(b[4] * KN_M_S * (b[0] - a[0]) * 1e-6 for a, b in pairwise(window))
        net = np.hypot(*np.sum([way(a, b) for a, b in pairwise(window)], axis=0))
        if claimed >= p.min_round * net and claimed >= p.min_circle_kn * KN_M_S * span_s:
            case = [window[-1]]
    if last is not None:
        yield case[0], last


def fitted(case, p):
    """Turns of the circle through positions, by least squares; None where they are on none, 0 where they are few."""
    if len(case) < p.min_fixes:
        return 0.0
    lat0, lon0 = case[0][2], case[0][3]
    x = np.array([math.radians(row[3] - lon0) * R * math.cos(math.radians(lat0)) for row in case])
    y = np.array([math.radians(row[2] - lat0) * R for row in case])
    (a, b, c), *_ = np.linalg.lstsq(np.stack((2 * x, 2 * y, np.ones(x.size)), 1), x * x + y * y, rcond=None)
    radius = math.sqrt(c + a * a + b * b)
    residual = np.sqrt(np.mean((x * x + y * y - 2 * a * x - 2 * b * y - c) ** 2)) / (2 * radius)
    speeds = np.array([row[4] for row in case[1:]]) * KN_M_S
    fits = p.min_radius_m <= radius <= p.max_radius_m and residual <= max(p.max_residual_m, p.max_residual * radius)
    if not fits or speeds.mean() < p.min_circle_kn * KN_M_S or speeds.std() > p.max_spread * speeds.mean():
        return None
    claimed = sum(s * (v[0] - u[0]) * 1e-6 for s, (u, v) in zip(speeds, pairwise(case), strict=True))
    return claimed / (2 * math.pi * radius)


def false_positions(rows, p, on_waterway):
    """All but stays elsewhere and horizons: (mmsi, label, first, last fix in µs)."""
    found = []
    for mmsi, track in by_ship(rows).items():
        points = steps(track, p.step_s * 1_000_000)
        for part in stretches(points, p.max_silence_s * 1_000_000):
            flags = {"course": [], "simulated": []}
            every, cross = list(windows(part, p.window_s * 1_000_000)), crossings(part, p)
            at = {row[0]: c for row, c in zip(part, cross, strict=True)}
            for window in every:
                seen = [at[row[0]] for row in window[1:] if at[row[0]] is not None]
                flags["course"].append(off_course(window, p))
                flags["simulated"].append(len(seen) >= 4 and math.sqrt(np.mean(np.square(seen))) < p.max_jitter_m)
            spans = [("on_land", a, b) for a, b in on_land(part, p, on_waterway)]
            spans += [("impossible_speed", a, b) for a, b in too_fast(part, p)]
            spans += [("circle", a, b) for a, b in circles(part, p)]
            for label, active in flags.items():
                for a, b in runs_of(active):
                    lasted = every[b][-1][0] - every[a][0][0]
                    if label == "course" or lasted >= p.min_smooth_s * 1_000_000:
                        spans.append((label, every[a][0], every[b][-1]))
            spans += [
                ("speed_change", part[a], part[b + 1]) for a, b in runs_of([leaps(u, v, p) for u, v in pairwise(part)])
            ]
            found += [(mmsi, label, a[0], b[0]) for label, a, b in spans]
    return sorted(found)
