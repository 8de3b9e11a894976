"""The map of positions: what it shows, whatever the order of what is on it."""

import re
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.coast import is_sea
from geo.errors import OutputError
from luxwake.density import MAX_CELLS, MIN_SPAN_DEG, Box, Density, box_of, counted, outside
from luxwake.world_map import extent, land, png, terminal_map, write_map

latitudes, longitudes = st.floats(-90, 90), st.floats(-180, 180)


def density_of(*places):
    density = Density()
    lat, lon = zip(*places, strict=True)
    density.add(lat, lon)
    return density


def cells(density):
    return [part.tolist() for part in density.cells()[:3]], density.cells()[3]


@given(st.lists(st.tuples(latitudes, longitudes), min_size=1, max_size=30), st.randoms())
def test_pieces_and_order_do_not_matter(places, random):
    whole = density_of(*places)
    random.shuffle(places)
    cut = random.randint(0, len(places))
    pieces, second = Density(), Density()
    for lat, lon in places[:cut]:
        pieces.add([lat], [lon])
    for lat, lon in places[cut:]:
        second.add([lat], [lon])
    pieces.merge(second)
    assert cells(pieces) == cells(whole)
    assert pieces.positions == len(places)


def test_a_crowded_grid_becomes_coarser_and_loses_no_position():
    rng = np.random.default_rng(5)
    lat, lon = rng.uniform(-70, 80, 1_500_000), rng.uniform(-180, 180, 1_500_000)
    whole, pieces = Density(), Density()
    whole.add(lat, lon)
    for part in np.array_split(np.arange(lat.size), 7):
        pieces.add(lat[part], lon[part])
    assert cells(whole) == cells(pieces)
    assert whole.level > 0 and len(whole.cells()[0]) <= MAX_CELLS
    assert whole.positions == int(whole.cells()[2].sum()) == lat.size


@given(st.lists(st.tuples(latitudes, longitudes), min_size=1, max_size=30))
def test_the_box_holds_every_position_of_a_few(places):
    density = density_of(*places)
    box = box_of(density, 1.5, 3.0)
    assert outside(density, box) == 0
    assert -90.0 <= box.lat_min < box.lat_max <= 90.0
    assert -180.0 <= box.lon_min <= 180.0 and box.lon_min < box.lon_max <= box.lon_min + 360.0
    assert int(counted(density, box, 30, 60).sum()) >= len(places)


def test_the_box_crosses_the_antimeridian_where_the_ships_do():
    box = box_of(density_of((-17.0, 179.5), (-18.0, -179.5)), 1.5, 3.0)
    assert box.lon_min < 179.5 and 180.5 < box.lon_max < 183.0


def test_one_wrong_position_does_not_make_a_world_map_of_a_harbour():
    density = Density()
    density.add(np.linspace(57.68, 57.72, 5_000), np.linspace(11.80, 11.90, 5_000))
    density.add([0.0, -40.0], [0.0, 100.0])
    box = box_of(density, 1.5, 3.0)
    assert box.lat_max - box.lat_min == pytest.approx(MIN_SPAN_DEG)
    assert outside(density, box) == 2
    assert "2 of 5,002 positions lie outside" in extent(density, box)


def test_positions_stand_where_they_belong():
    density = density_of((59.9, 10.1), (50.1, 19.9), (50.1, 19.9))
    pixels = counted(density, Box(50.0, 60.0, 10.0, 20.0), 10, 10)
    assert pixels[0, 0] == 1 and pixels[9, 9] == 2 and pixels.sum() == 3


@pytest.mark.parametrize(
    "box", [Box(54, 58, 8, 16), Box(30, 42, 118, 142), Box(-48, -33, 165, 181), Box(-60, 75, -180, 180)]
)
def test_land_is_where_the_shore_table_has_it(box):
    rows, columns = 80, 120
    lat = box.lat_max - (np.arange(rows) + 0.5) * (box.lat_max - box.lat_min) / rows
    lon = box.lon_min + (np.arange(columns) + 0.5) * (box.lon_max - box.lon_min) / columns
    lon = (lon + 180.0) % 360.0 - 180.0
    sea = is_sea(np.repeat(lat, columns), np.tile(lon, rows)).reshape(rows, columns)
    assert (land(box, rows, columns) != sea).mean() > 0.97


def test_the_open_sea_has_no_land():
    assert not land(Box(40.0, 42.0, -40.0, -37.0), 20, 30).any()


@pytest.mark.parametrize(("width", "height"), [(40, 8), (80, 24), (119, 30)])
def test_a_map_fits_the_terminal(width, height):
    lines = terminal_map(density_of((57.7, 10.6), (55.0, 12.0), (54.2, 8.1)), width, height)
    assert len(lines) <= height and max(map(len, lines)) <= max(width, 60)
    assert sum("\u2800" < one <= "\u28ff" for line in lines for one in line) == 3
    assert "3 positions" in lines[-1]


def test_colours_change_no_character():
    density = density_of(*[(57.7, 10.6)] * 50, (55.0, 12.0))
    plain, coloured = terminal_map(density), terminal_map(density, colour=True)
    stripped = [re.sub("\x1b\\[[0-9;]*m", "", line) for line in coloured]
    assert [line.replace("  ", " ").split() for line in stripped] == [line.replace("  ", " ").split() for line in plain]
    assert any("\x1b[1;91m" in line for line in coloured)


def test_without_positions_there_is_no_map(tmp_path: Path):
    assert terminal_map(Density()) == []
    with pytest.raises(OutputError, match="no position"):
        write_map(Density(), tmp_path / "map.png")


def chunks_of(data: bytes):
    at = 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert int.from_bytes(data[at + 8 + size : at + 12 + size], "big") == zlib.crc32(name + body)
        yield name, body
        at += 12 + size


def test_png_holds_the_picture():
    picture = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    parts = dict(chunks_of(png(picture)))
    assert list(parts) == [b"IHDR", b"IDAT", b"IEND"]
    assert parts[b"IHDR"].hex() == "0000000300000002" + "0802000000"
    lines = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(2, 10)
    assert (lines[:, 0] == 0).all() and (lines[:, 1:].reshape(2, 3, 3) == picture).all()


def test_the_file_shows_land_sea_and_ships(tmp_path: Path):
    density = density_of((57.7, 10.6), (55.0, 12.0))
    box = write_map(density, tmp_path / "map.png")
    parts = dict(chunks_of((tmp_path / "map.png").read_bytes()))
    columns, rows = (int.from_bytes(parts[b"IHDR"][k : k + 4], "big") for k in (0, 4))
    assert columns / rows == pytest.approx(box.ratio, rel=0.02)
    picture = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(rows, 1 + 3 * columns)[:, 1:]
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) == 3


def test_a_file_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path):
    with pytest.raises(OutputError, match="cannot be written"):
        write_map(density_of((57.7, 10.6)), tmp_path)
