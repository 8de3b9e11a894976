"""One hull that changes its MMSI: the track of one number ends where and when that of another begins.

How likely the two are one ship is weighed against chance: the expected number of other ships that would have fitted as
well. New numbers appear everywhere (ships sail in from where nobody hears them), in a busy port every hour. So for an
end and a beginning `d` apart in space and `tau` in time, with R = max(d, 5 km),

    chance = (k + (m + 1) (R / 200 km)^2) max(tau, 1 h) / T  x  share of ships of these dimensions

where k and m are the other numbers first heard within R and 200 km of the end at any time of the feed, T its length.
The likelihood ratio is 1 / chance, times 0.1 / (share of ships of other types) where the ship types differ, times 0.5
where two valid IMO numbers differ, and 1,000 where they are the same. Dimensions that differ rule the pair out. `score`
is what that makes of prior odds of 1 : 19. The factors 0.1, 0.5 and 1,000 and the odds are assumptions, not measured:
nobody publishes how often ships take another MMSI. After the identity rules of Global Fishing Watch (no overlap in
time) and C4ADS' "Unmasked" (2021, hulls with new numbers), in numbers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.imo import imos_valid
from ais.table import Table
from detectors.identity_changes import group_of
from geo.kernel import inner, kernel
from geo.sphere import KN_M_S, distance_m

NEAR_M, WIDE_M = 5_000.0, 200_000.0
"""Beginnings nearer than a port is wide are as good as each other; chance is counted to where the sea is another."""
LEAST_US = 3_600_000_000
SLACK_M = 2_000.0
"""Half of a harbour: positions of the two ends are of antennas on a ship that may have moved before it was silent."""
OTHER_TYPE, OTHER_IMO, SAME_IMO = 0.1, 0.5, 1000.0
PRIOR = 1.0 / 19.0
METRES_A_DEGREE = 111_000.0

LIFE = np.dtype(
    [("t_first", "i8"), ("t_last", "i8"), ("lat_first", "f4"), ("lon_first", "f4"), ("lat_last", "f4"),
     ("lon_last", "f4"), ("length", "f4"), ("beam", "f4"), ("mmsi", "u4"), ("imo", "u4"), ("n", "i8"),
     ("ship_type", "u1")],
    align=True,
)  # fmt: skip
"""One MMSI from its first fix to its last; lengths NaN, type and number 0 where not known."""
PAIR = np.dtype(
    [("old", "i8"), ("new", "i8"), ("distance_m", "f4"), ("chance", "f4"), ("ratio", "f4"), ("score", "f4")], align=True
)
"""Two rows of lives that may be one ship."""


class HandoverLimits(NamedTuple):
    """Thresholds for the kernel; times in µs."""

    quiet_us: int
    max_gap_us: int
    max_distance_m: float
    max_speed_kn: float
    tolerance_m: float
    min_fixes: int
    min_score: float


def lives(vessels: Table) -> NDArray[Any]:
    """One record of `LIFE` for each MMSI, in their order: all its hulls together."""
    mmsi = vessels["mmsi"]
    first = np.flatnonzero(np.append(True, mmsi[1:] != mmsi[:-1])) if mmsi.size else np.zeros(0, np.int64)
    found = np.zeros(first.size, LIFE).view(np.recarray)
    if not first.size:
        return found
    of = np.searchsorted(first, np.arange(mmsi.size), side="right") - 1
    begins = np.lexsort((vessels["hull"], vessels["t_first"], of))[first]
    order = np.lexsort((vessels["hull"], vessels["t_last"], of))
    ends = order[np.append(first[1:], mmsi.size) - 1]
    for name in ("t_first", "lat_first", "lon_first"):
        found[name] = vessels[name][begins]
    for name in ("t_last", "lat_last", "lon_last"):
        found[name] = vessels[name][ends]
    found["mmsi"], found["n"] = mmsi[first], np.add.reduceat(vessels["n"].astype(np.int64), first)
    found["length"], found["beam"] = vessels["length_m"][first], vessels["beam_m"][first]
    imo = vessels["imo"][first]
    found["imo"], found["ship_type"] = np.where(imos_valid(imo), imo, 0), vessels["ship_type"][first]
    return found


@inner
def same_size(a, b, tolerance_m):
    """Do the dimensions agree? 1 yes, 0 one is not known, -1 no."""
    if not (a.length == a.length and a.beam == a.beam and b.length == b.length and b.beam == b.beam):
        return 0
    return 1 if abs(a.length - b.length) <= tolerance_m and abs(a.beam - b.beam) <= tolerance_m else -1


@inner
def chance_of(ships, starts, old, new, tau_us, distance, span_us, limits):
    """Expected number of other ships that would have fitted as well, and the share of ships of another type."""
    a, radius = ships[old], max(distance, NEAR_M)
    near, wide = 0, 1
    for k in range(starts.size):
        if starts[k] in (old, new):
            continue
        b = ships[starts[k]]
        if abs(b.lat_first - a.lat_last) * METRES_A_DEGREE > WIDE_M:
            continue
        d = distance_m(a.lat_last, a.lon_last, b.lat_first, b.lon_first)
        wide += d <= WIDE_M
        near += d <= radius
    fitting, sized, other, typed = 1, 1, 1, 1
    for k in range(ships.size):
        if k in (old, new):
            continue
        size = same_size(a, ships[k], limits.tolerance_m)
        sized += size != 0
        fitting += size == 1
        if ships[k].ship_type > 0 and a.ship_type > 0:
            typed += 1
            other += group_of(ships[k].ship_type) != group_of(a.ship_type)
    share = fitting / sized if same_size(a, ships[new], limits.tolerance_m) == 1 else 1.0
    count = near + wide * (radius / WIDE_M) ** 2
    return count * max(tau_us, LEAST_US) / span_us * share, other / typed


@kernel
def find_pairs(ships, starts, t_start, ends, span_us, limits, pairs):
    """Ends with the beginnings that they may go on as, one record of `PAIR` each; how many.

    `starts` are rows of ships that began after the feed did, by time (`t_start`), `ends` those that ended before it.
    """
    n = 0
    for e in range(ends.size):
        a = ships[ends[e]]
        k = np.searchsorted(t_start, a.t_last)
        while k < starts.size and t_start[k] - a.t_last <= limits.max_gap_us and n < pairs.size:
            b, tau, row = ships[starts[k]], t_start[k] - a.t_last, starts[k]
            k += 1
            same_imo = a.imo != 0 and a.imo == b.imo
            away = abs(b.lat_first - a.lat_last) * METRES_A_DEGREE
            if row == ends[e] or (away > limits.max_distance_m and not same_imo):
                continue
            d = distance_m(a.lat_last, a.lon_last, b.lat_first, b.lon_first)
            if d - SLACK_M > limits.max_speed_kn * KN_M_S * tau * 1e-6 or (d > limits.max_distance_m and not same_imo):
                continue
            if same_size(a, b, limits.tolerance_m) < 0:
                continue
            chance, other_types = chance_of(ships, starts, ends[e], row, tau, d, span_us, limits)
            ratio = 1.0 / chance
            if a.ship_type > 0 and b.ship_type > 0 and group_of(a.ship_type) != group_of(b.ship_type):
                ratio *= OTHER_TYPE / other_types
            if same_imo:
                ratio *= SAME_IMO
            elif a.imo != 0 and b.imo != 0:
                ratio *= OTHER_IMO
            score = PRIOR * ratio / (1.0 + PRIOR * ratio)
            if score >= limits.min_score:
                pair = pairs[n]
                pair.old, pair.new, pair.distance_m = ends[e], row, d
                pair.chance, pair.ratio, pair.score = chance, ratio, score
                n += 1
    return n


def handovers(ships: NDArray[Any], limits: HandoverLimits) -> NDArray[Any]:
    """Pairs of lives that are likely one ship, as records of `PAIR`: each number in at most one on either side."""
    heard = np.flatnonzero(ships["n"] >= limits.min_fixes)
    begin = int(ships["t_first"][heard].min()) if heard.size else 0
    end = int(ships["t_last"][heard].max()) if heard.size else 0
    starts = heard[ships["t_first"][heard] - begin > limits.quiet_us]
    starts = starts[np.lexsort((ships["mmsi"][starts], ships["t_first"][starts]))]
    ends = heard[end - ships["t_last"][heard] > limits.quiet_us]
    pairs = np.zeros(1024, PAIR).view(np.recarray)
    span = float(max(end - begin - limits.quiet_us, LEAST_US))
    t_start = np.ascontiguousarray(ships["t_first"][starts])
    while (n := find_pairs(ships, starts, t_start, ends, span, limits, pairs)) == pairs.size:
        pairs = np.zeros(4 * pairs.size, PAIR).view(np.recarray)
    found = pairs[:n].view(np.ndarray)
    found = found[np.lexsort((ships["mmsi"][found["new"]], ships["mmsi"][found["old"]], -found["score"]))]
    kept, gone, come = [], set(), set()
    for row, (old, new) in enumerate(zip(found["old"].tolist(), found["new"].tolist(), strict=True)):
        if old not in gone and new not in come:
            gone.add(old)
            come.add(new)
            kept.append(row)
    return found[kept]
