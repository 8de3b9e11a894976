"""What a user of the decoder can choose: policies, clocks, copies, threads; and what it says of itself."""

from datetime import UTC, datetime

import numpy as np
import pytest

import luxwake as lw
from ais.table import NAT
from tests.feeds import decode_all, read_bytes, real_feeds
from tests.test_decode import FIX, PART_1, PART_2, checked, tagged

T0 = 1538352000_000000
SHORT = checked(b"AIVDM,1,1,,A,13HOI:0P0000VOHL,0")
BAD_CHARACTER = checked(b"AIVDM,1,1,,A,13HOI:0P0000VOH[CnHQKwvL05Ip,0")
DOUBTFUL = {
    "checksum differs": FIX[:-2] + b"24",
    "checksum missing": FIX[:-3],
    "character outside the payload alphabet": BAD_CHARACTER,
    "fill bits out of range": checked(b"AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,6"),
    "length does not fit the message type": SHORT,
}


def position(mmsi=671999101, second=None, t=None, station=None, **fields):
    """A sentence of type 1 of a made-up ship."""
    return lw.encode(
        {"msg_type": 1, "mmsi": mmsi, "lat": 35.2, "lon": 129.4, "second": second, **fields}, t=t, station=station
    )[0]


def lines(*sentences):
    return "".join(one + "\n" for one in sentences).encode()


@pytest.mark.parametrize("reason", DOUBTFUL)
def test_what_is_doubtful_is_dropped_or_marked_or_kept_and_always_counted(reason):
    line = DOUBTFUL[reason] + b"\n"
    found = {policy: lw.Decoder(policy) for policy in ("strict", "flag", "keep")}
    messages = {policy: decoder.feed(line) for policy, decoder in found.items()}
    assert {policy: len(one) for policy, one in messages.items()} == {"strict": 0, "flag": 1, "keep": 1}
    assert messages["flag"][0].mmsi == messages["keep"][0].mmsi == 227006760
    assert messages["flag"][0].status > 0 and messages["keep"][0].status == 0
    assert all(decoder.counts[reason] == 1 for decoder in found.values())


@pytest.mark.parametrize("line", [SHORT, BAD_CHARACTER])
@pytest.mark.parametrize("policy", ["flag", "keep"])
def test_no_policy_gives_what_the_bits_do_not_cover(line, policy):
    message = lw.Decoder(policy).feed(line + b"\n")[0]
    assert message.mmsi == 227006760 and message.lat is None and message.heading is None
    fixes = lw.decode(line + b"\n", policy=policy)
    assert len(fixes) == 0 and fixes.counts["no position in the message"] == 1


def test_a_time_to_come_is_marked_and_not_believed():
    now = T0
    for t, believed in ((T0 + 3599_000000, True), (T0 + 3601_000000, False), (915148799_000000, False)):
        message = lw.Decoder(now=now).feed(lines(position(t=t)))[0]
        assert (message.t == t, message.status == 0) == (believed, believed)
        assert (message.t is None) != believed


@pytest.mark.parametrize("prefix", [b"10/01/18 00:00:07:075 ", b"1538352007075 ", b"2018-10-01T00:00:07.075Z\t"])
def test_stamps_in_front(prefix):
    assert decode_all(prefix + FIX + b"\n")[0]["t"].tolist() == [T0 + 7_075000]


def test_a_feed_without_times_is_given_a_start_and_its_own_seconds_advance_it():
    seconds = [58, 59, 59, 0, 1, None, 2, 30, 31, 32, 33, 34]
    data = lines(*(position(671999101 + k, second) for k, second in enumerate(seconds)))
    fixes = lw.decode(data, start=datetime(2018, 10, 1, 0, 0, 57, tzinfo=UTC))
    t = (fixes["t"] - T0) // 1_000_000
    assert (np.diff(t) >= 0).all()
    assert 57 <= t[0] <= 58 and t[-1] in (92, 93, 94)
    assert (lw.decode(data)["t"] == NAT).all()


