"""Changes of what a ship says of itself: name, call sign, dimensions, type and IMO number.

A value counts when it was said in `min_reports` reports or more over `min_lasting_s` or longer, copies of a report
once: a bit error that the checksum let through, a text cut short by noise and a hand that slipped are not said again
and again. What is alike is one value: names and call signs by letters and digits alone (a name that only goes on where
the other ends, six letters in and without a numeral, is the same one cut short), dimensions within a tolerance, ship
types by their group. Zeros, and texts without letters, say nothing.

A change is from one stretch of time in which a value counts to the next one with another value. Values that come and
go without such a stretch (two ships that send under one number in turn) make one event, at their first report. Of a
ship the first 64 different values of a field are looked at.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.imo import FIRST, LAST
from ais.table import NAT
from detectors.said import Said
from geo.kernel import inner, kernel

NAME, CALLSIGN, DIMENSIONS, SHIP_TYPE, IMO = range(5)
CUT_SHORT = 6
"""Letters of a name after which it may be cut short; "SEA" and "SEA STAR" are two names."""
VALUES = 64

VALUE = np.dtype(
    [
        ("row", "i8"),
        ("first", "i8"),
        ("last", "i8"),
        ("n", "i8"),
        ("stretches", "i4"),
        ("counts", "u1"),
        ("sure", "u1"),
    ],
    align=True,
)
"""A value of one ship's field: row of its first report, first and last time, reports; 1 in `counts`: it was said often
and long enough; 1 in `sure`: in one stretch."""
CHANGE = np.dtype(
    [("t_start", "i8"), ("t_end", "i8"), ("old", "i8"), ("new", "i8"), ("n_old", "i8"), ("n_new", "i8"),
     ("returns", "i4"), ("field", "u1")],
    align=True,
)  # fmt: skip
"""From the last report of an old value to the first of a new one; `old` and `new` are rows of the intervals, `returns`
how often values came and went in between."""


class Limits(NamedTuple):
    """Thresholds for the kernel; times in µs, lengths in metres."""

    min_reports: int
    min_lasting_us: int
    tolerance_m: float


@inner
def sign(character):
    """A letter as capital, a digit as it is, 0 for anything else."""
    if 97 <= character <= 122:
        return character - 32
    return character if 65 <= character <= 90 or 48 <= character <= 57 else 0


@inner
def next_sign(texts, i, k):
    """The next letter or digit of a text from place `k` on, and the place behind it; 0 at the end."""
    while k < texts.shape[1]:
        character = sign(texts[i, k])
        k += 1
        if character != 0:
            return character, k
    return 0, k


@inner
def signs(texts, i):
    """Letters of a text, and letters and digits."""
    letters, both = 0, 0
    for k in range(texts.shape[1]):
        character = sign(texts[i, k])
        both += character != 0
        letters += character >= 65
    return letters, both


@inner
def alike_texts(texts, i, j, may_be_cut):
    """Are two texts the same by letters and digits, or is one the other cut short?"""
    a, b, n = 0, 0, 0
    while True:
        x, a = next_sign(texts, i, a)
        y, b = next_sign(texts, j, b)
        if x == 0 and y == 0:
            return True
        if x == 0 or y == 0:
            break
        if x != y:
            return False
        n += 1
    if not may_be_cut or n < CUT_SHORT:
        return False
    while x != 0 or y != 0:  # what the longer one goes on with
        if 48 <= max(x, y) <= 57:
            return False
        x, a = next_sign(texts, i, a)
        y, b = next_sign(texts, j, b)
    return True


@inner
def group_of(ship_type):
    """Ship types that may be taken for each other: within 20s, 40s, 60s .. 90s the digit is the cargo of the day."""
    tens = ship_type // 10
    return ship_type if tens == 3 or tens == 5 else tens * 10


@inner
def says(s, field, i):
    """Does an interval say anything of a field?"""
    if field == NAME:
        letters, _ = signs(s.name, i)
        return letters >= 2
    if field == CALLSIGN:
        letters, both = signs(s.callsign, i)
        return letters >= 1 and both >= 3
    if field == DIMENSIONS:
        return s.length[i] > 0 and s.beam[i] > 0
    if field == SHIP_TYPE:
        return 20 <= s.ship_type[i] <= 89  # 0 not said; below 20 reserved; 90s "other"
    return FIRST <= s.imo[i] <= LAST


@inner
def alike(s, field, i, j, tolerance_m):
    """Do two intervals say the same of a field?"""
    if field == NAME:
        return alike_texts(s.name, i, j, True)
    if field == CALLSIGN:
        return alike_texts(s.callsign, i, j, False)
    if field == DIMENSIONS:
        return abs(s.length[i] - s.length[j]) <= tolerance_m and abs(s.beam[i] - s.beam[j]) <= tolerance_m
    if field == SHIP_TYPE:
        return group_of(s.ship_type[i]) == group_of(s.ship_type[j])
    return s.imo[i] == s.imo[j]


@inner
def sort_values(s, field, begin, end, limits, values, value_of):
    """The values of a ship's field, and which of them each interval says (-1 none); how many."""
    m = 0
    for i in range(begin, end):
        value_of[i] = -1
        if not says(s, field, i):
            continue
        v = 0
        while v < m and not alike(s, field, values[v].row, i, limits.tolerance_m):
            v += 1
        if v == VALUES:
            continue
        if v == m:
            values[v].row, values[v].first, values[v].last, values[v].n = i, s.t_from[i], s.t_from[i], 0
            values[v].stretches, values[v].sure = 0, 0
            m += 1
        value_of[i] = v
        values[v].n += s.n[i]
        values[v].last = max(values[v].last, s.until[i])
    for v in range(m):
        lasting = values[v].last - values[v].first >= limits.min_lasting_us
        values[v].counts = lasting and values[v].n >= limits.min_reports
    return m


