"""Port calls: a ship comes within reach of a port, lies still there, and leaves.

After Global Fishing Watch's port visits: entry and exit with hysteresis, a stop that begins and ends at different
speeds, and a silence inside the port in place of a stop. Two thresholds are wider here: the distances, because the
port table has one point per port where GFW has anchorage points found from the traffic, and the speeds of a stop,
because an anchored ship swings at 0.2 to 0.4 kn.

`t_start` and `t_end` are the first and the last fix within reach, so that a wait at anchor in the roads and the berth
after it are one call. The facts tell them apart: the places where the ship lay, over 1 km from each other, are each a
berth or a wait at anchor (`detectors.port_stay`), and the call is at its longest berth, else at its longest wait: from
there come position and port, so that where the circles of two ports overlap the nearest to the berth is named. A ship
that only lay at anchor within reach has called too, as GFW counts it, with `berth_h` 0.

The label is `observed` when the stop was heard, else `inferred` from a silence: one inside the port; or one with an
end outside, over by at least `port_gap_s` the time that the way to the port and back takes, of a ship that was last
heard within reach and not on its way out, or is heard again there and not on its way in, or was bound for the port
within `near_m` before and away from it after. That time alone would have allowed a call is no evidence of one, nor is
the destination that a ship declares; a silence of the whole feed is nobody's. `score` is the share of such calls that
were true in simulated worlds (`SCORES`, docs/evaluation-ports.md). A ship that stays silent where the input ends has
not called for that: nobody knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.compact import offset_of, origin, source_of
from detectors.detector import OUT_ROOM
from detectors.event import PORT_CALL, begin_event, label_code
from detectors.pool import PooledDetector, give_back, is_full, take
from detectors.port_stay import (
    ANCHOR,
    BERTH,
    GONE,
    SAILING,
    STAY,
    close_place,
    enter,
    goes,
    heard_s,
    heard_us,
    kept,
    known,
    rename,
    room_of,
    stay,
)
from geo.anchorages import Anchorages, AnchorageTable
from geo.cells import INDEX_RESOLUTION, cell_at
from geo.errors import UsageError
from geo.kernel import inner, kernel
from geo.ports import PortIndex, nearest_port_at, port_index, ports_version
from geo.sphere import KN_M_S, distance_m
from geo.steps import deg_of, steps_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PortCallParams:
    """Thresholds of port calls."""

    enter_m: float = 8_000.0
    """GFW: 3 km from an anchorage point; one point per port needs a harbour's width more."""
    exit_m: float = 10_000.0
    """GFW: 4 km."""
    stop_begin_kn: float = 0.5
    """GFW: 0.2 kn; an anchored ship swings at 0.2 to 0.4 kn."""
    stop_end_kn: float = 1.0
    """GFW: 0.5 kn."""
    min_stop_s: int = 3600
    """A pilot boards in less than an hour; cargo takes longer."""
    port_gap_s: int = 4 * 3600
    """GFW: a silence of 4 h within the port stands for a stop."""
    place_m: float = 1_000.0
    """Ten depths of chain in 50 m of water are 1 km from side to side; roads lie farther than that from the berths."""
    near_m: float = 30_000.0
    """Pilots board 5 to 15 nmi off: a ship on this course and this near is bound for the port."""
    near_course_deg: float = 45.0
    """Fairways bend by less."""
    passage_kn: float = 8.0
    """The slowest passage of a merchant ship: what a silence leaves over at this speed was not spent on the way."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not 0.0 < self.enter_m <= self.exit_m <= self.near_m:
            raise UsageError(
                f"port call: enter_m must be positive and at most exit_m, and that at most near_m, "
                f"not {self.enter_m}, {self.exit_m}, {self.near_m}"
            )
        if not 0.0 < self.stop_begin_kn <= self.stop_end_kn:
            raise UsageError(
                f"port call: stop_begin_kn must be positive and at most stop_end_kn, "
                f"not {self.stop_begin_kn}, {self.stop_end_kn}"
            )
        if not min(self.min_stop_s, self.port_gap_s, self.place_m, self.passage_kn) > 0:
            raise UsageError(f"port call: min_stop_s, port_gap_s, place_m and passage_kn must be positive, not {self}")
        if not 0.0 < self.near_course_deg <= 90.0:
            raise UsageError(f"port call: near_course_deg is over 0 and at most 90, not {self.near_course_deg}")


class Limits(NamedTuple):
    """What the kernels take: thresholds in m, kn, s, µs, the ports, the known anchorages with the kind of each, and the
    hulls by slot."""

    enter_m: float
    exit_m: float
    stop_begin_kn: float
    stop_end_kn: float
    min_stop_s: float
    port_gap_us: int
    place_m: float
    near_m: float
    near_cos: float
    passage_kn: float
    ports: PortIndex
    anchorages: AnchorageTable
    lying: NDArray[np.int8]
    """(n,) by row of an anchorage: `BERTH`, `ANCHOR`, or 0 where it is not known which."""
    ships: NDArray[Any]


FACTS = ("confidence", "stop_h", "gap_h", "berth_h", "wait_h", "berth_from_h", "port_m")
"""Confidence 1 to 4 (see `SCORES`); hours lying still that were heard, and of silences over `port_gap_s` in the call;
hours from the first to the last fix at the berth of the call, and so at anchor elsewhere; hours from `t_start` to the
berth; metres from there to the point of the port."""

SCORES = np.array([[0.0, 0.97, 0.98, 0.99], [0.0, 0.2, 0.2, 0.2], [0.5, 0.1, 0.1, 0.5]])
"""Score by what stands for the stop (a berth, a wait at anchor alone, a silence) and by confidence less 1.

