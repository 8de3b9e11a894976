"""h3ronpy: H3 in Rust, on Arrow arrays."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
from h3ronpy.vector import coordinates_to_cells
from peer_points import answer_of, points
from peer_run import Way, main


def cells_way(resolution: int) -> Way:
    """Positions to cells of a resolution."""

    def work(path: str) -> int:
        lat, lon = points(path)
        return answer_of(np.asarray(coordinates_to_cells(lat, lon, resolution)))

    return work


if __name__ == "__main__":
    main(version("h3ronpy"), {"cells_7": cells_way(7), "cells_9": cells_way(9)}, lambda lines: [])
