"""Tables to files: every reader finds the same rows in every format, and a file is there whole or not at all."""

from __future__ import annotations

import io
import json
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import luxwake.sink
from ais.table import NAT, Table
from geo.errors import OutputError, UsageError
from luxwake.cells import Cells
from luxwake.parquet_file import ParquetFile
from luxwake.sink import format_for, open_sink

FORMATS = ("parquet", "arrow", "csv", "jsonl")
DTYPES = ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8", "?", "S5", "S0", "U3")


class Reports(Table):
    """A table with everything that a table can have."""

    nulls: ClassVar = {"imo": 0}
    words: ClassVar = {"kind": ("ship", "", "buoy")}


def reports(n: int) -> Reports:
    """`n` rows with nulls in all kinds of column."""
    row = np.arange(n)
    return Reports(
        {
            "t": np.where(row % 7 == 3, NAT, 1_600_000_000_000_000 + row * 1_000_001),
            "mmsi": (671_000_000 + row % 500).astype("u4"),
            "lat": np.where(row % 5 == 1, np.nan, row / 600_000 - 3.0),
            "sog": np.where(row % 4 == 2, np.nan, row % 1_000 / 10).astype("f4"),
            "imo": (row % 3).astype("u4"),
            "kind": (row % 4).astype("u1"),
            "name": np.array([b"SEA LARK", b"", b'O"NEIL, J', b"\xc3\x84GIR", b"\xff"])[row % 5],
            "note": np.array(["Ägir", None, ""] * n, object)[:n],
            "offset": row * 48,
            "ok": row % 2 == 0,
        }
    )


def read_back(path: Path, format: str) -> pa.Table:
    """A file as its own format's reader sees it."""
    if format == "parquet":
        return pa.parquet.read_table(path)
    if format == "arrow":
        table = pa.ipc.open_stream(path).read_all()
        table.validate(full=True)
        return table
    reader = "read_csv" if format == "csv" else "read_json"
    # Texts alone could be null throughout, so the types are named.
    types = "{t: 'timestamptz', name: 'varchar', note: 'varchar', kind: 'varchar'}"
    named = f"types = {types}" if format == "csv" else "format = 'newline_delimited'"
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        return pa.table(connection.sql(f"select * from {reader}('{path}', {named})").arrow())


def write(path: Path, tables: list[Table], format: str | None = None) -> Path:
    with open_sink(path, tables[0], format) as sink:
        for table in tables:
            sink.write(table)
    return path


def columns_of(table: pa.Table, like: pa.Table) -> dict[str, list[object]]:
    return {name: table[name].cast(like[name].type).to_pylist() for name in like.column_names}


@pytest.mark.parametrize("format", FORMATS)
def test_each_format_holds_what_the_arrow_stream_of_a_table_holds(format: str, tmp_path: Path) -> None:
    table = reports(1_000)
    want = pa.table(table)
    got = read_back(write(tmp_path / "a", [table], format), format)
    assert got.column_names == want.column_names
    assert columns_of(got, want) == columns_of(want, want)


@pytest.mark.parametrize("format", ["parquet", "arrow"])
def test_types_are_those_of_the_table(format: str, tmp_path: Path) -> None:
    table = reports(9)
    got, want = read_back(write(tmp_path / "a", [table], format), format).schema, pa.table(table).schema
    assert [field.type for field in got] == [field.type for field in want]
    assert {field.name for field in got if not field.nullable} == {"mmsi", "offset", "ok"}


