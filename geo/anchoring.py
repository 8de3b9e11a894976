"""Finds anchorages: clusters of cells near which many different ships lay still.

The cells in which ships lay are clustered by DBSCAN of scikit-learn on the great-circle distance of their centres. A
cell is a core when `near_ships` different ships lay within `link_m` of it: the number of ships counts and not that of
periods, so a ship that lies at one place for a year makes no anchorage (Ester et al. 1996, with the weight of a
neighbourhood after Sander et al. 1998, GDBSCAN). Cells that are no core belong to the nearest core within `link_m`,
whatever their order. A cluster with fewer than `min_ships` different ships is left out. An anchorage is all cells that
are about `link_m` from one where a ship lay (five rings, 1.6 km): whoever lies there lies beside it.

DBSCAN and not HDBSCAN, by trial on worlds of 60 scripted places from 0.6 to 6 km wide, 1,500 stops of lone ships and 30
ships that lie for a year (two seeds): DBSCAN finds 59 and 58 places, none of them false, none merged; scikit-learn's
HDBSCAN, which knows no weights, finds 39 and 35 in pieces and makes 29 anchorages of lone ships.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.anchorages import ANCHORAGE_RESOLUTION, Anchorage, Anchorages
from geo.cells import cells
from geo.coast import shore_distance_m
from geo.errors import UsageError
from geo.ports import nearest_port, ports
from geo.sphere import EARTH_RADIUS_M, NMI_M, bearing_deg

PERIOD_COLUMNS = {
    "mmsi": np.uint32, "t_start": np.int64, "t_end": np.int64, "stay_us": np.int64, "lat": np.float64,
    "lon": np.float64, "swing_m": np.float32,
}  # fmt: skip
"""What is needed of stationary periods, as `detectors.stationary` gives them."""
_STEP_M = 360.0
"""From a cell of resolution 9 to the next: at most 354 m."""
OFFSHORE_M = 12.0 * NMI_M
"""Beyond the territorial sea (UNCLOS, article 3)."""
BERTH_SHORE_M = 2_000.0
"""500 m, and 1.2 km by which the shore table may be wrong (95 % of positions near the shore)."""
MOORED_SWING_M, ANCHORED_SWING_M = 50.0, 75.0
"""In simulated worlds ships at a berth move by under 31 m (noise of positions), ships at anchor by over 125 m."""
_KIND_WORDS = {"berth": "berth", "anchorage": "anchorage", "offshore": "anchorage", "unknown": "place"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorageParams:
    """What makes an anchorage."""

    min_ships: int = 10
    """GFW: 20 in a cell of 0.5 km over years of the world's traffic; half for days and weeks of one sea."""
    near_ships: int = 3
    """Two ships side by side are a meeting; 2 to 5 find the same anchorages by trial."""
    link_m: float = NMI_M
    """Ships at anchor keep half a mile to a mile from each other; by trial 1.2 km cuts sparse anchorages in pieces."""
    max_port_m: float = 50_000.0
    """A port farther away names no anchorage: that lies in the "open sea off" it."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not 1 <= self.near_ships <= self.min_ships:
            raise UsageError(
                f"anchorages: 1 <= near_ships <= min_ships must hold, not {self.near_ships}, {self.min_ships}"
            )
        if not (100.0 <= self.link_m <= 20_000.0 and self.max_port_m >= 0.0):
            raise UsageError(
                f"anchorages: link_m must be 100 to 20,000 m and max_port_m not negative, "
                f"not {self.link_m}, {self.max_port_m}"
            )


def discover(
    periods: Mapping[str, NDArray[Any]],
    params: AnchorageParams | None = None,
    *,
    made_with: Mapping[str, Any] | None = None,
) -> Anchorages:
    """Find the anchorages in stationary periods; the same periods in any order, and repeated, give the same.

    Parameters
    ----------
    periods : mapping of (n,) arrays
        `PERIOD_COLUMNS`: who, from when to when in µs since 1970 UTC, how long of that it was heard (µs), the mean
        position (degrees) and how far the ship moved around it (m; NaN unknown).
    params : AnchorageParams
    made_with : the thresholds by which the periods were found; kept in `Anchorages.params`

    Raises UsageError for a column that is missing or of another length.

    >>> n = 12
    >>> day = 86_400_000_000
    >>> found = discover({
    ...     "mmsi": 671999100 + np.arange(n), "t_start": np.arange(n) * day, "t_end": np.arange(n) * day + day,
    ...     "stay_us": np.full(n, day), "lat": 35.02 + np.arange(n) * 0.002, "lon": np.full(n, 129.06),
    ...     "swing_m": np.full(n, 150.0),
    ... })
    >>> [(place.name, place.ships, place.median_stay_h) for place in found]
    [('Busan anchorage 1', 12, 24.0)]
    """
    p = params or AnchorageParams()
    rows = _distinct(periods)
    used, cell_of = np.unique(cells(rows["lat"], rows["lon"], ANCHORAGE_RESOLUTION), return_inverse=True)
    label = _clusters(used, cell_of, rows["mmsi"], p)
    groups = [np.flatnonzero(label[cell_of] == k) for k in range(int(label.max(initial=-1)) + 1)]
    ships = [np.unique(rows["mmsi"][group]).size for group in groups]
    kept = sorted(
        (k for k, n in enumerate(ships) if n >= p.min_ships), key=lambda k: (-ships[k], int(used[label == k][0]))
    )
    areas = _areas([used[label == k].tolist() for k in kept], int(p.link_m / _STEP_M))
    made = [
        _describe({name: column[groups[k]] for name, column in rows.items()}, ships[k], area)
        for k, area in zip(kept, areas, strict=True)
    ]
    return Anchorages(_named(made, p.max_port_m), {"anchorages": asdict(p), "periods": dict(made_with or {})})


def _distinct(periods: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The columns of all different periods with a position, in an order that depends on nothing but them."""
    missing = [name for name in PERIOD_COLUMNS if name not in periods]
    if missing:
        raise UsageError(f"periods have no column {missing[0]!r}; give {', '.join(PERIOD_COLUMNS)}")
    rows = {name: np.ascontiguousarray(periods[name], dtype) for name, dtype in PERIOD_COLUMNS.items()}
    if len({column.shape for column in rows.values()}) > 1:
        raise UsageError("columns of periods must have one length")
    known = cells(rows["lat"], rows["lon"], ANCHORAGE_RESOLUTION) != 0
    rows = {name: column[known] for name, column in rows.items()}
    order = np.lexsort([rows[name] for name in ("mmsi", "swing_m", "lon", "lat", "stay_us", "t_end", "t_start")])
    rows = {name: column[order] for name, column in rows.items()}
    new = np.zeros(order.size, np.bool_)
    new[:1] = True
    for column in rows.values():
        new[1:] |= column[1:] != column[:-1]
    return {name: column[new] for name, column in rows.items()}


