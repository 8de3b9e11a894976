"""The slow, obvious twin of each detector: plain Python over lists, one ship or one pair at a time.

A row is (t in µs, mmsi, lat, lon, sog), in time order. No state machine, no hash table, no ring: only the definitions.
"""

import math
from itertools import pairwise

EARTH_RADIUS_M = 6_371_008.8
KN_M_S = 1852.0 / 3600.0


def distance_m(lat1, lon1, lat2, lon2):
    p, q = math.radians(lat1), math.radians(lat2)
    h = math.sin((q - p) / 2) ** 2 + math.cos(p) * math.cos(q) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, h)))


def by_ship(rows):
    ships = {}
    for row in rows:
        ships.setdefault(row[1], []).append(row)
    return ships


def gaps(rows, min_gap_us, min_fixes):
    """Silences of each ship: (mmsi, last heard, heard again)."""
    found = []
    for mmsi, track in by_ship(rows).items():
        for k in range(1, len(track)):
            if k >= min_fixes and track[k][0] - track[k - 1][0] > min_gap_us:
                found.append((mmsi, track[k - 1][0], track[k][0]))
    return sorted(found)


def steps(track, step_us):
    """The fixes that end a step: each at least `step_us` after the one before."""
    chosen = [track[0]]
    for row in track[1:]:
        if row[0] - chosen[-1][0] >= step_us:
            chosen.append(row)
    return chosen


def loitering(rows, p):
    """Runs of slow steps: (mmsi, start, end), place not looked at."""
    found = []
    limit_m_s = p.max_speed_kn * KN_M_S
    for mmsi, track in by_ship(rows).items():
        points = steps(track, p.step_s * 1_000_000)
        episode = None  # [start, end of the last slow step, way in metres, way of the fast steps since]
        for a, b in [*pairwise(points), (points[-1], None)]:
            ended = b is None or b[0] - a[0] > p.max_silence_s * 1_000_000
            if not ended:
                way = distance_m(a[2], a[3], b[2], b[3])
                if way <= limit_m_s * (b[0] - a[0]) * 1e-6:
                    episode = episode or [a[0], a[0], 0.0, 0.0]
                    episode[1:] = [b[0], episode[2] + episode[3] + way, 0.0]
                elif episode:
                    episode[3] += way
                    ended = b[0] - episode[1] > p.max_excursion_s * 1_000_000
            if ended and episode:
                start, end, way, _ = episode
                if end - start >= p.min_duration_s * 1_000_000 and way / ((end - start) * 1e-6) < limit_m_s:
                    found.append((mmsi, start, end))
                episode = None
    return sorted(found)


def port_calls(rows, ports, p):
    """Stays within reach of a port with a stop or a silence: (mmsi, port, first fix, last fix)."""
    found = []
    for mmsi, track in by_ship(rows).items():
        looked, port, inside = -math.inf, None, []
        for row in [*track, None]:
            if port is not None and (row is None or distance_m(*ports[port], row[2], row[3]) > p.exit_m):
                if _lay_still(inside, p):
                    found.append((mmsi, port, inside[0][0], inside[-1][0]))
                port = None
            if row is None:
                break
            if port is None and row[0] - looked >= p.step_s * 1_000_000:
                looked = row[0]
                distances = [distance_m(lat, lon, row[2], row[3]) for lat, lon in ports]
                nearest = min(range(len(ports)), key=distances.__getitem__)
                if distances[nearest] <= p.enter_m:
                    port, inside = nearest, []
            if port is not None:
                inside.append(row)
                if row[4] <= p.stop_begin_kn and not any(r[4] <= p.stop_begin_kn for r in inside[:-1]):
                    distances = [distance_m(lat, lon, row[2], row[3]) for lat, lon in ports]
                    nearest = min(range(len(ports)), key=distances.__getitem__)
                    port = nearest if distances[nearest] <= p.enter_m else port
    return sorted(found)


def _lay_still(inside, p):
    stopped, still = inside[0][4] <= p.stop_begin_kn, 0
    for a, b in pairwise(inside):
        dt = b[0] - a[0]
        if dt >= p.port_gap_s * 1_000_000:
            return True
        if stopped and b[4] < p.stop_end_kn:
            still += dt
        stopped = b[4] < p.stop_end_kn if stopped else b[4] <= p.stop_begin_kn
    return still >= p.min_stop_s * 1_000_000


def stationary(rows, p):
    """Stays of each ship in a square: (mmsi, first fix, last fix, time heard)."""
    found = []
    for mmsi, track in by_ship(rows).items():
        stay, heard = [], 0
        for row in [*track, None]:
            still = row is not None and not row[4] > p.max_sog_kn
            if stay and row is not None:
                dt = row[0] - stay[-1][0]
                if still and dt <= p.max_silence_s * 1_000_000 and _side_m([*stay, row]) <= 2 * p.radius_m:
                    stay.append(row)
                    heard += dt if dt <= p.max_gap_s * 1_000_000 else 0
                    continue
                if dt <= p.max_excursion_s * 1_000_000:
                    continue
            if stay and heard >= p.min_stay_s * 1_000_000:
                found.append((mmsi, stay[0][0], stay[-1][0], heard))
            stay, heard = [row] if still else [], 0
    return sorted(found)


def _side_m(rows):
    """The longer side of the box around positions, on the plane at the first of them."""
    degree, (_, _, lat0, lon0, _) = math.radians(EARTH_RADIUS_M), rows[0]
    y = [(row[2] - lat0) * degree for row in rows]
    x = [((row[3] - lon0 + 180) % 360 - 180) * degree * math.cos(math.radians(lat0)) for row in rows]
    return max(max(y) - min(y), max(x) - min(x))


def anchorages(periods, link_m, near_ships, min_ships):
    """The ships of each anchorage: (mmsi, lat, lon) of stays, each at the centre of its cell; cores, chains, edges."""
    places = sorted({(lat, lon) for _, lat, lon in periods})
    ships = {place: {m for m, lat, lon in periods if (lat, lon) == place} for place in places}
    near = {a: [b for b in places if distance_m(*a, *b) <= link_m] for a in places}
    cores = [a for a in places if len(set().union(*(ships[b] for b in near[a]))) >= near_ships]
    group = {a: k for k, a in enumerate(cores)}
    for a in cores:
        for b in near[a]:
            if b in group and group[b] != group[a]:
                old, new = max(group[a], group[b]), min(group[a], group[b])
                group = {place: new if k == old else k for place, k in group.items()}
    for a in places:
        if a not in cores and (close := [b for b in near[a] if b in cores]):
            group[a] = group[min(close, key=lambda b: distance_m(*a, *b))]
    found = [set().union(*(ships[a] for a, k in group.items() if k == wanted)) for wanted in set(group.values())]
    return sorted(sorted(one) for one in found if len(one) >= min_ships)