@pytest.mark.parametrize("format", FORMATS)
def test_pieces_of_any_size_give_one_file(format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(luxwake.sink, "GROUP_ROWS", 70)
    monkeypatch.setattr(luxwake.sink, "MAX_GROUP_ROWS", 90)
    table = reports(500)
    cuts = [0, 0, 1, 30, 71, 71, 300, 499, 500]
    pieces = [table.take(slice(a, b)) for a, b in pairwise(cuts)]
    got = read_back(write(tmp_path / "a", list(pieces), format), format)
    assert columns_of(got, pa.table(table)) == columns_of(pa.table(table), pa.table(table))


@pytest.mark.parametrize("format", FORMATS)
def test_without_rows_there_are_still_columns(format: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a", [reports(0)], format)
    if format == "jsonl":
        assert path.read_bytes() == b""
    elif format == "csv":
        assert path.read_text() == ",".join(reports(0)) + "\n"
    else:
        assert read_back(path, format).schema.names == list(reports(0))


@pytest.mark.parametrize("name", ["duckdb", "polars"])
def test_other_readers_of_parquet_see_the_same(name: str, tmp_path: Path) -> None:
    table = reports(300_000)
    path = write(tmp_path / "a.parquet", [table.take(slice(0, 130_000)), table.take(slice(130_000, None))])
    want = pa.parquet.read_table(path)
    if name == "duckdb":
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            got = pa.table(connection.sql(f"select * from '{path}'").arrow())
            found = connection.sql(f"select count(*), min(mmsi) from '{path}' where lat > -2.9").fetchall()
        assert found == [(int(np.sum(table["lat"] > -2.9)), 671_000_000)]
    else:
        import polars

        got = polars.read_parquet(path).to_arrow()
    for column in want.column_names:
        assert got[column].cast(want[column].type).combine_chunks().equals(want[column].combine_chunks()), column


@settings(max_examples=150)
@given(data=st.data(), dtype=st.sampled_from(DTYPES), n=st.integers(0, 300))
def test_any_values_come_back_from_parquet_and_arrow(data: st.DataObject, dtype: str, n: int) -> None:
    """Any bits but NaN, which is null: extremes of integers, infinities, zeros of both signs, texts with NUL inside."""
    elements = st.text("aÄ€", max_size=3) if dtype == "U3" else None
    few = data.draw(hnp.arrays(dtype, max(1, data.draw(st.sampled_from([1, 2, 5, n or 1]))), elements=elements))
    column = few[data.draw(hnp.arrays("i8", n, elements=st.integers(0, len(few) - 1)))]
    want = pa.table(Table({"x": column}))["x"]
    for format in ("parquet", "arrow"):
        out = io.BytesIO()
        sink = luxwake.sink.Sink(out, Table({"x": column}), format)
        sink.write(Table({"x": column}))
        sink.end()
        sink.close()
        out.seek(0)
        got = pa.parquet.read_table(out) if format == "parquet" else pa.ipc.open_stream(out).read_all()
        assert got["x"].cast(want.type).to_pylist() == want.to_pylist()


@settings(max_examples=60)
@given(hnp.arrays("i8", st.integers(0, 700), elements=st.sampled_from([0, 1, -1, 2**63 - 1, -(2**63) + 1, 2**31, 77])))
def test_differences_of_any_two_integers_come_back(values: np.ndarray) -> None:
    out = io.BytesIO()
    file = ParquetFile(out)
    file.write([Cells("x", "number", values.dtype, False, values, None)])
    file.close()
    out.seek(0)
    assert pa.parquet.read_table(out)["x"].to_pylist() == values.tolist()


def test_many_distinct_values_need_no_dictionary(tmp_path: Path) -> None:
    values = np.random.default_rng(5).permutation(200_000).astype("u4")
    path = write(tmp_path / "a.parquet", [Table({"mmsi": values})])
    assert np.array_equal(pa.parquet.read_table(path)["mmsi"].to_numpy(), values)
    assert "RLE_DICTIONARY" not in pa.parquet.ParquetFile(path).metadata.row_group(0).column(0).encodings


def test_statistics_let_readers_leave_out_row_groups(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", [reports(1_000)])
    group = pa.parquet.ParquetFile(path).metadata.row_group(0)
    lat = group.column(2).statistics
    assert (lat.min, lat.max, lat.null_count) == (-3.0, 999 / 600_000 - 3.0, 200)
    assert group.column(1).statistics.max == 671_000_499


def test_zeros_bound_from_both_sides(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", [Table({"x": np.array([0.0, -0.0])})])
    bounds = pa.parquet.ParquetFile(path).metadata.row_group(0).column(0).statistics
    assert (np.signbit(bounds.min), np.signbit(bounds.max)) == (True, False)


def test_single_precision_is_written_with_its_own_digits(tmp_path: Path) -> None:
    values = np.array([36.7, 102.3, 1e-7, 3.4e38, np.inf, 123456.78, np.nan], "f4")
    lines = write(tmp_path / "a.jsonl", [Table({"cog": values})]).read_text().splitlines()
    assert lines[0] == '{"cog":36.7}' and lines[1] == '{"cog":102.3}' and lines[-1] == '{"cog":null}'
    back = [float(json.loads(line)["cog"]) for line in lines[:4]]
    assert np.array_equal(np.array(back, "f4"), values[:4])


def test_a_failed_job_leaves_the_older_file_and_nothing_else(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [reports(3)])
    before = path.read_bytes()
    for format in FORMATS:
        with pytest.raises(KeyboardInterrupt), open_sink(path, reports(3), format) as sink:
            sink.write(reports(3))
            raise KeyboardInterrupt
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.csv"] and path.read_bytes() == before


def test_what_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    for path, word in ((tmp_path / "folder.csv", "is a folder"), (tmp_path / "no" / "a.csv", "No such file")):
        with pytest.raises(OutputError, match=word) as failed, open_sink(path, reports(0)):
            pass
        assert "\n" not in str(failed.value)
    with pytest.raises(OutputError, match="No space left"), open_sink("/dev/full", reports(0), "csv") as sink:
        sink.write(reports(5_000))
    assert Path("/dev/full").exists()


def test_other_columns_and_unknown_formats_are_wrong_use(tmp_path: Path) -> None:
    with open_sink(tmp_path / "a.csv", reports(0)) as sink, pytest.raises(UsageError, match="cannot follow"):
        sink.write(Table({"x": np.zeros(1)}))
    for path, format in (("day.xlsx", None), ("day", None), ("day.csv", "excel")):
        with pytest.raises(UsageError):
            format_for(path, format)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write(tmp_path / "link.csv", [reports(2)])
    assert (tmp_path / "link.csv").is_symlink() and len((tmp_path / "real.csv").read_text().splitlines()) == 3
