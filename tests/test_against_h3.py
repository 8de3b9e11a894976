"""Cells, neighbours, parents, centres, polygons and sets against the `h3` library."""

import csv
import gzip
import io
from itertools import pairwise

import h3.api.basic_int as h3
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.cell_index import cell_and_room, coarse_index, fine_index
from geo.cells import (
    boundaries,
    cell_at,
    cell_of_text,
    cell_text,
    cells,
    centres,
    compact,
    disk_at,
    disks,
    is_valid,
    parent_of,
    parents,
    polygon_cells,
    resolutions,
    rings,
    uncompact,
)
from geo.errors import InputError, UsageError
from geo.kernel import kernel
from geo.sphere import destination
from tests.feeds import decode_all, read_bytes, real_feeds


def _theirs(lat, lon, resolution):
    return np.array([h3.latlng_to_cell(a, b, resolution) for a, b in zip(lat, lon, strict=True)], np.uint64)


def _worldwide(rng, n):
    return np.degrees(np.arcsin(rng.uniform(-1, 1, n))), rng.uniform(-180, 180, n)


def _every_cell(resolution):
    return np.array([c for base in h3.get_res0_cells() for c in h3.cell_to_children(base, resolution)], np.uint64)


def test_every_real_position_has_h3s_own_cell(shared_data):
    seen = 0
    for path in real_feeds(shared_data):
        fixes, _, _ = decode_all(read_bytes(path))
        lat, lon = np.unique(np.stack([fixes["lat"], fixes["lon"]]), axis=1)
        for resolution in (5, 7, 9, 15):
            assert np.array_equal(cells(lat, lon, resolution), _theirs(lat, lon, resolution)), path.name
        seen += lat.size
    assert seen > 60_000


