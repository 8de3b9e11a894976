"""What follows from events so far, kept, so that a look costs in proportion to what changed since the last.

`Engine.conclude` judges all events anew. Here each is judged by itself (`Detector.settle_each`) when it is new or goes
on, when one of its ships said something new, and again now and then: when a sixteenth of its age has gone by, at least
every `update_us`, once a day when it has ended. What follows for each ship (`DerivedDetector.derive_each`) is derived
again for the ships that something new is known of, and for all others in turn, once in `update_us`. What only all
events together tell of them (`settle`) is told at every look, what follows from all ships together (`derive`) every
`together_us`. At the end `Engine.conclude` says what all is, with what is known by then.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.identity_stream import Ships, among
from ais.table import NAT
from detectors.detector import DerivedDetector, Detector, Final, Known
from detectors.engine import Engine
from detectors.event import EVENT, RENDEZVOUS, joined_events
from detectors.finish import placed, sorted_events, well_placed
from detectors.registry import kind_code
from detectors.told import Keys, Naming, mixed

DAY_US = 86_400_000_000
SHIPS_AT_ONCE = 1 << 15
"""For so many is derived anew together: what their static reports tell is copied."""
SHARE_OF_AGE = 16
"""An event is judged again when this part of its age has gone by: at a tenth more, a score has hardly moved."""


class Look(NamedTuple):
    """What a look found: events that may have changed, and the keys of all that there are."""

    changed: NDArray[Any]
    present: Keys
    heard: Ships
    """The ships that are followed, and those that were not long ago."""


class Turn(NamedTuple):
    """A look: its time and that of the one before, in µs."""

    before: int
    now: int

    def comes(self, period_us: Any, phase: Any) -> Any:
        """Whether a moment that comes back every `period_us` lies between the two."""
        if self.before == NAT:
            return np.ones(np.broadcast(period_us, phase).shape, np.bool_)
        return (self.now + phase) // period_us != (self.before + phase) // period_us


def of_ships(records: NDArray[Any], ships: Ships) -> NDArray[np.bool_]:
    """Which records have one of these ships in them; those without ships all have."""
    names = records.dtype.names or ()
    found = np.full(records.size, "mmsi" not in names)
    for name in {"mmsi", "other"} & {*names}:
        found |= among(records[name], ships)
    return found


def ships_in(*records: NDArray[Any]) -> Ships:
    """The ships of events; 0 stands for no other."""
    return np.unique(np.concatenate([one[name] for one in records for name in ("mmsi", "other")]))


class Conclusions:
    """The events of an engine as they are known by now."""

    def __init__(self, engine: Engine, step_us: int, update_us: int, together_us: int) -> None:
        self._engine, self._naming = engine, Naming()
        self._step_us, self._update_us, self._together_us = step_us, update_us, together_us
        nothing = np.zeros(0, EVENT)
        self._ended, self._ended_out = nothing, np.zeros(0, np.bool_)
        self._open, self._open_out, self._open_keys = nothing, np.zeros(0, np.bool_), np.zeros(0, np.uint64)
        self._together = {d.name: nothing for d in engine.detectors if type(d).settle is not Detector.settle}
        self._each = {detector.name: nothing for detector in engine.derived}
        self._all = {detector.name: nothing for detector in engine.derived}
        self.kept = {d.name: np.zeros(0, d.keeps) for d in (*engine.detectors, *engine.derived) if d.keeps.names}
        """What each detector keeps of events that are final (`Detector.keep`)."""
        self._dropped = self._heard = np.zeros(0, np.uint32)
        codes = np.arange(256)
        together = [kind for d in engine.detectors if d.name in self._together for kind in d.kinds]
        self._shared = np.isin(codes, [kind_code(kind) for kind in together])
        self._own = {d.name: np.isin(codes, [kind_code(kind) for kind in d.kinds]) for d in engine.detectors}
        self._chosen = np.isin(codes, engine.chosen)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that it keeps."""
        names = ("_ended", "_ended_out", "_open", "_open_out", "_open_keys", "_dropped", "_heard")
        found = {name[1:]: getattr(self, name) for name in names}
        for place, arrays in self._by_detector().items():
            found |= {f"{place}_{name}": array for name, array in arrays.items()}
        return found

    def _by_detector(self) -> dict[str, dict[str, NDArray[Any]]]:
        """What it keeps for each detector, by what it is."""
        return {"together": self._together, "each": self._each, "all": self._all, "kept": self.kept}

    def take(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Go on from what `arrays` gave."""
        for name, mine in self.arrays().items():
            array = arrays[name].view(mine.dtype)
            place, _, of = name.partition("_")
            if place in self._by_detector():
                self._by_detector()[place][of] = array
            else:
                setattr(self, f"_{name}", array)

    @property
    def ended(self) -> NDArray[Any]:
        """The events that have ended, as they were judged last."""
        return self._ended

    def cut(self, n: int) -> None:
        """Only the first `n` events that had ended are still so."""
        self._dropped = np.union1d(self._dropped, ships_in(self._ended[n:])).astype(np.uint32)
        self._ended, self._ended_out = self._ended[:n].copy(), self._ended_out[:n].copy()

    def forget(self, gone: NDArray[np.int64], limit: int, old: int, known: Known) -> None:
        """These events that had ended are final, and of what follows from events what is over (`Naming.is_over`)."""
        self._remember(gone, (limit, old), replace(known, kept=self.kept))
        self._ended, self._ended_out = np.delete(self._ended, gone), np.delete(self._ended_out, gone)
        for of in (self._each, self._all):
            of.update({name: records[~self._naming.is_over(records, limit, old)] for name, records in of.items()})

    def _remember(self, gone: NDArray[np.int64], limits: tuple[int, int], known: Known) -> None:
        """Let each detector keep what later events rest on."""
        goes = np.zeros(self._ended.size, np.bool_)
        goes[gone] = True
        ended = self._ended[goes & ~self._ended_out]
        left = joined_events(self._ended[~goes & ~self._ended_out], self._open[~self._open_out])
        for detector in self._engine.detectors:
            if detector.name in self.kept:
                own = [records[self._own[detector.name][records["kind"]]] for records in (ended, left)]
                self.kept[detector.name] = detector.keep(self.kept[detector.name], Final(own[0], own[1], known))
        final = Final(*self._as_told(ended, left, limits), known)
        for deriving in self._engine.derived:
            if deriving.name in self.kept:
                self.kept[deriving.name] = deriving.keep(self.kept[deriving.name], final)

    def _as_told(
        self, ended: NDArray[Any], left: NDArray[Any], limits: tuple[int, int]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Events that are final and that are not, as all of them together tell, and what follows from them."""
        shared = [self._shared[records["kind"]] for records in (ended, left)]
        keys = self._naming.keys(ended[shared[0]])
        parts = [(together, np.isin(self._naming.keys(together), keys)) for together in self._together.values()]
        derived = (*self._each.values(), *self._all.values())
        parts += [(one, self._naming.is_over(one, *limits)) for one in derived]
        gone = [ended[~shared[0]], *(one[ends] for one, ends in parts)]
        return joined_events(*gone), joined_events(left[~shared[1]], *(one[~ends] for one, ends in parts))

    def look(self, fresh: NDArray[Any], standing: NDArray[Any], known: Known, said: Ships, turn: Turn) -> Look:
        """What follows from the events that have ended since the last look and before, and from those that go on.

        `said` are the ships whose static reports tell something new.
        """
        known = replace(known, kept=self.kept)
        touched, changed = [self._dropped, said, self._left(known)], []
        self._dropped = np.zeros(0, np.uint32)
        for take, records in ((self._take_ended, fresh), (self._take_open, standing)):
            judged, ships = take(records, known, said, turn)
            changed.append(judged[~self._shared[judged["kind"]]])
            touched.append(ships)
        touched += self._settle(known)
        changed += self._together.values()
        ships = np.unique(np.concatenate([*touched, self._in_turn(known, turn)])).astype(np.uint32)
        parts = [*self._plain(), *self._together.values()]
        changed += self._derive_each(parts, known, ships)
        changed += self._derive_all(parts, known, turn)
        self._let_be(known)
        parts += [*self._each.values(), *self._all.values()]
        keys = [self._naming.keys(part)[self._chosen[part["kind"]]] for part in parts]
        news = joined_events(*changed)
        return Look(news[self._chosen[news["kind"]]], np.concatenate(keys), self._heard)

    def _let_be(self, known: Known) -> None:
        """Of ships of which the engine knows nothing any more let events be that have no end of their own."""
        before, self._heard = self._heard, np.unique(known.vessels["mmsi"])
        lost = np.setdiff1d(before, self._heard, assume_unique=True)
        for detector in self._engine.derived:
            for of in (self._each, self._all) if detector.goes_on and lost.size else ():
                of[detector.name] = of[detector.name][~of_ships(of[detector.name], lost)]

    def _plain(self) -> list[NDArray[Any]]:
        """The events that are told as `settle_each` left them."""
        both = ((self._ended, self._ended_out), (self._open, self._open_out))
        return [records[~out & ~self._shared[records["kind"]]] for records, out in both]

    def _judge(self, records: NDArray[Any], known: Known) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Events placed and judged each by itself, and which of them to leave out."""
        records, out, _ = placed(records, self._engine.detectors)
        for detector in self._engine.detectors:
            own = self._own[detector.name][records["kind"]]
            if own.any() and type(detector).settle_each is not Detector.settle_each:
                records[own] = detector.settle_each(records[own], known)
        return records, out

    def _is_due(self, records: NDArray[Any], since: str, most_us: int, turn: Turn) -> NDArray[np.bool_]:
        """Whether the age of each event calls for another judgement."""
        period = np.clip((turn.now - records[since]) // SHARE_OF_AGE, self._step_us, max(self._step_us, most_us))
        return np.asarray(turn.comes(period, phases(records["mmsi"]) % period))

    def _take_ended(
        self, fresh: NDArray[Any], known: Known, said: Ships, turn: Turn
    ) -> tuple[NDArray[Any], NDArray[np.uint32]]:
        """Judge events that have ended: those judged now, and the ships of the new ones."""
        again = of_ships(self._ended, said) | self._is_due(self._ended, "t_end", DAY_US, turn)
        rows = np.flatnonzero(again & ~self._ended_out)
        judged, out = self._judge(joined_events(self._ended[rows], fresh), known)
        if fresh.size:
            rows = np.append(rows, np.arange(self._ended.size, self._ended.size + fresh.size))
            self._ended = joined_events(self._ended, fresh)
            self._ended_out = np.append(self._ended_out, np.zeros(fresh.size, np.bool_))
        self._ended[rows], self._ended_out[rows] = judged, out
        return judged[~out], ships_in(fresh)

    def _take_open(
        self, standing: NDArray[Any], known: Known, said: Ships, turn: Turn
    ) -> tuple[NDArray[Any], NDArray[np.uint32]]:
        """Judge events that go on: those judged now, and the ships of those that began or ended."""
        keys = self._naming.keys(standing)
        before = _places(self._open_keys, keys)
        known_before = np.flatnonzero(before >= 0)
        still = before[known_before]
        fresh = of_ships(standing, said) | self._is_due(standing, "t_start", self._update_us, turn)
        fresh[before < 0] = True
        gone = np.ones(self._open.size, np.bool_)
        gone[still] = False
        ships = ships_in(self._open[gone], standing[before < 0])
        records, out = standing.copy(), np.zeros(standing.size, np.bool_)
        records[known_before], out[known_before] = self._open[still], self._open_out[still]
        records[fresh], out[fresh] = self._judge(standing[fresh], known)
        self._open, self._open_out, self._open_keys = records, out, keys
        return records[fresh & ~out], ships

    def _settle(self, known: Known) -> list[NDArray[np.uint32]]:
        """Tell what only all together tell; the ships of events that are called otherwise now."""
        ships = []
        for detector in self._engine.detectors:
            if detector.name in self._together:
                mine = self._own[detector.name]
                both = ((self._ended, self._ended_out), (self._open, self._open_out))
                own = joined_events(*(records[mine[records["kind"]] & ~out] for records, out in both))
                was, now = self._together[detector.name], detector.settle(own, known)
                self._together[detector.name] = now
                ships.append(_called_otherwise(self._naming, was, now))
        return ships

    def _in_turn(self, known: Known, turn: Turn) -> Ships:
        """The ships whose turn it is to be looked at though nothing new is known of them."""
        ships = np.unique(known.vessels["mmsi"])
        in_turn = turn.comes(self._update_us, phases(ships) % self._update_us)
        return np.asarray(ships[in_turn], np.uint32)

    def _left(self, known: Known) -> Ships:
        """The ships that the engine follows no more, and of which something is told that goes on."""
        going_on = [records[records["open"] == 1] for records in self._each.values()]
        ships = ships_in(*going_on) if going_on else np.zeros(0, np.uint32)
        return ships[~among(ships, np.unique(known.vessels["mmsi"]))]

    def _derive_each(self, parts: list[NDArray[Any]], known: Known, ships: Ships) -> list[NDArray[Any]]:
        """Derive anew what follows for some ships, and for those that they met."""
        if not ships.size:
            return []
        met = joined_events(*(part[part["kind"] == RENDEZVOUS] for part in parts))
        ships = with_partners(met, ships)
        changed = []
        for detector in self._engine.derived:
            if type(detector).derive_each is DerivedDetector.derive_each:
                continue
            also = [kept[name] for kept in (self._each, self._all) for name in detector.needs if name in kept]
            found = [
                self._derive_for(detector, [*parts, *also], known, some, with_partners(met, some))
                for some in np.array_split(ships, 1 + ships.size // SHIPS_AT_ONCE)
            ]
            kept = self._each[detector.name]
            self._each[detector.name] = joined_events(kept[~among(kept["mmsi"], ships)], *found)
            changed += found
        return changed

    def _derive_for(
        self, detector: DerivedDetector, parts: list[NDArray[Any]], known: Known, ships: Ships, own: Ships
    ) -> NDArray[Any]:
        """What a detector derives for some ships; `own` are these and those that they met."""
        events = sorted_events(joined_events(*(part[of_ships(part, own)] for part in parts)))
        identity, heard = (table.take(among(table["mmsi"], own)) for table in (known.identity, known.vessels))
        kept = {name: records[of_ships(records, own)] for name, records in known.kept.items()}
        found = detector.derive_each(events, Known(identity, heard, known.now, kept))
        return well_placed(found[among(found["mmsi"], ships)], [detector])[0]

    def _derive_all(self, parts: list[NDArray[Any]], known: Known, turn: Turn) -> list[NDArray[Any]]:
        """Derive what follows from all ships together, when it is time."""
        if not turn.comes(self._together_us, 0):
            return []
        events = sorted_events(joined_events(*parts))
        for detector in self._engine.derived:
            if type(detector).derive is not DerivedDetector.derive:
                more = [kept[name] for kept in (self._each, self._all) for name in detector.needs if name in kept]
                seen = sorted_events(joined_events(events, *more)) if more else events
                self._all[detector.name] = well_placed(detector.derive(seen, known), [detector])[0]
        return list(self._all.values())


def phases(ships: NDArray[np.uint32]) -> NDArray[np.int64]:
    """A number for each ship, so that the turns of all are spread over time."""
    return (mixed(ships.astype(np.uint64)) >> np.uint64(2)).astype(np.int64)


def with_partners(met: NDArray[Any], ships: Ships) -> Ships:
    """These ships and those that they met."""
    return np.union1d(ships, ships_in(met[of_ships(met, ships)])).astype(np.uint32)


def _places(keys: Keys, wanted: Keys) -> NDArray[np.int64]:
    """Where each of the wanted keys stands, -1 for nowhere."""
    if not keys.size:
        return np.full(wanted.size, -1)
    order = np.argsort(keys)
    at = order[np.minimum(np.searchsorted(keys, wanted, sorter=order), keys.size - 1)]
    return np.where(keys[at] == wanted, at, -1)


def _called_otherwise(naming: Naming, was: NDArray[Any], now: NDArray[Any]) -> NDArray[np.uint32]:
    """The ships of events that are new, gone, or of another kind or label."""
    at = _places(naming.keys(was), naming.keys(now))
    same = np.flatnonzero(at >= 0)
    other = np.zeros(same.size, np.bool_)
    for name in ("kind", "label"):
        other |= was[name][at[same]] != now[name][same]
    gone = np.ones(was.size, np.bool_)
    gone[at[same]] = False
    return ships_in(now[at < 0], now[same[other]], was[gone])
