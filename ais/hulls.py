"""What is kept of each hull: one record, and a table from MMSI to the first of its hulls.

A record holds what `ais.tracks` asks of a hull (where it was last, where shortly before) and what is told of it at the
end (where it was first, how many fixes it has, how fast it goes): one place for both, 120 bytes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.kernel import inlined, inner, kernel

CONFIRMED = 3
"""Fixes of a hull before it is believed; the first hull of an MMSI is believed at once."""
RECENT = 6
"""Fixes in which a copy is looked for: a class A ship sends at most every 2 s, so that six span the window of 10 s."""
SPEED_EDGES_KN = (4, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 24, 30, 40)
"""Upper edges of the bins in which the speeds of a hull are counted: a knot wide where merchant ships sail, wider where
few do; what is faster counts in the last (fast ferries reach 40 kn)."""
FULL = 255
"""A bin that holds so many is halved together with its neighbours: shares stay, and the record stays small."""

HULL = np.dtype(
    [
        ("t", "i8"),  # the last fix
        ("t_first", "i8"),  # the first that is believed
        ("lat", "i4"),  # in steps of `geo.steps`
        ("lon", "i4"),
        ("lat_recent", "i4", (RECENT - 1,)),  # fixes before the last, in a ring, in steps of the field
        ("lon_recent", "i4", (RECENT - 1,)),
        ("lat_first", "f4"),  # to 2 m
        ("lon_first", "f4"),
        ("sog", "f4"),  # the last that is one; 0 before
        ("mmsi", "u4"),
        ("n", "u4"),  # fixes
        ("next", "i4"),  # slot of the next hull of this MMSI, -1 none
        ("t_recent", "u2", (RECENT - 1,)),  # in ticks modulo 2^16
        ("hull", "u1"),
        ("at", "u1"),  # place in the ring of the next fix
        ("held", "u1"),  # fixes in the ring
        ("fresh", "u1"),  # how many of these may be copied still
        ("classes", "u1"),  # of transponder heard so far
        ("coarse", "u1"),  # 1: the last fix is of type 27
        ("speeds", "u1", (len(SPEED_EDGES_KN),)),
    ],
    align=True,
)
"""What is kept of a hull: 120 bytes."""

_BIN_OF_KN = np.searchsorted(SPEED_EDGES_KN, np.arange(SPEED_EDGES_KN[-1]), side="right").astype(np.uint8)


class Hulls(NamedTuple):
    """All hulls seen: records by slot, and a hash table from MMSI to its first slot (-1: empty)."""

    rows: NDArray[Any]
    table: NDArray[np.int32]
    used: NDArray[np.int64]  # one number: slots in use


def new_hulls(capacity: int = 1024) -> Hulls:
    """Room for `capacity` hulls; the table has two places for each but one, rounded up to a power of two."""
    rows = np.zeros(capacity, HULL).view(np.recarray)
    return Hulls(rows, np.full(1 << (2 * capacity - 3).bit_length(), -1, np.int32), np.zeros(1, np.int64))


def grow_hulls(hulls: Hulls, most: int) -> Hulls:
    """The same hulls with twice the room, or room for `most` where that is less; slots stay as they are."""
    bigger = new_hulls(max(hulls.rows.size + 1, min(2 * hulls.rows.size, most)))
    bigger.rows[: hulls.rows.size] = hulls.rows
    bigger.used[:] = hulls.used
    _rebuild(bigger.rows, bigger.table, int(hulls.used[0]))
    return bigger


def keep_hulls(hulls: Hulls, kept: NDArray[np.intp]) -> None:
    """Let go of all hulls but those in these slots (ascending), which take the first slots in their order."""
    place = new_places(int(hulls.used[0]), kept)
    rows = hulls.rows[kept]
    rows["next"] = np.where(rows["next"] >= 0, place[rows["next"]], -1)
    hulls.rows[: kept.size], hulls.used[0] = rows, kept.size
    hulls.rows[kept.size :] = np.zeros((), HULL)
    hulls.table[:] = -1
    _rebuild(hulls.rows, hulls.table, kept.size)


def new_places(used: int, kept: NDArray[np.intp]) -> NDArray[np.int32]:
    """By slot before, the slot after all but `kept` have gone; -1 gone."""
    place = np.full(used, -1, np.int32)
    place[kept] = np.arange(kept.size)
    return place


def believed_fixes(rows: NDArray[Any]) -> NDArray[np.uint32]:
    """How many fixes of each hull are believed: all of the first of an MMSI, of others those from the third on."""
    doubted = np.where(rows["hull"] == 0, 0, CONFIRMED - 1)
    return np.maximum(rows["n"].astype(np.int64) - doubted, 0).astype(np.uint32)


def speed_quantile_kn(speeds: NDArray[np.uint8], share: float) -> NDArray[np.float32]:
    """Upper edge of the bin in which the given share of a hull's moving reports is reached; NaN without any."""
    so_far = np.cumsum(speeds, axis=1, dtype=np.uint16)  # at most 255 in each of a few bins
    total = so_far[:, -1].astype(np.int64)
    reached = so_far >= share * total[:, None]
    return np.where(total > 0, np.asarray(SPEED_EDGES_KN)[reached.argmax(axis=1)], np.nan).astype(np.float32)


@inner
def find_mmsi(rows, table, mmsi):
    """The place in the table of an MMSI: where its first slot stands, or the empty place where it would."""
    mask = table.size - 1
    at = (np.int64(mmsi) * 0x9E3779B1 >> 8) & mask
    while table[at] >= 0 and rows[table[at]].mmsi != mmsi:
        at = (at + 1) & mask
    return at


@kernel
def _rebuild(rows, table, used):
    for slot in range(used):
        if rows[slot].hull == 0:
            table[find_mmsi(rows, table, rows[slot].mmsi)] = slot


@inlined
def is_sure(row):
    """Is the hull believed?"""
    return row.hull == 0 or row.n >= CONFIRMED


@inlined
def count_fix(row, t, lat, lon, sog):
    """A hull that is believed has gone on to a fix: note the first, and the speed."""
    if row.n == (1 if row.hull == 0 else CONFIRMED):
        row.t_first, row.lat_first, row.lon_first = t, lat, lon
    if sog > 0.5:  # at rest a ship shows nothing of its speed; NaN is not counted either
        k = _BIN_OF_KN[int(min(SPEED_EDGES_KN[-1] - 1.0, sog))]
        if row.speeds[k] == FULL:
            for j in range(row.speeds.size):
                row.speeds[j] //= 2
        row.speeds[k] += 1
