"""Messages with all their fields to one output: JSON lines, or one wide table in Parquet, Arrow or CSV.

Messages of one layout come as a table of their own (`ais.columns.tables`). JSON lines keep them apart: a line has a
`type`, the name of its layout, and the fields of that layout. A table has the columns of all layouts, the same whatever
the input holds, with a column `layout`. Rows of a layout stand together, so that in most row groups of Parquet the
columns of the others are empty and take no space, and a reader that asks for one layout skips the rest; the column
`offset` has the order of the input. Arrow and CSV have room for every column in every row (Arrow about 1 KB): for a
whole day Parquet is the one to take.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from ais.status import STATUS
from ais.table import Table
from geo.errors import UsageError
from luxwake.cells import TEXT, Cells, cells_of, cut_cells, join_cells
from luxwake.decoded_rows import CHANNELS
from luxwake.sink import GROUP_ROWS, TextPieces, format_for, open_stream, write_json_lines

Tables = Mapping[str, Table]

MAX_WORDS = 256
"""Distinct stations of a piece that are worth a list of words; a feed can name as many as it likes."""
BATCH_ROWS = 1 << 13
"""Rows of a batch of Arrow, in which the columns of all layouts take their space: 8 MB."""


class ColumnsFile(Protocol):
    """A format that is written by columns, the same in every call; `close` completes it."""

    def write(self, columns: Sequence[Cells]) -> None:
        """Write rows."""

    def close(self) -> None:
        """Write the end of the format."""


class MessageSink(Protocol):
    """Where messages go."""

    def write(self, tables: Tables) -> None:
        """Write the messages of a piece of input, by the names of their layouts."""

    def end(self) -> None:
        """Write what is left."""

    def close(self) -> None:
        """Let go of what writing needed."""


def readable(
    layout: str, table: Table, stations: Mapping[int, str], names: tuple[str, ...] = (), source: int = 0
) -> Table:
    """A table of messages as it is written: words for the codes of reception, hex for raw bits, JSON for areas.

    Parameters
    ----------
    layout : name of the layout, for the column `layout`
    table : messages, with `talker`, `channel`, `status` and `station` as codes where it has them
    stations : names of the stations by their hash; a hash without a name is written as it is, 0 is null
    names, source : the names of all sources, and which of them this is

    Examples
    --------
    >>> table = Table({"talker": np.array([0x4149], "u2"), "data": np.array([b"\\x01\\xff"], object)})
    >>> made = readable("broadcast_binary", table, {}, ("a.nmea",))
    >>> {name: column.tolist() for name, column in made.columns.items()}
    {'layout': [0], 'source': [0], 'talker': [0], 'data': ['01ff']}
    """
    n = len(table)
    made = table.take(slice(None))
    made.columns = {"layout": np.zeros(n, np.uint8), "source": np.full(n, source, np.uint16), **table.columns}
    for name, column in table.columns.items():
        if column.dtype.kind == "O":
            made.columns[name] = np.array([_plain_text(value) for value in column.tolist()], object)
    words: dict[str, tuple[str, ...]] = {"channel": CHANNELS, "status": STATUS, "layout": (layout,), "source": names}
    named = {"talker": lambda code: code.to_bytes(2, "big").decode("ascii", "replace"), "station": stations.get}
    for name, name_of in named.items():
        if name in table.columns:
            codes, distinct = _numbered(table[name])
            texts = [(name_of(code) or f"{code:08x}") if code else "" for code in distinct]
            fits = len(texts) <= MAX_WORDS
            made.columns[name] = codes.astype(np.uint16) if fits else np.array([*texts, None], object)[codes]
            if fits:
                words[name] = tuple(texts)
    vars(made)["words"] = {**table.words, **words}  # they differ from run to run, so they hang on the table
    return made


def _numbered(values: NDArray[Any]) -> tuple[NDArray[np.intp], list[int]]:
    distinct, numbers = np.unique(values, return_inverse=True)
    return numbers, distinct.tolist()


def _plain_text(value: Any) -> str | None:
    """Raw bits as hex, areas as JSON."""
    if value is None or isinstance(value, str):
        return value
    return value.hex() if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False, allow_nan=False)


def layouts() -> Tables:
    """A table of each layout that there is, without rows, as `readable` makes it."""
    from ais.columns import table_of
    from ais.layouts import LAYOUTS
    from ais.records import MESSAGE

    record, zero, words = np.zeros(1, MESSAGE), np.zeros(1, np.int64), np.zeros(2, np.uint64)
    made = {name: table_of(layout, record, zero, zero, zero, words) for name, layout in LAYOUTS.items()}
    return {name: readable(name, table.take(slice(0, 0)), {}) for name, table in made.items()}


class MessageLines:
    """Messages as JSON lines, in the order of the input within each piece that is written."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._pieces = TextPieces()

    def write(self, tables: Tables) -> None:
        """Write the messages of a piece of input."""
        lines: list[bytes] = []
        for layout, table in tables.items():
            text = io.BytesIO()
            write_json_lines(self._pieces, _without_layout(table), text, layout)
            lines += text.getvalue().splitlines(keepends=True)
        offsets = np.concatenate([np.zeros(0, np.int64), *(table["offset"] for table in tables.values())])
        self._stream.writelines(lines[row] for row in np.argsort(offsets, kind="stable").tolist())

    def end(self) -> None:
        """Each line is whole: nothing follows the last."""

    def close(self) -> None:
        """Close the database that writes the lines."""
        self._pieces.close()


