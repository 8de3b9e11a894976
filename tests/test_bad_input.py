"""Bad input and wrong use: one line that says where and what to do, the right exit status, good results untouched."""

from __future__ import annotations

import bz2
import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from luxwake.cli import main
from luxwake.times import parse_time

HEADER = "MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading\n"
SHIPMENTS = (
    "bl_number,container,description,load_port,discharge_port,depart_date,arrive_date,vessel_name,imo\n"
    "LXBL00001,CSQU3054383,used cars,NLRTM,CNDLC,2018-06-14,2018-07-31,SEA LARK 5,9074729\n"
)


def csv_rows(n: int, lat: float = 43.0) -> str:
    """A ship of no consequence, one position a minute, as NOAA writes it."""
    return "".join(
        f"671999101,2018-10-01T{i // 60:02}:{i % 60:02}:00,{lat},{131 + i / 600:.5f},6,90,90\n" for i in range(n)
    )


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A good input."""
    path = tmp_path / "good.csv"
    path.write_text(HEADER + csv_rows(30))
    return path


@pytest.fixture(scope="module")
def good_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a good run."""
    folder = tmp_path_factory.mktemp("good")
    (folder / "good.csv").write_text(HEADER + csv_rows(30))
    assert main(["run", str(folder / "good.csv"), "--out", str(folder / "results"), "--quiet"]) == 0
    return folder / "results"


@pytest.fixture
def out(good_results: Path, tmp_path: Path) -> Path:
    """A folder that holds the good results of a run before."""
    return shutil.copytree(good_results, tmp_path / "results")


