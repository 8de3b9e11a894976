"""Rows of a CSV file with the byte offset of each, quoted line breaks included, in any encoding that can be told."""

from __future__ import annotations

import codecs
import csv
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ais.unpack import open_bytes
from cargo.encodings import encoding_of
from cargo.rowfile import Gatherer, How, RawRow, RowFile
from geo.errors import InputError

Known = Callable[[Sequence[str]], int]

SEPARATORS = (",", ";", "\t", "|")
_SEPARATOR_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
LONGEST_LINE = 1 << 20
"""Bytes of a line over which it is left out."""
_MAX_CELL = 131_072  # characters; csv's own default
_MOST_LINES = 10_000  # of one record; more are a quote that never closed
_HEAD_LINES = 40
_HEADER_WITHIN = 30  # lines, among which a header is looked for
_BLOCK = 1 << 20


class _Long(bytes):
    """The beginning of a line that is too long; `size` bytes in all."""

    size = 0


def _lines(path: str | Path, encoding: str) -> Iterator[bytes]:
    """The lines of a text file as bytes, line ends included; of a line that is too long only the beginning."""
    newline, step = "\n".encode(encoding), len("\n".encode(encoding))
    with open_bytes(path) as reader:
        if newline not in (head := reader.head()) and "\r".encode(encoding) in head:
            newline = "\r".encode(encoding)
        buffer, rest, long = bytearray(_BLOCK), b"", 0
        while n := reader.readinto(memoryview(buffer)):
            pieces = _split(rest + bytes(buffer[:n]), newline, step)
            rest = pieces.pop()
            for piece in pieces:
                if long:
                    made = _Long(b"")
                    made.size, long = long + len(piece) + step, 0
                    yield made
                elif len(piece) > LONGEST_LINE:
                    made = _Long(piece[:64])
                    made.size = len(piece) + step
                    yield made
                else:
                    yield piece + newline
            if long or len(rest) > LONGEST_LINE:
                keep = len(rest) % step  # half a character
                long, rest = long + len(rest) - keep, rest[len(rest) - keep :]
        if long:
            made = _Long(b"")
            made.size = long + len(rest)
            yield made
        elif rest:
            yield rest


def _split(data: bytes, newline: bytes, step: int) -> list[bytes]:
    """Data cut at line ends; in UTF-16 those stand at even places only."""
    if step == 1:
        return data.split(newline)
    pieces, start, at = [], 0, data.find(newline)
    while at >= 0:
        if (at - start) % step:
            at = data.find(newline, at + 1)
            continue
        pieces.append(data[start:at])
        start = at + step
        at = data.find(newline, start)
    return [*pieces, data[start:]]


class _Records:
    """Records of lines: `next` gives cells, and where and why it is none. Lines can be given back."""

    def __init__(self, lines: Iterator[bytes], encoding: str, separator: str, skip: int) -> None:
        self._source, self._encoding, self._legacy = lines, encoding, encoding != "utf-8"
        self._back: deque[bytes] = deque()
        self.taken: list[bytes] = []
        self.fault = ""
        self.offset, self.line = skip, 1
        self._separator = separator
        self._reader = self._begin()

    def _begin(self) -> Iterator[list[str]]:
        return csv.reader(self._texts(), delimiter=self._separator, strict=True)

    def _texts(self) -> Iterator[str]:
        encoding, taken = self._encoding, self.taken
        while True:
            line = self._back.popleft() if self._back else next(self._source, None)
            if line is None:
                return
            taken.append(line)
            if len(taken) > _MOST_LINES:
                self.fault = "a quote that never closes"
                yield '"' * 3 + "x"  # ends the record by an error of csv
                continue
            yield self._text(line, encoding)

    def _text(self, line: bytes, encoding: str) -> str:
        if type(line) is _Long:
            self.fault = f"a line of over {LONGEST_LINE:,} bytes"
            return "\n"
        if b"\0" in line and encoding[:6] != "utf-16":
            self.fault = "a NUL byte"
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError as error:
            self.fault = f"not {encoding.upper()} (0x{line[error.start]:02x})"
            return line.decode(encoding, "replace").replace("\ufffd", "?")
        if self._legacy and not line.isascii() and encoding[:6] != "utf-16" and _is_utf8(line):
            self.fault = f"UTF-8 in a file of {encoding}"
        if "\0" in text:
            self.fault = "a NUL byte"
        return text

    def next(self) -> tuple[int, int, bytes, list[str], str] | None:
        """Line, offset, bytes and cells of the next record, and why it is none; None at the end."""
        self.taken.clear()
        self.fault = ""
        line, offset = self.line, self.offset
        try:
            cells = next(self._reader, None)
        except csv.Error as error:
            cells = []
            self._give_back(str(error))
        if cells is None and not self.taken:
            return None
        taken = self.taken
        raw = taken[0] if len(taken) == 1 else b"".join(taken)
        self.line += len(taken)
        self.offset += sum([one.size if type(one) is _Long else len(one) for one in taken])
        return line, offset, self._without_end(raw), cells or [], self.fault

    def _without_end(self, raw: bytes) -> bytes:
        if self._encoding[:6] != "utf-16":
            return raw.rstrip(b"\r\n")
        for end in ("\n", "\r"):
            raw = raw.removesuffix(end.encode(self._encoding))
        return raw

    def _give_back(self, error: str) -> None:
        """After a record that broke off: only its first line is lost, the others are read anew."""
        if "limit" in error and len(self.taken) == 1:
            self.fault = f"a cell of over {_MAX_CELL:,} characters"
        elif not self.fault or self.fault.startswith("a quote"):
            self.fault = "a quote that never closes" if len(self.taken) > 1 or "end of" in error else "a stray quote"
        self._back.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]
        self._reader = self._begin()  # the one before may have come to the end of the file


