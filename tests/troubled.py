"""Tracks as trouble makes them: shared numbers, clones, clocks, stray bits, type 27, copies, speeds that are none."""

import numpy as np

from tests.feeds import HOUR, MINUTE, SECOND, T0

NO_SOG = (np.nan, 51.2, 63.0, 102.3)
INTERVALS = (2 * SECOND, 10 * SECOND, MINUTE, 10 * MINUTE, 2 * HOUR)


def ship(rng, mmsi, lat, lon, n):
    """Rows of one ship that changes course, speed, interval and its mind, and falls silent now and then."""
    kind = rng.choice([1, 3, 18, 19, 0])
    t, rows = T0 + int(rng.integers(0, 6 * HOUR)), []
    sog, cog = rng.choice([0.0, 8.0, 14.0, 45.0]), rng.uniform(0, 360)
    every = int(rng.choice(INTERVALS))
    for _ in range(n):
        if rng.random() < 0.05:
            sog, cog, every = rng.choice([0.0, 8.0, 14.0]), rng.uniform(0, 360), int(rng.choice(INTERVALS))
        dt = int(every * rng.uniform(0.5, 1.5)) + (int(rng.integers(0, 72 * HOUR)) if rng.random() < 0.02 else 0)
        way = sog / 60 * dt / HOUR
        lat = min(85.0, max(-85.0, lat + way * np.cos(np.radians(cog))))
        lon += way * np.sin(np.radians(cog)) / np.cos(np.radians(lat))
        t += dt
        rows.append([t, mmsi, lat + rng.normal(0, 1e-4), lon + rng.normal(0, 1e-4), sog, cog, kind])
    return rows


def trouble(rng, row):
    """A row as it may arrive, and perhaps its copies."""
    t, mmsi, lat, lon, sog, cog, kind = row
    if rng.random() < 0.05:
        lat, lon = rng.uniform(-80, 80), rng.uniform(-180, 180)
    if rng.random() < 0.05:
        t += int(rng.integers(-5 * MINUTE, 5 * MINUTE))
    if rng.random() < 0.1:
        sog = rng.choice(NO_SOG)
    if rng.random() < 0.3:
        cog = np.nan
    if rng.random() < 0.1:
        lat, lon, kind = round(lat * 600) / 600, round(lon * 600) / 600, 27
    lat, lon = round(lat * 600_000) / 600_000, ((round(lon * 600_000) / 600_000) + 180) % 360 - 180
    sog, cog = float(np.float32(sog)), float(np.float32(cog))
    yield t, mmsi, lat, lon, sog, cog, int(kind)
    if rng.random() < 0.2:
        late = int(rng.choice([0, SECOND, 9 * SECOND, 90 * SECOND, 4 * MINUTE]))
        yield t + late, mmsi, lat, lon, sog, cog, int(kind)


def troubled(seed, numbers=2, ships=3, n=60):
    """Rows of some MMSIs, each of several ships, in time order."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(numbers):
        lat, lon = rng.uniform(-60, 60), rng.choice([rng.uniform(-180, 180), 179.99])
        for _ in range(int(rng.integers(1, ships + 1))):
            far = rng.choice([0.01, 0.3, 40.0])
            place = np.clip(lat + rng.normal(0, far), -80, 80), lon + rng.normal(0, far)
            track = ship(rng, 211_000_000 + k, *place, n)
            rows += [out for row in track for out in trouble(rng, row)]
    return sorted(rows, key=lambda row: row[:2])
