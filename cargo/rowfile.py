"""A file of rows, whatever its format: headings, columns of texts, and for each row where it stands and its hash.

Rows are kept unchanged beside their cells: the bytes of a line of CSV or JSON, the canonical JSON of a row of a sheet
or a Parquet file. A row that cannot be one is left out and counted with its number and reason.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cargo.texts import Texts, TextsBuilder
from geo.errors import InputError

MOST_COLUMNS = 2_000
_BATCH_BYTES = 8 << 20


class Reject(NamedTuple):
    """A row that was left out: its 1-based number among the rows, its line in the file, and why."""

    row: int
    line: int
    reason: str


class RawRow(NamedTuple):
    """One row as a reader hands it out: number, line, byte offset (-1 none), its bytes, its cells."""

    row: int
    line: int
    offset: int
    raw: bytes
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class How:
    """What a mapping says of how to read a file; "" and 0 mean: find out."""

    encoding: str = ""
    separator: str = ""
    sheet: str = ""
    header_row: int = 0


class RawRows(Sequence[bytes]):
    """The rows of a file as they stand in it, packed (zstd) in blocks."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._first: list[int] = []
        self._lengths: list[NDArray[np.int32]] = []
        self._n = 0
        self._last: tuple[int, list[bytes]] = (-1, [])

    def add(self, rows: Sequence[bytes]) -> None:
        """Keep the next rows."""
        import zstandard

        self._first.append(self._n)
        self._lengths.append(np.fromiter(map(len, rows), np.int32, len(rows)))
        self._blocks.append(zstandard.ZstdCompressor(level=1).compress(b"".join(rows)))
        self._n += len(rows)

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, row: Any) -> Any:
        import bisect

        if isinstance(row, slice):
            return [self[i] for i in range(*row.indices(self._n))]
        if not -self._n <= row < self._n:
            raise IndexError(row)
        row %= self._n
        block = bisect.bisect_right(self._first, row) - 1
        if self._last[0] != block:
            self._last = (block, self._unpack(block))
        return self._last[1][row - self._first[block]]

    def _unpack(self, block: int) -> list[bytes]:
        import zstandard

        data = zstandard.ZstdDecompressor().decompress(self._blocks[block])
        ends = np.cumsum(self._lengths[block], dtype=np.int64).tolist()
        return [data[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


@dataclass(slots=True)
class RowFile:
    """All rows of a file. `facts` say how it was read; `short` holds (index of row, cells) of rows cut short."""

    path: str
    header: list[str]
    columns: list[Texts]
    row: NDArray[np.int64]
    line: NDArray[np.int64]
    offset: NDArray[np.int64]
    digest: NDArray[np.uint64]
    raw: RawRows
    facts: dict[str, str]
    sha256: str
    rejects: list[Reject] = field(default_factory=list)
    short: list[tuple[int, int]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.row.shape[0])

    def cells(self) -> Iterator[tuple[str, ...]]:
        """The cells of each row, in the order of the headings."""
        return zip(*self.columns, strict=True)

    def hashes(self) -> NDArray[Any]:
        """(n,) object array: BLAKE2b-64 of each row, as 16 hexadecimal digits."""
        return hex_digests(self.digest)


def hex_digests(digest: NDArray[np.uint64]) -> NDArray[Any]:
    """Digests as 16 hexadecimal digits each."""
    made = np.empty(len(digest), object)
    made[:] = [f"{value:016x}" for value in digest.tolist()]
    return made


class Gatherer:
    """Gathers rows into columns, batch by batch, so that memory holds little more than the distinct texts."""

    def __init__(self, path: str | Path, header: Sequence[str] = ()) -> None:
        self.path = str(path)
        self.header = list(header)
        self.rejects: list[Reject] = []
        self.short: list[tuple[int, int]] = []
        self.counts: Counter[str] = Counter()
        self._builders = [TextsBuilder() for _ in header]
        self._place = {name: i for i, name in enumerate(header)}
        self._where: list[NDArray[np.int64]] = []
        self._digests: list[NDArray[np.uint64]] = []
        self._raw = RawRows()
        self._batch: list[RawRow] = []
        self._bytes = self._n = 0

    def reject(self, row: int, line: int, reason: str) -> None:
        """Leave a row out."""
        self.rejects.append(Reject(row, line, reason))

    def add(self, row: RawRow) -> None:
        """Keep a row; its cells go by the header, those that it lacks are empty."""
        if len(row.cells) != len(self.header):
            cells = list(row.cells)
            if len(cells) > len(self.header) and any(cell.strip() for cell in cells[len(self.header) :]):
                self.reject(row.row, row.line, f"more cells than headings ({len(cells)} under {len(self.header)})")
                return
            if len(cells) < len(self.header):
                self.short.append((self._n + len(self._batch), len(cells)))
                cells += [""] * (len(self.header) - len(cells))
            row = row._replace(cells=cells[: len(self.header)])
        self._batch.append(row)
        self._bytes += len(row.raw)
        if self._bytes > _BATCH_BYTES:
            self._take_batch()

    def add_named(self, row: int, line: int, offset: int, raw: bytes, cells: Mapping[str, str]) -> None:
        """Keep a row whose cells have names; a new name is a new column."""
        new = [name for name in cells if name not in self._place]
        if len(self._place) + len(new) > MOST_COLUMNS:
            self.reject(row, line, f"more than {MOST_COLUMNS:,} different names of columns")
            return
        if new:
            self._take_batch()
            for name in new:
                self._place[name] = len(self.header)
                self.header.append(name)
                self._builders.append(TextsBuilder(self._n))
        texts = [""] * len(self.header)
        for name, text in cells.items():
            texts[self._place[name]] = text
        self.add(RawRow(row, line, offset, raw, texts))

    def _take_batch(self) -> None:
        batch, self._batch, self._bytes = self._batch, [], 0
        if not batch:
            return
        self._n += len(batch)
        rows, lines, offsets, raw, cells = zip(*batch, strict=True)
        self._where.append(np.array([rows, lines, offsets], np.int64))
        digests = b"".join([hashlib.blake2b(r, digest_size=8).digest() for r in raw])
        self._digests.append(np.frombuffer(digests, ">u8").astype(np.uint64))
        self._raw.add(raw)
        for builder, texts in zip(self._builders, zip(*cells, strict=True), strict=True):
            builder.extend(texts)

    def finish(self, facts: Mapping[str, str], sha256: str) -> RowFile:
        """All rows added."""
        self._take_batch()
        where = np.concatenate([np.zeros((3, 0), np.int64), *self._where], axis=1)
        digest = np.concatenate([np.zeros(0, np.uint64), *self._digests])
        columns = [builder.finish() for builder in self._builders]
        return RowFile(
            self.path, self.header, columns, where[0], where[1], where[2], digest, self._raw, dict(facts), sha256,
            self.rejects, self.short, dict(self.counts),
        )  # fmt: skip


def read_row_file(path: str | Path, how: How | None = None, known: Any = None) -> RowFile:
    """Read a file of rows: CSV in any of `encodings.NAMES`, JSON, Excel or Parquet; text may be packed.

    Parameters
    ----------
    path
        The file; `day.zip/a.csv` is a member of an archive.
    how
        What a mapping says of the encoding, the separator, the sheet and the row of the header.
    known
        Tells how many of some texts are headings that mean something to the caller; by it the header is found where
        other lines stand above it.

    Raises
    ------
    InputError
        The file cannot be read, or is of no format known here.
    """
    from ais.unpack import in_archive, is_archive, members, open_bytes

    how = how or How()
    if str(path) == "-":
        raise InputError("-: shipments are read twice, which a pipe does not allow; give a file")
    if is_archive(path) and in_archive(path) is None and "[Content_Types].xml" in members(path):
        from cargo.spreadsheet import read_sheet

        return read_sheet(Path(path), how, known)
    with open_bytes(path) as reader:
        head = reader.head()
    if head.startswith(b"PAR1"):
        from cargo.parquetrows import read_parquet_rows

        return read_parquet_rows(Path(path))
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        from cargo.spreadsheet import read_sheet

        return read_sheet(Path(path), how, known)
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[")):
        from cargo.jsonrows import read_json_rows

        return read_json_rows(path, how)
    from cargo.delimited import read_csv_rows

    return read_csv_rows(path, how, known)
