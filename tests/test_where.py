"""Everything that is known of a position: `luxwake where`."""

from __future__ import annotations

import json

import h3
import pytest

import luxwake as lw
from luxwake.cli import main

SQUARE = {
    "type": "Feature",
    "properties": {"name": "Test Sea", "kind": "claimed sea"},
    "geometry": {"type": "Polygon", "coordinates": [[[129, 35], [130, 35], [130, 36], [129, 36], [129, 35]]]},
}


def said(capsys, *args: str) -> str:
    """What the command prints on stdout, without the spaces of its table."""
    assert main(["where", *args]) == 0
    return " ".join(capsys.readouterr().out.split())


def test_a_position_at_sea_has_its_cell_shore_and_nearest_ports():
    found = lw.where(35.2, 129.4, ports=4)
    assert found["cell"] == h3.latlng_to_cell(35.2, 129.4, 7) and found["at_sea"]
    assert [port["code"] for port in found["ports"][:1]] == ["KRONS"]
    distances = [port["nmi"] for port in found["ports"]]
    assert distances == sorted(distances) and len(distances) == 4
    assert 5.0 < found["shore_nmi"] < distances[0]
    assert found["zones"] is None and found["anchorages"] is None


@pytest.mark.parametrize(("lat", "lon"), [(90.0, 0.0), (-90.0, 180.0), (0.0, -180.0), (78.2, 15.6)])
def test_any_place_on_the_globe_is_answered(lat, lon):
    found = lw.where(lat, lon)
    assert len(found["ports"]) == 3 and (found["shore_nmi"] > 0.0) == found["at_sea"]


def test_land_is_told_from_sea(capsys):
    assert "sea or land land shore" in said(capsys, "37.5", "127.5")
    assert "inland" in said(capsys, "37.5", "127.5")
    assert "sea or land sea" in said(capsys, "-35.2", "-12.0")


def test_zones_of_a_file_are_looked_up(capsys, tmp_path):
    path = tmp_path / "zones.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [SQUARE]}), encoding="utf-8")
    assert "zone Test Sea, claimed sea (zones.geojson)" in said(capsys, "35.5", "129.5", "--zones", str(path))
    assert "zone in none of the file" in said(capsys, "34.5", "129.5", "--zones", str(path))
    row = json.loads(said(capsys, "35.5", "129.5", "--zones", str(path), "--json"))
    assert [zone["name"] for zone in row["zones"]] == ["Test Sea"] and row["anchorages"] is None


def test_an_anchorage_of_a_file_is_looked_up(capsys, tmp_path):
    place = lw.Anchorages().save(tmp_path / "none.geojson")
    assert "anchorage in none of the file" in said(capsys, "35.5", "129.5", "--anchorages", str(place))


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("35.2", "181"), "35.2 181 is not on the globe"),
        (("nan", "0"), "nan 0 is not on the globe"),
        (("35.2", "129.4", "--anchorages", "nowhere.geojson"), "nowhere.geojson"),
        (("35.2", "129.4", "--zones", "nowhere.shp"), "nowhere.shp"),
    ],
)
def test_what_cannot_be_meant_is_said_in_one_line(capsys, args, words):
    assert main(["where", *args]) in (1, 2)
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
