"""Walks over a network as numbers: which nodes lie within some hops of a start, and by which way.

The order in which nodes are reached is that of Dijkstra's algorithm with ties in the order of the edges, as
`networkx.single_source_dijkstra` has it, so that of several shortest ways the same one is told. Hops are halves, so a
list for each distance takes the place of a heap.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.table import NAT
from cargo.mentions import ROLES
from geo.kernel import inner, kernel

if TYPE_CHECKING:
    from cargo.network import Edge

LASTING = (*ROLES, "described in", "carried by", "met")
"""A row and a meeting tie for good, whatever their days; all other edges held from one day to another."""

_FAR = np.iinfo(np.int32).max
_NOBODY = -1
_MOST_KEPT = 20_000_000
"""Nodes that are kept of what lies around parties and ships: 80 MB."""


class Links(NamedTuple):
    """The edges of each node in their order: those of node v are `first[v]` to `first[v + 1]`."""

    first: np.ndarray
    other: np.ndarray
    halves: np.ndarray  # half hops
    of_role: np.ndarray  # a row's party: not passed at a party of very many rows
    t_from: np.ndarray  # µs, NAT where it always held
    t_to: np.ndarray
    crowded: np.ndarray  # of nodes: ties nobody
    busy: np.ndarray
    free: np.ndarray  # has an edge of no hops


class _Reached(NamedTuple):
    """What one walk found, kept between walks: only what was touched is cleared."""

    halves: np.ndarray  # half hops to each node, `_FAR` not reached
    before: np.ndarray  # the node before it on the way
    done: np.ndarray
    own: np.ndarray  # the start and what it is tied to
    waiting: np.ndarray  # (half hops, node): the nodes at each distance, in the order in which they were found
    n: np.ndarray  # how many wait at each distance
    order: np.ndarray  # the nodes within reach, nearest first
    found: np.ndarray  # how many


@inner
def passes(g, v, u, e, start, at, x):
    """May edge `e` from node `v` to `u` be taken on this walk?"""
    if g.crowded[u]:
        return False
    if g.of_role[e] and (g.busy[v] or g.busy[u]):
        hub, end = (v, u) if g.busy[v] else (u, v)
        if start == _NOBODY or (hub != start and not x.own[end]):
            return False
    return at == NAT or ((g.t_from[e] == NAT or g.t_from[e] <= at) and (g.t_to[e] == NAT or g.t_to[e] >= at))


@inner
def find(x, d, u, v):
    """Note that node `u` is reached from `v` at a distance of `d` half hops."""
    x.halves[u], x.before[u] = d, v
    x.waiting[d, x.n[d]] = u
    x.n[d] += 1


@kernel
def walk(g, starts, start, limit, at, x):
    """All nodes within `limit` half hops of some starts into `x`; `start` is the one whose own edges may be taken."""
    for d in range(x.n.size):
        for k in range(x.n[d]):
            x.halves[x.waiting[d, k]], x.done[x.waiting[d, k]] = _FAR, False
        x.n[d] = 0
    x.found[0] = 0
    if start != _NOBODY:
        x.own[start] = True
        for e in range(g.first[start], g.first[start + 1]):
            x.own[g.other[e]] = True
    for s in starts:
        if x.halves[s] != 0:
            find(x, 0, s, _NOBODY)
    for d in range(limit + 1):
        k = 0
        while k < x.n[d]:
            v = x.waiting[d, k]
            k += 1
            if x.done[v]:
                continue
            x.done[v] = True
            x.order[x.found[0]] = v
            x.found[0] += 1
            if d == limit and not g.free[v]:
                continue
            for e in range(g.first[v], g.first[v + 1]):
                u, far = g.other[e], d + g.halves[e]
                if far <= limit and far < x.halves[u] and passes(g, v, u, e, start, at, x):
                    find(x, far, u, v)
    if start != _NOBODY:
        x.own[start] = False
        for e in range(g.first[start], g.first[start + 1]):
            x.own[g.other[e]] = False


@kernel
def gather(nodes, mark, stamp, out, n):
    """Append the nodes that do not bear the stamp yet to `out`; how many it holds."""
    for v in nodes:
        if mark[v] != stamp:
            mark[v] = stamp
            out[n] = v
            n += 1
    return n


class Walks:
    """The walks over one state of a graph, a `networkx.MultiGraph` whose edges have `edge` and `weight`.

    Attributes
    ----------
    names, by_name : the nodes, in the order of the graph and sorted
    number, rank : where each stands in the two, the second by the first
    traders : which are parties or ships
    """

    def __init__(self, graph: Any, hubs: Iterable[set[str]]) -> None:
        self.names: list[str] = list(graph)
        self.number = {name: k for k, name in enumerate(self.names)}
        self.by_name = sorted(self.names)
        self.rank = np.empty(len(self.names), np.int32)
        self.rank[[self.number[name] for name in self.by_name]] = np.arange(len(self.names))
        first, told = [0], []
        for ties in graph.adj.values():
            for other, edges in ties.items():
                told += [(self.number[other], data["edge"], data["weight"]) for data in edges.values()]
            first.append(len(told))
        spans = [(NAT, NAT) if edge.kind in LASTING else (edge.t_from, edge.t_to) for _, edge, _ in told]
        halves = np.array([round(2.0 * weight) for _, _, weight in told], np.uint8)
        n, offsets = len(self.names), np.array(first, np.int64)
        crowded, busy = (np.isin(np.arange(n), [self.number[name] for name in some]) for some in hubs)
        free = np.zeros(n, np.bool_)
        free[np.repeat(np.arange(n), np.diff(offsets))[halves == 0]] = True
        self._links = Links(
            offsets,
            np.array([other for other, _, _ in told], np.int32),
            halves,
            np.array([edge.kind in ROLES for _, edge, _ in told], np.bool_),
            np.array([span[0] for span in spans], np.int64),
            np.array([span[1] for span in spans], np.int64),
            crowded,
            busy,
            free,
        )
        self._mark, self._stamp = np.zeros(n, np.int64), 0
        self.traders = np.array([told["kind"] in ("party", "ship") for _, told in graph.nodes(data=True)], np.bool_)
        self._balls: dict[tuple[int, int], NDArray[np.int32]] = {}
        self._kept = 0
        self._reached = self._room(0)

    def _room(self, limit: int) -> _Reached:
        n = len(self.names)
        return _Reached(
            np.full(n, _FAR, np.int32), np.full(n, _NOBODY, np.int32), np.zeros(n, np.bool_), np.zeros(n, np.bool_),
            np.zeros((limit + 1, n), np.int32), np.zeros(limit + 1, np.int64), np.zeros(n, np.int32),
            np.zeros(1, np.int64),
        )  # fmt: skip

    def within(self, starts: Iterable[str], hops: float, *, at: int = NAT, own: bool = True) -> NDArray[np.int32]:
        """The numbers of the nodes within some hops of one start, nearest first; good until the next walk.

        With `own` the start's own edges to a party of very many rows may be taken; without, there may be many starts.
        """
        some = np.array([self.number[name] for name in starts], np.int64)
        limit = int(2.0 * hops)
        if limit >= self._reached.n.size:
            self._reached = self._room(limit)
        walk(self._links, some, int(some[0]) if own else _NOBODY, limit, at, self._reached)
        found: NDArray[np.int32] = self._reached.order[: self._reached.found[0]]
        return found

    def traders_near(self, rows: Iterable[str], hops: float) -> NDArray[np.int32]:
        """The numbers of the parties and ships within some hops of any of some rows.

        A row sees what those whom it names see, half a hop less far: what lies around a party is looked for once, and
        not for each of its rows. A party of very many rows passes on none of them, so the rows may share it.
        """
        links, limit, ends = self._links, int(2.0 * hops), set[tuple[int, int]]()
        for row in rows:
            begin, end = links.first[self.number[row] : self.number[row] + 2]
            ends.update(zip(links.other[begin:end].tolist(), links.halves[begin:end].tolist(), strict=True))
        self._stamp += 1
        out, n = np.empty(len(self.names), np.int32), 0
        for other, halves in sorted(ends):
            leads_on = self.traders[other] or links.first[other + 1] - links.first[other] > 1
            if halves <= limit and leads_on and not links.crowded[other]:
                n = gather(self._ball(other, limit - halves), self._mark, self._stamp, out, n)
        return out[:n].copy()

    def _ball(self, start: int, limit: int) -> NDArray[np.int32]:
        """The parties and ships within `limit` half hops of a node, past no party of very many rows."""
        if (start, limit) not in self._balls:
            if self._kept > _MOST_KEPT:
                self._balls.clear()
                self._kept = 0
            reached = self.within([self.names[start]], limit / 2.0, own=False)
            self._balls[start, limit] = reached[self.traders[reached]].copy()
            self._kept += self._balls[start, limit].size
        return self._balls[start, limit]

    def hops(self, node: int) -> float:
        """Hops to a node on the last walk."""
        return float(self._reached.halves[node]) / 2.0

    def way(self, node: int) -> list[str]:
        """The way of the last walk to a node, from its start."""
        way = [node]
        while (before := int(self._reached.before[way[-1]])) != _NOBODY:
            way.append(before)
        return [self.names[k] for k in reversed(way)]


def held(edge: Edge, at: int) -> bool:
    """Whether an edge may have held at a time; a row's edge ties for good, and one without days may have held."""
    if edge.kind in LASTING:
        return True
    return (edge.t_from == NAT or edge.t_from <= at) and (edge.t_to == NAT or edge.t_to >= at)
