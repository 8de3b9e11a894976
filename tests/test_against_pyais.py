"""The decoder against pyais, message by message, on every real feed; each difference is named here.

Where the two differ on purpose:

* a heading from 360 to 510 and a course above 360 have no meaning and are null (pyais hands them out);
* leading spaces of a text stay, and a text ends at its first `@` (pyais strips the former and keeps what follows);
* a suffix after the checksum is not part of the sentence (pyais then calls it invalid: it gets the line without);
* a prefix of the talker `--` is no reason to lose a message;
* two parts whose padding changes where they meet may be of two ships and give nothing (13 messages of all files);
* a message of a length that its type cannot have gives nothing (pyais reads fields from missing bits);
* MMSI 0 and numbers of ten digits are nobody's.
"""

import re
from collections import Counter

import pytest
from pyais.stream import IterMessages

from ais.decode import Decoder
from ais.layouts import LENGTHS
from ais.messages import joined
from tests.feeds import decode_all, read_bytes, real_feeds

POSITIONS = (1, 2, 3, 9, 18, 19, 27)


def _their_lines(data: bytes) -> list[bytes]:
    lines = []
    for line in re.split(rb"[\r\n]+", data):
        start = line.find(b"!")
        if start >= 0:
            lines.append(re.sub(rb"(\*[0-9A-Fa-f]{2}),.*$", rb"\1", line[start:]))
    return lines


def _bits(message) -> int:
    return 6 * len(message.payload) - message.fill_bits


def _text(text: str) -> str:
    return text.split("@", maxsplit=1)[0].strip()


def _theirs(data: bytes):
    types, positions, voyages = Counter(), Counter(), Counter()
    odd_length = set()
    for message in IterMessages(_their_lines(data)):
        if not message.is_valid or not message.payload:
            continue
        m = message.decode()
        if not 0 < int(m.mmsi) <= 999_999_999:
            continue
        shortest, longest = LENGTHS.get(m.msg_type, (0, 0))
        types[m.msg_type] += shortest <= _bits(message) <= longest
        if m.msg_type in POSITIONS and abs(m.lat) <= 90 and abs(m.lon) <= 180:
            heading = getattr(m, "heading", 511)
            course = getattr(m, "course", 360)
            key = (m.msg_type, int(m.mmsi), round(m.lat * 6e5), round(m.lon * 6e5), round(m.speed, 1),
                   round(course, 1) if course < 360 else None, heading if heading < 360 else None)  # fmt: skip
            positions[key] += 1
            if not 163 <= _bits(message) <= (204 if m.msg_type < 19 else 312) and m.msg_type != 27:
                odd_length.add(key)
        elif m.msg_type == 5:
            key = (int(m.mmsi), m.imo, _text(m.callsign), _text(m.shipname), m.to_bow, m.to_stern, m.to_port,
                   m.to_starboard, round(m.draught, 1), _text(m.destination))  # fmt: skip
            voyages[key] += 1
            if not 420 <= _bits(message) <= 426:
                odd_length.add(key)
    return types, positions, voyages, odd_length


def _our_positions(fixes) -> Counter:
    counts: Counter = Counter()
    names = ("msg_type", "mmsi", "lat", "lon", "sog", "cog", "heading")
    for kind, mmsi, lat, lon, sog, cog, heading in zip(*(fixes[name].tolist() for name in names), strict=True):
        no_sog = {27: 63.0, 9: 1023.0}.get(kind, 102.3)
        counts[
            kind, mmsi, round(lat * 6e5), round(lon * 6e5), round(sog, 1) if sog == sog else no_sog,
            round(cog, 1) if cog == cog else None, int(heading) if heading == heading else None,
        ] += 1  # fmt: skip
    return counts


def _our_voyages(static) -> Counter:
    counts: Counter = Counter()
    names = ("msg_type", "mmsi", "imo", "callsign", "name", "to_bow", "to_stern", "to_port", "to_starboard", "draught",
             "destination")  # fmt: skip
    for kind, *row in zip(*(static[name].tolist() for name in names), strict=True):
        if kind == 5:
            mmsi, imo, callsign, name, bow, stern, port, starboard, draught, destination = row
            counts[mmsi, imo, callsign.decode().strip(), name.decode().strip(), bow, stern, port, starboard,
                   round(draught, 1) if draught == draught else 0.0, destination.decode().strip()] += 1  # fmt: skip
    return counts


def test_every_message_of_every_real_feed_agrees(shared_data):
    compared = 0
    for path in real_feeds(shared_data):
        data = read_bytes(path)
        types, positions, voyages, odd_length = _theirs(data)
        fixes, static, decoder = decode_all(data)
        for kind, number in types.items():
            doubted = decoder.counts.get("parts that do not fit together", 0) if kind == 5 else 0
            assert decoder.types.get(kind, 0) >= number - doubted, (path.name, kind)
        missing = [key for key in positions - _our_positions(fixes) if key not in odd_length]
        assert missing == [], path.name
        missing_voyages = [key for key in voyages - _our_voyages(static) if key not in odd_length]
        assert len(missing_voyages) <= decoder.counts.get("parts that do not fit together", 0), path.name
        compared += sum(positions.values()) + sum(voyages.values())
    assert compared > 100_000


def test_we_have_more_than_pyais_only_for_reasons_we_can_name(shared_data):
    extra: Counter = Counter()
    for path in real_feeds(shared_data):
        data = read_bytes(path)
        _, positions, _, _ = _theirs(data)
        fixes, _, _ = decode_all(data)
        extra[path.name] = sum((_our_positions(fixes) - positions).values())
    # one line has a quotation mark after its checksum, for which pyais calls it invalid
    assert {name: number for name, number in extra.items() if number} == {"sample.nmea": 1}


@pytest.mark.parametrize("shift", [0, 1, 7])
def test_any_cut_of_a_feed_decodes_to_the_same(shared_data, shift):
    data = read_bytes(shared_data / "ais" / "nmea" / "kystverket-1000-lines.nm4")
    decoder = Decoder()
    messages = []
    for begin in range(0, len(data), 997 + shift):
        messages += list(decoder.feed(data[begin : begin + 997 + shift]))
    messages += list(decoder.flush())
    at_once = Decoder()
    assert messages == list(joined([at_once.feed(data), at_once.flush()]))
