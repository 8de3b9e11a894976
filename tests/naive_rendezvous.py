"""The slow, obvious twin of the rendezvous: every pair of ships, every second stretch of time, no index and no state.

A row is (t in µs, mmsi, lat, lon, sog, cog), in time order. Where the fast one solves a quadratic, this one seeks:
distances of two straight motions fall to one least value and rise again, so that bisection finds each moment.
"""

import math
from itertools import combinations, pairwise

from tests.naive import EARTH_RADIUS_M, KN_M_S, by_ship

M_PER_DEG = math.radians(EARTH_RADIUS_M)
SLOW_KN, DRIFT_KN, SPREAD_KN, WORKING_KN, NOISE_KN, SPREAD = 3.0, 0.5, 1.0, 5.0, 0.2, 0.5


def wrapped(deg):
    return (deg + 180.0) % 360.0 - 180.0


def bisect(below, low, high):
    """Where `below` turns from true to false."""
    for _ in range(45):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if below(middle) else (low, middle)
    return 0.5 * (low + high)


def counting(track, p):
    """The fixes that count: a step or more after the one before."""
    chosen = [track[0]]
    for row in track[1:]:
        if row[0] - chosen[-1][0] >= p.step_s * 1_000_000:
            chosen.append(row)
    return chosen


def drift(sog, cog):
    if not sog >= DRIFT_KN or math.isnan(cog):
        return 0.0, 0.0
    return sog * KN_M_S * math.cos(math.radians(cog)), sog * KN_M_S * math.sin(math.radians(cog))


def rest(seconds, way, w, v):
    """Seconds adrift with velocity `w`, so that the rest of `way` takes the rest of the time at speed `v`."""
    if math.hypot(*way) >= v * seconds:
        return None
    return bisect(lambda t: math.hypot(way[0] - w[0] * t, way[1] - w[1] * t) < v * (seconds - t), 0.0, seconds)


def knots_of(seconds, way, a, b, cruise):
    """(seconds, north, east) at which the motion from fix `a` to fix `b` changes; None where nothing can be said."""
    straight, (sog0, cog0), (sog1, cog1) = [(0.0, 0.0, 0.0), (seconds, *way)], a[4:6], b[4:6]
    length = math.hypot(*way)
    if math.isnan(sog0) or math.isnan(sog1):
        return straight
    if min(sog0, sog1) > SLOW_KN:
        stopped = min(sog0, sog1) > WORKING_KN and length < 0.5 * min(sog0, sog1) * KN_M_S * seconds
        return None if stopped else straight
    if max(sog0, sog1) > SLOW_KN:
        w = drift(sog0, cog0) if sog0 < sog1 else drift(sog1, cog1)
        still = rest(seconds, way, w, max(sog0, sog1) * KN_M_S)
        if still is None:
            return straight
        if sog0 < sog1:
            return [(0.0, 0.0, 0.0), (still, w[0] * still, w[1] * still), (seconds, *way)]
        return [(0.0, 0.0, 0.0), (seconds - still, way[0] - w[0] * still, way[1] - w[1] * still), (seconds, *way)]
    under_way = length / (cruise * KN_M_S)
    if length <= (max(sog0, sog1) + SPREAD_KN) * KN_M_S * seconds or under_way >= seconds:
        return straight
    still = (seconds - under_way) / 2
    return [(0.0, 0.0, 0.0), (still, 0.0, 0.0), (still + under_way, *way), (seconds, *way)]


