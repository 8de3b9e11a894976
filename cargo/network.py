"""A graph of goods, rows, parties, ships, addresses and listed entries, every edge with its kind, days and source.

It answers what stands between some goods and a listed party, and says for each step who tells of it. Hops count the
parties and ships that are passed; a row or an address on the way is what ties two of them, and costs half a hop on
either side. An address that very many give ties nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.table import NAT
from cargo.addresses import address
from cargo.listed import Hit, Listed, Subject, tied_name
from cargo.mentions import ROLES
from cargo.network_walk import Walks, held
from cargo.parties import MASS_ADDRESS, Parties, Party
from cargo.party_names import party_name
from cargo.ship_match import ALIKE, ShipAnswer, ShipIndex, ShipQuery
from cargo.ships import Fact, Ship, facts_of, gather

if TYPE_CHECKING:
    from cargo.shipments import Row

MOST_NAMES = 5
"""Names of a ship that are looked for in the lists."""
MANY_ROWS = 200
"""A party of more rows, a carrier or a large forwarder, ties no others, though a way may end with it."""
MAX_HOPS = 3.0
"""Paths that are longer tell nothing: at four hops most of a trade is tied to most of it."""
SHIPMENTS = "shipments"
SURE = ("identifier", "name, confirmed")
"""Hits of a list that make an edge; a name alone is a candidate, and makes one only where that is asked for."""
_LASTING = (*ROLES, "described in", "carried by", "met")
"""A row and a meeting tie for good, whatever their days; all other edges held from one day to another."""


class Edge(NamedTuple):
    """One step: from node to node, what it is, when (µs UTC, `NAT` not known), who says so, and how it was found.

    `sure` is false where it rests on a name or a number alone, and something else does not fit: a candidate.
    """

    one: str
    other: str
    kind: str
    t_from: int
    t_to: int
    source: str
    how: str
    sure: bool = True


class Path(NamedTuple):
    """A way from goods, a row, a party or a ship to a listed entry."""

    hops: float
    edges: tuple[Edge, ...]
    hit: Hit

    @property
    def sure(self) -> bool:
        """Whether no step is a candidate only."""
        return all(edge.sure for edge in self.edges)

    def __str__(self) -> str:
        return " - ".join([self.edges[0].one, *(f"[{edge.kind}] {edge.other}" for edge in self.edges)])


class Network:
    """The graph. `graph` is a `networkx.MultiGraph`; nodes have `kind` and `label`, edges have `edge` (an `Edge`).

    With `candidates`, entries of lists that only bear the same name are tied too, and such ways are not `sure`.

    >>> from cargo.watchlists import Entry, Kept, Watchlist
    >>> entry = Entry(uid="1", kind="vessel", name="SEA TERN", imo=("9999981",))
    >>> kept = Kept((Watchlist("Test list", "2019-01-01", "", "", "", "", (entry,), {}),))
    >>> network = Network(listed=Listed(kept))
    >>> network.add_ships(Ship(f"imo-{imo}", imo, (Fact("owner", "Nimbus Shipping", NAT, NAT, "register"),))
    ...     for imo in (9999993, 9999981))
    >>> for path in network.paths_to_listed("imo-9999993"):
    ...     print(path.hops, path)
    2.0 imo-9999993 - [owner] firm NIMBUS SHIPPING - [owner] imo-9999981 - [on the list as] Test list: 1
    """

    def __init__(self, *, listed: Listed | None = None, candidates: bool = False) -> None:
        import networkx

        self.graph = networkx.MultiGraph()
        self.listed = listed
        self.candidates = candidates
        self.parties: dict[str, Party] = {}
        self.ships: dict[str, Ship] = {}
        self.hits: dict[str, list[Hit]] = {}
        self._hits: dict[str, Hit] = {}
        self._by_name: dict[str, set[str]] = {}

    def add(self, edge: Edge, weight: float, kinds: tuple[str, str]) -> None:
        """One edge, and its nodes where they are new; the weight is its hops, in halves."""
        for node, kind in zip((edge.one, edge.other), kinds, strict=True):
            if node not in self.graph:
                self._add_node(node, kind, node)
        self._forget()
        self.graph.add_edge(edge.one, edge.other, edge=edge, weight=weight)

    def _add_node(self, node: str, kind: str, label: str) -> None:
        self._forget()
        self.graph.add_node(node, kind=kind, label=label)

    def _forget(self) -> None:
        """What was derived from the graph, before it changes."""
        for name in ("_hubs", "_ends", "_walks"):
            self.__dict__.pop(name, None)

    @cached_property
    def _walks(self) -> Walks:
        return Walks(self.graph, self._hubs)

    def neighbours(self, node: str, hops: float = 2.0) -> list[str]:
        """Parties and ships within some hops of a node, the node itself apart."""
        walks = self._walks
        if node not in walks.number:
            return []
        reached = walks.within([node], hops)
        near = reached[walks.traders[reached] & (reached != walks.number[node])]
        return sorted(walks.names[k] for k in near.tolist())

    def near(self, rows: Iterable[str], hops: float = 2.0) -> NDArray[np.int32]:
        """The parties and ships within some hops of any of some rows, by number."""
        return self._walks.traders_near([row for row in rows if row in self._walks.number], hops)

    def marked(self, nodes: Iterable[str]) -> NDArray[np.bool_]:
        """For each node by number whether it is one of some."""
        number, marks = self._walks.number, np.zeros(len(self.graph), np.bool_)
        marks[[number[node] for node in nodes if node in number]] = True
        return marks

    def among(self, near: NDArray[np.int32], marks: NDArray[np.bool_], most: int | None = None) -> list[str]:
        """Those of the nodes `near` that are marked (`marked`), sorted, all or so many at most."""
        walks = self._walks
        return [walks.by_name[k] for k in np.sort(walks.rank[near[marks[near]]])[:most].tolist()]

    def around(self, nodes: Iterable[str], hops: float) -> frozenset[str]:
        """Every node from which one of some may be within some hops; what very many share ties nobody, and a party of
        very many rows is passed by none but its own rows."""
        crowded, busy = self._hubs
        walks = self._walks
        some = [node for node in nodes if node in walks.number and node not in crowded]
        if not some:
            return frozenset()
        near = {walks.names[k] for k in walks.within(some, hops, own=False).tolist()}
        passed = [hub for hub in busy if hub in near and walks.hops(walks.number[hub]) + 0.5 <= hops]
        own = {row for hub in passed for row in self.others(hub, *ROLES)}
        return frozenset(near | own)

    def paths_to_listed(
        self, start: str, *, max_hops: float = MAX_HOPS, at: int = NAT, limit: int = 5
    ) -> tuple[Path, ...]:
        """The shortest way from a node to each listed entry within some hops, the shortest first.

        With `at` (µs UTC), ways over an edge that did not hold on that day are left out; one without days may have
        held. The hit of each path says whether its entry was listed then, and is now.
        """
        walks = self._walks
        if start not in walks.number or not self._hits:
            return ()
        reached = walks.within([start], max_hops, at=at)
        entries = self.among(reached, self.marked(self._hits.keys() - {start}))
        ways = [(walks.hops(walks.number[node]), walks.way(walks.number[node]), self._hits[node]) for node in entries]
        ways.sort(key=lambda one: (one[0], len(one[1]), one[1][-1]))
        return tuple(Path(hops, self._edges_on(way, at), hit) for hops, way, hit in ways[:limit])

    @cached_property
    def _hubs(self) -> tuple[set[str], set[str]]:
        """Addresses that very many give, and parties of very many rows."""
        kind = {node: told["kind"] for node, told in self.graph.nodes(data=True)}
        degree = dict(self.graph.degree)
        crowded = {node for node in kind if kind[node] == "address" and degree[node] >= MASS_ADDRESS}
        busy = {node for node in kind if kind[node] == "party" and degree[node] > MANY_ROWS}
        return crowded, busy

    def _edges_on(self, way: Sequence[str], at: int) -> tuple[Edge, ...]:
        """The edges of a way; of several between two nodes the first by kind and source."""
        out = []
        for one, other in pairwise(way):
            told = [data["edge"] for data in self.graph.get_edge_data(one, other).values()]
            fits = [edge for edge in told if at == NAT or held(edge, at)]
            edge = min(fits or told, key=lambda e: (e.kind, e.source, e.t_from))
            out.append(edge if edge.one == one else edge._replace(one=one, other=other))
        return tuple(out)

    def others(self, node: str, *kinds: str) -> list[str]:
        """The other ends of the edges of some kinds at a node, sorted; a firm of ten thousand rows costs no search."""
        told = self._ends.get(node, {})
        if len(kinds) == 1:
            return list(told.get(kinds[0], ()))
        return sorted({end for kind, ends in told.items() if kind in kinds for end in ends})

    @cached_property
    def _ends(self) -> dict[str, dict[str, list[str]]]:
        """For each node the other ends of its edges by kind, sorted, looked up once for all nodes."""
        found: dict[str, dict[str, set[str]]] = {}
        for one, other, data in self.graph.edges(data=True):
            kind = data["edge"].kind
            found.setdefault(one, {}).setdefault(kind, set()).add(other)
            found.setdefault(other, {}).setdefault(kind, set()).add(one)
        return {node: {kind: sorted(ends) for kind, ends in told.items()} for node, told in found.items()}

    def edges_of(self, node: str) -> list[Edge]:
        """All edges at a node, by kind and the other end."""
        if node not in self.graph:
            return []
        found = [data["edge"] for _, _, data in self.graph.edges(node, data=True)]
        turned = [edge if edge.one == node else edge._replace(one=node, other=edge.one) for edge in found]
        return sorted(turned, key=lambda edge: (edge.kind, edge.other, edge.t_from))

    def add_rows(
        self,
        rows: Iterable[Row],
        parties: Parties,
        *,
        goods: Mapping[int, str] | None = None,
        source: str = SHIPMENTS,
    ) -> None:
        """Rows of shipments, their goods and their parties; `goods` names the goods of a row."""
        self._add_parties(parties)
        for row in rows:
            where = f"{source} row {row.row}"
            name = (goods or {}).get(row.row) or goods_of(row)
            t_from, t_to = row.t_depart, row.t_arrive if row.t_arrive >= row.t_depart else row.t_depart
            if name:
                self.add(Edge(name, where, "described in", t_from, t_to, source, "stated"), 0.5, ("goods", "row"))
            elif where not in self.graph:
                self._add_node(where, "row", where)
            for role in ROLES:
                if party := parties.of.get((row.row, role)):
                    self.add(Edge(where, party.id, role, t_from, t_to, source, "stated"), 0.5, ("row", "party"))
                    self.graph.nodes[party.id]["label"] = party.name

    def _add_parties(self, parties: Parties) -> None:
        for party in parties.parties:
            self.parties[party.id] = party
            self._add_node(party.id, "party", party.name)
            for name in party.names:
                self._by_name.setdefault(party_name(name).key, set()).add(party.id)
            for text in party.addresses:
                if key := address(text).key:
                    edge = Edge(party.id, f"address {key}", "gives the address", NAT, NAT, SHIPMENTS, "stated")
                    self.add(edge, 0.5, ("party", "address"))
                    self.graph.nodes[edge.other]["label"] = text
            if self.listed is not None:
                told = {name: getattr(party, name) for name in ("name", "countries", "addresses", "identifiers")}
                self._add_hits(party.id, "party", Subject(**told, kind="party"))

    def add_ships(self, ships: Iterable[Ship]) -> None:
        """Ships with their owners and managers, of whatever days these were."""
        for ship in ships:
            self.ships[ship.id] = ship
            self._add_node(ship.id, "ship", ship.name or ship.id)
            for fact in ship.facts:
                if fact.kind in ("owner", "manager"):
                    who = self._party_named(fact.value)
                    edge = Edge(ship.id, who, fact.kind, fact.t_from, fact.t_to, fact.source, "stated")
                    self.add(edge, 1.0, ("ship", "party"))
                    if self.graph.nodes[who]["label"] == who:
                        self.graph.nodes[who]["label"] = fact.value
                        self._add_hits(who, "party", Subject(name=fact.value, kind="party"))
            imo, mmsi = str(ship.imo or ""), next(iter(ship.values("mmsi")), "")
            for name in ship.values("name")[:MOST_NAMES] or ("",):
                self._add_hits(ship.id, "ship", Subject(name=name, imo=imo, mmsi=mmsi, kind="vessel"))

    def _party_named(self, name: str) -> str:
        """The party of the rows that alone has a name, else a node for the name."""
        known = self._by_name.get(party_name(name).key, set())
        return next(iter(known)) if len(known) == 1 else f"firm {party_name(name).key}"

    def add_carriers(self, rows: Iterable[Row], source: str = SHIPMENTS) -> dict[int, str]:
        """Tie rows to the ships that they name and that are identified; the ship of each row that has one.

        A ship that is not known, and that a paper names with a valid IMO number, is added as the paper has it.
        """
        rows = list(rows)
        self.add_ships(_named_only_here(rows, {ship.imo for ship in self.ships.values()}, source))
        index, found = ShipIndex(self.ships.values()), dict[int, str]()
        known: dict[tuple[str, int, int], tuple[str, str, bool]] = {}
        for row in rows:
            asked = (row.vessel_name, row.imo, row.mmsi)
            if not any(asked):
                continue
            if asked not in known:
                query = ShipQuery(name=row.vessel_name, imo=str(row.imo or ""), mmsi=str(row.mmsi or ""))
                answer = index.find(query)
                known[asked] = (answer.ship.id, answer.why, True) if answer.ship else _one_sign(answer, query)
            ship, how, sure = known[asked]
            if ship:
                t_to = row.t_arrive if row.t_arrive >= row.t_depart else row.t_depart
                edge = Edge(f"{source} row {row.row}", ship, "carried by", row.t_depart, t_to, source, how, sure)
                self.add(edge, 0.5, ("row", "ship"))
                found[row.row] = ship
        return found

    def add_meetings(self, meetings: Iterable[tuple[str, str, int, int, str]]) -> None:
        """Ships that met: two node ids, from, to (µs UTC), and the id of the event."""
        for one, other, t_from, t_to, event in meetings:
            self.add(Edge(one, other, "met", t_from, t_to, f"event {event}", "seen"), 1.0, ("ship", "ship"))

    def _add_hits(self, node: str, kind: str, subject: Subject) -> None:
        """Edges to the entries of lists that a node is, and from those to who the list ties them with."""
        if self.listed is None:
            return
        for hit in self.listed.check(subject, alike=False).hits:
            self.hits.setdefault(node, []).append(hit)
            sure = hit.sure == "identifier" or (hit.sure in SURE and not hit.against)
            candidate = hit.sure in ("name", "tied") and not hit.against
            if not (sure or (self.candidates and candidate)):
                continue
            if hit.sure == "tied":
                self._add_entry(node, kind, hit, "tied by the list to", 1.0)
                continue
            self._add_linked(self._add_entry(node, kind, hit, "on the list as", 0.0), hit)

    def _add_entry(self, node: str, kind: str, hit: Hit, what: str, weight: float) -> str:
        """An edge to an entry of a list; the entry's node."""
        entry = f"{hit.list}: {hit.entry.uid or hit.entry.name}"
        edge = Edge(node, entry, what, NAT, NAT, hit.list, hit.how, hit.sure in SURE)
        self.add(edge, weight, (kind, "entry"))
        self.graph.nodes[entry]["label"] = hit.entry.name
        if hit.listed:
            self._hits.setdefault(entry, hit)
        return entry

    def _add_linked(self, entry: str, hit: Hit) -> None:
        """Who the list itself ties an entry with, where the same list has an entry of that name."""
        if self.listed is None:
            return
        for text in dict.fromkeys((hit.entry.owner, *hit.entry.linked)):
            role, name = text.rpartition(": ")[0], tied_name(text)
            for other in self.listed.named(hit.list, name):
                node = f"{hit.list}: {other.uid or other.name}"
                if node == entry:
                    continue
                edge = Edge(entry, node, role or "linked to", NAT, NAT, hit.list, "stated by the list")
                self.add(edge, 1.0, ("entry", "entry"))
                self.graph.nodes[node]["label"] = other.name
                if other.listed and node not in self._hits:
                    self._hits[node] = self.listed.hit_of(other, "tied by the list")

    def at(self, hit: Hit, on: str) -> Hit:
        """A hit with its standing on a day (ISO 8601)."""
        if self.listed is None:
            return hit
        return self.listed.hit_of(hit.entry, hit.how, on)._replace(sure=hit.sure, against=hit.against)


