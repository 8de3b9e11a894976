"""Ways over the sea: how far it is from one place to another for a ship, and which straits are on the way.

The way is found on the graph of the sea (`geo.sea_graph`) and then drawn tight: points that the ship can do without
are left out, as far as the exact mask has the leg between the others at sea. Its length is that of a way that can be
sailed by the mask, so never less than the shortest one.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.coast import shore_table
from geo.errors import UsageError
from geo.sea_graph import SeaGraph, sea_graph
from geo.sea_search import BUCKETS, FAR, attach, is_clear, spread, tighten, walk_back
from geo.sphere import NMI_M, distance_m, unit_vectors, wrap_deg
from geo.straits import INLET, PASSAGES, UNNAMED, lines_of, mark_crossing, numbers_of

SNAP_M = 30_000.0
"""A position from which no node is in sight, on land or in a harbour, is moved to the nearest within this distance."""
MOST_DM = 1_000_000_000
"""100,000 km: longer than any way over the sea."""
DM_PER_NMI = 10.0 * NMI_M


class Closure(NamedTuple):
    """Which passages are closed, as kernels take it."""

    names: tuple[str, ...]
    is_open: NDArray[np.bool_]
    barred: NDArray[np.float64]
    """(k, 6) the lines of closed straits."""


def closure(closed: Iterable[str]) -> Closure:
    """Passages closed by name (`geo.straits`); UsageError for a name that is none of them."""
    numbers = numbers_of(closed)
    is_open = np.ones(INLET + 1, np.bool_)
    is_open[list(numbers)] = False
    return Closure(tuple(PASSAGES[n].name for n in numbers), is_open, lines_of(numbers))


class _Scratch(threading.local):
    """What a search needs beside its result, one of a thread."""

    def __init__(self) -> None:
        nodes = sea_graph().cell.size
        self.head = np.full(BUCKETS, -1, np.int32)
        self.after = np.full(nodes, -2, np.int32)
        self.before = np.empty(nodes, np.int32)
        self.near = np.empty((40_000, 2), np.int32)


_scratch: list[_Scratch] = []


def scratch() -> _Scratch:
    """The scratch of this thread."""
    if not _scratch:
        _scratch.append(_Scratch())
    return _scratch[0]


@dataclass(frozen=True, slots=True)
class Field:
    """Distances over water from a position to all nodes of the graph."""

    lat: float
    lon: float
    dist: NDArray[np.int32]
    """Decimetres; `FAR` where there is no way within the limit."""
    seeds: NDArray[np.int32]
    """The nodes that the position starts to, and decimetres; none where no sea is near."""
    snapped: bool
    """Whether the first leg is not at sea: the position is moved to a node."""

    @property
    def snap_m(self) -> float:
        """Metres by which the position was moved, 0 at sea, NaN when no sea is near."""
        if not len(self.seeds):
            return math.nan
        return 0.1 * float(self.seeds[0, 1]) if self.snapped else 0.0

    @property
    def snap_nmi(self) -> float:
        """The same in nautical miles, 0 also when no sea is near."""
        return float(np.nan_to_num(self.snap_m)) / NMI_M


def field_from(
    lat_deg: float,
    lon_deg: float,
    shut: Closure,
    limit_dm: float = MOST_DM,
    toward: tuple[float, float] | None = None,
) -> Field:
    """Distances from a position; only to where `toward` can still be reached within the limit, if that is given."""
    graph, work = sea_graph(), scratch()
    count, snapped = attach(graph, shore_table(), shut.barred, lat_deg, lon_deg, round(10.0 * SNAP_M), work.near)
    seeds = work.near[:count].copy()
    dist = np.full(graph.cell.size, FAR, np.int32)
    end = np.zeros(3) if toward is None else unit_vectors(*toward)[0]
    limit = round(min(limit_dm, MOST_DM))
    spread(graph, shut.is_open, seeds, count, limit, end, dist, work.head, work.after, work.before)
    return Field(lat_deg, lon_deg, dist, seeds, bool(snapped))


class Way(NamedTuple):
    """A way over the sea, as legs along great circles."""

    length_nmi: float
    """Infinite when there is none."""
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    at_sea: NDArray[np.bool_]
    """For each leg whether it is at sea on the mask; others are gates, canals, inlets, and the first or last leg of a
    place on land."""
    passages: tuple[str, ...]
    """Names of the straits and canals on the way, in order."""

    def turned(self) -> Way:
        """The same way the other way round."""
        return Way(self.length_nmi, self.lat[::-1], self.lon[::-1], self.at_sea[::-1], self.passages[::-1])


NO_WAY = Way(math.inf, np.zeros(0), np.zeros(0), np.zeros(0, np.bool_), ())


def way_between(start: Field, end: Field, shut: Closure) -> Way:
    """The way from where a field starts to where another does; of the second only the seeds are used."""
    graph, table = sea_graph(), shore_table()
    ends = (start.lat, start.lon), (end.lat, end.lon)
    if is_clear(table, shut.barred, *ends[0], *ends[1]):
        lat, lon = np.array([ends[0][0], ends[1][0]]), np.array([ends[0][1], ends[1][1]])
        return _finished(lat, lon, np.ones(1, np.bool_), [])
    if not len(end.seeds) or not len(start.seeds):
        return NO_WAY
    whole = start.dist[end.seeds[:, 0]].astype(np.int64) + end.seeds[:, 1]
    best = int(np.argmin(whole))
    nodes = np.empty((20_000, 2), np.int32)
    count = 0
    if whole[best] < FAR:
        seeds = start.seeds
        count = walk_back(graph, shut.is_open, seeds, len(seeds), start.dist, end.seeds[best, 0], nodes)
    if count == 0:
        return NO_WAY
    return _drawn(graph, nodes[:count][::-1], start, end, shut)


def _drawn(graph: SeaGraph, nodes: NDArray[np.int32], start: Field, end: Field, shut: Closure) -> Way:
    """The way along nodes, drawn tight between the ends of legs that are not at sea or have bends."""
    points: list[tuple[float, float]] = [(start.lat, start.lon)]
    blind: list[tuple[tuple[float, float], int]] = []
    stays = {0} | ({1} if start.snapped else set())
    for node, leg in nodes.tolist():
        here = float(graph.lat[node]), float(graph.lon[node])
        bends = graph.bends[graph.bend_start[leg] : graph.bend_start[leg + 1]][::-1].tolist() if leg >= 0 else []
        if bends:
            number = int(graph.named_legs[leg, 2])
            if number == INLET or (number < UNNAMED and PASSAGES[number].kind != "strait"):
                stays |= set(range(len(points) - 1, len(points) + len(bends) + 1))
                blind.append(((bends[-1][0], bends[-1][1]), number))
            points += [(lat, lon) for lat, lon in bends]
        points.append(here)
    if end.snapped:
        stays.add(len(points) - 1)
    points.append((end.lat, end.lon))
    lat, lon = (np.array(column) for column in zip(*points, strict=True))
    fixed = np.zeros(len(points), np.bool_)
    fixed[list(stays)] = True
    count = tighten(shore_table(), shut.barred, lat, lon, fixed, len(points))
    lat, lon = lat[:count].copy(), lon[:count].copy()
    at_sea = np.array([is_clear(shore_table(), shut.barred, *a, *b) for a, b in pairwise(zip(lat, lon, strict=True))])
    return _finished(lat, lon, at_sea, blind)


def _finished(
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
    at_sea: NDArray[np.bool_],
    blind: Sequence[tuple[tuple[float, float], int]],
) -> Way:
    """The length of a way and what it passes."""
    vectors = unit_vectors(lat, lon)
    legs = [float(distance_m(*a, *b)) for a, b in pairwise(zip(lat.tolist(), lon.tolist(), strict=True))]
    passed: list[tuple[int, int]] = []
    crossing = np.empty(len(legs), np.bool_)
    for number, passage in enumerate(PASSAGES):
        if passage.kind == "strait":
            mark_crossing(vectors[:-1], vectors[1:], lines_of([number]), crossing)
            passed += [(int(leg), number) for leg in np.flatnonzero(crossing)[:1]]
    places = {point: k for k, point in enumerate(zip(lat.tolist(), lon.tolist(), strict=True))}
    passed += [(places[point], number) for point, number in blind if number < UNNAMED]
    names = dict.fromkeys(PASSAGES[number].name for _, number in sorted(passed))
    return Way(math.fsum(legs) / NMI_M, lat, lon, at_sea, tuple(names))


def _checked(lat_deg: float, lon_deg: float) -> tuple[float, float]:
    if not (-90.0 <= lat_deg <= 90.0 and math.isfinite(lon_deg)):
        raise UsageError(f"{lat_deg} {lon_deg} is no position: a latitude is -90 to 90, a longitude any (it wraps)")
    return float(lat_deg), float(wrap_deg(float(lon_deg)))


def sea_way(lat0: float, lon0: float, lat1: float, lon1: float, *, closed: Iterable[str] = ()) -> Way:
    """The shortest way over the sea from one position to another (degrees), not through passages `closed` by name.

    A position on land, or in a harbour from which no node is in sight, is moved to the nearest node within 30 km.
    Without a way its length is infinite. Draught, ice, traffic schemes and the leave of states are not looked at.

    Raises UsageError for a position off the globe and for a name that is no passage.

    >>> way = sea_way(33.5, 128.0, 43.0, 139.0)
    >>> round(way.length_nmi, -1), way.passages
    (770.0, ('Korea',))
    """
    shut = closure(closed)
    start, end = _checked(lat0, lon0), _checked(lat1, lon1)
    return way_between(field_from(*start, shut), field_from(*end, shut, 0.0), shut)


def sea_ways(
    lat0: ArrayLike, lon0: ArrayLike, lat1: ArrayLike, lon1: ArrayLike, *, closed: Iterable[str] = ()
) -> list[Way]:
    """The ways between positions given as arrays (broadcast, row by row), as `sea_way` finds them.

    Where a position is not available there is no way. Positions that start alike share one search (40 ms); a way takes
    some milliseconds more.

    >>> [way.passages for way in sea_ways(33.5, 128.0, [43.0, 39.0], [139.0, 122.0])]
    [('Korea',), ()]
    """
    shut = closure(closed)
    columns = np.broadcast_arrays(lat0, lon0, lat1, lon1)
    flat = np.stack([np.asarray(column, np.float64).ravel() for column in columns], axis=1)
    found = [NO_WAY] * len(flat)
    known = np.flatnonzero(np.isfinite(flat).all(axis=1))
    field = None
    for k in known[np.lexsort(flat[known, :2].T)].tolist():
        start, end = _checked(*flat[k, :2]), _checked(*flat[k, 2:])
        if field is None or (field.lat, field.lon) != start:
            field = field_from(*start, shut)
        found[k] = way_between(field, field_from(*end, shut, 0.0), shut)
    return found


def sea_distance_nmi(
    lat0: ArrayLike, lon0: ArrayLike, lat1: ArrayLike, lon1: ArrayLike, *, closed: Iterable[str] = ()
) -> NDArray[np.float64]:
    """Nautical miles over the sea between positions given as arrays (broadcast): the lengths of `sea_ways`.

    Infinite where there is no way, NaN where a position is not available.

    >>> sea_distance_nmi(35.05, 129.15, [41.7, 42.2], [129.9, 130.4]).round(-1).tolist()
    [400.0, 440.0]
    """
    columns = np.broadcast_arrays(lat0, lon0, lat1, lon1)
    length = np.array([way.length_nmi for way in sea_ways(*columns, closed=closed)]).reshape(columns[0].shape)
    length[~np.isfinite(np.stack(columns)).all(axis=0)] = np.nan
    return length
