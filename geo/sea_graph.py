"""The graph of the sea: cells of mixed size, and the legs that a ship can sail between them.

Two cells are joined when their nodes are within `REACH` spacings and the great circle between them stays at sea on the
exact mask; a leg that two shorter ones replace within `SPARE` is left out. What is left goes 36 ways from a node in
open water, so that a way along legs is at most 0.75 % longer than the great circle.

Legs with a name or with bends are kept apart: those that cross the line of a strait, canals and narrow straits that
the mask closes (`geo.straits`), and the ways out of harbours, lagoons and fjords (`geo.sea_joins`). Any passage can be
closed by name. Waters that nothing joins to the ocean (the Caspian, lakes) have no nodes. The graph is built once
(`geo.grid`), in half a minute.
"""

from __future__ import annotations

import hashlib
import math
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.coast import shore_distance_at, shore_table, stays_at_sea
from geo.grid import Arrays, Tell, open_grid
from geo.kernel import inner, kernel
from geo.sea_cells import sea_cells
from geo.sphere import EARTH_RADIUS_M

REACH = 4.1
SPARE = 1.004
BINS_PER_DEG = 2
BIN_ROWS = 180 * BINS_PER_DEG
DM_PER_RAD = EARTH_RADIUS_M * 10.0
_SHORE_ERROR_M = 10_000.0
"""More than the error of the shore distance far from the shore."""
_BLOCK = 2_000_000
_MOST_NEAR = 20_000


class SeaGraph(NamedTuple):
    """The graph as kernels take it: `n` nodes in H3 order, `m` legs, each from both of its sides.

    Lengths are whole decimetres, so that the sum of a way is the same in either direction.
    """

    cell: NDArray[np.uint64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    xyz: NDArray[np.float64]
    """(n, 3) unit vectors."""
    spacing_dm: NDArray[np.int32]
    start: NDArray[np.int32]
    """(n + 1) where the legs of a node begin."""
    legs: NDArray[np.int32]
    """(2 m) for each leg the other node and the length."""
    named_start: NDArray[np.int32]
    named_legs: NDArray[np.int32]
    """(k, 3) as `legs`, and the number of the passage in `geo.straits.PASSAGES`; its length where the leg has none."""
    bend_start: NDArray[np.int32]
    """(k + 1) where the bends of a named leg begin."""
    bends: NDArray[np.float64]
    """(b, 2) latitude and longitude."""
    bin_row: NDArray[np.int32]
    """(rows + 1) where the bins of a row of half a degree begin: about square bins, from the south and from 180 W."""
    bin_start: NDArray[np.int32]
    bin_node: NDArray[np.int32]


@inner
def arc_dm(ax, ay, az, bx, by, bz):
    """Decimetres along the great circle between two unit vectors."""
    dx, dy, dz = ax - bx, ay - by, az - bz
    return 2.0 * DM_PER_RAD * math.asin(min(1.0, 0.5 * math.sqrt(dx * dx + dy * dy + dz * dz)))


@inner
def bin_span(graph, row, lat_deg, lon_deg, range_deg):
    """The bins of a row that a circle may touch: (the first, how many, how many the row has)."""
    columns = graph.bin_row[row + 1] - graph.bin_row[row]
    sine = math.sin(math.radians(range_deg)) / max(1e-9, math.cos(math.radians(lat_deg)))
    if sine >= 1.0 or abs(lat_deg) + range_deg >= 90.0:
        return 0, columns, columns
    half_deg = math.degrees(math.asin(sine))
    first = int(math.floor((lon_deg - half_deg + 180.0) / 360.0 * columns))
    last = int(math.floor((lon_deg + half_deg + 180.0) / 360.0 * columns))
    return first, min(columns, last - first + 1), columns


@kernel
def find_near(graph, lat_deg, lon_deg, range_dm, out):
    """Nodes within `range_dm` into `out` (int32, 2): node and decimetres; returns how many (at most its length)."""
    found = 0
    range_deg = math.degrees(range_dm / DM_PER_RAD)
    lat, lon = math.radians(lat_deg), math.radians(lon_deg)
    x, y, z = math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)
    chord = 2.0 * math.sin(0.5 * min(math.pi, range_dm / DM_PER_RAD))
    south = max(0, int(math.floor((lat_deg - range_deg + 90.0) * BINS_PER_DEG)))
    north = min(BIN_ROWS - 1, int(math.floor((lat_deg + range_deg + 90.0) * BINS_PER_DEG)))
    for row in range(south, north + 1):
        first, count, columns = bin_span(graph, row, lat_deg, lon_deg, range_deg)
        for step in range(count):
            place = graph.bin_row[row] + (first + step) % columns
            for k in range(graph.bin_start[place], graph.bin_start[place + 1]):
                node = graph.bin_node[k]
                dx, dy, dz = x - graph.xyz[node, 0], y - graph.xyz[node, 1], z - graph.xyz[node, 2]
                if dx * dx + dy * dy + dz * dz <= chord * chord and found < out.shape[0]:
                    out[found, 0] = node
                    out[found, 1] = int(arc_dm(x, y, z, graph.xyz[node, 0], graph.xyz[node, 1], graph.xyz[node, 2]))
                    found += 1
    return found


