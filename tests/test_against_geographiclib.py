"""Sphere and ellipsoid against Karney's geographiclib: the stated errors, on pairs of every kind."""

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from geo import ellipsoid, sphere

N = 400
rng = np.random.default_rng(7)


def anywhere(n=N):
    return np.degrees(np.arcsin(rng.uniform(-1, 1, n))), rng.uniform(-180, 180, n)


def pairs():
    """Name -> (lat1, lon1, lat2, lon2) of pairs for which an algorithm may fail."""
    lat, lon = anywhere()
    lat2, lon2 = anywhere()
    equator, pole = np.zeros(N), np.where(rng.random(N) < 0.5, 90.0, -90.0)
    small = 10.0 ** rng.uniform(-8, 0.3, N)
    wide, high = small * rng.normal(size=N), small * rng.normal(size=N)
    return {
        "random": (lat, lon, lat2, lon2),
        "short": (lat, lon, np.clip(lat + high, -90, 90), lon + wide),
        "of one meridian": (lat, lon, lat2, lon),
        "over a pole": (lat, lon, lat2, lon + 180.0),
        "of the equator": (equator, lon, equator, lon2),
        "of one parallel": (lat, lon, lat, lon2),
        "mirrored in the equator": (lat, lon, -lat, lon2),
        "from a pole": (pole, lon, lat2, lon2),
        "to a pole": (lat, lon, pole, lon2),
        "pole to pole": (pole, lon, -pole, lon2),
        "near the equator": (10.0 ** rng.uniform(-25, 0, N), lon, 10.0 ** rng.uniform(-25, 0, N), lon2),
        "near a pole": (90.0 - small, lon, 90.0 - small[::-1], lon2),
        "antipodes": (lat, lon, -lat, lon + 180.0),
        "near antipodes": (lat, lon, np.clip(high - lat, -90, 90), lon + 180.0 + wide),
        "near antipodes on the equator": (equator, lon, equator, lon + 180.0 + wide),
        "near antipodes of the equator": (equator, lon, high, lon + 180.0 + wide),
    }


PAIRS = pairs()


def truth(pair):
    found = [Geodesic.WGS84.Inverse(*map(float, row)) for row in zip(*pair, strict=True)]
    return np.array([row["s12"] for row in found]), np.array([row["azi1"] for row in found])


def turn_deg(a, b):
    return np.abs((a - b + 180.0) % 360.0 - 180.0)


@pytest.mark.parametrize("kind", PAIRS)
def test_ellipsoid_distances_are_right_to_a_thousandth_of_a_millimetre(kind):
    s12, _ = truth(PAIRS[kind])
    assert np.abs(ellipsoid.distances_m(*PAIRS[kind]) - s12).max() < 1e-6


@pytest.mark.parametrize("kind", [kind for kind in PAIRS if "antipodes" not in kind])
def test_ellipsoid_bearings_are_right(kind):
    s12, azi1 = truth(PAIRS[kind])
    turn = turn_deg(ellipsoid.bearings_deg(*PAIRS[kind]), azi1)
    one_way = s12 < 19_900_000.0 if kind != "pole to pole" else s12 > 0.0
    across_m = np.radians(turn) * np.minimum(s12, 6_000_000.0)
    assert one_way.any() and across_m[one_way].max() < 0.02
    assert np.median(across_m[one_way]) < 1e-6


@pytest.mark.parametrize("kind", [kind for kind in PAIRS if "antipodes" in kind])
def test_near_antipodes_the_bearing_leads_to_the_other_point(kind):
    lat1, lon1, lat2, lon2 = PAIRS[kind]
    course, range_m = ellipsoid.bearings_deg(*PAIRS[kind]), ellipsoid.distances_m(*PAIRS[kind])
    lat, lon = ellipsoid.destinations(lat1, lon1, course, range_m)
    assert ellipsoid.distances_m(lat, lon, lat2, lon2).max() < 1e-3


def test_ellipsoid_destinations_are_right_to_a_thousandth_of_a_millimetre():
    lat, lon = anywhere()
    lat[:40], lat[40:80], lat[80:120] = 90.0, -90.0, 0.0
    course, range_m = rng.uniform(0, 360, N), 10.0 ** rng.uniform(-3, 7.6, N)
    course[::5], range_m[::7] = rng.integers(0, 8, course[::5].size) * 45.0, -range_m[::7]
    found = [Geodesic.WGS84.Direct(*map(float, row)) for row in zip(lat, lon, course, range_m, strict=True)]
    lat2, lon2 = ellipsoid.destinations(lat, lon, course, range_m)
    apart = sphere.distances_m(lat2, lon2, [row["lat2"] for row in found], [row["lon2"] for row in found])
    assert apart.max() < 1e-6


def test_sphere_distances_are_within_the_stated_error_which_is_not_too_wide():
    lat, lon = anywhere(200_000)
    near = np.clip(lat + rng.normal(0, 0.5, lat.size), -90, 90), lon + rng.normal(0, 0.5, lat.size)
    for lat2, lon2 in (anywhere(lat.size), near, (np.clip(lat + 0.1, -90, 90), lon)):
        error = sphere.distances_m(lat, lon, lat2, lon2) / ellipsoid.distances_m(lat, lon, lat2, lon2) - 1.0
        assert -0.00447 < error.min() < -0.0044 and 0.0055 < error.max() < 0.00562
    lat2, lon2 = anywhere(lat.size)
    error = np.abs(sphere.distances_m(lat, lon, lat2, lon2) / ellipsoid.distances_m(lat, lon, lat2, lon2) - 1.0)
    assert np.quantile(error, 0.5) < 0.0012 and np.quantile(error, 0.95) < 0.0037


def test_sphere_bearings_are_within_the_stated_error():
    lat, lon = anywhere(200_000)
    lat2, lon2 = anywhere(lat.size)
    range_m = ellipsoid.distances_m(lat, lon, lat2, lon2)
    turn = turn_deg(sphere.bearings_deg(lat, lon, lat2, lon2), ellipsoid.bearings_deg(lat, lon, lat2, lon2))
    assert turn[range_m < 10_000_000].max() < 0.2 and turn[range_m < 19_000_000].max() < 2.0


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(-90, 90), st.floats(-180, 180))
def test_the_search_ends_right_wherever_hypothesis_looks(lat1, lon1, lat2, lon2):
    s12 = Geodesic.WGS84.Inverse(lat1, lon1, lat2, lon2)["s12"]
    assert ellipsoid.distance_m(lat1, lon1, lat2, lon2) == pytest.approx(s12, abs=1e-6)
    assert ellipsoid.distance_m(lat2, lon2, lat1, lon1) == pytest.approx(s12, abs=1e-6)


def test_not_available_stays_not_available():
    nan = float("nan")
    for row in ((nan, 0.0, 1.0, 1.0), (0.0, nan, 1.0, 1.0), (0.0, 0.0, nan, 1.0), (0.0, 0.0, 1.0, nan)):
        assert np.isnan(ellipsoid.distance_m(*row)) and np.isnan(ellipsoid.bearing_deg(*row))
        assert np.isnan(ellipsoid.destination(*row)).all()
    assert ellipsoid.distances_m(np.zeros((2, 1)), 0.0, 0.0, np.ones(3)).shape == (2, 3)
