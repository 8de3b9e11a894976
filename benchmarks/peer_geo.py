"""Luxwake's geography, each way a function of the points' file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import luxwake as lw
from benchmarks.geo_input import GAP_KN, HOUR_US
from benchmarks.peer_points import answer_of, beside, points
from benchmarks.peer_run import Way, main


def cells_way(resolution: int, threads: int = 1) -> Way:
    """Positions to cells of a resolution."""

    def work(path: str) -> int:
        from geo.cells import cells

        return answer_of(cells(*points(path), resolution, threads=threads))

    return work


def disks(path: str) -> int:
    """The cells and their six neighbours."""
    from geo.cells import cells, disks

    return answer_of(disks(_kept_cells(path, cells), 1))


@cache
def _kept_cells(path: str, cells: Any) -> Any:
    return cells(*points(path), 7)


def sea(path: str) -> int:
    """Is it sea."""
    from geo.coast import is_sea

    return int(np.count_nonzero(is_sea(*points(path))))


def shore(path: str) -> int:
    """Distance to shore; the answer is the mean in metres."""
    from geo.coast import shore_distance_m

    return int(np.nanmean(shore_distance_m(*points(path))))


def zones(path: str) -> int:
    """In which zones; the answer counts positions in at least one."""
    return int(np.count_nonzero(_zones(beside(path, "zones.geojson")).of(*points(path))))


@cache
def _zones(path: Path) -> Any:
    from geo.zones import read_zones

    return read_zones(path)


def ports(path: str) -> int:
    """The nearest port within 100 km; the answer counts positions that have one."""
    from geo.ports import nearest_port

    return int(np.count_nonzero(nearest_port(*points(path), 100_000.0)[0] >= 0))


def reach_way(first: int, count: int) -> Way:
    """What was reachable in some gaps; the answer counts ports."""

    def work(path: str) -> int:
        from geo.reach import reach

        found = 0
        rows = np.load(beside(path, "gaps.npy")).tolist()
        for lat0, lon0, lat1, lon1, hours in rows[first : first + (1 if Path(path).stem == "warm" else count)]:
            found += len(reach(lat0, lon0, 0, lat1, lon1, int(hours * HOUR_US), GAP_KN).ports)
        return found

    return work


WAYS: dict[str, Way] = {
    "cells_7": cells_way(7),
    "cells_9": cells_way(9),
    "cells_7_two_threads": cells_way(7, threads=2),
    "disks": disks,
    "sea": sea,
    "shore": shore,
    "zones": zones,
    "ports": ports,
    "reach_hour": reach_way(0, 1),
    "reach_18_days": reach_way(1, 1),
    "reach_60_days": reach_way(2, 1),
    "reach_many": reach_way(3, 1_000_000),
}

if __name__ == "__main__":
    main(lw.__version__, WAYS, lambda lines: [])
