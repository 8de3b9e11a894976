"""Reach and meeting: what silent ships could have reached, and where two could have met."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import shape

from geo.cells import cells, parents, resolutions
from geo.coast import is_sea
from geo.errors import UsageError
from geo.meet import meet
from geo.ports import port_by_code, ports
from geo.reach import US_PER_H, Reach, reach
from geo.reach_cells import port_access
from geo.sea_cells import EDGE_M, WIDEST
from geo.sea_way import sea_way
from geo.speed import Speed, speed_of
from geo.sphere import NMI_M, distance_m, distances_m

DAY_US = 24 * US_PER_H
OFF_BUSAN = (35.05, 129.15)
OFF_ULSAN = (35.40, 129.60)


def silent(hours: float, speed: Speed | float = 10.0, **options: object) -> Reach:
    """What a ship that is silent between Busan and Ulsan could reach."""
    return reach(*OFF_BUSAN, 0, *OFF_ULSAN, round(hours * US_PER_H), speed, **options)


def margin_nmi(found: Reach) -> np.ndarray:
    """From the middle of each cell to its farthest corner."""
    return np.array([WIDEST * EDGE_M[r] / NMI_M for r in resolutions(found.cells).tolist()])


def test_the_flagship_s_18_days_reach_both_shores_and_prove_nothing():
    found = {port.locode: port for port in silent(18 * 24).ports}
    assert {"KPCHO", "KPNJN", "KPWON", "KPNAM", "RUNJK", "RUVVO", "RUVYP", "KPSGN", "JPKIJ"} <= set(found)
    assert found["KPNJN"].to_nmi - found["KPCHO"].to_nmi > 25  # Chongjin and Rajin are two places
    assert found["RUNJK"].slack_h > 12 * 24


def test_times_and_distances_of_a_port_belong_together():
    found = silent(96)
    for port in found.ports:
        assert port.distance_nmi == pytest.approx(port.to_nmi + port.from_nmi)
        assert port.earliest_us == pytest.approx(port.to_nmi / 10 * US_PER_H, abs=1)
        assert port.latest_us == pytest.approx(96 * US_PER_H - port.from_nmi / 10 * US_PER_H, abs=1)
        assert port.slack_h == pytest.approx((port.latest_us - port.earliest_us) / US_PER_H, abs=1e-6)
        assert port.slack_h >= 0 and port.probability == 1.0
    assert [port.locode for port in found.ports] == sorted(port.locode for port in found.ports)
    assert found.ports[0]._fields[:5] == ports()[0]._fields[:5]
    table = found.table()
    assert [row["slack_h"] for row in table] == sorted((port.slack_h for port in found.ports), reverse=True)
    assert table[0]["earliest"].startswith("1970-01-01T") and table[0]["earliest"].endswith("Z")


def test_ports_are_as_far_as_the_ways_to_them():
    """At most 0.75 % shorter than a way drawn tight, which it may itself exceed by 1 % among islands."""
    access = port_access()
    for port in silent(96).ports:
        place = next(k for k, other in enumerate(ports()) if other.locode == port.locode)
        if is_sea([access.lat[place]], [access.lon[place]])[0]:
            way = sea_way(*OFF_BUSAN, port.lat, port.lon)
            assert 0.992 * way.length_nmi <= port.to_nmi <= way.length_nmi * 1.012 + 0.3, port.locode


@pytest.mark.parametrize(
    ("start", "place"),
    [
        ((10.414, 149.208), (14.676, 146.389)),  # in sight, but its nodes are 1 % out of the way
        ((57.439, 8.9), (54.786, 8.299)),  # behind Sylt, hidden from all nodes around it
        ((34.355, 135.118), (34.26, 132.437)),  # among the islands of Hiroshima
    ],
)
def test_no_place_at_sea_is_taken_to_be_much_further_than_a_way_that_can_be_sailed(start, place):
    way = sea_way(*start, *place)
    assert way.at_sea.all()
    lat, lon = (np.array([value]) for value in place)
    there, _ = reach(*start, 0, math.nan, math.nan, 48 * US_PER_H, 10.0).at(cells(lat, lon, 8), lat, lon)
    assert there[0] <= way.length_nmi * (1.05 if len(way.lat) > 2 else 1.000_01)


@pytest.mark.parametrize("speed_kn", [10.0, 1e-6])
@pytest.mark.parametrize("hours", [0.0, 1.0])
@pytest.mark.parametrize("end", [OFF_BUSAN, (math.nan, math.nan)])
def test_no_time_is_outside_the_silence(speed_kn, hours, end):
    found = reach(*OFF_BUSAN, 0, *end, round(hours * US_PER_H), speed_kn)
    assert found.cells.size > 0
    for times in (found.earliest_us, found.latest_us):
        assert times.min() >= 0 and times.max() <= hours * US_PER_H
    assert (found.earliest_us <= found.latest_us).all()


@pytest.mark.parametrize("days", [1, 365])
def test_an_area_around_the_pole_is_valid(days):
    area = shape(reach(90.0, 0.0, 0, 90.0, 120.0, days * 24 * US_PER_H, 10.0).to_geojson())
    assert area.is_valid and area.area > 0.0


@pytest.mark.parametrize("code", ["KRINC", "RUVVO", "JPYOK", "KPCHO"])
@pytest.mark.parametrize("hours", [0.1, 1.0, 24.0])
def test_a_ship_silent_in_a_harbour_may_have_stayed_there(code, hours):
    port = port_by_code(code)
    stayed = reach(port.lat, port.lon, 0, port.lat, port.lon, round(hours * US_PER_H), 10.0)
    own = next(other for other in stayed.ports if other.locode == code)
    assert own.slack_h == pytest.approx(hours, abs=0.02) and own.probability > 0.99


def test_cells_are_at_sea_of_several_sizes_and_none_lies_in_another():
    found = silent(48)
    assert is_sea(found.lat, found.lon).all()
    at = resolutions(found.cells)
    assert at.min() < 6 < at.max()
    assert np.unique(found.cells).size == found.cells.size
    for fine in np.unique(at).tolist():
        for coarse in range(3, fine):
            assert not np.isin(parents(found.cells[at == fine], coarse), found.cells).any()


@pytest.mark.parametrize("hours", [1.5, 6.0, 48.0, 18 * 24.0])
def test_no_cell_is_further_than_the_time_allows_in_a_straight_line(hours):
    found = reach(*OFF_BUSAN, 0, 35.1, 129.3, round(hours * US_PER_H), 10.0)
    there = distances_m(*OFF_BUSAN, found.lat, found.lon) / NMI_M
    back = distances_m(found.lat, found.lon, 35.1, 129.3) / NMI_M
    assert found.cells.size >= 100
    assert (found.to_nmi >= there * 0.999_999).all() and (found.from_nmi >= back * 0.999_999).all()
    assert (there + back <= 10.0 * hours + 2.0 * margin_nmi(found) + 1e-6).all()


@pytest.mark.parametrize(("lat", "lon"), [(-42.0, -121.0), (0.0, -30.0), (20.0, 180.0)])
@pytest.mark.parametrize("hours", [1.0, 20.0, 400.0])
def test_in_open_sea_the_reach_is_an_ellipse(lat, lon, hours):
    """Points of a ring, some inside and some outside the ellipse of the two fixes: the cells know which."""
    limit = 12.0 * hours
    end = (lat + limit / 60.0 * 0.4, lon)
    found = reach(lat, lon, 0, *end, round(hours * US_PER_H), 12.0)
    rng = np.random.default_rng(1)
    radius = min(limit / 60.0, 25.0)
    around = lat + rng.uniform(-radius, 1.4 * radius, 5_000), lon + rng.uniform(-1.5 * radius, 1.5 * radius, 5_000)
    whole = (distances_m(lat, lon, *around) + distances_m(*around, *end)) / NMI_M
    inside = found.covers(*around)
    sea = is_sea(*around)
    rim = 4.0 * margin_nmi(found).min() + 0.02 * limit
    if hours <= 20.0:
        assert sea.all()
    assert inside[sea & (whole < limit - rim) & (whole > 0)].mean() > (0.999 if hours <= 20.0 else 0.98)
    assert not inside[whole > limit + rim + 0.04 * limit].any()
    assert 100 < inside.sum() < 4_900


def test_more_speed_or_time_reaches_more():
    small, fast, long = silent(48, 8.0), silent(48, 12.0), silent(72, 8.0)
    for larger in (fast, long):
        assert {port.locode for port in small.ports} < {port.locode for port in larger.ports}
    places = np.random.default_rng(0).uniform((32, 126), (40, 134), (4_000, 2)).T
    inside = [found.covers(*places) for found in (small, fast)]
    assert 100 < inside[0].sum() < inside[1].sum()
    assert (inside[0] & ~inside[1]).sum() <= 0.002 * inside[0].sum()


def test_there_and_back_may_be_swapped():
    there, back = silent(96), reach(*OFF_ULSAN, 0, *OFF_BUSAN, 96 * US_PER_H, 10.0)
    both, a, b = np.intersect1d(there.cells, back.cells, return_indices=True)
    assert both.size > 0.99 * there.cells.size
    np.testing.assert_allclose(there.to_nmi[a], back.from_nmi[b], atol=0.01)
    np.testing.assert_allclose(there.slack_h[a], back.slack_h[b], atol=0.01)
    assert {port.locode for port in there.ports} == {port.locode for port in back.ports}


def test_a_gap_that_is_open_counts_the_way_there_alone():
    found = reach(*OFF_BUSAN, 0, math.nan, math.nan, 48 * US_PER_H, 10.0)
    assert found.parameters["open"] is True and np.isnan(found.from_nmi).all()
    assert all(port.latest_us == 48 * US_PER_H and math.isnan(port.from_nmi) for port in found.ports)
    assert all(port.distance_nmi == port.to_nmi <= 480 for port in found.ports)
    assert {p.locode for p in found.ports} > {p.locode for p in silent(48).ports}


def test_a_ship_that_would_have_to_be_faster_reached_nothing():
    found = reach(35.0, 129.5, 0, 42.6, 132.5, 24 * US_PER_H, 10.0)
    assert found.ports == [] and not found.cells.size
    assert found.parameters["direct_nmi"] > 240
    assert found.to_geojson() == {"type": "MultiPolygon", "coordinates": []}
    assert found.table() == []


def test_a_ship_that_just_made_it_has_only_its_way():
    straight = distance_m(35.0, 129.8, 37.0, 131.0) / NMI_M
    found = reach(35.0, 129.8, 0, 37.0, 131.0, round(straight / 10.0 * US_PER_H) + 1_000_000, 10.0)
    assert found.cells.size > 20 and found.slack_h.max() < 0.01
    assert (found.to_nmi + found.from_nmi <= straight + 2.0 * margin_nmi(found) + 0.01).all()
    assert found.covers(np.linspace(35.0, 37.0, 200), np.linspace(129.8, 131.0, 200)).mean() > 0.95


def test_a_fix_in_a_harbour_on_land_starts_at_the_sea():
    found = reach(35.20, 129.05, 0, *OFF_ULSAN, DAY_US, 10.0)  # in the town of Busan
    assert 0 < found.parameters["start_snap_m"] <= 30_000
    assert "KRUSN" in {port.locode for port in found.ports}


def test_a_fix_far_inland_reaches_nothing_and_says_why():
    found = reach(47.9, 106.9, 0, *OFF_ULSAN, 30 * DAY_US, 10.0)  # Ulaanbaatar
    assert found.ports == [] and not found.cells.size and math.isnan(found.parameters["start_snap_m"])
    assert found.parameters["end_snap_m"] == 0.0


def test_the_antimeridian_is_no_wall_and_longitudes_wrap():
    import shapely
    import shapely.geometry

    found = reach(56.0, 179.0, 0, 56.0, -179.0, 2 * DAY_US, 10.0)
    assert found.parameters["direct_nmi"] == pytest.approx(distance_m(56.0, 179.0, 56.0, -179.0) / NMI_M)
    area = shapely.geometry.shape(found.to_geojson())
    assert area.is_valid and area.bounds[0] == -180 and area.bounds[2] == 180
    assert area.contains(shapely.Point(179.5, 56.0)) and area.contains(shapely.Point(-179.5, 56.0))
    assert area.area < 100.0  # an ellipse of 8 by 14 degrees, not a belt round the earth
    wrapped = reach(56.0, 179.0, 0, 56.0, 181.0, 2 * DAY_US, 10.0)
    assert (wrapped.cells == found.cells).all()


def test_close_to_the_pole_it_answers():
    found = reach(88.0, 20.0, 0, 88.0, 60.0, 2 * DAY_US, 10.0)
    assert found.lat.max() > 89.5 and found.to_geojson()["coordinates"]


def test_the_area_for_the_map_is_the_sea_of_the_cells_and_the_same_each_time():
    import shapely
    import shapely.geometry

    found = silent(96)
    geometry = found.to_geojson()
    assert geometry == silent(96).to_geojson()
    area = shapely.geometry.shape(geometry)
    assert area.is_valid
    lat, lon = np.random.default_rng(2).uniform((30, 124), (42, 136), (20_000, 2)).T
    expected = found.covers(lat, lon) & is_sea(lat, lon)
    drawn = shapely.contains_xy(area, lon, lat)
    assert expected.sum() > 4_000
    assert (drawn != expected).sum() < 0.03 * expected.sum()
    flat = shapely.get_coordinates(area)
    assert (np.round(flat, 3) == flat).all()


def test_a_distribution_of_speed_gives_chances():
    speed = speed_of([], [], ship_type=70, length_m=96.0)
    found = silent(60, speed)
    assert found.parameters["speed_kn"] == speed.fast_kn
    assert found.parameters["speed"] == speed.to_dict()
    assert 0.0499 <= found.probability.min() < 0.2 and found.probability.max() == 1.0
    needed = np.minimum((found.to_nmi + found.from_nmi) / 60.0, speed.fast_kn)
    np.testing.assert_allclose(found.probability, speed.chance_at_least(needed))
    assert (np.diff(found.probability[np.argsort(needed, kind="stable")]) <= 1e-12).all()
    for port in found.ports:
        assert port.probability == pytest.approx(float(speed.chance_at_least(port.distance_nmi / 60.0)))


def test_a_closed_strait_takes_ports_out_of_reach():
    off_shimonoseki = (34.05, 130.75)
    open_way = reach(*off_shimonoseki, 0, *off_shimonoseki, 24 * US_PER_H, 10.0)
    closed = reach(*off_shimonoseki, 0, *off_shimonoseki, 24 * US_PER_H, 10.0, closed=["kanmon"])
    ube = port_by_code("JPUBJ")
    assert {"JPUBJ"} <= {port.locode for port in open_way.ports} - {port.locode for port in closed.ports}, ube
    assert closed.parameters["closed"] == ["Kanmon"]


def test_the_way_to_a_place_names_its_straits():
    found = silent(96)
    there, back = found.way_to(41.0, 140.9)
    assert there.passages == ("Tsugaru",) and back.passages == ("Tsugaru",)
    assert (there.lat[0], there.lon[0]) == OFF_BUSAN and (back.lat[-1], back.lon[-1]) == OFF_ULSAN
    assert there.length_nmi == pytest.approx(sea_way(*OFF_BUSAN, 41.0, 140.9).length_nmi, rel=2e-3)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((91.0, 129.0, 0, 35.0, 129.0, 1, 10.0), {}, "position on the globe"),
        ((35.0, math.nan, 0, 35.0, 129.0, 1, 10.0), {}, "position on the globe"),
        ((35.0, 129.0, 0, 35.0, math.nan, 1, 10.0), {}, "NaN NaN while the gap is open"),
        ((35.0, 129.0, 0, 95.0, 129.0, 1, 10.0), {}, "NaN NaN while the gap is open"),
        ((35.0, 129.0, 2, 35.0, 129.0, 1, 10.0), {}, "before its start"),
        ((35.0, 129.0, 0, 35.0, 129.0, 1, 0.0), {}, "a speed of 0 kn cannot be meant"),
        ((35.0, 129.0, 0, 35.0, 129.0, 1, math.nan), {}, "a speed of nan kn cannot be meant"),
        ((35.0, 129.0, 0, 35.0, 129.0, 1, 10.0), {"closed": ["Sues"]}, "no strait or canal is called 'Sues'"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(arguments, options, message):
    with pytest.raises(UsageError, match=message) as caught:
        reach(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_a_gap_of_no_time_is_the_place_itself():
    found = reach(*OFF_BUSAN, 5, *OFF_BUSAN, 5, 10.0)
    assert 0 < found.cells.size < 20 and (found.slack_h == 0.0).all()


def test_two_ships_met_where_their_windows_overlap():
    a = reach(35.0, 129.5, 0, 35.0, 129.6, 48 * US_PER_H, 10.0)
    b = reach(36.5, 130.2, 20 * US_PER_H, 36.6, 130.2, 60 * US_PER_H, 12.0)
    found = meet(a, b)
    assert found.cells.size > 500
    for ship, kn in ((a, 10.0), (b, 12.0)):
        t0, t1 = ship.silence.t0_us, ship.silence.t1_us
        there = distances_m(ship.silence.lat0, ship.silence.lon0, found.lat, found.lon) / NMI_M
        back = distances_m(found.lat, found.lon, ship.silence.lat1, ship.silence.lon1) / NMI_M
        assert (found.t_from_us >= t0 + there / kn * US_PER_H * 0.999_99 - 1).all()
        assert (found.t_to_us <= t1 - back / kn * US_PER_H * 0.999_99 + 1).all()
    np.testing.assert_allclose(found.together_h, (found.t_to_us - found.t_from_us) / US_PER_H)
    assert (found.together_h >= 0).all() and 0 < found.longest_h < 28
    assert found.longest_h == found.table(1)[0]["together_h"]
    assert found.to_geojson()["coordinates"] and len(str(found.to_geojson(20.0))) < len(str(found.to_geojson()))
    other = meet(b, a)
    assert (other.cells == found.cells).all() and (other.t_from_us == found.t_from_us).all()


def test_two_ships_that_cannot_have_met_have_no_place():
    a = reach(35.0, 129.5, 0, 35.0, 129.6, 10 * US_PER_H, 10.0)
    early = reach(35.1, 129.5, 20 * US_PER_H, 35.1, 129.6, 30 * US_PER_H, 10.0)
    far = reach(-42.0, -121.0, 0, -42.0, -121.0, 10 * US_PER_H, 10.0)
    for other in (early, far):
        found = meet(a, other)
        assert found.cells.size == 0 and found.longest_h == 0.0 and found.table() == []
        assert found.to_geojson()["coordinates"] == []


@settings(max_examples=5, deadline=None)
@given(st.floats(2.0, 60.0), st.floats(1.0, 20.0))
def test_a_ship_met_itself_all_the_time(hours, kn):
    found = reach(*OFF_BUSAN, 0, 35.1, 129.2, round(hours * US_PER_H), kn)
    met = meet(found, found)
    fits = np.flatnonzero(found.to_nmi + found.from_nmi <= kn * hours - 0.01)
    assert np.isin(found.cells[fits], met.cells).all()
    _, a, b = np.intersect1d(found.cells[fits], met.cells, return_indices=True)
    np.testing.assert_allclose(met.together_h[b], found.slack_h[fits][a], atol=1e-6)


def test_chances_of_a_meeting_are_those_of_two_ships():
    speed = speed_of([], [], ship_type=70, length_m=96.0)
    a = reach(35.0, 129.5, 0, 35.0, 129.6, 30 * US_PER_H, speed)
    b = reach(36.5, 130.2, 0, 36.6, 130.2, 30 * US_PER_H, speed)
    found = meet(a, b)
    both, k, m = np.intersect1d(found.cells, a.cells, return_indices=True)
    assert both.size > 100
    assert (found.probability[k] <= a.probability[m] + 1e-9).all()
    assert 0.0 < found.probability.max() <= 1.0


def test_the_kernels_are_compiled_for_one_set_of_types():
    import geo.reach_cells as reach_cells
    import geo.sea_search as sea_search

    reach(35, 129.1, 0, 35, 130, DAY_US, 10)  # integers on purpose
    reach(35, 129, 0, 35, 130, DAY_US, 10, closed=["Korea"]).way_to(35, 130)
    for name in ("attach", "spread", "walk_back", "tighten", "settle", "is_clear"):
        assert len(getattr(sea_search, name).signatures) == 1, name
    assert len(reach_cells.fill_bounds.signatures) == 1
