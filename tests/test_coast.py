"""Coast: the distance to shore against the mask it was made from, and against an independent coastline."""

from __future__ import annotations

import importlib.util
import math
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.coast import SATURATION_M, is_sea, shore_distance_m, shore_table, stays_at_sea
from geo.coastline import coastline
from geo.errors import UsageError
from geo.sphere import distance_m

TABLES = Path(__file__).parents[1] / "geo" / "tables"
FINE_PER_DEG = 120


@pytest.fixture(scope="module")
def mask() -> np.ndarray:
    """The 30 arc-second mask (true at sea) from 46 to 33 N and 124 to 142 E, read as a stream."""
    spec = importlib.util.find_spec("global_land_mask")
    if spec is None:
        pytest.skip("global-land-mask is not installed")
    with zipfile.ZipFile(Path(spec.origin).parent / "globe_combined_mask_compressed.npz") as archive:
        stream = archive.open("mask.npy")
        np.lib.format.read_magic(stream)
        np.lib.format.read_array_header_1_0(stream)
        stream.read((90 - 46) * FINE_PER_DEG * 43_200)
        rows = stream.read((46 - 33) * FINE_PER_DEG * 43_200)
    whole = np.frombuffer(rows, np.bool_).reshape(-1, 43_200)
    return whole[:, (124 + 180) * FINE_PER_DEG : (142 + 180) * FINE_PER_DEG]


def naive_shore_m(mask: np.ndarray, lat: float, lon: float, within_deg: float) -> float:
    """Distance to the middle of the nearest edge between a sea cell and a land cell, by looking at all around."""
    row, column = int((46 - lat) * FINE_PER_DEG), int((lon - 124) * FINE_PER_DEG)
    reach_r, reach_c = int(within_deg * FINE_PER_DEG), int(1.4 * within_deg * FINE_PER_DEG)
    best = math.inf
    for r in range(max(0, row - reach_r), min(mask.shape[0] - 1, row + reach_r)):
        here, south = mask[r], mask[r + 1]
        for c in range(max(0, column - reach_c), min(mask.shape[1] - 1, column + reach_c)):
            middle = 46 - (r + 0.5) / FINE_PER_DEG, 124 + (c + 0.5) / FINE_PER_DEG
            if here[c] != here[c + 1]:
                best = min(best, distance_m(lat, lon, middle[0], middle[1] + 0.5 / FINE_PER_DEG))
            if here[c] != south[c]:
                best = min(best, distance_m(lat, lon, middle[0] - 0.5 / FINE_PER_DEG, middle[1]))
    return best if mask[row, column] else -best


def test_sea_is_the_masks_sea_everywhere():
    from geo.tables.build_shore import mask_at

    rng = np.random.default_rng(21)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, 1_000_000))), rng.uniform(-180, 180, 1_000_000)
    near = np.abs(shore_distance_m(lat, lon)) < 2_000
    beside = [np.round(at[near] * FINE_PER_DEG) / FINE_PER_DEG + step for at in (lat, lon) for step in (-1e-9, 1e-9)]
    lat = np.concatenate([lat[:20_000], lat[near], *beside[:2], [90.0, -90.0, 89.999, 66.0, 66.0]])
    lon = np.concatenate([lon[:20_000], lon[near], *beside[2:], [0.0, 180.0, -180.0, 180.0, -180.0]])
    sea = is_sea(lat, lon)
    assert 3_000 < np.count_nonzero(sea[20_000:]) < lat.size - 23_000
    assert np.array_equal(sea, mask_at(lat, lon))
    assert np.array_equal(sea, shore_distance_m(lat, lon) > 0)


def test_distances_equal_a_direct_computation_within_the_stated_error(mask):
    rng = np.random.default_rng(11)
    lat, lon = rng.uniform(34, 45, 3_000), rng.uniform(125, 141, 3_000)
    table = shore_distance_m(lat, lon)
    for least_m, most_m, usual_m, nearly_all_m, worst_m in ((0, 5e3, 30, 300, 1e3), (5e3, 15e3, 60, 900, 2.5e3)):
        near = np.flatnonzero((np.abs(table) > least_m) & (np.abs(table) < most_m))[:60]
        exact = np.array([naive_shore_m(mask, lat[k], lon[k], 0.2) for k in near])
        error = np.abs(table[near] - exact)
        assert near.size == 60 and np.array_equal(table[near] > 0, exact > 0)
        assert np.median(error) < usual_m
        assert np.percentile(error, 95) < nearly_all_m
        assert error.max() < worst_m


