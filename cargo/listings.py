"""The entries of watch-lists behind a finding: which list, of which dates, listed then and now, and what ties them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ais.table import NAT
from cargo.listed import Hit, Listed
from cargo.network import MAX_HOPS, SURE, Network
from cargo.network_signals import day, listed_paths

MOST_LISTINGS = 50
"""Entries of one finding that are told, the nearest first."""


def hit_json(hit: Hit) -> dict[str, Any]:
    """A hit as plain data."""
    entry = hit.entry
    return {
        "list": hit.list, "uid": entry.uid, "name": entry.name, "kind": entry.kind, "imo": list(entry.imo),
        "line": entry.row, "program": list(entry.program), "listed_on": entry.listed_on or None,
        "delisted_on": entry.delisted_on or None, "found_by": hit.how, "sure": hit.sure,
        "against": hit.against or None, "listed": hit.listed,
        "then": {"answer": hit.then.answer, "why": hit.then.why},
        "now": {"answer": hit.now.answer, "why": hit.now.why},
    }  # fmt: skip


def listings(network: Network, listed: Listed, rows: Sequence[str], at: int = NAT) -> tuple[dict[str, Any], ...]:
    """Entries within reach of some rows: those with a way to them, the shortest first, then candidates by name alone.

    Parameters
    ----------
    network, listed
        The graph with the rows, and the lists that it was made with.
    rows
        Nodes of the rows.
    at
        When the goods went (µs UTC): what "then" means; `NAT` where it is not known.

    Each is what `hit_json` tells, with `on` (the day of "then"), `hops` and `way` (None and "" for a candidate),
    `party` (who is, or may be, the entry) and `versions`: every date of which the list is kept, with the digest of its
    file, and the line on which the entry stands in it, None where it does not.
    """
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for path in listed_paths(network, rows, at):
        tied = network.graph.nodes[path.edges[-1].one]["label"]
        told = _told(path.hit, listed, at, tied) | {"hops": path.hops, "way": str(path), "certain": path.sure}
        found.setdefault((path.hit.list, id(path.hit.entry)), told)
    near = {node for row in rows for node in network.neighbours(row, MAX_HOPS)}
    for node in sorted(near):
        for hit in network.hits.get(node, ()):
            if hit.listed and not hit.against and hit.sure not in SURE:
                told = _told(network.at(hit, day(at)), listed, at, network.graph.nodes[node]["label"])
                found.setdefault((hit.list, id(hit.entry)), told | {"hops": None, "way": "", "certain": False})
    return tuple(found.values())[:MOST_LISTINGS]


def _told(hit: Hit, listed: Listed, at: int, party: str) -> dict[str, Any]:
    versions = [
        {"date": one.date, "file": one.source, "sha256": one.sha256, "line": entry.row if entry else None}
        for one, entry in listed.versions(hit.entry)
    ]
    return hit_json(hit) | {"on": day(at) or None, "party": party, "versions": versions}
