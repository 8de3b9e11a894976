"""Messages to columns: the fields of ITU-R M.1371-5 that a track and an identity need.

    type       1-3    9     18    19    27        5            24
    mmsi       8,30 in every type
    status     38,4   -     -     -     40,4      imo 40,30    part 38,2
    sog        50,10  50,10 46,10 46,10 79,6      callsign 70  A: name 40
    longitude  61,28  61,28 57,28 57,28 44,18     name 112     B: type 40,8
    latitude   89,27  89,27 85,27 85,27 62,17     type 232,8      callsign 90
    cog       116,12 116,12 112,12 112,12 85,9    dims 240,30     dims 132,30
    heading   128,9   -    124,9 124,9  -         eta 274,20   draught 294,8, destination 302

(first bit, number of bits). Positions are in 1/10,000 minute, in type 27 in 1/10 minute; sog in 0.1 kn, in types 9 and
27 in knots. Not available: longitude 181, latitude 91, sog 1023 (63 in type 27), cog 3600 (511), heading 511.
"""

from __future__ import annotations

import numpy as np

from ais.status import BAD_MMSI, NO_POSITION, OK, OTHER_TYPE, POSITION_OUT_OF_RANGE, WRONG_LENGTH
from ais.table import FIX_DTYPES, NAV_STATUS_UNKNOWN, STATIC_DTYPES
from geo.kernel import kernel

DEGREE = 600_000.0
"""One degree in units of 1/10,000 minute."""
LONGITUDE_NOT_AVAILABLE, LATITUDE_NOT_AVAILABLE = 181 * 600_000, 91 * 600_000

# Bits that occur in sound messages of each type: 163 and 204 in place of 168 come from real base stations (counted
# in a three-minute sample of a world feed: 6 and 728 messages); ranges after gpsd's decoder.
_MIN_BITS = np.zeros(64, np.int64)
_MAX_BITS = np.zeros(64, np.int64)
for _type, _low, _high in (
    (1, 163, 204), (2, 163, 204), (3, 163, 204), (5, 420, 426), (9, 168, 204), (18, 168, 204), (19, 306, 318),
    (24, 160, 204), (27, 94, 204),
):  # fmt: skip
    _MIN_BITS[_type], _MAX_BITS[_type] = _low, _high
_SIX = np.array([64 + v if v < 32 else v for v in range(64)], np.uint8)
_AT, _SPACE = 64, 32


FIX_ROW = np.dtype(
    [(name, FIX_DTYPES[name]) for name in
     ("t", "lat", "lon", "offset", "mmsi", "sog", "cog", "heading", "nav_status", "msg_type", "channel")],
    align=True,
)  # fmt: skip
"""One position as the decoder writes it; what the other columns of a fix hold is not in the message."""

STATIC_ROW = np.dtype(
    [(name, ("u1", np.dtype(kind).itemsize) if kind.startswith("S") else kind) for name, kind in STATIC_DTYPES.items()],
    align=True,
)
"""One static report as the decoder writes it, texts as bytes, zero-padded."""


@kernel
def bits(words, start, n):
    """`n` (at most 30) bits of the message from bit `start`, as an unsigned number."""
    place = start // 60
    left = 60 - (start - place * 60)
    if n <= left:
        return (words[place] >> (left - n)) & ((1 << n) - 1)
    rest = n - left
    return (words[place] & ((1 << left) - 1)) << rest | words[place + 1] >> (60 - rest)


@kernel
def signed_bits(words, start, n):
    """The same as a two's complement number."""
    value = bits(words, start, n)
    return value - (1 << n) if value >> (n - 1) else value


@kernel
def read_text(words, start, n, out):
    """`n` six-bit characters into the bytes `out`: cut at the first `@`, trailing spaces removed, zero-padded."""
    length = 0
    for k in range(n):
        character = _SIX[bits(words, start + 6 * k, 6)]
        if character == _AT:
            break
        out[k] = character
        if character != _SPACE:
            length = k + 1
    for k in range(length, n):
        out[k] = 0


