"""Rows of a Parquet file, read with DuckDB in bounded batches."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from cargo.jsonrows import plain_text_of
from cargo.rowfile import Gatherer, RawRow, RowFile
from geo.errors import InputError

_BATCH = 20_000
_MEMORY = "1GB"


def read_parquet_rows(path: Path) -> RowFile:
    """Read all rows of a Parquet file; the row kept is its canonical JSON (names in the order of the file).

    Raises InputError for a file that DuckDB cannot read.
    """
    import duckdb

    try:
        with duckdb.connect(config={"memory_limit": _MEMORY, "threads": 1}) as connection:
            connection.execute("set timezone = 'UTC'")
            found = connection.execute("select * from read_parquet(?)", [str(path)])
            names = [str(column[0]) for column in found.description or ()]
            gatherer, number = Gatherer(path, names), 0
            while batch := found.fetchmany(_BATCH):
                for values in batch:
                    number += 1
                    texts = [plain_text_of(value) for value in values]
                    raw = json.dumps(dict(zip(names, texts, strict=True)), ensure_ascii=False, separators=(",", ":"))
                    gatherer.add(RawRow(number, number, -1, raw.encode("utf-8", "replace"), texts))
    except duckdb.Error as error:
        words = str(error).split("\n", 1)[0]
        raise InputError(f"{path}: no Parquet that can be read ({words[:200]}); write it again") from None
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return gatherer.finish({"format": "Parquet"}, sha256)
