"""`luxwake decode` of JSON and of tables whose columns have other names."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest

from luxwake.cli import main
from tests.decode_case import SENTENCES, decode, rows_of


def test_json_of_all_kinds_becomes_fixes_and_static_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stream = {
        "MessageType": "PositionReport",
        "MetaData": {"time_utc": "2026-08-03 15:12:39 +0000 UTC"},
        "Message": {"PositionReport": {"UserID": 671999101, "MessageID": 1, "Latitude": 1.5, "Longitude": 2.5}},
    }
    catcher = {"class": "AIS", "rxuxtime": 1785769959, "nmea": [SENTENCES[0]]}
    ship = {"MMSI": 671999101, "TIME": "2026-08-03 15:12:39 GMT", "LATITUDE": 1.5, "LONGITUDE": 2.5, "NAVSTAT": 0,
            "NAME": "LARK", "PAC": 1}  # fmt: skip
    texts = {"stream": json.dumps(stream) + "\n", "catcher": json.dumps(catcher) + "\n{broken\n"}
    texts["hub"] = json.dumps([{"ERROR": False, "USERNAME": "X", "FORMAT": "HUMAN"}, [ship, ship]])
    for name, text in texts.items():
        (tmp_path / f"{name}.json").write_text(text)
    summary = decode(capsys, *sorted(tmp_path.glob("*.json")), "-o", tmp_path / "a.jsonl")
    assert (summary["sources"], summary["fixes"], summary["static"]) == (3, 4, 1)
    assert summary["bytes"] == sum(map(len, texts.values())) and sum(summary["not_used"].values()) == 1
    rows = rows_of(tmp_path / "a.jsonl")
    assert [Path(row["source"]).stem for row in rows] == ["catcher", "hub", "hub", "stream"]
    assert {row["t"] for row in rows} == {"2026-08-03T15:12:39.000000Z"}
    assert rows[0]["channel"] == "A" and [row["name"] for row in rows_of(tmp_path / "a.static.jsonl")] == ["LARK"]


def test_json_is_read_in_pieces(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ship = '{"mmsi":671999101,"timestamp":"2026-08-03T15:12:39Z","lat":%d.5,"lon":2.5,"shipname":"LARK"}\n'
    (tmp_path / "a.json").write_text("".join(ship % (n % 90) for n in range(20_000)))
    summary = decode(capsys, tmp_path / "a.json", "-o", tmp_path / "a.parquet")
    fixes = pa.parquet.read_table(tmp_path / "a.parquet")
    assert fixes["lat"].to_pylist() == [n % 90 + 0.5 for n in range(20_000)] and summary["static"] == 1


def test_columns_of_other_names_are_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "who,when,north,east\n671999101,2023-01-11T00:00:00,43.1,-70.7\n"
    (tmp_path / "a.csv").write_text(text)
    with duckdb.connect() as connection:
        connection.execute(f"copy (from '{tmp_path / 'a.csv'}') to '{tmp_path / 'a.parquet'}' (format parquet)")
    for name in ("a.csv", "a.parquet"):
        given = ["--columns", "mmsi=who,t=when,lat=north,lon=east"]
        decode(capsys, tmp_path / name, "-o", tmp_path / "out.jsonl", *given)
        (row,) = rows_of(tmp_path / "out.jsonl")
        assert (row["mmsi"], row["t"], row["lat"]) == (671999101, "2023-01-11T00:00:00.000000Z", 43.1)
    (tmp_path / "out.jsonl").unlink()
    for given, code in (("lat=north,lon=east,mmsi=who,t=then", 1), ("latitude=north", 2), ("north", 2)):
        assert main(["decode", str(tmp_path / "a.csv"), "-o", str(tmp_path / "out.jsonl"), "--columns", given]) == code
        assert given.split("=")[0].split(",")[0] in capsys.readouterr().err or code == 1
        assert not (tmp_path / "out.jsonl").exists()
