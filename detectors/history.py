"""What a watch keeps of its feed: the rows that late ones may set in motion again, what ships said of themselves, and
the names of the inputs; each in no more room than it needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.identity import Identities, condensed, identities, no_repeats, plain
from ais.table import STATIC_DTYPES, Static, columns_of

Rows = dict[str, NDArray[Any]]

MOST_INPUTS = 65_535
"""Inputs that a code of 16 bits tells apart, one left for `OTHERS`."""
OTHERS = "(a later input)"
"""What every input beyond `MOST_INPUTS` is called."""
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

    Those before the time of `forget` are condensed to what ships have changed (`ais.identity.condensed`), whenever half
    of the rows are new: so no more is kept than twice the changes and the reports since.
    """

    def __init__(
        self, rows: Mapping[str, NDArray[Any]] | None = None, repeats: NDArray[np.uint8] | None = None
    ) -> None:
        empty = {**columns_of(STATIC_DTYPES, 0), **plain(0)}
        self._arrived = Arrived(dict(rows) if rows is not None else empty)
        self.repeats = repeats if repeats is not None else no_repeats()
        self._few = self._arrived.size
        self._known: Identities | None = None

    @property
    def rows(self) -> Rows:
        """The reports in the order of arrival, some for several."""
        return self._arrived.since(0)

    def add(self, rows: Mapping[str, NDArray[Any]]) -> None:
        """Take reports."""
        if rows["t"].size:
            self._known = None
            own = {name: rows[name].astype(dtype) for name, dtype in STATIC_DTYPES.items()}
            self._arrived.add({**own, **plain(rows["t"].size)})

    def forget(self, before: int) -> None:
        """No report from before this time, in µs, is waited for any more."""
        if self._arrived.size >= 2 * self._few + LEAST_CONDENSED:
            self._arrived = Arrived(dict(condensed(Static(self.rows), self.repeats, before).columns))
            self._few = self._arrived.size

    def identity(self) -> Identities:
        """What ships said of themselves, as intervals."""
        if self._known is None:
            self._known = identities(Static(self.rows), self.repeats)
        return self._known
