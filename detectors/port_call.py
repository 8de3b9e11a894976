"""Port calls: a ship comes within reach of a port, lies still there, and leaves.

After Global Fishing Watch's port visits: entry and exit with hysteresis, a stop that begins and ends at different
speeds, and a silence inside the port in place of a stop. Where the circles of two ports overlap, the call is at the
one that is nearest to the first stop. Two thresholds are wider here: the distances, because the port table has one
point per port where GFW has anchorage points found from the traffic, and the speeds of a stop, because an anchored
ship swings at 0.2 to 0.4 kn. `t_start` and `t_end` are the first and the last fix within reach; `score` is 1 where
entry, stop and exit were seen, 0.75 where the input begins or ends inside, 0.5 where only a silence stands for the
stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.detector import OUT_ROOM, Columns, Detector, grown
from detectors.event import PORT_CALL, begin_event
from geo.errors import UsageError
from geo.kernel import inner, kernel
from geo.ports import nearest_port_at, port_index, ports_version
from geo.sphere import KN_M_S, distance_m


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
    step_s: int = 300
    """A ship at 20 kn goes 3 km in this time: no port is passed unseen."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not 0.0 < self.enter_m <= self.exit_m:
            raise UsageError(
                f"port call: enter_m must be positive and at most exit_m, not {self.enter_m}, {self.exit_m}"
            )
        if not 0.0 < self.stop_begin_kn <= self.stop_end_kn:
            raise UsageError(
                f"port call: stop_begin_kn must be positive and at most stop_end_kn, "
                f"not {self.stop_begin_kn}, {self.stop_end_kn}"
            )
        if min(self.min_stop_s, self.port_gap_s, self.step_s) <= 0:
            raise UsageError(f"port call: min_stop_s, port_gap_s and step_s must be positive, not {self}")


CALL = np.dtype(
    [
        ("t_looked", "i8"),  # when the port table was last asked
        ("t_first", "i8"),
        ("t_last", "i8"),
        ("alive_last", "i8"),
        ("lat_last", "f8"),
        ("lon_last", "f8"),
        ("lat_stop", "f8"),
        ("lon_stop", "f8"),
        ("cell_stop", "u8"),
        ("stop_us", "i8"),
        ("first_offset", "i8"),
        ("last_offset", "i8"),
        ("mmsi", "u4"),
        ("n", "i4"),
        ("port", "i4"),  # row of the port + 1; 0: at sea
        ("hull", "u1"),
        ("seen", "u1"),
        ("entered", "u1"),  # it was seen outside before
        ("stopped", "u1"),
        ("named", "u1"),  # the port is that of the first stop, no longer that of the entry
        ("gap", "u1"),
        ("first_source", "u2"),
        ("last_source", "u2"),
    ],
    align=True,
)


@inner
def enter(c, port, t, lat, lon, cell, source, offset, entered):
    """The ship is within reach of a port from this fix on."""
    c.port, c.t_first, c.n, c.entered = port + 1, t, 0, entered
    c.stopped, c.gap, c.named, c.stop_us = 0, 0, 0, 0
    c.lat_stop, c.lon_stop, c.cell_stop = lat, lon, cell
    c.first_offset, c.first_source = offset, source


@kernel
def leave(c, left, min_stop_us, event):
    """The ship is out of reach, or the input ends: 1 when it was a call and stands in `event`, else 0."""
    port = c.port - 1
    c.port = 0
    stop = c.stop_us >= min_stop_us
    if not stop and c.gap == 0:
        return 0
    begin_event(event, PORT_CALL, c.mmsi, c.hull)
    event.open, event.n, event.port = 1 - left, c.n, port
    event.t_start, event.t_end = c.t_first, c.t_last
    event.lat, event.lon, event.cell = c.lat_stop, c.lon_stop, c.cell_stop
    event.lat_end, event.lon_end = c.lat_last, c.lon_last
    event.score = 0.5 if not stop else (1.0 if c.entered and left else 0.75)
    event.first_source, event.first_offset = c.first_source, c.first_offset
    event.last_source, event.last_offset = c.last_source, c.last_offset
    return 1


@kernel
def stay(c, dt, alive_us, speed_kn, t, lat, lon, cell, stop_begin_kn, stop_end_kn, port_gap_us):
    """One more fix within reach of the port: count the time it lay still, and a silence that is not the feed's."""
    if dt >= port_gap_us:
        if alive_us >= port_gap_us:
            c.gap = 1
    elif c.stopped and speed_kn < stop_end_kn:
        c.stop_us += dt
    if not c.stopped and speed_kn <= stop_begin_kn:
        c.stopped = 1
        if c.stop_us == 0:
            c.lat_stop, c.lon_stop, c.cell_stop = lat, lon, cell
    elif c.stopped and speed_kn >= stop_end_kn:
        c.stopped = 0


