"""What the engine finds out of rows before detectors look at them: their order, how long the feed was heard, class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.table import NAT
from geo.kernel import kernel

FEED_SILENCE_US = 1_800_000_000
"""Half an hour without a message from any ship at all is the silence of the feed, not of its ships."""


@kernel
def in_order(t, mmsi, source, offset):
    """Whether rows are sorted by all four already, the first of them first."""
    for i in range(1, t.size):
        if t[i - 1] < t[i]:
            continue
        if t[i - 1] > t[i] or mmsi[i - 1] > mmsi[i]:
            return False
        if mmsi[i - 1] == mmsi[i] and (
            source[i - 1] > source[i] or (source[i - 1] == source[i] and offset[i - 1] > offset[i])
        ):
            return False
    return True


@kernel
def fill_alive(t, last, heard, alive):
    """For each row, the time in µs for which the feed was heard up to it; `heard` is that up to `last`, the row before
    (NAT: none). The time of the last row, and what is heard then.
    """
    for i in range(t.size):
        if last != NAT and t[i] - last <= FEED_SILENCE_US:
            heard += t[i] - last
        last = t[i]
        alive[i] = heard
    return last, heard


@kernel
def fill_class_b(msg_type, class_b):
    """1 for the message types of class B transponders (ITU-R M.1371)."""
    for i in range(msg_type.size):
        kind = msg_type[i]
        class_b[i] = kind == 18 or kind == 19 or kind == 24


def taken(rows: dict[str, NDArray[Any]], wanted: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    """Some of the rows; no copy of them where they are the first or the last, as in a feed that is in order."""
    n, size = int(np.count_nonzero(wanted)), wanted.size
    chosen: Any = slice(0, n) if wanted[:n].all() else slice(size - n, size) if wanted[size - n :].all() else wanted
    return {name: column[chosen] for name, column in rows.items()}
