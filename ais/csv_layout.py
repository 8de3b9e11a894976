"""CSV layouts: which column of a header is which field, and how its dates are written.

A layout is told by the names in the header: NOAA MarineCadastre (both), Danish Maritime Authority, or any other
header that names a time, an MMSI, a latitude and a longitude. Names are compared without case, spaces and signs.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError

FIELDS = (
    "t", "mmsi", "lat", "lon", "sog", "cog", "heading", "nav_status", "msg_type", "class",
    "imo", "callsign", "name", "ship_type", "length", "width", "to_bow", "to_stern", "to_port", "to_starboard",
    "draught", "destination", "eta",
)  # fmt: skip
"""Fields of a row that are read: the time, the numbers, the class of the transmitter, and from `imo` on the static
ones."""

# From the layouts of section "other input formats" of the formats' own pages: NOAA, DMA, Spire, Statsat, AISHub,
# Global Fishing Watch, exactEarth. In a field the first name that a header has wins.
_NAMES = {
    "t": "t basedatetime timestamp timestamputc datetime datetimeutc dateandtime time timeutc utc utctime "
    "aispostimestamp postimestamp positiontimestamp positiontime dtposutc dateutc eventtime msgtime send ts",
    "mmsi": "mmsi mmsinumber ssvid usermmsi sourcemmsi vesselmmsi shipmmsi userid vesselid shipid id",
    "lat": "lat latitude latdeg latitudedeg latitudedegrees latdd y",
    "lon": "lon long longitude lng londeg longitudedeg longitudedegrees londd x",
    "sog": "sog sogkn sogknots speedoverground speedoverground speed speedkn speedknots speedkts",
    "cog": "cog cogdeg courseoverground course coursedeg",
    "heading": "heading trueheading headingdeg trueheadingdeg hdg hdgdeg",
    "nav_status": "navstatus navigationalstatus navigationstatus navstat nav status",
    "class": "transceiverclass transcieverclass transceiver typeofmobile aisclass class",
    "msg_type": "msgtype messagetype messageid messagenr",
    "imo": "imo imonumber imonr imono",
    "callsign": "callsign ircs",
    "name": "vesselname shipname name",
    "ship_type": "vesseltype shiptype shiptypecode shipandcargotype category type",
    "length": "length lengthm shiplength vessellength",
    "width": "width widthm beam beamm shipwidth vesselwidth",
    "to_bow": "tobow dimensiontobow a",
    "to_stern": "tostern dimensiontostern b",
    "to_port": "toport dimensiontoport c",
    "to_starboard": "tostarboard dimensiontostarboard d",
    "draught": "draught draft draughtm draftm",
    "destination": "destination dest",
    "eta": "eta",
}
ALIASES = {field: tuple(_NAMES[field].split()) for field in FIELDS}
"""Names of a field in a header, lower case, without spaces and signs."""

NEEDED = {"t": "time", "mmsi": "MMSI", "lat": "latitude", "lon": "longitude"}
_EXAMPLE = {"t": "timestamp", "mmsi": "mmsi", "lat": "lat", "lon": "lon"}

_DELIMITERS = ",;\t|"
_COMMENT_LINES = 50
_LINE = re.compile(rb"[^\r\n]+")
_SLASHED = re.compile(r"\s*(\d{1,2})[/.\-](\d{1,2})[/.\-]\d{4}")


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """How to read the rows of one CSV.

    Attributes
    ----------
    name : "noaa", "noaa-2025", "dma" or "csv"
    delimiter : the byte between fields
    fields : (columns,) int64; for each column its place in `FIELDS`, -1 for one that is not read
    rows_offset : bytes before the line end of the header
    day_first : True where 05/06/2021 is the 5th of June
    """

    name: str
    delimiter: int
    fields: NDArray[np.int64]
    rows_offset: int
    day_first: bool


def normal(name: str) -> str:
    """A column name without case, spaces and signs.

    >>> normal("# Time-Stamp"), normal("BaseDateTime")
    ('timestamp', 'basedatetime')
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())