def test_a_far_distance_is_right_to_four_per_cent(mask):
    lat, lon = 39.9, 134.2
    nearest = naive_shore_m(mask, lat, lon, 3.5)
    assert nearest > 150_000
    assert float(shore_distance_m([lat], [lon])[0]) == pytest.approx(nearest, rel=0.04)


@pytest.mark.parametrize(
    ("place", "lat", "lon", "least_m", "most_m"),
    [
        ("East Sea", 40.0, 135.0, 150e3, 300e3),
        ("Korea Strait", 34.8, 129.1, 10e3, 40e3),
        ("Tsugaru Strait", 41.35, 140.4, 2e3, 15e3),
        ("La Perouse Strait", 45.75, 142.0, 10e3, 30e3),
        ("Seoul", 37.56, 127.0, -60e3, -15e3),
        ("Pyongyang", 39.03, 125.75, -60e3, -20e3),
        ("middle of the Pacific", -45.0, -125.0, SATURATION_M, SATURATION_M),
        ("middle of Asia", 46.0, 85.0, -SATURATION_M, -SATURATION_M),
        ("North Pole", 90.0, 0.0, SATURATION_M, SATURATION_M),
        ("South Pole", -90.0, 77.0, -SATURATION_M, -SATURATION_M),
    ],
)
def test_known_places(place, lat, lon, least_m, most_m):
    assert least_m <= float(shore_distance_m([lat], [lon])[0]) <= most_m, place


@settings(max_examples=300, deadline=None)
@given(st.floats(-89, 89), st.floats(-180, 180), st.floats(-0.2, 0.2), st.floats(-0.2, 0.2))
def test_the_distance_grows_no_faster_than_the_way(lat, lon, d_lat, d_lon):
    """Between two places it changes by no more than they are apart: here with rounding, 0.5 km and 3.4 % of it."""
    other = max(-90.0, min(90.0, lat + d_lat)), lon + d_lon
    here, there = shore_distance_m([lat, other[0]], [lon, other[1]])
    slack = 3_000 + 0.035 * max(abs(here), abs(there))
    assert abs(here - there) <= 1.1 * distance_m(lat, lon, *other) + slack


@settings(max_examples=100, deadline=None)
@given(st.floats(-90, 90), st.integers(-180 * 600_000, 180 * 600_000 - 1))
def test_a_whole_turn_changes_nothing(lat, units):
    lon = (units + 0.5) / 600_000  # never on the line between two cells of the mask, where rounding decides
    here, east, west = shore_distance_m([lat] * 3, [lon, lon + 360.0, lon - 360.0])
    assert east == pytest.approx(here, abs=1) and west == pytest.approx(here, abs=1)


def test_the_antimeridian_is_no_seam():
    lat = np.linspace(-85, 85, 1_000)
    west, east = shore_distance_m(lat, np.full(1_000, -179.9999)), shore_distance_m(lat, np.full(1_000, 179.9999))
    # the two are up to 22 m apart, but may have other shore points, or nodes of other levels
    assert (np.abs(west - east) <= 700 + 0.04 * np.abs(west)).all()


def test_a_hair_before_180_degrees_is_where_180_degrees_are():
    lat = np.linspace(-90, 90, 721)
    hair, seam = np.full(721, math.nextafter(180.0, 0.0)), np.full(721, 180.0)
    assert shore_distance_m(lat, hair) == pytest.approx(shore_distance_m(lat, seam), abs=1)
    assert is_sea(lat, hair).tolist() == is_sea(lat, seam).tolist()
    assert not np.isnan(shore_distance_m(lat, np.nextafter(seam + 360.0, 0.0))).any()
    assert shore_distance_m(lat, np.nextafter(-seam, -200.0)) == pytest.approx(shore_distance_m(lat, seam), abs=1)


def test_what_is_no_position_has_no_distance():
    lat, lon = [math.nan, 0.0, 91.0, -90.001, 0.0], [0.0, math.nan, 0.0, 0.0, math.inf]
    assert np.isnan(shore_distance_m(lat, lon)).all()
    assert not is_sea(lat, lon).any()


