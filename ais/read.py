"""Inputs of any known format to one table of fixes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ais.csv_names import check_columns
from ais.csv_rows import read_csv_rows
from ais.decode import Decoder
from ais.decoded import Piece, decode_reports, pieces_of
from ais.json_forms import JSON_FORMATS
from ais.json_rows import read_json
from ais.parquet import read_parquet
from ais.sources import expand, format_of, open_bytes
from ais.status import OUTSIDE_SELECTION, STATUS
from ais.table import FIX_DTYPES, NAT, STATIC_DTYPES, Fixes, Static
from ais.tracks import tracks
from ais.unpack import Reader
from geo.errors import UsageError

MAX_SOURCES = 65_535
"""`Fixes.source` is a uint16."""

Progress = Callable[[Path, int], None]


@dataclass(slots=True)
class Input:
    """What one input held."""

    name: str
    format: str
    messages: int = 0
    fixes: int = 0
    static: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    types: dict[int, int] = field(default_factory=dict)


def _read_nmea(reader: Reader, path: Path, found: Input, progress: Progress | None) -> tuple[Fixes, dict[str, int]]:
    def pieces() -> Iterator[Piece]:
        for piece in pieces_of(reader):
            yield piece
            if progress is not None:
                progress(path, piece[1])

    decoder = Decoder()
    fixes = decode_reports(decoder, pieces())
    found.messages, found.types = decoder.sentences, decoder.types
    return fixes, fixes.counts


def _read_one(
    path: Path, source: int, progress: Progress | None, columns: Mapping[str, str] | None
) -> tuple[Fixes, Input]:
    with open_bytes(path) as reader:
        found = Input(str(path), format_of(reader, columns))
        if found.format == "nmea":
            fixes, counts = _read_nmea(reader, path, found, progress)
        elif found.format == "parquet":
            fixes, counts = read_parquet(path, source, columns)
            found.messages = len(fixes) + sum(counts.values())
        elif found.format in JSON_FORMATS:
            fixes, counts, found.messages = read_json(reader, source, found.format, columns)
        else:
            fixes, counts, found.messages = read_csv_rows(reader, source, columns=columns)
    fixes["source"][:] = source
    fixes.static["source"][:] = source
    found.fixes, found.static, found.counts = len(fixes), len(fixes.static), dict(counts)
    return fixes, found


def _select(fixes: Fixes, t_from: int | None, t_to: int | None) -> tuple[Fixes, int]:
    """Rows within the chosen time; rows without a time go too, since nobody knows when they were."""
    if t_from is None and t_to is None:
        return fixes, 0
    t = fixes["t"]
    chosen = (
        (t != NAT) & (t >= (t_from if t_from is not None else NAT)) & (t < (t_to if t_to is not None else -NAT - 1))
    )
    return fixes.take(chosen), int(np.count_nonzero(~chosen))


def read(
    inputs: str | Path | Sequence[str | Path],
    *,
    t_from: int | None = None,
    t_to: int | None = None,
    progress: Progress | None = None,
    columns: Mapping[str, str] | None = None,
) -> Fixes:
    """Read files, folders, patterns or `-` (standard input) into fixes in time order.

    Formats are told by content: NMEA (with or without tag blocks), the CSV and JSON of known publishers, any CSV or
    JSON whose names can be understood, and Parquet; each plain or packed with gzip, bzip2, zstd or zip.
    Copies are marked, ships behind one MMSI told apart, impossible jumps marked (`status`, `hull`), H3 cells filled
    in (`cell`).

    Parameters
    ----------
    inputs : path, pattern, folder or `-`, or several of them
    t_from, t_to : int64 µs since 1970 UTC; rows with t_from <= t < t_to are kept
    progress : called with the file and the number of bytes read since the last call
    columns : for some fields of `csv_names.FIELDS`, the column of a CSV, JSON or Parquet that holds it, such as
        `{"lat": "Y", "lon": "X", "t": "when"}`; the others are told by their names

    Returns
    -------
    Fixes
        With `static` reports, `sources`, `counts` of what was not used by reason, and `inputs`: one `Input` a file.

    Raises
    ------
    InputError
        For a file that cannot be read; nothing of it is presented as the whole.
    UsageError
        For an empty time range, more than 65,535 files, or `columns` with a field that there is not.
    """
    if t_from is not None and t_to is not None and t_from >= t_to:
        raise UsageError("the time range is empty: its end is not after its begin; swap them")
    check_columns(columns)
    paths = expand([inputs] if isinstance(inputs, str | Path) else list(inputs), columns=columns)
    if len(paths) > MAX_SOURCES:
        raise UsageError(f"{len(paths):,} files, and at most {MAX_SOURCES:,} can be read together; give fewer")
    tables: list[Fixes] = []
    found: list[Input] = []
    counts: Counter[str] = Counter()
    for source, path in enumerate(paths):
        fixes, one = _read_one(path, source, progress, columns)
        fixes, outside = _select(fixes, t_from, t_to)
        counts += Counter(one.counts) + Counter({STATUS[OUTSIDE_SELECTION]: outside})
        tables.append(fixes)
        found.append(one)
    joined = {name: np.concatenate([table[name] for table in tables]) for name in FIX_DTYPES}
    static = {name: np.concatenate([table.static[name] for table in tables]) for name in STATIC_DTYPES}
    fixes = tracks(Fixes(joined, Static(static), tuple(map(str, paths)), +counts))
    fixes.inputs = found
    return fixes
