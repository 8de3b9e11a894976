"""Tables on disk: Parquet files, each written whole or not at all, and DuckDB to query them."""

from __future__ import annotations

import glob
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ais.table import Table
from geo.errors import InputError, OutputError, UsageError

if TYPE_CHECKING:
    import duckdb

_LOCKED = (
    "set autoinstall_known_extensions = false",
    "set autoload_known_extensions = false",
    "set allow_community_extensions = false",
    "set timezone = 'UTC'",
)
_TEXT_ONLY = ("INTERVAL", "BIT", "BIGNUM", "VARIANT")
"""Types of DuckDB that `arro3` does not turn into a value of Python."""


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
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}); choose another folder with --out") from None
    try:
        yield stage
        for path in sorted(stage.iterdir()):
            os.replace(path, folder / path.name)
    except BrokenPipeError:  # the reader of our output has gone; nothing is wrong with the folder
        raise
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be written ({error.strerror}); free space or choose another folder"
        ) from None
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        if is_new and not any(folder.iterdir()):
            folder.rmdir()


def locked() -> duckdb.DuckDBPyConnection:
    """A database in memory that loads no extension by itself and shows times in UTC."""
    import duckdb

    connection = duckdb.connect()
    for setting in _LOCKED:
        connection.execute(setting)
    return connection


def write_parquet(table: Table, path: str | Path) -> Path:
    """Write a table as Parquet (zstd), with nulls, UTC timestamps and words for codes."""
    import duckdb

    target = Path(path)
    with locked() as connection:
        connection.register("rows", table.to_arrow())
        try:
            quoted = str(target).replace("'", "''")
            connection.execute(f"copy rows to '{quoted}' (format parquet, compression zstd)")
        except duckdb.IOException as error:
            raise OutputError(f"{target}: cannot be written ({str(error).splitlines()[0]})") from None
    return target


def query(folder: str | Path, sql: str) -> Any:
    """Ask the Parquet files of a folder with SQL; each file is a table named after it. An `arro3.core.Table`.

    The database can read this folder and nothing else: no extension, no network, no other file; and it writes nothing.

    Raises UsageError (not one SELECT, an SQL error, two columns of one name) and InputError (no Parquet file, a
    damaged one).

    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_parquet(Table({"mmsi": np.array([671999101, 671999102])}), Path(folder) / "events.parquet")
    ...     query(folder, "select count(*) as n from events")["n"].to_pylist()
    [2]
    """
    import duckdb

    place = Path(folder)
    files = sorted(place.glob("*.parquet"))
    if not files:
        raise InputError(f"{place}: no Parquet file in it; give the folder that `luxwake run --out` wrote")
    with locked() as connection:
        allowed = str(place.resolve()).replace("'", "''")
        connection.execute(f"set allowed_directories = ['{allowed}/']")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        for path in files:
            _open_view(connection, path)
        try:
            return _answer(connection, sql)
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise UsageError(f"{reason}; tables: {', '.join(_view_name(path) for path in files)}") from None


def _view_name(path: Path) -> str:
    """What a Parquet file is called in SQL."""
    return re.sub(r"\W", "_", path.stem)


def _open_view(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Make a file known under its name."""
    import duckdb

    source = glob.escape(str(path.resolve())).replace("'", "''")
    try:
        connection.execute(f"create view \"{_view_name(path)}\" as select * from read_parquet('{source}')")
    except duckdb.CatalogException:
        raise InputError(f"{path}: another file is called {_view_name(path)!r} in SQL too; rename one") from None
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: cannot be read as Parquet ({reason}); run the job again, or remove it") from None


def _answer(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    """The rows of one SELECT; types for which Arrow in Python has no value come as text."""
    import duckdb
    from arro3.core import Table as ArrowTable

    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise UsageError("the SQL is not one SELECT statement; `query` only reads, so ask with one SELECT")
    rows = connection.sql(sql)
    if twice := sorted({name for name in rows.columns if rows.columns.count(name) > 1}):
        raise UsageError(f"two columns of the answer are called {twice[0]!r}; name one of them with AS")
    as_text = [any(word in str(kind) for word in _TEXT_ONLY) for kind in rows.types]
    if any(as_text):
        names = ['"' + name.replace('"', '""') + '"' for name in rows.columns]
        rows = rows.select(
            ", ".join(f"{name}::varchar as {name}" if text else name for name, text in zip(names, as_text, strict=True))
        )
    return ArrowTable.from_arrow(rows)
