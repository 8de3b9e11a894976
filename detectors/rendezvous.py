"""Rendezvous: two ships stay close to each other, slowly, for hours, away from shore.

In the words of an analyst. Between two fixes a ship moves as `detectors.motion` says: straight, or at rest for a part
of the time and under way for the other, by the speeds that it reports. Two ships are *together* while their antennas
are within `max_distance_m`, and where a drift was not seen, so much more as both may be off their lines (at most as
much again); the moments at which they come close and part are solved on that motion. A meeting lasts from the first to
the last such moment, as long as no break is longer than `max_break_s`; it is a rendezvous when the time together
(breaks not counted) is `min_duration_s` or more and half of the whole or more (two ferries that lie side by side for
minutes at a time meet often, and not for hours), and their mean speed under `max_speed_kn`. Every pair counts, however
many neighbours a ship has, and nothing happens at midnight. A stop that no fix shows is not assumed: a ship must report
a low speed, or be found nearly in the same place; and no fixes more than `max_interpolation_s` apart are joined.

`start_error_s` and `end_error_s` say how well the moments are known (90 %); NaN means that a ship was first or last
heard there, together with the other already. `score` is the chance that the definition holds: the share of the time
together for which they were within the distance (normal errors of position: 20 m, and more where a drift was not seen)
times the chance that it was long enough (normal errors of start and end). `coverage` is the share of the time together
that lies within ways of an hour or less between fixes; of a longer way one hour counts. `distance_m` is the least
distance.

`label` says what a meeting probably is (`detectors.meeting_labels`). A label hides nothing and lowers no score: the
score tells whether they met, the label why they may have.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ais.hulls import new_places
from detectors.detector import FEWEST_HULLS, Columns, Detector, Known, grown, only
from detectors.event import RENDEZVOUS, joined_events
from detectors.meeting import BIN, LOST, ROOM, TAKEN, Limits, rebuild_pairs, rebuild_pieces
from detectors.meeting import flush as flush_pairs
from detectors.meeting import run as run_pairs
from detectors.meeting_labels import label_meetings
from detectors.meeting_slots import keep_pieces, part_pairs
from detectors.motion import SLOW_KN
from detectors.pair import FACTS, PAIR
from detectors.piece import MOVER, PIECE
from detectors.squares import columns_within
from geo.anchorages import Anchorages
from geo.coast import shore_table
from geo.errors import UsageError
from geo.sphere import KN_M_S

FASTEST_KN = 45.0
"""No way that needs more speed is looked at, whatever `max_speed_kn` is: faster than any ferry."""
MOST_REACH_M = 48_000.0
"""Farther, and too many ships are within reach of one another."""
MOST_STEP_S = 3600
"""Times within a step are kept in four bytes."""
FEWEST_PAIRS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class RendezvousParams:
    """Thresholds of a rendezvous; the defaults are our own, `preset` has those of others."""

    max_distance_m: float = 500.0
    """GFW: 500 m, between antennas. At most 1,000 m."""
    min_duration_s: int = 2 * 3600
    """GFW: 2 h."""
    near_distance_m: float = 0.0
    """A meeting also counts when they stay within this distance for `near_duration_s`; 0: no such rule."""
    near_duration_s: int = 600
    """Starboard: 10 min within 50 m."""
    max_speed_kn: float = 2.0
    """GFW: median speed under 2 kn; here the mean of both ships. Ships that go faster than 1.5 times this, or report
    more than 3 kn at both fixes and go as fast, are not looked at."""
    min_shore_m: float = 10_000.0
    """GFW: 10 km from port and off the shore, so that harbours and berths do not count; 0 looks everywhere."""
    max_interpolation_s: int = 6 * 3600
    """Longer silences are gaps (`detectors.dark`). GFW: 1 h; at a mean interval of 60 min a fifth of the time lies in
    intervals of more than 3 h, a fiftieth in those of more than 6 h."""
    max_break_s: int = 3600
    """Apart for longer, and it is another meeting (GFW joins over 4 h)."""
    step_s: int = 300
    """Fixes nearer in time than this to the last that counted are passed over; GFW samples every ten minutes. At most
    3,600, and less where the greatest speed would lead too far in a step."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not 0.0 < self.max_distance_m <= 1_000.0:
            raise UsageError(
                f"rendezvous: max_distance_m must be above 0 and at most 1,000 m, not {self.max_distance_m}"
            )
        if not 0.0 <= self.near_distance_m <= self.max_distance_m:
            raise UsageError(
                f"rendezvous: near_distance_m must be from 0 to max_distance_m ({self.max_distance_m} m), "
                f"not {self.near_distance_m}"
            )
        if min(self.min_duration_s, self.near_duration_s, self.step_s) <= 0 or self.min_shore_m < 0:
            raise UsageError(f"rendezvous: durations, speeds and distances must be positive, not {self}")
        if not self.max_speed_kn > 0.0:
            raise UsageError(f"rendezvous: max_speed_kn must be positive, not {self.max_speed_kn}")
        if self.step_s > MOST_STEP_S:
            raise UsageError(f"rendezvous: step_s must be at most {MOST_STEP_S:,} s, not {self.step_s}")
        if self.max_interpolation_s < self.step_s or self.max_break_s < self.step_s:
            raise UsageError(f"rendezvous: max_interpolation_s and max_break_s must be at least step_s, not {self}")
        if self.reach_m > MOST_REACH_M:
            raise UsageError(
                f"rendezvous: step_s must be shorter than {self.step_s} s at a speed of {self.fastest_kn:g} kn; "
                "take 300 or less"
            )

    @property
    def fastest_kn(self) -> float:
        """Speed of the fastest way between two fixes that is looked at."""
        return min(FASTEST_KN, SLOW_KN / 2.0 * self.max_speed_kn)

    @property
    def reach_m(self) -> float:
        """Two ways that come close within a step have their middles within this distance."""
        return 2.0 * self.max_distance_m + self.fastest_kn * KN_M_S * self.step_s

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Self:
        """The published definition of another system, as far as it can be said in these parameters.

        `gfw`: Global Fishing Watch, encounters (Miller et al. 2018; pipe-encounters 4.4.0): 500 m, 2 h, under 2 kn,
        10 km from shore and port (here: shore), no way of an hour or more between fixes, meetings joined over 4 h, ten
        minutes a step. Not taken over: the cut at midnight, at most 100 neighbours, the median of one ship's speed.

        `skylight`: Skylight (AI2), standard rendezvous: within 250 m for more than 30 min, no speed, no shore named;
        interpolation, break (ten minutes) and step are not published, and ours.

        `starboard`: Starboard Maritime Intelligence, encounters: under 50 m for 10 min or under 200 m for 30 min, not
        within 10 km of the shore; no speed; interpolation and break are not published: an hour, and ten minutes.

        `changes` are parameters to set otherwise.

        >>> RendezvousParams.preset("starboard").near_distance_m
        50.0
        """
        presets = {
            "gfw": cls(max_interpolation_s=3600, max_break_s=4 * 3600, step_s=600),
            "skylight": cls(
                max_distance_m=250.0, min_duration_s=1800, max_speed_kn=30.0, min_shore_m=0.0, max_break_s=600,
                step_s=60,
            ),
            "starboard": cls(
                max_distance_m=200.0, min_duration_s=1800, near_distance_m=50.0, near_duration_s=600,
                max_speed_kn=30.0, max_interpolation_s=3600, max_break_s=600, step_s=60,
            ),
        }  # fmt: skip
        if name not in presets:
            raise UsageError(f"rendezvous: no preset {name!r}; there are {', '.join(presets)}")
        return replace(presets[name], **changes)


