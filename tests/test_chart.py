"""Charts: colours, cells and words stand where they belong."""

import struct

import numpy as np

from benchmarks.chart import INK, LAND, Chart, width_px
from geo.cells import cells, parents
from luxwake.density import Box

RED, BLUE = (200, 0, 0), (0, 0, 200)
BOX = Box(30.0, 40.0, 170.0, 185.0)


def test_bands_are_coloured_by_value_and_the_unknown_is_left():
    chart = Chart(BOX, "bands", columns=60)
    value = np.full(chart.lat.shape, np.nan)
    value[:, 10:30], value[:, 30:] = 5.0, 12.0
    chart.paint_bands(value, (12,), (RED, BLUE))
    assert chart.map[5, 5].tolist() == list(LAND)
    assert chart.map[5, 20].tolist() == list(RED)
    assert chart.map[5, 40].tolist() == list(BLUE)  # an edge belongs to the band above it


def test_a_pixel_has_the_value_of_its_cell_whatever_the_resolution():
    chart = Chart(BOX, "cells", columns=120)
    coarse, fine = cells([35.0], [172.0], 2), cells([35.0, 35.0], [-178.0, -179.0], 4)
    chosen = np.concatenate([coarse, fine])
    found = chart.of_cells(chosen, [1.0, 2.0, 3.0])
    for resolution, values in ((2, {int(coarse[0]): 1.0}), (4, {int(fine[0]): 2.0, int(fine[1]): 3.0})):
        of_pixel = parents(cells(chart.lat.ravel(), chart.lon.ravel(), 4), resolution)  # as H3's hierarchy has it
        for cell, value in values.items():
            assert np.array_equal(found.ravel() == value, of_pixel == cell)
            assert (found == value).any()
    assert np.isnan(found).any()


def test_a_place_beyond_180_lies_on_the_same_map():
    chart = Chart(BOX, "places", columns=60)
    assert chart.at((35.0, -178.0)) == chart.at((35.0, 182.0))
    chart.place("Here", 35.0, -178.0)
    y, x = map(round, chart.at((35.0, -178.0)))
    assert chart.map[y, x].tolist() == list(INK)


def test_words_do_not_cover_words():
    chart = Chart(BOX, "words", columns=300)
    for k in range(4):
        chart.place("Chongjin", 35.0 + 0.2 * k, 175.0)
    assert np.count_nonzero(chart.taken) > 2 * 16 * width_px("Chongjin")
    dark = (chart.map == INK).all(axis=2)
    assert np.count_nonzero(dark) > 4 * 37


def test_the_picture_holds_title_map_legend_and_notes(tmp_path):
    chart = Chart(BOX, "all", columns=300)
    chart.legend((RED, BLUE), ("red", "blue"))
    chart.note("a long note " * 6)
    chart.save(tmp_path / "deep" / "chart.png")
    written = (tmp_path / "deep" / "chart.png").read_bytes()
    columns, rows = struct.unpack(">II", written[16:24])
    assert columns == 300
    assert rows == 46 + chart.lat.shape[0] + 32 + 4 * 26 + 8
    again = Chart(BOX, "all", columns=300)
    again.legend((RED, BLUE), ("red", "blue"))
    again.note("a long note " * 6)
    again.save(tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == written
