"""The engine: puts rows in order, tells hulls apart, drives the detectors, and makes tables of what they find.

Batch is the stream: `detect` feeds everything at once, a daemon feeds what has come; the events are the same. Rows may
come out of order by up to `lateness_s`; what comes later is not used and counted. The state is arrays only, so that it
can be saved at any row (`save`, `load`).

With `max_vessels` it takes no more memory than `most_bytes` says, whatever the input (`detectors.bound`);
`ais.admission` tells who gets a place. What a ship that is let go leaves open is told with `open` 2 (`event.LET_GO`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.hulls import Hulls
from ais.identity import Identities
from ais.identity_stream import among
from ais.status import LATE, NO_TIME, REASONS, count_words
from ais.table import FIX_DTYPES, NAT, Fixes
from ais.tracks import Tracks
from detectors.bound import FEWEST_VESSELS, MOST_VESSELS, Bound
from detectors.detector import Columns, DerivedDetector, Detector, Known
from detectors.event import EVENT, KINDS, LABELS, Events, joined_events
from detectors.feed_time import FeedTime
from detectors.finish import event_columns, sorted_events, well_placed
from detectors.pending import Pending, wait_us
from detectors.registry import detector_class, kind_code, registered, with_needs
from detectors.rows import fill_alive, fill_class_b, in_order, taken
from detectors.settings import params_of
from detectors.snapshot import Column, Part, Pieces, State, check_alike, copied, like, open_state, write_state
from detectors.vessels import vessels
from geo.anchorages import Anchorages
from geo.errors import UsageError
from geo.ports import ports_version

LATENESS_S = 600
"""Stations and satellites deliver late by minutes; ten cover terrestrial networks."""
ROW = ("t", "mmsi", "lat", "lon", "sog", "cog", "heading", "nav_status", "msg_type", "source", "offset")
ORDER = ("t", "mmsi", "source", "offset")
"""Rows go through in this order, whatever the order of arrival."""
CHUNK_ROWS = 1 << 17
"""Rows that go through all detectors together: small enough for the cache, large enough to hide the calls."""


class Engine:
    """Rows in, events out.

    Parameters
    ----------
    detectors, params, anchorages, threads
        As for `detect`.
    lateness_s : seconds by which rows may come late
    max_vessels : hulls that are followed at a time, 16 to 16,777,216; None: all
    folder : where rows that wait, and what is seldom looked at, may lie in files without names; None: in memory
    """

    def __init__(
        self,
        detectors: Sequence[str] | None = None,
        params: Mapping[str, Any] | None = None,
        *,
        anchorages: Anchorages | None = None,
        lateness_s: float = LATENESS_S,
        max_vessels: int | None = None,
        threads: int = 1,
        folder: str | Path | None = None,
    ) -> None:
        chosen = list(registered()) if detectors is None else list(detectors)
        given = params_of(params)
        made = {name: detector_class(name)(given.get(name)) for name in with_needs([*chosen])}
        if threads < 1 or not 0 <= lateness_s <= 1e10:
            raise UsageError(
                f"threads must be at least 1 and lateness_s not negative, nor more than 1e10, not {threads}, "
                f"{lateness_s}"
            )
        if max_vessels is not None and not FEWEST_VESSELS <= max_vessels <= MOST_VESSELS:
            raise UsageError(
                f"max_vessels must be from {FEWEST_VESSELS} to {MOST_VESSELS:,}, or None for no bound, "
                f"not {max_vessels}"
            )
        self.detectors = [detector for detector in made.values() if isinstance(detector, Detector)]
        self.derived = [detector for detector in made.values() if isinstance(detector, DerivedDetector)]
        self.chosen = [kind_code(kind) for name in chosen for kind in detector_class(name).kinds]
        self._anchorages = anchorages
        for detector in self.detectors:
            detector.folder = folder
            if anchorages is not None:
                detector.know(anchorages)
        self._threads = threads
        self._lateness_us = round(lateness_s * 1e6)
        self._tracks = Tracks(max_vessels)
        self._bound = Bound(max_vessels, self._tracks, self.detectors)
        self._folder = folder
        self._pending = Pending({name: np.zeros(0, dtype) for name, dtype in row_dtypes().items()}, folder)
        self._time = FeedTime(NAT, *(self._pending.column(name) for name in ("t", "mmsi")))
        self._released, self._last, self._alive = NAT, NAT, 0
        self._counts = np.zeros(REASONS, np.int64)

    @property
    def counts(self) -> dict[str, int]:
        """Rows that no detector used, by reason."""
        return count_words(self._counts)

    @property
    def released(self) -> int:
        """Up to which time, in µs, the rows are complete and have gone through; `ais.table.NAT` before the first."""
        return self._released

    @property
    def newest(self) -> int:
        """How far the time of the feed has come, in µs; `ais.table.NAT` before the first row."""
        return self._time.newest

    @property
    def hulls(self) -> NDArray[Any]:
        """One record for each hull (see `ais.hulls.HULL`)."""
        return self._tracks.hulls.rows[: int(self._tracks.hulls.used[0])]

    @property
    def watched(self) -> NDArray[np.uint32]:
        """MMSIs that get a place at once and are never let go, sorted; at most half of `max_vessels`."""
        return self._tracks.gate.watched

    @watched.setter
    def watched(self, mmsis: Sequence[int] | NDArray[Any]) -> None:
        self._bound.watch(mmsis)

    @property
    def beyond_bounds(self) -> dict[str, int]:
        """What `max_vessels` cost so far, by what it was: vessels let go, and what found no room."""
        return self._bound.counts()

    def most_bytes(self) -> dict[str, int]:
        """Bytes that all arrays take at most, by holder (`detectors.bound`); UsageError without `max_vessels`."""
        row_bytes = sum(np.dtype(kind).itemsize for kind in row_dtypes().values())
        return self._bound.most_bytes(row_bytes, self._folder is not None)

    @property
    def tally(self) -> NDArray[np.int64]:
        """Rows by status code (`ais.status`), as `counts` says in words."""
        return self._counts

    def newest_with(self, t: NDArray[np.int64], mmsi: NDArray[np.uint32]) -> int:
        """How far the time of the feed would have come with these rows, in µs; NAT before the first."""
        timed = t != NAT
        return self._time.newest_with(t[timed], mmsi[timed])

    def feed(self, fixes: Fixes | Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Take rows in order of arrival; the events that are closed by now, as records of `EVENT`."""
        new = {name: np.ascontiguousarray(fixes[name], dtype) for name, dtype in row_dtypes().items()}
        timed = new["t"] != NAT
        self._counts[NO_TIME] += int(np.count_nonzero(~timed))
        late = timed & (new["t"] < self._released) if self._released != NAT else np.zeros(timed.size, np.bool_)
        self._counts[LATE] += int(np.count_nonzero(late))
        new = taken(new, timed & ~late)
        if new["t"].size == 0:
            return np.zeros(0, EVENT)
        self._time.take(new["t"], new["mmsi"])
        due = self.newest - self._lateness_us if self.newest != NAT else NAT
        goes_on = due != NAT and (self._released == NAT or due - self._released >= wait_us(self._lateness_us))
        alone = goes_on and self._pending.size == 0
        if goes_on:
            self._released = max(self._released, due)
        ready = new["t"] < self._released if alone else np.zeros(new["t"].size, np.bool_)
        later = taken(new, ~ready)
        self._pending.add({name: column.copy() for name, column in later.items()})  # not the caller's
        found = [self._run(taken(new, ready))] if alone else []
        if self._bound.most_waiting is not None and self._pending.size > self._bound.most_waiting:
            self._released = max(self._released, self._bound.earliest_to_wait(self._pending))
            goes_on, alone = True, False
        if goes_on and not alone:
            found += map(self._run, self._pending.releases(self._released))
        return joined_events(*found)

    def flush(self) -> NDArray[Any]:
        """The input has ended: the events of the rows that waited, and what stays open, as records of `EVENT`."""
        rows = self._pending.rows()
        self._pending = Pending({name: column[:0] for name, column in rows.items()}, self._folder)
        if self.newest == NAT and rows["t"].size:
            self._time.newest = int(rows["t"].max())
        last = self._run(rows)
        if self.newest == NAT:
            return last
        return joined_events(last, *self._each(lambda detector: detector.finish(self.newest, self._alive)))

    def _run(self, rows: dict[str, NDArray[Any]]) -> NDArray[Any]:
        """Rows that are complete up to their last time, through tracks and all detectors."""
        if not in_order(*(rows[name] for name in ORDER)):
            order = np.lexsort(tuple(rows[name] for name in reversed(ORDER)))
            rows = {name: column[order] for name, column in rows.items()}
        pieces: list[NDArray[Any]] = []
        for begin in range(0, rows["t"].size, CHUNK_ROWS):
            pieces += self._run_chunk({name: column[begin : begin + CHUNK_ROWS] for name, column in rows.items()})
        return joined_events(*pieces)

    def _run_chunk(self, rows: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Rows in order through tracks and all detectors; where the tracks want room it is made."""
        found: list[NDArray[Any]] = []
        while True:
            slots, hull, status = self._tracks.follow(rows)
            n = slots.size
            found += self._detect({name: column[:n] for name, column in rows.items()}, slots, hull, status)
            if n == rows["t"].size:
                return found
            rows = {name: column[n:] for name, column in rows.items()}
            found += self._bound.make_room(int(rows["t"][0]), self._alive, self._each)

    def _detect(
        self, rows: dict[str, NDArray[Any]], slots: NDArray[Any], hull: NDArray[Any], status: NDArray[Any]
    ) -> list[NDArray[Any]]:
        """Rows that have slots through all detectors."""
        self._counts += np.bincount(status, minlength=REASONS)
        used = np.flatnonzero(slots >= 0)
        part = rows if used.size == slots.size else {name: column[used] for name, column in rows.items()}
        alive, class_b = np.empty(slots.size, np.int64), np.empty(used.size, np.uint8)
        self._last, self._alive = fill_alive(rows["t"], self._last, self._alive, alive)
        fill_class_b(part["msg_type"], class_b)
        columns = Columns(
            slots[used],
            part["t"],
            part["mmsi"],
            hull[used],
            part["lat"],
            part["lon"],
            part["sog"],
            part["cog"],
            part["heading"],
            part["nav_status"],
            part["msg_type"],
            part["source"],
            part["offset"],
            alive[used],
            class_b,
        )
        for detector in self.detectors:
            detector.reserve(self.hulls)
        return self._each(lambda detector: detector.feed(columns))

    def _each(self, work: Any) -> list[NDArray[Any]]:
        """The work on every detector, in their order; on several threads where asked for (kernels release the GIL)."""
        if self._threads == 1:
            return [work(detector) for detector in self.detectors]
        with ThreadPoolExecutor(self._threads) as pool:
            return list(pool.map(work, self.detectors))

    def conclude(
        self, records: NDArray[Any], identity: Identities, kept: Mapping[str, NDArray[Any]] | None = None
    ) -> tuple[NDArray[Any], dict[str, int]]:
        """The events of all records of `feed`, `flush` and `standing`, sorted, and how many their place left out: with
        what all together tell, and what follows; `kept` is what each detector kept of events that are gone."""
        records, counts = well_placed(records, self.detectors)
        records = sorted_events(records)
        known = self.known(identity, kept)
        for detector in self.detectors:
            own = np.isin(records["kind"], [kind_code(kind) for kind in detector.kinds])
            settled = detector.settle(detector.settle_each(records[own], known), known)
            records = sorted_events(joined_events(records[~own], settled))
        for deriving in self.derived:
            both = [deriving.derive_each(records, known), deriving.derive(records, known)]
            found, more = well_placed(joined_events(*both), [deriving])
            records, counts = sorted_events(joined_events(records, found)), counts | more
        return records[np.isin(records["kind"], self.chosen)], counts

    def known(self, identity: Identities, kept: Mapping[str, NDArray[Any]] | None = None) -> Known:
        """What detectors may look at beside events."""
        return Known(identity, vessels(self._bound.told_hulls(), identity), self.newest, kept or {})

    def finish(self, records: NDArray[Any], identity: Identities, sources: Sequence[str] = ()) -> Events:
        """The table of the events that `conclude` makes of all records, each with its name.

        `identity` are the static reports as intervals (`ais.identity.identities`), `sources` the names of the inputs.
        """
        records, counts = self.conclude(records, identity)
        return self.table(records, identity, sources, counts)

    def table(
        self,
        records: NDArray[Any],
        identity: Identities,
        sources: Sequence[str],
        counts: Mapping[str, int],
        ships: NDArray[np.uint32] | None = None,
    ) -> Events:
        """The table of events that were concluded; `ships` are those, in order, that `vessels` holds, default all."""
        hulls = self._bound.told_hulls()
        hulls = hulls if ships is None else hulls[among(hulls["mmsi"], ships)]
        return Events(
            event_columns(records, self._every(), self._anchorages),
            vessels=vessels(hulls, identity),
            identity=identity,
            sources=tuple(sources),
            params=self.table_params(),
            counts={**self.counts, **self.beyond_bounds, **counts},
        )

    def params(self) -> dict[str, dict[str, Any]]:
        """The parameters of each detector."""
        return {detector.name: detector.params_dict() for detector in self._every()}

    def kinds_alike(self, other: Engine) -> list[int]:
        """Codes of the kinds of events to which another engine gives the same ids."""
        theirs = other.params()
        same = [one for one in self._every() if theirs.get(one.name) == one.params_dict()]
        return [kind_code(kind) for one in same for kind in one.kinds]

    def table_params(self) -> dict[str, Any]:
        """What a table of events says of how they were found: every event may name the port that it is near."""
        return {**self.params(), "ports": ports_version()}

    def header(self) -> dict[str, Any]:
        """What must be the same in an engine that takes the state of this one from a file."""
        words = {"kinds": list(KINDS), "labels": list(LABELS), "reasons": REASONS}
        return {"holds": "an engine", "params": json.loads(json.dumps(self.params())), **words}

    def _every(self) -> list[Detector | DerivedDetector]:
        return [*self.detectors, *self.derived]

    def standing(self) -> NDArray[Any]:
        """Events that have begun and not ended, as far as the rows are complete; changes nothing. Records of `EVENT`.

        What only time tells is judged at the time up to which the rows are complete (the newest less the lateness), so
        that no ship is called silent whose rows still wait.
        """
        if self._released == NAT:
            return np.zeros(0, EVENT)
        told = self._each(lambda detector: detector.standing(self._released, self._alive))
        return joined_events(*told)

    def state(self) -> State:
        """All that the engine knows, as a copy; `resume` goes on from the next row."""
        return {name: copied(array) for name, array in self.views().items()}

    def views(self) -> State:
        """All that the engine knows, as it stands: later rows change it."""
        return {name: one.array() if isinstance(one, Pieces) else one for name, one in self.columns().items()}

    def columns(self) -> dict[str, Column]:
        """The same for `write_state`, which reads rows that wait in a file a piece at a time."""
        arrays: dict[str, Column] = {f"pending.{name}": column for name, column in self._pending.columns().items()}
        arrays |= {f"hulls.{name}": array for name, array in self._tracks.hulls._asdict().items()}
        arrays |= self._tracks.gate_state()
        arrays |= {"counts": self._counts, "clocks": np.array([self._released, self.newest, self._last, self._alive])}
        for detector in self.detectors:
            arrays |= {f"{detector.name}.{name}": array for name, array in detector.columns().items()}
        return arrays

    def resume(self, state: Mapping[str, NDArray[Any]], below: str = "") -> None:
        """Take the state of an engine with the same detectors and parameters, whose names begin with `below`."""
        saved = Part(state, below)
        self._released, newest, self._last, self._alive = saved["clocks"].tolist()
        pending = saved.part("pending")
        self._time = FeedTime(newest, pending["t"], pending["mmsi"])
        self._pending = Pending.again(self._pending.none, pending, self._folder)
        hulls = self._tracks.hulls._asdict().items()
        self._tracks.hulls = Hulls(**{name: like(saved[f"hulls.{name}"], array) for name, array in hulls})
        self._tracks.take_gate({name: like(saved[name], array) for name, array in self._tracks.gate_state().items()})
        self._counts = saved["counts"]
        for detector in self.detectors:
            detector.resume(saved.part(detector.name))
            detector.reserve(self.hulls)

    def save(self, path: str | Path) -> None:
        """Write the whole state to a file; `load` goes on from the next row."""
        write_state(path, self.columns(), self.header())

    def load(self, path: str | Path) -> None:
        """Take the state of an engine with the same detectors and parameters from a file.

        Raises
        ------
        InputError
            For a file that is torn, or that another version or something else than an engine wrote.
        UsageError
            For one that was saved with other detectors or parameters.
        """
        state, _ = open_state(path, self.header())
        check_alike(path, state.places, self.columns())
        self.resume(state)


def row_dtypes() -> dict[str, str]:
    """The columns that the engine looks at, with their dtypes."""
    return {name: FIX_DTYPES[name] for name in ROW}
