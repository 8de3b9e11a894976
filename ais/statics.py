"""Messages to static reports (types 5, 19 and 24), the two parts of type 24 merged.

Where each field stands comes from the tables of `ais.layouts`. A part of type 24 is completed with what the other part
said within six minutes, so that each row carries all that is known; what was not heard stays empty.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.layouts import LAYOUTS
from ais.records import places, reject, unsigned
from ais.reports import HAS_POSITION
from ais.status import OTHER_TYPE
from ais.table import NAT, STATIC_DTYPES
from geo.kernel import inner, kernel

STATIC_ROW = np.dtype(
    [(name, ("u1", np.dtype(kind).itemsize) if kind.startswith("S") else kind) for name, kind in STATIC_DTYPES.items()]
    + [("number", "i8")],
    align=True,
)
"""One static report as the decoder writes it, texts as bytes, zero-padded; `number` is that of its message."""

HALVES = 1 << 14
"""Ships whose parts of type 24 wait for each other; a bound on memory."""
HALF_WINDOW_US = 6 * 60_000_000
"""Parts A and B are sent within a minute of each other, every six minutes (ITU-R M.1371-5, Annex 8, 3.22)."""
HALF_WINDOW_MESSAGES = 20_000
"""The same where times are not known: less than six minutes of a busy feed."""
HALF = np.dtype(
    [("t", "i8", (2,)), ("number", "i8", (2,)), ("mmsi", "u4"), ("to_bow", "u2"), ("to_stern", "u2"), ("to_port", "u1"),
     ("to_starboard", "u1"), ("ship_type", "u1"), ("callsign", "u1", (7,)), ("name", "u1", (20,))],
    align=True,
)  # fmt: skip
"""What the parts of type 24 said of a ship: A its name, B the rest; `number` is 0 for a part not heard."""

VOYAGE, CLASS_B, PART_A, PART_B = (places(name) for name in ("voyage", "extended_b", "static_b_name", "static_b"))
PART = LAYOUTS["static_b"].field("part").start
_AT, _SPACE = 0, 32


@inner
def read_text(words, row, at, out):
    """The six-bit characters of a field into `out`: cut at the first `@`, trailing spaces removed, zero-padded.

    Of a text that the bits do not wholly cover the whole characters are read.
    """
    length, n = 0, at[1] // 6
    for k in range(min(n, max(0, row.n_bits - at[0]) // 6)):
        character = unsigned(words, row.words, at[0] + 6 * k, 6)
        if character == _AT:
            break
        out[k] = character if character >= 32 else character + 64
        if character != _SPACE:
            length = k + 1
    for k in range(length, n):
        out[k] = 0


@inner
def read_number(words, row, at):
    """An unsigned field, 0 where the bits do not cover it."""
    return unsigned(words, row.words, at[0], at[1]) if row.n_bits >= at[0] + at[1] else 0


@inner
def read_dimensions(words, row, at, out):
    """Four distances from the antenna, in metres."""
    out.to_bow, out.to_stern = read_number(words, row, at.to_bow), read_number(words, row, at.to_stern)
    out.to_port, out.to_starboard = read_number(words, row, at.to_port), read_number(words, row, at.to_starboard)


@inner
def read_voyage(words, row, out):
    """A report of type 5."""
    out.imo = read_number(words, row, VOYAGE.imo)
    read_text(words, row, VOYAGE.callsign, out.callsign)
    read_text(words, row, VOYAGE.name, out.name)
    out.ship_type = read_number(words, row, VOYAGE.ship_type)
    read_dimensions(words, row, VOYAGE, out)
    out.eta = (
        read_number(words, row, VOYAGE.eta_month) << 16
        | read_number(words, row, VOYAGE.eta_day) << 11
        | read_number(words, row, VOYAGE.eta_hour) << 6
        | read_number(words, row, VOYAGE.eta_minute)
    )
    draught = read_number(words, row, VOYAGE.draught)
    out.draught = draught / 10 if draught > 0 else np.nan
    read_text(words, row, VOYAGE.destination, out.destination)


@inner
def read_half(words, row, part, out):
    """Part A (0) or B (1) of a report of type 24."""
    if part == 0:
        read_text(words, row, PART_A.name, out.name)
        return
    out.ship_type = read_number(words, row, PART_B.ship_type)
    read_text(words, row, PART_B.callsign, out.callsign)
    if row.mmsi // 10_000_000 != 98:  # an auxiliary craft sends its mother ship's MMSI in place of dimensions
        read_dimensions(words, row, PART_B, out)


@inner
def is_fresh(half, part, row):
    """Was this part heard so lately that it belongs to the row's report?"""
    if half.number[part] == 0:
        return False
    if row.t != NAT and half.t[part] != NAT:
        return abs(row.t - half.t[part]) <= HALF_WINDOW_US
    return row.number - half.number[part] < HALF_WINDOW_MESSAGES


