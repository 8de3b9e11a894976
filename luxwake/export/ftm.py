"""FollowTheMoney JSON lines, for OpenAleph and the tools of OpenSanctions (model of followthemoney 4.11).

There is no schema of a shipment: it is an EconomicActivity. A silence and a voyage are Trips, other events Events.
What the model has no field for (certainty, "could have been reached") stands in `role`, `summary` or `description`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from cargo.dossier_graph import MAX_NAME, DossierGraph, Entity, Relation, entity_id
from cargo.safe_text import MAX_CHARACTERS, safe_text

_LONG = frozenset({"goodsDescription", "description", "summary", "notes", "reason"})
"""Properties of the type text; the model refuses names beyond 384 and other texts beyond 1,024 characters."""
_MAX_ADDRESS = 200
"""Characters of an address, of which the model takes 250."""
_LINES = frozenset({"dark", "gap", "voyage"})
_ROLES = {
    "in_container": "packed in container", "involved": "involved", "within_reach": "within reach of the silence",
    "at_port": "at port",
}  # fmt: skip
"""Relations between two Things, which become links of their own; the others are fields of an EconomicActivity."""


def ftm_lines(graph: DossierGraph) -> Iterator[str]:
    """One entity of FollowTheMoney a line; ids are those of the graph.

    >>> from cargo.dossier_graph import graph_of
    >>> lines = ftm_lines(graph_of([{"id": "f", "chain": [{"leg": 1, "vessel": {"name": "A", "imo": 9074729}}]}]))
    >>> [json.loads(line)["schema"] for line in lines]
    ['Note', 'EconomicActivity', 'Vessel']
    """
    ties: dict[str, list[Relation]] = {}
    for relation in graph.relations.values():
        for end in {relation.source, relation.target}:
            ties.setdefault(end, []).append(relation)
    for entity in graph.entities.values():
        mine = ties.get(entity.id, [])
        if entity.kind == "shipment":
            yield _line(entity.id, "EconomicActivity", _activity(graph, entity, mine))
        elif entity.kind == "event":
            yield from _event(graph, entity, mine)
        elif entity.kind == "listing":
            yield from _sanctions(entity, mine)
        elif entity.kind in _THINGS:
            schema, properties = _thing(entity)
            yield _line(entity.id, schema, properties | {"proof": entity.evidence})
    for relation in graph.relations.values():
        if relation.kind in _ROLES:
            yield _link(relation, relation.source, relation.target, _ROLES[relation.kind])
    yield from _carriages(graph, ties)


_THINGS = frozenset({"finding", "party", "vessel", "vehicle", "container", "place", "source"})


def _line(id_: str, schema: str, properties: dict[str, Any]) -> str:
    """An entity as the model writes it: each property a list of texts, empty ones left out."""
    made = {}
    for name, value in properties.items():
        listed = value if isinstance(value, list | tuple) else [value]
        limit = MAX_CHARACTERS if name in _LONG else _MAX_ADDRESS if name == "full" else MAX_NAME
        values = [safe_text(one, limit) for one in listed if one not in (None, "")]
        if values:
            made[name] = list(dict.fromkeys(values))
    return json.dumps({"id": id_, "schema": schema, "properties": made}, ensure_ascii=False, sort_keys=True) + "\n"


def ftm_time(iso: str) -> str:
    """A time as the model writes it: UTC, to the second, without its Z.

    >>> ftm_time("2018-10-01T08:56:51.500000Z"), ftm_time("2018-10-01")
    ('2018-10-01T08:56:51', '2018-10-01')
    """
    return re.sub(r"\.\d+", "", iso).removesuffix("Z")


def _country(code: object) -> str | None:
    return code.lower() if isinstance(code, str) and re.fullmatch("[A-Z]{2}", code) else None


def _thing(entity: Entity) -> tuple[str, dict[str, Any]]:
    said = entity.properties
    if entity.kind == "vessel":
        imo = f"IMO{said['imo']}" if said.get("imo") else None
        mmsi = f"{said['mmsi']:09d}" if isinstance(said.get("mmsi"), int) else None
        return "Vessel", {"name": entity.name, "imoNumber": imo, "mmsi": mmsi}
    if entity.kind == "vehicle":
        return "Vehicle", {"name": entity.name, "registrationNumber": str(said.get("vin", ""))[:64]}
    if entity.kind == "container":
        return "Asset", {"name": entity.name, "description": "freight container"}
    if entity.kind == "party":
        return "LegalEntity", {"name": entity.name or "name unknown", "summary": said.get("known_by")}
    if entity.kind == "place":
        return "Address", _address(entity.name, entity.lat, entity.lon, said.get("country")) | {
            "remarks": said.get("locode")
        }
    if entity.kind == "source":
        return "Document", {
            "fileName": said.get("file") or "unknown",
            "title": entity.name,
            "summary": said.get("note"),
        }
    notes = [f"innocent explanation: {text}" for text in said.get("innocent", ())]
    notes += [f"not known: {text}" for text in said.get("unknown", ())]
    return "Note", {"name": entity.name or "finding", "description": said.get("conclusion"), "notes": notes}


def _address(full: str, lat: float | None, lon: float | None, country: object = None) -> dict[str, Any]:
    where = {} if lat is None or lon is None else {"latitude": f"{lat:.6f}", "longitude": f"{lon:.6f}"}
    return {"full": full, **where, "country": _country(country)}


def _activity(graph: DossierGraph, shipment: Entity, ties: Sequence[Relation]) -> dict[str, Any]:
    """A shipment with its parties, goods, ship and ports."""
    found: dict[str, list[Entity]] = {}
    words = []
    for tie in ties:
        if tie.source == shipment.id:
            found.setdefault(tie.kind, []).append(graph.entities[tie.target])
            if tie.kind in ("carried_by", "candidate_ship"):
                sure = "certainty unknown" if tie.certainty is None else f"probability {tie.certainty:.2f}"
                name = graph.entities[tie.target].name
                words.append(f"{tie.kind.replace('_', ' ')}: {name}, {tie.note}, {sure}")
        elif tie.kind in ("says", "with_goods"):
            words.append(f"{graph.entities[tie.source].name}: {tie.note}")
    goods = found.get("carries", [])
    said = shipment.properties
    value = sum(one.properties.get("value_usd") or 0.0 for one in goods)
    return {
        "sender": [party.id for party in found.get("shipper", ())],
        "receiver": [party.id for party in found.get("consignee", ())],
        "goodsDescription": [said.get("description"), *(one.name for one in goods)],
        "vedCode": [str(one.properties.get("hs_code") or "")[:64] for one in goods],
        "recordId": said.get("bl_number"),
        "invoiceAmount": f"{value:.2f} USD" if value else None,
        "transport": [ship.id for ship in found.get("carried_by", ())],
        "departureCountry": [_country(port.properties.get("country")) for port in found.get("declared_load_port", ())],
        "destinationCountry": [
            _country(port.properties.get("country")) for port in found.get("declared_discharge_port", ())
        ],
        "startDate": ftm_time(shipment.t_from),
        "endDate": ftm_time(shipment.t_to),
        "description": f"called at the declared port: {said.get('arrived', 'unknown')}",
        "summary": words,
        "proof": shipment.evidence,
    }


def _event(graph: DossierGraph, event: Entity, ties: Sequence[Relation]) -> Iterator[str]:
    """A Trip for a silence or a voyage with both ends, an Event for any other, and the addresses of its ends."""
    said = event.properties
    ends = [(event.lat, event.lon), (said.get("lat_end"), said.get("lon_end"))]
    addresses = []
    for n, (lat, lon) in enumerate(ends):
        if lat is not None and lon is not None:
            addresses.append(entity_id("address", [event.id, n]))
            yield _line(addresses[-1], "Address", _address(f"{lat:.5f} {lon:.5f}", lat, lon))
    ships = [tie.target for tie in ties if tie.kind == "involved" and tie.source == event.id]
    properties: dict[str, Any] = {
        "name": event.name,
        "startDate": ftm_time(event.t_from),
        "endDate": ftm_time(event.t_to),
        "recordId": said.get("event_id"),
        "summary": [tie.note for tie in ties if tie.kind == "with_goods"],
        "description": f"score {said['score']:.2f}" if said.get("score") is not None else "score unknown",
        "proof": event.evidence,
    }
    if said.get("event_kind") in _LINES and len(addresses) == 2:
        trip = {"vehicle": ships, "startLocation": addresses[0], "endLocation": addresses[1]}
        yield _line(event.id, "Trip", properties | trip)
    else:
        yield _line(event.id, "Event", properties | {"addressEntity": addresses[:1]})


def _sanctions(entry: Entity, ties: Sequence[Relation]) -> Iterator[str]:
    """One Sanction for each thing that the entry is about; of none, for the finding that names it."""
    about = [tie.source for tie in ties if tie.kind == "listed_as"] or [tie.source for tie in ties][:1]
    said = entry.properties
    for thing in about:
        properties = {
            "entity": thing, "authority": said.get("authority"), "startDate": ftm_time(entry.t_from),
            "endDate": ftm_time(entry.t_to), "summary": entry.name,
            "reason": json.dumps(said.get("entry", {}), ensure_ascii=False, sort_keys=True), "proof": entry.evidence,
        }  # fmt: skip
        yield _line(entity_id("sanction", [entry.id, thing]), "Sanction", properties)


def _link(relation: Relation, subject: str, thing: str, role: str) -> str:
    properties = {
        "subject": subject, "object": thing, "role": role, "startDate": ftm_time(relation.t_from),
        "endDate": ftm_time(relation.t_to), "summary": relation.note, "proof": list(relation.evidence),
        "status": None if relation.certainty is None else f"probability {relation.certainty:.2f}",
    }  # fmt: skip
    return _line(entity_id("link", [relation.id, subject, thing]), "UnknownLink", properties)


def _carriages(graph: DossierGraph, ties: dict[str, list[Relation]]) -> Iterator[str]:
    """Which ship carried a car, as a link of its own: a shipment is no Thing that could be linked to."""
    for vehicle in graph.of("vehicle"):
        for carried in [tie for tie in ties.get(vehicle.id, ()) if tie.kind == "carries"]:
            for tie in ties.get(carried.source, ()):
                if tie.kind == "carried_by":
                    yield _link(tie, vehicle.id, tie.target, "carried by")
