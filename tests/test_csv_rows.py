"""CSV: every row of every layout becomes a fix or is counted, however the file is cut."""

from __future__ import annotations

import io
import math
from pathlib import Path

import naive_csv
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ais.csv_layout import layout_of
from ais.csv_rows import CsvReader, read_csv
from ais.sources import Reader, chunks
from ais.table import FIX_DTYPES, STATIC_DTYPES, Fixes
from geo.errors import InputError

DATA = Path(__file__).parents[1].parent / "shared" / "data"
NOAA = DATA / "ais" / "csv" / "noaa-marinecadastre-1000rows-2023.csv"
NOAA_2025 = DATA / "ais" / "csv" / "noaa-2025-header-rows.csv"
DMA = DATA / "ais" / "csv" / "dma-real-header-rows.csv"
DAY_FIRST = DATA / "ais" / "csv" / "movingpandas-boat-positions-dayfirst-BOM.csv"
ONE_TRACK = DATA / "tracks" / "noaa_marinecadastre_one_track_2023-02.csv"

NOAA_NAMES = {
    "t": "BaseDateTime", "mmsi": "MMSI", "lat": "LAT", "lon": "LON", "sog": "SOG", "cog": "COG", "heading": "Heading",
    "nav_status": "Status",
}  # fmt: skip
DMA_NAMES = {
    "t": "# Timestamp", "class": "Type of mobile", "mmsi": "MMSI", "lat": "Latitude", "lon": "Longitude", "sog": "SOG",
    "cog": "COG", "heading": "Heading", "nav_status": "Navigational status",
}  # fmt: skip
TRACK_NAMES = NOAA_NAMES | {"t": "send", "mmsi": "mmsi", "lat": "lat", "lon": "lon", "sog": "sog", "cog": "cog",
                            "nav_status": "nav"}  # fmt: skip
BOAT_NAMES = {"t": "ais_pos_timestamp", "mmsi": "ID", "lat": "latitude", "lon": "longitude"}
TWIN_COLUMNS = ("t", "mmsi", "lat", "lon", "sog", "cog", "heading", "nav_status", "offset")


def real(path: Path) -> bytes:
    if not path.exists():
        pytest.skip(f"shared data are not here: {path.name}")
    return path.read_bytes()


def read(text: str | bytes, chunk_bytes: int = 1 << 20) -> tuple[Fixes, dict[str, int]]:
    data = text if isinstance(text, bytes) else text.encode()
    return read_csv(Reader("day.csv", io.BytesIO(data)), 3, chunk_bytes=chunk_bytes)


def same(a: Fixes, b: Fixes) -> bool:
    return all(np.array_equal(a[c], b[c], equal_nan=FIX_DTYPES[c][0] == "f") for c in FIX_DTYPES) and all(
        np.array_equal(a.static[c], b.static[c], equal_nan=STATIC_DTYPES[c][0] == "f") for c in STATIC_DTYPES
    )


def agrees_with_twin(data: bytes, names: dict[str, str]) -> dict[str, int]:
    fixes, counts = read(data)
    expected, expected_counts = naive_csv.read(data, names)
    assert len(fixes) == len(expected)
    for place, column in enumerate(TWIN_COLUMNS):
        wanted = np.array([row[place] for row in expected]).astype(FIX_DTYPES[column])
        assert np.array_equal(fixes[column], wanted, equal_nan=wanted.dtype.kind == "f"), column
    rejected = {reason: n for reason, n in counts.items() if not reason.endswith("not available")}
    assert rejected == expected_counts
    return counts


def test_noaa_sample_agrees_with_twin():
    assert agrees_with_twin(real(NOAA), NOAA_NAMES) == {}