@inner
def copy_half(part, source, target):
    """What a part says, from one record to another."""
    if part == 0:
        for k in range(20):
            target.name[k] = source.name[k]
        return
    target.ship_type = source.ship_type
    target.to_bow, target.to_stern = source.to_bow, source.to_stern
    target.to_port, target.to_starboard = source.to_port, source.to_starboard
    for k in range(7):
        target.callsign[k] = source.callsign[k]


@inner
def merge_halves(part, row, halves, static):
    """Complete a part of type 24 with the other one, if that was heard lately, and keep it for that one."""
    half = halves[(np.int64(row.mmsi) * 0x9E3779B1 >> 8) & (HALVES - 1)]
    if half.mmsi != row.mmsi:
        half.mmsi, half.number[0], half.number[1] = row.mmsi, 0, 0
    if is_fresh(half, 1 - part, row):
        copy_half(1 - part, half, static)
    copy_half(part, static, half)
    half.t[part], half.number[part] = row.t, row.number + 1


@kernel
def write_statics(rows, begin, n, words, halves, statics, k, tally):
    """Static reports among the rows begin .. n - 1 into the zeroed `statics` from row `k` on.

    Parts of type 24 are merged with what `halves` remembers; without room in it each part stands for itself.
    Returns the row where it stopped (n, or where `statics` was full) and the number of static rows then.
    """
    for i in range(begin, n):
        row = rows[i]
        kind = row.msg_type
        if kind == 0 or row.copy_of >= 0:
            continue
        if kind != 5 and kind != 19 and kind != 24:
            if HAS_POSITION[kind] == 0:
                reject(tally, OTHER_TYPE, row.offset, row.n_bytes)
            continue
        if k == statics.size:
            return i, k
        part = unsigned(words, row.words, PART, 2) if kind == 24 else 0
        if part > 1:
            reject(tally, OTHER_TYPE, row.offset, row.n_bytes)
            continue
        static = statics[k]
        static.t, static.mmsi, static.msg_type = row.t, row.mmsi, kind
        static.offset, static.number = row.offset, row.number
        static.draught = np.nan
        if kind == 5:
            read_voyage(words, row, static)
        elif kind == 19:
            read_text(words, row, CLASS_B.name, static.name)
            static.ship_type = read_number(words, row, CLASS_B.ship_type)
            read_dimensions(words, row, CLASS_B, static)
        else:
            read_half(words, row, part, static)
            if halves.size:
                merge_halves(part, row, halves, static)
        k += 1
    return n, k


def static_columns(pieces: list[NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Static reports as one array per field, texts as S20 and S7."""
    rows = np.concatenate([np.zeros(0, STATIC_ROW), *pieces])
    columns = {}
    for name, kind in STATIC_DTYPES.items():
        column = np.ascontiguousarray(rows[name])
        columns[name] = column.view(kind).ravel() if column.ndim == 2 else column
    return columns
