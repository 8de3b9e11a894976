"""Scanning CSV rows: where fields end, and plain numbers and times without a loop over their bytes.

A row has many short fields, and a loop over the bytes of each pays a mispredicted branch at its end. So the ends of
all fields are marked first, in a loop without branches; then each field is read at once: eight bytes are looked at as
one 64-bit number, first byte lowest ("SIMD within a register", Lamport 1975). Every sum stays inside its byte, so
nothing overflows. The text is followed by zeros, so that eight bytes may be taken at any place of it.
"""

from __future__ import annotations

import math

import numpy as np

from ais.civil import days_from_civil
from ais.csv_names import FIELDS
from ais.csv_values import EMPTY, GOOD, MINUS, POWERS_OF_TEN, number, timestamp
from geo.instructions import equal64, load64, trailing_zeros
from geo.kernel import inner

LF, CR, QUOTE = np.uint8(10), np.uint8(13), np.uint8(34)
CLASS, IMO = (FIELDS.index(name) for name in ("class", "imo"))

LOW_BITS = np.uint64(0x7F7F7F7F7F7F7F7F)
TOP_BITS = np.uint64(0x8080808080808080)
DOTS = np.uint64(0x2E2E2E2E2E2E2E2E)
ZEROS = np.uint64(0x3030303030303030)
NINES = np.uint64(0x7676767676767676)  # 0x80 - 10 in each byte
EVEN_BYTES = np.uint64(0x00FF00FF00FF00FF)
EVEN_PAIRS = np.uint64(0x0000FFFF0000FFFF)
LOW_HALF = np.uint64(0x00000000FFFFFFFF)
NONE, ONE, EIGHT, SIXTEEN, HALF = (np.uint64(k) for k in (0, 1, 8, 16, 32))
TEN, HUNDRED, TEN_THOUSAND = (np.uint64(k) for k in (10, 100, 10_000))
WHOLE_POWERS_OF_TEN = np.array([10**k for k in range(9)], np.int64)

# A time as eight-byte words, first byte lowest: of "2023-01-11T00:00:00" the bytes 0 to 7, 8 to 10 and 11 to 18. What a
# word differs from these by is the digits themselves, 0 where a sign stands.
YEAR_MONTH = np.uint64(int.from_bytes(b"0000-00-", "little"))
CLOCK = np.uint64(int.from_bytes(b"00:00:00", "little"))
YEAR_MONTH_DIGITS = np.uint64(int.from_bytes(b"\x0f\x0f\x0f\x0f\0\x0f\x0f\0", "little"))
CLOCK_DIGITS = np.uint64(int.from_bytes(b"\x0f\x0f\0\x0f\x0f\0\x0f\x0f", "little"))
SIXES = np.uint64(0x0606060606060606)
HIGH_NIBBLES = np.uint64(0xF0F0F0F0F0F0F0F0)
DAY_BYTES, BYTE, T_OR_SPACE = np.uint64(0xFFFF), np.uint64(0xFF), (np.uint64(0x54), np.uint64(0x20))
TWO_ZEROS, TWO_DIGITS = np.uint64(0x3030), np.uint64(0x0F0F)
TIME_BYTES = 19

HASHED_WORDS = 32
"""A hash looks at the first 256 bytes of a group of columns, more than the texts keep."""
# Odd numbers below 2**31, so that a product with half a word stays below 2**63.
HASH_WEIGHTS = (
    np.random.default_rng(20230111).integers(1, 1 << 30, len(FIELDS) * 2 * HASHED_WORDS) * 2 + 1
).astype(np.uint64)  # fmt: skip


@inner
def bytes_equal(word, repeated):
    """The top bit of each byte of `word` that equals that of `repeated`."""
    differing = word ^ repeated
    return ~((differing & LOW_BITS) + LOW_BITS | differing) & TOP_BITS


@inner
def mark_ends(data, p, stop, n, delimiter, ends, rows):
    """Write where the fields and rows of data[p:stop] end; returns (whole rows, whether there are quotes).

    Field c of the row whose first field has the number i stands between ends[i + c] and ends[i + c + 1]; rows[r] is the
    number of the first field after row r. The end of the text ends its last row too. 64 bytes are compared at once and
    their bits visited: 32 ns for a row of 114 bytes, where a table of bytes and no branch took 98.
    """
    ends[0] = p - 1
    marked, whole, quotes = ONE, NONE, NONE
    for place in range(p, stop, 64):
        line_ends = equal64(data, place, LF) | equal64(data, place, CR)
        found = equal64(data, place, delimiter) | line_ends
        quotes |= equal64(data, place, QUOTE)
        while found != NONE:
            bit = np.uint64(trailing_zeros(found))
            ends[marked] = place + np.int64(bit)
            rows[whole] = marked
            whole += line_ends >> bit & ONE
            marked += ONE
            found &= found - ONE
    count = np.int64(whole)
    if stop == n and (count == 0 or rows[count - 1] + 1 < np.int64(marked) or ends[rows[count - 1]] + 1 < n):
        ends[np.int64(marked)] = n
        rows[count] = np.int64(marked)
        count += 1
    return count, quotes != NONE


