"""The expected time of arrival that a ship sends: month, day, hour and minute, but no year.

The year is the one that brings it nearest to when it was said. Month or day 0 is not available, and so is a 29 February
that is more than half a year off; with hour 24 the day alone is known, with minute 60 the hour (ITU-R M.1371-5, 3.3).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ais.table import NAT

DAY_US = 86_400_000_000
_FARTHEST_US = 184 * DAY_US


def eta_span(eta: ArrayLike, said_us: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first and the last moment that a packed ETA can mean (µs since 1970 UTC), `NAT` where it is not available.

    Parameters
    ----------
    eta : (n,) month << 16 | day << 11 | hour << 6 | minute, as static reports hold it; 0 not available
    said_us : (n,) when it was said

    >>> said = np.datetime64("2023-12-30T12:00", "us").astype(np.int64)
    >>> first, last = eta_span([1 << 16 | 2 << 11 | 6 << 6 | 30, 2 << 16 | 30 << 11], [said, said])
    >>> str(np.datetime64(int(first[0]), "us")), bool(first[0] == last[0]), bool(first[1] == NAT)
    ('2024-01-02T06:30:00.000000', True, True)
    """
    packed, said = np.asarray(eta, np.int64), np.asarray(said_us, np.int64)
    month, day, hour, minute = packed >> 16, packed >> 11 & 31, packed >> 6 & 31, packed & 63
    known = (month >= 1) & (month <= 12) & (day >= 1) & (said != NAT)
    said = np.where(known, said, 0)
    whole_day = hour > 23
    within_us = np.where(whole_day, 0, (hour * 60 + np.where(minute > 59, 0, minute)) * 60_000_000)
    best, least = np.full(packed.shape, NAT), np.full(packed.shape, _FARTHEST_US)
    year = said.astype("M8[us]").astype("M8[Y]").astype(np.int64)
    for turn in (-1, 0, 1):
        first_day: Any = ((year + turn) * 12 + np.clip(month, 1, 12) - 1).astype("M8[M]")
        date = first_day.astype("M8[D]") + np.maximum(day - 1, 0)
        t = date.astype("M8[us]").astype(np.int64) + within_us
        away = np.abs(t - said)
        better = known & (date.astype("M8[M]") == first_day) & (away < least)
        best, least = np.where(better, t, best), np.where(better, away, least)
    last = np.where((best != NAT) & whole_day, best + DAY_US - 1, best)
    return best, last


def hours_after(t_us: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.float64]:
    """Hours from a span of time to moments: 0 within it, negative before it, NaN where either is not available.

    >>> hours_after(np.array([DAY_US // 2, 2 * DAY_US]), np.array([0, 0]), np.array([DAY_US, DAY_US])).tolist()
    [0.0, 24.0]
    """
    known = (t_us != NAT) & (first != NAT)
    away = np.where(t_us > last, t_us - last, np.where(t_us < first, t_us - first, 0))
    return np.where(known, away / 3.6e9, np.nan)
