"""What a watch keeps of its feed: the rows that late ones may set in motion again, what ships said of themselves, and
the names of the inputs; each in no more room than it needs.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.identity import Identities, condensed, no_repeats, plain
from ais.identity_stream import Unfolding, among
from ais.table import NAT, STATIC_DTYPES, Static, columns_of
from detectors.spool import Memory

Rows = dict[str, NDArray[Any]]

MOST_INPUTS = 65_535
"""Inputs that a code of 16 bits tells apart, one left for `OTHERS`."""
OTHERS = "(a later input)"
"""What every input beyond `MOST_INPUTS` is called."""
PIECE_ROWS = 1 << 18
"""Rows of a piece that is kept apart: 13.6 MB."""
SPAN_ROWS = 1 << 16
"""Static reports of a piece that is kept apart: 8.5 MB."""
MOST_REPORTS = 1 << 19
"""Static reports that are kept as they came, 129 B each: an hour of the world's, as terrestrial networks hear it."""
CONDENSED_SHARE = 8
"""Of more than these one in so many is condensed at once."""
LEAST_CONDENSED = 1024
"""New static reports for which it is worth looking."""


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


class Arrived:
    """Rows in the order of arrival, in pieces that are joined so that single rows do not cost a piece each.

    Whole pieces, of `piece_rows` or more, lie on a `shelf`: in memory, or in files.

    >>> arrived = Arrived({"t": np.zeros(0, np.int64)})
    >>> for t in range(100):
    ...     arrived.add({"t": np.array([t])})
    >>> arrived.size, arrived.since(97)["t"].tolist(), len(arrived.pieces) < 8
    (100, [97, 98, 99], True)
    """

    def __init__(
        self, rows: Rows, shelf: Memory | None = None, pieces: Sequence[Piece] = (), piece_rows: int = PIECE_ROWS
    ) -> None:
        self._shelf, self._piece_rows = shelf if shelf is not None else Memory(), piece_rows
        self._none = {name: column[:0].copy() for name, column in rows.items()}
        self.shelved, self.pieces, self.size = list(pieces), [rows], sum(piece.size for piece in pieces) + _length(rows)

    def add(self, rows: Rows) -> None:
        """Take rows, as copies: the feed may use their memory again."""
        self.size += _length(rows)
        self.pieces.append({name: column.copy() for name, column in rows.items()})
        while len(self.pieces) > 1 and _length(self.pieces[-2]) <= 2 * _length(self.pieces[-1]):
            last, before = self.pieces.pop(), self.pieces.pop()
            self.pieces.append(_joined([before, last]))
        if sum(_length(piece) for piece in self.pieces) >= self._piece_rows:
            self.shelve()

    def shelve(self) -> None:
        """Put all rows on the shelf."""
        rows = _joined(self.pieces)
        if _length(rows):
            self.shelved.append(Piece(self._shelf.put(rows), 0, _length(rows)))
        self.pieces = [self._none]

    def parts(self) -> Iterator[Rows]:
        """The rows, a piece at a time."""
        yield from map(self.rows_of, self.shelved)
        yield from self.pieces

    def since(self, begin: int) -> Rows:
        """The rows from the given one on."""
        skipped, later = self.size - sum(map(_length, self.pieces)), [*self.pieces]
        for piece in reversed(self.shelved):
            if skipped <= begin:
                break
            skipped -= piece.size
            later.insert(0, self.rows_of(piece))
        return {name: column[begin - skipped :] for name, column in _joined(later).items()}

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
        whole, self.shelved, rest, taken = self.shelved, [], self.pieces, [self._none]
        self.pieces, self.size = [self._none], 0
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
            taken.append(_chosen(rows, ready))
            self.add(_chosen(rows, ~ready))
        return _joined(taken)

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


def _joined(pieces: Sequence[Rows]) -> Rows:
    if len(pieces) == 1:
        return pieces[0]
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


class Span(NamedTuple):
    """Condensed reports on the shelf: `size` of the ships from `mmsi` up to that of the next span."""

    kept: Any
    mmsi: int
    size: int


