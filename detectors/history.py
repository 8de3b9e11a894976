"""What a watch keeps of its feed: the rows that late ones may set in motion again, and the names of the inputs."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.spool import Memory

Rows = dict[str, NDArray[Any]]

MOST_INPUTS = 65_535
"""Inputs that a code of 16 bits tells apart, one left for `OTHERS`."""
OTHERS = "(a later input)"
"""What every input beyond `MOST_INPUTS` is called."""
PIECE_ROWS = 1 << 17
"""Rows of a piece that is kept apart: 6.8 MB."""


class Inputs:
    """Names of all inputs of a feed, each with one code however the pieces of the feed number them.

    >>> inputs = Inputs()
    >>> inputs.codes(("one", "two"), [np.array([0, 1, 1])])[0].tolist()
    [0, 1, 1]
    >>> inputs.codes(("two",), [np.array([0])])[0].tolist()
    [1]
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._codes = {name: code for code, name in enumerate(names)}

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the order of their codes."""
        return tuple(self._codes)

    def codes(self, names: Sequence[str], columns: Sequence[NDArray[Any]]) -> list[NDArray[np.uint16]]:
        """Columns of codes among these names, as codes among all; an input without a name is called by its number."""
        most = max((int(column.max()) + 1 for column in columns if column.size), default=0)
        every = [*names, *(f"input {code + 1}" for code in range(len(names), most))]
        places = np.array([self._code(name) for name in every], np.uint16)
        return [places[column] if column.size else column.astype(np.uint16) for column in columns]

    def _code(self, name: str) -> int:
        if name not in self._codes:
            if len(self._codes) >= MOST_INPUTS:
                name = OTHERS
            self._codes.setdefault(name, len(self._codes))
        return self._codes[name]


class Piece(NamedTuple):
    """`size` rows from `begin` on of what a shelf keeps."""

    kept: Any
    begin: int
    size: int


class Block:
    """Room for rows, which are copied one after the other into columns of one array, each at a multiple of 8 bytes.

    Pieces of all sizes that live for minutes would cut up the heap. A block has pages of its own, which are in use when
    rows reach them and go back with the block; of an array of numpy's from 4 MiB on all would be in use at once, for it
    asks for huge ones.

    >>> block = Block({"t": np.zeros(0, np.int64)}, 3)
    >>> block.add({"t": np.arange(2)}, 0), block.add({"t": np.arange(5)}, 2), block.rows["t"].tolist()
    (2, 1, [0, 1, 2])
    """

    def __init__(self, like: Rows, room: int) -> None:
        widths = {name: column.itemsize * int(np.prod(column.shape[1:])) for name, column in like.items()}
        pages = mmap.mmap(-1, -(-room // 8) * 8 * sum(widths.values()), mmap.MAP_PRIVATE)
        if hasattr(mmap, "MADV_NOHUGEPAGE"):  # where the system gives huge pages to all that do not ask
            pages.madvise(mmap.MADV_NOHUGEPAGE)
        whole, at = np.frombuffer(pages, np.uint8), 0
        self._columns, self._room, self.size = Rows(), room, 0
        for name, column in like.items():
            part, at = whole[at : at + room * widths[name]], at + -(-room // 8) * 8 * widths[name]
            self._columns[name] = part.view(column.dtype).reshape(room, *column.shape[1:])

    def add(self, rows: Rows, begin: int) -> int:
        """Copy rows from `begin` on, as many as there is room for; so many."""
        n = min(_length(rows) - begin, self._room - self.size)
        for name, column in self._columns.items():
            column[self.size : self.size + n] = rows[name][begin : begin + n]
        self.size += n
        return n

    @property
    def is_full(self) -> bool:
        """Is there no room?"""
        return self.size == self._room

    @property
    def rows(self) -> Rows:
        """The rows, where they lie."""
        return {name: column[: self.size] for name, column in self._columns.items()}


class Arrived:
    """Rows in the order of arrival.

    Every `piece_rows` of them lie on a `shelf`, in memory or in files; the newest in a block.

    >>> arrived = Arrived({"t": np.zeros(0, np.int64)}, piece_rows=40)
    >>> for t in range(100):
    ...     arrived.add({"t": np.array([t])})
    >>> arrived.size, arrived.since(97)["t"].tolist(), len(arrived.shelved), arrived.newest["t"].size
    (100, [97, 98, 99], 2, 20)
    """

    def __init__(
        self, rows: Rows, shelf: Memory | None = None, pieces: Sequence[Piece] = (), piece_rows: int = PIECE_ROWS
    ) -> None:
        self._shelf, self._piece_rows = shelf if shelf is not None else Memory(), piece_rows
        self._none = {name: column[:0].copy() for name, column in rows.items()}
        self._block: Block | None = None
        self.shelved, self.size = list(pieces), sum(piece.size for piece in pieces)
        self.add(rows)

    def add(self, rows: Rows) -> None:
        """Take rows, as copies: the feed may use their memory again."""
        at = 0
        while at < _length(rows):
            if self._block is None:
                self._block = Block(self._none, self._piece_rows)
            n = self._block.add(rows, at)
            self.size, at = self.size + n, at + n
            if self._block.is_full:
                self.shelve()

    @property
    def newest(self) -> Rows:
        """The rows that are not on the shelf."""
        return self._none if self._block is None else self._block.rows

    @property
    def loose(self) -> tuple[Rows, Rows]:
        """The rows that are not on the shelf: those before the pieces, and those after them."""
        return self._none, self.newest

    def take_newest(self) -> Rows:
        """Take them away."""
        rows, self._block = self.newest, None
        self.size -= _length(rows)
        return rows

    def shelve(self) -> None:
        """Put all rows on the shelf; where it does not take them (OutputError) they are where they were."""
        if self._block is not None:
            rows, n = self._block.rows, self._block.size
            whole = rows if self._block.is_full else {name: column.copy() for name, column in rows.items()}
            self.shelved.append(Piece(self._shelf.put(whole), 0, n))
            self._block = None

    def parts(self) -> Iterator[Rows]:
        """The rows, a piece at a time."""
        yield from map(self.rows_of, self.shelved)
        yield self.newest

    def since(self, begin: int) -> Rows:
        """The rows from the given one on."""
        skipped, later = self.size - _length(self.newest), [self.newest]
        for piece in reversed(self.shelved):
            if skipped <= begin:
                break
            skipped -= piece.size
            later.insert(0, self.rows_of(piece))
        return {name: column[begin - skipped :] for name, column in joined(later).items()}

    def cut(self, begin: int) -> list[Piece]:
        """Take the rows from the given one on away, as pieces that are still on the shelf."""
        self.shelve()
        later, at = [], self.size
        while at > begin:
            piece = self.shelved.pop()
            before = max(0, begin - (at - piece.size))
            if before:
                self.shelved.append(piece._replace(size=before))
            at -= piece.size
            later.append(Piece(piece.kept, piece.begin + before, piece.size - before))
        self.size = begin
        return later[::-1]

    def rows_of(self, piece: Piece) -> Rows:
        """The rows of a piece."""
        rows = self._shelf.get(piece.kept)
        return {name: column[piece.begin : piece.begin + piece.size] for name, column in rows.items()}

    def take_before(self, t: int) -> Rows:
        """Take the rows of before a time away."""
        whole, self.shelved, rest, taken = self.shelved, [], [self.take_newest()], [self._none]
        self.size = 0
        for piece in whole:
            rows = self.rows_of(piece)
            if (rows["t"] < t).any():
                self.drop(piece)
                rest.append(rows)
            else:
                self.shelved.append(piece)
                self.size += piece.size
        for rows in rest:
            ready = rows["t"] < t
            taken.append(chosen(rows, ready))
            self.add(chosen(rows, ~ready))
        return joined(taken)

    def put_back(self, piece: Piece) -> None:
        """Add a piece that was cut; where the rest of it still stands, the two are one again."""
        self.shelve()
        self.size += piece.size
        if self.shelved and _is_same(self.shelved[-1].kept, piece.kept):
            rest = self.shelved.pop()
            piece = Piece(piece.kept, rest.begin, rest.size + piece.size)
        self.shelved.append(piece)

    def drop(self, piece: Piece) -> None:
        """A piece that was cut is needed no more."""
        if not any(_is_same(piece.kept, other.kept) for other in self.shelved):
            self._shelf.drop(piece.kept)

    def keep(self, begin: int, end: int | None = None) -> None:
        """Let go of all rows outside of these."""
        for piece in self.cut(self.size if end is None else min(end, self.size)):
            self.drop(piece)
        kept = self.cut(begin)
        gone, self.shelved = self.shelved, kept
        self.size = sum(piece.size for piece in kept)
        for piece in gone:
            self.drop(piece)


def _is_same(one: Any, other: Any) -> bool:
    """Whether two pieces are of the same file, or of the same rows in memory."""
    return one is other or (isinstance(one, str) and one == other)


def _length(rows: Rows) -> int:
    return int(rows["t"].size)


def evenly(parts: Iterable[Rows], room: int = PIECE_ROWS) -> Iterator[Rows]:
    """Rows of parts of any size, as copies, in pieces of `room`, the last of fewer.

    >>> [rows["t"].tolist() for rows in evenly([{"t": np.arange(2)}, {"t": np.arange(3)}], 3)]
    [[0, 1, 0], [1, 2]]
    """
    block: Block | None = None
    for rows in parts:
        at = 0
        while at < _length(rows):
            block = block if block is not None else Block(rows, room)
            at += block.add(rows, at)
            if block.is_full:
                yield block.rows
                block = None
    if block is not None:
        yield block.rows


def joined(pieces: Sequence[Rows]) -> Rows:
    """Rows of several pieces, one after the other."""
    if len(pieces) == 1:
        return pieces[0]
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def chosen(rows: Rows, which: NDArray[np.bool_]) -> Rows:
    """Some of the rows."""
    return {name: column[which] for name, column in rows.items()}


def by_time(rows: Rows) -> Rows:
    """Rows in the order of their time, of the same time in that of arrival."""
    order = np.argsort(rows["t"], kind="stable")
    return {name: column[order] for name, column in rows.items()}
