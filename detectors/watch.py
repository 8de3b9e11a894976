"""Events as they happen: what each new piece of a feed opens, updates, closes, supersedes and retracts.

At every step of event time the events found so far, those still going on among them, are compared with those told
before, by id. So a silence is announced while it lasts, and what is told of an event can change as more becomes known.

Rows that come too late for the engine are not lost. Copies of the engine's state are kept for `history_s`, and the rows
since; a late row starts the same loop again from the copy before it, and the difference of the events is told. When all
rows have come, the newest of what was told is what `detect` finds in all of them. Rows older than the oldest copy are
counted as late.

Memory: the rows of 5/4 `history_s` (at most 5/4 `max_rows`) x 52 B, nine states of the engine at most (five as a rule)
and the engine itself, the events of `forget_s` x 2 records of `EVENT`, the names of 65,535 inputs at most, and static
reports x 109 B: twice those of `history_s`, and four for each change of what a ship said before. Events older than
`forget_s` are final: they are told no more, and later ones no longer depend on them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.table import NAT, Fixes
from detectors.engine import LATENESS_S, Engine, row_dtypes
from detectors.event import EVENT, Events
from detectors.finish import sorted_events
from detectors.history import Arrived, Inputs, Reports, Rows
from detectors.snapshot import State, check_alike, parts_of, read_state, write_state
from detectors.told import CHANGES, CLOSED, OPENED, RETRACTED, SUPERSEDED, UPDATED, News, Told
from geo.anchorages import Anchorages
from geo.errors import UsageError

__all__ = ("CHANGES", "CLOSED", "OPENED", "RETRACTED", "SUPERSEDED", "UPDATED", "Changes", "Watch")

STEP_S = 600
"""Ten minutes of event time between two looks: the delay of an announcement, beside the lateness."""
HISTORY_S = 6 * 3600
"""Satellite batches come up to some hours late (Skylight tells of 1 to 7 h)."""
FORGET_S = 90 * 86_400
UPDATE_S = 6 * 3600
"""An event that goes on is told again four times a day, and sooner where its kind, label or score changes."""
STATES = 4
"""Steps of the history at which a state is kept."""


class Changes(Events):
    """Events that changed: `change` (see `CHANGES`), `revision` (1 when first told), and the columns of `Events`.

    `vessels` and `identity` are None where nothing changed.
    """

    words: ClassVar[Mapping[str, Sequence[str]]] = {**Events.words, "change": CHANGES}


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
    detectors, params, anchorages, lateness_s, max_vessels, threads
        As for `detectors.engine.Engine`.
    step_s : seconds of event time between two looks
    history_s : seconds for which rows may come late
    max_rows : rows kept for late ones at most; beyond, the history gets shorter
    forget_s : seconds after which an event that has ended is final
    update_s : seconds after which an event that goes on is told again though nothing that is said of it has changed:
        its kind, its label, its score by 0.05, its end

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
        max_vessels: int | None = None,
        forget_s: float = FORGET_S,
        update_s: float = UPDATE_S,
        threads: int = 1,
    ) -> None:
        times = {"step_s": step_s, "history_s": history_s, "forget_s": forget_s, "update_s": update_s}
        for name, value in times.items():
            if not 1e-3 <= value <= 1e10:
                raise UsageError(f"{name} must be positive, not {value}: give seconds from 0.001 to 1e10")
        if not max_rows >= 1:
            raise UsageError(f"max_rows must be positive, not {max_rows}: give a number of rows")
        self.engine = Engine(
            detectors, params, anchorages=anchorages, lateness_s=lateness_s, max_vessels=max_vessels, threads=threads
        )
        self._step_us, self._history_us, self._forget_us, self._update_us = (round(s * 1e6) for s in times.values())
        self._between_us = max(1, self._history_us // STATES)
        self._max_rows = max_rows
        self._arrived = Arrived({name: np.zeros(0, dtype) for name, dtype in row_dtypes().items()})
        self._found: NDArray[Any] = np.zeros(0, EVENT)
        self._points = [_Point(self.engine.state(), NAT, 0, 0)]
        self._reports, self._inputs = Reports(), Inputs()
        self._told = Told()
        self._looked = self._final = NAT
        self._nothing: Changes | None = None

    @property
    def counts(self) -> dict[str, int]:
        """Rows that no detector used, by reason."""
        return self.engine.counts

    @property
    def rows(self) -> int:
        """Rows that are kept for late ones."""
        return self._arrived.size

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
        return self._changes([self._compare(self.engine.conclude(self._found, self._reports.identity())[0], last=True)])

    def events(self) -> Events:
        """All events as they were last told, those that are final left out."""
        records = self._told.records[~self._told.retracted]
        return self.engine.table(sorted_events(records), self._reports.identity(), self._inputs.names, {})

    def save(self, path: str | Path) -> None:
        """Write the whole state to a file; `load` goes on from the next row."""
        state: State = {f"now.{name}": array for name, array in self.engine.state().items()}
        for k, point in enumerate(self._points):
            state |= {f"{k}.{name}": array for name, array in point.state.items()}
        state |= {f"rows.{name}": column for name, column in self._arrived.since(0).items()}
        state |= {f"static.{name}": column for name, column in self._reports.rows.items()}
        state |= {f"told.{name}": array for name, array in self._told.arrays().items()}
        state["found"], state["repeats"] = self._found, self._reports.repeats
        points = [[point.released, point.found, point.rows] for point in self._points]
        clocks = {"looked": self._looked, "final": self._final}
        write_state(path, state, {**self._header(), "points": points, "sources": self._inputs.names, **clocks})

    def load(self, path: str | Path) -> None:
        """Take the state of a watch with the same detectors and parameters from a file.

        Raises
        ------
        InputError
            For a file that is torn, or that another version or something else than a watch wrote.
        UsageError
            For one that was saved with other detectors or parameters.
        """
        state, header = read_state(path, self._header())
        part, now = parts_of(state), self.engine.state()
        check_alike(path, part.get("now", {}), now)
        check_alike(path, part.get("rows", {}), self._arrived.since(0))
        check_alike(path, part.get("static", {}), self._reports.rows)
        check_alike(path, part.get("told", {}), self._told.arrays())
        for k in range(len(header["points"])):
            check_alike(path, part.get(str(k), {}), now)
        check_alike(path, state, {"found": self._found, "repeats": self._reports.repeats})
        self.engine.resume(part["now"])
        self._points = [_Point(part[str(k)], *numbers) for k, numbers in enumerate(header["points"])]
        self._arrived, self._reports = Arrived(part["rows"]), Reports(part["static"], state["repeats"])
        self._found, self._inputs = state["found"].view(EVENT), Inputs(header["sources"])
        self._looked, self._final = header["looked"], header["final"]
        self._told = Told(part["told"])

    def _header(self) -> dict[str, Any]:
        """What must be the same in a watch that takes its state from a file."""
        return {**self.engine.header(), "holds": "a watch"}

    def _take(self, rows: Rows) -> bool:
        """Feed rows to the engine, from an earlier state where some come too late; whether they did."""
        rows = self._without_useless(rows)
        again = bool((rows["t"] < self.engine.released).any())
        if not again:
            self._arrived.add(rows)
            self._feed(rows, self._arrived.size)
            return False
        earliest = int(rows["t"].min())
        while self._points[-1].released > earliest:
            self._points.pop()
        point = self._points[-1]
        self.engine.resume(point.state)
        self._found = self._found[: point.found]
        self._arrived.add(rows)
        rows = self._arrived.since(point.rows)
        self._arrived.keep(0, point.rows)
        # In order of time, in pieces between which states are kept: the next late row finds one near to it.
        order = np.argsort(rows["t"], kind="stable")
        rows = {name: column[order] for name, column in rows.items()}
        cuts = np.flatnonzero(np.diff(rows["t"] // self._between_us)) + 1
        self._arrived.add(rows)
        for begin, end in itertools.pairwise([0, *cuts.tolist(), order.size]):
            n = self._arrived.size - order.size + end  # anew each time: a kept state may let go of rows before it
            self._feed({name: column[begin:end] for name, column in rows.items()}, n)
        self._drop()
        return True

    def _without_useless(self, rows: Rows) -> Rows:
        """The rows less those without a time, and those that are too old for any state; the engine counts them."""
        useful = (rows["t"] != NAT) & (rows["t"] >= self._points[0].released)
        if not useful.all():
            before = self.engine.tally.copy()
            self.engine.feed({name: column[~useful] for name, column in rows.items()})
            for point in self._points:
                point.state["counts"] += self.engine.tally - before
        return {name: column[useful] for name, column in rows.items()}

    def _feed(self, rows: Rows, n: int) -> None:
        """Feed rows, up to the n-th of those kept, to the engine; keep a state when it is time."""
        found = self.engine.feed(rows)
        if found.size:
            self._found = np.concatenate([self._found, found])
        released, last = self.engine.released, self._points[-1]
        if released == NAT:
            return
        if (
            last.released == NAT
            or released - last.released >= self._between_us
            or n - last.rows > self._max_rows // STATES
        ):
            self._points.append(_Point(self.engine.state(), released, self._found.size, n))
            self._drop()

    def _drop(self) -> None:
        """Drop the oldest states that no late row needs any more, and the rows before them."""
        limit = self.engine.released - self._history_us
        n = self._points[-1].rows
        while len(self._points) > 2 and (
            self._points[1].released <= limit or n - self._points[0].rows > self._max_rows
        ):
            del self._points[0]
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
        self._points = [point._replace(found=point.found - gone.size) for point in self._points]
        self._final = max(self._final, limit)
        self._told.forget(limit)

    def _look(self, again: bool) -> News | None:
        """Compare the events with those told, when a step is over or rows came late."""
        released = self.engine.released
        if released == NAT or not (again or self._looked == NAT or released - self._looked >= self._step_us):
            return None
        self._looked = released
        records = np.concatenate([self._found, self.engine.standing()])
        news = self._compare(self.engine.conclude(records, self._reports.identity())[0])
        self._forget()
        return news

    def _compare(self, records: NDArray[Any], last: bool = False) -> News:
        """What is to be told of all events, the last time all that there is to tell."""
        present = self._told.naming.keys(records)
        return self._told.compare(
            records, present, self.engine.released, update_us=self._update_us, final=self._final, last=last
        )

    def _changes(self, news: list[News]) -> Changes:
        if not any(one.change.size for one in news):
            return self._empty()  # most pieces of a feed change nothing, and must not cost a look at every ship
        records, change, revision = (np.concatenate(column) for column in zip(*news, strict=True))
        events = self.engine.table(records, self._reports.identity(), self._inputs.names, {})
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
