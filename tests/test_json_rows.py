"""JSON: each form's objects become rows, nothing is lost, and no cut of the bytes changes anything."""

from __future__ import annotations

import io
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import luxwake as lw
from ais.json_rows import OTHER_FORM, UNREADABLE, read_json
from ais.sources import Reader, sniff
from ais.status import CHECKSUM_DIFFERS, OTHER_TYPE, STATUS
from ais.table import NAT, Fixes
from geo.errors import InputError

SENTENCE = "!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23"
T0 = 1_785_769_959_000_000  # 2026-08-03 15:12:39 UTC


def envelope(kind: str, meta: str = "MetaData", time: str = "2026-08-03 15:12:39 +0000 UTC", **body: Any) -> dict:
    said = {"MMSI": 671999101, "ShipName": "NOT FROM THE MESSAGE", "time_utc": time, "latitude": 1, "longitude": 2}
    return {"MessageType": kind, meta: said, "Message": {kind: {"UserID": 671999101, "Valid": True, **body}}}


POSITION = envelope("PositionReport", MessageID=1, Latitude=1.5, Longitude=-2.25, Sog=12.3, Cog=180.5, TrueHeading=90,
                    NavigationalStatus=5)  # fmt: skip
SIZES = {"A": 100, "B": 20, "C": 10, "D": 12}
STATIC = envelope("ShipStaticData", MessageID=5, ImoNumber=9999999, CallSign="D5AB@@@", Name='THE "BEST"', Type=70,
                  Dimension=SIZES, Eta={"Month": 12, "Day": 31, "Hour": 24, "Minute": 60},
                  MaximumStaticDraught=7.5, Destination="A\nB")  # fmt: skip


