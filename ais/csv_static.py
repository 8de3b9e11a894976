"""Static fields of a CSV row: identity, size and voyage, written where a vessel's values change.

NOAA and Danish files repeat the static values in every row. A small table keeps the last ones of each vessel as a
hash, so that only changes are written; what it lets through twice is dropped afterwards by `changes_of`.
"""

from __future__ import annotations

import math

import numpy as np

from ais.csv_fields import (
    CALLSIGN,
    DESTINATION,
    DRAUGHT,
    ETA,
    IMO,
    LENGTH,
    N_FIELDS,
    NAME,
    SHIP_TYPE,
    TO_BOW,
    TO_PORT,
    TO_STARBOARD,
    TO_STERN,
    WIDTH,
)
from ais.csv_values import GOOD, copy_text, number, timestamp, trimmed, word_code, word_table
from ais.table import STATIC_DTYPES, Static
from geo.kernel import kernel

LARGEST_IMO = 1_073_741_823.0  # 30 bits in a message; whether it is a valid number is for others to judge
CACHE_SLOTS = 1 << 16
COMMA = 44

# Ship types in the words of the Danish files and of gpsd: the first code of each group, ITU-R M.1371. What follows a
# comma ("Cargo, Hazardous category A") is not looked at.
SHIP_TYPES = {
    "wig": 20, "wing in ground (wig)": 20, "fishing": 30, "towing": 31, "towing long/wide": 32, "dredging": 33,
    "dredging or underwater ops": 33, "diving": 34, "diving ops": 34, "military": 35, "military ops": 35,
    "sailing": 36, "pleasure": 37, "pleasure craft": 37, "hsc": 40, "high speed craft (hsc)": 40, "pilot": 50,
    "pilot vessel": 50, "sar": 51, "search and rescue vessel": 51, "tug": 52, "port tender": 53,
    "anti-pollution": 54, "anti-pollution equipment": 54, "law enforcement": 55, "spare 1": 56, "spare 2": 57,
    "medical": 58, "medical transport": 58, "not party to conflict": 59, "passenger": 60, "cargo": 70, "tanker": 80,
    "other": 90, "other type": 90,
}  # fmt: skip
SHIP_TYPE_WORDS = word_table(tuple(SHIP_TYPES))
SHIP_TYPE_CODE = np.array(list(SHIP_TYPES.values()), np.uint8)


STATIC_FIELDS = tuple(name for name in STATIC_DTYPES if name != "source")
STATIC_RECORD = np.dtype(
    [(name, "u1", (int(dtype[1:]),)) if dtype[0] == "S" else (name, dtype)
     for name, dtype in STATIC_DTYPES.items() if name != "source"],
    align=True,
)  # fmt: skip
"""One static row, as the reader writes it; texts as bytes."""
CACHE_RECORD = np.dtype([("hash", "i8"), ("mmsi", "i8")])
"""The last static values seen in a slot, as hash and MMSI; vessels that share a slot push each other out."""


@kernel
def number_start(data, start, stop):
    """The place after the letters IMO that may stand before an IMO number."""
    if stop - start > 3 and data[start] | 32 == 105 and data[start + 1] | 32 == 109 and data[start + 2] | 32 == 111:
        return start + 3
    return start


@kernel
def read_numbers(data, marks, values):
    """Read the numbers among the static fields of a row into `values`; NaN where there is none."""
    for field in range(IMO, N_FIELDS):
        if field != CALLSIGN and field != NAME and field != DESTINATION and field != ETA:
            start, stop = trimmed(data, marks[field, 0], marks[field, 1])
            if field == IMO:
                start = number_start(data, start, stop)
            values[field], _ = number(data, start, stop)


@kernel
def bounded(value, most):
    """`value` rounded to a whole number, 0 where it is NaN, negative or over `most`."""
    return int(value + 0.5) if 0.0 <= value <= most else 0


@kernel
def ship_type_of(data, marks, values):
    """Ship type 0 to 255, from its number or its words; codes of other lists (NOAA up to 2018: 1001 on) are 0."""
    if values[SHIP_TYPE] >= 0.0:
        return bounded(values[SHIP_TYPE], 255.0)
    start, stop = trimmed(data, marks[SHIP_TYPE, 0], marks[SHIP_TYPE, 1])
    comma = start
    while comma < stop and data[comma] != COMMA:
        comma += 1
    word = word_code(data, start, comma, SHIP_TYPE_WORDS)
    return np.int64(SHIP_TYPE_CODE[word]) if word >= 0 else 0


