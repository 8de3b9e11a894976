"""The archive read: its rows by day in the order of time, and what is wrong with its files."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ais.table import NAV_STATUS_UNKNOWN, Fixes
from geo.errors import InputError
from luxwake.daemon.archive_files import DAY_US, day_end, merging, partitions, parts_of, quoted

if TYPE_CHECKING:
    import duckdb


def files_of(folder: Path, day: str | None = None) -> list[Path]:
    """The files that count, of a day or of all."""
    return [part.path for place in partitions(folder, day) for part in parts_of(place)[0]]


def sources_of(folder: Path) -> tuple[str, ...]:
    """Names of all sources in the archive, in the order of the alphabet."""
    found = _asked(folder, files_of(folder), "select distinct source from rows where source is not null order by 1")
    return tuple(str(name) for (name,) in found)


def _asked(folder: Path, files: Sequence[Path], sql: str) -> list[Any]:
    import duckdb

    if not files:
        return []
    with merging(folder) as connection:
        try:
            found: list[Any] = _rows(connection, files).query("rows", sql).fetchall()
            return found
        except (duckdb.Error, OSError) as error:
            raise _unreadable(folder, error) from None


def _rows(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> duckdb.DuckDBPyRelation:
    return connection.sql(f"from read_parquet({quoted(files)}, hive_partitioning = false)")


def _unreadable(folder: Path, error: Exception) -> InputError:
    reason = str(error).splitlines()[0]
    return InputError(f"{folder}: cannot be read ({reason}); `luxwake store verify` names the file")


def day_rows(folder: Path, day: str, names: Sequence[str]) -> Iterator[Fixes]:
    """The positions of a day ("YYYY-MM-DD"), in pieces, ordered by time; `source` is a place in `names`."""
    import duckdb
    from arro3.core import RecordBatchReader

    files = files_of(folder, day)
    if not files:
        return
    listed = "[" + ", ".join("'" + name.replace("'", "''") + "'" for name in names) + "]::varchar[]"
    nan = "'nan'::float"
    select = (
        f"epoch_us(t) as t, mmsi, lat, lon, coalesce(sog, {nan}) as sog, coalesce(cog, {nan}) as cog, "
        f"coalesce(heading, {nan}) as heading, coalesce(nav_status, {NAV_STATUS_UNKNOWN})::utinyint as nav_status, "
        "msg_type, coalesce(ascii(channel), 0)::utinyint as channel, "
        f'coalesce(list_position({listed}, source), 1)::int - 1 as source, "offset"'
    )
    with merging(folder) as connection:
        try:
            rows = _rows(connection, files).select(select).order('t, mmsi, source, "offset"')
            for batch in RecordBatchReader.from_arrow(rows):
                columns = {name: np.asarray(batch.column(name).to_numpy()) for name in batch.schema.names}
                yield Fixes(columns, sources=tuple(names))
        except (duckdb.Error, OSError) as error:
            raise _unreadable(folder, error) from None


def faults(folder: Path) -> tuple[int, int, list[str]]:
    """Files and rows of an archive, and what is wrong with it.

    Each file is read whole; its rows must be of its day, and no record's rows may be in two files of a partition.
    """
    n_files, n_rows, wrong = 0, 0, []
    with merging(folder) as connection:
        for place in partitions(folder):
            parts, _ = parts_of(place)
            for before, after in itertools.pairwise(parts):
                if after.first <= before.last:
                    wrong.append(f"{after.path}: holds records that {before.path.name} has too")
            for part in parts:
                try:
                    n, said = _read_whole(connection, part.path)
                except FileNotFoundError:  # merged meanwhile
                    continue
                n_files, n_rows = n_files + 1, n_rows + n
                wrong += [f"{part.path}: {said}"] if said else []
    return n_files, n_rows, wrong


def _read_whole(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[int, str]:
    """Rows of a file, and what is wrong with it."""
    import duckdb

    try:
        rows = _rows(connection, [path])
        columns = ", ".join(f'"{name}"' for name in rows.columns)
        whole = f"count(*), min(epoch_us(t)), max(epoch_us(t)), bit_xor(hash({columns}))"
        n, first, last, _ = rows.aggregate(whole).fetchall()[0]
    except duckdb.Error as error:
        if not path.exists():
            raise FileNotFoundError(path) from None
        return 0, f"cannot be read ({str(error).splitlines()[0]})"
    end = day_end(path.parent)
    if n and end is not None and not end - DAY_US <= first <= last < end:
        return n, "has rows of another day"
    return n, ""


def prune_days(folder: Path, before: int) -> int:
    """Remove the days that ended before this time (µs), whole; how many.

    A day is out of sight at once, so that it may be done while a daemon writes.
    """
    n = 0
    for place in sorted(folder.glob("date=*-*-*")):
        end = day_end(place / "cell=0")
        if end is not None and end <= before:
            gone = place.with_name(f".pruned-{place.name}")
            shutil.rmtree(gone, ignore_errors=True)
            place.rename(gone)
            n += 1
    for gone in folder.glob(".pruned-*"):
        shutil.rmtree(gone, ignore_errors=True)
    return n
