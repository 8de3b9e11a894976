"""Which ship carried a leg, and from when to when the goods were on board.

`cargo.carriage` weighs the candidates. A ship that the row names is taken from a probability of 0.9 on; a row that
names none gets candidates, which are never called a fact, and one of them is followed where it is likely enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ais.table import NAT
from cargo.carriage import Candidate, Carriage
from cargo.carriage_kernel import DISCHARGED, IMO, IMO_SLIP, LOADED, MMSI, NAME, NAME_SLIP
from cargo.fleet import Event, Fleet, ShipCalls, called_at
from cargo.leg import DAY_US, Leg
from cargo.regions import port_name

NAMED_LEAST, UNNAMED_LEAST = 0.9, 0.8
"""Probability from which a ship is the carrier of a leg that names a ship, and followed for one that names none."""
LOADING_DAYS = 2
"""A call at the load port counts within this time of the declared departure."""
ARRIVAL_DAYS = 3
"""A call at the discharge port makes a candidate within this time of the declared arrival."""
LATE_DAYS = 14
"""A call at the discharge port still is the declared one until this long after the declared arrival."""
VOYAGE_DAYS = 60
"""Where no arrival is declared, or an overdue ship calls nowhere: goods count as on board for this long at most."""
ANSWERS = IMO | IMO_SLIP | MMSI | NAME | NAME_SLIP
"""The candidate answers to what the row says of its ship."""
_BY = ((NAME, "name"), (IMO_SLIP, "IMO number but for one digit"), (NAME_SLIP, "name but for one letter"))


@dataclass(frozen=True)
class ShipMatch:
    """The ship of a leg: `mmsis` under which it was heard (empty: not identified), how it was found, and who else fits.

    `probability` is that of the ship found (or of the likeliest one), `margin` how far the next ship is behind, `none`
    the probability that no ship heard is the one.
    """

    name: str
    imo: int
    mmsis: tuple[int, ...]
    method: str
    candidates: tuple[Candidate, ...] = ()
    probability: float = 0.0
    margin: float = 0.0
    none: float = 1.0


class _Ship(NamedTuple):
    """Candidates that are one ship: the same IMO number, or the same MMSI."""

    probability: float
    candidates: list[Candidate]


def match_ship(fleet: Fleet, leg: Leg, carriage: Carriage) -> ShipMatch:
    """The ship of a leg, if one candidate is likely enough, else how many there are."""
    name, imo, mmsi = str(leg.first("vessel_name")), int(leg.first("imo")), int(leg.first("mmsi"))
    named = bool(name or imo or mmsi or leg.first("imo_text"))
    ships = _by_ship(carriage)
    first = ships[0].probability if ships else 0.0
    second = ships[1].probability if len(ships) > 1 else 0.0
    told = (carriage.candidates, first, first - second, carriage.none)
    if ships and first >= (NAMED_LEAST if named else UNNAMED_LEAST):
        best = ships[0].candidates
        if named and best[0].bits & ANSWERS:
            mmsis = tuple(candidate.mmsi for candidate in best)
            return ShipMatch(name or best[0].name, imo or best[0].imo, mmsis, _method(best[0], carriage), *told)
        if not named:
            only = best[0]
            return ShipMatch(only.name, only.imo, (only.mmsi,), f"candidate, not fact: {only.why}", *told)
    return ShipMatch(name, imo, (), _why_not(fleet, leg, carriage, named), *told)


def _by_ship(carriage: Carriage) -> list[_Ship]:
    """The candidates that nothing excludes, those of one IMO number together, likeliest first."""
    groups: dict[int, list[Candidate]] = {}
    for candidate in carriage.candidates:
        if not candidate.vetoed:
            groups.setdefault(candidate.imo or -candidate.mmsi, []).append(candidate)
    ships = [_Ship(sum(c.probability for c in group), group) for group in groups.values()]
    return sorted(ships, key=lambda ship: -ship.probability)


def _method(best: Candidate, carriage: Carriage) -> str:
    """By what a named ship was found."""
    for bit, word in ((IMO, "IMO number"), (MMSI, "MMSI")):
        if best.bits & bit:
            return word
    word = next(word for bit, word in _BY if best.bits & bit)
    namesakes = [c for c in carriage.candidates if c.bits & NAME and not c.vetoed and c.mmsi != best.mmsi]
    return f"{word} and port call" if (namesakes or word != "name") and best.bits & (LOADED | DISCHARGED) else word


def _why_not(fleet: Fleet, leg: Leg, carriage: Carriage, named: bool) -> str:
    """Why no ship is named."""
    answering = [c for c in carriage.candidates if c.bits & ANSWERS and not c.vetoed]
    if named:
        return f"{len(answering)} candidates by name" if answering else "named, not heard"
    t_from, t_to = span(leg)
    if not (leg.load_port or leg.discharge_port) or t_from == NAT:
        return "no candidate: ports or dates not given"
    if fleet.t_first == NAT or t_from > fleet.t_last or t_to < fleet.t_first:
        return "no candidate: no AIS input of that time"
    return f"{carriage.n} candidates by port calls" if carriage.n else "no candidate"


def span(leg: Leg) -> tuple[int, int]:
    """Earliest departure and latest arrival by the leg's claims; either stands in for the other, `NAT` if neither."""
    t_from, t_to = leg.times("t_depart")[0], leg.times("t_arrive")[1]
    return (t_from if t_from != NAT else t_to), (t_to if t_to != NAT else t_from)


