"""Techniques by which the way of goods is hidden: eight families, each true, false or unknown.

Five of the families show in what the ships did (`detectors.families`): the events of the carrying ships, with the goods
on board or, for names, numbers and flags, within 60 days of the voyage. What was not looked for is unknown, never 0.
The other three show in the papers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from ais.imo import imo_valid
from ais.table import NAT
from cargo.case import BEFORE_DEPARTURE_DAYS, Case
from cargo.chain import Chain
from cargo.fleet import Event, Fleet, near_in_time
from cargo.identifiers import plain_text, ship_key
from cargo.leg import DAY_US, PARTY_AND_GOODS_CLAIMS, handed_over, rows_of
from cargo.misdeclared import misdeclared
from cargo.readings import Readings
from cargo.score import Signal
from detectors.event import DARK, DARK_RENDEZVOUS, FALSE_POSITION, IDENTITY, KINDS, LABELS, RENDEZVOUS
from detectors.families import FALSE_POSITIONS, FLAG_CHANGED, IDENTITY_CHANGED, SHIP_TO_SHIP, family_of

IDENTITY_DAYS = 60
"""Names and numbers of a ship are compared within this time around the voyage."""


def no_event(name: str, case: Case, why: str) -> Signal:
    """0 where the ship of every leg is known, else unknown."""
    lost = [voyage for voyage in case.voyages if voyage.t_end == NAT]
    if lost:
        return Signal(name, None, f"{len(lost)} of {len(case.voyages)} legs: {lost[-1].why}")
    return Signal(name, 0.0, why)


def handed_at_sea(case: Case) -> Signal:
    """A meeting with the goods on board, tugs and the like apart."""
    name = "handed over at sea"
    met = [event for event in case.events(RENDEZVOUS) if _family(event) == SHIP_TO_SHIP]
    if met:
        return Signal(name, 1.0, f"{len(met)} rendezvous with the goods on board", _ids(met))
    if case.silences():
        return Signal(name, None, "a meeting during the silence would not have been seen")
    return no_event(name, case, "no rendezvous with the goods on board")


def _ids(events: Sequence[Event]) -> tuple[str, ...]:
    return tuple(f"event {event.id}" for event in events)


def _family(event: Event) -> str:
    return family_of(event.kind, event.label, event.mmsi, event.other)


def _events(fleet: Fleet, case: Case, family: str, kind: int, min_score: float, days: float) -> list[Event]:
    """Events of a family and a kind of the carrying ships within some days of their voyages, those unlikely apart."""
    found: dict[str, Event] = {}
    for voyage in case.voyages:
        if voyage.t_sail == NAT or voyage.t_end == NAT:
            continue
        t_from, t_to = voyage.t_sail - round(days * DAY_US), voyage.t_end + round(days * DAY_US)
        for event in fleet.events_of(voyage.ship.mmsis, (kind,)):
            likely = math.isnan(event.score) or event.score >= min_score
            if likely and event.t_start <= t_to and event.t_end >= t_from and _family(event) == family:
                found[event.id] = event
    return list(found.values())


def _what(events: Sequence[Event]) -> str:
    """The events in words: how many of each label, or kind."""
    words = [(LABELS[event.label] or KINDS[event.kind]).replace("_", " ").replace("imo", "IMO") for event in events]
    words = [word.replace("mmsi", "MMSI") for word in words]
    return ", ".join(f"{words.count(word)} x {word}" for word in dict.fromkeys(words))


def techniques(fleet: Fleet, case: Case, min_score: float, readings: Readings | None = None) -> list[Signal]:
    """The eight families of techniques, each true, false or unknown; `readings` of the descriptions, made before."""
    return [
        _ais_off(case, min_score),
        _false_positions(fleet, case, min_score),
        _identity_change(fleet, case, min_score),
        _flag_hop(fleet, case, min_score),
        _documents(case.chain),
        misdeclared(case.chain, readings or Readings()),
        _consignee_chain(case.chain),
        _ship_to_ship(fleet, case, min_score),
    ]


def _ais_off(case: Case, min_score: float) -> Signal:
    name, silences = "AIS off", case.silences()
    sure = [event for event in silences if event.kind == DARK and event.score >= min_score]
    unclear = [event for event in silences if math.isnan(event.score) or event.score >= min_score]
    ids = tuple(f"event {event.id}" for event in sure or unclear)
    if sure:
        days = max(event.t_end - event.t_start for event in sure) / 8.64e10
        return Signal(name, 1.0, f"silent for {days:.1f} days where reception does not explain it", ids)
    if unclear:
        return Signal(name, None, "not heard for a time, and what reception explains of it is not sure", ids)
    return no_event(name, case, "reception may explain each gap" if silences else "no silence with the goods on board")


def _false_positions(fleet: Fleet, case: Case, min_score: float) -> Signal:
    name = "positions falsified"
    if found := _events(fleet, case, FALSE_POSITIONS, FALSE_POSITION, min_score, BEFORE_DEPARTURE_DAYS):
        return Signal(name, 1.0, f"{_what(found)} with the goods on board", _ids(found))
    if FALSE_POSITION not in fleet.looked_for:
        return Signal(name, None, "not looked for in this run")
    return no_event(name, case, "no false position with the goods on board")


def _identity_change(fleet: Fleet, case: Case, min_score: float) -> Signal:
    """Events where they were looked for: they tell noise from a name. Else the names and numbers as they were heard."""
    name, told, looked = "identity changed", False, IDENTITY in fleet.looked_for
    if found := _events(fleet, case, IDENTITY_CHANGED, IDENTITY, min_score, IDENTITY_DAYS):
        return Signal(name, 1.0, f"{_what(found)} within {IDENTITY_DAYS} days of the voyage", _ids(found))
    for voyage in case.voyages:
        for mmsi in voyage.ship.mmsis:
            said = [s for s in fleet.said(mmsi) if near_in_time(s, voyage.t_sail, voyage.t_end, IDENTITY_DAYS)]
            names = {ship_key(s.name) for s in said} - {""}
            numbers = {s.imo for s in said if imo_valid(s.imo)}
            told = told or bool(names or numbers)
            if not looked and (len(names) > 1 or len(numbers) > 1):
                shown = ", ".join(sorted({s.name for s in said if s.name} | {str(n) for n in numbers}))
                return Signal(name, 1.0, f"MMSI {mmsi} broadcast {shown}", rows_of([voyage.leg]))
    if not told:
        return Signal(name, None, "no ship of the chain told its name or number on AIS")
    return no_event(name, case, "each ship kept its name and number")


def _flag_hop(fleet: Fleet, case: Case, min_score: float) -> Signal:
    """The first three digits of an MMSI are the flag's; one hull, by IMO number, under two flags."""
    name, told = "flag changed", False
    if found := _events(fleet, case, FLAG_CHANGED, IDENTITY, min_score, IDENTITY_DAYS):
        return Signal(name, 1.0, f"{_what(found)} within {IDENTITY_DAYS} days of the voyage", _ids(found))
    for voyage in case.voyages:
        for imo in {n for mmsi in voyage.ship.mmsis for n in fleet.imos(mmsi)}:
            told = True
            said = [s for s in fleet.by_imo(imo) if near_in_time(s, voyage.t_sail, voyage.t_end, IDENTITY_DAYS)]
            flags = {s.mmsi // 1_000_000 for s in said}
            if len(flags) > 1:
                return Signal(name, 1.0, f"IMO {imo} under MMSI {', '.join(sorted({str(s.mmsi) for s in said}))}")
    if not told:
        return Signal(name, None, "no IMO number was heard")
    return no_event(name, case, "each IMO number stayed under one flag")


def _documents(chain: Chain) -> Signal:
    name = "documents in conflict"
    claims = [c for leg in chain.legs for c in leg.claims if c.predicate in PARTY_AND_GOODS_CLAIMS]
    reversed_rows = [f"row {row.row}" for leg in chain.legs for row in leg.rows if row.dates_reversed]
    if claims:
        what = ", ".join(dict.fromkeys(claim.predicate for claim in claims))
        rows = tuple(dict.fromkeys(f"row {value.row}" for claim in claims for value in claim.values))
        return Signal(name, 1.0, f"sources differ on {what}", rows)
    if reversed_rows:
        return Signal(name, 1.0, "an arrival is dated before the departure", tuple(reversed_rows))
    if all(len(leg.texts("source")) > 1 for leg in chain.legs):
        return Signal(
            name, 0.0, "every leg has two sources that agree on goods, parties and ports", rows_of(chain.legs)
        )
    if chain.legs[-1].texts("cleared") == ["yes"]:
        return Signal(name, 0.0, "customs cleared the goods on these papers", rows_of(chain.legs[-1:]))
    return Signal(name, None, "a leg has one source only")


def _consignee_chain(chain: Chain) -> Signal:
    """The consignee of a leg ships it on: the goods pass through hands that are not their user's."""
    name = "chain of consignees"
    for a, b in itertools.pairwise(chain.legs):
        passed = {plain_text(t) for t in a.texts("consignee")} & {plain_text(t) for t in b.texts("shipper")}
        if passed and handed_over(a, b):
            return Signal(name, 1.0, f"the consignee at {a.discharge_port} ships the goods on", rows_of([a, b]))
    consignees = [set(map(plain_text, leg.texts("consignee"))) for leg in chain.legs]
    if not all(consignees):
        return Signal(name, None, "the consignee of a leg is not stated")
    if len(set.union(*consignees)) > 2:
        return Signal(name, 1.0, f"{len(set.union(*consignees))} consignees on one way", rows_of(chain.legs))
    return Signal(name, 0.0, "no consignee ships the goods on", rows_of(chain.legs))


def _ship_to_ship(fleet: Fleet, case: Case, min_score: float) -> Signal:
    handed = handed_at_sea(case)
    unseen = _events(fleet, case, SHIP_TO_SHIP, DARK_RENDEZVOUS, min_score, BEFORE_DEPARTURE_DAYS)
    if handed.value != 1.0 and unseen:
        return Signal("ship-to-ship transfer", 1.0, f"{_what(unseen)} with the goods on board", _ids(unseen))
    return Signal("ship-to-ship transfer", handed.value, handed.why, handed.evidence)
