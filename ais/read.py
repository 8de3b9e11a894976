"""Inputs of any known format to one table of fixes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.csv_rows import read_csv
from ais.decode import Decoder
from ais.parquet import read_parquet
from ais.sources import chunks, expand, format_of, open_bytes
from ais.status import LINE_TOO_LONG, OUTSIDE_SELECTION, STATUS
from ais.table import FIX_DTYPES, NAT, STATIC_DTYPES, Fixes, Static
from ais.tracks import tracks
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


def _read_nmea(reader: Any, path: Path, found: Input, progress: Progress | None) -> tuple[Fixes, dict[str, int]]:
    decoder = Decoder()
    pieces: list[dict[str, NDArray[Any]]] = []
    statics: list[dict[str, NDArray[Any]]] = []
    long_lines = 0
    for chunk in chunks(reader):
        long_lines += chunk.long_lines
        rows, static_rows = decoder.decode(chunk.data, chunk.n, chunk.offset)
        pieces.append(rows)
        statics.append(static_rows)
        if progress is not None:
            progress(path, chunk.n)
    decoder.flush()
    found.messages, found.types = decoder.sentences, decoder.types
    counts = Counter(decoder.counts)
    counts[STATUS[LINE_TOO_LONG]] += long_lines
    joined = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    static = Static({name: np.concatenate([piece[name] for piece in statics]) for name in statics[0]})
    return Fixes(joined, static), +counts


def _read_one(path: Path, source: int, progress: Progress | None) -> tuple[Fixes, Input]:
    with open_bytes(path) as reader:
        found = Input(str(path), format_of(reader))
        if found.format == "nmea":
            fixes, counts = _read_nmea(reader, path, found, progress)
        elif found.format == "parquet":
            fixes, counts = read_parquet(path, source)
        else:
            fixes, counts = read_csv(reader, source)
    fixes["source"][:] = source
    fixes.static["source"][:] = source
    found.fixes, found.static, found.counts = len(fixes), len(fixes.static), dict(counts)
    if found.format != "nmea":
        found.messages = len(fixes) + sum(counts.values())
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
) -> Fixes:
    """Read files, folders, patterns or `-` (standard input) into fixes in time order.

    Formats are told by content: NMEA (with or without tag blocks), NOAA MarineCadastre CSV in both layouts, Danish
    DMA CSV, any CSV whose header can be understood, and Parquet; each plain or packed with gzip, bzip2 or zstd.
    Copies are marked, ships behind one MMSI told apart, impossible jumps marked (`status`, `hull`), H3 cells filled
    in (`cell`).

    Parameters
    ----------
    inputs : path, pattern, folder or `-`, or several of them
    t_from, t_to : int64 µs since 1970 UTC; rows with t_from <= t < t_to are kept
    progress : called with the file and the number of bytes read since the last call

    Returns
    -------
    Fixes
        With `static` reports, `sources`, `counts` of what was not used by reason, and `inputs`: one `Input` a file.

    Raises
    ------
    InputError
        For a file that cannot be read; nothing of it is presented as the whole.
    UsageError
        For an empty time range, or more than 65,535 files.
    """
    if t_from is not None and t_to is not None and t_from >= t_to:
        raise UsageError("the time range is empty: its end is not after its begin; swap them")
    paths = expand([inputs] if isinstance(inputs, str | Path) else list(inputs))
    if len(paths) > MAX_SOURCES:
        raise UsageError(f"{len(paths):,} files, and at most {MAX_SOURCES:,} can be read together; give fewer")
    tables: list[Fixes] = []
    found: list[Input] = []
    counts: Counter[str] = Counter()
    for source, path in enumerate(paths):
        fixes, one = _read_one(path, source, progress)
        fixes, outside = _select(fixes, t_from, t_to)
        counts += Counter(one.counts) + Counter({STATUS[OUTSIDE_SELECTION]: outside})
        tables.append(fixes)
        found.append(one)
    columns = {name: np.concatenate([table[name] for table in tables]) for name in FIX_DTYPES}
    static = {name: np.concatenate([table.static[name] for table in tables]) for name in STATIC_DTYPES}
    fixes = tracks(Fixes(columns, Static(static), tuple(map(str, paths)), +counts))
    fixes.inputs = found
    return fixes
