"""Checksums and payloads, eight bytes at once.

Eight bytes are looked at as one 64-bit number with the first byte lowest ("SIMD within a register", Lamport 1975). Each
character of a payload stands for six bits (IEC 61162-1): `0` to `W` for 0 to 39, `` ` `` to `w` for 40 to 63.
"""

from __future__ import annotations

import numpy as np

from ais.stamps import BANG
from ais.status import CHECKSUM_DIFFERS, CHECKSUM_MISSING, OK
from geo.instructions import byte_swap, load64, trailing_zeros
from geo.kernel import inlined, inner

STAR, _LF, _CR = 42, 10, 13


def _hex_values() -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    values = np.full(256, 255, np.uint8)
    for digits in ("0123456789abcdef", "0123456789ABCDEF"):
        for value, digit in enumerate(digits):
            values[ord(digit)] = value
    return values


_HEX = _hex_values()


def eight_times(byte: int) -> np.uint64:
    """A word of eight equal bytes."""
    return np.uint64(int.from_bytes(bytes([byte] * 8), "little"))


_TOPS, _ZEROS, _PLUSES = eight_times(0x80), eight_times(0x30), eight_times(0x2B)
# Characters over 40 (after the subtraction of 48) are 8 less; 40 to 47 do not exist; more than 6 bits are too many.
_OVER_40, _FROM_40, _FROM_48 = eight_times(0x80 - 41), eight_times(0x80 - 40), eight_times(0x80 - 48)
_ONE, _TWO, _FOUR, _EIGHT = (np.uint64(k) for k in (1, 2, 4, 8))
FULL = np.uint64(0xFFFFFFFFFFFFFFFF)
_LOW_6, _HIGH_6 = np.uint64(0x003F003F003F003F), np.uint64(0x0FC00FC00FC00FC0)
_LOW_12, _HIGH_12 = np.uint64(0x00000FFF00000FFF), np.uint64(0x00FFF00000FFF000)
_LOW_24, _HIGH_24 = np.uint64(0x0000000000FFFFFF), np.uint64(0x0000FFFFFF000000)


@inlined
def hex_digit(byte):
    """The value of a hexadecimal digit, 255 for another byte."""
    return np.int64(_HEX[byte])


@inlined
def byte_of(word, n):
    """Byte `n` of a word, the lowest is 0."""
    return np.int64(word >> np.uint64(8 * n)) & 255


@inlined
def check_sum(buf, j, stop):
    """XOR of the bytes from `j` on: (index of the `*`, or of where the sentence breaks off; XOR)."""
    xor = np.uint64(0)
    while True:
        word = load64(buf, j)
        low = (word - _PLUSES) & ~word & _TOPS  # a byte below `+`: none stands in a sound sentence before its `*`
        if low == 0:
            xor ^= word
            j += 8
            if j < stop:
                continue
            break
        n = trailing_zeros(low) >> 3
        if n > 0:
            xor ^= word & (FULL >> np.uint64(64 - 8 * n))
        j += n
        byte = byte_of(word, n)
        if byte in (STAR, _LF, _CR, BANG) or j >= stop:
            break
        xor ^= np.uint64(byte)
        j += 1
    xor ^= xor >> np.uint64(32)
    xor ^= xor >> np.uint64(16)
    xor ^= xor >> np.uint64(8)
    return min(j, stop), np.int64(xor) & 255


@inlined
def sum_verdict(tail, star, xor, stop):
    """Does the checksum in `tail`, the eight bytes from the `*` on, agree: OK or a reason."""
    high, low = hex_digit(byte_of(tail, 1)), hex_digit(byte_of(tail, 2))
    if star + 2 >= stop or byte_of(tail, 0) != STAR or high > 15 or low > 15:
        return CHECKSUM_MISSING
    return OK if high << 4 | low == xor else CHECKSUM_DIFFERS


@inlined
def eight_characters(word):
    """Eight characters of a payload as 48 bits, first character highest; and a bit at the top of each wrong one."""
    value = word - _ZEROS
    wrong = word | value | ((value + _FROM_40) & ~(value + _FROM_48))
    value -= ((value + _OVER_40) & _TOPS) >> _FOUR
    wrong = (wrong | value | value << _ONE) & _TOPS
    value = byte_swap(value)
    value = value & _LOW_6 | value >> _TWO & _HIGH_6
    value = value & _LOW_12 | value >> _FOUR & _HIGH_12
    return value & _LOW_24 | value >> _EIGHT & _HIGH_24, wrong


@inlined
def unarmour(buf, p, length, words, w):
    """The payload at `p` as words from `w` on, and a zero word after them: how many of its characters are sound."""
    stop = p + length
    any_wrong = np.uint64(0)
    for at in range(p, stop - 7, 8):
        words[w], wrong = eight_characters(load64(buf, at))
        any_wrong |= wrong
        w += 1
    rest = length & 7
    if rest:
        kept = FULL >> np.uint64(64 - 8 * rest)
        words[w], wrong = eight_characters(load64(buf, stop - rest) & kept | _ZEROS & ~kept)
        any_wrong |= wrong
        w += 1
    words[w] = 0
    return length if any_wrong == 0 else count_sound(buf, p, stop)


@inner
def count_sound(buf, p, stop):
    """How many characters from `p` on are of the payload's alphabet: `0` to `W` and `` ` `` to `w`."""
    n = 0
    while p + n < stop and (48 <= buf[p + n] < 88 or 96 <= buf[p + n] < 120):
        n += 1
    return n
