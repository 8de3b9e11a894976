"""Makes the levels of `geo.coast.ShoreTable` out of `tables/shore.npz`, once for a user.

The file holds the distance codes of a grid of 0.05 degrees, and the 36 bits of the mask for each cell that a shore
passes. From these bits come the shore points: the middles of all edges between a sea cell and a land cell of the mask.
For every mask cell of a cell near a shore the nearest of them is sought in the cells around.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.coast import ALL_LAND, ALL_SEA, CORNER_M, SATURATION_M
from geo.grid import Arrays, Tell, open_grid
from geo.kernel import inner, kernel

CELLS_PER_DEG = 20
ROWS, COLUMNS = 180 * CELLS_PER_DEG, 360 * CELLS_PER_DEG
_TABLE = Path(__file__).parent / "tables" / "shore.npz"
_SEA_CODE = 128
_MOST_COLUMNS = 9  # cells to either side: 119 halves of a mask cell, which an int8 can hold
_MOST_ROWS = 3
_ALL = (1 << 36) - 1
_DOWN = (np.arange(36) // 6 * 2).astype(np.float32)
_RIGHT = (np.arange(36) % 6 * 2).astype(np.float32)

_OFF = 0.03
"""A tile whose 3 x 3 nodes are off by no more than this share of the distance needs no finer ones: five of six."""

_STEPS = 127
_GROWTH = 0.0335
"""Levels are 250 m apart at the shore and 3.35 % apart far from it: half of that is the error of rounding."""
LEVELS_M = SATURATION_M * np.expm1(_GROWTH * np.arange(_STEPS + 1)) / math.expm1(_GROWTH * _STEPS)
"""Distances that a node can hold, 0 to 500 km."""


def open_shore() -> dict[str, NDArray[Any]]:
    """The arrays of `ShoreTable`, built if this user has none of this version (3 s)."""
    read_as = repr((ALL_LAND, ALL_SEA, CORNER_M, SATURATION_M)).encode()  # of another module, and so not in this file
    return open_grid("shore", [_TABLE, Path(__file__), read_as], _build)


@inner
def _is_sea(slot, bits, code, row, column):
    """Whether a cell of the mask is sea; its column may run on beyond the ends."""
    column %= 6 * COLUMNS
    at = slot[row // 6, column // 6]
    if at < 0:
        return code[row // 6, column // 6] >= _SEA_CODE
    return (bits[at] >> np.uint64(row % 6 * 6 + column % 6)) & np.uint64(1) != 0


@kernel
def list_shore(slot, bits, code, cell, first, points):
    """Shore points by listed cell, in halves of a mask cell; with no room in `points` they are only counted.

    An edge belongs to the cell on its north or west side. `first` (n + 1) tells where the points of a cell begin.
    """
    filled = 0
    for at in range(cell.size):
        first[at] = filled
        for k in range(36):
            row, column = cell[at] // COLUMNS * 6 + k // 6, cell[at] % COLUMNS * 6 + k % 6
            here = _is_sea(slot, bits, code, row, column)
            if here != _is_sea(slot, bits, code, row, column + 1):
                if filled < points.shape[0]:
                    points[filled, 0], points[filled, 1] = 2 * row + 1, 2 * column + 2
                filled += 1
            if row + 1 < 6 * ROWS and here != _is_sea(slot, bits, code, row + 1, column):
                if filled < points.shape[0]:
                    points[filled, 0], points[filled, 1] = 2 * row + 2, 2 * column + 1
                filled += 1
    first[cell.size] = filled


@kernel
def mark_near(slot, width, near):
    """Mark the cells that a shore passes and those around them; `width` is how many columns that is, by row."""
    for row in range(ROWS):
        for column in range(COLUMNS):
            if slot[row, column] >= 0:
                for r in range(max(0, row - 1), min(ROWS, row + 2)):
                    for c in range(column - width[r], column + width[r] + 1):
                        near[r, c % COLUMNS] = True


@inner
def offer_points(points, low, high, row, column, cosine, best, who):
    """Let each of a cell's 36 mask cells take the shore points that are nearer than what it has.

    Without a branch, so that four mask cells are looked at in one instruction.
    """
    for p in range(low, high):
        dy, dx = points[p, 0] - 12 * row - 1, points[p, 1] - 12 * column - 1
        if dx > 6 * COLUMNS:
            dx -= 12 * COLUMNS
        elif dx < -6 * COLUMNS:
            dx += 12 * COLUMNS
        for k in range(36):
            down, right = np.float32(dy) - _DOWN[k], (np.float32(dx) - _RIGHT[k]) * cosine
            square = right * right + down * down
            nearer = square < best[k]
            best[k] = square if nearer else best[k]
            who[k] = p if nearer else who[k]


@inner
def look_around(slot, first, points, width, cosine, row, column, best, who):
    """Find the shore points nearest to a cell's mask cells, a row farther each time until nothing unseen is nearer."""
    seen = -1
    for reach in range(1, _MOST_ROWS + 1):
        wide = min(_MOST_COLUMNS, reach * width[row])
        for r in range(max(0, row - reach), min(ROWS, row + reach + 1)):
            for c in range(column - wide, column + wide + 1):
                if abs(r - row) < reach and abs(c - column) <= seen:
                    continue
                there = slot[r, c % COLUMNS]
                if there >= 0:
                    offer_points(points, first[there], first[there + 1], row, column, cosine[row], best, who)
        farthest = np.float32(0.0)
        for k in range(36):
            farthest = max(farthest, best[k])
        if farthest <= (12.0 * reach) ** 2:
            return
        seen = wide


