"""Ports: the table, looking up by code, and the nearest one."""

from __future__ import annotations

import csv
import gzip
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.coast import shore_distance_m
from geo.errors import UsageError
from geo.port_grid import index_of
from geo.ports import (
    nearest_port,
    nearest_port_at,
    port_by_code,
    port_index,
    ports,
    ports_near,
    ports_version,
    shipped_ports,
)
from geo.sphere import bearing_deg, distance_m

WPI = Path("ais", "csv", "NGA-WorldPortIndex-UpdatedPub150.csv.gz")
NEEDED = """
Songnim Nampo Wonsan Chongjin Rajin Sonbong Hungnam Haeju Tanchon Kimchaek Vladivostok Nakhodka Vostochny Slavyanka
Posyet Zarubino Vanino Kholmsk Korsakov Busan Pohang Incheon Gunsan Donghae Ulsan Pyeongtaek Yeosu Mokpo Osaka Kobe
Toyama Niigata Maizuru Dalian Dandong Longkou Rizhao Qinhuangdao Tianjin Qingdao Yantai Weihai Shanghai Ningbo Zhoushan
Lianyungang Kaohsiung Keelung Taichung
""".split()  # noqa: SIM905
"""What the cases name, and the ports beside them."""
UP_A_RIVER = {"Songnim", "Yingkou"}


@pytest.fixture(scope="session")
def wpi(shared_data):
    """Code, name and position of each row of the World Port Index."""
    with gzip.open(shared_data / WPI, "rt", encoding="utf-8-sig") as lines:
        return [
            (row["UN/LOCODE"].replace(" ", ""), row["Main Port Name"], float(row["Latitude"]), float(row["Longitude"]))
            for row in csv.DictReader(lines)
        ]


def naive_nearest(lat: float, lon: float, within_m: float) -> tuple[int, float]:
    """The nearest port by looking at all of them."""
    best, best_m = -1, math.nan
    for row, port in enumerate(ports()):
        metres = distance_m(lat, lon, port.lat, port.lon)
        if metres <= within_m and not metres >= best_m:
            best, best_m = row, metres
    return best, best_m


def test_the_table_has_one_row_a_code_in_order():
    codes = [port.locode for port in ports()]
    assert codes == sorted(set(codes))
    assert len(codes) > 3_900
    assert all(re.fullmatch(r"[A-Z]{2}[A-Z0-9]{3}", code) for code in codes)


def test_each_port_is_on_the_globe_and_named():
    for port in ports():
        assert -90 <= port.lat <= 90 and -180 <= port.lon <= 180 and port.name == port.name.strip() != ""
        assert port.country == port.locode[:2] and port.quality in ("hand-checked", "table")


def test_the_ports_that_cases_need_are_hand_checked():
    checked = {port.name: port for port in ports() if port.quality == "hand-checked"}
    assert set(NEEDED) <= set(checked)


def test_checked_ports_without_an_official_code_have_a_zero_in_theirs():
    checked = [port for port in ports() if port.quality == "hand-checked"]
    assert [port.name for port in checked if "0" in port.locode] == ["Sonbong", "Tanchon"]


def test_no_alias_that_is_a_code_belongs_to_two_ports():
    codes = [port.locode for port in ports()]
    codes += [alias for port in ports() for alias in port.aliases if re.fullmatch(r"[A-Z]{5}", alias)]
    assert len(codes) == len(set(codes))


def test_chongjin_and_rajin_are_two_places():
    chongjin, rajin = port_by_code("KPCHO"), port_by_code("KPNJN")
    assert distance_m(chongjin.lat, chongjin.lon, rajin.lat, rajin.lon) > 60_000


def test_no_two_ports_of_one_name_are_one_harbour():
    seen: dict[str, list] = {}
    for port in ports():
        for other in seen.get(port.name.casefold(), []):
            assert distance_m(port.lat, port.lon, other.lat, other.lon) > 2_000, (port, other)
        seen.setdefault(port.name.casefold(), []).append(port)