@kernel
def find_legs(graph, table, first, near, out):
    """Legs from node `first` on to finer nodes, or to later ones as fine, into `out` (u, v, dm).

    Returns the node it stopped at, for want of room, and how many legs there are.
    """
    found = 0
    for u in range(first, graph.lat.size):
        if found + near.shape[0] > out.shape[0]:
            return u, found
        shore_dm = 10.0 * (shore_distance_at(table, graph.lat[u], graph.lon[u]) - _SHORE_ERROR_M)
        count = find_near(graph, graph.lat[u], graph.lon[u], REACH * graph.spacing_dm[u], near)
        for k in range(count):
            v, length = near[k, 0], near[k, 1]
            if graph.spacing_dm[v] > graph.spacing_dm[u] or (graph.spacing_dm[v] == graph.spacing_dm[u] and v <= u):
                continue
            if length > REACH * math.sqrt(float(graph.spacing_dm[u]) * graph.spacing_dm[v]):
                continue
            if length < shore_dm or stays_at_sea(table, graph.lat[u], graph.lon[u], graph.lat[v], graph.lon[v]):
                out[found, 0], out[found, 1], out[found, 2] = u, v, max(1, length)
                found += 1
    return graph.lat.size, found


@inner
def leg_length(start, legs, u, v):
    """Decimetres of the leg from u to v, whose legs are in the order of their other node; 0 when there is none."""
    low, high = start[u], start[u + 1]
    while low < high:
        middle = (low + high) // 2
        if legs[2 * middle] < v:
            low = middle + 1
        else:
            high = middle
    if low < start[u + 1] and legs[2 * low] == v:
        return legs[2 * low + 1]
    return 0


@kernel
def mark_spare(xyz, start, legs, spare):
    """Mark in `spare` (bool, m) each leg that two shorter ones replace, at most `SPARE` times as long together."""
    for u in range(start.size - 1):
        for a in range(start[u], start[u + 1]):
            w, length = legs[2 * a], legs[2 * a + 1]
            for b in range(start[u], start[u + 1]):
                v, part = legs[2 * b], legs[2 * b + 1]
                if part >= length:
                    continue
                dx, dy, dz = xyz[v, 0] - xyz[w, 0], xyz[v, 1] - xyz[w, 1], xyz[v, 2] - xyz[w, 2]
                rest = math.sqrt(dx * dx + dy * dy + dz * dz) * DM_PER_RAD  # the chord: too short by 0.02 % at most
                if rest < length and part + rest <= SPARE * length:
                    rest = leg_length(start, legs, v, w)
                    if 0 < rest < length and part + rest <= SPARE * length:
                        spare[a] = True
                        break


