"""What a simulated world says that its ships did, and which of that anybody could see.

A scripted event is *hidden* when the input cannot show it by the definitions of the detectors; otherwise it is
*identifiable*. The rule looks at the truth and at what was heard, never at what a detector found:

* loitering: in the middle of its way nearer to shore than 20 nmi, shorter than 4 h, or never heard for 4 h in one
  stretch, which a silence of more than `LoiteringParams.max_silence_s` ends (silence is never behaviour);
* dark: not longer than 6 h within the time of the world, fewer than 3 fixes before it, or the ship would have been
  heard fewer than 9 times if it had kept on sending (the same voyage is simulated again with the transponder on);
* rendezvous: nearer to shore than 10 km, shorter than 2 h, or the two ships never heard at once for 2 h in one
  stretch, which a silence of more than `RendezvousParams.max_interpolation_s` ends;
* port call: shorter than 1 h, or heard fewer than 2 times while the ship lay there.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.matching import Span

if TYPE_CHECKING:
    from ais.table import Fixes

SCORED = ("loitering", "dark", "rendezvous", "port_call")
HOUR_US = 3_600_000_000
LEAST_MESSAGES = 9
"""Of 9 messages expected none comes by chance once in 8,000 times (Poisson)."""


class Scripted(NamedTuple):
    """One row of truth.csv; times in µs since 1970 UTC."""

    kind: str
    mmsi: int
    other: int
    t_start: int
    t_end: int
    lat: float
    lon: float
    note: str

    @property
    def span(self) -> Span:
        """For matching: the vessel, or the pair."""
        return Span((self.mmsi, self.other) if self.kind == "rendezvous" else self.mmsi, self.t_start, self.t_end)

    @property
    def hours(self) -> float:
        """Duration."""
        return (self.t_end - self.t_start) / HOUR_US


def read_truth(path: Path) -> list[Scripted]:
    """The rows of truth.csv in their order."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Scripted(
                row["kind"],
                int(row["mmsi"]),
                int(row["other"] or 0),
                _micros(row["t_start"]),
                _micros(row["t_end"]),
                float(row["lat"]),
                float(row["lon"]),
                row["note"],
            )
            for row in csv.DictReader(file)
        ]


