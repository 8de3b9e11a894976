"""An engine that can go back: states of it are kept for some hours, and the rows since.

A late row starts the same loop again from the state before it, with the late rows among those that came since.
"""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.table import NAT
from detectors.engine import Engine, row_dtypes
from detectors.event import joined_events
from detectors.history import Arrived, Rows, by_time, joined
from detectors.late_rows import NEVER, LateRows
from detectors.reports import MOST_REPORTS
from detectors.rows import taken
from detectors.spool import Memory, Spool
from geo.errors import UsageError

STATES = 4
"""Steps of the history at which a state is kept."""
HISTORY_S = 6 * 3600
"""Satellite batches come up to some hours late (Skylight tells of 1 to 7 h)."""
FORGET_S = 90 * 86_400
MOST_ROWS = 50_000_000
MOST_EVENTS = 65_536
"""30 to 43 MB: some days of a coast, six hours of the world."""


class Room(NamedTuple):
    """How much a watch keeps (see `detectors.watch.Watch`). No id of an event depends on it."""

    history_s: float = HISTORY_S
    forget_s: float = FORGET_S
    max_rows: int = MOST_ROWS
    max_reports: int = MOST_REPORTS
    max_events: int = MOST_EVENTS

    def checked(self) -> Room:
        """The same; UsageError for what is not positive."""
        in_us(history_s=self.history_s, forget_s=self.forget_s)
        for name, n in self._asdict().items():
            if not n >= 1 and not name.endswith("_s"):
                raise UsageError(f"{name} must be positive, not {n}: give how many")
        return self

    @property
    def history_us(self) -> int:
        """For so long may rows come late."""
        return round(self.history_s * 1e6)

    @property
    def between_us(self) -> int:
        """Between two states that are kept."""
        return self.history_us // STATES

    @property
    def forget_us(self) -> int:
        """After so long an event that has ended is final."""
        return round(self.forget_s * 1e6)


def in_us(**seconds: float) -> list[int]:
    """Seconds in µs, in their order; UsageError for those that no clock has.

    >>> in_us(step_s=600, update_s=0.001)
    [600000000, 1000]
    """
    for name, value in seconds.items():
        if not 1e-3 <= value <= 1e10:
            raise UsageError(f"{name} must be positive, not {value}: give seconds from 0.001 to 1e10")
    return [round(value * 1e6) for value in seconds.values()]


class Point(NamedTuple):
    """A state of the engine, on the shelf, with what had been found and had arrived by then."""

    state: Any
    counts: NDArray[np.int64]
    released: int
    found: int
    rows: int


