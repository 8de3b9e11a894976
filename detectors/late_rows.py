"""Rows that come too late for the engine: when they are put into their place, and what waits meanwhile.

However few rows are late, all that came since their time is gone through again for them. So it is done when that of
the time before is paid for: by `SHARE` rows for each that comes, and `ROWS_S` for each second by which the time of the
feed goes on. A feed that was in order for long has `SPARE` rows to its credit, and its late rows are put into their
place at once. It is done in parts of about `AT_ONCE` rows, one for each piece of the feed; what comes meanwhile waits
until all are done. All this follows from the rows, and no clock is asked.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from ais.table import NAT
from detectors.history import PIECE_ROWS, Arrived, Piece, Rows, by_time, chosen, joined
from detectors.spool import Memory

SHARE = 2
"""Going through a row again costs 0.6 µs, and a row that comes 2.5 µs: a feed of late rows costs half as much again."""
ROWS_S = 25_000
"""1.5 % of a core, where the feed goes on with the clock: with few ships late rows need not wait."""
SPARE = 1 << 20
"""Half a second of work."""
HULL_ROWS = 8
"""To take up an earlier state and to look at the events anew costs as much as so many rows for each hull."""
AT_ONCE = 1 << 18
"""A quarter of a second of work."""
MOST = 1 << 22
"""So many late rows do not wait any longer, paid for or not."""
SORTED_ROWS = 1 << 19
"""So many are put in order at once, 27 MB."""
NEVER = np.iinfo(np.int64).max


class Queue(Arrived):
    """Rows in pieces that are taken from the front.

    >>> queue = Queue({"t": np.array([1, 2, 3])})
    >>> queue.until(2)["t"].tolist(), queue.first()["t"].tolist(), queue.size
    ([1, 2], [3], 0)
    """

    def __init__(
        self, rows: Rows, shelf: Memory | None = None, pieces: Sequence[Piece] = (), piece_rows: int = PIECE_ROWS
    ) -> None:
        self._head: Rows = {name: column[:0].copy() for name, column in rows.items()}
        super().__init__(rows, shelf, pieces, piece_rows)

    def shelve(self) -> None:
        """Put all rows on the shelf."""
        self._shelve_head()
        super().shelve()

    def _shelve_head(self) -> None:
        if self._head["t"].size:
            self.shelved.insert(0, Piece(self._shelf.put(self._head), 0, self._head["t"].size))
            self._head = self._none

    @property
    def loose(self) -> tuple[Rows, Rows]:
        """The rows that are not on the shelf: those before the pieces, and those after them."""
        return self._head, self.newest

    def parts(self) -> Iterator[Rows]:
        """The rows, a piece at a time."""
        yield self._head
        yield from super().parts()

    def since(self, begin: int) -> Rows:
        """The rows from the given one on."""
        return {name: column[begin:] for name, column in joined([*self.parts()]).items()}

    def first(self) -> Rows:
        """Take the first rows away, a piece of them."""
        rows, self._head = self._head, self._none
        if rows["t"].size == 0 and not self.shelved:
            return self.take_newest()
        if rows["t"].size == 0:
            piece = self.shelved.pop(0)
            rows = self.rows_of(piece)
            self.drop(piece)
        self.size -= rows["t"].size
        return rows

    def put_first(self, rows: Rows) -> None:
        """Put rows that nobody else writes to before all others."""
        assert self._head["t"].size == 0, "only what was taken can be put back"
        if rows["t"].size:  # an empty view would hold the memory of what it is of
            self._head = rows
            self.size += rows["t"].size

    def until(self, t: int) -> Rows:
        """Take the rows up to a time away, where all are in the order of time."""
        taken = [self._none]
        while self.size:
            rows = self.first()
            n = int(np.searchsorted(rows["t"], t, side="right"))
            taken.append({name: column[:n] for name, column in rows.items()})
            if n < rows["t"].size:
                self.put_first({name: column[n:] for name, column in rows.items()})
                break
        return joined(taken)


class LateRows:
    """Late rows of a watch: those that wait for their turn, and what is to be gone through while it is theirs.

    Parameters
    ----------
    none : no rows, with the columns of the feed
    shelf : where rows lie that wait
    """

    def __init__(self, none: Rows, shelf: Memory) -> None:
        self._none, self._shelf = none, shelf
        self.waiting, self.among, self.after = (Queue(none, shelf) for _ in range(3))
        """Late rows in the order of arrival; those whose turn it is, in the order of time; what came meanwhile."""
        self.again = Arrived(none, shelf)
        """Rows that had arrived, to be gone through again with `among`."""
        self.earliest = NEVER
        """Time of the earliest that waits, µs."""
        self.held = 0
        """So many of the oldest states are kept for those that wait alone: no other row is taken so late."""
        self.credit, self._newest = SPARE, NAT

    @property
    def queues(self) -> tuple[Arrived, ...]:
        """All that waits."""
        return self.waiting, self.among, self.after, self.again

    @property
    def size(self) -> int:
        """How many rows wait."""
        return sum(queue.size for queue in self.queues)

    @property
    def clocks(self) -> list[int]:
        """All that is known beside the rows."""
        return [self.earliest, self.held, self.credit, self._newest]

    def take(self, clocks: Sequence[int], pieces: Sequence[list[Piece]], loose: Sequence[tuple[Rows, Rows]]) -> None:
        """Go on from `clocks`, and from the pieces and the loose rows of the `queues`."""
        self.earliest, self.held, self.credit, self._newest = clocks
        kept = [(rows, self._shelf, one) for (_, rows), one in zip(loose, pieces, strict=True)]
        self.waiting, self.among, self.after = (Queue(*one) for one in kept[:3])
        self.again = Arrived(*kept[3])
        for queue, (head, _) in zip((self.waiting, self.among, self.after), loose, strict=False):
            queue.put_first(head)

    @property
    def is_behind(self) -> bool:
        """Whether rows are to be gone through again."""
        return self.again.size + self.among.size > 0

    @property
    def is_on(self) -> bool:
        """Whether what comes must wait."""
        return self.is_behind or self.after.size > 0

    @property
    def is_due(self) -> bool:
        """Is it the turn of the late rows?"""
        return self.waiting.size > 0 and (self.credit > 0 or self.waiting.size >= MOST)

    def add(self, rows: Rows) -> None:
        """Late rows."""
        if rows["t"].size:
            self.earliest = min(self.earliest, int(rows["t"].min()))
            self.waiting.add(rows)

    def earn(self, n: int, newest: int) -> None:
        """So many rows have come, and the time of the feed has come to `newest`."""
        gone_on = newest - self._newest if NAT not in (self._newest, newest) else 0
        self._newest = max(self._newest, newest)
        self.credit = min(SPARE, self.credit + SHARE * n + max(0, gone_on) * ROWS_S // 1_000_000)

    def in_order(self) -> Iterator[Rows]:
        """Take those that wait away, in the order of time, about `SORTED_ROWS` at once."""
        waiting, self.waiting = self.waiting, Queue(self._none, self._shelf)
        self.earliest = NEVER
        t = np.sort(np.concatenate([piece["t"] for piece in waiting.parts()]))
        for begin, end in itertools.pairwise([*np.unique(t[::SORTED_ROWS]).tolist(), NEVER]):
            some = [chosen(rows, (rows["t"] >= begin) & (rows["t"] < end)) for rows in waiting.parts()]
            yield by_time(joined(some))
        while waiting.shelved:
            waiting.drop(waiting.shelved.pop())

    def begin(self, again: list[Piece], hulls: int) -> None:
        """It is the turn of those `among` the rows that came before; these pieces are to be gone through again."""
        self.again = Arrived(self._none, self._shelf, again)
        self.credit = max(0, self.credit) - (self.again.size + self.among.size + HULL_ROWS * hulls)

    def next_piece(self) -> Piece:
        """Take the first piece of `again` away."""
        piece = self.again.shelved.pop(0)
        self.again.size -= piece.size
        return piece


def at_once(rows: Rows) -> int:
    """How many of the rows that wait are gone through when these come."""
    return max(AT_ONCE, SHARE * rows["t"].size)
