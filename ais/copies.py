"""Copies: one transmission heard by several stations, or sent twice through a network, is one message.

A message whose payload was heard within 10 s of event time before is a copy of that first one (the window of DMA's
AisLib). Its own row stays marked with the number of the first; counts and stations are kept with the first. Without a
time nothing is folded: a moored ship repeats itself, and that is no copy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.records import doubtful, reject
from ais.status import DUPLICATE
from ais.table import NAT
from geo.kernel import kernel, records

WINDOW_US = 10_000_000
HEARD_SLOTS = 1 << 17
"""Messages among which a copy is looked for: 10 s of the whole world's AIS are about 20,000."""
_PROBES = 4

HEARD = np.dtype([("hash", "u8"), ("t", "i8"), ("number", "i8")], align=True)

_FACTOR, _HALF = np.uint64(0x9E3779B97F4A7C15), np.uint64(29)


@kernel
def find_copies(rows, n, words, heard, tally):
    """Mark the copies among the rows. One of a doubtful message is none: the sound one must not give way to it."""
    for i in range(n):
        row = rows[i]
        if row.msg_type == 0 or row.t == NAT or doubtful(row.status):
            continue
        key = np.uint64(row.n_bits)
        for k in range((row.n_bits + 47) // 48):
            key = (key ^ words[row.words + k]) * _FACTOR
            key ^= key >> _HALF
        oldest, t_oldest = 0, np.int64(0x7FFFFFFFFFFFFFFF)
        for probe in range(_PROBES):
            at = (np.int64(key >> np.uint64(40)) + probe) & (HEARD_SLOTS - 1)
            slot = heard[at]
            if slot.hash == key and slot.t != NAT and abs(row.t - slot.t) <= WINDOW_US:
                row.copy_of = slot.number
                row.status = DUPLICATE
                reject(tally, DUPLICATE, row.offset, row.n_bytes)
                break
            if slot.t < t_oldest:
                oldest, t_oldest = at, slot.t
        else:
            slot = heard[oldest]
            slot.hash, slot.t, slot.number = key, row.t, row.number


def new_heard() -> Any:
    """An empty memory of what was heard."""
    heard = records(HEARD, HEARD_SLOTS)
    heard["t"] = NAT
    return heard


class Copies:
    """What was heard again: of each copy the first message, the station and the time."""

    def __init__(self) -> None:
        self._pieces: list[tuple[NDArray[Any], ...]] = []

    def __add__(self, other: Copies) -> Copies:
        """Those of both."""
        both = Copies()
        both._pieces = self._pieces + other._pieces
        return both

    def note(self, rows: NDArray[Any]) -> None:
        """Keep the copies among messages."""
        again = rows[(rows["copy_of"] >= 0) & (rows["msg_type"] != 0)]
        self._pieces.append((again["copy_of"].copy(), again["station"].copy(), again["t"].copy()))

    def of(self, numbers: NDArray[np.int64], t: NDArray[np.int64]) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
        """How often each message was heard, and when first.

        Parameters
        ----------
        numbers : (n,) of the messages, ascending
        t : (n,) their times, µs

        Returns
        -------
        copies : (n,) uint16, 1 for a message heard once
        first : (n,) int64 µs, the earliest time of it and its copies
        """
        copies, first = np.ones(numbers.size, np.int64), t.copy()
        for firsts, _, times in self._pieces:
            at = np.searchsorted(numbers, firsts)
            known = at < numbers.size
            known[known] = numbers[at[known]] == firsts[known]
            np.add.at(copies, at[known], 1)
            np.minimum.at(first, at[known], times[known])
        return np.minimum(copies, 65_535).astype(np.uint16), first

    def stations(self, numbers: NDArray[np.int64], first: NDArray[np.uint32]) -> NDArray[np.uint16]:
        """By how many known stations each message was heard.

        Parameters
        ----------
        numbers : (n,) of the messages, ascending
        first : (n,) the station that heard each first, 0 unknown
        """
        count = (first != 0).astype(np.int64)
        firsts = np.concatenate([np.zeros(0, np.int64), *(piece[0] for piece in self._pieces)])
        stations = np.concatenate([np.zeros(0, np.uint32), *(piece[1] for piece in self._pieces)])
        at = np.searchsorted(numbers, firsts)
        known = (at < numbers.size) & (stations != 0)
        known[known] = numbers[at[known]] == firsts[known]
        pairs = np.unique(np.stack([at[known], stations[known].astype(np.int64)]), axis=1)
        again = pairs[0][pairs[1] != first[pairs[0]]]
        np.add.at(count, again, 1)
        heard_by: NDArray[np.uint16] = np.minimum(count, 65_535).astype(np.uint16)
        return heard_by
