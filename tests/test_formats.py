"""The layouts of each publisher, by the header that it writes; zip; GeoParquet; columns given by hand; MMSI classes."""

from __future__ import annotations

import gzip
import io
import json
import math
import struct
import zipfile
from pathlib import Path

import duckdb
import numpy as np
import pytest

from ais.csv_names import parse_columns
from ais.csv_rows import read_csv
from ais.mmsi import MMSI_CLASSES, mmsi_class
from ais.parquet import read_parquet
from ais.read import read
from ais.sources import Reader, expand, format_of, open_bytes, sniff
from ais.table import Fixes
from ais.unpack import file_of
from geo.errors import InputError, UsageError

MOMENT = 1_625_165_513_000_000  # 2021-07-01 18:51:53 UTC
ROW = "mmsi,t,lat,lon\n671999101,2021-07-01 18:51:53,1.5,2.5\n"

NOAA = ("MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading,VesselName,IMO,CallSign,VesselType,Status,Length,Width,Draft,Cargo,"
        "TransceiverClass")  # fmt: skip
NOAA_2025 = ("mmsi,base_date_time,longitude,latitude,sog,cog,heading,vessel_name,imo,call_sign,vessel_type,status,"
             "length,width,draft,cargo,transceiver")  # fmt: skip
DMA = ("# Timestamp,Type of mobile,MMSI,Latitude,Longitude,Navigational status,ROT,SOG,COG,Heading,IMO,Callsign,Name,"
       "Ship type,Cargo type,Width,Length,Type of position fixing device,Draught,Destination,ETA,Data source type,A,B,"
       "C,D")  # fmt: skip
EXACT_EARTH = """
MMSI,Message_ID,Repeat_indicator,Time,Millisecond,Region,Country,Base_station,Online_data,Group_code,Sequence_ID,
Channel,Data_length,Vessel_Name,Call_sign,IMO,Ship_Type,Dimension_to_Bow,Dimension_to_stern,Dimension_to_port,
Dimension_to_starboard,Draught,Destination,AIS_version,Navigational_status,ROT,SOG,Accuracy,Longitude,Latitude,COG,
Heading,Regional,Maneuver,RAIM_flag,Communication_flag,Communication_state,UTC_year,UTC_month,UTC_day,UTC_hour,
UTC_minute,UTC_second,Fixing_device,Transmission_control,ETA_month,ETA_day,ETA_hour,ETA_minute,Sequence,
Destination_ID,Retransmit_flag,Country_code,Functional_ID,Data,Destination_ID_1,Sequence_1,Destination_ID_2,
Sequence_2,Destination_ID_3,Sequence_3,Destination_ID_4,Sequence_4,Altitude,Altitude_sensor,Data_terminal,Mode,
Safety_text,Non-standard_bits,Name_extension,Name_extension_padding,Message_ID_1_1,Offset_1_1,Message_ID_1_2,
Offset_1_2,Message_ID_2_1,Offset_2_1,Destination_ID_A,Offset_A,Increment_A,Destination_ID_B,offsetB,incrementB,
data_msg_type,station_ID,Z_count,num_data_words,health,unit_flag,display,DSC,band,msg22,offset1,num_slots1,timeout1,
Increment_1,Offset_2,Number_slots_2,Timeout_2,Increment_2,Offset_3,Number_slots_3,Timeout_3,Increment_3,Offset_4,
Number_slots_4,Timeout_4,Increment_4,ATON_type,ATON_name,off_position,ATON_status,Virtual_ATON,Channel_A,Channel_B,
Tx_Rx_mode,Power,Message_indicator,Channel_A_bandwidth,Channel_B_bandwidth,Transzone_size,Longitude_1,Latitude_1,
Longitude_2,Latitude_2,Station_Type,Report_Interval,Quiet_Time,Part_Number,Vendor_ID,Mother_ship_MMSI,
Destination_indicator,Binary_flag,GNSS_status,spare,spare2,spare3,spare4
""".replace("\n", "").split(",")
SPIRE = ("created_at,timestamp,mmsi,msg_type,latitude,longitude,speed,course,heading,rot,imo,name,call_sign,flag,"
         "draught,ship_type,length,width,eta,destination,status,maneuver,accuracy,collection_type")  # fmt: skip
