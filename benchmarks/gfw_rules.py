"""The published rules of Global Fishing Watch, written anew and plainly: the baseline of the injection benchmark.

Encounters (pipe-encounters 4.4: `create_raw_pipeline`, `merge_pipeline`, and the filters of pipe-events), loitering
(pipe-loitering), gaps (pipe-gaps 0.9) with the rule of Welch et al. 2022 for disabling, and port events
(pipe-anchorages). Only the rules are taken, with the parameters of production: no code, no cloud, no vessel classes,
and no segmenter. Who calls says which fixes are one vessel: encounters, loitering and ports are given true ships, as if
the segmenter never erred; gaps are given MMSIs, by which pipe-gaps groups. The faults stay in: days end at midnight, a
course in radians is taken for degrees, longitudes are interpolated as plain numbers, neighbours are capped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

DAY_S, HOUR_S, GRID_S = 86_400.0, 3_600.0, 600.0
MAX_GAP_S = 3_600.0
"""Neither interpolated nor extrapolated over more."""
ENCOUNTER_M, MIN_RUN_S, MIN_ENCOUNTER_S, MAX_ENCOUNTER_KN = 500.0, 3_600.0, 7_200.0, 2.0
MAX_NEIGHBOURS = 100
MERGE_S = 4 * HOUR_S
SLOW_KN, MIN_LOITERING_S, SEGMENT_GAP_S = 2.0, 4 * HOUR_S, DAY_S
"""Four hours as in the studies for regional fishery bodies; segments bridge a day."""
GAP_S, DISABLING_GAP_S, DISABLING_SHORE_M = 6 * HOUR_S, 12 * HOUR_S, 50 * 1852.0
ENTRY_M, EXIT_M, STOP_KN, MOVE_KN, PORT_GAP_S = 3_000.0, 4_000.0, 0.2, 0.5, 4 * HOUR_S
EARTH_M = 6_371_000.0


class Rows(NamedTuple):
    """Fixes of many vessels: time in s, degrees, knots."""

    who: NDArray[np.int64]
    t: NDArray[np.float64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    sog: NDArray[np.float64]
    cog: NDArray[np.float64]

    def take(self, rows: Any) -> Rows:
        return Rows(*(column[rows] for column in self))


class Event(NamedTuple):
    """Who (a vessel, or a pair of them), and from when to when in s."""

    who: Any
    start: float
    end: float


def rows_of(fixes: Any, who: NDArray[Any]) -> Rows:
    """The columns of a table of fixes, by vessel and time, no two fixes of a vessel at one time."""
    named = (np.asarray(fixes[name], np.float64) for name in ("lat", "lon", "sog", "cog"))
    rows = Rows(np.asarray(who, np.int64), fixes["t"] / 1e6, *named)
    rows = rows.take(np.lexsort((rows.t, rows.who)))
    first = np.r_[True, (np.diff(rows.who) != 0) | (np.diff(rows.t) > 0)]
    return rows.take(first)


def haversine_m(lat1: Any, lon1: Any, lat2: Any, lon2: Any) -> Any:
    """Distance on a sphere of 6,371 km."""
    a, b, c, d = (np.radians(v) for v in (lat1, lon1, lat2, lon2))
    h = np.sin((c - a) / 2) ** 2 + np.cos(a) * np.cos(c) * np.sin((d - b) / 2) ** 2
    return 2 * EARTH_M * np.arcsin(np.sqrt(np.minimum(h, 1.0)))


def pieces(*keys: NDArray[Any]) -> Iterator[slice]:
    """Stretches of rows in which all keys stay the same."""
    cut = np.flatnonzero(np.any([np.diff(key) != 0 for key in keys], axis=0)) + 1
    for begin, end in pairwise([0, *cut.tolist(), keys[0].size]):
        if end > begin:
            yield slice(begin, end)


def resampled(rows: Rows) -> Rows:
    """Each vessel and UTC day on the grid of ten minutes, with an hour extrapolated at both ends of the day."""
    made = [_day(rows.take(one)) for one in pieces(rows.who, rows.t // DAY_S)]
    return Rows(*(np.concatenate(columns) for columns in zip(*made, strict=True))) if made else rows


def _day(r: Rows) -> Rows:
    midnight = r.t[0] // DAY_S * DAY_S
    first, last = np.ceil(r.t[0] / GRID_S) * GRID_S, np.floor(r.t[-1] / GRID_S) * GRID_S
    grid = np.arange(first, last + 1, GRID_S) if r.t.size > 1 else np.zeros(0)
    after = np.clip(np.searchsorted(r.t, grid), 1, None)
    after = after[: grid.size]
    inside = r.t[after] - r.t[after - 1] < MAX_GAP_S
    grid, after = grid[inside], after[inside]
    mix = (grid - r.t[after - 1]) / (r.t[after] - r.t[after - 1])
    lat, lon = (v[after] * mix + v[after - 1] * (1 - mix) for v in (r.lat, r.lon))  # across 180 this is the far side
    begin = np.ceil(max(midnight, r.t[0] - MAX_GAP_S) / GRID_S) * GRID_S
    end = np.floor(min(midnight + DAY_S - 1e-6, r.t[-1] + MAX_GAP_S) / GRID_S) * GRID_S
    before, behind = np.arange(begin, first - 1, GRID_S), np.arange(last + GRID_S, end + 1, GRID_S)
    ahead = [extrapolated(r, k, when) for k, when in ((0, before), (-1, behind))]
    t = np.concatenate([before, grid, behind])
    lat, lon = np.concatenate([ahead[0][0], lat, ahead[1][0]]), np.concatenate([ahead[0][1], lon, ahead[1][1]])
    return Rows(np.full(t.size, r.who[0]), t, lat, lon, np.zeros(t.size), np.zeros(t.size))


def extrapolated(r: Rows, k: int, t: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where fix `k` leads to: its course was stored in radians, and is turned from degrees to radians once more."""
    course = np.radians(np.radians(np.nan_to_num(r.cog[k])))
    deg_s = np.nan_to_num(r.sog[k]) / HOUR_S / 60.0
    dt = t - r.t[k]
    lon = r.lon[k] + dt * np.sin(course) * deg_s / max(np.cos(np.radians(r.lat[k])), 0.1)
    return r.lat[k] + dt * np.cos(course) * deg_s, (lon + 180.0) % 360.0 - 180.0


