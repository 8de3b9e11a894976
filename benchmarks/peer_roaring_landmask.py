"""roaring-landmask: sea by a bitmap, and by polygons (GSHHG) near the coast."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
import roaring_landmask
from peer_points import points
from peer_run import main


@cache
def mask() -> Any:
    """The mask; made once in a process."""
    return roaring_landmask.RoaringLandmask.new()


def sea(path: str) -> int:
    """Is it sea."""
    lat, lon = points(path)
    return int(lat.size - np.count_nonzero(mask().contains_many(lon, lat)))


if __name__ == "__main__":
    main(version("roaring-landmask"), {"sea": sea}, lambda lines: [])
