"""The record of a message, its bits, and the verdict on whether they can be a message at all.

A message of `n_bits` bits stands in `words`, 48 bits (eight characters of the payload) in each, most significant first:
bit b is bit 47 - b % 48 of words[first + b // 48]; a zero word follows. Bits beyond `n_bits` mean nothing.
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

from ais.layouts import LAYOUTS, LENGTHS
from ais.status import (
    BAD_CHARACTER,
    BAD_MMSI,
    CHECKSUM_DIFFERS,
    CHECKSUM_MISSING,
    FILL_BITS,
    IMPLAUSIBLE,
    OK,
    TOO_SHORT,
    UNKNOWN_TYPE,
    WRONG_LENGTH,
)
from geo.kernel import inlined, inner

MESSAGE = np.dtype(
    [
        ("t", "i8"),  # µs since 1970 UTC, NAT unknown
        ("offset", "i8"),  # of its first sentence (or that one's tag block or prefix) in the source, bytes
        ("copy_of", "i8"),  # number of the message that it repeats, -1 none
        ("number", "i8"),  # of the message in its feed; numbers grow, and not every one is given
        ("mmsi", "u4"),
        ("station", "u4"),  # hash of the name of the station that heard it, 0 unknown
        ("n_bits", "i4"),
        ("group", "i4"),  # of the tag block, -1 none
        ("words", "u4"),  # index of its first word
        ("n_bytes", "u4"),  # bytes of its first sentence from `offset` on
        ("talker", "u2"),  # two ASCII codes, the first in the high byte
        ("channel", "u1"),  # ASCII code, 0 none
        ("msg_type", "u1"),
        ("n_parts", "u1"),
        ("part", "u1"),  # of a sentence; of a whole message the part that came last
        ("sequence", "u1"),  # 255 none
        ("status", "u1"),  # OK, a doubt, or TIME_OUT_OF_RANGE where its stated time is not believed
    ],
    align=True,
)
"""One message, or one sentence of one."""

REASON_COUNT, REASON_BYTES, REASON_FIRST = range(3)
"""Columns of a tally: how often, how many bytes, and the first offset (-1 none)."""

_MIN_BITS = np.zeros(64, np.int64)
_MAX_BITS = np.zeros(64, np.int64)
for _type, (_low, _high) in LENGTHS.items():
    _MIN_BITS[_type], _MAX_BITS[_type] = _low, _high
_PART_B_BITS = LAYOUTS["static_b"].shortest
_ONE = np.uint64(1)
_DOUBTS = np.zeros(256, np.uint8)
_DOUBTS[[CHECKSUM_DIFFERS, CHECKSUM_MISSING, BAD_CHARACTER, FILL_BITS, WRONG_LENGTH, IMPLAUSIBLE]] = 1


def places(name: str) -> Any:
    """First bit and width of each named field of a layout, as constants that kernels can use.

    >>> places("position_a").lon
    (61, 28)
    """
    fields = [field for field in LAYOUTS[name].fields if field.kind not in "-+"]
    return namedtuple("Places", [field.name for field in fields])(*((field.start, field.width) for field in fields))


@inner
def reject(tally, reason, offset, n_bytes):
    """Count what is not used, or not believed, under its reason."""
    tally[reason, REASON_COUNT] += 1
    tally[reason, REASON_BYTES] += n_bytes
    if offset >= 0 and not 0 <= tally[reason, REASON_FIRST] <= offset:
        tally[reason, REASON_FIRST] = offset


@inlined
def doubtful(reason):
    """Is it a doubt, which the policies `flag` and `keep` let pass, and not a reason why there is no message?"""
    return _DOUBTS[reason] == 1


@inlined
def verdict(row, words):
    """Type and MMSI of a whole message into its row: OK, WRONG_LENGTH, or the reason why it is none."""
    if row.n_bits < 38:
        return TOO_SHORT
    first = np.int64(words[row.words])
    row.msg_type = first >> 42
    row.mmsi = first >> 10 & 0x3FFFFFFF
    if _MIN_BITS[row.msg_type] == 0:
        return UNKNOWN_TYPE
    if row.mmsi == 0 or row.mmsi > 999_999_999:
        return BAD_MMSI
    low = _MIN_BITS[row.msg_type]
    if row.msg_type == 24 and first >> 8 & 3 != 0:
        low = _PART_B_BITS
    return OK if low <= row.n_bits <= _MAX_BITS[row.msg_type] else WRONG_LENGTH


@inlined
def count_message(row, types):
    """One more of its type."""
    types[row.msg_type] += 1


@inlined
def unsigned(words, first, start, width):
    """The `width` bits (at most 48) from bit `start` on of the message whose words begin at `first`."""
    at, over = np.uint64(first) + np.uint64(start // 48), start % 48 + width - 48
    mask = (1 << width) - 1
    if over <= 0:
        return np.int64(words[at] >> np.uint64(-over)) & mask
    return np.int64(words[at] << np.uint64(over) | words[at + _ONE] >> np.uint64(48 - over)) & mask


@inlined
def signed(words, first, start, width):
    """The same as a number in two's complement."""
    sign = 1 << (width - 1)
    return (unsigned(words, first, start, width) ^ sign) - sign
