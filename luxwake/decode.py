"""The command `luxwake decode`: inputs of any format to files of fixes and static reports.

Everything streams: a chunk of the input is decoded, written and forgotten, so memory does not grow with the input
(but for Parquet inputs, which are read whole). Rows stand in the order in which they arrived; each says in which
source and at which byte its evidence begins.
"""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ais.status import DUPLICATE, LINE_TOO_LONG, STATUS
from ais.table import FIX_DTYPES, STATIC_DTYPES, Table, columns_of
from geo.errors import InputError, UsageError
from luxwake.decoded_rows import Columns, FixRows, StaticRows, StationNames
from luxwake.sink import Sink, format_for, open_sink

if TYPE_CHECKING:
    from ais.copies import Copies
    from ais.decode import Decoder
    from ais.reports import FixColumns
    from ais.sources import Chunk, Reader
    from luxwake.console import Console

Pieces = Iterator[tuple[Columns, Columns]]
Advance = Callable[[int], None]


@dataclass(slots=True)
class Job:
    """What `luxwake decode` was asked for."""

    inputs: Sequence[str | Path]
    out: str | Path
    format: str | None = None
    messages: bool = False
    policy: str = "strict"
    start: int | None = None
    clock: str | None = None
    fold: bool = True
    threads: int = 1
    columns: Mapping[str, str] | None = None
    raw: bool = False
    """CSV with texts as they are, also those that a spreadsheet takes for formulas."""

    def decoder(self) -> Decoder:
        """A decoder with these options; raises UsageError for one that does not exist."""
        from ais.decode import Decoder

        return Decoder(self.policy, fold=self.fold, start=self.start, clock=self.clock, threads=self.threads)


@dataclass(slots=True)
class Tally:
    """What was found, over all inputs."""

    sources: int = 0
    bytes: int = 0
    sentences: int = 0
    messages: int = 0
    fixes: int = 0
    static: int = 0
    copies: int = 0
    not_used: Counter[str] = field(default_factory=Counter)


def static_path(out: str | Path) -> Path:
    """Where the static reports go that belong to the fixes in `out`.

    >>> str(static_path("may/day.parquet")), str(static_path("day.csv.part"))
    ('may/day.static.parquet', 'day.csv.static.part')
    """
    path = Path(out)
    return path.with_name(f"{path.stem}.static{path.suffix}")


def run_decode(job: Job, console: Console) -> dict[str, Any]:
    """Decode `job.inputs` into `job.out`; the summary that `--json` prints last.

    Raises
    ------
    UsageError
        For an output that is an input too, or an option that cannot be meant.
    InputError
        For an input that cannot be read; no file is written then.
    OutputError
        For an output that cannot be written.
    """
    from ais.csv_names import check_columns
    from ais.sources import expand
    from ais.unpack import file_of

    format = format_for(job.out, job.format)
    job.decoder()
    check_columns(job.columns)
    piped = str(job.out) == "-"
    if piped and console.json and format != "jsonl":
        raise UsageError(f"--json prints on standard output, where {format} is to go; leave one of them out")
    paths = expand(list(job.inputs), columns=job.columns)
    outputs = [] if piped else [Path(job.out)] + ([] if job.messages else [static_path(job.out)])
    given = {file_of(path).resolve() for path in paths if str(path) != "-"}
    for path in outputs:
        if path.resolve() in given:
            raise UsageError(f"{path} is an input too; give another name with -o")
    _note_compiling(console, format, job.messages)
    begin = time.perf_counter()
    tally = Tally(sources=len(paths))
    with console.progress("decoding", _text_bytes(paths), of_bytes=True) as progress:
        work = _write_messages if job.messages else _write_reports
        work(job, format, paths, tally, progress.advance)
    seconds = time.perf_counter() - begin
    summary = _summary(job, tally, [str(path) for path in outputs], seconds)
    _show(console, summary, piped, piped and format != "jsonl" and not job.messages)
    return summary


def _open(stack: ExitStack, job: Job, format: str) -> tuple[Sink, Sink | None]:
    """The outputs: two files, or one pipe, on which only JSON lines can hold both kinds of row."""
    fixes, static = FixRows.of(columns_of(FIX_DTYPES, 0)), StaticRows.of(columns_of(STATIC_DTYPES, 0))
    guard = not job.raw
    if str(job.out) != "-":
        first = stack.enter_context(open_sink(job.out, fixes, format, guard=guard))
        return first, stack.enter_context(open_sink(static_path(job.out), static, format, guard=guard))
    first = stack.enter_context(open_sink("-", fixes, format, label="fix", guard=guard))
    if format != "jsonl":
        return first, None
    return first, stack.enter_context(open_sink("-", static, format, label="static"))


