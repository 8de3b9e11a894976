"""The tables of fields: sound in themselves, read the same in every way, and never more than the bits say."""

from __future__ import annotations

import pickle
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ais.bitfield import OPEN, parse_tables
from ais.columns import payload_of, tables
from ais.encode import encode
from ais.fields import decode_fields, encode_fields, layout_of, raw_field
from ais.handbook import handbook
from ais.layouts import HEAD, LAYOUTS, LENGTHS, OF_TYPE
from ais.message import Message
from ais.messages import Messages
from ais.records import MESSAGE
from ais.table import NAT
from geo.errors import UsageError
from tests.messages import RECORD, SENT, random_message, stored

ROOT = Path(__file__).resolve().parents[1]
LAYOUT = pytest.mark.parametrize("layout", SENT, ids=lambda one: one.name)


def message(**fields) -> Message:
    return Message(*encode_fields({"mmsi": 671999101, **fields}))


def same(a, b) -> bool:
    """Equal, up to the last digit of a float."""
    if isinstance(a, list):
        return len(a) == len(b) and all(
            set(x) == set(y) and all(same(x[k], y[k]) for k in x) for x, y in zip(a, b, strict=True)
        )
    return a == b or (isinstance(a, float) and isinstance(b, float) and a == pytest.approx(b, abs=1e-9))


def test_there_is_a_table_and_a_length_for_every_type():
    assert sorted(OF_TYPE) == sorted(LENGTHS) == list(range(1, 28))
    for layout in SENT:
        assert layout.size - 51 <= layout.longest, layout.name
        for field in layout.fields:
            assert field.kind in "-+" or field.name.isidentifier(), (layout.name, field)
            assert field.low is None or field.lowest <= field.highest < 1 << max(field.width, 1), (layout.name, field)
            if field.kind in "uir":
                assert 0 < field.width <= 30, (layout.name, field)  # what columns and raw numbers can hold
            if field.kind == "t" and field.width != OPEN:
                assert field.width % 6 == 0, (layout.name, field)


def test_no_field_hides_what_a_message_can_do():
    names = {name for layout in LAYOUTS.values() for name in layout.names}
    assert not names & set(vars(Message))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (" 38 2 u a\n 41 2 u b", "begins at 41, not at 40"),
        (" 38 2 u a\n 39 2 u b", "begins at 39, not at 40"),
        (" 38 2 u a\n 40 2 u a", "stands twice"),
        (" 38 2 q a", "cannot read"),
        (" 38 2 u a 1 m 0 0..3 5", "cannot read"),
    ],
)
def test_a_table_that_slips_is_refused(row, said):
    with pytest.raises(ValueError, match=said):
        parse_tables(f"sample | 60 | 40..50 | . | A sample\n{row}", HEAD)


@LAYOUT
def test_every_value_comes_back(layout):
    rng = random.Random(layout.name)
    for _ in range(100):
        values = random_message(rng, layout)
        payload, n_bits = encode_fields(values)
        assert layout_of(payload, n_bits) is layout
        assert layout.shortest <= n_bits <= layout.longest
        found = decode_fields(payload, n_bits)
        assert {name for name in values if not same(found[name], values[name])} == set()
        assert encode_fields(found) == (payload, n_bits) or layout.is_open  # bytes grow by the bits that fill the last


@LAYOUT
def test_nothing_is_said_that_the_bits_do_not_cover(layout):
    rng = random.Random(layout.name)
    for _ in range(5):
        payload, n_bits = encode_fields(random_message(rng, layout))
        whole = decode_fields(payload, n_bits)
        for cut in range(n_bits - 1, 38, -7):
            part = Message(payload >> n_bits - cut, cut)
            if part.layout is not layout:
                continue
            for name, value in part.asdict().items():
                field = layout.field(name)
                if field.kind == "t":
                    assert (whole[name] or "").startswith(value or "") or field.width == OPEN, (cut, name)
                elif field.start >= 0 and field.width != OPEN and field.end <= cut - layout.tail:
                    assert value == whole[name], (cut, name)
                elif field.start >= 0 and field.width != OPEN:
                    assert value is None and part.raw(name) is None, (cut, name)


def test_tables_say_what_single_messages_say():
    rng = random.Random(3)
    messages = [encode_fields(random_message(rng, layout)) for layout in SENT for _ in range(20)]
    messages += [(p >> 9, n - 9) for p, n in messages] + [(p << 5, n + 5) for p, n in messages]
    rng.shuffle(messages)
    records, words = stored(messages)
    rows = {layout: [] for layout in LAYOUTS}
    for one in messages:
        rows[layout_of(*one).name].append(one)
    found = tables(records, words)
    assert set(found) == {name for name, ones in rows.items() if ones}
    for name, table in found.items():
        assert len(table) == len(rows[name])
        for k, one in enumerate(rows[name]):
            for field, value in decode_fields(*one).items():
                assert cell(table, field, k) == value or same(cell(table, field, k), value), (name, field, one)


