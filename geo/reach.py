"""Reach: where could a silent ship have been?

Between the fix where a ship was last heard (time t0) and the one where it was heard again (t1) it had T = t1 - t0. With
a greatest speed v it could have visited a place only if F + B <= T: F the hours from the first fix to the place, B the
hours from there to the second, over water (the prism of time geography, Hagerstrand 1970, on a sea grid as in Sharma
2022). T - F - B is the longest time that it could have stayed. Of a gap that is still open only F counts.

Reaching is necessary, never proof: a long silence makes most ports of a region reachable.

Distances are those of `geo.water`: over a grid of sea cells, 0.4 % too long on average and up to 2.1 %, so the rim of
the area is that much too near. Canals and rivers are closed; ports more than 20 km up a river are not reached.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.coast import shore_table
from geo.errors import UsageError
from geo.ports import ports
from geo.sphere import NMI_M, distance_m
from geo.water import SeaGrid, cost_from, covers, is_clear, nearest_sea, sea_grid, unroll

PORT_SNAP_M = 20_000.0
"""A port is reached through the nearest sea cell within this distance."""
RIVER_PORTS: dict[str, tuple[float, float, float]] = {"KPSGN": (38.718, 125.402, 11.0)}
"""Ports up a river: where their way leaves the sea (Nampo for Songnim), and the nautical miles from there."""
DEFAULT_RESOLUTION_DEG = 0.1
FINEST_RESOLUTION_DEG = 0.02
_CELLS_ACROSS = 25  # a short gap gets a finer grid: at least this many cells from a fix to the edge of the window
_MOST_CELLS = 4_000_000  # 3 s and 0.4 GB
_US_PER_H = 3_600_000_000


class ReachedPort(NamedTuple):
    """A port that a silent ship could have called at; distances in nautical miles over water, times in µs UTC."""

    locode: str
    name: str
    country: str
    lat: float
    lon: float
    distance_nmi: float
    """Whole way through the port: `to_nmi` and `from_nmi`; of an open gap `to_nmi` alone."""
    to_nmi: float
    from_nmi: float
    """NaN while the gap is open."""
    earliest_us: int
    """Earliest arrival, t0 + F."""
    latest_us: int
    """Latest departure, t1 - B."""
    slack_h: float
    """Longest possible stay, T - F - B."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a silent ship could have reached: a grid of the longest possible stay, and the ports among it."""

    lat: NDArray[np.floating]
    lon: NDArray[np.floating]
    slack_h: NDArray[np.float32]
    """(lat, lon) hours; NaN where the ship cannot have been."""
    ports: list[ReachedPort]
    clipped: bool
    """True when the window, and not the ship, ends the reachable area: there is more outside."""
    parameters: dict[str, Any] = field(default_factory=dict)

    def to_geojson(self) -> dict[str, Any]:
        """The reachable area as a GeoJSON geometry, cut at 180 degrees, rounded to 0.001 degrees; may be empty.

        >>> area = reach(35.0, 129.1, 0, 35.3, 129.6, 6 * 3_600_000_000, 10.0).to_geojson()
        >>> area["type"], len(area["coordinates"])
        ('MultiPolygon', 3)
        """
        import shapely
        from shapely.geometry import mapping

        half_lat, half_lon = (self.lat[1] - self.lat[0]) / 2.0, (self.lon[1] - self.lon[0]) / 2.0
        boxes = []
        for row, reached in zip(self.lat, np.isfinite(self.slack_h), strict=True):
            turns = np.flatnonzero(np.diff(reached.astype(np.int8), prepend=0, append=0))
            for first, after in zip(turns[::2], turns[1::2], strict=True):
                west = self.lon[0] + (2 * first - 1) * half_lon
                east = self.lon[0] + (2 * after - 1) * half_lon
                boxes.append(shapely.box(west, row - half_lat, east, row + half_lat))
        area = shapely.set_precision(shapely.union_all(boxes).simplify(half_lat), 0.001)
        parts = []
        for shift in (-360.0, 0.0, 360.0):
            inside = shapely.intersection(area, shapely.box(-180.0 + shift, -90.0, 180.0 + shift, 90.0))
            moved = shapely.transform(inside, lambda xy, by=shift: xy - (by, 0.0))
            parts += [part for part in shapely.get_parts(moved) if part.geom_type == "Polygon" and not part.is_empty]
        whole = shapely.normalize(shapely.MultiPolygon(parts))
        rounded: dict[str, Any] = mapping(shapely.orient_polygons(whole))
        return {"type": rounded["type"], "coordinates": _rounded(rounded["coordinates"])}