STATSAT = "mmsi;lon;lat;date_time_utc;sog;cog;true_heading;nav_status;rot;message_nr;source"
AISHUB = ("MMSI,TIME,LONGITUDE,LATITUDE,COG,SOG,HEADING,NAVSTAT,PAC,ROT,IMO,NAME,CALLSIGN,TYPE,DEVICE,A,B,C,D,DRAUGHT,"
          "DEST,ETA")  # fmt: skip
VESSEL_FINDER = ("MMSI,TIMESTAMP,LATITUDE,LONGITUDE,COURSE,SPEED,HEADING,NAVSTAT,IMO,NAME,CALLSIGN,TYPE,A,B,C,D,"
                 "DRAUGHT,DESTINATION,ETA_AIS,ETA,SRC,ZONE,ECA")  # fmt: skip
MARINE_TRAFFIC = "MMSI,IMO,SHIP_ID,LAT,LON,SPEED,HEADING,COURSE,STATUS,TIMESTAMP,DSRC,UTC_SECONDS"
GFW_TRAINING = "mmsi,timestamp,distance_from_shore,distance_from_port,speed,course,lat,lon,is_fishing,source"


def rows(text: str, columns: dict[str, str] | None = None) -> tuple[Fixes, dict[str, int]]:
    return read_csv(Reader("day.csv", io.BytesIO(text.encode())), columns=columns)


@pytest.mark.parametrize(
    ("header", "name"),
    [(NOAA, "noaa"), (NOAA_2025, "noaa-2025"), (DMA, "dma"), (",".join(EXACT_EARTH), "exactearth"), (SPIRE, "spire"),
     (STATSAT, "statsat"), ("mmsi;imo_nr;length;date_time_utc;lon;lat;sog;cog", "kystverket"), (AISHUB, "aishub"),
     (VESSEL_FINDER, "vesselfinder"), (MARINE_TRAFFIC, "marinetraffic"), (GFW_TRAINING, "gfw-training"),
     ("ssvid,timestamp,lat,lon,speed,course", "gfw"), ("who,when,lat,lon,mmsi,time", "csv")],
)  # fmt: skip
def test_publisher_is_told_by_the_header(header, name):
    assert sniff(header.encode() + b"\n") == name


def test_noaa_old():
    fixes, counts = rows(
        f"{NOAA}\n671999101,2021-07-01T18:51:53,1.5,-2.5,102.3,360.0,511.0,A NAME,IMO9999999,WXY,1004,0.0,208.0,30.0,"
        "8.0,70.0,A\n671999102,2021-07-01T18:51:53,1.5,-2.5,0.1,-149.6,90.0,,,,,,,,,,B\n"
    )
    assert fixes["t"].tolist() == [MOMENT] * 2 and fixes["msg_type"].tolist() == [1, 18]
    assert math.isnan(fixes["sog"][0]) and math.isnan(fixes["cog"][0]) and math.isnan(fixes["heading"][0])
    assert fixes["nav_status"].tolist() == [0, 15]
    assert fixes.static["imo"].tolist() == [9999999]
    assert fixes.static["ship_type"].tolist() == [0]  # 1001 to 1025 are of a list of the Coast Guard's, not AIS codes
    assert counts == {"course out of range, taken as not available": 1}


def test_noaa_new_has_empty_values_and_longitude_first():
    fixes, counts = rows(f"{NOAA_2025}\n671999101,2021-07-01 18:51:53,-2.5,1.5,,,,A NAME,,WXY,70,,208,30,,70,A\n")
    assert counts == {} and (fixes["lat"][0], fixes["lon"][0]) == (1.5, -2.5)
    assert np.isnan([fixes["sog"], fixes["cog"], fixes["heading"]]).all() and fixes["nav_status"].tolist() == [15]


def test_danish_file_of_both_eras():
    values = ("01/07/2021 18:51:53,Class A,671999101,1.500000,2.500000,Moored,0.0,0.1,50.0,511,Unknown,Unknown,"
              "\"A, B\",Cargo,No additional information,30,208,GPS,8.2,Unknown,31/12/2021 10:30:00,AIS")  # fmt: skip
    static = values.replace("1.500000,2.500000", "91.000000,0.000000")
    base = values.replace("Class A", "Base Station")
    for header, tail in ((DMA, ",100,108,10,20"), (DMA.removesuffix(",A,B,C,D"), "")):
        fixes, counts = rows("\n".join([header, values + tail, static + tail, base + tail]) + "\n")
        assert fixes["t"].tolist() == [MOMENT] and counts == {"no position": 1, "base station": 1}
        assert fixes["nav_status"].tolist() == [5]
        assert fixes.static["name"].tolist() == [b"A, B"] and fixes.static["imo"].tolist() == [0]
        assert (fixes.static["to_bow"][0] + fixes.static["to_stern"][0]) == 208
        assert fixes.static["eta"].tolist() == [12 << 16 | 31 << 11 | 10 << 6 | 30]


