"""What a ship does within reach of a port: where it lies, and whether at a berth or at anchor.

A place is where the ship lies still; the next one begins where it lies still more than `place_m` away. In a place that
is no known anchorage (`geo.anchorages`) a ship lay at anchor when it went more than 150 m three times, and once in
four hours: it swung with the tide, which a ship on its lines does not. A ship that did not is believed what its
navigational status says for most of the time; without that it lay at a berth.
"""

from __future__ import annotations

import numpy as np

from detectors.compact import M_PER_STEP, origin, way_m
from geo.anchorages import anchorage_row
from geo.kernel import inlined, inner
from geo.ports import nearest_port_at
from geo.sphere import KN_M_S, bearing_deg, distance_m
from geo.steps import deg_of, steps_of

ANCHOR, BERTH = 1, 2
"""How a ship lies at a place."""
WITHIN, GONE = 1, 2
"""Where a silence that stands for a stop began and ended: both within reach, or one of them not."""
MOVE_M = 150.0
"""Positions of type 27 are rounded by up to 131 m; a ship swings on its chain by more (twice the radius)."""
MOVES, S_PER_MOVE = 3, 4 * 3600
"""Docking and a single wrong position are two moves; the tide turns every six hours, over more than two of them."""
AT_ANCHOR, MOORED = 1, 5
"""Navigational status (ITU-R M.1371-5, table 45)."""
INSIDE = 0.999
"""A ship moves at most |dlat| + |dlon| degrees of latitude; so much of its room is sure in spite of rounding."""
_FARTHEST = 2e9
"""Steps that a number of the record holds, more than half a turn."""
PER_UNIT, UNKNOWN = 100.0, 65_535
"""Speeds and courses are kept in hundredths, AIS sends tenths; this is the one for "not available"."""
MOST = 655.0
"""Of them what is more is kept as so much."""

SAILING = np.dtype(
    [
        ("t_last", "i8"),  # the last fix, wherever it was
        ("origin_last", "i8"),
        ("lat_last", "i4"),
        ("lon_last", "i4"),
        ("alive_s", "u4"),  # for how long the feed had been heard by then, see `heard_s`; 0: not seen yet
        ("room", "i4"),  # steps that it can go from there before the ports have to be looked at again
        ("sog_last", "u2"),
        ("cog_last", "u2"),
        ("call", "i4"),  # the number of its stay, 0: at sea
    ],
    align=True,
)
"""State of one hull; positions and origins as in `detectors.compact`."""

STAY = np.dtype(
    [
        ("t_first", "i8"),
        ("first_origin", "i8"),
        ("lat_here", "i4"),  # where it entered or came to rest
        ("lon_here", "i4"),
        ("lat_main", "i4"),
        ("lon_main", "i4"),
        ("stop_s", "f4"),
        ("early_s", "f4"),  # so much of a silence that ended here may have been spent here
        ("gap_s", "f4"),
        ("entry_s", "f4"),
        ("wait_s", "f4"),
        ("said_s", "f4"),  # by its status at anchor, less moored
        ("here_from", "i4"),  # seconds since t_first, of the present place; -1 none
        ("here_to", "i4"),
        ("main_from", "i4"),
        ("main_to", "i4"),
        ("n", "i4"),
        ("port", "u2"),  # rows of the table of ports
        ("main_port", "u2"),
        ("moves", "u2"),
        ("main", "u1"),  # ANCHOR or BERTH: how it lay at the main place; 0 none yet
        ("entered", "u1"),  # it was heard outside just before
        ("stopped", "u1"),
        ("gap", "u1"),  # WITHIN or GONE: a silence stands for a stop
    ],
    align=True,
)
"""A stay within reach of a port."""


@inlined
def heard_s(alive):
    """Whole seconds for which the feed had been heard, and one."""
    return alive // 1_000_000 + 1


@inlined
def heard_us(s):
    """For how long the feed had been heard at a ship's last fix, in µs."""
    return (np.int64(s.alive_s) - 1) * 1_000_000


@inlined
def kept(value):
    """A speed or course as it is kept."""
    if 0.0 <= value <= MOST:
        return np.int64(value * PER_UNIT + 0.5)
    return np.int64(UNKNOWN if value != value else 0 if value < 0.0 else MOST * PER_UNIT)


@inlined
def known(hundredths):
    """A speed or course as it came, NaN where not available."""
    return np.float32(np.nan) if hundredths == UNKNOWN else np.float32(hundredths / PER_UNIT)


@inner
def goes(lat, lon, sog, cog, port_lat, port_lon):
    """Whether a ship goes to a port (1), away from it (-1) or past it (0: abeam), or lies still (0); NaN not known."""
    if sog < 1.0:
        return 0.0
    if sog != sog or cog != cog:
        return np.nan
    return np.cos(np.radians(cog - bearing_deg(lat, lon, port_lat, port_lon)))


@inlined
def room_of(metres):
    """Steps that a ship surely can go on less than so many metres."""
    return np.int64(max(0.0, min(_FARTHEST, INSIDE * metres / M_PER_STEP)))


