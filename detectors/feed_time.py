"""How far the time of a feed has come: what the newest rows say, unless a clock is wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ais.table import NAT

MAX_STEP_US = 86_400_000_000
"""A day: no feed is quiet for longer while its clock is right, but a clock that is wrong is wrong by more."""
CONFIRMING_SHIPS, CONFIRMING_ROWS = 3, 100


def newest_time(newest: int, t: NDArray[np.int64], mmsi: NDArray[np.uint32]) -> int:
    """How far the time of the feed has come, in µs: a clock that is wrong must not carry it away.

    A step of more than a day counts only when three ships, or a hundred rows, are beyond it; until then those rows
    wait. `newest` is what was known before, NAT for nothing; `t` and `mmsi` are the rows that wait, the new ones among
    them. The result depends on the set of rows and not on their order.

    >>> hour = 3_600_000_000
    >>> newest_time(0, np.array([1, 2, 30_000]) * hour, np.array([1, 2, 3], np.uint32)) // hour
    2
    """
    if newest != NAT and (t.size == 0 or t.max() - newest <= MAX_STEP_US):
        return max(newest, int(t.max())) if t.size else newest
    ahead = np.flatnonzero(t > newest)
    order = ahead[np.argsort(t[ahead], kind="stable")]
    t, mmsi, begin = t[order], mmsi[order], 0
    while begin < t.size:
        if newest == NAT or t[begin] - newest > MAX_STEP_US:
            beyond = mmsi[begin:]
            if beyond.size < CONFIRMING_ROWS and np.unique(beyond).size < CONFIRMING_SHIPS:
                break
        breaks = np.flatnonzero(np.diff(t[begin:]) > MAX_STEP_US)
        end = begin + (int(breaks[0]) + 1 if breaks.size else t.size - begin)
        newest, begin = int(t[end - 1]), end
    return newest


class FeedTime:
    """How far the time of a feed has come, and the rows to which it has not: fewer than `CONFIRMING_ROWS` of them.

    Parameters
    ----------
    newest : what was known before, µs; NAT for nothing
    t, mmsi : the rows that wait

    >>> hour, none = 3_600_000_000, np.zeros(0, np.int64)
    >>> time = FeedTime(0, none, none)
    >>> for ship in range(1, 5):
    ...     time.take(np.array([ship, 100 * ship]) * hour, np.array([ship, 9], np.uint32))
    >>> time.newest // hour, time.newest_with(np.array([90, 91]) * hour, np.array([7, 8], np.uint32)) // hour
    (4, 100)
    """

    def __init__(self, newest: int, t: NDArray[np.int64], mmsi: NDArray[np.uint32]) -> None:
        self.newest = newest
        self._t, self._mmsi = t[t > newest], mmsi[t > newest]

    def newest_with(self, t: NDArray[np.int64], mmsi: NDArray[np.uint32]) -> int:
        """How far it would come with these rows."""
        return newest_time(self.newest, np.append(self._t, t), np.append(self._mmsi, mmsi))

    def take(self, t: NDArray[np.int64], mmsi: NDArray[np.uint32]) -> None:
        """Go on to what these rows say."""
        self._t, self._mmsi = np.append(self._t, t), np.append(self._mmsi, mmsi)
        self.newest = newest_time(self.newest, self._t, self._mmsi)
        ahead = self._t > self.newest
        self._t, self._mmsi = self._t[ahead], self._mmsi[ahead]
