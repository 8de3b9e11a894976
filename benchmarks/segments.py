"""Our hulls beside the segments of gpsdio-segment: one definition of "the same partition", and what differs, by class.

The reference file holds the positions of 28 troublesome MMSIs; gpsdio-segment (Global Fishing Watch) gave a segment to
those that it keeps. It ends a segment after 24 h of silence and after any doubt, where a hull goes on: segments of one
hull that follow each other in time are no difference. So:

* each segment goes to the hull that holds most of its positions;
* of the segments that went to one hull those count that can follow each other: no two of them overlap in time, from
  the first position to the last, and they hold as many positions as possible;
* a kept position agrees when its segment counts and it is itself in that segment's hull.

Positions that we mark as a jump or as a wrong clock are in no hull and never agree. The agreement is the share of kept
positions that agree. A hull that mixes two simultaneous segments loses the smaller, a segment spread over hulls loses
all but its largest share. It is a lower bound of the best matching of segments to hulls.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.status import CLOCK_OFF, DUPLICATE, JUMP, OK
from ais.table import FIX_DTYPES
from ais.tracks import Tracks
from benchmarks.child import ROOT

TRACKS = ROOT.parent / "shared" / "data" / "tracks" / "gfw_segment_half_2021-01.parquet"
COLUMNS = ("t", "mmsi", "lat", "lon", "sog", "cog", "msg_type", "source", "offset")
STILL_KN = 0.35
"""Above it gpsdio-segment does not use a position without a course, and below it none without a speed."""


def load(path: Path = TRACKS) -> dict[str, NDArray[Any]]:
    """Columns of the positions of the file, in the order of the engine; `segment` is -1 where none is kept."""
    import duckdb

    rows = duckdb.sql(
        f"""select epoch_us("timestamp") as t, mmsi, lat, lon, sog, cog, msg_type,
        (receiver_type = 'satellite')::utinyint as source, file_row_number as "offset",
        coalesce(dense_rank() over (order by expected_seg_id nulls last) * (expected_seg_id is not null)::int, 0) - 1
        as segment from read_parquet('{path}', file_row_number = true)
        where abs(lat) <= 90 and abs(lon) <= 180 order by t, mmsi, source, "offset" """
    ).fetchnumpy()
    columns = {
        name: np.ascontiguousarray(np.ma.filled(np.ma.asarray(column, FIX_DTYPES.get(name)), np.nan))
        if name in ("sog", "cog", "lat", "lon")
        else np.ascontiguousarray(column, FIX_DTYPES.get(name, "i8"))
        for name, column in rows.items()
    }
    columns["sog"][columns["sog"] > 102.25] = np.nan
    columns["cog"][columns["cog"] >= 360.0] = np.nan
    return columns


def hulls(columns: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """The hull of each row, -1 for those in none, and its status."""
    _, hull, status = Tracks().follow({name: columns[name] for name in COLUMNS})
    return np.where((status == OK) | (status == DUPLICATE), hull.astype(np.int64), -1), status


def agrees(
    mmsi: NDArray[Any], t: NDArray[np.int64], segment: NDArray[Any], hull: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """For each kept position: is it in the same part of both partitions (see above)? Hull -1 is none.

    >>> one, t = np.ones(4, int), np.arange(4)
    >>> agrees(one, t, np.array([0, 0, 1, 1]), np.zeros(4, int)).tolist()
    [True, True, True, True]
    >>> agrees(one, t, np.array([0, 1, 0, 0]), np.zeros(4, int)).tolist()
    [True, False, True, True]
    >>> agrees(one, t, np.zeros(4, int), np.array([0, 0, 0, 1])).tolist()
    [True, True, True, False]
    """
    spans: dict[tuple[int, int], list[int]] = {}
    for who, at in zip(zip(mmsi.tolist(), segment.tolist(), strict=True), t.tolist(), strict=True):
        span = spans.setdefault(who, [at, at])
        span[:] = min(span[0], at), max(span[1], at)
    shares = Counter(zip(mmsi.tolist(), segment.tolist(), hull.tolist(), strict=True))
    home: dict[tuple[int, int], tuple[int, int]] = {}
    for (ship, part, where), n in sorted(shares.items()):
        if where >= 0 and n > home.get((ship, part), (0, 0))[0]:
            home[ship, part] = n, where
    held: dict[tuple[int, int], list[tuple[int, int, int, int]]] = {}
    for (ship, part), (n, where) in home.items():
        begin, end = spans[ship, part]
        held.setdefault((ship, where), []).append((end, begin, n, part))
    counted = {(ship, where, part) for (ship, where), parts in held.items() for part in _in_a_row(parts)}
    rows = zip(mmsi.tolist(), hull.tolist(), segment.tolist(), strict=True)
    return np.fromiter((row in counted for row in rows), np.bool_, mmsi.size)


def _in_a_row(parts: list[tuple[int, int, int, int]]) -> tuple[int, ...]:
    """Of (end, begin, n, name): the names of those that follow each other and have the greatest sum of n."""
    parts.sort()
    ends = [end for end, *_ in parts]
    best: list[tuple[int, tuple[int, ...]]] = [(0, ())]
    for k, (_, begin, n, name) in enumerate(parts):
        before = best[bisect_left(ends, begin, 0, k)]
        best.append(max(best[-1], (before[0] + n, (*before[1], name)), key=lambda choice: choice[0]))
    return best[-1][1]


def alone(columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Rows that the reference keeps as a segment of one position: it knows their ship no better than by the MMSI."""
    segment: NDArray[np.int64] = columns["segment"]
    single: NDArray[np.bool_] = (segment >= 0) & (np.bincount(segment + 1)[segment + 1] == 1)
    return single


def crowded(columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Rows of the MMSIs for which the reference sees two ships at once: two segments of some length that overlap."""
    long = (columns["segment"] >= 0) & ~alone(columns)
    mmsi, t, segment = (columns[name][long] for name in ("mmsi", "t", "segment"))
    apart = agrees(mmsi, t, segment, np.zeros(mmsi.size, np.int64))
    return np.isin(columns["mmsi"], mmsi[~apart])


def differences(columns: Mapping[str, NDArray[Any]]) -> tuple[float, dict[str, int]]:
    """The agreement, and the kept positions that do not agree, by the first class that they fall in."""
    kept = columns["segment"] >= 0
    rows = {name: column[kept] for name, column in columns.items()}
    hull, status = hulls(columns)
    good, status = agrees(rows["mmsi"], rows["t"], rows["segment"], hull[kept]), status[kept]
    blind = np.isnan(rows["sog"]) | (np.isnan(rows["cog"]) & (rows["sog"] > STILL_KN))
    single, coarse = alone(columns)[kept], rows["msg_type"] == 27
    busiest = crowded(columns)[kept]
    classes = {
        "type 27, a segment of its own in the reference": single & coarse,
        "without speed or course, a segment of its own in the reference": single & blind,
        "other segments of one position": single,
        "the first two positions of a ship, not yet confirmed": status == JUMP,
        "clock off": status == CLOCK_OFF,
        "ships of a shared MMSI parted in other ways": busiest,
        "other": np.ones(good.size, np.bool_),
    }
    counts, left = {}, ~good
    for name, rows_of in classes.items():
        counts[name] = int(np.count_nonzero(left & rows_of))
        left = left & ~rows_of
    return float(good.mean()), counts