def pieces(track, p):
    """Slow straight motions of a ship: (t0 in µs, t1, place(t in µs), spread(t in µs))."""
    found, cruise = [], 10.0
    for a, b in pairwise(counting(track, p)):
        cruise = a[4] if a[4] > WORKING_KN else cruise
        seconds = (b[0] - a[0]) / 1e6
        if seconds > p.max_interpolation_s:
            continue
        east = M_PER_DEG * math.cos(math.radians((a[2] + b[2]) / 2))
        way = (b[2] - a[2]) * M_PER_DEG, wrapped(b[3] - a[3]) * east
        knots = knots_of(seconds, way, a, b, cruise) or []
        for k, ((s0, n0, e0), (s1, n1, e1)) in enumerate(pairwise(knots)):
            if s1 - s0 <= 1e-6 or math.hypot(n1 - n0, e1 - e0) / (s1 - s0) > p.fastest_kn * KN_M_S:
                continue
            whole = len(knots) == 2
            sog = (a[4] + b[4]) / 2 if whole else a[4] if k == 0 else b[4]

            def place(t, a=a, s0=s0, s1=s1, n0=n0, n1=n1, e0=e0, e1=e1, east=east):
                share = ((t - a[0]) / 1e6 - s0) / (s1 - s0)
                return a[2] + (n0 + share * (n1 - n0)) / M_PER_DEG, a[3] + (e0 + share * (e1 - e0)) / east

            def spread(t, a=a, s0=s0, s1=s1, sog=sog, k=k, whole=whole, seconds=seconds, way=way):
                if not NOISE_KN <= sog <= SLOW_KN:
                    return 0.0
                after = (t - a[0]) / 1e6
                if whole:
                    spare = math.sqrt(max(0.0, (sog * KN_M_S * seconds) ** 2 - way[0] ** 2 - way[1] ** 2))
                    return SPREAD * spare * 2 * (after / seconds) * (1 - after / seconds)
                return SPREAD * sog * KN_M_S * (after - s0 if k == 0 else s1 - after)

            found.append((a[0] + int(s0 * 1e6), a[0] + int(s1 * 1e6), place, spread))
    return found


def distance(place_x, place_y, t):
    (lat_x, lon_x), (lat_y, lon_y) = place_x(t), place_y(t)
    east = wrapped(lon_y - lon_x) * math.cos(math.radians((lat_x + lat_y) / 2))
    return M_PER_DEG * math.hypot(lat_y - lat_x, east)


def nearest(apart, low, high):
    """When a distance that falls and rises is least, by thirds."""
    for _ in range(50):
        third = (high - low) / 3
        low, high = (low + third, high) if apart(low + third) > apart(high - third) else (low, high - third)
    return (low + high) / 2


def times_together(one, other, p):
    """Stretches in which two ships are close: (from in µs, to, least distance), in order."""
    step, found = p.step_s * 1_000_000, []
    for x, y in ((x, y) for x in one for y in other if x[0] < y[1] and y[0] < x[1]):
        for number in range(max(x[0], y[0]) // step, (min(x[1], y[1]) - 1) // step + 1):
            begin, end = number * step, (number + 1) * step
            t0, t1 = max(x[0], y[0], begin), min(x[1], y[1], end)
            spread = sum(z[3]((max(z[0], begin) + min(z[1], end)) / 2) for z in (x, y))
            limit = p.max_distance_m + min(spread, p.max_distance_m)

            def apart(t, x=x, y=y):
                return distance(x[2], y[2], t)

            if min(apart(t0), apart(t1)) > limit + 2 * p.fastest_kn * KN_M_S * (t1 - t0) / 1e6:
                continue
            least = nearest(apart, t0, t1)
            if apart(least) <= limit:
                begin = t0 if apart(t0) <= limit else bisect(lambda t, f=apart, d=limit: f(t) > d, t0, least)
                end = t1 if apart(t1) <= limit else bisect(lambda t, f=apart, d=limit: f(t) <= d, least, t1)
                found.append((begin, end, apart(least)))
    return sorted(found)


def rendezvous(rows, p):
    """Meetings of all pairs, whatever their speed: (one, other, start in µs, end, seconds together, metres)."""
    moving = {mmsi: pieces(track, p) for mmsi, track in by_ship(rows).items()}
    found = []
    for one, other in combinations(sorted(moving), 2):
        meeting = None
        for begin, end, metres in [*times_together(moving[one], moving[other], p), (math.inf, math.inf, 0.0)]:
            if meeting and begin - meeting[1] > p.max_break_s * 1e6:
                if meeting[2] >= max(p.min_duration_s * 1e6, (meeting[1] - meeting[0]) / 2):
                    found.append((one, other, meeting[0], meeting[1], meeting[2] / 1e6, meeting[3]))
                meeting = None
            meeting = meeting or [begin, begin, 0.0, math.inf]
            meeting = [meeting[0], max(meeting[1], end), meeting[2] + end - begin, min(meeting[3], metres)]
    return found