def exact_earth(**values: object) -> str:
    return ",".join(f'"{values.get(name, "None")}"' for name in EXACT_EARTH)


def test_exact_earth_is_one_row_a_message():
    header = ",".join(f'"{name}"' for name in EXACT_EARTH)
    time = {"MMSI": 671999101, "Time": "20210701_185153", "Millisecond": 250}
    place = {"Latitude": 1.5, "Longitude": -2.5, "SOG": 9.5, "COG": 360, "Heading": 511}
    text = "\n".join([
        header,
        exact_earth(Message_ID=1, **time, **place, ROT="-14.46345342", Navigational_status=0),
        exact_earth(Message_ID=27, **time | {"Time": "20210701T185153Z", "Millisecond": 0}, **place),
        exact_earth(Message_ID=5, **time, Vessel_Name="A, B", IMO=9999999, Ship_Type=70, Dimension_to_Bow=100,
                    Dimension_to_stern=20, Draught=7.5, Destination="X", ETA_month=4, ETA_day=10, ETA_hour=7,
                    ETA_minute=0),
        exact_earth(Message_ID=4, **time | {"MMSI": 6719991}, **place),
        exact_earth(Message_ID=1, **time, **place | {"Latitude": 91, "Longitude": 181}),
    ])  # fmt: skip
    fixes, counts = rows(text)
    assert counts == {"base station": 1, "no position": 1}
    assert fixes["t"].tolist() == [MOMENT + 250_000, MOMENT] and fixes["msg_type"].tolist() == [1, 27]
    assert np.isnan(fixes["cog"]).all() and fixes["sog"].tolist() == [9.5, 9.5]
    assert fixes.static["name"].tolist() == [b"A, B"] and fixes.static["msg_type"].tolist() == [5]
    assert fixes.static["eta"].tolist() == [4 << 16 | 10 << 11 | 7 << 6]
    assert [text[offset:].startswith('"671999101"') for offset in fixes["offset"]] == [True, True]


def test_spire_extract():
    fixes, counts = rows(
        f"{SPIRE}\n2021-07-01T19:00:00Z,2021-07-01T18:51:53Z,671999101,1,1.5,2.5,102.3,360.0,511,-128,,,,,,,,,,,0,0,1,"
        "terrestrial\n2021-07-01T19:00:00Z,2021-07-01T18:51:53Z,671999101,5,,,,,,,9999999,NAME,CALL,XX,7.5,Cargo,208,30,"
        "2021-12-31T10:30:00Z,PORT,,,,satellite\n"
    )
    assert counts == {} and fixes["t"].tolist() == [MOMENT]
    assert np.isnan([fixes["sog"], fixes["cog"], fixes["heading"]]).all()
    assert fixes.static["ship_type"].tolist() == [70]
    assert fixes.static["eta"].tolist() == [12 << 16 | 31 << 11 | 10 << 6 | 30]


def test_statsat_and_kystverket():
    fixes, counts = rows(f"{STATSAT}\n671999101;2.5;1.5;2021-07-01 18:51:53;9.5;10.1;511;0;0;1;g\n")
    assert counts == {} and (fixes["lat"][0], fixes["lon"][0], fixes["t"][0]) == (1.5, 2.5, MOMENT)
    fixes, counts = rows(
        "mmsi;imo_nr;length;date_time_utc;lon;lat;sog;cog\n671999101;9999999;208;2021-07-01 18:51:53;2.5;1.5;1;2\n"
    )
    assert counts == {} and fixes.static["imo"].tolist() == [9999999] and fixes.static["to_stern"].tolist() == [208]


def test_aishub_in_both_units():
    tail = "{},0,0,128,0,X,CALL,70,1,100,20,10,12,{},PORT,{}\n"
    ais = f"{AISHUB}\n671999101,1625165513,1500000,900000,3600,1023," + tail.format(
        511, 75, 4 << 16 | 10 << 11 | 7 << 6
    )
    human = f"{AISHUB}\n671999101,2021-07-01 18:51:53 GMT,2.5,1.5,360,102.3," + tail.format(511, 7.5, "04-10 07:00")
    one, counts = rows(ais)
    two, _ = rows(human)
    assert counts == {}
    for fixes in (one, two):
        assert (fixes["t"][0], fixes["lat"][0], fixes["lon"][0]) == (MOMENT, 1.5, 2.5)
        assert np.isnan([fixes["sog"], fixes["cog"], fixes["heading"]]).all()
        assert fixes.static["draught"].tolist() == [7.5]
        assert fixes.static["eta"].tolist() == [4 << 16 | 10 << 11 | 7 << 6]


