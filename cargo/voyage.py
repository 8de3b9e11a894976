"""Which ship carried a leg, and from when to when the goods were on board.

A ship is known by its IMO number, else its MMSI, else its name (numerals exact) where just one ship fits; another
IMO number, or a port call from which the ship could not have come in time, is a veto. A row that names no ship gets
the ships that called at both ports in order: none, one or several candidates, which are never called a fact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ais.table import NAT
from cargo.fleet import Event, Fleet, Identity, called_at, near_in_time
from cargo.leg import DAY_US, Leg
from cargo.regions import port_name
from geo.sphere import NMI_M, distance_m

IDENTITY_DAYS = 45
"""A name counts for a leg if it was broadcast within this time of it."""
LOADING_DAYS = 2
"""A call at the load port counts within this time of the declared departure."""
ARRIVAL_DAYS = 3
"""A call at the discharge port makes a candidate within this time of the declared arrival."""
LATE_DAYS = 14
"""A call at the discharge port still is the declared one until this long after the declared arrival."""
VOYAGE_DAYS = 60
"""Where no arrival is declared, or an overdue ship calls nowhere: goods count as on board for this long at most."""
FASTEST_KN = 30.0
"""No cargo ship goes faster: a port call farther away than this allows is a veto."""

_PORT_EXTENT_NMI = 50.0  # a wide port, its roads and a coarse position together


class Candidate(NamedTuple):
    """A ship that may have carried a leg, and why."""

    mmsi: int
    name: str
    imo: int
    why: str


@dataclass(frozen=True)
class ShipMatch:
    """The ship of a leg: `mmsis` under which it was heard (empty: not identified), how it was found, who else fits."""

    name: str
    imo: int
    mmsis: tuple[int, ...]
    method: str
    candidates: tuple[Candidate, ...] = ()


def match_ship(fleet: Fleet, leg: Leg) -> ShipMatch:
    """Find the ship of a leg among those heard."""
    name, imo, mmsi = str(leg.first("vessel_name")), int(leg.first("imo")), int(leg.first("mmsi"))
    if imo:
        found = _latest_per_mmsi(fleet.by_imo(imo), leg)
        if found:
            return ShipMatch(
                name or found[0].name, imo, tuple(s.mmsi for s in found), "IMO number", _listed(found, "IMO number")
            )
    if mmsi and fleet.heard(mmsi) and not (imo and fleet.imos(mmsi) - {imo}):
        return ShipMatch(name, imo, (mmsi,), "MMSI", (Candidate(mmsi, name, imo, "MMSI"),))
    if name:
        return _match_name(fleet, leg, name, imo)
    if imo or mmsi:
        return ShipMatch("", imo, (), "named, not heard")
    return _match_calls(fleet, leg)


def _latest_per_mmsi(said: list[Identity], leg: Leg) -> list[Identity]:
    """One identity per MMSI; those in use about the time of the leg only, if there are any."""
    t_from, t_to = span(leg)
    in_use = [s for s in said if near_in_time(s, t_from, t_to, IDENTITY_DAYS)] or said
    return list({s.mmsi: s for s in sorted(in_use, key=lambda s: (s.t_to, s.mmsi))}.values())


def _listed(found: list[Identity], why: str) -> tuple[Candidate, ...]:
    return tuple(Candidate(s.mmsi, s.name, s.imo, why) for s in found)


def span(leg: Leg) -> tuple[int, int]:
    """Earliest departure and latest arrival by the leg's claims; either stands in for the other, `NAT` if neither."""
    t_from, t_to = leg.times("t_depart")[0], leg.times("t_arrive")[1]
    return (t_from if t_from != NAT else t_to), (t_to if t_to != NAT else t_from)


def _match_name(fleet: Fleet, leg: Leg, name: str, imo: int) -> ShipMatch:
    """The one ship of that name about that time which nothing speaks against, else all that remain as candidates."""
    t_from, t_to = span(leg)
    said = [s for s in fleet.by_name(name) if near_in_time(s, t_from, t_to, IDENTITY_DAYS)]
    namesakes = list({s.mmsi: s for s in sorted(said, key=lambda s: (s.mmsi, s.t_to))}.values())
    left, vetoed = [], []
    for ship in namesakes:
        numbers = fleet.imos(ship.mmsi)
        if imo and numbers and imo not in numbers:
            vetoed.append(Candidate(ship.mmsi, ship.name, ship.imo, "veto: another IMO number"))
        elif elsewhere(fleet, ship.mmsi, leg):
            vetoed.append(Candidate(ship.mmsi, ship.name, ship.imo, "veto: could not have been at the load port"))
        else:
            left.append(ship)
    method = "name"
    if len(left) > 1:
        calling = [s for s in left if any(_loads(call, leg) for call in fleet.calls_of([s.mmsi]))]
        if len(calling) == 1:
            left, method = calling, "name and port call"
    candidates = (*_listed(left, method), *vetoed)
    if len(left) == 1:
        return ShipMatch(name, imo or left[0].imo, (left[0].mmsi,), method, candidates)
    return ShipMatch(name, imo, (), f"{len(left)} candidates by name" if left else "named, not heard", candidates)


