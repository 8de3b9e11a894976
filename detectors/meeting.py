"""The loop behind `detectors.rendezvous`: samples of slow ships by instant and cell, and the pairs that are close.

A ship's way between two fixes gives one sample at each multiple of the step in event time (not of a day: an instant
is a number of steps since 1970), unless it lies too near to the shore: harbours are full of neighbours, and what
happens there is no rendezvous. An instant can still get samples until the interpolation limit has passed, so a ring
of instants is kept, each with its own table of cells; a pair is compared once per instant, when the later sample
arrives.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from detectors.detector import OUT_ROOM
from detectors.event import RENDEZVOUS, begin_event
from geo.cells import INDEX_RESOLUTION, cell_at, disk_at
from geo.coast import shore_distance_at
from geo.kernel import inner, kernel
from geo.sphere import EARTH_RADIUS_M, KN_M_S, distance_m, interpolate, wrap_deg

MOVER = np.dtype(
    [
        ("t", "i8"),
        ("lat", "f8"),
        ("lon", "f8"),
        ("cell", "u8"),  # cell of the last sample; its neighbours stand in `disks`
        ("offset", "i8"),
        ("done", "i8"),  # the last instant that has its sample
        ("mmsi", "u4"),
        ("seen", "u1"),
        ("hull", "u1"),
        ("source", "u2"),
    ],
    align=True,
)
INSTANT = np.dtype([("instant", "i8"), ("n", "i8")], align=True)
SAMPLE = np.dtype(
    [
        ("cell", "u8"),
        ("lat", "f8"),
        ("lon", "f8"),
        ("north_m_s", "f8"),  # velocity of the way it lies on
        ("east_m_s", "f8"),
        ("t0", "i8"),  # the two fixes between which it lies
        ("t1", "i8"),
        ("offset0", "i8"),
        ("offset1", "i8"),
        ("source0", "u2"),
        ("source1", "u2"),
        ("slot", "i4"),
        ("next", "i4"),
    ],
    align=True,
)
PAIR = np.dtype(
    [
        ("key", "i8"),  # slot of one << 32 | slot of the other, + 1; 0: free
        ("t_start", "i8"),
        ("t_end", "i8"),
        ("instant", "i8"),  # of the last close sample
        ("lat", "f8"),  # of the first sample
        ("lon", "f8"),
        ("dlat", "f8"),  # sums over samples, relative to the first
        ("dlon", "f8"),
        ("sum_m", "f8"),
        ("least_m", "f8"),
        ("sum_m_s", "f8"),
        ("lat_end", "f8"),
        ("lon_end", "f8"),
        ("first_a", "i8"),  # offsets of first and last fix, of the one and the other
        ("last_a", "i8"),
        ("first_b", "i8"),
        ("last_b", "i8"),
        ("first_source_a", "u2"),  # the inputs to which these offsets belong
        ("last_source_a", "u2"),
        ("first_source_b", "u2"),
        ("last_source_b", "u2"),
        ("n", "i4"),
    ],
    align=True,
)
SWEEP_INSTANTS = 12
"""Every so many instants the pairs are searched for ended meetings, so that a stream hears of them in time."""
ROOM = 64
"""Free places that a table must have when the loop begins; it stops before the last is taken."""


class Limits(NamedTuple):
    """The thresholds as plain numbers for the kernels."""

    max_distance_m: float
    min_duration_us: int
    max_speed_kn: float
    max_interpolation_us: int
    max_break_us: int
    step_us: int
    min_shore_m: float


@inner
def cell_place(head, samples, cell):
    """The place of a cell in the table of an instant: where its newest sample stands, or the free place for it."""
    mask = head.size - 1
    at = np.int64((cell * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)) & mask
    while head[at] >= 0 and samples[head[at]].cell != cell:
        at = (at + 1) & mask
    return at


@kernel
def rebuild_samples(instants, samples, heads):
    """Enter all samples of all instants into empty tables."""
    for ring in range(instants.size):
        for k in range(instants[ring].n):
            at = cell_place(heads[ring], samples[ring], samples[ring, k].cell)
            samples[ring, k].next = heads[ring, at]
            heads[ring, at] = k


@inner
def pair_place(pairs, key):
    """The row of a pair: its own, or the free one where it belongs."""
    mask = pairs.size - 1
    at = np.int64((np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(36)) & mask
    while pairs[at].key != 0 and pairs[at].key != key:
        at = (at + 1) & mask
    return at


@kernel
def rebuild_pairs(old, new):
    """Enter the live pairs of one table into an empty one; how many."""
    used = 0
    for k in range(old.size):
        if old[k].key != 0 and old[k].n > 0:
            new[pair_place(new, old[k].key)] = old[k]
            used += 1
    return used


@inner
def crossing_s(north_m, east_m, north_m_s, east_m_s, max_distance_m, sign):
    """Seconds until the distance is `max_distance_m`, before (sign -1) or after (+1) now; inf when it never is."""
    a = north_m_s * north_m_s + east_m_s * east_m_s
    if a < 1e-12:
        return np.inf
    b = north_m * north_m_s + east_m * east_m_s
    c = north_m * north_m + east_m * east_m - max_distance_m * max_distance_m
    root = math.sqrt(max(0.0, b * b - a * c))
    return abs((-b + sign * root) / a)


@inner
def close_pair(movers, p, now, limits, event):
    """End a meeting: 1 when it was a rendezvous and stands in `event`, else 0. `now` < 0: it is over."""
    n, duration = p.n, p.t_end - p.t_start
    p.n = 0
    speed_kn = p.sum_m_s / n / KN_M_S
    if duration < limits.min_duration_us or speed_kn >= limits.max_speed_kn:
        return 0
    key = p.key - 1
    a, b = movers[key >> 32], movers[key & 0xFFFFFFFF]
    swap = b.mmsi < a.mmsi or (b.mmsi == a.mmsi and b.hull < a.hull)
    if swap:
        a, b = b, a
    begin_event(event, RENDEZVOUS, a.mmsi, a.hull)
    event.open = 1 if now >= 0 and now - p.t_end <= limits.max_break_us else 0
    event.other, event.other_hull, event.n = b.mmsi, b.hull, n
    event.t_start, event.t_end = p.t_start, p.t_end
    event.lat, event.lon = p.lat + p.dlat / n, wrap_deg(p.lon + p.dlon / n)
    event.lat_end, event.lon_end = p.lat_end, p.lon_end
    event.cell = cell_at(event.lat, event.lon, INDEX_RESOLUTION)
    event.coverage = min(1.0, n * limits.step_us / duration)
    event.distance_m, event.speed_kn = p.least_m, speed_kn
    event.score = event.coverage * max(0.0, 1.0 - p.sum_m / n / limits.max_distance_m)
    if swap:
        event.first_source, event.first_offset = p.first_source_b, p.first_b
        event.last_source, event.last_offset = p.last_source_b, p.last_b
        event.other_first_source, event.other_first_offset = p.first_source_a, p.first_a
        event.other_last_source, event.other_last_offset = p.last_source_a, p.last_a
    else:
        event.first_source, event.first_offset = p.first_source_a, p.first_a
        event.last_source, event.last_offset = p.last_source_a, p.last_a
        event.other_first_source, event.other_first_offset = p.first_source_b, p.first_b
        event.other_last_source, event.other_last_offset = p.last_source_b, p.last_b
    return 1


@kernel
def meet(p, x, y, instant, metres, limits):
    """Enter a close pair of samples of one instant (`x.slot` < `y.slot`) into its row."""
    t = instant * limits.step_us
    mean_cos = math.cos(math.radians(0.5 * (x.lat + y.lat)))
    north_m = math.radians(y.lat - x.lat) * EARTH_RADIUS_M
    east_m = math.radians(wrap_deg(y.lon - x.lon)) * mean_cos * EARTH_RADIUS_M
    north_m_s, east_m_s = y.north_m_s - x.north_m_s, y.east_m_s - x.east_m_s
    if p.n == 0:
        known_us = min(limits.step_us, t - max(x.t0, y.t0))
        back_s = crossing_s(north_m, east_m, north_m_s, east_m_s, limits.max_distance_m, -1.0)
        p.t_start = t - np.int64(min(float(known_us), back_s * 1e6))
        p.lat, p.lon, p.dlat, p.dlon = x.lat, x.lon, 0.0, 0.0
        p.sum_m, p.least_m, p.sum_m_s = 0.0, metres, 0.0
        p.first_a, p.first_b = x.offset0, y.offset0
        p.first_source_a, p.first_source_b = x.source0, y.source0
    known_us = min(limits.step_us, min(x.t1, y.t1) - t)
    ahead_s = crossing_s(north_m, east_m, north_m_s, east_m_s, limits.max_distance_m, 1.0)
    p.t_end = t + np.int64(min(float(known_us), ahead_s * 1e6))
    p.instant = instant
    p.n += 1
    p.dlat += 0.5 * (x.lat + y.lat) - p.lat
    p.dlon += wrap_deg(x.lon - p.lon) + 0.5 * wrap_deg(y.lon - x.lon)
    p.sum_m += metres
    p.least_m = min(p.least_m, metres)
    speed_x = math.sqrt(x.north_m_s * x.north_m_s + x.east_m_s * x.east_m_s)
    speed_y = math.sqrt(y.north_m_s * y.north_m_s + y.east_m_s * y.east_m_s)
    p.sum_m_s += 0.5 * (speed_x + speed_y)
    p.lat_end, p.lon_end = 0.5 * (x.lat + y.lat), wrap_deg(x.lon + 0.5 * wrap_deg(y.lon - x.lon))
    p.last_a, p.last_b = x.offset1, y.offset1
    p.last_source_a, p.last_source_b = x.source1, y.source1


@kernel
def compare(movers, disk, mine, head, new, instant, pairs, used, limits, out, events):
    """Compare a sample with all of its instant that lie in its cell and the six around: events written so far."""
    for c in range(7):
        repeated = False  # beside a pentagon one cell stands twice
        for d in range(c):
            repeated |= disk[d] == disk[c]
        k = -1 if repeated else head[cell_place(head, mine, disk[c])]
        while k >= 0:
            other = mine[k]
            k = other.next
            metres = distance_m(new.lat, new.lon, other.lat, other.lon)
            if metres > limits.max_distance_m:
                continue
            x, y = (new, other) if new.slot < other.slot else (other, new)
            key = (np.int64(x.slot) << 32 | np.int64(y.slot)) + 1
            p = pairs[pair_place(pairs, key)]
            if p.key == 0:
                p.key = key
                used[0] += 1
            if p.n > 0 and (instant - p.instant) * limits.step_us > limits.max_break_us:
                events += close_pair(movers, p, -1, limits, out[events])
            meet(p, x, y, instant, metres, limits)
    return events


@inner
def write_sample(m, slot, t, lat, lon, source, offset, instant, limits, new):
    """The sample of a mover's way to its next fix at an instant."""
    f = (instant * limits.step_us - m.t) / (t - m.t)
    new.lat, new.lon = interpolate(m.lat, m.lon, lat, lon, f)
    seconds = (t - m.t) * 1e-6
    new.north_m_s = math.radians(lat - m.lat) * EARTH_RADIUS_M / seconds
    new.east_m_s = (
        math.radians(wrap_deg(lon - m.lon)) * math.cos(math.radians(0.5 * (lat + m.lat))) * EARTH_RADIUS_M / seconds
    )
    new.t0, new.t1, new.offset0, new.offset1, new.slot = m.t, t, m.offset, offset, slot
    new.source0, new.source1 = m.source, source


