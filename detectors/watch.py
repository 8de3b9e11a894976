"""Events as they happen: what each new piece of a feed opens, updates, closes, supersedes and retracts.

At every step of event time the events found so far, those still going on among them, are compared with those told
before, by id. So a silence is announced while it lasts, and what is told of an event can change as more becomes known.

Rows that come too late for the engine are not lost. Copies of the engine's state are kept for `history_s`, and the rows
since; late rows start the same loop again from the copy before them, when that is paid for (`detectors.late_rows`), and
the difference of the events is told. When all rows have come, the newest of what was told is what `detect` finds in all
of them. Rows older than the oldest copy are counted as late.

A look costs in proportion to what changed since the last (`detectors.conclusions`), and little for each event kept.

Memory: the rows of 5/4 `history_s` (at most 5/4 `max_rows`) x 52 B and nine states of the engine at most (five as a
rule), and while late rows wait those before them and themselves, all in files where a `spool` is given; 52 B for each
of these, 4.2 million at most, while they are put in order; the engine itself, the events of `forget_s`, `max_events` at
most, x 2 records of `EVENT`, the names of 65,535 inputs at most, and static reports x 129 B: twice those of
`history_s`, and four for each change of what a ship said before. Events older than `forget_s` are final: they are told
no more, and of what later ones rest on each detector keeps something (`Detector.keep`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ais.identity_stream import among
from ais.table import NAT, STATIC_DTYPES, Fixes, Static
from detectors.conclusions import Conclusions, Turn, ships_in
from detectors.detector import Known
from detectors.engine import LATENESS_S, Engine, row_dtypes
from detectors.event import EVENT, Events, joined_events
from detectors.finish import sorted_events
from detectors.history import Arrived, Inputs, Piece, Rows, evenly, joined
from detectors.late_rows import at_once
from detectors.past import FORGET_S, HISTORY_S, MOST_EVENTS, MOST_ROWS, Past, Point, Room, in_us
from detectors.reports import CONDENSED_ROWS, FEWEST_CONDENSED, LET_GO, MOST_REPORTS, Reports, Saved, Span
from detectors.snapshot import Column, check_alike, open_state, parts_of, put_state
from detectors.spool import Memory, Spool
from detectors.told import CHANGES, CLOSED, OPENED, RETRACTED, SUPERSEDED, UPDATED, Changes, News, Told
from geo.anchorages import Anchorages
from geo.errors import InputError, UsageError
from geo.heap import sparing
from geo.whole_file import replacing, sync

__all__ = ("CHANGES", "CLOSED", "OPENED", "RETRACTED", "SUPERSEDED", "UPDATED", "Changes", "Watch")

STEP_S = 600
"""Ten minutes of event time between two looks: the delay of an announcement, beside the lateness."""
EARLY = "events final before forget_s, for want of room (max_events, max_vessels)"
UPDATE_S = 6 * 3600
"""An event that goes on is told again four times a day, and sooner where its kind, label or score changes."""
TOGETHER_S = 3600
"""What follows from all ships together rests on silences of hours; an hour more is soon enough."""
_SHELVED = ("points", "arrived", "waiting", "among", "after", "again", "reports", "spans")
"""What lies on the shelf, in the order in which a saved state names it."""


class Watch(Past):
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
    max_events : events that have ended and are not final at most; beyond, those that ended first are, and the history
        gets shorter. Those that go on are bounded by the ships
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
        max_rows: int = MOST_ROWS,
        max_reports: int = MOST_REPORTS,
        max_events: int = MOST_EVENTS,
        max_vessels: int | None = None,
        forget_s: float = FORGET_S,
        update_s: float = UPDATE_S,
        together_s: float = TOGETHER_S,
        threads: int = 1,
        spool: str | Path | None = None,
    ) -> None:
        self._step_us, self._update_us, together_us = in_us(step_s=step_s, update_s=update_s, together_s=together_s)
        bounds: dict[str, Any] = {"lateness_s": lateness_s, "max_vessels": max_vessels}
        engine = Engine(detectors, params, anchorages=anchorages, threads=threads, folder=spool, **bounds)
        room = Room(history_s, forget_s, max_rows, max_reports, max_events)
        super().__init__(engine, Spool(spool) if spool is not None else Memory(), room)
        self._max_vessels = max_vessels
        self._reports, self._inputs = self._new_reports(), Inputs()
        self._conclusions = Conclusions(self.engine, self._step_us, self._update_us, together_us)
        self._told = Told()
        self._looked, self._final, self._early = NAT, NAT, 0
        self._nothing: Changes | None = None

    def _new_reports(self, saved: Saved | None = None) -> Reports:
        """Static reports: none, or those that were saved."""
        vessels = self._max_vessels
        bound = max(FEWEST_CONDENSED, CONDENSED_ROWS * vessels) if vessels is not None else None
        followed = lambda: self.engine.hulls["mmsi"]  # noqa: E731
        return Reports(self.shelf, self._room.max_reports, saved, most_condensed=bound, followed=followed)

    def hold(self, room: Room) -> None:
        """Keep so much from here on: what is more goes in time, and no event that was told is taken back for it.
        UsageError for what is not positive, and then nothing changes."""
        self._room = room.checked()
        self._reports.most = room.max_reports

    @property
    def counts(self) -> dict[str, int]:
        """Rows that no detector used, by reason, and static reports that were let go of."""
        let_go = {LET_GO: self._reports.let_go, EARLY: self._early}
        return {**self.engine.counts, **{what: n for what, n in let_go.items() if n}}

    @property
    def events_held(self) -> int:
        """Events that have ended and are not final, and those taken back whose revisions may go on."""
        return max(self._found, self._told.ends().size)

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
        news = list[News]()
        if self._late.is_on:
            self._late.after.add(rows)
        else:
            news += self._take_steps(rows)
        return self._changes(news + self._go_on(at_once(rows)))

    def _take_steps(self, rows: Rows) -> list[News]:
        """Take rows step by step; once it is the turn of late ones, those behind wait."""
        news, parts = list[News](), self._steps(rows)
        for part in parts:
            self._take(part)
            if self._late.is_due:
                self._go_back()
                self._late.after.put_first(joined([{name: column[:0] for name, column in rows.items()}, *parts]))
            else:
                news += self._look(False)
        return news

    def _go_on(self, most: float) -> list[News]:
        """Go through about so many of the rows that are to be gone through again, and then of those that wait."""
        news = list[News]()
        while most > 0 and self._late.is_on:
            if self._late.is_behind:
                most -= self._again()
                news += [] if self._late.is_behind else self._look(True)
            else:
                rows = self._late.after.first()
                most -= rows["t"].size
                news += self._take_steps(rows)
        return news

    def _to_the_end(self) -> list[News]:
        """Go through all that waits."""
        news = self._go_on(math.inf)
        while self._late.waiting.size:
            self._go_back()
            news += self._go_on(math.inf)
        return news

    def _steps(self, rows: Rows) -> Iterator[Rows]:
        """The rows cut where a step of event time ends; a clock that is wrong ends none, nor do late rows."""
        clock = self.engine.newest_with(rows["t"], rows["mmsi"])
        newest = np.maximum.accumulate(np.maximum(np.where(rows["t"] <= clock, rows["t"], NAT), self.engine.newest))
        cuts = [0, *(np.flatnonzero(np.diff(newest // self._step_us)) + 1).tolist(), newest.size]
        for begin, end in itertools.pairwise(cuts):
            yield {name: column[begin:end] for name, column in rows.items()}

    def flush(self) -> Changes:
        """The input has ended: what the rows that waited change, and what stays open."""
        before = self._to_the_end()
        found = joined_events(self._conclusions.ended, *self._fresh, self.engine.flush())
        events, _ = self.engine.conclude(found, self._reports.identity_anew(), self._conclusions.kept)
        present, now = self._told.naming.keys(events), self.engine.released
        heard = np.unique(self.engine.known(self._reports.identity()).vessels["mmsi"])
        news = self._told.compare(events, present, heard, now, update_us=self._update_us, final=self._final, last=True)
        return self._changes([*before, news])

    def withdraw(self, successor: Watch) -> Changes:
        """Take back all events that go on; where `successor` finds one again under its id, its revisions go on."""
        before = self._to_the_end()
        changes = self._changes([*before, self._told.withdraw(self.engine.released)])
        successor._told = self._told.taken_back(self.engine.kinds_alike(successor.engine))
        return changes

    def kept(self) -> Iterator[Fixes]:
        """The static reports, then the rows that are kept, in even pieces, for a watch with other parameters."""
        none = self._arrived.since(self._arrived.size)
        for said in evenly(self._reports.parts()):
            yield Fixes(none, Static({name: said[name] for name in STATIC_DTYPES}), self._inputs.names)
        for rows in evenly(itertools.chain(*(kept.parts() for kept in (self._arrived, *self._late.queues)))):
            yield Fixes(rows, sources=self._inputs.names)

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
        """Write the whole state to a stream; what must be on the disk before it is (`shelf.saved` says when). Nothing
        changes by it, not even where pieces of rows begin, for what is told later must not depend on it."""
        rows, said = self._rows(), self._reports.saved()
        state = {f"{of}.{name}": array for of, arrays in self._parts(said).items() for name, array in arrays.items()}
        kept: list[Any] = [point.state for point in self._points]
        groups: list[Sequence[Piece | Span]] = [*(one.shelved for one in rows.values()), said.pieces, said.spans]
        kept += [one.kept for group in groups for one in group]
        if not isinstance(self.shelf, Spool):
            state |= {f"{k}.{name}": array for k, arrays in enumerate(kept) for name, array in arrays.items()}
            kept = []
        points = [[point.released, point.found, point.rows] for point in self._points]
        others = [[list(one)[1:] for one in group] for group in groups]
        header = {**self._header(), **dict(zip(_SHELVED, [points, *others], strict=True)), "spool": kept}
        header |= {"report_numbers": said.numbers, "early": self._early, "sources": self._inputs.names}
        header |= {"looked": self._looked, "final": self._final}
        put_state(stream, state, header)
        return self.shelf.begin(kept)

    def _rows(self) -> dict[str, Arrived]:
        """All rows that are kept."""
        return dict(zip(_SHELVED[1:6], (self._arrived, *self._late.queues), strict=True))

    def _parts(self, said: Saved) -> dict[str, Mapping[str, Column]]:
        """All that is not on the shelf, by whose it is."""
        self._fresh = [self._take_fresh()]
        own = {"fresh": self._fresh[0], "repeats": said.repeats, "said": said.said}
        own["late"] = np.array(self._late.clocks)
        own["counts"] = np.stack([point.counts for point in self._points])
        told, kept = self._told.arrays(), self._conclusions.arrays()
        loose = {f"{name} {n}": rows for name, one in self._rows().items() for n, rows in enumerate(one.loose)}
        return {"now": self.engine.columns(), "static": said.rows, "told": told, "kept": kept, "own": own, **loose}

    def load(self, path: str | Path, older: str | Path | None = None) -> None:
        """Take the state of a watch with the same detectors and parameters from a file. What lies in the spool for a
        state that is `older` stays, as one may have to go back to it.

        Raises InputError for a file that is torn, or that another version or something else than a watch wrote, and
        UsageError for one that was saved with other detectors or parameters.
        """
        state, header = open_state(path, self._header())
        places, mine = parts_of(state.places), self._parts(self._reports.saved())
        for whose, arrays in mine.items():
            check_alike(path, places.get(whose, {}), arrays)
        names = header["spool"]
        if names and not isinstance(self.shelf, Spool):
            raise UsageError(f"{path}: a part of it lies in a spool; give its folder as spool=")
        if not names:
            for k in range(len(header["points"])):
                check_alike(path, places.get(str(k), {}), mine["now"])
            shelved_here = map(str, range(sum(len(header[group]) for group in _SHELVED)))
            names = [self.shelf.put(state.part(k)) for k in shelved_here]
        before = list[str]()
        if older is not None:
            with suppress(InputError, UsageError):  # what is not whole names nothing
                before = open_state(older, self._header())[1]["spool"]
        self.shelf.loaded(names, before)
        whole = [whose for whose in mine if whose != "now"]
        del mine
        self.engine.resume(state, "now.")
        part = {whose: state.part(whose) for whose in whole}
        left, own = iter(names), part["own"]
        shelved = {name: [(next(left), *one) for one in header[name]] for name in _SHELVED}
        points = zip(shelved["points"], own["counts"], strict=True)
        self._points = [Point(one[0], counts, *one[1:]) for one, counts in points]
        arrived, *late, reports = ([Piece(*one) for one in shelved[name]] for name in _SHELVED[1:-1])
        _, *loose = [(part[f"{name} 0"], part[f"{name} 1"]) for name in _SHELVED[1:6]]
        self._arrived = Arrived(part["arrived 1"], self.shelf, arrived)
        self._late.take(own["late"].tolist(), late, loose)
        spans = [Span(*one) for one in shelved["spans"]]
        said = Saved(part["static"], own["repeats"], own["said"], reports, spans, tuple(header["report_numbers"]))
        self._reports = self._new_reports(said)
        self._fresh, self._inputs = [own["fresh"].view(EVENT)], Inputs(header["sources"])
        self._looked, self._final, self._early = (header[name] for name in ("looked", "final", "early"))
        self._told = Told(part["told"])
        self._conclusions.take(part["kept"])
        self._found = self._conclusions.ended.size + self._fresh[0].size

    def _header(self) -> dict[str, Any]:
        """What must be the same in a watch that takes its state from a file."""
        return {**self.engine.header(), "holds": "a watch"}

    def _cut(self, n: int) -> None:
        """Only the first `n` events that had ended are still so."""
        super()._cut(n)
        self._conclusions.cut(n)

    def _drop(self) -> None:
        """Drop the oldest states, and what waits for them."""
        super()._drop()
        if self._points[0].released != NAT:
            self._reports.forget(self._points[0].released)

    def _forget(self, known: Known) -> None:
        """Let go of events that ended too long ago to change, and of the oldest where there are too many."""
        old = self.engine.released - self._room.forget_us
        limit = max(old, min(self._crowded(), self._points[0].released))
        without_end = old - 2 * self._update_us  # when they were said last is known by so much only
        gone = np.flatnonzero(self._conclusions.ended["t_end"][: self._points[0].found] < limit)
        if gone.size:
            self._conclusions.forget(gone, limit, without_end, known)
            self._found -= gone.size
            self._points = [point._replace(found=point.found - gone.size) for point in self._points]
        self._final = max(self._final, limit)
        early = np.count_nonzero(self._told.forget(limit, without_end)["t_end"] >= old)
        self._early, self._told.let_be = self._early + int(early) + self._told.let_be, 0

    def _crowded(self) -> int:
        """Up to when events must go, in µs, so that no more than `max_events` stay; NAT where there is room."""
        limit = NAT
        for ends in (self._conclusions.ended["t_end"], self._told.ends()):
            if ends.size > self._room.max_events:
                last = ends.size - 1 - self._room.max_events * 15 // 16
                limit = max(limit, int(np.partition(ends, last)[last]) + 1)
        return limit

    def _look(self, again: bool) -> list[News]:
        """Compare the events with those told, when a step is over or rows came late."""
        released = self.engine.released
        if released == NAT or not (again or self._looked == NAT or released - self._looked >= self._step_us):
            return []
        turn, self._looked = Turn(self._looked, released), released
        with sparing():
            said, known = self._reports.said(), self.engine.known(self._reports.identity())
            look = self._conclusions.look(self._take_fresh(), self.engine.standing(), known, said, turn)
            news = self._told.compare(*look, released, update_us=self._update_us, final=self._final)
            self._forget(known)
        return [news]

    def _changes(self, news: list[News]) -> Changes:
        # most pieces of a feed change nothing, and must not cost a look at every ship
        return self._table(news) if any(one.change.size for one in news) else self._empty()

    @sparing()
    def _table(self, news: list[News]) -> Changes:
        told, *others = zip(*news, strict=True)
        records, (change, revision) = joined_events(*told), map(np.concatenate, others)
        ships, identity = ships_in(records), self._reports.identity()
        identity = identity.take(among(identity["mmsi"], ships))
        events = self.engine.table(records, identity, self._inputs.names, {}, ships)
        columns: dict[str, NDArray[Any]] = {"change": change, "revision": revision, **events.columns}
        return Changes(columns, events.vessels, events.identity, events.sources, events.params, events.counts)

    def _empty(self) -> Changes:
        """No changes."""
        if self._nothing is None:
            columns = self.engine.table(np.zeros(0, EVENT), Reports().identity(), (), {}).columns
            first: dict[str, NDArray[Any]] = {"change": np.zeros(0, np.uint8), "revision": np.zeros(0, np.uint32)}
            self._nothing = Changes({**first, **columns}, params=self.engine.table_params())
        table = self._nothing.take(slice(None))
        table.sources, table.counts = self._inputs.names, self.counts
        return table