@kernel
def run(calls, rows, begin, index, enter_m, exit_m, stop_begin_kn, stop_end_kn, min_stop_us, port_gap_us, step_us, out):
    """Take rows from `begin` on: (row where it stopped, events written)."""
    events = 0
    port_lat, port_lon = index.lat, index.lon
    for i in range(begin, rows.t.size):
        if events + OUT_ROOM > out.size:
            return i, events
        c = calls[rows.slot[i]]
        first = c.seen == 0
        if first:
            c.seen, c.mmsi, c.hull = 1, rows.mmsi[i], rows.hull[i]
        dt = 0 if first else rows.t[i] - c.t_last
        speed_kn = float(rows.sog[i])
        if speed_kn != speed_kn:
            speed_kn = (
                np.inf
                if dt == 0
                else distance_m(c.lat_last, c.lon_last, rows.lat[i], rows.lon[i]) / (dt * 1e-6) / KN_M_S
            )
        if c.port and distance_m(port_lat[c.port - 1], port_lon[c.port - 1], rows.lat[i], rows.lon[i]) > exit_m:
            events += leave(c, 1, min_stop_us, out[events])
        if c.port == 0 and (first or rows.t[i] - c.t_looked >= step_us):
            c.t_looked = rows.t[i]
            port, _ = nearest_port_at(index, rows.lat[i], rows.lon[i], enter_m)
            if port >= 0:
                enter(
                    c,
                    port,
                    rows.t[i],
                    rows.lat[i],
                    rows.lon[i],
                    rows.cell[i],
                    rows.source[i],
                    rows.offset[i],
                    0 if first else 1,
                )
                dt = 0
        if c.port:
            c.n += 1
            stay(c, dt, rows.alive[i] - c.alive_last, speed_kn, rows.t[i], rows.lat[i], rows.lon[i], rows.cell[i],
                 stop_begin_kn, stop_end_kn, port_gap_us)  # fmt: skip
            c.last_offset, c.last_source = rows.offset[i], rows.source[i]
            if c.stopped and not c.named:
                c.named = 1
                port, _ = nearest_port_at(index, rows.lat[i], rows.lon[i], enter_m)
                c.port = port + 1 if port >= 0 else c.port
        c.t_last, c.alive_last, c.lat_last, c.lon_last = rows.t[i], rows.alive[i], rows.lat[i], rows.lon[i]
    return rows.t.size, events


@kernel
def flush(calls, begin, min_stop_us, out):
    """Calls that go on when the input ends: (slot where it stopped or -1, events written)."""
    events = 0
    for k in range(begin, calls.size):
        if events + OUT_ROOM > out.size:
            return k, events
        if calls[k].port:
            events += leave(calls[k], 0, min_stop_us, out[events])
    return -1, events


class PortCalls(Detector):
    """Port calls of each hull."""

    name = "port_call"
    Params = PortCallParams
    kinds = ("port_call",)

    def __init__(self, params: PortCallParams | None = None) -> None:
        super().__init__(params)
        self._index = port_index()
        self.arrays = {"calls": np.zeros(256, CALL).view(np.recarray)}

    def params_dict(self) -> dict[str, Any]:
        """The parameters, and the table of ports: with another one, events have other ids."""
        return {**super().params_dict(), "ports": ports_version()}

    def reserve(self, slots: int) -> None:
        """Make room for `slots` hulls."""
        self.arrays["calls"] = grown(self.arrays["calls"], slots)

    def run(self, columns: Columns, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """Rows from `begin` on: (the row where it stopped, events written to `out`)."""
        p = self.params
        stopped, events = run(
            self.arrays["calls"],
            columns,
            begin,
            self._index,
            p.enter_m,
            p.exit_m,
            p.stop_begin_kn,
            p.stop_end_kn,
            p.min_stop_s * 1_000_000,
            p.port_gap_s * 1_000_000,
            p.step_s * 1_000_000,
            out,
        )
        return int(stopped), int(events)

    def flush(self, now: int, alive: int, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """Calls that are still going on at `now`."""
        stopped, events = flush(self.arrays["calls"], begin, self.params.min_stop_s * 1_000_000, out)
        return int(stopped), int(events)
