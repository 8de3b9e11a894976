"""Columns of texts in which most texts repeat: each is kept once, with its number in every row."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FEW = 50_000
"""Texts from which on a column of ever new ones is no longer looked up."""
_MOSTLY_NEW = 0.6
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def seen_text(text: str) -> str:
    """A cell without spaces around it and without characters that nobody sees: control, direction, lone surrogates.

    Line breaks and tabs inside stay.

    >>> seen_text(" SEA\\u202e LARK\\x1b[2J\\n5 ")
    'SEA LARK[2J\\n5'
    """
    return text.strip() if text.isprintable() else _UNSEEN.sub("", text).strip()


class Texts:
    """One column: row `i` holds `values[codes[i]]`. No text of `values` need be the only one of its kind."""

    __slots__ = ("codes", "values")

    def __init__(self, codes: NDArray[Any], values: Sequence[str]) -> None:
        self.codes, self.values = codes, values

    def __len__(self) -> int:
        return int(self.codes.shape[0])

    def __getitem__(self, row: int) -> str:
        return self.values[int(self.codes[row])]

    def __iter__(self) -> Iterator[str]:
        return map(self.values.__getitem__, self.codes.tolist())

    def array(self) -> NDArray[Any]:
        """(n,) object array of the texts."""
        return spread(self.values, self.codes, "O")

    def map(self, change: Callable[[str], str]) -> Texts:
        """The column with each distinct text changed."""
        made = [change(value) for value in self.values]
        return self if made == self.values else Texts(self.codes, made)

    def where(self, flags: Iterable[bool]) -> NDArray[np.bool_]:
        """(n,) mask of the rows whose text has its flag; `flags` goes by `values`."""
        marks: NDArray[np.bool_] = np.fromiter(flags, np.bool_, len(self.values))[self.codes]
        return marks

    def take(self, rows: NDArray[Any] | slice) -> Texts:
        """The given rows."""
        return Texts(self.codes[rows], self.values)


def spread(values: Sequence[Any], codes: NDArray[Any], dtype: str) -> NDArray[Any]:
    """One value for each row from one for each distinct text."""
    if dtype != "O":
        return np.array(values, dtype)[codes] if len(values) else np.zeros(len(codes), dtype)
    if len(codes) < len(values):  # a few of the rows
        few = np.empty(len(codes), object)
        few[:] = [values[code] for code in codes.tolist()]
        return few
    made = np.empty(len(values), object)
    made[:] = values
    return made[codes] if len(values) else np.empty(len(codes), object)


def constant(text: str, n: int) -> Texts:
    """A column that holds one text everywhere."""
    return Texts(np.zeros(n, np.uint8), [text])


class _Numbers(dict[str, int]):
    """The number of each text; a new text gets the next."""

    def __missing__(self, text: str) -> int:
        self[text] = number = len(self)
        return number


class TextsBuilder:
    """Gathers a column piece by piece.

    As long as texts repeat, each is looked up and kept once. A column of ever new texts (numbers of bills) is kept as
    it comes: the table of its texts would be larger than they are.
    """

    def __init__(self, before: int = 0) -> None:
        """`before` rows that lack this column hold the empty text."""
        self._numbers: _Numbers | None = _Numbers({"": 0})
        self._values: list[str] = []
        self._codes = array("B", bytes(before))  # grown in place: many small arrays would leave holes in memory
        self._n = before

    def extend(self, texts: Sequence[str]) -> None:
        """Add the texts of the next rows."""
        self._n += len(texts)
        if self._numbers is None:
            first = len(self._values)
            self._values.extend(texts)
            self._add(np.arange(first, len(self._values), dtype=np.int32), "i")
            return
        n, common = len(texts), texts[0] if texts else ""
        if n > 2 and texts[n // 2] == common == texts[-1] and texts.count(common) == n:  # a third of all columns
            codes = np.full(n, self._numbers[common], np.int32)
        else:
            codes = np.fromiter(map(self._numbers.__getitem__, texts), np.int32, n)
        n = len(self._numbers)
        self._add(codes, "B" if n <= 256 else "H" if n <= 65_536 else "i")
        if n > max(_FEW, _MOSTLY_NEW * self._n):
            self._values, self._numbers = list(self._numbers), None

    def _add(self, codes: NDArray[np.int32], width: str) -> None:
        if width != self._codes.typecode:
            wider = np.frombuffer(self._codes, self._codes.typecode).astype(width)
            self._codes = array(width, wider.tobytes())
        self._codes.frombytes(codes.astype(width, copy=False).tobytes())

    def finish(self) -> Texts:
        """The column; the builder is then empty."""
        values = self._values if self._numbers is None else list(self._numbers)
        codes = np.frombuffer(self._codes, self._codes.typecode)
        self._codes, self._values, self._numbers = array("B"), [], None
        return Texts(codes, values)