def _rounded(coordinates: Any) -> Any:
    """Nested coordinates as lists with three decimals."""
    if isinstance(coordinates, float):
        return round(coordinates, 3)
    return [_rounded(inner) for inner in coordinates]


def _window(ends: list[tuple[float, float]], range_deg: float) -> tuple[float, float, float, float]:
    """The box that lies `range_deg` of arc around one or two positions: lat_min, lat_max, lon_min, lon_max."""
    lat, lon = [end[0] for end in ends], [end[1] for end in ends]
    lat_min, lat_max = max(-90.0, min(lat) - range_deg), min(90.0, max(lat) + range_deg)
    widest = math.cos(math.radians(min(89.0, max(abs(min(lat)), abs(max(lat))) + 0.5 * range_deg)))
    half = min(180.0, 0.5 * (max(lon) - min(lon)) + range_deg / widest)
    middle = 0.5 * (max(lon) + min(lon))
    return lat_min, lat_max, middle - half, middle + half


def _reached_ports(
    grid: SeaGrid,
    to_nmi: NDArray[np.float64],
    from_nmi: NDArray[np.float64] | None,
    t0_us: int,
    t1_us: int,
    speed_kn: float,
) -> list[ReachedPort]:
    """Ports that can be called at within the time, sorted by code."""
    found = []
    middle = 0.5 * (grid.lon[0] + grid.lon[-1])
    hours = (t1_us - t0_us) / _US_PER_H
    for port in ports():
        lat, lon, river_nmi = RIVER_PORTS.get(port.locode, (port.lat, port.lon, 0.0))
        lon = unroll(lon, middle)
        if not covers(grid.lat, grid.lon, lat, lon):
            continue
        r, c, metres = nearest_sea(grid.sea, grid.lat, grid.lon, lat, lon, PORT_SNAP_M)
        if r < 0:
            continue
        there = to_nmi[r, c] + metres / NMI_M + river_nmi
        back = math.nan if from_nmi is None else from_nmi[r, c] + metres / NMI_M + river_nmi
        whole = there if from_nmi is None else there + back
        slack_h = hours - whole / speed_kn
        if slack_h >= 0.0:
            earliest = t0_us + round(there / speed_kn * _US_PER_H)
            latest = t1_us if from_nmi is None else t1_us - round(back / speed_kn * _US_PER_H)
            distances = (float(whole), float(there), float(back))
            found.append(ReachedPort(*port[:5], *distances, earliest, latest, float(slack_h)))
    return found


def _resolution(box: tuple[float, float, float, float], range_deg: float, asked_deg: float | None) -> float:
    """The height of a cell: as asked, or by the size of the window; UsageError when that makes too many cells."""
    lat_min, lat_max, lon_min, lon_max = box
    square_deg = (lat_max - lat_min) * (lon_max - lon_min) * math.cos(math.radians(0.5 * (lat_min + lat_max)))
    finest_deg = math.sqrt(square_deg / _MOST_CELLS)
    if asked_deg is None:
        return max(finest_deg, min(DEFAULT_RESOLUTION_DEG, max(FINEST_RESOLUTION_DEG, range_deg / _CELLS_ACROSS)))
    if not FINEST_RESOLUTION_DEG <= asked_deg <= 1.0:
        raise UsageError(f"resolution_deg must be {FINEST_RESOLUTION_DEG} to 1 degrees, not {asked_deg}")
    if asked_deg < finest_deg:
        raise UsageError(
            f"resolution_deg {asked_deg} makes more than {_MOST_CELLS:,} cells here: take {finest_deg:.2f} or more, "
            "or a smaller within_deg"
        )
    return asked_deg


def _check(
    lat0: float, lon0: float, t0_us: int, lat1: float, lon1: float, t1_us: int, speed_kn: float, within_deg: float
) -> None:
    """UsageError for what cannot be meant."""
    if not (-90.0 <= lat0 <= 90.0 and math.isfinite(lon0)):
        raise UsageError(f"the ship must have been heard at a position on the globe, not at {lat0} {lon0}")
    if math.isnan(lat1) != math.isnan(lon1) or abs(lat1) > 90.0 or math.isinf(lon1):
        raise UsageError(
            f"the position at the end must be on the globe, or NaN NaN while the gap is open: {lat1} {lon1}"
        )
    if t1_us < t0_us:
        raise UsageError(f"the end of the silence, {t1_us} µs, is before its start, {t0_us} µs")
    if not 0.0 < speed_kn <= 100.0:
        raise UsageError(f"speed_kn must be over 0 and at most 100 knots, not {speed_kn}")
    if not 0.0 < within_deg <= 90.0:
        raise UsageError(f"within_deg must be over 0 and at most 90 degrees, not {within_deg}")


