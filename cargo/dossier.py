"""A case written out as the fields of a finding: goods, legs, events, claims and the input lines behind them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cargo.carriage import Candidate
from cargo.case import SLACK_H, Case, Met, Related, draughts
from cargo.chain import Chain
from cargo.fleet import Event, Fleet
from cargo.leg import Leg, iso_time, known
from cargo.regions import port_name
from cargo.shipments import Shipments
from cargo.voyage import Voyage
from detectors.event import DARK, KINDS, RENDEZVOUS

if TYPE_CHECKING:
    from geo.reach import ReachedPort
    from geo.sea_way import Way

_TITLE_CHARACTERS = 60  # of a description in a title


def case_ids(chains: Sequence[Chain]) -> list[str]:
    """16 hex digits for each chain, from its source lines alone; equal lines are told apart by their order."""
    ids: list[str] = []
    seen: Counter[str] = Counter()
    for chain in chains:
        lines = "|".join(sorted(row.sha for leg in chain.legs for row in leg.rows))
        seen[lines] += 1
        again = f"|{seen[lines]}" if seen[lines] > 1 else ""
        ids.append(hashlib.blake2b((lines + again).encode(), digest_size=8).hexdigest())
    return ids


def title(case: Case, dark: Related | None) -> str:
    """Goods, ship and what happened, in one line."""
    chain = case.chain
    units = [strand.legs[0].first("quantity") for strand in chain.strands]
    total = sum(units) if all(map(known, units)) else None
    what = str(chain.legs[0].first("description")) or f"HS {chain.legs[0].hs6 or 'unknown'}"
    what = " ".join(what.split())
    what = what if len(what) <= _TITLE_CHARACTERS else what[: _TITLE_CHARACTERS - 1] + "…"
    voyage = case.voyages[dark.leg] if dark else case.last
    ship = voyage.ship.name or str(voyage.leg.first("vessel_name")) or "a ship not identified"
    happened = f", to {port_name(case.last.leg.discharge_port)}"
    if dark:
        days = [str(iso_time(t))[:10] for t in (dark.event.t_start, dark.event.t_end)]
        happened = f", AIS silent {days[0]} to {days[1]}"
    elif case.events(RENDEZVOUS):
        happened = ", met another ship on the way"
    elif case.last.arrived is False:
        happened = f", no call at {port_name(case.last.leg.discharge_port)} on record"
    return f"{f'{total:g} × ' if total else ''}{what} on {ship}{happened}"


def goods(chain: Chain) -> tuple[dict[str, Any], ...]:
    """One entry per container, car or lot."""
    return tuple(
        {
            "description": _first(strand.legs, "description"),
            "hs_code": _first(strand.legs, "hs_code"),
            "quantity": _first(strand.legs, "quantity"),
            "value_usd": _first(strand.legs, "value_usd"),
            "vin": _first(strand.legs, "vin"),
            "container": _first(strand.legs, "container"),
        }
        for strand in chain.strands
    )


def _first(legs: Sequence[Leg], column: str) -> Any:
    """The first known value of a column along the legs, None if there is none."""
    return next((value for leg in legs if known(value := leg.first(column))), None)


def legs(case: Case) -> tuple[dict[str, Any], ...]:
    """The legs in order, each with its ship, ports, and the link to the leg before."""
    return tuple(_leg(i, voyage, case) for i, voyage in enumerate(case.voyages))


def _leg(i: int, voyage: Voyage, case: Case) -> dict[str, Any]:
    leg, ship = voyage.leg, voyage.ship
    return {
        "leg": i + 1,
        "rows": leg.row_numbers,
        "bl_number": ", ".join(leg.texts("bl_number")),
        **_place("load", leg.load_port),
        **_place("discharge", leg.discharge_port),
        "t_depart": iso_time(leg.t_depart),
        "t_arrive": iso_time(leg.t_arrive),
        "vessel": {
            "name": ship.name or str(leg.first("vessel_name")),
            "imo": ship.imo or None,
            "mmsi": ship.mmsis[-1] if ship.mmsis else None,
            "method": ship.method,
            "probability": ship.probability,
            "margin": ship.margin,
            "none": ship.none,
            "candidates": [_candidate(candidate) for candidate in ship.candidates],
        },
        "arrived": voyage.arrived,
        "arrived_why": voyage.why,
        "shipper": leg.first("shipper"),
        "consignee": leg.first("consignee"),
        "description": leg.first("description"),
        "cleared": leg.first("cleared") or None,
        "link": asdict(case.chain.links[i - 1]) if i else None,
    }


def _candidate(one: Candidate) -> dict[str, Any]:
    return {"mmsi": one.mmsi, "name": one.name, "imo": one.imo, "probability": one.probability, "why": one.why}


def _place(end: str, code: str) -> dict[str, Any]:
    from geo.ports import port_by_code

    port = port_by_code(code) if code else None
    return {
        f"{end}_port": code,
        f"{end}_name": port.name if port else "",
        f"{end}_lat": port.lat if port else None,
        f"{end}_lon": port.lon if port else None,
    }


def events(case: Case) -> tuple[dict[str, Any], ...]:
    """The events with the goods on board and the port calls that bound the voyages."""
    return tuple(_event(related) for related in case.related)


def _event(related: Related) -> dict[str, Any]:
    event = related.event
    keys = ("id", "lat", "lon", "lat_end", "lon_end", "score", "coverage", "port", "distance_m")
    return {key: getattr(event, key) for key in keys} | {
        "kind": KINDS[event.kind],
        "relation": related.relation,
        "leg": related.leg + 1,
        "open": bool(event.open),
        "mmsi": event.mmsi,
        "other": event.other or None,
        "anchorage": event.anchorage_name or None,
        "t_start": iso_time(event.t_start),
        "t_end": iso_time(event.t_end),
    }


def claims(case: Case) -> tuple[dict[str, Any], ...]:
    """Every fact on which sources differ, along the chain and in the return cargo."""
    both = (*case.chain.legs, *case.returns)
    return tuple(asdict(claim) for leg in both for claim in leg.claims)


def evidence(fleet: Fleet, case: Case, dark: Related | None, shipments: Shipments) -> tuple[dict[str, Any], ...]:
    """The input lines: shipment rows by byte offset and digest, first and last fix of each event, draughts."""
    found = []
    rows = {row.row: (row, "shipment row") for leg in case.chain.legs for row in leg.rows}
    rows |= {row.row: (row, "shipment row, return cargo") for leg in case.returns for row in leg.rows}
    for number in sorted(rows):
        row, what = rows[number]
        found.append(_line(what, shipments.name, row.offset, number, f"BLAKE2b-64 of the line {row.sha}"))
    for event in {related.event.id: related.event for related in case.related}.values():
        found.extend(_fixes(fleet, event))
    if dark is not None:
        for said, when in zip(draughts(fleet, dark.event), ("before", "after"), strict=True):
            if said is not None and said.first_offset >= 0:
                note = f"draught {said.draught:.1f} m {when} the silence"
                found.append(_line("static report", _source(fleet, said.source), said.first_offset, None, note))
    return tuple(found)


def _fixes(fleet: Fleet, event: Event) -> list[dict[str, Any]]:
    kind = KINDS[event.kind]
    first = _line(
        f"{kind}, first fix", _source(fleet, event.first_source), event.first_offset, None, f"event {event.id}"
    )
    last = _line(f"{kind}, last fix", _source(fleet, event.last_source), event.last_offset, None, f"event {event.id}")
    return [first] if event.open and event.kind == DARK else [first, last]


def _source(fleet: Fleet, code: int) -> str:
    return fleet.sources[code] if code < len(fleet.sources) else f"source {code}"


def _line(what: str, file: str, offset: int, row: int | None, note: str) -> dict[str, Any]:
    return {"what": what, "file": file, "offset": offset if offset >= 0 else None, "row": row, "note": note}


def reach(case: Case, risk_countries: Sequence[str]) -> dict[str, Any] | None:
    """The reach of the main silence: speed, hours, area by the longest stay (GeoJSON geometries), and assumptions.

    `ports` lists those of the risk countries and of the countries declared, with the straits on the way there and
    back; `ports_total` counts all within reach.
    """
    reached = case.reached
    if reached is None:
        return None
    from geo.reach_map import assumptions, ways_to

    found = reached.found
    shown = {*risk_countries, *(leg.discharge_port[:2] for leg in case.chain.legs[-1:])}
    ports = found.ports_of_interest(shown)
    ways = ways_to(found, [(port.lat, port.lon) for port in ports])
    return {
        "event": reached.event.id,
        "speed_kn": found.silence.speed.fast_kn,
        "speed": found.silence.speed.to_dict(),
        "hours": found.silence.hours,
        "bands": [band._asdict() for band in reached.bands],
        "ports": [_reached_port(port, way, risk_countries) for port, way in zip(ports, ways, strict=True)],
        "ports_total": len(found.ports),
        "meetings": [_meeting(met) for met in case.met],
        "assumptions": assumptions(found),
        "parameters": found.parameters,
    }


def _meeting(met: Met) -> dict[str, Any]:
    """Where and when both ships could have been, at the place of the longest time together."""
    return {"event": met.other.id, "mmsi": met.other.mmsi, **met.meeting.table(1)[0]}


def _reached_port(port: ReachedPort, ways: Sequence[Way | None], risk_countries: Sequence[str]) -> dict[str, Any]:
    kept = {key: value for key, value in port._asdict().items() if not key.endswith("_us")}
    times = {"earliest": iso_time(port.earliest_us), "latest": iso_time(port.latest_us)}
    passages = tuple(dict.fromkeys(name for way in ways if way is not None for name in way.passages))
    at_risk = port.country in risk_countries and port.slack_h >= SLACK_H
    return kept | times | {"passages": passages, "risk": at_risk}


def return_cargo(case: Case) -> tuple[dict[str, Any], ...]:
    """Other goods that the ship carried out of the declared port afterwards."""
    keys = ("description", "hs_code", "quantity", "gross_weight_kg", "shipper", "consignee", "bl_number")
    return tuple(
        {key: leg.first(key) for key in keys}
        | {
            "relation": "return cargo",
            "rows": leg.row_numbers,
            "load_port": leg.load_port,
            "load_name": port_name(leg.load_port),
            "discharge_port": leg.discharge_port,
            "discharge_name": port_name(leg.discharge_port),
            "t_depart": iso_time(leg.t_depart),
            "t_arrive": iso_time(leg.t_arrive),
        }
        for leg in case.returns
    )
