"""The slow twin of the reception model: plain Python over tuples, dicts and the h3 library."""

import math

import h3

from geo.sphere import distance_m, interpolate

HOUR = 3_600_000_000
DEAD, BLOCK = 600_000_000, 2 * HOUR


def gaps(rows, min_gap_us, min_fixes):
    """(mmsi, start, end) of each closed gap; one hull per MMSI."""
    tracks, found = {}, []
    for t, mmsi, *_ in rows:
        track = tracks.setdefault(mmsi, [])
        if len(track) >= min_fixes and t - track[-1] > min_gap_us:
            found.append((mmsi, track[-1], t))
        track.append(t)
    return sorted(found)


def cell(lat, lon, resolution):
    return h3.cell_to_parent(h3.latlng_to_cell(lat, lon, 7), resolution)


def _way(lat0, lon0, lat1, lon1, us, table):
    """Time between two fixes in different cells, laid along the great circle."""
    n = max(1, math.ceil(distance_m(lat0, lon0, lat1, lon1) / 16_000.0))
    if n == 1:
        places = [((lat0, lon0), us // 2), ((lat1, lon1), us - us // 2)]
    else:
        places = []
        for k in range(n + 1):
            at = interpolate(lat0, lon0, lat1, lon1, (k + 0.5) / (n + 1))
            at = (lat0, lon0) if k == 0 else (lat1, lon1) if k == n else at
            places.append((at, us * (k + 1) // (n + 1) - us * k // (n + 1)))
    for at, share in places:
        _add(table, at, 0, share)


def _add(table, at, messages, us):
    for resolution in range(1, 6):
        row = table.setdefault(cell(*at, resolution), [0, 0])
        row[0] += messages
        row[1] += us


def rates(rows, min_gap_us):
    """Messages and µs of each cell of the resolutions 1 to 5, of ships without gaps up to their last fix."""
    table, ships = {}, {}
    for t, mmsi, lat, lon, *_ in rows:
        ship = ships.get(mmsi)
        if ship is None:
            ships[mmsi] = [t, lat, lon, t + DEAD]
            continue
        last, lat0, lon0, due = ship
        assert t - last <= min_gap_us
        if cell(lat, lon, 5) == cell(lat0, lon0, 5):
            _add(table, (lat, lon), 0, t - last)
        else:
            _way(lat0, lon0, lat, lon, t - last, table)
        if t >= due:
            _add(table, (lat, lon), 1, 0)
            due = t + DEAD
        ships[mmsi] = [t, lat, lon, due]
    return table


def neighbours(rows, resolution):
    """Hulls heard in each cell and block of two hours."""
    found = {}
    for t, mmsi, lat, lon, *_ in rows:
        found.setdefault((cell(lat, lon, resolution), t // BLOCK), []).append(mmsi)
    return found


def none_heard(expected, phi, hours):
    """Probability of no message, summed from the definition: a gamma mixture of Poisson laws for phi above 0."""
    if phi <= 0:
        return math.exp(-expected) if phi == 0 else (1 + phi * expected) ** (-1 / phi)
    steps, shape = 20_000, 1 / phi
    top = (shape + 40 * math.sqrt(shape) + 40) * phi
    total = norm = 0.0
    for k in range(steps):
        x = (k + 0.5) / steps * top
        weight = math.exp((shape - 1) * math.log(x) - x * shape)
        norm += weight
        total += weight * math.exp(-expected * x)
    return total / norm


def q_values(p, tests):
    """Benjamini and Hochberg 1995, by their definition: for each the best of all thresholds at or above it."""
    return [min(min(1.0, tests * t / sum(x <= t for x in p)) for t in p if t >= own) for own in p]
