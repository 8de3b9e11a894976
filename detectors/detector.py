"""What every detector is: parameters, a state of flat arrays, one loop (`run`) and what only silence can tell
(`flush`).

A detector sees rows in time order, each with the slot of its hull. Batch gives it many rows, a stream few; the events
are the same. Its state is arrays of fixed shape, so that it can be saved at any row and grown between two calls.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.hulls import HULL
from ais.table import Table
from detectors.event import EVENT, joined_events
from detectors.snapshot import Column, Part, Pieces, State, copied, like
from geo.anchorages import Anchorages
from geo.nameless_file import FileArray


class Columns(NamedTuple):
    """Rows for the detectors: usable fixes in time order.

    Kernels take it whole and read `rows.t[i]`. NaN is not available; `nav_status` 15 is not said. `alive` is the time
    in µs for which the feed itself was heard up to the row: a stretch without a message from any ship is the feed's
    silence and nobody else's. `class_b` is 1 for messages of class B transponders.
    """

    slot: NDArray[np.int32]
    t: NDArray[np.int64]
    mmsi: NDArray[np.uint32]
    hull: NDArray[np.uint8]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    sog: NDArray[np.float32]
    cog: NDArray[np.float32]
    heading: NDArray[np.float32]
    nav_status: NDArray[np.uint8]
    msg_type: NDArray[np.uint8]
    source: NDArray[np.uint16]
    offset: NDArray[np.int64]
    alive: NDArray[np.int64]
    class_b: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Known:
    """What a detector may look at beside its events.

    `identity` holds the static reports as intervals, `vessels` one row per hull, `now` is the newest time of the feed
    in µs (`ais.table.NAT` when nothing was heard). `kept` has for each detector what it kept of events that a watch
    has let go of (`Detector.keep`).
    """

    identity: Table
    vessels: Table
    now: int
    kept: Mapping[str, NDArray[Any]] = field(default_factory=dict)


class Final(NamedTuple):
    """What a detector sees when a watch lets go of events that nothing can change any more, records of `EVENT`.

    Of a `Detector` its own events, as `settle_each` left them; of a `DerivedDetector` all.
    """

    gone: NDArray[Any]
    """Those that go now."""
    left: NDArray[Any]
    """Those that stay."""
    known: Known


class Remembers:
    """What a detector keeps of events that a watch lets go of, so that what is told later is what it would have been.

    A watch holds events for `forget_s`, and no more than `max_events`. `keeps` is the type of what is kept beyond that,
    `EVENT` or any other; what it says of single ships has a field `mmsi`.
    """

    name: ClassVar[str]
    keeps: ClassVar[np.dtype[Any]] = np.dtype([])

    def keep(self, kept: NDArray[Any], final: Final) -> NDArray[Any]:
        """What later events rest on: `kept` so far, and what is to be remembered of those that go now."""
        return kept

    def kept(self, known: Known) -> NDArray[Any]:
        """What was kept so far, records of `keeps`."""
        return known.kept.get(self.name, np.zeros(0, self.keeps))


OUT_EVENTS = 4096
"""Events that one call of a kernel can return; it stops when fewer than `OUT_ROOM` places are left."""
OUT_ROOM = 8
HULLS_AT_ONCE = 1 << 15
"""Of so many together it is told what goes on: a copy of 6 MB at most."""
FEWEST_HULLS = 256
"""Rows of an array by slot at first."""


class Detector(Remembers, ABC):
    """Base of the detectors: drains the kernel, grows and saves the state.

    `name` is what users call it, `Params` the class of its parameters, `kinds` the kinds of event that it finds, and
    `facts` the names of the numbers in the field `facts` of its events: each is a column of the table of events. One
    whose name ends with `_port` is a row of `geo.ports.ports()` (f4 is exact to 16 million); its column has the code.
    """

    Params: ClassVar[type[Any]]
    kinds: ClassVar[tuple[str, ...]]
    facts: ClassVar[tuple[str, ...]] = ()
    label_in_id: ClassVar[bool] = False
    """True where a ship can have events of one kind that begin at once and differ by their label."""
    settles_place: ClassVar[bool] = False
    """True where `settle` looks at `min_shore_m`, because an event nearer to the shore is one of another kind."""
    by_slot: ClassVar[tuple[str, ...]] = ()
    """Names of the arrays that have a row for each hull, by slot; without any it cannot let go of hulls."""
    flush_changes: ClassVar[tuple[str, ...] | None] = None
    """Names of the arrays that `flush` writes to; None: any. Of the others no copy is made to tell what goes on. Where
    one of `by_slot` is among them `flush` looks at each hull by itself, and is asked for some hulls at a time."""
    seldom: ClassVar[tuple[str, ...]] = ()
    """Names of large arrays most rows of which are seldom looked at: they lie in a file where there is a `folder`."""
    params: Any

    def __init__(self, params: Any = None) -> None:
        self.params = params if params is not None else self.Params()
        self.max_vessels: int | None = None
        self.arrays: dict[str, NDArray[Any]] = {}
        self.ships: NDArray[Any] = np.zeros(0, HULL).view(np.recarray)
        self._out: NDArray[Any] = np.zeros(OUT_EVENTS, EVENT).view(np.recarray)
        self.folder: str | Path | None = None
        self._files: dict[str, FileArray] = {}

    def zeros(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """A zeroed array that becomes the one of this name; one of `seldom` in a file, where the disk has room."""
        self._files.pop(name, None)
        if name in self.seldom and self.folder is not None:
            with suppress(OSError):
                self._files[name] = FileArray(self.folder, shape, dtype)
        array = self._files[name].array if name in self._files else np.zeros(shape, dtype)
        return array.view(np.recarray) if dtype.names else array

    def columns(self) -> dict[str, Column]:
        """Its arrays, to be written as they stand; those in files are read a row at a time, and leave memory now."""
        self.leave()
        files = {name: Pieces(file.array.dtype, file.array.shape, file.read) for name, file in self._files.items()}
        return {**self.arrays, **files}

    def resume(self, state: Part) -> None:
        """Go on from what `columns` gave once, of a detector with the same parameters."""
        for name, array in self.arrays.items():
            if name in self.seldom:
                self.arrays[name] = self.zeros(name, state.shape(name), array.dtype)
                for row, saved in zip(self.arrays[name], state.rows(name), strict=True):
                    row[...] = like(saved, array)
            else:
                self.arrays[name] = like(state[name], array)
        self.leave()

    def leave(self) -> None:
        """What lies in files leaves memory until it is looked at."""
        for file in self._files.values():
            file.leave()

    @abstractmethod
    def run(self, columns: Columns, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """Rows from `begin` on: (the row where it stopped, events written to `out`)."""

    @abstractmethod
    def flush(self, now: int, alive: int, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """What the end of the input at `now` tells: (the place where it stopped or -1 when done, events written)."""

    def reserve(self, ships: NDArray[Any]) -> None:
        """Make room for these hulls, whose records (`ais.hulls.HULL`) by slot say which MMSI and hull each is."""
        self.ships = ships

    def bound(self, max_vessels: int) -> None:
        """Hold no more than what so many hulls need (`most_bytes`); said before the first row."""
        self.max_vessels = max_vessels

    def most_bytes(self, max_vessels: int) -> int:
        """Bytes of all arrays at most, with so many hulls."""
        rows = max(FEWEST_HULLS, rounded_up(max_vessels))
        return sum(rows * (array.nbytes // array.shape[0]) for array in map(self.arrays.__getitem__, self.by_slot))

    def left_out(self) -> dict[str, int]:
        """What found no room within the bound, counted by what it was."""
        return {}

    def let_go(self, kept: NDArray[np.intp], now: int, alive: int) -> NDArray[Any]:
        """Let go of all hulls but those in the slots `kept` (ascending), which take the first slots in their order.

        What goes on with the others at `now` is told as at the end of the input, as records.
        """
        gone = np.delete(np.arange(self.ships.size), kept)
        ships, whole = self.ships, {name: self.arrays[name] for name in self.by_slot}
        self.ships = ships[gone]
        self.arrays |= {name: array[gone] for name, array in whole.items()}
        found = self.finish(now, alive)
        self.ships = ships[kept]
        self.arrays |= {name: only(array, kept) for name, array in whole.items()}
        return found

    def know(self, anchorages: Anchorages) -> None:
        """Learn where ships are known to wait, before the first row."""

    def make_room(self) -> None:
        """Grow whatever table made `run` stop; called between two calls of it."""

    def settle_each(self, records: NDArray[Any], known: Known) -> NDArray[Any]:
        """Its own events, placed, with what its place, static reports and all that was heard by now tell of each.

        As many as were given, in their order, each by itself: a watch asks again only for those of which more may be
        known, and gives them as they were returned (`detectors.laws`). As it is, it changes nothing.
        """
        return records

    def settle(self, records: NDArray[Any], known: Known) -> NDArray[Any]:
        """Its own events after `settle_each`, with what only all of them together tell.

        Called before derived detectors look, and again whenever events are told; as it is, it changes nothing. The
        result must depend on the set of events and not on their order.
        """
        return records

    def feed(self, columns: Columns) -> NDArray[Any]:
        """All events that these rows close, as records."""
        pieces, i, n = [], 0, columns.t.size
        self.make_room()
        while i < n:
            i, events = self.run(columns, i, self._out)
            pieces.append(self._out[:events].copy())
            self.make_room()
        return np.concatenate(pieces) if pieces else self._out[:0].copy()

    def finish(self, now: int, alive: int) -> NDArray[Any]:
        """All events that the end of the input closes or leaves open, as records; `alive` as in `Columns`."""
        pieces, i = [], 0
        while i >= 0:
            i, events = self.flush(now, alive, i, self._out)
            pieces.append(self._out[:events].copy())
        return np.concatenate(pieces)

    def standing(self, now: int, alive: int) -> NDArray[Any]:
        """What `finish` would find at `now`, in µs, as records; on copies of what that changes, of some hulls at a time
        where it can be."""
        ships, arrays, found = self.ships, self.arrays, []
        by_hull = self.flush_changes is not None and not {*self.by_slot}.isdisjoint(self.flush_changes)
        n, step = (ships.size, HULLS_AT_ONCE) if by_hull else (1, 1)
        try:
            for begin in range(0, n, step):
                slots = slice(begin, begin + step) if by_hull else slice(None)
                own = {name: arrays[name][slots] for name in self.by_slot}
                self.ships, self.arrays = ships[slots], arrays | own | self.copies(arrays, slots)
                found.append(self.finish(now, alive))
        finally:
            self.ships, self.arrays = ships, arrays
        return joined_events(*found)

    def copies(self, arrays: State, slots: slice) -> State:
        """Copies of the arrays that `flush` writes to, with the rows of these hulls only."""
        names = arrays if self.flush_changes is None else self.flush_changes
        return {name: copied(arrays[name][slots] if name in self.by_slot else arrays[name]) for name in names}

    def params_dict(self) -> dict[str, Any]:
        """The parameters as plain values."""
        return asdict(self.params)


class HullDetector(Detector):
    """A detector that looks at one ship at a time: one record of state for each hull, one kernel that takes rows.

    `state` is the dtype of the record, zero at first. `loop(states, rows, begin, limits, out)` takes rows from `begin`
    on and gives (row where it stopped, events written); `end(states, now, alive, begin, limits, out)` looks at every
    record when the input ends and gives (slot where it stopped or -1, events written). Both stop while `OUT_ROOM`
    places of `out` are free. `limits` are the thresholds as numbers, a NamedTuple; one that has `ships` among them need
    not keep MMSI and hull in its record.
    """

    by_slot = ("states",)
    flush_changes: ClassVar[tuple[str, ...] | None] = ("states",)
    state: ClassVar[np.dtype[Any]]
    loop: ClassVar[Any]
    end: ClassVar[Any]

    def __init__(self, params: Any = None) -> None:
        super().__init__(params)
        self.arrays = {"states": np.zeros(FEWEST_HULLS, self.state).view(np.recarray)}

    @abstractmethod
    def limits(self) -> Any:
        """What the kernels take for `limits`."""

    def reserve(self, ships: NDArray[Any]) -> None:
        """Make room for these hulls."""
        super().reserve(ships)
        self.arrays["states"] = grown(self.arrays["states"], ships.size)

    def run(self, columns: Columns, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """Rows from `begin` on: (the row where it stopped, events written to `out`)."""
        stopped, events = type(self).loop(self.arrays["states"], columns, begin, self.limits(), out)
        return int(stopped), int(events)

    def flush(self, now: int, alive: int, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """What the end of the input at `now` tells: (slot where it stopped or -1, events written to `out`)."""
        stopped, events = type(self).end(self.arrays["states"], now, alive, begin, self.limits(), out)
        return int(stopped), int(events)


class DerivedDetector(Remembers):
    """A detector of what follows from other events and from what ships said of themselves.

    It sees what the detectors named in `needs` have found, so that the engine runs them too. Its result must depend on
    the set of events and not on their order. What follows for each ship by itself is found in `derive_each`, so that a
    watch need not look at all ships again when one of them did something.
    """

    Params: ClassVar[type[Any]]
    kinds: ClassVar[tuple[str, ...]]
    facts: ClassVar[tuple[str, ...]] = ()
    label_in_id: ClassVar[bool] = False
    settles_place: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ()
    goes_on: ClassVar[bool] = False
    """True where an event has no end of its own, but the last report that says so. There are few for each ship, and a
    watch keeps them for `forget_s`, however many."""

    def __init__(self, params: Any = None) -> None:
        self.params = params if params is not None else self.Params()

    def derive_each(self, events: NDArray[Any], known: Known) -> NDArray[Any]:
        """Further events that follow for each ship from its own events and reports, and from those of the ships that
        it met; `mmsi` is the ship for which they follow. Records of `EVENT`."""
        return np.zeros(0, EVENT)

    def derive(self, events: NDArray[Any], known: Known) -> NDArray[Any]:
        """Further events that follow from all ships together, from those found, sorted by start, kind and vessel."""
        return np.zeros(0, EVENT)

    def params_dict(self) -> dict[str, Any]:
        """The parameters as plain values."""
        return asdict(self.params)


def grown(array: NDArray[Any], size: int, *, exactly: bool = False) -> NDArray[Any]:
    """A zeroed array that begins with the given one; record arrays stay record arrays.

    Its rows are `size` rounded up to a power of two, or exactly as many; an array that has them is given back.
    """
    if array.shape[0] >= size:
        return array
    bigger = np.zeros((size if exactly else rounded_up(size), *array.shape[1:]), array.dtype)
    bigger[: array.shape[0]] = array
    return bigger.view(np.recarray) if array.dtype.names else bigger


def rounded_up(size: int) -> int:
    """The least power of two that is no less.

    >>> rounded_up(5), rounded_up(8)
    (8, 8)
    """
    return 1 << (size - 1).bit_length()


def only(array: NDArray[Any], kept: NDArray[np.intp]) -> NDArray[Any]:
    """The rows of `kept` before all others, which are zero; as long as before."""
    left = np.zeros_like(array)
    left[: kept.size] = array[kept]
    return left