def cell(table, name, row):
    """A cell as `decode_fields` would say it."""
    value = table[name][row]
    if isinstance(value, bytes) and table[name].dtype.kind == "S":
        return value.decode() or None
    if table[name].dtype.kind == "O":
        return value
    if table[name].dtype.kind == "f":
        return None if np.isnan(value) else float(value)
    return None if name in table.nulls and value == table.nulls[name] else int(value)


def test_a_table_opens_in_arrow_with_nulls():
    records, words = stored([encode_fields({"msg_type": 1, "mmsi": 671999101, "heading": k or None}) for k in range(3)])
    columns = tables(records, words)["position_a"].to_arrow()
    assert columns["heading"].to_pylist() == [None, 1, 2]
    assert columns["lat"].to_pylist() == [None] * 3


def whole(records):
    """The same messages as records of the decoder."""
    made = np.zeros(len(records), MESSAGE)
    for name in records.dtype.names:
        made[name] = records[name]
    return made


def test_a_stored_message_knows_its_reception():
    records, words = stored([encode_fields({"msg_type": 1, "mmsi": 671999101, "lat": 35.2})])
    records["t"], records["offset"], records["station"] = 1_538_352_000_000_000, 77, 5
    records["channel"], records["talker"], records["status"] = ord("B"), 0x4253, 1
    m = Messages(whole(records), words, {5: "BUSAN"})[0]
    assert (m.t, m.offset, m.station, m.channel, m.talker) == (1_538_352_000_000_000, 77, "BUSAN", "B", "BS")
    assert m.lat == 35.2
    assert repr(m).endswith("; checksum differs>")
    records["t"], records["channel"], records["talker"] = NAT, 0, 0
    m = Messages(whole(records), words, {})[0]
    assert (m.t, m.station, m.channel) == (None, "00000005", "")


def test_no_messages_make_no_tables():
    assert tables(np.zeros(0, RECORD), np.zeros(1, np.uint64)) == {}


@settings(max_examples=300)
@given(st.integers(0, 63), st.binary(max_size=140), st.integers(0, 7))
def test_no_bits_make_an_error(msg_type, data, cut):
    n_bits = max(0, 6 + 8 * len(data) - cut)
    payload = (msg_type << 8 * len(data) | int.from_bytes(data)) >> 6 + 8 * len(data) - n_bits
    one = Message(payload, n_bits)
    assert set(one.asdict()) == set(one.layout.names)
    for name in one:
        one.raw(name)
    assert repr(one)
    records, words = stored([(payload, n_bits)])
    assert payload_of(words, 0, n_bits) == payload
    assert list(tables(records, words)) == [one.layout.name]


def test_not_available_is_none_and_the_number_stays_readable():
    m = message(msg_type=1)
    assert (m.lat, m.lon, m.sog, m.cog, m.heading, m.rot, m.second) == (None,) * 7
    assert (m.raw("lat"), m.raw("lon"), m.raw("sog")) == (91 * 600_000, 181 * 600_000, 1023)
    assert (m.raw("cog"), m.raw("heading"), m.raw("rot"), m.raw("second")) == (3600, 511, -128, 60)
    m = message(msg_type=5)
    assert (m.imo, m.name, m.draught, m.to_bow, m.eta_month, m.eta_hour) == (None,) * 6
    assert (m.raw("eta_hour"), m.raw("eta_minute")) == (24, 60)
    assert message(msg_type=9).raw("altitude") == 4095
    m = message(msg_type=27)
    assert (m.lat, m.sog, m.cog) == (None,) * 3
    assert (m.raw("lat"), m.raw("sog"), m.raw("cog")) == (91 * 600, 63, 511)


def test_a_number_without_a_meaning_is_none():
    payload, n_bits = encode_fields({"msg_type": 1, "mmsi": 671999101, "heading": 10})
    shift = n_bits - 137
    m = Message(payload & ~(511 << shift) | 400 << shift, n_bits)
    assert m.heading is None
    assert m.raw("heading") == 400


def test_positions_are_exact_multiples():
    m = message(msg_type=1, lat=-33.123456, lon=151.654321)
    assert m.lat == round(-33.123456 * 600_000) / 600_000.0
    assert round(m.lat * 600_000) == m.raw("lat")
    assert message(msg_type=17, lat=35.6, lon=139.9).lat == 35.6
    assert message(msg_type=17, lat=-35.6, lon=-139.9).lon == -139.9


def test_a_rate_of_turn_is_in_degrees_a_minute():
    assert message(msg_type=1, rot=0).rot == 0
    assert message(msg_type=1, rot=-20).rot == pytest.approx(-((21 / 4.733) ** 2))
    assert message(msg_type=1, rot=700).raw("rot") == 125


def test_codes_stay_as_sent():
    for code in (0, 57, 253):
        assert message(msg_type=5, ship_type=code).ship_type == code
    assert message(msg_type=5, epfd=10).epfd == 10


def test_a_text_ends_at_its_first_at_sign():
    payload, n_bits = encode_fields({"msg_type": 24, "mmsi": 671999101, "name": "SEA LARK  CXVIII  X"})
    shift = n_bits - 40 - 6 * 9
    m = Message(payload & ~(63 << shift), n_bits)
    assert m.name == "SEA LARK"
    assert m.raw("name") == "SEA LARK@ CXVIII  X@"


