"""Sphere against ellipsoid: the stated error, and what must hold exactly."""

import math

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from geo.sphere import bearing_deg, destination, distance_m, distances_m, interpolate, wrap_deg

lats, lons = st.floats(-89.9, 89.9), st.floats(-180, 180)


@given(lats, lons, lats, lons)
def test_distance_is_within_the_stated_error_of_the_ellipsoid(lat1, lon1, lat2, lon2):
    truth = Geodesic.WGS84.Inverse(lat1, lon1, lat2, lon2)["s12"]
    assert distance_m(lat1, lon1, lat2, lon2) == pytest.approx(truth, rel=0.0057, abs=1e-6)


@given(lats, lons, lats, lons)
def test_distance_is_symmetric(lat1, lon1, lat2, lon2):
    assert distance_m(lat1, lon1, lat2, lon2) == pytest.approx(distance_m(lat2, lon2, lat1, lon1), rel=1e-12, abs=1e-9)


@given(lats, lons, st.floats(0, 360, exclude_max=True), st.floats(1, 5_000_000))
def test_destination_is_where_distance_and_bearing_say(lat, lon, course, range_m):
    lat2, lon2 = destination(lat, lon, course, range_m)
    assert -180 <= lon2 < 180
    assert distance_m(lat, lon, lat2, lon2) == pytest.approx(range_m, rel=1e-6, abs=1e-3)
    if range_m > 1_000 and abs(lat) < 80:
        turn = abs(wrap_deg(bearing_deg(lat, lon, lat2, lon2) - course))
        assert turn < 1e-3


@given(lats, lons, lats, lons, st.floats(0, 1))
def test_interpolation_divides_the_great_circle(lat1, lon1, lat2, lon2, fraction):
    whole = distance_m(lat1, lon1, lat2, lon2)
    if whole > 19_900_000:
        return  # antipodes have no single great circle
    lat, lon = interpolate(lat1, lon1, lat2, lon2, fraction)
    assert distance_m(lat1, lon1, lat, lon) == pytest.approx(fraction * whole, rel=1e-6, abs=0.2)


def test_across_the_antimeridian_and_at_the_poles():
    assert interpolate(0.0, 179.5, 0.0, -179.5, 0.5)[1] in (pytest.approx(180.0), pytest.approx(-180.0))
    assert distance_m(0.0, 179.9, 0.0, -179.9) == pytest.approx(22_239, abs=1)
    assert distance_m(90.0, 0.0, 90.0, 120.0) == pytest.approx(0.0, abs=1e-6)
    assert interpolate(89.0, 0.0, 89.0, 180.0, 0.5)[0] == pytest.approx(90.0)


def test_nan_stays_nan_and_shapes_broadcast():
    assert math.isnan(distance_m(math.nan, 0.0, 1.0, 1.0))
    assert distances_m(np.zeros((2, 1)), 0.0, 0.0, np.ones(3)).shape == (2, 3)
