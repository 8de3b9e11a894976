"""scikit-mobility: stay locations."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

warnings.simplefilter("ignore")

import pandas  # noqa: E402
import skmob  # noqa: E402
from peer_events import Event, main, vessels  # noqa: E402
from skmob.preprocessing import detection  # noqa: E402


def stays(rows: Any, radius_km: float) -> Iterator[Event]:
    """Stays of four hours or more within a radius of their first point; all else as it comes."""
    for mmsi, (t, lat, lon) in vessels(rows):
        frame = pandas.DataFrame({"lat": lat, "lng": lon, "datetime": pandas.to_datetime(t, unit="s")})
        track = skmob.TrajDataFrame(frame, latitude="lat", longitude="lng", datetime="datetime")
        found = detection.stay_locations(
            track, stop_radius_factor=1.0, minutes_for_a_stop=240.0, spatial_radius_km=radius_km
        )
        for begin, end in zip(found.get("datetime", ()), found.get("leaving_datetime", ()), strict=True):
            yield mmsi, begin.timestamp(), end.timestamp()


if __name__ == "__main__":
    ways = {"stays_500m": lambda rows: stays(rows, 0.5), "stays_2500m": lambda rows: stays(rows, 2.5)}
    main(version("scikit-mobility"), ways)
