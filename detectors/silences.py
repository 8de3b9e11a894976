"""All silences together: how often ships go dark here, false discoveries, and silences with another explanation.

* How often: the stated frequency is corrected by the silences themselves (EM on the mean of the scores).
* False discoveries: Benjamini and Hochberg's q. Gaps are no sample of silences but the longest, so that their number
  is not the number of tests: how many honest gaps are to be expected follows from the messages (`honest_gaps`).
* A ship that takes another MMSI leaves the old one silent for ever: such a silence is labelled `mmsi_change`.
* Switching off at a berth is common and allowed, and a moored ship sends a tenth as often: a silence that begins at
  rest in a port, and ends before the ship is heard 50 km away, is labelled `moored`.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.counts import Counts, counted, with_counted
from detectors.coverage import DEAD_S
from detectors.detector import Known
from detectors.event import DARK, GAP, label_code
from detectors.silence import (
    EXCESS,
    EXPECTED,
    EXPOSURE_MS,
    HEARD,
    LONGEST_H,
    MOST_EVEN,
    PRIOR_KEPT,
    PRIOR_PHI,
    PRIOR_PROMISED,
    PRIOR_SQUARES,
    PROMISED,
    SOG,
    SQUARES,
    UNIT,
    P,
    Q,
)  # fmt: skip
from geo.kernel import kernel
from geo.ports import nearest_port
from geo.sphere import KN_M_S, distance_m

ODDS = 255
"""What `detectors.counts` counts beside `P`."""
PRIOR_DAYS = 100.0
"""Vessel-days that the stated frequency of dark periods weighs."""
ROUNDS = 30
"""Of EM; it moves by less than 1 % after ten."""
SUCCESSOR_US = 6 * 3_600_000_000
"""Another MMSI that appears later than this after a silence began is not held for the same ship: the shortest gap."""
LATE_US = 600_000_000
"""A station may hand a fix on so much later than it was sent; the last one of an MMSI then follows its change."""
SUCCESSOR_M, SUCCESSOR_KN = 1_000.0, 20.0
"""How far off the other may appear: this, and as far as a ship goes at this speed."""
METRES_A_DEGREE = 111_000.0
MOORED_KN, MOORED_M, LEFT_M = 0.5, 3_000.0, 50_000.0
"""A ship at rest so near to a port lies there; heard again nearer than the last of these it had just left."""


def odds_of(records: NDArray[Any]) -> NDArray[np.float64]:
    """How much more likely each silence is dark than honest, where a ship goes dark once a day; NaN unknown."""
    hours = (records["t_end"] - records["t_start"]) / 3.6e9
    expected, p = (records["facts"][:, k].astype(np.float64) for k in (EXPECTED, P))
    return np.asarray(np.minimum(LONGEST_H, hours / np.maximum(1.0, expected)) / p / 24.0)


def frequency(odds: Counts, per_day: float, vessel_days: float) -> float:
    """How often a ship goes dark a day, from `odds_of` the silences (EM), with the stated frequency as prior."""
    found = per_day
    for _ in range(ROUNDS):
        dark = float(np.nansum(odds.n * _share(found * odds.value)))
        found = (per_day * PRIOR_DAYS + dark) / (PRIOR_DAYS + vessel_days)
    return found


def _share(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability that goes with odds."""
    return np.asarray(odds / (1.0 + odds))


def honest_gaps(p: Counts, sums: NDArray[np.int64], min_gap_h: float) -> NDArray[np.float64]:
    """How many honest gaps at most as likely as each `p` the traffic itself lets expect.

    A silence follows each message, by chance one in `1 / p` of them lasts so long; but only those longer than the
    least gap are looked at, and where a ship is heard often hardly any is. So of each band of rates count the messages
    times `p`, and at most times the probability of the least gap there. There are at least `p` times the gaps, as the
    rule was first written: of a short recording little traffic is known.
    """
    rate = (np.arange(sums.shape[1]) + 0.5)[None, :, None]
    heard, promised = (sums[..., k] / UNIT for k in (HEARD, PROMISED))
    excess = sums[..., EXCESS] / UNIT + PRIOR_PHI * PRIOR_SQUARES
    phi = np.maximum(excess / (sums[..., SQUARES] / UNIT + PRIOR_SQUARES), -MOST_EVEN * DEAD_S / 3600.0 / min_gap_h)
    phi = np.where(np.abs(phi) < 1e-9, 1e-9, phi)
    kept = (heard + PRIOR_KEPT * PRIOR_PROMISED) / (promised + PRIOR_PROMISED)
    least = np.exp(-np.log1p(phi * np.minimum(rate * kept, 5.9) * min_gap_h) / phi)
    of_traffic = np.minimum(p.value[:, None], least.ravel()) @ heard.ravel()
    return np.asarray(np.fmax(of_traffic, p.value * p.n[~np.isnan(p.value)].sum()))


