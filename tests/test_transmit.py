"""The simulator's encoder against pyais, field by field, and the sentences against their own rules."""

from __future__ import annotations

import math

import numpy as np
import pyais
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ais.transmit import MESSAGE, NO_EPOCH, REPORT, Encoded, encode
from geo.errors import UsageError

NO_REPORTS = np.zeros(0, REPORT)


def message(**fields: object) -> np.ndarray:
    one = np.zeros(1, MESSAGE)
    one["epoch"], one["station"], one["channel"], one["second"] = NO_EPOCH, -1, ord("A"), 60
    one["mmsi"] = 671999101
    for name, value in fields.items():
        one[name] = value
    return one


def report(**fields: object) -> np.ndarray:
    one = np.zeros(1, REPORT)
    one["draught"] = np.nan
    for name, value in fields.items():
        one[name] = value
    return one


def lines_of(encoded: Encoded, row: int = 0) -> list[bytes]:
    text = encoded.data[encoded.starts[row] : encoded.starts[row + 1]].tobytes()
    assert text.endswith(b"\r\n")
    return text.removesuffix(b"\r\n").split(b"\r\n")


def decode(encoded: Encoded, row: int = 0) -> dict[str, object]:
    return dict(pyais.decode(*(line.split(b"\\")[-1] for line in lines_of(encoded, row))).asdict())


def rounded(value: float, factor: float) -> float:
    return math.floor(value * factor + 0.5) / factor


angles = st.floats(0.0, 359.75, width=32)
positions = {
    "lat": st.floats(-90.0, 90.0),
    "lon": st.floats(-180.0, 180.0),
    "sog": st.floats(0.0, 110.0, width=32),
    "cog": angles,
    "heading": angles,
    "nav_status": st.integers(0, 15),
    "second": st.integers(0, 63),
    "mmsi": st.integers(0, (1 << 30) - 1),
}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([1, 3, 18]), st.fixed_dictionaries(positions))
def test_position_reports_agree_with_pyais(msg_type: int, fields: dict[str, float]) -> None:
    got = decode(encode(message(msg_type=msg_type, **fields), NO_REPORTS))
    assert got["msg_type"] == msg_type
    assert got["mmsi"] == fields["mmsi"]
    assert got["lat"] == pytest.approx(rounded(fields["lat"], 600_000), abs=6e-7)  # pyais cuts to six decimals
    assert got["lon"] == pytest.approx(rounded(fields["lon"], 600_000), abs=6e-7)
    assert got["speed"] == pytest.approx(min(102.2, rounded(fields["sog"], 10)))
    assert got["course"] == pytest.approx(rounded(fields["cog"], 10) % 360.0)
    assert got["heading"] == rounded(fields["heading"], 1) % 360
    assert got["second"] == fields["second"]
    if msg_type != 18:
        assert int(got["status"]) == fields["nav_status"]  # type: ignore[call-overload]


@settings(max_examples=100, deadline=None)
@given(st.fixed_dictionaries(positions))
def test_long_range_reports_agree_with_pyais(fields: dict[str, float]) -> None:
    got = decode(encode(message(msg_type=27, **fields), NO_REPORTS))
    assert got["lat"] == pytest.approx(rounded(fields["lat"], 600), abs=6e-7)
    assert got["lon"] == pytest.approx(rounded(fields["lon"], 600), abs=6e-7)
    assert got["speed"] == min(62, rounded(fields["sog"], 1))
    assert got["course"] == rounded(fields["cog"], 1) % 360
    assert int(got["status"]) == fields["nav_status"]  # type: ignore[call-overload]


texts = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789-./'()&", max_size=20).map(str.strip)
reports = {
    "imo": st.integers(0, 9_999_999),
    "name": texts,
    "destination": texts,
    "callsign": texts.map(lambda text: text[:7].strip()),
    "ship_type": st.integers(0, 99),
    "to_bow": st.integers(0, 511),
    "to_stern": st.integers(0, 511),
    "to_port": st.integers(0, 63),
    "to_starboard": st.integers(0, 63),
    "draught": st.floats(0.0, 30.0, width=32),
}


