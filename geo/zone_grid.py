"""Building the grid of zones: cells are divided only where a side passes, so that an ocean costs no more than a bay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geo.cells import centres
from geo.grid import Tell
from geo.zone_cells import CHART_EAST, MAX_TABLED, REACH, RESOLUTION, SPACING_RAD, Level, place_boxes, refine

_PENTAGONS = (4, 14, 24, 38, 49, 58, 63, 72, 83, 97, 107, 117)
"""Base cells that are pentagons, and so have no child 1."""
_TABLES = {3: "top", 5: "middle", 7: "fine"}
"""Which table holds the numbers of the cells up to which resolution."""
_COPIED_DEG = CHART_EAST - 180.0


class ZoneSets:
    """Sets of zones by number; 0 is the empty set.

    >>> sets = ZoneSets()
    >>> sets.number((2, 1)), sets.number(()), sets.with_zone(np.array([0, 1]), np.array([1, 3])).tolist(), sets.sets
    (1, 0, [2, 3], [(), (1, 2), (1,), (1, 2, 3)])
    """

    def __init__(self, sets: Sequence[tuple[int, ...]] = ((),)) -> None:
        self.sets = list(sets)
        self._numbers = {zones: n for n, zones in enumerate(self.sets)}

    def number(self, zones: Sequence[int]) -> int:
        """The number of a set, a new one where it was not met before."""
        key = tuple(sorted(zones))
        if key not in self._numbers:
            self._numbers[key] = len(self.sets)
            self.sets.append(key)
        return self._numbers[key]

    def with_zone(self, numbers: NDArray[np.int32], zone: NDArray[np.int32]) -> NDArray[np.int32]:
        """The numbers of sets with one more zone each."""
        pairs, which = np.unique(numbers.astype(np.int64) << 32 | zone, return_inverse=True)
        made = [self.number((*self.sets[pair >> 32], pair & 0xFFFFFFFF)) for pair in pairs.tolist()]
        numbered: NDArray[np.int32] = np.array(made, np.int32)[which.reshape(-1)]
        return numbered


def build_zone_grid(
    rings: Sequence[NDArray[np.float64]], zone_of_ring: Sequence[int], tell: Tell
) -> dict[str, NDArray[np.generic]]:
    """The arrays of a `ZoneGrid`, with `set_start` and `set_zone` of its sets.

    `rings` are closed, (n, 2) latitude and longitude within -180 to 180; a point lies in a zone where an odd number of
    its rings is around it. Cost: 3 to 5 µs for each cell whose parent is divided (most of it for its centre), and 90
    bytes kept for each finest cell with a side near.
    """
    points, first = _chart(rings, zone_of_ring)
    level, sets = _root(points, first), ZoneSets()
    filled: dict[str, NDArray[np.int32]] = {"top": np.zeros(122 * 7**3, np.int32)}
    for resolution in range(RESOLUTION + 1):
        table = next(_TABLES[r] for r in _TABLES if r >= resolution)
        below = 7 ** (next(r for r in _TABLES if r >= resolution) - resolution)
        children = _children(level, resolution)
        level = _refined(points, level, *children, resolution, sets)
        crossed = np.diff(level.slot_start) > 0
        for n in range(below):
            filled[table][level.number[~crossed] * below + n] = level.base[~crossed]
        level = _crossed_only(level, crossed)
        if resolution in _TABLES:
            blocks = np.arange(len(level.cell))
            filled[table][level.number] = ~blocks
            if resolution < RESOLUTION:
                filled[_TABLES[resolution + 2]] = np.zeros(49 * len(blocks), np.int32)
                level = level._replace(number=blocks)
        tell(0.99 * 7.0 ** (0.5 * (resolution - RESOLUTION)))
    answer_start, answer = _answers(level, sets)
    lengths = [len(zones) for zones in sets.sets]
    return {
        **filled,
        "points": points,
        "reference": level.reference,
        "base": level.base,
        "slot_start": level.slot_start,
        "slot_zone": level.slot_zone,
        "slot_inside": level.slot_inside,
        "side_start": level.side_start,
        "side": level.side,
        "answer_start": answer_start,
        "answer": answer,
        "set_start": np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        "set_zone": np.array([zone for zones in sets.sets for zone in zones], np.int32),
    }


def _chart(
    rings: Sequence[NDArray[np.float64]], zone_of_ring: Sequence[int]
) -> tuple[NDArray[np.float64], list[NDArray[np.int32]]]:
    """All points, with copies of the rings 360 degrees on where they are near 180; the sides of each zone."""
    made: list[NDArray[np.float64]] = []
    sides: list[list[NDArray[np.int32]]] = [[] for _ in range(max(zone_of_ring, default=-1) + 1)]
    count = 0
    for ring, zone in zip(rings, zone_of_ring, strict=True):
        shifts = [0.0]
        shifts += [360.0] if ring[:, 1].min() < -_COPIED_DEG else []
        shifts += [-360.0] if ring[:, 1].max() > _COPIED_DEG else []
        for shift in shifts:
            made.append(np.add(ring, (0.0, shift)))
            sides[zone].append(np.arange(count, count + len(ring) - 1, dtype=np.int32))
            count += len(ring)
    points = np.concatenate(made) if made else np.zeros((0, 2))
    return points, [np.concatenate(parts) if parts else np.zeros(0, np.int32) for parts in sides]


def _root(points: NDArray[np.float64], sides: Sequence[NDArray[np.int32]]) -> Level:
    """The whole chart as one cell; its reference point lies south of the south pole, in no zone."""
    lengths = [len(part) for part in sides]
    return Level(
        cell=np.zeros(1, np.uint64),
        number=np.zeros(1, np.int64),
        box=np.array([[-91.0, 91.0, -CHART_EAST, CHART_EAST]]),
        reference=np.array([[-91.0, 0.0]]),
        base=np.zeros(1, np.int32),
        slot_start=np.array([0, len(sides)]),
        slot_zone=np.arange(len(sides), dtype=np.int32),
        slot_inside=np.zeros(len(sides), np.uint8),
        side_start=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        side=np.concatenate([*sides, np.zeros(0, np.int32)]),
    )


def _children(level: Level, resolution: int) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
    """The cells of the next resolution: the cells, the rows of their parents, and their numbers."""
    if resolution == 0:
        base = np.arange(122, dtype=np.uint64)
        cells = np.uint64(1 << 59) | base << np.uint64(45) | np.uint64((1 << 45) - 1)
        return cells, np.zeros(122, np.int64), np.arange(122)
    parent, digit = np.repeat(np.arange(len(level.cell)), 7), np.tile(np.arange(7), len(level.cell))
    shift = np.uint64(45 - 3 * resolution)
    above = level.cell[parent] & ~(np.uint64(7) << shift) & ~(np.uint64(15) << np.uint64(52))
    cells = above | np.uint64(resolution << 52) | digit.astype(np.uint64) << shift
    path = (level.cell[parent] & np.uint64((1 << 45) - 1)) >> (shift + np.uint64(3))
    of_pentagon = (path == 0) & np.isin(level.cell[parent] >> np.uint64(45) & np.uint64(127), _PENTAGONS)
    real = ~(of_pentagon & (digit == 1))
    return cells[real], parent[real], (level.number[parent] * 7 + digit)[real]


def _refined(
    points: NDArray[np.float64],
    level: Level,
    cells: NDArray[np.uint64],
    parent: NDArray[np.int64],
    number: NDArray[np.int64],
    resolution: int,
    sets: ZoneSets,
) -> Level:
    """The children of crossed cells, with the sides near them and the sets of zones that hold them whole."""
    lat, lon = centres(cells)
    box, reference = np.empty((len(cells), 4)), np.empty((len(cells), 2))
    place_boxes(level, parent, lat, lon, REACH * SPACING_RAD * 7.0 ** (-0.5 * resolution), box, reference)
    at = np.zeros((len(cells), 3), np.int64)
    buffers = _buffers(0, 0, 0)
    refine(points, level, parent, box, reference, False, at, *buffers)
    ends = np.cumsum(at, axis=0)
    slots, inside, side_count, sides, full = _buffers(*(ends[-1].tolist() if len(ends) else (0, 0, 0)))
    refine(points, level, parent, box, reference, True, ends - at, slots, inside, side_count, sides, full)
    base = level.base[parent]
    order = np.arange(len(full)) - np.searchsorted(full[:, 0], full[:, 0])  # the n-th zone of its cell
    for n in range(order.max(initial=-1) + 1):
        child, zone = full[order == n].T
        base[child] = sets.with_zone(base[child], zone)
    starts = np.concatenate([[0], ends[:, 0]])
    side_start = np.concatenate([[0], np.cumsum(side_count)])
    return Level(cells, number, box, reference, base, starts, slots[:, 1].copy(), inside, side_start, sides)


def _buffers(
    slots: int, sides: int, full: int
) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    return (
        np.empty((slots, 2), np.int32),
        np.empty(slots, np.uint8),
        np.empty(slots, np.int64),
        np.empty(sides, np.int32),
        np.empty((full, 2), np.int32),
    )


def _crossed_only(level: Level, crossed: NDArray[np.bool_]) -> Level:
    """The cells near which a side passes; the others have no slots, so that all of these stay."""
    starts = np.append(level.slot_start[:-1][crossed], level.slot_start[-1])
    return level._replace(
        cell=level.cell[crossed],
        number=level.number[crossed],
        box=level.box[crossed],
        reference=level.reference[crossed],
        base=level.base[crossed],
        slot_start=starts,
    )


def _answers(level: Level, sets: ZoneSets) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """For each edge cell where its answers begin, and the answers; cells of the same zones share them."""
    count = np.diff(level.slot_start)
    tabled = np.flatnonzero(count <= MAX_TABLED)
    keys = np.full((len(tabled), 1 + MAX_TABLED), -1, np.int32)
    keys[:, 0] = level.base[tabled]
    for n in range(MAX_TABLED):
        more = count[tabled] > n
        keys[more, 1 + n] = level.slot_zone[level.slot_start[tabled[more]] + n]
    kinds, which = np.unique(keys, axis=0, return_inverse=True)
    starts, answers = np.zeros(len(kinds), np.int32), list[int]()
    for kind, (base, *slots) in enumerate(kinds.tolist()):
        zones = [zone for zone in slots if zone >= 0]
        starts[kind] = len(answers)
        for bits in range(1 << len(zones)):
            chosen = [zone for n, zone in enumerate(zones) if bits >> n & 1]
            answers.append(sets.number((*sets.sets[base], *chosen)))
    start = np.full(len(count), -1, np.int32)
    start[tabled] = starts[which.reshape(-1)]
    return start, np.array(answers, np.int32)
