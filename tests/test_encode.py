"""Sentences of one message: round trips, what is refused, and in which words."""

from __future__ import annotations

import pytest

from ais.encode import encode
from ais.fields import encode_fields
from ais.message import Message
from geo.errors import UsageError
from tests.test_fields_against_pyais import bits_of

SHIP = {"msg_type": 1, "mmsi": 671999101}


def test_a_message_is_sent_as_it_came():
    payload, n_bits = encode_fields({**SHIP, "lat": 35.2})
    padded = Message(payload << 36 | 7, n_bits + 36)  # as some base stations pad
    assert bits_of(encode(padded)) == (padded.payload, padded.n_bits)
    assert Message(*bits_of(encode(padded, lat=1.0))).lat == 1.0


def test_fields_can_be_given_in_every_way():
    assert encode(SHIP, sog=3.0) == encode(**SHIP, sog=3.0) == encode({**SHIP, "sog": 3.0})
    assert encode(SHIP, sog=None) == encode(SHIP)


def test_a_long_message_has_parts():
    lines = encode({"msg_type": 14, "mmsi": 671999101, "text": "A" * 161}, sequence=7, channel="")
    assert [line.split(",")[1:5] for line in lines] == [["3", str(k), "7", ""] for k in (1, 2, 3)]
    assert Message(*bits_of(lines)).text == "A" * 161


def test_small_letters_become_capital_ones():
    assert Message(*bits_of(encode(msg_type=5, mmsi=671999101, name="Sea Lark"))).name == "SEA LARK"


def test_a_time_is_written_to_its_last_digit():
    times = {
        1_538_352_000_000_000: "1538352000",
        1_538_352_000_250_000: "1538352000250",
        1_538_352_000_000_001: "1538352000000001",
    }
    for t, text in times.items():
        assert encode(SHIP, t=t)[0].startswith(f"\\c:{text}*")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"lat": 91.0}, r"lat 91.0 is out of range: -90 to 90 deg"),
        ({"sog": 200}, r"sog 200 is out of range: 0 to 102.2 kn; None is not available"),
        ({"heading": "north"}, "heading 'north' is not a number"),
        ({"heading": float("nan")}, "heading nan is not a number"),
        ({"nav_status": 16}, "nav_status 16 is out of range: 0 to 15"),
        ({"mmsi": 1 << 30}, "mmsi 1073741824 is out of range"),
        ({"latitude": 1.0}, "type 1 has no field 'latitude'; there are accuracy, cog"),
        ({"msg_type": 28}, "msg_type 28 cannot be sent; there are 1 to 27"),
        ({"msg_type": None}, "msg_type None cannot be sent"),
        ({"msg_type": 5, "name": "A" * 21}, "has 21 characters; 20 is the most"),
        ({"msg_type": 5, "name": "SEA@LARK"}, "'@' is not in the six-bit alphabet"),
        ({"msg_type": 5, "name": "MÖWE"}, "'Ö' is not in the six-bit alphabet"),
        ({"msg_type": 5, "name": 7}, "name 7 is not a text"),
        ({"msg_type": 8, "dac": 1, "fid": 99}, "fid 99 is out of range: 0 to 63"),
        ({"msg_type": 8, "data": "text"}, "data 'text' is not bytes"),
        ({"msg_type": 8, "data": b"x" * 120}, "would have 1016 bits; 1008 is the most"),
        ({"msg_type": 24, "part": 0, "callsign": "ABC"}, "no message of type 24 has all of callsign"),
        ({"msg_type": 8, "dac": 1, "fid": 22, "areas": [{"shape": 9}]}, "is not a part of an area notice"),
    ],
)
def test_wrong_fields_are_refused(fields, said):
    with pytest.raises(UsageError, match=said):
        encode({**SHIP, **fields})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"channel": "AB"}, "channel 'AB'"),
        ({"talker": "ai"}, "talker 'ai'"),
        ({"sequence": 10}, "sequence 10"),
        ({"station": "A,B"}, "station 'A,B'"),
        ({"t": -1}, "before 1970"),
    ],
)
def test_wrong_options_are_refused(options, said):
    with pytest.raises(UsageError, match=said):
        encode(SHIP, **options)
