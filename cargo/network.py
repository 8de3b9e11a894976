"""A graph of goods, rows, parties, ships, addresses and listed entries, every edge with its kind, days and source.

It answers what stands between some goods and a listed party, and says for each step who tells of it. Hops count the
parties and ships that are passed; a row or an address on the way is what ties two of them, and costs half a hop on
either side. An address that very many give ties nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from ais.table import NAT
from cargo.addresses import address
from cargo.listed import Hit, Listed, Subject, tied_name
from cargo.mentions import ROLES
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
        self._hubs: tuple[set[str], set[str]] | None = None
        self._ends: dict[str, dict[tuple[str, float], list[str]]] | None = None
        self._by_name: dict[str, set[str]] = {}

    def add(self, edge: Edge, weight: float, kinds: tuple[str, str]) -> None:
        """One edge, and its nodes where they are new."""
        self._hubs = self._ends = None
        for node, kind in zip((edge.one, edge.other), kinds, strict=True):
            if node not in self.graph:
                self.graph.add_node(node, kind=kind, label=node)
        self.graph.add_edge(edge.one, edge.other, edge=edge, weight=weight)

    def neighbours(self, node: str, hops: float = 2.0) -> list[str]:
        """Parties and ships within some hops of a node, the node itself apart."""
        if node not in self.graph:
            return []
        near, kinds = self._within(node, hops), self.graph.nodes
        return sorted(n for n in near if n != node and kinds[n]["kind"] in ("party", "ship"))

    def _within(self, start: str, hops: float) -> dict[str, float]:
        """Hops to each node that can be passed to, as `_passable` has it; in plain steps, which costs a tenth."""
        crowded, busy = self.hubs()
        ends = self._by_kind()
        own = {start, *self.graph.neighbors(start)}
        near, waiting = dict[str, float](), [(0.0, start)]
        while waiting:
            far, one = heappop(waiting)
            if one in near:
                continue
            near[one] = far
            for (kind, weight), others in ends.get(one, {}).items():
                for other in others if far + weight <= hops else ():
                    blocked = other in near or other in crowded
                    if not blocked and kind in ROLES and (one in busy or other in busy):
                        hub, end = (one, other) if one in busy else (other, one)
                        blocked = hub != start and end not in own
                    if not blocked:
                        heappush(waiting, (far + weight, other))
        return near

    def paths_to_listed(
        self, start: str, *, max_hops: float = MAX_HOPS, at: int = NAT, limit: int = 5
    ) -> tuple[Path, ...]:
        """The shortest way from a node to each listed entry within some hops, the shortest first.

        With `at` (µs UTC), ways over an edge that did not hold on that day are left out; one without days may have
        held. The hit of each path says whether its entry was listed then, and is now.
        """
        import networkx

        if start not in self.graph:
            return ()
        graph = self._passable(start, at)
        far, ways = networkx.single_source_dijkstra(graph, start, cutoff=max_hops, weight="weight")
        found = []
        for node, hit in self._hits.items():
            if node in ways and len(ways[node]) > 1:
                found.append(Path(far[node], self._edges_on(ways[node], at), hit))
        found.sort(key=lambda path: (path.hops, len(path.edges), path.edges[-1].other))
        return tuple(found[:limit])

    def hubs(self) -> tuple[set[str], set[str]]:
        """Addresses that very many give, and parties of very many rows."""
        if self._hubs is None:
            kind = {node: told["kind"] for node, told in self.graph.nodes(data=True)}
            degree = dict(self.graph.degree)
            crowded = {node for node in kind if kind[node] == "address" and degree[node] >= MASS_ADDRESS}
            busy = {node for node in kind if kind[node] == "party" and degree[node] > MANY_ROWS}
            self._hubs = (crowded, busy)
        return self._hubs

    def _passable(self, start: str, at: int = NAT) -> Any:
        """The graph as seen from a node: without what very many share, and without edges that did not hold."""
        import networkx

        crowded, busy = self.hubs()
        own = {start, *self.graph.neighbors(start)}

        def passes(one: str, other: str, key: int) -> bool:
            edge: Edge = self.graph.edges[one, other, key]["edge"]
            if one in busy or other in busy:
                hub, end = (one, other) if one in busy else (other, one)
                if edge.kind in ROLES and hub != start and end not in own:
                    return False
            return at == NAT or _held(edge, at)

        return networkx.subgraph_view(self.graph, filter_node=lambda node: node not in crowded, filter_edge=passes)

    def _edges_on(self, way: Sequence[str], at: int) -> tuple[Edge, ...]:
        """The edges of a way; of several between two nodes the first by kind and source."""
        out = []
        for one, other in pairwise(way):
            told = [data["edge"] for data in self.graph.get_edge_data(one, other).values()]
            fits = [edge for edge in told if at == NAT or _held(edge, at)]
            edge = min(fits or told, key=lambda e: (e.kind, e.source, e.t_from))
            out.append(edge if edge.one == one else edge._replace(one=other_of(edge, other), other=other))
        return tuple(out)

    def others(self, node: str, *kinds: str) -> list[str]:
        """The other ends of the edges of some kinds at a node, sorted; a firm of ten thousand rows costs no search."""
        told = self._by_kind().get(node, {})
        return sorted({end for (kind, _), ends in told.items() if kind in kinds for end in ends})

    def _by_kind(self) -> dict[str, dict[tuple[str, float], list[str]]]:
        """For each node the other ends of its edges by kind and hops, each once, looked up once for all nodes."""
        if self._ends is None:
            self._ends = {}
            for one, other, data in self.graph.edges(data=True):
                key = (data["edge"].kind, data["weight"])
                for a, b in ((one, other), (other, one)):
                    self._ends.setdefault(a, {}).setdefault(key, []).append(b)
            for told in self._ends.values():
                told |= {key: sorted(set(ends)) for key, ends in told.items()}
        return self._ends

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
                self.graph.add_node(where, kind="row", label=where)
            for role in ROLES:
                if party := parties.of.get((row.row, role)):
                    self.add(Edge(where, party.id, role, t_from, t_to, source, "stated"), 0.5, ("row", "party"))
                    self.graph.nodes[party.id]["label"] = party.name

    def _add_parties(self, parties: Parties) -> None:
        for party in parties.parties:
            self.parties[party.id] = party
            self.graph.add_node(party.id, kind="party", label=party.name)
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
            self.graph.add_node(ship.id, kind="ship", label=ship.name or ship.id)
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


def other_of(edge: Edge, node: str) -> str:
    """The other end of an edge."""
    return edge.other if edge.one == node else edge.one


def _held(edge: Edge, at: int) -> bool:
    """Whether an edge may have held at a time; a row's edge ties for good, and one without days may have held."""
    if edge.kind in (*ROLES, "described in", "carried by", "met"):
        return True
    return (edge.t_from == NAT or edge.t_from <= at) and (edge.t_to == NAT or edge.t_to >= at)
