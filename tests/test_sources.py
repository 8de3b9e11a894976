"""Sources: packing, damage, chunks, formats, folders; and Parquet."""

from __future__ import annotations

import bz2
import gzip
import io
import math
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from ais.parquet import read_parquet
from ais.sources import LONGEST_LINE, PADDING, Chunk, Reader, chunks, expand, format_of, open_bytes, sniff
from geo.errors import InputError

DATA = Path(__file__).parents[1].parent / "shared" / "data"
GFW = DATA / "tracks" / "gfw_segment_half_2021-01.parquet"
SENTENCE = b"!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23\r\n"
TEXT = b"".join(b"line %d with some text that packs well\n" % k for k in range(40_000))


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


PACK = {"plain": bytes, "gzip": gzip.compress, "bzip2": bz2.compress, "zstd": zstd}
PACKED = [name for name in PACK if name != "plain"]


def reader(data: bytes) -> Reader:
    return Reader("day.nmea", io.BytesIO(data))


def joined(parts: list[Chunk]) -> bytes:
    return b"".join(bytes(part.data[: part.n]) for part in parts)


@pytest.mark.parametrize("packing", PACK)
def test_packing_is_told_by_content(packing, tmp_path):
    path = tmp_path / "wrong-name.csv"
    path.write_bytes(PACK[packing](TEXT))
    with open_bytes(path) as opened:
        assert opened.packing == packing
        assert opened.head(20) == TEXT[:20]
        assert opened.head(10) == TEXT[:10]
        view = memoryview(bytearray(len(TEXT) + 1))
        assert opened.readinto(view) == len(TEXT)
        assert view[: len(TEXT)] == TEXT


@pytest.mark.parametrize("packing", PACKED)
def test_packed_streams_one_after_the_other_are_one(packing):
    pack = PACK[packing]
    assert joined(list(chunks(reader(pack(b"one\n") + pack(b"") + pack(TEXT))))) == b"one\n" + TEXT


def test_zeros_after_a_gzip_stream_are_padding():
    assert joined(list(chunks(reader(gzip.compress(TEXT) + bytes(1000))))) == TEXT


def test_zstd_may_begin_with_a_skippable_frame():
    frame = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"
    assert joined(list(chunks(reader(frame + zstd(TEXT))))) == TEXT


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("whole_streams", [0, 1])
def test_stream_that_ends_early_is_an_error_with_the_place(packing, whole_streams):
    packed = PACK[packing](TEXT)
    with pytest.raises(
        InputError, match=rf"day\.nmea: {packing} stream ends early after [\d,]+ bytes.*download it again"
    ):
        list(chunks(reader(packed * whole_streams + packed[:-5])))


@settings(max_examples=60)
@given(st.sampled_from(PACKED), st.integers(0, 10_000), st.integers(1, 255))
def test_damaged_stream_never_gives_other_text(packing, place, change):
    packed = bytearray(PACK[packing](TEXT))
    packed[4 + place % (len(packed) - 4)] ^= change
    try:
        assert joined(list(chunks(reader(bytes(packed))))) == TEXT
    except InputError as error:
        assert "\n" not in str(error) and "day.nmea" in str(error)


def test_damage_behind_the_head_lets_the_format_be_told():
    packed = gzip.compress(SENTENCE * 50_000)[:-2000]
    damaged = reader(packed)
    assert format_of(damaged) == "nmea"
    with pytest.raises(InputError, match="ends early"):
        list(chunks(damaged))


def test_standard_input_is_sniffed_and_then_read(monkeypatch):
    class Input:
        buffer = io.BytesIO(gzip.compress(SENTENCE * 3))

    monkeypatch.setattr(sys, "stdin", Input)
    with open_bytes("-") as opened:
        assert format_of(opened) == "nmea"
        assert joined(list(chunks(opened))) == SENTENCE * 3
    assert not Input.buffer.closed


