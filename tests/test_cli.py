"""The command line: what a user types, what is printed, and which files are there afterwards."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

import luxwake as lw
from luxwake.cli import main
from tests.cli_case import printed

KINDS = {
    "loitering", "dark", "rendezvous", "port_call", "gap", "stop", "identity", "draught", "voyage", "dark_rendezvous",
    "false_position",
}  # fmt: skip


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulated world: track.nmea and shipments.csv."""
    folder = tmp_path_factory.mktemp("world")
    lw.simulate("world", folder, seed=3, vessels=40, days=3.0)
    return folder


@pytest.fixture(scope="session")
def done(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a run over that world."""
    out = tmp_path_factory.mktemp("done")
    assert main(run_of(world, out, "--fixes", "--quiet")) == 0
    return out


@pytest.fixture(scope="session")
def fixes(world: Path) -> lw.Fixes:
    """That world as a table."""
    return lw.read(world / "track.nmea")


@pytest.fixture(scope="session")
def events(fixes: lw.Fixes) -> lw.Events:
    """What happened in it."""
    return lw.detect(fixes)


def run_of(world: Path, out: Path, *options: str) -> list[str]:
    """The arguments of a run over the world."""
    track, shipments = world / "track.nmea", world / "shipments.csv"
    return ["run", str(track), "--shipments", str(shipments), "--out", str(out), *options]


def ask(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a query, by the API."""
    table = lw.query(folder, sql)
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def test_events_are_parquet_with_words_and_utc_times(done: Path, events: lw.Events) -> None:
    types = dict(ask(done, "select column_name, column_type from (describe events)"))
    assert {"id", "kind", "mmsi", "other", "t_start", "t_end", "lat", "lon", "score"} <= set(types)
    assert types["id"] == types["kind"] == "VARCHAR"
    assert types["t_start"] == types["t_end"] == "TIMESTAMP WITH TIME ZONE"
    rows = ask(done, "select id, kind, mmsi, other, epoch_us(t_start) from events")
    assert [row[0] for row in rows] == events["id"].tolist()
    assert [row[4] for row in rows] == events["t_start"].tolist()
    kinds = {row[1] for row in rows}
    assert {"rendezvous", "port_call"} <= kinds <= KINDS
    for _, kind, mmsi, other, _ in rows:
        if kind not in ("identity", "draught"):  # of one ship or two, and of two hulls with one number
            assert (other is not None) == (kind == "rendezvous") and other != mmsi


def test_geojson_holds_the_same_events(done: Path) -> None:
    from shapely.geometry import shape

    text = (done / "events.geojson").read_text(encoding="utf-8")
    collection = json.loads(text, parse_constant=pytest.fail)
    assert collection["type"] == "FeatureCollection"
    assert [one["id"] for one in collection["features"]] == [row[0] for row in ask(done, "select id from events")]
    places = {row[0]: row[1:] for row in ask(done, "select id, lon, lat from events")}
    for one in collection["features"]:
        assert shape(one["geometry"]).is_valid
        if one["geometry"]["type"] == "Point":
            assert one["geometry"]["coordinates"] == pytest.approx(places[one["id"]], abs=1e-6)


def test_findings_name_the_bytes_that_they_rest_on(world: Path, done: Path) -> None:
    findings = json.loads((done / "findings.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert findings["findings"]
    files = (("track.nmea", "positions"), ("shipments.csv", "shipments"))
    for (name, what), said in zip(files, findings["inputs"], strict=True):
        data = (world / name).read_bytes()
        assert said == {"file": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "what": what}
    assert set(findings["parameters"]) >= {"loitering", "dark", "rendezvous", "port_call"}


def test_a_run_takes_members_of_an_archive_and_columns_of_other_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "day.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for hour in (0, 1):
            row = f"671999101,2023-01-11T0{hour}:00:00,43.1,-70.7"
            made.writestr(f"{hour}.csv", f"who,when,north,east\n{row}\n")
    out = tmp_path / "out"
    given = ("--columns", "mmsi=who,t=when,lat=north,lon=east", "--fixes", "--out", str(out))
    summary = printed(capsys, "run", str(archive), *given)[-1]
    assert summary["fixes"] == 2 and ask(out, "select count(distinct source) from fixes") == [(2,)]
    findings = json.loads((out / "findings.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    size = archive.stat().st_size
    assert findings["inputs"] == [{"file": "day.zip", "bytes": size, "sha256": digest, "what": "positions"}]
    assert main(["run", str(archive), "--columns", "north", "--out", str(out)]) == 2
    assert "field=column" in capsys.readouterr().err


def test_report_opens_offline(done: Path) -> None:
    page = (done / "report.html").read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>") and "<svg" in page
    assert not re.search(r"""(?:src|href|action)\s*=\s*["']?(?:https?:)?//|@import|url\(\s*["']?(?!#|data:)""", page)


def test_the_same_run_gives_the_same_bytes(world: Path, done: Path, tmp_path: Path) -> None:
    assert main(run_of(world, tmp_path / "again", "--fixes", "--quiet")) == 0
    names = sorted(path.name for path in (tmp_path / "again").iterdir())
    assert names == [
        "events.geojson",
        "events.parquet",
        "findings.json",
        "fixes.parquet",
        "identity.parquet",
        "report.html",
    ]
    for name in names:
        assert (tmp_path / "again" / name).read_bytes() == (done / name).read_bytes(), name


def test_json_lines_end_with_the_summary(
    world: Path, tmp_path: Path, events: lw.Events, fixes: lw.Fixes, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(capsys, *run_of(world, tmp_path))
    assert {line["type"] for line in lines} >= {"stage", "input", "event", "finding", "summary"}
    assert [line["type"] for line in lines].count("summary") == 1
    summary = lines[-1]
    assert summary["type"] == "summary" and summary["fixes"] == len(fixes)
    assert [line["id"] for line in lines if line["type"] == "event"] == events["id"].tolist()
    assert sum(summary["events"].values()) == len(events)
    assert summary["not_used"] == fixes.counts
    assert all(Path(name).is_file() for name in summary["files"])
    (read,) = [line for line in lines if line["type"] == "input"]
    assert read["format"] == "nmea" and sum(read["types"].values()) <= read["messages"] == summary["messages"]


def test_tables_for_people(world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(run_of(world, tmp_path)) == 0
    out, err = capsys.readouterr()
    assert "Events" in out and "Findings" in out and "checksum differs" in out
    assert [line.split()[0] for line in err.splitlines()] == [
        *("shipments", "compile", "read", "detect", "join", "write"),
        "written:",
    ]


def test_from_and_to_choose_positions_and_count_the_others(
    world: Path, tmp_path: Path, fixes: lw.Fixes, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--fixes", "--from", "2024-03-02", "--to", "2024-03-02T21:00+09:00")
    summary = printed(capsys, *run_of(world, tmp_path, *options))[-1]
    begin, end = (int(np.datetime64(t, "us").astype(int)) for t in ("2024-03-02T00:00", "2024-03-02T12:00"))
    chosen = fixes["t"][(fixes["t"] >= begin) & (fixes["t"] < end)]
    assert 0 < len(chosen) < len(fixes)
    assert summary["fixes"] == len(chosen) == len(fixes) - summary["not_used"]["outside the chosen time or area"]
    assert [row[0] for row in ask(tmp_path, "select epoch_us(t) from fixes")] == chosen.tolist()


def test_area_keeps_events_inside_and_counts_the_rest(
    world: Path, tmp_path: Path, events: lw.Events, capsys: pytest.CaptureFixture[str]
) -> None:
    first = int(np.flatnonzero(events["kind"] == 2)[0])
    lat, lon = float(events["lat"][first]), float(events["lon"][first])
    west, south, east, north = lon - 3, lat - 3, lon + 3, lat + 3
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    area = tmp_path / "area.json"
    area.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    lines = printed(capsys, *run_of(world, tmp_path / "out", "--area", str(area)))

    def inside(a: str, b: str) -> Any:
        return (abs(events[a] - lat) <= 3) & (abs(events[b] - lon) <= 3)

    kept = events["id"][inside("lat", "lon") | inside("lat_end", "lon_end")].tolist()
    assert 0 < len(kept) < len(events)
    assert [line["id"] for line in lines if line["type"] == "event"] == kept
    assert lines[-1]["no_event"]["event outside the chosen area"] == len(events) - len(kept)


def pack_zstd(data: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor().compress(data)


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("a.nmea.gz", gzip.compress),
        ("a.nmea.bz2", bz2.compress),
        ("a.nmea.zst", pack_zstd),
        ("day.csv", bytes),
        ("plain.txt.gz", bytes),
        ("packed.parquet", gzip.compress),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_content_and_not_the_name_tells_the_format(
    name: str, pack: Any, world: Path, tmp_path: Path, fixes: lw.Fixes
) -> None:
    (tmp_path / name).write_bytes(pack((world / "track.nmea").read_bytes()))
    again = lw.read(tmp_path / name)
    assert len(again) == len(fixes) and again.counts == fixes.counts
    for column in fixes:
        np.testing.assert_array_equal(again[column], fixes[column], err_msg=column)


def test_standard_input_in_a_process_of_its_own(world: Path, done: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "luxwake.cli", "run", "-", "--fixes", "--json", "--out", str(tmp_path / "out")]
    packed = gzip.compress((world / "track.nmea").read_bytes())
    made = subprocess.run(command, input=packed, capture_output=True, check=False, cwd=tmp_path)
    assert made.returncode == 0 and made.stderr == b"", made.stderr.decode()
    assert json.loads(made.stdout.splitlines()[-1])["type"] == "summary"
    assert (tmp_path / "out" / "fixes.parquet").read_bytes() == (done / "fixes.parquet").read_bytes()


def test_query_prints_rows(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = dict(ask(done, "select kind, count(*) from events group by kind"))
    sql = "select kind, count(*) as n, min(t_start) as first from events group by kind order by kind"
    lines = printed(capsys, "query", str(done), sql)
    assert {line["kind"]: line["n"] for line in lines} == expected
    assert all(re.fullmatch(r"2024-03-0\dT[\d:.]+Z", line["first"]) for line in lines)
    assert main(["query", str(done), sql]) == 0
    out, err = capsys.readouterr()
    assert not err and [line.split()[:2] for line in out.splitlines() if line.startswith((" port", " rend"))] == [
        ["port_call", str(expected["port_call"])],
        ["rendezvous", str(expected["rendezvous"])],
    ]


def test_query_answers_in_any_type(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sql = (
        "select sum(mmsi) as total, 'nan'::double as nan, null as nothing, interval 3 hour as span, [1, 2] as list, "
        "'\\x01'::blob as bytes, {'a': 1.5::decimal(3, 1)} as record, date '2018-10-01' as day from events"
    )
    (line,) = printed(capsys, "query", str(done), sql)
    ((total,),) = ask(done, "select sum(mmsi)::bigint from events")
    assert line == {
        "total": total,
        "nan": None,
        "nothing": None,
        "span": "03:00:00",
        "list": [1, 2],
        "bytes": "01",
        "record": {"a": 1.5},
        "day": "2018-10-01",
    }


def test_query_cuts_nothing_off_a_wide_row(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", str(done), "select * from events limit 2"]) == 0
    out = capsys.readouterr().out
    ((first,), (second,)) = ask(done, "select id from events limit 2")
    assert first in out and second in out and "other_last_offset" in out and "NULL" in out
    assert "row 1" in out and "row 2" in out and "…" not in out


def test_query_of_no_rows(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "query", str(done), "select id from events where false") == []
    assert main(["query", str(done), "select id from events where false"]) == 0
    assert "id" in capsys.readouterr().out


def test_reader_of_the_output_may_leave(done: Path) -> None:
    sql = "select * from fixes"
    command = [sys.executable, "-m", "luxwake.cli", "query", str(done), sql, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert json.loads(process.stdout.readline())["mmsi"]
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 1 and said == b""


def test_after_warmup_nothing_is_compiled(world: Path, tmp_path: Path) -> None:
    script = """
import gc, json, sys
from numba.core.dispatcher import Dispatcher
from luxwake.cli import main

def compiled():
    kernels = [one for one in gc.get_objects() if issubclass(type(one), Dispatcher)]
    return {f"{one.py_func.__module__}.{one.__name__}": len(one.signatures) for one in kernels}

assert main(["warmup", "--json"]) == 0
before = compiled()
for command in json.loads(sys.argv[1]):
    assert main([*command, "--quiet"]) == 0
print({name: (before.get(name, 0), n) for name, n in compiled().items() if n != before.get(name, 0)})
"""
    csv = tmp_path / "day.csv"
    csv.write_text("MMSI,BaseDateTime,LAT,LON,SOG\n671999101,2024-03-01T00:00:00,43.1,-70.7,1.0\n")
    objects = tmp_path / "day.json"
    objects.write_text('{"mmsi":671999101,"time":"2024-03-01T00:00:00Z","lat":43.1,"lon":-70.7,"shipname":"LARK"}')
    zones = tmp_path / "zones.json"
    zones.write_text('{"type":"Polygon","coordinates":[[[128,34],[129,34],[129,35],[128,34]]]}')
    verb, *rest = run_of(world, tmp_path / "out")
    feeds = [str(world / "track.nmea"), str(csv), str(objects)]
    commands = [
        [verb, str(csv), *rest],
        ["decode", *feeds, "-o", str(tmp_path / "a.parquet"), "--clock", "base"],
        ["decode", feeds[0], "-o", str(tmp_path / "m.parquet"), "--messages"],
        ["zones", str(zones), "--at", "34.5,128.5", "--quiet"],
        ["where", "34.5", "128.5"],
        ["reach", "--from", "35.2,129.4@2018-10-01", "--to", "41.5,140.9@2018-10-09", "--speed", "9"],
        ["meet", "--ship", "34.0,129.4@2018-10-01", "--ship", "36.2,130.4@2018-10-02", "--until", "2018-10-04"],
    ]
    command = [sys.executable, "-c", script, json.dumps(commands)]
    made = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    *stages, compiled = made.stdout.splitlines()
    names = [json.loads(stage)["name"] for stage in stages]
    readers_and_writers = ["NMEA reader", "CSV reader", "tables of messages", "Parquet writer"]
    others = ["tracks and detectors", "ports", "reach", "zones", "simulator", "daemon", "Python"]
    assert names == [*readers_and_writers, *others]
    assert compiled == "{}"


def test_older_positions_beside_new_results_are_pointed_out(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(world / "track.nmea", tmp_path / "fixes.parquet")
    lines = printed(capsys, "run", str(world / "track.nmea"), "--out", str(tmp_path))
    assert any("is of an earlier run" in line["text"] for line in lines if line["type"] == "note")


def test_events_go_to_duckdb_by_arrow(events: lw.Events, fixes: lw.Fixes) -> None:
    assert duckdb.sql("select count(*) from events").fetchall() == [(len(events),)]
    ((n, fastest),) = duckdb.sql("select count(sog), max(sog) from fixes").fetchall()
    assert n == np.count_nonzero(~np.isnan(fixes["sog"])) and fastest == pytest.approx(np.nanmax(fixes["sog"]))


def test_events_go_to_polars_by_arrow(events: lw.Events) -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(events)
    assert frame["id"].to_list() == events["id"].tolist()
    assert frame["t_start"].dtype == polars.Datetime("us", "UTC")
    assert set(frame["kind"].to_list()) <= KINDS
    assert events.to_polars().equals(frame)


def test_events_go_to_pandas_by_arrow(events: lw.Events) -> None:
    frame = events.to_pandas()
    assert frame["id"].tolist() == events["id"].tolist() and str(frame["t_start"].dt.tz) == "UTC"


def test_events_go_to_geopandas(events: lw.Events) -> None:
    frame = events.to_geopandas()
    assert frame.crs == "EPSG:4326" and frame.geometry.x.to_numpy().tolist() == events["lon"].tolist()
