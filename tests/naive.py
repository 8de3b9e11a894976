"""The slow, obvious twin of each detector: plain Python over lists, one ship or one pair at a time.

A row is (t in µs, mmsi, lat, lon, sog), in time order. No state machine, no hash table, no ring: only the definitions.
"""

import math

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
