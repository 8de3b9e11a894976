"""What a ship declared on a voyage, and whether it went there.

A destination is free text of 20 characters: `geo.ports.ports_matching` reads it. It counts for a voyage when it was in
force at its beginning, said since the ship came to the port that it left, or was said on the way; by MMSI, for static
reports bear no hull.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.event import label_code
from geo.place_words import GENERIC, NOWHERE, words
from geo.ports import Port, port_index, ports, ports_matching
from geo.sphere import distances_m

AS_DECLARED, ELSEWHERE, UNDECLARED = map(label_code, ("as_declared", "elsewhere", "undeclared"))


class Meaning(NamedTuple):
    """What a declared destination means: rows of `geo.ports.ports()`."""

    rows: tuple[int, ...]
    """One when the text leaves no doubt."""
    sure: bool
    """Nothing but these can be meant."""
    nothing: bool
    """The text names no place: it is empty, or "FOR ORDERS"."""

    @property
    def row(self) -> int:
        """The one port that is meant, -1 where there is doubt."""
        return self.rows[0] if self.sure and len(self.rows) == 1 else -1


@cache
def _row_of() -> dict[Port, int]:
    return {port: row for row, port in enumerate(ports())}


@lru_cache(4096)
def meaning(text: bytes) -> Meaning:
    r"""What the destination of a static report means.

    >>> meaning(b"KRPUS>CNDLC") == meaning(b"DALIAN"), meaning(b"FOR ORDERS").nothing, meaning(b"XQZ 77").rows
    (True, True, ())
    """
    said = text.decode("utf-8", "ignore").strip("@ \0")
    found = ports_matching(said, 50)
    if found.port is not None:
        return Meaning((_row_of()[found.port],), True, False)
    rows = tuple(_row_of()[one.port] for one in found.several)
    sure = bool(rows) and all(one.score == 1.0 for one in found.several)
    return Meaning(rows, sure, not rows and all(word in NOWHERE or word in GENERIC for word in words(said)))


class Said(NamedTuple):
    """Of each voyage the rows of the static reports that count for it, `first` to `last`; -1 none."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]


class Declarations(NamedTuple):
    """What was declared on voyages, in the order of `voyage` and of time: static reports of one destination."""

    voyage: NDArray[np.int64]
    first: NDArray[np.int64]
    """Rows of the static reports, to `last`."""
    last: NDArray[np.int64]
    of: NDArray[np.int64]
    """Which of `meanings` it is."""
    meanings: Sequence[Meaning]

    def each(self, name: str) -> NDArray[Any]:
        """A field of the meaning of each declaration."""
        return np.array([getattr(one, name) for one in self.meanings])[self.of]

    def near(self, lat: NDArray[np.float64], lon: NDArray[np.float64], within_m: float) -> NDArray[np.bool_]:
        """Whether a port that each may mean lies so near to a position (n,) of its voyage."""
        sizes = np.array([len(one.rows) for one in self.meanings], np.int64)
        port = np.array([row for one in self.meanings for row in one.rows], np.int64)
        of = np.repeat(np.arange(self.of.size), sizes[self.of])
        row = port[spans((np.cumsum(sizes) - sizes)[self.of], sizes[self.of])]
        voyage, index = self.voyage[of], port_index()
        metres = distances_m(index.lat[row], index.lon[row], lat[voyage], lon[voyage])
        near = np.zeros(self.of.size, np.bool_)
        near[of[metres <= within_m]] = True
        return near


