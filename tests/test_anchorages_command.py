"""`luxwake anchorages` on a simulated sea and on real ships."""

import json
import textwrap

import pytest

import luxwake as lw
from detectors.event import LOITERING, WAITING
from geo.anchorages import Anchorages
from geo.sphere import distance_m
from luxwake.cli import main

WORLD = """
name = "anchorages"
seed = 5
start = 2024-03-01T00:00:00Z
days = 7
compress = false
[reception]
station_at_each_port = true
thin_s = 600
satellite_thin_s = 1200
satellites = 8
satellite_best = 0.30
[[traffic]]
ships = 110
ports = ["KRPUS", "JPABU", "KRKPO", "JPSMN"]
kinds = { general = 0.6, tanker = 0.4 }
roles = { waiting = 0.6, trader = 0.2, loiterer = 0.2 }
anchorages = [
    { name = "A", lat = 35.02, lon = 129.06, radius_m = 2000 },
    { name = "C", lat = 36.4, lon = 130.4, radius_m = 2500 },
    { name = "D", lat = 31.9, lon = 132.2, radius_m = 2500 },
]
"""


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """A simulated world with three anchorages, two of them offshore."""
    folder = tmp_path_factory.mktemp("anchorages")
    (folder / "scene.toml").write_text(textwrap.dedent(WORLD))
    lw.simulate(folder / "scene.toml", folder)
    return folder


def test_scripted_anchorages_are_found_and_waiting_there_is_told_from_loitering(simulated):
    fixes = lw.read(simulated / "track.nmea")
    known = lw.find_anchorages(fixes, lw.AnchorageParams(min_ships=5))
    scripted = [(35.02, 129.06, "anchorage"), (36.4, 130.4, "offshore"), (31.9, 132.2, "offshore")]
    roads = [one for one in known if one.kind != "berth"]
    assert len(roads) == 3 and len(known) - len(roads) == 4
    for lat, lon, kind in scripted:
        (one,) = [one for one in roads if distance_m(lat, lon, one.lat, one.lon) < 1500.0]
        assert one.kind == kind and one.ships >= 5
    rows = (simulated / "truth.csv").read_text().splitlines()[1:]
    ships = {
        kind: {int(row.split(",")[1]) for row in rows if row.startswith(f"{kind},")} for kind in ("anchor", "loitering")
    }
    before, after = lw.detect(fixes, ["loitering"]), lw.detect(fixes, ["loitering"], anchorages=known)
    assert before["t_start"].tolist() == after["t_start"].tolist()  # labelled, not left out
    waiting = set(after["mmsi"][after["kind"] == WAITING].tolist())
    loitering = set(after["mmsi"][after["kind"] == LOITERING].tolist())
    assert len(waiting) > 15 and waiting <= ships["anchor"]
    assert len(ships["loitering"]) > 10 and len(loitering - ships["loitering"]) <= 2
    assert ships["loitering"] & waiting == set()


def test_the_command_writes_what_the_run_reads(simulated, tmp_path, capsys):
    track, out = str(simulated / "track.nmea"), tmp_path / "known.geojson"
    assert main(["anchorages", track, "-o", str(out), "--min-ships", "5", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    shown = [line for line in lines if line["type"] == "anchorage"]
    known = Anchorages.load(out)
    assert [line["name"] for line in shown] == [one.name for one in known] and len(known) == 7
    assert known.params["anchorages"]["min_ships"] == 5 and known.params["periods"]["min_stay_s"] == 12 * 3600
    assert main(["anchorages", track, "-o", str(out), "--min-ships", "5"]) == 0
    assert "open sea off Pohang 1" in capsys.readouterr().out
    assert main(["run", track, "--anchorages", str(out), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    sql = "select count(*) n from events where kind = 'waiting' and anchorage is not null and anchorage_share >= 0.5"
    assert lw.query(tmp_path / "out", sql)["n"].to_pylist()[0] > 15
    made = json.loads((tmp_path / "out" / "findings.json").read_text())
    assert made["parameters"]["loitering"]["anchorages"] == known.digest
    assert [one["file"] for one in made["inputs"]] == ["track.nmea", "known.geojson"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Waiting at a known anchorage" in page and "open sea off Pohang 1" in page
    geojson = json.loads((tmp_path / "out" / "events.geojson").read_text())
    waits = [one for one in geojson["features"] if one["properties"]["kind"] == "waiting"]
    assert waits and all(one["geometry"]["type"] == "Point" for one in waits)


@pytest.mark.parametrize(
    "options, status, word",
    [
        (["anchorages", "TRACK", "--min-ships", "0"], 2, "near_ships <= min_ships"),
        (["anchorages", "TRACK", "--min-stay-h", "-1"], 2, "--min-stay-h must be"),
        (["anchorages", "TRACK", "--min-stay-h", "nan"], 2, "--min-stay-h must be"),
        (["anchorages", "TRACK", "--min-stay-h", "inf"], 2, "--min-stay-h must be"),
        (["anchorages", "TRACK", "--min-stay-h", "1e10"], 2, "--min-stay-h must be"),
        (["anchorages", "TRACK", "--from", "2024-03-05", "--to", "2024-03-01"], 2, "swap them"),
        (["anchorages", "nowhere.nmea"], 1, "nowhere.nmea"),
        (["anchorages", "nowhere.nmea", "-o", "nosuch/known.geojson"], 1, "no such folder"),
        (["run", "TRACK", "--anchorages", "TRACK", "--out", "x"], 1, "not JSON"),
    ],
)
def test_wrong_use_is_said_in_one_line(simulated, tmp_path, monkeypatch, capsys, options, status, word):
    monkeypatch.chdir(tmp_path)
    assert main([str(simulated / "track.nmea") if one == "TRACK" else one for one in options]) == status
    said = capsys.readouterr().err.splitlines()[-1]
    assert word in said
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_is_found_the_command_says_what_would_help(simulated, tmp_path, capsys):
    out = tmp_path / "none.geojson"
    assert main(["anchorages", str(simulated / "track.nmea"), "-o", str(out), "--min-ships", "500"]) == 0
    assert "a lower --min-ships" in capsys.readouterr().err
    assert len(Anchorages.load(out)) == 0
