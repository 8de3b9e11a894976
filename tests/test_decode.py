"""The decoder: nasty lines, clocks, parts, text, and what is never made up."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ais.assembly import SLOTS
from ais.decode import Decoder
from ais.messages import joined
from ais.sentences import MAX_LINE_BYTES
from ais.table import NAT
from tests.feeds import decode_all, read_bytes, real_feeds

FIX = b"!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23"


def checked(body: bytes) -> bytes:
    checksum = 0
    for byte in body:
        checksum ^= byte
    return b"!%s*%02X" % (body, checksum)


def tagged(fields: bytes, sentence: bytes = FIX) -> bytes:
    return b"\\" + checked(fields)[1:] + b"\\" + sentence


def times(data: bytes):
    return decode_all(data)[0]["t"].tolist()


@pytest.mark.parametrize(
    "data, t",
    [
        (tagged(b"c:1538352000"), 1538352000_000000),
        (tagged(b"s:r1,c:1538352000123,T:x"), 1538352000_123000),
        (tagged(b"c:1538352000.25"), 1538352000_250000),
        (tagged(b"c:1538352000123456"), 1538352000_123456),
        (tagged(b"g:1-1-9999,c:1538352000"), 1538352000_000000),
        (FIX + b",r003669987,1152921693", 1152921693_000000),
        (b"1550303566167726840 " + FIX, 1550303566_167726),
        (b"2018-10-01T00:00:05.5+00:00\t" + FIX, 1538352005_500000),
        (b"2018-10-01 09:00:05+0900 " + FIX, 1538352005_000000),
        (b"2018-10-01 9:15:35 " + FIX, NAT),
        (b"2018-10-01 received by station 7 " + FIX, NAT),
        (b"2018-02-31T00:00:00Z " + FIX, NAT),
        (b"$PGHP,1,2018,10\r\n12:30:45 station restarted\r\n" + FIX, NAT),
        (b"$PGHP,1,2018,2,31,0,0,7,250,219,,2190067,1,62*26\r\n" + FIX, NAT),
        (b"$PGHP,1,2018,10,1,0,0,7,250,219,,2190067,1,62*26\r\n" + FIX, 1538352007_250000),
        (FIX, NAT),
        (tagged(b"c:99"), NAT),
        (b"\\c:1538352000*00\\" + FIX, NAT),
    ],
)
def test_the_clock_of_a_sentence(data, t):
    assert times(data + b"\n") == [t]


def test_a_clock_is_for_its_own_sentence_only():
    assert times(tagged(b"c:1538352000") + b"\n" + FIX + b"\n") == [1538352000_000000, NAT]
    stamp = b"$PGHP,1,2018,10,1,0,0,7,250,219,,2190067,1,62*26\n"
    assert times(stamp + FIX + b"\n" + FIX + b"\n") == [1538352007_250000, NAT]


def test_offsets_lead_back_to_the_line():
    data = b"# comment\n" + tagged(b"c:1538352000") + b"\n" + FIX + b"\n"
    fixes, _, _ = decode_all(data)
    lines = [data[o:].split(b"\n")[0] for o in fixes["offset"]]
    assert lines == [tagged(b"c:1538352000"), FIX]


@pytest.mark.parametrize(
    "line, reason",
    [
        (FIX[:-2] + b"24", "checksum differs"),
        (FIX[:-3], "checksum missing"),
        (FIX[:-1], "checksum missing"),
        (checked(b"AIVDM,1,1,,A,13HOI:0P0000VOHL[nHQKwvL05Ip,0"), "character outside the payload alphabet"),
        (checked(b"AIVDM,1,1,,A,13HOI:0P0000VOHL,0"), "length does not fit the message type"),
        (checked(b"AIVDM,1,1,,A,,0"), "empty payload"),
        (checked(b"AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,6"), "fill bits out of range"),
        (checked(b"AIVDM,1,1,,A,w3HOI:0P0000VOHLCnHQKwvL05Ip,0"), "unknown message type"),
        (checked(b"AIVDM,1,1,,A,13H,0"), "message ends before its MMSI"),
        (checked(b"AIVDM,1,1,,A,1000000P0000VOHLCnHQKwvL05Ip,0"), "MMSI is not"),
        (checked(b"AIVDM,1,2,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0"), "malformed sentence"),
        (checked(b"AIVDM,2,2,3,A,88888888880,2"), "fragment without its first part"),
        (checked(b"AIVDM,2,1,3,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0"), "never came"),
        (b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47", "line without an AIS sentence"),
        (b"x" * (MAX_LINE_BYTES + 5), "line longer than the limit"),
    ],
)
def test_each_line_that_cannot_be_used_is_counted_under_its_reason(line, reason):
    fixes, static, decoder = decode_all(line + b"\n" + FIX + b"\n")
    assert fixes["mmsi"].tolist() == [227006760] and static["mmsi"].size == 0
    assert [n for text, n in decoder.counts.items() if reason in text] == [1]


@pytest.mark.parametrize(
    "data, found",
    [
        (FIX + FIX + b"\n", 2),
        (FIX + b"\r" + FIX, 2),
        (b"\x00\xffnoise" + FIX + b"\r\n", 1),
        (FIX.replace(b"!AI", b"!B2").replace(b"*23", b"*%02X" % (0x23 ^ ord("A") ^ ord("B") ^ ord("I") ^ ord("2"))), 1),
        (checked(b"AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip000000,0"), 1),
        (checked(b"--VDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0"), 1),
        (checked(b"AIVDO,1,1,,,13HOI:0P0000VOHLCnHQKwvL05Ip,0"), 1),
    ],
)
def test_what_the_real_world_sends_is_read(data, found):
    assert decode_all(data)[0]["mmsi"].tolist() == [227006760] * found


def test_crafted_lines_never_raise_and_never_give_a_position_that_the_bits_do_not_cover(shared_data):
    cases = json.loads((shared_data / "ais" / "nasty" / "crafted.json").read_text(encoding="utf-8"))
    for lines in cases.values():
        data = "\n".join(lines).encode("latin-1")
        fixes, _, _ = decode_all(data)
        assert (np.abs(fixes["lat"]) > 0.001).all()
    truncated = [name for name in cases if "trunc" in name.lower() or "96" in name]
    for name in truncated:
        assert decode_all("\n".join(cases[name]).encode("latin-1"))[0]["lat"].size == 0, name


PART_1 = checked(b"AIVDM,2,1,1,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0")
PART_2 = checked(b"AIVDM,2,2,1,A,88888888880,2")


def test_parts_are_joined_and_carry_the_first_ones_offset_and_time():
    data = tagged(b"g:1-2-7,c:1538352000", PART_1) + b"\n" + FIX + b"\n" + tagged(b"g:2-2-7", PART_2) + b"\n"
    _, static, _ = decode_all(data)
    assert static["t"].tolist() == [1538352000_000000] and static["offset"].tolist() == [0]
    assert static["name"].tolist() == [b"EVER DIADEM"]
    assert abs(static["draught"][0] - 12.2) < 1e-5


def test_parts_out_of_order_are_joined_within_four_sentences_whatever_the_group_says():
    assert decode_all(PART_2 + b"\n" + PART_1 + b"\n")[1]["name"].tolist() == [b"EVER DIADEM"]
    between = (FIX + b"\n") * 5
    _, static, decoder = decode_all(PART_2 + b"\n" + between + PART_1 + b"\n")
    assert static["mmsi"].size == 0
    assert decoder.counts == {"fragment without its first part": 1, "message with a part that never came": 1}
    grouped = tagged(b"g:2-2-7,c:1538352000", PART_2) + b"\n" + between + tagged(b"g:1-2-7,c:1538352000", PART_1)
    assert decode_all(grouped + b"\n")[1]["mmsi"].size == 0


def test_half_lost_messages_far_apart_do_not_make_a_ship():
    late = tagged(b"c:1538352060", PART_2)
    assert decode_all(tagged(b"c:1538352000", PART_1) + b"\n" + late + b"\n")[1]["mmsi"].size == 0
    between = (FIX + b"\n") * 1001
    assert decode_all(PART_1 + b"\n" + between + PART_2 + b"\n")[1]["mmsi"].size == 0


def test_interleaved_messages_of_other_channels_and_ids_are_kept_apart():
    other_1, other_2 = (part.replace(b",1,A,", b",1,B,") for part in (PART_1, PART_2))
    other_1, other_2 = (checked(part[1:-3]) for part in (other_1, other_2))
    _, static, _ = decode_all(b"\n".join([PART_1, other_1, PART_2, other_2, b""]))
    assert static["mmsi"].size == 2


@pytest.mark.parametrize("size", [1_000, 66_000, 10_000_000])
def test_an_endless_line_is_one_line_however_it_is_cut(size):
    data = b"x" * 300_000 + FIX + b"\n" + FIX + b"\n"
    decoder = Decoder()
    pieces = [decoder.feed(data[k : k + size]) for k in range(0, len(data), size)] + [decoder.flush()]
    assert [message.offset for piece in pieces for message in piece] == [300_000 + len(FIX) + 1]
    assert decoder.counts == {"line longer than the limit": 1}


def test_a_message_of_empty_parts_is_counted():
    lines = [checked(b"AIVDM,2,1,1,A,,0"), checked(b"AIVDM,2,2,1,A,,5"), b""]
    assert decode_all(b"\n".join(lines))[2].counts == {"empty payload": 1}


def test_first_parts_without_end_take_no_more_memory():
    decoder = Decoder()
    for k in range(40):
        lines = [checked(b"AIVDM,2,1,%d,A,55?MbV02;H;s<%06o,0" % (n % 128, k * 500 + n)) for n in range(500)]
        decoder.feed(b"\n".join(lines) + b"\n")
    decoder.flush()
    assert decoder.counts == {"message with a part that never came": 20_000}
    assert SLOTS == 256


@given(st.binary(max_size=400), st.integers(0, 400))
def test_no_bytes_raise_and_any_cut_gives_the_same(noise, place):
    data = noise[:place] + b"\n" + tagged(b"c:1538352000") + b"\n" + noise[place:] + b"\n" + FIX + b"\n"
    whole, _, _ = decode_all(data)
    decoder = Decoder()
    pieces = [decoder.feed(data[: place + 3]), decoder.feed(data[place + 3 :]), decoder.flush()]
    assert sum(map(len, pieces)) == whole["t"].size
    assert 227006760 in whole["mmsi"]


def test_nothing_is_lost_in_silence(shared_data):
    """Every sentence of the real feeds is a message, a part of one, or counted; a joined message is counted once."""
    for path in real_feeds(shared_data):
        decoder = Decoder()
        messages = joined([decoder.feed(read_bytes(path)), decoder.flush()])
        used = int(messages.records["n_parts"].sum())
        no_sentences = {"line without an AIS sentence", "tag block checksum differs (its time is not used)",
                        "time out of range (not believed)"}  # fmt: skip
        counted = sum(n for reason, n in decoder.counts.items() if reason not in no_sentences)
        doubted = sum(decoder.counts.get(reason, 0) for reason in ("length does not fit the message type",
                                                                   "parts that do not fit together"))  # fmt: skip
        assert used + counted <= decoder.sentences <= used + counted + 8 * doubted, path.name