def reach(
    lat0: float,
    lon0: float,
    t0_us: int,
    lat1: float,
    lon1: float,
    t1_us: int,
    speed_kn: float,
    *,
    within_deg: float = 25.0,
    resolution_deg: float | None = None,
) -> Reach:
    """Where a ship could have been between two fixes (degrees, µs since 1970 UTC) at no more than `speed_kn`.

    While a gap is open `lat1` and `lon1` are NaN and `t1_us` is the end of the data. The search stays within
    `within_deg` of arc of the two fixes; `clipped` tells when that cuts the answer. Cells are 0.1 degrees high, finer
    (to 0.02) for a gap too short for that, or `resolution_deg` (0.02 to 1).

    Nothing is reachable when no sea is within 30 km of a fix (`parameters["start_snap_m"]` or `["end_snap_m"]` is then
    NaN) or when the way between them (`["direct_nmi"]`, infinite if not found in time) takes longer than the silence.

    Raises UsageError for a time that runs backwards and for parameters out of their range.

    >>> silent = reach(35.0, 129.1, 0, 35.3, 129.6, 4 * 86_400_000_000, 10.0)
    >>> chongjin = next(port for port in silent.ports if port.locode == "KPCHO")
    >>> round(chongjin.distance_nmi, -1), round(chongjin.slack_h)
    (800.0, 16)
    """
    _check(lat0, lon0, t0_us, lat1, lon1, t1_us, speed_kn, within_deg)
    lat0, lon0, lat1 = float(lat0), float(lon0), float(lat1)  # kernels are compiled for float64 alone
    ends = [(lat0, lon0)] if math.isnan(lat1) else [(lat0, lon0), (lat1, unroll(lon1, lon0))]
    hours = (t1_us - t0_us) / _US_PER_H
    grid = _grid(ends, hours * speed_kn, within_deg, resolution_deg)
    costs, snaps_m = zip(*[cost_from(grid, lat, lon, hours * speed_kn) for lat, lon in ends], strict=True)
    slack = hours - sum(costs) / speed_kn
    slack_h = np.where(slack >= 0.0, slack, np.nan).astype(np.float32)
    rim = np.concatenate([slack_h[0], slack_h[-1], slack_h[:, 0], slack_h[:, -1]])
    parameters = {
        "speed_kn": speed_kn,
        "hours": hours,
        "within_deg": within_deg,
        "resolution_deg": float(grid.lat[1] - grid.lat[0]),
        "open": len(ends) == 1,
        "direct_nmi": math.nan if len(ends) == 1 else _direct_nmi(ends, sum(costs)),
        "start_snap_m": snaps_m[0],
        "end_snap_m": math.nan if len(ends) == 1 else snaps_m[1],
    }
    found = _reached_ports(grid, costs[0], costs[1] if len(ends) == 2 else None, t0_us, t1_us, speed_kn)
    return Reach(grid.lat, grid.lon, slack_h, found, bool(np.isfinite(rim).any()), parameters)


def _grid(ends: list[tuple[float, float]], limit_nmi: float, within_deg: float, asked_deg: float | None) -> SeaGrid:
    """The sea around one or two fixes, as far as a ship could come within the limit, or as `within_deg` allows."""
    # an ellipse reaches beyond its foci by half of what the way is longer than their distance
    spare_nmi = limit_nmi if len(ends) == 1 else (limit_nmi - distance_m(*ends[0], *ends[1]) / NMI_M) / 2.0
    range_deg = min(within_deg, max(0.0, spare_nmi) / 60.0 + 0.5)
    box = _window(ends, range_deg)
    return sea_grid(*box, _resolution(box, range_deg, asked_deg))


def _direct_nmi(ends: list[tuple[float, float]], whole_nmi: NDArray[np.float64]) -> float:
    """The shortest way from end to end: straight where that stays on water, else over the grid."""
    if is_clear(shore_table(), *ends[0], *ends[1]):
        return float(distance_m(*ends[0], *ends[1]) / NMI_M)
    return float(np.min(whole_nmi))