@settings(max_examples=100, deadline=None)
@given(st.fixed_dictionaries(reports), st.integers(1, 12), st.integers(1, 28), st.integers(0, 23), st.integers(0, 59))
def test_voyage_reports_agree_with_pyais(
    fields: dict[str, object], month: int, day: int, hour: int, minute: int
) -> None:
    row = report(**fields, eta=month << 16 | day << 11 | hour << 6 | minute)
    got = decode(encode(message(msg_type=5), row))
    for ours, theirs in (
        ("imo", "imo"),
        ("name", "shipname"),
        ("callsign", "callsign"),
        ("destination", "destination"),
    ):
        assert got[theirs] == fields[ours]
    for name in ("to_bow", "to_stern", "to_port", "to_starboard"):
        assert got[name] == fields[name]
    assert (got["month"], got["day"], got["hour"], got["minute"]) == (month, day, hour, minute)
    assert got["draught"] == pytest.approx(min(25.5, rounded(fields["draught"], 10)))  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(st.fixed_dictionaries(reports))
def test_class_b_reports_agree_with_pyais(fields: dict[str, object]) -> None:
    pair = np.concatenate([message(msg_type=24, part=0), message(msg_type=24, part=1)])
    encoded = encode(pair, report(**fields))
    a, b = decode(encoded, 0), decode(encoded, 1)
    assert a["shipname"] == fields["name"]
    assert b["callsign"] == fields["callsign"]
    assert b["ship_type"] == fields["ship_type"]
    for name in ("to_bow", "to_stern", "to_port", "to_starboard"):
        assert b[name] == fields[name]


def test_what_is_not_available_is_sent_as_such() -> None:
    nothing = {"lat": np.nan, "lon": np.nan, "sog": np.nan, "cog": np.nan, "heading": np.nan}
    for msg_type, sog, cog, heading in ((1, 102.3, 360.0, 511), (18, 102.3, 360.0, 511), (27, 63, 511, None)):
        got = decode(encode(message(msg_type=msg_type, **nothing), NO_REPORTS))
        assert (got["lat"], got["lon"], got["speed"], got["course"]) == (91.0, 181.0, sog, cog)
        assert got.get("heading") == heading
    got = decode(encode(message(msg_type=5), report()))
    assert (got["imo"], got["shipname"], got["draught"]) == (0, "", 0.0)
    assert (got["month"], got["day"], got["hour"], got["minute"]) == (0, 0, 24, 60)


def test_sizes_beyond_the_field_are_sent_as_its_end() -> None:
    got = decode(encode(message(msg_type=5), report(to_bow=600, to_port=200)))
    assert (got["to_bow"], got["to_port"]) == (511, 63)


def test_lines_keep_the_rules_of_nmea() -> None:
    rng = np.random.default_rng(7)
    many = np.concatenate([message(msg_type=kind) for kind in (1, 3, 5, 18, 24, 27)] * 20)
    many["lat"], many["lon"] = rng.uniform(-90, 90, len(many)), rng.uniform(-180, 180, len(many))
    many["epoch"], many["station"] = 1_538_352_000 + np.arange(len(many)), 0
    encoded = encode(many, report(name="SEA LARK 5", imo=9999993), ["BUSAN"])
    for row in range(len(many)):
        found = lines_of(encoded, row)
        assert len(found) == (2 if many["msg_type"][row] == 5 else 1)
        for line in found:
            _, tag, sentence = line.split(b"\\")
            assert tag.startswith(f"s:BUSAN,c:{many['epoch'][row]}*".encode())
            for part in (tag, sentence[1:]):
                body, check = part.split(b"*")
                assert int(check, 16) == np.bitwise_xor.reduce(np.frombuffer(body, np.uint8))
            assert len(sentence) <= 80  # 82 with the line end


def test_sequence_ids_run_on_between_calls() -> None:
    three = np.concatenate([message(msg_type=5)] * 3)
    whole = encode(three, report())
    rest = encode(three[1:], report(), first_sequence=1)
    assert whole.data[whole.starts[1] :].tobytes() == rest.data.tobytes()


def test_no_rows_make_no_bytes() -> None:
    encoded = encode(np.zeros(0, MESSAGE), NO_REPORTS)
    assert encoded.data.size == 0
    assert encoded.starts.tolist() == [0]


@pytest.mark.parametrize(
    ("fields", "stations", "said"),
    [
        ({"msg_type": 9}, (), "not encoded"),
        ({"msg_type": 5, "report": 3}, (), "static report 3 of 0"),
        ({"msg_type": 1, "station": 2}, ("A",), "station 2 of 1"),
        ({"msg_type": 1}, ("A,B",), "tag block"),
        ({"msg_type": 1, "lat": 91.0}, (), "90 degrees"),
        ({"msg_type": 1, "mmsi": 1 << 30}, (), "nine digits"),
    ],
)
def test_wrong_use_is_refused(fields: dict[str, object], stations: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        encode(message(**fields), NO_REPORTS, stations)
