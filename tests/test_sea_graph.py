"""The graph of the sea: exact distances on it, ways that stay at sea, straits and canals by name."""

from __future__ import annotations

import heapq
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.coast import is_sea
from geo.errors import UsageError
from geo.ports import port_by_code
from geo.reach_cells import node_bounds, port_access
from geo.sea_cells import EDGE_M, WIDEST
from geo.sea_graph import sea_graph
from geo.sea_search import FAR
from geo.sea_way import DM_PER_NMI, closure, field_from, sea_distance_nmi, sea_way, sea_ways
from geo.sphere import NMI_M, destination, distance_m, distances_m, interpolate
from geo.straits import PASSAGES

OPEN = closure(())


def naive_field(seeds: np.ndarray, limit_dm: int, closed: set[str]) -> dict[int, int]:
    """Dijkstra with a heap of tuples over all legs."""
    graph = sea_graph()
    found: dict[int, int] = {}
    queue = [(int(length), int(node)) for node, length in seeds]
    heapq.heapify(queue)
    while queue:
        here, node = heapq.heappop(queue)
        if here > limit_dm or node in found:
            continue
        found[node] = here
        for k in range(graph.start[node], graph.start[node + 1]):
            heapq.heappush(queue, (here + int(graph.legs[2 * k + 1]), int(graph.legs[2 * k])))
        for other, length, passage in graph.named_legs[graph.named_start[node] : graph.named_start[node + 1]].tolist():
            if passage >= len(PASSAGES) or PASSAGES[passage].name not in closed:
                heapq.heappush(queue, (here + length, other))
    return found


@pytest.mark.parametrize(
    ("lat", "lon", "limit_nmi", "closed"),
    [
        (34.9, 129.3, 150.0, ()),
        (33.95, 130.7, 120.0, ()),
        (33.95, 130.7, 120.0, ("Kanmon",)),
        (-20.0, -150.0, 900.0, ()),
    ],
)
def test_distances_are_those_of_a_plain_dijkstra(lat, lon, limit_nmi, closed):
    field = field_from(lat, lon, closure(closed), limit_nmi * DM_PER_NMI)
    reached = np.flatnonzero(field.dist != FAR)
    assert reached.size > 100
    assert dict(zip(reached.tolist(), field.dist[reached].tolist(), strict=True)) == naive_field(
        field.seeds, round(limit_nmi * DM_PER_NMI), set(closed)
    )


def test_what_leads_toward_an_end_is_found_and_no_more_is_looked_at():
    whole = field_from(35.0, 129.5, OPEN)
    limit = 600.0 * DM_PER_NMI
    pruned = field_from(35.0, 129.5, OPEN, limit, (42.0, 131.0))
    graph = sea_graph()
    end = np.array([distance_m(42.0, 131.0, *p) for p in zip(graph.lat, graph.lon, strict=True)]) * 10.0
    needed = whole.dist + end < limit - 10.0
    assert needed.sum() > 100
    assert (pruned.dist[needed] == whole.dist[needed]).all()
    assert (pruned.dist != FAR).sum() < 0.7 * (whole.dist < limit).sum()


def test_cells_of_the_graph_are_sea_apart_and_in_order():
    from geo.cells import cells, parents

    graph = sea_graph()
    assert is_sea(graph.lat, graph.lon).all()
    resolution = (graph.cell >> np.uint64(52)) & np.uint64(15)
    for r in np.unique(resolution).tolist():
        here = resolution == r
        assert (cells(graph.lat[here], graph.lon[here], int(r)) == graph.cell[here]).all()
    own = set(graph.cell.tolist())
    some = np.random.default_rng(1).choice(np.flatnonzero(resolution > 3), 3_000)
    for k in some.tolist():
        assert not {int(parents(graph.cell[k], r)[0]) for r in range(3, int(resolution[k]))} & own


