"""A pool of records: of a ship with which nothing goes on a detector keeps one short record.

The longer one, for what goes on with a ship (`part`), is in a pool, and free again when it ends.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from detectors.detector import Columns, HullDetector, grown
from detectors.snapshot import State, copied
from geo.kernel import inlined, inner

FREE, USED = range(2)
"""In the head of a pool: the first free record + 1, from which `n` leads to the next; and how many were ever used."""
FEWEST_PARTS = 64


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
    flush_changes = ("states", "parts", "pool")
    numbered: ClassVar[tuple[str, int]]
    """The field of a state that has the number of its part, positive where there is one, and how many bits of it are
    something else, below."""

    def __init__(self, params: Any = None) -> None:
        super().__init__(params)
        self.arrays |= {"parts": np.zeros(FEWEST_PARTS, self.part).view(np.recarray), "pool": np.zeros(2, np.int64)}

    def make_room(self) -> None:
        """Double the pool when it is full."""
        parts, pool = self.arrays["parts"], self.arrays["pool"]
        if pool[FREE] == 0 and pool[USED] == parts.size:
            size = 2 * parts.size if self.max_vessels is None else min(2 * parts.size, self.max_vessels + 1)
            self.arrays["parts"] = grown(parts, size, exactly=True)

    def most_bytes(self, max_vessels: int) -> int:
        """Bytes of all arrays at most, with so many hulls: of each one part."""
        return super().most_bytes(max_vessels) + max(FEWEST_PARTS, max_vessels + 1) * self.part.itemsize + 16

    def copies(self, arrays: State, slots: slice) -> State:
        """Copies for `flush`: the states of these hulls, and of the parts only theirs."""
        states, (name, bits) = copied(arrays["states"][slots]), self.numbered
        numbers = states[name] >> bits
        own = np.flatnonzero(numbers > 0)
        parts = np.zeros(own.size + 1, self.part).view(np.recarray)
        parts[:-1] = arrays["parts"][numbers[own] - 1]
        states[name][own] += (1 + np.arange(own.size) - numbers[own]) << bits
        return {"states": states, "parts": parts, "pool": np.array([0, own.size])}

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
