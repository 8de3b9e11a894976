"""Ports: the table, looking up by code and by name, and the nearest one."""

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
from geo.ports import find_port, nearest_port, nearest_port_at, port_by_code, port_index, ports
from geo.sphere import distance_m

WPI = Path(__file__).parents[1].parent / "shared" / "data" / "ais" / "csv" / "NGA-WorldPortIndex-UpdatedPub150.csv.gz"


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


def test_hand_checked_ports_lie_at_the_shore():
    checked = [port for port in ports() if port.quality == "hand-checked" and port.name != "Songnim"]  # up a river
    shore = shore_distance_m([port.lat for port in checked], [port.lon for port in checked])
    assert len(checked) >= 40
    assert np.abs(shore).max() < 6_000
    assert np.median(np.abs(shore)) < 1_000


def test_hand_checked_ports_agree_with_the_world_port_index():
    if not WPI.exists():
        pytest.skip("the World Port Index is not at ../shared/data")
    with gzip.open(WPI, "rt", encoding="utf-8", errors="replace") as lines:
        index = [(float(row["Latitude"]), float(row["Longitude"])) for row in csv.DictReader(lines)]
    # the index has no Tanchon; it gives Busan one place for two harbours, Shanghai the old town, and Toyama with
    # Fushiki; Gwangyang stands in the open sea
    other = {"KP0TC", "KRBNP", "CNSHA", "JPTOY", "KRKAN"}
    for port in ports():
        if port.quality == "hand-checked" and port.locode not in other:
            assert min(distance_m(port.lat, port.lon, lat, lon) for lat, lon in index) < 7_000, port


@pytest.mark.parametrize(
    ("code", "name"),
    [("CNDLC", "Dalian"), ("CNDAL", "Dalian"), ("kpcho", "Chongjin"), ("KP RJN", "Rajin"), ("KPSON", "Kimchaek")],
)
def test_codes_and_other_codes_resolve(code, name):
    assert port_by_code(code).name == name


def test_an_unknown_code_has_no_port():
    assert port_by_code("XXXXX") is None
    assert port_by_code("") is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Pusan", "KRPUS"),
        ("BUSAN, KOREA", "KRPUS"),
        ("Nakhodka (declared)", "RUNJK"),
        ("Ch'ongjin", "KPCHO"),
        ("Najin", "KPNJN"),
        ("Kim Chaek", "KPSON"),
        ("Pos’yet", "RUPSE"),
        ("port of Rotterdam", "NLRTM"),
        ("Dairen", "CNDLC"),
    ],
)
def test_a_name_written_another_way_is_that_port(text, code):
    assert [port.locode for port in find_port(text)] == [code]


def test_a_name_that_several_ports_bear_gives_them_all():
    assert {port.country for port in find_port("St. Petersburg")} >= {"RU", "US"}


@pytest.mark.parametrize(("text", "code"), [("Vladivostock", "RUVVO"), ("Nakodka", "RUNJK"), ("Yokahama", "JPYOK")])
def test_a_misspelt_name_offers_the_port_first(text, code):
    assert find_port(text)[0].locode == code


def test_a_misspelt_name_offers_several_and_keeps_to_the_limit():
    assert len(find_port("Chongjing")) > 1
    assert len(find_port("Chongjing", limit=1)) == 1


def test_nonsense_is_no_port():
    assert find_port("qqqqqqq") == find_port("") == find_port("  ") == []


def test_a_limit_under_one_is_refused():
    with pytest.raises(UsageError, match="limit must be 1 or more, not 0"):
        find_port("Busan", limit=0)


POSITIONS = st.one_of(
    st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
    st.tuples(st.floats(30, 46), st.floats(120, 145)),
    st.tuples(st.floats(-90, 90), st.sampled_from([-180.0, 180.0, 179.9, -179.9, 0.0])),
    st.tuples(st.sampled_from([-90.0, 90.0, 89.99, 78.2]), st.floats(-180, 180)),
)


@settings(max_examples=120, deadline=None)
@given(POSITIONS, st.sampled_from([0.0, 5e3, 20e3, 100e3, 500e3, 2_000e3, 12_000e3, 30_000e3]))
def test_the_nearest_port_is_the_one_found_by_looking_at_all(position, within_m):
    row, metres = nearest_port_at(port_index(), *position, within_m)
    expected, expected_m = naive_nearest(*position, within_m)
    assert row == expected
    assert math.isnan(metres) if row < 0 else metres == pytest.approx(expected_m, abs=1e-3)


def test_each_port_is_nearest_to_itself():
    lat, lon = port_index().lat, port_index().lon
    row, metres = nearest_port(lat, lon, 1_000.0)
    assert metres.max() == 0
    assert np.array_equal(lat[row], lat) and np.array_equal(lon[row], lon)


def test_a_longitude_may_run_on_past_180():
    assert nearest_port([42.8], [132.9 + 360], 20e3)[0] == nearest_port([42.8], [132.9], 20e3)[0]


def test_no_position_has_no_port():
    row, metres = nearest_port([math.nan, 35.0, math.inf], [129.0, math.nan, 0.0], 1e6)
    assert row.tolist() == [-1, -1, -1] and np.isnan(metres).all()
    assert row.dtype == np.int32 and metres.dtype == np.float32


def test_empty_and_shaped_input_keep_their_shape():
    assert nearest_port([], [], 1e3)[0].shape == (0,)
    assert nearest_port(np.zeros((2, 3)), np.zeros((2, 3)), 1e3)[1].shape == (2, 3)


def test_a_radius_that_is_none_and_shapes_that_differ_are_refused():
    with pytest.raises(UsageError, match="within_m must be 0 or more"):
        nearest_port([0.0], [0.0], math.nan)
    with pytest.raises(UsageError, match="one shape"):
        nearest_port([0.0], [0.0, 1.0], 1.0)


def test_the_kernel_is_compiled_for_one_set_of_types():
    nearest_port([35], [129], 20_000)
    nearest_port_at(port_index(), 35.0, 129.0, 20_000.0)
    assert len(nearest_port_at.signatures) == 1