@kernel
def write_fix(words, message_type, r, fix):
    """Fields of a position report into the record `fix`: OK or a reason."""
    sog_unit, degree = 0.1, DEGREE
    nav_status, heading_raw = NAV_STATUS_UNKNOWN, 511
    if message_type == 27:
        degree = 600.0
        sog_raw, sog_unit, sog_none = bits(words, 79, 6), 1.0, 63
        lon_raw, lat_raw = signed_bits(words, 44, 18), signed_bits(words, 62, 17)
        cog_raw = bits(words, 85, 9)
        cog_raw = cog_raw * 10 if cog_raw < 360 else 3600
        nav_status = bits(words, 40, 4)
    elif message_type >= 18:
        sog_raw, sog_none = bits(words, 46, 10), 1023
        lon_raw, lat_raw = signed_bits(words, 57, 28), signed_bits(words, 85, 27)
        cog_raw, heading_raw = bits(words, 112, 12), bits(words, 124, 9)
    else:
        sog_raw, sog_none = bits(words, 50, 10), 1023
        lon_raw, lat_raw = signed_bits(words, 61, 28), signed_bits(words, 89, 27)
        cog_raw = bits(words, 116, 12)
        if message_type == 9:
            sog_unit = 1.0
        else:
            heading_raw = bits(words, 128, 9)
            nav_status = bits(words, 38, 4)
    lat, lon = lat_raw / degree, lon_raw / degree
    if lat == 91.0 or lon == 181.0:
        return NO_POSITION
    if abs(lat) > 90.0 or abs(lon) > 180.0:
        return POSITION_OUT_OF_RANGE
    fix.t, fix.mmsi, fix.lat, fix.lon = r.t, bits(words, 8, 30), lat, lon
    fix.sog = sog_raw * sog_unit if sog_raw != sog_none else np.nan
    fix.cog = cog_raw * 0.1 if cog_raw < 3600 else np.nan
    fix.heading = heading_raw if heading_raw < 360 else np.nan
    fix.nav_status, fix.msg_type, fix.channel = nav_status, message_type, r.channel
    return OK


@kernel
def write_dimensions(words, start, static):
    """Four distances from the antenna, in metres."""
    static.to_bow, static.to_stern = bits(words, start, 9), bits(words, start + 9, 9)
    static.to_port, static.to_starboard = bits(words, start + 18, 6), bits(words, start + 24, 6)


@kernel
def write_static(words, n_bits, message_type, r, static):
    """Fields of a static report (types 5, 19, 24) into the zeroed record `static`: OK or a reason."""
    mmsi = bits(words, 8, 30)
    static.t, static.mmsi, static.msg_type = r.t, mmsi, message_type
    static.draught = np.nan
    if message_type == 5:
        static.imo = bits(words, 40, 30)
        read_text(words, 70, 7, static.callsign)
        read_text(words, 112, 20, static.name)
        static.ship_type = bits(words, 232, 8)
        write_dimensions(words, 240, static)
        static.eta = (
            bits(words, 274, 4) << 16 | bits(words, 278, 5) << 11 | bits(words, 283, 5) << 6 | bits(words, 288, 6)
        )
        draught = bits(words, 294, 8)
        static.draught = draught * 0.1 if draught > 0 else np.nan
        read_text(words, 302, 20 if n_bits >= 422 else 19, static.destination)
    elif message_type == 19:
        read_text(words, 143, 20, static.name)
        static.ship_type = bits(words, 263, 8)
        write_dimensions(words, 271, static)
    elif bits(words, 38, 2) == 0:
        read_text(words, 40, 20, static.name)
    elif bits(words, 38, 2) == 1:
        static.ship_type = bits(words, 40, 8)
        read_text(words, 90, 7, static.callsign)
        if mmsi // 10_000_000 != 98:  # an auxiliary craft sends its mother ship's MMSI in place of dimensions
            write_dimensions(words, 132, static)
    else:
        return OTHER_TYPE
    return OK


@kernel
def check_message(words, n_bits):
    """The type of a message and OK, or the reason why it cannot be used."""
    if n_bits < 38:
        return 0, WRONG_LENGTH
    message_type = bits(words, 0, 6)
    if _MIN_BITS[message_type] == 0:
        return message_type, OTHER_TYPE
    low = _MIN_BITS[message_type]
    if message_type == 24 and n_bits >= 40 and bits(words, 38, 2) != 0:
        low = 162  # part B ends with the dimensions at bit 162
    if not low <= n_bits <= _MAX_BITS[message_type]:
        return message_type, WRONG_LENGTH
    mmsi = bits(words, 8, 30)
    if mmsi == 0 or mmsi > 999_999_999:
        return message_type, BAD_MMSI
    return message_type, OK