class Rendezvous(Detector):
    """Rendezvous of all pairs of hulls."""

    name = "rendezvous"
    Params = RendezvousParams
    kinds = ("rendezvous",)
    facts = FACTS
    by_slot = ("movers",)
    flush_changes = ("pairs", "used")
    seldom = ("pieces", "heads")

    def __init__(self, params: RendezvousParams | None = None) -> None:
        super().__init__(params)
        p = self.params
        self._shore = shore_table()
        self._anchorages = Anchorages()
        self._columns = columns_within(p.reach_m)
        n = p.max_interpolation_s // p.step_s + 2
        self.arrays = {
            "movers": np.zeros(FEWEST_HULLS, MOVER).view(np.recarray),
            "bins": np.zeros(n, BIN).view(np.recarray),
            "pieces": np.zeros((n, 2 * ROOM), PIECE).view(np.recarray),
            "heads": np.full((n, 256), -1, np.int32),
            "pairs": np.zeros(FEWEST_PAIRS, PAIR).view(np.recarray),
            "table": np.full(2048, -1, np.int32),
            "used": np.zeros(5, np.int64),  # TAKEN, SWEPT, DONE, LIVE, LOST
        }

    def know(self, anchorages: Anchorages) -> None:
        """Tell neighbours at anchor by these anchorages."""
        self._anchorages = anchorages

    def reserve(self, ships: NDArray[Any]) -> None:
        """Make room for these hulls."""
        super().reserve(ships)
        self.arrays["movers"] = grown(self.arrays["movers"], ships.size)

    def make_room(self) -> None:
        """Grow the pieces of a bin when one is nearly full, the pairs when they are, and the room for events."""
        a = self.arrays
        pieces, (most, _) = a["pieces"], self._most()
        fullest = int(a["bins"]["n"].max())
        if fullest + ROOM > pieces.shape[1]:
            width = min(fullest + fullest // 8, most) + 2 * ROOM  # not twice: these are most of the state
            bigger = self.zeros("pieces", (pieces.shape[0], width), PIECE)
            for k, n in enumerate(a["bins"]["n"].tolist()):  # of a bin that was never full the pages stay untouched
                bigger[k, :n] = pieces[k, :n]
            heads = self.zeros("heads", (pieces.shape[0], 1 << width.bit_length()), np.dtype(np.int32))
            heads[:] = -1
            rebuild_pieces(a["bins"], bigger, heads, self._columns)
            a["pieces"], a["heads"] = bigger, heads
            self.leave()
        if int(a["used"][TAKEN]) + fullest + ROOM > a["pairs"].size:
            self._rebuild_pairs(fullest)
        self._out = grown(self._out, fullest + ROOM)

    def _rebuild_pairs(self, fullest: int) -> None:
        """Leave out the pairs that have parted, and make room for what one piece can meet."""
        a = self.arrays
        live = int(np.count_nonzero(a["pairs"]["n"][: a["used"][TAKEN]]))
        size = max(FEWEST_PAIRS, live + live // 2 + fullest + 4 * ROOM)
        pairs = np.zeros(size, PAIR).view(np.recarray)
        table = np.full(1 << (2 * size).bit_length(), -1, np.int32)
        a["used"][TAKEN] = rebuild_pairs(a["pairs"], a["used"][TAKEN], pairs, table)
        a["pairs"], a["table"] = pairs, table

    def _most(self) -> tuple[int, int]:
        """Pieces of a bin, and pairs, at most: one for sixteen hulls, one for eight."""
        n = self.max_vessels
        return (1 << 62, 1 << 62) if n is None else (max(FEWEST_PAIRS, n // 16), max(FEWEST_PAIRS, n // 8))

    def let_go(self, kept: NDArray[np.intp], now: int, alive: int) -> NDArray[Any]:
        """Let go of all hulls but those in these slots; their meetings are told."""
        a, found, k = self.arrays, [], 0
        place = new_places(self.ships.size, kept)
        while k >= 0:
            k, events = part_pairs(a["pairs"], a["used"], place, now, k, self._limits(), self._out)
            found.append(self._out[:events].copy())
        keep_pieces(a["bins"], a["pieces"], place)
        a["heads"][:] = -1
        rebuild_pieces(a["bins"], a["pieces"], a["heads"], self._columns)
        self._rebuild_pairs(int(a["bins"]["n"].max()))
        a["movers"] = only(a["movers"], kept)
        return joined_events(*found)

    def most_bytes(self, max_vessels: int) -> int:
        """Bytes of all arrays at most, without those in files: of a bin a piece for sixteen hulls, of pairs one for
        eight."""
        most, pairs = max(FEWEST_PAIRS, max_vessels // 16), max(FEWEST_PAIRS, max_vessels // 8)
        width, size = most + 2 * ROOM, pairs + pairs // 2 + most + 4 * ROOM
        of_bin = width * PIECE.itemsize + 4 * (1 << width.bit_length()) if self.folder is None else 0
        of_pairs = size * PAIR.itemsize + 4 * (1 << (2 * size).bit_length())
        bins = self.arrays["bins"]
        own = bins.nbytes + bins.size * of_bin + of_pairs + self.arrays["used"].nbytes
        return super().most_bytes(max_vessels) + own

    def left_out(self) -> dict[str, int]:
        """Pieces of ways and pairs that found no room."""
        return {"ways and pairs of slow ships that found no room": int(self.arrays["used"][LOST])}

    def _limits(self) -> Limits:
        p = self.params
        return Limits(
            float(p.max_distance_m),
            p.min_duration_s * 1_000_000,
            float(p.near_distance_m),
            p.near_duration_s * 1_000_000,
            float(p.max_speed_kn),
            float(p.fastest_kn),
            p.max_interpolation_s * 1_000_000,
            p.max_break_s * 1_000_000,
            p.step_s * 1_000_000,
            float(p.min_shore_m),
            float(p.reach_m),
            *self._most(),
            self.ships,
        )

    def run(self, columns: Columns, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """Rows from `begin` on: (the row where it stopped, events written to `out`)."""
        a = self.arrays
        stopped, events = run_pairs(
            a["movers"], self._columns, a["bins"], a["pieces"], a["heads"], a["pairs"], a["table"], a["used"],
            columns, begin, self._limits(), self._shore, out,
        )  # fmt: skip
        return int(stopped), int(events)

    def flush(self, now: int, alive: int, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """Meetings that the end of the input cuts."""
        a = self.arrays
        stopped, events = flush_pairs(a["pairs"], a["used"], now, begin, self._limits(), out)
        return int(stopped), int(events)

    def settle_each(self, records: NDArray[Any], known: Known) -> NDArray[Any]:
        """The gap between the hulls, and the label of each meeting."""
        own = records["kind"] == RENDEZVOUS
        return joined_events(records[~own], label_meetings(records[own], known, self._anchorages))