def test_one_ship_with_a_wrong_clock_does_not_move_the_feed():
    seconds = [(k // 4) % 60 if k % 5 else (k // 4 + 25) % 60 for k in range(1200)]
    data = lines(*(position(671999101 + k % 5, second) for k, second in enumerate(seconds)))
    fixes = lw.decode(data, start=T0)
    off = (fixes["t"] - T0) / 1e6 - np.arange(1200) // 4
    assert np.abs(off).max() <= 2


def base_station(t, mmsi=6719991):
    when = datetime.fromtimestamp(t / 1e6, UTC)
    return lw.encode(msg_type=4, mmsi=mmsi, year=when.year, month=when.month, day=when.day, hour=when.hour,
                     minute=when.minute, second=when.second, lat=35.1, lon=129.0)[0]  # fmt: skip


def test_base_stations_can_set_the_clock():
    first, later = T0 + 5_000000, T0 + 3 * 3600_000000
    wrong = base_station(T0 + 40 * 86400_000000, mmsi=6719992)
    data = lines(position(), base_station(first), position(), wrong, position(), base_station(first), position(),
                 base_station(later), base_station(later), base_station(later, mmsi=6719993), position())  # fmt: skip
    t = lw.decode(data, clock="base", fold=False)["t"].tolist()
    assert t == [NAT, first, first, first, later]
    assert lw.decode(data, fold=False)["t"].tolist() == [NAT] * 5


def test_copies_are_one_row_with_their_count_and_the_first_time():
    data = lines(
        position(t=T0 + 2_000000, station="north"),
        position(671999102, t=T0 + 2_000000, station="north"),
        position(t=T0 + 1_000000, station="south"),
        position(t=T0 + 11_000000, station="west"),
        position(t=T0 + 30_000000, station="north"),
    )
    fixes = lw.decode(data)
    assert fixes["mmsi"].tolist() == [671999101, 671999102, 671999101]
    assert fixes["copies"].tolist() == [3, 1, 1]
    assert (fixes["t"] - T0).tolist() == [1_000000, 2_000000, 30_000000]
    assert fixes.counts == {"duplicate": 2}
    assert len(lw.decode(data, fold=False)) == 5
    assert fixes["stations"].tolist() == [3, 1, 1]
    assert [fixes.station_names[key] for key in fixes["station"].tolist()] == ["north"] * 3


def test_without_a_time_nothing_is_a_copy():
    assert len(lw.decode(lines(position(), position()))) == 2


def test_the_parts_of_type_24_complete_each_other_for_six_minutes():
    def part(letter, mmsi, minutes):
        fields = {"part": 0, "name": "GREY HERON"} if letter == "A" else {"part": 1, "callsign": "XX7", "ship_type": 37}
        return lw.encode({"msg_type": 24, "mmsi": mmsi, **fields}, t=T0 + minutes * 60_000000)[0]

    static = lw.decode(lines(part("A", 671999101, 0), part("B", 671999102, 0), part("B", 671999101, 1),
                             part("A", 671999102, 7))).static  # fmt: skip
    assert static["name"].tolist() == [b"GREY HERON", b"", b"GREY HERON", b"GREY HERON"]
    assert static["callsign"].tolist() == [b"", b"XX7", b"XX7", b""]


def half(text, part, sequence=1):
    """One part of a type 5 whose destination is given."""
    sentences = lw.encode({"msg_type": 5, "mmsi": 671999101, "destination": text}, sequence=sequence)
    return sentences[part]


def test_two_halves_with_different_padding_are_two_ships():
    spaces, ats = "NEW YORK            ", "NEW YORK"
    for first, second in ((spaces, ats), (ats, spaces)):
        fixes = lw.decode(lines(half(first, 0), half(second, 1)))
        assert len(fixes.static) == 0 and fixes.counts["parts that do not fit together"] == 1
    assert len(lw.decode(lines(half(spaces, 0), half(spaces, 1))).static) == 1
    assert len(lw.decode(lines(half(ats, 0), half(ats, 1))).static) == 1


def test_a_part_heard_twice_is_a_copy_and_starts_nothing():
    fixes = lw.decode(b"\n".join([PART_1, PART_1, PART_2, PART_2, b""]))
    assert len(fixes.static) == 1 and fixes.counts == {"duplicate": 2}


def test_the_same_parts_of_two_stations_are_two_messages():
    data = [tagged(b"s:%s,c:1538352000" % name, part) for name in (b"a", b"b") for part in (PART_1, PART_2)]
    order = (0, 2, 1, 3)
    messages = lw.Decoder().feed(b"\n".join(data[k] for k in order) + b"\n")
    assert [message.station for message in messages] == ["a", "b"]


@pytest.mark.parametrize("threads", [2, 3])
def test_the_result_does_not_depend_on_the_number_of_threads(shared_data, threads):
    for path in real_feeds(shared_data):
        data = read_bytes(path) * 12
        one, many = lw.decode(data), lw.decode(data, threads=threads)
        assert one.counts == many.counts, path.name
        for name in one:
            assert np.array_equal(one[name], many[name], equal_nan=one[name].dtype.kind == "f"), (path.name, name)
        for name in one.static:
            np.testing.assert_array_equal(one.static[name], many.static[name], err_msg=path.name)


def test_a_bad_option_is_refused_in_one_line():
    for options in ({"policy": "lenient"}, {"clock": "sun"}, {"threads": 0}, {"start": "yesterday"}):
        with pytest.raises(lw.UsageError) as error:
            lw.decode(b"", **options)
        assert "\n" not in str(error.value)


def test_one_sentence_to_one_message():
    assert lw.decode_one(FIX).mmsi == lw.decode_one(FIX.decode()).mmsi == 227006760
    voyage = lw.decode_one(PART_1, PART_2)
    assert voyage.name == "EVER DIADEM" and voyage.msg_type == 5
    with pytest.raises(lw.InputError, match="checksum differs"):
        lw.decode_one(FIX[:-2] + b"24")
    with pytest.raises(lw.InputError, match="never came"):
        lw.decode_one(PART_1)
    with pytest.raises(lw.InputError, match="fragment without its first part"):
        lw.decode_one(PART_2)
    with pytest.raises(lw.InputError, match="2 messages"):
        lw.decode_one(FIX, FIX)


def test_sources_of_any_kind_decode_to_the_same(tmp_path):
    data = lines(*(position(671999101 + k, t=T0 + k * 1_000000) for k in range(9)))
    path = tmp_path / "feed.nmea"
    path.write_bytes(data)
    pieces = [data[:50], data[50:55], data[55:]]
    for source in (data, path, str(path), pieces, data.decode().splitlines(), bytearray(data)):
        fixes = lw.decode(source)
        assert fixes["mmsi"].tolist() == [671999101 + k for k in range(9)]
        assert fixes["offset"].tolist() == [m.start() for m in __import__("re").finditer(rb"(?m)^.", data)]


def test_the_tally_says_how_much_was_lost_and_where_first():
    data = FIX + b"\n" + FIX[:-2] + b"24\n" + FIX[:-2] + b"25\n" + b"hello\n"
    decoder = lw.Decoder()
    decoder.feed(data)
    reasons = {text: decoder.tally[code].tolist() for code, text in enumerate(lw.ais.status.STATUS)}
    assert reasons["checksum differs"] == [2, 2 * len(FIX), len(FIX) + 1]
    assert reasons["line without an AIS sentence"] == [1, 5, 3 * len(FIX) + 3]