def _clusters(
    used: NDArray[np.uint64], cell_of: NDArray[np.int64], mmsi: NDArray[np.uint32], p: AnchorageParams
) -> NDArray[np.int64]:
    """The cluster of each cell (ascending), -1 none; `cell_of` and `mmsi` run along the periods."""
    label = np.full(used.size, -1)
    if used.size == 0:
        return label
    import h3.api.basic_int as h3
    from scipy.sparse import csr_matrix
    from sklearn.cluster import DBSCAN
    from sklearn.neighbors import NearestNeighbors

    centres = np.radians([h3.cell_to_latlng(cell) for cell in used.tolist()])
    arc = p.link_m / EARTH_RADIUS_M
    near = NearestNeighbors(radius=arc, metric="haversine", algorithm="ball_tree").fit(centres)
    _, ship = np.unique(mmsi, return_inverse=True)
    lay = csr_matrix((np.ones(ship.size, np.int32), (cell_of, ship)))
    core = (near.radius_neighbors_graph(centres).astype(np.int32) @ lay).getnnz(axis=1) >= p.near_ships
    if core.any():
        # every cell that is left is a core: what DBSCAN then finds does not depend on their order
        label[core] = DBSCAN(eps=arc, min_samples=1, metric="haversine", algorithm="ball_tree").fit_predict(
            centres[core]
        )
    if core.any() and not core.all():
        cores = NearestNeighbors(n_neighbors=1, metric="haversine", algorithm="ball_tree").fit(centres[core])
        distance, row = cores.kneighbors(centres[~core])
        label[~core] = np.where(distance[:, 0] <= arc, label[core][row[:, 0]], -1)
    return label


