"""Zones: in which of them is it, exactly; files of every kind; what is mended and what is refused."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import mapping

import luxwake as lw
from geo.cells import cells
from geo.zone_cells import MAX_TABLED
from tests.zones_case import HOLE, SQUARE, collection, polygon, sets_of


def naive_sets(shapes: list[Any], lat: Any, lon: Any) -> list[set[int]]:
    """The slow twin: every position against every polygon of GEOS; 180 and -180 are one meridian."""
    y, x = np.asarray(lat), np.asarray(lon)
    other = np.where(np.abs(x) == 180.0, -x, x)
    inside = [shapely.intersects_xy(shape, x, y) | shapely.intersects_xy(shape, other, y) for shape in shapes]
    return [{n for n in range(len(shapes)) if inside[n][k]} for k in range(len(y))]


def star(rng: np.random.Generator, lat: float, lon: float, radius: float, corners: int) -> Any:
    """A polygon that does not cross itself, with corners at any angle and distance."""
    angle = np.sort(rng.uniform(0.0, 2.0 * np.pi, corners))
    reach = radius * rng.uniform(0.2, 1.0, corners)
    points = np.stack([lon + reach * np.cos(angle), np.clip(lat + reach * np.sin(angle), -90.0, 90.0)], axis=1)
    return shapely.Polygon(points)


def awkward_positions(rng: np.random.Generator, shapes: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Corners, points on sides and beside them by every distance, points of the same latitude or longitude."""
    corners = np.concatenate([shapely.get_coordinates(shape) for shape in shapes])
    sides = np.concatenate(
        [
            shapely.get_coordinates(shapely.line_interpolate_point(ring, rng.uniform(0, ring.length, 20)))
            for shape in shapes
            for ring in (shape.exterior, *shape.interiors)
        ]
    )
    near = [sides + rng.normal(0.0, step, sides.shape) for step in (0.0, 1e-15, 1e-13, 1e-9, 1e-5, 1e-2)]
    aligned = np.stack([rng.permutation(corners[:, 0]), corners[:, 1]], axis=1)
    points = np.concatenate([corners, np.nextafter(corners, 0.0), np.nextafter(corners, 999.0), *near, aligned])
    points = points[np.abs(points[:, 1]) <= 90.0]
    return points[:, 1].copy(), np.clip(points[:, 0], -180.0, 180.0)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    lat=st.one_of(st.floats(-86, 86), st.sampled_from([0.0, 58.28, 89.3, -89.9])),
    lon=st.floats(-178, 178),
    radius=st.sampled_from([0.002, 0.05, 0.7, 1.9]),
)
def test_every_position_is_in_the_zones_that_geos_says(seed: int, lat: float, lon: float, radius: float) -> None:
    rng = np.random.default_rng(seed)
    made = [star(rng, lat, lon, radius, int(rng.integers(3, 30))) for _ in range(3)]
    made.append(shapely.difference(shapely.box(*made[0].bounds), made[0].buffer(0)))
    shapes = [part for shape in made for part in shapely.get_parts(shape)]
    shapes = [shape for shape in shapes if shape.geom_type == "Polygon" and shape.is_valid and shape.area > 0.0]
    zones = lw.Zones.from_geojson(collection(*shapes))
    assert len(zones) == len(shapes)
    y, x = awkward_positions(rng, shapes)
    y, x = np.append(y, rng.uniform(lat - 2, lat + 2, 200).clip(-90, 90)), np.append(x, rng.uniform(-180, 180, 200))
    assert sets_of(zones, y, x) == naive_sets(shapes, y, x)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), lat=st.sampled_from([-88.2, -20.0, 0.0, 66.0, 87.9]), lon=st.floats(179, 181))