def _loading(fleet: Fleet, calls: ShipCalls, leg: Leg, before: int) -> Event | None:
    """The port call at the load port that ended nearest to the declared departure, before some time; where none is
    declared the last one in the 60 days before the declared arrival."""
    (t_first, t_last), arrival = leg.times("t_depart"), leg.times("t_arrive")[1]
    if t_first != NAT:
        slack = LOADING_DAYS * DAY_US
        t_from, t_to, sailed = t_first - slack, t_last + slack + DAY_US, t_first + DAY_US // 2
    elif arrival != NAT:
        t_to = sailed = min(before, arrival)
        t_from = t_to - VOYAGE_DAYS * DAY_US
    else:
        return None
    near = (calls.t_start <= t_to) & (calls.t_end >= t_from) & (calls.t_end <= before)
    rows = calls.row[np.flatnonzero(near)].tolist()
    loading = [call for row in rows if called_at(call := fleet.event(row), leg.load_port)]
    return min(loading, key=lambda call: abs(call.t_end - sailed), default=None)


def _leaving(
    fleet: Fleet, calls: ShipCalls, leg: Leg, load_call: Event | None, t_sail: int, due: int
) -> tuple[Event | None, Event | None]:
    """The call at the declared port, and the one that ends the time on board: that, else the first when overdue."""
    after = calls.row[int(np.searchsorted(calls.t_start, t_sail, side="right")) :].tolist()
    overdue = None
    for call in map(fleet.event, after):
        if load_call is not None and call.id == load_call.id:
            continue
        if call.t_start <= due + LATE_DAYS * DAY_US:
            if called_at(call, leg.discharge_port):
                return call, call
        elif overdue is not None:
            break
        if overdue is None and call.t_start >= due - ARRIVAL_DAYS * DAY_US:
            overdue = call
    return None, overdue


@dataclass(frozen=True)
class Voyage:
    """A leg on its ship: from sailing to the end of the time on board (µs), and the calls that bound it."""

    leg: Leg
    ship: ShipMatch
    t_sail: int
    t_end: int
    load_call: Event | None
    discharge_call: Event | None
    next_call: Event | None
    arrived: bool | None
    """Whether a call at the declared port is on record; None: cannot tell."""
    why: str


def voyage_of(fleet: Fleet, leg: Leg, carriage: Carriage) -> Voyage:
    """Match the ship of a leg, and find out when the goods left it as far as port calls tell.

    The calls are those by which the ship was found; where one is missing, what fits the papers less well is taken. The
    goods count as on board from the sailing to the call at the declared port; failing that to the first other call
    after the declared arrival (an overdue ship still has them); failing that for 60 days or until the input ends.
    """
    ship = match_ship(fleet, leg, carriage)
    calls, (load_call, discharge) = fleet.calls_of(ship.mmsis), _calls_of(fleet, ship)
    if load_call is None:
        load_call = _loading(fleet, calls, leg, discharge.t_start if discharge else fleet.t_last)
    t_last_arrival = leg.times("t_arrive")[1]
    t_sail = _sailing(leg, load_call, discharge)
    if t_sail == NAT or not ship.mmsis:
        return Voyage(leg, ship, t_sail, NAT, load_call, None, None, None, _unknown_ship(ship))
    due = max(t_last_arrival, t_sail) if t_last_arrival != NAT else t_sail + VOYAGE_DAYS * DAY_US
    next_call = discharge
    if discharge is None:
        discharge, next_call = _leaving(fleet, calls, leg, load_call, t_sail, due)
    t_end = next_call.t_start if next_call else min(fleet.t_last, due + VOYAGE_DAYS * DAY_US)
    arrived, why = _arrival(fleet, leg, ship, discharge, due)
    return Voyage(leg, ship, t_sail, max(t_end, t_sail), load_call, discharge, next_call, arrived, why)


def _calls_of(fleet: Fleet, ship: ShipMatch) -> tuple[Event | None, Event | None]:
    """The calls by which the ship of a leg was found: at the load port, and at the discharge port after it."""
    taken = [candidate for candidate in ship.candidates if candidate.mmsi in ship.mmsis]
    landed = next((fleet.event(c.discharge_row) for c in taken if c.discharge_row >= 0), None)
    loaded = (fleet.event(c.load_row) for c in taken if c.load_row >= 0)
    return next((call for call in loaded if landed is None or call.t_end <= landed.t_start), None), landed


def _sailing(leg: Leg, load_call: Event | None, discharge: Event | None) -> int:
    """When the goods sailed, µs: by the call, else as declared, else they count from the arrival on."""
    declared = leg.times("t_depart")[0]
    if load_call and not load_call.open:
        return load_call.t_end
    arrival = leg.times("t_arrive")[1]
    late = arrival if discharge is None or arrival == NAT else min(arrival, discharge.t_start)
    return declared if declared != NAT else late


def _unknown_ship(ship: ShipMatch) -> str:
    return "the time of the voyage is not known" if ship.mmsis else f"the ship is not identified ({ship.method})"


def _arrival(fleet: Fleet, leg: Leg, ship: ShipMatch, call: Event | None, due: int) -> tuple[bool | None, str]:
    """Whether the ship called where it was declared to: True, False, or None where nothing could have been heard."""
    port = leg.discharge_port
    if call is not None:
        return True, f"call at {port_name(port)} on record"
    if not port:
        return None, "the discharge port is not known"
    if fleet.last_heard(ship.mmsis) < due:
        return None, f"the ship was not heard after its declared arrival at {port_name(port)}"
    t_from, t_to = leg.times("t_depart")[0], due + LATE_DAYS * DAY_US
    n = fleet.ships_at(port, t_from, t_to)
    if not n:
        return None, f"no call of any ship at {port_name(port)} was received then, so reception there may be nil"
    heard = f"calls of {n} other ship{'s' * (n > 1)} there were received"
    return False, f"no call at {port_name(port)} on record, while {heard}"
