"""The bound on what an engine holds: who is let go, how many rows may wait, and the formula of the memory.

Of `max_vessels` hulls, N, rounded up to a power of two (R), the arrays take at most, in bytes:

| what | bytes |
|---|---|
| hulls, their table, candidates, hulls that were let go | 120 (N + 1) + 8 R + 16 R + 30 N |
| rows that wait | 52 x 8 N; where there is a file for them, 52 x 131,072 |
| a detector of one hull at a time | its state x R, and its part x (N + 1) |
| `dark`: reception | 64 R; cells 32 x 4 R; cells around 26 M |
| `rendezvous` | 40 R; 74 bins of N/16 ways, 72 bytes each, and their heads; 1.5 N/8 + N/16 pairs, 240 bytes each |
| `false_position` | 72 R; N/8 cases, 208 bytes each; stays of N/8 MMSIs, 64 bytes each, half of the places in use |

The ways lie in a file where there is a folder for it. `most_bytes` says it exactly, by holder. What finds no room is
not kept, and counted (`Engine.beyond_bounds`). Beside it a call needs room for its own rows and for the events that it
returns; letting go takes a copy of one detector's arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.admission import CANDIDATE, FREE_SHARE, GONE, LEFT_OPEN, with_watched
from ais.hulls import HULL
from ais.table import NAT
from ais.tracks import Tracks
from detectors.detector import Detector, rounded_up
from detectors.event import LET_GO
from detectors.pending import MOST_HELD, Pending
from geo.errors import UsageError

FEWEST_VESSELS, MOST_VESSELS = 16, 1 << 24
"""The least that may be asked for, and the most: slots are numbers of four bytes, and a hull takes 2.5 kB."""
FEWEST_HULLS = 1024
"""Rows of the table of hulls at first."""
WAITING_ROWS, FEWEST_WAITING = 8, 1 << 16
"""Rows that may wait, for each vessel of `max_vessels`, and at least. 8 x 262,144 are the world's AIS (20,000 messages
a second at most) of 105 s."""
RELEASED_SHARE = 16
"""When more wait than may, this part of the most goes on at once, so that not every call has to look for the oldest."""


class Bound:
    """The bound of one engine: its tracks and detectors hold `max_vessels` hulls at most, None any number."""

    def __init__(self, max_vessels: int | None, tracks: Tracks, detectors: Sequence[Detector]) -> None:
        self.max_vessels = max_vessels
        self._tracks, self._detectors = tracks, detectors
        if max_vessels is None:
            return
        for detector in detectors:
            if not detector.by_slot:
                raise UsageError(
                    f"max_vessels: detector {detector.name!r} cannot let go of vessels, as it does not say which of "
                    "its arrays have a row for each hull (`by_slot`); leave it out, or run without max_vessels"
                )
            detector.bound(max_vessels)

    def watch(self, mmsis: Sequence[int] | NDArray[Any]) -> None:
        """These MMSIs get a place at once, and are never let go."""
        given = np.unique(np.asarray(mmsis, np.int64))
        if given.size and not 0 <= given[0] <= given[-1] <= 999_999_999:
            wrong = given[0] if given[0] < 0 else given[-1]
            raise UsageError(f"watched: {wrong} is no MMSI; give numbers of nine digits")
        if self.max_vessels is not None and 2 * given.size > self.max_vessels:
            raise UsageError(
                f"watched: {given.size:,} MMSIs are more than half of max_vessels ({self.max_vessels:,}); raise that"
            )
        self._tracks.gate = with_watched(self._tracks.gate, given.astype(np.uint32))

    def make_room(self, now: int, alive: int, each: Callable[[Any], list[NDArray[Any]]]) -> list[NDArray[Any]]:
        """Let go of vessels: the events that they leave, those that go on with `open` `LET_GO`.

        `each` does a work on every detector.
        """
        kept = self._tracks.to_keep(now)
        hulls = self._tracks.hulls
        if kept.size == int(hulls.used[0]):
            return []
        found = each(lambda detector: detector.let_go(kept, now, alive))
        self._tracks.keep(kept)
        for detector in self._detectors:
            detector.reserve(hulls.rows[: kept.size])
        for records in found:
            records["open"] *= LET_GO
            self._tracks.gate.clocks[LEFT_OPEN] += np.count_nonzero(records["open"])
        return found

    def earliest_to_wait(self, pending: Pending) -> int:
        """From which time on rows may wait; NAT where all may."""
        most = self.most_waiting
        if most is None or pending.size <= most:
            return NAT
        return pending.earliest(pending.size - most + most // RELEASED_SHARE) + 1

    def told_hulls(self) -> NDArray[Any]:
        """The hulls of which tables tell: those that are followed, and others that were let go not long ago."""
        hulls, gone = self._tracks.hulls, self._tracks.gone
        rows = hulls.rows[: int(hulls.used[0])]
        return np.concatenate([rows, gone[~np.isin(gone["mmsi"], rows["mmsi"])]]) if gone.size else rows

    def counts(self) -> dict[str, int]:
        """What the bound cost so far, by what it was."""
        clocks = self._tracks.gate.clocks
        found = {"vessels let go": int(clocks[GONE]), "events left open by vessels let go": int(clocks[LEFT_OPEN])}
        for detector in self._detectors:
            found |= detector.left_out()
        return {words: n for words, n in found.items() if n}

    def most_bytes(self, row_bytes: int, has_file: bool) -> dict[str, int]:
        """Bytes of all arrays at most, by holder; `row_bytes` are those of a row that waits, in a file or not."""
        n, waiting = self.max_vessels, self.most_waiting
        if n is None or waiting is None:
            raise UsageError("most_bytes: without max_vessels there is no bound; give it, e.g. 262144")
        rows = max(FEWEST_HULLS, n + 1)
        table = 4 * (1 << (2 * rows - 3).bit_length())
        gate = rounded_up(n) * CANDIDATE.itemsize + n // FREE_SHARE * HULL.itemsize
        gate += self._tracks.gate.clocks.nbytes + self._tracks.hulls.used.nbytes
        waiting = min(waiting, MOST_HELD) if has_file else waiting
        own = {"hulls": rows * HULL.itemsize + table + gate, "rows that wait": waiting * row_bytes}
        return own | {detector.name: detector.most_bytes(n) for detector in self._detectors}

    @property
    def most_waiting(self) -> int | None:
        """How many rows may wait; None for any number."""
        return None if self.max_vessels is None else max(FEWEST_WAITING, WAITING_ROWS * self.max_vessels)
