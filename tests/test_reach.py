"""Reach and water: distances over the sea, straits by name, and what a silent ship could have reached."""

from __future__ import annotations

import heapq
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.coast import shore_table
from geo.coastline import coastline
from geo.errors import UsageError
from geo.ports import port_by_code, ports
from geo.reach import Reach, reach
from geo.sphere import NMI_M, distance_m
from geo.water import STEPS, SeaGrid, cost_from, is_clear, sea_grid

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
OFF_BUSAN = (35.05, 129.15)
OFF_ULSAN = (35.40, 129.60)


def silent(hours: float, speed_kn: float = 10.0, **options: float) -> Reach:
    """What a ship that is silent between Busan and Ulsan could reach."""
    return reach(*OFF_BUSAN, 0, *OFF_ULSAN, round(hours * HOUR_US), speed_kn, **options)


def over_water_nmi(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Nautical miles over water; infinite when there is no way within 15 days at 10 knots."""
    return reach(*a, 0, *b, 15 * DAY_US, 10.0, within_deg=15.0).parameters["direct_nmi"]


def naive_cost(grid: SeaGrid, start: np.ndarray, limit_nmi: float) -> np.ndarray:
    """Dijkstra with a heap of tuples, over the ways and gates of the grid."""
    cost = np.full(grid.sea.shape, np.inf)
    queue = [(float(start[r, c]), int(r), int(c)) for r, c in zip(*np.nonzero(np.isfinite(start)), strict=True)]
    heapq.heapify(queue)
    gates: dict[int, list[tuple[int, float]]] = {}
    for (a, b), length in zip(grid.gates.tolist(), grid.gate_nmi.tolist(), strict=True):
        gates.setdefault(a, []).append((b, length))
    columns = grid.lon.size
    while queue:
        length, r, c = heapq.heappop(queue)
        if length >= cost[r, c]:
            continue
        cost[r, c] = length
        for k, (dr, dc) in enumerate(STEPS.tolist()):
            if grid.ways[r, c] >> k & 1:
                heapq.heappush(queue, (length + float(grid.step_nmi[r, k]), r + dr, c + dc))
        for other, gate_nmi in gates.get(r * columns + c, []):
            heapq.heappush(queue, (length + gate_nmi, other // columns, other % columns))
    cost[cost > limit_nmi] = np.inf
    return cost


@pytest.mark.parametrize(
    ("lat", "lon", "limit_nmi"), [(34.9, 129.3, 1e9), (34.9, 129.3, 60.0), (33.95, 130.7, 1e9), (36.2, 129.9, 200.0)]
)
def test_the_distances_are_those_of_a_plain_dijkstra(lat, lon, limit_nmi):
    grid = sea_grid(33.2, 37.0, 128.0, 132.5, 0.1)
    assert grid.gates.shape[0] == 2  # Kanmon, both ways
    start = np.full(grid.sea.shape, np.inf)
    rows = np.flatnonzero((grid.lat >= lat - 0.3) & (grid.lat < lat + 0.3))
    columns = np.flatnonzero(np.abs(grid.lon - lon) < 3 * (grid.lon[1] - grid.lon[0]))
    for r in rows:
        for c in columns:
            if grid.sea[r, c] and is_clear(shore_table(), lat, lon, grid.lat[r], grid.lon[c]):
                start[r, c] = distance_m(lat, lon, grid.lat[r], grid.lon[c]) / NMI_M
    cost, snap_m = cost_from(grid, lat, lon, limit_nmi)
    assert snap_m == 0.0
    np.testing.assert_allclose(cost, naive_cost(grid, start, limit_nmi), rtol=1e-12)


@pytest.mark.parametrize(
    ("strait", "a", "b"),
    [
        ("Korea", (33.8, 128.0), (35.6, 130.4)),
        ("Tsugaru", (41.2, 139.8), (41.3, 141.6)),
        ("La Perouse", (45.8, 141.2), (45.8, 143.0)),
        ("Kanmon", (34.05, 130.7), (33.85, 131.3)),
        ("Akashi", (34.5, 134.5), (34.5, 135.2)),
        ("Kii", (34.5, 135.2), (33.8, 134.95)),
        ("Bohai", (38.9, 119.5), (38.6, 122.5)),
        ("Malacca", (5.5, 98.0), (1.25, 103.4)),
        ("Singapore", (1.2, 103.4), (1.4, 104.8)),
        ("Bosporus and Dardanelles", (39.5, 25.5), (41.6, 29.5)),
        ("Gibraltar", (36.1, -6.5), (36.1, -4.5)),
        ("Bab el Mandeb", (12.3, 44.2), (13.6, 42.7)),
        ("Dover", (50.4, 0.0), (51.8, 2.5)),
        ("Great Belt", (56.2, 11.2), (54.7, 10.5)),
        ("Øresund", (56.3, 12.2), (55.2, 12.7)),
    ],
)
def test_a_strait_is_open(strait, a, b):
    straight = distance_m(*a, *b) / NMI_M
    assert straight * 0.999 <= over_water_nmi(a, b) <= 1.35 * straight + 5.0, strait


@pytest.mark.parametrize(
    ("isthmus", "a", "b", "least_nmi"),
    [
        ("Suez", (31.8, 32.4), (28.5, 33.0), 3_600.0),
        ("Panama", (9.6, -79.9), (8.5, -79.5), 3_600.0),
        ("Kra", (9.5, 98.0), (9.5, 100.0), 1_000.0),
        ("Corinth", (38.1, 22.8), (37.8, 23.2), 250.0),
        ("Korea, north", (39.2, 125.0), (39.2, 127.8), 700.0),
        ("Korea, south", (37.4, 126.2), (37.5, 129.4), 400.0),
        ("Noto", (37.2, 136.5), (37.2, 137.3), 40.0),
    ],
)
def test_land_is_not_crossed(isthmus, a, b, least_nmi):
    assert over_water_nmi(a, b) > least_nmi, isthmus


def test_from_busan_to_nampo_the_way_goes_round_the_south_west():
    busan, nampo = port_by_code("KRPUS"), port_by_code("KPNAM")
    found = reach(busan.lat, busan.lon, 0, math.nan, math.nan, 6 * DAY_US, 10.0)
    way_nmi = next(port.to_nmi for port in found.ports if port.locode == "KPNAM")
    assert distance_m(busan.lat, busan.lon, nampo.lat, nampo.lon) / NMI_M < 300
    assert 400 < way_nmi < 480


def test_no_step_of_the_grid_crosses_the_land_of_another_source():
    """Against Natural Earth, which the grid does not know: it cuts capes and small islands, and nothing 5 km deep."""
    import shapely

    grid = sea_grid(33.5, 43.5, 124.0, 133.0, 0.1)
    rings = coastline(33.0, 44.0, 123.5, 133.5)
    land = shapely.union_all([shapely.make_valid(shapely.Polygon(ring[:, ::-1])) for ring in rings])
    r, c, k = np.nonzero(grid.ways[:, :, None] >> np.arange(STEPS.shape[0] // 2) & 1)
    start = np.stack([grid.lon[c], grid.lat[r]], axis=1)
    end = np.stack([grid.lon[c + STEPS[k, 1]], grid.lat[r + STEPS[k, 0]]], axis=1)
    steps = shapely.linestrings(np.stack([start, end], axis=1))

    def crossing(depth_deg: float) -> int:
        """How many steps touch land that lies deeper than this."""
        inland = shapely.STRtree(shapely.get_parts(land.buffer(-depth_deg)))
        return np.unique(inland.query(steps, "intersects")[0]).size

    assert r.size > 40_000
    assert crossing(0.045) == 0
    assert crossing(0.03) < 0.001 * r.size


@pytest.fixture(scope="module")
def open_sea() -> tuple[SeaGrid, np.ndarray]:
    """A window south of Easter Island without land, and the distances from its middle."""
    grid = sea_grid(-50.0, -34.0, -132.0, -110.0, 0.1)
    return grid, cost_from(grid, -42.02, -121.03, 1e9)[0]


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 360), st.floats(0.5, 7.5))
def test_in_open_sea_a_distance_is_at_most_1_3_per_cent_too_long(open_sea, course, range_deg):
    grid, cost = open_sea
    lat = -42.0 + range_deg * math.cos(math.radians(course))
    lon = -121.0 + range_deg * math.sin(math.radians(course))
    r, c = int(np.argmin(np.abs(grid.lat - lat))), int(np.argmin(np.abs(grid.lon - lon)))
    straight = distance_m(-42.02, -121.03, grid.lat[r], grid.lon[c]) / NMI_M
    assert straight * 0.999_999 <= cost[r, c] <= straight * 1.014


def searoute_lengths(codes: list[str]) -> dict[tuple[tuple[float, float], tuple[float, float]], float]:
    """searoute's way in nautical miles between its own nodes (lat, lon) nearest to each pair of ports."""
    searoute = pytest.importorskip("searoute")
    found = {}
    for i, a in enumerate(codes):
        for b in codes[:i]:
            ends = [(port_by_code(code).lon, port_by_code(code).lat) for code in (a, b)]
            path = [(lat, lon) for lon, lat in searoute.searoute(*ends, units="naut")["geometry"]["coordinates"]]
            length = sum(distance_m(*p, *q) / NMI_M for p, q in pairwise(path))
            if length > 250.0:
                found[path[0], path[-1]] = length
    return found


def test_distances_between_ports_agree_with_searoute():
    """searoute follows drawn lanes with corners: ours are shorter by some per cent, and hardly ever longer."""
    codes = ["KRPUS", "KPNAM", "KRINC", "CNDLC", "CNTAO", "CNSHA", "JPOSA", "JPKIJ", "RUVVO", "KPCHO", "KPWON", "JPTYO"]
    routes = searoute_lengths(codes)
    grid = sea_grid(29.0, 48.0, 116.0, 146.0, 0.1)
    cost = {node: cost_from(grid, *node, 1e9)[0] for node in {end for pair in routes for end in pair}}
    ratios = []
    for (a, b), length in routes.items():
        ours = float(np.min(cost[a] + cost[b]))
        assert ours >= 0.999 * distance_m(*a, *b) / NMI_M
        ratios.append(ours / length)
    assert len(ratios) >= 40
    assert 0.92 < np.median(ratios) < 1.0
    assert max(ratios) < 1.05


def test_the_flagship_s_18_days_reach_both_shores_and_prove_nothing():
    found = {port.locode: port for port in silent(18 * 24).ports}
    assert {"KPCHO", "KPNJN", "KPWON", "KPNAM", "RUNJK", "RUVVO", "RUVYP", "KPSGN", "JPKIJ"} <= set(found)
    assert abs(found["KPCHO"].to_nmi - found["KPNJN"].to_nmi) > 25  # Chongjin and Rajin are two places
    assert found["RUNJK"].slack_h > 12 * 24


def test_times_and_distances_of_a_port_belong_together():
    found = silent(96)
    for port in found.ports:
        assert port.distance_nmi == pytest.approx(port.to_nmi + port.from_nmi)
        assert port.earliest_us == pytest.approx(port.to_nmi / 10 * HOUR_US, abs=1)
        assert port.latest_us == pytest.approx(96 * HOUR_US - port.from_nmi / 10 * HOUR_US, abs=1)
        assert port.slack_h == pytest.approx((port.latest_us - port.earliest_us) / HOUR_US, abs=1e-6)
        assert port.slack_h >= 0
    assert [port.locode for port in found.ports] == sorted(port.locode for port in found.ports)
    assert found.ports[0]._fields[:5] == ports()[0]._fields[:5]


def test_no_cell_is_further_than_the_time_allows_in_a_straight_line():
    found = silent(48)
    for r, c in zip(*np.nonzero(np.isfinite(found.slack_h)), strict=True):
        there = distance_m(*OFF_BUSAN, found.lat[r], found.lon[c]) / NMI_M
        back = distance_m(*OFF_ULSAN, found.lat[r], found.lon[c]) / NMI_M
        assert 48 - (there + back) / 10 >= found.slack_h[r, c] - 1e-4


def test_more_speed_or_time_reaches_more():
    options = {"resolution_deg": 0.1}
    small, fast, long = silent(48, 8, **options), silent(48, 12, **options), silent(72, 8, **options)
    for larger in (fast, long):
        assert {port.locode for port in small.ports} < {port.locode for port in larger.ports}
        assert np.isfinite(small.slack_h).sum() < np.isfinite(larger.slack_h).sum()


def test_there_and_back_may_be_swapped():
    there = silent(96)
    back = reach(*OFF_ULSAN, 0, *OFF_BUSAN, 96 * HOUR_US, 10.0)
    np.testing.assert_allclose(there.slack_h, back.slack_h, atol=1e-4)


def test_a_gap_that_is_open_counts_the_way_there_alone():
    found = reach(*OFF_BUSAN, 0, math.nan, math.nan, 48 * HOUR_US, 10.0)
    assert found.parameters["open"] is True
    assert all(port.latest_us == 48 * HOUR_US and math.isnan(port.from_nmi) for port in found.ports)
    assert all(port.distance_nmi == port.to_nmi <= 480 for port in found.ports)
    assert np.isfinite(found.slack_h).sum() > 2 * np.isfinite(silent(48).slack_h).sum()


def test_a_window_that_is_too_small_says_so():
    assert silent(96, within_deg=1.0).clipped
    assert not silent(96).clipped


def test_a_ship_that_would_have_to_be_faster_reached_nothing():
    found = reach(35.0, 129.5, 0, 42.6, 132.5, 24 * HOUR_US, 10.0)
    assert found.ports == [] and not np.isfinite(found.slack_h).any() and not found.clipped
    assert found.parameters["direct_nmi"] > 240
    assert found.to_geojson() == {"type": "MultiPolygon", "coordinates": []}


def test_a_fix_in_a_harbour_on_land_starts_at_the_sea():
    found = reach(35.20, 129.05, 0, *OFF_ULSAN, DAY_US, 10.0)  # in the town of Busan
    assert 0 < found.parameters["start_snap_m"] <= 30_000
    assert "KRUSN" in {port.locode for port in found.ports}


def test_a_fix_far_inland_reaches_nothing_and_says_why():
    found = reach(47.9, 106.9, 0, *OFF_ULSAN, 30 * DAY_US, 10.0)  # Ulaanbaatar
    assert found.ports == [] and math.isnan(found.parameters["start_snap_m"])
    assert found.parameters["end_snap_m"] == 0.0


def test_the_antimeridian_is_no_wall():
    found = reach(56.0, 179.0, 0, 56.0, -179.0, 2 * DAY_US, 10.0)
    assert found.parameters["direct_nmi"] == pytest.approx(distance_m(56.0, 179.0, 56.0, -179.0) / NMI_M, rel=0.02)
    import shapely.geometry

    area = shapely.geometry.shape(found.to_geojson())
    assert area.is_valid and area.bounds[0] == -180 and area.bounds[2] == 180
    assert area.contains(shapely.Point(179.5, 56.0)) and area.contains(shapely.Point(-179.5, 56.0))
    assert area.area < 100.0  # an ellipse of 8 by 14 degrees, not a belt round the earth


def test_close_to_the_pole_it_answers():
    found = reach(88.0, 20.0, 0, 88.0, 60.0, 2 * DAY_US, 10.0)
    assert np.isfinite(found.slack_h).any() and found.clipped  # the window ends before the pole


def test_the_area_for_the_map_is_the_cells_and_the_same_each_time():
    import shapely.geometry

    found = silent(96)
    geometry = found.to_geojson()
    assert geometry == silent(96).to_geojson()
    area = shapely.geometry.shape(geometry)
    assert area.is_valid
    cell = (found.lat[1] - found.lat[0]) * (found.lon[1] - found.lon[0])
    assert area.area == pytest.approx(np.isfinite(found.slack_h).sum() * cell, rel=0.03)
    assert area.contains(shapely.Point(130.5, 36.5)) and not area.contains(shapely.Point(128.0, 36.5))
    flat = shapely.get_coordinates(area)
    assert (np.round(flat, 3) == flat).all()


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((91.0, 129.0, 0, 35.0, 129.0, 1, 10.0), {}, "position on the globe"),
        ((35.0, math.nan, 0, 35.0, 129.0, 1, 10.0), {}, "position on the globe"),
        ((35.0, 129.0, 0, 35.0, math.nan, 1, 10.0), {}, "NaN NaN while the gap is open"),
        ((35.0, 129.0, 0, 95.0, 129.0, 1, 10.0), {}, "NaN NaN while the gap is open"),
        ((35.0, 129.0, 2, 35.0, 129.0, 1, 10.0), {}, "before its start"),
        ((35.0, 129.0, 0, 35.0, 129.0, 1, 0.0), {}, "speed_kn must be over 0"),
        ((35.0, 129.0, 0, 35.0, 129.0, 1, math.nan), {}, "speed_kn must be over 0"),
        ((35.0, 129.0, 0, 35.0, 129.0, 1, 10.0), {"within_deg": 0.0}, "within_deg must be over 0"),
        ((35.0, 129.0, 0, 35.0, 129.0, 1, 10.0), {"resolution_deg": 0.001}, "resolution_deg must be 0.02"),
        ((35.0, 129.0, 0, 35.0, 129.0, 99 * DAY_US, 10.0), {"resolution_deg": 0.02, "within_deg": 60.0}, "take 0.0"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(arguments, options, message):
    with pytest.raises(UsageError, match=message) as caught:
        reach(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_the_kernels_are_compiled_for_one_set_of_types():
    import geo.water as water

    reach(35, 129.1, 0, 35, 130, DAY_US, 10)  # integers on purpose
    for name in ("fill_shore", "fill_ways", "remove_puddles", "nearest_sea", "spread", "is_clear"):
        assert len(getattr(water, name).signatures) == 1, name
