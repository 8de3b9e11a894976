"""CSV layouts: which column of a header is which field, and how its dates are written.

A layout is told by the names in the header (`csv_names.SIGNATURES`), and any other header that names a time, an MMSI,
a latitude and a longitude is understood too.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ais.csv_names import FIELDS, NEEDED, check_columns, columns_of_header, publisher_of
from geo.errors import InputError

_EXAMPLE = {"t": "timestamp", "mmsi": "mmsi", "lat": "lat", "lon": "lon"}

# ITU-R M.1371: a position in 1/10,000 of a minute, speed, course and draught in tenths.
_UNITS = {
    "aishub": {"lat": 600_000.0, "lon": 600_000.0, "sog": 10.0, "cog": 10.0, "draught": 10.0},
    "marinetraffic": {"sog": 10.0},
}
_DELIMITERS = ",;\t|"
_COMMENT_LINES = 50
_LINE = re.compile(rb"[^\r\n]+")
_SLASHED = re.compile(r"\s*(\d{1,2})[/.\-](\d{1,2})[/.\-]\d{4}")


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """How to read the rows of one CSV.

    Attributes
    ----------
    name : one of `csv_names.SIGNATURES`, or "csv"
    delimiter : the byte between fields
    fields : (columns,) int64; for each column its place in `FIELDS`, -1 for one that is not read
    rows_offset : bytes before the line end of the header
    day_first : True where 05/06/2021 is the 5th of June
    divisors : (fields,) float64, by which the numbers are divided to come to degrees, knots and metres; (0,) where
        they are in these already
    """

    name: str
    delimiter: int
    fields: NDArray[np.int64]
    rows_offset: int
    day_first: bool
    divisors: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))


def text_lines(head: bytes) -> Iterator[str]:
    """Lines of the first bytes of a text that are not blank, without a byte order mark."""
    for text, _ in _placed_lines(head):
        yield text


def _placed_lines(head: bytes) -> Iterator[tuple[str, int]]:
    """Lines that are not blank, each with the place where it ends."""
    for line in _LINE.finditer(head):
        text = line[0].decode("utf-8", "replace").removeprefix("\ufeff")
        if text.strip():
            yield text, line.end()


def _split(line: str, delimiter: str) -> list[str]:
    """The fields of a line; of an endless line its first 64 KiB, as the csv module has a limit for a field."""
    return next(csv.reader([line[: 64 << 10]], delimiter=delimiter), [])


def _header(head: bytes, given: Mapping[str, str] | None = None) -> tuple[list[str], str, int]:
    """The names in the header, the delimiter, and where the header ends; comments before it are passed over."""
    best: tuple[list[str], str, int] = ([], ",", 0)
    for number, (line, end) in enumerate(_placed_lines(head)):
        if number == _COMMENT_LINES:
            break
        for delimiter in _DELIMITERS:
            names = _split(line, delimiter)
            if _needed_found(names, given) > _needed_found(best[0], given):
                best = names, delimiter, end
        if best[0] or not line.startswith("#"):
            break
    return best


def _needed_found(names: list[str], given: Mapping[str, str] | None) -> int:
    return sum(name in NEEDED for name in columns_of_header(names, given))


def csv_format(head: bytes, columns: Mapping[str, str] | None = None) -> str:
    """The name of the CSV layout of a text, from its first bytes; empty where no header of AIS columns is found.

    Three of the four needed columns are enough, so that `layout_of` can tell which one is missing.

    >>> csv_format(b"# Timestamp,Type of mobile,MMSI,Latitude,Longitude,Navigational status\\n")
    'dma'
    >>> csv_format(b"hello\\n")
    ''
    """
    names, _, _ = _header(head, columns)
    return publisher_of(names) if _needed_found(names, columns) >= 3 else ""


def layout_of(name: str, head: bytes, columns: Mapping[str, str] | None = None) -> Layout:
    """How to read a CSV.

    Parameters
    ----------
    name : the source, for messages
    head : its first bytes; 1 MiB of it, or all, so that dates such as 31/12/2021 can tell their order
    columns : for some of `csv_names.FIELDS`, the column that holds it; the others are told by their names

    Raises
    ------
    InputError
        If a needed column is missing, or the order of day and month cannot be told.
    UsageError
        If `columns` names a field that there is not.

    Examples
    --------
    >>> layout = layout_of("a.csv", b"id;time;x;y\\n1;31/12/2021 10:00;12.5;55.1\\n")
    >>> layout.name, chr(layout.delimiter), layout.day_first, layout.fields.tolist()
    ('csv', ';', True, [1, 0, 3, 2])
    """
    check_columns(columns)
    names, delimiter, rows_offset = _header(head, columns)
    places = columns_of_header(names, columns)
    shown = names or _split(next(text_lines(head), ""), ",")
    listed = ", ".join(column.strip() for column in shown[:12]) + (", …" if len(shown) > 12 else "")
    if absent := [given for given in (columns or {}) if given not in places]:
        asked = " and ".join(f"{(columns or {})[given]!r} for {given}" for given in absent)
        raise InputError(f"{name}: no column {asked}; the header has {listed}; give one of these")
    if missing := [needed for needed in NEEDED if needed not in places]:
        raise InputError(
            f"{name}: no column for {' and '.join(NEEDED[needed] for needed in missing)}; the header has {listed}; "
            f"rename the column that holds it to {' and '.join(_EXAMPLE[needed] for needed in missing)}"
        )
    fields = np.full(len(names), -1, np.int64)
    for found, column in places.items():
        fields[column] = FIELDS.index(found)
    kind = publisher_of(names)
    day_first = kind == "dma" or (kind == "csv" and _day_first(name, head, delimiter, places["t"]))
    first_time = _first_value(head[rows_offset:], delimiter, places["t"])
    return Layout(kind, ord(delimiter), fields, rows_offset, day_first, divisors_of(kind, first_time))


def divisors_of(kind: str, first_time: str) -> NDArray[np.float64]:
    """By what the numbers of a publisher are to be divided, (0,) for nothing.

    AISHub sends AIS units with times in seconds since 1970, and plain ones with times as dates (its own page:
    https://www.aishub.net/api); MarineTraffic sends tenths of a knot.

    >>> divisors = divisors_of("aishub", "1302264927")
    >>> divisors[FIELDS.index("lat")], divisors_of("aishub", "2011-04-12 10:40:27 GMT").size
    (np.float64(600000.0), 0)
    """
    scales = _UNITS.get(kind, {}) if kind != "aishub" or first_time.strip().isdecimal() else {}
    return np.array([scales.get(name, 1.0) for name in FIELDS]) if scales else np.empty(0)


def _first_value(rows: bytes, delimiter: str, column: int) -> str:
    """The value of a column in the first row."""
    row = _split(next(text_lines(rows), ""), delimiter)
    return row[column] if column < len(row) else ""


def _day_first(name: str, head: bytes, delimiter: str, column: int) -> bool:
    """Whether the dates of a column are written with the day before the month, told by values over 12."""
    firsts, seconds, example = 0, 0, ""
    for line in text_lines(head):
        row = _split(line, delimiter)
        if len(row) > column and (date := _SLASHED.match(row[column])):
            first, second = int(date[1]), int(date[2])
            firsts, seconds, example = max(firsts, first), max(seconds, second), example or date[0].strip()
    if not example:
        return False
    if (firsts > 12) == (seconds > 12):
        problem = "are day first in some rows and month first in others" if firsts > 12 else "may be day or month first"
        raise InputError(
            f"{name}: dates such as {example} {problem}, and nothing in the first rows decides it; "
            "write them as year-month-day"
        )
    return firsts > 12
