"""MovingPandas: the stop detector, and the splitter at gaps of observation."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

warnings.simplefilter("ignore")

import movingpandas  # noqa: E402
import pandas  # noqa: E402
from peer_events import Event, main, vessels  # noqa: E402


def trajectories(rows: Any) -> Iterator[tuple[int, Any]]:
    """Each vessel as a trajectory in WGS84."""
    for mmsi, (t, lat, lon) in vessels(rows):
        frame = pandas.DataFrame({"id": mmsi, "t": pandas.to_datetime(t, unit="s"), "lat": lat, "lon": lon})
        yield mmsi, movingpandas.Trajectory(frame, mmsi, t="t", x="lon", y="lat", crs=4326)


def seconds(time: Any) -> float:
    """A naive UTC time in s since 1970."""
    return float(pandas.Timestamp(time).timestamp())


def stops(rows: Any, diameter_m: float) -> Iterator[Event]:
    """Stops of four hours or more within a diameter."""
    for mmsi, trajectory in trajectories(rows):
        detector = movingpandas.TrajectoryStopDetector(trajectory)
        for one in detector.get_stop_time_ranges(max_diameter=diameter_m, min_duration=timedelta(hours=4)):
            yield mmsi, seconds(one.t_0), seconds(one.t_n)


def gaps(rows: Any) -> Iterator[Event]:
    """What lies between the pieces of a trajectory that is split at gaps of six hours."""
    for mmsi, trajectory in trajectories(rows):
        pieces = list(movingpandas.ObservationGapSplitter(trajectory).split(gap=timedelta(hours=6)))
        for before, after in pairwise(pieces):
            yield mmsi, seconds(before.get_end_time()), seconds(after.get_start_time())


if __name__ == "__main__":
    ways = {
        "stops_1km": lambda rows: stops(rows, 1_000.0),
        "stops_5km": lambda rows: stops(rows, 5_000.0),
        "gaps": gaps,
    }
    main(movingpandas.__version__, ways)
