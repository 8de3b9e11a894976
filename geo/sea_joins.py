"""Joins: what ties waters together that cells alone do not, and which legs bear the name of a passage.

Three kinds. Legs that cross the line of a strait bear its name. Gates and canals (`geo.straits`) lead through land of
the mask. And a water that no leg joins to the ocean, a harbour behind a narrow mouth or a fjord, is joined along the
sea cells of the mask where they hang together side by side: its way out is found on the mask and drawn tight.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from geo.coast import is_sea_at, shore_table, stays_at_sea
from geo.kernel import inner, kernel
from geo.sea_graph import DM_PER_RAD, SeaGraph, both_ways, find_near, leg_length
from geo.sphere import EARTH_RADIUS_M, distance_m, unit_vectors
from geo.straits import INLET, PASSAGES, UNNAMED, lines_of, mark_crossing

GATE_SNAP_M = 20_000.0
"""The ends of a gate are tied to the nearest node in sight within this distance."""
_PER_DEG = 120
_CELL_M = EARTH_RADIUS_M * math.pi / 180.0 / _PER_DEG
_ROWS, _COLUMNS = 180 * _PER_DEG, 360 * _PER_DEG
_HALF = 256
"""A way out is looked for up to this many mask cells (2 degrees) each way."""
_SIDE = 2 * _HALF + 1
_NARROW_SPACING_DM = 171_000
"""Resolutions 5 and 6."""
_BESIDE = 1.7
"""Cells that touch have nodes within this many spacings."""
_DETOUR = 2.0
"""A bent leg is worth it where the way without is this much longer, and it is itself not too crooked."""
_CROOKED = 1.4
MOST_LAND = 3
"""Cells of land (0.9 km) that a way out of a water that the mask closes may cross: such a way is an `INLET`."""
_NEAR_LINE_DM = 10_000_000.0

Leg = tuple[int, int, float, int, list[tuple[float, float]]]
"""From node, to node, metres, number of the passage, bends."""


@inner
def is_among(keys, key):
    """Whether a sorted array holds a number."""
    low, high = 0, keys.size
    while low < high:
        middle = (low + high) // 2
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low < keys.size and keys[low] == key


@kernel
def way_out(table, sources, keys, half, most_land, seen, queue, ahead, out):
    """The way from any of `sources` to a cell among `keys`, from mask cell to mask cell, over as little land as can be.

    `sources` and `keys` (sorted, int64) are row * columns + column; it looks `half` cells each way from the first
    source. `seen` (int32, `_SIDE` squared, -1) is scratch and left as it was; so are `queue` and `ahead`. The cells go
    into `out` (int64), the source first. Returns how many cells, 0 when there is no way over at most `most_land` cells
    of land, and how many of them are land.
    """
    row0, column0, side = sources[0] // _COLUMNS - half, sources[0] % _COLUMNS - half, 2 * half + 1
    filled, later, done, count, land = 0, 0, 0, 0, 0
    for k in range(sources.size):
        r = sources[k] // _COLUMNS - row0
        c = (sources[k] % _COLUMNS - column0 + _COLUMNS) % _COLUMNS
        if 0 <= r < side and 0 <= c < side and seen[r * side + c] < 0:
            seen[r * side + c] = r * side + c
            queue[filled] = r * side + c
            filled += 1
    while count == 0 and land <= most_land:
        if done == filled:  # all that can be come to over so much land is seen: on over one cell more
            for k in range(later):
                queue[filled + k] = ahead[k]
            filled, later = filled + later, 0
            land += 1
            if done == filled:
                break
        place = queue[done]
        done += 1
        r, c = place // side, place % side
        if is_among(keys, (row0 + r) * _COLUMNS + (column0 + c + _COLUMNS) % _COLUMNS):
            count = 1
            while seen[place] != place:
                place = seen[place]
                count += 1
            break
        for k in range(4):
            r2, c2 = r + (k == 0) - (k == 1), c + (k == 2) - (k == 3)
            if 0 <= r2 < side and 0 <= c2 < side and 0 <= row0 + r2 < _ROWS and seen[r2 * side + c2] < 0:
                seen[r2 * side + c2] = place
                lat, lon = 90.0 - (row0 + r2 + 0.5) / _PER_DEG, (column0 + c2 + 0.5) / _PER_DEG - 180.0
                if is_sea_at(table, lat, lon):
                    queue[filled] = r2 * side + c2
                    filled += 1
                else:
                    ahead[later] = r2 * side + c2
                    later += 1
    place = queue[max(0, done - 1)]
    for k in range(min(count, out.size)):
        out[count - 1 - k] = (row0 + place // side) * _COLUMNS + (column0 + place % side + _COLUMNS) % _COLUMNS
        place = seen[place]
    for k in range(filled):
        seen[queue[k]] = -1
    for k in range(later):
        seen[ahead[k]] = -1
    return count, land


def _mask_keys(graph: SeaGraph, nodes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The mask cells in which nodes lie."""
    row = np.clip(((90.0 - graph.lat[nodes]) * _PER_DEG).astype(np.int64), 0, _ROWS - 1)
    return row * _COLUMNS + np.floor((graph.lon[nodes] + 180.0) * _PER_DEG).astype(np.int64) % _COLUMNS


