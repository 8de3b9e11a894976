"""Rows of AIS in CSV: the bytes of a chunk become columns, in one pass of a compiled reader.

A row is a line; a line end inside quotes ends the row. Each row keeps the byte offset of its first byte in the
unpacked source. A row that cannot be used is counted under its reason, and so is a value that had to be taken as not
available; the sentinels of ITU-R M.1371 (latitude 91, longitude 181, speed 102.3, course 360, heading 511) are not
available by definition and are not counted as faults.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ais.csv_fields import (
    COG,
    CR,
    HEADING,
    LAT,
    LF,
    LON,
    N_FIELDS,
    REASONS,
    SOG,
    UNREADABLE_COG,
    UNREADABLE_HEADING,
    UNREADABLE_SOG,
    WRONG_FIELDS,
    FixColumns,
    T,
    measured,
    nav_status_of,
    position_fault,
    scan_row,
    station_of,
    vessel_of,
)
from ais.csv_layout import Layout, layout_of
from ais.csv_static import CACHE_SLOTS, StaticCache, StaticColumns, changes_of, note_static
from ais.sources import CHUNK_BYTES, Chunk, Reader, chunks, open_bytes
from ais.table import FIX_DTYPES, STATIC_DTYPES, Fixes, Static, columns_of
from geo.errors import InputError
from geo.kernel import kernel

LAYOUT_HEAD_BYTES = 1 << 20
"""How much of a file may tell the order of day and month."""
BLOCK_ROWS = 1 << 17
BLOCK_STATIC = 1 << 13
LONG_LINE = "line over 1 MiB"
SENTINEL_SOG_KN, SENTINEL_COG_DEG, SENTINEL_HEADING_DEG = 102.3, 360.0, 511.0


@kernel
def read_rows(data, p, n, base, fields, delimiter, day_first, marks, values, cache, fixes, static, counts):
    """Read rows of data[p:n] until they end or a block is full; returns (place, fixes, static rows)."""
    k = 0
    m = 0
    while p < n and k < fixes.t.shape[0] and m < static.t.shape[0]:
        if data[p] == LF or data[p] == CR:
            p += 1
            continue
        offset = base + p
        p, columns, static_hash = scan_row(data, p, n, fields, delimiter, day_first, marks, values)
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
        if note_static(data, marks, values, static_hash, day_first, cache, mmsi, static, m):
            static.t[m] = marks[T, 0]
            static.msg_type[m] = 5 if msg_type == 1 else (24 if msg_type == 18 else msg_type)
            static.offset[m] = offset
            m += 1
        fault = position_fault(marks, values)
        if fault >= 0:
            counts[fault] += 1
            continue
        fixes.t[k] = marks[T, 0]
        fixes.mmsi[k] = mmsi
        fixes.lat[k] = values[LAT]
        fixes.lon[k] = values[LON]
        fixes.sog[k] = measured(marks, values, SOG, 102.25, SENTINEL_SOG_KN, UNREADABLE_SOG, counts)
        fixes.cog[k] = measured(marks, values, COG, 360.0, SENTINEL_COG_DEG, UNREADABLE_COG, counts)
        fixes.heading[k] = measured(marks, values, HEADING, 360.0, SENTINEL_HEADING_DEG, UNREADABLE_HEADING, counts)
        fixes.nav_status[k] = nav_status_of(data, marks, values, counts)
        fixes.msg_type[k] = msg_type
        fixes.offset[k] = offset
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
        self._marks = np.zeros((N_FIELDS, 3), np.int64)
        self._values = np.full(N_FIELDS, np.nan)
        self._cache = StaticCache(np.zeros(CACHE_SLOTS, np.uint32), np.zeros(CACHE_SLOTS, np.int64))
        self._fixes = FixColumns._make(np.empty(BLOCK_ROWS, FIX_DTYPES[name]) for name in FixColumns._fields)
        self._static = StaticColumns._make(_static_block(name) for name in StaticColumns._fields)

    @property
    def counts(self) -> dict[str, int]:
        """Number of rows and values that were not used, by reason."""
        found = {reason: int(n) for reason, n in zip(REASONS, self._counts, strict=True) if n}
        return found | ({LONG_LINE: self.long_lines} if self.long_lines else {})

    def read(self, chunk: Chunk) -> Iterator[Fixes]:
        """The fixes of a chunk in blocks, each with its static rows."""
        self.long_lines += chunk.long_lines
        layout = self.layout
        p = max(0, layout.rows_offset - chunk.offset)
        while p < chunk.n:
            p, rows, static_rows = read_rows(
                chunk.data, p, chunk.n, chunk.offset, layout.fields, layout.delimiter, layout.day_first,
                self._marks, self._values, self._cache, self._fixes, self._static, self._counts,
            )  # fmt: skip
            fixes = {name: column[:rows].copy() for name, column in self._fixes._asdict().items()}
            fixes["source"] = np.full(rows, self.source, FIX_DTYPES["source"])
            static = columns_of(STATIC_DTYPES, static_rows)
            for name, column in self._static._asdict().items():
                taken = column[:static_rows].copy()
                static[name] = taken.view(STATIC_DTYPES[name])[:, 0] if taken.ndim == 2 else taken
            static["source"][:] = self.source
            yield Fixes(fixes, Static(static))


def _static_block(name: str) -> NDArray[np.generic]:
    """Room for one static column; texts as bytes of a row."""
    dtype = np.dtype(STATIC_DTYPES[name])
    return np.zeros((BLOCK_STATIC, dtype.itemsize), np.uint8) if dtype.kind == "S" else np.zeros(BLOCK_STATIC, dtype)


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
        blocks = [block for chunk in chunks(reader, chunk_bytes) for block in rows.read(chunk)]
    columns = {name: np.concatenate([block[name] for block in blocks]) for name in FIX_DTYPES} if blocks else {}
    static = columns_of(STATIC_DTYPES, 0)
    if blocks:
        static = {name: np.concatenate([block.static[name] for block in blocks]) for name in STATIC_DTYPES}
    counts = rows.counts
    return Fixes(columns, changes_of(Static(static)), counts=counts), counts