@inner
def look(s, c, lat, lon, limits):
    """The ship is here, within reach of its port: how far it has to go from here to leave it at least."""
    metres = distance_m(limits.ports.lat[c.port], limits.ports.lon[c.port], deg_of(lat), deg_of(lon))
    c.lat_here, c.lon_here, s.room = lat, lon, room_of(limits.exit_m - metres)


@inner
def enter(s, c, port, rows, i, entered, limits):
    """The ship is within reach of a port from this fix on."""
    c.port, c.t_first, c.n, c.main, c.here_from = port, rows.t[i], 0, 0, -1
    c.stop_s, c.early_s, c.gap_s, c.wait_s = 0.0, 0.0, 0.0, 0.0
    c.entered, c.stopped, c.gap = entered, 0, 0
    look(s, c, steps_of(rows.lat[i]), steps_of(rows.lon[i]), limits)
    c.first_origin = origin(rows.source[i], rows.offset[i])


@inner
def lay_at_anchor(c, limits):
    """Whether the ship lay at anchor at the present place."""
    row = anchorage_row(limits.anchorages, deg_of(c.lat_here), deg_of(c.lon_here))
    if row >= 0 and limits.lying[row]:
        return limits.lying[row] == ANCHOR
    stay_s = c.here_to - c.here_from
    if c.moves >= MOVES and c.moves * S_PER_MOVE >= stay_s:
        return True
    return 2.0 * c.said_s > stay_s


@inner
def close_place(c, limits):
    """The ship has done with a place: it is the call's if it is a berth and the longest, or no berth was found yet."""
    if c.here_from < 0:
        return
    stay_s = c.here_to - c.here_from
    how = ANCHOR if lay_at_anchor(c, limits) else BERTH
    if how == ANCHOR:
        c.wait_s += stay_s
    if how > c.main or (how == c.main and stay_s > c.main_to - c.main_from):
        c.main, c.main_from, c.main_to, c.main_port = how, c.here_from, c.here_to, c.port
        c.lat_main, c.lon_main = c.lat_here, c.lon_here
    c.here_from = -1


@inlined
def is_here(c, lat, lon):
    """Whether a ship that lies still has surely not moved since it came to rest at the present place."""
    return c.here_from >= 0 and abs(lat - c.lat_here) + abs(lon - c.lon_here) < INSIDE * MOVE_M / M_PER_STEP


@inner
def settle(s, c, t, lat, lon, limits):
    """The ship lies still at this fix: it has moved at the present place, or is at a new one, maybe another port's."""
    if c.here_from >= 0:
        metres = way_m(np.int64(c.lat_here), np.int64(c.lon_here), lat, lon)
        if metres <= limits.place_m:
            if metres > MOVE_M:
                c.moves = min(UNKNOWN, c.moves + 1)
                look(s, c, lat, lon, limits)
            return
        close_place(c, limits)
    c.here_from = c.here_to = (t - c.t_first) // 1_000_000
    c.moves, c.said_s = 0, 0.0
    port, _ = nearest_port_at(limits.ports, deg_of(lat), deg_of(lon), limits.enter_m)
    if port >= 0:
        c.port = port
    look(s, c, lat, lon, limits)


@inner
def rename(s, c, limits):
    """The ship fell silent without having lain still: what counts is the port that it was nearest to by then."""
    port, _ = nearest_port_at(limits.ports, deg_of(s.lat_last), deg_of(s.lon_last), limits.enter_m)
    if c.here_from < 0 and c.main == 0 and port >= 0:
        c.port, c.lat_here, c.lon_here, s.room = port, s.lat_last, s.lon_last, 0


@inner
def implied_kn(s, t, lat, lon):
    """The speed since the last fix, for a ship that does not say it."""
    gone_m = way_m(np.int64(s.lat_last), np.int64(s.lon_last), lat, lon)
    return gone_m / ((t - s.t_last) * 1e-6) / KN_M_S if t > s.t_last else np.inf


@inlined
def stay(s, c, t, lat, lon, sog, nav_status, dt, silent, limits):
    """One more fix within reach of the port: count the time it lay still, and a silence that is not the feed's."""
    c.n += 1
    speed_kn = sog if sog == sog else implied_kn(s, t, lat, lon)
    if dt >= limits.port_gap_us:
        if silent:
            c.gap, c.gap_s = WITHIN, c.gap_s + dt * 1e-6
            rename(s, c, limits)
    elif c.stopped and speed_kn < limits.stop_end_kn:
        c.stop_s += dt * 1e-6
        if nav_status == AT_ANCHOR:
            c.said_s += dt * 1e-6
        elif nav_status == MOORED:
            c.said_s -= dt * 1e-6
    if c.stopped and speed_kn >= limits.stop_end_kn:
        c.stopped = 0
    elif c.stopped or speed_kn <= limits.stop_begin_kn:
        c.stopped = 1
        if not is_here(c, lat, lon):
            settle(s, c, t, lat, lon, limits)
        c.here_to = (t - c.t_first) // 1_000_000