def _micros(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * 1_000_000


def stretches(times: NDArray[np.int64], max_silence_h: float) -> list[tuple[int, int]]:
    """From when to when a ship was heard without a longer silence.

    >>> stretches(np.array([0, 1, 2, 9, 10]) * HOUR_US, 3.0) == [(0, 2 * HOUR_US), (9 * HOUR_US, 10 * HOUR_US)]
    True
    """
    if times.size == 0:
        return []
    breaks = np.flatnonzero(np.diff(times) > max_silence_h * HOUR_US)
    starts, ends = np.r_[0, breaks + 1], np.r_[breaks, times.size - 1]
    return [(int(times[a]), int(times[b])) for a, b in zip(starts, ends, strict=True)]


class Heard:
    """The times at which each ship was heard (usable fixes only)."""

    def __init__(self, fixes: Fixes) -> None:
        from ais.status import OK

        usable = fixes["status"] == OK
        order = np.lexsort((fixes["t"][usable], fixes["mmsi"][usable]))
        self._mmsi, self._t = fixes["mmsi"][usable][order], fixes["t"][usable][order]

    def times(self, mmsi: int, t_from: int, t_to: int) -> NDArray[np.int64]:
        """Times of the ship's fixes from `t_from` to `t_to`, both included."""
        first, last = (
            np.searchsorted(self._mmsi, np.uint32(mmsi), "left"),
            np.searchsorted(self._mmsi, np.uint32(mmsi), "right"),
        )
        own = self._t[first:last]
        begin, end = np.searchsorted(own, t_from, "left"), np.searchsorted(own, t_to, "right")
        return np.asarray(own[begin:end], np.int64)

    def longest_h(self, ships: Sequence[int], t_from: int, t_to: int, max_silence_h: float) -> float:
        """Hours of the longest stretch in which all the ships were heard without a longer silence."""
        common = [(t_from, t_to)]
        for mmsi in ships:
            own = stretches(self.times(mmsi, t_from, t_to), max_silence_h)
            common = [(max(a, c), min(b, d)) for a, b in common for c, d in own if max(a, c) < min(b, d)]
        return max(((b - a) / HOUR_US for a, b in common), default=0.0)


def would_hear(seed: int, vessels: int, days: float, scenario: str | Path = "world") -> dict[tuple[int, int], int]:
    """How often each dark ship would have been heard while it was dark: (mmsi, start in s) to number of positions.

    The ships of the world are made again with the same seed, and only those that go dark are let through the same
    reception, with their transponders on.
    """
    from luxwake.simulate.broadcast import Air
    from luxwake.simulate.scenario import networks, read, ships

    case = read(scenario, seed=seed, days=days)
    ashore, aloft, _ = networks(case)
    air, spans = Air(ashore, aloft, case.seed), []
    for group in ships(case, vessels=vessels):
        for ship in group:
            if ship.darks:
                spans += [
                    (row.mmsi, row.t_start, min(row.t_end, case.t_end)) for row in ship.truth if row.kind == "dark"
                ]
                ship.darks.clear()
                air.add([ship], case.t_end)
    chunks, _ = air.finish()
    heard = {name: np.concatenate([c[name] for c in chunks] or [np.zeros(0)]) for name in ("mmsi", "epoch", "msg_type")}
    position = (heard["msg_type"] != 5) & (heard["msg_type"] != 24)
    return {
        (mmsi, int(start)): int(
            np.count_nonzero(position & (heard["mmsi"] == mmsi) & (heard["epoch"] > start) & (heard["epoch"] < end))
        )
        for mmsi, start, end in spans
    }


def why_hidden(row: Scripted, heard: Heard, shore_m: float, would: Mapping[tuple[int, int], int]) -> str:
    """Why the input cannot show this event, in words; empty where it can."""
    from detectors.loitering import LoiteringParams
    from detectors.rendezvous import RendezvousParams

    if row.kind == "loitering":
        if shore_m < 20 * 1852.0:
            return "nearer to shore than 20 nmi"
        if row.hours < 4.0:
            return "shorter than 4 h"
        if heard.longest_h([row.mmsi], row.t_start, row.t_end, LoiteringParams().max_silence_s / 3600) < 4.0:
            return "not heard for 4 h in one stretch"
    elif row.kind == "dark":
        if row.hours <= 6.0:
            return "not longer than 6 h within the world's time"
        if heard.times(row.mmsi, 0, row.t_start).size < 3:
            return "heard fewer than 3 times before"
        if would.get((row.mmsi, row.t_start // 1_000_000), 0) < LEAST_MESSAGES:
            return f"would have been heard fewer than {LEAST_MESSAGES} times while sending"
    elif row.kind == "rendezvous":
        if shore_m < 10_000.0:
            return "nearer to shore than 10 km"
        if row.hours < 2.0:
            return "shorter than 2 h"
        silence_h = RendezvousParams().max_interpolation_s / 3600
        if heard.longest_h([row.mmsi, row.other], row.t_start, row.t_end, silence_h) < 2.0:
            return "both not heard for 2 h in one stretch"
    elif row.kind == "port_call":
        if row.hours < 1.0:
            return "shorter than 1 h"
        if heard.times(row.mmsi, row.t_start, row.t_end).size < 2:
            return "heard fewer than 2 times in port"
    return ""


def shore_distances(rows: Sequence[Scripted]) -> Any:
    """Distance to the nearest shore of each row's place, in m."""
    from geo.coast import shore_distance_m

    return shore_distance_m(np.array([row.lat for row in rows]), np.array([row.lon for row in rows]))
