"""h3 in a Python loop, the way its own documentation shows; integers, which are faster than its strings."""

from __future__ import annotations

import h3
import h3.api.basic_int as h3_int
from peer_points import answer_of, points
from peer_run import Way, main


def cells_way(resolution: int) -> Way:
    """Positions to cells of a resolution."""

    def work(path: str) -> int:
        lat, lon = points(path)
        both = zip(lat.tolist(), lon.tolist(), strict=True)
        return answer_of([h3_int.latlng_to_cell(a, b, resolution) for a, b in both])

    return work


def text(path: str) -> int:
    """Positions to cells of resolution 7 as texts, the default of the library."""
    lat, lon = points(path)
    cells = [h3.latlng_to_cell(a, b, 7) for a, b in zip(lat.tolist(), lon.tolist(), strict=True)]
    return answer_of([int(cell, 16) for cell in cells])


kept: dict[str, list[int]] = {}


def disks(path: str) -> int:
    """The cells and their six neighbours."""
    if path not in kept:
        lat, lon = points(path)
        kept[path] = [h3_int.latlng_to_cell(a, b, 7) for a, b in zip(lat.tolist(), lon.tolist(), strict=True)]
    return answer_of([cell for one in kept[path] for cell in h3_int.grid_disk(one, 1)])


if __name__ == "__main__":
    ways = {"cells_7": cells_way(7), "cells_9": cells_way(9), "text_7": text, "disks": disks}
    main(h3.__version__, ways, lambda lines: [])
