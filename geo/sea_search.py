"""Searches on the graph of the sea: the kernels that find distances from one place to all others.

Dijkstra's algorithm with a ring of buckets (Dial 1969): nodes wait in doubly linked lists by length, 3.3 km to a
bucket. A node that gets a shorter way within the bucket at hand is looked at again, so the lengths are exact. The
whole sea, 260,000 nodes and 6 million legs, takes 40 ms.
"""

from __future__ import annotations

import math

from geo.cell_index import to_vector
from geo.coast import is_sea_at, stays_at_sea
from geo.instructions import prefetch
from geo.kernel import inner, kernel
from geo.sea_graph import REACH, arc_dm, find_near
from geo.straits import crosses

BUCKET_BITS = 15
"""A bucket is 2^15 dm wide: measured, 2^13 to 2^16 are alike."""
BUCKETS = 2048
"""The ring must be longer than any leg: 6,700 km."""
FAR = 2_147_483_647
"""The distance of a node that has none."""
_WAITS_NOT = -2


@kernel
def is_clear(table, barred, lat1, lon1, lat2, lon2):
    """Whether the great circle between two positions stays at sea and crosses none of the lines `barred`."""
    if barred.shape[0] > 0:
        x1, y1, z1 = to_vector(lat1, lon1)
        x2, y2, z2 = to_vector(lat2, lon2)
        if crosses(barred, x1, y1, z1, x2, y2, z2):
            return False
    return stays_at_sea(table, lat1, lon1, lat2, lon2)


@kernel
def attach(graph, table, barred, lat_deg, lon_deg, snap_dm, near):
    """Nodes that a position starts to, into the first rows of `near` (int32, 2): node and decimetres.

    All that are in sight within `REACH` of their spacings; failing these the nearest within `snap_dm`, land or not.
    Returns how many, and whether the position had to be moved there.
    """
    farthest = 0
    for k in range(graph.spacing_dm.size):
        farthest = max(farthest, graph.spacing_dm[k])
    found = find_near(graph, lat_deg, lon_deg, REACH * farthest, near)
    kept, best, best_dm = 0, -1, snap_dm
    for k in range(found):
        node, length = near[k, 0], near[k, 1]
        if length <= best_dm:
            best, best_dm = node, length
        if length <= REACH * graph.spacing_dm[node] and is_clear(
            table, barred, lat_deg, lon_deg, graph.lat[node], graph.lon[node]
        ):
            near[kept, 0], near[kept, 1] = node, length
            kept += 1
    if kept > 0:
        return kept, False
    if best < 0:
        return 0, True
    near[0, 0], near[0, 1] = best, best_dm
    return 1, True


@inner
def put(node, length, head, after, before):
    """Let a node wait in the bucket of its length."""
    bucket = (length >> BUCKET_BITS) & (BUCKETS - 1)
    first = head[bucket]
    after[node] = first
    before[node] = -1 - bucket
    if first >= 0:
        before[first] = node
    head[bucket] = node


@inner
def take(node, head, after, before):
    """Take a node out of its bucket."""
    later, earlier = after[node], before[node]
    if earlier >= 0:
        after[earlier] = later
    else:
        head[-1 - earlier] = later
    if later >= 0:
        before[later] = earlier
    after[node] = _WAITS_NOT


@inner
def offer(node, length, dist, head, after, before):
    """Give a node a shorter way; returns 1 when it was not waiting."""
    new = after[node] == _WAITS_NOT
    if not new and dist[node] >> BUCKET_BITS == length >> BUCKET_BITS:
        dist[node] = length
        return 0
    if not new:
        take(node, head, after, before)
    dist[node] = length
    put(node, length, head, after, before)
    return 1 if new else 0


@kernel
def spread(graph, is_open, seeds, count, limit_dm, end, dist, head, after, before):
    """Lower `dist` (int32 dm, `FAR`) from the first `count` `seeds` to all nodes within `limit_dm`.

    `is_open` (bool) tells which passages are. `end` (3) is a unit vector: nodes from which it lies beyond the limit
    are not gone on from; three zeros for none. `head` (-1), `after` (-2) and `before` are scratch, left as they were.
    """
    waiting, place = 0, limit_dm >> BUCKET_BITS
    for k in range(count):
        if seeds[k, 1] <= limit_dm and seeds[k, 1] < dist[seeds[k, 0]]:
            waiting += offer(seeds[k, 0], seeds[k, 1], dist, head, after, before)
            place = min(place, seeds[k, 1] >> BUCKET_BITS)
    has_end = end[0] != 0.0 or end[1] != 0.0 or end[2] != 0.0
    while waiting > 0:
        bucket = place & (BUCKETS - 1)
        while head[bucket] >= 0:
            u = head[bucket]
            take(u, head, after, before)
            waiting -= 1
            next_one = head[bucket]
            if next_one >= 0:  # its legs are somewhere else in 50 MB: ask for them now (a quarter of the time)
                for line in range(4):
                    prefetch(graph.legs, 2 * graph.start[next_one] + 16 * line)
            here = dist[u]
            x, y, z = graph.xyz[u, 0], graph.xyz[u, 1], graph.xyz[u, 2]
            if has_end and here + arc_dm(x, y, z, end[0], end[1], end[2]) > limit_dm:
                continue
            for k in range(graph.start[u], graph.start[u + 1]):
                v, length = graph.legs[2 * k], here + graph.legs[2 * k + 1]
                if length < dist[v] and length <= limit_dm:
                    waiting += offer(v, length, dist, head, after, before)
            for k in range(graph.named_start[u], graph.named_start[u + 1]):
                v, length = graph.named_legs[k, 0], here + graph.named_legs[k, 1]
                if length < dist[v] and length <= limit_dm and is_open[graph.named_legs[k, 2]]:
                    waiting += offer(v, length, dist, head, after, before)
        place += 1


