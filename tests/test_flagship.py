"""The flagship's files: the silence, the namesake, the conflicts, and that its scenario makes them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from geo.sphere import distance_m
from luxwake.simulate import simulate
from luxwake.simulate.shipments import container_number
from tests.simulate_case import Heard, hear, lines_of, rows_of, seconds

FLAGSHIP = Path(__file__).parents[1] / "fixtures" / "flagship"
SEA_LARK, NAMESAKE = 671999101, 352999204


@pytest.fixture(scope="module")
def flagship() -> Heard:
    if not (FLAGSHIP / "track.nmea.zst").exists():
        pytest.skip("fixtures/flagship/track.nmea.zst is not there; run fixtures/make_fixtures.py")
    return hear(FLAGSHIP / "track.nmea.zst", only={SEA_LARK, NAMESAKE})


def test_flagship_ship_is_silent_for_eighteen_days_within_reception(flagship: Heard) -> None:
    track = sorted(flagship.fixes[SEA_LARK])
    gaps = [(b.t - a.t, a, b) for a, b in pairwise(track)]
    length, last, first = max(gaps)
    assert length == pytest.approx(18 * 86400, abs=7200)
    assert distance_m(last.lat, last.lon, 35.2, 129.4) < 3_000.0
    assert distance_m(first.lat, first.lon, 35.5, 129.9) < 3_000.0
    assert max(gap for gap, _, _ in gaps if gap != length) < 3 * 86400
    busy = [gap for gap, a, _ in gaps if seconds("2018-09-20T00:00:00Z") < a.t < last.t]
    assert max(busy) < 7200  # good reception up to the last position


def test_flagship_namesake_differs_in_every_number(flagship: Heard) -> None:
    assert flagship.names[SEA_LARK] == flagship.names[NAMESAKE] == {"SEA LARK 5"}
    assert flagship.imos[SEA_LARK] == {9999993}
    assert flagship.imos[NAMESAKE] == {9999955}


def test_flagship_shipments_name_ships_that_are_heard() -> None:
    shipments = rows_of(FLAGSHIP / "shipments.csv")
    heard = hear(FLAGSHIP / "track.nmea.zst")
    on_air = {(name, imo) for mmsi, names in heard.names.items() for name in names for imo in heard.imos[mmsi]}
    named = {(row["vessel_name"], int(row["imo"])) for row in shipments if row["vessel_name"]}
    assert named <= on_air
    assert len(heard.fixes) > 200
    assert sum(len(track) for track in heard.fixes.values()) > 90_000
    assert [row for row in shipments if not row["vessel_name"]]
    cars = [row for row in shipments if row["hs_code"] == "870323" and row["vin"]]
    assert len(cars) >= 30
    assert {row["cleared"] for row in cars} == {"yes"}
    assert all(container_number(c[:4], int(c[4:10])) == c for row in shipments if (c := row["container"]))


def test_flagship_shipments_keep_conflicts_as_two_rows() -> None:
    rows = rows_of(FLAGSHIP / "shipments.csv")
    osaka = {row["arrive_date"] for row in rows if row["discharge_port"] == "JPOSA" and row["hs_code"] == "870324"}
    assert osaka == {"2018-09-18", "2018-08-30"}
    busan = {row["consignee"] for row in rows if row["discharge_port"] == "KRPUS" and row["load_port"] == "JPOSA"}
    assert len(busan & {"Hanamino Forwarding Korea", "master of SEA LARK 5"}) == 2
    assert {row["quantity"] for row in rows if row["discharge_port"] == "KRKPO" and row["imo"] == "9999993"} == {
        "2588",
        "2599",
    }


def test_flagship_files_are_what_its_scenario_makes(tmp_path: Path) -> None:
    simulate(FLAGSHIP / "scenario.toml", tmp_path)
    for name in ("shipments.csv", "truth.csv", "lines.csv", "scenario.toml"):
        assert (tmp_path / name).read_bytes() == (FLAGSHIP / name).read_bytes(), name
    assert lines_of(tmp_path / "track.nmea.zst") == lines_of(FLAGSHIP / "track.nmea.zst")


def test_flagship_stays_small() -> None:
    assert sum(path.stat().st_size for path in FLAGSHIP.iterdir()) < 5_000_000
