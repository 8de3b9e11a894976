"""The loop behind `detectors.rendezvous`: what slow ships do between two fixes, and which of them are close meanwhile.

A ship's way from one fix to the next is one to three straight pieces (`detectors.motion`). Each slow piece is entered
in every bin of event time that it touches (a bin is one step, counted from 1970 and not from midnight), under the
square of sea of its middle there (`detectors.squares`), unless it lies too near to the shore: harbours are full of
neighbours, and what happens there is no rendezvous. It is compared with every piece of another ship in the same bin and
the squares around; on the time that two pieces share in a bin both motions are straight, so that the moments at which
they come close and part are solved, not sampled. A piece can still come until the interpolation limit has passed, so
that a ring of bins is kept.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.compact import hundredths, of_hundredths
from detectors.detector import OUT_ROOM
from detectors.motion import DRIFT_KN, close_between, phases
from detectors.pair import NOISE_M, add_stretch, begin_pair, close_pair, grow_near, nearest_yet
from detectors.piece import (
    BEGINS,
    ENDS,
    FROM_FIX,
    M_PER_DEG,
    TO_FIX,
    keep_fix,
    lies,
    mover_place,
    piece_place,
    said_kn,
    write_piece,
)  # fmt: skip
from detectors.squares import asides, column_of, place_of, row_of
from geo.coast import shore_distance_at
from geo.kernel import inlined, inner, kernel
from geo.sphere import KN_M_S, wrap_deg
from geo.steps import STEPS_PER_DEG

TAKEN, SWEPT, DONE, LIVE, LOST = range(5)
"""In `used`: rows taken in `pairs`; time of the last sweep; entries made of the way to the row at which it stopped; how
many pairs are close or were so lately; pieces and pairs for which the bounds left no room."""
BIN = np.dtype([("number", "i8"), ("n", "i8")], align=True)
SWEEP_US = 3_600_000_000
"""Every hour of event time the pairs are searched for ended meetings, so that a stream hears of them in time."""
ROOM = 64
"""Free places that a table must have when the loop begins; it stops before the last is taken."""
TURN_UNITS = int(360 * STEPS_PER_DEG)
CRUISE_KN = 10.0
"""Of a ship that was never heard under way."""
SHORE_MARGIN_M = 1_000.0
"""The table of shore distances is good to this along a way."""


class Limits(NamedTuple):
    """The thresholds as plain numbers for the kernels, and the hulls by slot."""

    max_distance_m: float
    min_duration_us: int
    near_distance_m: float
    near_duration_us: int
    max_speed_kn: float
    fastest_kn: float
    max_interpolation_us: int
    max_break_us: int
    step_us: int
    min_shore_m: float
    reach_m: float
    most_pieces: int
    """Of a bin, and pairs that are close at a time."""
    most_pairs: int
    ships: NDArray[Any]


@inner
def link_piece(head, pieces, n, columns):
    """Enter a piece into the table of its bin."""
    lat, lon = piece_place(pieces[n])
    row = row_of(columns, lat)
    at = place_of(row, column_of(columns, row, lon), head.size)
    pieces[n].next = head[at]
    head[at] = n


@kernel
def rebuild_pieces(bins, pieces, heads, columns):
    """Enter all pieces of all bins into empty tables."""
    for ring in range(bins.size):
        for k in range(bins[ring].n):
            link_piece(heads[ring], pieces[ring], k, columns)


@inner
def pair_place(table, pairs, key):
    """The place of a pair in the table: its own, or the free one where it belongs."""
    mask = table.size - 1
    at = np.int64((np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(36)) & mask
    while table[at] >= 0 and pairs[table[at]].key != key:
        at = (at + 1) & mask
    return at


@kernel
def rebuild_pairs(old, used, new, table):
    """Enter the live ones of `used` pairs into empty tables; how many."""
    n = 0
    for k in range(used):
        if old[k].n > 0:
            new[n] = old[k]
            table[pair_place(table, new, old[k].key)] = n
            n += 1
    return n


@inner
def edge_error_s(x, y, at_edge, t, first, relative_m_s):
    """Half width of the 90 % interval of the moment at which two pieces come close (`first`) or part; NaN at a fix.

    In the midst of both it is what their spread and 20 m mean at their relative speed, and a tenth of the time between
    fixes, in which their speeds change; at the end of a piece, what that piece says.
    """
    error_s, found = 0.0, False
    for piece in (x, y):
        here, fix = (BEGINS, FROM_FIX) if first else (ENDS, TO_FIX)
        if at_edge and piece.flags & here and (piece.t0 if first else piece.t1) == t:
            own = np.nan if piece.flags & fix else np.float64(piece.error_s)
            error_s = own if not own <= error_s else error_s
            found = True
    if found:
        return error_s
    unsure_m = NOISE_M + x.spread_m + y.spread_m
    leg_s = max(x.leg_s, y.leg_s)
    return min(0.1 * leg_s + unsure_m / max(relative_m_s, 1e-3), 0.5 * leg_s)


@inner
def after_s(piece, t):
    """Seconds from the middle of a piece to a time of its bin."""
    return (t - 0.5 * (np.float64(piece.t0) + np.float64(piece.t1))) * 1e-6


@inner
def meet(p, x, y, bin_from, t0, t1, relative, limit_m, limits):
    """Two pieces (`x.slot` < `y.slot`) that are close at some time of a bin: enter that time into the pair's row.

    `t0` and `t1` are their common time there, `relative` how the one lies from the other.
    """
    north_m, east_m, north_m_s, east_m_s = relative
    seconds = (t1 - t0) * 1e-6
    begin_s, end_s, nearest_s = close_between(north_m, east_m, north_m_s, east_m_s, seconds, limit_m)
    c0, c1 = bin_from + t0 + np.int64(begin_s * 1e6), bin_from + t0 + np.int64(end_s * 1e6)
    relative_m_s = math.sqrt(north_m_s * north_m_s + east_m_s * east_m_s)
    middle_s = 0.5 * (begin_s + end_s)
    after_x, after_y = after_s(x, t0) + middle_s, after_s(y, t0) + middle_s
    (lat_x, lon_x), (lat_y, lon_y) = piece_place(x), piece_place(y)
    lat = 0.5 * (lat_x + lat_y + (x.north_m_s * after_x + y.north_m_s * after_y) / M_PER_DEG)
    lon_x, lon_y = lon_x + x.east_deg_s * after_x, lon_y + y.east_deg_s * after_y
    lon = wrap_deg(lon_x + 0.5 * wrap_deg(lon_y - lon_x))
    if p.n == 0:
        error_s = edge_error_s(x, y, begin_s <= 0.0, t0, True, relative_m_s)
        begin_pair(p, x, y, c0, error_s, lat, lon)
    p.t_start = min(p.t_start, c0)
    if c1 >= p.t_end:
        p.t_end, p.lat_end, p.lon_end = c1, lat, lon
        p.end_error_s = edge_error_s(x, y, end_s >= seconds, t1, False, relative_m_s)
        p.last_a, p.last_b = x.evidence1, y.evidence1
    nearest_yet(p, x, y, north_m + north_m_s * nearest_s, east_m + east_m_s * nearest_s)
    sum_m = 0.0
    for share in (0.0, 0.5, 1.0):  # Simpson's rule for the mean distance
        s = begin_s + share * (end_s - begin_s)
        north, east = north_m + north_m_s * s, east_m + east_m_s * s
        sum_m += (4.0 if share == 0.5 else 1.0) * math.sqrt(north * north + east * east)
    add_stretch(p, x, y, end_s - begin_s, sum_m / 6.0, relative_m_s, lat, lon, limits.max_distance_m)
    if limits.near_distance_m > 0.0:
        near_s, far_s, _ = close_between(north_m, east_m, north_m_s, east_m_s, seconds, limits.near_distance_m)
        if far_s >= near_s:
            begin = bin_from + t0
            grow_near(p, begin + np.int64(near_s * 1e6), begin + np.int64(far_s * 1e6))


@inner
def relative_at(x, y, t):
    """Where `y` is from `x` at a time of their bin, and how that changes: (north_m, east_m, north_m_s, east_m_s)."""
    after_x, after_y = after_s(x, t), after_s(y, t)
    (lat_x, lon_x), (lat_y, lon_y) = piece_place(x), piece_place(y)
    north = (lat_y - lat_x) * M_PER_DEG + y.north_m_s * after_y - x.north_m_s * after_x
    lat = 0.5 * (lat_x + lat_y + (x.north_m_s * after_x + y.north_m_s * after_y) / M_PER_DEG)
    east = M_PER_DEG * math.cos(math.radians(lat))
    dlon = wrap_deg(lon_y - lon_x + y.east_deg_s * after_y - x.east_deg_s * after_x)
    return north, dlon * east, y.north_m_s - x.north_m_s, (y.east_deg_s - x.east_deg_s) * east


@inner
def compare_two(x, y, bin_from, pairs, table, used, limits, out, events):
    """Enter what two pieces of a bin (`x.slot` < `y.slot`) have to do with each other: events written so far."""
    t0, t1 = np.int64(max(x.t0, y.t0)), np.int64(min(x.t1, y.t1))
    if t1 <= t0:
        return events
    relative = relative_at(x, y, t0)
    limit_m = limits.max_distance_m + min(x.spread_m + y.spread_m, limits.max_distance_m)
    begin_s, end_s, _ = close_between(*relative, (t1 - t0) * 1e-6, limit_m)
    if not end_s > begin_s:
        return events
    key = (np.int64(x.slot) << 32 | np.int64(y.slot)) + 1
    at = pair_place(table, pairs, key)
    if table[at] < 0:
        if used[LIVE] >= limits.most_pairs:
            used[LOST] += 1
            return events
        table[at] = used[TAKEN]
        pairs[used[TAKEN]].key, pairs[used[TAKEN]].n = key, 0
        used[TAKEN] += 1
    p = pairs[table[at]]
    if p.n > 0 and bin_from + t0 + begin_s * 1e6 - p.t_end > limits.max_break_us:
        events += close_pair(p, -1, limits, out[events])
        used[LIVE] -= 1
    if p.n == 0:
        if used[LIVE] >= limits.most_pairs:
            used[LOST] += 1
            return events
        used[LIVE] += 1
    meet(p, x, y, bin_from, t0, t1, relative, limit_m, limits)
    return events


@inlined
def compare(columns, mine, head, new, bin_from, pairs, table, used, limits, out, events):
    """Compare a piece with all of its bin that lie in its square and those around: events written so far."""
    far_deg = limits.reach_m / M_PER_DEG
    lat, lon = piece_place(new)
    far_lon_deg = far_deg / max(0.01, 0.9 * math.cos(math.radians(lat)))  # meridians meet: wide of the mark
    far, far_lon = np.int64(far_deg * STEPS_PER_DEG) + 1, np.int64(far_lon_deg * STEPS_PER_DEG) + 1
    own = row_of(columns, lat)
    for row in range(max(0, own - 1), min(columns.size, own + 2)):
        middle, (begin, end) = column_of(columns, row, lon), asides(columns, row)
        for aside in range(begin, end):
            column = (middle + aside + columns[row]) % columns[row]
            k = head[place_of(row, column, head.size)]
            while k >= 0:
                other = mine[k]
                k = other.next
                away = abs(np.int64(other.lon) - new.lon)
                if abs(np.int64(other.lat) - new.lat) > far or min(away, TURN_UNITS - away) > far_lon:
                    continue
                other_lat, other_lon = piece_place(other)
                if row_of(columns, other_lat) != row or column_of(columns, row, other_lon) != column:
                    continue
                if new.slot < other.slot:
                    events = compare_two(new, other, bin_from, pairs, table, used, limits, out, events)
                elif other.slot < new.slot:
                    events = compare_two(other, new, bin_from, pairs, table, used, limits, out, events)
    return events


@inlined
def enter_piece(columns, bins, pieces, heads, pairs, table, used, m, rows, i, phase, s0, s1, way0, way1,
                error_s, skip, limits, shore, out, events):  # fmt: skip
    """A slow piece into all bins that it touches: (entries passed or made, -1 when room runs out; events written)."""
    north_m_s, east_m_s = (way1[0] - way0[0]) / (s1 - s0), (way1[1] - way0[1]) / (s1 - s0)
    if math.sqrt(north_m_s * north_m_s + east_m_s * east_m_s) > limits.fastest_kn * KN_M_S:
        return skip, events
    t0, t1 = m.t + np.int64(s0 * 1e6), min(rows.t[i], m.t + np.int64(s1 * 1e6))
    for number in range(t0 // limits.step_us, (t1 - 1) // limits.step_us + 1):
        if skip < used[DONE]:
            skip += 1
            continue
        ring = number % bins.size
        if bins[ring].number != number:
            bins[ring].number, bins[ring].n = number, 0
            for k in range(heads.shape[1]):
                heads[ring, k] = -1
        n = bins[ring].n
        if n >= limits.most_pieces:
            skip += 1
            used[DONE], used[LOST] = skip, used[LOST] + 1
            continue
        if n + 1 >= pieces.shape[1] or events + n + OUT_ROOM > out.size or used[TAKEN] + n + 1 > pairs.size:
            return -1, events
        skip += 1
        used[DONE] = skip
        new = pieces[ring, n]
        bin_from = number * limits.step_us
        write_piece(new, m, rows, i, phase, s0, s1, way0[0], way0[1], north_m_s, east_m_s, error_s, bin_from,
                    limits.step_us)  # fmt: skip
        lat, lon = piece_place(new)
        if limits.min_shore_m > 0.0:
            off_m = shore_distance_at(shore, lat, lon)
            if off_m < limits.min_shore_m:
                m.slack_m = limits.min_shore_m - off_m - SHORE_MARGIN_M
                continue
        m.slack_m = 0.0
        mine, head = pieces[ring], heads[ring]
        events = compare(columns, mine, head, new, bin_from, pairs, table, used, limits, out, events)
        link_piece(head, mine, n, columns)
        bins[ring].n = n + 1
    return skip, events


@inlined
def way_of(m, rows, i):
    """From a mover's last fix to row `i`: (metres north, metres east, seconds)."""
    lat, lon = mover_place(m)
    east = wrap_deg(rows.lon[i] - lon) * M_PER_DEG * math.cos(math.radians(0.5 * (lat + rows.lat[i])))
    return (rows.lat[i] - lat) * M_PER_DEG, east, (rows.t[i] - m.t) * 1e-6


