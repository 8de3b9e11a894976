"""Zones on H3 cells: which zones hold a position, as one lookup, and exactly at the borders.

A zone is a set of rings of straight sides on the chart of longitude and latitude, as GeoJSON defines it (RFC 7946,
3.1.1). A cell that no side comes near lies in the same zones everywhere, so one number answers for it. Where sides
pass, the cell is divided, down to resolution 7; a cell of that size that is still crossed keeps the few sides near it
and a reference point of which it is known in which zones it lies. A position there is decided by counting the sides
crossed on the way from it to the reference point, with exact arithmetic: a point on a border belongs to the zone.

Finer cells of H3 do not nest exactly in coarser ones, so "near" is measured for all that a cell's descendants can
cover: the box around a circle of `REACH` times the distance of two neighbours. Three tables of numbers, for the cells
of resolutions 3, 5 and 7, are all that most positions need.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.cell_index import coarse_index, fine_index
from geo.kernel import inner, kernel

RESOLUTION = 7
"""Of the finest cells: that of `Fixes.cell`."""
SPACING_RAD = 2.0 / (3.0 + math.sqrt(5.0))
"""Distance of two neighbouring centres at resolution 0, on the plane of a face, where it is greatest."""
REACH = 0.62
"""No point of a cell, or of its descendants, is farther from its centre than this times the spacing.

The centres of children are one spacing of theirs away, 7**-0.5 of ours, and so on: 0.608 in all on the plane of a
face. Met with 20 million random points: 0.600."""
MAX_TABLED = 8
"""Zones with sides near one finest cell for which all 2**n answers are tabled; with more, each set is made when met."""

CHART_EAST = 270.0
"""The chart runs from 270 W to 270 E, so that what is near 180 degrees has its surroundings on both sides of it."""
_SPLIT = 134217729.0  # 2**27 + 1: halves the digits of a float64
_SURE = 3.3306690738754716e-16  # Shewchuk 1997: the sign of a determinant is right beyond this part of its terms


class ZoneGrid(NamedTuple):
    """The arrays of a grid of zones, as kernels take them.

    A number in `top` (resolution 3, 41,846 cells), `middle` (5, 49 cells for each that is divided) or `fine` (7) is a
    set of zones, or where negative the complement of the number of the block, at last of the edge cell, to look in.
    """

    points: NDArray[np.float64]  # (points, 2) latitude, longitude: all rings, one after the other, each closed
    top: NDArray[np.int32]
    middle: NDArray[np.int32]
    fine: NDArray[np.int32]
    reference: NDArray[np.float64]  # (edge cells, 2): a point of which it is known where it lies
    base: NDArray[np.int32]  # of an edge cell: the set of zones that hold all of it
    slot_start: NDArray[np.int64]  # into the slots, one for each zone with sides near an edge cell
    slot_zone: NDArray[np.int32]
    slot_inside: NDArray[np.uint8]  # whether the reference point lies in that zone
    side_start: NDArray[np.int64]  # into the sides of a slot
    side: NDArray[np.int32]  # the point where a side begins; it ends at the next one
    answer_start: NDArray[np.int32]  # into the answers of an edge cell; -1 where the zones are too many
    answer: NDArray[np.int32]  # the set of zones for each combination of slots


class Level(NamedTuple):
    """Cells of one resolution that are crossed by sides, with the sides near them."""

    cell: NDArray[np.uint64]
    number: NDArray[np.int64]  # place in the table of numbers, see `_fill`
    box: NDArray[np.float64]  # (n, 4) latitude and longitude, least and greatest
    reference: NDArray[np.float64]
    base: NDArray[np.int32]
    slot_start: NDArray[np.int64]
    slot_zone: NDArray[np.int32]
    slot_inside: NDArray[np.uint8]
    side_start: NDArray[np.int64]
    side: NDArray[np.int32]


@inner
def _product(a, b):
    """The product of two numbers and its rounding error (Veltkamp and Dekker)."""
    p = a * b
    t = _SPLIT * a
    a1 = t - (t - a)
    t = _SPLIT * b
    b1 = t - (t - b)
    a2, b2 = a - a1, b - b1
    return p, ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2


@inner
def _difference(a, b):
    """The difference of two numbers and its rounding error (Knuth)."""
    d = a - b
    v = a - d
    return d, (a - (d + v)) + (v - b)


@inner
def _exact_side(ay, ax, by, bx, y, x):
    """As `_side`, with twice the digits: what GEOS does where the fast way is in doubt."""
    ux, ux2 = _difference(bx, ax)
    vy, vy2 = _difference(y, ay)
    uy, uy2 = _difference(by, ay)
    vx, vx2 = _difference(x, ax)
    p, p2 = _product(ux, vy)
    q, q2 = _product(uy, vx)
    p2 += ux * vy2 + ux2 * vy
    q2 += uy * vx2 + uy2 * vx
    d, d2 = _difference(p, q)
    d += d2 + (p2 - q2)
    return 1 if d > 0.0 else (-1 if d < 0.0 else 0)


@inner
def _side(ay, ax, by, bx, y, x):
    """1 where a point lies left of the line from a to b, -1 right of it, 0 on it."""
    p, q = (bx - ax) * (y - ay), (by - ay) * (x - ax)
    d = p - q
    if abs(d) > _SURE * (abs(p) + abs(q)):
        return 1 if d > 0.0 else -1
    return _exact_side(ay, ax, by, bx, y, x)


@inner
def _crossed(points, n, y, x, ry, rx):
    """How often side n is crossed from (y, x) along the parallel, then along the meridian to (ry, rx): 0 or 1, even
    or odd; 2 where (y, x) lies on the side.

    All is moved by an infinitely small step north, and a still smaller one east: so no corner is ever on the way.
    """
    ay, ax, by, bx = points[n, 0], points[n, 1], points[n + 1, 0], points[n + 1, 1]
    across, along = (ay > y) != (by > y), (ax > rx) != (bx > rx)
    near = min(ay, by) <= y <= max(ay, by) and min(ax, bx) <= x <= max(ax, bx)
    if not (across or along or near):
        return 0
    here = _side(ay, ax, by, bx, y, x)
    if near and here == 0:
        return 2
    corner = _side(ay, ax, by, bx, y, rx)
    if corner == 0:
        corner = 1 if bx > ax or (bx == ax and by < ay) else -1
    odd = 1 if across and here != corner else 0
    if along and _side(ay, ax, by, bx, ry, rx) != corner:
        odd ^= 1
    return odd


@inner
def _meets(points, n, box, c):
    """Whether side n meets a box: no axis, and not the side's own normal, keeps them apart."""
    ay, ax, by, bx = points[n, 0], points[n, 1], points[n + 1, 0], points[n + 1, 1]
    south, north, west, east = box[c, 0], box[c, 1], box[c, 2], box[c, 3]
    if max(ay, by) < south or min(ay, by) > north or max(ax, bx) < west or min(ax, bx) > east:
        return False
    dy, dx = by - ay, bx - ax
    cy, cx = 0.5 * (south + north), 0.5 * (west + east)
    apart = abs(dx * (cy - ay) - dy * (cx - ax))
    return apart <= (abs(dx) * (north - south) + abs(dy) * (east - west)) * 0.5 * (1.0 + 1e-9)