def test_marinetraffic_has_tenths_of_a_knot_and_vesselfinder_knots():
    fixes, counts = rows(
        f"{MARINE_TRAFFIC}\n671999101,9999999,359396,1.5,2.5,74,329,327,0,2021-07-01T18:51:53,TER,54\n"
    )
    assert counts == {} and fixes["sog"][0] == np.float32(7.4) and fixes["t"].tolist() == [MOMENT]
    fixes, counts = rows(f"{VESSEL_FINDER}\n671999101,2021-07-01 18:51:53 UTC,1.5,2.5,327,7.4,511,0,9999999,X,CALL,70,"
                         "1,2,3,4,5.5,PORT,04-10 07:00,2021-04-10 07:00:00,TER,North Sea,0\n")  # fmt: skip
    assert counts == {} and fixes["sog"][0] == np.float32(7.4)
    assert fixes.static["eta"].tolist() == [4 << 16 | 10 << 11 | 7 << 6]


@pytest.mark.parametrize("time", ["1625165513.0", "1.625165513E9", "2021-07-01 18:51:53 UTC", "2021-07-01T18:51:53Z"])
def test_global_fishing_watch(time):
    fixes, counts = rows(f"ssvid,timestamp,lat,lon,speed,course\n671999101,{time},1.5,2.5,9.5,10.1\n")
    assert counts == {} and fixes["t"].tolist() == [MOMENT]
    fixes, counts = rows(f"{GFW_TRAINING}\n671999101.0,{time},0.0,1.0,9.5,10.1,1.5,2.5,-1.0,x\n")
    assert counts == {} and fixes["t"].tolist() == [MOMENT]
    # Its ships are numbered by the publisher with more digits than an MMSI has: such rows are no ship's that one knows.
    assert rows(f"{GFW_TRAINING}\n1.2639560807591E13,{time},0,1,9.5,1,1.5,2.5,-1,x\n")[1] == {"MMSI out of range": 1}


def test_stations_are_told_by_mmsi_where_no_column_says_it():
    text = "mmsi,t,lat,lon\n" + "".join(
        f"{mmsi},1625165513,1.5,2.5\n"
        for mmsi in (671999101, 6719991, 999999901, 970999901, 972999901, 974999901, 111671999)
    )
    fixes, counts = rows(text)
    assert fixes["mmsi"].tolist() == [671999101, 111671999]
    assert counts == {"base station": 1, "aid to navigation": 1, "distress transmitter": 3}
    fixes, counts = rows("mmsi,t,lat,lon,transceiver\n6719991,1625165513,1.5,2.5,A\n")
    assert fixes["mmsi"].tolist() == [6719991] and counts == {}  # a class A transceiver is on a ship


def test_class_of_each_mmsi():
    numbers = {
        671999101: "ship", 201000000: "ship", 799999999: "ship", 6719991: "base station", 67199910: "group",
        111671999: "SAR aircraft", 867199910: "handheld", 970999901: "SART", 972999901: "man overboard",
        974999901: "EPIRB", 986719991: "auxiliary craft", 999999901: "aid to navigation", 0: "other", 1: "other",
        100: "other", 199999999: "other", 971000000: "other", 1_000_000_000: "other", -5: "other",
    }  # fmt: skip
    assert [MMSI_CLASSES[code] for code in mmsi_class(list(numbers))] == list(numbers.values())
    assert mmsi_class(671999101).tolist() == [1]


def test_columns_given_by_hand():
    text = "Y,X,when,id,lat\n1.5,2.5,2021-07-01 18:51:53,671999101,77\n"
    columns = parse_columns("lat=Y, lon=x,t=when")
    fixes, counts = rows(text, columns)
    assert counts == {} and (fixes["lat"][0], fixes["lon"][0], fixes["mmsi"][0]) == (1.5, 2.5, 671999101)
    assert sniff(b"northing,easting,when,ship\n", parse_columns("lat=northing,lon=easting,t=when,mmsi=ship")) == "csv"
    with pytest.raises(InputError, match=r"day\.csv: no column 'Z' for lat; the header has Y, X, when, id, lat"):
        rows(text, {"lat": "Z"})
    with pytest.raises(UsageError, match="columns: no field 'latitude'; there are t, mmsi"):
        rows(text, {"latitude": "Y"})