def elsewhere(fleet: Fleet, mmsi: int, leg: Leg) -> bool:
    """Whether a port call shows that a ship cannot have been at the load port within two days of the departure."""
    from geo.ports import port_by_code

    place = port_by_code(leg.load_port) if leg.load_port else None
    t_first, t_last = leg.times("t_depart")
    if place is None or t_first == NAT:
        return False
    t_from, t_to = t_first - LOADING_DAYS * DAY_US, t_last + LOADING_DAYS * DAY_US
    for call in fleet.calls_of([mmsi]):
        hours = max(call.t_start - t_from, t_to - call.t_end, 0) / 3.6e9  # for the way between the two ports
        nmi = float(distance_m(call.lat, call.lon, place.lat, place.lon)) / NMI_M
        if nmi > FASTEST_KN * hours + _PORT_EXTENT_NMI:
            return True
    return False


def _loads(call: Event, leg: Leg) -> bool:
    """Whether a port call is at the load port about the declared departure."""
    t_first, t_last = leg.times("t_depart")
    slack = LOADING_DAYS * DAY_US
    in_time = t_first != NAT and call.t_start <= t_last + slack + DAY_US and call.t_end >= t_first - slack
    return in_time and called_at(call, leg.load_port)


def _match_calls(fleet: Fleet, leg: Leg) -> ShipMatch:
    """Ships that called at the load port about the departure, and later at the discharge port about the arrival."""
    t_from, t_to = span(leg)
    if not (leg.load_port and leg.discharge_port) or leg.t_depart == NAT:
        return ShipMatch("", 0, (), "no candidate: ports or departure not given")
    if fleet.t_first == NAT or t_from > fleet.t_last or t_to < fleet.t_first:
        return ShipMatch("", 0, (), "no candidate: no AIS input of that time")
    t_end = leg.times("t_arrive")[1]
    arrival = (t_to - ARRIVAL_DAYS * DAY_US, t_to + ARRIVAL_DAYS * DAY_US + DAY_US)
    if t_end == NAT:
        arrival = (leg.t_depart, leg.t_depart + VOYAGE_DAYS * DAY_US)
    found = {}
    for call in fleet.calls_at(leg.load_port):
        if not _loads(call, leg) or call.mmsi in found:
            continue
        later = (c for c in fleet.calls_of([call.mmsi]) if c.t_start > call.t_end and called_at(c, leg.discharge_port))
        if any(c.t_start <= arrival[1] and c.t_end >= arrival[0] for c in later):
            said = fleet.said(call.mmsi)
            name, imo = (said[-1].name, said[-1].imo) if said else ("", 0)
            found[call.mmsi] = Candidate(call.mmsi, name, imo, "called at both ports in time")
    candidates = tuple(sorted(found.values()))
    if len(candidates) == 1:
        only = candidates[0]
        return ShipMatch(
            only.name, only.imo, (only.mmsi,), "candidate, not fact: the only caller at both ports", candidates
        )
    return ShipMatch(
        "", 0, (), f"{len(candidates)} candidates by port calls" if candidates else "no candidate", candidates
    )


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


def voyage_of(fleet: Fleet, leg: Leg) -> Voyage:
    """Match the ship of a leg, and find out when the goods left it as far as port calls tell.

    The goods count as on board from the sailing to the call at the declared port; failing that to the first other
    call after the declared arrival (an overdue ship still has them); failing that for 60 days or until the input ends.
    """
    ship = match_ship(fleet, leg)
    depart_first, _ = leg.times("t_depart")
    t_last_arrival = leg.times("t_arrive")[1]
    calls = fleet.calls_of(ship.mmsis)
    loading = [call for call in calls if _loads(call, leg)]
    load_call = min(loading, key=lambda call: abs(call.t_end - depart_first - DAY_US // 2), default=None)
    t_sail = load_call.t_end if load_call else (depart_first if depart_first != NAT else t_last_arrival)
    if load_call and load_call.open:
        t_sail = depart_first
    if t_sail == NAT or not ship.mmsis:
        return Voyage(leg, ship, t_sail, NAT, load_call, None, None, None, _unknown_ship(ship))
    due = max(t_last_arrival, t_sail) if t_last_arrival != NAT else t_sail + VOYAGE_DAYS * DAY_US
    after = [call for call in calls if call.t_start > t_sail and call is not load_call]
    at_port = [c for c in after if called_at(c, leg.discharge_port) and c.t_start <= due + LATE_DAYS * DAY_US]
    discharge = at_port[0] if at_port else None
    overdue = [c for c in after if c.t_start >= due - ARRIVAL_DAYS * DAY_US]
    next_call = discharge or (overdue[0] if overdue else None)
    t_end = next_call.t_start if next_call else min(fleet.t_last, due + VOYAGE_DAYS * DAY_US)
    arrived, why = _arrival(fleet, leg, ship, discharge, due)
    return Voyage(leg, ship, t_sail, max(t_end, t_sail), load_call, discharge, next_call, arrived, why)


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
    others = [c for c in fleet.calls_at(port) if (t_from == NAT or c.t_end >= t_from) and c.t_start <= t_to]
    if not others:
        return None, f"no call of any ship at {port_name(port)} was received then, so reception there may be nil"
    n = len({c.mmsi for c in others})
    heard = f"calls of {n} other ship{'s' * (n > 1)} there were received"
    return False, f"no call at {port_name(port)} on record, while {heard}"
