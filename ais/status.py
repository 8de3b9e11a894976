"""Why a line or a row was not used: one code per reason, one text per code.

Kernels count by code; users read the texts. A code is also the `status` of a fix: rows that a detector must not rest
on stay in the table, marked.
"""

from __future__ import annotations

from collections.abc import Iterable

(
    OK,
    CHECKSUM_DIFFERS,
    CHECKSUM_MISSING,
    MALFORMED,
    BAD_CHARACTER,
    WRONG_LENGTH,
    ORPHAN_FRAGMENT,
    INCOMPLETE_MESSAGE,
    OTHER_TYPE,
    NOT_AIS,
    NO_POSITION,
    POSITION_OUT_OF_RANGE,
    BAD_MMSI,
    TAG_BLOCK_CHECKSUM_DIFFERS,
    TIME_OUT_OF_RANGE,
    EMPTY_PAYLOAD,
    NO_TIME,
    DUPLICATE,
    JUMP,
    NOT_A_SHIP,
    LATE,
    OUTSIDE_SELECTION,
    LINE_TOO_LONG,
    FILL_BITS,
    IMPLAUSIBLE,
    UNKNOWN_TYPE,
    TOO_SHORT,
    CLOCK_OFF,
    NOT_ADMITTED,
) = range(29)

STATUS = (
    "ok",
    "checksum differs",
    "checksum missing",
    "malformed sentence",
    "character outside the payload alphabet",
    "length does not fit the message type",
    "fragment without its first part",
    "message with a part that never came",
    "message type without a position or identity",
    "line without an AIS sentence",
    "no position in the message",
    "position out of range",
    "MMSI is not a ship's, a station's or an aid's",
    "tag block checksum differs (its time is not used)",
    "time out of range (not believed)",
    "empty payload",
    "no time (cannot be used by detectors)",
    "duplicate",
    "impossible jump",
    "not a ship (base station, aid to navigation, aircraft, SART)",
    "later than the lateness window",
    "outside the chosen time or area",
    "line longer than the limit",
    "fill bits out of range",
    "parts that do not fit together",
    "unknown message type",
    "message ends before its MMSI",
    "position of another time (a receiver's clock is off)",
    "vessel not admitted (the table of vessels is full)",
)
"""Text of each status code."""

REASONS = len(STATUS)
REJECTED = frozenset({
    CHECKSUM_DIFFERS, CHECKSUM_MISSING, MALFORMED, BAD_CHARACTER, WRONG_LENGTH, ORPHAN_FRAGMENT, INCOMPLETE_MESSAGE,
    NOT_AIS, BAD_MMSI, EMPTY_PAYLOAD, DUPLICATE, LINE_TOO_LONG, FILL_BITS, IMPLAUSIBLE, UNKNOWN_TYPE, TOO_SHORT,
})  # fmt: skip
"""Codes under which a decoder counts lines and sentences of which no message came. The others that it counts say what
of a message was not used."""


def count_words(counts: Iterable[int]) -> dict[str, int]:
    """Counts by code as counts by text, zeros left out.

    >>> count_words([7, 2, 0, 1])
    {'checksum differs': 2, 'malformed sentence': 1}
    """
    return {STATUS[code]: int(n) for code, n in enumerate(counts) if n and code != OK}