@inner
def closing_quote(data, p, n):
    """The place of the quote, or of the line end, that ends the quoted text at `p`."""
    while p < n and data[p] != LF and data[p] != CR:
        if data[p] == QUOTE:
            if data[p + 1] != QUOTE:
                break
            p += 1
        p += 1
    return p


@inner
def digits_of(word, size):
    """(number, digits, digits after the point or -1) of the first `size` (1 to 8) bytes; digits are -1 for others."""
    if size < 8:
        word &= (ONE << np.uint64(8 * size)) - ONE
    point = trailing_zeros(bytes_equal(word, DOTS)) >> 3  # 8 where there is none
    fraction = -1
    if point < 8:
        below = (ONE << np.uint64(8 * point)) - ONE
        word = word & below | (word >> EIGHT) & ~below
        fraction = size - 1 - point
        size -= 1
        if size == 0:
            return 0, 0, fraction
    # Aligned to the last byte, so that the absent first digits are zeros.
    value = (word << np.uint64(8 * (8 - size))) ^ (ZEROS << np.uint64(8 * (8 - size)))
    if ((value & LOW_BITS) + NINES | value) & TOP_BITS != NONE:
        return 0, -1, fraction
    value = (value & EVEN_BYTES) * TEN + (value >> EIGHT & EVEN_BYTES)
    value = (value & EVEN_PAIRS) * HUNDRED + (value >> SIXTEEN & EVEN_PAIRS)
    return np.int64((value & LOW_HALF) * TEN_THOUSAND + (value >> HALF)), size, fraction


@inner
def locate(ends, i, used, first, last, marks):
    """Write where the fields of the columns used[first:last] stand in the row whose first field has the number `i`."""
    for k in range(first, last):
        column, field = used[k, 0], used[k, 1]
        marks[field, 0] = ends[i + column] + 1
        marks[field, 1] = ends[i + column + 1]
        marks[field, 2] = 0


@inner
def locate_quoted(data, ends, i, after, fields, marks):
    """The same for all fields of a row in which there may be quotes; returns its number of columns."""
    p, stop_of_row = ends[i] + 1, ends[after]
    column = 0
    while p <= stop_of_row:
        start, stop = p, ends[i + 1]
        quoted = start < stop and data[start] == QUOTE
        if quoted:
            start = p + 1
            stop = closing_quote(data, start, stop_of_row)
            while ends[i + 1] < stop:
                i += 1
        if column < fields.shape[0] and fields[column] >= 0:
            marks[fields[column], 0] = start
            marks[fields[column], 1] = stop
            marks[fields[column], 2] = quoted
        column += 1
        p = ends[i + 1] + 1
        i += 1
    return column


@inner
def plain_number(data, start, stop):
    """(value, whether it is one) of a number of up to 15 digits in data[start:stop]."""
    first = start + (data[start] == MINUS)
    size = stop - first
    if size < 1 or size > 16:
        return 0.0, False
    mantissa, digits, fraction = digits_of(load64(data, first), min(size, 8))
    if size > 8:
        low, low_digits, low_fraction = digits_of(load64(data, first + 8), size - 8)
        if low_digits < 0 or digits < 0 or (fraction >= 0 and low_fraction >= 0):
            return 0.0, False
        mantissa = mantissa * WHOLE_POWERS_OF_TEN[low_digits] + low
        fraction = fraction + low_digits if fraction >= 0 else low_fraction
        digits += low_digits
    if digits < 1 or digits > 15:
        return 0.0, False
    value = mantissa / POWERS_OF_TEN[max(fraction, 0)]
    return -value if first > start else value, True


