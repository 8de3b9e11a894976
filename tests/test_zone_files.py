"""Zones from files of every kind, bad ones refused in one line, and the commands that read them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import luxwake as lw
from luxwake.cli import main
from tests.zones_case import HOLE, SQUARE, collection, polygon, sets_of


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