def goods_of(row: Row) -> str:
    """What the goods of a row are called: by VIN, else bill of lading and container, "" where it gives neither."""
    if row.vin:
        return f"VIN {row.vin}"
    parts = [f"B/L {row.bl_number}"] * bool(row.bl_number) + [f"container {row.container}"] * bool(row.container)
    return " ".join(parts)


def _named_only_here(rows: Iterable[Row], known: set[int], source: str) -> list[Ship]:
    """Ships that rows name with an IMO number that is not known yet."""
    told: dict[int, list[Fact]] = {}
    for row in rows:
        if row.imo and row.imo not in known:
            facts = told.setdefault(row.imo, [])
            t_to = row.t_arrive if row.t_arrive >= row.t_depart else row.t_depart
            said = {"name": row.vessel_name, "mmsi": str(row.mmsi or "")}
            facts += facts_of(said, row.t_depart, t_to, source)
    return gather(Ship(f"imo-{imo}", imo, tuple(facts)) for imo, facts in told.items())


def _one_sign(answer: ShipAnswer, query: ShipQuery) -> tuple[str, str, bool]:
    """The ship that a paper may mean by one sign alone, not sure: its IMO number under a name that is not known for it
    and that no known ship bears, or, where it gives no number, a name that one known ship bears."""
    by_number = [one for one in answer.candidates if "IMO number" in one.agree]
    named = [
        one for one in answer.candidates if one.alike > 0.0 and one.alike == max(c.alike for c in answer.candidates)
    ]
    if len(by_number) == 1 and not any(one.alike >= ALIKE for one in answer.candidates):
        return by_number[0].ship.id, f"the IMO number alone: {query.name} is no name that is known for it", False
    if not (query.imo or query.mmsi) and len(named) == 1 and named[0].alike == 1.0:
        return named[0].ship.id, "the name alone, which one known ship bears", False
    return "", "", False