class Drip(io.RawIOBase):
    """A source that hands out a few bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        self.data, self.size, self.place = data, size, 0

    def read(self, size: int = -1) -> bytes:
        block = self.data[self.place : self.place + min(self.size, size if size >= 0 else self.size)]
        self.place += len(block)
        return block


def read(data: bytes | str | list | dict) -> tuple[Fixes, dict[str, int], int]:
    if isinstance(data, list | dict):
        data = json.dumps(data)
    return read_json(Reader("feed.json", io.BytesIO(data.encode() if isinstance(data, str) else data)), 3)


def lines(*objects: Any) -> str:
    return "\n".join(json.dumps(made) for made in objects) + "\n"


def test_aisstream_position_and_static_report():
    text = lines(POSITION, STATIC)
    fixes, counts, n = read(text)
    assert sniff(text.encode()) == "aisstream"
    assert (counts, n) == ({}, 2)
    row = {name: fixes[name].tolist() for name in fixes}
    assert (row["t"], row["mmsi"], row["lat"], row["lon"]) == ([T0], [671999101], [1.5], [-2.25])
    assert (row["heading"], row["nav_status"], row["msg_type"], row["offset"]) == ([90.0], [5], [1], [0])
    assert row["sog"][0] == pytest.approx(12.3) and row["cog"] == [180.5] and row["source"] == [3]
    static = {name: fixes.static[name].tolist() for name in fixes.static}
    assert (static["imo"], static["callsign"], static["name"]) == ([9999999], [b"D5AB"], [b'THE "BEST"'])
    assert [static[name][0] for name in ("to_bow", "to_stern", "to_port", "to_starboard")] == [100, 20, 10, 12]
    assert (static["draught"], static["destination"], static["msg_type"]) == ([7.5], [b"A B"], [5])
    assert static["eta"] == [12 << 16 | 31 << 11 | 24 << 6 | 60]
    assert static["offset"] == [text.index('{"MessageType": "ShipStaticData"')]


@pytest.mark.parametrize("digits", range(10))
def test_time_of_go_with_any_number_of_digits(digits):
    fraction = "." + "123456789"[:digits] if digits else ""
    time = f"2026-08-03 15:12:39{fraction} +0000 UTC"
    made = envelope("PositionReport", "Metadata", time, MessageID=1, Latitude=1, Longitude=2)
    assert read(made)[0]["t"].tolist() == [T0 + int("123456789"[:digits][:6].ljust(6, "0"))]


def test_every_kind_of_aisstream_message():
    place = {"Latitude": 1.0, "Longitude": 2.0, "Sog": 102.3, "Cog": 360, "TrueHeading": 511}
    fixes, counts, n = read(
        [
            envelope("StandardClassBPositionReport", MessageID=18, **place),
            envelope("ExtendedClassBPositionReport", MessageID=19, Name="B", Type=37, Dimension=SIZES, **place),
            envelope("LongRangeAisBroadcastMessage", MessageID=27, **place),
            envelope("StandardSearchAndRescueAircraftReport", MessageID=9, **place),
            envelope("StaticDataReport", MessageID=24, ReportA={"Valid": True, "Name": "PART A"},
                     ReportB={"Valid": False, "CallSign": "NO"}),
            envelope("StaticDataReport", MessageID=24, ReportA={"Valid": False, "Name": "NO"},
                     ReportB={"Valid": True, "CallSign": "YES", "ShipType": 36, "Dimension": SIZES}),
            envelope("BaseStationReport", MessageID=4, **place),
            envelope("AidsToNavigationReport", MessageID=21, **place),
            envelope("SafetyBroadcastMessage", MessageID=14, Text="HELLO"),
            {"MessageType": "PositionReport", "Message": None},
            {"error": "Api Key Is Not Valid"},
        ]
    )  # fmt: skip
    assert fixes["msg_type"].tolist() == [18, 19, 27, 9]
    assert np.isnan([fixes["sog"], fixes["cog"], fixes["heading"]]).all()
    assert fixes.static["name"].tolist() == [b"B", b"PART A", b""]
    assert fixes.static["callsign"].tolist() == [b"", b"", b"YES"]
    assert counts == {"base station": 1, "aid to navigation": 1, STATUS[OTHER_TYPE]: 2, OTHER_FORM: 1}
    assert n == 11


def test_catcher_sentences_are_decoded_with_their_time():
    bad = SENTENCE[:-2] + "00"
    made = [
        {"class": "AIS", "rxuxtime": 1790467197.359632, "nmea": [SENTENCE], "lat": 0, "lon": 0, "mmsi": 1},
        {"class": "AIS", "toa_ns": 1790467198000000123, "rxuxtime": 5.0, "nmea": [SENTENCE]},
        {"class": "AIS", "rxtime": "20220729191340", "nmea": [SENTENCE]},
        {"class": "AIS", "nmea": [SENTENCE, bad]},
    ]
    text = lines(*made) + SENTENCE + "\n"
    fixes, counts, n = read(text)
    assert sniff(text.encode()) == "ais-catcher"
    assert fixes["t"].tolist()[:3] == [1_790_467_197_359_632, 1_790_467_198_000_000, 1_659_122_020_000_000]
    assert fixes["t"].tolist()[3:] == [NAT, NAT]
    assert set(fixes["mmsi"].tolist()) == {227006760}
    starts = [text.index(line) for line in text.splitlines()[:-1]]
    assert fixes["offset"].tolist() == [*starts, text.rindex(SENTENCE)]
    assert counts == {STATUS[CHECKSUM_DIFFERS]: 1} and n == 5


def test_catcher_fields_where_there_are_no_sentences():
    made = {"class": "AIS", "rxuxtime": 1790467197.5, "type": 5, "mmsi": 671999101, "shipname": "X", "imo": 9999999,
            "shiptype": 70, "month": 4, "day": 10, "hour": 7, "minute": 0, "draught": 9.5}  # fmt: skip
    position = {"class": "AIS", "rxuxtime": 1790467198, "type": 1, "mmsi": 671999101, "lat": 1, "lon": 2, "speed": 3.5,
                "course": 4, "heading": 511, "status": 0, "turn": -128}  # fmt: skip
    fixes, counts, _ = read({"protocol": "jsonaiscatcher", "msgs": [made, position]})
    assert counts == {}
    assert fixes["sog"].tolist() == [3.5] and fixes["t"].tolist() == [1_790_467_198_000_000]
    assert fixes.static["ship_type"].tolist() == [70]
    assert fixes.static["eta"].tolist() == [4 << 16 | 10 << 11 | 7 << 6]


def test_aishub_in_both_units_is_the_same():
    head = {"ERROR": False, "USERNAME": "AH", "RECORDS": 1}
    ais = {"MMSI": 671999101, "TIME": "1302604827", "LONGITUDE": 71067540, "LATITUDE": 23324900, "COG": 3559,
           "SOG": 12, "HEADING": 116, "NAVSTAT": 1, "PAC": 0, "IMO": 9999999, "NAME": "X", "CALLSIGN": "BVKU",
           "TYPE": 70, "A": 197, "B": 27, "C": 20, "D": 12, "DRAUGHT": 75, "DEST": "Y",
           "ETA": 4 << 16 | 10 << 11 | 7 << 6}  # fmt: skip
    human = {**ais, "TIME": "2011-04-12 10:40:27 GMT", "LONGITUDE": 118.4459, "LATITUDE": 38.8748333333333,
             "COG": 355.9, "SOG": 1.2, "DRAUGHT": 7.5, "ETA": "04-10 07:00"}  # fmt: skip
    one, counts, n = read([{**head, "FORMAT": "AIS"}, [ais]])
    two, _, _ = read([{**head, "FORMAT": "HUMAN"}, [human]])
    assert sniff(json.dumps([{**head, "FORMAT": "AIS"}, [ais]]).encode()) == "aishub-json"
    assert (counts, n) == ({}, 1)
    for name in ("t", "mmsi", "sog", "cog", "heading", "nav_status"):
        assert one[name].tolist() == two[name].tolist(), name
    assert one["lat"][0] == 23324900 / 600_000 and one["lat"][0] == pytest.approx(two["lat"][0], abs=1e-9)
    for name in set(one.static) - {"offset"}:
        assert one.static[name].tolist() == two.static[name].tolist(), name
    absent = {**ais, "LATITUDE": 54_600_000, "LONGITUDE": 108_600_000}
    assert read([{**head, "FORMAT": "AIS"}, [absent]])[1] == {"no position": 1}
    sentinels = read([{**head, "FORMAT": "AIS"}, [{**ais, "COG": 3600, "SOG": 1023, "HEADING": 511}]])
    assert sentinels[1] == {} and all(math.isnan(sentinels[0][name][0]) for name in ("sog", "cog", "heading"))


def test_marinetraffic_sends_texts_and_tenths_of_a_knot():
    row = {"MMSI": "671999101", "LAT": "47.758499", "LON": "-5.154223", "SPEED": "74", "HEADING": "329",
           "COURSE": "327", "STATUS": "0", "TIMESTAMP": "2017-05-19T09:39:57", "DSRC": "TER"}  # fmt: skip
    fixes, counts, _ = read([row, row | {"SPEED": "1023"}])
    assert sniff(json.dumps([row]).encode()) == "marinetraffic-json"
    assert counts == {} and fixes["lat"].tolist() == [47.758499] * 2
    assert fixes["sog"][0] == pytest.approx(7.4) and math.isnan(fixes["sog"][1])


def test_vesselfinder_keeps_knots():
    row = {"MMSI": 671999101, "TIMESTAMP": "2017-08-11 11:15:15 UTC", "LATITUDE": 41.8, "LONGITUDE": -73.9,
           "COURSE": 200.0, "SPEED": 9.1, "HEADING": 511, "NAVSTAT": 0, "IMO": 9999999, "NAME": "X", "SRC": "TER",
           "DESTINATION": "Y", "ETA_AIS": "08-12 11:00", "ETA": "2017-08-12 11:00:00", "ECA": True, "ZONE": None,
           "DRAUGHT": None}  # fmt: skip
    fixes, counts, n = read([{"AIS": row, "VOYAGE": {}}])
    assert sniff(json.dumps([{"AIS": row}]).encode()) == "vesselfinder-json"
    assert (counts, n) == ({}, 1)
    assert fixes["sog"][0] == pytest.approx(9.1) and fixes["t"][0] == 1_502_450_115_000_000
    assert fixes.static["eta"].tolist() == [8 << 16 | 12 << 11 | 11 << 6]


def test_other_json_by_names_and_by_columns():
    fixes, counts, _ = read(lines({"mmsi": 671999101, "timestamp": 1616202123, "lat": 1.25, "lon": 2}, {"lat": 1}, 5))
    assert fixes["lat"].tolist() == [1.25] and counts == {OTHER_FORM: 1, UNREADABLE: 1}
    text = lines({"who": 671999101, "when": 1616202123, "lat": 1.25, "lon": 2}).encode()
    columns = {"t": "when", "mmsi": "who"}
    fixes, counts, _ = read_json(Reader("a", io.BytesIO(text)), form="json", columns=columns)
    assert fixes["mmsi"].tolist() == [671999101] and counts == {}


@pytest.mark.parametrize("text", ["", "[]", '{"name": "x"}', '[{"price": 1}]', "{", "[[[["])
def test_json_of_something_else_is_refused(text):
    with pytest.raises(InputError, match=r"feed\.json: no AIS in JSON"):
        read(text)


def test_damaged_text_is_counted_and_what_follows_is_read():
    good = json.dumps(POSITION)
    text = f'{good}\n{{"cut": \n{good[:-3]}\n{good}\nnoise "\n{good}'
    fixes, counts, n = read(text)
    assert len(fixes) == 3 and counts == {UNREADABLE: 3} and n == 6
    assert all(text.encode()[offset:].startswith(good.encode()) for offset in fixes["offset"])
    fixes, counts, _ = read(f"[{good}, {{'bad': 1}}, {good}]")
    assert len(fixes) == 2 and counts == {UNREADABLE: 1}


def test_deep_nesting_is_no_crash():
    fixes, counts, _ = read(json.dumps(POSITION) + "\n" + '{"a":' * 100_000 + "\n" + json.dumps(POSITION))
    assert len(fixes) == 2 and counts == {UNREADABLE: 1}


def test_offset_counts_bytes_behind_texts_that_are_not_ascii():
    first = envelope("ShipStaticData", MessageID=5, Name="É€😀", Destination="Å")
    text = b"\xef\xbb\xbf" + json.dumps(first, ensure_ascii=False).encode() + b"\n\xff\n"
    place = len(text)
    text += json.dumps(POSITION).encode()
    fixes, counts, _ = read(text)
    assert fixes["offset"].tolist() == [place] and counts == {UNREADABLE: 1}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([POSITION, STATIC, {"x": 1}, "noise", "é", 7, None]), max_size=40),
    st.booleans(),
    st.data(),
)
def test_any_cut_gives_the_same_and_loses_none(objects, array, data):
    made = [POSITION, *objects]
    text = (json.dumps(made) if array else lines(*made)).encode()
    cut = data.draw(st.integers(1, 500))
    whole, counts, n = read(text)
    dripped, dripped_counts, dripped_n = read_json(Reader("feed.json", Drip(text, cut)), 3)
    assert (counts, n) == (dripped_counts, dripped_n)
    assert whole["offset"].tolist() == dripped["offset"].tolist()
    assert len(whole) == made.count(POSITION)
    assert counts.get(OTHER_FORM, 0) == made.count({"x": 1})


def test_array_of_any_size_on_one_line(tmp_path):
    n = 6_000  # 2 MB, more than a block of text
    text = json.dumps([POSITION] * n)
    fixes, counts, objects = read(text)
    assert (len(fixes), counts, objects) == (n, {}, n)
    assert fixes["offset"][-1] == text.rindex('{"MessageType"')


def test_sentences_in_many_batches_keep_their_offset():
    one = json.dumps({"class": "AIS", "rxuxtime": 1790467197, "nmea": [SENTENCE]}) + "\n"
    fixes, _, _ = read(one * 20_000)
    assert fixes["offset"].tolist() == list(range(0, 20_000 * len(one), len(one)))


def test_any_keys_can_be_named(tmp_path):
    path = tmp_path / "own.json"
    path.write_text('{"who":671999101,"when":"2024-01-01T00:00:00Z","Y":1.5,"X":2.5}\n')
    fixes = lw.read(path, columns={"mmsi": "who", "t": "when", "lat": "Y", "lon": "X"})
    assert fixes["mmsi"].tolist() == [671999101] and fixes["lon"].tolist() == [2.5]
