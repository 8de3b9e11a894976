r"""Tag blocks and suffixes: the time, the group and the station that a gateway writes around a sentence.

\s:r003669930,c:1538352000*hh\!AIVDM,...      !AIVDM,...*hh,s1234,d012,r003669987,1152921693
 NMEA 0183 4.10                               the log of the US Coast Guard
"""

from __future__ import annotations

import numpy as np

from ais.payload import FULL, STAR, check_sum, eight_times, hex_digit
from ais.records import reject
from ais.stamps import BACKSLASH, BANG, COMMA, is_digit, is_line_end, read_epoch, read_number
from ais.status import TAG_BLOCK_CHECKSUM_DIFFERS, TIME_OUT_OF_RANGE
from ais.table import NAT
from geo.instructions import load64, trailing_zeros
from geo.kernel import inlined, inner

T_MIN_US = 946_684_800_000_000
"""2000-01-01: before AIS."""
MAX_TAG_BYTES = 1024
"""A longer tag block is none: NMEA allows 82 characters."""
STATION_CHARS = 24
STATIONS = 4096
"""Names of stations that are kept; of more, only the hashes are."""

NAME = np.dtype([("hash", "u4"), ("length", "u4"), ("count", "i8"), ("text", "u1", (STATION_CHARS,))], align=True)
"""A station: its name as bytes, and its sentences so far."""


_COLON, _DASH, _POINT = 58, 45, 46
_COMMAS, _ONES, _TOPS = eight_times(COMMA), eight_times(1), eight_times(0x80)
_FACTOR, _SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)


@inlined
def in_range(t, i, f, tally):
    """The time stated at `i`, or NAT (counted) where no AIS can have been sent."""
    if t == NAT or T_MIN_US <= t < f.t_max:
        return t
    reject(tally, TIME_OUT_OF_RANGE, f.base + i, 0)
    f.bad_time = 1
    return NAT


@inner
def name_station(buf, begin, end, names):
    """The hash (32 bits, never 0) of the station's name between `begin` and `end`; the name is kept."""
    value = np.uint64(end - begin)
    for j in range(begin, end, 8):
        word = load64(buf, j)
        if end - j < 8:
            word &= FULL >> np.uint64(64 - 8 * (end - j))
        value = (value ^ word) * _FACTOR
        value ^= value >> _SHIFT
    key = max(np.int64(value & np.uint64(0xFFFFFFFF)), 1)
    for probe in range(8):
        name = names[(key + probe) & (STATIONS - 1)]
        if name.hash == key:
            name.count += 1
            break
        if name.hash == 0:
            name.hash, name.count = key, 1
            name.length = min(end - begin, STATION_CHARS)
            for j in range(name.length):
                name.text[j] = buf[begin + j]
            break
    return key


@inner
def read_group(buf, i, star):
    """The id of a group, `part-total-id` at `i`; a stray second dash is met in front of the id. -1 for none."""
    _, k = read_number(buf, i, star)
    _, k = read_number(buf, k + 1, star)
    while k < star and buf[k] == _DASH:
        k += 1
    value, after = read_number(buf, k, star)
    return value & 0x7FFFFFFF if after > k else -1


@inlined
def find_comma(buf, j, stop):
    """The place of the next comma from `j` on, or `stop`."""
    while j < stop:
        other = load64(buf, j) ^ _COMMAS
        zero = (other - _ONES) & ~other & _TOPS
        if zero != 0:
            return min(j + (trailing_zeros(zero) >> 3), stop)
        j += 8
    return stop


@inner
def sum_fits(buf, star, xor, after_group):
    """Does the checksum after `star` fit the tag block, or what follows its group?

    Gateways are met that put a group in front of a block without computing its checksum anew (all groups of a
    Norwegian feed of 2019).
    """
    high, low = hex_digit(buf[star + 1]), hex_digit(buf[star + 2])
    if max(high, low) > 15:
        return False
    stated = high << 4 | low
    return stated == xor or (0 <= after_group <= star and stated == check_sum(buf, after_group, star)[1])


@inner
def read_tag_fields(buf, i, star, xor, f, names, tally):
    """Time (c:), group (g:) and station (s:) of the tag block that begins at `i`, its checksum at `star`."""
    t, from_name, to_name, group, after_group = NAT, 0, 0, np.int64(-1), -1
    j = i + 1
    while j < star:
        code = buf[j] if buf[j + 1] == _COLON else 0
        begin = j + 2
        j = find_comma(buf, j, star)
        if code == 99:  # c
            t, _ = read_epoch(buf, begin, star)
        elif code == 115:  # s
            from_name, to_name = begin, j
        elif code == 103:  # g
            group = read_group(buf, begin, star)
            if group >= 0 and after_group < 0:
                after_group = j + 1
        j += 1
    if not sum_fits(buf, star, xor, after_group):
        reject(tally, TAG_BLOCK_CHECKSUM_DIFFERS, f.base + i, 0)
        return
    if group >= 0:
        f.group = group
    if t != NAT:
        f.t_tag = in_range(t, i, f, tally)
    if to_name > from_name:
        f.station = name_station(buf, from_name, to_name, names)


@inner
def read_tag_block(buf, i, stop, f, names, tally):
    r"""Read `\...\` at `i`; returns the index after it. One that is not closed ends where a sentence begins."""
    if f.begin < 0:
        f.begin = i
    stop = min(stop, i + MAX_TAG_BYTES)
    star, xor = check_sum(buf, i + 1, stop)
    end = star + 3
    if end < stop and buf[star] == STAR and buf[end] == BACKSLASH and sum_fits(buf, star, xor, -1):
        read_tag_fields(buf, i, star, xor, f, names, tally)
        return end + 1
    star, xor, so_far, end = -1, 0, 0, i + 1  # not so simple: the last `*` before the next `\`
    while end < stop and buf[end] != BACKSLASH and buf[end] != BANG and not is_line_end(buf[end]):
        if buf[end] == STAR:
            star, xor = end, so_far
        so_far ^= np.int64(buf[end])
        end += 1
    if star >= 0 and star + 2 < end:
        read_tag_fields(buf, i, star, xor, f, names, tally)
    else:
        reject(tally, TAG_BLOCK_CHECKSUM_DIFFERS, f.base + i, 0)
    return end + 1 if end < stop and buf[end] == BACKSLASH else end


@inner
def read_suffix(buf, i, stop, f, names, tally):
    """What follows a checksum, `*hh,s1234,d012,r003669987,1152921693`: (time or NAT, index where it ends)."""
    field, station, j = i, -1, i
    while j < stop and not is_line_end(buf[j]) and buf[j] != BANG and buf[j] != BACKSLASH:
        if buf[j] == COMMA:
            if buf[field] == 114 and j - field > 1:  # r: the station
                station = field
            field = j + 1
        j += 1
    t = NAT
    if field > i and j - field >= 10 and is_digit(buf[field]):
        _, after = read_number(buf, field, j)
        if after == j or buf[after] == _POINT:
            t, _ = read_epoch(buf, field, j)
            t = in_range(t, i, f, tally)
    if station >= 0 and f.station == 0:
        end = station
        while buf[end] != COMMA:
            end += 1
        f.station = name_station(buf, station, end, names)
    return t, j