@inner
def write(out, field, t_start, t_end, old, new, n_old, n_new, returns):
    """One change."""
    out.field, out.t_start, out.t_end, out.old, out.new = field, min(t_start, t_end), t_end, old, new
    out.n_old, out.n_new, out.returns = n_old, n_new, returns


@inner
def settled_changes(s, field, begin, end, limits, values, value_of, out, n):
    """Changes from one lasting stretch to the next; the number of changes in `out` then."""
    before, row_before, last_before, flips = -1, -1, NAT, 0
    i = begin
    while i < end:
        v = value_of[i]
        if v < 0 or values[v].counts == 0:
            i += 1
            continue
        first, last_row, until, reports = i, i, s.until[i], 0
        while i < end and (value_of[i] < 0 or value_of[i] == v or values[value_of[i]].counts == 0):
            if value_of[i] == v:
                last_row, until, reports = i, max(until, s.until[i]), reports + s.n[i]
            i += 1
        values[v].stretches += 1
        if reports >= limits.min_reports and until - s.t_from[first] >= limits.min_lasting_us:
            values[v].sure = 1
            if before >= 0 and before != v:
                write(
                    out[n], field, last_before, s.t_from[first], row_before, first, values[before].n, values[v].n, flips
                )
                n += 1
            if before != v:
                last_before = NAT
            before, flips = v, 0
        elif before >= 0:
            flips += 1
        if v == before:
            row_before, last_before = last_row, max(last_before, until)
    return n


@inner
def unsettled_changes(s, field, begin, end, m, values, value_of, out, n):
    """Values that come and go: one change each, at their first report; the number of changes in `out` then."""
    base = -1
    for v in range(m):
        if values[v].counts and values[v].sure:
            base = VALUES
        elif values[v].counts and base < 0:
            base = v
    for v in range(m):
        if values[v].counts == 0 or values[v].sure or v == base:
            continue
        old, last = -1, values[v].first
        for i in range(begin, end):
            other = value_of[i]
            if other >= 0 and other != v and values[other].counts and (i < values[v].row or old < 0):
                old, last = i, s.until[i]
        if old >= 0:
            n_old, returns = values[value_of[old]].n, values[v].stretches
            write(out[n], field, last, values[v].first, old, values[v].row, n_old, values[v].n, returns)
            n += 1
    return n


@kernel
def find_changes(s, field, limits, values, value_of, out):
    """The changes of one field of all ships; how many."""
    n, begin = 0, 0
    while begin < s.mmsi.size:
        end = begin + 1
        while end < s.mmsi.size and s.mmsi[end] == s.mmsi[begin]:
            end += 1
        m = sort_values(s, field, begin, end, limits, values, value_of)
        if m > 1:
            n = settled_changes(s, field, begin, end, limits, values, value_of, out, n)
            n = unsettled_changes(s, field, begin, end, m, values, value_of, out, n)
        begin = end
    return n


def changes(said: Said, limits: Limits) -> NDArray[Any]:
    """All changes of all fields, as records of `CHANGE`.

    >>> from ais.hulls import HULL
    >>> from ais.identity import identities
    >>> from ais.table import STATIC_DTYPES, Static, columns_of
    >>> from detectors.said import said_of
    >>> from detectors.vessels import vessels
    >>> told = columns_of(STATIC_DTYPES, 20)
    >>> told["t"][:], told["mmsi"][:] = np.arange(20) * 3_600_000_000, 671999101
    >>> told["name"][:10], told["name"][10:] = b"GREY LARK", b"OCEAN TERN 2"
    >>> known = identities(Static(told))
    >>> found = changes(said_of(known, vessels(np.zeros(0, HULL), known)), Limits(3, 3_600_000_000, 2.0))
    >>> [(int(c["field"]) == NAME, int(c["t_start"]) // 3_600_000_000, int(c["n_new"])) for c in found]
    [(True, 9, 10)]
    """
    rows = said.mmsi.size
    values, value_of = np.zeros(VALUES, VALUE).view(np.recarray), np.empty(rows, np.int16)
    out = np.empty(rows + 1, CHANGE).view(np.recarray)  # each change has its own first interval
    found = []
    for field in (NAME, CALLSIGN, DIMENSIONS, SHIP_TYPE, IMO):
        n = find_changes(said, field, limits, values, value_of, out)
        found.append(out[:n].view(np.ndarray).copy())
    return np.concatenate(found)