@inner
def plain_time(data, p, stop, last_day):
    """(µs since 1970, whether it is one) of `2023-01-11T00:00:00` or with a space.

    `last_day` holds the day read before (its two words, and the days since 1970): most rows are of one day.
    """
    if stop - p != TIME_BYTES:
        return 0, False
    clock = load64(data, p + 11) ^ CLOCK
    if (clock & ~CLOCK_DIGITS | clock + SIXES & HIGH_NIBBLES) != NONE:
        return 0, False
    clock = clock * TEN + (clock >> EIGHT)
    hour, minute, second = clock & BYTE, clock >> np.uint64(24) & BYTE, clock >> np.uint64(48) & BYTE
    if hour > 23 or minute > 59 or second > 59:
        return 0, False
    year_month, day_sign = load64(data, p), load64(data, p + 8)
    sign = day_sign >> SIXTEEN & BYTE
    if sign != T_OR_SPACE[0] and sign != T_OR_SPACE[1]:
        return 0, False
    same_day = year_month == last_day[0] and day_sign & DAY_BYTES == last_day[1]
    if not same_day and not remember_day(year_month, day_sign & DAY_BYTES, last_day):
        return 0, False
    seconds = np.int64(last_day[2]) * 86_400 + np.int64(hour * np.uint64(3600) + minute * np.uint64(60) + second)
    return seconds * 1_000_000, True


@inner
def remember_day(year_month, day_of_month, last_day):
    """Read `2023-01-` and `11` into `last_day`; False for other forms, years before 1970 and days over 28.

    The last days of a month need its length, and so the careful way.
    """
    digits, day = year_month ^ YEAR_MONTH, day_of_month ^ TWO_ZEROS
    if (digits & ~YEAR_MONTH_DIGITS | digits + SIXES & HIGH_NIBBLES | day & ~TWO_DIGITS) != NONE:
        return False
    digits = np.int64(digits * TEN + (digits >> EIGHT) & np.uint64(0x00FF000000FF00FF))
    year = (digits & 255) * 100 + (digits >> 16 & 255)
    month = digits >> 40 & 255
    day = np.int64(day)
    day = (day & 15) * 10 + (day >> 8)
    if year < 1970 or month < 1 or month > 12 or day < 1 or day > 28 or day_of_month >> EIGHT > np.uint64(0x39):
        return False
    last_day[0], last_day[1] = year_month, day_of_month
    last_day[2] = np.uint64(days_from_civil(year, month, day))
    return True


@inner
def span_hash(data, start, stop, group):
    """A hash of a text; to be joined by `^` with those of the other groups."""
    value = NONE
    weight = np.uint64(2 * HASHED_WORDS * group)
    for p in range(start, min(stop, start + 8 * HASHED_WORDS), 8):
        word = load64(data, p)
        if stop - p < 8:
            word &= (ONE << np.uint64(8 * (stop - p))) - ONE
        value ^= (word & LOW_HALF) * HASH_WEIGHTS[weight] ^ (word >> HALF) * HASH_WEIGHTS[weight + ONE]
        weight += ONE + ONE
    return np.int64(value)


@inner
def groups_hash(data, ends, i, groups):
    """A hash of the static columns of a row, 0 where all are empty; adjacent columns are looked at as one text."""
    value = np.int64(0)
    said = False
    for g in range(groups.shape[0]):
        first, last = groups[g, 0], groups[g, 1]
        start, stop = ends[i + first] + 1, ends[i + last + 1]
        said = said or stop - start > last - first
        value ^= span_hash(data, start, stop, g)
    return value if said else 0


@inner
def fields_hash(data, marks):
    """The same from the places of the fields."""
    value = np.int64(0)
    for field in range(IMO, marks.shape[0]):
        value ^= span_hash(data, marks[field, 0], marks[field, 1], field)
    return value


@inner
def read_time(data, marks, day_first, last_day):
    """Read the time of a row."""
    start, stop = marks[0, 0], marks[0, 1]
    marks[0, 0], plain = plain_time(data, start, stop, last_day)
    marks[0, 2] = GOOD
    if not plain:
        marks[0, 0], marks[0, 2] = timestamp(data, start, stop, day_first)


@inner
def read_numbers(data, marks, values, used, first, last):
    """Read the numbers of the columns used[first:last]."""
    unread = False
    for k in range(first, last):
        field = used[k, 1]
        start, stop = marks[field, 0], marks[field, 1]
        value, plain = plain_number(data, start, stop)
        values[field] = value if plain else math.nan
        marks[field, 2] = GOOD if plain else EMPTY
        unread |= plain == (start == stop)
    if unread:
        read_carefully(data, marks, values, used, first, last)


@inner
def read_carefully(data, marks, values, used, first, last):
    """Read the numbers that are not in the plain form: with spaces, exponents, words for "not available"."""
    for k in range(first, last):
        field = used[k, 1]
        if marks[field, 2] == EMPTY:
            values[field], marks[field, 2] = number(data, marks[field, 0], marks[field, 1])
