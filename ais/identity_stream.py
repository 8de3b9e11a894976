"""Identities as static reports come: what says the same as before prolongs an interval, what does not is joined anew.

Nearly all reports repeat the one before. For each ship and part (`ais.identity`) the latest run is kept, with a hash of
what it says; a report that comes in order and says the same is counted in its interval, at 0.2 µs. Ships whose reports
say something else, or come late, are joined anew from all their reports, which whoever keeps these gives.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.identity import (
    FREE,
    Identities,
    Reports,
    as_taken,
    first_place,
    no_repeats,
    place_of,
    plain,
    time_order,
    unfolded,
)
from ais.table import STATIC_DTYPES, Static, columns_of
from ais.tracks import COPY_WINDOW_US
from geo.instructions import prefetch
from geo.kernel import inner, kernel

EVENLY_US = 225_000_000
"""News are tellings whose number or length, in sixteenths of an hour, has doubled: an hour is told when it is full."""

_HEAD = np.dtype(
    [
        ("counted", "i8"), ("until", "i8"), ("t_last", "i8"), ("last_offset", "i8"), ("said", "u8"), ("mmsi", "u4"),
        ("row", "i4"), ("part", "u2"), ("first_source", "u2"), ("last_source", "u2"), ("stale", "u1"),
    ],
    align=True,
)  # fmt: skip
"""The latest run of a ship's part: as `ais.identity._RUN`, with where it begins and ends; `said` is the hash of what it
says; 1 in `stale`: reports came that do not prolong it."""


Ships = NDArray[np.uint32]
"""MMSIs, each once, in their order."""
RowsOf = Callable[[Ships], Static]
"""Gives all static reports of some ships; those that are taken now among them."""
ByShip = Callable[[], Iterator[Static]]
"""Gives all static reports, some ships at a time, in the order of their MMSIs."""


class Known(NamedTuple):
    """Columns of the intervals that reports prolong."""

    t_from: NDArray[np.int64]
    t_to: NDArray[np.int64]
    n: NDArray[np.int32]
    last_source: NDArray[np.uint16]
    last_offset: NDArray[np.int64]


def among(values: NDArray[Any], ships: Ships) -> NDArray[np.bool_]:
    """Which of the values are among these ships.

    >>> among(np.array([7, 5, 9]), np.array([5, 7], np.uint32)).tolist()
    [True, True, False]
    """
    if not ships.size:
        return np.zeros(values.size, np.bool_)
    at = np.minimum(np.searchsorted(ships, values), ships.size - 1)
    return np.asarray(ships[at] == values)


@inner
def doubled(a, b):
    """Whether a number has reached another power of two."""
    return b > a and (a ^ b) > a


@inner
def is_after(r, i, head):
    """Does a report stand behind the last one of a run, in the order of time, source and offset?"""
    if r.t[i] != head.t_last:
        return r.t[i] > head.t_last
    if r.source[i] != head.last_source:
        return r.source[i] > head.last_source
    return r.offset[i] > head.last_offset


@inner
def mixed(x):
    """The finalizer of SplitMix64 (Steele et al. 2014): each bit depends on all."""
    x = (x ^ x >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ x >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return x ^ x >> np.uint64(31)


@inner
def with_text(texts, i, said):
    """A hash with the text of a report in it."""
    for k in range(texts.shape[1]):
        said = mixed(said ^ np.uint64(texts[i, k]))
    return said


@inner
def bits_of(value):
    """Of numbers of four bytes that are the same the same; NaN is one of them."""
    if value != value:
        return np.uint64(1 << 32)
    return np.uint64(np.float32(value + np.float32(0.0)).view(np.uint32))  # -0.0 is 0.0


@inner
def said_in(r, i, key):
    """A hash of what a report says: of two that say the same it is the same (`ais.identity.says_same`)."""
    sides = np.uint64(r.to_bow[i]) << np.uint64(32) | np.uint64(r.to_stern[i]) << np.uint64(16)
    sides |= np.uint64(r.to_port[i]) << np.uint64(8) | np.uint64(r.to_starboard[i])
    said = mixed(key ^ (np.uint64(r.imo[i]) << np.uint64(32) | np.uint64(r.eta[i])))
    said = mixed(said ^ (np.uint64(r.ship_type[i]) << np.uint64(40) | bits_of(r.draught[i])))
    said = with_text(r.callsign, i, with_text(r.name, i, mixed(said ^ sides)))
    return with_text(r.destination, i, said)


@kernel
def hash_said(r, rows, key, said):
    """The hashes of what some reports say."""
    for k in range(rows.size):
        said[k] = said_in(r, rows[k], key)


@kernel
def prolong(r, order, heads, table, known, repeats, key, news, anew):
    """Count reports in their intervals; notes which tell news of a ship, and which ships are to be joined anew."""
    for k in range(order.size):
        i = order[k]
        if k + 8 < order.size:
            j = order[k + 8]
            prefetch(table, first_place(table, r.mmsi[j], r.part[j]))
        at = place_of(table, heads, r.mmsi[i], r.part[i])
        if table[at] == FREE:
            anew[i] = 1
            continue
        head = heads[table[at]]
        if head.stale or said_in(r, i, key) != head.said or not is_after(r, i, head):
            head.stale = anew[i] = 1
            continue
        if r.t[i] <= head.until:
            continue
        row, n = head.row, known.n[head.row]
        own_end = known.last_offset[row] == head.last_offset and known.last_source[row] == head.last_source
        if r.t[i] - head.counted >= COPY_WINDOW_US:
            if r.source[i] == head.last_source:
                repeats[r.source[i]] = 1
            head.counted = r.t[i]
            known.n[row] += repeats[head.first_source] != 0
        if r.t[i] == known.t_to[row] and not own_end:  # two parts at once: which ends the interval, all must tell
            head.stale = anew[i] = 1
            continue
        if r.t[i] >= known.t_to[row]:
            lasted = (known.t_to[row] - known.t_from[row]) // EVENLY_US
            news[i] = doubled(lasted, (r.t[i] - known.t_from[row]) // EVENLY_US)
            known.t_to[row], known.last_offset[row], known.last_source[row] = r.t[i], r.offset[i], r.source[i]
        news[i] |= doubled(n, known.n[row])
        head.t_last, head.last_offset, head.last_source = r.t[i], r.offset[i], r.source[i]


@kernel
def enter(heads, begin, table):
    """Heads from `begin` on into the table, in the place of others of the same ship and part."""
    for k in range(begin, heads.size):
        table[place_of(table, heads, heads[k].mmsi, heads[k].part)] = k


class Unfolding:
    """The identities of all ships, as far as their reports have come.

    >>> reports = Static({**columns_of(STATIC_DTYPES, 2), **plain(2)})
    >>> reports["t"][:], reports["mmsi"][:], reports["name"][:] = [0, 360_000_000], 671999101, b"LARK"
    >>> unfolding = Unfolding()
    >>> for end in (1, 2):
    ...     some = reports.take(slice(end - 1, end))
    ...     so_far = reports.take(slice(0, end))
    ...     print(unfolding.take(some, lambda ships: so_far, lambda: iter([so_far]), no_repeats()))
    [671999101]
    [671999101]
    >>> unfolding.identities["n"].tolist(), unfolding.identities["t_to"].tolist()
    ([2], [360000000])
    """

    def __init__(self) -> None:
        self._repeats = no_repeats()
        self._key = np.frombuffer(os.urandom(8), np.uint64)[0]
        """Of the hashes: who does not know it cannot send a report that is taken for another."""
        self.join_all(lambda: iter([Static({**columns_of(STATIC_DTYPES, 0), **plain(0)})]), self._repeats)

    def take(self, new: Static, rows_of: RowsOf, by_ship: ByShip, repeats: NDArray[np.uint8]) -> Ships:
        """Take reports; the ships of which they tell news. `repeats` are sources known to repeat, as `identities`
        takes them."""
        r = as_taken(new)
        before = self._repeats.copy()
        news, anew = np.zeros(r.t.size, np.uint8), np.zeros(r.t.size, np.uint8)
        known = Known(*(self.identities[name] for name in Known._fields))
        prolong(r, time_order(r), self._heads, self._table, known, self._repeats, self._key, news, anew)
        del known  # what is joined anew takes the place of all this
        ships, told = np.unique(r.mmsi[anew == 1]), np.unique(r.mmsi[(news | anew) == 1])
        self._repeats |= repeats
        if np.array_equal(before, self._repeats) and (not ships.size or self._join(rows_of(ships), ships)):
            return told
        self.join_all(by_ship, repeats)
        return np.unique(self.identities["mmsi"])

    def again(self, ships: Ships, rows_of: RowsOf, by_ship: ByShip, repeats: NDArray[np.uint8]) -> None:
        """Of some ships fewer reports are kept than before: join what is left."""
        if not self._join(rows_of(ships), ships):
            self.join_all(by_ship, repeats)

    def join_all(self, by_ship: ByShip, repeats: NDArray[np.uint8]) -> None:
        """Join the reports of all ships anew; again where the last of them show that more sources repeat."""
        self._repeats |= repeats
        self.identities, self._heads = Identities({}), np.zeros(0, _HEAD).view(np.recarray)
        before: NDArray[np.uint8] | None = None
        while before is None or not np.array_equal(before, self._repeats):
            before, n = self._repeats.copy(), 0
            parts, heads = list[dict[str, NDArray[Any]]](), list[NDArray[Any]]()
            for rows in by_ship():
                found, runs, r = unfolded(rows, self._repeats)
                own = self._heads_of(runs, r)
                own["row"] += n
                n += len(found)
                parts.append(dict(found.columns))
                heads.append(own)
            names = [*parts[0]]
            self.identities = Identities({name: np.concatenate([part.pop(name) for part in parts]) for name in names})
            self._heads = np.concatenate(heads).view(np.recarray)
        self._enter()

    def _join(self, rows: Static, ships: Ships) -> bool:
        """Join the reports of some ships anew, which are all `rows`; False where more sources are known to repeat now,
        so that all ships must be."""
        before = self._repeats.copy()
        found, runs, r = unfolded(rows, self._repeats)
        if not np.array_equal(before, self._repeats):
            return False
        kept = ~among(self.identities["mmsi"], ships)
        order = np.argsort(np.concatenate([self.identities["mmsi"][kept], found["mmsi"]]), kind="stable")
        columns = self.identities.columns.items()
        both = {name: np.concatenate([column[kept], found[name]])[order] for name, column in columns}
        self.identities = Identities(both)
        place = np.empty(order.size, np.int64)
        place[order] = np.arange(order.size)
        heads = self._heads_of(runs, r)
        self._heads = self._heads[~among(self._heads["mmsi"], ships)].view(np.recarray)
        self._heads["row"] = place[(np.cumsum(kept) - 1)[self._heads["row"]]]
        heads["row"] = place[np.count_nonzero(kept) + heads["row"]]
        self._heads = np.concatenate([self._heads, heads]).view(np.recarray)
        self._enter()
        return True

    def _enter(self) -> None:
        """The table of the heads."""
        self._table = np.full(max(1 << 12, 1 << (2 * self._heads.size).bit_length()), FREE, np.int32)
        enter(self._heads, 0, self._table)

    def _heads_of(self, runs: NDArray[Any], r: Reports) -> NDArray[Any]:
        """The latest run of each ship's part."""
        order = np.lexsort((np.arange(runs.size), runs["part"], runs["mmsi"]))
        mmsi, part = runs["mmsi"][order], runs["part"][order]
        ends = order[np.append((mmsi[1:] != mmsi[:-1]) | (part[1:] != part[:-1]), True)[: order.size]]
        runs = runs[ends]
        heads = np.zeros(runs.size, _HEAD)
        for name in ("counted", "until", "part", "row", "mmsi"):
            heads[name] = runs[name]
        first, last = runs["first"], runs["last"]
        said = np.empty(runs.size, np.uint64)
        hash_said(r, first, self._key, said)
        heads["said"], heads["t_last"], heads["last_offset"] = said, r.t[last], r.offset[last]
        heads["first_source"], heads["last_source"] = r.source[first], r.source[last]
        return heads.view(np.recarray)
