"""A ship that is heard elsewhere and comes back: stays of other hulls behind one MMSI that fill a hull's silence.

Tracks put a position that a ship cannot have reached on another hull of its MMSI. Two ships that share an MMSI are
heard at the same time; a ship whose position is false is heard either here or there. So: a hull falls silent, within
`max_switch_s` the MMSI is heard elsewhere, and within `max_switch_s` of the last of these fixes the hull is heard
again. Two ships that know nothing of each other would be silent and heard so by chance with the probability
(first wait / silence) x (last wait / silence), and the score is one less that. An MMSI of which the first hull was once
heard while another was there has two ships, and nothing is concluded from it any more (`identity` looks at these): so
positions that change between two places every few minutes are not seen. Which of the two is false, the track alone does
not say.
"""

from __future__ import annotations

import numpy as np

from detectors.event import FALSE_POSITION, begin_event
from detectors.suspicion import IMPLIED, IMPOSSIBLE_SPEED, hull_of
from geo.kernel import inner, kernel
from geo.sphere import KN_M_S, distance_m

STAY = np.dtype(
    [
        ("t_first", "i8"),
        ("t_last", "i8"),
        ("offset_first", "i8"),
        ("offset_last", "i8"),
        ("lat_first", "f8"),
        ("lon_first", "f8"),
        ("mmsi", "u4"),  # 0: a free place
        ("n", "i4"),
        ("source_first", "u2"),
        ("source_last", "u2"),
        ("hull", "u1"),
        ("both", "u1"),  # 1: the first hull was heard during a stay
    ],
    align=True,
)
"""The last stay of an MMSI on hulls other than its first."""


@inner
def stay_place(stays, mmsi):
    """The row of an MMSI in the table: its own, or the free one where it belongs."""
    mask = stays.size - 1
    at = (np.int64(mmsi) * 0x9E3779B1 >> 8) & mask
    while stays[at].mmsi != 0 and stays[at].mmsi != mmsi:
        at = (at + 1) & mask
    return at


@kernel
def rebuild_stays(old, new):
    """Enter all rows of one table into an empty, larger one."""
    for at in range(old.size):
        if old[at].mmsi != 0:
            new[stay_place(new, old[at].mmsi)] = old[at]


@inner
def extend_stay(stays, used, most, mmsi, hull, t, lat, lon, offset, source, max_switch_us):
    """A fix of a hull other than the first: it goes on with the stay, or begins one; 1 when there is no room for it."""
    stay = stays[stay_place(stays, mmsi)]
    if stay.mmsi == 0:
        if used[0] >= most:
            return 1
        stay.mmsi = mmsi
        used[0] += 1
    if stay.n == 0 or t - stay.t_last > max_switch_us:
        stay.n, stay.t_first, stay.lat_first, stay.lon_first = 0, t, lat, lon
        stay.offset_first, stay.source_first, stay.hull = offset, source, hull
    stay.n += 1
    stay.t_last, stay.offset_last, stay.source_last = t, offset, source
    return 0


@inner
def write_stay(s, stay, t, score, event):
    """The event of a hull that was heard elsewhere until `t`."""
    begin_event(event, FALSE_POSITION, s.mmsi, hull_of(s))
    event.label, event.n, event.t_start, event.t_end = IMPOSSIBLE_SPEED, stay.n, s.t, t
    event.lat, event.lon, event.lat_end, event.lon_end = s.lat * 1e-7, s.lon * 1e-7, stay.lat_first, stay.lon_first
    event.distance_m = distance_m(event.lat, event.lon, event.lat_end, event.lon_end)
    event.facts[IMPLIED] = event.distance_m / max(1.0, 1e-6 * (stay.t_first - s.t)) / KN_M_S
    event.score, event.coverage = score, (stay.t_last - stay.t_first) / (t - s.t)
    event.start_error_s, event.end_error_s = 0.45e-6 * (stay.t_first - s.t), 0.45e-6 * (t - stay.t_last)
    event.first_source, event.first_offset = stay.source_first, stay.offset_first
    event.last_source, event.last_offset = stay.source_last, stay.offset_last


@inner
def was_elsewhere(stays, s, t, p, event):
    """A hull is heard again: 1 when its MMSI was elsewhere meanwhile, and the event stands in `event`."""
    stay = stays[stay_place(stays, s.mmsi)]
    if stay.mmsi != 0 and hull_of(s) == 0 and stay.t_first < s.t < stay.t_last:
        stay.both = 1
    if stay.mmsi == 0 or stay.both or stay.n < p.min_fixes or stay.hull == hull_of(s):
        return 0
    silence, first, last = t - s.t, stay.t_first - s.t, t - stay.t_last
    if silence < p.min_away_us or first <= 0 or first > p.max_switch_us or last > p.max_switch_us:
        return 0
    score = 1.0 - (first / silence) * (last / silence)
    if score < p.min_stay_score:
        return 0
    write_stay(s, stay, t, score, event)
    return 1


@inner
def is_elsewhere(stays, s, now, p, event):
    """The input ends while a hull is silent: 1 when its MMSI was last heard elsewhere, from soon after on."""
    stay = stays[stay_place(stays, s.mmsi)]
    first = stay.t_first - s.t
    if stay.mmsi == 0 or stay.both or stay.n < p.min_fixes or stay.hull == hull_of(s):
        return 0
    if first <= 0 or first > p.max_switch_us:
        return 0
    score = 1.0 - first / (stay.t_last - s.t)
    if score < p.min_stay_score:
        return 0
    write_stay(s, stay, stay.t_last, score, event)
    event.open = 1
    event.end_error_s = np.nan
    return 1
