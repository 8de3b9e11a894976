"""What each ship said of itself, as kernels take it: the intervals of `ais.identity` with how long and how often."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.table import Table

HOUR_US = 3_600_000_000


class Said(NamedTuple):
    """Intervals by ship and time; `until` is when the ship last said so, `n` how often, `length` and `beam` in metres
    (0 not said), texts as bytes."""

    mmsi: NDArray[np.uint32]
    t_from: NDArray[np.int64]
    until: NDArray[np.int64]
    n: NDArray[np.int64]
    name: NDArray[np.uint8]
    callsign: NDArray[np.uint8]
    length: NDArray[np.int64]
    beam: NDArray[np.int64]
    ship_type: NDArray[np.uint8]
    imo: NDArray[np.uint32]


def said_of(identity: Table, vessels: Table) -> Said:
    """The intervals with their ends and counts.

    A source that tells only of changes (`n` is 0 there) does not say how often: what it told holds until it tells
    another thing, or the ship is heard no more, and counts as one report, and one more for each hour.
    """
    mmsi, t_from = np.ascontiguousarray(identity["mmsi"]), np.ascontiguousarray(identity["t_from"])
    until, n = identity["t_to"].astype(np.int64), identity["n"].astype(np.int64)
    if (n == 0).any():
        following = np.append(t_from[1:], 0)
        ends = np.flatnonzero(np.append(mmsi[1:] != mmsi[:-1], True))
        following[ends] = last_heard(vessels, mmsi[ends], until[ends])
        held = np.maximum(until, following)
        n = np.where(n == 0, 1 + (held - t_from) // HOUR_US, n)
        until = np.where(identity["n"] == 0, held, until)
    to = {name: identity[name].astype(np.int64) for name in ("to_bow", "to_stern", "to_port", "to_starboard")}
    return Said(
        mmsi,
        t_from,
        until,
        n,
        _bytes(identity["name"]),
        _bytes(identity["callsign"]),
        to["to_bow"] + to["to_stern"],
        to["to_port"] + to["to_starboard"],
        np.ascontiguousarray(identity["ship_type"]),
        np.ascontiguousarray(identity["imo"]),
    )


def last_heard(vessels: Table, mmsi: NDArray[np.uint32], otherwise: NDArray[np.int64]) -> NDArray[np.int64]:
    """When any hull of each MMSI was last heard; what is given for those that were not."""
    known, ends = vessels["mmsi"], vessels["t_last"]
    if not known.size:
        return otherwise
    first = np.flatnonzero(np.append(True, known[1:] != known[:-1]))
    latest, ships = np.maximum.reduceat(ends, first), known[first]
    at = np.minimum(np.searchsorted(ships, mmsi), ships.size - 1)
    return np.where(ships[at] == mmsi, latest[at], otherwise)


def _bytes(texts: NDArray[Any]) -> NDArray[np.uint8]:
    texts = np.ascontiguousarray(texts)
    return texts.view(np.uint8).reshape(texts.size, texts.dtype.itemsize)