@kernel
def eta_of(data, marks, day_first):
    """The time of arrival as month << 16 | day << 11 | hour << 6 | minute, 0 for none."""
    t, code = timestamp(data, marks[ETA, 0], marks[ETA, 1], day_first)
    if code != GOOD:
        return 0
    minutes = t // 60_000_000
    # Civil date from days, counted from 1 March of year 0 in eras of 400 years (146,097 days).
    era_day = (minutes // 1440 + 719_468) % 146_097
    year = (era_day - era_day // 1460 + era_day // 36_524 - era_day // 146_096) // 365
    year_day = era_day - (365 * year + year // 4 - year // 100)
    month = (5 * year_day + 2) // 153
    day = year_day - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return month << 16 | day << 11 | minutes % 1440 // 60 << 6 | minutes % 60


@kernel
def write_static(data, marks, values, day_first, out):
    """Write the static fields of a row to the record `out`.

    A length without the place of the antenna is given the way ITU-R M.1371 gives it: no distance to the bow and to
    port, and the whole of it to stern and starboard.
    """
    read_numbers(data, marks, values)
    copy_text(data, marks[CALLSIGN, 0], marks[CALLSIGN, 1], marks[CALLSIGN, 2] != 0, out.callsign[:])
    copy_text(data, marks[NAME, 0], marks[NAME, 1], marks[NAME, 2] != 0, out.name[:])
    copy_text(data, marks[DESTINATION, 0], marks[DESTINATION, 1], marks[DESTINATION, 2] != 0, out.destination[:])
    out.imo = bounded(values[IMO], LARGEST_IMO)
    out.ship_type = ship_type_of(data, marks, values)
    out.to_bow = bounded(values[TO_BOW], 511.0)
    out.to_stern = bounded(values[TO_STERN], 511.0)
    out.to_port = bounded(values[TO_PORT], 63.0)
    out.to_starboard = bounded(values[TO_STARBOARD], 63.0)
    if out.to_bow == 0 and out.to_stern == 0:
        out.to_stern = bounded(values[LENGTH], 1022.0)
    if out.to_port == 0 and out.to_starboard == 0:
        out.to_starboard = bounded(values[WIDTH], 126.0)
    out.draught = values[DRAUGHT] if 0.0 < values[DRAUGHT] <= 25.5 else math.nan
    out.eta = eta_of(data, marks, day_first)


@kernel
def note_static(data, marks, values, value, day_first, cache, mmsi, out):
    """Write the record `out` if the vessel's static fields, hashed to `value`, are not those in its slot."""
    slot = (mmsi * 40_503 >> 7) % CACHE_SLOTS
    if value == 0 or (cache[slot].hash == value and cache[slot].mmsi == mmsi):
        return False
    cache[slot].hash = value
    cache[slot].mmsi = mmsi
    write_static(data, marks, values, day_first, out)
    out.mmsi = mmsi
    return True


def changes_of(static: Static) -> Static:
    """The rows of `static` in which a value differs from the row before of the same vessel.

    Parameters
    ----------
    static : in the order of arrival

    Examples
    --------
    >>> from ais.table import columns_of
    >>> columns = columns_of(STATIC_DTYPES, 3)
    >>> columns["mmsi"][:] = 7
    >>> columns["name"][:] = [b"ONE", b"ONE", b"TWO"]
    >>> changes_of(Static(columns))["name"].tolist()
    [b'ONE', b'TWO']
    """
    order = np.argsort(static["mmsi"], kind="stable")
    same = np.ones(max(0, len(static) - 1), bool)
    for name in STATIC_DTYPES:
        if name not in ("t", "offset"):
            later, earlier = static[name][order][1:], static[name][order][:-1]
            same &= (later == earlier) | ((later != later) & (earlier != earlier))
    changed = np.ones(len(static), bool)
    changed[order[1:]] = ~same
    return static.take(changed)