@pytest.mark.parametrize(
    ("text", "message"),
    [("lat", "columns: 'lat' is not field=column"), ("lat=", "is not field=column"), ("", "is not field=column"),
     ("lat=a,lat=b", "columns: lat is given twice, as a and b"), ("north=Y", "columns: no field 'north'")],
)  # fmt: skip
def test_columns_that_make_no_sense_are_one_line(text, message):
    with pytest.raises(UsageError) as error:
        parse_columns(text)
    assert message in str(error.value) and "\n" not in str(error.value)
    assert parse_columns("lat=A,,B")["lat"] == "A,B"


def archive(path: Path, files: dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", packing) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return path


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zip_of_one_file_is_that_file(packing, tmp_path):
    path = archive(tmp_path / "day.csv", {"deep/day.csv": ROW.encode()}, packing)
    assert [str(found) for found in expand([path])] == [f"{path}/deep/day.csv"]
    with open_bytes(path) as reader:
        assert reader.packing == "zip" and reader.name == f"{path}/deep/day.csv"
        assert format_of(reader) == "csv" and reader.head() == ROW.encode()
    assert read(path)["lat"].tolist() == [1.5]


def test_zip_is_a_folder_of_sources(tmp_path):
    sentence = b"!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23\n"
    files = {"b/two.csv": ROW.encode(), "a/one.nmea.gz": gzip.compress(sentence), "README.txt": b"words", "c/": b"",
             "__MACOSX/x.csv": ROW.encode(), ".hidden.csv": ROW.encode(), "/etc/three.csv": ROW.encode()}  # fmt: skip
    path = archive(tmp_path / "days.zip", files)
    left_out: list[tuple[Path, str]] = []
    names = [str(found)[len(str(path)) + 1 :] for found in expand([tmp_path], left_out)]
    assert names == ["a/one.nmea.gz", "b/two.csv"]
    assert [left.name for left, _ in left_out] == ["README.txt"]
    fixes = read(path)
    assert fixes.sources == tuple(f"{path}/{name}" for name in names)
    assert sorted(fixes["mmsi"].tolist()) == [227006760, 671999101]
    assert fixes["offset"][fixes["mmsi"] == 671999101].tolist() == [15]
    assert read(f"{path}/b/two.csv")["mmsi"].tolist() == [671999101]
    assert file_of(path / "b/two.csv") == path == file_of(path)
    with pytest.raises(InputError, match=r"days\.zip: zip archive holds 3 files; give one, for example"):
        open_bytes(path)
    with pytest.raises(InputError, match=r"days\.zip/none\.csv: no such file in this archive"):
        open_bytes(path / "none.csv")


def test_zip_that_is_encrypted_damaged_or_of_something_else(tmp_path, monkeypatch):
    path = archive(tmp_path / "day.zip", {"day.csv": ROW.encode() * 5000})
    whole = path.read_bytes()
    locked = bytearray(whole)
    for sign, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[whole.index(sign) + place] |= 1
    for data, message in (
        (bytes(locked), r"day\.zip/day\.csv: is encrypted; unpack it with its password first"),
        (whole[:-40], r"day\.zip: zip archive is damaged or ends early; download or unpack it again"),
        (whole[:100] + b"\xff\x00\xff" + whole[103:], r"day\.zip/day\.csv: zip stream is damaged after"),
    ):
        path.write_bytes(data)
        with pytest.raises(InputError, match=message) as error:
            read(path)
        assert "\n" not in str(error.value)
    with pytest.raises(InputError, match="no AIS data in this archive"):
        expand([archive(tmp_path / "words.zip", {"a.txt": b"words"})])
    with pytest.raises(InputError, match="a zip archive cannot be read inside a zip archive"):
        read(archive(tmp_path / "zips.zip", {"a.zip": whole}))
    monkeypatch.setattr("sys.stdin", type("Input", (), {"buffer": io.BytesIO(whole)}))
    with pytest.raises(InputError, match="standard input: a zip archive cannot be read from a pipe"):
        open_bytes("-")


def test_zip_of_much_text_is_read_in_pieces(tmp_path):
    text = ROW.encode() + b"671999101,2021-07-01 18:51:53,1.5,2.5\n" * 400_000
    path = archive(tmp_path / "day.zip", {"day.csv": text})
    assert path.stat().st_size < len(text) / 100
    fixes, counts = read_csv(path)
    assert len(fixes) == 400_001 and counts == {}


def test_files_of_all_formats_together(tmp_path):
    (tmp_path / "a.csv").write_text(ROW)
    json_row = {"mmsi": 671999102, "timestamp": "2021-07-01T18:51:54Z", "lat": 1, "lon": 2, "name": "X"}
    (tmp_path / "b.json").write_text(json.dumps([json_row, {"mmsi": 671999102}]))
    duckdb.sql(f"copy (select 1625165515 as t, 671999103 as mmsi, 1.5 as lat, 2.5 as lon) to '{tmp_path}/c.parquet'")
    archive(tmp_path / "d.zip", {"e.csv": ROW.replace("101", "104").encode()})
    fixes = read(tmp_path)
    assert sorted(fixes["mmsi"].tolist()) == [671999101, 671999102, 671999103, 671999104]
    assert [(one.format, one.messages, one.fixes, one.static) for one in fixes.inputs] == [
        ("csv", 1, 1, 0), ("json", 2, 1, 1), ("parquet", 1, 1, 0), ("csv", 1, 1, 0),
    ]  # fmt: skip
    assert fixes.counts == {"no time": 1}


def geoparquet(path: Path, select: str, points: list[bytes | None]) -> Path:
    geo = {"version": "1.0.0", "primary_column": "geometry",
           "columns": {"geometry": {"encoding": "WKB", "geometry_types": ["Point"]}}}  # fmt: skip
    with duckdb.connect() as connection:
        connection.execute("create table shapes (row int, geometry blob)")
        connection.executemany("insert into shapes values (?, ?)", list(enumerate(points)))
        connection.execute(
            f"copy (select {select}, geometry from shapes order by row) to '{path}' "
            f"(format parquet, kv_metadata {{geo: '{json.dumps(geo)}'}})"
        )
    return path


def point(lon: float, lat: float, order: str = "<") -> bytes:
    return struct.pack(f"{order}BIdd", order == "<", 1, lon, lat)


def test_geoparquet_of_points(tmp_path):
    select = "671999101 + row as mmsi, timestamp '2021-07-01 18:51:53' as base_date_time, 'X' as name"
    path = geoparquet(tmp_path / "a.parquet", select, [point(-2.5, 1.5)] * 2)
    fixes, counts = read_parquet(path)
    assert counts == {} and fixes["lat"].tolist() == [1.5] * 2 and fixes["lon"].tolist() == [-2.5] * 2
    assert fixes["t"].tolist() == [MOMENT] * 2 and fixes.static["name"].tolist() == [b"X", b"X"]
    duckdb.sql(f"copy (select * replace (geometry::blob as geometry) from '{path}') to '{tmp_path}/b.parquet'")
    assert read_parquet(tmp_path / "b.parquet")[0]["lat"].tolist() == [1.5] * 2


def test_shapes_that_are_no_points_are_counted(tmp_path):
    with duckdb.connect() as connection:
        connection.execute("create table shapes (t bigint, mmsi int, wkb_geometry blob)")
        shapes = [
            point(-2.5, 1.5),
            None,
            struct.pack("<BII", 1, 2, 0),
            point(1, 2, ">"),
            point(math.nan, math.nan),
            point(200, 1),
        ]
        connection.executemany("insert into shapes values (1625165513, 671999101, ?)", [[shape] for shape in shapes])
        connection.execute(f"copy shapes to '{tmp_path}/a.parquet'")
    fixes, counts = read_parquet(tmp_path / "a.parquet")
    assert fixes["offset"].tolist() == [0]
    assert counts == {"unreadable position": 2, "no position": 2, "longitude out of range": 1}


def test_parquet_with_columns_given_by_hand(tmp_path):
    duckdb.sql(f"copy (select 1625165513 as a, 671999101 as b, 1.5 as c, 2.5 as d) to '{tmp_path}/a.parquet'")
    given = {"t": "a", "mmsi": "b", "lat": "c", "lon": "d"}
    assert read(tmp_path / "a.parquet", columns=given)["lon"].tolist() == [2.5]
    with pytest.raises(InputError, match=r"a\.parquet: no column 'z' for t; the file has a, b, c, d"):
        read(tmp_path / "a.parquet", columns=given | {"t": "z"})
