"""Pairs of a silence and another stay in which both ships could have been together, and how often chance makes them."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.kernel import inner, kernel
from geo.sphere import EARTH_RADIUS_M, distance_m

HOUR_US = 3_600_000_000
BAND_DEG = 1.0
"""Height of the bands of latitude in which partners are sought."""


class Pairs(NamedTuple):
    """Candidates: rows of the silent ships and of the partners, when they could be together (µs), misfit in hours."""

    silent: NDArray[np.int64]
    partner: NDArray[np.int64]
    t_from: NDArray[np.int64]
    t_to: NDArray[np.int64]
    misfit_h: NDArray[np.float64]


class Stays(NamedTuple):
    """Silences, or drifting ships, as columns: where and when they begin and end, and how fast the ship is.

    A place that is not known, as the end of a silence that goes on, is NaN. A drifting ship stays where it begins.
    """

    lat0: NDArray[np.float64]
    lon0: NDArray[np.float64]
    lat1: NDArray[np.float64]
    lon1: NDArray[np.float64]
    t0: NDArray[np.int64]
    t1: NDArray[np.int64]
    m_us: NDArray[np.float64]
    ship: NDArray[np.int64]

    def rows(self, rows: Any) -> Stays:
        """Some of them."""
        return Stays._make(column[rows] for column in self)

    def moved(self, begin: int, length: int, steps: int) -> Stays:
        """All of them once for each of `steps` equal steps, by which their times go around the time of the input."""
        since = np.concatenate([(self.t0 - begin + length * k // (steps + 1)) % length for k in range(1, steps + 1)])
        copies = Stays._make(np.tile(column, steps) for column in self)
        return copies._replace(t0=begin + since, t1=begin + since + (copies.t1 - copies.t0))


@inner
def _least_us(lat, lon, to_lat, to_lon, m_us):
    """Least time from one place to the other, in µs; none where the other is not known."""
    return 0.0 if math.isnan(to_lat) else distance_m(lat, lon, to_lat, to_lon) / m_us


@kernel
def with_drifting(a, i, b, j):
    """When the silent ship `i` of `a` could have been with the drifting `j` of `b`: (from, to, misfit in hours)."""
    there = _least_us(a.lat0[i], a.lon0[i], b.lat0[j], b.lon0[j], a.m_us[i])
    back, straight = 0.0, there
    if not math.isnan(a.lat1[i]):
        back = _least_us(b.lat0[j], b.lon0[j], a.lat1[i], a.lon1[i], a.m_us[i])
        straight = _least_us(a.lat0[i], a.lon0[i], a.lat1[i], a.lon1[i], a.m_us[i])
    t_from = max(b.t0[j], a.t0[i] + np.int64(np.rint(there)))
    t_to = min(b.t1[j], a.t1[i] - np.int64(np.rint(back)))
    return t_from, t_to, max(0.0, there + back - straight) / HOUR_US


@kernel
def with_silent(a, i, b, j):
    """When two silent ships could have met: (from, to, misfit in hours).

    From when on their circles of reach, drawn from where they were last heard, touch, and until when those do that are
    drawn from where they were heard again.
    """
    fast = a.m_us[i] + b.m_us[j]
    first, last = max(a.t0[i], b.t0[j]), min(a.t1[i], b.t1[j])
    begin = _least_us(a.lat0[i], a.lon0[i], b.lat0[j], b.lon0[j], fast)
    grown = ((first - a.t0[i]) * a.m_us[i] + (first - b.t0[j]) * b.m_us[j]) / fast
    t_from, t_to, end = first + np.int64(np.rint(max(0.0, begin - grown))), last, 0.0
    if not (math.isnan(a.lat1[i]) or math.isnan(b.lat1[j])):
        end = _least_us(a.lat1[i], a.lon1[i], b.lat1[j], b.lon1[j], fast)
        left = ((a.t1[i] - last) * a.m_us[i] + (b.t1[j] - last) * b.m_us[j]) / fast
        t_to = last - np.int64(np.rint(max(0.0, end - left)))
    misfit_us = abs(a.t0[i] - b.t0[j]) + abs(a.t1[i] - b.t1[j]) + begin + end
    return t_from, t_to, misfit_us / HOUR_US


@inner
def _first_after(values, begin, end, limit):
    """The first place from `begin` to `end` whose value is `limit` or more; values do not fall."""
    while begin < end:
        middle = (begin + end) // 2
        if values[middle] < limit:
            begin = middle + 1
        else:
            end = middle
    return begin


@kernel
def latest_ends(t1, bands, out):
    """For each stay the latest end of those up to it in its band; `bands` are where the bands begin."""
    for band in range(bands.size - 1):
        for k in range(bands[band], bands[band + 1]):
            out[k] = t1[k] if k == bands[band] else max(out[k - 1], t1[k])


@kernel
def fill_pairs(a, b, bands, latest, both_silent, least_us, max_apart_m, out):
    """Pairs into `out`, as many as have room: how many there are.

    `b` stands in bands of latitude, in each in order of begin. Looked at are the bands within reach, and in each the
    stays that begin before a silence ends, from the first on that may last into it.
    """
    n, b_reach_m = 0, 0.0
    for j in range(b.t0.size if both_silent else 0):
        b_reach_m = max(b_reach_m, (b.t1[j] - b.t0[j]) * b.m_us[j])
    for i in range(a.t0.size):
        reach_m = min(max_apart_m, (a.t1[i] - a.t0[i]) * a.m_us[i] + b_reach_m)
        reach_deg = math.degrees(reach_m / EARTH_RADIUS_M) + 1e-6
        south = max(0, np.int64((a.lat0[i] - reach_deg + 90.0) / BAND_DEG))
        north = min(bands.size - 2, np.int64((a.lat0[i] + reach_deg + 90.0) / BAND_DEG))
        for band in range(south, north + 1):
            begin, end = bands[band], bands[band + 1]
            for j in range(_first_after(latest, begin, end, a.t0[i] + least_us), end):
                if b.t0[j] > a.t1[i] - least_us:
                    break
                common_us = min(b.t1[j], a.t1[i]) - max(b.t0[j], a.t0[i])
                if common_us < least_us or b.ship[j] == a.ship[i] or abs(b.lat0[j] - a.lat0[i]) > reach_deg:
                    continue
                if distance_m(a.lat0[i], a.lon0[i], b.lat0[j], b.lon0[j]) > max_apart_m:
                    continue
                t_from, t_to, misfit_h = with_silent(a, i, b, j) if both_silent else with_drifting(a, i, b, j)
                if t_to - t_from < least_us:
                    continue
                if n < out.silent.size:
                    out.silent[n], out.partner[n] = i, j
                    out.t_from[n], out.t_to[n], out.misfit_h[n] = t_from, t_to, misfit_h
                n += 1
    return n


def candidates(a: Stays, b: Stays, both_silent: bool, least_us: int, max_apart_m: float) -> Pairs:
    """Silences of `a` and stays of other ships in `b` in which both could have been together for `least_us`."""
    band = ((b.lat0 + 90.0) / BAND_DEG).astype(np.int64)
    order = np.lexsort((b.t0, band))
    bands = np.searchsorted(band[order], np.arange(int(180.0 / BAND_DEG) + 2))
    sorted_b = b.rows(order)
    latest = np.empty(order.size, np.int64)
    latest_ends(sorted_b.t1, bands, latest)
    found = _room_for(4 * a.t0.size)
    while (n := fill_pairs(a, sorted_b, bands, latest, both_silent, least_us, max_apart_m, found)) > found.silent.size:
        found = _room_for(n)
    found = Pairs._make(column[:n] for column in found)
    return found._replace(partner=order[found.partner])


def _room_for(n: int) -> Pairs:
    """Room for so many pairs."""
    silent, partner, t_from, t_to = (np.empty(n, np.int64) for _ in range(4))
    return Pairs(silent, partner, t_from, t_to, np.empty(n))


def chance_rates(found: Pairs, controls: Pairs, steps: int) -> NDArray[np.float64]:
    """How many partners at least as fitting a silent ship has in a control, on average, for each candidate.

    >>> rows = np.array([0, 1])
    >>> one, two = (Pairs(rows, rows, rows, rows, np.array(hours)) for hours in ([3.0, 9.0], [5.0, 8.0]))
    >>> chance_rates(one, two, 1)
    array([0.5, 1. ])
    """
    n = controls.silent.size
    silent, misfit_h = (np.concatenate([two, one]) for one, two in zip(found[::4], controls[::4], strict=True))
    is_found = np.arange(silent.size) >= n
    order = np.lexsort((is_found, misfit_h, silent))
    before = np.empty(silent.size, np.int64)
    before[order] = np.cumsum(~is_found[order])  # controls at least as fitting, and all of the ships before
    others = np.searchsorted(np.sort(controls.silent), found.silent)
    return np.asarray((before[n:] - others + 1.0) / (steps + 1.0), np.float64)
