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
    ETA_DAY,
    ETA_HOUR,
    ETA_MINUTE,
    ETA_MONTH,
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
from ais.csv_values import COLON, GOOD, MINUS, copy_text, natural, number, timestamp, trimmed, word_code, word_table
from ais.table import STATIC_DTYPES, Static
from geo.instructions import prefetch
from geo.kernel import inner

LARGEST_IMO = 1_073_741_823.0  # 30 bits in a message; whether it is a valid number is for others to judge
CACHE_SLOTS = 1 << 17  # a day of the whole world has some 100,000 vessels; those that share a set push each other out
CACHE_WAYS = 4
SPREAD = np.uint64(2_654_435_761)  # 2**32 over the golden ratio (Knuth); a product with an MMSI is below 2**62
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


@inner
def number_start(data, start, stop):
    """The place after the letters IMO that may stand before an IMO number."""
    if stop - start > 3 and data[start] | 32 == 105 and data[start + 1] | 32 == 109 and data[start + 2] | 32 == 111:
        return start + 3
    return start


@inner
def read_numbers(data, marks, values):
    """Read the numbers among the static fields of a row into `values`; NaN where there is none."""
    for field in range(IMO, N_FIELDS):
        if field != CALLSIGN and field != NAME and field != DESTINATION and field != ETA:
            start, stop = trimmed(data, marks[field, 0], marks[field, 1])
            if field == IMO:
                start = number_start(data, start, stop)
            values[field], _ = number(data, start, stop)


@inner
def bounded(value, most):
    """`value` rounded to a whole number, 0 where it is NaN, negative or over `most`."""
    return int(value + 0.5) if 0.0 <= value <= most else 0


@inner
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


@inner
def short_eta(data, start, stop):
    """The `04-10 07:00` or `04-10T07:00Z` of a message that has no year, or its 20 bits as a number; 0 for others."""
    start, stop = trimmed(data, start, stop)
    month, p = natural(data, start, stop)
    if p == stop:
        return month if p > start and month < 1 << 20 else 0
    if p - start != 2 or stop - p < 9 or data[p] != MINUS or data[p + 6] != COLON:
        return 0
    day, after_day = natural(data, p + 1, p + 3)
    hour, after_hour = natural(data, p + 4, p + 6)
    minute, after_minute = natural(data, p + 7, p + 9)
    if after_day != p + 3 or after_hour != p + 6 or after_minute != p + 9:
        return 0
    return pack_eta(month, day, hour, minute)


@inner
def pack_eta(month, day, hour, minute):
    """The parts of a time of arrival as in a message, 0 where one does not fit its bits."""
    if not (0 <= month <= 12 and 0 <= day <= 31 and 0 <= hour <= 24 and 0 <= minute <= 60):
        return 0
    return int(month) << 16 | int(day) << 11 | int(hour) << 6 | int(minute)


@inner
def eta_of(data, marks, values, day_first):
    """The time of arrival as month << 16 | day << 11 | hour << 6 | minute, 0 for none."""
    if marks[ETA, 0] == marks[ETA, 1]:
        return pack_eta(values[ETA_MONTH], values[ETA_DAY], values[ETA_HOUR], values[ETA_MINUTE])
    t, code = timestamp(data, marks[ETA, 0], marks[ETA, 1], day_first)
    if code != GOOD:
        return short_eta(data, marks[ETA, 0], marks[ETA, 1])
    minutes = t // 60_000_000
    # Civil date from days, counted from 1 March of year 0 in eras of 400 years (146,097 days).
    era_day = (minutes // 1440 + 719_468) % 146_097
    year = (era_day - era_day // 1460 + era_day // 36_524 - era_day // 146_096) // 365
    year_day = era_day - (365 * year + year // 4 - year // 100)
    month = (5 * year_day + 2) // 153
    day = year_day - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return month << 16 | day << 11 | minutes % 1440 // 60 << 6 | minutes % 60


@inner
def write_static(data, marks, values, day_first, divisors, out):
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
    draught = values[DRAUGHT] / divisors[DRAUGHT] if divisors.shape[0] > 0 else values[DRAUGHT]
    out.draught = draught if 0.0 < draught <= 25.5 else math.nan
    out.eta = eta_of(data, marks, values, day_first)


@inner
def says_anything(out):
    """Is there a value in a static record?"""
    texts = out.callsign[0] | out.name[0] | out.destination[0]
    sizes = out.to_bow | out.to_stern | out.to_port | out.to_starboard
    return texts != 0 or sizes != 0 or out.imo != 0 or out.ship_type != 0 or out.eta != 0 or out.draught > 0.0


@inner
def set_of(spread):
    """The first of the slots for a vessel."""
    return (spread >> np.uint64(15)) % np.uint64(CACHE_SLOTS // CACHE_WAYS) * np.uint64(CACHE_WAYS)


@inner
def expect(kept, mmsi):
    """Fetch what is kept of a vessel: the table does not fit the near cache, and `is_news` waited 115 ns a row."""
    if 0.0 < mmsi <= 999_999_999.0:
        prefetch(kept, np.int64(set_of(np.uint64(mmsi) * SPREAD)))


@inner
def is_news(kept, kept_mmsi, mmsi, value):
    """Are the vessel's static fields, hashed to `value`, others than those that are kept of it? They are kept then.

    0 stands for fields that are all empty: they say nothing, and so nothing new. What is kept is the hash with the MMSI
    in it, so that one look at four numbers decides nearly every row.
    """
    if value == 0:
        return False
    spread = np.uint64(mmsi) * SPREAD
    first = set_of(spread)
    value ^= np.int64(spread)
    same = False
    for k in range(np.uint64(CACHE_WAYS)):
        same |= kept[first + k] == value
    if same:
        return False
    slot = first + spread % np.uint64(CACHE_WAYS)
    for k in range(np.uint64(CACHE_WAYS)):
        if kept_mmsi[first + k] == mmsi:
            slot = first + k
            break
        if kept_mmsi[first + k] == 0:
            slot = first + k
    kept[slot] = value
    kept_mmsi[slot] = mmsi
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
