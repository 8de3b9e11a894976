"""The parts of a finding, one after the other, as entities and relations of `cargo.dossier_graph`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cargo.dossier_graph import (
    DossierGraph,
    Json,
    entity_id,
    listings_of,
    number_of,
    object_of,
    place_of,
    rows_of,
    time_of,
)
from cargo.safe_text import safe_text

_DIGEST = re.compile(r"[0-9a-f]{16,64}")
_EVENT = re.compile(r"event ([0-9a-f]{8,32})")


class _Sources:
    """The source lines of a finding: by shipment row, and by event."""

    def __init__(self, graph: DossierGraph, finding: Json) -> None:
        self.rows: dict[object, str] = {}
        self.events: dict[str, list[str]] = {}
        self.digests: dict[object, str] = {}
        for item in rows_of(finding, "evidence"):
            note = safe_text(item.get("note"))
            digest = found[0] if (found := _DIGEST.search(note)) and item.get("row") is not None else ""
            place = file_name(item.get("file"))
            key = [place, digest or item.get("offset"), item.get("row"), "" if digest else item.get("what")]
            where = f"row {item['row']}" if item.get("row") is not None else f"byte {item.get('offset')}"
            made = graph.add(
                "source", key, f"{place}, {where}", file=place, offset=item.get("offset"), row=item.get("row"),
                what=item.get("what"), digest=digest, note=note,
            )  # fmt: skip
            if item.get("row") is not None:
                self.rows[_key(item["row"])] = made
                self.digests[_key(item["row"])] = digest
            elif named := _EVENT.search(note):
                self.events.setdefault(named[1], []).append(made)

    def of_rows(self, numbers: object) -> list[str]:
        return [self.rows[key] for n in _items(numbers) if (key := _key(n)) in self.rows]


def _items(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _key(value: object) -> object:
    return value if isinstance(value, int | str) else repr(value)


def file_name(path: object) -> str:
    """The last part of a path: where an input lay on one machine is nobody else's concern.

    >>> file_name("/data/day.nmea.zst"), file_name("C:\\\\data\\\\rows.csv")
    ('day.nmea.zst', 'rows.csv')
    """
    return re.split(r"[/\\]", safe_text(path))[-1]


def add_finding(graph: DossierGraph, finding: Json, ships: Mapping[int, str]) -> None:
    """Add one finding and all that hangs on it; `ships` says which MMSI is which ship."""
    score = object_of(finding, "score")
    about = graph.add(
        "finding", finding.get("id"), finding.get("title"), conclusion=finding.get("conclusion"),
        finding=finding.get("id"), rank=finding.get("rank"), score_lower=number_of(score.get("lower")),
        score_upper=number_of(score.get("upper")), revision=finding.get("revision"),
        innocent=_items(finding.get("innocent")), unknown=_items(finding.get("unknown")),
    )  # fmt: skip
    sources = _Sources(graph, finding)
    legs: dict[object, str] = {}
    before = ""
    for n, leg in enumerate(rows_of(finding, "chain")):
        made = _add_leg(graph, finding, leg, n + 1, sources, ships)
        legs[_key(leg.get("leg", n + 1))] = made
        graph.relate("concerns", about, made)
        link = object_of(leg, "link")
        if before and link:
            graph.relate("next_leg", before, made, note=f"linked by {safe_text(link.get('method')) or 'unknown'}")
        before = made
    _add_goods(graph, finding, legs, sources)
    _add_events(graph, finding, about, legs, sources, ships)
    _add_reach(graph, finding)
    returned = _add_returns(graph, finding, about, sources, ships)
    _add_claims(graph, finding, [*legs.values(), *returned], sources)
    _add_listings(graph, finding, about)


def vessel(graph: DossierGraph, ship: Json, ships: Mapping[int, str], alone: object) -> str:
    """The entity of a ship; one without any number is itself only, told apart by `alone`. "" where nothing is known."""
    imo, mmsi, name = ship.get("imo"), ship.get("mmsi"), ship.get("name")
    imo = int(imo) if isinstance(imo, str) and re.fullmatch("[0-9]{7}", imo) else imo
    imo = imo if isinstance(imo, int) and imo > 0 else None
    mmsi = mmsi if isinstance(mmsi, int) and mmsi > 0 else None
    if not (imo or mmsi or name):
        return ""
    key: object = f"imo {imo}" if imo else ships.get(mmsi, f"mmsi {mmsi}") if mmsi else ["name", name, alone]
    return graph.add("vessel", key, name or f"MMSI {mmsi}" if not imo else name or f"IMO {imo}", imo=imo, mmsi=mmsi)


def party(graph: DossierGraph, name: object, evidence: Iterable[str]) -> str:
    """The entity of a party by its exact text; "" where the papers name none."""
    text = " ".join(str(name).split()) if isinstance(name, str) else ""
    if not text:
        return ""
    return graph.add("party", text.casefold(), text, evidence=evidence, known_by="name in the papers, not resolved")


def port(graph: DossierGraph, leg: Json, end: str) -> str:
    """The entity of a port of a leg, by its code, else its name; "" where none is named."""
    code, name = leg.get(f"{end}_port"), leg.get(f"{end}_name")
    if not code and not name:
        return ""
    lat, lon = place_of(leg, f"{end}_lat", f"{end}_lon")
    country = code[:2] if isinstance(code, str) and re.fullmatch("[A-Z]{2}[A-Z0-9]{3}", code) else None
    return graph.add("place", code or name, name or code, locode=code, country=country, lat=lat, lon=lon)


def _add_leg(graph: DossierGraph, finding: Json, leg: Json, n: int, sources: _Sources, ships: Mapping[int, str]) -> str:
    """A shipment: its parties, ports and ship, each tie with the rows that say so."""
    rows = _items(leg.get("rows"))
    evidence = sources.of_rows(rows)
    digests = sorted(digest for row in rows if (digest := sources.digests.get(_key(row), "")))
    key: object = digests or [finding.get("id"), "leg", leg.get("leg", n)]
    times = {"t_from": time_of(leg.get("t_depart")), "t_to": time_of(leg.get("t_arrive"))}
    bill = safe_text(leg.get("bl_number"))
    made = graph.add(
        "shipment", key, f"B/L {bill}" if bill else f"leg {leg.get('leg', n)}", bl_number=bill,
        description=leg.get("description"), cleared=leg.get("cleared"), arrived=_three(leg.get("arrived")),
        arrived_why=leg.get("arrived_why"), leg=leg.get("leg", n), evidence=evidence, **times,
    )  # fmt: skip
    ship = object_of(leg, "vessel")
    carrier = vessel(graph, ship, ships, [finding.get("id"), n])
    if carrier:
        how = f"identified by {safe_text(ship.get('method')) or 'unknown'}"
        sure = number_of(ship.get("probability"))
        graph.relate("carried_by", made, carrier, certainty=sure, note=how, evidence=evidence, **times)
    for one in rows_of(ship, "candidates"):
        other = vessel(graph, one, ships, [finding.get("id"), n, "candidate"])
        if other and other != carrier:
            sure, why = number_of(one.get("probability")), safe_text(one.get("why"))
            graph.relate("candidate_ship", made, other, certainty=sure, note=why, evidence=evidence, **times)
    for kind, name in (("shipper", leg.get("shipper")), ("consignee", leg.get("consignee"))):
        if who := party(graph, name, evidence):
            graph.relate(kind, made, who, evidence=evidence, **times)
    for end, kind in (("load", "declared_load_port"), ("discharge", "declared_discharge_port")):
        if at := port(graph, leg, end):
            graph.relate(kind, made, at, evidence=evidence, **times)
    return made


def _three(value: object) -> str:
    """Yes, no or unknown."""
    return "unknown" if value is None else "yes" if value is True else "no" if value is False else safe_text(value)


def _add_goods(graph: DossierGraph, finding: Json, legs: Mapping[object, str], sources: _Sources) -> None:
    """Each car, lot and box; all of them ride on all legs of the chain."""
    for n, lot in enumerate(rows_of(finding, "goods")):
        vin, box = lot.get("vin"), lot.get("container")
        kind, key = ("vehicle", vin) if vin else ("goods", [finding.get("id"), n])
        what = graph.add(
            kind, key, lot.get("description") or "goods without a description", vin=vin, hs_code=lot.get("hs_code"),
            quantity=number_of(lot.get("quantity")), value_usd=number_of(lot.get("value_usd")),
        )  # fmt: skip
        boxes = [graph.add("container", one, one, number=one) for one in safe_text(box).split()]
        for leg in legs.values():
            graph.relate("carries", leg, what, evidence=graph.entities[leg].evidence)
            for inside in boxes:
                at = graph.entities[leg]
                graph.relate("in_container", what, inside, t_from=at.t_from, t_to=at.t_to, evidence=at.evidence)


def _add_events(
    graph: DossierGraph,
    finding: Json,
    about: str,
    legs: Mapping[object, str],
    sources: _Sources,
    ships: Mapping[int, str],
) -> None:
    for n, event in enumerate(rows_of(finding, "events")):
        kind, lines = safe_text(event.get("kind")), sources.events.get(str(event.get("id")), [])
        (lat, lon), (lat_end, lon_end) = place_of(event), place_of(event, "lat_end", "lon_end")
        times = {"t_from": time_of(event.get("t_start")), "t_to": time_of(event.get("t_end"))}
        made = graph.add(
            "event", event.get("id") or [finding.get("id"), n], kind.replace("_", " ") or "event", event_kind=kind,
            event_id=event.get("id"), score=number_of(event.get("score")), reception=number_of(event.get("coverage")),
            still_open=event.get("open"), lat=lat, lon=lon, lat_end=lat_end, lon_end=lon_end, zones=event.get("zones"),
            evidence=lines, port=event.get("port"), **times,
        )  # fmt: skip
        graph.relate("concerns", about, made)
        for key, role in (("mmsi", "ship"), ("other", "other ship")):
            mmsi = event.get(key)
            if who := vessel(graph, {"mmsi": mmsi}, ships, None):
                graph.relate("involved", made, who, note=role, evidence=lines, **times)
        if leg := legs.get(_key(event.get("leg"))):
            note = safe_text(event.get("relation")).replace("_", " ")
            graph.relate("with_goods", made, leg, note=note, evidence=lines, **times)
        if isinstance(event.get("port"), str) and event["port"]:
            at = _known_port(graph, event["port"])
            graph.relate("at_port", made, at, evidence=lines, **times)


def _known_port(graph: DossierGraph, code: str) -> str:
    """The entity of a port that an event names by its code, with name and position where the table of ports has it."""
    from geo.ports import port_by_code

    found = port_by_code(code) if re.fullmatch("[A-Z]{2}[A-Z0-9]{3}", code) else None
    if found is None:
        return graph.add("place", code, code, locode=code)
    return graph.add("place", code, found.name, locode=code, country=code[:2], lat=found.lat, lon=found.lon)


def _add_reach(graph: DossierGraph, finding: Json) -> None:
    """Ports within reach of the silence: necessary for a call there, not evidence of one."""
    reach = object_of(finding, "reach")
    if not reach.get("event"):
        return
    event = graph.add("event", reach["event"], "dark")
    for one in rows_of(reach, "ports"):
        lat, lon = place_of(one)
        at = graph.add(
            "place", one.get("locode") or one.get("name"), one.get("name"), locode=one.get("locode"),
            country=one.get("country"), lat=lat, lon=lon,
        )  # fmt: skip
        times = {"t_from": time_of(one.get("earliest")), "t_to": time_of(one.get("latest"))}
        note = "could have been reached; necessary for a call, not evidence of one"
        sure = number_of(one.get("probability"))
        graph.relate("within_reach", event, at, certainty=sure, note=note, **times)


def _add_returns(
    graph: DossierGraph, finding: Json, about: str, sources: _Sources, ships: Mapping[int, str]
) -> list[str]:
    """Other goods on the same ship, as shipments; their ids."""
    found = []
    for n, cargo in enumerate(rows_of(finding, "return_cargo")):
        found.append(_add_leg(graph, finding, {**cargo, "leg": f"return {n + 1}"}, n, sources, ships))
        evidence = graph.entities[found[-1]].evidence
        graph.relate("concerns", about, found[-1], note="return cargo: other goods on the same ship", evidence=evidence)
    return found


def _add_claims(graph: DossierGraph, finding: Json, shipments: Sequence[str], sources: _Sources) -> None:
    """Where sources differ: what each of them says about the shipment that its row belongs to."""
    of_line = {line: one for one in shipments for line in graph.entities[one].evidence}
    for claim in rows_of(finding, "claims"):
        for said in rows_of(claim, "values"):
            for line in sources.of_rows([said.get("row")]):
                if line in of_line:
                    words = f"{safe_text(claim.get('predicate'))}: {safe_text(said.get('value'))}"
                    note = f"{words} ({safe_text(said.get('source'))}); sources differ"
                    graph.relate("says", line, of_line[line], note=note, evidence=(line,))


def _add_listings(graph: DossierGraph, finding: Json, about: str) -> None:
    for n, entry in enumerate(listings_of(finding)):
        name = entry.get("name") or entry.get("entry") or entry.get("subject")
        authority = entry.get("list") or entry.get("authority") or entry.get("dataset")
        key = entry.get("id") or entry.get("uid") or [finding.get("id"), n]
        plain = {k: v for k, v in entry.items() if isinstance(v, str | int | float)}
        plain |= {
            f"listed_{k}": f"{v.get('answer')}: {v.get('why')}" for k in ("then", "now") if (v := object_of(entry, k))
        }
        made = graph.add(
            "listing", [authority, key], name or "list entry", authority=authority, entry=plain,
            t_from=time_of(entry.get("listed_on")), t_to=time_of(entry.get("delisted_on")),
        )  # fmt: skip
        subject = " ".join(str(entry.get("party") or entry.get("subject") or "").split()).casefold()
        if (who := entity_id("party", subject)) in graph.entities:
            graph.relate("listed_as", who, made, note=safe_text(entry.get("why")))
        graph.relate("concerns", about, made)
