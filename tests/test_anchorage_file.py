"""The file of anchorages: read back exactly, plain GeoJSON, damage refused in one line."""

import contextlib
import json
import math

import h3.api.basic_int as h3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.anchorages import ANCHORAGE_RESOLUTION, Anchorages, anchorage_row
from geo.anchoring import discover
from geo.cells import cells
from geo.errors import InputError, LuxwakeError, OutputError, UsageError
from tests.anchorages_case import _known, _table


def test_what_is_saved_is_read_back_exactly(tmp_path):
    path = _known().save(tmp_path / "known.geojson")
    again = Anchorages.load(path)
    assert [*again] == [*_known()] and again == _known() and again.digest == _known().digest
    assert again.params == _known().params
    assert again.save(tmp_path / "again.geojson").read_bytes() == path.read_bytes()
    rows = [(211_000_000 + n, 35.0, 129.0, n, 20.0, math.nan) for n in range(12)]
    unknown = discover(_table(rows))
    assert math.isnan(Anchorages.load(unknown.save(tmp_path / "nan.geojson"))[0].swing_m)
    with pytest.raises(OutputError, match="cannot be written"):
        unknown.save(tmp_path / "no" / "folder.geojson")


def test_the_file_is_geojson_whose_polygons_hold_the_cells(tmp_path):
    geopandas = pytest.importorskip("geopandas")
    frame = geopandas.read_file(_known().save(tmp_path / "known.geojson"))
    assert frame.geometry.is_valid.all() and frame["ships"].tolist() == [one.ships for one in _known()]
    west, south, east, north = frame.total_bounds
    assert west >= -180.0 and east <= 180.0 and south > -90.0 and north < 90.0
    for shape, one in zip(frame.geometry, _known(), strict=True):
        lat, lon = np.array([h3.cell_to_latlng(cell) for cell in one.cells]).T
        assert geopandas.points_from_xy(lon, lat).within(shape).all()
    across = frame.geometry.bounds["maxx"] - frame.geometry.bounds["minx"] > 300.0
    assert across.any() and (frame.geometry[across].geom_type == "MultiPolygon").all()  # cut at 180 degrees


@pytest.mark.parametrize(
    "change, word",
    [
        (lambda made: "no json", "not JSON"),
        (lambda made: [], "not the anchorages of Luxwake"),
        (lambda made: {**made, "luxwake_anchorages": 2}, "not the anchorages of Luxwake"),
        (lambda made: {"type": "FeatureCollection", "features": []}, "not the anchorages of Luxwake"),
        (lambda made: made["features"][1].pop("id"), "anchorage 2 has no 'id'"),
        (lambda made: made["features"][0]["properties"].pop("ships"), "anchorage 1 has no 'ships'"),
        (lambda made: made["features"][0]["properties"].update(ships=-1), "ships is -1"),
        (lambda made: made["features"][0]["properties"].update(lat="x"), "lat is 'x'"),
        (lambda made: made["features"][0]["properties"].update(lat=91.0), "no position"),
        (lambda made: made["features"][0]["properties"].update(kind="bay"), "kind is 'bay'"),
        (lambda made: made["features"][0]["properties"].update(first_seen="soon"), "soon"),
        (lambda made: made["features"][0]["properties"].update(cells="8928308280fffff 12"), "'12' is no H3 cell"),
        (lambda made: made["features"][0]["properties"].update(cells=""), "ascending order"),
        (lambda made: made["features"].append(made["features"][0]), "is in another one too"),
        (lambda made: made["features"].append(7), "anchorage"),
    ],
)
def test_a_file_that_is_none_of_ours_is_refused_in_one_line(tmp_path, change, word):
    made = json.loads(_known().to_geojson())
    answer = change(made)
    path = tmp_path / "wrong.geojson"
    path.write_text(
        answer
        if answer == "no json"
        else json.dumps(answer if answer in ([],) or (isinstance(answer, dict) and "features" in answer) else made)
    )
    with pytest.raises(InputError) as caught:
        Anchorages.load(path)
    assert word in str(caught.value) and str(path) in str(caught.value) and "\n" not in str(caught.value)


@settings(max_examples=60)
@given(data=st.data())
def test_damage_of_a_file_raises_nothing_of_a_stranger(tmp_path_factory, data):
    text = _known().to_geojson().encode()[:20_000]
    at = data.draw(st.integers(0, len(text) - 1))
    cut = data.draw(st.integers(0, 30))
    path = tmp_path_factory.mktemp("damage") / "known.geojson"
    path.write_bytes(text[:at] + data.draw(st.binary(max_size=8)) + text[at + cut :])
    with contextlib.suppress(LuxwakeError):
        Anchorages.load(path)


def test_a_position_is_looked_up_by_its_cell():
    known = _known()
    of = {cell: row for row, one in enumerate(known) for cell in one.cells}
    rng = np.random.default_rng(1)
    place = [known[k] for k in rng.integers(0, len(known), 3000)]
    lat = np.array([one.lat for one in place]) + rng.normal(0, 0.03, 3000)
    lon = (np.array([one.lon for one in place]) + rng.normal(0, 0.03, 3000) + 180.0) % 360.0 - 180.0
    expected = [of.get(cell, -1) for cell in cells(lat, lon, ANCHORAGE_RESOLUTION).tolist()]
    assert known.at(lat, lon).tolist() == expected
    assert 300 < np.count_nonzero(np.array(expected) >= 0) < 2900
    assert [anchorage_row(known.table, y, x) for y, x in zip(lat[:50], lon[:50], strict=True)] == expected[:50]
    assert known.at([math.nan], [0.0]).tolist() == [-1] and known.anchorage_at(np.zeros(2, np.uint64)).tolist() == [
        -1,
        -1,
    ]
    assert Anchorages().at(lat, lon).max() == -1
    with pytest.raises(UsageError, match="in two anchorages"):
        Anchorages([*known, known[0]])
