"""Compact state: what comes out is what went in."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.compact import hundredths, of_hundredths, offset_of, origin, source_of, turned, way_m
from geo.kernel import kernel
from geo.sphere import cos_sin_deg, distance_m
from geo.steps import deg_of, steps_of


@kernel
def kept_deg(deg):
    return deg_of(steps_of(deg))


@kernel
def kept_origin(source, offset):
    packed = origin(source, offset)
    return source_of(packed), offset_of(packed)


@kernel
def kept_hundredths(value):
    return of_hundredths(hundredths(value))


@kernel
def way_between(lat1, lon1, lat2, lon2):
    return way_m(steps_of(lat1), steps_of(lon1), steps_of(lat2), steps_of(lon2))


@kernel
def short_way_round(deg):
    return deg_of(turned(steps_of(deg)))


@kernel
def cosine_and_sine(deg):
    return cos_sin_deg(deg)


@given(st.integers(-108_000_000, 108_000_000), st.integers(-180_000_000, 180_000_000))
def test_positions_of_ais_and_of_six_decimals_come_out_as_they_went_in(ten_thousandths, millionths):
    for deg in (ten_thousandths / 600_000.0, millionths / 1e6, float(f"{millionths / 1e6:.6f}")):
        assert kept_deg(deg) == deg


def test_speeds_and_courses_of_ais_come_out_as_they_went_in():
    tenths = (np.arange(3600) / 10).astype(np.float32)
    assert [kept_hundredths(value) for value in tenths] == tenths.tolist()
    assert np.isnan(kept_hundredths(np.float32(np.nan)))


@given(st.floats(-180.0, 180.0))
def test_other_positions_to_a_centimetre(deg):
    assert abs(kept_deg(deg) - deg) * 111_195.0 <= 0.0062


@given(st.integers(0, 65_535), st.integers(-1, (1 << 47) - 1))
def test_where_a_row_came_from(source, offset):
    assert kept_origin(np.uint16(source), np.int64(offset)) == (source, offset)


@given(
    st.floats(-90.0, 90.0), st.floats(-180.0, 180.0), st.sampled_from([1e-4, 0.01, 0.2, 5.0]), st.floats(-1.0, 1.0),
    st.floats(-1.0, 1.0),
)  # fmt: skip
def test_ways_are_those_on_the_sphere(lat, lon, reach_deg, north, east):
    lat1, lat2 = kept_deg(lat), kept_deg(min(90.0, max(-90.0, lat + reach_deg * north)))
    lon1, lon2 = kept_deg(lon), kept_deg((lon + reach_deg * east + 180.0) % 360.0 - 180.0)
    exact = distance_m(lat1, lon1, lat2, lon2)
    assert abs(way_between(lat1, lon1, lat2, lon2) - exact) <= 1e-6 * exact + 1e-6


@given(st.floats(-360.0, 359.9))
def test_differences_of_longitudes_go_the_short_way_round(deg):
    turn = short_way_round(deg)
    assert -180.0 <= turn <= 180.0 and abs((turn - deg + 180.0) % 360.0 - 180.0) < 1e-6


@given(st.floats(-1000.0, 1000.0))
def test_cosines_and_sines_of_degrees(deg):
    np.testing.assert_allclose(
        cosine_and_sine(deg), (np.cos(np.radians(deg)), np.sin(np.radians(deg))), rtol=0, atol=4e-15
    )
