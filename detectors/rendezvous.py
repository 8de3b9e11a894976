"""Rendezvous: two ships stay close to each other, slowly, for hours, away from shore.

After Global Fishing Watch's encounters (at most 500 m, at least 2 h, under 2 kn, 10 km from shore), without their
calendar and caps. The motion between two fixes of a slow ship is sampled every `step_s` seconds of event time; ships
whose samples of one instant lie in the same H3 cell or in neighbouring ones are compared, however many there are.
Between samples the motion is continuous: the moments at which the distance falls below and rises above the limit are
solved from the relative velocity. Nothing is extrapolated beyond a fix, and no fixes more than `max_interpolation_s`
apart are joined: silence is never behaviour. `coverage` is the share of the event's time that is sampled, `score` =
coverage x (1 - mean distance / limit), `distance_m` the least distance of the samples, `speed_kn` the mean speed of
both ships.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.detector import Columns, Detector, grown
from detectors.meeting import INSTANT, MOVER, PAIR, ROOM, SAMPLE, Limits, rebuild_pairs, rebuild_samples
from detectors.meeting import flush as flush_pairs
from detectors.meeting import run as run_pairs
from geo.coast import shore_table
from geo.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class RendezvousParams:
    """Thresholds of a rendezvous."""

    max_distance_m: float = 500.0
    """GFW: 500 m. At most 1,000 m: a cell of resolution 7 and its neighbours hold every point within that distance."""
    min_duration_s: int = 2 * 3600
    """GFW: 2 h."""
    max_speed_kn: float = 2.0
    """GFW: median speed under 2 kn; here the mean of both ships."""
    min_shore_m: float = 10_000.0
    """GFW: 10 km from port and off the shore, so that harbours and berths do not count; 0 looks everywhere."""
    max_interpolation_s: int = 3 * 3600
    """GFW: 1 h, and 39 of 100 four-hour meetings found at a mean interval of 30 min; with 3 h 85 of 100 (measured)."""
    max_break_s: int = 3600
    """Apart for longer, and it is another meeting (GFW joins over 4 h)."""
    step_s: int = 300
    """Five minutes of event time; GFW samples every ten."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not 0.0 < self.max_distance_m <= 1_000.0:
            raise UsageError(
                f"rendezvous: max_distance_m must be above 0 and at most 1,000 m, not {self.max_distance_m}"
            )
        if min(self.min_duration_s, self.max_speed_kn, self.step_s) <= 0 or self.min_shore_m < 0:
            raise UsageError(f"rendezvous: durations, speeds and distances must be positive, not {self}")
        if self.max_interpolation_s < self.step_s or self.max_break_s < self.step_s:
            raise UsageError(f"rendezvous: max_interpolation_s and max_break_s must be at least step_s, not {self}")


class Rendezvous(Detector):
    """Rendezvous of all pairs of hulls."""

    name = "rendezvous"
    Params = RendezvousParams
    kinds = ("rendezvous",)

    def __init__(self, params: RendezvousParams | None = None) -> None:
        super().__init__(params)
        p = self.params
        self._shore = shore_table()
        instants = 1 << (p.max_interpolation_s // p.step_s + 2).bit_length()
        self.arrays = {
            "movers": np.zeros(256, MOVER).view(np.recarray),
            "disks": np.zeros((256, 7), np.uint64),
            "instants": np.zeros(instants, INSTANT).view(np.recarray),
            "samples": np.zeros((instants, 256), SAMPLE).view(np.recarray),
            "heads": np.full((instants, 1024), -1, np.int32),
            "pairs": np.zeros(1024, PAIR).view(np.recarray),
            "used": np.zeros(2, np.int64),  # places taken in `pairs`, and the instant of the last sweep
        }

    def reserve(self, slots: int) -> None:
        """Make room for `slots` hulls."""
        self.arrays["movers"] = grown(self.arrays["movers"], slots)
        self.arrays["disks"] = grown(self.arrays["disks"], slots)

    def make_room(self) -> None:
        """Grow the samples of an instant when one is nearly full, the pairs when half full, and the room for events."""
        a = self.arrays
        samples = a["samples"]
        fullest = int(a["instants"]["n"].max())
        if fullest + ROOM > samples.shape[1]:
            bigger = np.zeros((samples.shape[0], 2 * samples.shape[1]), SAMPLE).view(np.recarray)
            bigger[:, : samples.shape[1]] = samples
            heads = np.full((samples.shape[0], 2 * a["heads"].shape[1]), -1, np.int32)
            rebuild_samples(a["instants"], bigger, heads)
            a["samples"], a["heads"] = bigger, heads
        if 2 * (int(a["used"][0]) + fullest + ROOM) > a["pairs"].size:
            live = int(np.count_nonzero(a["pairs"]["n"]))
            size = 1 << (4 * (live + fullest + ROOM)).bit_length()
            pairs = np.zeros(size, PAIR).view(np.recarray)
            a["used"][0] = rebuild_pairs(a["pairs"], pairs)
            a["pairs"] = pairs
        self._out = grown(self._out, fullest + ROOM)

    def _limits(self) -> Limits:
        p = self.params
        return Limits(
            float(p.max_distance_m),
            p.min_duration_s * 1_000_000,
            float(p.max_speed_kn),
            p.max_interpolation_s * 1_000_000,
            p.max_break_s * 1_000_000,
            p.step_s * 1_000_000,
            float(p.min_shore_m),
        )

    def run(self, columns: Columns, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """Rows from `begin` on: (the row where it stopped, events written to `out`)."""
        a = self.arrays
        stopped, events = run_pairs(
            a["movers"], a["disks"], a["instants"], a["samples"], a["heads"], a["pairs"], a["used"],
            columns, begin, self._limits(), self._shore, out,
        )  # fmt: skip
        return int(stopped), int(events)

    def flush(self, now: int, alive: int, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """Meetings that the end of the input cuts."""
        a = self.arrays
        stopped, events = flush_pairs(a["movers"], a["pairs"], now, begin, self._limits(), out)
        return int(stopped), int(events)