def test_every_sea_position_has_a_cell_of_the_graph_near():
    """Positions at sea, all over the globe and near the shore: the cell that holds it, or a neighbour, is there."""
    from geo.cells import cells
    from geo.reach_cells import homes

    rng = np.random.default_rng(7)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-0.95, 0.98, 20_000))), rng.uniform(-180, 180, 20_000)
    sea = is_sea(lat, lon)
    missing = homes(cells(lat[sea], lon[sea], 8)) < 0
    assert missing.mean() < 0.001


@pytest.fixture(scope="module")
def open_sea():
    """Distances from a place south of Easter Island."""
    return field_from(-42.02, -121.03, OPEN)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 359.9), st.floats(20.0, 900.0))
def test_in_open_sea_distances_are_exact(open_sea, course, range_nmi):
    """Along legs at most 1.5 % too long, so the lower bound is the great circle itself."""
    lat0, lon0 = -42.02, -121.03
    lat, lon = destination(lat0, lon0, course, range_nmi * NMI_M)
    graph, field = sea_graph(), open_sea
    near = int(np.argmin(np.abs(graph.lat - lat) + np.abs(graph.lon - lon)))
    straight = distance_m(lat0, lon0, graph.lat[near], graph.lon[near]) / NMI_M
    along = field.dist[near] / DM_PER_NMI
    assert straight - 0.01 <= along <= straight * 1.016 + 0.01
    assert node_bounds(field, OPEN)[near] == pytest.approx(straight, abs=0.01)
    assert sea_way(lat0, lon0, lat, lon).length_nmi == pytest.approx(range_nmi, rel=1e-9)


PLACES = [(35.05, 129.15), (56.0, 179.5), (56.0, -179.5), (1.2, 103.6), (36.0, -6.5), (-34.5, 18.2), (58.5, 20.0),
          (43.0, 34.0), (29.0, -88.0), (70.0, 40.0), (-10.0, 142.0), (21.0, 38.0)]  # fmt: skip


def test_a_way_is_as_long_in_either_direction():
    for a, b in pairwise(PLACES):
        there, back = sea_way(*a, *b), sea_way(*b, *a)
        assert there.length_nmi == pytest.approx(back.length_nmi, rel=2e-3)  # drawn tight from either end
        assert set(there.passages) == set(back.passages)
    field, other = field_from(*PLACES[0], OPEN), field_from(*PLACES[3], OPEN)
    sums = field.dist[other.seeds[:, 0]].astype(np.int64) + other.seeds[:, 1]
    sums_back = other.dist[field.seeds[:, 0]].astype(np.int64) + field.seeds[:, 1]
    assert sums.min() == sums_back.min()


@settings(max_examples=25, deadline=None)
@given(st.permutations(PLACES))
def test_a_detour_is_no_shorter(places):
    a, b, c = places[:3]
    direct, first, second = (float(sea_distance_nmi(*p, *q)) for p, q in ((a, c), (a, b), (b, c)))
    assert direct <= (first + second) * 1.005 + 0.5
    assert direct >= distance_m(*a, *c) / NMI_M * 0.999_999


def test_the_antimeridian_is_no_wall():
    straight = distance_m(56.0, 179.0, 56.0, -179.0) / NMI_M
    assert sea_way(56.0, 179.0, 56.0, -179.0).length_nmi == pytest.approx(straight)
    assert sea_way(56.0, 179.0, 56.0, 181.0).length_nmi == pytest.approx(straight)


