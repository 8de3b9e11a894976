"""Port calls: against the naive twin, and what must and must not count as one."""

import numpy as np
import pytest

from ais.table import Fixes
from detectors.detect import detect
from detectors.engine import Engine
from detectors.event import LABELS
from detectors.port_call import PortCallParams
from detectors.port_stay import SAILING, STAY
from geo.anchorages import Anchorage, Anchorages
from geo.cells import cells
from geo.errors import UsageError
from geo.ports import port_by_code, port_index, ports
from tests import naive_ports
from tests.feeds import HOUR, MINUTE, T0, fixes_of

SHIP, OTHER = 211_000_001, 311_000_002
NORTH, SOUTH = 0.0, 180.0
DEG_KM = 1 / 111.195


def at(code):
    port = port_by_code(code)
    assert port is not None, code
    return port.lat, port.lon


FAR = at("ZADUR")
"""A port with no other within 60 km."""


def fixes_with_course(rows) -> Fixes:
    """Fixes from rows (t, mmsi, lat, lon, sog, cog, nav_status), and a ship far away that keeps the feed alive."""
    rows = sorted(rows)
    alive = [(t, OTHER, -55.0, 20.0, 9.0, 0.0, 0) for t in range(rows[0][0], rows[-1][0] + 1, 10 * MINUTE)]
    rows = sorted(rows + alive)
    fixes = fixes_of([row[:5] for row in rows])
    cog, status = np.array([row[5] for row in rows], np.float32), np.array([row[6] for row in rows], np.uint8)
    return Fixes({**fixes.columns, "cog": cog, "nav_status": status})


def way(legs, *, port=FAR, start_km=-40.0, t=T0, mmsi=SHIP, every=6):
    """Along the meridian of a port: legs of (hours, km north of the port at the end, nav_status, swing in m, heard)."""
    rows, here, t_h = [], start_km, 0.0
    for hours, to_km, status, swing_m, heard in legs:
        knots = abs(to_km - here) / 1.852 / hours
        course = NORTH if to_km > here else SOUTH
        for m in range(0, round(hours * 60), every):
            km = here + (to_km - here) * m / 60 / hours
            east = swing_m * np.sin(m / 60) / 1000 * DEG_KM if swing_m else 0.0
            place = port[0] + km * DEG_KM, (port[1] + east / np.cos(np.radians(port[0])) + 180) % 360 - 180
            if heard:
                rows.append((t + round((t_h + m / 60) * HOUR), mmsi, *place, knots, course, status))
        here, t_h = to_km, t_h + hours
    return rows


def calls(rows, **options):
    """The port calls of the ship, as dicts."""
    found = detect(rows if isinstance(rows, Fixes) else fixes_with_course(rows), ["port_call"], **options)
    columns = {name: found[name].tolist() for name in found}
    every = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return [call | {"label": LABELS[call["label"]]} for call in every]


IN, BERTH, OUT = (3.0, 0.5, 0, 0, True), (10.0, 0.5, 5, 0, True), (3.0, -40.0, 0, 0, True)


def test_a_call_seen_whole_has_confidence_4_and_says_what_was_heard():
    [call] = calls(way([IN, BERTH, OUT]))
    assert (call["port"], call["label"], call["confidence"], call["open"]) == ("ZADUR", "observed", 4.0, 0)
    assert call["score"] > 0.9 and call["wait_h"] == 0.0 and call["gap_h"] == 0.0
    assert call["berth_h"] == pytest.approx(10.0, abs=0.2) and call["stop_h"] == pytest.approx(10.0, abs=0.2)
    assert call["berth_from_h"] == pytest.approx(8 / 40.5 * 3, abs=0.2) and call["port_m"] == pytest.approx(500, abs=9)
    assert call["t_start"] < T0 + 3 * HOUR < T0 + 13 * HOUR < call["t_end"]
    assert call["start_error_s"] == pytest.approx(0.9 * 360) and call["end_error_s"] == pytest.approx(0.9 * 360)


@pytest.mark.parametrize(
    ("legs", "start_km", "confidence", "still_open"),
    [
        ([BERTH, OUT], 0.5, 3.0, 0),
        ([IN, BERTH], -40.0, 3.0, 1),
        ([BERTH], 0.5, 2.0, 1),
        ([IN, BERTH, (12.0, -40.0, 0, 0, False), (1.0, -50.0, 0, 0, True)], -40.0, 3.0, 0),
    ],
)
def test_what_was_not_heard_lowers_the_confidence(legs, start_km, confidence, still_open):
    [call] = calls(way(legs, start_km=start_km))
    assert (call["confidence"], call["open"]) == (confidence, still_open)
    assert call["score"] <= calls(way([IN, BERTH, OUT]))[0]["score"]


