"""Who gets a place where the table of vessels is bounded: who waits at the door, and who must go.

A feed can invent MMSIs without end. Up to the bound every MMSI gets a place at its first position. Once all places are
taken a newcomer waits in a table of candidates until `CONFIRMED` positions of it were heard, each `APART_US` after the
one before; so it is until a day passes in which neither the vessels nor the candidates lacked room. To make room,
vessels are let go, many at a time and at most every `BETWEEN_US` of event time: first those of fewer than `CONFIRMED`
fixes that were silent for an hour, then others that were silent for a day, the longest silent first, until a quarter
of the places is free. Hulls behind an MMSI that were never confirmed go when they were silent for an hour. Where too
few can go, the newcomer is not admitted, and its rows are counted.

MMSIs on a watch list need not wait and are never let go: as many places are kept free of others as the list is long.

Memory: 16 bytes for each candidate, of which there are as many as vessels, rounded up to a power of two.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.hulls import CONFIRMED
from ais.status import NOT_ADMITTED, OK
from ais.table import NAT
from geo.kernel import inlined, inner

APART_US = 10_000_000
"""Copies of one transmission by several stations arrive within 10 s (`ais.tracks.COPY_WINDOW_US`)."""
CALM_US = 86_400_000_000
"""After a day without want of room newcomers need not wait; a candidate that was silent for a day begins anew."""
BRIEF_US = 3_600_000_000
"""Satellites hear a ship every hour or two: who was heard once or twice, and not within the hour, may be an error."""
KEEP_US = 86_400_000_000
"""A ship heard within the day stays: satellites hear one at sea several times a day."""
BETWEEN_US = 600_000_000
"""Letting go of a quarter of 262,144 takes two seconds: every ten minutes of event time at most."""
FREE_SHARE = 4
"""One place in so many is made free at once."""
WAYS = 4
"""Candidates that share a place in their table."""
NO_BOUND = 1 << 62

PRESSED, TRIED, GONE, LEFT_OPEN = range(4)
"""In `Gate.clocks`: when room was last wanting, and when last made (NAT never); vessels let go, events left open."""
NO_ROOM = 255
"""In place of a status: room must be made before this row."""

CANDIDATE = np.dtype([("t", "i8"), ("mmsi", "u4"), ("n", "u4")], align=True)
"""An MMSI that waits: its last position that counted, and how many have; `mmsi` 0 is a free place."""


class Gate(NamedTuple):
    """The bound of the table of vessels, for the kernels."""

    candidates: NDArray[Any]
    watched: NDArray[np.uint32]
    """MMSIs on a watch list, sorted."""
    clocks: NDArray[np.int64]
    most: int
    """Places for MMSIs that are not on the watch list."""
    bound: int


def new_gate(bound: int | None) -> Gate:
    """The gate of a table of `bound` vessels; None: all may enter."""
    size = WAYS if bound is None else max(WAYS, 1 << (bound - 1).bit_length())
    most = NO_BOUND if bound is None else bound
    clocks = np.array([NAT, NAT, 0, 0], np.int64)
    return Gate(np.zeros(size, CANDIDATE).view(np.recarray), np.zeros(0, np.uint32), clocks, most, most)


def with_watched(gate: Gate, mmsis: NDArray[np.uint32]) -> Gate:
    """The same gate with another watch list."""
    watched = np.unique(mmsis.astype(np.uint32))
    most = NO_BOUND if gate.bound == NO_BOUND else gate.bound - watched.size
    return gate._replace(watched=watched, most=most)


@inner
def is_listed(watched, mmsi):
    """Whether an MMSI is on the watch list."""
    low, high = 0, watched.size
    while low < high:
        middle = (low + high) // 2
        if watched[middle] < mmsi:
            low = middle + 1
        else:
            high = middle
    return low < watched.size and watched[low] == mmsi


@inlined
def turn_of(t, mmsi):
    """At which of the candidates that share a place to begin: by chance, as it were."""
    return (t // APART_US * 0x9E3779B1 + np.int64(mmsi) * 0x85EBCA6B) >> 16 & (WAYS - 1)


@inner
def knock(candidates, clocks, t, mmsi):
    """One more position of an MMSI that waits: where it stands among the candidates.

    Where all places that it could take are taken, one gives way that counted but once, or was silent for an hour; which
    of these is left to chance, for where the oldest did so, ships that are heard in turn would drive each other out for
    ever.
    """
    first = WAYS * (np.int64(mmsi) * 0x9E3779B1 >> 8 & (candidates.size // WAYS - 1))
    turn, at, least = turn_of(t, mmsi), first, 3
    for k in range(WAYS):
        place = first + (turn + k) % WAYS
        one = candidates[place]
        if one.mmsi == mmsi:
            at = place
            break
        rank = 0 if one.mmsi == 0 else 2 if one.n > 1 and t - one.t < BRIEF_US else 1
        if rank < least:
            at, least = place, rank
    c = candidates[at]
    if c.mmsi != mmsi or t - c.t >= CALM_US:
        if c.mmsi != 0 and t - c.t < CALM_US:
            clocks[PRESSED] = t
        c.mmsi, c.n, c.t = mmsi, 1, t
    elif t - c.t >= APART_US:
        c.n, c.t = min(CONFIRMED, c.n + 1), t
    return at


@inlined
def has_room(gate, used, mmsi):
    """Whether a place is free for a hull of this MMSI."""
    return used < gate.most or (used < gate.bound and is_listed(gate.watched, mmsi))


@inner
def may_enter(gate, used, t, mmsi):
    """Of an MMSI without a place: `OK`, `NOT_ADMITTED`, or `NO_ROOM` where vessels must first be let go."""
    clocks, room = gate.clocks, has_room(gate, used, mmsi)
    if clocks[PRESSED] != NAT and t - clocks[PRESSED] >= CALM_US:
        clocks[PRESSED] = NAT
    if room and clocks[PRESSED] == NAT:
        return OK
    if not room:
        clocks[PRESSED] = t
    c = gate.candidates[knock(gate.candidates, clocks, t, mmsi)]
    if c.n < CONFIRMED and not is_listed(gate.watched, mmsi):
        return NOT_ADMITTED
    if room:
        c.mmsi, c.n = 0, 0  # it waits no more
        return OK
    return NO_ROOM if clocks[TRIED] == NAT or t - clocks[TRIED] >= BETWEEN_US else NOT_ADMITTED


def who_stays(rows: NDArray[Any], now: int, gate: Gate) -> NDArray[np.intp]:
    """The slots of the hulls (records of `ais.hulls.HULL`) that stay when room is made at `now`, ascending.

    All hulls of an MMSI stay or go together, but for the last of them that were never confirmed.
    """
    order = np.lexsort((rows["hull"], rows["mmsi"]))
    mmsi, hull, n, t = (rows[name][order] for name in ("mmsi", "hull", "n", "t"))
    first = np.flatnonzero(np.append(True, mmsi[1:] != mmsi[:-1]))
    hulls = np.diff(np.append(first, mmsi.size))
    confirmed = (hull == 0) | (n >= CONFIRMED) | (now - t < BRIEF_US)
    stale = hull > np.repeat(np.maximum.reduceat(np.where(confirmed, hull, 0), first), hulls)
    last, few = np.maximum.reduceat(t, first), np.maximum.reduceat(n, first) < CONFIRMED
    may_go = now - last >= np.where(few, BRIEF_US, KEEP_US)
    may_go &= ~np.isin(mmsi[first], gate.watched)
    wanted = rows.size - np.count_nonzero(stale) - (gate.most - gate.most // FREE_SHARE)
    in_turn = np.lexsort((mmsi[first], last, ~few))
    in_turn = in_turn[may_go[in_turn]]
    frees = np.add.reduceat((~stale).astype(np.int64), first)[in_turn]
    goes = np.zeros(first.size, np.bool_)
    goes[in_turn[np.cumsum(frees) - frees < wanted]] = True
    return np.sort(order[~(stale | np.repeat(goes, hulls))])


def remembered(before: NDArray[Any], gone: NDArray[Any], gate: Gate) -> NDArray[Any]:
    """Hulls that were let go, with those that go now, which it counts: the newest last, a quarter of the bound at most.

    One that was heard fewer than `CONFIRMED` times is not remembered.
    """
    gate.clocks[GONE] += np.count_nonzero(gone["hull"] == 0)
    heard = gone[gone["n"] >= CONFIRMED]
    both = np.concatenate([before[~np.isin(before["mmsi"], heard["mmsi"])], heard])
    return both[-(gate.bound // FREE_SHARE) :]