def _tightened(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A way with the points left out that are not needed to stay at sea."""
    kept, at = [points[0]], 0
    while at < len(points) - 1:
        ahead = range(len(points) - 1, at + 1, -1)
        at = next((k for k in ahead if stays_at_sea(shore_table(), *points[at], *points[k])), at + 1)
        kept.append(points[at])
    return kept


def _length_m(points: list[tuple[float, float]]) -> float:
    return math.fsum(float(distance_m(*a, *b)) for a, b in pairwise(points))


def _gates(graph: SeaGraph) -> list[Leg]:
    """Gates and canals as legs between the nearest nodes in sight of their ends."""
    found = []
    near = np.empty((2_000, 2), np.int32)
    for number, passage in enumerate(PASSAGES):
        if passage.kind == "strait":
            continue
        ends = []
        for lat, lon in (passage.points[0], passage.points[-1]):
            count = find_near(graph, lat, lon, GATE_SNAP_M * 10.0, near)
            nearest = near[:count][np.argsort(near[:count, 1], kind="stable"), 0].tolist()
            seen = [n for n in nearest if stays_at_sea(shore_table(), lat, lon, graph.lat[n], graph.lon[n])]
            if not seen:
                raise AssertionError(f"an end of {passage.name}, {lat} {lon}, is not in sight of the sea")
            ends.append(seen[0])
        points = [(float(graph.lat[ends[0]]), float(graph.lon[ends[0]])), *passage.points]
        points.append((float(graph.lat[ends[1]]), float(graph.lon[ends[1]])))
        found.append((ends[0], ends[1], _length_m(points), number, points[1:-1]))
    return found


def _windows() -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """`seen`, `queue` and `ahead` of `way_out`."""
    seen = np.full(_SIDE * _SIDE, -1, np.int32)
    return seen, np.empty_like(seen), np.empty_like(seen)


def _bent(graph: SeaGraph, u: int, v: int, way: NDArray[np.int64], number: int) -> Leg:
    """A leg along mask cells, drawn tight."""
    lat, lon = 90.0 - (way // _COLUMNS + 0.5) / _PER_DEG, (way % _COLUMNS + 0.5) / _PER_DEG - 180.0
    ends = [(float(graph.lat[n]), float(graph.lon[n])) for n in (u, v)]
    points = _tightened([ends[0], *zip(lat.tolist(), lon.tolist(), strict=True), ends[1]])
    return u, v, _length_m(points), number, points[1:-1]


@kernel
def two_legs(start, legs, u, v, out):
    """Decimetres of the best way from u to v of one or two legs into `out`; infinite where there is none."""
    for k in range(u.size):
        direct = leg_length(start, legs, u[k], v[k])
        out[k] = direct if direct > 0 else math.inf
        a, b = start[u[k]], start[v[k]]
        while a < start[u[k] + 1] and b < start[v[k] + 1]:
            if legs[2 * a] < legs[2 * b]:
                a += 1
            elif legs[2 * a] > legs[2 * b]:
                b += 1
            else:
                out[k] = min(out[k], legs[2 * a + 1] + legs[2 * b + 1])
                a, b = a + 1, b + 1


def _narrows(graph: SeaGraph, legs: NDArray[np.int32]) -> list[Leg]:
    """Bent legs between cells side by side that no leg or two join as directly as the mask does: narrow straits."""
    import scipy.spatial

    fine = np.flatnonzero(graph.spacing_dm <= _NARROW_SPACING_DM)
    tree = scipy.spatial.cKDTree(graph.xyz[fine])
    pairs = fine[tree.query_pairs(_BESIDE * _NARROW_SPACING_DM / DM_PER_RAD, output_type="ndarray")]
    pairs = pairs[np.lexsort(pairs.T[::-1])]
    apart = np.linalg.norm(graph.xyz[pairs[:, 0]] - graph.xyz[pairs[:, 1]], axis=1) * DM_PER_RAD
    spacing = graph.spacing_dm[pairs].astype(np.float64)
    beside = apart <= _BESIDE * np.sqrt(spacing[:, 0] * spacing[:, 1])
    pairs, apart = pairs[beside], apart[beside]
    length = np.empty(len(pairs))
    start, flat = both_ways(legs, graph.lat.size)
    two_legs(start, flat, *np.ascontiguousarray(pairs.T), length)
    work, path, keys = _windows(), np.empty(4 * _SIDE, np.int64), _mask_keys(graph, np.arange(graph.lat.size))
    found = []
    for k in np.flatnonzero(length > _DETOUR * apart).tolist():
        u, v = pairs[k].tolist()
        wide = max(0.1, math.cos(math.radians(float(graph.lat[u]))))
        half = min(_HALF, int(apart[k] / DM_PER_RAD * math.degrees(1.0) * _PER_DEG / wide) + 2)
        count, _ = way_out(shore_table(), keys[u : u + 1], keys[v : v + 1], half, 0, *work, path)
        if count:
            most_m = 0.1 * min(length[k] / _DETOUR, _CROOKED * apart[k])
            rows, columns = path[:count] // _COLUMNS, path[:count] % _COLUMNS
            steps = np.abs(np.diff(rows)).sum() + wide * np.abs(np.diff(columns)).sum()
            if steps * _CELL_M / math.sqrt(2.0) > most_m:
                continue
            leg = _bent(graph, u, v, path[:count], UNNAMED)
            if leg[2] <= most_m:
                found.append(leg)
    return found


def _ways_out(graph: SeaGraph, part: NDArray[np.int32]) -> list[Leg]:
    """Legs out of each water to the greatest one, as far as the mask has a way; `part` numbers the waters of nodes."""
    ocean = int(np.argmax(np.bincount(part)))
    at_sea = np.flatnonzero(part == ocean)
    keys = _mask_keys(graph, at_sea)
    order = np.argsort(keys, kind="stable")
    at_sea, keys = at_sea[order], keys[order]
    work, path = _windows(), np.empty(4 * _SIDE, np.int64)
    waters = np.argsort(part, kind="stable")
    starts = np.searchsorted(part[waters], np.arange(part.max() + 2))
    found = []
    for water in range(int(part.max()) + 1):
        nodes = waters[starts[water] : starts[water + 1]]
        if water == ocean:
            continue
        sources = _mask_keys(graph, nodes)
        count, land = way_out(shore_table(), sources, keys, _HALF, MOST_LAND, *work, path)
        if 0 < count <= path.size:
            u = int(nodes[np.flatnonzero(sources == path[0])[0]])
            v = int(at_sea[np.searchsorted(keys, path[count - 1])])
            found.append(_bent(graph, u, v, path[:count], INLET if land else UNNAMED))
    return found


def _of_straits(graph: SeaGraph, legs: NDArray[np.int32]) -> NDArray[np.int32]:
    """The number of the strait whose line each leg crosses, -1 where none."""
    number_of = np.full(len(legs), -1, np.int32)
    for number, passage in enumerate(PASSAGES):
        middle = unit_vectors(*np.mean(passage.points, axis=0))[0]
        near = (graph.xyz @ middle > math.cos(_NEAR_LINE_DM / DM_PER_RAD))[legs[:, 0]]
        candidates = np.flatnonzero(near)
        crossing = np.zeros(candidates.size, np.bool_)
        mark_crossing(graph.xyz[legs[candidates, 0]], graph.xyz[legs[candidates, 1]], lines_of([number]), crossing)
        number_of[candidates[crossing]] = number
    return number_of


def _named_after(graph: SeaGraph, joins: list[Leg]) -> list[Leg]:
    """Bent legs, with the number of the strait whose line they cross in place of their own."""
    ways = [[(graph.lat[u], graph.lon[u]), *bends, (graph.lat[v], graph.lon[v])] for u, v, _, _, bends in joins]
    of_join = np.repeat(np.arange(len(joins)), [len(way) - 1 for way in ways])
    start = unit_vectors(*np.array([point for way in ways for point in way[:-1]]).reshape(-1, 2).T)
    end = unit_vectors(*np.array([point for way in ways for point in way[1:]]).reshape(-1, 2).T)
    numbers = [join[3] for join in joins]
    crossing = np.zeros(len(start), np.bool_)
    for number in range(len(PASSAGES)):
        mark_crossing(start, end, lines_of([number]), crossing)
        for k in of_join[crossing].tolist():
            numbers[k] = number
    return [(u, v, metres, number, bends) for (u, v, metres, _, bends), number in zip(joins, numbers, strict=True)]


def _parts(nodes: int, legs: NDArray[np.int32], joins: list[Leg]) -> NDArray[np.int32]:
    """Numbers the waters that hang together."""
    import scipy.sparse
    from scipy.sparse.csgraph import connected_components

    u = np.concatenate([legs[:, 0], [join[0] for join in joins]]).astype(np.int32)
    v = np.concatenate([legs[:, 1], [join[1] for join in joins]]).astype(np.int32)
    whole = scipy.sparse.coo_array((np.ones(u.size, np.int8), (u, v)), shape=(nodes, nodes))
    return np.asarray(connected_components(whole, directed=False)[1], np.int32)


def _named(joins: list[Leg], nodes: int) -> dict[str, NDArray[np.generic]]:
    """`named_start`, `named_legs`, `bend_start` and `bends` of a `SeaGraph`: each join from both sides."""
    both = [*joins, *((v, u, metres, number, bends[::-1]) for u, v, metres, number, bends in joins)]
    both.sort(key=lambda join: join[:3])
    u = np.array([join[0] for join in both])
    rows = [(v, max(1, round(10.0 * metres)), number) for _, v, metres, number, _ in both]
    bends = [point for join in both for point in join[4]]
    return {
        "named_start": np.searchsorted(u, np.arange(nodes + 1)).astype(np.int32),
        "named_legs": np.array(rows, np.int32).reshape(-1, 3),
        "bend_start": np.cumsum([0, *(len(join[4]) for join in both)]).astype(np.int32),
        "bends": np.array(bends, np.float64).reshape(-1, 2),
    }


def join_up(
    graph: SeaGraph, legs: NDArray[np.int32]
) -> tuple[NDArray[np.int32], dict[str, NDArray[np.generic]], NDArray[np.int64]]:
    """Tie waters together: legs (u, v, dm) without a name, the arrays of those with one, and the nodes that are kept.

    Nodes are renumbered, in the same order.
    """
    number_of = _of_straits(graph, legs)
    legs, crossing, number_of = legs[number_of < 0], legs[number_of >= 0], number_of[number_of >= 0]
    joins: list[Leg] = [
        (u, v, 0.1 * dm, number, []) for (u, v, dm), number in zip(crossing.tolist(), number_of.tolist(), strict=True)
    ]
    joins += _gates(graph) + _named_after(graph, _narrows(graph, np.concatenate([legs, crossing])))
    joins += _named_after(graph, _ways_out(graph, _parts(graph.lat.size, legs, joins)))
    part = _parts(graph.lat.size, legs, joins)
    kept = part == np.argmax(np.bincount(part))
    number = np.cumsum(kept) - 1
    legs = legs[kept[legs[:, 0]]]
    legs = np.column_stack([number[legs[:, 0]], number[legs[:, 1]], legs[:, 2]]).astype(np.int32)
    joins = [(int(number[u]), int(number[v]), metres, n, bends) for u, v, metres, n, bends in joins if kept[u]]
    return legs, _named(joins, int(kept.sum())), np.flatnonzero(kept)
