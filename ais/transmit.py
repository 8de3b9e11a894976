"""Records to NMEA 0183 sentences, millions of them, for the simulator: types 1, 3, 5, 18, 24 and 27.

`ais.pack` makes the payloads from the tables of fields (`ais.encode` encodes one message of any type); payload armour,
fill bits and checksum after IEC 61162-1; tag block `\\s:STATION,c:EPOCH*hh\\` after NMEA 0183 4.10. A type 5 takes two
sentences, each with its own tag block.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.pack import MOST_NUMBERS, pack_message
from geo.errors import UsageError
from geo.kernel import inner, kernel

MESSAGE = np.dtype(
    [
        ("epoch", "i8"),  # s since 1970 UTC: time of reception for the tag block; NO_EPOCH: no tag block
        ("lat", "f8"),  # degrees WGS84, NaN not available
        ("lon", "f8"),
        ("mmsi", "u4"),
        ("report", "i4"),  # types 5 and 24: row of the static reports
        ("sog", "f4"),  # kn, NaN
        ("cog", "f4"),  # degrees true, NaN
        ("heading", "f4"),  # degrees true, NaN
        ("station", "i2"),  # row of the station names, -1 none
        ("msg_type", "u1"),  # 1, 3, 5, 18, 24 or 27
        ("part", "u1"),  # type 24: 0 part A, 1 part B
        ("nav_status", "u1"),
        ("second", "u1"),  # UTC second of the position, 60 not available
        ("channel", "u1"),  # ASCII code, 0 empty
    ],
    align=True,
)
"""One message to encode."""

REPORT = np.dtype(
    [
        ("imo", "u4"),  # 0 not available
        ("eta", "u4"),  # month << 16 | day << 11 | hour << 6 | minute, 0 not available
        ("draught", "f4"),  # m, NaN not available
        ("to_bow", "u2"),  # m from the antenna, 0 not available
        ("to_stern", "u2"),
        ("to_port", "u1"),
        ("to_starboard", "u1"),
        ("ship_type", "u1"),
        ("callsign", "S7"),
        ("name", "S20"),
        ("destination", "S20"),
    ]
)
"""One static and voyage report, the payload of types 5 and 24."""

_REPORT_BYTES = np.dtype(
    [(n, *((("u1", (REPORT[n].itemsize,)),) if REPORT[n].kind == "S" else (REPORT[n],))) for n in REPORT.names or ()]
)
"""The same bytes as REPORT with its texts as arrays of bytes, which kernels can read."""

NO_EPOCH = -1
MAX_STATION_CHARS = 24
_STATION_NAME = re.compile(rf"[\w.-]{{1,{MAX_STATION_CHARS}}}", re.ASCII)
_TYPES = (1, 3, 5, 18, 24, 27)
MAX_MESSAGE_BYTES = 2 * (82 + MAX_STATION_CHARS + 32)
"""Two sentences of 82 characters, each with a tag block."""

_PAYLOAD_CHARS = 60  # of the first of two sentences: what 82 characters of a sentence leave
_HEADER = np.frombuffer(b"!AIVDM,", np.uint8)
_HEX = np.frombuffer(b"0123456789ABCDEF", np.uint8)
_COMMA, _STAR, _BACKSLASH, _ZERO = 44, 42, 92, 48


@inner
def _write_checksum(out, begin, at):
    """XOR of the bytes from `begin` on, as `*hh`; returns where the output goes on."""
    check = np.uint8(0)
    for i in range(begin, at):
        check ^= out[i]
    out[at] = _STAR
    out[at + 1] = _HEX[check >> 4]
    out[at + 2] = _HEX[check & 15]
    return at + 3


@inner
def _write_number(out, at, value):
    """A number that is not negative, in decimal digits."""
    digits, rest = 1, value // 10
    while rest > 0:
        digits, rest = digits + 1, rest // 10
    for i in range(digits):
        out[at + digits - 1 - i] = _ZERO + value % 10
        value //= 10
    return at + digits


@inner
def _write_tag_block(out, at, m, names, name_ends):
    """`\\s:STATION,c:EPOCH*hh\\`, or nothing for a message without an epoch."""
    if m.epoch == NO_EPOCH:
        return at
    out[at] = _BACKSLASH
    at += 1
    begin = at
    if m.station >= 0:
        out[at], out[at + 1] = 115, 58  # s:
        at += 2
        for i in range(name_ends[m.station], name_ends[m.station + 1]):
            out[at] = names[i]
            at += 1
        out[at] = _COMMA
        at += 1
    out[at], out[at + 1] = 99, 58  # c:
    at = _write_number(out, at + 2, m.epoch)
    at = _write_checksum(out, begin, at)
    out[at] = _BACKSLASH
    return at + 1


@inner
def _write_sentence(out, at, m, symbols, first, last, bits, number, total, sequence):
    """One `!AIVDM` sentence with the symbols `first` to `last` of a payload of `bits` bits."""
    begin = at + 1
    for i in range(_HEADER.size):
        out[at + i] = _HEADER[i]
    at += _HEADER.size
    out[at], out[at + 1], out[at + 2], out[at + 3] = _ZERO + total, _COMMA, _ZERO + number, _COMMA
    at += 4
    if total > 1:
        out[at] = _ZERO + sequence
        at += 1
    out[at] = _COMMA
    at += 1
    if m.channel != 0:
        out[at] = m.channel
        at += 1
    out[at] = _COMMA
    at += 1
    for i in range(first, last):
        symbol = symbols[i]
        out[at] = symbol + 48 if symbol < 40 else symbol + 56
        at += 1
    fill = last * 6 - bits if number == total else 0
    out[at], out[at + 1] = _COMMA, _ZERO + fill
    at = _write_checksum(out, begin, at + 2)
    out[at], out[at + 1] = 13, 10
    return at + 2


@kernel
def _encode_rows(messages, reports, names, name_ends, first_sequence, symbols, values, out, starts):
    """Encode all messages into `out`; `starts[i]` is where message i begins. Returns the bytes written."""
    at = 0
    for i in range(messages.size):
        starts[i] = at
        m = messages[i]
        symbols[:] = 0
        bits = pack_message(m, reports, values, symbols)
        used = (bits + 5) // 6
        at = _write_tag_block(out, at, m, names, name_ends)
        if used <= _PAYLOAD_CHARS:
            at = _write_sentence(out, at, m, symbols, 0, used, bits, 1, 1, 0)
        else:
            sequence = (first_sequence + i) % 10
            at = _write_sentence(out, at, m, symbols, 0, _PAYLOAD_CHARS, bits, 1, 2, sequence)
            at = _write_tag_block(out, at, m, names, name_ends)
            at = _write_sentence(out, at, m, symbols, _PAYLOAD_CHARS, used, bits, 2, 2, sequence)
    starts[messages.size] = at
    return at


class Encoded(NamedTuple):
    """Sentences as bytes."""

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    """Where each message begins in `data`, and at the end where the last one ends: (n + 1,)."""


def encode(
    messages: NDArray[np.void], reports: NDArray[np.void], stations: Sequence[str] = (), *, first_sequence: int = 0
) -> Encoded:
    """NMEA sentences of messages given as records.

    Parameters
    ----------
    messages : records of dtype `MESSAGE`, shape (n,)
        Degrees, knots; NaN is sent as "not available". Positions are rounded to 1/10000 minute (type 27: 1/10),
        speeds to 0.1 kn (1 kn), courses to 0.1 degree (1 degree).
    reports : records of dtype `REPORT`, shape (m,), that messages of types 5 and 24 name by row
    stations : names for the tag blocks, up to 24 characters each
    first_sequence : number of messages encoded before these, so that the sequence ids of type 5 run on

    Raises UsageError for a type that is not encoded, and for a station, report, MMSI or position out of range.

    >>> ship = np.zeros(1, MESSAGE)
    >>> ship["msg_type"], ship["mmsi"], ship["channel"], ship["epoch"] = 1, 671999101, ord("A"), 1538352000
    >>> ship["lat"], ship["lon"], ship["sog"], ship["cog"], ship["heading"] = 35.2, 129.4, 9.0, 41.0, 40.0
    >>> encode(ship, np.zeros(0, REPORT), ["BUSAN"]).data.tobytes().decode().strip()
    '\\\\s:BUSAN,c:1538352000*7C\\\\!AIVDM,1,1,,A,1:0oTO@P1J9@F:0D9401VQ@00000,0*08'
    """
    _check(messages, reports, stations)
    texts = [name.encode() for name in stations]
    names = np.frombuffer(b"".join(texts) or b"\0", np.uint8)
    name_ends = np.concatenate(([0], np.cumsum([len(text) for text in texts], dtype=np.int64))).astype(np.int64)
    records = np.ascontiguousarray(messages).view(np.recarray)
    rows = np.ascontiguousarray(reports).view(_REPORT_BYTES).view(np.recarray)
    out = np.empty(len(records) * MAX_MESSAGE_BYTES, np.uint8)
    starts = np.empty(len(records) + 1, np.int64)
    symbols, values = np.zeros(71, np.uint8), np.zeros(MOST_NUMBERS, np.int64)
    size = _encode_rows(records, rows, names, name_ends, first_sequence, symbols, values, out, starts)
    return Encoded(out[:size], starts)


def _check(messages: NDArray[np.void], reports: NDArray[np.void], stations: Sequence[str]) -> None:
    """Refuse what the kernel could not encode."""
    if messages.dtype != MESSAGE or reports.dtype != REPORT:
        raise UsageError(f"messages and reports must be MESSAGE and REPORT records, not {messages.dtype}")
    wrong = sorted(set(np.unique(messages["msg_type"]).tolist()) - set(_TYPES))
    if wrong:
        raise UsageError(f"message types {wrong} are not encoded; known are {_TYPES}")
    for name in stations:
        if not _STATION_NAME.fullmatch(name):
            raise UsageError(f"station name {name!r} cannot stand in a tag block: 1 to 24 letters, digits, - . _")
    if len(messages) == 0:
        return
    if int(messages["mmsi"].max()) >= 1 << 30:
        raise UsageError(f"MMSI {messages['mmsi'].max()} does not fit 30 bits; it has nine digits")
    if bool(np.any((np.abs(messages["lat"]) > 90.0) | (np.abs(messages["lon"]) > 180.0))):
        raise UsageError("a position lies outside 90 degrees of latitude or 180 of longitude; NaN is not available")
    if int(messages["station"].max()) >= len(stations):
        raise UsageError(f"station {messages['station'].max()} of {len(stations)}; add its name to `stations`")
    static = messages["report"][np.isin(messages["msg_type"], (5, 24))]
    if static.size and not (static.min() >= 0 and static.max() < len(reports)):
        raise UsageError(f"static report {static.max()} of {len(reports)}; add it to `reports`")