def test_the_name_of_an_aid_goes_on_in_its_extension():
    m = message(msg_type=21, name="NORTHERN FAIRWAY BUOY NUMBER 12")
    assert m.name == "NORTHERN FAIRWAY BUOY NUMBER 12"
    assert m.n_bits == 272 + 72  # 11 characters, filled up to a byte
    assert message(msg_type=21, name="BUOY").n_bits == 272


def test_groups_that_are_not_sent_are_none():
    two = message(msg_type=7, mmsi1=671999102, sequence1=1, mmsi2=671999103, sequence2=2)
    assert (two.n_bits, two.mmsi2, two.mmsi3) == (104, 671999103, None)
    assert [message(msg_type=20, **{f"offset{k + 1}": 5 for k in range(n)}).n_bits for n in range(1, 5)] == [
        72,
        104,
        136,
        160,
    ]
    assert message(msg_type=16, mmsi1=671999102, offset1=3).n_bits == 96
    assert message(msg_type=15, mmsi1=671999102, type1_1=5).n_bits == 88


def test_an_auxiliary_craft_has_a_mother_ship_and_no_size():
    m = message(msg_type=24, part=1, mmsi=982399910, mothership=671999105)
    assert m.layout.name == "static_b_auxiliary"
    assert m.mothership == 671999105
    assert "to_bow" not in m
    assert message(msg_type=24, part=1, to_bow=12).to_bow == 12


def test_an_area_notice_is_a_list_of_areas():
    parts = [
        {"shape": 0, "lat": 35.0, "lon": 129.0, "radius": 500},
        {"shape": 3, "bearing1": 90.5, "distance1": 100},
        {"shape": 5, "text": "DRIFTING"},
    ]
    m = message(msg_type=8, dac=1, fid=22, notice=38, duration=60, areas=parts)
    assert [part["area"] for part in m.areas] == ["circle", "polyline", "text"]
    assert (m.areas[0]["radius"], m.areas[1]["bearing1"], m.areas[1]["bearing2"]) == (500, 90.5, None)
    assert m.areas[2]["text"] == "DRIFTING"


def test_an_application_of_another_length_is_bytes():
    m = message(msg_type=8, dac=200, fid=10, data=b"12345")
    assert (m.layout.name, m.dac, m.fid, m.data) == ("broadcast_binary", 200, 10, b"12345")


def test_the_state_of_type_26_stands_at_its_end():
    for size in (1, 5, 60):
        m = message(msg_type=26, dac=1, fid=0, data=b"x" * size, radio_kind=1, radio=0b11_0000000001100_001_1)
        assert m.data == b"x" * size
        assert m.radio_state() == {"state": "itdma", "sync": 3, "slot_increment": 12, "slots": 1, "keep": True}


def test_what_a_communication_state_says():
    assert message(msg_type=1, radio=3 << 14 | 100).radio_state()["slot_timeout"] == 3
    assert message(msg_type=3, radio=1).radio_state() == {
        "state": "itdma", "sync": 0, "slot_increment": 0, "slots": 0, "keep": True,
    }  # fmt: skip
    assert message(msg_type=5).radio_state() is None


def test_a_message_names_its_fields():
    m = message(msg_type=1, lat=35.2, lon=129.4)
    assert (m["lat"], m.unit("lat"), m.unit("mmsi"), list(m)[:3]) == (35.2, "deg", "", ["msg_type", "repeat", "mmsi"])
    assert "lat=35.2" in repr(m) and "heading" not in repr(m)
    assert "lat" in dir(m) and pickle.loads(pickle.dumps(m)) == m
    for wrong in (lambda: m.latitude, lambda: m["latitude"], lambda: m.raw("latitude"), lambda: m.unit("latitude")):
        with pytest.raises((AttributeError, UsageError), match="no field 'latitude'; there are msg_type, repeat"):
            wrong()


def test_the_raw_number_of_every_field_is_its_value_unscaled():
    rng = random.Random(5)
    for layout in SENT:
        payload, n_bits = encode_fields(random_message(rng, layout))
        for name, value in decode_fields(payload, n_bits).items():
            field, raw = layout.field(name), raw_field(layout, name, payload, n_bits)
            if field.kind in "uie" and value is not None:
                assert value == pytest.approx((raw + field.base) / field.divisor), (layout.name, name)


def test_sentences_of_every_layout_are_sound():
    rng = random.Random(7)
    for layout in SENT:
        for line in encode(
            random_message(rng, layout), channel="B", sequence=3, t=1_538_352_000_500_000, station="BUSAN"
        ):
            _, tag, sentence = line.split("\\")
            assert tag.startswith("s:BUSAN,c:1538352000500*")
            assert len(sentence) <= 80
            for part in (tag, sentence[1:]):
                body, check = part.split("*")
                assert int(check, 16) == np.bitwise_xor.reduce(np.frombuffer(body.encode(), np.uint8))


def test_the_page_of_messages_is_up_to_date():
    page = (ROOT / "docs" / "messages.md").read_text(encoding="utf-8")
    assert page == handbook(), "make it anew: python -m ais.handbook > docs/messages.md"