def test_hand_checked_ports_lie_within_3_km_of_the_shore():
    checked = [port for port in ports() if port.quality == "hand-checked" and port.name not in UP_A_RIVER]
    shore = shore_distance_m([port.lat for port in checked], [port.lon for port in checked])
    far = [
        (port.name, round(metres)) for port, metres in zip(checked, shore.tolist(), strict=True) if abs(metres) > 3e3
    ]
    assert len(checked) >= 60
    assert far == []
    assert np.median(np.abs(shore)) < 1_000


def test_hand_checked_ports_agree_with_the_world_port_index(wpi):
    # the index has neither Tanchon nor Shidao; it gives Busan one place for two harbours, Shanghai and Ningbo the old
    # towns, and Toyama with Fushiki; Gwangyang stands in the open sea
    other = {"KP0TC", "CNSHD", "KRBNP", "CNSHA", "CNNGB", "JPTOY", "KRKAN"}
    for port in ports():
        if port.quality == "hand-checked" and port.locode not in other:
            assert min(distance_m(port.lat, port.lon, lat, lon) for _, _, lat, lon in wpi) < 7_000, port


@pytest.mark.parametrize(
    ("code", "name"),
    [("CNDLC", "Dalian"), ("CNDAL", "Dalian"), ("kpcho", "Chongjin"), ("KP RJN", "Rajin"), ("KPSON", "Kimchaek")],
)
def test_codes_and_other_codes_resolve(code, name):
    assert port_by_code(code).name == name


def test_the_code_of_a_state_that_is_no_more_resolves():
    assert port_by_code("ANWIL") == port_by_code("CWWIL")


def test_an_unknown_code_has_no_port():
    assert port_by_code("XXXXX") is None
    assert port_by_code("") is None


def test_the_version_names_every_port():
    assert ports() == shipped_ports()  # nothing is imported in tests
    assert re.fullmatch(r"[0-9a-f]{12}: 3,\d{3} ports, shipped", ports_version())


POSITIONS = st.one_of(
    st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
    st.tuples(st.floats(30, 46), st.floats(120, 145)),
    st.tuples(st.floats(-90, 90), st.sampled_from([-180.0, 180.0, 179.9, -179.9, 0.0])),
    st.tuples(st.sampled_from([-90.0, 90.0, 89.99, 78.2]), st.floats(-180, 180)),
    st.tuples(st.integers(-180, 180).map(lambda k: k / 2), st.integers(-360, 360).map(lambda k: k / 2)),
)


@settings(max_examples=120, deadline=None)
@given(POSITIONS, st.sampled_from([0.0, 5e3, 20e3, 100e3, 500e3, 2_000e3, 12_000e3, math.inf]))
def test_the_nearest_port_is_the_one_found_by_looking_at_all(position, within_m):
    row, metres = nearest_port_at(port_index(), *position, within_m)
    expected, expected_m = naive_nearest(*position, within_m)
    assert (row >= 0) == (expected >= 0)
    assert math.isnan(metres) if row < 0 else metres == pytest.approx(expected_m, abs=1e-3)


def test_the_nearest_port_is_that_of_the_largest_product_of_vectors():
    rng, n = np.random.default_rng(7), 4_000
    near = rng.integers(0, len(ports()), n)
    lat = np.concatenate([np.degrees(np.arcsin(rng.uniform(-1, 1, n))), port_index().lat[near] + rng.normal(0, 0.5, n)])
    lon = np.concatenate([rng.uniform(-180, 180, n), port_index().lon[near] + rng.normal(0, 0.5, n)])
    a, b = np.radians(lat), np.radians(lon)
    unit = np.stack([np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)], axis=1)
    expected = (unit @ port_index().unit.T).argmax(axis=1)
    row, metres = nearest_port(lat, lon)
    far = [
        distance_m(x, y, port_index().lat[k], port_index().lon[k]) for x, y, k in zip(lat, lon, expected, strict=True)
    ]
    assert (row == expected).mean() > 0.999  # others are at the very same place
    assert np.allclose(metres, far, rtol=1e-6, atol=0.2)


