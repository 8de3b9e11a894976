"""Values in the bytes of a CSV: decimal numbers, times, words and texts, without a copy.

Each function reads `data[start:stop]`, the bytes of one field, and returns a value with a code: EMPTY, GOOD or BAD.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ais.civil import days_from_civil, days_in_month
from geo.kernel import inner, kernel

EMPTY, GOOD, BAD = 0, 1, 2

SPACE, QUOTE, PLUS, MINUS, DOT, SLASH, COLON, AT = 32, 34, 43, 45, 46, 47, 58, 64
UPPER_T, UNDERSCORE, LOWER_A, LOWER_E, LOWER_M, LOWER_P, LOWER_T = 84, 95, 97, 101, 109, 112, 116

MINUTE_US, HOUR_US, DAY_US = 60_000_000, 3_600_000_000, 86_400_000_000
# A count of seconds outside of these is no time of an AIS message: the first ships carried AIS in the 1990s.
FIRST_UNIX_US = 631_152_000_000_000  # 1990-01-01
LAST_UNIX_US = 4_102_444_800_000_000  # 2100-01-01

POWERS_OF_TEN = np.array([10.0**k for k in range(23)])
"""Those that a float64 holds exactly."""
POWERS_OF_FIVE = np.array([5**k for k in range(27)], np.int64)


def word_table(words: tuple[str, ...]) -> NDArray[np.uint8]:
    """Words as rows of bytes, lower case: the length, the bytes, zeros.

    >>> word_table(("A", "be")).tolist()
    [[1, 97, 0], [2, 98, 101]]
    """
    table = np.zeros((len(words), 1 + max(map(len, words))), np.uint8)
    for row, word in zip(table, words, strict=True):
        row[0] = len(word)
        row[1 : 1 + len(word)] = np.frombuffer(word.lower().encode("ascii"), np.uint8)
    return table


# What exporters write for "not available": pandas, R, SQL dumps, the Danish files.
NULL_WORDS = word_table(("nan", "none", "null", "na", "n/a", "\\N", "unknown", "undefined", "unknown value", "-"))
ZONE_WORDS = word_table(("Z", "UTC", "GMT"))


@inner
def word_code(data, start, stop, words):
    """The row of `words` that the field holds, without regard to case; -1 for none."""
    size = stop - start
    for row in range(words.shape[0]):
        if words[row, 0] != size:
            continue
        same = True
        for k in range(size):
            byte = data[start + k]
            if 65 <= byte <= 90:
                byte += 32
            if byte != words[row, 1 + k]:
                same = False
                break
        if same:
            return row
    return -1


@inner
def trimmed(data, start, stop):
    """(start, stop) without the spaces at both ends."""
    while start < stop and data[start] == SPACE:
        start += 1
    while stop > start and data[stop - 1] == SPACE:
        stop -= 1
    return start, stop


@inner
def quotient(mantissa, scale, inexact):
    """mantissa / 10**scale, rounded once to the nearest float64, ties to even (mantissa < 10**18, scale <= 26).

    Up to 2**53 and 10**22 both are floats without error and so the division rounds once. Above, 54 bits of
    mantissa / 5**scale are found by long division in integers; what is left over decides the rounding.
    """
    if mantissa < 9007199254740992 and scale <= 22:
        return mantissa / POWERS_OF_TEN[scale]
    divisor = POWERS_OF_FIVE[scale]
    bits = mantissa // divisor
    rest = mantissa - bits * divisor
    exponent = -scale
    while bits < 9007199254740992:
        bits *= 2
        rest *= 2
        if rest >= divisor:
            rest -= divisor
            bits += 1
        exponent -= 1
    below = rest != 0 or inexact
    while bits >= 18014398509481984:
        below = below or bits % 2 == 1
        bits //= 2
        exponent += 1
    half = bits % 2
    bits //= 2
    if half == 1 and (below or bits % 2 == 1):
        bits += 1
    return math.ldexp(float(bits), exponent + 1)


@kernel
def number(data, start, stop):
    """(value, code) of a decimal number, equal to Python's `float` up to 18 digits; NaN unless GOOD."""
    start, stop = trimmed(data, start, stop)
    if start == stop:
        return math.nan, EMPTY
    p = start
    negative = data[p] == MINUS
    if negative or data[p] == PLUS:
        p += 1
    mantissa = np.int64(0)
    scale = 0
    digits = 0
    inexact = False
    point = False
    while p < stop:
        digit = np.int64(data[p]) - 48
        if 0 <= digit <= 9:
            digits += 1
            if mantissa < 100_000_000_000_000_000:
                mantissa = mantissa * 10 + digit
                scale += point
            else:
                inexact = inexact or digit != 0
                scale -= not point
        elif digit == DOT - 48 and not point:
            point = True
        else:
            break
        p += 1
    exponent, p = exponent_of(data, p, stop)
    if digits == 0 or p != stop:
        return math.nan, EMPTY if word_code(data, start, stop, NULL_WORDS) >= 0 else BAD
    scale -= exponent
    if mantissa == 0:
        value = 0.0
    elif 0 <= scale <= 26:
        value = quotient(mantissa, scale, inexact)
    else:
        value = mantissa * 10.0**-scale
    return -value if negative else value, GOOD