def test_noaa_sample_agrees_with_pandas():
    pandas = pytest.importorskip("pandas")
    fixes, _ = read(real(NOAA))
    frame = pandas.read_csv(NOAA)
    assert len(fixes) == len(frame) == 1000
    assert np.array_equal(fixes["mmsi"], frame["MMSI"])
    assert np.array_equal(fixes["lat"], frame["LAT"])
    assert np.array_equal(fixes["lon"], frame["LON"])
    t = pandas.to_datetime(frame["BaseDateTime"]).to_numpy("datetime64[us]").astype(np.int64)
    assert np.array_equal(fixes["t"], t)
    for column, name, absent in (("sog", "SOG", 102.3), ("cog", "COG", 360.0), ("heading", "Heading", 511.0)):
        wanted = frame[name].where(frame[name] != absent).to_numpy(np.float32)
        assert np.array_equal(fixes[column], wanted, equal_nan=True)
    latest = dict(zip(fixes.static["mmsi"].tolist(), fixes.static["imo"].tolist(), strict=True))
    wanted = frame.drop_duplicates("MMSI", keep="last").set_index("MMSI")["IMO"].str.removeprefix("IMO")
    for mmsi, imo in wanted.fillna("0").astype(int).items():
        assert latest.get(mmsi, 0) == imo


@pytest.mark.parametrize(("path", "names", "rows"), [(ONE_TRACK, TRACK_NAMES, 999), (DAY_FIRST, BOAT_NAMES, 22287)])
def test_other_real_files_agree_with_twin(path, names, rows):
    data = real(path)
    agrees_with_twin(data, names)
    assert len(read(data)[0]) == rows


def test_danish_file_reads_words_and_leaves_stations_out():
    data = real(DMA)
    lines = data.splitlines(keepends=True)
    agrees_with_twin(b"".join(line for line in lines if line.count(b",") == lines[0].count(b",")), DMA_NAMES)
    fixes, counts = read(data)
    assert counts["base station"] == sum(b"Base Station" in line for line in lines)
    assert set(fixes["msg_type"].tolist()) <= {1, 18}
    assert len(fixes) + sum(counts.values()) == len(lines) - 1


def test_noaa_2025_has_longitude_before_latitude():
    fixes, counts = read(real(NOAA_2025))
    assert counts == {}
    assert fixes["lat"].tolist() == [36.96, 38.40362]
    assert fixes["lon"].tolist() == [-76.43, -82.55641]
    assert fixes.static["name"].tolist() == [b"PATRICIA B. MORAN", b"CAPT JEFF IRBY"]
    assert fixes.static["imo"].tolist() == [1079618, 0]
    assert fixes.static["to_stern"].tolist() == [26, 20]


@pytest.mark.parametrize("chunk_bytes", [1, 7, 100, 4096, 1 << 20])
@pytest.mark.parametrize("path", [NOAA, DMA])
def test_size_of_chunks_changes_nothing(path, chunk_bytes):
    data = real(path)[:20_000]
    whole, counts = read(data)
    cut, cut_counts = read(data, chunk_bytes)
    assert same(whole, cut) and counts == cut_counts


WORDS = st.sampled_from(
    ["", "1", "200000001", "55.5", "-12.25", "91", "181", "360", "511", "102.3", "x", '"a,b"', '"a""b"', "nan", " 7 ",
     "2021-03-20 01:02:03", "20/03/2021 01:02", "1616202123", "1616202124.5", '"', "é"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(WORDS, min_size=1, max_size=7), max_size=30), st.sampled_from(["\n", "\r\n", "\r"]), st.data())
def test_any_cut_of_any_rows_gives_the_same_and_loses_none(rows, line_end, data):
    text = line_end.join(["t,mmsi,lat,lon,sog,name"] + [",".join(row) for row in rows]).encode()
    whole, counts = read(text)
    cut, cut_counts = read(text, data.draw(st.integers(1, 200)))
    assert same(whole, cut) and counts == cut_counts
    rejected = sum(n for reason, n in counts.items() if not reason.endswith("not available"))
    lines = [line for line in text.split(line_end.encode())[1:] if line]
    assert len(whole) + rejected == len(lines)


