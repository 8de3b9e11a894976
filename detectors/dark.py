"""Gaps and dark periods: a ship stops being heard for longer than `min_gap_s`.

A gap is a fact about reception (Global Fishing Watch's pipe-gaps: more than 6 h between two messages of a vessel). It
is called a dark period only where reception does not explain it: the traffic around tells how many messages a ship on
the way between the last and the next fix should have been heard with (`detectors.coverage`), and `score` is the
probability that so many would not all be lost by chance. Reception comes in lumps (passes of satellites, weather, a
full slot map), so the count is taken as over-dispersed: a negative binomial with one degree of dispersion, for which
no message at all has the probability 1 / (1 + expected). Time in which nobody at all was heard is the feed's own
silence and does not count. Where nothing is known of the cells on the way, the score is not available and the event
stays a gap: unknown is not "dark", and not "innocent" either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.coverage import CELL, add_way, expected_messages, rebuild_cells
from detectors.detector import OUT_ROOM, Columns, Detector, grown
from detectors.event import DARK, GAP, begin_event
from geo.errors import UsageError
from geo.kernel import inner, kernel
from geo.sphere import KN_M_S, distance_m

HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DarkParams:
    """Thresholds of gaps and dark periods."""

    min_gap_s: int = 6 * 3600
    """pipe-gaps 0.9 and Skylight: 6 h of silence."""
    min_fixes: int = 3
    """A single fix may be a bit error in the MMSI; three in a row are a ship."""
    min_score: float = 0.9
    """At least 9 expected messages, none heard: a trial with 9.2 and Poisson reception found F1 0.83 to 0.92."""
    min_exposure_s: int = 2 * 3600
    """Vessel time after which the reception in a cell counts as known; a trial's prior weighed 2 h."""

    min_visits: int = 3
    """A cell is known when the ship in it changed at least three times: one moored ship is no sample of reception."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.min_gap_s <= 0 or self.min_fixes < 1 or self.min_exposure_s < 0 or self.min_visits < 1:
            raise UsageError(f"dark: min_gap_s, min_fixes, min_exposure_s and min_visits must be positive, not {self}")
        if not 0.0 <= self.min_score <= 1.0:
            raise UsageError(f"dark: min_score is a probability from 0 to 1, not {self.min_score}")


LAST = np.dtype(
    [
        ("t", "i8"),
        ("lat", "f8"),
        ("lon", "f8"),
        ("cell", "u8"),
        ("offset", "i8"),
        ("alive", "i8"),
        ("sog", "f4"),
        ("mmsi", "u4"),
        ("n", "i4"),
        ("hull", "u1"),
        ("class_b", "u1"),
        ("source", "u2"),
    ],
    align=True,
)


@inner
def write_gap(last, t_end, expected, known, min_score, event):
    """What a closed gap and an open one have in common."""
    score = expected / (1.0 + expected) if known > 0.0 else np.nan
    begin_event(event, DARK if score >= min_score else GAP, last.mmsi, last.hull)
    event.n, event.t_start, event.t_end = last.n, last.t, t_end
    event.lat, event.lon, event.cell = last.lat, last.lon, last.cell
    event.score, event.coverage, event.facts[0] = score, known, expected if known > 0.0 else np.nan
    event.first_source, event.first_offset = last.source, last.offset


@kernel
def run(lasts, table, used, rows, begin, min_gap_us, min_fixes, min_score, min_exposure_us, min_visits, out):
    """Take rows from `begin` on: (row where it stopped, events written)."""
    events = 0
    for i in range(begin, rows.t.size):
        if events + OUT_ROOM > out.size or 2 * (used[0] + 128) > table.size:
            return i, events
        last = lasts[rows.slot[i]]
        dt = rows.t[i] - last.t
        if last.n == 0:
            last.mmsi, last.hull = rows.mmsi[i], rows.hull[i]
        elif dt <= min_gap_us:
            add_way(
                table,
                used,
                rows.slot[i],
                rows.class_b[i],
                last.lat,
                last.lon,
                last.cell,
                rows.lat[i],
                rows.lon[i],
                rows.cell[i],
                dt,
            )
        elif last.n >= min_fixes:
            alive_us = rows.alive[i] - last.alive
            expected, known = expected_messages(
                table, min_exposure_us, min_visits, last.class_b, last.lat, last.lon, rows.lat[i], rows.lon[i], alive_us
            )
            event = out[events]
            write_gap(last, rows.t[i], expected, known * (alive_us / dt), min_score, event)
            event.lat_end, event.lon_end = rows.lat[i], rows.lon[i]
            event.distance_m = distance_m(last.lat, last.lon, rows.lat[i], rows.lon[i])
            event.speed_kn = event.distance_m / (dt * 1e-6) / KN_M_S
            event.last_source, event.last_offset = rows.source[i], rows.offset[i]
            events += 1
        last.t, last.lat, last.lon, last.sog, last.cell = rows.t[i], rows.lat[i], rows.lon[i], rows.sog[i], rows.cell[i]
        last.offset, last.source, last.alive = rows.offset[i], rows.source[i], rows.alive[i]
        last.class_b = rows.class_b[i]
        last.n += 1
    return rows.t.size, events


@kernel
def flush(lasts, table, now, alive, begin, min_gap_us, min_fixes, min_score, min_exposure_us, min_visits, out):
    """Open gaps at the end of the input: (slot where it stopped or -1, events written).

    Where a silent ship is by now, nobody knows. So only the time in which it must still have been near its last
    position counts as expected: at most an hour, or what it takes to go 8 km at its last speed.
    """
    events = 0
    for k in range(begin, lasts.size):
        if events + OUT_ROOM > out.size:
            return k, events
        last = lasts[k]
        if last.n < min_fixes or now - last.t <= min_gap_us:
            continue
        near_us = min(HOUR_US, alive - last.alive)
        if last.sog > 0.0:
            near_us = min(near_us, np.int64(8_000.0 / (last.sog * KN_M_S) * 1e6))
        expected, known = expected_messages(
            table, min_exposure_us, min_visits, last.class_b, last.lat, last.lon, last.lat, last.lon, near_us
        )
        event = out[events]
        write_gap(last, now, expected, known if near_us > 0 else 0.0, min_score, event)
        event.open = 1
        event.last_source, event.last_offset = last.source, last.offset
        events += 1
    return -1, events


class Dark(Detector):
    """Gaps and dark periods of each hull."""

    name = "dark"
    Params = DarkParams
    kinds = ("gap", "dark")
    facts = ("expected_messages",)

    def __init__(self, params: DarkParams | None = None) -> None:
        super().__init__(params)
        self.arrays = {
            "lasts": np.zeros(256, LAST).view(np.recarray),
            "table": np.zeros(1024, CELL).view(np.recarray),
            "used": np.zeros(1, np.int64),
        }

    def _thresholds(self) -> tuple[int, int, float, int, int]:
        p = self.params
        return p.min_gap_s * 1_000_000, p.min_fixes, p.min_score, p.min_exposure_s * 1_000_000, p.min_visits

    def reserve(self, slots: int) -> None:
        """Make room for `slots` hulls."""
        self.arrays["lasts"] = grown(self.arrays["lasts"], slots)

    def make_room(self) -> None:
        """Double the table of cells when it is half full."""
        table = self.arrays["table"]
        if 2 * (int(self.arrays["used"][0]) + 128) > table.size:
            self.arrays["table"] = np.zeros(2 * table.size, CELL).view(np.recarray)
            rebuild_cells(table, self.arrays["table"])

    def run(self, columns: Columns, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """Rows from `begin` on: (the row where it stopped, events written to `out`)."""
        a = self.arrays
        stopped, events = run(a["lasts"], a["table"], a["used"], columns, begin, *self._thresholds(), out)
        return int(stopped), int(events)

    def flush(self, now: int, alive: int, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """Gaps that are still open at `now`."""
        a = self.arrays
        stopped, events = flush(a["lasts"], a["table"], now, alive, begin, *self._thresholds(), out)
        return int(stopped), int(events)
