"""A ship as the rendezvous knows it (`MOVER`), and a straight piece of its way in a bin of event time (`PIECE`).

Positions, speeds, courses, headings and evidence are kept as `detectors.compact` has them.
"""

from __future__ import annotations

import math

import numpy as np

from detectors.compact import FINE_BITS, fine_deg, fine_units, hundredths, of_hundredths, origin
from detectors.motion import SLOW_KN, WORKING_KN
from geo.kernel import inlined, inner
from geo.sphere import EARTH_RADIUS_M, KN_M_S, wrap_deg

M_PER_DEG = math.radians(EARTH_RADIUS_M)
MOVER = np.dtype(
    [
        ("t", "i8"),  # the last fix that counts: a step or more after the one before
        ("evidence", "i8"),
        ("lat", "i4"),
        ("lon", "i4"),
        ("slack_m", "f4"),  # so far it may go and be nearer to the shore than counts
        ("sog", "u2"),
        ("cog", "u2"),
        ("heading", "u2"),
        ("cruise", "u2"),  # speed last reported under way; 0: never heard
        ("anchored", "u1"),
        ("lat_fine", "u1"),
        ("lon_fine", "u1"),
    ],
    align=True,
)
PIECE = np.dtype(
    [
        ("evidence0", "i8"),  # of the two fixes between which it lies
        ("evidence1", "i8"),
        ("t0", "u4"),  # its time in the bin, µs from the bin's begin on
        ("t1", "u4"),
        ("lat", "i4"),  # where it is in the middle of that time
        ("lon", "i4"),
        ("north_m_s", "f4"),
        ("east_deg_s", "f4"),  # of longitude
        ("m_s", "f4"),
        ("error_s", "f4"),  # half width of the 90 % interval of its ends, where they are not fixes
        ("leg_s", "f4"),  # time between the fixes
        ("spread_m", "f4"),  # half width of the 90 % interval of its distance from this line
        ("slot", "i4"),
        ("next", "i4"),
        ("sog", "u2"),
        ("heading", "u2"),
        ("flags", "u1"),
        ("lat_fine", "u1"),
        ("lon_fine", "u1"),
    ],
    align=True,
)
ANCHORED, BEGINS, ENDS, FROM_FIX, TO_FIX = 1, 2, 4, 8, 16
"""Flags of a piece: it begins and ends in this bin, and not in another; it does so at a fix."""
LOW = (1 << FINE_BITS) - 1
SPREAD_SHARE = 0.5
"""Of the way that a drifting ship has made since it was heard, by which it may be off its line (90 %)."""
NOISE_KN = 0.2
"""Below, a speed over ground is noise, and the ship does not drift."""


@inlined
def lies(nav_status):
    """1 when a ship says that it is at anchor or moored."""
    return 1 if nav_status == 1 or nav_status == 5 else 0


@inlined
def piece_place(piece):
    """(lat, lon) of the middle of a piece in degrees."""
    return fine_deg(piece.lat, piece.lat_fine), fine_deg(piece.lon, piece.lon_fine)


@inlined
def mover_place(m):
    """(lat, lon) of a mover's last fix in degrees."""
    return fine_deg(m.lat, m.lat_fine), fine_deg(m.lon, m.lon_fine)


@inlined
def keep_fix(m, rows, i):
    """Row `i` is the mover's last fix."""
    lat, lon = fine_units(rows.lat[i]), fine_units(rows.lon[i])
    m.lat, m.lat_fine, m.lon, m.lon_fine = lat >> FINE_BITS, lat & LOW, lon >> FINE_BITS, lon & LOW
    m.t, m.evidence = rows.t[i], origin(rows.source[i], rows.offset[i])
    m.sog, m.cog, m.heading = hundredths(rows.sog[i]), hundredths(rows.cog[i]), hundredths(rows.heading[i])
    m.anchored = lies(rows.nav_status[i])
    if rows.sog[i] > WORKING_KN:
        m.cruise = m.sog


@inlined
def said_kn(sog_kn, anchored):
    """Speed for the motion: a ship at anchor that reports a low speed swings, and does not go away."""
    return 0.0 if anchored != 0 and sog_kn <= SLOW_KN else sog_kn


@inner
def spread_m(sog_kn, m_s, leg_s, phase, since_begin_s, until_end_s, whole):
    """By how much a ship may be off a piece, between its begin and its end: half width of the 90 % interval in metres.

    A drift that one fix shows may turn, by `SPREAD_SHARE` of the way since; one between two fixes by what the way by
    its speed is longer than the straight one, most in the middle.
    """
    if not sog_kn >= NOISE_KN or sog_kn > SLOW_KN:
        return 0.0
    path_m_s = sog_kn * KN_M_S
    if whole:
        spare_m = math.sqrt(max(0.0, path_m_s * path_m_s - m_s * m_s)) * leg_s
        share = since_begin_s / leg_s
        return SPREAD_SHARE * spare_m * 2.0 * share * (1.0 - share)
    return SPREAD_SHARE * path_m_s * (since_begin_s if phase == 0 else until_end_s)


@inlined
def write_piece(new, m, rows, i, phase, s0, s1, north0, east0, north_m_s, east_m_s, error_s,
                bin_from, step_us):  # fmt: skip
    """The piece of a mover's way to row `i` from `s0` to `s1` seconds after its fix, in a bin."""
    lat0, lon0 = mover_place(m)
    seconds = (rows.t[i] - m.t) * 1e-6
    east = M_PER_DEG * max(1e-6, math.cos(math.radians(0.5 * (lat0 + rows.lat[i]))))
    t0 = m.t + np.int64(s0 * 1e6)
    t1 = rows.t[i] if s1 >= seconds else m.t + np.int64(s1 * 1e6)
    begin, end = max(t0, bin_from), min(t1, bin_from + step_us)
    new.t0, new.t1 = begin - bin_from, end - bin_from
    middle_s = 0.5 * (begin + end - 2 * t0) * 1e-6
    lat = fine_units(lat0 + (north0 + north_m_s * middle_s) / M_PER_DEG)
    lon = fine_units(wrap_deg(lon0 + (east0 + east_m_s * middle_s) / east))
    new.lat, new.lat_fine, new.lon, new.lon_fine = lat >> FINE_BITS, lat & LOW, lon >> FINE_BITS, lon & LOW
    new.north_m_s, new.east_deg_s = north_m_s, east_m_s / east
    new.m_s = math.sqrt(north_m_s * north_m_s + east_m_s * east_m_s)
    new.error_s, new.leg_s = error_s, seconds
    whole = s1 - s0 >= seconds
    sog0_kn = of_hundredths(m.sog)
    sog_kn = 0.5 * (sog0_kn + rows.sog[i]) if whole else sog0_kn if phase == 0 else rows.sog[i]
    new.sog = hundredths(sog_kn)
    new.heading = m.heading if phase == 0 else hundredths(rows.heading[i])
    anchored = m.anchored if phase == 0 else lies(rows.nav_status[i])
    flags = BEGINS if t0 >= bin_from else 0
    flags |= ENDS if t1 <= bin_from + step_us else 0
    flags |= FROM_FIX if not s0 > 0.0 else 0
    flags |= TO_FIX if not s1 < seconds else 0
    new.flags = flags | (ANCHORED if anchored != 0 else 0)
    new.evidence0, new.evidence1 = m.evidence, origin(rows.source[i], rows.offset[i])
    new.slot = rows.slot[i]
    until_s = (t1 - t0) * 1e-6 - middle_s
    new.spread_m = 0.0 if anchored != 0 else spread_m(sog_kn, new.m_s, new.leg_s, phase, middle_s, until_s, whole)
