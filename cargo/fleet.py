"""The ships that the events speak of: who broadcast which name and number when, and what each ship did.

A name, an MMSI and a call sign are intervals; an IMO number belongs to a hull. So a row's ship is looked for among
those that used the name or number about the time of the row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.imo import imo_valid
from ais.table import NAT, Fixes, Table
from cargo.identifiers import ship_key
from cargo.leg import DAY_US
from detectors.event import (
    DARK,
    DARK_RENDEZVOUS,
    GAP,
    IDENTITY,
    KINDS,
    LOITERING,
    PORT_CALL,
    RENDEZVOUS,
    WAITING,
    Events,
    label_code,
)
from detectors.registry import registered
from geo.speed import Speed, speed_of
from geo.sphere import distance_m

PORT_RADIUS_M = 10_000.0
"""A call this near to a port's position counts as a call there: a port's terminals lie apart."""
_DEG_OF_RADIUS = 0.1
"""10 km are less than this in latitude."""


INFERRED = label_code("inferred")
_OF_BOTH = (RENDEZVOUS, DARK_RENDEZVOUS, IDENTITY)
"""Events of these kinds belong to the other ship too."""


class Event(NamedTuple):
    """One event as plain Python values (see `detectors.event`)."""

    id: str
    kind: int
    label: int
    open: int
    mmsi: int
    hull: int
    other: int
    other_hull: int
    t_start: int
    t_end: int
    lat: float
    lon: float
    lat_end: float
    lon_end: float
    port: str
    anchorage_name: str
    score: float
    coverage: float
    distance_m: float
    first_source: int
    last_source: int
    first_offset: int
    last_offset: int


class Identity(NamedTuple):
    """What one MMSI said of itself from `t_from` to `t_to` (µs); texts "" and numbers 0 if not said, draught NaN."""

    t_from: int
    t_to: int
    mmsi: int
    imo: int
    name: str
    draught: float
    source: int
    first_offset: int
    last_offset: int


class Vessel(NamedTuple):
    """One ship heard: when, its name and number if known, its AIS type (0 unknown) and length (NaN unknown)."""

    mmsi: int
    hull: int
    t_first: int
    t_last: int
    name: str
    imo: int
    ship_type: int
    length_m: float


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("ascii", "replace").strip()
    return "" if value is None else value


class ShipCalls(NamedTuple):
    """Port calls of a ship, by start: rows of the events, and when each began and ended (µs)."""

    row: NDArray[np.int64]
    t_start: NDArray[np.int64]
    t_end: NDArray[np.int64]


def _rows(table: Table | None, kind: Any, defaults: dict[str, Any]) -> Iterable[Any]:
    """Rows of a table as named tuples of `kind`; columns that the table lacks take their default."""
    if table is None:
        return []
    n = len(table)
    present = set(table)
    columns = [_values(table[f]) if f in present else [defaults.get(f, 0)] * n for f in kind._fields]
    return (kind(*values) for values in zip(*columns, strict=True))


def _values(column: NDArray[Any]) -> list[Any]:
    """A column as plain Python values."""
    values: list[Any] = column.tolist()
    return values if column.dtype.kind in "biuf" else list(map(_plain, values))


def _reader(column: NDArray[Any]) -> Callable[[int], Any]:
    """What reads a row of a column as a plain Python value."""
    return column.item if column.dtype.kind in "biufU" else lambda row: _plain(column.item(row))


def _always(value: Any, _row: int) -> Any:
    return value


_NONE = np.zeros(0, np.int64)
_DEFAULTS = {"port": "", "anchorage_name": ""}


class _Places:
    """Which rows have a value: the values sorted, so that those of one are found without a search."""

    def __init__(self, values: NDArray[Any], rows: NDArray[np.int64]) -> None:
        order = np.argsort(values, kind="stable")
        self._values, self._rows = values[order], rows[order]

    def rows(self, value: Any) -> NDArray[np.int64]:
        """The rows that have this value, in their order."""
        wanted = np.array(value, self._values.dtype)  # of one dtype, or numpy would convert all values at each call
        if wanted != value:
            return _NONE
        first, last = (int(np.searchsorted(self._values, wanted, side)) for side in ("left", "right"))
        return self._rows[first:last]


def _ship_rows(events: Events) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """For each ship the rows of its events, port calls apart; an event of two ships belongs to both."""
    if not len(events):
        return np.zeros(0, np.uint32), _NONE
    own = np.flatnonzero(events["kind"] != PORT_CALL)
    both = np.flatnonzero(
        np.isin(events["kind"], _OF_BOTH) & (events["other"] != 0) & (events["other"] != events["mmsi"])
    )
    return np.concatenate([events["mmsi"][own], events["other"][both]]), np.concatenate([own, both])


class Fleet:
    """Lookups over the events, made once per join; `fixes`, where they are kept, tell how fast each ship sails."""

    def __init__(self, events: Events, fixes: Fixes | None = None) -> None:
        self.sources = events.sources
        self._fixes = fixes
        ran = [detector for name, detector in registered().items() if name in events.params]
        self.looked_for = frozenset(KINDS.index(kind) for detector in ran for kind in detector.kinds)
        self.vessels: list[Vessel] = list(_rows(events.vessels, Vessel, {"name": "", "length_m": float("nan")}))
        self.identities: list[Identity] = list(_rows(events.identity, Identity, {"name": "", "draught": float("nan")}))
        self.t_first = min((v.t_first for v in self.vessels), default=NAT)
        self.t_last = max((v.t_last for v in self.vessels), default=NAT)
        self._by_mmsi: dict[int, list[Vessel]] = {}
        for vessel in self.vessels:
            self._by_mmsi.setdefault(vessel.mmsi, []).append(vessel)
        self._said: dict[int, list[Identity]] = {}
        self._by_imo: dict[int, list[Identity]] = {}
        self._by_name: dict[str, list[Identity]] = {}
        for said in (*self.identities, *self._from_vessels()):
            self._said.setdefault(said.mmsi, []).append(said)
            if imo_valid(said.imo):
                self._by_imo.setdefault(said.imo, []).append(said)
            if key := ship_key(said.name):
                self._by_name.setdefault(key, []).append(said)
        self.events = events
        told = frozenset(events)
        self._read = [
            _reader(events[name]) if name in told else partial(_always, _DEFAULTS.get(name, 0))
            for name in Event._fields
        ]
        self._by_ship = _Places(*_ship_rows(events))
        called = np.flatnonzero((events["kind"] == PORT_CALL) & (events["label"] != INFERRED)) if len(events) else _NONE
        self._at_port = _Places(events["port"][called] if called.size else np.zeros(0, "U5"), called)
        self._calls = _Places(events["mmsi"][called] if called.size else np.zeros(0, np.uint32), called)
        self._calls_of: dict[tuple[int, ...], ShipCalls] = {}
        self._ships: dict[int, list[Event]] = {}
        self._of_kinds: dict[tuple[tuple[int, ...], tuple[int, ...]], list[Event]] = {}
        self._ports: dict[str, tuple[NDArray[Any], ...]] = {}

    def event(self, row: int) -> Event:
        """A row of the events."""
        return Event(*[read(row) for read in self._read])

    def _from_vessels(self) -> list[Identity]:
        """Names and numbers of vessels whose static reports are not kept as intervals."""
        told = {said.mmsi for said in self.identities}
        nan = float("nan")
        return [
            Identity(v.t_first, v.t_last, v.mmsi, v.imo, v.name, nan, 0, -1, -1)
            for v in self.vessels
            if v.mmsi not in told and (v.name or v.imo)
        ]

    def by_imo(self, imo: int) -> list[Identity]:
        """Who broadcast an IMO number."""
        return self._by_imo.get(imo, [])

    def by_name(self, name: str) -> list[Identity]:
        """Who broadcast a name, numeral-safe."""
        return self._by_name.get(ship_key(name), [])

    def said(self, mmsi: int) -> list[Identity]:
        """All that an MMSI said of itself."""
        return self._said.get(mmsi, [])

    def heard(self, mmsi: int) -> list[Vessel]:
        """The hulls heard under an MMSI."""
        return self._by_mmsi.get(mmsi, [])

    def imos(self, mmsi: int) -> set[int]:
        """Valid IMO numbers that an MMSI broadcast."""
        return {said.imo for said in self.said(mmsi) if imo_valid(said.imo)}

    def events_of(
        self, mmsis: Iterable[int], kinds: Iterable[int] = (LOITERING, DARK, GAP, RENDEZVOUS, WAITING)
    ) -> list[Event]:
        """Events of some ships, by start, port calls apart; a rendezvous belongs to both partners."""
        asked = (tuple(mmsis), tuple(kinds))
        if asked not in self._of_kinds:
            for mmsi in asked[0]:
                if mmsi not in self._ships:
                    self._ships[mmsi] = [self.event(row) for row in self._by_ship.rows(mmsi).tolist()]
            found = {e.id: e for mmsi in asked[0] for e in self._ships[mmsi] if e.kind in asked[1]}
            self._of_kinds[asked] = sorted(found.values(), key=lambda e: (e.t_start, e.kind, e.id))
        return self._of_kinds[asked]

    def calls_of(self, mmsis: Iterable[int]) -> ShipCalls:
        """Port calls of some ships, by start. One that is inferred from a silence is no record of a call."""
        asked = tuple(mmsis)
        if asked not in self._calls_of:
            rows = np.concatenate([_NONE, *(self._calls.rows(mmsi) for mmsi in asked)])
            rows = rows[np.lexsort((self.events["id"][rows], self.events["t_start"][rows]))] if rows.size else rows
            times = [self.events[name][rows] if rows.size else _NONE for name in ("t_start", "t_end")]
            self._calls_of[asked] = ShipCalls(rows, *times)
        return self._calls_of[asked]

    def ships_at(self, port: str, t_from: int, t_to: int) -> int:
        """How many ships called at a port in a span of time; calls inferred from a silence are left out."""
        if port not in self._ports:
            rows = self._at_port.rows(port)
            rows = rows[np.argsort(self.events["t_start"][rows], kind="stable")] if rows.size else rows
            columns = [self.events[name][rows] if rows.size else _NONE for name in ("t_start", "t_end", "mmsi")]
            self._ports[port] = tuple(columns)
        t_start, t_end, mmsi = self._ports[port]
        n = int(np.searchsorted(t_start, t_to, side="right"))
        return len(set(mmsi[:n][t_end[:n] >= t_from].tolist()))

    def last_heard(self, mmsis: Iterable[int]) -> int:
        """When any of some ships was last heard, µs; `NAT` never."""
        return max((v.t_last for mmsi in mmsis for v in self.heard(mmsi)), default=NAT)

    def speed_of(self, event: Event) -> Speed:
        """The speed of the ship of an event: from its own fixes, its type and length, and the draught it had told."""
        ship = next((v for v in self.heard(event.mmsi) if v.hull == event.hull), None)
        t, sog = self._history(event.mmsi, event.hull)
        told = sorted((said.t_from, said.draught) for said in self.said(event.mmsi) if said.draught > 0.0)
        drawn = np.array([math.nan, *(draught for _, draught in told)])
        since = np.array([t_from for t_from, _ in told], np.int64)
        return speed_of(
            t,
            sog,
            ship_type=ship.ship_type if ship else None,
            length_m=ship.length_m if ship else None,
            draught_m=float(drawn[np.searchsorted(since, event.t_start, side="right")]),
            draughts_m=drawn[np.searchsorted(since, t, side="right")],
        )

    def _history(self, mmsi: int, hull: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Times and speeds of all valid fixes of a hull; none where fixes are not kept."""
        if self._fixes is None:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        fixes = self._fixes
        rows = np.flatnonzero((fixes["mmsi"] == mmsi) & (fixes["hull"] == hull) & (fixes["status"] == 0))
        return fixes["t"][rows], fixes["sog"][rows]


def called_at(call: Event, port: str) -> bool:
    """Whether a port call is at a port: by its code, or within 10 km of the port's position."""
    from geo.ports import port_by_code

    if not port or call.port == port:
        return bool(port)
    place = port_by_code(port)
    if place is None or abs(call.lat - place.lat) > _DEG_OF_RADIUS:
        return False
    return float(distance_m(call.lat, call.lon, place.lat, place.lon)) <= PORT_RADIUS_M


def near_in_time(said: Identity, t_from: int, t_to: int, days: float) -> bool:
    """Whether an identity was in use within `days` of a span of time; an unknown span excludes nothing."""
    slack = int(days * DAY_US)
    return NAT in (t_from, t_to) or (said.t_from <= t_to + slack and said.t_to >= t_from - slack)
