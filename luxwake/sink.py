"""Tables to one output, piece by piece: Parquet, Arrow, CSV or JSON lines, to a file or to standard output.

Memory is bounded by a piece, or by a row group of Parquet where pieces are smaller. A file appears whole or not at
all: it is written beside its place under a hidden name, and moved when all has gone well.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

import numpy as np

from ais.table import Table
from geo.errors import OutputError, UsageError
from geo.whole_file import replacing
from luxwake.cells import Cells, cells_of, cut_cells, join_cells

if TYPE_CHECKING:
    import duckdb

FORMATS = {".parquet": "parquet", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".arrow": "arrow"}
"""The format that a suffix stands for."""
GROUP_ROWS = 122_880
"""Rows that are gathered before Parquet and Arrow write them; DuckDB's row group, which its readers are tuned to."""
MAX_GROUP_ROWS = 1 << 20
"""A larger piece is cut: readers hold a row group in memory."""
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


class _Writer(Protocol):
    """Rows to the bytes of a format. `begin` takes a table without rows; `end` completes the bytes; `close` frees."""

    def begin(self, like: Table) -> None: ...

    def write(self, table: Table) -> None: ...

    def end(self) -> None: ...

    def close(self) -> None: ...


class _Binary(Protocol):
    """A format that is written by columns."""

    def write(self, columns: Sequence[Cells]) -> None: ...

    def close(self) -> None: ...


def format_for(path: str | Path, format: str | None = None) -> str:
    """The format of an output: as given, else by its suffix; JSON lines for standard output.

    Raises UsageError for a suffix that stands for none.

    >>> format_for("day.parquet"), format_for("-"), format_for("day.txt", "csv")
    ('parquet', 'jsonl', 'csv')
    """
    if format is not None:
        if format not in FORMATS.values():
            raise UsageError(f"no output format {format!r}; there are {', '.join(dict.fromkeys(FORMATS.values()))}")
        return format
    if str(path) == "-":
        return "jsonl"
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise UsageError(f"{path}: the suffix stands for no format; use {', '.join(FORMATS)}, or give --format")
    return FORMATS[suffix]


class Sink:
    """Where the rows of one kind go; `rows` counts them."""

    def __init__(
        self, stream: BinaryIO, like: Table, format: str, label: str | None = None, guard: bool = False
    ) -> None:
        self.rows = 0
        self._names = tuple(like)
        self._writer = _writer(stream, format, label, guard)
        try:
            self._writer.begin(like.take(slice(0, 0)))
        except BaseException:
            self.close()
            raise

    def write(self, table: Table) -> None:
        """Write rows; raises UsageError where the columns are not those of the sink."""
        if tuple(table) != self._names:
            raise UsageError(f"columns {', '.join(table)} cannot follow {', '.join(self._names)}")
        self._writer.write(table)
        self.rows += len(table)

    def end(self) -> None:
        """Write what is left and the end of the format; the stream stays open."""
        self._writer.end()

    def close(self) -> None:
        """Let go of what writing needed."""
        self._writer.close()


def _writer(stream: BinaryIO, format: str, label: str | None, guard: bool) -> _Writer:
    """The writer of a format, its library imported only now."""
    if format == "csv":
        return _Csv(stream, guard)
    if format == "jsonl":
        return _JsonLines(stream, label)
    if format == "parquet":
        from luxwake.parquet_file import ParquetFile

        return _Groups(ParquetFile(stream))
    from luxwake.arrow_stream import ArrowStream

    return _Groups(ArrowStream(stream))


class _Groups:
    """Gathers rows into groups that are worth a row group of Parquet or a record batch of Arrow."""

    def __init__(self, file: _Binary) -> None:
        self._file = file
        self._held: list[list[Cells]] = []
        self._n_held = 0

    def begin(self, like: Table) -> None:
        self._file.write([cells_of(like, name) for name in like])

    def write(self, table: Table) -> None:
        self._held.append([cells_of(table, name) for name in table])
        self._n_held += len(table)
        if self._n_held >= GROUP_ROWS:
            self._release()

    def _release(self) -> None:
        columns = [join_cells(pieces) for pieces in zip(*self._held, strict=True)]
        for begin in range(0, self._n_held, MAX_GROUP_ROWS):
            self._file.write([cut_cells(cells, slice(begin, begin + MAX_GROUP_ROWS)) for cells in columns])
        self._held, self._n_held = [], 0

    def end(self) -> None:
        self._release()
        self._file.close()

    def close(self) -> None:
        self._held = []


