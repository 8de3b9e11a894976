"""Faults that a second reading of the decoder found, each with the shortest input that shows it."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pytest

import luxwake as lw
from ais.decode import Decoder
from ais.messages import joined
from ais.sentences import MAX_LINE_BYTES
from ais.status import CHECKSUM_DIFFERS, DUPLICATE, INCOMPLETE_MESSAGE, LINE_TOO_LONG, NOT_AIS
from ais.table import NAT
from geo.errors import InputError
from tests.test_decode import FIX, checked, tagged

T = 1_538_352_000
PGHP = b"$PGHP,1,2013,11,12,12,0,0,11,219,,2190067,1,62*26"
EMPTY_PART = checked(b"AIVDM,2,1,,,,0")


def voyage(mmsi: int, destination: str, sequence: int = 1, talker: bytes = b"AI") -> list[bytes]:
    """Both sentences of a type 5."""
    lines = lw.encode({"msg_type": 5, "mmsi": mmsi, "name": "A SHIP", "ship_type": 70, "destination": destination})
    bodies = [line.encode()[1:].split(b"*")[0].split(b",") for line in lines]
    return [checked(b",".join([talker + b"VDM", *b[1:3], b"%d" % sequence, b"A", *b[5:]])) for b in bodies]


A, B = voyage(671999101, "PORT OF ALFA"), voyage(671999202, "PORT OF BRAVO")


def others(n: int, t: int) -> list[bytes]:
    """Sentences of other messages at a time."""
    return [
        tagged(b"c:%d" % t, checked(b"AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05%c%c,0" % (48 + k % 40, 48 + k // 40)))
        for k in range(n)
    ]


def run(lines: list[bytes] | bytes, **options):
    """(decoder, messages) of a feed."""
    data = lines if isinstance(lines, bytes) else b"\n".join(lines) + b"\n"
    decoder = Decoder(**options)
    return decoder, joined([decoder.feed(data), decoder.flush()])


def voyages(messages) -> list[tuple[int, str]]:
    return [(m.mmsi, m.destination) for m in messages if m.msg_type == 5]


# memory, and text that is not read


def test_rows_of_the_shortest_sentences_stay_in_their_buffer():
    code = (
        "from ais.decode import Decoder; from tests.test_decoder_faults import EMPTY_PART as e\n"
        "d = Decoder(); d.feed((e * (65500 // len(e)) + b'\\n') * 10); print(d.sentences)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=False)
    assert (ran.returncode, ran.stdout.strip()) == (0, str(65500 // len(EMPTY_PART) * 10)), ran.stderr[-200:]


@pytest.mark.parametrize("policy, short", [("strict", EMPTY_PART), ("flag", b"!AIVDM,2,1,,,,0")])
def test_a_range_is_read_to_its_end(policy, short):
    n = 1_000_000 // (len(short) + 1)
    decoder, messages = run((short + b"\n") * n + FIX + b"\n", policy=policy)
    assert (decoder.sentences, len(messages)) == (n + 1, 1)


@pytest.mark.parametrize(
    "line, n",
    [
        (b"\\s:a,c:1538352000*1F" + FIX, 1),
        (b"x\\ " + FIX, 1),
        (b'["' + FIX + b'\\n","' + FIX + b'\\n"]', 2),
        (b"!AIVDM,1,1,,A,13HOI:0P" + tagged(b"s:a,c:1538352000"), 1),
    ],
)
def test_a_backslash_does_not_hide_a_sentence(line, n):
    assert len(run([line])[1]) == n


def test_a_tag_block_without_checksum_does_not_hide_the_next():
    assert run([b"\\s:a\\" + tagged(b"s:b,c:%d" % T)])[1][0].t == T * 1_000_000


def test_a_line_with_many_sentences_costs_about_what_as_many_lines_cost():
    def seconds(joint: bytes) -> float:
        data, decoder = (FIX + joint) * 1300 + b"\n", Decoder()
        decoder.feed(data)
        begin = time.process_time()
        for _ in range(20):
            decoder.feed(data)
        return time.process_time() - begin

    assert seconds(b" ") < 20 * seconds(b"\n")


# state that leaks


def test_a_decoder_goes_with_the_time(monkeypatch):
    decoder, later = Decoder(), time.time_ns() + 2 * 3600 * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: later)
    t = later // 10**9
    assert decoder.feed(tagged(b"c:%d" % t) + b"\n")[0].t == t * 1_000_000


def test_decode_one_knows_nothing_of_earlier_calls():
    with pytest.raises(InputError):
        lw.decode_one(PGHP)
    assert lw.decode_one(FIX).t is None


def test_decode_one_names_stations_however_many_there_were():
    for k in range(6000):
        lw.decode_one(tagged(b"s:st%d" % k))
    assert all(lw.decode_one(tagged(b"s:new%d" % k)).station == f"new{k}" for k in range(50))


def test_copies_do_not_fill_the_memory_of_a_live_feed():
    decoder = Decoder(fold=True)
    for k in range(1000):
        decoder.feed((tagged(b"c:%d" % (T + 20 * k)) + b"\n") * 2)
    assert len(decoder.copies._pieces) < 100


def test_an_early_part_of_another_message_leaves_nothing_behind():
    _, messages = run([tagged(b"s:X,c:%d" % T, B[1]), tagged(b"c:%d" % (T + 7), A[0]), A[1]])
    assert [(m.mmsi, m.t, m.station) for m in messages] == [(671999101, (T + 7) * 1_000_000, "")]
    _, messages = run([B[1][:-2] + b"zz", A[0], A[1]], policy="flag")
    assert [(m.mmsi, m.status) for m in messages] == [(671999101, 0)]


# ships that do not exist, and ships that are lost


def group(part: int, line: bytes, t: int = 0, number: int = 9999) -> bytes:
    return tagged(b"g:%d-2-%d" % (part, number) + (b",c:%d" % t if t else b""), line)


def test_a_group_that_is_always_the_same_joins_no_two_ships():
    assert voyages(run([group(2, A[1]), *others(500, T), group(1, B[0], T + 5)])[1]) == []


def test_a_group_of_a_broken_tag_block_joins_nothing():
    broken = [b"\\g:2-2-77*00\\" + A[1], *others(100, T), b"\\g:1-2-77*00\\" + B[0]]
    assert voyages(run(broken)[1]) == []


@pytest.mark.parametrize("wrap", [group, lambda part, line, t=0: tagged(b"c:%d" % t, line) if t else line])
def test_a_part_without_a_time_is_as_late_as_the_feed(wrap):
    assert voyages(run([wrap(1, A[0], T), *others(200, T + 600), wrap(2, B[1])])[1]) == []


@pytest.mark.parametrize("policy", ["flag", "keep"])
def test_what_follows_a_bad_character_in_a_part_is_not_moved(policy):
    fields = A[0][1:].split(b"*")[0].split(b",")
    fields[5] = fields[5][:40] + b"[" + fields[5][41:]
    for message in run([checked(b",".join(fields)), A[1]], policy=policy)[1]:
        assert message.to_bow is None and message.eta_hour is None  # the ship sent neither


def test_a_whole_message_out_of_order_is_not_given_up():
    for t in (T, T + 11):
        lines = [tagged(b"c:%d" % T, A[1]), tagged(b"c:%d" % T, A[0]), *others(50, T)]
        lines += [tagged(b"c:%d" % t, B[0]), tagged(b"c:%d" % t, B[1])]
        assert sorted(voyages(run(lines)[1])) == [(671999101, "PORT OF ALFA"), (671999202, "PORT OF BRAVO")]


def test_nine_stations_may_send_their_parts_at_once():
    ships = [voyage(671999000 + k, f"PORT {k}") for k in range(9)]
    stations = [b"s:st%d" % k for k in range(9)]
    lines = [tagged(stations[k], ship[part]) for part in (0, 1) for k, ship in enumerate(ships)]
    assert len(voyages(run(lines)[1])) == 9


def test_nine_talkers_may_send_their_parts_at_once():
    talkers = (b"AI", b"BS", b"AB", b"AN", b"SA", b"AR", b"B2", b"AD", b"AT")
    ships = [voyage(671999000 + k, f"PORT {k}", talker=talker) for k, talker in enumerate(talkers)]
    assert len(voyages(run([ship[part] for part in (0, 1) for ship in ships])[1])) == 9


def test_a_lost_third_part_does_not_take_the_next_message_with_it():
    def parts(fill: bytes) -> list[bytes]:
        payloads = (b"8:0oV4@0" + fill * 40, b"0" * 40, fill * 40)
        return [checked(b"AIVDM,3,%d,1,A,%s,0" % (k + 1, payload)) for k, payload in enumerate(payloads)]

    early, (one, two, three) = parts(b"2")[2], parts(b"1")
    assert len([m for m in run([early, one, *others(6, T), two, three])[1] if m.msg_type == 8]) == 1


# times


@pytest.mark.parametrize(
    "prefix, t",
    [
        (b"2018-10-01 02:00:05 +0200 ", T + 5),
        (b"2018-10-01T02:00:05+02 ", T + 5),
        (b"10/01/18 05:36:42 PM ", T + 17 * 3600 + 36 * 60 + 42),
        (b"9223372038393127808 ", None),  # over 2^63: became 2018-10-01
        (b"1538352000000000000123456 ", None),  # 25 digits are no time
    ],
)
def test_prefixes(prefix, t):
    assert run([prefix + FIX])[1][0].t == (None if t is None else t * 1_000_000)


def test_one_base_station_with_a_wrong_clock_does_not_move_the_feed():
    def base(mmsi: int, year: int, second: int) -> bytes:
        date = {"year": year, "month": 10, "day": 1, "hour": 0, "minute": 0, "second": second}
        return lw.encode({"msg_type": 4, "mmsi": mmsi, **date})[0].encode()

    lines = [base(2719999, 2018, 0), base(2729999, 2018, 5), base(2739999, 2012, 6), base(2739999, 2012, 9), FIX]
    assert all(abs(m.t - T * 1_000_000) < 60_000_000 for m in run(lines, clock="base")[1])


# counts, and how the input is cut


def test_a_long_line_is_counted_once_and_alike_for_any_cut():
    line = b"x" * 100_000 + b"\n"
    whole, pieces = Decoder(), Decoder()
    whole.feed(line)
    for k in range(0, len(line), 1000):
        pieces.feed(line[k : k + 1000])
    assert whole.tally[NOT_AIS, 0] == 0 and whole.tally[LINE_TOO_LONG].tolist() == [1, 100_000, 0]
    assert np.array_equal(whole.tally, pieces.tally)


def test_a_long_line_gives_the_same_from_a_file(tmp_path):
    data = FIX + b"\n" + (FIX + b" ") * 40_000 + b"\n" + FIX + b"\n"
    (tmp_path / "long.nmea").write_bytes(data)
    assert len(lw.decode(data)) == len(lw.decode(tmp_path / "long.nmea"))


def test_an_endless_line_in_pieces_takes_time_by_its_length():
    begin = time.process_time()
    lw.decode([b"x" * 4096] * 4000)  # 16 MB
    assert time.process_time() - begin < 1


def test_the_first_place_is_the_first_of_the_text():
    c, d = voyage(671999303, "C", 2), voyage(671999404, "D", 2)
    assert run([A[0], c[0], d[0]])[0].tally[INCOMPLETE_MESSAGE, 2] == 0


def test_a_copy_is_counted_with_its_place_and_bytes():
    line = tagged(b"c:%d" % T)
    assert run([line, line], fold=True)[0].tally[DUPLICATE].tolist() == [1, len(line), len(line) + 1]


def test_a_doubt_is_shown_whatever_the_time():
    lines = [tagged(b"c:99", A[0]), A[1][:-2] + b"zz"]
    single = run([tagged(b"c:99", FIX[:-2] + b"24")], policy="flag")[1][0].status
    assert single == CHECKSUM_DIFFERS
    assert run(lines, policy="flag")[1][0].status not in (0, 14)


def test_a_sound_copy_of_a_doubtful_message_is_not_lost():
    lines = [tagged(b"c:%d" % T, FIX[:-2] + b"24"), tagged(b"c:%d" % T)]
    assert lw.decode(b"\n".join(lines) + b"\n", policy="flag")["status"].tolist()[-1] == 0


# the interface


def test_decode_gives_the_columns_that_it_names():
    assert "station" in list(lw.decode(tagged(b"s:r1") + b"\n"))


def test_feed_takes_all_that_is_bytes():
    assert len(Decoder().feed(memoryview(FIX + b"\n"))) == 1


def test_a_start_out_of_range_is_a_usage_error():
    with pytest.raises(lw.UsageError):
        lw.decode(FIX, start=10**30)


def test_uncompiled_messages_give_columns():
    code = (
        "import warnings; warnings.simplefilter('ignore')\n"
        "from ais.decode import Decoder; from tests.test_decode import FIX\n"
        "print(len(Decoder().feed(FIX + b'\\n').fixes()['t']))"
    )
    env = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False)
    assert ran.stdout.strip() == "1", ran.stderr[-200:]


assert MAX_LINE_BYTES < 100_000 and NAT < 0