@pytest.mark.parametrize(
    ("strait", "a", "b", "round_about"),
    [
        ("Korea", (33.8, 128.0), (35.6, 130.4), 2.0),
        ("Tsugaru", (41.2, 139.8), (41.3, 141.6), 4.0),
        ("La Perouse", (45.8, 141.2), (45.8, 143.0), 4.0),
        ("Kanmon", (34.05, 130.7), (33.85, 131.3), 8.0),
        ("Akashi", (34.5, 134.5), (34.5, 135.2), 1.5),
        ("Bohai", (38.9, 119.5), (38.6, 122.5), math.inf),
        ("Malacca", (5.5, 98.0), (1.25, 103.4), 3.0),
        ("Singapore", (1.2, 103.4), (1.4, 104.8), 1.1),
        ("Hormuz", (26.0, 54.0), (25.0, 58.0), math.inf),
        ("Bosporus", (40.8, 28.5), (41.6, 29.5), math.inf),
        ("Dardanelles", (39.5, 25.5), (40.7, 28.0), math.inf),
        ("Gibraltar", (36.1, -6.5), (36.1, -4.5), 20.0),
        ("Bab el Mandeb", (12.3, 44.2), (13.6, 42.7), 20.0),
        ("Dover", (50.4, 0.0), (51.8, 2.5), 5.0),
        ("Messina", (37.7, 15.4), (38.7, 15.6), 3.0),
        ("Great Belt", (56.2, 11.2), (54.7, 10.5), 1.1),
        ("Oresund", (56.3, 12.2), (55.2, 12.7), 1.5),
        ("Sunda", (-6.6, 104.8), (-5.4, 106.2), 2.0),
        ("Magellan", (-52.5, -69.9), (-52.6, -68.3), 2.0),
        ("Bering", (64.0, -169.0), (68.0, -169.0), 10.0),
        ("Suez", (31.8, 32.4), (28.5, 33.0), 20.0),
        ("Panama", (9.6, -79.9), (8.5, -79.5), 20.0),
        ("Kiel", (54.0, 8.3), (54.6, 10.5), 2.0),
        ("Corinth", (38.1, 22.8), (37.8, 23.2), 5.0),
    ],
)
def test_a_passage_is_on_the_way_by_name_and_can_be_closed(strait, a, b, round_about):
    straight = distance_m(*a, *b) / NMI_M
    way = sea_way(*a, *b)
    assert strait in way.passages
    assert straight * 0.999 <= way.length_nmi <= 1.5 * straight + 10.0
    closed = sea_way(*a, *b, closed=(strait.lower(),))
    assert strait not in closed.passages
    assert closed.length_nmi >= round_about * way.length_nmi


def test_with_suez_closed_the_way_goes_round_the_cape():
    jeddah, port_said = (21.4, 39.0), (31.5, 32.3)
    assert sea_way(*jeddah, *port_said).length_nmi == pytest.approx(736, rel=0.02)
    closed = sea_way(*jeddah, *port_said, closed=["Suez"])
    assert closed.lat.min() < -34.5 and closed.passages == ("Bab el Mandeb", "Gibraltar")
    assert closed.length_nmi == pytest.approx(11_500, rel=0.02)


@pytest.mark.parametrize(
    ("isthmus", "a", "b", "least_nmi"),
    [
        ("Kra", (9.5, 98.0), (9.5, 100.0), 1_000.0),
        ("Korea, north", (39.2, 125.0), (39.2, 127.8), 700.0),
        ("Korea, south", (37.4, 126.2), (37.5, 129.4), 400.0),
        ("Noto", (37.2, 136.5), (37.2, 137.3), 40.0),
    ],
)
def test_land_is_not_crossed(isthmus, a, b, least_nmi):
    assert sea_way(*a, *b).length_nmi > least_nmi, isthmus


def test_chongjin_and_rajin_are_two_places():
    chongjin, rajin = (port_by_code(code) for code in ("KPCHO", "KPNJN"))
    apart = sea_way(chongjin.lat, chongjin.lon, rajin.lat, rajin.lon)
    straight = distance_m(chongjin.lat, chongjin.lon, rajin.lat, rajin.lon) / NMI_M
    assert 30.0 < straight < apart.length_nmi < 1.25 * straight
    nakhodka = port_by_code("RUNJK")
    ways = [sea_way(nakhodka.lat, nakhodka.lon, port.lat, port.lon).length_nmi for port in (chongjin, rajin)]
    assert ways[0] - ways[1] > 15.0


def samples(way, step_m: float):
    """Positions along the legs of a way that are at sea."""
    for a, b, at_sea in zip(
        zip(way.lat, way.lon, strict=True), list(zip(way.lat, way.lon, strict=True))[1:], way.at_sea, strict=False
    ):
        if at_sea:
            count = max(2, int(distance_m(*a, *b) / step_m))
            yield np.array([interpolate(*a, *b, k / count) for k in range(count + 1)])