def q_values(p: Counts, expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Benjamini and Hochberg: the least share of false ones at which each is still among those found; NaN stays.

    `expected` is the number of false ones that chance brings down to each `p`: of `m` tests `m p`.

    >>> p = np.array([0.5, 0.001, np.nan])
    >>> q_values(Counts(p, np.array([1, 1, 1])), 10 * p).round(3).tolist()
    [1.0, 0.01, nan]
    """
    order = np.argsort(p.value, kind="stable")  # NaN last
    known = order[: np.count_nonzero(~np.isnan(p.value))]
    ratio = expected[known] / np.cumsum(p.n[known])
    q = np.full(p.value.size, np.nan)
    q[known] = np.minimum(1.0, np.minimum.accumulate(ratio[::-1])[::-1])
    return q


@kernel
def find_successors(open_rows, lat, lon, t_start, mmsi, own, begin, end, order, ships, found):
    """Note which of the silences `open_rows` has a successor among the ships from `begin` to `end` of `order`."""
    for k in open_rows:
        one, others, unknown, alike = own[k], 0, 0, False
        for at in range(begin[k], end[k] if one >= 0 else begin[k]):
            j = order[at]
            reach = SUCCESSOR_M + SUCCESSOR_KN * KN_M_S * (abs(ships.t_first[j] - t_start[k]) * 1e-6)
            if ships.mmsi[j] == mmsi[k] or abs(ships.lat[j] - lat[k]) * METRES_A_DEGREE > 2.0 * reach:
                continue
            if distance_m(lat[k], lon[k], ships.lat[j], ships.lon[j]) > reach:
                continue
            others += 1
            unknown += math.isnan(ships.length[j]) or math.isnan(ships.length[one])
            alike |= ships.imo[j] == ships.imo[one] and ships.imo[one] > 0
            alike |= ships.length[j] == ships.length[one] and ships.beam[j] == ships.beam[one]
        found[k] = alike or (others == 1 and unknown == 1)


class _Ships(NamedTuple):
    """Columns of the table of vessels, for the kernel."""

    mmsi: NDArray[np.uint32]
    t_first: NDArray[np.int64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    imo: NDArray[np.uint32]
    length: NDArray[np.float32]
    beam: NDArray[np.float32]


def has_successor(records: NDArray[Any], known: Known) -> NDArray[np.bool_]:
    """Whether another MMSI appeared where a ship fell silent for good: within 6 h, in reach, and of the same hull.

    The same IMO number says so, or the same length and beam; where neither is known of both, that it was the only
    newcomer.
    """
    found = np.zeros(records.size, np.bool_)
    table = known.vessels
    lat, lon = (table[name].astype(np.float64) for name in ("lat_first", "lon_first"))
    ships = _Ships(table["mmsi"], table["t_first"], lat, lon, *(table[name] for name in ("imo", "length_m", "beam_m")))
    names = table["mmsi"].astype(np.int64) << 8 | table["hull"]  # in their order
    asked = records["mmsi"].astype(np.int64) << 8 | records["hull"]
    own = np.searchsorted(names, asked)
    there = own < names.size
    there[there] = names[own[there]] == asked[there]
    order = np.argsort(ships.t_first, kind="stable")
    times, t_start = ships.t_first[order], np.ascontiguousarray(records["t_start"])
    begin, end = np.searchsorted(times, t_start - LATE_US), np.searchsorted(times, t_start + SUCCESSOR_US)
    place = (np.ascontiguousarray(records[name]) for name in ("lat", "lon"))
    mmsi, open_rows = np.ascontiguousarray(records["mmsi"]), np.flatnonzero(records["open"] > 0)
    find_successors(open_rows, *place, t_start, mmsi, np.where(there, own, -1), begin, end, order, ships, found)
    return found


def explained(records: NDArray[Any], known: Known) -> NDArray[Any]:
    """The records with a label where something else explains the silence: a change of MMSI, or a berth."""
    changed = has_successor(records, known)
    _, away = nearest_port(records["lat"], records["lon"], MOORED_M)
    stayed = ~(records["distance_m"] > LEFT_M)  # NaN while open
    moored = (records["facts"][:, SOG] < MOORED_KN) & (away <= MOORED_M) & stayed
    records["label"] = np.where(changed, label_code("mmsi_change"), np.where(moored, label_code("moored"), 0))
    return records


def remembered(kept: NDArray[Any], records: NDArray[Any]) -> NDArray[Any]:
    """What `settled` needs of silences after `explained` that are let go of, counted among those of before."""
    judged = records[records["label"] == 0]
    return counted(counted(kept, ODDS, odds_of(judged)), P, judged["facts"][:, P])


def settled(
    records: NDArray[Any], params: Any, sums: NDArray[np.int64], totals: NDArray[np.int64], kept: NDArray[Any]
) -> NDArray[Any]:
    """The records of a run with the score, q and kind that all of them together tell, after `explained`.

    `kept` says what is to be known of those that were let go of (`remembered`).
    """
    if not records.size:
        return records
    judged, odds = records["label"] == 0, odds_of(records)
    vessel_days = float(totals[:, EXPOSURE_MS].sum()) / 86.4e6
    score = _share(frequency(with_counted(kept, ODDS, odds[judged]), params.dark_per_day, vessel_days) * odds)
    p = with_counted(kept, P, records["facts"][judged, P])
    all_q = q_values(p, honest_gaps(p, sums, params.min_gap_s / 3600.0))
    q = np.full(records.size, np.nan)
    q[judged] = all_q[p.n.size - np.count_nonzero(judged) :]
    score = np.fmin(score, 1.0 - q)  # where more honest gaps are to be expected than found, each may be one
    records["score"], records["facts"][:, Q] = score, q
    dark = judged & (score >= params.min_score) & (q <= params.max_q)
    records["kind"] = np.where(dark, DARK, GAP)
    return records
