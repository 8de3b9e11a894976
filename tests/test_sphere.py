"""The sphere: laws that hold everywhere, and slow twins of what is not plain."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.approach import closest_approach, closest_approaches
from geo.errors import UsageError
from geo.sphere import (
    EARTH_RADIUS_M,
    KN_M_S,
    NMI_M,
    along_track_m,
    bearing_deg,
    bearings_deg,
    cross_track_m,
    destination,
    destinations,
    distance_m,
    distances_m,
    interpolate,
    interpolations,
    mean_position,
    mean_positions,
    segment_distance_m,
    tracks_m,
    wrap_deg,
)

HALF_M = math.pi * EARTH_RADIUS_M
lats, lons, courses = st.floats(-90, 90), st.floats(-180, 180), st.floats(0, 360, exclude_max=True)
fractions = st.floats(0, 1)
speeds = st.floats(0, 40)


def vector(lat, lon):
    lat, lon = math.radians(lat), math.radians(lon)
    return np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])


def apart_m(a, b):
    """Distance by vectors: what the haversine must agree with."""
    return EARTH_RADIUS_M * math.atan2(float(np.linalg.norm(np.cross(a, b))), float(a @ b))


@given(lats, lons, lats, lons)
def test_distance_is_that_of_vectors_and_symmetric_and_blind_to_whole_turns(lat1, lon1, lat2, lon2):
    there = distance_m(lat1, lon1, lat2, lon2)
    assert there == pytest.approx(apart_m(vector(lat1, lon1), vector(lat2, lon2)), abs=1e-6)
    assert there == pytest.approx(distance_m(lat2, lon2, lat1, lon1), abs=1e-6)
    assert there == pytest.approx(distance_m(lat1, lon1 + 360.0, lat2, lon2), abs=1e-6)
    assert there == pytest.approx(distance_m(-lat1, -lon1, -lat2, -lon2), abs=1e-6)


@given(lats, lons, lats, lons, lats, lons)
def test_no_way_round_is_shorter(lat1, lon1, lat2, lon2, lat3, lon3):
    assert distance_m(lat1, lon1, lat3, lon3) <= (
        distance_m(lat1, lon1, lat2, lon2) + distance_m(lat2, lon2, lat3, lon3) + 1e-6
    )


@given(lats, lons, lats, lons)
def test_bearing_and_distance_lead_to_the_other_point(lat1, lon1, lat2, lon2):
    course, range_m = bearing_deg(lat1, lon1, lat2, lon2), distance_m(lat1, lon1, lat2, lon2)
    assert 0.0 <= course < 360.0
    lat, lon = destination(lat1, lon1, course, range_m)
    # towards the antipode no course is better than another: what is lost in it is lost in the end
    assert distance_m(lat, lon, lat2, lon2) < 1e-6 + 1e-8 / max(1e-12, math.sin(range_m / EARTH_RADIUS_M))


@given(lats, lons, courses, st.floats(0, 40_000_000))
def test_destination_is_as_far_as_told(lat, lon, course, range_m):
    lat2, lon2 = destination(lat, lon, course, range_m)
    assert -90 <= lat2 <= 90 and -180 <= lon2 < 180
    left = range_m % (2 * HALF_M)
    assert distance_m(lat, lon, lat2, lon2) == pytest.approx(min(left, 2 * HALF_M - left), abs=1e-6)


@given(lats, lons, lats, lons, fractions)
def test_interpolation_divides_the_great_circle(lat1, lon1, lat2, lon2, fraction):
    whole = distance_m(lat1, lon1, lat2, lon2)
    if whole > 20_000_000:
        return  # antipodes have no single great circle
    lat, lon = interpolate(lat1, lon1, lat2, lon2, fraction)
    assert distance_m(lat1, lon1, lat, lon) == pytest.approx(fraction * whole, abs=1e-4)
    assert distance_m(lat, lon, lat2, lon2) == pytest.approx((1 - fraction) * whole, abs=1e-4)


def test_across_the_antimeridian_and_at_the_poles():
    assert interpolate(0.0, 179.5, 0.0, -179.5, 0.5)[1] == pytest.approx(-180.0)
    assert distance_m(0.0, 179.9, 0.0, -179.9) == pytest.approx(22_239, abs=1)
    assert distance_m(90.0, 0.0, 90.0, 120.0) == pytest.approx(0.0, abs=1e-6)
    assert interpolate(89.0, 0.0, 89.0, 180.0, 0.5)[0] == pytest.approx(90.0)
    assert destination(89.0, 10.0, 0.0, 2 * HALF_M / 180.0) == (pytest.approx(89.0), pytest.approx(-170.0))
    assert destination(90.0, 10.0, 180.0, HALF_M / 2) == (pytest.approx(0.0), pytest.approx(10.0))
    assert bearing_deg(-90.0, 10.0, 0.0, 40.0) == pytest.approx(30.0)
    assert bearing_deg(35.0, 129.0, 35.0, 129.0) == 0.0


@given(lats, lons, st.floats(-1e-7, 1e-7), st.floats(-1e-7, 1e-7))
def test_near_the_antipode_no_digits_are_lost(lat, lon, dlat, dlon):
    gap = distance_m(lat, lon, lat + dlat, lon + dlon)
    assert HALF_M - distance_m(lat, lon, -lat - dlat, lon + dlon + 180.0) == pytest.approx(gap, abs=1e-6)


@given(lats, lons, courses, st.floats(1_000, 15_000_000), st.floats(0, 1), st.floats(-9_000_000, 9_000_000))
def test_a_point_put_beside_a_leg_is_found_there(lat1, lon1, course, length_m, fraction, off_m):
    lat2, lon2 = destination(lat1, lon1, course, length_m)
    foot = destination(lat1, lon1, course, fraction * length_m)
    if min(fraction, 1.0 - fraction) * length_m < 100.0:
        return  # no course can be told so near to the end
    point = destination(*foot, bearing_deg(*foot, lat2, lon2) + 90.0, off_m)
    leg = (lat1, lon1, lat2, lon2)
    assert cross_track_m(*point, *leg) == pytest.approx(off_m, abs=0.01)
    assert segment_distance_m(*point, *leg) == pytest.approx(abs(off_m), abs=0.01)
    assert along_track_m(*point, *leg) == pytest.approx(fraction * length_m, abs=0.1)


@settings(max_examples=40)
@given(lats, lons, lats, lons, lats, lons)
def test_distance_to_a_leg_is_the_least_of_a_thousand_points_of_it(lat, lon, lat1, lon1, lat2, lon2):
    whole = distance_m(lat1, lon1, lat2, lon2)
    if whole > 19_900_000:
        return
    near = distances_m(lat, lon, *interpolations(lat1, lon1, lat2, lon2, np.linspace(0.0, 1.0, 1001))).min()
    found = segment_distance_m(lat, lon, lat1, lon1, lat2, lon2)
    assert near - 0.5 * whole / 1000 - 1e-3 <= found <= near + 1e-3
    assert abs(cross_track_m(lat, lon, lat1, lon1, lat2, lon2)) <= found + 1e-3 or whole < 1.0


def test_legs_without_a_direction():
    assert segment_distance_m(1.0, 0.0, 0.0, 0.0, 0.0, 0.0) == distance_m(1.0, 0.0, 0.0, 0.0)
    assert math.isnan(cross_track_m(1.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    assert math.isnan(segment_distance_m(1.0, 0.0, 10.0, 20.0, -10.0, -160.0))
    assert cross_track_m(1.0, 5.0, 0.0, 0.0, 0.0, 10.0) < 0.0 < cross_track_m(-1.0, 5.0, 0.0, 0.0, 0.0, 10.0)
    assert along_track_m(0.0, -5.0, 0.0, 0.0, 0.0, 10.0) < 0.0


def sail(lat, lon, course, speed_kn, t):
    return destinations(lat, lon, course, speed_kn * KN_M_S * t)


@settings(max_examples=60)
@given(lats, lons, courses, speeds, st.floats(-3, 3), st.floats(-3, 3), courses, speeds, st.floats(0, 200_000))
def test_no_look_finds_two_ships_nearer_than_their_closest_approach(lat, lon, c1, v1, north, east, c2, v2, within):
    other = max(-90.0, min(90.0, lat + north)), lon + east
    t = np.linspace(0.0, within, 2001)
    looks = distances_m(*sail(lat, lon, c1, v1, t), *sail(*other, c2, v2, t))
    when, near = closest_approach(lat, lon, c1, v1, *other, c2, v2, within)
    assert 0.0 <= when <= within
    assert near <= looks.min() + 1e-3
    assert near == pytest.approx(
        distances_m(*sail(lat, lon, c1, v1, when), *sail(*other, c2, v2, when)).item(), abs=1e-3
    )
    swapped = closest_approach(*other, c2, v2, lat, lon, c1, v1, within)
    assert swapped[1] == pytest.approx(near, abs=1e-3)


def test_closest_approach_of_plain_meetings():
    day = 86_400.0
    head_on = closest_approach(0.0, 0.0, 90.0, 10.0, 0.0, 1.0, 270.0, 10.0, day)
    hour = math.radians(1.0) * EARTH_RADIUS_M / (20.0 * KN_M_S)
    assert head_on == (pytest.approx(hour, abs=1e-3), pytest.approx(0.0, abs=1e-3))
    assert closest_approach(0.0, 179.5, 90.0, 10.0, 0.0, -179.5, 270.0, 10.0, day) == pytest.approx(head_on, abs=1e-3)
    over_the_pole = closest_approach(89.5, 0.0, 0.0, 10.0, 89.5, 180.0, 0.0, 10.0, day)
    assert over_the_pole == pytest.approx(head_on, abs=1e-3)
    assert closest_approach(0.0, 0.0, 90.0, 10.0, 0.0, 1.0, 270.0, 10.0, 0.5 * hour)[0] == 0.5 * hour


def test_ships_that_part_or_rest_are_nearest_now():
    now = distance_m(35.0, 129.0, 35.1, 129.1)
    assert closest_approach(35.0, 129.0, 225.0, 12.0, 35.1, 129.1, 45.0, 12.0, 86_400.0) == (0.0, pytest.approx(now))
    assert closest_approach(35.0, 129.0, math.nan, 0.0, 35.1, 129.1, math.nan, 0.0, 86_400.0) == (
        0.0,
        pytest.approx(now),
    )
    assert closest_approach(0.0, 0.0, 90.0, 12.0, 0.0, 0.1, 90.0, 12.0, 86_400.0)[0] == 0.0  # one wake, one speed
    slow = closest_approach(40.0, 150.0, 90.0, 12.0, 40.1, 150.0, 90.0, 12.0, 86_400.0)
    assert slow[0] == 86_400.0 and 0.98 < slow[1] / distance_m(40.0, 150.0, 40.1, 150.0) < 1.0


@pytest.mark.parametrize(
    ("course", "speed1_kn", "speed2_kn", "within_s"),
    [
        (0.0, -1.0, 1.0, 60.0),
        (math.nan, 1.0, 0.0, 60.0),
        (0.0, 1.0, math.nan, 60.0),
        (0.0, 0.0, 0.0, -60.0),
        (0.0, 0.0, 0.0, math.nan),
        (0.0, 1.0, 1.0, math.inf),
    ],
)
def test_what_is_not_known_has_no_closest_approach(course, speed1_kn, speed2_kn, within_s):
    assert np.isnan(closest_approach(0.0, 0.0, course, speed1_kn, 1.0, 0.0, 0.0, speed2_kn, within_s)).all()


def test_closest_approaches_take_arrays_and_refuse_the_past():
    when, near = closest_approaches([0.0, 0.0], 0.0, 90.0, 10.0, 0.1, [[1.0], [2.0], [math.nan]], 270.0, 10.0)
    assert when.shape == near.shape == (3, 2) and np.isnan(when[2]).all() and (near[:2] > 0.0).all()
    for within in (-1.0, math.inf, math.nan):
        with pytest.raises(UsageError, match="within_s"):
            closest_approaches(0.0, 0.0, 90.0, 10.0, 0.1, 1.0, 270.0, 10.0, within_s=within)


fixes = st.lists(st.tuples(st.integers(0, 10**12), lats, lons, st.booleans()), max_size=12)


@given(fixes)
def test_mean_position_is_the_time_integral_of_the_vectors(rows):
    rows = sorted(rows, key=lambda row: row[0])
    told = [(t, vector(lat, lon)) for t, lat, lon, heard in rows if heard]
    total, held = np.zeros(3), 0.0
    for (t0, a), (t1, b) in itertools.pairwise(told):
        total, held = total + (a + b) * 0.5 * (t1 - t0), held + t1 - t0
    if held == 0.0:
        total, held = sum((a for _, a in told), np.zeros(3)), float(len(told))
    columns = [np.array([row[i] for row in rows], dtype) for i, dtype in ((0, np.int64), (1, float), (2, float))]
    columns[1][[not row[3] for row in rows]] = math.nan
    lat, lon = mean_position(*columns)
    if held == 0.0 or np.linalg.norm(total) < 1e-6 * held:
        assert (math.isnan(lat) and math.isnan(lon)) or held > 0.0
    else:
        assert apart_m(vector(lat, lon), total / np.linalg.norm(total)) < 0.1


def test_mean_position_by_hand():
    hour = 3_600_000_000
    t, east = np.array([0, hour, 2 * hour, 12 * hour]), np.array([179.0, -179.0, -179.0, -179.0])
    lat, lon = mean_position(t, np.zeros(4), east)
    assert (lat, lon) == (0.0, pytest.approx(-179.0 - 2.0 * 0.5 / 12.0, abs=1e-4))
    assert np.isnan(mean_positions([0, hour], [0.0, 0.0], [0.0, 180.0])).all()
    assert np.isnan(mean_positions([], [], [])).all() and np.isnan(mean_positions([5], [math.nan], [3.0])).all()
    lat, lon = mean_positions([0, hour, 0, hour], [80.0, 80.0, 1.0, 1.0], [0.0, 180.0, 7.0, 7.0], [0, 2, 4])
    assert lat[:2] == pytest.approx([90.0, 1.0]) and lon[1] == pytest.approx(7.0) and math.isnan(lat[2])


def test_mean_positions_refuse_what_does_not_fit():
    with pytest.raises(UsageError, match="2 times, 1 latitudes"):
        mean_positions([0, 1], [0.0], [0.0, 1.0])
    for starts in ([1, 0], [-1], [3]):
        with pytest.raises(UsageError, match="starts of groups"):
            mean_positions([0, 1], [0.0, 0.0], [0.0, 1.0], starts)


def test_arrays_say_what_scalars_say_and_nan_stays_nan():
    rng = np.random.default_rng(2)
    lat1, lon1, lat2, lon2, lat, lon = (rng.uniform(-90, 90, 5) * k for k in (1, 2, 1, 2, 1, 2))
    lat1[3], lon2[4] = math.nan, math.nan
    leg = (lat1, lon1, lat2, lon2)
    rows = list(zip(*leg, strict=True))
    assert distances_m(*leg) == pytest.approx([distance_m(*row) for row in rows], nan_ok=True)
    assert bearings_deg(*leg) == pytest.approx([bearing_deg(*row) for row in rows], nan_ok=True)
    assert interpolations(*leg, 0.3)[0] == pytest.approx([interpolate(*row, 0.3)[0] for row in rows], nan_ok=True)
    assert destinations(*leg)[1] == pytest.approx([destination(*row)[1] for row in rows], nan_ok=True)
    six = list(zip(lat, lon, *leg, strict=True))
    for found, scalar in zip(tracks_m(lat, lon, *leg), (along_track_m, cross_track_m, segment_distance_m), strict=True):
        assert found == pytest.approx([scalar(*row) for row in six], nan_ok=True)
        assert np.isnan(found).tolist() == [False, False, False, True, True]
    assert distances_m(np.zeros((2, 1)), 0.0, 0.0, np.ones(3)).shape == (2, 3)
    assert distances_m(0.0, 0.0, 0.0, 1.0).shape == () and distances_m([], [], [], []).shape == (0,)


def test_wrapping_and_miles():
    assert [wrap_deg(x) for x in (-180.0, 180.0, 181.0, 540.0, -181.0)] == [-180.0, -180.0, -179.0, -180.0, 179.0]
    assert wrap_deg(math.nextafter(-180.0, -181.0)) == -180.0
    assert distance_m(0.0, 0.0, 1.0 / 60.0, 0.0) == pytest.approx(NMI_M, rel=0.001)
