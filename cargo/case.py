"""A case: one chain of goods, the ships that carried it, and what those ships did with the goods on board."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ais.table import NAT
from cargo.carriage import Carriage
from cargo.chain import Chain
from cargo.fleet import Event, Fleet, Identity
from cargo.leg import DAY_US, Leg
from cargo.legtable import LegTable
from cargo.voyage import Voyage, voyage_of
from detectors.event import DARK, GAP, LOITERING, RENDEZVOUS, WAITING

if TYPE_CHECKING:
    from geo.meet import Meeting
    from geo.reach import Reach, ReachedPort
    from geo.reach_map import Band

BEFORE_DEPARTURE_DAYS = 1
"""An event this long before the sailing still belongs to the voyage: papers carry the day only."""
RETURN_DAYS = 60
"""A cargo out of the declared port counts as return cargo within this time after the silence."""
SLACK_H = 12.0
"""Least stay, in hours, for a port to count as reachable: less does not land a car or load a ship."""

RELATIONS = {
    DARK: "carried during", RENDEZVOUS: "transferred to", LOITERING: "loitered", GAP: "not heard",
    WAITING: "waited at a known anchorage",
}  # fmt: skip
"""What an event has to do with the goods on board. A gap that reception may explain, and slow hours where many ships
wait, are noted, and accuse nobody."""


class Related(NamedTuple):
    """An event and what it has to do with the goods; `leg` counts from 0."""

    event: Event
    relation: str
    leg: int


@dataclass(frozen=True)
class Reached:
    """What the ship of a silence could have reached, and its bands by the longest stay."""

    event: Event
    found: Reach
    bands: tuple[Band, ...]

    def in_countries(self, countries: Iterable[str]) -> list[ReachedPort]:
        """Reachable ports of some countries with a stay of at least 12 h, the longest stay first."""
        return self.found.ports_of_interest(set(countries), least_h=SLACK_H)


@dataclass(frozen=True)
class Met:
    """Another ship of the same goods that was silent at the same time, and where the two could have been together."""

    other: Event
    meeting: Meeting


@dataclass
class Case:
    """A chain with its voyages; `related` holds the events, `reached` the reach of the longest silence, `met` the other
    ships of the chain that the silent ship could have met unseen, `listings` the entries of watch-lists near it; one
    that is `settled` leaves nothing to ask."""

    chain: Chain
    voyages: tuple[Voyage, ...]
    related: tuple[Related, ...]
    returns: tuple[Leg, ...] = ()
    reached: Reached | None = None
    reach_note: str = ""
    met: tuple[Met, ...] = ()
    triggers: tuple[str, ...] = field(default=())
    listings: tuple[dict[str, Any], ...] = ()
    settled: bool = False

    @property
    def last(self) -> Voyage:
        """The last voyage of the chain."""
        return self.voyages[-1]

    def events(self, *kinds: int) -> list[Event]:
        """The related events of some kinds."""
        return [r.event for r in self.related if r.event.kind in kinds]

    def silences(self) -> list[Event]:
        """Dark periods, and gaps that reception may explain: what happened in either was not seen."""
        return self.events(DARK, GAP)

    def ships(self) -> list[int]:
        """MMSIs of all identified ships."""
        return sorted({mmsi for voyage in self.voyages for mmsi in voyage.ship.mmsis})


def suspicious_dark(event: Event, min_score: float) -> bool:
    """Whether a silence is not explained by reception: its score is high enough, or not known."""
    return event.kind == DARK and (math.isnan(event.score) or event.score >= min_score)


def open_case(fleet: Fleet, chain: Chain, carriages: Sequence[Carriage], min_score: float) -> Case:
    """Find the voyages of a chain, given who may have carried each leg, and the events with the goods on board."""
    voyages = tuple(voyage_of(fleet, leg, one) for leg, one in zip(chain.legs, carriages, strict=True))
    related: list[Related] = []
    for i, voyage in enumerate(voyages):
        if voyage.t_end == NAT:
            continue
        t_from = voyage.t_sail - BEFORE_DEPARTURE_DAYS * DAY_US
        for event in fleet.events_of(voyage.ship.mmsis):
            if event.t_start <= voyage.t_end and event.t_end >= t_from:
                related.append(Related(event, RELATIONS[event.kind], i))
        ends = ((voyage.load_call, "loaded at"), (voyage.discharge_call, "discharged at"))
        related.extend(Related(call, relation, i) for call, relation in ends if call is not None)
        if voyage.next_call is not None and voyage.discharge_call is None:
            related.append(Related(voyage.next_call, "next call", i))
    case = Case(chain, voyages, tuple(sorted(related, key=lambda r: (r.event.t_start, r.event.id, r.leg))))
    case.triggers = tuple(_triggers(case, min_score))
    return case


def _triggers(case: Case, min_score: float) -> list[str]:
    """Why a case is a finding: a silence, meeting or loitering on board, or a declared port without a call."""
    found = dict.fromkeys(
        related.relation
        for related in case.related
        if related.event.kind in (RENDEZVOUS, LOITERING) or suspicious_dark(related.event, min_score)
    )
    if any(voyage.arrived is False for voyage in case.voyages):
        found["declared port not visited"] = None
    return list(found)


def main_dark(case: Case, min_score: float) -> Related | None:
    """The silence that reception does not explain and that matters most: on the latest leg, there the longest."""
    dark = [related for related in case.related if suspicious_dark(related.event, min_score)]
    return max(dark, key=lambda r: (r.leg, r.event.t_end - r.event.t_start, r.event.id), default=None)


def reach_of(fleet: Fleet, event: Event) -> Reached | str:
    """What the ship of a silence could have reached, its speed a distribution, or why that cannot be said."""
    from geo.reach import reach
    from geo.reach_map import bands_of

    speed = fleet.speed_of(event)
    found = reach(event.lat, event.lon, event.t_start, event.lat_end, event.lon_end, event.t_end, speed)
    if not found.cells.size:
        hours = f"{found.silence.hours:.1f} h"
        return f"no way over water at {speed.fast_kn:.1f} kn joins the two ends of the silence in {hours}"
    return Reached(event, found, tuple(bands_of(found, coarse=True)))


def meetings_of(fleet: Fleet, case: Case, min_score: float) -> tuple[Met, ...]:
    """Where the ship of the main silence could have met another ship of the chain that was silent at the same time."""
    from geo.meet import meet

    if case.reached is None:
        return ()
    main = case.reached.event
    others = {
        related.event.id: related.event
        for related in case.related
        if suspicious_dark(related.event, min_score)
        and related.event.mmsi != main.mmsi
        and related.event.t_start < main.t_end
        and main.t_start < related.event.t_end
    }
    found = []
    for other in others.values():
        reached = reach_of(fleet, other)
        if isinstance(reached, Reached) and (meeting := meet(case.reached.found, reached.found)).cells.size:
            found.append(Met(other, meeting))
    return tuple(found)


class ShipLegs:
    """Legs by ship and load port: finds the cargo that a ship brought back."""

    def __init__(self, table: LegTable) -> None:
        self._table = table
        self._order = np.lexsort((table.load, table.ship))
        self._ship = table.ship[self._order]
        self._ports = {port: code for code, port in enumerate(table.ports)}

    def returns(self, case: Case) -> tuple[Leg, ...]:
        """Other goods on the same ship out of the declared port, within 60 days after a silence or the due arrival."""
        leg, dark = case.chain.legs[-1], [r.event for r in case.related if r.event.kind == DARK]
        starts = [event.t_start for event in dark] or ([leg.t_sort] if leg.t_sort != NAT else [])
        if not starts or not leg.discharge_port:
            return ()
        t_from = min(starts)
        t_to = max([event.t_end for event in dark] or starts) + RETURN_DAYS * DAY_US
        own = set(leg.row_numbers)
        others = self._table.legs(self._from(leg, leg.discharge_port, t_from, t_to))
        return tuple(other for other in others if not own & set(other.row_numbers) and other.hs6[:2] != leg.hs6[:2])

    def _from(self, leg: Leg, port: str, t_from: int, t_to: int) -> list[int]:
        """The legs of the ship that a leg names, out of a port, whose known times are all in a span."""
        table = self._table
        ship = table.ship_code(int(leg.first("imo")), str(leg.first("vessel_name")))
        if not ship or port not in self._ports:
            return []
        wanted = np.array(ship, self._ship.dtype)  # of one dtype, or numpy would convert all of them at each call
        legs = self._order[slice(*(np.searchsorted(self._ship, wanted, side) for side in ("left", "right")))]
        legs = legs[table.load[legs] == self._ports[port]]
        times = np.stack([table.t_depart[legs], table.t_arrive[legs]])
        told = times != NAT
        within = told.any(axis=0) & (~told | ((times >= t_from) & (times <= t_to))).all(axis=0)
        return list(np.sort(legs[within]).tolist())


def draughts(fleet: Fleet, event: Event) -> tuple[Identity | None, Identity | None]:
    """The last draught told before a silence and the first after it; None where none was told."""
    told = [said for said in fleet.said(event.mmsi) if said.draught > 0.0]
    before = max((s for s in told if s.t_from <= event.t_start), key=lambda s: s.t_from, default=None)
    after = min(
        (s for s in told if s.t_to >= event.t_end and s.t_from > event.t_start), key=lambda s: s.t_from, default=None
    )
    return before, after
