"""Columns of a table as files hold them: values that are there, and which rows have none.

A `Table` marks "not available" inside its arrays (NaN, a sentinel of an integer column, an empty text); a file has a
null instead. `cells_of` makes that step once for every format that we write ourselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.table import NAT, Table


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """One column.

    Attributes
    ----------
    name : as in the table
    kind : "time" (int64 µs since 1970 UTC), "number" or "text"
    dtype : of the values, native byte order; of a text the empty string dtype `S0`
    optional : whether the column may hold nulls, in this piece or another
    values : (n,) of all rows, the ones without a value included; texts as bytes (`S`, or objects of any length), or
        as the number of a word
    valid : (n,) bool, True where the row has a value; None where all have
    words : of a text column that is stored as codes, the text of each code
    """

    name: str
    kind: str
    dtype: np.dtype[Any]
    optional: bool
    values: NDArray[Any]
    valid: NDArray[np.bool_] | None
    words: NDArray[np.bytes_] | None = None

    def held(self) -> NDArray[Any]:
        """The values of the rows that have one."""
        return self.values if self.valid is None else self.values[self.valid]

    def texts(self) -> NDArray[Any]:
        """The texts of all rows, of codes too; empty where there is none."""
        if self.words is None:
            return self.values
        texts: NDArray[Any] = np.append(self.words, b"")[np.minimum(self.values, len(self.words))]
        return texts


def join_cells(pieces: Sequence[Cells]) -> Cells:
    """Pieces of one column, one after the other."""
    first = pieces[0]
    if len(pieces) == 1:
        return first
    valid = None
    if any(piece.valid is not None for piece in pieces):
        every = [np.ones(len(piece.values), bool) if piece.valid is None else piece.valid for piece in pieces]
        valid = np.concatenate(every)
    values = np.concatenate([piece.values for piece in pieces])
    return replace(first, values=values, valid=valid)


def cut_cells(cells: Cells, rows: slice) -> Cells:
    """Some of the rows of a column."""
    valid = None if cells.valid is None else cells.valid[rows]
    name, kind, dtype, optional, words = cells.name, cells.kind, cells.dtype, cells.optional, cells.words
    return Cells(name, kind, dtype, optional, cells.values[rows], valid, words)  # `replace` takes six times as long


TEXT = np.dtype("S0")
"""The dtype that `Cells` gives for texts of any length."""


def cells_of(table: Table, name: str) -> Cells:
    """One column of a table, its sentinels turned into nulls as `Table.to_arrow` does.

    >>> import numpy as np
    >>> cells = cells_of(Table({"sog": np.array([1.5, np.nan], np.float32)}), "sog")
    >>> cells.kind, cells.optional, cells.valid.tolist(), cells.held().tolist()
    ('number', True, [True, False], [1.5])
    """
    column = table[name]
    if name in table.words:
        words = np.array([word.encode() for word in table.words[name]], "S")
        codes = column.astype(np.uint16, copy=False)
        known = np.zeros(1 << 16, bool)
        known[: len(words)] = words != b""
        return Cells(name, "text", TEXT, True, codes, _unless_all(known[codes]), words)
    if column.dtype.kind in "SUO":
        return _texts(name, column)
    values = np.ascontiguousarray(column, column.dtype.newbyteorder("="))
    if name in table.times:
        stamps = values.astype(np.int64, copy=False)
        return Cells(name, "time", stamps.dtype, True, stamps, _unless_all(stamps != NAT))
    if values.dtype.kind == "f":
        return Cells(name, "number", values.dtype, True, values, _unless_all(values == values))
    if name in table.nulls:
        return Cells(name, "number", values.dtype, True, values, _unless_all(values != table.nulls[name]))
    return Cells(name, "number", values.dtype, False, values, None)


def _unless_all(valid: NDArray[Any]) -> NDArray[np.bool_] | None:
    return None if valid.all() else valid


def _texts(name: str, column: NDArray[Any]) -> Cells:
    """A column of texts; empty ones are null, and bytes that are no UTF-8 become the replacement character."""
    if column.dtype.kind == "S":
        plain = column.dtype.itemsize == 0 or not (np.ascontiguousarray(column).view(np.uint8) & 0x80).any()
        if plain:
            return Cells(name, "text", TEXT, True, column, _unless_all(column != b""))
    texts = np.empty(len(column), object)
    texts[:] = [_utf8(value) for value in column.tolist()]
    return Cells(name, "text", TEXT, True, texts, _unless_all(texts != b""))


def _utf8(value: Any) -> bytes:
    if value is None:
        return b""
    return (
        value.decode("utf-8", "replace").encode() if isinstance(value, bytes) else str(value).encode(errors="replace")
    )
