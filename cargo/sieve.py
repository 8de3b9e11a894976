"""Which chains can be findings: told from columns, so that only those few are written out and scored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ais.table import NAT
from cargo.carriage import Carriages
from cargo.carriage_kernel import DISCHARGED, LATE_DAYS, VETOES, VOYAGE_DAYS
from cargo.chain import Chains
from cargo.leg import DAY_US
from cargo.voyage import ANSWERS, NAMED_LEAST, UNNAMED_LEAST
from detectors.event import DARK, LOITERING, RENDEZVOUS, WAITING, Events

_FOLLOWED = 0.25
"""Least probability of a ship that may be taken as the carrier: one ship may have been heard under three MMSIs."""
_LONG_SAILED_DAYS = 7
"""A call so long after the declared departure is none at the load port, by no claim of the papers."""
_EPOCH_US = int(np.datetime64("1970-01-01", "us").astype(np.int64))
CONFIRMED = "all declared ports confirmed by calls"
NOT_IDENTIFIED = "no ship identified"
NOT_CONFIRMED = "nothing on record against it, arrival not confirmed"
PARTLY_IDENTIFIED = "nothing on record against it, some ships not identified"


class _Happenings:
    """When each ship did what makes a case: its events by start, with the latest end so far."""

    def __init__(
        self, events: Events, mmsi: NDArray[np.uint32], min_score: float, kinds: Sequence[int] = (RENDEZVOUS, LOITERING)
    ) -> None:
        if not len(events):
            self._key, self._latest = np.zeros(0, np.int64), np.zeros(0, np.int64)
            return
        silent = (events["kind"] == DARK) & ~(events["score"] < min_score)
        rows = np.flatnonzero(silent | np.isin(events["kind"], kinds))
        paired = rows[(events["kind"][rows] == RENDEZVOUS) & (events["other"][rows] != 0)]
        who = np.concatenate([events["mmsi"][rows], events["other"][paired]])
        rows = np.concatenate([rows, paired])
        ship = np.minimum(np.searchsorted(mmsi, who), max(0, mmsi.size - 1))
        known = mmsi[ship] == who if mmsi.size else np.zeros(rows.size, np.bool_)
        ship, rows = ship[known], rows[known]
        key = _key(ship, events["t_start"][rows])
        order = np.argsort(key, kind="stable")
        self._key = key[order]
        ends = _key(ship, events["t_end"][rows])[order]
        self._latest = np.maximum.accumulate(ends) if ends.size else ends

    def within(self, ship: NDArray[np.int64], t_from: NDArray[np.int64], t_to: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether a ship did any such thing from one time to another."""
        if not self._key.size:
            return np.zeros(ship.size, np.bool_)
        at = np.searchsorted(self._key, _key(ship, t_to), side="right") - 1
        found: NDArray[np.bool_] = (at >= 0) & (self._latest[np.maximum(at, 0)] >= _key(ship, t_from))
        return found


def _quiet(
    events: Events, chains: Chains, legs: NDArray[np.int64], carriages: Carriages, min_score: float
) -> NDArray[np.bool_]:
    """The legs of which one ship alone can be the carrier, that called where it was declared to, and until then did
    nothing: what it did later, with other goods, is not asked."""
    table, out = chains.table, carriages.out
    named = (table.ship > 0) | (table.mmsi > 0) | (table.imo_text > 0)
    bits = out.bits[:, 0]
    alone = (out.n == 1) & (out.probability[:, 0] >= NAMED_LEAST) & (bits & VETOES == 0) & (bits & DISCHARGED != 0)
    alone &= ((bits & ANSWERS) != 0) | ~named[legs]
    rows = carriages.rows[out.discharge_call[:, 0]]  # -1 where there is none, which is not `alone`
    landed = events["t_start"][rows] if len(events) else np.zeros(legs.size, np.int64)
    depart0, depart1 = table.depart0[legs], table.depart1[legs]
    alone &= (depart0 != NAT) & (landed > depart1 + _LONG_SAILED_DAYS * DAY_US)
    ship, t_from = out.ship[:, 0].astype(np.int64), depart0 - 2 * DAY_US
    seen = _Happenings(events, carriages.mmsi, min_score, (RENDEZVOUS, LOITERING, WAITING))
    quiet: NDArray[np.bool_] = alone & ~seen.within(ship, t_from, landed)
    return quiet


def _key(ship: NDArray[np.int64], t: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ship and second as one number, in the order of both; the latest end of a ship is before the next ship's first."""
    seconds = np.clip((t - _EPOCH_US) // 1_000_000, 0, (1 << 34) - 1)
    return (ship.astype(np.int64) << 34) | seconds


def sieve(
    events: Events, chains: Chains, legs: NDArray[np.int64], first: NDArray[np.int64], carriages: Carriages,
    min_score: float,
) -> tuple[NDArray[np.int64], Counter[str]]:  # fmt: skip
    """The chains that may be findings, and how many of the others there are of each status.

    `legs` are those of the first strand of every chain, `first` their offsets (`Chains.lead_legs`), `carriages` who
    may have carried each.
    """
    table, out = chains.table, carriages.out
    likely = (out.ship >= 0) & (out.probability >= _FOLLOWED) & (out.bits & VETOES == 0)
    leg, place = np.nonzero(likely)
    depart = np.where(table.depart0 > 0, table.depart0, table.arrive0)[legs[leg]]
    due = np.maximum(table.arrive1, table.depart1)[legs[leg]]
    t_to = due + (VOYAGE_DAYS + LATE_DAYS) * DAY_US
    did = _Happenings(events, carriages.mmsi, min_score).within(
        out.ship[leg, place].astype(np.int64), depart - 2 * DAY_US, t_to
    )
    arrived = (out.bits[leg, place] & DISCHARGED) != 0
    open_leg = np.zeros(legs.size, np.bool_)
    open_leg[leg[did | ~arrived]] = True
    carried = (out.probability[:, 0] >= UNNAMED_LEAST) & (out.bits[:, 0] & VETOES == 0)
    ends = first[:-1]
    worth = np.logical_or.reduceat(open_leg, ends) if ends.size else open_leg
    if ends.size:
        worth &= ~np.logical_and.reduceat(_quiet(events, chains, legs, carriages, min_score), ends)
    others = ~worth
    every = np.logical_and.reduceat(carried, ends)[others] if ends.size else carried
    none = ~np.logical_or.reduceat(carried, ends)[others] if ends.size else carried
    confirmed = (
        np.logical_and.reduceat(carried & (out.bits[:, 0] & DISCHARGED != 0), ends)[others] if ends.size else every
    )
    counts = Counter({
        CONFIRMED: int(np.count_nonzero(confirmed)),
        NOT_IDENTIFIED: int(np.count_nonzero(none)),
        NOT_CONFIRMED: int(np.count_nonzero(every & ~confirmed)),
        PARTLY_IDENTIFIED: int(np.count_nonzero(~every & ~none)),
    })  # fmt: skip
    return np.flatnonzero(worth), counts
