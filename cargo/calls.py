"""Port calls as columns: those of each ship in order, and those at each port by the time of sailing.

A call counts as at a port by its UN/LOCODE, or within 10 km of the port's position: a port's terminals lie apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cargo.fleet import INFERRED, PORT_RADIUS_M
from detectors.event import PORT_CALL, Events
from geo.sphere import distances_m, unit_vectors

_DEG_OF_RADIUS = 0.1
"""10 km are less than this in latitude."""


class Calls(NamedTuple):
    """Calls by ship and start. `ship_first[s]` is the first call of ship s, and the one behind the last is the end."""

    ship: NDArray[np.int32]  # row in `mmsi`
    t_start: NDArray[np.int64]
    t_end: NDArray[np.int64]
    unit: NDArray[np.float64]  # (n, 3) unit vectors of their places
    row: NDArray[np.int64]  # in the events
    ship_first: NDArray[np.int64]


class AtPorts(NamedTuple):
    """For each of some ports its calls by time of sailing: `call[first[p] : first[p + 1]]`, and for each call its port.

    A call may be at several of the ports, if they lie within 10 km of each other; `near` lists for each call the
    ports that it is at, `near[near_first[c] : near_first[c + 1]]`.
    """

    first: NDArray[np.int64]
    call: NDArray[np.int64]
    t_end: NDArray[np.int64]  # of `call`, beside it
    near_first: NDArray[np.int64]
    near: NDArray[np.int32]


def calls_of(events: Events, mmsi: NDArray[np.uint32]) -> Calls:
    """The port calls of the ships `mmsi` (sorted); those inferred from a silence are no record of a call."""
    if not len(events):
        nothing, first = np.zeros(0, np.int64), np.zeros(mmsi.size + 1, np.int64)
        return Calls(np.zeros(0, np.int32), nothing, nothing, np.zeros((0, 3)), nothing, first)
    rows = np.flatnonzero((events["kind"] == PORT_CALL) & (events["label"] != INFERRED))
    ship = np.searchsorted(mmsi, events["mmsi"][rows])
    known = ship < mmsi.size
    known[known] = mmsi[ship[known]] == events["mmsi"][rows[known]]
    rows, ship = rows[known], ship[known]
    order = np.lexsort((events["t_start"][rows], ship))
    rows, ship = rows[order], ship[order]
    return Calls(
        ship.astype(np.int32),
        events["t_start"][rows],
        events["t_end"][rows],
        unit_vectors(events["lat"][rows], events["lon"][rows]),
        rows,
        np.searchsorted(ship, np.arange(mmsi.size + 1)).astype(np.int64),
    )


def calls_at(events: Events, calls: Calls, ports: Sequence[str]) -> AtPorts:
    """The calls at each of some ports, by UN/LOCODE."""
    from geo.ports import port_by_code

    n = calls.row.size
    codes = events["port"][calls.row] if n else np.zeros(0, "U5")
    lat, lon = (events[name][calls.row] if n else np.zeros(0) for name in ("lat", "lon"))
    by_code, by_lat = np.argsort(codes, kind="stable"), np.argsort(lat, kind="stable")
    sorted_codes, sorted_lat = codes[by_code], lat[by_lat]
    found = []
    for port in ports:
        wanted = np.array(port, codes.dtype)
        begin, end = np.searchsorted(sorted_codes, wanted), np.searchsorted(sorted_codes, wanted, "right")
        here = by_code[begin:end] if wanted == port else by_code[:0]
        place = port_by_code(port)
        if place is not None:
            begin, end = np.searchsorted(sorted_lat, (place.lat - _DEG_OF_RADIUS, place.lat + _DEG_OF_RADIUS))
            near = by_lat[begin:end]
            near = near[distances_m(lat[near], lon[near], place.lat, place.lon) <= PORT_RADIUS_M]
            here = np.union1d(here, near)
        found.append(here[np.argsort(calls.t_end[here], kind="stable")])
    sizes = np.array([0, *(here.size for here in found)])
    call = np.concatenate([np.zeros(0, np.int64), *found])
    port_of = np.repeat(np.arange(len(found), dtype=np.int32), sizes[1:])
    order = np.argsort(call, kind="stable")
    near_first = np.searchsorted(call[order], np.arange(n + 1))
    return AtPorts(np.cumsum(sizes), call, calls.t_end[call], near_first.astype(np.int64), port_of[order])