def test_each_port_is_nearest_to_itself():
    lat, lon = port_index().lat, port_index().lon
    row, metres = nearest_port(lat, lon, 1_000.0)
    assert metres.max() == 0
    assert np.array_equal(lat[row], lat) and np.array_equal(lon[row], lon)


def test_an_index_of_places_of_ones_own_holds_ties_to_the_first():
    index = index_of("test-places", np.array([10.0, -10.0, 10.0]), np.array([179.9, 0.0, 179.9]))
    assert nearest_port_at(index, 10.0, -179.9, 1e6)[0] == 0
    assert nearest_port_at(index, -89.0, 5.0, math.inf)[0] == 1
    for places in ([], [91.0], [math.nan]):
        with pytest.raises(UsageError, match="an index needs one place or more"):
            index_of("test-places", np.array(places), np.array(places))


def test_a_longitude_may_run_on_past_180():
    for turns in (-720, -360, 360):
        assert nearest_port([42.8], [132.9 + turns], 20e3)[0] == nearest_port([42.8], [132.9], 20e3)[0]


def test_a_longitude_of_any_size_has_the_port_of_where_it_leads():
    just_west = np.nextafter(-180.0, -math.inf)
    fiji = nearest_port([-17.0] * 4, [180.0, -180.0, just_west, 540.0])
    assert len(set(fiji[0].tolist())) == 1 and np.ptp(fiji[1]) == 0
    assert (nearest_port([0.0, 0.0], [1e300, -1e300])[0] >= 0).all()


def test_no_position_has_no_port():
    row, metres = nearest_port([math.nan, 35.0, math.inf, 91.0, -90.01], [129.0, math.nan, 0.0, 181.0, 0.0])
    assert row.tolist() == [-1] * 5 and np.isnan(metres).all()
    assert row.dtype == np.int32 and metres.dtype == np.float32


def test_empty_and_shaped_input_keep_their_shape():
    assert nearest_port([], [], 1e3)[0].shape == (0,)
    assert nearest_port(np.zeros((2, 3)), np.zeros((2, 3)))[1].shape == (2, 3)


def test_a_radius_that_is_none_and_shapes_that_differ_are_refused():
    for radius in (math.nan, -1.0):
        with pytest.raises(UsageError, match="within_m must be 0 or more"):
            nearest_port([0.0], [0.0], radius)
    with pytest.raises(UsageError, match="one shape"):
        nearest_port([0.0], [0.0, 1.0], 1.0)


def test_ports_near_a_place_are_in_order_with_distance_and_bearing():
    found = ports_near(35.0, 129.5, limit=4, within_m=200_000)
    assert len(found) == 4
    assert [one.distance_m for one in found] == sorted(one.distance_m for one in found)
    assert found[0].port == ports()[nearest_port([35.0], [129.5])[0][0]]
    for one in found:
        assert one.bearing_deg == bearing_deg(35.0, 129.5, one.port.lat, one.port.lon)
    assert ports_near(0.0, -30.0, within_m=1_000.0) == []


@pytest.mark.parametrize(("lat", "lon"), [(91.0, 0.0), (0.0, 181.0), (math.nan, 0.0), (0.0, -math.inf)])
def test_a_place_off_the_globe_is_refused(lat, lon):
    with pytest.raises(UsageError, match="is not on the globe"):
        ports_near(lat, lon)


def test_the_kernel_is_compiled_for_one_set_of_types():
    nearest_port([35], [129], 20_000)
    nearest_port_at(port_index(), 35.0, 129.0, 20_000.0)
    assert len(nearest_port_at.signatures) == 1
