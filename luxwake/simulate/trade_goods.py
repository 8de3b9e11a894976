"""Goods of a trade world: each travels in one to three legs, each leg from a call of a ship to a later one.

Where the ship never makes that call the goods are diverted, and go nowhere from there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from geo.errors import UsageError
from luxwake.simulate.trade_params import DAY_US, TradeParams
from luxwake.simulate.trade_voyages import Frame

_LEGS = (0.75, 0.2, 0.05)
"""Shares of goods that would go in one, two and three legs, if ships go on from where they are."""
_ASHORE_DAYS = (1, 21)
_CALLS_AHEAD = 4
"""Liners carry goods up to so many calls on, tramps to the next."""


class Legs(NamedTuple):
    """All legs, by goods and leg."""

    goods: NDArray[np.int64]
    leg: NDArray[np.int64]
    sail: NDArray[np.int64]
    """The call at which it is loaded, and the one at which it is discharged."""
    land: NDArray[np.int64]
    papers: NDArray[np.int64]
    """How many papers it has."""


def carried(made: Frame, skipped: NDArray[np.bool_], p: TradeParams, rng: Generator) -> Legs:
    """Goods until there are as many papers as asked for; the last goods have all of theirs."""
    v, loads = made.voyages, made.cargo & ~skipped
    if not (loads[:-1] & (v.ship[:-1] == v.ship[1:]) & (v.port[:-1] != v.port[1:])).any():
        raise UsageError(f"ships = {p.ships}, days = {p.days}: no ship carries goods to a second port; give more")
    starts, onward = np.flatnonzero(loads), _Onward(made, loads, skipped)
    batches: list[Legs] = []
    goods = papers = 0
    while papers < p.rows:
        batch = _batch(made, p, starts[rng.integers(starts.size, size=max(100, p.rows - papers))], onward, rng)
        batches.append(batch._replace(goods=batch.goods + goods))
        goods, papers = goods + np.unique(batch.goods).size, papers + int(batch.papers.sum())
    legs = Legs(*(np.concatenate(part) for part in zip(*batches, strict=True)))
    last = legs.goods[np.searchsorted(np.cumsum(legs.papers), p.rows)]
    return Legs(*(part[legs.goods <= last] for part in legs))


class _Onward:
    """By which calls goods that were landed go on: another ship's, from the same port, within three weeks."""

    def __init__(self, made: Frame, loads: NDArray[np.bool_], skipped: NDArray[np.bool_]) -> None:
        v, self._skipped = made.voyages, skipped
        self._first, self._span = v.t_out.min(), np.ptp(v.t_out) + (_ASHORE_DAYS[1] + 1) * DAY_US
        calls = np.flatnonzero(loads)
        key = self._key(v.port[calls], v.t_out[calls])
        order = np.argsort(key, kind="stable")
        self._calls, self._keys, self._voyages = calls[order], key[order], v

    def _key(self, port: NDArray[np.int64], t: NDArray[np.int64]) -> NDArray[np.int64]:
        """Ports behind each other, in each the time."""
        key: NDArray[np.int64] = port * self._span + (t - self._first)
        return key

    def of(self, landed: NDArray[np.int64], rng: Generator) -> NDArray[np.int64]:
        """A call from which the goods landed at these calls sail on; -1 where they stay."""
        v = self._voyages
        begin, end = (
            np.searchsorted(self._keys, self._key(v.port[landed], v.t_in[landed] + days * DAY_US))
            for days in _ASHORE_DAYS
        )
        place = begin + (rng.random(landed.size) * (end - begin)).astype(np.int64)
        call = self._calls[np.minimum(place, self._calls.size - 1)]
        return np.where((end > begin) & (v.ship[call] != v.ship[landed]) & ~self._skipped[landed], call, -1)


def _batch(made: Frame, p: TradeParams, call: NDArray[np.int64], onward: _Onward, rng: Generator) -> Legs:
    """Goods that begin at these calls, numbered anew; some go nowhere and are none."""
    v, goods = made.voyages, np.arange(call.size)
    wanted = 1 + rng.choice(len(_LEGS), call.size, p=_LEGS)
    parts = []
    for leg in range(len(_LEGS)):
        ahead = np.where(made.liner[v.ship[call]], rng.integers(1, _CALLS_AHEAD + 1, call.size), 1)
        land = np.minimum(call + ahead, v.ship.size - 1)
        goes = (v.ship[land] == v.ship[call]) & (v.port[land] != v.port[call])
        goods, call, land = goods[goes], call[goes], land[goes]
        parts.append((goods, np.full(goods.size, leg), call, land))
        goods, land = goods[wanted[goods] > leg + 1], land[wanted[goods] > leg + 1]
        call = onward.of(land, rng)
        goods, call = goods[call >= 0], call[call >= 0]
    goods, leg_of, sail, land = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((leg_of, goods))
    number = np.unique(goods[order], return_inverse=True)[1]
    papers = 1 + (rng.random(number.size) < p.two_records)
    return Legs(number, leg_of[order], sail[order], land[order], papers)
