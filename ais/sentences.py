r"""Bytes to sentences: tag blocks, time stamps, checksums and the assembly of messages from parts.

    \g:1-2-73,s:r003669930,c:1538352000*hh\!AIVDM,2,1,3,B,<payload>,0*hh,r003669930,1538352000
     tag block                              talker | | | |           | checksum  suffix of the USCG
                                          parts, part | channel      fill bits
                                                      sequence id

The time of a sentence is the tag block's `c:` (seconds, milliseconds or microseconds, with or without a fraction),
else the suffix, else a prefix of digits in front of the sentence, else the `$PGHP` line before it. Nothing that stands
between sentences can stop the reader: it looks for the next `!`, `$` or `\`.
"""

from __future__ import annotations

import numpy as np

from ais.civil import civil_us
from ais.status import (
    BAD_CHARACTER,
    CHECKSUM_DIFFERS,
    CHECKSUM_MISSING,
    EMPTY_PAYLOAD,
    MALFORMED,
    OK,
    TAG_BLOCK_CHECKSUM_DIFFERS,
    TIME_OUT_OF_RANGE,
)
from ais.table import NAT
from geo.kernel import kernel

MAX_PARTS = 9
"""A sentence counts its parts with one digit; ITU-R M.1371 itself stops at 5 slots."""
MAX_PAYLOAD = 96
"""Characters of one part; NMEA's line of 82 leaves room for about 62, real feeds send up to 71."""
T_MIN_US = 946_684_800_000_000  # 2000-01-01: before AIS
T_MAX_US = 4_102_444_800_000_000  # 2100-01-01

READING = np.dtype(
    [
        # of the line: what stands in front of a sentence and belongs to the next one
        ("t_tag", "i8"),  # µs since 1970 UTC, NAT unknown: from a tag block
        ("t_prefix", "i8"),  # from digits in front of the sentence
        ("t_pghp", "i8"),  # from a $PGHP line; it is for the next sentence of the feed
        ("group_tag", "i8"),  # id of the tag block's group, -1 none
        ("begin", "i8"),  # index where the tag block or prefix began, -1 none
        # of the sentence
        ("start", "i8"),  # offset of the tag block, or of the `!`
        ("t", "i8"),
        ("group", "i8"),
        ("talker", "i8"),
        ("total", "i8"),
        ("part", "i8"),
        ("sequence", "i8"),  # -1 none
        ("channel", "i8"),  # ASCII code, 0 none
        ("payload", "i8"),  # index of the first character
        ("length", "i8"),
        ("fill", "i8"),
        # of the feed
        ("sentences", "i8"),  # so far
        ("fixes", "i8"),  # rows of the output
        ("statics", "i8"),
    ],
    align=True,
)
"""The sentence that is being read, and what it needs of its line and its feed. One record, because numba passes a
record as one pointer, while each array of a tuple costs reference counts at each use (0.8 µs a sentence, measured)."""


def _hex_values() -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    values = np.full(256, 255, np.uint8)
    for digits in ("0123456789abcdef", "0123456789ABCDEF"):
        for value, digit in enumerate(digits):
            values[ord(digit)] = value
    return values


_HEX = _hex_values()
_STAR, _COMMA, _BACKSLASH, _BANG, _DOLLAR = 42, 44, 92, 33, 36


@kernel
def is_line_end(byte):
    """Line feed or carriage return."""
    return byte == 10 or byte == 13


@kernel
def is_digit(byte):
    """An ASCII digit."""
    return 48 <= byte <= 57


@kernel
def read_number(buf, i, end):
    """Digits from `i` on: (value, index after them); at most 19, as unix nanoseconds have."""
    value, stop = 0, min(end, i + 19)
    while i < stop and is_digit(buf[i]):
        value = value * 10 + (np.int64(buf[i]) - 48)
        i += 1
    return value, i


@kernel
def read_epoch(buf, i, end):
    """A time since 1970 in seconds, ms, µs or ns (told by its size), with a fraction: (µs or NAT, index after it)."""
    begin = i
    value, i = read_number(buf, i, end)
    if i == begin:
        return NAT, i
    if value < 40_000_000_000:  # seconds until the year 3237
        t = value * 1_000_000
    elif value < 40_000_000_000_000:
        t = value * 1_000
    elif value < 40_000_000_000_000_000:
        t = value
    else:
        t = value // 1_000
    if i + 1 < end and buf[i] == 46 and is_digit(buf[i + 1]):
        i += 1
        unit = 100_000
        while i < end and is_digit(buf[i]):
            if value < 40_000_000_000:
                t += unit * (np.int64(buf[i]) - 48)
                unit //= 10
            i += 1
    return t, i


@kernel
def two_digits(buf, i, end):
    """The number of exactly two digits at `i`, or -1."""
    if i + 1 < end and is_digit(buf[i]) and is_digit(buf[i + 1]):
        return (np.int64(buf[i]) - 48) * 10 + (np.int64(buf[i + 1]) - 48)
    return -1