def test_a_longitude_beyond_two_turns_is_no_position():
    assert np.isnan(shore_distance_m([0.0] * 3, [721.0, -1e17, 1e300])).all()
    assert is_sea([0.0, 0.0], [-30.0 + 720.0, -30.0 - 720.0]).tolist() == [True, False]


def places_along(lat1: float, lon1: float, lat2: float, lon2: float, every_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Places of the great circle between two positions, these included."""
    lat, lon = np.radians([lat1, lat2]), np.radians([lon1, lon2])
    ends = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    share = np.linspace(0, 1, max(2, int(distance_m(lat1, lon1, lat2, lon2) / every_m) + 2))
    x, y, z = ends[:, :1] * (1 - share) + ends[:, 1:] * share
    lat, lon = np.degrees(np.arctan2(z, np.hypot(x, y))), np.degrees(np.arctan2(y, x))
    lat[[0, -1]], lon[[0, -1]] = (lat1, lat2), (lon1, lon2)
    return lat, lon


@pytest.mark.parametrize(
    ("south", "north", "west", "east", "leg_m", "every_m"),
    [
        (30, 46, 120, 145, 30e3, 5),
        (30, 46, 120, 145, 3e3, 1),
        (58, 71, 4, 30, 20e3, 5),
        (75, 84, -90, -10, 20e3, 5),
        (-86, -74, 150, 215, 20e3, 5),
        (-22, -10, 176, 184, 30e3, 5),
        (-60, 70, -180, 180, 300e3, 25),
    ],
    ids=["north-east Asia", "short", "Norway", "Arctic", "Ross Sea", "Fiji at 180", "long"],
)
def test_a_way_stays_at_sea_when_all_its_places_are_sea(south, north, west, east, leg_m, every_m):
    rng = np.random.default_rng(12)
    lat, lon = rng.uniform(south, north, 20_000), rng.uniform(west, east, 20_000)
    near = np.flatnonzero(is_sea(lat, lon) & (shore_distance_m(lat, lon) < 1.5 * leg_m))[:250]
    bearing, leg_deg = rng.uniform(0, 2 * np.pi, near.size), rng.exponential(leg_m / 111_195, near.size)
    lat1, lon1 = lat[near], lon[near]
    lat2 = np.clip(lat1 + leg_deg * np.cos(bearing), -89, 89)
    lon2 = lon1 + leg_deg * np.sin(bearing) / np.cos(np.radians(lat1))
    table = shore_table()
    found, brute = [], []
    for way in zip(lat1.tolist(), lon1.tolist(), lat2.tolist(), lon2.tolist(), strict=True):
        found.append(stays_at_sea(table, *way))
        assert found[-1] == stays_at_sea(table, *way[2:], *way[:2])
        brute.append(bool(is_sea(*places_along(*way, every_m)).all()))
    assert 20 < sum(brute) < near.size - 20
    wrong = [k for k in range(near.size) if found[k] != brute[k]]
    assert not [k for k in wrong if found[k]], "says sea, and crosses land"
    assert len(wrong) <= 1, "says land, and no place of it is"  # a corner may be cut for less than `every_m`


@pytest.mark.parametrize(
    ("way", "clear"),
    [
        ((35.0, 129.6, 34.6, 130.0), True),  # the eastern Korea Strait
        ((41.78, 129.83, 42.23, 130.30), False),  # Chongjin to Rajin, over the cape
        ((41.2, 140.0, 41.2, 141.5), False),  # over Tsugaru's peninsulas
        ((0.0, -30.0, 0.0, -30.0), True),
        ((0.0, -30.0, 0.0, 150.0), False),  # antipodes
        ((math.nan, 0.0, 0.0, 0.0), False),
        ((0.0, -30.0, 0.0, math.inf), False),
        ((0.0, -30.0, 91.0, -30.0), False),
        ((52.0, -170.0, 52.0, 170.0 - 360.0), False),  # an Aleutian island on the way, across 180
        ((55.0, 179.0, 55.0, -179.0), True),
        ((55.0, 179.0, 55.0, 181.0), True),
        ((86.0, 40.0, 86.0, -140.0), True),  # over the pole
    ],
)
def test_known_ways(way, clear):
    assert stays_at_sea(shore_table(), *way) == clear


def test_shapes_are_kept_and_must_be_alike():
    assert shore_distance_m([], []).shape == (0,)
    assert shore_distance_m(np.zeros((2, 3)), np.zeros((2, 3))).shape == (2, 3)
    assert shore_distance_m(35.0, 129.5).shape == ()
    with pytest.raises(UsageError, match="one shape"):
        shore_distance_m([0.0], [0.0, 1.0])


def test_the_shared_table_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        shore_table().nodes[0] = 1


def test_the_tables_are_small():
    assert (TABLES / "shore.npz").stat().st_size < 4_000_000
    assert (TABLES / "coastline.npz").stat().st_size < 1_200_000


def naive_inside(rings: list[np.ndarray], lat: float, lon: float) -> bool:
    """Even-odd rule: is the number of edges north of a point odd?"""
    crossings = 0
    for ring in rings:
        for (lat1, lon1), (lat2, lon2) in zip(ring[:-1].tolist(), ring[1:].tolist(), strict=True):
            if (lon1 > lon) != (lon2 > lon) and lat1 + (lon - lon1) / (lon2 - lon1) * (lat2 - lat1) > lat:
                crossings += 1
    return crossings % 2 == 1


def test_the_coastline_agrees_with_the_shore_table_away_from_the_shore():
    """Natural Earth against GLOBE: two sources that do not know of each other."""
    rings = coastline(33.0, 44.0, 124.0, 142.0)
    rng = np.random.default_rng(5)
    lat, lon = rng.uniform(33.1, 43.9, 100), rng.uniform(124.1, 141.9, 100)
    shore = shore_distance_m(lat, lon)
    far = np.abs(shore) > 8_000
    assert np.count_nonzero(far & (shore < 0)) > 20
    for k in np.flatnonzero(far):
        assert naive_inside(rings, lat[k], lon[k]) == (shore[k] < 0), (lat[k], lon[k])


def test_the_whole_earth_agrees_too():
    import shapely

    rings = coastline(-90.0, 90.0, -180.0, 180.0)
    solid = [shapely.Polygon(ring[:, ::-1]) for ring in rings]
    shapely.prepare(solid)
    land = shapely.STRtree(solid)
    rng = np.random.default_rng(6)
    lat, lon = rng.uniform(-84, 84, 20_000), rng.uniform(-180, 180, 20_000)
    shore = shore_distance_m(lat, lon)
    far = np.abs(shore) > 25_000
    point, _ = land.query(shapely.points(lon, lat), predicate="within")
    inside = np.bincount(point, minlength=lat.size) % 2 == 1
    # they differ on the Caspian Sea and other waters that GLOBE counts as land, and on the ice shelves of Antarctica
    caspian = (lat > 36) & (lat < 48) & (lon > 46) & (lon < 56)
    compared = far & ~caspian & (lat > -60)
    assert np.mean(inside[compared] == (shore[compared] < 0)) > 0.9995


def test_rings_are_closed_and_stay_in_their_box():
    for ring in coastline(34.0, 39.0, 124.0, 131.0):
        assert ring.shape[0] >= 4 and ring.shape[1] == 2
        assert (ring[0] == ring[-1]).all()
        assert ring[:, 0].min() >= 34 and ring[:, 0].max() <= 39
        assert ring[:, 1].min() >= 124 and ring[:, 1].max() <= 131


def test_a_box_across_the_antimeridian_runs_on():
    rings = coastline(50.0, 72.0, 170.0, -160.0)
    assert all(ring[:, 1].min() >= 170 and ring[:, 1].max() <= 200 for ring in rings)
    assert naive_inside(rings, 67.5, 176.0)  # Chukotka
    assert naive_inside(rings, 66.5, 184.0)  # Chukotka beyond 180
    assert naive_inside(rings, 62.0, 198.0)  # Alaska
    assert not naive_inside(rings, 58.0, 180.0)
    again = coastline(50.0, 72.0, 170.0, 200.0)
    assert all(np.array_equal(a, b) for a, b in zip(rings, again, strict=True))


def test_a_box_of_open_sea_has_no_land():
    assert coastline(38.0, 41.0, 133.0, 136.0) == []


@pytest.mark.parametrize(
    "box", [(40, 30, 0, 10), (-91, 0, 0, 10), (0, 10, 5, 5), (0, 10, -190, 0), (0, math.nan, 0, 1)]
)
def test_a_box_that_cannot_be_meant_is_refused(box):
    with pytest.raises(UsageError, match="a box needs"):
        coastline(*box)
