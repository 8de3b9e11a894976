"""What is known of each hull at the end: when it was heard, how fast it goes, and what it said of itself."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ais.identity import Identities
from ais.table import NAT, Table
from geo.kernel import kernel

SPEED_BINS = 40
"""Bins of 1 kn for the speeds of a hull; what is faster counts in the last (fast ferries reach 40 kn)."""
FULL = 65_535
"""A bin that holds so many is halved together with its neighbours: shares stay, and the record stays small."""

SUMMARY = np.dtype(
    [("t_first", "i8"), ("t_last", "i8"), ("lat_first", "f4"), ("lon_first", "f4"), ("lat_last", "f4"),
     ("lon_last", "f4"), ("mmsi", "u4"), ("n", "u4"), ("hull", "u1"), ("speeds", "u2", (SPEED_BINS,))],
    align=True,
)  # fmt: skip
"""128 bytes a hull; positions to 2 m."""
PLACES = ("lat_first", "lon_first", "lat_last", "lon_last")


class Vessels(Table):
    """One row per hull: first and last position, `sog_p95` in knots, lengths and draughts in metres, texts as last
    sent."""

    times: ClassVar[tuple[str, ...]] = ("t_first", "t_last")
    nulls = {"imo": 0, "ship_type": 0}  # noqa: RUF012 - as declared on Table


@kernel
def summarise(summaries, slot, t, mmsi, hull, lat, lon, sog):
    """Count rows in time order into the summaries of their hulls."""
    for i in range(t.size):
        s = summaries[slot[i]]
        if s.n == 0:
            s.t_first, s.mmsi, s.hull = t[i], mmsi[i], hull[i]
            s.lat_first, s.lon_first = lat[i], lon[i]
        s.t_last, s.lat_last, s.lon_last = t[i], lat[i], lon[i]
        s.n += 1
        if sog[i] > 0.5:  # at rest a ship shows nothing of its speed; NaN is not counted either
            k = int(min(SPEED_BINS - 1.0, sog[i]))
            if s.speeds[k] == FULL:
                for j in range(SPEED_BINS):
                    s.speeds[j] //= 2
            s.speeds[k] += 1


def _percentile(speeds: NDArray[np.uint16], share: float) -> NDArray[np.float32]:
    """Upper edge of the bin in which the given share of a hull's moving reports is reached; NaN without any."""
    total = speeds.sum(axis=1, dtype=np.int64)
    reached = np.cumsum(speeds, axis=1, dtype=np.int64) >= share * total[:, None]
    return np.where(total > 0, reached.argmax(axis=1) + 1.0, np.nan).astype(np.float32)


def vessels(summaries: NDArray[Any], identity: Identities) -> Vessels:
    """The table of hulls, ordered by MMSI and hull."""
    rows = summaries[summaries["n"] > 0]
    rows = rows[np.lexsort((rows["hull"], rows["mmsi"]))]
    n = rows.size
    columns: dict[str, NDArray[Any]] = {
        name: np.ascontiguousarray(rows[name]) for name in ("mmsi", "hull", "n", *PLACES)
    }
    columns["t_first"] = np.ascontiguousarray(rows["t_first"]) if n else np.full(0, NAT)
    columns["t_last"] = np.ascontiguousarray(rows["t_last"]) if n else np.full(0, NAT)
    columns["sog_p95"] = _percentile(rows["speeds"], 0.95) if n else np.zeros(0, np.float32)
    last = np.full(n, -1)
    draught_min, draught_max = np.full(n, np.nan, np.float32), np.full(n, np.nan, np.float32)
    if len(identity) and n:
        known = identity["mmsi"]
        end = np.searchsorted(known, rows["mmsi"], side="right")
        last = np.where(end > np.searchsorted(known, rows["mmsi"]), end - 1, -1)
        own = np.flatnonzero(np.append(True, known[1:] != known[:-1]))
        ship = np.searchsorted(own, last[last >= 0], side="right") - 1
        draught_min[last >= 0] = np.fmin.reduceat(identity["draught"], own)[ship]
        draught_max[last >= 0] = np.fmax.reduceat(identity["draught"], own)[ship]
    for name in ("name", "imo", "callsign", "ship_type"):
        source = identity[name]
        columns[name] = (
            np.where(last >= 0, source[last], np.zeros((), source.dtype)) if source.size else np.zeros(n, source.dtype)
        )
    for name, parts in (("length_m", ("to_bow", "to_stern")), ("beam_m", ("to_port", "to_starboard"))):
        total = sum(identity[part].astype(np.float32) for part in parts)
        metres = np.where(last >= 0, np.asarray(total)[last], 0.0) if len(identity) else np.zeros(n)
        columns[name] = np.where(metres > 0, metres, np.nan).astype(np.float32)
    columns["draught_min"], columns["draught_max"] = draught_min, draught_max
    return Vessels(columns)
