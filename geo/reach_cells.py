"""Cells within reach: lower bounds of distances, the rim drawn with finer cells, and where ports lie on the sea.

A distance of the graph is one along legs, and so too long: by 0.24 % on average, 0.74 % at 99 of 100 nodes and 1.5 %
at 999 of 1,000 (30 to 3,000 km away and in sight, where the truth is known). So it is taken `SHORTENED`, though never
under the great circle, and where that is clear it is the great circle: in open water the distance is the true one, and
behind a cape it is too short by up to 0.75 %, rather than too long; behind land within a cell by up
to its width more. In an archipelago it may be 1 % too long.

A position that is moved to a node (in a harbour, up a river) starts there: the miles to the node are not counted, for
the land between is often but a gap in the mask, though again no distance is under the great circle.

The rim of what is reached runs through cells of the graph, which are 120 km wide in the ocean. Those are split, to
resolution 8 (1 km) if need be, until a cell is small against the area; a cell counts when any of it may be reached.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.cell_index import to_vector
from geo.cells import centres, parents, resolutions, uncompact
from geo.coast import shore_table
from geo.grid import Arrays, Tell, open_grid
from geo.kernel import kernel
from geo.ports import ports
from geo.sea_cells import COARSEST, EDGE_M, WIDEST
from geo.sea_graph import arc_dm, graph_digest, sea_graph
from geo.sea_search import FAR, attach, is_clear, may_be_clear, settle
from geo.sea_way import DM_PER_NMI, Closure, Field, scratch
from geo.sphere import NMI_M, distances_m

SHORTENED = 0.9925
FINEST_SPLIT = 8
PORT_SNAP_M = 60_000.0
"""A port is reached through a node in sight, else through the nearest within this distance, over land.

So ports up a river are reached (Rotterdam, Antwerp, Hamburg, London, Calcutta), the way up counted straight: too short,
rather than too long."""
RIVER_PORTS: dict[str, tuple[float, float, float]] = {"KPSGN": (38.718, 125.402, 11.0)}
"""Ports up a river: where their way leaves the sea (Nampo for Songnim), and the nautical miles from there."""
RADIUS_NMI = {resolution: WIDEST * edge_m / NMI_M for resolution, edge_m in EDGE_M.items()}
"""From the node of a cell to its farthest corner, at most: a node that is not the centre lies near the shore."""
_RIM = 0.01
"""Cells of the rim are split until they are no wider than this part of the area's half width."""
_LEAST_NMI = 0.35
_MOST_SPLIT = 6_000

Nmi = NDArray[np.float64]


