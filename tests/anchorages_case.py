"""Stays of ships and anchorages that several test modules use."""

import functools
import math

import numpy as np

from geo.anchorages import Anchorages
from geo.anchoring import discover
from geo.sphere import destination
from tests.feeds import HOUR, MINUTE, T0

DAY = 24 * HOUR


def _rows(fixes):
    return list(zip(*(fixes[name].tolist() for name in ("t", "mmsi", "lat", "lon", "sog")), strict=True))


def _lie(start_h, hours, *, mmsi=211_000_001, lat=34.0, lon=-30.0, swing_m=0.0, every=10, sog=0.1):
    rows = []
    for m in range(int(start_h * 60), int((start_h + hours) * 60) + 1, every):
        y, x = destination(lat, lon, 360.0 * m / 745.0, swing_m)
        rows.append((T0 + m * MINUTE, mmsi, float(y), float(x), sog))
    return rows


def _table(rows):
    """Columns of stationary periods from (mmsi, lat, lon, start in days, hours, swing in m)."""
    mmsi, lat, lon, start, hours, swing = (np.array(column) for column in zip(*rows, strict=True))
    t_start = (T0 + start * DAY).astype(np.int64)
    stay = (hours * HOUR).astype(np.int64)
    made = {"mmsi": mmsi, "t_start": t_start, "t_end": t_start + stay, "stay_us": stay, "lat": lat, "lon": lon}
    return {**made, "swing_m": swing}


def _scripted(seed, places=12, lon_shift=0.0, most=40):
    """Anchorages of 600 to 6,000 m at sea, far apart; lone stops between them; ships that lie for a year.

    (columns, [(lat, lon, radius in m, ships)]): of each place as many ships as 3 to `most`.
    """
    rng = np.random.default_rng(seed)
    rows, script, mmsi = [], [], 210_000_000
    for k in range(places):
        lat, lon = -50.0 + 100.0 * rng.random(), (-178.0 + 356.0 * k / places + lon_shift + 180.0) % 360.0 - 180.0
        radius, ships = float(rng.choice([600.0, 1500.0, 3000.0])), int(rng.integers(3, most))
        script.append((lat, lon, radius, ships))
        for _ in range(ships):
            mmsi += 1
            for _ in range(int(rng.integers(1, 4))):
                y, x = destination(lat, lon, rng.uniform(0, 360), radius * math.sqrt(rng.random()))
                rows.append((mmsi, y, x, rng.uniform(0, 300), rng.uniform(12, 90), rng.uniform(100, 300)))
    for _ in range(150):
        mmsi += 1
        lat, lon, *_ = script[rng.integers(places)]
        y, x = destination(lat, lon, rng.uniform(0, 360), rng.uniform(20e3, 300e3))
        rows.append((mmsi, y, x, rng.uniform(0, 300), rng.uniform(12, 90), 100.0))
    for _ in range(8):
        mmsi += 1
        lat, lon, *_ = script[rng.integers(places)]
        y0, x0 = destination(lat, lon, rng.uniform(0, 360), rng.uniform(400e3, 500e3))
        for n in range(60):
            y, x = destination(y0, x0, rng.uniform(0, 360), rng.uniform(0, 500))
            rows.append((mmsi, y, x, n * 6.0, 140.0, 200.0))
    return _table(rows), script


@functools.cache
def _known() -> Anchorages:
    """A few anchorages, the most crowded one across 180 degrees."""
    _, script = _scripted(5, places=6)
    crowded = max(script, key=lambda place: place[3])
    return discover(_scripted(5, places=6, lon_shift=180.0 - crowded[1])[0], made_with={"min_stay_s": 43_200})