@inner
def exponent_of(data, p, stop):
    """(exponent, next place) of the `e-05` that may follow the digits of a number."""
    if p >= stop or (data[p] | 32) != LOWER_E:
        return 0, p
    q = p + 1
    negative = q < stop and data[q] == MINUS
    if q < stop and (negative or data[q] == PLUS):
        q += 1
    exponent, after = natural(data, q, min(stop, q + 3))
    if after == q:
        return 0, p
    return (-exponent if negative else exponent), after


@inner
def natural(data, p, stop):
    """(number, next place) of the digits at `p`, at most up to `stop`."""
    value = np.int64(0)
    while p < stop:
        digit = np.int64(data[p]) - 48
        if digit < 0 or digit > 9:
            break
        value = value * 10 + digit
        p += 1
    return value, p


@inner
def date_of(data, p, stop, day_first):
    """(days since 1970, next place) of a date; the place is -1 for none.

    2021-03-20, 2021/03/20, 20210320; 20/03/2021, 20.03.2021 by `day_first`.
    """
    first, q = natural(data, p, min(stop, p + 8))
    size = q - p
    year, month, day = 0, 0, 0
    if size == 8:
        year, month, day = first // 10_000, first // 100 % 100, first % 100
    elif 1 <= size <= 4 and q < stop and (data[q] == MINUS or data[q] == SLASH or data[q] == DOT):
        separator = data[q]
        second, r = natural(data, q + 1, min(stop, q + 3))
        if r == q + 1 or r >= stop or data[r] != separator:
            return 0, -1
        third, s = natural(data, r + 1, min(stop, r + 5))
        if size == 4 and 1 <= s - r - 1 <= 2:
            year, month, day = first, second, third
        elif size <= 2 and s - r - 1 == 4:
            year = third
            month, day = (second, first) if day_first else (first, second)
        q = s
    if year < 1 or month < 1 or month > 12 or day < 1 or day > days_in_month(year, month):
        return 0, -1
    return days_from_civil(year, month, day), q


@inner
def clock_of(data, p, stop):
    """(µs since midnight, next place) of 23:59:59.123456, 23:59, 235959; the place is -1 for none.

    Digits of the fraction after the sixth are cut off. Second 60 is a leap second, the first of the next minute.
    """
    hour, q = natural(data, p, min(stop, p + 2))
    colons = q < stop and data[q] == COLON
    if q == p or not (colons or q - p == 2):
        return 0, -1
    minute, r = natural(data, q + colons, min(stop, q + colons + 2))
    if r != q + colons + 2:
        return 0, -1
    second = 0
    if r < stop and (not colons or data[r] == COLON):
        after_colon = r + colons
        second, s = natural(data, after_colon, min(stop, after_colon + 2))
        if s == after_colon + 2:
            r = s
        elif colons or s != after_colon:
            return 0, -1
    if hour > 23 or minute > 59 or second > 60:
        return 0, -1
    t = hour * HOUR_US + minute * MINUTE_US + second * 1_000_000
    if r < stop and data[r] == DOT:
        fraction, s = natural(data, r + 1, min(stop, r + 7))
        for _ in range(6 - (s - r - 1)):
            fraction *= 10
        t += fraction
        while s < stop and 48 <= data[s] <= 57:
            s += 1
        r = s
    return t, r


@inner
def zone_of(data, p, stop):
    """(µs to subtract, next place) of what follows a clock: nothing, Z, UTC, GMT, AM, PM, +01:00, +0000 UTC."""
    shift = 0
    while p < stop and data[p] == SPACE:
        p += 1
    if p < stop and (data[p] == PLUS or data[p] == MINUS):
        sign = 1 if data[p] == PLUS else -1
        hours, q = natural(data, p + 1, min(stop, p + 3))
        if q != p + 3 or hours > 15:
            return 0, -1
        colon = q < stop and data[q] == COLON
        minutes, r = natural(data, q + colon, min(stop, q + colon + 2))
        if minutes > 59 or not (r == q + colon + 2 or (r == q and not colon)):
            return 0, -1
        shift = sign * (hours * HOUR_US + minutes * MINUTE_US)
        p = r
        while p < stop and data[p] == SPACE:
            p += 1
    if p < stop and word_code(data, p, stop, ZONE_WORDS) >= 0:
        p = stop
    return shift, p


