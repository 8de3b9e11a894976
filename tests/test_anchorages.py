"""Anchorages: stationary periods, discovery, the file, the lookup, and waiting told from loitering."""

import math

import h3.api.basic_int as h3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import luxwake as lw
from ais.table import Fixes
from ais.tracks import tracks
from detectors.stationary import StationaryParams, stationary_periods
from geo.anchorages import ANCHORAGE_RESOLUTION, Anchorages
from geo.anchoring import PERIOD_COLUMNS, AnchorageParams, discover
from geo.cells import cells
from geo.sphere import destination, distance_m
from tests import naive
from tests.anchorages_case import _known, _scripted, _table


@settings(max_examples=8)
@given(seed=st.integers(0, 10_000))
def test_places_of_many_ships_are_found_and_lone_stops_and_years_at_anchor_are_not(seed):
    periods, script = _scripted(seed)
    found = discover(periods)
    crowded = [place for place in script if place[3] >= 15]
    for lat, lon, radius, _ in crowded:
        assert any(distance_m(lat, lon, one.lat, one.lon) < radius for one in found)
    for one in found:
        lat, lon, radius, ships = min(script, key=lambda place: distance_m(place[0], place[1], one.lat, one.lon))
        assert distance_m(lat, lon, one.lat, one.lon) < radius + 1000.0
        assert 10 <= one.ships <= ships + 1  # a lone stop may lie by


@pytest.mark.parametrize("seed", range(3))
def test_anchorages_are_those_of_the_naive_twin(seed):
    periods, _ = _scripted(seed, places=8)
    params = AnchorageParams(min_ships=5)
    centres = [h3.cell_to_latlng(c) for c in cells(periods["lat"], periods["lon"], ANCHORAGE_RESOLUTION).tolist()]
    stays = [(int(m), *centre) for m, centre in zip(periods["mmsi"], centres, strict=True)]
    twin = naive.anchorages(stays, params.link_m, params.near_ships, params.min_ships)
    found = discover(periods, params)
    assert sorted(one.ships for one in found) == sorted(map(len, twin))
    row = found.at(periods["lat"], periods["lon"])
    lay = {k: set(periods["mmsi"][row == k].tolist()) for k in range(len(found))}
    for ships in twin:
        assert any(set(ships) <= own for own in lay.values())


@settings(max_examples=6)
@given(seed=st.integers(0, 10_000))
def test_order_repetition_and_the_names_of_ships_do_not_matter(seed):
    periods, _ = _scripted(3, places=6)
    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(len(periods["lat"])), rng.integers(0, len(periods["lat"]), 50)])
    ships, which = np.unique(periods["mmsi"], return_inverse=True)
    renamed = {**periods, "mmsi": rng.choice(800_000_000, ships.size, replace=False)[which]}
    text = discover(periods).to_geojson()
    assert discover({name: column[order] for name, column in renamed.items()}).to_geojson() == text


def test_the_antimeridian_is_no_border():
    one, other = discover(_scripted(5, places=6)[0]), _known()
    assert sorted((a.ships, a.periods) for a in one) == sorted((a.ships, a.periods) for a in other)
    assert min(180.0 - abs(a.lon) for a in other) < 0.02 < min(180.0 - abs(a.lon) for a in one)


def test_one_ship_or_two_that_lie_for_a_year_make_no_anchorage():
    rng = np.random.default_rng(2)
    rows = [
        (210_000_001 + n % 2, *destination(30.0, 150.0, rng.uniform(0, 360), 300.0), n, 20.0, 90.0) for n in range(360)
    ]
    assert len(discover(_table(rows), AnchorageParams(min_ships=3))) == 0
    rows.append((210_000_009, 30.0, 150.0, 5.0, 20.0, 90.0))
    assert [one.ships for one in discover(_table(rows), AnchorageParams(min_ships=3))] == [3]


