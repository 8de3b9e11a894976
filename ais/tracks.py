"""Fixes to tracks: copies folded, ships behind one MMSI told apart, impossible jumps marked.

A fix belongs to the hull of its MMSI from which it can have been reached: the implied speed, less a tolerance of 500
m for position noise and rounding, is at most 30 kn, or 1.5 times the speed that the ship itself reports. Of several
such hulls the nearest in space and time is taken (distance + 1 m/s of silence), so that a ship that shares its MMSI
with a silent one never fills the other's silence. A fix that no hull can have reached opens a new one; it is marked
as a jump, and so is the next, until the third confirms that a second ship is there. A fix that repeats a position
of its hull within 10 s (another station's copy), or gives a second position for the same instant, is a duplicate.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.status import DUPLICATE, JUMP, NO_POSITION, NO_TIME, NOT_A_SHIP, OK, POSITION_OUT_OF_RANGE
from ais.table import NAT, Fixes
from geo.cells import INDEX_RESOLUTION, cells
from geo.kernel import inner, kernel
from geo.sphere import KN_M_S, distance_m

COPY_WINDOW_US = 10_000_000
"""Copies of one transmission by several stations arrive within 10 s (DMA AisLib's duplicate filter)."""
MAX_SPEED_KN = 30.0
"""Merchant ships stay below 25 kn (gpsdio-segment's limit); 30 leaves room for clocks that are off."""
SOG_FACTOR = 1.5
MAX_SOG_KN = 60.0
"""A reported speed above this is no evidence of a fast ship."""
TOLERANCE_M = 500.0
SILENCE_M_S = 1.0
CONFIRMED = 3
RECENT = 6
"""Fixes in which a copy is looked for: a class A ship sends at most every 2 s, so that six span the window."""
MAX_HULLS = 4

HULL = np.dtype(
    [
        ("t", "i8"),
        ("lat", "f8"),
        ("lon", "f8"),
        ("t_recent", "i8", (RECENT,)),  # the last fixes, in a ring: what a copy can repeat
        ("lat_recent", "f8", (RECENT,)),
        ("lon_recent", "f8", (RECENT,)),
        ("sog", "f4"),
        ("mmsi", "u4"),
        ("n", "i4"),
        ("next", "i4"),  # slot of the next hull of this MMSI, -1 none
        ("hull", "u1"),
        ("sure", "u1"),  # 1: confirmed
    ],
    align=True,
)


class Hulls(NamedTuple):
    """All hulls seen: records by slot, and a hash table from MMSI to its first slot (-1: empty)."""

    rows: NDArray[Any]
    table: NDArray[np.int32]
    used: NDArray[np.int64]  # one number: slots in use


def new_hulls(capacity: int = 1024) -> Hulls:
    """Room for `capacity` hulls (a power of two); the table has four places for each."""
    rows = np.zeros(capacity, HULL).view(np.recarray)
    return Hulls(rows, np.full(4 * capacity, -1, np.int32), np.zeros(1, np.int64))


def grow_hulls(hulls: Hulls) -> Hulls:
    """The same hulls with twice the room; slots stay as they are."""
    bigger = new_hulls(2 * hulls.rows.size)
    bigger.rows[: hulls.rows.size] = hulls.rows
    bigger.used[:] = hulls.used
    _rebuild(bigger.rows, bigger.table, int(hulls.used[0]))
    return bigger


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


@inner
def is_ship(mmsi):
    """Is it the MMSI of a ship? Nine digits that begin with a country (2 to 7).

    Base stations begin with 00, groups with 0, SAR aircraft with 111, handhelds with 8, SARTs with 970 to 974,
    auxiliary craft with 98 and aids to navigation with 99 (ITU-R M.585).
    """
    return 200_000_000 <= mmsi < 800_000_000


@inner
def is_copy(row, t, lat, lon):
    """Does this fix repeat one of the last of a hull, or give it a second position for the same instant?"""
    if t == row.t and distance_m(row.lat, row.lon, lat, lon) <= TOLERANCE_M:
        return True
    for k in range(RECENT):
        if t - row.t_recent[k] < COPY_WINDOW_US and lat == row.lat_recent[k] and lon == row.lon_recent[k]:
            return True
    return False


@inner
def can_reach(row, t, distance, sog):
    """Can the hull have come this far by then?"""
    fastest = 0.0
    if row.sog <= MAX_SOG_KN:
        fastest = float(row.sog)
    if sog <= MAX_SOG_KN and sog > fastest:
        fastest = float(sog)
    limit = max(MAX_SPEED_KN, SOG_FACTOR * fastest) * KN_M_S
    return distance - TOLERANCE_M <= limit * (t - row.t) * 1e-6


@inner
def nearest_hull(rows, slot, t, lat, lon, sog):
    """The hull in the chain from `slot` on that reaches the fix at the least cost; -1 none."""
    best, best_cost = -1, np.inf
    while slot >= 0:
        row = rows[slot]
        distance = distance_m(row.lat, row.lon, lat, lon)
        if can_reach(row, t, distance, sog):
            cost = distance + SILENCE_M_S * (t - row.t) * 1e-6
            if cost < best_cost:
                best, best_cost = slot, cost
        slot = row.next
    return best


@inner
def open_hull(rows, table, used, at, mmsi):
    """A slot for a new hull of an MMSI: a fresh one, or that of its longest silent unconfirmed hull; -1 when full."""
    slot, n, last, stale = table[at], 0, -1, -1
    while slot >= 0:
        row = rows[slot]
        if row.sure == 0 and (stale < 0 or row.t < rows[stale].t):
            stale = slot
        n, last, slot = n + 1, slot, row.next
    if n == MAX_HULLS:
        return stale
    slot = used[0]
    used[0] += 1
    row = rows[slot]
    row.mmsi, row.hull, row.next, row.sure = mmsi, n, -1, n == 0
    if last < 0:
        table[at] = slot
    else:
        rows[last].next = slot
    return slot


@kernel
def follow(rows, table, used, begin, t, mmsi, lat, lon, sog, slots, hull_of, status):
    """Give each row from `begin` on its slot (-1: not to be used), hull and status; the row where room ran out."""
    for i in range(begin, t.size):
        if 2 * used[0] >= table.size // 4 or used[0] + 1 >= rows.size:
            return i
        slots[i], hull_of[i] = -1, 0
        if t[i] == NAT:
            status[i] = NO_TIME
            continue
        if not is_ship(mmsi[i]):
            status[i] = NOT_A_SHIP
            continue
        if not abs(lat[i]) <= 90.0 or not abs(lon[i]) <= 180.0:
            status[i] = NO_POSITION if lat[i] != lat[i] or lon[i] != lon[i] else POSITION_OUT_OF_RANGE
            continue
        at = find_mmsi(rows, table, mmsi[i])
        slot = table[at]
        while slot >= 0 and not is_copy(rows[slot], t[i], lat[i], lon[i]):
            slot = rows[slot].next
        if slot >= 0:
            status[i], hull_of[i] = DUPLICATE, rows[slot].hull
            continue
        slot = nearest_hull(rows, table[at], t[i], lat[i], lon[i], sog[i])
        if slot < 0:
            slot = open_hull(rows, table, used, at, mmsi[i])
            if slot < 0:
                status[i] = JUMP
                continue
            rows[slot].n = 0
            for k in range(RECENT):
                rows[slot].t_recent[k] = NAT // 2
        row = rows[slot]
        row.t, row.lat, row.lon, row.sog = t[i], lat[i], lon[i], sog[i]
        k = row.n % RECENT
        row.t_recent[k], row.lat_recent[k], row.lon_recent[k] = t[i], lat[i], lon[i]
        row.n += 1
        if row.n >= CONFIRMED:
            row.sure = 1
        hull_of[i] = row.hull
        if row.sure:
            slots[i], status[i] = slot, OK
        else:
            status[i] = JUMP
    return t.size


class Tracks:
    """The hulls of a feed, in time order: one loop for batch and stream."""

    def __init__(self) -> None:
        self.hulls = new_hulls()

    def follow(
        self, columns: dict[str, NDArray[Any]]
    ) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.uint8]]:
        """Slot (-1: not for detectors), hull and status of each row of columns that are in time order."""
        n = columns["t"].size
        slots, hull, status = np.full(n, -1, np.int32), np.zeros(n, np.uint8), np.zeros(n, np.uint8)
        names = ("t", "mmsi", "lat", "lon", "sog")
        arrays = [columns[name] for name in names]
        i = 0
        while True:
            i = follow(*self.hulls, i, *arrays, slots, hull, status)
            if i >= n:
                return slots, hull, status
            self.hulls = grow_hulls(self.hulls)


def tracks(fixes: Fixes) -> Fixes:
    """The fixes in time order with `cell`, `hull` and `status` filled: copies and jumps marked, ships told apart."""
    fixes = fixes.sort()
    _, hull, status = Tracks().follow(fixes.columns)
    index = cells(fixes["lat"], fixes["lon"], INDEX_RESOLUTION)
    return fixes._like({**fixes.columns, "hull": hull, "status": status, "cell": index})
