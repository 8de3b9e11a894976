"""Slow twins of the walks over a network: Dijkstra's algorithm of networkx on a view of the graph."""

from itertools import pairwise

import networkx

from ais.table import NAT
from cargo.mentions import ROLES
from cargo.network import MANY_ROWS
from cargo.parties import MASS_ADDRESS

LASTING = (*ROLES, "described in", "carried by", "met")


def held(edge, at):
    if at == NAT or edge.kind in LASTING:
        return True
    return (edge.t_from == NAT or edge.t_from <= at) and (edge.t_to == NAT or edge.t_to >= at)


def hubs(graph):
    kind = networkx.get_node_attributes(graph, "kind")
    crowded = {node for node in graph if kind[node] == "address" and graph.degree(node) >= MASS_ADDRESS}
    return crowded, {node for node in graph if kind[node] == "party" and graph.degree(node) > MANY_ROWS}


def passable(graph, start=None, at=NAT):
    """The graph as seen from a node, or from none."""
    crowded, busy = hubs(graph)
    own = {start, *graph.neighbors(start)} if start else set()

    def passes(one, other, key):
        edge = graph.edges[one, other, key]["edge"]
        if (one in busy or other in busy) and edge.kind in ROLES:
            hub, end = (one, other) if one in busy else (other, one)
            if not start or (hub != start and end not in own):
                return False
        return held(edge, at)

    return networkx.subgraph_view(graph, filter_node=lambda node: node not in crowded, filter_edge=passes)


def neighbours(network, node, hops):
    near = networkx.single_source_dijkstra_path_length(passable(network.graph, node), node, hops, weight="weight")
    return sorted(n for n in near if n != node and network.graph.nodes[n]["kind"] in ("party", "ship"))


def ways_to_listed(network, start, hops, at):
    """Hops and nodes of the way to each entry, the shortest first."""
    graph = passable(network.graph, start, at)
    far, ways = networkx.single_source_dijkstra(graph, start, cutoff=hops, weight="weight")
    entries = {edge.other for _, _, edge in network.graph.edges(data="edge") if edge.kind == "on the list as"}
    found = [(far[node], tuple(ways[node])) for node in entries if node in ways and node != start]
    return sorted(found, key=lambda one: (one[0], len(one[1]), one[1][-1]))


def around(network, nodes, hops):
    graph = passable(network.graph)
    some = {node for node in nodes if node in graph}
    if not some:
        return frozenset()
    near = networkx.multi_source_dijkstra_path_length(graph, some, cutoff=hops, weight="weight")
    rows = {row for hub in hubs(network.graph)[1] if near.get(hub, hops) + 0.5 <= hops
            for row in network.others(hub, *ROLES)}  # fmt: skip
    return frozenset({*near, *rows})


def nodes_of(path):
    """The nodes of a `Path`, checked to follow each other."""
    assert all(a.other == b.one for a, b in pairwise(path.edges))
    return (path.edges[0].one, *(edge.other for edge in path.edges))