class Past:
    """What a watch keeps of its engine, and how it goes back.

    Parameters
    ----------
    engine : the engine as it is now
    shelf : where states and rows are kept
    room : how much: rows of `history_s`, `max_rows` of them at most, in which half of `max_events` ended at most
    """

    def __init__(self, engine: Engine, shelf: Memory, room: Room) -> None:
        self.engine, self.shelf, self._room = engine, shelf, room.checked()
        none = {name: np.zeros(0, dtype) for name, dtype in row_dtypes().items()}
        self._arrived, self._late = Arrived(none, shelf), LateRows(none, shelf)
        self._fresh: list[NDArray[Any]] = []
        self._found = 0
        """Events that have ended; `_fresh` are the last of them, as the engine found them since the last look."""
        self._points = [self._point(NAT, 0)]

    @property
    def rows(self) -> int:
        """Rows that are kept for late ones, and those that wait."""
        return self._arrived.size + self._late.size

    @property
    def waiting(self) -> int:
        """Rows that came late and are not in their place yet (`detectors.late_rows`)."""
        return self._late.waiting.size + self._late.among.size

    def _take(self, rows: Rows) -> None:
        """Feed rows to the engine; those that come too late for it wait."""
        rows = self._without_useless(rows, self._points[min(self._late.held, len(self._points) - 1)].released)
        n, late = rows["t"].size, rows["t"] < self.engine.released
        if late.any():
            self._late.add(taken(rows, late))
            rows = taken(rows, ~late)
        self._arrived.add(rows)
        self._feed(rows, self._arrived.size)
        self._late.earn(n, self.engine.newest)

    def _go_back(self) -> None:
        """It is the turn of late rows: start from the state before them; `_again` goes on."""
        earliest, oldest = NEVER, self._points[0].released
        for rows in self._late.in_order():
            late = self._without_useless(rows, oldest)
            earliest = min(earliest, int(late["t"].min(initial=NEVER)))
            self._late.among.add(late)
        if earliest == NEVER:
            return
        while self._points[-1].released > earliest:
            self.shelf.drop(self._points.pop().state)
        point = self._points[-1]
        hulls = self.engine.hulls.size
        self.engine.resume(self.shelf.open(point.state))
        self.engine.tally[:] = point.counts
        self._cut(point.found)
        self._late.begin(self._arrived.cut(point.rows), hulls)

    def _cut(self, n: int) -> None:
        """Only the first `n` events that had ended are still so."""
        fresh = self._take_fresh()
        self._fresh, self._found = [fresh[: max(0, fresh.size - (self._found - n))]], n

    def _take_fresh(self) -> NDArray[Any]:
        """Take away the events found since the last look."""
        fresh, self._fresh = joined_events(*self._fresh), []
        return fresh

    def _again(self) -> int:
        """Go through the next piece again, with the late rows among those that came before; of how many rows.

        Pieces are cut where states are kept: the next late row finds one near to it.
        """
        before, late = self._late.size, self._late.among
        if self._late.again.size == 0:
            self._feed_parts(late.first())
        else:
            piece = self._late.next_piece()
            rows = self._arrived.rows_of(piece)
            own = late.until(self.engine.newest_with(rows["t"], rows["mmsi"]))
            behind = rows["t"] < self.engine.released  # more rows wait than did, and so each for a shorter time
            if behind.any():
                self._late.add(taken(rows, behind))
                rows = taken(rows, ~behind)
            if self._spans(rows) or own["t"].size or behind.any():
                self._arrived.drop(piece)
                self._feed_parts(joined([rows, own]))
            else:
                self._arrived.put_back(piece)
                self._feed(rows, self._arrived.size)
        if not self._late.is_behind:
            self._drop()
        return before - self._late.size

    def _spans(self, rows: Rows) -> bool:
        """Whether rows span a moment at which a state is to be kept."""
        return bool(rows["t"].size and np.ptp(rows["t"] // self._room.between_us))

    def _feed_parts(self, rows: Rows) -> None:
        """Add rows and feed them to the engine, in the order of their time, cut where a state is to be kept."""
        rows = by_time(rows)
        cuts = np.flatnonzero(np.diff(rows["t"] // self._room.between_us)) + 1
        for begin, end in itertools.pairwise([0, *cuts.tolist(), rows["t"].size]):
            part = {name: column[begin:end] for name, column in rows.items()}
            self._arrived.add(part)
            self._feed(part, self._arrived.size)

    def _without_useless(self, rows: Rows, oldest: int) -> Rows:
        """The rows less those without a time, and those before the oldest state; the engine counts them."""
        useful = (rows["t"] != NAT) & (rows["t"] >= oldest)
        if useful.all():
            return rows
        before = self.engine.tally.copy()
        self.engine.feed({name: column[~useful] for name, column in rows.items()})
        for point in self._points:
            point.counts[:] += self.engine.tally - before
        return {name: column[useful] for name, column in rows.items()}

    def _feed(self, rows: Rows, n: int) -> None:
        """Feed rows, up to the n-th of those kept, to the engine; keep a state when it is time."""
        found = self.engine.feed(rows)
        if found.size:
            self._fresh.append(found)
            self._found += found.size
        released, last = self.engine.released, self._points[-1]
        if released == NAT:
            return
        if (
            last.released == NAT
            or released - last.released >= self._room.between_us
            or n - last.rows > self._room.max_rows // STATES
        ):
            self._points.append(self._point(released, n))
            self._drop()

    def _point(self, released: int, n: int) -> Point:
        """The state of the engine now, when `n` of the rows that are kept have arrived."""
        state = self.engine.columns() if isinstance(self.shelf, Spool) else self.engine.state()
        return Point(self.shelf.put(state), self.engine.tally.copy(), released, self._found, n)

    def _unneeded(self, earliest: int) -> int:
        """How many of the oldest states are needed no more, where the earliest row that waits is so old, in µs."""
        limit, last = min(self.engine.released - self._room.history_us, earliest), self._points[-1]
        for k, point in enumerate(self._points[1:-1]):
            begin = self._points[k]
            rows, found = last.rows - begin.rows, last.found - begin.found
            if point.released > limit and rows <= self._room.max_rows and 2 * found <= self._room.max_events:
                return k
        return max(0, len(self._points) - 2)

    def _drop(self) -> None:
        """Drop the oldest states that no late row needs any more, and the rows before them."""
        n = self._unneeded(self._late.earliest)
        self._late.held = self._unneeded(NEVER) - n
        for _ in range(n):
            self.shelf.drop(self._points.pop(0).state)
        begin = self._points[0].rows
        if begin:
            self._arrived.keep(begin)
            self._points = [point._replace(rows=point.rows - begin) for point in self._points]