def _is_utf8(line: bytes) -> bool:
    """Whether a line is UTF-8 beyond chance: three characters or more outside ASCII."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return sum(c > "\x7f" for c in text) >= 3


def read_csv_rows(path: str | Path, how: How, known: Known | None = None) -> RowFile:
    """Read all records of a CSV file.

    The separator is the one by which most headings are known, then the one that makes most of them. The header is the
    first line, or the one of the first 30 with most known headings; what stands above it is counted.

    Raises InputError with file and line for a file that cannot be read, is empty or in an encoding that cannot be told.
    """
    encoding, evidence, _, sha256 = encoding_of(path, how.encoding)
    mark = _mark(path, encoding)
    head = _head(path, encoding)
    if not any(text.strip() for text in head):
        raise InputError(f"{path}: line 1: the file is empty; give a CSV with a header line")
    separator, above = _layout(head, how, known)
    records = _Records(_skip(_lines(path, encoding), mark), encoding, separator, mark)
    for _ in range(above):
        records.next()
    first = records.next()
    if first is None or first[4]:
        why = first[4] if first else "the file ends before it"
        raise InputError(f"{path}: line {above + 1}: no header: {why}; mend this line")
    gatherer = Gatherer(path, unique(first[3]))
    if above:
        gatherer.counts["line above the header"] = above
    number = 0
    while (record := records.next()) is not None:
        line, offset, raw, cells, fault = record
        if not fault and not any(map(str.strip, cells)):
            gatherer.counts["blank line"] += 1
            continue
        number += 1
        if fault:
            gatherer.reject(number, line, fault)
        else:
            gatherer.add(RawRow(number, line, offset, raw, cells))
    facts = {"format": "CSV", "encoding": encoding, "evidence": evidence, "separator": _SEPARATOR_NAMES[separator]}
    facts["header"] = f"line {above + 1}"
    return gatherer.finish(facts, sha256)


def unique(cells: Sequence[str]) -> list[str]:
    """Headings such that none stands twice and none is empty; a trailing separator makes no column.

    >>> unique(["A", "B", "A", "", "C", ""])
    ['A', 'B', 'A (2)', 'column 4', 'C']
    """
    header = [" ".join(cell.split()) for cell in cells]
    while header and not header[-1]:
        header.pop()
    seen: Counter[str] = Counter()
    out = []
    for i, name in enumerate(header, start=1):
        name = name or f"column {i}"
        seen[name] += 1
        out.append(f"{name} ({seen[name]})" if seen[name] > 1 else name)
    return out


def _mark(path: str | Path, encoding: str) -> int:
    """Length of the byte-order mark."""
    marks = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
    with open_bytes(path) as reader:
        head = reader.head()
    return len(marks[encoding]) if encoding in marks and head.startswith(marks[encoding]) else 0


def _skip(lines: Iterator[bytes], mark: int) -> Iterator[bytes]:
    """Lines without the byte-order mark of the first."""
    for first in lines:
        yield first if type(first) is _Long else first[mark:]
        yield from lines


def _head(path: str | Path, encoding: str) -> list[str]:
    """The first lines as text."""
    out = []
    for _, line in zip(range(_HEAD_LINES), _lines(path, encoding), strict=False):
        out.append(line.decode(encoding, "replace").removeprefix("\ufeff"))
    return out


def _layout(head: Sequence[str], how: How, known: Known | None) -> tuple[str, int]:
    """The separator, and the number of records above the header."""
    best: tuple[tuple[int, int, int], str, int] | None = None
    for separator in [how.separator] if how.separator else SEPARATORS:
        rows = _parsed(head, separator)
        above = how.header_row - 1 if how.header_row else header_above(rows, known)
        cells = rows[above] if above < len(rows) else []
        rank = (known(cells) if known else 0, len([c for c in cells if c.strip()]), -SEPARATORS.index(separator))
        if best is None or rank > best[0]:
            best = rank, separator, above
    assert best is not None
    return best[1], best[2]


def _parsed(head: Sequence[str], separator: str) -> list[list[str]]:
    try:
        return list(csv.reader(head, delimiter=separator))
    except csv.Error:
        return [line.rstrip("\r\n").split(separator) for line in head]


def header_above(rows: Sequence[Sequence[str]], known: Known | None) -> int:
    """How many rows stand above the header: the row with most known headings, the first filled one if none has two."""
    filled = [i for i, cells in enumerate(rows[:_HEADER_WITHIN]) if any(cell.strip() for cell in cells)]
    if known is not None:
        scores = {i: known(rows[i]) for i in filled}
        best = max(filled, key=lambda i: (scores[i], -i), default=0)
        if scores.get(best, 0) >= 2:
            return best
    return filled[0] if filled else 0
