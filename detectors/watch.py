"""Events as they happen: what each new piece of a feed opens, updates, closes, supersedes and retracts.

At every step of event time the events found so far, those still going on among them, are compared with those told
before, by id. So a silence is announced while it lasts, and what is told of an event can change as more becomes known.

Rows that come too late for the engine are not lost. Copies of the engine's state are kept for `history_s`, and the rows
since; a late row starts the same loop again from the copy before it, and the difference of the events is told. When all
rows have come, the newest of what was told is what `detect` finds in all of them. Rows older than the oldest copy are
counted as late.

Memory: the rows of `history_s` (at most `max_rows`) x 62 B, five states of the engine, and the events of `forget_s` x
2 records of `EVENT`. Older events are final: they are told no more, and later ones no longer depend on them.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.identity import identities
from ais.table import NAT, STATIC_DTYPES, Fixes, Static, columns_of
from detectors.engine import LATENESS_S, Engine, row_dtypes
from detectors.event import EVENT, Events
from detectors.finish import sorted_events
from detectors.registry import detector_of_kind
from detectors.snapshot import State, read_state, write_state
from geo.anchorages import Anchorages
from geo.errors import UsageError

CHANGES = ("opened", "updated", "closed", "superseded", "retracted")
"""Opened and updated events go on; a closed one has ended; a superseded one had been told as ended, and is now told
otherwise; a retracted one is none any more, by what came late."""
OPENED, UPDATED, CLOSED, SUPERSEDED, RETRACTED = range(5)

STEP_S = 600
"""Ten minutes of event time between two looks: the delay of an announcement, beside the lateness."""
HISTORY_S = 6 * 3600
"""Satellite batches come up to some hours late (Skylight tells of 1 to 7 h)."""
FORGET_S = 90 * 86_400
UPDATE_S = 3600
"""An event that goes on is told again at most once an hour, unless what it is called changes."""
SCORE_STEP = 0.05
STATES = 4
"""Steps of the history at which a state is kept."""

_PACKED = np.dtype([(name, EVENT[name]) for name in EVENT.names or ()])
_WHO = ("label", "mmsi", "hull", "other", "other_hull", "t_start")


class Changes(Events):
    """Events that changed: `change` (see `CHANGES`), `revision` (1 when first told), and the columns of `Events`."""

    words: ClassVar[Mapping[str, Sequence[str]]] = {**Events.words, "change": CHANGES}


class _Told(NamedTuple):
    """What was last told of an event."""

    record: bytes
    revision: int
    t_told: int


class _Point(NamedTuple):
    """A state of the engine, with what had been found and had arrived by then."""

    state: State
    released: int
    found: int
    rows: int


class Watch:
    """A feed in, changes of events out: `feed` pieces of any size, `flush` at the end of the input.

    Parameters
    ----------
    detectors, params, anchorages, lateness_s, threads
        As for `detectors.engine.Engine`.
    step_s : seconds of event time between two looks
    history_s : seconds for which rows may come late
    max_rows : rows kept for late ones at most; beyond, the history gets shorter
    forget_s : seconds after which an event that has ended is final

    >>> hour, ship = np.repeat(np.arange(16), 3), np.tile(671999101 + np.arange(3), 16)
    >>> rows = {"t": hour * 3_600_000_000, "mmsi": ship, "lat": 35.0 + ship % 3, "lon": 129.0 + hour / 100}
    >>> fixes = Fixes(rows).take((ship != 671999101) | (hour < 4) | (hour > 12))
    >>> watch = Watch(["dark"], lateness_s=0)
    >>> for part in (slice(0, 30), slice(30, None)):
    ...     changes = watch.feed(fixes.take(part))
    ...     print([CHANGES[change] for change in changes["change"]])
    ['opened', 'updated', 'updated']
    ['updated', 'closed']
    """

    def __init__(
        self,
        detectors: Sequence[str] | None = None,
        params: Mapping[str, Any] | None = None,
        *,
        anchorages: Anchorages | None = None,
        lateness_s: float = LATENESS_S,
        step_s: float = STEP_S,
        history_s: float = HISTORY_S,
        max_rows: int = 50_000_000,
        forget_s: float = FORGET_S,
        threads: int = 1,
    ) -> None:
        if min(step_s, history_s, max_rows, forget_s) <= 0:
            raise UsageError(
                f"step_s, history_s, max_rows and forget_s must be positive, not {step_s}, {history_s}, {max_rows}, "
                f"{forget_s}"
            )
        self.engine = Engine(detectors, params, anchorages=anchorages, lateness_s=lateness_s, threads=threads)
        self._step_us, self._history_us, self._forget_us = (round(s * 1e6) for s in (step_s, history_s, forget_s))
        self._max_rows = max_rows
        self._rows: list[dict[str, NDArray[Any]]] = []
        self._found: NDArray[Any] = np.zeros(0, EVENT)
        self._points = [_Point(self.engine.state(), NAT, 0, 0)]
        self._static = columns_of(STATIC_DTYPES, 0)
        self._sources: list[str] = []
        self._told: dict[bytes, _Told] = {}
        self._looked = NAT
        self._families = np.arange(256, dtype=np.uint8)
        self._labelled = np.zeros(256, np.bool_)
        for kind, detector in detector_of_kind().items():
            self._families[kind] = min(k for k, other in detector_of_kind().items() if other is detector)
            self._labelled[kind] = detector.label_in_id

    @property
    def counts(self) -> dict[str, int]:
        """Rows that no detector used, by reason."""
        return self.engine.counts

    def feed(self, fixes: Fixes) -> Changes:
        """Take rows, and static reports with them, in order of arrival; what they change."""
        rows = {name: np.ascontiguousarray(fixes[name], dtype) for name, dtype in row_dtypes().items()}
        rows["source"] = self._source_of(fixes.sources, rows["source"])
        static = {name: np.concatenate([column, fixes.static[name]]) for name, column in self._static.items()}
        self._static = static if len(fixes.static) else self._static
        newest = np.maximum.accumulate(rows["t"])
        cuts = [0, *(np.flatnonzero(np.diff(newest // self._step_us)) + 1).tolist(), newest.size]
        told = []
        for begin, end in itertools.pairwise(cuts):
            late = self._take({name: column[begin:end] for name, column in rows.items()})
            told += self._look(late)
        return self._changes(told)

    def flush(self) -> Changes:
        """The input has ended: what the rows that waited change, and what stays open."""
        self._found = np.concatenate([self._found, self.engine.flush()])
        return self._changes(self._compare(self.engine.conclude(self._found, self._identity())[0], last=True))

    def events(self) -> Events:
        """All events as they were last told, those that are final left out."""
        records = np.array([self._record(told) for told in self._told.values()], EVENT)
        return self.engine.table(sorted_events(records), self._identity(), self._sources, {})

    def save(self, path: str | Path) -> None:
        """Write the whole state to a file; `load` goes on from the next row."""
        state: State = {f"now.{name}": array for name, array in self.engine.state().items()}
        for k, point in enumerate(self._points):
            state |= {f"{k}.{name}": array for name, array in point.state.items()}
        state |= {f"rows.{name}": column for name, column in self._arrived().items()}
        state |= {f"static.{name}": column for name, column in self._static.items()}
        told = list(self._told.values())
        state["found"] = self._found
        state["told"] = np.frombuffer(b"".join(one.record for one in told), np.uint8)
        state["revisions"] = np.array([(one.revision, one.t_told) for one in told], np.int64).reshape(-1, 2)
        points = [[point.released, point.found, point.rows] for point in self._points]
        header = {"params": self.engine.params(), "points": points, "sources": self._sources, "looked": self._looked}
        write_state(path, state, header)

    def load(self, path: str | Path) -> None:
        """Take the state of a watch with the same detectors and parameters from a file."""
        state, header = read_state(path)
        if header["params"] != json.loads(json.dumps(self.engine.params())):
            raise UsageError(f"{path}: saved with other detectors or parameters; start anew or use the same")
        part = _parts(state)
        self.engine.resume(part["now"])
        self._points = [_Point(part[str(k)], *numbers) for k, numbers in enumerate(header["points"])]
        self._rows, self._static = [part["rows"]], part["static"]
        self._found, self._sources, self._looked = state["found"].view(EVENT), header["sources"], header["looked"]
        records = np.frombuffer(state["told"].tobytes(), _PACKED).astype(EVENT)
        self._told = {
            key: _Told(record, *numbers)
            for key, record, numbers in zip(
                self._keys(records), _bytes_of(records), state["revisions"].tolist(), strict=True
            )
        }

    def _source_of(self, names: Sequence[str], source: NDArray[np.uint16]) -> NDArray[np.uint16]:
        """The inputs of these rows among all inputs of the feed."""
        for name in names:
            if name not in self._sources:
                self._sources.append(name)
        places = np.array([self._sources.index(name) for name in names], np.uint16)
        return places[source] if places.size else source

    def _arrived(self) -> dict[str, NDArray[Any]]:
        """All rows that are kept, in the order of arrival."""
        pieces = self._rows or [{name: np.zeros(0, dtype) for name, dtype in row_dtypes().items()}]
        return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}

    def _take(self, rows: dict[str, NDArray[Any]]) -> bool:
        """Feed rows to the engine, from an earlier state where some come too late; whether they did."""
        released, oldest = self.engine.released, self._points[0].released
        late = (rows["t"] != NAT) & (rows["t"] < released) & (rows["t"] >= oldest)
        again = bool(late.any())
        if again:
            earliest = int(rows["t"][late].min())
            while self._points[-1].released > earliest:
                self._points.pop()
            point = self._points[-1]
            self.engine.resume(point.state)
            self._found = self._found[: point.found]
            self._rows.append(rows)
            arrived = self._arrived()
            self._rows = [arrived]
            rows = {name: column[point.rows :] for name, column in arrived.items()}
        else:
            self._rows.append(rows)
        self._found = np.concatenate([self._found, self.engine.feed(rows)])
        self._keep()
        return again

    def _keep(self) -> None:
        """Keep a state when it is time, and drop the oldest that no late row needs any more."""
        released = self.engine.released
        if released == NAT:
            return
        last = self._points[-1].released
        if last == NAT or released - last >= self._history_us // STATES:
            n = sum(piece["t"].size for piece in self._rows)
            self._points.append(_Point(self.engine.state(), released, self._found.size, n))
        while len(self._points) > 2 and (
            self._points[1].released <= released - self._history_us
            or self._points[-1].rows - self._points[0].rows > self._max_rows
        ):
            del self._points[0]
            arrived, begin = self._arrived(), self._points[0].rows
            self._rows = [{name: column[begin:] for name, column in arrived.items()}]
            self._points = [point._replace(rows=point.rows - begin) for point in self._points]

    def _forget(self) -> None:
        """Let go of events that ended too long ago to change."""
        limit = self.engine.released - self._forget_us
        old = self._found["t_end"] < limit
        if not old[: self._points[0].found].any():
            return
        gone = np.flatnonzero(old[: self._points[0].found])
        self._found = np.delete(self._found, gone)
        self._points = [point._replace(found=point.found - gone.size) for point in self._points]
        final = [key for key, told in self._told.items() if self._record(told)["t_end"] < limit]
        for key in final:
            del self._told[key]

    def _look(self, again: bool) -> list[tuple[int, int, Any]]:
        """Compare the events with those told, when a step is over or rows came late."""
        released = self.engine.released
        if released == NAT or not (again or self._looked == NAT or released - self._looked >= self._step_us):
            return []
        self._looked = released
        self._forget()
        records = np.concatenate([self._found, self.engine.standing()])
        return self._compare(self.engine.conclude(records, self._identity())[0])

    def _compare(self, records: NDArray[Any], last: bool = False) -> list[tuple[int, int, Any]]:
        """(change, revision, record) of each event that is to be told, the last time all; what was told is what is."""
        changes, keys = [], self._keys(records)
        now = self.engine.released
        for key, packed, record in zip(keys, _bytes_of(records), records, strict=True):
            before = self._told.get(key)
            change = self._change(before, packed, record, last)
            if change is not None:
                revision = before.revision + 1 if before is not None else 1
                self._told[key] = _Told(packed, revision, now)
                changes.append((change, revision, record))
        for key in self._told.keys() - set(keys):
            gone = self._told.pop(key)
            changes.append((RETRACTED, gone.revision + 1, self._record(gone)))
        return changes

    def _change(self, before: _Told | None, packed: bytes, record: Any, last: bool) -> int | None:
        """What is to be told of an event; None for nothing."""
        if before is None:
            return OPENED if record["open"] else CLOSED
        if before.record == packed:
            return None
        was = self._record(before)
        if not was["open"]:
            return SUPERSEDED
        if not record["open"]:
            return CLOSED
        renamed = was["kind"] != record["kind"] or was["label"] != record["label"]
        moved = abs(float(was["score"]) - float(record["score"])) >= SCORE_STEP
        return (
            UPDATED
            if last or renamed or moved or self.engine.released - before.t_told >= UPDATE_S * 1_000_000
            else None
        )

    def _keys(self, records: NDArray[Any]) -> list[bytes]:
        """What the id of each event is made of."""
        keys = np.zeros(records.size, np.dtype([("family", "u1"), *((name, EVENT[name]) for name in _WHO)]))
        for name in _WHO:
            keys[name] = records[name]
        keys["family"] = self._families[records["kind"]]
        keys["label"][~self._labelled[records["kind"]]] = 0
        return _cut(keys)

    @staticmethod
    def _record(told: _Told) -> Any:
        return np.frombuffer(told.record, _PACKED).astype(EVENT)[0]

    def _identity(self) -> Any:
        return identities(Static(self._static))

    def _changes(self, told: list[tuple[int, int, Any]]) -> Changes:
        records = np.array([record for _, _, record in told], EVENT)
        events = self.engine.table(records, self._identity(), self._sources, {})
        columns: dict[str, NDArray[Any]] = {
            "change": np.array([change for change, _, _ in told], np.uint8),
            "revision": np.array([revision for _, revision, _ in told], np.uint32),
            **events.columns,
        }
        return Changes(columns, events.vessels, events.identity, events.sources, events.params, events.counts)


def _cut(rows: NDArray[Any]) -> list[bytes]:
    """Each row of unpadded records as bytes."""
    size = rows.dtype.itemsize
    data = rows.tobytes()
    return [data[k * size : (k + 1) * size] for k in range(rows.size)]


def _bytes_of(records: NDArray[Any]) -> list[bytes]:
    """Each event as bytes in which padding does not stand."""
    return _cut(records.astype(_PACKED))


def _parts(state: State) -> dict[str, State]:
    """Arrays by what stands before the first full stop of their names."""
    parts: dict[str, State] = {}
    for name, array in state.items():
        head, _, rest = name.partition(".")
        parts.setdefault(head, {})[rest] = array
    return parts
