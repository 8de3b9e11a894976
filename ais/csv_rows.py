"""Rows of AIS in CSV: the bytes of a chunk become columns, in one pass of a compiled reader.

A row is a line; a line end inside quotes ends the row. Each row keeps the byte offset of its first byte in the
unpacked source. A row that cannot be used is counted under its reason, and so is a value that had to be taken as not
available; the sentinels of ITU-R M.1371 (latitude 91, longitude 181, speed 102.3, course 360, heading 511) are not
available by definition and are not counted as faults.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.csv_fields import (
    COG,
    FIX_RECORD,
    HEADING,
    LAT,
    LON,
    N_FIELDS,
    REASONS,
    SOG,
    WRONG_FIELDS,
    T,
    check_motion,
    nav_status_of,
    position_fault,
    station_of,
    vessel_of,
)
from ais.csv_layout import Layout, layout_of
from ais.csv_scan import CR, LF, end_table, mark_ends, scan_row
from ais.csv_static import CACHE_RECORD, CACHE_SLOTS, STATIC_FIELDS, STATIC_RECORD, changes_of, note_static
from ais.sources import CHUNK_BYTES, LONGEST_LINE, Chunk, Reader, chunks, open_bytes
from ais.table import FIX_DTYPES, STATIC_DTYPES, Fixes, Static, columns_of
from geo.errors import InputError
from geo.kernel import kernel

LAYOUT_HEAD_BYTES = 1 << 20
"""How much of a file may tell the order of day and month."""
WINDOW_BYTES = 1 << 18
BLOCK_ROWS = 1 << 14  # 1 MB of records stays in the cache of a core
BLOCK_STATIC = 1 << 12
Columns = dict[str, NDArray[Any]]

LONG_LINE = "line over 1 MiB"


@kernel
def read_rows(
    words, data, p, n, base, fields, is_end, day_first, ends, marks, values, cache, fixes, k, static, m, counts
):
    """Read the next rows of data[p:n], up to a window or a full block.

    They follow the `k` fixes and `m` static rows that the block holds; returns (place, k, m) after them.
    """
    marked = mark_ends(data, p, min(n, p + WINDOW_BYTES), n, is_end, ends)
    if marked == 0:
        marked = mark_ends(data, p, min(n, p + LONGEST_LINE), n, is_end, ends)
    i = np.int64(0)
    while i < marked and k < fixes.shape[0] and m < static.shape[0]:
        if ends[i] == p and (p == n or data[p] == LF or data[p] == CR):
            p += 1
            i += 1
            continue
        offset = base + p
        i, columns, static_hash = scan_row(words, data, p, n, ends, i, fields, day_first, marks, values)
        p = ends[i - 1] + 1
        if columns != fields.shape[0]:
            counts[WRONG_FIELDS] += 1
            continue
        msg_type, fault = station_of(data, marks, values)
        mmsi = 0
        if fault < 0:
            mmsi, fault = vessel_of(marks, values)
        if fault >= 0:
            counts[fault] += 1
            continue
        if note_static(data, marks, values, static_hash, day_first, cache, mmsi, static[m]):
            static[m].t = marks[T, 0]
            static[m].msg_type = 5 if msg_type == 1 else (24 if msg_type == 18 else msg_type)
            static[m].offset = offset
            m += 1
        fault = position_fault(marks, values)
        if fault >= 0:
            counts[fault] += 1
            continue
        fix = fixes[k]
        fix.t = marks[T, 0]
        fix.mmsi = mmsi
        fix.lat = values[LAT]
        fix.lon = values[LON]
        check_motion(marks, values, counts)
        fix.sog = values[SOG]
        fix.cog = values[COG]
        fix.heading = values[HEADING]
        fix.nav_status = nav_status_of(data, marks, values, counts)
        fix.msg_type = msg_type
        fix.offset = offset
        k += 1
    return p, k, m


class CsvReader:
    """Reads the chunks of one CSV, in order, into fixes.

    `counts` holds the reasons so far. Static rows may repeat the values of the row before them; `changes_of` drops
    those.
    """

    def __init__(self, layout: Layout, source: int = 0) -> None:
        self.layout = layout
        self.source = source
        self.long_lines = 0
        self._counts = np.zeros(len(REASONS), np.int64)
        self._is_end = end_table(layout.delimiter)
        self._ends = np.zeros(LONGEST_LINE + 1, np.int64)
        self._marks = np.zeros((N_FIELDS, 3), np.int64)
        self._values = np.full(N_FIELDS, np.nan)
        self._cache = np.zeros(CACHE_SLOTS, CACHE_RECORD).view(np.recarray)
        self._fixes = np.zeros(BLOCK_ROWS, FIX_RECORD).view(np.recarray)
        self._static = np.zeros(BLOCK_STATIC, STATIC_RECORD).view(np.recarray)

    @property
    def counts(self) -> dict[str, int]:
        """Number of rows and values that were not used, by reason."""
        found = {reason: int(n) for reason, n in zip(REASONS, self._counts, strict=True) if n}
        return found | ({LONG_LINE: self.long_lines} if self.long_lines else {})

    def read(self, chunk: Chunk) -> Iterator[Fixes]:
        """The fixes of a chunk in blocks, each with its static rows."""
        for columns, static in self.blocks(chunk):
            yield Fixes(columns, Static(static))

    def blocks(self, chunk: Chunk) -> Iterator[tuple[Columns, Columns]]:
        """The same as bare columns: (of the fixes, of the static rows)."""
        self.long_lines += chunk.long_lines
        layout = self.layout
        words = np.require(chunk.data[: len(chunk.data) & -8].view("<u8"), requirements="A")
        p = max(0, layout.rows_offset - chunk.offset)
        k = m = 0
        while p < chunk.n:
            p, k, m = read_rows(
                words, chunk.data, p, chunk.n, chunk.offset, layout.fields, self._is_end, layout.day_first, self._ends,
                self._marks, self._values, self._cache, self._fixes, k, self._static, m, self._counts,
            )  # fmt: skip
            if k == BLOCK_ROWS or m == BLOCK_STATIC or p >= chunk.n:
                yield self._columns(k), self._static_columns(m)
                k = m = 0

    def _columns(self, n: int) -> Columns:
        """The first `n` records as columns."""
        columns = {name: self._fixes[name][:n].copy() for name in FIX_RECORD.fields or ()}
        return columns | {"source": np.full(n, self.source, FIX_DTYPES["source"])}

    def _static_columns(self, n: int) -> Columns:
        """The first `n` static records as columns, texts as texts."""
        columns = columns_of(STATIC_DTYPES, n)
        for name in STATIC_FIELDS:
            column = self._static[name][:n].copy()
            columns[name] = column.view(STATIC_DTYPES[name])[:, 0] if column.ndim == 2 else column
        columns["source"][:] = self.source
        return columns


def read_csv(
    path: str | Path | Reader, source: int = 0, layout: Layout | None = None, chunk_bytes: int = CHUNK_BYTES
) -> tuple[Fixes, dict[str, int]]:
    """Positions and static reports of a CSV, in the order of the file.

    Parameters
    ----------
    path : a file, packed or not, `-`, or an open Reader
    source : the code of the column `source`
    layout : how to read it; told by the header where it is not given
    chunk_bytes : bytes in memory at a time; the result does not depend on it

    Returns
    -------
    fixes : with `offset` in bytes of the unpacked text and the static reports in `fixes.static` (one row each time a
        vessel's static values change; offset and time of the row that first shows them)
    counts : rows and values that were not used, by reason

    Raises
    ------
    InputError
        If a needed column is missing, the order of day and month cannot be told, or the file is damaged.

    Examples
    --------
    >>> import io
    >>> text = b"mmsi,time,lat,lon,sog\\n200000001,2023-01-11T00:00:00,43.1,-70.7,102.3\\n200000001,,43.1,0,1\\n"
    >>> fixes, counts = read_csv(Reader("a.csv", io.BytesIO(text)))
    >>> fixes["lat"].tolist(), fixes["sog"].tolist(), fixes["offset"].tolist(), counts
    ([43.1], [nan], [22], {'no time': 1})
    """
    with path if isinstance(path, Reader) else open_bytes(path) as reader:
        head = reader.head(LAYOUT_HEAD_BYTES)
        if not head.strip():
            raise InputError(f"{reader.name} is empty; nothing to read")
        rows = CsvReader(layout or layout_of(reader.name, head), source)
        blocks = [block for chunk in chunks(reader, chunk_bytes) for block in rows.blocks(chunk)]
    static = _joined([static for _, static in blocks]) or columns_of(STATIC_DTYPES, 0)
    counts = rows.counts
    return Fixes(_joined([columns for columns, _ in blocks]), changes_of(Static(static)), counts=counts), counts


def _joined(blocks: list[Columns]) -> Columns:
    """Blocks of columns as one."""
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]} if blocks else {}