def test_one_ship_that_lies_everywhere_between_does_not_join_two_anchorages():
    rows = [(211_000_000 + n, 30.0 + 0.12 * (n % 2), 150.0, n, 20.0, 150.0) for n in range(24)]
    rows += [
        (211_000_100, 30.0 + 0.01 * step, 150.0, 10 * step + n, 20.0, 90.0) for step in range(13) for n in range(6)
    ]
    assert [one.ships for one in discover(_table(rows))] == [13, 13]
    rows += [(211_000_200 + ship, 30.0 + 0.01 * step, 150.0, step, 20.0, 90.0) for step in range(13) for ship in (1, 2)]
    assert [one.ships for one in discover(_table(rows))] == [27]


def test_the_kind_is_said_only_where_shore_or_swing_tell_it():
    def kind(lat, lon, swing_m):
        rows = [(211_000_000 + n, lat + n * 1e-4, lon, n, 20.0 + n, swing_m) for n in range(12)]
        (found,) = discover(_table(rows))
        return found.kind, found.name, found.median_stay_h

    assert kind(35.10, 129.04, 8.0) == ("berth", "Busan berth 1", 25.5)
    assert kind(35.02, 129.06, 180.0)[:2] == ("anchorage", "Busan anchorage 1")
    assert kind(35.02, 129.06, 60.0)[:2] == ("unknown", "Busan place 1")
    assert kind(35.02, 129.06, math.nan)[:2] == ("unknown", "Busan place 1")
    assert kind(31.9, 132.2, 180.0)[:2] == ("offshore", "open sea off Hosojima 1")


def test_names_of_one_port_are_numbered_by_ships():
    rows = []
    for place, ships in enumerate((12, 30)):
        rows += [(211_000_000 + 100 * place + n, 35.00, 129.02 + 0.08 * place, n, 20.0, 150.0) for n in range(ships)]
    found = discover(_table(rows))
    assert [(one.name, one.ships) for one in found] == [("Busan anchorage 1", 30), ("Busan anchorage 2", 12)]


def test_periods_that_are_nowhere_or_were_not_heard_put_no_place_elsewhere():
    n = 12
    columns = {name: np.zeros(n, dtype) for name, dtype in PERIOD_COLUMNS.items()}
    columns["mmsi"] += np.arange(n, dtype=np.uint32) + 671_999_101
    columns["lat"] += 35.02
    columns["lon"] += 129.06
    (place,) = discover(columns)  # no period has time in which its ship was heard
    assert (place.lat, place.lon, place.ships) == (35.02, 129.06, 12)
    columns["lat"][3:5] = 95.0, math.inf
    assert [one.ships for one in discover(columns)] == [10]


def test_real_ships_lie_still_where_their_fixes_say_so(shared_data):
    """Every period of real feeds, from its own fixes: they lie in a square of 1 km, and those heard fast are few."""
    paths = [
        shared_data / "tracks" / "gfw_segment_half_2021-01.parquet",
        shared_data / "ais" / "labelled" / "AisAbnormal_538004030_drift_1.ais",
    ]
    total = 0
    for path in paths:
        fixes = tracks(lw.read(path))
        found = stationary_periods(fixes, StationaryParams(min_stay_s=6 * 3600))
        total += len(found)
        for row in range(len(found)):
            own = (fixes["mmsi"] == found["mmsi"][row]) & (fixes["hull"] == found["hull"][row]) & (fixes["status"] == 0)
            own &= (fixes["t"] >= found["t_start"][row]) & (fixes["t"] <= found["t_end"][row])
            near = np.abs(fixes["lat"][own] - found["lat"][row]) * 111_195.0 <= 1000.0
            assert found["n"][row] <= np.count_nonzero(near) and np.count_nonzero(near) > 0.9 * np.count_nonzero(own)
            assert found["stay_us"][row] <= found["t_end"][row] - found["t_start"][row]
        assert isinstance(discover(found.columns, AnchorageParams(min_ships=1, near_ships=1)), Anchorages)
    assert total > 0


def test_no_fixes_no_anchorages():
    assert len(lw.find_anchorages(Fixes({}))) == 0