@kernel
def find_nearest(slot, first, points, width, cosine, cell, best, who, toward):
    """For each mask cell of the cells near a shore, the way to the nearest shore point.

    `best` (36, squares of distances in halves of a mask cell) and `who` (36, their points) are scratch.
    """
    for at in range(cell.size):
        row, column = cell[at] // COLUMNS, cell[at] % COLUMNS
        for k in range(36):
            best[k] = np.float32(np.inf)
            who[k] = -1
        look_around(slot, first, points, width, cosine, row, column, best, who)
        for k in range(36):
            right = (points[who[k], 1] - 2 * (6 * column + k % 6) - 1 + 6 * COLUMNS) % (12 * COLUMNS) - 6 * COLUMNS
            toward[at, k, 0], toward[at, k, 1] = points[who[k], 0] - 2 * (6 * row + k // 6) - 1, right


def _tile_of(cell: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Tile of each cell, and its place among the 100 of the tile."""
    row, column = cell // COLUMNS, cell % COLUMNS
    return row // 10 * 720 + column // 10, row % 10 * 10 + column % 10


def _near_cells(code: NDArray[np.uint8], listed: NDArray[np.int64], bits: NDArray[np.uint64], tell: Tell) -> Arrays:
    """Bits and ways to the shore of all cells near one, in the order of their tiles."""
    slot = np.full((ROWS, COLUMNS), -1, np.int32)
    slot.ravel()[listed] = np.arange(listed.size)
    cosine = np.cos(np.radians(90.0 - (np.arange(ROWS) + 0.5) / CELLS_PER_DEG)).astype(np.float32)
    width = np.minimum(np.ceil(1.0 / cosine), _MOST_COLUMNS).astype(np.int64)
    first = np.empty(listed.size + 1, np.int64)
    list_shore(slot, bits, code, listed, first, np.empty((0, 2), np.int32))
    points = np.empty((int(first[-1]), 2), np.int32)
    list_shore(slot, bits, code, listed, first, points)
    near = np.zeros((ROWS, COLUMNS), np.bool_)
    mark_near(slot, width, near)
    cell = np.flatnonzero(near)
    tile, place = _tile_of(cell)
    cell = cell[np.lexsort([place, tile])]
    toward, best = np.empty((cell.size, 36, 2), np.int8), np.empty(36, np.float32)
    who = np.empty(36, np.int32)
    for part in np.array_split(np.arange(cell.size), 20):
        find_nearest(slot, first, points, width, cosine, cell[part], best, who, toward[part[0] : part[-1] + 1])
        tell(0.2 + 0.7 * (part[-1] + 1) / cell.size)
    at = slot.ravel()[cell]
    uniform = np.where(code.ravel()[cell] >= _SEA_CODE, np.uint64(_ALL), np.uint64(0))
    return {"cell": cell, "bits": np.where(at >= 0, bits[at], uniform), "toward": toward}


def _blocks_of_cells(code: NDArray[np.uint8], cell: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Number of each tile's block of cells, and the blocks."""
    sea = (code >= _SEA_CODE).reshape(360, 10, 720, 10).transpose(0, 2, 1, 3).reshape(-1, 100)
    tile, place = _tile_of(cell)
    with_shore = np.unique(tile)
    top = np.where(sea[:, 0], ALL_SEA, ALL_LAND).astype(np.int32)
    top[with_shore] = np.arange(with_shore.size)
    cells = np.where(sea[with_shore], ALL_SEA, ALL_LAND).astype(np.int32)
    cells[top[tile], place] = np.arange(cell.size)
    return top, cells


def _corners(code: NDArray[np.uint8], metres: NDArray[np.float32]) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """3 x 3 nodes of each tile (in `CORNER_M`), and whether distances between them are off by more than `_OFF`."""
    wide = metres[np.pad(np.pad(code, ((1, 1), (0, 0)), "edge"), ((0, 0), (1, 1)), "wrap")]
    grid = (wide[::5, ::5] + wide[1::5, ::5] + wide[::5, 1::5] + wide[1::5, 1::5]) / (4.0 * CORNER_M)
    grid = np.round(grid).astype(np.int16)
    tiles = np.lib.stride_tricks.sliding_window_view(grid, (3, 3))[::2, ::2].reshape(-1, 9)
    off = np.zeros((360, 720), np.bool_)
    at = (np.arange(COLUMNS) + 0.5) / 5.0
    column, share = at.astype(np.int64), (at % 1.0).astype(np.float32)
    for r in range(10):  # a row of cells of all tiles
        part = np.float32((r + 0.5) / 5.0 % 1.0)
        north = r // 5
        row = grid[north : north + 719 : 2] * (1 - part) + grid[north + 1 : north + 720 : 2] * part
        found = np.float32(CORNER_M) * (row[:, column] * (1 - share) + row[:, column + 1] * share)
        exact = metres[code[r::10]]
        off |= (np.abs(found - exact) > _OFF * np.abs(exact)).reshape(360, 720, 10).any(axis=2)
    return np.ascontiguousarray(tiles), off.ravel()


def _blocks_of_nodes(code: NDArray[np.uint8], fine: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The nodes of the tiles that need the fine ones, with one row and column around."""
    wide = np.pad(np.pad(code, ((1, 1), (0, 0)), "edge"), ((0, 0), (1, 1)), "wrap")
    windows = np.lib.stride_tricks.sliding_window_view(wide, (12, 12))[::10, ::10].reshape(-1, 12, 12)
    return np.ascontiguousarray(windows[fine])


def _build(tell: Tell) -> Arrays:
    with np.load(_TABLE) as stored:
        code, listed = stored["eastward"], np.cumsum(stored["cell_step"], dtype=np.int64)
        octets = stored["octets"]
    np.cumsum(code, axis=1, dtype=np.uint8, out=code)
    bits = np.zeros((listed.size, 8), np.uint8)
    bits[:, :5] = octets
    tell(0.1)
    near = dict(_near_cells(code, listed, bits.view("<u8").ravel(), tell))
    top, cells = _blocks_of_cells(code, near.pop("cell"))
    metres = np.concatenate([-LEVELS_M[::-1], LEVELS_M]).astype(np.float32)
    corners, fine = _corners(code, metres)
    fine |= top >= 0
    tiles = np.zeros((top.size, 8), np.int32)
    tiles[:, 0], tiles[:, 1] = top, np.where(fine, np.cumsum(fine) - 1, -1)
    tiles.view(np.int16)[:, 4:13] = corners
    nodes = _blocks_of_nodes(code, fine)
    cosines = np.cos(np.radians(90.0 - (np.arange(ROWS + 1) + 0.5) / CELLS_PER_DEG)).astype(np.float32)
    levels: Arrays = {"tiles": tiles, "cells": cells, "nodes": nodes, "metres": metres, "cosines": cosines, **near}
    return {name: array.ravel() for name, array in levels.items()}
