"""Two CSV files for Neo4j with a script that loads them: into a new database, or by Cypher into a running one.

A backslash would escape the quote after it (legacy quoting is the default of LOAD CSV), so it is written full-width.
"""

from __future__ import annotations

from cargo.dossier_graph import ENTITY_KINDS, DossierGraph
from luxwake.export.tables import csv_bytes, flat

_NODES = (":ID", ":LABEL", "name", "t_from", "t_to", "lat:double", "lon:double", "properties", "evidence:string[]")
_EDGES = (":START_ID", ":END_ID", ":TYPE", "id", "t_from", "t_to", "certainty:double", "note", "evidence:string[]")
_SCRIPT = """\
#!/bin/sh
# Into a new database: stop Neo4j, then run this in this folder. Into a running one: load.cypher.
exec neo4j-admin database import full --nodes=nodes.csv --relationships=edges.csv --array-delimiter=';' \\
  --legacy-style-quoting=false "${1:-neo4j}"
"""


def neo4j_files(graph: DossierGraph) -> dict[str, bytes]:
    """The files by name: nodes.csv, edges.csv, load.sh and load.cypher."""
    nodes = (
        (e.id, e.kind.capitalize(), _plain(e.name), e.t_from, e.t_to, e.lat, e.lon, _plain(flat(e.properties)),
         ";".join(e.evidence))
        for e in graph.entities.values()
    )  # fmt: skip
    edges = (
        (r.source, r.target, r.kind.upper(), r.id, r.t_from, r.t_to, r.certainty, _plain(r.note), ";".join(r.evidence))
        for r in graph.relations.values()
    )
    kinds = sorted({relation.kind.upper() for relation in graph.relations.values()})
    return {
        "nodes.csv": csv_bytes(_NODES, nodes),
        "edges.csv": csv_bytes(_EDGES, edges),
        "load.sh": _SCRIPT.encode(),
        "load.cypher": _cypher(kinds).encode(),
    }


def _plain(text: str) -> str:
    return text.replace("\\", "\N{FULLWIDTH REVERSE SOLIDUS}")


def _cypher(kinds: list[str]) -> str:
    """Statements that load the two files from the import folder; run twice, they change nothing."""
    said = ["// Copy nodes.csv and edges.csv into the import folder of Neo4j first."]
    times = "t_from: row.t_from, t_to: row.t_to, evidence: [id IN split(row.`evidence:string[]`, ';') WHERE id <> '']"
    for label in (kind.capitalize() for kind in ENTITY_KINDS):
        said.append(f"CREATE CONSTRAINT IF NOT EXISTS FOR (n:{label}) REQUIRE n.id IS UNIQUE;")
        said.append(
            f"LOAD CSV WITH HEADERS FROM 'file:///nodes.csv' AS row WITH row WHERE row.`:LABEL` = '{label}'\n"
            f"MERGE (n:{label} {{id: row.`:ID`}}) SET n:Luxwake, n += {{name: row.name, {times}, "
            "lat: toFloat(row.`lat:double`), lon: toFloat(row.`lon:double`), properties: row.properties};"
        )
    said.append("CREATE INDEX IF NOT EXISTS FOR (n:Luxwake) ON (n.id);")
    for kind in kinds:
        said.append(
            f"LOAD CSV WITH HEADERS FROM 'file:///edges.csv' AS row WITH row WHERE row.`:TYPE` = '{kind}'\n"
            "MATCH (a:Luxwake {id: row.`:START_ID`}), (b:Luxwake {id: row.`:END_ID`})\n"
            f"MERGE (a)-[r:{kind} {{id: row.id}}]->(b) SET r += {{{times}, "
            "certainty: toFloat(row.`certainty:double`), note: row.note};"
        )
    return "\n".join(said) + "\n"
