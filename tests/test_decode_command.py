"""`luxwake decode`: any mixture of inputs to files that hold what `decode` of the API holds."""

from __future__ import annotations

import bz2
import gzip
import json
import shutil
import subprocess
import sys
import zipfile
from functools import reduce
from operator import xor
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest
import zstandard

from ais.decoded import decode as decode_nmea
from ais.encode import encode
from ais.sources import open_bytes
from luxwake.cli import main
from tests.decode_case import SENTENCES, decode, rows_of


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first hours of the flagship's feed, with static reports."""
    path = tmp_path_factory.mktemp("world") / "track.nmea"
    with open_bytes(Path(__file__).parents[1] / "fixtures" / "flagship" / "track.nmea.zst") as reader:
        path.write_bytes(b"".join(reader.head(600_000).splitlines(keepends=True)[:6_000]))
    return path


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    path = tmp_path / "feed.nmea"
    path.write_text("\n".join(SENTENCES) + "\n")
    return path


def test_a_feed_becomes_the_fixes_and_static_reports_that_decoding_it_gives(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "day.parquet"
    summary = decode(capsys, world, "-o", out)
    fixes, want = pa.parquet.read_table(out), decode_nmea(world)
    assert summary["fixes"] == fixes.num_rows == len(want)
    assert summary["static"] == pa.parquet.read_table(tmp_path / "day.static.parquet").num_rows == len(want.static)
    assert summary["files"] == [str(out), str(tmp_path / "day.static.parquet")]
    order, order_of_want = np.argsort(fixes["offset"].to_numpy()), np.argsort(want["offset"])
    for name in ("mmsi", "lat", "lon", "sog", "cog", "heading"):
        assert np.array_equal(fixes[name].to_numpy()[order], want[name][order_of_want], equal_nan=True), name
    assert set(fixes["source"].to_pylist()) == {str(world)} and set(fixes["status"].to_pylist()) == {"ok"}
    assert set(fixes["channel"].to_pylist()) <= {"A", "B"}


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "arrow"])
def test_every_format_holds_the_same_rows(
    suffix: str, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decode(capsys, world, "-o", tmp_path / "a.parquet")
    decode(capsys, world, "-o", tmp_path / f"a.{suffix}")
    for name in ("a", "a.static"):
        want = pa.parquet.read_table(tmp_path / f"{name}.parquet")
        path = tmp_path / f"{name}.{suffix}"
        if suffix == "arrow":
            got = pa.ipc.open_stream(path).read_all()
        else:
            reader = "read_csv" if suffix == "csv" else "read_json"
            with duckdb.connect() as connection:
                connection.execute("set timezone = 'UTC'")
                got = pa.table(connection.sql(f"select * from {reader}('{path}')").arrow())
        assert got.column_names == want.column_names
        for column in ("mmsi", "offset", "source", *(("lat", "sog") if name == "a" else ("name", "eta_hour"))):
            assert got[column].cast(want[column].type).to_pylist() == want[column].to_pylist(), column


def test_a_pipe_gets_json_lines_of_both_kinds(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", str(world), "-o", "-"]) == 0
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    want = decode_nmea(world)
    assert [sum(line["type"] == kind for line in lines) for kind in ("fix", "static")] == [len(want), len(want.static)]
    assert f"{len(want):,} fixes" in printed.err and "not used" in printed.err


def test_other_formats_on_a_pipe_say_what_they_leave_out(
    world: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["decode", str(world), "-o", "-", "--format", "parquet"]) == 0
    printed = capsysbinary.readouterr()
    assert pa.parquet.read_table(pa.BufferReader(printed.out)).num_rows == len(decode_nmea(world))
    assert b"static reports are not written" in printed.err


def test_all_that_was_not_used_is_counted(feed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = decode(capsys, feed, "-o", tmp_path / "a.jsonl")
    assert (summary["sentences"], summary["fixes"], summary["static"]) == (3, 2, 0)
    assert summary["not_used"] == {"checksum differs": 1}
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [row["t"] for row in rows] == [None, "2018-10-01T00:00:00.000000Z"]
    assert [row["offset"] for row in rows] == [0, 48] and rows[0]["lat"] == 29685346 / 600_000
    assert (tmp_path / "a.static.jsonl").read_text() == ""


def test_packed_files_folders_patterns_and_other_formats_mix(
    feed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, text = tmp_path / "in", feed.read_bytes()
    folder.mkdir()
    (folder / "a.gz").write_bytes(gzip.compress(text))
    (folder / "b.bz2").write_bytes(bz2.compress(text))
    (folder / "c.zst").write_bytes(zstandard.compress(text))
    csv = tmp_path / "noaa.csv"
    csv.write_text("MMSI,BaseDateTime,LAT,LON,SOG\n671999101,2023-01-11T00:00:00,43.1,-70.7,1.0\n")
    decode(capsys, feed, "-o", tmp_path / "other.parquet")
    summary = decode(
        capsys, folder, feed, str(tmp_path / "noaa*"), tmp_path / "other.parquet", "-o", tmp_path / "a.csv"
    )
    assert (summary["sources"], summary["fixes"]) == (6, 2 * 4 + 1 + 1)  # a fix without a time is no row of Parquet
    assert summary["not_used"] == {"checksum differs": 4, "no time": 1}


def test_an_output_that_is_an_input_is_refused(feed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    csv = tmp_path / "a.csv"
    csv.write_text("mmsi,time,lat,lon\n671999101,2023-01-11T00:00:00,43.1,-70.7\n")
    assert main(["decode", str(csv), "-o", str(csv)]) == 2
    assert "is an input too" in capsys.readouterr().err and csv.read_text().startswith("mmsi,")


@pytest.mark.parametrize(
    ("options", "code", "word"),
    [
        (["-o", "day.xlsx"], 2, "suffix"),
        (["-o", "day.csv", "--format", "excel"], 2, "excel"),
        (["-o", "-", "--format", "csv", "--json"], 2, "--json"),
        (["-o", "no/such/folder/day.csv"], 1, "cannot be written"),
        ([], 2, "--out"),
    ],
)
def test_wrong_use_ends_with_one_line(
    options: list[str], code: int, word: str, feed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        assert main(["decode", str(feed), *options]) == code
    except SystemExit as ended:
        assert ended.code == code
    lines = capsys.readouterr().err.strip().splitlines()
    assert word in lines[-1] and lines[-1].startswith("luxwake: ")


def test_a_damaged_input_leaves_no_file(feed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damaged = tmp_path / "cut.gz"
    damaged.write_bytes(gzip.compress(feed.read_bytes() * 100)[:-20])
    out = tmp_path / "out"
    out.mkdir()
    assert main(["decode", str(feed), str(damaged), "-o", str(out / "a.parquet")]) == 1
    assert "gzip stream" in capsys.readouterr().err and not list(out.iterdir())


def test_a_reader_that_leaves_early_ends_the_command_quietly(world: Path) -> None:
    command = [sys.executable, "-m", "luxwake.cli", "decode", str(world), str(world.parent), "-o", "-", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline().startswith(b'{"type":"fix"')
        process.stdout.close()
        assert process.stderr.read() == b"" and process.wait() in (0, 1)


def test_people_see_a_table(feed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", str(feed), "-o", str(tmp_path / "a.csv")]) == 0
    printed = capsys.readouterr()
    for words in ("sentences", "static reports", "copies folded", "checksum differs", "MB of text per second"):
        assert words in printed.out
    assert "a.static.csv" in printed.err


def heard_twice(offset_s: float) -> bytes:
    """One position heard by two stations, so many seconds apart."""
    lines = []
    for station, t in (("one", 1_538_352_000), ("two", 1_538_352_000 + offset_s)):
        lines.append(with_checksum(f"\\s:{station},c:{t}*") + f"\\{SENTENCES[0]}\n")
    return "".join(lines).encode()


def test_copies_are_folded_across_chunks_and_kept_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = tmp_path / "feed.nmea"
    feed.write_bytes(heard_twice(4.0))
    for size in (1 << 20, 50):
        monkeypatch.setattr("ais.sources.chunks.__defaults__", (size,))
        summary = decode(capsys, feed, "-o", tmp_path / "a.jsonl")
        rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
        assert (summary["fixes"], summary["copies"]) == (1, 1)
        assert [(row["copies"], row["offset"]) for row in rows] == [(2, 0)]
    assert decode(capsys, feed, "-o", tmp_path / "a.jsonl", "--no-fold")["fixes"] == 2


def test_doubtful_lines_are_marked_on_request(feed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = decode(capsys, feed, "-o", tmp_path / "a.jsonl", "--policy", "flag")
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [row["status"] for row in rows] == ["ok", "ok", "checksum differs"]
    assert summary["not_used"] == {"checksum differs": 1}


def test_a_start_time_dates_a_feed_without_times(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "feed.nmea").write_text(SENTENCES[0] + "\n")
    decode(capsys, tmp_path / "feed.nmea", "-o", tmp_path / "a.jsonl", "--start", "2018-10-01T00:00:00Z")
    row = json.loads((tmp_path / "a.jsonl").read_text())
    assert row["t"].startswith("2018-10-01T00:00:")


@pytest.mark.parametrize("options", [["--policy", "lax"], ["--clock", "mine"], ["--threads", "0"], ["--start", "noon"]])
def test_options_that_do_not_exist_are_wrong_use(
    options: list[str], feed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decode", str(feed), "-o", str(tmp_path / "a.csv"), *options]) == 2
    assert options[1] in capsys.readouterr().err and not (tmp_path / "a.csv").exists()


def test_all_messages_come_with_all_fields_in_both_formats(
    world: Path, feed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = decode(capsys, world, feed, "-o", tmp_path / "m.jsonl", "--messages")
    decode(capsys, world, feed, "-o", tmp_path / "m.parquet", "--messages")
    decode(capsys, feed, "-o", tmp_path / "small.parquet", "--messages")
    lines = [json.loads(line) for line in (tmp_path / "m.jsonl").read_text().splitlines()]
    wide = pa.parquet.read_table(tmp_path / "m.parquet")
    assert len(lines) == wide.num_rows == summary["messages"] and "fixes" not in summary
    assert wide.schema.equals(pa.parquet.read_table(tmp_path / "small.parquet").schema)
    keys = [(row["source"], row["offset"]) for row in lines]
    assert keys == sorted(keys, key=lambda key: (key[0] != str(world), key[1]))
    by_key = {(row["source"], row["offset"]): row for row in wide.to_pylist()}
    for line in lines:
        row = by_key[line["source"], line["offset"]]
        assert row["layout"] == line["type"]
        for name in ("mmsi", "msg_type", "talker", "channel", "status", "station"):
            assert row[name] == line[name]
        for name in line.keys() - {"type", "t"}:
            assert row[name] == line[name] or row[name] == pytest.approx(line[name]), name
        assert not [name for name, value in row.items() if value is not None and name not in {*line, "layout"}]


@pytest.mark.parametrize("suffix", ["csv", "arrow"])
def test_the_wide_table_of_messages_is_the_same_in_every_format(
    suffix: str, world: Path, feed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decode(capsys, world, feed, "-o", tmp_path / "m.parquet", "--messages")
    decode(capsys, world, feed, "-o", tmp_path / f"m.{suffix}", "--messages")
    want = pa.parquet.read_table(tmp_path / "m.parquet")
    if suffix == "arrow":
        got = pa.ipc.open_stream(tmp_path / "m.arrow").read_all()
        got.validate(full=True)
        assert got.schema.equals(want.schema)
    else:
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            types = connection.sql(f"describe select * from '{tmp_path / 'm.parquet'}'").fetchall()
            named = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind, *_ in types) + "}"
            rows = connection.sql(f"select * from read_csv('{tmp_path / 'm.csv'}', header = true, columns = {named})")
            got = pa.table(rows.arrow())
        assert got.column_names == want.column_names
    keys = [("source", "ascending"), ("offset", "ascending")]
    for mine, theirs in zip(got.sort_by(keys).to_pylist(), want.sort_by(keys).to_pylist(), strict=True):
        assert mine == theirs


def test_an_input_without_messages_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text("mmsi,time,lat,lon\n671999101,2023-01-11T00:00:00,43.1,-70.7\n")
    assert main(["decode", str(tmp_path / "a.csv"), "-o", str(tmp_path / "m.jsonl"), "--messages"]) == 1
    assert "holds no messages" in capsys.readouterr().err


def test_members_of_an_archive_are_sources(feed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = tmp_path / "day.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.write(feed, "north/a.nmea")
        made.writestr("b.csv", "mmsi,time,lat,lon\n671999101,2023-01-11T00:00:00,43.1,-70.7\n")
        made.writestr("readme.txt", "hello\n")
    summary = decode(capsys, archive, "-o", tmp_path / "a.jsonl")
    assert (summary["sources"], summary["fixes"]) == (2, 3)
    assert [row["source"] for row in rows_of(tmp_path / "a.jsonl")] == [
        str(archive / name) for name in ("b.csv", "north/a.nmea", "north/a.nmea")
    ]
    shutil.copy(archive, tmp_path / "b.csv")  # the content tells what it is
    assert main(["decode", str(tmp_path / "b.csv"), "-o", str(tmp_path / "b.csv")]) == 2
    assert "is an input too" in capsys.readouterr().err and zipfile.is_zipfile(tmp_path / "b.csv")


def test_parts_that_came_out_of_order_are_handed_out_at_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (whole,) = encode(msg_type=19, mmsi=671999101, lat=35.0, lon=129.0, name="LARK")
    payload = whole.split(",")[5]
    halves = [with_checksum(f"!AIVDM,2,{n},3,A,{half},0*") for n, half in ((1, payload[:30]), (2, payload[30:]))]
    static = encode(msg_type=5, mmsi=671999102, name="WREN", sequence=1)
    (tmp_path / "feed.nmea").write_text("\n".join([SENTENCES[0], *halves[::-1], *static[::-1]]) + "\n")
    summary = decode(capsys, tmp_path / "feed.nmea", "-o", tmp_path / "a.jsonl")
    assert summary["messages"] == 3 and not summary["not_used"]
    assert [row["mmsi"] for row in rows_of(tmp_path / "a.jsonl")] == [227006760, 671999101]
    assert [row["name"] for row in rows_of(tmp_path / "a.static.jsonl")] == ["LARK", "WREN"]


def with_checksum(sentence: str) -> str:
    return f"{sentence}{reduce(xor, sentence[1:-1].encode()):02X}"


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet", "arrow"])
def test_each_fix_names_the_station_that_heard_it(
    suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    feed = tmp_path / "feed.nmea"
    feed.write_bytes(SENTENCES[0].encode() + b"\n" + heard_twice(40.0))
    out = tmp_path / f"a.{suffix}"
    decode(capsys, feed, "-o", out)
    if suffix == "arrow":
        got = pa.ipc.open_stream(out).read_all()["station"].to_pylist()
    elif suffix == "parquet":
        got = pa.parquet.read_table(out)["station"].to_pylist()
    else:
        got = [name for (name,) in duckdb.sql(f"select station from '{out}'").fetchall()]
    assert got == [None, "one", "two"]


def test_memory_does_not_grow_with_the_input(world: Path, tmp_path: Path) -> None:
    """Four times the text takes no more memory than one and a half times what one takes."""
    peaks = []
    for times in (4, 16):
        feed = tmp_path / "feed.nmea"
        text = world.read_bytes()
        feed.write_bytes(text * (times * (8 << 20) // len(text)))
        code = (
            "import resource, sys\nfrom luxwake.cli import main\n"
            f"main(['decode', {str(feed)!r}, '-o', {str(tmp_path / 'a.parquet')!r}, '--quiet'])\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout.split()[-1]))
    assert peaks[1] < 1.5 * peaks[0]