@inlined
def longest_m(m, rows, i):
    """Metres that a mover may have been off its straight way to row `i`, and that way."""
    north, east, seconds = way_of(m, rows, i)
    way_m = math.sqrt(north * north + east * east)
    for sog in (of_hundredths(m.sog), rows.sog[i]):
        way_m += sog * KN_M_S * seconds if sog >= DRIFT_KN else 0.0
    return way_m


@inner
def enter_way(columns, bins, pieces, heads, pairs, table, used, m, rows, i, limits, shore, out, events):
    """The slow pieces of a mover's way to row `i`: (done, events written so far); not done when room runs out."""
    north, east, seconds = way_of(m, rows, i)
    sog0, sog1 = said_kn(of_hundredths(m.sog), m.anchored), said_kn(rows.sog[i], lies(rows.nav_status[i]))
    s1, north1, east1, s2, north2, east2, error_s, known = phases(
        seconds, north, east, sog0, of_hundredths(m.cog), sog1, rows.cog[i], of_hundredths(m.cruise)
    )
    skip = 0
    if known:
        ends = ((0.0, 0.0, 0.0), (s1, north1, east1), (s2, north2, east2), (seconds, north, east))
        for phase in range(3):
            begin, end = ends[phase], ends[phase + 1]
            if end[0] - begin[0] > 1e-6:
                skip, events = enter_piece(columns, bins, pieces, heads, pairs, table, used, m, rows, i, phase,
                                           begin[0], end[0], (begin[1], begin[2]), (end[1], end[2]), error_s, skip,
                                           limits, shore, out, events)  # fmt: skip
                if skip < 0:
                    return False, events
    used[DONE] = 0
    return True, events


