"""The files of the position archive: what they are called, how rows become files, and how several become one.

    date=2026-11-27/cell=811fbffffffffff/1207.parquet        rows up to record 1207 of the journal
    date=2026-11-27/cell=811fbffffffffff/64-1207.parquet     takes the place of all whose numbers lie in 64 to 1207

`cell` is the H3 cell of resolution 1. A file is written under a hidden name and renamed when it is on the disk. Where
a merged file is there, those that it replaces count no more, so that no row is ever missing or double.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.table import NAV_STATUS_UNKNOWN, Table
from geo.whole_file import sync
from luxwake.cells import cells_of, cut_cells
from luxwake.decoded_rows import CHANNELS
from luxwake.parquet_file import ParquetFile, new_packer

if TYPE_CHECKING:
    import duckdb
    import zstandard

    from luxwake.daemon.archive_sorting import Sorting

Columns = dict[str, NDArray[Any]]

RESOLUTION = 1
"""842 cells of 600,000 km²: few enough for a file each, many enough to leave most of the world out."""
DAY_US = 86_400_000_000
MAX_DAYS = 64
"""Days that a batch is put into. The times of a feed may be anything, and each day costs files."""
NO_DAY = "date=__HIVE_DEFAULT_PARTITION__"
"""The day of the rows beyond: Hive's word for null, which all readers of partitions know."""
GROUP_ROWS = 122_880
MERGE_MEMORY = "192MB"
_NAME = re.compile(r"(\d+)(?:-(\d+))?\.parquet")


class ArchiveRows(Table):
    """Positions as the archive has them: words for the channel and the source, null for what is not available."""

    order: ClassVar[tuple[str, ...]] = (
        "t", "mmsi", "lat", "lon", "sog", "cog", "heading", "nav_status", "msg_type", "channel", "source", "offset",
    )  # fmt: skip
    nulls: ClassVar[Mapping[str, int]] = {"nav_status": NAV_STATUS_UNKNOWN}
    words: ClassVar[Mapping[str, Sequence[str]]] = {"channel": CHANNELS}

    @classmethod
    def of(cls, columns: Columns, names: Sequence[str]) -> ArchiveRows:
        """Rows whose `source` is a place in `names`."""
        rows = cls({name: columns[name] for name in cls.order})
        vars(rows)["words"] = {**cls.words, "source": tuple(names)}
        return rows


class Part(NamedTuple):
    """A file of a partition, and the numbers that it stands for."""

    first: int
    last: int
    path: Path

    @property
    def is_merged(self) -> bool:
        """Does it take the place of others?"""
        return "-" in self.path.stem


def parts_of(partition: Path) -> tuple[list[Part], list[Part]]:
    """The files of a partition that count, in order, and those that another one replaces.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("3.parquet", "5.parquet", "3-5.parquet", "9.parquet", ".11.parquet.partial"):
    ...     (folder / name).touch()
    >>> [[part.path.name for part in parts] for parts in parts_of(folder)]
    [['3-5.parquet', '9.parquet'], ['3.parquet', '5.parquet']]
    """
    found = []
    for path in partition.iterdir() if partition.is_dir() else ():
        if name := _NAME.fullmatch(path.name):
            found.append(Part(int(name[1]), int(name[2] or name[1]), path))
    counting: list[Part] = []
    replaced = []
    for part in sorted(found, key=lambda part: (part.first, -part.last, not part.is_merged)):
        if counting and part.last <= counting[-1].last:
            replaced.append(part)
        else:
            counting.append(part)
    return counting, replaced


def hidden(path: Path) -> Path:
    """What a file is called until it is whole."""
    return path.with_name(f".{path.name}.partial")


def is_hidden(path: Path) -> bool:
    """Is it a file that was never whole?"""
    return path.name.startswith(".") and path.name.endswith(".partial")


def days(folder: Path) -> list[str]:
    """The days of an archive as "YYYY-MM-DD", in order."""
    return sorted(path.name.removeprefix("date=") for path in folder.glob("date=*-*-*"))


def partitions(folder: Path, day: str | None = None) -> Iterator[Path]:
    """The partitions of a day, or of all, in order."""
    yield from sorted(folder.glob(f"date={day or '*'}/cell=*"))


def day_end(partition: Path) -> int | None:
    """Where the day of a partition ends, µs since 1970; None for rows without a day."""
    try:
        begin = datetime.fromisoformat(partition.parent.name.removeprefix("date=")).replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(begin.timestamp()) * 1_000_000 + DAY_US


