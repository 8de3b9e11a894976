"""Fields of one CSV row: what each value means, with its sentinels, codes and words.

A row is scanned once, into two arrays by the places of `FIELDS`: `marks` (int64) holds start, stop and QUOTED for a
text, start, stop and code for a number, and time, 0 and code for the time; `values` (float64) holds the numbers. A
field that the layout does not have stays 0, which is EMPTY. Reasons are counted by their place in `REASONS`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.csv_layout import FIELDS
from ais.csv_values import (
    BAD,
    COLON,
    DOT,
    EMPTY,
    GOOD,
    MINUS,
    POWERS_OF_TEN,
    QUOTE,
    SPACE,
    UPPER_T,
    days_from_civil,
    number,
    timestamp,
    word_code,
    word_table,
)
from ais.table import NAV_STATUS_UNKNOWN
from geo.kernel import kernel

T, MMSI, LAT, LON, SOG, COG, HEADING, NAV_STATUS, MSG_TYPE, CLASS = range(10)
IMO, CALLSIGN, NAME, SHIP_TYPE, LENGTH, WIDTH, TO_BOW, TO_STERN, TO_PORT, TO_STARBOARD, DRAUGHT, DESTINATION, ETA = (
    range(10, 23)
)
N_FIELDS = len(FIELDS)

LF, CR = 10, 13

REASONS = (
    "wrong number of fields",
    "base station",
    "aid to navigation",
    "distress transmitter",
    "no time",
    "unreadable time",
    "no MMSI",
    "unreadable MMSI",
    "MMSI out of range",
    "no position",
    "unreadable position",
    "latitude out of range",
    "longitude out of range",
    "unreadable speed, taken as not available",
    "speed out of range, taken as not available",
    "unreadable course, taken as not available",
    "course out of range, taken as not available",
    "unreadable heading, taken as not available",
    "heading out of range, taken as not available",
    "unknown navigational status, taken as not available",
)
"""Why a row was not used, or a value of it was not."""
WRONG_FIELDS = 0
BASE_STATION = 1
AID_TO_NAVIGATION = 2
DISTRESS = 3
NO_TIME = 4  # and the next: unreadable
NO_MMSI = 6  # and the next: unreadable
MMSI_RANGE = 8
NO_POSITION = 9
UNREADABLE_POSITION = 10
LAT_RANGE = 11
LON_RANGE = 12
UNREADABLE_SOG = 13  # and the next: out of range; so for course and heading
UNREADABLE_COG = 15
UNREADABLE_HEADING = 17
UNKNOWN_STATUS = 19

# The words of the NOAA and Danish files, with the message type that such a station sends (ITU-R M.1371).
CLASS_WORDS = word_table(
    ("a", "class a", "b", "class b", "sar airborne", "base station", "aton", "aid to navigation",
     "search and rescue transponder", "man overboard device", "sart", "epirb")
)  # fmt: skip
CLASS_MSG_TYPE = np.array([1, 1, 18, 18, 9, 4, 21, 21, 1, 1, 1, 1], np.uint8)
CLASS_REASON = np.array([-1, -1, -1, -1, -1, 1, 2, 2, 3, 3, 3, 3], np.int64)

# Navigational status 0 to 14, ITU-R M.1371, in the words of the Danish files; then other spellings of the same.
STATUS_NAMES = (
    "under way using engine", "at anchor", "not under command", "restricted maneuverability",
    "constrained by her draught", "moored", "aground", "engaged in fishing", "under way sailing",
    "reserved for future amendment [hsc]", "reserved for future amendment [wig]",
    "power-driven vessel towing astern", "power-driven vessel pushing ahead or towing alongside",
    "reserved for future use [13]", "ais-sart (active)", "underway using engine", "restricted manoeuvrability",
    "constrained by her draft", "underway sailing", "reserved for future use [11]", "reserved for future use [12]",
    "ais-sart", "ais-sart is active",
)  # fmt: skip
STATUS_WORDS = word_table(STATUS_NAMES)
STATUS_CODE = np.array([*range(15), 0, 3, 4, 8, 11, 12, 14, 14], np.uint8)

HASHED_BYTES = 64
# Odd numbers below 2**42: 13 fields of 64 bytes times 255 keep the sum below 2**61.
HASH_WEIGHTS = np.random.default_rng(20230111).integers(1, 1 << 41, (N_FIELDS - IMO) * HASHED_BYTES) * 2 + 1


class FixColumns(NamedTuple):
    """Columns that the reader fills, one row for each position."""

    t: NDArray[np.int64]
    mmsi: NDArray[np.uint32]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    sog: NDArray[np.float32]
    cog: NDArray[np.float32]
    heading: NDArray[np.float32]
    nav_status: NDArray[np.uint8]
    msg_type: NDArray[np.uint8]
    offset: NDArray[np.int64]


@kernel
def field_end(data, p, n, delimiter):
    """The place of the delimiter or line end that follows `p`."""
    while p < n and data[p] != delimiter and data[p] != LF and data[p] != CR:
        p += 1
    return p


@kernel
def span_of(data, p, n, delimiter):
    """(start, stop, whether quoted, place after) of the field at `p`; quotes are left out of the span."""
    if p >= n or data[p] != QUOTE:
        end = field_end(data, p, n, delimiter)
        return p, end, False, end
    start = p + 1
    stop = start
    while stop < n and data[stop] != LF and data[stop] != CR:
        if data[stop] == QUOTE:
            if data[stop + 1] != QUOTE:
                break
            stop += 1
        stop += 1
    return start, stop, True, field_end(data, stop, n, delimiter)


@kernel
def plain_number(data, p, delimiter):
    """(value, place after) of a number of up to 15 digits that fills its field; the place is -1 for anything else.

    The common case of `number`, without a look at where the field ends. The zeros behind the text stop it.
    """
    q = p + 1 if data[p] == MINUS else p
    first = q
    mantissa = np.int64(0)
    scale = 0
    byte = np.int64(data[q])
    while 48 <= byte <= 57:
        mantissa = mantissa * 10 + (byte - 48)
        q += 1
        byte = np.int64(data[q])
    if byte == DOT:
        point = q
        q += 1
        byte = np.int64(data[q])
        while 48 <= byte <= 57:
            mantissa = mantissa * 10 + (byte - 48)
            q += 1
            byte = np.int64(data[q])
        scale = q - point - 1
    if q == first or q - first > 16 or (q - first == 1 and scale == 0 and data[first] == DOT):
        return 0.0, -1
    if (byte != delimiter and byte != LF and byte != CR) or q - first - (scale > 0) > 15:
        return 0.0, -1
    value = mantissa / POWERS_OF_TEN[scale]
    return -value if first > p else value, q


@kernel
def two_digits(data, p):
    """The number of the two bytes at `p`, over 1,000 where one is no digit."""
    tens, ones = np.int64(data[p]) - 48, np.int64(data[p + 1]) - 48
    return tens * 10 + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else 10_000


@kernel
def plain_time(data, p, delimiter):
    """(µs since 1970, place after) of `2023-01-11T00:00:00` or with a space; the place is -1 for anything else."""
    year = two_digits(data, p) * 100 + two_digits(data, p + 2)
    month, day = two_digits(data, p + 5), two_digits(data, p + 8)
    hour, minute, second = two_digits(data, p + 11), two_digits(data, p + 14), two_digits(data, p + 17)
    if data[p + 4] != MINUS or data[p + 7] != MINUS or (data[p + 10] != UPPER_T and data[p + 10] != SPACE):
        return 0, -1
    if data[p + 13] != COLON or data[p + 16] != COLON or data[p + 19] != delimiter:
        return 0, -1
    if year > 9999 or year < 1 or month < 1 or month > 12 or day < 1 or day > 28 or hour > 23 or minute > 59:
        return 0, -1  # the last days of a month need its length, and so the careful way
    if second > 59:
        return 0, -1
    seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
    return seconds * 1_000_000, p + 19


@kernel
def scan_row(data, p, n, fields, delimiter, day_first, marks, values):
    """Read the row at `p` into `marks` and `values`; returns (place after it, number of columns, static hash).

    The hash of the static fields is a sum of bytes, each times a weight of its place: 0 where all are empty. It looks
    at the first 64 bytes of a field, more than a text keeps, so that the sum stays below 2**63.
    """
    column = 0
    static_hash = 0
    while True:
        field = fields[column] if column < fields.shape[0] else -1
        if field < 0:
            _, _, _, p = span_of(data, p, n, delimiter)
        elif field >= CLASS:
            start, stop, quoted, p = span_of(data, p, n, delimiter)
            marks[field, 0] = start
            marks[field, 1] = stop
            marks[field, 2] = quoted
            if field >= IMO:
                first_weight = (field - IMO) * HASHED_BYTES - start
                for k in range(start, min(stop, start + HASHED_BYTES)):
                    static_hash += data[k] * HASH_WEIGHTS[first_weight + k]
        elif field == T:
            t, after = plain_time(data, p, delimiter)
            if after < 0:
                t, after = careful_time(data, p, n, delimiter, day_first, marks)
            else:
                marks[T, 2] = GOOD
            marks[T, 0] = t
            p = after
        else:
            value, after = plain_number(data, p, delimiter)
            if after < 0:
                value, after = careful_number(data, p, n, delimiter, field, marks)
            else:
                marks[field, 2] = GOOD
            values[field] = value
            p = after
        column += 1
        if p >= n or data[p] != delimiter:
            return p + 1, column, static_hash
        p += 1


@kernel
def careful_time(data, p, n, delimiter, day_first, marks):
    """(µs since 1970, place after) of a time in any of its forms; its code goes to `marks`."""
    start, stop, _, after = span_of(data, p, n, delimiter)
    t, code = timestamp(data, start, stop, day_first)
    marks[T, 2] = code
    return t, after


@kernel
def careful_number(data, p, n, delimiter, field, marks):
    """(value, place after) of a number in any of its forms; its span and code go to `marks`."""
    start, stop, _, after = span_of(data, p, n, delimiter)
    value, code = number(data, start, stop) if stop > start else (math.nan, EMPTY)
    marks[field, 0] = start
    marks[field, 1] = stop
    marks[field, 2] = code
    return value, after


@kernel
def station_of(data, marks, values):
    """(message type or 0, reason not to use the row or -1) from the class of the transmitter."""
    msg_type = 0
    reason = -1
    if marks[MSG_TYPE, 2] == GOOD and 1.0 <= values[MSG_TYPE] <= 27.0:
        msg_type = int(values[MSG_TYPE])
        if msg_type == 4:
            reason = BASE_STATION
        elif msg_type == 21:
            reason = AID_TO_NAVIGATION
    start, stop = marks[CLASS, 0], marks[CLASS, 1]
    if stop > start:
        word = word_code(data, start, stop, CLASS_WORDS)
        if word >= 0:
            reason = max(reason, CLASS_REASON[word])
            if msg_type == 0:
                msg_type = np.int64(CLASS_MSG_TYPE[word])
    return msg_type, reason


@kernel
def vessel_of(marks, values):
    """(mmsi, reason not to use the row or -1); a row without a time is not used either."""
    if marks[T, 2] != GOOD:
        return 0, NO_TIME + (marks[T, 2] == BAD)
    if marks[MMSI, 2] != GOOD:
        return 0, NO_MMSI + (marks[MMSI, 2] == BAD)
    mmsi = values[MMSI]
    if not 1.0 <= mmsi <= 999_999_999.0 or mmsi != math.floor(mmsi):
        return 0, MMSI_RANGE
    return int(mmsi), -1


@kernel
def position_fault(marks, values):
    """The reason not to use the position of a row, -1 for none."""
    lat, lon = values[LAT], values[LON]
    if marks[LAT, 2] == BAD or marks[LON, 2] == BAD:
        return UNREADABLE_POSITION
    if marks[LAT, 2] == EMPTY or marks[LON, 2] == EMPTY or lat == 91.0 or lon == 181.0:
        return NO_POSITION
    if not -90.0 <= lat <= 90.0:
        return LAT_RANGE
    if not -180.0 <= lon <= 180.0:
        return LON_RANGE
    return -1


@kernel
def measured(marks, values, field, below, absent, reason, counts):
    """A value with 0 <= value < below, else NaN; faults are counted from `reason` on.

    `absent` is the sentinel, and so is 511, which message type 27 sends for the course.

    Old NOAA files hold negative courses. They come from decoders that read the 12-bit field as signed (260.0 became
    -149.6), but nothing tells them from -180..180 courses, so they count as out of range instead of being guessed.
    """
    value = values[field]
    if marks[field, 2] == BAD:
        counts[reason] += 1
    elif marks[field, 2] == GOOD and not 0.0 <= value < below:
        if value != absent and value != 511.0:
            counts[reason + 1] += 1
        return math.nan
    return value


@kernel
def nav_status_of(data, marks, values, counts):
    """Navigational status 0 to 15, from its number or its words."""
    code, value = marks[NAV_STATUS, 2], values[NAV_STATUS]
    if code == GOOD and 0.0 <= value <= 15.0:
        return int(value)
    if code == EMPTY:
        return NAV_STATUS_UNKNOWN
    if code == BAD:
        word = word_code(data, marks[NAV_STATUS, 0], marks[NAV_STATUS, 1], STATUS_WORDS)
        if word >= 0:
            return np.int64(STATUS_CODE[word])
    counts[UNKNOWN_STATUS] += 1
    return NAV_STATUS_UNKNOWN
