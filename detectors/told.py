"""What was told of events, and what is to be told now: events are known by a hash of what their id is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.identity_stream import Ships, among
from detectors.event import EVENT, Events, joined_events
from detectors.finish import event_order
from detectors.registry import detector_of_kind

CHANGES = ("opened", "updated", "closed", "superseded", "retracted")
"""Opened and updated events go on; a closed one has ended; a superseded one had been told as ended, and is now told
otherwise; a retracted one is none any more, by what came late."""
OPENED, UPDATED, CLOSED, SUPERSEDED, RETRACTED = range(5)
_NOTHING = 255

SCORE_STEP = 0.05
"""A score that moves by less is not worth telling."""
PACKED = np.dtype([(name, EVENT[name]) for name in EVENT.names or ()])
"""A record of `EVENT` without padding, whose bytes are the same when its values are."""
_SAID = ("open", "t_start", "t_end", "first_offset", "last_offset", "other_first_offset", "other_last_offset")
"""Fields that make another event of one that has ended; a fix more or less between its ends does not."""

Keys = NDArray[np.uint64]


class Naming:
    """How events are known: 64 bits of what names them, as their ids have."""

    def __init__(self) -> None:
        self._family = np.arange(256, dtype=np.uint64)
        self._labelled, self.goes_on = np.zeros(256, np.bool_), np.zeros(256, np.bool_)
        for kind, detector in detector_of_kind().items():
            self.goes_on[kind] = getattr(detector, "goes_on", False)
            self._family[kind] = min(k for k, other in detector_of_kind().items() if other is detector)
            self._labelled[kind] = detector.label_in_id

    def is_over(self, records: NDArray[Any], limit: int, old: int) -> NDArray[np.bool_]:
        """Whether events may be let go of: have they ended before `limit`, or where they have no end, before `old`?"""
        return is_final(records, np.where(self.goes_on[records["kind"]], old, limit))

    def keys(self, records: NDArray[Any]) -> Keys:
        """The key of each event."""
        label = np.where(self._labelled[records["kind"]], records["label"], 0).astype(np.uint64)
        parts = [self._family[records["kind"]], label, *(records[name] for name in ("hull", "other_hull"))]
        who = parts[0].astype(np.uint64)
        for part in parts[1:]:
            who = who << np.uint64(8) | part.astype(np.uint64)
        ships = records["mmsi"].astype(np.uint64) << np.uint64(32) | records["other"].astype(np.uint64)
        return mixed(mixed(mixed(who) ^ ships) ^ records["t_start"].astype(np.uint64))


def mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of SplitMix64 (Steele et al. 2014): each bit depends on all."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ x >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ x >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return x ^ x >> np.uint64(31)


class News(NamedTuple):
    """What is to be told: events, how they changed, and how often each was told, this time included."""

    records: NDArray[Any]
    change: NDArray[np.uint8]
    revision: NDArray[np.uint32]


class Told:
    """The events that were told, each as it was last told; those taken back too, so that their revisions go on.

    Rows are in the order in which they were first told.
    """

    def __init__(self, arrays: dict[str, NDArray[Any]] | None = None) -> None:
        self.naming = Naming()
        arrays = arrays if arrays is not None else self.empty()
        self.records, self.told = arrays["records"].view(EVENT), arrays["told"]
        self.revision, self.retracted = arrays["revision"], arrays["retracted"]
        self.let_be = 0
        """Events that were final because nothing is known of their ship any more."""
        self._index()

    @staticmethod
    def empty() -> dict[str, NDArray[Any]]:
        """The arrays of one that has told nothing."""
        types: dict[str, Any] = {"records": EVENT, "told": "i8", "revision": "u4", "retracted": "?"}
        return {name: np.zeros(0, dtype) for name, dtype in types.items()}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that it knows; `told` is when each event was last told, in µs."""
        return {name: getattr(self, name) for name in self.empty()}

    def _index(self) -> None:
        keys = self.naming.keys(self.records)
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]

    def rows(self, keys: Keys) -> NDArray[np.int64]:
        """The row of each event, -1 for those that were never told."""
        if not self._keys.size:
            return np.full(keys.size, -1)
        at = np.minimum(np.searchsorted(self._keys, keys), self._keys.size - 1)
        return np.where(self._keys[at] == keys, self._order[at], -1)

    def compare(
        self, records: NDArray[Any], present: Keys, heard: Ships, now: int, *, update_us: float, final: int,
        last: bool = False,
    ) -> News:  # fmt: skip
        """What is to be told of these events as they are now, the last time all; what was told is what is, then.

        Parameters
        ----------
        records : events that may have changed
        present : keys of all events that there are; those told that are not among them are taken back
        heard : ships of which the engine knows: of others events without an end are final when they are not present
        now : when it is told, in µs
        update_us : time after which an event that goes on is told again though nothing said of it has changed
        final : events that ended before this are told no more
        """
        self._let_be(present, heard)
        keys = self.naming.keys(records)
        rows = self.rows(keys)
        change = self._changes(records, rows, now - update_us, last)
        change[(rows < 0) & is_final(records, final)] = _NOTHING
        gone = np.flatnonzero(~self.retracted & ~np.isin(self.records_keys(), present))
        gone = gone[event_order(self.records[gone])]
        tell = np.flatnonzero(change != _NOTHING)
        tell = tell[event_order(records[tell])]
        revision = np.where(rows[tell] >= 0, self.revision[rows[tell]] if self.revision.size else 0, 0) + 1
        news = News(
            joined_events(records[tell], self.records[gone]),
            np.concatenate([change[tell], np.full(gone.size, RETRACTED, np.uint8)]),
            np.concatenate([revision, self.revision[gone] + 1]).astype(np.uint32),
        )
        self.retracted[gone], self.told[gone] = True, now
        self.revision[gone] += 1
        self._take(records[tell], rows[tell], revision, now)
        return news

    def _let_be(self, present: Keys, heard: Ships) -> None:
        """Let go of events that are final because a ship of theirs is: nothing says that they were none."""
        pair = self.records["other"] != 0
        unknown = ~among(self.records["mmsi"], heard) | pair & ~among(self.records["other"], heard)
        at = np.flatnonzero(unknown & self.naming.goes_on[self.records["kind"]] & ~self.retracted)
        at = at[~np.isin(self.records_keys()[at], present)]
        if at.size:
            self.let_be += at.size
            self._keep(np.delete(np.arange(self.told.size), at))

    def _keep(self, rows: NDArray[Any]) -> None:
        for name, array in self.arrays().items():
            setattr(self, name, array[rows])
        self._index()

    def withdraw(self, now: int) -> News:
        """All events that go on, taken back."""
        gone = np.flatnonzero(~self.retracted & (self.records["open"] == 1))
        gone = gone[event_order(self.records[gone])]
        self.retracted[gone], self.told[gone] = True, now
        self.revision[gone] += 1
        change = np.full(gone.size, RETRACTED, np.uint8)
        return News(self.records[gone], change, self.revision[gone].astype(np.uint32))

    def taken_back(self, kinds: Sequence[int]) -> Told:
        """The events of these kinds as if each had been taken back: told again, they go on in their revisions."""
        of_kind = np.isin(self.records["kind"], kinds)
        arrays = {name: array[of_kind] for name, array in self.arrays().items()}
        return Told({**arrays, "retracted": np.ones_like(arrays["retracted"])})

    def records_keys(self) -> Keys:
        """The key of each row."""
        keys = np.empty(self._keys.size, np.uint64)
        keys[self._order] = self._keys
        return keys

    def _changes(self, records: NDArray[Any], rows: NDArray[np.int64], due: float, last: bool) -> NDArray[np.uint8]:
        """How each event changed."""
        change = np.where(records["open"] == 1, OPENED, CLOSED).astype(np.uint8)
        old = np.flatnonzero(rows >= 0)
        old = old[~self.retracted[rows[old]]]
        was, now = self.records[rows[old]], records[old]
        renamed, was_open = is_renamed(was, now), was["open"] == 1
        late = self.told[rows[old]] <= due
        words = np.select(
            [
                same_bytes(was, now),
                ~was_open & (last | renamed | is_other(was, now)),
                was_open & (now["open"] != 1),
                was_open & (last | renamed | late),
            ],
            [_NOTHING, SUPERSEDED, CLOSED, UPDATED],
            _NOTHING,
        )
        change[old] = words
        return change

    def _take(self, records: NDArray[Any], rows: NDArray[np.int64], revision: NDArray[Any], now: int) -> None:
        """Events as they are told now."""
        new, old = rows < 0, rows[rows >= 0]
        self.records[old], self.told[old], self.retracted[old] = records[~new], now, False
        self.revision[old] = revision[~new]
        if not new.any():
            return
        n = int(np.count_nonzero(new))
        keys, first = self.naming.keys(records[new]), self.records.size
        self.records = joined_events(self.records, records[new])
        self.told = np.append(self.told, np.full(n, now))
        self.revision = np.append(self.revision, np.ones(n, np.uint32))
        self.retracted = np.append(self.retracted, np.zeros(n, np.bool_))
        order = np.argsort(keys, kind="stable")
        at = np.searchsorted(self._keys, keys[order])
        self._keys, self._order = np.insert(self._keys, at, keys[order]), np.insert(self._order, at, first + order)

    def ends(self) -> NDArray[np.int64]:
        """When events ended, or were taken back, in µs, without those that go on, and those that have no end."""
        ended = (self.records["open"] != 1) & ~self.naming.goes_on[self.records["kind"]]
        ends = np.where(self.retracted, self.told, self.records["t_end"])
        return np.asarray(ends[ended | self.retracted])

    def forget(self, limit: int, old: int) -> NDArray[Any]:
        """Let go of events that ended before a time in µs, those without an end before another one; these events."""
        gone = np.where(self.retracted, self.told < limit, self.naming.is_over(self.records, limit, old))
        if not gone.any():
            return np.zeros(0, EVENT)
        records = np.asarray(self.records[gone & ~self.retracted])
        self._keep(~gone)
        return records


