"""Positions that are held for the archive: beyond a piece they lie in a file without a name, in parts of the Earth.

The parts are read one at a time, so that a large batch can be written with little memory. The file is gone when the
process is: the checkpoint has the rows, or the journal.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.table import FIX_DTYPES
from detectors.history import Block
from detectors.snapshot import Pieces
from geo.cells import cells
from geo.nameless_file import NamelessFile
from luxwake.daemon.archive_files import RESOLUTION, ArchiveRows, Columns

PIECE_ROWS = 1 << 16
"""Rows in memory, 3.5 MB; more go to the file together."""
PARTS = 16
"""Parts of the Earth, each of the base cells of H3 with the same rest: a cell lies in one of them."""
_DTYPES = {name: np.dtype(FIX_DTYPES[name]) for name in (*ArchiveRows.order, "cell")}


class _Piece(NamedTuple):
    """Rows ordered by part, in memory or at a place of the file; part k is that from `cuts[k]` to `cuts[k + 1]`."""

    place: int
    cuts: tuple[int, ...]
    rows: Columns | None


class Held:
    """Rows in the order of arrival.

    Parameters
    ----------
    folder : where the file may lie
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._block = _block()
        self._pieces: list[_Piece] = []
        self._file: NamelessFile | None = None
        self._end = 0

    @property
    def rows(self) -> int:
        """How many there are."""
        return self._block.size + sum(piece.cuts[-1] for piece in self._pieces)

    def add(self, columns: Columns) -> None:
        """Take rows, as copies."""
        at = 0
        while at < columns["t"].size:
            at += self._block.add(columns, at)
            if self._block.is_full:
                self._put_away()

    def _put_away(self) -> None:
        """Order what is new by part, and write it to the file; where the disk is full it stays in memory."""
        rows, self._block = _with_cells(self._block.rows), _block()
        part = ((rows["cell"] >> np.uint64(45)) & np.uint64(PARTS - 1)).astype(np.uint8)
        order = np.argsort(part, kind="stable")
        rows = {name: column[order] for name, column in rows.items()}
        cuts = (0, *np.cumsum(np.bincount(part, minlength=PARTS)).tolist())
        with suppress(OSError):
            place = self._end
            self._write(rows)
            self._pieces.append(_Piece(place, cuts, None))
            return
        self._pieces.append(_Piece(0, cuts, rows))

    def _write(self, rows: Columns) -> None:
        if self._file is None:
            self._file = NamelessFile(self._folder)
        at = self._end
        for column in rows.values():
            at = self._file.write(column, at)
        self._end = at

    def _read(self, piece: _Piece, name: str, begin: int, end: int) -> NDArray[Any]:
        if piece.rows is not None:
            return piece.rows[name][begin:end]
        assert self._file is not None
        before = itertools.takewhile(lambda other: other != name, _DTYPES)
        at = piece.place + piece.cuts[-1] * sum(_DTYPES[other].itemsize for other in before)
        return self._file.read(_DTYPES[name], end - begin, at + begin * _DTYPES[name].itemsize)

    def column(self, name: str) -> Pieces:
        """A column of all rows; those of a part are in the order of arrival."""
        return Pieces(_DTYPES[name], (self.rows,), partial(self._read_all, name))

    def _read_all(self, name: str) -> Iterator[NDArray[Any]]:
        yield from (self._read(piece, name, 0, piece.cuts[-1]) for piece in self._pieces)
        yield self._block.rows[name]

    def seal(self) -> None:
        """Nothing is added any more: another thread may read them."""
        if self._pieces and self._block.size:
            self._put_away()

    def parts(self) -> Iterator[Columns]:
        """The rows, with their cells, a part at a time; all at once where they are few. They must be sealed."""
        if not self._pieces:
            yield _with_cells(self._block.rows)
            return
        for part in range(PARTS):
            yield {
                name: np.concatenate([self._read(p, name, *p.cuts[part : part + 2]) for p in self._pieces])
                for name in _DTYPES
            }

    def close(self) -> None:
        """They are needed no more."""
        if self._file is not None:
            self._file.close()


def _block() -> Block:
    return Block({name: np.zeros(0, _DTYPES[name]) for name in ArchiveRows.order}, PIECE_ROWS)


def _with_cells(rows: Columns) -> Columns:
    ordered = {name: rows[name] for name in ArchiveRows.order}
    return {**ordered, "cell": cells(rows["lat"], rows["lon"], RESOLUTION)}