@settings(max_examples=300, deadline=None)
@given(st.floats(-90, 90), st.floats(-180, 180), st.integers(0, 17))
def test_coordinates_equal_float(lat, lon, digits):
    lat, lon = (value if abs(value) > 1e-9 else 0.0 for value in (lat, lon))  # below, the last bit may differ
    texts = [(repr(lat), repr(lon)), (f"{lat:.{digits}f}", f"{lon:.{digits}f}"), (f"{lat:.{digits}e}", f"+{abs(lon)}")]
    rows = "".join(f"1616202123,1,{a},{o}\n" for a, o in texts)
    fixes, counts = read("t,mmsi,lat,lon\n" + rows)
    assert counts == {}
    assert fixes["lat"].tolist() == [float(a) for a, _ in texts]
    assert fixes["lon"].tolist() == [float(o) for _, o in texts]


@settings(max_examples=300, deadline=None)
@given(st.integers(10**15, 10**18 - 1), st.integers(15, 18))
def test_digits_beyond_53_bits_are_rounded_once(mantissa, scale):
    text = f"{mantissa // 10**scale}.{mantissa % 10**scale:0{scale}d}"
    fixes, counts = read(f"t,mmsi,lat,lon\n1616202123,1,1,{text}\n")
    value = float(text)
    assert fixes["lon"].tolist() == ([value] if value <= 180 else [])
    assert len(fixes) + sum(counts.values()) == 1


MOMENT = 1_616_202_123_000_000  # 2021-03-20 01:02:03 UTC


@pytest.mark.parametrize(
    ("text", "t"),
    [
        ("2021-03-20T01:02:03", MOMENT),
        ("2021-03-20 01:02:03", MOMENT),
        ("2021-03-20T01:02:03Z", MOMENT),
        ("2021-03-20T01:02:03.5Z", MOMENT + 500_000),
        ("2021-03-20T01:02:03.123456789", MOMENT + 123_456),
        ("2021-03-20T02:02:03+01:00", MOMENT),
        ("2021-03-19 20:32:03-0430", MOMENT),
        ("2021-03-20 01:02:03.25 +0000 UTC", MOMENT + 250_000),
        ("2021-03-20 01:02:03 GMT", MOMENT),
        ("2021-03-20 01:02", MOMENT - 3_000_000),
        ("2021/03/20 1:02:03", MOMENT),
        ("20210320_010203", MOMENT),
        ("20210320T010203Z", MOMENT),
        ("2021-03-20 1:02:03 AM", MOMENT),
        ("2021-03-20 12:02:03 am", MOMENT - 3_600_000_000),
        ("2021-03-20 01:02:03 PM", MOMENT + 12 * 3_600_000_000),
        ("1616202123", MOMENT),
        ("1616202123.25", MOMENT + 250_000),
        ("1616202123000", MOMENT),
        ("1616202123000.5", MOMENT + 500),
        ("1616202123000000", MOMENT),
        ("1616202123000000999", MOMENT),
        ('"2021-03-20 01:02:03"', MOMENT),
        ("2020-02-29T00:00:00", 1_582_934_400_000_000),
        ("2016-12-31T23:59:60", 1_483_228_800_000_000),
    ],
)
def test_time_is_read_in_each_form(text, t):
    fixes, counts = read(f"t,mmsi,lat,lon\n{text},1,1,1\n")
    assert counts == {}
    assert fixes["t"].tolist() == [t]


@pytest.mark.parametrize(
    "text",
    ["2021-02-29T00:00:00", "2021-13-01T00:00:00", "2021-00-10T00:00:00", "2021-03-20T24:00:00", "2021-03-20T01:60:00",
     "2021-03-20", "2021-03-20T", "2021-03-20T01", "2021-03-20T01:02:03X", "2021-03-20T01:02:03+1", "12", "yesterday",
     "20210320", "2021-03-20T13:00:00 PM", "99999999999999", "2021-03-20T01:02:0x", "-1616202123", "2021-03-20 1:2:3"],
)  # fmt: skip
def test_time_that_cannot_be_meant_is_counted(text):
    fixes, counts = read(f"t,mmsi,lat,lon\n{text},1,1,1\n")
    assert len(fixes) == 0 and counts == {"unreadable time": 1}