def spans(begin: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows from each `begin` on, `sizes` of them, one span after the other.

    >>> spans(np.array([7, 2]), np.array([2, 3])).tolist()
    [7, 8, 2, 3, 4]
    """
    return np.repeat(begin - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())


def declarations(identity: Any, said: Said) -> Declarations:
    """What these static reports declare."""
    voyage = np.flatnonzero(said.last >= 0)
    sizes = said.last[voyage] - said.first[voyage] + 1
    row, voyage = spans(said.first[voyage], sizes), np.repeat(voyage, sizes)
    text = identity["destination"][row]
    start = np.flatnonzero((np.diff(voyage, prepend=-1) != 0) | np.append(True, text[1:] != text[:-1])[: text.size])
    texts, of = np.unique(text[start], return_inverse=True)
    last = row[np.append(start[1:], row.size)[: start.size] - 1]
    return Declarations(voyage[start], row[start], last, of, [meaning(bytes(one)) for one in texts])


def judged(
    said: Declarations, near_left: NDArray[np.bool_], near_came: NDArray[np.bool_], ended: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The label of each voyage (n,), and which declaration it rests on: 0 where it cannot be told, -1 for none.

    That is the first that names a place other than where the ship came from, which many ships leave set for a while.
    `near_left` and `near_came` say of each declaration whether it may mean the place where its voyage began or ended.
    """
    named = np.array([len(one.rows) > 0 for one in said.meanings], np.bool_)[said.of]
    tells = ~said.each("nothing").astype(np.bool_) & ~near_left
    decides = np.flatnonzero(tells & (near_came | named))
    label, of = np.zeros(ended.size, np.uint8), np.full(ended.size, -1)
    label[said.voyage] = UNDECLARED
    label[said.voyage[tells]] = 0
    label[said.voyage[near_came]] = AS_DECLARED  # where none decides it came back to where it came from, as it said
    of[said.voyage[decides[::-1]]] = decides[::-1]  # the first of each voyage is written last
    voyage = np.flatnonzero(of >= 0)
    k = of[voyage]
    missed = np.where(said.each("sure")[k].astype(np.bool_) & ended[voyage], ELSEWHERE, 0)
    label[voyage] = np.where(near_came[k], AS_DECLARED, missed)
    return label, of


def rows_until(
    keys: Sequence[NDArray[Any]], t: NDArray[np.int64], of: Sequence[NDArray[Any]], until: NDArray[np.int64]
) -> NDArray[np.int64]:
    """How many rows, in the order of `keys` and `t`, stand up to each of (`of`, `until`).

    >>> ship, t = np.array([5, 5, 7]), np.array([10, 20, 10])
    >>> rows_until([ship], t, [np.array([5, 6, 7])], np.array([10, 99, 9])).tolist()
    [1, 2, 2]
    """
    asked = np.arange(t.size + until.size) >= t.size
    both = [np.concatenate([a.astype(np.int64), b.astype(np.int64)]) for a, b in zip(keys, of, strict=True)]
    order = np.lexsort((asked, np.concatenate([t, until]), *both[::-1]))
    count = np.empty(order.size, np.int64)
    count[order] = np.cumsum(~asked[order])
    return count[t.size :]


def reports_of(identity: Any, voyages: NDArray[Any], since: NDArray[np.int64]) -> Said:
    """The static reports (intervals by MMSI and time) in force at the beginning of each voyage, and those on the way.

    `voyages` are records of `EVENT`; a report that was not heard after `since` (n,) is no longer in force.
    """
    mmsi, t_from = identity["mmsi"], identity["t_from"]
    begin = np.searchsorted(mmsi, voyages["mmsi"])
    first, last = (rows_until([mmsi], t_from, [voyages["mmsi"]], voyages[name]) - 1 for name in ("t_start", "t_end"))
    in_force = first >= begin
    in_force[in_force] = identity["t_to"][first[in_force]] >= since[in_force]
    first = np.where(in_force, first, first + 1)
    return Said(np.where(last >= first, first, -1), np.where(last >= first, last, -1))


def shared_mmsi(voyages: NDArray[Any], vessels: Any) -> NDArray[np.bool_]:
    """Whether another hull was heard under the MMSI of each voyage in its time."""
    shared = np.zeros(voyages.size, np.bool_)
    ships, hulls = np.unique(vessels["mmsi"], return_counts=True)
    for mmsi in ships[hulls > 1]:
        own = np.flatnonzero(voyages["mmsi"] == mmsi)
        for k in np.flatnonzero(vessels["mmsi"] == mmsi).tolist():
            other = voyages["hull"][own] != vessels["hull"][k]
            begun = voyages["t_start"][own] <= vessels["t_last"][k]
            shared[own] |= other & begun & (voyages["t_end"][own] >= vessels["t_first"][k])
    return shared
