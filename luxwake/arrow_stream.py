"""The Arrow IPC stream format, written piece by piece: the bytes of columns with a small description before them.

Written after the format itself (Apache Arrow, "Serialization and Interprocess Communication", with `Schema.fbs` and
`Message.fbs`): our Arrow library hands streams from process memory to process memory and does not write them. A
description is a FlatBuffer: tables of offsets, of which `_Flat` writes what these two files need.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from luxwake.cells import Cells

_INT, _FLOAT, _UTF8, _BOOL, _TIMESTAMP = 2, 3, 5, 6, 10  # Schema.fbs: Type
_SCHEMA, _RECORD_BATCH = 1, 3  # Message.fbs: MessageHeader
_VERSION = 4  # MetadataVersion V5
_MICROSECOND = 2  # TimeUnit
_CONTINUES = b"\xff\xff\xff\xff"
ALIGNMENT = 64
"""Bytes; the format recommends buffers that begin at a multiple of 64."""

Node = tuple[str, Any]
"""A value of a FlatBuffer: ("<i", 5) a scalar, ("table", fields), ("text", bytes), ("tables", fields of each) or
("structs", (form, values of each))."""


class _Flat:
    """Writes a FlatBuffer front to back: a table, then what its fields point to."""

    def __init__(self, root: Sequence[Node | None]) -> None:
        self.data = bytearray(4)
        struct.pack_into("<I", self.data, 0, self._table(root))

    def _align(self, size: int, after: int = 0) -> None:
        self.data += bytes(-(len(self.data) + after) % size)

    def _table(self, fields: Sequence[Node | None]) -> int:
        """A table and, before it, where its fields lie in it; its place."""
        places, at = [], 4
        for field in fields:
            size = 0 if field is None else struct.calcsize(field[0]) if field[0].startswith("<") else 4
            at += -at % size if size else 0
            places.append(at if size else 0)
            at += size
        head = struct.pack(f"<HH{len(places)}H", 4 + 2 * len(places), at, *places)
        self._align(8, after=len(head))
        self.data += head
        start = len(self.data)
        self.data += struct.pack("<i", len(head)) + bytes(at - 4)
        for field, place in zip(fields, places, strict=True):
            if field is not None and field[0].startswith("<"):
                struct.pack_into(field[0], self.data, start + place, field[1])
            elif field is not None:
                self._point(start + place, self._child(*field))
        return start

    def _point(self, at: int, to: int) -> None:
        struct.pack_into("<I", self.data, at, to - at)

    def _child(self, kind: str, value: Any) -> int:
        """What a field points to; its place."""
        if kind == "table":
            return self._table(value)
        if kind == "text":
            self._align(4)
            start = len(self.data)
            self.data += struct.pack("<I", len(value)) + value + b"\0"
            return start
        if kind == "tables":
            self._align(4)
            start = len(self.data)
            self.data += struct.pack("<I", len(value)) + bytes(4 * len(value))
            for n, fields in enumerate(value):
                self._point(start + 4 + 4 * n, self._table(fields))
            return start
        form, rows = value
        self._align(8, after=4)
        start = len(self.data)
        self.data += struct.pack("<I", len(rows)) + b"".join(struct.pack(form, *row) for row in rows)
        return start


def _field(cells: Cells) -> list[Node | None]:
    """The Field of a column."""
    kind: list[Node | None]
    if cells.kind == "text":
        code, kind = _UTF8, []
    elif cells.kind == "time":
        code, kind = _TIMESTAMP, [("<h", _MICROSECOND), ("text", b"UTC")]
    elif cells.dtype.kind == "b":
        code, kind = _BOOL, []
    elif cells.dtype.kind == "f":
        code, kind = _FLOAT, [("<h", {2: 0, 4: 1, 8: 2}[cells.dtype.itemsize])]
    else:
        code, kind = _INT, [("<i", 8 * cells.dtype.itemsize), ("<?", cells.dtype.kind == "i")]
    name = ("text", cells.name.encode())
    return [name, ("<?", cells.optional), ("<B", code), ("table", kind), None, ("tables", [])]


def _bits(marks: NDArray[np.bool_]) -> bytes:
    return np.packbits(marks, bitorder="little").tobytes()


def _buffers(cells: Cells) -> list[Any]:
    """The buffers of a column: which rows have a value (empty where all have), offsets of texts, values."""
    made: list[Any] = [b"" if cells.valid is None else _bits(cells.valid)]
    if cells.kind == "text":
        texts = cells.texts().tolist()  # empty where there is none
        offsets = np.zeros(len(texts) + 1, "<i4")
        np.cumsum([len(text) for text in texts], out=offsets[1:])
        return [*made, offsets, b"".join(texts)]
    if cells.dtype.kind == "b":
        return [*made, _bits(cells.values)]
    return [*made, np.ascontiguousarray(cells.values, cells.dtype.newbyteorder("<"))]


class ArrowStream:
    """Writes columns to a binary stream as an Arrow IPC stream; `close` writes its end mark.

    >>> import io
    >>> out, values = io.BytesIO(), np.array([3, 1], np.uint8)
    >>> stream = ArrowStream(out)
    >>> stream.write([Cells("channel", "number", values.dtype, False, values, None)])
    >>> stream.close()
    >>> out.getvalue()[-8:].hex()
    'ffffffff00000000'
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._begun = False

    def _message(self, header: int, table: list[Node | None], body: Sequence[Any] = (), n_body: int = 0) -> None:
        flat = _Flat([("<h", _VERSION), ("<B", header), ("table", table), ("<q", n_body)]).data
        flat += bytes(-len(flat) % 8)
        self._stream.write(_CONTINUES + struct.pack("<i", len(flat)) + flat)
        for buffer in body:
            self._stream.write(buffer)

    def write(self, columns: Sequence[Cells]) -> None:
        """Write rows as one record batch; the columns are the same in every call. No rows give the schema alone."""
        if not self._begun:
            self._message(_SCHEMA, [("<h", 0), ("tables", [_field(cells) for cells in columns])])
            self._begun = True
        n = len(columns[0].values)
        if n == 0:
            return
        nodes, places, body, at = [], [], [], 0
        for cells in columns:
            nodes.append((n, 0 if cells.valid is None else n - int(np.count_nonzero(cells.valid))))
            for buffer in _buffers(cells):
                size = memoryview(buffer).nbytes
                padding = -size % ALIGNMENT
                places.append((at, size))
                body += [buffer, bytes(padding)]
                at += size + padding
        batch: list[Node | None] = [("<q", n), ("structs", ("<qq", nodes)), ("structs", ("<qq", places))]
        self._message(_RECORD_BATCH, batch, body, at)

    def close(self) -> None:
        """Write the end mark; the stream stays open."""
        self._stream.write(_CONTINUES + bytes(4))
