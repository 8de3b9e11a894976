"""Meeting: where and when could two silent ships have been at one place?

A ship can have been in a cell from its earliest arrival to its latest departure (`geo.reach`), and stayed as long as
it liked between. So two ships can have been together there from the later of the two arrivals to the earlier of the
two departures. That they could is necessary, never proof: two long silences near each other always overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.cells import parents, resolutions
from geo.reach import US_PER_H, Reach
from geo.reach_area import area_of

_MOMENTS = 9
"""The chance is that of the best of so many moments between `t_from_us` and `t_to_us`."""
Cells = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Meeting:
    """The sea cells where both ships could have been at one time, sorted by cell; all arrays (n,)."""

    cells: Cells
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    t_from_us: NDArray[np.int64]
    """When the later of the two can have arrived."""
    t_to_us: NDArray[np.int64]
    """When the first of the two must have left."""
    together_h: NDArray[np.float64]
    """Longest possible time together."""
    probability: NDArray[np.float64]
    """Chance that both were fast enough to be there at the best moment, their speeds taken as independent."""
    parameters: dict[str, Any]

    @property
    def longest_h(self) -> float:
        """The longest possible time together in any cell; 0 when they cannot have met."""
        return float(self.together_h.max(initial=0.0))

    def to_geojson(self, least_h: float = 0.0) -> dict[str, Any]:
        """The sea where they could have been together for `least_h` hours, as a GeoJSON geometry; may be empty."""
        long = self.together_h >= least_h
        return area_of(self.cells[long], self.lat[long], self.lon[long])

    def table(self, limit: int = 20) -> list[dict[str, Any]]:
        """The cells of the longest possible time together as rows for a report; times in ISO 8601, UTC."""
        order = np.lexsort((self.cells, -self.together_h))[:limit].tolist()
        return [
            {
                "cell": f"{int(self.cells[k]):x}",
                "lat": float(self.lat[k]),
                "lon": float(self.lon[k]),
                "t_from": str(self.t_from_us[k].astype("datetime64[us]")) + "Z",
                "t_to": str(self.t_to_us[k].astype("datetime64[us]")) + "Z",
                "together_h": float(self.together_h[k]),
                "probability": float(self.probability[k]),
            }
            for k in order
        ]


def _within(fine: Cells, coarse: Cells) -> Cells:
    """Those of some cells that are among others, or lie in one of them."""
    found = np.zeros(fine.size, np.bool_)
    at, above = resolutions(fine), resolutions(coarse)
    for resolution in np.unique(above).tolist():
        finer = np.flatnonzero(at >= resolution)
        found[finer] |= np.isin(parents(fine[finer], resolution), coarse[above == resolution])
    return fine[found]


def _distances(ship: Reach, cell: Cells, lat: Any, lon: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nautical miles to and from cells: as they are in a reach, or found anew where its own are coarser."""
    place = np.minimum(np.searchsorted(ship.cells, cell), ship.cells.size - 1)
    own = ship.cells[place] == cell
    there, back = ship.to_nmi[place].copy(), ship.from_nmi[place].copy()
    if not own.all():
        there[~own], back[~own] = ship.at(cell[~own], lat[~own], lon[~own])
    return there, np.zeros_like(back) if ship.silence.is_open else back


def meet(a: Reach, b: Reach) -> Meeting:
    """Where and when two silent ships could both have been.

    Cells of different sizes are taken at the finer one. A ship in sight, not silent, is no matter of this function.

    >>> from geo.reach import reach
    >>> first = reach(35.0, 129.5, 0, 35.0, 129.6, 48 * US_PER_H, 10.0)
    >>> second = reach(36.5, 130.2, 0, 36.6, 130.2, 48 * US_PER_H, 10.0)
    >>> meeting = meet(first, second)
    >>> round(meeting.longest_h), sorted(meeting.table(1)[0])[:3]
    (38, ['cell', 'lat', 'lon'])
    """
    cell = np.union1d(_within(a.cells, b.cells), _within(b.cells, a.cells))
    lat, lon = _places(a, b, cell)
    t_from, t_to = np.full(cell.size, np.iinfo(np.int64).min), np.full(cell.size, np.iinfo(np.int64).max)
    ways = []
    known = np.ones(cell.size, np.bool_)
    for ship in (a, b):
        there, back = _distances(ship, cell, lat, lon) if cell.size else (np.zeros(0), np.zeros(0))
        known &= np.isfinite(there) & np.isfinite(back)
        there, back = np.where(known, there, 0.0), np.where(known, back, 0.0)
        speed_kn = ship.silence.speed.fast_kn
        t_from = np.maximum(t_from, ship.silence.t0_us + np.rint(there / speed_kn * US_PER_H).astype(np.int64))
        t_to = np.minimum(t_to, ship.silence.t1_us - np.rint(back / speed_kn * US_PER_H).astype(np.int64))
        ways.append((there, back))
    chance = _chance(a, b, ways, t_from, t_to)
    met = np.flatnonzero(known & (t_to >= t_from))
    together_h = (t_to - t_from) / US_PER_H
    parameters = {"a": a.parameters, "b": b.parameters, "moments": _MOMENTS}
    where = cell[met], lat[met], lon[met]
    return Meeting(*where, t_from[met], t_to[met], together_h[met], chance[met], parameters)


def _places(a: Reach, b: Reach, cell: Cells) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The node of each cell as the reach that has it knows it, so that it is at sea."""
    lat, lon = np.full(cell.size, np.nan), np.full(cell.size, np.nan)
    for ship in (a, b):
        if ship.cells.size and cell.size:
            place = np.minimum(np.searchsorted(ship.cells, cell), ship.cells.size - 1)
            own = ship.cells[place] == cell
            lat[own], lon[own] = ship.lat[place[own]], ship.lon[place[own]]
    return lat, lon


def _chance(
    a: Reach,
    b: Reach,
    ways: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
    t_from: NDArray[np.int64],
    t_to: NDArray[np.int64],
) -> NDArray[np.float64]:
    """The chance at the best moment: each ship must make its way there before it, and its way on after it."""
    best = np.zeros(t_from.size)
    for part in np.linspace(0.0, 1.0, _MOMENTS):
        moment = t_from + np.rint(part * (t_to - t_from)).astype(np.int64)
        both = np.ones(t_from.size)
        for ship, (there, back) in zip((a, b), ways, strict=True):
            fast_kn = ship.silence.speed.fast_kn
            needed = np.zeros(t_from.size)
            for way, span_us in ((there, moment - ship.silence.t0_us), (back, ship.silence.t1_us - moment)):
                hours = np.maximum(span_us / US_PER_H, 1e-9)
                needed = np.maximum(needed, way / hours)
            both *= ship.silence.speed.chance_at_least(np.minimum(needed, fast_kn))
        best = np.maximum(best, both)
    return best
