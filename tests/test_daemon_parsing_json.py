"""JSON of a live feed: the same as a file of it, whatever the pieces and the restarts; each loss counted."""

import io
import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ais.json_rows import OTHER_FORM, UNREADABLE, read_json
from ais.status import LINE_TOO_LONG, OTHER_TYPE, STATUS, TIME_OUT_OF_RANGE
from ais.unpack import Reader
from luxwake.daemon.parsing_json import LONGEST_LINE, JsonParser

NOW = 1_785_770_000_000_000
TIME = "2026-08-03 15:12:39.318353 +0000 UTC"
T = 1_785_769_959_318_353
POSITION = {"Latitude": 1.5, "Longitude": -2.25, "Sog": 12.3, "Cog": 180.5, "TrueHeading": 90}
SIZES = {"A": 100, "B": 20, "C": 10, "D": 12}
BODIES = {
    "PositionReport": {"MessageID": 1, **POSITION, "NavigationalStatus": 5},
    "LongRangeAisBroadcastMessage": {"MessageID": 27, **POSITION, "NavigationalStatus": 1},
    "StandardClassBPositionReport": {"MessageID": 18, **POSITION},
    "ExtendedClassBPositionReport": {"MessageID": 19, **POSITION, "Name": "EXTENDED", "Type": 37, "Dimension": SIZES},
    "StandardSearchAndRescueAircraftReport": {"MessageID": 9, **POSITION},
    "BaseStationReport": {"MessageID": 4, **POSITION},
    "AidsToNavigationReport": {"MessageID": 21, **POSITION},
    "ShipStaticData": {"MessageID": 5, "ImoNumber": 9999999, "CallSign": "D5AB@@@", "Name": 'THE "BEST"', "Type": 70,
                       "Dimension": SIZES, "Eta": {"Month": 12, "Day": 31, "Hour": 24, "Minute": 60},
                       "MaximumStaticDraught": 7.5, "Destination": "SOMEWHERE"},
    "StaticDataReport": {"MessageID": 24, "ReportA": {"Valid": True, "Name": "PART A"},
                         "ReportB": {"Valid": True, "CallSign": "XY1", "ShipType": 36, "Dimension": SIZES}},
}  # fmt: skip
MMSI = {"StandardSearchAndRescueAircraftReport": 111232999, "BaseStationReport": 2320999}
MMSI |= {"AidsToNavigationReport": 992359999}
NO_SHIPS = {"BaseStationReport": "base station", "AidsToNavigationReport": "aid to navigation"}


def message(kind, time=TIME, mmsi=0, **more):
    mmsi = mmsi or MMSI.get(kind, 671999101)
    body = {"UserID": mmsi, "Valid": True, **BODIES.get(kind, {}), **more}
    meta = {"MMSI": mmsi, "ShipName": "NOT FROM THE MESSAGE", "latitude": 9, "longitude": 9}
    return {"MessageType": kind, "MetaData": meta | ({"time_utc": time} if time else {}), "Message": {kind: body}}


def text_of(*messages):
    return b"".join(json.dumps(made).encode() + b"\n" for made in messages)


def rows(tables):
    """All fixes and static reports of several tables, as plain values."""
    fixes = [tuple(repr(table[name][k].item()) for name in table) for table in tables for k in range(len(table))]
    static = [
        tuple(repr(table.static[name][k].item()) for name in table.static)
        for table in tables
        for k in range(len(table.static))
    ]
    return fixes, static


def fed(text, pieces=None, restart=None):
    """(fixes and static reports, counts, messages) of a text in pieces of these sizes, some followed by a restart."""
    parser, tables, place = JsonParser(), [], 0
    for k, size in enumerate(pieces or [len(text)]):
        tables.append(parser.feed(text[place : place + size], NOW))
        place += size
        if restart is not None and restart(k):
            state = {name: array.copy() for name, array in parser.state().items()}
            parser.feed(text[place:], NOW)  # what it goes through afterwards does not matter to the state
            parser = JsonParser()
            parser.resume(state)
    assert place >= len(text)
    return rows(tables), parser.rejected | parser.unused, parser.heard


@pytest.mark.parametrize("kind", BODIES)
def test_each_type_is_read_as_it_is_from_a_file(kind):
    text = text_of(message(kind))
    (fixes, static), counts, n = fed(text)
    expected, expected_counts, expected_n = read_json(Reader("a.json", io.BytesIO(text)))
    assert (fixes, static) == rows([expected])
    assert (counts, n) == (expected_counts, expected_n)
    assert (counts, n) == ({NO_SHIPS[kind]: 1} if kind in NO_SHIPS else {}, 1)
    has_position, has_identity = "Latitude" in BODIES[kind], kind in ("ShipStaticData", "StaticDataReport")
    assert len(fixes) == (has_position and kind not in NO_SHIPS) and len(static) >= has_identity


def test_values_are_those_of_the_message():
    fixes = JsonParser().feed(text_of(message("PositionReport"), message("ShipStaticData")), NOW)
    assert (fixes["t"].tolist(), fixes["mmsi"].tolist()) == ([T], [671999101])
    assert (fixes["lat"].tolist(), fixes["lon"].tolist(), fixes["heading"].tolist()) == ([1.5], [-2.25], [90.0])
    assert fixes["sog"][0] == pytest.approx(12.3) and fixes["nav_status"].tolist() == [5]
    assert (fixes.static["name"].tolist(), fixes.static["imo"].tolist()) == ([b'THE "BEST"'], [9999999])


