"""Tables on disk: Parquet files, each written whole or not at all, and DuckDB to query them."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ais.table import Table
from geo.errors import InputError, OutputError, UsageError

_LOCKED = (
    "set autoinstall_known_extensions = false",
    "set autoload_known_extensions = false",
    "set allow_community_extensions = false",
    "set timezone = 'UTC'",
)


@contextmanager
def staged(out: str | Path) -> Iterator[Path]:
    """A folder to write into; its files move into `out` together when the block ends well, and vanish when it fails.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with staged(folder) as stage:
    ...         _ = (stage / "a.txt").write_text("whole")
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['a.txt']
    """
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}); choose another folder with --out") from None
    try:
        yield stage
        for path in sorted(stage.iterdir()):
            os.replace(path, folder / path.name)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}); free space or choose another folder") from None
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def write_parquet(table: Table, path: str | Path) -> Path:
    """Write a table as Parquet (zstd), with nulls, UTC timestamps and words for codes."""
    import duckdb

    target = Path(path)
    with duckdb.connect() as connection:
        for setting in _LOCKED:
            connection.execute(setting)
        connection.register("rows", table.to_arrow())
        try:
            quoted = str(target).replace("'", "''")
            connection.execute(f"copy rows to '{quoted}' (format parquet, compression zstd)")
        except duckdb.IOException as error:
            raise OutputError(f"{target}: cannot be written ({str(error).splitlines()[0]})") from None
    return target


def query(folder: str | Path, sql: str) -> Any:
    """Ask the Parquet files of a folder with SQL; each file is a table named after it. An `arro3.core.Table`.

    The database can read this folder and nothing else: no extension, no network, no other file.

    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_parquet(Table({"mmsi": np.array([671999101, 671999102])}), Path(folder) / "events.parquet")
    ...     query(folder, "select count(*) as n from events")["n"].to_pylist()
    [2]
    """
    import duckdb
    from arro3.core import Table as ArrowTable

    place = Path(folder)
    files = sorted(place.glob("*.parquet"))
    if not files:
        raise InputError(f"{place}: no Parquet file in it; give the folder that `luxwake run --out` wrote")
    with duckdb.connect() as connection:
        for setting in _LOCKED:
            connection.execute(setting)
        allowed = str(place.resolve()).replace("'", "''")
        connection.execute(f"set allowed_directories = ['{allowed}/']")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        for path in files:
            name = re.sub(r"\W", "_", path.stem)
            source = str(path.resolve()).replace("'", "''")
            connection.execute(f"create view \"{name}\" as select * from read_parquet('{source}')")
        try:
            return ArrowTable.from_arrow(connection.sql(sql))
        except duckdb.Error as error:
            raise UsageError(f"{str(error).splitlines()[0]}; tables: {', '.join(p.stem for p in files)}") from None
        except TypeError:
            raise UsageError("the statement gives no rows; ask with SELECT") from None