def _without_layout(table: Table) -> Table:
    """The rows without the column `layout`, whose word is the `type` of a JSON line."""
    made = table.take(slice(None))
    made.columns = {name: column for name, column in table.columns.items() if name != "layout"}
    return made


class WideTable:
    """Messages of all layouts as one table; `likes` gives a table of each layout, whose rows are not written.

    At most `group_rows` of each layout are held: a row group of one layout is written when it is full, and what is
    left at the end goes into row groups that layouts share.
    """

    def __init__(self, file: ColumnsFile, likes: Tables, group_rows: int) -> None:
        self._file = file
        self._group_rows = group_rows
        self._columns: dict[str, Cells] = {}
        for like in likes.values():
            for name in like:
                cells = replace(cells_of(like.take(slice(0, 0)), name), optional=True)
                self._columns[name] = _wider(self._columns.get(name, cells), cells)
        self._held: dict[str, list[dict[str, Cells]]] = {}
        self._n_held: dict[str, int] = {}
        self._file.write(list(self._columns.values()))

    def write(self, tables: Tables) -> None:
        """Write the messages of a piece of input."""
        for layout, table in tables.items():
            if strange := table.columns.keys() - self._columns.keys():
                raise UsageError(f"column {min(strange)!r} of {layout} is in no layout that was announced")
            self._held.setdefault(layout, []).append({name: cells_of(table, name) for name in table})
            self._n_held[layout] = self._n_held.get(layout, 0) + len(table)
            if self._n_held[layout] >= self._group_rows:
                self._release(self._held.pop(layout))
                del self._n_held[layout]

    def _release(self, pieces: list[dict[str, Cells]]) -> None:
        """Write pieces, each with the columns of one layout, as row groups."""
        sizes = [len(next(iter(piece.values())).values) for piece in pieces]
        columns = []
        for name, like in self._columns.items():
            parts = [
                _as(piece[name], like) if name in piece else _absent(like, n)
                for piece, n in zip(pieces, sizes, strict=True)
            ]
            columns.append(join_cells(parts))
        for begin in range(0, sum(sizes), self._group_rows):
            self._file.write([cut_cells(cells, slice(begin, begin + self._group_rows)) for cells in columns])

    def end(self) -> None:
        """Write what is left and the table of contents."""
        pieces: list[dict[str, Cells]] = []
        n = 0
        for layout in sorted(self._held):
            if pieces and n + self._n_held[layout] > self._group_rows:
                self._release(pieces)
                pieces, n = [], 0
            pieces += self._held[layout]
            n += self._n_held[layout]
        if pieces:
            self._release(pieces)
        self._file.close()

    def close(self) -> None:
        """Forget what was held."""
        self._held = {}


