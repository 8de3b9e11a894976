"""Rendezvous by behaviour: in continuous time, with silences, anywhere on the globe; who meets whom and why."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ais.hulls import HULL
from ais.table import Fixes
from benchmarks.meetings import found, meetings
from detectors.detect import detect
from detectors.detector import Columns
from detectors.engine import Engine
from detectors.event import LABELS
from detectors.meeting_labels import hull_gap_m, static_rows
from detectors.rendezvous import Rendezvous, RendezvousParams
from detectors.squares import asides, column_of, columns_within, row_of
from geo.anchorages import Anchorage, Anchorages
from geo.cells import cells, disks
from geo.errors import UsageError
from geo.kernel import kernel
from geo.ports import port_by_code
from geo.sphere import destination
from tests import naive_rendezvous
from tests.feeds import HOUR, MINUTE, SECOND, T0, fixes_of
from tests.meeting_scenes import KN, Ship, scene, visit
from tests.worlds import busy_world

A, B = 211_000_001, 211_000_002
EVERYWHERE = RendezvousParams(min_shore_m=0)


def meet(*ships, params=None, anchorages=None, **place):
    return detect(
        scene(*ships, **place), ["rendezvous"], params and {"rendezvous": params}, anchorages=anchorages, threads=1
    )


def labels(events):
    return [LABELS[code] for code in events["label"].tolist()]


@pytest.mark.parametrize("seed", range(2))
def test_rendezvous_are_those_of_the_naive_twin(seed):
    fixes = busy_world(seed, vessels=12)
    fixes = Fixes({**fixes.columns, **{name: np.round(fixes[name], 1) for name in ("sog", "cog")}})  # AIS sends tenths
    params = RendezvousParams(min_duration_s=600)
    rows = list(zip(*(fixes[name].tolist() for name in ("t", "mmsi", "lat", "lon", "sog", "cog")), strict=True))
    twin = {
        (one, other, round(start / MINUTE)): rest
        for one, other, start, *rest in naive_rendezvous.rendezvous(rows, params)
    }
    engine = Engine(["rendezvous"], {"rendezvous": params}, lateness_s=0)
    mine = np.concatenate([engine.feed(fixes), engine.flush()])
    assert len(twin) > 15
    keys = [(int(e["mmsi"]), int(e["other"]), round(int(e["t_start"]) / MINUTE)) for e in mine]
    assert set(keys) <= set(twin), "a meeting that the twin does not know"
    fast = {key for key in twin if key not in keys}
    assert len(fast) <= len(twin) // 4  # the twin does not look at speeds
    for key, event in zip(keys, mine, strict=True):
        end, together_s, metres = twin[key]
        assert abs(end - int(event["t_end"])) < SECOND
        assert abs(together_s - event["facts"][10]) < 1.0 + 1e-5 * together_s
        assert abs(metres - event["distance_m"]) < 0.1


@pytest.mark.parametrize("minutes, least, least_iou", [(5, 1.0, 0.9), (20, 1.0, 0.9), (30, 0.9, 0.85), (60, 0.7, 0.8)])
def test_meetings_of_four_hours_are_found_however_seldom_ships_are_heard(minutes, least, least_iou):
    """Exponential intervals of this mean. Global Fishing Watch finds 0.75 at 20 min, 0.33 at 30, none at 60."""
    result = found(*meetings(7, minutes, 80))
    assert (result["iou"] >= 0.5).mean() >= least
    assert result["iou"][result["iou"] >= 0.5].mean() >= least_iou
    assert result["false"] == 0
    stated = np.isfinite(result["errors"][:, 1])
    assert stated.mean() > 0.9
    assert (result["errors"][stated, 0] <= result["errors"][stated, 1]).mean() > 0.8


def test_every_hour_of_the_day_is_the_same_to_a_meeting():
    """A system that cuts at midnight finds four of ten that begin at 22 h."""
    for hour in range(24):
        result = found(*meetings(hour, 15, 6, start_h=hour + 0.5))
        assert (result["iou"] >= 0.5).all(), hour


def test_a_ship_that_was_heard_once_in_the_meeting_was_there_all_the_time_that_its_speed_leaves():
    """9 kn at 60 nmi off, then 0.2 kn: it came when 60 nmi at 9 kn were over, and not half way between the fixes."""
    heard = [-240, -120, 100, 300, 420]
    far = visit(A, 240, knots=9.0, minutes=heard)
    near = visit(B, 240, knots=9.0, course=90.0, at=(0.0, 100.0))
    event = meet(far, near)
    assert len(event) == 1
    assert abs(event["t_start"][0] - T0) < 2 * MINUTE and abs(event["t_end"][0] - T0 - 240 * MINUTE) < 2 * MINUTE
    assert 7 * 60 <= event["start_error_s"][0] <= 60 * 60
    assert event["coverage"][0] < 0.8
    deaf = scene(far, near)
    deaf.columns["sog"][:] = np.nan  # without speeds the line between the fixes is all there is
    assert len(detect(deaf, ["rendezvous"])) == 0


def test_a_stop_that_nobody_heard_is_not_assumed():
    unseen = Ship(A, visit(A, 200).knots, minutes=[*range(-240, -20, 5), *range(220, 400, 5)])
    assert len(meet(unseen, visit(B, 200, course=90.0))) == 0


def test_silence_of_more_than_six_hours_is_no_meeting():
    still = [(0, 0.0, 0.0), (900, 0.0, 0.0)]
    both = [Ship(A, still, minutes=[0, 10, 20, 500, 510]), Ship(B, [(0, 0.0, 90.0), (900, 0.0, 90.0)])]
    assert len(meet(*both)) == 0
    both[0] = Ship(A, still, minutes=[0, 10, 20, 375, 385])
    event = meet(*both)
    assert event["together_s"].tolist() == [385 * 60.0]
    assert event["coverage"][0] == pytest.approx((20 + 10 + 60) / 385, abs=0.01)


def test_moments_of_coming_and_parting_are_solved_between_the_fixes():
    """Relative speed 1 kn along a line: within 500 m for 1,000 m of it."""
    lane = 30.0
    way = [(-200, -200 * KN * lane, 0.0), (200, 200 * KN * lane, 0.0)]
    params = RendezvousParams(min_duration_s=600)
    event = meet(Ship(A, way, every=6), Ship(B, [(t, -n, 0.0) for t, n, _ in way], every=7), params=params)
    half_s = 500.0 / KN
    assert event["t_start"][0] - T0 == pytest.approx(-half_s * 1e6, abs=3 * SECOND)
    assert event["t_end"][0] - T0 == pytest.approx(half_s * 1e6, abs=3 * SECOND)
    assert event["distance_m"][0] < 1.0 and event["relative_speed_kn"][0] == pytest.approx(1.0, abs=0.01)
    assert event["mean_distance_m"][0] == pytest.approx(250.0, abs=5.0)


@pytest.mark.parametrize("place", [(0.0, 180.0), (80.0, 5.0), (-45.0, -179.999), (89.0, 0.0)])
def test_a_meeting_is_the_same_everywhere(place):
    lat, lon = place
    event = meet(visit(A, 180, away=20), visit(B, 180, course=90.0, at=(0.0, 120.0), away=20), lat=lat, lon=lon)
    assert len(event) == 1
    assert event["distance_m"][0] == pytest.approx(120.0, rel=0.01)
    assert event["t_end"][0] - event["t_start"][0] == pytest.approx(180 * MINUTE, abs=4 * MINUTE)
    assert abs((event["lon"][0] - lon + 180) % 360 - 180) * math.cos(math.radians(lat)) < 0.01


def test_two_ships_under_one_number_meet_each_other():
    fixes = scene(visit(A, 180), visit(B, 180, course=180.0, at=(0.0, 150.0), every=4))
    hull = (fixes["mmsi"] == B).astype(np.uint8)
    detector, n = Rendezvous(), len(fixes)
    ships = np.zeros(2, HULL).view(np.recarray)
    ships.mmsi, ships.hull = A, [0, 1]
    detector.reserve(ships)
    rows = {name: np.ascontiguousarray(fixes[name]) for name in Columns._fields if name in fixes}
    rows |= {"slot": hull.astype(np.int32), "hull": hull, "mmsi": np.full(n, A, np.uint32)}
    rows |= {"alive": np.zeros(n, np.int64), "class_b": np.zeros(n, np.uint8)}
    event = np.concatenate([detector.feed(Columns(**rows)), detector.finish(int(fixes["t"][-1]), 0)])
    assert event[["mmsi", "hull", "other", "other_hull"]].tolist() == [(A, 0, A, 1)]


def test_a_pair_that_parts_and_meets_again_has_two_meetings_and_a_short_break_is_none():
    def away(minutes):
        out = 4000.0
        return Ship(B, [
            (0, 0.0, 100.0), (150, 0.0, 100.0), (160, out, 100.0), (160 + minutes, out, 100.0),
            (170 + minutes, 0.0, 100.0), (320 + minutes, 0.0, 100.0),
        ])  # fmt: skip

    stays = Ship(A, [(0, 0.0, 0.0), (600, 0.0, 0.0)])
    assert len(meet(stays, away(100))) == 2
    one = meet(stays, away(25))
    assert len(one) == 1
    assert one["together_s"][0] == pytest.approx(300 * 60, abs=300)
    assert one["t_end"][0] - one["t_start"][0] == pytest.approx(340 * MINUTE, abs=3 * MINUTE)


def test_ferries_that_turn_round_side_by_side_meet_often_and_not_for_hours():
    shuttle = [(65 * k + rest, 0.0, 2e4 * (k % 2)) for k in range(14) for rest in (0, 20)]
    one, other = Ship(A, shuttle, ship_type=60), Ship(B, [(m, 100.0, east) for m, _, east in shuttle], ship_type=60)
    other.knots[:, 0] += 5
    assert len(meet(one, other)) == 0
    assert set(labels(meet(one, other, params=RendezvousParams.preset("skylight", min_duration_s=600)))) == {"ferry"}


def test_all_pairs_of_a_crowded_anchorage_are_found_and_what_they_cost_is_bounded():
    """500 ships in a circle of 240 m: 124,750 pairs at once; a cap of 100 neighbours finds less than half."""
    rng = np.random.default_rng(3)
    place = rng.uniform(-0.0015, 0.0015, (500, 2))
    rows = [
        (T0 + m * MINUTE + k * 100_000, 211000000 + k, place[k, 0], -30 + place[k, 1], 0.1)
        for m in range(0, 131, 26)
        for k in range(500)
    ]
    engine = Engine(["rendezvous"], lateness_s=0)
    events = np.concatenate([engine.feed(fixes_of(rows)), engine.flush()])
    assert events.size == 500 * 499 // 2
    state = sum(array.nbytes for array in engine.detectors[0].arrays.values())
    assert state < 700 * events.size


TOW = [(-300, -6.0 * KN * 18_000, 0.0), (300, 6.0 * KN * 18_000, 0.0)]


def tow(mmsi, off_m, **said):
    """Ten hours at 6 kn."""
    return Ship(mmsi, [(t, n, off_m) for t, n, _ in TOW], **said)


BOARDING = [(-60, 0.0, 3e4), (-10, -6.0 * KN * 600, 60.0), (10, 6.0 * KN * 600, 60.0), (60, 0.0, 3e4)]
CROSSING = [(-300, 0.0, -2e5), (300, 0.0, 2e5)]


def trawl(mmsi, off_m):
    """A net pulled to and fro at 3 kn, a turn each 40 min."""
    way = [(40 * k, 3.0 * KN * 40 * 60 * (k % 2), off_m + 400.0 * k) for k in range(12)]
    return Ship(mmsi, way, ship_type=30)


SKYLIGHT = RendezvousParams.preset("skylight")


@pytest.mark.parametrize(
    "word, ships, params",
    [
        ("", [visit(A, ship_type=70), visit(B, course=90.0, at=(0.0, 60.0), ship_type=80)], None),
        ("tug", [tow(A, 0.0, ship_type=70), tow(B, 150.0, ship_type=52)], SKYLIGHT),
        ("tug", [visit(A, ship_type=31), visit(B, course=90.0, at=(0.0, 60.0), ship_type=70)], None),
        ("pilot", [tow(A, 0.0, ship_type=80), Ship(B, BOARDING, ship_type=50, every=1)],
         RendezvousParams.preset("skylight", min_duration_s=600)),
        ("tender", [visit(A, ship_type=60), visit(B, course=90.0, at=(0.0, 60.0), ship_type=53)], None),
        ("fishing", [trawl(A, 0.0), trawl(B, 240.0)], RendezvousParams(max_speed_kn=6)),
        ("", [visit(A, ship_type=30), visit(B, course=90.0, at=(0.0, 60.0), ship_type=30)], None),
        ("convoy", [tow(A, 0.0, ship_type=70), tow(B, 200.0, ship_type=70)], SKYLIGHT),
        ("ferry", [tow(A, 0.0, ship_type=70), Ship(B, CROSSING, ship_type=60, every=1)],
         RendezvousParams.preset("starboard", min_duration_s=30)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_meetings_are_told_apart_and_none_is_hidden(word, ships, params):
    events = meet(*ships, params=params)
    assert set(labels(events)) == {word}
    assert (events["score"] > 0.5).all(), "a label lowers no score"


def test_a_pilot_boat_that_stays_for_hours_is_no_pilot_at_work():
    assert labels(meet(visit(A), visit(B, course=90.0, at=(0.0, 60.0), ship_type=50))) == [""]


BUSAN = port_by_code("KRPUS")
SIDES = (150, 30, 16, 16)


def roads():
    """A place 12 km off Busan, in its roads."""
    return dict(
        zip(("lat", "lon"), (float(x) for x in destination(BUSAN.lat, BUSAN.lon, 150.0, 12_000.0)), strict=True)
    )


@pytest.mark.parametrize("how", ["status", "anchorage", "port"])
def test_neighbours_on_their_swing_circles_are_at_anchor_and_ships_alongside_bunker(how):
    place = roads() if how == "port" else {"lat": 10.0, "lon": -30.0}
    status = 1 if how == "status" else 0
    known = None
    if how == "anchorage":
        ring = tuple(sorted(disks(cells([10.0], [-30.0], 9), 4)[0].tolist()))
        known = Anchorages([Anchorage(
            id="0" * 16, name="Open roads", kind="offshore", lat=10.0, lon=-30.0, ships=9, periods=9, median_stay_h=9.0,
            swing_m=100.0, first_seen=0, last_seen=1, shore_m=9e5, port="", port_m=9e5, bearing_deg=0.0, cells=ring,
        )])  # fmt: skip

    def pair(off_m, other_type):
        said = {"status": status, "heading": 0.0, "sides": SIDES}
        ships = visit(A, ship_type=70, **said), visit(B, at=(0.0, off_m), ship_type=other_type, **said)
        return meet(*ships, params=EVERYWHERE, anchorages=known, **place)

    assert labels(pair(300.0, 80)) == ["anchorage"]
    assert labels(pair(45.0, 80)) == ["bunkering"]
    assert labels(pair(45.0, 70)) == ["other_meeting"]


def test_at_sea_without_a_sign_of_an_anchor_two_still_ships_are_not_at_anchor():
    assert labels(meet(visit(A), visit(B, at=(0.0, 300.0)))) == [""]


def test_ferries_at_their_berths_are_ferries():
    said = {"ship_type": 61, "status": 5}
    place = {"lat": BUSAN.lat, "lon": BUSAN.lon}
    assert labels(meet(visit(A, **said), visit(B, at=(0.0, 90.0), **said), params=EVERYWHERE, **place)) == ["ferry"]


def test_the_gap_between_hulls_is_what_antennas_do_not_tell():
    """Antennas 60 m apart abeam, hulls of 32 and 20 m: 34 m of water between them; bow to bow they overlap."""

    def beside(**said):
        return meet(visit(A, heading=0.0, sides=SIDES), visit(B, course=90.0, at=(0.0, 60.0), **said))

    event = beside(heading=180.0, sides=(80, 20, 10, 10))
    assert event["hull_gap_m"][0] == pytest.approx(60 - 16 - 10, abs=0.5)
    assert event["heading_difference_deg"][0] == 180.0
    assert event["bearing_deg"][0] == pytest.approx(90.0, abs=1.0)
    assert (event["heading_deg"][0], event["other_heading_deg"][0]) == (0.0, 180.0)
    assert beside(heading=270.0, sides=(80, 20, 10, 10))["hull_gap_m"][0] == 0.0
    assert np.isnan(beside(heading=180.0)["hull_gap_m"][0])
    assert np.isnan(beside(heading=np.nan, sides=SIDES)["hull_gap_m"][0])


@settings(max_examples=60)
@given(st.lists(st.floats(1, 200), min_size=8, max_size=8), st.floats(0, 360), st.floats(0, 360), st.floats(-600, 600),
       st.floats(-600, 600))  # fmt: skip
def test_gaps_of_hulls_are_those_of_shapely(sides, one, other, north, east):
    from shapely.geometry import Polygon

    def hull(bow, stern, port, starboard, heading, north, east):
        turned = math.radians(heading)
        corners = [(bow, -port), (bow, starboard), (-stern, starboard), (-stern, -port)]
        return Polygon([
            (north + a * math.cos(turned) - r * math.sin(turned), east + a * math.sin(turned) + r * math.cos(turned))
            for a, r in corners
        ])  # fmt: skip

    expected = hull(*sides[:4], one, 0, 0).distance(hull(*sides[4:], other, north, east))
    mine = hull_gap_m(np.array([[sides[:4], sides[4:]]]), np.array([[one, other]]), np.array([north]), np.array([east]))
    assert mine[0] == pytest.approx(expected, abs=1e-6)


def test_the_identity_of_a_time_is_the_last_that_had_begun():
    from ais.identity import identities
    from ais.table import STATIC_DTYPES, Static, columns_of

    columns = columns_of(STATIC_DTYPES, 3)
    columns["mmsi"][:], columns["t"][:] = [A, A, B], [T0, T0 + 9 * HOUR, T0]
    columns["ship_type"][:], columns["imo"][:] = [30, 70, 80], [1, 2, 3]
    known = identities(Static(columns))
    asked = np.array([A, A, A, B, B + 1, A - 1], np.uint32)
    rows = static_rows(known, asked, T0 + np.array([-5, 3, 10, 99, 0, 0]) * HOUR)
    assert [int(known["ship_type"][r]) if r >= 0 else -1 for r in rows] == [30, 30, 70, 80, -1, -1]


@pytest.mark.parametrize(
    "name, metres, minutes, wanted",
    [
        ("gfw", 400, 125, True), ("gfw", 400, 110, False), ("gfw", 520, 125, False),
        ("skylight", 240, 35, True), ("skylight", 240, 25, False), ("skylight", 260, 35, False),
        ("starboard", 40, 12, True), ("starboard", 60, 12, False), ("starboard", 190, 33, True),
        ("starboard", 190, 27, False), ("starboard", 210, 60, False),
    ],
)  # fmt: skip
def test_presets_are_the_definitions_of_others(name, metres, minutes, wanted):
    """Two ships that come head on and stop, to the minute."""
    fast = {"knots": 20.0, "away": 60, "every": 1}
    ships = visit(A, minutes, **fast), visit(B, minutes, course=90.0, at=(-metres, 0.0), **fast)
    assert len(meet(*ships, params=RendezvousParams.preset(name))) == wanted


def test_a_preset_can_be_changed_and_a_wrong_one_is_said():
    assert RendezvousParams.preset("gfw", min_shore_m=0).max_break_s == 4 * 3600
    with pytest.raises(UsageError, match="no preset 'windward'; there are gfw, skylight, starboard"):
        RendezvousParams.preset("windward")
    with pytest.raises(UsageError, match="near_distance_m must be from 0 to max_distance_m"):
        RendezvousParams(near_distance_m=600)
    with pytest.raises(UsageError, match="step_s must be shorter than 3600"):
        RendezvousParams(max_speed_kn=30, step_s=3600)


@kernel
def _is_around(columns, lat, lon, to_lat, to_lon):
    row = row_of(columns, to_lat)
    begin, end = asides(columns, row)
    found = False
    for aside in range(begin, end):
        column = (column_of(columns, row, lon) + aside + columns[row]) % columns[row]
        found |= column == column_of(columns, row, to_lon)
    return found and abs(row - row_of(columns, lat)) <= 1


@pytest.mark.parametrize("reach_m", [500.0, 1463.0, 6_900.0, 48_000.0])
def test_every_point_within_reach_lies_in_the_squares_around(reach_m):
    rng = np.random.default_rng(5)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, 20_000))), rng.uniform(-180, 180, 20_000)
    lat[:4_000] = np.copysign(90.0 - rng.uniform(0.0, 2.0, 4_000) ** 2, lat[:4_000])
    lon[4_000:6_000] = 180.0 - rng.uniform(0.0, 0.01, 2_000)
    columns = columns_within(reach_m)
    for a, b, course in zip(lat, lon, rng.uniform(0, 360, lat.size), strict=True):
        assert _is_around(columns, a, b, *destination(a, b, course, reach_m))