def test_a_ship_that_swings_about_the_border_of_the_reach_enters_once():
    there = [(2.0, -7.5, 0, 0, True), (1.0, -9.0, 0, 0, True)] + [(1.0, -8.5 + k % 2, 0, 0, True) for k in range(8)]
    assert len(calls(way([*there, (12.0, -7.9, 1, 0, True), (2.0, -40.0, 0, 0, True)]))) == 1


@pytest.mark.parametrize("knots", [8.0, 3.0])
def test_passing_is_no_call(knots):
    assert calls(way([(80 / 1.852 / knots, 40.0, 0, 0, True)])) == []


def test_a_wait_in_the_roads_and_the_berth_are_one_call_told_apart():
    roads = [(2.0, -6.0, 0, 0, True), (30.0, -6.0, 1, 250.0, True)]
    [call] = calls(way([*roads, (1.0, 0.5, 0, 0, True), BERTH, OUT]))
    assert call["wait_h"] == pytest.approx(30.0, abs=0.3) and call["berth_h"] == pytest.approx(10.0, abs=0.3)
    assert call["berth_from_h"] == pytest.approx(31.0, abs=0.5)
    assert call["lat"] == pytest.approx(FAR[0] + 0.5 * DEG_KM, abs=1e-6)


@pytest.mark.parametrize(
    ("status", "swing_m", "berth"), [(5, 250.0, 0), (0, 250.0, 0), (1, 0.0, 0), (5, 0.0, 1), (0, 0.0, 1)]
)
def test_a_ship_that_swings_lies_at_anchor_whatever_it_says(status, swing_m, berth):
    [call] = calls(way([(2.0, -6.0, 0, 0, True), (30.0, -6.0, status, swing_m, True), (2.0, -40.0, 0, 0, True)]))
    assert (call["berth_h"] > 0) == bool(berth) and (call["wait_h"] > 0) == (not berth)
    assert call["label"] == "observed"


def test_a_known_anchorage_tells_how_ships_lie_there():
    rows = way([(2.0, -6.0, 0, 0, True), (30.0, -6.0, 5, 0, True), (1.0, 0.5, 0, 0, True), BERTH, OUT])
    cell = int(cells([FAR[0] - 6 * DEG_KM], [FAR[1]], 9)[0])
    roads = Anchorage(
        id="0" * 16, name="roads", kind="anchorage", lat=FAR[0], lon=FAR[1], ships=9, periods=9, median_stay_h=20.0,
        swing_m=150.0, first_seen=0, last_seen=1, shore_m=2000.0, port="ZADUR", port_m=6000.0, bearing_deg=180.0,
        cells=(cell,),
    )  # fmt: skip
    [without], [known] = calls(rows), calls(rows, anchorages=Anchorages([roads]))
    assert without["berth_h"] == pytest.approx(30.0, abs=0.3) and without["wait_h"] == 0.0
    assert known["berth_h"] == pytest.approx(10.0, abs=0.3) and known["wait_h"] == pytest.approx(30.0, abs=0.3)
    assert known["id"] != without["id"]


def test_where_circles_overlap_the_port_nearest_to_the_berth_is_named():
    pairs = [
        (a, b)
        for a, b in zip(ports(), ports()[1:], strict=False)
        if 5.0 < 111.195 * np.hypot(a.lat - b.lat, (a.lon - b.lon) * np.cos(np.radians(a.lat))) < 9.0
    ]
    first, second = pairs[0]
    half = (first.lat + second.lat) / 2, (first.lon + second.lon) / 2
    rows = []
    for m in range(0, 60 * 20, 6):
        place = half if m < 300 else (second.lat, second.lon)
        rows.append((T0 + m * MINUTE, SHIP, *place, 0.1, 0.0, 5))
    found = calls(rows)
    assert [call["port"] for call in found] == [second.locode]


