"""Doubts about cells, gathered by column and told by row."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cargo.fieldcolumns import Doubt
from cargo.rowfile import RowFile
from cargo.texts import Texts
from geo.errors import InputError

MOST_WARNINGS = 100_000
"""Doubts that are told one by one; all are counted."""


@dataclass(frozen=True, slots=True)
class RowWarning:
    """One doubt about one cell: `row` is the 1-based data row, `line` the line in the file."""

    row: int
    column: str
    value: str
    message: str
    line: int

    def __str__(self) -> str:
        return f"line {self.line}: {self.column} {self.value[:80]!r}: {self.message}"


class Warnings:
    """The doubts about a file: counted by column, and the first of them as `RowWarning`."""

    def __init__(self, path: str, file: RowFile) -> None:
        self.path, self._file = path, file
        self.counts: Counter[str] = Counter()
        self._found: list[Doubt] = []
        self._rows = [RowWarning(one.row, "row", "", f"left out: {one.reason}", one.line) for one in file.rejects]
        n = len(file.header)
        for index, cells in file.short:
            self.counts["warning: row"] += 1
            words = f"{cells} cells under {n} headings; the rest is taken as unknown"
            self._rows.append(RowWarning(int(file.row[index]), "row", "", words, int(file.line[index])))

    def add(self, doubt: Doubt) -> None:
        """Note the doubts about a column."""
        self.counts[f"warning: {doubt.column}"] += len(doubt.rows)
        self._found.append(doubt)

    def add_reversed(self, reverse: NDArray[np.bool_], arrive: Texts, depart: Texts) -> None:
        """Note the rows whose arrival is before their departure."""
        rows = np.flatnonzero(reverse)
        if rows.size:
            self.counts["warning: arrive_date"] += len(rows)
            for row in rows[:MOST_WARNINGS].tolist():
                words = f"before the departure {depart[row][:40]}; both are kept as claims, compare the document"
                line = int(self._file.line[row])
                self._rows.append(RowWarning(int(self._file.row[row]), "arrive_date", arrive[row], words, line))

    def first(self) -> list[RowWarning]:
        """The first doubts in the order of the rows."""
        places = [np.full(len(doubt.rows), i) for i, doubt in enumerate(self._found)]
        rows: NDArray[Any] = np.concatenate([np.zeros(0, np.intp), *(doubt.rows for doubt in self._found)])
        which: NDArray[Any] = np.concatenate([np.zeros(0, np.intp), *places])
        order = np.lexsort((which, rows))[:MOST_WARNINGS]
        told = [
            self._told(self._found[i], row) for i, row in zip(which[order].tolist(), rows[order].tolist(), strict=True)
        ]
        return sorted([*self._rows, *told], key=lambda one: one.row)[:MOST_WARNINGS]

    def _told(self, doubt: Doubt, row: int) -> RowWarning:
        code = int(doubt.texts.codes[row])
        value, message = doubt.texts.values[code], doubt.messages[code]
        return RowWarning(int(self._file.row[row]), doubt.column, value, message, int(self._file.line[row]))

    def raise_first(self) -> None:
        """InputError with the first doubt, if there is any."""
        for one in self.first()[:1]:
            raise InputError(f"{self.path}: {one}")
