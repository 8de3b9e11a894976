"""geopandas: zones by a spatial join."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import geopandas
from peer_points import beside, points
from peer_run import main


@cache
def zones(path: Path) -> Any:
    """The zones as a table."""
    return geopandas.read_file(path)


def join(path: str) -> int:
    """`sjoin` of the positions, the making of their table included; the answer counts those in at least one zone."""
    lat, lon = points(path)
    table = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(lon, lat), crs="EPSG:4326")
    return int(geopandas.sjoin(table, zones(beside(path, "zones.geojson")), predicate="intersects").index.nunique())


if __name__ == "__main__":
    main(geopandas.__version__, {"join": join}, lambda lines: [])