@inner
def _inside(sides, points, first, last, before, y, x, ry, rx):
    """Whether a point lies in a zone, from a reference point and the zone's sides near both; 2 on its border."""
    odd = before
    for k in range(first, last):
        crossed = _crossed(points, sides[k], y, x, ry, rx)
        if crossed == 2:
            return 2
        odd ^= crossed
    return odd


@kernel
def place_boxes(parents, of_parent, lat_deg, lon_deg, radius_rad, box, reference):
    """The box of each child on its parent's chart, and its reference point."""
    degree = math.degrees(radius_rad) + 1e-9
    for c in range(of_parent.size):
        p = of_parent[c]
        lat, lon = lat_deg[c], lon_deg[c]
        lon += 360.0 * np.rint((parents.reference[p, 1] - lon) / 360.0)
        half = 2.0 * CHART_EAST  # around a pole: all longitudes
        if abs(lat) + degree < 89.0:
            half = math.degrees(math.asin(math.sin(math.radians(degree)) / math.cos(math.radians(lat)))) + 1e-9
        if half > 85.0:
            lon, half = 0.0, 2.0 * CHART_EAST
        box[c, 0] = max(parents.box[p, 0], lat - degree)
        box[c, 1] = min(parents.box[p, 1], lat + degree)
        box[c, 2] = max(parents.box[p, 2], lon - half)
        box[c, 3] = min(parents.box[p, 3], lon + half)
        reference[c, 0] = min(max(lat, box[c, 0]), box[c, 1])
        reference[c, 1] = min(max(lon, box[c, 2]), box[c, 3])


