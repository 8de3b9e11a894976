"""The crafted lines that made other decoders lose ships or make them up: what ours gives for each."""

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest

from ais.decode import Decoder
from ais.table import NAT
from benchmarks.crafted import LINES, TRUTH, Said, said, same, verdict
from tests.fuzz.damage import payload, sentence, tag_block

REASONS = {
    "bad checksum": "checksum differs",
    "short 96 bits": "length does not fit the message type",
    "no checksum": "checksum missing",
    "fill6": "fill bits out of range",
    "invalid payload char": "character outside the payload alphabet",
    "tag block ms": "tag block checksum differs (its time is not used)",
    "A1 B1 B2 (A2 lost)": "message with a part that never came",
    "A1(ch A) B1(ch B) A2(ch A)": "message with a part that never came",
}
"""What is counted where something was not used."""
HELD_BACK = {"A1 B1 B2 (A2 lost)": "nothing", "A1(seq1) B1(seq2) A2 B2": "1 of 2"}
"""Cases whose B1 B2 has the bits of the chimera but for the MMSI: `strict` counts it, `flag` hands it out marked."""
SEAM = "parts that do not fit together"


def told(data: bytes, policy: str = "strict"):
    """Messages of a few lines, as they are compared, and what was counted."""
    decoder, found = Decoder(policy), []
    for made in (decoder.feed(data), decoder.flush()):
        for columns in (made.fixes(), made.static()):
            for k in range(len(columns["mmsi"])):
                row = {name: column[k] for name, column in columns.items()}
                text = {name: row[name].decode() for name in ("name", "destination") if name in row}
                t = int(row["t"]) / 1e6 if row["t"] != NAT else None
                place = {name: float(row[name]) for name in ("lat", "lon") if name in row}
                found.append(said({"type": int(row["msg_type"]), "mmsi": int(row["mmsi"]), "t": t, **place, **text}))
    return found, decoder.counts


def lines_of(shared_data, name) -> bytes:
    path = shared_data / "ais" / "nasty" / "crafted.json"
    return "\n".join(json.loads(path.read_text(encoding="utf-8"))[name]).encode("latin-1") + b"\n"


@pytest.mark.parametrize("name", TRUTH)
def test_a_crafted_line_says_what_it_says_and_no_more(shared_data, name):
    found, counts = told(lines_of(shared_data, name))
    assert verdict(found, TRUTH[name].messages) == HELD_BACK.get(name, "right")
    if name in HELD_BACK or name == "A1 B2 chimera":
        assert counts[SEAM] == 1
        return
    if name in REASONS:
        assert counts.get(REASONS[name]) == 1
    else:
        assert counts == {}


def test_the_table_of_truth_has_every_crafted_line(shared_data):
    assert list(json.loads((shared_data / "ais" / "nasty" / "crafted.json").read_text(encoding="utf-8"))) == list(TRUTH)
    assert shared_data in LINES.parents


def test_who_refuses_the_chimera_on_its_bits_must_hold_back_a_true_message_too(shared_data):
    a1, b2 = lines_of(shared_data, "A1 B2 chimera").split()
    _, b1, same_b2 = lines_of(shared_data, "A1 B1 B2 (A2 lost)").split()
    a, b = a1.split(b",")[5], b1.split(b",")[5]
    assert b2 == same_b2 and a[7:] == b[7:] and a[:7] != b[:7]  # the MMSI ends within the seventh character
    for name in HELD_BACK:
        found, counts = told(lines_of(shared_data, name), "flag")
        assert verdict(found, TRUTH[name].messages) == "right" and counts[SEAM] == 1


@pytest.mark.parametrize(
    ("first", "between", "second"),
    [
        (tag_block(b"c:1538352000"), 0, tag_block(b"c:1538352011")),
        (b"", 1001, b""),
        (tag_block(b"g:1-2-73"), 0, tag_block(b"g:2-2-74")),
    ],
    ids=["11 s", "1,001 sentences", "another group"],
)
def test_parts_that_are_far_apart_or_of_two_groups_make_no_ship(shared_data, first, between, second):
    a1, b2 = lines_of(shared_data, "A1 B2 chimera").split()
    filler = b"!AIVDM,1,1,,A,1:0oTO@P1J9@F:0D9401VQ@00000,0*08"
    found, counts = told(b"\n".join([first + a1, *[filler] * between, second + b2]) + b"\n")
    assert [one for one in found if one.type == 5] == [] and sum(counts.values()) == 2


def in_two_parts(seed: int, second_text: bytes) -> list[bytes]:
    """A type 5 whose destination ends in its second part."""
    body, _ = payload(Random(seed), 5)
    parts = (body[:53] + b"1" * 7, second_text)
    return [sentence(part, 2 * k, total=2, part=k + 1, sequence=b"3") for k, part in enumerate(parts)]


def test_the_end_of_a_lost_message_does_not_take_the_next_ones_first_part():
    """B2 A1 A2, B1 lost: who joins parts out of order as soon as it can makes B2 A1 a ship and loses A."""
    (a1, a2), (_, b2) = in_two_parts(1, b"11111111110"), in_two_parts(2, b"55555555550")
    (alone,), _ = told(a1 + b"\n" + a2 + b"\n")
    found, counts = told(b"\n".join([b2, a1, a2]) + b"\n")
    assert found == [alone] and sum(counts.values()) == 1
    chimera, _ = told(a1 + b"\n" + b2 + b"\n")
    assert chimera != [alone]


def test_the_docs_show_every_crafted_line():
    text = (Path(__file__).parents[1] / "docs" / "decoder.md").read_text(encoding="utf-8")
    assert [name for name in TRUTH if f"| `{name}` |" not in text] == []


def test_milliseconds_of_a_sound_tag_block_are_kept():
    """The crafted tag block has a wrong checksum; this is the same one with the right one."""
    sound = b"\\c:1577762601537,s:my-station*4E\\!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23\n"
    (one,), counts = told(sound)
    assert one.t == 1577762601.537 and counts == {}


def test_verdicts_name_what_is_wrong():
    fix = Said(1, 671999101, 1.0, 2.0, t=5.0)
    assert verdict([fix], [fix]) == "right" and verdict([], []) == "right"
    assert verdict([], [fix]) == "nothing"
    assert verdict([fix._replace(t=None)], [fix]) == "time lost"
    assert verdict([fix], [fix._replace(t=None)]) == "believes the time"
    assert verdict([fix], [fix, fix]) == "1 of 2"
    assert verdict([fix], []) == "**false type 1 of 671999101, lat 1.000000**"
    assert verdict([fix._replace(note="marked invalid")], [fix]) == "marked invalid"
    assert same(fix, fix._replace(lat=1.000004)) and not same(fix, fix._replace(lat=1.00001))
    assert said({"type": 5, "mmsi": 671999101, "name": "A@@ ", "t": 1577762601537.0}).t == 1577762601.537
    assert not same(fix, fix._replace(lat=np.nan))