class SeaCells(NamedTuple):
    """Cells and distances in nautical miles: to them from the start, and from them to the end (0 when none)."""

    cell: NDArray[np.uint64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    home: NDArray[np.int64]
    """The node of the graph whose cell this is or is part of."""
    to_nmi: Nmi
    from_nmi: Nmi


@kernel
def fill_bounds(graph, table, barred, field, lat_deg, lon_deg, shortened, out_nmi):
    """Lower bounds of the nautical miles from a position to each node, infinite where there is no way."""
    x, y, z = to_vector(lat_deg, lon_deg)
    for n in range(out_nmi.size):
        out_nmi[n] = math.inf
        if field[n] != FAR:
            straight = arc_dm(x, y, z, graph.xyz[n, 0], graph.xyz[n, 1], graph.xyz[n, 2])
            bound = shortened * field[n]
            if bound <= straight or (
                may_be_clear(straight, bound) and is_clear(table, barred, lat_deg, lon_deg, graph.lat[n], graph.lon[n])
            ):
                bound = straight
            out_nmi[n] = bound / DM_PER_NMI


def node_bounds(field: Field | None, shut: Closure) -> Nmi:
    """Lower bounds of the nautical miles from where a field starts to all nodes; 0 without a field."""
    out = np.zeros(sea_graph().cell.size)
    if field is not None:
        place = field.dist, field.lat, field.lon
        fill_bounds(sea_graph(), shore_table(), shut.barred, *place, SHORTENED, out)
        if field.snapped:
            straight = distances_m(field.lat, field.lon, sea_graph().lat, sea_graph().lon) / NMI_M
            np.maximum(straight, out - field.snap_nmi, out=out)
    return out


def point_bounds(
    field: Field | None,
    home: NDArray[np.int64],
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
    shut: Closure,
    on_land: bool = False,
) -> Nmi:
    """The same for points between nodes; points `on_land` are gone to straight from their home."""
    out = np.zeros(home.size)
    if field is None:
        return out
    settle(sea_graph(), shore_table(), shut.barred, home, lat, lon, field.dist, field.lat, field.lon, on_land, out)
    straight = distances_m(field.lat, field.lon, lat, lon) / NMI_M
    bound: Nmi = np.maximum(straight, SHORTENED * out / DM_PER_NMI - field.snap_nmi)
    if on_land and field.snapped:
        in_one_harbour = np.isin(home, field.seeds[:, 0])
        bound[in_one_harbour] = straight[in_one_harbour]
    return bound


def _split(cells: SeaCells, start: Field, end: Field | None, shut: Closure) -> SeaCells:
    """The sea cells within cells, one resolution finer."""
    if not cells.cell.size:
        return cells
    cell = uncompact(cells.cell, int(resolutions(cells.cell[:1])[0]) + 1)
    home = homes(cell)
    lat, lon = centres(cell)
    to_nmi = point_bounds(start, home, lat, lon, shut)
    near = np.isfinite(to_nmi)
    cell, home, lat, lon, to_nmi = cell[near], home[near], lat[near], lon[near], to_nmi[near]
    return SeaCells(cell, lat, lon, home, to_nmi, point_bounds(end, home, lat, lon, shut))


def _margin_nmi(cells: SeaCells, resolution: int, direct_nmi: float) -> Nmi:
    """How much shorter a way through a cell may be than the one through its node, which is up to a radius away.

    The length of a way there and on changes by 2 cos(a / 2) nautical miles in one, where `a` is the angle at which the
    cell sees the two ends: hardly at all beside the straight way between them, so that a ship in a hurry is known to
    have kept to a narrow strip. The second term bounds what the curve of an ellipse adds.
    """
    radius = RADIUS_NMI[resolution]
    if math.isnan(direct_nmi):
        return np.full(cells.cell.size, radius)
    to_nmi, from_nmi = np.maximum(cells.to_nmi, radius), np.maximum(cells.from_nmi, radius)
    cosine = np.clip((to_nmi**2 + from_nmi**2 - direct_nmi**2) / (2.0 * to_nmi * from_nmi), -1.0, 1.0)
    slope = radius * np.sqrt(2.0 + 2.0 * cosine) + radius**2 * (1.0 / to_nmi + 1.0 / from_nmi)
    return np.asarray(np.minimum(2.0 * radius, slope))


def picked(cells: SeaCells, which: NDArray[np.bool_] | NDArray[np.int64]) -> SeaCells:
    """Some of the cells, by mask or by row."""
    cell, lat, lon, home, to_nmi, from_nmi = cells
    return SeaCells(cell[which], lat[which], lon[which], home[which], to_nmi[which], from_nmi[which])


def _joined(parts: list[SeaCells]) -> SeaCells:
    return SeaCells(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def cells_within(start: Field, end: Field | None, limit_nmi: float, direct_nmi: float, shut: Closure) -> SeaCells:
    """The sea cells through which a way of at most `limit_nmi` may lead, of several resolutions, none in another.

    `direct_nmi` is the shortest such way, NaN while the gap is open.
    """
    graph = sea_graph()
    to_nmi, from_nmi = node_bounds(start, shut), node_bounds(end, shut)
    near = np.flatnonzero(to_nmi + from_nmi <= limit_nmi + 2.0 * RADIUS_NMI[COARSEST])
    nodes = SeaCells(graph.cell[near], graph.lat[near], graph.lon[near], near, to_nmi[near], from_nmi[near])
    half_nmi = limit_nmi if end is None else 0.5 * math.sqrt(max(0.0, limit_nmi**2 - direct_nmi**2))
    fine_nmi = max(_LEAST_NMI, _RIM * half_nmi, 0.001 * limit_nmi)
    at = resolutions(nodes.cell)
    done, finer = [], picked(nodes, np.zeros(0, np.int64))
    for resolution in range(COARSEST, FINEST_SPLIT + 1):
        here = _joined([picked(nodes, at == resolution), finer])
        spare = limit_nmi - here.to_nmi - here.from_nmi
        margin = _margin_nmi(here, resolution, direct_nmi)
        doubtful = np.abs(spare) <= margin
        last = resolution == FINEST_SPLIT or RADIUS_NMI[resolution] <= fine_nmi
        if last or np.count_nonzero(doubtful) > _MOST_SPLIT:
            doubtful[:] = False
        done.append(picked(here, ~doubtful & (spare >= -margin)))
        finer = _split(picked(here, doubtful), start, end, shut)
    return _joined(done)


def homes(cell: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The node of the graph whose cell each cell is or is part of; -1 where there is none."""
    graph = sea_graph()
    keys = graph.cell & ~np.uint64(0xF << 52)
    found = np.full(cell.size, -1, np.int64)
    for resolution in range(COARSEST, int(resolutions(graph.cell).max()) + 1):
        fine = np.flatnonzero(resolutions(cell) >= resolution)
        above = parents(cell[fine], resolution)
        place = np.minimum(np.searchsorted(keys, above & ~np.uint64(0xF << 52)), graph.cell.size - 1)
        match = graph.cell[place] == above
        found[fine[match]] = place[match]
    return found


class PortAccess(NamedTuple):
    """Where ports lie on the sea: in the order of `geo.ports.ports()`."""

    home: NDArray[np.int64]
    """The nearest node in sight, else the nearest; -1 where none is within 60 km."""
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]


def _port_positions() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    places = [RIVER_PORTS.get(port.locode, (port.lat, port.lon)) for port in ports()]
    return np.array([place[0] for place in places]), np.array([place[1] for place in places])


def _build_access(tell: Tell) -> Arrays:
    graph, lat, lon = sea_graph(), *_port_positions()
    home = np.full(lat.size, -1, np.int64)
    near, barred = scratch().near, np.zeros((0, 6))
    for k in range(lat.size):
        tell(k / lat.size)
        count, _ = attach(graph, shore_table(), barred, lat[k], lon[k], round(10.0 * PORT_SNAP_M), near)
        if count:
            home[k] = near[np.argmin(near[:count, 1]), 0]
    return {"home": home, "lat": lat, "lon": lon}


@cache
def port_access() -> PortAccess:
    """Where the ports lie on the sea, found once for a table of ports and a graph.

    >>> access = port_access()
    >>> 650 < (access.home < 0).sum() < 850  # inland ports
    np.True_
    """
    positions = (column.tobytes() for column in _port_positions())
    sources: list[Path | bytes] = [*positions, graph_digest().encode(), Path(__file__)]
    arrays = open_grid("sea-ports", sources, _build_access)
    return PortAccess(**{name: arrays[name] for name in PortAccess._fields})
