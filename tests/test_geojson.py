"""GeoJSON of events: valid by RFC 7946, complete, cut at 180 degrees, the same text for the same events."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
import report_case
from hypothesis import given
from hypothesis import strategies as st

from detectors.event import DARK, LOITERING, Events
from geo.errors import OutputError
from luxwake.geojson import cut_line, events_geojson, iso_utc, write_events_geojson

longitudes = st.integers(-1_800_000_000, 1_800_000_000).map(lambda n: n / 1e7)
positions = st.tuples(st.integers(-900_000_000, 900_000_000).map(lambda n: n / 1e7), longitudes)


def collection(events: Events) -> dict[str, Any]:
    """The FeatureCollection, read by a parser that takes no NaN."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    made: dict[str, Any] = json.loads("".join(events_geojson(events)), parse_constant=refuse)
    return made


def positions_in(geometry: dict[str, Any]) -> list[list[float]]:
    coordinates = geometry["coordinates"]
    if geometry["type"] == "Point":
        return [coordinates]
    return coordinates if geometry["type"] == "LineString" else [p for line in coordinates for p in line]


def test_each_kind_has_its_geometry() -> None:
    features = collection(report_case.events())["features"]
    kinds = [(feature["properties"]["kind"], (feature["geometry"] or {}).get("type")) for feature in features]
    assert kinds == [
        ("port_call", "Point"),
        ("dark", "LineString"),
        ("loitering", "Point"),
        ("rendezvous", "Point"),
        ("dark", "MultiLineString"),
        ("dark", "Point"),
    ]


def test_longitude_comes_first_and_no_position_is_off_the_globe() -> None:
    for feature in collection(report_case.events())["features"]:
        for lon, lat in positions_in(feature["geometry"]):
            assert -180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0
    first = collection(report_case.events())["features"][0]
    assert first["geometry"]["coordinates"] == [129.05, 35.1]


def test_line_across_180_degrees_is_cut_on_the_meridian() -> None:
    west, east = collection(report_case.events())["features"][4]["geometry"]["coordinates"]
    assert west[0] == [178.0, 51.0] and west[1][0] == 180.0
    assert east[0][0] == -180.0 and east[1] == [-176.0, 53.0]
    assert west[1][1] == east[0][1] == pytest.approx(51.0 + 2.0 * 2.0 / 6.0, abs=1e-6)


@given(positions, positions)
def test_a_cut_line_is_as_long_as_the_short_way_and_never_jumps(a: tuple[float, float], b: tuple[float, float]) -> None:
    lines = cut_line(a, b)
    assert lines[0][0] == (a[1], a[0]) or len(lines) == 1
    across = sum(abs(line[-1][0] - line[0][0]) for line in lines)
    assert across == pytest.approx(min(abs(a[1] - b[1]), 360.0 - abs(a[1] - b[1])), abs=1e-6)
    for line in lines:
        low, high = sorted((a[0], b[0]))
        assert all(low - 1e-6 <= lat <= high + 1e-6 for _, lat in line)


def test_what_is_not_known_is_null_and_never_a_sentinel() -> None:
    loitering = collection(report_case.events())["features"][2]["properties"]
    names = (
        "other",
        "other_hull",
        "cell",
        "port",
        "coverage",
        "distance_m",
        "other_first_source",
        "other_first_offset",
    )
    assert {name: loitering[name] for name in names} == dict.fromkeys(names)
    assert collection(report_case.events())["features"][4]["properties"]["score"] is None


def test_times_are_iso_and_cells_are_hex() -> None:
    rows = [
        {
            "kind": LOITERING,
            "mmsi": 5,
            "t_start": 0,
            "t_end": 500_000,
            "cell": 0x8730ED9B1FFFFFF,
            "lat": 1.0,
            "lon": 2.0,
        }
    ]
    properties = collection(report_case.events_of(rows))["features"][0]["properties"]
    assert properties["t_start"] == "1970-01-01T00:00:00Z"
    assert properties["t_end"] == "1970-01-01T00:00:00.500000Z"
    assert properties["cell"] == "8730ed9b1ffffff"


def test_float32_columns_keep_the_digits_that_they_hold() -> None:
    rows = [{"kind": LOITERING, "mmsi": 5, "score": 0.1, "lat": 1.0, "lon": 2.0}]
    line = next(
        text for text in events_geojson(report_case.events_of(rows)) if 'Feature"' in text and "loitering" in text
    )
    assert '"score":0.1,' in line


def test_sources_are_named() -> None:
    properties = collection(report_case.events())["features"][1]["properties"]
    assert properties["first_source"] == "track.nmea" and properties["last_offset"] == 812_345


def test_every_column_is_in_the_file_once() -> None:
    events = report_case.events()
    for feature in collection(events)["features"]:
        assert set(feature["properties"]) | {"id", "lat", "lon", "lat_end", "lon_end"} >= set(events)


def test_position_that_is_not_known_is_a_null_geometry() -> None:
    feature = collection(report_case.events_of([{"kind": DARK, "mmsi": 7}]))["features"][0]
    assert feature["geometry"] is None


def test_one_event_a_line_and_the_same_text_twice() -> None:
    texts = ["".join(events_geojson(report_case.events())) for _ in range(2)]
    assert texts[0] == texts[1]
    assert len(texts[0].splitlines()) == len(report_case.events()) + 2


def test_names_with_quotes_and_line_ends_stay_valid() -> None:
    events = report_case.events()
    events.sources = ('a"b\n\u2028.nmea', "ü.csv")
    assert collection(events)["features"][0]["properties"]["first_source"] == 'a"b\n\u2028.nmea'


def test_hundreds_of_random_events_are_valid() -> None:
    noise = np.random.default_rng(11)
    rows = [
        {"kind": int(noise.integers(0, 4)), "mmsi": k}
        | {name: noise.uniform(-90, 90) for name in ("lat", "lat_end")}
        | {name: noise.uniform(-180, 180) for name in ("lon", "lon_end")}
        for k in range(400)
    ]
    features = collection(report_case.events_of(rows))["features"]
    assert len(features) == 400
    for feature in features:
        if feature["geometry"]["type"] == "MultiLineString":
            first, second = feature["geometry"]["coordinates"]
            assert abs(first[-1][0]) == abs(second[0][0]) == 180.0


def test_file_is_written_whole_or_not_at_all(tmp_path: Any) -> None:
    target = write_events_geojson(report_case.events(), tmp_path / "events.geojson")
    assert json.loads(target.read_text())["type"] == "FeatureCollection"
    with pytest.raises(OutputError, match=re.escape("another place")):
        write_events_geojson(report_case.events(), tmp_path / "absent" / "events.geojson")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError):
        write_events_geojson(report_case.events(), tmp_path / "folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events.geojson", "folder"]


def test_time_that_no_calendar_holds_is_null() -> None:
    assert iso_utc(2**63 - 1) is None and iso_utc(-(2**63)) is None
