"""Where silent ships could have been: `luxwake reach`, `luxwake meet`, and how a case tells it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from shapely.geometry import Point, shape

import luxwake as lw
from ais.table import Table
from cargo.fleet import Event, Fleet
from detectors.event import DARK, Events
from geo.reach import US_PER_H, reach
from geo.reach_map import assumptions, bands_of, ways_to
from luxwake.cli import main

START, END = "35.2,129.4@2018-10-01T12:00", "35.5,129.9@2018-10-05T12:00"
DAY_US = 86_400_000_000


def lines(capsys, *args: str) -> list[dict]:
    """The JSON lines of a command."""
    assert main([*args, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture(scope="module")
def silent():
    """Four days off Busan at 10 kn."""
    return reach(35.2, 129.4, 0, 35.5, 129.9, 96 * US_PER_H, 10.0)


def test_ports_are_those_of_the_library_the_longest_stay_first(capsys, silent):
    head, *ports = lines(capsys, "reach", "--from", START, "--to", END, "--speed", "10")
    assert [port["locode"] for port in ports] == [
        port.locode for port in sorted(silent.ports, key=lambda port: (-port.slack_h, port.locode))
    ]
    assert head["ports"] == len(ports) and head["cells"] == silent.cells.size and not head["open"]
    for port in ports:
        assert "2018-10-01T12:00:00Z" <= port["earliest"] <= port["latest"] <= "2018-10-05T12:00:00Z"
        assert port["probability"] == 1.0  # a speed that is known
    assert any("never proof" in words for words in head["assumptions"])


def test_only_ports_asked_for_are_shown(capsys):
    asked = ("reach", "--from", START, "--to", END, "--speed", "10", "--ports", "kp,RUVVO")
    codes = {port["locode"] for port in lines(capsys, *asked)[1:]}
    assert "KPCHO" in codes and {code[:2] for code in codes} <= {"KP", "RU"}
    assert {code for code in codes if code[:2] == "RU"} <= {"RUVVO"}


def test_a_type_of_ship_gives_chances_that_fall_with_the_way(capsys):
    _, *ports = lines(capsys, "reach", "--from", START, "--to", END, "--type", "cargo", "--length", "96")
    order = np.argsort([port["distance_nmi"] for port in ports])
    chances = np.array([port["probability"] for port in ports])[order]
    assert (np.diff(chances) <= 1e-9).all() and 0.0 < chances[-1] < 0.2 and chances[0] > 0.95


def test_a_ship_that_is_still_silent_has_no_second_end(capsys):
    head, *ports = lines(capsys, "reach", "--from", START, "--until", "2018-10-02T12:00", "--speed", "10")
    assert head["open"] and head["direct_nmi"] is None and ports
    assert all(port["latest"] == "2018-10-02T12:00:00Z" and port["from_nmi"] is None for port in ports)


def test_a_closed_strait_is_not_passed(capsys):
    asked = ("reach", "--from", "33.9,130.6@2018-10-01", "--until", "2018-10-02", "--speed", "10", "--ports", "JPHIJ")
    near, far = lines(capsys, *asked)[1:], lines(capsys, *asked, "--closed", "kanmon")[1:]
    assert len(near) == 1 and (not far or far[0]["to_nmi"] > near[0]["to_nmi"] + 50.0)


def test_the_map_holds_bands_ends_ports_and_ways(capsys, tmp_path, silent):
    path = tmp_path / "reach.geojson"
    assert main(["reach", "--from", START, "--to", END, "--speed", "10", "-o", str(path), "--quiet"]) == 0
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    of = {what: [f for f in features if f["properties"]["what"] == what] for what in ("area", "port", "way to port")}
    assert len(of["port"]) == len(silent.ports) and len(of["way to port"]) == 10
    assert {"last heard", "heard again"} <= {f["properties"]["what"] for f in features}
    areas = [shape(feature["geometry"]) for feature in of["area"]]
    stays = [feature["properties"]["least_stay_h"] for feature in of["area"]]
    assert stays == sorted(stays) and stays[0] == 0.0 and all(area.is_valid for area in areas)
    for inner, outer in zip(areas[1:], areas, strict=False):
        assert inner.difference(outer).area < 0.02 * inner.area
    assert areas[-1].intersects(Point(129.6, 35.3).buffer(0.1))


def test_an_area_across_180_degrees_is_cut_there(capsys, tmp_path):
    path = tmp_path / "reach.geojson"
    ends = ("--from=-17.5,179.5@2018-10-01", "--to=-17.0,-179.0@2018-10-03")
    assert main(["reach", *ends, "--speed", "8", "-o", str(path), "--quiet"]) == 0
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    for feature in features:
        flat = np.array(list(_pairs(feature["geometry"]["coordinates"])))
        assert (np.abs(flat[:, 0]) <= 180.0).all()
        if feature["properties"]["what"].startswith("way"):
            assert all(np.ptp([point[0] for point in part]) < 180.0 for part in feature["geometry"]["coordinates"])
    west, _, east, _ = shape(features[0]["geometry"]).bounds
    assert west == -180.0 and east == 180.0


def _pairs(nested):
    if isinstance(nested[0], float):
        yield nested
        return
    for inner in nested:
        yield from _pairs(inner)


def test_a_southern_latitude_is_no_option(capsys):
    spaced = lines(capsys, "reach", "--from", "-35.1,18.0@2018-10-01", "--until", "2018-10-02", "--speed", "9")
    joined = lines(capsys, "reach", "--from=-35.1,18.0@2018-10-01", "--until", "2018-10-02", "--speed", "9")
    assert spaced == joined and any(port["locode"] == "ZACPT" for port in spaced[1:])


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--from", "35,181@2018-10-01", "--to", END, "--speed", "9"), "longitude 181"),
        (("--from", "35,129.4", "--to", END, "--speed", "9"), "no time; write LAT,LON@TIME"),
        (("--from", START, "--to", "35.5,129.9@2018-09-01", "--speed", "9"), "not after its start"),
        (("--from", START, "--speed", "9"), "--until TIME"),
        (("--from", START, "--to", END, "--until", "2018-10-09", "--speed", "9"), "--until TIME"),
        (("--from", START, "--to", END, "--speed", "0"), "a speed of 0 kn"),
        (("--from", START, "--to", END, "--speed", "nan"), "a speed of nan kn"),
        (("--from", START, "--to", END, "--speed", "9", "--type", "cargo"), "not both"),
        (("--from", START, "--to", END, "--type", "submarine"), "give one of cargo, tanker"),
        (("--from", START, "--to", END, "--length", "90"), "with --type"),
        (("--from", START, "--to", END, "--type", "cargo", "--length", "0"), "--length 0"),
        (("--from", START, "--to", END, "--speed", "9", "--closed", "drake"), "known: Korea, Tsugaru"),
        (("--from", START, "--to", END, "--speed", "9", "--ports", "XQ"), "--ports XQ"),
        (("--from", START, "--to", END, "--speed", "9", "-o", "no/such/folder/x.geojson"), "no/such/folder"),
    ],
)
def test_what_cannot_be_meant_is_said_in_one_line(capsys, args, words):
    assert main(["reach", *args]) in (1, 2)
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


def test_a_way_that_takes_too_long_is_no_error(capsys):
    head, *ports = lines(capsys, "reach", "--from", START, "--to", "36.0,140.9@2018-10-02", "--speed", "10")
    assert head["cells"] == 0 and ports == [] and head["area_nmi2"] == 0.0
    assert main(["reach", "--from", START, "--to", "36.0,140.9@2018-10-02", "--speed", "10"]) == 0
    assert "none in time" in capsys.readouterr().out


def test_a_fix_far_from_any_sea_is_said(capsys):
    head, *ports = lines(capsys, "reach", "--from", "32.1,118.75@2018-10-01", "--to", END, "--speed", "10")
    assert head["cells"] == 0 and ports == []
    assert any("no sea is known within 30 km of the first position" in words for words in head["assumptions"])
    head, *ports = lines(capsys, "reach", "--from", START, "--until", "2018-10-04", "--speed", "10")
    assert ports and not any("no sea is known" in words for words in head["assumptions"])


MEET = ("meet", "--ship", START, END, "--ship", "41.0,130.5@2018-10-02", "40.9,130.6@2018-10-04")


def test_two_ships_meet_where_both_could_have_been(capsys, tmp_path):
    path = tmp_path / "meet.geojson"
    head, *places = lines(capsys, *MEET, "--speed", "10", "--speed", "8", "-o", str(path))
    assert places and head["longest_h"] == places[0]["together_h"] == max(p["together_h"] for p in places)
    assert len({place["code"] for place in places}) == len(places)
    for place in places:
        assert "2018-10-02T00:00:00Z" <= place["t_from"] <= place["t_to"] <= "2018-10-04T00:00:00Z"
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    assert [f["properties"]["ship"] for f in features if "ship" in f["properties"]] == [1, 1, 2, 2]
    assert any("ship 1: speed 10.0 kn" in words for words in head["assumptions"])


def test_ships_too_far_apart_cannot_have_met(capsys):
    far = ("meet", "--ship", START, END, "--ship", "-35.0,18.0@2018-10-02", "-35.0,18.1@2018-10-04", "--speed", "10")
    head, *places = lines(capsys, *far)
    assert head["cells"] == 0 and places == []
    assert main([*far]) == 0
    assert "cannot have met" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("meet", "--ship", START, END, "--speed", "9"), "takes --ship twice"),
        ((*MEET, "--speed", "9", "--speed", "9", "--speed", "9"), "--speed is given 3 times"),
        (("meet", "--ship", START, "--ship", START, END, "--speed", "9"), "--until TIME"),
        ((*MEET, "--until", "2018-11-01", "--speed", "9"), "both ships were heard again"),
    ],
)
def test_a_meeting_that_cannot_be_meant_is_said_in_one_line(capsys, args, words):
    assert main([*args]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


def test_bands_shrink_and_ways_are_as_long_as_their_ports_say(silent):
    areas = [band.area_nmi2 for band in bands_of(silent)]
    assert areas == sorted(areas, reverse=True) and len(areas) == 3
    coarse = [band.area_nmi2 for band in bands_of(silent, coarse=True)]
    assert coarse == areas  # of the outline before it was made coarse
    ports = silent.ports_of_interest(["KP", "RU"])
    for port, (there, back) in zip(ports, ways_to(silent, [(p.lat, p.lon) for p in ports]), strict=True):
        if port.locode != "KPSGN":  # up a river
            assert port.to_nmi <= there.length_nmi * 1.0001 <= port.to_nmi / 0.98 + 1.0
            assert port.from_nmi <= back.length_nmi * 1.0001 <= port.from_nmi / 0.98 + 1.0
    assert any("all straits and canals are open" in words for words in assumptions(silent))


def fleet_of(ship_type: int, length_m: float, fixes: lw.Fixes | None = None) -> Fleet:
    """One ship of a type and length."""
    heard = {"mmsi": np.array([671999101], "u4"), "hull": np.zeros(1, "u1"), "ship_type": np.array([ship_type], "u1")}
    heard |= {"length_m": np.array([length_m], "f4"), "t_first": np.zeros(1, "i8"), "t_last": np.full(1, DAY_US)}
    return Fleet(Events({}, vessels=Table(heard)), fixes)


def silence(t_start: int = 40 * DAY_US) -> Event:
    """Four days off Busan."""
    blank = dict.fromkeys(Event._fields, 0)
    place = {"lat": 35.2, "lon": 129.4, "lat_end": 35.5, "lon_end": 129.9}
    times = {"t_start": t_start, "t_end": t_start + 4 * DAY_US}
    return Event(**(blank | place | times | {"id": "x", "port": "", "kind": DARK, "mmsi": 671999101}))


def test_a_ship_of_a_case_has_the_speed_of_its_own_fixes_else_of_its_type():
    t = np.arange(0, 40 * DAY_US, 3_600_000_000)
    rows = {"t": t, "mmsi": np.full(t.size, 671999101, "u4"), "sog": np.full(t.size, 8.0, "f4")}
    rows |= {"hull": np.zeros(t.size, "u1"), "status": np.zeros(t.size, "u1")}
    own = fleet_of(70, 96.0, lw.Fixes(rows)).speed_of(silence())
    assert own.usual_kn == own.fast_kn == 8.0 and own.source.startswith("own history")
    assert fleet_of(70, 96.0).speed_of(silence()) == lw.speed_of([], [], ship_type=70, length_m=96.0)
    other_hull = lw.Fixes(rows | {"hull": np.ones(t.size, "u1")})
    assert fleet_of(70, 96.0, other_hull).speed_of(silence()).own_h == 0.0