def test_each_reason_is_counted():
    rows = {
        "2021-03-20T01:02:03,1,1": "wrong number of fields",
        ",1,1,1": "no time",
        "nan,1,1,1": "no time",
        "2021-03-20T01:02:03,,1,1": "no MMSI",
        "2021-03-20T01:02:03,x,1,1": "unreadable MMSI",
        "2021-03-20T01:02:03,0,1,1": "MMSI out of range",
        "2021-03-20T01:02:03,1073741823,1,1": "MMSI out of range",
        "2021-03-20T01:02:03,1.5,1,1": "MMSI out of range",
        "2021-03-20T01:02:03,1,91,0": "no position",
        "2021-03-20T01:02:03,1,1,181.0": "no position",
        "2021-03-20T01:02:03,1,,1": "no position",
        "2021-03-20T01:02:03,1,1 N,1": "unreadable position",
        "2021-03-20T01:02:03,1,90.01,1": "latitude out of range",
        "2021-03-20T01:02:03,1,1,-180.5": "longitude out of range",
    }
    for row, reason in rows.items():
        fixes, counts = read(f"t,mmsi,lat,lon\n{row}\n")
        assert len(fixes) == 0 and counts == {reason: 1}, row


def test_sentinels_are_not_available_and_faults_are_counted():
    head = "t,mmsi,lat,lon,sog,cog,heading,status\n"
    row = "1616202123,1,1,1,"
    fixes, counts = read(head + row + "102.3,360.0,511,15\n" + row + "102.2,359.9,359,14\n" + row + "63,511,0,0.0\n")
    assert counts == {}
    assert np.array_equal(fixes["sog"], np.array([math.nan, 102.2, 63], np.float32), equal_nan=True)
    assert np.array_equal(fixes["cog"], np.array([math.nan, 359.9, math.nan], np.float32), equal_nan=True)
    assert np.array_equal(fixes["heading"], np.array([math.nan, 359, 0], np.float32), equal_nan=True)
    assert fixes["nav_status"].tolist() == [15, 14, 0]
    fixes, counts = read(head + row + "-1,-149.6,400,99\n" + row + "x,x,x,x\n")
    assert np.isnan([fixes["sog"], fixes["cog"], fixes["heading"]]).all()
    assert sorted(counts.values()) == [1, 1, 1, 1, 1, 1, 2]


def test_static_row_where_a_value_changes():
    head = "t,mmsi,lat,lon,name,imo,callsign,shiptype,length,width,draught,destination,eta\n"
    rows = [
        '1616202123,7,1,1,"MIN, ""A""",IMO9999999,AB1,70,200.4,32,9.5,OSAKA@@@@,31/12/2021 10:30:00',
        '1616202124,7,1,1,"MIN, ""A""",9999999,AB1,70.0,200,32.0,9.50,OSAKA,31/12/2021 10:30:00',
        "1616202125,7,1,1,,,,,,,,,",
        "1616202126,8,1,1,OTHER,,,Cargo,,,0,Unknown,",
        '1616202127,7,1,1,"MIN, ""A""",9999999,AB1,70,200,32,10.1,OSAKA,31/12/2021 10:30:00',
        '1616202128,7,91,0,"MIN, ""A""",9999999,AB1,70,200,32,11.1,OSAKA,31/12/2021 10:30:00',
    ]
    layout_row = "31/12/2021 00:00:00,9,1,1,,,,,,,,,"
    fixes, counts = read(head + "\n".join([*rows, layout_row]) + "\n")
    static = fixes.static
    assert counts == {"no position": 1} and len(fixes) == 6
    assert static["mmsi"].tolist() == [7, 8, 7, 7]
    assert static["name"].tolist() == [b'MIN, "A"', b"OTHER", b'MIN, "A"', b'MIN, "A"']
    assert static["imo"].tolist() == [9999999, 0, 9999999, 9999999]
    assert static["ship_type"].tolist() == [70] * 4
    assert static["to_stern"].tolist() == [200, 0, 200, 200] and static["to_bow"].tolist() == [0] * 4
    assert static["to_starboard"].tolist() == [32, 0, 32, 32]
    assert np.array_equal(static["draught"], np.array([9.5, math.nan, 10.1, 11.1], np.float32), equal_nan=True)
    assert static["destination"].tolist() == [b"OSAKA", b"", b"OSAKA", b"OSAKA"]
    assert static["eta"][0] == 12 << 16 | 31 << 11 | 10 << 6 | 30
    assert static["t"].tolist() == [(1616202123 + k) * 1_000_000 for k in (0, 3, 4, 5)]
    assert set(static["source"].tolist()) == {3}


