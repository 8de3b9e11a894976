"""What the geo benchmark asks about: positions, zones, ports and gaps, seeded, as files that every peer can read."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SHIP_FIXES = 100
"""Of a ship, one a minute at 12 kn: a million positions are half ships, half single places all over the globe."""
ZONES = 300
CORNERS = 400
"""Of a zone, which is as wide as 0.5 to 12 degrees: about what a file of EEZs has after it is simplified."""
GAP_KN = 10.0
HOUR_US = 3_600_000_000
NAMED_GAPS_H = {"an hour": 1.0, "18 days": 18 * 24.0, "60 days": 60 * 24.0}


def positions(n: int, seed: int) -> NDArray[np.float64]:
    """Latitudes and longitudes (2, n) in degrees."""
    rng = np.random.default_rng(seed)
    ships = n // 2 // SHIP_FIXES
    lat = np.degrees(np.arcsin(rng.uniform(-0.94, 0.94, ships)))
    lon, course = rng.uniform(-178, 178, ships), rng.uniform(0, 2 * np.pi, ships)
    step = np.arange(SHIP_FIXES) * (12 / 60 / 60)
    ship_lat = lat[:, None] + np.cos(course)[:, None] * step
    ship_lon = lon[:, None] + np.sin(course)[:, None] * step / np.cos(np.radians(lat))[:, None]
    single = n - ship_lat.size
    lats = np.concatenate([ship_lat.ravel(), np.degrees(np.arcsin(rng.uniform(-1, 1, single)))])
    lons = np.concatenate([ship_lon.ravel(), rng.uniform(-180, 180, single)])
    return np.stack([lats, lons])


def zones_geojson(seed: int) -> dict[str, object]:
    """Star-shaped zones, which overlap here and there."""
    rng = np.random.default_rng(seed)
    features = []
    for number in range(ZONES):
        lat, lon, size = rng.uniform(-65, 65), rng.uniform(-150, 150), rng.uniform(0.5, 12)
        angle = np.sort(rng.uniform(0, 2 * np.pi, CORNERS))
        waves = rng.uniform(-0.12, 0.12, 3)
        reach = size * (0.6 + sum(wave * np.sin((3 * k + 2) * angle) for k, wave in enumerate(waves)))
        ring = np.stack([lon + reach * np.cos(angle), lat + reach * np.sin(angle)], axis=1).round(6).tolist()
        geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
        features.append({"type": "Feature", "properties": {"name": f"zone {number}"}, "geometry": geometry})
    return {"type": "FeatureCollection", "features": features}


def gaps(n: int, seed: int) -> NDArray[np.float64]:
    """Rows (lat0, lon0, lat1, lon1, hours) off north-east Asia, both ends at sea: three named ones, then drawn ones."""
    from geo.coast import is_sea

    rng = np.random.default_rng(seed)
    rows = [[35.0, 129.4, 35.05, 129.45, 1.0], [35.0, 129.4, 38.0, 131.5, 432.0], [35.0, 129.4, 30.0, 125.0, 1440.0]]
    while len(rows) < n + len(NAMED_GAPS_H):
        lat, lon = rng.uniform(24, 46), rng.uniform(119, 146)
        hours = 10 ** rng.uniform(0, math.log10(1440))
        far = min(hours * GAP_KN / 60 * rng.uniform(0, 0.4), 4.0)
        angle = rng.uniform(0, 2 * np.pi)
        end = lat + far * math.cos(angle), lon + far * math.sin(angle) / math.cos(math.radians(lat))
        if is_sea([lat, end[0]], [lon, end[1]]).all():
            rows.append([lat, lon, *end, hours])
    return np.array(rows)


def make(folder: str, points: int, gap_count: int) -> dict[str, object]:
    """Write all inputs into `folder`."""
    from geo.ports import ports

    place = Path(folder)
    everywhere = positions(points, 1)
    np.save(place / "points.npy", everywhere)
    np.save(place / "warm.npy", everywhere[:, :2].copy())
    np.save(place / "gaps.npy", gaps(gap_count, 3))
    np.save(place / "ports.npy", np.array([(port.lat, port.lon) for port in ports()]).T)
    (place / "zones.geojson").write_text(json.dumps(zones_geojson(4)))
    return {"points": points, "gaps": gap_count}
