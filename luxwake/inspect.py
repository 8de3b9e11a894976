"""What is in an input: `luxwake inspect`, before anybody rests anything on it.

One pass over the input, in chunks. What is kept of it is bounded by what it is about and not by its size: 4 bytes a
number (MMSI) heard, 16 bytes a silence of a minute, and the cells of a map; of a table 8 bytes a row too, to find
those that repeat others. JSON and Parquet are read whole.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.copies import Copies
from ais.csv_layout import layout_of
from ais.csv_rows import LAYOUT_HEAD_BYTES, CsvReader
from ais.decode import RANGE_BYTES, Decoder
from ais.json_forms import JSON_FORMATS
from ais.json_rows import read_json
from ais.layouts import LAYOUTS
from ais.messages import Messages
from ais.parquet import read_parquet
from ais.reports import FixColumns
from ais.sources import chunks, expand, format_of, open_bytes
from ais.status import DUPLICATE, LINE_TOO_LONG, NO_POSITION, OK, POSITION_OUT_OF_RANGE, REASONS, STATUS
from ais.table import NAT
from ais.unpack import Reader
from geo.errors import InputError
from luxwake.survey import Rejected, Survey, counted_codes

TYPE_TITLES = {number: layout.title.split(";")[0] for layout in reversed(LAYOUTS.values()) for number in layout.types}
"""What each type of message is."""
_CHUNK_BYTES = RANGE_BYTES - 4096
"""What the decoder reads at once, so that its rows are counted while they are in the cache."""
_FACTOR, _HALF = np.uint64(0x9E3779B97F4A7C15), np.uint64(29)

Advance = Callable[[int], None]
Columns = Mapping[str, NDArray[Any]]


def inspect(
    inputs: str | Path | Sequence[str | Path],
    advance: Advance | None = None,
    columns: Mapping[str, str] | None = None,
) -> list[Survey]:
    """What inputs hold: one survey for each.

    Parameters
    ----------
    inputs : path, pattern, folder or `-` (standard input), or several of them
    advance : called with the number of bytes of text read since the last call
    columns : for some fields, the column of a table that holds it, as for `lw.read`

    Raises
    ------
    InputError
        For a file that cannot be read, or is no AIS.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "feed")
    ...     _ = path.write_bytes(b"!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23\\nhello\\n")
    ...     (survey,) = inspect(path)
    >>> survey.format, survey.messages, survey.ships, dict(survey.types), survey.density.positions
    ('nmea', 1, 1, {1: 1}, 1)
    >>> survey.rejected["line without an AIS sentence"].offset
    48
    """
    paths = expand([inputs] if isinstance(inputs, str | Path) else list(inputs), columns=columns)
    return [inspect_one(path, advance, columns) for path in paths]


def inspect_one(path: Path, advance: Advance | None = None, columns: Mapping[str, str] | None = None) -> Survey:
    """What one file, member of an archive, or standard input (`-`), holds."""
    advance = advance or (lambda _: None)
    with open_bytes(path) as reader:
        survey = Survey(reader.name, format_of(reader, columns))
        if survey.format == "nmea":
            _survey_sentences(survey, reader, advance)
        elif survey.format == "parquet":
            _survey_parquet(survey, path, reader, advance, columns)
        elif survey.format in JSON_FORMATS:
            fixes, counts, survey.sentences = read_json(reader, 0, survey.format, columns)
            _survey_table(survey, path, fixes.columns, counts, advance)
        else:
            _survey_csv(survey, reader, advance, columns)
        if reader.packing != "plain":
            survey.format += f", {reader.packing}"
    return survey


def together(surveys: Iterable[Survey]) -> Survey:
    """All of them as one; copies are those within an input."""
    total = Survey("all", "")
    formats: dict[str, None] = {}
    for survey in surveys:
        total.add(survey)
        formats[survey.format] = None
    total.format = "; ".join(formats)
    return total


def _survey_sentences(survey: Survey, reader: Reader, advance: Advance) -> None:
    decoder = Decoder(fold=True)
    lost = np.zeros((REASONS, 3), np.int64)
    long_lines = 0
    for chunk in chunks(reader, _CHUNK_BYTES):
        _note_messages(survey, decoder.decode(chunk.data, chunk.n, chunk.offset), lost)
        decoder.copies = Copies()  # which message each copy repeats is not asked here, and would grow with the input
        survey.bytes = chunk.offset + chunk.n
        long_lines += chunk.long_lines
        advance(chunk.n)
    _note_messages(survey, decoder.flush(), lost)
    survey.sentences = decoder.sentences
    survey.types.update(decoder.types)
    survey.stations.update(decoder.stations.heard())
    survey.without_position = int(lost[[NO_POSITION, POSITION_OUT_OF_RANGE], 0].sum())
    tally = decoder.tally
    tally[LINE_TOO_LONG, 0] += long_lines
    survey.copies = int(tally[DUPLICATE, 0])
    for code, (count, n_bytes, first) in enumerate(tally.tolist()):
        if count and code not in {OK, DUPLICATE}:
            survey.reject(STATUS[code], Rejected(count, n_bytes, survey.name, None if first < 0 else first))


def _note_messages(survey: Survey, messages: Messages, lost: NDArray[np.int64]) -> None:
    rows = messages.records
    survey.note(rows["t"], rows["mmsi"], rows["channel"])
    talkers = counted_codes(rows["talker"])
    survey.talkers.update({chr(code >> 8) + chr(code & 255): n for code, n in talkers.items()})
    fixes = FixColumns(len(rows))
    fixes.append(rows, len(rows), messages.words, lost)
    columns = fixes.columns()
    survey.density.add(columns["lat"], columns["lon"])


class _Repeats:
    """How many rows repeat the time, number and position of another: 8 bytes a row."""

    def __init__(self) -> None:
        self._hashes: list[NDArray[np.uint64]] = []

    def add(self, rows: Columns) -> None:
        mixed = np.zeros(len(rows["t"]), np.uint64)
        for value in (rows["t"], rows["mmsi"].astype(np.int64), rows["lat"] + 0.0, rows["lon"] + 0.0):  # -0.0 is 0.0
            mixed = (mixed ^ value.view(np.uint64)) * _FACTOR
            mixed ^= mixed >> _HALF
        self._hashes.append(mixed[rows["t"] != NAT])

    def count(self) -> int:
        hashes = np.sort(np.concatenate([*self._hashes, np.zeros(0, np.uint64)]))
        return int(np.count_nonzero(hashes[1:] == hashes[:-1]))


def _survey_csv(survey: Survey, reader: Reader, advance: Advance, columns: Mapping[str, str] | None) -> None:
    rows = CsvReader(layout_of(reader.name, reader.head(LAYOUT_HEAD_BYTES), columns))
    repeats = _Repeats()
    for chunk in chunks(reader):
        for block, _ in rows.blocks(chunk):
            _note_rows(survey, block)
            repeats.add(block)
        survey.bytes = chunk.offset + chunk.n
        advance(chunk.n)
    survey.sentences, survey.copies = rows.rows, repeats.count()
    _reject_rows(survey, rows.counts)


def _survey_parquet(
    survey: Survey, path: Path, reader: Reader, advance: Advance, columns: Mapping[str, str] | None
) -> None:
    if str(path) != "-" and path.is_file():
        fixes, counts = read_parquet(path, 0, columns)
        survey.sentences = len(fixes) + sum(counts.values())
        _survey_table(survey, path, fixes.columns, counts, advance)
        return
    with tempfile.NamedTemporaryFile() as copy:  # its directory stands at the end: it cannot be read from a pipe
        buffer = bytearray(1 << 20)
        while n := reader.readinto(memoryview(buffer)):
            copy.write(memoryview(buffer)[:n])
        copy.flush()
        try:
            _survey_parquet(survey, Path(copy.name), reader, advance, columns)
        except InputError as error:
            raise InputError(str(error).replace(copy.name, survey.name)) from None


def _survey_table(survey: Survey, path: Path, rows: Columns, counts: Mapping[str, int], advance: Advance) -> None:
    repeats = _Repeats()
    repeats.add(rows)
    _note_rows(survey, rows)
    _reject_rows(survey, counts)
    survey.copies = repeats.count()
    survey.bytes = path.stat().st_size if str(path) != "-" and path.is_file() else 0
    advance(survey.bytes)


def _note_rows(survey: Survey, rows: Columns) -> None:
    channel = rows.get("channel")
    survey.note(rows["t"], rows["mmsi"], channel if channel is not None and channel.any() else None)
    survey.types.update(counted_codes(rows["msg_type"][rows["msg_type"] > 0]))
    survey.density.add(rows["lat"], rows["lon"])


def _reject_rows(survey: Survey, counts: Mapping[str, int]) -> None:
    """Readers of tables count rows by reason, and not bytes."""
    for reason, count in counts.items():
        survey.reject(reason, Rejected(count, None, survey.name, None))