Confidence 1: an end of the silence lies outside the port; 2: a stop or a silence inside, neither entry nor exit was
heard; 3: one of them; 4: both (GFW's levels; GFW's 1 is an entry or exit without a stop). Each is the share that was
at a berth of the port named in simulated worlds (docs/evaluation-ports.md); 2 has no sample there and stands at or
under 3, and what is inferred is capped at one half, for those worlds hold few ships that only turn near a port."""

OBSERVED, INFERRED = label_code("observed"), label_code("inferred")


@inner
def unseen(s, port, rows, i, limits):
    """When a silent ship can have come to a port and left it, at the speed that it was heard with: two times in µs."""
    speed_kn = limits.passage_kn
    if known(s.sog_last) > speed_kn:
        speed_kn = float(known(s.sog_last))
    if rows.sog[i] > speed_kn:
        speed_kn = float(rows.sog[i])
    us_per_m = 1e6 / (speed_kn * KN_M_S)
    lat, lon = limits.ports.lat[port], limits.ports.lon[port]
    come = s.t_last + np.int64(distance_m(deg_of(s.lat_last), deg_of(s.lon_last), lat, lon) * us_per_m)
    return come, rows.t[i] - np.int64(distance_m(lat, lon, rows.lat[i], rows.lon[i]) * us_per_m)


@inner
def write_call(ship, n, gap_s, port, t_start, t_end, first_origin, last_origin, confidence, score, event):
    """What all calls have in common."""
    begin_event(event, PORT_CALL, ship.mmsi, ship.hull)
    event.n, event.port, event.t_start, event.t_end = n, port, t_start, t_end
    event.score, event.label = score, OBSERVED
    event.facts[0], event.facts[2] = confidence, gap_s / 3600.0
    event.coverage = 1.0 - min(1.0, gap_s * 1e6 / max(1, t_end - t_start))
    event.first_source, event.first_offset = source_of(first_origin), offset_of(first_origin)
    event.last_source, event.last_offset = source_of(last_origin), offset_of(last_origin)


@inner
def leave(ship, s, calls, pool, left, exit_s, t_end, limits, event):
    """The ship is out of reach, or the input ends: 1 when it was a call and stands in `event`, else 0.

    `left`: 1 when the exit was heard, 0 when it was not, -1 when the input ends. `t_end` is the end of a silence that
    ended outside, 0 of other calls.
    """
    c = calls[s.call - 1]
    close_place(c, limits)
    stop = c.stop_s >= limits.min_stop_s
    called = stop or c.gap != 0
    if called:
        write_stay(ship, s, c, stop, left, exit_s, t_end, limits, event)
    give_back(calls, pool, s.call)
    s.call, s.room = 0, 0
    return 1 if called else 0


@inner
def write_stay(ship, s, c, stop, left, exit_s, t_end, limits, event):
    """The call that a stay within reach was."""
    port = c.main_port if c.main else c.port
    if not stop:
        c.gap_s += c.early_s
    confidence = 1 if not stop and c.gap == GONE else 2 + c.entered + max(left, 0)
    t_start, t_end = (
        (c.t_first if stop else c.t_first - np.int64(c.early_s * 1e6)),
        (s.t_last if stop or t_end == 0 else t_end),
    )
    what = (BERTH - c.main) if stop else 2
    score = SCORES[what, confidence - 1]
    write_call(ship, c.n, c.gap_s, port, t_start, t_end, c.first_origin, s.origin_last, confidence, score, event)
    event.open = 1 if left < 0 else 0
    event.label = OBSERVED if stop else INFERRED
    event.lat, event.lon = (
        (deg_of(c.lat_main), deg_of(c.lon_main)) if c.main else (deg_of(c.lat_here), deg_of(c.lon_here))
    )
    event.cell = cell_at(event.lat, event.lon, INDEX_RESOLUTION)
    event.lat_end, event.lon_end = deg_of(s.lat_last), deg_of(s.lon_last)
    event.start_error_s, event.end_error_s = c.entry_s, exit_s
    event.facts[1], event.facts[4] = c.stop_s / 3600.0, c.wait_s / 3600.0
    if c.main == BERTH:
        event.facts[3] = (c.main_to - c.main_from) / 3600.0
        event.facts[5] = c.main_from / 3600.0 + (c.t_first - t_start) / 3.6e9
    else:
        event.facts[3] = 0.0
    event.facts[6] = distance_m(limits.ports.lat[port], limits.ports.lon[port], event.lat, event.lon)


@inner
def go_out(s, calls, pool, rows, i, silent, limits, event):
    """The ship is heard out of reach again: 1 when it had called, else 0."""
    c = calls[s.call - 1]
    dt = rows.t[i] - s.t_last
    left = 1 if dt < limits.port_gap_us else 0
    t_end, exit_s = np.int64(0), 0.9e-6 * dt
    if silent and c.gap == 0 and c.stop_s < limits.min_stop_s:
        rename(s, c, limits)
        port_lat, port_lon = limits.ports.lat[c.port], limits.ports.lon[c.port]
        come, gone = unseen(s, c.port, rows, i, limits)
        lat, lon = deg_of(s.lat_last), deg_of(s.lon_last)
        way = goes(lat, lon, known(s.sog_last), known(s.cog_last), port_lat, port_lon)
        if gone - come >= limits.port_gap_us and way >= 0.0:
            c.gap, t_end, exit_s = GONE, gone, 0.9e-6 * (gone - come)
            c.gap_s += (gone - s.t_last) * 1e-6
    return leave(limits.ships[rows.slot[i]], s, calls, pool, left, exit_s, t_end, limits, event)


@inner
def come_in(s, calls, pool, port, rows, i, first, silent, limits):
    """The ship is heard within reach of a port; a silence before that may have been spent there."""
    dt = rows.t[i] - s.t_last
    s.call = take(calls, pool)
    c = calls[s.call - 1]
    enter(s, c, port, rows, i, 1 if not first and dt < limits.port_gap_us else 0, limits)
    c.entry_s = np.nan if first else 0.9e-6 * dt
    if silent:
        come, gone = unseen(s, port, rows, i, limits)
        way = goes(rows.lat[i], rows.lon[i], rows.sog[i], rows.cog[i], limits.ports.lat[port], limits.ports.lon[port])
        if gone - come >= limits.port_gap_us and way <= 0.0:
            c.gap, c.early_s, c.entry_s = GONE, 1e-6 * (rows.t[i] - come), 0.9e-6 * (gone - come)


@inner
def between(s, rows, i, limits, event):
    """A silence with both ends out of reach: 1 when the ship went in to a port before and out from it after, else 0."""
    last_lat, last_lon = deg_of(s.lat_last), deg_of(s.lon_last)
    for end in range(2):
        lat, lon = (last_lat, last_lon) if end == 0 else (rows.lat[i], rows.lon[i])
        port, _ = nearest_port_at(limits.ports, lat, lon, limits.near_m)
        if port < 0:
            continue
        lat, lon = limits.ports.lat[port], limits.ports.lon[port]
        if goes(last_lat, last_lon, known(s.sog_last), known(s.cog_last), lat, lon) >= limits.near_cos \
                and goes(rows.lat[i], rows.lon[i], rows.sog[i], rows.cog[i], lat, lon) <= -limits.near_cos \
                and distance_m(last_lat, last_lon, lat, lon) <= limits.near_m \
                and distance_m(rows.lat[i], rows.lon[i], lat, lon) <= limits.near_m:  # fmt: skip
            come, gone = unseen(s, port, rows, i, limits)
            if gone - come >= limits.port_gap_us:
                gap_s, here = np.float32((gone - come) * 1e-6), origin(rows.source[i], rows.offset[i])
                ship = limits.ships[rows.slot[i]]
                write_call(ship, 2, gap_s, port, come, gone, s.origin_last, here, 1, SCORES[2, 0], event)
                event.label, event.lat, event.lon = INFERRED, lat, lon
                event.cell = cell_at(lat, lon, INDEX_RESOLUTION)
                event.start_error_s = event.end_error_s = 0.9e-6 * (gone - come)
                event.facts[1], event.facts[3], event.facts[4] = 0.0, 0.0, 0.0
                return 1
    return 0


@kernel
def run(ships, calls, pool, rows, begin, limits, out):
    """Take rows from `begin` on: (row where it stopped, events written)."""
    events = 0
    index = limits.ports
    for i in range(begin, rows.t.size):
        if events + OUT_ROOM > out.size or is_full(calls, pool):
            return i, events
        s = ships[rows.slot[i]]
        t, lat, lon = rows.t[i], steps_of(rows.lat[i]), steps_of(rows.lon[i])
        first = s.alive_s == 0
        if first:
            s.t_last, s.alive_s = t, heard_s(rows.alive[i])
        dt = t - s.t_last
        silent = dt >= limits.port_gap_us and rows.alive[i] - heard_us(s) >= limits.port_gap_us
        was_in = s.call != 0
        room = s.room - abs(lat - s.lat_last) - abs(lon - s.lon_last)
        if room > 0:
            s.room = room
        else:
            if s.call:
                port = calls[s.call - 1].port
                metres = distance_m(index.lat[port], index.lon[port], rows.lat[i], rows.lon[i])
                s.room = room_of(limits.exit_m - metres)
                if metres > limits.exit_m:
                    events += go_out(s, calls, pool, rows, i, silent, limits, out[events])
            if s.call == 0:
                port, metres = nearest_port_at(index, rows.lat[i], rows.lon[i], np.inf)
                if port >= 0 and metres <= limits.enter_m:
                    come_in(s, calls, pool, port, rows, i, first, silent and not was_in, limits)
                else:
                    s.room = room_of(metres - limits.enter_m)
        if s.call:
            waited_us, sog = dt if was_in else 0, float(rows.sog[i])
            stay(s, calls[s.call - 1], t, lat, lon, sog, rows.nav_status[i], waited_us, silent, limits)
        elif silent and not was_in:
            events += between(s, rows, i, limits, out[events])
        s.t_last, s.alive_s, s.lat_last, s.lon_last = t, heard_s(rows.alive[i]), lat, lon
        s.sog_last, s.cog_last = kept(rows.sog[i]), kept(rows.cog[i])
        s.origin_last = origin(rows.source[i], rows.offset[i])
    return rows.t.size, events


@kernel
def flush(ships, calls, pool, now, alive, begin, limits, out):
    """Calls that go on when the input ends: (slot where it stopped or -1, events written)."""
    events = 0
    for k in range(begin, ships.size):
        if events + OUT_ROOM > out.size:
            return k, events
        if ships[k].call:
            events += leave(limits.ships[k], ships[k], calls, pool, -1, np.nan, 0, limits, out[events])
    return -1, events


class PortCalls(PooledDetector):
    """Port calls of each hull."""

    name = "port_call"
    Params = PortCallParams
    kinds = ("port_call",)
    facts = FACTS
    state, part, loop, end = SAILING, STAY, run, flush
    numbered = "call", 0

    def __init__(self, params: PortCallParams | None = None) -> None:
        super().__init__(params)
        self._index = port_index()
        self.know(Anchorages())

    def know(self, anchorages: Anchorages) -> None:
        """Tell berths from roads by these anchorages."""
        kinds = {"berth": BERTH, "anchorage": ANCHOR, "offshore": ANCHOR}
        self._anchorages = anchorages
        self._lying = np.array([*(kinds.get(place.kind, 0) for place in anchorages), 0], np.int8)

    def params_dict(self) -> dict[str, Any]:
        """The parameters, and what is known of ports and anchorages: with another table, events have other ids."""
        known = self._anchorages.digest if len(self._anchorages) else None
        return {**super().params_dict(), "ports": ports_version(), "anchorages": known}

    def limits(self) -> Limits:
        """What the kernels take."""
        p = self.params
        return Limits(
            p.enter_m,
            p.exit_m,
            p.stop_begin_kn,
            p.stop_end_kn,
            float(p.min_stop_s),
            p.port_gap_s * 1_000_000,
            p.place_m,
            p.near_m,
            float(np.cos(np.radians(p.near_course_deg))),
            p.passage_kn,
            self._index,
            self._anchorages.table,
            self._lying,
            self.ships,
        )
