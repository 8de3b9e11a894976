"""Times in front of, between and behind sentences: what each way of writing one means.

The time of a sentence is the tag block's `c:` (seconds, milliseconds or microseconds, with or without a fraction),
else the suffix of the USCG (`*hh,r003669987,1152921693`), else a prefix in front of the sentence (unix digits, ISO
8601, or a US date as `10/07/19 17:36:42:075`), else the `$PGHP` line before it. A prefix without a zone is UTC.
"""

from __future__ import annotations

import numpy as np

from ais.civil import civil_us
from ais.table import NAT
from geo.instructions import load64
from geo.kernel import inner

COMMA, BACKSLASH, BANG, SLASH, COLON, POINT, PLUS, MINUS = 44, 92, 33, 47, 58, 46, 43, 45
HOUR_US = 3_600_000_000
_ZEROS, _TOPS, _NOT_DIGITS = np.uint64(0x3030303030303030), np.uint64(0x8080808080808080), np.uint64(0x7676767676767676)
_PAIRS, _FOURS, _EIGHTS = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF), np.uint64(0x00000000FFFFFFFF)
_TEN, _HUNDRED, _TEN_THOUSAND, _BYTE, _TWO_BYTES, _FOUR_BYTES = (np.uint64(k) for k in (10, 100, 10_000, 8, 16, 32))


@inner
def is_line_end(byte):
    """Line feed or carriage return."""
    return byte == 10 or byte == 13


@inner
def is_digit(byte):
    """An ASCII digit."""
    return 48 <= byte <= 57


@inner
def read_number(buf, i, end):
    """Digits from `i` on: (value, index after them); at most 19, as unix nanoseconds have."""
    value, stop = 0, min(end, i + 19)
    while i + 8 <= stop:
        digits = load64(buf, i) - _ZEROS
        if ((digits + _NOT_DIGITS) | digits) & _TOPS != 0:
            break
        # Neighbours are joined to numbers of two, four and eight digits (D. Lemire's way).
        digits = (digits * _TEN + (digits >> _BYTE)) & _PAIRS
        digits = (digits * _HUNDRED + (digits >> _TWO_BYTES)) & _FOURS
        digits = (digits * _TEN_THOUSAND + (digits >> _FOUR_BYTES)) & _EIGHTS
        value = value * 100_000_000 + np.int64(digits)
        i += 8
    while i < stop and is_digit(buf[i]):
        value = value * 10 + (np.int64(buf[i]) - 48)
        i += 1
    return value, i


@inner
def read_epoch(buf, i, end):
    """A time since 1970 in seconds, ms, µs or ns (told by its size), with a fraction: (µs or NAT, index after it)."""
    begin = i
    value, i = read_number(buf, i, end)
    if i == begin or value < 0 or (i < end and is_digit(buf[i])):  # none, or more digits than any time has
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


@inner
def two_digits(buf, i, end):
    """The number of exactly two digits at `i`, or -1."""
    if i + 1 < end and is_digit(buf[i]) and is_digit(buf[i + 1]):
        return (np.int64(buf[i]) - 48) * 10 + (np.int64(buf[i + 1]) - 48)
    return -1


@inner
def read_zone(buf, i, end):
    """A zone after a time, `+02:00`, `+0200`, `+02` or Z, a blank before it or not: its offset in minutes.

    0 where there is none (UTC), NAT where it cannot be read.
    """
    if i + 2 < end and buf[i] == 32 and (buf[i + 1] == PLUS or buf[i + 1] == MINUS) and is_digit(buf[i + 2]):
        i += 1
    if i >= end or buf[i] == 32 or buf[i] == 9 or buf[i] == 90 or buf[i] == BANG or buf[i] == BACKSLASH:
        return 0
    if buf[i] != PLUS and buf[i] != MINUS:
        return NAT
    hours = two_digits(buf, i + 1, end)
    minutes = two_digits(buf, i + 4 if i + 3 < end and buf[i + 3] == COLON else i + 3, end)
    if i + 3 >= end or (buf[i + 3] != COLON and not is_digit(buf[i + 3])):
        minutes = 0
    if hours < 0 or minutes < 0:
        return NAT
    return hours * 60 + minutes if buf[i] == PLUS else -(hours * 60 + minutes)


@inner
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
    if j < end and (buf[j] == 46 or buf[j] == COMMA):
        unit = 100_000
        j += 1
        while j < end and is_digit(buf[j]):
            if t != NAT:
                t += unit * (np.int64(buf[j]) - 48)
            unit //= 10
            j += 1
    zone = read_zone(buf, j, end)
    return NAT if t == NAT or zone == NAT else t - zone * 60_000_000


@inner
def read_us_date(buf, i, end):
    """A time as `10/07/19 17:36:42:075` at `i`, month first, of this century: µs or NAT."""
    if i + 17 > end or buf[i + 2] != SLASH or buf[i + 5] != SLASH or buf[i + 11] != COLON or buf[i + 14] != COLON:
        return NAT
    month, day, year = two_digits(buf, i, end), two_digits(buf, i + 3, end), two_digits(buf, i + 6, end)
    hour, minute, second = two_digits(buf, i + 9, end), two_digits(buf, i + 12, end), two_digits(buf, i + 15, end)
    if min(month, day, year, hour, minute, second) < 0:
        return NAT
    t = civil_us(2000 + year, month, day, hour, minute, second)
    if t != NAT and i + 21 <= end and (buf[i + 17] == COLON or buf[i + 17] == POINT):
        value, j = read_number(buf, i + 18, i + 21)
        if j == i + 21:
            t += value * 1_000
    j = i + 21 if i + 21 <= end and buf[i + 17] != 32 else i + 17
    if j + 2 < end and buf[j] == 32 and buf[j + 2] == 77 and t != NAT:  # AM or PM
        if buf[j + 1] == 80 and hour < 12:
            t += 12 * HOUR_US
        elif buf[j + 1] == 65 and hour == 12:
            t -= 12 * HOUR_US
    return t


@inner
def read_prefix(buf, i, end):
    """A time stamp in front of a sentence, epoch digits, ISO 8601 or a US date: µs or NAT."""
    _, j = read_number(buf, i, end)
    if j - i == 4:
        return read_iso(buf, i, end)
    if j - i == 2:
        return read_us_date(buf, i, end)
    if j - i >= 10:
        t, _ = read_epoch(buf, i, end)
        return t
    return NAT


@inner
def read_pghp(buf, i, end):
    """Time of a Gatehouse line, $PGHP,1,year,month,day,hour,minute,second,ms,...: µs or NAT; for the next line."""
    year = month = day = hour = minute = second = 0
    i += 8
    for field in range(7):
        value, j = read_number(buf, i, end)
        if j == i or (field < 6 and (j >= end or buf[j] != COMMA)):
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