def test_a_call_across_the_antimeridian():
    """Out of Egvekinot, 45 km from 180 degrees, to the other side and back: one more call, none lost."""
    port = at("RUEGV")
    rows = []
    for m in range(0, 60 * 40, 6):
        east = max(0, min(m, 2400 - m) - 600) / 600 * 90  # 90 km to the west, past 180 degrees, in ten hours
        lon = (port[1] - east * DEG_KM / np.cos(np.radians(port[0])) + 180) % 360 - 180
        moving = east > 0
        rows.append(
            (
                T0 + m * MINUTE,
                SHIP,
                port[0],
                lon,
                4.9 if moving else 0.1,
                270.0 if m < 1200 else 90.0,
                0 if moving else 5,
            )
        )
    assert min(row[3] for row in rows) < -178 and max(row[3] for row in rows) > 178
    found = calls(rows)
    assert [(call["port"], call["confidence"], call["open"]) for call in found] == [
        ("RUEGV", 3.0, 0),
        ("RUEGV", 3.0, 1),
    ]


def test_a_silence_in_port_is_an_inferred_call():
    inside = [(3.0, -5.0, 0, 0, True), (9.0, -3.0, 0, 0, False), (2.0, -40.0, 0, 0, True)]
    [call] = calls(way(inside))
    assert (call["label"], call["confidence"]) == ("inferred", 4.0)
    assert call["gap_h"] == pytest.approx(9.1, abs=0.2) and call["coverage"] < 0.5 and call["stop_h"] == 0.0


def test_the_silence_of_the_feed_is_not_a_call():
    inside = [(3.0, -5.0, 0, 0, True), (9.0, -3.0, 0, 0, False), (2.0, -40.0, 0, 0, True)]
    rows = way(inside)
    fixes = fixes_of([row[:5] for row in rows])
    assert len(detect(fixes, ["port_call"])) == 0


DARK_IN = [(2.0, -15.0, 0, 0, True), (24.0, -12.0, 0, 0, False), (2.0, -50.0, 0, 0, True)]
"""Heading in 15 km off, silent for a day, heading out 12 km off."""


def test_a_ship_silent_from_its_approach_to_its_departure_has_called_by_inference():
    [call] = calls(way(DARK_IN))
    assert (call["port"], call["label"], call["confidence"]) == ("ZADUR", "inferred", 1.0)
    assert call["score"] <= 0.5 and call["stop_h"] == 0.0 and call["coverage"] == 0.0
    assert call["gap_h"] == pytest.approx((call["t_end"] - call["t_start"]) / HOUR, abs=0.01)
    assert T0 + 2 * HOUR < call["t_start"] < call["t_end"] < T0 + 26 * HOUR
    assert call["start_error_s"] > 15 * 3600


@pytest.mark.parametrize(
    "legs",
    [
        [(2.0, -15.0, 0, 0, True), (24.0, 12.0, 0, 0, False), (2.0, 11.0, 0, 0, True), (2.0, -3.0, 0, 0, False)],
        [(2.0, -15.0, 0, 0, True), (2.5, 20.0, 0, 0, False), (2.0, 50.0, 0, 0, True)],
        [(2.0, -60.0, 0, 0, True), (40.0, -58.0, 0, 0, False), (2.0, -90.0, 0, 0, True)],
        [(2.0, -15.0, 0, 0, True), (5.0, 70.0, 0, 0, False), (2.0, 100.0, 0, 0, True)],
        [(2.0, -15.0, 0, 0, True), (400.0, 900.0, 0, 0, False), (2.0, 950.0, 0, 0, True)],
    ],
    ids=["still bound for the port", "no time to stay", "not near", "sailed on", "possible, and nothing more"],
)
def test_what_is_only_possible_is_no_call(legs):
    assert calls(way(legs)) == []


def test_last_heard_within_reach_and_heard_again_far_away():
    far = [(3.0, -5.0, 0, 0, True), (60.0, -400.0, 0, 0, False), (2.0, -440.0, 0, 0, True)]
    [call] = calls(way(far))
    assert (call["label"], call["confidence"], call["port"]) == ("inferred", 1.0, "ZADUR")
    passing = [(3.0, -5.0, 0, 0, True), (1.0, 5.0, 0, 0, True), (60.0, 400.0, 0, 0, False), (2.0, 440.0, 0, 0, True)]
    assert calls(way(passing)) == [], "it was on its way out when it fell silent"


def test_heard_again_within_reach_and_on_its_way_out():
    [call] = calls(
        way([(2.0, -90.0, 0, 0, True), (40.0, -6.0, 0, 0, False), (2.0, -44.0, 0, 0, True)], start_km=-130.0)
    )
    assert (call["label"], call["confidence"]) == ("inferred", 1.0)
    coming = [(2.0, -90.0, 0, 0, True), (40.0, -6.0, 0, 0, False), (2.0, 44.0, 0, 0, True)]
    assert calls(way(coming, start_km=-130.0)) == [], "it is on its way in when it is heard again"