@kernel
def walk_back(graph, is_open, seeds, count, dist, node, out):
    """The nodes of the way from a seed to `node`, last first, into `out` (int32, 2), with the named leg to each or -1.

    Returns how many there are; lengths are whole numbers, so a leg belongs to the way when the sums agree.
    """
    filled = 0
    while filled < out.shape[0]:
        out[filled, 0], out[filled, 1] = node, -1
        filled += 1
        for k in range(count):
            if seeds[k, 0] == node and seeds[k, 1] == dist[node]:
                return filled
        before = -1
        for k in range(graph.start[node], graph.start[node + 1]):
            other = graph.legs[2 * k]
            if dist[other] != FAR and dist[other] + graph.legs[2 * k + 1] == dist[node]:
                before = other
        for k in range(graph.named_start[node], graph.named_start[node + 1]):
            other = graph.named_legs[k, 0]
            if (
                before < 0
                and dist[other] != FAR
                and dist[other] + graph.named_legs[k, 1] == dist[node]
                and is_open[graph.named_legs[k, 2]]
            ):
                before = other
                out[filled - 1, 1] = k
        if before < 0:
            return 0
        node = before
    return 0


@kernel
def tighten(table, barred, lat, lon, fixed, count):
    """Leave out the points of a way (in place) that it can do without, `fixed` ones apart; returns how many stay."""
    before = count + 1
    while count < before:
        before, kept = count, 1
        for k in range(1, count):
            last = k == count - 1
            if last or fixed[k] or not is_clear(table, barred, lat[kept - 1], lon[kept - 1], lat[k + 1], lon[k + 1]):
                lat[kept], lon[kept], fixed[kept] = lat[k], lon[k], fixed[k]
                kept += 1
        count = kept
    return count


@inner
def may_be_clear(straight, bound):
    """Whether it is worth looking if the great circle is clear, where a bound is longer."""
    return straight < SEEN_DM and bound < SEEN * straight


@kernel
def settle(graph, table, barred, home, lat, lon, field, start_lat, start_lon, on_land, out_dm):
    """Decimetres from a start to points between nodes, by way of their `home` node or one of its neighbours.

    The shortest such way whose last leg is clear, or the leg from home, clear or not: what hides home from a point lies
    in their cell. The great circle itself when that is clear. A point not at sea has the leg from home, and that only
    when `on_land`; infinite where no way is. `field` (int32) is that of `spread` from the start.
    """
    sx, sy, sz = to_vector(start_lat, start_lon)
    for p in range(home.size):
        x, y, z = to_vector(lat[p], lon[p])
        u, best, done, at_sea = home[p], math.inf, -1.0, is_sea_at(table, lat[p], lon[p])
        if field[u] != FAR and (at_sea or on_land):
            best = field[u] + arc_dm(x, y, z, graph.xyz[u, 0], graph.xyz[u, 1], graph.xyz[u, 2])
        while at_sea:
            least, via = best, -1
            for k in range(graph.start[u], graph.start[u + 1]):
                v = graph.legs[2 * k]
                if field[v] != FAR:
                    length = field[v] + arc_dm(x, y, z, graph.xyz[v, 0], graph.xyz[v, 1], graph.xyz[v, 2])
                    if done < length < least:
                        least, via = length, v
            if via < 0:
                break
            done = least
            if is_clear(table, barred, graph.lat[via], graph.lon[via], lat[p], lon[p]):
                best = least
                break
        straight = arc_dm(x, y, z, sx, sy, sz)
        if straight < best and straight < NEAR_DM and is_clear(table, barred, start_lat, start_lon, lat[p], lon[p]):
            best = straight
        out_dm[p] = best


NEAR_DM = 15_000_000.0
"""Within 1,500 km a straight way to a point is tried: by the nodes around it, it may seem 10 % longer at 200 km."""
SEEN = 1.01
SEEN_DM = 10_000_000.0
"""Up to 1,000 km it is tried when the lower bound is at most so much longer: else something is in between."""
