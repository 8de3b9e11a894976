"""Fields of one CSV row: what each value means, with its sentinels, codes and words.

A row is scanned once, into two arrays by the places of `FIELDS`: `marks` (int64) holds start, stop and QUOTED for a
text, start, stop and code for a number, and time, 0 and code for the time; `values` (float64) holds the numbers. A
field that the layout does not have stays 0, which is EMPTY. Reasons are counted by their place in `REASONS`.
"""

from __future__ import annotations

import math

import numpy as np

from ais.csv_names import FIELDS
from ais.csv_values import BAD, EMPTY, GOOD, word_code, word_table
from ais.mmsi import AID_TO_NAVIGATION as ATON_MMSI
from ais.mmsi import BASE_STATION as BASE_MMSI
from ais.mmsi import EPIRB, MAN_OVERBOARD, MMSI_CLASSES, SART, class_of_mmsi
from ais.table import NAV_STATUS_UNKNOWN
from geo.kernel import inner, kernel

T, MMSI, LAT, LON, SOG, COG, HEADING, NAV_STATUS, MSG_TYPE, MS, CLASS = range(11)
IMO, CALLSIGN, NAME, SHIP_TYPE, LENGTH, WIDTH, TO_BOW, TO_STERN, TO_PORT, TO_STARBOARD, DRAUGHT, DESTINATION, ETA = (
    range(11, 24)
)
ETA_MONTH, ETA_DAY, ETA_HOUR, ETA_MINUTE = range(24, 28)
N_FIELDS = len(FIELDS)

NOT_AVAILABLE = ", taken as not available"
"""Ends the reasons that cost a value and not the row."""
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
    f"unreadable speed{NOT_AVAILABLE}",
    f"speed out of range{NOT_AVAILABLE}",
    f"unreadable course{NOT_AVAILABLE}",
    f"course out of range{NOT_AVAILABLE}",
    f"unreadable heading{NOT_AVAILABLE}",
    f"heading out of range{NOT_AVAILABLE}",
    f"unknown navigational status{NOT_AVAILABLE}",
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
UNREADABLE_SOG = 13  # and the next: out of range; then the same for course and heading
UNKNOWN_STATUS = 19

MOTION_BELOW = np.array([102.25, 360.0, 360.0])
"""Speed in knots, course and heading in degrees: values are below."""
MOTION_ABSENT = np.array([102.3, 360.0, 511.0])
"""What ITU-R M.1371 sends for "not available"."""

MMSI_REASON = np.full(len(MMSI_CLASSES), -1)
"""Why the rows of a class of MMSI are not used, -1 where they are."""
MMSI_REASON[BASE_MMSI] = BASE_STATION
MMSI_REASON[ATON_MMSI] = AID_TO_NAVIGATION
MMSI_REASON[[SART, MAN_OVERBOARD, EPIRB]] = DISTRESS

# The words of the NOAA and Danish files, with the message type that such a station sends (ITU-R M.1371).
CLASS_WORDS = word_table(
    ("a", "class a", "b", "class b", "sar airborne", "base station", "aton", "aid to navigation",
     "search and rescue transponder", "man overboard device", "sart", "epirb")
)  # fmt: skip
LETTER_A_OR_B = 99  # the letters A, B, a and b, with the bits set in which they differ
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

FIX_RECORD = np.dtype(
    [("t", "i8"), ("lat", "f8"), ("lon", "f8"), ("offset", "i8"), ("mmsi", "u4"), ("sog", "f4"), ("cog", "f4"),
     ("heading", "f4"), ("nav_status", "u1"), ("msg_type", "u1")],
    align=True,
)  # fmt: skip
"""One position, as the reader writes it: a kernel with ten arrays instead took 4 s longer to compile."""


@inner
def station_of(data, marks, values):
    """(message type or 0, reason not to use the row or -1) from the class of the transmitter."""
    msg_type = np.int64(0)
    reason = -1
    if marks[MSG_TYPE, 2] == GOOD and 1.0 <= values[MSG_TYPE] <= 27.0:
        msg_type = np.int64(values[MSG_TYPE])
        if msg_type == 4:
            reason = BASE_STATION
        elif msg_type == 21:
            reason = AID_TO_NAVIGATION
    start, stop = marks[CLASS, 0], marks[CLASS, 1]
    if stop == start + 1 and data[start] | 33 == LETTER_A_OR_B:  # nearly all; words cost 90 ns more
        return (np.int64(1 if data[start] & 1 else 18) if msg_type == 0 else msg_type), reason
    if stop > start:
        word = word_code(data, start, stop, CLASS_WORDS)
        if word >= 0:
            reason = max(reason, CLASS_REASON[word])
            if msg_type == 0:
                msg_type = np.int64(CLASS_MSG_TYPE[word])
    return msg_type, reason


@kernel
def vessel_of(marks, values, msg_type):
    """(mmsi, reason not to use the row or -1); rows without a time, and of what is no vessel, are not used.

    Base stations and aids to navigation are told by the MMSI where the row does not say what sent it: a class A
    transceiver with a number of seven digits is a ship whose number is wrong. A SART sends what a ship does.
    """
    if marks[T, 2] != GOOD:
        return 0, NO_TIME + (marks[T, 2] == BAD)
    if marks[MMSI, 2] != GOOD:
        return 0, NO_MMSI + (marks[MMSI, 2] == BAD)
    mmsi = values[MMSI]
    if not 1.0 <= mmsi <= 999_999_999.0 or mmsi != math.floor(mmsi):
        return 0, MMSI_RANGE
    reason = MMSI_REASON[class_of_mmsi(np.int64(mmsi))]
    return int(mmsi), reason if msg_type == 0 or reason == DISTRESS else -1


@inner
def time_of(marks, values):
    """The time of a row, with the milliseconds that may stand in a column of their own."""
    if marks[MS, 2] == GOOD and 0.0 <= values[MS] < 1000.0:
        return marks[T, 0] + np.int64(values[MS]) * 1000
    return marks[T, 0]


@kernel
def scale(values, divisors):
    """Bring position, speed and course to degrees and knots."""
    if divisors.shape[0] > 0:
        for field in range(LAT, HEADING):
            values[field] /= divisors[field]


@inner
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


@inner
def check_motion(marks, values, counts):
    """Speed, course and heading: below their limits and not negative, else NaN; faults are counted.

    The sentinels are no faults, and neither is 511, which message type 27 sends for the course. Old NOAA files hold
    negative courses. They come from decoders that read the 12-bit field as signed (260.0 became -149.6), but nothing
    tells them from courses of -180 to 180, so they count as out of range instead of being guessed.
    """
    for k in range(3):
        value, code = values[SOG + k], marks[SOG + k, 2]
        outside = code == GOOD and not 0.0 <= value < MOTION_BELOW[k]
        # Without a branch: every second heading is the sentinel, at random.
        counts[UNREADABLE_SOG + 2 * k] += code == BAD
        counts[UNREADABLE_SOG + 2 * k + 1] += outside & (value != MOTION_ABSENT[k]) & (value != 511.0)
        values[SOG + k] = math.nan if outside else value


@inner
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
