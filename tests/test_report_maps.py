"""Maps, labels and time line of the report: all that they were made for, nothing across, nothing outside."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
import report_case
from hypothesis import given
from hypothesis import strategies as st

from detectors.event import DARK
from luxwake.report import render
from luxwake.report.labels import Labels
from luxwake.report.projection import Mercator, box_around, path_of
from luxwake.report.score import bounds_words
from luxwake.report.timeline import timeline

latitudes, longitudes = st.floats(-80, 80), st.floats(-180, 179.999)


@given(st.lists(st.tuples(latitudes, longitudes), min_size=1, max_size=8))
def test_a_map_shows_all_that_it_was_made_for(places: list[tuple[float, float]]) -> None:
    lat, lon = [p[0] for p in places], [p[1] for p in places]
    sheet = Mercator(box_around(lat, lon), 960, (100, 2000))
    x, y = sheet.xy(lat, lon)
    assert sheet.shows(x, y, margin=0.6).all()


@given(st.lists(st.tuples(latitudes, longitudes), min_size=2, max_size=6), st.floats(-180, 180))
def test_a_map_turned_around_the_earth_is_the_same_map(places: list[tuple[float, float]], turn: float) -> None:
    lat, lon = np.array([p[0] for p in places]), np.array([p[1] for p in places])
    here, there = box_around(lat, lon), box_around(lat, (lon + turn + 180.0) % 360.0 - 180.0)
    assert math.isclose(here.south, there.south, abs_tol=1e-6) and math.isclose(here.north, there.north, abs_tol=1e-6)
    assert math.isclose(here.span, there.span, abs_tol=1e-6)


def test_a_line_across_180_degrees_is_short() -> None:
    sheet = Mercator(box_around([50.0, 53.0], [178.0, -176.0]), 960, (100, 2000))
    x, _ = sheet.xy([50.0, 53.0], [178.0, -176.0])
    assert x[0] < x[1] < x[0] + 960
    assert "L" in path_of(*sheet.xy([50.0, 53.0], [178.0, -176.0]))


def test_land_is_land_on_a_map_of_three_continents() -> None:
    """Kazakhstan is inside the land of the chain's map, the Indian Ocean is not."""
    import shapely

    from geo.coastline import coastline

    sheet = Mercator(box_around([51.95, 38.93, 42.8], [4.05, 121.75, 132.9], pad=0.14), 960, (300, 460))
    box = sheet.box
    rings = coastline(box.south, box.north, box.west, box.west + box.span)
    polygons = [shapely.Polygon(np.column_stack(sheet.ring_xy(ring[:, 0], ring[:, 1]))) for ring in rings]
    for lat, lon, land in ((50.0, 70.0, True), (55.0, 100.0, True), (30.0, 105.0, True), (40.0, 134.0, False)):
        point = shapely.Point(*(float(v) for v in sheet.xy(lat, lon)))
        inside = sum(bool(shapely.contains_properly(polygon.buffer(0), point)) for polygon in polygons)
        assert inside % 2 == land, (lat, lon)


def test_labels_neither_overlap_nor_leave_the_map() -> None:
    labels = Labels(400.0, 300.0)
    for k in range(40):
        labels.add(200.0 + k % 5, 150.0 + k % 7, f"port number {k}", rank=k)
    labels.place()
    boxes = labels.taken
    assert boxes and labels.left_out == 40 - len(boxes)
    assert all(box[0] >= 0 and box[1] >= 0 and box[2] <= 400 and box[3] <= 300 for box in boxes)
    for n, a in enumerate(boxes):
        assert not [b for b in boxes[:n] if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]]


def test_the_most_important_label_is_placed_first() -> None:
    labels = Labels(90.0, 30.0)
    labels.add(10.0, 15.0, "less", rank=2)
    labels.add(12.0, 15.0, "more", rank=1)
    assert "more" in labels.place()


def test_timeline_hatches_the_silence_and_marks_conflicts_twice() -> None:
    drawn = timeline(report_case.finding(), "t")
    assert drawn.count('fill="url(#t-hatch)"') == 1
    assert drawn.count('class="claim"') == 2
    assert drawn.count('class="bar leg"') == 4
    assert 'class="return"' in drawn


def test_timeline_of_dates_out_of_order_is_drawn() -> None:
    found = report_case.finding()
    found["chain"][0]["t_arrive"] = "2018-01-01T00:00:00Z"
    widths = [float(w) for w in re.findall(r'width="([-0-9.]+)"', timeline(found, "t"))]
    assert widths and min(widths) > 0


def test_an_open_dark_period_has_no_line() -> None:
    rows = [{"kind": DARK, "open": 1, "mmsi": 1, "t_start": 0, "t_end": report_case.DAY, "lat": 10.0, "lon": 20.0}]
    page = render({"findings": []}, report_case.events_of(rows))
    assert 'class="event dark"' in page and 'class="dark-line"' not in page


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"lower": 0.2, "upper": 0.2, "coverage": 1.0}, "0.20"),
        ({"lower": 0.0, "upper": 1.0, "coverage": 0.0}, "unknown"),
        ({"lower": None, "upper": 1.0}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_bounds_in_words(part: dict[str, Any], words: str) -> None:
    assert bounds_words(part) == words