def _areas(clusters: Sequence[Sequence[int]], rings: int) -> list[tuple[int, ...]]:
    """The cells of each anchorage: those where ships lay and so many rings around; between two, of the nearer one."""
    import h3.api.basic_int as h3

    owner: dict[int, int] = {}
    edges = [list(cluster) for cluster in clusters]
    for ring in range(rings + 1):
        for k, edge in enumerate(edges):
            if ring:
                edge = sorted({near for cell in edge for near in h3.grid_disk(cell, 1)})
            edges[k] = [cell for cell in edge if owner.setdefault(cell, k) == k]
    areas: list[list[int]] = [[] for _ in clusters]
    for cell, k in owner.items():
        areas[k].append(cell)
    return [tuple(sorted(area)) for area in areas]


def _describe(rows: Mapping[str, NDArray[Any]], ships: int, area: tuple[int, ...]) -> Anchorage:
    """All of an anchorage but its name."""
    lat, lon = _mean_position(rows["lat"], rows["lon"], rows["stay_us"])
    shore_m = float(shore_distance_m([lat], [lon])[0])
    row, port_m = nearest_port([lat], [lon], math.pi * EARTH_RADIUS_M)
    port = ports()[row[0]]
    known = rows["swing_m"][np.isfinite(rows["swing_m"])]
    swing_m = round(float(np.median(known)), 1) if known.size else math.nan
    return Anchorage(
        id=hashlib.blake2b(np.array(area, "<u8").tobytes(), digest_size=8).hexdigest(),
        name="",
        kind=_kind(shore_m, swing_m),
        lat=lat,
        lon=lon,
        ships=ships,
        periods=rows["mmsi"].size,
        median_stay_h=round(float(np.median(rows["stay_us"])) / 3.6e9, 2),
        swing_m=swing_m,
        first_seen=int(rows["t_start"].min()),
        last_seen=int(rows["t_end"].max()),
        shore_m=round(shore_m, 0),
        port=port.locode,
        port_m=round(float(port_m[0]), 0),
        bearing_deg=round(float(bearing_deg(port.lat, port.lon, lat, lon)), 1),
        cells=area,
    )


def _mean_position(
    lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64], weight: NDArray[np.int64]
) -> tuple[float, float]:
    """Weighted mean of positions near each other, by unit vectors: right across 180 degrees; plain without weights."""
    weight = weight if weight.any() else np.ones_like(weight)
    lat, lon = np.radians(lat_deg), np.radians(lon_deg)
    x, y, z = (
        float(np.sum(weight * axis)) for axis in (np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat))
    )
    return round(math.degrees(math.atan2(z, math.hypot(x, y))), 7), round(math.degrees(math.atan2(y, x)), 7)


def _kind(shore_m: float, swing_m: float) -> str:
    """What kind of place: by the shore, and by whether the ships swing; "unknown" where neither tells."""
    if shore_m >= OFFSHORE_M:
        return "offshore"
    if swing_m >= ANCHORED_SWING_M:
        return "anchorage"
    return "berth" if swing_m <= MOORED_SWING_M and shore_m <= BERTH_SHORE_M else "unknown"


def _named(places: Sequence[Anchorage], max_port_m: float) -> list[Anchorage]:
    """The same anchorages with names: the nearest port, the kind, and a number, the one with most ships first."""
    from dataclasses import replace

    by_code = {port.locode: port for port in ports()}
    numbers: Counter[str] = Counter()
    named = []
    for place in places:
        near = by_code[place.port].name
        word = _KIND_WORDS[place.kind]
        stem = f"{near} {word}" if place.port_m <= max_port_m else f"open sea off {near}"
        numbers[stem] += 1
        named.append(replace(place, name=f"{stem} {numbers[stem]}"))
    return named