def on_the_coast(access):
    """Ports that are not up a river: within 20 km of their node."""
    graph, found = sea_graph(), np.flatnonzero(access.home >= 0)
    home = access.home[found]
    return found[distances_m(access.lat[found], access.lon[found], graph.lat[home], graph.lon[home]) <= 20_000.0]


@pytest.fixture(scope="module")
def port_ways():
    """Ways between 500 pairs of ports, 20 to each of 25."""
    rng = np.random.default_rng(4)
    access = port_access()
    known = rng.choice(on_the_coast(access), 525, replace=False)
    starts, ends = np.repeat(known[:25], 20), known[25:]
    return sea_ways(access.lat[starts], access.lon[starts], access.lat[ends], access.lon[ends])


def test_no_way_between_ports_crosses_land_of_the_mask(port_ways):
    """One way in ten, every 200 m; of the corner of a mask cell (0.9 km) a leg may cut 100 m, see `stays_at_sea`."""
    assert np.isfinite([way.length_nmi for way in port_ways]).all()
    seen = ashore = 0
    for way in port_ways[::10]:
        for points in samples(way, 200.0):
            sea = is_sea(points[:, 0], points[:, 1])
            seen += sea.size
            ashore += (~sea).sum()
            assert not (~sea[1:] & ~sea[:-1]).any()
    assert seen > 500_000
    assert ashore <= 1e-4 * seen


def test_no_way_goes_deep_into_the_land_of_another_source(port_ways):
    """Natural Earth, which the graph does not know: where the two differ it is by less than 5 km."""
    import shapely

    from geo.coastline import coastline

    land = shapely.union_all(
        [shapely.make_valid(shapely.Polygon(ring[:, ::-1])) for ring in coastline(20.0, 50.0, 110.0, 150.0)]
    )
    inland = shapely.STRtree(shapely.get_parts(land.buffer(-0.045)))
    lines = [shapely.LineString(points[:, ::-1]) for way in port_ways for points in samples(way, 5_000.0)]
    box = shapely.box(110.5, 20.5, 149.5, 49.5)
    yamen = shapely.box(113.0, 22.1, 113.2, 22.4)  # an estuary that Natural Earth does not draw
    lines = [line for line in lines if box.contains(line) and not yamen.contains(line)]
    assert len(lines) > 500
    assert inland.query(lines, "intersects").shape[1] == 0


def test_what_is_no_place_and_no_name_is_refused_in_one_line():
    with pytest.raises(UsageError, match="is no position"):
        sea_way(91.0, 0.0, 35.0, 129.0)
    with pytest.raises(UsageError, match=r"no strait or canal is called 'sues'; known: Korea"):
        sea_way(35.0, 129.0, 36.0, 130.0, closed=["sues"])


def test_distances_of_arrays():
    found = sea_distance_nmi([[35.05], [34.0]], 129.15, [41.7, math.nan, 0.0], [129.9, 1.0, 25.0])
    assert found.shape == (2, 3)
    assert np.isnan(found[:, 1]).all() and np.isinf(found[:, 2]).all()  # no position; the middle of Africa
    assert found[0, 0] == pytest.approx(sea_way(35.05, 129.15, 41.7, 129.9).length_nmi)


def test_edges_of_cells_are_as_h3_has_them():
    import h3

    for resolution, edge_m in EDGE_M.items():
        assert edge_m == pytest.approx(h3.average_hexagon_edge_length(resolution, unit="m"), rel=1e-3)
    rng = np.random.default_rng(3)
    for lat, lon in zip(np.degrees(np.arcsin(rng.uniform(-1, 1, 300))), rng.uniform(-180, 180, 300), strict=True):
        for resolution in (3, 5, 8):
            cell = h3.latlng_to_cell(lat, lon, resolution)
            centre = h3.cell_to_latlng(cell)
            corner_m = max(distance_m(*centre, *corner) for corner in h3.cell_to_boundary(cell))
            assert corner_m <= WIDEST * EDGE_M[resolution]
