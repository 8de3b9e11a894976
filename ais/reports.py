"""Messages to reports: positions (types 1, 2, 3, 9, 18, 19, 27) and static data (5, 19, 24) as columns.

Where each field stands, its scale and its "not available" come from the tables of `ais.layouts`. Positions are exact
multiples of 1/600,000 degree (type 27: 1/600), so that the raw integer is round(600,000 * lat).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.layouts import LAYOUTS
from ais.records import reject, signed, unsigned
from ais.status import NO_POSITION, POSITION_OUT_OF_RANGE
from ais.table import FIX_DTYPES, NAV_STATUS_UNKNOWN
from geo.kernel import inlined, kernel

FIX_COLUMNS = (
    "t", "mmsi", "lat", "lon", "sog", "cog", "heading", "nav_status", "msg_type", "channel", "offset", "status"
)  # fmt: skip
"""Columns of a fix that the message holds."""

_ONE = np.uint64(1)


class Positions(NamedTuple):
    """Where a type of message has the fields of a fix (first bit and width), and in what units."""

    lon: tuple[int, int]
    lat: tuple[int, int]
    sog: tuple[int, int]
    cog: tuple[int, int]
    heading: tuple[int, int]
    nav_status: tuple[int, int]
    degree: float
    sog_unit: float
    sog_none: int
    cog_unit: float
    cog_end: int


def positions(name: str) -> Positions:
    """The fields of a fix in a layout; (0, 0) for one that it does not have."""
    layout = LAYOUTS[name]
    fields = {field.name: field for field in layout.fields}
    wanted = ("lon", "lat", "sog", "cog", "heading", "nav_status")
    at = {one: (fields[one].start, fields[one].width) if one in fields else (0, 0) for one in wanted}
    sog, cog = fields["sog"], fields["cog"]
    return Positions(
        **at,
        degree=fields["lat"].divisor,
        sog_unit=1.0 / sog.divisor,
        sog_none=sog.null or 0,
        cog_unit=1.0 / cog.divisor,
        cog_end=cog.highest + 1,
    )


CLASS_A, AIRCRAFT, LONG_RANGE = positions("position_a"), positions("aircraft"), positions("long_range")
CLASS_B = positions("position_b")  # that of type 19 begins in the same way


@inlined
def read_position(words, row, at):
    """(latitude, longitude, speed, course, heading, navigational status): NaN, or 91 and 181, for what is not there."""
    first, bits = row.words, row.n_bits
    lat, lon, sog, cog, heading, nav_status = 91.0, 181.0, np.nan, np.nan, np.nan, NAV_STATUS_UNKNOWN
    if bits >= at.lat[0] + at.lat[1]:
        lat = signed(words, first, at.lat[0], at.lat[1]) / at.degree
        lon = signed(words, first, at.lon[0], at.lon[1]) / at.degree
    raw = unsigned(words, first, at.sog[0], at.sog[1])
    if raw != at.sog_none and bits >= at.sog[0] + at.sog[1]:
        sog = raw * at.sog_unit
    raw = unsigned(words, first, at.cog[0], at.cog[1])
    if raw < at.cog_end and bits >= at.cog[0] + at.cog[1]:
        cog = raw * at.cog_unit
    if at.heading[1] and bits >= at.heading[0] + at.heading[1]:
        raw = unsigned(words, first, at.heading[0], at.heading[1])
        if raw < 360:
            heading = float(raw)
    if at.nav_status[1] and bits >= at.nav_status[0] + at.nav_status[1]:
        nav_status = unsigned(words, first, at.nav_status[0], at.nav_status[1])
    return lat, lon, sog, cog, heading, nav_status


HAS_POSITION = np.zeros(64, np.uint8)
HAS_POSITION[[1, 2, 3, 9, 18, 19, 27]] = 1


@kernel
def write_fixes(
    rows, begin, n, words, t, mmsi, lat, lon, sog, cog, heading, nav_status, msg_type, channel, offset, status, station,
    number, k, tally
):  # fmt: skip
    """Positions among the rows begin .. n - 1 into the columns from row `k` on; the number of rows then."""
    k = np.uint64(k)
    for i in range(begin, n):
        row = rows[i]
        kind = row.msg_type
        if HAS_POSITION[kind] == 0 or row.copy_of >= 0:
            continue
        if kind <= 3:
            y, x, sog[k], cog[k], heading[k], nav_status[k] = read_position(words, row, CLASS_A)
        elif kind == 9:
            y, x, sog[k], cog[k], heading[k], nav_status[k] = read_position(words, row, AIRCRAFT)
        elif kind == 27:
            y, x, sog[k], cog[k], heading[k], nav_status[k] = read_position(words, row, LONG_RANGE)
        else:
            y, x, sog[k], cog[k], heading[k], nav_status[k] = read_position(words, row, CLASS_B)
        if abs(y) > 90.0 or abs(x) > 180.0:
            reject(tally, NO_POSITION if y == 91.0 or x == 181.0 else POSITION_OUT_OF_RANGE, row.offset, row.n_bytes)
            continue
        t[k], mmsi[k], lat[k], lon[k], msg_type[k] = row.t, row.mmsi, y, x, kind
        channel[k], offset[k], status[k] = row.channel, row.offset, row.status
        station[k], number[k] = row.station, row.number
        k += _ONE
    return np.int64(k)


class FixColumns:
    """Columns of fixes that grow: room doubles when it is used up, so that a row is copied once at most."""

    def __init__(self, room: int = 0) -> None:
        self._n = 0
        self._columns = [np.empty(room, FIX_DTYPES[name]) for name in FIX_COLUMNS] + [
            np.empty(room, np.uint32),
            np.empty(room, np.int64),
        ]

    def __len__(self) -> int:
        return self._n

    def append(self, rows: NDArray[Any], n: int, words: NDArray[np.uint64], tally: NDArray[np.int64]) -> None:
        """Add the positions among the first `n` messages."""
        if self._n + n > self._columns[0].size:
            room = max(2 * self._columns[0].size, self._n + n)
            for k, column in enumerate(self._columns):
                self._columns[k] = np.empty(room, column.dtype)
                self._columns[k][: self._n] = column[: self._n]
        self._n = write_fixes(rows, 0, n, words, *self._columns, self._n, tally)

    def columns(self) -> dict[str, NDArray[Any]]:
        """What was added, by name."""
        return {name: column[: self._n] for name, column in zip(FIX_COLUMNS, self._columns, strict=False)}

    @property
    def stations(self) -> NDArray[np.uint32]:
        """Hash of the name of the station that each fix was heard by first, 0 unknown."""
        return self._columns[-2][: self._n]

    @property
    def numbers(self) -> NDArray[np.int64]:
        """Number of the message of each fix, ascending."""
        return self._columns[-1][: self._n]