def _pieces(job: Job, path: Path, source: int, tally: Tally, advance: Advance) -> Pieces:
    """The columns of fixes and of static reports of one input, piece by piece."""
    from ais.json_forms import JSON_FORMATS
    from ais.sources import format_of, open_bytes

    with open_bytes(path) as reader:
        format = format_of(reader, job.columns)
        if format == "nmea":
            yield from _nmea_pieces(job, reader, tally, advance)
        elif format == "parquet":
            from ais.parquet import read_parquet

            fixes, counts = read_parquet(path, source, job.columns)
            tally.not_used += Counter(counts)
            yield fixes.columns, fixes.static.columns
        elif format in JSON_FORMATS:
            yield from _json_pieces(job, reader, format, tally, advance)
        else:
            yield from _csv_pieces(job, reader, tally, advance)


def _nmea_pieces(job: Job, reader: Reader, tally: Tally, advance: Advance) -> Pieces:
    """A chunk is given out when the next has been read: copies of its last messages may stand there."""
    from ais.copies import Copies
    from ais.reports import FixColumns

    decoder = job.decoder()
    names = StationNames(decoder.stations)
    held: tuple[FixColumns, Columns, Copies] | None = None
    for chunk in _chunks(reader, tally, advance):
        fixes = FixColumns(chunk.n // 60)
        static = decoder.reports(chunk.data, chunk.n, chunk.offset, fixes)
        again, decoder.copies = decoder.copies, Copies()
        if held is not None:
            yield _with_copies(held[0], names, held[1], held[2] + again)
        held = fixes, static, again
    if held is not None:
        fixes, static, again = held
        late = decoder.flush_reports(fixes)  # messages whose parts came out of order wait for the end of the feed
        static = {name: np.concatenate([column, late[name]]) for name, column in static.items()}
        yield _with_copies(fixes, names, static, again + decoder.copies)
    _count(decoder, tally)


def _with_copies(fixes: FixColumns, names: StationNames, static: Columns, copies: Copies) -> tuple[Columns, Columns]:
    """The columns of a chunk, with what its copies, in it and in the next, say of its fixes."""
    columns, heard = fixes.columns(), fixes.stations
    columns["copies"], columns["t"] = copies.of(fixes.numbers, columns["t"])
    return {**columns, "station": names.of(heard), "stations": copies.stations(fixes.numbers, heard)}, static


def _chunks(reader: Reader, tally: Tally, advance: Advance) -> Iterator[Chunk]:
    """The chunks of a text, counted."""
    from ais.sources import chunks

    for chunk in chunks(reader):
        yield chunk
        tally.not_used[STATUS[LINE_TOO_LONG]] += chunk.long_lines
        tally.bytes += chunk.n
        advance(chunk.n)


def _count(decoder: Decoder, tally: Tally) -> None:
    """What one decoder saw, into the tally of all."""
    tally.sentences += decoder.sentences
    tally.messages += sum(decoder.types.values())
    counts = Counter(decoder.counts)
    tally.copies += counts.pop(STATUS[DUPLICATE], 0)
    tally.not_used += counts


class _Counted(io.RawIOBase):
    """The text of a source; `taken` is told of each piece that is read."""

    def __init__(self, reader: Reader, taken: Advance) -> None:
        self._reader, self._taken = reader, taken

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        n = self._reader.readinto(memoryview(buffer))
        self._taken(n)
        return n


def _json_pieces(job: Job, reader: Reader, form: str, tally: Tally, advance: Advance) -> Pieces:
    from ais.csv_static import changes_of
    from ais.decode import Decoder
    from ais.json_rows import JsonReader
    from ais.table import Static
    from ais.unpack import Reader

    def taken(n: int) -> None:
        tally.bytes += n
        advance(n)

    rows = JsonReader(form, job.columns, Decoder(job.policy, start=job.start, clock=job.clock))
    counted = Reader(reader.name, io.BufferedReader(_Counted(reader, taken)), close=False)
    for fixes, static in rows.blocks(counted):
        # The sentences of AIS-catcher are reports of their own; in rows each repeats what the one before said.
        yield fixes, static if form == "ais-catcher" else changes_of(Static(static)).columns
    tally.not_used += Counter(rows.counts)


def _csv_pieces(job: Job, reader: Reader, tally: Tally, advance: Advance) -> Pieces:
    from ais.csv_layout import layout_of
    from ais.csv_rows import LAYOUT_HEAD_BYTES, CsvReader
    from ais.csv_static import changes_of
    from ais.table import Static

    rows = CsvReader(layout_of(reader.name, reader.head(LAYOUT_HEAD_BYTES), job.columns))
    for chunk in _chunks(reader, Tally(), advance):
        for fixes, static in rows.blocks(chunk):
            yield fixes, changes_of(Static(static)).columns
        tally.bytes += chunk.n
    tally.not_used += Counter(rows.counts)


def _write_reports(job: Job, format: str, paths: Sequence[Path], tally: Tally, advance: Advance) -> None:
    """Fixes and static reports of all inputs to their outputs."""
    names = tuple(map(str, paths))
    with ExitStack() as stack:
        fixes, static = _open(stack, job, format)
        for source, path in enumerate(paths):
            for fix_columns, static_columns in _pieces(job, path, source, tally, advance):
                rows = FixRows.of(fix_columns, names, source), StaticRows.of(static_columns, names, source)
                _write(fixes, static, rows, tally)


def _write_messages(job: Job, format: str, paths: Sequence[Path], tally: Tally, advance: Advance) -> None:
    """All messages of all inputs, each with all its fields, to one output."""
    from ais.copies import Copies
    from ais.messages import Messages
    from ais.sources import format_of, open_bytes
    from luxwake.messages_file import layouts, open_messages, readable

    names = tuple(map(str, paths))

    def write(found: Messages, source: int) -> None:
        tables = found.tables().items()
        sink.write({name: readable(name, table, found.stations, names, source) for name, table in tables})

    with open_messages(job.out, layouts(), format, guard=not job.raw) as sink:
        for source, path in enumerate(paths):
            with open_bytes(path) as reader:
                if (kind := format_of(reader, job.columns)) != "nmea":
                    raise InputError(f"{path}: {kind} holds no messages; leave --messages out, or this file")
                decoder = job.decoder()
                for chunk in _chunks(reader, tally, advance):
                    write(decoder.decode(chunk.data, chunk.n, chunk.offset), source)
                    decoder.copies = Copies()  # each copy is a row of its own here; a list of all would only grow
                write(decoder.flush(), source)
                _count(decoder, tally)


def _write(fixes: Sink, static: Sink | None, rows: tuple[Table, Table], tally: Tally) -> None:
    made, said = rows
    tally.fixes += len(made)
    tally.static += len(said)
    if len(made):
        fixes.write(made)
    if static is not None and len(said):
        static.write(said)


def _text_bytes(paths: Sequence[Path]) -> int | None:
    """How many bytes of text the inputs hold; None where a packed one or a pipe leaves it open."""
    from ais.sources import open_bytes

    total = 0
    for path in paths:
        if not path.is_file():
            return None
        with open_bytes(path) as reader:
            if reader.packing != "plain":
                return None
        total += path.stat().st_size
    return total


def _note_compiling(console: Console, format: str, messages: bool) -> None:
    """Say what is about to be compiled, where no earlier run left it in the cache."""
    from geo.kernel import CACHE_FOLDER

    needed = {"the NMEA reader": "sentences"}
    needed |= {"the tables of messages": "columns"} if messages else {}
    needed |= {"the Parquet writer": "parquet_pages"} if format == "parquet" else {}
    cold = [
        what
        for what, module in needed.items()
        if CACHE_FOLDER is None or not any(CACHE_FOLDER.glob(f"*/{module}.*.nbi"))
    ]
    if cold:
        again = "every time, since no folder can be written" if CACHE_FOLDER is None else "once; `luxwake warmup` too"
        console.note(f"compiling {' and '.join(cold)} ({again})")


def _summary(job: Job, tally: Tally, files: list[str], seconds: float) -> dict[str, Any]:
    reports = {} if job.messages else {"fixes": tally.fixes, "static": tally.static}
    return {
        "sources": tally.sources,
        "bytes": tally.bytes,
        "sentences": tally.sentences,
        "messages": tally.messages,
        **reports,
        "copies": tally.copies,
        "not_used": dict(+tally.not_used),
        "files": files,
        "seconds": round(seconds, 3),
        "mb_per_s": round(tally.bytes / 1e6 / max(seconds, 1e-9), 1),
    }


_ROWS = {
    "sources": "sources read",
    "sentences": "sentences",
    "messages": "whole messages",
    "fixes": "fixes",
    "static": "static reports",
    "copies": "copies folded",
    "mb_per_s": "MB of text per second",
}
"""What the summary table calls its numbers."""


def _show(console: Console, summary: dict[str, Any], piped: bool, no_static: bool) -> None:
    """The summary: a table, a JSON line, or one line on stderr where standard output is the result."""
    numbers = {words: summary[key] for key, words in _ROWS.items() if key in summary}
    if no_static and summary["static"]:
        console.note(f"{summary['static']:,} static reports are not written: only JSON lines hold both on one pipe")
    if console.json:
        from luxwake.console import print_json_lines

        print_json_lines([{"type": "summary", **summary}])
    elif console.quiet:
        return
    elif piped:
        reasons = ", ".join(f"{n:,} {reason}" for reason, n in summary["not_used"].items())
        console.note(", ".join(f"{number:,} {words}" for words, number in numbers.items()))
        console.note(f"not used: {reasons or 'nothing'}")
    else:
        console.table("Decoded", ("", "number"), ((words, f"{n:>14,}") for words, n in numbers.items()))
        console.counts("Not used of the input", summary["not_used"])
        console.note("written: " + ", ".join(summary["files"]))