@kernel
def read_zone(buf, i, end):
    """A zone after a time: its offset in minutes, 0 where there is none (UTC), NAT where it cannot be read."""
    if i >= end or buf[i] == 32 or buf[i] == 9 or buf[i] == 90 or buf[i] == _BANG or buf[i] == _BACKSLASH:
        return 0
    if buf[i] != 43 and buf[i] != 45:
        return NAT
    hours = two_digits(buf, i + 1, end)
    minutes = two_digits(buf, i + 4 if i + 3 < end and buf[i + 3] == 58 else i + 3, end)
    if hours < 0 or minutes < 0:
        return NAT
    return hours * 60 + minutes if buf[i] == 43 else -(hours * 60 + minutes)


@kernel
def read_iso(buf, i, end):
    """An ISO 8601 time at `i`, 2023-09-02T12:41:35.168370+00:00 with T or a space: µs or NAT."""
    if i + 19 > end or buf[i + 4] != 45 or buf[i + 7] != 45 or buf[i + 13] != 58 or buf[i + 16] != 58:
        return NAT
    century, year = two_digits(buf, i, end), two_digits(buf, i + 2, end)
    month, day, hour = two_digits(buf, i + 5, end), two_digits(buf, i + 8, end), two_digits(buf, i + 11, end)
    minute, second = two_digits(buf, i + 14, end), two_digits(buf, i + 17, end)
    if min(century, year, month, day, hour, minute, second) < 0 or (buf[i + 10] != 84 and buf[i + 10] != 32):
        return NAT
    t = civil_us(century * 100 + year, month, day, hour, minute, second)
    j = i + 19
    if j < end and (buf[j] == 46 or buf[j] == _COMMA):
        unit = 100_000
        j += 1
        while j < end and is_digit(buf[j]):
            if t != NAT:
                t += unit * (np.int64(buf[j]) - 48)
            unit //= 10
            j += 1
    zone = read_zone(buf, j, end)
    return NAT if t == NAT or zone == NAT else t - zone * 60_000_000


@kernel
def read_prefix(buf, i, end):
    """A time stamp in front of a sentence, epoch digits or ISO 8601: µs or NAT."""
    _, j = read_number(buf, i, end)
    if j - i == 4:
        return read_iso(buf, i, end)
    if j - i >= 10:
        t, _ = read_epoch(buf, i, end)
        return t
    return NAT


@kernel
def read_pghp(buf, i, end):
    """Time of a Gatehouse line, $PGHP,1,year,month,day,hour,minute,second,ms,...: µs or NAT; for the next line."""
    year = month = day = hour = minute = second = 0
    i += 8
    for field in range(7):
        value, j = read_number(buf, i, end)
        if j == i or (field < 6 and (j >= end or buf[j] != _COMMA)):
            return NAT
        if field == 0:
            year = value
        elif field == 1:
            month = value
        elif field == 2:
            day = value
        elif field == 3:
            hour = value
        elif field == 4:
            minute = value
        elif field == 5:
            second = value
        else:
            t = civil_us(year, month, day, hour, minute, second)
            return t + value * 1_000 if t != NAT and value < 1_000 else NAT
        i = j + 1
    return NAT


@kernel
def in_range(t, counts):
    """The time itself, or NAT (counted) where no AIS can have been sent."""
    if t == NAT or T_MIN_US <= t < T_MAX_US:
        return t
    counts[TIME_OUT_OF_RANGE] += 1
    return NAT


@kernel
def read_tag_fields(buf, i, star, r, counts):
    """Time (c:) and group (g:) of the tag block that begins at `i` and whose checksum stands at `star`.

    Gateways are met that put a group in front of a block without computing its checksum anew (all groups of a
    Norwegian feed of 2019), so a checksum that fits what follows the group is accepted too.
    """
    t, group = NAT, -1
    checksum, after_group = 0, 0
    for j in range(i + 1, star):
        checksum ^= np.int64(buf[j])
        after_group ^= np.int64(buf[j])
        if buf[j] == 58 and (j - 2 <= i or buf[j - 2] == _COMMA):  # a colon after a one-letter field code
            if buf[j - 1] == 99:  # c
                t, _ = read_epoch(buf, j + 1, star)
            elif buf[j - 1] == 103:  # g, as part-total-id; a stray second dash is met in front of the id
                _, k = read_number(buf, j + 1, star)
                _, k = read_number(buf, k + 1, star)
                while k < star and buf[k] == 45:
                    k += 1
                value, after = read_number(buf, k, star)
                group = value if after > k else -1
        elif buf[j] == _COMMA and group >= 0 and r.group_tag < 0:
            r.group_tag = group
            after_group = 0
    if group >= 0:
        r.group_tag = group
    stated = np.int64(_HEX[buf[star + 1]]) << 4 | np.int64(_HEX[buf[star + 2]])
    if stated != checksum and stated != after_group:
        counts[TAG_BLOCK_CHECKSUM_DIFFERS] += 1
    elif t != NAT:
        r.t_tag = in_range(t, counts)


