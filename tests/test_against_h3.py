"""Cells, neighbours and parents against the `h3` library."""

import h3.api.basic_int as h3
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.cells import cell_at, cells, disk_at, parent_of
from geo.errors import UsageError
from tests.feeds import decode_all, read_bytes, real_feeds


def _theirs(lat, lon, resolution):
    return np.array([h3.latlng_to_cell(a, b, resolution) for a, b in zip(lat, lon, strict=True)], np.uint64)


def test_every_real_position_has_h3s_own_cell(shared_data):
    seen = 0
    for path in real_feeds(shared_data):
        fixes, _, _ = decode_all(read_bytes(path))
        lat, lon = np.unique(np.stack([fixes["lat"], fixes["lon"]]), axis=1)
        for resolution in (5, 7):
            assert np.array_equal(cells(lat, lon, resolution), _theirs(lat, lon, resolution)), path.name
        seen += lat.size
    assert seen > 60_000


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


def test_what_is_not_finite_has_no_cell_and_no_resolution_16_exists():
    assert cells([np.nan, 1.0, np.inf], [0.0, np.inf, 0.0]).tolist() == [0, 0, 0]
    with pytest.raises(UsageError, match="0 to 15, not 16"):
        cells([0.0], [0.0], 16)