def test_a_ship_without_speed_is_judged_by_its_positions():
    rows = [(*row[:4], np.nan, *row[5:]) for row in way([IN, BERTH, OUT])]
    [call] = calls(rows)
    assert call["label"] == "observed" and call["berth_h"] == pytest.approx(10.0, abs=0.3)


def _restless(seed):
    """Ships that call at ports, some by way of the roads, with silences anywhere; speeds in tenths, as AIS has them."""
    rng, rows = np.random.default_rng(seed), []
    places = [at(code) for code in ("ZADUR", "FJSVU", "KRPUS", "RUVVO")]
    for k in range(16):
        legs, silent = [], []
        for _ in range(4):
            begin = sum(leg[0] for leg in legs)
            legs.append((rng.uniform(1.5, 3.0), -rng.uniform(5, 7), 0, 0, True))
            if rng.random() < 0.5:
                legs.append((rng.uniform(0.5, 20), legs[-1][1], int(rng.choice([0, 1])), rng.choice([0, 250]), True))
            legs.append((rng.uniform(0.4, 1.0), rng.uniform(-1, 2), 0, 0, True))
            legs.append((rng.uniform(0.5, 20), legs[-1][1], int(rng.choice([0, 5])), 0, True))
            legs.append((rng.uniform(2.0, 4.0), rng.choice([-45.0, 45.0]), 0, 0, True))
            if rng.random() < 0.4:
                silent.append((begin, sum(leg[0] for leg in legs), rng.uniform(2, 28)))
        port, t = places[k % 4], T0 + k * 7 * MINUTE
        for row in way(legs, port=port, t=t, mmsi=SHIP + 10 * k):
            hours, km = (row[0] - t) / HOUR, abs(row[2] - port[0]) / DEG_KM
            if not any(begin <= hours < end and km < near for begin, end, near in silent):
                rows.append((*row[:4], round(row[4], 1), *row[5:]))
    return fixes_with_course(rows), places


@pytest.mark.parametrize("seed", range(2))
def test_port_calls_are_those_of_the_naive_twin(seed):
    fixes, places = _restless(seed)
    engine = Engine(["port_call"], lateness_s=0)
    found = np.concatenate([engine.feed(fixes), engine.flush()])
    near = [k for k, p in enumerate(ports()) if any(abs(p.lat - a) < 2 and abs(p.lon - b) < 2 for a, b in places)]
    columns = (fixes[name].tolist() for name in ("t", "mmsi", "lat", "lon", "sog", "cog", "nav_status"))
    rows = list(zip(*columns, strict=True))
    twin = naive_ports.port_calls(rows, [(ports()[k].lat, ports()[k].lon) for k in near], PortCallParams())
    found = found[np.lexsort((found["t_end"], found["t_start"], found["port"], found["mmsi"]))]
    mine = [
        (
            int(e["mmsi"]),
            int(e["port"]),
            int(e["t_start"]),
            int(e["t_end"]),
            int(e["facts"][0]),
            e["facts"][3],
            e["facts"][4],
        )
        for e in found
    ]
    assert [row[:2] for row in mine] == [(row[0], near[row[1]]) for row in twin]
    for one, other in zip(mine, twin, strict=True):
        assert abs(one[2] - other[2]) < 20_000 and abs(one[3] - other[3]) < 20_000, (one, other)
        assert one[4] == other[4] and one[5] == pytest.approx((other[5] or 0) / 3600, abs=1e-3), (one, other)
        assert one[6] == pytest.approx(other[6] / 3600, abs=1e-3)
    kinds = {(LABELS[e["label"]], int(e["facts"][0])) for e in found}
    assert len(found) > 40 and {("inferred", 1), ("inferred", 4), ("observed", 4)} <= kinds


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"enter_m": 9000.0, "exit_m": 8000.0}, "at most exit_m"),
        ({"near_m": 9000.0}, "at most near_m"),
        ({"stop_begin_kn": 2.0}, "at most stop_end_kn"),
        ({"passage_kn": 0.0}, "must be positive"),
        ({"near_course_deg": 120.0}, "at most 90"),
    ],
)
def test_parameters_that_cannot_be_meant_are_refused(wrong, words):
    with pytest.raises(UsageError, match=words):
        PortCallParams(**wrong)


def test_the_state_of_a_ship_is_small():
    assert SAILING.itemsize <= 40 and STAY.itemsize <= 88
    assert port_index().lat.size <= 1 + np.iinfo(STAY["port"]).max
