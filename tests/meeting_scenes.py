"""Ships drawn by legs in metres about one place, heard at given minutes, with what they say of themselves."""

import math

import numpy as np

from ais.table import STATIC_DTYPES, Fixes, Static, columns_of
from tests.feeds import MINUTE, T0

M_PER_DEG = 111_195.08
KN = 1852.0 / 3600.0


class Ship:
    """A ship whose way is given by knots (minute, metres north, metres east); straight and even between them."""

    def __init__(self, mmsi, knots, *, ship_type=0, heading=None, status=0, sides=(0, 0, 0, 0), minutes=None, every=5):
        self.mmsi, self.ship_type, self.heading, self.status, self.sides = mmsi, ship_type, heading, status, sides
        self.knots = np.array(knots, float)
        self.minutes = np.arange(self.knots[0, 0], self.knots[-1, 0], every) if minutes is None else np.array(minutes)

    def rows(self, lat0, lon0):
        t, north, east = self.knots.T
        m = self.minutes
        at = [np.interp(m, t, north), np.interp(m, t, east)]
        k = np.clip(np.searchsorted(t, m, side="right") - 1, 0, t.size - 2)
        velocity = [(np.diff(way) / np.diff(t) / 60.0)[k] for way in (north, east)]
        cog = np.degrees(np.arctan2(velocity[1], velocity[0])) % 360.0
        n = len(m)
        return {
            "t": T0 + np.round(np.asarray(m) * MINUTE).astype(np.int64),
            "mmsi": np.full(n, self.mmsi),
            "lat": lat0 + at[0] / M_PER_DEG,
            "lon": (lon0 + at[1] / M_PER_DEG / math.cos(math.radians(lat0)) + 180.0) % 360.0 - 180.0,
            "sog": np.hypot(*velocity) / KN,
            "cog": cog,
            "heading": cog if self.heading is None else np.full(n, float(self.heading)),
            "nav_status": np.full(n, self.status),
        }


def scene(*ships, lat=0.0, lon=-30.0):
    """Fixes and static reports of ships about a place."""
    rows = [ship.rows(lat, lon) for ship in ships]
    columns = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    columns["offset"] = np.arange(columns["t"].size) * 50
    static = columns_of(STATIC_DTYPES, len(ships))
    static["t"][:] = T0
    for k, ship in enumerate(ships):
        static["mmsi"][k], static["ship_type"][k] = ship.mmsi, ship.ship_type
        for side, name in zip(ship.sides, ("to_bow", "to_stern", "to_port", "to_starboard"), strict=True):
            static[name][k] = side
    return Fixes(columns, Static(static)).sort()


def visit(mmsi, stay=240, *, course=0.0, knots=10.0, at=(0.0, 0.0), drift_kn=0.0, away=240, begin=0, **said):
    """A ship that comes at a speed on a course, stays beside the place, and goes on."""
    cruise = knots * KN * 60.0
    step = np.array([math.cos(math.radians(course)), math.sin(math.radians(course))])
    first = np.array(at, float)
    last = first + np.array([0.0, drift_kn * KN * 60.0 * stay])
    way = [
        (begin - away, *(first - away * cruise * step)),
        (begin, *first),
        (begin + stay, *last),
        (begin + stay + away, *(last + away * cruise * step)),
    ]
    return Ship(mmsi, way, **said)