def both_ways(legs: NDArray[np.int32], nodes: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Legs (u, v, dm) as `start` and `legs` of a `SeaGraph`, in the order of the other node."""
    import scipy.sparse

    half = scipy.sparse.coo_array((legs[:, 2], (legs[:, 0], legs[:, 1])), shape=(nodes, nodes)).tocsr()
    whole = (half + half.T).tocsr()
    whole.sort_indices()
    flat = np.stack([whole.indices, whole.data], axis=1).astype(np.int32).ravel()
    return whole.indptr.astype(np.int32), flat


def _bins(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> tuple[NDArray[np.int32], ...]:
    """`bin_row`, `bin_start` and `bin_node` of a `SeaGraph`."""
    middle = np.radians((np.arange(BIN_ROWS) + 0.5) / BINS_PER_DEG - 90.0)
    columns = np.maximum(1, (360 * BINS_PER_DEG * np.cos(middle)).astype(np.int64))
    bin_row = np.concatenate([[0], np.cumsum(columns)])
    row = np.minimum((lat + 90.0) * BINS_PER_DEG, BIN_ROWS - 1).astype(np.int64)
    place = bin_row[row] + np.minimum(((lon + 180.0) / 360.0 * columns[row]).astype(np.int64), columns[row] - 1)
    node = np.argsort(place, kind="stable")
    start = np.searchsorted(place[node], np.arange(bin_row[-1] + 1))
    return bin_row.astype(np.int32), start.astype(np.int32), node.astype(np.int32)


def _of_nodes(
    cell: NDArray[np.uint64], lat: NDArray[np.float64], lon: NDArray[np.float64], spacing_dm: NDArray[np.int32]
) -> SeaGraph:
    """A graph without legs."""
    phi, lam = np.radians(lat), np.radians(lon)
    xyz = np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=1)
    none = np.zeros(0, np.int32)
    first = np.zeros(cell.size + 1, np.int32)
    named = first, none.reshape(0, 3), np.zeros(1, np.int32), np.zeros((0, 2))
    return SeaGraph(cell, lat, lon, xyz, spacing_dm, first, none, *named, *_bins(lat, lon))


def _all_legs(graph: SeaGraph, tell: Tell) -> NDArray[np.int32]:
    """Legs (u, v, dm) between nodes in sight of each other."""
    near, out = np.empty((_MOST_NEAR, 2), np.int32), np.empty((_BLOCK, 3), np.int32)
    parts, first = [], 0
    while first < graph.lat.size:
        tell(0.3 + 0.2 * first / graph.lat.size)
        first, found = find_legs(graph, shore_table(), first, near, out)
        parts.append(out[:found].copy())
    return np.concatenate(parts)


def _thinned(graph: SeaGraph, legs: NDArray[np.int32]) -> NDArray[np.int32]:
    """Legs (u, v, dm) without those that two shorter ones replace."""
    start, flat = both_ways(legs, graph.lat.size)
    spare = np.zeros(flat.size // 2, np.bool_)
    mark_spare(graph.xyz, start, flat, spare)
    u = np.repeat(np.arange(graph.lat.size, dtype=np.int32), np.diff(start))
    kept = ~spare & (u < flat[::2])
    return np.stack([u[kept], flat[::2][kept], flat[1::2][kept]], axis=1)


def build(tell: Tell) -> Arrays:
    """The arrays of the graph."""
    from geo.sea_joins import join_up

    graph = _of_nodes(*sea_cells(tell))
    legs = _thinned(graph, _all_legs(graph, tell))
    tell(0.6)
    legs, named, kept = join_up(graph, legs)
    graph = _of_nodes(graph.cell[kept], graph.lat[kept], graph.lon[kept], graph.spacing_dm[kept])
    start, flat = both_ways(legs, graph.lat.size)
    return graph._asdict() | named | {"start": start, "legs": flat}


def _sources() -> list[Path]:
    here = Path(__file__).parent
    names = ("sea_graph.py", "sea_cells.py", "sea_joins.py", "straits.py", "coast.py", "shore_grid.py", "sphere.py")
    return [*(here / name for name in names), here / "tables" / "shore.npz"]


@cache
def graph_digest() -> str:
    """What the graph was made from, in 16 signs: goes into the parameters of an answer."""
    digest = hashlib.blake2b(digest_size=8)
    for path in _sources():
        digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def sea_graph() -> SeaGraph:
    """The graph, built on first use and mapped afterwards.

    >>> graph = sea_graph()
    >>> graph.cell.size > 200_000, graph.legs.flags.writeable
    (True, False)
    """
    arrays = open_grid("sea", _sources(), build)
    return SeaGraph(**{name: arrays[name] for name in SeaGraph._fields})
