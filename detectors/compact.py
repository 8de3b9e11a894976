"""How the state of a ship stays small: positions as whole numbers, where a row came from in one number, and a pool.

A position is kept in steps of 1/9,000,000 degree, 1.2 cm: so those of AIS (1/10000 minute) and all of six decimals come
out as they went in. Of a ship that does nothing a detector keeps one short record; the longer one, for what goes on
with a ship (`part`), is in a pool, and free again when it ends.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from detectors.detector import Columns, HullDetector, grown
from geo.kernel import inlined, inner
from geo.sphere import EARTH_RADIUS_M, cos_sin_deg, distance_m

STEPS_PER_DEG = 9_000_000.0
M_PER_STEP = math.radians(EARTH_RADIUS_M) / STEPS_PER_DEG
"""Of latitude."""
TURN = 3_240_000_000
"""Steps of 360 degrees."""
NEAR_STEPS = 900_000
"""A tenth of a degree: so near the sphere is flat to a millionth."""
_OFFSET = (1 << 48) - 1
FREE, USED = range(2)
"""In the head of a pool: the first free record + 1, from which `n` leads to the next; and how many were ever used."""


@inlined
def steps_of(deg):
    """Degrees in whole steps."""
    return np.int64(math.floor(deg * STEPS_PER_DEG + 0.5))


@inlined
def deg_of(steps):
    """Steps in degrees."""
    return steps / STEPS_PER_DEG


@inlined
def turned(dlon):
    """A difference of longitudes in steps, the short way round."""
    return dlon - TURN if dlon >= TURN // 2 else dlon + TURN if dlon < -TURN // 2 else dlon


@inner
def way_m(lat1, lon1, lat2, lon2):
    """Metres between two positions in steps, to a millionth."""
    y, x = lat2 - lat1, lon2 - lon1
    if abs(y) + abs(x) > NEAR_STEPS:
        return distance_m(deg_of(lat1), deg_of(lon1), deg_of(lat2), deg_of(lon2))
    east = x * cos_sin_deg(0.5 * deg_of(lat1 + lat2))[0]
    return M_PER_STEP * math.sqrt(y * y + east * east)


@inlined
def origin(source, offset):
    """Source and offset of a row in one number; an offset has 47 bits and a sign."""
    return np.int64(source) << 48 | np.int64(offset) & _OFFSET


@inlined
def source_of(packed):
    """The source of a row."""
    return packed >> 48 & 0xFFFF


@inlined
def offset_of(packed):
    """The offset of a row."""
    return packed << 16 >> 16


@inlined
def is_full(parts, pool):
    """Whether the pool has no record left."""
    return pool[FREE] == 0 and pool[USED] == parts.size


@inner
def take(parts, pool):
    """A record of the pool: its number, from 1 on."""
    number = pool[FREE]
    if number:
        pool[FREE] = parts[number - 1].n
        return number
    pool[USED] += 1
    return pool[USED]


@inner
def give_back(parts, pool, number):
    """The record is free again."""
    parts[number - 1].n = pool[FREE]
    pool[FREE] = number


class PooledDetector(HullDetector):
    """A detector of one ship at a time that keeps a `part` only of ships with which something goes on.

    `loop` and `end` take the parts and the head of the pool after the states. No row needs more than one more part:
    `loop` stops before a row when the pool is full, and `end` needs one at most at a time.
    """

    part: ClassVar[np.dtype[Any]]

    def __init__(self, params: Any = None) -> None:
        super().__init__(params)
        self.arrays |= {"parts": np.zeros(64, self.part).view(np.recarray), "pool": np.zeros(2, np.int64)}

    def make_room(self) -> None:
        """Double the pool when it is full."""
        parts, pool = self.arrays["parts"], self.arrays["pool"]
        if pool[FREE] == 0 and pool[USED] == parts.size:
            self.arrays["parts"] = grown(parts, 2 * parts.size)

    def run(self, columns: Columns, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """Rows from `begin` on: (the row where it stopped, events written to `out`)."""
        stopped, events = type(self).loop(*self._states(), columns, begin, self.limits(), out)
        return int(stopped), int(events)

    def flush(self, now: int, alive: int, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """What the end of the input at `now` tells: (slot where it stopped or -1, events written to `out`)."""
        stopped, events = type(self).end(*self._states(), now, alive, begin, self.limits(), out)
        return int(stopped), int(events)

    def _states(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        return self.arrays["states"], self.arrays["parts"], self.arrays["pool"]
