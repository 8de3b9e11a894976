"""What a ship declared on a voyage, and whether it went there.

A destination is free text of 20 characters: `geo.ports.ports_matching` reads it. It counts for a voyage when it was in
force at its beginning, said since the ship came to the port that it left, or was said on the way; by MMSI, for static
reports bear no hull.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.event import label_code
from geo.place_words import GENERIC, NOWHERE, words
from geo.ports import Port, ports, ports_matching
from geo.sphere import distance_m

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

    def near(self, lat: float, lon: float, within_m: float) -> bool:
        """Whether a port that may be meant lies so near to a position."""
        return any(distance_m(ports()[row].lat, ports()[row].lon, lat, lon) <= within_m for row in self.rows)


@cache
def _row_of() -> dict[Port, int]:
    return {port: row for row, port in enumerate(ports())}


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


def judged(
    meant: Sequence[Meaning], came_from: tuple[float, float], came_to: tuple[float, float], within_m: float
) -> tuple[int, int]:
    """The label of a voyage between two positions (the second NaN while it goes on), and which declaration it rests on.

    That is the first of `meant`, in their order, that names a place other than where the ship came from, which many
    ships leave set for a while. Label 0: it cannot be told; declaration -1: none.

    >>> busan, dalian = (35.1, 129.0), (38.9, 121.6)
    >>> def label(*texts):
    ...     return judged([meaning(text) for text in texts], busan, dalian, 30_000.0)
    >>> label(b"BUSAN", b"KOBE", b"DALIAN") == (ELSEWHERE, 1), label(b"CNDLC", b"XQZ 77") == (AS_DECLARED, 0)
    (True, True)
    >>> label(b"PUSAN") == label(b"", b"FOR ORDERS") == (UNDECLARED, -1), label(b"XQZ 77")
    (True, (0, -1))
    """
    unread = False
    for k, one in enumerate(meant):
        if one.nothing or one.near(*came_from, within_m):
            continue
        if one.near(*came_to, within_m):
            return AS_DECLARED, k
        if one.rows:
            return (ELSEWHERE if one.sure and came_to[0] == came_to[0] else 0), k
        unread = True
    if any(one.near(*came_to, within_m) for one in meant):
        return AS_DECLARED, -1  # it came back to where it came from, as it said
    return (0 if unread else UNDECLARED), -1


class Said(NamedTuple):
    """Of each voyage the rows of the static reports that count for it, `first` to `last`; -1 none."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]


def groups(*keys: NDArray[Any]) -> list[NDArray[np.int64]]:
    """Rows with equal keys, in rising order of the keys and then of the rows.

    >>> [rows.tolist() for rows in groups(np.array([7, 5, 7]))]
    [[1], [0, 2]]
    """
    if keys[0].size == 0:
        return []
    order = np.lexsort(keys[::-1])
    new = np.zeros(order.size - 1, np.bool_)
    for key in keys:
        new |= np.diff(key[order].astype(np.int64)) != 0
    return np.split(order, np.flatnonzero(new) + 1)


def reports_of(identity: Any, voyages: NDArray[Any], since: NDArray[np.int64]) -> Said:
    """The static reports (intervals by MMSI and time) in force at the beginning of each voyage, and those on the way.

    `voyages` are records of `EVENT`; a report that was not heard after `since` (n,) is no longer in force.
    """
    found = Said(np.full(voyages.size, -1), np.full(voyages.size, -1))
    for rows in groups(voyages["mmsi"]):
        mmsi = voyages["mmsi"][rows[0]]
        begin, end = (int(np.searchsorted(identity["mmsi"], mmsi, side)) for side in ("left", "right"))
        t_from = identity["t_from"][begin:end]
        first = np.searchsorted(t_from, voyages["t_start"][rows], "right") - 1
        last = np.searchsorted(t_from, voyages["t_end"][rows], "right") - 1
        in_force = first >= 0
        in_force[in_force] = identity["t_to"][begin:end][first[in_force]] >= since[rows][in_force]
        first = np.where(in_force, first, first + 1)
        some = last >= first
        found.first[rows[some]], found.last[rows[some]] = begin + first[some], begin + last[some]
    return found


def shared_mmsi(voyages: NDArray[Any], vessels: Any) -> NDArray[np.bool_]:
    """Whether another hull was heard under the MMSI of each voyage in its time."""
    shared = np.zeros(voyages.size, np.bool_)
    for rows in groups(vessels["mmsi"]):
        if rows.size == 1:
            continue
        own = np.flatnonzero(voyages["mmsi"] == vessels["mmsi"][rows[0]])
        for k in rows.tolist():
            other = voyages["hull"][own] != vessels["hull"][k]
            begun = voyages["t_start"][own] <= vessels["t_last"][k]
            shared[own] |= other & begun & (voyages["t_end"][own] >= vessels["t_first"][k])
    return shared