def is_final(records: NDArray[Any], limit: int | NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether events have ended before a time in µs, one for all or one for each."""
    return np.asarray((records["open"] != 1) & (records["t_end"] < limit))


def same_bytes(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether events are the same in all that they say; what is not known is the same as what is not known."""
    a, b = (np.ascontiguousarray(records.astype(PACKED)).view(np.uint8) for records in (one, other))
    return np.asarray((a.reshape(-1, PACKED.itemsize) == b.reshape(-1, PACKED.itemsize)).all(axis=1))


def is_renamed(was: NDArray[Any], now: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether events are called otherwise, or how sure they are has changed."""
    unknown = np.isnan(was["score"]) & np.isnan(now["score"])
    moved = ~(np.abs(was["score"].astype("f8") - now["score"].astype("f8")) < SCORE_STEP) & ~unknown
    return np.asarray((was["kind"] != now["kind"]) | (was["label"] != now["label"]) | moved)


def is_other(was: NDArray[Any], now: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether events that have ended are others than were told; of facts and counts changes are not worth telling."""
    other = np.zeros(was.size, np.bool_)
    for name in _SAID:
        other |= was[name] != now[name]
    return other


class Changes(Events):
    """Events that changed: `change` (see `CHANGES`), `revision` (1 when first told), and the columns of `Events`.

    `vessels` and `identity` are those of the ships in these events, None where nothing changed.
    """

    words: ClassVar[Mapping[str, Sequence[str]]] = {**Events.words, "change": CHANGES}