@pytest.mark.parametrize("time", ["", "1999-12-31 23:59:59 +0000 UTC", "2027-01-01 00:00:00 +0000 UTC"])
def test_a_time_that_is_missing_or_not_believed_is_that_of_the_arrival(time):
    parser = JsonParser()
    fixes = parser.feed(text_of(message("PositionReport", time), message("ShipStaticData", time)), NOW)
    assert fixes["t"].tolist() == [NOW] and fixes.static["t"].tolist() == [NOW]
    assert (parser.rejected | parser.unused) == ({STATUS[TIME_OUT_OF_RANGE]: 2} if time else {})


def test_sentinels_are_not_available():
    nothing = {"Sog": 102.3, "Cog": 360, "TrueHeading": 511}
    fixes = JsonParser().feed(text_of(message("PositionReport", **nothing)), NOW)
    assert all(np.isnan(fixes[name][0]) for name in ("sog", "cog", "heading"))
    parser = JsonParser()
    assert len(parser.feed(text_of(message("PositionReport", Latitude=91, Longitude=181)), NOW)) == 0
    assert sum((parser.rejected | parser.unused).values()) == 1


def test_what_cannot_be_used_is_counted_once_each():
    text = (
        b"noise\n\n   \n{}\n" + text_of({"error": "Api Key Is Not Valid"}) + text_of(message("PositionReport"))
        + text_of(message("SafetyBroadcastMessage"), {"error": "again"}) + b'{"MessageType":"x"\n' + b"z" * LONGEST_LINE
        + b"z\n" + text_of({"MessageType": "PositionReport", "MetaData": {}, "Message": {"PositionReport": None}})
    )  # fmt: skip
    (fixes, _), counts, n = fed(text)
    assert len(fixes) == 1 and n == 8
    assert counts == {UNREADABLE: 2, OTHER_FORM: 3, STATUS[OTHER_TYPE]: 2, STATUS[LINE_TOO_LONG]: 1}
    assert sum(counts.values()) == 8 + 1 - 1  # all messages but the one that was used, and the line


def test_an_endless_line_takes_no_memory_and_what_follows_is_read():
    parser = JsonParser()
    for _ in range(100):
        assert len(parser.feed(b'{"a":"' + b"z" * 100_000, NOW)) == 0
        assert len(parser.state()["rest"]) <= LONGEST_LINE
    assert len(parser.feed(b"\n" + text_of(message("PositionReport")), NOW)) == 1
    assert (parser.rejected | parser.unused) == {STATUS[LINE_TOO_LONG]: 1}


SOME = [
    *(message(kind, mmsi=671999100 + k % 3 if kind not in MMSI else 0) for k, kind in enumerate([*BODIES] * 3)),
    message("ShipStaticData", Destination="ELSEWHERE é ü 日本"), {"error": "x"}, message("PositionReport", ""),
]  # fmt: skip
CATCHER = [
    {"class": "AIS", "rxuxtime": 1785769959.5, "nmea": ["!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23"]},
    {"class": "AIS", "rxuxtime": 1785769960.5, "mmsi": 671999101, "type": 1, "lat": 1.5, "lon": 2.5, "speed": 3},
] * 4
FLAT = [{"MMSI": 671999101 + k % 2, "TIMESTAMP": "2026-08-03 15:12:39 UTC", "LATITUDE": k, "LONGITUDE": 2.5,
         "NAME": f"SHIP {k // 4}"} for k in range(12)]  # fmt: skip


@settings(max_examples=60)
@given(st.sampled_from(["aisstream", "ais-catcher", "flat"]), st.integers(0, 2**32))
def test_pieces_and_restarts_change_nothing(form, seed):
    chance = random.Random(seed)
    some = list({"aisstream": SOME, "ais-catcher": CATCHER, "flat": FLAT}[form])
    chance.shuffle(some)
    lines = [json.dumps(made, ensure_ascii=chance.random() < 0.5).encode() + b"\n" for made in some]
    for _ in range(chance.randrange(4)):
        noise = chance.choice([b"noise\n", b"\n", b"{\n", b"\xff\xfe\n", b"[1, 2]\n", b"w" * 70_000 + b"\n", b"{}\n"])
        lines.insert(chance.randrange(len(lines)), noise)
    text = b"".join(lines)
    pieces = []
    while sum(pieces) < len(text):
        pieces.append(chance.choice([1, 7, 50, 300, 5000, 66_000]))
    assert fed(text, pieces, restart=lambda _: chance.random() < 0.1) == fed(text)


@settings(max_examples=100)
@given(st.data())
def test_no_damage_raises(data):
    text = bytearray(text_of(*SOME[:6]))
    for _ in range(data.draw(st.integers(1, 12))):
        place = data.draw(st.integers(0, len(text) - 1))
        text[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=6))
    (fixes, static), counts, n = fed(bytes(text))
    assert len(fixes) + len(static) <= 2 * n
    assert all(value > 0 for value in counts.values())


@pytest.mark.parametrize("depth", [100_000, 1000])
def test_depth_and_huge_numbers_are_survived(depth):
    text = b'{"a":' * depth + b"1" + b"}" * depth + b"\n" + text_of(message("PositionReport", Sog=10**400))
    parser = JsonParser()
    parser.feed(text + text_of(message("PositionReport")), NOW)
    assert parser.heard >= 2
