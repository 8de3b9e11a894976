"""Rows that wait until those before them have come, in pieces: each is copied a few times, and not at each call.

Whole pieces lie in a file without a name, where a folder is given: it is gone when the process is, and what waits is
part of every state that is saved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from detectors.snapshot import Part, Pieces
from geo.nameless_file import NamelessFile

Rows = dict[str, NDArray[Any]]

PARTS = 16
MOST_US = 60_000_000
"""Rows go on when a sixteenth of the lateness, or this, has passed: what waits is looked at so seldom."""

MOST_ROWS = 1 << 15
"""Of a piece to which others are joined: one row with a wrong clock must not have all looked at."""
LEAST_ROWS = MOST_ROWS // 8
"""What is left of a piece is put into the file again, unless it is smaller than this."""
MOST_LEFT = 2 * MOST_ROWS
"""Rows in memory beyond which smaller ones are too."""
MOST_HELD = MOST_LEFT + 2 * MOST_ROWS
"""Rows in memory at most, where there is a file that takes the others."""
RELEASED_ROWS = 1 << 17
"""Rows that are taken away at once, about, where many have become ready."""


class Piece(NamedTuple):
    """Rows in memory, or, where there are none, in a place of the file."""

    earliest: int
    latest: int
    size: int
    rows: Rows | None
    place: int


class Overflow:
    """A file in which pieces of up to `MOST_ROWS` rows have places of the same size."""

    def __init__(self, folder: str | Path, rows: Rows) -> None:
        self._file = NamelessFile(folder)
        self._dtypes = {name: column.dtype for name, column in rows.items()}
        ends = np.cumsum([MOST_ROWS * dtype.itemsize for dtype in self._dtypes.values()]).tolist()
        self._begins, self._size = dict(zip(self._dtypes, [0, *ends], strict=False)), ends[-1]
        self._places, self._free = 0, list[int]()

    def put(self, rows: Rows) -> int:
        """Write rows; their place. Raises OSError where the disk does not take them."""
        place = self._free[-1] if self._free else self._places
        for name, column in rows.items():
            self._file.write(column, place * self._size + self._begins[name])
        if self._free:
            self._free.pop()
        else:
            self._places += 1
        return place

    def get(self, name: str, place: int, n: int) -> NDArray[Any]:
        """A column of the rows of a place. Raises OutputError where it cannot be read."""
        return self._file.read(self._dtypes[name], n, place * self._size + self._begins[name])

    def drop(self, place: int) -> None:
        """What lies in a place is needed no more."""
        self._free.append(place)


class Pending:
    """Rows in the order of arrival.

    >>> pending = Pending({"t": np.array([5, 9])})
    >>> pending.add({"t": np.array([7])})
    >>> pending.release(8)["t"].tolist(), pending.rows()["t"].tolist(), pending.size
    ([5, 7], [9], 1)
    """

    def __init__(self, rows: Rows, folder: str | Path | None = None) -> None:
        self.none = {name: column[:0].copy() for name, column in rows.items()}
        """No rows."""
        self._overflow = Overflow(folder, self.none) if folder is not None else None
        self._pieces: list[Piece] = []
        self.size = 0
        """The number of rows."""
        self.add(rows)

    @classmethod
    def again(cls, none: Rows, saved: Part, folder: str | Path | None) -> Self:
        """The rows of a state, no more of them in memory than must be."""
        pending, (n,) = cls(none, folder), saved.shape("t")
        for begin in range(0, n, MOST_ROWS):
            pending.add({name: saved.some(name, begin, min(begin + MOST_ROWS, n)) for name in none})
        return pending

    def add(self, rows: Rows) -> None:
        """Take rows that nobody else writes to."""
        self.size += rows["t"].size
        self._push(rows)

    def _push(self, rows: Rows) -> None:
        """Rows as the last piece, joined with those before while these are smaller."""
        while self._pieces and (last := self._pieces[-1]).rows is not None:
            if last.size > min(rows["t"].size, MOST_ROWS):
                break
            rows = _joined([last.rows, rows])
            self._pieces.pop()
        if rows["t"].size:
            self._pieces += self._kept(rows, MOST_ROWS)

    def _kept(self, rows: Rows, least: int) -> Iterator[Piece]:
        """Rows as pieces, those of `least` rows in the file where there is one that takes them."""
        size, step = rows["t"].size, MOST_ROWS if self._overflow is not None else rows["t"].size
        for begin in range(0, size, step):
            part = {name: column[begin : begin + step] for name, column in rows.items()}
            piece = Piece(int(part["t"].min()), int(part["t"].max()), part["t"].size, part, -1)
            if self._overflow is not None and piece.size >= least:
                with suppress(OSError):  # the disk is full: they stay in memory
                    piece = piece._replace(place=self._overflow.put(part), rows=None)
            elif size > step:
                piece = piece._replace(rows={name: column.copy() for name, column in part.items()})
            yield piece

    def _column(self, piece: Piece, name: str) -> NDArray[Any]:
        """A column of a piece."""
        if piece.rows is not None:
            return piece.rows[name]
        assert self._overflow is not None
        return self._overflow.get(name, piece.place, piece.size)

    def _rows(self, piece: Piece) -> Rows:
        return piece.rows or {name: self._column(piece, name) for name in self.none}

    def rows(self) -> Rows:
        """All of them."""
        return {name: self.column(name) for name in self.none}

    def column(self, name: str) -> NDArray[Any]:
        """A column of all of them."""
        return self.columns()[name].array()

    def columns(self) -> dict[str, Pieces]:
        """The columns of all of them, as they stand."""
        return {name: Pieces(none.dtype, (self.size,), self._reader(name)) for name, none in self.none.items()}

    def _reader(self, name: str) -> Callable[[], Iterator[NDArray[Any]]]:
        return lambda: (self._column(piece, name) for piece in self._pieces)

    def earliest(self, n: int) -> int:
        """The time in µs of the n-th row, from 1 on, in the order of time."""
        first = np.zeros(0, np.int64)
        for piece in sorted(self._pieces, key=lambda piece: piece.earliest):
            if first.size == n and piece.earliest >= first[-1]:
                break
            first = np.concatenate([first, self._column(piece, "t")])
            first = np.partition(first, n - 1)[:n] if first.size >= n else first
        return int(first.max())

    def releases(self, until: int) -> Iterator[Rows]:
        """Take the rows before a time in µs away, the earliest first, about `RELEASED_ROWS` at once."""
        while sum(piece.size for piece in self._pieces if piece.earliest < until) > 2 * RELEASED_ROWS:
            cut = self.earliest(RELEASED_ROWS) + 1
            if cut >= until:
                break
            yield self.release(cut)
        yield self.release(until)

    def release(self, until: int) -> Rows:
        """Take the rows before a time in µs away."""
        taken, pieces = [self.none], list[Piece]()
        for piece in self._pieces:
            if piece.earliest >= until:
                pieces.append(piece)
                continue
            rows = self._rows(piece)
            if piece.rows is None and self._overflow is not None:
                self._overflow.drop(piece.place)
            if piece.latest >= until:
                ready = rows["t"] < until
                rest = {name: column[~ready] for name, column in rows.items()}
                rows = {name: column[ready] for name, column in rows.items()}
                if pieces and pieces[-1].rows is not None and pieces[-1].size + rest["t"].size <= MOST_ROWS:
                    rest = _joined([pieces.pop().rows or {}, rest])
                pieces += self._kept(rest, LEAST_ROWS)
            taken.append(rows)
        if sum(piece.size for piece in pieces if piece.rows is not None) > MOST_LEFT:
            pieces = [one for piece in pieces for one in (self._kept(piece.rows, 1) if piece.rows else [piece])]
        self._pieces = pieces
        released = _joined(taken)
        self.size -= released["t"].size
        return released


def wait_us(lateness_us: int) -> int:
    """How far the time of a feed goes on before rows that waited go on, in µs."""
    return min(lateness_us // PARTS, MOST_US)


def _joined(pieces: list[Rows]) -> Rows:
    return {name: np.concatenate([rows[name] for rows in pieces]) for name in pieces[0]}
