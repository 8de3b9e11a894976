"""Zones: in which of them is it, exactly; files of every kind; what is mended and what is refused."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
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
from luxwake.cli import main

SQUARE = [[128, 34], [130, 34], [130, 36], [128, 36], [128, 34]]
HOLE = [[128.5, 34.5], [129.5, 34.5], [129.5, 35.5], [128.5, 35.5], [128.5, 34.5]]


def polygon(*corners: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(corner) for corner in (*corners, corners[0])]]}


def collection(*shapes: Any, **columns: list[Any]) -> dict[str, Any]:
    """GeoJSON of shapely or GeoJSON geometries; `columns` are their attributes."""
    features = []
    for n, shape in enumerate(shapes):
        geometry = shape if shape is None or isinstance(shape, dict) else mapping(shape)
        values = {key: column[n] for key, column in columns.items()}
        features.append({"type": "Feature", "properties": values, "geometry": geometry})
    return {"type": "FeatureCollection", "features": features}


def sets_of(zones: lw.Zones, lat: Any, lon: Any) -> list[set[int]]:
    return [set(zones.sets[number]) for number in zones.of(lat, lon).tolist()]


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


@pytest.fixture(scope="module")
def same_zones(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same zones in files of every kind, written by GDAL; with heights and a null geometry."""
    geopandas = pytest.importorskip("geopandas")
    folder = tmp_path_factory.mktemp("zones")
    shapes = [
        shapely.force_3d(shapely.Polygon(SQUARE, [HOLE]), 5.0),
        shapely.MultiPolygon([shapely.box(140, -3, 141, -2), shapely.Polygon(np.add(SQUARE, 20), [np.add(HOLE, 20)])]),
        None,
        shapely.Polygon([(178, 10), (180, 10), (180, 12)]),
    ]
    names = {"NAME": ["Straße", "two", "none", "three"], "MRGID": [5690, 2, 3, 4]}
    frame = geopandas.GeoDataFrame(names, geometry=shapes, crs="EPSG:4326")
    frame.to_file(folder / "zones.geojson", driver="GeoJSON")
    frame.to_file(folder / "zones.gpkg", layer="first")
    frame.iloc[:1].to_file(folder / "zones.gpkg", layer="second")
    frame.to_crs("EPSG:3857").to_file(folder / "mercator.gpkg", layer="first")
    (folder / "shp").mkdir()
    frame.to_file(folder / "shp" / "zones.shp", encoding="utf-8")
    shutil.make_archive(str(folder / "zones"), "zip", folder / "shp")
    kinds = {
        "GeoJSON": "zones.geojson",
        "GeoPackage": "zones.gpkg",
        "shp": "shp/zones.shp",
        "folder": "shp",
        "zip": "zones.zip",
    }
    return {"base": folder, **{kind: folder / name for kind, name in kinds.items()}}


@pytest.mark.parametrize("kind", ["GeoPackage", "shp", "folder", "zip"])
def test_files_of_every_kind_hold_the_same_zones(kind: str, same_zones: dict[str, Path]) -> None:
    expected = lw.read_zones(same_zones["GeoJSON"])
    found = lw.read_zones(same_zones[kind], layer="first" if kind == "GeoPackage" else None)
    assert [(zone.name, zone.id, zone.parts) for zone in found.zones] == [
        ("Straße", "5690", 1),
        ("two", "2", 2),
        ("three", "4", 1),
    ]
    assert [zone.area_nmi2 for zone in found.zones] == pytest.approx(
        [zone.area_nmi2 for zone in expected.zones], rel=1e-12
    )
    rng = np.random.default_rng(5)
    lat, lon = rng.uniform(-10, 60, 4000), rng.uniform(120, 180, 4000)
    assert sets_of(found, lat, lon) == sets_of(expected, lat, lon)
    assert any("null geometry" in note for note in found.notes)


def test_all_layers_and_several_files_are_one_set_of_zones(same_zones: dict[str, Path]) -> None:
    both = lw.read_zones(same_zones["GeoPackage"])
    assert [zone.name for zone in both.zones] == ["Straße", "two", "three", "Straße"]
    files = lw.read_zones([same_zones["zip"], same_zones["GeoJSON"]])
    assert len(files) == 6 and sets_of(files, [34.2], [128.2]) == [{0, 3}]
    assert {zone.source for zone in files.zones} == {"zones.zip", "zones.geojson"}
    assert [path.name for path in files.sources] == ["zones.zip", "zones.geojson"]
    again = lw.read_zones([same_zones["zip"], same_zones["GeoJSON"]])
    assert again.zones == files.zones and again.sets == files.sets


