"""The slow, obvious twin of loitering, waiting and stops: lists of fixes, and only the definitions.

A row is (t in µs, mmsi, lat, lon, sog, cog, heading), in time order, None where nothing was said.
"""

from itertools import pairwise

from tests.naive import KN_M_S, by_ship, distance_m

FAST, SLOW, ADRIFT = "fast", "slow", "adrift"
NOISE_M, ADRIFT_KN, ADRIFT_DEG, MINUTE_US = 30.0, 5.0, 45.0, 60_000_000


def way(a, b):
    return distance_m(a[2], a[3], b[2], b[3])


def allowed_m(knots, a, b):
    return knots * KN_M_S * (b[0] - a[0]) * 1e-6


def paces(track, p):
    """What each fix says: that the ship is fast, slow, or adrift."""
    found = []
    for k, (t, _, _, _, sog, cog, heading) in enumerate(track):
        if sog is None and (k == 0 or t - track[k - 1][0] < MINUTE_US):
            found.append(found[-1] if found else FAST)
            continue
        if sog is None:
            sog = way(track[k - 1], track[k]) / ((t - track[k - 1][0]) * 1e-6) / KN_M_S
        off = 0.0 if cog is None or heading is None else abs((cog - heading + 180.0) % 360.0 - 180.0)
        adrift = sog <= ADRIFT_KN and off > ADRIFT_DEG
        found.append(SLOW if sog <= p.max_speed_kn else ADRIFT if adrift else FAST)
    return found


def ends_of_steps(track, pace, p):
    """The fixes where a step ends: ten minutes after the last, where the pace changes, before and after a silence."""
    ends = [0]
    for k in range(1, len(track)):
        a, b = track[k - 1], track[k]
        silent = b[0] - a[0] > p.max_silence_s * 1_000_000
        if silent or (pace[k - 1] == FAST) != (pace[k] == FAST):
            near = way(a, b) <= allowed_m(p.max_speed_kn, a, b) + NOISE_M
            change = k if not silent and near == (pace[k - 1] != FAST) else k - 1
            ends += [change] * (change > ends[-1])
        if ends[-1] < k and b[0] - track[ends[-1]][0] >= p.step_s * 1_000_000:
            ends.append(k)
    return ends + [len(track) - 1] * (ends[-1] < len(track) - 1)


def slow_steps(track, p):
    """All steps: (first row, last row, whether the ship was slow, None for a silence)."""
    pace = paces(track, p)
    ends = ends_of_steps(track, pace, p)
    for i, k in pairwise(ends):
        a, b = track[i], track[k]
        noise = NOISE_M if b[0] - a[0] < p.step_s * 1_000_000 else 0.0
        slow = way(a, b) <= allowed_m(p.max_speed_kn, a, b) + noise
        slow = slow or (pace[k] == ADRIFT and way(a, b) <= allowed_m(ADRIFT_KN, a, b))
        yield a, b, None if b[0] - a[0] > p.max_silence_s * 1_000_000 else slow


def episodes(track, p):
    """Lists of steps that belong together: the slow ones and the short excursions between them."""
    going, away = [], []
    for a, b, slow in slow_steps(track, p):
        if slow is None:
            yield going
            going, away = [], []
        elif slow:
            going = [*going, *away, (a, b, slow)] if going else [(a, b, slow)]
            away = []
        elif going:
            away.append((a, b, slow))
            if b[0] - going[-1][1][0] > p.max_excursion_s * 1_000_000:
                yield going
                going, away = [], []
    yield going


def loitering(rows, p):
    """Slow episodes: (mmsi, start, end, whether it was slow and long enough for loitering), place not looked at."""
    found = []
    for mmsi, track in by_ship(rows).items():
        for steps in episodes(track, p):
            if not steps:
                continue
            start, end = steps[0][0][0], steps[-1][1][0]
            seconds = (end - start) * 1e-6
            if seconds < p.min_stop_s:
                continue
            knots = sum(way(a, b) for a, b, _ in steps) / seconds / KN_M_S
            found.append((mmsi, start, end, seconds >= p.min_duration_s and knots < p.max_speed_kn))
    return sorted(found)
