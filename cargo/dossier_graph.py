"""Findings as one graph: parties, ships, cars, boxes, shipments, events, places, list entries and the sources of each.

All exports are written from it, so that an id means the same thing in each. An id rests on what identifies the thing
(IMO number, VIN, port code, digest of the source line), never on the order of findings; two ships of one name and no
number stay two. A name alone joins parties of exactly the same text and says so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cargo.safe_text import safe, safe_text

Json = Mapping[str, Any]

ENTITY_KINDS = (
    "finding", "shipment", "party", "vessel", "vehicle", "container", "goods", "event", "place", "listing", "source",
)  # fmt: skip
MAX_NAME = 300
"""Characters of a name; FollowTheMoney refuses names beyond 384."""


@dataclass
class Entity:
    """A thing: `evidence` holds ids of source entities, times are ISO 8601 or "", positions degrees or None."""

    id: str
    kind: str
    name: str
    properties: dict[str, Any] = field(default_factory=dict)
    t_from: str = ""
    t_to: str = ""
    lat: float | None = None
    lon: float | None = None
    evidence: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Relation:
    """A tie between two things: `certainty` 0 to 1, None where unknown; `note` says how it is known."""

    id: str
    kind: str
    source: str
    target: str
    t_from: str = ""
    t_to: str = ""
    certainty: float | None = None
    note: str = ""
    evidence: tuple[str, ...] = ()


@dataclass
class DossierGraph:
    """Entities and relations by id, each id once, in the order of the findings."""

    entities: dict[str, Entity] = field(default_factory=dict)
    relations: dict[str, Relation] = field(default_factory=dict)

    def of(self, kind: str) -> list[Entity]:
        """The entities of a kind."""
        return [entity for entity in self.entities.values() if entity.kind == kind]

    def add(self, kind: str, key: object, name: object, **said: Any) -> str:
        """Add an entity, or what is new about one that is there; its id."""
        made = entity_id(kind, key)
        found = self.entities.setdefault(made, Entity(made, kind, ""))
        found.name = found.name or safe_text(name, MAX_NAME)
        for attribute in ("t_from", "t_to", "lat", "lon"):
            value = said.pop(attribute, None)
            if value is not None and getattr(found, attribute) in ("", None):
                setattr(found, attribute, value)
        found.evidence = list(dict.fromkeys([*found.evidence, *said.pop("evidence", ())]))
        for key_, value in said.items():
            if value not in (None, "", [], ()):
                found.properties.setdefault(key_, safe(value))
        return made

    def relate(self, kind: str, source: str, target: str, **said: Any) -> None:
        """Add a relation; the same ends, kind, times and note are one relation, its evidence put together."""
        note, t_from, t_to = safe_text(said.get("note")), said.get("t_from") or "", said.get("t_to") or ""
        made = entity_id("relation", [kind, source, target, t_from, t_to, note])
        before = self.relations[made].evidence if made in self.relations else ()
        evidence = tuple(dict.fromkeys([*before, *said.get("evidence", ())]))
        self.relations[made] = Relation(made, kind, source, target, t_from, t_to, said.get("certainty"), note, evidence)


def entity_id(kind: str, key: object) -> str:
    """The id of a thing from what identifies it: `lw-` and 16 hex digits.

    >>> entity_id("vessel", "imo 9999993") == entity_id("vessel", "imo 9999993") != entity_id("vessel", "imo 9999981")
    True
    """
    text = repr((kind, key)).encode("utf-8", "backslashreplace")
    return "lw-" + hashlib.blake2b(text, digest_size=8).hexdigest()


def rows_of(item: Json, key: str) -> list[Json]:
    """The objects in a list of a finding; what is there in another shape counts as not there.

    >>> rows_of({"chain": [{"leg": 1}, None]}, "chain"), rows_of({"chain": "x"}, "chain")
    ([{'leg': 1}], [])
    """
    value = item.get(key)
    return [part for part in value if isinstance(part, Mapping)] if isinstance(value, list | tuple) else []


def object_of(item: Json, key: str) -> Json:
    """An object in a finding, empty where there is none."""
    value = item.get(key)
    return value if isinstance(value, Mapping) else {}


def number_of(value: object) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e300 else None


def place_of(item: Json, lat: str = "lat", lon: str = "lon") -> tuple[float | None, float | None]:
    """A position on the Earth, longitude in -180 to 180, or (None, None)."""
    north, east = number_of(item.get(lat)), number_of(item.get(lon))
    if north is None or east is None or not -90.0 <= north <= 90.0 or not -540.0 <= east <= 540.0:
        return None, None
    return north, east if -180.0 <= east <= 180.0 else (east + 180.0) % 360.0 - 180.0


_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?")


def time_of(value: object) -> str:
    """A time in ISO 8601 and UTC, or "" for what is none.

    >>> time_of("2018-10-01T08:56:51Z"), time_of("soon"), time_of(None)
    ('2018-10-01T08:56:51Z', '', '')
    """
    from datetime import datetime

    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return ""
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return ""
    return value


def listings_of(finding: Json) -> list[Json]:
    """Entries of watch-lists that a finding names, under whichever of these keys it has them."""
    found = [entry for key in ("listed", "lists", "list_entries") for entry in rows_of(finding, key)]
    return found + rows_of(object_of(finding, "listed"), "hits") + rows_of(object_of(finding, "lists"), "entries")


def graph_of(findings: Json | Sequence[Json]) -> DossierGraph:
    """The graph of some findings: what `Findings.to_dict` gives, or a list of findings.

    >>> found = {"id": "f", "chain": [{"leg": 1, "shipper": "Adige Motori", "vessel": {"imo": 9999993, "name": "A"}}]}
    >>> graph = graph_of([found])
    >>> [(entity.kind, entity.name) for entity in graph.entities.values()]
    [('finding', ''), ('shipment', 'leg 1'), ('vessel', 'A'), ('party', 'Adige Motori')]
    """
    from cargo.dossier_parts import add_finding

    listed = rows_of(findings, "findings") if isinstance(findings, Mapping) else findings
    graph = DossierGraph()
    ships = ship_keys(listed)
    for finding in listed:
        add_finding(graph, finding, ships)
    return graph


def ship_keys(findings: Iterable[Json]) -> dict[int, str]:
    """What identifies the ship behind an MMSI: its IMO number where the findings give exactly one, else the MMSI."""
    imos: dict[int, set[int]] = {}
    for finding in findings:
        for leg in rows_of(finding, "chain"):
            vessel = object_of(leg, "vessel")
            for ship in (vessel, *rows_of(vessel, "candidates")):
                imo, mmsi = ship.get("imo"), ship.get("mmsi")
                if isinstance(mmsi, int) and mmsi > 0:
                    imos.setdefault(mmsi, set()).update({imo} if isinstance(imo, int) and imo > 0 else ())
    return {mmsi: f"imo {next(iter(found))}" for mmsi, found in imos.items() if len(found) == 1}