def test_a_file_must_say_wgs84_or_the_user(same_zones: dict[str, Path], tmp_path: Path) -> None:
    bare = tmp_path / "bare.shp"
    bare.write_bytes((same_zones["folder"] / "zones.shp").read_bytes())
    with pytest.raises(lw.InputError, match=r"bare\.shp: says no CRS; assert WGS84 with --crs EPSG:4326"):
        lw.read_zones(bare)
    assert lw.read_zones(bare, crs="EPSG:4326").notes[0].endswith("no CRS taken as WGS84, as asserted")
    with pytest.raises(lw.InputError, match="is in EPSG:3857, not WGS84; convert it with `ogr2ogr -t_srs EPSG:4326`"):
        lw.read_zones(same_zones["base"] / "mercator.gpkg")
    with pytest.raises(lw.InputError, match=r"latitude .* is over 90"):
        lw.read_zones(same_zones["base"] / "mercator.gpkg", crs="EPSG:4326")
    bare.with_suffix(".prj").write_text(
        'GEOGCS["GCS_North_American_1983",DATUM["D"],UNIT["Degree",0.0174532925199433]]'
    )
    with pytest.raises(lw.InputError, match="is in GCS_North_American_1983, not WGS84"):
        lw.read_zones(bare)
    with pytest.raises(lw.UsageError, match="--crs EPSG:3857: only EPSG:4326"):
        lw.read_zones(bare, crs="EPSG:3857")
    old = {
        **collection(shapely.box(0, 0, 1, 1)),
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}},
    }
    assert len(lw.Zones.from_geojson(old)) == 1
    old["crs"]["properties"]["name"] = "urn:ogc:def:crs:EPSG::25832"
    with pytest.raises(lw.InputError, match="is in urn:ogc:def:crs:EPSG::25832, not WGS84"):
        lw.Zones.from_geojson(old)