@inner
def sample_way(movers, disks, instants, samples, heads, pairs, used, m, slot, t, lat, lon, source, offset, limits,
               shore, out, events):  # fmt: skip
    """The samples of a slow ship's way to its next fix: (done, events written so far); not done when room runs out."""
    for instant in range(max(m.done, m.t // limits.step_us) + 1, t // limits.step_us + 1):
        ring = instant & (instants.size - 1)
        if instants[ring].instant != instant:
            instants[ring].instant, instants[ring].n = instant, 0
            for k in range(heads.shape[1]):
                heads[ring, k] = -1
        n = instants[ring].n
        if n + 1 >= samples.shape[1] or events + n + OUT_ROOM > out.size or 2 * (used[0] + n + 1) > pairs.size:
            return False, events
        new = samples[ring, n]
        write_sample(m, slot, t, lat, lon, source, offset, instant, limits, new)
        m.done = instant
        if limits.min_shore_m > 0.0 and shore_distance_at(shore, new.lat, new.lon) < limits.min_shore_m:
            continue
        new.cell = cell_at(new.lat, new.lon, INDEX_RESOLUTION)
        if new.cell != m.cell:
            m.cell = new.cell
            disk_at(new.lat, new.lon, INDEX_RESOLUTION, disks[slot])
        mine, head = samples[ring], heads[ring]
        events = compare(movers, disks[slot], mine, head, new, instant, pairs, used, limits, out, events)
        at = cell_place(head, mine, new.cell)
        new.next = head[at]
        head[at] = n
        instants[ring].n = n + 1
    return True, events


@kernel
def sweep(movers, pairs, instant, limits, out, events):
    """Close the meetings to which no later sample can belong: (done, events written so far)."""
    for k in range(pairs.size):
        p = pairs[k]
        if p.n > 0 and (instant - p.instant) * limits.step_us > limits.max_break_us + limits.max_interpolation_us:
            if events + OUT_ROOM > out.size:
                return False, events
            events += close_pair(movers, p, -1, limits, out[events])
    return True, events


@kernel
def run(movers, disks, instants, samples, heads, pairs, used, rows, begin, limits, shore, out):
    """Take rows from `begin` on: (row where it stopped, events written)."""
    events = 0
    for i in range(begin, rows.t.size):
        instant = rows.t[i] // limits.step_us
        if instant - used[1] >= SWEEP_INSTANTS:
            done, events = sweep(movers, pairs, instant, limits, out, events)
            if not done:
                return i, events
            used[1] = instant
        m = movers[rows.slot[i]]
        dt = rows.t[i] - m.t
        if m.seen == 0:
            m.seen, m.mmsi, m.hull = 1, rows.mmsi[i], rows.hull[i]
        elif dt <= limits.max_interpolation_us and instant > m.t // limits.step_us:
            way_m = distance_m(m.lat, m.lon, rows.lat[i], rows.lon[i])
            if way_m <= 2.0 * limits.max_speed_kn * KN_M_S * (dt * 1e-6):
                done, events = sample_way(movers, disks, instants, samples, heads, pairs, used, m, rows.slot[i],
                                          rows.t[i], rows.lat[i], rows.lon[i], rows.source[i], rows.offset[i], limits,
                                          shore, out, events)  # fmt: skip
                if not done:
                    return i, events
        m.t, m.lat, m.lon, m.source, m.offset = rows.t[i], rows.lat[i], rows.lon[i], rows.source[i], rows.offset[i]
    return rows.t.size, events


@kernel
def flush(movers, pairs, now, begin, limits, out):
    """Meetings that the end of the input cuts: (place where it stopped or -1, events written)."""
    events = 0
    for k in range(begin, pairs.size):
        if events + OUT_ROOM > out.size:
            return k, events
        if pairs[k].n > 0:
            events += close_pair(movers, pairs[k], now, limits, out[events])
    return -1, events
