"""Which chains can be findings: told from columns, so that only those few are written out and scored."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from ais.table import NAT
from cargo.carriage import Carriages
from cargo.carriage_kernel import BEFORE_DAYS, DISCHARGED, KEPT, VETOES, VOYAGE_DAYS
from cargo.chain import Chains
from cargo.leg import DAY_US
from cargo.voyage import ANSWERS, NAMED_LEAST, UNNAMED_LEAST
from detectors.event import DARK, LOITERING, RENDEZVOUS, Events

_AT_ONCE = 65_536
"""Legs that are looked through at once: of a million together the columns would take half a gigabyte."""
_LOADED_EARLY_DAYS = BEFORE_DAYS + 1
"""The goods come on board this long before the declared departure at most: the ship sails early, and papers carry days.
"""
_EPOCH_US = int(np.datetime64("1970-01-01", "us").astype(np.int64))
CONFIRMED = "all declared ports confirmed by calls"
NOT_IDENTIFIED = "no ship identified"
NOT_CONFIRMED = "nothing on record against it, arrival not confirmed"
PARTLY_IDENTIFIED = "nothing on record against it, some ships not identified"


class _Happenings:
    """When each ship did what makes a case: its events by start, with the latest end so far."""

    def __init__(self, events: Events, mmsi: NDArray[np.uint32], min_score: float) -> None:
        if not len(events):
            self._key, self._latest = np.zeros(0, np.int64), np.zeros(0, np.int64)
            return
        silent = (events["kind"] == DARK) & ~(events["score"] < min_score)
        rows = np.flatnonzero(silent | np.isin(events["kind"], (RENDEZVOUS, LOITERING)))
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


def _key(ship: NDArray[np.int64], t: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ship and second as one number, in the order of both; the latest end of a ship is before the next ship's first."""
    seconds = np.clip((t - _EPOCH_US) // 1_000_000, 0, (1 << 34) - 1)
    return (ship.astype(np.int64) << 34) | seconds


def _carriers(named: NDArray[np.bool_], carriages: Carriages) -> NDArray[np.bool_]:
    """(legs, KEPT): which candidates are taken as the ship of their leg, those of one IMO number together.

    The rule is that of `cargo.voyage.match_ship`.
    """
    imo = np.array([imo for _, imo in carriages.told], np.int64)
    taken = np.zeros(carriages.out.ship.shape, np.bool_)
    for begin in range(0, len(taken) if imo.size else 0, _AT_ONCE):
        some = slice(begin, begin + _AT_ONCE)
        ship, bits, probability = (carriages.out._asdict()[name][some] for name in ("ship", "bits", "probability"))
        fits = (ship >= 0) & (bits & VETOES == 0)
        who = np.where(imo[ship] > 0, imo[ship], -carriages.mmsi[ship].astype(np.int64))
        p = np.where(fits, probability.astype(np.float64), 0.0)
        of_ship = np.where(fits, 0.0, -1.0)
        for k in range(KEPT):
            of_ship += p[:, [k]] * (who[:, [k]] == who)
        legs, best = np.arange(len(p)), of_ship.argmax(axis=1)
        sure = of_ship[legs, best] >= np.where(named[some], NAMED_LEAST, UNNAMED_LEAST)
        sure &= ~named[some] | (bits[legs, best] & ANSWERS != 0)
        only = np.arange(KEPT) == best[:, None]
        taken[some] = fits & sure[:, None] & np.where(named[some, None], who == who[legs, best][:, None], only)
    return taken


def sieve(
    events: Events, chains: Chains, legs: NDArray[np.int64], first: NDArray[np.int64], carriages: Carriages,
    min_score: float,
) -> tuple[NDArray[np.int64], Counter[str]]:  # fmt: skip
    """The chains that may be findings, and how many of the others there are of each status.

    `legs` are those of the first strand of every chain, `first` their offsets (`Chains.lead_legs`), `carriages` who
    may have carried each. A leg is none of a finding if its ship is not known, or called where it was declared to and
    until then did nothing: what it did later, with other goods, is not asked.
    """
    table, out, ends = chains.table, carriages.out, first[:-1]
    if not ends.size:
        return np.zeros(0, np.int64), Counter()
    named = (table.ship > 0) | (table.mmsi > 0) | (table.imo_text > 0)
    carriers = _carriers(named[legs], carriages)
    known = carriers.any(axis=1)
    landing = carriers & (out.bits & DISCHARGED != 0)
    arrived = landing.any(axis=1)
    call = carriages.rows[out.discharge_call[np.arange(legs.size), landing.argmax(axis=1)]]
    depart0, arrive0 = table.depart0[legs], table.arrive0[legs]
    sailed = np.where(depart0 != NAT, depart0 - _LOADED_EARLY_DAYS * DAY_US, arrive0 - (VOYAGE_DAYS + 1) * DAY_US)
    left = events["t_start"][call] if len(events) else sailed
    leg, place = np.nonzero(carriers & arrived[:, None])
    did = _Happenings(events, carriages.mmsi, min_score).within(
        out.ship[leg, place].astype(np.int64), sailed[leg], left[leg]
    )
    open_leg = known & ~arrived
    open_leg[leg[did]] = True
    worth = np.logical_or.reduceat(open_leg, ends)
    landed, every = np.logical_and.reduceat(arrived, ends), np.logical_and.reduceat(known, ends)
    some = np.logical_or.reduceat(known, ends)
    kind = np.select([landed, ~some, every], [0, 1, 2], 3)[~worth]
    statuses = (CONFIRMED, NOT_IDENTIFIED, NOT_CONFIRMED, PARTLY_IDENTIFIED)
    told = zip(statuses, np.bincount(kind, minlength=4).tolist(), strict=True)
    return np.flatnonzero(worth), Counter({status: n for status, n in told if n})
