"""Stations: what the receivers behind a source can have heard, where they are known.

A fix names the input that it came from, not the station; so whoever knows where the receivers of an input stand says so
in a file, and of every other input it stays unknown whether a position lies beyond the horizon. VHF reaches about
4.12 (sqrt(h1) + sqrt(h2)) km between antennas h1 and h2 metres high (an Earth of 4/3 the radius, ITU-R P.834), 75 km
from a mast of 150 m to a ship of 35; ducts carry it a few hundred nautical miles for days (ITU-R M.2123).
"""

from __future__ import annotations

import csv
import hashlib
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError
from geo.kernel import inner
from geo.sphere import NMI_M, distance_m

_COLUMNS = ("source", "lat", "lon")


def read_stations(path: str, horizon_nmi: float) -> tuple[NDArray[np.float64], str]:
    """Stations of a CSV file, (n, 4): number of the source, lat, lon, range in metres; and a digest of the file.

    Columns `source` (the number of the input, 0 for the first), `lat`, `lon` and `range_nmi`, empty for `horizon_nmi`.
    An empty path has none.

    Raises InputError with the line that cannot be used.

    >>> read_stations("", 200.0)[0].shape
    (0, 4)
    """
    if not path:
        return np.zeros((0, 4)), ""
    try:
        data = Path(path).read_bytes()
        rows = list(csv.DictReader(data.decode("utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: the stations cannot be read ({error})") from None
    if not rows or not set(_COLUMNS) <= set(rows[0]):
        raise InputError(f"{path}: stations need a header source,lat,lon,range_nmi and a row for each")
    found = []
    for line, row in enumerate(rows, 2):
        try:
            source, lat, lon = int(row["source"]), float(row["lat"]), float(row["lon"])
            reach_m = float(row.get("range_nmi") or horizon_nmi) * NMI_M
        except (TypeError, ValueError):
            raise InputError(f"{path}:{line}: not a station (numbers source, lat, lon, range_nmi): {row}") from None
        if not (source >= 0 and abs(lat) <= 90.0 and abs(lon) <= 180.0 and 0.0 < reach_m < math.inf):
            raise InputError(f"{path}:{line}: a source from 0, a position and a positive range are needed, not {row}")
        found.append((source, lat, lon, reach_m))
    return np.array(found, np.float64), hashlib.blake2b(data, digest_size=8).hexdigest()


@inner
def beyond_horizon_m(stations, source, lat, lon):
    """How far a position lies beyond every station of a source: (metres, reach of the one that is nearest so).

    The first is 0 within reach of one, and where none is known.
    """
    least, reach_m = np.inf, 0.0
    for k in range(stations.shape[0]):
        if stations[k, 0] == source:
            beyond_m = distance_m(stations[k, 1], stations[k, 2], lat, lon) - stations[k, 3]
            if beyond_m < least:
                least, reach_m = beyond_m, stations[k, 3]
    return (max(0.0, least) if least < np.inf else 0.0), reach_m