def test_positions_beside_180_are_in_the_zones_that_geos_says(seed: int, lat: float, lon: float) -> None:
    rng = np.random.default_rng(seed)
    shapes = [star(rng, lat, lon, radius, 12) for radius in (1.9, 0.3, 0.01)]
    shapes = [shape for shape in shapes if shape.is_valid]
    zones = lw.Zones.from_geojson(collection(*shapes))
    corners = np.concatenate([shapely.get_coordinates(shape) for shape in shapes])
    points = corners + rng.choice([1e-9, 1e-5, 1e-2, 0.3], (40, 1, 1)) * rng.normal(0.0, 1.0, (40, *corners.shape))
    y, x = points.reshape(-1, 2)[:, 1], points.reshape(-1, 2)[:, 0]
    sides = shapely.union_all(shapely.boundary(shapes))
    clear = (np.abs(y) <= 90.0) & (shapely.distance(sides, shapely.points(x, y)) > 1e-12)  # moving by 360 rounds
    wrapped = np.where(x > 180.0, x - 360.0, x)
    assert sets_of(zones, y[clear], wrapped[clear]) == naive_sets(shapes, y[clear], x[clear])


def test_an_ocean_and_a_harbour_over_the_whole_globe() -> None:
    rng = np.random.default_rng(7)
    shapes = [
        shapely.box(-60, -40, 20, 45),
        shapely.Polygon([(-180, -90), (180, -90), (180, -60.5), (0, -63.25), (-180, -60.5)]),
        shapely.Polygon([(100, -9), (140, 1), (160, 30), (100, 20)], [[(120, 5), (130, 6), (125, 12)]]),
        shapely.box(103.8, 1.2, 103.9, 1.3),
        shapely.box(-180, 60, 180, 90),
    ]
    zones = lw.Zones.from_geojson(collection(*shapes))
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, 20_000))), rng.uniform(-180, 180, 20_000)
    y, x = awkward_positions(rng, shapes)
    edge = [(90.0, 0.0), (-90.0, 77.0), (61.0, 180.0), (61.0, -180.0), (0.0, 180.0), (60.0, -180.0)]
    lat, lon = np.concatenate([lat, y, [p[0] for p in edge]]), np.concatenate([lon, x, [p[1] for p in edge]])
    assert sets_of(zones, lat, lon) == naive_sets(shapes, lat, lon)


