"""Scanning CSV rows: where fields end, and plain numbers and times without a loop over their bytes.

A row has many short fields, and a loop over the bytes of each pays a mispredicted branch at its end. So the ends of
all fields are marked first, in a loop without branches; then each field is read at once: eight bytes are looked at as
one 64-bit number, first byte lowest ("SIMD within a register", Lamport 1975). Every sum stays inside its byte, so
nothing overflows. `words` is the text seen as little-endian uint64; the text is followed by zeros.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ais.civil import days_from_civil
from ais.csv_layout import FIELDS
from ais.csv_values import (
    COLON,
    EMPTY,
    GOOD,
    MINUS,
    POWERS_OF_TEN,
    QUOTE,
    SPACE,
    UPPER_T,
    number,
    timestamp,
)
from geo.kernel import kernel

LF, CR = 10, 13
T, CLASS, IMO = (FIELDS.index(name) for name in ("t", "class", "imo"))

ONES = np.uint64(0x0101010101010101)
LOW_BITS = np.uint64(0x7F7F7F7F7F7F7F7F)
TOP_BITS = np.uint64(0x8080808080808080)
DOTS = np.uint64(0x2E2E2E2E2E2E2E2E)
ZEROS = np.uint64(0x3030303030303030)
NINES = np.uint64(0x7676767676767676)  # 0x80 - 10 in each byte
EVEN_BYTES = np.uint64(0x00FF00FF00FF00FF)
EVEN_PAIRS = np.uint64(0x0000FFFF0000FFFF)
LOW_HALF = np.uint64(0x00000000FFFFFFFF)
NONE, ONE, THREE, SEVEN, EIGHT, SIXTEEN, HALF, TOP = (np.uint64(k) for k in (0, 1, 3, 7, 8, 16, 32, 63))
TEN, HUNDRED, TEN_THOUSAND, FIFTEEN = (np.uint64(k) for k in (10, 100, 10_000, 15))
WHOLE_POWERS_OF_TEN = np.array([10**k for k in range(9)], np.int64)

HASHED_WORDS = 8
"""A hash looks at the first 64 bytes of a field, more than a text keeps."""
# Odd numbers below 2**31, so that a product with half a word stays below 2**63.
HASH_WEIGHTS = (np.random.default_rng(20230111).integers(1, 1 << 30, 32 * 2 * HASHED_WORDS) * 2 + 1).astype(np.uint64)


@kernel
def eight_bytes(words, p):
    """The bytes p .. p + 7 of the text as one number."""
    place = np.uint64(p) >> THREE
    shift = (np.uint64(p) & SEVEN) << THREE
    return words[place] >> shift | (words[place + ONE] << ONE) << (TOP - shift)


@kernel
def first_marked(marked):
    """The place of the lowest byte whose top bit is set; 8 where there is none."""
    if marked == NONE:
        return 8
    below = ((marked & (~marked + ONE)) - ONE) & ONES  # one bit for each byte below, and one for the byte itself
    below += below >> HALF
    below += below >> SIXTEEN
    below += below >> EIGHT
    return np.int64(below & FIFTEEN) - 1


@kernel
def bytes_equal(word, repeated):
    """The top bit of each byte of `word` that equals that of `repeated`."""
    differing = word ^ repeated
    return ~((differing & LOW_BITS) + LOW_BITS | differing) & TOP_BITS


def end_table(delimiter: int) -> NDArray[np.uint8]:
    """For each byte, 1 where it ends a field: the delimiter, LF and CR."""
    table = np.zeros(256, np.uint8)
    table[[delimiter, LF, CR]] = 1
    return table


@kernel
def mark_ends(data, p, stop, n, is_end, ends):
    """Write the places of all delimiters and line ends of whole rows in data[p:stop]; returns how many.

    The end of the text ends its last row too. 0 where not one row is whole. Indices are unsigned, for numba checks
    signed ones for being negative: 47 against 150 ns for a row of 114 bytes.
    """
    marked = NONE
    for place in range(np.uint64(p), np.uint64(stop)):
        ends[marked] = place
        marked += np.uint64(is_end[data[place]])
    k = np.int64(marked)
    if stop == n:
        ends[k] = n
        return k + 1
    while k > 0 and data[ends[k - 1]] != LF and data[ends[k - 1]] != CR:
        k -= 1
    return k


@kernel
def closing_quote(data, p, n):
    """The place of the quote, or of the line end, that ends the quoted text at `p`."""
    while p < n and data[p] != LF and data[p] != CR:
        if data[p] == QUOTE:
            if data[p + 1] != QUOTE:
                break
            p += 1
        p += 1
    return p


@kernel
def digits_of(word, size):
    """(number, digits, digits after the point or -1) of the first `size` (1 to 8) bytes; digits are -1 for others."""
    if size < 8:
        word &= (ONE << np.uint64(8 * size)) - ONE
    point = first_marked(bytes_equal(word, DOTS))
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


@kernel
def plain_number(words, data, start, stop):
    """(value, whether it is one) of a number of up to 15 digits in data[start:stop]."""
    first = start + (data[start] == MINUS)
    size = stop - first
    if size < 1 or size > 16:
        return 0.0, False
    mantissa, digits, fraction = digits_of(eight_bytes(words, first), min(size, 8))
    if size > 8:
        low, low_digits, low_fraction = digits_of(eight_bytes(words, first + 8), size - 8)
        if low_digits < 0 or digits < 0 or (fraction >= 0 and low_fraction >= 0):
            return 0.0, False
        mantissa = mantissa * WHOLE_POWERS_OF_TEN[low_digits] + low
        fraction = fraction + low_digits if fraction >= 0 else low_fraction
        digits += low_digits
    if digits < 1 or digits > 15:
        return 0.0, False
    value = mantissa / POWERS_OF_TEN[max(fraction, 0)]
    return -value if first > start else value, True


@kernel
def two_digits(data, p):
    """The number of the two bytes at `p`, over 1,000 where one is no digit."""
    tens, ones = np.int64(data[p]) - 48, np.int64(data[p + 1]) - 48
    return tens * 10 + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else 10_000


@kernel
def plain_time(data, p, stop):
    """(µs since 1970, whether it is one) of `2023-01-11T00:00:00` or with a space."""
    if stop - p != 19:
        return 0, False
    year = two_digits(data, p) * 100 + two_digits(data, p + 2)
    month, day = two_digits(data, p + 5), two_digits(data, p + 8)
    hour, minute, second = two_digits(data, p + 11), two_digits(data, p + 14), two_digits(data, p + 17)
    if data[p + 4] != MINUS or data[p + 7] != MINUS or data[p + 13] != COLON or data[p + 16] != COLON:
        return 0, False
    if data[p + 10] != UPPER_T and data[p + 10] != SPACE:
        return 0, False
    if year > 9999 or year < 1 or month < 1 or month > 12 or day < 1 or day > 28 or hour > 23 or minute > 59:
        return 0, False  # the last days of a month need its length, and so the careful way
    if second > 59:
        return 0, False
    seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
    return seconds * 1_000_000, True


@kernel
def span_hash(words, start, stop, field):
    """A hash of a text, 0 for an empty one; to be joined by `^` with those of the other fields."""
    value = NONE
    weight = np.uint64(2 * HASHED_WORDS * field)
    for p in range(start, min(stop, start + 8 * HASHED_WORDS), 8):
        word = eight_bytes(words, p)
        if stop - p < 8:
            word &= (ONE << np.uint64(8 * (stop - p))) - ONE
        value ^= (word & LOW_HALF) * HASH_WEIGHTS[weight] ^ (word >> HALF) * HASH_WEIGHTS[weight + ONE]
        weight += ONE + ONE
    return np.int64(value)


@kernel
def scan_row(words, data, p, n, ends, i, fields, day_first, marks, values):
    """Read the row at `p`, whose first field ends at `ends[i]`, into `marks` and `values`.

    Returns the place in `ends` after the row, its number of columns, and a hash of its static fields, 0 where all of
    them are empty.
    """
    columns = fields.shape[0]
    column = 0
    static_hash = 0
    while True:
        start, stop = p, ends[i]
        quoted = data[start] == QUOTE and start < stop
        if quoted:
            start = p + 1
            stop = closing_quote(data, start, n)
            while ends[i] < stop:
                i += 1
        field = fields[column] if column < columns else -1
        if field >= CLASS:
            marks[field, 0] = start
            marks[field, 1] = stop
            marks[field, 2] = quoted
            if field >= IMO:
                static_hash ^= span_hash(words, start, stop, field)
        elif field == T:
            marks[T, 0], plain = plain_time(data, start, stop)
            marks[T, 2] = GOOD
            if not plain:
                marks[T, 0], marks[T, 2] = timestamp(data, start, stop, day_first)
        elif field > T:
            marks[field, 0] = start
            marks[field, 1] = stop
            marks[field, 2] = GOOD
            values[field], plain = plain_number(words, data, start, stop)
            if not plain:
                values[field], marks[field, 2] = careful_number(data, start, stop)
        column += 1
        p = ends[i] + 1
        i += 1
        if p > n or data[p - 1] == LF or data[p - 1] == CR:
            return i, column, static_hash


@kernel
def careful_number(data, start, stop):
    """(value, code) of a number in any of its forms."""
    if start == stop:
        return math.nan, EMPTY
    return number(data, start, stop)