def chosen_days(t: NDArray[np.int64]) -> NDArray[np.int64]:
    """The days that rows of these times are put into, the `MAX_DAYS` with the most rows, in order.

    >>> chosen_days(np.array([3, 2, 3]) * DAY_US).tolist()
    [2, 3]
    """
    day = t // DAY_US
    first = int(day.min(initial=0))
    if int(day.max(initial=0)) - first < MAX_DAYS:  # as a rule; not sorted
        return np.flatnonzero(np.bincount(day - first)) + first
    found, n = np.unique(day, return_counts=True)
    return np.sort(found[np.lexsort((found, -n))[:MAX_DAYS]])


def partitioned(
    rows: ArchiveRows, cell: NDArray[np.uint64], days: NDArray[np.int64]
) -> tuple[ArchiveRows, list[tuple[str, slice]]]:
    """Rows ordered by partition, MMSI, time, then arrival; each partition's path and rows.

    `cell` has that of each row, `days` those that have a folder.
    """
    t, day = rows["t"], rows["t"] // DAY_US
    cell, cell_of = np.unique(cell, return_inverse=True)
    place = np.searchsorted(days, day)
    place[days[np.minimum(place, days.size - 1)] != day] = days.size
    partition = place * cell.size + cell_of
    order = np.argsort(t, kind="stable")
    order = order[np.argsort(partition[order] << 32 | rows["mmsi"][order], kind="stable")]
    cuts = [0, *(np.flatnonzero(np.diff(partition[order])) + 1).tolist(), len(rows)]
    parts = []
    for begin, end in itertools.pairwise(cuts):
        of_day, of_cell = divmod(int(partition[order[begin]]), cell.size)
        date = NO_DAY if of_day == days.size else f"date={np.datetime64(int(days[of_day]), 'D')}"
        parts.append((f"{date}/cell={int(cell[of_cell]):x}", slice(begin, end)))
    return rows.take(order), parts


def write_files(
    folder: Path,
    number: int,
    rows: ArchiveRows,
    parts: Sequence[tuple[str, slice]],
    is_stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Write rows that `partitioned` has ordered, a file each partition.

    Raises OSError where the disk does not take them, or when it is to stop before all is on the disk. What was written
    before an error is written again by the next call with the same number.
    """
    columns, packer = [cells_of(rows, name) for name in rows], new_packer()
    places = [(folder / name, taken) for name, taken in parts]
    paths = [(str(hidden(place / f"{number}.parquet")), str(place / f"{number}.parquet")) for place, _ in places]
    try:
        for (partial, _), (place, taken) in zip(paths, places, strict=True):
            if not os.path.isdir(place):
                place.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_file(partial, columns, taken, packer)
        for partial, _ in paths:
            if is_stopped():
                raise OSError(errno.EINTR, os.strerror(errno.EINTR))
            sync(partial)
        for partial, path in paths:
            os.replace(partial, path)
        for folders in {place for place, _ in places} | {place.parent for place, _ in places} | {folder}:
            sync(folders)
    except OSError:
        for partial, _ in paths:
            Path(partial).unlink(missing_ok=True)
        raise


def _write_file(path: str, columns: Sequence[Any], taken: slice, packer: zstandard.ZstdCompressor) -> None:
    with open(path, "wb") as stream:
        file = ParquetFile(stream, packer)
        for begin in range(taken.start, taken.stop, GROUP_ROWS):
            rows = slice(begin, min(begin + GROUP_ROWS, taken.stop))
            file.write([cut_cells(column, rows) for column in columns])
        file.close()


def quoted(paths: Sequence[Path]) -> str:
    """Paths as a list in SQL."""
    import glob

    return "[" + ", ".join("'" + glob.escape(str(path)).replace("'", "''") + "'" for path in paths) + "]"


def merge(parts: Sequence[Part], sorting: Sorting) -> Path:
    """One file in place of several, which follow each other in a partition; the old ones are removed.

    Raises OSError; all rows are still there then, each once.
    """
    partition = parts[0].path.parent
    made = partition / f"{parts[0].first}-{parts[-1].last}.parquet"
    try:
        sorting.sort([part.path for part in parts], hidden(made))
        sync(hidden(made))
        os.replace(hidden(made), made)
    except BaseException:
        hidden(made).unlink(missing_ok=True)
        raise
    sync(partition)
    for part in parts:
        if part.path != made:
            part.path.unlink(missing_ok=True)
    sync(partition)
    return made


def merging(folder: Path) -> duckdb.DuckDBPyConnection:
    """A database for reading the archive and merging its files, of bounded memory and one thread."""
    from luxwake.store import locked

    connection = locked()
    spill = str(folder / ".spill").replace("'", "''")
    for setting in ("threads = 1", f"memory_limit = '{MERGE_MEMORY}'", f"temp_directory = '{spill}'"):
        connection.execute(f"set {setting}")
    return connection