def test_more_zones_at_one_corner_than_are_tabled() -> None:
    """As the claims that meet at the south pole; and a position on the corner lies in all of them."""
    n = MAX_TABLED + 5
    angle = np.linspace(0.0, 2.0 * np.pi, n + 1)
    rim = [(10.001 + 0.4 * np.cos(a), 20.001 + 0.4 * np.sin(a)) for a in angle]
    shapes = [shapely.Polygon([(10.001, 20.001), rim[k], rim[k + 1]]) for k in range(n)]
    zones = lw.Zones.from_geojson(collection(*shapes))
    rng = np.random.default_rng(1)
    lat, lon = 20.001 + rng.normal(0, 0.01, 300), 10.001 + rng.normal(0, 0.01, 300)
    lat, lon = np.append(lat, 20.001), np.append(lon, 10.001)
    known = len(zones.sets)
    assert sets_of(zones, lat, lon) == naive_sets(shapes, lat, lon)
    assert set(zones.sets[-1]) <= set(range(n)) and len(zones.sets) > known
    assert sets_of(zones, [20.001], [10.001]) == [set(range(n))]
    found: list[list[set[int]]] = []
    threads = [threading.Thread(target=lambda: found.append(sets_of(zones, lat, lon))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(one == found[0] for one in found) and len(found) == 4


def test_cells_at_hand_give_the_same_answer() -> None:
    zones = lw.Zones.from_geojson(collection(shapely.Polygon(SQUARE, [HOLE]), shapely.Point(129, 34).buffer(0.7)))
    rng = np.random.default_rng(2)
    lat, lon = rng.uniform(33, 37, (50, 40)), rng.uniform(127, 131, (50, 40))
    there = cells(lat.ravel(), lon.ravel(), 7).reshape(lat.shape)
    numbers = zones.of(lat, lon)
    assert numbers.shape == lat.shape and numbers.dtype == np.int32
    np.testing.assert_array_equal(zones.of(lat, lon, there), numbers)
    np.testing.assert_array_equal(zones.contains(1, lat, lon), [[1 in zones.sets[n] for n in row] for row in numbers])


def test_what_is_not_a_position_is_in_no_zone() -> None:
    everywhere = lw.Zones.from_geojson(collection(shapely.box(-180, -90, 180, 90)))
    nan, inf = float("nan"), float("inf")
    lat, lon = [0.0, nan, 0.0, 91.0, inf, 90.0, -90.0, 0.0], [0.0, 0.0, nan, 0.0, 0.0, 10.0, 180.0, 541.0]
    assert everywhere.of(lat, lon).tolist() == [1, 0, 0, 0, 0, 1, 1, 1]
    assert everywhere.of([], []).tolist() == [] and everywhere.names_of([], []).tolist() == []


def test_any_form_of_geojson() -> None:
    square = {"type": "Polygon", "coordinates": [SQUARE]}
    feature = {"type": "Feature", "properties": None, "geometry": square}
    point = {"type": "Point", "coordinates": [0, 0]}
    for form in (
        square,
        feature,
        {"type": "MultiPolygon", "coordinates": [[SQUARE]]},
        {"type": "GeometryCollection", "geometries": [square, {"type": "GeometryCollection", "geometries": [point]}]},
        {
            "type": "FeatureCollection",
            "features": [{**feature, "geometry": point}, {**feature, "geometry": None}, feature],
        },
    ):
        zones = lw.Zones.from_geojson(form)
        assert (zones.of([35, 36, 36.1, 0], [129, 130, 129, 0]) > 0).tolist() == [True, True, False, False]


def test_points_lines_and_nothing_are_counted_by_what_they_are() -> None:
    empty: dict[str, Any] = {"type": "Polygon", "coordinates": []}
    mixed = shapely.GeometryCollection([shapely.box(0, 0, 1, 1), shapely.Point(5, 5)])
    zones = lw.Zones.from_geojson(
        collection(shapely.Point(0, 0), None, empty, shapely.LineString([(0, 0), (1, 1)]), mixed), "a.json"
    )
    assert zones.notes == (
        "a.json: 1 left out: LineString",
        "a.json: 1 left out: Point",
        "a.json: 1 left out: empty geometry",
        "a.json: 1 left out: null geometry",
        "a.json: 1 left out: point or line beside polygons",
    )
    assert len(zones) == 1


def test_zones_overlap_and_names_are_sorted() -> None:
    shapes = [shapely.box(0, 0, 2, 2), shapely.box(1, 1, 3, 3), shapely.box(1, 1, 2, 2)]
    kinds = ["200NM", "12NM", "Overlapping claim"]
    zones = lw.Zones.from_geojson(
        collection(*shapes, GEONAME=["b", "a", "b"], POL_TYPE=kinds, MRGID=[5690.0, "7", None])
    )
    assert [(zone.name, zone.kind, zone.id, zone.disputed) for zone in zones.zones] == [
        ("b", "EEZ", "5690", False),
        ("a", "territorial sea", "7", False),
        ("b", "overlapping claim", "", True),
    ]
    assert zones.names_of([0.5, 1.5, 2.5, 9.0], [0.5, 1.5, 2.5, 9.0]).tolist() == ["b", "a; b", "a", ""]
    assert zones.contains("b", [0.5, 1.5, 2.5], [0.5, 1.5, 2.5]).tolist() == [True, True, False]
    with pytest.raises(lw.UsageError, match="no zone 'c'; there are 3: b, a"):
        zones.contains("c", [0.0], [0.0])
    with pytest.raises(lw.UsageError, match="no zone -1"):
        zones.contains(-1, [0.0], [0.0])
    with pytest.raises(lw.UsageError, match="one shape"):
        zones.of([0.0, 1.0], [0.0])


ACROSS = {
    "past 180": polygon((170, -5), (190, -5), (190, 5), (170, 5)),
    "past -180": polygon((-190, -5), (-170, -5), (-170, 5), (-190, 5)),
    "jumping": polygon((170, -5), (-170, -5), (-170, 5), (170, 5)),
    "jumping at 180": polygon((170, -5), (180, -5), (-180, -5), (-170, -5), (-170, 5), (-180, 5), (180, 5), (170, 5)),
    "cut": {"type": "MultiPolygon", "coordinates": [
        polygon((170, -5), (180, -5), (180, 5), (170, 5))["coordinates"],
        polygon((-180, -5), (-170, -5), (-170, 5), (-180, 5))["coordinates"],
    ]},
}  # fmt: skip


@pytest.mark.parametrize("form", ACROSS)
def test_a_zone_across_180_in_any_form(form: str) -> None:
    zones = lw.Zones.from_geojson(ACROSS[form])
    lon = [-180.0, -179.999, -170.0, -169.999, 0.0, 169.999, 170.0, 179.999, 180.0]
    assert (zones.of([0.0] * 9, lon) > 0).tolist() == [True, True, True, False, False, False, True, True, True]
    (zone,) = zones.zones
    assert (zone.west, zone.east, zone.parts, bool(zone.mended)) == (170.0, -170.0, 2, form != "cut")
    assert zone.area_nmi2 == pytest.approx(20 * 60 * 10 * 60, rel=2e-3)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_ring_around_a_pole_holds_the_pole(sign: float) -> None:
    lon = np.array([-170.0, -120.0, -60.0, -65.0, 0.0, 60.0, 120.0, 170.0])
    lat = np.array([70.0, 72.0, 68.0, 75.0, 70.0, 71.0, 66.0, 70.0])
    around = polygon(*zip(lon.tolist(), (sign * lat).tolist(), strict=True))
    zones = lw.Zones.from_geojson(around)
    assert any("pole closed" in words for words in zones.zones[0].mended)
    inside = zones.of(sign * np.array([90, 89, 76, 76, 76, 69, 60, 0, -80]), [0, 180, 180, -62, 10, 180, 0, 0, 0]) > 0
    assert inside.tolist() == [True, True, True, True, True, False, False, False, False]
    # the same, drawn with a side along the pole
    closed = polygon(
        (-180, sign * 90), (-180, sign * 70), *zip(lon, sign * lat, strict=True), (180, sign * 70), (180, sign * 90)
    )
    other = lw.Zones.from_geojson(closed)
    rng = np.random.default_rng(4)
    y, x = sign * rng.uniform(55, 90, 3000), rng.uniform(-180, 180, 3000)
    np.testing.assert_array_equal(other.of(y, x) > 0, zones.of(y, x) > 0)


def test_a_belt_around_the_globe_stays_one() -> None:
    belt = lw.Zones.from_geojson(polygon((-180, -10), (180, -10), (180, 10), (-180, 10)))
    assert belt.zones[0].mended == () and belt.of([0, 0, 11], [0, 180, 0]).tolist() == [1, 1, 0]
    cap = shapely.Polygon([(-180, -85), (180, -85), (180, -70), (0, -65), (-180, -70)])
    assert lw.Zones.from_geojson(mapping(cap)).of([-80, -86, -60], [0, 0, 0]).tolist() == [1, 0, 0]


def test_what_is_mended_is_said() -> None:
    spike = polygon((0, 0), (10, 0), (10, 10), (5, 10), (5, 10.01), (4.99, 10), (5.01, 10.005), (0, 10))
    (zone,) = lw.Zones.from_geojson(spike).zones
    assert "crosses itself mended" in zone.mended[0] and "%" in zone.mended[0]
    assert lw.Zones.from_geojson(spike).of([5, 5], [5, 11]).tolist() == [1, 0]
    twice = {
        "type": "MultiPolygon",
        "coordinates": [mapping(shapely.box(*b))["coordinates"] for b in ((0, 0, 2, 2), (1, 0, 3, 2))],
    }
    zones = lw.Zones.from_geojson(twice)
    assert "parts that overlap made one (25 % of their area is shared)" in zones.zones[0].mended
    assert zones.of([1, 1], [1.5, 2.5]).tolist() == [1, 1] and zones.zones[0].parts == 1


def test_area_of_a_zone_against_geographiclib() -> None:
    from geographiclib.geodesic import Geodesic

    corners = [(124.2, 33.1), (125.0, 33.1), (125.0, 33.9), (124.2, 33.9)]
    drawn = shapely.segmentize(shapely.Polygon(corners), 0.002)  # a parallel is no geodesic
    measure = Geodesic.WGS84.Polygon()
    for lon, lat in shapely.get_coordinates(drawn)[:-1].tolist():
        measure.AddPoint(lat, lon)
    truth = abs(measure.Compute()[2]) / 1852.0**2
    assert lw.Zones.from_geojson(mapping(drawn)).zones[0].area_nmi2 == pytest.approx(truth, rel=5e-3)
