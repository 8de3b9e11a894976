"""Many messages to tables: one for each layout, with every field as a column.

A message's bits lie in words of 48: bit `b` of a message whose first word is `first` is bit `47 - b % 48` of
`words[first + b // 48]`, and at least one word follows the last.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.bitfield import OPEN, TURN_SCALE, Condition, Field, Layout
from ais.fields import decoder_of
from ais.layouts import LAYOUTS, OF_TYPE, OTHER
from ais.records import unsigned
from ais.sixbit import ALPHABET
from ais.table import Table
from geo.kernel import kernel

WORD_BITS = 48

_RECEPTION = ("t", "offset", "copy_of", "station", "talker", "channel", "n_parts", "status")
_ASCII = np.frombuffer(ALPHABET.encode(), np.uint8)
_AT, _SPACE = 64, 32
_INTEGERS = (np.int8, np.int16, np.int32)


@kernel
def column(words, first, n_bits, start, width, signed, low, high, absent, out):
    """The raw number of one field in many messages; `absent` where it is not covered or not in `low` .. `high`."""
    half = 1 << (width - 1)
    for i in range(first.size):
        at = start if start >= 0 else n_bits[i] + start
        out[i] = absent
        if at >= 0 and at + width <= n_bits[i]:
            value = unsigned(words, first[i], at, width)
            if signed:
                value = (value ^ half) - half
            if low <= value <= high:
                out[i] = value


@kernel
def real_column(words, first, n_bits, start, width, signed, low, high, base, divisor, out):
    """The value of one field in many messages; NaN where it is not covered or not in `low` .. `high`."""
    half = 1 << (width - 1)
    for i in range(first.size):
        at = start if start >= 0 else n_bits[i] + start
        out[i] = np.nan
        if at >= 0 and at + width <= n_bits[i]:
            value = unsigned(words, first[i], at, width)
            if signed:
                value = (value ^ half) - half
            if low <= value <= high:
                out[i] = (value + base) / divisor


@kernel
def characters(words, first, n_bits, start, n, place, out):
    """Up to `n` six-bit characters as sent, as ASCII from column `place` of `out` on; zeros where the bits end."""
    for i in range(first.size):
        for k in range(n):
            at = start + 6 * k
            if at + 6 <= n_bits[i]:
                out[i, place + k] = _ASCII[unsigned(words, first[i], at, np.int64(6))]
            else:
                out[i, place + k] = 0


@kernel
def cut_texts(out):
    """Each row up to its first `@`, without trailing spaces, filled with zeros."""
    for i in range(out.shape[0]):
        length, k = 0, 0
        while k < out.shape[1] and out[i, k] != _AT and out[i, k] != 0:
            k += 1
            if out[i, k - 1] != _SPACE:
                length = k
        out[i, length:] = 0


def payload_of(words: NDArray[np.uint64], first: int, n_bits: int) -> int:
    """The bits of one message as a number, the first the highest: what `ais.fields.decode_fields` takes.

    >>> payload_of(np.array([0b11 << 46, 0], np.uint64), 0, 3)
    6
    """
    n_words = -(-n_bits // WORD_BITS)
    payload = 0
    for word in words[first : first + n_words].tolist():
        payload = payload << WORD_BITS | word
    return payload >> n_words * WORD_BITS - n_bits


def tables(records: NDArray[np.void], words: NDArray[np.uint64]) -> dict[str, Table]:
    """Every message with all its fields, one table for each layout that occurs.

    Parameters
    ----------
    records : messages with the columns `words`, `n_bits`, `msg_type`, `mmsi` and those of their reception
    words : their bits

    Returns
    -------
    dict
        Table by name of the layout, in the order of the message types; rows in the order of the messages. First come
        the columns of reception, then the fields: real ones as float64 with NaN; numbers, codes and flags (0, 1) as
        the smallest integers that hold them, with the lowest number of the type for null; texts as bytes, empty for
        null; raw bits and areas as objects.
    """
    first, n_bits = _where(records)
    chosen = choose(np.ascontiguousarray(records["msg_type"]), first, n_bits, words)
    layouts = list(LAYOUTS.values())
    found = {}
    for place in np.flatnonzero(np.bincount(chosen)).tolist():
        rows = np.flatnonzero(chosen == place)
        found[layouts[place].name] = table_of(layouts[place], records, rows, first[rows], n_bits[rows], words)
    return found


def _where(records: NDArray[np.void]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First word and bits of each message, as kernels want them."""
    return np.ascontiguousarray(records["words"], np.int64), np.ascontiguousarray(records["n_bits"], np.int64)


def choose(
    msg_type: NDArray[np.uint8], first: NDArray[np.int64], n_bits: NDArray[np.int64], words: NDArray[np.uint64]
) -> NDArray[np.uint8]:
    """The layout of each message as its place in `LAYOUTS`."""
    place = {name: k for k, name in enumerate(LAYOUTS)}
    chosen = np.full(msg_type.size, place[OTHER.name], np.uint8)
    long_enough = n_bits >= 38
    for kind in np.flatnonzero(np.bincount(msg_type)).tolist():
        rows = np.flatnonzero(long_enough & (msg_type == kind))
        for layout in OF_TYPE.get(kind, ()):
            meets = np.ones(rows.size, bool)
            for condition in layout.conditions:
                meets &= _meets(condition, first[rows], n_bits[rows], words)
            chosen[rows[meets]] = place[layout.name]
            rows = rows[~meets]
    return chosen


