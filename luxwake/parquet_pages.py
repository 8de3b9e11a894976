"""Values as the encodings of Parquet: distinct values with numbers, numbers as bits, integers as differences.

Encodings are those of the Parquet format, version 2.10 (`Encodings.md`): `RLE_DICTIONARY` (8), the hybrid of runs and
packed bits (3, used for null marks and dictionary numbers), `DELTA_BINARY_PACKED` (5) and `BYTE_STREAM_SPLIT` (9).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.instructions import trailing_zeros
from geo.kernel import inner, kernel

BLOCK = 128
"""Differences that share a minimum; the format asks for a multiple of 128."""
MINIBLOCK = 32
"""Differences that share a width; the format asks for a multiple of 32."""
SMALL_DICTIONARY = 2_048
"""Distinct values whose table stays in the fastest cache; a larger one is made only for a column with more."""
_SHORT = [bytes([value]) for value in range(0x80)]
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: spreads keys that differ in few bits (Knuth, 6.4)


@kernel
def number_small(keys, table, distinct, numbers):
    """Number the distinct keys (uint16) in order of appearance, by a table up to the last (-1); how many there are."""
    n_found = 0
    for row in range(keys.size):
        key = keys[row]
        if table[key] < 0:
            table[key] = n_found
            distinct[n_found] = key
            n_found += 1
        numbers[row] = table[key]
    return n_found


@kernel
def number_keys(keys, limit, table, distinct, numbers):
    """Number the distinct keys (uint32) in order of appearance; how many there are, -1 if more than `limit`.

    `table` has a power of two of places, at least twice `limit`, all 0. A taken place holds the key and, below it, its
    number + 1 in one word: a look-up touches one line of the cache.
    """
    n_found = 0
    shift = np.uint64(1 + trailing_zeros(np.uint64(table.size)))
    mask = np.uint64(table.size - 1)
    for row in range(keys.size):
        key = np.uint64(keys[row])
        place = (key * _MIX >> shift) & mask
        held = table[place]
        while held != np.uint64(0) and held >> np.uint64(32) != key:
            place = (place + np.uint64(1)) & mask
            held = table[place]
        if held == np.uint64(0):
            if n_found == limit:
                return -1
            distinct[n_found] = key
            n_found += 1
            held = key << np.uint64(32) | np.uint64(n_found)
            table[place] = held
        numbers[row] = (held & np.uint64(0xFFFFFFFF)) - np.uint64(1)
    return n_found


@kernel
def number_texts(words, width, table, firsts, numbers):
    """Number the distinct texts, each `width` words (uint64), in order of appearance; how many there are.

    `table` has a power of two of places, at least twice the texts, all -1; `firsts` gets the row of each number.
    """
    n_found = 0
    mask = np.uint64(table.size - 1)
    for row in range(numbers.size):
        at = row * width
        mixed = np.uint64(0)
        for k in range(width):
            mixed = (mixed ^ words[at + k]) * _MIX
            mixed ^= mixed >> np.uint64(29)
        place = mixed & mask
        number = table[place]
        while number >= 0:
            first, k = firsts[number] * width, 0
            while k < width and words[first + k] == words[at + k]:
                k += 1
            if k == width:
                break
            place = (place + np.uint64(1)) & mask
            number = table[place]
        if number < 0:
            number = n_found
            table[place] = number
            firsts[number] = row
            n_found += 1
        numbers[row] = number
    return n_found


@kernel
def pack_bits(numbers, width, out):
    """Numbers of `width` bits each, lowest bit first, into `out` (uint32 words, zeros); words begun."""
    held = np.uint64(0)
    n_held, n_out = 0, 0
    for number in numbers:
        held |= np.uint64(number) << np.uint64(n_held)
        n_held += width
        if n_held >= 32:
            out[n_out] = held & np.uint64(0xFFFFFFFF)
            held >>= np.uint64(32)
            n_held -= 32
            n_out += 1
    if n_held > 0:
        out[n_out] = held & np.uint64(0xFFFFFFFF)
        n_out += 1
    return n_out


@inner
def write_varint(value, out, i):
    """A uint64 in groups of seven bits, lowest first; the index after it."""
    while value >= np.uint64(0x80):
        out[i] = (value & np.uint64(0x7F)) | np.uint64(0x80)
        value >>= np.uint64(7)
        i += 1
    out[i] = value
    return i + 1


@inner
def zigzag(value):
    """A signed number as an unsigned one that is small when the number is near zero."""
    return np.uint64(value << 1) ^ np.uint64(value >> 63)


@kernel
def bit_length(value):
    """Bits that a uint64 needs."""
    n = 0
    while value != np.uint64(0):
        value >>= np.uint64(1)
        n += 1
    return n


@inner
def pack_wide(differences, begin, least, width, out, i):
    """32 differences above `least`, `width` bits each (up to 64), into bytes; the index after them."""
    held = np.uint64(0)
    n_held = 0
    for k in range(begin, begin + MINIBLOCK):
        value = np.uint64(differences[k] - least)
        held |= value << np.uint64(n_held)
        n_held += width
        if n_held >= 64:
            for _ in range(8):
                out[i] = held & np.uint64(0xFF)
                held >>= np.uint64(8)
                i += 1
            n_held -= 64
            held = value >> np.uint64(width - n_held) if n_held > 0 else np.uint64(0)
    while n_held > 0:
        out[i] = held & np.uint64(0xFF)
        held >>= np.uint64(8)
        n_held -= 8
        i += 1
    return i


@kernel
def pack_differences(values, differences, out):
    """int64 values as DELTA_BINARY_PACKED into `out`; the number of bytes.

    Differences wrap at 64 bits, as the format asks, so that any two int64 can follow each other. `differences` is a
    buffer of one block. The last block is filled up with its least difference, which takes no bits.
    """
    n = values.size
    i = write_varint(np.uint64(BLOCK), out, 0)
    i = write_varint(np.uint64(BLOCK // MINIBLOCK), out, i)
    i = write_varint(np.uint64(n), out, i)
    i = write_varint(zigzag(values[0] if n > 0 else 0), out, i)
    for begin in range(1, n, BLOCK):
        n_here = min(BLOCK, n - begin)
        least = values[begin] - values[begin - 1]
        for k in range(n_here):
            differences[k] = values[begin + k] - values[begin + k - 1]
            least = min(least, differences[k])
        differences[n_here:] = least
        i = write_varint(zigzag(least), out, i)
        widths, i = i, i + BLOCK // MINIBLOCK
        for mini in range(BLOCK // MINIBLOCK):
            used = np.uint64(0)
            for k in range(mini * MINIBLOCK, (mini + 1) * MINIBLOCK):
                used |= np.uint64(differences[k] - least)
            width = bit_length(used)
            out[widths + mini] = width
            if width > 0:
                i = pack_wide(differences, mini * MINIBLOCK, least, width, out, i)
    return i


def number_values(values: NDArray[Any], limit: int) -> tuple[NDArray[np.int32], NDArray[Any]] | None:
    """Numbers of values of 1, 2 or 4 bytes, and the distinct values; None where there are more than `limit`.

    >>> numbers, distinct = number_values(np.array([7, 9, 7, 9, 9], np.float32), 10)
    >>> numbers.tolist(), distinct.tolist()
    ([0, 1, 0, 1, 1], [7.0, 9.0])
    """
    keys = values.view(f"u{values.dtype.itemsize}")
    if keys.size and keys[0] == keys[-1] and (keys == keys[0]).all():
        return np.zeros(keys.size, np.int32), values[:1]
    numbers = np.empty(values.size, np.int32)
    if values.dtype.itemsize < 4:
        keys = keys.astype(np.uint16, copy=False)
        found, most = np.empty(keys.size, np.uint16), np.full(1 + int(keys.max(initial=0)), -1, np.int32)
        n_found = number_small(keys, most, found, numbers)
        return numbers, found[:n_found].astype(f"u{values.dtype.itemsize}").view(values.dtype)
    distinct = np.empty(limit, np.uint32)
    for attempt in (min(limit, SMALL_DICTIONARY), limit):
        table = np.zeros(2 << (attempt - 1).bit_length(), np.uint64)
        n_found = number_keys(keys, attempt, table, distinct, numbers)
        if n_found >= 0:
            return numbers, distinct[:n_found].view(values.dtype)
    return None


def number_strings(values: NDArray[np.bytes_]) -> tuple[NDArray[np.int32], NDArray[np.bytes_]]:
    """Numbers of fixed-width texts, and the distinct texts.

    >>> number_strings(np.array([b"OSLO", b"", b"OSLO"]))[0].tolist()
    [0, 1, 0]
    """
    width = max(1, -(-values.dtype.itemsize // 8))
    words = np.ascontiguousarray(values, f"S{8 * width}").view(np.uint64)
    table = np.full(2 << max(0, values.size - 1).bit_length(), -1, np.int32)
    firsts, numbers = np.empty(values.size, np.int64), np.empty(values.size, np.int32)
    n_found = number_texts(words, width, table, firsts, numbers)
    return numbers, values[firsts[:n_found]]


def bits(numbers: NDArray[np.int32], width: int) -> bytes:
    """Numbers as one run of the hybrid encoding, packed.

    >>> bits(np.arange(8, dtype=np.int32), 3).hex()
    '0388c6fa'
    """
    groups = -(-numbers.size // 8)
    out = np.zeros(numbers.size * width // 32 + 1, np.uint32)
    pack_bits(numbers, width, out)
    packed = out.view(np.uint8)[: groups * width].tobytes()
    return varint(groups << 1 | 1) + packed + bytes(groups * width - len(packed))


def run(n: int) -> bytes:
    """`n` times the number 0, of up to eight bits, as one run of the hybrid encoding."""
    return varint(n << 1) + b"\0"


def null_marks(valid: NDArray[np.bool_] | None, n: int) -> bytes:
    """Which of `n` rows have a value: definition levels of an optional column, with their length before them."""
    if valid is None:
        marks = varint(n << 1) + b"\1"
    else:
        packed = np.packbits(valid, bitorder="little").tobytes()
        marks = varint(len(packed) << 1 | 1) + packed
    return len(marks).to_bytes(4, "little") + marks


def differences(values: NDArray[np.int64]) -> bytes:
    """int64 values as DELTA_BINARY_PACKED.

    >>> differences(np.array([5, 6, 8], np.int64)).hex()
    '800104030a020100000002000000'
    """
    # A block takes at most 10 bytes of minimum, 4 of widths and 64 bits a value.
    out = np.empty(40 + (values.size // BLOCK + 1) * (14 + 8 * BLOCK), np.uint8)
    return out[: pack_differences(values, np.empty(BLOCK, np.int64), out)].tobytes()


def split_bytes(values: NDArray[Any]) -> bytes:
    """First bytes of all values, then second bytes: BYTE_STREAM_SPLIT, under which doubles compress better."""
    return np.ascontiguousarray(values.view(np.uint8).reshape(-1, values.dtype.itemsize).T).tobytes()


def varint(value: int) -> bytes:
    """A number of any size in groups of seven bits, lowest first (ULEB128).

    >>> varint(300).hex()
    'ac02'
    """
    if value < 0x80:
        return _SHORT[value]
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
