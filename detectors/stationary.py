"""Stationary periods: a ship stays at one place for hours, at anchor, at a berth or on a buoy.

After Global Fishing Watch (stationary for 12 h within 0.5 km). There the distance is taken from the first point, which
a ship at anchor passes on its swing; here all fixes lie in a square of which no side is farther than `radius_m` from
the middle. A fix elsewhere, or faster than `max_sog_kn`, ends the period only when the ship was not seen still for half
an hour. Silence is not stillness: a silence of more than `max_gap_s` adds nothing to the time that counts (`stay_us`),
but the period goes on when the ship is then heard at the same place; a silence of more than `max_silence_s` ends it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ais.table import NAT, Fixes, Table
from ais.tracks import Tracks
from detectors.detector import OUT_EVENTS, OUT_ROOM, Columns, Detector, grown
from detectors.engine import CHUNK_ROWS
from detectors.feed_time import newest_time
from geo.errors import UsageError
from geo.kernel import inner, kernel
from geo.sphere import EARTH_RADIUS_M, wrap_deg

_DEG_M = math.radians(EARTH_RADIUS_M)
"""Metres of a degree of latitude on the sphere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StationaryParams:
    """Thresholds of a stationary period."""

    radius_m: float = 500.0
    """GFW pipe-anchorages: 0.5 km; a chain of 250 m and a ship of 200 m swing within it."""
    max_sog_kn: float = 1.0
    """The speed that ends a stop of a port call; a ship at anchor swings at 0.2 to 0.4 kn."""
    min_stay_s: int = 12 * 3600
    """GFW pipe-anchorages: 12 h."""
    max_gap_s: int = 4 * 3600
    """As for loitering: of satellite reports at a mean of 1 h, 2 % wait 4 h."""
    max_silence_s: int = 24 * 3600
    """GFW's segments bridge a day."""
    max_excursion_s: int = 1800
    """As for loitering: half an hour elsewhere is a wrong position, longer is a departure."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        needed = self.radius_m, self.max_sog_kn, self.min_stay_s, self.max_gap_s, self.max_silence_s
        if not all(value > 0 for value in needed):
            raise UsageError(f"stationary: radius, speed, stay, gap and silence must be positive, not {self}")
        if not 0 <= self.max_excursion_s <= self.max_gap_s <= self.max_silence_s:
            raise UsageError(f"stationary: 0 <= max_excursion_s <= max_gap_s <= max_silence_s must hold, not {self}")


STAY = np.dtype(
    [
        ("t_start", "i8"),
        ("t_last", "i8"),  # last fix at the place
        ("stay_us", "i8"),
        ("lat_start", "f8"),
        ("lon_start", "f8"),
        ("south_m", "f8"),  # sides of the square, from the first fix
        ("north_m", "f8"),
        ("west_m", "f8"),
        ("east_m", "f8"),
        ("y_s", "f8"),  # sums of metres x seconds, and of their squares
        ("x_s", "f8"),
        ("square_s", "f8"),
        ("first_offset", "i8"),
        ("last_offset", "i8"),
        ("mmsi", "u4"),
        ("n", "i4"),
        ("hull", "u1"),
        ("going", "u1"),
        ("first_source", "u2"),
        ("last_source", "u2"),
    ],
    align=True,
)

PERIOD = np.dtype(
    [
        ("mmsi", "u4"),
        ("hull", "u1"),
        ("open", "u1"),  # 1: still there when the input ended
        ("n", "i4"),  # fixes at the place
        ("t_start", "i8"),  # µs since 1970 UTC: first and last fix at the place
        ("t_end", "i8"),
        ("stay_us", "i8"),  # time between them in which the ship was heard
        ("lat", "f8"),  # time-weighted mean position, degrees
        ("lon", "f8"),
        ("swing_m", "f4"),  # root of the time-weighted mean square distance from it
        ("first_source", "u2"),
        ("last_source", "u2"),
        ("first_offset", "i8"),
        ("last_offset", "i8"),
    ],
    align=True,
)
"""One stationary period."""


@inner
def begin_stay(s, t, mmsi, hull, lat, lon, source, offset):
    """The ship is still at this fix."""
    s.going, s.mmsi, s.hull, s.n, s.stay_us = 1, mmsi, hull, 1, 0
    s.t_start, s.t_last, s.lat_start, s.lon_start = t, t, lat, lon
    s.south_m, s.north_m, s.west_m, s.east_m = 0.0, 0.0, 0.0, 0.0
    s.y_s, s.x_s, s.square_s = 0.0, 0.0, 0.0
    s.first_source, s.first_offset, s.last_source, s.last_offset = source, offset, source, offset


@inner
def end_stay(s, still_open, min_stay_us, period):
    """The ship has left, or the input ends: 1 when the stay was long enough and stands in `period`, else 0."""
    s.going = 0
    if s.stay_us < min_stay_us:
        return 0
    seconds = s.stay_us * 1e-6
    y, x = s.y_s / seconds, s.x_s / seconds
    period.mmsi, period.hull, period.open, period.n = s.mmsi, s.hull, still_open, s.n
    period.t_start, period.t_end, period.stay_us = s.t_start, s.t_last, s.stay_us
    period.lat = s.lat_start + y / _DEG_M
    period.lon = wrap_deg(s.lon_start + x / (_DEG_M * math.cos(math.radians(s.lat_start))))
    period.swing_m = math.sqrt(max(0.0, s.square_s / seconds - y * y - x * x))
    period.first_source, period.first_offset = s.first_source, s.first_offset
    period.last_source, period.last_offset = s.last_source, s.last_offset
    return 1


@kernel
def run(stays, begin, slot, t, mmsi, hull, lat, lon, sog, source, offset, radius_m, max_sog_kn, min_stay_us, max_gap_us,
        max_silence_us, max_excursion_us, out):  # fmt: skip
    """Take rows from `begin` on: (row where it stopped, periods written)."""
    periods = 0
    for i in range(begin, t.size):
        if periods + OUT_ROOM > out.size:
            return i, periods
        s = stays[slot[i]]
        still = not sog[i] > max_sog_kn  # a speed that is not available says nothing
        if s.going:
            dt = t[i] - s.t_last
            y = (lat[i] - s.lat_start) * _DEG_M
            x = wrap_deg(lon[i] - s.lon_start) * _DEG_M * math.cos(math.radians(s.lat_start))
            south, north, west, east = min(s.south_m, y), max(s.north_m, y), min(s.west_m, x), max(s.east_m, x)
            if still and dt <= max_silence_us and max(north - south, east - west) <= 2.0 * radius_m:
                s.south_m, s.north_m, s.west_m, s.east_m = south, north, west, east
                if dt <= max_gap_us:
                    seconds = dt * 1e-6
                    s.stay_us += dt
                    s.y_s += y * seconds
                    s.x_s += x * seconds
                    s.square_s += (x * x + y * y) * seconds
                s.t_last, s.last_source, s.last_offset = t[i], source[i], offset[i]
                s.n += 1
                continue
            if dt <= max_excursion_us:
                continue
            periods += end_stay(s, 0, min_stay_us, out[periods])
        if still:
            begin_stay(s, t[i], mmsi[i], hull[i], lat[i], lon[i], source[i], offset[i])
    return t.size, periods


@kernel
def flush(stays, now, begin, min_stay_us, max_silence_us, out):
    """Stays that the end of the input cuts: (slot where it stopped or -1, periods written)."""
    periods = 0
    for k in range(begin, stays.size):
        if periods + OUT_ROOM > out.size:
            return k, periods
        s = stays[k]
        if s.going:
            periods += end_stay(s, 1 if now - s.t_last <= max_silence_us else 0, min_stay_us, out[periods])
    return -1, periods


class Stationary(Detector):
    """Stationary periods of each hull, as records of `PERIOD`."""

    name = "stationary"
    Params = StationaryParams
    kinds = ()

    def __init__(self, params: StationaryParams | None = None) -> None:
        super().__init__(params)
        self.arrays = {"stays": np.zeros(256, STAY).view(np.recarray)}
        self._out = np.zeros(OUT_EVENTS, PERIOD).view(np.recarray)

    def reserve(self, ships: NDArray[Any]) -> None:
        """Make room for these hulls."""
        super().reserve(ships)
        self.arrays["stays"] = grown(self.arrays["stays"], ships.size)

    def run(self, columns: Columns, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """Rows from `begin` on: (the row where it stopped, periods written to `out`)."""
        p, c = self.params, columns
        stopped, periods = run(
            self.arrays["stays"], begin, c.slot, c.t, c.mmsi, c.hull, c.lat, c.lon, c.sog, c.source, c.offset,
            p.radius_m, p.max_sog_kn, p.min_stay_s * 1_000_000, p.max_gap_s * 1_000_000, p.max_silence_s * 1_000_000,
            p.max_excursion_s * 1_000_000, out,
        )  # fmt: skip
        return int(stopped), int(periods)

    def flush(self, now: int, alive: int, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """Stays that are still going on, or were cut, at `now`."""
        p = self.params
        stopped, periods = flush(
            self.arrays["stays"], now, begin, p.min_stay_s * 1_000_000, p.max_silence_s * 1_000_000, out
        )
        return int(stopped), int(periods)


class Periods(Table):
    """Stationary periods, sorted by start, MMSI and hull; the columns are those of `PERIOD`.

    `sources` holds the names of the inputs, `params` the thresholds.
    """

    times: ClassVar[tuple[str, ...]] = ("t_start", "t_end")

    def __init__(
        self, columns: Mapping[str, NDArray[Any]], sources: tuple[str, ...], params: Mapping[str, Any]
    ) -> None:
        super().__init__(columns)
        self.sources, self.params = sources, dict(params)


def _columns_of(
    part: Mapping[str, NDArray[Any]], slots: NDArray[np.int32], hull: NDArray[np.uint8], used: NDArray[np.int64]
) -> Columns:
    """The rows that are used, as detectors take them; whether the feed was alive does not matter here."""
    own: dict[str, NDArray[Any]] = {
        "slot": slots,
        "hull": hull,
        "alive": np.zeros(slots.size, np.int64),
        "class_b": np.zeros(slots.size, "u1"),
    }
    return Columns(**{name: (own[name] if name in own else part[name])[used] for name in Columns._fields})


def stationary_periods(fixes: Fixes, params: StationaryParams | None = None) -> Periods:
    """Where and when each ship lay still, from fixes of any order; those that the input cuts are among them.

    >>> hours = np.arange(30) * 3_600_000_000
    >>> lat = np.where(hours < hours[20], 35.0, 35.0 + 1e-10 * (hours - hours[20]))
    >>> fixes = Fixes({"t": hours, "mmsi": np.full(30, 671999101), "lat": lat, "lon": np.full(30, 129.0)})
    >>> periods = stationary_periods(fixes)
    >>> (periods["t_end"] - periods["t_start"]) / 3.6e9, periods["lat"]
    (array([20.]), array([35.]))
    """
    detector, tracks = Stationary(params), Tracks()
    timed = fixes["t"] != NAT
    rows = (fixes if timed.all() else fixes.take(timed)).sort().columns
    pieces = [np.zeros(0, PERIOD)]
    for begin in range(0, rows["t"].size, CHUNK_ROWS):
        part = {name: column[begin : begin + CHUNK_ROWS] for name, column in rows.items()}
        slots, hull, _ = tracks.follow(part)
        used = np.flatnonzero(slots >= 0)
        detector.reserve(tracks.hulls.rows[: int(tracks.hulls.used[0])])
        pieces.append(detector.feed(_columns_of(part, slots, hull, used)))
    now = newest_time(NAT, rows["t"], rows["mmsi"])
    records = np.concatenate([*pieces, detector.finish(now, 0)]).view(np.ndarray)
    records = records[np.lexsort((records["hull"], records["mmsi"], records["t_start"]))]
    columns = {name: np.ascontiguousarray(records[name]) for name in PERIOD.names or ()}
    return Periods(columns, fixes.sources, detector.params_dict())
