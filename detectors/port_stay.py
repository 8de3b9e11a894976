"""What a ship does within reach of a port: where it lies, and whether at a berth or at anchor.

A place is where the ship lies still; the next one begins where it lies still more than `place_m` away. In a place that
is no known anchorage (`geo.anchorages`) a ship lay at anchor when it went more than 150 m three times, and once in
four hours: it swung with the tide, which a ship on its lines does not. A ship that did not is believed what its
navigational status says for most of the time; without that it lay at a berth.
"""

from __future__ import annotations

import numpy as np

from geo.anchorages import anchorage_row
from geo.kernel import inlined, inner
from geo.ports import nearest_port_at
from geo.sphere import EARTH_RADIUS_M, KN_M_S, bearing_deg, distance_m

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
M_PER_DEG = EARTH_RADIUS_M * np.pi / 180.0
INSIDE = 0.999
"""A ship moves at most |dlat| + |dlon| degrees of latitude; so much of its room is sure in spite of rounding."""

STAY = np.dtype(
    [
        ("t_last", "i8"),  # the last fix, wherever it was
        ("alive_last", "i8"),
        ("lat_last", "f8"),
        ("lon_last", "f8"),
        ("lat_here", "f8"),  # at sea where the ports were last looked at; within reach where it entered or came to rest
        ("lon_here", "f8"),
        ("room_deg", "f4"),  # so far from there it comes into reach of no port, or does not leave the one
        ("port", "i4"),  # row of the port + 1; 0: at sea
        ("sog_last", "f4"),
        ("cog_last", "f4"),
        ("last_offset", "i8"),
        ("last_source", "u2"),
        ("first_source", "u2"),
        ("mmsi", "u4"),
        ("hull", "u1"),
        ("entered", "u1"),  # it was heard outside just before
        ("stopped", "u1"),
        ("gap", "u1"),  # WITHIN or GONE: a silence stands for a stop
        ("main", "u1"),  # ANCHOR or BERTH: how it lay at the main place; 0 none yet
        ("n", "i4"),
        ("t_first", "i8"),
        ("first_offset", "i8"),
        ("stop_us", "i8"),
        ("early_s", "f4"),  # so much of a silence that ended here may have been spent here
        ("gap_s", "f4"),
        ("entry_s", "f4"),
        ("wait_s", "f4"),
        ("here_from", "i4"),  # seconds since t_first, of the present place; -1 none
        ("here_to", "i4"),
        ("moves", "i4"),
        ("said_s", "f4"),  # by its status at anchor, less moored
        ("lat_main", "f8"),
        ("lon_main", "f8"),
        ("main_from", "i4"),
        ("main_to", "i4"),
        ("main_port", "i4"),
    ],
    align=True,
)


@inner
def goes(lat, lon, sog, cog, port_lat, port_lon):
    """Whether a ship goes to a port (1), away from it (-1) or past it (0: abeam), or lies still (0); NaN not known."""
    if sog < 1.0:
        return 0.0
    if sog != sog or cog != cog:
        return np.nan
    return np.cos(np.radians(cog - bearing_deg(lat, lon, port_lat, port_lon)))


@inner
def look(c, lat, lon, limits):
    """The ship is here, within reach of its port: how far it has to go from here to leave it at least."""
    metres = distance_m(limits.ports.lat[c.port - 1], limits.ports.lon[c.port - 1], lat, lon)
    c.lat_here, c.lon_here, c.room_deg = lat, lon, INSIDE * (limits.exit_m - metres) / M_PER_DEG


@inner
def enter(c, port, rows, i, entered, limits):
    """The ship is within reach of a port from this fix on."""
    c.port, c.t_first, c.n, c.entered = port + 1, rows.t[i], 0, entered
    c.stopped, c.gap, c.main, c.here_from = 0, 0, 0, -1
    c.stop_us, c.early_s, c.gap_s, c.wait_s = 0, 0.0, 0.0, 0.0
    look(c, rows.lat[i], rows.lon[i], limits)
    c.first_offset, c.first_source = rows.offset[i], rows.source[i]


@inner
def lay_at_anchor(c, limits):
    """Whether the ship lay at anchor at the present place."""
    row = anchorage_row(limits.anchorages, c.lat_here, c.lon_here)
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
        c.main, c.main_from, c.main_to, c.main_port = how, c.here_from, c.here_to, c.port - 1
        c.lat_main, c.lon_main = c.lat_here, c.lon_here
    c.here_from = -1


@inlined
def is_here(c, lat, lon):
    """Whether a ship that lies still has surely not moved since it came to rest at the present place."""
    return c.here_from >= 0 and abs(lat - c.lat_here) + abs(lon - c.lon_here) < INSIDE * MOVE_M / M_PER_DEG


@inner
def settle(c, t, lat, lon, limits):
    """The ship lies still at this fix: it has moved at the present place, or is at a new one, maybe another port's."""
    if c.here_from >= 0:
        metres = distance_m(c.lat_here, c.lon_here, lat, lon)
        if metres <= limits.place_m:
            if metres > MOVE_M:
                c.moves += 1
                look(c, lat, lon, limits)
            return
        close_place(c, limits)
    c.here_from = c.here_to = (t - c.t_first) // 1_000_000
    c.moves, c.said_s = 0, 0.0
    port, _ = nearest_port_at(limits.ports, lat, lon, limits.enter_m)
    if port >= 0:
        c.port = port + 1
    look(c, lat, lon, limits)


@inner
def rename(c, limits):
    """The ship fell silent without having lain still: what counts is the port that it was nearest to by then."""
    port, _ = nearest_port_at(limits.ports, c.lat_last, c.lon_last, limits.enter_m)
    if c.here_from < 0 and c.main == 0 and port >= 0:
        c.port = port + 1
        look(c, c.lat_last, c.lon_last, limits)


@inner
def implied_kn(c, t, lat, lon):
    """The speed since the last fix, for a ship that does not say it."""
    return distance_m(c.lat_last, c.lon_last, lat, lon) / ((t - c.t_last) * 1e-6) / KN_M_S if t > c.t_last else np.inf


@inlined
def stay(c, t, lat, lon, sog, nav_status, dt, silent, limits):
    """One more fix within reach of the port: count the time it lay still, and a silence that is not the feed's."""
    c.n += 1
    speed_kn = sog if sog == sog else implied_kn(c, t, lat, lon)
    if dt >= limits.port_gap_us:
        if silent:
            c.gap, c.gap_s = WITHIN, c.gap_s + dt * 1e-6
            rename(c, limits)
    elif c.stopped and speed_kn < limits.stop_end_kn:
        c.stop_us += dt
        if nav_status == AT_ANCHOR:
            c.said_s += dt * 1e-6
        elif nav_status == MOORED:
            c.said_s -= dt * 1e-6
    if c.stopped and speed_kn >= limits.stop_end_kn:
        c.stopped = 0
    elif c.stopped or speed_kn <= limits.stop_begin_kn:
        c.stopped = 1
        if not is_here(c, lat, lon):
            settle(c, t, lat, lon, limits)
        c.here_to = (t - c.t_first) // 1_000_000
