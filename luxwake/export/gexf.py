"""GEXF 1.3 with times, for Gephi's timeline and networkx.

Intervals are whole days (networkx reads no other ISO form), the exact times stand beside them as `t_from` and `t_to`.
A thing whose papers give an end before its beginning has no interval: it is always shown, its times stand beside it.
"""

from __future__ import annotations

import json
from xml.sax.saxutils import escape, quoteattr

from cargo.dossier_graph import DossierGraph
from cargo.safe_text import safe_text

_NODE = ("kind", "t_from", "t_to", "lat", "lon", "properties", "evidence")
_EDGE = ("kind", "t_from", "t_to", "certainty", "note", "evidence")
_DOUBLES = frozenset({"lat", "lon", "certainty"})


def gexf_text(graph: DossierGraph, title: str = "Luxwake findings") -> str:
    """The graph as the text of one GEXF file.

    >>> gexf_text(DossierGraph()).splitlines()[1]
    '<gexf xmlns="http://gexf.net/1.3" version="1.3">'
    """
    nodes = [
        _element(
            "node", {"id": e.id, "label": e.name or e.kind, **_interval(e.t_from, e.t_to)},
            (e.kind, e.t_from, e.t_to, e.lat, e.lon, _json(e.properties), " ".join(e.evidence)),
        )
        for e in graph.entities.values()
    ]  # fmt: skip
    edges = [
        _element(
            "edge",
            {"id": r.id, "source": r.source, "target": r.target, "label": r.kind, **_interval(r.t_from, r.t_to)},
            (r.kind, r.t_from, r.t_to, r.certainty, r.note, " ".join(r.evidence)),
        )
        for r in graph.relations.values()
    ]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<gexf xmlns="http://gexf.net/1.3" version="1.3">',
        f"<meta><creator>Luxwake</creator><description>{escape(safe_text(title))}</description></meta>",
        '<graph mode="dynamic" defaultedgetype="directed" timeformat="date" timerepresentation="interval">',
        *_attributes("node", _NODE),
        *_attributes("edge", _EDGE),
        *("<nodes>", *nodes, "</nodes>", "<edges>", *edges, "</edges>", "</graph>", "</gexf>"),
    ]
    return "\n".join(lines) + "\n"


def _json(properties: object) -> str:
    return json.dumps(properties, ensure_ascii=False, sort_keys=True)


def _interval(t_from: str, t_to: str) -> dict[str, str]:
    if t_from and t_to and t_to < t_from:
        return {}
    return {name: t[:10] for name, t in (("start", t_from), ("end", t_to)) if t}


def _attributes(of: str, names: tuple[str, ...]) -> list[str]:
    kinds = [(n, name, "double" if name in _DOUBLES else "string") for n, name in enumerate(names)]
    listed = [f'<attribute id="{n}" title="{name}" type="{kind}"/>' for n, name, kind in kinds]
    return [f'<attributes class="{of}" mode="static">', *listed, "</attributes>"]


def _element(name: str, attributes: dict[str, str], values: tuple[object, ...]) -> str:
    written = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    known = [(n, value) for n, value in enumerate(values) if value not in (None, "", "{}")]
    said = "".join(f'<attvalue for="{n}" value={quoteattr(str(value))}/>' for n, value in known)
    return f"<{name}{written}><attvalues>{said}</attvalues></{name}>" if said else f"<{name}{written}/>"