def contents(folder: Path) -> dict[str, bytes]:
    """All that lies in a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refusal(capsys: pytest.CaptureFixture[str], status: int, *argv: object) -> str:
    """The one line on stderr with which a command ends; nothing else may be said of what went wrong."""
    capsys.readouterr()
    try:
        ended = main([str(word) for word in argv])
    except SystemExit as end:  # argparse ends by itself
        ended = int(end.code or 0)
    said = capsys.readouterr().err
    errors = [line for line in said.splitlines() if line.startswith("luxwake: ")]
    assert ended == status and len(errors) == 1 and said.endswith(errors[0] + "\n") and "Traceback" not in said
    return errors[0]


def refused_run(capsys: pytest.CaptureFixture[str], status: int, out: Path, *argv: object) -> str:
    """A run that is refused and leaves the results of the run before as they were."""
    before = contents(out)
    line = refusal(capsys, status, "run", *argv, "--out", out)
    assert contents(out) == before and before
    return line


BAD_FILES: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "missing column": (
        b"MMSI,BaseDateTime,LAT\n671999101,2018-10-01T00:00:00,43.1\n",
        ("no column for longitude", "rename"),
    ),
    "unknown format": (b"dear sir,\nplease find enclosed\n", ("not AIS", "dear sir", "formats known")),
    "a page instead of the data": (b"<!DOCTYPE html><html>404</html>\n", ("not AIS", "<!DOCTYPE")),
    "an archive": (b"PK\x03\x04rest", ("zip", "unpack")),
    "binary": (b"\x00\x01\x02\x03" * 9, ("not AIS", "formats known")),
    "empty": (b"", ("is empty",)),
    "blank": (b"\n \n", ("blank lines",)),
    "damaged Parquet": (b"PAR1" + bytes(40) + b"PAR1", ("Parquet", "again")),
    "Parquet cut short": (b"PAR1", ("Parquet", "again")),
    "truncated gzip": (gzip.compress(b"!AIVDM,1,1,,A,,0*00\n")[:10], ("gzip stream ends early after 0 bytes", "again")),
    "truncated bzip2": (bz2.compress(b"!AIVDM,1,1,,A,,0*00\n" * 99)[:-9], ("bzip2 stream ends early", "again")),
    "empty gzip": (gzip.compress(b""), ("is empty",)),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_file_that_cannot_be_read(kind: str, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, words = BAD_FILES[kind]
    path = tmp_path / "bad.dat"
    path.write_bytes(data)
    line = refused_run(capsys, 1, out, path)
    assert str(path) in line
    for word in words:
        assert word in line, line


def test_truncated_gzip_after_good_lines_is_not_taken_for_the_whole(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "day.csv.gz"
    packed = gzip.compress((HEADER + csv_rows(600)).encode())
    path.write_bytes(packed[: len(packed) - 30])
    line = refused_run(capsys, 1, out, path)
    assert str(path) in line and "gzip stream ends early after" in line and "gzip -dc" in line


def test_one_bad_file_among_good_ones_stops_the_run(
    good: Path, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.csv").touch()
    assert "empty.csv is empty" in refused_run(capsys, 1, out, good, tmp_path / "empty.csv")


def test_parquet_without_a_needed_column(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.parquet"
    duckdb.sql(f"copy (select 1 as t, 671999101 as mmsi, 43.0 as lat, 7 as breadth) to '{path}' (format parquet)")
    line = refused_run(capsys, 1, out, path)
    assert str(path) in line and "lon" in line and "breadth" in line and "rename" in line


def test_rows_that_are_no_positions_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "day.csv"
    extra = (
        "671999101,2018-10-01T09:00:00,91.0,131.0,6,90,90\n"
        "671999101,2018-10-01T09:00:01,92.5,131.0,6,90,90\n"
        "671999101,2018-10-01T09:00:02,43.0,199.0,6,90,90\n"
        "671999101,yesterday,43.0,131.0,6,90,90\n"
    )
    path.write_text(HEADER + csv_rows(20) + extra)
    assert main(["run", str(path), "--out", str(tmp_path / "out"), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert summary["fixes"] == 20
    assert summary["not_used"] == {
        "no position": 1,  # 91 is how AIS says that there is none
        "latitude out of range": 1,
        "longitude out of range": 1,
        "unreadable time": 1,
    }


DOUBTS = {
    "misspelt port": (("NLRTM", "Roterdam"), ("load_port 'Roterdam'", "did you mean NLRTM (Rotterdam)")),
    "wrong container check digit": (("CSQU3054383", "CSQU3054384"), ("container 'CSQU3054384'", "check digit")),
    "wrong IMO check digit": (("9074729", "9074728"), ("imo '9074728'", "check digit")),
    "dates out of order": (("2018-07-31", "2018-05-31"), ("arrive_date '2018-05-31'", "before the departure")),
    "a date that may be two": (("2018-06-14", "06/07/2018"), ("depart_date '06/07/2018'", "YYYY-MM-DD")),
}


@pytest.mark.parametrize("kind", DOUBTS)
def test_doubtful_shipment_is_one_warning_and_the_run_goes_on(
    kind: str, good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (old, new), words = DOUBTS[kind]
    path = tmp_path / "bl.csv"
    path.write_text(SHIPMENTS.replace(old, new))
    assert main(["run", str(good), "--shipments", str(path), "--out", str(tmp_path / "out")]) == 0
    err = capsys.readouterr().err
    (warning,) = [line for line in err.splitlines() if line.startswith(str(path))]
    assert warning.startswith(f"{path}: line 2: ") and "1 rows, 1 warnings" in err
    for word in words:
        assert word in warning, warning


def test_many_doubts_are_counted_and_not_all_printed(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bl.csv"
    head, row = SHIPMENTS.splitlines()
    path.write_text("\n".join([head, *[row.replace("NLRTM", "Roterdam")] * 50]))
    assert main(["run", str(good), "--shipments", str(path), "--out", str(tmp_path / "out")]) == 0
    err = capsys.readouterr().err
    assert err.count("did you mean") == 20 and f"{path}: 30 more warnings" in err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, ("no such file", "check the path")),
        ("", ("empty",)),
        ("goods,price\ncar,3\n", ("no headings of shipments", "--mapping")),
    ],
)
def test_shipments_that_cannot_be_read(
    text: str | None, words: tuple[str, ...], good: Path, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bl.csv"
    if text is not None:
        path.write_text(text)
    line = refused_run(capsys, 1, out, good, "--shipments", path)
    assert str(path) in line
    for word in words:
        assert word in line, line


def test_times_that_contradict_or_are_none(good: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused_run(capsys, 2, out, good, "--from", "2018-10-02", "--to", "2018-10-01")
    assert "--from is not before --to" in line and "swap" in line
    assert "--from is not before --to" in refused_run(
        capsys, 2, out, good, "--from", "2018-10-01T09:00+09:00", "--to", "2018-10-01"
    )
    for option in ("--from", "--to"):
        for text in ("last tuesday", "", "2018-13-01", "1538352000"):
            line = refused_run(capsys, 2, out, good, option, text)
            assert f"{option} {text!r}" in line and "2018-10-01T12:00:00Z" in line


def test_input_that_is_not_there(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused_run(capsys, 1, out, tmp_path / "none.nmea")
    assert str(tmp_path / "none.nmea") in line and "check the path" in line
    assert "matches" in refused_run(capsys, 1, out, tmp_path / "*.nmea")
    (tmp_path / "empty").mkdir()
    assert "no AIS data in this folder" in refused_run(capsys, 1, out, tmp_path / "empty")


def test_a_failed_run_leaves_no_new_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.csv").touch()
    refusal(capsys, 1, "run", tmp_path / "empty.csv", "--out", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_output_folder_that_cannot_be_written(good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "taken"
    file.write_text("mine")
    for place in (file, file / "below"):  # a file is in its place; root may write in any folder
        line = refusal(capsys, 1, "run", good, "--out", place)
        assert str(place) in line and "cannot be written" in line and "--out" in line
        assert "cannot be" in refusal(capsys, 1, "simulate", "world", "--vessels", 2, "--days", 1, "--out", place)
    assert file.read_text() == "mine"


def test_result_that_cannot_be_replaced(good: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (out / "events.geojson").unlink()
    (out / "events.geojson").mkdir()
    before = contents(out)
    line = refusal(capsys, 1, "run", good, "--out", out)
    assert str(out) in line and "cannot be written" in line
    assert contents(out) == before and not list(out.glob(".partial-*"))


SQUARE = [[128, 34], [130, 34], [130, 36], [128, 36], [128, 34]]
BAD_AREAS: dict[str, tuple[str | None, str]] = {
    "no file": (None, "check the path"),
    "no JSON": ("here", "not a GeoJSON area"),
    "a list": ("[]", "not an object"),
    "no polygon": ('{"type": "Point", "coordinates": [1, 2]}', "no Polygon"),
    "no features": ('{"type": "FeatureCollection"}', "features"),
    "an empty polygon": ('{"type": "Polygon", "coordinates": []}', "no Polygon"),
    "words for numbers": ('{"type": "Polygon", "coordinates": [[["a", "b"], [1, 2], [3, 4], [1, 2]]]}', "GeoJSON"),
    "two corners": ('{"type": "Polygon", "coordinates": [[[1, 2], [3, 4]]]}', "coordinates that make no polygon"),
    "crossing sides": ('{"type": "Polygon", "coordinates": [[[0,0],[2,2],[2,0],[0,2],[0,0]]]}', "crossing sides"),
    "latitude first": (
        '{"type": "Polygon", "coordinates": [[[34,128],[34,130],[36,130],[34,128]]]}',
        "longitude first",
    ),
    "off the globe": ('{"type": "Polygon", "coordinates": [[[500,1],[501,1],[501,2],[500,1]]]}', "longitude 501"),
    "too deep": ('{"a":' * 100_000 + "1" + "}" * 100_000, "not a GeoJSON area"),
}


@pytest.mark.parametrize("kind", BAD_AREAS)
def test_area_that_is_none(
    kind: str, good: Path, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, word = BAD_AREAS[kind]
    path = tmp_path / "area.json"
    if text is not None:
        path.write_text(text)
    line = refused_run(capsys, 1, out, good, "--area", path)
    assert str(path) in line and word in line


def test_simulations_that_cannot_be_meant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = refusal(capsys, 1, "simulate", "atlantis", "--out", tmp_path / "w")
    assert "'atlantis'" in line and "flagship, world" in line
    assert "at least 1" in refusal(capsys, 2, "simulate", "world", "--vessels", 0, "--out", tmp_path / "w")
    assert "either" in refusal(capsys, 2, "simulate", "world", "--vessels", 2, "--fixes", 9, "--out", tmp_path / "w")
    (tmp_path / "a.toml").write_text("start = [")
    assert "a.toml: not TOML" in refusal(capsys, 1, "simulate", tmp_path / "a.toml", "--out", tmp_path / "w")
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize(
    "argv", [[], ["fly"], ["run"], ["run", "--colour", "x"], ["simulate", "world"], ["query", "x"]]
)
def test_wrong_use_is_one_line(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "--help" in refusal(capsys, 2, *argv)


WRONG_SQL = {
    "selec 1": "Parser Error",
    "select nothing from events": "tables: events",
    "select * from nowhere": "tables: events",
    "": "one SELECT",
    "-- only a comment": "one SELECT",
    "select 1; select 2": "one SELECT",
    "create table mine as select 1": "one SELECT",
    "drop view events": "one SELECT",
    "set threads = 8": "one SELECT",
    "select 1 as a, 2 as a": "AS",
    "select 1 / 'x'": "tables: events",
}


@pytest.mark.parametrize("sql", WRONG_SQL)
def test_wrong_sql(sql: str, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert WRONG_SQL[sql] in refusal(capsys, 2, "query", out, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/hostname')",
        "select * from '/etc/passwd'",
        "select * from glob('/etc/*')",
        "select * from read_parquet('{beside}')",
        "select * from read_parquet('{out}/../beside.parquet')",
        "select * from parquet_metadata('{beside}')",
        "select * from read_csv('http://localhost:9/a.csv')",
        "attach '{beside}.db'",
        "install httpfs",
        "copy events to '{beside}'",
        "copy events to '{out}/events.parquet'",
        "explain analyze copy events to '{out}/events.parquet'",
        "set enable_external_access = true",
    ],
)
def test_query_reads_its_folder_only_and_writes_nothing(
    sql: str, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beside = tmp_path / "beside.parquet"
    duckdb.sql(f"copy (select 'secret' as a) to '{beside}' (format parquet)")
    before = contents(tmp_path)
    refusal(capsys, 2, "query", out, sql.format(beside=beside, out=out))
    assert contents(tmp_path) == before and "secret" not in capsys.readouterr().out


def test_query_of_a_folder_without_results(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "none").mkdir()
    for place in (tmp_path / "none", tmp_path / "nowhere"):
        line = refusal(capsys, 1, "query", place, "select 1")
        assert str(place) in line and "luxwake run" in line
    (out / "fixes.parquet").write_bytes(b"no Parquet")
    line = refusal(capsys, 1, "query", out, "select 1")
    assert str(out / "fixes.parquet") in line and "cannot be read as Parquet" in line


def test_exit_status_of_a_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "luxwake.cli", "run", "none.csv"]
    for options, status in (([], 1), (["--from", "never"], 2)):
        made = subprocess.run([*command, *options], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert made.returncode == status and made.stdout == ""
        assert made.stderr.startswith("luxwake: ") and made.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1970-01-01", 0),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2018-10-01 12:00", 1_538_395_200_000_000),
        ("2018-10-01T12:00:00.000001+00:00", 1_538_395_200_000_001),
        ("20181001T120000Z", 1_538_395_200_000_000),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
        ("0001-01-01T00:00+23:59", -62_135_683_140_000_000),
    ],
)
def test_time_is_exact(text: str, us: int) -> None:
    assert parse_time(text, "--to") == us
