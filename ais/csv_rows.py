"""Rows of AIS in CSV: the bytes of a chunk become columns, in one pass of a compiled reader.

A row is a line; a line end inside quotes ends the row. Each row keeps the byte offset of its first byte in the
unpacked source. A row that cannot be used is counted under its reason, and so is a value that had to be taken as not
available; the sentinels of ITU-R M.1371 (latitude 91, longitude 181, speed 102.3, course 360, heading 511) are not
available by definition and are not counted as faults.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.csv_fields import (
    CLASS,
    COG,
    FIX_RECORD,
    HEADING,
    IMO,
    LAT,
    LON,
    MMSI,
    N_FIELDS,
    NO_POSITION,
    REASONS,
    SOG,
    WRONG_FIELDS,
    check_motion,
    nav_status_of,
    position_fault,
    scale,
    station_of,
    time_of,
    vessel_of,
)
from ais.csv_layout import Layout, layout_of
from ais.csv_scan import fields_hash, groups_hash, locate, locate_quoted, mark_ends, read_numbers, read_time
from ais.csv_static import (
    CACHE_SLOTS,
    STATIC_FIELDS,
    STATIC_RECORD,
    changes_of,
    expect,
    is_news,
    says_anything,
    write_static,
)
from ais.sources import CHUNK_BYTES, LONGEST_LINE, Chunk, Reader, chunks, open_bytes
from ais.table import FIX_DTYPES, STATIC_DTYPES, Fixes, Static, columns_of
from geo.errors import InputError
from geo.kernel import inner, kernel

LAYOUT_HEAD_BYTES = 1 << 20
"""How much of a file may tell the order of day and month."""
WINDOW_BYTES = 1 << 14  # with a quote in it, its rows are read the slower way
BLOCK_ROWS = 1 << 14  # 1 MB of records stays in the cache of a core
BLOCK_STATIC = 1 << 12
Columns = dict[str, NDArray[Any]]

LONG_LINE = "line over 1 MiB"
BLANK = 3  # the place of a hash in what `plan_of` gives
ROWS = len(REASONS)  # the place of the count of rows, after those of the reasons


@inner
def write_fix(data, marks, values, divisors, mmsi, msg_type, fix, counts):
    """Write the position of a row to the record `fix`, or count why there is none."""
    scale(values, divisors)
    fault = position_fault(marks, values)
    if fault >= 0:
        if not (fault == NO_POSITION and (msg_type == 5 or msg_type == 24)):  # which hold none, and were read
            counts[fault] += 1
        return False
    fix.t = time_of(marks, values)
    fix.mmsi = mmsi
    fix.lat = values[LAT]
    fix.lon = values[LON]
    check_motion(marks, values, counts)
    fix.sog = values[SOG]
    fix.cog = values[COG]
    fix.heading = values[HEADING]
    fix.nav_status = nav_status_of(data, marks, values, counts)
    fix.msg_type = msg_type
    return True


@kernel
def read_rows(
    data, p, n, base, delimiter, fields, used, plan, groups, divisors, ends, rows, marks, values, last_day, kept,
    kept_mmsi, fixes, k, static, m, counts,
):  # fmt: skip
    """Read the next rows of data[p:n], up to a window or a full block.

    They follow the `k` fixes and `m` static rows that the block holds; returns (place, k, m) after them.
    """
    numbers, dynamic, day_first = plan[0], plan[1], plan[2] != 0
    marked, quotes = mark_ends(data, p, min(n, p + WINDOW_BYTES), n, delimiter, ends, rows)
    if marked == 0:
        marked, quotes = mark_ends(data, p, min(n, p + LONGEST_LINE), n, delimiter, ends, rows)
    first = np.int64(0)
    for row in range(marked):
        if k == fixes.shape[0] or m == static.shape[0]:
            return p, k, m
        i, after = first, rows[row]
        first = after
        offset, p = base + p, ends[after] + 1
        columns = after - i
        if columns == 1 and ends[after] == ends[i] + 1:
            continue
        counts[ROWS] += 1
        if quotes:
            columns = locate_quoted(data, ends, i, after, fields, marks)
        elif columns == fields.shape[0]:
            locate(ends, i, used, 0, dynamic, marks)
        if columns != fields.shape[0]:
            counts[WRONG_FIELDS] += 1
            continue
        read_numbers(data, marks, values, used, 1, 2)
        expect(kept, values[MMSI])
        read_time(data, marks, day_first, last_day)
        read_numbers(data, marks, values, used, 2, numbers)
        msg_type, fault = station_of(data, marks, values)
        mmsi = 0
        if fault < 0:
            mmsi, fault = vessel_of(marks, values, msg_type)
        if fault >= 0:
            counts[fault] += 1
            continue
        static_hash = fields_hash(data, marks) if quotes else groups_hash(data, ends, i, groups)
        if static_hash != plan[BLANK] and is_news(kept, kept_mmsi, mmsi, static_hash):
            if not quotes:
                locate(ends, i, used, dynamic, used.shape[0], marks)
            write_static(data, marks, values, day_first, divisors, static[m])
            static[m].t = time_of(marks, values)
            static[m].mmsi = mmsi
            static[m].msg_type = 5 if msg_type == 1 else (24 if msg_type == 18 else msg_type)
            static[m].offset = offset
            if says_anything(static[m]):
                m += 1
            else:
                plan[BLANK] = static_hash
        if write_fix(data, marks, values, divisors, mmsi, msg_type, fixes[k], counts):
            fixes[k].offset = offset
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
        self._counts = np.zeros(len(REASONS) + 1, np.int64)
        self._delimiter = np.uint8(layout.delimiter)
        self._used, self._plan, self._groups = plan_of(layout)
        self._ends = np.zeros(LONGEST_LINE + 2, np.int64)
        self._rows = np.zeros(LONGEST_LINE + 2, np.int64)
        self._last_day = np.zeros(3, np.uint64)
        self._marks = np.zeros((N_FIELDS, 3), np.int64)
        self._values = np.full(N_FIELDS, np.nan)
        self._kept = np.zeros(CACHE_SLOTS, np.int64)
        self._kept_mmsi = np.zeros(CACHE_SLOTS, np.int64)
        self._fixes = np.zeros(BLOCK_ROWS, FIX_RECORD).view(np.recarray)
        self._static = np.zeros(BLOCK_STATIC, STATIC_RECORD).view(np.recarray)

    @property
    def counts(self) -> dict[str, int]:
        """Number of rows and values that were not used, by reason."""
        found = {reason: int(n) for reason, n in zip(REASONS, self._counts, strict=False) if n}
        return found | ({LONG_LINE: self.long_lines} if self.long_lines else {})

    @property
    def rows(self) -> int:
        """Rows so far, used or not."""
        return int(self._counts[ROWS]) + self.long_lines

    def read(self, chunk: Chunk) -> Iterator[Fixes]:
        """The fixes of a chunk in blocks, each with its static rows."""
        for columns, static in self.blocks(chunk):
            yield Fixes(columns, Static(static))

    def blocks(self, chunk: Chunk) -> Iterator[tuple[Columns, Columns]]:
        """The same as bare columns: (of the fixes, of the static rows)."""
        self.long_lines += chunk.long_lines
        layout = self.layout
        p = max(0, layout.rows_offset - chunk.offset)
        k = m = 0
        while p < chunk.n:
            p, k, m = read_rows(
                chunk.data, p, chunk.n, chunk.offset, self._delimiter, layout.fields, self._used, self._plan,
                self._groups, layout.divisors, self._ends, self._rows, self._marks, self._values, self._last_day,
                self._kept, self._kept_mmsi, self._fixes, k, self._static, m, self._counts,
            )  # fmt: skip
            if k == BLOCK_ROWS or m == BLOCK_STATIC or p >= chunk.n:
                yield self._columns(k), self._static_columns(m)
                k = m = 0

    def state(self) -> NDArray[np.int64]:
        """What it has counted, as a copy. What it keeps of static rows only saves work: they may repeat after it."""
        return self._counts.copy()

    def resume(self, state: NDArray[np.int64]) -> None:
        """Go on from a state of a reader of the same layout."""
        self._counts[:] = state

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


def plan_of(layout: Layout) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """What the kernel needs to know of a layout.

    Returns
    -------
    used : (n, 2) int64; column and field of each column that is read, by field: the time, the numbers, the class, the
        static ones
    plan : (4,) int64; how many of these are time and numbers, how many are not static, whether days come first; and the
        hash of the last static columns that said nothing, as those do in which `None` stands everywhere
    groups : (n, 2) int64; first and last column of each run of adjacent static columns

    >>> used, plan, groups = plan_of(layout_of("a.csv", b"name,imo,t,mmsi,lat,lon,,length\\n"))
    >>> used[:, 0].tolist(), plan.tolist(), groups.tolist()
    ([2, 3, 4, 5, 1, 0, 7], [4, 4, 0, 0], [[0, 1], [7, 7]])
    """
    columns = np.flatnonzero(layout.fields >= 0)
    columns = columns[np.argsort(layout.fields[columns], kind="stable")]
    used = np.stack([columns, layout.fields[columns]], axis=1)
    field = used[:, 1]
    plan = np.array([np.count_nonzero(field < CLASS), np.count_nonzero(field < IMO), layout.day_first, 0])
    static = np.sort(columns[field >= IMO])
    breaks = np.flatnonzero(np.diff(static) > 1)
    firsts = np.concatenate([static[:1], static[breaks + 1]])
    lasts = np.concatenate([static[breaks], static[-1:]])
    return np.ascontiguousarray(used), plan.astype(np.int64), np.stack([firsts, lasts], axis=1)


def read_csv(
    path: str | Path | Reader,
    source: int = 0,
    layout: Layout | None = None,
    chunk_bytes: int = CHUNK_BYTES,
    columns: Mapping[str, str] | None = None,
) -> tuple[Fixes, dict[str, int]]:
    """Positions and static reports of a CSV, in the order of the file.

    Parameters
    ----------
    path : a file, packed or not, `-`, or an open Reader
    source : the code of the column `source`
    layout : how to read it; told by the header where it is not given
    chunk_bytes : bytes in memory at a time; the result does not depend on it
    columns : for some fields, the column that holds it (`csv_names.parse_columns`)

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
    fixes, counts, _ = read_csv_rows(path, source, layout, chunk_bytes, columns)
    return fixes, counts


def read_csv_rows(
    path: str | Path | Reader,
    source: int = 0,
    layout: Layout | None = None,
    chunk_bytes: int = CHUNK_BYTES,
    columns: Mapping[str, str] | None = None,
) -> tuple[Fixes, dict[str, int], int]:
    """The same, and the number of rows, used or not."""
    with path if isinstance(path, Reader) else open_bytes(path) as reader:
        head = reader.head(LAYOUT_HEAD_BYTES)
        if not head.strip():
            raise InputError(f"{reader.name} is empty; nothing to read")
        rows = CsvReader(layout or layout_of(reader.name, head, columns), source)
        blocks = [block for chunk in chunks(reader, chunk_bytes) for block in rows.blocks(chunk)]
    static = _joined([static for _, static in blocks]) or columns_of(STATIC_DTYPES, 0)
    counts = rows.counts
    return Fixes(_joined([fixes for fixes, _ in blocks]), changes_of(Static(static)), counts=counts), counts, rows.rows


def _joined(blocks: list[Columns]) -> Columns:
    """Blocks of columns as one."""
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]} if blocks else {}
