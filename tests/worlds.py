"""A dense small world in plain numbers: every kind of event, hundreds of times, in an open box of sea."""

import numpy as np

from ais.table import STATIC_DTYPES, Fixes, Static, columns_of
from benchmarks.deception import ATTACKS, fixes_of_tracks, honest
from tests.feeds import HOUR, MINUTE, T0

KN_DEG_S = 1852.0 / 3600.0 / 111_195.0
"""One knot in degrees of latitude a second."""


def _track(rng, start_lat, start_lon, legs):
    """Positions every minute along legs (hours, speed in knots, course in radians); speed < 0 is silence."""
    lat, lon, t = start_lat, start_lon, 0.0
    rows = []
    for hours, speed, course in legs:
        steps = int(hours * 60)
        silent = speed < 0
        knots = 8.0 if silent else speed
        for _ in range(steps):
            lat += 60 * knots * KN_DEG_S * np.cos(course)
            lon += 60 * knots * KN_DEG_S * np.sin(course) / np.cos(np.radians(lat))
            t += MINUTE
            if not silent:
                rows.append((t, lat, lon, knots))
    return rows


def _legs(rng):
    """Cruise, loiter, silence, again and again; course back and forth so that the box is not left."""
    legs, course = [], rng.uniform(0, 2 * np.pi)
    for _ in range(6):
        course += np.pi + rng.normal(0, 0.3)
        legs.append((rng.uniform(2, 6), rng.uniform(7, 13), course))
        legs.append((rng.uniform(4.5, 9), rng.uniform(0.1, 0.9), rng.uniform(0, 2 * np.pi)))
        legs.append((rng.uniform(1, 3), rng.uniform(7, 13), course))
        legs.append((rng.uniform(6.5, 16), -1.0, course))
    return legs


def _says(k, share, hour):
    """What the k-th ship says of itself at a share of its life: names, call signs, sizes and draughts that change."""
    late = share > 0.5
    return {
        "imo": 3_000_001 + 10 * k if k % 7 == 0 else 0,  # most of them with a wrong check digit
        "callsign": f"DA{k:03d}{'X' if late and k % 3 == 0 else ''}".encode(),
        "name": f"{'OCEAN TERN' if late and k % 2 == 0 else 'GREY LARK'} {k}".encode(),
        "ship_type": 80 if late and k % 4 == 3 else 70,
        "to_bow": 90 + (40 if late and k % 5 == 1 else 0),
        "to_stern": 20,
        "to_port": 9,
        "to_starboard": 9,
        "draught": 6.0 + 1.2 * (hour // 10 % 2) + 0.1 * (k % 3),
    }


def statics(rows) -> Static:
    """A report of type 5 from each ship about every hour in which it is heard, from rows (t, mmsi, ...) by time."""
    ships = {mmsi: k for k, mmsi in enumerate(sorted({row[1] for row in rows}))}
    lives = {mmsi: [np.inf, 0] for mmsi in ships}
    for t, mmsi, *_ in rows:
        lives[mmsi] = [min(lives[mmsi][0], t), t]
    last, told = {}, []
    for t, mmsi, *_ in rows:
        if t - last.get(mmsi, -HOUR) >= HOUR:
            last[mmsi], (begin, end) = t, lives[mmsi]
            hour = int(t - T0) // HOUR
            told.append({"t": t, "mmsi": mmsi, **_says(ships[mmsi], (t - begin) / max(end - begin, 1), hour)})
    columns = columns_of(STATIC_DTYPES, len(told))
    for name in told[0] if told else ():
        columns[name][:] = [row[name] for row in told]
    columns["msg_type"][:], columns["offset"] = 5, 5_000_000_000 + np.arange(len(told)) * 96
    return Static(columns)


def busy_world(seed=1, vessels=36, *, lat0=0.0, lon0=-30.0, every=6, ports=()) -> Fixes:
    """Fixes of a world with loitering, silences and meetings in the open sea, and calls at the given ports."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(vessels):
        mmsi = 211_000_000 + 7919 * k
        lat, lon = lat0 + rng.uniform(-1.5, 1.5), lon0 + rng.uniform(-1.5, 1.5)
        own = _track(rng, lat, lon, _legs(rng))
        phase = int(rng.integers(0, every))
        rows += [(T0 + t, mmsi, a, b, s) for t, a, b, s in own[phase::every]]
        if k % 3 == 0:  # a partner that keeps beside it: they meet in each slow stretch, and run as a convoy in between
            rows += [(T0 + t, mmsi + 1, a + 0.0012, b + 0.0012, s) for t, a, b, s in own[(phase + 2) % every :: every]]
    for n, (lat, lon) in enumerate(ports):
        for call in range(12):
            mmsi = 311_000_000 + 100 * n + call % 4
            begin = T0 + (call // 4) * 60 * HOUR + int(rng.integers(0, 300)) * MINUTE
            for m in range(0, 50 * 60, every):
                away = max(0, 600 - m, m - 2400) / 600 * 0.9
                speed = 0.0 if away == 0 else 5.4
                rows.append((begin + m * MINUTE, mmsi, lat + away, lon, speed))
    rows.sort()
    t, mmsi, lat, lon, sog = zip(*rows, strict=True)
    noise = rng.normal(0, 5 / 111_195, (2, len(rows)))  # 5 m
    return Fixes(
        {
            "t": np.array(t, np.int64),
            "mmsi": np.array(mmsi, np.uint32),
            "lat": np.array(lat) + noise[0],
            "lon": (np.array(lon) + noise[1] + 180.0) % 360.0 - 180.0,
            "sog": np.array(sog, np.float32),
            "cog": rng.uniform(0, 360, len(rows)).astype(np.float32),
            "offset": np.arange(len(rows)) * 48,
        },
        static=statics(rows),
    )


def deceived(seed=1, ships=28) -> Fixes:
    """Fixes of ships at sea under each of the attacks by turns, at the same hours."""
    rng = np.random.default_rng(seed)
    attacks = [deceive for _, deceive in ATTACKS.values()]
    tracks = {
        611_000_000 + k: attacks[k % len(attacks)](honest(rng, T0, 15, 180, -30 + 0.1 * k, -110, 12), rng)
        for k in range(ships)
    }
    fixes = fixes_of_tracks(tracks)
    return Fixes({**fixes.columns, "offset": fixes["offset"] + 20_000_000})
