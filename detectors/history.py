"""What a watch keeps of its feed: the rows that late ones may set in motion again, what ships said of themselves, and
the names of the inputs; each in no more room than it needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.identity import FIELDS, Identities, identities
from ais.table import STATIC_DTYPES, Static, columns_of
from detectors.event import EVENT

Rows = dict[str, NDArray[Any]]

MOST_INPUTS = 65_535
"""Inputs that a code of 16 bits tells apart, one left for `OTHERS`."""
OTHERS = "(a later input)"
"""What every input beyond `MOST_INPUTS` is called."""
PACKED = np.dtype([(name, EVENT[name]) for name in EVENT.names or ()])
"""A record of `EVENT` without padding, whose bytes are the same when its values are."""
CONDENSED_ROWS = 4096
"""Static reports below which it is not worth while to look for those that say nothing new."""


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


class Arrived:
    """Rows in the order of arrival, in pieces that are joined so that single rows do not cost a piece each.

    >>> arrived = Arrived({"t": np.zeros(0, np.int64)})
    >>> for t in range(100):
    ...     arrived.add({"t": np.array([t])})
    >>> arrived.size, arrived.since(97)["t"].tolist(), len(arrived.pieces) < 8
    (100, [97, 98, 99], True)
    """

    def __init__(self, rows: Rows) -> None:
        self.pieces = [rows]

    @property
    def size(self) -> int:
        """The number of rows."""
        return sum(_length(piece) for piece in self.pieces)

    def add(self, rows: Rows) -> None:
        """Take rows, as copies: the feed may use their memory again."""
        self.pieces.append({name: column.copy() for name, column in rows.items()})
        while len(self.pieces) > 1 and _length(self.pieces[-2]) <= 2 * _length(self.pieces[-1]):
            last, before = self.pieces.pop(), self.pieces.pop()
            self.pieces.append(_joined([before, last]))

    def since(self, begin: int) -> Rows:
        """The rows from the given one on."""
        return {name: column[begin:] for name, column in _joined(self.pieces).items()}

    def keep(self, begin: int, end: int | None = None) -> None:
        """Let go of all rows outside of these."""
        self.pieces = [{name: column[begin:end].copy() for name, column in _joined(self.pieces).items()}]


def _length(rows: Rows) -> int:
    return int(rows["t"].size)


def _joined(pieces: Sequence[Rows]) -> Rows:
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


class Reports:
    """Static reports as they come, and the identities that follow from them.

    Of equal reports that follow each other only the first and the last tell something (`ais.identity`); those between
    them are let go once they are too old for a late report to come between.
    """

    def __init__(self, rows: Mapping[str, NDArray[Any]] | None = None) -> None:
        self.rows: Rows = dict(rows) if rows is not None else columns_of(STATIC_DTYPES, 0)
        self._known: Identities | None = None
        self._condensed = 0

    def add(self, rows: Mapping[str, NDArray[Any]], oldest: int) -> None:
        """Take reports; later ones are not older than `oldest`, in µs."""
        if rows["t"].size == 0:
            return
        self._known = None
        self.rows = {
            name: np.concatenate([column, rows[name].astype(column.dtype)]) for name, column in self.rows.items()
        }
        if _length(self.rows) > 2 * self._condensed + CONDENSED_ROWS:
            kept = telling(self.rows, oldest)
            self.rows = {name: column[kept] for name, column in self.rows.items()}
            self._condensed = kept.size

    def identity(self) -> Identities:
        """What ships said of themselves, as intervals."""
        if self._known is None:
            self._known = identities(Static(self.rows))
        return self._known


def telling(rows: Rows, oldest: int) -> NDArray[np.int64]:
    """The reports that make a difference to `identities`, now and when more come that are not older than `oldest`.

    These are the first and the last of each run of equal reports before that time, and all from that time on.

    >>> rows = {**columns_of(STATIC_DTYPES, 6), "t": np.arange(6)}
    >>> telling(rows, 4).tolist()
    [0, 3, 4, 5]
    """
    old = np.flatnonzero(rows["t"] < oldest)
    part = rows["msg_type"][old].astype(np.int64) * 2 + (rows["name"][old] != b"")
    order = old[np.lexsort((rows["t"][old], part, rows["mmsi"][old]))]
    if order.size == 0:
        return np.arange(_length(rows))
    part = rows["msg_type"][order].astype(np.int64) * 2 + (rows["name"][order] != b"")
    same = (np.diff(rows["mmsi"][order].astype(np.int64)) == 0) & (np.diff(part) == 0)
    for name in FIELDS:
        column = rows[name][order]
        nan = (column[1:] != column[1:]) & (column[:-1] != column[:-1])
        same &= (column[1:] == column[:-1]) | nan
    inside = np.concatenate([[False], same]) & np.concatenate([same, [False]])
    kept = np.ones(_length(rows), np.bool_)
    kept[order[inside]] = False
    return np.flatnonzero(kept)


def cut(rows: NDArray[Any]) -> list[bytes]:
    """Each row of unpadded records as bytes."""
    size = rows.dtype.itemsize
    data = rows.tobytes()
    return [data[k * size : (k + 1) * size] for k in range(rows.size)]


def bytes_of(records: NDArray[Any]) -> list[bytes]:
    """Each event as bytes in which padding does not stand."""
    return cut(records.astype(PACKED))
