"""Two CSV files for i2 Analyst's Notebook, and the text of the import specification that reads them."""

from __future__ import annotations

from cargo.dossier_graph import DossierGraph
from luxwake.export.tables import csv_bytes, flat

_ENTITIES = (
    "Entity ID", "Entity Type", "Label", "From Date & Time", "To Date & Time", "Latitude", "Longitude", "Attributes",
    "Sources",
)  # fmt: skip
_LINKS = (
    "Link ID", "From Entity ID", "To Entity ID", "Link Type", "Label", "From Date & Time", "To Date & Time",
    "Certainty", "Strength", "Description", "Sources",
)  # fmt: skip
_TYPES = {
    "finding": "Case", "shipment": "Consignment", "party": "Organisation or Person", "vessel": "Ship",
    "vehicle": "Vehicle", "container": "Container", "goods": "Goods", "event": "Event", "place": "Location",
    "listing": "Watch-list Entry", "source": "Document",
}  # fmt: skip
CONFIRMED = 0.98
"""Least probability of a tie drawn as confirmed: the precision that linking aims at."""
_SPECIFICATION = """\
Import specification for i2 Analyst's Notebook (File > Import), both files: CSV, comma, text qualifier ",
UTF-8 (65001), first row holds headings. Import entities.csv first, then links.csv, into the same chart.

entities.csv: one entity a row
  Entity ID         identity          exact match
  Entity Type       type              semantic type by name; create the missing ones
  Label             label
  From/To Date & Time  attribute      custom format yyyy-MM-dd HH:mm:ss, time zone UTC; empty where unknown
  Latitude, Longitude  attribute      number, decimal degrees (WGS 84)
  Attributes        description       JSON
  Sources           source reference  Entity IDs of the documents, separated by a space

links.csv: one link a row, drawn from the first to the second entity
  From Entity ID, To Entity ID  identity of the ends
  Link Type         type
  Label             label
  From/To Date & Time  as above
  Certainty         attribute         number 0 to 1; empty: unknown
  Strength          strength          Confirmed, Unconfirmed, Tentative
  Description       description
  Sources           source reference

A text that begins with an apostrophe began with a sign (= + - @) that a spreadsheet takes for a formula.
"""


def i2_files(graph: DossierGraph) -> dict[str, bytes]:
    """The files by name: entities.csv, links.csv, import_specification.txt."""
    entities = (
        (e.id, _TYPES[e.kind], e.name or e.kind, i2_time(e.t_from), i2_time(e.t_to), e.lat, e.lon, flat(e.properties),
         " ".join(e.evidence))
        for e in graph.entities.values()
    )  # fmt: skip
    links = (
        (r.id, r.source, r.target, r.kind.replace("_", " "), r.kind.replace("_", " "), i2_time(r.t_from),
         i2_time(r.t_to), r.certainty, _strength(r.certainty, r.kind), r.note, " ".join(r.evidence))
        for r in graph.relations.values()
    )  # fmt: skip
    return {
        "entities.csv": csv_bytes(_ENTITIES, entities),
        "links.csv": csv_bytes(_LINKS, links),
        "import_specification.txt": _SPECIFICATION.encode(),
    }


def i2_time(iso: str) -> str:
    """A time in the format of the specification.

    >>> i2_time("2018-10-01T08:56:51Z"), i2_time("2018-10-01"), i2_time("")
    ('2018-10-01 08:56:51', '2018-10-01 00:00:00', '')
    """
    return f"{iso[:10]} {iso[11:19] or '00:00:00'}" if iso else ""


def _strength(certainty: float | None, kind: str) -> str:
    """How a link is drawn: what was only possible is tentative, however surely it was possible."""
    if kind in ("within_reach", "candidate_ship"):
        return "Tentative"
    return "Confirmed" if certainty is not None and certainty >= CONFIRMED else "Unconfirmed"
