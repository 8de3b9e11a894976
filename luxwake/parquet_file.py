"""Parquet, written piece by piece: memory is bounded by one row group, whatever the length of the file.

Written after the format itself (Apache Parquet 2.10: `README.md`, `Encodings.md`, `parquet.thrift`), because 14
columns of fixes cost 200 to 240 ns a row in DuckDB's writer and 95 to 190 in pyarrow's, arro3's and polars', more than
to decode the sentence that they came from. What makes this one fast is that it knows its data: integers of 64 bits
(times, offsets) grow, so they are stored as differences; all other numbers but positions have few distinct values,
so they are stored as a dictionary and packed bits; positions are split by bytes. Every page is then packed with zstd.

A file is row groups of columns, a column is a dictionary page and a data page, and the table of contents (in Thrift's
compact protocol) comes last. A file that was cut off has none, so no reader takes it for a whole one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from luxwake.cells import Cells
from luxwake.parquet_pages import bits, differences, null_marks, number_strings, number_values, run, split_bytes, varint

if TYPE_CHECKING:
    import zstandard

MAGIC = b"PAR1"
ZSTD_LEVEL = 1
"""Measured on fixes: level 3 takes a tenth more time for a hundredth less space."""
DICTIONARY_LIMIT = 32_768
"""Distinct values of a column that are worth a dictionary; with more they are stored plain."""

_BOOLEAN, _INT32, _INT64, _FLOAT, _DOUBLE, _BYTE_ARRAY = 0, 1, 2, 4, 5, 6  # parquet.thrift: Type
_PLAIN, _RLE, _DELTA, _DICTIONARY, _SPLIT = 0, 3, 5, 8, 9  # Encoding
_ZSTD = 6  # CompressionCodec
_UTF8, _TIMESTAMP_MICROS = 0, 10  # ConvertedType; unsigned integers of 8 to 64 bits are 11 to 14, signed 15 to 18
_TRUE, _FALSE, _BYTE, _I32, _I64, _BINARY, _LIST, _STRUCT = 1, 2, 3, 5, 6, 8, 9, 12  # Thrift's compact protocol


_BYTES = [bytes([value]) for value in range(256)]
_ZIGZAG = [varint(value << 1) for value in range(1 << 12)]


def _number(value: int) -> bytes:
    """A signed number in groups of seven bits, small where it is near zero."""
    if 0 <= value < len(_ZIGZAG):
        return _ZIGZAG[value]
    return varint(value << 1 if value >= 0 else (-value << 1) - 1)


def _i32(value: int) -> tuple[int, bytes]:
    return _I32, _number(value)


def _i64(value: int) -> tuple[int, bytes]:
    return _I64, _number(value)


def _binary(value: bytes) -> tuple[int, bytes]:
    return _BINARY, varint(len(value)) + value


def _list(values: Sequence[tuple[int, bytes]]) -> tuple[int, bytes]:
    kind = values[0][0] if values else _STRUCT
    head = _BYTES[len(values) << 4 | kind] if len(values) < 15 else _BYTES[0xF0 | kind] + varint(len(values))
    return _LIST, head + b"".join([body for _, body in values])


def _struct(fields: dict[int, tuple[int, bytes]]) -> tuple[int, bytes]:
    """Fields by their number in `parquet.thrift`, in its order, which leaves out fewer than 15; a boolean lies in the
    kind itself."""
    parts: list[bytes] = []
    before = 0
    for number, (kind, body) in fields.items():
        parts += (_BYTES[number - before << 4 | kind], body)
        before = number
    parts.append(b"\0")
    return _STRUCT, b"".join(parts)


def _physical(cells: Cells) -> int:
    """The physical type of a column."""
    if cells.kind == "text":
        return _BYTE_ARRAY
    if cells.dtype.kind == "b":
        return _BOOLEAN
    wide = cells.dtype.itemsize == 8
    if cells.dtype.kind == "f":
        return _DOUBLE if wide else _FLOAT
    return _INT64 if wide else _INT32


def _schema_of(cells: Cells) -> tuple[int, bytes]:
    """The element of the schema for a column: its physical type and what it means."""
    return _element(cells.name, cells.kind, cells.dtype, cells.optional, _physical(cells))


@lru_cache(256)
def _element(name: str, kind: str, dtype: np.dtype[Any], optional: bool, physical: int) -> tuple[int, bytes]:
    fields = {1: _i32(physical), 3: _i32(int(optional)), 4: _binary(name.encode())}
    if kind == "text":
        fields[6], fields[10] = _i32(_UTF8), _struct({1: _struct({})})
    elif kind == "time":
        micros = _struct({2: _struct({})})
        fields[6], fields[10] = _i32(_TIMESTAMP_MICROS), _struct({8: _struct({1: (_TRUE, b""), 2: micros})})
    elif dtype.kind in "iu":
        size, signed = dtype.itemsize, dtype.kind == "i"
        fields[6] = _i32((15 if signed else 11) + size.bit_length() - 1)
        meaning = {1: (_BYTE, bytes([8 * size])), 2: (_TRUE if signed else _FALSE, b"")}
        fields[10] = _struct({10: _struct(meaning)})
    return _struct(fields)


def _plain(cells: Cells, values: NDArray[Any]) -> bytes:
    """Values one after the other, as wide as their physical type; a text after its length (PLAIN)."""
    if cells.kind == "text":
        return b"".join(len(text).to_bytes(4, "little") + text for text in values.tolist())
    if cells.dtype.kind == "b":
        return np.packbits(values, bitorder="little").tobytes()
    if cells.dtype.itemsize < 4:
        values = values.astype(np.int32)
    return values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()


def _numbered(cells: Cells, held: NDArray[Any]) -> tuple[NDArray[np.int32], NDArray[Any]] | None:
    """Numbers of the values and the distinct values, for a column that is worth a dictionary."""
    if cells.words is not None:
        found = number_values(held, DICTIONARY_LIMIT)
        return None if found is None else (found[0], cells.words[found[1]])
    if cells.kind == "text" and held.dtype.kind == "O":
        seen: dict[bytes, int] = {}
        numbers = np.fromiter((seen.setdefault(text, len(seen)) for text in held.tolist()), np.int32, held.size)
        distinct = np.empty(len(seen), object)
        distinct[:] = list(seen)
        return numbers, distinct
    if cells.kind == "text":
        return number_strings(held)
    if cells.dtype.kind == "b" or cells.dtype.itemsize == 8:
        return None
    return number_values(held, DICTIONARY_LIMIT)


def _bounds(cells: Cells, values: NDArray[Any], nulls: int) -> tuple[int, bytes]:
    """Statistics: nulls, and the least and greatest value, by which readers leave out row groups."""
    fields = {3: _i64(nulls)}
    if cells.kind != "text" and cells.dtype.kind != "b" and values.size:
        both = np.array([values.min(), values.max()], values.dtype)
        if cells.dtype.kind == "f":  # the format asks for -0.0 and +0.0, since the two are equal
            both = np.where(both == 0, np.array([-0.0, 0.0], values.dtype), both)
        plain = _plain(cells, both)
        fields[5], fields[6] = _binary(plain[len(plain) // 2 :]), _binary(plain[: len(plain) // 2])
    return _struct(fields)


@dataclass(slots=True)
class _Page:
    kind: int
    header: dict[int, tuple[int, bytes]]
    body: bytes


def _pages(cells: Cells) -> tuple[list[_Page], tuple[int, bytes], set[int]]:
    """A column as its dictionary page, where it has one, and its data page; its statistics; the encodings used."""
    held = cells.held()
    made: list[_Page] = []
    marks = null_marks(cells.valid, len(cells.values)) if cells.optional else b""
    numbered = _numbered(cells, held)
    distinct = held
    if numbered is not None:
        numbers, distinct = numbered
        width = max(1, (len(distinct) - 1).bit_length())
        body = bits(numbers, width) if len(distinct) > 1 else run(len(held))
        encoding, body = _DICTIONARY, _BYTES[width] + body
        head = _struct({1: _i32(len(distinct)), 2: _i32(_PLAIN)})
        made.append(_Page(2, {7: head}, _plain(cells, distinct)))
    elif _physical(cells) == _INT64:
        encoding, body = _DELTA, differences(held.view(np.int64))
    elif _physical(cells) == _DOUBLE:
        encoding, body = _SPLIT, split_bytes(held)
    else:
        encoding, body = _PLAIN, _plain(cells, held)
    head = _struct({1: _i32(len(cells.values)), 2: _i32(encoding), 3: _i32(_RLE), 4: _i32(_RLE)})
    made.append(_Page(0, {5: head}, marks + body))
    encodings = {encoding, _RLE} | ({_PLAIN} if numbered is not None else set())
    return made, _bounds(cells, distinct, len(cells.values) - len(held)), encodings


def new_packer() -> zstandard.ZstdCompressor:
    """What packs the pages of files, one after the other."""
    import zstandard

    return zstandard.ZstdCompressor(level=ZSTD_LEVEL)


class ParquetFile:
    """Writes columns to a binary stream as Parquet; `close` writes the table of contents.

    `packer` is that of another file of the same thread, so that many small ones need not have one each.

    >>> import io
    >>> out = io.BytesIO()
    >>> with_rows = ParquetFile(out)
    >>> values = np.array([3, 1], np.uint8)
    >>> with_rows.write([Cells("channel", "number", values.dtype, False, values, None)])
    >>> with_rows.close()
    >>> out.getvalue()[:4], out.getvalue()[-4:]
    (b'PAR1', b'PAR1')
    """

    def __init__(self, stream: BinaryIO, packer: zstandard.ZstdCompressor | None = None) -> None:
        self._stream, self._at = stream, 0
        self._packer = packer if packer is not None else new_packer()
        self._schema: list[tuple[int, bytes]] = []
        self._groups: list[tuple[int, bytes]] = []
        self._rows = 0
        self._put(MAGIC)

    def _put(self, data: bytes) -> int:
        self._stream.write(data)
        self._at += len(data)
        return len(data)

    def write(self, columns: Sequence[Cells]) -> None:
        """Write rows as one row group; the columns are the same in every call. No rows give the schema alone."""
        if not self._schema:
            root = _struct({4: _binary(b"rows"), 5: _i32(len(columns))})
            self._schema = [root, *map(_schema_of, columns)]
        n = len(columns[0].values)
        if n == 0:
            return
        begin, plain = self._at, 0
        chunks = []
        for cells in columns:
            chunk, size = self._column(cells)
            chunks.append(chunk)
            plain += size
        fields = {1: _list(chunks), 2: _i64(plain), 3: _i64(n), 5: _i64(begin), 6: _i64(self._at - begin)}
        self._groups.append(_struct(fields))
        self._rows += n

    def _column(self, cells: Cells) -> tuple[tuple[int, bytes], int]:
        """Write the pages of a column; its entry in the table of contents, and its size before packing."""
        begin, plain = self._at, 0
        pages, bounds, encodings = _pages(cells)
        places: list[int] = []
        for page in pages:
            packed = self._packer.compress(page.body)
            sizes = {1: _i32(page.kind), 2: _i32(len(page.body)), 3: _i32(len(packed))}
            header = _struct({**sizes, **page.header})[1]
            places.append(self._at)
            plain += self._put(header) + len(page.body)
            self._put(packed)
        meta = {
            1: _i32(_physical(cells)),
            2: _list([_i32(code) for code in sorted(encodings)]),
            3: _list([_binary(cells.name.encode())]),
            4: _i32(_ZSTD),
            5: _i64(len(cells.values)),
            6: _i64(plain),
            7: _i64(self._at - begin),
            9: _i64(places[-1]),
            **({11: _i64(places[0])} if len(places) == 2 else {}),
            12: bounds,
        }
        return _struct({2: _i64(begin), 3: _struct(meta)}), plain

    def close(self) -> None:
        """Write the table of contents; the stream stays open."""
        fields = {
            1: _i32(2),
            2: _list(self._schema),
            3: _i64(self._rows),
            4: _list(self._groups),
            6: _binary(b"luxwake"),
            7: _list([_struct({1: _struct({})})] * (len(self._schema) - 1)),
        }
        contents = _struct(fields)[1]
        self._put(contents + len(contents).to_bytes(4, "little") + MAGIC)