@kernel
def sweep(pairs, used, now, limits, out, events):
    """Close the meetings to which nothing later can belong: (done, events written so far)."""
    for k in range(used[TAKEN]):
        p = pairs[k]
        if p.n > 0 and now - p.t_end > limits.max_break_us + limits.max_interpolation_us:
            if events + OUT_ROOM > out.size:
                return False, events
            events += close_pair(p, -1, limits, out[events])
            used[LIVE] -= 1
    return True, events


@kernel
def run(movers, columns, bins, pieces, heads, pairs, table, used, rows, begin, limits, shore, out):
    """Take rows from `begin` on: (row where it stopped, events written)."""
    events = 0
    skipped_kn = 2.0 * limits.fastest_kn
    for i in range(begin, rows.t.size):
        if rows.t[i] - used[SWEPT] >= SWEEP_US:
            done, events = sweep(pairs, used, rows.t[i], limits, out, events)
            if not done:
                return i, events
            used[SWEPT] = rows.t[i]
        m = movers[rows.slot[i]]
        dt = rows.t[i] - m.t
        if m.cruise == 0:
            m.cruise = hundredths(CRUISE_KN)
        elif dt < limits.step_us:
            continue
        elif dt > limits.max_interpolation_us or min(of_hundredths(m.sog), rows.sog[i]) > skipped_kn:
            m.slack_m = 0.0
        else:
            way_m = longest_m(m, rows, i)
            if used[DONE] != 0 or m.slack_m <= way_m:  # else it is too near to the shore all the way
                done, events = enter_way(columns, bins, pieces, heads, pairs, table, used, m, rows, i, limits,
                                         shore, out, events)  # fmt: skip
                if not done:
                    return i, events
            m.slack_m -= way_m
        keep_fix(m, rows, i)
    return rows.t.size, events


@kernel
def flush(pairs, used, now, begin, limits, out):
    """Meetings that the end of the input cuts: (place where it stopped or -1, events written)."""
    events = 0
    for k in range(begin, used[TAKEN]):
        if events + OUT_ROOM > out.size:
            return k, events
        if pairs[k].n > 0:
            events += close_pair(pairs[k], now, limits, out[events])
            used[LIVE] -= 1
    return -1, events