def encounters(rows: Rows, max_neighbours: int = MAX_NEIGHBOURS) -> list[Event]:
    """Pairs of vessels within 500 m for two hours or more, under 2 kn in the median."""
    grid = resampled(rows)
    runs: dict[tuple[int, int], list[tuple[float, float, float]]] = {}
    if grid.t.size:
        for pair, run in _runs(grid, *_adjacent(grid, max_neighbours)):
            runs.setdefault(pair, []).append(run)
    found = []
    for pair, own in runs.items():
        merged: list[list[tuple[float, float, float]]] = []
        latest = -np.inf
        for run in sorted(own):
            if run[0] - latest >= MERGE_S:
                merged.append([])
            merged[-1].append(run)
            latest = max(latest, run[1])
        for group in merged:
            start, end = group[0][0], max(run[1] for run in group)
            if end - start >= MIN_ENCOUNTER_S and np.median([run[2] for run in group]) < MAX_ENCOUNTER_KN:
                found.append(Event(pair, start, end))
    return sorted(found)


def _adjacent(grid: Rows, max_neighbours: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of one instant within 500 m of each other, both ways, the nearest hundred of each."""
    from scipy.spatial import cKDTree

    a, b = np.radians(grid.lat), np.radians(grid.lon)
    places = np.stack([np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)], axis=1)
    instant = (grid.t - grid.t.min()) / GRID_S  # far apart in a fourth direction: one tree serves all instants
    tree = cKDTree(np.column_stack([places, instant]))
    pairs = tree.query_pairs(2.0 * np.sin(ENCOUNTER_M / EARTH_M / 2.0), output_type="ndarray").astype(np.int64)
    one, other = np.concatenate([pairs[:, 0], pairs[:, 1]]), np.concatenate([pairs[:, 1], pairs[:, 0]])
    chord = np.linalg.norm(places[one] - places[other], axis=1)
    order = np.lexsort((chord, one))
    one, other = one[order], other[order]
    rank = np.arange(one.size) - np.searchsorted(one, one)
    return one[rank < max_neighbours], other[rank < max_neighbours]


def _runs(
    grid: Rows, one: NDArray[np.int64], other: NDArray[np.int64]
) -> Iterator[tuple[tuple[int, int], tuple[float, float, float]]]:
    """Runs of records of a vessel that follow each other, in one day, near the same other vessel."""
    day = grid.t[one] // DAY_S
    mate = grid.who[other]
    order = np.lexsort((grid.t[one], day, mate, grid.who[one]))
    one, mate, day = one[order], mate[order], day[order]
    broken = np.cumsum(np.r_[0, np.diff(one) != 1])  # rows of a vessel stand side by side, so the next record is +1
    for run in pieces(grid.who[one], mate, day, broken):
        rows = grid.take(one[run])
        if rows.t.size < 2 or rows.t[-1] - rows.t[0] < MIN_RUN_S:
            continue
        way_m = haversine_m(rows.lat[:-1], rows.lon[:-1], rows.lat[1:], rows.lon[1:])
        knots = float(np.median(way_m / np.diff(rows.t))) * 1.94384
        who = int(rows.who[0]), int(mate[run.start])
        yield (min(who), max(who)), (float(rows.t[0]), float(rows.t[-1]), knots)


class Bucket(NamedTuple):
    """One clock hour of a segment: its first and last message, and whether it was slow."""

    segment: tuple[int, int]
    day: int
    first: float
    last: float
    slow: bool


def buckets(rows: Rows) -> list[Bucket]:
    """Clock hours of each segment; an hour is slow by its way over its hours since the message before."""
    new = np.r_[True, np.diff(rows.who) != 0]
    dt = np.where(new, 0.0, np.diff(rows.t, prepend=rows.t[:1]))
    new |= dt > SEGMENT_GAP_S
    dt = np.where(new, 0.0, dt)
    way = np.zeros(rows.t.size)
    way[1:] = haversine_m(rows.lat[:-1], rows.lon[:-1], rows.lat[1:], rows.lon[1:])
    way = np.where(new, 0.0, way)
    segment, hour = np.cumsum(new), rows.t // HOUR_S
    made = []
    for one in pieces(segment, hour):
        hours, way_m = dt[one].sum() / HOUR_S, way[one].sum()
        slow = bool(hours > 0 and way_m / hours / 1852.0 < SLOW_KN)
        first, last = float(rows.t[one.start]), float(rows.t[one.stop - 1])
        made.append(Bucket((int(rows.who[one.start]), int(segment[one.start])), int(first // DAY_S), first, last, slow))
    return made


def daily_loitering(hours: Sequence[Bucket], day: int) -> list[Event]:
    """Slow groups of one day; a group begins with the last message of the hour before it."""
    found = []
    for segment, group in groupby((b for b in hours if b.day in (day - 1, day)), key=lambda b: b.segment):
        own = list(group)
        for slow, run in groupby(range(len(own)), key=lambda k: own[k].day == day and own[k].slow):
            if slow:
                numbers = list(run)
                start = own[numbers[0] - 1].last if numbers[0] else own[numbers[0]].first
                found.append(Event(segment, start, own[numbers[-1]].last))
    return found


def chained(days: Sequence[Sequence[Event]]) -> list[Event]:
    """Daily groups that follow each other exactly, joined; those of 4 h or more, by vessel."""
    joined: list[Event] = []
    for segment, group in groupby(sorted(e for day in days for e in day), key=lambda e: e.who):
        for event in group:
            if joined and joined[-1].who == segment and joined[-1].end == event.start:
                joined[-1] = Event(segment, joined[-1].start, event.end)
            else:
                joined.append(event)
    return [Event(e.who[0], e.start, e.end) for e in joined if e.end - e.start >= MIN_LOITERING_S]


def loitering(rows: Rows) -> list[Event]:
    """Slow clock hours that follow each other, for 4 h or more."""
    hours = buckets(rows)
    by_day: dict[int, list[Bucket]] = {}
    for bucket in hours:
        for day in (bucket.day, bucket.day + 1):
            by_day.setdefault(day, []).append(bucket)
    return chained([daily_loitering(own, day) for day, own in sorted(by_day.items())])


def gaps(rows: Rows, min_gap_s: float = GAP_S) -> list[Event]:
    """More than six hours between two messages of one MMSI."""
    silent = np.flatnonzero((np.diff(rows.who) == 0) & (np.diff(rows.t) > min_gap_s))
    return [Event(int(rows.who[k]), float(rows.t[k]), float(rows.t[k + 1])) for k in silent]


def gap_position(lat: Sequence[float], lon: Sequence[float]) -> tuple[float, float]:
    """Where a gap is shown: the mean of the two ends, as plain numbers."""
    return (lat[0] + lat[1]) / 2.0, (lon[0] + lon[1]) / 2.0


def is_disabling(gap: Event, shore_m: float) -> bool:
    """Welch et al. 2022: 12 h or more, begun more than 50 nmi from shore."""
    return gap.end - gap.start >= DISABLING_GAP_S and shore_m > DISABLING_SHORE_M


def messages_before(t: NDArray[np.float64], gap: Event, hours: float = 12.0) -> tuple[int, int]:
    """Messages in the hours before a gap, and how many rows were looked at: all from the vessel's first one on."""
    count = looked = 0
    for when in t.tolist():
        looked += 1
        if when > gap.start:
            break
        count += when >= gap.start - hours * HOUR_S
    return count, looked


def port_visits(rows: Rows, lat: Sequence[float], lon: Sequence[float]) -> list[Event]:
    """From within 3 km of a port's point to beyond 4 km, with a stop or a silence of 4 h in between."""
    found = []
    for one in pieces(rows.who):
        r = rows.take(one)
        away = np.min([haversine_m(r.lat, r.lon, a, b) for a, b in zip(lat, lon, strict=True)], axis=0)
        entry, stopped, last = -1.0, False, 0.0
        for t, distance_m, knots in zip(r.t.tolist(), away.tolist(), r.sog.tolist(), strict=True):
            if entry < 0 and distance_m <= ENTRY_M:
                entry, stopped, last = t, False, t
            if entry >= 0:
                stopped |= knots <= STOP_KN or t - last >= PORT_GAP_S
                if distance_m >= EXIT_M:
                    found += [Event(int(r.who[0]), entry, last)] if stopped else []
                    entry = -1.0
                last = t
        if entry >= 0 and stopped:
            found.append(Event(int(r.who[0]), entry, last))
    return found