def _positions_of_table(path):
    """The positions of a Parquet or CSV file, under whatever names its columns have."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        table = pq.read_table(path)
        return table["lat"].to_numpy(), table["lon"].to_numpy()
    text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode("utf-8-sig")
    dialect = csv.Sniffer().sniff(text.splitlines()[0], ",;\t")
    rows = csv.DictReader(io.StringIO(text), dialect=dialect)
    names = {name.strip().lower(): name for name in rows.fieldnames}
    keys = [next(names[word] for word in words if word in names) for words in (LATITUDES, LONGITUDES)]
    at = [[float(row[key]) for key in keys] for row in rows if row[keys[0]] and row[keys[1]]]
    return np.array(at).reshape(-1, 2).T


LATITUDES, LONGITUDES = ("lat", "latitude", "y"), ("lon", "longitude", "x")
TABLES = ("ais/csv/*.csv", "ais/csv/*.gz", "tracks/*")


def test_every_position_of_the_real_tables_has_h3s_own_cell(shared_data):
    seen = 0
    for path in sorted(path for pattern in TABLES for path in shared_data.glob(pattern)):
        lat, lon = _positions_of_table(path)
        known = (np.abs(lat) <= 90) & np.isfinite(lon)  # 631 rows of Global Fishing Watch's say 91, 181: not available
        assert known.any() and not cells(lat, lon)[~known].any(), path.name
        lat, lon = lat[known], lon[known]
        for resolution in (5, 7, 9, 15):
            assert np.array_equal(cells(lat, lon, resolution), _theirs(lat, lon, resolution)), path.name
        seen += lat.size
    assert seen > 5_000


def _near(rng, lat, lon, reach, n):
    """Points at distances of 10 ** reach degrees from some of the given ones."""
    k, far = rng.integers(0, lat.size, n), 10 ** rng.uniform(*reach, n)
    there = np.clip(lat[k] + far * rng.normal(size=n), -90, 90)
    return there, lon[k] + far * rng.normal(size=n) / np.cos(np.radians(lat[k]))


def _hard_places(rng, n):
    """Name, latitudes, longitudes: where an index could go wrong."""
    from geo.tables.build_cells import build_faces

    yield "north pole", 90 - 10 ** rng.uniform(-9, 1, n), rng.uniform(-180, 180, n)
    yield "south pole", -90 + 10 ** rng.uniform(-9, 1, n), rng.uniform(-180, 180, n)
    side = rng.choice([-1, 1], n)
    yield "antimeridian", rng.uniform(-80, 80, n), side * (180 - 10 ** rng.uniform(-12, 0, n))
    yield "longitudes beyond 180", rng.uniform(-80, 80, n), rng.uniform(-540, 540, n)
    pentagons = np.array([h3.cell_to_latlng(cell) for cell in h3.get_pentagons(0)])
    yield "pentagons", *_near(rng, *pentagons.T, (-8, 1.2), n)
    x, y, z = build_faces()[0].T
    yield "face centres", *_near(rng, np.degrees(np.arcsin(z)), np.degrees(np.arctan2(y, x)), (-4, 0), n)
    lat, lon = np.meshgrid(np.arange(-90, 91, 4.25), np.arange(-180, 180.1, 4.25))
    yield "round degrees", lat.ravel(), lon.ravel()
    yield "cell centres", *centres(_every_cell(3)[:: 41_162 // n])


def test_hard_places_have_h3s_own_cell():
    for name, lat, lon in _hard_places(np.random.default_rng(11), 3000):
        for resolution in range(3 if name == "cell centres" else 0, 16):
            ours, theirs = cells(lat, lon, resolution), _theirs(lat, lon, resolution)
            assert np.array_equal(ours, theirs), (name, resolution, np.count_nonzero(ours != theirs))


def test_ties_are_few_off_the_corners_and_both_answers_are_right():
    """On the edges of the icosahedron at most 1 % differ, on exact corners of cells at most 60 %; by a neighbour."""
    from geo.tables.build_cells import build_faces

    rng, n = np.random.default_rng(12), 20_000
    faces = build_faces()[0]
    pairs = np.array([(a, b) for a in range(20) for b in range(a) if faces[a] @ faces[b] > 0.7])
    a, b = faces[pairs[rng.integers(0, len(pairs), n)].T]
    off = rng.normal(size=(n, 3)) * 10 ** rng.uniform(-15, -3, n)[:, None]
    x, y, z = (a + b + np.cross(a - b, a + b) * rng.uniform(-0.35, 0.35, n)[:, None] + off).T
    edges = np.degrees(np.arctan2(z, np.hypot(x, y))), np.degrees(np.arctan2(y, x))
    corners = boundaries(_every_cell(2))[:2]
    for (lat, lon), most in ((edges, 0.01), (corners, 0.6)):
        for resolution in (2, 5, 6, 7):
            ours, theirs = cells(lat, lon, resolution), _theirs(lat, lon, resolution)
            tied = np.flatnonzero(ours != theirs)
            assert tied.size <= most * lat.size
            for one, other in {*zip(ours[tied].tolist(), theirs[tied].tolist(), strict=True)}:
                assert h3.are_neighbor_cells(one, other)


def test_at_the_middle_of_a_face_only_the_finest_cells_may_be_a_neighbour():
    from geo.tables.build_cells import build_faces

    x, y, z = build_faces()[0].T
    lat, lon = _near(
        np.random.default_rng(17), np.degrees(np.arcsin(z)), np.degrees(np.arctan2(y, x)), (-9, -4), 10_000
    )
    for resolution in (7, 9, 10, 13, 15):
        ours, theirs = cells(lat, lon, resolution), _theirs(lat, lon, resolution)
        tied = np.flatnonzero(ours != theirs)
        assert tied.size <= (0 if resolution <= 10 else 20)
        assert all(
            h3.are_neighbor_cells(*pair) for pair in zip(ours[tied].tolist(), theirs[tied].tolist(), strict=True)
        )


@pytest.mark.parametrize("resolution", range(16))
def test_positions_of_ais_precision_all_over_the_world(resolution):
    rng = np.random.default_rng(resolution)
    lat = np.round(np.degrees(np.arcsin(rng.uniform(-1, 1, 4000))) * 6e5) / 6e5
    lon = np.round(rng.uniform(-180, 180, 4000) * 6e5) / 6e5
    assert np.array_equal(cells(lat, lon, resolution), _theirs(lat, lon, resolution))


@given(st.floats(-90, 90), st.floats(-540, 540))
def test_anywhere_the_cell_is_h3s_or_touches_it(lat, lon):
    """Only on exact ties may the two differ, and then by a neighbour."""
    ours, theirs = int(cell_at(lat, lon, 7)), h3.latlng_to_cell(lat, lon, 7)
    assert ours == theirs or ours in h3.grid_disk(theirs, 1)


@pytest.mark.parametrize(
    "lat, lon", [(90.0, 0.0), (90.0, 123.4), (-90.0, 0.0), (-90.0, -77.0), (0.0, 180.0), (0.0, -180.0)]
)
def test_poles_and_antimeridian(lat, lon):
    for resolution in range(16):
        assert int(cell_at(lat, lon, resolution)) == h3.latlng_to_cell(lat, lon, resolution)


def test_neighbours_are_h3s_everywhere_and_around_pentagons():
    rng = np.random.default_rng(5)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, 3000))), rng.uniform(-180, 180, 3000)
    places = [*zip(lat.tolist(), lon.tolist(), strict=True)]
    places += [h3.cell_to_latlng(c) for p in h3.get_pentagons(7) for c in h3.grid_disk(p, 2)]
    out = np.zeros(7, np.uint64)
    for a, b in places:
        disk_at(a, b, 7, out)
        assert set(out.tolist()) == set(h3.grid_disk(h3.latlng_to_cell(a, b, 7), 1))


def test_a_cell_and_its_neighbours_hold_every_point_within_the_rendezvous_limit():
    """1,000 m is the largest distance that rendezvous accepts; resolution 7 with one ring must hold it."""
    rng = np.random.default_rng(6)
    out = np.zeros(7, np.uint64)
    for _ in range(20_000):
        lat, lon = np.degrees(np.arcsin(rng.uniform(-0.98, 0.98))), rng.uniform(-180, 180)
        course = rng.uniform(0, 2 * np.pi)
        far_lat = lat + np.degrees(1_000 / 6_371_008.8) * np.cos(course)
        far_lon = lon + np.degrees(1_000 / 6_371_008.8) * np.sin(course) / np.cos(np.radians(lat))
        disk_at(lat, lon, 7, out)
        assert cell_at(far_lat, far_lon, 7) in out


def test_parents_follow_h3s_hierarchy():
    rng = np.random.default_rng(7)
    for cell in cells(rng.uniform(-85, 85, 500), rng.uniform(-180, 180, 500), 7):
        for resolution in (0, 3, 5, 7):
            assert int(parent_of(cell, resolution)) == h3.cell_to_parent(int(cell), resolution)
    assert parent_of(np.uint64(0), 5) == 0


def test_parents_of_many_cells_are_h3s_and_none_is_finer():
    found = cells(*_worldwide(np.random.default_rng(8), 300), 9)
    theirs = [h3.cell_to_parent(cell, 4) for cell in found.tolist()]
    assert parents([*found, 0], 4).tolist() == [*theirs, 0]
    assert resolutions(parents(found, 4)).tolist() == [4] * 300 and resolutions(0).tolist() == [-1]
    with pytest.raises(UsageError, match="row 0: a cell of resolution 9 has no parent of resolution 10"):
        parents(found, 10)


def test_what_is_no_position_has_no_cell_and_no_resolution_16_exists():
    assert cells([np.nan, 1.0, np.inf], [0.0, np.inf, 0.0]).tolist() == [0, 0, 0]
    assert cells([91.0, 90.0000001, -91.0, 1e300], 0.0).tolist() == [0] * 4
    with pytest.raises(UsageError, match="0 to 15, not 16"):
        cells([0.0], [0.0], 16)


def test_longitudes_wrap():
    lat = np.linspace(-89, 89, 50)
    assert np.array_equal(cells(lat, 181.0, 9), cells(lat, -179.0, 9))


def test_threads_shapes_and_read_only_arrays_change_no_cell():
    lat, lon = _worldwide(np.random.default_rng(9), 1001)
    whole = cells(lat, lon, 8)
    for threads in (2, 3, 7):
        assert np.array_equal(cells(lat, lon, 8, threads=threads), whole)
    lat.setflags(write=False)
    assert np.array_equal(cells(lat[::-1], lon[::-1], 8), whole[::-1])
    assert np.array_equal(cells(lat.reshape(7, 143), lon.reshape(7, 143), 8), whole.reshape(7, 143))
    assert cells(35.1, 129.04).shape == (1,) and cells([], [], threads=2).size == 0
    with pytest.raises(UsageError, match="must have one shape"):
        cells([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(UsageError, match="threads must be 1 or more, not 0"):
        cells([1.0], [2.0], threads=0)


def test_centres_are_h3s_at_every_resolution():
    for resolution in range(16):
        given = [*cells(*_worldwide(np.random.default_rng(resolution), 300), resolution).tolist()]
        given += [cell for pentagon in h3.get_pentagons(resolution) for cell in h3.grid_disk(pentagon, 2)]
        lat, lon = centres(given)
        their_lat, their_lon = np.array([h3.cell_to_latlng(cell) for cell in given]).T
        assert np.abs(lat - their_lat).max() < 1e-11
        assert np.abs((lon - their_lon) * np.cos(np.radians(lat))).max() < 1e-11
    assert all(np.isnan(part).all() for part in centres(0))


def test_valid_is_what_h3_calls_valid():
    rng = np.random.default_rng(13)
    found = np.concatenate([cells(*_worldwide(rng, 300), resolution) for resolution in range(16)])
    pentagons = np.array([cell for r in range(16) for cell in h3.get_pentagons(r)], np.uint64)
    found = np.concatenate([found, pentagons])
    flipped = [found ^ np.uint64(1 << bit) for bit in range(64)]
    turned = pentagons[:, None] ^ (rng.integers(0, 8, (1, 16)).astype(np.uint64) << np.uint64(42))
    noise = rng.integers(0, 2**64, 1000, np.uint64, endpoint=False)
    numbers = np.concatenate([found, *flipped, turned.ravel(), noise, np.zeros(1, np.uint64)])
    theirs = [h3.is_valid_cell(number) for number in numbers.tolist()]
    assert is_valid(numbers).tolist() == theirs


def test_disks_and_rings_are_h3s_everywhere_and_around_pentagons():
    for resolution, k in ((0, 2), (1, 3), (7, 3), (10, 2), (15, 1)):
        given = cells(*_worldwide(np.random.default_rng(14), 60), resolution).tolist()
        given += [cell for pentagon in h3.get_pentagons(resolution) for cell in h3.grid_disk(pentagon, 1)]
        for cell, disk, ring in zip(given, disks(given, k), rings(given, k), strict=True):
            theirs = [set(h3.grid_disk(cell, step)) for step in range(k + 1)]
            steps = [theirs[0], *(more - less for less, more in pairwise(theirs))]
            for step, expected in enumerate(steps):
                part = disk[3 * step * (step - 1) + 1 if step else 0 : 3 * step * (step + 1) + 1].tolist()
                assert part == [*sorted(expected), *[0] * (len(part) - len(expected))]
            assert ring.tolist() == part
    assert not disks(0, 2).any()
    with pytest.raises(UsageError, match="0 to 100 rings, not 101"):
        rings(given, 101)


def test_boundaries_are_h3s():
    given = [*cells(*_worldwide(np.random.default_rng(15), 50), 5).tolist(), 0, *h3.get_pentagons(5)]
    lat, lon, first = boundaries(given)
    for n, cell in enumerate(given):
        here = slice(first[n], first[n + 1])
        assert [*zip(lat[here].tolist(), lon[here].tolist(), strict=True)] == [
            *(h3.cell_to_boundary(cell) if cell else ())
        ]
    assert first[-1] == lat.size and (np.diff(first)[-12:] == 10).all()


@pytest.mark.parametrize("west, south, east, north", [
    (128.0, 33.0, 132.0, 36.0), (170.0, -10.0, 190.0, 10.0), (-200.0, -30.0, 100.0, 30.0),
    (-180.0, 60.0, 180.0, 90.0), (-180.0, -90.0, 180.0, 90.0), (-70.0, -90.0, 20.0, -80.0),
])  # fmt: skip
def test_polygons_hold_the_cells_whose_centres_they_hold(west, south, east, north):
    box = shapely.box(west, south, east, north)
    hole = shapely.affinity.scale(box, 0.3, 0.3)
    polygon = box.difference(hole)
    every = _every_cell(3)
    lat, lon = centres(every)
    inside = np.any([shapely.contains_xy(polygon, lon + turn, lat) for turn in (-360, 0, 360)], axis=0)
    assert inside.any() and np.array_equal(polygon_cells(polygon, 3), np.sort(every[inside]))


def test_polygons_that_are_none_are_said():
    assert polygon_cells(shapely.Polygon(), 5).size == 0
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    for polygon, words in (
        (bow, "the polygon is not valid"),
        (shapely.Point(1, 2), "not a Point"),
        (shapely.box(0, 0, 10, 91), "latitude 91.0, longitude 10.0; latitudes go to 90"),
        (shapely.box(0, 0, 90, 90), "cells of resolution 15: the limit is 50,000,000"),
    ):
        with pytest.raises(UsageError, match=words):
            polygon_cells(polygon, 15)


def test_compact_sets_are_h3s_and_come_back():
    area = polygon_cells(shapely.box(128, 34, 130, 36), 6)
    packed = compact([*area, *area, 0])
    assert sorted(packed.tolist()) == sorted(h3.compact_cells(area.tolist())) and packed.size < area.size / 3
    assert np.array_equal(uncompact(packed, 6), area)
    assert compact([0]).size == uncompact([], 3).size == 0
    with pytest.raises(UsageError, match="cannot be compacted together"):
        compact(packed)
    with pytest.raises(UsageError, match="of resolution 6 holds none of resolution 5"):
        uncompact(packed, 5)
    with pytest.raises(UsageError, match="the limit is 50,000,000"):
        uncompact(packed, 15)


def test_texts_go_there_and_back_and_a_wrong_one_is_named():
    found = [*cells(*_worldwide(np.random.default_rng(16), 50), 7).tolist(), 0]
    assert cell_text(found).tolist() == [h3.int_to_str(cell) for cell in found]
    assert cell_of_text(cell_text(found)).tolist() == found
    assert cell_of_text("0x8730C1688FFFFFF").tolist() == [0x8730C1688FFFFFF]
    for text in ("8730c1688fffff", "Busan", "8730c1688ffffff8730c1688ffffff", "-1", "8_730c1688ffffff"):
        with pytest.raises(InputError, match=f"row 1: '{text}' is no H3 cell"):
            cell_of_text(["", text])


def test_a_number_that_is_no_cell_is_named():
    for ask in (resolutions, centres, boundaries, compact, cell_text):
        with pytest.raises(UsageError, match="row 1: 0x7 is no H3 cell"):
            ask([0, 7])


@kernel
def _numbers(found, coarse, fine, out):
    for n in range(found.size):
        out[n, 0] = coarse_index(found[n], coarse)
        out[n, 1] = fine_index(found[n], coarse, fine)


def test_numbers_are_dense_and_tell_cells_apart():
    every = _every_cell(3)
    out = np.empty((every.size, 2), np.int64)
    _numbers(every, 1, 3, out)
    assert np.unique(out, axis=0).shape == out.shape
    assert out.min() == 0 and out[:, 0].max() < 122 * 7 and out[:, 1].max() == 48
    assert np.unique(out[:, 0]).size == np.unique(parents(every, 1)).size
    _numbers(every, 3, 3, out)
    assert np.unique(out[:, 0]).size == every.size and out[:, 0].max() < 122 * 7**3 and not out[:, 1].any()


@kernel
def _left(lat, lon, resolution, turns, shares):
    """How many ways of a share of the room at a position end in another cell, and how many metres of room there are."""
    left, most_m = 0, 0.0
    for n in range(lat.size):
        cell, room_m = cell_and_room(lat[n], lon[n], resolution)
        there = destination(lat[n], lon[n], turns[n], shares[n] * room_m)
        left += cell != cell_at(lat[n], lon[n], resolution) or cell_at(there[0], there[1], resolution) != cell
        most_m = max(most_m, room_m)
    return left, most_m


@pytest.mark.parametrize("resolution", [5, 7])
def test_whoever_goes_no_farther_than_the_room_stays_in_the_cell(resolution):
    rng = np.random.default_rng(11)
    lat, lon = _worldwide(rng, 400_000)
    left, most_m = _left(lat, lon, resolution, rng.uniform(0, 360, lat.size), rng.uniform(0.9, 1.0, lat.size))
    assert left == 0 and most_m > {5: 7_000.0, 7: 1_000.0}[resolution]
