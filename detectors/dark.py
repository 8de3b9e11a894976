"""Gaps and dark periods: a ship stops being heard for longer than `min_gap_s`.

A gap is a fact about reception (Global Fishing Watch's pipe-gaps: more than 6 h between two messages of a vessel).
*Dark* is a claim about intent: that the ship did not send. It is made near shore as at sea, where three things hold:

* `score`, the probability that the ship did not send, is at least `min_score`: how many messages the traffic lets
  expect (`detectors.coverage`, `detectors.neighbours`), how likely it is that none came (`detectors.silence`), and how
  often ships go dark at all;
* among all silences at most as likely, no more than a share of `max_q` is honest (`detectors.silences`);
* nothing else explains it: no other MMSI that took its place, no berth at which the ship lay.

All else stays a gap, with its score; where nothing is known of the reception the score is not available: unknown is
not "dark", and not "innocent" either. While the input runs, a silence is judged by what was heard until it ended. When
the table of events is made each is judged again by all that is known then, less what it taught itself.

What the rows do not tell is which station or satellite heard them (`source` is the input file; a satellite hands on the
same message types as a station). So the kind of receiver is taken from the rate itself: dispersion and the hearing of
class B are learnt for each band of rates, and a satellite's few an hour lie in another band than a station's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.hulls import new_places
from detectors.compact import hundredths, of_hundredths, offset_of, origin, source_of
from detectors.counts import COUNTED
from detectors.coverage import (
    BANDS,
    CELL,
    FINEST,
    ROOM,
    USED_OF_4,
    Reception,
    Trust,
    add_silence,
    cell_of,
    rate_at,
    rebuild_cells,
    renumber_cells,
)  # fmt: skip
from detectors.detector import FEWEST_HULLS, OUT_ROOM, Columns, Detector, Final, Known, grown, rounded_up
from detectors.event import GAP, begin_event
from detectors.neighbours import BLOCKS, NEAR, NEAR_CELLS, NEAR_ROOM, rebuild_near
from detectors.silence import (
    CLASS_B,
    COG,
    EXPECTED,
    EXPOSURE_MS,
    FACT_NAMES,
    FEED,
    LAID,
    SHARE,
    SOG,
    judge,
    tell,
)  # fmt: skip
from detectors.silences import explained, remembered, settled
from detectors.stay import DEAD_US, LAST, appear, block_end, count, move, since
from geo.cells import INDEX_RESOLUTION, cell_at
from geo.errors import UsageError
from geo.kernel import inner, kernel
from geo.sphere import EARTH_RADIUS_M, KN_M_S, distance_m
from geo.steps import STEPS_PER_DEG, deg_of, steps_of

HEARD_SHARE = 0.5
"""A silence in which the receivers worked for less than this share says nothing of the cells on its way."""
UNIT_DM = 10.0 * math.radians(EARTH_RADIUS_M) / STEPS_PER_DEG
"""Decimetres of a step of latitude, and at most of longitude."""
FEWEST_CELLS = 8192
"""Rows of the table of cells at first."""
EARTH_CELLS = 2 * 2_352_850
"""Of the resolutions 1 to 5, for both classes."""
CELLS_OF_HULL = 3
"""World-wide traffic is in fewer cells than there are, and in most of them many ships are: a bound for the memory."""
LEAST_HONEST = 0.01
"""A silence less likely honest than this says nothing of the dispersion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DarkParams:
    """Thresholds of gaps and dark periods."""

    min_gap_s: int = 6 * 3600
    """pipe-gaps 0.9 and Skylight: 6 h of silence."""
    min_fixes: int = 3
    """A single fix may be a bit error in the MMSI; three in a row are a ship."""
    min_score: float = 0.5
    """More likely dark than not; the score is a probability, so that who needs more asks for more."""
    max_q: float = 0.1
    """Of all that is called dark, a tenth may be honest (Benjamini and Hochberg); 0.05 lost 1 of 100 in trials."""
    dark_per_day: float = 0.01
    """How often a ship goes dark, before its own traffic tells: stated, not measured; it weighs 100 vessel-days."""
    min_exposure_s: int = 2 * 3600
    """Vessel time after which the reception in a cell counts as known; a trial's prior weighed 2 h."""
    min_visits: int = 3
    """A cell is known when the ship in it changed at least three times: one moored ship is no sample of reception."""
    prior_messages: float = 3.0
    """What the rate of the next coarser cell weighs, in messages: half an hour near a station, two under satellites."""
    reception: bool = True
    """False: gaps alone, none of them judged, at ten times the speed."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.min_gap_s <= 0 or self.min_fixes < 1 or self.min_exposure_s < 0 or self.min_visits < 1:
            raise UsageError(f"dark: min_gap_s, min_fixes, min_exposure_s and min_visits must be positive, not {self}")
        if not 0.0 <= self.min_score <= 1.0:
            raise UsageError(f"dark: min_score is a probability from 0 to 1, not {self.min_score}")
        if not 0.0 <= self.max_q <= 1.0:
            raise UsageError(f"dark: max_q is a share from 0 to 1, not {self.max_q}")
        if not (self.dark_per_day > 0.0 and self.prior_messages > 0.0):
            raise UsageError(f"dark: dark_per_day and prior_messages must be positive, not {self}")


class Limits(NamedTuple):
    """The parameters as the kernels take them, and the hulls by slot."""

    min_gap_us: int
    min_fixes: int
    min_score: float
    dark_per_day: float
    trust: Trust
    reception: bool
    ships: NDArray[Any]


@inner
def write_gap(ship, last, t1, alive, event):
    """What a closed silence and an open one have in common."""
    begin_event(event, GAP, ship.mmsi, ship.hull)
    event.n, event.t_start, event.t_end = last.n, last.t, t1
    event.lat, event.lon = deg_of(last.lat), deg_of(last.lon)
    event.cell = cell_at(event.lat, event.lon, INDEX_RESOLUTION)
    event.first_source, event.first_offset = source_of(last.evidence), offset_of(last.evidence)
    event.last_source, event.last_offset = event.first_source, event.first_offset
    event.facts[SOG], event.facts[COG] = of_hundredths(last.sog), of_hundredths(last.cog)
    event.facts[CLASS_B], event.facts[LAID] = last.class_b, 0.0
    event.facts[FEED] = min(1.0, (alive - np.int64(last.alive_s) * 1_000_000) / (t1 - last.t))


@inner
def lay(r, slot, event, limits, sign):
    """Enter a closed silence into the table of cells, or take it out with `sign` -1."""
    class_b, us = np.uint8(event.facts[CLASS_B]), event.t_end - event.t_start
    add_silence(r, limits.trust, slot, class_b, event.lat, event.lon, event.lat_end, event.lon_end, us, sign)


@inner
def close_gap(r, last, slot, t, lat, lon, alive, limits, event):
    """A ship is heard again: judge its silence, then learn from it."""
    write_gap(limits.ships[slot], last, t, alive, event)
    event.lat_end, event.lon_end = lat, lon
    event.distance_m = distance_m(event.lat, event.lon, lat, lon)
    event.speed_kn = event.distance_m / ((t - last.t) * 1e-6) / KN_M_S
    if not limits.reception:
        return
    cell = cell_of(last.area)
    count(r, last, slot, cell, last.t - since(last), last.heard, limits.trust)
    honest = judge(r, event, limits)
    if honest > LEAST_HONEST:
        resolution = rate_at(r, cell, last.class_b, limits.trust)[1]
        tell(r, last.class_b, resolution, (t - last.t) / 3.6e9, 0, np.float64(event.facts[EXPECTED]), honest)
    if event.facts[SHARE] >= HEARD_SHARE:
        event.facts[LAID] = 1.0
        lay(r, slot, event, limits, 1)
    r.totals[np.int64(last.class_b), EXPOSURE_MS] += (t - last.t) // 1000


@kernel
def judge_again(events, r, limits):
    """Each silence against all that is known by now, less what it taught itself."""
    for k in range(events.size):
        event = events[k]
        laid = event.facts[LAID] > 0.0
        if laid:
            lay(r, -1, event, limits, -1)
        judge(r, event, limits)
        if laid:
            lay(r, -1, event, limits, 1)


@kernel
def run(lasts, r, rows, begin, limits, out):
    """Take rows from `begin` on: (row where it stopped, events written)."""
    events = 0
    for i in range(begin, rows.t.size):
        if events + OUT_ROOM > out.size or 4 * (r.used[0] + ROOM) > USED_OF_4 * r.table.size:
            return i, events
        if 2 * (r.used[1] + NEAR_ROOM) > r.near.size:
            return i, events
        last, t = lasts[rows.slot[i]], rows.t[i]
        lat, lon = steps_of(rows.lat[i]), steps_of(rows.lon[i])
        dt = t - last.t
        if last.n == 0:
            appear(r, last, t, lat, lon, rows.class_b[i], 0)
        elif dt > limits.min_gap_us:
            heard = np.int64(last.n >= limits.min_fixes)
            if heard:
                event = out[events]
                close_gap(r, last, rows.slot[i], t, rows.lat[i], rows.lon[i], rows.alive[i], limits, event)
                event.last_source, event.last_offset = rows.source[i], rows.offset[i]
                events += 1
            appear(r, last, t, lat, lon, rows.class_b[i], heard)
        elif limits.reception:
            heard = np.int64(dt >= last.wait_us)
            last.wait_us = DEAD_US if heard else last.wait_us - dt
            room = (
                np.int64(last.room)
                - 1
                - np.int64(UNIT_DM * (abs(np.int64(lat) - last.lat) + abs(np.int64(lon) - last.lon)))
            )
            if room < 0 or t >= block_end(last.t):
                move(r, last, rows.slot[i], t, lat, lon, heard, limits.trust)
            else:
                last.room = room
                last.heard += heard
        last.t, last.lat, last.lon = t, lat, lon
        last.sog, last.cog = hundredths(rows.sog[i]), hundredths(rows.cog[i])
        last.evidence, last.alive_s = origin(rows.source[i], rows.offset[i]), rows.alive[i] // 1_000_000
        last.n += 1
    return rows.t.size, events


@kernel
def flush(lasts, r, now, alive, begin, limits, out):
    """Open gaps at the end of the input: (slot where it stopped or -1, events written)."""
    events = 0
    for k in range(begin, lasts.size):
        if events + OUT_ROOM > out.size:
            return k, events
        last = lasts[k]
        if last.n < limits.min_fixes or now - last.t <= limits.min_gap_us:
            continue
        event = out[events]
        write_gap(limits.ships[k], last, now, alive, event)
        event.open = 1
        if limits.reception:
            judge(r, event, limits)
        events += 1
    return -1, events


class Dark(Detector):
    """Gaps and dark periods of each hull."""

    name = "dark"
    Params = DarkParams
    kinds = ("gap", "dark")
    facts = FACT_NAMES
    keeps = COUNTED
    by_slot = ("lasts",)
    flush_changes = ()

    def __init__(self, params: DarkParams | None = None) -> None:
        super().__init__(params)
        self.arrays = {
            "lasts": np.zeros(FEWEST_HULLS, LAST).view(np.recarray),
            "table": np.zeros(FEWEST_CELLS, CELL).view(np.recarray),
            "near": np.zeros(64, NEAR).view(np.recarray),
            "blocks": np.zeros((32, BLOCKS), np.uint8),
            "used": np.zeros(3, np.int64),
            "bands": np.zeros((BANDS, 2), np.int64),
            "sums": np.zeros((2, BANDS, FINEST + 1, 4), np.int64),
            "totals": np.zeros((2, 1), np.int64),
        }

    def _limits(self) -> Limits:
        p = self.params
        most = 1 << 62 if self.max_vessels is None else _most_rows(self.max_vessels) // 4 * USED_OF_4 - ROOM
        trust = Trust(p.min_exposure_s * 1_000_000, p.min_visits, p.prior_messages, most)
        return Limits(p.min_gap_s * 1_000_000, p.min_fixes, p.min_score, p.dark_per_day, trust, p.reception, self.ships)

    def _reception(self) -> Reception:
        a = self.arrays
        return Reception(a["table"], a["near"], a["blocks"], a["used"], a["bands"], a["sums"], a["totals"])

    def reserve(self, ships: NDArray[Any]) -> None:
        """Make room for these hulls."""
        super().reserve(ships)
        self.arrays["lasts"] = grown(self.arrays["lasts"], ships.size)

    def make_room(self) -> None:
        """Double the tables of cells when they are as full as they may be."""
        cells, around, _ = self.arrays["used"].tolist()
        table, near = self.arrays["table"], self.arrays["near"]
        if 4 * (cells + ROOM) > USED_OF_4 * table.size:
            self.arrays["table"] = np.zeros(2 * table.size, CELL).view(np.recarray)
            rebuild_cells(table, self.arrays["table"])
        if 2 * (around + NEAR_ROOM) > near.size:
            self.arrays["near"] = np.zeros(2 * near.size, NEAR).view(np.recarray)
            rebuild_near(near, self.arrays["near"])
            self.arrays["blocks"] = grown(self.arrays["blocks"], min(near.size, NEAR_CELLS + NEAR_ROOM), exactly=True)

    def let_go(self, kept: NDArray[np.intp], now: int, alive: int) -> NDArray[Any]:
        """Let go of all hulls but those in these slots; their silences are told as open."""
        place = new_places(self.ships.size, kept)
        found = super().let_go(kept, now, alive)
        renumber_cells(self.arrays["table"], place)
        return found

    def most_bytes(self, max_vessels: int) -> int:
        """Bytes of all arrays at most: of cells three for each hull, and of cells around those of the Earth."""
        own = sum(self.arrays[name].nbytes for name in ("used", "bands", "sums", "totals"))
        around = rounded_up(2 * (NEAR_CELLS + NEAR_ROOM))
        near = around * NEAR.itemsize + (NEAR_CELLS + NEAR_ROOM) * BLOCKS
        return super().most_bytes(max_vessels) + _most_rows(max_vessels) * CELL.itemsize + near + own

    def left_out(self) -> dict[str, int]:
        """Times that a cell found no room."""
        return {"cells of reception that found no room": int(self.arrays["used"][2])}

    def run(self, columns: Columns, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """Rows from `begin` on: (the row where it stopped, events written to `out`)."""
        a = self.arrays
        stopped, events = run(a["lasts"], self._reception(), columns, begin, self._limits(), out)
        return int(stopped), int(events)

    def settle_each(self, records: NDArray[Any], known: Known) -> NDArray[Any]:
        """Each silence by all that is known of reception, and whether something else explains it."""
        if not self.params.reception:
            return records
        records = np.ascontiguousarray(records)
        judge_again(records.view(np.recarray), self._reception(), self._limits())
        return explained(records, known)

    def settle(self, records: NDArray[Any], known: Known) -> NDArray[Any]:
        """All silences together: the frequency of dark periods, and false discoveries."""
        if not self.params.reception:
            return records
        return settled(records, self.params, self.arrays["sums"], self.arrays["totals"], self.kept(known))

    def keep(self, kept: NDArray[Any], final: Final) -> NDArray[Any]:
        """How likely the silences were that are let go of: what is heard counts all traffic, and so do they."""
        return remembered(kept, final.gone) if self.params.reception else kept

    def flush(self, now: int, alive: int, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """Gaps that are still open at `now`."""
        stopped, events = flush(self.arrays["lasts"], self._reception(), now, alive, begin, self._limits(), out)
        return int(stopped), int(events)


def _most_rows(max_vessels: int) -> int:
    """Rows of the table of cells at most, three in four of them in use."""
    return max(FEWEST_CELLS, rounded_up(4 * min(CELLS_OF_HULL * max_vessels, EARTH_CELLS + ROOM) // USED_OF_4))