class _Padded(Table):
    """Messages of one layout as rows of the wide table: what the layout lacks is null."""

    all_names: tuple[str, ...] = ()

    def arrow_columns(self) -> tuple[Any, str]:
        """The bare columns, and the SELECT list that gives those of all layouts."""
        rows, _ = super().arrow_columns()
        select = []
        for name in self.all_names:
            column, quoted = self.columns.get(name), f'"{name}"'
            value = "null" if column is None else self._value_in_sql(name, column.dtype, quoted)
            select.append(f"{value} as {quoted}")
        return rows, ", ".join(select)


class WideCsv:
    """Messages of all layouts as one CSV; in each piece that is written the rows of a layout stand together."""

    def __init__(self, stream: BinaryIO, likes: Tables, guard: bool = False) -> None:
        self._stream = stream
        self._pieces = TextPieces(guard)
        self._names = tuple(dict.fromkeys(name for like in likes.values() for name in like))
        like = next(iter(likes.values()))
        self._pieces.write(self._padded(like.take(slice(0, 0))), stream, "format csv, header true")

    def _padded(self, table: Table) -> Table:
        """The table with the columns of all."""
        made = _Padded(table.columns)
        vars(made).update(times=table.times, nulls=table.nulls, words=table.words, all_names=self._names)
        return made

    def write(self, tables: Tables) -> None:
        """Write the messages of a piece of input."""
        for table in tables.values():
            if len(table):
                self._pieces.write(self._padded(table), self._stream, "format csv, header false")

    def end(self) -> None:
        """Each line is whole: nothing follows the last."""

    def close(self) -> None:
        """Close the database that writes the lines."""
        self._pieces.close()


def _wider(first: Cells, second: Cells) -> Cells:
    """A column that holds the values of both; numbers of two types take the one that holds either."""
    if first.kind != second.kind:
        raise UsageError(f"column {first.name!r} is a {first.kind} in one layout and a {second.kind} in another")
    if first.kind == "text":
        return replace(first, values=np.zeros(0, "S1"), words=None)
    dtype = np.result_type(first.dtype, second.dtype)
    return replace(first, dtype=dtype, values=first.values.astype(dtype))


def _as(cells: Cells, like: Cells) -> Cells:
    """A column of one layout with the type that it has over all."""
    if cells.kind == "text":
        return replace(cells, dtype=TEXT, values=cells.texts(), words=None, optional=True)
    return replace(cells, dtype=like.dtype, values=cells.values.astype(like.dtype, copy=False), optional=True)


def _absent(like: Cells, n: int) -> Cells:
    """A column of which no row has a value, without memory for its rows."""
    values: NDArray[Any] = np.broadcast_to(np.zeros(1, like.values.dtype), n)
    return replace(like, values=values, valid=np.broadcast_to(np.zeros(1, bool), n))


@contextmanager
def open_messages(
    path: str | Path, likes: Tables, format: str | None = None, *, guard: bool = False
) -> Iterator[MessageSink]:
    """An output for messages.

    Parameters
    ----------
    path : a file, or `-` for standard output
    likes : a table of each layout, as `readable` makes it
    format : "parquet", "csv", "jsonl" or "arrow"; default by the suffix of `path`
    guard : in CSV, put an apostrophe before a text that a spreadsheet would take for a formula

    Raises
    ------
    UsageError
        For a format that is not known.
    OutputError
        Where the file cannot be written; nothing is left of it.
    """
    chosen = format_for(path, format)
    with open_stream(path) as stream, closing(_message_sink(stream, likes, chosen, guard)) as sink:
        yield sink
        sink.end()


def _message_sink(stream: BinaryIO, likes: Tables, format: str, guard: bool) -> MessageSink:
    """The writer of a format, its library imported only now."""
    if format == "jsonl":
        return MessageLines(stream)
    if format == "csv":
        return WideCsv(stream, likes, guard)
    if format == "parquet":
        from luxwake.parquet_file import ParquetFile

        return WideTable(ParquetFile(stream), likes, GROUP_ROWS)
    from luxwake.arrow_stream import ArrowStream

    return WideTable(ArrowStream(stream), likes, BATCH_ROWS)
