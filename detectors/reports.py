"""What ships said of themselves, as a watch keeps it: static reports in no more room than they need."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.identity import Identities, condensed, no_repeats, plain
from ais.identity_stream import Ships, Unfolding, among
from ais.table import NAT, STATIC_DTYPES, Static, columns_of
from detectors.history import Arrived, Piece, Rows, chosen, joined
from detectors.spool import Memory

SPAN_ROWS = 1 << 16
"""Static reports of a piece that is kept apart: 8.5 MB."""
MOST_REPORTS = 1 << 19
"""Static reports that are kept as they came, 129 B each: an hour of 50,000 ships that send one each six minutes (ITU-R
M.1371), if each is heard."""
CONDENSED_SHARE = 8
"""Of more than these one in so many is condensed at once."""
MOST_STRANGERS = 8
"""Of the reports that are kept at most, one in so many may be of ships that are not followed."""
MOST_OF_A_SHIP = 1024
"""Condensed reports of a ship where more are kept than may be, some hundred changes; halved as often as it must be."""
FEWEST_CONDENSED = 1 << 16
"""Condensed reports that may always be kept."""
LET_GO = "static reports let go (as many are kept as may be)"
CONDENSED_ROWS = 4
"""For each vessel that may be followed so many more: its first and last report of two kinds."""
LEAST_CONDENSED = 1024
"""New static reports for which it is worth looking."""


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
    numbers: tuple[int, ...]
    """Reports that were let go of, those that are few, the time before which none is waited for, and how many of the
    last have not been looked at; () at first."""


class Reports:
    """Static reports as they come, and the identities that follow from them.

    Those before the time of `forget` are condensed to what ships have changed (`ais.identity.condensed`), whenever half
    of the rows are new: so no more is kept than twice the changes and the reports since. Where these are more than
    `most`, the oldest are condensed sooner: a later report of that time that repeats what was said is then not counted.

    Parameters
    ----------
    shelf : where pieces of `SPAN_ROWS` lie, by ship what is condensed, the rest in the order of arrival
    most : reports that are kept as they came
    saved : what `saved` gave, with the names of pieces that the shelf still has
    most_condensed : condensed reports that are kept; where there are more, ships are let go that are not followed, the
        longest silent first, and then the oldest changes of those that changed most often; None: all
    followed : gives the MMSIs of the ships that are followed
    """

    def __init__(
        self,
        shelf: Memory | None = None,
        most: int = MOST_REPORTS,
        saved: Saved | None = None,
        *,
        most_condensed: int | None = None,
        followed: Callable[[], Ships] = lambda: np.zeros(0, np.uint32),
    ) -> None:
        self._shelf, self.most = shelf if shelf is not None else Memory(), most
        """It may be changed."""
        self._most_condensed, self._followed = most_condensed, followed
        saved = saved if saved is not None else Saved(self.empty(), no_repeats(), np.zeros(0, np.uint32), [], [], ())
        self.repeats = saved.repeats
        self._recent = Arrived(saved.rows, self._shelf, saved.pieces, SPAN_ROWS)
        self._spans = list(saved.spans)
        self.let_go, self._few, self._limit, new = saved.numbers or (0, 0, NAT, 0)
        self._unfolding, self._new = Unfolding(), Arrived(self.empty())
        self._unfolding.join_all(lambda: self._by_ship(new), self.repeats)
        self._new.add(self._recent.since(self._recent.size - new))
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
        return joined([self.empty(), *self.parts()])

    def saved(self) -> Saved:
        """All that it knows; the rows that are not on the shelf are few. It changes nothing."""
        numbers = self.let_go, self._few, self._limit, self._new.size
        return Saved(self._recent.newest, self.repeats, self._said, self._recent.shelved, self._spans, numbers)

    def parts(self, but: int = 0) -> Iterator[Rows]:
        """All rows but the last ones, a piece at a time."""
        left = self._size - but
        for rows in itertools.chain((self._shelf.get(span.kept) for span in self._spans), self._recent.parts()):
            yield {name: column[:left] for name, column in rows.items()} if rows["t"].size > left else rows
            left = max(0, left - rows["t"].size)

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
        if self._size < 2 * self._few + LEAST_CONDENSED and self._recent.size <= self.most:
            return
        self._unfold()  # what is new is the last of the recent ones, in their order
        before = self._limit
        if self._recent.size > self.most:
            t = np.concatenate([piece["t"] for piece in self._recent.parts()])
            n = t.size - self.most + self.most // CONDENSED_SHARE
            before = max(before, int(np.partition(t, n)[n]) + 1)
        if before != NAT:
            old = by_ship(self._recent.take_before(before))
            self._spans = self._spans or [Span(self._shelf.put(self.empty()), 0, 0)]
            self._spans = [one for each in self._by_span(old["mmsi"]) for one in self._condensed(*each, old, before)]
            if self._most_condensed is not None and sum(span.size for span in self._spans) > self._most_condensed:
                self._let_go(self._most_condensed)
        self._few = self._size

    def _by_span(self, ships: NDArray[np.uint32]) -> Iterator[tuple[Span, slice]]:
        """Each span, and where its ships stand among these, which are in order."""
        firsts = [0, *(span.mmsi for span in self._spans[1:])]
        cuts = np.searchsorted(ships, [*firsts[: len(self._spans)], 1 << 32]).tolist()
        yield from zip(self._spans, itertools.starmap(slice, itertools.pairwise(cuts)), strict=True)

    def _condensed(self, span: Span, part: slice, old: Rows, before: int) -> Iterator[Span]:
        """A span with a part of other rows."""
        rows = joined([self._shelf.get(span.kept), {name: column[part] for name, column in old.items()}])
        few = condensed(Static(rows), self.repeats, before)
        self._shelf.drop(span.kept)
        yield from self._as_spans(by_ship(dict(few.columns)), span.mmsi)

    def _let_go(self, most: int) -> None:
        """Let go of condensed reports until a quarter fewer are kept than may be, or of each ship the last."""
        both = [[self._shelf.get(span.kept)[name] for name in ("mmsi", "t")] for span in self._spans]
        mmsi, t = map(np.concatenate, zip(*both, strict=True))
        kept, begin = kept_of(mmsi, t, np.unique(self._followed()), most), 0
        self.let_go += int(np.count_nonzero(~kept))
        spans, self._spans = self._spans, []
        for span in spans:
            rows = chosen(self._shelf.get(span.kept), kept[begin : begin + span.size])
            begin += span.size
            self._shelf.drop(span.kept)
            self._spans += self._as_spans(rows, span.mmsi)
        self._unfolding.again(np.unique(mmsi[~kept]), self._rows_of, self._by_ship, self.repeats)

    def _as_spans(self, rows: Rows, mmsi: int) -> Iterator[Span]:
        """Rows in the order of their ships, from the given one on, as pieces on the shelf, none with half of a ship."""
        n = rows["t"].size
        ends: NDArray[np.int64] = np.append(np.flatnonzero(np.diff(rows["mmsi"])) + 1, n)
        begin = 0
        while begin < n:
            end = int(ends[min(int(np.searchsorted(ends, begin + SPAN_ROWS // 2)), ends.size - 1)])
            end = end if n - end >= SPAN_ROWS // 4 else n
            part = {name: column[begin:end].copy() for name, column in rows.items()}
            yield Span(self._shelf.put(part), int(rows["mmsi"][begin]) if begin else mmsi, end - begin)
            begin = end

    def _rows_of(self, ships: NDArray[np.uint32]) -> Static:
        """All reports of some ships."""
        spans = [span.kept for span, part in self._by_span(ships) if part.start < part.stop]
        parts = itertools.chain(map(self._shelf.get, spans), self._recent.parts())
        own = [chosen(piece, among(piece["mmsi"], ships)) for piece in parts]
        return Static(joined([self.empty(), *own]))

    def _by_ship(self, but: int = 0) -> Iterator[Static]:
        """All reports but the last ones, some ships at a time, in the order of these."""
        mmsi = np.sort(np.concatenate([piece["mmsi"] for piece in self.parts(but)]))
        cuts = np.unique(np.append(mmsi[:: 2 * SPAN_ROWS], np.uint32(0))).tolist()
        for begin, end in itertools.pairwise([*cuts, 1 << 32]):
            own = [chosen(one, (one["mmsi"] >= begin) & (one["mmsi"] < end)) for one in self.parts(but)]
            yield Static(joined([self.empty(), *own]))

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


def kept_of(mmsi: Ships, t: NDArray[np.int64], followed: Ships, most: int) -> NDArray[np.bool_]:
    """Which of condensed reports are kept where more than `most` are.

    >>> ships, t = np.array([1, 1, 1, 2, 3, 3], np.uint32), np.array([1, 2, 3, 0, 5, 6])
    >>> kept_of(ships, t, np.array([1], np.uint32), 5).tolist()
    [True, True, True, False, False, False]
    """
    ships, place = np.unique(mmsi, return_inverse=True)
    n, latest = np.bincount(place), np.full(ships.size, NAT)
    np.maximum.at(latest, place, t)
    strangers = np.flatnonzero(~among(ships, followed))
    strangers = strangers[np.argsort(-latest[strangers], kind="stable")]
    stays = np.ones(ships.size, np.bool_)
    stays[strangers] = np.cumsum(n[strangers]) <= most // MOST_STRANGERS
    of_each = MOST_OF_A_SHIP
    while of_each > 2 and np.minimum(n[stays], of_each).sum() > 3 * most // 4:
        of_each //= 2
    newest_first = np.lexsort((-t, place))
    rank = np.empty(t.size, np.int64)
    rank[newest_first] = np.arange(t.size) - np.repeat(np.cumsum(n) - n, n)
    return np.asarray(stays[place] & (rank < of_each))


def by_ship(rows: Rows) -> Rows:
    """Rows in the order of their ships, of the same ship in that of arrival."""
    order = np.argsort(rows["mmsi"], kind="stable")
    return {name: column[order] for name, column in rows.items()}
