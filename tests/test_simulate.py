"""The simulator: same seed, same bytes; real NMEA; a world that keeps to its own truth."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geo.coast import shore_distance_m
from geo.errors import InputError, LuxwakeError, UsageError
from geo.ports import port_by_code
from geo.sphere import NMI_M, bearing_deg, distance_m, distances_m
from luxwake.simulate import Written, simulate
from luxwake.simulate.damage import DAMAGE_KINDS
from luxwake.simulate.fleet import imo_number
from luxwake.simulate.lanes import Lanes, route_through
from luxwake.simulate.motion import MOTION, NODE, move, reporting_interval_s
from luxwake.simulate.random import hashed_uniform, mix
from luxwake.simulate.shipments import container_number, vehicle_number
from luxwake.simulate.voyage import TRUTH_KINDS
from tests.simulate_case import Heard, hear, lines_of, rows_of, seconds


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Written, Path]:
    out = tmp_path_factory.mktemp("world")
    return simulate("world", out, seed=11, vessels=40, days=4.0), out


@pytest.fixture(scope="module")
def heard(world: tuple[Written, Path]) -> Heard:
    return hear(world[0].paths[0])


@pytest.fixture(scope="module")
def truth(world: tuple[Written, Path]) -> list[dict[str, str]]:
    return rows_of(world[1] / "truth.csv")


def test_same_seed_same_bytes_and_other_seed_other_bytes(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b", "c")]
    for folder, seed in zip(folders, (3, 3, 4), strict=True):
        simulate("world", folder, seed=seed, vessels=6, days=1.0)
    a, b, c = ([(f / n).read_bytes() for n in ("track.nmea", "truth.csv", "shipments.csv")] for f in folders)
    assert a == b
    assert a[0] != c[0]


def test_more_ships_leave_the_first_ones_as_they_were(tmp_path: Path) -> None:
    few, many = tmp_path / "few", tmp_path / "many"
    simulate("world", few, seed=5, vessels=12, days=1.0)
    simulate("world", many, seed=5, vessels=18, days=1.0)
    texts = [Counter(lines_of(folder / "track.nmea")) for folder in (few, many)]
    kept = sum((texts[0] & texts[1]).values()) / sum(texts[0].values())
    assert kept > 0.5  # all but sequence ids, damaged lines and the group that the smaller number cut


def test_file_is_nmea_in_order_of_reception(world: tuple[Written, Path], heard: Heard) -> None:
    written, _ = world
    assert heard.epochs == sorted(heard.epochs)
    assert set(heard.types) == {1, 3, 5, 18, 24, 27}
    assert sum(len(fixes) for fixes in heard.fixes.values()) == written.fixes


def test_damaged_lines_are_as_many_as_it_says(world: tuple[Written, Path], heard: Heard) -> None:
    written, out = world
    listed = {row["damage"]: int(row["lines"]) for row in rows_of(out / "lines.csv")}
    assert listed == written.damaged
    assert set(listed) == set(DAMAGE_KINDS)
    assert heard.unusable == sum(listed.values()) - listed["orphan fragment"]
    assert heard.unusable > 0


def test_truth_has_every_kind_within_the_time(world: tuple[Written, Path], truth: list[dict[str, str]]) -> None:
    written, _ = world
    kinds = Counter(row["kind"] for row in truth)
    assert dict(kinds) == written.events
    assert set(kinds) <= set(TRUTH_KINDS)
    assert {"loitering", "dark", "rendezvous", "port_call", "anchor", "draught"} <= set(kinds)
    for row in truth:
        assert seconds("2024-03-01T00:00:00Z") <= seconds(row["t_start"]) <= seconds(row["t_end"])
        assert seconds(row["t_end"]) <= seconds("2024-03-05T00:00:00Z")


def test_nothing_is_heard_of_a_dark_ship(heard: Heard, truth: list[dict[str, str]]) -> None:
    dark = [row for row in truth if row["kind"] == "dark"]
    assert dark
    for row in dark:
        low, high = seconds(row["t_start"]), seconds(row["t_end"])
        inside = [fix for fix in heard.fixes[int(row["mmsi"])] if low + 3 < fix.t < high]
        assert not inside, row


def test_loitering_is_slow_and_far_from_shore(heard: Heard, truth: list[dict[str, str]]) -> None:
    loitering = [row for row in truth if row["kind"] == "loitering"]
    for row in loitering:
        low, high = seconds(row["t_start"]), seconds(row["t_end"])
        during = [fix for fix in heard.fixes[int(row["mmsi"])] if low < fix.t < high]
        shore = shore_distance_m([fix.lat for fix in during], [fix.lon for fix in during])
        assert during
        assert np.all(np.asarray(shore) > 20.0 * NMI_M), row
        assert np.mean([fix.sog for fix in during]) < 2.0


def test_partners_of_a_rendezvous_are_side_by_side_at_sea(heard: Heard, truth: list[dict[str, str]]) -> None:
    pairs = [row for row in truth if row["kind"] == "rendezvous"]
    assert pairs
    for row in pairs:
        low, high = seconds(row["t_start"]), seconds(row["t_end"])
        assert "open at end" in row["note"] or 2.4 * 3600 < high - low < 8.1 * 3600
        tracks = []
        for mmsi in (int(row["mmsi"]), int(row["other"])):
            fixes = [fix for fix in heard.fixes[mmsi] if low < fix.t < high and fix.kind != 27]
            assert max((fix.sog for fix in fixes), default=0.0) < 1.7
            tracks.append(fixes)
        for fix in tracks[0]:
            near = min(tracks[1], key=lambda other: abs(other.t - fix.t), default=None)
            if near is not None and abs(near.t - fix.t) < 60:
                assert distance_m(fix.lat, fix.lon, near.lat, near.lon) < 200.0
        assert float(shore_distance_m([float(row["lat"])], [float(row["lon"])])[0]) > 10_000.0


def test_port_calls_are_at_their_ports(heard: Heard, truth: list[dict[str, str]]) -> None:
    for row in truth:
        if row["kind"] != "port_call":
            continue
        port = port_by_code(row["note"].split()[0])
        assert port is not None, row
        assert distance_m(float(row["lat"]), float(row["lon"]), port.lat, port.lon) < 1_500.0
        low, high = seconds(row["t_start"]), seconds(row["t_end"])
        during = [fix.sog for fix in heard.fixes.get(int(row["mmsi"]), []) if low + 5 < fix.t < high - 5]
        assert max(during, default=0.0) < 1.0


def test_holes_are_silent_and_not_dark(heard: Heard, truth: list[dict[str, str]]) -> None:
    dark = [row for row in truth if row["kind"] == "dark"]
    for row in truth:
        if row["kind"] != "hole":
            continue
        low, high = seconds(row["t_start"]), seconds(row["t_end"])
        assert high - low > 6 * 3600
        assert not [fix for fix in heard.fixes.get(int(row["mmsi"]), []) if low + 3 < fix.t < high - 3]
        for other in dark:
            if other["mmsi"] == row["mmsi"]:
                assert seconds(other["t_end"]) <= low or seconds(other["t_start"]) >= high


def test_ships_keep_to_the_sea(heard: Heard) -> None:
    fixes = [fix for track in heard.fixes.values() for fix in track if fix.sog > 6.0 and fix.kind != 27]
    shore = np.asarray(shore_distance_m([fix.lat for fix in fixes], [fix.lon for fix in fixes]))
    assert np.mean(shore < -2_000.0) < 0.01


def test_no_ship_jumps(heard: Heard) -> None:
    for track in heard.fixes.values():
        exact = sorted({(fix.t, fix.lat, fix.lon) for fix in track if fix.kind != 27})
        for (t0, lat0, lon0), (t1, lat1, lon1) in pairwise(exact):
            assert distance_m(lat0, lon0, lat1, lon1) < 25.0 * 0.5144 * (t1 - t0 + 4) + 60.0


def test_two_stations_in_range_give_copies_within_seconds(tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text("""
start = 2020-01-01T00:00:00Z
days = 1
[reception]
satellites = 0
thin_s = 60
copies = 0.5
[[station]]
name = "BUSAN"
lat = 35.08
lon = 129.08
[[station]]
name = "ULSAN"
lat = 35.25
lon = 129.30
delay_s = 1.0
[[vessel]]
name = "GREY HERON 1"
mmsi = 441999001
at = "KRPUS"
begin = 2020-01-01T00:00:00Z
do = [{ go = [35.1, 129.3], knots = 2.0 }]
""")
    track = hear(simulate(path, tmp_path / "out").paths[0]).fixes[441999001]
    same = [(a, b) for a, b in pairwise(track) if (a.lat, a.lon, a.sog) == (b.lat, b.lon, b.sog)]
    assert 0.3 < len(same) / (len(track) - len(same)) < 0.6
    assert all(a.station != b.station and abs(a.t - b.t) <= 3 for a, b in same)


def test_reporting_intervals_are_those_of_itu_m1371() -> None:
    now = np.zeros(1, MOTION).view(np.recarray)[0]
    table = [  # mode, knots, turning, class B, seconds
        (1, 0.0, 0, False, 180.0),
        (2, 0.2, 0, False, 180.0),
        (0, 1.0, 0, False, 10.0),
        (0, 13.9, 0, False, 10.0),
        (0, 13.9, 1, False, 10.0 / 3.0),
        (0, 18.0, 0, False, 6.0),
        (0, 18.0, 1, False, 2.0),
        (0, 24.0, 0, False, 2.0),
        (0, 1.9, 0, True, 180.0),
        (0, 9.0, 0, True, 30.0),
    ]
    for mode, sog, turning, class_b, interval in table:
        now.mode, now.sog, now.turning = mode, sog, turning
        assert reporting_interval_s(now, class_b) == pytest.approx(interval)


def test_motion_follows_great_circles_at_constant_speed() -> None:
    route = route_through([(35.0, 129.0), (40.0, 135.0)])
    nodes = np.zeros(2, NODE)
    nodes["t"], nodes["lat"], nodes["lon"] = [0.0, route.length_m / 5.0], route.lat, route.lon
    nodes["heading"] = math.nan
    nodes, now = nodes.view(np.recarray), np.zeros(1, MOTION).view(np.recarray)[0]
    for t in (0.0, 20_000.0, 60_000.0):
        move(nodes, t, now)
        assert float(distances_m(35.0, 129.0, now.lat, now.lon)) == pytest.approx(5.0 * t, abs=0.5)
        assert now.sog == pytest.approx(5.0 / 0.514444, rel=1e-5)
        assert now.cog == pytest.approx(bearing_deg(now.lat, now.lon, 40.0, 135.0))


def test_random_stream_is_splitmix64() -> None:
    gamma, state, mask = 0x9E3779B97F4A7C15, 1234567, (1 << 64) - 1
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]  # first outputs for this seed
    for value in expected:
        state = (state + gamma) & mask
        assert int(mix(np.uint64(state))) == value
    draws = [hashed_uniform(k, 7) for k in range(2_000)]
    assert np.mean(draws) == pytest.approx(0.5, abs=0.03)
    assert np.std(draws) == pytest.approx(math.sqrt(1 / 12), abs=0.02)


def test_routes_are_the_same_both_ways() -> None:
    lanes = Lanes()
    there, back = lanes.route("KRPUS", "RUVVO"), lanes.route("RUVVO", "KRPUS")
    assert there.length_m == pytest.approx(back.length_m)
    assert there.at(100_000.0) == pytest.approx(back.at(back.length_m - 100_000.0))
    assert 480.0 < there.length_m / NMI_M < 620.0


def test_identities_pass_their_check_digits() -> None:
    assert imo_number(907472) == 9074729  # IMO's own example
    assert container_number("CSQU", 305438) == "CSQU3054383"  # the example of ISO 6346
    assert vehicle_number("1M8", 58)[8] in "0123456789X"


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        ({"scenario": "nowhere"}, InputError, "no scenario"),
        ({"scenario": "world", "vessels": 0}, UsageError, "at least 1"),
        ({"scenario": "world", "vessels": 5, "fixes": 5}, UsageError, "either"),
        ({"scenario": "world", "days": -1.0}, UsageError, "days"),
    ],
)
def test_wrong_use_is_one_line(call: dict[str, Any], error: type[LuxwakeError], said: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=said) as caught:
        simulate(out=tmp_path / "out", **call)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("start = ", "not TOML"),
        ("name = 'x'", "`start` is missing"),
        ("start = 2020-01-01\n[[vessel]]\nname = 'A'", "is missing"),
        (
            "start = 2020-01-01\n[[vessel]]\nname = 'A'\nmmsi = 1\nat = 'KRPUS'\nbegin = 2020-01-01\ndo = [{fly = 1}]",
            "is not one action",
        ),
        (
            "start = 2020-01-01\n[[vessel]]\nname = 'A'\nmmsi = 1\nat = 'KRPSU'\nbegin = 2020-01-01",
            "port 'KRPSU' is not known",
        ),
    ],
)
def test_wrong_scenarios_say_what_is_wrong(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(text)
    with pytest.raises(LuxwakeError, match=said):
        simulate(path, tmp_path / "out")


def test_scripted_ship_does_what_the_script_says(tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text("""
start = 2020-01-01T00:00:00Z
days = 4
[reception]
satellites = 6
[[station]]
name = "BUSAN"
lat = 35.08
lon = 129.08
[[vessel]]
name = "GREY HERON 1"
mmsi = 441999001
imo = 9999993
draught_m = 6.0
at = "KRPUS"
begin = 2020-01-01T00:00:00Z
do = [
    { moor = "2020-01-01T06:00:00Z" },
    { set = { draught_m = 4.5, name = "WHITE HERON 2", mmsi = 671999002 } },
    { go = [34.9, 129.6], knots = 10.0 },
    { off = true },
    { wait = "hours", hours = 9.0, as = "drift" },
    { on = true },
    { loiter = 8.0 },
]
""")
    out = tmp_path / "out"
    written = simulate(path, out)
    truth = rows_of(out / "truth.csv")
    assert [row["kind"] for row in truth if row["kind"] != "hole"] == ["port_call", "identity", "dark", "loitering"]
    heard = hear(written.paths[0])
    assert heard.names == {441999001: {"GREY HERON 1"}, 671999002: {"WHITE HERON 2"}}
    dark = next(row for row in truth if row["kind"] == "dark")
    assert seconds(dark["t_end"]) - seconds(dark["t_start"]) == 9 * 3600
    assert max(fix.t for fix in heard.fixes[441999001]) <= seconds("2020-01-01T06:00:02Z")