class TextPieces:
    """CSV or JSON lines by DuckDB: each piece into a temporary file, and from there to a stream.

    With `guard` no text begins as what a spreadsheet takes for a formula; see `cargo.safe_text.guarded`.
    """

    def __init__(self, guard: bool = False) -> None:
        from luxwake.store import locked

        self._guard = guard

        self._connection: duckdb.DuckDBPyConnection = locked()
        self._folder = tempfile.TemporaryDirectory(prefix="luxwake-")

    def write(self, table: Table, stream: BinaryIO, options: str, label: str | None = None) -> None:
        """Write rows with the options of a COPY; with `label` a first column `type` that holds it in every row."""
        import duckdb

        piece = Path(self._folder.name) / "piece"
        place, typed = str(piece).replace("'", "''"), "" if label is None else f"'{label}' as type, "
        rows, select = table.arrow_columns()
        self._connection.register("rows", rows)
        try:
            query = f"select {typed}{select} from rows"
            query = _guarded(table, query) if self._guard else query
            copied = f"copy ({query}) to '{place}' ({options}, timestampformat '{_TIME}')"
            self._connection.execute(copied)
        except duckdb.IOException as error:
            raise OutputError(f"{piece}: cannot be written ({str(error).splitlines()[0]}); set TMPDIR") from None
        with open(piece, "rb") as file:
            shutil.copyfileobj(file, stream, 1 << 20)

    def close(self) -> None:
        """Close the database and remove the temporary file."""
        self._connection.close()
        self._folder.cleanup()


def _guarded(table: Table, query: str) -> str:
    """A query for rows of a table whose texts no spreadsheet takes for formulas."""
    from cargo.safe_text import guarded_in_sql

    texts = [name for name, column in table.columns.items() if column.dtype.kind in "SUO" or name in table.words]
    quoted = ['"' + name.replace('"', '""') + '"' for name in texts]
    told = ", ".join(f"{guarded_in_sql(name)} as {name}" for name in quoted)
    return f"select * replace ({told}) from ({query})" if told else query


class _Csv:
    def __init__(self, stream: BinaryIO, guard: bool = False) -> None:
        self._stream, self._pieces = stream, TextPieces(guard)

    def begin(self, like: Table) -> None:
        self._pieces.write(like, self._stream, "format csv, header true")

    def write(self, table: Table) -> None:
        if len(table):
            self._pieces.write(table, self._stream, "format csv, header false")

    def end(self) -> None:
        """Each line is whole: nothing follows the last."""

    def close(self) -> None:
        self._pieces.close()


class _JsonLines(_Csv):
    def __init__(self, stream: BinaryIO, label: str | None) -> None:
        super().__init__(stream)
        self._label = label

    def begin(self, like: Table) -> None:
        """JSON lines have no head."""

    def write(self, table: Table) -> None:
        write_json_lines(self._pieces, table, self._stream, self._label)


def write_json_lines(pieces: TextPieces, table: Table, stream: BinaryIO, label: str | None) -> None:
    """Rows as one JSON object a line; with `label` its first key is `type`."""
    if len(table):
        pieces.write(_shortest(table), stream, "format json", label)


def _shortest(table: Table) -> Table:
    """The table with each float32 as the double that is written with the fewest digits: 36.7, not 36.70000076293945."""
    made = table.take(slice(None))
    for name, column in table.columns.items():
        if column.dtype == np.float32:
            wide = np.round(column.astype(np.float64), 4)
            with np.errstate(over="ignore"):
                rest = np.flatnonzero((wide.astype(np.float32) != column) & ~np.isnan(column))
            wide[rest] = [float(str(value)) for value in column[rest]]
            made.columns[name] = wide
    return made


@contextmanager
def open_sink(
    path: str | Path, like: Table, format: str | None = None, label: str | None = None, *, guard: bool = False
) -> Iterator[Sink]:
    """An output for tables with the columns of `like`.

    Parameters
    ----------
    path : a file, which is replaced if it exists, or `-` for standard output
    like : a table of the kind that will be written; its rows are not
    format : "parquet", "csv", "jsonl" or "arrow"; default by the suffix of `path`, and "jsonl" for `-`
    label : in JSON lines, the value of a first key `type`, which tells the rows of two sinks on one output apart
    guard : in CSV, put an apostrophe before a text that a spreadsheet would take for a formula

    Raises
    ------
    UsageError
        For a format that is not known.
    OutputError
        Where the file cannot be written; nothing is left of it.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> table = Table({"t": np.array([0]), "sog": np.array([np.nan])})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open_sink(Path(folder) / "a.jsonl", table) as sink:
    ...         sink.write(table)
    ...     (Path(folder) / "a.jsonl").read_text()
    '{"t":"1970-01-01T00:00:00.000000Z","sog":null}\\n'
    """
    chosen = format_for(path, format)
    with open_stream(path) as stream, closing(Sink(stream, like, chosen, label, guard)) as sink:
        yield sink
        sink.end()


@contextmanager
def open_stream(path: str | Path) -> Iterator[BinaryIO]:
    """A stream to a file, which takes the place of an older one when the block ends well; `-` is standard output.

    Raises OutputError where the file cannot be written; nothing is left of it.
    """
    if str(path) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        with replacing(Path(path)) as stream:
            yield stream