class Saved(NamedTuple):
    """Static reports as they are saved: rows, those on the shelf, and what follows from them (see `Reports`)."""

    rows: Rows
    repeats: NDArray[np.uint8]
    said: NDArray[np.uint32]
    pieces: list[Piece]
    spans: list[Span]


class Reports:
    """Static reports as they come, and the identities that follow from them.

    Those before the time of `forget` are condensed to what ships have changed (`ais.identity.condensed`), whenever half
    of the rows are new: so no more is kept than twice the changes and the reports since. Where these are more than
    `most`, the oldest are condensed sooner: a later report of that time that repeats what was said is then not counted.

    Parameters
    ----------
    shelf : where pieces of `SPAN_ROWS` lie, by ship what is condensed, the rest in the order of arrival
    saved : what `saved` gave, with the names of pieces that the shelf still has
    """

    def __init__(self, shelf: Memory | None = None, most: int = MOST_REPORTS, saved: Saved | None = None) -> None:
        self._shelf, self._most = shelf if shelf is not None else Memory(), most
        saved = saved if saved is not None else Saved(self.empty(), no_repeats(), np.zeros(0, np.uint32), [], [])
        self.repeats = saved.repeats
        self._recent = Arrived(saved.rows, self._shelf, saved.pieces, SPAN_ROWS)
        self._spans = list(saved.spans)
        self._limit, self._few = NAT, self._size
        self._unfolding, self._new = Unfolding(), Arrived(self.empty())
        self._unfolding.join_all(self._by_ship, self.repeats)
        self._said = saved.said

    @staticmethod
    def empty() -> Rows:
        """No rows."""
        return {**columns_of(STATIC_DTYPES, 0), **plain(0)}

    @property
    def recent(self) -> int:
        """Reports that are kept as they came."""
        return self._recent.size

    @property
    def _size(self) -> int:
        return self._recent.size + sum(span.size for span in self._spans)

    @property
    def rows(self) -> Rows:
        """The reports, some for several."""
        return _joined([self.empty(), *self._parts()])

    def saved(self) -> Saved:
        """All that it knows; the rows that are not on the shelf are few."""
        self._unfold()
        rows = _joined([self.empty(), *self._recent.pieces])
        return Saved(rows, self.repeats, self._said, self._recent.shelved, self._spans)

    def _parts(self) -> Iterator[Rows]:
        """All rows, a piece at a time."""
        yield from (self._shelf.get(span.kept) for span in self._spans)
        yield from self._recent.parts()

    def add(self, rows: Mapping[str, NDArray[Any]]) -> None:
        """Take reports."""
        if not rows["t"].size:
            return
        own = {name: rows[name].astype(dtype) for name, dtype in STATIC_DTYPES.items()}
        own |= plain(rows["t"].size)
        self._recent.add(own)
        self._new.add(own)
        if self._new.size >= SPAN_ROWS:
            self._unfold()
        self._condense()

    def forget(self, before: int) -> None:
        """No report from before this time, in µs, is waited for any more."""
        self._limit = before
        self._condense()

    def _condense(self) -> None:
        """Condense reports that are not waited for, when there are so many that it is worth it, and the oldest of too
        many."""
        if self._size < 2 * self._few + LEAST_CONDENSED and self._recent.size <= self._most:
            return
        before = self._limit
        if self._recent.size > self._most:
            t = np.concatenate([piece["t"] for piece in self._recent.parts()])
            n = t.size - self._most + self._most // CONDENSED_SHARE
            before = max(before, int(np.partition(t, n)[n]) + 1)
        if before != NAT:
            old = by_ship(self._recent.take_before(before))
            self._spans = self._spans or [Span(self._shelf.put(self.empty()), 0, 0)]
            self._spans = [one for each in self._by_span(old["mmsi"]) for one in self._condensed(*each, old, before)]
        self._few = self._size

    def _by_span(self, ships: NDArray[np.uint32]) -> Iterator[tuple[Span, slice]]:
        """Each span, and where its ships stand among these, which are in order."""
        firsts = [span.mmsi for span in self._spans]
        cuts = np.searchsorted(ships, [*firsts, 1 << 32]).tolist()
        yield from zip(self._spans, itertools.starmap(slice, itertools.pairwise(cuts)), strict=True)

    def _condensed(self, span: Span, part: slice, old: Rows, before: int) -> Iterator[Span]:
        """A span with a part of other rows."""
        rows = _joined([self._shelf.get(span.kept), {name: column[part] for name, column in old.items()}])
        few = condensed(Static(rows), self.repeats, before)
        self._shelf.drop(span.kept)
        yield from self._as_spans(by_ship(dict(few.columns)), span.mmsi)

    def _as_spans(self, rows: Rows, mmsi: int) -> Iterator[Span]:
        """Rows in the order of their ships, from the given one on, as pieces on the shelf, none with half of a ship."""
        ends: NDArray[np.int64] = np.append(np.flatnonzero(np.diff(rows["mmsi"])) + 1, _length(rows))
        begin = 0
        while begin < _length(rows):
            end = int(ends[min(int(np.searchsorted(ends, begin + SPAN_ROWS // 2)), ends.size - 1)])
            end = end if _length(rows) - end >= SPAN_ROWS // 4 else _length(rows)
            part = {name: column[begin:end].copy() for name, column in rows.items()}
            yield Span(self._shelf.put(part), int(rows["mmsi"][begin]) if begin else mmsi, end - begin)
            begin = end

    def _rows_of(self, ships: NDArray[np.uint32]) -> Static:
        """All reports of some ships."""
        spans = [span.kept for span, part in self._by_span(ships) if part.start < part.stop]
        parts = itertools.chain(map(self._shelf.get, spans), self._recent.parts())
        own = [_chosen(piece, among(piece["mmsi"], ships)) for piece in parts]
        return Static(_joined([self.empty(), *own]))

    def _by_ship(self) -> Iterator[Static]:
        """All reports, some ships at a time, in the order of these."""
        mmsi = np.sort(np.concatenate([piece["mmsi"] for piece in self._parts()]))
        cuts = np.unique(np.append(mmsi[:: 2 * SPAN_ROWS], np.uint32(0))).tolist()
        for begin, end in itertools.pairwise([*cuts, 1 << 32]):
            own = [_chosen(one, (one["mmsi"] >= begin) & (one["mmsi"] < end)) for one in self._parts()]
            yield Static(_joined([self.empty(), *own]))

    def _unfold(self) -> None:
        """Look at the reports that have come since this was done last."""
        if self._new.size:
            new, self._new = Static(self._new.since(0)), Arrived(self.empty())
            ships = self._unfolding.take(new, self._rows_of, self._by_ship, self.repeats)
            self._said = np.union1d(self._said, ships).astype(np.uint32)

    def said(self) -> NDArray[np.uint32]:
        """The ships of which something new was said since this was called last."""
        self._unfold()
        ships, self._said = self._said, np.zeros(0, np.uint32)
        return ships

    def identity(self) -> Identities:
        """What ships said of themselves, as intervals; later reports change them in place."""
        self._unfold()
        return self._unfolding.identities

    def identity_anew(self) -> Identities:
        """The same, from all reports."""
        anew = Unfolding()
        anew.join_all(self._by_ship, self.repeats)
        return anew.identities


def _chosen(rows: Rows, which: NDArray[np.bool_]) -> Rows:
    return {name: column[which] for name, column in rows.items()}


def by_ship(rows: Rows) -> Rows:
    """Rows in the order of their ships, of the same ship in that of arrival."""
    order = np.argsort(rows["mmsi"], kind="stable")
    return {name: column[order] for name, column in rows.items()}


def by_time(rows: Rows) -> Rows:
    """Rows in the order of their time, of the same time in that of arrival."""
    order = np.argsort(rows["t"], kind="stable")
    return {name: column[order] for name, column in rows.items()}