@inner
def half_day(data, stop, clock):
    """(clock, stop) after a final AM or PM is taken into account; the clock is -1 where the two contradict."""
    if (data[stop - 1] | 32) != LOWER_M or not ((data[stop - 2] | 32) == LOWER_A or (data[stop - 2] | 32) == LOWER_P):
        return clock, stop
    if clock < HOUR_US or clock >= 13 * HOUR_US:
        return -1, stop
    hour_of_noon = clock % (12 * HOUR_US)
    return hour_of_noon + (12 * HOUR_US if (data[stop - 2] | 32) == LOWER_P else 0), stop - 2


@inner
def unix_time(data, start, stop):
    """(µs since 1970, code) of a count of seconds, ms, µs or ns: the unit follows from the size (1990 to 2100)."""
    whole, p = natural(data, start, min(stop, start + 19))
    if p == start or (p < stop and data[p] != DOT):
        return 0, BAD
    if whole < 100_000_000_000:
        unit_us = 1_000_000
    elif whole < 100_000_000_000_000:
        unit_us = 1000
    else:
        unit_us = 1
        if whole >= 100_000_000_000_000_000:
            whole //= 1000
    t = whole * unit_us
    if p < stop:
        fraction, q = natural(data, p + 1, min(stop, p + 7))
        for _ in range(6 - (q - p - 1)):
            fraction *= 10
        t += fraction * unit_us // 1_000_000
        p = q
        while p < stop and 48 <= data[p] <= 57:
            p += 1
    if p != stop or t < FIRST_UNIX_US or t >= LAST_UNIX_US:
        return 0, BAD
    return t, GOOD


@inner
def seconds_of(data, start, stop):
    """(µs since 1970, code) of seconds with an exponent, `1.327136826E9`, as Global Fishing Watch writes them."""
    if stop - start < 3 or data[start + 1] != DOT:
        return 0, BAD
    value, code = number(data, start, stop)
    if code != GOOD or not FIRST_UNIX_US <= value * 1e6 < LAST_UNIX_US:
        return 0, BAD
    return np.int64(math.floor(value * 1e6 + 0.5)), GOOD


@kernel
def timestamp(data, start, stop, day_first):
    """(µs since 1970 UTC, code) of a date with a clock, or of a count since 1970; no zone means UTC."""
    start, stop = trimmed(data, start, stop)
    if start == stop:
        return 0, EMPTY
    days, p = date_of(data, start, stop, day_first)
    if p < 0 or p >= stop or 48 <= data[p] <= 57 or (p - start == 8 and data[p] == DOT):
        t, code = unix_time(data, start, stop)
        if code == BAD:
            t, code = seconds_of(data, start, stop)
        if code == BAD and word_code(data, start, stop, NULL_WORDS) >= 0:
            return 0, EMPTY
        return t, code
    byte = data[p]
    if byte != UPPER_T and byte != LOWER_T and byte != SPACE and byte != UNDERSCORE:
        return 0, BAD
    while p + 1 < stop and data[p + 1] == SPACE:
        p += 1
    clock, p = clock_of(data, p + 1, stop)
    if p < 0:
        return 0, BAD
    if stop - p >= 2:
        clock, stop = half_day(data, stop, clock)
        _, stop = trimmed(data, p, stop)
    shift, p = zone_of(data, p, stop)
    if p != stop or clock < 0:
        return 0, BAD
    return days * DAY_US + clock - shift, GOOD


@inner
def copy_text(data, start, stop, quoted, out):
    """Copy a text into `out` without `@` padding; doubled quotes of a quoted field become one; too long is cut."""
    start, stop = trimmed(data, start, stop)
    out[:] = 0
    if word_code(data, start, stop, NULL_WORDS) >= 0:
        return
    n = 0
    p = start
    while p < stop and n < out.shape[0]:
        byte = data[p]
        if byte == AT:
            break
        out[n] = byte
        n += 1
        p += 2 if quoted and byte == QUOTE else 1
    while n > 0 and out[n - 1] == SPACE:
        n -= 1
        out[n] = 0
