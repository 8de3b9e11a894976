"""Loitering: a ship stays slow for hours, far from shore.

After Global Fishing Watch's definition (mean speed under 2 kn, at least 20 nmi from shore; 4 h as in the studies for
regional fishery bodies), with two differences. There are no clock hours: an exact four-hour drift is four hours long
wherever it begins. And silence is never behaviour: a silence of more than `max_silence_s` ends the event, and
`coverage` is the share of its time in which the ship was heard at least every half hour. The speed is that of the
displacement over steps of ten minutes or more, so that the noise of positions does not count as movement. `score` is
the share of the event's time spent in slow steps; `distance_m` the greatest distance from where it began.

Where anchorages are known, slow hours in one of them are called waiting: told apart by kind, and not left out, for
goods change ships at anchor too. A slow step counts as waiting when it begins and ends in known anchorages, for as much
of it as counts as observed; `anchorage_share` is that time over all observed slow time, and an event is waiting from
`min_waiting_share` on. Without known anchorages the share is not available, and every event is loitering.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.detector import OUT_ROOM, Columns, Detector, grown
from detectors.event import LOITERING, WAITING, begin_event
from geo.anchorages import Anchorages, anchorage_row
from geo.cells import INDEX_RESOLUTION, cell_at
from geo.errors import UsageError
from geo.kernel import inner, kernel
from geo.sphere import KN_M_S, NMI_M, distance_m, wrap_deg

OBSERVED_US = 1_800_000_000
"""A step counts as observed up to half an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoiteringParams:
    """Thresholds of loitering."""

    max_speed_kn: float = 2.0
    """Global Fishing Watch: mean speed under 2 kn."""
    min_duration_s: int = 4 * 3600
    """GFW's studies for regional fishery bodies: 4 h."""
    min_shore_m: float = 20.0 * NMI_M
    """GFW: 20 nmi from shore, so that anchorages and harbours do not count."""
    max_silence_s: int = 4 * 3600
    """GFW bridges 24 h, and then counts silence as slowness; of satellite reports at a mean of 1 h, 2 % wait 4 h."""
    step_s: int = 600
    """Ten minutes: position noise of 10 m is then 0.03 kn."""
    max_excursion_s: int = 1800
    """Half an hour above the speed does not end an event (a correction of the position), longer does."""
    min_waiting_share: float = 0.5
    """Most of the time: the ship lay in the anchorage more than it drifted outside."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not all(value > 0 for value in (self.max_speed_kn, self.min_duration_s, self.max_silence_s, self.step_s)):
            raise UsageError(f"loitering: speed, duration, silence and step must be positive, not {self}")
        if not (self.min_shore_m >= 0 and self.max_excursion_s >= 0):
            raise UsageError(f"loitering: min_shore_m and max_excursion_s must not be negative, not {self}")
        if not 0.0 < self.min_waiting_share <= 1.0:
            raise UsageError(f"loitering: min_waiting_share must be over 0 and at most 1, not {self.min_waiting_share}")


NOT_ASKED = -2
"""In place of the row of an anchorage: only the ends of slow steps are looked up."""

EPISODE = np.dtype(
    [
        ("t_ref", "i8"),  # the fix at which the current step began
        ("lat_ref", "f8"),
        ("lon_ref", "f8"),
        ("offset_ref", "i8"),
        ("t_start", "i8"),
        ("t_slow", "i8"),  # end of the last slow step
        ("lat_start", "f8"),
        ("lon_start", "f8"),
        ("lat_slow", "f8"),
        ("lon_slow", "f8"),
        ("first_offset", "i8"),
        ("last_offset", "i8"),
        ("path_m", "f8"),
        ("fast_m", "f8"),  # way of the fast steps since the last slow one
        ("extent_m", "f8"),
        ("dlat_s", "f8"),  # sum of offset from the start x seconds
        ("dlon_s", "f8"),
        ("slow_us", "i8"),
        ("observed_us", "i8"),
        ("waiting_us", "i8"),  # of the observed time, that in known anchorages
        ("lead_us", "i8"),  # by which `anchorage` leads over all others (majority vote by Boyer and Moore)
        ("named_us", "i8"),  # of `waiting_us`, spent in `anchorage` since it leads: with half of it the vote is proven
        ("anchorage", "i4"),
        ("anchorage_ref", "i4"),  # row in which the current step began, -1 none, or NOT_ASKED
        ("mmsi", "u4"),
        ("seen", "i4"),
        ("n", "i4"),
        ("n_step", "i4"),  # fixes of the current step, of the fast steps since the last slow one
        ("n_fast", "i4"),
        ("hull", "u1"),
        ("source_ref", "u2"),
        ("first_source", "u2"),
        ("last_source", "u2"),
        ("going", "u1"),
    ],
    align=True,
)


@inner
def begin_step(s, t, lat, lon, source, offset, anchorage):
    """The next step begins at this fix."""
    s.t_ref, s.lat_ref, s.lon_ref, s.source_ref, s.offset_ref = t, lat, lon, source, offset
    s.anchorage_ref = anchorage
    s.n_step = 0


@inner
def begin_episode(s):
    """A slow step opens an episode at its first fix."""
    s.going, s.t_start, s.t_slow = 1, s.t_ref, s.t_ref
    s.lat_start, s.lon_start, s.first_offset, s.first_source = s.lat_ref, s.lon_ref, s.offset_ref, s.source_ref
    s.path_m, s.fast_m, s.extent_m, s.dlat_s, s.dlon_s = 0.0, 0.0, 0.0, 0.0, 0.0
    s.slow_us, s.observed_us, s.n, s.n_fast = 0, 0, 1, 0
    s.waiting_us, s.lead_us, s.named_us, s.anchorage = 0, 0, 0, -1


@inner
def wait_episode(s, observed_us, anchorage):
    """A slow step, observed for so long, began and ended in known anchorages."""
    s.waiting_us += observed_us
    if anchorage == s.anchorage:
        s.lead_us += observed_us
        s.named_us += observed_us
    elif observed_us > s.lead_us:
        s.anchorage, s.lead_us, s.named_us = anchorage, observed_us - s.lead_us, observed_us
    else:
        s.lead_us -= observed_us


@inner
def grow_episode(s, t, lat, lon, source, offset, way_m, anchorage):
    """A slow step of `way_m` metres that ends at this fix, in the anchorage of this row (-1: in none)."""
    dt = t - s.t_ref
    if anchorage >= 0 and s.anchorage_ref >= 0:
        wait_episode(s, min(dt, OBSERVED_US), anchorage)
    s.path_m += s.fast_m + way_m
    s.fast_m = 0.0
    s.slow_us += dt
    s.observed_us += min(dt, OBSERVED_US)
    s.extent_m = max(s.extent_m, distance_m(s.lat_start, s.lon_start, lat, lon))
    s.dlat_s += (lat - s.lat_start) * dt * 1e-6
    s.dlon_s += wrap_deg(lon - s.lon_start) * dt * 1e-6
    s.t_slow, s.lat_slow, s.lon_slow, s.last_offset, s.last_source = t, lat, lon, offset, source
    s.n += s.n_fast + s.n_step
    s.n_fast = 0


@inner
def close_episode(s, still_open, min_duration_us, max_speed_kn, places, min_waiting_share, event):
    """End the episode at its last slow step: 1 when it was loitering or waiting and stands in `event`, else 0."""
    s.going = 0
    duration = s.t_slow - s.t_start
    if duration < min_duration_us:
        return 0
    speed_kn = s.path_m / (duration * 1e-6) / KN_M_S
    if speed_kn >= max_speed_kn:
        return 0
    share = np.nan if places.cell.size == 1 else s.waiting_us / s.observed_us
    begin_event(event, WAITING if share >= min_waiting_share else LOITERING, s.mmsi, s.hull)
    event.anchorage, event.anchorage_share = s.anchorage if 2 * s.named_us >= s.waiting_us else -1, share
    event.open, event.n = still_open, s.n
    event.t_start, event.t_end = s.t_start, s.t_slow
    event.lat = s.lat_start + s.dlat_s / (s.slow_us * 1e-6)
    event.lon = wrap_deg(s.lon_start + s.dlon_s / (s.slow_us * 1e-6))
    event.lat_end, event.lon_end = s.lat_slow, s.lon_slow
    event.cell = cell_at(event.lat, event.lon, INDEX_RESOLUTION)
    event.score, event.coverage = s.slow_us / duration, s.observed_us / duration
    event.distance_m, event.speed_kn = s.extent_m, speed_kn
    event.first_source, event.first_offset = s.first_source, s.first_offset
    event.last_source, event.last_offset = s.last_source, s.last_offset
    return 1


@kernel
def run(episodes, rows, begin, max_speed_kn, min_duration_us, max_silence_us, step_us, max_excursion_us, places,
        min_waiting_share, out):  # fmt: skip
    """Take rows from `begin` on: (row where it stopped, events written)."""
    events = 0
    for i in range(begin, rows.t.size):
        if events + OUT_ROOM > out.size:
            return i, events
        s = episodes[rows.slot[i]]
        if s.seen == 0:
            s.seen, s.mmsi, s.hull = 1, rows.mmsi[i], rows.hull[i]
            begin_step(s, rows.t[i], rows.lat[i], rows.lon[i], rows.source[i], rows.offset[i], NOT_ASKED)
            continue
        s.n_step += 1
        dt = rows.t[i] - s.t_ref
        if dt < step_us:
            continue
        way_m = distance_m(s.lat_ref, s.lon_ref, rows.lat[i], rows.lon[i])
        here = NOT_ASKED
        if dt > max_silence_us:
            if s.going:
                events += close_episode(s, 0, min_duration_us, max_speed_kn, places, min_waiting_share, out[events])
        elif way_m <= max_speed_kn * KN_M_S * (dt * 1e-6):
            if not s.going:
                begin_episode(s)
            if s.anchorage_ref == NOT_ASKED:
                s.anchorage_ref = anchorage_row(places, s.lat_ref, s.lon_ref)
            here = anchorage_row(places, rows.lat[i], rows.lon[i])
            grow_episode(s, rows.t[i], rows.lat[i], rows.lon[i], rows.source[i], rows.offset[i], way_m, here)
        elif s.going:
            s.fast_m += way_m
            s.n_fast += s.n_step
            if rows.t[i] - s.t_slow > max_excursion_us:
                events += close_episode(s, 0, min_duration_us, max_speed_kn, places, min_waiting_share, out[events])
        begin_step(s, rows.t[i], rows.lat[i], rows.lon[i], rows.source[i], rows.offset[i], here)
    return rows.t.size, events


@kernel
def flush(episodes, now, begin, max_speed_kn, min_duration_us, max_silence_us, places, min_waiting_share, out):
    """Episodes that the end of the input cuts: (slot where it stopped or -1, events written)."""
    events = 0
    for k in range(begin, episodes.size):
        if events + OUT_ROOM > out.size:
            return k, events
        s = episodes[k]
        if s.going:
            still_open = 1 if now - s.t_slow <= max_silence_us else 0
            events += close_episode(
                s, still_open, min_duration_us, max_speed_kn, places, min_waiting_share, out[events]
            )
    return -1, events


class Loitering(Detector):
    """Loitering and waiting of each hull."""

    name = "loitering"
    Params = LoiteringParams
    kinds = ("loitering", "waiting")

    def __init__(self, params: LoiteringParams | None = None) -> None:
        super().__init__(params)
        self.arrays = {"episodes": np.zeros(256, EPISODE).view(np.recarray)}
        self._anchorages = Anchorages()

    def know(self, anchorages: Anchorages) -> None:
        """Tell waiting from loitering by these anchorages."""
        self._anchorages = anchorages

    def params_dict(self) -> dict[str, Any]:
        """The parameters as plain values; `anchorages` is the digest of those that are known."""
        known = self._anchorages.digest if len(self._anchorages) else None
        return {**super().params_dict(), "anchorages": known}

    def reserve(self, slots: int) -> None:
        """Make room for `slots` hulls."""
        self.arrays["episodes"] = grown(self.arrays["episodes"], slots)

    def run(self, columns: Columns, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """Rows from `begin` on: (the row where it stopped, events written to `out`)."""
        p = self.params
        stopped, events = run(
            self.arrays["episodes"],
            columns,
            begin,
            p.max_speed_kn,
            p.min_duration_s * 1_000_000,
            p.max_silence_s * 1_000_000,
            p.step_s * 1_000_000,
            p.max_excursion_s * 1_000_000,
            self._anchorages.table,
            p.min_waiting_share,
            out,
        )
        return int(stopped), int(events)

    def flush(self, now: int, alive: int, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """Episodes that are still going on, or were cut, at `now`."""
        p = self.params
        stopped, events = flush(
            self.arrays["episodes"],
            now,
            begin,
            p.max_speed_kn,
            p.min_duration_s * 1_000_000,
            p.max_silence_s * 1_000_000,
            self._anchorages.table,
            p.min_waiting_share,
            out,
        )
        return int(stopped), int(events)