@kernel
def refine(points, parents, of_parent, box, reference, writes, at, slots, slot_inside, side_count, sides, full):
    """The sides of its parent that are near each child, and what its reference point lies in.

    Called twice: first `at` (children, 3) gets the numbers of slots, sides and zones that hold a child whole, then it
    holds where to write them. Of `slots` and `full` a row is (child, zone).
    """
    for c in range(of_parent.size):
        p = of_parent[c]
        if not writes:
            for _ in range(64):  # a reference point on a border would be of no use: 1e-6 degrees aside is as good
                on_border = False
                for k in range(
                    parents.side_start[parents.slot_start[p]], parents.side_start[parents.slot_start[p + 1]]
                ):
                    y, x = reference[c, 0], reference[c, 1]
                    on_border = on_border or _crossed(points, parents.side[k], y, x, y, x) == 2
                if not on_border:
                    break
                reference[c, 0] += 1.37e-7
                reference[c, 1] += 0.73e-7
        slot, side, whole = at[c, 0], at[c, 1], at[c, 2]
        y, x, ry, rx = reference[c, 0], reference[c, 1], parents.reference[p, 0], parents.reference[p, 1]
        for s in range(parents.slot_start[p], parents.slot_start[p + 1]):
            first, last = parents.side_start[s], parents.side_start[s + 1]
            inside = _inside(parents.side, points, first, last, parents.slot_inside[s], y, x, ry, rx)
            before = side
            for k in range(first, last):
                if _meets(points, parents.side[k], box, c):
                    if writes:
                        sides[side] = parents.side[k]
                    side += 1
            if side > before:
                if writes:
                    slots[slot, 0], slots[slot, 1] = c, parents.slot_zone[s]
                    slot_inside[slot], side_count[slot] = inside, side - before
                slot += 1
            elif inside != 0:
                if writes:
                    full[whole, 0], full[whole, 1] = c, parents.slot_zone[s]
                whole += 1
        at[c, 0], at[c, 1], at[c, 2] = slot, side, whole


@inner
def _number_at(grid, cell):
    """The set of zones of a cell of resolution 7, or the complement of its number among the edge cells."""
    number = grid.top[coarse_index(cell, 3)]
    if number < 0:
        number = grid.middle[49 * np.int64(~number) + fine_index(cell, 3, 5)]
        if number < 0:
            number = grid.fine[49 * np.int64(~number) + fine_index(cell, 5, 7)]
    return number


@kernel
def slots_at(grid, edge_cell, lat_deg, lon_deg, out):
    """For each slot of an edge cell whether a position lies in its zone, 1 or 0, into `out`; all of them as bits."""
    ry, rx = grid.reference[edge_cell, 0], grid.reference[edge_cell, 1]
    x = lon_deg
    if abs(x - rx) > 180.0:  # else it is left as it is: no rounding may move it off a border
        x -= 360.0 * np.rint((x - rx) / 360.0)
    bits = 0
    first = grid.slot_start[edge_cell]
    for s in range(first, grid.slot_start[edge_cell + 1]):
        sides, before = grid.side_start[s], grid.slot_inside[s]
        inside = _inside(grid.side, grid.points, sides, grid.side_start[s + 1], before, lat_deg, x, ry, rx)
        if out.size > 0:
            out[s - first] = inside
        elif inside != 0:
            bits |= 1 << (s - first)
    return bits


@kernel
def find_sets(grid, lat_deg, lon_deg, cells, nothing, out):
    """The set of zones of each position into `out`; where they are too many, the complement of the edge cell.

    `nothing` is an empty array of uint8.
    """
    for n in range(out.size):
        cell, lat, lon = cells[n], lat_deg[n], lon_deg[n]
        if cell == np.uint64(0) or not (abs(lat) <= 90.0 and math.isfinite(lon)):
            out[n] = 0
            continue
        number = _number_at(grid, cell)
        if number < 0:
            edge_cell = np.int64(~number)
            start = grid.answer_start[edge_cell]
            if start >= 0:
                number = grid.answer[start + slots_at(grid, edge_cell, lat, lon, nothing)]
        out[n] = number
