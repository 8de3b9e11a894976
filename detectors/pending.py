"""Rows that wait until those before them have come, in pieces: each is copied a few times, and not at each call."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.table import NAT

Rows = dict[str, NDArray[Any]]

PARTS = 16
MOST_US = 60_000_000
"""Rows go on when a sixteenth of the lateness, or this, has passed: what waits is looked at so seldom."""

MOST_ROWS = 1 << 16
"""Of a piece to which others are joined: one row with a wrong clock must not have all looked at."""


class Pending:
    """Rows in the order of arrival.

    >>> pending = Pending({"t": np.array([5, 9])})
    >>> pending.add({"t": np.array([7])})
    >>> pending.release(8)["t"].tolist(), pending.rows()["t"].tolist(), pending.size
    ([5, 7], [9], 1)
    """

    def __init__(self, rows: Rows) -> None:
        self._none = {name: column[:0].copy() for name, column in rows.items()}
        self._pieces: list[tuple[int, int, Rows]] = []
        self.add(rows)

    @property
    def size(self) -> int:
        """The number of rows."""
        return sum(int(rows["t"].size) for _, _, rows in self._pieces)

    def add(self, rows: Rows) -> None:
        """Take rows that nobody else writes to."""
        if rows["t"].size:
            self._pieces.append((int(rows["t"].min()), int(rows["t"].max()), rows))
            while len(self._pieces) > 1:
                (a, b, one), (c, d, other) = self._pieces[-2:]
                if one["t"].size > min(other["t"].size, MOST_ROWS):
                    break
                self._pieces[-2:] = [(min(a, c), max(b, d), _joined([one, other]))]

    def rows(self) -> Rows:
        """All of them."""
        return _joined([self._none, *(rows for _, _, rows in self._pieces)])

    def beyond(self, t: int) -> list[Rows]:
        """Pieces with rows after a time in µs, all where that is `ais.table.NAT`."""
        return [rows for _, latest, rows in self._pieces if latest > t or t == NAT]

    def release(self, until: int) -> Rows:
        """Take the rows before a time in µs away."""
        taken, pieces = [self._none], []
        for earliest, latest, rows in self._pieces:
            if latest < until:
                taken.append(rows)
                continue
            if earliest < until:
                ready = rows["t"] < until
                taken.append({name: column[ready] for name, column in rows.items()})
                rows = {name: column[~ready] for name, column in rows.items()}
                earliest = int(rows["t"].min())
            pieces.append((earliest, latest, rows))
        self._pieces = pieces
        return _joined(taken)


def wait_us(lateness_us: int) -> int:
    """How far the time of a feed goes on before rows that waited go on, in µs."""
    return min(lateness_us // PARTS, MOST_US)


def _joined(pieces: list[Rows]) -> Rows:
    return {name: np.concatenate([rows[name] for rows in pieces]) for name in pieces[0]}