def columns_of_header(names: list[str]) -> dict[str, int]:
    """For each field that the header names, its column.

    >>> columns_of_header(["MMSI", "BaseDateTime", "LAT", "LON"])
    {'t': 1, 'mmsi': 0, 'lat': 2, 'lon': 3}
    """
    places: dict[str, int] = {}
    for column, name in enumerate(names):
        places.setdefault(normal(name), column)
    found = {}
    for field, aliases in ALIASES.items():
        for alias in aliases:
            if alias in places:
                found[field] = places[alias]
                break
    return found


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


def _header(head: bytes) -> tuple[list[str], str, int]:
    """The names in the header, the delimiter, and where the header ends; comments before it are passed over."""
    best: tuple[list[str], str, int] = ([], ",", 0)
    for number, (line, end) in enumerate(_placed_lines(head)):
        if number == _COMMENT_LINES:
            break
        for delimiter in _DELIMITERS:
            names = _split(line, delimiter)
            if _needed_found(names) > _needed_found(best[0]):
                best = names, delimiter, end
        if best[0] or not line.startswith("#"):
            break
    return best


def _needed_found(names: list[str]) -> int:
    return sum(field in NEEDED for field in columns_of_header(names))


def _format_name(names: list[str]) -> str:
    """Which layout the names belong to."""
    known = {normal(name) for name in names}
    if {"mmsi", "basedatetime", "lat", "lon"} <= known:
        return "noaa"
    if {"mmsi", "basedatetime", "latitude", "longitude"} <= known:
        return "noaa-2025"
    if {"timestamp", "typeofmobile", "mmsi", "latitude", "longitude"} <= known:
        return "dma"
    return "csv"


def csv_format(head: bytes) -> str:
    """The name of the CSV layout of a text, from its first bytes; empty where no header of AIS columns is found.

    Three of the four needed columns are enough, so that `layout_of` can tell which one is missing.

    >>> csv_format(b"# Timestamp,Type of mobile,MMSI,Latitude,Longitude,Navigational status\\n")
    'dma'
    >>> csv_format(b"hello\\n")
    ''
    """
    names, _, _ = _header(head)
    return _format_name(names) if _needed_found(names) >= 3 else ""


def layout_of(name: str, head: bytes) -> Layout:
    """How to read a CSV.

    Parameters
    ----------
    name : the source, for messages
    head : its first bytes; 1 MiB of it, or all, so that dates such as 31/12/2021 can tell their order

    Raises
    ------
    InputError
        If a needed column is missing, or the order of day and month cannot be told.

    Examples
    --------
    >>> layout = layout_of("a.csv", b"id;time;x;y\\n1;31/12/2021 10:00;12.5;55.1\\n")
    >>> layout.name, chr(layout.delimiter), layout.day_first, layout.fields.tolist()
    ('csv', ';', True, [1, 0, 3, 2])
    """
    names, delimiter, rows_offset = _header(head)
    columns = columns_of_header(names)
    if missing := [field for field in NEEDED if field not in columns]:
        shown = names or _split(next(text_lines(head), ""), ",")
        listed = ", ".join(column.strip() for column in shown[:12]) + (", …" if len(shown) > 12 else "")
        raise InputError(
            f"{name}: no column for {' and '.join(NEEDED[field] for field in missing)}; the header has {listed}; "
            f"rename the column that holds it to {' and '.join(_EXAMPLE[field] for field in missing)}"
        )
    fields = np.full(len(names), -1, np.int64)
    for field, column in columns.items():
        fields[column] = FIELDS.index(field)
    kind = _format_name(names)
    day_first = kind == "dma" or (kind == "csv" and _day_first(name, head, delimiter, columns["t"]))
    return Layout(kind, ord(delimiter), fields, rows_offset, day_first)


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