@settings(max_examples=300)
@given(st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r", b"\r\n", b"x" * 40]), max_size=60), st.integers(1, 120))
def test_chunks_are_whole_lines_with_their_offset(pieces, size):
    text = b"".join(pieces)
    parts = list(chunks(reader(text), size))
    assert joined(parts) == text
    assert [part.last for part in parts] == [False] * (len(parts) - 1) + [True]
    offset = 0
    for part in parts:
        assert part.offset == offset and part.long_lines == 0
        offset += part.n
        assert part.data.dtype == np.uint8 and len(part.data) == part.n + PADDING
        assert not part.data[part.n :].any()
        assert part.last or part.data[part.n - 1] in b"\r\n"


@pytest.mark.parametrize("size", [1000, LONGEST_LINE, 5 * LONGEST_LINE])
def test_line_over_the_limit_is_left_out_wherever_it_is_cut(size):
    longest = b"y" * (LONGEST_LINE - 1) + b"\n"
    too_long = b"x" * LONGEST_LINE + b"\n"
    text = b"a\n" + too_long + longest + too_long + too_long + b"b\n" + too_long[:-1]
    parts = list(chunks(reader(text), size))
    assert joined(parts) == b"a\n" + longest + b"b\n"
    assert sum(part.long_lines for part in parts) == 4
    for part in parts:
        assert text[part.offset : part.offset + part.n] == bytes(part.data[: part.n])


def test_endless_line_needs_bounded_memory():
    class Endless(io.RawIOBase):
        left = 40 * LONGEST_LINE

        def read(self, size: int = -1) -> bytes:
            size = min(size, self.left)
            self.left -= size
            return b"x" * size

    parts = list(chunks(Reader("endless", Endless()), 1 << 20))
    assert [(part.n, part.last, part.long_lines) for part in parts] == [(0, True, 1)]


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (SENTENCE, "nmea"),
        (b"\\c:1565218798*53\\" + SENTENCE, "nmea"),
        (b"$PGHP,1,2010,6,11,11,46,11,390,231,45,992190934,1,2B*5B\n", "nmea"),
        (b"# 2006-07-15\n\n  \n" + SENTENCE, "nmea"),
        (b"10/07/19 17:36:42:075 " + SENTENCE, "nmea"),
        (b"\x00\xff noise " + SENTENCE, "nmea"),
        (b"MMSI,BaseDateTime,LAT,LON,SOG\n", "noaa"),
        (b"\xef\xbb\xbfmmsi,base_date_time,longitude,latitude,sog\r\n", "noaa-2025"),
        (b"# Timestamp,Type of mobile,MMSI,Latitude,Longitude\n", "dma"),
        (b"ssvid;timestamp;lat;lon\n", "gfw"),
        (b"PAR1\x15\x04", "parquet"),
    ],
)
def test_format_is_told_by_content(head, name):
    assert sniff(head) == name


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a.csv is empty"),
        (b"\n \r\n", "a.csv holds only blank lines"),
        (b"PK\x03\x04 and so on", "a.csv: zip archive is damaged or ends early; download or unpack it again"),
        (b'{"mmsi": 1}', "a.csv: not AIS: JSON without MMSI, time and position"),
        (b"\xff\xfea\x00", "a.csv: not AIS: this is UTF-16 text"),
        (b"\x89PNG\r\n\x1a\n\x00", r"a.csv: not AIS: binary data that begin with"),
        (b"name,price\nx,1\n", r"a.csv: not AIS: first line is 'name,price'; formats known: nmea, noaa"),
        (gzip.compress(b"", mtime=0), "a.csv is empty"),
    ],
)
def test_what_is_no_ais_is_named(data, message, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    with pytest.raises(InputError) as error:
        format_of(path)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_expand_gives_files_of_folders_patterns_and_names(tmp_path):
    for name in ("b.nmea", "a.nmea", "sub/c.nmea", ".hidden.nmea", ".git/d.nmea"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(SENTENCE)
    (tmp_path / "README").write_text("words")
    left_out: list[tuple[Path, str]] = []
    names = [path.relative_to(tmp_path).as_posix() for path in expand([tmp_path], left_out)]
    assert names == ["a.nmea", "b.nmea", "sub/c.nmea"]
    assert {path.name for path, _ in left_out} == {".hidden.nmea", "README"}
    assert [path.name for path in expand([str(tmp_path / "*.nmea"), tmp_path / "a.nmea", "-"])] == [
        "a.nmea",
        "b.nmea",
        "-",
    ]
    with pytest.raises(InputError, match="no such file or folder"):
        expand([tmp_path / "missing.nmea"])
    with pytest.raises(InputError, match="no file matches"):
        expand([str(tmp_path / "*.csv")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no AIS data in this folder"):
        expand([tmp_path / "empty"])


def test_missing_file_and_folder_are_errors(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        open_bytes(tmp_path / "none")
    with pytest.raises(InputError, match="is a folder"):
        open_bytes(tmp_path)


def test_every_real_file_has_the_format_of_its_folder(shared_data):
    found = {path.relative_to(shared_data).as_posix(): format_of(path) for path in expand([shared_data / "ais"])}
    assert {form for path, form in found.items() if not path.startswith("ais/csv")} == {"nmea"}
    assert found["ais/csv/dma-real-header-rows.csv"] == "dma"
    assert found["ais/csv/noaa-2025-header-rows.csv"] == "noaa-2025"
    assert found["ais/csv/noaa-marinecadastre-1000rows-2023.csv"] == "noaa"
    assert found["ais/csv/movingpandas-boat-positions-dayfirst-BOM.csv"] == "csv"
    assert len(found) == 25


def parquet(path: Path, select: str) -> Path:
    duckdb.sql(f"copy ({select}) to '{path}' (format parquet)")
    return path


@pytest.mark.parametrize(
    "t",
    ["timestamp '2021-03-20 01:02:03'", "timestamptz '2021-03-20 02:02:03+01'", "1616202123", "1616202123000::bigint",
     "1616202123000000::bigint", "1616202123000000123::bigint", "1616202123.0::double", "'2021-03-20T01:02:03Z'"],
)  # fmt: skip
def test_parquet_time_is_read_in_each_form(t, tmp_path):
    path = parquet(tmp_path / "a [1].parquet", f"select {t} as time, 7 as ssvid, 1.5 as latitude, -2.5 as longitude")
    fixes, counts = read_parquet(path, 4)
    assert counts == {}
    assert (fixes["t"][0], fixes["mmsi"][0], fixes["lat"][0], fixes["lon"][0]) == (1_616_202_123_000_000, 7, 1.5, -2.5)
    assert fixes["source"].tolist() == [4]


def test_parquet_rows_are_counted_by_reason(tmp_path):
    rows = """(values (1616202123, 1, 1.0, 1.0, 102.3, 360.0, 'At anchor', 1),
        (null, 1, 1, 1, 1, 1, '1', 1),
        (12, 1, 1, 1, 1, 1, '1', 1),
        (1616202123, null, 1, 1, 1, 1, '1', 1),
        (1616202123, 1073741823, 1, 1, 1, 1, '1', 1),
        (1616202123, 1, 91, 0, 1, 1, '1', 1),
        (1616202123, 1, null, 0, 1, 1, '1', 1),
        (1616202123, 1, 1, 181, 1, 1, '1', 1),
        (1616202123, 1, -90.5, 0, 1, 1, '1', 1),
        (1616202123, 1, 1, 180.5, 1, 1, '1', 1),
        (1616202123, 1, 1, 1, 1, 1, '1', 4),
        (1616202123, 2, 1, 1, 9.5, -3, 'no word', 18)) r(t, mmsi, lat, lon, sog, cog, status, msg_type)"""
    fixes, counts = read_parquet(parquet(tmp_path / "a.parquet", f"from {rows}"))
    assert counts == {
        "no time": 1, "unreadable time": 1, "no MMSI": 1, "MMSI out of range": 1, "no position": 3,
        "latitude out of range": 1, "longitude out of range": 1, "base station": 1,
        "course out of range, taken as not available": 1, "unknown navigational status, taken as not available": 1,
    }  # fmt: skip
    assert fixes["offset"].tolist() == [0, 11]
    assert np.array_equal(fixes["sog"], np.array([math.nan, 9.5], np.float32), equal_nan=True)
    assert fixes["nav_status"].tolist() == [1, 15]
    assert fixes["msg_type"].tolist() == [1, 18]


def test_parquet_static_row_where_a_value_changes(tmp_path):
    rows = """(values (1, 7, 'A@@', 'IMO9999999', 'Cargo, all', 200.4, 9.5), (2, 7, 'A', '9999999', 'Cargo', 200, 9.5),
        (3, 7, null, null, null, null, null), (4, 7, 'B', '9999999', '70', 200, 0))
        r(s, mmsi, name, imo, type, length, draught)"""
    select = f"select 1616202123 + s as t, 1.0 as lat, 2.0 as lon, * from {rows}"
    static = read_parquet(parquet(tmp_path / "a.parquet", select))[0].static
    assert static["name"].tolist() == [b"A", b"B"]
    assert static["imo"].tolist() == [9999999, 9999999]
    assert static["ship_type"].tolist() == [70, 70]
    assert static["to_stern"].tolist() == [200, 200]
    assert np.array_equal(static["draught"], np.array([9.5, math.nan], np.float32), equal_nan=True)
    assert static["offset"].tolist() == [0, 3]


def test_parquet_faults_are_one_line(tmp_path):
    path = parquet(tmp_path / "a.parquet", "select 1 as t, 2 as mmsi, 3.0 as lat")
    with pytest.raises(InputError, match=r"a\.parquet: no column for longitude; the file has t, mmsi, lat; rename"):
        read_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"a\.parquet: cannot be read as Parquet") as error:
        read_parquet(path)
    assert "\n" not in str(error.value)
    with pytest.raises(InputError, match="no such file"):
        read_parquet(tmp_path / "none.parquet")


def test_real_parquet_agrees_with_a_query_of_its_own():
    if not GFW.exists():
        pytest.skip(f"shared data are not here: {GFW.name}")
    fixes, counts = read_parquet(GFW)
    positions = "lat between -90 and 90 and lon between -180 and 180"
    rows = duckdb.sql(
        f"select epoch_us(timestamp), mmsi, lat, lon, sog, cog from '{GFW}' where {positions}"
    ).fetchnumpy()
    t, mmsi, lat, lon, sog, cog = (np.ma.filled(column.astype(float), np.nan) for column in rows.values())
    assert len(fixes) == len(t) and len(fixes) + counts["no position"] == 42_208
    for name, wanted in (("t", t), ("mmsi", mmsi), ("lat", lat), ("lon", lon)):
        assert np.array_equal(fixes[name].astype(float), wanted), name
    assert np.array_equal(fixes["sog"], np.where(sog < 102.25, sog, np.nan).astype(np.float32), equal_nan=True)
    assert np.array_equal(fixes["cog"], np.where(cog < 360, cog, np.nan).astype(np.float32), equal_nan=True)
    assert len(np.unique(fixes["mmsi"])) == 28