def test_offset_is_where_the_row_stands():
    text = b"# exported\r\nt,mmsi,lat,lon\r\n\r\n1616202123,1,1,1\r\n1616202123,2,91,0\r\n1616202123,3,2,2"
    fixes, _ = read(text)
    assert [text[offset:].split(b"\r\n")[0] for offset in fixes["offset"]] == [b"1616202123,1,1,1", b"1616202123,3,2,2"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_told_by_the_header(delimiter):
    text = "mmsi,lon,lat,date_time_utc,sog\n7,12.5,55.5,2020-01-01 00:00:00,9.9\n".replace(",", delimiter)
    fixes, _ = read(text)
    assert (fixes["lat"][0], fixes["lon"][0], fixes["mmsi"][0]) == (55.5, 12.5, 7)


@pytest.mark.parametrize(("decider", "t"), [("03/20", 1_620_262_923_000_000), ("20/03", 1_622_854_923_000_000)])
def test_order_of_day_and_month_is_told_by_a_value_over_twelve(decider, t):
    rows = f"1,1,1,05/06/2021 01:02:03\n1,1,1,{decider}/2021 01:02:03\n"
    fixes, counts = read("mmsi,lat,lon,timestamp\n" + rows)
    assert counts == {}
    assert fixes["t"].tolist() == [t, MOMENT]


def test_dates_that_tell_no_order_are_refused():
    with pytest.raises(InputError, match=r"day\.csv: dates such as 05/06/2021 may be day or month first"):
        read("mmsi,lat,lon,timestamp\n1,1,1,05/06/2021 01:02:03\n")


def test_missing_column_is_named_with_what_is_there():
    with pytest.raises(InputError, match=r"day\.csv: no column for longitude; the header has MMSI, BaseDateTime, LAT"):
        read("MMSI,BaseDateTime,LAT\n1,2021-01-01T00:00:00,1\n")
    with pytest.raises(InputError, match=r"day\.csv is empty"):
        read("")


def test_old_noaa_header_with_a_slip_gives_the_class():
    head = "MMSI,BaseDateTime,LAT,LON,SOG,TranscieverClass\n"
    fixes, _ = read(head + "1,2017-01-01T00:00:00,1,1,1,A\n2,2017-01-01T00:00:00,1,1,1,B\n")
    assert fixes["msg_type"].tolist() == [1, 18]


def test_line_over_a_mebibyte_is_left_out_and_counted():
    row = "1616202123,1,1,1,\n"
    text = "t,mmsi,lat,lon,name\n" + row + "1616202123,2,1,1," + "x" * (1 << 20) + "\n" + row
    for chunk_bytes in (1000, 1 << 24):
        fixes, counts = read(text, chunk_bytes)
        assert fixes["mmsi"].tolist() == [1, 1] and counts == {"line over 1 MiB": 1}
        assert fixes["offset"].tolist()[1] == len(text) - len(row)


def test_blocks_of_a_reader_join_to_the_whole():
    text = ("t,mmsi,lat,lon,name\n" + "".join(f"{1616202123 + k},{1 + k},1,1,N{k}\n" for k in range(20_000))).encode()
    rows = CsvReader(layout_of("day.csv", text))
    blocks = [block for chunk in chunks(Reader("day.csv", io.BytesIO(text))) for block in rows.read(chunk)]
    assert len(blocks) > 1  # more static rows than one block holds
    assert sum(map(len, blocks)) == 20_000 == sum(len(block.static) for block in blocks)
