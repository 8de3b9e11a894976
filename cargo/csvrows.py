"""Rows of a CSV file with the byte offset and the digest of each, quoted line breaks included."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from geo.errors import InputError

_SEPARATORS = (",", ";", "\t")
_MAX_CELL = 131_072  # characters; csv's own default. A larger cell is a quote that never closed


class RawRow(NamedTuple):
    """One record: 1-based `line` on which it starts, byte `offset`, BLAKE2b-64 of its bytes, and its cells."""

    line: int
    offset: int
    sha: str
    cells: list[str]


class RawRows(NamedTuple):
    """A whole file: lower-case header, records, records left out by reason, SHA-256 of the file."""

    header: list[str]
    rows: list[RawRow]
    counts: dict[str, int]
    sha256: str


def read_rows(path: Path) -> RawRows:
    """Read all records of a CSV file; the separator is the one of comma, semicolon and tab that its header uses most.

    Raises InputError with file and line for a file that cannot be read, is empty or not UTF-8 text, a header that
    names a column twice, and a quote that never closes.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}; check the path and its rights") from None
    start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    if not data[start:].strip():
        raise InputError(f"{path}: line 1: the file is empty; give a CSV with a header line")
    if b"\0" in data[:4096] or data.startswith(b"\x1f\x8b"):
        raise InputError(f"{path}: line 1: not text (is it compressed, a spreadsheet or UTF-16?); save it as CSV UTF-8")
    records = _records(path, data, start)
    header, counts = _header(path, next(records).cells), Counter[str]()
    rows = []
    for record in records:
        if any(cell.strip() for cell in record.cells):
            rows.append(record)
        else:
            counts["blank line"] += 1
    return RawRows(header, rows, dict(counts), hashlib.sha256(data).hexdigest())


def _header(path: Path, cells: list[str]) -> list[str]:
    """Column names, lower case; a trailing separator makes no column."""
    header = ["_".join(cell.strip().lower().split()) for cell in cells]
    while header and not header[-1]:
        header.pop()
    twice = sorted(name for name, n in Counter(header).items() if n > 1)
    if twice:
        raise InputError(f"{path}: line 1: column {twice[0]!r} stands twice; rename one")
    return header


def _records(path: Path, data: bytes, start: int) -> Iterator[RawRow]:
    """The records of the file, header first. `csv` takes just the lines that a record needs, so offsets are exact."""
    end, taken = start, 0

    def texts() -> Iterator[str]:
        nonlocal end, taken
        for line in io.BytesIO(data[start:]):
            end, taken = end + len(line), taken + 1
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError as error:
                where = f"line {taken}, byte {error.start + 1}"
                raise InputError(f"{path}: {where}: not UTF-8 (0x{line[error.start]:02x}); save as UTF-8") from None

    head = data[start:].split(b"\n", maxsplit=1)[0].decode("utf-8", "replace")
    records = csv.reader(texts(), delimiter=max(_SEPARATORS, key=head.count))
    while True:
        offset, line = end, taken + 1
        try:
            cells = next(records, None)
        except csv.Error as error:
            hint = "close the quote or take out the stray one"
            raise InputError(f"{path}: line {line}: {error} (cells hold {_MAX_CELL:,} characters); {hint}") from None
        if cells is None:
            return
        raw = data[offset:end]
        if taken > line and end == len(data) and raw.count(b'"') % 2:
            raise InputError(f"{path}: line {line}: a quote opens here and never closes; close it or take it out")
        digest = hashlib.blake2b(raw.rstrip(b"\r\n"), digest_size=8).hexdigest()
        yield RawRow(line, offset, digest, cells)