def _meets(
    condition: Condition, first: NDArray[np.int64], n_bits: NDArray[np.int64], words: NDArray[np.uint64]
) -> NDArray[np.bool_]:
    """Which messages meet a condition."""
    if condition.width == 0:
        return np.asarray((n_bits >= condition.low) & (n_bits <= condition.high))
    out = np.empty(first.size, np.int64)
    column(words, first, n_bits, condition.start, condition.width, False, condition.low, condition.high, -1, out)
    return np.asarray(out >= 0)


@cache
def _kind_of_table(layout: Layout) -> type[Table]:
    """A table class that knows what is null in the columns of a layout."""
    nulls = {one.name: int(np.iinfo(_integer(one)).min) for one in layout.fields if _is_integer(one)}
    nulls |= {"msg_type": 0, "mmsi": 0, "station": 0, "talker": 0, "channel": 0, "copy_of": -1}  # as in the records
    return type("Messages", (Table,), {"nulls": nulls, "__doc__": layout.title})


def _is_integer(field: Field) -> bool:
    return field.kind in "uibe" and field.divisor <= 1.0


def _integer(field: Field) -> type[np.signedinteger[Any]]:
    """The smallest integer type that holds a field, and a number below it for null."""
    bits = field.width + (max(abs(field.base), round(1 / field.divisor)).bit_length() if field.divisor <= 1 else 0)
    return next(one for one in _INTEGERS if bits < np.iinfo(one).bits)


def table_of(
    layout: Layout, records: NDArray[np.void], rows: NDArray[np.int64], first: NDArray[np.int64],
    n_bits: NDArray[np.int64], words: NDArray[np.uint64],
) -> Table:  # fmt: skip
    """The messages `rows`, which have one layout, as a table."""
    names = [name for name in _RECEPTION if name in (records.dtype.names or ())]
    columns: dict[str, NDArray[Any]] = {name: records[name][rows] for name in names}
    for field in layout.fields:
        if field.kind in "-+":
            continue
        if field.name in ("msg_type", "mmsi"):
            columns[field.name] = records[field.name][rows]
        elif field.kind == "t":
            columns[field.name] = _texts(field, layout, words, first, n_bits)
        elif field.kind in "xa":
            columns[field.name] = _objects(field, layout, words, first, n_bits)
        else:
            columns[field.name] = _values(field, layout, words, first, n_bits)
    return _kind_of_table(layout)(columns)


def _values(
    field: Field, layout: Layout, words: NDArray[np.uint64], first: NDArray[np.int64], n_bits: NDArray[np.int64]
) -> NDArray[Any]:
    """A column of numbers."""
    low = field.lowest + (field.lowest == field.null)
    high = field.highest - (field.highest == field.null)
    fits = n_bits - layout.tail if field.start >= 0 else np.where(n_bits >= layout.size, n_bits, -1)
    place = (field.start, field.width, field.is_signed, low, high)
    if not _is_integer(field):
        real = np.empty(first.size)
        real_column(words, first, fits, *place, field.base, field.divisor, real)
        if field.kind == "r":
            np.copysign(np.square(real / TURN_SCALE), real, out=real)
        return real
    out = np.empty(first.size, np.int64)
    null = int(np.iinfo(_integer(field)).min)
    column(words, first, fits, *place, null, out)
    if field.base or field.divisor < 1.0:
        out[out != null] = (out[out != null] + field.base) * round(1 / field.divisor)
    return out.astype(_integer(field))


def _texts(
    field: Field, layout: Layout, words: NDArray[np.uint64], first: NDArray[np.int64], n_bits: NDArray[np.int64]
) -> NDArray[np.bytes_]:
    """A column of texts, a field that continues another joined to it."""
    fields = [one for one in layout.fields if one.name == field.name and one.kind in "t+"]
    longest = int(n_bits.max())
    sizes = [one.width // 6 if one.width != OPEN else max(0, longest - one.start) // 6 for one in fields]
    out = np.empty((first.size, max(1, sum(sizes))), np.uint8)
    out[:] = 0
    place = 0
    for one, n in zip(fields, sizes, strict=True):
        characters(words, first, n_bits, one.start, n, place, out)
        place += n
    cut_texts(out)
    return out.view(f"S{out.shape[1]}")[:, 0]


def _objects(
    field: Field, layout: Layout, words: NDArray[np.uint64], first: NDArray[np.int64], n_bits: NDArray[np.int64]
) -> NDArray[np.object_]:
    """A column of bytes, or of lists of areas: message by message."""
    decode = decoder_of(layout)
    out = np.empty(first.size, object)
    for i, (at, bits) in enumerate(zip(first.tolist(), n_bits.tolist(), strict=True)):
        out[i] = decode(payload_of(words, at, bits), bits)[field.name]
    return out