WGS84 = ("--crs", "EPSG:4326")
BAD = {
    "axes swapped": (json.dumps(polygon((35, 129), (36, 129), (36, 130))), (), 1, "longitude first"),
    "lon 400": (json.dumps(polygon((400, 1), (401, 1), (401, 2))), (), 1, "longitude 401 is over 360"),
    "bow tie": (json.dumps(polygon((0, 0), (2, 2), (2, 0), (0, 2))), (), 1, "not simple"),
    "no area": (json.dumps(polygon((0, 0), (2, 0), (1, 0))), (), 1, "no area"),
    "not finite": ('{"type":"Polygon","coordinates":[[[0,0],[1e999,0],[1,1],[0,0]]]}', (), 1, "finite"),
    "one coordinate": ('{"type":"Polygon","coordinates":[[[0],[1],[2],[0]]]}', (), 1, "feature 1"),
    "null inside": ('{"type":"FeatureCollection","features":[null]}', (), 1, "feature 1"),
    "no zone": ('{"type":"FeatureCollection","features":[]}', (), 1, "no Polygon or MultiPolygon in it; no zone"),
    "not UTF-8": (b"\xff\xfe\x00", (), 1, "not a GeoJSON area"),
    "empty shapefile": (b"\x00\x00\x27\x0a" + 200 * b"\x00", WGS84, 1, "no Polygon"),
    "cut shapefile": (b"\x00\x00\x27\x0a" + 20 * b"\x00" + b"\x00\x01" + 99 * b"\x00", WGS84, 1, "cut off"),
    "broken zip": (b"PK\x03\x04 and nothing", (), 1, "cannot be unpacked"),
    "broken database": (b"SQLite format 3\x00 and nothing", (), 1, "not a GeoPackage"),
    "unknown layer": (json.dumps(polygon((0, 0), (1, 0), (1, 1))), ("--layer", "x"), 2, "no layers"),
    "unknown field": (json.dumps(collection(shapely.box(0, 0, 1, 1), a=[1])), ("--name-field", "x"), 2, "it has a"),
    "lon 181": (json.dumps(polygon((0, 0), (1, 0), (1, 1))), ("--at", "35,181"), 2, "longitude 181 is not within"),
    "no position": (json.dumps(polygon((0, 0), (1, 0), (1, 1))), ("--at", "Busan"), 2, "write LAT,LON"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_zones_are_one_line(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, options, status, word = BAD[case]
    name = "zones.shp" if "shapefile" in case else "zones"
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert main(["zones", str(path), *options]) == status
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and said[0].startswith("luxwake: ") and word in said[0]
    assert (status == 2 and "--at" in options) or str(path) in said[0]


def test_no_folder_and_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zones", str(tmp_path)]) == 1 and "no .shp in it" in capsys.readouterr().err
    assert main(["zones", str(tmp_path / "none")]) == 1 and "check the path" in capsys.readouterr().err
    with pytest.raises(lw.UsageError, match="no file of zones"):
        lw.read_zones([])


@settings(max_examples=60)
@given(st.data())
def test_damaged_files_are_refused_or_read(same_zones: dict[str, Path], data: st.DataObject) -> None:
    """Any byte changed, or the end cut off: an error of ours or zones, and nothing else."""
    kind = data.draw(st.sampled_from(["zones.geojson", "shp/zones.shp", "zones.gpkg", "shp/zones.dbf"]))
    content = bytearray((same_zones["base"] / kind).read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content
    from geo.shapefile import read_attributes, read_shapes
    from geo.zone_files import read_zone_file

    try:
        if kind.endswith("dbf"):
            read_attributes(bytes(content), "a.dbf", "utf-8")
        elif kind.endswith("shp"):
            list(read_shapes(bytes(content), "a.shp"))
        else:
            path = same_zones["base"] / "damaged"
            path.write_bytes(content)
            read_zone_file(path, crs="EPSG:4326")
    except lw.LuxwakeError as error:
        assert "\n" not in str(error)


def test_the_command_lists_zones_and_says_who_is_where(
    same_zones: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(same_zones["GeoJSON"])
    assert main(["zones", path]) == 0
    page = capsys.readouterr()
    assert "Straße" in page.out and "Zones: 3" in page.out and "null geometry" in page.err
    assert main(["zones", path, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["name"] for line in lines if line["type"] == "zone"] == ["Straße", "two", "three"]
    assert main(["zones", path, "--at", "34.2,128.2", "--at=-10,5", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [[zone["name"] for zone in line["zones"]] for line in lines if line["type"] == "position"] == [
        ["Straße"],
        [],
    ]
    assert main(["zones", path, "--at=-10,5"]) == 0 and "in none of these zones" in capsys.readouterr().out


def test_a_run_names_the_zones_of_each_event(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(
        f"671999101,2018-10-{1 + i // 1440:02}T{i // 60 % 24:02}:{i % 60:02},43.2,{131 + i // 1440 / 100},0.4,90,90\n"
        for i in range(2880)
        if not 1000 < i < 2000
    )
    (tmp_path / "a.csv").write_text("MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading\n" + rows)
    here, there = shapely.box(130.9, 43.1, 131.005, 43.3), shapely.box(131.005, 43.1, 131.2, 43.3)
    zones = tmp_path / "zones.geojson"
    zones.write_text(json.dumps(collection(here, there, shapely.box(0, 0, 1, 1), name=["here", "there", "far"])))
    run = ["run", str(tmp_path / "a.csv"), "--out", str(tmp_path / "out"), "--zones", str(zones)]
    assert main(run) == 0
    capsys.readouterr()
    table = lw.query(tmp_path / "out", "select kind, zones from events")
    found = dict(zip(*(column.to_pylist() for column in table.columns), strict=True))
    assert found and all(names in {"here", "there", "here; there"} for names in found.values())
    assert "here; there" in found.values()
    features = json.loads((tmp_path / "out" / "events.geojson").read_text())["features"]
    assert [one["properties"]["zones"] for one in features] == table["zones"].to_pylist()
    findings = json.loads((tmp_path / "out" / "findings.json").read_text())
    (said,) = [one for one in findings["inputs"] if one["file"] == "zones.geojson"]
    assert findings["parameters"]["zones"] == {"zones.geojson": said["sha256"]}
    assert "in here; there" in (tmp_path / "out" / "report.html").read_text()
    zones.write_text('{"type":"FeatureCollection","features":[]}')
    assert main(run) == 1 and "no Polygon or MultiPolygon in it; no zone" in capsys.readouterr().err
