"""scikit-learn: the nearest port by a ball tree of great circles."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from peer_points import beside, points
from peer_run import main
from sklearn.neighbors import BallTree

EARTH_RADIUS_M = 6_371_008.8


@cache
def tree(path: Path) -> Any:
    """The tree of our ports."""
    lat, lon = np.load(path)
    return BallTree(np.radians(np.stack([lat, lon], axis=1)), metric="haversine")


def nearest(path: str) -> int:
    """The nearest port of each position; the answer counts those with one within 100 km."""
    lat, lon = points(path)
    distance, _ = tree(beside(path, "ports.npy")).query(np.radians(np.stack([lat, lon], axis=1)), k=1)
    return int(np.count_nonzero(distance[:, 0] * EARTH_RADIUS_M <= 100_000.0))


if __name__ == "__main__":
    main(sklearn.__version__, {"nearest": nearest}, lambda lines: [])
