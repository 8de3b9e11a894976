"""Mass displacement: several ships are put in one place, or moved by one vector, at the same time.

Then it is the satellite navigation around them that is false, and no ship's doing (C4ADS 2019, "Above Us Only Stars":
ships by the score at one airport; SeaSpoofFinder 2026 keeps jumps only where several ships share source and target). So
false positions that place a ship (on land, in a circle, elsewhere) are called so when `min_ships` ships or more have
one within `within_us` of each other, at places no farther than `place_m` apart, or after displacements that differ by
no more than that or by a twentieth of their length (`same_way`). The fact `ships` says how many; the rest of the event
stays as it was.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.event import label_code
from detectors.suspicion import CIRCLE, IMPOSSIBLE_SPEED, ON_LAND, SHIPS
from geo.kernel import kernel
from geo.sphere import EARTH_RADIUS_M

MASS_DISPLACEMENT = label_code("mass_displacement")


@kernel
def count_ships(first, last, place, moved, jumps, ship, reach, same_way, seen, ships):
    """For each event, how many ships have one from `first` to `last` that shares its place or its displacement."""
    for k in range(first.size):
        apart = max(reach, same_way * math.sqrt(moved[k, 0] * moved[k, 0] + moved[k, 1] * moved[k, 1]))
        ships[k] = 0
        for j in range(first[k], last[k]):
            x, same = place[j, 0] - place[k, 0], False
            if abs(x) <= reach:  # few are
                y, z = place[j, 1] - place[k, 1], place[j, 2] - place[k, 2]
                same = math.sqrt(x * x + y * y + z * z) <= reach
            if not same and jumps[k] and jumps[j]:
                north, east = moved[j, 0] - moved[k, 0], moved[j, 1] - moved[k, 1]
                same = math.sqrt(north * north + east * east) <= apart
            if same and seen[ship[j]] != k:
                seen[ship[j]] = k
                ships[k] += 1


def displaced_together(
    events: NDArray[Any], min_ships: int, within_us: int, place_m: float, same_way: float
) -> NDArray[Any]:
    """Records of false positions; those that several ships share have the label and the number of the ships."""
    events = events.copy()
    rows = np.flatnonzero(np.isin(events["label"], (ON_LAND, CIRCLE, IMPOSSIBLE_SPEED)))
    rows = rows[np.argsort(events["t_start"][rows], kind="stable")]
    ships = _together(events[rows], within_us, place_m / EARTH_RADIUS_M, same_way)
    shared = ships >= min_ships
    events["facts"][rows[shared], SHIPS] = ships[shared]
    events["label"][rows[shared]] = MASS_DISPLACEMENT
    return events


def _together(events: NDArray[Any], within_us: int, reach: float, same_way: float) -> NDArray[np.int64]:
    """How many ships, its own among them, share the place or the displacement of each event (sorted by start)."""
    place, moved, jumps = _places(events)
    t, mmsi = events["t_start"], events["mmsi"]
    first, last = np.searchsorted(t, t - within_us), np.searchsorted(t, t + within_us, side="right")
    _, ship = np.unique(mmsi, return_inverse=True)
    ships, seen = np.ones(t.size, np.int64), np.full(t.size, -1)
    count_ships(first, last, place, moved, jumps, ship, reach, same_way, seen, ships)
    return ships


def _places(events: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Where each event puts its ship (unit vector), by how much north and east (radians), and whether that is known."""
    jumps = (events["label"] == IMPOSSIBLE_SPEED) & np.isfinite(events["distance_m"])
    lat = np.radians(np.where(jumps, events["lat_end"], events["lat"]))
    lon = np.radians(np.where(jumps, events["lon_end"], events["lon"]))
    place = np.stack((np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)), axis=1)
    north = lat - np.radians(events["lat"])
    east = (lon - np.radians(events["lon"]) + np.pi) % (2.0 * np.pi) - np.pi
    return place, np.stack((north, east * np.cos(np.radians(events["lat"]))), axis=1), jumps
