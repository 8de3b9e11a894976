"""global-land-mask: sea by a regular grid of 1/120 degree (GLOBE)."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
from global_land_mask import globe
from peer_points import points
from peer_run import main


def sea(path: str) -> int:
    """Is it sea."""
    return int(np.count_nonzero(globe.is_ocean(*points(path))))


if __name__ == "__main__":
    main(version("global-land-mask"), {"sea": sea}, lambda lines: [])
