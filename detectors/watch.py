"""Events as they happen: what each new piece of a feed opens, updates, closes, supersedes and retracts.

At every step of event time the events found so far, those still going on among them, are compared with those told
before, by id. So a silence is announced while it lasts, and what is told of an event can change as more becomes known.

Rows that come too late for the engine are not lost. Copies of the engine's state are kept for `history_s`, and the rows
since; a late row starts the same loop again from the copy before it, and the difference of the events is told. When all
rows have come, the newest of what was told is what `detect` finds in all of them. Rows older than the oldest copy are
counted as late.

A look costs in proportion to what changed since the last (`detectors.conclusions`), and little for each event kept.

Memory: the rows of 5/4 `history_s` (at most 5/4 `max_rows`) x 52 B and nine states of the engine at most (five as a
rule), both in files where a `spool` is given; the engine itself, the events of `forget_s` x 3 records of `EVENT`, the
names of 65,535 inputs at most, and static reports x 129 B: twice those of `history_s`, and four for each change of what
a ship said before. Events older than `forget_s` are final: they are told no more, and later ones no longer depend on
them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.identity_stream import among
from ais.table import NAT, STATIC_DTYPES, Fixes, Static
from detectors.conclusions import Conclusions, Turn, ships_in
from detectors.engine import LATENESS_S, Engine, row_dtypes
from detectors.event import EVENT, Events
from detectors.finish import sorted_events
from detectors.history import Arrived, Inputs, Piece, Rows, by_time
from detectors.reports import CONDENSED_ROWS, FEWEST_CONDENSED, LET_GO, MOST_REPORTS, Reports, Saved, Span
from detectors.snapshot import Column, check_alike, parts_of, put_state, read_state
from detectors.spool import Memory, Spool
from detectors.told import CHANGES, CLOSED, OPENED, RETRACTED, SUPERSEDED, UPDATED, Changes, News, Told
from geo.anchorages import Anchorages
from geo.errors import UsageError
from geo.whole_file import replacing, sync

__all__ = ("CHANGES", "CLOSED", "OPENED", "RETRACTED", "SUPERSEDED", "UPDATED", "Changes", "Watch")

STEP_S = 600
"""Ten minutes of event time between two looks: the delay of an announcement, beside the lateness."""
HISTORY_S = 6 * 3600
"""Satellite batches come up to some hours late (Skylight tells of 1 to 7 h)."""
FORGET_S = 90 * 86_400
UPDATE_S = 6 * 3600
"""An event that goes on is told again four times a day, and sooner where its kind, label or score changes."""
TOGETHER_S = 3600
"""What follows from all ships together rests on silences of hours; an hour more is soon enough."""
STATES = 4
"""Steps of the history at which a state is kept."""
_SHELVED = ("points", "pieces", "reports", "spans")
"""What lies on the shelf, in the order in which a saved state names it."""


class _Point(NamedTuple):
    """A state of the engine, on the shelf, with what had been found and had arrived by then."""

    state: Any
    counts: NDArray[np.int64]
    released: int
    found: int
    rows: int


class Watch:
    """A feed in, changes of events out: `feed` pieces of any size, `flush` at the end of the input.

    Parameters
    ----------
    detectors, params, anchorages, lateness_s, max_vessels, threads
        As for `detectors.engine.Engine`.
    step_s : seconds of event time between two looks
    history_s : seconds for which rows may come late
    max_rows : rows kept for late ones at most; beyond, the history gets shorter
    max_reports : static reports kept for late ones at most; beyond, those of `history_s` that only repeat are counted,
        and kept no more
    forget_s : seconds after which an event that has ended is final
    update_s : seconds after which an event that goes on is told again though nothing that is said of it has changed:
        its kind, its label, its score by 0.05, its end
    spool : a folder of its own for rows that wait, and for the rows and states that late rows need; None keeps them in
        memory
    together_s : seconds between two looks at what follows from all ships together: dark rendezvous, changes of MMSI

    >>> hour, ship = np.repeat(np.arange(16), 3), np.tile(671999101 + np.arange(3), 16)
    >>> rows = {"t": hour * 3_600_000_000, "mmsi": ship, "lat": 35.0 + ship % 3, "lon": 129.0 + hour / 100}
    >>> fixes = Fixes(rows).take((ship != 671999101) | (hour < 4) | (hour > 12))
    >>> watch = Watch(["dark"], lateness_s=0)
    >>> for part in (slice(0, 30), slice(30, None)):
    ...     changes = watch.feed(fixes.take(part))
    ...     print([CHANGES[change] for change in changes["change"]])
    ['opened']
    ['closed']
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
        max_reports: int = MOST_REPORTS,
        max_vessels: int | None = None,
        forget_s: float = FORGET_S,
        update_s: float = UPDATE_S,
        together_s: float = TOGETHER_S,
        threads: int = 1,
        spool: str | Path | None = None,
    ) -> None:
        times = {"step_s": step_s, "history_s": history_s, "forget_s": forget_s, "update_s": update_s}
        times["together_s"] = together_s
        for name, value in times.items():
            if not 1e-3 <= value <= 1e10:
                raise UsageError(f"{name} must be positive, not {value}: give seconds from 0.001 to 1e10")
        for name, rows in {"max_rows": max_rows, "max_reports": max_reports}.items():
            if not rows >= 1:
                raise UsageError(f"{name} must be positive, not {rows}: give a number of rows")
        self.shelf = Spool(spool) if spool is not None else Memory()
        bounds: dict[str, Any] = {"lateness_s": lateness_s, "max_vessels": max_vessels}
        self.engine = Engine(detectors, params, anchorages=anchorages, threads=threads, folder=spool, **bounds)
        spans = [max(1, round(s * 1e6)) for s in times.values()]
        self._step_us, self._history_us, self._forget_us, self._update_us, self._together_us = spans
        self._between_us = max(1, self._history_us // STATES)
        self._max_rows, self._max_reports, self._max_vessels = max_rows, max_reports, max_vessels
        self._arrived = Arrived({name: np.zeros(0, dtype) for name, dtype in row_dtypes().items()}, self.shelf)
        self._ended: NDArray[Any] = np.zeros(0, EVENT)
        self._fresh: list[NDArray[Any]] = []
        self._points = [self._point(NAT, 0)]
        self._reports, self._inputs = self._new_reports(), Inputs()
        self._conclusions = Conclusions(self.engine, self._step_us, self._update_us, self._together_us)
        self._told = Told()
        self._looked = self._final = NAT
        self._nothing: Changes | None = None

    def _new_reports(self, saved: Saved | None = None) -> Reports:
        """Static reports: none, or those that were saved."""
        vessels = self._max_vessels
        bound = max(FEWEST_CONDENSED, CONDENSED_ROWS * vessels) if vessels is not None else None
        followed = lambda: self.engine.hulls["mmsi"]  # noqa: E731
        return Reports(self.shelf, self._max_reports, saved, most_condensed=bound, followed=followed)

    @property
    def _found(self) -> NDArray[Any]:
        """The events that have ended, as the engine found them."""
        if self._fresh:  # joined when they are looked at, and not at each of many small pieces of a feed
            self._ended, self._fresh = np.concatenate([self._ended, *self._fresh]), []
        return self._ended

    @_found.setter
    def _found(self, records: NDArray[Any]) -> None:
        self._ended, self._fresh = records, []

    @property
    def counts(self) -> dict[str, int]:
        """Rows that no detector used, by reason, and static reports that were let go of."""
        let_go = {LET_GO: self._reports.let_go} if self._reports.let_go else {}
        return {**self.engine.counts, **let_go}

    @property
    def rows(self) -> int:
        """Rows that are kept for late ones."""
        return self._arrived.size

    @property
    def reports(self) -> int:
        """Static reports that are kept for late ones."""
        return self._reports.recent

    def feed(self, fixes: Fixes) -> Changes:
        """Take rows, and static reports with them, in order of arrival; what they change."""
        rows = {name: np.ascontiguousarray(fixes[name], dtype) for name, dtype in row_dtypes().items()}
        codes = self._inputs.codes(fixes.sources, [rows["source"], fixes.static["source"]])
        rows["source"] = codes[0]
        self._reports.add({**fixes.static.columns, "source": codes[1]})
        news = [self._look(self._take(part)) for part in self._steps(rows)]
        return self._changes([one for one in news if one is not None])

    def _steps(self, rows: Rows) -> Iterator[Rows]:
        """The rows cut where a step of event time ends; a clock that is wrong ends none, nor do late rows."""
        clock = self.engine.newest_with(rows["t"], rows["mmsi"])
        newest = np.maximum.accumulate(np.maximum(np.where(rows["t"] <= clock, rows["t"], NAT), self.engine.newest))
        cuts = [0, *(np.flatnonzero(np.diff(newest // self._step_us)) + 1).tolist(), newest.size]
        for begin, end in itertools.pairwise(cuts):
            yield {name: column[begin:end] for name, column in rows.items()}

    def flush(self) -> Changes:
        """The input has ended: what the rows that waited change, and what stays open."""
        self._found = np.concatenate([self._found, self.engine.flush()])
        events, _ = self.engine.conclude(self._found, self._reports.identity_anew())
        present, now = self._told.naming.keys(events), self.engine.released
        news = self._told.compare(events, present, now, update_us=self._update_us, final=self._final, last=True)
        return self._changes([news])

    def withdraw(self, successor: Watch) -> Changes:
        """Take back all events that go on; where `successor` finds one again under its id, its revisions go on."""
        changes = self._changes([self._told.withdraw(self.engine.released)])
        successor._told = self._told.taken_back(self.engine.kinds_alike(successor.engine))
        return changes

    def kept(self) -> Fixes:
        """The rows and static reports that are kept, with which a watch with other parameters can begin."""
        static = {name: self._reports.rows[name] for name in STATIC_DTYPES}
        return Fixes(self._arrived.since(0), Static(static), self._inputs.names)

    def events(self) -> Events:
        """All events as they were last told, those that are final left out."""
        records = self._told.records[~self._told.retracted]
        identity = self._reports.identity().take(np.arange(len(self._reports.identity())))
        return self.engine.table(sorted_events(records), identity, self._inputs.names, {})

    def save(self, path: str | Path) -> None:
        """Write the whole state to a file; `load` goes on from the next row."""
        with replacing(path) as stream:
            sync(*self.put(stream))
        self.shelf.saved()

    def put(self, stream: BinaryIO) -> list[Path]:
        """Write the whole state to a stream; what must be on the disk before it is (`shelf.saved` says when)."""
        self._arrived.shelve()
        said = self._reports.saved()
        state = {f"{of}.{name}": array for of, arrays in self._parts(said).items() for name, array in arrays.items()}
        kept: list[Any] = [point.state for point in self._points]
        groups: list[Sequence[Piece | Span]] = [self._arrived.shelved, said.pieces, said.spans]
        kept += [one.kept for group in groups for one in group]
        if not isinstance(self.shelf, Spool):
            state |= {f"{k}.{name}": array for k, arrays in enumerate(kept) for name, array in arrays.items()}
            kept = []
        points = [[point.released, point.found, point.rows] for point in self._points]
        others = [[list(one)[1:] for one in group] for group in groups]
        header = {**self._header(), **dict(zip(_SHELVED, [points, *others], strict=True)), "spool": kept}
        header |= {"let_go": said.let_go, "sources": self._inputs.names, "looked": self._looked, "final": self._final}
        put_state(stream, state, header)
        return self.shelf.begin(kept)

    def _parts(self, said: Saved) -> dict[str, Mapping[str, Column]]:
        """All that is not on the shelf, by whose it is."""
        own = {"found": self._found, "repeats": said.repeats, "said": said.said}
        own["counts"] = np.stack([point.counts for point in self._points])
        told, kept = self._told.arrays(), self._conclusions.arrays()
        return {"now": self.engine.columns(), "static": said.rows, "told": told, "kept": kept, "own": own}

    def load(self, path: str | Path) -> None:
        """Take the state of a watch with the same detectors and parameters from a file.

        Raises InputError for a file that is torn, or that another version or something else than a watch wrote, and
        UsageError for one that was saved with other detectors or parameters.
        """
        state, header = read_state(path, self._header())
        part, mine = parts_of(state), self._parts(self._reports.saved())
        for whose, arrays in mine.items():
            check_alike(path, part.get(whose, {}), arrays)
        names = header["spool"]
        if names and not isinstance(self.shelf, Spool):
            raise UsageError(f"{path}: a part of it lies in a spool; give its folder as spool=")
        if not names:
            for k in range(len(header["points"])):
                check_alike(path, part.get(str(k), {}), mine["now"])
            names = [self.shelf.put(part[str(k)]) for k in range(sum(len(header[group]) for group in _SHELVED))]
        self.shelf.loaded(names)
        self.engine.resume(part["now"])
        left, own = iter(names), part["own"]
        shelved: dict[str, list[tuple[Any, ...]]] = {
            name: [(next(left), *one) for one in header[name]] for name in _SHELVED
        }
        points = zip(shelved["points"], own["counts"], strict=True)
        self._points = [_Point(one[0], counts, *one[1:]) for one, counts in points]
        arrived, reports = ([Piece(*one) for one in shelved[name]] for name in ("pieces", "reports"))
        self._arrived = Arrived(self._arrived.since(self._arrived.size), self.shelf, arrived)
        spans = [Span(*one) for one in shelved["spans"]]
        said = Saved(part["static"], own["repeats"], own["said"], reports, spans, header["let_go"])
        self._reports = self._new_reports(said)
        self._found, self._inputs = own["found"].view(EVENT), Inputs(header["sources"])
        self._looked, self._final = header["looked"], header["final"]
        self._told = Told(part["told"])
        self._conclusions.take(part["kept"])

    def _header(self) -> dict[str, Any]:
        """What must be the same in a watch that takes its state from a file."""
        return {**self.engine.header(), "holds": "a watch"}

    def _take(self, rows: Rows) -> bool:
        """Feed rows to the engine, from an earlier state where some come too late; whether they did."""
        rows = self._without_useless(rows)
        if not (rows["t"] < self.engine.released).any():
            self._arrived.add(rows)
            self._feed(rows, self._arrived.size)
            return False
        self._again(rows)
        return True

    def _again(self, late: Rows) -> None:
        """Start again from the state before rows that come late, with them among those that came before.

        In pieces between which states are kept: the next late row finds one near to it.
        """
        late = by_time(late)
        while self._points[-1].released > late["t"][0]:
            self.shelf.drop(self._points.pop().state)
        point = self._points[-1]
        self.engine.resume({**self.shelf.get(point.state), "counts": point.counts})
        self._found = self._found[: point.found]
        self._conclusions.keep(point.found)
        done = 0
        for piece in self._arrived.cut(point.rows):
            rows, begin = self._arrived.rows_of(piece), done
            done = int(np.searchsorted(late["t"], self.engine.newest_with(rows["t"], rows["mmsi"]), side="right"))
            if self._spans(rows) or done > begin:
                self._arrived.drop(piece)
                self._feed_parts({name: np.concatenate([rows[name], late[name][begin:done]]) for name in rows})
            else:
                self._arrived.put_back(piece)
                self._feed(rows, self._arrived.size)
        self._feed_parts({name: column[done:] for name, column in late.items()})
        self._drop()

    def _spans(self, rows: Rows) -> bool:
        """Whether rows span a moment at which a state is to be kept."""
        return bool(rows["t"].size and np.ptp(rows["t"] // self._between_us))

    def _feed_parts(self, rows: Rows) -> None:
        """Add rows and feed them to the engine, in the order of their time, cut where a state is to be kept."""
        rows = by_time(rows)
        cuts = np.flatnonzero(np.diff(rows["t"] // self._between_us)) + 1
        for begin, end in itertools.pairwise([0, *cuts.tolist(), rows["t"].size]):
            part = {name: column[begin:end] for name, column in rows.items()}
            self._arrived.add(part)
            self._feed(part, self._arrived.size)

    def _without_useless(self, rows: Rows) -> Rows:
        """The rows less those without a time, and those that are too old for any state; the engine counts them."""
        useful = (rows["t"] != NAT) & (rows["t"] >= self._points[0].released)
        if useful.all():
            return rows
        before = self.engine.tally.copy()
        self.engine.feed({name: column[~useful] for name, column in rows.items()})
        for point in self._points:
            point.counts[:] += self.engine.tally - before
        return {name: column[useful] for name, column in rows.items()}

    def _feed(self, rows: Rows, n: int) -> None:
        """Feed rows, up to the n-th of those kept, to the engine; keep a state when it is time."""
        found = self.engine.feed(rows)
        if found.size:
            self._fresh.append(found)
        released, last = self.engine.released, self._points[-1]
        if released == NAT:
            return
        if (
            last.released == NAT
            or released - last.released >= self._between_us
            or n - last.rows > self._max_rows // STATES
        ):
            self._points.append(self._point(released, n))
            self._drop()

    def _point(self, released: int, n: int) -> _Point:
        """The state of the engine now, when `n` of the rows that are kept have arrived."""
        state = self.engine.columns() if isinstance(self.shelf, Spool) else self.engine.state()
        return _Point(self.shelf.put(state), self.engine.tally.copy(), released, self._found.size, n)

    def _drop(self) -> None:
        """Drop the oldest states that no late row needs any more, and the rows before them."""
        limit = self.engine.released - self._history_us
        n = self._points[-1].rows
        while len(self._points) > 2 and (
            self._points[1].released <= limit or n - self._points[0].rows > self._max_rows
        ):
            self.shelf.drop(self._points.pop(0).state)
        begin = self._points[0].rows
        if begin:
            self._arrived.keep(begin)
            self._points = [point._replace(rows=point.rows - begin) for point in self._points]
        if self._points[0].released != NAT:
            self._reports.forget(self._points[0].released)

    def _forget(self) -> None:
        """Let go of events that ended too long ago to change."""
        limit = self.engine.released - self._forget_us
        old = self._found["t_end"] < limit
        gone = np.flatnonzero(old[: self._points[0].found])
        if gone.size == 0:
            return
        self._found = np.delete(self._found, gone)
        self._conclusions.forget(gone)
        self._points = [point._replace(found=point.found - gone.size) for point in self._points]
        self._final = max(self._final, limit)
        self._told.forget(limit)

    def _look(self, again: bool) -> News | None:
        """Compare the events with those told, when a step is over or rows came late."""
        released = self.engine.released
        if released == NAT or not (again or self._looked == NAT or released - self._looked >= self._step_us):
            return None
        turn, self._looked = Turn(self._looked, released), released
        said, known = self._reports.said(), self.engine.known(self._reports.identity())
        look = self._conclusions.look(self._found, self.engine.standing(), known, said, turn)
        news = self._told.compare(*look, released, update_us=self._update_us, final=self._final)
        self._forget()
        return news

    def _changes(self, news: list[News]) -> Changes:
        if not any(one.change.size for one in news):
            return self._empty()  # most pieces of a feed change nothing, and must not cost a look at every ship
        records, change, revision = (np.concatenate(column) for column in zip(*news, strict=True))
        ships, identity = ships_in(records), self._reports.identity()
        identity = identity.take(among(identity["mmsi"], ships))
        events = self.engine.table(records, identity, self._inputs.names, {}, ships)
        columns: dict[str, NDArray[Any]] = {"change": change, "revision": revision, **events.columns}
        return Changes(columns, events.vessels, events.identity, events.sources, events.params, events.counts)

    def _empty(self) -> Changes:
        """No changes."""
        if self._nothing is None:
            columns = self.engine.table(self._found[:0], Reports().identity(), (), {}).columns
            first: dict[str, NDArray[Any]] = {"change": np.zeros(0, np.uint8), "revision": np.zeros(0, np.uint32)}
            self._nothing = Changes({**first, **columns}, params=self.engine.table_params())
        table = self._nothing.take(slice(None))
        table.sources, table.counts = self._inputs.names, self.counts
        return table
