"""Mass displacement: several ships are put in one place, or moved by one vector, at the same time.

Then it is the satellite navigation around them that is false, and no ship's doing (C4ADS 2019, "Above Us Only Stars":
ships by the score at one airport; SeaSpoofFinder 2026 keeps jumps only where several ships share source and target). So
false positions that place a ship (on land, in a circle, elsewhere) are called so when `min_ships` ships or more have
one within `within_s` of each other, at places no farther than `place_m` apart, or after displacements that differ by no
more than that or by a twentieth of their length (`same_way`). The fact `ships` says how many; the rest of the event
stays as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.detector import DerivedDetector, Known
from detectors.event import EVENT, FALSE_POSITION, label_code
from detectors.suspicion import CIRCLE, FACTS, IMPOSSIBLE_SPEED, ON_LAND, SHIPS
from geo.errors import UsageError
from geo.sphere import EARTH_RADIUS_M

MASS_DISPLACEMENT = label_code("mass_displacement")


@dataclass(frozen=True, slots=True, kw_only=True)
class MassDisplacementParams:
    """Thresholds of a mass displacement."""

    min_ships: int = 3
    """SeaSpoofFinder keeps clusters of several ships; two may be one company's transponders."""
    within_s: int = 1800
    """Half an hour from the beginning of one to that of another: what jams one receiver jams all in sight at once."""
    place_m: float = 10_000.0
    """One airport with its circles; GNSS errors of neighbours differ by less."""
    same_way: float = 0.05
    """Share of a displacement: ships go on between the fixes around it, and a degree east is not as long for each."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.min_ships < 2 or self.within_s < 0 or not (self.place_m > 0 and 0.0 <= self.same_way < 1.0):
            raise UsageError(f"mass displacement: two ships or more, a time and a distance are needed, not {self}")


class MassDisplacement(DerivedDetector):
    """Gives false positions that several ships share the label `mass_displacement`, in place."""

    name = "mass_displacement"
    Params = MassDisplacementParams
    kinds = ("false_position",)
    facts = FACTS
    label_in_id = True
    needs = ("false_position",)

    def derive(self, events: NDArray[Any], known: Known) -> NDArray[Any]:
        """No further events; those of ships that were displaced together are relabelled in `events` itself."""
        placing = np.isin(events["label"], (ON_LAND, CIRCLE, IMPOSSIBLE_SPEED))
        rows = np.flatnonzero((events["kind"] == FALSE_POSITION) & placing)
        rows = rows[np.argsort(events["t_start"][rows], kind="stable")]
        ships = self._together(events[rows])
        shared = ships >= self.params.min_ships
        events["facts"][rows[shared], SHIPS] = ships[shared]
        events["label"][rows[shared]] = MASS_DISPLACEMENT
        return np.zeros(0, EVENT)

    def _together(self, events: NDArray[Any]) -> NDArray[np.int64]:
        """How many ships, its own among them, share the place or the displacement of each event (sorted by start)."""
        place, moved, jumps = _places(events)
        t, mmsi, within_us = events["t_start"], events["mmsi"], self.params.within_s * 1_000_000
        first, last = np.searchsorted(t, t - within_us), np.searchsorted(t, t + within_us, side="right")
        reach = self.params.place_m / EARTH_RADIUS_M
        ships = np.ones(t.size, np.int64)
        for k in range(t.size):
            near = slice(first[k], last[k])
            same = np.linalg.norm(place[near] - place[k], axis=1) <= reach
            if jumps[k]:
                apart = max(reach, self.params.same_way * float(np.linalg.norm(moved[k])))
                same |= jumps[near] & (np.linalg.norm(moved[near] - moved[k], axis=1) <= apart)
            ships[k] = np.unique(mmsi[near][same]).size
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