@kernel
def read_tag_block(buf, i, end, r, counts):
    r"""Read `\...\` at `i` into `r`; returns the index after it."""
    if r.begin < 0:
        r.begin = i
    j = i + 1
    star = -1
    while j < end and buf[j] != _BACKSLASH and not is_line_end(buf[j]):
        if buf[j] == _STAR:
            star = j
        j += 1
    if star >= 0 and star + 2 < end:
        read_tag_fields(buf, i, star, r, counts)
    else:
        counts[TAG_BLOCK_CHECKSUM_DIFFERS] += 1
    return j + 1 if j < end and buf[j] == _BACKSLASH else j


@kernel
def is_talker(byte):
    """A capital, a digit, or the dash that some base stations put in place of their talker."""
    return 65 <= byte <= 90 or is_digit(byte) or byte == 45


@kernel
def is_sentence(buf, i, end):
    """Does `!xxVDM,` or `!xxVDO,` (or the same after `$`) stand at `i`?"""
    return (
        i + 7 < end
        and (buf[i] == _BANG or buf[i] == _DOLLAR)
        and is_talker(buf[i + 1])
        and is_talker(buf[i + 2])
        and buf[i + 3] == 86
        and buf[i + 4] == 68
        and (buf[i + 5] == 77 or buf[i + 5] == 79)
        and buf[i + 6] == _COMMA
    )


@kernel
def check_sum(buf, i, end):
    """XOR of the sentence at `i`: (index of its `*` or of where it breaks off, OK or a reason)."""
    j = i + 1
    checksum = 0
    while j < end and buf[j] != _STAR and not is_line_end(buf[j]) and buf[j] != _BANG:
        checksum ^= np.int64(buf[j])
        j += 1
    if j + 2 >= end or buf[j] != _STAR:
        return j, CHECKSUM_MISSING
    high, low = np.int64(_HEX[buf[j + 1]]), np.int64(_HEX[buf[j + 2]])
    if high > 15 or low > 15:
        return j, CHECKSUM_MISSING
    return j, OK if high << 4 | low == checksum else CHECKSUM_DIFFERS


@kernel
def read_fields(buf, i, star, r):
    """Split the checked sentence between `i` and its `*` into `r`: OK or a reason."""
    r.talker = np.int64(buf[i + 1]) << 8 | np.int64(buf[i + 2])
    r.total, r.part = np.int64(buf[i + 7]) - 48, np.int64(buf[i + 9]) - 48
    if star < i + 15 or buf[i + 8] != _COMMA or buf[i + 10] != _COMMA:
        return MALFORMED
    if not (1 <= r.part <= r.total <= MAX_PARTS):
        return MALFORMED
    value, j = read_number(buf, i + 11, star)
    r.sequence = value if j > i + 11 else -1
    if j >= star or buf[j] != _COMMA:
        return MALFORMED
    j += 1
    r.channel = 0
    if buf[j] != _COMMA:
        r.channel = np.int64(buf[j])
        j += 1
    if j >= star or buf[j] != _COMMA:
        return MALFORMED
    if buf[star - 2] != _COMMA or not is_digit(buf[star - 1]):
        return MALFORMED
    r.payload, r.length = j + 1, star - 2 - (j + 1)
    fill = np.int64(buf[star - 1]) - 48
    r.fill = fill if fill <= 5 else 0  # some hardware sends 6 and more; the payload itself is sound
    if r.length == 0 and r.total == 1:
        return EMPTY_PAYLOAD
    return OK if 0 <= r.length <= MAX_PAYLOAD else MALFORMED


@kernel
def read_suffix(buf, i, end):
    """The USCG epoch after a checksum, `*hh,...,r003669987,1152921693`: (µs or NAT, index where it ends)."""
    t = NAT
    field = i
    j = i
    while j < end and not is_line_end(buf[j]) and buf[j] != _BANG and buf[j] != _BACKSLASH:
        if buf[j] == _COMMA:
            field = j + 1
        j += 1
    if field > i and j - field >= 10 and is_digit(buf[field]):
        _, after = read_number(buf, field, j)
        if after == j or buf[after] == 46:
            t, _ = read_epoch(buf, field, j)
    return t, j


@kernel
def unarmour(buf, begin, length, words, n_held):
    """Append a payload to `words` (10 characters a word, 60 bits) after `n_held` of them: (held then, OK or reason)."""
    place = n_held // 10
    filled = n_held - 10 * place
    word = words[place] >> (60 - 6 * filled) if filled else 0
    for j in range(begin, begin + length):
        value = np.int64(buf[j]) - 48
        if value < 0 or value > 71 or 40 <= value < 48:
            return n_held, BAD_CHARACTER
        if value > 40:
            value -= 8
        word = word << 6 | value
        filled += 1
        if filled == 10:
            words[place] = word
            place += 1
            word = filled = 0
    words[place] = word << (60 - 6 * filled)
    words[place + 1] = 0
    return n_held + length, OK
