"""Fixes to tracks: copies folded, ships behind one MMSI told apart, impossible jumps marked.

A fix belongs to the hull of its MMSI from which it can have been reached: the implied speed, less a tolerance of 500
m for position noise and rounding, is at most 30 kn, or 1.5 times the speed that the ship itself reports. Of several
such hulls the cheapest is taken: distance + 1 m/s of silence, so that a ship that shares its MMSI with a silent one
does not fill the other's silence, + 10 km for each thing that speaks against it: a hull that is not confirmed, the
other class of transponder, a way that the reported speeds do not allow, a clock that must be off.

* A fix that no hull can have reached opens a new one. It is a jump, and so is the next, until the third confirms that
  a second ship is there; a hull that is not confirmed is forgotten after a week of silence.
* A transponder of the other class (A, B) is another ship's, unless the hull was heard within half an hour and near
  enough for the speeds that are reported: some ships carry both.
* A fix that repeats a position of its hull within 10 s, or within 5 min of a ship under way, is a duplicate (another
  station's copy); so is a second position for the same instant, and a coarse one (type 27) within 3 min of a fine one.
* A fix on the way of a hull, but at the place where the ship was or will be within 5 min, comes from a receiver whose
  clock is off: it is marked, opens nothing and moves nothing. Of two ships on one MMSI that follow each other so
  closely the second looks the same: it is not believed, and never speaks for the first.

How well this agrees with gpsdio-segment, and where not: `docs/evaluation-hulls.md`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.admission import NO_ROOM, TRIED, Gate, has_room, may_enter, new_gate, remembered, who_stays
from ais.hulls import HULL, RECENT, count_fix, find_mmsi, grow_hulls, is_sure, keep_hulls, new_hulls
from ais.status import CLOCK_OFF, DUPLICATE, JUMP, NO_POSITION, NO_TIME, NOT_A_SHIP, OK, POSITION_OUT_OF_RANGE
from ais.table import FIX_DTYPES, NAT, Fixes, columns_of
from geo.cells import INDEX_RESOLUTION, cells
from geo.kernel import inlined, inner, kernel
from geo.sphere import EARTH_RADIUS_M, KN_M_S, distance_m, wrap_deg
from geo.steps import deg_of, steps_of

COPY_WINDOW_US = 10_000_000
"""Copies of one transmission by several stations arrive within 10 s (DMA AisLib's duplicate filter)."""
CLOCK_US = 300_000_000
"""Clocks of satellite receivers are off by up to 5 min (Spire's, as Global Fishing Watch measures them)."""
MAX_SPEED_KN = 30.0
"""Merchant ships stay below 25 kn (gpsdio-segment's limit); 30 leaves room for clocks that are off."""
SOG_FACTOR = 1.5
NO_SOG_KN = 63.0
"""A speed from here on is no evidence: type 27 says 63 for "not available", the others 102.3 (ITU-R M.1371-5)."""
NOISE_SOG_KN = (51.15, 51.25)
"""51.2 kn, one bit of the field alone, is almost always an error (gpsdio-segment)."""
UNDER_WAY_KN = 3.0
"""Not "at anchor or moored" (M.1371-5): in 10 s it makes 15 m, 83 steps of the field, and never sends one twice."""
TOLERANCE_M = 500.0
COARSE_M = 262.0
"""What type 27 may add: its steps are 1/10 of a minute, 185 m both ways (M.1371-5)."""
COARSE_US = 180_000_000
"""The interval of type 27 (M.1371-5): within it of a fine position it says nothing new."""
BEHIND_M = 100.0
"""A step back that no noise makes: receivers are good for 10 m, a feed rounded to 0.001 degrees for 80."""
BEHIND_US = 60_000_000
"""A ship on a forward course has not turned twice in a minute; one without a course may have turned once."""
COURSE_M = 50.0
"""The way along the last fixes from which on it shows where a ship is heading, 10 m of noise allowed for."""
SILENCE_M_S = 1.0
DOUBT_M = 10000.0
NEAR_US = 1_800_000_000
"""Half an hour: over a longer silence the speed of a ship says little of the way that it made."""
FORGOTTEN_US = 7 * 86_400_000_000
RECENT_US = 3_600_000_000
"""A longer silence empties the ring of recent fixes: what lies before it shows no course."""
TICK_US = 10_000
"""Times of recent fixes are kept in hundredths of a second modulo 2^16, twice the longest window of copies."""
FIELD_STEPS_PER_DEG = 600_000.0
"""Positions are compared in steps of the AIS field, 1/10000 minute."""
PER_FIELD_STEP = 15
"""Steps of `geo.steps`."""
MAX_HULLS = 16
"""Of one MMSI: a bound for the memory. The reference knows nine names of the busiest number of its troublesome set."""

DEGREE_M = math.radians(1.0) * EARTH_RADIUS_M
"""A degree of latitude."""
MOST_FIXES = 0xFFFFFFFF
"""What a hull counts up to."""
CLASS_A, CLASS_B = 1, 2
COARSE = 27


@inner
def is_ship(mmsi):
    """Is it the MMSI of a ship? Nine digits that begin with a country (2 to 7).

    Base stations begin with 00, groups with 0, SAR aircraft with 111, handhelds with 8, SARTs with 970 to 974,
    auxiliary craft with 98 and aids to navigation with 99 (ITU-R M.585).
    """
    return 200_000_000 <= mmsi < 800_000_000


@inner
def speed_kn(sog):
    """The speed that a fix reports, 0 where it is not available or not believed."""
    return float(sog) if 0.0 <= sog < NO_SOG_KN and not NOISE_SOG_KN[0] < sog < NOISE_SOG_KN[1] else 0.0


@inner
def class_of(msg_type):
    """Class of the transponder that sends a message of this type; 0 where both do, or it is not known."""
    if 1 <= msg_type <= 3:
        return CLASS_A
    return CLASS_B if msg_type == 18 or msg_type == 19 else 0


@inner
def field_steps(steps):
    """Steps of `geo.steps` in whole steps of the AIS field."""
    return (steps + PER_FIELD_STEP // 2) // PER_FIELD_STEP


@inlined
def is_copy(row, t, lat, lon, y, x, window):
    """Does this fix repeat one of the last of a hull, or give it a second position for the same instant?"""
    if t == row.t and distance_m(deg_of(row.lat), deg_of(row.lon), lat, lon) <= TOLERANCE_M:
        return True
    if t - row.t >= window:
        return False
    if y == field_steps(row.lat) and x == field_steps(row.lon) and TICK_US * (t // TICK_US - row.t // TICK_US) < window:
        return True
    k = row.at
    for _ in range(row.fresh):
        k = RECENT - 2 if k == 0 else k - 1
        same = y == row.lat_recent[k] and x == row.lon_recent[k]
        if same and TICK_US * ((t // TICK_US - row.t_recent[k]) & 0xFFFF) < window:
            return True
    return False


@inner
def ahead_m(row, lat, lon, cog):
    """How far a fix lies ahead of a hull on its way, and how far aside, in metres; NaN where it has no way.

    The way is that of the last fixes. A course that points back makes it another way.
    """
    if row.held == 0:
        return np.nan, np.nan
    first = row.at if row.held == RECENT - 1 else 0
    lat0, lon0 = deg_of(row.lat), deg_of(row.lon)
    east = math.cos(math.radians(lat0))
    y = (lat0 - row.lat_recent[first] / FIELD_STEPS_PER_DEG) * DEGREE_M
    x = wrap_deg(lon0 - row.lon_recent[first] / FIELD_STEPS_PER_DEG) * east * DEGREE_M
    way = math.hypot(x, y)
    if way < COURSE_M:
        return np.nan, np.nan
    x, y = x / way, y / way
    if math.sin(math.radians(cog)) * x + math.cos(math.radians(cog)) * y < 0.5:
        return np.nan, np.nan
    dy, dx = (lat - lat0) * DEGREE_M, wrap_deg(lon - lon0) * east * DEGREE_M
    return dx * x + dy * y, abs(dx * y - dy * x)


@inlined
def cost_of(row, t, lat, lon, sog, cog, msg_type):
    """What it costs a hull to take a fix, in metres (infinite where it cannot), and whether the clock must be off."""
    silence, kind, sure = t - row.t, class_of(msg_type), is_sure(row)
    other = kind != 0 and row.classes != 0 and kind & row.classes == 0
    if (other and silence > NEAR_US) or (not sure and silence > FORGOTTEN_US):
        return np.inf, False
    seconds = silence * 1e-6
    said = SOG_FACTOR * max(float(row.sog), speed_kn(sog)) * KN_M_S
    fastest = max(MAX_SPEED_KN * KN_M_S, said)
    lat0, lon0 = deg_of(row.lat), deg_of(row.lon)
    if abs(lat - lat0) * DEGREE_M > TOLERANCE_M + COARSE_M + fastest * (seconds + CLOCK_US * 1e-6):
        return np.inf, False  # sixteen ships to an MMSI: twice the speed of the distance to each
    distance, way = distance_m(lat0, lon0, lat, lon), fastest * seconds
    coarse = msg_type == COARSE or row.coarse == 1
    beyond = distance - (TOLERANCE_M + COARSE_M if coarse else TOLERANCE_M)
    unsaid = silence <= NEAR_US and beyond > said * seconds
    cost = distance + SILENCE_M_S * seconds + DOUBT_M * (int(other) + int(unsaid) + 1 - int(sure))
    if beyond <= way:
        if other and unsaid:
            return np.inf, False
        if silence > BEHIND_US or distance <= BEHIND_M or coarse or (cog != cog and distance - BEHIND_M <= way):
            return cost, False
        return cost, ahead_m(row, lat, lon, cog)[0] < -BEHIND_M
    if not sure or beyond > said * (seconds + CLOCK_US * 1e-6):
        return np.inf, False
    ahead, aside = ahead_m(row, lat, lon, cog)
    return (cost + DOUBT_M, True) if aside <= max(TOLERANCE_M, 0.25 * abs(ahead)) else (np.inf, False)


@inlined
def nearest_hull(rows, slot, t, lat, lon, sog, cog, msg_type):
    """The hull in the chain from `slot` on that takes the fix at the least cost, -1 none; and is the clock off?"""
    best, best_cost, best_off = -1, np.inf, False
    while slot >= 0:
        cost, off = cost_of(rows[slot], t, lat, lon, sog, cog, msg_type)
        if cost < best_cost:
            best, best_cost, best_off = slot, cost, off
        slot = rows[slot].next
    return best, best_off


@inner
def open_hull(rows, table, used, at, mmsi, room):
    """A slot for a new hull of an MMSI: a fresh one, or that of its longest silent unconfirmed hull; -1 when full.

    `room`: whether a fresh one may be had.
    """
    slot, n, last, stale = table[at], 0, -1, -1
    while slot >= 0:
        row = rows[slot]
        if not is_sure(row) and (stale < 0 or row.t < rows[stale].t):
            stale = slot
        n, last, slot = n + 1, slot, row.next
    if n == MAX_HULLS or not room:
        slot = stale
    else:
        slot = used[0]
        used[0] += 1
        row = rows[slot]
        row.mmsi, row.hull, row.next = mmsi, n, -1
        if last < 0:
            table[at] = slot
        else:
            rows[last].next = slot
    if slot >= 0:
        row = rows[slot]
        row.n, row.classes, row.sog = 0, 0, 0.0
    return slot


@inlined
def remember(row, t):
    """The last fix of a hull goes into the ring, as the hull goes on to another at `t`."""
    if row.n == 0 or t - row.t > RECENT_US:
        row.held = row.at = row.fresh = 0
        return
    k = row.at
    row.t_recent[k] = (row.t // TICK_US) & 0xFFFF
    row.lat_recent[k], row.lon_recent[k] = field_steps(row.lat), field_steps(row.lon)
    row.at = 0 if k == RECENT - 2 else k + 1
    row.held = min(RECENT - 1, row.held + 1)
    if t - row.t >= CLOCK_US:
        row.fresh = 0
        return
    row.fresh = min(RECENT - 1, row.fresh + 1)
    first = (row.at + RECENT - 1 - row.fresh) % (RECENT - 1)
    while TICK_US * ((t // TICK_US - row.t_recent[first]) & 0xFFFF) >= CLOCK_US:
        row.fresh -= 1
        first = 0 if first == RECENT - 2 else first + 1


@inlined
def move_hull(row, t, lat, lon, sog, msg_type):
    """Let a hull go on to a fix."""
    remember(row, t)
    row.t, row.lat, row.lon, row.coarse = t, steps_of(lat), steps_of(lon), msg_type == COARSE
    if speed_kn(sog) > 0.0 or sog == 0.0:
        row.sog = sog
    row.classes |= class_of(msg_type)
    if row.n < MOST_FIXES:
        row.n += 1


@inlined
def goes_on(row, t, lat, lon, msg_type):
    """Surely the next fix of the only hull of an MMSI: near enough for any ship, and no step back is possible.

    What `cost_of` would find, without the distance: the way along a parallel and a meridian is no shorter.
    """
    silence, kind = t - row.t, class_of(msg_type)
    if row.next >= 0 or (kind != 0 and row.classes != 0 and kind & row.classes == 0):
        return False
    lat0 = deg_of(row.lat)
    low = math.radians(min(abs(lat), abs(lat0)))
    east = 1.0 - 0.5 * low * low + low * low * low * low / 24.0  # no less than the cosine
    way_m = (abs(lat - lat0) + abs(lon - deg_of(row.lon)) * east) * DEGREE_M
    return way_m <= BEHIND_M or (silence > BEHIND_US and way_m <= TOLERANCE_M + MAX_SPEED_KN * KN_M_S * 1e-6 * silence)


@inlined
def place(rows, table, used, gate, t, mmsi, lat, lon, sog, cog, msg_type):
    """Slot (-1: full) and status of a fix that has a time, a ship and a position; its hull has gone on to it."""
    at = find_mmsi(rows, table, mmsi)
    y, x = field_steps(steps_of(lat)), field_steps(steps_of(lon))
    window = CLOCK_US if speed_kn(sog) >= UNDER_WAY_KN and msg_type != COARSE else COPY_WINDOW_US
    slot = table[at]
    while slot >= 0 and not is_copy(rows[slot], t, lat, lon, y, x, window):
        slot = rows[slot].next
    if slot >= 0:
        return slot, DUPLICATE
    slot, off = table[at], False
    if slot < 0 or not goes_on(rows[slot], t, lat, lon, msg_type):
        slot, off = nearest_hull(rows, slot, t, lat, lon, sog, cog, msg_type)
    if off:
        return slot, CLOCK_OFF
    if slot < 0:
        if table[at] < 0:
            entry = may_enter(gate, used[0], t, mmsi)
            if entry != OK:
                return -1, entry
        slot = open_hull(rows, table, used, at, mmsi, has_room(gate, used[0], mmsi))
        if slot < 0:
            return slot, JUMP
    row = rows[slot]
    if msg_type == COARSE and row.n > 0 and row.coarse == 0 and t - row.t < COARSE_US:
        return slot, DUPLICATE
    move_hull(row, t, lat, lon, sog, msg_type)
    if not is_sure(row):
        return slot, JUMP
    count_fix(row, t, lat, lon, sog)
    return slot, OK


@kernel
def follow(rows, table, used, gate, begin, t, mmsi, lat, lon, sog, cog, msg_type, slots, hull_of, status):
    """Give each row from `begin` on its slot (-1: not to be used), hull and status; the row where room ran out."""
    for i in range(begin, t.size):
        if used[0] == rows.size:
            return i
        slots[i], hull_of[i] = -1, 0
        if t[i] == NAT:
            status[i] = NO_TIME
        elif not is_ship(mmsi[i]):
            status[i] = NOT_A_SHIP
        elif not abs(lat[i]) <= 90.0 or not abs(lon[i]) <= 180.0:
            status[i] = NO_POSITION if lat[i] != lat[i] or lon[i] != lon[i] else POSITION_OUT_OF_RANGE
        else:
            slot, code = place(rows, table, used, gate, t[i], mmsi[i], lat[i], lon[i], sog[i], cog[i], msg_type[i])
            if code == NO_ROOM:
                return i
            status[i] = code
            if slot >= 0:
                hull_of[i] = rows[slot].hull
            if status[i] == OK:
                slots[i] = slot
    return t.size


LOOKED_AT = ("t", "mmsi", "lat", "lon", "sog", "cog", "msg_type")


class Tracks:
    """The hulls of a feed, in time order: one loop for batch and stream.

    `max_vessels` bounds their number (`ais.admission`).
    """

    def __init__(self, max_vessels: int | None = None) -> None:
        self.hulls = new_hulls()
        self.gate: Gate = new_gate(max_vessels)
        self.gone: NDArray[Any] = np.zeros(0, HULL)
        """Hulls that were let go, the newest last: a quarter of the bound at most, for what is told of ships."""

    def follow(
        self, columns: dict[str, NDArray[Any]]
    ) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.uint8]]:
        """Slot (-1: not for detectors), hull and status of each row of columns that are in time order.

        Columns and their types are those of `Fixes`; without `cog` or `msg_type`, none is known. Where the number of
        vessels is bounded the result may be shorter: before the next row vessels must be let go (`make_room`).
        """
        n = columns["t"].size
        slots, hull, status = np.full(n, -1, np.int32), np.zeros(n, np.uint8), np.zeros(n, np.uint8)
        arrays = [
            columns[name] if name in columns else columns_of({name: FIX_DTYPES[name]}, n)[name] for name in LOOKED_AT
        ]
        i = 0
        while True:
            i = follow(*self.hulls, self.gate, i, *arrays, slots, hull, status)
            if i >= n or int(self.hulls.used[0]) < self.hulls.rows.size:
                return slots[:i], hull[:i], status[:i]
            self.hulls = grow_hulls(self.hulls, self.gate.bound + 1)

    def gate_state(self) -> dict[str, NDArray[Any]]:
        """What is known of those that wait and of those that were let go, as arrays."""
        return {"gate.candidates": self.gate.candidates, "gate.clocks": self.gate.clocks, "gate.gone": self.gone}

    def take_gate(self, state: dict[str, NDArray[Any]]) -> None:
        """Take what `gate_state` gave; of a gate with another bound, those that waited begin anew."""
        candidates, self.gone = state["gate.candidates"], state["gate.gone"].view(np.ndarray)
        if candidates.size != self.gate.candidates.size:
            candidates = np.zeros_like(self.gate.candidates)
        self.gate = self.gate._replace(candidates=candidates, clocks=state["gate.clocks"])

    def to_keep(self, now: int) -> NDArray[np.intp]:
        """The slots that stay when room is made at `now`, ascending; `keep` lets go of the others."""
        self.gate.clocks[TRIED] = now
        return who_stays(self.hulls.rows[: int(self.hulls.used[0])], now, self.gate)

    def keep(self, kept: NDArray[np.intp]) -> None:
        """Let go of all hulls but those in these slots, which take the first slots in their order."""
        gone = np.delete(self.hulls.rows[: int(self.hulls.used[0])].view(np.ndarray), kept)
        self.gone = remembered(self.gone, gone, self.gate)
        keep_hulls(self.hulls, kept)


def tracks(fixes: Fixes) -> Fixes:
    """The fixes in time order with `cell`, `hull` and `status` filled: copies and jumps marked, ships told apart."""
    fixes = fixes.sort()
    _, hull, status = Tracks().follow(fixes.columns)
    index = cells(fixes["lat"], fixes["lon"], INDEX_RESOLUTION)
    return fixes._like({**fixes.columns, "hull": hull, "status": status, "cell": index})
