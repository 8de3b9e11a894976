"""A ship as the rendezvous knows it (`MOVER`), and a straight piece of its way in a bin of event time (`PIECE`)."""

from __future__ import annotations

import math

import numpy as np

from detectors.motion import SLOW_KN
from geo.kernel import inner
from geo.sphere import EARTH_RADIUS_M, KN_M_S, wrap_deg

M_PER_DEG = math.radians(EARTH_RADIUS_M)
MOVER = np.dtype(
    [
        ("t", "i8"),  # the last fix that counts: a step or more after the one before
        ("lat", "f8"),
        ("lon", "f8"),
        ("cell", "u8"),  # cell of the last piece; its neighbours stand in `disks`
        ("offset", "i8"),
        ("sog", "f4"),
        ("cog", "f4"),
        ("heading", "f4"),
        ("cruise", "f4"),  # kn, last reported under way
        ("slack_m", "f4"),  # so far it may go and be nearer to the shore than counts
        ("done", "i4"),  # entries made of the way to the present row
        ("mmsi", "u4"),
        ("source", "u2"),
        ("seen", "u1"),
        ("hull", "u1"),
        ("anchored", "u1"),
    ],
    align=True,
)
PIECE = np.dtype(
    [
        ("cell", "u8"),
        ("t0", "i8"),
        ("t1", "i8"),
        ("t", "i8"),  # the middle of its time in the bin, and where it is then
        ("lat", "f8"),
        ("lon", "f8"),
        ("offset0", "i8"),  # of the two fixes between which it lies
        ("offset1", "i8"),
        ("north_m_s", "f4"),
        ("east_deg_s", "f4"),  # of longitude
        ("m_s", "f4"),
        ("error0_s", "f4"),  # half width of the 90 % interval of t0 and t1; NaN at a fix: the ship was there
        ("error1_s", "f4"),
        ("leg_s", "f4"),  # time between the fixes
        ("spread_m", "f4"),  # half width of the 90 % interval of its distance from this line
        ("sog", "f4"),
        ("heading", "f4"),
        ("slot", "i4"),
        ("next", "i4"),
        ("source0", "u2"),
        ("source1", "u2"),
        ("anchored", "u1"),
    ],
    align=True,
)
SPREAD_SHARE = 0.5
"""Of the way that a drifting ship has made since it was heard, by which it may be off its line (90 %)."""
NOISE_KN = 0.2
"""Below, a speed over ground is noise, and the ship does not drift."""


@inner
def lies(nav_status):
    """1 when a ship says that it is at anchor or moored."""
    return 1 if nav_status == 1 or nav_status == 5 else 0


@inner
def said_kn(sog_kn, anchored):
    """Speed for the motion: a ship at anchor that reports a low speed swings, and does not go away."""
    return 0.0 if anchored != 0 and sog_kn <= SLOW_KN else sog_kn


@inner
def spread_m(new, phase, middle_s, whole):
    """By how much a ship may be off a piece, `middle_s` after its begin: half width of the 90 % interval in metres.

    A drift that one fix shows may turn, by `SPREAD_SHARE` of the way since; one between two fixes by what the way by
    its speed is longer than the straight one, most in the middle.
    """
    if new.anchored != 0 or not new.sog >= NOISE_KN or new.sog > SLOW_KN:
        return 0.0
    path_m_s = new.sog * KN_M_S
    if whole:
        spare_m = math.sqrt(max(0.0, path_m_s * path_m_s - new.m_s * new.m_s)) * new.leg_s
        share = middle_s / new.leg_s
        return SPREAD_SHARE * spare_m * 2.0 * share * (1.0 - share)
    since_s = middle_s if phase == 0 else (new.t1 - new.t0) * 1e-6 - middle_s
    return SPREAD_SHARE * path_m_s * since_s


@inner
def write_piece(new, m, rows, i, phase, s0, s1, north0, east0, north_m_s, east_m_s, error_s,
                bin_from, step_us):  # fmt: skip
    """The piece of a mover's way to row `i` from `s0` to `s1` seconds after its fix, in a bin; all but its cell."""
    t1 = rows.t[i]
    seconds = (t1 - m.t) * 1e-6
    east = M_PER_DEG * max(1e-6, math.cos(math.radians(0.5 * (m.lat + rows.lat[i]))))
    new.t0 = m.t + np.int64(s0 * 1e6)
    new.t1 = t1 if s1 >= seconds else m.t + np.int64(s1 * 1e6)
    middle_s = 0.5 * (max(new.t0, bin_from) + min(new.t1, bin_from + step_us) - 2 * new.t0) * 1e-6
    new.t = new.t0 + np.int64(middle_s * 1e6)
    new.lat = m.lat + (north0 + north_m_s * middle_s) / M_PER_DEG
    new.lon = wrap_deg(m.lon + (east0 + east_m_s * middle_s) / east)
    new.north_m_s, new.east_deg_s = north_m_s, east_m_s / east
    new.m_s = math.sqrt(north_m_s * north_m_s + east_m_s * east_m_s)
    new.error0_s = error_s if s0 > 0.0 else np.nan
    new.error1_s = error_s if s1 < seconds else np.nan
    new.leg_s = seconds
    sog0, sog1 = m.sog, rows.sog[i]
    whole = s1 - s0 >= seconds
    new.sog = 0.5 * (sog0 + sog1) if whole else sog0 if phase == 0 else sog1
    new.heading = m.heading if phase == 0 else rows.heading[i]
    new.anchored = m.anchored if phase == 0 else lies(rows.nav_status[i])
    new.offset0, new.offset1, new.source0, new.source1 = m.offset, rows.offset[i], m.source, rows.source[i]
    new.slot = rows.slot[i]
    new.spread_m = spread_m(new, phase, middle_s, whole)
